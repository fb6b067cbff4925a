//! Reads of what people prove themselves with, of links to them, of their sessions, and of receipts.

use signet_core::context::UnixTime;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::records::{Credential, Receipt, Session, UserLink};
use signet_store::{Result, backend};
use sqlx::SqlitePool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::failed;

pub(crate) async fn credentials(pool: &SqlitePool, tenant: &TenantId, user: Uuid) -> Result<Vec<Credential>> {
    let name = tenant.as_str();
    let rows = sqlx::query!(
        r#"SELECT id AS "id: Uuid", kind, name, secret, counter, failures, created_at, last_used_at
           FROM user_credentials WHERE tenant = ?1 AND user_id = ?2 ORDER BY created_at, id"#,
        name,
        user
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Credential {
                tenant: tenant.clone(),
                user_id: user,
                id: row.id,
                kind: backend::credential_kind(&row.kind)?,
                name: row.name,
                secret: row.secret,
                counter: row.counter,
                failures: row.failures,
                created_at: row.created_at,
                last_used_at: row.last_used_at,
            })
        })
        .collect()
}

pub(crate) async fn user_link(
    pool: &SqlitePool,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<Option<UserLink>> {
    let (name, bytes) = (tenant.as_str(), hash.as_bytes().as_slice());
    let row = sqlx::query!(
        r#"SELECT user_id AS "user_id: Uuid", purpose, created_at, expires_at
           FROM user_links WHERE tenant = ?1 AND hash = ?2"#,
        name,
        bytes
    )
    .fetch_optional(pool)
    .await
    .map_err(failed)?;
    row.map(|row| {
        Ok(UserLink {
            tenant: tenant.clone(),
            hash: *hash,
            user_id: row.user_id,
            purpose: backend::link_purpose(&row.purpose)?,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}

pub(crate) async fn user_sessions(
    pool: &SqlitePool,
    tenant: &TenantId,
    user: Uuid,
    now: UnixTime,
) -> Result<Vec<Session>> {
    let name = tenant.as_str();
    let rows = sqlx::query!(
        r#"SELECT hash, sid, auth_time, amr AS "amr: Json<Vec<String>>", acr, last_seen, expires_at
           FROM sessions INDEXED BY sessions_user WHERE tenant = ?1 AND user_id = ?2 AND expires_at > ?3
           ORDER BY last_seen DESC, hash"#,
        name,
        user,
        now
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Session {
                tenant: tenant.clone(),
                hash: backend::token_hash(&row.hash)?,
                sid: row.sid,
                user_id: user,
                auth_time: row.auth_time,
                amr: row.amr.0,
                acr: row.acr,
                last_seen: row.last_seen,
                expires_at: row.expires_at,
            })
        })
        .collect()
}

pub(crate) async fn receipt(
    pool: &SqlitePool,
    tenant: &TenantId,
    actor: &str,
    key: &TokenHash,
) -> Result<Option<Receipt>> {
    let (name, bytes) = (tenant.as_str(), key.as_bytes().as_slice());
    let row = sqlx::query!(
        r#"SELECT request, resource, created_at, expires_at
           FROM receipts WHERE tenant = ?1 AND actor = ?2 AND key = ?3"#,
        name,
        actor,
        bytes
    )
    .fetch_optional(pool)
    .await
    .map_err(failed)?;
    row.map(|row| {
        Ok(Receipt {
            tenant: tenant.clone(),
            actor: actor.to_owned(),
            key: *key,
            request: backend::token_hash(&row.request)?,
            resource: row.resource,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}
