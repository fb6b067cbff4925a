//! What `verify` demands of the claims, by property and by table.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{AUDIENCE, ISSUER, NOW, SECRET, as_jws, bytes, claims, expect, judge};
use proptest::prelude::*;
use serde_json::{Value, json};
use signet_jose::*;

fn verdict(claims: &Value, expect: &Expect<'_>) -> (&'static str, Trace) {
    let token = Signer::hmac(SECRET, SigAlg::HS256).unwrap().sign(None, &bytes(claims)).unwrap();
    let mut trace = Trace::new();
    let key = Verifier::hmac(SECRET, SigAlg::HS256).unwrap();
    let result = verify(&as_jws(&token).unwrap(), &[&key], expect, &mut trace);
    (result.map_or_else(|fault| fault.code(), |_| "ok"), trace)
}

/// A time around now, or absent.
fn time() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        1 => Just(None),
        6 => (-200_i64..200).prop_map(|offset| Some(NOW + offset)),
        2 => (-9000_i64..9000).prop_map(|offset| Some(NOW + offset)),
        1 => (0_i64..=1 << 53).prop_map(Some),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn time_windows(
        exp in time(), nbf in time(), iat in time(),
        skew in 0_i64..120,
        max_lifetime in proptest::option::of(0_i64..9000),
        max_age in proptest::option::of(0_i64..9000),
    ) {
        let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE });
        for (name, value) in [("exp", exp), ("nbf", nbf), ("iat", iat)] {
            if let Some(value) = value {
                claims[name] = json!(value);
            }
        }
        let expect = Expect { skew, max_lifetime, max_age, require: &[], ..expect(SigAlg::ALL) };
        // RFC 7519 sections 4.1.4 to 4.1.6, in the order in which they are judged.
        let wanted = match (exp, nbf, iat) {
            (None, _, _) => "exp_missing",
            (Some(exp), _, _) if exp + skew <= NOW => "token_expired",
            (_, Some(nbf), _) if nbf > NOW + skew => "nbf_in_future",
            (_, _, None) if max_age.is_some() => "iat_missing",
            (_, _, Some(iat)) if iat > NOW + skew => "iat_in_future",
            (Some(exp), _, iat) if max_lifetime.is_some_and(|limit| exp - iat.unwrap_or(NOW) > limit) => {
                "lifetime_too_long"
            }
            (_, _, Some(iat)) if max_age.is_some_and(|limit| NOW - iat > limit + skew) => "token_too_old",
            _ => "ok",
        };
        let (code, trace) = verdict(&claims, &expect);
        prop_assert_eq!(code, wanted, "{:?}", trace);
        // The trace and the verdict never disagree.
        prop_assert_eq!(trace.first_failure().is_none(), code == "ok");
    }

    #[test]
    fn audiences(
        aud in prop_oneof![
            proptest::collection::vec("[a-c]", 0..4).prop_map(|many| json!(many)),
            "[a-c]{0,2}".prop_map(|one| json!(one)),
        ],
        expected in proptest::collection::vec("[a-c]", 0..3),
    ) {
        let mut claims = claims();
        claims["aud"] = aud.clone();
        let wanted: Vec<&str> = expected.iter().map(String::as_str).collect();
        let said: Vec<&str> = match &aud {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let code = if said.is_empty() {
            "aud_missing"
        } else if said.iter().any(|one| wanted.contains(one)) {
            "ok"
        } else {
            "aud_mismatch"
        };
        prop_assert_eq!(verdict(&claims, &Expect { audiences: &wanted, ..expect(SigAlg::ALL) }).0, code);
    }

    #[test]
    fn times_are_whole_seconds_of_a_json_number(whole in 0_u32..u32::MAX, fraction in 0.0_f64..0.999) {
        let text = format!(r#"{{"exp":{},"iat":{whole}}}"#, f64::from(whole) + fraction);
        let claims = Claims::parse(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(claims.exp(), Ok(Some(i64::from(whole))));
        prop_assert_eq!(claims.iat(), Ok(Some(i64::from(whole))));
    }

    #[test]
    fn claims_parse_or_are_refused(text in "\\PC{0,200}") {
        let parsed = Claims::parse(text.as_bytes(), &Limits::default());
        let serde: Result<serde_json::Map<String, Value>, _> = serde_json::from_str(&text);
        prop_assert!(parsed.is_err() || serde.is_ok(), "never laxer than JSON");
    }

    #[test]
    fn any_text_parses_or_is_refused(text in "[-_A-Za-z0-9.{}\" =+/]{0,300}") {
        if let Err(fault) = parse(&text, &Limits::default()) {
            prop_assert!(!fault.code().is_empty());
        }
        let _ = parse_nested(text.as_bytes(), &Limits::default());
    }
}

#[test]
fn registered_claims_have_their_types() {
    // RFC 7519 sections 4.1.1, 4.1.2, 4.1.3 and 4.1.7.
    for claim in ["iss", "sub", "aud", "jti"] {
        for value in [json!(1), json!(null), json!(true), json!({}), json!([1]), json!(["a", null])] {
            let mut claims = claims();
            claims[claim] = value.clone();
            assert_eq!(judge(&claims, &expect(SigAlg::ALL)), "claim_type", "{claim} {value}");
        }
    }
    let mut claims = claims();
    claims["iss"] = json!(["client-1"]);
    assert_eq!(judge(&claims, &expect(SigAlg::ALL)), "claim_type");
}

#[test]
fn the_issuer_is_compared_exactly() {
    for iss in ["client-1 ", "Client-1", "client-11", "client-", "", "client-1\u{0}"] {
        let mut claims = claims();
        claims["iss"] = json!(iss);
        assert_eq!(judge(&claims, &expect(SigAlg::ALL)), "iss_mismatch", "{iss:?}");
    }
}

#[test]
fn demanded_claims_must_be_there_and_say_something() {
    for (claim, code) in [("jti", "claim_missing"), ("iat", "iat_missing"), ("exp", "exp_missing")] {
        let mut lacking = claims();
        lacking.as_object_mut().unwrap().remove(claim);
        let expect = Expect { require: &["jti", "iat", "exp"], ..expect(SigAlg::ALL) };
        assert_eq!(judge(&lacking, &expect), code);
    }
    let mut null = claims();
    null["nonce"] = json!(null);
    let expect = Expect { require: &["nonce"], ..expect(SigAlg::ALL) };
    assert_eq!(judge(&null, &expect), "claim_missing");
    null["nonce"] = json!("n");
    assert_eq!(judge(&null, &expect), "ok");
}

#[test]
fn typ_is_compared_without_case_and_prefix() {
    // RFC 7515 section 4.1.9, RFC 8725 section 3.11.
    let signer = Signer::hmac(SECRET, SigAlg::HS256).unwrap();
    let key = Verifier::hmac(SECRET, SigAlg::HS256).unwrap();
    let required = Typ::Required(&["oauth-authz-req+jwt"]);
    let optional = Typ::Optional(&["oauth-authz-req+jwt", "JWT"]);
    for (typ, expected, code) in [
        (Some("oauth-authz-req+jwt"), required, "ok"),
        (Some("application/OAuth-Authz-Req+JWT"), required, "ok"),
        (Some("JWT"), required, "typ_mismatch"),
        (Some(""), required, "typ_mismatch"),
        (None, required, "typ_missing"),
        (None, optional, "ok"),
        (Some("jwt"), optional, "ok"),
        (Some("at+jwt"), optional, "typ_mismatch"),
        (Some("at+jwt"), Typ::Any, "ok"),
    ] {
        let token = signer.sign(typ, &bytes(&claims())).unwrap();
        let expect = Expect { typ: expected, ..expect(SigAlg::ALL) };
        let result = verify(&as_jws(&token).unwrap(), &[&key], &expect, &mut Trace::new());
        assert_eq!(result.map_or_else(|fault| fault.code(), |_| "ok"), code, "{typ:?}");
    }
}

#[test]
fn extreme_limits_do_not_overflow() {
    for now in [0, 1, i64::MAX, i64::MIN] {
        for bound in [0, i64::MAX, i64::MIN] {
            let expect = Expect {
                now,
                skew: bound,
                max_lifetime: Some(bound),
                max_age: Some(bound),
                ..expect(SigAlg::ALL)
            };
            let (_, trace) = verdict(&claims(), &expect);
            assert!(trace.checks.iter().any(|check| check.rule == "lifetime"));
        }
    }
}

#[test]
fn an_expired_token_serves_as_a_hint_and_nothing_else_is_forgiven() {
    for (change, wanted) in [
        (json!({}), "ok"),
        (json!({ "exp": NOW - 1_000_000 }), "ok"),
        (json!({ "exp": null }), "time_invalid"),
        (json!({ "exp": "soon" }), "time_invalid"),
        (json!({ "iat": NOW + 61 }), "iat_in_future"),
        (json!({ "nbf": NOW + 61 }), "nbf_in_future"),
        (json!({ "aud": "other" }), "aud_mismatch"),
        (json!({ "iss": "other" }), "iss_mismatch"),
    ] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let token = Signer::hmac(SECRET, SigAlg::HS256).unwrap().sign(None, &bytes(&claims)).unwrap();
        let key = Verifier::hmac(SECRET, SigAlg::HS256).unwrap();
        let expect = Expect { max_lifetime: None, ..expect(SigAlg::ALL) };
        let verified = verify_expired(&as_jws(&token).unwrap(), &[&key], &expect, &mut Trace::new());
        assert_eq!(verified.map_or_else(|fault| fault.code(), |_| "ok"), wanted, "{change}");
    }
    let mut lacking = claims();
    lacking.as_object_mut().unwrap().remove("exp");
    let token = Signer::hmac(SECRET, SigAlg::HS256).unwrap().sign(None, &bytes(&lacking)).unwrap();
    let key = Verifier::hmac(SECRET, SigAlg::HS256).unwrap();
    let verified = verify_expired(&as_jws(&token).unwrap(), &[&key], &expect(SigAlg::ALL), &mut Trace::new());
    assert_eq!(verified.unwrap_err(), JoseFault::ExpMissing);
}
