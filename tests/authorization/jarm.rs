//! JWT Secured Authorization Response Mode for OAuth 2.0 (JARM).

use serde_json::{Value, json};
use signet_core::records::{Encryption, ResponseType};
use signet_jose::{ContentAlg, KeyAlg};
use signet_tests::front::{every_type, half_sha256, peek};
use signet_tests::provider::{Browser, ISSUER, Provider, USER, between, form};
use signet_tests::rp::Rp;

/// The clients `signed` and `nested`, which may use every response type.
async fn start() -> (Provider, Rp, Rp) {
    let provider = Provider::start().await;
    let (signed, nested) = (Rp::new("signed"), Rp::new("nested"));
    for (rp, encrypted) in
        [(&signed, None), (&nested, Some(Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 }))]
    {
        let mut declaration = every_type(rp.declaration());
        declaration.settings.authorization_response.encrypted = encrypted;
        declaration.settings.id_token.encrypted = encrypted;
        provider.register(&declaration).await;
    }
    (provider, signed, nested)
}

/// Where a response type's JWT stands for each mode.
fn place(kind: ResponseType, mode: &str) -> &'static str {
    match mode {
        "query.jwt" => "query",
        "fragment.jwt" => "fragment",
        "form_post.jwt" => "form",
        _ if kind == ResponseType::Code => "query",
        _ => "fragment",
    }
}

fn check(provider: &Provider, rp: &Rp, claims: &Value) {
    assert_eq!(json!([claims["iss"], claims["aud"], claims["state"]]), json!([ISSUER, rp.id, "state-1"]));
    // JARM section 2.1: "A maximum JWT lifetime of 10 minutes is RECOMMENDED."
    let exp = claims["exp"].as_i64().unwrap();
    assert!(exp > provider.now() && exp <= provider.now() + 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_is_one_jwt_with_everything_inside_jarm_2_1_2_3() {
    let (provider, signed, nested) = start().await;
    for rp in [&signed, &nested] {
        let mut browser = Browser::default();
        for kind in ResponseType::ALL {
            for mode in ["query.jwt", "fragment.jwt", "form_post.jwt", "jwt"] {
                let changes = [("response_type", kind.name()), ("response_mode", mode)];
                if mode == "query.jwt" && *kind != ResponseType::Code && rp.id == "signed" {
                    // Section 2.3.1.
                    let reply = provider.authorize(rp, &changes, None).await;
                    assert_eq!(provider.reason(&reply).await, "response_mode_unfit");
                    assert_eq!(reply.back().place, "fragment");
                    continue;
                }
                let back = provider.front(rp, &changes, &mut browser).await;
                assert_eq!((back.place, back.names()), (place(*kind, mode), vec!["response"]), "{mode}");
                let outer = back.get("response");
                let jws = if rp.id == "nested" { rp.unseal(outer) } else { outer.to_owned() };
                let claims = provider.verified(&jws).await;
                check(&provider, rp, &claims);
                let names = |name: &str| claims[name].as_str().is_some_and(|text| !text.is_empty());
                assert_eq!(names("code"), kind.has_code(), "{}", kind.name());
                assert_eq!(names("access_token"), kind.has_token(), "{}", kind.name());
                assert_eq!(names("id_token"), kind.has_id_token(), "{}", kind.name());
                if let Some(code) = claims["code"].as_str().filter(|_| kind.has_id_token()) {
                    let token = claims["id_token"].as_str().unwrap();
                    let token = if rp.id == "nested" { rp.unseal(token) } else { token.to_owned() };
                    assert_eq!(peek(&token)["c_hash"], half_sha256(code));
                }
                if let Some(code) = claims["code"].as_str() {
                    assert_eq!(provider.token(Some(&rp.basic()), &rp.redemption(code)).await.status, 200);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_jwts_too_jarm_2_1() {
    let (provider, signed, nested) = start().await;
    for rp in [&signed, &nested] {
        for (change, error) in [
            (("scope", "profile"), "invalid_scope"),
            (("response_type", "banana"), "unsupported_response_type"),
            (("prompt", "none"), "login_required"),
        ] {
            for mode in ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"] {
                let accepted = provider.authorize(rp, &[("response_mode", mode), change], None).await;
                let reply = if accepted.location().contains("/interaction/") {
                    provider.sign_in(&accepted, &mut Browser::default()).await
                } else {
                    accepted
                };
                let back = reply.back();
                assert_eq!((back.place, back.names()), (place(ResponseType::Code, mode), vec!["response"]));
                let outer = back.get("response");
                let jws = if rp.id == "nested" { rp.unseal(outer) } else { outer.to_owned() };
                let claims = provider.verified(&jws).await;
                check(&provider, rp, &claims);
                assert_eq!(claims["error"], error, "{mode}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_cannot_be_encrypted_goes_out_in_no_form_a88() {
    let (provider, _, rp) = start().await;
    let mut declaration = rp.declaration();
    declaration.settings.authorization_response.encrypted =
        Some(Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 });
    declaration.keys[1].not_after = Some(provider.now() + 100);
    provider.register(&declaration).await;
    let mut browser = Browser::default();
    let accepted = provider.authorize(&rp, &[("response_mode", "jwt")], Some(&mut browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    provider.advance(100);
    provider.app.clients.forget();
    // A new request, good or bad: a page tells why, and nothing is sent to the client.
    for changes in [&[("response_mode", "jwt")][..], &[("response_mode", "jwt"), ("scope", "profile")]] {
        let reply = provider.authorize(&rp, changes, None).await;
        assert_eq!((reply.status.as_u16(), reply.location()), (400, ""));
        assert_eq!(provider.reason(&reply).await, "encryption_key_missing");
        assert!(!reply.body.contains("state-1"));
    }
    // One that was accepted before: neither the code nor the person's refusal leaves in the clear.
    let page = provider.get(&path, Some(&mut browser)).await;
    let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"").to_owned();
    let deny = form(&[("csrf", &csrf), ("decision", "deny")]);
    let reply = provider.post(&format!("{path}/login"), deny, Some(&mut browser)).await;
    assert_eq!((reply.status.as_u16(), reply.location()), (400, ""));
    let login = form(&[("csrf", &csrf), ("username", USER.0), ("password", USER.1)]);
    provider.post(&format!("{path}/login"), login, Some(&mut browser)).await;
    let page = provider.get(&path, Some(&mut browser)).await;
    let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"").to_owned();
    let accept = form(&[("csrf", &csrf), ("decision", "accept")]);
    let reply = provider.post(&format!("{path}/consent"), accept, Some(&mut browser)).await;
    assert_eq!((reply.status.as_u16(), reply.location()), (400, ""));
    assert!(reply.body.contains("encryption_key_missing") && !reply.body.contains("sgn_ac_"));
}
