//! The token endpoint.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use signet_core::audit;
use signet_core::change::Conflict;
use signet_core::client_auth::{self, AuthenticatedClient, Credentials};
use signet_core::fault::Fault;
use signet_core::ids::{ClientId, TokenHash};
use signet_core::params::Params;
use signet_core::records::{Client, ClientKey};
use signet_core::token::{self, Redeemed};
use signet_store::StoreError;

use super::extract::{FormParams, Moment, Tenant, authorization};
use super::protect;
use super::render::{Failure, Note};
use crate::app::{App, store_fault};
use crate::clients::parts;
use crate::tenancy::TenantView;

/// How often a redemption is decided again after another one came first.
const ATTEMPTS: usize = 3;

/// RFC 6749 section 4.1.3.
pub(super) async fn token(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let mut client_id = None;
    let answer = redeem(&app, &view, &moment, &headers, form, &mut client_id).await;
    let response = match answer {
        Ok(body) => ([("cache-control", "no-store"), ("pragma", "no-cache")], Json(body)).into_response(),
        Err(fault) => Failure::token(fault).into_response(),
    };
    Note::client(client_id.as_ref()).on(response)
}

async fn redeem(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    headers: &HeaderMap,
    form: FormParams,
    client_id: &mut Option<ClientId>,
) -> Result<serde_json::Value, Fault> {
    let (params, credentials) = match presented(headers, form) {
        Ok(presented) => presented,
        Err(fault) => return Err(record(app, view, moment, fault, None).await),
    };
    *client_id = Some(credentials.client_id.clone());
    let found = app.client(&view.tenant.id, &credentials.client_id).await?;
    let (client, keys) = parts(found.as_deref());
    let admitted = client_auth::authenticate(&credentials, client)
        .and_then(|client| Ok((client, token::code_parameter(&params)?)));
    let (client, code) = match admitted {
        Ok(admitted) => admitted,
        Err(fault) => return Err(record(app, view, moment, fault, Some(&credentials.client_id)).await),
    };
    for _ in 0..ATTEMPTS {
        if let Some(body) = attempt(app, view, moment, client, keys, &params, code).await? {
            return Ok(body);
        }
    }
    // Still in conflict with what was read: the grant was revoked before the code was ever redeemed.
    Err(Fault::CodeUnknown)
}

fn presented(headers: &HeaderMap, form: FormParams) -> Result<(Params, Credentials), Fault> {
    let params = form.0?;
    let credentials = client_auth::presented(authorization(headers)?, &params)?;
    Ok((params, credentials))
}

/// Writes why a request was refused before any code was looked up, and hands the fault back.
async fn record(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    fault: Fault,
    client: Option<&ClientId>,
) -> Fault {
    let (tenant, context) = (&view.tenant.id, app.context(moment.now));
    let mut event = audit::refused(tenant, "token.refused", &fault, &moment.correlation_id, &context);
    if let Some(client) = client {
        event = event.client(client);
    }
    app.record(tenant, &[event.change()]).await;
    fault
}

/// Load, decide, apply once; `None` when somebody else was first and it has to be decided again.
async fn attempt(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    client: AuthenticatedClient<'_>,
    client_keys: &[ClientKey],
    params: &Params,
    code: &str,
) -> Result<Option<serde_json::Value>, Fault> {
    let tenant = &view.tenant;
    let code = app.store.code(&tenant.id, &TokenHash::of(code)).await.map_err(store_fault)?;
    let user = match &code {
        Some(code) => app.store.user(&tenant.id, code.authentication.user_id).await.map_err(store_fault)?,
        None => None,
    };
    let input = token::Input {
        tenant,
        client,
        client_keys,
        params,
        code: code.as_ref(),
        user: user.as_ref(),
        correlation_id: &moment.correlation_id,
    };
    let outcome = token::redeem(&input, &app.context(moment.now));
    // The token is made before the code is used up: a busy server or a missing key costs nobody a code.
    let body = match outcome.reply {
        Ok(redeemed) => Ok(body(app, view, moment, client.client(), redeemed).await?),
        Err(fault) => Err(fault),
    };
    match app.store.apply(&tenant.id, &outcome.changes).await {
        Ok(()) => body.map(Some),
        Err(StoreError::Conflict(Conflict::Code | Conflict::Grant)) => Ok(None),
        Err(error) => Err(store_fault(error)),
    }
}

/// RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3.
async fn body(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    client: &Client,
    redeemed: Redeemed,
) -> Result<serde_json::Value, Fault> {
    let id_token =
        protect::protect(app, view, moment, client, redeemed.protection, redeemed.id_token).await?;
    Ok(json!({
        "access_token": redeemed.access_token.as_str(),
        "token_type": "Bearer",
        "expires_in": redeemed.expires_in,
        "scope": redeemed.scope.into_iter().collect::<Vec<_>>().join(" "),
        "id_token": id_token,
    }))
}
