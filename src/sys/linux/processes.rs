//! Processes as `/proc` shows them; proc(5).

use std::collections::{BTreeSet, HashMap};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::sys::process::{self as by_number, Process, own_pid};

/// Whether `/proc` is there and lists the processes of this PID namespace.
#[must_use]
pub fn are_listed() -> bool {
    let own = rustix::fs::readlink("/proc/self", Vec::new());
    own.is_ok_and(|own| own.to_str() == Ok(own_pid().to_string().as_str()))
}

/// Why processes are not listed, where they usually are.
#[must_use]
pub fn missing() -> Option<&'static str> {
    match (are_listed(), rustix::fs::access("/proc/self", rustix::fs::Access::EXISTS)) {
        (true, _) => None,
        (false, Ok(())) => Some("/proc shows another PID namespace"),
        (false, Err(_)) => Some("/proc is missing"),
    }
}

/// Reads one process; `None` when it does not exist (any more).
#[must_use]
pub fn process(pid: i32) -> Option<Process> {
    parse(&read(&format!("/proc/{pid}/stat"))?)
}

/// The command line of a process, its arguments separated by NUL.
#[must_use]
pub fn command_line(pid: i32) -> Vec<u8> {
    read(&format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

/// All living descendants, parents before their children. The tree moves meanwhile: a caller that has to be certain
/// looks again.
#[must_use]
pub fn descendants(root: i32) -> Vec<Process> {
    let Some(own) = read(&children_file(root, root)) else {
        return scanned(root);
    };
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([root]);
    let mut open = Vec::new();
    // For a process that asks about itself and has one thread, what was just read is the whole answer.
    if root == own_pid() && is_alone() {
        for process in numbers(&own).into_iter().filter_map(process) {
            if seen.insert(process.pid) {
                open.push((process.pid, process.threads));
                found.push(process);
            }
        }
    } else {
        open.push((root, process(root).map_or(1, |root| root.threads)));
    }
    while let Some((pid, threads)) = open.pop() {
        for child in children(pid, threads) {
            if let Some(process) = process(child).filter(|_| seen.insert(child)) {
                open.push((child, process.threads));
                found.push(process);
            }
        }
    }
    found
}

/// Whether a process holds a terminal open beyond output and errors, which it was given.
#[must_use]
pub fn has_opened_terminal(pid: i32) -> bool {
    let terminal = |fd: i32| {
        let target = rustix::fs::readlink(format!("/proc/{pid}/fd/{fd}"), Vec::new());
        target.is_ok_and(|target| {
            let target = target.as_bytes();
            target.starts_with(b"/dev/tty") || target.starts_with(b"/dev/pts/")
        })
    };
    directories(&format!("/proc/{pid}/fd")).into_iter().any(|fd| fd != 1 && fd != 2 && terminal(fd))
}

/// Whether this process has one thread: one link for `.`, `..` and each thread in its task directory.
fn is_alone() -> bool {
    rustix::fs::stat("/proc/self/task").is_ok_and(|stat| stat.st_nlink == 3)
}

fn children(pid: i32, threads: u32) -> Vec<i32> {
    let of = |task: i32| read(&children_file(pid, task)).unwrap_or_default();
    tasks(pid, threads).into_iter().flat_map(|task| numbers(&of(task))).collect()
}

/// The list of the children that a thread has.
fn children_file(pid: i32, task: i32) -> String {
    format!("/proc/{pid}/task/{task}/children")
}

/// The threads of a process that has so many, the first one first.
fn tasks(pid: i32, threads: u32) -> Vec<i32> {
    let mut tasks = vec![pid];
    if threads > 1 {
        let all = directories(&format!("/proc/{pid}/task"));
        tasks.extend(all.into_iter().filter(|&task| task != pid));
    }
    tasks
}

/// All living descendants by reading every process of the system: for kernels without `children` files.
fn scanned(root: i32) -> Vec<Process> {
    let mut by_parent: HashMap<i32, Vec<Process>> = HashMap::new();
    for process in directories("/proc").into_iter().filter_map(process) {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let mut found = by_parent.remove(&root).unwrap_or_default();
    let mut at = 0;
    while let Some(process) = found.get(at) {
        found.extend(by_parent.remove(&process.pid).unwrap_or_default());
        at += 1;
    }
    found
}

fn numbers(text: &[u8]) -> Vec<i32> {
    let words = text.split(|byte| !byte.is_ascii_digit());
    words.filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok()).collect()
}

/// The entries of a directory that are numbers.
fn directories(path: &str) -> Vec<i32> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty());
    let Ok(entries) = directory.and_then(rustix::fs::Dir::new) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect()
}

/// Signals exactly this process: by its number where only we can free that (it is our child), else through a pidfd
/// of which we know that it is still the same process.
pub fn send(process: &Process, signal: i32) {
    if process.parent == own_pid() {
        return by_number::kill(process.pid, signal);
    }
    let (Some(pid), Some(named)) = (Pid::from_raw(process.pid.max(0)), signal_of(signal)) else {
        return;
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => {
            if self::process(process.pid).is_some_and(|now| now.start == process.start) {
                let _ = pidfd_send_signal(fd, named);
            }
        }
        Err(rustix::io::Errno::NOSYS) => by_number::kill(process.pid, signal),
        Err(_) => {}
    }
}

#[expect(unsafe_code, reason = "real-time signals have no safe constructor")]
fn signal_of(number: i32) -> Option<Signal> {
    // SAFETY: the kernel knows exactly the numbers 1 to 64; the value is only handed back to it.
    (1..=64).contains(&number).then(|| unsafe { Signal::from_raw_unchecked(number) })
}

fn read(path: &str) -> Option<Vec<u8>> {
    let fd = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut text = Vec::with_capacity(512);
    loop {
        match rustix::io::read(&fd, rustix::buffer::spare_capacity(&mut text)) {
            Ok(0) => return Some(text),
            Ok(_) => text.reserve(512),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// `pid (name) state ppid pgrp session …`: the name may hold anything, also parentheses and spaces.
fn parse(stat: &[u8]) -> Option<Process> {
    let open = stat.iter().position(|&byte| byte == b'(')?;
    let close = stat.iter().rposition(|&byte| byte == b')')?;
    let pid = std::str::from_utf8(stat.get(..open)?).ok()?.trim().parse().ok()?;
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Process {
        pid,
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        threads: fields.get(17)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
        name: stat.get(open + 1..close)?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_name_holds() {
        let line = b"42 (a) R (b\n) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 123456 1 1\n";
        let process = parse(line).unwrap();
        assert_eq!(process.name, b"a) R (b\n");
        assert_eq!((process.pid, process.parent, process.group, process.session), (42, 7, 8, 9));
        assert_eq!((process.state, process.threads, process.start), (b'S', 3, 123_456));
        for cut in 0..45 {
            assert_eq!(parse(&line[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn both_ways_of_looking_find_us_below_our_parent() {
        let me = process(std::process::id() as i32).unwrap();
        assert!(me.threads >= 1);
        assert!(scanned(me.parent).iter().any(|process| process.pid == me.pid));
        assert!(descendants(me.parent).iter().any(|process| process.pid == me.pid));
    }
}
