//! Reads what an operation is asked: path, query, headers and body, each within bounds, nothing unknown.

use axum::body::{Body, to_bytes};
use axum::extract::RawPathParams;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use signet_core::fault::Fault;
use signet_core::params::Params;
use signet_jose::Offered;

use super::operation::{Call, Form, Kind, Operation};
use crate::desk::{Refused, Write};
use crate::http::extract;

/// Deepest nesting of a body.
const MAX_DEPTH: usize = 16;
/// Longest text parameter, in characters.
const MAX_TEXT: usize = 256;
/// Longest idempotency key, in bytes.
const MAX_KEY: usize = 255;

/// Reads a request for `operation`.
pub(super) async fn read(
    operation: &Operation,
    path: &RawPathParams,
    parts: &Parts,
    body: Body,
    max_body_bytes: usize,
) -> Result<Call, Refused> {
    let query = Params::decode(&[extract::query(parts)])?;
    check_query(operation, &query)?;
    let write = Write {
        dry_run: dry_run(&query)?,
        seen: seen(operation.kind, &parts.headers)?,
        idempotency_key: idempotency_key(operation.kind, &parts.headers)?,
    };
    let body = to_bytes(body, max_body_bytes).await.map_err(|_| Fault::BodyTooLarge)?.to_vec();
    check_body(operation, &parts.headers, &body)?;
    let path: Vec<(String, String)> =
        path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // NUL never has a meaning, and not every database can look for it.
    if path.iter().any(|(_, value)| value.contains('\0')) {
        return Err(Refused::NotFound);
    }
    Ok(Call { path, query, body, write })
}

/// Parameters that nobody knows are refused: whoever mistypes `dry_run` must not write.
fn check_query(operation: &Operation, query: &Params) -> Result<(), Fault> {
    let is_known = |name: &str| {
        operation.query.iter().any(|known| known.name == name) || (operation.writes() && name == "dry_run")
    };
    if let Some(name) = query.names().find(|name| !is_known(name)) {
        return Err(Fault::AdminParameterUnknown { name: Offered::new(name) });
    }
    for known in operation.query {
        let Some(value) = query.get(known.name) else { continue };
        let wanted = match known.form {
            Form::Text if value.chars().count() > MAX_TEXT => "text of at most 256 characters",
            Form::Id if value.parse::<uuid::Uuid>().is_err() => "a UUID",
            Form::Number(min, max) if !value.parse().is_ok_and(|found: i64| (min..=max).contains(&found)) => {
                "a whole number within its bounds"
            }
            Form::Word(words) if !words().contains(&value) => "one of the documented words",
            _ => continue,
        };
        return Err(Fault::AdminParameterMalformed { name: known.name, wanted });
    }
    Ok(())
}

fn dry_run(query: &Params) -> Result<bool, Fault> {
    match query.get("dry_run") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Fault::AdminParameterMalformed { name: "dry_run", wanted: "true or false" }),
    }
}

/// RFC 9110 section 13.1.1 (`If-Match`), and RFC 6585 section 3: "By requiring requests to be conditional, the server can
/// assure that clients are working with the correct copies." One strong tag; `*` says nothing of what was seen.
fn seen(kind: Kind, headers: &HeaderMap) -> Result<Option<i64>, Refused> {
    let mut tags = headers.get_all(header::IF_MATCH).iter();
    let (first, second) = (tags.next(), tags.next());
    let malformed = Fault::AdminParameterMalformed {
        name: "If-Match",
        wanted: "the one entity tag that came with the record, such as \"7\"",
    };
    match (kind, first, second) {
        (Kind::Read | Kind::Act, ..) | (Kind::Create, None, _) => Ok(None),
        (Kind::Change, None, _) => Err(Refused::VersionMissing),
        (_, Some(tag), None) => {
            let text = tag.to_str().unwrap_or_default().trim();
            let version = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let version = version.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
            Ok(Some(version.and_then(|text| text.parse().ok()).ok_or(malformed)?))
        }
        (_, Some(_), Some(_)) => Err(malformed.into()),
    }
}

fn idempotency_key(kind: Kind, headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let (Some(key), second) = (keys.next(), keys.next()) else { return Ok(None) };
    if kind != Kind::Create {
        return Ok(None);
    }
    let text = key.to_str().unwrap_or_default();
    let visible = text.bytes().all(|b| b.is_ascii_graphic());
    let fits = second.is_none() && visible && (1..=MAX_KEY).contains(&text.len());
    if fits {
        return Ok(Some(text.to_owned()));
    }
    let wanted = "one value of 1 to 255 visible ASCII characters";
    Err(Fault::AdminParameterMalformed { name: "Idempotency-Key", wanted })
}

fn check_body(operation: &Operation, headers: &HeaderMap, body: &[u8]) -> Result<(), Fault> {
    if operation.request.is_none() {
        return if body.is_empty() { Ok(()) } else { Err(Fault::AdminBodyUnexpected) };
    }
    let kind = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(operation.consumes) {
        return Err(Fault::AdminContentType { wanted: operation.consumes });
    }
    // An array would be read as a struct's members in their order.
    let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if !is_object || depth(body) > MAX_DEPTH || has_nul(body) {
        Err(Fault::AdminBodyMalformed)
    } else {
        Ok(())
    }
}

/// Whether a text holds U+0000, which PostgreSQL cannot store. Written as it is, it is no JSON (RFC 8259 section 7).
fn has_nul(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        rest = &rest[at + 1..];
        if rest.starts_with(b"u0000") {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// How deep objects and arrays lie in each other; what is not JSON is found by the parser.
fn depth(body: &[u8]) -> usize {
    let (mut deepest, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for byte in body {
        match (quoted, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, _, b'"') => quoted = !quoted,
            (false, _, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, _, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::{depth, has_nul};

    #[test]
    fn nul_is_found_where_it_is_meant() {
        for (body, wanted) in [
            (r#"{"a":"\u0000"}"#, true),
            (r#"{"a":"x\\\u0000"}"#, true),
            (r#"{"a":"\\u0000"}"#, false),
            (r#"{"a":"\u0001","b":"u0000"}"#, false),
            ("\\", false),
        ] {
            assert_eq!(has_nul(body.as_bytes()), wanted, "{body}");
        }
    }

    #[test]
    fn depth_counts_what_lies_in_each_other_outside_of_text() {
        for (body, wanted) in
            [("", 0), ("{}", 1), (r#"{"a":[{}],"b":[]}"#, 3), (r#"{"a":"[[[{"}"#, 1), (r#"{"a\"":"\\"}"#, 1)]
        {
            assert_eq!(depth(body.as_bytes()), wanted, "{body}");
        }
        assert_eq!(depth("[".repeat(100_000).as_bytes()), 100_000);
    }
}
