//! The loop's part that performs what the supervisor decided.

use std::time::Instant;

use super::run::Instance;
use crate::model::{Cause, RunId};
use crate::supervisor::Action;

impl Instance {
    pub(super) fn perform(&mut self, actions: Vec<Action>, now: Instant) {
        for action in actions {
            match action {
                Action::Spawn { run, cause } => self.spawn(run, &cause, now),
                Action::Stop { run } => {
                    self.outputs.stopping(run, now);
                    self.host.stop(run, self.config.supervise.stop_signal);
                }
                Action::Kill { run } => self.host.kill(run),
                Action::Signal { run, signal } => {
                    self.begin_act(run, &Cause::Changes(Vec::new()), now);
                    self.host.signal(run, signal);
                }
                Action::Survey { run } => self.host.survey(run),
                Action::Say(notice) => self.reporter.say(&notice, now),
                Action::Exit(exit) => self.exit = Some(exit),
            }
        }
    }

    fn spawn(&mut self, run: RunId, cause: &Cause, now: Instant) {
        let along = self.begin_act(run, cause, now);
        let told = cause.with(along);
        let launch = super::launch::prepare(&self.config, &mut self.private, run, &told);
        if let Some(notice) = launch.problem {
            self.reporter.say(&notice, now);
        }
        self.host.launch(&launch.launch);
        if !cause.paths().is_empty() {
            self.settle.run_started(now);
        }
        self.watch.run_started(&told, now);
    }
}
