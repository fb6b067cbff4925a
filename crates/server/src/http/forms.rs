//! Forms of our own pages: they must come from our page, in the same browser.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use signet_core::fault::Fault;
use signet_core::params::Params;
use subtle::ConstantTimeEq;

use super::extract::form_body;
use crate::app::App;
use crate::tenancy::TenantView;

/// The token in a form. It is made from a secret that only this browser's cookie holds, so nobody else can make it and
/// nothing has to be stored.
pub(super) fn csrf(purpose: &str, secret: &str) -> String {
    hex::encode(Sha256::digest(format!("csrf:{purpose}:{secret}")))
}

/// Reads a posted form of one of our pages for people who are signed in, and judges it.
pub(super) async fn posted(
    app: &App,
    view: &TenantView,
    request: Request,
    purpose: &str,
    secret: &str,
) -> Result<Params, Fault> {
    let headers = request.headers().clone();
    let form = Params::decode_form(&form_body(request, app).await?)?;
    check(view, &headers, &form, purpose, secret)?;
    Ok(form)
}

/// Judges a posted form: where it came from, and its token.
pub(super) fn check(
    view: &TenantView,
    headers: &HeaderMap,
    form: &Params,
    purpose: &str,
    secret: &str,
) -> Result<(), Fault> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let same_site = site.is_none_or(|site| site == "same-origin" || site == "none");
    let same_origin = text(header::ORIGIN).is_none_or(|origin| origin == view.origin);
    // A browser that says where the form came from decides; one that says nothing is held to the token alone.
    let from_us = if site.is_some() { same_site } else { same_origin };
    let sent = form.get("csrf").unwrap_or_default();
    let fits = bool::from(sent.as_bytes().ct_eq(csrf(purpose, secret).as_bytes()));
    if from_us && fits { Ok(()) } else { Err(Fault::FormForged) }
}
