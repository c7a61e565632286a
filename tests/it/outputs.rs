//! Commands that write into the tree that they are started by: a table of them, and by which rule each comes to
//! rest. Beside it people, and other programs, who only look as if they were the run.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, geteuid, kill_process_group};

use crate::harness::processes;
use crate::harness::*;
use crate::{control, explain};

/// Ten seconds in which a loop would show.
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// What the line says by which an output is learnt.
const MADE: &str = "made by the command itself";
/// What the line says by which a row is put off further and further.
const WAITS: &str = "waits until";
/// More runs than this before a row comes to rest are too many.
const MOST: usize = 8;
/// How late the answer to a save may be while rows cool down: about 1.1 s, and what a shell takes to start.
const LATE_MS: u64 = 1600;

// ------------------------------------------------------------------------------------------ the table

/// By which rule a command comes to rest.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Ends {
    /// What it does is no change at all, or no other bytes.
    Nothing,
    /// It goes on, but ever more slowly.
    Row,
    /// What it makes is learnt.
    Output,
    /// It leaves the same bytes, or none. Where a run is over before that is certain, it is learnt.
    Quiet,
    /// Either of the two: its moments are not to be known well.
    Either,
}

/// A command, and how it comes to rest.
#[derive(Clone)]
struct Row {
    name: String,
    /// What follows the stamp.
    command: String,
    ends: Ends,
    /// Names that the rule proposed must hold for, with spaces between them.
    outputs: String,
    /// What a person edits of it, if not the first; the part that differs is a star.
    edits: Option<&'static str>,
    /// The source whose saves are counted.
    source: &'static str,
    /// What it makes differs only when its source does: nothing is learnt before there are saves.
    follows: bool,
    /// How long after its start it writes for the last time, in ms.
    lasts: u64,
    /// How long it takes until what it wrote is noticed, in ms: polling.
    noticed: u64,
    files: Vec<(&'static str, &'static str)>,
    flags: Vec<&'static str>,
    /// Programs that it needs.
    needs: Vec<&'static str>,
    /// A program of somebody else's that runs beside it, in the tree.
    beside: &'static str,
    /// The file system.
    below: Option<&'static str>,
    user: Option<u32>,
    /// With a file that the rule is to be written to.
    settings: bool,
    /// How many places it takes.
    places: usize,
}

fn row(name: &str, command: &str, ends: Ends, outputs: &str) -> Row {
    Row {
        name: name.into(),
        command: command.into(),
        ends,
        outputs: outputs.into(),
        edits: None,
        source: "a.go",
        follows: false,
        lasts: 0,
        noticed: 0,
        files: Vec::new(),
        flags: Vec::new(),
        needs: Vec::new(),
        beside: "",
        below: None,
        user: None,
        settings: false,
        places: 1,
    }
}

/// A command that ends by being learnt.
fn output(name: &str, command: &str, outputs: &str) -> Row {
    row(name, command, Ends::Output, outputs)
}

/// A command that always leaves the same bytes, or none.
fn same_bytes(name: &str, command: &str, outputs: &str) -> Row {
    row(name, command, Ends::Quiet, outputs)
}

/// A command that does nothing that would count.
fn nothing(name: &str, command: &str) -> Row {
    row(name, command, Ends::Nothing, "")
}

impl Row {
    fn lasts(self, lasts: u64) -> Self {
        Self { lasts, ..self }
    }

    fn edits(self, edits: &'static str) -> Self {
        Self { edits: Some(edits), ..self }
    }

    fn file(mut self, name: &'static str, text: &'static str) -> Self {
        self.files.push((name, text));
        self
    }

