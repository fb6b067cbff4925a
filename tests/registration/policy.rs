//! Who may register: nobody, holders of an initial access token, anybody.

use serde_json::{Value, json};
use signet_core::change::Change;
use signet_core::ids::TokenHash;
use signet_core::records::{InitialAccessToken, RegistrationPolicy, TenantSettings};
use signet_tests::provider::{ISSUER, Provider, Reply};

use crate::{Known, metadata, open, provider, refusal, register, request, settings};

async fn initial(provider: &Provider, secret: &str, uses_left: Option<i64>, expires_at: Option<i64>) {
    let token = InitialAccessToken {
        tenant: "default".into(),
        hash: TokenHash::of(secret),
        name: secret.to_owned(),
        uses_left,
        created_at: provider.now(),
        expires_at,
    };
    provider.app.store.apply(&"default".into(), &[Change::InsertInitialAccessToken(token)]).await.unwrap();
}

async fn with_token(provider: &Provider, token: Option<&str>) -> Reply {
    provider.send(request("POST", "/register", token, Some(&metadata(&json!({}))))).await
}

async fn advertised(provider: &Provider) -> Value {
    provider.get("/.well-known/openid-configuration", None).await.json()["registration_endpoint"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn off_means_that_there_is_no_such_endpoint() {
    let provider = open().await;
    assert_eq!(advertised(&provider).await, json!(format!("{ISSUER}/register")));
    let known = Known::new(&provider, json!({})).await;
    settings(&provider, TenantSettings::default()).await;
    assert_eq!(advertised(&provider).await, Value::Null);
    assert_eq!(register(&provider, json!({})).await.status.as_u16(), 404);
    for reply in
        [known.get(&provider).await, known.put(&provider, json!({})).await, known.delete(&provider).await]
    {
        assert_eq!(reply.status.as_u16(), 404);
    }
    settings(
        &provider,
        TenantSettings { registration: RegistrationPolicy::Open, ..TenantSettings::default() },
    )
    .await;
    assert_eq!(known.get(&provider).await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initial_access_token_is_asked_for_rfc7591_3() {
    let provider = provider(RegistrationPolicy::InitialAccessToken).await;
    assert_eq!(advertised(&provider).await, json!(format!("{ISSUER}/register")));
    let reply = with_token(&provider, None).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("www-authenticate")),
        (401, "Bearer realm=\"registration\"")
    );
    initial(&provider, "partner", Some(2), Some(provider.now() + 60)).await;
    initial(&provider, "any-number", None, None).await;
    assert_eq!(refusal(&with_token(&provider, Some("unknown")).await), (401, "invalid_token".to_owned()));
    // A registration that fails uses nothing up.
    let bad = metadata(&json!({ "redirect_uris": [] }));
    let reply = provider.send(request("POST", "/register", Some("partner"), Some(&bad))).await;
    assert_eq!(reply.status.as_u16(), 400);
    for _ in 0..2 {
        assert_eq!(with_token(&provider, Some("partner")).await.status.as_u16(), 201);
    }
    assert_eq!(refusal(&with_token(&provider, Some("partner")).await), (401, "invalid_token".to_owned()));
    for _ in 0..3 {
        assert_eq!(with_token(&provider, Some("any-number")).await.status.as_u16(), 201);
    }
    // A registration access token is no initial one.
    let known = with_token(&provider, Some("any-number")).await.json();
    let other = known["registration_access_token"].as_str().unwrap();
    assert_eq!(with_token(&provider, Some(other)).await.status.as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initial_access_token_ends() {
    let provider = provider(RegistrationPolicy::InitialAccessToken).await;
    initial(&provider, "short", None, Some(provider.now() + 60)).await;
    assert_eq!(with_token(&provider, Some("short")).await.status.as_u16(), 201);
    provider.advance(60);
    assert_eq!(refusal(&with_token(&provider, Some("short")).await), (401, "invalid_token".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_use_the_last_use_of_a_token_one_registers() {
    let provider = provider(RegistrationPolicy::InitialAccessToken).await;
    initial(&provider, "once", Some(1), None).await;
    let all = (0..16).map(|_| with_token(&provider, Some("once")));
    let replies = futures_util::future::join_all(all).await;
    let created = replies.iter().filter(|reply| reply.status.as_u16() == 201).count();
    assert_eq!(created, 1);
    assert!(replies.iter().all(|reply| [201, 401].contains(&reply.status.as_u16())));
    let clients = provider.provisioner().clients(&"default".into()).await.unwrap();
    assert_eq!(clients.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_tenant_registers_nobody_at_another_a7() {
    let provider = provider(RegistrationPolicy::InitialAccessToken).await;
    let policy =
        TenantSettings { registration: RegistrationPolicy::InitialAccessToken, ..TenantSettings::default() };
    provider.tenant("acme", "https://id.example/acme", policy).await;
    initial(&provider, "partner", None, None).await;
    let mut at_acme = request("POST", "/acme/register", Some("partner"), Some(&metadata(&json!({}))));
    at_acme.headers_mut().insert("host", "id.example".parse().unwrap());
    assert_eq!(refusal(&provider.raw(at_acme).await), (401, "invalid_token".to_owned()));
}
