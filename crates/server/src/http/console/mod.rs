//! The console at `/console`: pages over the desk ([`crate::desk`]), for people with a role. It is a client of this very
//! provider ([`super::own_client`]); the value of its cookie is its access token, which each request is judged by.
//!
//! Reading handlers take a [`Visit`], writing ones a [`Posted`]: both exist only for somebody who is signed in and has a
//! role, a `Posted` moreover only for a form of our own page in the same browser. Each subject has a file with its pages,
//! its handlers and `routes()`.

mod activity;
mod audit;
mod audit_chain;
mod client;
mod clients;
mod configuration;
mod explain;
mod fields;
mod keys;
mod listing;
mod once;
mod overview;
mod problems;
mod session;
mod tenant;
mod tenants;
mod trial;
mod user;
mod users;
mod visit;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use signet_core::fault::Fault;

use crate::app::App;
use crate::desk::Refused;
pub(super) use visit::{Posted, Visit};

/// Everything below `/console`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/callback", get(session::callback))
        .route("/console/sign-out", post(session::sign_out))
        .merge(overview::routes())
        .merge(audit::routes())
        .merge(audit_chain::routes())
        .merge(explain::routes())
        .merge(clients::routes())
        .merge(client::routes())
        .merge(configuration::routes())
        .merge(activity::routes())
        .merge(keys::routes())
        .merge(tenant::routes())
        .merge(tenants::routes())
        .merge(trial::routes())
        .merge(users::routes())
        .merge(user::routes())
        .route("/console/{*rest}", get(nothing))
}

async fn nothing(visit: Visit) -> Response {
    visit.refused(&Refused::Fault(Fault::NotFound))
}
