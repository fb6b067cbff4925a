//! Writes of refresh tokens, and of what waits for a person or a client: pushed requests, devices, registrations.

use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{DeviceCode, DeviceStage, InitialAccessToken, PushedRequest, RefreshToken};
use signet_store::{Result, backend};
use sqlx::PgConnection;

use crate::fail::{failed, found, json, written};

/// Locks the grant, so that nothing is issued under one that is being revoked, and lets it live as long as the token.
pub(crate) async fn insert_refresh_token(connection: &mut PgConnection, token: &RefreshToken) -> Result<()> {
    let (tenant, hash) = (token.tenant.as_str(), token.hash.as_bytes().as_slice());
    let (client, user) = (token.client_id.as_str(), token.authentication.user_id);
    let (request, scope, authentication) =
        (json(&token.request)?, json(&token.scope)?, json(&token.authentication)?);
    let end = backend::refresh_end(token);
    let parent = token.parent.as_ref().map(|parent| parent.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "WITH standing AS (
             SELECT tenant, id FROM grants
             WHERE tenant = $1 AND id = $3 AND client_id = $15 AND user_id = $16 AND revoked_at IS NULL
             FOR NO KEY UPDATE),
         prolonged AS (
             UPDATE grants SET ends_at = $17 FROM standing
             WHERE grants.tenant = standing.tenant AND grants.id = standing.id AND grants.ends_at < $17)
         INSERT INTO refresh_tokens (tenant, hash, grant_id, request, scope, authentication, correlation_id, parent,
                                     rotations, rotated_at, superseded_at, issued_at, expires_at, chain_expires_at)
         SELECT tenant, $2, id, $4::text::json, $5::text::json, $6::text::json, $7, $8, $9, $10, $11, $12, $13, $14
         FROM standing",
        tenant,
        hash,
        token.grant_id,
        request,
        scope,
        authentication,
        token.correlation_id,
        parent,
        token.rotations,
        token.rotated_at,
        token.superseded_at,
        token.issued_at,
        token.expires_at,
        token.chain_expires_at,
        client,
        user,
        end
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Grant)
}

/// Locks the grant first: exchanges of one chain, and its revocation, follow each other. The first exchange keeps its
/// instant. Where there was one before, its successors are out of the race only as long as none of them was used; to see
/// that, a statement must begin when the lock is held.
pub(crate) async fn rotate_refresh_token(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    client: &ClientId,
    rotations: i64,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash, client) = (tenant.as_str(), hash.as_bytes().as_slice(), client.as_str());
    if rotations > 0 {
        lock_chain(connection, tenant, hash).await?;
    }
    let outcome = sqlx::query!(
        "WITH standing AS (
             SELECT g.tenant, g.id FROM grants g JOIN refresh_tokens t ON t.tenant = g.tenant AND t.grant_id = g.id
             WHERE t.tenant = $1 AND t.hash = $2 AND g.client_id = $3 AND g.revoked_at IS NULL
             FOR NO KEY UPDATE OF g)
         UPDATE refresh_tokens t SET rotations = t.rotations + 1, rotated_at = coalesce(t.rotated_at, $5)
         FROM standing
         WHERE t.tenant = $1 AND t.hash = $2 AND t.rotations = $4 AND t.superseded_at IS NULL
           AND t.expires_at > $5 AND t.chain_expires_at > $5
           AND standing.tenant = t.tenant AND standing.id = t.grant_id
           AND NOT EXISTS (SELECT 1 FROM refresh_tokens s WHERE s.tenant = $1 AND s.parent = $2 AND s.rotations > 0)",
        tenant,
        hash,
        client,
        rotations,
        at
    )
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::RefreshToken)?;
    if rotations == 0 {
        return Ok(());
    }
    let outcome = sqlx::query!(
        "UPDATE refresh_tokens SET superseded_at = $3
         WHERE tenant = $1 AND parent = $2 AND superseded_at IS NULL",
        tenant,
        hash,
        at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

async fn lock_chain(connection: &mut PgConnection, tenant: &str, hash: &[u8]) -> Result<()> {
    let outcome = sqlx::query!(
        "SELECT g.id FROM grants g JOIN refresh_tokens t ON t.tenant = g.tenant AND t.grant_id = g.id
         WHERE t.tenant = $1 AND t.hash = $2 FOR NO KEY UPDATE OF g",
        tenant,
        hash
    )
    .fetch_optional(connection)
    .await;
    outcome.map(drop).map_err(failed)
}

/// Locks the grant first, like an exchange; it lives as long as the token.
pub(crate) async fn prolong_refresh_token(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    client: &ClientId,
    at: UnixTime,
    expires_at: UnixTime,
) -> Result<()> {
    let (tenant, hash, client) = (tenant.as_str(), hash.as_bytes().as_slice(), client.as_str());
    let outcome = sqlx::query!(
        "WITH standing AS (
             SELECT g.tenant, g.id FROM grants g JOIN refresh_tokens t ON t.tenant = g.tenant AND t.grant_id = g.id
             WHERE t.tenant = $1 AND t.hash = $2 AND g.client_id = $3 AND g.revoked_at IS NULL
             FOR NO KEY UPDATE OF g),
         moved AS (
             UPDATE refresh_tokens t SET expires_at = $5 FROM standing
             WHERE t.tenant = $1 AND t.hash = $2 AND t.rotations = 0 AND t.superseded_at IS NULL
               AND t.expires_at > $4 AND t.chain_expires_at > $4
               AND standing.tenant = t.tenant AND standing.id = t.grant_id
             RETURNING t.tenant, t.grant_id, least($5, t.chain_expires_at) AS end_at)
         UPDATE grants SET ends_at = greatest(grants.ends_at, moved.end_at) FROM moved
         WHERE grants.tenant = moved.tenant AND grants.id = moved.grant_id",
        tenant,
        hash,
        client,
        at,
        expires_at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::RefreshToken)
}

