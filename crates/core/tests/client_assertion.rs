//! Client assertions with real keys (RFC 7523 section 3, OpenID Connect Core section 9; ).

mod common;

use common::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use signet_core::client_assertion::{
    AcceptedAssertion, AssertionPolicy, AssertionProof, MAX_LIFETIME, judge, keys_may_be_stale, named_client,
    open,
};
use signet_core::fault::Fault;
use signet_core::records::{AssertionAudience, ClientKey, ReplayKind};
use signet_core::replay;
use signet_core::request_object;
use signet_jose::{KeySpec, KeyUse, SigAlg, Signer, Trace, Verdict, Verifier};

const TOKEN: &str = "https://op.example/t/token";
const PAR: &str = "https://op.example/t/par";
const LONG_SECRET: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn assertion() -> Value {
    json!({ "iss": "c", "sub": "c", "aud": ISSUER, "iat": NOW, "exp": NOW + 60, "jti": "j-1" })
}

fn keys() -> Vec<ClientKey> {
    vec![record(rp_sig(), KeyUse::Sig)]
}

struct Case<'a> {
    proof: AssertionProof<'a>,
    alg: Option<SigAlg>,
    audience: AssertionAudience,
}

fn private(keys: &[ClientKey]) -> Case<'_> {
    Case {
        proof: AssertionProof::PrivateKey { keys, verifier: &verifier },
        alg: None,
        audience: AssertionAudience::IssuerOrEndpoint,
    }
}

fn run(token: &str, case: &Case<'_>) -> (Result<AcceptedAssertion, Fault>, Trace) {
    let mut trace = Trace::new();
    let policy = AssertionPolicy {
        tenant: &"t".into(),
        client_id: &"c".into(),
        proof: case.proof,
        alg: case.alg,
        issuer: ISSUER,
        token_endpoint: TOKEN,
        endpoint: PAR,
        audience: case.audience,
        now: NOW,
        skew: 60,
    };
    let judged = open(token, &decryption_keys(), &mut trace)
        .and_then(|opened| judge(&opened.jws, &policy, &mut trace));
    (judged, trace)
}

fn code_with(token: &str, case: &Case<'_>) -> &'static str {
    let (judged, trace) = run(token, case);
    match judged {
        Ok(_) => {
            assert_eq!(trace.first_failure(), None);
            "ok"
        }
        Err(fault) => {
            assert!(trace.first_failure().is_some(), "{fault} leaves a check in the trace");
            assert_eq!((fault.wire(), fault.status()), ("invalid_client", 401), "RFC 7521 section 4.2.1");
            fault.code()
        }
    }
}

fn code(token: &str) -> &'static str {
    code_with(token, &private(&keys()))
}

#[test]
fn signed_and_nested_assertions_are_accepted_a104_a105() {
    for (token, checks) in [(sign(&assertion()), 0), (nested(&assertion()), 1)] {
        let keys = keys();
        let (judged, trace) = run(&token, &private(&keys));
        let accepted = judged.unwrap();
        assert_eq!(accepted.client_id().as_str(), "c");
        assert_eq!((accepted.alg(), accepted.kid()), (SigAlg::RS256, Some("rp-sig")));
        let decrypted = trace.checks.iter().filter(|check| check.rule == "jwe_decrypt").count();
        assert_eq!(decrypted, checks);
        for rule in ["form", "jws_algorithm", "signature", "iss", "aud", "exp", "sub", "lifetime", "jti"] {
            let check = trace.checks.iter().find(|check| check.rule == rule);
            assert_eq!(check.map(|check| check.verdict), Some(Verdict::Pass), "{rule}");
        }
    }
}

