//! The loop's part that performs what the supervisor decided.

use std::time::Instant;

use super::run::Instance;
use crate::supervisor::{Action, Cause, Event, RunId};

impl Instance {
    pub(super) fn perform(&mut self, actions: Vec<Action>, now: Instant) {
        for action in actions {
            match action {
                Action::Spawn { run, cause } => self.spawn(run, &cause, now),
                Action::Stop { run } => self.host.stop(run, self.config.supervise.stop_signal),
                Action::Kill { run } => self.host.kill(run),
                Action::Signal { run, signal } => self.host.signal(run, signal),
                Action::Survey { run } => {
                    let processes = self.host.remaining();
                    self.happened(Event::StillThere { run, processes }, now);
                }
                Action::Say(notice) => self.reporter.say(&notice, now),
                Action::Exit(exit) => self.exit = Some(exit),
            }
        }
    }

    fn spawn(&mut self, run: RunId, cause: &Cause, now: Instant) {
        let launch = self.environment.prepare(&self.config, &mut self.private, run, cause);
        if let Some(notice) = launch.problem {
            self.reporter.say(&notice, now);
        }
        let causes = cause.paths();
        self.watch_for_loops(run, causes, now);
        self.host.launch(&launch.launch);
        if !causes.is_empty() {
            self.settle.run_started(now);
        }
        self.watch.run_started(causes, now);
    }
}
