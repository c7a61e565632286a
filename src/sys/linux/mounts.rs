//! The table of mounts; proc_pid_mountinfo(5).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use super::whole::read;
use crate::sys::unix::bytes::os_string;

/// Ends the thread that watches the mounts when it is dropped.
#[derive(Debug)]
pub struct MountGuard {
    _end: OwnedFd,
}

/// Calls `tell` whenever the table of mounts changes, until it returns `false`. No wake-ups otherwise.
pub fn watch(mut tell: impl FnMut() -> bool + Send + 'static) -> Option<MountGuard> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let table = rustix::fs::openat(CWD, "/proc/self/mountinfo", flags, Mode::empty()).ok()?;
    let (ended, end) = pipe_with(PipeFlags::CLOEXEC).ok()?;
    let work = move || {
        loop {
            let mut fds =
                [PollFd::new(&table, PollFlags::PRI), PollFd::new(&ended, PollFlags::empty())];
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            if !fds[1].revents().is_empty() {
                return;
            }
            let changed = fds[0].revents().intersects(PollFlags::PRI | PollFlags::ERR);
            if changed && !tell() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("gw-mounts".into()).spawn(work).ok()?;
    Some(MountGuard { _end: end })
}

/// All mounts: their numbers and where they are.
#[must_use]
pub fn all() -> Vec<(u64, PathBuf)> {
    let text = read(Path::new("/proc/self/mountinfo"));
    text.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

/// One line: `36 35 98:0 /mnt1 /mnt2 rw,noatime …`; the first field is the mount's number, the fifth where it is.
fn mount(line: &[u8]) -> Option<(u64, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let number = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some((number, PathBuf::from(os_string(unescape(fields.nth(3)?)))))
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
        assert_eq!(mount(line), Some((36, PathBuf::from("/a b\nc\\"))));
        assert_eq!(mount(b""), None);
    }
}
