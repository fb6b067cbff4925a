//! A sweep removes what is past use, and nothing else.

use signet_core::change::{Change, Conflict};
use signet_core::records::{DeviceCode, PushedRequest, Replay, SessionClient};

use super::build::{
    NOW, access_token, code, device_code, grant, id, interaction, pushed_request, redeem, replay, rotate,
    session, session_client, successor, world,
};
use super::{Handle, apply, assert_conflict};
use crate::{AuditFilter, Swept, backend};

pub async fn the_dead_go_and_the_living_stay(store: &Handle) {
    let world = world(store, "one").await;
    let now = NOW + 1000;
    // Ends exactly at the sweep, and one second after it.
    for (ends, name, number) in [(now, "dead", 1), (now + 1, "alive", 2)] {
        let mut session = session(&world.user, name);
        let mut interaction = interaction(&world.client, name);
        let grant = grant(&world.user, &world.client, number);
        let (mut code, mut token) = (code(&grant, name), access_token(&grant, name));
        session.expires_at = ends;
        interaction.expires_at = ends;
        code.expires_at = ends;
        token.expires_at = ends;
        let until = ends - backend::REPLAY_GRACE;
        let changes = [
            Change::InsertSession(session),
            Change::InsertInteraction(interaction),
            Change::InsertGrant(grant),
            Change::InsertCode(code),
            Change::InsertAccessToken(token),
            Change::ClaimReplay(Replay { until, ..replay(number) }),
            Change::Audit(Box::new(super::build::event(&world.id, number))),
        ];
        apply(store, &world.id, &changes).await;
    }
    assert_eq!(store.sweep(now, 1000).await.unwrap(), Swept { rows: 4, more: false });
    assert_eq!(store.sweep(now, 1000).await.unwrap(), Swept { rows: 0, more: false });

    for (name, alive) in [("dead", false), ("alive", true)] {
        let hash = signet_core::ids::TokenHash::of(name);
        assert_eq!(store.session(&world.id, &hash).await.unwrap().is_some(), alive);
        assert_eq!(store.interaction(&world.id, name).await.unwrap().is_some(), alive);
        assert_eq!(store.code(&world.id, &hash).await.unwrap().is_some(), alive);
        assert_eq!(store.access_token(&world.id, &hash).await.unwrap().is_some(), alive);
    }
    // The grant with nothing under it is gone, the other stands.
    let late = access_token(&grant(&world.user, &world.client, 1), "late");
    assert_conflict(store.apply(&world.id, &[Change::InsertAccessToken(late)]).await, Conflict::Grant);
    let more = access_token(&grant(&world.user, &world.client, 2), "more");
    apply(store, &world.id, &[Change::InsertAccessToken(more)]).await;
    assert_conflict(store.apply(&world.id, &[Change::ClaimReplay(replay(2))]).await, Conflict::Replay);
    let trail = AuditFilter { limit: 9, ..AuditFilter::default() };
    assert_eq!(store.audit(&world.id, &trail).await.unwrap().len(), 2);
    // Setup is none of its business.
    assert_eq!(store.sweep(i64::MAX, 1000).await.unwrap().rows, 4);
    assert_eq!(store.user(&world.id, world.user.id).await.unwrap(), Some(world.user.clone()));
    assert_eq!(store.client(&world.id, &"app".into()).await.unwrap(), Some(world.client.clone()));
}

pub async fn a_limit_leaves_the_rest(store: &Handle) {
    let world = world(store, "one").await;
    let changes: Vec<Change> = (0..700_u32)
        .flat_map(|number| {
            let mut session = session(&world.user, &number.to_string());
            session.expires_at = NOW;
            [Change::InsertSession(session), Change::ClaimReplay(replay(u128::from(number)))]
        })
        .collect();
    apply(store, &world.id, &changes).await;
    assert_eq!(store.sweep(NOW, 600).await.unwrap(), Swept { rows: 600, more: true });
    assert_eq!(store.sweep(NOW, 600).await.unwrap(), Swept { rows: 100, more: false });
    assert_eq!(store.sweep(NOW + 200_000, 300).await.unwrap(), Swept { rows: 300, more: true });
}

/// A node that is behind the sweeper's clock must not find a live `jti` forgotten.
pub async fn replay_entries_outlast_clock_differences(store: &Handle) {
    let world = world(store, "one").await;
    let until = replay(1).until;
    apply(store, &world.id, &[Change::ClaimReplay(replay(1))]).await;
    store.sweep(until + backend::REPLAY_GRACE - 1, 10).await.unwrap();
    let behind = Replay { now: until - 1, until: until + 86_400, ..replay(1) };
    assert_conflict(store.apply(&world.id, &[Change::ClaimReplay(behind)]).await, Conflict::Replay);
    assert_eq!(store.sweep(until + backend::REPLAY_GRACE, 10).await.unwrap().rows, 1);
}

