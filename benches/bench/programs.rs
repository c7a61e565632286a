//! What is written in C, compiled when the bench starts.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the compiled programs are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// The command under test.
    pub(crate) stamp: PathBuf,
    /// What the operating system alone needs.
    pub(crate) floor: PathBuf,
    /// What it alone needs to have a tree watched.
    pub(crate) walk: PathBuf,
}

impl Programs {
    /// Compiles them into `directory`.
    pub(crate) fn compile(directory: &Path) -> io::Result<Self> {
        let compile = |name| compile(directory, name, &["-pthread"]);
        Ok(Self { stamp: compile("stamp")?, floor: compile("floor")?, walk: compile("walk")? })
    }
}

/// What lets our program start itself under valgrind, to be preloaded.
pub(crate) fn self_exe(directory: &Path) -> io::Result<PathBuf> {
    compile(directory, "self_exe", &["-shared", "-fPIC"])
}

fn compile(directory: &Path, name: &str, flags: &[&str]) -> io::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(format!("{name}.c"));
    let program = directory.join(name);
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-Wall"]).args(flags).arg("-o").arg(&program).arg(&source);
    let status = compiler.status()?;
    if status.success() {
        Ok(program)
    } else {
        Err(io::Error::other(format!("cc {}: {status}", source.display())))
    }
}
