//! Answers: pages and errors, and the headers that every answer carries.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::redirect::description;

use super::extract::Moment;
use super::screens;
use crate::app::App;
use crate::pages::{FormPostPage, Shell};
use crate::tenancy::TenantView;

/// A refusal on its way out. It carries its fault to the log line; a page is rendered by [`finish`], where it is known
/// whose it is.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    fault: Fault,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Page,
    Token,
    Bearer,
    Registration,
}

impl Failure {
    /// For people.
    pub(super) fn page(fault: Fault) -> Self {
        Self { fault, form: Form::Page }
    }

    /// For clients at the token endpoint.
    pub(super) fn token(fault: Fault) -> Self {
        Self { fault, form: Form::Token }
    }

    /// For clients that bring an access token.
    pub(super) fn bearer(fault: Fault) -> Self {
        Self { fault, form: Form::Bearer }
    }

    /// For whoever registers a client or looks after its registration (RFC 7591 section 3.2.2).
    pub(super) fn registration(fault: Fault) -> Self {
        Self { fault, form: Form::Registration }
    }
}

/// What the log line tells of an answer besides its status.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) tenant: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) fault: Option<Fault>,
}

/// Adds to the log line of an answer.
pub(super) struct Note(Option<String>);

impl Note {
    pub(super) fn client(id: Option<&ClientId>) -> Self {
        Self(id.map(|id| id.as_str().to_owned()))
    }

    pub(super) fn on(self, mut response: Response) -> Response {
        let extensions = response.extensions_mut();
        let mut facts = extensions.remove::<Facts>().unwrap_or_default();
        facts.client_id = self.0.or(facts.client_id);
        extensions.insert(facts);
        response
    }
}

/// Records why a redirect carries an error.
pub(super) fn refused(mut response: Response, fault: Fault) -> Response {
    response.extensions_mut().insert(Facts { fault: Some(fault), ..Facts::default() });
    response
}

/// An error page that waits for its tenant's looks.
#[derive(Clone)]
struct Pending(Fault);

/// Marks an answer as a page: it gets the page's headers. `target` is where its forms may lead besides this server.
#[derive(Clone, Debug, Default)]
struct IsPage {
    target: Option<String>,
    script: Script,
}

/// What a page may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Script {
    /// Nothing.
    #[default]
    None,
    /// The one script of the page that posts a response.
    Posting,
    /// Scripts in files of ours.
    Own,
}

/// A finished page.
pub(super) fn page(status: StatusCode, html: String, form_target: Option<&str>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (status, kind, html).into_response();
    response.extensions_mut().insert(IsPage { target: form_target.map(str::to_owned), script: Script::None });
    response
}

/// A finished page that has a script in a file of its own.
pub(super) fn scripted(mut response: Response) -> Response {
    if let Some(page) = response.extensions_mut().get_mut::<IsPage>() {
        page.script = Script::Own;
    }
    response
}

/// The page that posts a response to its client.
pub(super) fn posting(post: &FormPostPage) -> Response {
    let mut response = page(StatusCode::OK, post.render(), None);
    response.extensions_mut().insert(IsPage { target: Some(post.action.clone()), script: Script::Posting });
    response
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match self.form {
            Form::Page => {
                let mut response = status.into_response();
                response.extensions_mut().insert(Pending(self.fault.clone()));
                response
            }
            // RFC 6750 section 3.1: without any token "the resource server SHOULD NOT include an error code or other
            // error information".
            Form::Bearer | Form::Registration if self.fault.wire().is_empty() => status.into_response(),
            Form::Token | Form::Bearer | Form::Registration => {
                (status, Json(body(&self.fault))).into_response()
            }
        };
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = retry_after(&self.fault) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(Facts { fault: Some(self.fault), ..Facts::default() });
        response
    }
}

impl Failure {
    /// RFC 6749 section 5.2 (`Basic`) and RFC 6750 section 3 (`Bearer`). RFC 9110 section 15.5.2: with each 401.
    fn challenge(&self) -> Option<HeaderValue> {
        let text = match self.form {
            Form::Token if self.fault.status() == 401 => "Basic realm=\"token\"".to_owned(),
            Form::Bearer if self.fault.wire().is_empty() => "Bearer realm=\"userinfo\"".to_owned(),
            Form::Bearer if self.fault.status() < 500 => format!(
                "Bearer realm=\"userinfo\", error=\"{}\", error_description=\"{}\"",
                self.fault.wire(),
                description(&self.fault)
            ),
            Form::Registration if self.fault.wire().is_empty() => "Bearer realm=\"registration\"".to_owned(),
            Form::Registration if self.fault.status() == 401 => format!(
                "Bearer realm=\"registration\", error=\"{}\", error_description=\"{}\"",
                self.fault.wire(),
                description(&self.fault)
            ),
            _ => return None,
        };
        HeaderValue::from_str(&text).ok()
    }
}

