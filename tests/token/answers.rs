//! What a redeemed code gives (RFC 6749 section 5.1, OpenID Connect Core sections 2, 3.1.3.3 and 3.1.3.6).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use signet_core::records::Encryption;
use signet_jose::{Compact, ContentAlg, KeyAlg, Limits, parse, parse_nested};
use signet_tests::craft::unb64;
use signet_tests::flow::changed;
use signet_tests::provider::{Browser, ISSUER};
use signet_tests::rp::{Rp, SECRET};

use super::start;

fn segment(token: &str, at: usize) -> Value {
    serde_json::from_slice(&unb64(token.split('.').nth(at).unwrap())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_and_the_id_token_have_what_the_specifications_ask_for() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    let reply = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    let answer = reply.json();
    assert_eq!(answer.as_object().unwrap().len(), 5, "{answer}");
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&"Bearer".into(), &600.into()));
    assert_eq!(answer["scope"], "openid profile");
    let token = answer["id_token"].as_str().unwrap();
    let (header, claims) = (segment(token, 0), segment(token, 1));
    let kid = header["kid"].as_str().unwrap();
    let jwks = provider.jwks().await;
    let published = signet_tests::craft::entry(&jwks, "sig", "RS256");
    assert_eq!((&header["alg"], published["kid"].as_str().unwrap()), (&"RS256".into(), kid));
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["nonce"]),
        (&ISSUER.into(), &"rp".into(), &"nonce-1".into())
    );
    let now = provider.now();
    assert_eq!(
        (&claims["iat"], &claims["exp"], &claims["auth_time"]),
        (&now.into(), &(now + 600).into(), &now.into())
    );
    assert_eq!(
        (&claims["amr"], &claims["acr"]),
        (&serde_json::json!(["pwd"]), &"urn:signet:acr:password".into())
    );
    let hash = Sha256::digest(answer["access_token"].as_str().unwrap());
    assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&hash[..16]));
    assert!(claims.get("name").is_none(), "scope claims are for UserInfo unless the client wants them here");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_registered_way_of_authentication_works() {
    let provider = start().await;
    let mut browser = Browser::default();
    for (id, more) in [
        ("rp", vec![]),
        ("post", vec![("client_id", "post"), ("client_secret", SECRET)]),
        ("public", vec![("client_id", "public")]),
    ] {
        let rp = Rp::new(id);
        let code = provider.code(&rp, &[], &mut browser).await;
        let authorization = (id == "rp").then(|| rp.basic());
        let reply = provider.token(authorization.as_deref(), &changed(rp.redemption(&code), &more)).await;
        assert_eq!(reply.status, 200, "{id}: {}", reply.body);
    }
    // RFC 6749 section 3.2.1: client_id may stand beside Basic if it is the same.
    let rp = Rp::new("rp");
    let code = provider.code(&rp, &[], &mut browser).await;
    let reply =
        provider.token(Some(&rp.basic()), &changed(rp.redemption(&code), &[("client_id", "rp")])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_id_token_is_nested_and_never_sent_without_its_key_a88_a91_a92() {
    let provider = start().await;
    let rp = Rp::new("enc");
    let mut declaration = rp.declaration();
    declaration.settings.id_token.encrypted =
        Some(Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm });
    declaration.keys[1].not_after = Some(provider.now() + 100);
    provider.register(&declaration).await;
    let mut browser = Browser::default();
    let answer = provider.tokens(&rp, &[], &mut browser).await;
    let token = answer["id_token"].as_str().unwrap();
    let header = segment(token, 0);
    assert_eq!(
        (&header["alg"], &header["enc"], &header["kid"], &header["cty"]),
        (&"RSA-OAEP-256".into(), &"A256GCM".into(), &"enc".into(), &"JWT".into())
    );
    let Compact::Jwe(jwe) = parse(token, &Limits::default()).unwrap() else { panic!("not encrypted") };
    let inner = rp.encryption.decrypter().unwrap().open(&jwe).unwrap();
    assert_eq!(parse_nested(&inner, &Limits::default()).unwrap().header().alg.name(), "RS256");

    // A code that was issued while there was a key: refused, not used up, and told to the owner.
    provider.advance(50);
    let code = provider.code(&rp, &[], &mut browser).await;
    provider.advance(50);
    let reply = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await;
    insta::assert_snapshot!(
        reply.body,
        @r#"{"error":"unauthorized_client","error_description":"This client is set to receive encrypted responses, but none of its encryption keys is valid now. Its owner must register one."}"#
    );
    assert_eq!(reply.status, 400);
    assert_eq!(provider.reason(&reply).await, "encryption_key_missing");
    declaration.keys[1].not_after = Some(provider.now() + 1000);
    provider.register(&declaration).await;
    let reply = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.json()["id_token"].as_str().unwrap().split('.').count(), 5);
}
