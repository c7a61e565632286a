//! What a change, an end or a request leads to.

use super::super::{Settings, State};
use super::dialogue::Dialogue;
use super::settings;
use crate::model::{Ended, OnBusy, OnCrash, RunId};

fn play(settings: Settings, script: &str) -> Dialogue {
    let mut dialogue = Dialogue::new(settings);
    dialogue.play(script);
    dialogue
}

fn busy(on_busy: OnBusy) -> Settings {
    Settings { on_busy, ..settings() }
}

fn crash(on_crash: OnCrash) -> Settings {
    Settings { on_crash, ..settings() }
}

#[test]
fn a_change_stops_what_runs_and_starts_it_again_when_it_is_gone() {
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         change a -> stop 1
         exit 1 sig15 ->
         gone 1 -> 'run 2 a', spawn 2 a
         up 2 -> 'took 0'",
    );
}

#[test]
fn a_change_starts_at_once_what_has_ended() {
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         exit 1 0 -> 'ended 0 waiting'
         gone 1 ->
         change a -> 'run 2 a', spawn 2 a",
    );
}

#[test]
fn what_the_leader_left_is_stopped_before_the_next_run() {
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         exit 1 0 worker -> 'ended 0 waiting', 'left 1'
         change a -> stop 1
         gone 1 worker -> 'left stopped 1', 'run 2 a', spawn 2 a",
    );
    // Ended, but not known to be empty yet.
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         exit 1 1 -> 'ended 1 waiting'
         change a -> stop 1
         gone 1 -> 'run 2 a', spawn 2 a
         gone 1 ->",
    );
}

#[test]
fn changes_while_stopping_join_the_cause() {
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         change a -> stop 1
         change b a ->
         change b c ->
         gone 1 -> 'run 2 abc', spawn 2 abc",
    );
}

#[test]
fn a_change_while_starting_is_answered_under_every_policy() {
    let head = "begin -> 'run 1 start', spawn 1 start\n";
    let rows = [
        (OnBusy::Restart, "change a -> stop 1\n up 1 ->\n gone 1 -> 'run 2 a', spawn 2 a"),
        (
            OnBusy::Queue,
            "change a -> 'queue a +0'\n up 1 ->\n change b c -> 'queue b +1'
             exit 1 0 -> 'ended 0', stop 1\n gone 1 -> 'run 2 abc', spawn 2 abc",
        ),
        (OnBusy::Ignore, "change a b ->\n up 1 -> 'ignore a +1'\n exit 1 0 -> 'ended 0 waiting'"),
        (OnBusy::Signal, "change a ->\n up 1 -> signal 1 15, 'signal a +0'"),
    ];
    for (on_busy, script) in rows {
        play(busy(on_busy), &format!("{head}{script}"));
        // If it turns out that it can't start, the change tries again.
        if on_busy != OnBusy::Restart {
            let mut dialogue = play(busy(on_busy), head);
            let _ = dialogue.happens("change a");
            dialogue.play("no 1 -> 'cannot', 'run 2 a', spawn 2 a\n no 2 -> 'cannot waiting'");
        }
    }
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         change a -> stop 1
         no 1 -> 'cannot', 'run 2 a', spawn 2 a
         gone 1 ->",
    );
}

#[test]
fn a_change_while_it_runs_is_answered_as_told() {
    let head = "begin -> 'run 1 start', spawn 1 start\n up 1 ->\n";
    let rows = [
        (OnBusy::Queue, "change a -> 'queue a +0'\n exit 1 1 -> 'ended 1', stop 1"),
        (OnBusy::Ignore, "change a b -> 'ignore a +1'\n exit 1 0 -> 'ended 0 waiting'\n gone 1 ->"),
        (OnBusy::Signal, "change a -> signal 1 15, 'signal a +0'\n exit 1 0 -> 'ended 0 waiting'"),
    ];
    for (on_busy, script) in rows {
        play(busy(on_busy), &format!("{head}{script}"));
        // An ended command is not busy.
        play(
            busy(on_busy),
            &format!(
                "{head}exit 1 0 -> 'ended 0 waiting'\n gone 1 ->\n change a -> 'run 2 a', spawn 2 a"
            ),
        );
    }
}

#[test]
fn what_can_not_start_waits_for_a_change_and_keeps_its_cause() {
    let dialogue = play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         no 1 -> 'cannot waiting'
         change a -> 'run 2 a', spawn 2 a
         no 2 -> 'cannot waiting'
         change b -> 'run 3 ab', spawn 3 ab
         up 3 -> 'took 0'
         change c -> stop 3
         gone 3 -> 'run 4 c', spawn 4 c
         no 4 -> 'cannot waiting'",
    );
    assert_eq!(dialogue.supervisor.state().state, State::Failed);
    assert_eq!(dialogue.supervisor.tally(dialogue.now).failed, 3);
    assert_eq!(dialogue.supervisor.tally(dialogue.now).runs, 1);
}

