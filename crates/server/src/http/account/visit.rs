//! Who looks at their account, and what they get: every handler starts from here.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use signet_core::audit::{self, By, Kind};
use signet_core::builtin::Builtin;
use signet_core::change::{Change, Conflict};
use signet_core::context::Context;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::interaction::{Factors, PATIENCE, is_recent, opens_account};
use signet_core::params::Params;
use signet_core::records::{Credential, Session, User};
use signet_store::StoreError;

use super::super::extract::{Moment, Tenant, query};
use super::super::own_client::OwnClient;
use super::super::render::{self, Failure};
use super::super::{cookies, forms, screens};
use crate::app::{App, store_fault};
use crate::pages::account::{Frame, Section};
use crate::people::Cause;
use crate::tenancy::TenantView;

/// What the token in forms is made for.
const PURPOSE: &str = "account";

/// The account pages as a client.
pub(super) fn client<'a>(app: &'a App, view: &'a Arc<TenantView>, moment: &'a Moment) -> OwnClient<'a> {
    OwnClient { app, view, moment, client: Builtin::Account, home: "/account" }
}

/// Somebody who looks at their account.
pub(super) struct Visit {
    pub(super) app: App,
    pub(super) view: Arc<TenantView>,
    pub(super) moment: Moment,
    pub(super) headers: HeaderMap,
    pub(super) session: Session,
    pub(super) user: User,
    pub(super) credentials: Vec<Credential>,
    /// The session's cookie.
    secret: String,
    /// What was done on the page before.
    done: Option<&'static str>,
}

/// Somebody who sent a form of ours.
pub(super) struct Posted {
    pub(super) visit: Visit,
    pub(super) form: Params,
}

/// What is told after a change, by the word in the address.
const DONE: &[(&str, &str)] = &[
    ("profile", "Your profile is saved."),
    ("password", "Your password is changed. All other sessions have ended."),
    ("session", "The session has ended."),
    ("sessions", "All other sessions have ended."),
    ("application", "The application has no access any more."),
    ("passkey", "The passkey is added."),
    ("renamed", "The name is changed."),
    ("passkey-removed", "The passkey is removed."),
    ("authenticator-removed", "The authenticator application is removed."),
    ("authenticator", "The authenticator application is set up."),
];

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Tenant(view) = Tenant::from_request_parts(parts, app).await.map_err(Failure::into_response)?;
        let moment = Moment::from_request_parts(parts, app).await.map_err(Failure::into_response)?;
        match recognise(app, &view, &moment, parts).await {
            Ok(Some(visit)) => Ok(visit),
            Ok(None) => {
                // What was posted is gone; the page that it came from is the way on.
                let to = if parts.method == Method::GET { parts.uri.path() } else { "/account" };
                let begun = client(app, &view, &moment).begin(to, &[]).await;
                Err(begun.unwrap_or_else(|fault| Failure::page(fault).into_response()))
            }
            Err(fault) => Err(Failure::page(fault).into_response()),
        }
    }
}

/// The person behind the session's cookie, if the session is enough.
async fn recognise(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    request: &Parts,
) -> Result<Option<Visit>, Fault> {
    let (tenant, headers) = (&view.tenant, &request.headers);
    let Some(secret) = cookies::read(headers, &cookies::session_name(view)) else { return Ok(None) };
    let session = app.store.session(&tenant.id, &TokenHash::of(&secret)).await.map_err(store_fault)?;
    let session = session.filter(|session| session.is_alive(&tenant.settings, moment.now));
    let Some(session) = session else { return Ok(None) };
    let (user, credentials) = tokio::join!(
        app.store.user(&tenant.id, session.user_id),
        app.store.credentials(&tenant.id, session.user_id)
    );
    let Some(user) = user.map_err(store_fault)?.filter(|user| !user.disabled) else { return Ok(None) };
    let credentials = credentials.map_err(store_fault)?;
    if !opens_account(tenant, &session, Factors::of(&credentials)) {
        return Ok(None);
    }
    if moment.now - session.last_seen >= 60 {
        let touch = Change::TouchSession { hash: session.hash, last_seen: moment.now };
        app.record(&tenant.id, &[touch]).await;
    }
    let params = Params::decode(&[query(request)])?;
    let done = params.get("done").and_then(|word| DONE.iter().find(|(known, _)| *known == word));
    Ok(Some(Visit {
        app: app.clone(),
        view: view.clone(),
        moment: moment.clone(),
        headers: headers.clone(),
        session,
        user,
        credentials,
        secret,
        done: done.map(|(_, text)| *text),
    }))
}

