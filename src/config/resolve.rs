//! Flags over environment over file over defaults: one compiled [`Config`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::diagnostic::{Diagnostic, Fault, quote};
use super::discover::Found;
use super::file::{CommandValue, File, Loaded, Stop, Watcher};
use super::keys::{self, Key, Kind};
use super::values::{From, Item, Values};
use super::{Config, Env, Origin, Output, command, duration, envs, paths, patterns, shape, signal};
use crate::cli::{self, RunArgs};
use crate::filter::{Filter, Spec};
use crate::process::Stdin;
use crate::report::{self, Level, Notice, Verbosity};
use crate::supervisor::{OnBusy, OnCrash};
use crate::watch::{Backend, Poll};
use crate::{settle, supervisor, watch};

/// The variable that decides about polling where no flag can be given (containers).
const POLL_VARIABLE: &str = "GO_WATCHER_POLL";

/// What is being resolved.
pub(super) struct Resolver<'a> {
    pub(super) args: &'a RunArgs,
    pub(super) loaded: Option<&'a Loaded>,
    pub(super) env: Env<'a>,
    pub(super) directory: &'a Path,
    pub(super) values: Values,
    pub(super) notices: Vec<Notice>,
}

/// Resolves what was found and typed.
pub(super) fn resolve(
    args: &RunArgs,
    found: Found,
    directory: &Path,
    env: Env<'_>,
) -> Result<Config, Diagnostic> {
    let Found { mut loaded, path, typed, notices } = found;
    let file = loaded.as_mut().map(|loaded| std::mem::take(&mut loaded.file)).unwrap_or_default();
    let mut resolver = Resolver {
        args,
        loaded: loaded.as_ref(),
        env,
        directory,
        values: Values::default(),
        notices,
    };
    resolver.config(file, path, typed)
}

