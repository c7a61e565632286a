//! What must cost nothing: being idle, reads, and writes in ignored directories.

use std::fs;
use std::io;
use std::thread::sleep;
use std::time::Duration;

use crate::context::Context;
use crate::proc;
use crate::report::{Limit, Report, Table, number};
use crate::save;
use crate::session::Session;
use crate::stamps::Stamps;
use crate::tools::{Mode, Side, Tool};
use crate::tree::{Plan, Tree};

/// CPU below this is shown as 0 ms.
const NOTHING_MS: f64 = 0.5;
/// Context switches of ten idle seconds.
const SWITCHES: u64 = 2;
const IGNORED_WRITES: usize = 20_000;

/// All tools idle together for ten seconds, each in its own tree, each with a server running.
pub(crate) fn idle(context: &Context, report: &mut Report) -> io::Result<()> {
    let tools: Vec<&Tool> = context.watchers(false).collect();
    let mut places = Vec::new();
    for number in 0..tools.len() {
        let root = context.directory.join(format!("idle{number}"));
        let tree = Tree::make(root, Plan { kept: 100, ignored: 400, files: 3 })?;
        let stamps = Stamps::listen(&context.directory.join(format!("idle{number}.sock")))?;
        places.push((tree, stamps));
    }
    let mut sessions = Vec::new();
    for (tool, (tree, stamps)) in tools.iter().zip(&places) {
        let session = Session::start(&context.programs, tool, Mode::Serve, &tree.root, stamps)?;
        session.warm_up(&tree.main(), Duration::from_secs(15))?;
        sessions.push(session);
    }
    sleep(Duration::from_secs(2));
    let look = |session: &Session<'_>| {
        let family = session.family();
        (proc::cpu(&family), proc::switches(&family))
    };
    let before: Vec<_> = sessions.iter().map(look).collect();
    sleep(Duration::from_secs(10));
    let after: Vec<_> = sessions.iter().map(look).collect();
    let mut table = Table::new("Idle for 10 s", &["tool", "CPU ms", "context switches"]);
    for ((tool, before), after) in tools.iter().zip(before).zip(after) {
        let cpu = (after.0 - before.0) as f64 / 1e6;
        let switches = proc::switches_since(&before.1, &after.1);
        table.row(vec![tool.name.into(), number(cpu), switches.to_string()]);
        if tool.side == Side::Ours {
            report.limit(Limit {
                what: "idle for 10 s: CPU, context switches (shims included)".into(),
                limit: format!("0 ms, ≤ {SWITCHES}"),
                measured: format!("{} ms, {switches}", number(cpu)),
                met: Some(cpu < NOTHING_MS && switches <= SWITCHES),
            });
        }
    }
    sessions.into_iter().for_each(Session::stop);
    report.table(table);
    Ok(())
}

/// Every file read once, then writes where everything is ignored.
pub(crate) fn ignored(context: &Context, report: &mut Report) -> io::Result<()> {
    let plan = Plan { kept: 2_000, ignored: 2_000, files: 3 };
    let tree = Tree::make(context.directory.join("ignored"), plan)?;
    let stamps = Stamps::listen(&context.directory.join("ignored.sock"))?;
    let heading = ["tool", "reads: CPU ms", "runs", "ignored writes: CPU ms", "runs"];
    let mut table =
        Table::new("Every file read once; 20,000 writes in ignored directories", &heading);
    for tool in context.watchers(false) {
        let session = Session::start(&context.programs, tool, Mode::End, &tree.root, &stamps)?;
        session.warm_up(&tree.main(), Duration::from_secs(15))?;
        sleep(Duration::from_millis(500));
        let mut cells = vec![tool.name.to_owned()];
        for (what, work) in [
            ("every file read once", read_all as fn(&Tree) -> io::Result<()>),
            ("20,000 ignored writes", write_ignored),
        ] {
            let family = session.family();
            let before = proc::cpu(&family);
            work(&tree)?;
            let runs = stamps.during(Duration::from_millis(1200)).len();
            let cpu = (proc::cpu(&family) - before) as f64 / 1e6;
            cells.extend([number(cpu), runs.to_string()]);
            if tool.side == Side::Ours {
                report.limit(Limit {
                    what: format!("{what}: CPU, runs"),
                    limit: "0 ms, 0".into(),
                    measured: format!("{} ms, {runs}", number(cpu)),
                    met: Some(cpu < NOTHING_MS && runs == 0),
                });
            }
        }
        table.row(cells);
        session.stop();
    }
    report.table(table);
    Ok(())
}

fn read_all(tree: &Tree) -> io::Result<()> {
    for file in tree.files() {
        fs::read(file)?;
    }
    for dir in tree.ignored.iter().chain(&tree.kept) {
        for entry in fs::read_dir(dir)? {
            entry?;
        }
    }
    Ok(())
}

fn write_ignored(tree: &Tree) -> io::Result<()> {
    for number in 0..IGNORED_WRITES {
        let dir = &tree.ignored[number % tree.ignored.len()];
        fs::write(dir.join(format!("out{}.js", number % 7)), save::content())?;
    }
    Ok(())
}
