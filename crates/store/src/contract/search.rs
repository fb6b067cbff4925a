//! Listings as the console asks for them: searched, filtered, page by page.

use serde_json::json;
use signet_core::change::{Change, Conflict};
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientKey, Role, User};
use uuid::Uuid;

use super::build::{NOW, client, client_key, id, tenant, user, world};
use super::{Handle, apply, assert_conflict};
use crate::{ClientFilter, Page, UserFilter, search};

fn named(tenant: &TenantId, client_id: &str, name: &str, owner: Option<Uuid>) -> Client {
    let mut client = client(tenant, client_id);
    name.clone_into(&mut client.settings.client_name);
    client.owner = owner;
    client
}

async fn clients(
    store: &Handle,
    tenant: &TenantId,
    search: Option<&str>,
    owner: Option<Uuid>,
    after: Option<&str>,
    limit: u32,
) -> Vec<String> {
    let page = Page { after: after.map(str::to_owned), limit };
    let filter = ClientFilter { search: search.map(str::to_owned), owner, disabled: None, page };
    ids(store.find_clients(tenant, &filter).await.unwrap())
}

fn ids(found: Vec<Client>) -> Vec<String> {
    found.into_iter().map(|client| client.client_id.as_str().to_owned()).collect()
}

/// Ten clients; every third is ada's, every other one bears the name of a bank.
async fn ten_clients(store: &Handle) -> (TenantId, Vec<Client>) {
    let world = world(store, "one").await;
    let all: Vec<Client> = (0..10)
        .map(|n| {
            let id = format!("{}-{n}", if n < 5 { "Shop" } else { "bank" });
            let name = if n % 2 == 0 { format!("BANK Ærø {n}") } else { format!("100%_\\ '{n}") };
            named(&world.id, &id, &name, (n % 3 == 0).then_some(world.user.id))
        })
        .collect();
    let changes: Vec<Change> = all.iter().cloned().map(Change::InsertClient).collect();
    apply(store, &world.id, &changes).await;
    (world.id, all)
}

pub async fn clients_are_found_by_id_and_name(store: &Handle) {
    let (tenant, all) = ten_clients(store).await;
    let cases: &[(&str, &[&str])] = &[
        ("bank", &["Shop-0", "Shop-2", "Shop-4", "bank-5", "bank-6", "bank-7", "bank-8", "bank-9"]),
        ("ANK-", &["bank-5", "bank-6", "bank-7", "bank-8", "bank-9"]),
        ("k ærø", &["Shop-0", "Shop-2", "Shop-4", "bank-6", "bank-8"]),
        ("Rø 2", &["Shop-2"]),
        ("op-", &["Shop-0", "Shop-1", "Shop-2", "Shop-3", "Shop-4"]),
        ("sh", &["Shop-0", "Shop-1", "Shop-2", "Shop-3", "Shop-4"]),
        ("S", &["Shop-0", "Shop-1", "Shop-2", "Shop-3", "Shop-4"]),
        ("nk", &[]),
        ("\u{1}bank", &[]),
        ("00%_\\", &["Shop-1", "Shop-3", "bank-5", "bank-7", "bank-9"]),
        ("%an", &[]),
        ("___", &[]),
        ("b*k", &[]),
        ("BANK-", &["bank-5", "bank-6", "bank-7", "bank-8", "bank-9"]),
        ("shop", &["Shop-0", "Shop-1", "Shop-2", "Shop-3", "Shop-4"]),
        ("bank ÆRØ 2", &["Shop-2"]),
        ("100%_\\ '", &["Shop-1", "Shop-3", "bank-5", "bank-7", "bank-9"]),
        ("%", &[]),
        ("_", &[]),
        ("app", &["app"]),
        ("bank\0", &[]),
        ("\u{10ffff}", &[]),
        ("' OR 1=1 --", &[]),
    ];
    for (search, expected) in cases {
        assert_eq!(clients(store, &tenant, Some(search), None, None, 100).await, *expected, "{search}");
        // The same page by page.
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = clients(store, &tenant, Some(search), None, after.as_deref(), 2).await;
            after = page.last().cloned();
            paged.extend(page);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, *expected, "{search}");
    }
    let everything = clients(store, &tenant, None, None, None, 100).await;
    assert_eq!(everything.len(), 11);
    assert_eq!(clients(store, &tenant, Some(""), None, None, 100).await, everything);
    let filter = ClientFilter {
        search: Some("shop-3".into()),
        page: Page { after: None, limit: 1 },
        ..ClientFilter::default()
    };
    assert_eq!(store.find_clients(&tenant, &filter).await.unwrap(), [all[3].clone()]);
}

