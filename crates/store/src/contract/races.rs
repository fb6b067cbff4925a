//! Single use is decided by the write: of many at once, exactly one wins.

use std::future::Future;

use signet_core::change::{Change, Conflict};
use signet_core::ids::TenantId;
use signet_core::records::{DeviceStage, Replay, Stage};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Handle;
use super::build::{
    self, NOW, World, access_token, approved, attempt, delivery, device_code, device_step,
    initial_access_token, interaction, pushed_request, redeem, replay, rotate, step, successor, take, world,
};
use crate::{Result, StoreError};

pub(super) const RACERS: usize = 64;

/// Applies one list of changes per racer, all at once.
pub(super) async fn race(store: &Handle, tenant: &TenantId, lists: Vec<Vec<Change>>) -> Vec<Result<()>> {
    let start = std::sync::Arc::new(Barrier::new(lists.len()));
    let mut racers = JoinSet::new();
    for changes in lists {
        let (store, tenant, start) = (store.clone(), tenant.clone(), start.clone());
        racers.spawn(async move {
            start.wait().await;
            store.apply(&tenant, &changes).await
        });
    }
    racers.join_all().await
}

/// `make` gives the changes of each racer. One succeeds, all others meet `conflict`.
pub(super) async fn one_wins(
    store: &Handle,
    tenant: &TenantId,
    conflict: Conflict,
    make: impl Fn(usize) -> Vec<Change>,
) {
    let outcomes = race(store, tenant, (0..RACERS).map(make).collect()).await;
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(winners, 1, "{outcomes:?}");
    for outcome in outcomes {
        match outcome {
            Ok(()) => {}
            Err(StoreError::Conflict(found)) => assert_eq!(found, conflict),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Runs `round` with a number of its own, several times.
pub(super) async fn rounds<F: Future<Output = ()>>(round: impl Fn(u128) -> F) {
    for number in 1..=4 {
        round(number).await;
    }
}

pub async fn one_redemption_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        let (grant, code) = world.code(store, number, &format!("code {number}")).await;
        let token = |racer| access_token(&grant, &format!("token {number} {racer}"));
        one_wins(store, &world.id, Conflict::Code, |racer| {
            vec![redeem(&code), Change::InsertAccessToken(token(racer))]
        })
        .await;
        let mut tokens = 0;
        for racer in 0..RACERS {
            let found = store.access_token(&world.id, &token(racer).hash).await.unwrap();
            tokens += usize::from(found.is_some());
        }
        assert_eq!(tokens, 1);
    })
    .await;
}

pub async fn one_claim_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        one_wins(store, &world.id, Conflict::Replay, |racer| {
            let name = format!("{number} {racer}");
            vec![
                Change::ClaimReplay(replay(number)),
                Change::InsertInteraction(interaction(&world.client, &name)),
            ]
        })
        .await;
    })
    .await;
}

pub async fn one_claim_of_an_expired_entry_wins(store: &Handle) {
    let world = world(store, "one").await;
    let first = replay(1);
    super::apply(store, &world.id, &[Change::ClaimReplay(first.clone())]).await;
    let again = Replay { now: first.until, until: first.until + 86_401, ..first };
    one_wins(store, &world.id, Conflict::Replay, |_| vec![Change::ClaimReplay(again.clone())]).await;
}

pub async fn one_update_wins(store: &Handle) {
    let world = world(store, "one").await;
    let client = |racer| {
        let mut client = world.client.clone();
        client.version = 2;
        client.settings.client_name = format!("racer {racer}");
        client
    };
    one_wins(store, &world.id, Conflict::Version, |racer| vec![Change::UpdateClient(client(racer))]).await;
    assert_eq!(store.client(&world.id, &"app".into()).await.unwrap().unwrap().version, 2);
}

pub async fn one_interaction_step_wins(store: &Handle) {
    let world = world(store, "one").await;
    let start = interaction(&world.client, "id");
    super::apply(store, &world.id, &[Change::InsertInteraction(start.clone())]).await;
    one_wins(store, &world.id, Conflict::Interaction, |racer| {
        let grant = build::grant(&world.user, &world.client, 100 + racer as u128);
        let code = build::code(&grant, &format!("code {racer}"));
        vec![step(&start, Stage::Finished), Change::InsertGrant(grant), Change::InsertCode(code)]
    })
    .await;
}

