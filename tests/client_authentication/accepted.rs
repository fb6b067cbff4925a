//! What is accepted.

use serde_json::json;
use signet_core::client_assertion::ASSERTION_TYPE;
use signet_core::records::{AssertionAudience, TenantSettings};
use signet_jose::{ContentAlg, KeyAlg, PrivateKey, SigAlg};
use signet_tests::provider::{Browser, ISSUER};
use signet_tests::rp::{Rp, seal};

use super::{ask, mac, register, sign, signed, start};

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_names_its_client_with_and_without_client_id_rfc7521_4_2() {
    let provider = start().await;
    let (key, now) = (Rp::new("key"), provider.now());
    for (jti, more) in [("1", vec![]), ("2", vec![("client_id", "key")])] {
        let reply = ask(&provider, &signed(&key, &key.assertion_claims(ISSUER, now, jti)), &more).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let rp = Rp::new("mac");
    let reply = ask(&provider, &mac(&rp.assertion_claims(ISSUER, now, "1"), SigAlg::HS256), &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let explicit = sign(
        &key.signing.signer(SigAlg::PS256).unwrap(),
        Some("client-authentication+jwt"),
        &key.assertion_claims(ISSUER, now, "3"),
    );
    assert_eq!(ask(&provider, &explicit, &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audience_is_issuer_token_endpoint_or_called_endpoint_certification_45() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let token = format!("{ISSUER}/token");
    let array = json!([&token, "https://other.example"]);
    for (jti, audience) in [("1", json!(ISSUER)), ("2", json!(token)), ("3", array)] {
        let mut claims = rp.assertion_claims("", now, jti);
        claims.insert("aud".into(), audience.clone());
        let reply = ask(&provider, &signed(&rp, &claims), &[]).await;
        assert_eq!(reply.status, 200, "{audience}: {}", reply.body);
    }
    // The endpoint that is called, there and nowhere else.
    let revocation = format!("{ISSUER}/revoke");
    let claims = rp.assertion_claims(&revocation, now, "4");
    let form = [
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &signed(&rp, &claims)),
        ("token", "x"),
    ];
    assert_eq!(ask(&provider, form[1].1, &[]).await.json()["error"], "invalid_client");
    assert_eq!(provider.call("/revoke", &[], &form).await.status, 200, "refused above, so not used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_may_want_the_issuer_alone_as_one_string_fapi2() {
    let provider = start().await;
    let settings =
        TenantSettings { assertion_audience: AssertionAudience::IssuerOnly, ..TenantSettings::default() };
    provider.tenant("default", ISSUER, settings).await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let of = |jti: &str, audience: serde_json::Value| {
        let mut claims = rp.assertion_claims("", now, jti);
        claims.insert("aud".into(), audience);
        signed(&rp, &claims)
    };
    for other in [json!(format!("{ISSUER}/token")), json!([ISSUER])] {
        let reply = ask(&provider, &of("1", other), &[]).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (401, &"invalid_client".into()));
    }
    assert_eq!(ask(&provider, &of("1", json!(ISSUER)), &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_may_come_encrypted_to_us_a104_a105() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let jwks = provider.jwks().await;
    let nested = |jti: &str| {
        let inner = signed(&rp, &rp.assertion_claims(ISSUER, now, jti));
        seal(&jwks, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, inner.as_bytes())
    };
    let reply = ask(&provider, &nested("1"), &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    for path in ["/introspect", "/revoke"] {
        let assertion = nested(path);
        let form =
            [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion), ("token", "x")];
        let reply = provider.call(path, &[], &form).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_kid_verifies_too_and_the_jti_is_used_with_the_code() {
    let provider = start().await;
    let rp = Rp::new("plain");
    register(&provider, "plain", |declaration| {
        let jwk = declaration.keys[0].source.as_object_mut().unwrap();
        jwk.remove("kid");
    })
    .await;
    let nameless = PrivateKey::from_jwk(&without_kid(&rp.signing)).unwrap();
    let claims = rp.assertion_claims(ISSUER, provider.now(), "1");
    let assertion = sign(&nameless.signer(SigAlg::RS256).unwrap(), None, &claims);
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    let mut form = rp.redemption(&code);
    form.push(("client_assertion_type".into(), ASSERTION_TYPE.into()));
    form.push(("client_assertion".into(), assertion));
    let mut wrong = form.clone();
    wrong.iter_mut().find(|(name, _)| name == "code_verifier").unwrap().1 = "w".repeat(43);
    assert_eq!(provider.token(None, &wrong).await.json()["error"], "invalid_grant");
    // what was refused and changed nothing used nothing up.
    let reply = provider.token(None, &form).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    // The whole request again is not this client's: refused as such, and it ends nothing.
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let replayed = provider.token(None, &form).await;
    assert_eq!(replayed.json()["error"], "invalid_client");
    assert_eq!(provider.userinfo(&token).await.status, 200);
}

fn without_kid(key: &PrivateKey) -> String {
    let text = key.to_jwk().unwrap();
    let mut jwk: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    jwk.remove("kid");
    serde_json::Value::Object(jwk).to_string()
}