    fn flags(self, flags: &[&'static str]) -> Self {
        Self { flags: flags.to_vec(), ..self }
    }

    fn needs(self, needs: &[&'static str]) -> Self {
        Self { needs: needs.to_vec(), ..self }
    }

    /// Its outputs follow this source.
    fn follows(self, source: &'static str) -> Self {
        Self { source, follows: true, ..self }
    }

    fn below(self, directory: &'static str) -> Self {
        Self { name: format!("{} (in {directory})", self.name), below: Some(directory), ..self }
    }

    fn user(self, user: u32) -> Self {
        Self { name: format!("{} (as {user})", self.name), user: Some(user), ..self }
    }
}

/// One file, written in each of the ways.
fn one_file() -> Vec<Row> {
    let python = "import os; open('x.tmp', 'w').write(str(os.times())); \
        os.replace('x.tmp', 'gen.txt')";
    vec![
        output("in place", "date +%s.%N > gen.txt", "gen.txt"),
        output("beside it, and renamed", "date +%s.%N > x.tmp; mv x.tmp gen.txt", "gen.txt"),
        output(
            "beside it for 0.4 s, and renamed",
            "(date +%s.%N; sleep 0.4) > gen.txt.tmp; mv gen.txt.tmp gen.txt",
            "gen.txt",
        )
        .lasts(400),
        output(
            "a temporary that lies there for 0.4 s",
            "date +%s.%N > gen.tmp; sleep 0.4; mv gen.tmp gen.txt",
            "gen.txt gen.tmp",
        )
        .lasts(400),
        output("removed and written", "rm -f gen.txt; date +%s.%N > gen.txt", "gen.txt"),
        output("touched", "touch gen.txt", "gen.txt"),
        output("replaced by Python", &format!("\"$PYTHON\" -SEc \"{python}\""), "gen.txt")
            .needs(&["python3"])
            .lasts(50),
        Row {
            settings: true,
            ..output("with a file for the rule", "date +%s.%N > gen.txt", "gen.txt")
        },
    ]
}

/// A name of its own for each run.
fn new_names() -> Vec<Row> {
    let coverage = "for n in 1 2 3; do echo $n > .coverage.host.$$.$(head -c 3 /dev/urandom \
        | od -An -tx1 | tr -d ' '); done; sleep 0.1; cat .coverage.host.* > .coverage.new; \
        date +%s.%N >> .coverage.new; mv .coverage.new .coverage; rm -f .coverage.host.*";
    vec![
        output(
            "a report with the time in its name",
            "date > report-$(date +%s%N).json",
            "report-1757000000123456789.json",
        )
        .edits("report-*.json"),
        output(
            "a hash in the name, and the old one removed",
            "rm -f app.*.js; n=$(date +%N | md5sum | cut -c1-8); echo $n > app.$n.js",
            "app.0e5b1a7c.js",
        )
        .edits("app.*.js"),
        output("what coverage combines", coverage, ".coverage").lasts(100),
        nothing("a temporary by mktemp, gone at once", "t=$(mktemp ./b.XXXXXXXX); rm $t"),
        same_bytes(
            "a temporary by mktemp, gone after 0.2 s",
            "t=$(mktemp ./build.XXXXXXXX); echo a > $t; sleep 0.2; rm $t",
            "build.aB3dE9xY",
        )
        .lasts(200),
        same_bytes(
            "its process id in the name, for 0.2 s",
            "echo a > worker.$$.pid; sleep 0.2; rm -f worker.*.pid",
            "worker.12345.pid",
        )
        .lasts(200),
    ]
}

/// Whole directories, and what builds them.
fn trees() -> Vec<Row> {
    let build = "rm -rf dist; mkdir dist; sleep 0.3; echo same > dist/out.js";
    vec![
        same_bytes(
            "a directory made anew at once",
            "rm -rf gen; mkdir gen; echo same > gen/out.txt",
            "gen/out.txt",
        ),
        same_bytes(
            "a directory made anew, 0.3 s apart",
            "rm -rf gen; sleep 0.3; mkdir gen; echo same > gen/out.txt",
            "gen/out.txt",
        )
        .lasts(300),
        same_bytes(
            "a clean build, then a server",
            &format!("{build}; exec sleep 1000"),
            "dist/out.js",
        )
        .lasts(300),
        same_bytes("a clean build that ends, queued", build, "dist/out.js")
            .flags(&["--on-busy", "queue"])
            .lasts(300),
        output(
            "a directory swapped in",
            "rm -rf out.new; mkdir out.new; date +%s.%N | tee out.new/a.txt > out.new/b.txt; \
             rm -rf out; mv out.new out",
            "out/a.txt out/b.txt",
        ),
        output("a link turned", "ln -sfn v$(date +%s%N) current", "current"),
        output(
            "a hard link made anew",
            "date +%s.%N > \"$OUT/new\"; mv \"$OUT/new\" \"$OUT/it\"; ln -f \"$OUT/it\" gen.txt",
            "gen.txt",
        ),
        nothing("a FIFO made anew", "rm -f pipe; mkfifo pipe"),
        nothing(
            "a socket made anew, and served",
            "rm -f app.sock; exec \"$PYTHON\" -SEc \"import socket, time; \
             it = socket.socket(socket.AF_UNIX); it.bind('app.sock'); time.sleep(1000)\"",
        )
        .needs(&["python3"]),
    ]
}

/// Several files, one after the other or at once.
fn several_files() -> Vec<Row> {
    vec![
        same_bytes(
            "protoc's three",
            "rm -f *.pb.go; for n in a b c; do sleep 0.1; echo $n > $n.pb.go; done",
            "a.pb.go b.pb.go c.pb.go",
        )
        .lasts(300),
        make("make clean all", "make -s clean all"),
        make("make -j2", "make -s -j2 clean; make -s -j2 all"),
        output(
            "pdflatex's four",
            "for n in aux log out; do echo same > paper.$n; sleep 0.05; done; \
             date +%s.%N > paper.pdf",
            "paper.pdf",
        )
        .lasts(150),
        same_bytes(
            "a test program that is built, run and removed",
            "cp --remove-destination \"$(command -v sleep)\" pkg.test; ./pkg.test 0.3; rm pkg.test",
            "pkg.test",
        )
        .lasts(320),
        same_bytes(
            "a lock for the time of the run",
            "echo $$ > build.lock; sleep 0.3; rm build.lock",
            "build.lock",
        )
        .lasts(300),
        same_bytes(
            "five files 0.2 s apart, the same bytes",
            "for n in 1 2 3 4 5; do echo same > gen$n.txt; sleep 0.2; done",
            "gen1.txt gen2.txt gen3.txt gen4.txt gen5.txt",
        )
        .lasts(800),
        output(
            "five files 0.2 s apart, with a date",
            "for n in 1 2 3 4 5; do date +%s.%N > gen$n.txt; sleep 0.2; done",
            "gen1.txt gen2.txt gen3.txt gen4.txt gen5.txt",
        )
        .lasts(800),
        output(
            "thirty files at once",
            "d=$(date +%s.%N); n=0; while [ $n -lt 30 ]; do n=$((n+1)); echo $d > gen$n.txt; done",
            &(1..=30).map(|n| format!("gen{n}.txt ")).collect::<String>(),
        ),
        output(
            "two, of which one is a source of the other",
            "date +%s.%N > one.gen; sleep 0.1; cat one.gen > two.gen",
            "one.gen two.gen",
        )
        .lasts(100),
    ]
}

/// Two objects and a program, by a real `make`.
fn make(name: &str, command: &str) -> Row {
    let rules = ".PHONY: all clean\nall: app\napp: one.o two.o\n\tsleep 0.05; date +%s.%N > app\n\
        one.o two.o:\n\tsleep 0.1; date +%s.%N > $@\nclean:\n\trm -f app one.o two.o\n";
    output(name, command, "app one.o two.o").file("Makefile", rules).needs(&["make"]).lasts(270)
}

/// What stays, and who writes on its behalf.
fn servers() -> Vec<Row> {
    let daemon = "mkfifo \"$OUT/ask\"; exec 3<> \"$OUT/ask\"; touch \"$OUT/up\"; \
        while read word <&3; do sleep 0.2; date +%s.%N > gen.txt; done";
    vec![
        output(
            "a server that writes at its start",
            "date +%s.%N > state.txt; exec sleep 1000",
            "state.txt",
        ),
        output(
            "a server that writes after 1.5 s",
            "sleep 1.5; date +%s.%N > state.txt; exec sleep 1000",
            "state.txt",
        )
        .lasts(1500),
        output(
            "a child that writes after 0.5 s and lives on",
            "sh -c 'sleep 0.5; date +%s.%N > gen.txt; exec sleep 1000' & exec sleep 1000",
            "gen.txt",
        )
        .lasts(500),
        output(
            "a daemon in a session of its own",
            "setsid sh -c 'sleep 0.4; date +%s.%N > gen.txt; exec sleep 1000' & exec sleep 1000",
            "gen.txt",
        )
        .needs(&["setsid"])
        .lasts(400),
        Row {
            beside: daemon,
            ..output(
                "a daemon that is none of the run's",
                "echo go > \"$OUT/ask\"; exec sleep 1000",
                "gen.txt",
            )
            .lasts(200)
        },
    ]
}

/// What has no moment, or none that can be known well.
fn without_moments() -> Vec<Row> {
    let varies = "sleep 0.$((200 + $(od -An -N2 -tu2 /dev/urandom) % 200)); date +%s.%N > gen.txt";
    let later = |row: Row| Row { noticed: 1000, ..row };
    vec![
        // Settling says of it that it is written without end; nothing else is to be said.
        row("a log without end", "while :; do date >> app.txt; sleep 0.02; done", Ends::Row, ""),
        row("a command that takes 0.2 to 0.4 s", varies, Ends::Row, "gen.txt").lasts(400),
        later(
            row("polled", "date +%s.%N > gen.txt", Ends::Either, "gen.txt")
                .flags(&["--backend", "poll"]),
        ),
        later(
            row(
                "polled, beside it and renamed",
                "date +%s.%N > x.tmp; mv x.tmp gen.txt",
                Ends::Either,
                "gen.txt",
            )
            .flags(&["--backend", "poll"]),
        ),
        row("the portable source", "date +%s.%N > gen.txt", Ends::Either, "gen.txt")
            .flags(&["--backend", "portable"]),
    ]
}

/// What comes out otherwise only when its source does: each save of that costs one run too many, until it is learnt.
fn that_follow_a_source() -> Vec<Row> {
    let templ = "sed 's/^/var /' page.templ > page_templ.go";
    let sass = "sleep 0.2; sed 's/^/css /' style.scss > style.css; echo $(cksum < style.scss) > style.css.map";
    let snapshot = "mkdir -p __snapshots__; sed 's/^/is /' page.js > \"$OUT/new\"; \
        cmp -s \"$OUT/new\" __snapshots__/page.snap || cp \"$OUT/new\" __snapshots__/page.snap";
    let formats = "sed 's/  */ /g' a.go > \"$OUT/it\"; cat \"$OUT/it\" > a.go";
    let serves = |row: Row| Row {
        name: format!("{}, then a server", row.name),
        command: format!("{}; exec sleep 1000", row.command),
        ..row
    };
    let templ =
        output("templ", templ, "page_templ.go").file("page.templ", "page\n").follows("page.templ");
    let sass = output("sass", sass, "style.css style.css.map")
        .file("style.scss", "style\n")
        .follows("style.scss")
        .lasts(210);
    let snapshot = output("a snapshot", snapshot, "__snapshots__/page.snap")
        .file("page.js", "page\n")
        .follows("page.js");
    let formats = output("a formatter of the saved source", formats, "a.go").follows("a.go");
    let rows = [templ, sass, snapshot, formats];
    rows.iter().cloned().chain(rows.iter().cloned().map(serves)).collect()
}

/// Everything, once more for each file system and user.
fn table() -> Vec<Row> {
    let groups =
        [one_file, new_names, trees, several_files, servers, without_moments, that_follow_a_source];
    groups.into_iter().flat_map(|group| group()).collect()
}

#[test]
fn one_file_written_in_each_of_the_ways() {
    all_hold(&one_file());
}

#[test]
fn a_new_name_for_each_run() {
    all_hold(&new_names());
}

#[test]
fn directories_links_pipes_and_sockets() {
    all_hold(&trees());
}

/// What make and its shells take varies by more than a tolerance beside other tests: those rows are for `make torture`.
#[test]
fn several_files_apart_or_at_once() {
    let without_make = several_files().into_iter().filter(|row| !row.needs.contains(&"make"));
    all_hold(&without_make.collect::<Vec<Row>>());
}

#[test]
fn servers_children_and_daemons() {
    all_hold(&servers());
}

#[test]
fn what_has_no_moment_goes_on_ever_more_slowly() {
    all_hold(&without_moments());
}

#[test]
fn what_follows_a_source_costs_five_runs_at_most() {
    all_hold(&that_follow_a_source());
}

#[test]
fn in_memory_and_as_another_user() {
    let some = ["in place", "removed and written", "a report with the time in its name", "templ"];
    let rows: Vec<Row> =
        table().into_iter().filter(|row| some.contains(&row.name.as_str())).collect();
    let in_memory = rows.iter().take(3).cloned().map(|row| row.below("/dev/shm"));
    let as_nobody = rows.iter().skip(2).cloned().map(|row| row.user(65_534));
    all_hold(&in_memory.chain(as_nobody).collect::<Vec<Row>>());
}

#[test]
#[ignore = "beside two busy loops; see `make torture`"]
fn torture_in_time_make_beside_two_busy_loops() {
    let busy = Row {
        beside: "(while :; do :; done) & while :; do :; done",
        ends: Ends::Either,
        places: PLACES,
        ..make("make -j2 beside two busy loops", "make -s -j2 clean; make -s -j2 all")
    };
    all_hold(&[busy]);
}

#[test]
#[ignore = "long; see `make torture`"]
fn torture_the_whole_table_in_memory_and_as_another_user() {
    let rows = table();
    let in_memory = rows.iter().cloned().map(|row| row.below("/dev/shm"));
    let as_nobody = rows.iter().cloned().map(|row| row.user(65_534));
    all_hold(&in_memory.chain(as_nobody).collect::<Vec<Row>>());
}

/// Moments are what is learnt by: the same table again and again, for those that vary.
#[test]
#[ignore = "long; see `make torture`"]
fn torture_in_time_the_table_five_times() {
    for _ in 0..5 {
        all_hold(&table());
    }
}

// ------------------------------------------------------------------------------------ how a row is held

/// How many rows are under way at a time, in all tests of this file: they wait more than they work, but they are
/// about moments.
const PLACES: usize = 12;

struct Places {
    free: Mutex<usize>,
    given_back: Condvar,
    /// Who waits for many places keeps those behind from taking them one by one.
    turn: Mutex<()>,
}

static ALL_PLACES: Places =
    Places { free: Mutex::new(PLACES), given_back: Condvar::new(), turn: Mutex::new(()) };

struct Taken(usize);

fn take_places(count: usize) -> Taken {
    let _turn = ALL_PLACES.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let mut free = ALL_PLACES.free.lock().unwrap_or_else(PoisonError::into_inner);
    while *free < count {
        free = ALL_PLACES.given_back.wait(free).unwrap_or_else(PoisonError::into_inner);
    }
    *free -= count;
    drop(free);
    // Not all start in the same moment.
    pace_ms(300);
    Taken(count)
}

impl Drop for Taken {
    fn drop(&mut self) {
        *ALL_PLACES.free.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
        ALL_PLACES.given_back.notify_all();
    }
}

/// Whether moments since then say little: more wants a processor than there are, or somebody who wants one every
/// 5 ms got it 10 ms late.
fn is_disturbed(since: Instant) -> bool {
    static LATE: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
    static WATCH: std::sync::Once = std::sync::Once::new();
    WATCH.call_once(|| {
        std::thread::spawn(|| {
            loop {
                let begun = Instant::now();
                pace_ms(5);
                if begun.elapsed() > Duration::from_millis(15) {
                    LATE.lock().unwrap_or_else(PoisonError::into_inner).push(begun);
                }
            }
        });
    });
    let late = LATE.lock().unwrap_or_else(PoisonError::into_inner);
    is_busy() || late.last().is_some_and(|last| *last > since)
}

/// Does the same with each, side by side, and names those that failed.
#[track_caller]
fn side_by_side<T: Sync>(
    all: &[T],
    name: impl Fn(&T) -> String + Sync,
    places: impl Fn(&T) -> usize + Sync,
    check: impl Fn(&T) + Sync,
) {
    // A moment says less beside other rows and other tests: what fails there is tried again with all places, twice
    // at most, when there is a processor for each process that wants one (or after a minute).
    let mut failed = try_all(all, &name, &places, &check);
    for _ in 0..2 {
        if !failed.is_empty() {
            in_time(Duration::from_secs(60), || (!is_busy()).then_some(()));
            let again = try_all(&failed, |one| name(one), |_| PLACES, |one| check(one));
            failed = again.into_iter().copied().collect();
        }
    }
    let failed: Vec<String> = failed.into_iter().map(name).collect();
    assert!(failed.is_empty(), "{} of {} failed each time: {failed:#?}", failed.len(), all.len());
}

/// Those that fail.
fn try_all<T: Sync>(
    all: &[T],
    name: impl Fn(&T) -> String + Sync,
    places: impl Fn(&T) -> usize + Sync,
    check: impl Fn(&T) + Sync,
) -> Vec<&T> {
    let (places, check) = (&places, &check);
    std::thread::scope(|scope| {
        let threads: Vec<_> = all
            .iter()
            .map(|one| {
                let thread = std::thread::Builder::new().name(name(one));
                let started = thread.spawn_scoped(scope, move || {
                    let _taken = take_places(places(one));
                    check(one);
                });
                (one, started.expect("a thread"))
            })
            .collect();
        threads.into_iter().filter_map(|(one, thread)| thread.join().err().map(|_| one)).collect()
    })
}

#[track_caller]
fn all_hold(rows: &[Row]) {
    side_by_side(rows, |row| row.name.clone(), |row| row.places, Row::holds);
}

/// Somebody else's program, in the tree; it is ended with this.
struct Beside(Child);

impl Beside {
    /// Not tagged as the test's: it may outlive the program.
    fn start(project: &Project, script: &str) -> Self {
        let mut command = project.in_tree("sh");
        command.args(["-c", script]).env_remove(processes::TAG).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("a shell"))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.0);
        let _ = kill_process_group(group, Signal::TERM);
        // A go-watcher stops what it has started before it ends.
        until(Duration::from_secs(5), || self.0.try_wait().ok()?);
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.0.wait();
    }
}

