//! The names that a tenant's clients and scopes may use.

use crate::claims::{Catalogue, PROTOCOL};
use crate::records::TenantSettings;

/// Every scope value that clients of this tenant may register: the standard ones, then the tenant's own.
pub fn scopes(tenant: &TenantSettings) -> Vec<&str> {
    Catalogue::of(tenant).scopes().map(crate::claims::Scope::name).collect()
}

/// Whether `name` is one of them.
pub fn is_scope(tenant: &TenantSettings, name: &str) -> bool {
    Catalogue::of(tenant).find(name).is_some()
}

/// Every claim about a person that this tenant can tell, each once.
pub fn claims(tenant: &TenantSettings) -> Vec<&str> {
    Catalogue::of(tenant).claims().into_iter().collect()
}

/// Whether a tenant's own scope may stand for a claim of this name.
pub fn may_be_custom(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        && name != "sub"
        && !PROTOCOL.contains(&name)
}