pub async fn a_developers_clients_are_theirs_alone(store: &Handle) {
    let (tenant, all) = ten_clients(store).await;
    let ada = Some(id(1));
    assert_eq!(clients(store, &tenant, None, ada, None, 100).await, ["Shop-0", "Shop-3", "bank-6", "bank-9"]);
    assert_eq!(clients(store, &tenant, None, ada, Some("Shop-0"), 2).await, ["Shop-3", "bank-6"]);
    assert_eq!(clients(store, &tenant, Some("bank"), ada, None, 9).await, ["Shop-0", "bank-6", "bank-9"]);
    assert_eq!(clients(store, &tenant, Some("bank"), ada, Some("Shop-0"), 1).await, ["bank-6"]);
    assert!(clients(store, &tenant, Some("shop-1"), ada, None, 9).await.is_empty());
    assert!(clients(store, &tenant, None, Some(id(2)), None, 9).await.is_empty());

    // A name and an owner are found as they are now.
    let mut moved = all[0].clone();
    (moved.version, moved.owner) = (2, None);
    moved.settings.client_name = "Løkken".into();
    apply(store, &tenant, &[Change::UpdateClient(moved)]).await;
    assert_eq!(clients(store, &tenant, None, ada, None, 9).await.len(), 3);
    assert_eq!(clients(store, &tenant, Some("LØ"), None, None, 9).await, ["Shop-0"]);
    assert!(clients(store, &tenant, Some("bank ærø 0"), None, None, 9).await.is_empty());
    let nobodys = named(&tenant, "x", "x", Some(id(9)));
    assert_conflict(store.apply(&tenant, &[Change::InsertClient(nobodys)]).await, Conflict::Missing);
}

pub async fn clients_are_found_by_the_hosts_of_their_redirect_uris(store: &Handle) {
    let (tenant, all) = ten_clients(store).await;
    let found = async |search| clients(store, &tenant, Some(search), None, None, 9).await;
    let mut changed = all[5].clone();
    changed.version = 2;
    changed.settings.redirect_uris =
        vec!["https://Login.Bücher.example:8443/path".into(), "org.example.native:/cb".into()];
    apply(store, &tenant, &[Change::UpdateClient(changed.clone())]).await;
    for search in ["in.büch", "BÜCHER.example:8443", "login.b", "e.native", "lo"] {
        assert_eq!(found(search).await, ["bank-5"], "{search}");
    }
    assert!(found("/path").await.is_empty());
    assert!(found("https").await.is_empty());

    // What it is found by follows the record, and goes with it.
    changed.version = 3;
    changed.settings.redirect_uris = vec!["https://other.example".into()];
    changed.settings.client_name = "Renamed".into();
    apply(store, &tenant, &[Change::UpdateClient(changed.clone())]).await;
    assert!(found("bücher").await.is_empty());
    assert_eq!(found("ther.e").await, ["bank-5"]);
    assert_eq!(found("NAMED").await, ["bank-5"]);
    apply(store, &tenant, &[Change::DeleteClient(changed.client_id.clone())]).await;
    assert!(found("named").await.is_empty());
    (changed.version, changed.settings.client_name) = (1, "Again".into());
    apply(store, &tenant, &[Change::InsertClient(changed)]).await;
    assert!(found("named").await.is_empty());
    assert_eq!(found("gain").await, ["bank-5"]);
}

