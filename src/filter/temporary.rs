//! Names of the temporary files through which programs save.
//!
//! A wrong yes costs a save 25 ms, a wrong no at worst a second run; so the rules are generous with
//! names made from a sibling's and strict with names alone.

use std::ffi::OsStr;

use super::builtin::is_temporary;
use crate::sys::bytes::os_str;

/// Words that stand for "temporary" before or after the name of the file that is being saved.
const WORDS: [&str; 29] = [
    "tmp",
    "temp",
    "TMP",
    "bak",
    "bck",
    "bkp",
    "backup",
    "old",
    "orig",
    "new",
    "save",
    "saved",
    "swp",
    "swo",
    "swx",
    "swpx",
    "part",
    "partial",
    "lock",
    "atomic",
    "write",
    "un",
    "crdownload",
    "download",
    "kate-swp",
    "vsctmp",
    "___jb_tmp___",
    "___jb_old___",
    "___jb_bak___",
];

/// Whether `name` looks like a temporary of some name for which `exists` says yes, or like one by itself. Asks only
/// for names that could be meant, mostly for none.
pub fn temporary_among(name: &OsStr, mut exists: impl FnMut(&OsStr) -> bool) -> bool {
    let name = name.as_encoded_bytes();
    looks_temporary(name) || is_made_of_one(name, |other| exists(os_str(other)))
}

/// Whether a name alone looks like that of a temporary file: what editors, `tempfile` libraries, GTK, Sublime
/// Text, sed, perl and rsync make when they save.
fn looks_temporary(name: &[u8]) -> bool {
    let random_after = |begin: &str| name.strip_prefix(begin.as_bytes()).is_some_and(is_random);
    is_temporary(name)
        || name.ends_with(b".tmp")
        || name.ends_with(b".temp")
        || [".tmp", "tmp", ".goutputstream-"].into_iter().any(random_after)
        || perl_temporary(name)
        || rsync_temporary(name)
}

/// `perl -pi` writes to eight random letters and digits, then renames (`XXXXXXXX` for mkstemp(3), since 5.28). A word,
/// also with a capital letter before or a number after it, is a name that people give (`Makefile`, `Report01`).
fn perl_temporary(name: &[u8]) -> bool {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let word = name.get(1..name.len() - digits).unwrap_or_default();
    name.len() == RANDOM + 2
        && name.iter().all(u8::is_ascii_alphanumeric)
        && name.iter().any(u8::is_ascii_lowercase)
        && (has_odd(word) || name[0].is_ascii_digit())
}

/// rsync writes to `.NAME.` and six random letters or digits, also when there is no `NAME` yet.
fn rsync_temporary(name: &[u8]) -> bool {
    let Some((rest, random)) = name.split_last_chunk::<RANDOM>() else { return false };
    name.starts_with(b".")
        && rest.len() > 2
        && rest.ends_with(b".")
        && random.iter().all(u8::is_ascii_alphanumeric)
        && is_random(random)
}

/// Whether `name` is made of a name that exists: `a.go.123.tmp`, `.a.go.Xy12`, `a.go~`, `#a.go#`.
fn is_made_of_one(name: &[u8], mut exists: impl FnMut(&[u8]) -> bool) -> bool {
    if before_the_ending(name).is_some_and(|siblings| siblings.iter().any(|name| exists(name))) {
        return true;
    }
    for begin in 0..name.len().min(LONGEST_BEGINNING + 1) {
        let Some(before) = Before::of(&name[..begin]) else { continue };
        for end in (begin + 1..=name.len()).rev() {
            let candidate = &name[begin..end];
            if candidate.len() < name.len() && after_fits(before, &name[end..]) && exists(candidate)
            {
                return true;
            }
        }
    }
    false
}

