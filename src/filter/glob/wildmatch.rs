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
    Name(Box<[Piece]>),
}

/// A piece of a component.
#[derive(Clone, Debug)]
pub(in crate::filter) enum Piece {
    /// These bytes; at least one.
    Literal(Box<[u8]>),
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
            Self::Name(pieces) => match &**pieces {
                [] => Some(b""),
                [Piece::Literal(bytes)] => Some(bytes),
                _ => None,
            },
        }
    }

    /// Whether `globset` understands by it what we do.
    pub(super) fn is_same_to_globset(&self) -> bool {
        let same = |piece: &Piece| match piece {
            Piece::Literal(bytes) => str::from_utf8(bytes).is_ok(),
            Piece::Star => true,
            Piece::One | Piece::Class(_) => false,
        };
        match self {
            Self::Any => true,
            Self::Name(pieces) => !pieces.is_empty() && pieces.iter().all(same),
        }
    }

    /// The component as `globset` writes it, when it [is the same](Self::is_same_to_globset) there.
    pub(super) fn to_globset(&self) -> String {
        let Self::Name(pieces) = self else { return "**".to_owned() };
        let mut text = String::new();
        for piece in pieces {
            let Piece::Literal(bytes) = piece else {
                text.push('*');
                continue;
            };
            for c in String::from_utf8_lossy(bytes).chars() {
                text.extend(c.is_ascii_punctuation().then_some('\\'));
                text.push(c);
            }
        }
        text
    }
}

impl Piece {
    /// What is left of `text` after this piece took what it has to.
    fn take<'t>(&self, text: &'t [u8], units: Units) -> Option<&'t [u8]> {
        match self {
            Self::Literal(bytes) => text.strip_prefix(&**bytes),
            Self::Star => Some(text),
            Self::One => unit(text, units).map(|(_, rest)| rest),
            Self::Class(class) => {
                let (unit, rest) = unit(text, units)?;
                class.holds(unit).then_some(rest)
            }
        }
    }
}

/// Whether the components of a pattern match the whole of `path`.
pub(super) fn matches(parts: &[Part], path: &[u8], units: Units) -> bool {
    walk(parts, path, units) == End::Both
}

/// Whether they may match something below `path`.
pub(super) fn leads_below(parts: &[Part], path: &[u8], units: Units) -> bool {
    let first = parts.iter().position(|part| matches!(part, Part::Any));
    match first {
        // A `**` leads everywhere below.
        Some(any) => matches!(walk(&parts[..=any], path, units), End::Both | End::Path),
        None => walk(parts, path, units) == End::Path,
    }
}

/// What ended when the components were compared one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Both,
    /// The path, before the pattern.
    Path,
    /// A component does not fit.
    Neither,
}

fn walk(parts: &[Part], path: &[u8], units: Units) -> End {
    let (mut at, mut rest) = (0, Some(path));
    // The last `**`: the part after it, and the path of which it took nothing yet.
    let mut any: Option<(usize, &[u8])> = None;
    loop {
        match (parts.get(at), rest) {
            (None, None) => return End::Both,
            (Some(_), None) => return End::Path,
            (Some(Part::Any), Some(_)) if at + 1 == parts.len() => return End::Both,
            (Some(Part::Any), Some(path)) => {
                at += 1;
                any = Some((at, path));
                continue;
            }
            (Some(Part::Name(pieces)), Some(path)) => {
                let (name, below) = split(path);
                if fits(pieces, name, units) {
                    (at, rest) = (at + 1, below);
                    continue;
                }
            }
            (None, Some(_)) => {}
        }
        let Some((after, path)) = any else { return End::Neither };
        let (_, Some(below)) = split(path) else { return End::Neither };
        any = Some((after, below));
        (at, rest) = (after, Some(below));
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
