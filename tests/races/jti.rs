//! Single use of `jti` under concurrency, across nodes and restarts, and over time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use signet_store::Store;
use signet_tests::process::Dev;
use signet_tests::provider::Reply;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::party::{Object, Party, now};
use crate::site::{Ready, Site, reason, reasons};
use crate::web::{Web, is_accepted};

const SUBMISSIONS: usize = 200;
const DAY: i64 = 86_400;
/// The tenant's tolerance for clocks.
const SKEW: i64 = 60;
/// The reason code of a second use.
const REPLAYED: &str = "object_replayed";

/// Sends one object from [`SUBMISSIONS`] tasks at once, spread over the nodes.
async fn volley(nodes: &[&Dev], party: &Party, object: &str) -> Vec<Reply> {
    let barrier = Arc::new(Barrier::new(SUBMISSIONS));
    let mut tasks = JoinSet::new();
    let web = Web::new();
    for number in 0..SUBMISSIONS {
        let node = nodes[number % nodes.len()].address().to_owned();
        let (web, party, object, barrier) =
            (web.clone(), party.clone(), object.to_owned(), Arc::clone(&barrier));
        tasks.spawn(async move {
            barrier.wait().await;
            web.authorize(&node, &party, &object, None).await.expect("an answer")
        });
    }
    tasks.join_all().await
}

fn refused(count: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(REPLAYED.to_owned(), count)])
}

/// One acceptance, and every other answer is the refusal of a replay.
async fn exactly_one(store: &dyn Store, nodes: &[&Dev], party: &Party, object: &str) {
    let replies = volley(nodes, party, object).await;
    let (accepted, others): (Vec<_>, Vec<_>) = replies.into_iter().partition(is_accepted);
    assert_eq!(accepted.len(), 1, "of {SUBMISSIONS} submissions");
    assert_eq!(reasons(store, &others).await, refused(SUBMISSIONS - 1));
    let back = others[0].location();
    assert!(
        back.starts_with(&party.rp.redirect_uri) && back.contains("error=invalid_request_object"),
        "{back}"
    );
}

async fn submit(node: &Dev, party: &Party, object: &str) -> Reply {
    Web::new().authorize(node.address(), party, object, None).await.expect("an answer")
}

