//! Who is at the console, and what they get: every handler starts from here.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use signet_core::admin::{self, Actor, Who};
use signet_core::audit::{self, Kind};
use signet_core::builtin;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::params::Params;
use signet_core::records::User;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::super::extract::{Moment, Tenant, query};
use super::super::render::{self, Failure};
use super::super::{cookies, forms, screens};
use super::session;
use crate::app::{App, store_fault};
use crate::clients::parts;
use crate::desk::{Desk, Refused};
use crate::pages::Shell;
use crate::pages::console::{Frame, MessagePage, Section};
use crate::tenancy::TenantView;

/// What the token in forms is made for.
const PURPOSE: &str = "console";
/// Longest notice, in bytes.
const MAX_NOTICE: usize = 600;

/// Somebody with a role who looks at a page.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) app: App,
    pub(crate) view: Arc<TenantView>,
    pub(crate) moment: Moment,
    pub(crate) actor: Actor,
    /// The parameters of the address.
    pub(crate) params: Params,
    /// The path that was asked for, behind the tenant's prefix.
    pub(crate) path: String,
    /// The grant that the console's token hangs on.
    pub(super) grant_id: Uuid,
    person: String,
    role: &'static str,
    secret: String,
    notice: Option<String>,
}

/// Somebody with a role who sent a form of ours.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) visit: Visit,
    pub(crate) form: Params,
}

/// Why there is nobody to serve.
enum Turned {
    /// Has to sign in.
    Away,
    /// Signed in, and may not be here.
    WithoutRole(String),
    /// Something else is wrong.
    Refused(Fault),
}

impl From<Fault> for Turned {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Tenant(view) = Tenant::from_request_parts(parts, app).await.map_err(Failure::into_response)?;
        let moment = Moment::from_request_parts(parts, app).await.map_err(Failure::into_response)?;
        let State(app) =
            State::<App>::from_request_parts(parts, app).await.map_err(|never| match never {})?;
        let path = parts.uri.path().to_owned();
        match recognise(&app, &view, &moment, parts).await {
            Ok(visit) => Ok(visit),
            Err(Turned::Away) => {
                let to = parts.uri.path_and_query().map_or(path.as_str(), |all| all.as_str());
                // What was posted is gone; the page that it came from is not.
                let to = if parts.method == axum::http::Method::GET { to } else { &path };
                let begun = session::client(&app, &view, &moment).begin(to, &[]).await;
                Err(begun.unwrap_or_else(|fault| Failure::page(fault).into_response()))
            }
            Err(Turned::WithoutRole(account)) => Err(without_role(&view, &moment, Some(&account))),
            Err(Turned::Refused(fault)) => {
                let html = screens::console_error(&view, &fault, &moment.correlation_id);
                let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST);
                Err(render::refused(render::page(status, html, None), fault))
            }
        }
    }
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
                visit.record_refusal(&fault).await;
                Err(visit.refused(&Refused::Fault(fault)))
            }
        }
    }
}

/// The person behind the console's cookie, judged at this moment.
async fn recognise(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    request: &Parts,
) -> Result<Visit, Turned> {
    let tenant = &view.tenant;
    let headers = &request.headers;
    let secret = cookies::read(headers, &cookies::console_name(view)).ok_or(Turned::Away)?;
    let token = app.store.access_token(&tenant.id, &TokenHash::of(&secret)).await.map_err(store_fault)?;
    // Whatever other client's token somebody puts into the cookie opens nothing here.
    let token = token.filter(|token| token.client_id.as_str() == builtin::CONSOLE).ok_or(Turned::Away)?;
    let found = app.client(&tenant.id, &token.client_id).await?;
    let user = match token.user_id {
        Some(id) => app.store.user(&tenant.id, id).await.map_err(store_fault)?,
        None => None,
    };
    let judged = admin::authorize(tenant, Some(&token), parts(found.as_deref()).0, user.as_ref(), moment.now);
    let account = user.as_ref().map(screens::account).unwrap_or_default();
    let actor = match judged {
        Ok(actor) => actor,
        Err(fault @ Fault::AdminRoleMissing) => {
            let context = app.context(moment.now);
            let event =
                audit::refused(&tenant.id, Kind::ConsoleRefused, &fault, &moment.correlation_id, &context);
            let event = user.as_ref().map(|user| user.id).into_iter().fold(event, audit::Draft::user);
            app.record(&tenant.id, &[event.change()]).await;
            return Err(Turned::WithoutRole(account));
        }
        Err(fault) if fault.status() == 401 => return Err(Turned::Away),
        Err(fault) => return Err(Turned::Refused(fault)),
    };
    let role = match actor.who() {
        Who::Person { role, .. } => role.name(),
        Who::Client(_) => return Err(Turned::Away),
    };
    let params = Params::decode(&[query(request)])?;
    let notice = read_notice(view, headers, &secret);
    Ok(Visit {
        app: app.clone(),
        view: view.clone(),
        moment: moment.clone(),
        actor,
        params,
        path: request.uri.path().to_owned(),
        grant_id: token.grant_id,
        person: user.as_ref().map(called).unwrap_or_default(),
        role,
        secret,
        notice,
    })
}

