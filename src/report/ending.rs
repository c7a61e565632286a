//! The end of a run, or of an attempt to start it, in words: exit statuses, signals and error numbers.

use std::io;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::escape::{escape, escape_text};
use crate::model::{Ended, RunEnd, Signal, SpawnError, SpawnStage};
use crate::sys::{errno, signal};

/// The end of a run: `exit 1`, `exit 139 (SIGSEGV)`, `exit 127 (command not found)`, `killed by SIGKILL`. The meaning
/// that a shell gives a status is said only when the command went through one.
pub(super) fn ended(RunEnd { ended, shell }: RunEnd) -> String {
    match ended {
        Ended::Signal(number) => format!("killed by {}", signal_name(number)),
        Ended::Exit(126) if shell => "exit 126 (found, but not executable)".to_owned(),
        Ended::Exit(127) if shell => "exit 127 (command not found)".to_owned(),
        Ended::Exit(status) => match status.checked_sub(128).and_then(signal::name) {
            Some(name) if shell => format!("exit {status} ({name})"),
            _ => format!("exit {status}"),
        },
    }
}

/// The signal that ended a run, also when a shell reported it as 128 + n.
pub(super) fn signal_of(RunEnd { ended, shell }: RunEnd) -> Option<String> {
    match ended {
        Ended::Signal(number) => Some(signal_name(number)),
        Ended::Exit(status) if shell => {
            status.checked_sub(128).and_then(signal::name).map(str::to_owned)
        }
        Ended::Exit(_) => None,
    }
}

/// The fields `exit` or `signal`, and `signal_name`.
impl Serialize for RunEnd {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields {
            #[serde(flatten)]
            ended: Ended,
            #[serde(skip_serializing_if = "Option::is_none")]
            signal_name: Option<String>,
        }
        Fields { ended: self.ended, signal_name: signal_of(*self) }.serialize(to)
    }
}

/// The name of the signal.
impl Serialize for Signal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&signal_name(self.0))
    }
}

/// The name of a signal: `SIGTERM`, or `signal 40` where there is none.
pub(super) fn signal_name(number: i32) -> String {
    signal::name(number).map_or_else(|| format!("signal {number}"), str::to_owned)
}

/// A start that failed, in one line: the path, the cause and the remedy. `directory` is the working directory of the command.
pub(super) fn cannot_start(error: &SpawnError, directory: &Path) -> String {
    let path = escape(error.path.as_os_str());
    let what = match error.stage {
        SpawnStage::WorkingDirectory => format!("cannot enter {path}"),
        SpawnStage::Shim => "cannot start the process that hosts the runs".to_owned(),
        SpawnStage::Fork | SpawnStage::Exec => format!("cannot start {path}"),
    };
    let why = match error.detail.as_deref() {
        Some(detail) => escape_text(detail),
        None => cause(error, directory),
    };
    format!("{what}: {why}")
}

fn cause(error: &SpawnError, directory: &Path) -> String {
    let path = escape(error.path.as_os_str());
    let fixed = match (error.stage, error.errno) {
        (_, errno::E2BIG) => {
            "the arguments and the environment together are larger than the system allows (E2BIG); \
             shorten the command or envs"
        }
        (_, errno::EAGAIN) => "the system allows no more processes (EAGAIN); see ulimit -u",
        (_, errno::EMFILE) => "no more files may be opened (EMFILE); see ulimit -n",
        (_, errno::ENFILE) => "the system's table of open files is full (ENFILE)",
        (_, errno::ENOMEM) => "out of memory (ENOMEM)",
        (_, errno::ENOSPC | errno::EDQUOT) => {
            "no space left for the list of changed files; free some, or set TMPDIR"
        }
        (_, errno::EROFS) => "the file system is read-only; set TMPDIR to a writable directory",
        (SpawnStage::WorkingDirectory, errno::ENOENT) => "the working directory is gone",
        (SpawnStage::WorkingDirectory, errno::ENOTDIR) => "it is not a directory",
        (SpawnStage::WorkingDirectory, errno::EACCES) => "no permission; see its mode and owner",
        (SpawnStage::Exec, errno::ENOENT) => return missing(&error.path, directory),
        (SpawnStage::Exec, errno::EACCES) if names_a_directory(&error.path) => "it is a directory",
        (SpawnStage::Exec, errno::EACCES | errno::EPERM) => {
            return format!("it is not executable; chmod +x {path}");
        }
        (SpawnStage::Exec, errno::ENOEXEC) => {
            "not a program of this system, nor a script that begins with #!"
        }
        (SpawnStage::Exec, errno::ETXTBSY) => "it is still being written (ETXTBSY)",
        (SpawnStage::Exec, errno::ENOTDIR) => "a part of its path is not a directory",
        (SpawnStage::Exec, errno::ELOOP) => "too many symbolic links",
        _ => return system_text(error.errno),
    };
    fixed.to_owned()
}

