//! Writes of the audit trail and of the chain over it.

use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{AuditEvent, AuditSeal, AuditTally};
use signet_store::{Result, backend};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::{found, written};

pub(crate) async fn insert_audit(connection: &mut SqliteConnection, event: &AuditEvent) -> Result<()> {
    let (tenant, outcome_name) = (event.tenant.as_str(), backend::outcome_name(event.outcome));
    let (client, detail) = (event.client_id.as_ref().map(ClientId::as_str), Json(&event.detail));
    let outcome = sqlx::query!(
        "INSERT INTO audit (tenant, id, at, kind, outcome, reason, correlation_id, client_id, user_id, actor, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        tenant,
        event.id,
        event.at,
        event.kind,
        outcome_name,
        event.reason,
        event.correlation_id,
        client,
        event.user_id,
        event.actor,
        detail
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// The number decides first: of two nodes that make the same link, one waits here for the other and fails.
pub(crate) async fn seal_audit(
    connection: &mut SqliteConnection,
    seal: &AuditSeal,
    events: &[Uuid],
    tallies: &[AuditTally],
) -> Result<()> {
    let (tenant, mac) = (seal.tenant.as_str(), seal.mac.as_slice());
    let outcome = sqlx::query!(
        "INSERT INTO audit_seals (tenant, number, count, newest_at, mac, sealed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        tenant,
        seal.number,
        seal.count,
        seal.newest_at,
        mac,
        seal.sealed_at
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    let ids = Json(events.iter().map(|id| id.simple().to_string()).collect::<Vec<_>>());
    let outcome = sqlx::query!(
        "UPDATE audit SET seal = ?2
         WHERE tenant = ?1 AND id IN (SELECT unhex(value) FROM json_each(?3)) AND seal IS NULL",
        tenant,
        seal.number,
        ids
    )
    .execute(&mut *connection)
    .await;
    if usize::try_from(written(outcome)?).ok() != Some(events.len()) {
        return Err(Conflict::Exists.into());
    }
    for tally in tallies {
        add_tally(connection, tenant, tally).await?;
    }
    Ok(())
}

async fn add_tally(connection: &mut SqliteConnection, tenant: &str, tally: &AuditTally) -> Result<()> {
    let outcome_name = backend::outcome_name(tally.outcome);
    let outcome = sqlx::query!(
        "INSERT INTO audit_tallies (tenant, day, kind, outcome, reason, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant, day, kind, outcome, reason) DO UPDATE
         SET count = audit_tallies.count + excluded.count",
        tenant,
        tally.day,
        tally.kind,
        outcome_name,
        tally.reason,
        tally.count
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn purge_audit(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    number: i64,
    at: UnixTime,
    mac: &[u8; 32],
) -> Result<()> {
    let (tenant, mac) = (tenant.as_str(), mac.as_slice());
    let outcome = sqlx::query!(
        "UPDATE audit_seals SET purged_at = ?3, purge_mac = ?4
         WHERE tenant = ?1 AND number = ?2 AND purged_at IS NULL",
        tenant,
        number,
        at,
        mac
    )
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::Missing)?;
    let outcome = sqlx::query!("DELETE FROM audit WHERE tenant = ?1 AND seal = ?2", tenant, number)
        .execute(connection)
        .await;
    written(outcome).map(drop)
}
