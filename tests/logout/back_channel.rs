//! Logout tokens: what is in them, how they are protected, and what becomes of them.

use serde_json::{Value, json};
use signet_core::change::Change;
use signet_core::records::{Encryption, LogoutDelivery, SubjectType};
use signet_jose::{
    Compact, ContentAlg, Expect, KeyAlg, Limits, PublicKey, SigAlg, Trace, Typ, UnverifiedJws, Verifier,
    parse, parse_nested, verify,
};
use signet_server::logout_delivery::deliver_due;
use signet_tests::provider::{Browser, ISSUER, Provider};
use signet_tests::rp::Rp;

use super::receiver::{Answer, Receiver};
use super::{AFTER, Scene, claims, register};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

async fn logout(scene: &mut Scene) -> String {
    let hint = match parse(scene.id_token(), &Limits::default()).unwrap() {
        Compact::Jws(_) => scene.id_token().to_owned(),
        Compact::Jwe(jwe) => {
            let inside = scene.rp.encryption.decrypter().unwrap().open(&jwe).unwrap();
            String::from_utf8(inside.to_vec()).unwrap()
        }
    };
    let reply = scene.ask(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER)]).await;
    assert_eq!(reply.location(), AFTER, "{}", reply.body);
    hint
}

async fn deliveries(provider: &Provider, client: &str) -> Vec<LogoutDelivery> {
    provider.app.store.logout_deliveries(&"default".into(), &client.into(), 100).await.unwrap()
}

