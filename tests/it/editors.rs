//! Real editors: one run for each thing a person does.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

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

/// Saves six times in one of these ways, while Go files count and while every file does. Each save is one run, which
/// sees the whole new file and is told of `main.go` alone. The way says how long it was stopped at its worst: a
/// machine that stops it for long in the middle of a save makes two of it.
fn one_run_a_save_and_its_name(save: impl Fn(&Watcher, &str, u64) -> Duration) {
    for flags in [&["--ext", "go"][..], &[]] {
        let project = Project::new().file("main.go", "0\n").file("b.go", "b\n");
        let watcher = project.runs(Stamp::quick().sees("main.go")).start(flags.to_vec()).ready();
        watcher.exactly(1);
        let mut stalls = 0;
        for round in 0..6 {
            let before = watcher.run_count();
            let text = format!("edit {round}\n");
            let stopped = save(&watcher, &text, round);
            if stopped > Duration::from_millis(20) {
                stalls += 1;
                watcher.wait_for("a run that saw it", || {
                    watcher.last_run().is_some_and(|run| run.saw_text(&text)).then_some(())
                });
                pace(QUIET);
                continue;
            }
            let run = watcher.wait_runs(before + 1);
            assert!(run.saw_text(&text), "it saw {:?}\n{}", run.saw, watcher.story());
            assert_eq!(run.changed_below(&watcher.tree()), ["main.go"], "{}", watcher.story());
            let list = run.list.map(std::path::PathBuf::from);
            assert_eq!(list, Some(watcher.path("main.go")), "{}", watcher.story());
            watcher.exactly(before + 1);
            watcher.says(&format!("changed main.go: run {}", before + 1));
        }
        assert!(stalls < 6, "the machine has no time");
        if stalls == 0 {
            assert_eq!(watcher.count_lines("changed "), 6, "{}", watcher.story());
            assert_eq!(watcher.count_lines("same bytes"), 0, "{}", watcher.story());
        }
    }
}

/// Does something, and says how much longer than `expected` it took.
fn late(expected: Duration, what: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    what();
    begun.elapsed().saturating_sub(expected)
}

/// Six letters and digits, as `tempfile` and mkstemp(3) choose them.
fn six(seed: u64) -> String {
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut random = Random(seed);
    let mut text: Vec<u8> = (0..6).map(|_| LETTERS[random.below(62) as usize]).collect();
    text[2] = b'A' + random.below(26) as u8; // one in a hundred would be a word by chance
    text[3] = b'a' + random.below(26) as u8;
    String::from_utf8(text).unwrap()
}

/// Helix: the file becomes the backup, is written anew, and the backup is removed up to 20 ms after that.
#[test]
fn helix_with_its_backup() {
    one_run_a_save_and_its_name(|watcher, text, round| {
        let backup = watcher.path(format!("main.go{}.bck", six(round)));
        let pause = Duration::from_millis(round * 4);
        late(pause, || {
            fs::rename(watcher.path("main.go"), &backup).unwrap();
            fs::write(watcher.path("main.go"), text).unwrap();
            pace(pause);
            fs::remove_file(&backup).unwrap();
        })
    });
}

/// What the `tempfile` libraries make of a prefix and a suffix, renamed up to 20 ms after it is written.
#[test]
fn temporaries_with_a_prefix_and_a_suffix() {
    const SHAPES: [(&str, &str); 6] = [
        ("main.go", ".tmp"),
        (".main.go", ".new"),
        ("main", ".go"),
        ("main.", ".go"),
        ("main.go.", ".bck"),
        (".tmp", ""),
    ];
    for shift in [0, 3] {
        one_run_a_save_and_its_name(|watcher, text, round| {
            let (before, after) = SHAPES[(round as usize + shift) % SHAPES.len()];
            let beside = watcher.path(format!("{before}{}{after}", six(round)));
            let pause = Duration::from_millis(round * 4);
            late(pause, || {
                fs::write(&beside, text).unwrap();
                pace(pause);
                fs::rename(&beside, watcher.path("main.go")).unwrap();
            })
        });
    }
}

