//! The file, typed and strict. The check of its outline finds what is wrong, with the place; serde then reads the
//! values, each as its key wants it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::diagnostic::{Diagnostic, Fault, Position, escape, quote};
use super::keys::{self, Key};
use super::kind::{self, Kind};
use super::outline::{self, Member, Node, Shape, join};
use super::source::Source;
use crate::model::Origin;

/// A configuration file's values by the paths of their keys. Texts stay as they are written; [`super::resolve`] gives
/// them their meaning.
#[derive(Debug, Default)]
pub(crate) struct File(BTreeMap<&'static str, Given>);

/// What the file says for a key.
#[derive(Debug, PartialEq)]
enum Given {
    Text(String),
    /// Items of a list; of `envs`, also of a map, as `NAME=value`.
    List(Vec<String>),
}

impl File {
    /// The single value of a key.
    pub(crate) fn text(&self, key: &Key) -> Option<&str> {
        match self.0.get(key.path)? {
            Given::Text(text) => Some(text),
            Given::List(_) => None,
        }
    }

    /// The items of a key that holds a list.
    pub(crate) fn list(&self, key: &Key) -> Option<&[String]> {
        match self.0.get(key.path)? {
            Given::List(items) => Some(items),
            Given::Text(_) => None,
        }
    }

    /// Reads a text whose outline is good. If serde still finds a fault, that is said with its place.
    fn read(text: &str) -> Result<Self, Fault> {
        let mut file = Self::default();
        let yaml = serde_yaml::Deserializer::from_str(text);
        match (Section { path: "", file: &mut file }).deserialize(yaml) {
            Ok(()) => Ok(file),
            Err(error) => {
                let place = error.location().map(|at| Position {
                    line: at.line(),
                    column: at.column(),
                    length: 1,
                });
                let says = escape(&error.to_string());
                let text = format!("{says}; write it as watcher.example.yml does");
                Err(Fault { place, key: String::new(), text })
            }
        }
    }
}

/// A map of keys: the whole file or a section of it.
struct Section<'a> {
    path: &'a str,
    file: &'a mut File,
}

impl<'de> DeserializeSeed<'de> for Section<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, yaml: D) -> Result<(), D::Error> {
        yaml.deserialize_any(self)
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
                    let value = entries.next_value_seed(Of(key.kind))?;
                    self.file.0.extend(value.map(|value| (key.path, value)));
                }
                None => entries.next_value_seed(Section { path: &path, file: &mut *self.file })?,
            }
        }
        Ok(())
    }
}

/// A value of this kind, or none.
struct Of(Kind);

impl<'de> DeserializeSeed<'de> for Of {
    type Value = Option<Given>;
    fn deserialize<D: Deserializer<'de>>(self, yaml: D) -> Result<Self::Value, D::Error> {
        Ok(match self.0 {
            Kind::Bool => Option::<bool>::deserialize(yaml)?.map(|on| Given::Text(on.to_string())),
            Kind::List(_) | Kind::Paths => Option::deserialize(yaml)?.map(Given::List),
            Kind::Command | Kind::Env => yaml.deserialize_any(Several)?,
            Kind::Duration(_) | Kind::Word(_) | Kind::Signal | Kind::Name => {
                Option::deserialize(yaml)?.map(Given::Text)
            }
        })
    }
}

/// A value that may be written in several ways: as a text, a list or a map.
struct Several;

impl<'de> Visitor<'de> for Several {
    type Value = Option<Given>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text, a list or a map")
    }
    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Given::Text(text.to_owned())))
    }
    // `command: true` names a program.
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        self.visit_str(&value.to_string())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Some(Given::List(list)))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some((name, value)) = entries.next_entry::<String, String>()? {
            list.push(format!("{name}={value}"));
        }
        Ok(Some(Given::List(list)))
    }
}

/// Checks a file's outline: the first fault in the order of the file.
fn check(root: &Node) -> Result<(), Fault> {
    let kind = match &root.shape {
        Shape::Map(members) => return check_section("", members),
        Shape::List(_) => "a list",
        Shape::Text { .. } => "only a text",
    };
    let text = format!("the file holds {kind}, no keys; write for example  command: go run .");
    Err(Fault::at(Position { length: root.place.length.min(1), ..root.place }, "", text))
}

fn check_section(section: &str, members: &[Member]) -> Result<(), Fault> {
    let known = keys::names_in(section);
    members.iter().try_for_each(|at| {
        let path = join(section, &at.name);
        if !known.contains(&at.name.as_str()) {
            let remedy = match keys::nearest(section, &at.name) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known here: {}", known.join(", ")),
            };
            return Err(Fault::at(at.place, &path, format!("unknown key; {remedy}")));
        }
        match (keys::find(&path), &at.node.shape) {
            // A key or section whose entries are all commented out holds its default.
            _ if at.node.is_null() => Ok(()),
            (Some(key), _) => check_value(key, at),
            (None, Shape::Map(members)) => check_section(&path, members),
            (None, _) => {
                let inner = keys::names_in(&path).join(", ");
                let text =
                    format!("{} is no section; indent its keys below it: {inner}", at.node.kind());
                Err(Fault::at(at.near(), &path, text))
            }
        }
    })
}

