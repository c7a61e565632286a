//! The subcommands that ask a running instance.

use std::path::PathBuf;

use clap::Args;

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
