//! What was typed: the clap definitions and nothing else. What it means is decided in [`crate::config`].

mod explain;
mod generate;
mod hints;
mod options;
mod remote;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use explain::ExplainArgs;
pub use generate::{completions, man};
pub(crate) use hints::config_is_no_file;
pub use hints::{Refusal, parse};
pub use options::Options;
pub use remote::{StatusArgs, Target, WaitArgs};

use crate::config::keys::{COMMAND, CONFIGURATION, OUTPUT};

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

/// What `init` was given.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "./config.yml")]
    pub output: PathBuf,
    /// Overwrite a file that exists
    #[arg(long)]
    pub force: bool,
    /// Write watcher.schema.json beside it too, by which editors complete and check the file
    #[arg(long)]
    pub schema: bool,
}

/// What `check` was given: everything that `run` takes.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The flags of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What `run` was given, unresolved.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct RunArgs {
    /// What belongs to a project, and has a key in the file.
    #[command(flatten)]
    pub options: Options,
    /// Split the command by shell-word rules and use no shell
    #[arg(short = 'n', long, help_heading = COMMAND)]
    pub no_shell: bool,
    /// Run once and exit with the command's status
    #[arg(long, help_heading = COMMAND)]
    pub once: bool,
    /// Accepted for other tools' users, without effect: restarting is the default
    #[arg(short = 'r', long = "restart", hide_short_help = true, help_heading = COMMAND)]
    pub restart: bool,
    /// An exact command and its arguments, without a shell
    #[arg(last = true, value_name = "ARGV")]
    pub argv: Vec<OsString>,
    /// The configuration file [default: watcher.yml, watcher.yaml or config.yml, if there]
    #[arg(short = 'c', long, value_name = "FILE", help_heading = CONFIGURATION)]
    pub config: Option<PathBuf>,
    /// Only warnings and errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub quiet: bool,
    /// Every directory and every skipped path with the deciding rule
    #[arg(short, long, help_heading = OUTPUT)]
    pub verbose: bool,
    /// Colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = OUTPUT)]
    pub color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
