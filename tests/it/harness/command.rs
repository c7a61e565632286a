//! The stamp as a command: compiled once per build of the tests, told what to do by a builder.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::runs::checksum;

/// What the command of a run does. It always writes down when it began and what it was told.
#[derive(Clone, Default)]
pub(crate) struct Stamp(Vec<String>);

impl Stamp {
    /// Writes its line and ends with 0.
    pub(crate) fn quick() -> Self {
        Self::default()
    }

    /// Ends by itself after so many milliseconds.
    pub(crate) fn takes(milliseconds: u64) -> Self {
        Self::default().with(["--takes", &milliseconds.to_string()])
    }

    /// Stays until a signal ends it.
    pub(crate) fn server() -> Self {
        Self::default().with(["--serves"])
    }

    /// Notes size and checksum of a file as it finds it when it begins.
    pub(crate) fn sees(self, file: &str) -> Self {
        self.with(["--sum", file])
    }

    /// Notes a variable of its environment.
    pub(crate) fn notes_env(self, name: &str) -> Self {
        self.with(["--env", name])
    }

    /// Notes what its standard input is.
    pub(crate) fn notes_stdin(self) -> Self {
        self.with(["--stdin"])
    }

    /// Handles TERM and INT: works for so many milliseconds, writes `end`, ends.
    pub(crate) fn graceful(self, milliseconds: u64) -> Self {
        self.with(["--graceful", &milliseconds.to_string()])
    }

    /// Ignores SIGTERM.
    pub(crate) fn ignores_term(self) -> Self {
        self.with(["--ignores-term"])
    }

    /// Ends with this status.
    pub(crate) fn exits(self, status: i32) -> Self {
        self.with(["--exit", &status.to_string()])
    }

    /// Listens on a port itself.
    pub(crate) fn listens(self, port: u16) -> Self {
        self.with(["--listens", &port.to_string()])
    }

    /// Forks a worker in a session of its own that listens on a port.
    pub(crate) fn worker(self, port: u16) -> Self {
        self.with(["--worker", &port.to_string()])
    }

    /// The worker forks once more and its parent ends.
    pub(crate) fn double_fork(self) -> Self {
        self.with(["--double-fork"])
    }

    /// The worker ignores SIGTERM.
    pub(crate) fn worker_ignores_term(self) -> Self {
        self.with(["--worker-ignores-term"])
    }

    /// Leaves so many double-forked children behind that end by themselves after 50 ms.
    pub(crate) fn orphans(self, count: usize) -> Self {
        self.with(["--orphans", &count.to_string()])
    }

    /// Writes a file after its line.
    pub(crate) fn writes(self, file: &str, text: &str) -> Self {
        self.with(["--writes", file, text])
    }

    fn with<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.extend(words.into_iter().map(String::from));
        self
    }

    /// The exact argv.
    pub(crate) fn argv(&self, log: &Path) -> Vec<OsString> {
        let mut argv = vec![program().into(), log.into()];
        argv.extend(self.0.iter().map(OsString::from));
        argv
    }

    /// The same for `sh -c`.
    pub(crate) fn shell(&self, log: &Path) -> String {
        let words: Vec<String> =
            self.argv(log).into_iter().map(|word| word.into_string().expect("UTF-8")).collect();
        shell_words::join(words)
    }
}

/// The compiled stamp. It is built beside the test binary, under a name that holds its source's
/// checksum, so that an edit builds it anew and parallel test processes never see half of it.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/harness/stamp.rs");
        let sum = checksum(&fs::read(&source).expect("the stamp's source"));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = directory.join(format!("stamp-{sum:016x}"));
        if !program.is_file() {
            build(&source, &program);
        }
        program
    })
}

fn build(source: &Path, program: &Path) {
    fs::create_dir_all(program.parent().expect("a directory")).expect("the target directory");
    let half = program.with_extension(format!("{}", std::process::id()));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc)
        .args(["--edition", "2024", "-O", "-C", "panic=abort", "-C", "strip=symbols", "-o"])
        .args([half.as_os_str(), source.as_os_str()])
        .output()
        .expect("rustc, which built these tests, starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    fs::rename(&half, program).expect("the stamp gets its name");
}
