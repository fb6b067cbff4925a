//! One tenant neither sees nor changes what is another's.

use std::fmt::Debug;

use signet_core::change::{Change, Conflict};
use signet_core::ids::TenantId;
use signet_core::records::{Code, DeviceStage, Grant, Stage};

use super::build::{
    NOW, World, access_token, attempt, client_key, code, consent, delivery, device_code, device_step, event,
    grant, id, initial_access_token, interaction, pushed_request, redeem, refresh_token, rotate, session,
    session_client, step, take, tenant, tenant_key, world,
};
use super::{Handle, apply, assert_conflict};
use crate::{AuditFilter, Page};

/// What the protocols keep beside: one of everything.
fn protocol_records(world: &World) -> Vec<Change> {
    let (user, client) = (&world.user, &world.client);
    let grant = grant(user, client, 1);
    vec![
        Change::InsertRefreshToken(refresh_token(&grant, "refresh")),
        Change::InsertPushedRequest(pushed_request(client, "pushed")),
        Change::InsertDeviceCode(device_code(client, "device", "WDJBMJHT")),
        Change::PutSessionClient(session_client(user, client, "sid of cookie")),
        Change::InsertLogoutDelivery(delivery(user, client, 1)),
        Change::InsertInitialAccessToken(initial_access_token(&world.id, "initial")),
    ]
}

/// One of everything in the tenant `one`; the tenant `two` is empty.
async fn full(store: &Handle) -> (World, TenantId, Grant, Code) {
    let one = world(store, "one").await;
    let (grant, code) = one.code(store, 1, "code").await;
    let changes = [
        Change::InsertTenantKey(tenant_key(&one.id, "key")),
        Change::InsertClientKey(client_key(&one.client, 1, "kid")),
        Change::InsertSession(session(&one.user, "cookie")),
        Change::InsertInteraction(interaction(&one.client, "interaction")),
        Change::PutConsent(consent(&one.user, &one.client)),
        Change::InsertAccessToken(access_token(&grant, "token")),
        Change::Audit(Box::new(event(&one.id, 1))),
    ];
    apply(store, &one.id, &changes).await;
    apply(store, &one.id, &protocol_records(&one)).await;
    let two = tenant("two");
    let id = two.id.clone();
    apply(store, &id, &[Change::InsertTenant(two)]).await;
    (one, id, grant, code)
}

/// Everything a tenant can see of what [`full`] put there, one line per method.
async fn view(store: &Handle, tenant: &TenantId, world: &World) -> Vec<String> {
    fn line(name: &str, rows: &[impl Debug]) -> Option<String> {
        (!rows.is_empty()).then(|| format!("{name}: {rows:?}"))
    }
    let (client, user) = (&world.client.client_id, world.user.id);
    let page = Page { after: None, limit: 1000 };
    let cookie = session(&world.user, "cookie").hash;
    let grant = grant(&world.user, &world.client, 1);
    let (code, token) = (code(&grant, "code").hash, access_token(&grant, "token").hash);
    let trail = AuditFilter { limit: 1000, ..AuditFilter::default() };
    let some = |value: Option<_>| value.into_iter().collect::<Vec<_>>();
    [
        line("tenant_keys", &store.tenant_keys(tenant, NOW).await.unwrap()),
        line("client", &some(store.client(tenant, client).await.unwrap())),
        line("clients", &store.clients(tenant, &page).await.unwrap()),
        line("client_keys", &store.client_keys(tenant, client).await.unwrap()),
        line(
            "user",
            &store
                .user(tenant, user)
                .await
                .unwrap()
                .into_iter()
                .map(|u| (u.version, u.username))
                .collect::<Vec<_>>(),
        ),
        line(
            "user_by_name",
            &store.user_by_name(tenant, "ada").await.unwrap().into_iter().collect::<Vec<_>>(),
        ),
        line("users", &store.users(tenant, &page).await.unwrap()),
        line("session", &store.session(tenant, &cookie).await.unwrap().into_iter().collect::<Vec<_>>()),
        line(
            "interaction",
            &store.interaction(tenant, "interaction").await.unwrap().into_iter().collect::<Vec<_>>(),
        ),
        line("consent", &store.consent(tenant, user, client).await.unwrap().into_iter().collect::<Vec<_>>()),
        line("consents", &store.consents(tenant, user).await.unwrap()),
        line("code", &store.code(tenant, &code).await.unwrap().into_iter().collect::<Vec<_>>()),
        line(
            "access_token",
            &store.access_token(tenant, &token).await.unwrap().into_iter().collect::<Vec<_>>(),
        ),
        line("audit", &store.audit(tenant, &trail).await.unwrap()),
    ]
    .into_iter()
    .flatten()
    .chain(protocol_view(store, tenant, world).await)
    .collect()
}

