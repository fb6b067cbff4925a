//! The authorization endpoint: GET and POST with the same result.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use signet_core::audit;
use signet_core::authorize::{self, Arrival, Facts, Outcome, Refused, outer_client_id};
use signet_core::change::Conflict;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::params::Params;
use signet_core::{remote_keys, request_object};
use signet_jose::Trace;
use signet_store::StoreError;

use super::extract::{AllParams, Moment, QueryParams, Tenant};
use super::render::Failure;
use super::{cookies, deliver};
use crate::app::{App, store_fault};
use crate::clients::{Registered, parts};
use crate::hints;
use crate::tenancy::TenantView;

/// Prefix of the secrets that bind an interaction to its browser.
const BROWSER_PREFIX: &str = "sgn_br_";

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
    refuse(app, view, moment, refused.0, refused.1.as_deref()).await
}

type Refusal = (Refused, Option<Arc<Registered>>);

fn page(fault: Fault) -> Refusal {
    (Refused { fault, return_to: None }, None)
}

/// Load, decide, apply; the answer moves the browser on to the interaction, so that reload and back never repeat the
/// request.
async fn accept(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    params: Params,
) -> Result<Response, Refusal> {
    let context = app.context(moment.now);
    let browser = context.mint(BROWSER_PREFIX);
    let case =
        Case { app: app.clone(), view: view.clone(), moment: moment.clone(), params, browser: browser.hash };
    let (mut outcome, mut client) = decide(case.clone()).await.map_err(page)?;
    // OpenID Connect Core section 10.1.1: an unfamiliar kid is a reason to fetch the client's keys again.
    if let (Err(refused), Some(found)) = (&outcome.reply, &client)
        && remote_keys::may_be_stale(&refused.fault)
        && app.client_afresh(&view.tenant.id, &found.client.client_id).await.map_err(page)?.is_some()
    {
        (outcome, client) = decide(case).await.map_err(page)?;
    }
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
async fn decide(case: Case) -> Result<(Outcome, Option<Arc<Registered>>), Fault> {
    let (app, tenant) = (case.app.clone(), case.view.tenant.id.clone());
    let object = case.params.owned("request");
    let outer = outer_client_id(&case.params);
    let found = match &outer {
        Some(id) => app.client(&tenant, id).await?,
        None => None,
    };
    let named_inside = outer.is_none() && case.view.tenant.settings.client_id_in_object_only;
    match object {
        // The usual way: the client is known, and one job does all the work.
        Some(token) if found.is_some() => {
            let judge = move || {
                let (arrival, trace) = case.open(&token);
                case.judge(arrival, trace, found)
            };
            app.crypto.run(judge).await
        }
        // A hint is verified, and perhaps decrypted.
        None if found.is_some() && case.params.get("id_token_hint").is_some() => {
            app.crypto.run(move || case.judge(Arrival::Plain, Trace::new(), found)).await
        }
        Some(token) if named_inside => {
            let open = move || {
                let opened = case.open(&token);
                (case, opened)
            };
            let (case, (arrival, trace)) = app.crypto.run(open).await?;
            let found = match &arrival {
                Arrival::Object(Ok(opened)) => app.client(&tenant, opened.client_id()).await?,
                _ => None,
            };
            app.crypto.run(move || case.judge(arrival, trace, found)).await
        }
        // An unknown client, or none where one must be named, costs no decryption.
        _ => Ok(case.judge(Arrival::Plain, Trace::new(), found)),
    }
}

/// One authorization request with what judging it needs.
#[derive(Clone)]
struct Case {
    app: App,
    view: Arc<TenantView>,
    moment: Moment,
    params: Params,
    browser: TokenHash,
}

impl Case {
    fn open(&self, token: &str) -> (Arrival, Trace) {
        let mut trace = Trace::new();
        let opened = request_object::open(token, &self.view.decryption, &mut trace);
        (Arrival::Object(opened), trace)
    }

    fn judge(
        &self,
        arrival: Arrival,
        trace: Trace,
        found: Option<Arc<Registered>>,
    ) -> (Outcome, Option<Arc<Registered>>) {
        let (client, client_keys) = parts(found.as_deref());
        let facts = Facts {
            tenant: &self.view.tenant,
            params: &self.params,
            client,
            client_keys,
            verifier: &|key, alg| self.app.keyring.verifier(key, alg),
            hint: &|token, client| {
                let view = &self.view;
                hints::judge(token, client, &view.tenant, &view.keys, &view.decryption, self.moment.now)
            },
            correlation_id: &self.moment.correlation_id,
            browser: self.browser,
        };
        let outcome = authorize::decide(facts, arrival, trace, &self.app.context(self.moment.now));
        (outcome, found)
    }
}

/// One refusal: an audit event with reason code and failed check, then a response to the client where that is allowed,
/// else a page.
async fn refuse(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    refused: Refused,
    found: Option<&Registered>,
) -> Response {
    let context = app.context(moment.now);
    let tenant = &view.tenant.id;
    let mut event =
        audit::refused(tenant, "authorize.refused", &refused.fault, &moment.correlation_id, &context);
    if let Some(found) = found {
        event = event.client(&found.client.client_id);
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
