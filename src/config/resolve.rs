//! Flags over environment over file over defaults: one compiled [`Config`].

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::discover::Found;
use super::paths::led_to;
use super::pick::{Resolver, key, said};
use super::values::{From, Item, Values};
use super::{CommandLine, Env, RunArgs, command, duration, envs, keys, shape, signal, source};
use crate::filter::{Filter, Spec};
use crate::model::Notice;
use crate::model::Signal;
use crate::process::Stdin;
use crate::report::{self, Verbosity};
use crate::supervisor::{OnBusy, OnCrash};
use crate::watch::{Backend, Poll};
use crate::{settle, supervisor, watch};

/// The variable that decides about polling where no flag can be given (containers).
const POLL_VARIABLE: &str = "GO_WATCHER_POLL";

/// Where a configuration came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// There is no file.
    Defaults,
    /// This file, as the person wrote it.
    File(PathBuf),
}

impl fmt::Display for ConfigSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => out.write_str("built-in defaults"),
            Self::File(path) => out.write_str(&source::shown(path)),
        }
    }
}

/// How the program talks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Clear the screen before each run.
    pub clear: bool,
    /// `-q` and `-v`.
    pub verbosity: Verbosity,
    /// `--color`.
    pub color: report::Color,
    /// `log_format`.
    pub log_format: report::Format,
}

/// Everything that was decided before the first run: resolved and compiled.
#[derive(Debug)]
pub struct Config {
    /// Where it came from.
    pub origin: ConfigSource,
    /// What to run. `None` when nobody said; see [`Config::required_command`].
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
    /// None was given anywhere: the error shows the ways to give one.
    pub fn required_command(&self) -> Result<&CommandLine, Diagnostic> {
        self.command.as_ref().ok_or_else(|| command::missing(&self.origin))
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
    let mut resolver =
        Resolver { args, loaded, env, directory, values: Values::default(), notices };
    resolver.config(path, typed)
}

impl Resolver<'_> {
    fn config(
        &mut self,
        path: Option<PathBuf>,
        typed: Option<PathBuf>,
    ) -> Result<Config, Diagnostic> {
        let command = self.command()?;
        let settle = self.settle()?;
        let (filter, roots) = self.tree()?;
        let watch = self.watch(path)?;
        let env = self.environment()?;
        let supervise = self.supervise()?;
        let name = self.pick("name")?;
        Ok(Config {
            origin: typed.map_or(ConfigSource::Defaults, ConfigSource::File),
            command,
            directory: self.directory.to_owned(),
            roots,
            filter,
            settle,
            supervise,
            watch,
            env,
            stop_keep: self.keep(),
            stdin: match self.pick("stdin")?.as_str() {
                "open" => Stdin::Open,
                "terminal" => Stdin::Terminal,
                _ => Stdin::Null,
            },
            keys: self.switch("keys")?,
            name: (!name.is_empty()).then_some(name),
            output: self.output()?,
            notices: std::mem::take(&mut self.notices),
            values: std::mem::take(&mut self.values),
        })
    }

    fn command(&mut self) -> Result<Option<CommandLine>, Diagnostic> {
        let of_args = command::of_args(self.args, self.env)?;
        let of_file = match &of_args {
            Some(_) => None,
            None => self
                .loaded
                .and_then(|loaded| command::of_file(&loaded.file, self.args.no_shell))
                .transpose()
                .map_err(|wrong| self.fault("command", None, wrong))?,
        };
        let from = match &of_args {
            Some(_) if self.args.options.has("command") => From::Flag("-e"),
            Some(_) => From::Flag("--"),
            None if of_file.is_some() => self.place_of("command"),
            None => From::Default,
        };
        let line = of_args.or(of_file);
        match &line {
            Some(line) if !line.shell => {
                let item = |arg: &OsString| Item { text: arg.to_string_lossy().into_owned(), from };
                self.values.list(key("command"), line.argv.iter().map(item).collect());
            }
            Some(line) => {
                let text = line.argv.last().map(|text| text.to_string_lossy().into_owned());
                self.values.scalar(key("command"), text.unwrap_or_default(), from);
            }
            None => self.values.scalar(key("command"), String::new(), From::Default),
        }
        Ok(line)
    }

    fn settle(&mut self) -> Result<settle::Settings, Diagnostic> {
        let duration = self.time("watcher.duration")?.unwrap_or_default();
        Ok(settle::Settings { debounce: self.time("watcher.debounce")?, duration })
    }

    fn tree(&mut self) -> Result<(Arc<Filter>, Vec<watch::Root>), Diagnostic> {
        let lists = self.patterns()?;
        let chosen = self.paths()?;
        let roots = chosen.roots.iter().map(|root| root.path.as_path());
        self.doubt_slashes(&lists.excluded, &roots.collect::<Vec<_>>());
        let spec = Spec {
            working_directory: self.directory.to_owned(),
            excluded: lists.excluded,
            regexps: lists.regexps,
            types: lists.types,
            named: chosen.named,
            files: chosen.files,
            gitignore: self.switch("watcher.gitignore")?,
            default_ignores: self.switch("watcher.default_ignore")?,
        };
        let filter = Filter::new(spec).map_err(|bad| self.bad_pattern(&bad))?;
        self.legacy(&filter);
        Ok((Arc::new(filter), chosen.roots))
    }

