//! Reads of the audit trail and of the chain over it.

use serde_json::{Map, Value};
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{AuditEvent, AuditSeal, AuditTally};
use signet_store::{AuditFilter, Result, backend, search};
use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::looked_up;

struct AuditRow {
    id: Uuid,
    at: i64,
    kind: String,
    outcome: String,
    reason: Option<String>,
    correlation_id: String,
    client_id: Option<String>,
    user_id: Option<Uuid>,
    actor: Option<String>,
    detail: Json<Map<String, Value>>,
    seal: Option<i64>,
}

impl AuditRow {
    fn record(self, tenant: &TenantId) -> Result<AuditEvent> {
        Ok(AuditEvent {
            tenant: tenant.clone(),
            id: self.id,
            at: self.at,
            kind: self.kind,
            outcome: backend::outcome(&self.outcome)?,
            reason: self.reason,
            correlation_id: self.correlation_id,
            client_id: self.client_id.map(ClientId::new),
            user_id: self.user_id,
            actor: self.actor,
            detail: self.detail.0,
        })
    }
}

/// One statement per leading condition, the most selective first, so that each is served by an index: a generic plan does
/// not see through `.. IS NULL OR ..`. A span of time is one of ids, so any of these indexes serves it.
pub(crate) async fn audit(pool: &PgPool, tenant: &TenantId, filter: &AuditFilter) -> Result<Vec<AuditEvent>> {
    let name = tenant.as_str();
    let (correlation, user) = (filter.correlation_id.as_deref(), filter.user_id);
    let (client, reason) = (filter.client_id.as_ref().map(ClientId::as_str), filter.reason.as_deref());
    let (kind, outcome) = (filter.kind.as_deref(), filter.outcome.map(backend::outcome_name));
    let actor = filter.actor.as_deref();
    let (from, before) = search::span(filter);
    let (since, until) = (filter.since.unwrap_or(i64::MIN), filter.until.unwrap_or(i64::MAX));
    let limit = backend::page_limit(filter.limit);
    macro_rules! select {
        ($condition:tt) => {
            sqlx::query_as!(
                AuditRow,
                r#"SELECT id, at, kind, outcome, reason, correlation_id, client_id,
                  user_id, actor, detail AS "detail: Json<Map<String, Value>>", seal
                   FROM audit
                   WHERE tenant = $1 AND id < $2 AND id >= $3 AND at >= $4 AND at < $5
                     AND ($6::text IS NULL OR correlation_id = $6) AND ($7::uuid IS NULL OR user_id = $7)
                     AND ($8::text IS NULL OR client_id = $8) AND ($9::text IS NULL OR reason = $9)
                     AND ($10::text IS NULL OR kind = $10) AND ($11::text IS NULL OR outcome = $11)
                     AND ($12::text IS NULL OR actor = $12)"#
                    + $condition
                    + " ORDER BY id DESC LIMIT $13",
                name,
                before,
                from,
                since,
                until,
                correlation,
                user,
                client,
                reason,
                kind,
                outcome,
                actor,
                limit
            )
            .fetch_all(pool)
            .await
        };
    }
    let rows = if correlation.is_some() {
        select!(" AND correlation_id = $6")
    } else if user.is_some() {
        select!(" AND user_id = $7")
    } else if actor.is_some() {
        select!(" AND actor = $12")
    } else if client.is_some() {
        select!(" AND client_id = $8")
    } else if reason.is_some() {
        select!(" AND reason = $9")
    } else if kind.is_some() {
        select!(" AND kind = $10")
    } else if outcome.is_some() {
        select!(" AND outcome = $11")
    } else {
        select!("")
    };
    looked_up(rows)?.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn unsealed_audit(pool: &PgPool, tenant: &TenantId, limit: u32) -> Result<Vec<AuditEvent>> {
    let (name, limit) = (tenant.as_str(), backend::page_limit(limit));
    let rows = looked_up(
        sqlx::query_as!(
            AuditRow,
            r#"SELECT id, at, kind, outcome, reason, correlation_id, client_id,
                  user_id, actor, detail AS "detail: Json<Map<String, Value>>", seal
           FROM audit WHERE tenant = $1 AND seal IS NULL ORDER BY id LIMIT $2"#,
            name,
            limit
        )
        .fetch_all(pool)
        .await,
    )?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn sealed_audit(
    pool: &PgPool,
    tenant: &TenantId,
    number: i64,
    limit: u32,
) -> Result<Vec<AuditEvent>> {
    let (name, limit) = (tenant.as_str(), backend::page_limit(limit));
    let rows = looked_up(
        sqlx::query_as!(
            AuditRow,
            r#"SELECT id, at, kind, outcome, reason, correlation_id, client_id,
                  user_id, actor, detail AS "detail: Json<Map<String, Value>>", seal
           FROM audit WHERE tenant = $1 AND seal = $2 ORDER BY id LIMIT $3"#,
            name,
            number,
            limit
        )
        .fetch_all(pool)
        .await,
    )?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn chained_audit(
    pool: &PgPool,
    tenant: &TenantId,
    after: (i64, Uuid),
    limit: u32,
) -> Result<Vec<(i64, AuditEvent)>> {
    let (name, (number, id), limit) = (tenant.as_str(), after, backend::page_limit(limit));
    let rows = looked_up(
        sqlx::query_as!(
            AuditRow,
            r#"SELECT id, at, kind, outcome, reason, correlation_id, client_id,
                  user_id, actor, detail AS "detail: Json<Map<String, Value>>", seal
           FROM audit WHERE tenant = $1 AND seal IS NOT NULL AND (seal, id) > ($2, $3)
           ORDER BY seal, id LIMIT $4"#,
            name,
            number,
            id,
            limit
        )
        .fetch_all(pool)
        .await,
    )?;
    rows.into_iter().map(|row| Ok((row.seal.unwrap_or_default(), row.record(tenant)?))).collect()
}

struct SealRow {
    number: i64,
    count: i64,
    newest_at: i64,
    mac: Vec<u8>,
    sealed_at: i64,
    purged_at: Option<i64>,
    purge_mac: Option<Vec<u8>>,
}

impl SealRow {
    fn record(self, tenant: &TenantId) -> Result<AuditSeal> {
        Ok(AuditSeal {
            tenant: tenant.clone(),
            number: self.number,
            count: self.count,
            newest_at: self.newest_at,
            mac: backend::mac(&self.mac)?,
            sealed_at: self.sealed_at,
            purged_at: self.purged_at,
            purge_mac: self.purge_mac.as_deref().map(backend::mac).transpose()?,
        })
    }
}

pub(crate) async fn last_audit_seal(pool: &PgPool, tenant: &TenantId) -> Result<Option<AuditSeal>> {
    let name = tenant.as_str();
    let row = looked_up(
        sqlx::query_as!(
            SealRow,
            r#"SELECT number, count, newest_at, mac, sealed_at, purged_at, purge_mac
           FROM audit_seals WHERE tenant = $1 ORDER BY number DESC LIMIT 1"#,
            name
        )
        .fetch_optional(pool)
        .await,
    )?;
    row.map(|row| row.record(tenant)).transpose()
}

pub(crate) async fn audit_seals(
    pool: &PgPool,
    tenant: &TenantId,
    after: i64,
    limit: u32,
) -> Result<Vec<AuditSeal>> {
    let (name, limit) = (tenant.as_str(), backend::page_limit(limit));
    let rows = looked_up(
        sqlx::query_as!(
            SealRow,
            r#"SELECT number, count, newest_at, mac, sealed_at, purged_at, purge_mac
           FROM audit_seals WHERE tenant = $1 AND number > $2 ORDER BY number LIMIT $3"#,
            name,
            after,
            limit
        )
        .fetch_all(pool)
        .await,
    )?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn unpurged_audit_seals(
    pool: &PgPool,
    tenant: &TenantId,
    limit: u32,
) -> Result<Vec<AuditSeal>> {
    let (name, limit) = (tenant.as_str(), backend::page_limit(limit));
    let rows = looked_up(
        sqlx::query_as!(
            SealRow,
            r#"SELECT number, count, newest_at, mac, sealed_at, purged_at, purge_mac
           FROM audit_seals WHERE tenant = $1 AND purged_at IS NULL ORDER BY number LIMIT $2"#,
            name,
            limit
        )
        .fetch_all(pool)
        .await,
    )?;
    rows.into_iter().map(|row| row.record(tenant)).collect()
}

pub(crate) async fn audit_tallies(pool: &PgPool, tenant: &TenantId, since: i64) -> Result<Vec<AuditTally>> {
    let name = tenant.as_str();
    let rows = looked_up(
        sqlx::query!(
            r#"SELECT day, kind, outcome, reason, count
           FROM audit_tallies WHERE tenant = $1 AND day >= $2 ORDER BY day, kind, outcome, reason"#,
            name,
            since
        )
        .fetch_all(pool)
        .await,
    )?;
    rows.into_iter()
        .map(|row| {
            Ok(AuditTally {
                day: row.day,
                kind: row.kind,
                outcome: backend::outcome(&row.outcome)?,
                reason: row.reason,
                count: row.count,
            })
        })
        .collect()
}
