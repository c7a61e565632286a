//! What to run: a text for the shell, shell words without one, or an exact argv.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::diagnostic::{Diagnostic, escape, quote};
use super::file::File;
use super::{Env, RunArgs, keys, source};
use crate::sys::open;

/// A command, ready to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The program and its arguments; never empty.
    pub argv: Vec<OsString>,
    /// As the person wrote it, for messages; unescaped.
    pub shown: String,
    /// Whether it goes through `sh -c`.
    pub shell: bool,
}

impl CommandLine {
    fn shell(text: &OsStr) -> Self {
        let argv = vec!["sh".into(), "-c".into(), text.to_owned()];
        Self { argv, shown: text.to_string_lossy().trim_end().to_owned(), shell: true }
    }

    fn exact(argv: Vec<OsString>) -> Self {
        let shown: Vec<_> = argv
            .iter()
            .map(|arg| {
                let text = arg.to_string_lossy();
                shell_words::quote(&text).into_owned()
            })
            .collect();
        Self { argv, shown: shown.join(" "), shell: false }
    }

    /// Split by shell-word rules, without a shell.
    fn split(text: &str) -> Result<Self, String> {
        let argv = shell_words::split(text)
            .map_err(|_| format!("{} has a quote that is not closed; close it", quote(text)))?;
        if argv.is_empty() {
            return Err("is empty; write a program and its arguments".to_owned());
        }
        let argv = argv.into_iter().map(OsString::from).collect();
        Ok(Self { argv, shown: text.trim().to_owned(), shell: false })
    }
}

/// The command of the command line, if one is there.
///
/// # Errors
/// Two commands, an empty one, or one that cannot be what was meant.
pub(crate) fn of_args(args: &RunArgs, env: Env<'_>) -> Result<Option<CommandLine>, Diagnostic> {
    match (args.options.raw(&keys::COMMAND), args.argv.first()) {
        (Some(_), Some(_)) => {
            Err(Diagnostic::usage("two commands: one by -e and one after --; give one of them"))
        }
        (None, Some(program)) if program.is_empty() => {
            Err(Diagnostic::usage("the command after -- has an empty name; write a program"))
        }
        (None, Some(_)) => Ok(Some(CommandLine::exact(args.argv.clone()))),
        (None, None) => Ok(None),
        (Some(text), None) => typed(text, args.no_shell, env).map(Some),
    }
}

fn typed(text: &OsStr, no_shell: bool, env: Env<'_>) -> Result<CommandLine, Diagnostic> {
    let lossy = text.to_string_lossy();
    if lossy.trim().is_empty() {
        return Err(Diagnostic::usage("-e is empty; write a command: -e \"go run .\""));
    }
    if is_type_list(&lossy) && !is_program(&lossy, env) {
        let list = escape(&lossy);
        return Err(Diagnostic::usage(format!(
            "-e {list}: there is no program of this name; file types are --ext here: --ext {list} -e \"…\""
        )));
    }
    if !no_shell {
        return Ok(CommandLine::shell(text));
    }
    let Some(text) = text.to_str() else {
        return Err(Diagnostic::usage("-n: the command is not UTF-8; give it after --"));
    };
    CommandLine::split(text).map_err(|wrong| Diagnostic::usage(format!("-n: {wrong}")))
}

/// The command of the file, if one is there; or what is wrong with it and what to write instead.
pub(crate) fn of_file(file: &File, no_shell: bool) -> Option<Result<CommandLine, String>> {
    if let Some(argv) = file.list(&keys::COMMAND) {
        return Some(Ok(CommandLine::exact(argv.iter().map(OsString::from).collect())));
    }
    let text = file.text(&keys::COMMAND)?;
    Some(if no_shell { CommandLine::split(text) } else { Ok(CommandLine::shell(OsStr::new(text))) })
}

/// The types of files that people name to other tools' `-e`, when it is a single one.
const TYPES: &[&str] = &[
    "c", "cc", "cpp", "cs", "css", "ex", "exs", "go", "h", "html", "java", "js", "json", "jsx",
    "kt", "md", "mjs", "php", "py", "rb", "rs", "scss", "sh", "sql", "svelte", "swift", "templ",
    "tmpl", "toml", "ts", "tsx", "vue", "yaml", "yml", "zig",
];

