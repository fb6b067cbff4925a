//! The console at `/console`: pages over the desk ([`crate::desk`]), for people with a role. It is a client of this very
//! provider ([`super::own_client`]); the value of its cookie is its access token, which each request is judged by.
//!
//! Reading handlers take a [`Visit`], writing ones a [`Posted`]: both exist only for somebody who is signed in and has a
//! role, a `Posted` moreover only for a form of our own page in the same browser. Each subject has a file with its pages,
//! its handlers and `routes()`.

mod client;
mod clients;
mod explain;
mod fields;
mod keys;
mod once;
mod problems;
mod session;
mod visit;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use signet_core::fault::Fault;

use crate::app::App;
use crate::desk::Refused;
use crate::pages::console::Section;
pub(super) use visit::{Posted, Visit};

/// Everything below `/console`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console", get(index))
        .route("/console/", get(index))
        .route("/console/callback", get(session::callback))
        .route("/console/sign-out", post(session::sign_out))
        .merge(clients::routes())
        .merge(client::routes())
        .merge(keys::routes())
        .route("/console/{*rest}", get(nothing))
        .merge(explain::routes())
}

/// Leads to the first part that the person may see.
async fn index(visit: Visit) -> Response {
    Redirect::to(&visit.href(Section::Clients.path())).into_response()
}

async fn nothing(visit: Visit) -> Response {
    visit.refused(&Refused::Fault(Fault::NotFound))
}
