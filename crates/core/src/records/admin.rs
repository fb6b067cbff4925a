//! Records of the administrative interface.

use crate::context::UnixTime;
use crate::ids::{TenantId, TokenHash};

/// What became of a creation that was sent with an idempotency key: the same key again makes nothing new. Only the name of
/// what was made is kept; secrets that were shown once are not shown again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Who sent it: a user's or a client's id, with its kind in front.
    pub actor: String,
    /// Hash of the key.
    pub key: TokenHash,
    /// Hash of method, path and body; another request must not use the same key.
    pub request: TokenHash,
    /// Names what was made, as its address ends.
    pub resource: String,
    /// When.
    pub created_at: UnixTime,
    /// Forgotten from here on.
    pub expires_at: UnixTime,
}