/// Waits as `until` does, but asks seldom: many wait at the same time, for long.
fn in_time<T>(deadline: Duration, condition: impl FnMut() -> Option<T>) -> Option<T> {
    until_every(Duration::from_millis(15), deadline, condition)
}

/// Waits until the last run began so many milliseconds ago.
#[track_caller]
fn ages(watcher: &Watcher, ms: u64) {
    let aged = in_time(DEADLINE * 2, || {
        watcher.last_run().is_some_and(|run| ms_since(run.began) >= ms).then_some(())
    });
    assert!(aged.is_some(), "it never rests for {ms} ms\n{}", watcher.story());
}

/// The rules that are proposed below (or in) the lines that pass: as a list for the file, or as flags.
fn rules_below(lines: &[String], passes: impl Fn(&str) -> bool) -> Vec<String> {
    let list = regex::Regex::new(r"excluded_paths: (\[.*\])").expect("a pattern");
    let mut rules = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| passes(line)) {
        for line in lines.iter().skip(at).take(2) {
            if let Some(found) = list.captures(line) {
                let listed: Vec<String> = serde_yaml::from_str(&found[1]).expect("a list in YAML");
                rules.extend(listed);
            } else if let Some((_, flags)) = line.split_once("add:  ") {
                let flags = flags.split("   (").next().unwrap_or_default();
                let words = shell_words::split(flags).expect("shell words");
                rules.extend(words.iter().filter(|word| *word != "-i").cloned());
            }
        }
    }
    rules.sort();
    rules.dedup();
    rules
}

