//! Frames that tell clients of a logout.

use signet_tests::provider::{ISSUER, Reply, form};
use signet_tests::rp::Rp;

use super::{AFTER, Scene, claims, is_signed_out_page, register};

fn policy<'a>(reply: &'a Reply, directive: &str) -> Option<&'a str> {
    let all = reply.header("content-security-policy").split(';').map(str::trim);
    all.filter_map(|one| one.split_once(' ')).find(|(name, _)| *name == directive).map(|(_, value)| value)
}

fn frames(reply: &Reply) -> Vec<String> {
    let all = reply.body.split("<iframe ").skip(1);
    all.map(|frame| signet_tests::provider::between(frame, "src=\"", "\"").replace("&#38;", "&")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_says_that_it_is_supported_front_channel_3() {
    let scene = Scene::start().await;
    let metadata = scene.provider.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata["frontchannel_logout_supported"], true);
    assert_eq!(metadata["frontchannel_logout_session_supported"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_page_loads_each_clients_frame_and_goes_on_front_channel_3() {
    let mut scene = Scene::with(|client| {
        client.settings.frontchannel_logout_uri = Some("https://rp.example/front?a=b".into());
        client.settings.frontchannel_logout_session_required = true;
    })
    .await;
    let other = Rp::new("other");
    let mut declaration = other.declaration();
    declaration.settings.frontchannel_logout_uri = Some("https://other.example/front".into());
    register(&scene.provider, &declaration).await;
    scene.provider.tokens(&other, &[], &mut scene.browser).await;
    let sid = claims(scene.id_token())["sid"].as_str().unwrap().to_owned();
    let hint = scene.id_token().to_owned();
    let asked = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER), ("state", "s t")];
    let reply = scene.ask(&asked).await;
    assert!(reply.location().starts_with("/auth/open/logout/done?with="), "{}", reply.location());
    let place = reply.location().to_owned();
    let last = scene.follow(reply).await;
    assert!(is_signed_out_page(&last), "{}", last.body);
    let query = form(&[("iss", ISSUER), ("sid", &sid)]);
    assert_eq!(
        frames(&last),
        [format!("https://other.example/front?{query}"), format!("https://rp.example/front?a=b&{query}")]
    );
    assert_eq!(policy(&last, "frame-src"), Some("https://other.example https://rp.example"));
    assert_eq!(policy(&last, "script-src"), Some("'self'"));
    assert_eq!(policy(&last, "default-src"), Some("'none'"));
    assert_eq!(policy(&last, "frame-ancestors"), Some("'none'"));
    // Without scripts by itself, with scripts as soon as the frames have loaded, and by hand in any case.
    let onward = format!("{AFTER}?state=s+t");
    assert!(
        last.body.contains(&format!("<noscript><meta http-equiv=\"refresh\" content=\"5;url={onward}\""))
    );
    assert!(last.body.contains(&format!("id=\"continue\" href=\"{onward}\" data-at-once")), "{}", last.body);
    let script = signet_tests::provider::between(&last.body, "<script src=\"/auth/open", "\"").to_owned();
    let script = scene.provider.get(&script, None).await;
    assert_eq!(
        (script.status.as_u16(), script.header("content-type")),
        (200, "text/javascript; charset=utf-8")
    );
    assert_eq!(scene.silently().await, "login_required");
    // Registrations that are changed meanwhile count.
    declaration.settings.frontchannel_logout_uri = None;
    register(&scene.provider, &declaration).await;
    let again = scene.provider.get(place.strip_prefix("/auth/open").unwrap(), None).await;
    assert_eq!(frames(&again).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_the_frames_are_loaded_and_the_page_stays() {
    let mut scene = Scene::with(|client| {
        client.settings.frontchannel_logout_uri = Some("https://rp.example/front".into());
    })
    .await;
    let page = scene.ask(&[]).await;
    let agreed = scene.agree(&page).await;
    let last = scene.follow(agreed).await;
    assert_eq!(frames(&last).len(), 1);
    assert!(!last.body.contains("http-equiv") && !last.body.contains("id=\"continue\""), "{}", last.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_our_page_load_or_lead_anywhere_by_a_link() {
    let mut scene = Scene::start().await;
    for query in [
        form(&[("with", "AAAA")]),
        form(&[("post_logout_redirect_uri", AFTER), ("client_id", "rp"), ("state", "s")]),
        form(&[("uri", "https://evil.example/"), ("frames", "https://evil.example/")]),
        String::new(),
    ] {
        let reply = scene.provider.get(&format!("/logout/done?{query}"), Some(&mut scene.browser)).await;
        assert!(is_signed_out_page(&reply), "{}", reply.body);
        assert!(!reply.body.contains("iframe") && !reply.body.contains("id=\"continue\""), "{}", reply.body);
    }
    // A sealed logout request is no farewell.
    let sealed = scene.provider.post("/logout", form(&[("client_id", "rp")]), None).await;
    let sealed = sealed.location_param("request").unwrap();
    let reply = scene.provider.get(&format!("/logout/done?with={sealed}"), None).await;
    assert!(is_signed_out_page(&reply) && !reply.body.contains("id=\"continue\""));
    assert_eq!(scene.silently().await, "code");
}
