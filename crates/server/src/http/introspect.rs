//! The introspection endpoint (RFC 7662, RFC 9701).

use signet_core::audit::Kind;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use signet_core::change::Conflict;
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::introspection::{self, Form, Input, JWT_TYPE, Token};
use signet_core::revocation;
use signet_store::StoreError;

use super::client_auth::{self, Caller};
use super::extract::{FormParams, Moment, Tenant};
use super::render::{Failure, Note};
use crate::app::{App, store_fault};
use crate::clients::parts;
use crate::protect::protect_as;
use crate::tenancy::TenantView;

/// RFC 7662 section 2.
pub(super) async fn introspect(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let caller = match client_auth::admit(&app, &view, &moment, &headers, form, Endpoint::Introspection).await
    {
        Ok(caller) => caller,
        Err(unproved) => {
            let client_id = unproved.client_id.clone();
            let fault = unproved.recorded(&app, &view, &moment).await;
            return Note::client(client_id.as_ref()).on(Failure::token(fault).into_response());
        }
    };
    let response = match answer(&app, &view, &moment, &headers, &caller).await {
        Ok((kind, body)) => {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store".to_owned())], body)
                .into_response()
        }
        Err(fault) => Failure::token(fault).into_response(),
    };
    Note::client(Some(&caller.client.client().client_id)).on(response)
}

async fn answer(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<(String, String), Fault> {
    introspection::admit(&caller.client)?;
    let hash = TokenHash::of(revocation::token_parameter(&caller.params)?);
    let form = judged(app, view, moment, headers, caller, &hash).await?;
    let (kind, body) = match form.protection {
        None => ("application/json".to_owned(), serde_json::Value::Object(form.claims).to_string()),
        Some(protection) => {
            let client = caller.client.client();
            let claims = form.claims;
            let jwt = protect_as(JWT_TYPE, app, view, moment.now, client, protection, claims).await?;
            (format!("application/{JWT_TYPE}"), jwt)
        }
    };
    // Nothing is changed by looking, so the assertion's single use is all there is to write.
    let claim: Vec<_> = caller.client.claim().into_iter().collect();
    if claim.is_empty() {
        return Ok((kind, body));
    }
    match app.store.apply(&view.tenant.id, &claim).await {
        Ok(()) => Ok((kind, body)),
        Err(StoreError::Conflict(Conflict::Replay)) => {
            Err(caller.replayed(app, view, moment, Kind::IntrospectionRefused).await)
        }
        Err(error) => Err(store_fault(error)),
    }
}

/// Loads what the token stands for, and judges. RFC 7662 section 2.1 leaves `token_type_hint` to the server, which knows
/// both kinds by the same hash.
async fn judged(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    headers: &HeaderMap,
    caller: &Caller,
    hash: &TokenHash,
) -> Result<Form, Fault> {
    let tenant = &view.tenant;
    let (access, refresh) =
        tokio::join!(app.store.access_token(&tenant.id, hash), app.store.refresh_token(&tenant.id, hash));
    let (access, refresh) = (access.map_err(store_fault)?, refresh.map_err(store_fault)?);
    let token = match (&access, &refresh) {
        (Some(token), _) => Token::Access(token),
        (None, Some(token)) => Token::Refresh(token),
        (None, None) => Token::Unknown,
    };
    let found = match token.client_id() {
        Some(id) => app.client(&tenant.id, id).await?,
        None => None,
    };
    let user = match token.user_id() {
        Some(id) => app.store.user(&tenant.id, id).await.map_err(store_fault)?,
        None => None,
    };
    let input = Input {
        tenant,
        caller: &caller.client,
        caller_keys: caller.keys(),
        token,
        client: parts(found.as_deref()).0,
        user: user.as_ref(),
    };
    let accepted: Vec<_> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accepts_jwt = introspection::accepts_jwt(&accepted.join(","));
    introspection::form(&input, accepts_jwt, introspection::answer(&input, moment.now), moment.now)
}
