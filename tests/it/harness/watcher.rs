//! The running program: its lines, its runs, its end.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::Deref;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::processes::{self, Process};
use super::project::Project;
use super::runs::Run;
use super::wait::{DEADLINE, QUIET, pace, until};

/// A go-watcher that runs in its project. At the end of its life it is stopped, and nothing of it may
/// be left.
pub(crate) struct Watcher {
    project: Project,
    child: Child,
    lines: Arc<Mutex<Vec<(Instant, String)>>>,
    ended: Option<ExitStatus>,
    /// Processes that a test expects to survive (daemons it stops by itself).
    spared: Vec<u32>,
}

impl Deref for Watcher {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

/// Tests that run in the background of a script are given some signals as ignored, and what is ignored at the
/// start stays ignored: the program under test is to begin as in a terminal.
pub(super) fn default_signals() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGTERM] {
            #[expect(unsafe_code, reason = "no safe wrapper sets a default disposition")]
            // SAFETY: SIG_DFL installs no handler of ours, and nothing in this process relies on another.
            unsafe {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    });
}

impl Watcher {
    /// Starts the command; its standard output goes to `out/stdout`.
    pub(super) fn start(project: Project, mut command: Command) -> Self {
        let stdout = File::create(project.outside("stdout")).expect("a file for stdout");
        command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        default_signals();
        let mut child = command.spawn().expect("the program starts");
        let lines = Arc::default();
        collect(child.stderr.take().expect("piped"), Arc::clone(&lines));
        Self { project, child, lines, ended: None, spared: Vec::new() }
    }

    /// The program's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its shim, the process that hosts the runs.
    pub(crate) fn shim(&self) -> Option<Process> {
        let children = processes::descendants(self.pid());
        children.into_iter().find(|child| child.parent == self.pid() && child.name == "gw-shim")
    }

    /// Waits until the whole tree is watched and the first run has begun.
    pub(crate) fn ready(self) -> Self {
        self.wait_for("the first run", || (self.run_count() > 0).then_some(()));
        self.watching()
    }

    /// Waits until the whole tree is watched.
    pub(crate) fn watching(self) -> Self {
        self.says("] watching ");
        self
    }