pub async fn clients_and_users_are_found_by_whether_they_are_disabled(store: &Handle) {
    let (tenant, all) = ten_clients(store).await;
    let ada = id(1);
    let mut changes = Vec::new();
    for client in &all[3..7] {
        changes.push(Change::UpdateClient(Client { version: 2, disabled: true, ..client.clone() }));
    }
    apply(store, &tenant, &changes).await;
    let found = async |search: &str, owner, disabled, after: &str, limit| {
        let page = Page { after: Some(after.into()), limit };
        let filter = ClientFilter { search: Some(search.into()), owner, disabled, page };
        ids(store.find_clients(&tenant, &filter).await.unwrap())
    };
    assert_eq!(found("", None, Some(true), "", 9).await, ["Shop-3", "Shop-4", "bank-5", "bank-6"]);
    assert_eq!(found("", None, Some(true), "Shop-4", 1).await, ["bank-5"]);
    assert_eq!(found("", None, Some(false), "bank", 9).await, ["bank-7", "bank-8", "bank-9"]);
    assert_eq!(found("ank-", None, Some(true), "", 9).await, ["bank-5", "bank-6"]);
    assert_eq!(found("ank-", None, Some(false), "", 2).await, ["bank-7", "bank-8"]);
    assert_eq!(found("", Some(ada), Some(true), "", 9).await, ["Shop-3", "bank-6"]);
    assert_eq!(found("ank", Some(ada), Some(true), "", 9).await, ["bank-6"]);
    assert_eq!(found("ank", Some(ada), Some(false), "", 9).await, ["Shop-0", "bank-9"]);

    let mut barred = person(&tenant, 2, "barred", "barred@example.com", Some(Role::Developer));
    barred.disabled = true;
    apply(store, &tenant, &[Change::InsertUser(barred)]).await;
    let found = async |search: &str, role, disabled| {
        let page = Page { after: None, limit: 9 };
        let filter = UserFilter { search: Some(search.into()), role, disabled, page };
        let users = store.find_users(&tenant, &filter).await.unwrap();
        users.into_iter().map(|user| user.username).collect::<Vec<_>>()
    };
    assert_eq!(found("", None, Some(true)).await, ["barred"]);
    assert_eq!(found("", None, Some(false)).await, ["ada"]);
    assert_eq!(found("rre", None, Some(true)).await, ["barred"]);
    assert!(found("rre", None, Some(false)).await.is_empty());
    assert_eq!(found("rre", Some(Role::Developer), Some(true)).await, ["barred"]);
    assert!(found("", Some(Role::Developer), Some(false)).await.is_empty());
}

/// A search that much matches goes through the records in their order, and finds the same.
pub async fn a_search_that_much_matches_finds_all_of_it_page_by_page(store: &Handle) {
    let world = world(store, "one").await;
    let row = |n: i64| named(&world.id, &format!("c{n:03}"), &format!("{} {n}", "many ".repeat(39)), None);
    let made = search::FEW / 39 + 2;
    let mut all: Vec<Client> = (0..made).map(row).collect();
    for client in all.iter_mut().step_by(2) {
        client.disabled = true;
    }
    let changes: Vec<Change> = all.iter().cloned().map(Change::InsertClient).collect();
    apply(store, &world.id, &changes).await;
    let crowd = (0..made).map(|n| {
        let mut user = user(&world.id, 100 + u128::try_from(n).unwrap(), &format!("u{n:03}"));
        user.claims.insert("name".into(), "many ".repeat(39).into());
        Change::InsertUser(user)
    });
    apply(store, &world.id, &crowd.collect::<Vec<_>>()).await;
    for (typed, disabled) in [("any m", None), ("any m", Some(true)), ("any m", Some(false))] {
        let expected = all.iter().filter(|client| disabled.is_none_or(|wanted| wanted == client.disabled));
        let expected: Vec<String> = expected.map(|client| client.client_id.to_string()).collect();
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = Page { after, limit: 50 };
            let filter = ClientFilter { search: Some(typed.into()), owner: None, disabled, page };
            let found = ids(store.find_clients(&world.id, &filter).await.unwrap());
            after = found.last().cloned();
            paged.extend(found);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, expected, "{disabled:?}");
    }
    assert_eq!(users(store, &world.id, Some("y man"), None, Some("u100"), 2).await, ["u101", "u102"]);
    assert!(users(store, &world.id, Some("y man"), None, Some("u999"), 2).await.is_empty());
}

