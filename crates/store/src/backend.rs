//! What every backend does alike around its SQL: checks before a write, names of stored values.

use std::borrow::Cow;
use std::collections::BTreeSet;

use signet_core::change::Change;
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{
    Authentication, CredentialKind, DeviceStage, InitialAccessToken, KeyOrigin, LinkPurpose, LogoutDelivery,
    Outcome, RefreshToken, Role, Stage,
};
use signet_jose::{KeySpec, KeyUse};
use uuid::Uuid;

use crate::{Result, StoreError};

/// A sweep leaves replay entries alone for this many seconds after they end, so that a node whose clock is behind the
/// sweeper's does not find a `jti` forgotten that it still remembers. Longer than any clock difference readiness allows.
pub const REPLAY_GRACE: i64 = 300;

/// The instant up to which a sweep at `now` removes replay entries.
pub fn replay_horizon(now: UnixTime) -> UnixTime {
    now.saturating_sub(REPLAY_GRACE)
}

/// A grant stays this many seconds at least, and longer if something under it does. With usual lifetimes no code or token
/// has to prolong it.
pub const GRANT_MINIMUM: i64 = 900;

/// When a new grant ends, unless something is issued under it that lives longer.
pub fn grant_end(created_at: UnixTime) -> UnixTime {
    created_at.saturating_add(GRANT_MINIMUM)
}

/// When a refresh token ends: by itself, or with its chain.
pub fn refresh_end(token: &RefreshToken) -> UnixTime {
    token.expires_at.min(token.chain_expires_at)
}

/// A sweep leaves logout deliveries alone for this many seconds after they were settled, for the operator to look at.
pub const DELIVERY_MEMORY: i64 = 7 * 86_400;

/// The instant up to which a sweep at `now` removes settled logout deliveries.
pub fn delivery_horizon(now: UnixTime) -> UnixTime {
    now.saturating_sub(DELIVERY_MEMORY)
}

/// When a logout delivery was settled that was so from the start.
pub fn born_settled(delivery: &LogoutDelivery) -> Option<UnixTime> {
    match delivery.next_attempt_at {
        Some(_) => None,
        None => Some(delivery.delivered_at.unwrap_or(delivery.created_at)),
    }
}

/// Refuses changes whose record names another tenant than `tenant`, names with U+0000, which not every database can hold, and
/// links of the audit chain that do not count their events.
pub fn check(tenant: &TenantId, changes: &[Change]) -> Result<()> {
    for change in changes {
        if let Some(other) = owner(change).filter(|owner| *owner != tenant) {
            return Err(StoreError::Corrupt(format!("a change for tenant {tenant} names tenant {other}")));
        }
        if tenant.as_str().contains('\0') || texts(change).into_iter().any(|text| text.contains('\0')) {
            return Err(StoreError::Corrupt("a name holds U+0000".into()));
        }
        if let Change::SealAudit { seal, events, .. } = change
            && usize::try_from(seal.count).ok() != Some(events.len())
        {
            return Err(StoreError::Corrupt(
                "a link of the audit chain covers another number of events".into(),
            ));
        }
    }
    Ok(())
}