#[test]
fn a_lost_shim_leads_to_the_next_start_when_a_change_is_there() {
    play(
        busy(OnBusy::Queue),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         shim 1 -> 'shim lost'
         change a -> 'run 2 a', spawn 2 a
         up 2 -> 'took 0'
         shim 2 -> 'shim lost', 'run 3 a', spawn 3 a
         up 3 ->
         change b -> 'queue b +0'
         shim 3 -> 'shim lost', 'run 4 ab', spawn 4 ab
         shim 3 -> 'shim lost'
         shim -> 'shim lost'
         up 4 -> 'took 0'",
    );
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         change a -> stop 1
         shim 1 -> 'shim lost', 'run 2 a', spawn 2 a",
    );
}

#[test]
fn once_ends_with_the_status_of_the_command() {
    let once = Settings { once: true, ..settings() };
    let head = "begin -> 'run 1 start', spawn 1 start\n";
    for script in [
        "up 1 ->\n exit 1 0 -> 'ended 0', stop 1\n gone 1 -> exit 0\n gone 1 ->",
        "up 1 ->\n exit 1 3 w -> 'ended 3', 'left 1', stop 1\n gone 1 w -> 'left stopped 1', exit 3",
        "up 1 ->\n exit 1 sig11 -> 'ended sig11', stop 1\n gone 1 -> exit by 11",
        "no 1 -> 'cannot', exit cannot",
        "up 1 ->\n change a -> 'ignore a +0'\n exit 1 0 -> 'ended 0', stop 1",
        "up 1 ->\n stop -> 'stop', stop 1\n gone 1 -> exit",
        "up 1 ->\n restart -> 'restart', stop 1\n gone 1 -> 'run 2 request', spawn 2 request",
        "up 1 ->\n int -> stop 1\n exit 1 sig15 ->\n gone 1 -> exit signal 2",
        "up 1 ->\n shim 1 -> 'shim lost', exit cannot",
    ] {
        play(once.clone(), &format!("{head}{script}"));
    }
    play(
        Settings { postpone: true, ..once },
        "begin ->\n change a -> 'run 1 a', spawn 1 a\n up 1 -> 'took 0'",
    );
}

#[test]
fn postpone_waits_for_the_first_change() {
    let postpone = Settings { postpone: true, ..settings() };
    play(postpone.clone(), "begin ->\n change a -> 'run 1 a', spawn 1 a");
    play(postpone, "begin ->\n restart -> 'restart', 'run 1 request', spawn 1 request");
}

#[test]
fn on_crash_exit_ends_with_a_failure_and_only_then() {
    play(
        crash(OnCrash::Exit),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         exit 1 0 -> 'ended 0 waiting'
         gone 1 ->
         change a -> 'run 2 a', spawn 2 a
         up 2 -> 'took 0'
         exit 2 7 -> 'ended 7', stop 2
         int ->
         gone 2 -> exit signal 2",
    );
    play(
        crash(OnCrash::Exit),
        "begin -> 'run 1 start', spawn 1 start\n no 1 -> 'cannot', exit cannot",
    );
    // A change is there already: it is the answer to the failure.
    play(
        Settings { on_crash: OnCrash::Exit, ..busy(OnBusy::Queue) },
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         change a -> 'queue a +0'
         exit 1 7 -> 'ended 7', stop 1
         gone 1 -> 'run 2 a', spawn 2 a",
    );
}

#[test]
fn on_crash_restart_waits_longer_each_time_and_an_edit_resets_it() {
    let mut dialogue = play(
        crash(OnCrash::Restart),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         exit 1 1 -> 'ended 1', 'again in 250'
         gone 1 ->
         wait 249 ->
         wait 1 -> 'run 2 crash', spawn 2 crash
         up 2 ->
         exit 2 1 w -> 'ended 1', 'left 1', 'again in 500'
         wait 500 -> stop 2
         gone 2 w -> 'left stopped 1', 'run 3 crash', spawn 3 crash
         no 3 -> 'cannot', 'again in 1000'
         change a -> 'run 4 a', spawn 4 a
         up 4 -> 'took 0'
         exit 4 1 -> 'ended 1', 'again in 250'
         gone 4 ->
         restart -> 'restart', 'run 5 request', spawn 5 request
         up 5 -> 'took 0'
         exit 5 1 -> 'ended 1', 'again in 250'
         stop -> 'stop', stop 5
         gone 5 ->
         wait 60000 ->
         change a -> 'run 6 a', spawn 6 a",
    );
    dialogue.play("up 6 -> 'took 0'\n exit 6 1 -> 'ended 1', 'again in 250'\n gone 6 ->");
    for run in 7..13 {
        let _ = dialogue.happens("wait 8000");
        let _ = dialogue.happens(&format!("up {run}"));
        let _ = dialogue.happens(&format!("exit {run} 1"));
        let _ = dialogue.happens(&format!("gone {run}"));
    }
    assert_eq!(dialogue.supervisor.tally(dialogue.now).runs, 11);
}

