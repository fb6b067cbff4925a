//! Writes of where sessions have logged in, and of what is told and ended when they end.

use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::records::{LogoutDelivery, Session, SessionClient};
use signet_store::{Result, backend};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::{failed, found, written};

pub(crate) async fn delete_access_token(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<()> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let outcome = sqlx::query!("DELETE FROM access_tokens WHERE tenant = ? AND hash = ?", tenant, hash)
        .execute(connection)
        .await;
    written(outcome).map(drop)
}

pub(crate) async fn revoke_session_grants(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    sid: &str,
    at: UnixTime,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE grants SET revoked_at = ?3 WHERE tenant = ?1 AND sid = ?2 AND revoked_at IS NULL",
        tenant,
        sid,
        at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn need_session(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<()> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let found = sqlx::query_scalar!("SELECT sid FROM sessions WHERE tenant = ?1 AND hash = ?2", tenant, hash)
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    found.map(drop).ok_or_else(|| Conflict::Session.into())
}

/// In place: an end that waits for this finds the row, and would not find one that took its place.
pub(crate) async fn update_session(connection: &mut SqliteConnection, session: &Session) -> Result<()> {
    let (tenant, hash) = (session.tenant.as_str(), session.hash.as_bytes().as_slice());
    let amr = Json(&session.amr);
    let outcome = sqlx::query!(
        "UPDATE sessions SET auth_time = ?3, amr = ?4, acr = ?5, last_seen = ?6
         WHERE tenant = ?1 AND hash = ?2",
        tenant,
        hash,
        session.auth_time,
        amr,
        session.acr,
        session.last_seen
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Session)
}

/// The sessions first: whoever issues something in one of them needs its row, so what they have issued stands by then.
pub(crate) async fn end_user_sessions(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    user: Uuid,
    keep: Option<&TokenHash>,
    at: UnixTime,
) -> Result<()> {
    let (name, keep) = (tenant.as_str(), keep.map(|keep| keep.as_bytes().as_slice()));
    let ended = sqlx::query_scalar!(
        "DELETE FROM sessions WHERE tenant = ?1 AND user_id = ?2 AND (?3 IS NULL OR hash <> ?3) RETURNING sid",
        name,
        user,
        keep
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    for sid in ended {
        revoke_session_grants(connection, tenant, &sid, at).await?;
        delete_session_clients(connection, tenant, &sid).await?;
    }
    Ok(())
}

/// A session that lasts longer than it was noted with is remembered as long.
pub(crate) async fn put_session_client(
    connection: &mut SqliteConnection,
    noted: &SessionClient,
) -> Result<()> {
    let (tenant, client) = (noted.tenant.as_str(), noted.client_id.as_str());
    let outcome = sqlx::query!(
        "INSERT INTO session_clients (tenant, sid, client_id, user_id, expires_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (tenant, sid, client_id) DO UPDATE SET expires_at = excluded.expires_at
         WHERE session_clients.expires_at < excluded.expires_at",
        tenant,
        noted.sid,
        client,
        noted.user_id,
        noted.expires_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn delete_session_clients(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    sid: &str,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!("DELETE FROM session_clients WHERE tenant = ? AND sid = ?", tenant, sid)
        .execute(connection)
        .await;
    written(outcome).map(drop)
}

pub(crate) async fn insert_logout_delivery(
    connection: &mut SqliteConnection,
    delivery: &LogoutDelivery,
) -> Result<()> {
    let (tenant, client) = (delivery.tenant.as_str(), delivery.client_id.as_str());
    let settled_at = backend::born_settled(delivery);
    let outcome = sqlx::query!(
        "INSERT INTO logout_deliveries (tenant, id, client_id, sid, user_id, correlation_id, created_at, attempts,
                                        next_attempt_at, delivered_at, last_error, settled_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tenant,
        delivery.id,
        client,
        delivery.sid,
        delivery.user_id,
        delivery.correlation_id,
        delivery.created_at,
        delivery.attempts,
        delivery.next_attempt_at,
        delivery.delivered_at,
        delivery.last_error,
        settled_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// One that is given up was settled when its last attempt was due.
pub(crate) async fn update_logout_delivery(
    connection: &mut SqliteConnection,
    delivery: &LogoutDelivery,
    seen_attempts: i64,
) -> Result<()> {
    let tenant = delivery.tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE logout_deliveries
         SET attempts = ?4, next_attempt_at = ?5, delivered_at = ?6, last_error = ?7,
             settled_at = CASE WHEN ?5 IS NULL THEN coalesce(?6, next_attempt_at) END
         WHERE tenant = ?1 AND id = ?2 AND attempts = ?3 AND next_attempt_at IS NOT NULL",
        tenant,
        delivery.id,
        seen_attempts,
        delivery.attempts,
        delivery.next_attempt_at,
        delivery.delivered_at,
        delivery.last_error
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Delivery)
}
