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
use signet_core::records::{Session, User};

use super::extract::{Moment, Tenant};
use super::render::{self, Failure};
use super::{cookies, dev_mail, screens};
use crate::app::{App, store_fault};
use crate::pages::{Door, HomePage, Visitor};
use crate::tenancy::TenantView;

pub(super) async fn home(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
) -> Response {
    let (visitor, user) = match visitor(&app, &view, &moment, &headers).await {
        Ok(found) => found.unzip(),
        Err(fault) => return Failure::page(fault).into_response(),
    };
    let page = HomePage {
        shell: render::shell(&view),
        issuer: view.tenant.issuer.clone(),
        discovery: format!("{}/.well-known/openid-configuration", view.prefix),
        jwks: format!("{}{}", view.prefix, Endpoint::Jwks.path()),
        doors: doors(&app, &view, user.as_ref()),
        demo: (app.mode == Mode::Development).then(|| "/demo".to_owned()),
        visitor,
    };
    render::page(StatusCode::OK, page.render(), None)
}

/// The account for everybody, the console for those who have a role in it. In development everybody is shown everything.
fn doors(app: &App, view: &TenantView, user: Option<&User>) -> Vec<Door> {
    let door = |name, path: &str, text| Door { name, address: format!("{}{path}", view.prefix), text };
    let account = door("Account", "/account", "Password, passkeys, sessions, applications.");
    let console =
        door("Console", "/console", "Register applications, look at their keys, logins and people.");
    let administers = app.mode == Mode::Development || user.is_some_and(|user| user.role.is_some());
    let text = "What would have been sent: invitations, links for a new password.";
    let mails = dev_mail::address(app, view).map(|address| Door { name: "Mails", address, text });
    [Some(account), administers.then_some(console), mails].into_iter().flatten().collect()
}

/// Who is signed in, with the applications that they use and that can be started from here.
async fn visitor(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    headers: &HeaderMap,
) -> Result<Option<(Visitor, User)>, Fault> {
    let tenant = &view.tenant;
    let Some(cookie) = cookies::read(headers, &cookies::session_name(view)) else { return Ok(None) };
    let session = app.store.session(&tenant.id, &TokenHash::of(&cookie)).await.map_err(store_fault)?;
    let Some(session) = session.filter(|session| session.is_alive(&tenant.settings, moment.now)) else {
        return Ok(None);
    };
    let user = app.store.user(&tenant.id, session.user_id).await.map_err(store_fault)?;
    let Some(user) = user.filter(|user| !user.disabled) else { return Ok(None) };
    let visitor = Visitor {
        account: screens::account(&user),
        sign_out: format!("{}{}", view.prefix, Endpoint::EndSession.path()),
        applications: applications(app, view, &session).await?,
    };
    Ok(Some((visitor, user)))
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
