//! The things a login passes through, each single-use one with the state its write must find.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::authorize::AuthorizationRequest;
use crate::context::UnixTime;
use crate::ids::{ClientId, TenantId, TokenHash};

/// An accepted authorization request on its way through login and consent. The browser carries its
/// `id` in the URL and its secret in a cookie, so neither reload nor back repeats the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Whose tenant.
    pub tenant: TenantId,
    /// In the URL; 128 random bits.
    pub id: String,
    /// Hash of the cookie that binds it to one browser.
    pub browser: TokenHash,
    /// Counts up with every step; a write names the version it saw.
    pub version: i64,
    /// Where it stands.
    pub stage: Stage,
    /// What was asked.
    pub request: AuthorizationRequest,
    /// Ties the audit events of this login together.
    pub correlation_id: String,
    /// When the request was accepted.
    pub created_at: UnixTime,
    /// Useless from here on.
    pub expires_at: UnixTime,
}

/// Where an interaction stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "at")]
pub enum Stage {
    /// The person has not yet proved who they are within this interaction.
    Fresh,
    /// The person has authenticated within this interaction, in the session with this `sid`.
    Authenticated {
        /// The session's `sid`.
        sid: String,
    },
    /// A response was given. Nothing more can happen.
    Finished,
}

/// How and when a person proved who they are; copied from the session into what is issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// Who.
    pub user_id: Uuid,
    /// The session's public id.
    pub sid: String,
    /// When.
    pub auth_time: UnixTime,
    /// Methods (RFC 8176).
    pub amr: Vec<String>,
    /// Context class.
    pub acr: String,
}

/// What a person allowed a client in one authorization; tokens belong to it and end with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Names it.
    pub id: Uuid,
    /// For whom.
    pub client_id: ClientId,
    /// Of whom.
    pub user_id: Uuid,
    /// When.
    pub created_at: UnixTime,
    /// Everything issued under it ended here.
    pub revoked_at: Option<UnixTime>,
}

/// An authorization code (RFC 6749 section 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Hash of the code.
    pub hash: TokenHash,
    /// The grant it stands for.
    pub grant_id: Uuid,
    /// Only this client may redeem it.
    pub client_id: ClientId,
    /// What was asked and accepted, PKCE challenge and nonce included.
    pub request: AuthorizationRequest,
    /// The granted scope.
    pub scope: BTreeSet<String>,
    /// Who logged in, and how.
    pub authentication: Authentication,
    /// Ties the audit events of this login together.
    pub correlation_id: String,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Useless from here on.
    pub expires_at: UnixTime,
    /// Set by the one redemption that wins.
    pub redeemed_at: Option<UnixTime>,
}

/// An opaque access token (RFC 6750).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Hash of the token.
    pub hash: TokenHash,
    /// The grant it was issued under; a revoked grant ends it.
    pub grant_id: Uuid,
    /// For whom.
    pub client_id: ClientId,
    /// Of whom.
    pub user_id: Uuid,
    /// What it allows.
    pub scope: BTreeSet<String>,
    /// Claims asked for one by one at UserInfo (OpenID Connect Core section 5.5).
    pub claims: BTreeSet<String>,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Useless from here on.
    pub expires_at: UnixTime,
}

/// What a person allows a client until they take it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Who allows.
    pub user_id: Uuid,
    /// Whom.
    pub client_id: ClientId,
    /// What.
    pub scope: BTreeSet<String>,
    /// Since when.
    pub granted_at: UnixTime,
}

/// What kind of message a `jti` was in. Each kind has its own memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReplayKind {
    /// A request object.
    RequestObject,
    /// A client assertion.
    ClientAssertion,
    /// A `DPoP` proof.
    DpopProof,
}

/// One use of a `jti`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// First 16 bytes of SHA-256 over the length-prefixed tenant, kind, client and `jti`.
    pub key: [u8; 16],
    /// The instant of this use.
    pub now: UnixTime,
    /// Free again from here on: `max(now + 24 h, exp + skew)`, exclusive of the last second.
    pub until: UnixTime,
}
