//! The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0): the request, the question, its answer, and the page
//! at the end, which is where frames tell clients (Front-Channel Logout 1.0).
//!
//! `/logout` takes requests by GET and POST; `/logout/confirm` takes the person's answer; `/logout/done` is where it ends.

mod carry;
mod done;
mod load;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use signet_core::audit::{self, Kind};
use signet_core::fault::Fault;
use signet_core::logout::{self, LogoutRequest, PostLogout, Step};
use signet_core::params::Params;
use signet_core::records::Session;

use super::extract::{FormParams, Moment, QueryParams, Tenant};
use super::render::{self, Note};
use super::{cookies, forms, screens};
use crate::app::App;
use crate::logout_delivery;
use crate::pages::LogoutPage;
use crate::tenancy::TenantView;
use carry::Farewell;
use load::Loaded;

pub(super) use done::done;

const PURPOSE: &str = "logout";

/// One request.
struct Visit<'a> {
    app: &'a App,
    view: &'a Arc<TenantView>,
    moment: &'a Moment,
    headers: &'a HeaderMap,
}

/// A request by GET.
pub(super) async fn ask(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    query: QueryParams,
) -> Response {
    let visit = Visit { app: &app, view: &view, moment: &moment, headers: &headers };
    let result = match query.0 {
        Ok(params) => visit.asked(&params).await,
        Err(fault) => Err(fault),
    };
    visit.answer(result).await
}

/// A request by POST. RP-Initiated Logout section 2: "OpenID Providers MUST support the use of the HTTP GET and POST methods".
/// A form that another site posts comes without our cookies (`SameSite=Lax`), so the browser is sent to the same address by
/// GET, with which it sends them. The request goes along sealed: whoever chose POST keeps ID tokens out of addresses.
pub(super) async fn post(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let visit = Visit { app: &app, view: &view, moment: &moment, headers: &headers };
    let result = form.0.and_then(|params| {
        let sealed = carry::seal(&visit, &LogoutRequest::read(&params))?;
        Ok(Redirect::to(&format!("{}/logout?{}={sealed}", view.prefix, carry::REQUEST)).into_response())
    });
    visit.answer(result).await
}

/// The person's answer.
pub(super) async fn confirm(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let visit = Visit { app: &app, view: &view, moment: &moment, headers: &headers };
    let result = match form.0 {
        Ok(params) => visit.confirmed(&params).await,
        Err(fault) => Err(fault),
    };
    visit.answer(result).await
}

