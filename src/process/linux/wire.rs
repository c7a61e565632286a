//! What the supervisor and its shim say to each other: frames of a length, a tag and fields. Byte strings
//! travel as they are; nothing is text.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::model::{Ended, LeftOver, RunId, SpawnStage, Stdin};
use crate::process::Launch;

/// From the supervisor to the shim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Start this run; `foreground`: it gets the terminal.
    Launch { launch: Launch, foreground: bool },
    /// Stop the tree of the run with this signal.
    Stop { run: RunId, signal: i32 },
    /// SIGKILL until it is gone.
    Kill { run: RunId },
    /// Only send a signal to its process group.
    Signal { run: RunId, signal: i32 },
    /// Names of daemons to leave alone.
    Keep(Vec<OsString>),
}

/// From the shim to the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The leader runs.
    Started { run: RunId, pid: u32 },
    /// It could not be started.
    Failed { run: RunId, stage: SpawnStage, errno: i32, path: PathBuf },
    /// The leader has ended and left these.
    Exited { run: RunId, ended: Ended, left: Vec<LeftOver> },
    /// Nothing of the run is left; these left-overs had to be stopped.
    Gone { run: RunId, stopped: Vec<LeftOver> },
    /// Stopped by SIGTTIN or SIGTTOU.
    Waits { run: RunId, process: LeftOver },
    /// The leader was stopped by SIGTSTP (Ctrl-Z in the foreground).
    Suspended { run: RunId },
}

impl Order {
    /// Appends the frame.
    pub(super) fn encode(&self, to: &mut Vec<u8>) {
        frame(to, |to| match self {
            Order::Launch { launch, foreground } => {
                to.push(1);
                number(to, launch.run.0);
                to.push(match launch.stdin {
                    Stdin::Null => 0,
                    Stdin::Open => 1,
                    Stdin::Terminal => 2,
                });
                to.push(u8::from(*foreground));
                bytes(to, launch.directory.as_os_str());
                number(to, launch.argv.len() as u64);
                launch.argv.iter().for_each(|word| bytes(to, word));
                number(to, launch.env.len() as u64);
                for (name, value) in &launch.env {
                    bytes(to, name);
                    bytes(to, value);
                }
            }
            Order::Stop { run, signal } => {
                to.push(2);
                number(to, run.0);
                number(to, *signal as u64);
            }
            Order::Kill { run } => {
                to.push(3);
                number(to, run.0);
            }
            Order::Signal { run, signal } => {
                to.push(4);
                number(to, run.0);
                number(to, *signal as u64);
            }
            Order::Keep(names) => {
                to.push(5);
                number(to, names.len() as u64);
                names.iter().for_each(|name| bytes(to, name));
            }
        });
    }

    /// Reads the body of a frame; `None` for nonsense.
    pub(super) fn decode(body: &[u8]) -> Option<Order> {
        let mut from = Reader(body);
        let order = match from.byte()? {
            1 => {
                let run = from.run()?;
                let stdin = match from.byte()? {
                    0 => Stdin::Null,
                    1 => Stdin::Open,
                    _ => Stdin::Terminal,
                };
                let foreground = from.byte()? != 0;
                let directory = PathBuf::from(from.string()?);
                let argv = from.list(Reader::string)?;
                let env = from.list(|from| Some((from.string()?, from.string()?)))?;
                Order::Launch { launch: Launch { run, argv, env, directory, stdin }, foreground }
            }
            2 => Order::Stop { run: from.run()?, signal: from.number()? as i32 },
            3 => Order::Kill { run: from.run()? },
            4 => Order::Signal { run: from.run()?, signal: from.number()? as i32 },
            5 => Order::Keep(from.list(Reader::string)?),
            _ => return None,
        };
        from.0.is_empty().then_some(order)
    }
}

impl Report {
    /// Appends the frame.
    pub(super) fn encode(&self, to: &mut Vec<u8>) {
        frame(to, |to| match self {
            Report::Started { run, pid } => {
                to.push(1);
                number(to, run.0);
                number(to, u64::from(*pid));
            }
            Report::Failed { run, stage, errno, path } => {
                to.push(2);
                number(to, run.0);
                to.push(match stage {
                    SpawnStage::WorkingDirectory => 0,
                    SpawnStage::Fork => 1,
                    SpawnStage::Exec => 2,
                    SpawnStage::Shim => 3,
                });
                number(to, *errno as u64);
                bytes(to, path.as_os_str());
            }
            Report::Exited { run, ended, left } => {
                to.push(3);
                number(to, run.0);
                let (kind, value) = match ended {
                    Ended::Exit(status) => (0, *status),
                    Ended::Signal(signal) => (1, *signal),
                };
                to.push(kind);
                number(to, value as u64);
                processes(to, left);
            }
            Report::Gone { run, stopped } => {
                to.push(4);
                number(to, run.0);
                processes(to, stopped);
            }
            Report::Waits { run, process } => {
                to.push(5);
                number(to, run.0);
                processes(to, std::slice::from_ref(process));
            }
            Report::Suspended { run } => {
                to.push(6);
                number(to, run.0);
            }
        });
    }

