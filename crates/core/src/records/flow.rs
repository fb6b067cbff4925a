//! The things a login passes through, each single-use one with the state its write must find.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
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
    /// The person has given the password, and has still to prove themselves with a second factor. There is no session yet.
    Identified {
        /// Who.
        user_id: Uuid,
        /// When the password was given.
        since: UnixTime,
        /// The account's version then: whatever changes the account makes the password be asked for again.
        version: i64,
    },
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
    /// Of whom; `None` where the client acts for itself (RFC 6749 section 4.4).
    pub user_id: Option<Uuid>,
    /// The session whose end ends the grant; `None` for `offline_access` and where there is no session (Back-Channel
    /// Logout section 2.7).
    pub sid: Option<String>,
    /// The grant of the token that this one was exchanged for (RFC 8693): what is issued here is worth nothing once that
    /// one has ended. The store keeps the first of the line.
    #[serde(default)]
    pub parent: Option<Uuid>,
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

/// An access token (RFC 6750), opaque or in JWT form (RFC 9068).
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
    /// Of whom; `None` where the client acts for itself.
    pub user_id: Option<Uuid>,
    /// What it allows.
    pub scope: BTreeSet<String>,
    /// Claims asked for one by one at UserInfo (OpenID Connect Core section 5.5).
    pub claims: BTreeSet<String>,
    /// Resource servers it is for (RFC 8707); empty means this provider's own.
    pub audience: BTreeSet<String>,
    /// Who acts for the subject (RFC 8693 section 4.1, `act`).
    pub actor: Option<Map<String, Value>>,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Useless from here on.
    pub expires_at: UnixTime,
}

/// A refresh token (RFC 6749 section 1.5): one link of a chain, of which the last is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Hash of the token.
    pub hash: TokenHash,
    /// The grant it stands for; all links of a chain share it.
    pub grant_id: Uuid,
    /// Only this client may use it.
    pub client_id: ClientId,
    /// What was asked at the authorization endpoint (or by the device) and accepted.
    pub request: AuthorizationRequest,
    /// The granted scope.
    pub scope: BTreeSet<String>,
    /// Who logged in, and how.
    pub authentication: Authentication,
    /// Ties the audit events of this login together.
    pub correlation_id: String,
    /// The link before this one.
    pub parent: Option<TokenHash>,
    /// How often it was exchanged for a successor; a write names the count it saw.
    pub rotations: i64,
    /// When it was first exchanged.
    pub rotated_at: Option<UnixTime>,
    /// A later exchange of its parent took its place: nobody has a right to use it any more.
    pub superseded_at: Option<UnixTime>,
    /// Whether one of its successors has been exchanged in turn. Read only; follows from the successors.
    pub successor_used: bool,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Useless from here on.
    pub expires_at: UnixTime,
    /// The whole chain is useless from here on.
    pub chain_expires_at: UnixTime,
}

/// A pushed authorization request (RFC 9126): judged already, waiting for the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Hash of the `request_uri`.
    pub hash: TokenHash,
    /// What was asked and accepted. Its client is the only one that may use it.
    pub request: AuthorizationRequest,
    /// Ties the audit events of this login together.
    pub correlation_id: String,
    /// When it was pushed.
    pub created_at: UnixTime,
    /// Useless from here on.
    pub expires_at: UnixTime,
}

/// A device authorization (RFC 8628).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Hash of the device code.
    pub hash: TokenHash,
    /// What the person types, in its plain form (upper case, no separators). Unique while it lives.
    pub user_code: String,
    /// Counts up with every step; a write names the version it saw.
    pub version: i64,
    /// What was asked and accepted. Its client is the only one that may poll.
    pub request: AuthorizationRequest,
    /// Where it stands.
    pub stage: DeviceStage,
    /// Shortest pause between two polls, in seconds.
    pub interval: i64,
    /// The last poll.
    pub polled_at: Option<UnixTime>,
    /// Ties the audit events of this login together.
    pub correlation_id: String,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Useless from here on.
    pub expires_at: UnixTime,
}

/// Where a device authorization stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "at")]
pub enum DeviceStage {
    /// Nobody has decided.
    Pending,
    /// The person allowed it.
    Approved {
        /// The grant that stands for it.
        grant_id: Uuid,
        /// The granted scope.
        scope: BTreeSet<String>,
        /// Who, and how they logged in.
        authentication: Authentication,
    },
    /// The person refused.
    Denied,
    /// Tokens were issued.
    Redeemed {
        /// The grant, to be ended if the code is used again.
        grant_id: Uuid,
    },
}

/// A client that a session has logged in to; it is told when the session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionClient {
    /// Whose tenant.
    pub tenant: TenantId,
    /// The session's `sid`.
    pub sid: String,
    /// Which client.
    pub client_id: ClientId,
    /// Who is logged in.
    pub user_id: Uuid,
    /// Forgotten from here on: the session has ended by itself.
    pub expires_at: UnixTime,
}

/// A logout token on its way to a client (Back-Channel Logout section 2.5). The token is made anew for each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutDelivery {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Names it; the `jti` of each attempt's token begins with it.
    pub id: Uuid,
    /// To whom.
    pub client_id: ClientId,
    /// Which session ended.
    pub sid: String,
    /// Whose.
    pub user_id: Uuid,
    /// Ties the audit events of this logout together.
    pub correlation_id: String,
    /// When the session ended.
    pub created_at: UnixTime,
    /// Attempts so far; a write names the count it saw, so one node makes each attempt.
    pub attempts: i64,
    /// When to try (again); `None` once it is settled.
    pub next_attempt_at: Option<UnixTime>,
    /// When the client took it.
    pub delivered_at: Option<UnixTime>,
    /// What the last attempt met, in a stable word.
    pub last_error: Option<String>,
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
