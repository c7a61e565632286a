//! Which of many globs can match a path at all. Each glob is filed under one of its literal pieces, the one that the
//! fewest others share, and a path is looked up by its own pieces.
//!
//! A key is a hash; a collision costs a comparison, never a wrong answer.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::glob::{Glob, Part, Piece};

/// The literal pieces by which a glob can be filed. The order is the preference between equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
enum PieceKind {
    /// The last component.
    Name = 1,
    /// The end of the last component.
    Suffix,
    /// The beginning of the last component.
    Prefix,
    /// A component that is not the last.
    Component,
    /// Three bytes in a row of the last component.
    Gram,
}

/// The longest beginning or end that is looked up: each length has a bit in a `u64`.
const LONGEST: usize = 63;

/// The globs that a path may match.
#[derive(Debug, Default)]
pub(super) struct Index {
    table: HashMap<u64, Vec<u32>, BuildHasherDefault<Keep>>,
    /// Globs without a literal piece.
    always: Vec<u32>,
    suffixes: u64,
    prefixes: u64,
    grams: bool,
}

impl Index {
    /// Files the globs. The number of a glob is its position.
    pub(super) fn new<'g>(globs: impl Iterator<Item = &'g Glob>) -> Self {
        let keys: Vec<Vec<PieceKey>> = globs.map(keys).collect();
        let mut uses: HashMap<u64, usize, BuildHasherDefault<Keep>> = HashMap::default();
        for key in keys.iter().flatten() {
            *uses.entry(key.hash).or_default() += 1;
        }
        let mut index = Self::default();
        for (number, keys) in (0_u32..).zip(&keys) {
            match keys.iter().min_by_key(|key| (uses[&key.hash], key.kind)) {
                Some(key) => index.file(key, number),
                None => index.always.push(number),
            }
        }
        index
    }

    fn file(&mut self, key: &PieceKey, number: u32) {
        match key.kind {
            PieceKind::Suffix => self.suffixes |= 1 << key.length,
            PieceKind::Prefix => self.prefixes |= 1 << key.length,
            PieceKind::Gram => self.grams = true,
            _ => {}
        }
        self.table.entry(key.hash).or_default().push(number);
    }

    /// Hands every glob that may match `path` to `each`: some twice, some in vain.
    pub(super) fn candidates(&self, path: &[u8], mut each: impl FnMut(u32)) {
        self.always.iter().copied().for_each(&mut each);
        if self.table.is_empty() {
            return;
        }
        let mut look = |kind, hash| {
            if let Some(numbers) = self.table.get(&finish(kind, hash)) {
                numbers.iter().copied().for_each(&mut each);
            }
        };
        let (mut part, mut begin) = (SEED, 0);
        for (at, &byte) in path.iter().enumerate() {
            if byte == b'/' {
                look(PieceKind::Component, part);
                (part, begin) = (SEED, at + 1);
            } else {
                part = step(part, byte);
            }
        }
        look(PieceKind::Name, part);
        let name = &path[begin..];
        edges(self.suffixes, name.iter().rev(), |hash| look(PieceKind::Suffix, hash));
        edges(self.prefixes, name.iter(), |hash| look(PieceKind::Prefix, hash));
        if self.grams {
            name.windows(3).for_each(|gram| look(PieceKind::Gram, hash(gram.iter())));
        }
    }
}

/// Looks up the beginnings of `bytes` of the wanted lengths.
fn edges<'b>(lengths: u64, bytes: impl Iterator<Item = &'b u8>, mut look: impl FnMut(u64)) {
    let longest = (u64::BITS - lengths.leading_zeros()) as usize;
    let mut state = SEED;
    for (length, &byte) in (1..longest).zip(bytes) {
        state = step(state, byte);
        if lengths & (1 << length) != 0 {
            look(state);
        }
    }
}

struct PieceKey {
    kind: PieceKind,
    hash: u64,
    length: usize,
}

fn key(kind: PieceKind, state: u64, length: usize) -> PieceKey {
    PieceKey { kind, hash: finish(kind, state), length }
}

