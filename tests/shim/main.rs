//! Runs as real process trees, through `Host`, without the rest of the program. This binary is also the
//! shim of its hosts: `main` does what the program's `main` does first. Every case runs twice, below a subreaper and
//! as a process group, unless it says that it needs the subreaper.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "prints its figures")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests touch the system")]

mod bench;
mod ends;
mod errors;
mod host_death;
mod mini;
mod pty;
mod set_up;
mod stop;
mod support;
mod terminal;

use std::process::ExitCode;
use std::time::Instant;

use support::Case;

fn main() -> ExitCode {
    // Not in the roles: there it is the point what they are given.
    let roles = ["gw-shim", mini::ROLE, support::VICTIM];
    if !std::env::args().take(2).any(|word| roles.contains(&word.as_str())) {
        default_signals();
    }
    if let Some(code) = go_watcher::process::shim_entry() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, rest @ ..] = arguments.as_slice()
        && role == support::VICTIM
    {
        return host_death::victim(rest);
    }
    if let [role, rest @ ..] = arguments.as_slice()
        && role == mini::ROLE
    {
        return mini::main(rest);
    }
    let wanted = arguments.iter().filter(|argument| !argument.starts_with('-')).collect::<Vec<_>>();
    let listing = arguments.iter().any(|argument| argument == "--list");
    let cases = [
        stop::CASES,
        set_up::CASES,
        errors::CASES,
        host_death::CASES,
        ends::CASES,
        terminal::CASES,
        bench::CASES,
    ]
    .concat();
    // First: once this process is a subreaper, it would inherit what those leave and not wait for it.
    let groups = listing || !support::reaps() || as_groups();
    let mut failed = Vec::new();
    for Case { name, needs_subreaper, run } in cases {
        if needs_subreaper && !support::reaps() {
            continue;
        }
        if !wanted.is_empty() && !wanted.iter().any(|text| name.contains(text.as_str())) {
            continue;
        }
        if listing {
            println!("{name}: test");
            continue;
        }
        let start = Instant::now();
        let result = std::panic::catch_unwind(|| support::runtime().block_on(run()));
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        let shape = if support::reaps() { "" } else { " as a group" };
        println!("test {name}{shape} ... {verdict} ({:.0?})", start.elapsed());
        if result.is_err() {
            failed.push(name);
        }
    }
    if failed.is_empty() && groups { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The same cases once more, in a process of their own. Whether they went well.
fn as_groups() -> bool {
    let again = std::process::Command::new(std::env::current_exe().unwrap())
        .args(std::env::args_os().skip(1))
        .env(support::SHAPE, "group")
        .status();
    again.unwrap().success()
}

/// In the background of a script INT and QUIT are given to us as ignored: what is tested begins as in a terminal.
fn default_signals() {
    for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
        #[expect(unsafe_code, reason = "no safe wrapper sets a default disposition")]
        // SAFETY: SIG_DFL installs no handler of ours.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}