pub async fn odd_names_do_no_harm_to_a_search(store: &Handle) {
    let world = world(store, "one").await;
    let long = "ß".repeat(5000);
    let odd = [
        named(&world.id, "a", "Nul\0inside", None),
        named(&world.id, "b", &long, None),
        named(&world.id, "c", "", None),
        named(&world.id, "d", "\u{10ffff}\u{d7ff}", None),
    ];
    apply(store, &world.id, &odd.clone().map(Change::InsertClient)).await;
    for client in &odd {
        let found = store.client(&world.id, &client.client_id).await.unwrap();
        assert_eq!(found.as_ref(), Some(client));
    }
    assert_eq!(clients(store, &world.id, Some("nul"), None, None, 9).await, ["a"]);
    assert_eq!(clients(store, &world.id, Some(&long), None, None, 9).await, ["b"]);
    let mut user = user(&world.id, 2, "odd");
    for email in [json!("a\0b@example.com"), json!("x".repeat(5000)), json!(7), json!({}), json!("")] {
        user.claims.insert("email".into(), email);
        apply(store, &world.id, &[Change::InsertUser(user.clone())]).await;
        assert_eq!(store.user(&world.id, user.id).await.unwrap().as_ref(), Some(&user));
        apply(store, &world.id, &[Change::DeleteUser(user.id)]).await;
    }
}

async fn users(
    store: &Handle,
    tenant: &TenantId,
    search: Option<&str>,
    role: Option<Role>,
    after: Option<&str>,
    limit: u32,
) -> Vec<String> {
    let page = Page { after: after.map(str::to_owned), limit };
    let filter = UserFilter { search: search.map(str::to_owned), role, disabled: None, page };
    store.find_users(tenant, &filter).await.unwrap().into_iter().map(|user| user.username).collect()
}

fn person(tenant: &TenantId, number: u128, name: &str, email: &str, role: Option<Role>) -> User {
    let mut user = user(tenant, number, name);
    user.claims.insert("email".into(), email.into());
    user.role = role;
    user
}

