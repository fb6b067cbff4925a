//! How objects are sent, what a client must send, and where errors go before the object is verified
//!

use signet_tests::rp::Rp;

use crate::bench::{ACME, Sent};
use crate::row::{Case, Row, To};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = repeated();
    rows.extend(demands());
    rows.extend(unknown());
    rows.extend(unverified());
    rows
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The usual request with a good object.
fn good(case: &Case<'_>) -> Sent {
    case.bench.around(case.id, &case.signed())
}

fn repeated() -> Vec<Row> {
    let mut rows = Vec::new();
    for name in ["request", "client_id", "redirect_uri", "state"] {
        rows.push(
            Row::request(&format!("A-10 {name} twice"), "parameter_repeated", move |case| {
                let mut sent = good(case);
                let again = sent.params.iter().find(|(known, _)| known == name).cloned().unwrap();
                sent.params.push(again);
                sent
            })
            .to(To::Page),
        );
        rows.push(
            Row::request(&format!("A-10 {name} in query and body"), "parameter_repeated", move |case| {
                let mut sent = good(case);
                sent.query = sent.params.iter().filter(|(known, _)| known == name).cloned().collect();
                sent
            })
            .to(To::Page),
        );
    }
    rows.push(
        Row::request("A-10 a parameter that nobody knows twice", "parameter_repeated", |case| {
            let mut sent = good(case);
            sent.params.extend([pair("x", "1"), pair("x", "2")]);
            sent
        })
        .to(To::Page),
    );
    rows.push(
        Row::request("A-10 too many parameters", "too_many_parameters", |case| {
            let mut sent = good(case);
            sent.params.extend((0..64).map(|n| pair(&format!("x{n}"), "1")));
            sent
        })
        .to(To::Page),
    );
    rows
}

/// A plain request of the client, complete but for an object.
fn plain(case: &Case<'_>) -> Sent {
    let mut sent = Sent { params: Rp::new(case.id).request(&[("state", "beside")]), query: Vec::new() };
    sent.params.sort();
    sent
}

fn demands() -> Vec<Row> {
    vec![
        Row::request("A-19 no object where one is demanded", "request_object_required", plain)
            .error("invalid_request")
            .of("object"),
        // RFC 6749 section 3.1: parameters without a value are as good as omitted.
        Row::request("A-19 an empty object where one is demanded", "request_object_required", |case| {
            let mut sent = plain(case);
            sent.params.push(pair("request", ""));
            sent
        })
        .error("invalid_request")
        .of("object"),
        Row::request("A-22 no object where an encrypted one is demanded", "request_object_required", plain)
            .error("invalid_request")
            .of("sealed"),
        Row::object(
            "A-22 signed alone where encryption is demanded",
            "request_object_not_encrypted",
            |case| case.bench.sign(case.id, &case.claims()),
        )
        .of("sealed"),
        Row::object("A-14 encrypted claims where encryption is demanded", "jwe_content_not_jws", |case| {
            case.sealed(&case.payload())
        })
        .of("sealed"),
        Row::request("A-23 request and request_uri", "request_and_request_uri", |case| {
            let mut sent = good(case);
            sent.params.push(pair("request_uri", "https://rp.example/object"));
            sent
        })
        .error("invalid_request"),
        Row::request("A-23 request_uri that is not registered", "request_uri_unregistered", |case| {
            let mut sent = plain(case);
            sent.params.push(pair("request_uri", "urn:example:object"));
            sent
        })
        .error("invalid_request_uri"),
    ]
}

/// A good object beside another `client_id`.
fn named(client_id: Option<&'static str>) -> impl Fn(&Case<'_>) -> Sent {
    move |case| {
        let mut sent = good(case);
        sent.params.retain(|(name, _)| name != "client_id");
        sent.params.extend(client_id.map(|id| pair("client_id", id)));
        sent
    }
}

fn unknown() -> Vec<Row> {
    let page = |rule: &str, reason, id| Row::request(rule, reason, named(id)).to(To::Page);
    vec![
        page("A-121 client unknown", "client_unknown", Some("nobody")),
        page("A-121 client in another case", "client_unknown", Some("RP")),
        page("A-121 client disabled", "client_unknown", Some("disabled")),
        page("A-2 client_id outside missing", "client_id_missing", None),
        page("A-2 client_id outside empty", "client_id_missing", Some("")),
        Row::request("A-48 client inside unknown", "client_unknown", |case| {
            let mut claims = case.claims();
            claims.insert("iss".into(), "nobody".into());
            claims.insert("client_id".into(), "nobody".into());
            Sent { params: vec![pair("request", &case.bench.sign("rp", &claims))], query: Vec::new() }
        })
        .at(ACME)
        .to(To::Page),
        Row::request("A-48 client inside with a NUL", "client_unknown", |case| {
            let mut claims = case.claims();
            claims.insert("iss".into(), "r\0p".into());
            claims.insert("client_id".into(), "r\0p".into());
            Sent { params: vec![pair("request", &case.bench.sign("rp", &claims))], query: Vec::new() }
        })
        .at(ACME)
        .to(To::Page),
        Row::request("A-48 the object alone is broken", "claims_not_json", |case| {
            let broken = signet_tests::craft::flip(&case.signed(), 1, true);
            Sent {
                params: vec![pair("request", &broken), pair("redirect_uri", "https://rp.example/callback")],
                query: Vec::new(),
            }
        })
        .at(ACME)
        .to(To::Page),
        Row::request("A-48 the object alone is by another key", "jws_signature_invalid", |case| {
            let forged = case.bench.sign("other", &case.claims());
            Sent { params: vec![pair("request", &forged)], query: Vec::new() }
        })
        .at(ACME)
        .to(To::Page),
    ]
}

/// A forged object beside another redirect URI.
fn forged(redirect_uri: Option<&'static str>) -> impl Fn(&Case<'_>) -> Sent {
    move |case| {
        let mut sent = case.bench.around(case.id, &case.bench.sign("other", &case.claims()));
        sent.params.retain(|(name, _)| name != "redirect_uri");
        sent.params.extend(redirect_uri.map(|uri| pair("redirect_uri", uri)));
        sent
    }
}

/// nothing of an object that is not verified decides where its error goes.
fn unverified() -> Vec<Row> {
    let row = |rule: &str, uri| Row::request(rule, "jws_signature_invalid", forged(uri));
    vec![
        row("A-124 forged, registered redirect URI beside it", Some("https://rp.example/callback")),
        row("A-124 forged, no redirect URI beside it", None).to(To::Page),
        row("A-124 forged, unregistered redirect URI beside it", Some("https://evil.example/cb"))
            .to(To::Page),
        row("A-124 forged, another client's redirect URI beside it", Some("https://other.example/callback"))
            .to(To::Page),
        row("A-124 forged, script beside it", Some("javascript:alert(1)")).to(To::Page),
        Row::request("A-124 encrypted for nobody, no redirect URI beside it", "undecryptable", |case| {
            let token = signet_tests::craft::flip(&case.sealed(case.signed().as_bytes()), 4, false);
            Sent { params: vec![pair("client_id", "rp"), pair("request", &token)], query: Vec::new() }
        })
        .to(To::Page),
    ]
}
