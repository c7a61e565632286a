//! A host with a deadline on everything, and eyes for what it leaves behind.

use std::ffi::OsString;
use std::future::Future;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use go_watcher::model::ProcessEvent;
use go_watcher::model::Stdin;
use go_watcher::model::{Ended, LeftOver};
use go_watcher::model::{RunId, Signal};
use go_watcher::process::{Host, Launch, Shape};

/// The first argument of a helper that is a host to be killed.
pub(crate) const VICTIM: &str = "victim";
pub(crate) const TERM: Signal = Signal(15);

/// In the environment: `group` for runs that are process groups, as on systems without subreapers.
pub(crate) const SHAPE: &str = "GW_TEST_SHAPE";

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The case is about what leaves the process group, or about the names of its members.
    pub(crate) needs_subreaper: bool,
    pub(crate) run: fn() -> Pin<Box<dyn Future<Output = ()>>>,
}

/// The list of a file's cases; after `;` those that need a subreaper.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)? $(; $($reaped:ident),* $(,)?)?) => {
        pub(crate) const CASES: &[$crate::support::Case] = &[
            $($crate::support::Case {
                name: stringify!($name),
                needs_subreaper: false,
                run: || Box::pin($name()),
            },)*
            $($($crate::support::Case {
                name: stringify!($reaped),
                needs_subreaper: true,
                run: || Box::pin($reaped()),
            },)*)?
        ];
    };
}

/// Whether the hosts of this process are subreapers.
pub(crate) fn reaps() -> bool {
    std::env::var_os(SHAPE).is_none_or(|shape| shape != "group")
}

/// The hosts of this process.
pub(crate) fn host() -> Host {
    Host::start(if reaps() { Shape::Subreaper } else { Shape::Group }).unwrap()
}

/// A script as it can be asked for here: in a group, nothing may leave it.
pub(crate) fn within_reach(script: &str) -> String {
    if reaps() { script.to_owned() } else { script.replace("setsid ", "") }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// One host, its directory and the tag in the environment of everything that it starts.
pub(crate) struct Bed {
    pub(crate) host: Host,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) tag: String,
    runs: u64,
}

impl Bed {
    pub(crate) fn new() -> Bed {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let tag = format!("GW_TEST_TAG={}-{number}", std::process::id());
        let directory = tempfile::tempdir().unwrap();
        Bed { host: host(), directory, tag, runs: 0 }
    }

    pub(crate) fn order(&mut self, argv: &[&str]) -> Launch {
        self.runs += 1;
        let (name, value) = self.tag.split_once('=').unwrap();
        let path = std::env::var_os("PATH").unwrap();
        Launch {
            run: RunId(self.runs),
            argv: argv.iter().map(OsString::from).collect(),
            env: vec![(name.into(), value.into()), ("PATH".into(), path)],
            directory: self.directory.path().to_path_buf(),
            stdin: Stdin::Null,
        }
    }

    pub(crate) fn launch(&mut self, argv: &[&str]) -> RunId {
        let launch = self.order(argv);
        self.host.launch(&launch);
        launch.run
    }

    pub(crate) fn sh(&mut self, script: &str) -> RunId {
        self.launch(&["sh", "-c", script])
    }

    pub(crate) fn python(&mut self, script: &str) -> RunId {
        self.launch(&["/usr/bin/python3", "-c", script])
    }

    pub(crate) async fn next(&mut self) -> ProcessEvent {
        let next = tokio::time::timeout(PATIENCE, self.host.next()).await;
        next.unwrap_or_else(|_| panic!("no event in time; alive: {:?}", self.alive()))
    }

    pub(crate) async fn quiet(&mut self, time: Duration) -> Option<ProcessEvent> {
        tokio::time::timeout(time, self.host.next()).await.ok()
    }

    pub(crate) async fn started(&mut self) -> u32 {
        match self.next().await {
            ProcessEvent::Started { pid, .. } => pid,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn exited(&mut self) -> (Ended, Vec<LeftOver>) {
        match self.next().await {
            ProcessEvent::Exited { ended, left, .. } => (ended, left),
            other => panic!("{other:?}"),
        }
    }

    /// Up to `Gone`, whatever comes before it.
    pub(crate) async fn gone(&mut self) -> Vec<LeftOver> {
        loop {
            if let ProcessEvent::Gone { stopped, .. } = self.next().await {
                return stopped;
            }
        }
    }

    /// What still lives of a run.
    pub(crate) async fn remaining(&mut self, run: RunId) -> Vec<LeftOver> {
        self.host.survey(run);
        match self.next().await {
            ProcessEvent::StillThere { run: asked, processes } if asked == run => processes,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for a file that the run writes, and reads it.
    pub(crate) async fn file(&self, name: &str) -> String {
        let path: PathBuf = self.directory.path().join(name);
        until(name, || std::fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n')))
            .await
    }

    /// All that carries our tag.
    pub(crate) fn alive(&self) -> Vec<String> {
        tagged(&self.tag)
    }

    /// Ends the host; nothing may be left.
    pub(crate) async fn end(self) {
        let shim = self.host.shim();
        self.host.shutdown().await;
        if let Some(shim) = shim {
            assert!(!PathBuf::from(format!("/proc/{shim}")).exists(), "the shim lives");
        }
        assert_eq!(tagged(&self.tag), Vec::<String>::new());
    }
}

/// Waits for a condition with a deadline.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Every process with this in its environment, zombies excepted (they have none).
pub(crate) fn tagged(tag: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let found = processes.filter(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|entry| entry == tag.as_bytes())
    });
    found
        .map(|entry| {
            let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            format!("{} {}", String::from_utf8_lossy(entry.file_name().as_bytes()), name.trim())
        })
        .collect()
}

/// The letter of a process's state, `None` when it is gone.
pub(crate) fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

pub(crate) fn signal(pid: u32, name: &str) {
    let done = std::process::Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(done.unwrap().success());
}

/// What is allowed here for something that is to take at most so many milliseconds: on a machine with nothing
/// else to do it is that; the strict form is in the torture tests of `tests/it`.
pub(crate) fn at_most(milliseconds: u64) -> Duration {
    Duration::from_millis(if milliseconds < 1000 { 1000 } else { 2 * milliseconds })
}

/// Median and 99th percentile.
pub(crate) fn figures(what: &str, mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let (median, high) = (at(0.5), at(0.99));
    println!("    {what}: median {median:.2?}, p99 {high:.2?} ({} times)", times.len());
    (median, high)
}
