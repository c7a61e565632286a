//! The command: who is asked, and what is printed.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::words::{self, Places};
use super::{drawing, gather, input, judge, overview};
use crate::cli::{ExplainArgs, RunArgs};
use crate::config::{self, Config, Diagnostic, Env};
use crate::control::client::{self, Instance};
use crate::control::commands::{self, Said};
use crate::control::{Ask, Explained, Place, Reply, Surveyed};
use crate::model::{ExitStatus, Notice};
use crate::report::{self, JsonName};
use crate::watch::Survey;

/// An instance may take so long for its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked.
enum Question {
    Paths(Vec<JsonName>),
    Summary,
    /// All of it, or only what is below these.
    Tree(Vec<JsonName>),
}

/// Who answers.
#[derive(Default)]
struct Answerer {
    /// `instance 1 (pid 4711)`.
    label: String,
    instance: Option<Instance>,
    config: Option<Config>,
    /// For standard error.
    says: String,
}

/// `explain`: what it says, and warnings about the configuration.
///
/// # Errors
/// What is wrong with the flags or the file, when no instance is asked; exit status 2.
pub fn explain(
    args: &ExplainArgs,
    directory: &Path,
    env: Env<'_>,
) -> Result<(Said, Vec<Notice>), Diagnostic> {
    let typed: Vec<OsString> = args.typed();
    let paths = input::paths(&typed, directory, args.null, &mut io::stdin())
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
        // The instance is gone, or of another version: then what the files say.
        Err(why) => {
            answerer.says = format!("{why}; this is what the files say:\n");
            answerer.instance = None;
            answerer.config = Some(config::load(&args.run, directory, env)?);
            answerer.answer(&question, directory, args).unwrap_or_else(|why| Said {
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
fn find_instance(run: &RunArgs, directory: &Path) -> Result<Answerer, Box<Said>> {
    let mut answerer = Answerer::default();
    if run.decides() {
        return Ok(answerer);
    }
    let instances = client::covering(&Place::of_this_user(), directory);
    let target = crate::cli::Target { name: run.options.text("name") };
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
    ) -> Result<Said, String> {
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
                    true => words::json(path, verdict, places, pid),
                    false => words::line(path, verdict, places),
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
        Ok(Said { out, err: self.says.clone(), status })
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
            let configuration = config.origin.to_string();
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
        settings.own.push(Place::of_this_user().path().to_path_buf());
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
