//! The JSON Schema of the file, for editors; made from the keys' table.

use serde_json::{Map, Value, json};

use super::keys::{self, Key};
use super::kind::Kind;

/// The schema (draft-07, which editors know best), with a line end.
#[must_use]
pub fn schema() -> String {
    let mut top = Map::new();
    for key in keys::ALL {
        let (section, name) = key.split();
        if section.is_empty() {
            top.insert(name.to_owned(), property(key));
        } else {
            top.entry(section).or_insert_with(|| object(Map::new()))["properties"][name] =
                property(key);
        }
    }
    let mut schema = object(top);
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "go-watcher's configuration".into();
    format!("{schema:#}\n")
}

/// A map with these keys and no other.
fn object(properties: Map<String, Value>) -> Value {
    json!({ "type": ["object", "null"], "additionalProperties": false, "properties": properties })
}

fn property(key: &Key) -> Value {
    let mut property = shape(key.kind);
    if let Value::Object(map) = &mut property {
        map.insert("description".to_owned(), key.about.into());
        if !key.default.is_empty() {
            let default: Value = serde_yaml::from_str(key.default).unwrap_or_default();
            map.insert("default".to_owned(), default);
        }
    }
    property
}

const DURATION: &str = r"^\s*([0-9]+(\.[0-9]+)?|([0-9]+(\.[0-9]+)?\s*[a-z]+\s*)+)\s*$";

fn shape(kind: Kind) -> Value {
    // The name is not `null`, which the macro would take for the value.
    let nothing = json!({"type": "null"});
    let texts = json!({"type": "array", "items": {"type": ["string", "number", "boolean"]}});
    match kind {
        Kind::Duration(words) => json!({"anyOf": [
            {"type": "number", "minimum": 0},
            {"enum": words},
            {"type": "string", "pattern": DURATION},
            nothing,
        ]}),
        Kind::Bool => json!({"type": ["boolean", "null"]}),
        Kind::Word(words) => {
            let mut values: Vec<Value> = words.iter().map(|word| Value::from(*word)).collect();
            values.push(Value::Null);
            json!({ "enum": values })
        }
        Kind::Signal => json!({"type": ["string", "integer", "null"]}),
        Kind::Name => {
            json!({
                "type": ["string", "number", "null"],
                "maxLength": 64,
                "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
                "not": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$"}]},
            })
        }
        Kind::List(_) | Kind::Paths => json!({"anyOf": [texts, nothing]}),
        Kind::Env => json!({"anyOf": [
            {"type": "array", "items": {"type": "string", "pattern": "^[^=]+="}},
            {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
            nothing,
        ]}),
        Kind::Command => json!({"anyOf": [{"type": ["string", "boolean"]}, texts, nothing]}),
    }
}
