//! Mistakes in the parameters, and in where they stand.

use serde_json::Value;

use super::super::sighting::Sighting;
use super::super::snippets::{INSIDE, PKCE};
use super::{Kind, Mistake};
use crate::records::RequestObjectParameters;

pub(super) const ROWS: &[Mistake] = &[
    Mistake {
        id: "beside_not_inside",
        kind: Kind::Cause,
        codes: &[
            "redirect_uri_missing",
            "scope_missing",
            "response_type_missing",
            "pkce_required",
            "pkce_method_alone",
            "nonce_missing",
        ],
        title: "The parameter stands beside the object and not inside",
        happened: "Only what is inside the object counts for this client (RFC 9101 section 6.3). The parameter that is missing inside was sent beside it, where anybody can change it.",
        remedy: "Put every parameter into the object; client_id alone stands beside it as well. A client that cannot do so may be set to \"object overrides\" (OpenID Connect Core section 6.1).",
        code: INSIDE,
        sign: |seen| {
            let client = seen.scene.client?;
            let strict = client.settings.request_object_parameters == RequestObjectParameters::ObjectOnly;
            let name = match seen.code {
                "redirect_uri_missing" => "redirect_uri",
                "scope_missing" => "scope",
                "response_type_missing" => "response_type",
                "nonce_missing" => "nonce",
                _ => "code_challenge",
            };
            let beside = strict && has_object(seen) && seen.scene.params.get(name).is_some();
            beside.then(|| format!("{name} was sent beside the object"))
        },
    },
    Mistake {
        id: "list_instead_of_text",
        kind: Kind::Cause,
        codes: &["object_parameter_type"],
        title: "A list where text is expected",
        happened: "A parameter inside the object is a JSON array. Its value is text, with spaces between the words, as in a query.",
        remedy: "Join the words with spaces: \"openid profile\".",
        code: INSIDE,
        sign: |seen| {
            let texts = [
                "scope",
                "response_type",
                "prompt",
                "acr_values",
                "ui_locales",
                "redirect_uri",
                "response_mode",
            ];
            let list = |name: &&&str| seen.claims.get(**name).is_some_and(Value::is_array);
            texts.iter().find(list).map(|name| format!("\"{name}\" is an array"))
        },
    },
    Mistake {
        id: "claims_as_text",
        kind: Kind::Cause,
        codes: &["object_parameter_type", "claims_malformed"],
        title: "The claims parameter as text inside the object",
        happened: "In a query the claims parameter is JSON as text. Inside an object it is a JSON object itself (OpenID Connect Core section 6.1).",
        remedy: "Put the object there, not its serialized form.",
        code: &[],
        sign: |seen| {
            seen.claims.get("claims").is_some_and(Value::is_string).then(|| "\"claims\" is a string".into())
        },
    },
    Mistake {
        id: "redirect_uri_near",
        kind: Kind::Cause,
        codes: &["redirect_uri_unregistered"],
        title: "The redirect URI differs from a registered one by little",
        happened: "Redirect URIs are compared character by character (OpenID Connect Core section 3.1.2.1). This one differs from a registered one by a slash, the scheme, capital letters, the port or a query.",
        remedy: "Send the registered one exactly, or register the one that is sent.",
        code: &[],
        sign: |seen| {
            let sent = redirect_uri(seen)?;
            let client = seen.scene.client?;
            let near = client.settings.redirect_uris.iter().find(|uri| bare(uri) == bare(sent))?;
            Some(format!("sent \"{sent}\", registered \"{near}\""))
        },
    },
    Mistake {
        id: "redirect_uri_host",
        kind: Kind::Cause,
        codes: &["redirect_uri_unregistered"],
        title: "The redirect URI belongs to another environment",
        happened: "A registered redirect URI has the same path on another host.",
        remedy: "Register this environment's redirect URI, or a client for each environment.",
        code: &[],
        sign: |seen| {
            let sent = redirect_uri(seen)?;
            let path = |uri: &str| {
                url::Url::parse(uri).ok().map(|url| url.path().to_owned()).filter(|path| path.len() > 1)
            };
            let uris = &seen.scene.client?.settings.redirect_uris;
            let near = uris.iter().find(|uri| path(sent).is_some() && path(uri) == path(sent))?;
            (bare(near) != bare(sent)).then(|| format!("sent \"{sent}\", registered \"{near}\""))
        },
    },
    Mistake {
        id: "pkce_plain",
        kind: Kind::Cause,
        codes: &["pkce_method_unsupported"],
        title: "PKCE with the method plain",
        happened: "code_challenge_method is missing or \"plain\", so the challenge is the verifier itself and protects nothing (RFC 9700 section 2.1.1).",
        remedy: "Send the SHA-256 hash of the verifier, and code_challenge_method=S256.",
        code: PKCE,
        sign: |seen| {
            let method = parameter(seen, "code_challenge_method");
            matches!(method, None | Some("plain"))
                .then(|| format!("the method is {}", method.unwrap_or("missing")))
        },
    },
    Mistake {
        id: "pkce_hexadecimal",
        kind: Kind::Cause,
        codes: &["pkce_challenge_malformed"],
        title: "The PKCE challenge is not base64url of the hash",
        happened: "The challenge is written in hexadecimal, in standard base64, or is the verifier itself.",
        remedy: "Encode the 32 bytes of the SHA-256 hash with base64url: 43 characters.",
        code: PKCE,
        sign: |seen| {
            let challenge = parameter(seen, "code_challenge")?;
            Some(format!("{} characters", challenge.len()))
        },
    },
    Mistake {
        id: "scope_unregistered",
        kind: Kind::Cause,
        codes: &["scope_not_allowed"],
        title: "A scope that the client is not registered for",
        happened: "The scope is known here, but not among those of this client.",
        remedy: "Add it to the client's scopes, or leave it out of the request.",
        code: &[],
        sign: |seen| {
            let allowed = &seen.scene.client?.settings.scope;
            let asked = parameter(seen, "scope")?
                .split(' ')
                .find(|one| *one != "offline_access" && !allowed.contains(*one))?;
            Some(format!("\"{asked}\" is not among the client's scopes"))
        },
    },
];

fn has_object(seen: &Sighting<'_>) -> bool {
    !seen.inner.is_empty()
}

/// A parameter where it counts: inside the object if there is one.
fn parameter<'a>(seen: &'a Sighting<'_>, name: &str) -> Option<&'a str> {
    seen.claim(name).or_else(|| seen.scene.params.get(name))
}

fn redirect_uri<'a>(seen: &'a Sighting<'_>) -> Option<&'a str> {
    parameter(seen, "redirect_uri")
}

/// A redirect URI without what is often spelled differently.
fn bare(uri: &str) -> Option<(String, String)> {
    let url = url::Url::parse(uri).ok()?;
    let host = url.host_str()?.trim_start_matches("www.").to_ascii_lowercase();
    Some((host, url.path().trim_end_matches('/').to_ascii_lowercase()))
}
