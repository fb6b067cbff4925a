//! One user: claims, role, links; sessions, consents, second factors.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use signet_core::admin::AUDIT_READ;
use signet_core::audit::By;
use signet_core::duration;
use signet_core::ids::ClientId;
use signet_core::params::Params;
use signet_core::people::PROFILE;
use signet_core::pointer;
use signet_core::records::{LinkPurpose, Role};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::filtered;
use super::editor::{self, Edited, Filled};
use super::fields::{self, Meanwhile};
use super::problems::Target;
use super::{Posted, Visit, posted};
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

/// The word of a form for nobody's role. A form without any word gives and takes none.
const NO_ROLE: &str = "none";
/// Where a form keeps claims that could not be read, for the person to mend.
const UNREAD: &str = "unread";

const TABS: &[(&str, &str)] = &[("Account", ""), ("Access", "access")];

/// Where a user's pages are, behind the tenant's prefix.
pub(super) fn path(id: Uuid) -> String {
    format!("/console/users/{id}")
}

/// The roles that this actor may give.
pub(super) fn roles(visit: &Visit) -> Vec<Role> {
    Role::ALL.iter().copied().filter(|role| visit.actor.may_manage(Some(*role))).collect()
}

/// The role that a form gives: its word for nobody's is "none".
pub(super) fn role(form: &Params) -> Result<Option<Role>, Problem> {
    let given = |word: &str| if word == NO_ROLE { Some(None) } else { Role::from_name(word).map(Some) };
    posted::needed(form, "role", "Role", given)
}

