//! Is every key known, and does every value look as its key wants it? Said with places, before the typed pass.

use std::time::Duration;

use super::diagnostic::{Fault, Place, escape, quote};
use super::keys::{self, Key, Kind};
use super::outline::{Name, Node, Value, join};
use super::{duration, signal};

/// Checks a file's outline.
///
/// # Errors
/// The first fault in the order of the file.
pub(crate) fn check(root: &Node) -> Result<(), Fault> {
    match &root.value {
        Value::Map(pairs) => section("", pairs),
        _ if root.is_null() => Ok(()),
        _ => {
            let kind = if matches!(root.value, Value::List(_)) { "a list" } else { "only a text" };
            let text =
                format!("the file holds {kind}, no keys; write for example  command: go run .");
            Err(Fault::at(Place { length: root.place.length.min(1), ..root.place }, "", text))
        }
    }
}

fn section(section_path: &str, pairs: &[(Name, Node)]) -> Result<(), Fault> {
    let known = keys::names_in(section_path);
    for (name, node) in pairs {
        let path = join(section_path, &name.text);
        if !known.contains(&name.text.as_str()) {
            return Err(unknown(section_path, name, &path));
        }
        match keys::find(&path) {
            Some(key) => value(key.kind, &path, name, node)?,
            None => match &node.value {
                Value::Map(inner) => section(&path, inner)?,
                _ if node.is_null() => {}
                _ => {
                    let inner = keys::names_in(&path).join(", ");
                    let text =
                        format!("{} is no section; indent its keys below it: {inner}", node.kind());
                    return Err(Fault::at(near(name, node), &path, text));
                }
            },
        }
    }
    Ok(())
}

fn unknown(section_path: &str, name: &Name, path: &str) -> Fault {
    let remedy = match keys::nearest(section_path, &name.text) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known here: {}", keys::names_in(section_path).join(", ")),
    };
    Fault::at(name.place, path, format!("unknown key; {remedy}"))
}

/// The place to show for a value: the value itself when it begins on its key's line, else the key.
fn near(name: &Name, node: &Node) -> Place {
    let same_line = node.place.line == name.place.line && !node.is_null();
    if same_line { node.place } else { name.place }
}

fn value(kind: Kind, path: &str, name: &Name, node: &Node) -> Result<(), Fault> {
    if node.is_null() {
        // A key whose entries are all commented out holds its default.
        return Ok(());
    }
    let fault = |text: String| Fault::at(near(name, node), path, text);
    match (kind, &node.value) {
        (Kind::List(what), Value::List(items)) => {
            items.iter().try_for_each(|item| list_item(path, what, item))
        }
        (Kind::Paths, Value::List(items)) => {
            items.iter().try_for_each(|item| list_item(path, "a path", item))
        }
        (Kind::List(_) | Kind::Paths, Value::Scalar { text, .. }) => {
            Err(fault(format!("{} is not a list; write [{}]", quote(text), as_list(text))))
        }
        (Kind::List(_) | Kind::Paths, Value::Map(_)) => {
            Err(fault("a map is not a list; write one \"- item\" a line".into()))
        }
        (Kind::Env, _) => env(path, name, node),
        (Kind::Command, Value::Scalar { text, .. }) => text_of(text).map_err(fault),
        (Kind::Command, Value::List(items)) => argv(path, name, node, items),
        (Kind::Command, Value::Map(_)) => {
            Err(fault("a map is not a command; write a text, or a list: [go, run, .]".into()))
        }
        (_, Value::Scalar { text, plain }) => scalar(kind, text, *plain).map_err(fault),
        (_, Value::List(_) | Value::Map(_)) => {
            Err(fault(format!("{} cannot stand here; write {}", node.kind(), kind.example())))
        }
    }
}

/// Whether a text is a value for a key.
pub(crate) fn takes(key: &Key, text: &str) -> bool {
    scalar(key.kind, text, true).is_ok()
}

/// Checks a single value, also one that was given by a flag or the environment.
///
/// # Errors
/// What is wrong; what to write instead.
pub(crate) fn scalar(kind: Kind, text: &str, plain: bool) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{} {what}; write {}", quote(text), kind.example()));
    match kind {
        Kind::Duration(words) if words.contains(&text) => Ok(()),
        Kind::Duration(words) => match duration::parse(text) {
            Ok(Duration::ZERO) if words.contains(&"always") => wrong("is no interval"),
            Ok(_) => Ok(()),
            Err(error) if words.is_empty() => Err(error),
            Err(error) => {
                Err(error.replace("; write ", &format!("; write {}, ", words.join(", "))))
            }
        },
        Kind::Bool
            if plain && matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") =>
        {
            Ok(())
        }
        Kind::Bool => wrong("is neither true nor false"),
        Kind::Word(words) if words.contains(&text) => Ok(()),
        Kind::Word(words) => {
            let near = words
                .iter()
                .find(|word| strsim::damerau_levenshtein(word, &text.to_lowercase()) <= 2);
            let list = words.join(", ");
            match near {
                Some(near) => {
                    Err(format!("{} is none of {list}; did you mean {near}?", quote(text)))
                }
                None => wrong("is not known"),
            }
        }
        Kind::Signal => signal::parse(text).map(|_| ()),
        Kind::Name => {
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
            let number = text.chars().all(|c| c.is_ascii_digit());
            match first && text.len() <= 64 && text.chars().all(fits) {
                true if number => wrong("is the number of an instance"),
                true => Ok(()),
                false => wrong("is no name"),
            }
        }
        Kind::List(_) | Kind::Paths | Kind::Env | Kind::Command => text_of(text),
    }
}

