//! One compiled [`Config`] from what was typed and found: flags win over the environment, the file and the defaults.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::discover::Found;
use super::pick::{Picker, called};
use super::values::{Said, Values};
use super::{
    CommandLine, Env, RunArgs, command, duration, envs, keys, paths, patterns, signal, source,
};
use crate::filter::{Filter, Spec};
use crate::model::{Backend, Color, Format, Notice, OnBusy, OnCrash, Origin, PollWord, Stdin};
use crate::report::{self, Verbosity};
use crate::watch::Poll;
use crate::{settle, supervisor, watch};

/// The variable that decides about polling where no flag can be given (containers).
const POLL_VARIABLE: &str = "GO_WATCHER_POLL";

/// How the program talks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Clear the screen before each run.
    pub clear: bool,
    /// `-q` and `-v`.
    pub verbosity: Verbosity,
    /// `--color`.
    pub color: Color,
    /// `log_format`.
    pub log_format: Format,
}

/// Everything that was decided before the first run: resolved and compiled.
#[derive(Debug)]
pub struct Config {
    /// The file that it came from, as the person wrote it.
    pub file: Option<PathBuf>,
    /// What to run. `None` when it was not said; see [`Config::required_command`].
    pub command: Option<CommandLine>,
    /// The absolute working directory of the command.
    pub directory: PathBuf,
    /// What is watched.
    pub roots: Vec<watch::Root>,
    /// Which paths count.
    pub filter: Arc<Filter>,
    /// When a save is complete.
    pub settle: settle::Settings,
    /// What to do about it.
    pub supervise: supervisor::Settings,
    /// Where events come from.
    pub watch: watch::Settings,
    /// Additions to the inherited environment, each name once; they override it.
    pub env: Vec<(OsString, OsString)>,
    /// Names of daemons that may outlive a run.
    pub stop_keep: Vec<String>,
    /// The command's standard input.
    pub stdin: Stdin,
    /// Whether to listen to keys.
    pub keys: bool,
    /// The name of this instance.
    pub name: Option<String>,
    /// How the program talks.
    pub output: Output,
    /// Warnings found while loading.
    pub notices: Vec<Notice>,
    pub(super) values: Values,
}

impl Config {
    /// The command.
    ///
    /// # Errors
    /// No command was given; the error shows the ways to give one.
    pub fn required_command(&self) -> Result<&CommandLine, Diagnostic> {
        self.command.as_ref().ok_or_else(|| command::missing(self.file.as_deref()))
    }

    /// The file that it came from, in words.
    #[must_use]
    pub fn source(&self) -> String {
        self.file.as_deref().map_or_else(|| "built-in defaults".to_owned(), source::shown)
    }

    /// What the printer needs to know.
    #[must_use]
    pub fn report_settings(&self) -> report::Settings {
        report::Settings {
            verbosity: self.output.verbosity,
            color: self.output.color,
            format: self.output.log_format,
            clear: self.output.clear,
            keys: self.keys,
            directory: self.directory.clone(),
        }
    }

    /// What a live change to `newer` changes, key by key, on one line; `None` when nothing does.
    #[must_use]
    pub fn changes(&self, newer: &Self) -> Option<String> {
        self.values.changes(&newer.values)
    }

    /// Whether a running command has to be restarted for `newer` to hold: another command, environment,
    /// working directory or standard input.
    #[must_use]
    pub fn needs_restart(&self, newer: &Self) -> bool {
        self.command != newer.command
            || self.env != newer.env
            || self.directory != newer.directory
            || self.stdin != newer.stdin
    }

    /// The roots that are watched: none for a run that begins at once and is the only one.
    #[must_use]
    pub fn watched_roots(&self) -> Vec<watch::Root> {
        let no_change_counts = self.supervise.once && !self.supervise.postpone;
        if no_change_counts { Vec::new() } else { self.roots.clone() }
    }

    /// Whether the watched tree has to be looked at anew for `newer` to hold.
    #[must_use]
    pub fn needs_walk(&self, newer: &Self) -> bool {
        self.roots != newer.roots
            || self.filter.spec() != newer.filter.spec()
            || self.watch != newer.watch
    }
}

