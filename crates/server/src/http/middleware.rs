//! Around every request: its instant and id, its limits, its log line, and the headers of every answer.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use signet_core::fault::{Fault, Level};

use super::api;
use super::extract::{self, Moment};
use super::render::{self, Facts, Failure};
use crate::app::App;
use crate::edge::Stopwatch;

/// Shown on error pages, and ties an answer to its log line and audit events.
pub(super) const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// Wraps every route of the node.
pub(super) fn wrap(router: Router, app: &App) -> Router {
    router
        .layer(DefaultBodyLimit::max(app.http.max_body_bytes))
        .layer(from_fn_with_state(app.clone(), around))
}

async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let now = app.clock.now();
    let moment = Moment {
        now,
        correlation_id: app.context(now).handle(),
        address: extract::client_address(&request, &app.trusted_proxies),
    };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(moment.clone());
    let response = match admit(&app, &request, &moment) {
        Ok(()) => answer(&app, request, next).await,
        Err(fault) => Failure::page(fault).into_response(),
    };
    // The administrative interface speaks JSON of what is refused before it is reached, too.
    let response = match render::pending(&response) {
        Some(fault) if path.contains(&format!("{}/", api::BASE)) => api::problem_answer(&moment, fault),
        _ => response,
    };
    let mut response = render::finish(response, None, &moment, &app);
    if let Ok(id) = HeaderValue::from_str(&moment.correlation_id) {
        response.headers_mut().insert(CORRELATION, id);
    }
    log(&method, &path, &response, &moment, watch.elapsed());
    response
}

/// Limits that need no look at the body.
fn admit(app: &App, request: &Request, moment: &Moment) -> Result<(), Fault> {
    let length = request.uri().path_and_query().map_or(0, |all| all.as_str().len());
    if length > app.http.max_uri_bytes {
        return Err(Fault::UriTooLong);
    }
    let path = request.uri().path();
    if path == "/healthz" || path == "/readyz" { Ok(()) } else { app.limits.request(moment.address) }
}

/// Runs the handlers, within the time limit, and turns a panic into an answer.
async fn answer(app: &App, request: Request, next: Next) -> Response {
    let limit = Duration::from_secs(app.http.request_timeout_seconds);
    let running = std::panic::AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limit, running).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Failure::page(Fault::Internal { detail: "a handler panicked" }).into_response(),
        Err(_) => Failure::page(Fault::Busy).into_response(),
    }
}

/// One line per request. The query is left out: it carries codes, states and whole request objects.
fn log(method: &Method, path: &str, response: &Response, moment: &Moment, took: Duration) {
    let facts = response.extensions().get::<Facts>().cloned().unwrap_or_default();
    let status = response.status().as_u16();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "signet::request",
                %method,
                path,
                status,
                micros,
                address = %moment.address,
                tenant = facts.tenant,
                client_id = facts.client_id,
                reason = facts.fault.as_ref().map(Fault::code),
                correlation_id = moment.correlation_id,
                "request"
            )
        };
    }
    match facts.fault.as_ref().map(Fault::level) {
        Some(Level::Error) => line!(error),
        Some(Level::Warn) => line!(warn),
        _ => line!(info),
    }
}

/// For routes that browser applications call from other origins. No cookie is read there, so any origin may, and no
/// credentials mode is offered (Fetch standard, CORS protocol).
pub(super) fn cross_origin(router: Router<App>) -> Router<App> {
    router.layer(from_fn(cors))
}

async fn cors(request: Request, next: Next) -> Response {
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    let set = |headers: &mut axum::http::HeaderMap, name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, "www-authenticate, x-correlation-id");
    if preflight {
        set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE");
        set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type");
        set(headers, header::ACCESS_CONTROL_MAX_AGE, "600");
    }
    response
}
