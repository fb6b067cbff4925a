//! `id_token_hint` with real keys (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout 1.0 section 2).

mod common;

use std::collections::BTreeSet;

use common::*;
use serde_json::{Value, json};
use signet_core::fault::Fault;
use signet_core::hint::{Hint, HintPolicy, HintSecret, judge, open, tenant_verifier};
use signet_core::ids::ClientId;
use signet_core::records::TenantKey;
use signet_jose::{
    ContentAlg, KeyAlg, KeySpec, KeyUse, PrivateKey, SealHeader, SigAlg, Signer, Trace, Verifier, unsigned,
};

const LONG_SECRET: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn material(name: &'static str, spec: KeySpec) -> &'static PrivateKey {
    common::key(name, spec)
}

/// A key of the tenant that is active at `NOW`.
fn tenant_key(id: &'static str, spec: KeySpec, algs: &[&str]) -> TenantKey {
    let mut public_jwk = material(id, spec).public_key().to_jwk();
    public_jwk.retain(|name, _| !["kid", "use", "alg"].contains(&name.as_str()));
    TenantKey {
        tenant: "t".into(),
        id: id.into(),
        usage: KeyUse::Sig,
        spec,
        algs: algs.iter().map(|alg| (*alg).to_owned()).collect(),
        public_jwk,
        sealed_private: Vec::new(),
        created_at: NOW - 1000,
        use_from: NOW - 900,
        use_until: NOW + 1000,
        remove_at: NOW + 2000,
        revoked_at: None,
    }
}

fn keys() -> Vec<TenantKey> {
    vec![
        tenant_key("op-rsa", KeySpec::Rsa2048, &["RS256"]),
        tenant_key("op-ed", KeySpec::Ed25519, &["EdDSA"]),
    ]
}

/// As the tenant signs.
fn issue(id: &'static str, spec: KeySpec, alg: SigAlg, typ: Option<&str>, claims: &Value) -> String {
    sign_with(&material(id, spec).clone().with_kid(format!("{id}-{alg}")), alg, typ, claims)
}

fn rsa(claims: &Value) -> String {
    issue("op-rsa", KeySpec::Rsa2048, SigAlg::RS256, Some("JWT"), claims)
}

fn id_token() -> Value {
    json!({
        "iss": ISSUER, "sub": "u-7", "aud": "c", "iat": NOW - 10, "exp": NOW + 600, "sid": "s-1", "auth_time": NOW,
    })
}

#[derive(Clone, Copy, Default)]
struct Case<'a> {
    secret: Option<HintSecret<'a>>,
    client_id: Option<&'a ClientId>,
    now: i64,
}

fn run(token: &str, keys: &[TenantKey], case: Case<'_>) -> (Result<Hint, Fault>, Trace) {
    let mut trace = Trace::new();
    let judged = open(token, &decryption_keys(), &mut trace).and_then(|opened| {
        let policy = HintPolicy {
            issuer: ISSUER,
            keys,
            verifier: &tenant_verifier,
            secret: case.secret,
            client_id: case.client_id,
            now: NOW + case.now,
            skew: 60,
        };
        judge(opened, &policy, &mut trace)
    });
    (judged, trace)
}

fn code_with(token: &str, keys: &[TenantKey], case: Case<'_>) -> &'static str {
    let (judged, trace) = run(token, keys, case);
    match judged {
        Ok(_) => {
            assert_eq!(trace.first_failure(), None);
            "ok"
        }
        Err(fault) => {
            assert!(trace.first_failure().is_some(), "{fault} leaves a check in the trace");
            assert_eq!((fault.wire(), fault.status()), ("invalid_request", 400));
            fault.code()
        }
    }
}

fn code(token: &str) -> &'static str {
    code_with(token, &keys(), Case::default())
}

#[test]
fn an_id_token_of_ours_is_accepted_even_expired_openid_connect_core_3_1_2_1() {
    for (changes, encrypted) in
        [(json!({}), false), (json!({"exp": NOW - 400 * 86_400, "iat": NOW - 400 * 86_401}), true)]
    {
        let token = rsa(&with(&id_token(), &changes));
        let sent =
            if encrypted { seal_with("op-enc-RSA-OAEP-256", Some("JWT"), token.as_bytes()) } else { token };
        let hint = run(&sent, &keys(), Case::default()).0.unwrap();
        assert_eq!((hint.sub(), hint.sid(), hint.client_id().as_str()), ("u-7", Some("s-1"), "c"));
        assert_eq!((hint.alg(), hint.encrypted()), (SigAlg::RS256, encrypted));
        assert_eq!(hint.claims().time("auth_time"), Ok(Some(NOW)));
    }
    let ed = issue("op-ed", KeySpec::Ed25519, SigAlg::EdDSA, Some("JWT"), &id_token());
    assert_eq!(code(&ed), "ok");
    let no_sid = run(&rsa(&with(&id_token(), &json!({"sid": null}))), &keys(), Case::default()).0.unwrap();
    assert_eq!(no_sid.sid(), None);
}

