//! What waits for a person or a client: pushed requests, devices, registrations.

use signet_core::change::{Change, Conflict};
use signet_core::records::{DeviceCode, DeviceStage, InitialAccessToken};

use super::build::{
    NOW, access_token, approved, client, device_code, device_step, grant, id, initial_access_token,
    pushed_request, take, user, world,
};
use super::{Handle, apply, assert_conflict};
use crate::backend;

/// RFC 9126 section 7.3: a `request_uri` is used once.
pub async fn a_pushed_request_is_taken_once(store: &Handle) {
    let world = world(store, "one").await;
    let (pushed, kept) = (pushed_request(&world.client, "pushed"), pushed_request(&world.client, "kept"));
    let other = client(&world.id, "other");
    let changes = [
        Change::InsertClient(other.clone()),
        Change::InsertPushedRequest(pushed.clone()),
        Change::InsertPushedRequest(kept.clone()),
    ];
    apply(store, &world.id, &changes).await;
    assert_eq!(store.pushed_request(&world.id, &pushed.hash).await.unwrap(), Some(pushed.clone()));
    let again = Change::InsertPushedRequest(pushed.clone());
    assert_conflict(store.apply(&world.id, &[again]).await, Conflict::Exists);
    let take_at = |client_id: &signet_core::ids::ClientId, at| Change::TakePushedRequest {
        hash: pushed.hash,
        client_id: client_id.clone(),
        at,
    };
    for change in [
        take_at(&other.client_id, NOW),
        take_at(&world.client.client_id, pushed.expires_at),
        take(&pushed_request(&world.client, "unknown")),
    ] {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::PushedRequest);
    }
    apply(store, &world.id, &[take_at(&world.client.client_id, pushed.expires_at - 1)]).await;
    assert_eq!(store.pushed_request(&world.id, &pushed.hash).await.unwrap(), None);
    assert_conflict(store.apply(&world.id, &[take(&pushed)]).await, Conflict::PushedRequest);
    assert_eq!(store.pushed_request(&world.id, &kept.hash).await.unwrap(), Some(kept));
}

/// RFC 8628 section 3: the device polls, the person decides, and the tokens are issued once.
pub async fn a_device_advances_step_by_step(store: &Handle) {
    let world = world(store, "one").await;
    let mut device = device_code(&world.client, "device", "WDJBMJHT");
    let other = device_code(&world.client, "other", "BCDFGHJK");
    let grant = grant(&world.user, &world.client, 1);
    let changes = [device.clone(), other.clone()].map(Change::InsertDeviceCode);
    apply(store, &world.id, &changes).await;
    let refused = async |change: Change| {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::Device);
    };
    let late = DeviceCode { version: 2, ..device.clone() };
    refused(Change::UpdateDeviceCode { at: device.expires_at, device: late.clone() }).await;
    refused(device_step(&device_code(&world.client, "unknown", "X"), DeviceStage::Denied)).await;
    apply(store, &world.id, &[Change::InsertGrant(grant.clone())]).await;

    let stages = [
        DeviceStage::Pending,
        approved(&grant),
        DeviceStage::Redeemed { grant_id: grant.id },
        DeviceStage::Denied,
    ];
    for stage in stages {
        let before = device.clone();
        device.version += 1;
        device.interval += 5;
        device.polled_at = Some(NOW + device.version);
        device.stage = stage;
        let at = device.expires_at - 1;
        apply(store, &world.id, &[Change::UpdateDeviceCode { device: device.clone(), at }]).await;
        let found = store.device_code(&world.id, &device.hash).await.unwrap();
        assert_eq!(found.as_ref(), Some(&device));
        assert_eq!(store.device_by_user_code(&world.id, "WDJBMJHT").await.unwrap(), found);
        // The step before cannot be taken a second time.
        refused(device_step(&before, DeviceStage::Pending)).await;
    }
    assert_eq!(store.device_by_user_code(&world.id, "BCDFGHJK").await.unwrap(), Some(other));
    assert_eq!(store.device_by_user_code(&world.id, "wdjbmjht").await.unwrap(), None);
}

pub async fn a_device_is_approved_with_a_standing_grant(store: &Handle) {
    let world = world(store, "one").await;
    let (b, bob) = (client(&world.id, "b"), user(&world.id, 2, "bob"));
    let device = device_code(&world.client, "device", "WDJBMJHT");
    let (sound, revoked) = (grant(&world.user, &world.client, 1), grant(&world.user, &world.client, 2));
    let (of_b, of_bob) = (grant(&world.user, &b, 3), grant(&bob, &world.client, 4));
    let mut changes = vec![
        Change::InsertClient(b),
        Change::InsertUser(bob.clone()),
        Change::InsertDeviceCode(device.clone()),
    ];
    changes.extend([&sound, &revoked, &of_b, &of_bob].map(|grant| Change::InsertGrant(grant.clone())));
    changes.push(Change::RevokeGrant { id: revoked.id, at: NOW });
    apply(store, &world.id, &changes).await;
    let mut of_nobody = approved(&of_bob);
    if let DeviceStage::Approved { authentication, .. } = &mut of_nobody {
        authentication.user_id = world.user.id;
    }
    for stage in [approved(&revoked), approved(&of_b), of_nobody] {
        assert_conflict(store.apply(&world.id, &[device_step(&device, stage)]).await, Conflict::Grant);
    }
    let unknown = approved(&grant(&world.user, &world.client, 99));
    assert_conflict(store.apply(&world.id, &[device_step(&device, unknown)]).await, Conflict::Missing);
    assert_eq!(store.device_code(&world.id, &device.hash).await.unwrap(), Some(device.clone()));

    // The grant stays while the device may fetch its tokens, and the code while they live.
    apply(store, &world.id, &[device_step(&device, approved(&sound))]).await;
    store.sweep(NOW + backend::GRANT_MINIMUM, 10).await.unwrap();
    let mut token = access_token(&sound, "token");
    token.expires_at = NOW + 9000;
    apply(store, &world.id, &[Change::InsertAccessToken(token)]).await;
    assert!(store.device_code(&world.id, &device.hash).await.unwrap().is_some());
    store.sweep(device.expires_at, 10).await.unwrap();
    assert_eq!(store.device_code(&world.id, &device.hash).await.unwrap(), None);
}