/// The names for which a name with a random part before its ending may be meant: `tempfile` makes `mainAbCdEf.go` or
/// `main-AbCdEf.go` of `main` and `.go`.
fn before_the_ending(name: &[u8]) -> Option<Vec<Vec<u8>>> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    let (rest, ending) = name.split_at(dot);
    let (stem, random) = rest.split_last_chunk::<RANDOM>()?;
    if !(random.iter().all(u8::is_ascii_alphanumeric) && is_random(random) && has_odd(&random[1..]))
    {
        return None;
    }
    let separated = stem.strip_suffix(b"-").or_else(|| stem.strip_suffix(b"_"));
    let separated = separated.or_else(|| stem.strip_suffix(b"."));
    let stems = [Some(stem), separated].into_iter().flatten().filter(|stem| !stem.is_empty());
    Some(stems.map(|stem| [stem, ending].concat()).collect())
}

/// How many letters and digits `tempfile` and mkstemp(3) choose.
const RANDOM: usize = 6;

/// The longest text before a sibling's name: `.tmp-` and the like.
const LONGEST_BEGINNING: usize = 6;

/// What stands before the sibling's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    /// A dot or a line: something must follow the name, too.
    Hidden,
    /// `#`, `~$`, `tmp-`: enough by itself.
    Telling,
}

impl Before {
    fn of(text: &[u8]) -> Option<Self> {
        let separator = |byte: &u8| matches!(byte, b'.' | b'_' | b'-' | b'#' | b'~' | b'$');
        let word = text.iter().position(|byte| !separator(byte)).map_or(&text[..0], |begin| {
            let end = text.iter().rposition(|byte| !separator(byte)).unwrap_or(begin);
            &text[begin..=end]
        });
        match word {
            b"" if text.is_empty() => Some(Self::Nothing),
            b"" if text.iter().any(|byte| matches!(byte, b'#' | b'~' | b'$')) => {
                Some(Self::Telling)
            }
            b"" => Some(Self::Hidden),
            b"tmp" | b"temp" => Some(Self::Telling),
            _ => None,
        }
    }
}

/// Whether what stands after the sibling's name makes it a temporary.
fn after_fits(before: Before, after: &[u8]) -> bool {
    if after.is_empty() {
        return before == Before::Telling;
    }
    let separator = |byte: &u8| matches!(byte, b'.' | b'_' | b'-' | b'#' | b'~' | b'+');
    let separated = after.first().is_some_and(separator);
    if !separated && before == Before::Nothing {
        return is_word(after) || is_random_with_suffix(after);
    }
    if !separated && is_random_with_suffix(after) {
        return true;
    }
    let mut parts = after.split(separator).filter(|part| !part.is_empty());
    match before {
        _ if is_word(after) => true,
        Before::Nothing => parts.all(|part| is_word(part) || is_number(part) || is_random(part)),
        // `.a.go.Xy12`: with the dot before it, any ending will do; `.a.go123456` as Go makes it.
        _ if separated => parts.all(|part| part.iter().all(u8::is_ascii_alphanumeric)),
        _ => is_random(after) || is_number(after),
    }
}

/// What `tempfile` puts after a prefix, and a suffix of its user's: `AbCdEf.bck`.
fn is_random_with_suffix(after: &[u8]) -> bool {
    let Some((random, suffix)) = after.split_first_chunk::<RANDOM>() else { return false };
    let word = suffix.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    random.iter().all(u8::is_ascii_alphanumeric)
        && (is_random(random) || is_word(word))
        && (suffix.is_empty() || suffix.starts_with(b".") && suffix.len() > 1)
}

