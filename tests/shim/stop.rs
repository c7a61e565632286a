//! Stopping: whatever a command started is gone before the next one starts.

use std::time::{Duration, Instant};

use go_watcher::model::Ended;
use go_watcher::model::ProcessEvent;
use go_watcher::model::RunId;

use crate::cases;
use crate::support::{Bed, TERM, figures, signal, state, until, within_reach};

cases![
    a_run_ends_by_itself,
    shapes_of_commands_are_replaced_gracefully,
    who_ignores_the_stop_signal_is_killed,
    stop_lets_each_end_as_it_likes_and_gone_means_all,
    what_stays_in_the_group_is_a_left_over,
    a_stopped_process_acts_on_the_stop_signal,
    a_signal_alone_lets_it_live,
    orders_for_a_run_that_is_gone_are_answered;
    a_server_with_a_setsid_worker_is_replaced_again_and_again,
    left_overs_are_named_and_stopped,
    each_process_gets_the_stop_signal_once,
    a_fork_bomb_is_killed,
    daemons_to_keep_live_on,
];

async fn a_run_ends_by_itself() {
    let mut bed = Bed::new();
    for (script, expected) in [
        ("true", Ended::Exit(0)),
        ("exit 7", Ended::Exit(7)),
        ("exit 255", Ended::Exit(255)),
        ("kill -9 $$", Ended::Signal(9)),
        ("kill -SEGV $$", Ended::Signal(11)),
    ] {
        let run = bed.sh(script);
        let pid = bed.started().await;
        assert!(pid > 1);
        assert_eq!(bed.exited().await, (expected, vec![]), "{script}");
        assert!(matches!(bed.next().await, ProcessEvent::Gone { run: gone, .. } if gone == run));
    }
    bed.end().await;
}

/// A server that forks a `setsid` worker which holds the port.
const SERVER: &str = r#"
import os, socket, sys
s = socket.socket()
try:
    s.bind(("127.0.0.1", int(sys.argv[1])))
except OSError:
    open("inuse", "a").write("x")
    sys.exit(98)
s.listen()
if os.fork() == 0:
    os.setsid()
    open("up", "w").write(f"{os.getpid()}\n")
s.accept()
"#;

async fn a_server_with_a_setsid_worker_is_replaced_again_and_again() {
    let mut bed = Bed::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let up = bed.directory.path().join("up");
    let mut times = Vec::new();
    for _ in 0..60 {
        let run = bed.launch(&["/usr/bin/python3", "-S", "-c", SERVER, &port.to_string()]);
        bed.started().await;
        bed.file("up").await;
        std::fs::remove_file(&up).unwrap();
        let start = Instant::now();
        bed.host.stop(run, TERM);
        bed.gone().await;
        times.push(start.elapsed());
        assert!(bed.alive().is_empty());
    }
    let (_, high) = figures("stop of a server with a setsid worker", times);
    assert!(high < crate::support::at_most(300));
    assert!(!bed.directory.path().join("inuse").exists(), "address in use");
    bed.end().await;
}

/// Listens on a port; on TERM it works for a while and then says that it got to its end.
const GRACEFUL: &str = r#"
import os, signal, socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
def stop(*_):
    time.sleep(0.15)
    open("ends", "a").write("end\n")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
open("up", "w").write("up\n")
while True:
    time.sleep(0.01)
"#;

async fn shapes_of_commands_are_replaced_gracefully() {
    let mut bed = Bed::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    std::fs::write(bed.directory.path().join("server.py"), GRACEFUL).unwrap();
    let server = format!("/usr/bin/python3 -S server.py {port}");
    let mut servers = 0;
    for script in [
        format!("{server}; true"),
        format!("cat /dev/null | {server}"),
        format!("{server} | cat"),
        format!("{server} & wait"),
        format!("({server} &) ; sleep 100"),
        format!("setsid {server} & wait"),
        format!("sh -c 'trap \"\" TERM; setsid {server} & exit' ; sleep 100"),
    ] {
        let script = within_reach(&script);
        for _ in 0..3 {
            let run = bed.sh(&script);
            bed.started().await;
            bed.file("up").await;
            std::fs::remove_file(bed.directory.path().join("up")).unwrap();
            bed.host.stop(run, TERM);
            bed.gone().await;
            assert!(bed.alive().is_empty(), "{script}");
            servers += 1;
            let ends = bed.file("ends").await;
            assert_eq!(ends.lines().count(), servers, "a handler was cut short: {script}");
        }
    }
    bed.end().await;
}

