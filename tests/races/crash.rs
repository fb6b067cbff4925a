//! `kill -9` of a node and of PostgreSQL under load: nothing acknowledged is lost, nothing is accepted twice (A-58; design
//! section 5: "Database unreachable: refuse, never accept").

use std::time::Duration;

use axum::http::StatusCode;
use signet_tests::process::{Cluster, PATIENCE};

use crate::load::{Load, verify};
use crate::site::{Ready, Site};
use crate::web::Web;

/// How often a node is killed.
const ROUNDS: usize = 3;
const WORKERS: usize = 8;
/// Sign-ins to complete before something is killed.
const SIGN_INS: usize = 24;

/// Kills the first of `count` nodes under load, `ROUNDS` times; the others go on.
async fn node_killed(ready: Ready, count: usize) {
    let Ready { site, node, alpha, .. } = ready;
    let store = site.store().await;
    let mut nodes = vec![node];
    for _ in 1..count {
        nodes.push(site.node().await);
    }
    for round in 0..ROUNDS {
        let addresses: Vec<String> = nodes.iter().map(|node| node.address().to_owned()).collect();
        let load = Load::start(&addresses, &alpha, WORKERS);
        load.done(SIGN_INS).await;
        nodes.remove(0).kill().await;
        let (attempts, broken) = load.stop().await;
        assert!(broken > 0, "the node was killed under load");
        nodes.push(site.node().await);
        // By turns on the node that was started after the crash, and on one that survived it, if there is one.
        let judge = if round % 2 == 0 { nodes.last() } else { nodes.first() };
        let verdict = verify(store.as_ref(), judge.expect("a node").address(), &alpha, &attempts).await;
        println!("node killed, {count} nodes, round {round}: {broken} broken connections, {verdict:?}");
    }
    drop(nodes);
    store.close().await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_nothing_and_accepts_nothing_twice_on_postgres() {
    node_killed(Site::postgres().await.ready().await, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_nothing_and_accepts_nothing_twice_on_sqlite() {
    node_killed(Site::sqlite().ready().await, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_means_503_until_it_is_back_and_nothing_is_lost_or_accepted_twice() {
    let cluster = Cluster::start().await;
    let Ready { site, mut node, alpha, .. } = Site::at(&cluster.url).ready().await;
    let load = Load::start(&[node.address().to_owned()], &alpha, WORKERS);
    load.done(SIGN_INS).await;
    cluster.kill().await;
    load.database_away(true);
    // Each worker hears it, at least once: what was under way when the database went, and what came afterwards.
    load.unavailable(2 * WORKERS).await;
    let ready = format!("{}/readyz", node.address());
    let answer = Web::new().get(&ready, None).await.expect("an answer");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    load.database_away(false);
    cluster.resume().await;
    // Nobody tells the node that the database is back.
    load.done(SIGN_INS).await;
    let recovered = async {
        while Web::new().get(&ready, None).await.expect("an answer").status != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, recovered).await.expect("the node is ready again");
    let (attempts, broken) = load.stop().await;
    assert_eq!((broken, node.ended()), (0, None), "the node itself stays up:\n{}", node.log());
    let store = site.store().await;
    let verdict = verify(store.as_ref(), node.address(), &alpha, &attempts).await;
    println!("database killed: {verdict:?}");
    store.close().await;
    node.terminate().await;
    site.close().await;
}