pub async fn users_are_found_by_name_address_and_role(store: &Handle) {
    let world = world(store, "one").await;
    let all = [
        person(&world.id, 2, "bob", "Anna@Example.com", Some(Role::Owner)),
        person(&world.id, 3, "carl", "carl@example.com", Some(Role::Developer)),
        person(&world.id, 4, "anton", "anton@example.com", Some(Role::Developer)),
        person(&world.id, 5, "øyvind", "øyvind@example.com", None),
    ];
    apply(store, &world.id, &all.clone().map(Change::InsertUser)).await;
    let find = async |search, role| users(store, &world.id, search, role, None, 100).await;
    assert_eq!(find(Some("a"), None).await, ["ada", "anton", "bob"]);
    assert_eq!(find(Some("AN"), None).await, ["anton", "bob"]);
    assert_eq!(find(Some("NTO"), None).await, ["anton"]);
    assert_eq!(find(Some("a@EXAMPLE"), None).await, ["bob"]);
    assert_eq!(find(Some("yvi"), None).await, ["øyvind"]);
    assert_eq!(find(Some("nt"), None).await, Vec::<String>::new());
    assert_eq!(find(Some("%ar"), None).await, Vec::<String>::new());
    assert_eq!(find(Some("ØY"), None).await, ["øyvind"]);
    assert_eq!(find(Some("an\0"), None).await, Vec::<String>::new());
    assert_eq!(find(Some("%"), None).await, Vec::<String>::new());
    assert_eq!(find(None, Some(Role::Developer)).await, ["anton", "carl"]);
    assert_eq!(find(Some("a"), Some(Role::Developer)).await, ["anton"]);
    assert_eq!(find(Some("example"), Some(Role::Developer)).await, ["anton", "carl"]);
    assert_eq!(find(Some("anna"), Some(Role::Owner)).await, ["bob"]);
    assert_eq!(find(None, Some(Role::Auditor)).await, Vec::<String>::new());
    assert_eq!(find(None, None).await.len(), 5);
    assert_eq!(users(store, &world.id, Some("a"), None, Some("ada"), 1).await, ["anton"]);
    assert_eq!(users(store, &world.id, None, Some(Role::Developer), Some("anton"), 9).await, ["carl"]);

    let mut carl = all[1].clone();
    (carl.version, carl.role) = (2, None);
    carl.claims.insert("email".into(), "ANNA@example.COM".into());
    apply(store, &world.id, &[Change::UpdateUser(carl.clone())]).await;
    assert_eq!(store.user(&world.id, carl.id).await.unwrap().as_ref(), Some(&carl));
    assert_eq!(find(None, Some(Role::Developer)).await, ["anton"]);
    let named = store.users_by_email(&world.id, "anna@EXAMPLE.com").await.unwrap();
    assert_eq!(named, [all[0].clone(), carl]);
    for none in ["", "anna", "anna@example.com ", "an%", "anna@example.com\0"] {
        assert!(store.users_by_email(&world.id, none).await.unwrap().is_empty(), "{none:?}");
    }
    let crowd: Vec<Change> = (10..22)
        .map(|n| Change::InsertUser(person(&world.id, n, &format!("n{n}"), "same@example.com", None)))
        .collect();
    apply(store, &world.id, &crowd).await;
    assert_eq!(store.users_by_email(&world.id, "same@example.com").await.unwrap().len(), 10);
}

pub async fn users_are_found_by_the_names_they_go_by(store: &Handle) {
    let world = world(store, "one").await;
    let find = async |search: &str| users(store, &world.id, Some(search), None, None, 9).await;
    let mut bob = user(&world.id, 2, "bob");
    let claims = |claims: serde_json::Value| claims.as_object().cloned().unwrap();
    bob.claims = claims(json!({"name": "Robert Ærlig", "given_name": "Robert", "family_name": "Virtanen",
                        "nickname": "Bobby", "preferred_username": "rob-9", "phone_number": "+358401234567",
                        "locale": ["Robinson"]}));
    apply(store, &world.id, &[Change::InsertUser(bob.clone())]).await;
    for search in ["robert Æ", "Rlig", "irta", "robert v", "obby", "rob-9", "vi", "ro"] {
        assert_eq!(find(search).await, ["bob"], "{search}");
    }
    assert!(find("35840").await.is_empty(), "nothing else is searched");
    assert!(find("inson").await.is_empty());

    bob.version = 2;
    bob.claims = claims(json!({"name": "Renamed"}));
    apply(store, &world.id, &[Change::UpdateUser(bob.clone())]).await;
    assert!(find("robert").await.is_empty());
    assert_eq!(find("named").await, ["bob"]);
    apply(store, &world.id, &[Change::DeleteUser(bob.id)]).await;
    assert!(find("named").await.is_empty());
}

fn key(client: &Client, number: u128, not_after: Option<i64>) -> ClientKey {
    ClientKey { not_after, ..client_key(client, number, &format!("kid {number}")) }
}

