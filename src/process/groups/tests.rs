//! Real processes, hosted as on systems without subreapers; with nothing that only Linux has.
#![expect(unsafe_code, reason = "blocks a signal, to see that a run is not born with it")]

use std::future::Future;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions};

use super::*;
use crate::model::Stdin;

const PATIENCE: Duration = Duration::from_secs(20);
const TERM: Signal = Signal(libc::SIGTERM);

struct Bed {
    host: Host,
    directory: tempfile::TempDir,
    runs: u64,
}

fn test<F: Future<Output = ()>>(body: impl FnOnce(Bed) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        body(Bed { host: Host::start().unwrap(), directory, runs: 0 }).await;
    });
}

impl Bed {
    fn order(&mut self, argv: &[&str]) -> Launch {
        self.runs += 1;
        Launch {
            run: RunId(self.runs),
            argv: argv.iter().map(Into::into).collect(),
            env: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
            directory: self.directory.path().to_path_buf(),
            stdin: Stdin::Null,
        }
    }

    fn sh(&mut self, script: &str) -> RunId {
        let launch = self.order(&["sh", "-c", script]);
        self.host.launch(&launch);
        launch.run
    }

    async fn next(&mut self) -> ProcessEvent {
        tokio::time::timeout(PATIENCE, self.host.next()).await.expect("no event in time")
    }

