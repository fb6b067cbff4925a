//! The issuer's own address, for people who open it in a browser.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use signet_core::client_policy::Mode;
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::initiation::initiation;
use signet_core::records::Session;

use super::extract::{Moment, Tenant};
use super::render::{self, Failure};
use super::{cookies, screens};
use crate::app::{App, store_fault};
use crate::pages::{HomePage, Visitor};
use crate::tenancy::TenantView;

pub(super) async fn home(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
) -> Response {
    let visitor = match visitor(&app, &view, &moment, &headers).await {
        Ok(visitor) => visitor,
        Err(fault) => return Failure::page(fault).into_response(),
    };
    let page = HomePage {
        shell: render::shell(&view),
        issuer: view.tenant.issuer.clone(),
        discovery: format!("{}/.well-known/openid-configuration", view.prefix),
        jwks: format!("{}{}", view.prefix, Endpoint::Jwks.path()),
        demo: (app.mode == Mode::Development).then(|| "/demo".to_owned()),
        visitor,
    };
    render::page(StatusCode::OK, page.render(), None)
}

/// Who is signed in, with the applications that they use and that can be started from here.
async fn visitor(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    headers: &HeaderMap,
) -> Result<Option<Visitor>, Fault> {
    let tenant = &view.tenant;
    let Some(cookie) = cookies::read(headers, &cookies::session_name(view)) else { return Ok(None) };
    let session = app.store.session(&tenant.id, &TokenHash::of(&cookie)).await.map_err(store_fault)?;
    let Some(session) = session.filter(|session| session.is_alive(&tenant.settings, moment.now)) else {
        return Ok(None);
    };
    let user = app.store.user(&tenant.id, session.user_id).await.map_err(store_fault)?;
    let Some(user) = user.filter(|user| !user.disabled) else { return Ok(None) };
    Ok(Some(Visitor {
        account: screens::account(&user),
        account_pages: format!("{}/account", view.prefix),
        sign_out: format!("{}{}", view.prefix, Endpoint::EndSession.path()),
        applications: applications(app, view, &session).await?,
    }))
}

/// Clients that this person has allowed something, or is logged in to: name and address. Others are nobody's business.
async fn applications(
    app: &App,
    view: &TenantView,
    session: &Session,
) -> Result<Vec<(String, String)>, Fault> {
    let tenant = &view.tenant;
    let (allowed, noted) = tokio::join!(
        app.store.consents(&tenant.id, session.user_id),
        app.store.session_clients(&tenant.id, &session.sid)
    );
    let allowed = allowed.map_err(store_fault)?.into_iter().map(|consent| consent.client_id);
    let noted = noted.map_err(store_fault)?.into_iter().map(|one| one.client_id);
    let mut found = Vec::new();
    for id in allowed.chain(noted).collect::<BTreeSet<_>>() {
        if let Some(registered) = app.client(&tenant.id, &id).await?
            && let Some(address) = initiation(tenant, &registered.client)
        {
            found.push((screens::client_name(&registered.client), address));
        }
    }
    Ok(found)
}
