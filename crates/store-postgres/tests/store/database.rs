//! What is PostgreSQL's own: sessions, locks, lost connections, several nodes.

use std::sync::Arc;
use std::time::Duration;

use super::support::{Fixture, open};
use signet_core::change::{Change, Conflict};
use signet_core::ids::TenantId;
use signet_store::contract::build::{self, event, replay, world};
use signet_store::contract::{Handle, apply, assert_conflict};
use signet_store::{Store, StoreError};
use signet_store_postgres::{PostgresOptions, PostgresStore};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// A session beside the store.
async fn other(fixture: &Fixture) -> PgConnection {
    fixture.url().parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

fn assert_unavailable<T: std::fmt::Debug>(outcome: &signet_store::Result<T>) {
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let options =
        PostgresOptions { acquire_timeout: Duration::from_millis(200), ..PostgresOptions::default() };
    // Port 9, discard: nobody listens.
    assert_unavailable(&PostgresStore::connect("postgres://127.0.0.1:9/none", options).await);
    let unreadable = PostgresStore::connect("postgres://user:secret@[", options).await;
    let Err(StoreError::Corrupt(text)) = unreadable else { panic!("{unreadable:?}") };
    assert!(!text.contains("secret"));
}

/// Three nodes start at once on an empty database.
#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_migrate_at_once() {
    let fixture = open().await;
    let mut other = other(&fixture).await;
    run(&mut other, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
    let store = fixture.store();
    assert!(!store.is_current().await.unwrap());
    let mut nodes = JoinSet::new();
    for _ in 0..3 {
        let store = PostgresStore::connect(fixture.url(), PostgresOptions::default()).await.unwrap();
        nodes.spawn(async move {
            let outcome = store.migrate().await;
            store.close().await;
            outcome
        });
    }
    for outcome in nodes.join_all().await {
        outcome.unwrap();
    }
    assert!(store.is_current().await.unwrap());
    world(store, "one").await;

    // Expand, then contract: an older binary goes on with a newer schema, but not with an altered one.
    run(
        &mut other,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, '\\x00', 0)",
    )
    .await;
    assert!(store.is_current().await.unwrap());
    store.migrate().await.unwrap();
    run(&mut other, "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 2").await;
    assert!(!store.is_current().await.unwrap());
    assert!(matches!(store.migrate().await, Err(StoreError::Corrupt(_))));
    drop(other);
    fixture.close().await;
}

/// A write that does not get its lock in time is given up, and nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_held_elsewhere_makes_a_write_unavailable() {
    let fixture = open().await;
    let options = PostgresOptions { lock_timeout: Duration::from_millis(100), ..PostgresOptions::default() };
    let store: Handle = Arc::new(PostgresStore::connect(fixture.url(), options).await.unwrap());
    let world = world(&store, "one").await;
    let mut other = other(&fixture).await;
    run(&mut other, "BEGIN; SELECT * FROM clients FOR UPDATE").await;
    let mut client = world.client.clone();
    client.version = 2;
    let changes = [Change::ClaimReplay(replay(1)), Change::UpdateClient(client.clone())];
    assert_unavailable(&store.apply(&world.id, &changes).await);
    run(&mut other, "ROLLBACK").await;
    apply(&store, &world.id, &changes).await;
    store.close().await;
    drop(other);
    fixture.close().await;
}

/// A claim that waits for a claim in progress sees how that one ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_given_up() {
    let fixture = open().await;
    let options = PostgresOptions {
        statement_timeout: Duration::from_millis(100),
        lock_timeout: Duration::from_mins(1),
        ..PostgresOptions::default()
    };
    let store: Handle = Arc::new(PostgresStore::connect(fixture.url(), options).await.unwrap());
    let world = world(fixture.store(), "one").await;
    let mut other = other(&fixture).await;
    run(&mut other, "BEGIN; INSERT INTO used_jti VALUES ('00000000-0000-0000-0000-000000000001', 0)").await;
    assert_unavailable(&store.apply(&world.id, &[Change::ClaimReplay(replay(1))]).await);
    run(&mut other, "ROLLBACK").await;
    apply(fixture.store(), &world.id, &[Change::ClaimReplay(replay(1))]).await;
    store.close().await;
    drop(other);
    fixture.close().await;
}

/// Transactions that take the same locks in opposite order: the database ends one, and it is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_tried_again() {
    let fixture = open().await;
    let store = fixture.store();
    let world = world(store, "one").await;
    let (ada, bob) = (build::session(&world.user, "a"), build::session(&world.user, "b"));
    let (a, b) = (ada.hash, bob.hash);
    apply(store, &world.id, &[Change::InsertSession(ada), Change::InsertSession(bob)]).await;
    // Whether two of them cross is up to the machine; most often the first ones do.
    let mut watcher = other(&fixture).await;
    let mut round = 0_i64;
    while deadlocks(&mut watcher).await == 0 {
        assert!(round < 500, "the test made none");
        round += 1;
        let touch = |hash, at| Change::TouchSession { hash, last_seen: build::NOW + at };
        let start = Arc::new(Barrier::new(2));
        let mut both = JoinSet::new();
        for (at, (first, second)) in [(2 * round + 1, (a, b)), (2 * round + 2, (b, a))] {
            let (store, tenant, start) = (store.clone(), world.id.clone(), start.clone());
            // Statements in between give the other side time to take its first lock.
            let between = (0..10)
                .map(|n| Change::Audit(Box::new(event(&tenant, 1000 * u128::from(at.unsigned_abs()) + n))));
            let changes: Vec<Change> =
                [touch(first, at)].into_iter().chain(between).chain([touch(second, at)]).collect();
            both.spawn(async move {
                start.wait().await;
                store.apply(&tenant, &changes).await
            });
        }
        for outcome in both.join_all().await {
            outcome.unwrap();
        }
    }
    drop(watcher);
    fixture.close().await;
}

