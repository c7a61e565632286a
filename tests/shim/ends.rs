//! How it ends: every signal in every state, ignored signals, PID 1.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cases;
use crate::support::{figures, signal, tagged, until, within_reach};

cases![
    every_signal_in_every_state_leaves_nothing,
    a_second_signal_kills_at_once,
    what_was_ignored_stays_ignored,
    blocked_signals_do_not_matter,
    it_works_as_process_one,
    no_process_to_be_had_is_said,
];

struct Mini {
    child: Child,
    directory: tempfile::TempDir,
    tag: String,
}

impl Mini {
    /// `before`: words before the program, as `nohup`.
    fn start(name: &str, before: &[&str], command: &[&str]) -> Mini {
        let directory = tempfile::tempdir().unwrap();
        let tag = format!("GW_TEST_TAG={}-{name}", std::process::id());
        let (variable, value) = tag.split_once('=').unwrap();
        let this = std::env::current_exe().unwrap();
        let mut words: Vec<&str> = before.to_vec();
        words.extend([this.to_str().unwrap(), "mini", "log", "null"]);
        words.extend(command);
        let child = Command::new(words[0])
            .args(&words[1..])
            .env(variable, value)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Mini { child, directory, tag }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(name)).unwrap_or_default()
    }

    async fn logs(&self, text: &str) {
        until(text, || self.read("log").contains(text).then_some(())).await;
    }

    async fn end(mut self, signal: i32) {
        let status = until("its end", || self.child.try_wait().unwrap()).await;
        assert_eq!(status.signal(), Some(signal), "{status:?}\n{}", self.read("log"));
        assert!(!status.core_dumped());
        assert_eq!(tagged(&self.tag), Vec::<String>::new());
    }
}

/// Also a failed test leaves nothing behind.
impl Drop for Mini {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

async fn every_signal_in_every_state_leaves_nothing() {
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        for state in ["idle", "running", "stopping"] {
            let script = match state {
                "idle" => "exit 3",
                "running" => "setsid sleep 1000 & sleep 1000",
                _ => "trap 'sleep 0.3; exit' TERM; while :; do sleep 0.01; done",
            };
            let mini = Mini::start(
                &format!("{name}-{state}"),
                &["env"],
                &["sh", "-c", &within_reach(script)],
            );
            mini.logs(if state == "idle" { "Gone" } else { "Started" }).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            signal(mini.child.id(), name);
            mini.end(number).await;
        }
    }
}

async fn a_second_signal_kills_at_once() {
    let mut times = Vec::new();
    for round in 0..10 {
        let script = "trap '' TERM INT; echo > up; while :; do sleep 0.1; done";
        let mini = Mini::start(&format!("twice-{round}"), &["env"], &["sh", "-c", script]);
        until("up", || (!mini.read("up").is_empty()).then_some(())).await;
        signal(mini.child.id(), "INT");
        mini.logs("signal 2").await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        let start = Instant::now();
        signal(mini.child.id(), "INT");
        mini.end(2).await;
        times.push(start.elapsed());
    }
    let (_, high) = figures("from the second Ctrl-C to nothing left", times);
    assert!(high < crate::support::at_most(200));
}

fn set(status: &str, name: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
}

