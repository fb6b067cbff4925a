//! Writes of what a login passes through. Each is one statement; its row count decides.

use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{AccessToken, Code, Consent, Grant, Interaction, Replay, Session};
use signet_store::{Result, backend};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fail::{found, json, written};

pub(crate) async fn insert_session(connection: &mut PgConnection, session: &Session) -> Result<()> {
    let (tenant, hash) = (session.tenant.as_str(), session.hash.as_bytes().as_slice());
    let amr = json(&session.amr)?;
    let outcome = sqlx::query!(
        "INSERT INTO sessions (tenant, hash, sid, user_id, auth_time, amr, acr, last_seen, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6::text::json, $7, $8, $9)",
        tenant,
        hash,
        session.sid,
        session.user_id,
        session.auth_time,
        amr,
        session.acr,
        session.last_seen,
        session.expires_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn touch_session(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    last_seen: UnixTime,
) -> Result<()> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "UPDATE sessions SET last_seen = $3 WHERE tenant = $1 AND hash = $2 AND last_seen < $3",
        tenant,
        hash,
        last_seen
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// How many there were.
pub(crate) async fn delete_session(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<u64> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let outcome = sqlx::query!("DELETE FROM sessions WHERE tenant = $1 AND hash = $2", tenant, hash)
        .execute(connection)
        .await;
    written(outcome)
}

pub(crate) async fn take_session(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<()> {
    match delete_session(connection, tenant, hash).await? {
        0 => Err(Conflict::Session.into()),
        _ => Ok(()),
    }
}

pub(crate) async fn insert_interaction(
    connection: &mut PgConnection,
    interaction: &Interaction,
) -> Result<()> {
    let (tenant, browser) = (interaction.tenant.as_str(), interaction.browser.as_bytes().as_slice());
    let (stage, sid) = backend::stage_columns(&interaction.stage);
    let sid = sid.as_deref();
    let request = json(&interaction.request)?;
    let outcome = sqlx::query!(
        "INSERT INTO interactions (tenant, id, browser, version, stage, sid, request, correlation_id,
                                   created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::json, $8, $9, $10)",
        tenant,
        interaction.id,
        browser,
        interaction.version,
        stage,
        sid,
        request,
        interaction.correlation_id,
        interaction.created_at,
        interaction.expires_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn update_interaction(
    connection: &mut PgConnection,
    interaction: &Interaction,
    now: UnixTime,
) -> Result<()> {
    let (tenant, browser) = (interaction.tenant.as_str(), interaction.browser.as_bytes().as_slice());
    let (stage, sid) = backend::stage_columns(&interaction.stage);
    let sid = sid.as_deref();
    let request = json(&interaction.request)?;
    let outcome = sqlx::query!(
        "UPDATE interactions SET browser = $3, version = $4, stage = $5, sid = $6, request = $7::text::json,
                                 correlation_id = $8, created_at = $9, expires_at = $10
         WHERE tenant = $1 AND id = $2 AND version = $4::bigint - 1 AND stage <> 'finished' AND expires_at > $11",
        tenant,
        interaction.id,
        browser,
        interaction.version,
        stage,
        sid,
        request,
        interaction.correlation_id,
        interaction.created_at,
        interaction.expires_at,
        now
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Interaction)
}

pub(crate) async fn put_consent(connection: &mut PgConnection, consent: &Consent) -> Result<()> {
    let (tenant, client, scope) =
        (consent.tenant.as_str(), consent.client_id.as_str(), json(&consent.scope)?);
    let outcome = sqlx::query!(
        "INSERT INTO consents (tenant, user_id, client_id, scope, granted_at) VALUES ($1, $2, $3, $4::text::json, $5)
         ON CONFLICT (tenant, user_id, client_id)
         DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at",
        tenant,
        consent.user_id,
        client,
        scope,
        consent.granted_at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn delete_consent(
    connection: &mut PgConnection,
    tenant: &TenantId,
    user: Uuid,
    client: &ClientId,
    at: UnixTime,
) -> Result<()> {
    let (tenant, client) = (tenant.as_str(), client.as_str());
    let outcome = sqlx::query!(
        "UPDATE grants SET revoked_at = $4
         WHERE tenant = $1 AND user_id = $2 AND client_id = $3 AND revoked_at IS NULL",
        tenant,
        user,
        client,
        at
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    let outcome = sqlx::query!(
        "DELETE FROM consents WHERE tenant = $1 AND user_id = $2 AND client_id = $3",
        tenant,
        user,
        client
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn insert_grant(connection: &mut PgConnection, grant: &Grant) -> Result<()> {
    let (tenant, client) = (grant.tenant.as_str(), grant.client_id.as_str());
    let ends_at = backend::grant_end(grant.created_at);
    let outcome = sqlx::query!(
        "INSERT INTO grants (tenant, id, client_id, user_id, sid, created_at, ends_at, revoked_at, parent)
         SELECT $1::text, $2::uuid, $3::text, $4::uuid, $5::text, $6::bigint, $7::bigint, $8::bigint,
                (SELECT coalesce(parent, id) FROM grants WHERE tenant = $1 AND id = $9)
         WHERE $9::uuid IS NULL
            OR EXISTS (SELECT 1 FROM grants WHERE tenant = $1 AND id = $9 AND revoked_at IS NULL)",
        tenant,
        grant.id,
        client,
        grant.user_id,
        grant.sid,
        grant.created_at,
        ends_at,
        grant.revoked_at,
        grant.parent
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Grant)
}

pub(crate) async fn revoke_grant(
    connection: &mut PgConnection,
    tenant: &TenantId,
    id: Uuid,
    at: UnixTime,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE grants SET revoked_at = $3 WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL",
        tenant,
        id,
        at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// Locks the grant, so that nothing is issued under one that is being revoked, and lets it live as long as the code.
pub(crate) async fn insert_code(connection: &mut PgConnection, code: &Code) -> Result<()> {
    let (tenant, hash) = (code.tenant.as_str(), code.hash.as_bytes().as_slice());
    let (client, user) = (code.client_id.as_str(), code.authentication.user_id);
    let (request, scope, authentication) =
        (json(&code.request)?, json(&code.scope)?, json(&code.authentication)?);
    let outcome = sqlx::query!(
        "WITH standing AS (
             SELECT tenant, id FROM grants
             WHERE tenant = $1 AND id = $3 AND client_id = $11 AND user_id = $12 AND revoked_at IS NULL
             FOR NO KEY UPDATE),
         prolonged AS (
             UPDATE grants SET ends_at = $9 FROM standing
             WHERE grants.tenant = standing.tenant AND grants.id = standing.id AND grants.ends_at < $9)
         INSERT INTO codes (tenant, hash, grant_id, request, scope, authentication, correlation_id,
                            issued_at, expires_at, redeemed_at)
         SELECT tenant, $2, id, $4::text::json, $5::text::json, $6::text::json, $7, $8, $9, $10 FROM standing",
        tenant,
        hash,
        code.grant_id,
        request,
        scope,
        authentication,
        code.correlation_id,
        code.issued_at,
        code.expires_at,
        code.redeemed_at,
        client,
        user
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Grant)
}

/// Locks the grant, then the code, as a deletion of client or user does: redemption, revocation and deletion wait for each
/// other instead of deadlocking.
pub(crate) async fn redeem_code(
    connection: &mut PgConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    client: &ClientId,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash, client) = (tenant.as_str(), hash.as_bytes().as_slice(), client.as_str());
    let outcome = sqlx::query!(
        "WITH standing AS (
             SELECT g.tenant, g.id FROM grants g JOIN codes c ON c.tenant = g.tenant AND c.grant_id = g.id
             WHERE c.tenant = $1 AND c.hash = $2 AND g.client_id = $3 AND g.revoked_at IS NULL
             FOR NO KEY UPDATE OF g)
         UPDATE codes SET redeemed_at = $4 FROM standing
         WHERE codes.tenant = $1 AND codes.hash = $2 AND codes.redeemed_at IS NULL AND codes.expires_at > $4
           AND standing.tenant = codes.tenant AND standing.id = codes.grant_id",
        tenant,
        hash,
        client,
        at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Code)
}

/// Locks the grant, so that nothing is issued under one that is being revoked, and lets it live as long as the token.
pub(crate) async fn insert_access_token(connection: &mut PgConnection, token: &AccessToken) -> Result<()> {
    let (tenant, hash) = (token.tenant.as_str(), token.hash.as_bytes().as_slice());
    let (client, scope, claims) = (token.client_id.as_str(), json(&token.scope)?, json(&token.claims)?);
    let (audience, actor) = (json(&token.audience)?, token.actor.as_ref().map(json).transpose()?);
    let outcome = sqlx::query!(
        "WITH standing AS (
             SELECT tenant, id FROM grants
             WHERE tenant = $1 AND id = $3 AND client_id = $10 AND user_id IS NOT DISTINCT FROM $11
               AND revoked_at IS NULL
             FOR NO KEY UPDATE),
         prolonged AS (
             UPDATE grants SET ends_at = $9 FROM standing
             WHERE grants.tenant = standing.tenant AND grants.id = standing.id AND grants.ends_at < $9)
         INSERT INTO access_tokens (tenant, hash, grant_id, scope, claims, audience, actor, issued_at, expires_at)
         SELECT tenant, $2, id, $4::text::json, $5::text::json, $6::text::json, $7::text::json, $8, $9 FROM standing",
        tenant,
        hash,
        token.grant_id,
        scope,
        claims,
        audience,
        actor,
        token.issued_at,
        token.expires_at,
        client,
        token.user_id
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Grant)
}

/// The primary key arbitrates: a row is written for a first use, or over one that has ended. A conflicting
/// insert waits for the other transaction and then looks at the committed row, so of any number at once one gets it.
pub(crate) async fn claim_replay(connection: &mut PgConnection, replay: &Replay) -> Result<()> {
    let key = Uuid::from_bytes(replay.key);
    let outcome = sqlx::query!(
        "INSERT INTO used_jti (k, until) VALUES ($1, $2)
         ON CONFLICT (k) DO UPDATE SET until = excluded.until WHERE used_jti.until <= $3",
        key,
        replay.until,
        replay.now
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Replay)
}
