//! Which descendants are build daemons that a command merely happened to start (`stop.keep`).

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::sys::process::{self, Process};
use crate::sys::processes;

/// The kernel keeps 15 bytes of a process's name.
const NAME_LENGTH: usize = 15;

/// The names of `stop.keep` and the session that a daemon has left.
#[derive(Clone, Debug, Default)]
pub(super) struct Keep {
    names: Vec<OsString>,
    session: i32,
}

impl Keep {
    pub(super) fn new(names: Vec<OsString>) -> Keep {
        Keep { names, session: process::own_session() }
    }

    pub(super) fn set_names(&mut self, names: Vec<OsString>) {
        self.names = names;
    }

    /// Splits what lives below `root` into what belongs to the run and what is left alone: a daemon that
    /// is kept, with all below it. `all` lists parents before their children.
    pub(super) fn split(&self, root: i32, all: Vec<Process>) -> (Vec<Process>, Vec<Process>) {
        let mut kept = BTreeSet::new();
        all.into_iter().partition(|process| {
            let keep = kept.contains(&process.parent) || self.is_daemon(root, process);
            if keep {
                kept.insert(process.pid);
            }
            !keep
        })
    }

    /// Whether it has left our session.
    pub(super) fn is_in_other_session(&self, process: &Process) -> bool {
        process.session != self.session
    }

    /// Name *and* own session *and* parent gone.
    fn is_daemon(&self, root: i32, process: &Process) -> bool {
        !self.names.is_empty() && process.parent == root && process.session != self.session && {
            let line = processes::command_line(process.pid);
            self.names.iter().any(|name| is_named(name.as_encoded_bytes(), &process.name, &line))
        }
    }
}

/// By the kernel's name, by `argv[0]` (also `bazel(project)`), or, for what a `java` runs, by a word of the
/// main class (`org.gradle.launcher.daemon…`).
fn is_named(name: &[u8], comm: &[u8], command_line: &[u8]) -> bool {
    if name.is_empty() {
        return false;
    }
    if comm == &name[..name.len().min(NAME_LENGTH)] {
        return true;
    }
    let mut words = command_line.split(|&byte| byte == 0);
    let program = words.next().unwrap_or_default();
    let program = program.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    if program.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest[0] == b'(') {
        return true;
    }
    comm == b"java"
        && words
            .filter(|word| !word.contains(&b'/') && word.contains(&b'.'))
            .any(|word| word.split(|&byte| byte == b'.').any(|part| part == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemons_are_known_by_their_names() {
        let gradle: &[u8] =
            b"/opt/jdk/bin/java\0-Xmx512m\0org.gradle.launcher.daemon.bootstrap.GradleDaemon\09.1\0";
        for (name, comm, line, expected) in [
            ("sccache", "sccache", &b"/usr/bin/sccache\0"[..], true),
            ("sccache", "sccache-dist", b"/usr/bin/sccache-dist\0", false),
            ("gpg-agent", "gpg-agent", b"gpg-agent\0--daemon\0", true),
            ("a-name-longer-than-the-kernel-keeps", "a-name-longer-t", b"", true),
            ("bazel", "java", b"bazel(app)\0-server\0", true),
            ("bazel", "bazelisk", b"bazelisk\0", false),
            ("gradle", "java", gradle, true),
            ("maven", "java", gradle, false),
            ("gradle", "python3", gradle, false),
            ("gradle", "java", b"java\0/x/org.gradle.jar\0", false),
            ("", "", b"", false),
        ] {
            let is = is_named(name.as_bytes(), comm.as_bytes(), line);
            assert_eq!(is, expected, "{name} {comm}");
        }
    }

    fn process(pid: i32, parent: i32, session: i32, name: &str) -> Process {
        let name = name.as_bytes().to_vec();
        Process { pid, parent, group: pid, session, state: b'S', threads: 1, start: 0, name }
    }

    #[test]
    fn a_daemon_needs_its_name_its_own_session_and_no_parent() {
        // Pids far beyond the kernel's, so that no real process is asked.
        const P: i32 = 1 << 30;
        let keep = Keep { names: vec!["agent".into()], session: 5 };
        let all = vec![
            process(P, 1, 5, "agent"),         // in our session
            process(P + 1, 1, P + 1, "agent"), // a daemon
            process(P + 2, P + 1, P + 1, "helper"),
            process(P + 3, P + 2, P + 3, "helper"),
            process(P + 4, 1, P + 4, "other"),
            process(P + 5, P + 4, P + 5, "agent"), // its parent lives
        ];
        let pids = |list: &[Process]| list.iter().map(|one| one.pid - P).collect::<Vec<_>>();
        let (run, kept) = keep.split(1, all.clone());
        assert_eq!((pids(&run), pids(&kept)), (vec![0, 4, 5], vec![1, 2, 3]));
        let (run, kept) = Keep::default().split(1, all);
        assert_eq!((run.len(), kept.len()), (6, 0));
    }
}
