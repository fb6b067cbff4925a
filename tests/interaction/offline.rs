//! `offline_access` and scopes of the tenant's own (OpenID Connect Core sections 5.4 and 11).

use serde_json::json;
use signet_core::change::Change;
use signet_core::records::{ClaimPlacement, CustomScope, GrantType, TenantSettings};
use signet_tests::front::peek;
use signet_tests::provider::{Browser, ISSUER, Provider, USER};
use signet_tests::rp::Rp;

use super::{Visit, is_consent, outcome, signed_in, silently, start};

#[tokio::test(flavor = "multi_thread")]
async fn offline_access_is_a_line_of_its_own_and_remembered_core_11() {
    let provider = start().await;
    let mut declaration = Rp::new("rp").declaration();
    declaration.settings.grant_types.insert(GrantType::RefreshToken);
    provider.register(&declaration).await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let offline = [("scope", "openid profile offline_access")];
    assert_eq!(silently(&provider, &mut browser, &offline).await, "consent_required");
    let mut visit = Visit::to(&provider, &mut browser, "rp", &offline).await;
    let page = visit.page().await;
    assert!(is_consent(&page) && page.body.contains("Stay connected while you are away"));
    assert_eq!(outcome(&visit.accept().await), "code");
    let tokens = provider.tokens(&Rp::new("rp"), &offline, &mut browser).await;
    assert_eq!(tokens["scope"], "offline_access openid profile");
    // prompt=consent asks again, whatever is remembered.
    let again = [offline[0], ("prompt", "consent")];
    assert!(is_consent(&Visit::to(&provider, &mut browser, "rp", &again).await.page().await));
    // A client that cannot have refresh tokens asks in vain, and is told by the scope that it gets.
    let page = Visit::to(&provider, &mut browser, "trusted", &offline).await.page().await;
    let rp = Rp::new("trusted");
    let code = page.location_param("code").unwrap();
    let tokens = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await.json();
    assert_eq!(tokens["scope"], "openid profile");
}

/// A tenant with a scope of its own, and a person who has the claim.
async fn payroll() -> Provider {
    let provider = start().await;
    let scope = CustomScope {
        name: "payroll".into(),
        title: "See your pay".into(),
        detail: "What you earn, and in which department.".into(),
        claims: vec!["salary".into(), "department".into(), "email".into()],
    };
    let settings = TenantSettings { scopes: vec![scope], ..TenantSettings::default() };
    provider.tenant("default", ISSUER, settings).await;
    let tenant = "default".into();
    let mut user = provider.app.store.user_by_name(&tenant, USER.0).await.unwrap().unwrap();
    user.claims.insert("salary".into(), 5000.into());
    user.claims.insert("secret_note".into(), "nobody's business".into());
    user.version += 1;
    provider.app.store.apply(&tenant, &[Change::UpdateUser(user)]).await.unwrap();
    let mut declaration = Rp::new("rp").declaration();
    declaration.settings.scope.insert("payroll".into());
    declaration.settings.claim_placement = [("salary".to_owned(), ClaimPlacement::Both)].into();
    provider.register(&declaration).await;
    provider
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_of_the_tenants_own_are_shown_and_delivered_where_the_client_wants_them() {
    let provider = payroll().await;
    let metadata = provider.get("/.well-known/openid-configuration", None).await.json();
    assert!(metadata["scopes_supported"].as_array().unwrap().contains(&"payroll".into()));
    assert!(metadata["claims_supported"].as_array().unwrap().contains(&"salary".into()));
    let mut browser = Browser::default();
    let asked = [
        ("scope", "openid payroll"),
        ("claims", r#"{"userinfo":{"secret_note":null},"id_token":{"secret_note":null}}"#),
    ];
    let mut visit = Visit::to(&provider, &mut browser, "rp", &asked).await;
    visit.log_in(USER.0).await;
    let page = visit.page().await;
    assert!(page.body.contains("See your pay") && page.body.contains("in which department"));
    let back = visit.accept().await;
    let rp = Rp::new("rp");
    let redemption = rp.redemption(&back.location_param("code").unwrap());
    let tokens = provider.token(Some(&rp.basic()), &redemption).await.json();
    let id_token = peek(tokens["id_token"].as_str().unwrap());
    assert_eq!((&id_token["salary"], &id_token["iss"]), (&json!(5000), &json!(ISSUER)));
    let userinfo = provider.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&userinfo["salary"], &userinfo["email"]), (&json!(5000), &json!("alice@example.org")));
    for claims in [&id_token, &userinfo] {
        assert!(claims.get("department").is_none(), "left out, never null");
        assert!(claims.get("secret_note").is_none(), "a record's member is no claim by itself");
    }
    assert!(id_token.get("email").is_none() && userinfo.get("iss").is_none());
}
