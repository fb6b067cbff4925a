//! Users and their sessions.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::context::UnixTime;
use crate::ids::{TenantId, TokenHash};
use crate::records::TenantSettings;

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
