//! Tenants, keys, clients, users.

use signet_core::change::{Change, Conflict};
use signet_core::ids::{ClientId, TenantId};

use super::build::{
    self, NOW, access_token, approved, client, client_key, code, consent, delivery, device_code, device_step,
    grant, id, initial_access_token, interaction, pushed_request, refresh_token, session, session_client,
    tenant, tenant_key, user, world,
};
use super::{Handle, apply, assert_conflict};
use crate::Page;

pub async fn tenants_are_listed_by_id(store: &Handle) {
    assert!(store.tenants().await.unwrap().is_empty());
    let tenants = ["a", "b", "c"].map(tenant);
    for index in [1, 2, 0] {
        let tenant = &tenants[index];
        apply(store, &tenant.id, &[Change::InsertTenant(tenant.clone())]).await;
    }
    assert_eq!(store.tenants().await.unwrap(), tenants);
}

pub async fn a_tenant_needs_a_new_id_and_issuer(store: &Handle) {
    let first = tenant("a");
    apply(store, &first.id, &[Change::InsertTenant(first.clone())]).await;
    let mut same_id = tenant("a");
    same_id.issuer = "https://other.example".into();
    assert_conflict(store.apply(&first.id, &[Change::InsertTenant(same_id)]).await, Conflict::Exists);
    let mut same_issuer = tenant("b");
    same_issuer.issuer.clone_from(&first.issuer);
    let id = same_issuer.id.clone();
    assert_conflict(store.apply(&id, &[Change::InsertTenant(same_issuer.clone())]).await, Conflict::Exists);

    // Nor may an existing tenant take another's issuer.
    let mut second = tenant("b");
    apply(store, &id, &[Change::InsertTenant(second.clone())]).await;
    second.version = 2;
    second.issuer.clone_from(&first.issuer);
    assert_conflict(store.apply(&id, &[Change::UpdateTenant(second)]).await, Conflict::Exists);
}

pub async fn a_tenant_update_names_the_version_it_saw(store: &Handle) {
    let mut tenant = tenant("a");
    let id = tenant.id.clone();
    apply(store, &id, &[Change::InsertTenant(tenant.clone())]).await;
    assert_conflict(store.apply(&id, &[Change::UpdateTenant(tenant.clone())]).await, Conflict::Version);
    tenant.version = 2;
    tenant.issuer = "https://moved.example/auth/open".into();
    tenant.settings.clock_skew = 5;
    // OpenID Connect Core section 8.1: subjects would change with the salt, so it never does.
    let resalted = signet_core::records::Tenant { pairwise_salt: [8; 32], ..tenant.clone() };
    apply(store, &id, &[Change::UpdateTenant(resalted)]).await;
    assert_eq!(store.tenants().await.unwrap(), [tenant.clone()]);
    assert_conflict(store.apply(&id, &[Change::UpdateTenant(tenant.clone())]).await, Conflict::Version);
    tenant.version = 4;
    assert_conflict(store.apply(&id, &[Change::UpdateTenant(tenant)]).await, Conflict::Version);
    let nobody = build::tenant("nobody");
    assert_conflict(
        store.apply(&nobody.id.clone(), &[Change::UpdateTenant(nobody)]).await,
        Conflict::Version,
    );
}

