//! All changes of a decision in one transaction.

use signet_core::change::Change;
use signet_core::context::UnixTime;
use signet_core::ids::TenantId;
use signet_store::{Result, backend};
use sqlx::{SqliteConnection, SqlitePool};

use crate::fail::failed;
use crate::{
    write_audit as audit, write_logins as logins, write_people as people, write_sessions as sessions,
    write_setup as setup, write_tokens as tokens,
};

/// `BEGIN IMMEDIATE` takes the write lock at once: a transaction that reads first and writes later could find itself
/// on an old snapshot and fail.
pub(crate) async fn apply(writer: &SqlitePool, tenant: &TenantId, changes: &[Change]) -> Result<()> {
    backend::check(tenant, changes)?;
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    for change in changes {
        if let Err(error) = write(&mut transaction, tenant, change).await {
            transaction.rollback().await.map_err(failed)?;
            return Err(error);
        }
    }
    transaction.commit().await.map_err(failed)
}

#[expect(clippy::too_many_lines, reason = "one arm for each change")]
async fn write(connection: &mut SqliteConnection, tenant: &TenantId, change: &Change) -> Result<()> {
    match change {
        Change::InsertTenant(tenant) => setup::insert_tenant(connection, tenant).await,
        Change::UpdateTenant(tenant) => setup::update_tenant(connection, tenant).await,
        Change::InsertTenantKey(key) => setup::insert_tenant_key(connection, key).await,
        Change::EndTenantKey { id, use_until, remove_at } => {
            setup::end_tenant_key(connection, tenant, id, *use_until, *remove_at).await
        }
        Change::RevokeTenantKey { id, at } => setup::revoke_tenant_key(connection, tenant, id, *at).await,
        Change::InsertClient(client) => setup::insert_client(connection, client).await,
        Change::UpdateClient(client) => setup::update_client(connection, client).await,
        Change::DeleteClient(id) => setup::delete_client(connection, tenant, id).await,
        Change::InsertClientKey(key) => setup::insert_client_key(connection, key).await,
        Change::UpdateClientKey { client_id, id, name, not_before, not_after } => {
            let (id, not_before, not_after) = (*id, *not_before, *not_after);
            let edit = setup::KeyEdit { client_id, id, name, not_before, not_after };
            setup::update_client_key(connection, tenant, edit).await
        }
        Change::RevokeClientKey { client_id, id, at } => {
            setup::revoke_client_key(connection, tenant, client_id, *id, *at).await
        }
        Change::InsertUser(user) => setup::insert_user(connection, user).await,
        Change::UpdateUser(user) => setup::update_user(connection, user).await,
        Change::DeleteUser(id) => setup::delete_user(connection, tenant, *id).await,
        Change::NeedUser { id, version } => setup::need_user(connection, tenant, *id, *version).await,
        Change::InsertSession(session) => logins::insert_session(connection, session).await,
        Change::TouchSession { hash, last_seen } => {
            logins::touch_session(connection, tenant, hash, *last_seen).await
        }
        Change::NeedSession(hash) => sessions::need_session(connection, tenant, hash).await,
        Change::UpdateSession(session) => sessions::update_session(connection, session).await,
        Change::DeleteSession(hash) => logins::delete_session(connection, tenant, hash).await.map(drop),
        Change::TakeSession(hash) => logins::take_session(connection, tenant, hash).await,
        Change::EndUserSessions { user_id, keep, at } => {
            sessions::end_user_sessions(connection, tenant, *user_id, keep.as_ref(), *at).await
        }
        Change::InsertInteraction(interaction) => logins::insert_interaction(connection, interaction).await,
        Change::UpdateInteraction { interaction, now } => {
            logins::update_interaction(connection, interaction, *now).await
        }
        Change::PutConsent(consent) => logins::put_consent(connection, consent).await,
        Change::DeleteConsent { user_id, client_id, at } => {
            logins::delete_consent(connection, tenant, *user_id, client_id, *at).await
        }
        Change::InsertGrant(grant) => logins::insert_grant(connection, grant).await,
        Change::RevokeGrant { id, at } => logins::revoke_grant(connection, tenant, *id, *at).await,
        Change::InsertCode(code) => logins::insert_code(connection, code).await,
        Change::RedeemCode { hash, client_id, at } => {
            logins::redeem_code(connection, tenant, hash, client_id, *at).await
        }
        Change::InsertAccessToken(token) => logins::insert_access_token(connection, token).await,
        Change::InsertRefreshToken(token) => tokens::insert_refresh_token(connection, token).await,
        Change::RotateRefreshToken { hash, client_id, rotations, at } => {
            tokens::rotate_refresh_token(connection, tenant, hash, client_id, *rotations, *at).await
        }
        Change::ProlongRefreshToken { hash, client_id, at, expires_at } => {
            tokens::prolong_refresh_token(connection, tenant, hash, client_id, *at, *expires_at).await
        }
        Change::DeleteAccessToken(hash) => sessions::delete_access_token(connection, tenant, hash).await,
        Change::RevokeSessionGrants { sid, at } => {
            sessions::revoke_session_grants(connection, tenant, sid, *at).await
        }
        Change::InsertPushedRequest(pushed) => tokens::insert_pushed_request(connection, pushed).await,
        Change::TakePushedRequest { hash, client_id, at } => {
            tokens::take_pushed_request(connection, tenant, hash, client_id, *at).await
        }
        Change::InsertDeviceCode(device) => tokens::insert_device_code(connection, device).await,
        Change::UpdateDeviceCode { device, at } => tokens::update_device_code(connection, device, *at).await,
        Change::PutSessionClient(noted) => sessions::put_session_client(connection, noted).await,
        Change::DeleteSessionClients { sid } => {
            sessions::delete_session_clients(connection, tenant, sid).await
        }
        Change::InsertLogoutDelivery(delivery) => {
            sessions::insert_logout_delivery(connection, delivery).await
        }
        Change::UpdateLogoutDelivery { delivery, seen_attempts } => {
            sessions::update_logout_delivery(connection, delivery, *seen_attempts).await
        }
        Change::InsertInitialAccessToken(token) => {
            tokens::insert_initial_access_token(connection, token).await
        }
        Change::UseInitialAccessToken { hash, at } => {
            tokens::use_initial_access_token(connection, tenant, hash, *at).await
        }
        Change::DeleteInitialAccessToken { name } => {
            tokens::delete_initial_access_token(connection, tenant, name).await
        }
        Change::ClaimReplay(replay) => logins::claim_replay(connection, replay).await,
        Change::InsertCredential(credential) => people::insert_credential(connection, credential).await,
        Change::UseCredential { credential, seen_counter, seen_failures } => {
            people::use_credential(connection, credential, *seen_counter, *seen_failures).await
        }
        Change::MissCredential { user_id, id } => {
            people::miss_credential(connection, tenant, *user_id, *id).await
        }
        Change::RenameCredential { user_id, id, name } => {
            people::rename_credential(connection, tenant, *user_id, *id, name).await
        }
        Change::DeleteCredential { user_id, id } => {
            people::delete_credential(connection, tenant, *user_id, *id).await
        }
        Change::DeleteCredentials { user_id, kind } => {
            people::delete_credentials(connection, tenant, *user_id, *kind).await
        }
        Change::InsertUserLink(link) => people::insert_user_link(connection, link, UnixTime::MAX).await,
        Change::OfferUserLink { link, since } => people::insert_user_link(connection, link, *since).await,
        Change::UseUserLink { hash, at } => people::use_user_link(connection, tenant, hash, *at).await,
        Change::InsertReceipt(receipt) => people::insert_receipt(connection, receipt).await,
        Change::Audit(event) => audit::insert_audit(connection, event).await,
        Change::SealAudit { seal, events, tallies } => {
            audit::seal_audit(connection, seal, events, tallies).await
        }
        Change::PurgeAudit { number, at, mac } => {
            audit::purge_audit(connection, tenant, *number, *at, mac).await
        }
    }
}
