//! From the text of a pattern to its components.

use super::{Class, Glob, GlobError, Part, Token, Units};

impl Glob {
    /// A pattern for a single name: a `**` in it is a `*`. It has no slash.
    pub(in crate::filter) fn name(pattern: &[u8], units: Units) -> Result<Self, GlobError> {
        let mut parser = Parser::new(pattern, units, false);
        parser.run()?;
        Ok(Self { prefix: Box::default(), parts: parser.parts.into(), units })
    }

    /// A pattern for a relative path. A leading slash has been taken off.
    pub(in crate::filter) fn path(pattern: &[u8], units: Units) -> Result<Self, GlobError> {
        let split = inner_double_star(pattern);
        let (prefix, rest) = pattern.split_at(split);
        let mut parser = Parser::new(rest, units, true);
        parser.run()?;
        Ok(Self { prefix: prefix.into(), parts: parser.parts.into(), units })
    }

    /// A path without wildcards, taken as it stands.
    pub(in crate::filter) fn literal(path: &[u8]) -> Self {
        let name = |bytes: &[u8]| Part::Name(Box::new([Token::Literal(bytes.into())]));
        let parts = path.split(|&byte| byte == b'/').map(name).collect();
        Self { prefix: Box::default(), parts, units: Units::Bytes }
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
    tokens: Vec<Token>,
    literal: Vec<u8>,
    /// The component is a `**`.
    any: bool,
}

impl<'p> Parser<'p> {
    fn new(pattern: &'p [u8], units: Units, spans: bool) -> Self {
        let (parts, tokens, literal) = (Vec::new(), Vec::new(), Vec::new());
        Self { pattern, at: 0, units, spans, parts, tokens, literal, any: false }
    }

    fn run(&mut self) -> Result<(), GlobError> {
        while let Some(&byte) = self.pattern.get(self.at) {
            self.at += 1;
            match byte {
                b'/' => self.end_part(),
                b'*' => self.stars(),
                b'?' => self.push(Token::One),
                b'[' => self.class()?,
                b'\\' => self.escaped()?,
                _ => self.literal.push(byte),
            }
        }
        self.end_part();
        Ok(())
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
        let begins = self.tokens.is_empty() && self.literal.is_empty();
        self.at += more;
        if self.spans && more > 0 && begins && ends_component(&self.pattern[self.at..]) {
            self.any = true;
        } else if !(self.literal.is_empty() && matches!(self.tokens.last(), Some(Token::Star))) {
            self.push(Token::Star);
        }
    }

    fn class(&mut self) -> Result<(), GlobError> {
        let rest = &self.pattern[self.at..];
        let units: Vec<(u32, usize)> = self.units.split(rest).collect();
        let values: Vec<u32> = units.iter().map(|&(value, _)| value).collect();
        let (class, used) = Class::read(&values)?;
        self.at += units[..used].iter().map(|&(_, length)| length).sum::<usize>();
        self.push(Token::Class(class));
        Ok(())
    }

    fn push(&mut self, token: Token) {
        self.end_literal();
        self.tokens.push(token);
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.tokens.push(Token::Literal(std::mem::take(&mut self.literal).into()));
        }
    }

    fn end_part(&mut self) {
        self.end_literal();
        let tokens = std::mem::take(&mut self.tokens).into();
        self.parts.push(if self.any { Part::Any } else { Part::Name(tokens) });
        self.any = false;
    }
}
