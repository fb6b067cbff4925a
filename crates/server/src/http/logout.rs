//! Signing out at this server: a question, and its answer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use signet_core::audit;
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;

use super::extract::{FormParams, Moment, Tenant};
use super::render::{self, Failure};
use super::{cookies, forms, screens};
use crate::app::{App, store_fault};
use crate::pages::{LogoutPage, SignedOutPage};
use crate::tenancy::TenantView;

const PURPOSE: &str = "logout";

/// Asks first: a link from elsewhere must not end anybody's session.
pub(super) async fn ask(State(app): State<App>, Tenant(view): Tenant, headers: HeaderMap) -> Response {
    match question(&app, &view, &headers).await {
        Ok(response) => response,
        Err(fault) => Failure::page(fault).into_response(),
    }
}

async fn question(app: &App, view: &TenantView, headers: &HeaderMap) -> Result<Response, Fault> {
    let tenant = &view.tenant.id;
    let Some(secret) = cookies::read(headers, &cookies::session_name(view)) else {
        return Ok(signed_out(view));
    };
    let session = app.store.session(tenant, &TokenHash::of(&secret)).await.map_err(store_fault)?;
    let user = match session {
        Some(session) => app.store.user(tenant, session.user_id).await.map_err(store_fault)?,
        None => None,
    };
    let Some(user) = user else { return Ok(signed_out(view)) };
    let page = LogoutPage {
        shell: render::shell(view),
        account: screens::account(&user),
        client_name: None,
        action: format!("{}/logout", view.prefix),
        csrf: forms::csrf(PURPOSE, &secret),
    };
    Ok(render::page(StatusCode::OK, page.render(), None))
}

pub(super) async fn end(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    match finish(&app, &view, &moment, &headers, form).await {
        Ok(response) => response,
        Err(fault) => Failure::page(fault).into_response(),
    }
}

async fn finish(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    headers: &HeaderMap,
    form: FormParams,
) -> Result<Response, Fault> {
    let name = cookies::session_name(view);
    let Some(secret) = cookies::read(headers, &name) else { return Ok(signed_out(view)) };
    forms::check(view, headers, &form.0?, PURPOSE, &secret)?;
    let (tenant, hash) = (&view.tenant.id, TokenHash::of(&secret));
    if let Some(session) = app.store.session(tenant, &hash).await.map_err(store_fault)? {
        let context = app.context(moment.now);
        let event = audit::success(tenant, "session.ended", &moment.correlation_id, &context)
            .user(session.user_id)
            .change();
        app.store.apply(tenant, &[Change::DeleteSession(hash), event]).await.map_err(store_fault)?;
    }
    let mut response = signed_out(view);
    if let Some(cookie) = cookies::remove(view, &name) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn signed_out(view: &TenantView) -> Response {
    render::page(StatusCode::OK, SignedOutPage { shell: render::shell(view), client: None }.render(), None)
}
