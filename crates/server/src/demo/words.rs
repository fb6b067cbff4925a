//! Claims, times and tokens in words.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::macros::format_description;

/// A claim with its explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClaimRow {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) time: Option<String>,
    pub(super) meaning: Option<&'static str>,
}

/// The claims that are explained, in the order in which they are shown.
const CLAIMS: &[(&str, &str)] = &[
    ("iss", "Who made the message."),
    ("sub", "The person, by an identifier that never changes."),
    ("aud", "Whom the message is for; anybody else must refuse it."),
    ("exp", "From then on it is refused."),
    ("nbf", "Before then it is refused."),
    ("iat", "When it was made."),
    ("jti", "Its own number: the provider accepts each only once."),
    ("client_id", "The application that asks."),
    ("response_type", "The kind of answer: a code, nothing else in the browser."),
    ("redirect_uri", "Where the answer goes; registered beforehand."),
    ("scope", "What is asked for."),
    ("state", "Binds the answer to this browser."),
    ("nonce", "Binds the ID token to this request: a stolen one does not fit."),
    ("code_challenge", "Only who knows the verifier behind this hash can redeem the code."),
    ("code_challenge_method", "How the hash is made."),
    ("auth_time", "When the person last proved who they are."),
    ("acr", "How strong that proof was."),
    ("amr", "By what means: pwd is a password."),
    ("sid", "The session at the provider, for signing out."),
    ("at_hash", "Half of the access token's hash: neither can be swapped."),
    ("name", "Full name."),
    ("preferred_username", "The name the person signs in with; not an identifier."),
    ("email", "E-mail address."),
    ("email_verified", "Whether the provider made sure of the address."),
    ("updated_at", "When these facts last changed."),
];

const TIMES: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "updated_at"];

/// Claims as rows: the explained ones first.
pub(super) fn rows(claims: &Map<String, Value>, now: i64) -> Vec<ClaimRow> {
    let place = |name: &str| CLAIMS.iter().position(|(known, _)| *known == name);
    let mut rows: Vec<_> = claims.iter().collect();
    rows.sort_by_key(|(name, _)| (place(name).unwrap_or(CLAIMS.len()), name.as_str()));
    rows.into_iter()
        .map(|(name, value)| ClaimRow {
            name: name.clone(),
            value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            time: value
                .as_i64()
                .filter(|_| TIMES.contains(&name.as_str()))
                .and_then(|seconds| moment(seconds, now)),
            meaning: place(name).map(|index| CLAIMS[index].1),
        })
        .collect()
}

/// A Unix time for people, with its distance from `now`.
pub(super) fn moment(seconds: i64, now: i64) -> Option<String> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    let written = OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(format).ok()?;
    let distance = seconds.saturating_sub(now);
    let (count, unit) = match distance.unsigned_abs() {
        0 => return Some(format!("{written}, now")),
        count @ 1..120 => (count, "second"),
        count @ 120..7_200 => (count / 60, "minute"),
        count @ 7_200..172_800 => (count / 3_600, "hour"),
        count => (count / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    let relative = format!("{count} {unit}{plural}");
    Some(if distance > 0 {
        format!("{written}, in {relative}")
    } else {
        format!("{written}, {relative} ago")
    })
}

/// The segments of a compact token with their names (RFC 7515 section 7.1, RFC 7516 section 7.1).
pub(super) fn segments(token: &str) -> Vec<(&'static str, String)> {
    const JWS: [&str; 3] = ["header", "claims", "signature"];
    const JWE: [&str; 5] = ["header", "encrypted key", "initialisation vector", "ciphertext", "tag"];
    let parts: Vec<&str> = token.split('.').collect();
    let names: &[&'static str] = if parts.len() == JWE.len() { &JWE } else { &JWS };
    names.iter().copied().zip(parts).map(|(name, part)| (name, part.to_owned())).collect()
}

/// The beginning of a secret or of a text that is shown in full elsewhere.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(16) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
