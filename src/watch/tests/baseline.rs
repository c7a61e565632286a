//! The first baseline of contents against saves that are made while it is being taken, and against a wall clock
//! that was moved.

use std::fs;
use std::time::{Duration, Instant};

use super::Rig;
use crate::watch::{Comparison, Timestamp};

/// A small generator (xorshift64*).
fn random(state: &mut u64, below: u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
}

/// What would have happened by now: everything that was told until now becomes a run, if it differs.
fn would_run(rig: &mut Rig) -> bool {
    rig.sync();
    let Some(batch) = rig.batch() else { return false };
    rig.watch.compare(&batch) != Comparison::Same
}

#[test]
fn a_pipe_is_not_opened_and_its_writer_goes_on_waiting() {
    let mut rig = Rig::with(
        |root| {
            let made = std::process::Command::new("mkfifo").arg(root.join("pipe")).status();
            assert!(made.unwrap().success());
            fs::write(root.join("file"), "A").unwrap();
        },
        |_| {},
    );
    let pipe = rig.path("pipe");
    let mut writer = std::process::Command::new("sh")
        .args(["-c", "echo hello > \"$0\""])
        .arg(&pipe)
        .spawn()
        .unwrap();
    rig.watch.run_started(&[], Instant::now());
    rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
    // It is no change either, and the next run's files are read beside it.
    let made =
        std::process::Command::new("touch").args(["-c", "-d", "yesterday"]).arg(&pipe).status();
    assert!(made.unwrap().success());
    assert!(!rig.run());
    fs::write(rig.path("file"), "B").unwrap();
    assert!(rig.run());
    // Also where it counts and is what changed: without the built-in rules.
    rig.without_built_in_rules();
    let made =
        std::process::Command::new("touch").args(["-c", "-d", "tomorrow"]).arg(&pipe).status();
    assert!(made.unwrap().success());
    assert!(rig.run());
    rig.for_a_while(Duration::from_millis(50));
    assert_eq!(crate::watch::content(&pipe), None);
    assert!(writer.try_wait().unwrap().is_none(), "the writer found a reader");
    assert_eq!(fs::read_to_string(&pipe).unwrap(), "hello\n");
    assert!(writer.wait().unwrap().success());
}

#[test]
fn temporaries_that_came_and_went_are_forgotten() {
    let mut rig = Rig::with(|root| fs::write(root.join("a.go"), "0").unwrap(), |_| {});
    rig.watch.run_started(&[], Instant::now());
    for round in 1..20 {
        // So soon after the start of a run it might have seen the temporary.
        rig.for_a_while(Duration::from_millis(20));
        let temporary = rig.path(&format!("a.go.tmp.{round}"));
        fs::write(&temporary, format!("{round}")).unwrap();
        rig.sync();
        fs::rename(&temporary, rig.path("a.go")).unwrap();
        rig.sync();
        // Settling does not tell a run of what is gone again.
        let file = rig.path("a.go");
        rig.changes();
        rig.watch.run_started(&[file.into()], Instant::now());
    }
    assert!(rig.watch.tree.contents.remembered() < 3, "{}", rig.watch.tree.contents.remembered());
}

/// The first run has started and the files are being read, slowly; at a random moment one is saved. That is a
/// run, and so is putting the old bytes back after it.
fn saves_while_the_baseline_is_taken(rounds: u64) {
    let mut state = 42;
    let (mut there, mut back, mut same) = (0, 0, 0);
    for round in 0..rounds {
        let mut rig = Rig::with(
            |root| (0..40).for_each(|n| fs::write(root.join(format!("f{n}")), "A").unwrap()),
            |settings| settings.baseline_pause = Duration::from_micros(500),
        );
        rig.watch.run_started(&[], Instant::now());
        rig.for_a_while(Duration::from_micros(random(&mut state, 50_000)));
        let name = format!("f{}", random(&mut state, 40));
        fs::write(rig.path(&name), "B").unwrap();
        if round % 2 == 1 {
            // What was read before it, during it or after it comes in first.
            rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
        }
        there += u64::from(rig.run());
        fs::write(rig.path(&name), "A").unwrap();
        back += u64::from(rig.run());
        // And the baseline was taken: the others are known by now.
        rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
        let other = format!("f{}", (round + 1) % 40);
        if other != name {
            fs::write(rig.path(&other), "A").unwrap();
            same += u64::from(would_run(&mut rig));
        }
    }
    println!("{there} and back {back} of {rounds} runs; {same} for the same bytes afterwards");
    assert_eq!((there, back, same), (rounds, rounds, 0));
}

#[test]
fn a_save_while_the_baseline_is_taken_is_a_run() {
    saves_while_the_baseline_is_taken(15);
}

#[test]
#[ignore = "200 rounds; make torture"]
fn torture_saves_while_the_baseline_is_taken() {
    saves_while_the_baseline_is_taken(200);
}

/// Wall time decides nothing after the first listing: as if the clock had been set back or forward by a day since
/// the start.
#[test]
fn a_clock_that_was_moved_makes_no_difference() {
    const DAY: i64 = 86_400_000_000_000;
    for moved in [-DAY, DAY] {
        let mut rig = Rig::with(
            |root| (0..5).for_each(|n| fs::write(root.join(format!("f{n}")), "A").unwrap()),
            |_| {},
        );
        // The files' times of now are before, or long after, that of the start.
        rig.watch.tree.contents.move_start(Timestamp(Timestamp::now().0 - moved));
        rig.watch.run_started(&[], Instant::now());
        rig.until("the baseline", |rig| rig.watch.tree.contents.baseline_done());
        rig.for_a_while(Duration::from_millis(30));
        rig.changes();
        for (round, text) in ["B", "A", "B", "A"].into_iter().enumerate() {
            fs::write(rig.path("f1"), text).unwrap();
            assert!(rig.run(), "moved by {moved}, round {round}: {text}");
            fs::write(rig.path("f1"), text).unwrap();
            assert!(!rig.run(), "moved by {moved}, round {round}: the same bytes");
        }
        fs::create_dir_all(rig.path("new/deep")).unwrap();
        fs::write(rig.path("new/deep/x"), "").unwrap();
        fs::remove_file(rig.path("f2")).unwrap();
        rig.sync();
        let told: Vec<String> = rig.last().into_keys().collect();
        assert_eq!(told, ["f2", "new/deep/x"], "moved by {moved}");
    }
}
