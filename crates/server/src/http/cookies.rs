//! Cookies. On https issuers all are `__Host-` cookies: bound to the host, the whole path, and TLS.

use axum::http::{HeaderMap, HeaderValue, header};
use signet_core::records::Interaction;

use crate::tenancy::TenantView;

/// The session cookie of a tenant.
pub(super) fn session_name(view: &TenantView) -> String {
    format!("{}signet-session-{}", prefix(view), view.tenant.id)
}

/// The cookie that binds an interaction to one browser.
pub(super) fn interaction_name(view: &TenantView, id: &str) -> String {
    format!("{}signet-interaction-{id}", prefix(view))
}

/// The cookie that tells our own script, and so clients that ask it, whether the login is still the same (Session
/// Management section 3.3).
pub(super) fn browser_state_name(view: &TenantView) -> String {
    format!("{}signet-browser-{}", prefix(view), view.tenant.id)
}

/// Whether the browser has a cookie of this name.
pub(super) fn is_sent(headers: &HeaderMap, name: &str) -> bool {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    all.flat_map(|header| header.split(';'))
        .any(|pair| pair.trim().split_once('=').is_some_and(|(key, _)| key == name))
}

/// The browser state that goes with a session cookie. Our script reads it in a frame on a client's page, so it is neither
/// `HttpOnly` nor held back across sites; it opens nothing.
pub(super) fn browser_state(view: &TenantView, session_cookie: &str) -> Option<HeaderValue> {
    let value = signet_core::logout::browser_state(session_cookie);
    let scope = if view.is_https() { "SameSite=None; Secure" } else { "SameSite=Lax" };
    HeaderValue::from_str(&format!("{}={value}; Path=/; {scope}", browser_state_name(view))).ok()
}

/// The cookie that the form for user codes is bound to.
pub(super) fn device_name(view: &TenantView) -> String {
    format!("{}signet-device-{}", prefix(view), view.tenant.id)
}

/// The cookie that ties a login of one of our own clients to the browser that began it.
pub(super) fn login_name(view: &TenantView, client_id: &str, state: &str) -> String {
    format!("{}{client_id}-login-{state}", prefix(view))
}

/// The console's own cookie; its value is an access token.
pub(super) fn console_name(view: &TenantView) -> String {
    format!("{}signet-admin-{}", prefix(view), view.tenant.id)
}

/// The cookie that carries a notice of the console from one page to the next.
pub(super) fn notice_name(view: &TenantView) -> String {
    format!("{}signet-notice-{}", prefix(view), view.tenant.id)
}

/// The cookie that the form for a forgotten password is bound to.
pub(super) fn forgot_name(view: &TenantView) -> String {
    format!("{}signet-forgot-{}", prefix(view), view.tenant.id)
}

/// The cookie that keeps a question for a passkey until its answer; sealed.
pub(super) fn passkey_name(view: &TenantView) -> String {
    format!("{}signet-passkey-{}", prefix(view), view.tenant.id)
}

fn prefix(view: &TenantView) -> &'static str {
    if view.is_https() { "__Host-" } else { "" }
}

/// The value of cookie `name`, if it was sent exactly once.
pub(super) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut found = None;
    for header in headers.get_all(header::COOKIE) {
        for pair in header.to_str().ok()?.split(';') {
            if let Some((key, value)) = pair.trim().split_once('=')
                && key == name
                && found.replace(value.to_owned()).is_some()
            {
                return None;
            }
        }
    }
    found
}

/// A cookie that scripts cannot read and that other sites' forms do not carry. Without `max_age` it ends with the
/// browser.
pub(super) fn set(view: &TenantView, name: &str, value: &str, max_age: Option<i64>) -> Option<HeaderValue> {
    let secure = if view.is_https() { "; Secure" } else { "" };
    let age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let mut header =
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))
            .ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Removes a cookie.
pub(super) fn remove(view: &TenantView, name: &str) -> Option<HeaderValue> {
    set(view, name, "", Some(0))
}

/// The binding cookie of a new interaction.
pub(super) fn bind(view: &TenantView, id: &str, secret: &str) -> Option<HeaderValue> {
    set(view, &interaction_name(view, id), secret, Some(view.tenant.settings.interaction_lifetime))
}

/// Removes the binding cookie of a finished interaction.
pub(super) fn unbind(view: &TenantView, interaction: &Interaction) -> Option<HeaderValue> {
    remove(view, &interaction_name(view, &interaction.id))
}
