//! Mistakes in the form of the object: encodings, serializations, the order of signing and encrypting.

use super::super::sighting::{Sighting, lenient};
use super::super::snippets::{BASE64URL, NEST, QUERY, SIGN};
use super::{Kind, Mistake};

const UNREADABLE: &[&str] = &["not_base64url", "segments", "header_not_json", "json_serialization"];

pub(super) const ROWS: &[Mistake] = &[
    Mistake {
        id: "url_encoded_twice",
        kind: Kind::Cause,
        codes: UNREADABLE,
        title: "The object was percent-encoded twice",
        happened: "After the parameters were decoded, there are still percent signs in the object. Two functions encoded it, one after the other.",
        remedy: "Hand the object as it is to the one function that builds the query or the form.",
        code: QUERY,
        sign: |seen| seen.token.find('%').map(|at| format!("\"{}\" in the object", clip(seen.token, at))),
    },
    Mistake {
        id: "quoted_object",
        kind: Kind::Cause,
        codes: UNREADABLE,
        title: "The object has quotation marks around it",
        happened: "The object was turned into a JSON string, with its quotation marks, before it was sent.",
        remedy: "Send the text of the token itself, without serializing it as JSON.",
        code: QUERY,
        sign: |seen| {
            let quoted = seen.token.starts_with(['"', '\'']) || seen.token.ends_with(['"', '\'']);
            quoted.then(|| "it begins or ends with a quotation mark".into())
        },
    },
    Mistake {
        id: "pem_line_breaks",
        kind: Kind::Cause,
        codes: UNREADABLE,
        title: "There are line breaks, or PEM armour, in the object",
        happened: "The base64 encoder broke its output into lines, as it is done for PEM and mail. A compact token is one line.",
        remedy: "Encode with base64url without line breaks.",
        code: BASE64URL,
        sign: |seen| {
            if seen.token.contains("-----BEGIN") {
                return Some("it contains \"-----BEGIN\"".into());
            }
            seen.token.find(['\n', '\r']).map(|at| format!("a line break after {at} characters"))
        },
    },
    Mistake {
        id: "address_as_object",
        kind: Kind::Cause,
        codes: UNREADABLE,
        title: "The parameter request holds an address",
        happened: "An address stands where the object itself is expected.",
        remedy: "Send the object in the parameter request, or register the address and send it as request_uri.",
        code: &[],
        sign: |seen| {
            let is_address = seen.token.starts_with("https://") || seen.token.starts_with("http://");
            is_address.then(|| "it begins with \"http\"".into())
        },
    },
    Mistake {
        id: "plain_json",
        kind: Kind::Cause,
        codes: &["json_serialization"],
        title: "The claims were sent as JSON, neither signed nor encoded",
        happened: "The object is the JSON text of the claims. A request object is a signed token: header, payload and signature, joined by dots.",
        remedy: "Sign the claims and send the compact token.",
        code: SIGN,
        sign: |seen| {
            let json: serde_json::Value = serde_json::from_str(seen.token).ok()?;
            let general = ["payload", "signatures", "ciphertext", "recipients"];
            let claims = !general.iter().any(|name| json.get(name).is_some());
            claims.then(|| "it is a JSON object of claims".into())
        },
    },
    Mistake {
        id: "json_serialized",
        kind: Kind::Cause,
        codes: &["json_serialization"],
        title: "The token is in JSON serialization",
        happened: "JOSE tokens have a JSON form and a compact form. OAuth uses the compact one only (RFC 7519 section 1).",
        remedy: "Ask the library for the compact serialization.",
        code: &[],
        sign: |seen| {
            let json: serde_json::Value = serde_json::from_str(seen.token).ok()?;
            ["payload", "ciphertext"]
                .iter()
                .find(|name| json.get(**name).is_some())
                .map(|name| format!("the member \"{name}\""))
        },
    },
    Mistake {
        id: "base64_standard",
        kind: Kind::Cause,
        codes: UNREADABLE,
        title: "Standard base64 instead of base64url",
        happened: "The token contains characters of standard base64 (\"+\", \"/\" or the padding \"=\"). Tokens use base64url without padding (RFC 7515 section 2); in a query, \"+\" even turns into a space.",
        remedy: "Encode with the URL-safe alphabet and strip the padding.",
        code: BASE64URL,
        sign: |seen| {
            if seen.token.contains(['\n', '\r', '%', '{']) {
                return None;
            }
            let found = seen.token.chars().find(|c| matches!(c, '+' | '/' | '=' | ' '))?;
            Some(if found == ' ' {
                "a space, which was a \"+\"".into()
            } else {
                format!("the character \"{found}\"")
            })
        },
    },
    Mistake {
        id: "encrypt_then_sign",
        kind: Kind::Cause,
        codes: &["claims_not_json"],
        title: "Encrypted first and signed afterwards",
        happened: "The signed token's payload is an encrypted token. The order is the other way: RFC 9101 section 4 wants the object signed, then encrypted, so that the signature is protected as well.",
        remedy: "Sign the claims, and encrypt the finished signed token.",
        code: NEST,
        sign: |seen| {
            let segments: Vec<&str> = seen.payload.split('.').collect();
            let sealed = segments.len() == 5
                && serde_json::from_slice::<serde_json::Value>(&lenient(segments[0]))
                    .is_ok_and(|header| header.get("enc").is_some());
            sealed.then(|| "the payload has five segments and a header with \"enc\"".into())
        },
    },
    Mistake {
        id: "signed_twice",
        kind: Kind::Cause,
        codes: &["claims_not_json"],
        title: "The payload is a token again",
        happened: "The payload of the signed token is another signed token instead of the claims.",
        remedy: "Sign the JSON text of the claims, once.",
        code: SIGN,
        sign: |seen| {
            let three =
                seen.payload.split('.').count() == 3 && seen.payload.trim_matches('"').starts_with("eyJ");
            three.then(|| "the payload has three segments".into())
        },
    },
    Mistake {
        id: "content_quoted",
        kind: Kind::Cause,
        codes: &["jwe_content_not_jws", "not_base64url", "header_not_json"],
        title: "The signed token was turned into a JSON string before it was encrypted",
        happened: "What was inside the encrypted token begins with a quotation mark: the library serialized the signed token as JSON.",
        remedy: "Encrypt the bytes of the signed token as they are.",
        code: NEST,
        sign: |seen| {
            let quoted = seen.content?.starts_with("\"eyJ");
            quoted.then(|| "the decrypted content begins with a quotation mark".into())
        },
    },
    Mistake {
        id: "claims_encrypted_unsigned",
        kind: Kind::Cause,
        codes: &["jwe_content_not_jws"],
        title: "The claims were encrypted without being signed",
        happened: "What came out of the encrypted token is the JSON text of the claims. Encryption proves nothing about the sender: everybody has this server's public key.",
        remedy: "Sign the claims with the client's own key, and encrypt the finished signed token.",
        code: NEST,
        sign: |seen| {
            let json = seen.content?.trim_start().starts_with('{');
            json.then(|| "the decrypted content is JSON".into())
        },
    },
    Mistake {
        id: "encrypted_twice",
        kind: Kind::Cause,
        codes: &["jwe_in_jwe"],
        title: "Encrypted twice",
        happened: "What came out of the encrypted token is another encrypted token. The claims are signed once and encrypted once.",
        remedy: "Sign the claims, and encrypt the finished signed token.",
        code: NEST,
        sign: |seen| {
            let five = seen.content?.split('.').count() == 5;
            five.then(|| "the decrypted content has five segments".into())
        },
    },
    Mistake {
        id: "cty_missing",
        kind: Kind::Advice,
        codes: &[],
        title: "The encrypted token does not say what is inside",
        happened: "The header has no \"cty\". RFC 7519 section 5.2 wants \"JWT\" there for a token inside a token. It is tolerated here; other servers refuse it.",
        remedy: "Set \"cty\" to \"JWT\" in the header of the encrypted token.",
        code: NEST,
        sign: |seen| {
            let nested = !seen.outer.is_empty() && !seen.inner.is_empty();
            (nested && seen.outer("cty").is_none()).then(|| "no \"cty\" in the outer header".into())
        },
    },
];

/// A few characters from `at` on.
fn clip(text: &str, at: usize) -> String {
    text.get(at..).unwrap_or_default().chars().take(3).collect()
}

/// Whether a name is a URI of the XML security specifications.
pub(super) fn xml_name(name: &str) -> bool {
    name.starts_with("http://www.w3.org/") || name.starts_with("https://www.w3.org/")
}

pub(super) fn quoted(seen: Option<&str>, what: &str) -> Option<String> {
    seen.map(|value| format!("{what} is \"{value}\""))
}

/// The header of the token that is on top, if it is an encrypted one.
pub(super) fn sealed(seen: &Sighting<'_>) -> bool {
    !seen.outer.is_empty()
}
