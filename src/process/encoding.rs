//! Strings of the system as `postcard` writes them: bytes, in one piece.
//!
//! serde's own way refuses a path that is no UTF-8, and takes other strings byte by byte, which the list of a thousand
//! changed paths would feel.

use std::ffi::{OsStr, OsString};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sys::bytes::os_string;

/// A string that is written and read so.
struct Text<T>(T);

impl<T: AsRef<OsStr>> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(self.0.as_ref().as_encoded_bytes())
    }
}

impl<'a> Deserialize<'a> for Text<OsString> {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(from).map(|bytes| Text(os_string(bytes.to_vec())))
    }
}

/// For `serde(with)`: a string or a path.
pub(super) mod text {
    use super::{Deserialize, Deserializer, OsStr, OsString, Serialize, Serializer, Text};

    pub(in crate::process) fn serialize<T, S>(text: &T, to: S) -> Result<S::Ok, S::Error>
    where
        T: AsRef<OsStr>,
        S: Serializer,
    {
        Text(text).serialize(to)
    }

    pub(in crate::process) fn deserialize<'a, T, D>(from: D) -> Result<T, D::Error>
    where
        T: From<OsString>,
        D: Deserializer<'a>,
    {
        Text::deserialize(from).map(|text| text.0.into())
    }
}

/// For `serde(with)`: variables of an environment.
pub(super) mod variables {
    use super::{Deserialize, Deserializer, OsString, Serializer, Text};

    type Variables = Vec<(OsString, OsString)>;

    pub(in crate::process) fn serialize<S>(list: &Variables, to: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
    {
        to.collect_seq(list.iter().map(|(name, value)| (Text(name), Text(value))))
    }

    pub(in crate::process) fn deserialize<'a, D>(from: D) -> Result<Variables, D::Error>
    where
        D: Deserializer<'a>,
    {
        let list = Vec::<(Text<OsString>, Text<OsString>)>::deserialize(from)?;
        Ok(list.into_iter().map(|(name, value)| (name.0, value.0)).collect())
    }
}
