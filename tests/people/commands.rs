//! What the commands of an operator do to people.

use std::collections::BTreeSet;

use signet_core::change::Change;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::records::{AuditEvent, Client, ClientSettings, Session, SessionClient, User};
use signet_server::edge::Clock;
use signet_tests::database::Database;
use signet_tests::process::signet;

/// A client that wants to be told when sessions end.
fn relying_party(tenant: &TenantId, now: i64) -> Client {
    Client {
        tenant: tenant.clone(),
        client_id: "rp".into(),
        version: 1,
        disabled: false,
        secret_hash: None,
        sealed_secret: None,
        registration_token: None,
        owner: None,
        settings: ClientSettings {
            client_name: "rp".into(),
            redirect_uris: vec!["https://rp.example/cb".into()],
            backchannel_logout_uri: Some("https://rp.example/logout".into()),
            ..ClientSettings::default()
        },
        created_at: now,
        updated_at: now,
    }
}

/// A session, and the client that its person has logged in to.
fn session(user: &User, sid: String, rp: &Client, now: i64) -> [Change; 2] {
    let session = Session {
        tenant: user.tenant.clone(),
        hash: TokenHash::of(&sid),
        sid: sid.clone(),
        user_id: user.id,
        auth_time: now,
        amr: vec!["pwd".into()],
        acr: "urn:signet:acr:password".into(),
        last_seen: now,
        expires_at: now + 3_600,
    };
    let client = SessionClient {
        tenant: user.tenant.clone(),
        sid,
        client_id: rp.client_id.clone(),
        user_id: user.id,
        expires_at: now + 3_600,
    };
    [Change::InsertSession(session), Change::PutSessionClient(client)]
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_and_a_disabled_account_end_all_sessions_and_their_clients_are_told() {
    let database = Database::sqlite();
    let key = database.folder().join("master.key");
    std::fs::write(&key, "q83vASNFZ4mrze8BI0VniZ8Hd1pLTiycY_8oEQ1aP3k").unwrap();
    let key = key.to_str().unwrap();
    let on = |arguments: &[&str]| {
        let all: Vec<String> = arguments
            .iter()
            .chain(&["--database-url", &database.url, "--master-key-file", key])
            .map(ToString::to_string)
            .collect();
        async move { signet(&all.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    on(&["migrate"]).await;
    on(&["tenant", "create", "one", "--issuer", "https://one.example"]).await;
    for name in ["ada", "bob"] {
        on(&["user", "create", name]).await;
    }
    let (store, now) = (database.store().await, Clock::system().now());
    let tenant = store.tenants().await.unwrap().remove(0).id;
    let rp = relying_party(&tenant, now);
    store.apply(&tenant, &[Change::InsertClient(rp.clone())]).await.unwrap();
    let file = |name: &str, user: serde_json::Value| {
        let path = database.folder().join(name);
        std::fs::write(&path, serde_json::json!({ "version": 1, "users": [user] }).to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let password = file("password", serde_json::json!({ "username": "ada", "password": "correct horse" }));
    let disabled = file("disabled", serde_json::json!({ "username": "ada", "disabled": true }));
    let enabled = file("enabled", serde_json::json!({ "username": "ada" }));
    for (command, arguments, cause) in [
        ("password", vec!["user", "password", "ada"], "password_set"),
        ("declared password", vec!["apply", "--file", &password], "password_set"),
        ("declared disabled", vec!["apply", "--file", &disabled], "user_disabled"),
        ("declared enabled", vec!["apply", "--file", &enabled], ""),
        ("disable", vec!["user", "disable", "ada"], "user_disabled"),
    ] {
        let mut changes = Vec::new();
        for name in ["ada", "bob"] {
            let user = store.user_by_name(&tenant, name).await.unwrap().unwrap();
            let sid = format!("{name} {command}");
            changes.extend(session(&user, sid, &rp, now));
        }
        store.apply(&tenant, &changes).await.unwrap();
        if arguments[0] == "apply" {
            let trial: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
            assert_eq!(on(&trial).await["changed"], true, "{command}");
            let sid = format!("ada {command}");
            assert!(store.session_by_sid(&tenant, &sid).await.unwrap().is_some(), "a trial ends nothing");
        }
        on(&arguments).await;
        // What differs in nothing ends nothing.
        if arguments[0] == "apply" {
            assert_eq!(on(&arguments).await["changed"], false, "{command}");
        }
        let left = async |sid: String| store.session_by_sid(&tenant, &sid).await.unwrap().is_some();
        let ends = !cause.is_empty();
        assert_eq!(left(format!("ada {command}")).await, !ends, "{command}");
        assert!(left(format!("bob {command}")).await, "{command}");
        let due = store.due_logout_deliveries(now + 86_400, 10).await.unwrap();
        let told = due.iter().filter(|one| one.sid == format!("ada {command}")).count();
        let others = due.iter().filter(|one| one.sid.starts_with("bob")).count();
        assert_eq!((told, others), (usize::from(ends), 0), "{command}");
        let trail =
            store.audit(&tenant, &signet_store::AuditFilter { limit: 100, ..Default::default() }).await;
        let trail = trail.unwrap();
        let ended = |event: &&AuditEvent| event.kind == "session.ended" && event.detail["cause"] == cause;
        assert!(
            !ends
                || trail.iter().any(|event| ended(&event) && event.actor.as_deref() == Some("command line"))
        );
    }
    on(&["registration-token", "create", "partners"]).await;
    on(&["registration-token", "delete", "partners"]).await;
    on(&["user", "delete", "bob"]).await;
    // Whatever a command writes names it; the tenant's keys are Signet's own doing.
    let all = signet_store::AuditFilter { limit: 1_000, ..Default::default() };
    let trail = store.audit(&tenant, &all).await.unwrap();
    let nameless = trail.iter().filter(|event| event.actor.as_deref() != Some("command line"));
    let kinds: BTreeSet<&str> = nameless.map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["tenant_key.created"]));
    for kind in ["tenant.created", "user.created", "user.deleted", "registration_token.deleted"] {
        assert!(trail.iter().any(|event| event.kind == kind), "{kind}");
    }
    let said = on(&["audit", "--actor", "command line", "--kind", "user.deleted"]).await;
    assert!(said.as_array().unwrap().len() == 1 && said[0]["actor"] == "command line", "{said}");
    assert_eq!(on(&["audit", "--actor", "ada"]).await, serde_json::json!([]));
    store.close().await;
}
