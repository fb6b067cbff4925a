//! The issuer's own address, for people who open it in a browser.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use signet_core::client_policy::Mode;
use signet_core::discovery::Endpoint;

use super::extract::Tenant;
use super::render;
use crate::app::App;
use crate::pages::HomePage;

pub(super) async fn home(State(app): State<App>, Tenant(view): Tenant) -> Response {
    let page = HomePage {
        shell: render::shell(&view),
        issuer: view.tenant.issuer.clone(),
        discovery: format!("{}/.well-known/openid-configuration", view.prefix),
        jwks: format!("{}{}", view.prefix, Endpoint::Jwks.path()),
        demo: (app.mode == Mode::Development).then(|| "/demo".to_owned()),
    };
    render::page(StatusCode::OK, page.render(), None)
}
