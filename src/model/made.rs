//! What runs make: a path, or names that differ in one part only: `report-1700000000.json`, `.coverage.host.4242.Xy12ab`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// The part that differs has at least so many digits or random characters …
const VARIABLE: usize = 6;
/// … unless it is a number of this many digits, which may be a process id.
const PROCESS_ID: std::ops::RangeInclusive<usize> = 3..=7;

/// What a run makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// One path.
    Path(Arc<Path>),
    /// Names that differ in one part, a new one each time.
    Names(Family),
}

impl Made {
    /// Whether a path is meant.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        match self {
            Made::Path(own) => **own == *path,
            Made::Names(family) => family.has(path),
        }
    }

    /// The path, or the directory and a name with `*` for the part that differs.
    #[must_use]
    pub fn pattern(&self) -> Arc<Path> {
        match self {
            Made::Path(path) => path.clone(),
            Made::Names(family) => family.with(b"*"),
        }
    }

    /// A path that stands for all of it.
    #[must_use]
    pub fn example(&self) -> Arc<Path> {
        match self {
            Made::Path(path) => path.clone(),
            Made::Names(family) => family.with(b"000000"),
        }
    }
}

/// Names in one directory that begin and end alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    directory: Arc<Path>,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Family {
    /// The family of two paths, if they can be of one.
    #[must_use]
    pub fn of(one: &Path, other: &Path) -> Option<Family> {
        let directory = one.parent().filter(|parent| other.parent() == Some(parent))?;
        let (one, other) = (one.file_name()?.as_bytes(), other.file_name()?.as_bytes());
        let ends = (one != other).then(|| [digits(one, other), characters(one, other)])?;
        let (before, after) = ends.into_iter().find(|(before, after)| {
            [one, other].iter().all(|name| varies(middle(name, *before, *after)))
        })?;
        Some(Family {
            directory: Arc::from(directory),
            before: one[..before].to_vec(),
            after: one[one.len() - after..].to_vec(),
        })
    }

    /// Whether a path is of this family.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().as_bytes();
        name.len() > self.before.len() + self.after.len()
            && name.starts_with(&self.before)
            && name.ends_with(&self.after)
            && path.parent() == Some(&self.directory)
            && varies(middle(name, self.before.len(), self.after.len()))
    }

    /// A path of this family, or a pattern for it, with this for the part that differs.
    fn with(&self, part: &[u8]) -> Arc<Path> {
        let name = [self.before.as_slice(), part, &self.after].concat();
        Arc::from(self.directory.join(OsStr::from_bytes(&name)))
    }

    /// The part of a pattern between [`Family::ends`] that means names of this family only, among all that exist;
    /// `None` where no simple one does.
    #[must_use]
    pub fn part<'n>(&self, existing: impl Iterator<Item = &'n OsStr>) -> Option<&'static str> {
        let (mut members, mut others) = (Vec::new(), Vec::new());
        for name in existing.map(OsStr::as_bytes) {
            let ends = name.len() >= self.before.len() + self.after.len();
            if ends && name.starts_with(&self.before) && name.ends_with(&self.after) {
                let part = middle(name, self.before.len(), self.after.len());
                let of = if varies(part) { &mut members } else { &mut others };
                of.push(part.first().copied().unwrap_or_default());
            }
        }
        let tells = |of: fn(&u8) -> bool| members.iter().all(of) && !others.iter().any(of);
        match () {
            () if others.is_empty() => Some("*"),
            () if tells(u8::is_ascii_digit) => Some("[0-9]*"),
            () if tells(u8::is_ascii_hexdigit) => Some("[0-9a-f]*"),
            () => None,
        }
    }

    /// Where the names are.
    #[must_use]
    pub fn directory(&self) -> &Arc<Path> {
        &self.directory
    }

    /// What its names have in common, before and after the part that differs.
    #[must_use]
    pub fn ends(&self) -> (&OsStr, &OsStr) {
        (OsStr::from_bytes(&self.before), OsStr::from_bytes(&self.after))
    }
}

fn middle(name: &[u8], before: usize, after: usize) -> &[u8] {
    name.get(before..name.len().saturating_sub(after)).unwrap_or_default()
}

/// What two names have in common at their beginnings and ends.
fn common(one: &[u8], other: &[u8]) -> (usize, usize) {
    let before = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let rest = one.len().min(other.len()) - before;
    let backwards = one.iter().rev().zip(other.iter().rev());
    (before, backwards.take_while(|(a, b)| a == b).count().min(rest))
}