/// RFC 6749 section 5.2.
fn body(fault: &Fault) -> serde_json::Value {
    json!({ "error": fault.wire(), "error_description": description(fault) })
}

/// RFC 9110 section 10.2.3, in seconds.
pub(super) fn retry_after(fault: &Fault) -> Option<&'static str> {
    match fault {
        Fault::AttemptsExhausted => Some("60"),
        Fault::RateLimited | Fault::Busy | Fault::StoreUnavailable | Fault::RefreshContended => Some("1"),
        _ => None,
    }
}

/// What the pages of a tenant have in common.
pub(super) fn shell(view: &TenantView) -> Shell {
    Shell::new(view.prefix.clone(), &view.tenant.settings.branding)
}

/// The fault of an answer that is to become an error page, while nobody has rendered it.
pub(super) fn pending(response: &Response) -> Option<Fault> {
    response.extensions().get::<Pending>().map(|pending| pending.0.clone())
}

/// Renders a waiting error page and sets the headers of every answer. Called by whoever knows most: first with the
/// tenant, then around everything.
pub(super) fn finish(
    mut response: Response,
    view: Option<&Arc<TenantView>>,
    moment: &Moment,
    app: &App,
) -> Response {
    if let Some(Pending(fault)) = response.extensions_mut().remove() {
        let shell = view.map(|view| shell(view)).unwrap_or_default();
        let html = screens::error(shell, &fault, &moment.correlation_id);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        *response.body_mut() = Body::from(html);
        response.extensions_mut().insert(IsPage::default());
    }
    if let Some(view) = view {
        let mut facts = response.extensions_mut().remove::<Facts>().unwrap_or_default();
        facts.tenant = Some(view.tenant.id.to_string());
        response.extensions_mut().insert(facts);
    }
    secure(&mut response, app.hsts && view.is_none_or(|view| view.is_https()));
    response
}

fn secure(response: &mut Response, hsts: bool) {
    let page = response.extensions().get::<IsPage>().cloned();
    let is_redirect = response.headers().contains_key(header::LOCATION);
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    if hsts {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    // RFC 9700 section 4.3.1: codes and states in addresses stay out of what browsers and proxies keep.
    if is_redirect {
        set(header::CACHE_CONTROL, "no-store");
    }
    let Some(page) = page else { return };
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CACHE_CONTROL, "no-store");
    if let Ok(policy) = HeaderValue::from_str(&policy(page.target.as_deref(), page.script)) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
}

/// No script at all but where a page is made for one, nothing from elsewhere but logos. Browsers hold the whole chain of redirects after a form against
/// `form-action` (CSP3 section 6.4.1), and a client's redirect URI may redirect further on https, so https is open and
/// other schemes are named.
fn policy(form_target: Option<&str>, script: Script) -> String {
    let target = form_target.and_then(source).map(|source| format!(" {source}")).unwrap_or_default();
    let script = match script {
        Script::None => String::new(),
        Script::Posting => format!("script-src {}; ", FormPostPage::script_source()),
        Script::Own => "script-src 'self'; ".to_owned(),
    };
    format!(
        "default-src 'none'; {script}style-src 'self'; img-src 'self' https: data:; form-action 'self' \
         https:{target}; frame-ancestors 'none'; base-uri 'none'"
    )
}

/// The CSP source of a redirect URI that is not https: its origin, or the scheme of a native application.
fn source(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    match url.scheme() {
        "https" => None,
        "http" => Some(url.origin().ascii_serialization()),
        scheme => Some(format!("{scheme}:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_may_lead_to_this_server_https_and_the_clients_own_redirect_uri() {
        let action = |uri| {
            let policy = policy(uri, Script::None);
            policy.split("form-action ").nth(1).and_then(|rest| rest.split(';').next()).map(str::to_owned)
        };
        assert_eq!(action(None).as_deref(), Some("'self' https:"));
        assert_eq!(action(Some("https://rp.example/cb")).as_deref(), Some("'self' https:"));
        assert_eq!(
            action(Some("http://127.0.0.1:4711/cb")).as_deref(),
            Some("'self' https: http://127.0.0.1:4711")
        );
        assert_eq!(action(Some("com.example.app:/cb")).as_deref(), Some("'self' https: com.example.app:"));
        assert_eq!(action(Some("x;y")).as_deref(), Some("'self' https:"));
        assert!(!policy(None, Script::None).contains("script-src"));
        assert!(policy(None, Script::Posting).contains("default-src 'none'; script-src 'sha256-"));
    }
}