/// Resolves what was found and typed.
pub(super) fn resolve(
    args: &RunArgs,
    found: Found,
    directory: &Path,
    env: Env<'_>,
) -> Result<Config, Diagnostic> {
    let Found { loaded, path, typed, notices } = found;
    let loaded = loaded.as_ref();
    let mut picker = Picker { args, loaded, env, directory, values: Values::default(), notices };
    let command = command(&mut picker)?;
    let settle = settle::Settings {
        duration: picker.time(&keys::DURATION)?.unwrap_or_default(),
        debounce: picker.time(&keys::DEBOUNCE)?,
    };
    let (filter, roots) = tree(&mut picker)?;
    let watch = watch(&mut picker, path)?;
    let env = environment(&mut picker)?;
    let supervise = supervise(&mut picker)?;
    let name = picker.text(&keys::NAME)?;
    Ok(Config {
        file: typed,
        command,
        directory: directory.to_owned(),
        roots,
        filter,
        settle,
        supervise,
        watch,
        env,
        stop_keep: keep(&mut picker),
        stdin: picker.word(&keys::STDIN, Stdin::of)?,
        keys: picker.switch(&keys::KEYS)?,
        name: (!name.is_empty()).then_some(name),
        output: output(&mut picker)?,
        notices: picker.notices,
        values: picker.values,
    })
}

fn command(picker: &mut Picker<'_>) -> Result<Option<CommandLine>, Diagnostic> {
    let (args, key) = (picker.args, &keys::COMMAND);
    let (line, origin) = match command::of_args(args, picker.env)? {
        Some(line) => (Some(line), Origin::Flag(if args.options.has(key) { "-e" } else { "--" })),
        None => {
            let line =
                picker.loaded.and_then(|loaded| command::of_file(&loaded.file, args.no_shell));
            let line = line.transpose().map_err(|wrong| picker.fault(key, None, wrong))?;
            let origin = if line.is_some() { picker.origin(key) } else { Origin::BuiltIn };
            (line, origin)
        }
    };
    match &line {
        Some(line) if !line.shell => {
            let said = |arg: &OsString| Said {
                text: arg.to_string_lossy().into_owned(),
                origin: origin.clone(),
            };
            picker.values.list(key, line.argv.iter().map(said).collect());
        }
        Some(line) => {
            let text = line.argv.last().map(|text| text.to_string_lossy().into_owned());
            picker.values.scalar(key, text.unwrap_or_default(), origin);
        }
        None => picker.values.scalar(key, String::new(), Origin::BuiltIn),
    }
    Ok(line)
}

fn tree(picker: &mut Picker<'_>) -> Result<(Arc<Filter>, Vec<watch::Root>), Diagnostic> {
    let lists = patterns::lists(picker)?;
    let chosen = paths::chosen(picker)?;
    let roots = chosen.roots.iter().map(|root| root.path.as_path());
    patterns::doubt_slashes(picker, &lists.excluded, &roots.collect::<Vec<_>>());
    let spec = Spec {
        working_directory: picker.directory.to_owned(),
        excluded: lists.excluded,
        regexps: lists.regexps,
        types: lists.types,
        named: chosen.named,
        files: chosen.files,
        gitignore: picker.switch(&keys::GITIGNORE)?,
        default_ignores: picker.switch(&keys::DEFAULT_IGNORE)?,
    };
    let filter = Filter::new(spec).map_err(|bad| patterns::bad(picker, &bad))?;
    patterns::doubt_regexps(picker, &filter);
    Ok((Arc::new(filter), chosen.roots))
}

