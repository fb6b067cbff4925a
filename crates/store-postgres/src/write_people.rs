//! Writes of what people prove themselves with, of links to them, and of receipts.

use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::records::{Credential, CredentialKind, Receipt, UserLink};
use signet_store::{Result, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fail::{found, written};

pub(crate) async fn insert_credential(connection: &mut PgConnection, credential: &Credential) -> Result<()> {
    let (tenant, kind) = (credential.tenant.as_str(), credential.kind.name());
    let outcome = sqlx::query!(
        "INSERT INTO user_credentials (tenant, user_id, id, kind, name, secret, counter, failures,
                                       created_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant,
        credential.user_id,
        credential.id,
        kind,
        credential.name,
        credential.secret,
        credential.counter,
        credential.failures,
        credential.created_at,
        credential.last_used_at
    )
    .execute(connection)
    .await;
    match written(outcome) {
        Err(StoreError::Conflict(Conflict::Exists)) => Err(Conflict::Credential.into()),
        outcome => outcome.map(drop),
    }
}

/// What a use changes: the counts, what a passkey says of itself, and when.
pub(crate) async fn use_credential(
    connection: &mut PgConnection,
    credential: &Credential,
    seen_counter: i64,
    seen_failures: i64,
) -> Result<()> {
    let tenant = credential.tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE user_credentials SET secret = $4, counter = $5, last_used_at = $6, failures = $8
         WHERE tenant = $1 AND user_id = $2 AND id = $3 AND counter = $7 AND failures = $9",
        tenant,
        credential.user_id,
        credential.id,
        credential.secret,
        credential.counter,
        credential.last_used_at,
        seen_counter,
        credential.failures,
        seen_failures
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Credential)
}

/// However many are counted at a time, each counts.
pub(crate) async fn miss_credential(
    connection: &mut PgConnection,
    tenant: &TenantId,
    user: Uuid,
    id: Uuid,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE user_credentials SET failures = failures + 1 WHERE tenant = $1 AND user_id = $2 AND id = $3",
        tenant,
        user,
        id
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Credential)
}

pub(crate) async fn rename_credential(
    connection: &mut PgConnection,
    tenant: &TenantId,
    user: Uuid,
    id: Uuid,
    name: &str,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE user_credentials SET name = $4 WHERE tenant = $1 AND user_id = $2 AND id = $3",
        tenant,
        user,
        id,
        name
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Missing)
}

pub(crate) async fn delete_credential(
    connection: &mut PgConnection,
    tenant: &TenantId,
    user: Uuid,
    id: Uuid,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "DELETE FROM user_credentials WHERE tenant = $1 AND user_id = $2 AND id = $3",
        tenant,
        user,
        id
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Credential)
}

pub(crate) async fn delete_credentials(
    connection: &mut PgConnection,
    tenant: &TenantId,
    user: Uuid,
    kind: CredentialKind,
) -> Result<()> {
    let (tenant, kind) = (tenant.as_str(), kind.name());
    let outcome = sqlx::query!(
        "DELETE FROM user_credentials WHERE tenant = $1 AND user_id = $2 AND kind = $3",
        tenant,
        user,
        kind
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// A person has one link for a purpose: a later one takes the place of the one before, unless that was made at `since` or
/// later and has not expired.
pub(crate) async fn insert_user_link(
    connection: &mut PgConnection,
    link: &UserLink,
    since: UnixTime,
) -> Result<()> {
    let (tenant, hash) = (link.tenant.as_str(), link.hash.as_bytes().as_slice());
    let purpose = link.purpose.name();
    let outcome = sqlx::query!(
        "INSERT INTO user_links (tenant, hash, user_id, purpose, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant, user_id, purpose) DO UPDATE
         SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at
         WHERE user_links.created_at < $7 OR user_links.expires_at <= excluded.created_at",
        tenant,
        hash,
        link.user_id,
        purpose,
        link.created_at,
        link.expires_at,
        since
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Link)
}

pub(crate) async fn use_user_link(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "DELETE FROM user_links WHERE tenant = $1 AND hash = $2 AND expires_at > $3",
        tenant,
        hash,
        at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Link)
}

/// One that has expired gives way, swept or not.
pub(crate) async fn insert_receipt(connection: &mut PgConnection, receipt: &Receipt) -> Result<()> {
    let (tenant, key) = (receipt.tenant.as_str(), receipt.key.as_bytes().as_slice());
    let request = receipt.request.as_bytes().as_slice();
    let outcome = sqlx::query!(
        "INSERT INTO receipts (tenant, actor, key, request, resource, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant, actor, key) DO UPDATE
         SET request = excluded.request, resource = excluded.resource, created_at = excluded.created_at,
             expires_at = excluded.expires_at
         WHERE receipts.expires_at <= excluded.created_at",
        tenant,
        receipt.actor,
        key,
        request,
        receipt.resource,
        receipt.created_at,
        receipt.expires_at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Receipt)
}
