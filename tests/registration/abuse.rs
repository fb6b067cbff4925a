//! What must not be registered, and who must not change it.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use signet_core::records::{RegistrationPolicy, TenantSettings};
use signet_jose::KeySpec;
use signet_tests::provider::ISSUER;

use crate::{CALLBACK, Known, metadata, open, refusal, register, request};

const METADATA: &str = "invalid_client_metadata";
const REDIRECT: &str = "invalid_redirect_uri";

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_cannot_work_is_refused_by_its_code_rfc7591_3_2_2() {
    let provider = open().await;
    for (more, error) in [
        (json!({ "redirect_uris": ["https://rp.example/cb#fragment"] }), REDIRECT),
        (json!({ "redirect_uris": [] }), REDIRECT),
        (json!({ "redirect_uris": "https://rp.example/cb" }), METADATA),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), REDIRECT),
        (json!({ "redirect_uris": ["https://*.example/"] }), REDIRECT),
        // OpenID Connect Core section 4.
        (json!({ "initiate_login_uri": "http://rp.example/login" }), METADATA),
        (json!({ "id_token_encrypted_response_enc": "A256GCM" }), METADATA),
        (json!({ "id_token_encrypted_response_alg": "RSA1_5" }), METADATA),
        // Encryption without a key to encrypt to would end in nothing or in the clear.
        (json!({ "id_token_encrypted_response_alg": "RSA-OAEP" }), METADATA),
        (json!({ "userinfo_encrypted_response_alg": "RSA-OAEP" }), METADATA),
        (json!({ "id_token_signed_response_alg": "none" }), METADATA),
        (json!({ "request_object_signing_alg": "none" }), METADATA),
        (json!({ "id_token_signed_response_alg": "HS256" }), METADATA),
        (json!({ "jwks": { "keys": [] }, "jwks_uri": "https://rp.example/jwks" }), METADATA),
        (json!({ "jwks_uri": "file:///etc/passwd" }), METADATA),
        (json!({ "subject_type": "pairwise", "redirect_uris": [CALLBACK, "https://b.example/"] }), METADATA),
        (json!({ "response_types": ["id_token"], "grant_types": ["authorization_code"] }), METADATA),
        (json!({ "require_signed_request_object": true }), METADATA),
        (json!({ "software_statement": "eyJhbGciOiJub25lIn0.e30." }), "unapproved_software_statement"),
    ] {
        let reply = register(&provider, more.clone()).await;
        assert_eq!(refusal(&reply), (400, error.to_owned()), "{more}: {}", reply.body);
        assert!(!reply.json()["error_description"].as_str().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_and_symmetric_keys_are_refused_rfc7591_2() {
    let provider = open().await;
    let private = signet_tests::key(KeySpec::P256);
    let text = private.to_jwk().unwrap();
    let jwk: Value = serde_json::from_str(&text).unwrap();
    let public = Value::Object(private.public_key().to_jwk());
    for keys in [
        json!([jwk]),
        json!([public, jwk]),
        json!([{ "kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }]),
        json!([{ "kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB" }]),
    ] {
        let reply = register(&provider, json!({ "jwks": { "keys": keys } })).await;
        assert_eq!(refusal(&reply), (400, METADATA.to_owned()));
        // What should never have been sent goes nowhere from here.
        let event = format!("{:?}", provider.event(&reply).await);
        for said in [reply.body.as_str(), event.as_str()] {
            assert!(!said.contains(jwk["d"].as_str().unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_json_objects_of_bounded_size_are_read_rfc7591_3_1() {
    let provider = open().await;
    let good = metadata(&json!({})).to_string();
    let large = format!("{{\"client_name\":\"{}\"}}", "x".repeat(70_000));
    let huge = format!("{{\"client_name\":\"{}\"}}", "x".repeat(200_000));
    let deep = "[".repeat(50_000);
    for (kind, body, status) in [
        ("application/json", good.as_str(), 201),
        ("application/json; charset=utf-8", good.as_str(), 201),
        ("text/plain", good.as_str(), 415),
        ("application/x-www-form-urlencoded", "redirect_uris=x", 415),
        ("", good.as_str(), 415),
        ("application/json", "", 400),
        ("application/json", "[]", 400),
        ("application/json", "{", 400),
        ("application/json", deep.as_str(), 400),
        ("application/json", "{\"client_name\":\"\\ud800\"}", 400),
        ("application/json", large.as_str(), 400),
        ("application/json", huge.as_str(), 413),
    ] {
        let mut request = Request::post("/register");
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let reply = provider.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        assert_eq!(reply.status.as_u16(), status, "{kind}: {}", &body[..body.len().min(40)]);
    }
    // Many addresses are as bad as long ones.
    let uris: Vec<_> = (0..101).map(|n| format!("https://rp.example/{n}")).collect();
    assert_eq!(
        refusal(&register(&provider, json!({ "redirect_uris": uris })).await),
        (400, REDIRECT.to_owned())
    );
    let reply = register(&provider, json!({ "request_uris": uris })).await;
    assert_eq!(refusal(&reply), (400, METADATA.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_opens_to_its_own_token_alone_rfc7592_2_over_http() {
    let provider = open().await;
    let (own, other) = (Known::new(&provider, json!({})).await, Known::new(&provider, json!({})).await);
    let body = {
        let mut body = metadata(&json!({}));
        body["client_id"] = own.info["client_id"].clone();
        body
    };
    let secret = own.info["client_secret"].as_str().unwrap();
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then_some(&body);
        for token in [other.token.as_str(), secret, own.id(), "x"] {
            let reply = provider.send(request(method, &own.path, Some(token), body)).await;
            assert_eq!(refusal(&reply), (401, "invalid_token".to_owned()), "{method}");
            assert!(reply.header("www-authenticate").starts_with("Bearer realm=\"registration\", error="));
        }
        // RFC 6750 section 3.1: without a token, no error code.
        let reply = provider.send(request(method, &own.path, None, body)).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (401, ""));
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"registration\"");
    }
    // A client that is not there answers as one whose token is wrong.
    let reply = provider.send(request("GET", "/register/nobody", Some(&own.token), None)).await;
    assert_eq!(refusal(&reply), (401, "invalid_token".to_owned()));
    // One that an administrator made has no such token.
    provider.register(&signet_tests::rp::Rp::new("made").declaration()).await;
    let reply = provider.send(request("DELETE", "/register/made", Some("x"), None)).await;
    assert_eq!(refusal(&reply), (401, "invalid_token".to_owned()));
    for method in ["POST", "PATCH"] {
        let reply = provider.send(request(method, &own.path, Some(&own.token), None)).await;
        assert_eq!(reply.status.as_u16(), 405, "{method}");
    }
    assert_eq!(own.get(&provider).await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_of_one_tenant_are_nothing_to_another_a7() {
    let provider = open().await;
    let acme = "https://id.example/acme";
    let settings = TenantSettings { registration: RegistrationPolicy::Open, ..TenantSettings::default() };
    provider.tenant("acme", acme, settings).await;
    let known = Known::new(&provider, json!({})).await;
    for method in ["GET", "DELETE"] {
        let mut at_acme = request(method, &format!("/acme{}", known.path), Some(&known.token), None);
        at_acme.headers_mut().insert(header::HOST, "id.example".parse().unwrap());
        assert_eq!(refusal(&provider.raw(at_acme).await), (401, "invalid_token".to_owned()), "{method}");
    }
    assert_eq!(known.get(&provider).await.status.as_u16(), 200);
    assert!(known.info["registration_client_uri"].as_str().unwrap().starts_with(ISSUER));
}
