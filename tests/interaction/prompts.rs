//! `prompt`, `max_age`, essential `acr` and `sub` (OpenID Connect Core sections 3.1.2.1, 3.1.2.6 and 5.5.1).

use signet_tests::provider::{Browser, USER};
use signet_tests::rp::Rp;

use super::{Visit, is_consent, is_login, outcome, signed_in, silently, start};

#[tokio::test(flavor = "multi_thread")]
async fn prompt_none_shows_no_page() {
    let provider = start().await;
    let mut browser = Browser::default();
    assert_eq!(silently(&provider, &mut browser, &[]).await, "login_required");
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in(USER.0).await;
    assert!(is_consent(&visit.page().await));
    assert_eq!(silently(&provider, &mut browser, &[]).await, "consent_required");
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    assert_eq!(outcome(&visit.accept().await), "code");
    assert_eq!(silently(&provider, &mut browser, &[]).await, "code");
    assert_eq!(silently(&provider, &mut browser, &[("scope", "openid email")]).await, "consent_required");
    provider.advance(10);
    assert_eq!(silently(&provider, &mut browser, &[("max_age", "10")]).await, "code");
    assert_eq!(silently(&provider, &mut browser, &[("max_age", "9")]).await, "login_required");
    assert_eq!(silently(&provider, &mut Browser::default(), &[]).await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_and_select_account_ask_although_there_is_a_session() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    for prompt in ["login", "select_account", "login select_account"] {
        let mut visit = Visit::to(&provider, &mut browser, "rp", &[("prompt", prompt)]).await;
        assert!(is_login(&visit.page().await), "{prompt}");
        visit.log_in(USER.0).await;
        assert_eq!(outcome(&visit.page().await), "code", "{prompt}: asked once is enough");
    }
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("prompt", "login consent")]).await;
    assert!(is_login(&visit.page().await));
    visit.log_in(USER.0).await;
    assert!(is_consent(&visit.page().await));
    assert_eq!(outcome(&visit.accept().await), "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn max_age_asks_again_and_auth_time_tells_the_new_login() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    provider.advance(100);
    let page = Visit::to(&provider, &mut browser, "rp", &[("max_age", "100")]).await.page().await;
    assert_eq!(outcome(&page), "code");
    for max_age in ["99", "0"] {
        provider.advance(100);
        let mut visit = Visit::to(&provider, &mut browser, "rp", &[("max_age", max_age)]).await;
        let page = visit.page().await;
        assert!(is_login(&page) && page.body.contains("confirm who you are"), "{max_age}");
        visit.log_in(USER.0).await;
        let back = visit.page().await;
        assert_eq!(outcome(&back), "code");
        let rp = Rp::new("rp");
        let code = back.location_param("code").unwrap();
        let tokens = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await.json();
        let payload = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let claims: serde_json::Value =
            serde_json::from_slice(&signet_tests::craft::unb64(&payload)).unwrap();
        assert_eq!(claims["auth_time"], provider.now());
    }
    // default_max_age holds where the request has none; the request's own wins.
    let mut declaration = Rp::new("rp").declaration();
    declaration.settings.default_max_age = Some(50);
    provider.register(&declaration).await;
    provider.advance(51);
    assert_eq!(silently(&provider, &mut browser, &[]).await, "login_required");
    assert_eq!(silently(&provider, &mut browser, &[("max_age", "100")]).await, "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_essential_acr_that_cannot_be_met_is_refused_and_a_voluntary_one_is_not_core_5_5_1_1() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    for (claims, expected) in [
        (
            r#"{"id_token":{"acr":{"essential":true,"values":["urn:other"]}}}"#,
            "unmet_authentication_requirements",
        ),
        (
            r#"{"id_token":{"acr":{"essential":true,"values":["urn:other","urn:signet:acr:password"]}}}"#,
            "code",
        ),
        (r#"{"id_token":{"acr":{"values":["urn:other"]}}}"#, "code"),
        (r#"{"id_token":{"acr":{"essential":true}}}"#, "code"),
    ] {
        let page = Visit::to(&provider, &mut browser, "rp", &[("claims", claims)]).await.page().await;
        assert_eq!(outcome(&page), expected, "{claims}");
    }
    let page = Visit::to(&provider, &mut browser, "rp", &[("acr_values", "urn:other")]).await.page().await;
    assert_eq!(outcome(&page), "code", "acr_values are voluntary");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_asked_for_by_value_must_be_the_one_that_is_logged_in_core_5_5_1() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let user = provider.app.store.user_by_name(&"default".into(), USER.0).await.unwrap().unwrap();
    let asked = |sub: &str| format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    assert_eq!(silently(&provider, &mut browser, &[("claims", &asked(&user.id.to_string()))]).await, "code");
    assert_eq!(
        silently(&provider, &mut browser, &[("claims", &asked("somebody-else"))]).await,
        "login_required"
    );
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("claims", &asked("somebody-else"))]).await;
    assert!(is_login(&visit.page().await));
}
