//! Removal of what is past use.

use signet_core::context::UnixTime;
use signet_store::{Result, Swept, backend};
use sqlx::PgPool;

use crate::fail::failed;

/// Rows per statement: a few milliseconds, which other writers do not notice.
const BATCH: u32 = 1000;

/// Deletes in order of dependence: tokens, then the codes they kept, then the grants over both. Rows that somebody else
/// holds are passed over: sweepers on several nodes share the work, and nobody waits for them.
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

#[derive(Clone, Copy)]
enum Table {
    UsedJti,
    Interactions,
    Sessions,
    AccessTokens,
    Codes,
    Grants,
}

impl Table {
    const ALL: [Self; 6] =
        [Self::UsedJti, Self::Interactions, Self::Sessions, Self::AccessTokens, Self::Codes, Self::Grants];

    async fn delete(self, pool: &PgPool, now: UnixTime, batch: u32) -> Result<u32> {
        let limit = i64::from(batch);
        let done = match self {
            Self::UsedJti => {
                let horizon = backend::replay_horizon(now);
                sqlx::query!(
                    "DELETE FROM used_jti WHERE k IN (
                         SELECT k FROM used_jti WHERE until <= $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED)",
                    horizon,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::Interactions => {
                sqlx::query!(
                    "DELETE FROM interactions WHERE (tenant, id) IN (
                         SELECT tenant, id FROM interactions WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::Sessions => {
                sqlx::query!(
                    "DELETE FROM sessions WHERE (tenant, hash) IN (
                         SELECT tenant, hash FROM sessions WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::AccessTokens => {
                sqlx::query!(
                    "DELETE FROM access_tokens WHERE (tenant, hash) IN (
                         SELECT tenant, hash FROM access_tokens WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::Codes => {
                sqlx::query!(
                    "DELETE FROM codes WHERE (tenant, hash) IN (
                         SELECT c.tenant, c.hash FROM codes c
                         WHERE c.expires_at <= $1
                           AND (c.redeemed_at IS NULL OR NOT EXISTS (
                                SELECT 1 FROM access_tokens t WHERE t.tenant = c.tenant AND t.grant_id = c.grant_id))
                         LIMIT $2 FOR UPDATE SKIP LOCKED)",
                    now,
                    limit
                )
                .execute(pool)
                .await
            }
            Self::Grants => {
                sqlx::query!(
                    "DELETE FROM grants WHERE (tenant, id) IN (
                         SELECT g.tenant, g.id FROM grants g
                         WHERE NOT EXISTS (SELECT 1 FROM codes c WHERE c.tenant = g.tenant AND c.grant_id = g.id)
                           AND NOT EXISTS (
                               SELECT 1 FROM access_tokens t WHERE t.tenant = g.tenant AND t.grant_id = g.id)
                         LIMIT $1 FOR UPDATE SKIP LOCKED)",
                    limit
                )
                .execute(pool)
                .await
            }
        };
        done.map(|done| u32::try_from(done.rows_affected()).unwrap_or(u32::MAX).min(batch)).map_err(failed)
    }
}
