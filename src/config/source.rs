//! Reading the file: never blocking, never more than a megabyte, always text in the end.
#![expect(clippy::disallowed_types, reason = "the only reader of the configuration file")]

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::diagnostic::{Diagnostic, Position};
use crate::report;
use crate::sys::open;

/// The length that no configuration exceeds.
pub(crate) const LARGEST: u64 = 1024 * 1024;

/// A configuration file's text, without a byte order mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The file as the person wrote it.
    pub(crate) shown: String,
    pub(crate) text: String,
}

/// Why a file could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// There is no such name. (A dangling link is a name.)
    Missing,
    Bad(Box<Diagnostic>),
}

/// Reads a configuration file; `path` is opened, `shown` is named.
pub(crate) fn read(path: &Path, shown: &str) -> Result<Source, ReadError> {
    let bad = |text: String| ReadError::Bad(Box::new(Diagnostic::file(shown, text)));
    let file = match open::reader(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(match path.symlink_metadata() {
                Ok(_) => bad("is a link to a file that does not exist; write the file".to_owned()),
                Err(_) => ReadError::Missing,
            });
        }
        Err(error) if open::is_socket(&error) => return Err(bad(not_a_file("a socket"))),
        Err(error) => return Err(bad(format!("cannot be read: {}", plain(&error)))),
    };
    if let Some(other) = other_kind(&file).map_err(|error| bad(plain(&error)))? {
        return Err(bad(not_a_file(other)));
    }
    let mut bytes = Vec::new();
    // What was read tells the size: a file may grow, and files of /proc say 0.
    if let Err(error) = file.take(LARGEST + 1).read_to_end(&mut bytes) {
        return Err(bad(format!("cannot be read: {}", plain(&error))));
    }
    decode(bytes, shown).map_err(|error| ReadError::Bad(Box::new(error)))
}

/// What an open file is when it is no regular one.
fn other_kind(file: &File) -> std::io::Result<Option<&'static str>> {
    let kind = file.metadata()?.file_type();
    Ok(match kind {
        _ if kind.is_file() => None,
        _ if kind.is_dir() => Some("a directory"),
        _ if open::is_fifo(kind) => Some("a FIFO"),
        _ => Some("a device"),
    })
}

fn not_a_file(what: &str) -> String {
    format!("is {what}, not a file; name a YAML file")
}

/// The system's words without its number.
pub(super) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Bytes to text: UTF-8 with or without a byte order mark.
pub(crate) fn decode(bytes: Vec<u8>, shown: &str) -> Result<Source, Diagnostic> {
    if bytes.len() as u64 > LARGEST {
        let text = "is larger than 1 MiB, which no configuration is; name another file";
        return Err(Diagnostic::file(shown, text));
    }
    if let Some(encoding) = other_encoding(&bytes) {
        let text = format!("is {encoding}; save it as UTF-8");
        return Err(Diagnostic { place: Some(START), ..Diagnostic::file(shown, text) });
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(&error, shown)),
    };
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(Source { shown: shown.to_owned(), text })
}

const START: Position = Position { line: 1, column: 1, length: 0 };

/// UTF-16 and UTF-32, with a mark or by the zero bytes that ASCII leaves in them.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [0, 0, 0, a, ..] | [a, 0, 0, 0, ..] if *a != 0 => Some("UTF-32"),
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some("UTF-16"),
        _ => None,
    }
}

fn not_utf8(error: &std::string::FromUtf8Error, shown: &str) -> Diagnostic {
    let bytes = error.as_bytes();
    let valid = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let before = before.strip_prefix('\u{feff}').unwrap_or(&before);
    let lines = before.replace("\r\n", "\n").replace('\r', "\n");
    let line = lines.matches('\n').count() + 1;
    let start = lines.rfind('\n').map_or(0, |end| end + 1);
    let head = &lines[start..];
    let place = Position { line, column: head.chars().count() + 1, length: 1 };
    let rest = String::from_utf8_lossy(&bytes[valid..]);
    let tail: String = rest.chars().take_while(|c| !matches!(c, '\n' | '\r')).take(200).collect();
    let byte = bytes.get(valid).copied().unwrap_or_default();
    Diagnostic {
        place: Some(place),
        source: Some(format!("{head}{tail}").into()),
        ..Diagnostic::file(shown, format!("byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"))
    }
}

/// The name of a file as it is shown: as typed, escaped where it is not readable.
pub(crate) fn shown(path: &Path) -> String {
    report::escape(path.as_os_str())
}
