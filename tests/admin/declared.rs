//! A declaration over the interface: all of it or nothing, each part by who may write it.

use serde_json::{Value, json};
use signet_core::admin;
use signet_core::change::Change;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::provision::ClientDeclaration;
use signet_core::records::{ClientSettings, Role, Session, SessionClient};
use signet_tests::admin::{OPS, Office};
use signet_tests::provider::Reply;
use signet_tests::rp::Rp;

use super::clients::code;

const REDIRECT: &str = "https://rp.example/cb";

fn client(id: &str) -> Value {
    json!({ "client_id": id, "client_name": id, "redirect_uris": [REDIRECT], "generate_secret": true })
}

async fn apply(office: &Office, token: &str, query: &str, body: &Value) -> Reply {
    office.call("POST", &format!("/apply{query}"), token, Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_is_brought_about_once_and_a_trial_writes_nothing() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let user = json!({ "username": "ada", "claims": { "name": "Ada" }, "password": "correct horse battery" });
    let wanted = json!({
        "version": 1,
        "tenant": { "branding": { "name": "Declared" } },
        "clients": [client("one"), client("two")],
        "users": [user],
    });
    let trial = apply(&office, &owner, "?dry_run=true", &wanted).await;
    assert_eq!(trial.status, 200, "{}", trial.body);
    assert_eq!((&trial.json()["dry_run"], &trial.json()["secrets"]), (&json!(true), &json!([])));
    assert!(trial.json()["differences"].as_array().unwrap().len() >= 4, "{}", trial.body);
    assert_eq!(office.call("GET", "/clients/one", &owner, None).await.status, 404);

    let done = apply(&office, &owner, "", &wanted).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.json()["differences"], trial.json()["differences"]);
    assert_eq!(done.json()["secrets"].as_array().unwrap().len(), 2);
    assert_eq!(
        office.call("GET", "/tenant", &owner, None).await.json()["settings"]["branding"]["name"],
        "Declared"
    );
    assert_eq!(office.call("GET", "/users?search=ada", &owner, None).await.json()["items"][0]["name"], "Ada");
    let mut again = wanted.clone();
    again["users"][0].as_object_mut().unwrap().remove("password");
    let again = apply(&office, &owner, "", &again).await;
    assert_eq!(again.json()["differences"], json!([]), "{}", again.body);
    let trail = office.call("GET", "/audit?client_id=one", &owner, None).await.json();
    assert!(trail["items"][0]["actor"].as_str().unwrap().starts_with("user:"), "{trail}");
    // Of somebody who is there, nobody learns by a trial whether a password is theirs.
    let guess = apply(&office, &owner, "?dry_run=true", &wanted).await;
    assert_eq!((code(&guess).0, &guess.json()["errors"][0]["pointer"]), (400, &json!("/users/0/password")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_one_part_is_told_with_its_place_and_nothing_is_written() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let mut broken = client("broken");
    broken["require_encrypted_request_object"] = json!(true);
    broken["redirect_uris"] = json!([]);
    let hash = json!({ "username": "eve", "password_hash": "$argon2id$v=19$m=4000000,t=9,p=1$a$b" });
    for (part, status, pointer) in [
        (json!({ "clients": [client("good"), broken] }), 422, "/clients/1"),
        (json!({ "clients": [client("good"), client("signet-console")] }), 403, "/clients/1"),
        (json!({ "clients": [client("good")], "users": [hash] }), 400, "/users/0/password_hash"),
        (
            json!({ "clients": [client("good")], "tenant": { "issuer": "https://other.example" } }),
            422,
            "/tenant",
        ),
        (json!({ "clients": [client("good")], "tenant": { "operator": true } }), 422, "/tenant"),
    ] {
        let mut declaration = part;
        declaration["version"] = json!(1);
        let reply = apply(&office, &owner, "", &declaration).await;
        let found = reply.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
        assert!(found.starts_with(pointer), "{pointer}: {}", reply.body);
        assert_eq!(office.call("GET", "/clients/good", &owner, None).await.status, 404);
    }
    let twice = json!({ "version": 1, "clients": [client("good"), client("good")] });
    assert_eq!(code(&apply(&office, &owner, "", &twice).await).0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_declares_what_they_may_not_write() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let others = json!({ "client_id": "others", "settings": { "redirect_uris": [REDIRECT] } });
    assert_eq!(office.call("POST", "/clients", &owner, Some(&others)).await.status, 201);
    office.person("boss", Some(Role::Owner)).await;
    let developer = office.token_of(Role::Developer).await;
    let administrator = office.token_of(Role::Administrator).await;
    let auditor = office.token_of(Role::Auditor).await;
    let all = [admin::CLIENTS_WRITE];
    let program = office.token_for("default", OPS, None, &all).await;
    let mut grabbing = client("new");
    grabbing["scope"] = json!(["openid", admin::TENANTS_WRITE]);
    let mut given = client("new");
    given["owner"] = json!(office.person("somebody", Some(Role::Developer)).await);
    let of_clients = |one: Value| json!({ "version": 1, "clients": [one] });
    let of_users = |one: Value| json!({ "version": 1, "users": [one] });
    for (token, body, wanted) in [
        (&auditor, of_clients(client("new")), "admin_scope_missing"),
        (&developer, of_clients(client("others")), "admin_record_exists"),
        (&developer, of_clients(given), "admin_owner_forbidden"),
        (&developer, of_users(json!({ "username": "u" })), "admin_scope_missing"),
        (&developer, json!({ "version": 1, "tenant": {} }), "admin_scope_missing"),
        (&administrator, of_clients(grabbing), "admin_grant_forbidden"),
        (&administrator, of_users(json!({ "username": "u", "role": "owner" })), "user_forbidden"),
        (&administrator, of_users(json!({ "username": "boss", "role": null })), "user_forbidden"),
        (&administrator, of_users(json!({ "username": "boss", "disabled": true })), "user_forbidden"),
        (&program, of_users(json!({ "username": "u" })), "admin_scope_missing"),
        (&program, json!({ "version": 1, "tenant": {} }), "admin_scope_missing"),
    ] {
        let reply = apply(&office, token, "", &body).await;
        assert_eq!(code(&reply).1, wanted, "{body}: {}", reply.body);
    }
    // What developers declare is theirs.
    let made = apply(&office, &developer, "", &of_clients(client("own"))).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let seen = office.call("GET", "/clients/own", &developer, None).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_stays() {
    let office = Office::open().await;
    let boss = office.person("boss", Some(Role::Owner)).await;
    let owner = office.token(Some(boss)).await;
    let away = json!({ "version": 1, "users": [{ "username": "boss", "role": null }] });
    let reply = apply(&office, &owner, "", &away).await;
    assert_eq!(code(&reply).1, "last_owner", "{}", reply.body);
    assert_eq!(office.call("GET", &format!("/users/{boss}"), &owner, None).await.json()["role"], "owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_who_leave_by_one_declaration_are_judged_together() {
    let office = Office::open().await;
    let mut ids = Vec::new();
    for name in ["anna", "bert", "carl", "dora"] {
        ids.push(office.person(name, Some(Role::Owner)).await);
    }
    let owner = office.token(Some(ids[3])).await;
    let leaves = |name: &str| json!({ "username": name, "role": null });
    let disabled = |name: &str| json!({ "username": name, "role": "owner", "disabled": true });
    let branded = |name: &str| json!({ "branding": { "name": name } });
    for (body, wanted) in [
        (json!({ "tenant": branded("One"), "users": [leaves("anna")] }), 200),
        (json!({ "users": [leaves("bert"), leaves("carl"), leaves("dora")] }), 409),
        (
            json!({ "tenant": branded("Two"), "users": [leaves("bert"), disabled("carl"), leaves("dora")] }),
            409,
        ),
        (json!({ "users": [leaves("bert"), disabled("carl")] }), 200),
    ] {
        let mut body = body;
        body["version"] = json!(1);
        // What a trial accepts can be written, and what it refuses cannot.
        for query in ["?dry_run=true", ""] {
            let reply = apply(&office, &owner, query, &body).await;
            assert_eq!(reply.status.as_u16(), wanted, "{query} {body}: {}", reply.body);
            if wanted != 200 {
                assert_eq!(code(&reply).1, "last_owner", "{}", reply.body);
            }
        }
    }
    let owners = office.call("GET", "/users?role=owner", &owner, None).await.json();
    let left = owners["items"].as_array().unwrap().iter().filter(|one| one["disabled"] == false);
    let names: Vec<&str> = left.filter_map(|one| one["username"].as_str()).collect();
    assert_eq!(names, ["dora"]);
    let tenant = office.call("GET", "/tenant", &owner, None).await.json();
    assert_eq!(tenant["settings"]["branding"]["name"], "One");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_at_that_moment_makes_a_declaration_wait_and_is_no_name_that_is_taken() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let user_id = office.person("ada", None).await;
    let (store, now) = (office.provider.app.store.clone(), office.provider.now());
    let told = Rp::new("told").declaration();
    let settings = ClientSettings {
        backchannel_logout_uri: Some("https://rp.example/logout".into()),
        ..told.settings.clone()
    };
    office.provider.register(&ClientDeclaration { settings, ..told }).await;
    let tenant = TenantId::from("default");
    let hash = TokenHash::of("cookie");
    let session = Session {
        tenant: tenant.clone(),
        hash,
        sid: "sid".into(),
        user_id,
        auth_time: now,
        amr: vec!["pwd".into()],
        acr: "urn:signet:acr:password".into(),
        last_seen: now,
        expires_at: now + 3_600,
    };
    let noted = SessionClient {
        tenant: tenant.clone(),
        sid: session.sid.clone(),
        client_id: "told".into(),
        user_id,
        expires_at: now + 3_600,
    };
    let begun = [Change::InsertSession(session), Change::PutSessionClient(noted)];
    store.apply(&tenant, &begun).await.unwrap();
    let sessions = format!("/users/{user_id}/sessions");
    let ended = office.call("DELETE", &sessions, &owner, None).await;
    assert!(ended.status.is_success(), "{}", ended.body);
    // As whoever read the session before it ended sees it.
    store.apply(&tenant, &begun).await.unwrap();
    let away = json!({ "version": 1, "users": [{ "username": "ada", "disabled": true }] });
    let reply = apply(&office, &owner, "", &away).await;
    assert_eq!(code(&reply), (503, "busy".to_owned()), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_clock_schema_and_keys() {
    let office = Office::open().await;
    let auditor = office.token_of(Role::Auditor).await;
    let found = office.call("GET", "/doctor", &auditor, None).await.json();
    let of = |subject: &str| -> Vec<String> {
        let all = found.as_array().unwrap().iter().filter(|one| one["subject"] == subject);
        all.map(|one| one["verdict"].as_str().unwrap().to_owned()).collect()
    };
    // The clock of these tests is not that of the database, and that is told.
    assert_eq!((of("clock"), of("schema")), (vec!["wrong".to_owned()], vec!["ok".to_owned()]), "{found}");
    assert!(of("tenant default").len() >= 3 && of("tenant default").iter().all(|one| one == "ok"), "{found}");
}
