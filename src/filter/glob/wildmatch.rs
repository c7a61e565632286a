//! Whether a path matches the components of a pattern.
//!
//! When something does not fit, only the last star has to take one more: what an earlier one could take instead,
//! the last one can as well. So there is no recursion, and the time is at most that of the pattern's length times
//! the path's.

use super::Units;
use super::class::{Class, unit};

/// One component of a pattern.
#[derive(Clone, Debug)]
pub(in crate::filter) enum Part {
    /// `**`: any number of components, none too; at the end: at least one.
    Any,
    /// A pattern for one component; empty for one that no path has (`a//b`).
    Name(Vec<Piece>),
}

/// A piece of a component.
#[derive(Clone, Debug)]
pub(in crate::filter) enum Piece {
    /// These bytes; at least one.
    Literal(Vec<u8>),
    /// `*`.
    Star,
    /// `?`.
    One,
    /// `[…]`.
    Class(Class),
}

impl Part {
    /// The bytes that this component must equal, when it has no wildcard.
    pub(in crate::filter) fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Any => None,
            Self::Name(pieces) => match pieces.as_slice() {
                [] => Some(b""),
                [Piece::Literal(bytes)] => Some(bytes),
                _ => None,
            },
        }
    }
}

impl Piece {
    /// What is left of `text` after this piece took what it has to.
    fn take<'t>(&self, text: &'t [u8], units: Units) -> Option<&'t [u8]> {
        match self {
            Self::Literal(bytes) => text.strip_prefix(bytes.as_slice()),
            Self::Star => Some(text),
            Self::One => unit(text, units).map(|(_, rest)| rest),
            Self::Class(class) => {
                let (unit, rest) = unit(text, units)?;
                class.holds(unit).then_some(rest)
            }
        }
    }
}

/// Whether the components of a pattern match the whole of `path`; with `below`, whether they may match something
/// below it.
pub(super) fn matches(parts: &[Part], path: &[u8], units: Units, below: bool) -> bool {
    let (mut at, mut rest) = (0, Some(path));
    // The last `**`: the part after it, and the path of which it took nothing yet.
    let mut any: Option<(usize, &[u8])> = None;
    loop {
        match (parts.get(at), rest) {
            (None, None) => return !below,
            (Some(_), None) => return below,
            (Some(Part::Any), Some(_)) if below || at + 1 == parts.len() => return true,
            (Some(Part::Any), Some(path)) => {
                at += 1;
                any = Some((at, path));
                continue;
            }
            (Some(Part::Name(pieces)), Some(path)) => {
                let (name, deeper) = split(path);
                if fits(pieces, name, units) {
                    (at, rest) = (at + 1, deeper);
                    continue;
                }
            }
            (None, Some(_)) => {}
        }
        let Some((after, path)) = any else { return false };
        let (_, Some(deeper)) = split(path) else { return false };
        any = Some((after, deeper));
        (at, rest) = (after, Some(deeper));
    }
}

/// The first component and what is below it.
fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

/// Whether the pieces match the whole of one component.
fn fits(pieces: &[Piece], name: &[u8], units: Units) -> bool {
    let (mut at, mut rest) = (0, name);
    // The last star: the piece after it, and the text of which it took nothing yet.
    let mut star: Option<(usize, &[u8])> = None;
    loop {
        let taken = match pieces.get(at) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Piece::Star) if at + 1 == pieces.len() => return true,
            Some(Piece::Star) => {
                star = Some((at + 1, rest));
                Some(rest)
            }
            Some(piece) => piece.take(rest, units),
        };
        if let Some(left) = taken {
            (at, rest) = (at + 1, left);
            continue;
        }
        let Some((after, [_, shorter @ ..])) = star else { return false };
        star = Some((after, shorter));
        (at, rest) = (after, shorter);
    }
}