/// What a client does (section 2.6): the signature, with the provider's published key of that `kid`, and the claims.
async fn verified(provider: &Provider, client: &str, jws: &UnverifiedJws, alg: SigAlg) -> Value {
    let key_set = provider.jwks().await;
    let published = key_set["keys"].as_array().unwrap().iter().filter(|key| key["alg"] == alg.name());
    let verifiers: Vec<Verifier> =
        published.map(|key| PublicKey::from_jwk(key).unwrap().verifier(alg).unwrap()).collect();
    assert!(!verifiers.is_empty(), "no key for {alg}");
    let expect = Expect {
        issuer: ISSUER,
        audiences: &[client],
        algorithms: &[alg],
        now: provider.now(),
        skew: 0,
        require: &["sub", "iat", "jti", "events", "sid"],
        max_lifetime: Some(120),
        max_age: Some(5),
        typ: Typ::Required(&["logout+jwt"]),
    };
    let keys: Vec<&Verifier> = verifiers.iter().collect();
    let mut trace = Trace::new();
    let proved = verify(jws, &keys, &expect, &mut trace).unwrap();
    Value::Object(proved.claims().clone().into_map())
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_says_that_it_is_supported_back_channel_2_1() {
    let provider = Provider::start().await;
    let metadata = provider.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_told_before_the_browser_moves_on_back_channel_2_4_2_5() {
    let receiver = Receiver::start(&[]).await;
    let mut scene = Scene::with(|client| {
        client.settings.backchannel_logout_uri = Some(receiver.uri.clone());
        client.settings.backchannel_logout_session_required = true;
    })
    .await;
    let hint = logout(&mut scene).await;
    let tokens = receiver.tokens();
    assert_eq!(tokens.len(), 1);
    assert_eq!(receiver.kinds(), ["application/x-www-form-urlencoded"]);
    let Compact::Jws(jws) = parse(&tokens[0], &Limits::default()).unwrap() else { panic!("not a JWS") };
    let token = verified(&scene.provider, "rp", &jws, SigAlg::RS256).await;
    let id_token = claims(&hint);
    assert_eq!((&token["sub"], &token["sid"]), (&id_token["sub"], &id_token["sid"]));
    assert_eq!(token["events"], json!({ EVENT: {} }));
    assert!(token.get("nonce").is_none());
    let names: Vec<&str> = token.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = ["iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"];
    expected.sort_unstable();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(scene.silently().await, "login_required");
    let kept = deliveries(&scene.provider, "rp").await;
    assert_eq!(
        (kept[0].attempts, kept[0].delivered_at, kept[0].next_attempt_at),
        (1, Some(scene.provider.now()), None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signature_is_as_registered_back_channel_2_6() {
    for (id_token, logout_token, expected) in
        [(SigAlg::ES256, None, SigAlg::ES256), (SigAlg::RS256, Some(SigAlg::EdDSA), SigAlg::EdDSA)]
    {
        let receiver = Receiver::start(&[]).await;
        let mut scene = Scene::with(|client| {
            client.settings.id_token.signed = id_token;
            client.settings.logout_token_signed = logout_token;
            client.settings.backchannel_logout_uri = Some(receiver.uri.clone());
        })
        .await;
        logout(&mut scene).await;
        let tokens = receiver.tokens();
        let Compact::Jws(jws) = parse(&tokens[0], &Limits::default()).unwrap() else { panic!("not a JWS") };
        verified(&scene.provider, "rp", &jws, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_encrypted_id_tokens_gets_nested_logout_tokens_back_channel_2_6() {
    for (alg, enc) in [(KeyAlg::RsaOaep, ContentAlg::A128CbcHs256), (KeyAlg::RsaOaep256, ContentAlg::A256Gcm)]
    {
        let receiver = Receiver::start(&[]).await;
        let mut scene = Scene::with(|client| {
            client.settings.id_token.encrypted = Some(Encryption { alg, enc });
            client.settings.subject_type = SubjectType::Pairwise;
            client.settings.backchannel_logout_uri = Some(receiver.uri.clone());
        })
        .await;
        let hint = logout(&mut scene).await;
        let tokens = receiver.tokens();
        let Compact::Jwe(jwe) = parse(&tokens[0], &Limits::default()).unwrap() else {
            panic!("in the clear")
        };
        let header = jwe.header();
        assert_eq!((header.alg, header.enc), (alg, enc));
        assert_eq!((header.cty.as_deref(), header.kid.as_deref()), (Some("JWT"), Some("enc")));
        let inside = scene.rp.encryption.decrypter().unwrap().open(&jwe).unwrap();
        let jws = parse_nested(&inside, &Limits::default()).unwrap();
        let token = verified(&scene.provider, "rp", &jws, SigAlg::RS256).await;
        let id_token = claims(&hint);
        assert_eq!((&token["sub"], &token["sid"]), (&id_token["sub"], &id_token["sid"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_usable_key_nothing_is_sent_in_the_clear() {
    let receiver = Receiver::start(&[]).await;
    let mut scene = Scene::with(|client| {
        let encryption = Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 };
        client.settings.id_token.encrypted = Some(encryption);
        client.settings.backchannel_logout_uri = Some(receiver.uri.clone());
    })
    .await;
    let provider = &scene.provider;
    let keys = provider.app.store.client_keys(&"default".into(), &"rp".into()).await.unwrap();
    let enc = keys.iter().find(|key| key.kid == "enc").unwrap();
    let revoke = Change::RevokeClientKey { client_id: "rp".into(), id: enc.id, at: provider.now() };
    provider.app.store.apply(&"default".into(), &[revoke]).await.unwrap();
    provider.app.clients.forget();
    logout(&mut scene).await;
    assert!(receiver.tokens().is_empty());
    let kept = deliveries(&scene.provider, "rp").await;
    assert_eq!(kept[0].last_error.as_deref(), Some("encryption_key_missing"));
    assert_eq!(kept[0].next_attempt_at, Some(scene.provider.now() + 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_fails_is_told_again_and_finally_given_up() {
    let receiver = Receiver::start(&[Answer::Status(503), Answer::Status(302), Answer::Status(204)]).await;
    let mut scene =
        Scene::with(|client| client.settings.backchannel_logout_uri = Some(receiver.uri.clone())).await;
    logout(&mut scene).await;
    let state = |kept: &LogoutDelivery| (kept.attempts, kept.last_error.clone());
    let kept = deliveries(&scene.provider, "rp").await.remove(0);
    assert_eq!(state(&kept), (1, Some("status_503".into())));
    deliver_due(&scene.provider.app).await;
    assert_eq!(receiver.tokens().len(), 1, "not before its time");
    scene.provider.advance(30);
    deliver_due(&scene.provider.app).await;
    assert_eq!(state(&deliveries(&scene.provider, "rp").await[0]), (2, Some("fetch_redirected".into())));
    scene.provider.advance(120);
    deliver_due(&scene.provider.app).await;
    let kept = deliveries(&scene.provider, "rp").await.remove(0);
    assert_eq!((state(&kept), kept.delivered_at), ((3, None), Some(scene.provider.now())));
    let tokens = receiver.tokens();
    let ids: Vec<Value> = tokens.iter().map(|token| claims(token)["jti"].clone()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "each attempt has a token of its own");
    assert_eq!(claims(&tokens[2])["iat"], json!(scene.provider.now()));
    scene.provider.advance(10_000);
    deliver_due(&scene.provider.app).await;
    assert_eq!(receiver.tokens().len(), 3, "what is delivered is not sent again");
    let trail = scene.provider.audit(&kept.correlation_id).await;
    assert!(trail.iter().any(|event| event.kind == "logout.delivered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_are_the_end_and_so_is_a_refusal_back_channel_2_8() {
    let receiver = Receiver::start(&[Answer::Status(500); 9]).await;
    let mut scene =
        Scene::with(|client| client.settings.backchannel_logout_uri = Some(receiver.uri.clone())).await;
    logout(&mut scene).await;
    for _ in 0..9 {
        scene.provider.advance(2_700);
        deliver_due(&scene.provider.app).await;
    }
    assert_eq!(receiver.tokens().len(), 5);
    let kept = deliveries(&scene.provider, "rp").await.remove(0);
    assert_eq!((kept.next_attempt_at, kept.delivered_at), (None, None));
    assert_eq!(kept.last_error.as_deref(), Some("status_500"));
    assert!(scene.provider.reasons(&kept.correlation_id).await.contains(&"logout_undelivered".to_owned()));

    let refusing = Receiver::start(&[Answer::Status(400)]).await;
    let mut scene =
        Scene::with(|client| client.settings.backchannel_logout_uri = Some(refusing.uri.clone())).await;
    logout(&mut scene).await;
    scene.provider.advance(2_700);
    deliver_due(&scene.provider.app).await;
    assert_eq!(refusing.tokens().len(), 1, "400 is final");
    assert_eq!(deliveries(&scene.provider, "rp").await[0].last_error.as_deref(), Some("rejected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_nodes_one_makes_each_attempt() {
    let receiver = Receiver::start(&[Answer::Status(503)]).await;
    let mut scene =
        Scene::with(|client| client.settings.backchannel_logout_uri = Some(receiver.uri.clone())).await;
    logout(&mut scene).await;
    scene.provider.advance(30);
    let app = &scene.provider.app;
    tokio::join!(deliver_due(app), deliver_due(app), deliver_due(app), deliver_due(app));
    assert_eq!(receiver.tokens().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_of_the_session_is_told_and_a_dead_one_holds_up_nobody() {
    let dead = Receiver::start(&[Answer::Hang; 4]).await;
    let alive = Receiver::start(&[]).await;
    let mut scene =
        Scene::with(|client| client.settings.backchannel_logout_uri = Some(dead.uri.clone())).await;
    let other = Rp::new("other");
    let mut declaration = other.declaration();
    declaration.settings.backchannel_logout_uri = Some(alive.uri.clone());
    register(&scene.provider, &declaration).await;
    let third = Rp::new("third");
    let mut declaration = third.declaration();
    declaration.settings.backchannel_logout_uri = Some(alive.uri.clone());
    register(&scene.provider, &declaration).await;
    scene.provider.tokens(&other, &[], &mut scene.browser).await;
    // The third one is logged in from another browser, in a session of its own.
    scene.provider.tokens(&third, &[], &mut Browser::default()).await;
    logout(&mut scene).await;
    let told: Vec<Value> = alive.tokens().iter().map(|token| claims(token)["aud"].clone()).collect();
    assert_eq!(told, [json!("other")]);
    assert!(deliveries(&scene.provider, "third").await.is_empty());
    // The browser has moved on while the dead one is still being waited for.
    let kept = deliveries(&scene.provider, "rp").await.remove(0);
    assert_eq!((kept.attempts, kept.delivered_at), (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_issued_in_the_session_ends_with_it_back_channel_2_7() {
    let mut scene = Scene::start().await;
    let access = scene.tokens["access_token"].as_str().unwrap().to_owned();
    assert_eq!(scene.provider.userinfo(&access).await.status, 200);
    logout(&mut scene).await;
    assert_eq!(scene.provider.userinfo(&access).await.status, 401);
}