fn watch(picker: &mut Picker<'_>, file: Option<PathBuf>) -> Result<watch::Settings, Diagnostic> {
    let exclude_unchanged = picker.switch(&keys::EXCLUDE_UNCHANGED)?;
    let backend = picker.word(&keys::BACKEND, Backend::of)?;
    let poll = poll(picker)?;
    let (backend, poll) = match PollWord::of(&poll) {
        Some(PollWord::Auto) => (backend, Poll::Auto),
        Some(PollWord::Never) => (backend, Poll::Never),
        Some(PollWord::Always) => (Backend::Poll, Poll::Auto),
        None => {
            let interval = duration::parse(&poll);
            let interval = interval.map_err(|wrong| picker.misfit(&keys::POLL, &wrong))?;
            (backend, Poll::Every(interval))
        }
    };
    if backend == Backend::Poll && poll == Poll::Never {
        let other = called(&keys::BACKEND, &picker.values.origin(&keys::BACKEND));
        let text = format!("never polls, but {other} is poll; change one of them");
        return Err(picker.misfit(&keys::POLL, &text));
    }
    let linked = file.as_deref().map(paths::led_to).unwrap_or_default();
    Ok(watch::Settings {
        backend,
        poll,
        exclude_unchanged,
        extra_files: file.into_iter().chain(linked).collect(),
        verbose: picker.args.verbose,
        ..watch::Settings::default()
    })
}

/// The value for polling. The variable describes the machine, so that it stands between flag and file.
fn poll(picker: &mut Picker<'_>) -> Result<String, Diagnostic> {
    let key = &keys::POLL;
    let typed = picker.args.options.has(key);
    let variable = (picker.env)(POLL_VARIABLE).filter(|value| !typed && !value.is_empty());
    let Some(value) = variable else { return picker.text(key) };
    let value = value.to_string_lossy();
    // Other tools' variables are switches, and 1 is no interval in milliseconds that is meant.
    let value = match value.as_ref() {
        "1" | "true" | "yes" | "on" => PollWord::Always.word(),
        "0" | "false" | "no" | "off" => PollWord::Auto.word(),
        value => value,
    };
    picker.given(key, value, POLL_VARIABLE)
}

fn environment(picker: &mut Picker<'_>) -> Result<Vec<(OsString, OsString)>, Diagnostic> {
    let additions = envs::additions(picker.loaded, picker.args.options.all(&keys::ENVS))?;
    picker.values.list(&keys::ENVS, additions.items);
    picker.notices.extend(additions.notice);
    Ok(additions.env)
}

fn supervise(picker: &mut Picker<'_>) -> Result<supervisor::Settings, Diagnostic> {
    let on_busy = picker.word(&keys::ON_BUSY, OnBusy::of)?;
    let on_crash = picker.word(&keys::ON_CRASH, OnCrash::of)?;
    let stop_signal = signal::parse(&picker.text(&keys::STOP_SIGNAL)?);
    Ok(supervisor::Settings {
        on_busy,
        on_crash,
        stop_signal: stop_signal.map_err(|wrong| picker.misfit(&keys::STOP_SIGNAL, &wrong))?,
        stop_timeout: picker.time(&keys::STOP_TIMEOUT)?.unwrap_or_default(),
        postpone: picker.switch(&keys::POSTPONE)?,
        once: picker.args.once,
    })
}

/// The daemons that may stay: the file's list in place of the built-in one.
fn keep(picker: &mut Picker<'_>) -> Vec<String> {
    let key = &keys::STOP_KEEP;
    let said = if picker.loaded.is_some_and(|loaded| loaded.file.list(key).is_some()) {
        picker.items(key).collect()
    } else {
        let built_in = |name: &&str| Said { text: (*name).to_owned(), origin: Origin::BuiltIn };
        keys::KEPT.iter().map(built_in).collect::<Vec<_>>()
    };
    let names = said.iter().map(|said| said.text.clone()).collect();
    picker.values.list(key, said);
    names
}

fn output(picker: &mut Picker<'_>) -> Result<Output, Diagnostic> {
    let verbosity = match (picker.args.quiet, picker.args.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    Ok(Output {
        clear: picker.switch(&keys::CLEAR)?,
        verbosity,
        color: picker.args.color,
        log_format: picker.word(&keys::LOG_FORMAT, Format::of)?,
    })
}
