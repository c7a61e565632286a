//! What people and signals ask for.

use std::time::Instant;

use super::changes::News;
use super::child::{Child, Force, Next, Rest, Stopping};
use super::decide::{Out, Supervisor};
use super::{Action, Exit, Request};
use crate::model::{Notice, Signal};

/// SIGHUP, the same number on every Unix (signal(7)).
const HANG_UP: Signal = Signal(1);

impl Supervisor {
    pub(super) fn terminate(&mut self, signal: Signal, now: Instant, out: &mut Out) {
        match &mut self.child {
            // A closed terminal tells twice: the hang-up, then the end of the session's leader.
            Child::Stopping(Stopping { next: Next::Exit(Exit::Signal(first)), .. })
                if signal == HANG_UP && *first == HANG_UP =>
            {
                return;
            }
            // Asked a second time.
            Child::Stopping(Stopping { next: Next::Exit(Exit::Signal(_)), .. }) => {
                return self.kill_now(out);
            }
            Child::Stopping(Stopping { next: Next::Exit(exit @ Exit::Quit), .. }) => {
                *exit = Exit::Signal(signal);
                return self.kill_now(out);
            }
            _ => {}
        }
        self.stop_then(Next::Exit(Exit::Signal(signal)), now, out);
    }

    fn kill_now(&mut self, out: &mut Out) {
        let Child::Stopping(stopping) = &mut self.child else { return };
        if matches!(stopping.force, Force::Asked { .. }) {
            stopping.force = Force::Killed;
            out.push(Action::Kill { run: stopping.run });
            out.push(Action::Say(Notice::Requested { what: "kill" }));
        }
    }

    pub(super) fn request(&mut self, request: Request, now: Instant, out: &mut Out) {
        match request {
            Request::Restart => self.restart(now, out),
            Request::Stop => self.stop(now, out),
            Request::Pause => self.pause(true, now, out),
            Request::Resume => self.pause(false, now, out),
            Request::TogglePause => self.pause(!self.paused, now, out),
            Request::Quit => {
                if !matches!(self.child, Child::Stopping(Stopping { next: Next::Exit(_), .. })) {
                    out.push(Action::Say(Notice::Requested { what: "quit" }));
                    self.stop_then(Next::Exit(Exit::Quit), now, out);
                }
            }
        }
    }

    fn restart(&mut self, now: Instant, out: &mut Out) {
        match &mut self.child {
            Child::Stopping(Stopping { next: Next::Exit(_), .. }) => self.kill_now(out),
            Child::Stopping(stopping) => {
                stopping.next = Next::Start;
                self.pending.request(now);
                self.kill_now(out);
            }
            _ => {
                out.push(Action::Say(Notice::Requested { what: "restart" }));
                self.crash.reset();
                self.pending.request(now);
                self.pending.decided_at(Some(now));
                self.stop_then(Next::Start, now, out);
            }
        }
    }

    fn stop(&mut self, now: Instant, out: &mut Out) {
        if matches!(self.child, Child::Stopping(Stopping { next: Next::Exit(_), .. })) {
            return;
        }
        out.push(Action::Say(Notice::Requested { what: "stop" }));
        self.crash.reset();
        let rest = Next::Rest(Rest::Change { failed: false });
        // A single run that is stopped leaves nothing to wait for.
        let next = if self.settings.once { Next::Exit(Exit::Quit) } else { rest };
        self.stop_then(next, now, out);
        self.pending.calm();
    }

    fn pause(&mut self, paused: bool, now: Instant, out: &mut Out) {
        if self.paused == paused {
            return;
        }
        self.paused = paused;
        let waiting = if paused { Vec::new() } else { self.pending.paths().to_vec() };
        let news = News::of(&waiting);
        out.push(Action::Say(Notice::Paused { paused, waiting }));
        if let Some(news) = news {
            self.pending.decided_at(Some(now));
            self.answer(news, now, out);
        }
    }
}
