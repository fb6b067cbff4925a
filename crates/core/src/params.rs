//! Request parameters as they arrive: form-encoded pairs, each name once.

use std::collections::BTreeMap;

use percent_encoding::percent_decode;
use signet_jose::Offered;

use crate::fault::Fault;

/// Most parameters in one request.
const MAX_COUNT: usize = 64;
/// Longest name, in bytes.
const MAX_NAME: usize = 128;
/// Longest value, in bytes.
const MAX_VALUE: usize = 8 * 1024;
/// Most fields in a form of our own pages.
const MAX_FIELDS: usize = 400;
/// Longest value in a form of our own pages, in bytes: a pasted key set or a list of addresses.
const MAX_FIELD: usize = 64 * 1024;
/// Longest table of users in a form of our own pages, in bytes.
pub const MAX_TABLE: usize = 1024 * 1024;
/// Longest `request`, in bytes: a nested object with 4096-bit keys and room to spare.
pub const MAX_REQUEST_OBJECT: usize = 64 * 1024;

/// The parameters that may be sent more than once: RFC 8707 section 2 ("Multiple resource parameters MAY be used") and RFC
/// 8693 section 2.1 ("Multiple audience parameters may be used").
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// Decoded parameters. Values never are empty: RFC 6749 section 3.1 treats those as omitted.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, Vec<String>>);

impl std::fmt::Debug for Params {
    /// Names only; values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Params {
    /// Decodes one or two form-encoded sources (query and body). RFC 6749 section 3.1: "Request and response
    /// parameters MUST NOT be included more than once"; that holds across both sources (A-10).
    pub fn decode(sources: &[&[u8]]) -> Result<Self, Fault> {
        Self::within(
            sources,
            MAX_COUNT,
            |name| if name == "request" { MAX_REQUEST_OBJECT } else { MAX_VALUE },
        )
    }

    /// Decodes a form of our own administrative pages: the same rules, with room for many settings and for pasted keys.
    pub fn decode_form(body: &[u8]) -> Result<Self, Fault> {
        Self::within(&[body], MAX_FIELDS, |_| MAX_FIELD)
    }

    /// Decodes a form in which one field holds a table, of any length that the body may have; whoever reads it judges
    /// whether it is longer than [`MAX_TABLE`], and can still show it.
    pub fn decode_table(body: &[u8], table: &str) -> Result<Self, Fault> {
        Self::within(&[body], MAX_FIELDS, |name| if name == table { usize::MAX } else { MAX_FIELD })
    }

    fn within(sources: &[&[u8]], max_count: usize, max_value: impl Fn(&str) -> usize) -> Result<Self, Fault> {
        let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut count = 0;
        for pair in sources.iter().flat_map(|source| source.split(|b| *b == b'&')).filter(|p| !p.is_empty()) {
            count += 1;
            if count > max_count {
                return Err(Fault::TooManyParameters);
            }
            let (name, value) = split(pair);
            let (name, value) = (text(name)?, text(value)?);
            if name.len() > MAX_NAME || value.len() > max_value(&name) {
                return Err(Fault::ParameterTooLong { name: Offered::new(&name) });
            }
            let repeatable = REPEATABLE.contains(&name.as_str());
            let values = map.entry(name.clone()).or_default();
            if !values.is_empty() && !repeatable {
                return Err(Fault::ParameterRepeated { name: Offered::new(&name) });
            }
            values.push(value);
        }
        for values in map.values_mut() {
            values.retain(|value| !value.is_empty());
        }
        map.retain(|_, values| !values.is_empty());
        Ok(Self(map))
    }

    /// The value of `name`, if it was sent and is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every name that has a value, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Every value of `name`, for those that may be repeated.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }

    /// The value of `name`, owned.
    pub fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}

fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|b| *b == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, b""),
    }
}

/// RFC 6749 appendix B: `application/x-www-form-urlencoded`, UTF-8. NUL never has a meaning.
fn text(raw: &[u8]) -> Result<String, Fault> {
    let plus: Vec<u8> = raw.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let decoded = percent_decode(&plus).decode_utf8().map_err(|_| Fault::ParameterEncoding)?;
    if decoded.contains('\0') { Err(Fault::ParameterEncoding) } else { Ok(decoded.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_are_refused_across_sources() {
        for sources in [["a=1&a=1", ""], ["a=1", "a=2"], ["%61=1&a=", ""]] {
            let refused = Params::decode(&sources.map(str::as_bytes));
            assert!(matches!(refused, Err(Fault::ParameterRepeated { .. })), "{sources:?}");
        }
    }

    #[test]
    fn resources_may_be_repeated_rfc8707_2() {
        let params = Params::decode(&[b"resource=a&resource=&resource=b&audience=c", b"audience=d"]).unwrap();
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(params.all("audience").collect::<Vec<_>>(), ["c", "d"]);
        assert_eq!(params.all("scope").count(), 0);
    }

    #[test]
    fn values_decode_as_forms_do() {
        let params = Params::decode(&[b"a=x+y%20z&b=%C3%A4&c=&d&=e"]).unwrap();
        assert_eq!(params.get("a"), Some("x y z"));
        assert_eq!(params.get("b"), Some("ä"));
        assert_eq!(params.get("c"), None);
        assert_eq!(params.get("d"), None);
    }

    #[test]
    fn bad_encodings_and_sizes_are_refused() {
        assert_eq!(Params::decode(&[b"a=%ff"]), Err(Fault::ParameterEncoding));
        assert_eq!(Params::decode(&[b"a=%00"]), Err(Fault::ParameterEncoding));
        let long = format!("state={}", "x".repeat(MAX_VALUE + 1));
        assert!(matches!(Params::decode(&[long.as_bytes()]), Err(Fault::ParameterTooLong { .. })));
        let many = (0..=MAX_COUNT).map(|i| format!("p{i}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(Params::decode(&[many.as_bytes()]), Err(Fault::TooManyParameters));
        let form = format!("csv={}", "x".repeat(MAX_FIELD + 1));
        assert!(matches!(Params::decode_form(form.as_bytes()), Err(Fault::ParameterTooLong { .. })));
        assert!(Params::decode_table(form.as_bytes(), "csv").is_ok());
        assert!(Params::decode_table(form.as_bytes(), "tsv").is_err());
        let object = format!("request={}", "x".repeat(MAX_REQUEST_OBJECT));
        assert!(Params::decode(&[object.as_bytes()]).is_ok());
    }
}
