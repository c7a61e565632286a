//! Hints for fingers used to other tools: one table, tried when clap refuses a command line.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::Cli;
use crate::config::key_of_flag;
use crate::model::{ExitStatus, OnBusy};

/// A command line that was not accepted, or one that asked for help or the version.
#[derive(Debug)]
pub struct Refusal {
    error: clap::Error,
    hint: Option<String>,
}

/// Parses a command line; the first argument is the program's name.
///
/// # Errors
/// A refusal with a hint where the arguments look like another tool's.
pub fn parse(args: Vec<OsString>) -> Result<Cli, Box<Refusal>> {
    Cli::try_parse_from(&args).map_err(|error| {
        let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        let hint = if asked { None } else { hint(args.get(1..).unwrap_or_default()) };
        Box::new(Refusal { error, hint })
    })
}

impl Refusal {
    /// Whether the person asked for this text (help, version): it goes to standard output.
    #[must_use]
    pub fn asked_for(&self) -> bool {
        !self.error.use_stderr()
    }

    /// The exit status that goes with it.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        if self.asked_for() { ExitStatus::Ok } else { ExitStatus::Usage }
    }

    /// The whole text, with colours or without.
    #[must_use]
    pub fn text(&self, color: bool) -> String {
        let styled = self.error.render();
        let mut text = if color { styled.ansi().to_string() } else { styled.to_string() };
        if let Some(hint) = &self.hint {
            text.push_str("\n  hint: ");
            text.push_str(hint);
            text.push('\n');
        }
        text
    }
}

/// Flags that people type elsewhere, alone or as `--flag=value`, and what they are called here.
const FOREIGN: &[(&str, &str)] = &[
    ("--exec", "--exec is -e here: go-watcher run -e \"go run .\""),
    ("-x", "-x is -e here, with the whole command: go-watcher run -e \"cargo test\""),
    ("-L", "-L (legacy watch) is --poll here: go-watcher run --poll -e \"…\""),
    ("--legacy-watch", "--legacy-watch is --poll here"),
    (
        "-s",
        "-s is not needed here: a server is restarted by default, -e goes through a shell; the signal \
         that stops it is --stop-signal",
    ),
    ("--signal", "--signal is --stop-signal here: --stop-signal SIGINT"),
    ("--shell", "--shell is -e here (sh -c); -n uses no shell"),
    ("-o", "-o is --on-busy here: --on-busy WHAT"),
    ("--on-busy-update", "--on-busy-update is --on-busy here: --on-busy WHAT"),
    ("--delay", "--delay is -d here, with a unit: -d 500ms (a bare number is milliseconds)"),
    ("--exts", "--exts is --ext here: --ext go,html"),
    ("--filter", "--filter is --ext here for types; to leave something out: -i PATTERN"),
    ("-f", "-f is --ext here for types: --ext go,html"),
    ("--why", "every reload names its cause; for the skipped paths: -v"),
    ("--no-vcs-ignore", "--no-vcs-ignore is --no-gitignore here"),
    ("--project-origin", "start go-watcher in that directory instead"),
    ("--workdir", "the command runs in the directory in which go-watcher is started"),
    ("-R", "-R is not needed here: directories are watched with all that is below them"),
];

/// The names of the subcommands.
fn subcommands() -> Vec<String> {
    Cli::command().get_subcommands().map(|sub| sub.get_name().to_owned()).collect()
}

/// Whether this flag of `run` takes a value in the next argument.
fn takes_value(word: &str) -> bool {
    let command = Cli::command();
    let Some(run) = command.find_subcommand("run") else { return false };
    run.get_arguments()
        .filter(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set())
        .any(|arg| match word.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            None => arg.get_short().is_some_and(|short| word == format!("-{short}")),
        })
}

/// The words with their indexes, without those that are the value of a flag before them.
fn without_values<'a>(words: &[&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
    let mut skip = false;
    words.iter().copied().enumerate().filter(move |(_, word)| {
        let is_value = skip;
        skip = !is_value && takes_value(word);
        !is_value
    })
}

/// The hint for arguments (without the program's name) that clap refused.
fn hint(args: &[OsString]) -> Option<String> {
    let words: Vec<&str> =
        args.iter().map_while(|arg| arg.to_str().filter(|arg| *arg != "--")).collect();
    let first = *words.first()?;
    if first == "run" || first == "check" {
        let words = &words[1..];
        return foreign(words).or_else(|| after_space(words)).or_else(|| unquoted(words));
    }
    if subcommands().iter().any(|name| name == first) {
        return None;
    }
    if let Some(near) = near_subcommand(first) {
        return Some(format!("did you mean go-watcher {near}?"));
    }
    if first.starts_with('-') {
        return Some(foreign(&words).unwrap_or_else(|| {
            format!("flags come after a subcommand: go-watcher run {}", quoted(args))
        }));
    }
    Some(format!("to watch and run it: go-watcher run -e {}", shell_words::quote(&words.join(" "))))
}

/// The table line for the first foreign flag.
fn foreign(words: &[&str]) -> Option<String> {
    without_values(words).find_map(|(index, word)| {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        if name == "-c" && words.get(index + 1).is_none_or(|next| next.starts_with('-')) {
            return Some("-c is --config FILE here; to clear the screen: --clear".to_owned());
        }
        let (_, text) = FOREIGN.iter().find(|(flag, _)| *flag == name)?;
        Some(text.replace("WHAT", &OnBusy::WORDS.join("|")))
    })
}

