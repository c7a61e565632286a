//! Names that differ in one part only, as runs make them: `report-1700000000.json`, `.coverage.host.4242.Xy12ab`.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use crate::model::{Family, Made};
use crate::sys::bytes::os_str;

/// The least number of digits or random characters in the part that differs.
const VARIABLE: usize = 6;
/// A number with this many digits may be a process id: it is enough, too.
const PROCESS_ID: std::ops::RangeInclusive<usize> = 3..=7;

/// The family of two paths, if they can be of one.
#[must_use]
pub fn family_of(one: &Path, other: &Path) -> Option<Family> {
    let directory = one.parent().filter(|parent| other.parent() == Some(parent))?;
    let (one, other) = (bytes(one), bytes(other));
    let ends = (one != other).then(|| [digits(one, other), characters(one, other)])?;
    let (before, after) = ends.into_iter().find(|(before, after)| {
        [one, other].iter().all(|name| varies(middle(name, *before, *after)))
    })?;
    Some(Family {
        directory: Arc::from(directory),
        before: os_str(&one[..before]).to_owned(),
        after: os_str(&one[one.len() - after..]).to_owned(),
    })
}

/// Whether a path is meant.
#[must_use]
pub fn is_made(made: &Made, path: &Path) -> bool {
    match made {
        Made::Path(own) => **own == *path,
        Made::Names(family) => is_of(family, path),
    }
}

/// Whether a path is of this family.
pub(super) fn is_of(family: &Family, path: &Path) -> bool {
    path.parent() == Some(&family.directory) && part_of(family, bytes(path)).is_some_and(varies)
}

/// The part of a pattern between [`Family::ends`] that means names of this family only, among all that exist;
/// `None` where no simple one does.
#[must_use]
pub fn part_for<'n>(
    family: &Family,
    existing: impl Iterator<Item = &'n OsStr>,
) -> Option<&'static str> {
    let (mut members, mut others) = (Vec::new(), Vec::new());
    for part in existing.filter_map(|name| part_of(family, name.as_encoded_bytes())) {
        let of = if varies(part) { &mut members } else { &mut others };
        of.push(part.first().copied().unwrap_or_default());
    }
    let tells = |of: fn(&u8) -> bool| members.iter().all(of) && !others.iter().any(of);
    match () {
        () if others.is_empty() => Some("*"),
        () if tells(u8::is_ascii_digit) => Some("[0-9]*"),
        () if tells(u8::is_ascii_hexdigit) => Some("[0-9a-f]*"),
        () => None,
    }
}

/// What stands between the ends of a family in a name; `None` for a name with other ends.
fn part_of<'n>(family: &Family, name: &'n [u8]) -> Option<&'n [u8]> {
    let name = name.strip_prefix(family.before.as_encoded_bytes())?;
    name.strip_suffix(family.after.as_encoded_bytes())
}

fn bytes(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
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
        let family = family_of(&Path::new("/p").join(one), &Path::new("/p").join(other))?;
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
        let family = family_of(Path::new("/p/app.3f9a2c1b.js"), Path::new("/p/app.00ffab12.js"));
        let family = family.expect("a family");
        assert!(is_of(&family, Path::new("/p/app.deadbee1.js")));
        for other in ["/p/app.config.js", "/p/app.js", "/p/app..js", "/q/app.deadbee1.js"] {
            assert!(!is_of(&family, Path::new(other)), "{other}");
        }
    }
}
