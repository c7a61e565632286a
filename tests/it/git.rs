//! A real git: one run for each thing a person does, begun when git has done it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::harness::*;

/// A repository whose branches `main` and `other` differ in so many files.
fn two_branches(files: usize) -> Project {
    let path = |number: usize| format!("d{}/f{number}.go", number % 17);
    let project = (0..files)
        .fold(Project::new(), |project, number| {
            project.file(path(number), format!("main {number}\n"))
        })
        .git_repository();
    project.git(&["checkout", "-q", "-b", "other"]);
    for number in 0..files {
        project.save(path(number), format!("other {number}\n"));
    }
    project.git(&["commit", "-q", "-a", "-m", "other"]);
    project
}

/// Waits for a run that began after this moment.
fn run_after(watcher: &Watcher, moment: u64) {
    watcher.wait_for("a run after it", || {
        watcher.run_log().last().is_some_and(|run| run.began > moment).then_some(())
    });
}

#[test]
fn a_checkout_between_branches_is_one_run() {
    let watcher = two_branches(300).start(["--ext", "go"]).ready();
    watcher.exactly(1);
    for (round, branch) in ["main", "other", "main", "other"].into_iter().enumerate() {
        let begun = monotonic();
        watcher.git(&["checkout", "-q", branch]);
        let run = watcher.wait_runs(2 + round);
        watcher.exactly(2 + round);
        assert_eq!(run.changed_below(&watcher.tree()).len(), 300, "{}", watcher.story());
        assert!(run.began > begun);
    }
}

/// Its `.git` is a file, which is git's and no change.
#[test]
fn a_linked_work_tree_that_is_added_inside_is_one_run() {
    let project = Project::new().file("a.txt", "0").file("b.txt", "0").git_repository();
    let watcher = project.start([]).ready();
    watcher.git(&["worktree", "add", "-q", "-b", "side", "wt"]);
    let run = watcher.wait_runs(2);
    watcher.exactly(2);
    let changed = run.changed_below(&watcher.tree());
    assert!(!changed.contains(&"wt/.git".to_owned()), "{changed:?}");
    assert!(changed.contains(&"wt/a.txt".to_owned()), "{changed:?}");
}

#[test]
fn a_stash_and_its_pop_are_one_run_each() {
    let watcher = two_branches(300).start(["--ext", "go"]).ready();
    watcher.run_after(|project| project.save("d1/f1.go", "work in progress\n"));
    watcher.exactly(2);
    watcher.git(&["stash", "-q"]);
    watcher.wait_runs(3);
    watcher.exactly(3);
    watcher.git(&["stash", "pop", "-q"]);
    watcher.wait_runs(4);
    watcher.exactly(4);
}

/// Switches to and fro between branches: at most a twentieth more runs than switches, the last of them begun
/// after the last change.
fn switches(files: usize, count: usize) {
    let project = two_branches(files);
    for branch in ["third", "fourth"] {
        project.git(&["checkout", "-q", "-b", branch]);
        for number in 0..files / 2 {
            project.save(format!("d{}/f{number}.go", number % 17), format!("{branch} {number}\n"));
        }
        project.git(&["commit", "-q", "-a", "-m", branch]);
    }
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.exactly(1);
    let branches = ["main", "other", "third", "fourth"];
    let (mut random, mut at) = (Random(10), 3);
    let mut last = 0;
    for _ in 0..count {
        at = (at + 1 + random.below(3) as usize) % branches.len();
        watcher.git(&["checkout", "-q", branches[at]]);
        last = monotonic();
        // The run may have begun a little before git itself ended: quiet tells that it is the one.
        let runs = watcher.run_count();
        let _ = until(Duration::from_secs(3), || (watcher.run_count() > runs).then_some(()));
        pace_ms(300 + random.below(300));
    }
    pace(QUIET);
    let runs = watcher.run_log();
    let extra = runs.len() as i64 - 1 - count as i64;
    eprintln!("{count} switches over {files} files: {} runs", runs.len() - 1);
    assert!(extra >= 0 && extra <= (count / 20) as i64, "{extra} too many\n{}", watcher.story());
    let changed = fs::read_dir(watcher.tree())
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with('d'))
        .count();
    assert_eq!(changed, 17.min(files));
    let gap = last.saturating_sub(runs.last().unwrap().began) / 1_000_000;
    // git writes its files, then its index, then it ends.
    assert!(gap < 200, "the last run began {gap} ms before git ended\n{}", watcher.story());
    let seen = watcher.tree().join("d0/f0.go");
    let text = fs::read_to_string(seen).unwrap();
    assert!(text.starts_with(branches[at]), "{text} on {}", branches[at]);
}

#[test]
fn random_switches_between_branches() {
    switches(300, 6);
}

