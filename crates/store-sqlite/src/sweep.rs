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

    async fn delete(self, writer: &SqlitePool, now: UnixTime, batch: u32) -> Result<u32> {
        #[rustfmt::skip]
        macro_rules! delete {
            ($table:tt, $key:tt, $over:tt, $until:expr) => {{
                let until = $until;
                sqlx::query!(
                    "DELETE FROM " + $table + " WHERE (" + $key + ") IN (
                         SELECT " + $key + " FROM " + $table + " WHERE " + $over + " LIMIT ?2)",
                    until,
                    batch
                )
                .execute(writer)
                .await
            }};
        }
        let done = match self {
            Self::UsedJti => {
                delete!("used_jti", "k", "until <= ?1 ORDER BY until", backend::replay_horizon(now))
            }
            Self::Interactions => delete!("interactions", "tenant, id", "expires_at <= ?1", now),
            Self::Sessions => delete!("sessions", "tenant, hash", "expires_at <= ?1", now),
            Self::SessionClients => {
                delete!("session_clients", "tenant, sid, client_id", "expires_at <= ?1", now)
            }
            Self::PushedRequests => delete!("pushed_requests", "tenant, hash", "expires_at <= ?1", now),
            Self::DeviceCodes => delete!("device_codes", "tenant, hash", "expires_at <= ?1", now),
            Self::UserLinks => delete!("user_links", "tenant, hash", "expires_at <= ?1", now),
            Self::Receipts => delete!("receipts", "tenant, actor, key", "expires_at <= ?1", now),
            Self::LogoutDeliveries => {
                delete!("logout_deliveries", "tenant, id", "settled_at <= ?1", backend::delivery_horizon(now))
            }
            Self::Grants => delete!("grants", "tenant, id", "ends_at <= ?1", now),
        };
        done.map(|done| u32::try_from(done.rows_affected()).unwrap_or(u32::MAX).min(batch)).map_err(failed)
    }
}