async fn who_ignores_the_stop_signal_is_killed() {
    let mut bed = Bed::new();
    for script in [
        "trap '' TERM INT HUP; echo > up; while :; do sleep 1; done",
        "setsid sh -c 'trap \"\" TERM; echo > up; while :; do sleep 1; done' & sleep 100",
    ] {
        let run = bed.sh(&within_reach(script));
        bed.started().await;
        bed.file("up").await;
        std::fs::remove_file(bed.directory.path().join("up")).unwrap();
        bed.host.stop(run, TERM);
        while let Some(event) = bed.quiet(Duration::from_millis(150)).await {
            assert!(matches!(event, ProcessEvent::Exited { .. }), "{event:?}");
        }
        assert!(!bed.remaining(run).await.is_empty());
        let start = Instant::now();
        bed.host.kill(run);
        bed.gone().await;
        assert!(start.elapsed() < crate::support::at_most(500), "{:?}", start.elapsed());
        assert!(bed.alive().is_empty());
    }
    bed.end().await;
}

async fn stop_lets_each_end_as_it_likes_and_gone_means_all() {
    let mut bed = Bed::new();
    let run = bed
        .sh("trap 'sleep 0.1; exit 7' TERM; sh -c 'trap \"sleep 0.4; exit\" TERM; echo > child; \
         while :; do sleep 0.01; done' & echo > leader; while :; do sleep 0.01; done");
    bed.started().await;
    bed.file("leader").await;
    bed.file("child").await;
    bed.host.stop(run, TERM);
    assert_eq!(bed.exited().await, (Ended::Exit(7), vec![]));
    bed.gone().await;
    assert!(bed.alive().is_empty());
    bed.end().await;
}

async fn what_stays_in_the_group_is_a_left_over() {
    let mut bed = Bed::new();
    let run = bed.sh("sleep 1000 & exit 0");
    bed.started().await;
    let (ended, left) = bed.exited().await;
    assert_eq!((ended, left.len()), (Ended::Exit(0), 1));
    // (Its name may still be the shell's at the first look.)
    let remaining = bed.remaining(run).await;
    assert_eq!(remaining.iter().map(|one| one.pid).collect::<Vec<_>>(), [left[0].pid]);
    bed.host.stop(run, TERM);
    assert_eq!(bed.gone().await.len(), 1);

    // Left-overs that end by themselves are gone without an order.
    bed.sh("sleep 0.3 & exit 0");
    bed.started().await;
    assert_eq!(bed.exited().await.1.len(), 1);
    assert_eq!(bed.gone().await, vec![]);
    bed.end().await;
}

async fn left_overs_are_named_and_stopped() {
    let mut bed = Bed::new();
    let run = bed.sh("sleep 1000 & one=$!; setsid sleep 1001 & \
         until grep -q sleep /proc/$one/comm && grep -q sleep /proc/$!/comm; do sleep 0.01; done");
    bed.started().await;
    let (ended, left) = bed.exited().await;
    assert_eq!(ended, Ended::Exit(0));
    let names: Vec<_> = left.iter().map(|one| one.name.to_str().unwrap()).collect();
    assert_eq!(names, ["sleep", "sleep"]);
    assert_eq!(bed.quiet(Duration::from_millis(50)).await.map(|event| format!("{event:?}")), None);
    bed.host.stop(run, TERM);
    let mut stopped = bed.gone().await;
    let mut left = left;
    stopped.sort_by_key(|one| one.pid);
    left.sort_by_key(|one| one.pid);
    assert_eq!(stopped, left);
    bed.end().await;
}

async fn a_stopped_process_acts_on_the_stop_signal() {
    let mut bed = Bed::new();
    for name in ["STOP", "TSTP", "TTIN", "TTOU"] {
        let run = bed.sh(
            "trap 'echo handled > handled; exit 0' TERM; echo > up; while :; do sleep 0.01; done",
        );
        let pid = bed.started().await;
        bed.file("up").await;
        std::fs::remove_file(bed.directory.path().join("up")).unwrap();
        signal(pid, name);
        until("state T", || (state(pid) == Some('T')).then_some(())).await;
        let start = Instant::now();
        bed.host.stop(run, TERM);
        bed.gone().await;
        assert!(start.elapsed() < crate::support::at_most(200), "{name}: {:?}", start.elapsed());
        assert_eq!(bed.file("handled").await, "handled\n", "{name}");
        std::fs::remove_file(bed.directory.path().join("handled")).unwrap();
    }
    bed.end().await;
}

async fn a_signal_alone_lets_it_live() {
    let mut bed = Bed::new();
    let run = bed.sh("trap 'echo usr1 > got' USR1; echo > up; while :; do sleep 0.01; done");
    bed.started().await;
    bed.file("up").await;
    bed.host.signal(run, go_watcher::model::Signal(10));
    assert_eq!(bed.file("got").await, "usr1\n");
    assert!(bed.quiet(Duration::from_millis(30)).await.is_none());
    bed.host.stop(run, TERM);
    bed.gone().await;
    bed.end().await;
}

