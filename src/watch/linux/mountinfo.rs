//! The lines of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) number: u64,
    /// Major and minor number of what `stat(2)` gives as the device of a directory there.
    pub(super) device: (u32, u32),
    pub(super) point: PathBuf,
    /// `ext4`, `overlay`, `fuse.sshfs` …
    pub(super) kind: Vec<u8>,
    /// What the file system was mounted with, still escaped.
    pub(super) options: Vec<u8>,
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`; the fields before the
/// hyphen vary in number.
pub(super) fn read(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let number = text(fields.next()?)?.parse().ok()?;
    let (major, minor) = text(fields.nth(1)?)?.split_once(':')?;
    let device = (major.parse().ok()?, minor.parse().ok()?);
    let point = PathBuf::from(OsStr::from_bytes(&unescape(fields.nth(1)?)));
    let mut fields = fields.skip_while(|field| *field != b"-").skip(1);
    let kind = fields.next().unwrap_or_default().to_vec();
    let options = fields.nth(1).unwrap_or_default().to_vec();
    Some(Mount { number, device, point, kind, options })
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Octal escapes: `\040` is a space.
pub(super) fn unescape(mut rest: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        let digits = (byte == b'\\').then(|| after.get(..3)).flatten();
        let value = digits.and_then(text).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(value.unwrap_or(byte));
        rest = if value.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_with_its_escapes() {
        let line = b"36 35 98:0 /mnt1 /a\\040b\\012c\\134 rw,noatime master:1 - ext3 /dev/root rw";
        let mount = read(line).unwrap();
        assert_eq!((mount.number, mount.device), (36, (98, 0)));
        assert_eq!(mount.point, PathBuf::from("/a b\nc\\"));
        assert_eq!((mount.kind, mount.options), (b"ext3".to_vec(), b"rw".to_vec()));
        assert_eq!(read(b""), None);
    }

    #[test]
    fn the_optional_fields_vary_in_number() {
        for optional in ["", " shared:7", " shared:7 master:1 propagate_from:2"] {
            let line = format!("66 63 0:40 / /m rw{optional} - overlay overlay rw,lowerdir=/l");
            let mount = read(line.as_bytes()).unwrap();
            assert_eq!(mount.kind, b"overlay");
            assert_eq!(mount.options, b"rw,lowerdir=/l");
        }
    }
}
