//! Signing in to the console and out of it.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use signet_core::audit::{self, Kind};
use signet_core::builtin::Builtin;
use signet_core::change::Change;
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::params::Params;

use super::super::extract::{Moment, QueryParams, Tenant};
use super::super::own_client::OwnClient;
use super::super::{cookies, render, screens};
use super::visit::{self, Posted};
use crate::app::{App, store_fault};
use crate::tenancy::TenantView;

/// The console as a client.
pub(super) fn client<'a>(
    app: &'a App,
    view: &'a std::sync::Arc<TenantView>,
    moment: &'a Moment,
) -> OwnClient<'a> {
    OwnClient { app, view, moment, client: Builtin::Console, home: "/console" }
}

/// Where the authorization response arrives.
pub(super) async fn callback(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    query: QueryParams,
) -> Response {
    let own = client(&app, &view, &moment);
    let params = query.0.unwrap_or_default();
    let mut response = match params.get("error") {
        Some(error) => match own.answers(&headers, &params) {
            Ok(()) => not_signed_in(&app, &view, &moment, &params, error).await,
            Err(fault) => failed(&app, &view, &moment, fault).await,
        },
        None => match own.finish(&headers, &params).await {
            Ok(signed_in) => {
                let mut response = Redirect::to(&format!("{}{}", view.prefix, signed_in.to)).into_response();
                let name = cookies::console_name(&view);
                let age = Some(signed_in.expires_in);
                if let Some(cookie) = cookies::set(&view, &name, &signed_in.access_token, age) {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                response
            }
            Err(fault) => failed(&app, &view, &moment, fault).await,
        },
    };
    own.forget(&params, &mut response);
    response
}

/// The authorization endpoint refused. Somebody without a role hears whom to ask; all others may try again.
async fn not_signed_in(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    params: &Params,
    error: &str,
) -> Response {
    let described = params.get("error_description").unwrap_or_default();
    if error == "access_denied" && described == signet_core::redirect::description(&Fault::AdminRoleNeeded) {
        record(app, view, moment, &Fault::AdminRoleMissing).await;
        return visit::without_role(view, moment, None);
    }
    failed(app, view, moment, Fault::InteractionUnknown).await
}

/// Whoever quotes the page's reference is found by it.
async fn record(app: &App, view: &TenantView, moment: &Moment, fault: &Fault) {
    let context = app.context(moment.now);
    let event =
        audit::refused(&view.tenant.id, Kind::ConsoleRefused, fault, &moment.correlation_id, &context);
    app.record(&view.tenant.id, &[event.change()]).await;
}

async fn failed(app: &App, view: &TenantView, moment: &Moment, fault: Fault) -> Response {
    record(app, view, moment, &fault).await;
    let html = screens::console_error(view, &fault, &moment.correlation_id);
    let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST);
    render::refused(render::page(status, html, None), fault)
}

/// Ends the console's token, and leads to the end of the session.
pub(super) async fn sign_out(posted: Posted) -> Response {
    let visit = &posted.visit;
    let tenant = &visit.view.tenant.id;
    let end = Change::RevokeGrant { id: visit.grant_id, at: visit.moment.now };
    if let Err(error) = visit.app.store.apply(tenant, &[end]).await {
        return visit.refused(&store_fault(error).into());
    }
    let location = format!("{}{}", visit.view.prefix, Endpoint::EndSession.path());
    let mut response = Redirect::to(&location).into_response();
    if let Some(cookie) = cookies::remove(&visit.view, &cookies::console_name(&visit.view)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
