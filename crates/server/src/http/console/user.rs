//! One user: claims, role, links; sessions, consents, second factors.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value};
use signet_core::admin::AUDIT_READ;
use signet_core::audit::By;
use signet_core::duration;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::params::Params;
use signet_core::people::PROFILE;
use signet_core::records::{LinkPurpose, Role};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::filtered;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{ConsentView, CredentialView, Handed, Refused, SessionView, UserChange, UserView, Write};
use crate::pages::console::{Frame, Link, Problem, Section, tabs};
use crate::pages::{asset_name, rendered};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/users/{id}", get(show).post(save))
        .route("/console/users/{id}/access", get(access))
        .route("/console/users/{id}/invite", post(invite))
        .route("/console/users/{id}/reset", post(reset))
        .route("/console/users/{id}/delete", post(delete))
        .route("/console/users/{id}/end-session", post(end_session))
        .route("/console/users/{id}/end-sessions", post(end_sessions))
        .route("/console/users/{id}/revoke-consent", post(revoke_consent))
        .route("/console/users/{id}/remove-credential", post(remove_credential))
}

const TABS: &[(&str, &str)] = &[("Account", ""), ("Access", "access")];

/// Where a user's pages are, behind the tenant's prefix.
pub(super) fn path(id: Uuid) -> String {
    format!("/console/users/{id}")
}

/// The roles that this actor may give.
pub(super) fn roles(visit: &Visit) -> Vec<Role> {
    Role::ALL.iter().copied().filter(|role| visit.actor.may_manage(Some(*role))).collect()
}

/// What a form shows of a refusal; `None` for refusals that have a page of their own.
pub(super) fn refusals(refused: &Refused) -> Option<Vec<Problem>> {
    let problem = |text: String, code: &str| Problem { text, code: code.to_owned(), links: Vec::new() };
    match refused {
        Refused::Invalid(all) => Some(all.iter().map(|one| problem(one.to_string(), one.code())).collect()),
        Refused::Malformed { detail, .. } => Some(vec![problem(detail.clone(), "malformed")]),
        Refused::Exists => {
            let text = "Somebody has this user name already. Choose another one.".to_owned();
            Some(vec![Problem::of_field("username", "User name", text)])
        }
        Refused::Fault(Fault::AdminScopeMissing { .. }) => None,
        Refused::Fault(fault) if [400, 403, 409].contains(&fault.status()) => {
            Some(vec![problem(fault.public(), fault.code())])
        }
        _ => None,
    }
}

/// One claim in the form.
struct Field {
    name: &'static str,
    label: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "console/user.html")]
struct UserPage {
    frame: Frame,
    tabs: Vec<Link>,
    user: UserView,
    href: String,
    problems: Vec<Problem>,
    /// What somebody else has stored meanwhile: title and value.
    meanwhile: Vec<(String, String)>,
    fields: Vec<Field>,
    further: String,
    role: Option<Role>,
    roles: Vec<Role>,
    disabled: bool,
    version: i64,
    mail: bool,
    /// Where the events are that this person caused, and those that concern them.
    events: Option<(String, String)>,
}

impl UserPage {
    /// How long a link is good, in words.
    #[expect(clippy::unused_self, reason = "called from the template")]
    fn lifetime(&self, purpose: LinkPurpose) -> String {
        duration::exactly(signet_core::people::lifetime(purpose))
    }
}

fn frame(visit: &Visit, user: &UserView, tab: &str) -> (Frame, Vec<Link>) {
    let base = path(user.id);
    let frame = visit.frame(Section::Users).crumb(&user.username, &base);
    let tabs = tabs(&frame, &base, TABS, tab);
    (frame, tabs)
}