async fn protocol_view(store: &Handle, tenant: &TenantId, world: &World) -> Vec<String> {
    fn line(name: &str, rows: impl IntoIterator<Item: Debug>) -> Option<String> {
        let rows: Vec<_> = rows.into_iter().collect();
        (!rows.is_empty()).then(|| format!("{name}: {rows:?}"))
    }
    let client = &world.client.client_id;
    let [refresh, pushed, device, initial] =
        ["refresh", "pushed", "device", "initial"].map(signet_core::ids::TokenHash::of);
    [
        line("refresh_token", store.refresh_token(tenant, &refresh).await.unwrap()),
        line("pushed_request", store.pushed_request(tenant, &pushed).await.unwrap()),
        line("device_code", store.device_code(tenant, &device).await.unwrap()),
        line("device_by_user_code", store.device_by_user_code(tenant, "WDJBMJHT").await.unwrap()),
        line("session_by_sid", store.session_by_sid(tenant, "sid of cookie").await.unwrap()),
        line("session_clients", store.session_clients(tenant, "sid of cookie").await.unwrap()),
        line("logout_delivery", store.logout_delivery(tenant, id(1)).await.unwrap()),
        line("logout_deliveries", store.logout_deliveries(tenant, client, 9).await.unwrap()),
        line("initial_access_token", store.initial_access_token(tenant, &initial).await.unwrap()),
        line("initial_access_tokens", store.initial_access_tokens(tenant).await.unwrap()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub async fn reads_see_one_tenant(store: &Handle) {
    let (one, two, ..) = full(store).await;
    assert_eq!(view(store, &one.id, &one).await.len(), 24, "every method has something to show");
    assert_eq!(view(store, &two, &one).await, Vec::<String>::new());
    assert_eq!(view(store, &TenantId::new(""), &one).await, Vec::<String>::new());
}

pub async fn changes_touch_one_tenant(store: &Handle) {
    let (one, two, grant, code) = full(store).await;
    let before = view(store, &one.id, &one).await;
    let (client_id, user_id) = (one.client.client_id.clone(), one.user.id);
    let mut client = one.client.clone();
    let mut user = one.user.clone();
    for tenant in [&mut client.tenant, &mut user.tenant] {
        tenant.clone_from(&two);
    }
    (client.version, user.version) = (2, 2);
    let mut start = interaction(&one.client, "interaction");
    start.tenant.clone_from(&two);
    let mut foreign = grant.clone();
    foreign.tenant.clone_from(&two);
    let hash = session(&one.user, "cookie").hash;
    let refused = [
        (Change::EndTenantKey { id: "key".into(), use_until: 0, remove_at: 0 }, Conflict::Missing),
        (Change::RevokeTenantKey { id: "key".into(), at: 0 }, Conflict::Missing),
        (Change::UpdateClient(client), Conflict::Version),
        (Change::DeleteClient(client_id.clone()), Conflict::Missing),
        (
            Change::UpdateClientKey {
                client_id: client_id.clone(),
                id: id(1),
                name: "mine".into(),
                not_before: None,
                not_after: None,
            },
            Conflict::Missing,
        ),
        (Change::RevokeClientKey { client_id: client_id.clone(), id: id(1), at: 0 }, Conflict::Missing),
        (Change::UpdateUser(user), Conflict::Version),
        (Change::DeleteUser(user_id), Conflict::Missing),
        (step(&start, Stage::Finished), Conflict::Interaction),
        (redeem(&code), Conflict::Code),
        (Change::InsertGrant(foreign.clone()), Conflict::Missing),
        (Change::InsertCode(super::build::code(&foreign, "new")), Conflict::Grant),
        (Change::InsertAccessToken(access_token(&foreign, "new")), Conflict::Grant),
    ];
    let refused = refused.into_iter().chain(protocol_changes(&one, &two, &foreign));
    for (change, conflict) in refused {
        assert_conflict(store.apply(&two, &[change]).await, conflict);
    }
    let silent = [
        Change::TouchSession { hash, last_seen: NOW + 9 },
        Change::DeleteSession(hash),
        Change::DeleteConsent { user_id, client_id, at: NOW },
        Change::RevokeGrant { id: grant.id, at: NOW },
        Change::DeleteAccessToken(access_token(&grant, "token").hash),
        Change::RevokeSessionGrants { sid: "sid".into(), at: NOW },
        Change::DeleteSessionClients { sid: "sid of cookie".into() },
    ];
    apply(store, &two, &silent).await;
    assert_eq!(view(store, &one.id, &one).await, before);
}

/// Changes in the tenant `two` that aim at the records of [`protocol_records`] in `one`.
fn protocol_changes(one: &World, two: &TenantId, foreign: &Grant) -> [(Change, Conflict); 10] {
    let (user, client) = (&one.user, &one.client);
    let refresh = refresh_token(foreign, "refresh");
    let mut device = device_code(client, "device", "WDJBMJHT");
    device.tenant.clone_from(two);
    let mut delivery = delivery(user, client, 1);
    delivery.tenant.clone_from(two);
    let mut noted = session_client(user, client, "sid of cookie");
    noted.tenant.clone_from(two);
    let prolong = Change::ProlongRefreshToken {
        hash: refresh.hash,
        client_id: client.client_id.clone(),
        at: NOW,
        expires_at: NOW + 9,
    };
    let initial = initial_access_token(two, "initial");
    [
        (rotate(&refresh, 0), Conflict::RefreshToken),
        (prolong, Conflict::RefreshToken),
        (Change::InsertRefreshToken(refresh), Conflict::Grant),
        (take(&pushed_request(client, "pushed")), Conflict::PushedRequest),
        (device_step(&device, DeviceStage::Denied), Conflict::Device),
        (Change::PutSessionClient(noted), Conflict::Missing),
        (attempt(&delivery, None), Conflict::Delivery),
        (Change::InsertLogoutDelivery(delivery), Conflict::Missing),
        (Change::UseInitialAccessToken { hash: initial.hash, at: NOW }, Conflict::InitialAccessToken),
        (Change::DeleteInitialAccessToken { name: initial.name }, Conflict::Missing),
    ]
}

/// The same names in two tenants are two things.
pub async fn equal_names_live_side_by_side(store: &Handle) {
    let (one, two) = (world(store, "one").await, world(store, "two").await);
    for world in [&one, &two] {
        let (grant, _) = world.code(store, 1, "code").await;
        let changes = [
            Change::InsertTenantKey(tenant_key(&world.id, "key")),
            Change::InsertClientKey(client_key(&world.client, 1, "kid")),
            Change::InsertSession(session(&world.user, "cookie")),
            Change::InsertInteraction(interaction(&world.client, "interaction")),
            Change::PutConsent(consent(&world.user, &world.client)),
            Change::InsertAccessToken(access_token(&grant, "token")),
            Change::Audit(Box::new(event(&world.id, 1))),
        ];
        apply(store, &world.id, &changes).await;
        apply(store, &world.id, &protocol_records(world)).await;
    }
    let untouched = view(store, &two.id, &two).await;
    assert_eq!(untouched.len(), 24);
    // A token is looked up with its own tenant's grant.
    apply(store, &one.id, &[Change::RevokeGrant { id: id(1), at: NOW }]).await;
    let token = access_token(&grant(&one.user, &one.client, 1), "token").hash;
    assert_eq!(store.access_token(&one.id, &token).await.unwrap(), None);
    assert!(store.access_token(&two.id, &token).await.unwrap().is_some());
    let changes = [
        Change::DeleteSession(session(&one.user, "cookie").hash),
        Change::DeleteClient(one.client.client_id.clone()),
        Change::DeleteUser(one.user.id),
        Change::RevokeTenantKey { id: "key".into(), at: NOW },
    ];
    apply(store, &one.id, &changes).await;
    assert_eq!(view(store, &two.id, &two).await, untouched);
    assert_eq!(
        view(store, &one.id, &one).await.len(),
        4,
        "interaction, trail and initial access token are left"
    );
}
