//! Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14.2, OpenID Connect Core section 12).

use serde_json::Value;
use signet_core::records::GrantType;
use signet_jose::{Compact, Limits, parse, parse_nested};
use signet_tests::craft::unb64;
use signet_tests::provider::{Browser, Provider, Reply};
use signet_tests::rp::Rp;

use super::start;

/// A provider with clients `a` and `b` that may refresh, with this grace, and the first token response for `a`.
async fn refreshing(grace: i64) -> (Provider, Rp, Value) {
    let provider = start().await;
    for id in ["a", "b"] {
        let mut declaration = Rp::new(id).declaration();
        declaration.settings.grant_types.insert(GrantType::RefreshToken);
        declaration.settings.lifetimes.refresh_token_grace = grace;
        provider.register(&declaration).await;
    }
    let rp = Rp::new("a");
    let first = provider.tokens(&rp, &[], &mut Browser::default()).await;
    (provider, rp, first)
}

fn text<'a>(answer: &'a Value, member: &str) -> &'a str {
    answer[member].as_str().unwrap_or_else(|| panic!("no {member} in {answer}"))
}

fn claims(id_token: &str) -> Value {
    serde_json::from_slice(&unb64(id_token.split('.').nth(1).unwrap())).unwrap()
}

async fn refused(provider: &Provider, reply: &Reply, reason: &str) {
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &"invalid_grant".into()), "{reason}");
    assert_eq!(provider.reason(reply).await, reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refreshed_id_token_is_of_the_same_login_and_the_answer_is_not_stored_core_12_2() {
    let (provider, rp, first) = refreshing(30).await;
    provider.advance(100);
    let reply = provider.refresh(&rp, text(&first, "refresh_token"), &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        (reply.header("cache-control"), reply.header("content-type")),
        ("no-store", "application/json")
    );
    let second = reply.json();
    let (before, after) = (claims(text(&first, "id_token")), claims(text(&second, "id_token")));
    for same in ["iss", "sub", "aud", "auth_time", "sid", "acr"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_eq!(after["iat"], provider.now());
    assert_eq!((&before["nonce"], after.get("nonce")), (&"nonce-1".into(), None));
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(provider.userinfo(text(&second, "access_token")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_gets_invalid_grant_and_burns_nothing_rfc6749_10_4() {
    let (provider, rp, first) = refreshing(30).await;
    let token = text(&first, "refresh_token");
    refused(&provider, &provider.refresh(&Rp::new("b"), token, &[]).await, "refresh_token_foreign").await;
    // Nor may one that is not registered for the grant try.
    let reply = provider.refresh(&Rp::new("rp"), token, &[]).await;
    assert_eq!(reply.json()["error"], "unauthorized_client");
    assert_eq!(provider.refresh(&rp, token, &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn reuse_ends_the_whole_family_rfc9700_4_14_2() {
    let (provider, rp, first) = refreshing(0).await;
    let token = text(&first, "refresh_token");
    let second = provider.refresh(&rp, token, &[]).await.json();
    refused(&provider, &provider.refresh(&rp, token, &[]).await, "refresh_token_reused").await;
    for answer in [&first, &second] {
        assert_eq!(
            provider.userinfo(text(answer, "access_token")).await.status,
            401,
            "access tokens end too"
        );
    }
    let reply = provider.refresh(&rp, text(&second, "refresh_token"), &[]).await;
    refused(&provider, &reply, "refresh_token_unknown").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_response_is_made_up_for_within_the_grace_and_only_once_its_successor_is_unused() {
    let (provider, rp, first) = refreshing(30).await;
    let token = text(&first, "refresh_token");
    let lost = provider.refresh(&rp, token, &[]).await.json();
    provider.advance(29);
    let retried = provider.refresh(&rp, token, &[]).await;
    assert_eq!(retried.status, 200, "{}", retried.body);
    let retried = retried.json();
    // The successor of the retry is good.
    let third = provider.refresh(&rp, text(&retried, "refresh_token"), &[]).await.json();
    assert_eq!(provider.userinfo(text(&third, "access_token")).await.status, 200);
    // The lost one was superseded: whoever uses it did not lose it.
    let reply = provider.refresh(&rp, text(&lost, "refresh_token"), &[]).await;
    refused(&provider, &reply, "refresh_token_reused").await;
    assert_eq!(provider.userinfo(text(&third, "access_token")).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_successor_was_used_or_the_grace_is_over_a_retry_is_reuse() {
    let (provider, rp, first) = refreshing(30).await;
    let token = text(&first, "refresh_token");
    let second = provider.refresh(&rp, token, &[]).await.json();
    provider.refresh(&rp, text(&second, "refresh_token"), &[]).await;
    refused(&provider, &provider.refresh(&rp, token, &[]).await, "refresh_token_reused").await;

    let (provider, rp, first) = refreshing(30).await;
    let token = text(&first, "refresh_token");
    provider.refresh(&rp, token, &[]).await;
    provider.advance(30);
    refused(&provider, &provider.refresh(&rp, token, &[]).await, "refresh_token_reused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lifetime_slides_up_to_the_end_of_the_session_core_11() {
    let (provider, rp, first) = refreshing(0).await;
    let mut token = text(&first, "refresh_token").to_owned();
    let hour = 3_600;
    for _ in 0..11 {
        provider.advance(hour);
        token = text(&provider.refresh(&rp, &token, &[]).await.json(), "refresh_token").to_owned();
    }
    provider.advance(hour);
    refused(&provider, &provider.refresh(&rp, &token, &[]).await, "refresh_token_expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scope_may_be_narrowed_and_never_widened_rfc6749_6() {
    let (provider, rp, first) = refreshing(0).await;
    let token = text(&first, "refresh_token");
    let reply = provider.refresh(&rp, token, &[("scope", "openid email")]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &"invalid_scope".into()));
    let narrow = provider.refresh(&rp, token, &[("scope", "openid")]).await.json();
    assert_eq!(narrow["scope"], "openid");
    let wide = provider.refresh(&rp, text(&narrow, "refresh_token"), &[]).await.json();
    assert_eq!(wide["scope"], "openid profile", "the next use may have all of it again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_stays_nested_on_refresh_core_10_2_certification_7_26() {
    let provider = start().await;
    let rp = Rp::new("sealed");
    let mut declaration = rp.sealed_declaration();
    declaration.settings.require_request_object = false;
    declaration.settings.require_encrypted_request_object = false;
    declaration.settings.grant_types.insert(GrantType::RefreshToken);
    provider.register(&declaration).await;
    let first = provider.tokens(&rp, &[], &mut Browser::default()).await;
    let second = provider.refresh(&rp, text(&first, "refresh_token"), &[]).await.json();
    let Compact::Jwe(jwe) = parse(text(&second, "id_token"), &Limits::default()).unwrap() else {
        panic!("not encrypted")
    };
    let header = jwe.header();
    assert_eq!((header.kid.as_deref(), header.cty.as_deref()), (Some("enc"), Some("JWT")));
    let inner = rp.encryption.decrypter().unwrap().open(&jwe).unwrap();
    assert_eq!(parse_nested(&inner, &Limits::default()).unwrap().header().alg.name(), "RS256");
}
