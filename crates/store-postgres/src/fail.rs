//! What a failed statement means.

use std::borrow::Cow;

use serde::Serialize;
use signet_core::change::Conflict;
use signet_store::{Result, StoreError};
use sqlx::error::DatabaseError;
use sqlx::postgres::PgQueryResult;

/// SQLSTATE: serialization failure, deadlock. The transaction is undone and may be tried again.
const TRANSIENT: [&str; 2] = ["40001", "40P01"];
/// SQLSTATE: lock not available in time, idle transaction ended, read only (a standby), character not in repertoire.
const LOCK_NOT_AVAILABLE: &str = "55P03";
const IDLE_TRANSACTION_ENDED: &str = "25P03";
const READ_ONLY: &str = "25006";
const NOT_IN_REPERTOIRE: &str = "22021";
/// SQLSTATE classes: connection, authorization, no such database, rollback, resources, intervention (statement timeout,
/// shutdown), system.
const UNAVAILABLE: [&str; 7] = ["08", "28", "3D", "40", "53", "57", "58"];

fn state(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(DatabaseError::code).map(Cow::into_owned)
}

/// The general meaning of an error: the database is away unless it said plainly what is wrong.
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    let unavailable = match &error {
        sqlx::Error::Database(_) => state(&error).is_none_or(|code| {
            [LOCK_NOT_AVAILABLE, IDLE_TRANSACTION_ENDED, READ_ONLY].contains(&code.as_str())
                || UNAVAILABLE.iter().any(|class| code.starts_with(class))
        }),
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::RowNotFound => false,
        _ => true,
    };
    if unavailable {
        StoreError::Unavailable(Box::new(error))
    } else {
        StoreError::Corrupt(error.to_string())
    }
}

/// Whether the database ended the transaction for the sake of another one.
pub(crate) fn is_transient(error: &StoreError) -> bool {
    let StoreError::Unavailable(source) = error else { return false };
    source
        .downcast_ref::<sqlx::Error>()
        .and_then(state)
        .is_some_and(|code| TRANSIENT.contains(&code.as_str()))
}

/// A read. The database takes no U+0000 in a parameter, so a name with one is stored nowhere.
pub(crate) fn looked_up<T: Default>(outcome: sqlx::Result<T>) -> Result<T> {
    match outcome {
        Ok(found) => Ok(found),
        Err(error) if state(&error).as_deref() == Some(NOT_IN_REPERTOIRE) => Ok(T::default()),
        Err(error) => Err(failed(error)),
    }
}

/// A write: what exists already, or refers to something that is gone, is a conflict.
pub(crate) fn written(outcome: sqlx::Result<PgQueryResult>) -> Result<u64> {
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
pub(crate) fn found(outcome: sqlx::Result<PgQueryResult>, conflict: Conflict) -> Result<()> {
    if written(outcome)? == 0 { Err(conflict.into()) } else { Ok(()) }
}

/// A value for a json column. It is bound as text: the driver's own JSON parameters pass through jsonb, which reorders
/// members and refuses U+0000.
pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}
