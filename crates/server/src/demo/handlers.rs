//! The demo's five addresses.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response as HttpResponse};
use serde::Deserialize;
use signet_jose::{Claims, Expect, Limits, SigAlg, Trace, Typ};
use url::Url;

use super::check::{self, Response};
use super::fault::DemoFault;
use super::pages::{FailurePage, LandingPage, ResultPage};
use super::post_logout_redirect_uri;
use super::provider::{Keys, Metadata, Tokens, UserInfo};
use super::request::{self, Fresh, Sent};
use super::story::{self, Received, Story, Told};
use super::transaction::{browser, set_cookie};
use super::unseal::{self, Opened, Wanted};
use super::{DemoClient, DemoRp};

type Demo = State<Arc<DemoRp>>;

#[derive(Debug, Deserialize)]
pub(super) struct Start {
    client_id: String,
}

pub(super) async fn landing(State(demo): Demo, headers: HeaderMap) -> HttpResponse {
    let has_story = demo.transactions.story(browser(&headers).as_deref()).is_some();
    page(&demo, 200, LandingPage::new(&demo, has_story).render())
}

pub(super) async fn start(State(demo): Demo, headers: HeaderMap, Form(form): Form<Start>) -> HttpResponse {
    let cookie = browser(&headers).unwrap_or_else(|| demo.context().handle());
    match begin(&demo, &form.client_id).await {
        Ok(sent) => {
            let address = sent.address.clone();
            demo.transactions.begin(&cookie, sent);
            let cookie = set_cookie(&cookie, &demo.settings.origin);
            ([(header::SET_COOKIE, cookie)], Redirect::to(&address)).into_response()
        }
        Err(fault) => failure(&demo, &fault, false),
    }
}

async fn begin(demo: &Arc<DemoRp>, client_id: &str) -> Result<Sent, DemoFault> {
    let client = demo.client(client_id).ok_or(DemoFault::ClientUnknown)?.clone();
    let metadata = demo.provider.metadata(&demo.settings.issuer).await?;
    let keys = demo.provider.keys(&metadata).await?;
    let fresh = Fresh::new(&demo.context());
    let redirect_uri = demo.redirect_uri();
    apart(move || request::build(&client, &metadata, &keys, &redirect_uri, &fresh)).await
}

pub(super) async fn callback(
    State(demo): Demo,
    headers: HeaderMap,
    Query(response): Query<Response>,
) -> HttpResponse {
    let cookie = browser(&headers);
    match finish(&demo, &response, cookie.as_deref()).await {
        Ok(story) => {
            demo.transactions.keep(cookie.as_deref().unwrap_or_default(), story);
            Redirect::to("/demo/result").into_response()
        }
        Err(fault) => {
            let has_story = demo.transactions.story(cookie.as_deref()).is_some();
            failure(&demo, &fault, has_story)
        }
    }
}

async fn finish(demo: &Arc<DemoRp>, response: &Response, cookie: Option<&str>) -> Result<Story, DemoFault> {
    let transaction = demo.transactions.take(response.state.as_deref(), cookie)?;
    let sent = transaction.sent;
    let client = demo.client(&sent.client_id).ok_or(DemoFault::ClientUnknown)?.clone();
    let metadata = demo.provider.metadata(&demo.settings.issuer).await?;
    let code = response.code(&metadata, transaction.used)?;
    let redirect_uri = demo.redirect_uri();
    let tokens = demo.provider.redeem(&metadata, &client, code, &redirect_uri, &sent.verifier).await?;
    let user_info = demo.provider.user_info(&metadata, &tokens.access_token).await?;
    let keys = demo.provider.keys(&metadata).await?;
    let (response, now) = (response.clone(), demo.context().now);
    apart(move || {
        let login =
            Login { client: &client, metadata: &metadata, keys: &keys, sent: &sent, tokens: &tokens, now };
        let id_token = login.id_token()?;
        let user_info = login.user_info(&user_info, &id_token)?;
        Ok(story::tell(&Told {
            client_title: &client.title,
            metadata: &metadata,
            sent: &sent,
            response: &response,
            tokens: &tokens,
            id_token: &id_token,
            user_info: &user_info,
            redirect_uri: &redirect_uri,
            has_secret: client.client_secret.is_some(),
            now,
        }))
    })
    .await
}

/// What the provider's messages are opened with and held against.
pub(super) struct Login<'a> {
    pub(super) client: &'a DemoClient,
    pub(super) metadata: &'a Metadata,
    pub(super) keys: &'a Keys,
    pub(super) sent: &'a Sent,
    pub(super) tokens: &'a Tokens,
    pub(super) now: i64,
}