/// Deadlocks that the database has ended so far. Its sessions report them at least once a second.
async fn deadlocks(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        .fetch_one(connection)
        .await
        .unwrap()
}

/// What is issued while a revocation is in progress waits for it, and is refused.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_issued_past_a_revocation_in_progress() {
    let fixture = open().await;
    let store = fixture.store();
    let world = world(store, "one").await;
    let cases = [(1_u128, Conflict::Code), (2, Conflict::Grant), (3, Conflict::Grant)];
    for (number, conflict) in cases {
        let (grant, code) = world.code(store, number, &format!("code {number}")).await;
        let change = match number {
            1 => build::redeem(&code),
            2 => Change::InsertAccessToken(build::access_token(&grant, "token")),
            _ => Change::InsertCode(build::code(&grant, "second code")),
        };
        let mut other = other(&fixture).await;
        run(&mut other, &format!("BEGIN; UPDATE grants SET revoked_at = 1 WHERE id = '{}'", grant.id)).await;
        let waiting = {
            let (store, tenant) = (store.clone(), world.id.clone());
            tokio::spawn(async move { store.apply(&tenant, &[change]).await })
        };
        while !is_waiting(&mut other).await {
            assert!(!waiting.is_finished(), "{conflict:?} was not made to wait");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        run(&mut other, "COMMIT").await;
        assert_conflict(waiting.await.unwrap(), conflict);
    }
    fixture.close().await;
}

async fn is_waiting(connection: &mut PgConnection) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN
                            (SELECT pid FROM pg_stat_activity WHERE datname = current_database()))",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

/// After a restart of the server, sessions of before are not used for long.
#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_replaced() {
    let fixture = open().await;
    let store = fixture.store();
    let world = world(store, "one").await;
    let mut other = other(&fixture).await;
    run(
        &mut other,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    let mut attempts = 0;
    let found = loop {
        match store.user(&world.id, world.user.id).await {
            Ok(found) => break found,
            Err(StoreError::Unavailable(_)) if attempts < 20 => attempts += 1,
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(found, Some(world.user));
    drop(other);
    fixture.close().await;
}

/// A commit is durable when it returns, and isolation is as the statements assume, whatever the database's defaults.
#[tokio::test]
async fn sessions_do_not_depend_on_the_servers_defaults() {
    let fixture = open().await;
    let mut other = other(&fixture).await;
    run(
        &mut other,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
             EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database());
         END $$",
    )
    .await;
    let store = PostgresStore::connect(fixture.url(), PostgresOptions::default()).await.unwrap();
    let store: Handle = Arc::new(store);
    // A trigger sees the settings of the session that writes.
    run(
        &mut other,
        "CREATE TABLE seen (name text, value text);
         CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO seen SELECT name, setting FROM pg_settings WHERE name IN
                 ('synchronous_commit', 'transaction_isolation', 'statement_timeout', 'lock_timeout', 'application_name');
             RETURN NEW; END $$;
         CREATE TRIGGER look BEFORE INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION look()",
    )
    .await;
    world(&store, "one").await;
    let seen: Vec<(String, String)> =
        sqlx::query_as("SELECT name, value FROM seen ORDER BY name").fetch_all(&mut other).await.unwrap();
    let seen: Vec<(&str, &str)> = seen.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("application_name", "signet"),
        ("lock_timeout", "3000"),
        ("statement_timeout", "5000"),
        ("synchronous_commit", "on"),
        ("transaction_isolation", "read committed"),
    ];
    assert_eq!(seen, expected);
    store.close().await;
    drop(other);
    fixture.close().await;
}

#[tokio::test]
async fn unreadable_rows_and_unknown_constraints_are_corrupt() {
    let fixture = open().await;
    let store = fixture.store();
    let world = world(store, "one").await;
    let mut other = other(&fixture).await;
    run(
        &mut other,
        "UPDATE clients SET settings = '{\"unknown\": 1}';
         UPDATE users SET claims = '[]';
         ALTER TABLE audit ADD CONSTRAINT never CHECK (kind <> 'authorize.accepted')",
    )
    .await;
    let id = TenantId::new("one");
    let outcome = store.client(&id, &world.client.client_id).await;
    assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
    let outcome = store.user(&id, world.user.id).await;
    assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
    let changes = [Change::InsertUser(build::user(&id, 2, "bob")), Change::Audit(Box::new(event(&id, 1)))];
    let outcome = store.apply(&id, &changes).await;
    assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
    assert_eq!(store.user_by_name(&id, "bob").await.unwrap(), None);
    drop(other);
    fixture.close().await;
}
