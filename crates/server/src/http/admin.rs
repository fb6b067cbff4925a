//! The administrative interface, version 1: the tenant's keys. JSON in and out; authorized by access tokens
//! ([`signet_core::admin`]).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signet_core::admin::{self, KEYS_READ, KEYS_WRITE};
use signet_core::audit;
use signet_core::change::Change;
use signet_core::context::UnixTime;
use signet_core::discovery;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::params::Params;
use signet_core::records::{KeyState, TenantKey};
use signet_core::{bearer, tenant_keys};
use signet_jose::KeyUse;

use super::extract::{Moment, Tenant, authorization};
use super::render::Failure;
use crate::app::{App, store_fault};
use crate::clients::parts;
use crate::tenancy::TenantView;
use crate::tenant_keys::{KeysError, Workshop};

/// One of the tenant's key pairs, as far as it may be shown.
#[derive(Serialize)]
struct KeyLine {
    id: String,
    usage: KeyUse,
    algs: Vec<String>,
    state: KeyState,
    listed: bool,
    use_from: UnixTime,
    use_until: UnixTime,
    remove_at: UnixTime,
}

impl KeyLine {
    fn new(key: &TenantKey, now: UnixTime) -> Self {
        Self {
            id: key.id.clone(),
            usage: key.usage,
            algs: key.algs.clone(),
            state: key.state(now),
            listed: discovery::is_listed(key, now),
            use_from: key.use_from,
            use_until: key.use_until,
            remove_at: key.remove_at,
        }
    }
}

/// Which keys to rotate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    usage: KeyUse,
}

/// `GET /admin/v1/keys`
pub(super) async fn keys(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
) -> Response {
    let listed = async {
        authorized(&app, &view, &moment, &headers, KEYS_READ).await?;
        current(&app, &view, &moment).await
    };
    answer(listed.await)
}

/// `POST /admin/v1/keys/rotate`, body `{"usage": "sig" | "enc"}`: as `signet key rotate`. Every node publishes the new keys
/// within a second.
pub(super) async fn rotate(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let rotated = async {
        authorized(&app, &view, &moment, &headers, KEYS_WRITE).await?;
        let wanted: Rotate = serde_json::from_slice(&body).map_err(|_| Fault::AdminBodyMalformed)?;
        make(&app, &view, &moment, wanted.usage).await?;
        current(&app, &view, &moment).await
    };
    answer(rotated.await)
}

fn answer(result: Result<Vec<KeyLine>, Fault>) -> Response {
    match result {
        Ok(keys) => {
            let body = serde_json::json!({ "keys": keys }).to_string();
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, body).into_response()
        }
        Err(fault) => Failure::bearer(fault).into_response(),
    }
}

async fn authorized(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    headers: &HeaderMap,
    scope: &'static str,
) -> Result<(), Fault> {
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
        .and_then(|actor| actor.need(scope));
    if let (Err(fault), Some(token)) = (&judged, &token) {
        let context = app.context(moment.now);
        let event = audit::refused(&tenant.id, "admin.refused", fault, &moment.correlation_id, &context);
        app.record(&tenant.id, &[event.client(&token.client_id).change()]).await;
    }
    judged
}

async fn current(app: &App, view: &TenantView, moment: &Moment) -> Result<Vec<KeyLine>, Fault> {
    let keys = app.store.tenant_keys(&view.tenant.id, moment.now).await.map_err(store_fault)?;
    Ok(keys.iter().map(|key| KeyLine::new(key, moment.now)).collect())
}

async fn make(app: &App, view: &TenantView, moment: &Moment, usage: KeyUse) -> Result<(), Fault> {
    let tenant = &view.tenant;
    let keys = app.store.tenant_keys(&tenant.id, moment.now).await.map_err(store_fault)?;
    let rotation = tenant_keys::rotate_now(tenant, &keys, usage, moment.now);
    let context = app.context(moment.now);
    let event = audit::success(&tenant.id, "tenant_key.rotated", &moment.correlation_id, &context)
        .fact("usage", usage.name())
        .fact("made", rotation.needs.len())
        .change();
    let further: Vec<Change> = rotation.ends.into_iter().chain([event]).collect();
    match Workshop::of(app).make(tenant, rotation.needs, further, moment.now).await {
        Ok(_) => {
            app.tenancy.forget();
            Ok(())
        }
        Err(KeysError::Store(error)) => Err(store_fault(error)),
        Err(KeysError::Generation(_)) => Err(Fault::Internal { detail: "a key could not be generated" }),
    }
}
