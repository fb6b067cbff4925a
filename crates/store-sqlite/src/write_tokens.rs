//! Writes of refresh tokens, and of what waits for a person or a client: pushed requests, devices, registrations.

use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{DeviceCode, DeviceStage, InitialAccessToken, PushedRequest, RefreshToken};
use signet_store::{Result, backend};
use sqlx::SqliteConnection;
use sqlx::types::Json;

use crate::fail::{found, written};
use crate::write_logins::prolong_grant;

pub(crate) async fn insert_refresh_token(
    connection: &mut SqliteConnection,
    token: &RefreshToken,
) -> Result<()> {
    let (tenant, hash) = (token.tenant.as_str(), token.hash.as_bytes().as_slice());
    let (client, user) = (token.client_id.as_str(), token.authentication.user_id);
    let (request, scope, authentication) =
        (Json(&token.request), Json(&token.scope), Json(&token.authentication));
    let parent = token.parent.as_ref().map(|parent| parent.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "INSERT INTO refresh_tokens (tenant, hash, grant_id, request, scope, authentication, correlation_id, parent,
                                     rotations, rotated_at, superseded_at, issued_at, expires_at, chain_expires_at)
         SELECT tenant, ?2, id, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 FROM grants
         WHERE tenant = ?1 AND id = ?3 AND client_id = ?15 AND user_id = ?16 AND revoked_at IS NULL",
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
        user
    )
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::Grant)?;
    prolong_grant(connection, tenant, token.grant_id, backend::refresh_end(token)).await
}

/// The first exchange keeps its instant. Where there was one before, its successors are out of the race only as long as
/// none of them was used.
pub(crate) async fn rotate_refresh_token(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    client: &ClientId,
    rotations: i64,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash, client) = (tenant.as_str(), hash.as_bytes().as_slice(), client.as_str());
    let outcome = sqlx::query!(
        "UPDATE refresh_tokens SET rotations = rotations + 1, rotated_at = coalesce(rotated_at, ?5)
         WHERE tenant = ?1 AND hash = ?2 AND rotations = ?4 AND superseded_at IS NULL
           AND expires_at > ?5 AND chain_expires_at > ?5
           AND EXISTS (SELECT 1 FROM grants g WHERE g.tenant = refresh_tokens.tenant AND g.id = refresh_tokens.grant_id
                                                AND g.client_id = ?3 AND g.revoked_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM refresh_tokens s WHERE s.tenant = ?1 AND s.parent = ?2 AND s.rotations > 0)",
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
        "UPDATE refresh_tokens SET superseded_at = ?3
         WHERE tenant = ?1 AND parent = ?2 AND superseded_at IS NULL",
        tenant,
        hash,
        at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn prolong_refresh_token(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    client: &ClientId,
    at: UnixTime,
    expires_at: UnixTime,
) -> Result<()> {
    let (tenant, hash, client) = (tenant.as_str(), hash.as_bytes().as_slice(), client.as_str());
    let outcome = sqlx::query!(
        "UPDATE refresh_tokens SET expires_at = ?5
         WHERE tenant = ?1 AND hash = ?2 AND rotations = 0 AND superseded_at IS NULL
           AND expires_at > ?4 AND chain_expires_at > ?4
           AND EXISTS (SELECT 1 FROM grants g WHERE g.tenant = refresh_tokens.tenant AND g.id = refresh_tokens.grant_id
                                                AND g.client_id = ?3 AND g.revoked_at IS NULL)",
        tenant,
        hash,
        client,
        at,
        expires_at
    )
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::RefreshToken)?;
    let outcome = sqlx::query!(
        "UPDATE grants SET ends_at = max(ends_at, min(t.expires_at, t.chain_expires_at))
         FROM refresh_tokens t
         WHERE t.tenant = ? AND t.hash = ? AND grants.tenant = t.tenant AND grants.id = t.grant_id",
        tenant,
        hash
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn insert_pushed_request(
    connection: &mut SqliteConnection,
    pushed: &PushedRequest,
) -> Result<()> {
    let (tenant, hash) = (pushed.tenant.as_str(), pushed.hash.as_bytes().as_slice());
    let (client, request) = (pushed.request.client_id.as_str(), Json(&pushed.request));
    let outcome = sqlx::query!(
        "INSERT INTO pushed_requests (tenant, hash, client_id, request, correlation_id, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
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
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    client: &ClientId,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash, client) = (tenant.as_str(), hash.as_bytes().as_slice(), client.as_str());
    let outcome = sqlx::query!(
        "DELETE FROM pushed_requests WHERE tenant = ? AND hash = ? AND client_id = ? AND expires_at > ?",
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
pub(crate) async fn insert_device_code(connection: &mut SqliteConnection, device: &DeviceCode) -> Result<()> {
    let (tenant, hash) = (device.tenant.as_str(), device.hash.as_bytes().as_slice());
    let (client, request) = (device.request.client_id.as_str(), Json(&device.request));
    let columns = backend::device_columns(&device.stage);
    let (scope, authentication) = (columns.scope.map(Json), columns.authentication.map(Json));
    let outcome = sqlx::query!(
        "DELETE FROM device_codes WHERE tenant = ? AND user_code = ? AND expires_at <= ?",
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
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    connection: &mut SqliteConnection,
    device: &DeviceCode,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash) = (device.tenant.as_str(), device.hash.as_bytes().as_slice());
    let columns = backend::device_columns(&device.stage);
    let (scope, authentication) = (columns.scope.map(Json), columns.authentication.map(Json));
    let outcome = sqlx::query!(
        "UPDATE device_codes SET version = ?3, stage = ?4, grant_id = ?5, scope = ?6, authentication = ?7,
                                 poll_interval = ?8, polled_at = ?9
         WHERE tenant = ?1 AND hash = ?2 AND version = ?3 - 1 AND expires_at > ?10",
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
async fn hold_grant(connection: &mut SqliteConnection, device: &DeviceCode) -> Result<()> {
    let (tenant, client) = (device.tenant.as_str(), device.request.client_id.as_str());
    let columns = backend::device_columns(&device.stage);
    let user = columns.authentication.map(|authentication| authentication.user_id);
    let outcome = sqlx::query!(
        "UPDATE grants SET ends_at = max(ends_at, ?5)
         WHERE tenant = ?1 AND id = ?2 AND client_id = ?3 AND user_id = ?4 AND revoked_at IS NULL",
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
    connection: &mut SqliteConnection,
    token: &InitialAccessToken,
) -> Result<()> {
    let (tenant, hash) = (token.tenant.as_str(), token.hash.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "INSERT INTO initial_access_tokens (tenant, hash, name, uses_left, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?)",
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
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "UPDATE initial_access_tokens SET uses_left = uses_left - 1
         WHERE tenant = ? AND hash = ? AND (uses_left IS NULL OR uses_left > 0)
           AND (expires_at IS NULL OR expires_at > ?)",
        tenant,
        hash,
        at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::InitialAccessToken)
}

pub(crate) async fn delete_initial_access_token(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    name: &str,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome =
        sqlx::query!("DELETE FROM initial_access_tokens WHERE tenant = ? AND name = ?", tenant, name)
            .execute(connection)
            .await;
    found(outcome, Conflict::Missing)
}
