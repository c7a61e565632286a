//! What is needed to start one run: where its program is looked for, and what can be said about a failed start
//! beyond the system's error number.
#![expect(clippy::disallowed_methods, reason = "looks at the program that could not be started")]
#![expect(clippy::disallowed_types, reason = "looks at the program that could not be started")]

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::encoding::{text, variables};
use crate::model::{RunId, SpawnStage, Stdin};
use crate::sys::bytes::os_str;
use crate::sys::{errno, spawn};

/// Everything that is needed to start one run, beside the environment that every run has. Argument, environment and
/// directory are bytes: nothing from outside is ever turned into shell text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The number of the run.
    pub run: RunId,
    /// The program and its arguments; never empty.
    pub argv: Vec<OsString>,
    /// What is added to the environment, and wins over it.
    #[serde(with = "variables")]
    pub env: Vec<(OsString, OsString)>,
    /// Absolute working directory, entered anew for each run.
    #[serde(with = "text")]
    pub directory: PathBuf,
    /// Standard input.
    pub stdin: Stdin,
}

/// Where programs are looked for when the environment has no `PATH`, as in `execvp`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// What a launch was looking for.
#[derive(Clone, Debug, Default)]
pub(super) struct Sought {
    program: OsString,
    /// The `PATH` that the run was to have.
    path: Option<OsString>,
    directory: PathBuf,
    /// Bytes of arguments and environment.
    size: usize,
}

impl Sought {
    /// `base`: the environment that every run has.
    pub(super) fn of(launch: &Launch, base: &[(OsString, OsString)]) -> Sought {
        let env = || base.iter().chain(&launch.env);
        let words = launch.argv.iter().map(|word| word.len() + 1).sum::<usize>();
        let variables = env().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
        Sought {
            program: launch.argv.first().cloned().unwrap_or_default(),
            path: env().rfind(|(name, _)| name == "PATH").map(|(_, value)| value.clone()),
            directory: launch.directory.clone(),
            size: words + variables,
        }
    }

    pub(super) fn program(&self) -> &OsString {
        &self.program
    }
}

/// The candidates for a program: itself when it has a slash, else its name in each directory of the
/// run's `PATH`. (Entries relative to the working directory work: the child has entered it by then.)
pub(super) fn candidates(program: &OsStr, path: Option<&OsStr>) -> Vec<Vec<u8>> {
    let program = program.as_encoded_bytes();
    if program.contains(&b'/') || program.is_empty() {
        return vec![program.to_vec()];
    }
    let candidate = |directory: &[u8]| match directory {
        b"" => [b"./", program].concat(),
        directory => [directory, b"/", program].concat(),
    };
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_encoded_bytes();
    path.split(|&byte| byte == b':').map(candidate).collect()
}

/// The cause in words, where the number alone would mislead.
pub(super) fn detail(stage: SpawnStage, errno: i32, sought: &Sought) -> Option<String> {
    if stage == SpawnStage::Fork && errno == errno::EBUSY {
        return Some("the run before it still lives".into());
    }
    if stage != SpawnStage::Exec {
        return None;
    }
    let candidates = candidates(&sought.program, sought.path.as_deref());
    let mut paths = candidates.iter().map(|path| sought.directory.join(Path::new(os_str(path))));
    match errno {
        errno::ENOENT if sought.program.is_empty() => Some("the command is empty".into()),
        errno::ENOENT | errno::ENOTDIR => {
            let found = paths.find(|path| std::fs::symlink_metadata(path).is_ok());
            found.map_or_else(|| not_in_path(sought), |path| missing_part(&path))
        }
        errno::EACCES => {
            let found = paths.find(|path| std::fs::metadata(path).is_ok())?;
            not_executable(&found)
        }
        errno::ENOEXEC => Some("it has no '#!' line and is no program of this system".into()),
        errno::E2BIG => {
            Some(format!("its arguments and environment are too long ({} bytes)", sought.size))
        }
        errno::EINVAL => Some("an argument or the environment contains a NUL byte".into()),
        _ => None,
    }
}

