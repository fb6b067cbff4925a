//! The request-object validator with real keys.

mod common;

use common::*;
use serde_json::{Value, json};
use signet_core::authorize::RequestSource;
use signet_core::fault::Fault;
use signet_core::records::{Client, ClientKey};
use signet_core::request_object::{ObjectRequest, Policy, judge, open};
use signet_jose::{KeyAlg, KeySpec, KeyUse, SigAlg, Trace, Verdict};

fn run(token: &str, client: &Client, keys: &[ClientKey], now: i64) -> (Result<ObjectRequest, Fault>, Trace) {
    let mut trace = Trace::new();
    let tenant = tenant();
    let judged = open(token, &decryption_keys(), &tenant.settings, &mut trace).and_then(|opened| {
        let policy = Policy {
            client,
            keys,
            verifier: &verifier,
            issuer: &tenant.issuer,
            tenant: &tenant.settings,
            now,
        };
        judge(opened, &policy, &mut trace)
    });
    (judged, trace)
}

fn keys() -> Vec<ClientKey> {
    vec![record(rp_sig(), KeyUse::Sig)]
}

fn code(token: &str) -> &'static str {
    code_for(token, &client("c"), &keys())
}

fn code_for(token: &str, client: &Client, keys: &[ClientKey]) -> &'static str {
    let (judged, trace) = run(token, client, keys, NOW);
    match judged {
        Ok(_) => {
            assert_eq!(trace.first_failure(), None);
            "ok"
        }
        Err(fault) => {
            assert!(trace.first_failure().is_some(), "{fault} leaves a check in the trace");
            fault.code()
        }
    }
}

#[test]
fn both_kinds_are_accepted_and_told_apart_a11() {
    for (token, source) in
        [(sign(&object()), RequestSource::Signed), (nested(&object()), RequestSource::Nested)]
    {
        let (judged, trace) = run(&token, &client("c"), &keys(), NOW);
        let accepted = judged.unwrap();
        assert_eq!(accepted.source, source);
        assert_eq!(accepted.jti, Some(("j-1".into(), NOW + 600)));
        assert_eq!(accepted.claims.str("state"), Some("inside"));
        assert!(trace.checks.iter().all(|check| check.verdict != Verdict::Fail));
        assert!(trace.checks.iter().any(|check| check.rule == "signature"));
    }
}

#[test]
fn every_other_form_is_refused_a13_to_a16() {
    let claims = serde_json::to_vec(&object()).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", sign(&object()).split('.').nth(1).unwrap());
    let kid = "op-enc-RSA-OAEP-256";
    for (token, expected) in [
        (seal_with(kid, Some("JWT"), &claims), "jwe_content_not_jws"),
        (seal_with(kid, Some("JWT"), nested(&object()).as_bytes()), "jwe_in_jwe"),
        (seal_with(kid, Some("JWT"), unsigned.as_bytes()), "alg_none"),
        (unsigned, "alg_none"),
        (seal_with(kid, Some("json"), sign(&object()).as_bytes()), "object_cty"),
        (serde_json::to_string(&object()).unwrap(), "json_serialization"),
        ("a.b".into(), "segments"),
        (String::new(), "segments"),
    ] {
        assert_eq!(code(&token), expected);
    }
}

#[test]
fn cty_may_be_absent_a29() {
    assert_eq!(code(&seal_with("op-enc-RSA-OAEP-256", None, sign(&object()).as_bytes())), "ok");
    assert_eq!(code(&seal_with("op-enc-RSA-OAEP-256", Some("jwt"), sign(&object()).as_bytes())), "ok");
}

