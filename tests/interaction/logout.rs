//! Signing out at the provider.

use axum::body::Body;
use axum::http::{Request, header};
use signet_tests::provider::{Browser, USER, form};

use super::{csrf, shown, signed_in, silently, start};

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_asks_first_and_ends_the_session_on_the_server() {
    let provider = start().await;
    let mut browser = Browser::default();
    assert!(provider.get("/logout", Some(&mut browser)).await.body.contains("You are signed out"));
    signed_in(&provider, &mut browser, USER.0).await;
    let kept = browser.clone();
    let page = provider.get("/logout", Some(&mut browser)).await;
    assert!(page.body.contains("Alice Virtanen (alice)") && page.body.contains("Sign out?"), "{}", page.body);
    assert_eq!(silently(&provider, &mut browser, &[]).await, "code", "a link alone ends nothing");

    let token = csrf(&page).to_owned();
    for (body, headers) in [
        (String::new(), vec![]),
        (form(&[("csrf", "x")]), vec![]),
        (form(&[("csrf", &token)]), vec![("sec-fetch-site", "cross-site")]),
        (form(&[("csrf", &token)]), vec![("origin", "https://evil.example")]),
    ] {
        let mut request = Request::post("/logout/confirm")
            .header(header::COOKIE, browser.cookie())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let reply = provider.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(shown(&reply), (403, "form_forged"), "{headers:?}");
    }
    assert_eq!(silently(&provider, &mut browser, &[]).await, "code");

    let reply = provider.post("/logout/confirm", form(&[("csrf", &token)]), Some(&mut browser)).await;
    assert_eq!(reply.location().split('?').next(), Some("/auth/open/logout/done"), "{}", reply.body);
    let end = provider.get(reply.location().strip_prefix("/auth/open").unwrap(), Some(&mut browser)).await;
    assert!(end.status == 200 && end.body.contains("You are signed out"), "{}", end.body);
    assert!(reply.header("set-cookie").contains("Max-Age=0"), "{}", reply.header("set-cookie"));
    assert!(!browser.cookie().contains("session"));
    assert_eq!(provider.event(&reply).await.kind, "session.ended");
    // Whoever kept the cookie has nothing.
    assert_eq!(silently(&provider, &mut kept.clone(), &[]).await, "login_required");
    let again = provider.post("/logout/confirm", form(&[("csrf", &token)]), Some(&mut kept.clone())).await;
    assert_eq!(again.status, 303, "signing out twice is no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_this_browsers_session_alone() {
    let provider = start().await;
    let (mut one, mut two) = (Browser::default(), Browser::default());
    signed_in(&provider, &mut one, USER.0).await;
    let mut visit = super::Visit::to(&provider, &mut two, "rp", &[]).await;
    visit.log_in(USER.0).await;
    let page = provider.get("/logout", Some(&mut one)).await;
    let foreign = provider.post("/logout/confirm", form(&[("csrf", csrf(&page))]), Some(&mut two)).await;
    assert_eq!(shown(&foreign), (403, "form_forged"), "a token of another session");
    provider.post("/logout/confirm", form(&[("csrf", csrf(&page))]), Some(&mut one)).await;
    assert_eq!(silently(&provider, &mut one, &[]).await, "login_required");
    assert_eq!(silently(&provider, &mut two, &[]).await, "code");
}
