//! Writes of what a login passes through. Each is one statement; its row count decides.

use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{AccessToken, Code, Consent, Grant, Interaction, Replay, Session};
use signet_store::{Result, backend};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::fail::{found, written};

pub(crate) async fn insert_session(connection: &mut SqliteConnection, session: &Session) -> Result<()> {
    let (tenant, hash) = (session.tenant.as_str(), session.hash.as_bytes().as_slice());
    let amr = Json(&session.amr);
    let outcome = sqlx::query!(
        "INSERT INTO sessions (tenant, hash, sid, user_id, auth_time, amr, acr, last_seen, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    last_seen: UnixTime,
) -> Result<()> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let outcome = sqlx::query!(
        "UPDATE sessions SET last_seen = ?3 WHERE tenant = ?1 AND hash = ?2 AND last_seen < ?3",
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
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<u64> {
    let (tenant, hash) = (tenant.as_str(), hash.as_bytes().as_slice());
    let outcome = sqlx::query!("DELETE FROM sessions WHERE tenant = ? AND hash = ?", tenant, hash)
        .execute(connection)
        .await;
    written(outcome)
}

pub(crate) async fn take_session(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
) -> Result<()> {
    match delete_session(connection, tenant, hash).await? {
        0 => Err(Conflict::Session.into()),
        _ => Ok(()),
    }
}

pub(crate) async fn insert_interaction(
    connection: &mut SqliteConnection,
    interaction: &Interaction,
) -> Result<()> {
    let (tenant, browser) = (interaction.tenant.as_str(), interaction.browser.as_bytes().as_slice());
    let (stage, sid) = backend::stage_columns(&interaction.stage);
    let sid = sid.as_deref();
    let request = Json(&interaction.request);
    let outcome = sqlx::query!(
        "INSERT INTO interactions (tenant, id, browser, version, stage, sid, request, correlation_id,
                                   created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    connection: &mut SqliteConnection,
    interaction: &Interaction,
    now: UnixTime,
) -> Result<()> {
    let (tenant, browser) = (interaction.tenant.as_str(), interaction.browser.as_bytes().as_slice());
    let (stage, sid) = backend::stage_columns(&interaction.stage);
    let sid = sid.as_deref();
    let request = Json(&interaction.request);
    let outcome = sqlx::query!(
        "UPDATE interactions SET browser = ?3, version = ?4, stage = ?5, sid = ?6, request = ?7,
                                 correlation_id = ?8, created_at = ?9, expires_at = ?10
         WHERE tenant = ?1 AND id = ?2 AND version = ?4 - 1 AND stage <> 'finished' AND expires_at > ?11",
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

pub(crate) async fn put_consent(connection: &mut SqliteConnection, consent: &Consent) -> Result<()> {
    let (tenant, client, scope) = (consent.tenant.as_str(), consent.client_id.as_str(), Json(&consent.scope));
    let outcome = sqlx::query!(
        "INSERT INTO consents (tenant, user_id, client_id, scope, granted_at) VALUES (?, ?, ?, ?, ?)
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
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    user: Uuid,
    client: &ClientId,
    at: UnixTime,
) -> Result<()> {
    let (tenant, client) = (tenant.as_str(), client.as_str());
    let outcome = sqlx::query!(
        "UPDATE grants SET revoked_at = ?4
         WHERE tenant = ?1 AND user_id = ?2 AND client_id = ?3 AND revoked_at IS NULL",
        tenant,
        user,
        client,
        at
    )
    .execute(&mut *connection)
    .await;
    written(outcome)?;
    let outcome = sqlx::query!(
        "DELETE FROM consents WHERE tenant = ? AND user_id = ? AND client_id = ?",
        tenant,
        user,
        client
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn insert_grant(connection: &mut SqliteConnection, grant: &Grant) -> Result<()> {
    let (tenant, client) = (grant.tenant.as_str(), grant.client_id.as_str());
    let ends_at = backend::grant_end(grant.created_at);
    let outcome = sqlx::query!(
        "INSERT INTO grants (tenant, id, client_id, user_id, sid, created_at, ends_at, revoked_at, parent)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                (SELECT coalesce(parent, id) FROM grants WHERE tenant = ?1 AND id = ?9)
         WHERE ?9 IS NULL
            OR EXISTS (SELECT 1 FROM grants WHERE tenant = ?1 AND id = ?9 AND revoked_at IS NULL)",
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
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: Uuid,
    at: UnixTime,
) -> Result<()> {
    let tenant = tenant.as_str();
    let outcome = sqlx::query!(
        "UPDATE grants SET revoked_at = ?3 WHERE tenant = ?1 AND id = ?2 AND revoked_at IS NULL",
        tenant,
        id,
        at
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

/// A grant lives as long as anything under it.
pub(crate) async fn prolong_grant(
    connection: &mut SqliteConnection,
    tenant: &str,
    id: Uuid,
    until: UnixTime,
) -> Result<()> {
    let outcome = sqlx::query!(
        "UPDATE grants SET ends_at = ?3 WHERE tenant = ?1 AND id = ?2 AND ends_at < ?3",
        tenant,
        id,
        until
    )
    .execute(connection)
    .await;
    written(outcome).map(drop)
}

pub(crate) async fn insert_code(connection: &mut SqliteConnection, code: &Code) -> Result<()> {
    let (tenant, hash) = (code.tenant.as_str(), code.hash.as_bytes().as_slice());
    let (client, user) = (code.client_id.as_str(), code.authentication.user_id);
    let (request, scope, authentication) =
        (Json(&code.request), Json(&code.scope), Json(&code.authentication));
    let outcome = sqlx::query!(
        "INSERT INTO codes (tenant, hash, grant_id, request, scope, authentication, correlation_id,
                            issued_at, expires_at, redeemed_at)
         SELECT tenant, ?2, id, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM grants
         WHERE tenant = ?1 AND id = ?3 AND client_id = ?11 AND user_id = ?12 AND revoked_at IS NULL",
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
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::Grant)?;
    prolong_grant(connection, tenant, code.grant_id, code.expires_at).await
}

pub(crate) async fn redeem_code(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    hash: &TokenHash,
    client: &ClientId,
    at: UnixTime,
) -> Result<()> {
    let (tenant, hash, client) = (tenant.as_str(), hash.as_bytes().as_slice(), client.as_str());
    let outcome = sqlx::query!(
        "UPDATE codes SET redeemed_at = ?4
         WHERE tenant = ?1 AND hash = ?2 AND redeemed_at IS NULL AND expires_at > ?4
           AND EXISTS (SELECT 1 FROM grants g WHERE g.tenant = codes.tenant AND g.id = codes.grant_id
                                                AND g.client_id = ?3 AND g.revoked_at IS NULL)",
        tenant,
        hash,
        client,
        at
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Code)
}

pub(crate) async fn insert_access_token(
    connection: &mut SqliteConnection,
    token: &AccessToken,
) -> Result<()> {
    let (tenant, hash) = (token.tenant.as_str(), token.hash.as_bytes().as_slice());
    let (client, scope, claims) = (token.client_id.as_str(), Json(&token.scope), Json(&token.claims));
    let (audience, actor) = (Json(&token.audience), token.actor.as_ref().map(Json));
    let outcome = sqlx::query!(
        "INSERT INTO access_tokens (tenant, hash, grant_id, scope, claims, audience, actor, issued_at, expires_at)
         SELECT tenant, ?2, id, ?4, ?5, ?6, ?7, ?8, ?9 FROM grants
         WHERE tenant = ?1 AND id = ?3 AND client_id = ?10 AND user_id IS ?11 AND revoked_at IS NULL",
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
    .execute(&mut *connection)
    .await;
    found(outcome, Conflict::Grant)?;
    prolong_grant(connection, tenant, token.grant_id, token.expires_at).await
}

/// The primary key arbitrates: a row is written for a first use, or over one that has ended.
pub(crate) async fn claim_replay(connection: &mut SqliteConnection, replay: &Replay) -> Result<()> {
    let key = replay.key.as_slice();
    let outcome = sqlx::query!(
        "INSERT INTO used_jti (k, until) VALUES (?1, ?2)
         ON CONFLICT (k) DO UPDATE SET until = excluded.until WHERE used_jti.until <= ?3",
        key,
        replay.until,
        replay.now
    )
    .execute(connection)
    .await;
    found(outcome, Conflict::Replay)
}