/// `go,html`, `.go`, `js`: a list of file types rather than a command.
fn is_type_list(text: &str) -> bool {
    let part = |part: &str| {
        let name = part.trim().trim_start_matches("*.").trim_start_matches('.');
        !name.is_empty() && name.len() <= 10 && name.chars().all(char::is_alphanumeric)
    };
    let single = TYPES.contains(&text.trim_start_matches("*.").trim_start_matches('.'));
    single || (text.contains(',') && text.split(',').all(part))
}

/// Whether `PATH` (or the working directory, for a path) has such a program.
fn is_program(name: &str, env: Env<'_>) -> bool {
    let path = env("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| {
        let file = directory.join(name);
        open::is_executable(&file) && file.is_file()
    })
}

/// The error of a `run` without a command.
pub(crate) fn missing(file: Option<&Path>) -> Diagnostic {
    let place = match file {
        None => "or write  command: go run .  into watcher.yml (go-watcher init -o watcher.yml)"
            .to_owned(),
        Some(file) => format!("or write  command: go run .  into {}", source::shown(file)),
    };
    Diagnostic::usage(format!(
        "no command to run; give one:\n  go-watcher run -e \"go run .\"      through sh -c\n  \
         go-watcher run -- go run .        exactly these arguments\n  {place}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    fn no_env(_: &str) -> Option<OsString> {
        None
    }

    fn args(command: Option<&str>, argv: &[&str], no_shell: bool) -> RunArgs {
        let options = Options::default();
        RunArgs {
            options: match command {
                Some(text) => options.with(&keys::COMMAND, OsStr::new(text)),
                None => options,
            },
            argv: argv.iter().map(OsString::from).collect(),
            no_shell,
            ..RunArgs::default()
        }
    }

    #[test]
    fn three_ways_to_give_a_command() {
        type Row<'a> = (Option<&'a str>, &'a [&'a str], bool, &'a [&'a str], &'a str, bool);
        let table: &[Row<'_>] = &[
            (
                Some("go run . && ls"),
                &[],
                false,
                &["sh", "-c", "go run . && ls"],
                "go run . && ls",
                true,
            ),
            (Some("go run '.  x'"), &[], true, &["go", "run", ".  x"], "go run '.  x'", false),
            (None, &["go", "run", "a b"], false, &["go", "run", "a b"], "go run 'a b'", false),
            (None, &["go", ""], true, &["go", ""], "go ''", false),
            (Some("a,b c"), &[], false, &["sh", "-c", "a,b c"], "a,b c", true),
        ];
        for (command, argv, no_shell, expected, shown, shell) in table {
            let line = of_args(&args(*command, argv, *no_shell), &no_env);
            let line = line.expect("a good command").expect("a command");
            assert_eq!(line.argv, *expected);
            assert_eq!((line.shown.as_str(), line.shell), (*shown, *shell));
        }
        assert_eq!(of_args(&args(None, &[], false), &no_env), Ok(None));
    }

    #[test]
    fn commands_that_cannot_be_meant() {
        type Row<'a> = (Option<&'a str>, &'a [&'a str], bool, &'a str);
        let table: &[Row<'_>] = &[
            (Some("a"), &["b"], false, "two commands"),
            (Some(""), &[], false, "-e is empty"),
            (Some("  "), &[], true, "-e is empty"),
            (Some("go 'run"), &[], true, "not closed"),
            (None, &[""], false, "empty name"),
            (Some("go,html"), &[], false, "--ext go,html"),
            (Some(".go,.html"), &[], false, "--ext .go,.html"),
            (Some("js"), &[], false, "--ext js"),
            (Some("*.go"), &[], false, "--ext *.go"),
        ];
        for (command, argv, no_shell, says) in table {
            let error = of_args(&args(*command, argv, *no_shell), &no_env).expect_err(says);
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn a_program_with_the_name_of_a_type_is_a_program() {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("go");
        std::os::unix::fs::symlink("/bin/sh", &program).expect("a link");
        let path = directory.path().as_os_str().to_owned();
        let env = move |name: &str| (name == "PATH").then(|| path.clone());
        assert!(of_args(&args(Some("go"), &[], false), &env).is_ok());
        assert!(of_args(&args(Some("js"), &[], false), &env).is_err());
    }
}