async fn each_process_gets_the_stop_signal_once() {
    const COUNT: &str = r#"
import os, signal, sys, time
name = sys.argv[1]
if name != "leader" and sys.argv[2] == "setsid": os.setsid()
count = 0
def stop(*_):
    global count
    count += 1
signal.signal(signal.SIGTERM, stop)
if name == "leader":
    for n, how in (("same", "no"), ("own", "setsid")):
        if os.fork() == 0: os.execv(sys.executable, [sys.executable, "-S", "count.py", n, how])
open(f"up-{name}", "w").write("up\n")
while not count: time.sleep(0.01)
time.sleep(0.2)
open(f"count-{name}", "w").write(f"{count}\n")
if name == "leader":
    os.wait(); os.wait()
"#;
    let mut bed = Bed::new();
    std::fs::write(bed.directory.path().join("count.py"), COUNT).unwrap();
    let run = bed.launch(&["/usr/bin/python3", "-S", "count.py", "leader"]);
    bed.started().await;
    for name in ["up-leader", "up-same", "up-own"] {
        bed.file(name).await;
    }
    bed.host.stop(run, TERM);
    bed.gone().await;
    for name in ["count-leader", "count-same", "count-own"] {
        assert_eq!(bed.file(name).await, "1\n", "{name}");
    }
    bed.end().await;
}

async fn orders_for_a_run_that_is_gone_are_answered() {
    let mut bed = Bed::new();
    for run in [RunId(77), RunId(78)] {
        bed.host.stop(run, TERM);
        bed.host.kill(run);
        for _ in 0..2 {
            assert!(
                matches!(bed.next().await, ProcessEvent::Gone { run: gone, .. } if gone == run)
            );
        }
    }
    bed.end().await;
}

async fn a_fork_bomb_is_killed() {
    let mut bed = Bed::new();
    // Everything forks in sessions of its own as fast as it goes, and ignores the stop signal.
    let inner = "trap \"\" TERM; for i in 1 2 3 4 5; do setsid sh -c \"trap : TERM; sleep 0.05; sleep 0.05 & wait\" & done; wait";
    let script =
        &format!("trap '' TERM; echo > up; while :; do setsid sh -c '{inner}' & sleep 0.005; done");
    let run = bed.sh(script);
    bed.started().await;
    bed.file("up").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let start = Instant::now();
    bed.host.kill(run);
    bed.gone().await;
    println!("    killed in {:.1?}", start.elapsed());
    assert!(bed.alive().is_empty());
    bed.end().await;
}

async fn daemons_to_keep_live_on() {
    let mut bed = Bed::new();
    let sleep = std::fs::read("/usr/bin/sleep").or_else(|_| std::fs::read("/bin/sleep")).unwrap();
    for name in ["gw-agent", "gw-other"] {
        let path = bed.directory.path().join(name);
        std::fs::write(&path, &sleep).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
    bed.host.settings(&["gw-agent".to_owned()]);
    // Each is up when it has its own name.
    let run = bed.sh("for name in gw-agent gw-other; do setsid ./$name 1000 & \
         until grep -q $name /proc/$!/comm; do sleep 0.01; done; done");
    bed.started().await;
    let (_, left) = bed.exited().await;
    let names: Vec<_> = left.iter().map(|one| one.name.to_str().unwrap()).collect();
    assert_eq!(names, ["gw-other"]);
    bed.host.stop(run, TERM);
    assert_eq!(bed.gone().await.len(), 1);
    assert_eq!(bed.alive().len(), 1);

    // Later runs come and go beside it.
    for _ in 0..3 {
        bed.sh("true");
        bed.started().await;
        assert_eq!(bed.exited().await, (Ended::Exit(0), vec![]));
        bed.gone().await;
        let run = bed.sh("sleep 1000 & sleep 1000");
        bed.started().await;
        bed.host.stop(run, TERM);
        bed.gone().await;
    }
    let alive = bed.alive();
    assert!(matches!(alive.as_slice(), [one] if one.ends_with("gw-agent")), "{alive:?}");
    // A daemon without a key beside a living leader is stopped, and named the first time.
    for expected in [vec!["gw-other"], vec![]] {
        let run = bed.sh("(setsid ./gw-other 1000 &); echo > up; exec sleep 1000");
        bed.started().await;
        bed.file("up").await;
        std::fs::remove_file(bed.directory.path().join("up")).unwrap();
        // Under its own name: before that it is the left-over `setsid`.
        let is_up = |alive: &[String]| alive.iter().any(|one| one.ends_with("gw-other"));
        until("the daemon", || is_up(&bed.alive()).then_some(())).await;
        bed.host.stop(run, TERM);
        let stopped = bed.gone().await;
        let names: Vec<_> = stopped.iter().map(|one| one.name.to_str().unwrap()).collect();
        assert_eq!(names, expected);
    }
    // Without the key it is a left-over like any other.
    let pid: u32 = alive[0].split(' ').next().unwrap().parse().unwrap();
    signal(pid, "KILL");
    until("the daemon's end", || bed.alive().is_empty().then_some(())).await;
    bed.end().await;
}
