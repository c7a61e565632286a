//! Other processes ask a running instance: `wait` says what became of a write, `status` what is going on,
//! the rest are orders.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::*;

/// What a subcommand said, and its exit status.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// The JSON objects on standard output.
    fn objects(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
    }

    /// The only one.
    #[track_caller]
    fn object(&self) -> Value {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{self:?}");
        objects.remove(0)
    }

    /// Fails unless the status is this and the line on standard output begins so.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, line: &str) {
        assert!(
            self.code == Some(code) && self.out.starts_with(line),
            "not {code} {line}: {self:?}"
        );
    }
}

/// `go-watcher WORDS` in the tree, beside whatever runs.
pub(crate) fn ask(project: &Project, words: &str) -> Answer {
    answer(project.in_tree(project.program_path()), words)
}

fn answer(mut command: Command, words: &str) -> Answer {
    let command = command.args(words.split_whitespace()).stdin(Stdio::null());
    let output = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Answer { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A project whose runs end with what is in the file `code`.
fn with_codes() -> Watcher {
    let watcher = Project::new().file("code", "0").start_shell("exit $(cat code)", []).watching();
    watcher.says("run 1: exit 0");
    watcher
}

/// `name`, started where `first` was, with the same sockets.
fn beside(first: &Watcher, flags: &[&str], runs: Stamp) -> Watcher {
    let run = first.root().join("run");
    let second = Project::new().env("XDG_RUNTIME_DIR", run).runs(runs);
    let mut command = second.in_tree(second.program_path());
    command.current_dir(first.tree()).arg("run").args(flags).arg("--").args(second.argv());
    second.start_as(command).ready()
}

/// So many times "write, wait", each save in another manner.
fn write_and_wait(times: u64) {
    let watcher = with_codes();
    let mut run = 1;
    for n in 0..times {
        let (code, also) = (n % 5 + 1, format!("deep/{n}/er/file"));
        match n % 4 {
            0 => watcher.save("code", format!("{code}\n#{n}")),
            1 => watcher.save_atomically("code", format!("{code}\n")),
            2 => {
                watcher.remove("code");
                watcher.save("code", format!("{code}"));
            }
            _ => {
                watcher.save_new(&also, "x");
                watcher.save("code", format!("{code}"));
            }
        }
        let said = ask(&watcher, "wait --json");
        let object = said.object();
        // A quick run may have ended before the question came: then it is the last one.
        let known = object["outcome"] == "finished" || object["outcome"] == "unchanged";
        let newer = object["run"].as_u64().unwrap();
        let right =
            known && newer > run && object["exit"] == code && object["cause"] != Value::Null;
        assert!(right && said.code == Some(code as i32), "{n}: {said:?}\n{}", watcher.story());
        run = newer;
    }
}

#[test]
fn the_answer_belongs_to_the_write_before_the_question() {
    write_and_wait(40);
}

#[test]
fn wait_waits_for_the_end_of_the_only_run() {
    let watcher = Project::new().start_shell("{}; sleep 2; exit 3", ["--once"]);
    // The socket is made when the run has begun.
    watcher.wait_for("its socket", || (ask(&watcher, "status").code == Some(0)).then_some(()));
    ask(&watcher, "wait").says(3, "run 1: exit 3 in ");
}

#[test]
#[ignore = "500 writes; make torture"]
fn torture_wait_500() {
    write_and_wait(500);
}

#[test]
fn wait_tells_the_run_its_status_and_its_cause() {
    let watcher = Project::new()
        .file("code", "0")
        .start_shell("sleep 1; n=$(cat code); [ $n != kill ] || kill -9 $$; exit $n", [])
        .watching();
    watcher.says("run 1: exit 0");
    watcher.save("code", "3");
    // It takes longer than a server to be ready; that it has ended once says that it will again.
    let said = ask(&watcher, "wait");
    said.says(3, "run 2: exit 3 in ");
    assert!(said.out.ends_with(", caused by code\n") && said.err.is_empty(), "{said:?}");
    watcher.save("code", "kill");
    ask(&watcher, "wait").says(137, "run 3: signal 9 in ");
    watcher.save("code", "0");
    let object = ask(&watcher, "wait --json").object();
    let took = object["duration_ms"].as_u64().unwrap();
    // From the moment at which the new process was heard of, which may be a little after its own first.
    assert!((800..20_000).contains(&took), "{object}");
    let told = [&object["v"], &object["outcome"], &object["run"], &object["cause"]];
    assert_eq!(told, [&json!(1), &json!("finished"), &json!(4), &json!("code")]);
    assert_eq!((&object["exit"], &object["signal"]), (&json!(0), &Value::Null));
    let said = ask(&watcher, "wait");
    said.says(0, "no run since: nothing that is watched changed; run 4: exit 0, ");
    watcher.save("code", "0");
    assert_eq!(ask(&watcher, "wait --json").object()["outcome"], "unchanged", "the same bytes");
}

#[test]
fn wait_gives_up_in_time_and_needs_an_instance() {
    let project = Project::new();
    let said = ask(&project, "wait");
    assert_eq!((said.code, said.out.as_str()), (Some(3), ""));
    assert!(said.err.starts_with("no instance covers "), "{said:?}");
    let object = ask(&project, "wait --json").object();
    assert_eq!(object["outcome"], "no_instance");
    let watcher = project.runs(Stamp::takes(60_000)).start([]).ready();
    ask(&watcher, "wait --timeout 300ms --settle 50s").says(124, "no answer within 300ms");
    ask(&watcher, "wait --timeout 0 --settle 50s").says(124, "no answer within ");
    let object = ask(&watcher, "wait --json --timeout 100ms --settle 50s").object();
    assert_eq!(object["outcome"], "timeout");
    let said = while_one_waits(&watcher, "wait --settle 50s", || {
        assert_eq!(ask(&watcher, "quit").code, Some(0));
    });
    said.says(3, "the instance ended");
}

/// How many sockets the instance holds.
fn sockets(watcher: &Watcher) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", watcher.pid())).expect("its descriptors");
    let links = open.flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// Does something while another process waits: one whose connection stays (who only asks who is there
/// is gone at once).
fn while_one_waits(watcher: &Watcher, words: &str, what: impl FnOnce()) -> Answer {
    // Those who asked before are gone; the instance may have to find that out yet.
    let (mut before, mut same) = (sockets(watcher), 0);
    while same < 10 {
        pace_ms(10);
        let now = sockets(watcher);
        same = if now == before { same + 1 } else { 0 };
        before = now;
    }
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| ask(watcher, words));
        let mut held = 0;
        watcher.wait_for("the one who waits", || {
            pace_ms(10);
            held = if sockets(watcher) > before { held + 1 } else { 0 };
            (held == 10).then_some(())
        });
        what();
        waits.join().expect("an answer")
    })
}

