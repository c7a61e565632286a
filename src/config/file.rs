//! The file, typed and strict. Scalars stay as they are written; [`super::resolve`] gives them their meaning.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};

use super::diagnostic::{Diagnostic, Fault, Place};
use super::outline::{self, Node};
use super::shape;
use super::source::Source;

/// A configuration file's values; `None` for what it does not say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    pub(crate) command: Option<CommandValue>,
    pub(crate) watcher: Option<Watcher>,
    pub(crate) additional_paths: Option<Vec<String>>,
    pub(crate) excluded_paths: Option<Vec<String>>,
    pub(crate) envs: Option<Envs>,
    pub(crate) on_busy: Option<String>,
    pub(crate) on_crash: Option<String>,
    pub(crate) stop: Option<Stop>,
    pub(crate) postpone: Option<bool>,
    pub(crate) stdin: Option<String>,
    pub(crate) keys: Option<bool>,
    pub(crate) clear: Option<bool>,
    pub(crate) log_format: Option<String>,
    pub(crate) name: Option<String>,
}

/// The section `watcher`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Watcher {
    pub(crate) duration: Option<String>,
    pub(crate) debounce: Option<String>,
    pub(crate) included_filetypes: Option<Vec<String>>,
    pub(crate) excluded_regexps: Option<Vec<String>>,
    pub(crate) paths: Option<Vec<String>>,
    pub(crate) gitignore: Option<bool>,
    pub(crate) default_ignore: Option<bool>,
    pub(crate) exclude_unchanged: Option<bool>,
    pub(crate) backend: Option<String>,
    pub(crate) poll: Option<String>,
}

/// The section `stop`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Stop {
    pub(crate) signal: Option<String>,
    pub(crate) timeout: Option<String>,
    pub(crate) keep: Option<Vec<String>>,
}

/// `command:` as a text or as a list.
#[derive(Debug, PartialEq)]
pub(crate) enum CommandValue {
    Text(String),
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for CommandValue {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = CommandValue;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a command: a text or a list")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<CommandValue, E> {
                Ok(CommandValue::Text(text.to_owned()))
            }
            // `command: true` names a program.
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<CommandValue, E> {
                Ok(CommandValue::Text(value.to_string()))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<CommandValue, E> {
                Ok(CommandValue::Text(value.to_string()))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<CommandValue, E> {
                Ok(CommandValue::Text(value.to_string()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<CommandValue, E> {
                Ok(CommandValue::Text(value.to_string()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<CommandValue, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(CommandValue::List(list))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

/// `envs:` as a list of `NAME=value` or as a map, in the order of the file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Envs(pub(crate) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Envs {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Envs;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of NAME=value, or a map")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Envs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(item) = items.next_element::<String>()? {
                    let (name, value) = item
                        .split_once('=')
                        .ok_or_else(|| de::Error::custom("write NAME=value"))?;
                    pairs.push((name.to_owned(), value.to_owned()));
                }
                Ok(Envs(pairs))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Envs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = entries.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Envs(pairs))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

/// A loaded file with the places of its values.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) source: Source,
    pub(crate) file: File,
    pub(crate) outline: Option<Node>,
}

impl Loaded {
    /// The error for a fault of this file.
    pub(crate) fn diagnostic(&self, fault: Fault) -> Diagnostic {
        Diagnostic::in_text(&self.source.shown, &self.source.text, fault)
    }

    /// The place of a key's value.
    pub(crate) fn place(&self, path: &str) -> Option<Place> {
        self.outline.as_ref()?.at(path).map(|node| node.place)
    }

    /// The place of one item of a list, or of one value of a map, in the order of the file.
    pub(crate) fn item_place(&self, path: &str, index: usize) -> Option<Place> {
        match &self.outline.as_ref()?.at(path)?.value {
            outline::Value::List(items) => items.get(index).map(|item| item.place),
            outline::Value::Map(pairs) => pairs.get(index).map(|(name, _)| name.place),
            outline::Value::Scalar { .. } => None,
        }
    }
}

/// Reads a file's text into values.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(crate) fn load(source: Source) -> Result<Loaded, Diagnostic> {
    let fault = |fault| Diagnostic::in_text(&source.shown, &source.text, fault);
    let outline = outline::read(&source.text).map_err(fault)?;
    let file = match &outline {
        Some(root) if !root.is_null() => {
            shape::check(root).map_err(fault)?;
            typed(&source.text).map_err(fault)?
        }
        _ => File::default(),
    };
    Ok(Loaded { source, file, outline })
}

/// The typed pass. After the check of the shape it finds no fault; if it does, it still says where.
fn typed(text: &str) -> Result<File, Fault> {
    serde_yaml::from_str::<Option<File>>(text).map(Option::unwrap_or_default).map_err(|error| {
        let place =
            error.location().map(|at| Place { line: at.line(), column: at.column(), length: 1 });
        let says = super::diagnostic::escape(&error.to_string());
        Fault {
            place,
            key: String::new(),
            text: format!("{says}; write it as watcher.example.yml does"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        let source = Source { shown: "config.yml".to_owned(), text: text.to_owned() };
        load(source).unwrap_or_else(|error| panic!("{text}: {error}")).file
    }

    #[test]
    fn scalars_stay_as_they_are_written() {
        let table = [
            ("envs: [V=1.10]", "1.10"),
            ("envs: {V: 1.10}", "1.10"),
            ("envs: {V: 0x10}", "0x10"),
            ("envs: {V: 010}", "010"),
            ("envs: {V: yes}", "yes"),
            ("envs: {V: true}", "true"),
            ("envs: {V: 1e3}", "1e3"),
            ("envs: {V: 'a b'}", "a b"),
            ("envs: {V: \"\"}", ""),
            ("envs: [V=]", ""),
            ("envs: [V=a=b]", "a=b"),
            ("envs: {V: a=b}", "a=b"),
        ];
        for (text, value) in table {
            let envs = file(text).envs.unwrap_or_default();
            assert_eq!(envs.0, [("V".to_owned(), value.to_owned())], "{text}");
        }
    }

    #[test]
    fn a_command_is_a_text_or_a_list() {
        let text = |text: &str| Some(CommandValue::Text(text.to_owned()));
        let list = |items: &[&str]| {
            Some(CommandValue::List(items.iter().map(|item| (*item).to_owned()).collect()))
        };
        let table = [
            ("command: go run .", text("go run .")),
            ("command: 'a: b'", text("a: b")),
            ("command: |\n  a\n  b\n", text("a\nb\n")),
            ("command: true", text("true")),
            ("command: [go, run, .]", list(&["go", "run", "."])),
            ("command: [sleep, 1, '']", list(&["sleep", "1", ""])),
            ("command:\n- sleep\n- 1.50\n", list(&["sleep", "1.50"])),
            ("command:", None),
            ("command: ~", None),
        ];
        for (yaml, expected) in table {
            assert_eq!(file(yaml).command, expected, "{yaml}");
        }
    }

    #[test]
    fn what_is_not_said_stays_unsaid() {
        for text in [
            "",
            "# comment",
            "---",
            "~",
            "watcher:",
            "watcher: {}",
            "\u{20}",
            "watcher:\n  duration:\n",
        ] {
            let file = file(text);
            assert!(file.command.is_none() && file.envs.is_none(), "{text:?}");
            assert!(file.watcher.unwrap_or_default().duration.is_none(), "{text:?}");
        }
    }
}
