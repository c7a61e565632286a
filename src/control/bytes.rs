//! Names on the wire: a string where they are UTF-8, else a list of bytes, so that nothing is lost.

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// A name from the file system.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for Name {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }
}

impl From<Name> for Vec<u8> {
    fn from(name: Name) -> Self {
        match name {
            Name::Text(text) => text.into_bytes(),
            Name::Bytes(bytes) => bytes,
        }
    }
}

/// For `#[serde(with = "bytes")]` on a `Vec<u8>`.
pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    Name::from(bytes.to_vec()).serialize(to)
}

/// The way back.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    Name::deserialize(from).map(Vec::from)
}

#[cfg(test)]
mod tests {
    use super::super::Identity;

    #[test]
    fn names_survive_the_wire_whatever_they_are() {
        for directory in [b"/src/app".to_vec(), b"/src/\xff\n".to_vec()] {
            let identity = Identity { v: 1, pid: 1, name: None, directory, age_ms: 0 };
            let text = serde_json::to_string(&identity).unwrap();
            assert_eq!(serde_json::from_str::<Identity>(&text).unwrap(), identity, "{text}");
        }
    }
}
