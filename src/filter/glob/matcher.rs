//! Matching, without recursion: one place to go back to per level is enough, because a later star can
//! take whatever an earlier one would have.

use super::{Glob, Part, Token, Units};

/// Added to a byte that belongs to no character, so that it equals none.
const STRAY: u32 = 0x11_0000;

impl Units {
    /// The unit at the beginning of `text` (which is not empty) and its length in bytes.
    fn first(self, text: &[u8]) -> (u32, usize) {
        let byte = text[0];
        if self == Self::Bytes || byte.is_ascii() {
            return (u32::from(byte), 1);
        }
        let length = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        let character = text.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
        match character.and_then(|text| text.chars().next()) {
            Some(character) => (u32::from(character), length),
            None => (STRAY + u32::from(byte), 1),
        }
    }

    /// All units of `text` with their lengths in bytes.
    pub(super) fn split(self, mut text: &[u8]) -> impl Iterator<Item = (u32, usize)> {
        std::iter::from_fn(move || {
            if text.is_empty() {
                return None;
            }
            let (unit, length) = self.first(text);
            text = &text[length..];
            Some((unit, length))
        })
    }
}

impl Glob {
    /// Whether the whole of `path` (relative, no empty components) matches.
    pub(in crate::filter) fn matches(&self, path: &[u8]) -> bool {
        let Some(rest) = path.strip_prefix(&*self.prefix) else { return false };
        let mut rest = Some(rest);
        let mut part = 0;
        let mut back: Option<(usize, Option<&[u8]>)> = None;
        loop {
            match self.parts.get(part) {
                Some(Part::Any) if part + 1 == self.parts.len() && rest.is_some() => return true,
                Some(Part::Any) if part + 1 < self.parts.len() => {
                    part += 1;
                    back = Some((part, rest));
                    continue;
                }
                Some(Part::Name(tokens)) => {
                    if let Some((name, after)) = rest.map(split)
                        && name_matches(tokens, name, self.units)
                    {
                        part += 1;
                        rest = after;
                        continue;
                    }
                }
                None if rest.is_none() => return true,
                Some(Part::Any) | None => {}
            }
            let Some((resume, Some(skipped))) = back else { return false };
            rest = split(skipped).1;
            part = resume;
            back = Some((resume, rest));
        }
    }

    /// Whether something *below* the directory `path` may match, so that a walk has to go in. A
    /// pattern that begins with `**` leads nowhere: it would open every ignored tree.
    pub(in crate::filter) fn leads_below(&self, path: &[u8]) -> bool {
        if !self.prefix.is_empty() {
            return path.starts_with(&self.prefix);
        }
        if self.floats() {
            return false;
        }
        let mut rest = Some(path);
        for part in &self.parts {
            let Some((name, after)) = rest.map(split) else { return true };
            match part {
                Part::Any => return true,
                Part::Name(tokens) if !name_matches(tokens, name, self.units) => return false,
                Part::Name(_) => rest = after,
            }
        }
        false
    }
}

/// The first component and what follows it.
fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

fn name_matches(tokens: &[Token], text: &[u8], units: Units) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        let rest = &text[at..];
        let step = match tokens.get(token) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Token::Star) if token + 1 == tokens.len() => return true,
            Some(Token::Star) => {
                back = Some((token + 1, at));
                Some(0)
            }
            Some(Token::Literal(bytes)) => rest.starts_with(bytes).then_some(bytes.len()),
            Some(_) if rest.is_empty() => None,
            Some(Token::One) => Some(units.first(rest).1),
            Some(Token::Class(class)) => {
                let (unit, length) = units.first(rest);
                class.contains(unit).then_some(length)
            }
        };
        if let Some(length) = step {
            token += 1;
            at += length;
            continue;
        }
        let Some((resume, from)) = back.filter(|&(_, from)| from < text.len()) else {
            return false;
        };
        at = from + units.first(&text[from..]).1;
        token = resume;
        back = Some((resume, at));
    }
}
