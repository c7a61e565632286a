//! Roots that go away and come back: the path counts, not the inode.

use std::collections::BTreeMap;
use std::fs;

use crate::harness::*;

/// Descriptors and inotify watches of the program.
fn held(watcher: &Watcher) -> (usize, usize) {
    let directory = format!("/proc/{}/fdinfo", watcher.pid());
    let infos: BTreeMap<String, String> = fs::read_dir(directory)
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let text = fs::read_to_string(entry.path()).ok()?;
            Some((entry.file_name().into_string().ok()?, text))
        })
        .collect();
    let watches =
        infos.values().flat_map(|text| text.lines()).filter(|line| line.starts_with("inotify wd:"));
    (infos.len(), watches.count())
}

/// A watched root `up/root` with a file in it and one below, the command in the tree.
fn project() -> Project {
    Project::new().file("up/root/a.go", "0").file("up/root/sub/b.go", "0")
}

/// The edit is seen by its path, also while the root is still being found.
fn edit_is_seen(watcher: &Watcher, path: &str) -> u64 {
    let edited = monotonic();
    watcher.save(path, format!("{edited}"));
    let run = watcher.wait_for(&format!("a run for {path}"), || {
        let runs = watcher.run_log();
        runs.into_iter().find(|run| {
            run.began > edited
                && run.changed_below(&watcher.tree()).iter().any(|named| named == path)
        })
    });
    let waited = (run.began - edited) / 1_000_000;
    assert!(waited < 3_000, "{path} was seen after {waited} ms\n{}", watcher.story());
    pace(QUIET);
    waited
}

/// Repeats what happens to the root, and expects the edits after it; the counts end where they began.
fn cycles(what: &str, rounds: usize, replace: impl FnMut(&Watcher, usize)) {
    cycles_through("auto", what, rounds, replace);
}

fn cycles_through(
    backend: &str,
    what: &str,
    rounds: usize,
    mut replace: impl FnMut(&Watcher, usize),
) {
    let watcher = project().start(["-w", "up/root", "--backend", backend]).ready();
    edit_is_seen(&watcher, "up/root/sub/b.go");
    let before = held(&watcher);
    let (mut worst, mut slow) = (0, 0);
    for round in 0..rounds {
        replace(&watcher, round);
        let first = edit_is_seen(&watcher, "up/root/a.go");
        // What any edit takes on this machine at this moment.
        let usual = edit_is_seen(&watcher, "up/root/sub/b.go");
        slow += usize::from(first.saturating_sub(usual) >= 1_000);
        worst = worst.max(first);
    }
    // The machine's disk may hold one of them.
    assert!(slow <= 1, "{what}: {slow} times watched again after a second\n{}", watcher.story());
    let settled = until(DEADLINE, || (held(&watcher) == before).then_some(()));
    let (descriptors, watches) = held(&watcher);
    eprintln!(
        "{what}: {rounds} of {rounds} edits, the last to be seen after {worst} ms; {descriptors} \
         descriptors and {watches} watches, at first {} and {}",
        before.0, before.1
    );
    assert!(settled.is_some(), "descriptors and watches: {before:?}, now {:?}", held(&watcher));
}

fn made_again(watcher: &Watcher) {
    fs::create_dir_all(watcher.path("up/root/sub")).unwrap();
    watcher.save("up/root/a.go", "new");
    watcher.save("up/root/sub/b.go", "new");
}

fn deleted(watcher: &Watcher, _: usize) {
    fs::remove_dir_all(watcher.path("up/root")).unwrap();
    made_again(watcher);
}

fn renamed_away(watcher: &Watcher, round: usize) {
    let before = watcher.run_count();
    watcher.rename("up/root", format!("up/away{round}"));
    made_again(watcher);
    watcher.wait_runs(before + 1);
    let quiet_from = until(DEADLINE, || {
        let runs = watcher.run_count();
        pace(QUIET);
        (runs == watcher.run_count()).then_some(runs)
    });
    watcher.save(format!("up/away{round}/a.go"), "no longer a root");
    watcher.save(format!("up/away{round}/sub/b.go"), "no longer a root");
    pace(QUIET);
    assert_eq!(
        Some(watcher.run_count()),
        quiet_from,
        "the moved-away tree runs\n{}",
        watcher.story()
    );
}

fn parent_deleted(watcher: &Watcher, _: usize) {
    fs::remove_dir_all(watcher.path("up")).unwrap();
    made_again(watcher);
}

fn parent_renamed(watcher: &Watcher, round: usize) {
    watcher.rename("up", format!("gone{round}"));
    made_again(watcher);
}

