//! Numbers and durations as people read them.

use std::time::Duration;

/// A number with separators: `12,031`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 change`, `1,204 files`. A plain `s` makes the plural, except for `directory` and its like.
pub fn counted(n: usize, noun: &str) -> String {
    let number = count(n as u64);
    match (n, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

/// A duration with two digits of what matters: `0.4ms`, `84ms`, `1.2s`, `42s`, `12m`, `1h04m`, `2d03h`. A time of 10 s
/// and more has no tenths, one of 10 min and more no seconds.
pub fn duration(d: Duration) -> String {
    let micros = d.as_micros();
    let millis = rounded(micros, 1_000);
    let tenths = rounded(micros, 100_000);
    let seconds = rounded(micros, 1_000_000);
    let minutes = d.as_secs() / 60;
    if micros == 0 {
        "0s".to_owned()
    } else if micros < 950 {
        format!("0.{}ms", rounded(micros, 100).max(1))
    } else if millis < 1_000 {
        format!("{millis}ms")
    } else if tenths < 100 {
        with_tenths(tenths)
    } else if seconds < 60 {
        format!("{seconds}s")
    } else if seconds < 600 {
        match seconds % 60 {
            0 => format!("{}m", seconds / 60),
            rest => format!("{}m{rest:02}s", seconds / 60),
        }
    } else if minutes < 60 {
        format!("{minutes}m")
    } else if minutes < 24 * 60 {
        format!("{}h{:02}m", minutes / 60, minutes % 60)
    } else {
        format!("{}d{:02}h", minutes / 1_440, minutes / 60 % 24)
    }
}

/// An interval of polling or a setting, in seconds: `0.8s`, `2s`; below a tenth as [`duration`].
pub(super) fn seconds(d: Duration) -> String {
    match rounded(d.as_micros(), 100_000) {
        0 => duration(d),
        tenths if tenths < 100 => with_tenths(tenths),
        _ => duration(d),
    }
}

/// Whole seconds that are left, rounded up, so that a countdown never says 0 while it counts.
pub(super) fn left(d: Duration) -> String {
    if d > Duration::from_secs(2) {
        duration(Duration::from_secs(d.as_micros().div_ceil(1_000_000) as u64))
    } else {
        seconds(d)
    }
}

fn with_tenths(tenths: u128) -> String {
    match tenths % 10 {
        0 => format!("{}s", tenths / 10),
        tenth => format!("{}.{tenth}s", tenths / 10),
    }
}

fn rounded(value: u128, unit: u128) -> u128 {
    (value + unit / 2) / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_digits_of_what_matters() {
        let table = [
            (0, "0s"),
            (40, "0.1ms"),
            (400, "0.4ms"),
            (949, "0.9ms"),
            (950, "1ms"),
            (84_000, "84ms"),
            (999_400, "999ms"),
            (999_600, "1s"),
            (1_200_000, "1.2s"),
            (1_960_000, "2s"),
            (2_340_000, "2.3s"),
            (9_960_000, "10s"),
            (42_000_000, "42s"),
            (59_600_000, "1m"),
            (92_000_000, "1m32s"),
            (300_000_000, "5m"),
            (720_000_000, "12m"),
            (3_599_000_000, "59m"),
            (3_840_000_000, "1h04m"),
            (86_400_000_000 * 2 + 3_600_000_000 * 3, "2d03h"),
        ];
        for (micros, expected) in table {
            assert_eq!(duration(Duration::from_micros(micros)), expected, "{micros} µs");
        }
    }

    #[test]
    fn intervals_are_in_seconds() {
        let table = [(800, "0.8s"), (1_200, "1.2s"), (2_000, "2s"), (20, "20ms"), (60_000, "1m")];
        for (millis, expected) in table {
            assert_eq!(seconds(Duration::from_millis(millis)), expected);
        }
        assert_eq!(left(Duration::from_millis(8_400)), "9s");
        assert_eq!(left(Duration::from_millis(1_400)), "1.4s");
    }

    #[test]
    fn counts_have_separators_and_plurals() {
        let table = [(0, "0"), (999, "999"), (1_204, "1,204"), (12_031, "12,031")];
        for (n, expected) in table {
            assert_eq!(count(n), expected);
        }
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "directory"), "1 directory");
        assert_eq!(counted(118, "directory"), "118 directories");
        assert_eq!(counted(3, "change"), "3 changes");
    }
}
