//! Every option of a project, once: its key in the file and the flag that overrides it. The command line, the reading
//! of the file, the JSON Schema, `check`'s output and the tests that compare the documents use this table.

use super::kind::Kind;
use crate::model::{Backend, Format, OnBusy, OnCrash, PollWord, Stdin};

/// One key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// The path in the file, with dots.
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    /// The default, as YAML; empty for "none".
    pub(crate) default: &'static str,
    /// The flag that overrides it (or adds to it, where it is a list).
    pub(crate) flag: Option<Flag>,
    /// One line for the schema.
    pub(crate) about: &'static str,
}

/// The flag of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// The long name, dashes included.
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    /// What its value is called; empty for a switch, which says the opposite of the key's default.
    pub(crate) value: &'static str,
    /// What it means without a value; empty when it needs one.
    pub(crate) alone: &'static str,
    /// The part of the help that it stands in.
    pub(crate) heading: &'static str,
    /// The line in the help; empty where the key's own fits.
    pub(crate) help: &'static str,
}

/// The parts of the help.
pub(crate) mod heading {
    pub(crate) const COMMAND: &str = "Command";
    pub(crate) const CONFIGURATION: &str = "Configuration";
    pub(crate) const WATCHED: &str = "What is watched";
    pub(crate) const WHEN: &str = "When";
    pub(crate) const OUTPUT: &str = "Output";
    /// The parts in their order.
    pub(crate) const ALL: &[&str] = &[COMMAND, CONFIGURATION, WATCHED, WHEN, OUTPUT];
}

/// Programs that a command happens to start and that outlive it by design.
pub(crate) const KEPT: &[&str] =
    &["sccache", "bazel", "gradle", "watchman", "buck2d", "gpg-agent", "ssh-agent"];

const fn key(path: &'static str, kind: Kind, default: &'static str, about: &'static str) -> Key {
    Key { path, kind, default, flag: None, about }
}

const fn flag(heading: &'static str, long: &'static str, value: &'static str) -> Flag {
    Flag { long, short: None, value, alone: "", heading, help: "" }
}

const fn switch(heading: &'static str, long: &'static str) -> Flag {
    flag(heading, long, "")
}

impl Key {
    /// The section that it stands in (empty: the top), and its name there.
    pub(crate) fn split(&self) -> (&'static str, &'static str) {
        self.path.split_once('.').unwrap_or(("", self.path))
    }

    const fn flag(self, flag: Flag) -> Self {
        Self { flag: Some(flag), ..self }
    }
}

impl Flag {
    /// The long name, without dashes.
    pub(crate) fn name(&self) -> &'static str {
        self.long.trim_start_matches('-')
    }

    const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    const fn alone(self, value: &'static str) -> Self {
        Self { alone: value, ..self }
    }

    const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }
}

/// Makes a static of each key, so that a typo does not compile, and the list of all.
macro_rules! keys {
    ($($name:ident = $key:expr;)*) => {
        $(pub(crate) static $name: Key = $key;)*
        /// All keys, in the order of the template.
        pub(crate) static ALL: &[&Key] = &[$(&$name),*];
    };
}