pub async fn tenant_keys_end_and_are_withdrawn(store: &Handle) {
    let world = world(store, "one").await;
    let mut old = tenant_key(&world.id, "z-old");
    old.created_at = NOW - 10;
    let (b, a) = (tenant_key(&world.id, "b"), tenant_key(&world.id, "a"));
    let insert = |key: &signet_core::records::TenantKey| Change::InsertTenantKey(key.clone());
    apply(store, &world.id, &[insert(&b), insert(&old), insert(&a)]).await;
    assert_conflict(store.apply(&world.id, &[insert(&a)]).await, Conflict::Exists);

    let ids = async |now| -> Vec<String> {
        store.tenant_keys(&world.id, now).await.unwrap().into_iter().map(|key| key.id).collect()
    };
    assert_eq!(store.tenant_keys(&world.id, NOW).await.unwrap(), [old.clone(), a.clone(), b.clone()]);
    assert_eq!(ids(NOW + 199).await, ["z-old", "a", "b"]);
    assert!(ids(NOW + 200).await.is_empty());

    let end = |id: &str| Change::EndTenantKey { id: id.into(), use_until: NOW + 20, remove_at: NOW + 30 };
    apply(store, &world.id, &[end("a")]).await;
    let keys = store.tenant_keys(&world.id, NOW).await.unwrap();
    assert_eq!((keys[1].use_until, keys[1].remove_at), (NOW + 20, NOW + 30));
    assert_eq!(ids(NOW + 30).await, ["z-old", "b"]);

    let revoke = |id: &str, at| Change::RevokeTenantKey { id: id.into(), at };
    apply(store, &world.id, &[revoke("b", NOW + 5)]).await;
    assert_eq!(ids(NOW + 4).await, ["z-old", "a", "b"]);
    assert_eq!(ids(NOW + 5).await, ["z-old", "a"]);
    // A second withdrawal does not bring the key back for a while.
    apply(store, &world.id, &[revoke("b", NOW + 50)]).await;
    assert_eq!(ids(NOW + 5).await, ["z-old", "a"]);
    assert_conflict(store.apply(&world.id, &[end("none")]).await, Conflict::Missing);
    assert_conflict(store.apply(&world.id, &[revoke("none", NOW)]).await, Conflict::Missing);
}

pub async fn a_client_update_names_the_version_it_saw(store: &Handle) {
    let world = world(store, "one").await;
    let mut client = world.client.clone();
    assert_eq!(store.client(&world.id, &client.client_id).await.unwrap(), Some(client.clone()));
    assert_eq!(store.client(&world.id, &"none".into()).await.unwrap(), None);
    assert_conflict(store.apply(&world.id, &[Change::InsertClient(client.clone())]).await, Conflict::Exists);
    client.version = 2;
    client.disabled = true;
    client.secret_hash = None;
    client.settings.redirect_uris = vec!["https://rp.example/cb".into()];
    client.updated_at = NOW + 1;
    apply(store, &world.id, &[Change::UpdateClient(client.clone())]).await;
    assert_eq!(store.client(&world.id, &client.client_id).await.unwrap(), Some(client.clone()));
    assert_conflict(store.apply(&world.id, &[Change::UpdateClient(client.clone())]).await, Conflict::Version);
    client.version = 4;
    assert_conflict(store.apply(&world.id, &[Change::UpdateClient(client)]).await, Conflict::Version);
    let mut unknown = build::client(&world.id, "unknown");
    unknown.version = 2;
    assert_conflict(store.apply(&world.id, &[Change::UpdateClient(unknown)]).await, Conflict::Version);
    assert_conflict(
        store.apply(&world.id, &[Change::DeleteClient("unknown".into())]).await,
        Conflict::Missing,
    );
}

/// A kid is unique among a client's unrevoked keys, and another client's kid is no obstacle.
pub async fn client_keys_have_unique_kids_while_unrevoked(store: &Handle) {
    let world = world(store, "one").await;
    let other = client(&world.id, "other");
    let insert = Change::InsertClientKey;
    apply(
        store,
        &world.id,
        &[
            Change::InsertClient(other.clone()),
            insert(client_key(&world.client, 1, "k")),
            insert(client_key(&other, 1, "k")),
        ],
    )
    .await;
    assert_conflict(
        store.apply(&world.id, &[insert(client_key(&world.client, 2, "k"))]).await,
        Conflict::Exists,
    );
    assert_conflict(
        store.apply(&world.id, &[insert(client_key(&world.client, 1, "k2"))]).await,
        Conflict::Exists,
    );
    let revoke = Change::RevokeClientKey { client_id: "app".into(), id: id(1), at: NOW };
    apply(store, &world.id, &[revoke, insert(client_key(&world.client, 2, "k"))]).await;
    let keys = store.client_keys(&world.id, &"app".into()).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.revoked_at).collect::<Vec<_>>(), [Some(NOW), None]);
}

