//! A project on disk, and the program run in it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::command::Stamp;
use super::processes::{self, TAG};
use super::runs::{Run, RunLog};
use super::wait::{DEADLINE, OLDER_THAN_A_TICK, pace, until};
use super::watcher::{Watcher, default_signals};

/// What a valid `CACHEDIR.TAG` holds (<https://bford.info/cachedir/>).
pub(crate) const CACHEDIR_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n";

/// A directory of its own, an environment of its own, and the command that runs are to be.
pub(crate) struct Project {
    directory: TempDir,
    tag: String,
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
    command: Stamp,
    user: Option<u32>,
    log: RunLog,
}

/// How a program ended that was run to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its status.
    pub(crate) status: ExitStatus,
    /// What it wrote to standard output.
    pub(crate) stdout: String,
    /// What it wrote to standard error.
    pub(crate) stderr: String,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Project {
    /// An empty project whose command is a quick stamp.
    pub(crate) fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// The same on the file system of this directory.
    pub(crate) fn below(directory: &Path) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory =
            tempfile::Builder::new().prefix("gw-it-").tempdir_in(directory).expect("a directory");
        let path = directory.path().canonicalize().expect("its real path");
        for part in ["tree", "out", "tmp", "home", "run"] {
            fs::create_dir(path.join(part)).expect("a directory");
        }
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(path.join("run"), permissions).expect("permissions");
        let tag = format!("{}-{number}", std::process::id());
        let environment = [
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", path.join("home").into()),
            ("TMPDIR", path.join("tmp").into()),
            ("XDG_RUNTIME_DIR", path.join("run").into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_AUTHOR_NAME", "Test".into()),
            ("GIT_AUTHOR_EMAIL", "test@example.com".into()),
            ("GIT_COMMITTER_NAME", "Test".into()),
            ("GIT_COMMITTER_EMAIL", "test@example.com".into()),
            (TAG, tag.clone().into()),
        ];
        Self {
            directory,
            tag,
            program: env!("CARGO_BIN_EXE_go-watcher").into(),
            environment: environment.map(|(name, value)| (name.into(), value)).into(),
            command: Stamp::quick(),
            user: None,
            log: RunLog::default(),
        }
    }

    /// With a file (and its directories) in the tree.
    pub(crate) fn file(self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> Self {
        self.save_new(path, text);
        self
    }

    /// With a directory in the tree.
    pub(crate) fn directory(self, path: impl AsRef<Path>) -> Self {
        fs::create_dir_all(self.path(path)).expect("a directory");
        self
    }

    /// With this `config.yml`.
    pub(crate) fn config(self, text: &str) -> Self {
        self.file("config.yml", text)
    }

    /// With this `watcher.yml`, which is ours whatever its keys (a found `config.yml` must show that it is).
    pub(crate) fn settings(self, text: &str) -> Self {
        self.file("watcher.yml", text)
    }

    /// With a variable in the program's environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.retain(|(held, _)| held != name);
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Its runs are this.
    pub(crate) fn runs(mut self, command: Stamp) -> Self {
        self.command = command;
        self
    }

    /// Started from this copy of the program.
    pub(crate) fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Everything belongs to, and the program runs as, this user (only root can ask for it).
    pub(crate) fn owned_by(mut self, user: u32) -> Self {
        self.user = Some(user);
        let give = Command::new("chown")
            .args(["-R".as_ref(), OsStr::new(&format!("{user}:{user}")), self.root().as_os_str()])
            .status();
        assert!(give.expect("chown").success());
        self
    }

    /// A git repository with everything that is there committed on `main`.
    pub(crate) fn git_repository(self) -> Self {
        self.git(&["init", "-q", "-b", "main"]);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "begin"]);
        self
    }

    /// Runs git in the tree.
    pub(crate) fn git(&self, args: &[&str]) {
        let done = self.in_tree("git").args(args).output().expect("git starts");
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// `DIR`.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().canonicalize().expect("the directory")
    }

    /// The watched working directory.
    pub(crate) fn tree(&self) -> PathBuf {
        self.root().join("tree")
    }

    /// A path in the tree (an absolute one stays as it is).
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.tree().join(path)
    }

    /// A path beside the tree, never watched.
    pub(crate) fn outside(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root().join("out").join(path)
    }

    /// The log of the stamps.
    pub(crate) fn log(&self) -> PathBuf {
        self.outside("log")
    }

    /// The tag of this test's processes.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// The environment of everything that this project starts.
    pub(crate) fn environment(&self) -> &[(OsString, OsString)] {
        &self.environment
    }

    /// The program's path.
    pub(crate) fn program_path(&self) -> &Path {
        &self.program
    }

    /// The exact argv of its runs.
    pub(crate) fn argv(&self) -> Vec<OsString> {
        self.command.argv(&self.log())
    }

    /// The command of its runs for `-e`.
    pub(crate) fn shell(&self) -> String {
        self.command.shell(&self.log())
    }

    /// Writes a file that may need directories.
    pub(crate) fn save_new(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }

    /// Writes a file in place.
    pub(crate) fn save(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        fs::write(self.path(path), text).expect("a save");
    }

    /// Writes a file beside it and renames that over it.
    pub(crate) fn save_atomically(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        let mut beside = path.clone().into_os_string();
        beside.push(".tmp");
        fs::write(&beside, text).expect("the file beside it");
        fs::rename(&beside, path).expect("the rename");
    }

    /// Appends to a file.
    pub(crate) fn append(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let mut file = fs::OpenOptions::new().append(true).open(self.path(path)).expect("a file");
        file.write_all(text.as_ref()).expect("appending");
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: impl AsRef<Path>) {
        fs::remove_file(self.path(path)).expect("removing");
    }

    /// Renames something in the tree.
    pub(crate) fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) {
        fs::rename(self.path(from), self.path(to)).expect("renaming");
    }

    /// What the stamps wrote so far.
    pub(crate) fn run_log(&self) -> Vec<Run> {
        self.log.runs(&self.log())
    }

    /// The run that began last.
    pub(crate) fn last_run(&self) -> Option<Run> {
        self.log.last(&self.log())
    }

    /// How many runs have begun.
    pub(crate) fn run_count(&self) -> usize {
        self.log.count(&self.log())
    }

    /// When workers got their port, and how many found it in use.
    pub(crate) fn ports(&self) -> (Vec<u64>, usize) {
        self.log.ports(&self.log())
    }

    /// A command in the tree with the project's environment.
    pub(crate) fn in_tree(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.iter().cloned()).current_dir(self.tree());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// `go-watcher run FLAGS -- the stamp`.
    pub(crate) fn start<'a>(self, flags: impl IntoIterator<Item = &'a str>) -> Watcher {
        let mut args: Vec<OsString> = vec!["run".into()];
        args.extend(flags.into_iter().map(OsString::from));
        args.push("--".into());
        args.extend(self.argv());
        self.start_exactly(args)
    }

    /// `go-watcher run FLAGS -e 'the stamp'`, through `sh -c`, the stamp's words put where `{}` stands.
    pub(crate) fn start_shell<'a>(
        self,
        text: &str,
        flags: impl IntoIterator<Item = &'a str>,
    ) -> Watcher {
        let mut args: Vec<OsString> = vec!["run".into()];
        args.extend(flags.into_iter().map(OsString::from));
        args.extend(["-e".into(), text.replace("{}", &self.shell()).into()]);
        self.start_exactly(args)
    }

    /// The program with exactly these arguments.
    pub(crate) fn start_exactly(
        self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Watcher {
        let mut command = self.in_tree(&self.program);
        command.args(args);
        self.start_as(command)
    }

    /// The program through some other command (`sh -c 'trap "" INT; exec "$0" …'`, `nohup`, `unshare`).
    ///
    /// What was written just before the start has a time that can't be told from the start's own (file
    /// times have the grain of a clock tick), so it may rightly cause a second run. Tests want files that
    /// are older than that.
    pub(crate) fn start_as(self, command: Command) -> Watcher {
        pace(OLDER_THAN_A_TICK);
        Watcher::start(self, command)
    }

    /// Runs the program with these arguments to its end, which must come and leave nothing behind.
    pub(crate) fn go_watcher(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Finished {
        let mut command = self.in_tree(&self.program);
        command.args(args);
        self.finish(command)
    }

    /// Runs a command to its end.
    pub(crate) fn finish(&self, command: Command) -> Finished {
        self.finish_within(DEADLINE, command)
    }

    /// The same for one that has much to do.
    pub(crate) fn finish_within(&self, deadline: Duration, mut command: Command) -> Finished {
        let begun = std::time::Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        default_signals();
        let mut child = command.spawn().expect("the program starts");
        let stdout = read_all(child.stdout.take().expect("piped"));
        let stderr = read_all(child.stderr.take().expect("piped"));
        let Some(status) = until(deadline, || child.try_wait().expect("waiting")) else {
            let _ = child.kill();
            self.kill_what_is_left();
            panic!("{command:?} does not end; stderr: {}", stderr.join().unwrap_or_default());
        };
        let took = begun.elapsed();
        let left =
            until(Duration::from_secs(2), || processes::tagged(&self.tag).is_empty().then_some(()));
        if left.is_none() {
            let left = processes::tagged(&self.tag);
            self.kill_what_is_left();
            panic!("{command:?} left {left:?}");
        }
        let text = |thread: std::thread::JoinHandle<String>| thread.join().expect("a reader");
        Finished { status, stdout: text(stdout), stderr: text(stderr), took }
    }

    /// SIGKILL to everything that carries the tag: for tests that have failed, or that prove a point.
    pub(crate) fn kill_what_is_left(&self) {
        until(Duration::from_secs(5), || {
            let left = processes::tagged(&self.tag);
            left.iter()
                .for_each(|process| processes::send(process.pid, rustix::process::Signal::KILL));
            left.is_empty().then_some(())
        });
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Finished {
    /// The exit status as a number; `None` after a signal.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Fails unless it ended with this status and without a panic.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "stderr: {}", self.stderr);
        self
    }

    /// Fails unless stderr contains each of these.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in stderr:\n{}", self.stderr);
        }
        self
    }
}
