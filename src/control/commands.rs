//! The subcommands that ask a running instance: what they print and how they end.

use std::path::Path;
use std::time::Duration;

use super::client::{self, Instance};
use super::{Ask, Ending, Outcome, Places, Reply, Status, WaitAnswer};
use crate::cli::{StatusArgs, Target, WaitArgs};
use crate::model::ExitStatus;
use crate::report::{self, JsonName, escape_text, shown};

/// The time in which an instance has to take an order. The loop takes it at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// The output of a subcommand, and its exit status.
#[derive(Debug)]
pub struct Printed {
    /// Text for standard output.
    pub out: String,
    /// Text for standard error.
    pub err: String,
    /// The exit status.
    pub status: ExitStatus,
}

impl Printed {
    fn out(text: String, status: ExitStatus) -> Self {
        Self { out: text, err: String::new(), status }
    }

    fn err(text: &str, status: ExitStatus) -> Self {
        Self { out: String::new(), err: format!("{text}\n"), status }
    }
}

/// The subcommand `status`: every instance that covers `directory`, or the one that is named.
#[must_use]
pub fn status(args: &StatusArgs, directory: &Path) -> Printed {
    let instances = client::covering(directory);
    let meant: Vec<(usize, &Instance)> = match &args.target.name {
        None => instances.iter().enumerate().collect(),
        Some(name) => match pick(&instances, Some(name)) {
            Some(meant) => vec![meant],
            None => Vec::new(),
        },
    };
    let mut out = String::new();
    for (index, instance) in meant {
        match instance.ask(&Ask::Status, Some(PATIENCE)) {
            Ok(Reply::Status(status)) if args.json => out += &line(&status),
            Ok(Reply::Status(status)) => out += &describe(index, &status, directory),
            _ => {}
        }
    }
    if out.is_empty() {
        nobody(args.json, &args.target, directory)
    } else {
        Printed::out(out, ExitStatus::Ok)
    }
}

/// The subcommands `restart`, `pause`, `resume`, `stop` and `quit`.
#[must_use]
pub fn order(ask: &Ask, target: &Target, directory: &Path) -> Printed {
    let instances = client::covering(directory);
    let Some((index, instance)) = pick(&instances, target.name.as_deref()) else {
        return nobody(false, target, directory);
    };
    let others = others(&instances, index, target);
    match instance.ask(ask, Some(PATIENCE)) {
        Ok(Reply::Done) => Printed { out: String::new(), err: others, status: ExitStatus::Ok },
        Ok(Reply::Refused { why }) => Printed::err(&why, ExitStatus::Failure),
        Ok(_) => {
            Printed::err("the instance is of another version; restart it", ExitStatus::Failure)
        }
        Err(error) => {
            Printed::err(&format!("the instance does not answer: {error}"), ExitStatus::Failure)
        }
    }
}

/// The subcommand `wait`: until the run caused by everything written so far has ended or is ready. `paths` are absolute.
#[must_use]
pub fn wait(
    args: &WaitArgs,
    limits: (Duration, Option<Duration>),
    paths: &[JsonName],
    directory: &Path,
) -> Printed {
    let (timeout, settle) = limits;
    let instances = client::covering(directory);
    let Some((index, instance)) = pick(&instances, args.target.name.as_deref()) else {
        return nobody(args.json, &args.target, directory);
    };
    if let Some(said) = unwatched(instance, paths, directory) {
        return said;
    }
    let settle_ms = settle.map(|settle| u64::try_from(settle.as_millis()).unwrap_or(u64::MAX));
    let answer = match instance.ask(&Ask::Wait { settle_ms }, Some(timeout)) {
        Ok(Reply::Waited(answer)) => answer,
        Ok(Reply::Refused { why }) => return Printed::err(&why, ExitStatus::Failure),
        Ok(_) => {
            return Printed::err(
                "the instance is of another version; restart it",
                ExitStatus::Failure,
            );
        }
        Err(error) if is_timeout(&error) => WaitAnswer::bare(Outcome::Timeout),
        Err(_) => WaitAnswer::bare(Outcome::NoInstance),
    };
    let text = if args.json { line(&answer) } else { told(&answer, timeout) };
    let err = others(&instances, index, &args.target);
    Printed { err, ..Printed::out(text, status_of(&answer)) }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

/// The refusal to wait for a path that is not watched: it can never cause a run.
fn unwatched(instance: &Instance, paths: &[JsonName], directory: &Path) -> Option<Printed> {
    if paths.is_empty() {
        return None;
    }
    let ask = Ask::Explain { paths: paths.to_vec() };
    let Ok(Reply::Explained { verdicts }) = instance.ask(&ask, Some(PATIENCE)) else { return None };
    let (path, verdict) = paths.iter().zip(verdicts).find(|(_, verdict)| !verdict.watched)?;
    let places = Places { asked_in: directory, written_for: instance.directory() };
    let why = verdict.words(path.path(), places);
    Some(Printed::err(&format!("{}: {why}", shown(path.path(), directory)), ExitStatus::Failure))
}

pub(crate) fn pick<'a>(
    instances: &'a [Instance],
    name: Option<&str>,
) -> Option<(usize, &'a Instance)> {
    let mut numbered = instances.iter().enumerate();
    match name {
        None => numbered.next(),
        Some(name) => numbered.find(|(index, instance)| {
            instance.identity.name.as_deref() == Some(name) || (index + 1).to_string() == name
        }),
    }
}

