//! Additions to the command's environment.

use std::ffi::OsString;

use super::diagnostic::{Diagnostic, escape};
use super::file::Loaded;
use super::keys;
use super::kind;
use super::values::Said;
use crate::model::{Level, Notice, Origin};
use crate::sys::bytes;

/// The beginning of the values in the original's example, where every variable has one. The original let an
/// inherited value win over them.
const PLACEHOLDER: &str = "/path/to/your/";

/// What came out of the file's `envs` and the flags.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    /// Each name once; the last one said counts.
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) items: Vec<Said>,
    pub(crate) notice: Option<Notice>,
}

/// The file's entries, then the flags'.
///
/// # Errors
/// A flag that is no `NAME=value`.
pub(crate) fn additions(
    loaded: Option<&Loaded>,
    flags: &[OsString],
) -> Result<Additions, Diagnostic> {
    let mut out = Additions::default();
    if let Some(loaded) = loaded {
        from_file(loaded, &mut out);
    }
    for flag in flags {
        let typed = flag.as_encoded_bytes();
        if let Err(wrong) = kind::env_entry(&flag.to_string_lossy()) {
            return Err(Diagnostic::usage(format!("-E: {wrong}")));
        }
        let split = typed.iter().position(|byte| *byte == b'=').unwrap_or(typed.len());
        let name = bytes::os_str(&typed[..split]).to_owned();
        let value = bytes::os_str(typed.get(split + 1..).unwrap_or_default()).to_owned();
        out.items
            .push(Said { text: flag.to_string_lossy().into_owned(), origin: Origin::Flag("-E") });
        set(&mut out.env, name, value);
    }
    Ok(out)
}

fn from_file(loaded: &Loaded, out: &mut Additions) {
    let mut placeholders: Vec<(usize, &str)> = Vec::new();
    for (index, entry) in loaded.file.list(&keys::ENVS).unwrap_or_default().iter().enumerate() {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        if value.starts_with(PLACEHOLDER) {
            placeholders.push((index, name));
            continue;
        }
        let origin = loaded.origin(&keys::ENVS, Some(index));
        out.items.push(Said { text: entry.clone(), origin });
        set(&mut out.env, name.into(), value.into());
    }
    let Some((first, _)) = placeholders.first() else { return };
    let names: Vec<_> = placeholders.iter().map(|(_, name)| escape(name)).collect();
    let place = loaded.place(&keys::ENVS, Some(*first)).unwrap_or_default();
    let (verb, them) = if names.len() == 1 {
        ("is a placeholder", "it is")
    } else {
        ("are placeholders", "they are")
    };
    out.notice = Some(Notice::Configuration {
        level: Level::Warning,
        text: format!(
            "{}:{}:{}: envs: {} {verb} ({PLACEHOLDER}…); {them} not passed on: write a real value or delete the line",
            escape(&loaded.source.shown),
            place.line,
            place.column,
            names.join(" and "),
        ),
    });
}

fn set(env: &mut Vec<(OsString, OsString)>, name: OsString, value: OsString) {
    env.retain(|(known, _)| *known != name);
    env.push((name, value));
}

#[cfg(test)]
mod tests {
    use super::super::{file, source::Source};
    use super::*;

    fn of(text: &str, flags: &[&str]) -> Additions {
        let source = Source { shown: "config.yml".to_owned(), text: text.to_owned() };
        let loaded = file::load(source).expect(text);
        let flags: Vec<OsString> = flags.iter().map(OsString::from).collect();
        additions(Some(&loaded), &flags).expect(text)
    }

    #[test]
    fn the_last_one_said_counts() {
        let additions = of("envs: [A=1, B=2=3, A=4]", &["B=", "C=x y"]);
        let pairs: Vec<_> =
            additions.env.iter().map(|(n, v)| (n.to_string_lossy(), v.to_string_lossy())).collect();
        assert_eq!(
            pairs,
            [("A".into(), "4".into()), ("B".into(), "".into()), ("C".into(), "x y".into())]
        );
    }

    #[test]
    fn flags_are_byte_exact() {
        let flag = bytes::os_string(b"A=\xff=".to_vec());
        let additions = additions(None, &[flag]).expect("an entry");
        assert_eq!(additions.env, [("A".into(), bytes::os_string(b"\xff=".to_vec()))]);
    }

    #[test]
    fn flags_without_sense_are_errors() {
        for (flag, says) in [("A", "has no ="), ("=x", "an empty name"), ("", "has no =")] {
            let error = additions(None, &[flag.into()]).expect_err(flag);
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn placeholders_are_said_once_and_not_passed_on() {
        let text = "envs:\n- GOROOT=/path/to/your/goroot\n- A=1\n- GOPATH=/path/to/your/gopath\n";
        let additions = of(text, &[]);
        assert_eq!(additions.env.len(), 1);
        let Some(Notice::Configuration { text, .. }) = additions.notice else { panic!("a notice") };
        assert_eq!(
            text,
            "config.yml:2:3: envs: GOROOT and GOPATH are placeholders (/path/to/your/…); \
             they are not passed on: write a real value or delete the line"
        );
        assert!(of("envs: [A=/path/to/you]", &[]).notice.is_none());
    }
}
