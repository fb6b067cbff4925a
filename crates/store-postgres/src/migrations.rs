//! The schema's versions, embedded.

use signet_store::{Result, StoreError};
use sqlx::PgPool;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::fail::failed;

/// The migrations of this binary. Expand, then contract: a newer schema still serves an older binary, so versions that
/// are not known here are no error.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations/postgres");
    migrator.set_ignore_missing(true);
    migrator
}

/// Applies what is missing, under an advisory lock: several nodes may start at once. The connection is one of its own,
/// without timeouts, since waiting for the lock and changing large tables take their time.
pub(crate) async fn run(options: &PgConnectOptions) -> Result<()> {
    let single =
        PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(failed)?;
    let outcome = migrator().run(&single).await.map_err(refused);
    // Ends the session, and with it the lock, also after an error.
    single.close().await;
    outcome
}

/// Whether everything this binary knows has been applied, unaltered.
pub(crate) async fn is_current(pool: &PgPool) -> Result<bool> {
    let mut connection = pool.acquire().await.map_err(failed)?;
    let begun: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if !begun {
        return Ok(false);
    }
    let migrator = migrator();
    let applied = connection.list_applied_migrations(&migrator.table_name).await.map_err(refused)?;
    Ok(migrator.iter().all(|needed| {
        applied.iter().any(|row| row.version == needed.version && row.checksum == needed.checksum)
    }))
}

fn refused(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        other => StoreError::Corrupt(other.to_string()),
    }
}