/// A value after a space where the flag takes one after `=`, because it may go without (`--poll 500ms`).
fn after_space(words: &[&str]) -> Option<String> {
    words.windows(2).find_map(|pair| {
        let (flag, value) = (pair[0], pair[1]);
        let key = key_of_flag(flag)?;
        let optional = key.flag.is_some_and(|flag| !flag.alone.is_empty());
        (optional && key.kind.check(value).is_ok())
            .then(|| format!("the value of {flag} comes after =: {flag}={value}"))
    })
}

/// A command that was typed without quotes or `--`: words that belong to no flag.
fn unquoted(words: &[&str]) -> Option<String> {
    let (start, _) = without_values(words).find(|(_, word)| !word.starts_with('-'))?;
    // `-e go run .`: the word before belongs to the command too.
    let start = match start.checked_sub(2) {
        Some(flag) if matches!(words[flag], "-e" | "--command") => start - 1,
        _ => start,
    };
    let line = words[start..].join(" ");
    Some(format!(
        "a command needs quotes or --: go-watcher run -e {}  or  go-watcher run -- {line}",
        double_quoted(&line)
    ))
}

fn near_subcommand(word: &str) -> Option<String> {
    let near = |name: &String| word.len() > 2 && strsim::damerau_levenshtein(name, word) == 1;
    subcommands().into_iter().find(near)
}

fn quoted(args: &[OsString]) -> String {
    let words: Vec<_> = args.iter().map(|arg| double_quoted(&arg.to_string_lossy())).collect();
    words.join(" ")
}

/// The word as one would type it: in double quotes when it needs some and can have these.
fn double_quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:@%+!*".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if word.contains(['"', '$', '`', '\\', '!']) {
        shell_words::quote(word).into_owned()
    } else {
        format!("\"{word}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        let words = shell_words::split(line).expect("a test line");
        let args = words.into_iter().map(OsString::from).collect();
        match parse(args) {
            Ok(cli) => panic!("{line} was accepted: {cli:?}"),
            Err(refusal) => {
                assert_eq!(refusal.status(), ExitStatus::Usage, "{line}");
                refusal.text(false)
            }
        }
    }

    #[test]
    fn habits_of_other_tools_get_a_hint() {
        let table = [
            ("go-watcher run --exec 'go run .'", "--exec is -e here"),
            ("go-watcher run --exec='go run .'", "--exec is -e here"),
            ("go-watcher --exec 'go run .'", "--exec is -e here"),
            ("go-watcher run -x test", "-x is -e here"),
            ("go-watcher run -L -e make", "--poll"),
            ("go-watcher run -s -e make", "--stop-signal"),
            ("go-watcher run -o queue -e make", "--on-busy restart|queue|ignore|signal"),
            ("go-watcher run --on-busy-update=queue -e make", "--on-busy restart|queue"),
            ("go-watcher run --delay 2 -e make", "-d 500ms"),
            ("go-watcher run -c -e make", "--clear"),
            ("go-watcher run -e make -c", "--clear"),
            ("go-watcher run -w src -c -e make", "--clear"),
            ("go-watcher run go run .", "-e \"go run .\"  or  go-watcher run -- go run ."),
            ("go-watcher run -e go run .", "-e \"go run .\"  or  go-watcher run -- go run ."),
            ("go-watcher run -w src make test", "-e \"make test\""),
            ("go-watcher run -p make", "-e make"),
            ("go-watcher run --poll 500ms -e make", "after =: --poll=500ms"),
            ("go-watcher run -e make --stdin terminal", "after =: --stdin=terminal"),
            ("go-watcher run --poll make", "-e make"),
            ("go-watcher go run .", "go-watcher run -e 'go run .'"),
            ("go-watcher -e 'go run .'", "go-watcher run -e \"go run .\""),
            ("go-watcher -w src -e make", "go-watcher run -w src -e make"),
            ("go-watcher rnu -e make", "did you mean go-watcher run?"),
            ("go-watcher chek", "did you mean go-watcher check?"),
        ];
        for (line, expected) in table {
            let text = refused(line);
            let hint = text.split_once("hint: ").map(|(_, hint)| hint);
            assert!(
                hint.is_some_and(|hint| hint.contains(expected)),
                "{line}\n  wants {expected}\n  has {text}"
            );
        }
    }

    #[test]
    fn a_value_that_looks_like_a_foreign_flag_is_not_one() {
        assert!(
            hint(&["run", "-e", "-x"].map(OsString::from)).is_none_or(|h| !h.contains("-x is"))
        );
        let after_dashes = ["run", "--bogus", "--", "-x", "-s"].map(OsString::from);
        assert_eq!(hint(&after_dashes), None);
    }

    #[test]
    fn version_and_help_go_to_standard_output() {
        for line in ["-v", "-V", "--version", "--help", "-h"] {
            let refusal = parse(vec!["go-watcher".into(), line.into()]).expect_err(line);
            assert!(refusal.asked_for(), "{line}");
            assert_eq!(refusal.status(), ExitStatus::Ok, "{line}");
        }
        let version = parse(vec!["go-watcher".into(), "-v".into()]).expect_err("version");
        assert_eq!(version.text(false), format!("go-watcher {}\n", env!("CARGO_PKG_VERSION")));
        let nothing = parse(vec!["go-watcher".into()]).expect_err("nothing typed");
        assert_eq!(nothing.status(), ExitStatus::Usage);
    }
}
