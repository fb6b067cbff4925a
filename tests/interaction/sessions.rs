//! Sessions: a cookie that changes with each login, and that ends.

use axum::body::Body;
use axum::http::{Request, header};
use signet_tests::provider::{Browser, USER};
use signet_tests::rp::Rp;

use super::{Visit, is_login, outcome, person, shown, signed_in, silently, start};

pub(super) fn session(browser: &Browser) -> String {
    let cookie = browser.cookie();
    let own = cookie.split("; ").find(|pair| pair.starts_with("__Host-signet-session-default="));
    own.map(str::to_owned).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_bound_to_host_and_tls_and_ends_with_the_browser() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let reply = visit.log_in(USER.0).await;
    let cookie = reply.header("set-cookie");
    assert!(cookie.starts_with("__Host-signet-session-default=sgn_se_"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert!(!reply.body.contains("sgn_se_") && !reply.location().contains("sgn_se_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_planted_before_the_login_is_worth_nothing_after_it() {
    let provider = start().await;
    // Somebody's own session, put into the victim's browser.
    let mut attacker = Browser::default();
    signed_in(&provider, &mut attacker, "bob").await;
    let mut victim = attacker.clone();
    let planted = session(&victim);
    let mut visit = Visit::to(&provider, &mut victim, "rp", &[("prompt", "login")]).await;
    visit.log_in(USER.0).await;
    let own = session(&victim);
    assert!(!own.is_empty() && own != planted, "the cookie changes at login");
    assert_eq!(
        silently(&provider, &mut attacker, &[]).await,
        "login_required",
        "the planted session has ended"
    );
    // And again with the same person: each login has its own cookie, the former one is void.
    let mut former = victim.clone();
    let mut visit = Visit::to(&provider, &mut victim, "rp", &[("prompt", "login")]).await;
    visit.log_in(USER.0).await;
    assert_ne!(session(&victim), own);
    assert_eq!(silently(&provider, &mut former, &[]).await, "login_required");
    let made_up = Request::get("/logout")
        .header(
            header::COOKIE,
            "__Host-signet-session-default=sgn_se_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        )
        .body(Body::empty())
        .unwrap();
    assert!(provider.send(made_up).await.body.contains("You are signed out"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_session_cookies_are_as_good_as_none() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let visit = Visit::to(&provider, &mut browser, "rp", &[("prompt", "none")]).await;
    let path = visit.path;
    let doubled = format!("{}; {}", browser.cookie(), session(&browser).replace("sgn_se_", "sgn_se_x"));
    let request = Request::get(&path).header(header::COOKIE, doubled).body(Body::empty()).unwrap();
    assert_eq!(outcome(&provider.send(request).await), "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_silence() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    provider.advance(3599);
    assert_eq!(silently(&provider, &mut browser, &[]).await, "code");
    // Each use counts.
    provider.advance(3599);
    assert_eq!(silently(&provider, &mut browser, &[]).await, "code");
    provider.advance(3600);
    assert_eq!(silently(&provider, &mut browser, &[]).await, "login_required");
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    assert!(is_login(&visit.page().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_in_any_case() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    for _ in 0..12 {
        provider.advance(3590);
        assert_eq!(silently(&provider, &mut browser, &[]).await, "code");
    }
    provider.advance(12 * 3600 - 12 * 3590 - 1);
    assert_eq!(silently(&provider, &mut browser, &[]).await, "code");
    provider.advance(1);
    assert_eq!(silently(&provider, &mut browser, &[]).await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_person() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, "bob").await;
    person(&provider, "bob", true).await;
    assert_eq!(silently(&provider, &mut browser, &[]).await, "login_required");
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    assert!(is_login(&visit.page().await));
    assert_eq!(visit.log_in("bob").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_can_be_used_instead() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut subjects = Vec::new();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in(USER.0).await;
    let former = visit.browser.clone();
    let reply = visit.submit("switch", &[]).await;
    assert_eq!(reply.location(), format!("/auth/open{}", visit.path));
    assert!(is_login(&visit.page().await));
    assert_eq!(
        silently(&provider, &mut former.clone(), &[]).await,
        "login_required",
        "the former session has ended"
    );
    let mut fresh = Browser::default();
    let unswitched = Visit::to(&provider, &mut fresh, "rp", &[]).await;
    for (name, mut visit) in [("bob", visit), (USER.0, unswitched)] {
        visit.log_in(name).await;
        let code = visit.accept().await.location_param("code").unwrap();
        let rp = Rp::new("rp");
        let tokens = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await.json();
        let userinfo = provider.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        subjects.push(userinfo["sub"].as_str().unwrap().to_owned());
    }
    let id = |user: Option<signet_core::records::User>| user.unwrap().id.to_string();
    let store = &provider.app.store;
    let tenant = "default".into();
    let expected = [
        id(store.user_by_name(&tenant, "bob").await.unwrap()),
        id(store.user_by_name(&tenant, USER.0).await.unwrap()),
    ];
    assert_eq!(subjects, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_gone_or_changed_gets_no_answer() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in(USER.0).await;
    let mut declaration = rp.declaration();
    declaration.settings.redirect_uris = vec!["https://rp.example/elsewhere".into()];
    provider.register(&declaration).await;
    assert_eq!(shown(&visit.accept().await), (400, "redirect_uri_unregistered"));
    declaration.disabled = true;
    provider.register(&declaration).await;
    assert_eq!(shown(&visit.page().await), (400, "client_unknown"));
    provider.register(&rp.declaration()).await;
    assert_eq!(outcome(&visit.accept().await), "code");
}
