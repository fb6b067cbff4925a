//! Reads client metadata member by member, each with the type that its specification gives it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use signet_jose::{ContentAlg, KeyAlg, Offered};

use crate::fault::Fault;
use crate::records::Encryption;

/// Largest body, in bytes: a hundred long redirect URIs, and twenty keys.
const MAX_BODY: usize = 64 * 1024;

/// RFC 7591 section 3.1: "The client sends [...] a JSON \[RFC7159\] document consisting of a JSON object".
pub fn body(bytes: &[u8]) -> Result<Map<String, Value>, Fault> {
    if bytes.len() > MAX_BODY {
        return Err(Fault::RegistrationBody);
    }
    serde_json::from_slice(bytes).map_err(|_| Fault::RegistrationBody)
}

/// Client metadata as it arrived.
pub(super) struct Reader<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Reader<'a> {
    /// RFC 7592 section 2.2: "Omitted fields MUST be treated as null or empty values by the server".
    pub(super) fn member(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn typed<T>(
        &self,
        name: &'static str,
        wanted: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.member(name) else { return Ok(None) };
        read(value).map(Some).ok_or(Fault::MetadataType { name, wanted })
    }

    fn str(&self, name: &'static str) -> Result<Option<&'a str>, Fault> {
        self.typed(name, "a string", Value::as_str)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, Fault> {
        Ok(self.str(name)?.map(str::to_owned))
    }

    /// Left out, it is false.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Fault> {
        Ok(self.typed(name, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    pub(super) fn seconds(&self, name: &'static str) -> Result<Option<i64>, Fault> {
        self.typed(name, "a whole number", Value::as_i64)
    }

    fn strs(&self, name: &'static str) -> Result<Option<Vec<&'a str>>, Fault> {
        self.typed(name, "an array of strings", |value| value.as_array()?.iter().map(Value::as_str).collect())
    }

    /// Left out, it is empty.
    pub(super) fn texts(&self, name: &'static str) -> Result<Vec<String>, Fault> {
        Ok(self.strs(name)?.unwrap_or_default().into_iter().map(str::to_owned).collect())
    }

    /// One of the registered words.
    pub(super) fn word<T>(
        &self,
        name: &'static str,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        self.str(name)?.map(|word| known(name, word, &from_name)).transpose()
    }

    /// A set of registered words.
    pub(super) fn words<T: Ord>(
        &self,
        name: &'static str,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<BTreeSet<T>>, Fault> {
        self.strs(name)?
            .map(|words| words.into_iter().map(|word| known(name, word, &from_name)).collect())
            .transpose()
    }

    /// Registration section 2, on each of these pairs: "If [alg] is specified, the default [enc] value is
    /// A128CBC-HS256. When [enc] is included, [alg] MUST also be provided."
    pub(super) fn encryption(
        &self,
        alg_name: &'static str,
        enc_name: &'static str,
    ) -> Result<Option<Encryption>, Fault> {
        let enc = self.word(enc_name, ContentAlg::from_name)?;
        match self.word(alg_name, KeyAlg::from_name)? {
            Some(alg) => Ok(Some(Encryption { alg, enc: enc.unwrap_or(ContentAlg::A128CbcHs256) })),
            None if enc.is_some() => Err(Fault::MetadataEncAlone { alg: alg_name, enc: enc_name }),
            None => Ok(None),
        }
    }
}

fn known<T>(name: &'static str, word: &str, from_name: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
    from_name(word).ok_or_else(|| Fault::MetadataValue { name, value: Offered::new(word) })
}
