//! A real terminal: a shell in a tmux of its own, driven by keys, read as a screen.

use std::ops::Deref;
use std::process::Command;
use std::time::Duration;

use super::processes::{self, Process, on_path, skip};
use super::project::Project;
use super::wait::{DEADLINE, until};
use super::watcher::default_signals;

/// A terminal in which a shell waits in the project's tree.
pub(crate) struct Terminal {
    project: Project,
}

impl Deref for Terminal {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

impl Terminal {
    /// Opens it; `None`, with the reason printed, where there is no tmux.
    pub(crate) fn open(project: Project) -> Option<Self> {
        if !on_path("tmux") {
            skip("tmux is not installed");
            return None;
        }
        default_signals();
        let terminal = Self { project };
        terminal.tmux(&["new-session", "-d", "-x", "220", "-y", "50", "env PS1='ready> ' sh"]);
        terminal.shows("ready>");
        Some(terminal)
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut command: Command = self.in_tree("tmux");
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(self.outside("tmux")).args(args);
        let done = command.output().expect("tmux starts");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Types a line and presses Enter.
    pub(crate) fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.key("Enter");
    }

    /// Presses a key by tmux's name for it (`r`, `C-c`, `Enter`).
    pub(crate) fn key(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// `go-watcher run FLAGS -- the stamp`, typed into the shell.
    pub(crate) fn start(&self, flags: &str) {
        let argv = self.argv().into_iter().map(|word| word.into_string().expect("UTF-8"));
        let program = self.program_path().to_str().expect("UTF-8").to_owned();
        self.line(&format!("{program} run {flags} -- {}", shell_words::join(argv)));
    }

    /// The screen with what has scrolled away.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-2000"]).trim_end().to_owned()
    }

    /// What is visible, with its escape sequences.
    pub(crate) fn coloured_screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-e"])
    }

    /// Waits until the screen shows the text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.wait_for(&format!("{text:?} on the screen"), || {
            self.screen().contains(text).then_some(())
        });
    }

    /// Waits for a condition; failing, it shows the screen.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, what: &str, condition: impl FnMut() -> Option<T>) -> T {
        match until(DEADLINE, condition) {
            Some(value) => value,
            None => panic!(
                "waited for {what}; {} runs; the screen:\n{}",
                self.run_count(),
                self.screen()
            ),
        }
    }

    /// Waits until at least so many runs have begun.
    #[track_caller]
    pub(crate) fn wait_runs(&self, count: usize) {
        self.wait_for(&format!("run {count}"), || (self.run_count() >= count).then_some(()));
    }

    /// Waits for the shell's prompt, then asks for its last status and the terminal's modes. That it
    /// answers at all shows that the terminal is its own again.
    #[track_caller]
    pub(crate) fn back_in_the_shell(&self, question: &str) -> (i32, String) {
        self.wait_for("the prompt", || {
            self.screen().lines().last().is_some_and(|line| line.trim() == "ready>").then_some(())
        });
        self.line(&format!("echo {question} status=$? modes=$(stty -g) end"));
        let pattern = format!(r"{question} status=(\d+) modes=([0-9a-f:]+)\s*end");
        let pattern = regex::Regex::new(&pattern).expect("a pattern");
        self.wait_for("the shell", || {
            let screen = self.screen();
            let answer = pattern.captures(&screen)?;
            Some((answer[1].parse().expect("a number"), answer[2].to_owned()))
        })
    }

    /// The go-watcher of this terminal.
    pub(crate) fn watcher(&self) -> Option<Process> {
        processes::tagged(self.tag()).into_iter().find(|process| process.name == "go-watcher")
    }

    /// Closes the terminal, as a person closes a window.
    pub(crate) fn close(&self) {
        self.tmux(&["kill-server"]);
    }

    /// Waits until nothing of this test lives any more.
    #[track_caller]
    pub(crate) fn nothing_left_within(&self, deadline: Duration) {
        let left = || processes::tagged(self.tag());
        if until(deadline, || left().is_empty().then_some(())).is_none() {
            panic!("after {deadline:?} there is still {:?}", left());
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.close();
        let left = until(Duration::from_secs(8), || {
            processes::tagged(self.tag()).is_empty().then_some(())
        });
        let survivors = processes::tagged(self.tag());
        self.kill_what_is_left();
        assert!(left.is_some() || std::thread::panicking(), "the terminal left {survivors:?}");
    }
}