pub async fn what_waits_goes_when_it_expires(store: &Handle) {
    let world = world(store, "one").await;
    let now = NOW + 1000;
    for (expires_at, name) in [(now, "dead"), (now + 1, "alive")] {
        let changes = [
            Change::InsertPushedRequest(PushedRequest { expires_at, ..pushed_request(&world.client, name) }),
            Change::InsertDeviceCode(DeviceCode { expires_at, ..device_code(&world.client, name, name) }),
            Change::PutSessionClient(SessionClient {
                expires_at,
                ..session_client(&world.user, &world.client, name)
            }),
        ];
        apply(store, &world.id, &changes).await;
    }
    assert_eq!(store.sweep(now, 1000).await.unwrap(), Swept { rows: 3, more: false });
    for (name, alive) in [("dead", false), ("alive", true)] {
        let hash = signet_core::ids::TokenHash::of(name);
        assert_eq!(store.pushed_request(&world.id, &hash).await.unwrap().is_some(), alive);
        assert_eq!(store.device_code(&world.id, &hash).await.unwrap().is_some(), alive);
        assert_eq!(store.session_clients(&world.id, name).await.unwrap().len(), usize::from(alive));
    }
    assert_eq!(store.sweep(now + 1, 2).await.unwrap(), Swept { rows: 3, more: false });
}

/// RFC 9700 section 4.14.2: a refresh token that is used again ends its chain. So the links are kept while the last lives.
pub async fn spent_refresh_tokens_stay_with_their_chain(store: &Handle) {
    let world = world(store, "one").await;
    let (_, first) = world.refresh(store, 1, "first").await;
    let mut last = successor(&first, "last");
    last.expires_at = NOW + 50_000;
    apply(store, &world.id, &[rotate(&first, 0), Change::InsertRefreshToken(last.clone())]).await;
    assert_eq!(store.sweep(last.expires_at - 1, 10).await.unwrap().rows, 0);
    assert!(store.refresh_token(&world.id, &first.hash).await.unwrap().is_some());
    assert_eq!(store.sweep(last.expires_at, 10).await.unwrap().rows, 1);
    assert_eq!(store.refresh_token(&world.id, &first.hash).await.unwrap(), None);

    // A chain that ends first is over first.
    let (_, mut short) = world.refresh(store, 2, "any").await;
    (short.hash, short.expires_at, short.chain_expires_at) =
        (signet_core::ids::TokenHash::of("short"), NOW + 90_000, NOW + 8000);
    apply(store, &world.id, &[Change::InsertRefreshToken(short.clone())]).await;
    assert_eq!(store.sweep(NOW + 7999, 10).await.unwrap().rows, 0);
    assert_eq!(store.sweep(NOW + 8000, 10).await.unwrap().rows, 1);
}

/// RFC 6749 section 4.1.2: when a code is used twice, its tokens are revoked. So it is kept while they live.
pub async fn a_redeemed_code_stays_with_its_tokens(store: &Handle) {
    let world = world(store, "one").await;
    let (grant, used) = world.code(store, 1, "used").await;
    let (_, unused) = world.code(store, 2, "unused").await;
    let mut token = access_token(&grant, "token");
    token.expires_at = NOW + 5000;
    apply(store, &world.id, &[redeem(&used), Change::InsertAccessToken(token.clone())]).await;

    // A grant stays for a while in any case, and with it a code that was not fetched.
    let minimum = NOW + backend::GRANT_MINIMUM;
    assert_eq!(store.sweep(minimum - 1, 10).await.unwrap().rows, 0);
    assert_eq!(store.sweep(minimum, 10).await.unwrap().rows, 1);
    assert_eq!(store.code(&world.id, &unused.hash).await.unwrap(), None);

    store.sweep(token.expires_at - 1, 10).await.unwrap();
    assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), Some(token.clone()));
    assert_eq!(store.code(&world.id, &used.hash).await.unwrap().unwrap().redeemed_at, Some(NOW));
    apply(store, &world.id, &[Change::RevokeGrant { id: id(1), at: NOW }]).await;
    assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), None);
    assert_eq!(store.sweep(token.expires_at, 10).await.unwrap().rows, 1);
    assert_eq!(store.code(&world.id, &used.hash).await.unwrap(), None);
}
