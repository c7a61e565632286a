//! The subcommand: the question, the instance that is asked, and the lines that are printed.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::{drawing, gather, judge, overview};
use crate::cli::ExplainArgs;
use crate::config::{self, Config, Diagnostic, Env, RunArgs};
use crate::control::client::{self, Instance};
use crate::control::commands::{self, Printed};
use crate::control::{Ask, Explained, PROTOCOL, Places, Reply, SocketDirectory, Surveyed};
use crate::model::{ExitStatus, Notice};
use crate::report::{self, JsonName, shown};
use crate::sys::bytes::os_str;
use crate::watch::Survey;

/// The time that an instance may take for its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A question.
enum Question {
    Paths(Vec<JsonName>),
    Summary,
    /// The whole tree, or only the parts below these paths.
    Tree(Vec<JsonName>),
}

/// The one that answers: an instance, or this process by its configuration.
#[derive(Default)]
struct Answerer {
    /// The name of the instance: `instance 1 (pid 4711)`.
    label: String,
    instance: Option<Instance>,
    config: Option<Config>,
    /// Text for standard error.
    says: String,
}

/// The subcommand `explain`: its output, and warnings about the configuration.
///
/// # Errors
/// A fault in the flags or the file, when no instance is asked; exit status 2.
pub fn explain(
    args: &ExplainArgs,
    directory: &Path,
    env: Env<'_>,
) -> Result<(Printed, Vec<Notice>), Diagnostic> {
    let typed: Vec<OsString> = args.typed();
    let paths = paths(&typed, directory, args.null, &mut io::stdin())
        .map_err(|error| Diagnostic::usage(format!("standard input: {error}")))?;
    let question = match args.tree {
        true => Question::Tree(paths),
        false if typed.is_empty() => Question::Summary,
        false => Question::Paths(paths),
    };
    let mut answerer = match find_instance(&args.run, directory) {
        Ok(answerer) => answerer,
        Err(said) => return Ok((*said, Vec::new())),
    };
    if answerer.instance.is_none() {
        answerer.config = Some(config::load(&args.run, directory, env)?);
    }
    let said = match answerer.answer(&question, directory, args) {
        Ok(said) => said,
        // The instance is gone or of another version. The files still have an answer.
        Err(why) => {
            answerer.says = format!("{why}; this is what the files say:\n");
            answerer.instance = None;
            answerer.config = Some(config::load(&args.run, directory, env)?);
            answerer.answer(&question, directory, args).unwrap_or_else(|why| Printed {
                out: String::new(),
                err: format!("{why}\n"),
                status: ExitStatus::Failure,
            })
        }
    };
    let notices = answerer.config.map(|config| config.notices).unwrap_or_default();
    Ok((said, notices))
}

/// The instance that covers the directory, unless there are flags that it was not given.
fn find_instance(run: &RunArgs, directory: &Path) -> Result<Answerer, Box<Printed>> {
    let mut answerer = Answerer::default();
    if run.decides() {
        return Ok(answerer);
    }
    let instances = client::covering(directory);
    let target = crate::cli::Target { name: run.options.text(&config::keys::NAME) };
    match commands::pick(&instances, target.name.as_deref()) {
        Some((index, instance)) => {
            let label = commands::label(index, instance.identity.name.as_deref());
            let pid = instance.identity.pid;
            let others = commands::others(&instances, index, &target);
            answerer.label = format!("instance {label} (pid {pid})");
            answerer.says = format!("as {} sees it\n{others}", answerer.label);
            answerer.instance = Some(instance.clone());
        }
        None if target.name.is_some() => {
            return Err(Box::new(commands::nobody(false, &target, directory)));
        }
        None => {}
    }
    Ok(answerer)
}

impl Answerer {
    fn answer(
        &self,
        question: &Question,
        directory: &Path,
        args: &ExplainArgs,
    ) -> Result<Printed, String> {
        let pid = self.instance.as_ref().map(|instance| instance.identity.pid);
        let written_for = self.instance.as_ref().map_or(directory, Instance::directory);
        let places = Places { asked_in: directory, written_for };
        let mut status = ExitStatus::Ok;
        let out = match question {
            Question::Paths(paths) => {
                let verdicts = self.verdicts(paths)?;
                if !verdicts.iter().all(|verdict| verdict.watched) {
                    status = ExitStatus::Failure;
                }
                let each = paths.iter().zip(&verdicts);
                let line = |(path, verdict): (&JsonName, &Explained)| match args.json {
                    true => json(path, verdict, places, pid),
                    false => line(path, verdict, places),
                };
                each.map(line).collect()
            }
            Question::Summary => {
                let surveyed = self.survey(false)?;
                match args.json {
                    true => overview::json(&surveyed, written_for, pid),
                    false => overview::text(&surveyed, pid.is_some(), places),
                }
            }
            Question::Tree(paths) => {
                let surveyed = self.survey(true)?;
                let drawn = match (args.json, report::stdout_is_terminal()) {
                    (true, _) => drawing::json(&surveyed, paths),
                    (false, true) => drawing::tree(&surveyed, paths, places),
                    (false, false) => drawing::list(&surveyed, paths, places),
                };
                if drawn.is_empty() {
                    status = ExitStatus::Failure;
                }
                drawn
            }
        };
        Ok(Printed { out, err: self.says.clone(), status })
    }

