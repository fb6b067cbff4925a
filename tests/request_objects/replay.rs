//! A `jti` is used once.

use std::collections::BTreeMap;

use serde_json::json;
use signet_tests::provider::Reply;

use crate::bench::{ACME, Bench, Method, OPEN, inside_uri};

const DAY: i64 = 86_400;

async fn send(bench: &Bench, id: &str, jti: Option<&str>) -> Reply {
    bench.ask(OPEN, Method::Post, &bench.around(id, &bench.good(id, OPEN, jti))).await
}

fn accepted(reply: &Reply) -> bool {
    reply.location().contains("/interaction/")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_use_is_refused_at_the_redirect_uri_inside_a52_a55() {
    let bench = Bench::start().await;
    assert!(accepted(&send(&bench, "rp", Some("once")).await));
    // Another object with the same jti, and the same object by the other method and kind.
    let again = send(&bench, "rp", Some("once")).await;
    assert_eq!(bench.reasons(OPEN, &again).await, ["object_replayed"]);
    assert!(again.location().starts_with(&inside_uri("rp")), "{}", again.location());
    assert_eq!(again.location_param("error").as_deref(), Some("invalid_request_object"));
    assert_eq!(again.location_param("state").as_deref(), Some("inside"));
    assert_eq!(again.location_param("iss").as_deref(), Some(OPEN.issuer));
    let signed = bench.sign("rp", &bench.claims("rp", OPEN, Some("once")));
    let again = bench.ask(OPEN, Method::Get, &bench.around("rp", &signed)).await;
    assert_eq!(bench.reasons(OPEN, &again).await, ["object_replayed"]);
    // another client, and another tenant's client of the same name, may use it; case counts.
    assert!(accepted(&send(&bench, "other", Some("once")).await));
    let elsewhere = bench.around("rp", &bench.sign("rp", &bench.claims("rp", ACME, Some("once"))));
    assert!(accepted(&bench.ask(ACME, Method::Post, &elsewhere).await));
    assert!(accepted(&send(&bench, "rp", Some("ONCE")).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_object_again_is_refused_even_to_the_same_browser_a52() {
    let bench = Bench::start().await;
    let sent = bench.around("rp", &bench.good("rp", OPEN, Some("same")));
    assert!(accepted(&bench.ask(OPEN, Method::Get, &sent).await));
    for method in [Method::Get, Method::Post] {
        let again = bench.ask(OPEN, method, &sent).await;
        assert_eq!(bench.reasons(OPEN, &again).await, ["object_replayed"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_a_day_from_the_first_acceptance_a56() {
    let bench = Bench::start().await;
    assert!(accepted(&send(&bench, "rp", Some("window")).await));
    bench.provider.advance(DAY);
    assert!(!accepted(&send(&bench, "rp", Some("window")).await));
    // A refused use does not prolong it.
    bench.provider.advance(1);
    assert!(accepted(&send(&bench, "rp", Some("window")).await));
    bench.provider.advance(DAY);
    assert!(!accepted(&send(&bench, "rp", Some("window")).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_lives_longer_is_remembered_as_long_a57() {
    let bench = Bench::start().await;
    let mut claims = bench.claims("rp", OPEN, Some("long"));
    let exp = bench.provider.now() + DAY + 30;
    claims.insert("iat".into(), json!(bench.provider.now() + 30));
    claims.insert("exp".into(), json!(exp));
    let sent = bench.around("rp", &bench.sign("rp", &claims));
    assert!(accepted(&bench.ask(OPEN, Method::Get, &sent).await));
    bench.provider.advance(DAY + 1);
    let again = bench.ask(OPEN, Method::Get, &sent).await;
    assert_eq!(bench.reasons(OPEN, &again).await, ["object_replayed"]);
    // At the last second at which the tolerance lets the object live, and at the next, where it has expired.
    bench.provider.advance(exp + 59 - bench.provider.now());
    let again = bench.ask(OPEN, Method::Get, &sent).await;
    assert_eq!(bench.reasons(OPEN, &again).await, ["object_replayed"]);
    bench.provider.advance(1);
    let again = bench.ask(OPEN, Method::Get, &sent).await;
    assert_eq!(bench.reasons(OPEN, &again).await, ["token_expired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_without_jti_may_be_sent_again_unless_the_client_demands_one_a54_a62() {
    let bench = Bench::start().await;
    let sent = bench.around("rp", &bench.good("rp", OPEN, None));
    for method in [Method::Get, Method::Post, Method::Get] {
        assert!(accepted(&bench.ask(OPEN, method, &sent).await));
    }
    let refused = send(&bench, "jti", None).await;
    assert_eq!(bench.reasons(OPEN, &refused).await, ["object_jti_missing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_simultaneous_uses_exactly_one_wins_a58() {
    let bench = Bench::start().await;
    let sent = bench.around("rp", &bench.good("rp", OPEN, Some("race")));
    let bench = std::sync::Arc::new(bench);
    let racing: Vec<_> = (0..16)
        .map(|_| {
            let (bench, sent) = (bench.clone(), sent.clone());
            tokio::spawn(async move { bench.ask(OPEN, Method::Post, &sent).await })
        })
        .collect();
    let mut found = BTreeMap::new();
    for reply in racing {
        let reply = reply.await.unwrap();
        let reason = bench.reasons(OPEN, &reply).await.pop().unwrap_or_else(|| "accepted".into());
        *found.entry(reason).or_insert(0) += 1;
    }
    let wanted = [("accepted".to_owned(), 1), ("object_replayed".to_owned(), 15)];
    assert_eq!(found, BTreeMap::from(wanted));
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_and_back_show_the_interaction_and_no_replay_error_a61() {
    let bench = Bench::start().await;
    let mut browser = signet_tests::provider::Browser::default();
    let reply = send(&bench, "rp", Some("reload")).await;
    browser.take(&reply);
    let path = reply.location().strip_prefix("/auth/open").unwrap().to_owned();
    for _ in 0..3 {
        let page = bench.provider.get(&path, Some(&mut browser)).await;
        assert!(page.status.is_success() && page.body.contains("id=\"password\""));
    }
}
