//! Side by side: the floor, this program and every peer on PATH, in one interleaved run.
//!
//! `cargo bench --bench bench -- --quick` is under two minutes; without `--quick` it takes longer and measures
//! the large trees too.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench is its own program: it prints, and it lives on files and processes"
)]
#![expect(clippy::cast_possible_truncation, reason = "milliseconds and counts, far from any limit")]

#[path = "bench/context.rs"]
mod context;
#[path = "bench/counter.rs"]
mod counter;
#[path = "bench/instructions.rs"]
mod instructions;
#[path = "bench/latency.rs"]
mod latency;
#[path = "bench/limits.rs"]
mod limits;
#[path = "bench/options.rs"]
mod options;
#[path = "bench/plot.rs"]
mod plot;
#[path = "bench/proc.rs"]
mod proc;
#[path = "bench/programs.rs"]
mod programs;
#[path = "bench/quiet.rs"]
mod quiet;
#[path = "bench/report.rs"]
mod report;
#[path = "bench/save.rs"]
mod save;
#[path = "bench/scale.rs"]
mod scale;
#[path = "bench/session.rs"]
mod session;
#[path = "bench/stamps.rs"]
mod stamps;
#[path = "bench/start.rs"]
mod start;
#[path = "bench/stats.rs"]
mod stats;
#[path = "bench/storm.rs"]
mod storm;
#[path = "bench/sys.rs"]
mod sys;
#[path = "bench/tools.rs"]
mod tools;
#[path = "bench/tree.rs"]
mod tree;

use std::env;
use std::io;
use std::process::ExitCode;

use crate::context::Context;
use crate::options::Options;
use crate::programs::Programs;
use crate::report::Report;
use crate::tools::Mode;

fn main() -> ExitCode {
    // `cargo test --all-targets` runs benches too, without this argument: there is nothing to test here.
    if !env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    if env::args().any(|argument| argument == "--count-events") {
        return match counter::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    match Options::parse(env::args().skip(1)).map(run) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
        Err(usage) => {
            eprintln!("bench: {usage}");
            ExitCode::from(2)
        }
    }
}

fn run(options: Options) -> io::Result<ExitCode> {
    let begun = std::time::Instant::now();
    let place = tempfile::Builder::new()
        .prefix("go-watcher-bench-")
        .tempdir_in(options.dir.clone().unwrap_or_else(env::temp_dir))?;
    let directory = place.path().canonicalize()?;
    let programs = Programs::compile(&directory)?;
    let tools = Context::present(&options);
    let context = Context { options, directory, programs, tools };
    let preface = preface(&context);
    println!("{preface}");
    let mut report = Report::default();
    measure(&context, &mut report)?;
    println!("{}", report.verdict());
    println!("took {:.0} s", begun.elapsed().as_secs_f64());
    if let Some(path) = &context.options.markdown {
        std::fs::write(path, report.markdown(&preface))?;
    }
    let unmet = report.unmet();
    println!("{unmet} limits not met");
    Ok(if unmet == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(context: &Context, report: &mut Report) -> io::Result<()> {
    if let Some(committed) = &context.options.instructions {
        return instructions::measure(context, committed.as_deref(), report);
    }
    let wants = |part| context.options.wants(part);
    if wants("latency") {
        let latencies = latency::measure(context, report)?;
        if let Some(path) = &context.options.svg {
            std::fs::write(path, plot::draw(&latencies, &context.tools))?;
        }
    }
    if wants("start") || wants("memory") {
        start::measure(context, report)?;
    }
    if wants("idle") {
        quiet::idle(context, report)?;
    }
    if wants("storm") {
        storm::measure(context, report)?;
    }
    if wants("ignored") {
        quiet::ignored(context, report)?;
    }
    if wants("scale") {
        scale::measure(context, report)?;
    }
    Ok(())
}

/// The exact command lines.
fn preface(context: &Context) -> String {
    let mut text = String::from("Command lines (in the root of the tree):\n\n```\n");
    for tool in &context.tools {
        let [end, serve] = [Mode::End, Mode::Serve].map(|mode| tool.shown(mode));
        text.push_str(&format!("{:18} {end}\n", tool.name));
        if serve.replace(" serve", " end") != end {
            text.push_str(&format!("{:18} {serve}\n", "  (a server)"));
        }
    }
    text.push_str("```\n");
    text
}
