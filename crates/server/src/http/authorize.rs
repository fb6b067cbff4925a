//! The authorization endpoint: GET and POST with the same result.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use signet_core::audit::{self, Kind};
use signet_core::authorize::{self, Arrival, Outcome, Refused, Taking, outer_client_id};
use signet_core::change::Conflict;
use signet_core::explain::Record;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::params::Params;
use signet_core::remote_keys;
use signet_jose::Trace;
use signet_store::StoreError;

use super::case::{Case, Object};
use super::extract::{AllParams, Moment, QueryParams, Tenant};
use super::render::Failure;
use super::{cookies, deliver};
use crate::app::{App, store_fault};
use crate::clients::{Registered, parts};
use crate::tenancy::TenantView;

/// Prefix of the secrets that bind an interaction to its browser.
pub(super) const BROWSER_PREFIX: &str = "sgn_br_";

pub(super) async fn get(state: State<App>, tenant: Tenant, moment: Moment, params: QueryParams) -> Response {
    answer(&state.0, &tenant.0, &moment, params.0).await
}

/// HEAD is for those who only look (link previews, scanners), and accepting a request uses up its `jti`. RFC 9110 section
/// 9.2.1 wants HEAD to be safe, so it is not offered here.
pub(super) async fn others() -> Response {
    let mut response = Failure::page(Fault::MethodNotAllowed).into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,POST"));
    response
}

pub(super) async fn post(state: State<App>, tenant: Tenant, moment: Moment, params: AllParams) -> Response {
    answer(&state.0, &tenant.0, &moment, params.0).await
}

async fn answer(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    params: Result<Params, Fault>,
) -> Response {
    let refused = match params {
        Ok(params) => match accept(app, view, moment, params).await {
            Ok(response) => return response,
            Err(refusal) => refusal,
        },
        Err(fault) => page(fault),
    };
    refuse(app, view, moment, refused).await
}

/// A refusal, the client that it is for, and what is kept of the request for whoever explains it.
struct Refusal {
    refused: Refused,
    found: Option<Arc<Registered>>,
    record: Option<Record>,
}

fn page(fault: Fault) -> Refusal {
    Refusal { refused: Refused { fault, return_to: None }, found: None, record: None }
}

