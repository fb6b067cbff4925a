//! Reads JSON that somebody sent, and says where it is wrong in words of the interface.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};
use signet_core::fault::Fault;
use signet_core::merge_patch;

use super::{Refused, Result};

/// Longest sentence about what is wrong, in characters.
const MAX_DETAIL: usize = 600;

/// Reads a JSON text.
pub fn text<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| malformed("", error.path(), &error.inner().to_string()))?;
    // What stands behind the value is no part of it (RFC 8259 section 2).
    deserializer.end().map_err(|error| Refused::Malformed {
        pointer: String::new(),
        detail: in_words(&error.to_string()),
    })?;
    Ok(read)
}

/// Reads a JSON value that stands at `pointer` (RFC 6901) of what was sent.
pub(super) fn value<T: DeserializeOwned>(value: Value, pointer: &str) -> Result<T> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| malformed(pointer, error.path(), &error.inner().to_string()))
}

/// Settings with a merge patch (RFC 7396) upon them; they stand at `/settings` of what was sent.
pub(super) fn patched<T: Serialize + DeserializeOwned>(
    settings: &T,
    patch: &Map<String, Value>,
) -> Result<T> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(settings) else {
        return Err(Fault::Internal { detail: "settings could not be written down" }.into());
    };
    merge_patch::merge(&mut members, patch);
    value(Value::Object(members), "/settings")
}

fn malformed(base: &str, path: &Path, text: &str) -> Refused {
    let mut pointer = base.to_owned();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.extend(["/", &index.to_string()]),
            // RFC 6901 section 3.
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    // The pointer says it better.
    let text = text.rsplit_once(" at line ").map_or(text, |(before, _)| before);
    Refused::Malformed { pointer, detail: in_words(text) }
}

/// The parser's sentence without names of types, which nobody outside knows.
fn in_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text.split(' ');
    while let Some(word) = rest.next() {
        let kind = match word {
            "struct" => "an object",
            "enum" => "one of the documented words",
            other => {
                words.push(other);
                continue;
            }
        };
        // The name that follows.
        rest.next();
        words.push(kind);
    }
    words.join(" ").chars().take(MAX_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{ClientChange, NewKeyPair};

    fn refusal<T: DeserializeOwned>(sent: &str) -> (String, String) {
        match text::<T>(sent.as_bytes()) {
            Err(Refused::Malformed { pointer, detail }) => (pointer, detail),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("{sent} was read"),
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_what_is_allowed() {
        let (pointer, detail) = refusal::<NewKeyPair>(r#"{"name":"k","usage":"sig","kind":"rsa-1"}"#);
        assert_eq!(pointer, "/kind");
        assert!(detail.contains("rsa-2048") && detail.contains("p-256"), "{detail}");
        let (pointer, detail) = refusal::<ClientChange>(r#"{"settings":{"id_token":{"signed":"RS1"}}}"#);
        assert_eq!(pointer, "/settings/id_token/signed");
        assert!(detail.contains("RS256"), "{detail}");
        let (pointer, _) = refusal::<ClientChange>(r#"{"settings":{"grant_types":["code"]}}"#);
        assert_eq!(pointer, "/settings/grant_types/0");
        let (pointer, detail) = refusal::<ClientChange>(r#"{"settings":{"~a/b":1}}"#);
        assert!(pointer.starts_with("/settings") && detail.contains("unknown field"), "{pointer} {detail}");
    }

    #[test]
    fn no_name_of_a_type_is_told() {
        for sent in [
            r#"{"settings":5}"#,
            r#"{"settings":{"id_token":5}}"#,
            r#"{"settings":{"redirect_uris":5}}"#,
            r#"{"settings":{"grant_types":[{}]}}"#,
            r#"{"settings":{"scope":{"a":1}}}"#,
            r#"{"settings":{"lifetimes":"x"}}"#,
            "5",
            "{",
            "{}x",
        ] {
            let (_, detail) = refusal::<ClientChange>(sent);
            let names = ["struct", "enum", "Client", "Settings", "Protect", "Grant", "Lifetimes", "BTree"];
            assert!(names.iter().all(|name| !detail.contains(name)), "{sent}: {detail}");
        }
    }
}
