//! One sealed login from end to end, in process and over HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signet_jose::{Compact, ContentAlg, KeyAlg, Limits, parse, parse_nested};
use signet_tests::provider::{Browser, ISSUER, Provider, form};
use signet_tests::rp::{Rp, SECRET, VERIFIER, seal};

fn claims_of(rp: &Rp, token: &str) -> serde_json::Value {
    let Compact::Jwe(jwe) = parse(token, &Limits::default()).unwrap() else { panic!("not encrypted") };
    let plain = rp.encryption.decrypter().unwrap().open(&jwe).unwrap();
    parse_nested(&plain, &Limits::default()).unwrap();
    let inner = std::str::from_utf8(&plain).unwrap().split('.').nth(1).unwrap().to_owned();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(inner).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_login_from_end_to_end() {
    let provider = Provider::start().await;
    let rp = Rp::new("sealed");
    provider.register(&rp.sealed_declaration()).await;
    let signed = rp.sign(&rp.claims(ISSUER, provider.now(), Some("jti-1")));
    let request = seal(&provider.jwks().await, KeyAlg::RsaOaep, ContentAlg::A128CbcHs256, signed.as_bytes());
    let query = form(&[("client_id", &rp.id), ("request", &request)]);
    let accepted = provider.get(&format!("/authorize?{query}"), None).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.body);
    let back = provider.sign_in(&accepted, &mut Browser::default()).await;
    assert!(back.location().starts_with(&rp.redirect_uri), "{}", back.location());
    assert_eq!(back.location_param("state").as_deref(), Some("state-1"));
    assert_eq!(back.location_param("iss").as_deref(), Some(ISSUER));
    let code = back.location_param("code").unwrap();
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &rp.redirect_uri),
        ("code_verifier", VERIFIER),
    ]);
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{SECRET}", rp.id)));
    let token = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic)
        .body(Body::from(body))
        .unwrap();
    let tokens = provider.send(token).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    let id_token = claims_of(&rp, tokens.json()["id_token"].as_str().unwrap());
    assert_eq!(
        (&id_token["iss"], &id_token["aud"], &id_token["nonce"]),
        (&ISSUER.into(), &"sealed".into(), &"nonce-1".into())
    );
    let bearer = format!("Bearer {}", tokens.json()["access_token"].as_str().unwrap());
    let userinfo = provider
        .send(Request::get("/userinfo").header("authorization", bearer).body(Body::empty()).unwrap())
        .await;
    assert_eq!((userinfo.status, userinfo.header("content-type")), (StatusCode::OK, "application/jwt"));
    let userinfo = claims_of(&rp, &userinfo.body);
    assert_eq!(userinfo["sub"], id_token["sub"]);
    assert_eq!(userinfo["name"], "Alice Virtanen");
}
