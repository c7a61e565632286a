//! Commands that write into the tree they are started by, and people who only look as if they were one.

use std::fs;
use std::time::{Duration, Instant};

use crate::harness::*;
use crate::{control, explain};

/// Ten seconds in which a loop would show.
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// What the loop's line says of it.
const LOOP: &str = "loop: run";

/// Starts a shell command that also leaves its stamp first.
fn begins(project: Project, command: &str) -> Watcher {
    project.start_shell(&format!("{{}}; {command}"), []).watching()
}

/// … and waits until it loops no more.
fn loops(project: Project, command: &str) -> Watcher {
    let watcher = begins(project, command);
    watcher.says(LOOP);
    watcher
}

/// At most three runs in ten seconds; every other file reloads on.
#[track_caller]
fn is_broken(watcher: &Watcher, files: &[&str]) {
    pace(TEN_SECONDS);
    let runs = watcher.run_count();
    // The moments of a run say less on a busy machine, and the proof takes some runs more.
    let most = if is_busy() { 7 } else { 3 };
    assert!(runs <= most, "{runs} runs\n{}", watcher.story());
    for file in files {
        let line = watcher.says_all(&[LOOP, &format!("itself wrote {file}")]);
        assert!(line.contains("all other files do"), "{line}");
    }
    let runs = watcher.run_count();
    let run = watcher.run_after(|project| project.save("a.go", "a person's"));
    assert_eq!(run.changed_below(&watcher.tree()), ["a.go"]);
    watcher.exactly(runs + 1);
}

fn project() -> Project {
    Project::new().file("a.go", "package a")
}

#[test]
fn a_command_that_writes_into_the_tree_runs_three_times() {
    let watcher = loops(project(), "date +%s.%N > gen.txt");
    is_broken(&watcher, &["gen.txt"]);
    watcher.matches(
        r"loop: run 3 \(sh, pid \d+\) itself wrote gen.txt, which had caused runs 2 and 3",
    );
}

#[test]
fn a_command_that_appends_for_ever_runs_three_times() {
    let watcher = loops(project(), "while :; do date >> app.txt; sleep 0.02; done");
    is_broken(&watcher, &["app.txt"]);
}

#[test]
fn a_file_made_anew_and_renamed_is_found_out_too() {
    // Nobody opens it: the process has to be met with the file open. Where it was not, the next run waits.
    for temporary in ["gen.txt.tmp", "x.tmp"] {
        let command = format!("date +%s.%N > {temporary}; mv {temporary} gen.txt");
        is_broken(&begins(project(), &command), &["gen.txt"]);
    }
}

/// A pass of polling comes when the command has long ended: the times of its files tell.
#[test]
fn a_loop_that_is_polled_is_found_out_or_slow() {
    for command in ["date +%s.%N > gen.txt", "date +%s.%N > x.tmp; mv x.tmp gen.txt"] {
        let project = project();
        let count = project.outside("runs");
        // Nothing but this: it has to be over within a tick of the clock that stamps files.
        let command = format!("echo >> {}; {command}", count.display());
        let watcher = project.start_exactly(["run", "--backend", "poll", "-e", &command]);
        watcher.says("is polled");
        watcher.save("a.go", "a person's");
        watcher.says("loop");
        pace(Duration::from_secs(2));
        let runs = fs::read_to_string(&count).map_or(0, |text| text.lines().count());
        assert!(runs <= 4, "{runs}\n{}", watcher.story());
    }
}

#[test]
fn a_file_removed_and_written_again_is_found_out_too() {
    // A new file has no lease on it: the process has to be met while it has the file open.
    is_broken(&begins(project(), "rm -f gen.txt; date +%s.%N > gen.txt"), &["gen.txt"]);
}

