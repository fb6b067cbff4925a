//! All or nothing.

use signet_core::change::{Change, Conflict};
use signet_core::ids::TenantId;
use signet_core::records::{DeviceStage, Stage};

use super::build::{
    self, NOW, World, access_token, attempt, client, client_key, code, consent, delivery, device_code,
    device_step, event, grant, id, initial_access_token, interaction, pushed_request, redeem, refresh_token,
    replay, rotate, session, session_client, step, successor, take, tenant_key, user,
};
use super::{Handle, apply, assert_conflict};
use crate::{AuditFilter, Page, StoreError};

/// One change for each kind of conflict.
async fn doomed(store: &Handle, world: &World) -> Vec<(Change, Conflict)> {
    let (spent_grant, spent) = world.code(store, 50, "spent").await;
    apply(
        store,
        &world.id,
        &[
            redeem(&spent),
            Change::RevokeGrant { id: spent_grant.id, at: NOW },
            Change::ClaimReplay(replay(1)),
        ],
    )
    .await;
    vec![
        (Change::ClaimReplay(replay(1)), Conflict::Replay),
        (redeem(&spent), Conflict::Code),
        (Change::InsertAccessToken(access_token(&spent_grant, "late")), Conflict::Grant),
        (step(&interaction(&world.client, "gone"), Stage::Fresh), Conflict::Interaction),
        (rotate(&refresh_token(&spent_grant, "gone"), 0), Conflict::RefreshToken),
        (take(&pushed_request(&world.client, "gone")), Conflict::PushedRequest),
        (device_step(&device_code(&world.client, "gone", "GONE"), DeviceStage::Denied), Conflict::Device),
        (attempt(&delivery(&world.user, &world.client, 99), None), Conflict::Delivery),
        (
            Change::UseInitialAccessToken { hash: initial_access_token(&world.id, "gone").hash, at: NOW },
            Conflict::InitialAccessToken,
        ),
        (Change::UpdateClient(world.client.clone()), Conflict::Version),
        (Change::InsertClient(world.client.clone()), Conflict::Exists),
        (Change::DeleteUser(id(99)), Conflict::Missing),
    ]
}

pub async fn a_late_conflict_undoes_everything(store: &Handle) {
    let world = build::world(store, "one").await;
    let (_, fresh) = world.code(store, 2, "fresh").await;
    let (_, token) = world.token(store, 3, "token").await;
    let start = interaction(&world.client, "interaction");
    let old = session(&world.user, "old");
    apply(store, &world.id, &[Change::InsertInteraction(start.clone()), Change::InsertSession(old.clone())])
        .await;
    let mut renamed = world.user.clone();
    renamed.version = 2;
    renamed.username = "renamed".into();

    for (change, conflict) in doomed(store, &world).await {
        let changes = [
            Change::ClaimReplay(replay(2)),
            redeem(&fresh),
            Change::RevokeGrant { id: token.grant_id, at: NOW },
            step(&start, Stage::Finished),
            Change::UpdateUser(renamed.clone()),
            Change::InsertClient(client(&world.id, "new")),
            Change::PutConsent(consent(&world.user, &world.client)),
            Change::InsertSession(session(&world.user, "new")),
            Change::DeleteSession(old.hash),
            Change::InsertTenantKey(tenant_key(&world.id, "new")),
            Change::Audit(Box::new(event(&world.id, 1))),
            change,
            // Not reached.
            Change::InsertUser(user(&world.id, 77, "after")),
        ];
        assert_conflict(store.apply(&world.id, &changes).await, conflict);
    }

    assert_eq!(store.code(&world.id, &fresh.hash).await.unwrap(), Some(fresh));
    assert_eq!(store.access_token(&world.id, &token.hash).await.unwrap(), Some(token));
    assert_eq!(store.interaction(&world.id, "interaction").await.unwrap(), Some(start));
    let users = store.users(&world.id, &Page { after: None, limit: 9 }).await.unwrap();
    assert_eq!(users, std::slice::from_ref(&world.user));
    assert_eq!(store.clients(&world.id, &Page { after: None, limit: 9 }).await.unwrap().len(), 1);
    assert!(store.consents(&world.id, world.user.id).await.unwrap().is_empty());
    assert_eq!(store.session(&world.id, &old.hash).await.unwrap(), Some(old));
    let new = session(&world.user, "new");
    assert_eq!(store.session(&world.id, &new.hash).await.unwrap(), None);
    assert!(store.tenant_keys(&world.id, NOW).await.unwrap().is_empty());
    assert!(
        store.audit(&world.id, &AuditFilter { limit: 9, ..AuditFilter::default() }).await.unwrap().is_empty()
    );
    apply(store, &world.id, &[Change::ClaimReplay(replay(2))]).await;
}

pub async fn nothing_applied_is_nothing_written(store: &Handle) {
    let world = build::world(store, "one").await;
    apply(store, &world.id, &[]).await;
    assert_eq!(store.users(&world.id, &Page { after: None, limit: 9 }).await.unwrap(), [world.user]);
}

