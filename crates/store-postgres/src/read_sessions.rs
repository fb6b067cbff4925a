//! Reads of sessions by their public id, of where they have logged in, and of what is told when they end.

use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{LogoutDelivery, Session, SessionClient};
use signet_store::{Result, backend};
use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::looked_up;

/// While a login in the same browser replaces a session, the newer one counts.
pub(crate) async fn session_by_sid(pool: &PgPool, tenant: &TenantId, sid: &str) -> Result<Option<Session>> {
    let name = tenant.as_str();
    let row = looked_up(
        sqlx::query!(
            r#"SELECT hash, sid, user_id, auth_time, amr AS "amr: Json<Vec<String>>", acr,
                  last_seen, expires_at
           FROM sessions WHERE tenant = $1 AND sid = $2 ORDER BY auth_time DESC, hash LIMIT 1"#,
            name,
            sid
        )
        .fetch_optional(pool)
        .await,
    )?;
    row.map(|row| {
        Ok(Session {
            tenant: tenant.clone(),
            hash: backend::token_hash(&row.hash)?,
            sid: row.sid,
            user_id: row.user_id,
            auth_time: row.auth_time,
            amr: row.amr.0,
            acr: row.acr,
            last_seen: row.last_seen,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}

pub(crate) async fn session_clients(
    pool: &PgPool,
    tenant: &TenantId,
    sid: &str,
) -> Result<Vec<SessionClient>> {
    let name = tenant.as_str();
    let rows = looked_up(
        sqlx::query!(
            r#"SELECT client_id, user_id, expires_at
           FROM session_clients WHERE tenant = $1 AND sid = $2 ORDER BY client_id"#,
            name,
            sid
        )
        .fetch_all(pool)
        .await,
    )?;
    Ok(rows
        .into_iter()
        .map(|row| SessionClient {
            tenant: tenant.clone(),
            sid: sid.to_owned(),
            client_id: ClientId::new(row.client_id),
            user_id: row.user_id,
            expires_at: row.expires_at,
        })
        .collect())
}

struct DeliveryRow {
    tenant: String,
    id: Uuid,
    client_id: String,
    sid: String,
    user_id: Uuid,
    correlation_id: String,
    created_at: i64,
    attempts: i64,
    next_attempt_at: Option<i64>,
    delivered_at: Option<i64>,
    last_error: Option<String>,
}

impl From<DeliveryRow> for LogoutDelivery {
    fn from(row: DeliveryRow) -> Self {
        Self {
            tenant: TenantId::new(row.tenant),
            id: row.id,
            client_id: ClientId::new(row.client_id),
            sid: row.sid,
            user_id: row.user_id,
            correlation_id: row.correlation_id,
            created_at: row.created_at,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            delivered_at: row.delivered_at,
            last_error: row.last_error,
        }
    }
}

pub(crate) async fn logout_delivery(
    pool: &PgPool,
    tenant: &TenantId,
    id: Uuid,
) -> Result<Option<LogoutDelivery>> {
    let name = tenant.as_str();
    let row = looked_up(
        sqlx::query_as!(
            DeliveryRow,
            r#"SELECT tenant, id, client_id, sid, user_id, correlation_id,
                  created_at, attempts, next_attempt_at, delivered_at, last_error
           FROM logout_deliveries WHERE tenant = $1 AND id = $2"#,
            name,
            id
        )
        .fetch_optional(pool)
        .await,
    )?;
    Ok(row.map(LogoutDelivery::from))
}

pub(crate) async fn logout_deliveries(
    pool: &PgPool,
    tenant: &TenantId,
    client: &ClientId,
    limit: u32,
) -> Result<Vec<LogoutDelivery>> {
    let (name, client, limit) = (tenant.as_str(), client.as_str(), backend::page_limit(limit));
    let rows = looked_up(
sqlx::query_as!(
        DeliveryRow,
        r#"SELECT tenant, id, client_id, sid, user_id, correlation_id,
                  created_at, attempts, next_attempt_at, delivered_at, last_error
           FROM logout_deliveries WHERE tenant = $1 AND client_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3"#,
        name,
        client,
        limit
    )
.fetch_all(pool)
.await,
)?;
    Ok(rows.into_iter().map(LogoutDelivery::from).collect())
}

pub(crate) async fn due_logout_deliveries(
    pool: &PgPool,
    now: UnixTime,
    limit: u32,
) -> Result<Vec<LogoutDelivery>> {
    let limit = backend::page_limit(limit);
    let rows = looked_up(
        sqlx::query_as!(
            DeliveryRow,
            r#"SELECT tenant, id, client_id, sid, user_id, correlation_id,
                  created_at, attempts, next_attempt_at, delivered_at, last_error
           FROM logout_deliveries WHERE next_attempt_at <= $1 ORDER BY next_attempt_at, tenant, id LIMIT $2"#,
            now,
            limit
        )
        .fetch_all(pool)
        .await,
    )?;
    Ok(rows.into_iter().map(LogoutDelivery::from).collect())
}
