//! What is kept, what is told, and what is not.

use serde_json::{Map, Value, json};
use signet_core::authorize::{Arrival, Facts, decide};
use signet_core::explain::{MAX_CHECKS, MAX_SHOWN, Record, Report, Scene, mistakes};
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::request_object::open;
use signet_jose::{JoseFault, Trace};

use crate::common::*;
use crate::{World, names, query, signed};

/// The record that the authorization endpoint makes of a refused request.
fn record(world: &World, token: &str) -> (Record, Fault) {
    let params = params(&[("client_id", "c"), ("request", token)]);
    let mut trace = Trace::new();
    let opened = open(token, &decryption_keys(), &world.tenant.settings, &mut trace);
    let facts = Facts {
        tenant: &world.tenant,
        params: &params,
        client: Some(&world.client),
        client_keys: &world.keys,
        verifier: &verifier,
        hint: &|_, _| Err(Fault::HintNoIdToken),
        correlation_id: "corr",
    };
    let outcome = decide(facts, TokenHash::of("browser"), Arrival::Object(opened), trace, &at(NOW));
    let fault = outcome.reply.err().map(|refused| refused.fault).unwrap();
    let scene = Scene {
        tenant: &world.tenant,
        tenant_keys: &world.tenant_keys,
        probes: &[],
        client: Some(&world.client),
        client_keys: &world.keys,
        params: &params,
        now: NOW,
    };
    (Record::gather(Some(token), Some(&fault), &outcome.trace, &scene), fault)
}

fn detail(record: &Record) -> Map<String, Value> {
    let (name, value) = record.fact();
    [(name.to_owned(), value)].into_iter().collect()
}

#[test]
fn an_event_gives_the_same_report_as_the_object_itself() {
    let world = World::new();
    for changes in [
        json!({ "exp": (NOW + 600) * 1000 }),
        json!({ "aud": format!("{ISSUER}/") }),
        json!({ "scope": "profile" }),
        json!({ "redirect_uri": "https://evil.example" }),
        json!({ "request": "x" }),
    ] {
        for token in [signed(&changes), nested(&with(&object(), &changes))] {
            let (kept, fault) = record(&world, &token);
            let later = Record::read(&detail(&kept)).unwrap().report(Some(fault.code()), Some("c"));
            let now = world.explain(&query(&[("client_id", "c"), ("request", &token)]));
            assert_eq!(later, now, "{changes}");
        }
    }
}

#[test]
fn what_is_kept_is_bounded_and_holds_no_token_and_no_personal_data() {
    let mut world = World::new();
    let uris = (0..200).map(|n| format!("https://rp{n}.example/{}", "x".repeat(100)));
    world.client.settings.redirect_uris = uris.collect();
    let secret = "person-0123456789";
    let long = "y".repeat(4_000);
    let claims = with(
        &object(),
        &json!({ "redirect_uri": format!("https://{long}"), "login_hint": secret, "state": secret,
                 "nonce": secret, "jti": secret, "id_token_hint": secret, "acr_values": "y".repeat(400) }),
    );
    let mut claims = claims.as_object().unwrap().clone();
    for n in 0..150 {
        claims.insert(format!("claim-{n}-{}", "z".repeat(50)), secret.into());
    }
    for token in [sign(&Value::Object(claims.clone())), nested(&Value::Object(claims))] {
        let (kept, _) = record(&world, &token);
        let text = kept.fact().1.to_string();
        assert!(text.len() < 32_000, "{} bytes", text.len());
        assert!(!text.contains(secret), "{text}");
        for segment in token.split('.').filter(|segment| segment.len() > 40) {
            assert!(!text.contains(&segment[..40]), "no part of the token");
        }
        let report = kept.report(Some("x"), None);
        let checks: Vec<_> = report.layers.iter().flat_map(|layer| &layer.checks).collect();
        assert!(checks.len() <= MAX_CHECKS);
        for check in checks {
            assert!(check.expected.len() <= MAX_SHOWN && check.actual.len() <= MAX_SHOWN, "{check:?}");
        }
    }
}

#[test]
fn a_long_trace_keeps_its_end() {
    let mut trace = Trace::new();
    (0..100).for_each(|_| trace.pass("aud", "clause", "a", "b"));
    trace.fail("exp", "clause", "a", "b");
    let world = World::new();
    let params = params(&[]);
    let scene = Scene {
        tenant: &world.tenant,
        tenant_keys: &[],
        probes: &[],
        client: None,
        client_keys: &[],
        params: &params,
        now: NOW,
    };
    let report = Record::gather(None, Some(&Fault::ObjectReplayed), &trace, &scene).report(Some("x"), None);
    assert_eq!(report.left_off, 102 - MAX_CHECKS);
    assert_eq!(report.layers.last().unwrap().checks[0].actual, "used before");
}

