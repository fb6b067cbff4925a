//! A provider in this process: real router, real store, a clock that tests move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use signet_core::audit::By;
use signet_core::client_policy::Mode;
use signet_core::context::{Context, Entropy};
use signet_core::ids::TenantId;
use signet_core::provision::{ClientDeclaration, Secret, TenantDeclaration, UserDeclaration};
use signet_core::records::{AuditEvent, Tenant, TenantSettings};
use signet_server::app::App;
use signet_server::config::Config;
use signet_server::edge::{self, Clock};
use signet_server::factors::totp::Shared;
use signet_server::fetch::Fetcher;
use signet_server::mail::Mailer;
use signet_server::node::{self, Setup};
use signet_server::provisioning::Provisioner;
use signet_server::vault::Vault;
use signet_server::{http, tenant_keys};
use signet_store::{AuditFilter, Store};
use signet_store_sqlite::SqliteStore;
use tower::ServiceExt as _;

/// Where every provider's clock starts: 2026-11-24.
pub const START: i64 = 1_795_500_000;
/// The issuer of the first tenant.
pub const ISSUER: &str = "https://id.example/auth/open";
/// The user of every tenant, and their password.
pub const USER: (&str, &str) = ("alice", "a good password");

/// A running provider.
#[derive(Debug)]
pub struct Provider {
    /// The node.
    pub app: App,
    router: Router,
    clock: Arc<AtomicI64>,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: String,
}

impl Reply {
    /// A header as text; empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The `Location`.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// A parameter of the `Location`'s query; where there is no query, of its fragment.
    pub fn location_param(&self, name: &str) -> Option<String> {
        let url = url::Url::options()
            .base_url(Some(&url::Url::parse("https://id.example").unwrap()))
            .parse(self.location())
            .ok()?;
        let encoded = url.query().or(url.fragment()).unwrap_or_default();
        let mut pairs = url::form_urlencoded::parse(encoded.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The id under which the audit trail knows this request.
    pub fn correlation_id(&self) -> &str {
        self.header("x-correlation-id")
    }
}

/// A browser: it keeps cookies.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// The `Cookie` header.
    pub fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Takes the cookies of an answer.
    pub fn take(&mut self, reply: &Reply) {
        for cookie in reply.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

/// Form encoding.
pub fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl Provider {
    /// On SQLite in memory, with one tenant at [`ISSUER`] and its user.
    pub async fn start() -> Self {
        Self::on(Arc::new(SqliteStore::ephemeral().await.unwrap())).await
    }

    /// On a given, empty store.
    pub async fn on(store: Arc<dyn Store>) -> Self {
        Self::with(store, &Config::load(None).unwrap()).await
    }

    /// On a given, empty store, with other settings than the default ones.
    pub async fn with(store: Arc<dyn Store>, config: &Config) -> Self {
        store.migrate().await.unwrap();
        let clock = Arc::new(AtomicI64::new(START));
        let setup = Setup {
            store,
            vault: Arc::new(Vault::from_text(&Vault::generate(&edge::SystemEntropy)).unwrap()),
            clock: Clock::manual(clock.clone()),
            mode: Mode::Development,
            demo_users: None,
            fetcher: Fetcher::new(&config.fetch, Mode::Development).unwrap(),
            mailer: Mailer::outbox(),
        };
        let app = node::assemble(setup, config);
        let router = http::router(&app, Router::new());
        let provider = Self { app, router, clock };
        provider.tenant("default", ISSUER, TenantSettings::default()).await;
        provider
    }

    /// Adds a tenant with its keys and its user.
    pub async fn tenant(&self, id: &str, issuer: &str, settings: TenantSettings) -> Tenant {
        let id = TenantId::from(id);
        let declared = TenantDeclaration { id: Some(id.clone()), issuer: Some(issuer.to_owned()), settings };
        self.provisioner().tenant(&id, &declared).await.unwrap();
        let tenant = self.find(&id).await;
        tenant_keys::ensure(&self.app, &tenant).await.unwrap();
        self.app.tenancy.forget();
        let user = UserDeclaration {
            username: USER.0.into(),
            disabled: false,
            password: Some(Secret::new(USER.1)),
            password_hash: None,
            role: None,
            claims: serde_json::json!({ "name": "Alice Virtanen", "email": "alice@example.org", "email_verified": true })
                .as_object()
                .cloned()
                .unwrap(),
        };
        self.provisioner().user(&id, &user).await.unwrap();
        tenant
    }

    async fn find(&self, id: &TenantId) -> Tenant {
        self.app.store.tenants().await.unwrap().into_iter().find(|tenant| tenant.id == *id).unwrap()
    }

    /// Registers a client of the first tenant, or changes it.
    pub async fn register(&self, declared: &ClientDeclaration) {
        let tenant = self.find(&"default".into()).await;
        self.provisioner().client(&tenant, declared).await.unwrap();
    }

    /// Brings declared states about, under the rules of production.
    pub fn provisioner(&self) -> Provisioner {
        // What is changed through it is to be seen at once.
        self.app.clients.forget();
        Provisioner {
            store: self.app.store.clone(),
            entropy: self.app.entropy.clone(),
            vault: Some(self.app.vault.clone()),
            now: self.now(),
            millis: 0,
            mode: Mode::Production,
            dry_run: false,
            by: By::CommandLine,
        }
    }

    /// The provider's instant.
    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
        self.app.tenancy.forget();
    }

    /// A context at the provider's instant.
    pub fn context<'a>(&self, entropy: &'a dyn Entropy) -> Context<'a> {
        Context { now: self.now(), millis: 0, entropy }
    }

