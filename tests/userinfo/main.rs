//! The UserInfo endpoint (OpenID Connect Core section 5.3, RFC 6750).
#![expect(clippy::unwrap_used, reason = "tests")]

mod bearer;
mod forms;

use signet_tests::provider::Provider;
use signet_tests::rp::Rp;

/// A provider with the client `rp`.
async fn start() -> Provider {
    let provider = Provider::start().await;
    provider.register(&Rp::new("rp").declaration()).await;
    provider
}
