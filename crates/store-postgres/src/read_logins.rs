//! Reads of what a login passes through.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use signet_core::authorize::AuthorizationRequest;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{AccessToken, Authentication, Code, Consent, Interaction, Session};
use signet_store::{Result, backend};
use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::looked_up;

type Words = Json<BTreeSet<String>>;

pub(crate) async fn session(pool: &PgPool, tenant: &TenantId, hash: &TokenHash) -> Result<Option<Session>> {
    let (name, bytes) = (tenant.as_str(), hash.as_bytes().as_slice());
    let row = looked_up(
        sqlx::query!(
            r#"SELECT sid, user_id, auth_time, amr AS "amr: Json<Vec<String>>", acr,
                  last_seen, expires_at
           FROM sessions WHERE tenant = $1 AND hash = $2"#,
            name,
            bytes
        )
        .fetch_optional(pool)
        .await,
    )?;
    Ok(row.map(|row| Session {
        tenant: tenant.clone(),
        hash: *hash,
        sid: row.sid,
        user_id: row.user_id,
        auth_time: row.auth_time,
        amr: row.amr.0,
        acr: row.acr,
        last_seen: row.last_seen,
        expires_at: row.expires_at,
    }))
}

pub(crate) async fn interaction(pool: &PgPool, tenant: &TenantId, id: &str) -> Result<Option<Interaction>> {
    let name = tenant.as_str();
    let row = looked_up(
        sqlx::query!(
            r#"SELECT browser, version, stage, sid, request AS "request: Json<AuthorizationRequest>",
                  correlation_id, created_at, expires_at
           FROM interactions WHERE tenant = $1 AND id = $2"#,
            name,
            id
        )
        .fetch_optional(pool)
        .await,
    )?;
    row.map(|row| {
        Ok(Interaction {
            tenant: tenant.clone(),
            id: id.to_owned(),
            browser: backend::token_hash(&row.browser)?,
            version: row.version,
            stage: backend::stage(&row.stage, row.sid)?,
            request: row.request.0,
            correlation_id: row.correlation_id,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}

pub(crate) async fn consent(
    pool: &PgPool,
    tenant: &TenantId,
    user: Uuid,
    client: &ClientId,
) -> Result<Option<Consent>> {
    let (name, id) = (tenant.as_str(), client.as_str());
    let row = looked_up(
        sqlx::query!(
            r#"SELECT scope AS "scope: Words", granted_at
           FROM consents WHERE tenant = $1 AND user_id = $2 AND client_id = $3"#,
            name,
            user,
            id
        )
        .fetch_optional(pool)
        .await,
    )?;
    Ok(row.map(|row| Consent {
        tenant: tenant.clone(),
        user_id: user,
        client_id: client.clone(),
        scope: row.scope.0,
        granted_at: row.granted_at,
    }))
}

pub(crate) async fn consents(pool: &PgPool, tenant: &TenantId, user: Uuid) -> Result<Vec<Consent>> {
    let name = tenant.as_str();
    let rows = looked_up(
        sqlx::query!(
            r#"SELECT client_id, scope AS "scope: Words", granted_at
           FROM consents WHERE tenant = $1 AND user_id = $2 ORDER BY client_id"#,
            name,
            user
        )
        .fetch_all(pool)
        .await,
    )?;
    Ok(rows
        .into_iter()
        .map(|row| Consent {
            tenant: tenant.clone(),
            user_id: user,
            client_id: ClientId::new(row.client_id),
            scope: row.scope.0,
            granted_at: row.granted_at,
        })
        .collect())
}

pub(crate) async fn code(pool: &PgPool, tenant: &TenantId, hash: &TokenHash) -> Result<Option<Code>> {
    let (name, bytes) = (tenant.as_str(), hash.as_bytes().as_slice());
    let row = looked_up(
        sqlx::query!(
            r#"SELECT c.grant_id, g.client_id, c.request AS "request: Json<AuthorizationRequest>",
                  c.scope AS "scope: Words", c.authentication AS "authentication: Json<Authentication>",
                  c.correlation_id, c.issued_at, c.expires_at, c.redeemed_at
           FROM codes c JOIN grants g ON g.tenant = c.tenant AND g.id = c.grant_id
           WHERE c.tenant = $1 AND c.hash = $2"#,
            name,
            bytes
        )
        .fetch_optional(pool)
        .await,
    )?;
    Ok(row.map(|row| Code {
        tenant: tenant.clone(),
        hash: *hash,
        grant_id: row.grant_id,
        client_id: ClientId::new(row.client_id),
        request: row.request.0,
        scope: row.scope.0,
        authentication: row.authentication.0,
        correlation_id: row.correlation_id,
        issued_at: row.issued_at,
        expires_at: row.expires_at,
        redeemed_at: row.redeemed_at,
    }))
}

pub(crate) async fn access_token(
    pool: &PgPool,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<Option<AccessToken>> {
    let (name, bytes) = (tenant.as_str(), hash.as_bytes().as_slice());
    let row = looked_up(
        sqlx::query!(
            r#"SELECT t.grant_id, g.client_id, g.user_id,
                  t.scope AS "scope: Words", t.claims AS "claims: Words",
                  t.audience AS "audience: Words", t.actor AS "actor: Json<Map<String, Value>>",
                  t.issued_at, t.expires_at
           FROM access_tokens t JOIN grants g ON g.tenant = t.tenant AND g.id = t.grant_id
           LEFT JOIN grants p ON p.tenant = g.tenant AND p.id = g.parent
           WHERE t.tenant = $1 AND t.hash = $2 AND g.revoked_at IS NULL
             AND (g.parent IS NULL OR (p.id IS NOT NULL AND p.revoked_at IS NULL))"#,
            name,
            bytes
        )
        .fetch_optional(pool)
        .await,
    )?;
    Ok(row.map(|row| AccessToken {
        tenant: tenant.clone(),
        hash: *hash,
        grant_id: row.grant_id,
        client_id: ClientId::new(row.client_id),
        user_id: row.user_id,
        scope: row.scope.0,
        claims: row.claims.0,
        audience: row.audience.0,
        actor: row.actor.map(|actor| actor.0),
        issued_at: row.issued_at,
        expires_at: row.expires_at,
    }))
}
