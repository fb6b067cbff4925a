//! The authorization endpoint: GET and POST with the same result.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use signet_core::audit;
use signet_core::authorize::{self, Arrival, Facts, Outcome, Refused, outer_client_id};
use signet_core::change::Conflict;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::params::Params;
use signet_core::records::{Client, ClientKey};
use signet_core::request_object;
use signet_jose::Trace;
use signet_store::StoreError;

use super::cookies;
use super::extract::{AllParams, Moment, QueryParams, Tenant};
use super::render::Failure;
use crate::app::{App, store_fault};
use crate::tenancy::TenantView;

/// Prefix of the secrets that bind an interaction to its browser.
const BROWSER_PREFIX: &str = "sgn_br_";

pub(super) async fn get(state: State<App>, tenant: Tenant, moment: Moment, params: QueryParams) -> Response {
    answer(&state.0, &tenant.0, &moment, params.0).await
}

pub(super) async fn post(state: State<App>, tenant: Tenant, moment: Moment, params: AllParams) -> Response {
    answer(&state.0, &tenant.0, &moment, params.0).await
}

async fn answer(
    app: &App,
    view: &std::sync::Arc<TenantView>,
    moment: &Moment,
    params: Result<Params, Fault>,
) -> Response {
    let refused = match params {
        Ok(params) => match accept(app, view, moment, params).await {
            Ok(response) => return response,
            Err((refused, client)) => (refused, client),
        },
        Err(fault) => (Refused { fault, return_to: None }, None),
    };
    refuse(app, view, moment, refused.0, refused.1).await
}

type Refusal = (Refused, Option<ClientId>);

fn page(fault: Fault) -> Refusal {
    (Refused { fault, return_to: None }, None)
}

/// Load, decide, apply; the answer moves the browser on to the interaction, so that reload and back never repeat the
/// request.
async fn accept(
    app: &App,
    view: &std::sync::Arc<TenantView>,
    moment: &Moment,
    params: Params,
) -> Result<Response, Refusal> {
    let context = app.context(moment.now);
    let browser = context.mint(BROWSER_PREFIX);
    let (outcome, client) = decide(app, view, moment, params, browser.hash).await.map_err(page)?;
    let accepted = outcome.reply.clone().map_err(|refused| (refused, client.clone()))?;
    match app.store.apply(&view.tenant.id, &outcome.changes).await {
        Ok(()) => {}
        Err(StoreError::Conflict(Conflict::Replay)) => return Err((outcome.replayed(), client)),
        Err(error) => return Err(page(store_fault(error))),
    }
    let location = format!("{}/interaction/{}", view.prefix, accepted.interaction_id);
    let mut response = Redirect::to(&location).into_response();
    if let Some(cookie) = cookies::bind(view, &accepted.interaction_id, &browser.secret) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Opens the object, finds the client and judges, with everything that costs CPU on the crypto pool.
async fn decide(
    app: &App,
    view: &std::sync::Arc<TenantView>,
    moment: &Moment,
    params: Params,
    browser: signet_core::ids::TokenHash,
) -> Result<(Outcome, Option<ClientId>), Fault> {
    let outer = outer_client_id(&params);
    let object = params.owned("request");
    let mut found = match &outer {
        Some(id) => app.client(&view.tenant.id, id).await?,
        None => None,
    };
    let Some(token) = object else {
        return Ok(judge(app, view, moment, &params, Arrival::Plain, found.as_ref(), Trace::new(), browser));
    };
    // An unknown client, or none where one must be named, costs no decryption.
    let worthwhile = found.is_some() || (outer.is_none() && view.tenant.settings.client_id_in_object_only);
    let (arrival, trace) =
        if worthwhile { open(app, view, token).await? } else { (Arrival::Plain, Trace::new()) };
    if outer.is_none()
        && let Arrival::Object(Ok(opened)) = &arrival
    {
        found = app.client(&view.tenant.id, opened.client_id()).await?;
    }
    let (app, view, moment) = (app.clone(), view.clone(), moment.clone());
    let pool = app.crypto.clone();
    pool.run(move || judge(&app, &view, &moment, &params, arrival, found.as_ref(), trace, browser)).await
}

async fn open(
    app: &App,
    view: &std::sync::Arc<TenantView>,
    token: String,
) -> Result<(Arrival, Trace), Fault> {
    let view = view.clone();
    app.crypto
        .run(move || {
            let mut trace = Trace::new();
            let opened = request_object::open(&token, &view.decryption, &mut trace);
            (Arrival::Object(opened), trace)
        })
        .await
}

#[expect(clippy::too_many_arguments, reason = "the facts of one request, each from another source")]
fn judge(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    params: &Params,
    arrival: Arrival,
    found: Option<&(Client, Vec<ClientKey>)>,
    trace: Trace,
    browser: signet_core::ids::TokenHash,
) -> (Outcome, Option<ClientId>) {
    let facts = Facts {
        tenant: &view.tenant,
        params,
        client: found.map(|(client, _)| client),
        client_keys: found.map_or(&[], |(_, keys)| keys.as_slice()),
        verifier: &|key, alg| app.keyring.verifier(key, alg),
        correlation_id: &moment.correlation_id,
        browser,
    };
    let outcome = authorize::decide(facts, arrival, trace, &app.context(moment.now));
    (outcome, found.map(|(client, _)| client.client_id.clone()))
}

/// One refusal: an audit event with reason code and failed check, then a redirect where that is allowed, else a page.
async fn refuse(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    refused: Refused,
    client: Option<ClientId>,
) -> Response {
    let context = app.context(moment.now);
    let tenant = &view.tenant.id;
    let mut event =
        audit::refused(tenant, "authorize.refused", &refused.fault, &moment.correlation_id, &context);
    if let Some(client) = &client {
        event = event.client(client);
    }
    app.record(tenant, &[event.change()]).await;
    match refused.return_to {
        Some(to) => Redirect::to(&to.with_error(&refused.fault)).into_response(),
        None => Failure::page(refused.fault).into_response(),
    }
}