#[test]
fn a_server_that_stays_up_is_ready() {
    let watcher = Project::new().file("a", "0").runs(Stamp::server()).start([]).ready();
    watcher.save("a", "1");
    let said = ask(&watcher, "wait --settle 200ms");
    said.says(0, "run 2: up for ");
    assert_eq!(watcher.run_count(), 2);
    let object = ask(&watcher, "wait --json --settle 200ms").object();
    assert_eq!((&object["outcome"], &object["run"]), (&json!("ready"), &json!(2)));
    assert!(object["duration_ms"].as_u64().unwrap() >= 200, "{object}");
}

#[test]
fn a_command_that_cannot_start_is_the_answer_to_its_write() {
    let watcher = Project::new().file("tool", "#!/bin/sh\nexit 0\n");
    let executable = |project: &Project| {
        fs::set_permissions(project.path("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    executable(&watcher);
    let watcher = watcher.start_exactly(["run", "--", "./tool"]).watching();
    watcher.says("run 1: exit 0");
    watcher.remove("tool");
    let said = ask(&watcher, "wait --timeout 10s");
    assert_eq!(said.code, Some(127), "{said:?}\n{}", watcher.story());
    watcher.save("tool", "#!/bin/sh\nexit 4\n");
    let said = ask(&watcher, "wait --timeout 10s");
    assert_eq!(said.code, Some(126), "{said:?}\n{}", watcher.story());
    let status = ask(&watcher, "status --json").object();
    assert_eq!((&status["state"], &status["last"]["exit"]), (&json!("failed"), &json!(126)));
    executable(&watcher);
    watcher.append("tool", "#\n");
    let said = ask(&watcher, "wait --timeout 10s");
    assert_eq!(said.code, Some(4), "{said:?}\n{}", watcher.story());
}

#[test]
fn waiting_for_what_is_not_watched_fails_at_once() {
    let watcher = with_codes();
    watcher.save_new("node_modules/x.js", "1");
    let said = ask(&watcher, "wait code node_modules/x.js");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert_eq!(said.err, "node_modules/x.js: ignored by node_modules (built-in)\n");
    ask(&watcher, "wait code new/file").says(0, "no run since: ");
}

/// cron, `su` and `docker exec` have another XDG_RUNTIME_DIR than the terminal that it was started in, or none.
#[test]
fn an_instance_is_found_from_another_runtime_directory() {
    let empty = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let project = Project::new().env("XDG_RUNTIME_DIR", "").env("TMPDIR", temporary.path());
    let watcher = project.file("a.go", "0").start(["--ext", "go"]).ready();
    let ask_with = |runtime: &Path| {
        let mut command = watcher.in_tree(watcher.program_path());
        command.env("XDG_RUNTIME_DIR", runtime);
        answer(command, "status")
    };
    ask_with(Path::new("")).says(0, "1 (pid ");
    ask_with(empty.path()).says(0, "1 (pid ");
}

#[test]
fn a_change_that_is_held_or_dropped_is_told_by_wait() {
    let watcher = with_codes();
    assert_eq!(ask(&watcher, "pause").code, Some(0));
    ask(&watcher, "wait --timeout 10s").says(0, "no run since: ");
    watcher.save("code", "7");
    ask(&watcher, "wait").says(1, "held: paused, and a change waits; go-watcher resume");
    assert_eq!(ask(&watcher, "wait --json").object()["outcome"], "held");
    ask(&watcher, "status").says(0, &format!("1 (pid {}): paused for ", watcher.pid()));
    assert_eq!(ask(&watcher, "resume").code, Some(0));
    let said = ask(&watcher, "wait");
    assert!(said.code == Some(7) && said.out.contains("run 2: exit 7"), "{said:?}");
    drop(watcher);

    let watcher = Project::new().file("a.go", "0").runs(Stamp::server());
    let watcher = watcher.start(["--ext", "go", "--on-busy", "ignore"]).ready();
    ask(&watcher, "wait").says(0, "run 1: up for ");
    watcher.save("a.go", "1");
    ask(&watcher, "wait").says(1, "ignored: run 1 was running when it changed (on_busy: ignore)");
    assert_eq!(ask(&watcher, "wait --json").object()["outcome"], "ignored");
    assert_eq!(ask(&watcher, "restart").code, Some(0));
    ask(&watcher, "wait").says(0, "run 2: up for ");
}

#[test]
fn a_stop_under_way_is_waited_out() {
    let command = Stamp::server().graceful(2000);
    let watcher = Project::new().file("a", "0").runs(command).start([]).ready();
    watcher.save("a", "1");
    watcher.wait_for("the stop", || watcher.run_log()[0].asked_to_end);
    assert_eq!(ask(&watcher, "status --json").object()["state"], "stopping");
    ask(&watcher, "wait --settle 100ms").says(0, "run 2: up for ");
}

#[test]
fn a_run_that_was_stopped_is_no_success() {
    let project = Project::new().file("long", "");
    let watcher = project.start_shell("[ ! -s long ] || exec sleep 60", []).watching();
    watcher.says("run 1: exit 0");
    watcher.save("long", "1");
    watcher.says("run 2");
    let said = while_one_waits(&watcher, "wait --settle 50s", || {
        assert_eq!(ask(&watcher, "stop").code, Some(0));
    });
    said.says(143, "run 2: signal 15 in ");
}

#[test]
fn questions_at_the_start_are_answered() {
    for _ in 0..5 {
        let watcher = Project::new().file("a", "0").start_shell("exit 6", []);
        let socket = watcher.root().join("run/go-watcher").join(format!("{}.sock", watcher.pid()));
        watcher.wait_for("the socket", || socket.exists().then_some(()));
        let said = ask(&watcher, "wait --timeout 20s");
        assert_eq!(said.code, Some(6), "{said:?}\n{}", watcher.story());
    }
}

#[test]
fn status_tells_what_is_going_on() {
    let watcher = Project::new().file("sub/a", "0").runs(Stamp::server()).start([]).ready();
    watcher.says("] run 1");
    let said = ask(&watcher, "status");
    let pattern = r"^1 \(pid \d+\): running for .*, run 1 \(pid \d+\), caused by start\n   .*: no run has ended; 0 reloads\n$";
    assert!(regex::Regex::new(pattern).unwrap().is_match(&said.out), "{said:?}");
    watcher.save("sub/a", "1");
    watcher.wait_runs(2);
    let status = watcher.wait_for("the reload", || {
        let status = ask(&watcher, "status --json").object();
        (status["reloads"] == 1).then_some(status)
    });
    let run = watcher.run_log()[1].pid;
    assert_eq!(status["identity"]["pid"], watcher.pid());
    assert_eq!(status["identity"]["directory"], watcher.tree().to_str().unwrap());
    let told = ["state", "paused", "run", "pid", "cause", "last", "waiting"];
    let expected = json!(["running", false, 2, run, "sub/a", null, 0]);
    assert_eq!(json!(told.map(|field| &status[field])), expected);
    assert!(status["median_reload_us"].as_u64().is_some_and(|us| us > 0), "{status}");
    let mut below = watcher.in_tree(watcher.program_path());
    below.current_dir(watcher.path("sub"));
    let said = answer(below, "status");
    let place = format!("1 (pid {}) in {}: running", watcher.pid(), watcher.tree().display());
    said.says(0, &place);
    let mut above = watcher.in_tree(watcher.program_path());
    above.current_dir(watcher.root());
    assert_eq!(answer(above, "status").code, Some(3));
}

#[test]
fn two_instances_in_one_directory() {
    let first = Project::new().file("a", "0").runs(Stamp::server()).start([]).ready();
    let second = beside(&first, &["--name", "tests"], Stamp::quick());
    second.says("run 1: exit 0");
    let said = ask(&first, "status");
    let heads: Vec<&str> = said.out.lines().step_by(2).collect();
    assert!(heads[0].starts_with(&format!("1 (pid {}): running", first.pid())), "{said:?}");
    assert!(heads[1].starts_with(&format!("tests (pid {}): waiting", second.pid())), "{said:?}");
    assert_eq!(ask(&first, "status --json").objects().len(), 2);
    let pid_of = |words: &str| ask(&first, words).object()["identity"]["pid"].clone();
    assert_eq!(pid_of("status --json --name tests"), second.pid());
    assert_eq!(pid_of("status --json --name 2"), second.pid());
    assert_eq!(pid_of("status --json --name 1"), first.pid());
    let said = ask(&first, "status --name other");
    assert!(said.code == Some(3) && said.err.starts_with("no instance other covers "), "{said:?}");
    first.save("a", "1");
    let said = ask(&first, "wait --settle 100ms");
    said.says(0, "run 2: up for ");
    assert_eq!(said.err, "instance 1 answers; others here: tests (--name)\n");
    second.wait_runs(2);
    let said = ask(&first, "wait --name tests");
    assert!(said.code == Some(0) && said.out.contains("run 2: exit 0"), "{said:?}");
    assert_eq!(said.err, "");
    ask(&first, "restart --name tests");
    second.wait_runs(3);
    assert_eq!(first.run_count(), 2);
}

#[test]
fn two_projects_do_not_hear_each_other() {
    let first = Project::new().file("a", "0").start([]).ready();
    let run = first.root().join("run");
    let second = Project::new().env("XDG_RUNTIME_DIR", run).file("a", "0").start([]).ready();
    for one in [&first, &second] {
        let object = ask(one, "status --json").object();
        assert_eq!(object["identity"]["pid"], one.pid());
    }
    assert_eq!(ask(&second, "restart").code, Some(0));
    second.exactly(2);
    assert_eq!(first.run_count(), 1);
}

#[test]
fn orders() {
    let mut watcher = Project::new().file("a", "0").runs(Stamp::server()).start([]).ready();
    assert_eq!(ask(&watcher, "restart"), Answer { code: Some(0), out: "".into(), err: "".into() });
    watcher.exactly(2);
    assert_eq!(ask(&watcher, "pause").code, Some(0));
    watcher.no_run_after(|w| w.save("a", "1"));
    let said = ask(&watcher, "status");
    assert!(said.out.contains("running for") && said.out.contains(", paused; 1 change waiting"));
    assert_eq!(ask(&watcher, "resume").code, Some(0));
    watcher.exactly(3);
    assert_eq!(ask(&watcher, "stop").code, Some(0));
    let state = |watcher: &Watcher| ask(watcher, "status --json").object()["state"].clone();
    watcher.wait_for("the stop", || (state(&watcher) == "waiting").then_some(()));
    watcher.run_after(|w| w.save("a", "2"));
    assert_eq!(ask(&watcher, "quit").code, Some(0));
    assert_eq!(watcher.end().code(), Some(0));
    let sockets = fs::read_dir(watcher.root().join("run/go-watcher")).unwrap();
    assert_eq!(sockets.count(), 0, "its socket goes with it");
    assert_eq!(ask(&watcher, "restart").code, Some(3));
}

/// Starts the program where a socket with its own process id lies already.
fn over_a_socket(live: bool) {
    let project = Project::new().file("a", "0");
    let place = project.root().join("run/go-watcher");
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(place.join("there")).unwrap();
    let listener = live.then_some(listener);
    let mut command = project.in_tree("sh");
    let script = "mv \"$PLACE/there\" \"$PLACE/$$.sock\"; exec \"$0\" run -- true";
    command.arg("-c").arg(script).arg(project.program_path()).env("PLACE", &place);
    let watcher = project.start_as(command).watching();
    let own = watcher.pid().to_string();
    let names = || {
        let entries = fs::read_dir(&place).unwrap().flatten();
        let mut names: Vec<_> =
            entries.map(|e| e.file_name().to_string_lossy().replace(&own, "PID")).collect();
        names.sort();
        names
    };
    let expected: &[&str] = if live { &["PID-2.sock", "PID.sock"] } else { &["PID.sock"] };
    assert_eq!(names(), expected);
    let mode = fs::metadata(place.join(format!("{own}.sock"))).unwrap().permissions().mode();
    assert!(live || mode & 0o777 == 0o600, "{mode:o}");
    drop(listener);
    assert_eq!(ask(&watcher, "status --json").object()["identity"]["pid"], watcher.pid());
    let expected: &[&str] = if live { &["PID-2.sock"] } else { &["PID.sock"] };
    assert_eq!(names(), expected, "who asks removes what nobody listens to");
}

#[test]
fn a_stale_socket_is_replaced() {
    over_a_socket(false);
}

#[test]
fn a_live_socket_is_left_alone() {
    over_a_socket(true);
}

/// Whoever asks removes sockets at which nobody listens, and may come while one is being made.
#[test]
fn a_socket_that_is_being_made_is_left_alone() {
    for _ in 0..8 {
        let project = Project::new().file("a", "0");
        let place = project.root().join("run/go-watcher");
        let over = Arc::new(AtomicBool::new(false));
        let asking = std::thread::spawn({
            let (place, over) = (place.clone(), Arc::clone(&over));
            move || {
                while !over.load(Ordering::Relaxed) {
                    for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
                        let socket = entry.path();
                        let refused = UnixStream::connect(&socket)
                            .is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused);
                        if refused && socket.extension().is_some_and(|name| name == "sock") {
                            let _ = fs::remove_file(socket);
                        }
                    }
                }
            }
        });
        let watcher = project.start_exactly(["run", "-e", "true"]).watching();
        let said = ask(&watcher, "status");
        over.store(true, Ordering::Relaxed);
        asking.join().unwrap();
        assert_eq!(said.code, Some(0), "{said:?}\n{}", watcher.story());
    }
}

/// Somebody whose connection cannot be taken for want of descriptors waits; nothing spins meanwhile.
#[test]
#[cfg(target_os = "linux")]
fn out_of_descriptors_costs_no_processor_time() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

    let watcher = Project::new().runs(Stamp::server()).start([]).ready();
    watcher.wait_for("its socket", || (ask(&watcher, "status").code == Some(0)).then_some(()));
    let sockets = watcher.root().join("run/go-watcher");
    let socket = fs::read_dir(sockets).unwrap().flatten().next().expect("a socket").path();
    let limit = |current| {
        let pid = Pid::from_raw(watcher.pid() as i32);
        prlimit(
            pid,
            Resource::Nofile,
            Rlimit { current, maximum: getrlimit(Resource::Nofile).maximum },
        )
        .unwrap()
    };
    let open = || fs::read_dir(format!("/proc/{}/fd", watcher.pid())).unwrap().count() as u64;
    let before = limit(Some(open() + 1));
    // The limit is on the number of a descriptor; some below it may be free.
    let those_who_wait: Vec<_> =
        (0..40).map(|_| UnixStream::connect(&socket).expect("a place in the queue")).collect();
    pace_ms(300);
    let spent = processes::ticks(watcher.pid());
    pace_ms(1_000);
    let spent = processes::ticks(watcher.pid()) - spent;
    drop(those_who_wait);
    limit(before.current);
    ask(&watcher, "status").says(0, "1 (pid ");
    assert!(spent <= 5, "{spent} ticks within a second");
}

#[test]
fn a_directory_that_others_can_enter_is_refused() {
    let project = Project::new().file("a", "0");
    let place = project.root().join("run/go-watcher");
    fs::create_dir(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o770)).unwrap();
    let watcher = project.start([]).ready();
    watcher.says_all(&["[WARN]", "no control socket: ", "mode 0770 lets others in; chmod 700 it"]);
    watcher.run_after(|w| w.save("a", "1"));
    assert_eq!(watcher.count_lines("no control socket"), 1);
    assert_eq!(ask(&watcher, "wait").code, Some(3));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
}
