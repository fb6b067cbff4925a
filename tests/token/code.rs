//! Codes: for one client, one redirect URI, one verifier, one minute and one use (RFC 6749 section 4.1.2).

use std::collections::BTreeMap;

use signet_tests::flow::changed;
use signet_tests::provider::{Browser, Provider, Reply};
use signet_tests::rp::Rp;

use super::start;

async fn redeem(provider: &Provider, rp: &Rp, code: &str) -> Reply {
    provider.token(Some(&rp.basic()), &rp.redemption(code)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_use_is_refused_and_ends_the_tokens_of_the_first() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let mut browser = Browser::default();
    let code = provider.code(&rp, &[], &mut browser).await;
    let first = redeem(&provider, &rp, &code).await.json();
    let token = first["access_token"].as_str().unwrap();
    assert_eq!(provider.userinfo(token).await.status, 200);
    // Whoever has the code without the verifier, or with another client's name, ends nothing (RFC 9700 section 4.5).
    let wrong = changed(rp.redemption(&code), &[("code_verifier", &"w".repeat(43))]);
    assert_eq!(provider.token(Some(&rp.basic()), &wrong).await.status, 400);
    let relaxed = Rp::new("relaxed");
    assert_eq!(provider.token(Some(&relaxed.basic()), &rp.redemption(&code)).await.status, 400);
    assert_eq!(provider.userinfo(token).await.status, 200);
    let second = redeem(&provider, &rp, &code).await;
    assert_eq!((second.status.as_u16(), &second.json()["error"]), (400, &"invalid_grant".into()));
    assert_eq!(provider.reason(&second).await, "code_replayed");
    let refused = provider.userinfo(token).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (401, &"invalid_token".into()));
    // Other grants of the same person and client stand.
    let other = provider.tokens(&rp, &[], &mut browser).await;
    redeem(&provider, &rp, &code).await;
    assert_eq!(provider.userinfo(other["access_token"].as_str().unwrap()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lives_for_its_minute() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let mut browser = Browser::default();
    let code = provider.code(&rp, &[], &mut browser).await;
    provider.advance(59);
    assert_eq!(redeem(&provider, &rp, &code).await.status, 200);
    let code = provider.code(&rp, &[], &mut browser).await;
    provider.advance(60);
    let reply = redeem(&provider, &rp, &code).await;
    assert_eq!(reply.json()["error"], "invalid_grant");
    assert_eq!(provider.reason(&reply).await, "code_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_redemptions_exactly_one_succeeds() {
    let provider = std::sync::Arc::new(start().await);
    let code = provider.code(&Rp::new("rp"), &[], &mut Browser::default()).await;
    let racing: Vec<_> = (0..12)
        .map(|_| {
            let (provider, code) = (provider.clone(), code.clone());
            tokio::spawn(async move { redeem(&provider, &Rp::new("rp"), &code).await })
        })
        .collect();
    let mut found = BTreeMap::new();
    for reply in racing {
        *found.entry(reply.await.unwrap().status.as_u16()).or_insert(0) += 1;
    }
    assert_eq!(found, BTreeMap::from([(200, 1), (400, 11)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn pkce_holds_in_both_directions_rfc9700_4_8_2() {
    let provider = start().await;
    let relaxed = Rp::new("relaxed");
    let mut browser = Browser::default();
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = provider.code(&relaxed, &without, &mut browser).await;
    let reply = redeem(&provider, &relaxed, &code).await;
    assert_eq!(reply.json()["error"], "invalid_grant");
    assert_eq!(provider.reason(&reply).await, "code_verifier_unexpected");
    let bare = changed(relaxed.redemption(&code), &[("code_verifier", "")]);
    assert_eq!(provider.token(Some(&relaxed.basic()), &bare).await.status, 200);
    let code = provider.code(&relaxed, &[], &mut browser).await;
    let bare = changed(relaxed.redemption(&code), &[("code_verifier", "")]);
    assert_eq!(provider.token(Some(&relaxed.basic()), &bare).await.json()["error"], "invalid_grant");
    assert_eq!(redeem(&provider, &relaxed, &code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_one_tenant_is_unknown_at_another_a7() {
    use axum::http::{Request, header};
    let provider = start().await;
    let rp = Rp::new("rp");
    let acme = provider
        .tenant("acme", "https://id.example/acme", signet_core::records::TenantSettings::default())
        .await;
    provider.provisioner().client(&acme, &rp.declaration()).await.unwrap();
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    let request = Request::post("/acme/token")
        .header(header::HOST, "id.example")
        .header(header::AUTHORIZATION, rp.basic())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(signet_tests::flow::encode(&rp.redemption(&code))))
        .unwrap();
    assert_eq!(provider.raw(request).await.json()["error"], "invalid_grant");
    assert_eq!(redeem(&provider, &rp, &code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_disabled_meanwhile_gets_nothing() {
    use signet_core::provision::UserDeclaration;
    let provider = start().await;
    let rp = Rp::new("rp");
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    let disabled = UserDeclaration {
        username: "alice".into(),
        disabled: true,
        password: None,
        password_hash: None,
        role: None,
        claims: serde_json::Map::new(),
    };
    provider.provisioner().user(&"default".into(), &disabled).await.unwrap();
    assert_eq!(redeem(&provider, &rp, &code).await.json()["error"], "invalid_grant");
}
