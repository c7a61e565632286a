//! `[…]`: the characters that may stand in one place.

use super::{GlobError, Units};

/// A set of bytes or characters.
#[derive(Clone, Debug)]
pub(in crate::filter) struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    /// Whether this one may stand there.
    pub(super) fn holds(&self, unit: char) -> bool {
        self.ranges.iter().any(|&(low, high)| low <= unit && unit <= high) != self.negated
    }

    /// Reads the class that begins after `[` in `pattern`; returns it and what follows its `]`. As git does: a `]`
    /// in the first place is a member, `\` escapes, `[:alpha:]` names.
    pub(super) fn read(pattern: &[u8], units: Units) -> Result<(Self, &[u8]), GlobError> {
        let negated = matches!(pattern.first(), Some(b'!' | b'^'));
        let mut from = Reader { rest: &pattern[usize::from(negated)..], units };
        let mut ranges = Vec::new();
        let mut previous = None;
        loop {
            let member = match (from.next()?, previous) {
                ('-', Some(low)) if !from.rest.starts_with(b"]") => {
                    let high = from.next()?;
                    ranges.push((low, if high == '\\' { from.next()? } else { high }));
                    None
                }
                ('[', _) if from.rest.starts_with(b":") => match from.named()? {
                    Some(members) => {
                        ranges.extend_from_slice(members);
                        None
                    }
                    None => Some('['),
                },
                ('\\', _) => Some(from.next()?),
                (unit, _) => Some(unit),
            };
            ranges.extend(member.map(|member| (member, member)));
            if let Some(rest) = from.rest.strip_prefix(b"]") {
                return Ok((Self { negated, ranges }, rest));
            }
            previous = member;
        }
    }
}

/// The first byte or character of a text, and what follows it. A byte stands as the character of its number.
/// `None`: the text is empty, or does not begin with a character.
pub(super) fn unit(text: &[u8], units: Units) -> Option<(char, &[u8])> {
    let (&first, rest) = text.split_first()?;
    if first.is_ascii() || units == Units::Bytes {
        return Some((char::from(first), rest));
    }
    let length = match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    let (character, rest) = text.split_at_checked(length)?;
    Some((str::from_utf8(character).ok()?.chars().next()?, rest))
}

/// Reads a class unit by unit.
struct Reader<'p> {
    rest: &'p [u8],
    units: Units,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<char, GlobError> {
        const OPEN: GlobError = GlobError("a [ without its ]; write \\[ for the bracket itself");
        let (unit, rest) = unit(self.rest, self.units).ok_or(OPEN)?;
        self.rest = rest;
        Ok(unit)
    }

    /// The members of the named class of which `[` was read. `None` when no `:]` follows: then the `[` is a member
    /// itself.
    fn named(&mut self) -> Result<Option<&'static [(char, char)]>, GlobError> {
        let end = self.rest.iter().position(|&byte| byte == b']');
        let end = end.ok_or(GlobError("a [: without its :]"))?;
        let inside = &self.rest[1..end];
        let Some(name) = inside.strip_suffix(b":") else { return Ok(None) };
        let members: &[(char, char)] = match name {
            b"alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
            b"alpha" => &[('A', 'Z'), ('a', 'z')],
            b"blank" => &[(' ', ' '), ('\t', '\t')],
            b"cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
            b"digit" => &[('0', '9')],
            b"graph" => &[('!', '~')],
            b"lower" => &[('a', 'z')],
            b"print" => &[(' ', '~')],
            b"punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            b"space" => &[(' ', ' '), ('\t', '\r')],
            b"upper" => &[('A', 'Z')],
            b"xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => {
                return Err(GlobError(
                    "an unknown class name; [:alpha:], [:digit:], [:alnum:] … exist",
                ));
            }
        };
        self.rest = &self.rest[end + 1..];
        Ok(Some(members))
    }
}