pub async fn keys_of_several_clients_are_read_at_once(store: &Handle) {
    let world = world(store, "one").await;
    let other = client(&world.id, "other");
    let third = client(&world.id, "third");
    let mut keys = [key(&world.client, 2, None), key(&world.client, 1, None), key(&other, 3, Some(NOW))];
    keys[1].created_at = NOW + 1;
    keys[2].revoked_at = Some(NOW);
    let mut changes = vec![Change::InsertClient(other.clone()), Change::InsertClient(third.clone())];
    changes.extend(keys.iter().cloned().map(Change::InsertClientKey));
    changes.push(Change::InsertClientKey(key(&third, 4, None)));
    apply(store, &world.id, &changes).await;
    let asked: Vec<ClientId> = ["other", "app", "no\0body", "', '"].map(ClientId::from).to_vec();
    assert_eq!(store.keys_of_clients(&world.id, &asked).await.unwrap(), keys);
    assert!(store.keys_of_clients(&world.id, &[]).await.unwrap().is_empty());
}

pub async fn keys_that_end_soon_come_first(store: &Handle) {
    let world = world(store, "one").await;
    let keys = [
        key(&world.client, 1, Some(NOW + 30)),
        key(&world.client, 2, Some(NOW + 10)),
        key(&world.client, 3, Some(NOW + 20)),
        key(&world.client, 4, None),
        key(&world.client, 5, Some(NOW + 15)),
    ];
    let mut changes: Vec<Change> = keys.iter().cloned().map(Change::InsertClientKey).collect();
    changes.push(Change::RevokeClientKey { client_id: "app".into(), id: id(5), at: NOW });
    apply(store, &world.id, &changes).await;
    let ending = async |from, until, limit| {
        let found = store.ending_client_keys(&world.id, from, until, limit).await.unwrap();
        found.into_iter().map(|key| key.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(ending(NOW, NOW + 100, 10).await, [2, 3, 1]);
    assert_eq!(ending(NOW, NOW + 100, 2).await, [2, 3]);
    assert_eq!(ending(NOW + 10, NOW + 30, 10).await, [2, 3]);
    assert_eq!(ending(NOW + 11, NOW + 30, 10).await, [3]);
    assert_eq!(ending(i64::MIN, i64::MAX, u32::MAX).await, [2, 3, 1]);
}

pub async fn a_search_sees_one_tenant(store: &Handle) {
    let (one, _) = ten_clients(store).await;
    let two = tenant("two").id;
    let namesake = named(&two, "bank-5", "Bank", None);
    let person = person(&two, 7, "anna", "anna@example.com", Some(Role::Owner));
    let changes = [
        Change::InsertTenant(tenant("two")),
        Change::InsertClient(namesake.clone()),
        Change::InsertClientKey(key(&namesake, 1, Some(NOW))),
        Change::InsertUser(person.clone()),
    ];
    apply(store, &two, &changes).await;
    assert_eq!(clients(store, &two, Some("bank"), None, None, 9).await, ["bank-5"]);
    assert!(clients(store, &two, None, Some(id(1)), None, 9).await.is_empty());
    assert!(clients(store, &two, Some("bank"), Some(id(1)), None, 9).await.is_empty());
    assert_eq!(users(store, &two, Some("a"), None, None, 9).await, ["anna"]);
    assert_eq!(clients(store, &two, Some("ank"), None, None, 9).await, ["bank-5"]);
    assert_eq!(users(store, &two, Some("nna"), None, None, 9).await, ["anna"]);
    assert!(users(store, &one, Some("nna"), None, None, 9).await.is_empty());
    assert!(users(store, &one, None, Some(Role::Owner), None, 9).await.is_empty());
    assert!(users(store, &one, Some("anna"), Some(Role::Owner), None, 9).await.is_empty());
    assert!(store.users_by_email(&one, "anna@example.com").await.unwrap().is_empty());
    assert!(store.keys_of_clients(&one, &["bank-5".into()]).await.unwrap().is_empty());
    assert!(store.ending_client_keys(&one, 0, i64::MAX, 9).await.unwrap().is_empty());
    // Nobody owns another tenant's client.
    let stolen = named(&two, "stolen", "stolen", Some(id(1)));
    assert_conflict(store.apply(&two, &[Change::InsertClient(stolen)]).await, Conflict::Missing);
}
