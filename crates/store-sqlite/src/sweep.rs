//! Removal of what is past use.

use signet_core::context::UnixTime;
use signet_store::{Result, Swept, backend};
use sqlx::SqlitePool;

use crate::fail::failed;

/// Rows per statement. Each one holds the only writer; 250 rows take a few milliseconds.
const BATCH: u32 = 250;

pub(crate) async fn sweep(writer: &SqlitePool, now: UnixTime, limit: u32) -> Result<Swept> {
    let mut swept = Swept::default();
    for table in Table::ALL {
        let mut left = limit;
        loop {
            let batch = left.min(BATCH);
            if batch == 0 {
                swept.more = true;
                break;
            }
            let rows = table.delete(writer, now, batch).await?;
            swept.rows += u64::from(rows);
            left -= rows;
            if rows < batch {
                break;
            }
        }
    }
    Ok(swept)
}

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
    async fn delete(self, writer: &SqlitePool, now: UnixTime, batch: u32) -> Result<u32> {
        let done = match self {
            Self::UsedJti => {
                let horizon = backend::replay_horizon(now);
                sqlx::query!(
                    "DELETE FROM used_jti WHERE k IN (
                         SELECT k FROM used_jti WHERE until <= ? ORDER BY until LIMIT ?)",
                    horizon,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::Interactions => {
                sqlx::query!(
                    "DELETE FROM interactions WHERE (tenant, id) IN (
                         SELECT tenant, id FROM interactions WHERE expires_at <= ? LIMIT ?)",
                    now,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::Sessions => {
                sqlx::query!(
                    "DELETE FROM sessions WHERE (tenant, hash) IN (
                         SELECT tenant, hash FROM sessions WHERE expires_at <= ? LIMIT ?)",
                    now,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::SessionClients => {
                sqlx::query!(
                    "DELETE FROM session_clients WHERE (tenant, sid, client_id) IN (
                         SELECT tenant, sid, client_id FROM session_clients WHERE expires_at <= ? LIMIT ?)",
                    now,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::PushedRequests => {
                sqlx::query!(
                    "DELETE FROM pushed_requests WHERE (tenant, hash) IN (
                         SELECT tenant, hash FROM pushed_requests WHERE expires_at <= ? LIMIT ?)",
                    now,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::DeviceCodes => {
                sqlx::query!(
                    "DELETE FROM device_codes WHERE (tenant, hash) IN (
                         SELECT tenant, hash FROM device_codes WHERE expires_at <= ? LIMIT ?)",
                    now,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::UserLinks => {
                sqlx::query!(
                    "DELETE FROM user_links WHERE (tenant, hash) IN (
                         SELECT tenant, hash FROM user_links WHERE expires_at <= ? LIMIT ?)",
                    now,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::Receipts => {
                sqlx::query!(
                    "DELETE FROM receipts WHERE (tenant, actor, key) IN (
                         SELECT tenant, actor, key FROM receipts WHERE expires_at <= ? LIMIT ?)",
                    now,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::LogoutDeliveries => {
                let horizon = backend::delivery_horizon(now);
                sqlx::query!(
                    "DELETE FROM logout_deliveries WHERE (tenant, id) IN (
                         SELECT tenant, id FROM logout_deliveries WHERE settled_at <= ? LIMIT ?)",
                    horizon,
                    batch
                )
                .execute(writer)
                .await
            }
            Self::Grants => {
                sqlx::query!(
                    "DELETE FROM grants WHERE (tenant, id) IN (
                         SELECT tenant, id FROM grants WHERE ends_at <= ? LIMIT ?)",
                    now,
                    batch
                )
                .execute(writer)
                .await
            }
        };
        done.map(|done| u32::try_from(done.rows_affected()).unwrap_or(u32::MAX).min(batch)).map_err(failed)
    }
}
