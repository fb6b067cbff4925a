//! Passwords that administrators set.

use serde_json::{Value, json};
use signet_core::change::Change;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::records::{Role, Session};
use signet_server::people::is_password;
use signet_tests::admin::Office;
use signet_tests::provider::Reply;
use uuid::Uuid;

const NEW: &str = "another good password";

fn code(reply: &Reply) -> Value {
    reply.json()["code"].clone()
}

async fn put(office: &Office, token: &str, id: Uuid, version: &str, query: &str, password: &str) -> Reply {
    let path = format!("/users/{id}/password{query}");
    let seen = [("if-match", version)];
    office.call_with("PUT", &path, token, &seen, Some(&json!({ "password": password }))).await
}

async fn session(office: &Office, id: Uuid) {
    let now = office.provider.now();
    let session = Session {
        tenant: "default".into(),
        hash: TokenHash::of("cookie"),
        sid: "sid-1".into(),
        user_id: id,
        auth_time: now,
        amr: vec!["pwd".into()],
        acr: "urn:signet:acr:password".into(),
        last_seen: now,
        expires_at: now + 10_000,
    };
    let tenant = TenantId::from("default");
    office.provider.app.store.apply(&tenant, &[Change::InsertSession(session)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_set_is_the_only_one_and_ends_sessions() {
    let office = Office::open().await;
    let (app, tenant) = (&office.provider.app, TenantId::from("default"));
    let token = office.token_of(Role::Administrator).await;
    let ada = office.person("ada", None).await;
    session(&office, ada).await;
    let stored = async || app.store.user(&tenant, ada).await.unwrap().unwrap();
    let sessions = async || app.store.user_sessions(&tenant, ada, office.provider.now()).await.unwrap().len();

    let trial = put(&office, &token, ada, "\"1\"", "?dry_run=true", NEW).await;
    assert_eq!((trial.status.as_u16(), &trial.json()["dry_run"]), (200, &json!(true)), "{}", trial.body);
    assert_eq!((stored().await.version, sessions().await), (1, 1));

    let done = put(&office, &token, ada, "\"1\"", "", NEW).await;
    assert_eq!((done.status.as_u16(), done.header("etag")), (200, "\"2\""), "{}", done.body);
    assert_eq!(done.json()["user"]["has_password"], true);
    assert!(is_password(app, &stored().await, NEW).await.unwrap());
    assert_eq!(sessions().await, 0);
    // A trial does not tell whether a guess is right.
    let right = put(&office, &token, ada, "\"2\"", "?dry_run=true", NEW).await;
    let wrong = put(&office, &token, ada, "\"2\"", "?dry_run=true", "a wrong guess").await;
    assert_eq!(right.json()["differences"], wrong.json()["differences"]);

    let stale = put(&office, &token, ada, "\"1\"", "", NEW).await;
    assert_eq!(code(&stale), "admin_version_stale");
    for unfit in ["short", &"x".repeat(513)] {
        let reply = put(&office, &token, ada, "\"2\"", "", unfit).await;
        assert_eq!(code(&reply), "new_password_unfit");
    }
    let nobody = put(&office, &token, Uuid::nil(), "\"1\"", "", NEW).await;
    assert_eq!(code(&nobody), "admin_record_missing");
    let trail =
        office.call("GET", &format!("/audit?user_id={ada}&kind=user.password_set"), &token, None).await;
    let items = trail.json()["items"].as_array().unwrap().clone();
    assert_eq!((items.len(), &items[0]["detail"]["cause"]), (1, &json!("administrator")));
    assert!(
        items[0]["actor"].as_str().is_some_and(|by| by.starts_with("user:")) && !trail.body.contains(NEW),
        "{}",
        trail.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_set_the_password_of_an_owner() {
    let office = Office::open().await;
    let owner = office.person("first", Some(Role::Owner)).await;
    let administrator = office.token_of(Role::Administrator).await;
    for query in ["", "?dry_run=true"] {
        let refused = put(&office, &administrator, owner, "\"1\"", query, NEW).await;
        assert_eq!((refused.status.as_u16(), code(&refused)), (403, json!("user_forbidden")));
    }
    let program = office.token(None).await;
    assert_eq!(code(&put(&office, &program, owner, "\"1\"", "", NEW).await), "user_forbidden");
    let other = office.token_of(Role::Owner).await;
    assert_eq!(put(&office, &other, owner, "\"1\"", "", NEW).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_for_one_password_and_its_receipt_is_no_hash_of_it() {
    let office = Office::open().await;
    let token = office.token_of(Role::Administrator).await;
    let send = async |password: Option<&str>| {
        let body = json!({ "username": "grace", "password": password });
        office.call_with("POST", "/users", &token, &[("idempotency-key", "k")], Some(&body)).await
    };
    let made = send(Some(NEW)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let again = send(Some(NEW)).await;
    assert_eq!((again.status.as_u16(), &again.json()["replayed"]), (200, &json!(true)));
    for other in [Some("yet another password"), None] {
        let reply = send(other).await;
        assert_eq!(
            (reply.status.as_u16(), code(&reply)),
            (422, json!("admin_idempotency_key_reused")),
            "{}",
            reply.body
        );
    }
}