    /// Waits for a condition; failing, it shows what the program said and ran.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, what: &str, condition: impl FnMut() -> Option<T>) -> T {
        match until(DEADLINE, condition) {
            Some(value) => value,
            None => panic!("waited {DEADLINE:?} for {what}\n{}", self.story()),
        }
    }

    /// What it said and what it ran, for messages.
    pub(crate) fn story(&self) -> String {
        let stderr: Vec<String> =
            self.lines().into_iter().map(|line| format!("  | {line}")).collect();
        let runs: Vec<String> = (self.run_log().iter().rev().take(12).rev())
            .map(|run| format!("  {} {:?}", run.pid, run.changed_below(&self.tree())))
            .collect();
        format!(
            "its stderr:\n{}\nits {} runs (last 12):\n{}",
            stderr.join("\n"),
            self.run_count(),
            runs.join("\n")
        )
    }

    /// Everything on stderr so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.timed_lines().into_iter().map(|(_, line)| line).collect()
    }

    /// The same, with the moment at which each line was read.
    pub(crate) fn timed_lines(&self) -> Vec<(Instant, String)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a line that contains the text.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> String {
        self.says_all(&[text])
    }

    /// Waits for a line that contains all the texts.
    #[track_caller]
    pub(crate) fn says_all(&self, texts: &[&str]) -> String {
        self.wait_for(&format!("a line with {texts:?}"), || {
            self.lines().into_iter().find(|line| texts.iter().all(|text| line.contains(text)))
        })
    }

    /// Waits for a line that matches the regular expression.
    #[track_caller]
    pub(crate) fn matches(&self, pattern: &str) -> String {
        let pattern = regex::Regex::new(pattern).expect("a pattern");
        self.wait_for(&format!("a line like {pattern}"), || {
            self.lines().into_iter().find(|line| pattern.is_match(line))
        })
    }

    /// How many lines contain the text.
    pub(crate) fn count_lines(&self, text: &str) -> usize {
        self.lines().iter().filter(|line| line.contains(text)).count()
    }

    /// Waits until at least so many runs have begun and returns the last of them.
    #[track_caller]
    pub(crate) fn wait_runs(&self, count: usize) -> Run {
        self.wait_for(&format!("run {count}"), || (self.run_count() >= count).then_some(()));
        self.run_log().swap_remove(count - 1)
    }

    /// Does something and waits for the run it causes.
    #[track_caller]
    pub(crate) fn run_after(&self, what: impl FnOnce(&Self)) -> Run {
        let before = self.run_count();
        what(self);
        self.wait_runs(before + 1)
    }

    /// Waits until so many runs have begun and then for quiet: no further one begins.
    #[track_caller]
    pub(crate) fn exactly(&self, count: usize) -> Vec<Run> {
        self.exactly_within(count, QUIET)
    }

    /// [`Self::exactly`] with another period of quiet.
    #[track_caller]
    pub(crate) fn exactly_within(&self, count: usize, quiet: Duration) -> Vec<Run> {
        self.wait_runs(count.max(1));
        pace(quiet);
        let runs = self.run_log();
        assert_eq!(runs.len(), count, "runs\n{}", self.story());
        runs
    }

    /// Waits as a script does, by asking: what is changed after the answer is the script's, however soon after a
    /// run's start it comes.
    #[track_caller]
    pub(crate) fn asked(&self) {
        let mut command = self.in_tree(self.program_path());
        let output = command.args(["wait", "--settle", "1ms"]).stdin(Stdio::null()).output();
        let output = output.expect("the program starts");
        assert!(output.status.code() != Some(124), "{output:?}\n{}", self.story());
    }

    /// Does something after which no run may begin.
    #[track_caller]
    pub(crate) fn no_run_after(&self, what: impl FnOnce(&Self)) {
        let before = self.run_count();
        what(self);
        pace(QUIET);
        assert_eq!(self.run_count(), before, "no run was to begin\n{}", self.story());
    }

    /// Does something, then saves `canary` (which must be watched), and returns the paths that the runs
    /// up to the canary's name as changed, without the canary: a proof of absence that needs no waiting.
    #[track_caller]
    pub(crate) fn changed_by(&self, canary: &str, what: impl FnOnce(&Self)) -> Vec<String> {
        let before = self.run_count();
        what(self);
        pace(Duration::from_millis(30));
        self.save(canary, format!("{before} {}", super::wait::monotonic()));
        let named = self.wait_for("the canary's run", || {
            let runs = self.run_log();
            let named: Vec<String> =
                runs[before..].iter().flat_map(|run| run.changed_below(&self.tree())).collect();
            named.iter().any(|path| path == canary).then_some(named)
        });
        let mut named: Vec<String> = named.into_iter().filter(|path| path != canary).collect();
        named.sort();
        named.dedup();
        named
    }

    /// Sends a signal to the program itself.
    pub(crate) fn signal(&self, signal: Signal) {
        processes::send(self.pid(), signal);
    }

    /// Stops it (as Ctrl-Z or a laptop's lid does), until it gets SIGCONT.
    pub(crate) fn suspend(&self) {
        self.signal(Signal::STOP);
        self.wait_for("the stop", || processes::is_stopped(self.pid()).then_some(()));
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("waiting");
        }
        self.ended
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        match until(DEADLINE, || self.has_ended()) {
            Some(status) => status,
            None => panic!("it does not end\n{}", self.story()),
        }
    }

    /// Sends a signal and waits for the end, which must be by that very signal. Returns how long it took.
    #[track_caller]
    pub(crate) fn ends_by(&mut self, signal: Signal) -> Duration {
        let begun = Instant::now();
        self.signal(signal);
        let status = self.end();
        let took = begun.elapsed();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status:?}\n{}", self.story());
        took
    }

    /// A process that is allowed to survive; the test stops it itself.
    pub(crate) fn spare(&mut self, pid: u32) {
        self.spared.push(pid);
    }

    /// Living processes of this test, the program and the spared ones excepted.
    pub(crate) fn left(&self) -> Vec<Process> {
        let mut left = processes::tagged(self.tag());
        left.retain(|process| process.pid != self.pid() && !self.spared.contains(&process.pid));
        left
    }

    /// Waits until nothing of this test lives any more.
    #[track_caller]
    pub(crate) fn nothing_left_within(&self, deadline: Duration) -> Duration {
        let begun = Instant::now();
        if until(deadline, || self.left().is_empty().then_some(())).is_none() {
            panic!("after {deadline:?} there is still {:?}\n{}", self.left(), self.story());
        }
        begun.elapsed()
    }

    /// The file that the program's standard output goes to.
    pub(crate) fn stdout(&self) -> String {
        std::fs::read_to_string(self.outside("stdout")).unwrap_or_default()
    }

    #[track_caller]
    fn check_the_end(&mut self) {
        let below = processes::descendants(self.pid());
        if self.has_ended().is_none() {
            self.signal(Signal::CONT);
            self.signal(Signal::TERM);
            self.end();
        }
        self.nothing_left_within(Duration::from_secs(3));
        let spared = std::mem::take(&mut self.spared);
        let alive =
            |process: &&Process| processes::lives(process) && !spared.contains(&process.pid);
        // Who is just ending has no environment, and so no tag, any more.
        until(Duration::from_secs(1), || (!below.iter().any(|one| alive(&one))).then_some(()));
        let survivors: Vec<&Process> = below.iter().filter(alive).collect();
        assert!(survivors.is_empty(), "{survivors:?} survived\n{}", self.story());
        let panics = self.count_lines("panicked at");
        assert_eq!(panics, 0, "it panicked\n{}", self.story());
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let checked =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.check_the_end()));
            if let Err(failure) = checked {
                self.clean_up();
                std::panic::resume_unwind(failure);
            }
        }
        self.clean_up();
    }
}

impl Watcher {
    fn clean_up(&mut self) {
        let below = processes::descendants(self.pid());
        if self.has_ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        for process in below.iter().filter(|process| processes::lives(process)) {
            processes::send(process.pid, Signal::KILL);
        }
        self.project.kill_what_is_left();
    }
}

fn collect(from: impl Read + Send + 'static, lines: Arc<Mutex<Vec<(Instant, String)>>>) {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text =
                String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
            lines.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), text));
            line.clear();
        }
    });
}

/// A path's text for command lines.
pub(crate) fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_str().expect("a path of a test is UTF-8").to_owned()
}
