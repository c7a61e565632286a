//! `[…]`: the characters that may stand in one place.

use std::fmt::Write as _;

use super::{GlobError, Units};

/// A set of bytes or characters.
#[derive(Clone, Debug)]
pub(super) struct Class {
    negated: bool,
    ranges: Vec<(u32, u32)>,
}

impl Class {
    /// A regular expression for one of its members. A slash is none, whatever was written.
    pub(super) fn regex(&self, units: Units) -> String {
        let mut members = String::new();
        for (low, high) in self.ranges.iter().filter(|(low, high)| low <= high) {
            // A byte is written with two digits; in braces it would be a character.
            let _ = match units {
                Units::Bytes => write!(members, "\\x{low:02x}-\\x{high:02x}"),
                Units::Characters => write!(members, "\\x{{{low:x}}}-\\x{{{high:x}}}"),
            };
        }
        let set = match (self.negated, members.as_str()) {
            (true, "") => "[^/]".to_owned(),
            (false, "") => "[a&&b]".to_owned(),
            (true, members) => format!("[^/{members}]"),
            (false, members) => format!("[[{members}]&&[^/]]"),
        };
        match units {
            Units::Bytes => set,
            Units::Characters => format!("(?u:{set})"),
        }
    }

    /// Reads the class that begins after `[` in `pattern`; returns it and the number of bytes up to and
    /// with its `]`.
    pub(super) fn read(pattern: &[u8], units: Units) -> Result<(Self, usize), GlobError> {
        let text = str::from_utf8(pattern);
        let (values, length): (Vec<u32>, fn(&u32) -> usize) = match (units, text) {
            (Units::Characters, Ok(text)) => (text.chars().map(u32::from).collect(), width),
            _ => (pattern.iter().copied().map(u32::from).collect(), |_| 1),
        };
        let (class, used) = Self::read_units(&values)?;
        Ok((class, values[..used].iter().map(length).sum()))
    }

    /// Follows git: a `]` in the first place is a member, `\` escapes, `[:alpha:]` names.
    fn read_units(units: &[u32]) -> Result<(Self, usize), GlobError> {
        const OPEN: GlobError = GlobError("a [ without its ]; write \\[ for the bracket itself");
        let at = |i: usize| units.get(i).copied().ok_or(OPEN);
        let negated = matches!(at(0)?, BANG | CARET);
        let mut i = usize::from(negated);
        let mut ranges = Vec::new();
        let mut previous = None;
        loop {
            let unit = at(i)?;
            if unit == BACKSLASH {
                i += 1;
                let escaped = at(i)?;
                ranges.push((escaped, escaped));
                previous = Some(escaped);
            } else if let (DASH, Some(low)) = (unit, previous)
                && at(i + 1)? != CLOSE
            {
                i += 1;
                if at(i)? == BACKSLASH {
                    i += 1;
                }
                ranges.push((low, at(i)?));
                previous = None;
            } else if unit == OPENING && units.get(i + 1) == Some(&COLON) {
                match named(&units[i + 2..])? {
                    Some((members, length)) => {
                        ranges.extend_from_slice(members);
                        i += 1 + length;
                        previous = None;
                    }
                    None => {
                        ranges.push((unit, unit));
                        previous = Some(unit);
                    }
                }
            } else {
                ranges.push((unit, unit));
                previous = Some(unit);
            }
            i += 1;
            if at(i)? == CLOSE {
                return Ok((Self { negated, ranges }, i + 1));
            }
        }
    }
}

/// The length of a character in UTF-8.
fn width(character: &u32) -> usize {
    char::from_u32(*character).map_or(1, char::len_utf8)
}

const BANG: u32 = b'!' as u32;
const CARET: u32 = b'^' as u32;
const BACKSLASH: u32 = b'\\' as u32;
const DASH: u32 = b'-' as u32;
const CLOSE: u32 = b']' as u32;
const OPENING: u32 = b'[' as u32;
const COLON: u32 = b':' as u32;

/// A named class's members, and the units from after `[:` up to and with its `]`.
type Members = (&'static [(u32, u32)], usize);

/// The members of the class whose name begins after `[:`. `None` when no `:]` follows: then the `[`
/// is a member itself.
fn named(units: &[u32]) -> Result<Option<Members>, GlobError> {
    let end = units.iter().position(|&unit| unit == CLOSE);
    let end = end.ok_or(GlobError("a [: without its :]"))?;
    let Some(name) = units[..end].strip_suffix(&[COLON]) else { return Ok(None) };
    let members: &[(u32, u32)] =
        match &*name.iter().filter_map(|&u| char::from_u32(u)).collect::<String>() {
            "alnum" => &[(0x30, 0x39), (0x41, 0x5a), (0x61, 0x7a)],
            "alpha" => &[(0x41, 0x5a), (0x61, 0x7a)],
            "blank" => &[(0x20, 0x20), (0x09, 0x09)],
            "cntrl" => &[(0x00, 0x1f), (0x7f, 0x7f)],
            "digit" => &[(0x30, 0x39)],
            "graph" => &[(0x21, 0x7e)],
            "lower" => &[(0x61, 0x7a)],
            "print" => &[(0x20, 0x7e)],
            "punct" => &[(0x21, 0x2f), (0x3a, 0x40), (0x5b, 0x60), (0x7b, 0x7e)],
            "space" => &[(0x20, 0x20), (0x09, 0x0d)],
            "upper" => &[(0x41, 0x5a)],
            "xdigit" => &[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)],
            _ => {
                return Err(GlobError(
                    "an unknown class name; [:alpha:], [:digit:], [:alnum:] … exist",
                ));
            }
        };
    Ok(Some((members, end + 1)))
}
