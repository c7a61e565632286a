//! Single keys from the terminal.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{signals, terminal};
use crate::sys::dispositions::{self, Stream};
use crate::sys::readable::Readable;
use crate::sys::signal::{SIGCONT, SIGTSTP};
use crate::sys::terminal as tty;

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

/// An `s` belongs to the `r` before it for this long.
const REST_OF_RS: Duration = Duration::from_secs(1);

/// Listens for keys while we are the terminal's foreground group, and keeps the terminal's modes right.
#[derive(Debug)]
pub struct Keys {
    /// `None` after the terminal has closed.
    input: Option<Readable>,
    /// To notice that the terminal is ours again.
    watch: Option<Readable>,
    decoder: Decoder,
    pressed: VecDeque<Key>,
    suspend: Option<Stream>,
    resume: Option<Stream>,
    active: bool,
}

impl Keys {
    /// Sets the terminal to single keys, if we are its foreground group (else as soon as we are, as far as
    /// that can be noticed: by SIGCONT, by a line that is typed, by [`Keys::refresh`]). `None` when standard input is no terminal. Call it
    /// inside the runtime. The modes are restored on drop, on a panic and while we are suspended.
    pub fn start() -> Option<Keys> {
        let input = tty::open_again()?;
        terminal::never_stop_us();
        let mut keys = Keys {
            input: Some(input),
            watch: tty::open_again(),
            decoder: Decoder::default(),
            pressed: VecDeque::new(),
            suspend: signals::stream(SIGTSTP),
            resume: signals::stream(SIGCONT),
            active: false,
        };
        keys.refresh();
        Some(keys)
    }

    /// Sets the modes again: after each run, which may have changed them.
    pub fn refresh(&mut self) {
        self.active = terminal::single_keys();
    }

    /// The next key. Cancel-safe. Also does what Ctrl-Z asks for: it returns to the shell with the old
    /// modes, and sets ours again when we are continued.
    pub async fn next(&mut self) -> Key {
        loop {
            if let Some(key) = self.pressed.pop_front() {
                return key;
            }
            tokio::select! {
                () = signals::next(&mut self.suspend) => {
                    terminal::restore();
                    dispositions::suspend();
                    self.refresh();
                }
                () = signals::next(&mut self.resume) => self.refresh(),
                () = terminal::touched(&self.watch), if !self.active => self.refresh(),
                bytes = read(&self.input), if self.active => match bytes {
                    Some(bytes) => {
                        let now = tokio::time::Instant::now().into_std();
                        self.pressed.extend(self.decoder.keys(&bytes, now));
                    }
                    // Closed, or no longer ours.
                    None if terminal::is_ours() => self.input = None,
                    None => self.active = false,
                },
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        terminal::restore();
    }
}

/// `None` when there is nothing to read any more.
async fn read(input: &Option<Readable>) -> Option<Vec<u8>> {
    match input {
        Some(input) => input.read().await,
        None => std::future::pending().await,
    }
}

/// Bytes to keys. Pure.
#[derive(Debug, Default)]
struct Decoder {
    restarted: Option<Instant>,
}

impl Decoder {
    fn keys(&mut self, bytes: &[u8], now: Instant) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut rest = bytes;
        while let [byte, after @ ..] = rest {
            rest = if *byte == 0x1b { after_escape(after) } else { after };
            keys.extend(self.key(*byte, now));
        }
        keys
    }

    fn key(&mut self, byte: u8, now: Instant) -> Option<Key> {
        let restarted = self.restarted.take();
        Some(match byte {
            b'r' => {
                self.restarted = Some(now);
                Key::Restart
            }
            b' ' => Key::Restart,
            b's' if restarted.is_some_and(|then| now - then <= REST_OF_RS) => return None,
            b's' => Key::Stop,
            b'p' => Key::Pause,
            b'c' => Key::Clear,
            b'q' => Key::Quit,
            b'?' | b'h' => Key::Help,
            b'i' => Key::Undo,
            b'\n' | b'\r' => Key::Enter,
            _ => return None,
        })
    }
}

/// Arrow keys, answers of the terminal and pasted brackets come as sequences whose letters are no keys.
fn after_escape(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
            end.and_then(|end| rest.get(end + 1..)).unwrap_or_default()
        }
        [b'O', _, rest @ ..] | [_, rest @ ..] => rest,
        [] => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_time() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    #[test]
    fn bytes_are_keys() {
        use Key::{Clear, Enter, Help, Pause, Quit, Restart, Stop, Undo};
        for (bytes, expected) in [
            (&b"r"[..], &[Restart][..]),
            (b" ", &[Restart]),
            (b"spcq?hi\n", &[Stop, Pause, Clear, Quit, Help, Help, Undo, Enter]),
            (b"rs\n", &[Restart, Enter]),
            (b" s", &[Restart, Stop]),
            (b"rss", &[Restart, Stop]),
            (b"rps", &[Restart, Pause, Stop]),
            (b"xyzRS\x03\xff", &[]),
            (b"\x1b[A\x1b[1;5Bp\x1bOq\x1bcs\x1b", &[Pause, Stop]),
            (b"\x1b[?1;2c", &[]),
            (b"\x1b[", &[]),
        ] {
            assert_eq!(Decoder::default().keys(bytes, some_time()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn an_s_is_the_rest_of_rs_for_one_second() {
        for (later, expected) in [(0, None), (1000, None), (1001, Some(Key::Stop))] {
            let (mut decoder, now) = (Decoder::default(), some_time());
            decoder.keys(b"r", now);
            let keys = decoder.keys(b"s", now + Duration::from_millis(later));
            assert_eq!(keys.first().copied(), expected, "{later} ms");
        }
    }
}
