//! The lines of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// One line: `36 35 98:0 /mnt1 /mnt2 rw,noatime …`; the first field is the mount's number, the fifth where it is.
pub(super) fn read(line: &[u8]) -> Option<(u64, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let number = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some((number, PathBuf::from(OsStr::from_bytes(&unescape(fields.nth(3)?)))))
}

/// Octal escapes: `\040` is a space.
fn unescape(mut rest: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        let digits = (byte == b'\\').then(|| after.get(..3)).flatten();
        let value = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
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
        assert_eq!(read(line), Some((36, PathBuf::from("/a b\nc\\"))));
        assert_eq!(read(b""), None);
    }
}
