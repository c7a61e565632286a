//! The one place where strings from outside become printable.
//!
//! The result is one line without control bytes (C0, DEL, C1), bidirectional controls, zero-width
//! and other invisible format characters, and without bytes that are no UTF-8. Letters of every script,
//! CJK with its variants, and emoji with theirs stay as they are.
//!
//! | in | out |
//! | --- | --- |
//! | newline, tab, carriage return | `\n`, `\t`, `\r` |
//! | another byte below 0x20, or 0x7f | `\x1b` |
//! | a byte that is no UTF-8 | `\xff` |
//! | another harmful or invisible character | `\u{202e}` |
//! | a backslash | `\\` in names; itself in texts |

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

/// A name from outside as it may be shown. Two names never look the same.
pub fn escape(name: &OsStr) -> String {
    escape_bytes(name.as_encoded_bytes())
}

/// The bytes of a name as they may be shown; see [`escape`].
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_escaped(&mut out, chunk.valid(), Backslash::Doubled, Newline::Escaped);
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// A text from outside as it may be shown on one line, backslashes as they are: a command, a pattern,
/// a line of a file.
pub fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text, Backslash::Kept, Newline::Escaped);
    out
}

/// A text of several lines that was composed of escaped parts. A character that slipped through is escaped here.
pub(super) fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text, Backslash::Kept, Newline::Kept);
    out
}

/// A path as it is shown: relative to `directory` when it is below it (`.` for itself), escaped.
pub fn shown(path: &Path, directory: &Path) -> String {
    if directory.as_os_str().is_empty() {
        return escape(path.as_os_str());
    }
    match path.strip_prefix(directory) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) => escape(rest.as_os_str()),
        Err(_) => escape(path.as_os_str()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Backslash {
    Doubled,
    Kept,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Newline {
    Escaped,
    Kept,
}

fn push_escaped(out: &mut String, text: &str, backslash: Backslash, newline: Newline) {
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' if backslash == Backslash::Doubled => out.push_str("\\\\"),
            '\n' if newline == Newline::Kept => out.push('\n'),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if hidden(c) && !shapes(before, c, rest.as_str()) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
        before = Some(c);
    }
}

/// Whether a character must never reach a terminal as it is, or can't be seen on one.
pub(super) fn hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'          // C0, DEL, C1
        | '\u{ad}' | '\u{34f}'                     // soft hyphen, grapheme joiner
        | '\u{61c}'                                // Arabic letter mark (bidi)
        | '\u{115f}' | '\u{1160}'                  // Hangul fillers
        | '\u{17b4}' | '\u{17b5}'                  // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}'                  // Mongolian variants and vowel separator
        | '\u{200b}'..='\u{200f}'                  // zero width, direction marks
        | '\u{2028}'..='\u{202e}'                  // line and paragraph separator, bidi embedding
        | '\u{2060}'..='\u{206f}'                  // word joiner, invisible operators, bidi isolates
        | '\u{3164}' | '\u{ffa0}'                  // Hangul fillers
        | '\u{fe00}'..='\u{fe0f}'                  // variation selectors
        | '\u{feff}'                               // zero width no-break space
        | '\u{fff0}'..='\u{fffb}'                  // reserved, interlinear annotation
        | '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}' // never characters
        | '\u{13430}'..='\u{1343f}'                // Egyptian format controls
        | '\u{1bca0}'..='\u{1bca3}'                // shorthand format controls
        | '\u{1d173}'..='\u{1d17a}'                // musical format controls
        | '\u{e0000}'..='\u{e0fff}'                // tags, variation selectors, reserved
    )
}

/// Whether a hidden character is part of how a CJK character or an emoji looks: then it stays.
fn shapes(before: Option<char>, c: char, rest: &str) -> bool {
    let Some(before) = before else { return false };
    let next = rest.chars().next();
    match c {
        // 葛󠄀: an ideograph's registered variant.
        '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => ideograph(before),
        // ❤️, 1️⃣: text or picture.
        '\u{fe0e}' | '\u{fe0f}' => pictograph(before) || matches!(before, '0'..='9' | '#' | '*'),
        // 👩‍💻: one picture of several.
        '\u{200d}' => {
            (pictograph(before) || matches!(before, '\u{fe0f}')) && next.is_some_and(pictograph)
        }
        // 🏴󠁧󠁢󠁥󠁮󠁧󠁿: a black flag, the letters of a region as tags, and the end tag.
        '\u{e0020}'..='\u{e007f}' => flag_tags(before, c, rest),
        _ => false,
    }
}