fn check_value(key: &Key, at: &Member) -> Result<(), Fault> {
    let fault = |place: Position| move |text: String| Fault::at(place, key.path, text);
    match (&at.node.shape, key.kind) {
        (Shape::List(items), Kind::List(_) | Kind::Paths | Kind::Env) => {
            items.iter().try_for_each(|item| check_item(key.kind, item).map_err(fault(item.place)))
        }
        (Shape::List(items), Kind::Command) if !items.is_empty() => {
            // An empty argument is an argument, an empty program is none.
            let empty = |item: &Node| matches!(&item.shape, Shape::Text { text, plain: false } if text.is_empty());
            let mut items = items.iter().enumerate().filter(|(at, item)| *at == 0 || !empty(item));
            items.try_for_each(|(_, item)| check_item(key.kind, item).map_err(fault(item.place)))
        }
        (Shape::Map(members), Kind::Env) => members.iter().try_for_each(|variable| {
            check_name(&variable.name).map_err(fault(variable.place))?;
            check_variable(variable).map_err(fault(variable.near()))
        }),
        _ => check_single(key.kind, &at.node).map_err(fault(at.near())),
    }
}

/// Checks a value that is no list of items and no map of variables.
fn check_single(kind: Kind, node: &Node) -> Result<(), String> {
    Err(match (kind, &node.shape) {
        (Kind::List(_) | Kind::Paths, Shape::Text { text, .. }) => {
            format!("{} is not a list; write [{}]", quote(text), as_list(text))
        }
        (Kind::List(_) | Kind::Paths, _) => {
            "a map is not a list; write one \"- item\" a line".to_owned()
        }
        (Kind::Env, _) => format!("{} is not a list; write [NAME=value]", node.kind()),
        (Kind::Command, Shape::List(_)) => {
            "an empty list; write [go, run, .] or delete the key".to_owned()
        }
        (Kind::Command, Shape::Map(_)) => {
            "a map is not a command; write a text, or a list: [go, run, .]".to_owned()
        }
        (Kind::Bool, Shape::Text { text, plain: false }) => kind.wrong(text, kind::NO_BOOL),
        (_, Shape::Text { text, .. }) => return kind.check(text),
        _ => format!("{} cannot stand here; write {}", node.kind(), kind.example()),
    })
}

fn check_item(kind: Kind, item: &Node) -> Result<(), String> {
    let what = kind.item();
    Err(match &item.shape {
        _ if item.is_null() => format!("an empty item; write {what} or delete the dash"),
        Shape::Text { text, .. } => return kind::item(kind, text),
        Shape::List(_) => format!("a list inside the list; write {what}"),
        Shape::Map(_) => {
            format!("a map inside the list; write {what} (quote one that holds \": \")")
        }
    })
}

/// Checks a name in the map of variables.
fn check_name(name: &str) -> Result<(), String> {
    kind::env_name(name)?;
    match name.contains('=') {
        true => Err(format!("the name {} holds a =; in a map write NAME: value", quote(name))),
        false => Ok(()),
    }
}

fn check_variable(at: &Member) -> Result<(), String> {
    let name = escape(&at.name);
    Err(match &at.node.shape {
        _ if at.node.is_null() => {
            format!("{name} has no value; write {name}: \"\" for an empty one")
        }
        Shape::Text { text, .. } => return kind::without_nul(text),
        _ => format!("{} is no value of {name}; write a text", at.node.kind()),
    })
}

/// The text as the list that was likely meant.
fn as_list(text: &str) -> String {
    let special = |part: &str| part.starts_with(['*', '!', '&', '[', '{']);
    let parts = text.split([',', ' ']).filter(|part| !part.is_empty()).take(8);
    let parts = parts.map(|part| if special(part) { quote(part) } else { escape(part) });
    parts.collect::<Vec<_>>().join(", ")
}

/// A loaded file with the places of its values.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) source: Source,
    pub(crate) file: File,
    outline: Option<Node>,
}

impl Loaded {
    /// The error for a fault of this file.
    pub(crate) fn diagnostic(&self, fault: Fault) -> Diagnostic {
        Diagnostic::in_text(&self.source.shown, &self.source.text, fault)
    }

    /// Where a key's value, or one item of it, was written.
    pub(crate) fn origin(&self, key: &Key, item: Option<usize>) -> Origin {
        let line = self.place(key, item).map_or(0, |place| u32::try_from(place.line).unwrap_or(0));
        Origin::File { file: Arc::new(PathBuf::from(&self.source.shown)), line }
    }

    /// The place of a key's value, or of one item of it: of a list, or a name of a map, in the order of the file.
    pub(crate) fn place(&self, key: &Key, item: Option<usize>) -> Option<Position> {
        let node = &self.outline.as_ref()?.at(key.path)?.node;
        match item {
            Some(index) => node.item(index),
            None => Some(node.place),
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
            check(root).and_then(|()| File::read(&source.text)).map_err(fault)?
        }
        _ => File::default(),
    };
    Ok(Loaded { source, file, outline })
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
            assert_eq!(file(text).list(&keys::ENVS), Some(expected.as_slice()), "{text}");
        }
    }

    #[test]
    fn a_command_is_a_text_or_a_list() {
        let text = |text: &str| Some(Given::Text(text.to_owned()));
        let list = |items: &[&str]| {
            Some(Given::List(items.iter().map(|item| (*item).to_owned()).collect()))
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