/// Where on the pages of users a pointer leads.
pub(super) fn target(pointer: &str) -> Option<Target> {
    let field = |id: &str, title: &str| Some((title.to_owned(), format!("#{id}")));
    match pointer::tokens(pointer).iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["username"] => field("username", "User name"),
        ["csv"] => field("csv", "Table"),
        ["claims", name] => match PROFILE.iter().find(|known| known.0 == name) {
            Some((name, label)) => field(name, label),
            None => field("further", "Further claims"),
        },
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
    meanwhile: Vec<Meanwhile>,
    /// The account as it was when the form was made.
    base: String,
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

    fn of(visit: &Visit, user: UserView, filled: Filled) -> Self {
        let (frame, tabs) = frame(visit, &user, "");
        let values = &filled.values;
        let claims = values["claims"].as_object().cloned().unwrap_or_default();
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        Self {
            frame,
            tabs,
            href: visit.href(&path(user.id)),
            base: UserForm::record(&user).to_string(),
            problems: filled.problems,
            meanwhile: filled.meanwhile,
            fields: PROFILE
                .iter()
                .map(|(name, label)| Field { name, label, value: text(name).to_owned() })
                .collect(),
            further: values[UNREAD].as_str().map_or_else(|| further(&claims), str::to_owned),
            role: values["role"].as_str().and_then(Role::from_name),
            roles: roles(visit),
            disabled: values["disabled"].as_bool().unwrap_or_default(),
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
}

/// One user's account.
struct UserForm(Uuid);

impl Edited for UserForm {
    type View = UserView;

    async fn load(&self, visit: &Visit) -> Result<UserView, Refused> {
        visit.desk().user(self.0).await
    }

    fn version(view: &UserView) -> i64 {
        view.version
    }

    fn record(view: &UserView) -> Value {
        json!({ "claims": view.claims, "role": view.role.map(Role::name), "disabled": view.disabled })
    }

    fn read(&self, form: &Params, record: &mut Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        match claims(form) {
            Ok(claims) => record["claims"] = claims.into(),
            Err(problem) => {
                record[UNREAD] = form.get("further").into();
                problems.push(problem);
            }
        }
        match role(form) {
            Ok(role) => record["role"] = role.map(Role::name).into(),
            Err(problem) => problems.push(problem),
        }
        record["disabled"] = form.get("disabled").is_some().into();
        problems
    }

    fn merge(&self, base: &Value, stored: &Value, sent: &mut Value) -> Vec<Meanwhile> {
        let mut found = Vec::new();
        for (name, title, words) in
            [("role", "Role", role_words as Words), ("disabled", "May not sign in", yes_words)]
        {
            found.extend(fields::merge_one(title, (&base[name], &stored[name]), &mut sent[name], words));
        }
        found.extend(merge_claims(&base["claims"], &stored["claims"], &mut sent["claims"]));
        found
    }

    async fn replace(&self, visit: &Visit, record: Value, write: &Write) -> Result<Response, Refused> {
        let change: UserChange = serde_json::from_value(record)
            .map_err(|error| Refused::Malformed { pointer: String::new(), detail: error.to_string() })?;
        let written = visit.desk().replace_user(self.0, &change, write).await?;
        let same = written.differences.is_empty();
        let notice = if same { "Nothing differed, so nothing was changed." } else { "The user is saved." };
        Ok(visit.done(&path(self.0), notice))
    }

    fn target(&self, _visit: &Visit, pointer: &str) -> Option<Target> {
        target(pointer)
    }

    async fn page(&self, visit: &Visit, view: UserView, filled: Filled) -> Result<Response, Refused> {
        let fault = filled.fault.clone();
        let page = UserPage::of(visit, view, filled);
        Ok(visit.form(fault, &page.frame, rendered(&page)))
    }
}

type Words = fn(&Value) -> String;

fn role_words(value: &Value) -> String {
    value.as_str().unwrap_or(NO_ROLE).to_owned()
}

fn yes_words(value: &Value) -> String {
    if *value == true { "yes" } else { "no" }.to_owned()
}

fn claim_words(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Brings together the claims of three records, each by itself.
fn merge_claims(base: &Value, stored: &Value, sent: &mut Value) -> Vec<Meanwhile> {
    let names =
        |of: &Value| of.as_object().into_iter().flat_map(|all| all.keys().cloned()).collect::<Vec<_>>();
    let all: BTreeSet<String> = [names(base), names(stored), names(sent)].concat().into_iter().collect();
    let mut found = Vec::new();
    for name in all {
        let title = PROFILE.iter().find(|known| known.0 == name).map_or(name.as_str(), |known| known.1);
        let mut mine = sent[&name].clone();
        found.extend(fields::merge_one(title, (&base[&name], &stored[&name]), &mut mine, claim_words));
        if let Some(claims) = sent.as_object_mut() {
            // No claim is null: that one is not there (OpenID Connect Core section 5.3.2).
            if mine.is_null() {
                claims.remove(&name);
            } else {
                claims.insert(name, mine);
            }
        }
    }
    found
}

/// The claims as the form has them.
fn claims(form: &Params) -> Result<Map<String, Value>, Problem> {
    let mut claims = match form.get("further").map(str::trim).filter(|text| !text.is_empty()) {
        None => Map::new(),
        Some(text) => serde_json::from_str(text).map_err(|error| {
            let text = format!("Further claims: not a JSON object ({error}).");
            Problem::of_field("further", "Further claims", text)
        })?,
    };
    for (name, _) in PROFILE {
        if let Some(value) = form.get(name).map(str::trim).filter(|value| !value.is_empty()) {
            claims.insert((*name).to_owned(), value.into());
        }
    }
    Ok(claims)
}

/// The user that the address names; what cannot be an id names nobody.
fn id_of(text: &str) -> Result<Uuid, Refused> {
    text.parse().map_err(|_| Refused::NotFound)
}

async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    match id_of(&id) {
        Ok(id) => editor::show(&UserForm(id), &visit).await,
        Err(refused) => visit.refused(&refused),
    }
}

async fn save(Path(id): Path<String>, posted: Posted) -> Response {
    match id_of(&id) {
        Ok(id) => editor::save(&UserForm(id), &posted).await,
        Err(refused) => posted.visit.refused(&refused),
    }
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

async fn invite(Path(id): Path<String>, posted: Posted) -> Response {
    linked(&id, &posted, true).await
}

async fn reset(Path(id): Path<String>, posted: Posted) -> Response {
    linked(&id, &posted, false).await
}

async fn linked(id: &str, posted: &Posted, invitation: bool) -> Response {
    let visit = &posted.visit;
    let result = async {
        let (id, desk, write) = (id_of(id)?, visit.desk(), posted.write());
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
    visit.answer(result.await)
}

async fn delete(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let result = async {
        let id = id_of(&id)?;
        if form.get("sure").is_none() {
            return Ok(visit.done(&path(id), "Nothing was removed: say that you are sure."));
        }
        let gone = visit.desk().delete_user(id, &posted.write()).await?;
        Ok(visit.done("/console/users", &format!("The user {} is removed.", gone.user.username)))
    };
    visit.answer(result.await)
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
    visit.answer(result.await)
}

fn accessed(visit: &Visit, done: Result<Uuid, Refused>, notice: &str) -> Response {
    visit.answer(done.map(|id| visit.done(&format!("{}/access", path(id)), notice)))
}

async fn end_session(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let done = async {
        let id = id_of(&id)?;
        let sid = form.get("sid").unwrap_or_default();
        visit.desk().end_user_session(id, sid, &posted.write()).await.map(|_| id)
    };
    accessed(visit, done.await, "The session has ended.")
}

async fn end_sessions(Path(id): Path<String>, posted: Posted) -> Response {
    let visit = &posted.visit;
    let done = async {
        let id = id_of(&id)?;
        visit.desk().end_user_sessions(id, &posted.write()).await.map(|_| id)
    };
    accessed(visit, done.await, "All sessions have ended.")
}

async fn revoke_consent(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let done = async {
        let id = id_of(&id)?;
        let client = ClientId::from(form.get("client_id").unwrap_or_default());
        visit.desk().revoke_consent(id, &client, &posted.write()).await.map(|_| id)
    };
    accessed(visit, done.await, "The consent is taken back.")
}

async fn remove_credential(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let done = async {
        let id = id_of(&id)?;
        let credential = id_of(form.get("credential").unwrap_or_default())?;
        visit.desk().remove_credential(id, credential, &posted.write()).await.map(|_| id)
    };
    accessed(visit, done.await, "It is removed.")
}
