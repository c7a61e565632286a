//! A task: one command, and what decides about it. A task gets changes and process events, and starts and stops
//! runs. A task knows nothing of the terminal, the control socket or other tasks.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::private::{self, Private};
use crate::config::Config;
use crate::control::Ending;
use crate::explain;
use crate::model::{
    Batch, Cause, Change, ChangeKind, Ended, ExitStatus, Facts, Made, Notice, ProcessEvent,
    Proposal, RunId, Signal, SlotId, Stdin,
};
use crate::outputs::{AFTERMATH, DATED, Finding, Outputs, Start, part_for};
use crate::process::{Host, Launch};
use crate::report::{JsonName, Reporter};
use crate::settle::{Due, Settle, numbers};
use crate::supervisor::{Action, Event, Exit, Face, Order, Request, Snapshot, State, Supervisor};
use crate::watch::{Comparison, Survey, Watch};

/// A batch whose files are being written again waits this often for the event that tells so. Also when the
/// maximum wait is over: it is three moments more, and a run would read half a file.
const PUT_BACKS: u32 = 3;
/// While changes are still being looked for, ask again after this: mostly a new directory, which takes a moment.
const COMPARING_ASK_AGAIN: Duration = Duration::from_millis(1);
/// An event of what a run did at its very end is here by then, as long as the machine has time.
const ON_ITS_WAY: Duration = Duration::from_millis(1);
/// A run whose end is not known was killed by us, with what was left of it: SIGKILL, the same number on
/// every Unix (signal(7)).
const KILLED: i32 = 9;

/// What all tasks of a session share: the one watch engine, the one printer, the private directory.
pub(super) struct Shared {
    pub(super) watch: Watch,
    pub(super) reporter: Reporter,
    pub(super) private: Private,
}

impl Shared {
    fn say(&mut self, notice: &Notice, now: Instant) {
        self.reporter.say(notice, now);
    }
}

/// One command: its rules, its settling, its runs.
pub(super) struct Task {
    config: Arc<Config>,
    settle: Settle,
    outputs: Outputs,
    supervisor: Supervisor,
    host: Host,
    latest: Latest,
    same_bytes: u64,
    put_backs: u32,
    /// Since when a batch waits for a file that has been emptied.
    emptied: Option<Instant>,
    exit: Option<Exit>,
}

impl Task {
    /// A task whose first run is not started yet.
    pub(super) fn new(config: &Arc<Config>, mut host: Host, keys: bool, now: Instant) -> Self {
        host.settings(&config.stop_keep);
        host.environment(environment(config));
        Self {
            settle: Settle::new(config.settle),
            outputs: Outputs::new(seed()),
            supervisor: Supervisor::new(config.supervise.clone(), face(config, keys), now),
            host,
            latest: Latest::default(),
            same_bytes: 0,
            put_backs: 0,
            emptied: None,
            exit: None,
            config: Arc::clone(config),
        }
    }

    /// The next process event.
    pub(super) async fn next(&mut self) -> (SlotId, ProcessEvent) {
        (SlotId::APP, self.host.next().await)
    }

