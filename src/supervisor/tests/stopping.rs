//! Every stop ends, and the end of the program comes after the end of its processes.

use std::time::Duration;

use super::super::Settings;
use super::dialogue::Dialogue;
use super::settings;

const UP: &str = "begin -> 'run 1 start', spawn 1 start\n up 1 ->\n";

fn play(script: &str) {
    Dialogue::new(settings()).play(&format!("{UP}{script}"));
}

#[test]
fn what_does_not_stop_is_named_after_a_second_and_killed_at_the_end_of_the_grace_time() {
    play(
        "change a -> stop 1
         wait 999 ->
         wait 1 -> survey 1
         still 1 worker -> 'slow 7 worker 4000'
         still 1 worker ->
         wait 3999 ->
         wait 1 -> kill 1, 'killed'
         wait 100000 ->
         gone 1 -> 'run 2 a', spawn 2 a
         up 2 -> 'took 105000'",
    );
    // Nobody answers who is still there: the leader is named. Nobody is: nothing is said.
    play("change a -> stop 1\n wait 1099 -> survey 1\n wait 1 -> 'slow 101 ./app 3900'");
    play("change a -> stop 1\n wait 1000 -> survey 1\n still 1 ->\n wait 3999 ->");
}

#[test]
fn a_grace_time_may_be_short_none_or_endless() {
    let with = |stop_timeout| Dialogue::new(Settings { stop_timeout, ..settings() });
    with(Duration::from_millis(500))
        .play(&format!("{UP}change a -> stop 1\n wait 500 -> kill 1, 'killed'"));
    with(Duration::ZERO).play(&format!("{UP}change a -> stop 1\n wait 0 -> kill 1, 'killed'"));
    with(Duration::MAX).play(&format!(
        "{UP}change a -> stop 1\n wait 1000 -> survey 1\n still 1 w -> 'slow 7 w 18446744073709551615999'
         wait 100000000 ->\n restart -> kill 1, 'kill'"
    ));
}

#[test]
fn a_restart_asked_for_while_stopping_kills() {
    play(
        "change a -> stop 1
         restart -> kill 1, 'kill'
         restart ->
         wait 100000 ->
         gone 1 -> 'run 2 a', spawn 2 a",
    );
    play(
        "stop -> 'stop', stop 1\n restart -> kill 1, 'kill'\n gone 1 -> 'run 2 request', spawn 2 request",
    );
    play("quit -> 'quit', stop 1\n restart -> kill 1, 'kill'\n gone 1 -> exit");
}

#[test]
fn the_second_signal_kills_and_the_first_one_counts() {
    play("int -> stop 1\n term -> kill 1, 'kill'\n term ->\n gone 1 -> exit signal 2");
    play("quit -> 'quit', stop 1\n quit ->\n int -> kill 1, 'kill'\n gone 1 -> exit signal 2");
    play("change a -> stop 1\n int ->\n int -> kill 1, 'kill'\n gone 1 -> exit signal 2");
    play(
        "int -> stop 1\n quit ->\n stop ->\n change a ->\n resume ->\n gone 1 -> exit signal 2\n gone 1 ->",
    );
}

#[test]
fn a_program_that_was_told_to_end_kills_at_the_end_of_the_grace_time() {
    play(
        "term -> stop 1\n wait 5000 -> survey 1, 'slow 101 ./app 3900', kill 1, 'killed'\n gone 1 -> exit signal 15",
    );
}

#[test]
fn where_nothing_lives_the_end_is_at_once() {
    for before in ["", "begin -> 'run 1 start', spawn 1 start\n no 1 -> 'cannot waiting'\n"] {
        for (end, exit) in
            [("int", "exit signal 2"), ("term", "exit signal 15"), ("quit", "'quit', exit")]
        {
            Dialogue::new(settings()).play(&format!(
                "{before}{end} -> {exit}\n int ->\n quit ->\n change a ->\n begin ->"
            ));
        }
    }
    play("exit 1 0 -> 'ended 0 waiting'\n gone 1 ->\n int -> exit signal 2");
    play(
        "exit 1 0 w -> 'ended 0 waiting', 'left 1'\n int -> stop 1\n gone 1 w -> 'left stopped 1', exit signal 2",
    );
}

#[test]
fn the_end_while_starting_waits_for_what_comes_of_it() {
    let starting = "begin -> 'run 1 start', spawn 1 start\n int -> stop 1\n";
    for end in [
        "up 1 ->\n exit 1 sig15 ->\n gone 1 -> exit signal 2",
        "gone 1 -> exit signal 2\n up 1 ->",
        "no 1 -> 'cannot', exit signal 2\n gone 1 ->",
        "shim 1 -> 'shim lost', exit signal 2",
    ] {
        Dialogue::new(settings()).play(&format!("{starting}{end}"));
    }
}

#[test]
fn an_end_without_its_beginning_is_an_end() {
    Dialogue::new(settings()).play(
        "begin -> 'run 1 start', spawn 1 start
         exit 1 1 -> 'ended 1 waiting'
         gone 1 ->
         change a -> 'run 2 a', spawn 2 a
         up 2 -> 'took 0'
         gone 2 -> 'shim lost', 'run 3 a', spawn 3 a
         gone 3 -> 'shim lost'
         change b -> 'run 4 ab', spawn 4 ab",
    );
}
