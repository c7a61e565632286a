//! What a change leads to.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::child::{Child, Next, Rest, Stopping};
use super::decide::{Out, Supervisor};
use super::{Action, OnBusy};
use crate::model::{Batch, Notice};

/// The changes that have just come, as a notice names them.
#[derive(Clone, Debug)]
pub(super) struct News {
    path: Arc<Path>,
    more: usize,
}

impl News {
    /// `None` when there are none.
    pub(super) fn of(paths: &[Arc<Path>]) -> Option<News> {
        let (path, rest) = paths.split_first()?;
        Some(News { path: Arc::clone(path), more: rest.len() })
    }

    fn busy(self, on_busy: OnBusy) -> Action {
        Action::Say(Notice::Busy { path: self.path, more: self.more, on_busy })
    }
}

impl Supervisor {
    pub(super) fn batch(&mut self, batch: Batch, now: Instant, out: &mut Out) {
        let news = batch
            .changes
            .first()
            .map(|first| News { path: Arc::clone(&first.path), more: batch.changes.len() - 1 });
        self.pending.add_batch(batch, now);
        if let Some(news) = news {
            self.answer(news, now, out);
        }
    }

    /// Decides what the pending changes lead to in this state.
    pub(super) fn answer(&mut self, news: News, now: Instant, out: &mut Out) {
        match &mut self.child {
            Child::Stopping(Stopping { next: next @ Next::Rest(_), .. }) if !self.paused => {
                self.crash.reset();
                *next = Next::Start;
            }
            // The start that is due anyway will come after them.
            Child::Stopping(_) | Child::Empty(Rest::Unbegun) | Child::Over => {}
            _ if self.paused => {}
            Child::Empty(_) => {
                self.crash.reset();
                self.spawn(now, out);
            }
            Child::Ended { .. } => {
                self.crash.reset();
                self.stop_then(Next::Start, now, out);
            }
            Child::Starting { .. } | Child::Running { .. } => self.answer_busy(news, now, out),
        }
    }

    fn answer_busy(&mut self, news: News, now: Instant, out: &mut Out) {
        let policy = if self.settings.once { OnBusy::Ignore } else { self.settings.on_busy };
        let running = match self.child {
            Child::Running { run, .. } => Some(run),
            _ => None,
        };
        match (policy, running) {
            (OnBusy::Restart, _) => {
                self.crash.reset();
                self.stop_then(Next::Start, now, out);
            }
            (OnBusy::Queue, _) => out.push(news.busy(OnBusy::Queue)),
            // Whether it comes up at all is not known yet: decided when it is.
            (OnBusy::Ignore | OnBusy::Signal, None) => {}
            (OnBusy::Ignore, Some(_)) => {
                out.push(news.busy(OnBusy::Ignore));
                self.pending.drop_changes();
            }
            (OnBusy::Signal, Some(run)) => {
                let signal = self.settings.stop_signal;
                out.push(Action::Signal { run, signal });
                out.push(news.busy(OnBusy::Signal));
                self.pending.drop_changes();
            }
        }
    }

    /// Decides about what came while the run was starting. What is queued has been told already.
    pub(super) fn answer_deferred(&mut self, now: Instant, out: &mut Out) {
        let queued = self.settings.on_busy == OnBusy::Queue && !self.settings.once;
        if let Some(news) = News::of(self.pending.paths())
            && !self.paused
            && !queued
        {
            self.answer_busy(news, now, out);
        }
    }
}
