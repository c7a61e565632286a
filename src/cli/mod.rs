//! What was typed: the clap definitions and nothing else. What it means is decided in [`crate::config`].

mod explain;
mod generate;
mod hints;
mod remote;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use explain::ExplainArgs;
pub use generate::{completions, man};
pub(crate) use hints::config_is_no_file;
pub use hints::{Refusal, parse};
pub use remote::{StatusArgs, Target, WaitArgs};

use crate::config::words;

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
    /// Write a commented configuration file with every key at its default
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

/// What `run` was given, unresolved: `None` and empty mean "not said".
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct RunArgs {
    /// Run this through `sh -c`, on start and after each complete save
    #[arg(short = 'e', long, value_name = "CMD", help_heading = "Command")]
    pub command: Option<OsString>,
    /// Split the command by shell-word rules and use no shell
    #[arg(short = 'n', long, help_heading = "Command")]
    pub no_shell: bool,
    /// Set an environment variable for the command (repeatable)
    #[arg(short = 'E', long, value_name = "NAME=VALUE", help_heading = "Command")]
    pub env: Vec<OsString>,
    /// The command's standard input: null, open (a pipe that never ends) or terminal; alone: terminal
    #[arg(long, value_name = "FROM", num_args = 0..=1, require_equals = true,
          default_missing_value = "terminal", help_heading = "Command", value_parser = PossibleValuesParser::new(words::STDIN), hide_possible_values = true)]
    pub stdin: Option<String>,
    /// Run once and exit with the command's status
    #[arg(long, help_heading = "Command")]
    pub once: bool,
    /// No first run: wait for a change
    #[arg(short = 'p', long, help_heading = "Command")]
    pub postpone: bool,
    /// Accepted for other tools' users, without effect: restarting is the default
    #[arg(short = 'r', long = "restart", hide_short_help = true, help_heading = "Command")]
    pub restart: bool,
    /// An exact command and its arguments, without a shell
    #[arg(last = true, value_name = "ARGV")]
    pub argv: Vec<OsString>,

    /// The configuration file [default: watcher.yml, watcher.yaml or config.yml, if there]
    #[arg(short = 'c', long, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// A name for this instance, for `status` and `wait`
    #[arg(long, value_name = "NAME", help_heading = "Configuration")]
    pub name: Option<String>,

    /// Watch this directory or file instead of the working directory (repeatable)
    #[arg(short = 'w', long, value_name = "PATH", help_heading = "What is watched")]
    pub watch: Vec<PathBuf>,
    /// Ignore what matches; !PATTERN takes back from .gitignore and built-in rules (repeatable)
    #[arg(short = 'i', long, value_name = "PATTERN", help_heading = "What is watched")]
    pub ignore: Vec<String>,
    /// Only files of these types: go,html
    #[arg(long, value_name = "LIST", help_heading = "What is watched")]
    pub ext: Vec<String>,
    /// Do not read .gitignore and .ignore files
    #[arg(long, help_heading = "What is watched")]
    pub no_gitignore: bool,
    /// Switch the built-in ignores off (node_modules, dot directories, editors' files and the like)
    #[arg(long, help_heading = "What is watched")]
    pub no_default_ignore: bool,
    /// Where events come from: auto, native, portable or poll
    #[arg(long, value_name = "BACKEND", help_heading = "What is watched", value_parser = PossibleValuesParser::new(words::BACKENDS), hide_possible_values = true)]
    pub backend: Option<String>,
    /// Polling: auto, never, always or its interval; alone: always
    #[arg(long, value_name = "INTERVAL", num_args = 0..=1, require_equals = true,
          default_missing_value = "always", help_heading = "What is watched")]
    pub poll: Option<String>,

    /// A fixed quiet time before a run instead of the automatic one: auto, 50ms, 2s
    #[arg(
        short = 'd',
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "When"
    )]
    pub debounce: Option<String>,
    /// The least time between two reloads
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "When")]
    pub duration: Option<String>,
    /// A change while the command runs: restart, queue, ignore or signal
    #[arg(long, value_name = "WHAT", help_heading = "When", value_parser = PossibleValuesParser::new(words::ON_BUSY), hide_possible_values = true)]
    pub on_busy: Option<String>,
    /// The command fails by itself: wait, exit or restart
    #[arg(long, value_name = "WHAT", help_heading = "When", value_parser = PossibleValuesParser::new(words::ON_CRASH), hide_possible_values = true)]
    pub on_crash: Option<String>,
    /// What asks the command to stop [default: SIGTERM]
    #[arg(long, value_name = "SIGNAL", help_heading = "When")]
    pub stop_signal: Option<String>,
    /// How long it may take to stop before SIGKILL [default: 5s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "When")]
    pub stop_timeout: Option<String>,

    /// Clear the screen before each run
    #[arg(long, help_heading = "Output")]
    pub clear: bool,
    /// Only warnings and errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Every directory and every skipped path with the deciding rule
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
    /// Colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Color,
    /// The program's own lines: text or json
    #[arg(long, value_name = "FORMAT", help_heading = "Output", value_parser = PossibleValuesParser::new(words::LOG_FORMATS), hide_possible_values = true)]
    pub log_format: Option<String>,
    /// Do not listen to keys
    #[arg(long, help_heading = "Output")]
    pub no_keys: bool,
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