/// A-58 on any number of nodes, with a restart; A-55 for another client.
async fn single_use(ready: Ready, nodes: usize) {
    let Ready { site, node, demo, alpha, .. } = ready;
    let store = site.store().await;
    let mut running = vec![node];
    for _ in 1..nodes {
        running.push(site.node().await);
    }
    let object = demo.fresh(Some("one"));
    exactly_one(store.as_ref(), &running.iter().collect::<Vec<_>>(), &demo, &object).await;
    let theirs = alpha.fresh(Some("one"));
    exactly_one(store.as_ref(), &running.iter().collect::<Vec<_>>(), &alpha, &theirs).await;
    for node in running.drain(..) {
        node.terminate().await;
    }
    for _ in 0..nodes {
        let node = site.node().await;
        for (party, object) in [(&demo, &object), (&alpha, &theirs)] {
            let again = submit(&node, party, object).await;
            assert_eq!(reasons(store.as_ref(), &[again]).await, refused(1), "after the restart");
        }
        // the value is used up, not only this object.
        let again = submit(&node, &demo, &demo.fresh(Some("one"))).await;
        assert_eq!(reasons(store.as_ref(), &[again]).await, refused(1));
        let other = submit(&node, &demo, &demo.fresh(None)).await;
        assert!(is_accepted(&other), "{}", other.location());
        running.push(node);
    }
    println!(
        "jti: {nodes} nodes, {SUBMISSIONS} submissions each of two clients: 1 accepted, {} refused",
        SUBMISSIONS - 1
    );
    drop(running);
    store.close().await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_submissions_over_two_nodes_on_postgres_one_is_accepted() {
    single_use(Site::postgres().await.ready().await, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_submissions_on_sqlite_one_is_accepted() {
    single_use(Site::sqlite().ready().await, 1).await;
}

/// What one submission came to: the instant at which it was judged, and the reason of its refusal.
async fn judged(store: &dyn Store, reply: &Reply) -> (i64, Option<String>) {
    let (reason, at) = reason(store, reply).await;
    assert_eq!(reason.is_none(), is_accepted(reply), "{}", reply.location());
    (at, reason)
}

/// Starts a node whose clock will soon be at `edge`, and submits what `make` makes for the node's instant until it is
/// accepted. Every submission judged before `edge` must be refused as a replay. Returns how many were.
async fn refused_until(
    site: &Site,
    store: &dyn Store,
    party: &Party,
    edge: i64,
    make: impl Fn(i64) -> String,
) -> usize {
    // Ahead by so much that the edge is a few seconds away when it has started; how long that takes is tried first.
    let begun = now();
    drop(site.shifted(0).await);
    let lead = 8.max(4 * (now() - begun + 1));
    let offset = edge - now() - lead;
    let node = site.shifted(offset).await;
    for early in 0..600 {
        let reply = submit(&node, party, &make(now() + offset)).await;
        let (at, reason) = judged(store, &reply).await;
        match reason.as_deref() {
            None => {
                assert!(at >= edge, "accepted {} seconds before the end of the window", edge - at);
                println!("jti: {early} refusals before the edge, accepted {} seconds after it", at - edge);
                return early;
            }
            Some(REPLAYED) => assert!(at < edge, "refused {} seconds after the end of the window", at - edge),
            Some(other) => panic!("refused as {other}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("never accepted again");
}

/// refused up to 24 hours after the first use, accepted one second later. A-57: with a longer life, for as
/// long as the object itself would be accepted.
async fn over_time(ready: Ready) {
    let Ready { site, node, alpha, beta, .. } = ready;
    site.allow_long_objects().await;
    // Nodes look at their tenants once a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let store = site.store().await;

    let first = submit(&node, &alpha, &alpha.fresh(Some("window"))).await;
    let (used_at, _) = judged(store.as_ref(), &first).await;
    assert!(is_accepted(&first), "{}", first.location());
    let exp = now() + 2 * DAY;
    let lasting = beta.object(Object { jti: "lasting", iat: now(), exp });
    assert!(is_accepted(&submit(&node, &beta, &lasting).await));
    node.terminate().await;

    // Exactly 24 hours later, and before: refused. 24 h + 1 s: accepted.
    let early = refused_until(&site, store.as_ref(), &alpha, used_at + DAY + 1, |now| {
        alpha.object(Object { jti: "window", iat: now, exp: now + 600 })
    });
    assert!(early.await > 0, "nothing was judged before the end of the window");

    // 24 hours have passed, the object lives on: still a replay.
    let node = site.shifted(DAY + 3_600).await;
    let again = submit(&node, &beta, &lasting).await;
    assert_eq!(reasons(store.as_ref(), &[again]).await, refused(1), "an object that outlives the window");
    node.terminate().await;

    // Refused while the object itself would pass (until exp + skew), and in that very second.
    let early = refused_until(&site, store.as_ref(), &beta, exp + SKEW + 1, |now| {
        beta.object(Object { jti: "lasting", iat: now, exp: now + 600 })
    });
    assert!(early.await > 0, "nothing was judged before the end of the object's life");
    // The old object is expired now; it is never accepted again.
    let node = site.shifted(exp + SKEW + 5 - now()).await;
    let again = submit(&node, &beta, &lasting).await;
    assert!(!is_accepted(&again));
    drop(node);
    store.close().await;
    site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jti_is_used_for_24_hours_or_for_the_life_of_its_object_on_postgres() {
    over_time(Site::postgres().await.ready().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jti_is_used_for_24_hours_or_for_the_life_of_its_object_on_sqlite() {
    over_time(Site::sqlite().ready().await).await;
}
