//! What the value of a key looks like: in the file, by a flag, by a variable of the environment.

use std::time::Duration;

use super::diagnostic::quote;
use super::{duration, signal};
use crate::model::PollWord;

/// What is said of a text that is neither `true` nor `false`.
pub(crate) const NO_BOOL: &str = "is neither true nor false";

/// What a key's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A duration, or one of these words.
    Duration(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A signal by name or number.
    Signal,
    /// The name of an instance.
    Name,
    /// A list of texts; what an item is called.
    List(&'static str),
    /// A list of paths.
    Paths,
    /// A list of `NAME=value`, or a map.
    Env,
    /// A text for the shell, or a list: an exact argv.
    Command,
}

impl Kind {
    /// What one would write.
    pub(crate) fn example(self) -> String {
        match self {
            Self::Duration(words) => {
                let words: String = words.iter().map(|word| format!("{word}, ")).collect();
                format!("{words}500ms or 2s")
            }
            Self::Bool => "true or false".to_owned(),
            Self::Word(words) => match words.split_last() {
                Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
                None => String::new(),
            },
            Self::Signal => "a signal such as SIGTERM or SIGINT".to_owned(),
            Self::Name => {
                "up to 64 letters, digits, dots, dashes and underscores, such as web".to_owned()
            }
            Self::List(_) | Self::Paths => "a list: [a, b]".to_owned(),
            Self::Env => "a list of NAME=value".to_owned(),
            Self::Command => "a text or a list".to_owned(),
        }
    }

    /// What an item of a list is called.
    pub(crate) fn item(self) -> &'static str {
        match self {
            Self::List(what) => what,
            Self::Paths => "a path",
            Self::Env => "NAME=value",
            _ => "a program or an argument",
        }
    }

    /// What is wrong with a value, and what one would write.
    pub(crate) fn wrong(self, text: &str, what: &str) -> String {
        format!("{} {what}; write {}", quote(text), self.example())
    }

    /// Checks a single value, wherever it was given.
    ///
    /// # Errors
    /// What is wrong; what to write instead.
    pub(crate) fn check(self, text: &str) -> Result<(), String> {
        let wrong = |what: &str| Err(self.wrong(text, what));
        match self {
            Self::Duration(words) if words.contains(&text) => Ok(()),
            Self::Duration(words) => match duration::parse(text) {
                Ok(Duration::ZERO) if words == PollWord::WORDS => wrong("is no interval"),
                Ok(_) => Ok(()),
                Err(error) if words.is_empty() => Err(error),
                Err(error) => {
                    Err(error.replace("; write ", &format!("; write {}, ", words.join(", "))))
                }
            },
            Self::Bool
                if matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") =>
            {
                Ok(())
            }
            Self::Bool => wrong(NO_BOOL),
            Self::Word(words) if words.contains(&text) => Ok(()),
            Self::Word(words) => match near(words, text) {
                Some(near) => Err(format!(
                    "{} is none of {}; did you mean {near}?",
                    quote(text),
                    words.join(", ")
                )),
                None => wrong("is not known"),
            },
            Self::Signal => signal::parse(text).map(|_| ()),
            Self::Name if !is_name(text) => wrong("is no name"),
            Self::Name if text.chars().all(|c| c.is_ascii_digit()) => {
                wrong("is the number of an instance")
            }
            Self::Name => Ok(()),
            Self::List(_) | Self::Paths | Self::Env | Self::Command => printable(text),
        }
    }

    /// One spelling for each value, so that two spellings of the same are no difference.
    pub(crate) fn canonical(self, text: &str) -> String {
        match self {
            Self::Duration(_) => {
                duration::parse(text).map_or_else(|_| text.to_owned(), duration::format)
            }
            Self::Signal => signal::parse(text).map_or_else(|_| quote(text), signal::name),
            _ => text.to_owned(),
        }
    }
}

/// The word that was likely meant.
fn near<'a>(words: &[&'a str], text: &str) -> Option<&'a str> {
    let text = text.to_lowercase();
    words.iter().copied().find(|word| strsim::damerau_levenshtein(word, &text) <= 2)
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    first && text.len() <= 64 && text.chars().all(fits)
}

/// Any text is good, except that no path, pattern or argument can hold a NUL.
fn printable(text: &str) -> Result<(), String> {
    match text {
        "" => Err("is empty; write something or delete the key".to_owned()),
        _ if text.trim().is_empty() => {
            Err("is blank; write something or delete the key".to_owned())
        }
        _ => without_nul(text),
    }
}

/// Refuses a NUL byte, which the system's calls cannot take.
pub(crate) fn without_nul(text: &str) -> Result<(), String> {
    match text.contains('\0') {
        true => Err(format!("{} holds a NUL byte; take it out", quote(text))),
        false => Ok(()),
    }
}

/// Checks an item of a list.
///
/// # Errors
/// What is wrong; what to write instead.
pub(crate) fn item(kind: Kind, text: &str) -> Result<(), String> {
    match kind {
        _ if text.is_empty() => Err(format!("an empty item; write {} or delete it", kind.item())),
        Kind::Env => printable(text).and_then(|()| env_entry(text)),
        _ => printable(text),
    }
}

/// Checks the name of a variable of the environment.
///
/// # Errors
/// What is wrong; what to write instead.
pub(crate) fn env_name(name: &str) -> Result<(), String> {
    match name {
        "" => Err("an empty name; write NAME=value".to_owned()),
        _ => without_nul(name).map_err(|wrong| format!("the name {wrong}")),
    }
}

/// Checks `NAME=value`, from the file or from `-E`.
///
/// # Errors
/// What is wrong; what to write instead.
pub(crate) fn env_entry(text: &str) -> Result<(), String> {
    let Some((name, _)) = text.split_once('=') else {
        return Err(format!("{} has no =; write NAME=value", quote(text)));
    };
    env_name(name)?;
    without_nul(text)
}
