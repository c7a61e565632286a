//! What can be typed: the flags of the options that belong to a project, made from the keys' table, and the flags of
//! one call.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, ValueEnum, ValueHint, value_parser};

use super::keys::{self, Flag, Key, heading};
use super::kind::Kind;
use crate::model::Color;

/// What `run` was given, unresolved.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct RunArgs {
    /// What belongs to a project, and has a key in the file.
    #[command(flatten)]
    pub options: Options,
    /// Split the command by shell-word rules and use no shell
    #[arg(short = 'n', long, help_heading = heading::COMMAND)]
    pub no_shell: bool,
    /// Run once and exit with the command's status
    #[arg(long, help_heading = heading::COMMAND)]
    pub once: bool,
    /// Accepted for other tools' users, without effect: restarting is the default
    #[arg(short = 'r', long = "restart", hide_short_help = true, help_heading = heading::COMMAND)]
    pub restart: bool,
    /// An exact command and its arguments, without a shell
    #[arg(last = true, value_name = "ARGV")]
    pub argv: Vec<OsString>,
    /// The configuration file [default: watcher.yml, watcher.yaml or config.yml, if there]
    #[arg(short = 'c', long, value_name = "FILE", help_heading = heading::CONFIGURATION)]
    pub config: Option<PathBuf>,
    /// Only warnings and errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = heading::OUTPUT)]
    pub quiet: bool,
    /// Every directory and every skipped path with the deciding rule
    #[arg(short, long, help_heading = heading::OUTPUT)]
    pub verbose: bool,
    /// Colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = heading::OUTPUT)]
    pub color: Color,
}

impl RunArgs {
    /// Whether anything was said by which an instance with these flags could differ from another one.
    #[must_use]
    pub fn decides(&self) -> bool {
        let silent = Self {
            options: self.options.clone().without(&keys::NAME),
            argv: Vec::new(),
            color: Color::default(),
            quiet: false,
            verbose: false,
            ..self.clone()
        };
        silent != Self::default()
    }
}

impl ValueEnum for Color {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Auto => "On a terminal, unless NO_COLOR is set",
            Self::Always => "Always",
            Self::Never => "Never",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}

/// What `check` was given: everything that `run` takes.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The flags of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What `init` was given.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "./config.yml")]
    pub output: PathBuf,
    /// Overwrite a file that exists
    #[arg(long)]
    pub force: bool,
    /// Write watcher.schema.json beside it too, by which editors complete and check the file
    #[arg(long)]
    pub schema: bool,
}

/// What was typed, by the key that each flag overrides: one value, or several where the key is a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options(BTreeMap<&'static str, Vec<OsString>>);

impl Options {
    /// All that was given for a key, as typed.
    pub(crate) fn all(&self, key: &Key) -> &[OsString] {
        self.0.get(key.path).map_or(&[], Vec::as_slice)
    }

    /// The value given for a key, as typed.
    pub(crate) fn raw(&self, key: &Key) -> Option<&OsStr> {
        self.all(key).last().map(OsString::as_os_str)
    }

    /// The texts given for a key. (clap has refused what is no UTF-8 in a value that is no path, command or environment.)
    pub(crate) fn texts(&self, key: &Key) -> impl Iterator<Item = &str> {
        self.all(key).iter().filter_map(|value| value.to_str())
    }

    /// The text given for a key.
    pub(crate) fn text(&self, key: &Key) -> Option<String> {
        self.texts(key).last().map(str::to_owned)
    }

    /// Whether something was given for a key.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.0.contains_key(key.path)
    }

    /// These options without what was given for a key.
    pub(crate) fn without(mut self, key: &Key) -> Self {
        self.0.remove(key.path);
        self
    }

    /// These options with one more value for a key.
    #[cfg(test)]
    pub(crate) fn with(mut self, key: &Key, value: &OsStr) -> Self {
        self.0.entry(key.path).or_default().push(value.to_owned());
        self
    }
}

impl Args for Options {
    fn augment_args(command: clap::Command) -> clap::Command {
        // The order of the first arguments is the order of the help's parts.
        heading::ALL.iter().fold(command, |command, heading| {
            let of_heading = keys::flags().filter(|(_, flag)| flag.heading == *heading);
            command.args(of_heading.map(|(key, flag)| arg(key, flag)))
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Self::default();
        options.update_from_arg_matches(matches)?;
        Ok(options)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for (key, flag) in keys::flags() {
            let values = given(key, flag, matches);
            if !values.is_empty() {
                self.0.insert(key.path, values);
            }
        }
        Ok(())
    }
}

/// The values that were typed for a key. A switch says the opposite of the default.
fn given(key: &Key, flag: Flag, matches: &ArgMatches) -> Vec<OsString> {
    if key.kind != Kind::Bool {
        return matches.get_raw(flag.name()).into_iter().flatten().map(OsStr::to_owned).collect();
    }
    let opposite = if key.default == "true" { "false" } else { "true" };
    matches.get_flag(flag.name()).then(|| opposite.into()).into_iter().collect()
}

/// The definition of a flag. Paths, commands and environment are bytes; every other value is text.
fn arg(key: &Key, flag: Flag) -> Arg {
    let mut arg =
        Arg::new(flag.name()).long(flag.name()).help_heading(flag.heading).help(help(key, flag));
    if let Some(letter) = flag.short {
        arg = arg.short(letter);
    }
    if key.kind == Kind::Bool {
        return arg.action(ArgAction::SetTrue);
    }
    arg = arg.value_name(flag.value);
    if !flag.alone.is_empty() {
        arg = arg.num_args(0..=1).require_equals(true).default_missing_value(flag.alone);
    }
    match key.kind {
        Kind::List(_) => arg.action(ArgAction::Append),
        Kind::Env => arg.action(ArgAction::Append).value_parser(value_parser!(OsString)),
        Kind::Paths => arg
            .action(ArgAction::Append)
            .value_parser(value_parser!(OsString))
            .value_hint(ValueHint::AnyPath),
        Kind::Command => arg.value_parser(value_parser!(OsString)),
        Kind::Word(words) => {
            arg.value_parser(PossibleValuesParser::new(words)).hide_possible_values(true)
        }
        // A negative duration is refused as a value, not taken for a flag.
        Kind::Duration(_) if flag.alone.is_empty() => arg.allow_hyphen_values(true),
        _ => arg,
    }
}

/// The line of help: the flag's own, or the key's with what may be said and what holds when nothing is.
fn help(key: &Key, flag: Flag) -> String {
    let about = key.about;
    match key.kind {
        _ if !flag.help.is_empty() => flag.help.to_owned(),
        Kind::Word(_) => format!("{about}: {}", key.kind.example()),
        Kind::Duration(words) if !words.is_empty() => format!("{about}: {}", key.kind.example()),
        Kind::Duration(_) | Kind::Signal if key.default != "0" => {
            format!("{about} [default: {}]", key.default)
        }
        _ => about.to_owned(),
    }
}
