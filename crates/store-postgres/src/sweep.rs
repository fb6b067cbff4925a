//! Removal of what is past use.

use signet_core::context::UnixTime;
use signet_store::{Result, Swept, backend};
use sqlx::PgPool;

use crate::fail::failed;

/// Rows per statement: a few milliseconds, which other writers do not notice.
const BATCH: u32 = 500;

/// Rows that somebody else holds are passed over: sweepers on several nodes share the work, and nobody waits for them.
pub(crate) async fn sweep(pool: &PgPool, now: UnixTime, limit: u32) -> Result<Swept> {
    let mut swept = Swept::default();
    for table in Table::ALL {
        let mut left = limit;
        loop {
            let batch = left.min(BATCH);
            if batch == 0 {
                swept.more = true;
                break;
            }
            let rows = table.delete(pool, now, batch).await?;
            swept.rows += u64::from(rows);
            left -= rows;
            if rows < batch {
                break;
            }
        }
    }
    Ok(swept)
}

/// The array is evaluated once; `IN (SELECT .. LIMIT ..)` may be evaluated again for every row.
#[derive(Clone, Copy)]
enum Table {
    UsedJti,
    Interactions,
    Sessions,
    SessionClients,
    PushedRequests,
    DeviceCodes,
    UserLinks,
    Receipts,
    LogoutDeliveries,
    Grants,
}

impl Table {
    const ALL: [Self; 10] = [
        Self::UsedJti,
        Self::Interactions,
        Self::Sessions,
        Self::SessionClients,
        Self::PushedRequests,
        Self::DeviceCodes,
        Self::UserLinks,
        Self::Receipts,
        Self::LogoutDeliveries,
        Self::Grants,
    ];

    #[expect(clippy::too_many_lines, reason = "one statement for each table")]
    async fn delete(self, pool: &PgPool, now: UnixTime, batch: u32) -> Result<u32> {
        let limit = i64::from(batch);
        let done = match self {
            Self::UsedJti => {
                let horizon = backend::replay_horizon(now);
                sqlx::query!(
                    "DELETE FROM used_jti WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM used_jti WHERE until <= $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    horizon,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::Interactions => {
                sqlx::query!(
                    "DELETE FROM interactions WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM interactions WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::Sessions => {
                sqlx::query!(
                    "DELETE FROM sessions WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM sessions WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::SessionClients => {
                sqlx::query!(
                    "DELETE FROM session_clients WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM session_clients WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::PushedRequests => {
                sqlx::query!(
                    "DELETE FROM pushed_requests WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM pushed_requests WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::DeviceCodes => {
                sqlx::query!(
                    "DELETE FROM device_codes WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM device_codes WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::UserLinks => {
                sqlx::query!(
                    "DELETE FROM user_links WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM user_links WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::Receipts => {
                sqlx::query!(
                    "DELETE FROM receipts WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM receipts WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::LogoutDeliveries => {
                let horizon = backend::delivery_horizon(now);
                sqlx::query!(
                    "DELETE FROM logout_deliveries WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM logout_deliveries WHERE settled_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    horizon,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::Grants => {
                sqlx::query!(
                    "DELETE FROM grants WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM grants WHERE ends_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
        };
        done.map(|done| u32::try_from(done.rows_affected()).unwrap_or(u32::MAX).min(batch)).map_err(failed)
    }
}
