//! Save → new process. All tools are alive at once, each in a tree of its own, and saves go round them one
//! by one, so that whatever else the machine does meets all of them alike.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process;
use std::time::Duration;

use crate::context::Context;
use crate::report::{Report, Table, cells};
use crate::session::Session;
use crate::stamps::Stamps;
use crate::stats::Sample;
use crate::sys::Nanos;
use crate::tools::{Mode, Side, Tool};
use crate::tree::{Plan, Tree};
use crate::{limits, save};

/// What is saved, and what runs meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scenario {
    /// Truncate, write, close; the command has ended.
    InPlace,
    /// Rename over the file; the command has ended.
    Atomic,
    /// A file in directories that did not exist; the command has ended.
    Nested,
    /// In place; a running server has to be stopped first.
    Server,
}

impl Scenario {
    /// All of them, in the order of the tables.
    pub(crate) const ALL: [Self; 4] = [Self::InPlace, Self::Atomic, Self::Nested, Self::Server];

    /// As a heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::InPlace => "save → new process, command that ends",
            Self::Atomic => "the same, atomic save (rename over the file)",
            Self::Nested => "file in brand-new nested directories → new process",
            Self::Server => "save → new process, a running server stopped first",
        }
    }

    fn mode(self) -> Mode {
        if self == Self::Server { Mode::Serve } else { Mode::End }
    }

    fn cycles(self, quick: bool) -> usize {
        match (self, quick) {
            (_, false) => 20,
            (Self::InPlace, true) => 16,
            (Self::Server, true) => 12,
            (Self::Atomic, true) => 10,
            (Self::Nested, true) => 6,
        }
    }
}

/// The samples, by scenario and tool name.
pub(crate) type Latencies = BTreeMap<(Scenario, &'static str), Sample>;

/// Saves of one tool are at least this far apart.
const APART: Duration = Duration::from_millis(400);
/// A save without an answer within this time is a miss.
const PATIENCE: Duration = Duration::from_millis(2500);
/// After an answer, the machine is left alone for this long.
const REST: Duration = Duration::from_millis(30);

struct Lane<'a> {
    tool: &'a Tool,
    tree: Tree,
    stamps: Stamps,
    last: Cell<Nanos>,
    nested: Cell<usize>,
}

/// Measures all scenarios and tells about them.
pub(crate) fn measure(context: &Context, report: &mut Report) -> io::Result<Latencies> {
    let mut lanes = Vec::new();
    for (number, tool) in context.tools.iter().enumerate() {
        let root = context.directory.join(format!("lane{number}"));
        let tree = Tree::make(root, Plan { kept: 100, ignored: 400, files: 3 })?;
        let stamps = Stamps::listen(&context.directory.join(format!("lane{number}.sock")))?;
        lanes.push(Lane {
            tool,
            tree,
            stamps,
            last: Cell::new(Nanos::now()),
            nested: Cell::new(0),
        });
    }
    let mut all = Latencies::new();
    for _ in 0..context.options.rounds.unwrap_or(if context.options.quick { 1 } else { 3 }) {
        for mode in [Mode::End, Mode::Serve] {
            one_round(context, &lanes, mode, &mut all)?;
        }
    }
    for scenario in Scenario::ALL {
        let heading = ["tool", "median ms", "p95 ms", "saves", "misses", "extra runs"];
        let mut table = Table::new(scenario.title(), &heading);
        for tool in &context.tools {
            if let Some(sample) = all.get(&(scenario, tool.name)) {
                table.row(std::iter::once(tool.name.to_owned()).chain(cells(sample)).collect());
            }
        }
        report.table(table);
    }
    limits::latency(&all, context, report);
    Ok(all)
}

fn one_round(
    context: &Context,
    lanes: &[Lane<'_>],
    mode: Mode,
    all: &mut Latencies,
) -> io::Result<()> {
    let mut running = Vec::new();
    for lane in lanes {
        let root = &lane.tree.root;
        let session = Session::start(&context.programs, lane.tool, mode, root, &lane.stamps)?;
        if session.warm_up(&lane.tree.main(), Duration::from_secs(15))? {
            running.push((session, lane));
        } else {
            context.note(&format!("{}: does not react at all, left out", lane.tool.name));
            session.stop();
        }
    }
    for scenario in Scenario::ALL.into_iter().filter(|scenario| scenario.mode() == mode) {
        for _ in 0..scenario.cycles(context.options.quick) {
            for (_, lane) in &running {
                let sample = all.entry((scenario, lane.tool.name)).or_default();
                let hopeless = sample.len() == 0 && sample.misses >= 2;
                let pointless = scenario == Scenario::Nested && lane.tool.side == Side::Floor;
                if !hopeless && !pointless {
                    lane.attempt(scenario, sample)?;
                }
            }
        }
    }
    running.into_iter().for_each(|(session, _)| session.stop());
    Ok(())
}

impl Lane<'_> {
    /// One save and its answer.
    fn attempt(&self, scenario: Scenario, sample: &mut Sample) -> io::Result<()> {
        sample.extra += self.rest();
        if scenario == Scenario::Server && self.tool.side == Side::Ours {
            self.ask()?;
        }
        match scenario {
            Scenario::InPlace | Scenario::Server => {
                let saved = save::in_place(&self.tree.main())?;
                self.answer(saved, saved, sample);
            }
            Scenario::Atomic => {
                let saved = save::atomic(&self.tree.main())?;
                self.answer(saved, saved, sample);
            }
            Scenario::Nested => {
                self.nested.set(self.nested.get() + 1);
                let directory = self.tree.root.join(format!("new{}", self.nested.get()));
                let saved = save::nested(&directory)?;
                // A run that a mere `mkdir` started before the file was complete has not seen it.
                let complete = Nanos::now();
                if self.answer(saved, complete, sample) {
                    self.follow_up(&directory, sample)?;
                }
            }
        }
        Ok(())
    }

    /// Asks as a script does before it edits beside a server: what comes after the answer is no part of the start.
    fn ask(&self) -> io::Result<()> {
        let mut wait = process::Command::new(env!("CARGO_BIN_EXE_go-watcher"));
        wait.args(["wait", "--settle", "1ms"]).current_dir(&self.tree.root);
        wait.stdout(process::Stdio::null()).stderr(process::Stdio::null()).status().map(drop)
    }

    /// Whether the new directory goes on being watched: a second save there, not timed.
    fn follow_up(&self, directory: &Path, sample: &mut Sample) -> io::Result<()> {
        self.rest();
        let again = save::in_place(&directory.join("a/b/new.go"))?;
        if self.stamps.first_since(again, PATIENCE).is_none() {
            sample.misses += 1;
        }
        self.last.set(Nanos::now());
        Ok(())
    }

    fn answer(&self, saved: Nanos, complete: Nanos, sample: &mut Sample) -> bool {
        let stamp = self.stamps.first_since(complete, PATIENCE);
        match stamp {
            Some(stamp) => sample.push(stamp.at.ms_since(saved)),
            None => sample.misses += 1,
        }
        self.last.set(Nanos::now());
        sample.extra += self.stamps.during(REST).len();
        stamp.is_some()
    }

    /// Waits until the next save may come; returns how many runs came meanwhile for nothing.
    fn rest(&self) -> usize {
        let since = Duration::from_nanos((Nanos::now().0 - self.last.get().0).max(0) as u64);
        // Datagrams that are already there are taken in any case.
        self.stamps.during(APART.saturating_sub(since).max(Duration::from_micros(50))).len()
    }
}
