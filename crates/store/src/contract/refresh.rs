//! Refresh tokens: chains of which the last link is good.

use signet_core::change::{Change, Conflict};
use signet_core::ids::TokenHash;
use signet_core::records::RefreshToken;

use super::build::{
    NOW, access_token, client, grant, id, refresh_token, rotate, successor, user, words, world,
};
use super::{Handle, apply, assert_conflict};

pub async fn a_refresh_token_comes_back_while_its_grant_stands(store: &Handle) {
    let world = world(store, "one").await;
    let (grant, first) = world.refresh(store, 1, "first").await;
    let mut second = successor(&first, "second");
    (second.rotations, second.rotated_at, second.superseded_at) = (3, Some(NOW + 2), Some(NOW + 3));
    apply(store, &world.id, &[Change::InsertRefreshToken(second.clone())]).await;
    assert_eq!(store.refresh_token(&world.id, &second.hash).await.unwrap(), Some(second));
    let found = store.refresh_token(&world.id, &first.hash).await.unwrap();
    assert_eq!(found, Some(RefreshToken { successor_used: true, ..first.clone() }));
    assert_eq!(store.refresh_token(&world.id, &TokenHash::of("unknown")).await.unwrap(), None);
    let again = Change::InsertRefreshToken(first.clone());
    assert_conflict(store.apply(&world.id, &[again]).await, Conflict::Exists);

    apply(store, &world.id, &[Change::RevokeGrant { id: grant.id, at: NOW }]).await;
    assert_eq!(store.refresh_token(&world.id, &first.hash).await.unwrap(), None);
    let late = Change::InsertRefreshToken(successor(&first, "late"));
    assert_conflict(store.apply(&world.id, &[late]).await, Conflict::Grant);
    assert_conflict(store.apply(&world.id, &[rotate(&first, 0)]).await, Conflict::RefreshToken);
}

pub async fn refresh_tokens_are_of_their_grant(store: &Handle) {
    let world = world(store, "one").await;
    let (b, bob) = (client(&world.id, "b"), user(&world.id, 2, "bob"));
    let (grant, sound) = world.refresh(store, 1, "sound").await;
    apply(store, &world.id, &[Change::InsertClient(b.clone()), Change::InsertUser(bob.clone())]).await;
    let wrong = refresh_token(&grant, "wrong");
    let (mut of_b, mut of_bob, mut of_none) = (wrong.clone(), wrong.clone(), wrong);
    of_b.client_id = b.client_id;
    of_bob.authentication.user_id = bob.id;
    of_none.grant_id = id(99);
    for token in [of_b, of_bob, of_none] {
        let outcome = store.apply(&world.id, &[Change::InsertRefreshToken(token)]).await;
        assert_conflict(outcome, Conflict::Grant);
    }
    assert_eq!(store.refresh_token(&world.id, &sound.hash).await.unwrap(), Some(sound));
}

/// RFC 6749 section 4.4: "the client is acting on its own behalf".
pub async fn a_grant_may_have_no_user(store: &Handle) {
    let world = world(store, "one").await;
    let mut own = grant(&world.user, &world.client, 1);
    (own.user_id, own.sid) = (None, None);
    let mut token = access_token(&own, "own");
    token.audience = words(&["https://a.example", "https://b.example"]);
    token.actor = Some(super::build::object(serde_json::json!({ "sub": "app", "act": { "sub": "b" } })));
    apply(store, &world.id, &[Change::InsertGrant(own.clone()), Change::InsertAccessToken(token.clone())])
        .await;
    assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), Some(token.clone()));

    // Nobody's grant is not somebody's, and the other way round.
    let (somebodys, _) = world.token(store, 2, "somebody's").await;
    let mut claimed = access_token(&own, "claimed");
    claimed.user_id = Some(world.user.id);
    let mut disowned = access_token(&somebodys, "disowned");
    disowned.user_id = None;
    for token in [claimed, disowned] {
        let outcome = store.apply(&world.id, &[Change::InsertAccessToken(token)]).await;
        assert_conflict(outcome, Conflict::Grant);
    }
    let with_user = refresh_token(&somebodys, "refresh");
    let outcome = store
        .apply(&world.id, &[Change::InsertRefreshToken(RefreshToken { grant_id: own.id, ..with_user })])
        .await;
    assert_conflict(outcome, Conflict::Grant);

    // RFC 7009 section 2: one token alone can be ended; to end it again is no error.
    for _ in 0..2 {
        apply(store, &world.id, &[Change::DeleteAccessToken(token.hash)]).await;
        assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), None);
    }
    apply(store, &world.id, &[Change::InsertAccessToken(access_token(&own, "another"))]).await;
}

