//! What each response type returns, and to whom (OpenID Connect Core sections 3.2 and 3.3, OAuth 2.0 Multiple Response Type
//! Encoding Practices).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use signet_core::records::{AccessTokenFormat, ResponseType};
use signet_jose::SigAlg;
use signet_tests::front::{Back, every_type, half_sha256, peek};
use signet_tests::provider::{Browser, ISSUER, Provider};
use signet_tests::rp::Rp;

async fn start() -> (Provider, Rp) {
    let (provider, rp) = (Provider::start().await, Rp::new("all"));
    provider.register(&every_type(rp.declaration())).await;
    (provider, rp)
}

/// The parameters of a success, by response type.
fn expected(kind: ResponseType) -> Vec<&'static str> {
    let mut names = vec!["iss", "session_state", "state"];
    names.extend(kind.has_code().then_some("code"));
    names.extend(kind.has_id_token().then_some("id_token"));
    if kind.has_token() {
        names.extend(["access_token", "token_type", "expires_in", "scope"]);
    }
    names.sort_unstable();
    names
}

fn check(back: &Back, kind: ResponseType, rp: &Rp, now: i64, id_token: &Value) {
    let claims: Vec<_> = ["iss", "aud", "nonce", "iat", "exp"].iter().map(|name| &id_token[*name]).collect();
    assert_eq!(json!(claims), json!([ISSUER, rp.id, "nonce-1", now, now + 600]));
    let hash = |name: &str| match back.get(name) {
        "" => Value::Null,
        text => half_sha256(text).into(),
    };
    assert_eq!(id_token["at_hash"], hash("access_token"), "{}", kind.name());
    assert_eq!(id_token["c_hash"], hash("code"), "{}", kind.name());
    assert_eq!(id_token["auth_time"], now);
    for name in ["sub", "sid", "acr"] {
        assert!(id_token[name].is_string(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_type_returns_what_it_names_with_hashes_that_fit_core_3_2_2_5_3_3_2_5() {
    let (provider, rp) = start().await;
    let mut browser = Browser::default();
    for kind in ResponseType::ALL {
        let back = provider.front(&rp, &[("response_type", kind.name())], &mut browser).await;
        assert_eq!(back.names(), expected(*kind), "{}", kind.name());
        let place = if *kind == ResponseType::Code { "query" } else { "fragment" };
        assert_eq!((back.place, back.to.as_str()), (place, rp.redirect_uri.as_str()));
        assert_eq!((back.get("state"), back.get("iss")), ("state-1", ISSUER));
        let mut subjects = Vec::new();
        if kind.has_id_token() {
            let claims = provider.verified(back.get("id_token")).await;
            check(&back, *kind, &rp, provider.now(), &claims);
            // Core section 5.4: where an access token is issued, the claims of the scope are at UserInfo.
            assert_eq!(claims.get("name").is_some(), *kind == ResponseType::IdToken, "{}", kind.name());
            assert!(!claims.as_object().unwrap().values().any(Value::is_null), "left out, never null");
            subjects.push(claims["sub"].clone());
        }
        if kind.has_token() {
            assert_eq!((back.get("token_type"), back.get("expires_in")), ("Bearer", "600"));
            assert_eq!(back.get("scope"), "openid profile");
            let userinfo = provider.userinfo(back.get("access_token")).await;
            assert_eq!((userinfo.status.as_u16(), &userinfo.json()["name"]), (200, &json!("Alice Virtanen")));
            subjects.push(userinfo.json()["sub"].clone());
        }
        if kind.has_code() {
            let tokens = provider.token(Some(&rp.basic()), &rp.redemption(back.get("code"))).await.json();
            let claims = provider.verified(tokens["id_token"].as_str().unwrap()).await;
            // Core section 3.3.3.6: "the iss and sub Claim Values MUST be identical in both ID Tokens."
            assert_eq!((&claims["iss"], &claims["nonce"]), (&json!(ISSUER), &json!("nonce-1")));
            assert_eq!(claims["at_hash"], half_sha256(tokens["access_token"].as_str().unwrap()));
            assert_ne!(tokens["access_token"], back.get("access_token"));
            subjects.push(claims["sub"].clone());
        }
        subjects.dedup();
        assert_eq!(subjects.len(), 1, "{}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_clients_get_nested_id_tokens_in_every_flow_a94() {
    let (provider, rp) = (Provider::start().await, Rp::new("sealed"));
    provider.register(&every_type(rp.sealed_declaration())).await;
    let mut browser = Browser::default();
    for (index, kind) in ResponseType::ALL.iter().enumerate() {
        for (round, mode) in ["", "form_post"].into_iter().enumerate() {
            let (jti, type_) = (format!("jti-{index}-{round}"), ("response_type", kind.name()));
            let changes = if mode.is_empty() { vec![type_] } else { vec![type_, ("response_mode", mode)] };
            let back = provider.front_sealed(&rp, &changes, &jti, &mut browser).await;
            assert_eq!(back.names(), expected(*kind), "{}", kind.name());
            if kind.has_id_token() {
                assert_eq!(back.get("id_token").split('.').count(), 5, "{}", kind.name());
                let claims = provider.verified(&rp.unseal(back.get("id_token"))).await;
                check(&back, *kind, &rp, provider.now(), &claims);
            }
            if kind.has_token() {
                let userinfo = provider.userinfo(back.get("access_token")).await;
                let claims = provider.verified(&rp.unseal(&userinfo.body)).await;
                assert_eq!(claims["name"], "Alice Virtanen");
            }
            if kind.has_code() {
                let tokens = provider.token(Some(&rp.basic()), &rp.redemption(back.get("code"))).await.json();
                let claims = provider.verified(&rp.unseal(tokens["id_token"].as_str().unwrap())).await;
                assert_eq!(claims["nonce"], "nonce-1");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_hash_and_c_hash_of_ed25519_are_half_of_sha512_core_3_3_2_11() {
    let (provider, rp) = (Provider::start().await, Rp::new("ed"));
    let mut declaration = every_type(rp.declaration());
    declaration.settings.id_token.signed = SigAlg::EdDSA;
    provider.register(&declaration).await;
    let changes = [("response_type", "code id_token token")];
    let back = provider.front(&rp, &changes, &mut Browser::default()).await;
    let claims = peek(back.get("id_token"));
    let half = |text: &str| URL_SAFE_NO_PAD.encode(&Sha512::digest(text)[..32]);
    assert_eq!(claims["at_hash"], half(back.get("access_token")));
    assert_eq!(claims["c_hash"], half(back.get("code")));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_a_response_type_have_no_order_multiple_response_types_3() {
    let (provider, rp) = start().await;
    let changes = [("response_type", "token id_token code")];
    let back = provider.front(&rp, &changes, &mut Browser::default()).await;
    assert_eq!(back.names(), expected(ResponseType::CodeIdTokenToken));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_token_types_are_in_the_fragment_core_3_2_2_6_3_3_2_6() {
    let (provider, all) = start().await;
    let only_code = Rp::new("only-code");
    provider.register(&only_code.declaration()).await;
    for kind in ResponseType::ALL.iter().filter(|kind| **kind != ResponseType::Code) {
        let asked = ("response_type", kind.name());
        for (rp, change, error, reason) in [
            (&only_code, ("x", "1"), "unauthorized_client", "response_type_not_allowed"),
            (&all, ("scope", "profile"), "invalid_scope", "scope_without_openid"),
            (&all, ("request_uri", "https://x.example"), "invalid_request_uri", "request_uri_unregistered"),
            (&all, ("registration", "{}"), "registration_not_supported", "registration_unsupported"),
        ] {
            let reply = provider.authorize(rp, &[asked, change], None).await;
            let back = reply.back();
            assert_eq!((back.place, back.get("error")), ("fragment", error), "{}", kind.name());
            assert_eq!((back.get("state"), back.get("iss")), ("state-1", ISSUER));
            assert_eq!(back.names(), ["error", "error_description", "iss", "state"]);
            assert_eq!(provider.reason(&reply).await, reason);
        }
        let silent = provider.authorize(&all, &[asked, ("prompt", "none")], None).await;
        let mut browser = Browser::default();
        let back = provider.sign_in(&silent, &mut browser).await.back();
        assert_eq!((back.place, back.get("error")), ("fragment", "login_required"));
        // Core sections 3.2.2.1 and 3.3.2.11.
        let back = provider.authorize(&all, &[asked, ("nonce", "")], None).await;
        if kind.has_id_token() {
            assert_eq!((back.back().place, back.back().get("error")), ("fragment", "invalid_request"));
        } else {
            assert!(back.location().contains("/interaction/"), "code token works without");
        }
    }
    // A type that is not known here still says where its tokens would have gone.
    let back = provider.authorize(&all, &[("response_type", "token")], None).await.back();
    assert_eq!((back.place, back.get("error")), ("fragment", "unsupported_response_type"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_code_ends_the_token_that_came_by_the_browser_rfc6749_4_1_2() {
    let (provider, rp) = start().await;
    let changes = [("response_type", "code token")];
    let back = provider.front(&rp, &changes, &mut Browser::default()).await;
    let redemption = rp.redemption(back.get("code"));
    let tokens = provider.token(Some(&rp.basic()), &redemption).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(provider.userinfo(back.get("access_token")).await.status, 200);
    assert_eq!(provider.token(Some(&rp.basic()), &redemption).await.json()["error"], "invalid_grant");
    assert_eq!(provider.userinfo(back.get("access_token")).await.status, 401);
    assert_eq!(provider.userinfo(tokens.json()["access_token"].as_str().unwrap()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_code_no_pkce_is_asked_for_and_none_counts() {
    let (provider, rp) = start().await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let implicit = [&[("response_type", "id_token token")], &without[..]].concat();
    assert_eq!(provider.front(&rp, &implicit, &mut Browser::default()).await.get("error"), "");
    let hybrid = [&[("response_type", "code id_token")], &without[..]].concat();
    let reply = provider.authorize(&rp, &hybrid, None).await;
    assert_eq!(provider.reason(&reply).await, "pkce_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_key_gets_no_readable_id_token_a88() {
    let (provider, rp) = (Provider::start().await, Rp::new("sealed"));
    let mut declaration = every_type(rp.sealed_declaration());
    declaration.settings.require_request_object = false;
    declaration.settings.require_encrypted_request_object = false;
    declaration.keys[1].not_after = Some(provider.now() + 100);
    provider.register(&declaration).await;
    let mut browser = Browser::default();
    let accepted = provider.authorize(&rp, &[("response_type", "id_token token")], Some(&mut browser)).await;
    provider.advance(100);
    provider.app.clients.forget();
    browser.take(&accepted);
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let page = provider.get(&path, Some(&mut browser)).await;
    let csrf = signet_tests::provider::between(&page.body, "name=\"csrf\" value=\"", "\"").to_owned();
    let (name, password) = signet_tests::provider::USER;
    let login = [("csrf", csrf.as_str()), ("username", name), ("password", password)];
    provider.post(&format!("{path}/login"), signet_tests::provider::form(&login), Some(&mut browser)).await;
    let page = provider.get(&path, Some(&mut browser)).await;
    let csrf = signet_tests::provider::between(&page.body, "name=\"csrf\" value=\"", "\"").to_owned();
    let accept = signet_tests::provider::form(&[("csrf", csrf.as_str()), ("decision", "accept")]);
    let reply = provider.post(&format!("{path}/consent"), accept, Some(&mut browser)).await;
    assert_eq!((reply.status.as_u16(), reply.location()), (400, ""));
    assert!(reply.body.contains("encryption_key_missing"), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_by_the_browser_have_the_clients_form_rfc9068() {
    let (provider, rp) = (Provider::start().await, Rp::new("jwt"));
    let mut declaration = every_type(rp.declaration());
    declaration.settings.access_token_format = AccessTokenFormat::Jwt;
    declaration.settings.resources = ["https://rs.example/".to_owned()].into();
    provider.register(&declaration).await;
    let changes = [("response_type", "code id_token token"), ("resource", "https://rs.example/")];
    let back = provider.front(&rp, &changes, &mut Browser::default()).await;
    let token = peek(back.get("access_token"));
    assert_eq!((&token["aud"], &token["client_id"]), (&json!("https://rs.example/"), &json!("jwt")));
    let claims = provider.verified(back.get("id_token")).await;
    assert_eq!(claims["at_hash"], half_sha256(back.get("access_token")));
    // It is for that resource server and opens nothing here.
    assert_eq!(provider.userinfo(back.get("access_token")).await.status, 401);
}