/// What goes into text columns. JSON columns escape what they hold.
fn texts(change: &Change) -> Vec<&str> {
    match change {
        Change::InsertTenant(tenant) | Change::UpdateTenant(tenant) => vec![&tenant.issuer],
        Change::InsertTenantKey(key) => vec![&key.id],
        Change::EndTenantKey { id, .. } | Change::RevokeTenantKey { id, .. } => vec![id],
        Change::InsertClient(client) | Change::UpdateClient(client) => vec![client.client_id.as_str()],
        Change::DeleteClient(id)
        | Change::RevokeClientKey { client_id: id, .. }
        | Change::DeleteConsent { client_id: id, .. }
        | Change::RedeemCode { client_id: id, .. }
        | Change::RotateRefreshToken { client_id: id, .. }
        | Change::ProlongRefreshToken { client_id: id, .. }
        | Change::TakePushedRequest { client_id: id, .. } => vec![id.as_str()],
        Change::InsertClientKey(key) => {
            vec![key.client_id.as_str(), &key.name, &key.kid, &key.thumbprint]
        }
        Change::UpdateClientKey { client_id, name, .. } => vec![client_id.as_str(), name],
        Change::InsertUser(user) | Change::UpdateUser(user) => {
            user.password_hash.iter().map(String::as_str).chain([user.username.as_str()]).collect()
        }
        Change::InsertSession(session) | Change::UpdateSession(session) => {
            vec![&session.sid, &session.acr]
        }
        Change::InsertInteraction(interaction) | Change::UpdateInteraction { interaction, .. } => {
            let sid = match &interaction.stage {
                Stage::Authenticated { sid } => Some(sid.as_str()),
                _ => None,
            };
            sid.into_iter().chain([interaction.id.as_str(), &interaction.correlation_id]).collect()
        }
        Change::PutConsent(consent) => vec![consent.client_id.as_str()],
        Change::InsertGrant(grant) => {
            grant.sid.iter().map(String::as_str).chain([grant.client_id.as_str()]).collect()
        }
        Change::InsertCode(code) => vec![code.client_id.as_str(), &code.correlation_id],
        Change::InsertAccessToken(token) => vec![token.client_id.as_str()],
        Change::InsertRefreshToken(token) => vec![token.client_id.as_str(), &token.correlation_id],
        Change::RevokeSessionGrants { sid, .. } | Change::DeleteSessionClients { sid } => vec![sid],
        Change::InsertPushedRequest(pushed) => {
            vec![pushed.request.client_id.as_str(), &pushed.correlation_id]
        }
        Change::InsertDeviceCode(device) | Change::UpdateDeviceCode { device, .. } => {
            vec![device.request.client_id.as_str(), &device.user_code, &device.correlation_id]
        }
        Change::PutSessionClient(noted) => vec![noted.client_id.as_str(), &noted.sid],
        Change::InsertLogoutDelivery(delivery) | Change::UpdateLogoutDelivery { delivery, .. } => {
            let error = delivery.last_error.iter().map(String::as_str);
            error.chain([delivery.client_id.as_str(), &delivery.sid, &delivery.correlation_id]).collect()
        }
        Change::InsertInitialAccessToken(InitialAccessToken { name, .. })
        | Change::DeleteInitialAccessToken { name }
        | Change::RenameCredential { name, .. } => vec![name],
        Change::Audit(event) => {
            let optional = [event.client_id.as_ref().map(ClientId::as_str), event.reason.as_deref()];
            optional.into_iter().flatten().chain([event.kind.as_str(), &event.correlation_id]).collect()
        }
        Change::InsertCredential(credential) | Change::UseCredential { credential, .. } => {
            vec![&credential.name]
        }
        Change::InsertReceipt(receipt) => vec![&receipt.actor, &receipt.resource],
        Change::SealAudit { tallies, .. } => {
            tallies.iter().flat_map(|tally| [tally.kind.as_str(), &tally.reason]).collect()
        }
        Change::DeleteUser(_)
        | Change::NeedUser { .. }
        | Change::NeedSession(_)
        | Change::EndUserSessions { .. }
        | Change::MissCredential { .. }
        | Change::DeleteCredential { .. }
        | Change::DeleteCredentials { .. }
        | Change::InsertUserLink(_)
        | Change::OfferUserLink { .. }
        | Change::UseUserLink { .. }
        | Change::PurgeAudit { .. }
        | Change::TouchSession { .. }
        | Change::DeleteSession(_)
        | Change::TakeSession(_)
        | Change::RevokeGrant { .. }
        | Change::DeleteAccessToken(_)
        | Change::UseInitialAccessToken { .. }
        | Change::ClaimReplay(_) => Vec::new(),
    }
}

