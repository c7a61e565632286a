//! What a new process finds: signals, descriptors, directory, standard input, environment.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use go_watcher::model::Ended;
use go_watcher::model::ProcessEvent;
use go_watcher::model::Stdin;

use crate::cases;
use crate::support::{Bed, TERM, until};

cases![
    signals_and_descriptors_are_clean,
    argument_and_environment_bytes_arrive_as_they_are,
    the_directory_is_entered_anew_for_each_run,
    standard_input_is_null_or_a_pipe_that_never_ends,
    what_every_run_finds_is_told_once_and_what_is_added_wins;
    who_is_asked_by_the_terminal_is_reported_once,
    double_forked_children_leave_no_zombies,
];

async fn signals_and_descriptors_are_clean() {
    let mut bed = Bed::new();
    // Not cat in sh: that would be the shell's doing.
    let script = "import os;f=open('/proc/self/status').read();o=sorted(os.listdir('/proc/self/fd'));\
                  p=os.getpgid(0)==os.getpid();open('out','w').write(f+repr(o)+str(p)+'\\n')";
    bed.python(script);
    bed.gone().await;
    let status = bed.file("out").await;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    assert_eq!(field("SigBlk:"), 0);
    // Python itself ignores SIGPIPE (13) and SIGXFSZ (25); 32 and 33 belong to the C library, whose
    // `posix_spawn` (in cargo) sets them to be ignored.
    assert_eq!(field("SigIgn:") & !(1 << 12 | 1 << 24 | 3 << 31), 0);
    // The fourth is the directory that is being listed.
    assert!(status.ends_with("['0', '1', '2', '3']True\n"), "{status}");
    bed.launch(&["grep", "-q", "SigIgn:.*000000$", "/proc/self/status"]);
    bed.started().await;
    assert_eq!(bed.exited().await.0, Ended::Exit(0), "SIGPIPE is ignored");
    bed.gone().await;
    bed.end().await;
}

async fn argument_and_environment_bytes_arrive_as_they_are() {
    let mut bed = Bed::new();
    let odd = OsString::from_vec(b"a b\n'\xff\x1b$(x)".to_vec());
    let mut launch = bed.order(&["sh", "-c", "printf '%s\\n' \"$1\" \"$ODD\" > out", "sh"]);
    launch.argv.push(odd.clone());
    launch.env.push(("ODD".into(), odd.clone()));
    bed.host.launch(&launch);
    bed.gone().await;
    let out = std::fs::read(bed.directory.path().join("out")).unwrap();
    let expected = [odd.clone().into_vec(), odd.into_vec(), vec![]].join(&b'\n');
    assert_eq!(out, expected);
    // A message larger than the socket's buffer.
    let mut launch = bed.order(&["sh", "-c", "exit ${#B0}"]);
    launch.env.extend((0..12).map(|n| (format!("B{n}").into(), "x".repeat(100_000 + 7).into())));
    bed.host.launch(&launch);
    bed.started().await;
    assert_eq!(bed.exited().await.0, Ended::Exit(100_007 % 256));
    bed.gone().await;
    bed.end().await;
}

async fn what_every_run_finds_is_told_once_and_what_is_added_wins() {
    let mut bed = Bed::new();
    let path = std::env::var_os("PATH").unwrap();
    let base = |value: &str| vec![("A".into(), value.into()), ("B".into(), value.into())];
    let script = "printf '%s\\n' \"$A$B$C\" > out; env | grep -c '^B=' >> out";
    for shim_dies in [false, true] {
        bed.host.environment([base("1"), vec![("PATH".into(), path.clone())]].concat());
        if shim_dies {
            crate::support::signal(bed.host.shim().unwrap(), "KILL");
            assert!(matches!(bed.next().await, ProcessEvent::HostLost { run: None }));
        }
        // The program is looked for in the PATH of the base.
        for (added, expected) in [(vec![], "11\n1\n"), (base("2"), "22\n1\n")] {
            let mut launch = bed.order(&["sh", "-c", script]);
            launch.env.retain(|(name, _)| name != "PATH");
            launch.env.extend(added);
            bed.host.launch(&launch);
            bed.gone().await;
            assert_eq!(bed.file("out").await, expected);
        }
    }
    bed.end().await;
}

async fn the_directory_is_entered_anew_for_each_run() {
    let mut bed = Bed::new();
    let project = bed.directory.path().join("project");
    for content in ["one", "two"] {
        std::fs::create_dir(&project).unwrap();
        std::fs::write(project.join("file"), content).unwrap();
        let mut launch = bed.order(&["grep", "-q", content, "file"]);
        launch.directory = project.clone();
        bed.host.launch(&launch);
        bed.started().await;
        assert_eq!(bed.exited().await.0, Ended::Exit(0));
        bed.gone().await;
        std::fs::remove_dir_all(&project).unwrap();
    }
    bed.end().await;
}

async fn standard_input_is_null_or_a_pipe_that_never_ends() {
    let mut bed = Bed::new();
    bed.launch(&["test", "-c", "/proc/self/fd/0"]);
    bed.started().await;
    assert_eq!(bed.exited().await.0, Ended::Exit(0));
    bed.gone().await;
    bed.sh("test \"$(readlink /proc/self/fd/0)\" = /dev/null");
    bed.started().await;
    assert_eq!(bed.exited().await.0, Ended::Exit(0));
    bed.gone().await;
    for _ in 0..2 {
        let mut launch = bed.order(&["sh", "-c", "echo > up; cat"]);
        launch.stdin = Stdin::Open;
        bed.host.launch(&launch);
        bed.started().await;
        bed.file("up").await;
        assert!(bed.quiet(std::time::Duration::from_millis(50)).await.is_none(), "cat ended");
        bed.host.stop(launch.run, TERM);
        bed.gone().await;
    }
    bed.end().await;
}

async fn who_is_asked_by_the_terminal_is_reported_once() {
    let mut bed = Bed::new();
    let run = bed.sh("echo > up; sh -c 'echo > up2; sleep 1000'; true");
    let pid = bed.started().await;
    bed.file("up2").await;
    while !bed.remaining(run).await.iter().any(|one| one.name == "sleep") {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    for _ in 0..2 {
        let group = format!("-{pid}");
        let kill =
            |name| std::process::Command::new("kill").args(["-s", name, "--", &group]).status();
        kill("TTIN").unwrap();
        until("state T", || (crate::support::state(pid) == Some('T')).then_some(())).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        kill("CONT").unwrap();
    }
    match bed.next().await {
        ProcessEvent::WaitsForTerminal { run: which, process } => {
            assert_eq!((which, process.name.to_str()), (run, Some("sleep")));
        }
        other => panic!("{other:?}"),
    }
    assert!(bed.quiet(std::time::Duration::from_millis(30)).await.is_none());
    bed.host.stop(run, TERM);
    bed.gone().await;
    bed.end().await;
}

async fn double_forked_children_leave_no_zombies() {
    let mut bed = Bed::new();
    let run = bed.sh(
        "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.05 & sleep 0.05 & setsid sleep 0.05 &) ; done; \
         echo > up; sleep 1000",
    );
    bed.started().await;
    bed.file("up").await;
    let shim = bed.host.shim().unwrap();
    let children =
        || std::fs::read_to_string(format!("/proc/{shim}/task/{shim}/children")).unwrap();
    until("no zombies", || (children().split_whitespace().count() == 1).then_some(())).await;
    bed.host.stop(run, TERM);
    bed.gone().await;
    bed.end().await;
}
