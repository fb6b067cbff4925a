//! Logout over HTTP: RP-Initiated Logout 1.0, Back-Channel Logout 1.0, Front-Channel Logout 1.0, Session Management 1.0.
#![expect(clippy::unwrap_used, reason = "tests")]

mod back_channel;
mod front_channel;
mod receiver;
mod refused;
mod rp_initiated;
mod session_management;
mod sessions;

use serde_json::Value;
use signet_core::client_policy::Mode;
use signet_core::provision::ClientDeclaration;
use signet_server::provisioning::Provisioner;
use signet_tests::provider::{Browser, Provider, Reply, between, form};
use signet_tests::rp::Rp;

/// Where the client's browser goes after a logout.
const AFTER: &str = "https://rp.example/after";

/// A provider, a client that is set up for logout, and a browser that is signed in to it.
struct Scene {
    provider: Provider,
    rp: Rp,
    browser: Browser,
    /// What the token endpoint gave.
    tokens: Value,
}

impl Scene {
    /// With the client's registration changed by `change`.
    async fn with(change: impl FnOnce(&mut ClientDeclaration)) -> Self {
        let provider = Provider::start().await;
        let rp = Rp::new("rp");
        let mut declaration = rp.declaration();
        declaration.settings.post_logout_redirect_uris = vec![AFTER.into(), format!("{AFTER}?x=1")];
        change(&mut declaration);
        register(&provider, &declaration).await;
        let mut browser = Browser::default();
        let tokens = provider.tokens(&rp, &[], &mut browser).await;
        Self { provider, rp, browser, tokens }
    }

    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The ID token as the client got it.
    fn id_token(&self) -> &str {
        self.tokens["id_token"].as_str().unwrap()
    }

    /// A logout request by GET.
    async fn ask(&mut self, pairs: &[(&str, &str)]) -> Reply {
        self.provider.get(&format!("/logout?{}", form(pairs)), Some(&mut self.browser)).await
    }

    /// Presses the button on the page that asks.
    async fn agree(&mut self, page: &Reply) -> Reply {
        let body = answer(page);
        self.provider.post("/logout/confirm", body, Some(&mut self.browser)).await
    }

    /// Follows redirects within the provider, up to a page or an address elsewhere.
    async fn follow(&mut self, mut reply: Reply) -> Reply {
        while let Some(path) = reply.location().strip_prefix("/auth/open") {
            let path = path.to_owned();
            reply = self.provider.get(&path, Some(&mut self.browser)).await;
        }
        reply
    }

    /// What `prompt=none` gives: `code`, or an error.
    async fn silently(&mut self) -> String {
        let (provider, rp) = (&self.provider, &self.rp);
        let accepted = provider.authorize(rp, &[("prompt", "none")], Some(&mut self.browser)).await;
        let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
        let back = provider.get(&path, Some(&mut self.browser)).await;
        back.location_param("error").unwrap_or_else(|| "code".into())
    }
}

/// Registers under the rules of development: receivers listen on this machine.
async fn register(provider: &Provider, declaration: &ClientDeclaration) {
    let tenant = provider.app.store.tenants().await.unwrap().remove(0);
    let provisioner = Provisioner { mode: Mode::Development, ..provider.provisioner() };
    provisioner.client(&tenant, declaration).await.unwrap();
    provider.app.clients.forget();
}

/// The form of the page that asks, as a browser would send it.
fn answer(page: &Reply) -> String {
    assert!(page.body.contains("id=\"logout-confirm\""), "{}", page.body);
    let inputs = page.body.split("<input type=\"hidden\" ").skip(1);
    let unescape = |text: &str| text.replace("&#38;", "&").replace("&amp;", "&").replace("&#39;", "'");
    let pairs: Vec<(String, String)> = inputs
        .map(|input| (between(input, "name=\"", "\"").to_owned(), unescape(between(input, "value=\"", "\""))))
        .collect();
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form(&pairs)
}

fn is_signed_out_page(reply: &Reply) -> bool {
    reply.status == 200 && reply.body.contains("You are signed out")
}

/// The claims of a signed token; its signature is the test's own to check.
fn claims(jws: &str) -> Value {
    part(jws, 1)
}

/// Its header.
fn header(jws: &str) -> Value {
    part(jws, 0)
}

fn part(jws: &str, index: usize) -> Value {
    use base64::Engine as _;
    let part = jws.split('.').nth(index).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