    /// Reads the body of a frame; `None` for nonsense.
    pub(super) fn decode(body: &[u8]) -> Option<Report> {
        let mut from = Reader(body);
        let report = match from.byte()? {
            1 => Report::Started { run: from.run()?, pid: from.number()? as u32 },
            2 => {
                let run = from.run()?;
                let stage = match from.byte()? {
                    0 => SpawnStage::WorkingDirectory,
                    1 => SpawnStage::Fork,
                    2 => SpawnStage::Exec,
                    _ => SpawnStage::Shim,
                };
                let errno = from.number()? as i32;
                Report::Failed { run, stage, errno, path: PathBuf::from(from.string()?) }
            }
            3 => {
                let run = from.run()?;
                let kind = from.byte()?;
                let value = from.number()? as i32;
                let ended = if kind == 0 { Ended::Exit(value) } else { Ended::Signal(value) };
                Report::Exited { run, ended, left: from.list(Reader::process)? }
            }
            4 => Report::Gone { run: from.run()?, stopped: from.list(Reader::process)? },
            5 => Report::Waits { run: from.run()?, process: from.list(Reader::process)?.pop()? },
            6 => Report::Suspended { run: from.run()? },
            _ => return None,
        };
        from.0.is_empty().then_some(report)
    }
}

/// Takes the complete frames off the front of what was read so far and hands their bodies over.
pub(super) fn frames(inbox: &mut Vec<u8>, mut body: impl FnMut(&[u8])) {
    let mut at = 0;
    while let Some(head) = inbox.get(at..at + 4) {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(frame) = inbox.get(at + 4..at + 4 + length) else { break };
        body(frame);
        at += 4 + length;
    }
    inbox.drain(..at);
    if inbox.is_empty() && inbox.capacity() > 64 * 1024 {
        *inbox = Vec::new();
    }
}

fn frame(to: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let at = to.len();
    to.extend_from_slice(&[0; 4]);
    body(to);
    let length = (to.len() - at - 4) as u32;
    to[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

fn number(to: &mut Vec<u8>, value: u64) {
    to.extend_from_slice(&value.to_le_bytes());
}

fn bytes(to: &mut Vec<u8>, text: &OsStr) {
    to.extend_from_slice(&(text.len() as u32).to_le_bytes());
    to.extend_from_slice(text.as_bytes());
}

fn processes(to: &mut Vec<u8>, list: &[LeftOver]) {
    number(to, list.len() as u64);
    for process in list {
        number(to, u64::from(process.pid));
        bytes(to, &process.name);
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|head| head[0])
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn run(&mut self) -> Option<RunId> {
        self.number().map(RunId)
    }

    fn string(&mut self) -> Option<OsString> {
        let length = u32::from_le_bytes(self.take(4)?.try_into().ok()?) as usize;
        Some(OsString::from_vec(self.take(length)?.to_vec()))
    }

    fn process(&mut self) -> Option<LeftOver> {
        Some(LeftOver { pid: self.number()? as u32, name: self.string()? })
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| item(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        Launch {
            run: RunId(7),
            argv: vec!["sh".into(), "-c".into(), OsString::from_vec(b"\xff\n".to_vec())],
            env: vec![("A".into(), "b=c".into()), ("EMPTY".into(), "".into())],
            directory: "/src/app".into(),
            stdin: Stdin::Open,
        }
    }

    fn process(pid: u32) -> LeftOver {
        LeftOver { pid, name: OsString::from_vec(b"wo\xffker".to_vec()) }
    }

    #[test]
    fn orders_come_back_as_they_were() {
        let orders = [
            Order::Launch { launch: launch(), foreground: true },
            Order::Stop { run: RunId(u64::MAX), signal: 15 },
            Order::Kill { run: RunId(1) },
            Order::Signal { run: RunId(2), signal: 10 },
            Order::Keep(vec!["sccache".into(), "gpg-agent".into()]),
        ];
        let mut bytes = Vec::new();
        orders.iter().for_each(|order| order.encode(&mut bytes));
        let mut back = Vec::new();
        frames(&mut bytes, |body| back.extend(Order::decode(body)));
        assert_eq!(back, orders);
        assert!(bytes.is_empty());
    }

    #[test]
    fn reports_come_back_as_they_were_however_they_are_cut() {
        let run = RunId(3);
        let failed = |stage| Report::Failed { run, stage, errno: 2, path: "./a b".into() };
        let reports = [
            Report::Started { run, pid: 4242 },
            failed(SpawnStage::WorkingDirectory),
            failed(SpawnStage::Fork),
            failed(SpawnStage::Exec),
            failed(SpawnStage::Shim),
            Report::Exited { run, ended: Ended::Exit(255), left: vec![process(1), process(2)] },
            Report::Exited { run, ended: Ended::Signal(9), left: vec![] },
            Report::Gone { run, stopped: vec![process(5)] },
            Report::Waits { run, process: process(6) },
            Report::Suspended { run },
        ];
        let mut bytes = Vec::new();
        reports.iter().for_each(|report| report.encode(&mut bytes));
        let (mut inbox, mut back) = (Vec::new(), Vec::new());
        for byte in bytes {
            inbox.push(byte);
            frames(&mut inbox, |body| back.extend(Report::decode(body)));
        }
        assert_eq!(back, reports);
        assert!(inbox.is_empty());
    }

    #[test]
    fn cut_or_padded_bodies_are_refused() {
        let mut bytes = Vec::new();
        Order::Launch { launch: launch(), foreground: false }.encode(&mut bytes);
        let body = &bytes[4..];
        for cut in 0..body.len() {
            assert_eq!(Order::decode(&body[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Order::decode(&[body, &[0]].concat()), None);
        assert_eq!(Order::decode(&[99]), None);
        assert_eq!(Report::decode(&[]), None);
    }
}
