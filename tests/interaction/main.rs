//! The pages between an accepted request and its answer: login, consent, sessions, logout
//! (OpenID Connect Core sections 3.1.2.1 to 3.1.2.4).
#![expect(clippy::unwrap_used, reason = "tests")]

mod binding;
mod consent;
mod first_page;
mod hints;
mod login;
mod logout;
mod meanwhile;
mod offline;
mod prompts;
mod registration;
mod second_factor;
mod sessions;

use signet_core::provision::{Secret, UserDeclaration};
use signet_tests::provider::{Browser, Provider, Reply, USER, between, form};
use signet_tests::rp::Rp;

/// A provider with the clients `rp` and `trusted` (asks nobody for consent), and with `bob` beside `alice`.
async fn start() -> Provider {
    trusting(Provider::start().await).await
}

async fn trusting(provider: Provider) -> Provider {
    provider.register(&Rp::new("rp").declaration()).await;
    let mut trusted = Rp::new("trusted").declaration();
    trusted.settings.require_consent = false;
    provider.register(&trusted).await;
    person(&provider, "bob", false).await;
    provider
}

/// Makes or changes a person; the password is everybody's.
async fn person(provider: &Provider, username: &str, disabled: bool) {
    let user = UserDeclaration {
        username: username.into(),
        disabled,
        password: Some(Secret::new(USER.1)),
        password_hash: None,
        role: None,
        claims: serde_json::Map::new(),
    };
    provider.provisioner().user(&"default".into(), &user).await.unwrap();
}

/// One interaction in one browser.
struct Visit<'a> {
    provider: &'a Provider,
    browser: &'a mut Browser,
    path: String,
}

impl<'a> Visit<'a> {
    /// Sends a request of `client` with `changes`, and goes where it leads.
    async fn to(
        provider: &'a Provider,
        browser: &'a mut Browser,
        client: &str,
        changes: &[(&str, &str)],
    ) -> Self {
        let accepted = provider.authorize(&Rp::new(client), changes, Some(browser)).await;
        let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
        assert!(path.starts_with("/interaction/"), "{path}");
        Self { provider, browser, path }
    }

    async fn page(&mut self) -> Reply {
        self.provider.get(&self.path, Some(self.browser)).await
    }

    /// Posts a form to one of the interaction's addresses, with the token of the page that is shown.
    async fn submit(&mut self, to: &str, fields: &[(&str, &str)]) -> Reply {
        let page = self.page().await;
        let mut all = vec![("csrf", csrf(&page))];
        all.extend_from_slice(fields);
        self.post(to, &form(&all)).await
    }

    async fn post(&mut self, to: &str, body: &str) -> Reply {
        self.provider.post(&format!("{}/{to}", self.path), body.to_owned(), Some(self.browser)).await
    }

    async fn log_in(&mut self, username: &str) -> Reply {
        self.submit("login", &[("username", username), ("password", USER.1)]).await
    }

    async fn accept(&mut self) -> Reply {
        self.submit("consent", &[("decision", "accept")]).await
    }
}

fn csrf(page: &Reply) -> &str {
    between(&page.body, "name=\"csrf\" value=\"", "\"")
}

fn is_login(page: &Reply) -> bool {
    page.status == 200 && page.body.contains("id=\"password\"")
}

fn is_consent(page: &Reply) -> bool {
    page.status == 200 && page.body.contains("id=\"accept\"")
}

/// What went back to the client: `code`, or the error.
fn outcome(reply: &Reply) -> String {
    assert!(reply.location().starts_with("https://"), "{} {} {}", reply.status, reply.location(), reply.body);
    assert_eq!(reply.location_param("state").as_deref(), Some("state-1"));
    assert_eq!(reply.location_param("iss").as_deref(), Some(signet_tests::provider::ISSUER));
    reply
        .location_param("error")
        .unwrap_or_else(|| reply.location_param("code").map(|_| "code".into()).unwrap())
}

/// The reason code of an error page.
fn shown(page: &Reply) -> (u16, &str) {
    (page.status.as_u16(), between(&page.body, "<dt>Reason</dt><dd>", "</dd>"))
}

/// Signs `username` in and accepts what is asked.
async fn signed_in(provider: &Provider, browser: &mut Browser, username: &str) {
    let mut visit = Visit::to(provider, browser, "rp", &[]).await;
    visit.log_in(username).await;
    assert_eq!(outcome(&visit.accept().await), "code");
}

/// What comes of a request with `prompt=none`.
async fn silently(provider: &Provider, browser: &mut Browser, changes: &[(&str, &str)]) -> String {
    let changes = [&[("prompt", "none")], changes].concat();
    outcome(&Visit::to(provider, browser, "rp", &changes).await.page().await)
}