fn is_learnt(line: &str) -> bool {
    line.contains("[INFO]") && line.contains(MADE)
}

fn is_slow(line: &str) -> bool {
    line.contains("[WARN]") && (line.contains(WAITS) || line.contains("written without end"))
}

/// Those of the names that the rules do not hold for, by what `explain` says of them.
fn not_covered(watcher: &Watcher, rules: &[String], names: &[&str]) -> Vec<String> {
    if rules.is_empty() {
        return names.iter().map(|&name| name.to_owned()).collect();
    }
    let mut args = vec!["explain"];
    args.extend(rules.iter().flat_map(|rule| ["-i", rule.as_str()]));
    args.extend(names);
    let said = explain::out(&explain::ask(watcher, args));
    let ignored =
        |name: &str| said.lines().any(|line| line.starts_with(&format!("{name}: ignored by")));
    names.iter().filter(|name| !ignored(name)).map(|&name| name.to_owned()).collect()
}

/// How a row came to rest.
#[derive(PartialEq, Debug)]
enum Came {
    Quiet,
    Slow,
}

impl Row {
    fn names(&self) -> Vec<&str> {
        self.outputs.split_whitespace().collect()
    }

    /// Beside a server each save goes on with the row: who does not save every second is answered at once all the same.
    fn least(&self) -> u64 {
        let serves = ["sleep 1000", "sleep(1000)"].iter().any(|it| self.command.contains(it));
        if serves { 1100 } else { 0 }
    }

    fn start(&self) -> Option<(Watcher, Option<Beside>)> {
        let says = |reason: String| {
            skip(&format!("{}: {reason}", self.name));
            None
        };
        if let Some(missing) = self.needs.iter().find(|program| !on_path(program)) {
            return says(format!("there is no {missing}"));
        }
        if self.user.is_some() && !geteuid().is_root() {
            return says("only root becomes somebody else".into());
        }
        let below = self.below.map_or_else(std::env::temp_dir, PathBuf::from);
        if tempfile::tempdir_in(&below).is_err() {
            return says(format!("{} can't be written to", below.display()));
        }
        let mut project = Project::below(&below).runs(Stamp::quick().sees(self.source));
        let out = project.outside("");
        project = project.env("OUT", out).file("a.go", "package a");
        if self.needs.contains(&"python3") {
            let Some(python) = python() else { return says("Python does not start".into()) };
            project = project.env("PYTHON", python);
        }
        for (name, text) in &self.files {
            project = project.file(name, text);
        }
        if self.settings {
            project = project.settings("watcher:\n  duration: 0\n");
        }
        if let Some(user) = self.user {
            project = project.owned_by(user);
        }
        let beside = (!self.beside.is_empty()).then(|| Beside::start(&project, self.beside));
        if self.beside.contains("$OUT/up") {
            until(DEADLINE, || project.outside("up").exists().then_some(())).expect("it is up");
        }
        let command = format!("{{}}; {}", self.command);
        Some((project.start_shell(&command, self.flags.iter().copied()), beside))
    }

    fn holds(&self) {
        let begun = Instant::now();
        let is_busy = || is_disturbed(begun);
        is_busy();
        let Some((watcher, _beside)) = self.start() else { return };
        let watcher = watcher.ready();
        let came = self.comes_to_rest(&watcher, &is_busy);
        match (self.ends, &came) {
            (Ends::Nothing, Came::Quiet) => {}
            (Ends::Quiet, Came::Quiet) => {
                if watcher.lines().iter().any(|line| is_learnt(line)) {
                    self.proposes_for_no_source(&watcher, is_learnt);
                }
            }
            (Ends::Output, Came::Quiet) => {
                if self.follows {
                    self.is_learnt_by_saves(&watcher, &is_busy);
                }
                self.proposes(&watcher, is_learnt);
            }
            (Ends::Row | Ends::Either, Came::Slow) => self.proposes(&watcher, is_slow),
            (Ends::Either, Came::Quiet) => self.proposes(&watcher, is_learnt),
            (Ends::Output, Came::Slow) if is_busy() => {
                self.proposes(&watcher, is_slow);
            }
            (ends, came) => panic!("{came:?}, but it ends by {ends:?}\n{}", watcher.story()),
        }
        self.five_saves(&watcher, &came, &is_busy);
        if came == Came::Quiet && !self.outputs.is_empty() {
            self.a_person_edits(&watcher, &is_busy);
        }
        let lines = watcher.lines();
        let (learnt, slow) =
            (lines.iter().any(|it| is_learnt(it)), lines.iter().any(|it| is_slow(it)));
        assert!(self.ends != Ends::Nothing || !(learnt || slow), "{}", watcher.story());
        eprintln!("{}: {came:?}, {} runs in all", self.name, watcher.run_count());
    }

