//! The command line: subcommands, hints, completions and the manual page. The options of a project, and what
//! they mean, are in [`crate::config`].

mod generate;
mod hints;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

pub use generate::{completions, man};
pub use hints::{Refusal, parse};

use crate::config::{CheckArgs, InitArgs, RunArgs};

/// The whole command line.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "go-watcher",
    bin_name = "go-watcher",
    version,
    about = "Watches a source tree and restarts your command when a save is complete",
    disable_version_flag = true,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    infer_subcommands = false,
    after_help = "Most used:  go-watcher run -e \"go run .\"     go-watcher init     go-watcher run --help"
)]
pub struct Cli {
    /// Print the version
    #[arg(short = 'v', short_alias = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Write a commented configuration file with every key
    Init(InitArgs),
    /// Watch, and restart the command when a save is complete
    Run(RunArgs),
    /// Load the configuration and print what it means, or what is wrong with it
    Check(CheckArgs),
    /// Tell for each path whether it is watched and by which rule; without a path, what is watched
    #[command(mut_arg("argv", |argv| argv.value_name("PATH").help("Paths that begin with a dash")))]
    Explain(ExplainArgs),
    /// Tell what the running instances of this directory do
    Status(StatusArgs),
    /// Return when the run caused by everything written so far has ended, with its status
    Wait(WaitArgs),
    /// Have the running instance run its command again now
    Restart(Target),
    /// Have changes start nothing
    Pause(Target),
    /// Have changes start runs again
    Resume(Target),
    /// Have the command stopped; watching goes on
    Stop(Target),
    /// Have the command stopped and the instance end
    Quit(Target),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
    /// Print the JSON Schema of the configuration file
    Schema,
}

/// What `explain` was given: paths, and everything that `run` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct ExplainArgs {
    /// The paths; - reads them from standard input, one a line
    #[arg(value_name = "PATH")]
    pub paths: Vec<OsString>,
    /// Show what is watched: a tree on a terminal, else one path a line
    #[arg(long)]
    pub tree: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Paths on standard input end with a NUL byte
    #[arg(short = '0')]
    pub null: bool,
    /// The flags of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

impl ExplainArgs {
    /// The paths: also what follows `--`, which has no other use here.
    #[must_use]
    pub fn typed(&self) -> Vec<OsString> {
        self.paths.iter().chain(&self.run.argv).cloned().collect()
    }
}

/// Which instance is meant.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    /// The instance's name, or its number as `status` shows it
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// What `status` was given.
#[derive(Clone, Debug, Default, Args)]
pub struct StatusArgs {
    /// Which instance.
    #[command(flatten)]
    pub target: Target,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// What `wait` was given.
#[derive(Clone, Debug, Args)]
pub struct WaitArgs {
    /// Which instance.
    #[command(flatten)]
    pub target: Target,
    /// Give up after this time, with status 124
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub timeout: String,
    /// A command that stays up this long is ready [default: 500ms; for a command that has once ended with success, its
    /// end]
    #[arg(long, value_name = "TIME")]
    pub settle: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
    /// Fail at once when one of these is not watched
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_the_flags_of_run() {
        let table: &[(&[&str], &[&str], bool)] = &[
            (&[], &[], false),
            (&["a", "b/"], &["a", "b/"], false),
            (&["-0", "-"], &["-"], false),
            (&["--json", "--name", "web", "a"], &["a"], false),
            (&["-i", "x", "a", "--ext", "go"], &["a"], true),
            (&["-c", "my.yml", "a"], &["a"], true),
            (&["a", "--", "-b", "--json"], &["a", "-b", "--json"], false),
        ];
        for (args, paths, decides) in table {
            let all = ["go-watcher", "explain"].iter().chain(*args);
            let Command::Explain(parsed) = Cli::try_parse_from(all).unwrap().command else {
                panic!("{args:?}")
            };
            assert_eq!(parsed.typed(), *paths, "{args:?}");
            assert_eq!(parsed.run.decides(), *decides, "{args:?}");
        }
    }
}