#[test]
fn the_jti_is_single_use_in_its_own_memory_openid_connect_core_9() {
    let keys = keys();
    let replay_of = |claims: &Value| run(&sign(claims), &private(&keys)).0.unwrap().replay().clone();
    let first = replay_of(&assertion());
    let expected =
        replay::claim(&"t".into(), &"c".into(), ReplayKind::ClientAssertion, "j-1", NOW + 60, 60, NOW);
    assert_eq!(first, expected);
    assert_eq!(first, replay_of(&assertion()));
    assert_ne!(first.key, replay_of(&with(&assertion(), &json!({"jti": "j-2"}))).key);
    // The jti of a request object is another thing.
    let object = replay::claim(&"t".into(), &"c".into(), ReplayKind::RequestObject, "j-1", NOW + 60, 60, NOW);
    assert_ne!(first.key, object.key);
    // Remembered as long as it could be accepted.
    let longest = replay_of(&with(&assertion(), &json!({"exp": NOW + MAX_LIFETIME + 60})));
    assert!(longest.until > NOW + MAX_LIFETIME + 60 + 60);
}

#[test]
fn every_claim_is_judged_rfc7523_3() {
    for (changes, expected) in [
        (json!({}), "ok"),
        (json!({"iat": null}), "ok"),
        (json!({"client_id": "c", "nonce": "n"}), "ok"),
        (json!({"iss": null}), "assertion_iss"),
        (json!({"iss": "d"}), "assertion_iss"),
        (json!({"iss": "C"}), "assertion_iss"),
        (json!({"iss": 5}), "assertion_iss"),
        (json!({"sub": null}), "assertion_sub"),
        (json!({"sub": "d"}), "assertion_sub"),
        (json!({"sub": ""}), "assertion_sub"),
        (json!({"sub": ["c"]}), "assertion_sub"),
        (json!({"iss": "d", "sub": "d"}), "assertion_iss"),
        (json!({"aud": null}), "assertion_audience"),
        (json!({"aud": []}), "assertion_audience"),
        (json!({"aud": {"x": ISSUER}}), "assertion_audience"),
        (json!({"aud": "https://op.example/other"}), "assertion_audience"),
        (json!({"exp": null}), "assertion_exp_missing"),
        (json!({"exp": NOW - 60}), "assertion_expired"),
        (json!({"exp": NOW - 300}), "assertion_expired"),
        (json!({"exp": NOW - 59}), "ok"),
        (json!({"exp": NOW + MAX_LIFETIME + 60}), "ok"),
        (json!({"exp": NOW + MAX_LIFETIME + 61}), "assertion_lifetime"),
        (json!({"exp": NOW + MAX_LIFETIME + 61, "iat": NOW + 60}), "assertion_lifetime"),
        (json!({"exp": 1_u64 << 53}), "assertion_lifetime"),
        (json!({"exp": "soon"}), "assertion_malformed"),
        (json!({"exp": -1}), "assertion_malformed"),
        (json!({"exp": 1e300}), "assertion_malformed"),
        (json!({"iat": NOW + 60}), "ok"),
        (json!({"iat": NOW + 61}), "assertion_not_yet_valid"),
        (json!({"iat": NOW - 100_000}), "ok"),
        (json!({"nbf": NOW + 8}), "ok"),
        (json!({"nbf": NOW + 61}), "assertion_not_yet_valid"),
        (json!({"jti": null}), "assertion_jti"),
        (json!({"jti": ""}), "assertion_jti"),
        (json!({"jti": 5}), "assertion_jti"),
        (json!({"jti": "x".repeat(256)}), "ok"),
        (json!({"jti": "x".repeat(257)}), "assertion_jti"),
        (json!({"jti": "é".repeat(129)}), "assertion_jti"),
    ] {
        let claims = with(&assertion(), &changes);
        assert_eq!(code(&sign(&claims)), expected, "{changes}");
        assert_eq!(code(&nested(&claims)), expected, "nested {changes}");
    }
    // A null is no jti and no subject.
    let mut null = assertion();
    null["jti"] = Value::Null;
    assert_eq!(code(&sign(&null)), "assertion_jti");
}