pub async fn one_new_record_wins(store: &Handle) {
    let world = world(store, "one").await;
    one_wins(store, &world.id, Conflict::Exists, |racer| {
        vec![Change::InsertUser(build::user(&world.id, 100 + racer as u128, "eve"))]
    })
    .await;
}

/// RFC 9700 section 4.14.2: of many exchanges of one refresh token one wins, first or retried.
pub async fn one_exchange_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        let (_, token) = world.refresh(store, number, &format!("token {number}")).await;
        for rotations in 0..3 {
            let next = |racer| successor(&token, &format!("{number} {rotations} {racer}"));
            one_wins(store, &world.id, Conflict::RefreshToken, |racer| {
                vec![rotate(&token, rotations), Change::InsertRefreshToken(next(racer))]
            })
            .await;
            let mut good = 0;
            for racer in 0..RACERS {
                let found = store.refresh_token(&world.id, &next(racer).hash).await.unwrap();
                good += usize::from(found.is_some_and(|token| token.superseded_at.is_none()));
            }
            assert_eq!(good, 1);
        }
    })
    .await;
}

/// The retry of a parent and the use of its child: one of them is refused, so never do two ends of a chain live.
pub async fn a_retry_and_the_use_of_its_successor_exclude_each_other(store: &Handle) {
    let world = world(store, "one").await;
    for number in 1..=32_u128 {
        let (_, parent) = world.refresh(store, number, &format!("parent {number}")).await;
        let child = successor(&parent, &format!("child {number}"));
        let [twin, grandchild] = [(&parent, "twin"), (&child, "grandchild")]
            .map(|(of, name)| successor(of, &format!("{name} {number}")));
        super::apply(store, &world.id, &[rotate(&parent, 0), Change::InsertRefreshToken(child.clone())])
            .await;
        let lists = vec![
            vec![rotate(&parent, 1), Change::InsertRefreshToken(twin.clone())],
            vec![rotate(&child, 0), Change::InsertRefreshToken(grandchild.clone())],
        ];
        let outcomes = race(store, &world.id, lists).await;
        let mut winners = 0;
        for outcome in outcomes {
            match outcome {
                Ok(()) => winners += 1,
                Err(StoreError::Conflict(found)) => assert_eq!(found, Conflict::RefreshToken),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(winners, 1);
    }
}

pub async fn one_use_of_a_pushed_request_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        let pushed = pushed_request(&world.client, &number.to_string());
        super::apply(store, &world.id, &[Change::InsertPushedRequest(pushed.clone())]).await;
        one_wins(store, &world.id, Conflict::PushedRequest, |racer| {
            let start = interaction(&world.client, &format!("{number} {racer}"));
            vec![take(&pushed), Change::InsertInteraction(start)]
        })
        .await;
    })
    .await;
}

pub async fn one_device_step_wins(store: &Handle) {
    let world = world(store, "one").await;
    let mut device = device_code(&world.client, "device", "CODE");
    super::apply(store, &world.id, &[Change::InsertDeviceCode(device.clone())]).await;
    one_wins(store, &world.id, Conflict::Device, |racer| {
        let grant = build::grant(&world.user, &world.client, 100 + racer as u128);
        vec![Change::InsertGrant(grant.clone()), device_step(&device, approved(&grant))]
    })
    .await;
    device = store.device_code(&world.id, &device.hash).await.unwrap().unwrap();
    let DeviceStage::Approved { grant_id, .. } = device.stage else { panic!("{device:?}") };
    let mut grant = build::grant(&world.user, &world.client, 0);
    grant.id = grant_id;
    one_wins(store, &world.id, Conflict::Device, |racer| {
        let token = access_token(&grant, &format!("token {racer}"));
        vec![device_step(&device, DeviceStage::Redeemed { grant_id }), Change::InsertAccessToken(token)]
    })
    .await;
}

pub async fn one_user_code_wins(store: &Handle) {
    let world = world(store, "one").await;
    one_wins(store, &world.id, Conflict::Exists, |racer| {
        vec![Change::InsertDeviceCode(device_code(&world.client, &format!("device {racer}"), "CODE"))]
    })
    .await;
}

