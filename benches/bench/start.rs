//! Start → first run, start → first change noticed, and the memory that it takes, on large trees.

use std::fs::remove_dir_all;
use std::io::{self, BufRead as _, BufReader, PipeReader, pipe};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::context::Context;
use crate::options::{PEER_ROUNDS, ROUNDS};
use crate::proc;
use crate::report::{Report, Table, cell};
use crate::save;
use crate::session::Session;
use crate::stamps::Stamps;
use crate::stats::Sample;
use crate::sys::Nanos;
use crate::tools::{Mode, Side, Tool};
use crate::tree::{Plan, Tree};

/// A tree and its limits.
struct Case {
    name: &'static str,
    plan: Plan,
    /// Start → ready, milliseconds.
    ready: Option<f64>,
    /// Peak memory in MB (10⁶ bytes).
    memory: Option<f64>,
    /// Measured by `--quick` too.
    quick: bool,
    /// Whether peers are measured on it.
    peers: bool,
}

const CASES: [Case; 4] = [
    Case {
        name: "20,000 directories, 80 % ignored",
        plan: Plan { kept: 4_000, ignored: 16_000, files: 3 },
        ready: Some(60.0),
        memory: Some(8.0),
        quick: true,
        peers: true,
    },
    Case {
        name: "20,000 directories, none ignored, 3 files each",
        plan: Plan { kept: 20_000, ignored: 0, files: 3 },
        ready: Some(300.0),
        memory: Some(25.0),
        quick: true,
        peers: false,
    },
    Case {
        name: "100,000 directories",
        plan: Plan { kept: 100_000, ignored: 0, files: 1 },
        ready: Some(1500.0),
        memory: None,
        quick: false,
        peers: false,
    },
    Case {
        name: "200,000 files in 2,000 directories",
        plan: Plan { kept: 2_000, ignored: 0, files: 100 },
        ready: None,
        memory: None,
        quick: false,
        peers: false,
    },
];

/// Start → first run, milliseconds, on any tree.
const FIRST_RUN: f64 = 8.0;
/// The longest that a tool is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Row {
    first: Sample,
    ready: Sample,
    memory: Sample,
}

/// Measures every case that was asked for.
pub(crate) fn measure(context: &Context, report: &mut Report) -> io::Result<()> {
    let quick = context.options.quick;
    for case in CASES.iter().filter(|case| case.quick || !quick) {
        let root = context.directory.join("start");
        let tree = Tree::make(root.clone(), case.plan)?;
        let rounds = context.options.rounds_of(ROUNDS);
        let tools: Vec<&Tool> = context
            .watchers(false)
            .filter(|tool| {
                tool.side == Side::Ours || (case.peers && context.options.wants("start"))
            })
            .collect();
        let mut rows: Vec<Row> = tools.iter().map(|_| Row::default()).collect();
        let mut floor = Sample::default();
        let stamps = Stamps::listen(&context.directory.join("start.sock"))?;
        for round in 0..rounds {
            if context.options.wants("start") {
                floor.push(walked(context, &tree)?);
            }
            for (tool, row) in tools.iter().zip(&mut rows) {
                // A tool that needs seconds does not get more exact by being measured again.
                let slow = row.ready.median().is_none_or(|ms| ms > 1000.0);
                let enough = match tool.side {
                    Side::Ours => false,
                    _ => (quick && round > 0) || (round > 1 && slow) || round >= PEER_ROUNDS,
                };
                if context.options.wants("start") && !enough {
                    times(context, tool, &tree, &stamps, row)?;
                }
            }
        }
        for (tool, row) in tools.iter().zip(&mut rows) {
            let spared = quick && tool.side != Side::Ours;
            if context.options.wants("memory") && case.memory.is_some() && !spared {
                row.memory.push(peak_memory(context, tool, &tree, &stamps)?);
            }
        }
        tell(case, &floor, &tools, &rows, report);
        remove_dir_all(&root)?;
    }
    Ok(())
}

