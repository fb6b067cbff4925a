//! The pushed authorization request endpoint (RFC 9126).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use signet_core::audit::{self, Kind};
use signet_core::authorize::{self, Arrival, PushOutcome, Pushed};
use signet_core::change::Conflict;
use signet_core::client_auth::AuthenticatedClient;
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::remote_keys::may_be_stale;
use signet_jose::Trace;
use signet_store::StoreError;

use super::case::Case;
use super::client_auth::{self, Caller};
use super::extract::{FormParams, Moment, Tenant};
use super::render::{Failure, Note};
use crate::app::{App, store_fault};
use crate::clients::Registered;
use crate::tenancy::TenantView;

/// RFC 9126 section 2.
pub(super) async fn push(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let endpoint = Endpoint::PushedAuthorization;
    let (answer, client_id) = match client_auth::admit(&app, &view, &moment, &headers, form, endpoint).await {
        Ok(caller) => {
            let client_id = caller.client.client().client_id.clone();
            (accept(&app, &view, &moment, caller).await, Some(client_id))
        }
        Err(unproved) => {
            let client_id = unproved.client_id.clone();
            (Err(unproved.recorded(&app, &view, &moment).await), client_id)
        }
    };
    let response =
        answer.map_or_else(|fault| Failure::token(fault).into_response(), |pushed| created(&pushed));
    Note::client(client_id.as_ref()).on(response)
}

/// RFC 9126 section 2.2: "a 201 HTTP status code", JSON, and here "Cache-Control: no-cache, no-store" as in its example.
fn created(pushed: &Pushed) -> Response {
    let body = json!({ "request_uri": pushed.request_uri.as_str(), "expires_in": pushed.expires_in });
    (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-cache, no-store")], Json(body)).into_response()
}

/// Load, decide, apply. RFC 9126 section 2.3: errors are for the client; nothing is redirected.
async fn accept(app: &App, view: &Arc<TenantView>, moment: &Moment, caller: Caller) -> Result<Pushed, Fault> {
    let (client, registered) = (&caller.client, &caller.registered);
    let params = caller.params.clone();
    let case = Case { app: app.clone(), view: view.clone(), moment: moment.clone(), params };
    let mut outcome = decide(&case, client, registered).await?;
    // As at the authorization endpoint: an unfamiliar kid is a reason to fetch the client's keys again.
    if outcome.reply.as_ref().is_err_and(may_be_stale)
        && let Some(fresh) = app.client_afresh(&view.tenant.id, &registered.client.client_id).await?
    {
        outcome = decide(&case, client, &fresh).await?;
    }
    let PushOutcome { changes, reply, trace } = outcome;
    let pushed = match reply {
        Ok(pushed) => pushed,
        Err(fault) => return Err(refused(&case, client, registered, &trace, fault).await),
    };
    match app.store.apply(&view.tenant.id, &changes).await {
        Ok(()) => Ok(pushed),
        Err(StoreError::Conflict(Conflict::Replay)) => {
            let fault = replayed(&case, client).await;
            if fault == Fault::AssertionReplayed {
                return Err(caller.replayed(app, view, moment, Kind::AuthorizePushRefused).await);
            }
            Err(refused(&case, client, registered, &trace, fault).await)
        }
        Err(error) => Err(store_fault(error)),
    }
}

/// Everything that may cost CPU runs on the crypto pool.
async fn decide(
    case: &Case,
    client: &AuthenticatedClient,
    registered: &Arc<Registered>,
) -> Result<PushOutcome, Fault> {
    let (app, case, client, registered) =
        (case.app.clone(), case.clone(), client.clone(), registered.clone());
    let job = move || {
        let (arrival, trace) = match case.params.get("request") {
            Some(token) => case.open(token),
            None => (Arrival::Plain, Trace::new()),
        };
        let context = case.app.context(case.moment.now);
        case.with_facts((Some(client.client()), &registered.keys), |facts| {
            authorize::push(facts, &client, arrival, trace, &context)
        })
    };
    app.crypto.run(job).await
}

/// Of two things that may be used once, the assertion and the object, the one that was used before. If the assertion was
/// not, it is now: it has been shown.
async fn replayed(case: &Case, client: &AuthenticatedClient) -> Fault {
    let Some(claim) = client.claim() else { return Fault::ObjectReplayed };
    match case.app.store.apply(&case.view.tenant.id, &[claim]).await {
        Err(StoreError::Conflict(Conflict::Replay)) => Fault::AssertionReplayed,
        Ok(()) => Fault::ObjectReplayed,
        Err(error) => store_fault(error),
    }
}

/// Writes a refusal to the audit trail, with what is kept for whoever explains it, and hands the fault back.
async fn refused(
    case: &Case,
    client: &AuthenticatedClient,
    registered: &Registered,
    trace: &Trace,
    fault: Fault,
) -> Fault {
    let (tenant, context) = (&case.view.tenant.id, case.app.context(case.moment.now));
    let known = (Some(client.client()), registered.keys.as_slice());
    let (name, value) = case.record(&fault, case.params.get("request"), trace, known).fact();
    let event =
        audit::refused(tenant, Kind::AuthorizePushRefused, &fault, &case.moment.correlation_id, &context)
            .client(&client.client().client_id)
            .fact(name, value);
    case.app.record(tenant, &[event.change()]).await;
    fault
}
