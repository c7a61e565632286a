//! Every option of a project, once: its key in the file and the flag that overrides it. The command line, the check
//! of a file's shape, the JSON Schema, `check`'s output and the tests that compare the documents all read this table.

/// What a key's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A duration, or one of these words.
    Duration(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A signal by name or number.
    Signal,
    /// The name of an instance.
    Name,
    /// A list of texts; what an item is called.
    List(&'static str),
    /// A list of paths.
    Paths,
    /// A list of `NAME=value`, or a map.
    Env,
    /// A text for the shell, or a list: an exact argv.
    Command,
}

impl Kind {
    /// What one would write.
    pub(crate) fn example(self) -> String {
        match self {
            Self::Duration(words) => {
                let words: String = words.iter().map(|word| format!("{word}, ")).collect();
                format!("{words}500ms or 2s")
            }
            Self::Bool => "true or false".to_owned(),
            Self::Word(words) => match words.split_last() {
                Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
                None => String::new(),
            },
            Self::Signal => "a signal such as SIGTERM or SIGINT".to_owned(),
            Self::Name => {
                "up to 64 letters, digits, dots, dashes and underscores, such as web".to_owned()
            }
            Self::List(_) | Self::Paths => "a list: [a, b]".to_owned(),
            Self::Env => "a list of NAME=value".to_owned(),
            Self::Command => "a text or a list".to_owned(),
        }
    }
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its path, with dots.
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
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    /// What its value is called; empty for a switch, which says the opposite of the key's default.
    pub(crate) value: &'static str,
    /// What it means without a value; empty when it needs one.
    pub(crate) alone: &'static str,
    /// Its part of the help.
    pub(crate) heading: &'static str,
    /// Its line in the help; empty where the key's own fits.
    pub(crate) help: &'static str,
}

/// The parts of the help, in their order.
pub(crate) const HEADINGS: &[&str] = &[COMMAND, CONFIGURATION, WATCHED, WHEN, OUTPUT];
pub(crate) const COMMAND: &str = "Command";
pub(crate) const CONFIGURATION: &str = "Configuration";
pub(crate) const WATCHED: &str = "What is watched";
pub(crate) const WHEN: &str = "When";
pub(crate) const OUTPUT: &str = "Output";

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
    const fn flag(self, flag: Flag) -> Self {
        Self { flag: Some(flag), ..self }
    }
}

