//! Threads of ours that take no processor from another one for a while.
#![expect(unsafe_code, reason = "no crate wraps sched_setscheduler")]

use super::tree;

/// As long as it lives, a thread of ours that is woken waits for the next tick, or for an idle processor,
/// instead of taking the processor of whoever runs. The first thread is left out: what it starts inherits
/// (sched(7), `SCHED_BATCH`).
pub(super) struct Aside {
    tasks: Vec<i32>,
}

impl Aside {
    /// Every thread but the first and the one that calls.
    pub(super) fn new() -> Aside {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        let me = rustix::thread::gettid().as_raw_nonzero().get();
        let mut tasks = tree::tasks(pid, 2);
        tasks.retain(|&task| task != pid && task != me && has_policy(task, libc::SCHED_OTHER));
        tasks.retain(|&task| set_policy(task, libc::SCHED_BATCH));
        Aside { tasks }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        for task in self.tasks.drain(..) {
            set_policy(task, libc::SCHED_OTHER);
        }
    }
}

fn has_policy(task: i32, policy: i32) -> bool {
    // SAFETY: a plain call; a number that is nobody's any more is an error.
    unsafe { libc::sched_getscheduler(task) == policy }
}

/// False when the thread has ended.
fn set_policy(task: i32, policy: i32) -> bool {
    let none = libc::sched_param { sched_priority: 0 };
    // SAFETY: a plain call that reads `none`.
    unsafe { libc::sched_setscheduler(task, policy, &raw const none) == 0 }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_others_are_set_aside_and_come_back() {
        let (tell, told) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
            ended.recv().unwrap_err();
        });
        let task = told.recv().unwrap();
        let me = rustix::thread::gettid().as_raw_nonzero().get();
        let aside = Aside::new();
        assert!(has_policy(task, libc::SCHED_BATCH));
        assert!(has_policy(me, libc::SCHED_OTHER));
        drop(aside);
        assert!(has_policy(task, libc::SCHED_OTHER));
        drop(end);
        other.join().unwrap();
    }
}
