//! Every key of the file, once. The check of a file's shape, the JSON Schema, `check`'s output and the test
//! that keeps flags, keys and the template together all read this table.

use super::words::{BACKENDS, LOG_FORMATS, ON_BUSY, ON_CRASH, STDIN};

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
    /// A list of `NAME=value`, or a map.
    Env,
    /// A text for the shell, or a list: an exact argv.
    Command,
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its path, with dots.
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    /// The default, as YAML; empty for "none".
    pub(crate) default: &'static str,
    /// The long flag that overrides it.
    pub(crate) flag: Option<&'static str>,
    /// One line for the schema.
    pub(crate) about: &'static str,
}

/// Programs that a command happens to start and that outlive it by design.
pub(crate) const KEPT: &[&str] =
    &["sccache", "bazel", "gradle", "watchman", "buck2d", "gpg-agent", "ssh-agent"];

const fn key(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    flag: Option<&'static str>,
    about: &'static str,
) -> Key {
    Key { path, kind, default, flag, about }
}

/// All keys, in the order of the template.
pub(crate) const KEYS: &[Key] = &[
    key(
        "command",
        Kind::Command,
        "",
        Some("command"),
        "What to run: a text for sh -c, or a list (an exact argv, no shell)",
    ),
    key(
        "watcher.duration",
        Kind::Duration(&[]),
        "0",
        Some("duration"),
        "The least time between two reloads, start to start",
    ),
    key(
        "watcher.debounce",
        Kind::Duration(&["auto"]),
        "auto",
        Some("debounce"),
        "A fixed quiet time before a run instead of the automatic one",
    ),
    key(
        "watcher.included_filetypes",
        Kind::List("a file type"),
        "[]",
        Some("ext"),
        "Only files of these types count, with or without the dot; empty: all",
    ),
    key(
        "watcher.excluded_regexps",
        Kind::List("a regular expression"),
        "[]",
        None,
        "Files that match are ignored; tried on the name, the relative and the absolute path",
    ),
    key(
        "watcher.paths",
        Kind::List("a path"),
        "[]",
        Some("watch"),
        "What to watch instead of the working directory and additional_paths",
    ),
    key(
        "watcher.gitignore",
        Kind::Bool,
        "true",
        Some("no-gitignore"),
        "Honour .gitignore and .ignore, with or without a repository",
    ),
    key(
        "watcher.default_ignore",
        Kind::Bool,
        "true",
        Some("no-default-ignore"),
        "The built-in ignores: node_modules, dot directories, editors' files and the like",
    ),
    key(
        "watcher.exclude_unchanged",
        Kind::Bool,
        "true",
        None,
        "A save that leaves the same bytes is no change",
    ),
    key("watcher.backend", Kind::Word(BACKENDS), "auto", Some("backend"), "Where events come from"),
    key(
        "watcher.poll",
        Kind::Duration(&["auto", "never", "always"]),
        "auto",
        Some("poll"),
        "Polling: where it is needed, never, always, or always at this interval",
    ),
    key(
        "additional_paths",
        Kind::List("a path"),
        "[]",
        None,
        "More directories or files to watch, also outside the working directory",
    ),
    key(
        "excluded_paths",
        Kind::List("a path"),
        "[]",
        Some("ignore"),
        "Paths or globs to ignore, relative to the working directory; !PATTERN takes one back",
    ),
    key(
        "envs",
        Kind::Env,
        "[]",
        Some("env"),
        "Environment of the command: a list of NAME=value, or a map; these override inherited ones",
    ),
    key(
        "on_busy",
        Kind::Word(ON_BUSY),
        "restart",
        Some("on-busy"),
        "A change while the command runs",
    ),
    key("on_crash", Kind::Word(ON_CRASH), "wait", Some("on-crash"), "The command fails by itself"),
    key(
        "stop.signal",
        Kind::Signal,
        "SIGTERM",
        Some("stop-signal"),
        "What asks the command to stop",
    ),
    key(
        "stop.timeout",
        Kind::Duration(&[]),
        "5s",
        Some("stop-timeout"),
        "How long it may take to stop before SIGKILL",
    ),
    key(
        "stop.keep",
        Kind::List("a program's name"),
        "[sccache, bazel, gradle, watchman, buck2d, gpg-agent, ssh-agent]",
        None,
        "Daemons that a command may start and leave behind",
    ),
    key("postpone", Kind::Bool, "false", Some("postpone"), "No first run: wait for a change"),
    key("stdin", Kind::Word(STDIN), "null", Some("stdin"), "The command's standard input"),
    key(
        "keys",
        Kind::Bool,
        "true",
        Some("no-keys"),
        "Listen to keys when standard input is a terminal: r s p c q ?",
    ),
    key("clear", Kind::Bool, "false", Some("clear"), "Clear the screen before each run"),
    key(
        "log_format",
        Kind::Word(LOG_FORMATS),
        "text",
        Some("log-format"),
        "How the program's own lines are written",
    ),
    key("name", Kind::Name, "", Some("name"), "A name for this instance, for status and wait"),
];

/// The key of this path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The path of the key that a long flag overrides.
#[cfg(test)]
pub(crate) fn of_flag(long: &str) -> Option<&'static str> {
    KEYS.iter().find(|key| key.flag == Some(long)).map(|key| key.path)
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
    fn every_flag_of_a_project_has_a_key() {
        let command = Cli::command();
        let run = command.find_subcommand("run").expect("run");
        for arg in run.get_arguments().filter(|arg| !arg.is_positional()) {
            let long = arg.get_long().expect("every flag has a long name");
            let keys = KEYS.iter().filter(|key| key.flag == Some(long)).count();
            let expected = usize::from(!OF_THE_CALL.contains(&long));
            assert_eq!(keys, expected, "--{long}");
        }
    }

    #[test]
    fn every_flag_that_a_key_names_exists() {
        let command = Cli::command();
        let run = command.find_subcommand("run").expect("run");
        let longs: Vec<_> = run.get_arguments().filter_map(clap::Arg::get_long).collect();
        for key in KEYS {
            if let Some(flag) = key.flag {
                assert!(longs.contains(&flag), "--{flag} of {}", key.path);
                let name = key.path.rsplit('.').next().unwrap_or_default().replace('_', "-");
                let differs = ["ext", "watch", "ignore", "env"].contains(&flag);
                let same = flag == name
                    || flag == format!("no-{name}")
                    || key.path.replace(['.', '_'], "-") == flag;
                assert!(same || differs, "--{flag} is called {}", key.path);
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