/// Whether a tag character continues a flag that is properly ended. `before` is the flag or a tag
/// that was itself judged to belong to one.
fn flag_tags(before: char, c: char, rest: &str) -> bool {
    let tag = |c: char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let follows = before == '\u{1f3f4}' || tag(before);
    if c == '\u{e007f}' {
        return tag(before);
    }
    // At most six letters in a region's name, so the look ahead is short.
    let end = rest.chars().take(7).find(|&c| !tag(c));
    follows && tag(c) && end == Some('\u{e007f}')
}

fn ideograph(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{303f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

fn pictograph(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}'
        | '\u{2934}' | '\u{2935}' | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}'
        | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_so_that_nothing_is_hidden_and_nothing_is_ambiguous() {
        let table: &[(&[u8], &str)] = &[
            (b"a b.go", "a b.go"),
            (b"a\nb", "a\\nb"),
            (b"a\\nb", "a\\\\nb"),
            (b"\t\r", "\\t\\r"),
            (b"\x1b[31m", "\\x1b[31m"),
            (b"\0\x07\x7f", "\\x00\\x07\\x7f"),
            (b"\xff", "\\xff"),
            (b"\\xff", "\\\\xff"),
            (b"a\xc3", "a\\xc3"),
            (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
            (b"\xc2\x85\xc2\x9b", "\\u{85}\\u{9b}"),
            ("a\u{202e}og.exe".as_bytes(), "a\\u{202e}og.exe"),
            ("\u{2066}x\u{2069}\u{61c}".as_bytes(), "\\u{2066}x\\u{2069}\\u{61c}"),
            ("a\u{200b}b\u{feff}\u{ad}".as_bytes(), "a\\u{200b}b\\u{feff}\\u{ad}"),
            ("\u{2028}\u{2029}".as_bytes(), "\\u{2028}\\u{2029}"),
            ("\u{e0041}".as_bytes(), "\\u{e0041}"),
            ("a\u{200d}b\u{fe0f}".as_bytes(), "a\\u{200d}b\\u{fe0f}"),
        ];
        for (name, expected) in table {
            assert_eq!(escape_bytes(name), *expected);
        }
    }

    #[test]
    fn cjk_and_emoji_stay_as_they_are() {
        let flag = "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}";
        for name in ["文件类型.go", "葛\u{e0100}城", "한글", "テスト　ー", "é", "naïve", flag]
        {
            assert_eq!(escape(OsStr::new(name)), name);
        }
        for name in ["❤\u{fe0f}", "👩\u{200d}💻", "👩🏽\u{200d}🚒", "1\u{fe0f}\u{20e3}", "🇩🇪"]
        {
            assert_eq!(escape(OsStr::new(name)), name);
        }
        let rainbow = "🏳\u{fe0f}\u{200d}🌈";
        assert_eq!(escape(OsStr::new(rainbow)), rainbow);
    }

    #[test]
    fn a_flag_without_its_end_hides_nothing() {
        let name = "🏴\u{e0068}\u{e0069}";
        assert_eq!(escape(OsStr::new(name)), "🏴\\u{e0068}\\u{e0069}");
    }

    #[test]
    fn texts_keep_their_backslashes() {
        assert_eq!(escape_text("grep 'a\\.b'\nls\x1b"), "grep 'a\\.b'\\nls\\x1b");
        assert_eq!(scrub("a\n  b\\\x1b"), "a\n  b\\\\x1b");
    }

    #[test]
    fn paths_are_relative_below_the_directory_only() {
        let table = [
            ("/src/app/a.go", "/src/app", "a.go"),
            ("/src/app", "/src/app", "."),
            ("/src/app2/a.go", "/src/app", "/src/app2/a.go"),
            ("/etc/hosts", "/src/app", "/etc/hosts"),
            ("/etc/hosts", "/", "etc/hosts"),
            ("a\nb", "", "a\\nb"),
        ];
        for (path, directory, expected) in table {
            assert_eq!(shown(Path::new(path), Path::new(directory)), expected);
        }
    }
}
