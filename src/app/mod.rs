//! The loop that joins the rooms, and the only clock.

mod alarm;
mod calls;
mod git;
mod live;
mod pace;
mod private;
mod session;
mod task;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use crate::cli::{self, Command, Target, WaitArgs};
use crate::config::{self, Config, Diagnostic, RunArgs};
use crate::control::Ask;
use crate::control::commands::{self, Printed};
use crate::explain;
use crate::model::{ExitStatus, Notice};
use crate::process::{self, Host, Shape};
use crate::report::{self, JsonName, Reporter};
use crate::supervisor::Exit;

/// The whole program.
pub fn main() -> ExitCode {
    // First of all: the shim is this same program, and has to start in a moment.
    if let Some(code) = process::shim_entry() {
        return code;
    }
    match cli::parse(std::env::args_os().collect()) {
        Ok(cli) => dispatch(cli.command),
        Err(refusal) if refusal.asked_for() => {
            print(&refusal.text(io::IsTerminal::is_terminal(&io::stdout())))
        }
        Err(refusal) => {
            report::stderr(&refusal.text(false));
            refusal.status().into()
        }
    }
}

fn dispatch(command: Command) -> ExitCode {
    match command {
        Command::Run(args) => run(&args),
        Command::Init(args) => in_directory(|at| config::init(&args, at).map(|line| print(&line))),
        Command::Check(args) => in_directory(|at| config::check(&args, at, &variable).map(checked)),
        Command::Explain(args) => in_directory(|at| {
            explain::explain(&args, at, &variable).map(|(what, notices)| {
                warn(&notices);
                said(what)
            })
        }),
        Command::Status(args) => in_directory(|at| Ok(said(commands::status(&args, at)))),
        Command::Wait(args) => in_directory(|at| wait(&args, at)),
        Command::Restart(target) => order(&Ask::Restart, &target),
        Command::Pause(target) => order(&Ask::Pause, &target),
        Command::Resume(target) => order(&Ask::Resume, &target),
        Command::Stop(target) => order(&Ask::Stop, &target),
        Command::Quit(target) => order(&Ask::Quit, &target),
        Command::Schema => print(&config::schema()),
        Command::Man => print_with(cli::man),
        Command::Completions { shell } => print_with(|out| cli::completions(shell, out)),
    }
}

fn run(args: &RunArgs) -> ExitCode {
    // The shim starts while the configuration is read; without it there is nothing to hurry for.
    let host = Host::start(Shape::of_this_system());
    in_directory(|at| {
        let config = config::load(args, at, &variable)?;
        config.required_command()?;
        Ok(host.map_or_else(refused, |host| supervise(config, args.clone(), host)))
    })
}

fn supervise(config: Config, args: RunArgs, host: Host) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let exit = runtime.and_then(|runtime| {
        runtime.block_on(async { Ok(session::Session::start(config, args, host)?.go().await) })
    });
    match exit {
        Ok(exit) => end(exit),
        Err(error) => refused(error),
    }
}

/// The last act, after every drop: a signal is raised again, so that a calling shell sees it.
fn end(exit: Exit) -> ExitCode {
    match exit {
        Exit::Quit => ExitStatus::Ok.into(),
        Exit::Signal(signal) => process::raise_again(signal),
        Exit::Command(ended) => ExitStatus::from(ended).into(),
        Exit::CannotStart(stage, errno) => ExitStatus::from((stage, errno)).into(),
    }
}

fn in_directory(act: impl FnOnce(&Path) -> Result<ExitCode, Diagnostic>) -> ExitCode {
    let at: PathBuf = match std::env::current_dir() {
        Ok(at) => at,
        Err(error) => {
            return refused(format!("the working directory: {error}; cd to one that exists"));
        }
    };
    act(&at).unwrap_or_else(|diagnostic| {
        report::stderr(&format!("{diagnostic}\n"));
        ExitStatus::Usage.into()
    })
}

fn checked(checked: config::Checked) -> ExitCode {
    warn(&checked.notices);
    print(&checked.text)
}

fn warn(notices: &[Notice]) {
    let mut reporter = Reporter::new(report::Settings::default());
    let now = now();
    notices.iter().for_each(|notice| reporter.say(notice, now));
}

#[expect(clippy::disallowed_methods, reason = "the only clock")]
fn now() -> Instant {
    Instant::now()
}

fn order(ask: &Ask, target: &Target) -> ExitCode {
    in_directory(|at| Ok(said(commands::order(ask, target, at))))
}

fn wait(args: &WaitArgs, at: &Path) -> Result<ExitCode, Diagnostic> {
    let limits = (
        config::flag_duration("--timeout", &args.timeout)?,
        args.settle.as_deref().map(|time| config::flag_duration("--settle", time)).transpose()?,
    );
    let paths: Vec<JsonName> = args.paths.iter().map(|path| explain::absolute(at, path)).collect();
    Ok(said(commands::wait(args, limits, &paths, at)))
}

fn said(said: Printed) -> ExitCode {
    report::stderr(&said.err);
    match print(&said.out) {
        code if code == ExitCode::SUCCESS => said.status.into(),
        failed => failed,
    }
}

fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

fn print(text: &str) -> ExitCode {
    print_with(|out| out.write_all(text.as_bytes()))
}

fn print_with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> ExitCode {
    let mut text = Vec::new();
    match write(&mut text).and_then(|()| report::stdout(&text)) {
        Ok(()) => ExitStatus::Ok.into(),
        Err(error) => refused(error),
    }
}

fn refused(error: impl Display) -> ExitCode {
    report::stderr(&format!("go-watcher: {error}\n"));
    ExitStatus::Failure.into()
}
