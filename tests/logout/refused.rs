//! Logout requests that lead nowhere, and forms that did not come from our page.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use signet_core::records::AuditEvent;
use signet_jose::{KeySpec, KeyUse, SigAlg, unsigned};
use signet_tests::key;
use signet_tests::provider::{ISSUER, Reply, form};
use signet_tests::rp::Rp;

use super::{AFTER, Scene, answer, claims, header as jose_header, is_signed_out_page};

fn leads_nowhere(reply: &Reply, what: &str) {
    assert_eq!(reply.location(), "", "{what}");
    assert!(!reply.body.contains(AFTER) && !reply.body.contains("evil.example"), "{what}: {}", reply.body);
    assert!(!reply.body.contains("http-equiv"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_addresses_than_the_registered_ones_are_not_followed_rp_initiated_3() {
    let mut scene = Scene::start().await;
    let hint = scene.id_token().to_owned();
    for uri in [
        "https://evil.example/after".to_owned(),
        format!("{AFTER}/"),
        format!("{AFTER}?foo=bar"),
        format!("{AFTER}?x=1&foo=bar"),
        "https://rp.example/callback".to_owned(),
    ] {
        for proof in [("id_token_hint", hint.as_str()), ("client_id", "rp")] {
            let reply = scene.ask(&[proof, ("post_logout_redirect_uri", &uri), ("state", "s")]).await;
            assert_eq!(reply.status, 400);
            assert_eq!(reply.location(), "");
            assert!(!reply.body.contains(&uri), "{}", reply.body);
            assert_eq!(scene.provider.reason(&reply).await, "post_logout_redirect_uri_unregistered");
            assert!(reply.body.contains("href=\"/auth/open/logout\""), "people can sign out all the same");
        }
    }
    assert_eq!(scene.silently().await, "code", "a request that is refused ends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_foreign_id_tokens_are_refused_rp_initiated_2() {
    let mut scene = Scene::start().await;
    let genuine = scene.id_token().to_owned();
    let body = claims(&genuine);
    let bytes = serde_json::to_vec(&body).unwrap();
    let none = unsigned(Some("JWT"), &bytes);
    let foreign = key(KeySpec::Rsa2048).clone().with_kid("foreign").with_use(KeyUse::Sig);
    let foreign = foreign.signer(SigAlg::RS256).unwrap().sign(Some("JWT"), &bytes).unwrap();
    // Our own key's name, another's key.
    let kid = jose_header(&genuine)["kid"].as_str().unwrap().to_owned();
    let named = key(KeySpec::Rsa2048).clone().with_kid(kid).with_use(KeyUse::Sig);
    let named = named.signer(SigAlg::RS256).unwrap().sign(Some("JWT"), &bytes).unwrap();
    let (head, rest) = genuine.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let mut other = body.clone();
    other["sub"] = json!("somebody");
    let swapped = format!("{head}.{}.{signature}", b64(&serde_json::to_vec(&other).unwrap()));
    for (what, token, reason) in [
        ("alg none", none, "hint_malformed"),
        ("signed by somebody else", foreign, "hint_key_unknown"),
        ("signed by somebody else in our name", named, "hint_forged"),
        ("changed", swapped, "hint_forged"),
        ("no token", "x.y.z".to_owned(), "hint_malformed"),
        ("nonsense", "hint".to_owned(), "hint_malformed"),
    ] {
        let pairs = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", AFTER), ("state", "s")];
        let reply = scene.ask(&pairs).await;
        assert_eq!(reply.status, 400, "{what}");
        leads_nowhere(&reply, what);
        assert_eq!(scene.provider.reason(&reply).await, reason, "{what}");
    }
    assert_eq!(scene.silently().await, "code", "nothing was ended");
}

fn b64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_is_good_for_the_client_it_was_issued_to_rp_initiated_2() {
    let mut scene = Scene::start().await;
    let other = Rp::new("other");
    let mut declaration = other.declaration();
    declaration.settings.post_logout_redirect_uris = vec!["https://other.example/after".into()];
    scene.provider.register(&declaration).await;
    let hint = scene.id_token().to_owned();
    let asked = [("id_token_hint", hint.as_str()), ("client_id", "other")];
    let reply = scene.ask(&asked).await;
    assert_eq!((reply.status.as_u16(), scene.provider.reason(&reply).await.as_str()), (400, "hint_foreign"));
    // Nor does it open another client's address.
    let asked =
        [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", "https://other.example/after")];
    let reply = scene.ask(&asked).await;
    assert_eq!(scene.provider.reason(&reply).await, "post_logout_redirect_uri_unregistered");
    let unknown = scene.ask(&[("client_id", "nobody")]).await;
    assert_eq!(scene.provider.reason(&unknown).await, "client_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_id_token_or_client_is_not_followed_rp_initiated_3() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&[("post_logout_redirect_uri", AFTER), ("state", "s")]).await;
    leads_nowhere(&page, "the question");
    let agreed = scene.agree(&page).await;
    let last = scene.follow(agreed).await;
    assert!(is_signed_out_page(&last), "{}", last.body);
    leads_nowhere(&last, "the end");
    assert_eq!(scene.silently().await, "login_required");
    let late = scene.ask(&[("post_logout_redirect_uri", AFTER)]).await;
    assert!(is_signed_out_page(&late));
    leads_nowhere(&late, "nobody signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tokens_of_ours_are_no_id_tokens() {
    let mut scene = Scene::start().await;
    // A logout token says the same of issuer, client, subject and session, and is signed with the same key.
    let mut body = claims(scene.id_token());
    body["events"] = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let tenant = scene.provider.app.store.tenants().await.unwrap().remove(0);
    let now = scene.provider.now();
    let keys = scene.provider.app.store.tenant_keys(&tenant.id, now).await.unwrap();
    let signing = signet_core::discovery::signing_key(&keys, "RS256", now).unwrap();
    let app = &scene.provider.app;
    let signer = app.keyring.signer(signing, SigAlg::RS256, &app.vault).unwrap();
    let bytes = serde_json::to_vec(&body).unwrap();
    for typ in ["logout+jwt", "JWT", "at+jwt"] {
        let token = signer.sign(Some(typ), &bytes).unwrap();
        let reply = scene.ask(&[("id_token_hint", &token)]).await;
        assert_eq!(scene.provider.reason(&reply).await, "hint_no_id_token", "{typ}");
    }
    assert_eq!(claims(&signer.sign(Some("JWT"), &bytes).unwrap())["iss"], ISSUER);
    assert_eq!(scene.silently().await, "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_must_come_from_our_page_in_this_browser() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&[("client_id", "rp"), ("post_logout_redirect_uri", AFTER)]).await;
    let good = answer(&page);
    let cookie = scene.browser.cookie();
    for (body, headers) in [
        (String::new(), vec![]),
        (form(&[("csrf", "x")]), vec![]),
        (good.clone(), vec![("sec-fetch-site", "cross-site")]),
        (good.clone(), vec![("origin", "https://evil.example")]),
    ] {
        let mut request = Request::post("/logout/confirm")
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let reply = scene.provider.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(reply.status, 403, "{headers:?}");
        assert_eq!(scene.provider.reason(&reply).await, "form_forged");
    }
    assert_eq!(scene.silently().await, "code");
    // What the page carried is judged again: nobody writes another address into it.
    let forged = good.replace(&form(&[("u", AFTER)])[2..], &form(&[("u", "https://evil.example/")])[2..]);
    assert_ne!(forged, good);
    let reply = scene.provider.post("/logout/confirm", forged, Some(&mut scene.browser)).await;
    assert_eq!((reply.status.as_u16(), reply.location()), (400, ""));
    assert_eq!(scene.silently().await, "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_twice_and_head_requests_are_refused() {
    let mut scene = Scene::start().await;
    let twice = scene.ask(&[("state", "a"), ("state", "b")]).await;
    assert_eq!(scene.provider.reason(&twice).await, "parameter_repeated");
    let hint = scene.id_token().to_owned();
    let head = Request::head(format!("/logout?{}", form(&[("id_token_hint", &hint)])))
        .header(header::COOKIE, scene.browser.cookie());
    let reply = scene.provider.send(head.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, 405);
    assert_eq!(scene.silently().await, "code", "who only looks ends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_tells_what_ended_a_session_and_what_did_not() {
    let mut scene = Scene::start().await;
    let hint = scene.id_token().to_owned();
    let reply = scene.ask(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)]).await;
    let AuditEvent { kind, detail, user_id, .. } = scene.provider.event(&reply).await;
    assert_eq!((kind.as_str(), &detail["cause"]), ("session.ended", &json!("id_token_hint")));
    assert!(user_id.is_some());
}
