//! Real editors and a real git: one run for each thing a person does.

use crate::harness::*;

fn project() -> Project {
    let text: String = (0..50).map(|line| format!("line {line}\n")).collect();
    Project::new().file("a.go", text).file("b.go", "b\n").runs(Stamp::quick().sees("a.go"))
}

/// Edits with vim ten times; each time is one run that sees the whole new file.
fn vim(settings: &[&str]) {
    if !on_path("vim") {
        return skip("vim is not installed");
    }
    let watcher = project().start(["--ext", "go"]).ready();
    edits_with_vim(&watcher, settings);
    let watcher = project().start([]).ready(); // every type counts: its probe and backup files too
    edits_with_vim(&watcher, settings);
}

fn edits_with_vim(watcher: &Watcher, settings: &[&str]) {
    for round in 1..=5 {
        let mut vim = watcher.in_tree("vim");
        vim.args(["-N", "-u", "NONE", "-es", "-c", "set swapfile updatecount=1"]);
        for setting in settings {
            vim.args(["-c", setting]);
        }
        vim.args(["-c", &format!("1s/.*/edit {round}/"), "-c", "wq", "a.go"]);
        assert!(vim.status().unwrap().success());
        let run = watcher.wait_runs(1 + round);
        let text = std::fs::read(watcher.path("a.go")).unwrap();
        assert!(text.starts_with(format!("edit {round}\n").as_bytes()));
        assert!(run.saw_text(text), "it saw {:?}\n{}", run.saw, watcher.story());
        watcher.exactly(1 + round);
    }
}

#[test]
fn vim_with_its_defaults() {
    vim(&[]);
}

#[test]
fn vim_with_backup() {
    vim(&["set backup"]);
}

#[test]
fn vim_with_backup_by_renaming() {
    vim(&["set backup backupcopy=no"]);
}

#[test]
fn vim_with_nowritebackup() {
    vim(&["set nobackup nowritebackup"]);
}

/// In a terminal, with a swap file that lives while the person types, and two saves.
#[test]
fn vim_in_a_terminal() {
    if !on_path("vim") {
        return skip("vim is not installed");
    }
    let watcher = project().start([]).ready();
    let Some(terminal) = Terminal::open(Project::new()) else { return };
    terminal.line(&format!("vim -N -u NONE {}", watcher.path("a.go").display()));
    terminal.shows("line 0");
    watcher.exactly(1);
    for round in 1..=2 {
        terminal.line(&format!(":1s/.*/typed {round}/"));
        terminal.shows(&format!("typed {round}"));
        terminal.line(":w");
        watcher.wait_runs(1 + round);
        watcher.exactly(1 + round);
    }
    terminal.line(":q");
    terminal.back_in_the_shell("after-vim");
    watcher.exactly(3);
}

#[test]
fn sed_in_place() {
    let watcher = project().start(["--ext", "go"]).ready();
    sed(&watcher);
    let watcher = project().start([]).ready();
    sed(&watcher);
}

fn sed(watcher: &Watcher) {
    for round in 1..=5 {
        let mut sed = watcher.in_tree("sed");
        sed.args(["-i", &format!("1s/.*/edit {round}/"), "a.go"]);
        assert!(sed.status().unwrap().success());
        let run = watcher.wait_runs(1 + round);
        assert!(run.saw_text(std::fs::read(watcher.path("a.go")).unwrap()));
        watcher.exactly(1 + round);
    }
}

/// A repository whose branches `main` and `other` differ in 300 files.
fn two_branches() -> Project {
    let mut project = Project::new();
    for number in 0..300 {
        project =
            project.file(format!("d{}/f{number}.go", number % 17), format!("main {number}\n"));
    }
    let project = project.git_repository();
    project.git(&["checkout", "-q", "-b", "other"]);
    for number in 0..300 {
        project.save(format!("d{}/f{number}.go", number % 17), format!("other {number}\n"));
    }
    project.git(&["commit", "-q", "-a", "-m", "other"]);
    project
}

#[test]
fn git_checkout_between_branches() {
    let watcher = two_branches().start(["--ext", "go"]).ready();
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

#[test]
fn git_stash_and_pop() {
    let watcher = two_branches().start(["--ext", "go"]).ready();
    watcher.run_after(|project| project.save("d1/f1.go", "work in progress\n"));
    watcher.exactly(2);
    watcher.git(&["stash", "-q"]);
    watcher.wait_runs(3);
    watcher.exactly(3);
    watcher.git(&["stash", "pop", "-q"]);
    watcher.wait_runs(4);
    watcher.exactly(4);
}

#[test]
fn git_rebase_is_one_run() {
    rebase(6);
}

#[test]
#[ignore = "20 commits, ten times; make torture"]
fn torture_git_rebase() {
    for _ in 0..10 {
        rebase(20);
    }
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

/// While git holds the index, what has changed waits; a lock that nobody holds is called stale.
#[test]
fn a_held_index_holds_the_run_and_says_so() {
    let watcher = Project::new().file("a.go", "0").git_repository().start(["--ext", "go"]).ready();
    watcher.exactly(1);
    watcher.save(".git/index.lock", "");
    watcher.save("a.go", "1");
    watcher.says_all(&["index.lock", "stale"]);
    assert_eq!(watcher.run_count(), 1, "{}", watcher.story());
    watcher.remove(".git/index.lock");
    watcher.wait_runs(2);
    watcher.exactly(2);
}