    /// Ten seconds without a run, and at most eight before them; or, where it is not to be learnt, the line that says
    /// so, at most four runs in ten seconds, and no more in the next ten.
    fn comes_to_rest(&self, watcher: &Watcher, is_busy: &dyn Fn() -> bool) -> Came {
        let rest = 10_000 + self.lasts;
        let says_slow = || watcher.lines().iter().any(|line| is_slow(line));
        let may_be_slow = || match self.ends {
            Ends::Row | Ends::Either => true,
            Ends::Output => is_busy(),
            Ends::Nothing | Ends::Quiet => false,
        };
        let is_known = || {
            let rules = rules_below(&watcher.lines(), is_learnt);
            not_covered(watcher, &rules, &self.names()).is_empty()
        };
        let came = in_time(DEADLINE * 3, || {
            let runs = watcher.run_log();
            let age = runs.last().map_or(0, |run| ms_since(run.began));
            if self.ends == Ends::Row && says_slow() {
                return Some(Came::Slow);
            }
            if runs.len() > MOST {
                assert!(
                    may_be_slow() && says_slow(),
                    "{} runs before it rests\n{}",
                    runs.len(),
                    watcher.story()
                );
                return Some(Came::Slow);
            }
            // The distance of a row may be as long as a rest.
            (age >= rest).then(|| match self.ends == Ends::Either && !is_known() {
                true => Came::Slow,
                false => Came::Quiet,
            })
        });
        let Some(came) = came else { panic!("it does not rest\n{}", watcher.story()) };
        if came == Came::Slow {
            let runs = || {
                let before = watcher.run_count();
                pace(TEN_SECONDS);
                watcher.run_count() - before
            };
            let (first, second) = (runs(), runs());
            assert!(
                first <= 4 && second <= first.max(3),
                "{first} runs in ten seconds, then {second}\n{}",
                watcher.story()
            );
        }
        came
    }

    /// Each save of the source costs a run too many, at most five of them, until what follows it is learnt.
    fn is_learnt_by_saves(&self, watcher: &Watcher, is_busy: &dyn Fn() -> bool) {
        for save in 0..=12 {
            let extra = watcher.run_count() - 1 - save as usize;
            assert!(
                extra <= if is_busy() { 8 } else { 5 },
                "{extra} runs too many\n{}",
                watcher.story()
            );
            let rules = rules_below(&watcher.lines(), is_learnt);
            if not_covered(watcher, &rules, &self.names()).is_empty() {
                return;
            }
            // What comes at the same moment after each start is made by the run: a person's save does not.
            ages(watcher, self.lasts + self.least() + 500 + save * 370 % 1000);
            self.save(watcher, &format!("teach {save}"));
            ages(watcher, self.lasts + 400);
        }
        panic!("twelve saves, and it is not learnt\n{}", watcher.story());
    }

    /// Saves the source: a run that began after it has to see it. Returns how long that took, in ms.
    fn save(&self, watcher: &Watcher, what: &str) -> u64 {
        let text = format!("package a  //   {what}\n");
        let moment = monotonic();
        watcher.save(self.source, &text);
        watcher.wait_for(&format!("the run of {what}"), || {
            let runs = watcher.run_log();
            let its = runs.iter().find(|run| run.began > moment && run.saw_text(&text))?;
            Some((its.began - moment) / 1_000_000)
        })
    }

    /// Exactly one run each; where it never rests, each is answered soon.
    fn five_saves(&self, watcher: &Watcher, came: &Came, is_busy: &dyn Fn() -> bool) {
        let before = watcher.run_count();
        let mut number = 0;
        let least = self.least();
        let pauses = [330, 870, 510, 1130, 690];
        at_their_own_time(
            pauses.map(|it| it + least + self.lasts + self.noticed).into_iter(),
            || {
                number += 1;
                let late = self.save(watcher, &format!("save {number}"));
                // What is written without end makes others wait too.
                let most = LATE_MS + if *came == Came::Slow { 2000 } else { 0 };
                assert!(
                    late <= most + self.noticed || is_busy(),
                    "{late} ms late\n{}",
                    watcher.story()
                );
            },
        );
        if *came == Came::Quiet {
            ages(watcher, self.lasts + self.noticed + 1700);
        }
        let runs = watcher.run_count() - before;
        let most = match came {
            Came::Quiet if is_busy() => 10,
            // What comes and goes is nothing while a start waits, and may be learnt by the first save only.
            Came::Quiet if self.ends == Ends::Quiet => 6,
            Came::Quiet => 5,
            Came::Slow => 20,
        };
        assert!((5..=most).contains(&runs), "{runs} runs for five saves\n{}", watcher.story());
    }

    /// What the command makes is a person's at any other moment.
    fn a_person_edits(&self, watcher: &Watcher, is_busy: &dyn Fn() -> bool) {
        ages(watcher, self.lasts + 1500);
        let path = newest(watcher, self.edits.unwrap_or_else(|| self.names()[0]));
        if self.ends == Ends::Quiet && watcher.path(&path).symlink_metadata().is_err() {
            // It comes and goes: there is nothing to edit.
            return;
        }
        let before = watcher.run_count();
        if watcher.path(&path).is_symlink() {
            watcher.remove(&path);
            symlink("a-person-s", watcher.path(&path)).expect("a link");
        } else {
            watcher.save_new(&path, "a   person's\n");
        }
        watcher.wait_for("the run of the edit", || {
            let runs = watcher.run_log();
            runs[before..]
                .iter()
                .any(|run| run.changed_below(&watcher.tree()).contains(&path))
                .then_some(())
        });
        ages(watcher, self.lasts + self.noticed + 1700);
        let runs = watcher.run_count() - before;
        // Where nothing is learnt, the same bytes are others than a person's.
        let learnt = watcher.lines().iter().any(|line| is_learnt(line));
        let most = if is_busy() || !learnt { 2 } else { 1 };
        assert!((1..=most).contains(&runs), "{runs} runs for an edit\n{}", watcher.story());
    }

    /// The rule below the line holds for all that is made, and for no source.
    fn proposes(&self, watcher: &Watcher, line: impl Fn(&str) -> bool) {
        let lines = watcher.lines();
        let rules = rules_below(&lines, &line);
        let missed = not_covered(watcher, &rules, &self.names());
        assert!(missed.is_empty(), "{rules:?} miss {missed:?}\n{}", watcher.story());
        self.proposes_for_no_source(watcher, line);
        if self.settings {
            let rule = "in watcher.yml:  excluded_paths: [gen.txt]";
            assert!(watcher.count_lines(rule) > 0, "{}", watcher.story());
        }
    }

    fn proposes_for_no_source(&self, watcher: &Watcher, line: impl Fn(&str) -> bool) {
        let rules = rules_below(&watcher.lines(), line);
        let sources: Vec<&str> = ["a.go", "b.go", "Makefile", self.source]
            .into_iter()
            .filter(|source| !self.names().contains(source))
            .collect();
        let kept = not_covered(watcher, &rules, &sources);
        assert_eq!(kept, sources, "{rules:?}\n{}", watcher.story());
    }
}

/// The file of this name that was written last; a star is the part that differs.
fn newest(watcher: &Watcher, name: &str) -> String {
    let Some((head, tail)) = name.split_once('*') else { return name.to_owned() };
    let names = fs::read_dir(watcher.tree()).expect("the tree").flatten();
    let mut names: Vec<(std::time::SystemTime, String)> = names
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let time = entry.metadata().ok()?.modified().ok()?;
            (name.starts_with(head) && name.ends_with(tail)).then_some((time, name))
        })
        .collect();
    names.sort();
    names.pop().expect("one of that name").1
}

// -------------------------------------------------------------------------------------- nobody is the run