/// Alone: what is seen of a process that has a file open for 50 µs depends on who else runs.
#[test]
#[ignore = "long; see `make torture`"]
fn torture_in_time_a_hundred_loops_run_three_times() {
    let python =
        "import os; open('x.tmp', 'w').write(str(os.times())); os.replace('x.tmp', 'gen.txt')";
    let commands = [
        "date +%s.%N > gen.txt",
        "date +%s.%N > gen.txt.tmp; mv gen.txt.tmp gen.txt",
        "date +%s.%N > x.tmp; mv x.tmp gen.txt",
        "rm -f gen.txt; date +%s.%N > gen.txt",
        &format!("python3 -c \"{python}\""),
    ];
    let mut counts = [0; 8];
    for command in commands.iter().cycle().take(100) {
        let watcher = begins(project(), command);
        let begin = Instant::now();
        until(TEN_SECONDS, || (watcher.count_lines("loop") > 0).then_some(()));
        pace(QUIET);
        assert!(begin.elapsed() < TEN_SECONDS, "{}", watcher.story());
        counts[watcher.run_count().min(7)] += 1;
    }
    eprintln!("a hundred loops, by runs: {counts:?}");
    assert_eq!(counts[4..], [0; 4]);
}

/// Somebody who renames a file into its place at the same moment of each run, until that is in doubt.
fn in_time_with_runs() -> Watcher {
    let project = project().file("b.go", "package b").runs(Stamp::takes(80).sees("a.go"));
    let watcher = project.start([]).ready();
    watcher.says("run 1: exit 0");
    watcher.run_after(|project| project.save("a.go", "first"));
    for number in 0..60 {
        let runs = watcher.run_count();
        watcher.save_atomically("a.go", format!("save {number}"));
        let next = || {
            let doubted = watcher.count_lines("loop? a.go") > 0;
            (doubted || watcher.run_count() > runs).then_some(doubted)
        };
        if watcher.wait_for("a run, or doubt", next) {
            watcher.exactly(runs);
            return watcher;
        }
    }
    panic!("never in doubt\n{}", watcher.story())
}

#[test]
fn what_is_in_doubt_waits_for_ten_seconds_and_is_not_lost() {
    let watcher = in_time_with_runs();
    let runs = watcher.run_count();
    let text = fs::read_to_string(watcher.path("a.go")).expect("it is there");
    let status = explain::out(&explain::ask(&watcher, ["status"]));
    // With the temporary, if that was there when the run had just begun.
    assert!(
        ["; 1 change waiting", "; 2 changes waiting"].iter().any(|it| status.contains(it)),
        "{status}"
    );
    let waits = explain::ask(&watcher, ["wait"]);
    assert!(explain::out(&waits).contains("caused by a.go"), "{waits:?}");
    let log = watcher.run_log();
    assert_eq!(log.len(), runs + 1, "{}", watcher.story());
    assert!(log[runs].saw_text(&text), "{}", watcher.story());
    assert_eq!(watcher.count_lines(LOOP), 0, "{}", watcher.story());
}

#[test]
fn what_is_in_doubt_goes_with_any_other_change_or_request() {
    let takes_along = |what: &dyn Fn(&Watcher), files: &[&str]| {
        let watcher = in_time_with_runs();
        let runs = watcher.run_count();
        let run = watcher.run_after(what);
        let mut changed = run.changed_below(&watcher.tree());
        // Made when its run had just begun: that one may have seen it.
        changed.retain(|name| name != "a.go.tmp");
        changed.sort();
        assert_eq!(changed, files);
        watcher.exactly(runs + 1);
    };
    takes_along(&|project| project.save("b.go", "package b // a person's"), &["a.go", "b.go"]);
    takes_along(&|watcher| drop(explain::ask(watcher, ["restart"])), &["a.go"]);
    // Nothing of the run is left: this is somebody else's, whatever the moment.
    takes_along(&|project| project.save_atomically("a.go", "a person's"), &["a.go"]);
}

#[test]
fn a_command_that_writes_several_files_runs_three_times() {
    let watcher = loops(project(), "for i in 1 2 3; do date +%s.%N > gen$i.txt; done");
    pace_ms(500);
    is_broken(&watcher, &["gen1.txt", "gen2.txt", "gen3.txt"]);
}

/// Writes `gen.go` from `spec` only when it comes out otherwise, as `go generate` scripts do.
const GENERATE: &str = "sed 's/^/var /' spec > /tmp/gw-it-$$; \
    cmp -s /tmp/gw-it-$$ gen.go || cat /tmp/gw-it-$$ > gen.go; rm /tmp/gw-it-$$";