pub async fn client_keys_are_edited_and_withdrawn(store: &Handle) {
    let world = world(store, "one").await;
    let mut late = client_key(&world.client, 1, "late");
    late.created_at = NOW + 1;
    let (two, three) = (client_key(&world.client, 2, "two"), client_key(&world.client, 3, "three"));
    let changes = [&late, &three, &two].map(|key| Change::InsertClientKey(key.clone()));
    apply(store, &world.id, &changes).await;
    let app = ClientId::new("app");
    let keys = store.client_keys(&world.id, &app).await.unwrap();
    assert_eq!(keys, [two.clone(), three.clone(), late.clone()]);

    let edit = |number, client_id: &ClientId| Change::UpdateClientKey {
        client_id: client_id.clone(),
        id: id(number),
        name: "renamed".into(),
        not_before: None,
        not_after: Some(NOW + 9),
    };
    let revoke = |number, at| Change::RevokeClientKey { client_id: app.clone(), id: id(number), at };
    apply(store, &world.id, &[edit(2, &app), revoke(2, NOW + 3), revoke(2, NOW + 4)]).await;
    let mut edited = two;
    edited.name = "renamed".into();
    (edited.not_before, edited.not_after, edited.revoked_at) = (None, Some(NOW + 9), Some(NOW + 3));
    assert_eq!(store.client_keys(&world.id, &app).await.unwrap(), [edited, three, late]);
    for change in [edit(9, &app), edit(2, &"other".into()), revoke(9, NOW)] {
        assert_conflict(store.apply(&world.id, &[change]).await, Conflict::Missing);
    }
}

pub async fn users_have_unique_names(store: &Handle) {
    let world = world(store, "one").await;
    let mut ada = world.user.clone();
    assert_eq!(store.user(&world.id, ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(store.user_by_name(&world.id, "ada").await.unwrap(), Some(ada.clone()));
    assert_eq!(store.user(&world.id, id(99)).await.unwrap(), None);
    assert_eq!(store.user_by_name(&world.id, "Ada").await.unwrap(), None);
    for taken in [user(&world.id, 1, "eve"), user(&world.id, 2, "ada")] {
        assert_conflict(store.apply(&world.id, &[Change::InsertUser(taken)]).await, Conflict::Exists);
    }
    let mut bob = user(&world.id, 2, "bob");
    apply(store, &world.id, &[Change::InsertUser(bob.clone())]).await;
    bob.version = 2;
    bob.username = "ada".into();
    assert_conflict(store.apply(&world.id, &[Change::UpdateUser(bob.clone())]).await, Conflict::Exists);

    ada.version = 2;
    ada.username = "lovelace".into();
    (ada.password_hash, ada.disabled, ada.updated_at) = (None, true, NOW + 1);
    ada.claims.clear();
    // The name is free within the same transaction already.
    apply(store, &world.id, &[Change::UpdateUser(ada.clone()), Change::UpdateUser(bob.clone())]).await;
    assert_eq!(store.user_by_name(&world.id, "lovelace").await.unwrap(), Some(ada.clone()));
    assert_eq!(store.user_by_name(&world.id, "ada").await.unwrap(), Some(bob));
    assert_conflict(store.apply(&world.id, &[Change::UpdateUser(ada)]).await, Conflict::Version);
    assert_conflict(store.apply(&world.id, &[Change::DeleteUser(id(99))]).await, Conflict::Missing);
}

/// Names sort by code point, whatever the database's locale.
pub async fn listings_come_in_pages(store: &Handle) {
    let world = world(store, "one").await;
    let names = ["B", "Z", "a.b", "a_b", "ab", "z", "ä", "日本"];
    let changes: Vec<Change> = names
        .iter()
        .rev()
        .zip(10..)
        .flat_map(|(name, number)| {
            let (client, user) = (client(&world.id, name), user(&world.id, number, name));
            [Change::InsertClient(client), Change::InsertUser(user)]
        })
        .collect();
    apply(store, &world.id, &changes).await;
    let mut expected: Vec<&str> = names.into_iter().chain(["app"]).collect();
    expected.sort_unstable();

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.clients(&world.id, &Page { after: after.clone(), limit: 2 }).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.client_id.as_str().to_owned());
        found.extend(page.into_iter().map(|client| client.client_id.as_str().to_owned()));
    }
    assert_eq!(found, expected);

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.users(&world.id, &Page { after: after.clone(), limit: 4 }).await.unwrap();
        assert!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        after = Some(last.username.clone());
        found.extend(page.into_iter().map(|user| user.username));
    }
    let mut expected: Vec<&str> = names.into_iter().chain(["ada"]).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

