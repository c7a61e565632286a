//! When the system has no more watches, or no event queue at all, to give: the rest is polled.

use crate::harness::*;

/// Starts it in a user namespace that allows so many watches and instances.
fn limited(project: Project, watches: u32, instances: u32) -> Option<Watcher> {
    let inside = format!(
        "echo {watches} > /proc/sys/user/max_inotify_watches && \
         echo {instances} > /proc/sys/user/max_inotify_instances && \
         exec \"$0\" run --ext go --on-busy queue -- \"$@\""
    );
    let mut probe = project.in_tree("unshare");
    probe.args(["-Ur", "sh", "-c", "echo 100 > /proc/sys/user/max_inotify_watches"]);
    if !probe.output().is_ok_and(|done| done.status.success()) {
        skip("no user namespace with limits of its own here");
        return None;
    }
    let mut command = project.in_tree("unshare");
    command.args(["-Ur", "sh", "-c", &inside]).arg(project.program_path()).args(project.argv());
    Some(project.start_as(command).ready())
}

fn three_hundred_directories() -> Project {
    (0..300).fold(Project::new().file("a.go", "0"), |project, number| {
        project.file(format!("d{number}/f.go"), "0")
    })
}

/// One edit in each directory, 10 ms apart: each is in the list of a run that begins within two seconds.
fn all_edits_are_seen(watcher: &Watcher, what: &str) {
    watcher.exactly(1);
    let mut edited = Vec::new();
    for number in 0..300 {
        let path = format!("d{number}/f.go");
        edited.push((path.clone(), monotonic()));
        watcher.save(&path, format!("{number} edited"));
        pace_ms(10);
    }
    let waits = watcher.wait_for("all of them", || -> Option<Vec<u64>> {
        pace_ms(20);
        let runs: Vec<(u64, Vec<String>)> = (watcher.run_log().iter())
            .map(|run| (run.began, run.changed_below(&watcher.tree())))
            .collect();
        let wait = |(path, at): &(String, u64)| {
            let names = |run: &&(u64, Vec<String>)| run.0 > *at && run.1.contains(path);
            Some((runs.iter().find(names)?.0 - at) / 1_000_000)
        };
        edited.iter().map(wait).collect()
    });
    let worst = waits.iter().max().unwrap();
    eprintln!("{what}: {} of 300 edits seen, the last to be seen after {worst} ms", waits.len());
    assert!(*worst < PROMPT_MS, "{worst} ms\n{}", watcher.story());
}

#[test]
fn out_of_watches_the_rest_is_polled() {
    let Some(watcher) = limited(three_hundred_directories(), 100, 16) else { return };
    // One of the hundred watches is that of our own control directory.
    let line = watcher.matches(
        r"^\[WARN\] out of inotify watches \(100 allowed\): 99 of 301 directories by events, 202 by polling",
    );
    watcher.says("fs.inotify.max_user_watches");
    eprintln!("{line}");
    all_edits_are_seen(&watcher, "100 watches");
}

#[test]
fn without_any_instance_everything_is_polled() {
    let Some(watcher) = limited(three_hundred_directories(), 100, 0) else { return };
    let line = watcher.says_all(&["[WARN]", "0 of 301 directories by events, 301 by polling"]);
    watcher.says("fs.inotify.max_user_instances");
    eprintln!("{line}");
    all_edits_are_seen(&watcher, "no instance");
}

/// Where not even the markers of those who wait can be watched, a pass finds them.
#[test]
fn without_any_watch_a_wait_is_answered() {
    let project = Project::new().file("a.go", "0");
    let Some(watcher) = limited(project, 0, 16) else { return };
    watcher.exactly(1);
    for round in 1..=3 {
        watcher.save("a.go", format!("{round}"));
        let answer = crate::explain::ask(&watcher, ["wait", "--timeout", "20s", "--json"]);
        let text = crate::explain::out(&answer);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["run"], round + 1, "{text}");
        // On a busy machine a pass may come, and the run be over, before the question is there.
        let outcome = answer["outcome"].as_str().unwrap();
        assert!(["finished", "unchanged"].contains(&outcome), "{text}");
    }
}
