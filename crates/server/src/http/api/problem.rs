//! Problem documents (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use signet_core::fault::Fault;
use signet_core::provision::Refusal;
use signet_core::redirect::description;

use crate::desk::Refused;
use crate::http::extract::Moment;
use crate::http::render;
use crate::tenancy::TenantView;

/// Why something was not done.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// Where the problem is explained: a URI reference.
    #[serde(rename = "type")]
    kind: String,
    /// What kind of problem it is.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time, and what to do.
    detail: String,
    /// The stable reason code.
    code: String,
    /// Names the request in the log and in the audit trail.
    correlation_id: String,
    /// The version of the record now, where another one was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<i64>,
    /// Everything that is wrong with what was sent.
    errors: Vec<Wrong>,
}

/// One thing that is wrong with what was sent.
#[derive(Debug, Serialize, JsonSchema)]
struct Wrong {
    /// The stable reason code.
    code: String,
    /// What is wrong, and what to do.
    detail: String,
    /// Where it is in the body (RFC 6901), as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}

/// Beginnings of the codes of this interface and of what is explained, read and judged behind it.
const FAMILIES: &[&str] = &["admin_", "paste_", "parameter_", "new_", "sector_identifier_"];

/// The other faults that requests here can meet.
const FURTHER: &[&str] = &[
    "token_missing",
    "token_malformed",
    "token_multiple",
    "token_unknown",
    "access_token_expired",
    "token_for_other_resource",
    "user_gone",
    "client_built_in",
    "user_forbidden",
    "last_owner",
    "link_unusable",
    "account_changed",
    "too_many_parameters",
    "not_found",
    "method_not_allowed",
    "body_too_large",
    "uri_too_long",
    "rate_limited",
    "busy",
    "store_unavailable",
    "internal",
];

/// The codes of all faults that requests here can meet, each with its status and its text.
pub(super) fn codes() -> impl Iterator<Item = (&'static str, u16, String)> {
    let is_met =
        |code: &str| FAMILIES.iter().any(|family| code.starts_with(family)) || FURTHER.contains(&code);
    let met = Fault::TABLE.iter().filter(move |row| is_met(row.0));
    met.map(|row| (row.0, row.2, Fault::general(row.0).unwrap_or_default()))
}

/// The fault that a refusal of the desk amounts to.
fn fault(refused: &Refused) -> Fault {
    match refused {
        Refused::Fault(fault) => fault.clone(),
        Refused::Invalid(_) => Fault::AdminRecordInvalid,
        Refused::Malformed { .. } => Fault::AdminBodyMalformed,
        Refused::Part { refused, .. } => fault(refused),
        Refused::NotFound => Fault::AdminRecordMissing,
        Refused::Stale { .. } => Fault::AdminVersionStale,
        Refused::VersionMissing => Fault::AdminVersionMissing,
        Refused::Exists => Fault::AdminRecordExists,
        Refused::KeyReused => Fault::AdminKeyReused,
    }
}

/// `place` is where settings stand in what was sent.
fn wrong(refusal: &Refusal, place: &str) -> Wrong {
    let code = match refusal {
        Refusal::Setting { problem } => problem.code(),
        other => other.code(),
    };
    let pointer = refusal.settings().first().map(|path| format!("{place}/{}", path.replace('.', "/")));
    Wrong { code: code.to_owned(), detail: refusal.to_string(), pointer }
}

fn malformed(pointer: String, detail: &str) -> Wrong {
    Wrong { code: "admin_body_malformed".to_owned(), detail: detail.to_owned(), pointer: Some(pointer) }
}

/// What is wrong with one part of a declaration; each error says at least which part it is.
fn wrong_part(part: &str, refused: &Refused) -> Vec<Wrong> {
    let here = || Some(part.to_owned());
    match refused {
        Refused::Invalid(refusals) => refusals
            .iter()
            .map(|refusal| wrong(refusal, part))
            .map(|one| Wrong { pointer: one.pointer.or_else(here), ..one })
            .collect(),
        Refused::Malformed { pointer, detail } => vec![malformed(format!("{part}{pointer}"), detail)],
        other => {
            let fault = fault(other);
            vec![Wrong { code: fault.code().to_owned(), detail: fault.public(), pointer: here() }]
        }
    }
}

/// The answer for a refusal.
pub(super) fn problem(view: &TenantView, moment: &Moment, refused: &Refused) -> Response {
    let errors = match refused {
        Refused::Invalid(refusals) => refusals.iter().map(|refusal| wrong(refusal, "/settings")).collect(),
        Refused::Malformed { pointer, detail } => vec![malformed(pointer.clone(), detail)],
        Refused::Part { pointer, refused } => wrong_part(pointer, refused),
        _ => Vec::new(),
    };
    let current = match refused {
        Refused::Stale { current } => Some(*current),
        _ => None,
    };
    document(&view.prefix, moment, fault(refused), errors, current)
}

/// The answer for a fault that is met before it is known whose interface this is.
pub(in crate::http) fn answer(moment: &Moment, fault: Fault) -> Response {
    document("", moment, fault, Vec::new(), None)
}

fn document(
    prefix: &str,
    moment: &Moment,
    fault: Fault,
    errors: Vec<Wrong>,
    current_version: Option<i64>,
) -> Response {
    let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = fault.code();
    let problem = Problem {
        kind: format!("{prefix}{}/docs#{code}", super::BASE),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail: fault.public(),
        code: code.to_owned(),
        correlation_id: moment.correlation_id.clone(),
        current_version,
        errors,
    };
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(challenge) = challenge(&fault) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = render::retry_after(&fault) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    render::refused(response, fault)
}

/// RFC 6750 section 3: the challenge, for 401 and for whatever is wrong with the token. Section 3.1: without any token no
/// error code; with a scope that is missing, the scope that is needed.
fn challenge(fault: &Fault) -> Option<HeaderValue> {
    const REALM: &str = "Bearer realm=\"admin\"";
    let of_token =
        matches!(fault, Fault::TokenMalformed | Fault::TokenMultiple) || fault.wire() == "insufficient_scope";
    let text = match fault {
        Fault::TokenMissing => REALM.to_owned(),
        Fault::AdminScopeMissing { scope } => format!(
            "{REALM}, error=\"insufficient_scope\", error_description=\"{}\", scope=\"{scope}\"",
            description(fault)
        ),
        other if other.status() == 401 || of_token => {
            format!("{REALM}, error=\"{}\", error_description=\"{}\"", other.wire(), description(other))
        }
        _ => return None,
    };
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_documentation_is_a_fault_and_is_told_in_words() {
        let known: Vec<_> = codes().collect();
        for code in FURTHER {
            assert!(known.iter().any(|row| row.0 == *code), "{code}");
        }
        for family in FAMILIES {
            assert!(known.iter().any(|row| row.0.starts_with(family)), "{family}");
        }
        assert!(known.iter().all(|row| !row.2.is_empty() && !row.2.contains('{')));
    }
}
