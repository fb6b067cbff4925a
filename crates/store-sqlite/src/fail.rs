//! What a failed statement means.

use signet_core::change::Conflict;
use signet_store::{Result, StoreError};
use sqlx::sqlite::SqliteQueryResult;

/// Primary result codes after which nothing is known about the database's state, or nothing can be written for now:
/// BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
const UNAVAILABLE: [i32; 9] = [5, 6, 7, 8, 9, 10, 13, 14, 15];

/// The general meaning of an error: the database is away unless it said plainly what is wrong.
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
            if UNAVAILABLE.contains(&(code & 0xff)) {
                StoreError::Unavailable(Box::new(error))
            } else {
                StoreError::Corrupt(error.to_string())
            }
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::RowNotFound => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// A write: what exists already, or refers to something that is gone, is a conflict.
pub(crate) fn written(outcome: sqlx::Result<SqliteQueryResult>) -> Result<u64> {
    match outcome {
        Ok(done) => Ok(done.rows_affected()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Err(Conflict::Exists.into()),
        Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
            Err(Conflict::Missing.into())
        }
        Err(error) => Err(failed(error)),
    }
}

/// A write that finds its row in the expected state, or is a conflict.
pub(crate) fn found(outcome: sqlx::Result<SqliteQueryResult>, conflict: Conflict) -> Result<()> {
    if written(outcome)? == 0 { Err(conflict.into()) } else { Ok(()) }
}
