//! Those who wait for a run, and the moment at which each can be answered. Pure: time is an argument.
//!
//! A waiter first waits for its *marker*: a file made when it asked, in a directory that the same event
//! queue watches. When the marker has come back, everything that was written before it has been seen.

use std::time::{Duration, Instant};

use super::{Ending, Outcome, PROTOCOL, WaitAnswer};
use crate::supervisor::State;

/// The time for which a command has to stay up to be ready.
const SETTLE: Duration = Duration::from_millis(500);

/// The facts of the moment that answers depend on.
#[derive(Clone, Debug)]
pub struct Look {
    /// The state of the command.
    pub state: State,
    /// Changes that no run has seen yet.
    pub pending: bool,
    /// Why a change leads to no run although nothing is pending: [`Outcome::Ignored`] or [`Outcome::Held`].
    pub stuck: Option<Outcome>,
    /// The current run, else the last.
    pub run: Option<u64>,
    /// The cause of that run.
    pub cause: Option<String>,
    /// The moment at which the state began.
    pub since: Instant,
    /// The last run that ended; when nothing runs, this is `run`.
    pub last: Option<Ending>,
}

/// One client that waits.
#[derive(Debug)]
struct Waiter<T> {
    marker: u64,
    marked: bool,
    /// The time in place of [`SETTLE`]; it holds for a command that is known to end, too.
    settle: Option<Duration>,
    /// The last run that had ended when the question came: only a later end is news.
    ended_before: Option<u64>,
    who: T,
}

/// All clients that wait; `T` is the way back for an answer.
#[derive(Debug)]
pub struct Waiters<T> {
    waiters: Vec<Waiter<T>>,
    next_marker: u64,
}

impl<T> Default for Waiters<T> {
    fn default() -> Self {
        Self { waiters: Vec::new(), next_marker: 0 }
    }
}

impl<T> Waiters<T> {
    /// Takes a client in and returns the marker that has to be made for it.
    pub fn add(&mut self, settle: Option<Duration>, look: &Look, who: T) -> u64 {
        self.next_marker += 1;
        let marker = self.next_marker;
        let ended_before = match look.state {
            State::Waiting | State::Failed | State::Paused => look.last.map(|last| last.run),
            State::Starting | State::Running | State::Building | State::Stopping => None,
        };
        self.waiters.push(Waiter { marker, marked: false, settle, ended_before, who });
        marker
    }

    /// A marker has come back.
    pub fn marked(&mut self, marker: u64) {
        for waiter in self.waiters.iter_mut().filter(|waiter| waiter.marker <= marker) {
            waiter.marked = true;
        }
    }

    /// The markers that have not come back.
    pub fn unmarked(&self) -> impl Iterator<Item = u64> {
        self.waiters.iter().filter(|waiter| !waiter.marked).map(|waiter| waiter.marker)
    }

    /// Takes out the clients that can be answered now.
    pub fn answer(&mut self, look: &Look, now: Instant) -> Vec<(T, WaitAnswer)> {
        let mut answered = Vec::new();
        let mut kept = Vec::new();
        for waiter in self.waiters.drain(..) {
            match verdict(&waiter, look, now) {
                Some(answer) => answered.push((waiter.who, answer)),
                None => kept.push(waiter),
            }
        }
        self.waiters = kept;
        answered
    }

    /// Takes out all clients: no marker can be made.
    pub fn give_up(&mut self) -> impl Iterator<Item = T> {
        self.waiters.drain(..).map(|waiter| waiter.who)
    }

    /// The moment at which a client can be answered by time alone: a command that stays up becomes ready.
    #[must_use]
    pub fn deadline(&self, look: &Look) -> Option<Instant> {
        if look.pending {
            return None;
        }
        let marked = self.waiters.iter().filter(|waiter| waiter.marked);
        marked.filter_map(|waiter| ready_at(waiter, look)).min()
    }

    /// Whether no client waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }
}

/// The moment at which a command that is up counts as ready, if it ever does.
fn ready_at<T>(waiter: &Waiter<T>, look: &Look) -> Option<Instant> {
    let settle = match look.state {
        State::Running => Some(waiter.settle.unwrap_or(SETTLE)),
        State::Building => waiter.settle,
        _ => None,
    };
    // A time that is too long for the clock is for ever.
    look.since.checked_add(settle?)
}

fn verdict<T>(waiter: &Waiter<T>, look: &Look, now: Instant) -> Option<WaitAnswer> {
    if !waiter.marked || look.pending {
        return None;
    }
    if let Some(outcome) = look.stuck {
        return Some(WaitAnswer { run: look.run, ..WaitAnswer::bare(outcome) });
    }
    match look.state {
        State::Starting | State::Stopping => None,
        State::Running | State::Building => {
            ready_at(waiter, look).filter(|at| *at <= now).map(|_| WaitAnswer {
                run: look.run,
                cause: look.cause.clone(),
                duration_ms: u64::try_from(now.duration_since(look.since).as_millis()).ok(),
                ..WaitAnswer::bare(Outcome::Ready)
            })
        }
        State::Waiting | State::Failed | State::Paused => Some(ended(waiter, look)),
    }
}

