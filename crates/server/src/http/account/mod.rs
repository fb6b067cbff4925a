//! The account pages at `/account`: what people see and change of themselves. Whoever has no session here, or one that is not
//! enough, signs in through this provider's own client for it ([`super::own_client`]); from then on the session's cookie is
//! all that counts.
//!
//! Reading handlers take a [`visit::Visit`], writing ones a [`visit::Posted`]: both exist only for somebody who is signed in, a `Posted`
//! moreover only for a form of our own page in the same browser. What could lock a person out, or let somebody in, needs a
//! proof that is a few minutes old at most ([`visit::Visit::proved`]).

mod links;
mod opened;
mod profile;
mod security;
mod visit;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use signet_core::fault::Fault;

use super::extract::{Moment, QueryParams, Tenant};
use super::render::Failure;
use crate::app::App;

/// Everything below `/account`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/account", get(profile::show).post(profile::save))
        .route("/account/", get(profile::show))
        .route("/account/callback", get(callback))
        .route("/account/password", get(profile::show_password).post(profile::set_password))
        .route("/account/sessions", get(opened::sessions))
        .route("/account/sessions/end", post(opened::end_session))
        .route("/account/sessions/end-others", post(opened::end_others))
        .route("/account/applications", get(opened::applications))
        .route("/account/applications/revoke", post(opened::revoke))
        .route("/account/security", get(security::show))
        .route("/account/passkeys/new", get(security::new_passkey).post(security::add_passkey))
        .route("/account/credentials/rename", post(security::rename))
        .route("/account/credentials/remove", post(security::remove))
        .route("/account/authenticator", get(security::new_totp).post(security::add_totp))
        .route("/account/recovery-codes", post(security::recovery_codes))
        .route("/account/forgot", get(links::ask).post(links::asked))
        .route("/account/link", get(links::open).post(links::choose))
}

/// Where the authorization response arrives. The person has a session now; the code is redeemed, so that nobody else does.
async fn callback(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    query: QueryParams,
) -> Response {
    let own = visit::client(&app, &view, &moment);
    let params = query.0.unwrap_or_default();
    let result = match params.get("error") {
        // Cancelled, or refused by the authorization endpoint, which has said why.
        Some(_) => Ok(Redirect::to(&format!("{}/", view.prefix)).into_response()),
        None => own
            .finish(&headers, &params)
            .await
            .map(|signed_in| Redirect::to(&format!("{}{}", view.prefix, signed_in.to)).into_response()),
    };
    let mut response = result.unwrap_or_else(|fault: Fault| Failure::page(fault).into_response());
    own.forget(&params, &mut response);
    response
}