/// The tenant that a change's record names. The others have no tenant of their own and get the transaction's.
fn owner(change: &Change) -> Option<&TenantId> {
    Some(match change {
        Change::InsertTenant(tenant) | Change::UpdateTenant(tenant) => &tenant.id,
        Change::InsertTenantKey(key) => &key.tenant,
        Change::InsertClient(client) | Change::UpdateClient(client) => &client.tenant,
        Change::InsertClientKey(key) => &key.tenant,
        Change::InsertUser(user) | Change::UpdateUser(user) => &user.tenant,
        Change::InsertSession(session) | Change::UpdateSession(session) => &session.tenant,
        Change::InsertInteraction(interaction) | Change::UpdateInteraction { interaction, .. } => {
            &interaction.tenant
        }
        Change::PutConsent(consent) => &consent.tenant,
        Change::InsertGrant(grant) => &grant.tenant,
        Change::InsertCode(code) => &code.tenant,
        Change::InsertAccessToken(token) => &token.tenant,
        Change::InsertRefreshToken(token) => &token.tenant,
        Change::InsertPushedRequest(pushed) => &pushed.tenant,
        Change::InsertDeviceCode(device) | Change::UpdateDeviceCode { device, .. } => &device.tenant,
        Change::PutSessionClient(noted) => &noted.tenant,
        Change::InsertLogoutDelivery(delivery) | Change::UpdateLogoutDelivery { delivery, .. } => {
            &delivery.tenant
        }
        Change::InsertInitialAccessToken(token) => &token.tenant,
        Change::Audit(event) => &event.tenant,
        Change::InsertCredential(credential) | Change::UseCredential { credential, .. } => &credential.tenant,
        Change::InsertUserLink(link) | Change::OfferUserLink { link, .. } => &link.tenant,
        Change::InsertReceipt(receipt) => &receipt.tenant,
        Change::SealAudit { seal, .. } => &seal.tenant,
        Change::NeedUser { .. }
        | Change::NeedSession(_)
        | Change::EndUserSessions { .. }
        | Change::MissCredential { .. }
        | Change::RenameCredential { .. }
        | Change::DeleteCredential { .. }
        | Change::DeleteCredentials { .. }
        | Change::UseUserLink { .. }
        | Change::PurgeAudit { .. }
        | Change::EndTenantKey { .. }
        | Change::RevokeTenantKey { .. }
        | Change::DeleteClient(_)
        | Change::UpdateClientKey { .. }
        | Change::RevokeClientKey { .. }
        | Change::DeleteUser(_)
        | Change::TouchSession { .. }
        | Change::DeleteSession(_)
        | Change::TakeSession(_)
        | Change::DeleteConsent { .. }
        | Change::RevokeGrant { .. }
        | Change::RedeemCode { .. }
        | Change::RotateRefreshToken { .. }
        | Change::ProlongRefreshToken { .. }
        | Change::DeleteAccessToken(_)
        | Change::RevokeSessionGrants { .. }
        | Change::TakePushedRequest { .. }
        | Change::DeleteSessionClients { .. }
        | Change::UseInitialAccessToken { .. }
        | Change::DeleteInitialAccessToken { .. }
        | Change::ClaimReplay(_) => return None,
    })
}

/// Rows per page: 1 to 1000.
pub fn page_limit(limit: u32) -> i64 {
    i64::from(limit.clamp(1, 1000))
}

/// A stored hash.
pub fn token_hash(bytes: &[u8]) -> Result<TokenHash> {
    bytes.try_into().map(TokenHash::from_bytes).map_err(|_| unreadable("hash"))
}

/// A stored salt of a tenant.
pub fn salt(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| unreadable("salt"))
}

/// A stored key usage.
pub fn key_use(name: &str) -> Result<KeyUse> {
    KeyUse::from_name(name).ok_or_else(|| unreadable("key usage"))
}

/// A stored kind of key.
pub fn key_spec(name: &str) -> Result<KeySpec> {
    KeySpec::from_name(name).ok_or_else(|| unreadable("kind of key"))
}

/// A stored origin of a key.
pub fn key_origin(name: &str) -> Result<KeyOrigin> {
    KeyOrigin::from_name(name).ok_or_else(|| unreadable("origin of a key"))
}