    /// When [`Task::tick`] and [`Task::due`] are to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let rooms = [self.settle.deadline(), self.supervisor.deadline(), self.outputs.deadline()];
        rooms.into_iter().flatten().min()
    }

    /// What the supervisor has to do by now.
    pub(super) fn tick(&mut self, shared: &mut Shared, now: Instant) {
        let actions = self.supervisor.tick(now);
        self.perform(actions, shared, now);
        self.tell_findings(shared, now);
    }

    /// How the program is to end, once that is decided.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.exit
    }

    /// Ends the process that hosts the runs.
    pub(super) async fn shutdown(self) {
        self.host.shutdown().await;
    }

    // Changes.

    /// Takes in a change, unless the run makes it at its moment.
    pub(super) fn note(&mut self, change: Change, shared: &Shared, now: Instant) {
        if self.counts(&change, &shared.watch, now) {
            self.settle.note(change, now);
        }
    }

    fn counts(&mut self, change: &Change, watch: &Watch, now: Instant) -> bool {
        let in_order = !change.facts.found && watch.tells_in_order(&change.path);
        let at = self.time_of(change, in_order, watch, now);
        let lives = match self.outputs.over() {
            None => true,
            // Events come in the order of what happened; until all of those before the end are here, it is not over.
            Some(over) if in_order => self.outputs.is_ending(now) || now <= over + ON_ITS_WAY,
            Some(over) => at <= over + DATED,
        };
        self.outputs.note((&change.path, change.kind), at, lives, now)
    }

    /// When a path was changed, which may be a while before that was told.
    fn time_of(&self, change: &Change, in_order: bool, watch: &Watch, now: Instant) -> Instant {
        let path = &change.path;
        if in_order && !self.outputs.wants_time(path) {
            return now;
        }
        match watch.changed_at(path, now) {
            // An event that came in time is more precise than the clock that stamps files.
            Some(at) if in_order && now < at + DATED => now,
            Some(at) => at,
            // Nothing is there to tell. So soon after the end of a run it was the run.
            None => self.outputs.over().filter(|over| now <= *over + AFTERMATH).unwrap_or(now),
        }
    }

    /// Everything that had happened when the last run ended has been told.
    pub(super) fn caught_up(&mut self) {
        self.outputs.ended();
    }

    /// When settling has to be asked next.
    pub(super) fn settles(&self) -> Option<Instant> {
        self.settle.deadline()
    }

    /// How many changes wait for a run to be decided.
    pub(super) fn waiting(&self) -> usize {
        self.settle.waiting()
    }

    /// Settling, for what git is doing to it.
    pub(super) fn settle(&mut self) -> &mut Settle {
        &mut self.settle
    }

    /// Whether a save is complete and may be handed out by [`Task::fire`].
    pub(super) fn due(&mut self, shared: &mut Shared, now: Instant) -> bool {
        match self.settle.due(now) {
            None => false,
            Some(Due::Delayed { until, path, more }) => {
                let wait = until.saturating_duration_since(now);
                let duration = self.config.settle.duration;
                shared.say(&Notice::Delayed { path, more, wait, duration }, now);
                false
            }
            // Changes are still being looked for: what is found belongs to the same run.
            Some(Due::Ready) if shared.watch.is_comparing(now) => {
                self.settle.postpone(now + COMPARING_ASK_AGAIN);
                false
            }
            Some(Due::Ready) => true,
        }
    }

    /// Hands the complete save to the supervisor, unless nothing really changed.
    pub(super) fn fire(&mut self, shared: &mut Shared, now: Instant) {
        if let Some(batch) = self.settle.take(now) {
            shared.watch.taken();
            self.verify(batch, shared, now);
        }
    }

    fn verify(&mut self, mut batch: Batch, shared: &mut Shared, now: Instant) {
        if let Some(path) = &batch.noisy {
            let notice = Notice::Noisy { path: path.clone(), every: numbers::MAX_WAIT };
            shared.say(&notice, now);
        }
        shared.watch.leave_out_what_went(&mut batch);
        if batch.changes.is_empty() {
            (self.put_backs, self.emptied) = (0, None);
            self.outputs.cancel();
            return;
        }
        // What a run that could not start was to answer is still open, whatever the bytes are.
        let open = self.supervisor.kept() > 0;
        match (shared.watch.compare(&batch), batch.changes.first()) {
            (Comparison::Same, Some(first)) if !open => {
                self.same_bytes += 1;
                self.outputs.cancel();
                let (path, more) = (first.path.clone(), batch.changes.len() - 1);
                shared.say(&Notice::SameBytes { path, more }, now);
            }
            (Comparison::Unsettled(delay), _) if self.put_backs < PUT_BACKS => {
                self.put_backs += 1;
                return self.put_back(batch, now + delay);
            }
            (Comparison::Emptied(delay), _)
                if now < *self.emptied.get_or_insert(now) + numbers::MAX_WAIT =>
            {
                return self.put_back(batch, now + delay);
            }
            _ => self.start_or_put_off(batch, shared, now),
        }
        (self.put_backs, self.emptied) = (0, None);
    }

    fn put_back(&mut self, batch: Batch, until: Instant) {
        self.settle.put_back(batch);
        self.settle.postpone(until);
    }

    /// A batch may have to wait, for a trial or because a row cools down.
    fn start_or_put_off(&mut self, batch: Batch, shared: &mut Shared, now: Instant) {
        let at = self.outputs.plan(&batch, now);
        if at <= now {
            self.decide(Event::Batch(batch), shared, now);
        } else {
            self.settle.hold(batch, at, now);
        }
    }

    // Runs.

    /// Starts the first run, unless it is postponed.
    pub(super) fn begin(&mut self, shared: &mut Shared, now: Instant) {
        self.decide(Event::Begin, shared, now);
    }

    /// A signal asks the program to end.
    pub(super) fn terminate(&mut self, signal: Signal, shared: &mut Shared, now: Instant) {
        self.decide(Event::Terminate(signal), shared, now);
    }

    /// Something happened to the processes of a slot.
    pub(super) fn happened(
        &mut self,
        slot: SlotId,
        event: ProcessEvent,
        shared: &mut Shared,
        now: Instant,
    ) {
        // Not before: until the command is there, every microsecond of this processor may be the shim's.
        let started =
            matches!(event, ProcessEvent::Started { .. } | ProcessEvent::SpawnFailed { .. });
        self.ended_for_outputs(&event, &mut shared.watch, now);
        if matches!(event, ProcessEvent::Gone { .. }) && self.supervisor.is_restarting() {
            // What came while the run was being stopped (its own last words, often) is seen by the next one.
            self.take_along(now);
        }
        self.latest.note(&event, now);
        self.decide(Event::Process(slot, event), shared, now);
        if started {
            shared.private.tidy();
        }
    }

    fn decide(&mut self, event: Event, shared: &mut Shared, now: Instant) {
        let actions = self.supervisor.handle(event, now);
        self.perform(actions, shared, now);
    }

    /// Does what a person or a script asks for.
    pub(super) fn request(&mut self, request: Request, shared: &mut Shared, now: Instant) {
        if request == Request::Restart {
            self.outputs.request();
            self.take_along(now);
        }
        self.decide(Event::Request(request), shared, now);
    }

    /// All that has changed by now goes with the run that is about to start.
    fn take_along(&mut self, now: Instant) {
        if let Some(batch) = self.settle.take_all(now) {
            self.supervisor.keep(batch, now);
        }
    }

    fn perform(&mut self, actions: Vec<Action>, shared: &mut Shared, now: Instant) {
        for action in actions {
            match action {
                Action::Order(_, order) => self.obey(order, shared, now),
                Action::Say(notice) => shared.say(&notice, now),
                Action::Exit(exit) => self.exit = Some(exit),
            }
        }
    }

    fn obey(&mut self, order: Order, shared: &mut Shared, now: Instant) {
        match order {
            Order::Spawn { run, cause } => self.spawn(run, &cause, shared, now),
            Order::Stop { run } => {
                self.outputs.stopping(run, now);
                self.host.stop(run, self.config.supervise.stop_signal);
            }
            Order::Kill { run } => self.host.kill(run),
            Order::Signal { run, signal } => {
                self.outputs.started(run, Start::Changes, now);
                self.host.signal(run, signal);
            }
            Order::Survey { run } => self.host.survey(run),
        }
    }

    fn spawn(&mut self, run: RunId, cause: &Cause, shared: &mut Shared, now: Instant) {
        let start = match cause {
            Cause::Start => Start::First,
            Cause::Changes(_) => Start::Changes,
            Cause::Request | Cause::Crash => Start::Other,
        };
        let along = self.outputs.started(run, start, now);
        let told = cause.with(along);
        let launch = self.launch(run, &told, shared, now);
        self.host.launch(&launch);
        if !cause.paths().is_empty() {
            self.settle.run_started(now);
        }
        shared.watch.run_started(&told, now);
    }

    /// What is needed to start a run that is told of these paths. It starts even when it can't be told what changed.
    fn launch(&self, run: RunId, told: &[Arc<Path>], shared: &mut Shared, now: Instant) -> Launch {
        let mut env = vec![("GO_WATCHER_CHANGED".into(), private::list(told))];
        match shared.private.write(told) {
            Ok(file) => env.push(("GO_WATCHER_CHANGED_FILE".into(), file.into())),
            Err((path, error)) => {
                shared.say(&Notice::NoChangedFile { path, error: error.to_string() }, now);
            }
        }
        let command = self.config.command.as_ref();
        let argv = command.map(|command| command.argv.clone()).unwrap_or_default();
        let directory = self.config.directory.clone();
        Launch { run, argv, env, directory, stdin: self.config.stdin }
    }

    // What the runs make themselves.

    fn ended_for_outputs(&mut self, event: &ProcessEvent, watch: &mut Watch, now: Instant) {
        match event {
            ProcessEvent::SpawnFailed { run, .. } => self.outputs.never_started(*run, now),
            ProcessEvent::Gone { run, .. } => {
                self.outputs.gone(*run, now);
                let rests = !self.supervisor.is_restarting() && self.outputs.wants_end();
                if rests && watch.run_ended(now) {
                    self.outputs.ending(now);
                }
            }
            _ => {}
        }
    }

    fn tell_findings(&mut self, shared: &mut Shared, now: Instant) {
        for finding in self.outputs.findings(now) {
            let notice = self.finding(finding, &shared.watch, now);
            shared.say(&notice, now);
        }
    }

    fn finding(&self, finding: Finding, watch: &Watch, now: Instant) -> Notice {
        let file = self.config.file.as_ref().map(|file| file.display().to_string());
        let proposal = |made| proposal(made, watch);
        match finding {
            Finding::Learnt(outputs) => {
                let outputs = outputs
                    .into_iter()
                    .map(|output| (proposal(output.made), output.after, output.runs));
                Notice::Outputs { outputs: outputs.collect(), file }
            }
            Finding::Released(made) => Notice::OutputReleased { made, ignored: false },
            Finding::Cooling { made, after, runs, until } => {
                let wait = until.saturating_duration_since(now);
                Notice::Cooling { proposal: proposal(made), after, runs, wait, file }
            }
            Finding::Hint { made, runs } => {
                Notice::OutputHint { proposal: proposal(made), runs, file }
            }
            Finding::Trial { made, by } => Notice::Trial { made, wait: by },
        }
    }

    /// The outputs that are known.
    pub(super) fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// Somebody was told how the latest run went: what is changed from now on is not the run's.
    pub(super) fn answered(&mut self, now: Instant) {
        self.outputs.answered(now);
    }

    /// Everything that was learnt counts again; what of it changed meanwhile is a change now.
    pub(super) fn release_outputs(&mut self, shared: &mut Shared, now: Instant) {
        let missed = self.outputs.release(|_| true);
        self.take_up(missed, shared, now);
    }

    fn take_up(&mut self, missed: Vec<Arc<Path>>, shared: &mut Shared, now: Instant) {
        for path in missed {
            let facts = Facts::default();
            self.settle.note(Change { path, kind: ChangeKind::Appeared, facts }, now);
        }
        self.tell_findings(shared, now);
    }

    /// The rules have changed: of what they ignore now nothing is to be said any more.
    pub(super) fn forget_ignored_outputs(&mut self, shared: &mut Shared, now: Instant) {
        let outputs = self.outputs.known_outputs();
        if outputs.is_empty() {
            return;
        }
        let (filter, roots) = (Arc::clone(&self.config.filter), self.config.roots.clone());
        let settings = shared.private.complete(&self.config.watch);
        let mut survey = Survey::new(filter, roots, &settings);
        let names: Vec<JsonName> =
            outputs.iter().map(|output| JsonName::from(&*output.made.example())).collect();
        let verdicts = explain::judge(&mut survey, None, &names, &|| true).unwrap_or_default();
        for (output, verdict) in outputs.into_iter().zip(verdicts) {
            if !verdict.watched {
                self.outputs.drop_output(&output.made);
                shared.say(&Notice::OutputReleased { made: output.made, ignored: true }, now);
            }
        }
    }

    // Settings and questions.

    /// Live configuration. What runs goes on; a restart, if one is needed, is a request.
    pub(super) fn configure(
        &mut self,
        newer: &Arc<Config>,
        keys: bool,
        shared: &mut Shared,
        now: Instant,
    ) {
        let old = std::mem::replace(&mut self.config, Arc::clone(newer));
        self.settle.configure(newer.settle);
        self.supervisor.configure(newer.supervise.clone(), face(newer, keys));
        self.host.settings(&newer.stop_keep);
        self.host.environment(environment(newer));
        if old.command != newer.command {
            // Another command makes other things.
            let missed = self.outputs.forget();
            self.take_up(missed, shared, now);
        } else if old.needs_walk(newer) {
            self.forget_ignored_outputs(shared, now);
        }
    }

    /// What goes on.
    pub(super) fn state(&self) -> Snapshot {
        self.supervisor.state()
    }

    /// The numbers for the last line.
    pub(super) fn tally(&self, now: Instant) -> (crate::supervisor::Tally, u64) {
        (self.supervisor.tally(now), self.same_bytes)
    }

    /// How the last run that is over ended: the latest one, whatever ended it, when nothing runs.
    pub(super) fn last_end(&self, state: &Snapshot, now: Instant) -> Option<Ending> {
        let ago = Some(millis(now.saturating_duration_since(state.since)));
        let by_itself = state.last_end;
        match state.run.filter(|run| is_over(state.state) && by_itself.is_none_or(|l| l.0 != *run))
        {
            Some(run) => {
                let stop = self.config.supervise.stop_signal.0;
                let (ended, lived) = self.latest.end(run, state, stop);
                Some(Ending::new(run.0, ended, millis(lived), ago))
            }
            None => by_itself.map(|(run, ended, lived)| {
                let ago = ago.filter(|_| state.run == Some(run));
                Ending::new(run.0, ended, millis(lived), ago)
            }),
        }
    }
}