fn is_word(text: &[u8]) -> bool {
    WORDS.iter().any(|word| word.as_bytes() == text)
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Six letters and digits or more, not all of one case.
fn is_random(text: &[u8]) -> bool {
    text.len() >= RANDOM
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && has_odd(text)
        && !text.iter().all(u8::is_ascii_uppercase)
}

/// Whether there is a digit or a capital letter.
fn has_odd(text: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_save_through_these_names() {
        for name in [
            "a.go.123.tmp",
            ".a.go.Xy12",
            "a.go~",
            "a.go.tmp",
            ".a.go.swp",
            "a.go.tmp.1234.56",
            "a.go.aB3dEf",
            "a.go.3141592653",
            ".a.go.3141592653",
            ".a.go123456789",
            "#a.go#",
            ".#a.go",
            "~$a.go",
            ".~a.go",
            "a.go.bak",
            "a.go.bck",
            "a.go.new",
            "a.go.orig",
            "a.go.part",
            "a.go___jb_tmp___",
            "a.go.vsctmp",
            "a.go.lock",
            ".a.go.kate-swp",
            "a.go.tmp-1700000000000-1f3a9c",
            "tmp-a.go",
            ".tmp.a.go",
            "tmp_a.go",
            ".a.go.un~",
            "a.go.~1~",
            "a.go+tmp",
            ".a.go-tmpAb12Cd",
            // `tempfile` with a prefix and a suffix: helix, and whatever else.
            "a.goAbCdEf.bck",
            "a.goabcdef.bck",
            "a.go.AbCdEf.bck",
            "a.goAb12Cd.tmp",
            "a.goAb12Cd",
            "a.goAb12Cd.partial.new",
            ".a.goAb12Cd.tmp",
            ".a.goabcdef.bak",
            "aAb12Cd.go",
            "a-Ab12Cd.go",
            "a.Ab12Cd.go",
            // patch, and rsync.
            "a.go.oAbCdEf",
            ".a.go.Ab12Cd",
        ] {
            assert!(is_made_of_one(name.as_bytes(), |other| other == b"a.go"), "{name}");
            assert!(temporary_among(name.as_ref(), |other| other == "a.go"), "{name}");
        }
    }

    #[test]
    fn names_that_people_give_are_no_temporaries() {
        for (name, sibling) in [
            ("a.go", "a"),
            ("a.go", "a.go"),
            ("ab.go", "a.go"),
            ("a_test.go", "a"),
            (".env", "env"),
            ("a.go.txt", "a.go"),
            ("index.test.ts", "index"),
            ("a.d.ts", "a"),
            ("foo.service", "foo"),
            (".gitignore", "git"),
            ("_a.go", "a.go"),
            ("b.go", "a.go"),
            ("a", "a.go"),
            ("README.md", "README"),
            ("main.rs", "main"),
            ("a-b.go", "a"),
            ("CHANGELOG", "CHANGE"),
            ("a.min.js", "a"),
            ("a.goodness", "a.go"),
            ("a.gobbled.md", "a.go"),
            ("userLoader.ts", "user.ts"),
            ("userhandler.ts", "user.ts"),
            ("user_handler.ts", "user.ts"),
            ("user.service.ts", "user.ts"),
            ("a.go1.md", "a.go"),
        ] {
            let made = is_made_of_one(name.as_bytes(), |other| other == sibling.as_bytes());
            assert!(!made, "{name} of {sibling}");
        }
    }

    #[test]
    fn some_names_speak_for_themselves() {
        for name in [
            "sedAb12Cd",
            "4913",
            "5036",
            ".goutputstream-AB3dE5",
            ".tmpAb12Cd",
            "tmpab12cd_x",
            "x.tmp",
            "x~",
            ".subl1b2.tmp",
            "aB3dEf7h",
            "1abcdefg",
            ".main.go.Xy12Ab",
        ] {
            assert!(looks_temporary(name.as_bytes()), "{name}");
        }
        for name in [
            "sediments",
            "4914",
            "tmp",
            "tmpfiles",
            "template",
            "a.go",
            "~",
            ".tmux.conf",
            "Tmp12345",
            "version2",
            "Makefile",
            "Rakefile",
            "LICENSES",
            "template",
            "Procfile",
            ".config.backup",
            ".a.Xy12Ab.go",
            "..Xy12Ab",
        ] {
            assert!(!looks_temporary(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_are_no_text_have_temporaries_too() {
        assert!(is_made_of_one(b".a\xff.go.Xy12", |other| other == b"a\xff.go"));
        assert!(is_made_of_one(b"a\xff.go~", |other| other == b"a\xff.go"));
        assert!(!is_made_of_one(b"", |_| true));
    }

    #[test]
    fn a_long_name_asks_for_few_siblings() {
        let name = "a.".repeat(127);
        let mut asked = 0;
        assert!(!temporary_among(name.as_ref(), |_| {
            asked += 1;
            false
        }));
        assert!(asked <= 4, "asked {asked} times");
    }
}