/// The stored form of a stage: its name, and the `sid` that goes with it; before there is one, who has been identified,
/// when, and at which version of the account.
pub fn stage_columns(stage: &Stage) -> (&'static str, Option<Cow<'_, str>>) {
    match stage {
        Stage::Fresh => ("fresh", None),
        Stage::Identified { user_id, since, version } => {
            ("identified", Some(format!("{user_id} {since} {version}").into()))
        }
        Stage::Authenticated { sid } => ("authenticated", Some(sid.into())),
        Stage::Finished => ("finished", None),
    }
}

/// A stored stage.
pub fn stage(name: &str, sid: Option<String>) -> Result<Stage> {
    match (name, sid) {
        ("fresh", None) => Ok(Stage::Fresh),
        ("identified", Some(who)) => {
            let parts: Vec<&str> = who.split(' ').collect();
            let [user, since, version] = parts[..] else { return Err(unreadable("stage")) };
            match (user.parse(), since.parse(), version.parse()) {
                (Ok(user_id), Ok(since), Ok(version)) => Ok(Stage::Identified { user_id, since, version }),
                _ => Err(unreadable("stage")),
            }
        }
        ("authenticated", Some(sid)) => Ok(Stage::Authenticated { sid }),
        ("finished", None) => Ok(Stage::Finished),
        _ => Err(unreadable("stage")),
    }
}

/// The stored form of where a device authorization stands.
#[derive(Clone, Copy, Debug)]
pub struct DeviceColumns<'a> {
    /// Its name.
    pub stage: &'static str,
    /// The grant, if there is one.
    pub grant_id: Option<Uuid>,
    /// What was allowed, until it is issued.
    pub scope: Option<&'a BTreeSet<String>>,
    /// Who allowed it, until it is issued.
    pub authentication: Option<&'a Authentication>,
}

/// The stored form of where a device authorization stands.
pub fn device_columns(stage: &DeviceStage) -> DeviceColumns<'_> {
    let bare = |stage, grant_id| DeviceColumns { stage, grant_id, scope: None, authentication: None };
    match stage {
        DeviceStage::Pending => bare("pending", None),
        DeviceStage::Approved { grant_id, scope, authentication } => DeviceColumns {
            stage: "approved",
            grant_id: Some(*grant_id),
            scope: Some(scope),
            authentication: Some(authentication),
        },
        DeviceStage::Denied => bare("denied", None),
        DeviceStage::Redeemed { grant_id } => bare("redeemed", Some(*grant_id)),
    }
}

/// A stored stage of a device authorization.
pub fn device_stage(
    name: &str,
    grant_id: Option<Uuid>,
    scope: Option<BTreeSet<String>>,
    authentication: Option<Authentication>,
) -> Result<DeviceStage> {
    match (name, grant_id, scope, authentication) {
        ("pending", None, None, None) => Ok(DeviceStage::Pending),
        ("approved", Some(grant_id), Some(scope), Some(authentication)) => {
            Ok(DeviceStage::Approved { grant_id, scope, authentication })
        }
        ("denied", None, None, None) => Ok(DeviceStage::Denied),
        ("redeemed", Some(grant_id), None, None) => Ok(DeviceStage::Redeemed { grant_id }),
        _ => Err(unreadable("stage of a device")),
    }
}

/// The stored form of an outcome.
pub fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Refused => "refused",
    }
}

/// A stored outcome.
pub fn outcome(name: &str) -> Result<Outcome> {
    [Outcome::Success, Outcome::Refused]
        .into_iter()
        .find(|outcome| outcome_name(*outcome) == name)
        .ok_or_else(|| unreadable("outcome"))
}

/// A stored role.
pub fn role(name: &str) -> Result<Role> {
    Role::from_name(name).ok_or_else(|| unreadable("role"))
}

/// A stored kind of credential.
pub fn credential_kind(name: &str) -> Result<CredentialKind> {
    CredentialKind::from_name(name).ok_or_else(|| unreadable("kind of credential"))
}

/// A stored purpose of a link.
pub fn link_purpose(name: &str) -> Result<LinkPurpose> {
    LinkPurpose::from_name(name).ok_or_else(|| unreadable("purpose of a link"))
}

/// A stored MAC.
pub fn mac(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| unreadable("MAC"))
}

fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("a stored {what} is none"))
}
