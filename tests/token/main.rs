//! The token endpoint (RFC 6749 sections 2.3, 3.2, 4.1.3 and 5; RFC 7636; OpenID Connect Core section 3.1.3).
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod answers;
mod code;
mod itself;
mod refresh;
mod refusals;
mod resources;

use signet_core::records::ClientAuthMethod;
use signet_tests::provider::Provider;
use signet_tests::rp::Rp;

/// A provider with clients `rp` (Basic), `post`, `public`, `relaxed` (PKCE is its choice) and `disabled`.
async fn start() -> Provider {
    let provider = Provider::start().await;
    for id in ["rp", "post", "public", "relaxed", "disabled"] {
        let mut declaration = Rp::new(id).declaration();
        match id {
            "post" => declaration.settings.token_endpoint_auth_method = ClientAuthMethod::ClientSecretPost,
            "public" => {
                declaration.settings.token_endpoint_auth_method = ClientAuthMethod::None;
                declaration.secret = None;
            }
            "relaxed" => declaration.settings.require_pkce = false,
            "disabled" => declaration.disabled = true,
            _ => {}
        }
        provider.register(&declaration).await;
    }
    provider
}
