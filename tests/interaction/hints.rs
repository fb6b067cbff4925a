//! `id_token_hint` and `login_hint` (OpenID Connect Core section 3.1.2.1).

use serde_json::Value;
use signet_core::records::SubjectType;
use signet_jose::{ContentAlg, KeyAlg};
use signet_tests::craft::flip;
use signet_tests::front::peek;
use signet_tests::provider::{Browser, Provider, USER};
use signet_tests::rp::{Rp, seal};

use super::{Visit, is_login, outcome, person, signed_in, silently, start};

/// An ID token for `client` of whoever is signed in.
async fn id_token(provider: &Provider, client: &str, browser: &mut Browser) -> String {
    let tokens: Value = provider.tokens(&Rp::new(client), &[], browser).await;
    tokens["id_token"].as_str().unwrap().to_owned()
}

/// The reason for which a hint is refused.
async fn refused(provider: &Provider, hint: &str) -> String {
    let changes = [("prompt", "none"), ("id_token_hint", hint)];
    let reply = provider.authorize(&Rp::new("rp"), &changes, None).await;
    assert_eq!(reply.location_param("error").as_deref(), Some("invalid_request"), "{}", reply.location());
    provider.reason(&reply).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_of_the_one_who_is_signed_in_is_answered_silently() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let first = id_token(&provider, "rp", &mut browser).await;
    // Also when it has expired, and when it comes back encrypted to us.
    provider.advance(3000);
    let sealed = seal(&provider.jwks().await, KeyAlg::RsaOaep, ContentAlg::A256Gcm, first.as_bytes());
    for hint in [&first, &sealed] {
        let changes = [("prompt", "none"), ("id_token_hint", hint)];
        let tokens = provider.tokens(&Rp::new("rp"), &changes, &mut browser).await;
        let second = peek(tokens["id_token"].as_str().unwrap());
        for name in ["sub", "auth_time", "sid"] {
            assert_eq!(second[name], peek(&first)[name], "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_of_somebody_else_is_never_answered_with_the_one_who_is_signed_in() {
    let provider = start().await;
    let mut bob = Browser::default();
    signed_in(&provider, &mut bob, "bob").await;
    let hint = id_token(&provider, "rp", &mut bob).await;
    let mut alice = Browser::default();
    signed_in(&provider, &mut alice, USER.0).await;
    assert_eq!(silently(&provider, &mut alice, &[("id_token_hint", &hint)]).await, "login_required");
    assert_eq!(silently(&provider, &mut bob, &[("id_token_hint", &hint)]).await, "code");
    // With pages, the person who is meant is asked for, by name; the wrong one does not get through.
    let mut visit = Visit::to(&provider, &mut alice, "rp", &[("id_token_hint", &hint)]).await;
    let page = visit.page().await;
    assert!(is_login(&page) && page.body.contains("value=\"bob\""), "{}", page.body);
    visit.log_in(USER.0).await;
    assert!(is_login(&visit.page().await));
    visit.log_in("bob").await;
    assert_eq!(outcome(&visit.page().await), "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_of_pairwise_clients_name_the_person_as_that_client_knows_them_core_8() {
    let provider = start().await;
    let mut declaration = Rp::new("rp").declaration();
    declaration.settings.subject_type = SubjectType::Pairwise;
    provider.register(&declaration).await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let hint = id_token(&provider, "rp", &mut browser).await;
    let user = provider.app.store.user_by_name(&"default".into(), USER.0).await.unwrap().unwrap();
    assert_ne!(peek(&hint)["sub"], user.id.to_string());
    assert_eq!(silently(&provider, &mut browser, &[("id_token_hint", &hint)]).await, "code");
    let mut bob = Browser::default();
    signed_in(&provider, &mut bob, "bob").await;
    assert_eq!(silently(&provider, &mut bob, &[("id_token_hint", &hint)]).await, "login_required");
    // A value asked for in `claims` is compared in the same way.
    let asked = format!(r#"{{"id_token":{{"sub":{{"value":{}}}}}}}"#, peek(&hint)["sub"]);
    assert_eq!(silently(&provider, &mut browser, &[("claims", &asked)]).await, "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_id_token_of_ours_for_this_client_is_refused() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let good = id_token(&provider, "rp", &mut browser).await;
    let foreign = id_token(&provider, "trusted", &mut browser).await;
    assert_eq!(refused(&provider, &foreign).await, "hint_foreign");
    assert_eq!(refused(&provider, &flip(&good, 2, false)).await, "hint_forged");
    let rp = Rp::new("rp");
    let own = rp.sign(peek(&good).as_object().unwrap());
    assert_eq!(refused(&provider, &own).await, "hint_key_unknown");
    assert_eq!(refused(&provider, "a.b").await, "hint_malformed");
    let to_itself = rp.encryption.public_key().encrypter(KeyAlg::RsaOaep).unwrap();
    let header =
        signet_jose::SealHeader { cty: Some("JWT"), ..signet_jose::SealHeader::new(ContentAlg::A256Gcm) };
    let sealed = to_itself.seal(&header, good.as_bytes()).unwrap();
    assert_eq!(refused(&provider, &sealed).await, "hint_undecryptable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_hint_fills_in_the_name_and_binds_nobody() {
    let provider = start().await;
    person(&provider, "carol", false).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("login_hint", "buffy@host")]).await;
    assert!(visit.page().await.body.contains("value=\"buffy@host\""));
    visit.log_in("carol").await;
    assert_eq!(outcome(&visit.accept().await), "code");
}
