//! What several checks read off a client's settings.

use crate::records::{ClientSettings, GrantType};

/// Whether the client sends people to the authorization endpoint.
pub(super) fn uses_browser(settings: &ClientSettings) -> bool {
    [GrantType::AuthorizationCode, GrantType::Implicit]
        .iter()
        .any(|grant| settings.grant_types.contains(grant))
}

/// Enough of a text to recognise it by.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}