/// What those who wait have to know of the latest run beyond how it ended by itself.
#[derive(Clone, Copy, Debug, Default)]
struct Latest {
    up: Option<(RunId, Instant)>,
    not_started: Option<(RunId, ExitStatus)>,
}

impl Latest {
    /// Remembers that a run came up, or that it could not.
    fn note(&mut self, event: &ProcessEvent, now: Instant) {
        match event {
            ProcessEvent::Started { run, .. } => self.up = Some((*run, now)),
            ProcessEvent::SpawnFailed { run, error } => {
                self.not_started = Some((*run, ExitStatus::from((error.stage, error.errno))));
            }
            _ => {}
        }
    }

    /// How a run ended that is over but did not end by itself: not started, stopped, or lost.
    fn end(&self, run: RunId, state: &Snapshot, stop: i32) -> (Ended, Duration) {
        match (self.not_started, self.up) {
            (Some((failed, status)), _) if failed == run => {
                (Ended::Exit(status.code().into()), Duration::ZERO)
            }
            (_, up) => {
                let up = up.filter(|(up, _)| *up == run);
                let lived = up.map(|(_, at)| state.since.saturating_duration_since(at));
                let signal = if state.state == State::Failed { KILLED } else { stop };
                (Ended::Signal(signal), lived.unwrap_or_default())
            }
        }
    }
}

