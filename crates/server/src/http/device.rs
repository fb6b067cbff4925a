//! The device authorization endpoint (RFC 8628 section 3.1) and the page on which people type the code (section 3.3).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use signet_core::audit::{self, Kind};
use signet_core::change::Conflict;
use signet_core::device::{self, Asking, Entered, Started};
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::params::Params;
use signet_store::StoreError;

use super::client_auth::{self, Caller};
use super::extract::{FormParams, Moment, QueryParams, Tenant};
use super::render::{self, Failure, Note};
use super::{authorize, cookies, forms};
use crate::app::{App, store_fault};
use crate::clients::parts;
use crate::pages::DevicePage;
use crate::tenancy::TenantView;

/// How often another user code is drawn when one is taken.
const ATTEMPTS: usize = 3;
const PURPOSE: &str = "device";

pub(super) async fn start(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let endpoint = Endpoint::DeviceAuthorization;
    let (answer, client_id) = match client_auth::admit(&app, &view, &moment, &headers, form, endpoint).await {
        Ok(caller) => {
            let client_id = caller.client.client().client_id.clone();
            (begin(&app, &view, &moment, &caller).await, Some(client_id))
        }
        Err(unproved) => {
            let client_id = unproved.client_id.clone();
            (Err(unproved.recorded(&app, &view, &moment).await), client_id)
        }
    };
    let response = match answer {
        Ok(started) => told(&view, &started),
        Err(fault) => Failure::token(fault).into_response(),
    };
    Note::client(client_id.as_ref()).on(response)
}

async fn begin(app: &App, view: &TenantView, moment: &Moment, caller: &Caller) -> Result<Started, Fault> {
    let (tenant, context) = (&view.tenant, app.context(moment.now));
    let correlation_id = &moment.correlation_id;
    let (client_keys, params) = (caller.keys(), &caller.params);
    let asking = Asking { tenant, caller: &caller.client, client_keys, params, correlation_id };
    for _ in 0..ATTEMPTS {
        let started = match device::start(asking, &context) {
            Ok(started) => started,
            Err(fault) => return Err(refused(app, view, moment, fault, Some(caller)).await),
        };
        match app.store.apply(&tenant.id, &started.changes).await {
            Ok(()) => return Ok(started),
            Err(StoreError::Conflict(Conflict::Exists)) => {}
            Err(StoreError::Conflict(Conflict::Replay)) => {
                return Err(caller.replayed(app, view, moment, Kind::DeviceRefused).await);
            }
            Err(error) => return Err(store_fault(error)),
        }
    }
    Err(Fault::Busy)
}

/// RFC 8628 section 3.2.
fn told(view: &TenantView, started: &Started) -> Response {
    let page = Endpoint::Device.url(&view.tenant.issuer);
    let body = json!({
        "device_code": started.device_code.as_str(),
        "user_code": started.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", started.user_code),
        "expires_in": started.expires_in,
        "interval": started.interval,
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Writes a refusal to the audit trail, and hands the fault back.
async fn refused(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    fault: Fault,
    caller: Option<&Caller>,
) -> Fault {
    let (tenant, context) = (&view.tenant.id, app.context(moment.now));
    let mut event = audit::refused(tenant, Kind::DeviceRefused, &fault, &moment.correlation_id, &context);
    event = match caller {
        Some(caller) => event.client(&caller.client.client().client_id),
        None => event.fact("address", moment.address.to_string()),
    };
    app.record(tenant, &[event.change()]).await;
    fault
}

/// The page. RFC 8628 section 3.3.1: with `verification_uri_complete` the code stands there already, to be compared with
/// what the device shows; it is never taken without a click.
pub(super) async fn ask(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    query: QueryParams,
) -> Response {
    let typed = query.0.ok().and_then(|params| params.owned("user_code")).unwrap_or_default();
    let secret = app.context(moment.now).mint("").secret;
    let mut response = page(&view, &secret, &typed, None);
    if let Some(cookie) = cookies::set(&view, &cookies::device_name(&view), &secret, None) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn page(view: &TenantView, secret: &str, typed: &str, fault: Option<&Fault>) -> Response {
    let page = DevicePage {
        shell: render::shell(view),
        action: format!("{}{}", view.prefix, Endpoint::Device.path()),
        csrf: forms::csrf(PURPOSE, secret),
        user_code: typed.chars().take(16).collect(),
        error: fault.map(Fault::public),
    };
    let status = fault.map_or(200, Fault::status);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    render::page(status, page.render(), None)
}

pub(super) async fn enter(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let Some(secret) = cookies::read(&headers, &cookies::device_name(&view)) else {
        return Failure::page(Fault::FormForged).into_response();
    };
    let form =
        match form.0.and_then(|form| forms::check(&view, &headers, &form, PURPOSE, &secret).map(|()| form)) {
            Ok(form) => form,
            Err(fault) => return Failure::page(fault).into_response(),
        };
    match entered(&app, &view, &moment, &form).await {
        Ok(response) => response,
        Err(fault @ (Fault::UserCodeUnknown | Fault::AttemptsExhausted)) => {
            let fault = refused(&app, &view, &moment, fault, None).await;
            let typed = form.get("user_code").unwrap_or_default();
            render::refused(page(&view, &secret, typed, Some(&fault)), fault)
        }
        Err(fault) => Failure::page(fault).into_response(),
    }
}

/// RFC 8628 section 5.1: guessing is bounded before anything is looked up, for right codes and wrong ones.
async fn entered(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    form: &Params,
) -> Result<Response, Fault> {
    let tenant = &view.tenant;
    app.limits.user_code(moment.address, &tenant.id)?;
    let code = device::typed(form.get("user_code").unwrap_or_default()).ok_or(Fault::UserCodeUnknown)?;
    let device = app.store.device_by_user_code(&tenant.id, &code).await.map_err(store_fault)?;
    let found = match &device {
        Some(device) => app.client(&tenant.id, &device.request.client_id).await?,
        None => None,
    };
    let context = app.context(moment.now);
    let browser = context.mint(authorize::BROWSER_PREFIX);
    let (client, _) = parts(found.as_deref());
    let entered = Entered { tenant, device: device.as_ref(), client, browser: browser.hash };
    let (interaction, changes) = device::enter(entered, &context)?;
    app.store.apply(&tenant.id, &changes).await.map_err(store_fault)?;
    let mut response =
        Redirect::to(&format!("{}/interaction/{}", view.prefix, interaction.id)).into_response();
    if let Some(cookie) = cookies::bind(view, &interaction.id, &browser.secret) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(Note::client(Some(&interaction.request.client_id)).on(response))
}