fn as_list(text: &str) -> String {
    let parts: Vec<String> =
        text.split([',', ' '])
            .filter(|part| !part.is_empty())
            .take(8)
            .map(|part| {
                if part.starts_with(['*', '!', '&', '[', '{']) { quote(part) } else { escape(part) }
            })
            .collect();
    parts.join(", ")
}

fn list_item(path: &str, what: &str, item: &Node) -> Result<(), Fault> {
    let fault = |text: String| Fault::at(item.place, path, text);
    match &item.value {
        _ if item.is_null() => {
            Err(fault(format!("an empty item; write {what} or delete the dash")))
        }
        Value::Scalar { text, .. } if text.is_empty() => {
            Err(fault(format!("an empty item; write {what} or delete it")))
        }
        Value::Scalar { text, .. } => text_of(text).map_err(fault),
        Value::List(_) | Value::Map(_) => {
            let hint = if matches!(item.value, Value::Map(_)) {
                " (quote one that holds \": \")"
            } else {
                ""
            };
            Err(fault(format!("{} inside the list; write {what}{hint}", item.kind())))
        }
    }
}

/// Any text is good, except that no path, pattern or argument can hold a NUL.
fn text_of(text: &str) -> Result<(), String> {
    match text {
        "" => Err("is empty; write something or delete the key".to_owned()),
        _ if text.contains('\0') => Err(format!("{} holds a NUL byte; take it out", quote(text))),
        _ if text.trim().is_empty() => {
            Err("is blank; write something or delete the key".to_owned())
        }
        _ => Ok(()),
    }
}

fn argv(path: &str, name: &Name, node: &Node, items: &[Node]) -> Result<(), Fault> {
    if items.is_empty() {
        return Err(Fault::at(
            near(name, node),
            path,
            "an empty list; write [go, run, .] or delete the key",
        ));
    }
    for (index, item) in items.iter().enumerate() {
        match &item.value {
            // An empty argument is an argument, an empty program is none.
            Value::Scalar { text, plain: false } if text.is_empty() && index > 0 => {}
            _ => list_item(path, "a program or an argument", item)?,
        }
    }
    Ok(())
}

fn env(path: &str, name: &Name, node: &Node) -> Result<(), Fault> {
    match &node.value {
        Value::List(items) => {
            for item in items {
                list_item(path, "NAME=value", item)?;
                if let Value::Scalar { text, .. } = &item.value {
                    env_entry(text).map_err(|text| Fault::at(item.place, path, text))?;
                }
            }
            Ok(())
        }
        Value::Map(pairs) => pairs.iter().try_for_each(|(name, value)| env_pair(path, name, value)),
        Value::Scalar { text, .. } => {
            let text = format!("{} is not a list; write [NAME=value]", quote(text));
            Err(Fault::at(near(name, node), path, text))
        }
    }
}

fn env_pair(path: &str, name: &Name, value: &Node) -> Result<(), Fault> {
    let at_name = |text: String| Fault::at(name.place, path, text);
    env_name(&name.text).map_err(at_name)?;
    if name.text.contains('=') {
        return Err(at_name(format!(
            "the name {} holds a =; in a map write NAME: value",
            quote(&name.text)
        )));
    }
    let place = near(name, value);
    match &value.value {
        _ if value.is_null() => {
            let text = format!(
                "{} has no value; write {}: \"\" for an empty one",
                escape(&name.text),
                escape(&name.text)
            );
            Err(Fault::at(place, path, text))
        }
        Value::Scalar { text, .. } if text.contains('\0') => {
            Err(Fault::at(place, path, format!("{} holds a NUL byte; take it out", quote(text))))
        }
        Value::Scalar { .. } => Ok(()),
        Value::List(_) | Value::Map(_) => {
            let text =
                format!("{} is no value of {}; write a text", value.kind(), escape(&name.text));
            Err(Fault::at(place, path, text))
        }
    }
}

fn env_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("an empty name; write NAME=value".to_owned());
    }
    if name.contains('\0') {
        return Err(format!("the name {} holds a NUL byte; take it out", quote(name)));
    }
    Ok(())
}

/// Checks `NAME=value`, from the file or from `-E`.
///
/// # Errors
/// What is wrong; what to write instead.
pub(crate) fn env_entry(text: &str) -> Result<(), String> {
    let Some((name, _)) = text.split_once('=') else {
        return Err(format!("{} has no =; write NAME=value", quote(text)));
    };
    env_name(name)?;
    if text.contains('\0') {
        return Err(format!("{} holds a NUL byte; take it out", quote(text)));
    }
    Ok(())
}
