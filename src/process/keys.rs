//! Single keys from the terminal.

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `r` or Space: run again; while stopping: kill now.
    Restart,
    /// `s`: stop the command. (An `s` within 1 s after `r` is the rest of nodemon's `rs` and is not reported.)
    Stop,
    /// `p`: pause or go on.
    Pause,
    /// `c`: clear the screen.
    Clear,
    /// `q`: quit.
    Quit,
    /// `?` or `h`: the keys.
    Help,
    /// `i`: undo the breaking of a loop.
    Undo,
    /// Enter: an empty line.
    Enter,
}

/// Listens for keys while we are the terminal's foreground group, and keeps the terminal's modes right.
#[derive(Debug)]
pub struct Keys {}

impl Keys {
    /// Sets the terminal to single keys; `None` when standard input is no terminal. Call it inside the
    /// runtime. The modes are restored on drop, on a panic and while we are suspended.
    pub fn start() -> Option<Keys> {
        None
    }

    /// Sets the modes again: after each run, which may have changed them.
    pub fn refresh(&mut self) {}

    /// The next key. Cancel-safe.
    pub async fn next(&mut self) -> Key {
        std::future::pending().await
    }
}
