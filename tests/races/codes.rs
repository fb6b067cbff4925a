//! Redemption of authorization codes under concurrency (RFC 6749 section 4.1.2; design section 2).

use std::sync::Arc;

use axum::http::StatusCode;
use signet_tests::process::Dev;
use signet_tests::provider::{Browser, Reply};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::party::Party;
use crate::site::{Ready, Site, trail};
use crate::web::{Web, access_token};

const REDEMPTIONS: usize = 200;

/// Redeems one code from many tasks at once, spread over the nodes; each task comes as the next of `parties`.
async fn volley(nodes: &[&Dev], parties: &[&Party], code: &str, redirect_uri: &str) -> Vec<Reply> {
    let barrier = Arc::new(Barrier::new(REDEMPTIONS));
    let mut tasks = JoinSet::new();
    let web = Web::new();
    for number in 0..REDEMPTIONS {
        let node = nodes[number % nodes.len()].address().to_owned();
        let party = parties[(number / nodes.len()) % parties.len()].clone();
        let (code, redirect_uri) = (code.to_owned(), redirect_uri.to_owned());
        let (web, barrier) = (web.clone(), Arc::clone(&barrier));
        tasks.spawn(async move {
            barrier.wait().await;
            web.redeem(&node, &party, &code, &redirect_uri).await.expect("an answer")
        });
    }
    tasks.join_all().await
}

/// Successes; every other answer must be `invalid_grant`.
fn successes(replies: Vec<Reply>) -> Vec<Reply> {
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == StatusCode::OK);
    for reply in lost {
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
        assert_eq!(reply.json()["error"], "invalid_grant", "{}", reply.body);
    }
    won
}

async fn single_use(ready: Ready, count: usize) {
    let Ready { site, node, alpha, beta, .. } = ready;
    let mut nodes = vec![node];
    for _ in 1..count {
        nodes.push(site.node().await);
    }
    let nodes: Vec<&Dev> = nodes.iter().collect();
    let (first, last) = (nodes[0].address(), nodes[count - 1].address());
    let (web, mut browser) = (Web::new(), Browser::default());

    // RFC 6749 section 4.1.2: "The client MUST NOT use the authorization code more than once. If an authorization code is
    // used more than once, the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens
    // previously issued based on that authorization code."
    let code = web.code(first, &alpha, &mut browser).await;
    let won = successes(volley(&nodes, &[&alpha], &code, &alpha.rp.redirect_uri).await);
    assert_eq!(won.len(), 1, "of {REDEMPTIONS} redemptions");
    for node in &nodes {
        let answer = web.userinfo(node.address(), &access_token(&won[0])).await.unwrap();
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "the replay ends the winner's token");
    }

    // RFC 6749 section 4.1.3: "ensure that the authorization code was issued to the authenticated confidential client".
    let code = web.code(first, &alpha, &mut browser).await;
    let won = successes(volley(&nodes, &[&beta], &code, &alpha.rp.redirect_uri).await);
    assert!(won.is_empty(), "another client redeems");
    let rightful = web.redeem(last, &alpha, &code, &alpha.rp.redirect_uri).await.unwrap();
    let answer = web.userinfo(first, &access_token(&rightful)).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "another client's attempts burn nothing");

    // Both at once: the code's own client wins once, whatever the other one tries.
    let code = web.code(last, &alpha, &mut browser).await;
    let won = successes(volley(&nodes, &[&beta, &alpha], &code, &alpha.rp.redirect_uri).await);
    assert_eq!(won.len(), 1);

    // Nor does another client that got hold of a used code end the tokens made from it.
    let code = web.code(last, &alpha, &mut browser).await;
    let token = access_token(&web.redeem(last, &alpha, &code, &alpha.rp.redirect_uri).await.unwrap());
    let foreign = web.redeem(first, &beta, &code, &alpha.rp.redirect_uri).await.unwrap();
    assert_eq!(foreign.status, StatusCode::BAD_REQUEST);
    assert_eq!(web.userinfo(first, &token).await.unwrap().status, StatusCode::OK);

    let store = site.store().await;
    let refused = trail(store.as_ref(), "token.refused").await;
    println!("codes: {count} nodes, {REDEMPTIONS} redemptions at a time: {refused:?}");
    assert_eq!(refused.get("code_replayed"), Some(&(REDEMPTIONS - 1 + REDEMPTIONS / 2 - 1)));
    assert_eq!(refused.get("code_foreign"), Some(&(REDEMPTIONS + REDEMPTIONS / 2 + 1)));
    assert_eq!(refused.len(), 2);
    store.close().await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_redemptions_over_two_nodes_on_postgres_one_succeeds() {
    single_use(Site::postgres().await.ready().await, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_redemptions_on_sqlite_one_succeeds() {
    single_use(Site::sqlite().ready().await, 1).await;
}
