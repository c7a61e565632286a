//! The file, typed and strict. Scalars stay as they are written; [`super::resolve`] gives them their meaning.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::diagnostic::{Diagnostic, Fault, Place};
use super::keys::{self, Kind};
use super::outline::{self, Node, join};
use super::shape;
use super::source::Source;

/// A configuration file's values by the paths of their keys; what it does not say is not in it.
#[derive(Debug, Default)]
pub(crate) struct File(BTreeMap<&'static str, Value>);

/// What the file says for a key.
#[derive(Debug, PartialEq)]
enum Value {
    Text(String),
    /// Items of a list; of `envs`, also of a map, as `NAME=value`.
    List(Vec<String>),
}

impl File {
    /// The single value of a key.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match self.0.get(path)? {
            Value::Text(text) => Some(text),
            Value::List(_) => None,
        }
    }

    /// The items of a key that holds a list.
    pub(crate) fn list(&self, path: &str) -> Option<&[String]> {
        match self.0.get(path)? {
            Value::List(items) => Some(items),
            Value::Text(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut file = Self::default();
        Section { path: "", into: &mut file.0 }.deserialize(deserializer)?;
        Ok(file)
    }
}

/// A map of keys: the whole file or a section of it.
struct Section<'a> {
    path: &'a str,
    into: &'a mut BTreeMap<&'static str, Value>,
}

impl<'de> DeserializeSeed<'de> for Section<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Section<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("keys and their values")
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(name) = entries.next_key::<String>()? {
            let path = join(self.path, &name);
            match keys::find(&path) {
                Some(key) => {
                    if let Some(value) = entries.next_value_seed(Of(key.kind))? {
                        self.into.insert(key.path, value);
                    }
                }
                None if keys::names_in(&path).is_empty() => {
                    return Err(de::Error::custom(format!("unknown key {path}")));
                }
                None => entries.next_value_seed(Section { path: &path, into: &mut *self.into })?,
            }
        }
        Ok(())
    }
}

/// A value of this kind, or none.
struct Of(Kind);

impl<'de> DeserializeSeed<'de> for Of {
    type Value = Option<Value>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(match self.0 {
            Kind::Bool => Option::<bool>::deserialize(deserializer)?
                .map(|value| Value::Text(value.to_string())),
            Kind::List(_) | Kind::Paths => Option::deserialize(deserializer)?.map(Value::List),
            Kind::Command => {
                Option::<Command>::deserialize(deserializer)?.map(|Command(value)| value)
            }
            Kind::Env => {
                Option::<Envs>::deserialize(deserializer)?.map(|Envs(list)| Value::List(list))
            }
            Kind::Duration(_) | Kind::Word(_) | Kind::Signal | Kind::Name => {
                Option::deserialize(deserializer)?.map(Value::Text)
            }
        })
    }
}

/// `command:` as a text or as a list.
struct Command(Value);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Value;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a command: a text or a list")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }
            // `command: true` names a program.
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Text(value.to_string()))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Text(value.to_string()))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Text(value.to_string()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Text(value.to_string()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Value::List(list))
            }
        }
        deserializer.deserialize_any(Shape).map(Self)
    }
}

/// `envs:` as a list of `NAME=value` or as a map, in the order of the file.
struct Envs(Vec<String>);

impl<'de> Deserialize<'de> for Envs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Envs;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of NAME=value, or a map")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Envs, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Envs(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Envs, A::Error> {
                let mut list = Vec::new();
                while let Some((name, value)) = entries.next_entry::<String, String>()? {
                    list.push(format!("{name}={value}"));
                }
                Ok(Envs(list))
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
            let expected = [format!("V={value}")];
            assert_eq!(file(text).list("envs"), Some(expected.as_slice()), "{text}");
        }
    }

    #[test]
    fn a_command_is_a_text_or_a_list() {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let list = |items: &[&str]| {
            Some(Value::List(items.iter().map(|item| (*item).to_owned()).collect()))
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
            assert_eq!(file(yaml).0.get("command"), expected.as_ref(), "{yaml}");
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
            assert!(file(text).0.is_empty(), "{text:?}");
        }
    }
}