/// All pieces by which a glob could be filed.
fn keys(glob: &Glob) -> Vec<PieceKey> {
    let mut keys = Vec::new();
    let Some(parts) = glob.parts() else { return keys };
    let Some((last, above)) = parts.split_last() else { return keys };
    for part in above.iter().filter_map(Part::literal) {
        keys.push(key(PieceKind::Component, hash(part.iter()), 0));
    }
    if let Part::Name(name) = last {
        name_keys(name, &mut keys);
    }
    keys
}

fn name_keys(pieces: &[Piece], keys: &mut Vec<PieceKey>) {
    if let [Piece::Literal(name)] = pieces {
        keys.push(key(PieceKind::Name, hash(name.iter()), 0));
        return;
    }
    if let Some(Piece::Literal(end)) = pieces.last() {
        let length = end.len().min(LONGEST);
        keys.push(key(PieceKind::Suffix, hash(end.iter().rev().take(length)), length));
    }
    if let Some(Piece::Literal(begin)) = pieces.first() {
        let length = begin.len().min(LONGEST);
        keys.push(key(PieceKind::Prefix, hash(begin.iter().take(length)), length));
    }
    for piece in pieces {
        if let Piece::Literal(bytes) = piece {
            keys.extend(bytes.windows(3).map(|gram| key(PieceKind::Gram, hash(gram.iter()), 3)));
        }
    }
}

/// Where FNV-1a begins: a hash for short names, a byte at a time, from either end.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn step(state: u64, byte: u8) -> u64 {
    (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

fn hash<'b>(bytes: impl Iterator<Item = &'b u8>) -> u64 {
    bytes.fold(SEED, |state, &byte| step(state, byte))
}

fn finish(kind: PieceKind, state: u64) -> u64 {
    let mixed = (state ^ (kind as u64) << 56).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 32)
}

/// A key is its own hash.
#[derive(Debug, Default)]
struct Keep(u64);

impl Hasher for Keep {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |state, &byte| step(state, byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use super::super::glob::{On, Units};
    use super::*;

    #[test]
    fn every_glob_that_matches_is_a_candidate() {
        let long = "x".repeat(70);
        let patterns = "a a/b *.go a* *mid* **/x a/** ** * ? a/*/c.go src/**/*.go */b */b* [ab]c \
            *[ab] a**/b x?yz? b/* **/b/** a? *_gen.go";
        let long_suffix = format!("*{long}");
        let long_prefix = format!("{long}*");
        let globs: Vec<Glob> = patterns
            .split_whitespace()
            .chain([&*long, &*long_suffix, &*long_prefix])
            .map(|pattern| Glob::new(On::Path, pattern.as_bytes(), Units::Bytes).unwrap())
            .collect();
        let index = Index::new(globs.iter());
        let longer = format!("y{long}z");
        let paths = "a b ab a/b a/x/c.go src/c.go src/a/b/c.go amidst x1yz2 bc b/c/d x/y/b/z axb/b \
            k_gen.go d/k_gen.go . xa";
        let longs = [&*long, &longer, &longer[..71], &longer[1..]];
        for path in paths.split_whitespace().chain(longs) {
            let mut found = Vec::new();
            index.candidates(path.as_bytes(), |number| found.push(number));
            for (number, glob) in (0_u32..).zip(&globs) {
                if glob.matches(path.as_bytes()) {
                    assert!(found.contains(&number), "{glob:?} on {path}");
                }
            }
        }
    }

    #[test]
    fn a_thousand_patterns_leave_few_candidates() {
        let patterns = (0..1_000).map(|i| match i % 5 {
            0 => format!("src/**/x{i}/*.go"),
            1 => format!("*_gen{i}.go"),
            2 => format!("a{i}*b?.go"),
            3 => format!("*inner{i}x*"),
            _ => format!("dir/name{i}"),
        });
        let globs: Vec<Glob> = patterns
            .map(|one| Glob::new(On::Path, one.as_bytes(), Units::Bytes).unwrap())
            .collect();
        let index = Index::new(globs.iter());
        let mut count = 0;
        index.candidates(b"src/some/where/x15/file_gen16.go", |_| count += 1);
        assert!(count <= 12, "{count} candidates");
    }
}
