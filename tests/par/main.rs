//! Pushed authorization requests over HTTP (RFC 9126).
#![expect(clippy::unwrap_used, reason = "tests")]

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use signet_core::records::{ClientAuthMethod, TenantSettings};
use signet_jose::{ContentAlg, KeyAlg};
use signet_tests::flow::{changed, encode};
use signet_tests::provider::{Browser, ISSUER, Provider, Reply, form};
use signet_tests::rp::{Rp, seal};

async fn world() -> (Provider, Rp) {
    let (provider, rp) = (Provider::start().await, Rp::new("rp"));
    provider.register(&rp.declaration()).await;
    (provider, rp)
}

/// Pushes the parameters of a good request, with changes.
async fn push(provider: &Provider, rp: &Rp, changes: &[(&str, &str)]) -> Reply {
    let pairs = rp.request(changes);
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    provider.call("/par", &[("authorization", &rp.basic())], &pairs).await
}

fn request_uri(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
    reply.json()["request_uri"].as_str().unwrap().to_owned()
}

async fn open(provider: &Provider, client_id: &str, uri: &str, more: &[(&str, &str)]) -> Reply {
    let pairs = [&[("client_id", client_id), ("request_uri", uri)], more].concat();
    provider.get(&format!("/authorize?{}", form(&pairs)), None).await
}

fn is_page(reply: &Reply) -> bool {
    reply.status.as_u16() == 400 && reply.location().is_empty()
}

#[tokio::test]
async fn a_pushed_request_leads_through_login_to_tokens_rfc9126_4() {
    let (provider, rp) = world().await;
    let reply = push(&provider, &rp, &[]).await;
    assert!(reply.header("cache-control").contains("no-store"));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.json()["expires_in"], 60);
    let uri = request_uri(&reply);
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:") && uri.len() >= 34 + 43);
    // Whatever stands beside has no effect.
    let accepted =
        open(&provider, "rp", &uri, &[("state", "evil"), ("redirect_uri", "https://evil.example/")]).await;
    let mut browser = Browser::default();
    let back = provider.sign_in(&accepted, &mut browser).await;
    assert!(back.location().starts_with("https://rp.example/callback?"));
    assert_eq!(back.location_param("state").as_deref(), Some("state-1"));
    let code = back.location_param("code").unwrap();
    let tokens = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await;
    assert!(tokens.status.is_success(), "{}", tokens.body);
}

#[tokio::test]
async fn a_request_uri_is_good_once_for_its_client_and_not_for_long_rfc9126_4() {
    let (provider, rp) = world().await;
    provider.register(&Rp::new("other").declaration()).await;
    let uri = request_uri(&push(&provider, &rp, &[]).await);
    let foreign = open(&provider, "other", &uri, &[]).await;
    assert!(is_page(&foreign));
    assert_eq!(provider.reason(&foreign).await, "pushed_request_foreign");
    assert!(
        open(&provider, "rp", &uri, &[]).await.location().contains("/interaction/"),
        "the other used up nothing"
    );
    let again = open(&provider, "rp", &uri, &[]).await;
    assert!(is_page(&again));
    assert_eq!(provider.event(&again).await.reason.as_deref(), Some("pushed_request_unknown"));
    let late = request_uri(&push(&provider, &rp, &[]).await);
    provider.advance(60);
    let expired = open(&provider, "rp", &late, &[]).await;
    assert!(is_page(&expired) && provider.reason(&expired).await == "pushed_request_expired");
    let unknown = open(&provider, "rp", "urn:ietf:params:oauth:request_uri:x", &[]).await;
    assert!(is_page(&unknown) && provider.reason(&unknown).await == "pushed_request_unknown");
    let fresh = request_uri(&push(&provider, &rp, &[]).await);
    let nameless = provider.get(&format!("/authorize?{}", form(&[("request_uri", &fresh)])), None).await;
    assert!(is_page(&nameless));
}

#[tokio::test]
async fn two_browsers_with_one_request_uri_get_one_login_rfc9126_7_3() {
    let (provider, rp) = world().await;
    let uri = request_uri(&push(&provider, &rp, &[]).await);
    let (one, two) = tokio::join!(open(&provider, "rp", &uri, &[]), open(&provider, "rp", &uri, &[]));
    let accepted =
        [&one, &two].into_iter().filter(|reply| reply.location().contains("/interaction/")).count();
    assert_eq!(accepted, 1);
}

#[tokio::test]
async fn objects_are_pushed_signed_and_sealed_and_their_jti_is_used_up_by_the_push_a60() {
    let (provider, rp) = world().await;
    let signed = rp.sign(&rp.claims(ISSUER, provider.now(), Some("j-1")));
    let sealed = seal(&provider.jwks().await, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, signed.as_bytes());
    let push = async |object: &str| {
        provider.call("/par", &[("authorization", &rp.basic())], &[("request", object)]).await
    };
    let uri = request_uri(&push(&sealed).await);
    let again = push(&signed).await;
    assert_eq!((again.status.as_u16(), &again.json()["error"]), (400, &"invalid_request_object".into()));
    assert_eq!(provider.reason(&again).await, "object_replayed");
    assert!(open(&provider, "rp", &uri, &[]).await.location().contains("/interaction/"));
}