fn missing(program: &Path, directory: &Path) -> String {
    let searched = program.components().count() == 1 && !program.has_root();
    if searched && !program.as_os_str().as_encoded_bytes().contains(&b'/') {
        return "not found in PATH".to_owned();
    }
    if program.has_root() || directory.as_os_str().is_empty() {
        return "no such file".to_owned();
    }
    format!("no such file in {}", escape(directory.as_os_str()))
}

/// The system's own text for an error number, without Rust's `(os error 2)`, beginning small.
fn system_text(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    let text = text.rsplit_once(" (os error").map_or(text.as_str(), |(text, _)| text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => format!("error {errno}"),
    }
}

/// Whether a path is a directory by its name alone: nothing is looked up here.
fn names_a_directory(path: &Path) -> bool {
    matches!(path.as_os_str().as_encoded_bytes(), b"." | b".." | [.., b'/'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn a_status_says_what_the_shell_meant_only_where_a_shell_was() {
        let table = [
            (Ended::Exit(0), true, "exit 0"),
            (Ended::Exit(1), true, "exit 1"),
            (Ended::Exit(126), true, "exit 126 (found, but not executable)"),
            (Ended::Exit(127), true, "exit 127 (command not found)"),
            (Ended::Exit(127), false, "exit 127"),
            (Ended::Exit(128), true, "exit 128"),
            (Ended::Exit(137), true, "exit 137 (SIGKILL)"),
            (Ended::Exit(139), true, "exit 139 (SIGSEGV)"),
            (Ended::Exit(139), false, "exit 139"),
            (Ended::Exit(255), true, "exit 255"),
            (Ended::Signal(libc::SIGSEGV), true, "killed by SIGSEGV"),
            (Ended::Signal(60), false, "killed by signal 60"),
        ];
        for (ended, shell, expected) in table {
            assert_eq!(super::ended(RunEnd { ended, shell }), expected);
        }
        let end = |shell| RunEnd { ended: Ended::Exit(143), shell };
        assert_eq!(signal_of(end(true)).as_deref(), Some("SIGTERM"));
        assert_eq!(signal_of(end(false)), None);
    }

    #[test]
    fn a_failed_start_names_path_cause_and_remedy_in_one_line() {
        use SpawnStage::{Exec, Fork, Shim, WorkingDirectory};
        let interpreter = Some("the interpreter /bin/nope does not exist");
        let big = "the arguments and the environment together are larger than the system allows \
                   (E2BIG); shorten the command or envs";
        let space = "no space left for the list of changed files; free some, or set TMPDIR";
        let table = [
            (Exec, "./bin/app", errno::ENOENT, None, "no such file in /src/app"),
            (Exec, "/opt/app", errno::ENOENT, None, "no such file"),
            (Exec, "nope", errno::ENOENT, None, "not found in PATH"),
            (
                Exec,
                "./run.sh",
                errno::ENOENT,
                interpreter,
                "the interpreter /bin/nope does not exist",
            ),
            (Exec, "./run.sh", errno::EACCES, None, "it is not executable; chmod +x ./run.sh"),
            (Exec, "./", errno::EACCES, None, "it is a directory"),
            (Exec, "true", errno::E2BIG, None, big),
            (
                Fork,
                "true",
                errno::EAGAIN,
                None,
                "the system allows no more processes (EAGAIN); see ulimit -u",
            ),
            (
                Fork,
                "true",
                errno::EMFILE,
                None,
                "no more files may be opened (EMFILE); see ulimit -n",
            ),
            (Fork, "true", errno::ENOSPC, None, space),
            (Exec, "true", libc::EIO, None, "input/output error"),
        ];
        for (stage, path, errno, detail, expected) in table {
            let detail = detail.map(str::to_owned);
            let error = SpawnError { stage, path: PathBuf::from(path), errno, detail };
            let line = cannot_start(&error, Path::new("/src/app"));
            assert_eq!(line, format!("cannot start {path}: {expected}"));
        }
        let path = PathBuf::from("/src/a\nb");
        let error =
            SpawnError { stage: WorkingDirectory, path, errno: errno::ENOENT, detail: None };
        let line = cannot_start(&error, Path::new("/"));
        assert_eq!(line, "cannot enter /src/a\\nb: the working directory is gone");
        let path = PathBuf::from("/proc/self/exe");
        let error = SpawnError { stage: Shim, path, errno: errno::EAGAIN, detail: None };
        let line = cannot_start(&error, Path::new("/"));
        assert!(
            line.starts_with("cannot start the process that hosts the runs: the system allows")
        );
    }
}