#[test]
fn the_audience_follows_the_policy_openid_connect_core_9_fapi_2_5_3_2_1() {
    use AssertionAudience::{IssuerOnly, IssuerOrEndpoint};
    let wrong = "assertion_audience";
    for (aud, either, only) in [
        (json!(ISSUER), "ok", "ok"),
        (json!(TOKEN), "ok", wrong),
        (json!(PAR), "ok", wrong),
        (json!([ISSUER]), "ok", wrong),
        (json!([ISSUER, TOKEN]), "ok", wrong),
        (json!(["https://other.example", PAR]), "ok", wrong),
        (json!(["https://other.example"]), wrong, wrong),
        (json!(format!("{ISSUER}/")), wrong, wrong),
        (json!(format!("{TOKEN}/")), wrong, wrong),
        (json!(format!("{ISSUER}/introspect")), wrong, wrong),
        (json!("HTTPS://op.example/t"), wrong, wrong),
    ] {
        let token = sign(&with(&assertion(), &json!({ "aud": aud })));
        let keys = keys();
        for (audience, expected) in [(IssuerOrEndpoint, either), (IssuerOnly, only)] {
            assert_eq!(
                code_with(&token, &Case { audience, ..private(&keys) }),
                expected,
                "{aud} {audience:?}"
            );
        }
    }
    let keys = keys();
    let token = sign(&with(&assertion(), &json!({ "aud": TOKEN })));
    let fault = run(&token, &Case { audience: IssuerOnly, ..private(&keys) }).0.unwrap_err();
    assert!(fault.public().contains(ISSUER), "the text says what is wanted: {}", fault.public());
}

#[test]
fn typ_is_optional_but_not_another_messages_rfc8725_3_11() {
    for (typ, expected) in [
        (None, "ok"),
        (Some("JWT"), "ok"),
        (Some("jwt"), "ok"),
        (Some("client-authentication+jwt"), "ok"),
        (Some("application/client-authentication+jwt"), "ok"),
        (Some("oauth-authz-req+jwt"), "assertion_typ"),
        (Some("dpop+jwt"), "assertion_typ"),
        (Some("at+jwt"), "assertion_typ"),
        (Some(""), "assertion_typ"),
    ] {
        assert_eq!(code(&sign_with(rp_sig(), SigAlg::RS256, typ, &assertion())), expected, "{typ:?}");
    }
}

#[test]
fn request_objects_and_assertions_do_not_pass_as_each_other_rfc9101_10_8() {
    // A request object, untyped and signed with the same key, has no sub.
    assert_eq!(code(&sign(&object())), "assertion_sub");
    assert_eq!(
        code(&sign_with(rp_sig(), SigAlg::RS256, Some("oauth-authz-req+jwt"), &object())),
        "assertion_typ"
    );
    // An assertion, even one with the parameters of a request, is no request object.
    let mixed = with(&object(), &json!({ "sub": "c" }));
    assert_eq!(code(&sign(&mixed)), "ok");
    for token in [sign(&assertion()), sign(&mixed), nested(&mixed)] {
        let (tenant, client, keys, mut trace) = (tenant(), client("c"), keys(), Trace::new());
        let opened = request_object::open(&token, &decryption_keys(), &tenant.settings, &mut trace).unwrap();
        let policy = request_object::Policy {
            client: &client,
            keys: &keys,
            verifier: &verifier,
            issuer: ISSUER,
            tenant: &tenant.settings,
            now: NOW,
        };
        let fault = request_object::judge(opened, &policy, &mut trace).unwrap_err();
        assert_eq!(fault, Fault::ObjectSubIsClient);
    }
}

