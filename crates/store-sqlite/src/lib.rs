//! SQLite: the embedded default. One connection writes, in a fair queue; others read beside it.

mod apply;
mod fail;
mod migrations;
mod read_audit;
mod read_logins;
mod read_people;
mod read_search;
mod read_sessions;
mod read_setup;
mod read_tokens;
mod sweep;
mod write_audit;
mod write_logins;
mod write_people;
mod write_search;
mod write_sessions;
mod write_setup;
mod write_tokens;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use signet_core::change::Change;
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{
    AccessToken, AuditEvent, AuditSeal, AuditTally, Client, ClientKey, Code, Consent, Credential, DeviceCode,
    InitialAccessToken, Interaction, LogoutDelivery, PushedRequest, Receipt, RefreshToken, Session,
    SessionClient, Tenant, TenantKey, User, UserLink,
};
use signet_store::{AuditFilter, ClientFilter, Page, Result, Store, Swept, UserFilter};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use uuid::Uuid;

use crate::fail::failed;

/// How long a statement waits for a lock, and a caller for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that read beside the writer.
const READERS: u32 = 4;

/// What a committed transaction survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Loss of power (`synchronous = FULL`).
    #[default]
    Full,
    /// A crash of the process; loss of power may take the last moments back, replay entries included.
    Relaxed,
}

/// A database file, or one in memory.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file at `path` and makes it if there is none. Call [`Store::migrate`] before first use.
    pub async fn open(path: &Path, durability: Durability) -> Result<Self> {
        let options = connection()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match durability {
                Durability::Full => SqliteSynchronous::Full,
                Durability::Relaxed => SqliteSynchronous::Normal,
            });
        let writer = single().connect_with(options.clone()).await.map_err(failed)?;
        let readers = pool(READERS).connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { writer, readers })
    }

    /// A database in memory that ends with the store. One connection does everything.
    pub async fn ephemeral() -> Result<Self> {
        let writer = single().connect_with(connection().in_memory(true)).await.map_err(failed)?;
        Ok(Self { readers: writer.clone(), writer })
    }
}

