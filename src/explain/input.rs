//! Which paths are asked about: the arguments, and standard input for `-`.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::config;
use crate::report::JsonName;

/// The paths, absolute. `nul`: what comes from standard input is separated by NUL bytes, not by newlines.
///
/// # Errors
/// Standard input cannot be read.
pub(super) fn paths(
    typed: &[OsString],
    directory: &Path,
    nul: bool,
    stdin: &mut dyn Read,
) -> io::Result<Vec<JsonName>> {
    let mut paths = Vec::new();
    for path in typed {
        if path != "-" {
            paths.push(absolute(directory, Path::new(path)));
            continue;
        }
        let mut text = Vec::new();
        stdin.read_to_end(&mut text)?;
        let end = if nul { 0 } else { b'\n' };
        let each = text.split(|byte| *byte == end).filter(|path| !path.is_empty());
        paths.extend(each.map(|path| absolute(directory, Path::new(OsStr::from_bytes(path)))));
    }
    Ok(paths)
}

/// A path without `.` and `..`; a slash at the end stays, it says that a directory is meant.
#[must_use]
pub fn absolute(directory: &Path, typed: &Path) -> JsonName {
    let mut bytes = config::absolute(directory, typed).into_os_string().into_vec();
    if typed.as_os_str().as_bytes().ends_with(b"/") && bytes.len() > 1 {
        bytes.push(b'/');
    }
    JsonName(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_standard_input_become_absolute_paths() {
        let none: &[u8] = b"";
        for (typed, nul, stdin, expected) in [
            (
                &["a", "./b/", "../c", "/d/../e"][..],
                false,
                none,
                &["/w/a", "/w/b/", "/c", "/e"][..],
            ),
            (&["x", "-"], false, b"a\n\nb c\n", &["/w/x", "/w/a", "/w/b c"]),
            (&["-"], true, b"a\nb\0c/\0", &["/w/a\nb", "/w/c/"]),
            (&["/", "."], false, none, &["/", "/w"]),
        ] {
            let typed: Vec<OsString> = typed.iter().map(OsString::from).collect();
            let paths = paths(&typed, Path::new("/w"), nul, &mut &*stdin).unwrap();
            let paths: Vec<&str> = paths.iter().map(|path| path.path().to_str().unwrap()).collect();
            assert_eq!(paths, expected, "{typed:?}");
        }
    }
}