#[tokio::test]
async fn an_assertion_and_an_object_are_told_apart_when_used_twice_a107() {
    let provider = Provider::start().await;
    let rp = Rp::new("keyed");
    let mut declared = rp.declaration();
    declared.secret = None;
    declared.settings.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
    provider.register(&declared).await;
    let push = async |assertion: &str, object: &str| {
        let assertion = rp.sign(&rp.assertion_claims(&format!("{ISSUER}/par"), provider.now(), assertion));
        let object = rp.sign(&rp.claims(ISSUER, provider.now(), Some(object)));
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form = [("client_assertion_type", kind), ("client_assertion", &assertion), ("request", &object)];
        provider.call("/par", &[], &form).await
    };
    request_uri(&push("a-1", "j-1").await);
    let replies = [push("a-1", "j-2").await, push("a-2", "j-1").await, push("a-1", "j-1").await];
    let told: Vec<(u16, Value)> =
        replies.iter().map(|reply| (reply.status.as_u16(), reply.json()["error"].clone())).collect();
    assert_eq!(told[0], (401, "invalid_client".into()));
    assert_eq!(told[1], (400, "invalid_request_object".into()));
    assert_eq!(told[2], (401, "invalid_client".into()));
    // What was refused burnt nothing of the object.
    request_uri(&push("a-3", "j-2").await);
}

#[tokio::test]
async fn errors_are_json_and_never_redirects_rfc9126_2_3() {
    let (provider, rp) = world().await;
    let basic = rp.basic();
    let wrong = signet_tests::flow::basic("rp", "wrong-secret-of-some-length-0000");
    for (authorization, changes, status, error) in [
        (&basic, &[("redirect_uri", "https://evil.example/")][..], 400, "invalid_request"),
        (&basic, &[("response_type", "")], 400, "invalid_request"),
        (&basic, &[("response_type", "banana")], 400, "unsupported_response_type"),
        (&basic, &[("scope", "profile")], 400, "invalid_scope"),
        (&basic, &[("code_challenge_method", "plain")], 400, "invalid_request"),
        (&basic, &[("request_uri", "https://rp.example/ro")], 400, "invalid_request"),
        (&basic, &[("request_uri", "urn:ietf:params:oauth:request_uri:x")], 400, "invalid_request"),
        (&basic, &[("request", "no.jwt")], 400, "invalid_request_object"),
        (&basic, &[("client_id", "")], 400, "invalid_request"),
        (&wrong, &[], 401, "invalid_client"),
    ] {
        let body = encode(&changed(rp.request(&[]), changes));
        let request = Request::post("/par")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", authorization);
        let reply = provider.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (status, &error.into()), "{changes:?}");
        assert_eq!(reply.location(), "");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let large = provider.call("/par", &[("authorization", &basic)], &[("x", &"a".repeat(2 << 20))]).await;
    assert_eq!(large.status.as_u16(), 413);
    assert_eq!(provider.get("/par", None).await.status.as_u16(), 405);
}

#[tokio::test]
async fn public_clients_may_push_rfc9126_2() {
    let provider = Provider::start().await;
    let rp = Rp::new("public");
    let mut declared = rp.declaration();
    declared.secret = None;
    declared.settings.token_endpoint_auth_method = ClientAuthMethod::None;
    provider.register(&declared).await;
    let pairs = rp.request(&[]);
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let uri = request_uri(&provider.call("/par", &[], &pairs).await);
    assert!(open(&provider, "public", &uri, &[]).await.location().contains("/interaction/"));
}

#[tokio::test]
async fn who_must_push_gets_nothing_otherwise_rfc9126_5() {
    let provider = Provider::start().await;
    let rp = Rp::new("rp");
    let mut declared = rp.declaration();
    declared.settings.require_pushed_authorization_requests = true;
    provider.register(&declared).await;
    let refused = provider.authorize(&rp, &[], None).await;
    assert_eq!(refused.location_param("error").as_deref(), Some("invalid_request"));
    assert_eq!(provider.reason(&refused).await, "push_required");
    let object = rp.sign(&rp.claims(ISSUER, provider.now(), None));
    let refused = provider.authorize(&rp, &[("request", &object)], None).await;
    assert_eq!(provider.reason(&refused).await, "push_required");
    let uri = request_uri(&push(&provider, &rp, &[]).await);
    assert!(open(&provider, "rp", &uri, &[]).await.location().contains("/interaction/"));

    let free = Rp::new("free");
    provider.register(&free.declaration()).await;
    let metadata = async || provider.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata().await["require_pushed_authorization_requests"], false);
    let only = TenantSettings { require_pushed_authorization_requests: true, ..TenantSettings::default() };
    provider.tenant("default", ISSUER, only).await;
    let known = metadata().await;
    assert_eq!(known["require_pushed_authorization_requests"], true);
    assert_eq!(known["pushed_authorization_request_endpoint"], format!("{ISSUER}/par"));
    assert_eq!(provider.reason(&provider.authorize(&free, &[], None).await).await, "push_required");
}
