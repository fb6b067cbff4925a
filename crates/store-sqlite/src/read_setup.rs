//! Reads of what administrators set up.

use serde_json::{Map, Value};
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientKey, ClientSettings, Tenant, TenantKey, TenantSettings, User};
use signet_store::{Page, Result, backend};
use sqlx::SqlitePool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::failed;

pub(crate) struct ClientRow {
    pub(crate) client_id: String,
    pub(crate) version: i64,
    pub(crate) disabled: bool,
    pub(crate) secret_hash: Option<Vec<u8>>,
    pub(crate) sealed_secret: Option<Vec<u8>>,
    pub(crate) registration_token: Option<Vec<u8>>,
    pub(crate) owner: Option<Uuid>,
    pub(crate) settings: Json<ClientSettings>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl ClientRow {
    pub(crate) fn record(self, tenant: &TenantId) -> Result<Client> {
        Ok(Client {
            tenant: tenant.clone(),
            client_id: ClientId::new(self.client_id),
            version: self.version,
            disabled: self.disabled,
            secret_hash: self.secret_hash.as_deref().map(backend::token_hash).transpose()?,
            sealed_secret: self.sealed_secret,
            registration_token: self.registration_token.as_deref().map(backend::token_hash).transpose()?,
            owner: self.owner,
            settings: self.settings.0,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

pub(crate) struct KeyRow {
    pub(crate) client_id: String,
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) usage: String,
    pub(crate) kid: String,
    pub(crate) thumbprint: String,
    pub(crate) jwk: Json<Map<String, Value>>,
    pub(crate) not_before: Option<i64>,
    pub(crate) not_after: Option<i64>,
    pub(crate) origin: String,
    pub(crate) created_at: i64,
    pub(crate) revoked_at: Option<i64>,
}

impl KeyRow {
    pub(crate) fn record(self, tenant: &TenantId) -> Result<ClientKey> {
        Ok(ClientKey {
            tenant: tenant.clone(),
            client_id: ClientId::new(self.client_id),
            id: self.id,
            name: self.name,
            usage: backend::key_use(&self.usage)?,
            kid: self.kid,
            thumbprint: self.thumbprint,
            jwk: self.jwk.0,
            not_before: self.not_before,
            not_after: self.not_after,
            origin: backend::key_origin(&self.origin)?,
            created_at: self.created_at,
            revoked_at: self.revoked_at,
        })
    }
}

pub(crate) struct UserRow {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) password_hash: Option<String>,
    pub(crate) claims: Json<Map<String, Value>>,
    pub(crate) role: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl UserRow {
    pub(crate) fn record(self, tenant: &TenantId) -> Result<User> {
        Ok(User {
            tenant: tenant.clone(),
            id: self.id,
            username: self.username,
            password_hash: self.password_hash,
            claims: self.claims.0,
            role: self.role.as_deref().map(backend::role).transpose()?,
            disabled: self.disabled,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

pub(crate) async fn clock(pool: &SqlitePool) -> Result<UnixTime> {
    sqlx::query_scalar!(r#"SELECT unixepoch() AS "now!: i64""#).fetch_one(pool).await.map_err(failed)
}

pub(crate) async fn tenants(pool: &SqlitePool) -> Result<Vec<Tenant>> {
    let rows = sqlx::query!(
        r#"SELECT id, issuer, version, settings AS "settings: Json<TenantSettings>", pairwise_salt AS "pairwise_salt!", created_at
           FROM tenants ORDER BY id"#
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Tenant {
                id: TenantId::new(row.id),
                issuer: row.issuer,
                version: row.version,
                settings: row.settings.0,
                pairwise_salt: backend::salt(&row.pairwise_salt)?,
                created_at: row.created_at,
            })
        })
        .collect()
}

pub(crate) async fn tenant_keys(
    pool: &SqlitePool,
    tenant: &TenantId,
    now: UnixTime,
) -> Result<Vec<TenantKey>> {
    let name = tenant.as_str();
    let rows = sqlx::query!(
        r#"SELECT id, usage, spec, algs AS "algs: Json<Vec<String>>",
                  public_jwk AS "public_jwk: Json<Map<String, Value>>", sealed_private,
                  created_at, use_from, use_until, remove_at, revoked_at
           FROM tenant_keys
           WHERE tenant = ?1 AND remove_at > ?2 AND (revoked_at IS NULL OR revoked_at > ?2)
           ORDER BY created_at, id"#,
        name,
        now
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(TenantKey {
                tenant: tenant.clone(),
                id: row.id,
                usage: backend::key_use(&row.usage)?,
                spec: backend::key_spec(&row.spec)?,
                algs: row.algs.0,
                public_jwk: row.public_jwk.0,
                sealed_private: row.sealed_private,
                created_at: row.created_at,
                use_from: row.use_from,
                use_until: row.use_until,
                remove_at: row.remove_at,
                revoked_at: row.revoked_at,
            })
        })
        .collect()
}

pub(crate) async fn client(pool: &SqlitePool, tenant: &TenantId, id: &ClientId) -> Result<Option<Client>> {
    let (name, id) = (tenant.as_str(), id.as_str());
    let row = sqlx::query_as!(
        ClientRow,
        r#"SELECT client_id, version, disabled AS "disabled: bool", secret_hash, sealed_secret, registration_token,
                  owner AS "owner: Uuid", settings AS "settings: Json<ClientSettings>", created_at, updated_at
           FROM clients WHERE tenant = ? AND client_id = ?"#,
        name,
        id
    )
    .fetch_optional(pool)
    .await
    .map_err(failed)?;
    row.map(|row| row.record(tenant)).transpose()
}

pub(crate) async fn clients(pool: &SqlitePool, tenant: &TenantId, page: &Page) -> Result<Vec<Client>> {
    let (name, after, limit) =
        (tenant.as_str(), page.after.as_deref().unwrap_or(""), backend::page_limit(page.limit));
    let rows = sqlx::query_as!(
        ClientRow,
        r#"SELECT client_id, version, disabled AS "disabled: bool", secret_hash, sealed_secret, registration_token,
                  owner AS "owner: Uuid", settings AS "settings: Json<ClientSettings>", created_at, updated_at
           FROM clients WHERE tenant = ? AND client_id > ? ORDER BY client_id LIMIT ?"#,
        name,
        after,
        limit
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn client_keys(
    pool: &SqlitePool,
    tenant: &TenantId,
    client: &ClientId,
) -> Result<Vec<ClientKey>> {
    let (name, id) = (tenant.as_str(), client.as_str());
    let rows = sqlx::query_as!(
        KeyRow,
        r#"SELECT client_id, id AS "id: Uuid", name, usage, kid, thumbprint, jwk AS "jwk: Json<Map<String, Value>>",
                  not_before, not_after, origin, created_at, revoked_at
           FROM client_keys WHERE tenant = ? AND client_id = ? ORDER BY created_at, id"#,
        name,
        id
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn user(pool: &SqlitePool, tenant: &TenantId, id: Uuid) -> Result<Option<User>> {
    let name = tenant.as_str();
    let row = sqlx::query_as!(
        UserRow,
        r#"SELECT id AS "id: Uuid", username, password_hash, claims AS "claims: Json<Map<String, Value>>",
                  role, disabled AS "disabled: bool", version, created_at, updated_at
           FROM users WHERE tenant = ? AND id = ?"#,
        name,
        id
    )
    .fetch_optional(pool)
    .await
    .map_err(failed)?;
    row.map(|row| row.record(tenant)).transpose()
}

pub(crate) async fn user_by_name(
    pool: &SqlitePool,
    tenant: &TenantId,
    username: &str,
) -> Result<Option<User>> {
    let name = tenant.as_str();
    let row = sqlx::query_as!(
        UserRow,
        r#"SELECT id AS "id: Uuid", username, password_hash, claims AS "claims: Json<Map<String, Value>>",
                  role, disabled AS "disabled: bool", version, created_at, updated_at
           FROM users WHERE tenant = ? AND username = ?"#,
        name,
        username
    )
    .fetch_optional(pool)
    .await
    .map_err(failed)?;
    row.map(|row| row.record(tenant)).transpose()
}

pub(crate) async fn users(pool: &SqlitePool, tenant: &TenantId, page: &Page) -> Result<Vec<User>> {
    let (name, after, limit) =
        (tenant.as_str(), page.after.as_deref().unwrap_or(""), backend::page_limit(page.limit));
    let rows = sqlx::query_as!(
        UserRow,
        r#"SELECT id AS "id: Uuid", username, password_hash, claims AS "claims: Json<Map<String, Value>>",
                  role, disabled AS "disabled: bool", version, created_at, updated_at
           FROM users WHERE tenant = ? AND username > ? ORDER BY username LIMIT ?"#,
        name,
        after,
        limit
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}
