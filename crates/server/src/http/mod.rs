//! HTTP: the only crate module that knows it. Handlers load, decide, apply and render.

mod account;
mod actor;
mod api;
mod authorize;
mod case;
mod check_session;
mod client_auth;
mod console;
mod cookies;
mod deliver;
mod dev_mail;
mod device;
mod extract;
mod forms;
mod health;
mod home;
mod interaction;
mod introspect;
mod issue;
mod logout;
mod metadata;
mod middleware;
mod own_client;
mod push;
mod register;
mod render;
mod revoke;
mod screens;
mod second;
mod sign_in;
mod token;
mod userinfo;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use tower::ServiceExt as _;

use crate::app::App;
use render::Failure;

/// Everything this node answers to. `extra` are routes of this process beside the tenants, such as the demo.
pub fn router(app: &App, extra: Router) -> Router {
    let node = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(app.clone())
        .merge(crate::pages::assets())
        .merge(extra);
    let tenants = Node { app: app.clone(), tenant_routes: tenant_routes(app) };
    middleware::wrap(node.fallback_service(any(dispatch).with_state(tenants)), app)
}

/// The routes below an issuer.
fn tenant_routes(app: &App) -> Router {
    let metadata = Router::new()
        .route("/.well-known/openid-configuration", get(metadata::discovery))
        .route("/.well-known/oauth-authorization-server", get(metadata::discovery))
        .route(Endpoint::Jwks.path(), get(metadata::jwks));
    // Browser applications call these across origins; no cookie is ever read there.
    let api = Router::new()
        .route(Endpoint::Token.path(), post(token::token))
        .route(Endpoint::UserInfo.path(), get(userinfo::get).post(userinfo::post))
        .route(Endpoint::Revocation.path(), post(revoke::revoke))
        .route(Endpoint::PushedAuthorization.path(), post(push::push))
        .route(Endpoint::DeviceAuthorization.path(), post(device::start));
    let registered = get(register::read).put(register::update).delete(register::delete);
    let registration = Router::new()
        .route(Endpoint::Register.path(), post(register::create))
        .route(&format!("{}/{{client_id}}", Endpoint::Register.path()), registered);
    // The answer to other methods is set before the layer: a preflight (OPTIONS) passes through both.
    let cross_origin = middleware::cross_origin(
        metadata.merge(api).merge(registration).method_not_allowed_fallback(method_not_allowed),
    );
    let authorization =
        get(authorize::get).post(authorize::post).head(authorize::others).fallback(authorize::others);
    // A request may end a session, so those who only look are not answered (RFC 9110 section 9.2.1).
    let end_session = get(logout::ask).post(logout::post).head(authorize::others).fallback(authorize::others);
    Router::new()
        .route("/", get(home::home))
        .route(Endpoint::Authorize.path(), authorization)
        .route(Endpoint::Introspection.path(), post(introspect::introspect))
        .nest(api::BASE, api::routes())
        .route("/interaction/{id}", get(interaction::show))
        .route("/interaction/{id}/login", get(sign_in::show_login).post(sign_in::login))
        .route("/interaction/{id}/second", post(second::code))
        .route("/interaction/{id}/enrol", post(second::enrol))
        .route("/interaction/{id}/passkey", get(second::show_passkey).post(second::passkey))
        .route("/interaction/{id}/register", get(sign_in::show_registration).post(sign_in::register))
        .route("/interaction/{id}/consent", post(interaction::consent))
        .route("/interaction/{id}/switch", post(interaction::switch))
        .route(Endpoint::Device.path(), get(device::ask).post(device::enter))
        .route(Endpoint::EndSession.path(), end_session)
        .route("/logout/confirm", post(logout::confirm))
        .route("/logout/done", get(logout::done))
        .route(Endpoint::CheckSession.path(), get(check_session::frame))
        .merge(console::routes())
        .merge(account::routes())
        .merge(dev_mail::routes(app))
        .merge(cross_origin)
        .fallback(|| async { Failure::page(Fault::NotFound) })
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app.clone())
        .merge(crate::pages::assets())
}

async fn method_not_allowed() -> Failure {
    Failure::page(Fault::MethodNotAllowed)
}

#[derive(Clone)]
struct Node {
    app: App,
    tenant_routes: Router,
}

/// Finds the tenant of a request, once, and hands on what lies below its issuer.
async fn dispatch(State(node): State<Node>, mut request: Request) -> Response {
    let Some(moment) = request.extensions().get::<extract::Moment>().cloned() else {
        return Failure::page(Fault::Internal { detail: "the request has no instant" }).into_response();
    };
    let host = extract::host(&request);
    let path = request.uri().path().to_owned();
    match node.app.tenancy.find(host.as_deref(), &path, &node.app.sources(moment.now)).await {
        Err(fault) => Failure::page(fault).into_response(),
        Ok(None) => Failure::page(Fault::NotFound).into_response(),
        Ok(Some((view, rest))) => {
            let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
            if let Ok(uri) = format!("{rest}{query}").parse::<Uri>() {
                *request.uri_mut() = uri;
            }
            let extensions = request.extensions_mut();
            extensions.insert(view.clone());
            let response = match node.tenant_routes.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            render::finish(response, Some(&view), &moment, &node.app)
        }
    }
}