#[test]
fn decryption_uses_the_named_key_and_fails_with_one_text_a27_a51() {
    let jws = sign(&object());
    let unknown = seal_with("somebody-else", Some("JWT"), jws.as_bytes());
    // The kid of the entry for the other algorithm of the same key.
    let other_alg = seal_with("op-enc-RSA-OAEP", Some("JWT"), jws.as_bytes());
    let mut broken = nested(&object());
    broken.truncate(broken.rfind('.').unwrap());
    let tag = signet_jose::ContentAlg::A128CbcHs256.tag_len();
    broken.push('.');
    broken.push_str(&"A".repeat(tag * 4 / 3 + 1));
    let mut texts = std::collections::BTreeSet::new();
    for (token, expected) in [
        (&unknown, "undecryptable_key_unknown"),
        (&other_alg, "undecryptable_key_unknown"),
        (&broken, "undecryptable"),
    ] {
        let (judged, trace) = run(token, &client("c"), &keys(), NOW);
        let fault = judged.unwrap_err();
        assert_eq!(fault.code(), expected);
        assert!(trace.first_failure().is_some());
        texts.insert((fault.public(), fault.wire()));
    }
    assert_eq!(texts.len(), 1, "{texts:?}");

    let no_kid = {
        let public = signet_jose::PublicKey::from_jwk(&without_kid()).unwrap();
        let header = signet_jose::SealHeader::new(signet_jose::ContentAlg::A256Gcm);
        public.encrypter(KeyAlg::RsaOaep).unwrap().seal(&header, jws.as_bytes()).unwrap()
    };
    assert_eq!(code(&no_kid), "ok");
}

fn without_kid() -> Value {
    let mut jwk = op_enc().public_key().to_jwk();
    jwk.remove("kid");
    Value::Object(jwk)
}

#[test]
fn claims_are_judged_a30_to_a36_a40_a43_a59() {
    let base = object();
    for (changes, expected) in [
        (json!({}), "ok"),
        (json!({"jti": null}), "ok"),
        (json!({"client_id": null}), "ok"),
        (json!({"aud": ["https://other.example", ISSUER]}), "ok"),
        (json!({"exp": NOW + 6000}), "ok"),
        (json!({"sub": "somebody"}), "ok"),
        (json!({"iss": null}), "iss_missing"),
        (json!({"client_id": null, "iss": null}), "object_client_id_missing"),
        (json!({"iss": "d"}), "object_client_id_mismatch"),
        (json!({"aud": null}), "aud_missing"),
        (json!({"aud": "https://op.example/other"}), "aud_mismatch"),
        (json!({"aud": format!("{ISSUER}/")}), "aud_mismatch"),
        (json!({"iat": null}), "iat_missing"),
        (json!({"exp": null}), "exp_missing"),
        (json!({"exp": NOW - 60}), "token_expired"),
        (json!({"exp": NOW - 59, "iat": NOW - 600}), "ok"),
        (json!({"iat": NOW + 61}), "iat_in_future"),
        (json!({"iat": NOW + 60}), "ok"),
        (json!({"nbf": NOW + 61}), "nbf_in_future"),
        (json!({"exp": NOW + 86_401}), "lifetime_too_long"),
        (json!({"sub": "c"}), "object_sub_is_client"),
        (json!({"request": "x"}), "object_contains_request"),
        (json!({"request_uri": "x"}), "object_contains_request"),
        (json!({"jti": ""}), "object_jti_malformed"),
        (json!({"jti": "x".repeat(256)}), "ok"),
        (json!({"jti": "x".repeat(257)}), "object_jti_malformed"),
        (json!({"jti": 5}), "claim_type"),
        (json!({"client_id": 5}), "claim_type"),
    ] {
        let found = code(&sign(&with(&base, &changes)));
        assert_eq!(found, expected, "{changes}");
    }
}

#[test]
fn only_the_clients_valid_signing_keys_verify_a46_a81_to_a83() {
    let token = sign(&object());
    let good = record(rp_sig(), KeyUse::Sig);
    let client = client("c");
    let key = |change: fn(&mut ClientKey)| {
        let mut key = record(rp_sig(), KeyUse::Sig);
        change(&mut key);
        key
    };
    let as_enc = record(rp_sig(), KeyUse::Enc);
    for (keys, expected) in [
        (vec![], "object_key_missing"),
        (vec![as_enc], "object_key_missing"),
        (vec![key(|k| k.not_after = Some(NOW))], "object_key_missing"),
        (vec![key(|k| k.not_before = Some(NOW + 1))], "object_key_missing"),
        (vec![key(|k| k.revoked_at = Some(NOW))], "object_key_missing"),
        (vec![record(common::key("other", KeySpec::Rsa2048), KeyUse::Sig)], "jws_key_unknown"),
        (vec![record(rp_enc(), KeyUse::Enc), good], "ok"),
    ] {
        let found = code_for(&token, &client, &keys);
        assert_eq!(found, expected);
    }
    // Same kid, other material.
    let imposter = common::key("other", KeySpec::Rsa2048).clone().with_kid("rp-sig");
    let forged = sign_with(&imposter, SigAlg::RS256, None, &object());
    assert_eq!(code_for(&forged, &client, &keys()), "jws_signature_invalid");
}