#[test]
fn a_generator_that_writes_only_what_differs_is_no_loop() {
    let project = project().file("spec", "a\nb\n");
    let watcher = project.start_shell(&format!("{{}}; {GENERATE}"), []).ready();
    pace(TEN_SECONDS);
    assert!(watcher.run_count() <= 3, "{}", watcher.story());
    for name in ["c", "d", "e"] {
        let before = watcher.run_count();
        watcher.save("spec", format!("{name}\n"));
        let want = format!("var {name}\n");
        watcher.wait_for("what was generated", || {
            (fs::read_to_string(watcher.path("gen.go")).ok()? == want).then_some(())
        });
        pace(QUIET);
        assert!(watcher.run_count() <= before + 2, "{}", watcher.story());
    }
    assert_eq!(watcher.count_lines(LOOP), 0, "{}", watcher.story());
}

/// A formatter that rewrites every source in place, and the server that it is run before.
const FORMAT: &str = "for f in *.rs; do sed 's/  */ /g' \"$f\" > /tmp/gw-it-$$ && cat /tmp/gw-it-$$ > \"$f\"; \
    done; rm /tmp/gw-it-$$";

#[test]
fn a_formatter_in_the_command_is_no_loop_and_its_sources_reload_on() {
    a_formatter("native", QUIET);
}

/// A pass of polling finds what the formatter did together with what a person did after it.
#[test]
fn a_formatter_in_a_polled_tree_is_no_loop_and_its_sources_reload_on() {
    a_formatter("poll", QUIET * 3 / 2);
}

fn a_formatter(backend: &str, pause: Duration) {
    let project = Project::new().file("a.rs", "fn a() {}\n").file("b.rs", "fn b() {}\n");
    let flags = ["--backend", backend];
    let watcher = project.start_shell(&format!("{FORMAT}; exec {{}}"), flags).watching();
    pace(TEN_SECONDS);
    // For 12 ms it is not certain what a run saw; on a busy machine the formatter meets them once more.
    assert!(watcher.run_count() <= 4, "{}", watcher.story());
    for number in 0..6 {
        let before = watcher.run_count();
        let text = format!("fn   a{number}()   {{}}\n");
        watcher.run_after(|project| project.save("a.rs", &text));
        let want = format!("fn a{number}() {{}}\n");
        watcher.wait_for("the formatted file", || {
            (fs::read_to_string(watcher.path("a.rs")).ok()? == want).then_some(())
        });
        pace(pause);
        let runs = watcher.run_count() - before;
        assert!(runs <= 4, "{runs} runs for a save\n{}", watcher.story());
    }
    assert_eq!(watcher.count_lines(LOOP), 0, "{}", watcher.story());
}

#[test]
fn a_formatter_before_a_server_is_no_loop() {
    let format = "sed 's/  */ /g' a.rs > /tmp/gw-it-$$; cmp -s /tmp/gw-it-$$ a.rs || \
        cat /tmp/gw-it-$$ > a.rs; rm /tmp/gw-it-$$";
    let project = Project::new().file("a.rs", "fn a() {}\n").runs(Stamp::server());
    let watcher = project.start_shell(&format!("{format}; exec {{}}"), []).ready();
    for number in 0..12 {
        pace_ms(700);
        let before = watcher.run_count();
        let want = format!("fn a{number}() {{}}\n");
        let text = if number % 3 == 0 { want.replace(' ', "   ") } else { want.clone() };
        watcher.run_after(|project| project.save("a.rs", &text));
        watcher.wait_for("the formatted file", || {
            (fs::read_to_string(watcher.path("a.rs")).ok()? == want).then_some(())
        });
        pace_ms(300);
        assert!(watcher.run_count() - before <= 2, "{}", watcher.story());
    }
    assert_eq!(watcher.count_lines(LOOP), 0, "{}", watcher.story());
}

