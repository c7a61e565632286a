//! Many files at once: a storm, a slow formatter, a save-all, each under a running server.

use std::env::current_exe;
use std::io::{self, BufRead as _, BufReader, pipe};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use crate::context::Context;
use crate::options::{PEER_ROUNDS, ROUNDS};
use crate::proc;
use crate::report::{Limit, Report, Table, cell, number};
use crate::save;
use crate::session::Session;
use crate::stamps::{Stamp, Stamps};
use crate::stats::Sample;
use crate::sys::Nanos;
use crate::tools::{Mode, Side, Tool};
use crate::tree::{Plan, Tree};

/// So many files, so far apart.
struct Burst {
    name: &'static str,
    files: usize,
    gap: Duration,
    restarts: usize,
    /// Last write → new process, milliseconds.
    after: Option<f64>,
    /// Whether CPU is compared with a program that only counts events.
    cpu: bool,
}

const BURSTS: [Burst; 3] = [
    Burst {
        name: "storm of 2,000 files",
        files: 2_000,
        gap: Duration::ZERO,
        restarts: 2,
        after: Some(60.0),
        cpu: true,
    },
    Burst {
        name: "slow formatter, 100 files 20 ms apart",
        files: 100,
        gap: Duration::from_millis(20),
        restarts: 3,
        after: None,
        cpu: false,
    },
    Burst {
        name: "save-all, 10 files 3 ms apart",
        files: 10,
        gap: Duration::from_millis(3),
        restarts: 2,
        after: None,
        cpu: false,
    },
];

/// How much more CPU than counting may be used.
const CPU_FACTOR: f64 = 1.5;
/// When nothing has started for so long, nothing more will.
const QUIET: Duration = Duration::from_millis(1500);

#[derive(Default)]
struct Row {
    restarts: Sample,
    after: Sample,
    cpu: Sample,
}

/// Measures the bursts.
pub(crate) fn measure(context: &Context, report: &mut Report) -> io::Result<()> {
    let tree =
        Tree::make(context.directory.join("storm"), Plan { kept: 200, ignored: 100, files: 10 })?;
    let stamps = Stamps::listen(&context.directory.join("storm.sock"))?;
    let tools: Vec<&Tool> = context.watchers(!context.options.quick).collect();
    let quick = context.options.quick;
    for burst in &BURSTS {
        let rounds = context.options.rounds_of(if burst.cpu { ROUNDS } else { PEER_ROUNDS });
        let mut counting = Sample::default();
        let mut rows: Vec<Row> = tools.iter().map(|_| Row::default()).collect();
        for round in 0..rounds {
            if burst.cpu {
                counting.push(count(burst, &tree, &stamps)?);
            }
            for (tool, row) in tools.iter().zip(&mut rows) {
                // In a hurry, peers are measured once, and only where CPU counts.
                let most = if !quick { PEER_ROUNDS } else { usize::from(burst.cpu) };
                if tool.side == Side::Ours || round < most {
                    one(context, tool, burst, &tree, &stamps, row)?;
                }
            }
        }
        tell(burst, &tools, &rows, &counting, report);
    }
    Ok(())
}

fn one(
    context: &Context,
    tool: &Tool,
    burst: &Burst,
    tree: &Tree,
    stamps: &Stamps,
    row: &mut Row,
) -> io::Result<()> {
    let session = Session::start(&context.programs, tool, Mode::Serve, &tree.root, stamps)?;
    if session.warm_up(&tree.main(), Duration::from_secs(15))? {
        sleep(Duration::from_millis(400));
        let family = session.family();
        let before = proc::cpu(&family);
        let last = write(burst, tree)?;
        let seen = until_quiet(stamps);
        row.cpu.push((proc::cpu(&family) - before) as f64 / 1e6);
        row.restarts.push(seen.len() as f64);
        match seen.last() {
            Some(stamp) if stamp.at >= last => row.after.push(stamp.at.ms_since(last)),
            _ => row.after.misses += 1,
        }
    }
    session.stop();
    Ok(())
}

/// Every start until nothing has started for a while.
fn until_quiet(stamps: &Stamps) -> Vec<Stamp> {
    std::iter::from_fn(|| stamps.next(QUIET)).collect()
}

/// Rewrites the files in place; returns when the last was complete.
fn write(burst: &Burst, tree: &Tree) -> io::Result<Nanos> {
    let files: Vec<PathBuf> = tree.files().take(burst.files).collect();
    let start = Nanos::now();
    for (number, file) in files.iter().enumerate() {
        let due = start.0 + burst.gap.as_nanos() as i64 * number as i64;
        sleep(Duration::from_nanos((due - Nanos::now().0).max(0) as u64));
        save::in_place(file)?;
    }
    Ok(Nanos::now())
}

/// CPU of a program that only counts notify's events of the same burst, in milliseconds.
fn count(burst: &Burst, tree: &Tree, stamps: &Stamps) -> io::Result<f64> {
    let (reader, writer) = pipe()?;
    let counter = current_exe()?.to_string_lossy().into_owned();
    let argv = [counter, "--bench".into(), "--count-events".into()];
    let session = Session::spawn(&argv, Side::Peer, &tree.root, stamps, writer.into())?;
    let mut ready = String::new();
    BufReader::new(reader).read_line(&mut ready)?;
    sleep(Duration::from_millis(400));
    let family = [session.pid()];
    let before = proc::cpu(&family);
    write(burst, tree)?;
    sleep(Duration::from_millis(300));
    let cpu = (proc::cpu(&family) - before) as f64 / 1e6;
    session.stop();
    Ok(cpu)
}

fn tell(burst: &Burst, tools: &[&Tool], rows: &[Row], counting: &Sample, report: &mut Report) {
    let heading = ["tool", "restarts (median)", "most", "last write → new process ms", "CPU ms"];
    let mut table = Table::new(format!("{} under a running server", burst.name), &heading);
    if let Some(cpu) = counting.median() {
        let name = "(counting notify's events)".to_owned();
        table.row(vec![name, "–".into(), "–".into(), "–".into(), number(cpu)]);
    }
    for (tool, row) in tools.iter().zip(rows) {
        let lost = if row.after.misses > 0 { " (some lost)" } else { "" };
        let after = format!("{}{lost}", cell(row.after.median()));
        let restarts = [row.restarts.median(), row.restarts.max()].map(cell);
        let cpu = cell(row.cpu.median());
        let name = tool.name.to_owned();
        table.row([name].into_iter().chain(restarts).chain([after, cpu]).collect());
        if tool.side == Side::Ours {
            limits(burst, row, counting, report);
        }
    }
    report.table(table);
}

fn limits(burst: &Burst, row: &Row, counting: &Sample, report: &mut Report) {
    let what = |text| format!("{}: {text}", burst.name);
    let most = burst.restarts as f64;
    report.at_most(&what("restarts, at most"), row.restarts.max(), most, "");
    report.limit(Limit {
        what: what("a run that started after the last write"),
        limit: "always".into(),
        measured: format!("{} of {}", row.after.len(), row.after.len() + row.after.misses),
        met: Some(row.after.misses == 0 && row.after.len() > 0),
    });
    if let Some(limit) = burst.after {
        report.at_most(&what("last write → new process"), row.after.median(), limit, "ms");
    }
    if let Some(floor) = counting.median().filter(|_| burst.cpu) {
        report.at_most(&what("CPU"), row.cpu.median(), floor * CPU_FACTOR, "ms");
    }
}