/// What the command does meanwhile.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Meanwhile {
    /// It is a server, and idle.
    Idles,
    /// It is a server that writes every 20 ms: its own file outside, a journal beside its data.
    Writes,
    /// It takes a processor for half a second, as a compiler does, and is a server then.
    Burns,
}

const MEANWHILE: [Meanwhile; 3] = [Meanwhile::Idles, Meanwhile::Writes, Meanwhile::Burns];

impl Meanwhile {
    fn command(self) -> &'static str {
        match self {
            Self::Idles => "exec sleep 1000",
            Self::Writes => {
                "while :; do echo x > app.db-journal; echo x >> \"$OUT/own\"; rm app.db-journal; \
                 sleep 0.02; done"
            }
            Self::Burns => "n=0; while [ $n -lt 500000 ]; do n=$((n+1)); done; exec sleep 1000",
        }
    }
}

/// Somebody who changes files while a command runs, and is not it.
struct Person {
    name: &'static str,
    /// What there is before.
    project: fn(Project) -> Project,
    /// What they do. Returns the moments of all that has to be answered, in order.
    does: fn(&Watcher, &mut Random) -> Vec<u64>,
    /// What the command does before anything else.
    command: &'static str,
    /// Another program in the tree.
    beside: &'static str,
    /// How late the answer may be, in ms, where that is promised.
    late: Option<u64>,
}

const PERSON: Person = Person {
    name: "",
    project: |project| project,
    does: |_, _| Vec::new(),
    command: "",
    beside: "",
    late: None,
};

/// Saves a file with bytes that it never had before, and says when.
fn saves(watcher: &Watcher, file: &str) -> u64 {
    let moment = monotonic();
    watcher.save(file, format!("package a // {moment}\n"));
    moment
}

/// Does something at each of these distances from its beginning: a person looks at the clock or at nothing, but does
/// not begin to count when a run starts.
fn at_their_own_time(distances: impl Iterator<Item = u64>, mut what: impl FnMut()) {
    let mut next = Instant::now();
    for distance in distances {
        next += Duration::from_millis(distance);
        pace(next.saturating_duration_since(Instant::now()));
        what();
    }
}

/// So many distances of at least `least` ms, and less than `most`.
fn irregular(random: &mut Random, count: usize, least: u64, most: u64) -> Vec<u64> {
    (0..count).map(|_| least + random.below(most - least)).collect()
}

/// Saves one file, and some milliseconds later a tool writes another one.
fn with_a_tool(
    watcher: &Watcher,
    random: &mut Random,
    (tool, after): (&str, u64),
    rounds: usize,
) -> Vec<u64> {
    let mut moments = Vec::new();
    let distances = irregular(random, rounds, after + 400, after + 1800);
    at_their_own_time(distances.into_iter(), || {
        moments.push(saves(watcher, "a.go"));
        pace_ms(after);
        moments.push(saves(watcher, tool));
    });
    moments
}

fn people() -> Vec<Person> {
    vec![
        Person {
            name: "thirty saves",
            does: |watcher, random| {
                let mut moments = Vec::new();
                let distances = irregular(random, 30, 300, 3000);
                at_their_own_time(distances.into_iter(), || moments.push(saves(watcher, "a.go")));
                moments
            },
            late: Some(LATE_MS),
            ..PERSON
        },
        Person {
            name: "an autosave every second",
            does: |watcher, _| {
                let mut moments = Vec::new();
                let seconds = std::iter::repeat_n(1000, 20);
                at_their_own_time(seconds, || moments.push(saves(watcher, "a.go")));
                moments
            },
            late: Some(LATE_MS),
            ..PERSON
        },
        Person {
            name: "tailwind --watch, 150 ms after each save",
            does: |watcher, random| with_a_tool(watcher, random, ("app.css", 150), 15),
            late: Some(LATE_MS),
            ..PERSON
        },
        Person {
            name: "tsc -w, 0.8 s after each save",
            does: |watcher, random| with_a_tool(watcher, random, ("a.js", 800), 12),
            late: Some(LATE_MS),
            ..PERSON
        },
        Person {
            name: "format on save, and save all",
            project: |project| project.file("b.go", "package b").file("c.go", "package c"),
            does: |watcher, random| {
                let mut moments = Vec::new();
                let distances = irregular(random, 15, 500, 2000);
                at_their_own_time(distances.into_iter(), || {
                    moments.push(saves(watcher, "a.go"));
                    pace_ms(50 + monotonic() % 100);
                    moments.extend(["a.go", "b.go", "c.go"].map(|file| saves(watcher, file)));
                });
                moments
            },
            late: Some(LATE_MS),
            ..PERSON
        },
        Person {
            name: "git checkout",
            project: two_branches,
            does: |watcher, random| {
                let (mut moments, mut round) = (Vec::new(), 0);
                let distances = irregular(random, 10, 700, 2500);
                at_their_own_time(distances.into_iter(), || {
                    round += 1;
                    let moment = monotonic();
                    watcher.git(&["checkout", "-q", ["main", "other"][round % 2]]);
                    moments.push(moment);
                });
                moments
            },
            ..PERSON
        },
        Person {
            name: "another go-watcher on the same tree",
            beside: "exec \"$PROGRAM\" run -i gen.txt -e 'sed s/package/var/ a.go > gen.txt'",
            does: |watcher, random| {
                // The other one's first run.
                watcher.wait_for("gen.txt", || watcher.path("gen.txt").exists().then_some(()));
                let mut moments = Vec::new();
                let distances = irregular(random, 15, 500, 2000);
                at_their_own_time(distances.into_iter(), || moments.push(saves(watcher, "a.go")));
                moments
            },
            late: Some(LATE_MS),
            ..PERSON
        },
        Person {
            name: "edits of a file that was generated once",
            command: "test -e gen.go || date > gen.go; ",
            does: |watcher, random| {
                watcher.wait_for("gen.go", || watcher.path("gen.go").exists().then_some(()));
                let mut moments = Vec::new();
                let distances = irregular(random, 12, 500, 2500);
                at_their_own_time(distances.into_iter(), || moments.push(saves(watcher, "gen.go")));
                moments
            },
            late: Some(LATE_MS),
            ..PERSON
        },
    ]
}

/// A repository whose branches differ in thirty files.
fn two_branches(project: Project) -> Project {
    let path = |number: usize| format!("d/f{number}.go");
    let project = (0..30).fold(project, |project, number| project.file(path(number), "main\n"));
    let project = project.git_repository();
    project.git(&["checkout", "-q", "-b", "other"]);
    for number in 0..30 {
        project.save(path(number), format!("other {number}\n"));
    }
    project.git(&["commit", "-q", "-a", "-m", "other"]);
    project
}