/// The ends beside whole numbers, or a whole time: `2026-11-28T12:00:01`.
fn digits(one: &[u8], other: &[u8]) -> (usize, usize) {
    let (mut before, mut after) = common(one, other);
    let of_number = |at: &dyn Fn(usize) -> Option<u8>, length: usize| {
        let last = at(length.checked_sub(1)?)?;
        let next = || at(length.checked_sub(2)?);
        (last.is_ascii_digit() || is_separator(last) && next()?.is_ascii_digit()).then_some(())
    };
    while of_number(&|at| one.get(at).copied(), before).is_some() {
        before -= 1;
    }
    let backwards = |at: usize| one.get(one.len().checked_sub(at + 1)?).copied();
    while of_number(&backwards, after).is_some() {
        after -= 1;
    }
    (before, after)
}

/// The ends beside whole words of letters and digits.
fn characters(one: &[u8], other: &[u8]) -> (usize, usize) {
    let (mut before, mut after) = common(one, other);
    while before > 0 && one[before - 1].is_ascii_alphanumeric() {
        before -= 1;
    }
    while after > 0 && one[one.len() - after].is_ascii_alphanumeric() {
        after -= 1;
    }
    (before, after)
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b':' | b'T' | b' ' | b',' | b'+')
}

/// Whether this looks like what a program makes up anew each time: numbers, hex digits, random characters.
fn varies(part: &[u8]) -> bool {
    let mut length = 0;
    for word in part.split(|byte| is_separator(*byte)).filter(|word| !word.is_empty()) {
        let number = word.iter().all(u8::is_ascii_digit);
        if !number && !is_made_up(word) {
            return false;
        }
        length += word.len();
    }
    let number = part.iter().all(u8::is_ascii_digit);
    length >= VARIABLE || number && PROCESS_ID.contains(&part.len())
}

/// Six letters and digits or more: hex digits with a number among them, or letters of both cases, or with digits.
fn is_made_up(word: &[u8]) -> bool {
    let some = |test: fn(&u8) -> bool| word.iter().any(test);
    let kinds =
        [some(u8::is_ascii_digit), some(u8::is_ascii_uppercase), some(u8::is_ascii_lowercase)];
    word.len() >= VARIABLE
        && word.iter().all(u8::is_ascii_alphanumeric)
        && kinds.into_iter().filter(|kind| *kind).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(one: &str, other: &str) -> Option<String> {
        let family = Family::of(&Path::new("/p").join(one), &Path::new("/p").join(other))?;
        let (before, after) = family.ends();
        Some(format!("{}*{}", before.display(), after.display()))
    }

    #[test]
    fn names_that_programs_make_up_are_of_a_family() {
        for (one, other, pattern) in [
            ("report-1700000000123.json", "report-1700000001456.json", "report-*.json"),
            ("report-2026-11-28T12:59:01.txt", "report-2026-11-28T13:00:00.txt", "report-*.txt"),
            (".coverage.host.4242.XkpLmNq", ".coverage.host.4250.Zab12Cd", ".coverage.host.*"),
            (
                ".coverage.vm.pid4242.Xk3LmNqx",
                ".coverage.vm.pid4250.Zab12Cdx",
                ".coverage.vm.pid*x",
            ),
            ("app.3f9a2c1b.js", "app.00ffab12.js", "app.*.js"),
            ("out.4242.json", "out.4250.json", "out.*.json"),
            ("tmp.Xa3kfJ9s2q", "tmp.b7QQfJ1s2z", "tmp.*"),
            ("core.1234", "core.99999", "core.*"),
            ("20261128_120001.log", "20261128_120002.log", "*.log"),
        ] {
            assert_eq!(family(one, other).as_deref(), Some(pattern), "{one} {other}");
        }
    }

    #[test]
    fn names_that_people_give_are_of_none() {
        for (one, other) in [
            ("a.go", "b.go"),
            ("a.go", "a.go"),
            ("main.rs", "main_test.rs"),
            ("page-1.html", "page-2.html"),
            ("header.tsx", "footer.tsx"),
            ("gen10.txt", "gen11.txt"),
            ("index.html", "index.md"),
            ("README.md", "CHANGELOG.md"),
            ("facade", "decade"),
        ] {
            assert_eq!(family(one, other), None, "{one} {other}");
        }
    }

    #[test]
    fn a_family_knows_its_members() {
        let family = Family::of(Path::new("/p/app.3f9a2c1b.js"), Path::new("/p/app.00ffab12.js"));
        let family = family.expect("a family");
        assert!(family.has(Path::new("/p/app.deadbee1.js")));
        for other in ["/p/app.config.js", "/p/app.js", "/p/app..js", "/q/app.deadbee1.js"] {
            assert!(!family.has(Path::new(other)), "{other}");
        }
    }
}
