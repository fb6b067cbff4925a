//! The store: reads, and one `apply` for every write. Backends differ only below this trait, and
//! every backend passes the same contract suite.

pub mod backend;
#[cfg(feature = "contract")]
pub mod contract;
pub mod search;

use async_trait::async_trait;
use signet_core::change::{Change, Conflict};
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{
    AccessToken, AuditEvent, AuditSeal, AuditTally, Client, ClientKey, Code, Consent, Credential, DeviceCode,
    InitialAccessToken, Interaction, LogoutDelivery, Outcome, PushedRequest, Receipt, RefreshToken, Role,
    Session, SessionClient, Tenant, TenantKey, User, UserLink,
};
use uuid::Uuid;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The state was not the one a change expected; nothing was written.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The database cannot be reached or did not answer in time; nothing may be assumed.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row does not read back as what was written, or a statement failed for good.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}

/// Result of a store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// One page of a listing, ordered by name; `after` is the last name of the page before.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Only names greater than this.
    pub after: Option<String>,
    /// At most this many rows (1 to 1000).
    pub limit: u32,
}

/// Which clients to list; ordered by `client_id`.
#[derive(Clone, Debug, Default)]
pub struct ClientFilter {
    /// Only those whose `client_id`, name or host of a redirect URI has this in it, in whatever case; of less than three
    /// characters, begins with it.
    pub search: Option<String>,
    /// Only this developer's.
    pub owner: Option<Uuid>,
    /// Only those that are disabled, or those that are not.
    pub disabled: Option<bool>,
    /// Which of them.
    pub page: Page,
}

/// Which users to list; ordered by username.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Only those whose username, `email` or name has this in it, in whatever case; of less than three characters, begins
    /// with it.
    pub search: Option<String>,
    /// Only with this role.
    pub role: Option<Role>,
    /// Only those that are disabled, or those that are not.
    pub disabled: Option<bool>,
    /// Which of them.
    pub page: Page,
}

/// Which audit events to list; newest first. Their ids are ordered by time (UUID version 7), so a span of time is one of ids.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only at this instant or later.
    pub since: Option<UnixTime>,
    /// Only before this instant.
    pub until: Option<UnixTime>,
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only this user's.
    pub user_id: Option<Uuid>,
    /// Only what this one did: the label of a [`signet_core::audit::By`].
    pub actor: Option<String>,
    /// Only with this reason code.
    pub reason: Option<String>,
    /// Only of this login.
    pub correlation_id: Option<String>,
    /// Only older than this event.
    pub before: Option<Uuid>,
    /// At most this many rows (1 to 1000).
    pub limit: u32,
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows deleted, all tables together.
    pub rows: u64,
    /// Whether more rows are waiting.
    pub more: bool,
}

