//! Writes of what administrators set up. Each is one statement; its row count decides.

use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientKey, Role, Tenant, TenantKey, User};
use signet_store::{Result, search};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::{failed, found, written};
use crate::write_search;

pub(crate) async fn insert_tenant(connection: &mut SqliteConnection, tenant: &Tenant) -> Result<()> {
    let (id, settings) = (tenant.id.as_str(), Json(&tenant.settings));
    let salt = tenant.pairwise_salt.as_slice();
    let outcome = sqlx::query!(
        "INSERT INTO tenants (id, issuer, version, settings, pairwise_salt, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        id,
        tenant.issuer,
        tenant.version,
        settings,
        salt,
        tenant.created_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// The salt is never changed: subjects would change with it.
pub(crate) async fn update_tenant(connection: &mut SqliteConnection, tenant: &Tenant) -> Result<()> {
    let (id, settings) = (tenant.id.as_str(), Json(&tenant.settings));
    let outcome = sqlx::query!(
        "UPDATE tenants SET issuer = ?2, version = ?3, settings = ?4, created_at = ?5
         WHERE id = ?1 AND version = ?3 - 1",
        id,
        tenant.issuer,
        tenant.version,
        settings,
        tenant.created_at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Version)
}

pub(crate) async fn insert_tenant_key(connection: &mut SqliteConnection, key: &TenantKey) -> Result<()> {
    let (tenant, usage, spec) = (key.tenant.as_str(), key.usage.name(), key.spec.name());
    let (algs, public_jwk) = (Json(&key.algs), Json(&key.public_jwk));
    let outcome = sqlx::query!(
        "INSERT INTO tenant_keys (tenant, id, usage, spec, algs, public_jwk, sealed_private,
                                  created_at, use_from, use_until, remove_at, revoked_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tenant,
        key.id,
        usage,
        spec,
        algs,
        public_jwk,
        key.sealed_private,
        key.created_at,
        key.use_from,
        key.use_until,
        key.remove_at,
        key.revoked_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn end_tenant_key(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: &str,
    use_until: UnixTime,
    remove_at: UnixTime,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE tenant_keys SET use_until = ?3, remove_at = ?4 WHERE tenant = ?1 AND id = ?2",
        tenant,
        id,
        use_until,
        remove_at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Missing)
}

/// A second withdrawal never moves the first one later.
pub(crate) async fn revoke_tenant_key(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: &str,
    at: UnixTime,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE tenant_keys SET revoked_at = min(coalesce(revoked_at, ?3), ?3) WHERE tenant = ?1 AND id = ?2",
        tenant,
        id,
        at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Missing)
}

/// A client's owner is a user of its tenant.
async fn owner_must_exist(connection: &mut SqliteConnection, client: &Client) -> Result<()> {
    let Some(owner) = client.owner else { return Ok(()) };
    let tenant = client.tenant.as_str();
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM users WHERE tenant = ? AND id = ?) AS "found!: bool""#,
        tenant,
        owner
    )
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    if found { Ok(()) } else { Err(Conflict::Missing.into()) }
}

pub(crate) async fn insert_client(connection: &mut SqliteConnection, client: &Client) -> Result<()> {
    let (tenant, id) = (client.tenant.as_str(), client.client_id.as_str());
    let secret_hash = client.secret_hash.as_ref().map(|hash| hash.as_bytes().as_slice());
    let registration_token = client.registration_token.as_ref().map(|hash| hash.as_bytes().as_slice());
    let settings = Json(&client.settings);
    owner_must_exist(&mut *connection, client).await?;
    let outcome = sqlx::query!(
        "INSERT INTO clients (tenant, client_id, version, disabled, secret_hash, sealed_secret, registration_token,
                              settings, created_at, updated_at, owner)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tenant,
        id,
        client.version,
        client.disabled,
        secret_hash,
        client.sealed_secret,
        registration_token,
        settings,
        client.created_at,
        client.updated_at,
        client.owner
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    write_search::client(connection, client).await
}

pub(crate) async fn update_client(connection: &mut SqliteConnection, client: &Client) -> Result<()> {
    let (tenant, id) = (client.tenant.as_str(), client.client_id.as_str());
    let secret_hash = client.secret_hash.as_ref().map(|hash| hash.as_bytes().as_slice());
    let registration_token = client.registration_token.as_ref().map(|hash| hash.as_bytes().as_slice());
    let settings = Json(&client.settings);
    owner_must_exist(&mut *connection, client).await?;
    let outcome = sqlx::query!(
        "UPDATE clients SET version = ?3, disabled = ?4, secret_hash = ?5, sealed_secret = ?6,
                            registration_token = ?7, settings = ?8, created_at = ?9, updated_at = ?10,
                            owner = ?11
         WHERE tenant = ?1 AND client_id = ?2 AND version = ?3 - 1",
        tenant,
        id,
        client.version,
        client.disabled,
        secret_hash,
        client.sealed_secret,
        registration_token,
        settings,
        client.created_at,
        client.updated_at,
        client.owner
    )
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::Version)?;
    write_search::client(connection, client).await
}

