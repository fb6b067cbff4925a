//! The revocation endpoint (RFC 7009).

use signet_core::audit::Kind;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use signet_core::change::Conflict;
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::revocation::{self, Input};
use signet_store::StoreError;

use super::client_auth::{self, Caller};
use super::extract::{FormParams, Moment, Tenant};
use super::render::{Failure, Note};
use crate::app::{App, store_fault};
use crate::tenancy::TenantView;

/// RFC 7009 section 2.
pub(super) async fn revoke(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let caller = match client_auth::admit(&app, &view, &moment, &headers, form, Endpoint::Revocation).await {
        Ok(caller) => caller,
        Err(unproved) => {
            let client_id = unproved.client_id.clone();
            let fault = unproved.recorded(&app, &view, &moment).await;
            return Note::client(client_id.as_ref()).on(Failure::token(fault).into_response());
        }
    };
    let response = match end(&app, &view, &moment, &caller).await {
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(fault) => Failure::token(fault).into_response(),
    };
    Note::client(Some(&caller.client.client().client_id)).on(response)
}

async fn end(app: &App, view: &Arc<TenantView>, moment: &Moment, caller: &Caller) -> Result<(), Fault> {
    let tenant = &view.tenant;
    let hash = TokenHash::of(revocation::token_parameter(&caller.params)?);
    let (access, refresh) =
        tokio::join!(app.store.access_token(&tenant.id, &hash), app.store.refresh_token(&tenant.id, &hash));
    let (access, refresh) = (access.map_err(store_fault)?, refresh.map_err(store_fault)?);
    let input = Input {
        tenant,
        client: &caller.client,
        access: access.as_ref(),
        refresh: refresh.as_ref(),
        correlation_id: &moment.correlation_id,
    };
    let outcome = revocation::revoke(input, &app.context(moment.now));
    match app.store.apply(&tenant.id, &outcome.changes).await {
        Ok(()) => outcome.reply,
        Err(StoreError::Conflict(Conflict::Replay)) => {
            Err(caller.replayed(app, view, moment, Kind::RevocationRefused).await)
        }
        Err(error) => Err(store_fault(error)),
    }
}