async fn what_was_ignored_stays_ignored() {
    for (numbers, names) in
        [(vec![1], "HUP"), (vec![2, 3], "INT QUIT"), (vec![15, 10], "TERM USR1")]
    {
        let script = format!("trap '' {names} PIPE; exec \"$@\"");
        // (cat below python, since a shell would restore nothing either but ignores more)
        let command = ["sh", "-c", "cat /proc/self/status > status; echo > up; sleep 1000"];
        let mini = Mini::start(&names.replace(' ', "-"), &["sh", "-c", &script, "sh"], &command);
        until("up", || (!mini.read("up").is_empty()).then_some(())).await;
        let theirs = set(&mini.read("status"), "SigIgn:") & !(3 << 31);
        let ours = std::fs::read_to_string(format!("/proc/{}/status", mini.child.id())).unwrap();
        let (ignored, caught) = (set(&ours, "SigIgn:"), set(&ours, "SigCgt:"));
        for number in &numbers {
            let bit = 1_u64 << (number - 1);
            assert!(theirs & bit != 0 && ignored & bit != 0 && caught & bit == 0, "{number}");
            let _ = rustix::process::kill_process(
                rustix::process::Pid::from_raw(mini.child.id() as i32).unwrap(),
                rustix::process::Signal::from_named_raw(*number).unwrap(),
            );
        }
        assert_eq!(theirs, numbers.iter().map(|number| 1 << (number - 1)).sum::<u64>());
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!mini.read("log").contains("signal"), "{}", mini.read("log"));
        let end = if numbers.contains(&15) { ("INT", 2) } else { ("TERM", 15) };
        signal(mini.child.id(), end.0);
        let ends = tokio::time::timeout(Duration::from_secs(5), mini.logs("signal")).await;
        ends.unwrap();
        // The run ignores TERM too in the last case: killed by the second signal.
        tokio::time::sleep(Duration::from_millis(50)).await;
        if numbers.contains(&15) {
            signal(mini.child.id(), end.0);
        }
        mini.end(end.1).await;
    }
}

async fn blocked_signals_do_not_matter() {
    let script = "import os,signal,sys; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); os.execvp(sys.argv[1], sys.argv[1:])";
    // No shell: dash empties the mask by itself.
    let look = "import time; open('status', 'w').write(open('/proc/self/status').read()); open('up', 'w').write('up'); time.sleep(1000)";
    let command = ["/usr/bin/python3", "-c", look];
    let mini = Mini::start("blocked", &["/usr/bin/python3", "-c", script], &command);
    until("up", || (!mini.read("up").is_empty()).then_some(())).await;
    assert_eq!(set(&mini.read("status"), "SigBlk:"), 0);
    signal(mini.child.id(), "TERM");
    mini.end(15).await;
}

async fn it_works_as_process_one() {
    let before = ["unshare", "-p", "-f", "--mount-proc", "--kill-child"];
    let script = "for i in $(seq 50); do (sleep 0.1 & setsid sleep 0.1 &); done; echo > up; exit 0";
    let mut mini = Mini::start("one", &before, &["sh", "-c", script]);
    mini.logs("Gone").await;
    let children = |pid: u32| {
        let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        list.unwrap().split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>()
    };
    let one = *children(mini.child.id()).first().unwrap();
    let status =
        |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    assert!(status(one).contains("NSpid:\t") && status(one).contains("\t1\n"));
    // Only the shim is left, and who falls to process one from outside is waited for.
    assert_eq!(children(one).len(), 1);
    let stranger = Command::new("nsenter")
        .args(["-t", &one.to_string(), "-p", "-m", "sh", "-c", "sleep 0.2 & setsid sleep 0.2 &"])
        .current_dir(Path::new("/"))
        .status();
    assert!(stranger.unwrap().success());
    until("no zombies", || (children(one).len() == 1).then_some(())).await;
    signal(one, "TERM");
    let status = until("its end", || mini.child.try_wait().unwrap()).await;
    // `unshare` passes the status on.
    assert_eq!(status.code(), Some(143), "{status:?} {}", mini.read("log"));
    assert_eq!(tagged(&mini.tag), Vec::<String>::new());
}

async fn no_process_to_be_had_is_said() {
    // A user of its own, since the limit counts all processes of one; root is not subject to it. Three are
    // us, the thread of `ctrlc` and the shim.
    let script = "import os,sys,resource; os.chown('.', 61234, -1); os.setuid(61234); \
                  resource.setrlimit(resource.RLIMIT_NPROC, (3, 3)); os.execvp(sys.argv[1], sys.argv[1:])";
    let mini = Mini::start("limit", &["/usr/bin/python3", "-c", script], &["true"]);
    mini.logs(&format!("stage: Fork, path: \"true\", errno: {},", libc::EAGAIN)).await;
    signal(mini.child.id(), "TERM");
    mini.end(15).await;
}
