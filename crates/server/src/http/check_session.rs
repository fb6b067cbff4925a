//! `check_session_iframe` (OpenID Connect Session Management 1.0 section 3.3): a page without content that answers, in the
//! browser, whether the login is still the one that a client knows.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::cookies;
use super::extract::Tenant;
use crate::pages::CheckSessionPage;

/// The one page that others may put into a frame. It has nothing to click and one script of ours, and it tells whoever
/// asks no more than whether their own value still holds.
pub(super) async fn frame(Tenant(view): Tenant) -> Response {
    let page = CheckSessionPage { prefix: view.prefix.clone(), cookie: cookies::browser_state_name(&view) };
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (headers, page.render()).into_response();
    let policy = "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
