//! The parameters inside a good object: the object is verified, so the error goes where it says.

use serde_json::{Value, json};

use crate::row::{Case, Row, To};

/// One claim of a good object replaced; null removes it.
fn one(rule: &str, reason: &'static str, error: &'static str, name: &'static str, value: Value) -> [Row; 2] {
    let make = move |case: &Case<'_>| {
        let mut claims = case.claims();
        claims.insert(name.into(), value.clone());
        case.bench.sign(case.id, &claims)
    };
    Row::both(&format!("A-41 {rule}"), reason, make).map(|row| row.error(error).to(To::Inside))
}

/// One claim of a good object left out.
fn without(reason: &'static str, error: &'static str, name: &'static str) -> [Row; 2] {
    let make = move |case: &Case<'_>| {
        let mut claims = case.claims();
        claims.remove(name);
        case.bench.sign(case.id, &claims)
    };
    Row::both(&format!("A-36 {name} missing"), reason, make).map(|row| row.error(error).to(To::Inside))
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = types();
    rows.extend(values());
    rows.extend(redirects());
    rows
}

fn types() -> Vec<Row> {
    const REASON: &str = "object_parameter_type";
    const ERROR: &str = "invalid_request_object";
    let mut rows = Vec::new();
    for name in [
        "response_type",
        "response_mode",
        "scope",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "acr_values",
        "ui_locales",
    ] {
        for (what, value) in [("a number", json!(1)), ("a list", json!(["openid"])), ("null", json!(null))] {
            rows.extend(one(&format!("{name} {what}"), REASON, ERROR, name, value));
        }
        rows.extend(one(&format!("{name} with a NUL"), REASON, ERROR, name, json!("a\u{0}b")));
        rows.extend(one(&format!("{name} too long"), REASON, ERROR, name, json!("a".repeat(8193))));
    }
    for (what, value) in
        [("true", json!(true)), ("a list", json!([1])), ("an object", json!({})), ("null", json!(null))]
    {
        rows.extend(one(&format!("max_age {what}"), REASON, ERROR, "max_age", value));
    }
    for (what, value) in
        [("text", json!("{}")), ("a list", json!([])), ("null", json!(null)), ("a number", json!(1))]
    {
        rows.extend(one(&format!("claims {what}"), REASON, ERROR, "claims", value));
    }
    let many: Vec<String> = (0..17).map(|n| format!("hint{n}")).collect();
    for (what, value) in [
        ("a number", json!(1)),
        ("null", json!(null)),
        ("an object", json!({})),
        ("a list with a number", json!(["a", 1])),
        ("a list of seventeen", json!(many)),
        ("a list with one too long", json!(["a".repeat(8193)])),
    ] {
        rows.extend(one(&format!("login_hint {what}"), REASON, ERROR, "login_hint", value));
    }
    for (what, value) in [("a number", json!(1)), ("null", json!(null)), ("an object", json!({}))] {
        let state = one(&format!("state {what}"), REASON, ERROR, "state", value.clone());
        rows.extend(state.map(|row| row.to(To::Stateless)));
        let uri = one(&format!("redirect_uri {what}"), REASON, ERROR, "redirect_uri", value);
        rows.extend(uri.map(|row| row.to(To::Page)));
    }
    rows
}

fn values() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |made: [Row; 2]| rows.extend(made);
    add(without("response_type_missing", "invalid_request", "response_type"));
    add(without("scope_missing", "invalid_scope", "scope"));
    add(without("pkce_method_alone", "invalid_request", "code_challenge"));
    add(without("pkce_method_unsupported", "invalid_request", "code_challenge_method"));
    for (rule, reason, error, name, value) in [
        (
            "response_type token",
            "response_type_unsupported",
            "unsupported_response_type",
            "response_type",
            json!("token"),
        ),
        (
            "response_type hybrid",
            "response_type_not_allowed",
            "unauthorized_client",
            "response_type",
            json!("code id_token"),
        ),
        (
            "response_mode unknown",
            "response_mode_unsupported",
            "invalid_request",
            "response_mode",
            json!("web_message"),
        ),
        ("scope without openid", "scope_without_openid", "invalid_scope", "scope", json!("profile")),
        ("scope not allowed", "scope_not_allowed", "invalid_scope", "scope", json!("openid phone")),
        ("scope malformed", "scope_malformed", "invalid_scope", "scope", json!("openid \"x\"")),
        ("PKCE plain", "pkce_method_unsupported", "invalid_request", "code_challenge_method", json!("plain")),
        (
            "PKCE challenge malformed",
            "pkce_challenge_malformed",
            "invalid_request",
            "code_challenge",
            json!("short"),
        ),
        ("prompt unknown", "prompt_unknown", "invalid_request", "prompt", json!("maybe")),
        ("prompt none with login", "prompt_none_combined", "invalid_request", "prompt", json!("none login")),
        ("max_age negative", "max_age_malformed", "invalid_request", "max_age", json!(-1)),
        ("max_age with a fraction", "max_age_malformed", "invalid_request", "max_age", json!(1.5)),
        ("max_age huge", "max_age_malformed", "invalid_request", "max_age", json!(1e300)),
        ("max_age words", "max_age_malformed", "invalid_request", "max_age", json!("soon")),
        ("max_age negative text", "max_age_malformed", "invalid_request", "max_age", json!("-1")),
        (
            "claims of another shape",
            "claims_malformed",
            "invalid_request",
            "claims",
            json!({ "userinfo": [] }),
        ),
        (
            "claims with value and values",
            "claims_malformed",
            "invalid_request",
            "claims",
            json!({ "id_token": { "acr": { "value": 1, "values": [1] } } }),
        ),
        (
            "claims with a NUL",
            "claims_malformed",
            "invalid_request",
            "claims",
            json!({ "id_token": { "a\u{0}": null } }),
        ),
        ("registration", "registration_unsupported", "registration_not_supported", "registration", json!({})),
    ] {
        add(one(rule, reason, error, name, value));
    }
    rows
}

fn redirects() -> Vec<Row> {
    let mut rows = Vec::new();
    // the registered redirect URI beside the object has no effect at all.
    rows.extend(
        without("redirect_uri_missing", "invalid_request", "redirect_uri").map(|row| row.to(To::Page)),
    );
    for (what, value) in [
        ("of nobody", "https://evil.example/cb"),
        ("of another client", "https://other.example/inside"),
        ("with a path more", "https://rp.example/inside/x"),
        ("with a query", "https://rp.example/inside?x=1"),
        ("with a fragment", "https://rp.example/inside#x"),
        ("in another case", "https://RP.example/inside"),
        ("of a script", "javascript:alert(1)"),
    ] {
        let made = one(
            &format!("redirect_uri {what}"),
            "redirect_uri_unregistered",
            "invalid_request",
            "redirect_uri",
            json!(value),
        );
        rows.extend(made.map(|row| row.to(To::Page)));
    }
    // A rule broken in an object whose redirect URI is not registered: still a page.
    rows.extend(
        Row::both(
            "A-121 redirect_uri unregistered and scope of the wrong type",
            "object_parameter_type",
            |case| {
                let mut claims = case.claims();
                claims.insert("redirect_uri".into(), json!("https://evil.example/cb"));
                claims.insert("scope".into(), json!(1));
                case.bench.sign(case.id, &claims)
            },
        )
        .map(|row| row.to(To::Page)),
    );
    rows
}
