//! PostgreSQL: production, any number of nodes.

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
use signet_store::{AuditFilter, ClientFilter, Page, Result, Store, StoreError, Swept, UserFilter};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};
use uuid::Uuid;

use crate::fail::failed;

/// A connection that rested longer is tried before it is used again.
const RESTED: Duration = Duration::from_secs(5);

/// How the database is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Most connections of this node.
    pub max_connections: u32,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement may take.
    pub statement_timeout: Duration,
    /// How long a statement waits for another transaction.
    pub lock_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(3),
        }
    }
}

/// A pool of connections to one database.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
    plain: PgConnectOptions,
}

impl PostgresStore {
    /// Connects to the database at `url` (`postgres://..`). Call [`Store::migrate`] before first use.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self> {
        let plain = url
            .parse::<PgConnectOptions>()
            // The text of the error may hold the password.
            .map_err(|_| StoreError::Corrupt("the database URL is not readable".into()))?
            .application_name("signet");
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move { Ok(meta.idle_for < RESTED || connection.ping().await.is_ok()) })
            })
            .connect_with(plain.clone().options(session(&options)))
            .await
            .map_err(failed)?;
        Ok(Self { pool, plain })
    }
}

/// Settings of every session in the pool. A commit is durable when it returns, whatever the server's default: a
/// forgotten `jti` could be used again.
fn session(options: &PostgresOptions) -> [(&'static str, String); 5] {
    let millis = |duration: Duration| duration.as_millis().max(1).to_string();
    [
        ("default_transaction_isolation", "read committed".into()),
        ("synchronous_commit", "on".into()),
        ("statement_timeout", millis(options.statement_timeout)),
        ("lock_timeout", millis(options.lock_timeout)),
        ("idle_in_transaction_session_timeout", millis(options.statement_timeout)),
    ]
}

#[async_trait]
impl Store for PostgresStore {
    async fn tenants(&self) -> Result<Vec<Tenant>> {
        read_setup::tenants(&self.pool).await
    }
    async fn tenant_keys(&self, tenant: &TenantId, now: UnixTime) -> Result<Vec<TenantKey>> {
        read_setup::tenant_keys(&self.pool, tenant, now).await
    }
    async fn client(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Client>> {
        read_setup::client(&self.pool, tenant, id).await
    }
    async fn clients(&self, tenant: &TenantId, page: &Page) -> Result<Vec<Client>> {
        read_setup::clients(&self.pool, tenant, page).await
    }
    async fn client_keys(&self, tenant: &TenantId, id: &ClientId) -> Result<Vec<ClientKey>> {
        read_setup::client_keys(&self.pool, tenant, id).await
    }
    async fn user(&self, tenant: &TenantId, id: Uuid) -> Result<Option<User>> {
        read_setup::user(&self.pool, tenant, id).await
    }
    async fn user_by_name(&self, tenant: &TenantId, username: &str) -> Result<Option<User>> {
        read_setup::user_by_name(&self.pool, tenant, username).await
    }
    async fn users(&self, tenant: &TenantId, page: &Page) -> Result<Vec<User>> {
        read_setup::users(&self.pool, tenant, page).await
    }
    async fn session(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<Session>> {
        read_logins::session(&self.pool, tenant, hash).await
    }
    async fn interaction(&self, tenant: &TenantId, id: &str) -> Result<Option<Interaction>> {
        read_logins::interaction(&self.pool, tenant, id).await
    }
    async fn consent(&self, tenant: &TenantId, user: Uuid, client: &ClientId) -> Result<Option<Consent>> {
        read_logins::consent(&self.pool, tenant, user, client).await
    }
    async fn consents(&self, tenant: &TenantId, user: Uuid) -> Result<Vec<Consent>> {
        read_logins::consents(&self.pool, tenant, user).await
    }
    async fn code(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<Code>> {
        read_logins::code(&self.pool, tenant, hash).await
    }
    async fn access_token(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<AccessToken>> {
        read_logins::access_token(&self.pool, tenant, hash).await
    }
    async fn refresh_token(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<RefreshToken>> {
        read_tokens::refresh_token(&self.pool, tenant, hash).await
    }
    async fn pushed_request(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<PushedRequest>> {
        read_tokens::pushed_request(&self.pool, tenant, hash).await
    }
    async fn device_code(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<DeviceCode>> {
        read_tokens::device_code(&self.pool, tenant, hash).await
    }
    async fn device_by_user_code(&self, tenant: &TenantId, user_code: &str) -> Result<Option<DeviceCode>> {
        read_tokens::device_by_user_code(&self.pool, tenant, user_code).await
    }
    async fn session_by_sid(&self, tenant: &TenantId, sid: &str) -> Result<Option<Session>> {
        read_sessions::session_by_sid(&self.pool, tenant, sid).await
    }
    async fn session_clients(&self, tenant: &TenantId, sid: &str) -> Result<Vec<SessionClient>> {
        read_sessions::session_clients(&self.pool, tenant, sid).await
    }
    async fn logout_delivery(&self, tenant: &TenantId, id: Uuid) -> Result<Option<LogoutDelivery>> {
        read_sessions::logout_delivery(&self.pool, tenant, id).await
    }
    async fn logout_deliveries(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        limit: u32,
    ) -> Result<Vec<LogoutDelivery>> {
        read_sessions::logout_deliveries(&self.pool, tenant, client, limit).await
    }
    async fn due_logout_deliveries(&self, now: UnixTime, limit: u32) -> Result<Vec<LogoutDelivery>> {
        read_sessions::due_logout_deliveries(&self.pool, now, limit).await
    }
    async fn initial_access_token(
        &self,
        tenant: &TenantId,
        hash: &TokenHash,
    ) -> Result<Option<InitialAccessToken>> {
        read_tokens::initial_access_token(&self.pool, tenant, hash).await
    }
    async fn initial_access_tokens(&self, tenant: &TenantId) -> Result<Vec<InitialAccessToken>> {
        read_tokens::initial_access_tokens(&self.pool, tenant).await
    }
    async fn audit(&self, tenant: &TenantId, filter: &AuditFilter) -> Result<Vec<AuditEvent>> {
        read_audit::audit(&self.pool, tenant, filter).await
    }
    async fn find_clients(&self, tenant: &TenantId, filter: &ClientFilter) -> Result<Vec<Client>> {
        read_search::find_clients(&self.pool, tenant, filter).await
    }
    async fn keys_of_clients(&self, tenant: &TenantId, clients: &[ClientId]) -> Result<Vec<ClientKey>> {
        read_search::keys_of_clients(&self.pool, tenant, clients).await
    }
    async fn ending_client_keys(
        &self,
        tenant: &TenantId,
        from: UnixTime,
        until: UnixTime,
        limit: u32,
    ) -> Result<Vec<ClientKey>> {
        read_search::ending_client_keys(&self.pool, tenant, from, until, limit).await
    }
    async fn find_users(&self, tenant: &TenantId, filter: &UserFilter) -> Result<Vec<User>> {
        read_search::find_users(&self.pool, tenant, filter).await
    }
    async fn users_by_email(&self, tenant: &TenantId, email: &str) -> Result<Vec<User>> {
        read_search::users_by_email(&self.pool, tenant, email).await
    }
    async fn credentials(&self, tenant: &TenantId, user: Uuid) -> Result<Vec<Credential>> {
        read_people::credentials(&self.pool, tenant, user).await
    }
    async fn user_link(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<UserLink>> {
        read_people::user_link(&self.pool, tenant, hash).await
    }
    async fn user_sessions(&self, tenant: &TenantId, user: Uuid, now: UnixTime) -> Result<Vec<Session>> {
        read_people::user_sessions(&self.pool, tenant, user, now).await
    }
    async fn receipt(&self, tenant: &TenantId, actor: &str, key: &TokenHash) -> Result<Option<Receipt>> {
        read_people::receipt(&self.pool, tenant, actor, key).await
    }
    async fn unsealed_audit(&self, tenant: &TenantId, limit: u32) -> Result<Vec<AuditEvent>> {
        read_audit::unsealed_audit(&self.pool, tenant, limit).await
    }
    async fn last_audit_seal(&self, tenant: &TenantId) -> Result<Option<AuditSeal>> {
        read_audit::last_audit_seal(&self.pool, tenant).await
    }
    async fn audit_seals(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<AuditSeal>> {
        read_audit::audit_seals(&self.pool, tenant, after, limit).await
    }
    async fn sealed_audit(&self, tenant: &TenantId, number: i64, limit: u32) -> Result<Vec<AuditEvent>> {
        read_audit::sealed_audit(&self.pool, tenant, number, limit).await
    }
    async fn chained_audit(
        &self,
        tenant: &TenantId,
        after: (i64, Uuid),
        limit: u32,
    ) -> Result<Vec<(i64, AuditEvent)>> {
        read_audit::chained_audit(&self.pool, tenant, after, limit).await
    }
    async fn unpurged_audit_seals(&self, tenant: &TenantId, limit: u32) -> Result<Vec<AuditSeal>> {
        read_audit::unpurged_audit_seals(&self.pool, tenant, limit).await
    }
    async fn audit_tallies(&self, tenant: &TenantId, since: i64) -> Result<Vec<AuditTally>> {
        read_audit::audit_tallies(&self.pool, tenant, since).await
    }
    async fn apply(&self, tenant: &TenantId, changes: &[Change]) -> Result<()> {
        apply::apply(&self.pool, tenant, changes).await
    }
    async fn clock(&self) -> Result<UnixTime> {
        read_setup::clock(&self.pool).await
    }
    async fn sweep(&self, now: UnixTime, limit: u32) -> Result<Swept> {
        sweep::sweep(&self.pool, now, limit).await
    }
    async fn migrate(&self) -> Result<()> {
        migrations::run(&self.plain).await
    }
    async fn is_current(&self) -> Result<bool> {
        migrations::is_current(&self.pool).await
    }
    async fn close(&self) {
        self.pool.close().await;
    }
}