impl Login<'_> {
    fn open(
        &self,
        what: &'static str,
        token: &str,
        require: &[&str],
        undated: bool,
    ) -> Result<Opened, DemoFault> {
        let algorithms: Vec<SigAlg> = self.metadata.signing_algs();
        let key = self.client.encryption_key.as_ref().filter(|_| self.client.sealed);
        let wanted = Wanted {
            what,
            key,
            verifiers: &self.keys.verifiers()?,
            expect: Expect {
                issuer: &self.metadata.issuer,
                audiences: &[&self.client.client_id],
                algorithms: &algorithms,
                now: self.now,
                skew: 60,
                require,
                max_lifetime: None,
                max_age: None,
                typ: Typ::Optional(&["JWT"]),
            },
            undated,
        };
        unseal::open(token, &wanted)
    }

    /// OpenID Connect Core section 3.1.3.7.
    pub(super) fn id_token(&self) -> Result<Received, DemoFault> {
        let opened = self.open("ID token", &self.tokens.id_token, &["sub", "iat"], false)?;
        let Opened { signed, layers, claims, alg, mut trace } = opened;
        check::id_token(&claims, self.sent, &self.tokens.access_token, alg, &mut trace)?;
        Ok(Received { raw: self.tokens.id_token.clone(), signed, layers, claims, trace })
    }

    /// OpenID Connect Core section 5.3.2.
    pub(super) fn user_info(&self, answer: &UserInfo, id_token: &Received) -> Result<Received, DemoFault> {
        const WHAT: &str = "UserInfo response";
        let (signed, layers, claims, mut trace) = if answer.is_jwt {
            let opened = self.open(WHAT, &answer.body, &["sub"], true)?;
            (opened.signed, opened.layers, opened.claims, opened.trace)
        } else {
            let fault = |fault| DemoFault::Message { what: WHAT, fault };
            if self.client.sealed {
                return Err(fault(signet_jose::JoseFault::SealedExpected));
            }
            let claims = Claims::parse(answer.body.as_bytes(), &Limits::default()).map_err(fault)?;
            (String::new(), Vec::new(), claims.into_map(), Trace::new())
        };
        check::user_info(&claims, &id_token.claims, &mut trace)?;
        Ok(Received { raw: answer.body.clone(), signed, layers, claims, trace })
    }
}

pub(super) async fn result(State(demo): Demo, headers: HeaderMap) -> HttpResponse {
    match demo.transactions.story(browser(&headers).as_deref()) {
        Some(story) => page(&demo, 200, ResultPage::new(&demo, &story).render()),
        None => failure(&demo, &DemoFault::StoryMissing, false),
    }
}

/// Forgets the login here, and goes to sign out at the provider: where its metadata say, with the ID token, so that nobody
/// has to be asked, and the address to come back to (OpenID Connect RP-Initiated Logout 1.0 section 2); else at the page
/// that this provider has for people. What was sealed to the demo is sent as the signed token that was inside.
pub(super) async fn sign_out(State(demo): Demo, headers: HeaderMap) -> HttpResponse {
    let story = demo.transactions.forget(browser(&headers).as_deref());
    let address = story.as_ref().and_then(|story| {
        let mut url = Url::parse(story.end_session.as_deref()?).ok()?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", &story.id_token)
            .append_pair("client_id", &story.client_id)
            .append_pair("post_logout_redirect_uri", &post_logout_redirect_uri(&demo.settings.origin));
        Some(String::from(url))
    });
    let page = || format!("{}/logout", demo.settings.issuer.trim_end_matches('/'));
    Redirect::to(&address.unwrap_or_else(page)).into_response()
}

/// Runs work with keys off the async threads.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DemoFault> + Send + 'static,
) -> Result<T, DemoFault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| DemoFault::Interrupted)?
}

fn failure(demo: &DemoRp, fault: &DemoFault, has_story: bool) -> HttpResponse {
    let page_of_it = FailurePage::new(demo, fault.told(), has_story);
    page(demo, page_of_it.told.status, page_of_it.render())
}

fn page(demo: &DemoRp, status: u16, html: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: HeaderValue| headers.insert(name, value);
    set(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    set(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(policy) = HeaderValue::from_str(&policy(&demo.settings.issuer)) {
        set(header::CONTENT_SECURITY_POLICY, policy);
    }
    (status, headers, html).into_response()
}

/// Browsers hold the redirects that follow a posted form against `form-action` too, so the provider is named in it.
pub(super) fn policy(issuer: &str) -> String {
    let provider = Url::parse(issuer).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' https: data:; form-action 'self' {provider}; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}