fn connection() -> SqliteConnectOptions {
    SqliteConnectOptions::new().foreign_keys(true).busy_timeout(PATIENCE)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// The one connection stays open: a database in memory lives in it.
fn single() -> SqlitePoolOptions {
    pool(1).min_connections(1)
}

#[async_trait]
impl Store for SqliteStore {
    async fn tenants(&self) -> Result<Vec<Tenant>> {
        read_setup::tenants(&self.readers).await
    }
    async fn tenant_keys(&self, tenant: &TenantId, now: UnixTime) -> Result<Vec<TenantKey>> {
        read_setup::tenant_keys(&self.readers, tenant, now).await
    }
    async fn client(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Client>> {
        read_setup::client(&self.readers, tenant, id).await
    }
    async fn clients(&self, tenant: &TenantId, page: &Page) -> Result<Vec<Client>> {
        read_setup::clients(&self.readers, tenant, page).await
    }
    async fn client_keys(&self, tenant: &TenantId, id: &ClientId) -> Result<Vec<ClientKey>> {
        read_setup::client_keys(&self.readers, tenant, id).await
    }
    async fn user(&self, tenant: &TenantId, id: Uuid) -> Result<Option<User>> {
        read_setup::user(&self.readers, tenant, id).await
    }
    async fn user_by_name(&self, tenant: &TenantId, username: &str) -> Result<Option<User>> {
        read_setup::user_by_name(&self.readers, tenant, username).await
    }
    async fn users(&self, tenant: &TenantId, page: &Page) -> Result<Vec<User>> {
        read_setup::users(&self.readers, tenant, page).await
    }
    async fn session(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<Session>> {
        read_logins::session(&self.readers, tenant, hash).await
    }
    async fn interaction(&self, tenant: &TenantId, id: &str) -> Result<Option<Interaction>> {
        read_logins::interaction(&self.readers, tenant, id).await
    }
    async fn consent(&self, tenant: &TenantId, user: Uuid, client: &ClientId) -> Result<Option<Consent>> {
        read_logins::consent(&self.readers, tenant, user, client).await
    }
    async fn consents(&self, tenant: &TenantId, user: Uuid) -> Result<Vec<Consent>> {
        read_logins::consents(&self.readers, tenant, user).await
    }
    async fn code(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<Code>> {
        read_logins::code(&self.readers, tenant, hash).await
    }
    async fn access_token(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<AccessToken>> {
        read_logins::access_token(&self.readers, tenant, hash).await
    }
    async fn refresh_token(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<RefreshToken>> {
        read_tokens::refresh_token(&self.readers, tenant, hash).await
    }
    async fn pushed_request(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<PushedRequest>> {
        read_tokens::pushed_request(&self.readers, tenant, hash).await
    }
    async fn device_code(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<DeviceCode>> {
        read_tokens::device_code(&self.readers, tenant, hash).await
    }
    async fn device_by_user_code(&self, tenant: &TenantId, user_code: &str) -> Result<Option<DeviceCode>> {
        read_tokens::device_by_user_code(&self.readers, tenant, user_code).await
    }
    async fn session_by_sid(&self, tenant: &TenantId, sid: &str) -> Result<Option<Session>> {
        read_sessions::session_by_sid(&self.readers, tenant, sid).await
    }
    async fn session_clients(&self, tenant: &TenantId, sid: &str) -> Result<Vec<SessionClient>> {
        read_sessions::session_clients(&self.readers, tenant, sid).await
    }
    async fn logout_delivery(&self, tenant: &TenantId, id: Uuid) -> Result<Option<LogoutDelivery>> {
        read_sessions::logout_delivery(&self.readers, tenant, id).await
    }
    async fn logout_deliveries(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        limit: u32,
    ) -> Result<Vec<LogoutDelivery>> {
        read_sessions::logout_deliveries(&self.readers, tenant, client, limit).await
    }
    async fn due_logout_deliveries(&self, now: UnixTime, limit: u32) -> Result<Vec<LogoutDelivery>> {
        read_sessions::due_logout_deliveries(&self.readers, now, limit).await
    }
    async fn initial_access_token(
        &self,
        tenant: &TenantId,
        hash: &TokenHash,
    ) -> Result<Option<InitialAccessToken>> {
        read_tokens::initial_access_token(&self.readers, tenant, hash).await
    }
    async fn initial_access_tokens(&self, tenant: &TenantId) -> Result<Vec<InitialAccessToken>> {
        read_tokens::initial_access_tokens(&self.readers, tenant).await
    }
    async fn audit(&self, tenant: &TenantId, filter: &AuditFilter) -> Result<Vec<AuditEvent>> {
        read_audit::audit(&self.readers, tenant, filter).await
    }
    async fn find_clients(&self, tenant: &TenantId, filter: &ClientFilter) -> Result<Vec<Client>> {
        read_search::find_clients(&self.readers, tenant, filter).await
    }
    async fn keys_of_clients(&self, tenant: &TenantId, clients: &[ClientId]) -> Result<Vec<ClientKey>> {
        read_search::keys_of_clients(&self.readers, tenant, clients).await
    }
    async fn ending_client_keys(
        &self,
        tenant: &TenantId,
        from: UnixTime,
        until: UnixTime,
        limit: u32,
    ) -> Result<Vec<ClientKey>> {
        read_search::ending_client_keys(&self.readers, tenant, from, until, limit).await
    }
    async fn find_users(&self, tenant: &TenantId, filter: &UserFilter) -> Result<Vec<User>> {
        read_search::find_users(&self.readers, tenant, filter).await
    }
    async fn users_by_email(&self, tenant: &TenantId, email: &str) -> Result<Vec<User>> {
        read_search::users_by_email(&self.readers, tenant, email).await
    }
    async fn credentials(&self, tenant: &TenantId, user: Uuid) -> Result<Vec<Credential>> {
        read_people::credentials(&self.readers, tenant, user).await
    }
    async fn user_link(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<UserLink>> {
        read_people::user_link(&self.readers, tenant, hash).await
    }
    async fn user_sessions(&self, tenant: &TenantId, user: Uuid, now: UnixTime) -> Result<Vec<Session>> {
        read_people::user_sessions(&self.readers, tenant, user, now).await
    }
    async fn receipt(&self, tenant: &TenantId, actor: &str, key: &TokenHash) -> Result<Option<Receipt>> {
        read_people::receipt(&self.readers, tenant, actor, key).await
    }
    async fn unsealed_audit(&self, tenant: &TenantId, limit: u32) -> Result<Vec<AuditEvent>> {
        read_audit::unsealed_audit(&self.readers, tenant, limit).await
    }
    async fn last_audit_seal(&self, tenant: &TenantId) -> Result<Option<AuditSeal>> {
        read_audit::last_audit_seal(&self.readers, tenant).await
    }
    async fn audit_seals(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<AuditSeal>> {
        read_audit::audit_seals(&self.readers, tenant, after, limit).await
    }
    async fn sealed_audit(&self, tenant: &TenantId, number: i64, limit: u32) -> Result<Vec<AuditEvent>> {
        read_audit::sealed_audit(&self.readers, tenant, number, limit).await
    }
    async fn chained_audit(
        &self,
        tenant: &TenantId,
        after: (i64, Uuid),
        limit: u32,
    ) -> Result<Vec<(i64, AuditEvent)>> {
        read_audit::chained_audit(&self.readers, tenant, after, limit).await
    }
    async fn unpurged_audit_seals(&self, tenant: &TenantId, limit: u32) -> Result<Vec<AuditSeal>> {
        read_audit::unpurged_audit_seals(&self.readers, tenant, limit).await
    }
    async fn audit_tallies(&self, tenant: &TenantId, since: i64) -> Result<Vec<AuditTally>> {
        read_audit::audit_tallies(&self.readers, tenant, since).await
    }
    async fn apply(&self, tenant: &TenantId, changes: &[Change]) -> Result<()> {
        apply::apply(&self.writer, tenant, changes).await
    }
    async fn clock(&self) -> Result<UnixTime> {
        read_setup::clock(&self.readers).await
    }
    async fn sweep(&self, now: UnixTime, limit: u32) -> Result<Swept> {
        sweep::sweep(&self.writer, now, limit).await
    }
    async fn migrate(&self) -> Result<()> {
        migrations::run(&self.writer).await
    }
    async fn is_current(&self) -> Result<bool> {
        migrations::is_current(&self.readers).await
    }
    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pragma(pool: &SqlitePool, name: &str) -> String {
        let sql = sqlx::AssertSqlSafe(format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"));
        sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
    }

    /// synchronous: 2 is FULL, 1 is NORMAL.
    #[tokio::test]
    async fn connections_are_set_up_as_documented() {
        for (durability, synchronous) in [(Durability::Full, "2"), (Durability::Relaxed, "1")] {
            let directory = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(&directory.path().join("db"), durability).await.unwrap();
            for pool in [&store.writer, &store.readers] {
                assert_eq!(pragma(pool, "journal_mode").await, "wal");
                assert_eq!(pragma(pool, "synchronous").await, synchronous);
                assert_eq!(pragma(pool, "foreign_keys").await, "1");
            }
            assert_eq!(pragma(&store.writer, "query_only").await, "0");
            assert_eq!(pragma(&store.readers, "query_only").await, "1");
            assert_eq!(store.writer.options().get_max_connections(), 1);
        }
        let store = SqliteStore::ephemeral().await.unwrap();
        assert_eq!(pragma(&store.writer, "foreign_keys").await, "1");
    }
}
