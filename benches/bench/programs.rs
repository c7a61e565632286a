//! The two C programs, compiled when the bench starts.

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
}

impl Programs {
    /// Compiles both into `directory`.
    pub(crate) fn compile(directory: &Path) -> io::Result<Self> {
        Ok(Self { stamp: compile(directory, "stamp")?, floor: compile(directory, "floor")? })
    }
}

fn compile(directory: &Path, name: &str) -> io::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(format!("{name}.c"));
    let program = directory.join(name);
    let status =
        Command::new("cc").args(["-O2", "-Wall", "-o"]).arg(&program).arg(&source).status()?;
    if status.success() {
        Ok(program)
    } else {
        Err(io::Error::other(format!("cc {}: {status}", source.display())))
    }
}
