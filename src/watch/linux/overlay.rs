//! What an overlay lies over. One over local directories tells of everything: the kernel forbids changing them
//! from behind ("the behavior of the overlay is undefined"). One over a FUSE or network file system is
//! as silent as that. Where it cannot be told (in a container the layers are paths of the host), it
//! is doubted.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::mountinfo::{Mount, unescape};
use crate::watch::filesystem::FileSystem;

/// The directories of an overlay; `None` where they are not known for certain.
pub(super) fn layers(mounts: &[Mount], device: (u32, u32)) -> Option<Vec<PathBuf>> {
    let overlay = |mount: &&Mount| mount.device == device && mount.kind == b"overlay";
    let mount = mounts.iter().find(overlay)?;
    let mut layers = Vec::new();
    // A comma in a value is escaped.
    for option in mount.options.split(|byte| *byte == b',') {
        let mut halves = option.splitn(2, |byte| *byte == b'=');
        let (key, value) = (halves.next()?, unescape(halves.next().unwrap_or_default()));
        match key {
            b"lowerdir" => layers.extend(split(&value)),
            b"lowerdir+" | b"datadir+" | b"upperdir" => layers.push(value),
            _ => {}
        }
    }
    let layers: Vec<PathBuf> =
        layers.into_iter().map(|path| PathBuf::from(OsStr::from_bytes(&path))).collect();
    // A relative one is relative to where somebody was when he mounted it.
    (!layers.is_empty() && layers.iter().all(|path| path.is_absolute())).then_some(layers)
}

/// `/a:/b\:c::/data`: colons part, a colon in a name has a backslash before it, two begin the data-only layers.
fn split(value: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, parts.last_mut()) {
            (b':', _) => parts.push(Vec::new()),
            (b'\\', Some(part)) => part.extend(bytes.next()),
            (byte, Some(part)) => part.push(byte),
            (_, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// What to think of an overlay over these; `None`: a layer that is not to be found here.
pub(super) fn judge(layers: impl IntoIterator<Item = Option<FileSystem>>) -> FileSystem {
    let mut worst = FileSystem::Local;
    for layer in layers {
        match layer {
            None => return FileSystem::Doubtful("an overlay"),
            Some(FileSystem::Local) => {}
            Some(FileSystem::Silent(..) | FileSystem::Doubtful(_)) => {
                worst = FileSystem::Doubtful("an overlay over a file system that may be silent");
            }
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::super::mountinfo::read;
    use super::*;

    fn of(options: &str) -> Option<Vec<PathBuf>> {
        let other = read(b"65 63 0:39 / /l rw - tmpfs none rw,lowerdir=/no").unwrap();
        let line = format!("66 63 0:40 / /m rw - overlay overlay {options}");
        layers(&[other, read(line.as_bytes()).unwrap()], (0, 40))
    }

    #[test]
    fn the_layers_are_found_in_every_spelling() {
        let paths = |paths: &[&str]| Some(paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        let table = [
            ("rw,lowerdir=/l,upperdir=/u,workdir=/w,uuid=on", paths(&["/l", "/u"])),
            ("ro,lowerdir=/a:/b", paths(&["/a", "/b"])),
            (r"ro,lowerdir=/a\134:b:/c\040d\054e", paths(&["/a:b", "/c d,e"])),
            ("rw,lowerdir+=/a,lowerdir+=/b:c,datadir+=/d,upperdir=/u", {
                paths(&["/a", "/b:c", "/d", "/u"])
            }),
            ("ro,lowerdir=/a::/data", paths(&["/a", "/data"])),
            // Relative, unknown, or none at all: not known.
            ("rw,lowerdir=l,upperdir=/u", None),
            ("rw", None),
        ];
        for (options, expected) in table {
            assert_eq!(of(options), expected, "{options}");
        }
        assert_eq!(layers(&[], (0, 40)), None, "no such mount is visible");
    }

    #[test]
    fn an_overlay_is_as_silent_as_what_it_lies_over() {
        let (local, fuse) = (Some(FileSystem::Local), Some(FileSystem::Doubtful("FUSE")));
        let nfs = Some(FileSystem::Silent("NFS", None));
        assert_eq!(judge([local, local]), FileSystem::Local);
        for doubtful in [[local, fuse], [nfs, local], [local, None], [None, fuse]] {
            assert!(matches!(judge(doubtful), FileSystem::Doubtful(_)), "{doubtful:?}");
        }
    }
}
