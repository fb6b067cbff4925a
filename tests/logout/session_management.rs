//! The frame that clients ask. What it answers is shown in a browser (tests/foreign).

use axum::body::Body;
use axum::http::Request;
use signet_core::logout::session_state;
use signet_tests::provider::{Browser, ISSUER, Provider, between};

use super::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn the_frame_may_be_framed_by_anybody_and_loads_one_script_session_management_3_3() {
    let provider = Provider::start().await;
    let metadata = provider.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata["check_session_iframe"], format!("{ISSUER}/check-session"));
    let reply = provider.get("/check-session", None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-frame-options"), "");
    assert_eq!(
        reply.header("content-security-policy"),
        "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'"
    );
    assert!(reply.body.contains("data-cookie=\"__Host-signet-browser-default\""), "{}", reply.body);
    let script = between(&reply.body, "<script src=\"/auth/open", "\"");
    let script = provider.get(script, None).await;
    assert!(script.body.contains("postMessage"), "{}", script.body);
    assert_eq!(script.header("x-content-type-options"), "nosniff");
}

fn browser_state(browser: &Browser) -> Option<String> {
    let cookies = browser.cookie();
    let found = cookies.split("; ").filter_map(|pair| pair.split_once('='));
    found
        .filter(|(name, _)| *name == "__Host-signet-browser-default")
        .map(|(_, value)| value.to_owned())
        .next()
}

#[tokio::test(flavor = "multi_thread")]
async fn session_state_comes_with_every_response_and_fits_the_browser_session_management_2() {
    let mut scene = Scene::start().await;
    let mut states = Vec::new();
    for prompt in ["none", "login", "consent", "none"] {
        let accepted =
            scene.provider.authorize(&scene.rp, &[("prompt", prompt)], Some(&mut scene.browser)).await;
        let back = scene.provider.sign_in(&accepted, &mut scene.browser).await;
        let state = back.location_param("session_state").unwrap();
        let (_, salt) = state.split_once('.').unwrap();
        let browser = browser_state(&scene.browser).unwrap();
        let expected = session_state(&"rp".into(), &scene.rp.redirect_uri, &browser, salt).unwrap();
        assert_eq!(state, expected, "{prompt}");
        states.push((state, browser));
    }
    assert_ne!(states[0].1, states[1].1, "a login changes it");
    assert_eq!(states[1].1, states[3].1, "a response alone does not");
    assert_ne!(states[1].0, states[3].0, "each response has a salt of its own");
    let hint = scene.id_token().to_owned();
    let reply = scene.ask(&[("id_token_hint", &hint)]).await;
    assert!(reply.status.is_redirection());
    assert_eq!(browser_state(&scene.browser), None, "a logout takes it away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_lost_its_state_gets_it_again_where_scripts_can_read_it() {
    let mut scene = Scene::start().await;
    let cookies = scene.browser.cookie();
    let session = cookies.split("; ").find(|pair| pair.contains("signet-session")).unwrap().to_owned();
    let accepted = scene.provider.authorize(&scene.rp, &[("prompt", "none")], Some(&mut scene.browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap();
    let cookies = scene.browser.cookie();
    let binding = cookies.split("; ").find(|pair| pair.contains("signet-interaction")).unwrap();
    let request = Request::get(path).header("cookie", format!("{session}; {binding}"));
    let back = scene.provider.send(request.body(Body::empty()).unwrap()).await;
    let set: Vec<&str> =
        back.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    let state = set.iter().find(|cookie| cookie.starts_with("__Host-signet-browser-default=")).unwrap();
    assert!(state.ends_with("; Path=/; SameSite=None; Secure"), "{state}");
    // It says nothing of the session's own cookie, nor of its hash in the database.
    let secret = session.split_once('=').unwrap().1;
    assert!(!state.contains(secret));
}
