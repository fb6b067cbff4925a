//! Who administers: from the access token that a request brings to an [`Actor`].

use axum::http::HeaderMap;
use signet_core::admin::{self, Actor};
use signet_core::audit::{self, By, Kind};
use signet_core::bearer;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::params::Params;

use super::extract::{Moment, authorization};
use crate::app::{App, store_fault};
use crate::clients::parts;
use crate::tenancy::TenantView;

/// Judges the bearer token of an administrative request, and what it needs. Refusals of a token that exists are audited.
pub(super) async fn authorized(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    headers: &HeaderMap,
    scope: &'static str,
) -> Result<Actor, Fault> {
    let tenant = &view.tenant;
    let header = authorization(headers).map_err(|_| Fault::TokenMalformed)?;
    let presented = bearer::presented(header, &Params::default())?;
    let token = app.store.access_token(&tenant.id, &TokenHash::of(&presented)).await.map_err(store_fault)?;
    let found = match &token {
        Some(token) => app.client(&tenant.id, &token.client_id).await?,
        None => None,
    };
    let user = match token.as_ref().and_then(|token| token.user_id) {
        Some(id) => app.store.user(&tenant.id, id).await.map_err(store_fault)?,
        None => None,
    };
    let client = parts(found.as_deref()).0;
    let judged = admin::authorize(tenant, token.as_ref(), client, user.as_ref(), moment.now)
        .and_then(|actor| actor.need(scope).map(|()| actor));
    if let (Err(fault), Some(token)) = (&judged, &token) {
        let context = app.context(moment.now);
        let event = audit::refused(&tenant.id, Kind::AdminRefused, fault, &moment.correlation_id, &context);
        let by = token.user_id.map_or_else(|| By::Client(token.client_id.clone()), By::User);
        app.record(&tenant.id, &[event.client(&token.client_id).by(&by).change()]).await;
    }
    judged
}
