//! Threads of ours that take no processor from another one for a while.
#![expect(unsafe_code, reason = "no crate wraps sched_setscheduler")]

use super::tree;

/// As long as it lives, a thread of ours that is woken waits for the next tick, or for an idle processor,
/// instead of taking the processor of whoever runs (sched(7), `SCHED_BATCH`). What a thread starts inherits
/// that: so the first one, which starts processes, is left out, and at the end whatever has it gives it up.
pub(super) struct Aside(());

impl Aside {
    /// Every thread but the first and the one that calls.
    pub(super) fn new() -> Aside {
        let me = rustix::thread::gettid().as_raw_nonzero().get();
        for task in all_but_the_first(libc::SCHED_OTHER).filter(|&task| task != me) {
            set_policy(task, libc::SCHED_BATCH);
        }
        Aside(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let ours = || all_but_the_first(libc::SCHED_BATCH);
        // Again, until nobody is left who was started meanwhile.
        while ours().filter(|&task| set_policy(task, libc::SCHED_OTHER)).count() > 0 {}
    }
}

/// The threads of this policy; none where we all were started under another one than the usual.
fn all_but_the_first(policy: i32) -> impl Iterator<Item = i32> {
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    let usual = has_policy(pid, libc::SCHED_OTHER);
    let tasks = if usual { tree::tasks(pid, u32::MAX) } else { Vec::new() };
    tasks.into_iter().filter(move |&task| task != pid && has_policy(task, policy))
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

/// Tests share a process: who hunts in one sets the others' threads aside too.
#[cfg(test)]
pub(super) static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_others_are_set_aside_and_come_back_with_what_they_started() {
        let _alone = ALONE.lock();
        let (tell, told) = mpsc::channel();
        let (go, begin) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            let task = || rustix::thread::gettid().as_raw_nonzero().get();
            tell.send(task()).unwrap();
            begin.recv().unwrap();
            let started = std::thread::spawn(move || {
                tell.send(task()).unwrap();
                ended.recv().unwrap_err();
            });
            started.join().unwrap();
        });
        let task = told.recv().unwrap();
        let me = rustix::thread::gettid().as_raw_nonzero().get();
        let aside = Aside::new();
        assert!(has_policy(task, libc::SCHED_BATCH));
        assert!(has_policy(me, libc::SCHED_OTHER));
        go.send(()).unwrap();
        let started = told.recv().unwrap();
        assert!(has_policy(started, libc::SCHED_BATCH));
        drop(aside);
        assert!(has_policy(started, libc::SCHED_OTHER));
        assert!(has_policy(task, libc::SCHED_OTHER));
        drop(end);
        other.join().unwrap();
    }
}