pub async fn page_limits_are_clamped(store: &Handle) {
    let world = world(store, "one").await;
    let changes: Vec<Change> =
        (0..1001).map(|number| Change::InsertClient(client(&world.id, &format!("c{number:04}")))).collect();
    apply(store, &world.id, &changes).await;
    for (limit, rows) in [(0, 1), (1, 1), (1000, 1000), (1001, 1000), (u32::MAX, 1000)] {
        let page = Page { after: None, limit };
        assert_eq!(store.clients(&world.id, &page).await.unwrap().len(), rows, "limit {limit}");
    }
}

pub async fn a_deleted_client_takes_everything_along(store: &Handle) {
    let world = world(store, "one").await;
    let other = client(&world.id, "other");
    let mut changes = vec![Change::InsertClient(other.clone())];
    for (client, number) in [(&world.client, 1), (&other, 2)] {
        let name = client.client_id.as_str();
        let grant = grant(&world.user, client, number);
        changes.extend([
            Change::InsertClientKey(client_key(client, number, "k")),
            Change::PutConsent(consent(&world.user, client)),
            Change::InsertGrant(grant.clone()),
            Change::InsertCode(code(&grant, name)),
            Change::InsertAccessToken(access_token(&grant, name)),
            Change::InsertInteraction(interaction(client, name)),
            Change::InsertRefreshToken(refresh_token(&grant, name)),
            Change::InsertPushedRequest(pushed_request(client, name)),
            Change::InsertDeviceCode(device_code(client, name, name)),
            Change::PutSessionClient(session_client(&world.user, client, name)),
            Change::InsertLogoutDelivery(delivery(&world.user, client, number)),
        ]);
    }
    apply(store, &world.id, &changes).await;
    apply(store, &world.id, &[Change::DeleteClient("app".into())]).await;

    for (name, left) in [("app", false), ("other", true)] {
        let hash = signet_core::ids::TokenHash::of(name);
        let id = ClientId::new(name);
        assert_eq!(store.client(&world.id, &id).await.unwrap().is_some(), left);
        assert_eq!(store.client_keys(&world.id, &id).await.unwrap().len(), usize::from(left));
        assert_eq!(store.consent(&world.id, world.user.id, &id).await.unwrap().is_some(), left);
        assert_eq!(store.code(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.access_token(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.refresh_token(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.pushed_request(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.device_code(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.session_clients(&world.id, name).await.unwrap().len(), usize::from(left));
        let told = store.logout_deliveries(&world.id, &id, 9).await.unwrap();
        assert_eq!(told.len(), usize::from(left));
    }
    assert_eq!(store.user(&world.id, world.user.id).await.unwrap(), Some(world.user.clone()));

    // A new client of that name inherits nothing.
    apply(store, &world.id, &[Change::InsertClient(world.client.clone())]).await;
    assert!(store.client_keys(&world.id, &"app".into()).await.unwrap().is_empty());
    assert_eq!(store.consent(&world.id, world.user.id, &"app".into()).await.unwrap(), None);
}

pub async fn a_deleted_user_takes_everything_along(store: &Handle) {
    let world = world(store, "one").await;
    let bob = user(&world.id, 2, "bob");
    let mut changes = vec![Change::InsertUser(bob.clone())];
    for (user, number) in [(&world.user, 1), (&bob, 2)] {
        let grant = grant(user, &world.client, number);
        let device = device_code(&world.client, &user.username, &user.username);
        changes.extend([
            Change::InsertSession(session(user, &user.username)),
            Change::PutConsent(consent(user, &world.client)),
            Change::InsertGrant(grant.clone()),
            Change::InsertCode(code(&grant, &user.username)),
            Change::InsertAccessToken(access_token(&grant, &user.username)),
            Change::InsertRefreshToken(refresh_token(&grant, &user.username)),
            Change::InsertDeviceCode(device.clone()),
            device_step(&device, approved(&grant)),
            Change::PutSessionClient(session_client(user, &world.client, &user.username)),
        ]);
    }
    apply(store, &world.id, &changes).await;
    apply(store, &world.id, &[Change::DeleteUser(world.user.id)]).await;
    for (user, left) in [(&world.user, false), (&bob, true)] {
        let hash = signet_core::ids::TokenHash::of(&user.username);
        assert_eq!(store.user(&world.id, user.id).await.unwrap().is_some(), left);
        assert_eq!(store.session(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.consents(&world.id, user.id).await.unwrap().len(), usize::from(left));
        assert_eq!(store.code(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.access_token(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.refresh_token(&world.id, &hash).await.unwrap().is_some(), left);
        assert_eq!(store.device_code(&world.id, &hash).await.unwrap().is_some(), left);
        let noted = store.session_clients(&world.id, &user.username).await.unwrap();
        assert_eq!(noted.len(), usize::from(left));
    }
    assert_eq!(store.client(&world.id, &"app".into()).await.unwrap(), Some(world.client));
}

pub async fn records_that_refer_to_nothing_are_refused(store: &Handle) {
    let world = world(store, "one").await;
    let nowhere = TenantId::new("nowhere");
    let (ghost, gone) = (user(&world.id, 9, "ghost"), client(&world.id, "gone"));
    let cases = [
        (&nowhere, Change::InsertClient(client(&nowhere, "app"))),
        (&nowhere, Change::InsertUser(user(&nowhere, 1, "ada"))),
        (&nowhere, Change::InsertTenantKey(tenant_key(&nowhere, "k"))),
        (&world.id, Change::InsertClientKey(client_key(&gone, 1, "k"))),
        (&world.id, Change::InsertSession(session(&ghost, "cookie"))),
        (&world.id, Change::PutConsent(consent(&ghost, &world.client))),
        (&world.id, Change::PutConsent(consent(&world.user, &gone))),
        (&world.id, Change::InsertGrant(grant(&ghost, &world.client, 1))),
        (&world.id, Change::InsertGrant(grant(&world.user, &gone, 1))),
        (&world.id, Change::InsertPushedRequest(pushed_request(&gone, "pushed"))),
        (&world.id, Change::InsertDeviceCode(device_code(&gone, "device", "CODE"))),
        (&world.id, Change::PutSessionClient(session_client(&ghost, &world.client, "sid"))),
        (&world.id, Change::PutSessionClient(session_client(&world.user, &gone, "sid"))),
        (&world.id, Change::InsertLogoutDelivery(delivery(&world.user, &gone, 1))),
        (&nowhere, Change::InsertInitialAccessToken(initial_access_token(&nowhere, "initial"))),
    ];
    for (tenant, change) in cases {
        assert_conflict(store.apply(tenant, &[change]).await, Conflict::Missing);
    }
}