fn tell(case: &Case, floor: &Sample, tools: &[&Tool], rows: &[Row], report: &mut Report) {
    let heading = ["tool", "start → first run ms", "start → first change noticed ms", "peak MB"];
    let mut table = Table::new(format!("Start: {}", case.name), &heading);
    let floor = cell(floor.median());
    table.row(vec![
        "(floor: the system calls alone)".into(),
        "–".into(),
        floor.clone(),
        "–".into(),
    ]);
    for (tool, row) in tools.iter().zip(rows) {
        let values = [row.first.median(), row.ready.median(), row.memory.max()].map(cell);
        table.row(std::iter::once(tool.name.to_owned()).chain(values).collect());
        if tool.side == Side::Ours {
            let what = |text: &str| format!("{}: {text}", case.name);
            report.at_most(&what("start → first run"), row.first.median(), FIRST_RUN, "ms");
            if let Some(limit) = case.ready {
                let ready = format!("start → ready for changes (the floor's {floor})");
                report.at_most(&what(&ready), row.ready.median(), limit, "ms");
            }
            if let Some(limit) = case.memory {
                report.at_most(&what("peak memory"), row.memory.max(), limit, "MB");
            }
        }
    }
    report.table(table);
}

fn times(
    context: &Context,
    tool: &Tool,
    tree: &Tree,
    stamps: &Stamps,
    row: &mut Row,
) -> io::Result<()> {
    let (errors, said) = listen()?;
    let root = &tree.root;
    let session = Session::start_with(&context.programs, tool, Mode::End, root, stamps, errors)?;
    match stamps.first_since(session.started, PATIENCE) {
        Some(stamp) => {
            row.first.push(stamp.at.ms_since(session.started));
            match noticed(tree, stamps)? {
                Some(at) => {
                    // Ours says by itself when the walk is done; it is the later of the two that counts.
                    let ready = tool.side == Side::Ours;
                    let wait = Duration::from_secs(if ready { 5 } else { 0 });
                    let said = said.recv_timeout(wait).unwrap_or(at).max(at);
                    row.ready.push(said.ms_since(session.started));
                }
                None => row.ready.misses += 1,
            }
        }
        None => row.first.misses += 1,
    }
    session.stop();
    stamps.during(Duration::from_millis(50));
    Ok(())
}

/// How long the system calls alone take that a walk needs, in milliseconds.
fn walked(context: &Context, tree: &Tree) -> io::Result<f64> {
    let (errors, said) = listen()?;
    let started = Nanos::now();
    let mut floor = Command::new(&context.programs.walk);
    let status = floor.current_dir(&tree.root).stderr(errors).status()?;
    // It holds the other end of the pipe.
    drop(floor);
    match said.recv_timeout(PATIENCE) {
        Ok(at) if status.success() => Ok(at.ms_since(started)),
        _ => Err(io::Error::other(format!("the walk's floor: {status}"))),
    }
}

/// Saves a file at the far end of the tree, again and again with varying gaps, until a run answers.
fn noticed(tree: &Tree, stamps: &Stamps) -> io::Result<Option<Nanos>> {
    let file = tree.last_file();
    let give_up = Nanos(Nanos::now().0 + PATIENCE.as_nanos() as i64);
    for gap in [150, 250, 400].into_iter().cycle() {
        if Nanos::now() > give_up {
            break;
        }
        let saved = save::in_place(&file)?;
        if let Some(stamp) = stamps.first_since(saved, Duration::from_millis(gap)) {
            return Ok(Some(stamp.at));
        }
    }
    Ok(None)
}

/// A pipe for a tool's standard error, read to its end; tells when the line about watching came.
fn listen() -> io::Result<(Stdio, Receiver<Nanos>)> {
    let (reader, writer): (PipeReader, _) = pipe()?;
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
            if line.windows(10).any(|part| part == b" watching ") {
                let _ = sender.send(Nanos::now());
            }
        }
    });
    Ok((writer.into(), receiver))
}

/// The largest proportional set size from the start until a second after the first change was noticed, in
/// MB, the tool's own helper processes included.
fn peak_memory(context: &Context, tool: &Tool, tree: &Tree, stamps: &Stamps) -> io::Result<f64> {
    let session = Session::start(&context.programs, tool, Mode::Serve, &tree.root, stamps)?;
    let mut peak = 0;
    let mut end = None;
    let mut next_save = session.started;
    let mut first = false;
    while end.is_none_or(|end| Nanos::now() < end) {
        peak = peak.max(proc::pss(&session.family()));
        let now = Nanos::now();
        if let Some(stamp) = stamps.next(Duration::from_millis(4)) {
            if first && end.is_none() {
                end = Some(Nanos(stamp.at.0 + 1_000_000_000));
            }
            first = true;
        } else if now.ms_since(session.started) > PATIENCE.as_secs_f64() * 1e3 {
            break;
        } else if first && end.is_none() && now >= next_save {
            save::in_place(&tree.last_file())?;
            next_save = Nanos(now.0 + 300_000_000);
        }
    }
    session.stop();
    Ok(peak as f64 / 1e6)
}