#[test]
fn modified_unsigned_and_foreign_hints_are_refused_rp_initiated_logout_2() {
    let token = rsa(&id_token());
    let segments: Vec<&str> = token.split('.').collect();
    let other_claims = rsa(&with(&id_token(), &json!({"sub": "u-8"})));
    let swapped = format!("{}.{}.{}", segments[0], other_claims.split('.').nth(1).unwrap(), segments[2]);
    // Signed by somebody else: under a kid of ours, under another, under none.
    let foreign = material("foreign", KeySpec::Rsa2048);
    let under = |kid: &str| sign_with(&foreign.clone().with_kid(kid), SigAlg::RS256, None, &id_token());
    let none = unsigned(Some("JWT"), &serde_json::to_vec(&id_token()).unwrap());
    let odd_none = none.replacen(none.split('.').next().unwrap(), "eyJhbGciOiJuT25FIn0", 1);
    let stripped = format!("{}.{}.", segments[0], segments[1]);
    for (token, expected) in [
        (&token, "ok"),
        (&swapped, "hint_forged"),
        (&under("op-rsa-RS256"), "hint_forged"),
        (&under("foreign"), "hint_key_unknown"),
        (&none, "hint_malformed"),
        (&odd_none, "hint_malformed"),
        (&stripped, "hint_malformed"),
        (&"a.b".to_owned(), "hint_malformed"),
        (&String::new(), "hint_malformed"),
        (&seal_with("op-enc-RSA-OAEP-256", Some("JWT"), none.as_bytes()), "hint_malformed"),
        (&seal_with("op-enc-RSA-OAEP-256", Some("JWT"), b"{\"sub\":\"u-7\"}"), "hint_malformed"),
    ] {
        assert_eq!(code(token), expected, "{token}");
    }
    // Another algorithm than the key is published for.
    let ps256 = issue("op-rsa", KeySpec::Rsa2048, SigAlg::PS256, None, &id_token());
    assert_eq!(code(&ps256), "hint_key_unknown");
}

#[test]
fn one_that_was_encrypted_to_the_client_cannot_be_opened_and_the_refusal_says_so() {
    let token = rsa(&id_token());
    // As it was issued: signed, then encrypted to the client's key.
    let encrypter = rp_enc().public_key().encrypter(KeyAlg::RsaOaep256).unwrap();
    let header = SealHeader { cty: Some("JWT"), ..SealHeader::new(ContentAlg::A256Gcm) };
    let as_issued = encrypter.seal(&header, token.as_bytes()).unwrap();
    assert_eq!(code(&as_issued), "hint_undecryptable");
    // Without kid, under a kid of ours, or for a key of ours but altered: one answer.
    let mut bare = rp_enc().public_key().to_jwk();
    bare.remove("kid");
    let bare = signet_jose::PublicKey::from_jwk(&bare.into()).unwrap();
    let no_kid = bare.encrypter(KeyAlg::RsaOaep256).unwrap().seal(&header, token.as_bytes()).unwrap();
    let our_kid = SealHeader { kid: Some("op-enc-RSA-OAEP-256"), ..header };
    let our_kid = encrypter.seal(&our_kid, token.as_bytes()).unwrap();
    let mut broken = seal_with("op-enc-RSA-OAEP-256", Some("JWT"), token.as_bytes());
    broken.truncate(broken.rfind('.').unwrap());
    broken.push_str(".AAAAAAAAAAAAAAAAAAAAAA");
    let texts: BTreeSet<_> = [&as_issued, &no_kid, &our_kid, &broken]
        .into_iter()
        .map(|token| run(token, &keys(), Case::default()).0.unwrap_err())
        .map(|fault| (fault.code(), fault.public()))
        .collect();
    assert_eq!(texts.len(), 1);
    assert!(texts.first().unwrap().1.contains("decrypted by the client first"));
    // What it asks for works: the inner token, or that encrypted to us.
    assert_eq!(code(&token), "ok");
    assert_eq!(code(&seal_with("op-enc-RSA-OAEP-256", Some("JWT"), token.as_bytes())), "ok");
}