#[test]
fn a_root_deleted_and_made_again() {
    cycles("deleted and made again", 3, deleted);
}

#[test]
fn a_root_renamed_away_and_another_put_there() {
    cycles("renamed away", 3, renamed_away);
}

#[test]
fn the_parent_of_a_root_deleted_and_made_again() {
    cycles("parent deleted", 3, parent_deleted);
}

#[test]
fn the_parent_of_a_root_renamed_away() {
    cycles("parent renamed", 3, parent_renamed);
}

#[test]
fn through_the_portable_source() {
    cycles_through("portable", "deleted and made again", 2, deleted);
    cycles_through("portable", "parent renamed", 2, parent_renamed);
}

#[test]
#[ignore = "50 cycles each; make torture"]
fn torture_roots() {
    cycles("deleted and made again", 50, deleted);
    cycles("renamed away", 50, renamed_away);
    cycles("parent deleted", 50, parent_deleted);
    cycles("parent renamed", 50, parent_renamed);
}

#[test]
fn a_root_that_is_not_there_yet() {
    let watcher = Project::new().file("a.go", "0").start(["-w", "later"]);
    watcher.wait_runs(1);
    watcher.says("later");
    pace(QUIET);
    watcher.save_new("later/b.go", "0");
    watcher.wait_for("a run for the new root", || (watcher.run_count() >= 2).then_some(()));
    pace(QUIET);
    edit_is_seen(&watcher, "later/b.go");
}

/// A file system mounted on the root and unmounted again, in a mount namespace of its own.
fn mounts(rounds: usize) {
    let project = project();
    let mut command = project.in_tree("unshare");
    command.args(["-Urm", "sh", "-c", "exec \"$0\" run -w up/root -- \"$@\""]);
    command.arg(project.program_path()).args(project.argv());
    let mut probe = project.in_tree("unshare");
    let probe = probe.args(["-Urm", "mount", "-t", "tmpfs", "none", "up/root"]).output();
    if !on_path("nsenter") || !probe.is_ok_and(|done| done.status.success()) {
        return skip("no mounts in a user namespace here");
    }
    let watcher = project.start_as(command).ready();
    let pid = watcher.pid().to_string();
    let inside = |args: &[&str]| {
        // Busy while a walk looks at it.
        watcher.wait_for(&format!("{args:?}"), || {
            let mut command = watcher.in_tree("nsenter");
            command.args(["-t", &pid, "-U", "-m", "--preserve-credentials"]).args(args);
            command.arg(watcher.path("up/root"));
            command.output().unwrap().status.success().then_some(())
        });
    };
    let (mut worst, mut slow, mut before) = (0, 0, None);
    for round in 0..rounds {
        for mounting in [&["mount", "-t", "tmpfs", "none"][..], &["umount"]] {
            inside(mounting);
            let path = format!("/proc/{pid}/root{}", watcher.path("up/root/a.go").display());
            let edited = monotonic();
            fs::write(&path, format!("{round} {mounting:?}")).unwrap();
            let run = watcher.wait_for("the edit's run", || {
                let runs = watcher.run_log();
                runs.into_iter().find(|run| {
                    run.began > edited
                        && run.changed_below(&watcher.tree()).contains(&"up/root/a.go".into())
                })
            });
            let waited = (run.began - edited) / 1_000_000;
            worst = worst.max(waited);
            pace(QUIET);
            let edited = monotonic();
            let run = watcher
                .run_after(|_| fs::write(&path, format!("again {round} {mounting:?}")).unwrap());
            let rearmed = waited.saturating_sub((run.began - edited) / 1_000_000);
            slow += usize::from(rearmed >= 1_000);
            assert!(slow <= 1, "watched again after {rearmed} ms\n{}", watcher.story());
            pace(QUIET);
        }
        let now = held(&watcher);
        assert_eq!(*before.get_or_insert(now), now, "descriptors and watches in round {round}");
    }
    eprintln!(
        "mounted and unmounted: {rounds} of {rounds}, re-armed within {worst} ms; {before:?}"
    );
}

#[test]
fn a_file_system_mounted_on_the_root_and_unmounted() {
    mounts(3);
}

#[test]
#[ignore = "50 cycles; make torture"]
fn torture_mounts_on_the_root() {
    mounts(50);
}

#[test]
fn a_link_as_a_root_is_followed() {
    let project = Project::new().file("real/a.go", "0");
    std::os::unix::fs::symlink("real", project.path("link")).unwrap();
    let watcher = project.start(["-w", "link"]).ready();
    let run = watcher.run_after(|project| project.save("real/a.go", "1"));
    assert_eq!(run.changed.unwrap(), [watcher.path("link/a.go")]);
}