pub(crate) fn others(instances: &[Instance], index: usize, target: &Target) -> String {
    if instances.len() < 2 || target.name.is_some() {
        return String::new();
    }
    let names: Vec<String> = instances
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != index)
        .map(|(other, instance)| label(other, instance.identity.name.as_deref()))
        .collect();
    format!("instance {} answers; others here: {} (--name)\n", index + 1, names.join(", "))
}

pub(crate) fn label(index: usize, name: Option<&str>) -> String {
    name.map_or_else(|| (index + 1).to_string(), escape_text)
}

pub(crate) fn nobody(json: bool, target: &Target, directory: &Path) -> Printed {
    let status = ExitStatus::NoInstance;
    if json {
        return Printed::out(line(&WaitAnswer::bare(Outcome::NoInstance)), status);
    }
    let directory = shown(directory, Path::new(""));
    let text = match &target.name {
        Some(name) => format!(
            "no instance {} covers {directory}; go-watcher status lists them",
            escape_text(name)
        ),
        None => {
            format!("no instance covers {directory}; start one there with: go-watcher run -e \"…\"")
        }
    };
    Printed::err(&text, status)
}

fn line(value: &impl serde::Serialize) -> String {
    report::json_line(value)
}

/// The two lines of `status`.
fn describe(index: usize, status: &Status, directory: &Path) -> String {
    let identity = &status.identity;
    let place = identity.directory.path();
    let place = if place == directory {
        String::new()
    } else {
        format!(" in {}", shown(place, Path::new("")))
    };
    let run = status.run.map(|run| format!(", run {run}")).unwrap_or_default();
    let pid = status.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    let cause =
        status.cause.as_deref().map(|cause| format!(", caused by {cause}")).unwrap_or_default();
    let paused = if status.paused && status.state != "paused" { ", paused" } else { "" };
    let waiting = match status.waiting {
        0 => String::new(),
        waiting => format!("; {} waiting", report::counted(waiting, "change")),
    };
    let outputs = match status.outputs {
        0 => String::new(),
        taken => {
            let taken = report::counted(usize::try_from(taken).unwrap_or(usize::MAX), "change");
            format!("; {taken} made by the command itself")
        }
    };
    let mut text = format!(
        "{} (pid {}){place}: {} for {}{run}{pid}{cause}{paused}{waiting}{outputs}\n",
        label(index, identity.name.as_deref()),
        identity.pid,
        status.state,
        report::duration(Duration::from_millis(status.since_ms)),
    );
    let last = status.last.as_ref().map_or_else(|| "no run has ended".to_owned(), ended);
    let median = status
        .median_reload_us
        .map(|us| format!(", median {}", report::duration(Duration::from_micros(us))));
    text += &format!(
        "   {}: {last}; {}{}\n",
        escape_text(&status.command),
        report::counted(usize::try_from(status.reloads).unwrap_or(usize::MAX), "reload"),
        median.unwrap_or_default(),
    );
    text
}

fn ended(ending: &Ending) -> String {
    let how = match (ending.exit, ending.signal) {
        (_, Some(signal)) => format!("signal {signal}"),
        (exit, None) => format!("exit {}", exit.unwrap_or(0)),
    };
    format!(
        "run {}: {how} in {}",
        ending.run,
        report::duration(Duration::from_millis(ending.duration_ms))
    )
}

/// The line of `wait`.
fn told(answer: &WaitAnswer, timeout: Duration) -> String {
    let run = answer.run.map(|run| format!("run {run}")).unwrap_or_default();
    let how = match (answer.exit, answer.signal) {
        (_, Some(signal)) => format!("signal {signal}"),
        (exit, None) => format!("exit {}", exit.unwrap_or(0)),
    };
    let took = report::duration(Duration::from_millis(answer.duration_ms.unwrap_or(0)));
    let cause =
        answer.cause.as_deref().map(|cause| format!(", caused by {cause}")).unwrap_or_default();
    let ago =
        answer.ago_ms.map(|ago| format!(", {} ago", report::duration(Duration::from_millis(ago))));
    match answer.outcome {
        Outcome::Finished => format!("{run}: {how} in {took}{cause}\n"),
        Outcome::Ready => format!("{run}: up for {took}{cause}\n"),
        Outcome::Unchanged if answer.run.is_none() => {
            "no run since: nothing that is watched changed\n".to_owned()
        }
        Outcome::Unchanged => format!(
            "no run since: nothing that is watched changed; {run}: {how}{}\n",
            ago.unwrap_or_default()
        ),
        Outcome::Ignored => {
            format!(
                "ignored: {run} was running when it changed (on_busy: ignore); it has not seen the change\n"
            )
        }
        Outcome::Held => "held: paused, and a change waits; go-watcher resume\n".to_owned(),
        Outcome::Timeout => format!("no answer within {} (--timeout)\n", report::duration(timeout)),
        Outcome::NoInstance => "the instance ended\n".to_owned(),
    }
}

fn status_of(answer: &WaitAnswer) -> ExitStatus {
    match (answer.outcome, answer.signal, answer.exit) {
        (Outcome::Timeout, ..) => ExitStatus::Timeout,
        (Outcome::NoInstance, ..) => ExitStatus::NoInstance,
        (Outcome::Ready, ..) => ExitStatus::Ok,
        (Outcome::Ignored | Outcome::Held, ..) => ExitStatus::Failure,
        (_, Some(signal), _) => ExitStatus::Signal(signal),
        (_, None, Some(exit)) => ExitStatus::Command(u8::try_from(exit).unwrap_or(1)),
        (_, None, None) => ExitStatus::Ok,
    }
}