impl Flag {
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

/// All keys, in the order of the template.
pub(crate) const KEYS: &[Key] = &[
    key("command", Kind::Command, "", "What to run: a text for sh -c, or a list (an exact argv, no shell)").flag(
        flag(COMMAND, "command", "CMD")
            .short('e')
            .help("Run this through `sh -c`, on start and after each complete save"),
    ),
    key("watcher.duration", Kind::Duration(&[]), "0", "The least time between two reloads, start to start")
        .flag(flag(WHEN, "duration", "TIME")),
    key(
        "watcher.debounce",
        Kind::Duration(&["auto"]),
        "auto",
        "A fixed quiet time before a run instead of the automatic one",
    )
    .flag(flag(WHEN, "debounce", "TIME").short('d')),
    key(
        "watcher.included_filetypes",
        Kind::List("a file type"),
        "[]",
        "Only files of these types count, with or without the dot; empty: all",
    )
    .flag(flag(WATCHED, "ext", "LIST").help("Only files of these types: go,html")),
    key(
        "watcher.excluded_regexps",
        Kind::List("a regular expression"),
        "[]",
        "Files that match are ignored; tried on the name, the relative and the absolute path",
    ),
    key(
        "watcher.paths",
        Kind::Paths,
        "[]",
        "What to watch instead of the working directory and additional_paths",
    )
    .flag(
        flag(WATCHED, "watch", "PATH")
            .short('w')
            .help("Watch this directory or file instead of the working directory (repeatable)"),
    ),
    key(
        "watcher.gitignore",
        Kind::Bool,
        "true",
        "Honour .gitignore and .ignore, with or without a repository",
    )
    .flag(switch(WATCHED, "no-gitignore").help("Do not read .gitignore and .ignore files")),
    key(
        "watcher.default_ignore",
        Kind::Bool,
        "true",
        "The built-in ignores: node_modules, dot directories, editors' files and the like",
    )
    .flag(switch(WATCHED, "no-default-ignore").help(
        "Switch the built-in ignores off (node_modules, dot directories, editors' files and the like)",
    )),
    key(
        "watcher.exclude_unchanged",
        Kind::Bool,
        "true",
        "A save that leaves the same bytes is no change",
    ),
    key(
        "watcher.backend",
        Kind::Word(&["auto", "native", "portable", "poll"]),
        "auto",
        "Where events come from",
    )
    .flag(flag(WATCHED, "backend", "BACKEND")),
    key(
        "watcher.poll",
        Kind::Duration(&["auto", "never", "always"]),
        "auto",
        "Polling: where it is needed, never, always, or always at this interval",
    )
    .flag(
        flag(WATCHED, "poll", "INTERVAL")
            .alone("always")
            .help("Polling: auto, never, always or its interval; alone: always"),
    ),
    key(
        "additional_paths",
        Kind::Paths,
        "[]",
        "More directories or files to watch, also outside the working directory",
    ),
    key(
        "excluded_paths",
        Kind::List("a path or a glob"),
        "[]",
        "Paths or globs to ignore, relative to the working directory; !PATTERN takes one back",
    )
    .flag(flag(WATCHED, "ignore", "PATTERN").short('i').help(
        "Ignore what matches; !PATTERN takes back from .gitignore and built-in rules (repeatable)",
    )),
    key(
        "envs",
        Kind::Env,
        "[]",
        "Environment of the command: a list of NAME=value, or a map; these override inherited ones",
    )
    .flag(
        flag(COMMAND, "env", "NAME=VALUE")
            .short('E')
            .help("Set an environment variable for the command (repeatable)"),
    ),
    key(
        "on_busy",
        Kind::Word(&["restart", "queue", "ignore", "signal"]),
        "restart",
        "A change while the command runs",
    )
    .flag(flag(WHEN, "on-busy", "WHAT")),
    key(
        "on_crash",
        Kind::Word(&["wait", "exit", "restart"]),
        "wait",
        "The command fails by itself",
    )
    .flag(flag(WHEN, "on-crash", "WHAT")),
    key("stop.signal", Kind::Signal, "SIGTERM", "What asks the command to stop")
        .flag(flag(WHEN, "stop-signal", "SIGNAL")),
    key("stop.timeout", Kind::Duration(&[]), "5s", "How long it may take to stop before SIGKILL")
        .flag(flag(WHEN, "stop-timeout", "TIME")),
    key(
        "stop.keep",
        Kind::List("a program's name"),
        "[sccache, bazel, gradle, watchman, buck2d, gpg-agent, ssh-agent]",
        "Daemons that a command may start and leave behind",
    ),
    key("postpone", Kind::Bool, "false", "No first run: wait for a change")
        .flag(switch(COMMAND, "postpone").short('p')),
    key(
        "stdin",
        Kind::Word(&["null", "open", "terminal"]),
        "null",
        "The command's standard input",
    )
    .flag(flag(COMMAND, "stdin", "FROM").alone("terminal").help(
        "The command's standard input: null, open (a pipe that never ends) or terminal; alone: terminal",
    )),
    key(
        "keys",
        Kind::Bool,
        "true",
        "Listen to keys when standard input is a terminal: r s p c q ?",
    )
    .flag(switch(OUTPUT, "no-keys").help("Do not listen to keys")),
    key("clear", Kind::Bool, "false", "Clear the screen before each run").flag(switch(OUTPUT, "clear")),
    key(
        "log_format",
        Kind::Word(&["text", "json"]),
        "text",
        "How the program's own lines are written",
    )
    .flag(flag(OUTPUT, "log-format", "FORMAT")),
    key("name", Kind::Name, "", "A name for this instance, for status and wait")
        .flag(flag(CONFIGURATION, "name", "NAME")),
];

/// The key of this path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The key that a long flag overrides.
pub(crate) fn of_flag(long: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.flag.is_some_and(|flag| flag.long == long))
}

/// The names that may stand in this section (`""` is the top), sections included.
pub(crate) fn names_in(section: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in KEYS {
        let (parent, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
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
    let elsewhere = KEYS.iter().filter_map(|key| {
        let (parent, last) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        (parent != section).then(|| (score(last) - 0.01, key.path.to_owned(), true))
    });
    let best = here.chain(elsewhere).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(match best {
        (_, path, true) if !path.contains('.') => format!("{path} at the top level"),
        (_, path, _) => path,
    })
}

/// Similar beginnings alone make no likely slip: at most a third of the letters may differ.
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
            assert_eq!(of_flag(long).is_none(), OF_THE_CALL.contains(&long), "--{long}");
        }
    }

    #[test]
    fn a_flag_is_called_as_its_key() {
        for key in KEYS {
            let Some(flag) = key.flag else { continue };
            let name = key.path.rsplit('.').next().unwrap_or_default().replace('_', "-");
            let differs = ["ext", "watch", "ignore", "env"].contains(&flag.long);
            let same = flag.long == name
                || flag.long == format!("no-{name}")
                || key.path.replace(['.', '_'], "-") == flag.long;
            assert!(same || differs, "--{} is called {}", flag.long, key.path);
            assert!(HEADINGS.contains(&flag.heading), "--{}", flag.long);
            assert_eq!(flag.value.is_empty(), key.kind == Kind::Bool, "--{}", flag.long);
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