pub(crate) async fn insert_pushed_request(
    connection: &mut PgConnection,
    pushed: &PushedRequest,
) -> Result<()> {
    let (tenant, hash) = (pushed.tenant.as_str(), pushed.hash.as_bytes().as_slice());
    let (client, request) = (pushed.request.client_id.as_str(), json(&pushed.request)?);
    let outcome = sqlx::query!(
        "INSERT INTO pushed_requests (tenant, hash, client_id, request, correlation_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4::text::json, $5, $6, $7)",
        tenant,
        hash,
        client,
        request,
        pushed.correlation_id,
        pushed.created_at,
        pushed.expires_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn take_pushed_request(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    client: &ClientId,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash, client) = (tenant.as_str(), hash.as_bytes().as_slice(), client.as_str());
    let outcome = sqlx::query!(
        "DELETE FROM pushed_requests WHERE tenant = $1 AND hash = $2 AND client_id = $3 AND expires_at > $4",
        tenant,
        hash,
        client,
        at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::PushedRequest)
}

/// A user code is unique while it lives: one that has expired gives way, swept or not.
pub(crate) async fn insert_device_code(connection: &mut PgConnection, device: &DeviceCode) -> Result<()> {
    let (tenant, hash) = (device.tenant.as_str(), device.hash.as_bytes().as_slice());
    let (client, request) = (device.request.client_id.as_str(), json(&device.request)?);
    let columns = backend::device_columns(&device.stage);
    let (scope, authentication) =
        (columns.scope.map(json).transpose()?, columns.authentication.map(json).transpose()?);
    let outcome = sqlx::query!(
        "DELETE FROM device_codes WHERE tenant = $1 AND user_code = $2 AND expires_at <= $3",
        tenant,
        device.user_code,
        device.issued_at
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    let outcome = sqlx::query!(
        "INSERT INTO device_codes (tenant, hash, user_code, client_id, version, request, stage, grant_id, scope,
                                   authentication, poll_interval, polled_at, correlation_id, issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6::text::json, $7, $8, $9::text::json, $10::text::json, $11, $12, $13, $14, $15)",
        tenant,
        hash,
        device.user_code,
        client,
        device.version,
        request,
        columns.stage,
        columns.grant_id,
        scope,
        authentication,
        device.interval,
        device.polled_at,
        device.correlation_id,
        device.issued_at,
        device.expires_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn update_device_code(
    connection: &mut PgConnection,
    device: &DeviceCode,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash) = (device.tenant.as_str(), device.hash.as_bytes().as_slice());
    let columns = backend::device_columns(&device.stage);
    let (scope, authentication) =
        (columns.scope.map(json).transpose()?, columns.authentication.map(json).transpose()?);
    let outcome = sqlx::query!(
        "UPDATE device_codes SET version = $3, stage = $4, grant_id = $5, scope = $6::text::json,
                                 authentication = $7::text::json, poll_interval = $8, polled_at = $9
         WHERE tenant = $1 AND hash = $2 AND version = $3::bigint - 1 AND expires_at > $10",
        tenant,
        hash,
        device.version,
        columns.stage,
        columns.grant_id,
        scope,
        authentication,
        device.interval,
        device.polled_at,
        at
    )
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::Device)?;
    match &device.stage {
        DeviceStage::Approved { .. } => hold_grant(connection, device).await,
        DeviceStage::Pending | DeviceStage::Denied | DeviceStage::Redeemed { .. } => Ok(()),
    }
}

/// The grant must stand, and stays at least as long as the code that leads to it.
async fn hold_grant(connection: &mut PgConnection, device: &DeviceCode) -> Result<()> {
    let (tenant, client) = (device.tenant.as_str(), device.request.client_id.as_str());
    let columns = backend::device_columns(&device.stage);
    let user = columns.authentication.map(|authentication| authentication.user_id);
    let outcome = sqlx::query!(
        "UPDATE grants SET ends_at = greatest(ends_at, $5)
         WHERE tenant = $1 AND id = $2 AND client_id = $3 AND user_id = $4 AND revoked_at IS NULL",
        tenant,
        columns.grant_id,
        client,
        user,
        device.expires_at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Grant)
}

pub(crate) async fn insert_initial_access_token(
    connection: &mut PgConnection,
    token: &InitialAccessToken,
) -> Result<()> {
    let (tenant, hash) = (token.tenant.as_str(), token.hash.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "INSERT INTO initial_access_tokens (tenant, hash, name, uses_left, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        tenant,
        hash,
        token.name,
        token.uses_left,
        token.created_at,
        token.expires_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// No number of uses (NULL) stays none.
pub(crate) async fn use_initial_access_token(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "UPDATE initial_access_tokens SET uses_left = uses_left - 1
         WHERE tenant = $1 AND hash = $2 AND (uses_left IS NULL OR uses_left > 0)
           AND (expires_at IS NULL OR expires_at > $3)",
        tenant,
        hash,
        at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::InitialAccessToken)
}

pub(crate) async fn delete_initial_access_token(
    connection: &mut PgConnection,
    tenant: &TenantId,
    name: &str,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome =
        sqlx::query!("DELETE FROM initial_access_tokens WHERE tenant = $1 AND name = $2", tenant, name)
            .execute(connection)
            .await;
    found(outcome, Conflict::Missing)
}
