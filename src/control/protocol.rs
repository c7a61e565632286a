//! The questions and answers that go over the socket.

use serde::{Deserialize, Serialize};

use super::explained::{Explained, Surveyed};
use crate::model::Ended;
use crate::report::JsonName;

/// The version of the protocol and of every `--json` output; it grows when a field changes its meaning.
pub const PROTOCOL: u32 = 1;

/// A question or an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Asks which instance this is.
    Identify,
    /// Asks what the instance is doing.
    Status,
    /// Asks for an answer as soon as the run caused by everything written to disk so far has ended or is ready.
    Wait {
        /// A command that stays up this many milliseconds is ready; unsaid: 500, and never one that is known to end.
        settle_ms: Option<u64>,
    },
    /// Asks for verdicts on paths.
    Explain {
        /// Absolute paths without `.` and `..`; with a slash at the end: a directory.
        paths: Vec<JsonName>,
    },
    /// Asks what is watched.
    Survey {
        /// Whether every directory and file is to be named.
        tree: bool,
    },
    /// Orders a run now.
    Restart,
    /// Orders that changes start nothing.
    Pause,
    /// Orders that changes start runs again.
    Resume,
    /// Orders that the command is stopped and watching goes on.
    Stop,
    /// Orders that the command is stopped and the instance ends.
    Quit,
}

/// The answer to an [`Ask`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// To [`Ask::Identify`].
    Identity(Identity),
    /// To [`Ask::Status`].
    Status(Status),
    /// To [`Ask::Wait`].
    Waited(WaitAnswer),
    /// To [`Ask::Explain`]: a verdict for each path, in order.
    Explained {
        /// The verdicts.
        verdicts: Vec<Explained>,
    },
    /// To [`Ask::Survey`].
    Surveyed(Surveyed),
    /// The order is taken.
    Done,
    /// The order can't be taken.
    Refused {
        /// The reason.
        why: String,
    },
}

/// The names of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// [`PROTOCOL`].
    pub v: u32,
    /// The process id of the instance.
    pub pid: u32,
    /// The name of the instance (`run --name`). One without a name goes by its number; 1 is the oldest.
    pub name: Option<String>,
    /// The absolute working directory.
    pub directory: JsonName,
    /// Milliseconds since it was started.
    pub age_ms: u64,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The run.
    pub run: u64,
    /// The exit status, when the run exited.
    pub exit: Option<i32>,
    /// The signal that ended the run.
    pub signal: Option<i32>,
    /// The time that the run took, in milliseconds.
    pub duration_ms: u64,
    /// The time since the end, in milliseconds, when that is known.
    pub ago_ms: Option<u64>,
}

impl Ending {
    /// The status a shell would show: 128 + n for a signal.
    #[must_use]
    pub fn status(&self) -> i32 {
        self.exit.or(self.signal.map(|signal| 128 + signal)).unwrap_or(0)
    }

    /// The end of a process as the end of a run.
    #[must_use]
    pub fn new(run: u64, ended: Ended, duration_ms: u64, ago_ms: Option<u64>) -> Self {
        let (exit, signal) = match ended {
            Ended::Exit(code) => (Some(code), None),
            Ended::Signal(signal) => (None, Some(signal)),
        };
        Self { run, exit, signal, duration_ms, ago_ms }
    }
}

/// The state of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// [`PROTOCOL`].
    pub v: u32,
    /// The instance that answers.
    pub identity: Identity,
    /// The command as typed.
    pub command: String,
    /// `starting`, `running`, `building`, `waiting`, `stopping`, `failed`, `paused`.
    pub state: String,
    /// Whether changes start nothing for now.
    pub paused: bool,
    /// The current run, else the last.
    pub run: Option<u64>,
    /// The leader of the current run, while it lives.
    pub pid: Option<u32>,
    /// The cause of the run: the first changed paths, `start` or `request`.
    pub cause: Option<String>,
    /// The time for which the state has held, in milliseconds.
    pub since_ms: u64,
    /// The last run that ended. A command that could not be started counts as a shell counts it (exit 127,
    /// 126), one that was stopped as ended by the stop signal.
    pub last: Option<Ending>,
    /// Runs that were not the first.
    pub reloads: u64,
    /// The median time from decision to new process, in microseconds.
    pub median_reload_us: Option<u64>,
    /// Changed paths that wait.
    pub waiting: usize,
    /// Changes that were taken as what the runs make themselves.
    #[serde(default)]
    pub outputs: u64,
}

/// The outcome of a `wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The run ended.
    Finished,
    /// The command stays up.
    Ready,
    /// Nothing that is watched changed since the last run.
    Unchanged,
    /// A change was dropped, since the command was running (`on_busy: ignore`): no run has seen it.
    Ignored,
    /// A change waits for somebody to go on: the instance is paused.
    Held,
    /// The time was over.
    Timeout,
    /// No instance is there to be asked.
    NoInstance,
}

/// The answer to a `wait`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitAnswer {
    /// [`PROTOCOL`].
    pub v: u32,
    /// The outcome.
    pub outcome: Outcome,
    /// The run that saw everything.
    pub run: Option<u64>,
    /// The cause of that run.
    pub cause: Option<String>,
    /// The exit status, when the run exited.
    pub exit: Option<i32>,
    /// The signal that ended the run.
    pub signal: Option<i32>,
    /// The time that the run took or has been up, in milliseconds.
    pub duration_ms: Option<u64>,
    /// The time since the end, in milliseconds.
    pub ago_ms: Option<u64>,
}

impl WaitAnswer {
    /// An answer that names no run.
    #[must_use]
    pub fn bare(outcome: Outcome) -> Self {
        let v = PROTOCOL;
        Self {
            v,
            outcome,
            run: None,
            cause: None,
            exit: None,
            signal: None,
            duration_ms: None,
            ago_ms: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_encoding_whatever_it_names() {
        for (name, json) in [
            (&b"/src/app"[..], "\"/src/app\""),
            ("/\u{202e}文件".as_bytes(), "\"/\u{202e}文件\""),
            (b"/a\xff\n", "{\"bytes\":\"2f61ff0a\"}"),
        ] {
            let name = JsonName(name.to_vec());
            let identity =
                Identity { v: 1, pid: 1, name: None, directory: name.clone(), age_ms: 0 };
            let ask = Ask::Explain { paths: vec![name] };
            let (who, what) =
                (serde_json::to_string(&identity).unwrap(), serde_json::to_string(&ask).unwrap());
            assert!(who.contains(&format!("\"directory\":{json},")), "{who}");
            assert!(what.contains(&format!("\"paths\":[{json}]")), "{what}");
            assert_eq!(serde_json::from_str::<Identity>(&who).unwrap(), identity);
            assert_eq!(serde_json::from_str::<Ask>(&what).unwrap(), ask);
        }
    }
}
