//! The `go-watcher` command: see the library for everything it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    go_watcher::run()
}
