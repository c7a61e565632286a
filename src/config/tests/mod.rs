//! The room as a whole: a real file in a real directory, flags beside it.
#![expect(clippy::disallowed_methods, reason = "tests make files")]

mod broken;
mod documents;
mod resolved;

use std::ffi::OsString;
use std::path::Path;

use super::{Config, Diagnostic, RunArgs, load};
use crate::cli::{self, Command};
use crate::model::Notice;

/// A directory with files in it, and a line to load them with.
pub(super) struct Project {
    pub(super) directory: tempfile::TempDir,
}

impl Project {
    pub(super) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    pub(super) fn with(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let project = Self::new();
        project.write(name, bytes);
        project
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), bytes).expect(name);
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Loads as `go-watcher run LINE` would.
    pub(super) fn load(&self, line: &str) -> Result<Config, Diagnostic> {
        self.load_with(line, &|_| None)
    }

    pub(super) fn load_with(
        &self,
        line: &str,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Config, Diagnostic> {
        load(&args(line), self.path(), env)
    }

    pub(super) fn good(&self, line: &str) -> Config {
        self.load(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    pub(super) fn bad(&self, line: &str) -> String {
        match self.load(line) {
            Ok(config) => panic!("{line} was accepted: {:?}", config.values),
            Err(error) => error.to_string(),
        }
    }
}

/// Makes a FIFO. (The system call has no safe wrapper on macOS.)
pub(super) fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success());
}

/// The arguments of `run`, as typed.
pub(super) fn args(line: &str) -> RunArgs {
    let mut words = vec![OsString::from("go-watcher"), "run".into()];
    words.extend(shell_words::split(line).expect(line).into_iter().map(OsString::from));
    match cli::parse(words).map(|cli| cli.command) {
        Ok(Command::Run(args)) => args,
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => panic!("{}", refusal.text(false)),
    }
}

/// The texts of a configuration's notices.
pub(super) fn notices(config: &Config) -> Vec<String> {
    let text = |notice: &Notice| match notice {
        Notice::Configuration { text, .. } => text.clone(),
        other => format!("{other:?}"),
    };
    config.notices.iter().map(text).collect()
}
