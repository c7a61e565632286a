//! The loop's part for what the runs make themselves: it looks up times for the room that judges, and tells what
//! that found.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::run::Instance;
use crate::control::Name;
use crate::explain;
use crate::model::{Batch, Cause, Change, ChangeKind, Facts, Made, Notice, Proposal, RunId};
use crate::outputs::{AFTERMATH, DATED, Finding, Start};
use crate::supervisor::Event;
use crate::watch::Survey;

/// An event of what a run did at its very end is here by then, as long as the machine has time.
const ON_ITS_WAY: Duration = Duration::from_millis(1);

impl Instance {
    /// Whether a change counts: what the run makes at its moment does not.
    pub(super) fn counts(&mut self, change: &Change, now: Instant) -> bool {
        let in_order = !change.facts.found && self.watch.tells_in_order(&change.path);
        let at = self.time_of(change, in_order, now);
        let lives = match self.outputs.over() {
            None => true,
            // Events come in the order of what happened; until all of those before the end are here, it is not over.
            Some(over) if in_order => self.outputs.is_ending(now) || now <= over + ON_ITS_WAY,
            Some(over) => at <= over + DATED,
        };
        self.outputs.note((&change.path, change.kind), at, lives, now)
    }

    /// When a path was changed, which may be a while before that was told.
    fn time_of(&self, change: &Change, in_order: bool, now: Instant) -> Instant {
        let path = &change.path;
        if in_order && !self.outputs.wants_time(path) {
            return now;
        }
        match self.watch.changed_at(path, now) {
            // An event that came in time is more precise than the clock that stamps files.
            Some(at) if in_order && now < at + DATED => now,
            Some(at) => at,
            // Nothing is there to tell. So soon after the end of a run it was the run.
            None => self.outputs.over().filter(|over| now <= *over + AFTERMATH).unwrap_or(now),
        }
    }

    /// Puts the start for a batch off, if it is to be. Returns the batch when it may start now.
    pub(super) fn put_off(&mut self, batch: Batch, now: Instant) -> Option<Batch> {
        let at = self.outputs.plan(&batch, now);
        if at <= now {
            return Some(batch);
        }
        self.settle.hold(batch, at, now);
        None
    }

    /// A run starts, or is signalled to reload. What it is told of beside its cause.
    pub(super) fn begin_act(&mut self, run: RunId, cause: &Cause, now: Instant) -> Vec<Arc<Path>> {
        let start = match cause {
            Cause::Start => Start::First,
            Cause::Changes(_) => Start::Changes,
            Cause::Request | Cause::Crash => Start::Other,
        };
        self.outputs.started(run, start, now)
    }

    /// What a process event means for what the runs make.
    pub(super) fn ended_for_outputs(&mut self, event: &Event, now: Instant) {
        match event {
            Event::SpawnFailed { run, .. } => self.outputs.never_started(*run, now),
            Event::Gone { run, .. } => {
                self.outputs.gone(*run, now);
                let rests = !self.supervisor.is_restarting() && self.outputs.wants_end();
                if rests && self.watch.run_ended(now) {
                    self.outputs.ending(now);
                }
            }
            _ => {}
        }
    }

    /// Tells what was found out by now.
    pub(super) fn tell_findings(&mut self, now: Instant) {
        for finding in self.outputs.findings(now) {
            let notice = self.notice(finding, now);
            self.reporter.say(&notice, now);
        }
    }

    fn notice(&self, finding: Finding, now: Instant) -> Notice {
        let file = self.config.file.as_ref().map(|file| file.display().to_string());
        match finding {
            Finding::Learnt(outputs) => {
                let outputs = outputs
                    .into_iter()
                    .map(|output| (self.proposal(output.made), output.after, output.runs));
                Notice::Outputs { outputs: outputs.collect(), file }
            }
            Finding::Released(made) => Notice::OutputReleased { made, ignored: false },
            Finding::Cooling { made, after, runs, until } => {
                let wait = until.saturating_duration_since(now);
                Notice::Cooling { proposal: self.proposal(made), after, runs, wait, file }
            }
            Finding::Hint { made, runs } => {
                Notice::OutputHint { proposal: self.proposal(made), runs, file }
            }
            Finding::Trial { made, by } => Notice::Trial { made, wait: by },
        }
    }

    /// What to exclude so that nobody has to find it out: for a family the first pattern that means nothing else
    /// that exists.
    fn proposal(&self, made: Made) -> Proposal {
        let part = match &made {
            Made::Path(_) => None,
            Made::Names(family) => {
                let names = self.watch.names_in(family.directory());
                family.part(names.iter().map(OsStr::new))
            }
        };
        Proposal { made, part }
    }

    /// Everything that was learnt counts again; what of it changed meanwhile is a change now.
    pub(super) fn release_outputs(&mut self, now: Instant) {
        let missed = self.outputs.release(|_| true);
        self.take_up(missed, now);
    }

    /// Another command makes other things.
    pub(super) fn forget_outputs(&mut self, now: Instant) {
        let missed = self.outputs.forget();
        self.take_up(missed, now);
    }

    fn take_up(&mut self, missed: Vec<Arc<Path>>, now: Instant) {
        for path in missed {
            let facts = Facts::default();
            self.settle.note(Change { path, kind: ChangeKind::Appeared, facts }, now);
        }
        self.tell_findings(now);
    }

    /// The rules have changed: of what they ignore now nothing is to be said any more.
    pub(super) fn forget_ignored_outputs(&mut self, now: Instant) {
        let outputs = self.outputs.known_outputs();
        if outputs.is_empty() {
            return;
        }
        let (filter, roots) = (Arc::clone(&self.config.filter), self.config.roots.clone());
        let mut survey = Survey::new(filter, roots, &self.private.complete(&self.config.watch));
        let names: Vec<Name> =
            outputs.iter().map(|output| Name::from(&*output.made.example())).collect();
        let verdicts = explain::judge(&mut survey, None, &names, &|| true).unwrap_or_default();
        for (output, verdict) in outputs.into_iter().zip(verdicts) {
            if !verdict.watched {
                self.outputs.drop_output(&output.made);
                self.reporter
                    .say(&Notice::OutputReleased { made: output.made, ignored: true }, now);
            }
        }
    }
}

/// A seed for random delays: they only have to differ from one instance to the next.
pub(super) fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(DATED)
}
