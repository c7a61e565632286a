//! Real editors: one run for each thing a person does.

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