    /// Sends a request to the first tenant; `path` is what stands behind the issuer.
    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        let path = format!("/auth/open{}", request.uri());
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert(header::HOST, "id.example".parse().unwrap());
        self.raw(request).await
    }

    /// Sends a request as it is.
    pub async fn raw(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 1 << 24).await.unwrap().to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// GET, with a browser's cookies.
    pub async fn get(&self, path: &str, browser: Option<&mut Browser>) -> Reply {
        self.with_browser(Request::get(path), Body::empty(), browser).await
    }

    /// POST of a form, with a browser's cookies.
    pub async fn post(&self, path: &str, body: String, browser: Option<&mut Browser>) -> Reply {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.with_browser(request, Body::from(body), browser).await
    }

    async fn with_browser(
        &self,
        mut request: axum::http::request::Builder,
        body: Body,
        browser: Option<&mut Browser>,
    ) -> Reply {
        if let Some(browser) = &browser {
            request = request.header(header::COOKIE, browser.cookie());
        }
        let reply = self.send(request.body(body).unwrap()).await;
        if let Some(browser) = browser {
            browser.take(&reply);
        }
        reply
    }

    /// The published key set.
    pub async fn jwks(&self) -> Value {
        self.get("/jwks", None).await.json()
    }

    /// The audit events of one correlation id, newest first.
    pub async fn audit(&self, correlation_id: &str) -> Vec<AuditEvent> {
        let filter = AuditFilter {
            correlation_id: Some(correlation_id.to_owned()),
            limit: 100,
            ..AuditFilter::default()
        };
        self.app.store.audit(&"default".into(), &filter).await.unwrap()
    }

    /// Takes an accepted request (its redirect to `/interaction/…`) through login and consent, and returns the reply
    /// that redirects to the client.
    pub async fn sign_in(&self, accepted: &Reply, browser: &mut Browser) -> Reply {
        self.sign_in_with(accepted, browser, None).await
    }

    /// The same of a person who has enrolled an authenticator application.
    pub async fn sign_in_with(
        &self,
        accepted: &Reply,
        browser: &mut Browser,
        second: Option<&Shared>,
    ) -> Reply {
        browser.take(accepted);
        let path = accepted.location().strip_prefix("/auth/open").expect("an interaction").to_owned();
        for _ in 0..4 {
            let page = self.get(&path, Some(browser)).await;
            if page.status.is_redirection() || page.is_form_post() {
                return page;
            }
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
            let is_second = page.body.contains("data-page=\"second\"");
            let next = if let (true, Some(second)) = (is_second, second) {
                let body = form(&[("csrf", csrf), ("code", &self.code_of(second))]);
                self.post(&format!("{path}/second"), body, Some(browser)).await
            } else if page.body.contains("id=\"password\"") {
                let body = form(&[("csrf", csrf), ("username", USER.0), ("password", USER.1)]);
                self.post(&format!("{path}/login"), body, Some(browser)).await
            } else {
                let body = form(&[("csrf", csrf), ("decision", "accept")]);
                self.post(&format!("{path}/consent"), body, Some(browser)).await
            };
            if next.is_form_post() {
                return next;
            }
            assert!(next.status.is_redirection(), "{}: {}", next.status, next.body);
            if !next.location().starts_with("/auth/open/interaction/") {
                return next;
            }
        }
        panic!("the sign-in does not end");
    }
}

/// What stands between two marks.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("{start} not in {text}")) + start.len();
    &text[from..from + text[from..].find(end).unwrap()]
}