/// The same of what the protocols keep beside.
pub async fn a_late_conflict_undoes_every_protocol_change(store: &Handle) {
    let world = build::world(store, "one").await;
    let (grant, refresh) = world.refresh(store, 1, "refresh").await;
    let token = access_token(&grant, "token");
    let pushed = pushed_request(&world.client, "pushed");
    let device = device_code(&world.client, "device", "WDJBMJHT");
    let noted = session_client(&world.user, &world.client, "sid");
    let told = delivery(&world.user, &world.client, 1);
    let initial = initial_access_token(&world.id, "initial");
    let setup = [
        Change::InsertAccessToken(token.clone()),
        Change::InsertPushedRequest(pushed.clone()),
        Change::InsertDeviceCode(device.clone()),
        Change::PutSessionClient(noted.clone()),
        Change::InsertLogoutDelivery(told.clone()),
        Change::InsertInitialAccessToken(initial.clone()),
    ];
    apply(store, &world.id, &setup).await;

    let next = successor(&refresh, "next");
    let changes = [
        rotate(&refresh, 0),
        Change::InsertRefreshToken(next.clone()),
        Change::DeleteAccessToken(token.hash),
        take(&pushed),
        Change::InsertPushedRequest(pushed_request(&world.client, "new")),
        device_step(&device, DeviceStage::Denied),
        Change::InsertDeviceCode(device_code(&world.client, "new", "NEW")),
        Change::DeleteSessionClients { sid: "sid".into() },
        Change::PutSessionClient(session_client(&world.user, &world.client, "new")),
        attempt(&told, None),
        Change::InsertLogoutDelivery(delivery(&world.user, &world.client, 2)),
        Change::UseInitialAccessToken { hash: initial.hash, at: NOW },
        Change::InsertInitialAccessToken(initial_access_token(&world.id, "new")),
        Change::RevokeSessionGrants { sid: "sid".into(), at: NOW },
        Change::DeleteUser(id(99)),
    ];
    assert_conflict(store.apply(&world.id, &changes).await, Conflict::Missing);

    let (one, app) = (&world.id, &world.client.client_id);
    assert_eq!(store.refresh_token(one, &next.hash).await.unwrap(), None);
    assert_eq!(store.refresh_token(one, &refresh.hash).await.unwrap(), Some(refresh));
    assert_eq!(store.access_token(one, &token.hash).await.unwrap(), Some(token));
    assert_eq!(store.pushed_request(one, &pushed.hash).await.unwrap(), Some(pushed));
    assert_eq!(store.pushed_request(one, &signet_core::ids::TokenHash::of("new")).await.unwrap(), None);
    assert_eq!(store.device_code(one, &device.hash).await.unwrap(), Some(device));
    assert_eq!(store.device_by_user_code(one, "NEW").await.unwrap(), None);
    assert_eq!(store.session_clients(one, "sid").await.unwrap(), [noted]);
    assert_eq!(store.session_clients(one, "new").await.unwrap(), []);
    assert_eq!(store.logout_deliveries(one, app, 9).await.unwrap(), [told]);
    assert_eq!(store.initial_access_tokens(one).await.unwrap(), [initial]);
}

/// A change whose record names another tenant is refused before anything is written.
pub async fn a_foreign_record_is_refused(store: &Handle) {
    let (one, two) = (build::world(store, "one").await, build::world(store, "two").await);
    let grant = grant(&two.user, &two.client, 1);
    let mut next = two.tenant.clone();
    next.version = 2;
    let foreign = vec![
        Change::InsertTenant(build::tenant("three")),
        Change::UpdateTenant(next),
        Change::InsertTenantKey(tenant_key(&two.id, "k")),
        Change::InsertClient(client(&two.id, "new")),
        Change::UpdateClient(two.client.clone()),
        Change::InsertClientKey(client_key(&two.client, 1, "k")),
        Change::InsertUser(user(&two.id, 5, "new")),
        Change::UpdateUser(two.user.clone()),
        Change::InsertSession(session(&two.user, "cookie")),
        Change::UpdateSession(session(&two.user, "cookie")),
        Change::InsertInteraction(interaction(&two.client, "id")),
        step(&interaction(&two.client, "id"), Stage::Finished),
        Change::PutConsent(consent(&two.user, &two.client)),
        Change::InsertGrant(grant.clone()),
        Change::InsertCode(code(&grant, "code")),
        Change::InsertAccessToken(access_token(&grant, "token")),
        Change::InsertRefreshToken(refresh_token(&grant, "refresh")),
        Change::InsertPushedRequest(pushed_request(&two.client, "pushed")),
        Change::InsertDeviceCode(device_code(&two.client, "device", "CODE")),
        device_step(&device_code(&two.client, "device", "CODE"), DeviceStage::Denied),
        Change::PutSessionClient(session_client(&two.user, &two.client, "sid")),
        Change::InsertLogoutDelivery(delivery(&two.user, &two.client, 1)),
        attempt(&delivery(&two.user, &two.client, 1), None),
        Change::InsertInitialAccessToken(initial_access_token(&two.id, "initial")),
        Change::Audit(Box::new(event(&two.id, 1))),
    ];
    for change in foreign {
        let changes = [Change::InsertUser(user(&one.id, 6, "first")), change];
        let outcome = store.apply(&one.id, &changes).await;
        assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{changes:?} gave {outcome:?}");
    }
    assert_eq!(store.user_by_name(&one.id, "first").await.unwrap(), None);
    assert_eq!(store.tenants().await.unwrap().len(), 2);
    assert_eq!(store.session(&TenantId::new("two"), &session(&two.user, "cookie").hash).await.unwrap(), None);
}