/// Several nodes see the same delivery due.
pub async fn one_attempt_wins(store: &Handle) {
    let world = world(store, "one").await;
    rounds(async |number| {
        let told = delivery(&world.user, &world.client, number);
        super::apply(store, &world.id, &[Change::InsertLogoutDelivery(told.clone())]).await;
        one_wins(store, &world.id, Conflict::Delivery, |_| vec![attempt(&told, Some(NOW + 60))]).await;
    })
    .await;
}

pub async fn no_more_clients_register_than_allowed(store: &Handle) {
    let world = world(store, "one").await;
    let mut token = initial_access_token(&world.id, "initial");
    token.uses_left = Some(5);
    super::apply(store, &world.id, &[Change::InsertInitialAccessToken(token.clone())]).await;
    let lists = (0..RACERS).map(|racer| {
        let client = build::client(&world.id, &format!("c{racer}"));
        vec![Change::UseInitialAccessToken { hash: token.hash, at: NOW }, Change::InsertClient(client)]
    });
    let outcomes = race(store, &world.id, lists.collect()).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5, "{outcomes:?}");
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        super::assert_conflict(outcome, Conflict::InitialAccessToken);
    }
    token.uses_left = Some(0);
    assert_eq!(store.initial_access_token(&world.id, &token.hash).await.unwrap(), Some(token));
    let page = crate::Page { after: None, limit: 1000 };
    assert_eq!(store.clients(&world.id, &page).await.unwrap().len(), 6);
}

/// An exchange and the end of its session, or the removal of client or user, at the same time.
pub async fn no_refresh_token_outlives_its_grant(store: &Handle) {
    for name in ["logged-out", "client-gone", "user-gone"] {
        for round in 0..8 {
            let world = world(store, &format!("{name}-{round}")).await;
            let end = match name {
                "logged-out" => Change::RevokeSessionGrants { sid: "sid".into(), at: NOW },
                "client-gone" => Change::DeleteClient(world.client.client_id.clone()),
                _ => Change::DeleteUser(world.user.id),
            };
            let (_, token) = world.refresh(store, 1, "token").await;
            let next = successor(&token, "next");
            let exchange = vec![rotate(&token, 0), Change::InsertRefreshToken(next.clone())];
            for outcome in race(store, &world.id, vec![exchange, vec![end]]).await {
                match outcome {
                    Ok(()) | Err(StoreError::Conflict(Conflict::RefreshToken | Conflict::Grant)) => {}
                    Err(other) => panic!("{name}: {other:?}"),
                }
            }
            assert_eq!(store.refresh_token(&world.id, &next.hash).await.unwrap(), None, "{name}");
        }
    }
}

/// Redemption and revocation, or the removal of client or user, at the same time: whatever comes first, no token is
/// alive afterwards, and nobody sees anything but a conflict.
pub async fn no_token_outlives_its_grant(store: &Handle) {
    for (name, end) in [
        (
            "revoked",
            (|grant, _| Change::RevokeGrant { id: grant, at: NOW }) as fn(uuid::Uuid, &World) -> Change,
        ),
        ("taken-back", |_, world| Change::DeleteConsent {
            user_id: world.user.id,
            client_id: world.client.client_id.clone(),
            at: NOW,
        }),
        ("client-gone", |_, world| Change::DeleteClient(world.client.client_id.clone())),
        ("user-gone", |_, world| Change::DeleteUser(world.user.id)),
    ] {
        for round in 0..8 {
            let world = world(store, &format!("{name}-{round}")).await;
            let (grant, code) = world.code(store, 1, "code").await;
            let token = access_token(&grant, "token");
            let redemption = vec![redeem(&code), Change::InsertAccessToken(token.clone())];
            let outcomes = race(store, &world.id, vec![redemption, vec![end(grant.id, &world)]]).await;
            for outcome in outcomes {
                match outcome {
                    Ok(()) | Err(StoreError::Conflict(Conflict::Code | Conflict::Grant)) => {}
                    Err(other) => panic!("{name}: {other:?}"),
                }
            }
            assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), None, "{name}");
        }
    }
}
