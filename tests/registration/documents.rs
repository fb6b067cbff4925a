//! Discovery and what browsers are told about the endpoint.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use signet_tests::provider::ISSUER;

use crate::open;

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_of_the_well_known_address_are_answered_rfc8414_3_1() {
    let provider = open().await;
    let own = provider.get("/.well-known/openid-configuration", None).await.json();
    for path in [
        "/.well-known/oauth-authorization-server/auth/open",
        "/.well-known/openid-configuration/auth/open",
        "/auth/open/.well-known/oauth-authorization-server",
    ] {
        let request = Request::get(path).header(header::HOST, "id.example").body(Body::empty()).unwrap();
        let reply = provider.raw(request).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, own.clone()), "{path}");
    }
    assert_eq!(own["registration_endpoint"], json!(format!("{ISSUER}/register")));
    assert_eq!(own["issuer"], json!(ISSUER));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_that_discovery_names_is_there() {
    let provider = open().await;
    let document = provider.get("/.well-known/openid-configuration", None).await.json();
    for (name, value) in document.as_object().unwrap() {
        let is_address = (name.ends_with("_endpoint") || name == "jwks_uri") && value.is_string();
        if let Some(path) = value.as_str().filter(|_| is_address) {
            let path = path.strip_prefix(ISSUER).unwrap();
            let reply = provider.get(path, None).await;
            assert_ne!(reply.status.as_u16(), 404, "{name}: {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discovery_offers_can_be_registered_and_nothing_else_7_3_33() {
    use crate::register;
    let provider = open().await;
    let document = provider.get("/.well-known/openid-configuration", None).await.json();
    let jwk =
        |spec, usage| Value::Object(signet_tests::key(spec).public_key().clone().with_use(usage).to_jwk());
    let jwks = json!({ "keys": [
        jwk(signet_jose::KeySpec::Rsa2048, signet_jose::KeyUse::Enc),
        jwk(signet_jose::KeySpec::P256, signet_jose::KeyUse::Enc),
        jwk(signet_jose::KeySpec::P384, signet_jose::KeyUse::Sig),
    ] });
    for (metadata, list) in [
        ("id_token_signed_response_alg", "id_token_signing_alg_values_supported"),
        ("id_token_encrypted_response_alg", "id_token_encryption_alg_values_supported"),
        ("userinfo_signed_response_alg", "userinfo_signing_alg_values_supported"),
        ("userinfo_encrypted_response_alg", "userinfo_encryption_alg_values_supported"),
        ("authorization_signed_response_alg", "authorization_signing_alg_values_supported"),
        ("authorization_encrypted_response_alg", "authorization_encryption_alg_values_supported"),
        ("introspection_signed_response_alg", "introspection_signing_alg_values_supported"),
        ("introspection_encrypted_response_alg", "introspection_encryption_alg_values_supported"),
        ("request_object_encryption_alg", "request_object_encryption_alg_values_supported"),
        ("subject_type", "subject_types_supported"),
    ] {
        let Some(offered) = document.get(list).and_then(Value::as_array) else { continue };
        assert!(!offered.is_empty(), "{list}");
        for value in offered {
            let reply = register(&provider, json!({ metadata: value, "jwks": jwks })).await;
            assert_eq!(reply.status.as_u16(), 201, "{metadata} {value}: {}", reply.body);
            assert_eq!(reply.json()[metadata], *value);
        }
        for value in ["none", "RSA1_5", "dir", "PBES2-HS256+A128KW", "HS256", "unheard-of"] {
            if !offered.contains(&json!(value)) {
                let reply = register(&provider, json!({ metadata: value, "jwks": jwks })).await;
                assert_eq!(reply.status.as_u16(), 400, "{metadata} {value}");
            }
        }
    }
    for (alg, enc, list) in [
        (
            "id_token_encrypted_response_alg",
            "id_token_encrypted_response_enc",
            "id_token_encryption_enc_values_supported",
        ),
        (
            "userinfo_encrypted_response_alg",
            "userinfo_encrypted_response_enc",
            "userinfo_encryption_enc_values_supported",
        ),
    ] {
        for value in document[list].as_array().unwrap() {
            let reply = register(&provider, json!({ alg: "RSA-OAEP", enc: value, "jwks": jwks })).await;
            assert_eq!((reply.status.as_u16(), &reply.json()[enc]), (201, value));
        }
    }
    for method in document["token_endpoint_auth_methods_supported"].as_array().unwrap() {
        let reply = register(&provider, json!({ "token_endpoint_auth_method": method, "jwks": jwks })).await;
        assert_eq!(reply.status.as_u16(), 201, "{method}: {}", reply.body);
        let has_secret = method.as_str().unwrap().starts_with("client_secret");
        assert_eq!(reply.json().get("client_secret").is_some(), has_secret, "{method}");
    }
    for kind in document["response_types_supported"].as_array().unwrap() {
        let reply = register(&provider, json!({ "response_types": [kind] })).await;
        assert_eq!(reply.status.as_u16(), 201, "{kind}: {}", reply.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_may_register_across_origins_without_credentials() {
    let provider = open().await;
    for (path, method) in [("/register", "POST"), ("/register/some", "PUT"), ("/register/some", "DELETE")] {
        let preflight = Request::options(path)
            .header(header::ORIGIN, "https://spa.example")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization, content-type")
            .body(Body::empty())
            .unwrap();
        let reply = provider.send(preflight).await;
        assert_eq!(reply.status.as_u16(), 204);
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert!(reply.header("access-control-allow-methods").contains(method));
        assert_eq!(reply.header("access-control-allow-credentials"), "");
    }
    let reply = crate::register(&provider, json!({})).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
}