#[test]
fn those_who_see_some_clients_only_learn_nothing_of_others() {
    let mut world = World::new();
    world.confined = true;
    let others = with(&object(), &json!({ "iss": "other", "client_id": "other", "scope": "openid x" }));
    let nobody = with(&object(), &json!({ "iss": "nobody", "client_id": "nobody" }));
    for make in [nested as fn(&Value) -> String, sign] {
        let (of_other, of_nobody) = (world.explain(&make(&others)), world.explain(&make(&nobody)));
        assert_eq!(of_other, of_nobody, "both are unknown");
        assert_eq!(of_other.reason.as_ref().unwrap().code, "client_unknown");
        let text = serde_json::to_string(&of_other).unwrap();
        assert!(!text.contains("other\"") && !text.contains("rp-sig") && !text.contains("scope"), "{text}");
    }
    world.confined = false;
    let report = world.explain(&nested(&others));
    assert_eq!(report.client_id.as_deref(), Some("other"));
}

#[test]
fn why_an_object_does_not_open_is_told_without_a_client() {
    let report = World::new().explain(&seal_with("key-1", Some("JWT"), b"x"));
    assert_eq!(report.reason.as_ref().unwrap().code, "undecryptable_key_unknown");
    assert_eq!(names(&report), ["foreign_kid"]);
    let report = World::new().explain_of(&seal_with("rp-enc", Some("JWT"), b"x"), Some("c"));
    assert_eq!(names(&report), ["encrypted_to_own_key"]);
}

#[test]
fn no_explanation_has_the_place_of_a_value_in_it() {
    let codes = Fault::TABLE.iter().map(|row| row.0).chain(JoseFault::CODES.iter().copied());
    for code in codes {
        let report = Report::of_code(code, None, None);
        let text = report.reason.unwrap().text;
        assert!(!text.is_empty() && !text.contains(['{', '}']), "{code}: {text}");
        for finding in report.findings {
            let told = [finding.title, finding.happened, finding.remedy].concat();
            assert!(!told.contains(['{', '}']), "{code}: {told}");
        }
    }
    let kept = Report::of_code("assertion_lifetime", Some("at most 5 seconds"), None);
    assert_eq!(kept.reason.unwrap().text, "at most 5 seconds", "what was told is told again");
}

#[test]
fn code_for_requests_without_an_object_has_no_object_in_it() {
    let world = World::new();
    for (name, value, finding) in [
        ("redirect_uri", "https://evil.example", "redirect_uri"),
        ("response_type", "token", "response_type"),
        ("scope", "profile", "scope"),
    ] {
        let mut pairs = vec![("client_id", "c"), ("redirect_uri", "https://rp.example/cb")];
        pairs.extend([("response_type", "code"), ("scope", "openid")]);
        pairs.iter_mut().filter(|pair| pair.0 == name).for_each(|pair| pair.1 = value);
        let report = world.explain(&query(&pairs));
        let found = report.findings.iter().find(|one| one.id == finding).unwrap();
        let code: String = found.code.iter().map(|snippet| snippet.code).collect();
        assert!(code.contains("buildAuthorizationUrl(") && !code.contains("claims"), "{name}: {code}");
        let report = world.explain(&signed(&json!({ name: value })));
        let found = report.findings.iter().find(|one| one.id == finding).unwrap();
        assert!(found.code.iter().any(|snippet| snippet.code.contains("WithJAR")), "{name}");
    }
}

#[test]
fn every_reason_of_the_request_path_has_a_remedy_and_every_code_of_the_table_exists() {
    let own: Vec<&str> = Fault::TABLE.iter().map(|row| row.0).collect();
    for mistake in mistakes() {
        for code in mistake.codes {
            assert!(own.contains(code) || JoseFault::CODES.contains(code), "{}: {code}", mistake.id);
        }
    }
    let makers = ["seal_header", "seal_failed", "sign_failed"];
    let wires = [
        "invalid_request_object",
        "invalid_request_uri",
        "invalid_scope",
        "unsupported_response_type",
        "invalid_client",
        "invalid_grant",
        "unsupported_grant_type",
        "unauthorized_client",
    ];
    // Of tokens, not of requests.
    let elsewhere = ["grant_scope_exceeded", "scope_needs_user"];
    let of_requests = Fault::TABLE.iter().filter(|row| wires.contains(&row.1)).map(|row| row.0);
    let codes = JoseFault::CODES.iter().copied().filter(|code| !makers.contains(code)).chain(of_requests);
    for code in codes.filter(|code| !elsewhere.contains(code)) {
        let report = Report::of_code(code, None, None);
        assert!(!report.findings.is_empty(), "{code} has no remedy");
        assert!(!report.accepted);
    }
}