impl FromRequest<App> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, app).await?;
        let request = Request::from_parts(parts, body);
        match forms::posted(app, &visit.view, request, PURPOSE, &visit.secret).await {
            Ok(form) => Ok(Self { visit, form }),
            Err(fault) => {
                visit.record(Kind::AccountRefused, &fault).await;
                Err(Failure::page(fault).into_response())
            }
        }
    }
}

impl Visit {
    /// What stands around a page.
    pub(super) fn frame(&self, section: Section, fault: Option<&Fault>) -> Frame {
        Frame {
            prefix: self.view.prefix.clone(),
            account: screens::account(&self.user),
            administers: self.user.role.is_some(),
            section,
            csrf: forms::csrf(PURPOSE, &self.secret),
            done: self.done.map(str::to_owned),
            error: fault.map(Fault::public),
        }
    }

    /// The way on after a change (RFC 9110 section 15.4.4); `word` is one of those in the table.
    pub(super) fn done(&self, path: &str, word: &str) -> Response {
        Redirect::to(&format!("{}{path}?done={word}", self.view.prefix)).into_response()
    }

    /// Lets those on who have proved a moment ago who they are. Others do so first, second factor included, and come back to
    /// `to`.
    pub(super) async fn proved(&self, to: &str) -> Result<(), Response> {
        if is_recent(&self.session, self.moment.now) {
            return Ok(());
        }
        let age = PATIENCE.to_string();
        let own = client(&self.app, &self.view, &self.moment);
        let begun = own.begin(to, &[("max_age", &age)]).await;
        Err(begun.unwrap_or_else(|fault| Failure::page(fault).into_response()))
    }

    pub(super) fn context(&self) -> Context<'_> {
        self.app.context(self.moment.now)
    }

    pub(super) fn cause(&self) -> Cause<'_> {
        Cause { correlation_id: &self.moment.correlation_id, by: None, now: self.moment.now }
    }

    /// Writes what the person wants, as done by them.
    pub(super) async fn apply(&self, changes: &[Change]) -> Result<(), Fault> {
        let mut changes = changes.to_vec();
        audit::attribute(&mut changes, &By::User(self.user.id));
        self.app.store.apply(&self.view.tenant.id, &changes).await.map_err(refused_write)
    }

    /// Writes a refusal to the audit trail.
    pub(super) async fn record(&self, kind: Kind, fault: &Fault) {
        let (tenant, context) = (&self.view.tenant.id, self.context());
        let event = audit::refused(tenant, kind, fault, &self.moment.correlation_id, &context)
            .user(self.user.id)
            .by(&By::User(self.user.id))
            .fact("address", self.moment.address.to_string());
        self.app.record(tenant, &[event.change()]).await;
    }

    /// What an answer of this browser is bound to.
    pub(super) fn bound(&self) -> String {
        format!("session/{}", self.session.sid)
    }
}

/// Why something that a person does to their account was not written.
pub(super) fn refused_write(error: StoreError) -> Fault {
    match error {
        // Another tab, or somebody else, was faster.
        StoreError::Conflict(Conflict::Version | Conflict::Credential | Conflict::Missing) => {
            Fault::AccountChanged
        }
        StoreError::Conflict(Conflict::Session | Conflict::Exists) => Fault::SessionEnded,
        error => store_fault(error),
    }
}

/// A page; `fault` is what went wrong on it.
pub(super) fn shown(html: String, fault: Option<&Fault>) -> Response {
    let status = fault.map_or(StatusCode::OK, |fault| {
        StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST)
    });
    let response = render::page(status, html, None);
    match fault {
        Some(fault) => render::refused(response, fault.clone()),
        None => response,
    }
}

/// An answer, or the page for why there is none.
pub(super) fn answer(result: Result<Response, Fault>) -> Response {
    result.unwrap_or_else(|fault| Failure::page(fault).into_response())
}
