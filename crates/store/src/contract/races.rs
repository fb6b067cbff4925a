//! Single use is decided by the write: of many at once, exactly one wins.

use std::future::Future;

use signet_core::change::{Change, Conflict};
use signet_core::ids::TenantId;
use signet_core::records::{Replay, Stage};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Handle;
use super::build::{self, NOW, World, access_token, interaction, redeem, replay, step, world};
use crate::{Result, StoreError};

const RACERS: usize = 64;

/// Applies one list of changes per racer, all at once.
async fn race(store: &Handle, tenant: &TenantId, lists: Vec<Vec<Change>>) -> Vec<Result<()>> {
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
async fn one_wins(
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
async fn rounds<F: Future<Output = ()>>(round: impl Fn(u128) -> F) {
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