#[test]
fn client_settings_decide_what_is_demanded_a22_a62() {
    let mut strict = client("c");
    strict.settings.require_encrypted_request_object = true;
    strict.settings.require_jti = true;
    strict.settings.request_object_signing_algs = [SigAlg::RS256].into();
    assert_eq!(code_for(&sign(&object()), &strict, &keys()), "request_object_not_encrypted");
    assert_eq!(code_for(&nested(&object()), &strict, &keys()), "ok");
    assert_eq!(
        code_for(&nested(&with(&object(), &json!({"jti": null}))), &strict, &keys()),
        "object_jti_missing"
    );
    strict.settings.request_object_signing_algs = [SigAlg::PS256].into();
    assert_eq!(code_for(&nested(&object()), &strict, &keys()), "jws_algorithm_not_allowed");
}

#[test]
fn typ_is_optional_but_not_another_messages_a43() {
    for (typ, expected) in [
        (Some("oauth-authz-req+jwt"), "ok"),
        (Some("JWT"), "ok"),
        (None, "ok"),
        (Some("client-authentication+jwt"), "typ_mismatch"),
        (Some("dpop+jwt"), "typ_mismatch"),
    ] {
        assert_eq!(code(&sign_with(rp_sig(), SigAlg::RS256, typ, &object())), expected, "{typ:?}");
    }
}

#[test]
fn the_claim_of_the_jti_is_scoped_and_lasts_a52_a55_a57() {
    let of = |id: &str, exp: i64| {
        let (judged, _) = run(&sign(&with(&object(), &json!({"exp": exp}))), &client("c"), &keys(), NOW);
        judged.unwrap().claim(&client(id), 60, NOW).unwrap()
    };
    assert_eq!(of("c", NOW + 600), of("c", NOW + 600));
    assert_ne!(of("c", NOW + 600).key, of("d", NOW + 600).key);
    assert_eq!(of("c", NOW + 600).until, NOW + 86_401);
    assert_eq!(of("c", NOW + 86_400).until, NOW + 86_461);
}

#[test]
fn a_client_may_be_excused_from_times_but_those_that_are_there_count_core_6_1() {
    let mut client = client("c");
    let undated = with(&object(), &json!({ "iat": null, "exp": null }));
    assert_eq!(code(&sign(&undated)), "exp_missing");
    client.settings.require_request_object_times = false;
    let judge = |changes: Value| code_for(&sign(&with(&undated, &changes)), &client, &keys());
    assert_eq!(judge(json!({})), "ok");
    assert_eq!(judge(json!({ "exp": NOW - 61 })), "token_expired");
    assert_eq!(judge(json!({ "nbf": NOW + 61 })), "nbf_in_future");
    assert_eq!(judge(json!({ "iat": NOW + 61 })), "iat_in_future");
    assert_eq!(judge(json!({ "exp": NOW + 86_401 })), "lifetime_too_long");
    assert_eq!(judge(json!({ "aud": null })), "aud_missing");
    assert_eq!(judge(json!({ "iss": "other", "client_id": null })), "iss_mismatch");
    // A jti is single-use all the same, for the plain window.
    let (judged, _) = run(&sign(&undated), &client, &keys(), NOW);
    let claim = judged.unwrap().claim(&client, 60, NOW).unwrap();
    assert_eq!(claim.until, NOW + signet_core::replay::WINDOW + 1);
}
