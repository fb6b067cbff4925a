//! The names that a tenant's clients and scopes may use.

use crate::claims::SCOPES;
use crate::records::TenantSettings;

/// The scope that asks for refresh tokens (OpenID Connect Core section 11). It stands for no claims.
const OFFLINE_ACCESS: &str = "offline_access";

/// Every scope value that clients of this tenant may register: the standard ones, `offline_access`, the tenant's own.
pub fn scopes(tenant: &TenantSettings) -> Vec<&str> {
    let mut names: Vec<&str> = SCOPES.iter().map(|scope| scope.name).collect();
    names.push(OFFLINE_ACCESS);
    names.extend(tenant.scopes.iter().map(|scope| scope.name.as_str()));
    names
}

/// Whether `name` is one of them.
pub fn is_scope(tenant: &TenantSettings, name: &str) -> bool {
    scopes(tenant).contains(&name)
}

/// Every claim about a person that this tenant can tell, each once.
pub fn claims(tenant: &TenantSettings) -> Vec<&str> {
    let mut names: Vec<&str> = SCOPES.iter().flat_map(|scope| scope.claims.iter().copied()).collect();
    let own = tenant.scopes.iter().flat_map(|scope| scope.claims.iter().map(String::as_str));
    for name in own {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Claims that say something of a token or of the login, never of a person (RFC 7519 section 4.1, OpenID Connect Core
/// sections 2, 3.1.3.6, 3.3.2.11, 5.3.2 and 5.6, RFC 9068 section 2.2, RFC 7662 section 2.2, RFC 7800 section 3.1,
/// Back-Channel Logout section 2.4, RFC 8693 section 4, RFC 9396 section 9, RFC 9701 section 5).
const PROTOCOL: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "azp",
    "acr",
    "amr",
    "auth_time",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "events",
    "cnf",
    "scope",
    "client_id",
    "active",
    "token_type",
    "act",
    "may_act",
    "_claim_names",
    "_claim_sources",
    "authorization_details",
    "token_introspection",
];

/// Whether a tenant's own scope may stand for a claim of this name.
pub fn may_be_custom(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        && !PROTOCOL.contains(&name)
}