#[test]
fn rustfmt_in_the_command_is_no_loop() {
    if !on_path("rustfmt") {
        return skip("there is no rustfmt");
    }
    let project = Project::new().file("a.rs", "fn main() {}\n");
    let home = std::env::var_os("HOME").unwrap_or_default();
    let project = project.env("HOME", home);
    let watcher = project.start_shell("rustfmt a.rs; exec {}", ["--ext", "rs"]).watching();
    for number in 0..4 {
        let text = format!("fn  main( ) {{   let _ = {number}; }}\n");
        let before = watcher.run_count();
        watcher.run_after(|project| project.save("a.rs", &text));
        watcher.wait_for("the formatted file", || {
            fs::read_to_string(watcher.path("a.rs")).ok()?.contains("fn main() {").then_some(())
        });
        pace_ms(1500);
        assert!(watcher.run_count() - before <= 3, "{}", watcher.story());
    }
    assert_eq!(watcher.count_lines(LOOP), 0, "{}", watcher.story());
}

/// Thirty saves of one file; a run must have seen each.
#[track_caller]
fn thirty_saves(command: Stamp, atomically: bool, pause: Option<u64>) {
    let project = Project::new().file("a.go", "0").runs(command.sees("a.go"));
    let watcher = project.start([]).ready();
    pace_ms(100);
    for number in 0..30 {
        let text = format!("save {number} {}", "x".repeat(number));
        let save = |project: &Watcher| match atomically {
            true => project.save_atomically("a.go", &text),
            false => project.save("a.go", &text),
        };
        let before = watcher.run_count();
        match pause {
            Some(pause) => {
                save(&watcher);
                pace_ms(pause);
            }
            None => drop(watcher.run_after(save)),
        }
        watcher.wait_for("a run that saw it", || {
            watcher.run_log()[before..].iter().any(|run| run.saw_text(&text)).then_some(())
        });
    }
    pace(QUIET);
    assert_eq!(watcher.count_lines(LOOP), 0, "{}", watcher.story());
    assert_eq!(watcher.count_lines("same bytes"), 0, "{}", watcher.story());
}

#[test]
fn thirty_saves_while_a_server_runs_are_a_person() {
    thirty_saves(Stamp::server(), false, None);
    thirty_saves(Stamp::server(), true, None);
}

#[test]
fn thirty_regular_saves_while_a_server_runs_are_a_person() {
    thirty_saves(Stamp::server(), false, Some(150));
    thirty_saves(Stamp::server(), true, Some(150));
}

#[test]
fn thirty_saves_while_a_slow_command_runs_are_a_person() {
    thirty_saves(Stamp::takes(400), false, None);
    thirty_saves(Stamp::takes(400), true, Some(200));
    thirty_saves(Stamp::takes(100), false, Some(110));
}

#[test]
fn another_programs_log_is_no_loop() {
    let watcher = Project::new().file("a.go", "0").file("other.txt", "").start([]).ready();
    for number in 0..8 {
        watcher.run_after(|project| project.append("other.txt", format!("line {number}\n")));
    }
    // The same with the file held open, as loggers do.
    let log = fs::OpenOptions::new().append(true).open(watcher.path("other.txt")).unwrap();
    for number in 0..8 {
        watcher.run_after(|_| {
            use std::io::Write;
            writeln!(&log, "held {number}").unwrap();
        });
        pace_ms(20);
    }
    assert_eq!(watcher.count_lines(LOOP), 0, "{}", watcher.story());
}

#[test]
fn a_run_of_another_cause_that_does_not_write_it_releases_it() {
    let project = project().file("go", "");
    let watcher = loops(project, "test -e go && date +%s.%N > gen.txt; true");
    pace(QUIET);
    let before = watcher.run_count();
    // The command goes on writing it: it stays as it is.
    watcher.run_after(|project| project.save("a.go", "other"));
    pace_ms(2500);
    assert_eq!(watcher.count_lines("gen.txt reloads again"), 0, "{}", watcher.story());
    watcher.run_after(|project| project.remove("go"));
    watcher.says("gen.txt reloads again");
    watcher.run_after(|project| project.save("gen.txt", "by hand"));
    watcher.exactly(before + 3);
}