keys! {
    COMMAND = key("command", Kind::Command, "", "What to run: a text for sh -c, or a list (an exact argv, no shell)").flag(
        flag(heading::COMMAND, "--command", "CMD")
            .short('e')
            .help("Run this through `sh -c`, on start and after each complete save"),
    );
    DURATION = key("watcher.duration", Kind::Duration(&[]), "0", "The least time between two reloads, start to start")
        .flag(flag(heading::WHEN, "--duration", "TIME"));
    DEBOUNCE = key(
        "watcher.debounce",
        Kind::Duration(&["auto"]),
        "auto",
        "A fixed quiet time before a run instead of the automatic one",
    )
    .flag(flag(heading::WHEN, "--debounce", "TIME").short('d'));
    INCLUDED_FILETYPES = key(
        "watcher.included_filetypes",
        Kind::List("a file type"),
        "[]",
        "Only files of these types count, with or without the dot; empty: all",
    )
    .flag(flag(heading::WATCHED, "--ext", "LIST").help("Only files of these types: go,html"));
    EXCLUDED_REGEXPS = key(
        "watcher.excluded_regexps",
        Kind::List("a regular expression"),
        "[]",
        "Files that match are ignored; tried on the name, the relative and the absolute path",
    );
    PATHS = key(
        "watcher.paths",
        Kind::Paths,
        "[]",
        "What to watch instead of the working directory and additional_paths",
    )
    .flag(
        flag(heading::WATCHED, "--watch", "PATH")
            .short('w')
            .help("Watch this directory or file instead of the working directory (repeatable)"),
    );
    GITIGNORE = key(
        "watcher.gitignore",
        Kind::Bool,
        "true",
        "Honour .gitignore and .ignore, with or without a repository",
    )
    .flag(switch(heading::WATCHED, "--no-gitignore").help("Do not read .gitignore and .ignore files"));
    DEFAULT_IGNORE = key(
        "watcher.default_ignore",
        Kind::Bool,
        "true",
        "The built-in ignores: node_modules, dot directories, editors' files and the like",
    )
    .flag(switch(heading::WATCHED, "--no-default-ignore").help(
        "Switch the built-in ignores off (node_modules, dot directories, editors' files and the like)",
    ));
    EXCLUDE_UNCHANGED = key(
        "watcher.exclude_unchanged",
        Kind::Bool,
        "true",
        "A save that leaves the same bytes is no change",
    );
    BACKEND = key(
        "watcher.backend",
        Kind::Word(Backend::WORDS),
        Backend::Auto.word(),
        "Where events come from",
    )
    .flag(flag(heading::WATCHED, "--backend", "BACKEND"));
    POLL = key(
        "watcher.poll",
        Kind::Duration(PollWord::WORDS),
        PollWord::Auto.word(),
        "Polling: where it is needed, never, always, or always at this interval",
    )
    .flag(
        flag(heading::WATCHED, "--poll", "INTERVAL")
            .alone(PollWord::Always.word())
            .help("Polling: auto, never, always or its interval; alone: always"),
    );
    ADDITIONAL_PATHS = key(
        "additional_paths",
        Kind::Paths,
        "[]",
        "More directories or files to watch, also outside the working directory",
    );
    EXCLUDED_PATHS = key(
        "excluded_paths",
        Kind::List("a path or a glob"),
        "[]",
        "Paths or globs to ignore, relative to the working directory; !PATTERN takes one back",
    )
    .flag(flag(heading::WATCHED, "--ignore", "PATTERN").short('i').help(
        "Ignore what matches; !PATTERN takes back from .gitignore and built-in rules (repeatable)",
    ));
    ENVS = key(
        "envs",
        Kind::Env,
        "[]",
        "Environment of the command: a list of NAME=value, or a map; these override inherited ones",
    )
    .flag(
        flag(heading::COMMAND, "--env", "NAME=VALUE")
            .short('E')
            .help("Set an environment variable for the command (repeatable)"),
    );
    ON_BUSY = key(
        "on_busy",
        Kind::Word(OnBusy::WORDS),
        OnBusy::Restart.word(),
        "A change while the command runs",
    )
    .flag(flag(heading::WHEN, "--on-busy", "WHAT"));
    ON_CRASH = key(
        "on_crash",
        Kind::Word(OnCrash::WORDS),
        OnCrash::Wait.word(),
        "The command fails by itself",
    )
    .flag(flag(heading::WHEN, "--on-crash", "WHAT"));
    STOP_SIGNAL = key("stop.signal", Kind::Signal, "SIGTERM", "What asks the command to stop")
        .flag(flag(heading::WHEN, "--stop-signal", "SIGNAL"));
    STOP_TIMEOUT = key("stop.timeout", Kind::Duration(&[]), "5s", "How long it may take to stop before SIGKILL")
        .flag(flag(heading::WHEN, "--stop-timeout", "TIME"));
    STOP_KEEP = key(
        "stop.keep",
        Kind::List("a program's name"),
        "[sccache, bazel, gradle, watchman, buck2d, gpg-agent, ssh-agent]",
        "Daemons that a command may start and leave behind",
    );
    POSTPONE = key("postpone", Kind::Bool, "false", "No first run: wait for a change")
        .flag(switch(heading::COMMAND, "--postpone").short('p'));
    STDIN = key(
        "stdin",
        Kind::Word(Stdin::WORDS),
        Stdin::Null.word(),
        "The command's standard input",
    )
    .flag(flag(heading::COMMAND, "--stdin", "FROM").alone(Stdin::Terminal.word()).help(
        "The command's standard input: null, open (a pipe that never ends) or terminal; alone: terminal",
    ));
    KEYS = key(
        "keys",
        Kind::Bool,
        "true",
        "Listen to keys when standard input is a terminal: r s p c q ?",
    )
    .flag(switch(heading::OUTPUT, "--no-keys").help("Do not listen to keys"));
    CLEAR = key("clear", Kind::Bool, "false", "Clear the screen before each run").flag(switch(heading::OUTPUT, "--clear"));
    LOG_FORMAT = key(
        "log_format",
        Kind::Word(Format::WORDS),
        Format::Text.word(),
        "How the program's own lines are written",
    )
    .flag(flag(heading::OUTPUT, "--log-format", "FORMAT"));
    NAME = key("name", Kind::Name, "", "A name for this instance, for status and wait")
        .flag(flag(heading::CONFIGURATION, "--name", "NAME"));
}