/// How somebody is called in the top bar.
fn called(user: &User) -> String {
    let name = user.claims.get("name").and_then(serde_json::Value::as_str);
    name.unwrap_or(&user.username).to_owned()
}

impl Visit {
    /// The desk, for this person.
    pub(crate) fn desk(&self) -> Desk<'_> {
        Desk {
            app: &self.app,
            view: &self.view,
            actor: &self.actor,
            now: self.moment.now,
            correlation_id: &self.moment.correlation_id,
        }
    }

    /// An address of this tenant; `path` is what stands behind its prefix.
    pub(crate) fn href(&self, path: &str) -> String {
        format!("{}{path}", self.view.prefix)
    }

    /// What stands around a page of `section`.
    pub(crate) fn frame(&self, section: Section) -> Frame {
        let mut frame = Frame::new(self.shell(), &self.actor, section);
        frame.person.clone_from(&self.person);
        frame.role = self.role;
        frame.csrf = forms::csrf(PURPOSE, &self.secret);
        frame.notice.clone_from(&self.notice);
        frame
    }

    fn shell(&self) -> Shell {
        render::shell(&self.view)
    }

    /// A page. `frame` is the one that it was rendered with: whether it has a script decides what the browser is told.
    pub(crate) fn page(&self, frame: &Frame, html: String) -> Response {
        self.page_with(StatusCode::OK, frame, html)
    }

    /// A page with a status of its own.
    pub(crate) fn page_with(&self, status: StatusCode, frame: &Frame, html: String) -> Response {
        let mut response = render::page(status, html, None);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy(frame.script.is_some()));
        if self.notice.is_some()
            && frame.notice.is_some()
            && let Some(cookie) = cookies::remove(&self.view, &cookies::notice_name(&self.view))
        {
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// The way on after a write (RFC 9110 section 15.4.4): the browser gets the page at `path`, which says `notice` once.
    pub(crate) fn done(&self, path: &str, notice: &str) -> Response {
        let mut response = Redirect::to(&self.href(path)).into_response();
        let text: String = notice.chars().take(MAX_NOTICE / 4).collect();
        let mac = forms::csrf(&format!("notice:{text}"), &self.secret);
        let value = format!("{}.{mac}", URL_SAFE_NO_PAD.encode(&text));
        let name = cookies::notice_name(&self.view);
        if let Some(cookie) = cookies::set(&self.view, &name, &value, Some(60)) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// The page for something that was not done.
    pub(crate) fn refused(&self, refused: &Refused) -> Response {
        let told = Told::of(refused);
        let frame = self.frame(self.section());
        let page = MessagePage {
            heading: told.heading.to_owned(),
            texts: told.texts,
            code: told.code,
            correlation_id: self.moment.correlation_id.clone(),
            onward: Some(("Go on".to_owned(), self.href(self.section().path()))),
            frame,
        };
        let response = self.page_with(told.status, &page.frame, page.render());
        match refused {
            Refused::Fault(fault) => render::refused(response, fault.clone()),
            _ => response,
        }
    }

    /// An answer, or the page for why there is none.
    pub(crate) fn answer(&self, result: Result<Response, Refused>) -> Response {
        result.unwrap_or_else(|refused| self.refused(&refused))
    }

    /// The part of the console that the address lies in.
    fn section(&self) -> Section {
        const ALL: [Section; 6] = [
            Section::Tenants,
            Section::Clients,
            Section::Users,
            Section::Explain,
            Section::Audit,
            Section::Tenant,
        ];
        ALL.into_iter().find(|one| self.path.starts_with(one.path())).unwrap_or(Section::Overview)
    }

    async fn record_refusal(&self, fault: &Fault) {
        let tenant = &self.view.tenant.id;
        let context = self.app.context(self.moment.now);
        let event =
            audit::refused(tenant, Kind::ConsoleRefused, fault, &self.moment.correlation_id, &context);
        let event = match self.actor.who() {
            Who::Person { id, .. } => event.user(*id),
            Who::Client(_) => event,
        };
        self.app.record(tenant, &[event.by(&self.actor.by()).change()]).await;
    }
}

/// What a page says of a refusal.
struct Told {
    status: StatusCode,
    heading: &'static str,
    texts: Vec<String>,
    code: String,
}

impl Told {
    fn of(refused: &Refused) -> Self {
        let told = |status, heading, texts: Vec<String>, code: &str| Self {
            status,
            heading,
            texts,
            code: code.to_owned(),
        };
        match refused {
            Refused::Fault(fault) => {
                let status =
                    StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let heading = match fault {
                    Fault::NotFound => "There is nothing here",
                    Fault::AdminScopeMissing { .. } => "Your role does not allow this",
                    _ => "This was not done",
                };
                told(status, heading, vec![fault.public()], fault.code())
            }
            Refused::Invalid(refusals) => {
                let texts = refusals.iter().map(ToString::to_string).collect();
                let code = refusals.first().map_or("invalid", |refusal| refusal.code());
                told(StatusCode::UNPROCESSABLE_ENTITY, "This cannot work", texts, code)
            }
            Refused::NotFound => {
                let text = "There is none of this name, or it is not yours to see.".to_owned();
                told(StatusCode::NOT_FOUND, "There is nothing here", vec![text], "not_found")
            }
            Refused::Stale { .. } => {
                let text =
                    "Somebody else changed this meanwhile. Nothing was saved; look at it anew.".to_owned();
                told(StatusCode::PRECONDITION_FAILED, "Somebody was faster", vec![text], "stale")
            }
            Refused::Exists => {
                let text = "There is one of this name already. Choose another name.".to_owned();
                told(StatusCode::CONFLICT, "The name is taken", vec![text], "exists")
            }
            _ => {
                let text =
                    "The form lacked something that our page gives it. Go back and reload it.".to_owned();
                told(StatusCode::BAD_REQUEST, "This was not done", vec![text], "form_incomplete")
            }
        }
    }
}

/// The page for people who have an account and no role. It says who can help, and lets them sign in as somebody else.
pub(super) fn without_role(view: &TenantView, moment: &Moment, account: Option<&str>) -> Response {
    let fault = Fault::AdminRoleMissing;
    let html = screens::without_role(view, account, &moment.correlation_id);
    let mut response = render::refused(render::page(StatusCode::FORBIDDEN, html, None), fault);
    if let Some(cookie) = cookies::remove(view, &cookies::console_name(view)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Everything from this server alone. Only pages that need a script may load one, from a file, and talk to this server.
fn policy(script: bool) -> HeaderValue {
    const BASE: &str = "default-src 'none'; style-src 'self'; img-src 'self' https: data:; form-action 'self'; \
                        frame-ancestors 'none'; base-uri 'none'";
    const SCRIPTED: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
                            img-src 'self' https: data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    HeaderValue::from_static(if script { SCRIPTED } else { BASE })
}

/// A notice, if this console wrote it for this browser.
fn read_notice(view: &TenantView, headers: &HeaderMap, secret: &str) -> Option<String> {
    let value = cookies::read(headers, &cookies::notice_name(view))?;
    let (encoded, mac) = value.split_once('.').filter(|(text, _)| text.len() <= 2 * MAX_NOTICE)?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?;
    let good = forms::csrf(&format!("notice:{text}"), secret);
    bool::from(good.as_bytes().ct_eq(mac.as_bytes())).then_some(text)
}