#[test]
fn a_rule_releases_it() {
    let project = project().settings("watcher:\n  duration: 0\n");
    let watcher = loops(project, "date +%s.%N > gen.txt");
    watcher.says("To keep it so, in watcher.yml:  excluded_paths: [gen.txt]");
    watcher.save("watcher.yml", "watcher:\n  duration: 0\nexcluded_paths: [gen.txt]\n");
    watcher.says("gen.txt is ignored now");
    let before = watcher.run_count();
    watcher.save("watcher.yml", "watcher:\n  duration: 0\nexcluded_paths: [other]\n");
    watcher.says("-excluded_paths");
    // What the walk under the new rules brings to light is no change; that walk is over when this answers.
    control::ask(&watcher, "wait").says(0, "");
    watcher.run_after(|project| project.save("gen.txt", "by hand"));
    watcher.wait_for("the loop again", || (watcher.count_lines(LOOP) == 2).then_some(()));
    pace(QUIET);
    assert!(watcher.run_count() <= before + 4, "{}", watcher.story());
}

/// What is told of a loop to whoever asks.
#[test]
fn explain_and_wait_know_the_loop_that_was_broken() {
    let watcher = loops(project(), "date +%s.%N > gen.txt");
    let asked = explain::ask(&watcher, ["explain", "gen.txt", "gen.txt.tmp", "a.go"]);
    let said = explain::out(&asked);
    let verdict = r"ignored: a loop: run 3 \(sh, pid \d+\) itself wrote gen.txt";
    let lines = regex::Regex::new(&format!(
        "^gen.txt: {verdict}\ngen.txt.tmp: {verdict}\na.go: watched\n$"
    ));
    assert!(lines.unwrap().is_match(&said), "{said}");
    assert_eq!(asked.status.code(), Some(1));
    let json = explain::out(&explain::ask(&watcher, ["explain", "--json", "gen.txt"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["watched"], &json["by"], &json["run"], &json["process"]["name"]),
        (&false.into(), &"loop".into(), &3.into(), &"sh".into())
    );
    assert_eq!(explain::exact(&json["file"]), watcher.path("gen.txt"));
    let summary = explain::out(&explain::ask(&watcher, ["explain"]));
    assert!(summary.starts_with(".: 1 directory and 1 file watched (built-in"), "{summary}");
    let line = regex::Regex::new(
        r"\na loop: run 3 \(sh, pid \d+\) itself wrote gen.txt; gen.txt is as ignored\n",
    );
    assert!(line.unwrap().is_match(&summary), "{summary}");
    assert_eq!(explain::out(&explain::ask(&watcher, ["explain", "--tree"])), "./\na.go\n");
    // Nobody can wait for what causes no run.
    let waits = explain::ask(&watcher, ["wait", "gen.txt"]);
    assert!(explain::err(&waits).starts_with("gen.txt: ignored: a loop: run 3 "), "{waits:?}");
    assert_eq!(waits.status.code(), Some(1));
    // With flags of its own it says what the rules say.
    let asked = explain::ask(&watcher, ["explain", "--ext", "txt", "gen.txt"]);
    assert_eq!(explain::out(&asked), "gen.txt: watched (--ext: .txt)\n");
}

#[test]
fn another_command_releases_it() {
    let file = |command: &str| format!("command: {command:?}\n");
    let watcher =
        project().settings(&file("date +%s.%N > gen.txt")).start_exactly(["run"]).watching();
    watcher.says(LOOP);
    watcher.save("watcher.yml", file("cat gen.txt"));
    watcher.says("gen.txt reloads again");
    let asked = explain::ask(&watcher, ["explain", "gen.txt"]);
    assert_eq!(explain::out(&asked), "gen.txt: watched\n");
    pace(QUIET);
    let runs = watcher.count_lines("changed gen.txt");
    watcher.save("gen.txt", "by hand");
    watcher.wait_for("its run", || (watcher.count_lines("changed gen.txt") > runs).then_some(()));
}

#[test]
fn the_key_i_releases_it() {
    let Some(terminal) = Terminal::open(project()) else { return };
    let program = terminal.program_path().to_str().expect("UTF-8").to_owned();
    terminal.line(&format!("{program} run -e 'date +%s.%N > gen.txt'"));
    terminal.shows("(i: undo)");
    terminal.key("i");
    terminal.shows("gen.txt reloads again");
    terminal.wait_for("the loop again", || {
        (terminal.screen().matches(LOOP).count() == 2).then_some(())
    });
    terminal.key("q");
    terminal.shows("nothing left running");
}
