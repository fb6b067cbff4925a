//! The audit trail: changes to it are found, what is over is removed, and all of it can be taken along.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use signet_core::audit::chain::{Found, MIN_RETENTION};
use signet_core::change::Change;
use signet_core::context::Context;
use signet_core::ids::TenantId;
use signet_core::records::{AuditEvent, Outcome, Tenant};
use signet_server::audit_chain::{purge, seal, verify};
use signet_server::edge::{Clock, entropy};
use signet_server::vault::Vault;
use signet_store::{AuditFilter, Store};
use signet_tests::database::Database;
use signet_tests::process::{Dev, PATIENCE, binary};
use tokio::process::Command;

/// 32 bytes that nobody uses elsewhere.
const MASTER_KEY: &str = "q83vASNFZ4mrze8BI0VniZ8Hd1pLTiycY_8oEQ1aP3k";

fn vault() -> Vault {
    Vault::from_text(MASTER_KEY).unwrap()
}

/// A command on a database: whether it succeeded, and its standard output.
async fn run(database: &Database, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    command.args(arguments).env("DATABASE_URL", &database.url).env("SIGNET_MASTER_KEY", MASTER_KEY);
    command.env_remove("SIGNET_MASTER_KEY_FILE").kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// What `signet doctor` says of the audit trail, and whether it is content with everything.
async fn doctor(database: &Database) -> (bool, Vec<(String, String)>) {
    let (success, said) = run(database, &["doctor", "--json"]).await;
    let items: Vec<Value> = serde_json::from_str(&said).unwrap();
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let about = items.iter().filter(|item| text(item, "subject").starts_with("audit trail"));
    (success, about.map(|item| (text(item, "verdict"), text(item, "text"))).collect())
}

/// A tenant with its keys, as an operator makes it.
async fn tenant(database: &Database) -> (Arc<dyn Store>, Tenant) {
    assert!(run(database, &["migrate"]).await.0);
    let create = ["tenant", "create", "one", "--issuer", "https://one.example"];
    assert!(run(database, &create).await.0);
    let store = database.store().await;
    let tenant = store.tenants().await.unwrap().remove(0);
    (store, tenant)
}

/// Events of this many logins from `at` on, one a second, the names of the logins from `first` on.
async fn logins(store: &dyn Store, tenant: &TenantId, at: i64, first: i64, count: i64) {
    let entropy = entropy();
    let changes: Vec<Change> = (0..count)
        .map(|n| {
            let context = Context { now: at + n, millis: 0, entropy: entropy.as_ref() };
            let refused = (first + n) % 5 == 0;
            Change::Audit(Box::new(AuditEvent {
                tenant: tenant.clone(),
                id: context.uuid(),
                at: at + n,
                kind: if refused { "authorize.refused" } else { "login.succeeded" }.into(),
                outcome: if refused { Outcome::Refused } else { Outcome::Success },
                reason: refused.then(|| "jti_used".into()),
                correlation_id: format!("login {}", first + n),
                client_id: Some("app".into()),
                user_id: None,
                actor: None,
                detail: [("n".to_owned(), n.into())].into_iter().collect(),
            }))
        })
        .collect();
    store.apply(tenant, &changes).await.unwrap();
}

async fn unsealed(store: &dyn Store, tenant: &TenantId) -> usize {
    store.unsealed_audit(tenant, 1000).await.unwrap().len()
}

/// What is done, how it is undone, and what is said of it.
fn tampering(postgres: bool) -> Vec<(String, String, &'static str)> {
    let id = if postgres {
        "'00000000-0000-7000-8000-000000000001'"
    } else {
        "x'00000000000070008000000000000001'"
    };
    let bytes = |byte: &str| {
        let hex = byte.repeat(32);
        if postgres { format!("'\\x{hex}'") } else { format!("x'{hex}'") }
    };
    let update = |column: &str, now: &str, before: &str, said| {
        let set = |value| format!("UPDATE audit SET {column} = {value} WHERE correlation_id = 'login 12'");
        (set(now), set(before), said)
    };
    let keep = |table: &str, rows: &str, said| {
        (
            format!(
                "CREATE TABLE kept AS SELECT * FROM {table} WHERE {rows}; DELETE FROM {table} WHERE {rows}"
            ),
            format!("INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"),
            said,
        )
    };
    let changed = "link 3 or one of its events was changed";
    vec![
        update("kind", "'login.failed'", "'login.succeeded'", changed),
        update("outcome", "'refused'", "'success'", changed),
        update("client_id", "'other'", "'app'", changed),
        update("actor", "'command line'", "NULL", changed),
        update("detail", r#"'{"n":3}'"#, r#"'{"n":2}'"#, changed),
        update("at", "at + 1", "at - 1", changed),
        update("seal", "2", "3", "link 2 covers 10 events, and 11 are there"),
        update("seal", "NULL", "3", "link 3 covers 10 events, and only 9 are there"),
        update("seal", "99", "3", "1 events belong to link 99, which is not there"),
        keep("audit", "correlation_id = 'login 15'", "link 3 covers 10 events, and only 9 are there"),
        keep("audit_seals", "number = 2", "link 2 is missing; the next one there is 3"),
        (
            format!(
                "INSERT INTO audit (tenant, id, at, kind, outcome, reason, correlation_id, client_id, user_id, detail, seal)
                 SELECT tenant, {id}, at, kind, outcome, reason, 'forged', client_id, user_id, detail, seal
                 FROM audit WHERE correlation_id = 'login 12'"
            ),
            "DELETE FROM audit WHERE correlation_id = 'forged'".into(),
            "link 3 covers 10 events, and 11 are there",
        ),
        (
            format!("UPDATE audit_seals SET purged_at = 9000000000, purge_mac = {} WHERE number = 3;
                     CREATE TABLE kept AS SELECT * FROM audit WHERE seal = 3; DELETE FROM audit WHERE seal = 3", bytes("00")),
            "UPDATE audit_seals SET purged_at = NULL, purge_mac = NULL WHERE number = 3;
             INSERT INTO audit SELECT * FROM kept; DROP TABLE kept".into(),
            "the events of link 3 were removed, and not by Signet",
        ),
        (
            "UPDATE audit_seals SET newest_at = newest_at - 1000000 WHERE number = 3".into(),
            "UPDATE audit_seals SET newest_at = newest_at + 1000000 WHERE number = 3".into(),
            changed,
        ),
    ]
}

/// A hexadecimal digit.
fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap()
}

async fn what_is_changed_is_found(database: Database) {
    let (store, tenant) = tenant(&database).await;
    let now = Clock::system().now();
    let keys = vault().chain_keys();
    // The first link is over what making the tenant has left.
    assert_eq!(seal(store.as_ref(), &keys, &tenant.id, now).await.unwrap(), 1);
    for link in 0..3 {
        logins(store.as_ref(), &tenant.id, now - 100 + link * 10, link * 10, 10).await;
        assert_eq!(seal(store.as_ref(), &keys, &tenant.id, now).await.unwrap(), 1);
    }
    let clean = async || {
        let (content, said) = doctor(&database).await;
        assert!(content, "{said:?}");
        let [(verdict, text)] = said.as_slice() else { panic!("{said:?}") };
        assert!(verdict == "ok" && text.starts_with("4 links over"), "{text}");
        let last = store.last_audit_seal(&tenant.id).await.unwrap().unwrap();
        let mac: String = last.mac.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect();
        assert!(text.ends_with(&format!("the last is 4 with the MAC {mac}")), "{text}");
    };
    clean().await;
    for (change, undo, expected) in tampering(database.is_postgres()) {
        database.execute(&change).await;
        let (content, said) = doctor(&database).await;
        assert!(!content, "{change}");
        let found = said.iter().any(|(verdict, text)| verdict == "wrong" && text.starts_with(expected));
        assert!(found, "{change}: {said:?}");
        database.execute(&undo).await;
    }
    clean().await;
    store.close().await;
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_in_the_trail_is_found_by_doctor_on_sqlite() {
    what_is_changed_is_found(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_in_the_trail_is_found_by_doctor_on_postgres() {
    what_is_changed_is_found(Database::postgres().await).await;
}

async fn several_nodes_make_one_chain(database: Database) {
    let (store, tenant) = tenant(&database).await;
    let keys = vault().chain_keys();
    let now = Clock::system().now();
    let sealers: Vec<_> = (0..4)
        .map(|_| {
            let (store, tenant, keys) = (store.clone(), tenant.id.clone(), vault().chain_keys());
            tokio::spawn(async move {
                for _ in 0..200 {
                    seal(store.as_ref(), &keys, &tenant, now).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            })
        })
        .collect();
    for n in 0..40 {
        logins(store.as_ref(), &tenant.id, now - 100, n * 5, 5).await;
    }
    for sealer in sealers {
        sealer.await.unwrap();
    }
    seal(store.as_ref(), &keys, &tenant.id, now).await.unwrap();
    assert_eq!(unsealed(store.as_ref(), &tenant.id).await, 0);
    let found = verify(store.as_ref(), &keys, &tenant.id).await.unwrap();
    assert!(found.wrong.is_empty() && found.events > 200 && found.links > 1, "{found:?}");
    // Every event is counted once.
    let tallies = store.audit_tallies(&tenant.id, 0).await.unwrap();
    assert_eq!(tallies.iter().map(|tally| tally.count).sum::<i64>(), i64::try_from(found.events).unwrap());
    store.close().await;
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_make_one_chain_on_sqlite() {
    several_nodes_make_one_chain(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_make_one_chain_on_postgres() {
    several_nodes_make_one_chain(Database::postgres().await).await;
}

async fn old_links_are_emptied(database: Database) {
    assert!(run(&database, &["migrate"]).await.0);
    let store = database.store().await;
    let mut tenant = Tenant {
        id: "one".into(),
        issuer: "https://one.example".into(),
        version: 1,
        settings: signet_core::records::TenantSettings::default(),
        pairwise_salt: [7; 32],
        created_at: 0,
    };
    store.apply(&tenant.id, &[Change::InsertTenant(tenant.clone())]).await.unwrap();
    let keys = vault().chain_keys();
    let now = Clock::system().now();
    let entropy = entropy();
    let context = Context { now, millis: 0, entropy: entropy.as_ref() };
    for day in [10, 9, 8, 2, 0] {
        logins(store.as_ref(), &tenant.id, now - day * 86_400 - 100, day * 10, 10).await;
        seal(store.as_ref(), &keys, &tenant.id, now).await.unwrap();
    }
    assert_eq!(
        purge(store.as_ref(), &keys, &tenant, &context).await.unwrap(),
        (0, 0),
        "no setting, no removal"
    );
    tenant.settings.audit_retention = Some(8 * MIN_RETENTION);
    let (one, other) = tokio::join!(
        purge(store.as_ref(), &keys, &tenant, &context),
        purge(store.as_ref(), &keys, &tenant, &context)
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.0 + other.0, one.1 + other.1), (3, 30), "{one:?} {other:?}");
    let told = AuditFilter { kind: Some("audit.purged".into()), limit: 9, ..AuditFilter::default() };
    let told = store.audit(&tenant.id, &told).await.unwrap();
    assert_eq!(told.len(), 1);
    for (fact, number) in [("first_link", 1), ("last_link", 3), ("links", 3), ("events", 30)] {
        assert_eq!(told[0].detail[fact], number, "{fact}");
    }
    let left = AuditFilter { limit: 1000, ..AuditFilter::default() };
    assert_eq!(store.audit(&tenant.id, &left).await.unwrap().len(), 21);
    let Found { links, purged, events, wrong, .. } = verify(store.as_ref(), &keys, &tenant.id).await.unwrap();
    assert_eq!((links, purged, events, wrong), (5, 3, 20, Vec::new()));
    // What was counted stays counted.
    let counted: i64 =
        store.audit_tallies(&tenant.id, 0).await.unwrap().iter().map(|tally| tally.count).sum();
    assert_eq!(counted, 50);
    assert_eq!(purge(store.as_ref(), &keys, &tenant, &context).await.unwrap(), (0, 0));
    store.close().await;
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_links_are_emptied_and_the_chain_stays_good_on_sqlite() {
    old_links_are_emptied(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_links_are_emptied_and_the_chain_stays_good_on_postgres() {
    old_links_are_emptied(Database::postgres().await).await;
}

/// Whoever can write to the database makes links look old, and waits for the job.
async fn a_changed_link_is_not_purged(database: Database) {
    let (store, mut tenant) = tenant(&database).await;
    tenant.settings.audit_retention = Some(30 * MIN_RETENTION);
    let keys = vault().chain_keys();
    let now = Clock::system().now();
    let entropy = entropy();
    let context = Context { now, millis: 0, entropy: entropy.as_ref() };
    seal(store.as_ref(), &keys, &tenant.id, now).await.unwrap();
    for link in 0..3 {
        logins(store.as_ref(), &tenant.id, now - 100 + link * 10, link * 10, 10).await;
        seal(store.as_ref(), &keys, &tenant.id, now).await.unwrap();
    }
    let all = AuditFilter { limit: 1000, ..AuditFilter::default() };
    let count = async || store.audit(&tenant.id, &all).await.unwrap().len();
    let before = count().await;
    let month = 31 * 86_400;
    let links = format!("UPDATE audit_seals SET newest_at = newest_at - {month}");
    let sealed =
        format!("UPDATE audit_seals SET newest_at = newest_at - {month}, sealed_at = sealed_at - {month}");
    let events = format!("UPDATE audit SET at = at - {month}");
    for (forged, undo) in [
        (links.clone(), links.replace(" - ", " + ")),
        (sealed.clone(), sealed.replace(" - ", " + ")),
        (format!("{links}; {events}"), format!("{links}; {events}").replace(" - ", " + ")),
    ] {
        database.execute(&forged).await;
        assert_eq!(purge(store.as_ref(), &keys, &tenant, &context).await.unwrap(), (0, 0), "{forged}");
        assert_eq!(count().await, before, "{forged}");
        assert!(!doctor(&database).await.0, "{forged}");
        database.execute(&undo).await;
        assert!(doctor(&database).await.0, "{undo}");
    }
    // What is over goes; where one link of those was changed, it stays, with all after it.
    let later = Context { now: now + 40 * MIN_RETENTION, ..context };
    database.execute("UPDATE audit SET correlation_id = 'x' WHERE correlation_id = 'login 12'").await;
    let (links, _) = purge(store.as_ref(), &keys, &tenant, &later).await.unwrap();
    assert_eq!(links, 2);
    // Many events under one link are not read to the last one.
    let many = if database.is_postgres() {
        "INSERT INTO audit (tenant, id, at, kind, outcome, correlation_id, detail, seal)
         SELECT 'one', gen_random_uuid(), 1, 'x', 'success', 'x', '{}', 3 FROM generate_series(1, 5000)"
    } else {
        "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 5000)
         INSERT INTO audit (tenant, id, at, kind, outcome, correlation_id, detail, seal)
         SELECT 'one', randomblob(16), 1, 'x', 'success', 'x', '{}', 3 FROM s"
    };
    database.execute(many).await;
    assert_eq!(purge(store.as_ref(), &keys, &tenant, &later).await.unwrap(), (0, 0));
    let (_, said) = doctor(&database).await;
    let told = "link 3 covers 10 events, and 1000 are there";
    assert!(said.iter().any(|(_, text)| text == told), "{said:?}");
    store.close().await;
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_changed_is_not_purged_on_sqlite() {
    a_changed_link_is_not_purged(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_changed_is_not_purged_on_postgres() {
    a_changed_link_is_not_purged(Database::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_makes_links_within_seconds() {
    let database = Database::sqlite();
    let folder = database.folder().to_str().unwrap();
    let node = Dev::start(&["--data", folder, "--database-url", &database.url], &[]).await;
    let store = database.store().await;
    let tenant = store.tenants().await.unwrap().remove(0).id;
    let key = std::fs::read_to_string(database.folder().join("master.key")).unwrap();
    let keys = Vault::from_text(&key).unwrap().chain_keys();
    tokio::time::timeout(PATIENCE, async {
        while unsealed(store.as_ref(), &tenant).await > 0
            || store.last_audit_seal(&tenant).await.unwrap().is_none()
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .unwrap();
    let found = verify(store.as_ref(), &keys, &tenant).await.unwrap();
    assert!(found.wrong.is_empty() && found.events > 0, "{found:?}");
    node.terminate().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_fits_is_exported_line_by_line() {
    let database = Database::sqlite();
    let (store, tenant) = tenant(&database).await;
    let now = Clock::system().now();
    for n in 0..5 {
        logins(store.as_ref(), &tenant.id, now - 10_000 + n * 500, n * 500, 500).await;
    }
    let lines = async |arguments: &[&str]| {
        let (success, said) = run(&database, &[&["audit", "--jsonl"], arguments].concat()).await;
        assert!(success, "{arguments:?}");
        said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let all = lines(&["--client", "app"]).await;
    assert_eq!(all.len(), 2500);
    let logins: Vec<String> = (0..2500).rev().map(|n| format!("login {n}")).collect();
    assert!(all.iter().map(|line| line["correlation_id"].as_str().unwrap()).eq(&logins));
    assert_eq!(lines(&["--kind", "authorize.refused"]).await.len(), 500);
    assert_eq!(lines(&["--outcome", "refused", "--limit", "3"]).await.len(), 3);
    let from = all[999]["at"].as_str().unwrap();
    let until = all[9]["at"].as_str().unwrap();
    assert_eq!(lines(&["--since", from, "--until", until, "--client", "app"]).await.len(), 990);
    assert_eq!(lines(&["--since", "2001-01-01", "--until", "2001-01-02"]).await.len(), 0);
    let (_, said) = run(&database, &["audit", "--outcome", "refused", "--json"]).await;
    let shown: Vec<Value> = serde_json::from_str(&said).unwrap();
    assert!(shown.len() == 50 && shown.iter().all(|event| event["outcome"] == "refused"), "{said}");
    assert!(!run(&database, &["audit", "--since", "yesterday"]).await.0);
    store.close().await;
}