#[test]
fn on_crash_restart_gives_up_until_a_change() {
    let mut dialogue = Dialogue::new(crash(OnCrash::Restart));
    let _ = dialogue.happens("begin");
    for run in 1..8 {
        let _ = dialogue.happens(&format!("up {run}"));
        let _ = dialogue.happens(&format!("exit {run} 1"));
        let _ = dialogue.happens(&format!("gone {run}"));
        let until = dialogue.supervisor.deadline().expect("it will be tried again");
        let wait = until.duration_since(dialogue.now).as_millis();
        assert_eq!(wait, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000][run - 1]);
        let _ = dialogue.happens(&format!("wait {wait}"));
    }
    dialogue.play(
        "up 8 ->
         exit 8 1 -> 'ended 1 waiting', 'gave up after 8'
         gone 8 ->
         wait 60000 ->
         change a -> 'run 9 a', spawn 9 a
         up 9 -> 'took 0'
         exit 9 1 -> 'ended 1', 'again in 250'",
    );
}

#[test]
fn while_paused_nothing_starts_and_nothing_is_lost() {
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         pause -> 'paused'
         pause ->
         change a ->
         change b ->
         resume -> 'resumed 2', stop 1
         gone 1 -> 'run 2 ab', spawn 2 ab
         up 2 -> 'took 0'
         toggle -> 'paused'
         exit 2 1 -> 'ended 1 waiting'
         gone 2 ->
         change c ->
         toggle -> 'resumed 1', 'run 3 c', spawn 3 c
         up 3 -> 'took 0'
         toggle -> 'paused'
         toggle -> 'resumed 0'",
    );
    // A request is more than a pause; a restart under way is brought to its end.
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         change a -> stop 1
         pause -> 'paused'
         change b ->
         gone 1 -> 'run 2 ab', spawn 2 ab
         up 2 -> 'took 0'
         change c ->
         restart -> 'restart', stop 2
         gone 2 -> 'run 3 c', spawn 3 c",
    );
    play(
        crash(OnCrash::Restart),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         exit 1 1 -> 'ended 1', 'again in 250'
         gone 1 ->
         pause -> 'paused'
         wait 10000 ->
         resume -> 'resumed 0'
         wait 0 -> 'run 2 crash', spawn 2 crash",
    );
}

#[test]
fn stopped_by_request_it_stays_stopped_until_a_change_or_a_request() {
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         stop -> 'stop', stop 1
         gone 1 ->
         wait 100000 ->
         change a -> 'run 2 a', spawn 2 a
         stop -> 'stop', stop 2
         up 2 ->
         exit 2 sig15 ->
         gone 2 ->
         restart -> 'restart', 'run 3 a', spawn 3 a
         up 3 -> 'took 0'
         stop -> 'stop', stop 3
         change b ->
         gone 3 -> 'run 4 b', spawn 4 b
         up 4 -> 'took 0'
         change c -> stop 4
         stop -> 'stop'
         gone 4 ->
         change d -> 'run 5 cd', spawn 5 cd",
    );
}

#[test]
fn the_changes_that_a_request_takes_with_it_are_its_cause() {
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start
         up 1 ->
         keep a
         restart -> 'restart', stop 1
         gone 1 -> 'run 2 a', spawn 2 a",
    );
}

#[test]
fn a_process_that_waits_for_the_terminal_is_named() {
    play(
        settings(),
        "begin -> 'run 1 start', spawn 1 start\n up 1 ->\n tty 1 sudo -> 'tty'\n tty 0 sudo ->",
    );
}

#[test]
fn the_picture_tells_what_is_going_on() {
    let mut dialogue = Dialogue::new(settings());
    let rows = [
        ("begin", State::Starting, None),
        ("up 1", State::Running, Some(101)),
        ("change a", State::Stopping, Some(101)),
        ("gone 1", State::Starting, None),
        ("up 2", State::Running, Some(102)),
        ("exit 2 1", State::Failed, None),
        ("gone 2", State::Failed, None),
        ("pause", State::Paused, None),
        ("change b", State::Paused, None),
        ("resume", State::Starting, None),
        ("up 3", State::Running, Some(103)),
        ("exit 3 0", State::Waiting, None),
        ("gone 3", State::Waiting, None),
        ("change c", State::Starting, None),
        // Its command is known to end.
        ("up 4", State::Building, Some(104)),
        ("exit 4 1", State::Failed, None),
    ];
    for (happens, state, pid) in rows {
        let _ = dialogue.happens("wait 10");
        let _ = dialogue.happens(happens);
        let picture = dialogue.supervisor.state();
        assert_eq!((picture.state, picture.pid), (state, pid), "after {happens}");
    }
    let picture = dialogue.supervisor.state();
    assert_eq!(picture.run, Some(RunId(4)));
    assert_eq!(picture.since, dialogue.now);
    assert_eq!(picture.reloads, 3);
    assert_eq!(picture.median_reload.map(|took| took.as_millis()), Some(10));
    assert_eq!(
        picture.last_end.map(|(run, ended, _)| (run, ended)),
        Some((RunId(4), Ended::Exit(1)))
    );
    let session = dialogue.supervisor.tally(dialogue.now);
    assert_eq!((session.runs, session.failed), (4, 2));
    assert_eq!(session.last_failed.map(|(run, ..)| run), Some(RunId(4)));
    assert_eq!(session.elapsed, dialogue.now - dialogue.start);
}