/// RFC 9700 section 4.14.2: the old token "is invalidated, but information about the relationship is retained".
pub async fn a_refresh_token_is_exchanged_in_time_and_by_its_client(store: &Handle) {
    let world = world(store, "one").await;
    let (grant, token) = world.refresh(store, 1, "token").await;
    let (mut short, mut superseded) = (refresh_token(&grant, "short"), refresh_token(&grant, "superseded"));
    short.chain_expires_at = NOW + 10;
    superseded.superseded_at = Some(NOW);
    let other = client(&world.id, "other");
    let changes = [
        Change::InsertClient(other.clone()),
        Change::InsertRefreshToken(short.clone()),
        Change::InsertRefreshToken(superseded.clone()),
    ];
    apply(store, &world.id, &changes).await;
    let exchange = |token: &RefreshToken, client: &signet_core::records::Client, rotations, at| {
        Change::RotateRefreshToken { hash: token.hash, client_id: client.client_id.clone(), rotations, at }
    };
    let mine = &world.client;
    for change in [
        exchange(&token, &other, 0, NOW),
        exchange(&token, mine, 1, NOW),
        exchange(&token, mine, -1, NOW),
        exchange(&token, mine, 0, token.expires_at),
        exchange(&short, mine, 0, NOW + 10),
        exchange(&superseded, mine, 0, NOW),
        exchange(&refresh_token(&grant, "unknown"), mine, 0, NOW),
    ] {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::RefreshToken);
    }
    for token in [&token, &short, &superseded] {
        assert_eq!(store.refresh_token(&world.id, &token.hash).await.unwrap().as_ref(), Some(token));
    }

    let changes = [
        exchange(&token, mine, 0, token.expires_at - 1),
        Change::InsertRefreshToken(successor(&token, "next")),
        exchange(&short, mine, 0, NOW + 9),
    ];
    apply(store, &world.id, &changes).await;
    let found = store.refresh_token(&world.id, &token.hash).await.unwrap();
    let rotated = RefreshToken { rotations: 1, rotated_at: Some(token.expires_at - 1), ..token.clone() };
    assert_eq!(found, Some(rotated));
    assert_conflict(store.apply(&world.id, &[rotate(&token, 0)]).await, Conflict::RefreshToken);
}

/// An answer may be lost on its way: the client asks again, and what it did not get is worthless from then on.
pub async fn a_retry_takes_the_place_of_unused_successors(store: &Handle) {
    let world = world(store, "one").await;
    let (_, parent) = world.refresh(store, 1, "parent").await;
    let children = ["a", "b", "c"].map(|name| successor(&parent, name));
    for (rotations, child) in (0..).zip(&children) {
        let at = NOW + 10 + rotations;
        let (hash, client_id) = (parent.hash, parent.client_id.clone());
        let retry = Change::RotateRefreshToken { hash, client_id, rotations, at };
        apply(store, &world.id, &[retry, Change::InsertRefreshToken(child.clone())]).await;
    }
    let found = store.refresh_token(&world.id, &parent.hash).await.unwrap();
    // The grace counts from the first exchange.
    assert_eq!(found, Some(RefreshToken { rotations: 3, rotated_at: Some(NOW + 10), ..parent.clone() }));
    // An earlier retry never moves an end.
    for (child, superseded_at) in children.iter().zip([Some(NOW + 11), Some(NOW + 12), None]) {
        let found = store.refresh_token(&world.id, &child.hash).await.unwrap();
        assert_eq!(found, Some(RefreshToken { superseded_at, ..child.clone() }));
    }
    for child in &children[..2] {
        assert_conflict(store.apply(&world.id, &[rotate(child, 0)]).await, Conflict::RefreshToken);
    }

    // The last one is used: now the parent is spent for good, and says so.
    apply(store, &world.id, &[rotate(&children[2], 0)]).await;
    assert_conflict(store.apply(&world.id, &[rotate(&parent, 3)]).await, Conflict::RefreshToken);
    let found = store.refresh_token(&world.id, &parent.hash).await.unwrap().unwrap();
    assert!(found.successor_used && found.rotations == 3, "{found:?}");
    let last = store.refresh_token(&world.id, &children[2].hash).await.unwrap().unwrap();
    assert_eq!((last.rotations, last.superseded_at, last.successor_used), (1, None, false));
}

pub async fn a_kept_refresh_token_is_prolonged(store: &Handle) {
    let world = world(store, "one").await;
    let (grant, token) = world.refresh(store, 1, "token").await;
    let (mut rotated, mut superseded) =
        (refresh_token(&grant, "rotated"), refresh_token(&grant, "superseded"));
    (rotated.rotations, superseded.superseded_at) = (1, Some(NOW));
    let other = client(&world.id, "other");
    let changes = [
        Change::InsertClient(other.clone()),
        Change::InsertRefreshToken(rotated.clone()),
        Change::InsertRefreshToken(superseded.clone()),
    ];
    apply(store, &world.id, &changes).await;
    let prolong = |token: &RefreshToken, client: &signet_core::records::Client, at, expires_at| {
        Change::ProlongRefreshToken { hash: token.hash, client_id: client.client_id.clone(), at, expires_at }
    };
    let mine = &world.client;
    for change in [
        prolong(&token, &other, NOW, NOW + 9000),
        prolong(&token, mine, token.expires_at, NOW + 9000),
        prolong(&token, mine, token.chain_expires_at, NOW + 9000),
        prolong(&rotated, mine, NOW, NOW + 9000),
        prolong(&superseded, mine, NOW, NOW + 9000),
        prolong(&refresh_token(&grant, "unknown"), mine, NOW, NOW + 9000),
    ] {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::RefreshToken);
    }
    assert_eq!(store.refresh_token(&world.id, &token.hash).await.unwrap(), Some(token.clone()));
    let moved = prolong(&token, mine, token.expires_at - 1, NOW + 9000);
    apply(store, &world.id, &[moved]).await;
    let found = store.refresh_token(&world.id, &token.hash).await.unwrap();
    assert_eq!(found, Some(RefreshToken { expires_at: NOW + 9000, ..token.clone() }));
    // The grant stays as long.
    store.sweep(NOW + 8999, 10).await.unwrap();
    assert!(store.refresh_token(&world.id, &token.hash).await.unwrap().is_some());
    assert_eq!(store.sweep(NOW + 9000, 10).await.unwrap().rows, 1);
    assert_eq!(store.refresh_token(&world.id, &token.hash).await.unwrap(), None);
}
