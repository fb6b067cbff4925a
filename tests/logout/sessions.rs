//! Other ways in which a session ends or goes on: logins in the same browser, and what the home page shows.

use signet_core::provision::{Secret, UserDeclaration};
use signet_tests::provider::{Provider, between, form};

use super::receiver::Receiver;
use super::{AFTER, Scene, claims};

async fn add_bob(provider: &Provider) {
    let bob = UserDeclaration {
        username: "bob".into(),
        disabled: false,
        password: Some(Secret::new("bobs good password")),
        password_hash: None,
        role: None,
        claims: serde_json::Map::new(),
    };
    provider.provisioner().user(&"default".into(), &bob).await.unwrap();
}

async fn told_client() -> (Receiver, Scene) {
    let receiver = Receiver::start(&[]).await;
    let scene =
        Scene::with(|client| client.settings.backchannel_logout_uri = Some(receiver.uri.clone())).await;
    (receiver, scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_proves_once_more_who_they_are_goes_on_in_the_same_session() {
    let (receiver, mut scene) = told_client().await;
    let first = claims(scene.id_token());
    let access = scene.tokens["access_token"].as_str().unwrap().to_owned();
    scene.provider.advance(100);
    let again = scene.provider.tokens(&scene.rp, &[("prompt", "login")], &mut scene.browser).await;
    let second = claims(again["id_token"].as_str().unwrap());
    assert_eq!(first["sid"], second["sid"]);
    assert_ne!(first["auth_time"], second["auth_time"]);
    assert_eq!(scene.provider.userinfo(&access).await.status, 200);
    assert!(receiver.tokens().is_empty(), "nobody was logged out");
    // So the first ID token is of this session still, and the client hears of its end.
    let hint = scene.id_token().to_owned();
    let reply = scene.ask(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)]).await;
    assert_eq!(reply.location(), AFTER);
    assert_eq!(claims(&receiver.tokens()[0])["sid"], first["sid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_login_ends_the_session_and_its_clients_are_told() {
    let (receiver, mut scene) = told_client().await;
    add_bob(&scene.provider).await;
    let access = scene.tokens["access_token"].as_str().unwrap().to_owned();
    let sid = claims(scene.id_token())["sid"].clone();
    let accepted =
        scene.provider.authorize(&scene.rp, &[("prompt", "login")], Some(&mut scene.browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let page = scene.provider.get(&path, Some(&mut scene.browser)).await;
    let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
    let body = form(&[("csrf", csrf), ("username", "bob"), ("password", "bobs good password")]);
    let reply = scene.provider.post(&format!("{path}/login"), body, Some(&mut scene.browser)).await;
    assert!(reply.status.is_redirection(), "{}", reply.body);
    let told = receiver.tokens();
    assert_eq!((told.len(), &claims(&told[0])["sid"]), (1, &sid));
    assert_eq!(scene.provider.userinfo(&access).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_of_accounts_ends_the_session_and_its_clients_are_told() {
    let (receiver, mut scene) = told_client().await;
    let sid = claims(scene.id_token())["sid"].clone();
    let accepted =
        scene.provider.authorize(&scene.rp, &[("prompt", "consent")], Some(&mut scene.browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let page = scene.provider.get(&path, Some(&mut scene.browser)).await;
    let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
    let body = form(&[("csrf", csrf)]);
    let reply = scene.provider.post(&format!("{path}/switch"), body, Some(&mut scene.browser)).await;
    assert!(reply.status.is_redirection(), "{}", reply.body);
    let told = receiver.tokens();
    assert_eq!((told.len(), &claims(&told[0])["sid"]), (1, &sid));
    assert_eq!(scene.silently().await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_home_page_starts_the_applications_of_who_is_signed_in_core_4() {
    let mut scene = Scene::with(|client| {
        client.settings.initiate_login_uri = Some("https://rp.example/start?x=1".into());
    })
    .await;
    let page = scene.provider.get("/", Some(&mut scene.browser)).await;
    assert!(page.body.contains("Alice Virtanen (alice)") && page.body.contains("href=\"/auth/open/logout\""));
    let link = "href=\"https://rp.example/start?x=1&#38;iss=https%3A%2F%2Fid.example%2Fauth%2Fopen\"";
    assert!(page.body.contains(link), "{}", page.body);
    // Which applications there are is nobody else's business.
    let stranger = scene.provider.get("/", None).await;
    assert!(!stranger.body.contains("rp.example") && !stranger.body.contains("signed in as"));
    scene.provider.advance(4_000);
    let late = scene.provider.get("/", Some(&mut scene.browser)).await;
    assert!(!late.body.contains("rp.example"), "a session that is over shows nothing");
}