/// Nothing is learnt, each save is answered, and the last one has a run that started after it.
fn is_nobodys_output(person: &Person, meanwhile: Meanwhile, seed: u64) {
    if person.name.starts_with("git") && !on_path("git") {
        return skip("there is no git");
    }
    let begun = Instant::now();
    is_disturbed(begun);
    let project = Project::new().file("a.go", "0").file("app.css", "0").file("a.js", "0");
    let out = project.outside("");
    let program = project.program_path().to_owned();
    let project = (person.project)(project.env("OUT", out).env("PROGRAM", program));
    let beside = (!person.beside.is_empty()).then(|| Beside::start(&project, person.beside));
    let command = format!("{{}}; {}{}", person.command, meanwhile.command());
    let watcher = project.start_shell(&command, []).ready();
    let mut random = Random(seed);
    let moments = (person.does)(&watcher, &mut random);
    let last = *moments.last().expect("there were saves");
    watcher.wait_for("a run after the last save", || {
        watcher.last_run().is_some_and(|run| run.began > last).then_some(())
    });
    ages(&watcher, 1700);
    drop(beside);
    let runs = watcher.run_log();
    let answered = |moment: u64| {
        let next = runs.iter().find(|run| run.began > moment);
        next.map(|run| (run.began - moment) / 1_000_000)
    };
    let late: Vec<u64> = moments.iter().filter_map(|&moment| answered(moment)).collect();
    assert_eq!(late.len(), moments.len(), "some are not answered\n{}", watcher.story());
    let latest = late.iter().copied().max().unwrap_or(0);
    let limit = person.late.filter(|_| !is_disturbed(begun));
    assert!(limit.is_none_or(|limit| latest <= limit), "{latest} ms late\n{}", watcher.story());
    assert_eq!(watcher.count_lines(MADE), 0, "{}", watcher.story());
    assert!(runs.iter().all(|run| run.alone), "two at once\n{}", watcher.story());
    eprintln!(
        "{}, while it {meanwhile:?}: {} changes, {} runs, {latest} ms late at most",
        person.name,
        moments.len(),
        runs.len()
    );
}

#[track_caller]
fn nobodys_output(seed: u64, beside: impl Fn(usize) -> Vec<Meanwhile>) {
    let people = people();
    let all: Vec<(&Person, Meanwhile)> = people
        .iter()
        .enumerate()
        .flat_map(|(at, person)| beside(at).into_iter().map(move |meanwhile| (person, meanwhile)))
        .collect();
    side_by_side(
        &all,
        |(person, meanwhile)| format!("{}, while it {meanwhile:?}", person.name),
        |(_, meanwhile)| if *meanwhile == Meanwhile::Burns { 3 } else { 1 },
        |(person, meanwhile)| is_nobodys_output(person, *meanwhile, seed),
    );
}

#[test]
fn nobody_is_mistaken_for_an_idle_server() {
    nobodys_output(1, |_| vec![Meanwhile::Idles]);
}

#[test]
fn nobody_is_mistaken_for_a_server_that_writes_or_a_compiler() {
    nobodys_output(2, |at| vec![[Meanwhile::Writes, Meanwhile::Burns][at % 2]]);
}

#[test]
#[ignore = "long; see `make torture`"]
fn torture_in_time_nobody_is_mistaken_for_anything() {
    for seed in 3..8 {
        nobodys_output(seed, |_| MEANWHILE.to_vec());
    }
}

/// One run answers ten saves by a signal each; what comes when it has ended is another run.
#[test]
fn ten_saves_in_a_run_that_is_told_by_a_signal_are_nobodys_output() {
    let project = Project::new().file("a.go", "0");
    let out = project.outside("");
    let command = "trap 'echo >> \"$OUT/told\"' HUP; {}; n=0; \
        while [ $n -lt 120 ]; do sleep 0.05; n=$((n+1)); done";
    let flags = ["--on-busy", "signal", "--stop-signal", "HUP", "--stop-timeout", "200ms"];
    let watcher = project.env("OUT", out).start_shell(command, flags).ready();
    let told = || fs::read(watcher.outside("told")).map_or(0, |text| text.len());
    let signals = || watcher.count_lines("signal sent");
    let mut random = Random(9);
    for round in 1..=3 {
        let distances = irregular(&mut random, 10, 200, 600);
        at_their_own_time(distances.into_iter(), || {
            saves(&watcher, "a.go");
        });
        watcher.wait_for("its end", || (watcher.count_lines("exit 0") >= round).then_some(()));
        let moment = saves(&watcher, "a.go");
        watcher.wait_for("a run after the last save", || {
            watcher.last_run().is_some_and(|run| run.began > moment).then_some(())
        });
        watcher.exactly(round + 1);
    }
    assert!(signals() >= 3 && told() == signals(), "{} {}", told(), watcher.story());
    assert_eq!(watcher.count_lines(MADE), 0, "{}", watcher.story());
}

/// A logger holds its file open, or opens it for each line.
#[test]
fn another_programs_log_is_nobodys_output() {
    let watcher = Project::new().file("a.go", "0").file("other.txt", "").start([]).ready();
    let log = fs::OpenOptions::new().append(true).open(watcher.path("other.txt")).unwrap();
    let mut random = Random(4);
    for held in [false, true] {
        let mut number = 0;
        let distances = irregular(&mut random, 12, 100, 700);
        at_their_own_time(distances.into_iter(), || {
            use std::io::Write;
            number += 1;
            match held {
                true => writeln!(&log, "held {number}").unwrap(),
                false => watcher.append("other.txt", format!("line {number}\n")),
            }
        });
    }
    let last = monotonic();
    watcher.append("other.txt", "the last\n");
    watcher.wait_for("a run after it", || {
        watcher.last_run().is_some_and(|run| run.began > last).then_some(())
    });
    assert_eq!(watcher.count_lines(MADE), 0, "{}", watcher.story());
}

/// It comes from outside, and reloads; a rule is offered, since it may not be wanted.
#[test]
fn what_follows_each_save_at_some_distance_is_hinted_at() {
    let project = Project::new().file("a.go", "0").file("app.css", "0").runs(Stamp::server());
    let watcher = project.start([]).ready();
    at_their_own_time(irregular(&mut Random(6), 6, 2500, 4000).into_iter(), || {
        saves(&watcher, "a.go");
        pace_ms(150);
        saves(&watcher, "app.css");
    });
    let hint = "app.css changed while runs";
    watcher.says_all(&["[INFO]", hint, "each time caused one more run"]);
    let rules = rules_below(&watcher.lines(), |line| line.contains(hint));
    assert_eq!(rules, ["app.css"], "{}", watcher.story());
    assert_eq!(watcher.count_lines(MADE), 0, "{}", watcher.story());
}

/// A pass of polling finds what a formatter did together with what a person did after it.
#[test]
fn a_formatter_in_a_polled_tree_is_no_loop() {
    let out = "sed 's/  */ /g' a.go > \"$OUT/it\"; cat \"$OUT/it\" > a.go";
    let project = project().runs(Stamp::quick().sees("a.go"));
    let outside = project.outside("");
    let watcher = project
        .env("OUT", outside)
        .start_shell(&format!("{{}}; {out}; exec sleep 1000"), ["--backend", "poll"])
        .ready();
    ages(&watcher, 10_000);
    assert!(watcher.run_count() <= MOST, "{}", watcher.story());
    for number in 0..6 {
        let before = watcher.run_count();
        let text = format!("package   a{number}\n");
        watcher.save("a.go", &text);
        watcher.wait_for("a run that saw it", || {
            watcher.run_log()[before..].iter().any(|run| run.saw_text(&text)).then_some(())
        });
        ages(&watcher, 1500 + 170 * number);
        let runs = watcher.run_count() - before;
        assert!(runs <= 4, "{runs} runs for a save\n{}", watcher.story());
    }
}

