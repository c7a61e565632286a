//! The exit statuses of this program.

use std::io;
use std::process::ExitCode;

use super::{Ended, SpawnStage};

/// How this program ends, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Done, or ended by request.
    Ok,
    /// The question was answered with no (`explain`: a path is not watched), or the system failed us.
    Failure,
    /// The command line or the configuration file is wrong.
    Usage,
    /// No instance covers this directory.
    NoInstance,
    /// `wait` ran out of time.
    Timeout,
    /// The command was found but could not be executed.
    CannotExecute,
    /// The command was not found.
    NotFound,
    /// Ended by this signal, ours or the command's.
    Signal(i32),
    /// The command's own status (`--once`, `on_crash: exit`, `wait`).
    Command(u8),
}

/// The statuses with their meanings, for the manual page and README.
pub const TABLE: &[(&str, &str)] = &[
    ("0", "done, or ended by request (q)"),
    ("1", "the answer is no, or the system refused something"),
    ("2", "the command line or the configuration file is wrong"),
    ("3", "no running instance covers this directory"),
    ("124", "wait: the time was over"),
    ("126", "the command was found but could not be executed"),
    ("127", "the command was not found"),
    ("128+n", "ended by signal n"),
    ("any", "with --once, on_crash: exit and wait: the command's own status"),
];

impl ExitStatus {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NoInstance => 3,
            Self::Timeout => 124,
            Self::CannotExecute => 126,
            Self::NotFound => 127,
            Self::Signal(signal) => u8::try_from(128 + (signal & 0x7f)).unwrap_or(u8::MAX),
            Self::Command(code) => code,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

impl From<Ended> for ExitStatus {
    fn from(ended: Ended) -> Self {
        match ended {
            // A status is 0–255 by its origin; anything else must not look like success.
            Ended::Exit(code) => Self::Command(u8::try_from(code).unwrap_or(1)),
            Ended::Signal(signal) => Self::Signal(signal),
        }
    }
}

impl From<(SpawnStage, i32)> for ExitStatus {
    fn from((stage, errno): (SpawnStage, i32)) -> Self {
        match stage {
            SpawnStage::Exec if is_missing(errno) => Self::NotFound,
            SpawnStage::Exec => Self::CannotExecute,
            SpawnStage::WorkingDirectory | SpawnStage::Fork | SpawnStage::Shim => Self::Failure,
        }
    }
}

fn is_missing(errno: i32) -> bool {
    io::Error::from_raw_os_error(errno).kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_number_of_its_table_line() {
        let all = [
            (ExitStatus::Ok, "0"),
            (ExitStatus::Failure, "1"),
            (ExitStatus::Usage, "2"),
            (ExitStatus::NoInstance, "3"),
            (ExitStatus::Timeout, "124"),
            (ExitStatus::CannotExecute, "126"),
            (ExitStatus::NotFound, "127"),
        ];
        for ((status, number), (shown, _)) in all.iter().zip(TABLE) {
            assert_eq!(status.code().to_string(), *number);
            assert_eq!(number, shown);
        }
        assert_eq!(TABLE.len(), all.len() + 2, "128+n and the command's own");
    }

    #[test]
    fn a_command_ends_us_as_a_shell_would_see_it() {
        let table = [
            (Ended::Exit(0), 0),
            (Ended::Exit(1), 1),
            (Ended::Exit(139), 139),
            (Ended::Exit(255), 255),
            (Ended::Exit(256), 1),
            (Ended::Exit(-1), 1),
            (Ended::Signal(2), 130),
            (Ended::Signal(11), 139),
            (Ended::Signal(15), 143),
            (Ended::Signal(64), 192),
        ];
        for (ended, code) in table {
            assert_eq!(ExitStatus::from(ended).code(), code, "{ended:?}");
        }
    }

    #[test]
    fn a_command_that_cannot_start_is_126_or_127() {
        let table = [
            (SpawnStage::Exec, libc::ENOENT, 127),
            (SpawnStage::Exec, libc::EACCES, 126),
            (SpawnStage::Exec, libc::ENOEXEC, 126),
            (SpawnStage::WorkingDirectory, libc::ENOENT, 1),
            (SpawnStage::Fork, libc::EAGAIN, 1),
        ];
        for (stage, errno, code) in table {
            assert_eq!(ExitStatus::from((stage, errno)).code(), code, "{stage:?} {errno}");
        }
    }
}