/// Persistence. Every method but [`Store::tenants`] and the operational ones takes the tenant first
/// and neither sees nor changes another tenant's rows.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Every tenant, ordered by id.
    async fn tenants(&self) -> Result<Vec<Tenant>>;
    /// The tenant's key pairs that are not past `remove_at` and not revoked at `now`, oldest first.
    async fn tenant_keys(&self, tenant: &TenantId, now: UnixTime) -> Result<Vec<TenantKey>>;

    /// One client.
    async fn client(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Client>>;
    /// Clients by id.
    async fn clients(&self, tenant: &TenantId, page: &Page) -> Result<Vec<Client>>;
    /// Every key of a client, revoked and expired ones included, oldest first (`created_at`, then `id`).
    async fn client_keys(&self, tenant: &TenantId, id: &ClientId) -> Result<Vec<ClientKey>>;

    /// Clients as filtered.
    async fn find_clients(&self, tenant: &TenantId, filter: &ClientFilter) -> Result<Vec<Client>>;
    /// Every key of these clients, revoked and expired ones included, by client, then oldest first; at most 1000 clients.
    async fn keys_of_clients(&self, tenant: &TenantId, clients: &[ClientId]) -> Result<Vec<ClientKey>>;
    /// Keys of clients that are not revoked and whose period ends in `from..until`, the first to end first; at most `limit`
    /// (1 to 1000).
    async fn ending_client_keys(
        &self,
        tenant: &TenantId,
        from: UnixTime,
        until: UnixTime,
        limit: u32,
    ) -> Result<Vec<ClientKey>>;
    /// Users as filtered.
    async fn find_users(&self, tenant: &TenantId, filter: &UserFilter) -> Result<Vec<User>>;
    /// Users with this `email` claim, in whatever case, by username; at most 10.
    async fn users_by_email(&self, tenant: &TenantId, email: &str) -> Result<Vec<User>>;
    /// What a user can prove themselves with besides the password, oldest first (`created_at`, then `id`).
    async fn credentials(&self, tenant: &TenantId, user: Uuid) -> Result<Vec<Credential>>;
    /// A link by the hash of its secret; expired ones included until swept.
    async fn user_link(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<UserLink>>;
    /// Every session of a user that has not ended at `now`, the last used first.
    async fn user_sessions(&self, tenant: &TenantId, user: Uuid, now: UnixTime) -> Result<Vec<Session>>;
    /// What became of a creation with this idempotency key; expired ones included until swept.
    async fn receipt(&self, tenant: &TenantId, actor: &str, key: &TokenHash) -> Result<Option<Receipt>>;

    /// One user by `sub`.
    async fn user(&self, tenant: &TenantId, id: Uuid) -> Result<Option<User>>;
    /// One user by username (lower case).
    async fn user_by_name(&self, tenant: &TenantId, username: &str) -> Result<Option<User>>;
    /// Users by username.
    async fn users(&self, tenant: &TenantId, page: &Page) -> Result<Vec<User>>;

    /// A session by the hash of its cookie.
    async fn session(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<Session>>;
    /// An interaction by id.
    async fn interaction(&self, tenant: &TenantId, id: &str) -> Result<Option<Interaction>>;
    /// The consent of a user to a client.
    async fn consent(&self, tenant: &TenantId, user: Uuid, client: &ClientId) -> Result<Option<Consent>>;
    /// Every consent of a user, by client id.
    async fn consents(&self, tenant: &TenantId, user: Uuid) -> Result<Vec<Consent>>;
    /// A code by hash, redeemed and expired ones included.
    async fn code(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<Code>>;
    /// An access token by hash whose grant stands unrevoked; expired ones included until swept.
    async fn access_token(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<AccessToken>>;
    /// A refresh token by hash whose grant stands unrevoked; exchanged, superseded and expired ones included until swept.
    async fn refresh_token(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<RefreshToken>>;
    /// A pushed authorization request by the hash of its `request_uri`; expired ones included until swept.
    async fn pushed_request(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<PushedRequest>>;
    /// A device authorization by the hash of its device code; expired ones included until swept.
    async fn device_code(&self, tenant: &TenantId, hash: &TokenHash) -> Result<Option<DeviceCode>>;
    /// A device authorization by its user code, in plain form; expired ones included until swept.
    async fn device_by_user_code(&self, tenant: &TenantId, user_code: &str) -> Result<Option<DeviceCode>>;
    /// A session by its public id.
    async fn session_by_sid(&self, tenant: &TenantId, sid: &str) -> Result<Option<Session>>;
    /// The clients that a session has logged in to, by client id.
    async fn session_clients(&self, tenant: &TenantId, sid: &str) -> Result<Vec<SessionClient>>;
    /// One logout delivery.
    async fn logout_delivery(&self, tenant: &TenantId, id: Uuid) -> Result<Option<LogoutDelivery>>;
    /// Logout deliveries of a client, newest first; at most `limit` (1 to 1000).
    async fn logout_deliveries(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        limit: u32,
    ) -> Result<Vec<LogoutDelivery>>;
    /// Deliveries of every tenant that are due at `now`, the longest waiting first; at most `limit` (1 to 1000).
    async fn due_logout_deliveries(&self, now: UnixTime, limit: u32) -> Result<Vec<LogoutDelivery>>;
    /// An initial access token by hash; used up and expired ones included.
    async fn initial_access_token(
        &self,
        tenant: &TenantId,
        hash: &TokenHash,
    ) -> Result<Option<InitialAccessToken>>;
    /// Every initial access token, by name.
    async fn initial_access_tokens(&self, tenant: &TenantId) -> Result<Vec<InitialAccessToken>>;
    /// Audit events, newest first.
    async fn audit(&self, tenant: &TenantId, filter: &AuditFilter) -> Result<Vec<AuditEvent>>;

    /// Audit events that no link of the chain covers yet, by id; at most `limit` (1 to 1000).
    async fn unsealed_audit(&self, tenant: &TenantId, limit: u32) -> Result<Vec<AuditEvent>>;
    /// The last link of the audit chain.
    async fn last_audit_seal(&self, tenant: &TenantId) -> Result<Option<AuditSeal>>;
    /// Links of the audit chain whose number is greater than `after`, by number; at most `limit` (1 to 1000).
    async fn audit_seals(&self, tenant: &TenantId, after: i64, limit: u32) -> Result<Vec<AuditSeal>>;
    /// The events that say that a link covers them, by id; at most `limit` (1 to 1000).
    async fn sealed_audit(&self, tenant: &TenantId, number: i64, limit: u32) -> Result<Vec<AuditEvent>>;
    /// Events of the whole chain with the number of their link, by number, then by id, after the one named; at most `limit`
    /// (1 to 1000). Those of a number that no link has are among them.
    async fn chained_audit(
        &self,
        tenant: &TenantId,
        after: (i64, Uuid),
        limit: u32,
    ) -> Result<Vec<(i64, AuditEvent)>>;
    /// Links whose events are still there, by number; at most `limit` (1 to 1000).
    async fn unpurged_audit_seals(&self, tenant: &TenantId, limit: u32) -> Result<Vec<AuditSeal>>;
    /// Tallies of the days from `since` on, by day, kind, outcome and reason.
    async fn audit_tallies(&self, tenant: &TenantId, since: i64) -> Result<Vec<AuditTally>>;

    /// Applies all changes in one transaction, in their order, or none. A change whose record names another tenant
    /// than `tenant` is refused as [`StoreError::Corrupt`].
    ///
    /// Beside what each [`Change`] documents: adding what is there already is [`Conflict::Exists`]; a record that
    /// refers to a tenant, client or user that is gone is [`Conflict::Missing`]; a code or token that is not of
    /// the client and user of a standing grant is [`Conflict::Grant`]; an interaction that is finished never changes.
    async fn apply(&self, tenant: &TenantId, changes: &[Change]) -> Result<()>;

    /// The database's own clock.
    async fn clock(&self) -> Result<UnixTime>;
    /// Deletes up to `limit` rows per table that are past use at `now`: replay entries, interactions, sessions and what they
    /// have logged in to, pushed requests, device codes, links to people, receipts, logout deliveries a week after they were
    /// settled, and grants with all codes and tokens (of every kind) under them once the last one has expired. So a redeemed
    /// code stays as long as its tokens, and its second use still ends them (RFC 6749 section 4.1.2). Audit events stay. Replay
    /// entries get [`backend::REPLAY_GRACE`] on top.
    async fn sweep(&self, now: UnixTime, limit: u32) -> Result<Swept>;
    /// Brings the schema up to this binary's version.
    async fn migrate(&self) -> Result<()>;
    /// Whether the schema is the one this binary needs.
    async fn is_current(&self) -> Result<bool>;
    /// Closes every connection; waits for those in use.
    async fn close(&self);
}
