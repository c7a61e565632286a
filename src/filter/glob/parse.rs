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
    if stars >= 2 && !begins && ends_component(&pattern[first + stars..]) { first } else { 0 }
}

fn stars(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| byte == b'*').count()
}

fn ends_component(rest: &[u8]) -> bool {
    rest.is_empty() || rest.starts_with(b"/") || rest.starts_with(b"\\/")
}

/// Reads a pattern. `spans`: a component `**` spans any number of components.
pub(super) fn parse(pattern: &[u8], units: Units, spans: bool) -> Result<Vec<Part>, GlobError> {
    if pattern.len() > LONGEST {
        return Err(GlobError("longer than 4096 bytes, which no path is"));
    }
    let mut parts = Vec::new();
    let mut component = Component::default();
    let mut rest = pattern;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'/' => parts.push(component.end()),
            b'*' => {
                let more = stars(rest);
                rest = &rest[more..];
                let alone = component.is_empty() && ends_component(rest);
                component.star(spans && more > 0 && alone);
            }
            b'?' => component.push(Piece::One),
            b'[' => {
                let (class, after) = Class::read(rest, units)?;
                component.push(Piece::Class(class));
                rest = after;
            }
            b'\\' => {
                let error = GlobError("a \\ at the end; write \\\\ for the backslash itself");
                let (&byte, after) = rest.split_first().ok_or(error)?;
                rest = after;
                match byte {
                    b'/' => parts.push(component.end()),
                    _ => component.literal.push(byte),
                }
            }
            _ => component.literal.push(byte),
        }
    }
    parts.push(component.end());
    Ok(parts)
}

/// The component that is being read.
#[derive(Default)]
struct Component {
    pieces: Vec<Piece>,
    /// Bytes after the pieces.
    literal: Vec<u8>,
    /// It is a `**`.
    any: bool,
}

impl Component {
    fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.literal.is_empty()
    }

    fn push(&mut self, piece: Piece) {
        if !self.literal.is_empty() {
            let literal = std::mem::take(&mut self.literal);
            self.pieces.push(Piece::Literal(literal.into()));
        }
        self.pieces.push(piece);
    }

    fn star(&mut self, any: bool) {
        self.any = any;
        self.push(Piece::Star);
    }

    fn end(&mut self) -> Part {
        let Self { mut pieces, literal, any } = std::mem::take(self);
        if any {
            return Part::Any;
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        Part::Name(pieces.into())
    }
}
