//! From the text of a pattern to its components.

use super::class::Class;
use super::{Glob, GlobError, Name, Part, Units};

/// No path is as long (`PATH_MAX`), and no pattern needs to be.
const LONGEST: usize = 4096;

impl Glob {
    /// A pattern for a single name: a `**` in it is a `*`. It has no slash.
    pub(in crate::filter) fn name(pattern: &[u8], units: Units) -> Result<Self, GlobError> {
        Ok(Self::new(b"", Parser::new(pattern, units, false).run()?))
    }

    /// A pattern for a relative path. A leading slash has been taken off.
    pub(in crate::filter) fn path(pattern: &[u8], units: Units) -> Result<Self, GlobError> {
        let (prefix, rest) = pattern.split_at(inner_double_star(pattern));
        Ok(Self::new(prefix, Parser::new(rest, units, true).run()?))
    }
}

impl Name {
    pub(super) fn literal(bytes: &[u8]) -> Self {
        let mut name = Self::default();
        name.add(bytes);
        name
    }

    fn add(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.pieces.push(Some(bytes.into()));
            self.written.literal(bytes);
        }
    }

    fn ends_with_star(&self) -> bool {
        self.written.glob.ends_with('*') && matches!(self.pieces.last(), Some(None))
    }
}

/// Where a `**` begins that is the first wildcard, ends a component and does not begin one; else 0.
fn inner_double_star(pattern: &[u8]) -> usize {
    let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    let Some(first) = pattern.iter().position(special) else { return 0 };
    let stars = pattern[first..].iter().take_while(|&&byte| byte == b'*').count();
    let begins = first == 0 || pattern[first - 1] == b'/';
    if stars >= 2 && !begins && ends_component(&pattern[first + stars..]) { first } else { 0 }
}

fn ends_component(rest: &[u8]) -> bool {
    rest.is_empty() || rest.starts_with(b"/") || rest.starts_with(b"\\/")
}

struct Parser<'p> {
    pattern: &'p [u8],
    at: usize,
    units: Units,
    spans: bool,
    parts: Vec<Part>,
    name: Name,
    literal: Vec<u8>,
    /// The component is a `**`.
    any: bool,
}

impl<'p> Parser<'p> {
    fn new(pattern: &'p [u8], units: Units, spans: bool) -> Self {
        let (parts, name, literal) = (Vec::new(), Name::default(), Vec::new());
        Self { pattern, at: 0, units, spans, parts, name, literal, any: false }
    }

    fn run(mut self) -> Result<Vec<Part>, GlobError> {
        if self.pattern.len() > LONGEST {
            return Err(GlobError("longer than 4096 bytes, which no path is"));
        }
        while let Some(&byte) = self.pattern.get(self.at) {
            self.at += 1;
            match byte {
                b'/' => self.end_part(),
                b'*' => self.stars(),
                b'?' => self.one(),
                b'[' => self.class()?,
                b'\\' => self.escaped()?,
                _ => self.literal.push(byte),
            }
        }
        self.end_part();
        Ok(self.parts)
    }

    fn escaped(&mut self) -> Result<(), GlobError> {
        let error = GlobError("a \\ at the end; write \\\\ for the backslash itself");
        let byte = *self.pattern.get(self.at).ok_or(error)?;
        self.at += 1;
        match byte {
            b'/' => self.end_part(),
            _ => self.literal.push(byte),
        }
        Ok(())
    }

    fn stars(&mut self) {
        let rest = &self.pattern[self.at..];
        let more = rest.iter().take_while(|&&byte| byte == b'*').count();
        let begins = self.name.pieces.is_empty() && self.literal.is_empty();
        self.at += more;
        if self.spans && more > 0 && begins && ends_component(&self.pattern[self.at..]) {
            self.any = true;
        } else if !(self.literal.is_empty() && self.name.ends_with_star()) {
            self.wildcard().glob.push('*');
        }
    }

    fn one(&mut self) {
        match self.units {
            Units::Bytes => self.wildcard().glob.push('?'),
            Units::Characters => self.wildcard().gap("(?u:[^/])".to_owned()),
        }
    }

    fn class(&mut self) -> Result<(), GlobError> {
        let (class, used) = Class::read(&self.pattern[self.at..], self.units)?;
        self.at += used;
        let regex = class.regex(self.units);
        self.wildcard().gap(regex);
        Ok(())
    }

    fn wildcard(&mut self) -> &mut super::Written {
        self.name.add(&std::mem::take(&mut self.literal));
        self.name.pieces.push(None);
        &mut self.name.written
    }

    fn end_part(&mut self) {
        self.name.add(&std::mem::take(&mut self.literal));
        let mut name = std::mem::take(&mut self.name);
        if name.pieces.is_empty() {
            name.written.gap(String::new());
        }
        self.parts.push(if self.any { Part::Any } else { Part::Name(name) });
        self.any = false;
    }
}