/// rustfmt writes only what it changes.
#[test]
fn rustfmt_in_the_command_costs_a_run_at_most() {
    if !on_path("rustfmt") {
        return skip("there is no rustfmt");
    }
    let project = Project::new().file("a.rs", "fn main() {}\n");
    let home = std::env::var_os("HOME").unwrap_or_default();
    let project = project.env("HOME", home);
    let watcher = project.start_shell("{}; rustfmt a.rs; exec sleep 1000", ["--ext", "rs"]).ready();
    for number in 0..4 {
        let text = format!("fn  main( ) {{   let _ = {number}; }}\n");
        let before = watcher.run_count();
        watcher.run_after(|project| project.save("a.rs", &text));
        watcher.wait_for("the formatted file", || {
            fs::read_to_string(watcher.path("a.rs")).ok()?.contains("fn main() {").then_some(())
        });
        pace_ms(1500 + 170 * number);
        assert!(watcher.run_count() - before <= 3, "{}", watcher.story());
    }
}

/// Nobody waits for us: opening a file that the runs rewrite takes as long as without us.
#[test]
#[ignore = "long; see `make torture`"]
fn torture_in_time_opening_an_output_takes_as_long_as_without_us() {
    let command = "while :; do date +%s.%N > gen.txt; sleep 0.05; done";
    /// Median and 99th percentile of so many openings, in ns.
    fn opens(path: &Path) -> (u64, u64) {
        let mut random = Random(5);
        let mut times: Vec<u64> = (0..200)
            .map(|_| {
                pace_ms(3 + random.below(10));
                let begun = Instant::now();
                let file = fs::OpenOptions::new().append(true).open(path);
                let took = begun.elapsed();
                use std::io::Write;
                let _ = file.expect("it opens").write_all(b"a person's\n");
                u64::try_from(took.as_nanos()).expect("short")
            })
            .collect();
        times.sort_unstable();
        (times[100], times[197])
    }
    let with = || {
        let watcher = project().start_shell(&format!("{{}}; {command}"), []).ready();
        ages(&watcher, 500);
        opens(&watcher.path("gen.txt"))
    };
    let without = || {
        let project = project();
        let beside = Beside::start(&project, command);
        let path = project.path("gen.txt");
        until(DEADLINE, || path.exists().then_some(())).expect("it writes");
        pace_ms(500);
        let times = opens(&path);
        drop(beside);
        times
    };
    // What a single series takes varies by more than a fifth: the best of five of each, in turn.
    let (mut ours, mut theirs) = ((u64::MAX, u64::MAX), (u64::MAX, u64::MAX));
    let best = |one: (u64, u64), other: (u64, u64)| (one.0.min(other.0), one.1.min(other.1));
    for _ in 0..5 {
        ours = best(ours, with());
        theirs = best(theirs, without());
    }
    eprintln!("opening takes (median, p99) {ours:?} ns with us, {theirs:?} ns without");
    let as_long = |ours: u64, theirs: u64| ours * 10 <= theirs * 12;
    assert!(as_long(ours.0, theirs.0) && as_long(ours.1, theirs.1), "{ours:?} {theirs:?}");
}

// ------------------------------------------------------------------------------ what is told, what forgets

fn project() -> Project {
    Project::new().file("a.go", "package a")
}

/// Starts a shell command after the stamp and waits until what it makes is learnt.
fn learns(project: Project, command: &str) -> Watcher {
    let watcher = project.start_shell(&format!("{{}}; {command}"), []).watching();
    watcher.says(MADE);
    watcher
}

/// What is told of an output to whoever asks.
#[test]
fn explain_wait_and_status_know_what_the_command_makes() {
    let watcher = learns(project(), "date +%s.%N > gen.txt");
    ages(&watcher, 1700);
    watcher.run_after(|project| project.save("a.go", "a person's"));
    ages(&watcher, 500);
    let asked = explain::ask(&watcher, ["explain", "gen.txt", "a.go"]);
    let said = explain::out(&asked);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with(&format!("gen.txt: watched; {MADE}")), "{said}");
    assert_eq!(lines[1], "a.go: watched");
    assert_eq!(asked.status.code(), Some(0));
    let status = control::ask(&watcher, "status");
    assert_eq!(status.code, Some(0));
    assert!(status.out.contains(&format!("changes {MADE}")), "{status:?}");
    // What it makes now is answered by the run that made it.
    control::ask(&watcher, "wait").says(0, "");
    // With flags of its own it says what the rules say.
    let asked = explain::ask(&watcher, ["explain", "--ext", "txt", "gen.txt"]);
    assert_eq!(explain::out(&asked), "gen.txt: watched (--ext: .txt)\n");
}

#[test]
fn a_rule_forgets_it() {
    let project = project().settings("watcher:\n  duration: 0\n");
    let watcher = learns(project, "date +%s.%N > gen.txt");
    watcher.says("To keep it so, in watcher.yml:  excluded_paths: [gen.txt]");
    watcher.save("watcher.yml", "watcher:\n  duration: 0\nexcluded_paths: [gen.txt]\n");
    watcher.says("gen.txt is ignored now");
    watcher.save("watcher.yml", "watcher:\n  duration: 0\nexcluded_paths: [other]\n");
    watcher.says("-excluded_paths");
    // What the walk under the new rules brings to light is no change; that walk is over when this answers.
    control::ask(&watcher, "wait").says(0, "");
    watcher.run_after(|project| project.save("gen.txt", "by hand"));
}

#[test]
fn another_command_forgets_it() {
    let file = |command: &str| format!("command: {command:?}\n");
    let watcher =
        project().settings(&file("date +%s.%N > gen.txt")).start_exactly(["run"]).watching();
    watcher.says(MADE);
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
fn the_key_i_forgets_it() {
    let Some(terminal) = Terminal::open(project()) else { return };
    let program = terminal.program_path().to_str().expect("UTF-8").to_owned();
    terminal.line(&format!("{program} run -e 'date +%s.%N > gen.txt'"));
    terminal.shows("(i: undo)");
    terminal.key("i");
    terminal.shows("gen.txt reloads again");
    let runs = terminal.screen().matches("changed gen.txt").count();
    terminal.wait_for("its runs", || {
        (terminal.screen().matches("changed gen.txt").count() > runs).then_some(())
    });
    terminal.key("q");
    terminal.shows("nothing left running");
}

/// The key r, a request, and what is changed when nothing of the run lives: the row ends, and all goes along at once.
#[test]
fn a_request_and_a_change_between_runs_end_a_row() {
    let command = "sleep 0.$((200 + $(od -An -N2 -tu2 /dev/urandom) % 200)); date +%s.%N > gen.txt";
    let start = || {
        let watcher = project().start_shell(&format!("{{}}; {command}"), []).watching();
        watcher.says_all(&["[WARN]", WAITS]);
        watcher
    };
    let at_once = |what: &dyn Fn(&Watcher)| {
        let watcher = start();
        ages(&watcher, 600);
        let (before, moment) = (watcher.run_count(), monotonic());
        what(&watcher);
        watcher.wait_runs(before + 1);
        assert!(ms_since(moment) < 500 || is_busy(), "{}", watcher.story());
        let changed = watcher.run_log()[before].changed_below(&watcher.tree());
        assert!(changed.contains(&"gen.txt".to_owned()), "{changed:?}\n{}", watcher.story());
    };
    at_once(&|watcher| {
        saves(watcher, "a.go");
    });
    at_once(&|watcher| control::ask(watcher, "restart").says(0, ""));
}
