//! The file, typed and strict. serde reads the values, each as its key wants it; the outline knows their places; the
//! names that lead to where serde stopped join the two.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::diagnostic::{Diagnostic, Fault, Place, escape, quote};
use super::keys::{self, Key};
use super::kind::{self, Kind};
use super::outline::{self, Member, Node, Shape, join};
use super::source::Source;
use crate::model::Origin;

/// A configuration file's values by the paths of their keys; what it does not say is not in it. Texts stay as they
/// are written; [`super::resolve`] gives them their meaning.
#[derive(Debug, Default)]
pub(crate) struct File(BTreeMap<&'static str, Given>);

/// What the file says for a key.
#[derive(Debug, PartialEq)]
enum Given {
    Text(String),
    List(Vec<String>),
    /// Names and values, in the order of the file.
    Map(Vec<(String, String)>),
}

impl File {
    /// The single value of a key.
    pub(crate) fn text(&self, key: &Key) -> Option<&str> {
        match self.0.get(key.path)? {
            Given::Text(text) => Some(text),
            Given::List(_) | Given::Map(_) => None,
        }
    }

    /// The items of a key that holds a list.
    pub(crate) fn list(&self, key: &Key) -> Option<&[String]> {
        match self.0.get(key.path)? {
            Given::List(items) => Some(items),
            Given::Text(_) | Given::Map(_) => None,
        }
    }

    /// Reads a text; `root` is its outline.
    fn read(text: &str, root: &Node) -> Result<Self, Fault> {
        let mut reader = Reader::default();
        let yaml = serde_yaml::Deserializer::from_str(text);
        let read = Section { path: "", reader: &mut reader }.deserialize(yaml);
        // What serde has read stands before the point at which it stopped.
        for (key, value) in &reader.given {
            check(key, value, root)?;
        }
        match read {
            Ok(()) => {
                let flat = |(key, value): (&Key, Given)| (key.path, value.flat());
                Ok(Self(reader.given.into_iter().map(flat).collect()))
            }
            Err(error) => Err(misshapen(&reader.at, root).unwrap_or_else(|| unforeseen(&error))),
        }
    }
}

/// What serde has read.
#[derive(Default)]
struct Reader {
    given: Vec<(&'static Key, Given)>,
    /// The names that lead to the value which is being read.
    at: Vec<String>,
}

impl Given {
    /// A map as the list of `NAME=value` that it means.
    fn flat(self) -> Self {
        match self {
            Self::Map(pairs) => Self::List(
                pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
            ),
            other => other,
        }
    }
}

/// A map of keys: the whole file or a section of it.
struct Section<'a> {
    path: &'a str,
    reader: &'a mut Reader,
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
            self.reader.at.push(name);
            match keys::find(&path) {
                Some(key) => {
                    let value = entries.next_value_seed(Of(key.kind))?;
                    self.reader.given.extend(value.map(|value| (key, value)));
                }
                None if keys::names_in(&path).is_empty() => {
                    return Err(de::Error::custom("unknown key"));
                }
                None => {
                    entries.next_value_seed(Section { path: &path, reader: &mut *self.reader })?;
                }
            }
            self.reader.at.pop();
        }
        Ok(())
    }
}

/// A value of this kind, or none.
struct Of(Kind);

impl<'de> DeserializeSeed<'de> for Of {
    type Value = Option<Given>;
    fn deserialize<D: Deserializer<'de>>(self, yaml: D) -> Result<Self::Value, D::Error> {
        let value = match self.0 {
            Kind::Bool => Option::<bool>::deserialize(yaml)?.map(|on| Given::Text(on.to_string())),
            Kind::List(_) | Kind::Paths => Option::<Vec<Item>>::deserialize(yaml)?.map(list),
            Kind::Command | Kind::Env => yaml.deserialize_any(Several)?,
            Kind::Duration(_) | Kind::Word(_) | Kind::Signal | Kind::Name => {
                Option::deserialize(yaml)?.map(Given::Text)
            }
        };
        match (self.0, &value) {
            (Kind::Command, Some(Given::Map(_))) | (Kind::Env, Some(Given::Text(_))) => {
                Err(de::Error::custom("another type"))
            }
            _ => Ok(value),
        }
    }
}

/// A text in a list or a map, which no key takes without one.
struct Item(String);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(yaml: D) -> Result<Self, D::Error> {
        Option::deserialize(yaml)?.map(Self).ok_or_else(|| de::Error::custom("nothing"))
    }
}

fn list(items: Vec<Item>) -> Given {
    Given::List(items.into_iter().map(|Item(text)| text).collect())
}

/// A value that may be written in several ways.
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
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            found.push(item);
        }
        Ok(Some(list(found)))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((name, Item(value))) = entries.next_entry()? {
            pairs.push((name, value));
        }
        Ok(Some(Given::Map(pairs)))
    }
}