    fn verdicts(&self, paths: &[JsonName]) -> Result<Vec<Explained>, String> {
        if let Some(mut survey) = self.own_survey() {
            return judge(&mut survey, None, paths, &|| true).ok_or_else(String::new);
        }
        match self.asked(&Ask::Explain { paths: paths.to_vec() })? {
            Reply::Explained { verdicts } if verdicts.len() == paths.len() => Ok(verdicts),
            _ => Err(self.nonsense()),
        }
    }

    fn survey(&self, tree: bool) -> Result<Surveyed, String> {
        if let (Some(mut survey), Some(config)) = (self.own_survey(), &self.config) {
            let configuration = config.source();
            let gathered = gather(&mut survey, None, tree, configuration, &|| true);
            return gathered.ok_or_else(String::new);
        }
        match self.asked(&Ask::Survey { tree })? {
            Reply::Surveyed(surveyed) => Ok(surveyed),
            _ => Err(self.nonsense()),
        }
    }

    fn own_survey(&self) -> Option<Survey> {
        let config = self.config.as_ref()?;
        let mut settings = config.watch.clone();
        settings.own.push(SocketDirectory::of_this_user().path().to_path_buf());
        Some(Survey::new(config.filter.clone(), config.roots.clone(), &settings))
    }

    fn asked(&self, ask: &Ask) -> Result<Reply, String> {
        let instance = self.instance.as_ref().ok_or("nobody is there")?;
        let failed = |error| format!("{} does not answer: {error}", self.label);
        instance.ask(ask, Some(PATIENCE)).map_err(failed)
    }

    /// An instance that knows the question never refuses it.
    fn nonsense(&self) -> String {
        format!("{} is of another version", self.label)
    }
}

/// The paths that are asked about, absolute: the arguments, and standard input for `-`. `nul`: standard input is
/// separated by NUL bytes, not by newlines.
///
/// # Errors
/// Standard input cannot be read.
fn paths(
    typed: &[OsString],
    directory: &Path,
    nul: bool,
    stdin: &mut dyn Read,
) -> io::Result<Vec<JsonName>> {
    let mut paths = Vec::new();
    for path in typed {
        if path != "-" {
            paths.push(absolute(directory, Path::new(path)));
            continue;
        }
        let mut text = Vec::new();
        stdin.read_to_end(&mut text)?;
        let end = if nul { 0 } else { b'\n' };
        let each = text.split(|byte| *byte == end).filter(|path| !path.is_empty());
        paths.extend(each.map(|path| absolute(directory, Path::new(os_str(path)))));
    }
    Ok(paths)
}

/// A path without `.` and `..`. A slash at the end stays: it says that a directory is meant.
#[must_use]
pub fn absolute(directory: &Path, typed: &Path) -> JsonName {
    let mut bytes = config::absolute(directory, typed).into_os_string().into_encoded_bytes();
    if typed.as_os_str().as_encoded_bytes().ends_with(b"/") && bytes.len() > 1 {
        bytes.push(b'/');
    }
    JsonName(bytes)
}

/// The line of a verdict: `src/a.go: watched (included_filetypes: .go, config.yml:4)`.
fn line(path: &JsonName, explained: &Explained, places: Places<'_>) -> String {
    let slash = if path.0.len() > 1 && path.0.ends_with(b"/") { "/" } else { "" };
    let name = shown(path.path(), places.asked_in);
    format!("{name}{slash}: {}\n", explained.words(path.path(), places))
}

/// A line of `--json`.
#[derive(Serialize)]
struct VerdictLine<'l> {
    v: u32,
    path: &'l JsonName,
    #[serde(flatten)]
    explained: &'l Explained,
    verdict: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u32>,
}

/// A verdict as a JSON object on a line.
fn json(
    path: &JsonName,
    explained: &Explained,
    places: Places<'_>,
    instance: Option<u32>,
) -> String {
    let verdict = &explained.words(path.path(), places);
    report::json_line(&VerdictLine { v: PROTOCOL, path, explained, verdict, instance })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_standard_input_become_absolute_paths() {
        let none: &[u8] = b"";
        for (typed, nul, stdin, expected) in [
            (
                &["a", "./b/", "../c", "/d/../e"][..],
                false,
                none,
                &["/w/a", "/w/b/", "/c", "/e"][..],
            ),
            (&["x", "-"], false, b"a\n\nb c\n", &["/w/x", "/w/a", "/w/b c"]),
            (&["-"], true, b"a\nb\0c/\0", &["/w/a\nb", "/w/c/"]),
            (&["/", "."], false, none, &["/", "/w"]),
        ] {
            let typed: Vec<OsString> = typed.iter().map(OsString::from).collect();
            let paths = paths(&typed, Path::new("/w"), nul, &mut &*stdin).unwrap();
            let paths: Vec<&str> = paths.iter().map(|path| path.path().to_str().unwrap()).collect();
            assert_eq!(paths, expected, "{typed:?}");
        }
    }
}