fn not_in_path(sought: &Sought) -> Option<String> {
    let named_by_path = sought.program.as_encoded_bytes().contains(&b'/');
    (!named_by_path).then(|| "not found in PATH".into())
}

/// The file is there, and yet the system says that it is not: what it needs is missing.
fn missing_part(path: &Path) -> Option<String> {
    if std::fs::metadata(path).is_err() {
        let target = std::fs::read_link(path).ok()?;
        return Some(format!("it is a link to {}, which does not exist", target.display()));
    }
    let mut head = Vec::new();
    let file = std::fs::OpenOptions::new().read(true).open(path).ok()?;
    file.take(64 * 1024).read_to_end(&mut head).ok()?;
    let (kind, interpreter) = interpreter(&head)?;
    if std::fs::metadata(os_str(interpreter)).is_ok() {
        return None;
    }
    let shown = String::from_utf8_lossy(interpreter);
    Some(match shown.strip_suffix('\r') {
        Some(shown) => {
            format!("its first line ends with a carriage return: {shown}\\r does not exist")
        }
        None => format!("its {kind} {shown} does not exist"),
    })
}

fn not_executable(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(if metadata.is_dir() {
        "it is a directory".into()
    } else if !spawn::is_executable(&metadata) {
        "it is not executable (chmod +x)".into()
    } else {
        "it or its interpreter may not be executed by us".into()
    })
}

/// What the kernel executes in place of the file: the word after `#!`, or the loader that an ELF file names.
fn interpreter(head: &[u8]) -> Option<(&'static str, &[u8])> {
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|&byte| byte == b'\n').next()?;
        let word =
            line.split(|&byte| byte == b' ' || byte == b'\t').find(|word| !word.is_empty())?;
        return Some(("interpreter", word));
    }
    if !head.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    // 64-bit little-endian: program headers at 0x20, their size and number at 0x36; PT_INTERP is type 3.
    let number = |at: usize, size: usize| -> Option<usize> {
        let bytes = head.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
    };
    let (table, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
    let header =
        (0..count).map(|at| table.wrapping_add(at * size)).find(|&at| number(at, 4) == Some(3))?;
    let (from, length) = (number(header + 8, 8)?, number(header + 32, 8)?);
    let text = head.get(from..from.checked_add(length)?)?;
    Some(("loader", text.split(|&byte| byte == 0).next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_is_what_the_kernel_would_execute() {
        for (head, expected) in [
            (&b"#!/bin/sh\necho"[..], Some(("interpreter", &b"/bin/sh"[..]))),
            (b"#! \t/usr/bin/env python3\n", Some(("interpreter", b"/usr/bin/env"))),
            (b"#!/bin/sh\r\n", Some(("interpreter", b"/bin/sh\r"))),
            (b"#!\n", None),
            (b"echo", None),
            (b"\x7fELF\x02\x01", None),
            (b"", None),
        ] {
            assert_eq!(interpreter(head), expected, "{head:?}");
        }
    }

    #[test]
    fn the_loader_of_a_real_program_is_found() {
        let shell = std::fs::read("/bin/sh").unwrap();
        let (kind, loader) = interpreter(&shell).unwrap();
        assert_eq!(kind, "loader");
        assert!(std::fs::metadata(os_str(loader)).is_ok());
    }

    #[test]
    fn a_program_is_looked_for_in_the_childs_own_path() {
        let texts = |program: &str, path: Option<&str>| -> Vec<String> {
            let found = candidates(OsStr::new(program), path.map(OsStr::new));
            found.into_iter().map(|text| String::from_utf8(text).unwrap()).collect()
        };
        assert_eq!(texts("x", Some("/a:/b")), ["/a/x", "/b/x"]);
        assert_eq!(texts("x", Some(":bin:")), ["./x", "bin/x", "./x"]);
        assert_eq!(texts("./x", Some("/a")), ["./x"]);
        assert_eq!(texts("d/x", Some("/a")), ["d/x"]);
        assert_eq!(texts("x", None), ["/bin/x", "/usr/bin/x"]);
        assert_eq!(texts("", Some("/a")), [""]);
    }
}
