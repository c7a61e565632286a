//! Durations as people write them: `500ms`, `2s`, `1.5s`, `1m30s`; a bare number is milliseconds, as the
//! original's `duration` was.

use std::time::Duration;

/// The longest duration; a longer one is a mistake.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The units and their lengths in nanoseconds.
const UNITS: &[(&str, f64)] = &[
    ("ms", 1e6),
    ("milliseconds", 1e6),
    ("s", 1e9),
    ("sec", 1e9),
    ("seconds", 1e9),
    ("second", 1e9),
    ("m", 60e9),
    ("min", 60e9),
    ("minutes", 60e9),
    ("minute", 60e9),
    ("h", 3600e9),
];

/// Reads a duration.
///
/// # Errors
/// What is wrong with the text; what to write instead.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let quoted = super::diagnostic::quote(text);
    let text = text.trim();
    let example = "write 500ms, 2s or 1m30s (a bare number is milliseconds)";
    if text.is_empty() {
        return Err(format!("an empty duration; {example}"));
    }
    if text.starts_with('-') {
        return Err(format!("{quoted} is less than nothing; {example}"));
    }
    let nanos = if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        number(text).map(|number| number * 1e6)
    } else {
        parts(text)
    };
    let Some(nanos) = nanos else {
        return Err(format!("{quoted} is not a duration; {example}"));
    };
    if nanos > LONGEST.as_nanos() as f64 {
        return Err(format!("{quoted} is longer than a day; {example}"));
    }
    // Whole microseconds: 0.1 + 0.2 must not show as 0.30000000000000004.
    Ok(Duration::from_micros((nanos / 1e3).round() as u64))
}

/// `1m30s`: numbers with units, largest first, each unit once.
fn parts(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut total = 0.0;
    let mut last = f64::INFINITY;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value = number(&rest[..digits])?;
        rest = rest[digits..].trim_start();
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..end])?;
        if *unit >= last {
            return None;
        }
        last = *unit;
        total += value * unit;
        rest = rest[end..].trim_start();
    }
    Some(total)
}

/// Digits with at most one point among them.
fn number(text: &str) -> Option<f64> {
    let plain = text.len() <= 20 && text.starts_with(|c: char| c.is_ascii_digit());
    if plain && !text.ends_with('.') { text.parse().ok() } else { None }
}

/// Writes a duration so that a file reads the same one.
#[must_use]
pub fn format(duration: Duration) -> String {
    let micros = duration.as_micros();
    let fraction = |value: u128, unit: u128| {
        let text = format!("{}.{:0width$}", value / unit, value % unit, width = digits(unit));
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if micros == 0 {
        return "0".to_owned();
    }
    if micros < 1_000_000 {
        return format!("{}ms", fraction(micros, 1_000));
    }
    if micros < 60_000_000 {
        return format!("{}s", fraction(micros, 1_000_000));
    }
    let (hours, rest) = (micros / 3_600_000_000, micros % 3_600_000_000);
    let (minutes, rest) = (rest / 60_000_000, rest % 60_000_000);
    let mut text = String::new();
    if hours > 0 {
        text.push_str(&format!("{hours}h"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}m"));
    }
    if rest > 0 {
        text.push_str(&format!("{}s", fraction(rest, 1_000_000)));
    }
    text
}

fn digits(unit: u128) -> usize {
    unit.ilog10() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        let table = [
            ("0", 0),
            ("2000", 2_000_000),
            ("1.5", 1_500),
            ("500ms", 500_000),
            ("0.5ms", 500),
            ("2s", 2_000_000),
            ("1.5s", 1_500_000),
            ("1m", 60_000_000),
            ("1m30s", 90_000_000),
            ("1m 30s", 90_000_000),
            ("1 m 30 s", 90_000_000),
            ("2 seconds", 2_000_000),
            ("1h", 3_600_000_000),
            (" 2s ", 2_000_000),
            ("24h", 86_400_000_000),
        ];
        for (text, micros) in table {
            assert_eq!(parse(text), Ok(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn durations_without_sense() {
        let table = [
            ("", "empty"),
            ("  ", "empty"),
            ("-5", "less than nothing"),
            ("-1s", "less than nothing"),
            ("soon", "not a duration"),
            ("2 parsecs", "not a duration"),
            ("1e9", "not a duration"),
            ("1e9s", "not a duration"),
            ("NaN", "not a duration"),
            (".inf", "not a duration"),
            ("inf", "not a duration"),
            ("1s1s", "not a duration"),
            ("30s1m", "not a duration"),
            ("1m30", "not a duration"),
            ("1..5s", "not a duration"),
            ("1.", "not a duration"),
            (".5s", "not a duration"),
            ("s", "not a duration"),
            ("1S", "not a duration"),
            ("0x10", "not a duration"),
            ("1_000", "not a duration"),
            ("٣s", "not a duration"),
            ("25h", "longer than a day"),
            ("999999999999999999999999", "not a duration"),
            ("99999999999999999999", "longer than a day"),
        ];
        for (text, wrong) in table {
            let error = parse(text).expect_err(text);
            assert!(error.contains(wrong) && error.contains("; write "), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let table = [
            (0, "0"),
            (300, "0.3ms"),
            (50_000, "50ms"),
            (1_500_000, "1.5s"),
            (5_000_000, "5s"),
            (90_000_000, "1m30s"),
            (90_250_000, "1m30.25s"),
            (3_600_000_000, "1h"),
            (3_661_000_000, "1h1m1s"),
        ];
        for (micros, text) in table {
            let duration = Duration::from_micros(micros);
            assert_eq!(format(duration), text);
            assert_eq!(parse(text), Ok(duration), "{text}");
        }
    }
}
