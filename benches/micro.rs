//! The pure core by itself: what a verdict of the matcher costs with a thousand patterns, and what a change
//! costs settling when up to 100,000 are pending.
//!
//! A plain loop: each figure is the median over many short timings, so that one busy neighbour on the
//! machine does not move it.
#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use go_watcher::filter::{Entered, Scope};
use go_watcher::filter::{Filter, IgnoreText, Marks, Pattern, Spec};
use go_watcher::model::{Change, ChangeKind, EntryKind, Facts, Origin};
use go_watcher::settle::{Settings, Settle};

/// A verdict may take so long, nanoseconds, median.
const VERDICT_NS: f64 = 1_000.0;
/// How much more a change may cost among 100,000 pending ones than among 100.
const FLAT: f64 = 3.0;

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let verdicts = verdicts();
    let changes = changes();
    if verdicts && changes { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn pattern(text: String) -> Pattern {
    Pattern { text, origin: Origin::Flag("-i"), any_depth: true }
}

/// A thousand patterns of all kinds, as a large project and its ignore files have them.
fn filter(kinds: &[Kind]) -> Option<(Filter, Arc<Scope>)> {
    let each = 1_000 / kinds.len();
    let mut spec = Spec {
        working_directory: PathBuf::from("/w"),
        gitignore: true,
        default_ignores: true,
        ..Spec::default()
    };
    let mut ignore_file = String::new();
    for kind in kinds {
        for n in 0..each {
            match kind {
                Kind::Name => spec.excluded.push(pattern(format!("generated{n}"))),
                Kind::Suffix => spec.excluded.push(pattern(format!("*_gen{n}.go"))),
                Kind::Deep => spec.excluded.push(pattern(format!("src/**/out{n}/*.tmp"))),
                Kind::Regexp => spec.regexps.push(pattern(format!("^mock_{n}_.*\\.go$"))),
                Kind::IgnoreFile => ignore_file.push_str(&format!("/build{n}/*.o\n*.{n}.log\n")),
            }
        }
    }
    let filter = Filter::new(spec).ok()?;
    let root = Path::new("/w");
    let around = filter.root_scope(root, &[]);
    let ignore_files =
        vec![IgnoreText::in_directory("/w/.gitignore".into(), ignore_file.into_bytes())];
    let marks = Marks { ignore_files, project_file: true, cachedir_tag: false };
    let inside = match filter.enter(&around, root, &marks) {
        Entered::Scope(scope) => scope,
        Entered::Ignored(_) => return None,
    };
    Some((filter, inside))
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Name,
    Suffix,
    Deep,
    Regexp,
    IgnoreFile,
}

/// Names as projects have them; one in eight is ignored by some pattern.
fn paths() -> Vec<PathBuf> {
    let dirs = ["cmd", "internal/store", "web/app/components/buttons", "pkg/api/v1"];
    (0..4_000)
        .map(|n| {
            let name = match n % 8 {
                0 => format!("model_gen{}.go", n % 300),
                1 => format!("index.{n}.tsx"),
                2 => format!("README{n}.md"),
                _ => format!("handler_{n}_test.go"),
            };
            Path::new("/w/src").join(dirs[n % dirs.len()]).join(name)
        })
        .collect()
}

fn verdicts() -> bool {
    let mixed = [Kind::Name, Kind::Suffix, Kind::Deep, Kind::Regexp, Kind::IgnoreFile];
    println!("| a verdict, 1,000 patterns | median ns | p95 ns |\n| --- | ---: | ---: |");
    let mut met = true;
    let single = mixed.map(|kind| vec![kind]);
    for kinds in std::iter::once(mixed.to_vec()).chain(single) {
        let Some((filter, scope)) = filter(&kinds) else { return false };
        let mut each: Vec<f64> = paths()
            .iter()
            .map(|path| {
                timed(50, || black_box(filter.verdict(&scope, black_box(path), EntryKind::File)))
            })
            .collect();
        each.sort_by(f64::total_cmp);
        let (median, high) = (each[each.len() / 2], each[each.len() * 95 / 100]);
        println!("| {kinds:?} | {median:.0} | {high:.0} |");
        met &= median <= VERDICT_NS;
    }
    println!("\nlimit: {VERDICT_NS} ns median: {}\n", verdict(met));
    met
}

/// Nanoseconds of one call, over `times` calls.
fn timed<T>(times: u32, mut call: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..times {
        black_box(call());
    }
    start.elapsed().as_nanos() as f64 / f64::from(times)
}

fn changes() -> bool {
    println!("| pending | ns for one change (note, deadline, due) | ns for each path handed out |");
    println!("| ---: | ---: | ---: |");
    let mut costs = Vec::new();
    for pending in [1_usize, 100, 1_000, 10_000, 100_000] {
        let (note, take) = cost_of_change(pending);
        println!("| {pending} | {note:.0} | {take:.0} |");
        costs.push(note);
    }
    let flat = costs[costs.len() - 1] / costs[1].max(1.0);
    println!("\n100,000 over 100: {flat:.1} × (limit {FLAT} ×): {}", verdict(flat <= FLAT));
    flat <= FLAT
}

/// What one more change costs with `pending` others there, as the loop does it, and what handing out costs.
fn cost_of_change(pending: usize) -> (f64, f64) {
    let change = |n: usize, kind| Change {
        path: Arc::from(Path::new(&format!("/w/src/d{}/file{n}.go", n % 100))),
        kind,
        facts: Facts::default(),
    };
    let mut settle = Settle::new(Settings::default());
    let start = Instant::now();
    for n in 0..pending {
        settle.note(change(n, ChangeKind::Written), start);
        settle.note(change(n, ChangeKind::Closed), start);
    }
    let again: Vec<Change> =
        (0..pending.min(1_000)).map(|n| change(n * 97 % pending, ChangeKind::Closed)).collect();
    let mut times = Vec::new();
    for round in 0..20 {
        for part in again.chunks(10) {
            let part = part.to_vec();
            let count = part.len() as f64;
            let now = start + Duration::from_micros(round);
            let begin = Instant::now();
            for change in part {
                settle.note(change, now);
                black_box(settle.deadline());
                black_box(settle.due(now));
            }
            times.push(begin.elapsed().as_nanos() as f64 / count);
        }
    }
    times.sort_by(f64::total_cmp);
    let begin = Instant::now();
    let batch = settle.take_all(start + Duration::from_secs(1));
    let take = begin.elapsed().as_nanos() as f64 / pending as f64;
    black_box(batch);
    (times[times.len() / 2], take)
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "NOT MET" }
}