impl Resolver<'_> {
    fn config(
        &mut self,
        file: File,
        path: Option<PathBuf>,
        typed: Option<PathBuf>,
    ) -> Result<Config, Diagnostic> {
        let command = self.command(file.command.as_ref())?;
        let mut watcher = file.watcher.unwrap_or_default();
        let settle = self.settle(&mut watcher)?;
        let patterns = patterns::Lists {
            types: watcher.included_filetypes.take(),
            regexps: watcher.excluded_regexps.take(),
            excluded: file.excluded_paths,
        };
        let wanted =
            paths::Wanted { paths: watcher.paths.take(), additional: file.additional_paths };
        let (filter, roots) = self.tree(patterns, wanted, &mut watcher)?;
        let watch = self.watch(watcher, path)?;
        let additions = envs::additions(self.loaded, file.envs.as_ref(), &self.args.env)?;
        self.values.list(key("envs"), additions.items);
        self.notices.extend(additions.notice);
        let stop = file.stop.unwrap_or_default();
        let supervise = self.supervise(file.on_busy, file.on_crash, &stop, file.postpone)?;
        let stop_keep = self.keep(stop.keep);
        let stdin = match self.pick("stdin", self.args.stdin.clone(), file.stdin)?.as_str() {
            "open" => Stdin::Open,
            "terminal" => Stdin::Terminal,
            _ => Stdin::Null,
        };
        let keys = self.switch("keys", self.args.no_keys.then_some(false), file.keys);
        let clear = self.switch("clear", self.args.clear.then_some(true), file.clear);
        let format = self.pick("log_format", self.args.log_format.clone(), file.log_format)?;
        let name = self.pick("name", self.args.name.clone(), file.name)?;
        Ok(Config {
            origin: typed.map_or(Origin::Defaults, Origin::File),
            command,
            directory: self.directory.to_owned(),
            roots,
            filter,
            settle,
            supervise,
            watch,
            env: additions.env,
            stop_keep,
            stdin,
            keys,
            name: (!name.is_empty()).then_some(name),
            output: self.output(clear, &format),
            notices: std::mem::take(&mut self.notices),
            values: std::mem::take(&mut self.values),
        })
    }

    fn command(
        &mut self,
        file: Option<&CommandValue>,
    ) -> Result<Option<command::CommandLine>, Diagnostic> {
        let typed = command::of_args(self.args, self.env)?;
        let from = match (&typed, &self.args.command) {
            (Some(_), Some(_)) => From::Flag("-e"),
            (Some(_), None) => From::Flag("--"),
            (None, _) => self.place_of("command", file.is_some()),
        };
        let line = match (typed, file) {
            (Some(line), _) => Some(line),
            (None, None) => None,
            (None, Some(value)) => Some(
                command::of_file(value, self.args.no_shell)
                    .map_err(|wrong| self.fault("command", None, wrong))?,
            ),
        };
        match &line {
            Some(line) if !line.shell => {
                let item = |arg: &std::ffi::OsString| Item {
                    text: arg.to_string_lossy().into_owned(),
                    from,
                };
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

    fn settle(&mut self, watcher: &mut Watcher) -> Result<settle::Settings, Diagnostic> {
        let duration =
            self.time("watcher.duration", self.args.duration.clone(), watcher.duration.take())?;
        let debounce =
            self.time("watcher.debounce", self.args.debounce.clone(), watcher.debounce.take())?;
        Ok(settle::Settings { debounce, duration: duration.unwrap_or_default() })
    }

    fn tree(
        &mut self,
        lists: patterns::Lists,
        wanted: paths::Wanted,
        watcher: &mut Watcher,
    ) -> Result<(Arc<Filter>, Vec<watch::Root>), Diagnostic> {
        let lists = self.patterns(lists)?;
        let chosen = self.paths(wanted)?;
        let gitignore = self.args.no_gitignore.then_some(false);
        let default_ignores = self.args.no_default_ignore.then_some(false);
        let spec = Spec {
            working_directory: self.directory.to_owned(),
            excluded: lists.excluded,
            regexps: lists.regexps,
            types: lists.types,
            named: chosen.named,
            files: chosen.files,
            gitignore: self.switch("watcher.gitignore", gitignore, watcher.gitignore),
            default_ignores: self.switch(
                "watcher.default_ignore",
                default_ignores,
                watcher.default_ignore,
            ),
        };
        let filter = Filter::new(spec).map_err(|bad| self.bad_pattern(&bad))?;
        self.legacy(&filter);
        Ok((Arc::new(filter), chosen.roots))
    }

    fn watch(
        &mut self,
        watcher: Watcher,
        path: Option<PathBuf>,
    ) -> Result<watch::Settings, Diagnostic> {
        let exclude_unchanged =
            self.switch("watcher.exclude_unchanged", None, watcher.exclude_unchanged);
        let backend = match self
            .pick("watcher.backend", self.args.backend.clone(), watcher.backend)?
            .as_str()
        {
            "native" => Backend::Native,
            "portable" => Backend::Portable,
            "poll" => Backend::Poll,
            _ => Backend::Auto,
        };
        let (backend, poll) = match self.poll(watcher.poll)?.as_str() {
            "auto" => (backend, Poll::Auto),
            "never" => (backend, Poll::Never),
            // Always, at an interval that the engine finds by itself.
            "always" => (Backend::Poll, Poll::Auto),
            interval => (backend, duration::parse(interval).map_or(Poll::Auto, Poll::Every)),
        };
        if backend == Backend::Poll && poll == Poll::Never {
            let text = "never polls, but watcher.backend is poll; change one of them";
            return Err(self.fault("watcher.poll", None, text.to_owned()));
        }
        Ok(watch::Settings {
            backend,
            poll,
            exclude_unchanged,
            extra_files: path.into_iter().collect(),
            verbose: self.args.verbose,
            ..watch::Settings::default()
        })
    }

    /// The environment stands between the flag and the file: it describes the machine.
    fn poll(&mut self, file: Option<String>) -> Result<String, Diagnostic> {
        let variable = (self.env)(POLL_VARIABLE).filter(|value| !value.is_empty());
        let Some(value) = variable.filter(|_| self.args.poll.is_none()) else {
            return self.pick("watcher.poll", self.args.poll.clone(), file);
        };
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
        let value = canonical(key.kind, value);
        self.values.scalar(key, value.clone(), From::Variable(POLL_VARIABLE));
        Ok(value)
    }

    fn supervise(
        &mut self,
        on_busy: Option<String>,
        on_crash: Option<String>,
        stop: &Stop,
        postpone: Option<bool>,
    ) -> Result<supervisor::Settings, Diagnostic> {
        let on_busy = match self.pick("on_busy", self.args.on_busy.clone(), on_busy)?.as_str() {
            "queue" => OnBusy::Queue,
            "ignore" => OnBusy::Ignore,
            "signal" => OnBusy::Signal,
            _ => OnBusy::Restart,
        };
        let on_crash = match self.pick("on_crash", self.args.on_crash.clone(), on_crash)?.as_str() {
            "exit" => OnCrash::Exit,
            "restart" => OnCrash::Restart,
            _ => OnCrash::Wait,
        };
        let stop_signal =
            self.pick("stop.signal", self.args.stop_signal.clone(), stop.signal.clone())?;
        let timeout =
            self.time("stop.timeout", self.args.stop_timeout.clone(), stop.timeout.clone())?;
        let postpone = self.switch("postpone", self.args.postpone.then_some(true), postpone);
        Ok(supervisor::Settings {
            on_busy,
            on_crash,
            stop_signal: signal::parse(&stop_signal).unwrap_or(supervisor::Signal(libc::SIGTERM)),
            stop_timeout: timeout.unwrap_or_default(),
            postpone,
            once: self.args.once,
        })
    }

    fn keep(&mut self, file: Option<Vec<String>>) -> Vec<String> {
        let key = key("stop.keep");
        let (names, items): (Vec<String>, Vec<Item>) = match file {
            Some(names) => names
                .into_iter()
                .enumerate()
                .map(|(index, text)| {
                    (text.clone(), Item { text, from: self.item_from(key.path, index) })
                })
                .unzip(),
            None => keys::KEPT
                .iter()
                .map(|name| {
                    ((*name).to_owned(), Item { text: (*name).to_owned(), from: From::Default })
                })
                .unzip(),
        };
        self.values.list(key, items);
        names
    }

    fn output(&self, clear: bool, format: &str) -> Output {
        let verbosity = match (self.args.quiet, self.args.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let color = match self.args.color {
            cli::Color::Auto => report::Color::Auto,
            cli::Color::Always => report::Color::Always,
            cli::Color::Never => report::Color::Never,
        };
        let log_format = if format == "json" { report::Format::Json } else { report::Format::Text };
        Output { clear, verbosity, color, log_format }
    }

    /// A single value: the flag's, else the file's, else the default; checked and in one spelling.
    fn pick(
        &mut self,
        path: &'static str,
        flag: Option<String>,
        file: Option<String>,
    ) -> Result<String, Diagnostic> {
        let key = key(path);
        let (text, from) = match (flag, file) {
            (Some(text), _) => {
                let name = key.flag.unwrap_or_default();
                shape::scalar(key.kind, &text, true)
                    .map_err(|wrong| Diagnostic::usage(format!("--{name}: {wrong}")))?;
                self.doubt_unit(key, &text, None);
                (text, From::Flag(name))
            }
            (None, Some(text)) => {
                let from = self.place_of(path, true);
                self.doubt_unit(key, &text, self.loaded);
                (text, from)
            }
            (None, None) => (key.default.to_owned(), From::Default),
        };
        let text = canonical(key.kind, &text);
        self.values.scalar(key, text.clone(), from);
        Ok(text)
    }

    /// A duration; `None` for `auto`.
    fn time(
        &mut self,
        path: &'static str,
        flag: Option<String>,
        file: Option<String>,
    ) -> Result<Option<Duration>, Diagnostic> {
        let text = self.pick(path, flag, file)?;
        Ok(duration::parse(&text).ok())
    }

    fn switch(&mut self, path: &'static str, flag: Option<bool>, file: Option<bool>) -> bool {
        let key = key(path);
        let (value, from) = match (flag, file) {
            (Some(value), _) => (value, From::Flag(key.flag.unwrap_or_default())),
            (None, Some(value)) => (value, self.place_of(path, true)),
            (None, None) => (key.default == "true", From::Default),
        };
        self.values.scalar(key, value.to_string(), from);
        value
    }

    /// `-d 2` means two seconds elsewhere and two milliseconds here.
    fn doubt_unit(&mut self, key: &Key, text: &str, file: Option<&Loaded>) {
        let bare = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 30.0);
        let (Kind::Duration(_), Some(_)) = (key.kind, bare) else { return };
        let says = format!("{text} is {text} milliseconds; seconds are written {text}s");
        let text = match (file, file.and_then(|file| file.place(key.path))) {
            (Some(_), Some(place)) => {
                self.at(place.line, place.column, &format!("{}: {says}", key.path))
            }
            _ => format!("--{}: {says}", key.flag.unwrap_or_default()),
        };
        self.warn(text);
    }

    pub(super) fn warn(&mut self, text: String) {
        self.notices.push(Notice::Configuration { level: Level::Warning, text });
    }

    /// A line of text about a place of the file.
    pub(super) fn at(&self, line: usize, column: usize, text: &str) -> String {
        let shown = self.loaded.map_or("", |loaded| loaded.source.shown.as_str());
        format!("{shown}:{line}:{column}: {text}")
    }

    /// The error for a value of the file, or one of its items.
    pub(super) fn fault(&self, path: &str, item: Option<usize>, text: String) -> Diagnostic {
        let Some(loaded) = self.loaded else {
            return Diagnostic::usage(format!("{path}: {text}"));
        };
        let place = match item {
            Some(index) => loaded.item_place(path, index),
            None => loaded.place(path),
        };
        loaded.diagnostic(Fault { place, key: path.to_owned(), text })
    }

    fn place_of(&self, path: &str, said: bool) -> From {
        match self.loaded.and_then(|loaded| loaded.place(path)) {
            Some(place) if said => From::File(place.line),
            _ => From::Default,
        }
    }

    pub(super) fn item_from(&self, path: &str, index: usize) -> From {
        let place = self.loaded.and_then(|loaded| loaded.item_place(path, index));
        place.map_or(From::Default, |place| From::File(place.line))
    }
}

/// The key of a path that is written in this module; the table has them all (tested).
pub(super) fn key(path: &'static str) -> &'static Key {
    keys::find(path).unwrap_or(&keys::KEYS[0])
}

/// One spelling for each value, so that two spellings of the same are no difference.
fn canonical(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Duration(_) => {
            duration::parse(text).map_or_else(|_| text.to_owned(), duration::format)
        }
        Kind::Signal => signal::parse(text).map_or_else(|_| quote(text), signal::name),
        _ => text.to_owned(),
    }
}
