//! What a host and its shim say to each other: frames of a length and a message, as `postcard` writes it.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::encoding::{text, variables};
use super::launch::Launch;
use crate::model::{Ended, LeftOver, RunId, SpawnStage};

/// A box larger than this is given back once it is empty.
const KEPT: usize = 64 * 1024;

/// From the host to the shim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    /// Names of daemons to leave alone, from now on.
    Keep(Vec<OsString>),
    /// What every run finds in its environment, from now on.
    Environment(#[serde(with = "variables")] Vec<(OsString, OsString)>),
    /// Start this run; `foreground`: it gets the terminal.
    Launch { launch: Launch, foreground: bool },
    /// Stop the tree of the run with this signal.
    Stop { run: RunId, signal: i32 },
    /// SIGKILL until it is gone.
    Kill { run: RunId },
    /// Only send a signal to its process group.
    Signal { run: RunId, signal: i32 },
    /// Name what still lives of it.
    Survey { run: RunId },
}

/// From the shim to the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Report {
    /// The leader runs.
    Started { run: RunId, pid: u32 },
    /// The leader could not be started.
    Failed {
        run: RunId,
        #[serde(with = "StageOnWire")]
        stage: SpawnStage,
        errno: i32,
        #[serde(with = "text")]
        path: PathBuf,
    },
    /// The leader has ended and left these.
    Exited {
        run: RunId,
        #[serde(with = "EndedOnWire")]
        ended: Ended,
        left: Vec<Named>,
    },
    /// Nothing of the run is left; these left-overs had to be stopped.
    Gone { run: RunId, stopped: Vec<Named> },
    /// What still lives of the run, its leader first.
    Remaining { run: RunId, processes: Vec<Named> },
    /// Stopped by SIGTTIN or SIGTTOU.
    Waits { run: RunId, process: Named },
    /// The leader was stopped by SIGTSTP (Ctrl-Z in the foreground).
    Suspended { run: RunId },
}

/// A process and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) pid: u32,
    #[serde(with = "text")]
    pub(super) name: OsString,
}

impl From<Named> for LeftOver {
    fn from(named: Named) -> Self {
        LeftOver { pid: named.pid, name: named.name }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Ended")]
enum EndedOnWire {
    Exit(i32),
    Signal(i32),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SpawnStage")]
enum StageOnWire {
    WorkingDirectory,
    Fork,
    Exec,
    Shim,
}

/// Appends a message as a frame.
pub(super) fn put(message: &impl Serialize, outbox: &mut Vec<u8>) {
    let at = outbox.len();
    outbox.extend_from_slice(&[0; 4]);
    // Only a type without a known length fails, and no message has one.
    if let Ok(whole) = postcard::to_extend(message, std::mem::take(outbox)) {
        *outbox = whole;
        let length = (outbox.len() - at - 4) as u32;
        outbox[at..at + 4].copy_from_slice(&length.to_le_bytes());
    }
}

/// Takes the complete frames off the front of what was read so far. Nonsense is left out.
pub(super) fn take<T: DeserializeOwned>(inbox: &mut Vec<u8>) -> Vec<T> {
    let mut messages = Vec::new();
    let mut at = 0;
    while let Some(&head) = inbox.get(at..).and_then(<[u8]>::first_chunk) {
        let length = u32::from_le_bytes(head) as usize;
        let Some(body) = inbox.get(at + 4..at + 4 + length) else { break };
        if let Ok((message, [])) = postcard::take_from_bytes(body) {
            messages.push(message);
        }
        at += 4 + length;
    }
    inbox.drain(..at);
    if inbox.is_empty() && inbox.capacity() > KEPT {
        *inbox = Vec::new();
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stdin;
    use crate::sys::bytes::os_string;

    fn launch() -> Launch {
        Launch {
            run: RunId(7),
            argv: vec!["sh".into(), "-c".into(), os_string(b"\xff\n".to_vec())],
            env: vec![("A".into(), "b=c".into()), ("EMPTY".into(), "".into())],
            directory: os_string(b"/src/\xfe".to_vec()).into(),
            stdin: Stdin::Open,
        }
    }

    fn process(pid: u32) -> Named {
        Named { pid, name: os_string(b"wo\xffker".to_vec()) }
    }

    #[test]
    fn orders_come_back_as_they_were() {
        let orders = [
            Order::Environment(launch().env),
            Order::Launch { launch: launch(), foreground: true },
            Order::Stop { run: RunId(u64::MAX), signal: 15 },
            Order::Kill { run: RunId(1) },
            Order::Signal { run: RunId(2), signal: 10 },
            Order::Survey { run: RunId(3) },
            Order::Keep(vec!["sccache".into(), "gpg-agent".into()]),
        ];
        let mut bytes = Vec::new();
        orders.iter().for_each(|order| put(order, &mut bytes));
        assert_eq!(take::<Order>(&mut bytes), orders);
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
            Report::Remaining { run, processes: vec![process(1)] },
            Report::Waits { run, process: process(6) },
            Report::Suspended { run },
        ];
        let mut bytes = Vec::new();
        reports.iter().for_each(|report| put(report, &mut bytes));
        let (mut inbox, mut back) = (Vec::new(), Vec::new());
        for byte in bytes {
            inbox.push(byte);
            back.extend(take::<Report>(&mut inbox));
        }
        assert_eq!(back, reports);
        assert!(inbox.is_empty());
    }

    #[test]
    fn cut_or_padded_bodies_are_refused() {
        let mut bytes = Vec::new();
        put(&Order::Launch { launch: launch(), foreground: false }, &mut bytes);
        let body = &bytes[4..];
        let taken = |body: &[u8]| {
            let mut frame = [&(body.len() as u32).to_le_bytes(), body].concat();
            take::<Order>(&mut frame).len()
        };
        assert_eq!(taken(body), 1);
        for cut in 0..body.len() {
            assert_eq!(taken(&body[..cut]), 0, "cut at {cut}");
        }
        assert_eq!(taken(&[body, &[0]].concat()), 0);
        assert_eq!(taken(&[99]), 0);
    }
}