    async fn started(&mut self) -> Pid {
        match self.next().await {
            ProcessEvent::Started { pid, .. } => Pid::from_raw(pid.cast_signed()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn exited(&mut self) -> (Ended, Vec<LeftOver>) {
        match self.next().await {
            ProcessEvent::Exited { ended, left, .. } => (ended, left),
            other => panic!("{other:?}"),
        }
    }

    async fn gone(&mut self) -> Vec<LeftOver> {
        match self.next().await {
            ProcessEvent::Gone { stopped, .. } => stopped,
            other => panic!("{other:?}"),
        }
    }

    /// Runs a script to its end.
    async fn ended(&mut self, script: &str) -> Ended {
        self.sh(script);
        self.started().await;
        let (ended, left) = self.exited().await;
        assert_eq!((left, self.gone().await), (vec![], vec![]), "{script}");
        ended
    }

    async fn failed(&mut self, launch: &Launch) -> SpawnError {
        self.host.launch(launch);
        match self.next().await {
            ProcessEvent::SpawnFailed { error, .. } => error,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the run has made a file.
    async fn file(&self, name: &str) {
        let path = self.directory.path().join(name);
        until(name, || path.exists()).await;
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn is_empty(group: Pid) -> bool {
    rustix::process::test_kill_process_group(group).is_err()
}

#[test]
fn a_run_is_told_with_how_it_ended_and_leaves_no_zombie() {
    test(async |mut bed| {
        assert_eq!(bed.ended("exit 0").await, Ended::Exit(0));
        assert_eq!(bed.ended("exit 3").await, Ended::Exit(3));
        assert_eq!(bed.ended("kill -KILL $$").await, Ended::Signal(libc::SIGKILL));
        bed.sh("true");
        let pid = bed.started().await;
        bed.exited().await;
        let waited = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
        assert_eq!(waited.err(), Some(Errno::CHILD));
        bed.gone().await;
    });
}

#[test]
fn a_run_leads_a_process_group_of_its_own() {
    test(async |mut bed| {
        let run = bed.sh("sleep 1000");
        let pid = bed.started().await;
        assert_eq!(rustix::process::getpgid(Some(pid)), Ok(pid));
        bed.host.kill(run);
        assert_eq!(bed.exited().await, (Ended::Signal(libc::SIGKILL), vec![]));
        assert_eq!(bed.gone().await, vec![]);
    });
}

#[test]
fn stop_lets_a_run_end_as_it_likes_and_gone_means_its_whole_group() {
    test(async |mut bed| {
        let run = bed
            .sh("trap 'sleep 0.2; exit 7' TERM; sh -c 'trap \"sleep 0.5; exit\" TERM; : > child; \
             while :; do sleep 0.01; done' & : > leader; while :; do sleep 0.01; done");
        let group = bed.started().await;
        bed.file("leader").await;
        bed.file("child").await;
        bed.host.stop(run, TERM);
        assert_eq!(bed.exited().await, (Ended::Exit(7), vec![]));
        bed.gone().await;
        assert!(is_empty(group));
        bed.host.stop(run, TERM);
        assert_eq!(bed.gone().await, vec![], "what is gone is gone");
    });
}

#[test]
fn a_stopped_run_ends_too_and_one_that_ignores_the_signal_ends_by_a_kill() {
    test(async |mut bed| {
        let run = bed.sh("kill -STOP $$; sleep 1000");
        bed.started().await;
        tokio::time::timeout(Duration::from_millis(100), bed.host.next()).await.unwrap_err();
        bed.host.stop(run, TERM);
        assert_eq!(bed.exited().await.0, Ended::Signal(libc::SIGTERM));
        bed.gone().await;

        let run = bed.sh("trap '' TERM; : > deaf; while :; do sleep 0.01; done");
        let group = bed.started().await;
        bed.file("deaf").await;
        bed.host.stop(run, TERM);
        tokio::time::timeout(Duration::from_millis(100), bed.host.next()).await.unwrap_err();
        bed.host.kill(run);
        assert_eq!(bed.exited().await.0, Ended::Signal(libc::SIGKILL));
        bed.gone().await;
        assert!(is_empty(group));
    });
}

#[test]
fn what_stays_in_the_group_is_a_left_over_until_it_is_stopped_or_ends() {
    test(async |mut bed| {
        let run = bed.sh("sleep 1000 & exit 0");
        let group = bed.started().await;
        let (ended, left) = bed.exited().await;
        assert_eq!((ended, left.len()), (Ended::Exit(0), 1));
        assert_eq!(bed.host.remaining(), left);
        bed.host.stop(run, TERM);
        assert_eq!(bed.gone().await, left);
        assert!(is_empty(group));

        bed.sh("sleep 0.3 & exit 0");
        bed.started().await;
        assert_eq!(bed.exited().await.1.len(), 1);
        assert_eq!(bed.gone().await, vec![]);
    });
}

#[test]
fn a_signal_reaches_the_group_and_lets_it_live() {
    test(async |mut bed| {
        let run = bed.sh("trap ': > told' USR1; : > up; while :; do sleep 0.01; done");
        bed.started().await;
        bed.file("up").await;
        bed.host.signal(RunId(77), TERM);
        bed.host.signal(run, Signal(libc::SIGUSR1));
        bed.file("told").await;
        bed.host.kill(run);
        bed.exited().await;
        bed.gone().await;
    });
}

#[test]
fn a_failed_start_says_which_step_failed() {
    use std::os::unix::fs::PermissionsExt;
    test(async |mut bed| {
        let plain = bed.directory.path().join("plain");
        std::fs::write(&plain, "x").unwrap();
        std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
        for (program, errno, detail) in [
            ("no-such-program", libc::ENOENT, Some("not found in PATH")),
            ("./missing", libc::ENOENT, None),
            ("./plain", libc::EACCES, Some("it is not executable (chmod +x)")),
            ("", libc::ENOENT, Some("the command is empty")),
        ] {
            let launch = bed.order(&[program]);
            let error = bed.failed(&launch).await;
            assert_eq!((error.stage, error.errno), (SpawnStage::Exec, errno), "{program}");
            assert_eq!(error.path, Path::new(program));
            assert_eq!(error.detail.as_deref(), detail, "{program}");
        }
        let long = "x".repeat(3_000_000);
        let launch = bed.order(&["true", &long]);
        let error = bed.failed(&launch).await;
        assert_eq!((error.stage, error.errno), (SpawnStage::Exec, libc::E2BIG));
        for (directory, errno) in [("/no/such", libc::ENOENT), ("/dev/null", libc::ENOTDIR)] {
            let launch = Launch { directory: directory.into(), ..bed.order(&["true"]) };
            let error = bed.failed(&launch).await;
            assert_eq!((error.stage, error.errno), (SpawnStage::WorkingDirectory, errno));
            assert_eq!(error.path, Path::new(directory));
        }
        assert_eq!(bed.ended("true").await, Ended::Exit(0), "and the next one works");
    });
}

#[test]
fn a_second_run_beside_a_living_one_is_refused() {
    test(async |mut bed| {
        let first = bed.sh("sleep 1000");
        bed.started().await;
        let launch = bed.order(&["true"]);
        let error = bed.failed(&launch).await;
        assert_eq!((error.stage, error.errno), (SpawnStage::Fork, libc::EBUSY));
        bed.host.kill(first);
        bed.exited().await;
        bed.gone().await;
    });
}

#[test]
fn standard_input_is_empty_or_never_ends() {
    test(async |mut bed| {
        assert_eq!(bed.ended("cat; exit 5").await, Ended::Exit(5));
        let launch = Launch { stdin: Stdin::Open, ..bed.order(&["cat"]) };
        bed.host.launch(&launch);
        bed.started().await;
        tokio::time::timeout(Duration::from_millis(100), bed.host.next()).await.unwrap_err();
        bed.host.stop(launch.run, TERM);
        assert_eq!(bed.exited().await.0, Ended::Signal(libc::SIGTERM));
        bed.gone().await;
    });
}

#[test]
fn nothing_of_ours_leaks_into_a_run() {
    test(async |mut bed| {
        // Without close-on-exec, as if we had inherited it.
        let file = std::fs::File::open("/dev/null").unwrap();
        let leak = rustix::io::fcntl_dupfd_cloexec(&file, 50).unwrap();
        rustix::io::fcntl_setfd(&leak, rustix::io::FdFlags::empty()).unwrap();
        bed.host = Host::start().unwrap();
        let script = format!("test ! -e /dev/fd/{}", leak.as_raw_fd());
        assert_eq!(bed.ended(&script).await, Ended::Exit(0), "a descriptor");

        let mut set = std::mem::MaybeUninit::uninit();
        // SAFETY: sigemptyset initialises the set; the rest are plain calls on it.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
            libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
        }
        let mask = bed.ended("kill -TERM $$; exit 0").await;
        assert_eq!(mask, Ended::Signal(libc::SIGTERM), "the signal mask");
    });
}

#[test]
fn the_end_of_the_host_is_the_end_of_its_run() {
    test(async |mut bed| {
        bed.sh("trap '' TERM; : > deaf; while :; do sleep 0.01; done");
        let group = bed.started().await;
        bed.file("deaf").await;
        bed.host.shutdown().await;
        assert!(is_empty(group));
    });
    test(async |mut bed| {
        bed.sh("sleep 1000");
        let pid = bed.started().await;
        drop(bed.host);
        let status = rustix::process::waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap().1;
        assert_eq!(status.terminating_signal(), Some(libc::SIGKILL));
    });
}
