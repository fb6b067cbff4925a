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

    async fn delete(self, pool: &PgPool, now: UnixTime, batch: u32) -> Result<u32> {
        #[rustfmt::skip]
        macro_rules! delete {
            ($table:tt, $over:tt, $until:expr) => {
                sqlx::query!(
                    "DELETE FROM " + $table + " WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM " + $table + " WHERE " + $over + " LIMIT $2 FOR UPDATE SKIP LOCKED))",
                    $until,
                    i64::from(batch)
                )
                .execute(pool)
                .await
            };
        }
        let done = match self {
            Self::UsedJti => delete!("used_jti", "until <= $1 ORDER BY until", backend::replay_horizon(now)),
            Self::Interactions => delete!("interactions", "expires_at <= $1", now),
            Self::Sessions => delete!("sessions", "expires_at <= $1", now),
            Self::SessionClients => delete!("session_clients", "expires_at <= $1", now),
            Self::PushedRequests => delete!("pushed_requests", "expires_at <= $1", now),
            Self::DeviceCodes => delete!("device_codes", "expires_at <= $1", now),
            Self::UserLinks => delete!("user_links", "expires_at <= $1", now),
            Self::Receipts => delete!("receipts", "expires_at <= $1", now),
            Self::LogoutDeliveries => {
                delete!("logout_deliveries", "settled_at <= $1", backend::delivery_horizon(now))
            }
            Self::Grants => delete!("grants", "ends_at <= $1", now),
        };
        done.map(|done| u32::try_from(done.rows_affected()).unwrap_or(u32::MAX).min(batch)).map_err(failed)
    }
}
