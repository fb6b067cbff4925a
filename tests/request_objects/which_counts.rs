//! Which parameters count: those inside the object, and those beside it only where the client is set so
//! (A-36 to A-39, A.13-a).

use serde_json::json;
use signet_core::authorize::{AuthorizationRequest, Prompt};

use crate::bench::{Bench, Method, OPEN, Sent, inside_uri};

/// Everything beside the object that could be different.
fn beside(bench: &Bench, id: &str, token: &str) -> Sent {
    let mut sent = bench.around(id, token);
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "openid email"),
        ("nonce", "nonce-beside"),
        ("prompt", "login"),
        ("max_age", "7"),
        ("login_hint", "beside"),
        ("acr_values", "beside"),
        ("ui_locales", "sv"),
        ("claims", r#"{"userinfo":{"email":null}}"#),
        ("code_challenge", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("code_challenge_method", "S256"),
    ] {
        sent.params.push((name.into(), value.into()));
    }
    sent
}

async fn request(bench: &Bench, sent: &Sent) -> AuthorizationRequest {
    let by_get = bench.ask(OPEN, Method::Get, sent).await;
    let by_post = bench.ask(OPEN, Method::Post, sent).await;
    let by_get = bench.interaction(OPEN, &by_get).await.request;
    assert_eq!(by_get, bench.interaction(OPEN, &by_post).await.request, "A-1");
    by_get
}

fn scopes(request: &AuthorizationRequest) -> Vec<&str> {
    request.scope.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_beside_the_object_has_no_effect_at_all_a39_rfc9101_6_3() {
    let bench = Bench::start().await;
    let token = bench.good("rp", OPEN, None);
    let alone = request(&bench, &bench.around("rp", &token)).await;
    let accompanied = request(&bench, &beside(&bench, "rp", &token)).await;
    assert_eq!(alone, accompanied);
    assert_eq!(alone.redirect_uri, inside_uri("rp"));
    assert_eq!((alone.state.as_deref(), alone.nonce.as_deref()), (Some("inside"), Some("nonce-1")));
    assert_eq!(scopes(&alone), ["openid", "profile"]);
    assert!(alone.prompt.is_empty() && alone.max_age.is_none() && alone.login_hint.is_empty());
    // Nonsense beside it is nonsense nobody reads.
    let mut sent = bench.around("rp", &token);
    for (name, value) in
        [("response_type", "banana"), ("scope", "\""), ("max_age", "-1"), ("prompt", "none login")]
    {
        sent.params.push((name.into(), value.into()));
    }
    assert_eq!(request(&bench, &sent).await, alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_inside_is_not_taken_from_outside_a39() {
    let bench = Bench::start().await;
    for (name, reason) in [
        ("response_type", "response_type_missing"),
        ("scope", "scope_missing"),
        ("redirect_uri", "redirect_uri_missing"),
        ("code_challenge_method", "pkce_method_unsupported"),
    ] {
        let mut claims = bench.claims("rp", OPEN, None);
        claims.remove(name);
        let sent = beside(&bench, "rp", &bench.sign("rp", &claims));
        let reply = bench.ask(OPEN, Method::Get, &sent).await;
        assert_eq!(bench.reasons(OPEN, &reply).await, [reason], "{name}");
    }
    let mut claims = bench.claims("rp", OPEN, None);
    claims.remove("code_challenge");
    claims.remove("code_challenge_method");
    let sent = beside(&bench, "rp", &bench.sign("rp", &claims));
    let reply = bench.ask(OPEN, Method::Get, &sent).await;
    assert_eq!(bench.reasons(OPEN, &reply).await, ["pkce_required"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_overwrites_outside_where_the_client_is_set_so_a38_core_6_1() {
    let bench = Bench::start().await;
    let mut claims = bench.claims("overrides", OPEN, None);
    claims.insert("prompt".into(), json!("consent"));
    let both = request(&bench, &beside(&bench, "overrides", &bench.sign("overrides", &claims))).await;
    assert_eq!(both.redirect_uri, inside_uri("overrides"));
    assert_eq!((both.state.as_deref(), both.nonce.as_deref()), (Some("inside"), Some("nonce-1")));
    assert_eq!(scopes(&both), ["openid", "profile"]);
    assert_eq!(both.prompt, [Prompt::Consent].into());
    assert_eq!(both.code_challenge.as_deref(), Some(signet_tests::rp::challenge().as_str()));
    // What is not inside comes from outside.
    assert_eq!((both.max_age, both.login_hint), (Some(7), vec!["beside".to_owned()]));
    assert!(both.claims.userinfo.contains_key("email"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_two_are_merged_their_response_types_must_match_core_6_1() {
    let bench = Bench::start().await;
    let token = bench.sign("overrides", &bench.claims("overrides", OPEN, None));
    let mut sent = bench.around("overrides", &token);
    sent.params.push(("response_type".into(), "code id_token".into()));
    let reply = bench.ask(OPEN, Method::Get, &sent).await;
    assert_eq!(bench.reasons(OPEN, &reply).await, ["object_response_type_mismatch"]);
    assert_eq!(reply.location_param("error").as_deref(), Some("invalid_request_object"));
    assert!(reply.location().starts_with(&inside_uri("overrides")));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_overriding_the_rest_may_stand_outside_a38() {
    let bench = Bench::start().await;
    let mut claims = bench.claims("overrides", OPEN, None);
    claims.retain(|name, _| ["iss", "aud", "client_id", "iat", "exp"].contains(&name.as_str()));
    let token = bench.sign("overrides", &claims);
    let outside = request(&bench, &beside(&bench, "overrides", &token)).await;
    assert_eq!(outside.redirect_uri, "https://overrides.example/callback");
    assert_eq!((outside.state.as_deref(), outside.nonce.as_deref()), (Some("beside"), Some("nonce-beside")));
    assert_eq!(scopes(&outside), ["email", "openid"]);
    // A challenge inside never gets its method from outside.
    let mut claims = bench.claims("overrides", OPEN, None);
    claims.remove("code_challenge_method");
    let sent = beside(&bench, "overrides", &bench.sign("overrides", &claims));
    let reply = bench.ask(OPEN, Method::Get, &sent).await;
    assert_eq!(bench.reasons(OPEN, &reply).await, ["pkce_method_unsupported"]);
    assert!(reply.location().starts_with(&inside_uri("overrides")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_object_is_never_part_of_a_stored_request_or_of_the_redirect_d27() {
    let bench = Bench::start().await;
    let reply = bench.ask(OPEN, Method::Get, &bench.around("rp", &bench.good("rp", OPEN, None))).await;
    assert!(reply.location().len() < 100, "{}", reply.location());
    assert_eq!(reply.status.as_u16(), 303);
}
