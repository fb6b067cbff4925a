//! The schema's versions, embedded.

use signet_store::{Result, StoreError};
use sqlx::SqlitePool;
use sqlx::migrate::{Migrate, MigrateError, Migrator};

use crate::fail::failed;

/// The migrations of this binary. Expand, then contract: a newer schema still serves an older binary, so versions that
/// are not known here are no error.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations/sqlite");
    migrator.set_ignore_missing(true);
    migrator
}

/// Applies what is missing.
pub(crate) async fn run(writer: &SqlitePool) -> Result<()> {
    migrator().run(writer).await.map_err(refused)
}

/// Whether everything this binary knows has been applied, unaltered.
pub(crate) async fn is_current(pool: &SqlitePool) -> Result<bool> {
    let mut connection = pool.acquire().await.map_err(failed)?;
    let begun: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if begun == 0 {
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