/// The claims that have no field of their own, as JSON.
fn further(claims: &Map<String, Value>) -> String {
    let rest: Map<String, Value> = claims
        .iter()
        .filter(|(name, value)| !(is_field(name) && value.is_string()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if rest.is_empty() { String::new() } else { serde_json::to_string_pretty(&rest).unwrap_or_default() }
}

fn is_field(name: &str) -> bool {
    PROFILE.iter().any(|(known, _)| *known == name)
}

impl UserPage {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn is_role(&self, role: &Role) -> bool {
        self.role == Some(*role)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn may_give(&self, role: &Role) -> bool {
        self.roles.contains(role)
    }

    fn of(visit: &Visit, user: UserView) -> Self {
        let text = |name: &str| user.claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let (frame, tabs) = frame(visit, &user, "");
        let may_raise_to = roles(visit);
        Self {
            frame,
            tabs,
            href: visit.href(&path(user.id)),
            problems: Vec::new(),
            meanwhile: Vec::new(),
            fields: PROFILE
                .iter()
                .map(|(name, label)| Field { name, label, value: text(name).to_owned() })
                .collect(),
            further: further(&user.claims),
            role: user.role,
            roles: may_raise_to,
            disabled: user.disabled,
            version: user.version,
            mail: visit.app.mailer.works(),
            events: visit.actor.holds(AUDIT_READ).then(|| {
                let by = By::User(user.id).to_string();
                let of = user.id.to_string();
                (visit.href(&filtered("actor", &by)), visit.href(&filtered("user", &of)))
            }),
            user,
        }
    }

    /// With what was typed in place of what is stored; what differs from it is named if the record has moved on.
    fn typed(mut self, form: &Params, problems: Vec<Problem>, stale: bool) -> Self {
        let mut meanwhile = Vec::new();
        for field in &mut self.fields {
            let typed = form.get(field.name).unwrap_or_default().to_owned();
            if typed != field.value {
                meanwhile.push((field.label.to_owned(), field.value.clone()));
            }
            field.value = typed;
        }
        let (role, disabled) = (form.get("role").and_then(Role::from_name), form.get("disabled").is_some());
        if role != self.role {
            meanwhile.push(("Role".into(), self.role.map_or("none", |role| role.name()).to_owned()));
        }
        if disabled != self.disabled {
            meanwhile.push(("May not sign in".into(), if self.disabled { "yes" } else { "no" }.to_owned()));
        }
        let further = form.get("further").unwrap_or_default().replace("\r\n", "\n");
        if further.trim() != self.further.trim() {
            meanwhile.push(("Further claims".into(), self.further.clone()));
        }
        self.further = further;
        (self.role, self.disabled, self.problems) = (role, disabled, problems);
        if stale {
            self.meanwhile = meanwhile;
        }
        self
    }
}

/// The user that the address names; what cannot be an id names nobody.
fn id_of(text: &str) -> Result<Uuid, Refused> {
    text.parse().map_err(|_| Refused::NotFound)
}

async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let result = async { visit.desk().user(id_of(&id)?).await };
    let shown = result.await.map(|user| {
        let page = UserPage::of(&visit, user);
        visit.page(&page.frame, rendered(&page))
    });
    visit.answer(shown)
}

/// The account as the form describes it.
fn described(form: &Params) -> Result<UserChange, Refused> {
    let mut claims = match form.get("further").map(str::trim).filter(|text| !text.is_empty()) {
        None => Map::new(),
        Some(text) => serde_json::from_str(text).map_err(|error| Refused::Malformed {
            pointer: "/further".into(),
            detail: format!("Further claims: not a JSON object ({error})."),
        })?,
    };
    for (name, _) in PROFILE {
        if let Some(value) = form.get(name).map(str::trim).filter(|value| !value.is_empty()) {
            claims.insert((*name).to_owned(), value.into());
        }
    }
    let role = form.get("role").and_then(Role::from_name);
    Ok(UserChange { claims, role, disabled: form.get("disabled").is_some() })
}

fn seen(form: &Params) -> Write {
    let seen = form.get("version").and_then(|version| version.parse().ok());
    Write { seen, ..Write::default() }
}

async fn save(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let result = async {
        let id = id_of(&last_id(&visit.path))?;
        let change = described(&form);
        let saved = match change {
            Ok(change) => visit.desk().replace_user(id, &change, &seen(&form)).await.map(drop),
            Err(refused) => Err(refused),
        };
        let refused = match saved {
            Ok(()) => return Ok(visit.done(&path(id), "The user is saved.")),
            Err(refused) => refused,
        };
        let stale = matches!(refused, Refused::Stale { .. });
        let problems = if stale {
            vec![Problem {
                text: "Somebody else changed this user meanwhile. Your values are in the form; what is stored now stands \
                       beside it. Save again to put yours in its place."
                    .into(),
                code: "stale".into(),
                links: Vec::new(),
            }]
        } else {
            match refusals(&refused) {
                Some(problems) => problems,
                None => return Err(refused),
            }
        };
        let page = UserPage::of(&visit, visit.desk().user(id).await?).typed(&form, problems, stale);
        let status = if stale { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
        Ok(visit.page_with(status, &page.frame, rendered(&page)))
    };
    let result: Result<Response, Refused> = result.await;
    visit.answer(result)
}

/// The id in an address below `/console/users/`.
fn last_id(path: &str) -> String {
    path.trim_start_matches("/console/users/").split('/').next().unwrap_or_default().to_owned()
}

/// A link that is shown once, to be handed over.
#[derive(Template)]
#[template(path = "console/user_link.html")]
pub(super) struct LinkPage {
    frame: Frame,
    username: String,
    invitation: bool,
    url: Zeroizing<String>,
    until: String,
    onward: String,
}

impl LinkPage {
    pub(super) fn of(visit: &Visit, user: &UserView, handed: &Handed, invitation: bool) -> Self {
        let (frame, _) = frame(visit, user, "");
        Self {
            frame: frame.script(asset_name("copy")),
            username: user.username.clone(),
            invitation,
            url: handed.url.clone().unwrap_or_default(),
            until: crate::pages::console::instant(handed.expires_at),
            onward: visit.href(&path(user.id)),
        }
    }

    pub(super) fn answer(&self, visit: &Visit) -> Response {
        visit.page(&self.frame, rendered(self))
    }
}

async fn invite(posted: Posted) -> Response {
    linked(&posted.visit, true).await
}

async fn reset(posted: Posted) -> Response {
    linked(&posted.visit, false).await
}

async fn linked(visit: &Visit, invitation: bool) -> Response {
    let result = async {
        let id = id_of(&last_id(&visit.path))?;
        let (desk, write) = (visit.desk(), Write::default());
        let handed = if invitation {
            desk.invite_user(id, &write).await?
        } else {
            desk.reset_password(id, &write).await?
        };
        if handed.mailed {
            return Ok(visit.done(&path(id), "The link is on its way by mail."));
        }
        let user = desk.user(id).await?;
        Ok(LinkPage::of(visit, &user, &handed, invitation).answer(visit))
    };
    let result: Result<Response, Refused> = result.await;
    visit.answer(result)
}

async fn delete(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let result = async {
        let id = id_of(&last_id(&visit.path))?;
        if form.get("sure").is_none() {
            return Ok(visit.done(&path(id), "Nothing was removed: say that you are sure."));
        }
        let gone = visit.desk().delete_user(id, &seen(&form)).await?;
        Ok(visit.done("/console/users", &format!("The user {} is removed.", gone.user.username)))
    };
    let result: Result<Response, Refused> = result.await;
    visit.answer(result)
}

#[derive(Template)]
#[template(path = "console/user_access.html")]
struct AccessPage {
    frame: Frame,
    tabs: Vec<Link>,
    user: UserView,
    href: String,
    sessions: Vec<SessionView>,
    consents: Vec<ConsentView>,
    credentials: Vec<CredentialView>,
}

async fn access(visit: Visit, Path(id): Path<String>) -> Response {
    let result = async {
        let (id, desk) = (id_of(&id)?, visit.desk());
        let user = desk.user(id).await?;
        let (frame, tabs) = frame(&visit, &user, "access");
        let page = AccessPage {
            frame,
            tabs,
            href: visit.href(&path(id)),
            sessions: desk.user_sessions(id).await?,
            consents: desk.user_consents(id).await?,
            credentials: desk.user_credentials(id).await?,
            user,
        };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    let result: Result<Response, Refused> = result.await;
    visit.answer(result)
}

fn accessed(visit: &Visit, done: Result<Uuid, Refused>, notice: &str) -> Response {
    visit.answer(done.map(|id| visit.done(&format!("{}/access", path(id)), notice)))
}

async fn end_session(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let done = async {
        let id = id_of(&last_id(&visit.path))?;
        let sid = form.get("sid").unwrap_or_default();
        visit.desk().end_user_session(id, sid, &Write::default()).await.map(|_| id)
    };
    let done = done.await;
    accessed(&visit, done, "The session has ended.")
}

async fn end_sessions(posted: Posted) -> Response {
    let visit = &posted.visit;
    let done = async {
        let id = id_of(&last_id(&visit.path))?;
        visit.desk().end_user_sessions(id, &Write::default()).await.map(|_| id)
    };
    let done = done.await;
    accessed(visit, done, "All sessions have ended.")
}

async fn revoke_consent(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let done = async {
        let id = id_of(&last_id(&visit.path))?;
        let client = ClientId::from(form.get("client_id").unwrap_or_default());
        visit.desk().revoke_consent(id, &client, &Write::default()).await.map(|_| id)
    };
    let done = done.await;
    accessed(&visit, done, "The consent is taken back.")
}

async fn remove_credential(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let done = async {
        let id = id_of(&last_id(&visit.path))?;
        let credential = id_of(form.get("credential").unwrap_or_default())?;
        visit.desk().remove_credential(id, credential, &Write::default()).await.map(|_| id)
    };
    let done = done.await;
    accessed(&visit, done, "It is removed.")
}
