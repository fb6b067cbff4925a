//! Rotation of refresh tokens under concurrency (RFC 9700 section 4.14.2).

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use signet_tests::process::Dev;
use signet_tests::provider::{Browser, Reply};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::party::Party;
use crate::site::{Ready, Site, trail};
use crate::web::{Web, access_token, is_unavailable};

const USES: usize = 200;

/// Lets `party` refresh, with this grace.
async fn let_refresh(site: &Site, party: &Party, grace: i64) {
    let mut declared = party.declaration();
    declared["grant_types"] = json!(["authorization_code", "refresh_token"]);
    declared["lifetimes"]["refresh_token_grace"] = json!(grace);
    site.apply(&json!({ "version": 1, "clients": [declared] })).await;
}

fn refresh_token(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    reply.json()["refresh_token"].as_str().unwrap().to_owned()
}

/// Uses one token from many tasks at once, spread over the nodes.
async fn volley(nodes: &[&Dev], party: &Party, token: &str) -> Vec<Reply> {
    let barrier = Arc::new(Barrier::new(USES));
    let mut tasks = JoinSet::new();
    let web = Web::new();
    for number in 0..USES {
        let node = nodes[number % nodes.len()].address().to_owned();
        let (party, token) = (party.clone(), token.to_owned());
        let (web, barrier) = (web.clone(), Arc::clone(&barrier));
        tasks.spawn(async move {
            barrier.wait().await;
            web.refresh(&node, &party, &token).await.expect("an answer")
        });
    }
    tasks.join_all().await
}

async fn rotation(ready: Ready, count: usize) {
    let Ready { site, node, alpha, .. } = ready;
    let second = if count > 1 { Some(site.node().await) } else { None };
    let nodes: Vec<&Dev> = std::iter::once(&node).chain(second.as_ref()).collect();
    let (one, other) = (nodes[0].address(), nodes[count - 1].address());
    let (web, mut browser) = (Web::new(), Browser::default());

    // Without grace one use wins. Every other one is reuse, which ends the family, the winner's tokens included.
    let_refresh(&site, &alpha, 0).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let code = web.code(one, &alpha, &mut browser).await;
    let issued = web.redeem(other, &alpha, &code, &alpha.rp.redirect_uri).await.unwrap();
    let (won, lost): (Vec<_>, Vec<_>) = volley(&nodes, &alpha, &refresh_token(&issued))
        .await
        .into_iter()
        .partition(|reply| reply.status == StatusCode::OK);
    assert_eq!(won.len(), 1);
    for reply in &lost {
        assert_eq!(
            (reply.status, &reply.json()["error"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_grant"))
        );
    }
    for token in [access_token(&issued), access_token(&won[0])] {
        assert_eq!(web.userinfo(one, &token).await.unwrap().status, StatusCode::UNAUTHORIZED);
    }
    let dead = web.refresh(other, &alpha, &refresh_token(&won[0])).await.unwrap();
    assert_eq!(dead.json()["error"], "invalid_grant", "reuse ends the winner's token too");

    // Within the grace nobody loses for good: each use gets a successor or is told to come again. Of all these successors
    // one is good.
    let_refresh(&site, &alpha, 300).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let code = web.code(one, &alpha, &mut browser).await;
    let issued = web.redeem(other, &alpha, &code, &alpha.rp.redirect_uri).await.unwrap();
    let (won, lost): (Vec<_>, Vec<_>) = volley(&nodes, &alpha, &refresh_token(&issued))
        .await
        .into_iter()
        .partition(|reply| reply.status == StatusCode::OK);
    assert!(!won.is_empty());
    for reply in &lost {
        assert!(is_unavailable(reply), "{} {}", reply.status, reply.body);
    }
    println!(
        "refresh: {count} nodes, {USES} uses within the grace: {} successors, {} put off",
        won.len(),
        lost.len()
    );
    let store = site.store().await;
    let mut living = Vec::new();
    for reply in &won {
        let hash = signet_core::ids::TokenHash::of(&refresh_token(reply));
        let link = store.refresh_token(&"default".into(), &hash).await.unwrap().expect("kept");
        if link.superseded_at.is_none() {
            living.push(refresh_token(reply));
        }
    }
    assert_eq!(living.len(), 1, "of one token there is never more than one living successor");

    // A response that got lost is made up for, and then its successor is worth nothing: using it ends the family.
    let next = web.refresh(one, &alpha, &living[0]).await.unwrap();
    let (unseen, retried) = (next, web.refresh(other, &alpha, &living[0]).await.unwrap());
    let good = web.refresh(one, &alpha, &refresh_token(&retried)).await.unwrap();
    assert_eq!(web.userinfo(other, &access_token(&good)).await.unwrap().status, StatusCode::OK);
    let thief = web.refresh(other, &alpha, &refresh_token(&unseen)).await.unwrap();
    assert_eq!(thief.json()["error"], "invalid_grant");
    assert_eq!(web.userinfo(one, &access_token(&good)).await.unwrap().status, StatusCode::UNAUTHORIZED);

    let trail = trail(store.as_ref(), "token.refused").await;
    println!("refresh: {count} nodes: {trail:?}");
    let reused = trail.get("refresh_token_reused").copied().unwrap_or_default();
    let unknown = trail.get("refresh_token_unknown").copied().unwrap_or_default();
    // Once the family has ended, the token is not known any more.
    assert_eq!(reused + unknown, USES - 1 + 1 + 1);
    store.close().await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_uses_of_a_refresh_token_over_two_nodes_on_postgres_one_counts() {
    rotation(Site::postgres().await.ready().await, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_uses_of_a_refresh_token_on_sqlite_one_counts() {
    rotation(Site::sqlite().ready().await, 1).await;
}
