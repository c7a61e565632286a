//! What is wrong with a configuration, and where: the text that `check`, a failed start and a bad live
//! edit show.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::report;

/// A place in a file. Lines and columns count from 1, columns and lengths count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// How many characters of the line are meant; 0 for a point.
    pub length: usize,
}

/// What is wrong at a place, before it is known which file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Option<Position>,
    /// The path of the key concerned (`watcher.duration`); empty when it is the file as a whole.
    pub(crate) key: String,
    /// What is wrong; what to write instead.
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn at(place: Position, key: &str, text: impl Into<String>) -> Self {
        Self { place: Some(place), key: key.to_owned(), text: text.into() }
    }
}

/// An error in a configuration file or on the command line; exit status 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as the person wrote it, or `None` when the command line is wrong.
    pub file: Option<String>,
    /// Where in the file, when the place is known.
    pub place: Option<Position>,
    /// The key concerned; may be empty.
    pub key: Box<str>,
    /// What is wrong; what to write instead. Escaped.
    pub text: String,
    /// The source line, unescaped.
    pub source: Option<Box<str>>,
}

impl Diagnostic {
    /// An error of the command line.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { file: None, place: None, key: Box::default(), text: text.into(), source: None }
    }

    /// An error about a file as a whole.
    pub(crate) fn file(shown: &str, text: impl Into<String>) -> Self {
        Self { file: Some(shown.to_owned()), ..Self::usage(text) }
    }

    /// An error at a place of a text.
    pub(crate) fn in_text(shown: &str, text: &str, fault: Fault) -> Self {
        Self {
            file: Some(shown.to_owned()),
            place: fault.place,
            key: fault.key.into(),
            text: fault.text,
            source: fault.place.and_then(|place| source_line(text, place.line)).map(Box::from),
        }
    }
}

/// The line of a text, as YAML counts lines (LF, CRLF or a lone CR end one).
fn source_line(text: &str, line: usize) -> Option<&str> {
    let mut rest = text;
    for _ in 1..line {
        let end = rest.find(['\n', '\r'])?;
        let width = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + width..];
    }
    Some(rest.split(['\n', '\r']).next().unwrap_or_default())
}

