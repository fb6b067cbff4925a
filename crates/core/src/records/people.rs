//! Users and their sessions.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::context::UnixTime;
use crate::ids::{TenantId, TokenHash};
use crate::records::{CredentialKind, LinkPurpose, Role, TenantSettings};

/// A person with an account here.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Whose user.
    pub tenant: TenantId,
    /// The `sub` claim; never reused.
    pub id: Uuid,
    /// What the person types; unique per tenant, stored in lower case.
    pub username: String,
    /// PHC string of argon2id; `None` means no password login.
    pub password_hash: Option<String>,
    /// Standard claims (OpenID Connect Core section 5.1) by name.
    pub claims: Map<String, Value>,
    /// What the person may do in the administration of the tenant; `None` for everybody else.
    pub role: Option<Role>,
    /// May not log in.
    pub disabled: bool,
    /// Counts up with every change.
    pub version: i64,
    /// When the account was made.
    pub created_at: UnixTime,
    /// When it was last changed.
    pub updated_at: UnixTime,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// One browser's login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose session.
    pub tenant: TenantId,
    /// Hash of the cookie's value.
    pub hash: TokenHash,
    /// The `sid` claim: public, not the cookie.
    pub sid: String,
    /// Who is logged in.
    pub user_id: Uuid,
    /// When the person proved who they are (`auth_time`).
    pub auth_time: UnixTime,
    /// How (`amr`, RFC 8176).
    pub amr: Vec<String>,
    /// How well (`acr`).
    pub acr: String,
    /// Last use, to within a minute.
    pub last_seen: UnixTime,
    /// Ends here in any case.
    pub expires_at: UnixTime,
}

impl Session {
    /// Whether it has neither ended nor been silent for too long.
    pub fn is_alive(&self, settings: &TenantSettings, now: UnixTime) -> bool {
        now < self.expires_at && now - self.last_seen < settings.session_idle
    }
}

/// What a person proves themselves with besides the password: a passkey, an authenticator application, or a recovery code.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Whose.
    pub user_id: Uuid,
    /// Names the record.
    pub id: Uuid,
    /// What it is.
    pub kind: CredentialKind,
    /// What the person calls it; empty for recovery codes.
    pub name: String,
    /// A passkey's public record, an authenticator's secret encrypted under the master key, or the hash of a recovery code.
    pub secret: Vec<u8>,
    /// What must only grow: the passkey's signature count, the last time step of a one-time password (RFC 6238 section 5.2:
    /// "The verifier MUST NOT accept the second attempt of the OTP"). A use names the count it saw.
    pub counter: i64,
    /// How many wrong codes were given since the last right one; of an authenticator application alone.
    pub failures: i64,
    /// When it was enrolled.
    pub created_at: UnixTime,
    /// When it was last used.
    pub last_used_at: Option<UnixTime>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// A link that was sent to a person, good for one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLink {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Hash of the secret in the link.
    pub hash: TokenHash,
    /// For whom.
    pub user_id: Uuid,
    /// What it opens.
    pub purpose: LinkPurpose,
    /// When it was made.
    pub created_at: UnixTime,
    /// Useless from here on.
    pub expires_at: UnixTime,
}
