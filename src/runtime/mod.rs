//! The loop that joins the rooms, and the only clock.

mod changed;
mod git;
mod launch;
mod run;
mod timer;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::{self, Command, RunArgs};
use crate::config::{self, Config};
use crate::exit::ExitStatus;
use crate::process::{self, Host};
use crate::report;
use crate::supervisor::Exit;

/// The whole program.
pub fn main() -> ExitCode {
    // First of all: the shim is this same program, and has to start in a moment.
    if let Some(code) = process::shim_entry() {
        return code;
    }
    match cli::parse(std::env::args_os().collect()) {
        Ok(cli) => dispatch(cli.command),
        Err(refusal) if refusal.asked_for() => print(refusal.text(report::stdout_is_coloured())),
        Err(refusal) => {
            report::stderr(&refusal.text(false));
            refusal.status().into()
        }
    }
}

fn dispatch(command: Command) -> ExitCode {
    match command {
        Command::Run(args) => run(&args),
        Command::Init(args) => finish(config::init(&args)),
        Command::Check(args) => finish(working_directory().and_then(|at| config::check(&args, &at))),
        Command::Schema => print(config::schema()),
        Command::Man => print_with(cli::man),
        Command::Completions { shell } => print_with(|out| cli::completions(shell, out)),
    }
}
