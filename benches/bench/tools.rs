//! Who is compared, with exactly which command lines.

use std::env;
use std::path::{Path, PathBuf};

/// Whether the command under test ends by itself or is a server that has to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It ends.
    End,
    /// It stays until a signal.
    Serve,
}

impl Mode {
    /// As the stamp program and the floor take it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Serve => "serve",
        }
    }
}

/// On which side of the comparison a tool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The floor.
    Floor,
    /// The program of this repository.
    Ours,
    /// Somebody else's, with its default settings.
    Peer,
    /// Somebody else's, set up to be as fast as it can.
    Tuned,
}

/// One tool, one way of calling it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// As tables name it.
    pub(crate) name: &'static str,
    /// Its side.
    pub(crate) side: Side,
    program: &'static str,
    arguments: fn(&Command<'_>) -> Vec<String>,
}

/// The command under test as a tool is given it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command<'a> {
    /// The stamp program.
    pub(crate) stamp: &'a Path,
    /// The floor program.
    pub(crate) floor: &'a Path,
    /// Where stamps go.
    pub(crate) socket: &'a Path,
    /// Whether it ends.
    pub(crate) mode: Mode,
}

impl Command<'_> {
    fn argv(&self) -> Vec<String> {
        let words = [self.stamp, self.socket].map(|path| path.to_string_lossy().into_owned());
        words.into_iter().chain([self.mode.word().to_owned()]).collect()
    }

    fn line(&self) -> String {
        self.argv().join(" ")
    }

    /// `before`, then the command's own words.
    fn after(&self, before: &[&str]) -> Vec<String> {
        before.iter().map(|word| (*word).to_owned()).chain(self.argv()).collect()
    }

    /// `before` with the restart flag when the command is a server.
    fn restarting(&self, restart: &'static str, before: &[&str]) -> Vec<String> {
        let flag = (self.mode == Mode::Serve).then(|| restart.to_owned());
        flag.into_iter().chain(self.after(before)).collect()
    }
}

impl Tool {
    /// The program and its arguments for this command.
    pub(crate) fn argv(&self, command: &Command<'_>) -> Vec<String> {
        let program = match self.side {
            Side::Floor => command.floor.to_string_lossy().into_owned(),
            Side::Ours => env!("CARGO_BIN_EXE_go-watcher").to_owned(),
            Side::Peer | Side::Tuned => self.program.to_owned(),
        };
        std::iter::once(program).chain((self.arguments)(command)).collect()
    }

    /// The command line as a person would type it.
    pub(crate) fn shown(&self, mode: Mode) -> String {
        let [stamp, floor, socket] = ["./stamp", "floor", "SOCKET"].map(Path::new);
        let mut argv = self.argv(&Command { stamp, floor, socket, mode });
        if self.side == Side::Ours {
            argv[0] = "go-watcher".into();
        }
        shell_words::join(argv)
    }

    /// Whether the tool can be measured here.
    pub(crate) fn present(&self) -> bool {
        match self.side {
            Side::Floor | Side::Ours => true,
            Side::Peer | Side::Tuned if self.program == "sh" => on_path("entr").is_some(),
            Side::Peer | Side::Tuned => on_path(self.program).is_some(),
        }
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// entr is told what to watch by a list on its standard input; making the list is part of starting it.
fn entr(command: &Command<'_>) -> Vec<String> {
    let restart = if command.mode == Mode::Serve { "-rn" } else { "-n" };
    let list = "find . -name node_modules -prune -o -name .git -prune -o -type f -print";
    vec!["-c".into(), format!("{list} | entr {restart} {}", command.line())]
}

fn own_shell(command: &Command<'_>) -> Vec<String> {
    vec!["run".into(), "-e".into(), command.line()]
}

fn floor_shell(command: &Command<'_>) -> Vec<String> {
    vec![command.mode.word().into(), "--".into(), "sh".into(), "-c".into(), command.line()]
}

fn nodemon(command: &Command<'_>) -> Vec<String> {
    ["--ext", "go", "--exec"].map(String::from).into_iter().chain([command.line()]).collect()
}

fn air(command: &Command<'_>) -> Vec<String> {
    let flags = ["--build.cmd", "true", "--build.include_ext", "go", "--build.exclude_dir"];
    let flags = flags.map(String::from).into_iter();
    flags.chain(["node_modules".into(), "--build.full_bin".into(), command.line()]).collect()
}

/// Every tool that the bench knows how to call; the ones not on PATH are left out.
pub(crate) const ALL: [Tool; 16] = [
    tool("floor", Side::Floor, "floor", |c| c.after(&[c.mode.word(), "--"])),
    tool("floor + sh -c", Side::Floor, "floor", floor_shell),
    tool("go-watcher --", Side::Ours, "go-watcher", |c| c.after(&["run", "--"])),
    tool("go-watcher -e", Side::Ours, "go-watcher", own_shell),
    tool("watchexec", Side::Peer, "watchexec", |c| c.restarting("-r", &["--"])),
    tool("watchexec, tuned", Side::Tuned, "watchexec", |c| {
        c.after(&["-r", "--shell=none", "--debounce=1ms", "--"])
    }),
    tool("entr", Side::Peer, "sh", entr),
    tool("nodemon", Side::Peer, "nodemon", nodemon),
    tool("bacon", Side::Peer, "bacon", |_| vec!["--headless".into()]),
    tool("cargo-watch", Side::Peer, "cargo-watch", |c| c.after(&["watch", "--"])),
    tool("cargo-watch, tuned", Side::Tuned, "cargo-watch", |c| {
        c.after(&["watch", "-d", "0.001", "--"])
    }),
    tool("reflex", Side::Peer, "reflex", |c| c.restarting("-s", &["-R", "node_modules/", "--"])),
    tool("wgo", Side::Peer, "wgo", |c| c.after(&["-xdir", "node_modules"])),
    tool("wgo, tuned", Side::Tuned, "wgo", |c| {
        c.after(&["-xdir", "node_modules", "-debounce", "1ms"])
    }),
    tool("air", Side::Peer, "air", air),
    tool("watchfiles", Side::Peer, "watchfiles", |c| vec![c.line(), ".".into()]),
];

const fn tool(
    name: &'static str,
    side: Side,
    program: &'static str,
    arguments: fn(&Command<'_>) -> Vec<String>,
) -> Tool {
    Tool { name, side, program, arguments }
}