fn ended<T>(waiter: &Waiter<T>, look: &Look) -> WaitAnswer {
    let Some(last) = look.last else { return WaitAnswer::bare(Outcome::Unchanged) };
    let news = waiter.ended_before.is_none_or(|before| before < last.run);
    WaitAnswer {
        v: PROTOCOL,
        outcome: if news { Outcome::Finished } else { Outcome::Unchanged },
        run: Some(last.run),
        cause: look.cause.clone().filter(|_| look.run == Some(last.run)),
        exit: last.exit,
        signal: last.signal,
        duration_ms: Some(last.duration_ms),
        ago_ms: last.ago_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(state: State, pending: bool, run: u64, ended: Option<u64>, since: Instant) -> Look {
        let last = ended.map(|run| Ending {
            run,
            exit: Some(1),
            signal: None,
            duration_ms: 5,
            ago_ms: Some(1),
        });
        let (run, cause) = (Some(run), Some("a.go".into()));
        Look { state, pending, stuck: None, run, cause, since, last }
    }

    #[test]
    fn nobody_is_answered_before_the_marker_nor_while_a_change_is_pending() {
        let now = Instant::now();
        let mut waiters = Waiters::default();
        let idle = look(State::Waiting, false, 1, Some(1), now);
        let marker = waiters.add(Some(Duration::ZERO), &idle, ());
        assert!(waiters.answer(&idle, now).is_empty());
        waiters.marked(marker);
        assert!(waiters.answer(&look(State::Waiting, true, 1, Some(1), now), now).is_empty());
        assert!(waiters.answer(&look(State::Starting, false, 2, Some(1), now), now).is_empty());
        let answers = waiters.answer(&look(State::Failed, false, 2, Some(2), now), now);
        assert_eq!(answers[0].1.outcome, Outcome::Finished);
        assert_eq!((answers[0].1.run, answers[0].1.exit), (Some(2), Some(1)));
        assert!(waiters.is_empty());
    }

    #[test]
    fn no_change_is_unchanged_with_the_last_result() {
        let now = Instant::now();
        let mut waiters = Waiters::default();
        let idle = look(State::Waiting, false, 7, Some(7), now);
        let marker = waiters.add(Some(Duration::ZERO), &idle, ());
        waiters.marked(marker);
        let answers = waiters.answer(&idle, now);
        assert_eq!((answers[0].1.outcome, answers[0].1.run), (Outcome::Unchanged, Some(7)));
    }

    #[test]
    fn a_change_that_leads_to_no_run_is_told_at_once() {
        let now = Instant::now();
        for outcome in [Outcome::Ignored, Outcome::Held] {
            let mut waiters = Waiters::default();
            let up = look(State::Running, false, 3, Some(1), now);
            let stuck = Look { stuck: Some(outcome), ..up.clone() };
            let marker = waiters.add(None, &up, ());
            waiters.marked(marker);
            assert!(waiters.answer(&Look { pending: true, ..stuck.clone() }, now).is_empty());
            let answers = waiters.answer(&stuck, now);
            assert_eq!((answers[0].1.outcome, answers[0].1.run), (outcome, Some(3)));
        }
    }

    #[test]
    fn a_server_is_ready_when_it_has_stayed_up() {
        let start = Instant::now();
        let settle = Duration::from_millis(500);
        let mut waiters = Waiters::default();
        let up = look(State::Running, false, 3, Some(1), start);
        let marker = waiters.add(None, &up, ());
        waiters.marked(marker);
        assert!(waiters.answer(&up, start + settle / 2).is_empty());
        assert_eq!(waiters.deadline(&up), Some(start + settle));
        let answers = waiters.answer(&up, start + settle);
        assert_eq!((answers[0].1.outcome, answers[0].1.run), (Outcome::Ready, Some(3)));
    }

    #[test]
    fn the_end_of_a_build_is_waited_for_unless_its_time_was_given() {
        let start = Instant::now();
        let settle = Duration::from_millis(500);
        let mut waiters = Waiters::default();
        let up = look(State::Building, false, 3, Some(1), start);
        let marker = waiters.add(None, &up, "the end");
        waiters.marked(marker);
        assert_eq!(waiters.deadline(&up), None);
        let marker = waiters.add(Some(settle), &up, "a time");
        waiters.marked(marker);
        assert_eq!(waiters.deadline(&up), Some(start + settle));
        let answers = waiters.answer(&up, start + Duration::from_secs(3600));
        assert_eq!((answers.len(), answers[0].0), (1, "a time"));
        let answers = waiters.answer(&look(State::Waiting, false, 3, Some(3), start), start);
        assert_eq!((answers[0].0, answers[0].1.outcome), ("the end", Outcome::Finished));
    }
}