/// The key of this path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    ALL.iter().copied().find(|key| key.path == path)
}

/// The keys that a flag overrides, each with its flag.
pub(crate) fn flags() -> impl Iterator<Item = (&'static Key, Flag)> {
    ALL.iter().filter_map(|key| Some((*key, key.flag?)))
}

/// The key that a long flag (with its dashes) overrides.
pub(crate) fn of_flag(long: &str) -> Option<&'static Key> {
    flags().find(|(_, flag)| flag.long == long).map(|(key, _)| key)
}

/// The names that may stand in this section (`""` is the top), sections included.
pub(crate) fn names_in(section: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in ALL {
        let (parent, name) = key.split();
        let name = match (section.is_empty(), parent.is_empty()) {
            (true, false) => parent,
            _ if parent == section => name,
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The full path of a known key that is most like this name, wherever it belongs.
pub(crate) fn nearest(section: &str, name: &str) -> Option<String> {
    let normal = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let name = normal(name);
    let score = |known: &str| {
        let beginning = name.len() >= 3 && known.starts_with(&name);
        if beginning { 0.9 } else { strsim::jaro_winkler(known, &name).min(limit(known, &name)) }
    };
    let here = names_in(section).into_iter().map(|known| (score(known), known.to_owned(), false));
    // A key may be right and stand in the wrong section.
    let elsewhere = ALL.iter().filter_map(|key| {
        let (parent, last) = key.split();
        (parent != section).then(|| (score(last) - 0.01, key.path.to_owned(), true))
    });
    let best = here.chain(elsewhere).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(match best {
        (_, path, true) if !path.contains('.') => format!("{path} at the top level"),
        (_, path, _) => path,
    })
}

/// The highest likeness for two names: similar beginnings make no likely slip where over a third of the letters differ.
fn limit(known: &str, name: &str) -> f64 {
    let distance = strsim::damerau_levenshtein(known, name);
    if distance * 3 <= known.chars().count().max(3) { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// Flags that belong to one call, not to a project.
    const OF_THE_CALL: &[&str] =
        &["config", "no-shell", "once", "restart", "quiet", "verbose", "color", "help"];

    #[test]
    fn flags_that_are_no_options_are_known() {
        let command = Cli::command();
        let run = command.find_subcommand("run").expect("run");
        for arg in run.get_arguments().filter(|arg| !arg.is_positional()) {
            let long = arg.get_long().expect("every flag has a long name");
            let key = of_flag(&format!("--{long}"));
            assert_eq!(key.is_none(), OF_THE_CALL.contains(&long), "--{long}");
        }
    }

    #[test]
    fn a_flag_is_called_as_its_key() {
        for key in ALL {
            let Some(flag) = key.flag else { continue };
            let name = key.split().1.replace('_', "-");
            let differs = ["ext", "watch", "ignore", "env"].contains(&flag.name());
            let same = flag.name() == name
                || flag.name() == format!("no-{name}")
                || key.path.replace(['.', '_'], "-") == flag.name();
            assert!(same || differs, "{} is called {}", flag.long, key.path);
            assert!(heading::ALL.contains(&flag.heading), "{}", flag.long);
            assert_eq!(flag.value.is_empty(), key.kind == Kind::Bool, "{}", flag.long);
        }
    }

    #[test]
    fn a_default_is_a_value_and_of_words_the_first() {
        for key in ALL.iter().filter(|key| !matches!(key.default, "" | "[]")) {
            match key.kind {
                Kind::Word(words) => assert_eq!(words.first(), Some(&key.default), "{}", key.path),
                kind => assert_eq!(kind.check(key.default), Ok(()), "{}", key.path),
            }
        }
    }

    #[test]
    fn slips_find_the_key_that_was_meant() {
        let table = [
            ("watcher", "include_filetypes", Some("included_filetypes")),
            ("watcher", "included_filetype", Some("included_filetypes")),
            ("watcher", "Duration", Some("duration")),
            ("watcher", "exclude-unchanged", Some("exclude_unchanged")),
            ("watcher", "excluded_paths", Some("excluded_paths at the top level")),
            ("", "duration", Some("watcher.duration")),
            ("", "excluded_regexps", Some("watcher.excluded_regexps")),
            ("", "exclude_paths", Some("excluded_paths")),
            ("", "watchers", Some("watcher")),
            ("", "comand", Some("command")),
            ("", "env", Some("envs")),
            ("stop", "time_out", Some("timeout")),
            ("", "timeout", Some("stop.timeout")),
            ("", "zzz", None),
            ("", "version", None),
            ("", "services", None),
        ];
        for (section, name, expected) in table {
            assert_eq!(nearest(section, name).as_deref(), expected, "{section} {name}");
        }
    }
}
