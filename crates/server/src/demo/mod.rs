//! The demo relying party of `signet dev`: it talks to the provider over HTTP as any other would, and shows every
//! message opened layer by layer. It knows nothing of store and core rules.

mod check;
mod fault;
mod handlers;
mod pages;
mod provider;
mod request;
mod story;
#[cfg(test)]
mod tests;
mod transaction;
mod unseal;
mod words;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use signet_core::context::{Context, Entropy};
use signet_jose::PrivateKey;
use zeroize::Zeroizing;

use crate::pages::Shell;

/// A client of the demo, as it is registered at the provider.
#[derive(Clone)]
pub struct DemoClient {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`; a client without one is public.
    pub client_secret: Option<Zeroizing<String>>,
    /// Name on the card.
    pub title: String,
    /// Sentence on the card.
    pub description: String,
    /// Signs request objects; without it plain parameters are sent. The kid is the registered one.
    pub signing_key: Option<PrivateKey>,
    /// Opens what the provider encrypts to this client.
    pub encryption_key: Option<PrivateKey>,
    /// Whether every message is signed and encrypted. What should be sealed and is not, is refused.
    pub sealed: bool,
}

impl fmt::Debug for DemoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoClient").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// What the demo is made of.
pub struct DemoSettings {
    /// The provider's issuer URL.
    pub issuer: String,
    /// The demo's own origin, without a slash at its end.
    pub origin: String,
    /// How the pages look, and where the assets are.
    pub shell: Shell,
    /// The clients, in the order of their cards.
    pub clients: Vec<DemoClient>,
    /// User names and passwords to sign in with.
    pub users: Vec<(String, String)>,
    /// Unix seconds.
    pub now: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Where state, nonce, verifier and cookie come from.
    pub entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for DemoSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoSettings")
            .field("issuer", &self.issuer)
            .field("origin", &self.origin)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// The demo relying party.
pub struct DemoRp {
    settings: DemoSettings,
    provider: provider::Provider,
    transactions: transaction::Transactions,
}

impl fmt::Debug for DemoRp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoRp").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

impl DemoRp {
    /// Fails if the HTTP client cannot be made.
    pub fn new(settings: DemoSettings) -> Result<Self, reqwest::Error> {
        let provider = provider::Provider::new(&settings.issuer)?;
        Ok(Self { settings, provider, transactions: transaction::Transactions::new() })
    }

    /// The redirect URI to register for every client of the demo.
    pub fn redirect_uri(&self) -> String {
        redirect_uri(&self.settings.origin)
    }

    fn context(&self) -> Context<'_> {
        Context { now: (self.settings.now)(), millis: 0, entropy: self.settings.entropy.as_ref() }
    }

    fn client(&self, client_id: &str) -> Option<&DemoClient> {
        self.settings.clients.iter().find(|client| client.client_id == client_id)
    }
}

/// The redirect URI of a demo at `origin`.
pub fn redirect_uri(origin: &str) -> String {
    format!("{origin}/demo/callback")
}

/// Where a demo at `origin` comes back to after a logout.
pub fn post_logout_redirect_uri(origin: &str) -> String {
    format!("{origin}/demo")
}

/// `/demo` and what is below it.
pub fn router(demo: Arc<DemoRp>) -> Router {
    Router::new()
        .route("/demo", get(handlers::landing))
        .route("/demo/start", post(handlers::start))
        .route("/demo/callback", get(handlers::callback))
        .route("/demo/result", get(handlers::result))
        .route("/demo/sign-out", post(handlers::sign_out))
        .with_state(demo)
}
