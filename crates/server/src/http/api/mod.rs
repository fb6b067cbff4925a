//! The administrative interface, version 1, at `/admin/v1`: JSON over the desk ([`crate::desk`]). Everything that it can do
//! is one row of a table of operations; routes, the OpenAPI document and the page that describes it are made from that
//! table, so none of the three can lack or invent something.

mod audit;
mod client_keys;
mod clients;
mod declared;
mod docs;
mod explain;
mod input;
mod openapi;
mod operation;
mod overview;
mod problem;
mod tenant;
mod tenants;
mod users;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, on};
use signet_core::fault::Fault;

use super::actor::authorized;
use super::extract::{Moment, Tenant};
use crate::app::App;
use crate::desk::{Desk, Refused};
use crate::tenancy::TenantView;
use operation::{Answer, Operation};
pub(super) use problem::answer as problem_answer;
use problem::problem;

/// The path of the interface below an issuer.
pub(super) const BASE: &str = "/admin/v1";

/// The table of operations.
static TABLE: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    [
        clients::operations(),
        client_keys::operations(),
        users::operations(),
        tenant::operations(),
        tenants::operations(),
        declared::operations(),
        audit::operations(),
        explain::operations(),
        overview::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// The routes of the interface, without [`BASE`].
pub(super) fn routes() -> Router<App> {
    let mut router =
        Router::new().route("/openapi.json", get(openapi::document)).route("/docs", get(docs::page));
    for operation in TABLE.iter() {
        let handler = move |state, tenant, moment, path, request| {
            serve(operation, state, tenant, moment, path, request)
        };
        router = router.route(operation.path, on(operation.method.filter(), handler));
    }
    router
        .fallback(
            |tenant: Tenant, moment: Moment| async move { missing(&tenant.0, &moment, Fault::NotFound) },
        )
        .method_not_allowed_fallback(|tenant: Tenant, moment: Moment| async move {
            missing(&tenant.0, &moment, Fault::MethodNotAllowed)
        })
}

fn missing(view: &TenantView, moment: &Moment, fault: Fault) -> Response {
    problem(view, moment, &Refused::Fault(fault))
}

/// One request: who asks, what they ask, the desk's answer.
async fn serve(
    operation: &'static Operation,
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    path: RawPathParams,
    request: Request,
) -> Response {
    match respond(operation, &app, &view, &moment, &path, request).await {
        Ok(answer) => answer.into_response(),
        Err(refused) => problem(&view, &moment, &refused),
    }
}

async fn respond(
    operation: &'static Operation,
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    path: &RawPathParams,
    request: Request,
) -> Result<Answer, Refused> {
    let (parts, body) = request.into_parts();
    // Whoever may not ask learns nothing of how the question should look.
    let actor = authorized(app, view, moment, &parts.headers, operation.scope).await?;
    let call = input::read(operation, path, &parts, body, app.http.max_body_bytes).await?;
    let (now, correlation_id) = (moment.now, moment.correlation_id.as_str());
    let desk = Desk { app, view, actor: &actor, now, correlation_id };
    (operation.handler)(desk, &call).await
}