/// Keys, consents, grants, codes and tokens go along by their foreign keys.
pub(crate) async fn delete_client(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: &ClientId,
) -> Result<()> {
    let (tenant, id) = (tenant.as_str(), id.as_str());
    let outcome = sqlx::query!("DELETE FROM clients WHERE tenant = ? AND client_id = ?", tenant, id)
        .execute(connection)
        .await;
    found(outcome, Conflict::Missing)
}

pub(crate) async fn insert_client_key(connection: &mut SqliteConnection, key: &ClientKey) -> Result<()> {
    let (tenant, client, jwk) = (key.tenant.as_str(), key.client_id.as_str(), Json(&key.jwk));
    let (usage, origin) = (key.usage.name(), key.origin.name());
    let outcome = sqlx::query!(
        "INSERT INTO client_keys (tenant, client_id, id, name, usage, kid, thumbprint, jwk,
                                  not_before, not_after, origin, created_at, revoked_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tenant,
        client,
        key.id,
        key.name,
        usage,
        key.kid,
        key.thumbprint,
        jwk,
        key.not_before,
        key.not_after,
        origin,
        key.created_at,
        key.revoked_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// What can be changed about a client's key.
pub(crate) struct KeyEdit<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) id: Uuid,
    pub(crate) name: &'a str,
    pub(crate) not_before: Option<UnixTime>,
    pub(crate) not_after: Option<UnixTime>,
}

pub(crate) async fn update_client_key(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    edit: KeyEdit<'_>,
) -> Result<()> {
    let (tenant, client) = (tenant.as_str(), edit.client_id.as_str());
    let outcome = sqlx::query!(
        "UPDATE client_keys SET name = ?4, not_before = ?5, not_after = ?6
         WHERE tenant = ?1 AND client_id = ?2 AND id = ?3",
        tenant,
        client,
        edit.id,
        edit.name,
        edit.not_before,
        edit.not_after
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Missing)
}

/// A second withdrawal never moves the first one later.
pub(crate) async fn revoke_client_key(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    client: &ClientId,
    id: Uuid,
    at: UnixTime,
) -> Result<()> {
    let (tenant, client) = (tenant.as_str(), client.as_str());
    let outcome = sqlx::query!(
        "UPDATE client_keys SET revoked_at = min(coalesce(revoked_at, ?4), ?4)
         WHERE tenant = ?1 AND client_id = ?2 AND id = ?3",
        tenant,
        client,
        id,
        at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Missing)
}

pub(crate) async fn insert_user(connection: &mut SqliteConnection, user: &User) -> Result<()> {
    let (tenant, claims) = (user.tenant.as_str(), Json(&user.claims));
    let (role, email) = (user.role.map(Role::name), search::email_of(user));
    let outcome = sqlx::query!(
        "INSERT INTO users (tenant, id, username, password_hash, claims, disabled, version, created_at, updated_at, role,
                            email)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tenant,
        user.id,
        user.username,
        user.password_hash,
        claims,
        user.disabled,
        user.version,
        user.created_at,
        user.updated_at,
        role,
        email
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    write_search::user(connection, user).await
}

pub(crate) async fn update_user(connection: &mut SqliteConnection, user: &User) -> Result<()> {
    let (tenant, claims) = (user.tenant.as_str(), Json(&user.claims));
    let (role, email) = (user.role.map(Role::name), search::email_of(user));
    let outcome = sqlx::query!(
        "UPDATE users SET username = ?3, password_hash = ?4, claims = ?5, disabled = ?6, version = ?7,
                          created_at = ?8, updated_at = ?9, role = ?10, email = ?11
         WHERE tenant = ?1 AND id = ?2 AND version = ?7 - 1",
        tenant,
        user.id,
        user.username,
        user.password_hash,
        claims,
        user.disabled,
        user.version,
        user.created_at,
        user.updated_at,
        role,
        email
    )
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::Version)?;
    write_search::user(connection, user).await
}

/// The transaction has the write lock: what it reads stays so until it ends.
pub(crate) async fn need_user(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: Uuid,
    version: i64,
) -> Result<()> {
    let tenant = tenant.as_str();
    let found = sqlx::query_scalar!(
        "SELECT version FROM users WHERE tenant = ?1 AND id = ?2 AND version = ?3",
        tenant,
        id,
        version
    )
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    found.map(drop).ok_or_else(|| Conflict::Version.into())
}

/// Sessions, credentials, links, consents, grants, codes and tokens go along by their foreign keys. Clients stay, without an
/// owner; their version counts up, since they have changed.
pub(crate) async fn delete_user(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: Uuid,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE clients SET owner = NULL, version = version + 1 WHERE tenant = ? AND owner = ?",
        tenant,
        id
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    let outcome =
        sqlx::query!("DELETE FROM users WHERE tenant = ? AND id = ?", tenant, id).execute(connection).await;
    found(outcome, Conflict::Missing)
}