#[test]
fn the_method_and_the_registered_algorithm_decide_rfc8725_3_1() {
    let keys = keys();
    let secret = Verifier::hmac(LONG_SECRET, SigAlg::HS256).unwrap();
    let hs256 = Signer::hmac(LONG_SECRET, SigAlg::HS256).unwrap();
    let by_secret = hs256.sign(None, &serde_json::to_vec(&assertion()).unwrap()).unwrap();
    let rs256 = sign(&assertion());
    let ps256 = sign_with(rp_sig(), SigAlg::PS256, None, &assertion());
    let proof_key = private(&keys).proof;
    let proof_secret = AssertionProof::Secret(Some(&secret));
    let bad = "assertion_algorithm";
    for (token, proof, alg, expected) in [
        (&rs256, proof_key, None, "ok"),
        (&ps256, proof_key, None, "ok"),
        (&rs256, proof_key, Some(SigAlg::RS256), "ok"),
        (&rs256, proof_key, Some(SigAlg::PS256), bad),
        (&ps256, proof_key, Some(SigAlg::RS256), bad),
        (&rs256, proof_key, Some(SigAlg::HS256), bad),
        (&by_secret, proof_key, None, bad),
        (&by_secret, proof_key, Some(SigAlg::HS256), bad),
        (&by_secret, proof_secret, None, "ok"),
        (&by_secret, proof_secret, Some(SigAlg::HS256), "ok"),
        (&by_secret, proof_secret, Some(SigAlg::HS512), bad),
        (&rs256, proof_secret, None, bad),
        (&rs256, AssertionProof::Secret(None), None, bad),
        (&by_secret, AssertionProof::Secret(None), None, "assertion_secret_missing"),
    ] {
        let case = Case { proof, alg, audience: AssertionAudience::IssuerOrEndpoint };
        assert_eq!(code_with(token, &case), expected, "{proof:?} {alg:?}");
    }
    let other = Signer::hmac(&LONG_SECRET[1..], SigAlg::HS256).unwrap();
    let forged = other.sign(None, &serde_json::to_vec(&assertion()).unwrap()).unwrap();
    let case = Case { proof: proof_secret, alg: None, audience: AssertionAudience::IssuerOrEndpoint };
    assert_eq!(code_with(&forged, &case), "assertion_signature");
    // The nested form as well.
    let sealed = seal_with("op-enc-RSA-OAEP-256", Some("JWT"), by_secret.as_bytes());
    assert_eq!(code_with(&sealed, &case), "ok");
}

#[test]
fn no_public_key_passes_as_a_secret_rfc8725_2_1() {
    let keys = keys();
    let public = rp_sig().public_key();
    let jwk = serde_json::to_vec(&public.to_jwk()).unwrap();
    let registered = serde_json::to_vec(&keys[0].jwk).unwrap();
    for secret in [jwk.as_slice(), &registered, keys[0].thumbprint.as_bytes()] {
        for alg in [SigAlg::HS256, SigAlg::HS384, SigAlg::HS512] {
            let Ok(signer) = Signer::hmac(secret, alg) else { continue };
            let forged = signer.sign(None, &serde_json::to_vec(&assertion()).unwrap()).unwrap();
            assert_eq!(code_with(&forged, &private(&keys)), "assertion_algorithm");
        }
    }
}

#[test]
fn only_the_clients_valid_signing_keys_verify_a81_to_a83() {
    let token = sign(&assertion());
    let key = |change: fn(&mut ClientKey)| {
        let mut key = record(rp_sig(), KeyUse::Sig);
        change(&mut key);
        key
    };
    let other = || record(common::key("other", KeySpec::Rsa2048), KeyUse::Sig);
    for (keys, expected) in [
        (vec![], "assertion_key_missing"),
        (vec![record(rp_sig(), KeyUse::Enc)], "assertion_key_missing"),
        (vec![key(|k| k.not_after = Some(NOW))], "assertion_key_missing"),
        (vec![key(|k| k.not_before = Some(NOW + 1))], "assertion_key_missing"),
        (vec![key(|k| k.revoked_at = Some(NOW))], "assertion_key_missing"),
        (vec![other()], "assertion_key_unknown"),
        (vec![other(), key(|k| k.revoked_at = Some(NOW))], "assertion_key_unknown"),
        (vec![other(), key(|_| ())], "ok"),
    ] {
        assert_eq!(code_with(&token, &private(&keys)), expected);
        // All of these are worth a look at the client's jwks_uri.
        if let Err(fault) = run(&token, &private(&keys)).0 {
            assert!(keys_may_be_stale(&fault));
        }
    }
    // A wrong signature under a known kid is not: fetching would change nothing, and cost.
    let imposter = common::key("other", KeySpec::Rsa2048).clone().with_kid("rp-sig");
    let forged = sign_with(&imposter, SigAlg::RS256, None, &assertion());
    assert_eq!(code(&forged), "assertion_signature");
    assert!(!keys_may_be_stale(&Fault::AssertionSignature));
}

