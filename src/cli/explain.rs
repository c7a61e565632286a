//! `explain`.

use std::ffi::OsString;

use clap::Args;

use super::{Color, RunArgs};

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

impl RunArgs {
    /// Whether anything was said by which an instance with these flags could differ from another one.
    #[must_use]
    pub fn decides(&self) -> bool {
        let silent = Self {
            options: self.options.clone().without("name"),
            argv: Vec::new(),
            color: Color::default(),
            quiet: false,
            verbose: false,
            ..self.clone()
        };
        silent != Self::default()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Cli, Command};

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
