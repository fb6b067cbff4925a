//! Requests at the end-session endpoint that are in order.

use axum::body::Body;
use axum::http::{Request, header};
use signet_core::records::{Encryption, SubjectType};
use signet_jose::{ContentAlg, KeyAlg, Limits};
use signet_tests::provider::{Browser, ISSUER, form};

use super::{AFTER, Scene, is_signed_out_page};

#[tokio::test(flavor = "multi_thread")]
async fn discovery_names_the_endpoint_rp_initiated_2_1() {
    let scene = Scene::start().await;
    let metadata = scene.provider.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata["end_session_endpoint"], format!("{ISSUER}/logout"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_id_token_of_this_session_the_browser_goes_back_with_exactly_the_state() {
    let mut scene = Scene::start().await;
    assert_eq!(scene.silently().await, "code");
    let state = "s".repeat(100) + "&=#%+ /?\u{e4}\"<>12345678901234567";
    let hint = scene.id_token().to_owned();
    let reply =
        scene.ask(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER), ("state", &state)]).await;
    assert!(reply.status.is_redirection(), "{}", reply.body);
    assert_eq!(reply.location(), format!("{AFTER}?{}", form(&[("state", &state)])));
    assert!(!scene.browser.cookie().contains("session"));
    assert_eq!(scene.silently().await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_state_none_comes_back_and_a_registered_query_stays() {
    for (uri, state, expected) in [
        (AFTER.to_owned(), None, AFTER.to_owned()),
        (format!("{AFTER}?x=1"), None, format!("{AFTER}?x=1")),
        (format!("{AFTER}?x=1"), Some("s"), format!("{AFTER}?x=1&state=s")),
    ] {
        let mut scene = Scene::start().await;
        let hint = scene.id_token().to_owned();
        let mut pairs = vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &uri)];
        pairs.extend(state.map(|state| ("state", state)));
        assert_eq!(scene.ask(&pairs).await.location(), expected);
        assert_eq!(scene.silently().await, "login_required");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_parameters_or_state_alone_it_asks_and_ends_on_the_signed_out_page() {
    for pairs in [&[][..], &[("state", "only")], &[("logout_hint", "alice"), ("ui_locales", "se en")]] {
        let mut scene = Scene::start().await;
        let page = scene.ask(pairs).await;
        assert!(
            page.body.contains("Alice Virtanen (alice)") && page.body.contains("Sign out?"),
            "{}",
            page.body
        );
        assert_eq!(scene.silently().await, "code", "a link alone ends nothing");
        let agreed = scene.agree(&page).await;
        assert_eq!(agreed.location().split('?').next(), Some("/auth/open/logout/done"));
        let last = scene.follow(agreed).await;
        assert!(is_signed_out_page(&last) && !last.body.contains("id=\"continue\""), "{}", last.body);
        assert_eq!(scene.silently().await, "login_required");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_without_an_address_signs_out_and_stays_here() {
    let mut scene = Scene::start().await;
    let hint = scene.id_token().to_owned();
    let reply = scene.ask(&[("id_token_hint", &hint), ("state", "s")]).await;
    let last = scene.follow(reply).await;
    assert!(is_signed_out_page(&last), "{}", last.body);
    assert_eq!(scene.silently().await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_id_token_is_good_enough_rp_initiated_2() {
    let mut scene = Scene::start().await;
    scene.provider.advance(3_000);
    let hint = scene.id_token().to_owned();
    let reply = scene.ask(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)]).await;
    assert_eq!(reply.location(), AFTER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_client_goes_back_when_the_person_agrees() {
    let mut scene = Scene::start().await;
    let pairs = [("client_id", "rp"), ("post_logout_redirect_uri", AFTER), ("state", "a&b'c")];
    let page = scene.ask(&pairs).await;
    assert!(page.body.contains("<bdi>rp</bdi></b> asks to sign you out"), "{}", page.body);
    let agreed = scene.agree(&page).await;
    assert_eq!(agreed.location(), format!("{AFTER}?{}", form(&[("state", "a&b'c")])));
    assert_eq!(scene.silently().await, "login_required");
    // Nobody is signed in any more, so nobody can agree: a link is all there is.
    let late = scene.ask(&pairs).await;
    assert!(is_signed_out_page(&late) && late.body.contains("id=\"continue\""), "{}", late.body);
    assert!(!late.body.contains("data-at-once") && !late.body.contains("http-equiv"), "{}", late.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_out_already_goes_straight_back_with_an_id_token() {
    let mut scene = Scene::start().await;
    scene.browser = Browser::default();
    let hint = scene.id_token().to_owned();
    let reply = scene.ask(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)]).await;
    assert_eq!(reply.location(), AFTER);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_token_of_another_session_ends_neither_that_one_nor_this_one_unasked() {
    let mut scene = Scene::start().await;
    let hint = scene.id_token().to_owned();
    let mut other = Browser::default();
    scene.provider.tokens(&scene.rp, &[], &mut other).await;
    let first = std::mem::replace(&mut scene.browser, other);
    let page = scene.ask(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)]).await;
    assert_eq!(scene.silently().await, "code");
    let agreed = scene.agree(&page).await;
    assert_eq!(agreed.location(), AFTER);
    assert_eq!(scene.silently().await, "login_required");
    scene.browser = first;
    assert_eq!(scene.silently().await, "code", "the session of the ID token goes on in its own browser");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_another_site_comes_without_cookies_and_works_rp_initiated_2() {
    let mut scene = Scene::start().await;
    let hint = scene.id_token().to_owned();
    let pairs = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER), ("state", "s")];
    let posted = Request::post("/logout")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(form(&pairs)))
        .unwrap();
    let reply = scene.provider.send(posted).await;
    assert_eq!(reply.status, 303);
    assert!(reply.location().starts_with("/auth/open/logout?request="), "{}", reply.location());
    assert!(!reply.location().contains(&hint), "the ID token stays out of the address");
    let last = scene.follow(reply).await;
    assert_eq!(last.location(), format!("{AFTER}?state=s"));
    assert_eq!(scene.silently().await, "login_required");
    // What was not sealed here is as good as nothing.
    let made_up = scene.ask(&[("request", "AAAA")]).await;
    assert!(is_signed_out_page(&made_up), "{}", made_up.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_encrypted_id_tokens_sends_what_is_inside_core_3_1_2_1() {
    for (alg, enc) in [(KeyAlg::RsaOaep, ContentAlg::A128CbcHs256), (KeyAlg::RsaOaep256, ContentAlg::A256Gcm)]
    {
        let mut scene =
            Scene::with(|client| client.settings.id_token.encrypted = Some(Encryption { alg, enc })).await;
        let sealed = scene.id_token().to_owned();
        let refused = scene.ask(&[("id_token_hint", &sealed), ("post_logout_redirect_uri", AFTER)]).await;
        assert_eq!(refused.status, 400);
        assert_eq!(scene.provider.reason(&refused).await, "hint_undecryptable");
        let signet_jose::Compact::Jwe(jwe) = signet_jose::parse(&sealed, &Limits::default()).unwrap() else {
            panic!("not encrypted")
        };
        let inside = scene.rp.encryption.decrypter().unwrap().open(&jwe).unwrap();
        let inside = String::from_utf8(inside.to_vec()).unwrap();
        // As it is, and sealed to us.
        let jwks = scene.provider.jwks().await;
        let to_us = signet_tests::rp::seal(&jwks, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, inside.as_bytes());
        let page = scene.ask(&[("id_token_hint", &to_us), ("client_id", "rp")]).await;
        assert!(scene.follow(page).await.body.contains("You are signed out"));
        let after = scene.ask(&[("id_token_hint", &inside), ("post_logout_redirect_uri", AFTER)]).await;
        assert_eq!(after.location(), AFTER);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairwise_client_is_logged_out_like_any_other() {
    let mut scene = Scene::with(|client| client.settings.subject_type = SubjectType::Pairwise).await;
    let hint = scene.id_token().to_owned();
    let reply = scene.ask(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)]).await;
    assert_eq!(reply.location(), AFTER, "{}", reply.body);
    assert_eq!(scene.silently().await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_answers_at_once_end_one_session_once() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&[]).await;
    let body = super::answer(&page);
    let (mut one, mut two) = (scene.browser.clone(), scene.browser.clone());
    let (first, second) = tokio::join!(
        scene.provider.post("/logout/confirm", body.clone(), Some(&mut one)),
        scene.provider.post("/logout/confirm", body.clone(), Some(&mut two)),
    );
    for reply in [first, second] {
        assert_eq!(reply.status, 303, "{}", reply.body);
        assert!(reply.location().starts_with("/auth/open/logout/done"));
    }
    assert_eq!(scene.silently().await, "login_required");
}
