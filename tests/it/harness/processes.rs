//! Looking at processes through `/proc`, and signalling them by their id.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

/// Set in the environment of everything that a test starts.
pub(crate) const TAG: &str = "GW_IT_TAG";

/// A process as `/proc` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id.
    pub(crate) pid: u32,
    /// Its parent.
    pub(crate) parent: u32,
    /// `R`, `S`, `T`, `Z` …
    pub(crate) state: char,
    /// Its name, at most 15 bytes.
    pub(crate) name: String,
    /// Since boot, in ticks: with the pid it names a process for ever.
    pub(crate) started: u64,
}

/// The process, if it exists (as a zombie too).
pub(crate) fn look(pid: u32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split_whitespace().collect();
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        state: fields.first()?.chars().next()?,
        name,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// Every process of the system.
pub(crate) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(look)
        .collect()
}

/// Living processes that carry the tag in their environment.
pub(crate) fn tagged(tag: &str) -> Vec<Process> {
    let needle = format!("{TAG}={tag}\0").into_bytes();
    all()
        .into_iter()
        .filter(|process| process.state != 'Z')
        .filter(|process| {
            fs::read(format!("/proc/{}/environ", process.pid)).is_ok_and(|environment| {
                environment.windows(needle.len()).any(|window| window == needle)
            })
        })
        .collect()
}

/// Everything below a process: children, their children and so on.
pub(crate) fn descendants(of: u32) -> Vec<Process> {
    let mut by_parent: HashMap<u32, Vec<Process>> = HashMap::new();
    for process in all() {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut parents = vec![of];
    while let Some(parent) = parents.pop() {
        for child in by_parent.remove(&parent).unwrap_or_default() {
            parents.push(child.pid);
            found.push(child);
        }
    }
    found
}

/// Whether exactly this process (not a later one of the same id) lives; a zombie does not.
pub(crate) fn lives(process: &Process) -> bool {
    look(process.pid).is_some_and(|now| now.started == process.started && now.state != 'Z')
}

/// Whether every thread of a process is stopped. A signal takes a busy system a moment, thread by thread.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads
        .filter_map(|thread| thread.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(look)
        .all(|thread| thread.state == 'T')
}

/// Sends a signal to one process, by id; one that is gone already is no error.
pub(crate) fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a pid is positive");
    let _ = kill_process(pid, signal);
}

/// A signal set of `/proc/PID/status` (`SigIgn`, `SigBlk`), as a bit mask.
pub(crate) fn signal_set(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    u64::from_str_radix(line.expect("the field").trim(), 16).expect("a mask")
}

/// The interpreter itself, not a shim of a version manager that needs the real home directory.
pub(crate) fn python() -> Option<PathBuf> {
    let asked = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim());
    path.is_file().then_some(path)
}

/// Whether a program is on PATH.
pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Says why a test does nothing on this machine.
pub(crate) fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its number").port()
}

/// Processor time so far, in clock ticks.
pub(crate) fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    let fields: Vec<&str> =
        stat.rsplit(") ").next().unwrap_or_default().split_whitespace().collect();
    fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
}

/// How often its first thread went to sleep by itself.
pub(crate) fn switches(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.expect("the field").trim().parse().expect("a number")
}

/// The foreground group of the terminal that a process has.
pub(crate) fn foreground(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.split_whitespace().nth(5)?.parse().ok()
}