/// Checks a value that has the type that its key wants.
fn check(key: &Key, given: &Given, root: &Node) -> Result<(), Fault> {
    let Some(at) = root.at(key.path) else { return Ok(()) };
    let fault = |place: Place| move |text: String| Fault::at(place, key.path, text);
    match given {
        Given::Text(text) => key.kind.check(text).map_err(fault(at.near())),
        Given::List(items) if items.is_empty() && key.kind == Kind::Command => {
            let text = "an empty list; write [go, run, .] or delete the key";
            Err(Fault::at(at.near(), key.path, text))
        }
        Given::List(items) => items.iter().enumerate().try_for_each(|(index, text)| {
            // An empty argument is an argument, an empty program is none.
            let argument = key.kind == Kind::Command && index > 0 && text.is_empty();
            let checked = if argument { Ok(()) } else { kind::item(key.kind, text) };
            checked.map_err(fault(at.node.item(index).unwrap_or_default()))
        }),
        Given::Map(pairs) => pairs.iter().try_for_each(|(name, value)| {
            let Some(at) = at.node.member(name) else { return Ok(()) };
            let checked = kind::env_name(name).and_then(|()| match name.contains('=') {
                true => {
                    Err(format!("the name {} holds a =; in a map write NAME: value", quote(name)))
                }
                false => Ok(()),
            });
            checked.map_err(fault(at.place))?;
            kind::without_nul(value).map_err(fault(at.near()))
        }),
    }
}

/// What is wrong with the value at which serde stopped, which has another type than its key wants. `None`: nothing.
fn misshapen(at: &[String], root: &Node) -> Option<Fault> {
    let Some((name, above)) = at.split_last() else { return Some(keyless(root)) };
    let section = above.iter().fold(String::new(), |path, name| join(&path, name));
    let node = above.iter().try_fold(root, |node, name| Some(&node.member(name)?.node))?;
    let (path, at) = (join(&section, name), node.member(name)?);
    if let Some(key) = keys::find(&path) {
        return of_value(key, at);
    }
    let known = keys::names_in(&path).join(", ");
    if known.is_empty() {
        return Some(unknown(&section, at, &path));
    }
    let text = format!("{} is no section; indent its keys below it: {known}", at.node.kind());
    Some(Fault::at(at.near(), &path, text))
}

fn keyless(root: &Node) -> Fault {
    let kind = if matches!(root.shape, Shape::List(_)) { "a list" } else { "only a text" };
    let text = format!("the file holds {kind}, no keys; write for example  command: go run .");
    Fault::at(Place { length: root.place.length.min(1), ..root.place }, "", text)
}

fn unknown(section: &str, at: &Member, path: &str) -> Fault {
    let remedy = match keys::nearest(section, &at.name) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known here: {}", keys::names_in(section).join(", ")),
    };
    Fault::at(at.place, path, format!("unknown key; {remedy}"))
}

/// The value of a key, or the first item of it that is no text.
fn of_value(key: &Key, at: &Member) -> Option<Fault> {
    let fault = |place: Place, text: String| Fault::at(place, key.path, text);
    match &at.node.shape {
        Shape::List(items) if key.kind.is_list() => {
            items.iter().find_map(|item| Some(fault(item.place, of_item(key.kind, item)?)))
        }
        Shape::Map(members) if key.kind == Kind::Env => {
            members.iter().find_map(|member| Some(fault(member.near(), of_variable(member)?)))
        }
        _ => Some(fault(at.near(), of_type(key.kind, &at.node)?)),
    }
}

fn of_type(kind: Kind, node: &Node) -> Option<String> {
    Some(match (kind, &node.shape) {
        (Kind::List(_) | Kind::Paths, Shape::Text { text, .. }) => {
            format!("{} is not a list; write [{}]", quote(text), as_list(text))
        }
        (Kind::List(_) | Kind::Paths, Shape::Map(_)) => {
            "a map is not a list; write one \"- item\" a line".to_owned()
        }
        (Kind::Env, Shape::Text { text, .. }) => {
            format!("{} is not a list; write [NAME=value]", quote(text))
        }
        (Kind::Command, Shape::Map(_)) => {
            "a map is not a command; write a text, or a list: [go, run, .]".to_owned()
        }
        (Kind::Bool, Shape::Text { text, .. }) => kind.wrong(text, "is neither true nor false"),
        (_, Shape::Text { .. }) => return None,
        _ => format!("{} cannot stand here; write {}", node.kind(), kind.example()),
    })
}

fn of_item(kind: Kind, item: &Node) -> Option<String> {
    let what = kind.item();
    Some(match &item.shape {
        _ if item.is_null() => format!("an empty item; write {what} or delete the dash"),
        Shape::Text { .. } => return None,
        Shape::List(_) => format!("a list inside the list; write {what}"),
        Shape::Map(_) => {
            format!("a map inside the list; write {what} (quote one that holds \": \")")
        }
    })
}

fn of_variable(at: &Member) -> Option<String> {
    let name = escape(&at.name);
    Some(match &at.node.shape {
        _ if at.node.is_null() => {
            format!("{name} has no value; write {name}: \"\" for an empty one")
        }
        Shape::Text { .. } => return None,
        _ => format!("{} is no value of {name}; write a text", at.node.kind()),
    })
}

fn as_list(text: &str) -> String {
    let special = |part: &str| part.starts_with(['*', '!', '&', '[', '{']);
    let parts = text.split([',', ' ']).filter(|part| !part.is_empty()).take(8);
    let parts = parts.map(|part| if special(part) { quote(part) } else { escape(part) });
    parts.collect::<Vec<_>>().join(", ")
}

/// A fault that only serde's own reading of YAML finds.
fn unforeseen(error: &serde_yaml::Error) -> Fault {
    let place =
        error.location().map(|at| Place { line: at.line(), column: at.column(), length: 1 });
    let says = escape(&error.to_string());
    let text = format!("{says}; write it as watcher.example.yml does");
    Fault { place, key: String::new(), text }
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
    pub(crate) fn place(&self, key: &Key, item: Option<usize>) -> Option<Place> {
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
        Some(root) if !root.is_null() => File::read(&source.text, root).map_err(fault)?,
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