/// The record of a key that was registered without `kid`: its thumbprint is its name here.
fn unnamed(key: &signet_jose::PrivateKey) -> ClientKey {
    let mut record = record(key, KeyUse::Sig);
    record.jwk.remove("kid");
    record.kid.clone_from(&record.thumbprint);
    record
}

#[test]
fn keys_and_assertions_without_kid_openid_connect_core_10_1() {
    let other = common::key("other", KeySpec::Rsa2048);
    let without_kid = {
        let mut jwk: Value = serde_json::from_str(&rp_sig().to_jwk().unwrap()).unwrap();
        jwk.as_object_mut().unwrap().remove("kid");
        signet_jose::PrivateKey::from_jwk(&jwk.to_string()).unwrap()
    };
    let silent = sign_with(&without_kid, SigAlg::RS256, None, &assertion());
    let named = sign(&assertion());
    let thumbprint = rp_sig().public_key().thumbprint();
    let by_thumbprint =
        sign_with(&without_kid.clone().with_kid(thumbprint), SigAlg::RS256, None, &assertion());
    for (keys, token, expected) in [
        (vec![record(rp_sig(), KeyUse::Sig)], &silent, "ok"),
        (vec![unnamed(other), record(rp_sig(), KeyUse::Sig)], &silent, "ok"),
        (vec![unnamed(other), unnamed(rp_sig())], &silent, "ok"),
        (vec![unnamed(rp_sig())], &named, "ok"),
        (vec![unnamed(other), unnamed(rp_sig())], &by_thumbprint, "ok"),
        (vec![unnamed(other)], &silent, "assertion_key_unknown"),
        (vec![unnamed(other)], &named, "assertion_key_unknown"),
        (vec![record(common::key("ec", KeySpec::P256), KeyUse::Sig)], &silent, "assertion_key_unknown"),
    ] {
        assert_eq!(code_with(token, &private(&keys)), expected);
    }
}

#[test]
fn every_other_form_is_refused() {
    let claims = serde_json::to_vec(&assertion()).unwrap();
    let unsigned = signet_jose::unsigned(None, &claims);
    let kid = "op-enc-RSA-OAEP-256";
    let mut texts = std::collections::BTreeSet::new();
    for (token, found) in [
        (unsigned.clone(), "unsigned tokens"),
        (unsigned.replacen("eyJhbGciOiJub25lIn0", "eyJhbGciOiJuT25FIn0", 1), "unsigned tokens"),
        (seal_with(kid, Some("JWT"), unsigned.as_bytes()), "unsigned tokens"),
        (seal_with(kid, Some("JWT"), &claims), "not a signed token"),
        (seal_with(kid, Some("JWT"), nested(&assertion()).as_bytes()), "encrypted again"),
        (seal_with(kid, Some("json"), sign(&assertion()).as_bytes()), "cty"),
        (seal_with("unknown", Some("JWT"), sign(&assertion()).as_bytes()), "cannot be decrypted"),
        (serde_json::to_string(&assertion()).unwrap(), "JSON serialization"),
        ("a.b".into(), "segments"),
        (String::new(), "segments"),
    ] {
        assert_eq!(code(&token), "assertion_malformed", "{found}");
        let text = run(&token, &private(&keys())).0.unwrap_err().public();
        assert!(text.contains(found), "{text}");
        texts.insert(text);
    }
    assert!(texts.len() >= 7, "each says what is wrong");
}

