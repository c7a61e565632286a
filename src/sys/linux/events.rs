//! The limits of inotify(7), and what is taken of them.

use std::path::Path;

use crate::sys::unix::bytes::os_str;
use crate::sys::unix::files::{Directory, link_target};

use super::whole::{number, read};

/// Events come by inotify: one watch for each directory.
pub const BY_DIRECTORY: bool = true;

/// How many watches a user may have.
#[must_use]
pub fn watch_limit() -> Option<u64> {
    let paths = ["/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches"];
    paths.iter().filter_map(|path| number(path)).min()
}

/// How many event queues a user may have.
#[must_use]
pub fn instance_limit() -> Option<u64> {
    let paths = ["/proc/sys/fs/inotify/max_user_instances", "/proc/sys/user/max_inotify_instances"];
    paths.iter().filter_map(|path| number(path)).min()
}

/// The length of an event queue.
#[must_use]
pub fn queue_length() -> Option<u64> {
    number("/proc/sys/fs/inotify/max_queued_events")
}

/// The watches that this process holds: proc_pid_fdinfo(5) has one line `inotify wd:…` for each.
#[must_use]
pub fn watches_held() -> Option<u64> {
    let descriptors = Path::new("/proc/self/fd");
    let mut count = 0;
    let mut each = |name: &[u8], _| {
        let name = os_str(name);
        let target = link_target(&descriptors.join(name));
        if target.is_some_and(|target| target == b"anon_inode:inotify") {
            let text = read(&Path::new("/proc/self/fdinfo").join(name));
            let lines = text.split(|byte| *byte == b'\n');
            count += lines.filter(|line| line.starts_with(b"inotify ")).count() as u64;
        }
    };
    Directory::open(descriptors, false).ok()?.read(&mut Vec::new(), &mut each).ok()?;
    Some(count)
}
