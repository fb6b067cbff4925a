//! What is SQLite's own: files, locks, durability, damaged rows.

use std::sync::Arc;
use std::time::Duration;

use signet_core::change::Change;
use signet_store::contract::build::{self, NOW, world};
use signet_store::contract::{Handle, apply};
use signet_store::{Store, StoreError};
use signet_store_sqlite::{Durability, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

struct File {
    directory: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    async fn open(&self) -> Handle {
        let path = self.directory.path().join("signet.db");
        let store = SqliteStore::open(&path, Durability::Relaxed).await.unwrap();
        store.migrate().await.unwrap();
        Arc::new(store)
    }

    /// Another process.
    async fn other(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.directory.path().join("signet.db"))
            .busy_timeout(Duration::from_millis(50))
            .connect()
            .await
            .unwrap()
    }

    async fn tamper(&self, sql: &str) {
        let mut other = self.other().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut other).await.unwrap();
        other.close().await.unwrap();
    }
}

fn assert_unavailable<T: std::fmt::Debug>(outcome: &signet_store::Result<T>) {
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}

fn assert_corrupt<T: std::fmt::Debug>(outcome: &signet_store::Result<T>) {
    assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_file_keeps_what_was_written() {
    let file = File::new();
    let store = file.open().await;
    let world = world(&store, "one").await;
    apply(&store, &world.id, &[Change::ClaimReplay(build::replay(1))]).await;
    store.close().await;

    let store = file.open().await;
    assert_eq!(store.user(&world.id, world.user.id).await.unwrap(), Some(world.user));
    let again = store.apply(&world.id, &[Change::ClaimReplay(build::replay(1))]).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "A-52: a restart forgets no jti: {again:?}");
    store.close().await;
}

#[tokio::test]
async fn stores_in_memory_are_apart() {
    let (one, two) = (SqliteStore::ephemeral().await.unwrap(), SqliteStore::ephemeral().await.unwrap());
    one.migrate().await.unwrap();
    two.migrate().await.unwrap();
    let one: Handle = Arc::new(one);
    world(&one, "one").await;
    assert!(two.tenants().await.unwrap().is_empty());
}

/// Expand, then contract: an older binary goes on with a newer schema.
#[tokio::test]
async fn a_newer_schema_is_current_and_an_altered_one_is_not() {
    let file = File::new();
    let store = file.open().await;
    file.tamper(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .await;
    assert!(store.is_current().await.unwrap());
    store.migrate().await.unwrap();

    file.tamper("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2").await;
    assert!(!store.is_current().await.unwrap());
    assert_corrupt(&store.migrate().await);
    file.tamper("DELETE FROM _sqlx_migrations WHERE version = 2").await;
    assert!(!store.is_current().await.unwrap());
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing").join("signet.db");
    assert_unavailable(&SqliteStore::open(&missing, Durability::Full).await);
    let garbage = directory.path().join("garbage.db");
    std::fs::write(&garbage, "this is no database, and long enough to have a header ".repeat(40)).unwrap();
    assert_corrupt(&SqliteStore::open(&garbage, Durability::Full).await);
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let file = File::new();
    let store = file.open().await;
    store.close().await;
    assert_unavailable(&store.tenants().await);
    let tenant = build::tenant("one");
    assert_unavailable(&store.apply(&tenant.id.clone(), &[Change::InsertTenant(tenant)]).await);
}

/// Reads go on beside another process' transaction; a write that does not get its turn changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_held_elsewhere_makes_writes_unavailable() {
    let file = File::new();
    let store = file.open().await;
    let world = world(&store, "one").await;
    let mut other = file.other().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    assert!(store.user(&world.id, world.user.id).await.unwrap().is_some());
    assert_unavailable(&store.apply(&world.id, &[Change::ClaimReplay(build::replay(1))]).await);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    apply(&store, &world.id, &[Change::ClaimReplay(build::replay(1))]).await;
}

#[tokio::test]
async fn unreadable_rows_are_reported_and_not_guessed() {
    let file = File::new();
    let store = file.open().await;
    let world = world(&store, "one").await;
    let start = build::interaction(&world.client, "interaction");
    let changes = [
        Change::InsertTenantKey(build::tenant_key(&world.id, "key")),
        Change::InsertClientKey(build::client_key(&world.client, 1, "kid")),
        Change::InsertInteraction(start),
        Change::Audit(Box::new(build::event(&world.id, 1))),
    ];
    apply(&store, &world.id, &changes).await;
    file.tamper(
        "PRAGMA ignore_check_constraints = on;
         UPDATE clients SET settings = '{\"unknown\": 1}';
         UPDATE users SET claims = '[';
         UPDATE tenant_keys SET spec = 'rsa-1024';
         UPDATE client_keys SET origin = 'heaven';
         UPDATE interactions SET stage = 'nowhere', sid = NULL;
         UPDATE audit SET outcome = 'maybe';",
    )
    .await;
    assert_corrupt(&store.client(&world.id, &world.client.client_id).await);
    assert_corrupt(&store.user(&world.id, world.user.id).await);
    assert_corrupt(&store.tenant_keys(&world.id, NOW).await);
    assert_corrupt(&store.client_keys(&world.id, &world.client.client_id).await);
    assert_corrupt(&store.interaction(&world.id, "interaction").await);
    let filter = signet_store::AuditFilter { limit: 1, ..signet_store::AuditFilter::default() };
    assert_corrupt(&store.audit(&world.id, &filter).await);
}

/// A constraint that no rule knows is the database's trouble, not the caller's.
#[tokio::test]
async fn an_unknown_constraint_is_corrupt() {
    let file = File::new();
    let store = file.open().await;
    let world = world(&store, "one").await;
    file.tamper("CREATE TRIGGER never BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'never'); END").await;
    let changes = [
        Change::InsertUser(build::user(&world.id, 2, "bob")),
        Change::Audit(Box::new(build::event(&world.id, 1))),
    ];
    assert_corrupt(&store.apply(&world.id, &changes).await);
    assert_eq!(store.user_by_name(&world.id, "bob").await.unwrap(), None);
}