#[test]
#[ignore = "40 switches over 2,000 files, three times; make torture"]
fn torture_switches_between_branches() {
    for _ in 0..3 {
        switches(2000, 40);
    }
}

/// There and back before the window is over: no file differs from what the last run saw.
#[test]
fn a_branch_switched_away_and_back_is_no_run() {
    let watcher = two_branches(100).start(["--ext", "go", "-d", "700"]).ready();
    pace_ms(800);
    watcher.exactly(1);
    for _ in 0..3 {
        watcher.git(&["checkout", "-q", "main"]);
        watcher.git(&["checkout", "-q", "other"]);
        watcher.says("same bytes");
        pace_ms(1000);
        watcher.exactly(1);
    }
    watcher.git(&["checkout", "-q", "main"]);
    watcher.wait_runs(2);
    watcher.exactly(2);
}

fn rebase(commits: usize) {
    let project = Project::new().file("base.go", "base\n").git_repository();
    project.git(&["checkout", "-q", "-b", "work"]);
    for number in 0..commits {
        project.save(format!("w{number}.go"), format!("work {number}\n"));
        project.git(&["add", "-A"]);
        project.git(&["commit", "-q", "-m", &format!("work {number}")]);
    }
    project.git(&["checkout", "-q", "main"]);
    project.save("base.go", "moved on\n");
    project.git(&["commit", "-q", "-a", "-m", "moved on"]);
    project.git(&["checkout", "-q", "work"]);
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.exactly(1);
    watcher.git(&["rebase", "-q", "main"]);
    let rebased = monotonic();
    watcher.wait_runs(2);
    let runs = watcher.exactly(2);
    assert!(runs[1].began + 1_000_000_000 > rebased, "it began in the middle of the rebase");
}

#[test]
fn a_rebase_is_one_run() {
    rebase(6);
}

#[test]
#[ignore = "20 commits, ten times; make torture"]
fn torture_git_rebase() {
    for _ in 0..10 {
        rebase(20);
    }
    eprintln!("10 rebases of 20 commits: 10 runs");
}

/// So many commits, the last third of them bad; each step of the search is one run.
fn bisect(commits: usize) -> (usize, usize, String) {
    let project = Project::new().file("a.go", "0\n").git_repository();
    for number in 1..=commits {
        project.save("a.go", format!("{number}\n"));
        project.save(format!("f{number}.go"), "one more\n");
        project.git(&["add", "-A"]);
        project.git(&["commit", "-q", "-m", &format!("{number}")]);
    }
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.exactly(1);
    let number =
        || -> usize { fs::read_to_string(watcher.path("a.go")).unwrap().trim().parse().unwrap() };
    let bad_from = commits * 2 / 3;
    let mut steps = 0;
    let mut step = |args: &[&str]| {
        let (before, runs) = (number(), watcher.run_count());
        watcher.git(args);
        if number() != before {
            steps += 1;
            watcher.wait_runs(runs + 1);
            pace(QUIET);
        }
    };
    step(&["bisect", "start", "HEAD", &format!("HEAD~{commits}")]);
    while !fs::read_to_string(watcher.path(".git/BISECT_LOG")).unwrap().contains("first bad commit")
    {
        step(&["bisect", if number() >= bad_from { "bad" } else { "good" }]);
    }
    step(&["bisect", "reset"]);
    let runs = watcher.run_count() - 1;
    eprintln!("bisecting {commits} commits: {steps} checkouts, {runs} runs");
    assert!(steps >= 4);
    (steps, runs, watcher.story())
}

#[test]
fn each_step_of_a_bisection_is_one_run() {
    let (steps, runs, story) = bisect(16);
    assert_eq!(steps, runs, "{story}");
}

#[test]
#[ignore = "200 commits, five times; make torture"]
fn torture_git_bisect() {
    let (mut steps, mut runs) = (0, 0);
    for _ in 0..5 {
        let (more, ran, _) = bisect(200);
        steps += more;
        runs += ran;
    }
    assert!(runs >= steps && runs - steps <= steps / 20, "{runs} runs for {steps} steps");
}

/// In a linked work tree `.git` is a file, and the lock is elsewhere.
#[test]
fn a_checkout_in_a_linked_work_tree_is_one_run_and_its_lock_holds() {
    let project = two_branches(200);
    project.git(&["worktree", "add", "-q", "--detach", "linked", "main"]);
    let watcher = project.start(["--ext", "go", "-w", "linked"]).ready();
    watcher.exactly(1);
    let linked = watcher.path("linked").into_os_string().into_string().unwrap();
    for (round, branch) in ["other", "main", "other"].into_iter().enumerate() {
        watcher.git(&["-C", &linked, "checkout", "-q", "--detach", branch]);
        watcher.wait_runs(2 + round);
        watcher.exactly(2 + round);
    }
    let lock = ".git/worktrees/linked/index.lock";
    watcher.save(lock, "");
    watcher.save("linked/d1/f1.go", "held");
    watcher.says_all(&["git holds", "index.lock"]);
    assert_eq!(watcher.run_count(), 4, "{}", watcher.story());
    watcher.remove(lock);
    watcher.wait_runs(5);
}

