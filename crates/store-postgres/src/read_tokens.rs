//! Reads of refresh tokens, and of what waits for a person or a client: pushed requests, devices, registrations.

use std::collections::BTreeSet;

use signet_core::authorize::AuthorizationRequest;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{Authentication, DeviceCode, InitialAccessToken, PushedRequest, RefreshToken};
use signet_store::{Result, backend};
use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::looked_up;

type Words = Json<BTreeSet<String>>;

pub(crate) async fn refresh_token(
    pool: &PgPool,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<Option<RefreshToken>> {
    let (name, bytes) = (tenant.as_str(), hash.as_bytes().as_slice());
    let row = looked_up(
        sqlx::query!(
            r#"SELECT t.grant_id, g.client_id, t.request AS "request: Json<AuthorizationRequest>",
                  t.scope AS "scope: Words", t.authentication AS "authentication: Json<Authentication>",
                  t.correlation_id, t.parent, t.rotations, t.rotated_at, t.superseded_at,
                  EXISTS (SELECT 1 FROM refresh_tokens s WHERE s.tenant = t.tenant AND s.parent = t.hash
                                                           AND s.rotations > 0) AS "successor_used!",
                  t.issued_at, t.expires_at, t.chain_expires_at
           FROM refresh_tokens t JOIN grants g ON g.tenant = t.tenant AND g.id = t.grant_id
           WHERE t.tenant = $1 AND t.hash = $2 AND g.revoked_at IS NULL"#,
            name,
            bytes
        )
        .fetch_optional(pool)
        .await,
    )?;
    row.map(|row| {
        Ok(RefreshToken {
            tenant: tenant.clone(),
            hash: *hash,
            grant_id: row.grant_id,
            client_id: ClientId::new(row.client_id),
            request: row.request.0,
            scope: row.scope.0,
            authentication: row.authentication.0,
            correlation_id: row.correlation_id,
            parent: row.parent.as_deref().map(backend::token_hash).transpose()?,
            rotations: row.rotations,
            rotated_at: row.rotated_at,
            superseded_at: row.superseded_at,
            successor_used: row.successor_used,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
            chain_expires_at: row.chain_expires_at,
        })
    })
    .transpose()
}

pub(crate) async fn pushed_request(
    pool: &PgPool,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<Option<PushedRequest>> {
    let (name, bytes) = (tenant.as_str(), hash.as_bytes().as_slice());
    let row = looked_up(
        sqlx::query!(
            r#"SELECT request AS "request: Json<AuthorizationRequest>", correlation_id, created_at, expires_at
           FROM pushed_requests WHERE tenant = $1 AND hash = $2"#,
            name,
            bytes
        )
        .fetch_optional(pool)
        .await,
    )?;
    Ok(row.map(|row| PushedRequest {
        tenant: tenant.clone(),
        hash: *hash,
        request: row.request.0,
        correlation_id: row.correlation_id,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }))
}

struct DeviceRow {
    hash: Vec<u8>,
    user_code: String,
    version: i64,
    request: Json<AuthorizationRequest>,
    stage: String,
    grant_id: Option<Uuid>,
    scope: Option<Words>,
    authentication: Option<Json<Authentication>>,
    poll_interval: i64,
    polled_at: Option<i64>,
    correlation_id: String,
    issued_at: i64,
    expires_at: i64,
}

impl DeviceRow {
    fn record(self, tenant: &TenantId) -> Result<DeviceCode> {
        let (scope, authentication) =
            (self.scope.map(|scope| scope.0), self.authentication.map(|authentication| authentication.0));
        Ok(DeviceCode {
            tenant: tenant.clone(),
            hash: backend::token_hash(&self.hash)?,
            user_code: self.user_code,
            version: self.version,
            request: self.request.0,
            stage: backend::device_stage(&self.stage, self.grant_id, scope, authentication)?,
            interval: self.poll_interval,
            polled_at: self.polled_at,
            correlation_id: self.correlation_id,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
        })
    }
}

pub(crate) async fn device_code(
    pool: &PgPool,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<Option<DeviceCode>> {
    let (name, bytes) = (tenant.as_str(), hash.as_bytes().as_slice());
    let row = looked_up(
        sqlx::query_as!(
            DeviceRow,
            r#"SELECT hash, user_code, version, request AS "request: Json<AuthorizationRequest>", stage,
                  grant_id, scope AS "scope: Words",
                  authentication AS "authentication: Json<Authentication>", poll_interval, polled_at,
                  correlation_id, issued_at, expires_at
           FROM device_codes WHERE tenant = $1 AND hash = $2"#,
            name,
            bytes
        )
        .fetch_optional(pool)
        .await,
    )?;
    row.map(|row| row.record(tenant)).transpose()
}

pub(crate) async fn device_by_user_code(
    pool: &PgPool,
    tenant: &TenantId,
    user_code: &str,
) -> Result<Option<DeviceCode>> {
    let name = tenant.as_str();
    let row = looked_up(
        sqlx::query_as!(
            DeviceRow,
            r#"SELECT hash, user_code, version, request AS "request: Json<AuthorizationRequest>", stage,
                  grant_id, scope AS "scope: Words",
                  authentication AS "authentication: Json<Authentication>", poll_interval, polled_at,
                  correlation_id, issued_at, expires_at
           FROM device_codes WHERE tenant = $1 AND user_code = $2"#,
            name,
            user_code
        )
        .fetch_optional(pool)
        .await,
    )?;
    row.map(|row| row.record(tenant)).transpose()
}

struct InitialAccessRow {
    hash: Vec<u8>,
    name: String,
    uses_left: Option<i64>,
    created_at: i64,
    expires_at: Option<i64>,
}

impl InitialAccessRow {
    fn record(self, tenant: &TenantId) -> Result<InitialAccessToken> {
        Ok(InitialAccessToken {
            tenant: tenant.clone(),
            hash: backend::token_hash(&self.hash)?,
            name: self.name,
            uses_left: self.uses_left,
            created_at: self.created_at,
            expires_at: self.expires_at,
        })
    }
}

pub(crate) async fn initial_access_token(
    pool: &PgPool,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<Option<InitialAccessToken>> {
    let (name, bytes) = (tenant.as_str(), hash.as_bytes().as_slice());
    let row = looked_up(
        sqlx::query_as!(
            InitialAccessRow,
            "SELECT hash, name, uses_left, created_at, expires_at FROM initial_access_tokens
         WHERE tenant = $1 AND hash = $2",
            name,
            bytes
        )
        .fetch_optional(pool)
        .await,
    )?;
    row.map(|row| row.record(tenant)).transpose()
}

pub(crate) async fn initial_access_tokens(
    pool: &PgPool,
    tenant: &TenantId,
) -> Result<Vec<InitialAccessToken>> {
    let name = tenant.as_str();
    let rows = looked_up(
        sqlx::query_as!(
            InitialAccessRow,
            "SELECT hash, name, uses_left, created_at, expires_at FROM initial_access_tokens
         WHERE tenant = $1 ORDER BY name",
            name
        )
        .fetch_all(pool)
        .await,
    )?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}
