//! The clock of file times.

use rustix::time::ClockId;

use crate::sys::unix::files::nanoseconds;

/// A file's time may come from a coarser clock than ours and be so much older, in nanoseconds.
const MARGIN: i64 = 10_000_000;

/// The clock that the system stamps files with, in nanoseconds since 1970.
#[must_use]
pub fn of_files() -> i64 {
    let time = rustix::time::clock_gettime(ClockId::Realtime);
    nanoseconds(time.tv_sec, time.tv_nsec).saturating_sub(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::unix::files::lstat;

    #[test]
    fn a_file_is_never_older_than_the_clock_before_it() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..200 {
            let before = of_files();
            let path = dir.path().join(n.to_string());
            std::fs::write(&path, "x").unwrap();
            assert!(lstat(&path).unwrap().ctime >= before);
        }
    }
}
