//! What is refused: always `invalid_client`, and no assertion is used up by it.

use serde_json::{Map, Value, json};
use signet_core::client_assertion::ASSERTION_TYPE;
use signet_jose::{ContentAlg, KeyAlg, KeySpec, SigAlg};
use signet_tests::key;
use signet_tests::provider::{ISSUER, Provider};
use signet_tests::rp::{Rp, SECRET, seal};

use super::{ask, mac, register, sign, signed, start};

type Edit = fn(&mut Map<String, Value>);

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_claim_is_invalid_client_rfc7523_3() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let table: &[(&str, Edit)] = &[
        ("assertion_names_no_client", |c| drop(c.insert("iss".into(), json!("mac")))),
        ("assertion_names_no_client", |c| drop(c.insert("sub".into(), json!("alice")))),
        ("assertion_iss", |c| c.extend([("iss".into(), json!("mac")), ("sub".into(), json!("mac"))])),
        ("assertion_sub", |c| drop(c.remove("sub"))),
        ("assertion_audience", |c| drop(c.insert("aud".into(), json!("https://other.example")))),
        ("assertion_audience", |c| drop(c.remove("aud"))),
        ("assertion_exp_missing", |c| drop(c.remove("exp"))),
        ("assertion_expired", |c| drop(c.insert("exp".into(), json!(c["iat"].as_i64().unwrap() - 300)))),
        ("assertion_lifetime", |c| drop(c.insert("exp".into(), json!(c["iat"].as_i64().unwrap() + 100_000)))),
        ("assertion_not_yet_valid", |c| drop(c.insert("nbf".into(), json!(c["iat"].as_i64().unwrap() + 70)))),
        ("assertion_jti", |c| drop(c.remove("jti"))),
        ("assertion_jti", |c| drop(c.insert("jti".into(), json!("")))),
    ];
    for (row, (reason, edit)) in table.iter().enumerate() {
        let mut claims = rp.assertion_claims(ISSUER, now, "one");
        edit(&mut claims);
        let more = [("client_id", "key")];
        let reply = ask(&provider, &signed(&rp, &claims), &more).await;
        let told = (reply.status.as_u16(), reply.json()["error"].clone());
        assert_eq!(told, (401, "invalid_client".into()), "row {row}: {reason}");
        assert_eq!(provider.reason(&reply).await, *reason, "row {row}");
    }
    let good = signed(&rp, &rp.assertion_claims(ISSUER, now, "one"));
    assert_eq!(ask(&provider, &good, &[]).await.status, 200, "none of these used the jti up");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_assertion_counts_once_at_whichever_endpoint_core_9() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let assertion = signed(&rp, &rp.assertion_claims(ISSUER, now, "one"));
    assert_eq!(ask(&provider, &assertion, &[]).await.status, 200);
    let again = ask(&provider, &assertion, &[]).await;
    assert_eq!((again.status.as_u16(), &again.json()["error"]), (401, &"invalid_client".into()));
    assert_eq!(provider.reason(&again).await, "assertion_replayed");
    let form = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion), ("token", "x")];
    for path in ["/introspect", "/revoke"] {
        let reply = provider.call(path, &[], &form).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (401, &"invalid_client".into()),
            "{path}"
        );
    }
    // Another client's `jti` is another one.
    let other = Rp::new("mac");
    let same = mac(&other.assertion_claims(ISSUER, now, "one"), SigAlg::HS256);
    assert_eq!(ask(&provider, &same, &[]).await.status, 200);
    // And looking into a token uses one up as well.
    let form = |jti: &str| signed(&rp, &rp.assertion_claims(ISSUER, now, jti));
    let assertion = form("two");
    let pairs = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion), ("token", "x")];
    assert_eq!(provider.call("/introspect", &[], &pairs).await.status, 200);
    assert_eq!(provider.call("/introspect", &[], &pairs).await.status, 401);
}

