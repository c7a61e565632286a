//! Levels, colours and the shape of a line.

use super::Settings;
use crate::model::{Color, Level};

const RESET: &str = "\x1b[0m";
/// Continuation lines stand below the text of a `[WARN]`.
const INDENT: &str = "       ";

/// Puts the level before the first line, indents the others and ends each. `bold` is the text of a
/// reload.
pub(super) fn lines(words: &str, level: Level, bold: bool, colored: bool) -> String {
    let (tag, color) = match level {
        Level::Detail | Level::Info => ("[INFO]", "\x1b[2m"),
        Level::Warning => ("[WARN]", "\x1b[33m"),
        Level::Error => ("[ERROR]", "\x1b[31m"),
    };
    let mut out = String::with_capacity(words.len() + 32);
    for (number, line) in words.lines().enumerate() {
        match number {
            0 if colored => out.extend([color, tag, RESET, " "]),
            0 => out.extend([tag, " "]),
            _ => out.push_str(INDENT),
        }
        if bold && colored {
            out.extend(["\x1b[1m", line, RESET]);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// Whether lines are coloured. `NO_COLOR` counts when it is set and not empty.
pub(super) fn colored(settings: &Settings, terminal: bool, no_color: bool, dumb: bool) -> bool {
    match settings.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !no_color && !dumb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_their_colours_and_further_lines_are_indented_by_seven() {
        let table = [
            (Level::Info, false, false, "[INFO] a\n       b\n"),
            (Level::Warning, false, true, "\x1b[33m[WARN]\x1b[0m a\n       b\n"),
            (Level::Error, false, true, "\x1b[31m[ERROR]\x1b[0m a\n       b\n"),
            (Level::Detail, false, true, "\x1b[2m[INFO]\x1b[0m a\n       b\n"),
        ];
        for (level, bold, colored, expected) in table {
            assert_eq!(lines("a\nb", level, bold, colored), expected);
        }
        let reload = lines("a", Level::Info, true, true);
        assert_eq!(reload, "\x1b[2m[INFO]\x1b[0m \x1b[1ma\x1b[0m\n");
    }

    #[test]
    fn colour_needs_a_terminal_and_no_no_color() {
        let of = |color| Settings { color, ..Settings::default() };
        let table = [
            (Color::Auto, true, false, false, true),
            (Color::Auto, false, false, false, false),
            (Color::Auto, true, true, false, false),
            (Color::Auto, true, false, true, false),
            (Color::Always, false, true, false, true),
            (Color::Never, true, false, false, false),
        ];
        for (color, terminal, no_color, dumb, expected) in table {
            assert_eq!(colored(&of(color), terminal, no_color, dumb), expected);
        }
    }
}