fn run_in_tree(watcher: &Watcher, program: &str, args: &[&str]) {
    let done = watcher.in_tree(program).args(args).output().unwrap();
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn perl_in_place() {
    if !on_path("perl") {
        return skip("perl is not installed");
    }
    one_run_a_save_and_its_name(|watcher, text, _| {
        let text = text.trim_end();
        run_in_tree(watcher, "perl", &["-pi", "-e", &format!("s/.*/{text}/"), "main.go"]);
        Duration::ZERO
    });
}

/// The same on a machine that is slow between closing and renaming.
#[test]
fn perl_in_place_slowly() {
    one_run_a_save_and_its_name(|watcher, text, round| {
        let beside = watcher.path(format!("X{}q", six(round)));
        late(Duration::from_millis(10), || {
            fs::write(&beside, text).unwrap();
            pace_ms(10);
            fs::rename(&beside, watcher.path("main.go")).unwrap();
        })
    });
}

fn difference(watcher: &Watcher, text: &str) -> std::path::PathBuf {
    let old = fs::read_to_string(watcher.path("main.go")).unwrap();
    let patch = watcher.outside("main.patch");
    fs::write(&patch, format!("--- main.go\n+++ main.go\n@@ -1 +1 @@\n-{old}+{text}")).unwrap();
    patch
}

#[test]
fn patch_without_a_backup() {
    if !on_path("patch") {
        return skip("patch is not installed");
    }
    one_run_a_save_and_its_name(|watcher, text, _| {
        let patch = difference(watcher, text);
        run_in_tree(watcher, "patch", &["-s", "-i", patch.to_str().unwrap(), "main.go"]);
        Duration::ZERO
    });
}

/// The backup stays: it is a change where every file counts, and still one run.
#[test]
fn patch_with_a_backup() {
    let real = on_path("patch");
    for flags in [&["--ext", "go"][..], &[]] {
        let project = Project::new().file("main.go", "0\n").runs(Stamp::quick().sees("main.go"));
        let watcher = project.start(flags.to_vec()).ready();
        for round in 1..=5 {
            watcher.exactly(round);
            let text = format!("edit {round}\n");
            let run = watcher.run_after(|watcher| {
                if real {
                    let patch = difference(watcher, &text);
                    let patch = patch.to_str().unwrap();
                    run_in_tree(watcher, "patch", &["-s", "-b", "-i", patch, "main.go"]);
                } else {
                    let beside = format!("main.go.o{}", six(round as u64));
                    watcher.save(&beside, &text);
                    watcher.rename("main.go", "main.go.orig");
                    watcher.rename(&beside, "main.go");
                }
            });
            assert!(run.saw_text(&text), "it saw {:?}\n{}", run.saw, watcher.story());
            let named = ["main.go", "main.go.orig"];
            let named = if flags.is_empty() { &named[..] } else { &named[..1] };
            assert_eq!(run.changed_below(&watcher.tree()), named, "{}", watcher.story());
        }
        watcher.exactly(6);
    }
}

/// rsync: written beside its place in many pieces, its times and its mode set, renamed.
fn rsync_like(watcher: &Watcher, beside: &str, text: &str) -> Duration {
    let beside = watcher.path(beside);
    late(Duration::from_millis(6), || {
        let mut file = fs::File::create(&beside).unwrap();
        for piece in text.as_bytes().chunks(3) {
            file.write_all(piece).unwrap();
            pace_ms(2);
        }
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
        drop(file);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
        fs::set_permissions(&beside, mode).unwrap();
        fs::rename(&beside, watcher.path("main.go")).unwrap();
    })
}

#[test]
fn rsync_and_its_temporary() {
    if on_path("rsync") {
        one_run_a_save_and_its_name(|watcher, text, _| {
            fs::write(watcher.outside("main.go"), text).unwrap();
            let from = watcher.outside("main.go");
            run_in_tree(watcher, "rsync", &["-a", "-I", from.to_str().unwrap(), "main.go"]);
            Duration::ZERO
        });
    }
    one_run_a_save_and_its_name(|watcher, text, round| {
        rsync_like(watcher, &format!(".main.go.{}", six(round)), text)
    });
}

#[test]
fn syncthing_and_mutagen() {
    one_run_a_save_and_its_name(|watcher, text, _| {
        rsync_like(watcher, ".syncthing.main.go.tmp", text)
    });
    one_run_a_save_and_its_name(|watcher, text, round| {
        rsync_like(watcher, &format!(".mutagen-temporary-{}", six(round)), text)
    });
}

/// A large file takes rsync three seconds. A person's save meanwhile is not held, and no run is told of the half.
#[test]
fn a_long_copy_is_named_when_it_is_there() {
    let watcher = Project::new().file("big.bin", "old").file("a.go", "0").start([]).ready();
    watcher.exactly(1);
    let beside = watcher.path(".big.bin.Xy12Ab");
    let mut file = fs::File::create(&beside).unwrap();
    let mut waited = Duration::MAX;
    for piece in 0..300 {
        file.write_all(b"one more piece\n").unwrap();
        pace_ms(10);
        if piece == 200 {
            let saved = monotonic();
            let run = watcher.run_after(|watcher| watcher.save("a.go", "1"));
            waited = Duration::from_nanos(run.began - saved);
            assert_eq!(run.changed_below(&watcher.tree()), ["a.go"], "{}", watcher.story());
        }
    }
    drop(file);
    let run = watcher.run_after(|watcher| watcher.rename(".big.bin.Xy12Ab", "big.bin"));
    assert_eq!(run.changed_below(&watcher.tree()), ["big.bin"], "{}", watcher.story());
    watcher.exactly(3);
    assert!(waited < Duration::from_millis(900), "{waited:?}\n{}", watcher.story());
}

/// Linters of editors put a copy beside the file, read it for as long as they like, and remove it.
#[test]
fn copies_for_linters_are_no_runs() {
    let watcher = Project::new().file("app.py", "1\n").start([]).ready();
    for copy in ["flycheck_app.py", "app_flymake.py", ".null-ls_123_app.py"] {
        for pause in [0, 30, 300] {
            watcher.no_run_after(|watcher| {
                watcher.save(copy, format!("{pause}\n"));
                pace_ms(pause);
                watcher.remove(copy);
            });
        }
    }
    watcher.run_after(|watcher| watcher.save("app.py", "2\n"));
    watcher.exactly(2);
    assert_eq!(watcher.count_lines("same bytes"), 0, "{}", watcher.story());
}