    fn watch(&mut self, path: Option<PathBuf>) -> Result<watch::Settings, Diagnostic> {
        let exclude_unchanged = self.switch("watcher.exclude_unchanged")?;
        let backend = match self.pick("watcher.backend")?.as_str() {
            "native" => Backend::Native,
            "portable" => Backend::Portable,
            "poll" => Backend::Poll,
            _ => Backend::Auto,
        };
        let (backend, poll) = match self.poll()?.as_str() {
            "auto" => (backend, Poll::Auto),
            "never" => (backend, Poll::Never),
            // Always, at an interval that the engine finds by itself.
            "always" => (Backend::Poll, Poll::Auto),
            interval => (backend, duration::parse(interval).map_or(Poll::Auto, Poll::Every)),
        };
        if backend == Backend::Poll && poll == Poll::Never {
            let other = said("watcher.backend", self.values.from("watcher.backend"));
            let text = format!("never polls, but {other} is poll; change one of them");
            return Err(self.misfit("watcher.poll", text));
        }
        Ok(watch::Settings {
            backend,
            poll,
            exclude_unchanged,
            extra_files: path
                .iter()
                .cloned()
                .chain(path.iter().flat_map(|path| led_to(path)))
                .collect(),
            verbose: self.args.verbose,
            ..watch::Settings::default()
        })
    }

    /// The environment stands between the flag and the file: it describes the machine.
    fn poll(&mut self) -> Result<String, Diagnostic> {
        let typed = self.args.options.has("watcher.poll");
        let variable = (self.env)(POLL_VARIABLE).filter(|value| !typed && !value.is_empty());
        let Some(value) = variable else { return self.pick("watcher.poll") };
        let value = value.to_string_lossy();
        // Other tools' variables are switches; one millisecond is nobody's interval.
        let value = match value.as_ref() {
            "1" | "true" | "yes" | "on" => "always",
            "0" | "false" | "no" | "off" => "auto",
            value => value,
        };
        let key = key("watcher.poll");
        shape::scalar(key.kind, value, true)
            .map_err(|wrong| Diagnostic::usage(format!("{POLL_VARIABLE}: {wrong}")))?;
        Ok(self.take(key, value, From::Variable(POLL_VARIABLE)))
    }

    fn environment(&mut self) -> Result<Vec<(OsString, OsString)>, Diagnostic> {
        let additions = envs::additions(self.loaded, self.args.options.all("envs"))?;
        self.values.list(key("envs"), additions.items);
        self.notices.extend(additions.notice);
        Ok(additions.env)
    }

    fn supervise(&mut self) -> Result<supervisor::Settings, Diagnostic> {
        let on_busy = match self.pick("on_busy")?.as_str() {
            "queue" => OnBusy::Queue,
            "ignore" => OnBusy::Ignore,
            "signal" => OnBusy::Signal,
            _ => OnBusy::Restart,
        };
        let on_crash = match self.pick("on_crash")?.as_str() {
            "exit" => OnCrash::Exit,
            "restart" => OnCrash::Restart,
            _ => OnCrash::Wait,
        };
        let stop_signal = signal::parse(&self.pick("stop.signal")?);
        Ok(supervisor::Settings {
            on_busy,
            on_crash,
            stop_signal: stop_signal.unwrap_or(Signal(libc::SIGTERM)),
            stop_timeout: self.time("stop.timeout")?.unwrap_or_default(),
            postpone: self.switch("postpone")?,
            once: self.args.once,
        })
    }

    fn keep(&mut self) -> Vec<String> {
        let key = key("stop.keep");
        let items: Vec<Item> = match self.list_in_file(key.path) {
            Some(names) => names
                .iter()
                .enumerate()
                .map(|(index, name)| Item {
                    text: name.clone(),
                    from: self.item_from(key.path, index),
                })
                .collect(),
            None => keys::KEPT
                .iter()
                .map(|name| Item { text: (*name).to_owned(), from: From::Default })
                .collect(),
        };
        let names = items.iter().map(|item| item.text.clone()).collect();
        self.values.list(key, items);
        names
    }

    fn output(&mut self) -> Result<Output, Diagnostic> {
        let verbosity = match (self.args.quiet, self.args.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let color = match self.args.color {
            super::Color::Auto => report::Color::Auto,
            super::Color::Always => report::Color::Always,
            super::Color::Never => report::Color::Never,
        };
        let clear = self.switch("clear")?;
        let log_format = match self.pick("log_format")?.as_str() {
            "json" => report::Format::Json,
            _ => report::Format::Text,
        };
        Ok(Output { clear, verbosity, color, log_format })
    }
}