/// Load, decide, apply; the answer moves the browser on to the interaction, so that reload and back never repeat the
/// request.
async fn accept(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    params: Params,
) -> Result<Response, Refusal> {
    let browser = app.context(moment.now).mint(BROWSER_PREFIX);
    let case = Case { app: app.clone(), view: view.clone(), moment: moment.clone(), params };
    let judged = match authorize::pushed_request(&case.params) {
        Some(pushed) => take(&case, pushed, browser.hash).await.map_err(page)?,
        None => judge(&case, browser.hash).await.map_err(page)?,
    };
    let accepted = match &judged.outcome.reply {
        Ok(accepted) => accepted,
        Err(refused) => return Err(judged.refuse(&case, refused.clone())),
    };
    match app.store.apply(&view.tenant.id, &judged.outcome.changes).await {
        Ok(()) => {}
        Err(StoreError::Conflict(Conflict::Replay)) => {
            return Err(judged.refuse(&case, judged.outcome.replayed()));
        }
        Err(StoreError::Conflict(Conflict::PushedRequest)) => {
            return Err(judged.refuse(&case, Refused::taken()));
        }
        Err(error) => return Err(page(store_fault(error))),
    }
    let location = format!("{}/interaction/{}", view.prefix, accepted.interaction_id);
    let mut response = Redirect::to(&location).into_response();
    if let Some(cookie) = cookies::bind(view, &accepted.interaction_id, &browser.secret) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// How a request was judged, for which client, and the object that came with it.
struct Judged {
    outcome: Outcome,
    found: Option<Arc<Registered>>,
    object: Object,
}

impl Judged {
    fn refuse(&self, case: &Case, refused: Refused) -> Refusal {
        // Of what comes for nobody, little is kept: anybody can send it.
        let object = self.object.as_ref().filter(|_| self.found.is_some());
        let token = object.and_then(|object| object.as_deref().ok());
        let record = case.record(&refused.fault, token, &self.outcome.trace, parts(self.found.as_deref()));
        Refusal { refused, found: self.found.clone(), record: Some(record) }
    }
}

/// RFC 9126 section 4: what was pushed was judged then.
async fn take(case: &Case, pushed: TokenHash, browser: TokenHash) -> Result<Judged, Fault> {
    let tenant = &case.view.tenant;
    let found = case.client().await?;
    let stored = case.app.store.pushed_request(&tenant.id, &pushed).await.map_err(store_fault)?;
    let (client, client_keys) = parts(found.as_deref());
    let taking = Taking { tenant, client, client_keys, pushed: stored.as_ref(), browser };
    let outcome = authorize::take(taking, &case.app.context(case.moment.now));
    Ok(Judged { outcome, found, object: None })
}

/// OpenID Connect Core section 10.1.1: an unfamiliar kid is a reason to fetch the client's keys again.
async fn judge(case: &Case, browser: TokenHash) -> Result<Judged, Fault> {
    let object = case.object().await?;
    let (outcome, found) = decide(case.clone(), object.clone(), browser).await?;
    if let (Err(refused), Some(known)) = (&outcome.reply, &found)
        && remote_keys::may_be_stale(&refused.fault)
        && case.app.client_afresh(&case.view.tenant.id, &known.client.client_id).await?.is_some()
    {
        let (outcome, found) = decide(case.clone(), object.clone(), browser).await?;
        return Ok(Judged { outcome, found, object });
    }
    Ok(Judged { outcome, found, object })
}

type Decided = (Outcome, Option<Arc<Registered>>);

/// Opens the object, finds the client and judges, with everything that costs CPU on the crypto pool.
async fn decide(case: Case, object: Object, browser: TokenHash) -> Result<Decided, Fault> {
    let app = case.app.clone();
    let found = case.client().await?;
    let decided = move |case: &Case, arrival, trace, found: Option<Arc<Registered>>| {
        let context = case.app.context(case.moment.now);
        let outcome = case.with_facts(parts(found.as_deref()), |facts| {
            authorize::decide(facts, browser, arrival, trace, &context)
        });
        (outcome, found)
    };
    let named_inside = found.is_none()
        && outer_client_id(&case.params).is_none()
        && case.view.tenant.settings.client_id_in_object_only;
    match object {
        // The usual way: the client is known, and one job does all the work.
        Some(Ok(token)) if found.is_some() => {
            let judge = move || {
                let (arrival, trace) = case.open(&token);
                decided(&case, arrival, trace, found)
            };
            app.crypto.run(judge).await
        }
        // A hint is verified, and perhaps decrypted.
        None if found.is_some() && case.params.get("id_token_hint").is_some() => {
            app.crypto.run(move || decided(&case, Arrival::Plain, Trace::new(), found)).await
        }
        Some(Ok(token)) if named_inside => {
            let open = move || {
                let opened = case.open(&token);
                (case, opened)
            };
            let (case, (arrival, trace)) = app.crypto.run(open).await?;
            let inside = match &arrival {
                Arrival::Object(Ok(opened)) => opened.client_id(),
                _ => None,
            };
            let found = match inside {
                Some(id) => app.client(&case.view.tenant.id, id).await?,
                None => None,
            };
            app.crypto.run(move || decided(&case, arrival, trace, found)).await
        }
        Some(Err(fault)) => Ok(decided(&case, Arrival::Object(Err(fault)), Trace::new(), found)),
        // An unknown client, or none where one must be named, costs no decryption.
        _ => Ok(decided(&case, Arrival::Plain, Trace::new(), found)),
    }
}

/// One refusal: an audit event with reason code and failed check, then a response to the client where that is allowed,
/// else a page.
async fn refuse(app: &App, view: &TenantView, moment: &Moment, refusal: Refusal) -> Response {
    let Refusal { refused, found, record } = refusal;
    let found = found.as_deref();
    let context = app.context(moment.now);
    let tenant = &view.tenant.id;
    let mut event =
        audit::refused(tenant, Kind::AuthorizeRefused, &refused.fault, &moment.correlation_id, &context);
    if let Some(found) = found {
        event = event.client(&found.client.client_id);
    }
    if let Some((name, value)) = record.map(|record| record.fact()) {
        event = event.fact(name, value);
    }
    app.record(tenant, &[event.change()]).await;
    let (Some(to), Some(found)) = (refused.return_to, found) else {
        return Failure::page(refused.fault).into_response();
    };
    let delivery = to.refuse(&refused.fault, moment.now);
    match deliver::ready(app, view, moment, &found.client, delivery).await {
        Ok(ready) => deliver::answer(view, ready),
        Err(fault) => Failure::page(fault).into_response(),
    }
}