async fn refused(provider: &Provider, assertion: &str, reason: &str) {
    let reply = ask(provider, assertion, &[("client_id", "key")]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (401, &"invalid_client".into()), "{reason}");
    assert_eq!(provider.reason(&reply).await, reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_proof_than_registered_is_none_rfc8725_3_1() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let claims = rp.assertion_claims(ISSUER, now, "one");
    // A MAC made with what everybody knows of a client that has a key pair.
    let pem = rp.signing.public_key().to_jwk();
    let public = serde_json::to_vec(&pem).unwrap();
    let confused = sign(&signet_jose::Signer::hmac(&public, SigAlg::HS256).unwrap(), None, &claims);
    refused(&provider, &confused, "assertion_algorithm").await;
    refused(&provider, &mac(&claims, SigAlg::HS256), "assertion_algorithm").await;
    let stranger = key(KeySpec::Rsa3072).clone().with_kid("sig").signer(SigAlg::RS256).unwrap();
    refused(&provider, &sign(&stranger, None, &claims), "assertion_signature").await;
    let other = key(KeySpec::Rsa3072).clone().with_kid("other").signer(SigAlg::RS256).unwrap();
    refused(&provider, &sign(&other, None, &claims), "assertion_key_unknown").await;
    // Keys that decrypt do not sign, whatever they could.
    let encryption = rp.encryption.clone().with_use(signet_jose::KeyUse::Sig).signer(SigAlg::RS256).unwrap();
    refused(&provider, &sign(&encryption, None, &claims), "assertion_key_unknown").await;
    // Tokens of another kind (RFC 8725 section 3.11), and unsigned ones.
    let signer = rp.signing.signer(SigAlg::RS256).unwrap();
    for typ in ["oauth-authz-req+jwt", "dpop+jwt", "at+jwt"] {
        refused(&provider, &sign(&signer, Some(typ), &claims), "assertion_typ").await;
    }
    let unsigned = signet_jose::unsigned(None, &serde_json::to_vec(&claims).unwrap());
    let reply = ask(&provider, &unsigned, &[("client_id", "key")]).await;
    assert_eq!(reply.json()["error"], "invalid_client");
    // What is encrypted must have a signed token in it.
    let jwks = provider.jwks().await;
    let bare = seal(&jwks, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, &serde_json::to_vec(&claims).unwrap());
    assert_eq!(ask(&provider, &bare, &[]).await.json()["error"], "invalid_client");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registered_algorithm_and_method_are_enforced_certification_3_9() {
    let provider = start().await;
    let (rp, now) = (Rp::new("strict"), provider.now());
    register(&provider, "strict", |declaration| {
        declaration.settings.token_endpoint_auth_signing_alg = Some(SigAlg::PS256);
    })
    .await;
    let claims = rp.assertion_claims(ISSUER, now, "one");
    assert_eq!(ask(&provider, &signed(&rp, &claims), &[]).await.json()["error"], "invalid_client");
    let fitting = sign(&rp.signing.signer(SigAlg::PS256).unwrap(), None, &claims);
    assert_eq!(ask(&provider, &fitting, &[]).await.status, 200);
    // A client of another method cannot come with an assertion, nor one of assertions with its secret or its name alone.
    provider.register(&Rp::new("basic").declaration()).await;
    let basic = Rp::new("basic");
    let assertion = signed(&basic, &basic.assertion_claims(ISSUER, now, "one"));
    assert_eq!(ask(&provider, &assertion, &[]).await.json()["error"], "invalid_client");
    let grant = ("grant_type", "client_credentials");
    for form in [
        vec![grant, ("client_id", "key")],
        vec![grant, ("client_id", "mac"), ("client_secret", SECRET)],
        vec![grant, ("client_id", "key"), ("client_assertion_type", ASSERTION_TYPE)],
        vec![
            grant,
            ("client_id", "key"),
            ("client_assertion", "x"),
            ("client_assertion_type", "saml2-bearer"),
        ],
    ] {
        let reply = provider.call("/token", &[], &form).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (401, &"invalid_client".into()),
            "{form:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_id_beside_the_assertion_must_be_the_same_rfc7521_4_2() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let assertion = signed(&rp, &rp.assertion_claims(ISSUER, now, "one"));
    for other in ["mac", "nobody"] {
        let reply = ask(&provider, &assertion, &[("client_id", other)]).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (401, &"invalid_client".into()),
            "{other}"
        );
    }
    assert_eq!(ask(&provider, &assertion, &[("client_id", "key")]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_object_is_no_assertion_certification_7_9() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let object = rp.sign(&rp.claims(ISSUER, now, Some("one")));
    refused(&provider, &object, "assertion_sub").await;
}
