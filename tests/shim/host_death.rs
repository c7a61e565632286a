//! The supervisor or the shim is killed: nothing is left.

use std::process::{Command, ExitCode};
use std::time::Instant;

use go_watcher::model::ProcessEvent;
use go_watcher::model::RunId;

use crate::cases;
use crate::support::{Bed, TERM, VICTIM, runtime, signal, tagged, until, within_reach};

cases![
    nothing_is_left_when_the_supervisor_is_killed,
    nothing_is_left_when_the_shim_is_killed,
    a_stopped_shim_goes_on,
    the_shim_bears_its_name_and_lives_apart,
    dropping_the_host_ends_everything,
];

/// A `setsid` worker, a child that ignores TERM, and one that is stopped.
const TREE: &str = "setsid sleep 1000 & sh -c 'trap \"\" TERM; while :; do sleep 1; done' & \
                    (sh -c 'kill -STOP $$; sleep 1000' &) ; sleep 0.05; echo > up; wait";

/// The other process: starts a host and waits to be killed. Arguments: what to do, the tag.
pub(crate) fn victim(arguments: &[String]) -> ExitCode {
    let [what, tag] = arguments else { return ExitCode::FAILURE };
    let tag = tag.clone();
    runtime().block_on(async {
        let mut bed = Bed::new();
        bed.tag = tag;
        if what != "idle" {
            let run = bed.sh(&within_reach(TREE));
            bed.started().await;
            bed.file("up").await;
            if what == "stopping" {
                bed.host.stop(run, TERM);
            }
        }
        println!("ready");
        loop {
            bed.host.next().await;
        }
    })
}

async fn nothing_is_left_when_the_supervisor_is_killed() {
    let mut times = Vec::new();
    // The victims can't clean up.
    let directory = tempfile::tempdir().unwrap();
    for round in 0..15 {
        let what = ["idle", "running", "stopping"][round % 3];
        let tag = format!("GW_TEST_TAG={}-victim-{round}", std::process::id());
        let (name, value) = tag.split_once('=').unwrap();
        let mut child = Command::new("/proc/self/exe")
            .args([VICTIM, what, &tag])
            .env(name, value)
            .env("TMPDIR", directory.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
        assert_eq!(line, "ready\n");
        let least = if what == "running" { 5 } else { 2 };
        until("its processes", || (tagged(&tag).len() >= least).then_some(())).await;
        let start = Instant::now();
        child.kill().unwrap();
        child.wait().unwrap();
        until("everything's end", || tagged(&tag).is_empty().then_some(())).await;
        times.push(start.elapsed());
    }
    let (_, high) =
        crate::support::figures("from SIGKILL of the supervisor to nothing left", times);
    assert!(high < crate::support::at_most(1000));
}

async fn nothing_is_left_when_the_shim_is_killed() {
    let mut bed = Bed::new();
    let mut times = Vec::new();
    for name in ["KILL", "TERM", "KILL", "KILL"] {
        let run = bed.sh(&within_reach(TREE));
        bed.started().await;
        bed.file("up").await;
        std::fs::remove_file(bed.directory.path().join("up")).unwrap();
        let shim = bed.host.shim().unwrap();
        let start = Instant::now();
        signal(shim, name);
        loop {
            match bed.next().await {
                ProcessEvent::HostLost { run: lost } => break assert_eq!(lost, Some(run)),
                ProcessEvent::Exited { .. } | ProcessEvent::Gone { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bed.alive(), Vec::<String>::new());
        times.push(start.elapsed());
        // Orders for it are still answered, and the next run starts below a new shim.
        bed.host.stop(run, TERM);
        assert!(matches!(bed.next().await, ProcessEvent::Gone { .. }));
        bed.sh("true");
        bed.started().await;
        bed.gone().await;
        assert_ne!(bed.host.shim(), Some(shim));
    }
    // Idle.
    signal(bed.host.shim().unwrap(), "KILL");
    assert!(matches!(bed.next().await, ProcessEvent::HostLost { run: None }));
    crate::support::figures("from the end of the shim to nothing left", times);
    let children = std::fs::read_to_string("/proc/thread-self/children").unwrap();
    assert_eq!(children.trim(), "", "zombies");
    bed.end().await;
}

/// A shim that is stopped (it can block anything but SIGSTOP) performs each order all the same.
async fn a_stopped_shim_goes_on() {
    let mut bed = Bed::new();
    let shim = bed.host.shim().unwrap();
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        signal(shim, "STOP");
        let run = bed.sh(&within_reach("setsid sleep 1000 & sleep 1000"));
        bed.started().await;
        signal(shim, "STOP");
        bed.host.stop(run, TERM);
        bed.gone().await;
        times.push(start.elapsed());
        assert!(bed.alive().is_empty());
    }
    assert_eq!(bed.host.shim(), Some(shim));
    let (_, high) = crate::support::figures("start and stop with a shim stopped twice", times);
    assert!(high < crate::support::at_most(1000));
    // What our own end orders is performed too.
    signal(shim, "STOP");
    let start = Instant::now();
    bed.end().await;
    assert!(start.elapsed() < crate::support::at_most(1000), "{:?}", start.elapsed());
}

async fn the_shim_bears_its_name_and_lives_apart() {
    let bed = Bed::new();
    let shim = bed.host.shim().unwrap();
    let read =
        |name: &str| std::fs::read_to_string(format!("/proc/{shim}/{name}")).unwrap_or_default();
    until("its name", || (read("comm") == "gw-shim\n").then_some(())).await;
    assert!(read("cmdline").starts_with("gw-shim\0"));
    let stat = read("stat");
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    assert_eq!(fields[2], shim.to_string(), "a group of its own");
    let threads =
        read("status").lines().find(|line| line.starts_with("Threads")).unwrap().to_owned();
    assert!(threads.ends_with("\t1"), "{threads}");
    bed.end().await;
}

async fn dropping_the_host_ends_everything() {
    let mut bed = Bed::new();
    bed.sh(&within_reach(TREE));
    bed.started().await;
    bed.file("up").await;
    let tag = bed.tag.clone();
    let shim = bed.host.shim().unwrap();
    drop(bed);
    until("everything's end", || tagged(&tag).is_empty().then_some(())).await;
    until("the shim's end", || {
        let pid = rustix::process::Pid::from_raw(shim as i32);
        let ended = rustix::process::waitpid(pid, rustix::process::WaitOptions::NOHANG);
        (!matches!(ended, Ok(None))).then_some(())
    })
    .await;
    let _ = RunId(0);
}