#[test]
fn the_claims_are_those_of_an_id_token_of_this_issuer() {
    for (changes, expected) in [
        (json!({}), "ok"),
        (json!({"nonce": "n", "acr": "x"}), "ok"),
        (json!({"aud": ["c"]}), "ok"),
        (json!({"iss": null}), "hint_issuer"),
        (json!({"iss": "https://op.example/other"}), "hint_issuer"),
        (json!({"iss": format!("{ISSUER}/")}), "hint_issuer"),
        (json!({"sub": null}), "hint_no_id_token"),
        (json!({"sub": 7}), "hint_malformed"),
        (json!({"exp": null}), "hint_no_id_token"),
        (json!({"iat": null}), "hint_no_id_token"),
        (json!({"exp": "x"}), "hint_malformed"),
        (json!({"iat": NOW + 61}), "hint_malformed"),
        (json!({"aud": null}), "hint_no_id_token"),
        (json!({"aud": []}), "hint_no_id_token"),
        (json!({"aud": ["c", "d"]}), "hint_no_id_token"),
        (json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}), "hint_no_id_token"),
    ] {
        assert_eq!(code(&rsa(&with(&id_token(), &changes))), expected, "{changes}");
    }
    for (typ, expected) in [
        (None, "ok"),
        (Some("JWT"), "ok"),
        (Some("at+jwt"), "hint_no_id_token"),
        (Some("logout+jwt"), "hint_no_id_token"),
        (Some("token-introspection+jwt"), "hint_no_id_token"),
    ] {
        let token = issue("op-rsa", KeySpec::Rsa2048, SigAlg::RS256, typ, &id_token());
        assert_eq!(code(&token), expected, "{typ:?}");
    }
}

#[test]
fn the_client_that_sends_it_is_the_one_it_was_issued_to_rp_initiated_logout_2() {
    let token = rsa(&id_token());
    for (sender, expected) in [("c", "ok"), ("d", "hint_foreign")] {
        let sender = ClientId::from(sender);
        let case = Case { client_id: Some(&sender), ..Case::default() };
        assert_eq!(code_with(&token, &keys(), case), expected);
    }
}

#[test]
fn keys_verify_as_long_as_they_are_listed() {
    let token = rsa(&id_token());
    let all = keys();
    for (later, expected) in [(0, "ok"), (999, "ok"), (1500, "ok"), (1999, "ok"), (2000, "hint_key_unknown")]
    {
        assert_eq!(code_with(&token, &all, Case { now: later, ..Case::default() }), expected, "{later}");
    }
    let mut revoked = all.clone();
    revoked[0].revoked_at = Some(NOW);
    assert_eq!(code_with(&token, &revoked, Case::default()), "hint_key_unknown");
    let mut for_encryption = all;
    for_encryption[0].usage = KeyUse::Enc;
    assert_eq!(code_with(&token, &for_encryption, Case::default()), "hint_key_unknown");
    assert_eq!(code_with(&token, &[], Case::default()), "hint_key_unknown");
}

#[test]
fn hints_signed_with_the_clients_secret_are_that_clients_alone() {
    let claims = serde_json::to_vec(&id_token()).unwrap();
    let token = Signer::hmac(LONG_SECRET, SigAlg::HS256).unwrap().sign(Some("JWT"), &claims).unwrap();
    let verifier = Verifier::hmac(LONG_SECRET, SigAlg::HS256).unwrap();
    let other = Verifier::hmac(&LONG_SECRET[1..], SigAlg::HS256).unwrap();
    let wider = Verifier::hmac(LONG_SECRET, SigAlg::HS512).unwrap();
    let (c, d) = (ClientId::from("c"), ClientId::from("d"));
    for (secret, expected) in [
        (None, "hint_malformed"),
        (Some(HintSecret { client_id: &c, verifier: &verifier }), "ok"),
        (Some(HintSecret { client_id: &c, verifier: &other }), "hint_forged"),
        (Some(HintSecret { client_id: &c, verifier: &wider }), "hint_malformed"),
        // The secret of d says nothing about a token of c.
        (Some(HintSecret { client_id: &d, verifier: &verifier }), "hint_malformed"),
    ] {
        assert_eq!(code_with(&token, &keys(), Case { secret, ..Case::default() }), expected, "{secret:?}");
    }
    let opened = open(&token, &[], &mut Trace::new()).unwrap();
    assert_eq!((opened.symmetric_alg(), opened.client_id()), (Some(SigAlg::HS256), &c));
    assert_eq!(open(&rsa(&id_token()), &[], &mut Trace::new()).unwrap().symmetric_alg(), None);
    // RFC 8725 section 2.1: our public key as a secret.
    let jwk = serde_json::to_vec(&keys()[0].public_jwk).unwrap();
    let forged = Signer::hmac(&jwk, SigAlg::HS256).unwrap().sign(None, &claims).unwrap();
    let secret = Some(HintSecret { client_id: &c, verifier: &verifier });
    assert_eq!(code_with(&forged, &keys(), Case { secret, ..Case::default() }), "hint_forged");
    assert_eq!(code_with(&forged, &keys(), Case::default()), "hint_malformed");
    // A token of key pairs is verified with the tenant's keys, whatever secret is at hand.
    assert_eq!(code_with(&rsa(&id_token()), &keys(), Case { secret, ..Case::default() }), "ok");
}
