//! Signals by name or number.

use crate::model::Signal;
use crate::sys::signal;

use super::diagnostic::quote;

/// Reads a signal: `SIGTERM`, `term`, `15`.
///
/// # Errors
/// What is wrong; what to write instead.
pub(crate) fn parse(text: &str) -> Result<Signal, String> {
    let upper = text.trim().to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits {
        name.parse().ok().filter(|number| (1..=64).contains(number))
    } else {
        names().find(|(known, _)| *known == name).map(|(_, number)| number)
    };
    let Some(number) = number else {
        let near = names()
            .map(|(known, _)| known)
            .find(|known| !digits && strsim::damerau_levenshtein(known, name) == 1);
        return Err(match near {
            Some(near) => format!("{} is no signal; did you mean SIG{near}?", quote(text)),
            None => format!("{} is no signal; write for example SIGTERM or SIGINT", quote(text)),
        });
    };
    if [signal::SIGSTOP, signal::SIGTSTP, signal::SIGTTIN, signal::SIGTTOU].contains(&number) {
        return Err(format!(
            "{} suspends a program and never ends it; write for example SIGTERM or SIGINT",
            quote(text)
        ));
    }
    Ok(Signal(number))
}

/// The signals without `SIG`.
fn names() -> impl Iterator<Item = (&'static str, i32)> {
    signal::NAMES.iter().map(|(number, name)| (name.strip_prefix("SIG").unwrap_or(name), *number))
}

/// The name of a signal, with `SIG`; a number that has none as it is.
#[must_use]
pub fn name(signal: Signal) -> String {
    signal::name(signal.0).map_or_else(|| signal.0.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_name_and_number() {
        let table = [
            ("SIGTERM", libc::SIGTERM),
            ("TERM", libc::SIGTERM),
            ("term", libc::SIGTERM),
            ("sigint", libc::SIGINT),
            ("15", 15),
            ("9", libc::SIGKILL),
            ("SIGUSR1", libc::SIGUSR1),
        ];
        for (text, number) in table {
            assert_eq!(parse(text), Ok(Signal(number)), "{text}");
        }
        for (text, says) in [
            ("SIGTREM", "did you mean SIGTERM?"),
            ("", "is no signal"),
            ("0", "is no signal"),
            ("65", "is no signal"),
            ("-9", "is no signal"),
            ("SIG", "is no signal"),
            ("99999999999", "is no signal"),
            ("SIGSTOP", "suspends"),
            ("tstp", "suspends"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn names_are_read_again() {
        for (number, known) in signal::NAMES {
            assert_eq!(name(Signal(*number)), *known);
            assert_eq!(parse(known).ok().map_or(*number, |signal| signal.0), *number);
        }
        assert_eq!(name(Signal(40)), "40");
    }
}
