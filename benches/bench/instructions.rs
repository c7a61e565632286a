//! A reload's own instructions, under callgrind: a figure that a busy machine does not move. It is the
//! difference between a session with many reloads and one with few, so starting up does not count, and
//! neither does the command.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::context::Context;
use crate::programs;
use crate::report::{Limit, Report};
use crate::save;
use crate::session::Session;
use crate::stamps::Stamps;
use crate::tools::{Command, Mode, Side};
use crate::tree::{Plan, Tree};

const FEW: usize = 5;
const MANY: usize = 105;
/// Far enough apart that each save is a burst of its own.
const APART: Duration = Duration::from_millis(300);
/// How far the figure may be from the committed one.
const TOLERANCE: f64 = 0.10;

/// Counts, and compares with the figure in `committed` if there is one.
pub(crate) fn measure(
    context: &Context,
    committed: Option<&Path>,
    report: &mut Report,
) -> io::Result<()> {
    let plan = Plan { kept: 100, ignored: 400, files: 3 };
    let tree = Tree::make(context.directory.join("counted"), plan)?;
    let stamps = Stamps::listen(&context.directory.join("counted.sock"))?;
    let preloaded = programs::self_exe(&context.directory)?;
    let few = session(context, &preloaded, &tree, &stamps, FEW)?;
    let many = session(context, &preloaded, &tree, &stamps, MANY)?;
    let each = many.saturating_sub(few) as f64 / (MANY - FEW) as f64;
    println!("instructions of one reload (our process and the shim): {each:.0}");
    let Some(path) = committed else { return Ok(()) };
    let text = fs::read_to_string(path)?;
    let figure = text.lines().find_map(|line| line.trim().parse::<f64>().ok());
    report.limit(Limit {
        what: "instructions of one reload".into(),
        limit: figure.map_or("no figure".into(), |figure| format!("{figure:.0} ± 10 %")),
        measured: format!("{each:.0}"),
        met: figure.map(|figure| (each / figure - 1.0).abs() <= TOLERANCE),
    });
    Ok(())
}

/// The instructions of a session with so many reloads, all its processes together.
fn session(
    context: &Context,
    preloaded: &Path,
    tree: &Tree,
    stamps: &Stamps,
    saves: usize,
) -> io::Result<u64> {
    let Some(tool) = context.ours() else { return Err(io::ErrorKind::NotFound.into()) };
    let counts = context.directory.join(format!("counts{saves}"));
    fs::create_dir_all(&counts)?;
    let (stamp, floor, socket) =
        (&*context.programs.stamp, &*context.programs.floor, stamps.path());
    let argv = tool.argv(&Command { stamp, floor, socket, mode: Mode::End });
    // A command's environment is copied for each run: here it is the same on every machine.
    let valgrind = [
        "env".to_owned(),
        "-i".into(),
        "PATH=/usr/local/bin:/usr/bin:/bin".into(),
        format!("LD_PRELOAD={}", preloaded.display()),
        format!("SELF_EXE={}", argv[0]),
        "valgrind".into(),
        "--tool=callgrind".into(),
        "--trace-children=yes".into(),
        "--trace-children-skip=*/stamp".into(),
        format!("--callgrind-out-file={}/%p", counts.display()),
    ];
    let argv: Vec<String> = valgrind.into_iter().chain(argv).collect();
    let session = Session::spawn(&argv, Side::Ours, &tree.root, stamps, Stdio::null())?;
    if !session.warm_up(&tree.main(), Duration::from_secs(60))? {
        session.stop();
        return Err(io::Error::other("no reload under callgrind"));
    }
    for _ in 0..saves {
        sleep(APART);
        let saved = save::in_place(&tree.main())?;
        if stamps.first_since(saved, Duration::from_secs(5)).is_none() {
            session.stop();
            return Err(io::Error::other("a save without a reload under callgrind"));
        }
    }
    sleep(APART);
    session.stop();
    fs::read_dir(&counts)?.map(|entry| instructions(&entry?.path())).sum()
}

/// The `totals:` of one of callgrind's files.
fn instructions(file: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"));
    Ok(line.and_then(|count| count.trim().parse().ok()).unwrap_or(0))
}
