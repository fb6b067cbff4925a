//! The four forms of a UserInfo response, combined with encrypted ID tokens (A-66, A-98 to A-103, A-88).

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use signet_core::provision::ClientDeclaration;
use signet_core::records::{Encryption, UserInfoResponseType};
use signet_jose::{Compact, ContentAlg, KeyAlg, Limits, parse};
use signet_tests::craft::unb64;
use signet_tests::provider::{Browser, ISSUER};
use signet_tests::rp::Rp;

use super::start;

const ENCRYPTION: Encryption = Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 };
const FORMS: [UserInfoResponseType; 4] = [
    UserInfoResponseType::Json,
    UserInfoResponseType::Signed,
    UserInfoResponseType::Encrypted,
    UserInfoResponseType::SignedAndEncrypted,
];

fn declare(rp: &Rp, form: UserInfoResponseType, id_token_encrypted: bool) -> ClientDeclaration {
    let mut declaration = rp.declaration();
    declaration.settings.userinfo.response_type = form;
    declaration.settings.userinfo.encrypted = form.is_encrypted().then_some(ENCRYPTION);
    declaration.settings.id_token.encrypted = id_token_encrypted.then_some(ENCRYPTION);
    declaration
}

/// Opens whatever layers there are; returns the layers' headers, outermost first, and the claims.
fn open(rp: &Rp, token: &str) -> (Vec<Value>, Value) {
    let header = |token: &str| serde_json::from_slice(&unb64(token.split('.').next().unwrap())).unwrap();
    match parse(token, &Limits::default()) {
        Ok(Compact::Jwe(jwe)) => {
            let inner = rp.encryption.decrypter().unwrap().open(&jwe).unwrap();
            let inner = std::str::from_utf8(&inner).unwrap();
            let (mut headers, claims) = open(rp, inner);
            headers.insert(0, header(token));
            (headers, claims)
        }
        Ok(Compact::Jws(_)) => {
            let claims = serde_json::from_slice(&unb64(token.split('.').nth(1).unwrap())).unwrap();
            (vec![header(token)], claims)
        }
        Err(_) => (Vec::new(), serde_json::from_str(token).unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_has_its_layers_and_its_content_type_whatever_accept_says_a98_a102() {
    let provider = start().await;
    let mut browser = Browser::default();
    for id_token_encrypted in [false, true] {
        for form in FORMS {
            let rp = Rp::new("forms");
            provider.register(&declare(&rp, form, id_token_encrypted)).await;
            let tokens = provider.tokens(&rp, &[("scope", "openid email")], &mut browser).await;
            let (layers, id_token) = open(&rp, tokens["id_token"].as_str().unwrap());
            assert_eq!(layers.len(), if id_token_encrypted { 2 } else { 1 });
            for accept in ["", "application/json", "application/jwt", "text/html", "*/*;q=0"] {
                let mut request = Request::get("/userinfo").header(
                    header::AUTHORIZATION,
                    format!("Bearer {}", tokens["access_token"].as_str().unwrap()),
                );
                if !accept.is_empty() {
                    request = request.header(header::ACCEPT, accept);
                }
                let reply = provider.send(request.body(Body::empty()).unwrap()).await;
                let kind =
                    if form == UserInfoResponseType::Json { "application/json" } else { "application/jwt" };
                assert_eq!(
                    (reply.status.as_u16(), reply.header("content-type")),
                    (200, kind),
                    "{form:?} {accept}"
                );
                let (layers, claims) = open(&rp, &reply.body);
                assert_eq!(layers.len(), usize::from(form.is_signed()) + usize::from(form.is_encrypted()));
                assert_eq!(claims["sub"], id_token["sub"], "OpenID Connect Core section 5.3.2");
                assert_eq!(
                    (&claims["email"], &claims["email_verified"]),
                    (&json!("alice@example.org"), &json!(true))
                );
                assert!(claims.get("name").is_none(), "the scope profile was not asked for");
                let party = |name: &str| claims.get(name).cloned().unwrap_or(Value::Null);
                let expected = if form.is_signed() {
                    (json!(ISSUER), json!("forms"))
                } else {
                    (json!(null), json!(null))
                };
                assert_eq!((party("iss"), party("aud")), expected, "{form:?}");
                if form.is_encrypted() {
                    let outer = &layers[0];
                    assert_eq!(
                        (&outer["alg"], &outer["enc"], &outer["kid"]),
                        (&json!("RSA-OAEP"), &json!("A128CBC-HS256"), &json!("enc"))
                    );
                    let cty = if form.is_signed() { json!("JWT") } else { json!(null) };
                    assert_eq!(outer.get("cty").cloned().unwrap_or(Value::Null), cty, "{form:?}");
                }
                if form.is_signed() {
                    assert_eq!(layers.last().unwrap()["alg"], "RS256");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_follow_scope_and_the_claims_parameter_core_5_4_5_5() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let mut browser = Browser::default();
    for (scope, claims, expected) in [
        ("openid", "", json!({})),
        ("openid profile", "", json!({ "name": "Alice Virtanen" })),
        ("openid email", "", json!({ "email": "alice@example.org", "email_verified": true })),
        (
            "openid",
            r#"{"userinfo":{"name":null,"birthdate":{"essential":true}}}"#,
            json!({ "name": "Alice Virtanen" }),
        ),
        ("openid", r#"{"id_token":{"name":null}}"#, json!({})),
    ] {
        let changes = [("scope", scope), ("claims", claims)];
        let tokens = provider.tokens(&rp, &changes, &mut browser).await;
        let (_, id_token) = open(&rp, tokens["id_token"].as_str().unwrap());
        let mut userinfo = provider.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        assert_eq!(userinfo["sub"], id_token["sub"]);
        userinfo.as_object_mut().unwrap().remove("sub");
        let known: Vec<&str> = vec!["name", "email", "email_verified", "birthdate"];
        userinfo.as_object_mut().unwrap().retain(|name, _| known.contains(&name.as_str()));
        assert_eq!(userinfo, expected, "{scope} {claims}");
        assert_eq!(id_token.get("name").is_some(), claims.contains("id_token"), "{scope} {claims}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_last_encryption_key_has_ended_nothing_goes_out_a88() {
    let provider = start().await;
    let mut browser = Browser::default();
    for form in [UserInfoResponseType::Encrypted, UserInfoResponseType::SignedAndEncrypted] {
        let rp = Rp::new(if form.is_signed() { "both" } else { "sealed" });
        let mut declaration = declare(&rp, form, false);
        declaration.keys[1].not_after = Some(provider.now() + 100);
        provider.register(&declaration).await;
        let tokens = provider.tokens(&rp, &[], &mut browser).await;
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(provider.userinfo(token).await.status, 200);
        provider.advance(100);
        let reply = provider.userinfo(token).await;
        assert_eq!(reply.status, 401);
        insta::allow_duplicates! {
            insta::assert_snapshot!(reply.body, @r#"{"error":"invalid_token","error_description":"This client is set to receive encrypted responses, but none of its encryption keys is valid now."}"#);
        }
        let event = provider.event(&reply).await;
        assert_eq!(event.reason.as_deref(), Some("response_key_missing"));
        assert_eq!(event.client_id.unwrap().as_str(), rp.id);
        assert!(!reply.body.contains("Alice"));
        // A new key, and the same token works again.
        declaration.keys[1].not_after = None;
        provider.register(&declaration).await;
        assert_eq!(provider.userinfo(token).await.status, 200);
    }
}