pub async fn a_user_code_is_unique_while_it_lives(store: &Handle) {
    let world = world(store, "one").await;
    let first = device_code(&world.client, "first", "WDJBMJHT");
    apply(store, &world.id, &[Change::InsertDeviceCode(first.clone())]).await;
    let at = |issued_at| DeviceCode {
        issued_at,
        expires_at: issued_at + 1800,
        ..device_code(&world.client, "second", "WDJBMJHT")
    };
    for second in [at(first.issued_at), at(first.expires_at - 1)] {
        let outcome = store.apply(&world.id, &[Change::InsertDeviceCode(second)]).await;
        assert_conflict(outcome, Conflict::Exists);
    }
    let same_code = DeviceCode { user_code: "BCDFGHJK".into(), ..first.clone() };
    let outcome = store.apply(&world.id, &[Change::InsertDeviceCode(same_code)]).await;
    assert_conflict(outcome, Conflict::Exists);
    assert_eq!(store.device_by_user_code(&world.id, "WDJBMJHT").await.unwrap(), Some(first.clone()));
    // Expired, though not yet swept, it is free.
    let second = at(first.expires_at);
    apply(store, &world.id, &[Change::InsertDeviceCode(second.clone())]).await;
    assert_eq!(store.device_by_user_code(&world.id, "WDJBMJHT").await.unwrap(), Some(second));
    assert_eq!(store.device_code(&world.id, &first.hash).await.unwrap(), None);
}

/// RFC 7591 section 3: a registration may be "authorized" by an initial access token.
pub async fn an_initial_access_token_is_counted_down(store: &Handle) {
    let world = world(store, "one").await;
    let mut counted = initial_access_token(&world.id, "b counted");
    let endless = InitialAccessToken {
        uses_left: None,
        expires_at: None,
        ..initial_access_token(&world.id, "a endless")
    };
    let changes = [counted.clone(), endless.clone()].map(Change::InsertInitialAccessToken);
    apply(store, &world.id, &changes).await;
    assert_eq!(store.initial_access_tokens(&world.id).await.unwrap(), [endless.clone(), counted.clone()]);
    let same_name = InitialAccessToken { name: counted.name.clone(), ..initial_access_token(&world.id, "x") };
    let same_hash = InitialAccessToken { name: "y".into(), ..counted.clone() };
    for token in [same_name, same_hash] {
        let outcome = store.apply(&world.id, &[Change::InsertInitialAccessToken(token)]).await;
        assert_conflict(outcome, Conflict::Exists);
    }

    let once = |token: &InitialAccessToken, at| [Change::UseInitialAccessToken { hash: token.hash, at }];
    let refused = async |token: &InitialAccessToken, at| {
        assert_conflict(store.apply(&world.id, &once(token, at)).await, Conflict::InitialAccessToken);
    };
    refused(&counted, NOW + 3600).await;
    refused(&initial_access_token(&world.id, "unknown"), NOW).await;
    for left in [1, 0] {
        apply(store, &world.id, &once(&counted, NOW + 3599)).await;
        counted.uses_left = Some(left);
        let found = store.initial_access_token(&world.id, &counted.hash).await.unwrap();
        assert_eq!(found.as_ref(), Some(&counted));
    }
    refused(&counted, NOW).await;
    apply(store, &world.id, &once(&endless, i64::MAX)).await;
    let found = store.initial_access_token(&world.id, &endless.hash).await.unwrap();
    assert_eq!(found.as_ref(), Some(&endless));

    // Used up and expired ones stay until somebody removes them.
    store.sweep(i64::MAX, 10).await.unwrap();
    assert_eq!(store.initial_access_tokens(&world.id).await.unwrap().len(), 2);
    let remove = [Change::DeleteInitialAccessToken { name: counted.name.clone() }];
    apply(store, &world.id, &remove).await;
    assert_conflict(store.apply(&world.id, &remove).await, Conflict::Missing);
    assert_eq!(store.initial_access_tokens(&world.id).await.unwrap(), [endless]);
    refused(&counted, NOW).await;
    assert_eq!(store.client(&world.id, &"app".into()).await.unwrap(), Some(world.client.clone()));
    assert_eq!(store.user(&world.id, id(1)).await.unwrap(), Some(world.user.clone()));
}