impl Visit<'_> {
    async fn asked(&self, params: &Params) -> Result<Response, Fault> {
        let request = match params.get(carry::REQUEST) {
            Some(sealed) => carry::open(self, sealed).unwrap_or_default(),
            None => LogoutRequest::read(params),
        };
        let loaded = Loaded::of(self, request).await?;
        let response = match logout::decide(&loaded.input(self.view), self.moment.now)? {
            Step::Ask(to) => self.question(&loaded, to.as_ref()),
            Step::Offer(to) => {
                done::page(self, done::Page { to: named(&loaded, to), ..done::Page::default() })
            }
            Step::Over(to) => self.leave(&loaded, to, Farewell::default())?,
            Step::End(to) => self.end(&loaded, to, "id_token_hint").await?,
        };
        Ok(Note::client(loaded.client().map(|client| &client.client_id)).on(response))
    }

    async fn confirmed(&self, form: &Params) -> Result<Response, Fault> {
        // Who has no session has nothing to end, and could not prove that the form is ours.
        let Some(secret) = cookies::read(self.headers, &cookies::session_name(self.view)) else {
            return Ok(self.go(&format!("{}/logout/done", self.view.prefix)));
        };
        forms::check(self.view, self.headers, form, PURPOSE, &secret)?;
        let request = LogoutRequest { id_token_hint: None, ..LogoutRequest::read(form) };
        let loaded = Loaded::of(self, request).await?;
        let response = match logout::confirmed(&loaded.input(self.view))? {
            Step::End(to) => self.end(&loaded, to, "person").await?,
            Step::Ask(to) | Step::Over(to) | Step::Offer(to) => {
                self.leave(&loaded, to, Farewell::default())?
            }
        };
        Ok(Note::client(loaded.client().map(|client| &client.client_id)).on(response))
    }

    fn question(&self, loaded: &Loaded, to: Option<&PostLogout>) -> Response {
        let secret = cookies::read(self.headers, &cookies::session_name(self.view)).unwrap_or_default();
        let page = LogoutPage {
            shell: render::shell(self.view),
            account: loaded.user.as_ref().map(screens::account).unwrap_or_default(),
            client_name: loaded.client().map(screens::client_name),
            action: format!("{}/logout/confirm", self.view.prefix),
            csrf: forms::csrf(PURPOSE, &secret),
            client_id: loaded.client().map(|client| client.client_id.to_string()),
            post_logout_redirect_uri: to.map(|to| to.uri().to_owned()),
            state: to.and_then(|to| to.state().map(str::to_owned)),
        };
        render::page(StatusCode::OK, page.render(), to.map(PostLogout::uri))
    }

    async fn end(&self, loaded: &Loaded, to: Option<PostLogout>, cause: &str) -> Result<Response, Fault> {
        let Some(session) = &loaded.session else { return self.leave(loaded, to, Farewell::default()) };
        let frames = self.end_session(session, cause).await?;
        self.leave(loaded, to, Farewell { sid: session.sid.clone(), frames, ..Farewell::default() })
    }

    async fn end_session(
        &self,
        session: &Session,
        cause: &str,
    ) -> Result<Vec<signet_core::ids::ClientId>, Fault> {
        let Moment { now, correlation_id, .. } = self.moment;
        let ended =
            logout_delivery::prepare(self.app, self.view, session, correlation_id, cause, *now).await?;
        if !logout_delivery::apply(self.app, self.view, &ended.changes).await? {
            // Another request has just ended it, and tells the clients.
            return Ok(ended.frames);
        }
        logout_delivery::send(self.app, self.view, ended.deliveries).await;
        Ok(ended.frames)
    }

    /// Straight on to the client, or by the page at the end if there is something to show on it.
    fn leave(&self, loaded: &Loaded, to: Option<PostLogout>, farewell: Farewell) -> Result<Response, Fault> {
        let location = match to {
            Some(to) if farewell.frames.is_empty() => to.location(),
            to => {
                let client_id = loaded.client().map(|client| client.client_id.clone());
                let farewell = Farewell {
                    client_id,
                    uri: to.as_ref().map(|to| to.uri().to_owned()),
                    state: to.as_ref().and_then(|to| to.state().map(str::to_owned)),
                    ..farewell
                };
                let sealed = carry::seal(self, &farewell)?;
                format!("{}/logout/done?{}={sealed}", self.view.prefix, carry::FAREWELL)
            }
        };
        Ok(self.go(&location))
    }

    /// A redirect that takes the cookies of the session along.
    fn go(&self, location: &str) -> Response {
        let mut response = Redirect::to(location).into_response();
        let names = [cookies::session_name(self.view), cookies::browser_state_name(self.view)];
        for name in names {
            if cookies::is_sent(self.headers, &name)
                && let Some(cookie) = cookies::remove(self.view, &name)
            {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
        }
        response
    }

    /// A refusal names what is wrong, leads nowhere else, and still lets the person sign out.
    async fn answer(&self, result: Result<Response, Fault>) -> Response {
        let fault = match result {
            Ok(response) => return response,
            Err(fault) => fault,
        };
        let (tenant, context) = (&self.view.tenant.id, self.app.context(self.moment.now));
        let event =
            audit::refused(tenant, Kind::LogoutRefused, &fault, &self.moment.correlation_id, &context);
        self.app.record(tenant, &[event.change()]).await;
        let html = screens::logout_error(self.view, &fault, &self.moment.correlation_id);
        let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST);
        render::refused(render::page(status, html, None), fault)
    }
}

/// Where to go on, with the name of the client that it belongs to.
fn named(loaded: &Loaded, to: Option<PostLogout>) -> Option<(String, PostLogout)> {
    Some((screens::client_name(loaded.client()?), to?))
}