/// Whether nothing runs and nothing is about to.
pub(super) fn is_over(state: State) -> bool {
    matches!(state, State::Waiting | State::Failed | State::Paused)
}

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What to exclude so that nobody has to find it out: for a family the first pattern that means nothing else
/// that exists.
fn proposal(made: Made, watch: &Watch) -> Proposal {
    let part = match &made {
        Made::Path(_) => None,
        Made::Names(family) => {
            let names = watch.names_in(&family.directory);
            part_for(family, names.iter().map(OsStr::new))
        }
    };
    Proposal { made, part }
}

/// What this program was started with, overridden by what is configured.
fn environment(config: &Config) -> Vec<(OsString, OsString)> {
    let mut merged: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    merged.extend(config.env.iter().cloned());
    merged.into_iter().collect()
}

fn face(config: &Config, keys: bool) -> Face {
    let (command, shell) = match &config.command {
        Some(command) => (command.shown.clone(), command.shell),
        None => (String::new(), false),
    };
    let stays = |word| matches!(word, "--watch" | "watch" | "serve");
    let mut words = command.split(|c: char| c.is_whitespace() || ";&|()'\"".contains(c));
    let may_miss_input = config.stdin == Stdin::Null && words.any(stays);
    Face { command, shell, configuration: config.source(), keys, may_miss_input }
}

/// A seed for random delays: they only have to differ from one instance to the next.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(DATED)
}
