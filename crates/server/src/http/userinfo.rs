//! The UserInfo endpoint.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use signet_core::audit::{self, Kind};
use signet_core::fault::Fault;
use signet_core::ids::{ClientId, TokenHash};
use signet_core::params::Params;
use signet_core::records::{AccessToken, User};
use signet_core::{bearer, userinfo};

use super::extract::{FormParams, Moment, Tenant, authorization};
use super::render::{Failure, Note};
use crate::app::{App, store_fault};
use crate::clients::parts;
use crate::protect::protect;
use crate::tenancy::TenantView;

/// RFC 6750 section 2.1.
pub(super) async fn get(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
) -> Response {
    respond(&app, &view, &moment, &headers, Ok(Params::default())).await
}

/// RFC 6750 section 2.2.
pub(super) async fn post(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    respond(&app, &view, &moment, &headers, form.0).await
}

async fn respond(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    headers: &HeaderMap,
    form: Result<Params, Fault>,
) -> Response {
    let mut client_id = None;
    let response = match answer(app, view, moment, headers, form, &mut client_id).await {
        Ok((kind, body)) => {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Err(fault) => Failure::bearer(fault).into_response(),
    };
    Note::client(client_id.as_ref()).on(response)
}

async fn answer(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    headers: &HeaderMap,
    form: Result<Params, Fault>,
    client_id: &mut Option<ClientId>,
) -> Result<(&'static str, String), Fault> {
    let tenant = &view.tenant;
    let header = authorization(headers).map_err(|_| Fault::TokenMalformed)?;
    let presented = bearer::presented(header, &form?)?;
    let token = app.store.access_token(&tenant.id, &TokenHash::of(&presented)).await.map_err(store_fault)?;
    let token = token.ok_or(Fault::TokenUnknown)?;
    *client_id = Some(token.client_id.clone());
    let (found, user) = tokio::join!(app.client(&tenant.id, &token.client_id), owner(app, view, &token));
    let (found, user) = (found?, user?);
    let (client, client_keys) = parts(found.as_deref());
    let input = userinfo::Input { tenant, token: Some(&token), client, client_keys, user: user.as_ref() };
    let answer = match userinfo::answer(&input, moment.now) {
        Ok(answer) => answer,
        Err(fault) => {
            record(app, view, moment, &fault, &token.client_id).await;
            return Err(fault);
        }
    };
    // JSON only where nothing protects it.
    if answer.protection.signed.is_none() && answer.protection.encrypted.is_none() {
        return Ok(("application/json", serde_json::Value::Object(answer.claims).to_string()));
    }
    let client = client.ok_or(Fault::TokenUnknown)?;
    let body = protect(app, view, moment.now, client, answer.protection, answer.claims).await?;
    Ok(("application/jwt", body))
}

/// A token that a client got for itself (RFC 6749 section 4.4) has no owner to tell of.
async fn owner(app: &App, view: &TenantView, token: &AccessToken) -> Result<Option<User>, Fault> {
    match token.user_id {
        Some(id) => app.store.user(&view.tenant.id, id).await.map_err(store_fault),
        None => Ok(None),
    }
}

/// Refusals that its owner or the operator must hear of; an expired token is everyday.
async fn record(app: &App, view: &TenantView, moment: &Moment, fault: &Fault, client: &ClientId) {
    if matches!(fault, Fault::TokenExpired) {
        return;
    }
    let context = app.context(moment.now);
    let event =
        audit::refused(&view.tenant.id, Kind::UserinfoRefused, fault, &moment.correlation_id, &context);
    app.record(&view.tenant.id, &[event.client(client).change()]).await;
}