/// `git commit -a` with an editor that stays open until a file is there.
fn commit_with_an_editor(watcher: &Watcher, directory: &str) -> Child {
    let editor = watcher.outside("editor");
    let text = "#!/bin/sh\ntouch \"$0.open\"\nwhile ! test -e \"$0.close\"; do sleep 0.02; done\n";
    fs::write(&editor, text).unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let mut git = watcher.in_tree("git");
    git.current_dir(watcher.path(directory)).env("GIT_EDITOR", &editor);
    git.args(["commit", "-a", "-q"]).stdout(Stdio::null()).stderr(Stdio::null());
    let git = git.spawn().unwrap();
    watcher.wait_for("the editor", || watcher.outside("editor.open").exists().then_some(()));
    git
}

fn close_the_editor(watcher: &Watcher, mut git: Child) {
    fs::write(watcher.outside("editor.close"), "").unwrap();
    git.wait().unwrap();
}

#[test]
fn a_commit_whose_editor_is_open_holds_the_run_and_is_said() {
    for linked in [false, true] {
        let project = Project::new().file("a.go", "0").git_repository();
        let directory = if linked { "linked" } else { "." };
        if linked {
            project.git(&["worktree", "add", "-q", "--detach", "linked"]);
        }
        let watcher = project.start(["--ext", "go", "-w", directory]).ready();
        watcher.exactly(1);
        watcher.save(format!("{directory}/a.go"), "1");
        watcher.wait_runs(2);
        let git = commit_with_an_editor(&watcher, directory);
        let saved = std::time::Instant::now();
        watcher.save(format!("{directory}/a.go"), "2");
        let line = watcher
            .matches(r"git holds .*index\.lock, [\d.]+s old: 1 change waits, at most [89]s more");
        let said = watcher.timed_lines().into_iter().find(|(_, text)| *text == line).unwrap().0;
        let after = said.duration_since(saved).as_millis();
        eprintln!("said after {after} ms: {line}");
        assert!((990..990 + u128::from(PROMPT_MS)).contains(&after), "said after {after} ms");
        assert_eq!(watcher.run_count(), 2, "{}", watcher.story());
        assert_eq!(watcher.count_lines("stale"), 0, "{}", watcher.story());
        close_the_editor(&watcher, git);
        watcher.wait_runs(3);
        watcher.exactly(3);
    }
}

#[test]
fn a_hold_ends_after_ten_seconds_and_that_lock_never_holds_again() {
    let watcher = Project::new().file("a.go", "0").git_repository().start(["--ext", "go"]).ready();
    watcher.save("a.go", "1");
    watcher.wait_runs(2);
    let git = commit_with_an_editor(&watcher, ".");
    let saved = monotonic();
    watcher.save("a.go", "2");
    let held = (watcher.wait_runs(3).began - saved) / 1_000_000;
    eprintln!("held for {held} ms");
    assert!((9_900..14_000).contains(&held), "held for {held} ms\n{}", watcher.story());
    let saved = monotonic();
    watcher.save("a.go", "3");
    let held = (watcher.wait_runs(4).began - saved) / 1_000_000;
    assert!(held < PROMPT_MS, "the same lock held again, for {held} ms\n{}", watcher.story());
    watcher.exactly(4);
    close_the_editor(&watcher, git);
}

#[test]
fn a_lock_is_called_stale_by_its_age() {
    for old in [false, true] {
        let watcher =
            Project::new().file("a.go", "0").git_repository().start(["--ext", "go"]).ready();
        watcher.exactly(1);
        let lock = fs::File::create(watcher.path(".git/index.lock")).unwrap();
        if old {
            let two_hours = Duration::from_secs(2 * 60 * 60);
            lock.set_modified(std::time::SystemTime::now() - two_hours).unwrap();
        }
        watcher.save("a.go", "1");
        if old {
            watcher
                .says_all(&["index.lock is stale, 2h00m old", "if no git is running, remove it"]);
        } else {
            watcher.matches(r"git holds .*index\.lock, [\d.]+s old");
        }
        assert_eq!(watcher.count_lines("stale"), usize::from(old), "{}", watcher.story());
        assert_eq!(watcher.run_count(), 1, "{}", watcher.story());
        watcher.remove(".git/index.lock");
        watcher.wait_runs(2);
        watcher.exactly(2);
    }
}
