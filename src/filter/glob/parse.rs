//! From the text of a pattern to its components.

use super::class::Class;
use super::{GlobError, Part, Piece, Units};

/// No path is as long (`PATH_MAX`), and no pattern needs to be.
const LONGEST: usize = 4096;

/// Where a `**` begins that is the first wildcard, ends a component and does not begin one; else 0.
pub(super) fn inner_double_star(pattern: &[u8]) -> usize {
    let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    let Some(first) = pattern.iter().position(special) else { return 0 };
    let stars = stars(&pattern[first..]);
    let begins = first == 0 || pattern[first - 1] == b'/';
    let rest = &pattern[first + stars..];
    let ends = rest.is_empty() || separator(rest) > 0;
    if stars >= 2 && !begins && ends { first } else { 0 }
}

/// How many stars the text begins with.
fn stars(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| byte == b'*').count()
}

/// The length of the slash that the text begins with; 0: with none.
fn separator(text: &[u8]) -> usize {
    match text {
        [b'/', ..] => 1,
        [b'\\', b'/', ..] => 2,
        _ => 0,
    }
}

/// Reads a pattern. `spans`: a component `**` spans any number of components.
pub(super) fn parse(pattern: &[u8], units: Units, spans: bool) -> Result<Vec<Part>, GlobError> {
    if pattern.len() > LONGEST {
        return Err(GlobError("longer than 4096 bytes, which no path is"));
    }
    let (mut parts, mut pieces) = (Vec::new(), Vec::new());
    let (mut begin, mut at) = (0, 0);
    loop {
        let rest = &pattern[at..];
        let separator = separator(rest);
        if separator == 0 && !rest.is_empty() {
            at += add_piece(&mut pieces, rest, units)?;
            continue;
        }
        let any = spans && at - begin > 1 && stars(&pattern[begin..at]) == at - begin;
        let name = std::mem::take(&mut pieces);
        parts.push(if any { Part::Any } else { Part::Name(name) });
        if rest.is_empty() {
            return Ok(parts);
        }
        at += separator;
        begin = at;
    }
}

/// Adds the piece that `rest` begins with; returns its length.
fn add_piece(pieces: &mut Vec<Piece>, rest: &[u8], units: Units) -> Result<usize, GlobError> {
    let (byte, length) = match *rest {
        [b'*', ..] => {
            pieces.push(Piece::Star);
            return Ok(stars(rest));
        }
        [b'?', ..] => {
            pieces.push(Piece::One);
            return Ok(1);
        }
        [b'[', ref after @ ..] => {
            let (class, after) = Class::read(after, units)?;
            pieces.push(Piece::Class(class));
            return Ok(rest.len() - after.len());
        }
        [b'\\', byte, ..] => (byte, 2),
        [b'\\'] => {
            return Err(GlobError("a \\ at the end; write \\\\ for the backslash itself"));
        }
        [byte, ..] => (byte, 1),
        [] => return Ok(0),
    };
    match pieces.last_mut() {
        Some(Piece::Literal(bytes)) => bytes.push(byte),
        _ => pieces.push(Piece::Literal(vec![byte])),
    }
    Ok(length)
}
