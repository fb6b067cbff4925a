//! What can be used once: codes and `jti` values.

use signet_core::change::{Change, Conflict};
use signet_core::records::Replay;

use super::build::{NOW, access_token, client, redeem, replay, user, world};
use super::{Handle, apply, assert_conflict};

/// RFC 6749 section 4.1.2: "The client MUST NOT use the authorization code more than once."
pub async fn a_code_is_redeemed_once(store: &Handle) {
    let world = world(store, "one").await;
    let (grant, mut code) = world.code(store, 1, "code").await;
    assert_eq!(store.code(&world.id, &code.hash).await.unwrap(), Some(code.clone()));
    let token = access_token(&grant, "token");
    apply(store, &world.id, &[redeem(&code), Change::InsertAccessToken(token.clone())]).await;
    code.redeemed_at = Some(NOW);
    assert_eq!(store.code(&world.id, &code.hash).await.unwrap(), Some(code.clone()));
    assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), Some(token));

    let again = access_token(&grant, "again");
    assert_conflict(
        store.apply(&world.id, &[redeem(&code), Change::InsertAccessToken(again.clone())]).await,
        Conflict::Code,
    );
    assert_eq!(store.access_token(&world.id, &again.hash).await.unwrap(), None);
}

pub async fn a_code_is_redeemed_only_in_time_and_by_its_client(store: &Handle) {
    let world = world(store, "one").await;
    let (_, code) = world.code(store, 1, "code").await;
    let other = client(&world.id, "other");
    apply(store, &world.id, &[Change::InsertClient(other.clone())]).await;
    let redeem = |hash, client: &signet_core::records::Client, at| Change::RedeemCode {
        hash,
        client_id: client.client_id.clone(),
        at,
    };
    let unknown = signet_core::ids::TokenHash::of("unknown");
    for change in [
        redeem(code.hash, &other, NOW),
        redeem(unknown, &world.client, NOW),
        redeem(code.hash, &world.client, code.expires_at),
        redeem(code.hash, &world.client, code.expires_at + 1),
    ] {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::Code);
    }
    assert_eq!(store.code(&world.id, &code.hash).await.unwrap(), Some(code.clone()));
    apply(store, &world.id, &[redeem(code.hash, &world.client, code.expires_at - 1)]).await;
}

/// until the last second of its window a `jti` is refused.
pub async fn a_jti_is_used_once(store: &Handle) {
    let world = world(store, "one").await;
    let first = replay(1);
    apply(store, &world.id, &[Change::ClaimReplay(first.clone())]).await;
    for now in [NOW - 5, NOW, NOW + 1, NOW + 43_200, first.until - 1] {
        let again = Replay { now, until: now + 86_401, ..first.clone() };
        assert_conflict(store.apply(&world.id, &[Change::ClaimReplay(again)]).await, Conflict::Replay);
    }
    // A refused use does not prolong the window, and another key has its own.
    apply(store, &world.id, &[Change::ClaimReplay(replay(2))]).await;
    let free = Replay { now: first.until, until: first.until + 86_401, ..first };
    apply(store, &world.id, &[Change::ClaimReplay(free)]).await;
    // The same key twice in one transaction.
    let twice = [Change::ClaimReplay(replay(3)), Change::ClaimReplay(replay(3))];
    assert_conflict(store.apply(&world.id, &twice).await, Conflict::Replay);
}

/// `until` is exclusive, and an entry taken over starts a window of its own, swept or not.
pub async fn an_expired_jti_is_free_again(store: &Handle) {
    let world = world(store, "one").await;
    let (first, second) = (replay(1).until, replay(1).until + 50);
    apply(store, &world.id, &[Change::ClaimReplay(replay(1))]).await;
    let claim = |now, until| [Change::ClaimReplay(Replay { now, until, ..replay(1) })];
    assert_conflict(store.apply(&world.id, &claim(first - 1, second)).await, Conflict::Replay);
    apply(store, &world.id, &claim(first, second)).await;
    assert_conflict(store.apply(&world.id, &claim(first, second)).await, Conflict::Replay);
    assert_conflict(store.apply(&world.id, &claim(second - 1, second + 1)).await, Conflict::Replay);
    apply(store, &world.id, &claim(second, second + 1)).await;
    // The largest time there is.
    let forever = [Change::ClaimReplay(Replay { until: i64::MAX, ..replay(7) })];
    apply(store, &world.id, &forever).await;
    assert_conflict(store.apply(&world.id, &forever).await, Conflict::Replay);
}

/// A `jti` is consumed with what it stands for, or not at all.
pub async fn a_claim_in_an_undone_transaction_is_undone(store: &Handle) {
    let world = world(store, "one").await;
    let taken = Change::InsertUser(user(&world.id, 2, "ada"));
    let changes = [Change::ClaimReplay(replay(1)), taken];
    assert_conflict(store.apply(&world.id, &changes).await, Conflict::Exists);
    apply(store, &world.id, &[Change::ClaimReplay(replay(1))]).await;
}