impl fmt::Display for Diagnostic {
    /// `file:line:column: key: text`, then the source line with a caret; no line end at the end.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(out, "{}:", escape(file))?,
            None => write!(out, "error:")?,
        }
        if let Some(place) = self.place {
            write!(out, "{}:{}:", place.line, place.column)?;
        }
        if !self.key.is_empty() {
            write!(out, " {}:", escape(&self.key))?;
        }
        write!(out, " {}", self.text)?;
        if let (Some(place), Some(source)) = (self.place, &self.source) {
            let (line, pad, caret) = window(source, place);
            let number = place.line.to_string();
            let gutter = " ".repeat(number.len());
            write!(out, "\n  {number} | {line}\n  {gutter} | {pad}{caret}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// How many characters of a long line are shown before and after the place.
const BEFORE: usize = 50;
const AFTER: usize = 70;

/// The part of the line around the place, the blanks below what comes before it, and the carets.
fn window(source: &str, place: Position) -> (String, String, String) {
    let column = place.column.saturating_sub(1);
    let total = source.chars().take(column + AFTER + 1).count();
    let start = if column > BEFORE + 20 { column - BEFORE } else { 0 };
    let mut line = String::new();
    if start > 0 {
        line.push('…');
    }
    let before: String =
        source.chars().skip(start).take(column.min(total) - start.min(total)).collect();
    line.push_str(&escape(&before));
    let pad = " ".repeat(line.width());
    let marked: String = source.chars().skip(column).take(place.length.min(AFTER)).collect();
    let marked = escape(&marked);
    let caret = "^".repeat(marked.width().max(1));
    line.push_str(&marked);
    let shown = column + place.length.min(AFTER);
    let mut rest = source.chars().skip(shown);
    let after: String = rest.by_ref().take((column + AFTER).saturating_sub(shown)).collect();
    line.push_str(&escape(&after));
    if rest.next().is_some() {
        line.push('…');
    }
    (line.trim_end().to_owned(), pad, caret)
}

/// Outside text made fit for a terminal: what moves, hides or reorders what it shows becomes a visible escape,
/// a tab becomes four blanks, everything readable stays.
pub(crate) fn escape(text: &str) -> String {
    let parts: Vec<String> = text.split('\t').map(report::escape_text).collect();
    parts.join("    ")
}

/// A value quoted for a message: escaped, and cut when it is long.
pub(crate) fn quote(text: &str) -> String {
    let mut cut: String = text.chars().take(60).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("'{}'", escape(&cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, line: usize, column: usize, length: usize) -> String {
        let place = Position { line, column, length };
        let fault = Fault::at(place, "a.b", "wrong; write right");
        Diagnostic::in_text("config.yml", source, fault).to_string()
    }

    #[test]
    fn the_reference_block() {
        let source = "a\nb\nc\nwatcher:\n  include_filetypes: [.go]   # 文件类型\n";
        let fault = Fault::at(
            Position { line: 5, column: 3, length: 17 },
            "watcher.include_filetypes",
            "unknown key; did you mean included_filetypes?",
        );
        assert_eq!(
            Diagnostic::in_text("config.yml", source, fault).to_string(),
            "config.yml:5:3: watcher.include_filetypes: unknown key; did you mean included_filetypes?\n\
             \x20 5 |   include_filetypes: [.go]   # 文件类型\n\
             \x20   |   ^^^^^^^^^^^^^^^^^"
        );
    }

    #[test]
    fn carets_stand_below_what_they_mean() {
        let table = [
            ("wide characters take two cells", "中文: x", 5, 1, "  1 | 中文: x\n    |       ^"),
            ("and are marked whole", "x: 中文", 4, 2, "  1 | x: 中文\n    |    ^^^^"),
            ("combining ones none", "e\u{301}: x", 5, 1, "  1 | e\u{301}: x\n    |    ^"),
            ("a tab is four blanks", "\tx", 1, 1, "  1 |     x\n    | ^^^^"),
            ("control characters show", "a\u{1b}b", 3, 1, "  1 | a\\x1bb\n    |      ^"),
            ("the end of a line can be meant", "a: ", 4, 0, "  1 | a:\n    |    ^"),
            ("also beyond it", "a", 9, 3, "  1 | a\n    |  ^"),
            ("an empty line", "", 1, 0, "  1 | \n    | ^"),
        ];
        for (name, source, column, length, expected) in table {
            let text = shown(source, 1, column, length);
            let block = text.split_once('\n').map(|(_, block)| block);
            assert_eq!(block, Some(expected), "{name}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let source = format!("{}: x{}", "k".repeat(5000), "y".repeat(5000));
        let text = shown(&source, 1, 5003, 1);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].chars().count() < 140, "{}", lines[1]);
        let caret = lines[2].chars().position(|c| c == '^').expect("a caret");
        assert_eq!(lines[1].chars().nth(caret), Some('x'));
        assert!(lines[1].contains("| …kkk") && lines[1].ends_with("yyy…"));
    }

    #[test]
    fn lines_end_as_yaml_ends_them() {
        for text in ["a\nb\nc", "a\r\nb\r\nc", "a\rb\rc", "a\r\nb\nc\n"] {
            assert_eq!(source_line(text, 1), Some("a"), "{text:?}");
            assert_eq!(source_line(text, 2), Some("b"), "{text:?}");
            assert_eq!(source_line(text, 3), Some("c"), "{text:?}");
            assert_eq!(source_line(text, 9), None, "{text:?}");
        }
    }

    #[test]
    fn outside_text_cannot_reach_the_terminal_raw() {
        assert_eq!(escape("\u{202e}abc\u{7}"), "\\u{202e}abc\\x07");
        assert_eq!(escape("中文 👩‍👩‍👧 ok"), "中文 👩‍👩‍👧 ok");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), 63);
    }
}
