//! A notice as one JSON object on one line, for programs. `v` is [`VERSION`]; it grows when a field
//! changes its meaning or goes, not when one is added.
//!
//! Every object has `v`, `time` (RFC 3339, local, milliseconds), `level` (`detail`, `info`, `warning`,
//! `error`), `event`, and last `message` (the words of the text format, continuation lines after `\n`).
//! What lies between depends on `event`; the functions below are the table.
//!
//! - A path is absolute and exact: a string, or, when the name is no UTF-8, `{"bytes": "2f61ff"}` with
//!   the bytes in hexadecimal.
//! - A duration ends in `_ms` and is a number of milliseconds, with a fraction where it is short.
//! - Invisible and bidirectional characters are written as `\u` escapes: they arrive, but no terminal
//!   that shows the line is fooled.

mod events;
mod object;

use object::Object;
pub(crate) use object::{Name, RuleValue, line as value};

use crate::model::{Level, Notice};

/// The version of the format.
const VERSION: u32 = 1;

/// The line of a notice, with its newline. `swallowed` counts like notices that were not printed.
pub(super) fn line(notice: &Notice, time: &str, words: &str, swallowed: u64) -> Vec<u8> {
    let mut object = begin(time, notice.level(), events::name(notice));
    events::runs(notice, &mut object);
    events::trees(notice, &mut object);
    events::session(notice, &mut object);
    events::outputs(notice, &mut object);
    if swallowed > 0 {
        object.put("swallowed", &swallowed);
    }
    object.put("message", words);
    object.finish()
}

/// The line that stands where lines had to be dropped because nobody read them.
pub(super) fn dropped(time: &str, lines: u64, words: &str) -> Vec<u8> {
    let mut object = begin(time, Level::Warning, "dropped");
    object.put("lines", &lines);
    object.put("message", words);
    object.finish()
}

fn begin(time: &str, level: Level, event: &str) -> Object {
    let level = match level {
        Level::Detail => "detail",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let mut object = Object::new();
    object.put("v", &VERSION);
    object.put("time", time);
    object.put("level", level);
    object.put("event", event);
    object
}

#[cfg(test)]
mod tests;