#[test]
fn the_assertion_names_its_client_rfc7521_4_2() {
    let named = |changes: Value| {
        let opened = open(&sign(&with(&assertion(), &changes)), &[], &mut Trace::new()).unwrap();
        let mut trace = Trace::new();
        let result = named_client(&opened.jws, &mut trace);
        assert_eq!(trace.first_failure().is_some(), result.is_err());
        result.map_or_else(|fault| fault.code().to_owned(), |id| id.to_string())
    };
    assert_eq!(named(json!({})), "c");
    // What is missing is said by the judgement that follows.
    assert_eq!(named(json!({"iss": null})), "c");
    assert_eq!(named(json!({"sub": null})), "c");
    assert_eq!(named(json!({"client_id": "d"})), "c");
    assert_eq!(named(json!({"iss": "d"})), "assertion_names_no_client");
    assert_eq!(named(json!({"iss": null, "sub": null})), "assertion_names_no_client");
    assert_eq!(named(json!({"iss": 1})), "assertion_malformed");
    assert_eq!(named(json!({"sub": {}})), "assertion_malformed");
}

#[test]
fn one_clients_assertion_is_nothing_to_another() {
    // Judged with the keys of c, as the parameter client_id=c demands.
    let of_d = sign(&with(&assertion(), &json!({"iss": "d", "sub": "d"})));
    assert_eq!(code(&of_d), "assertion_iss");
    let mixed = sign(&with(&assertion(), &json!({"sub": "d"})));
    assert_eq!(code(&mixed), "assertion_sub");
}

fn valid() -> &'static [String; 3] {
    static TOKENS: std::sync::OnceLock<[String; 3]> = std::sync::OnceLock::new();
    TOKENS.get_or_init(|| {
        let ec = common::key("ec", KeySpec::P256);
        [sign(&assertion()), sign_with(ec, SigAlg::ES256, Some("JWT"), &assertion()), nested(&assertion())]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_valid_assertion_is_accepted(
        which in 0_usize..3, kind in 0_usize..4, place in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        let token = &valid()[which];
        let place = place.index(token.len());
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
        let letter = char::from(alphabet[usize::from(with) % alphabet.len()]);
        let changed = match kind {
            0 => format!("{}{letter}{}", &token[..place], &token[place + 1..]),
            1 => format!("{}{letter}{}", &token[..place], &token[place..]),
            2 => format!("{}{}", &token[..place], &token[place + 1..]),
            _ => token[..place].to_owned(),
        };
        let keys = [record(rp_sig(), KeyUse::Sig), record(common::key("ec", KeySpec::P256), KeyUse::Sig)];
        if changed != *token {
            let (judged, trace) = run(&changed, &private(&keys));
            prop_assert!(judged.is_err());
            prop_assert!(trace.first_failure().is_some());
        }
    }

    /// Whatever a client signs: what is accepted names it, ends in time and has a jti.
    #[test]
    fn whatever_is_accepted_keeps_the_rules(
        iss in prop_oneof![Just(json!("c")), Just(json!("d")), Just(json!(1))],
        sub in prop_oneof![Just(json!("c")), Just(json!("d")), Just(Value::Null)],
        life in -200_i64..200_000,
        jti in prop_oneof![Just(json!("j")), Just(json!("")), Just(Value::Null), Just(json!([1]))],
    ) {
        let claims = json!({ "iss": iss, "sub": sub, "aud": ISSUER, "exp": NOW + life, "jti": jti });
        let keys = keys();
        let (judged, _) = run(&sign(&claims), &private(&keys));
        let fits = iss == "c" && sub == "c" && life > -60 && life <= MAX_LIFETIME + 60 && jti == "j";
        prop_assert_eq!(judged.is_ok(), fits);
        if let Ok(accepted) = judged {
            prop_assert!(accepted.replay().until > NOW + life + 60);
        }
    }
}
