//! The pages of one client: settings, security, what they mean, and what is done to the client as a whole.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use signet_core::admin::{CLIENTS_WRITE, USERS_READ};
use signet_core::ids::ClientId;
use signet_core::params::Params;
use signet_core::records::{ClientSettings, Role};
use signet_core::setting::{Group, Setting};
use uuid::Uuid;

use super::clients::path;
use super::fields::{self, Control, Meanwhile, Section as Part};
use super::listing::Choice;
use super::once::OncePage;
use super::problems;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{ClientChange, ClientView, ClientWritten, PreviewView, Refused, UserQuery, Write};
use crate::pages::console::{Frame, Link, Problem, Section, tabs};
use crate::pages::{asset_name, rendered};

/// The parts of a client's page: what people call them, and the last part of the address.
const TABS: &[(&str, &str)] = &[
    ("Settings", ""),
    ("Security", "security"),
    ("Keys", "keys"),
    ("Preview", "preview"),
    ("Test a login", "trial"),
    ("Configuration", "configuration"),
    ("Activity", "activity"),
];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/clients/{id}", get(settings).post(save_settings))
        .route("/console/clients/{id}/security", get(security).post(save_security))
        .route("/console/clients/{id}/preview", get(preview))
        .route("/console/clients/{id}/switch", post(switch))
        .route("/console/clients/{id}/owner", post(owner))
        .route("/console/clients/{id}/secret", post(secret))
        .route("/console/clients/{id}/delete", post(delete))
}

/// What all pages of a client have at their top.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) client_id: String,
    pub(super) disabled: bool,
    pub(super) builtin: bool,
    pub(super) registered_itself: bool,
    /// Why it will fail.
    pub(super) broken: Vec<Problem>,
    /// What works but should be looked at.
    pub(super) advice: Vec<String>,
    /// Whether this person may change it.
    pub(super) writable: bool,
    /// Its first page, with the tenant's prefix.
    pub(super) href: String,
    pub(super) version: i64,
}

impl Head {
    pub(super) fn of(visit: &Visit, view: &ClientView) -> Self {
        let href = visit.href(&path(&view.client_id));
        let broken = view.contradictions.iter().map(|one| problems::remark(one, &href)).collect();
        Self {
            name: view.settings.client_name.clone(),
            client_id: view.client_id.clone(),
            disabled: view.disabled,
            builtin: view.builtin,
            registered_itself: view.registered_itself,
            broken,
            advice: view.advice.iter().map(|one| one.text.clone()).collect(),
            writable: visit.actor.holds(CLIENTS_WRITE) && !view.builtin,
            href,
            version: view.version,
        }
    }
}

/// The frame of a page of this client, and its tabs.
pub(super) fn frame(visit: &Visit, view: &ClientView, tab: &str) -> (Frame, Vec<Link>) {
    let base = path(&view.client_id);
    let frame = visit.frame(Section::Clients).crumb(&view.settings.client_name, &base);
    // Where nobody signs in there is no login to test.
    let shown = |(_, last): &&(&str, &str)| *last != "trial" || !view.settings.response_types.is_empty();
    let shown: Vec<_> = TABS.iter().filter(shown).copied().collect();
    let tabs = tabs(&frame, &base, &shown, tab);
    (frame, tabs)
}

/// Settings or security: the same page over other groups of the table.
#[derive(Clone, Copy)]
pub(super) struct Tab {
    name: &'static str,
    title: &'static str,
    groups: &'static [Group],
}

const SETTINGS: Tab = Tab { name: "", title: "Settings", groups: Group::SETTINGS };
const SECURITY: Tab = Tab { name: "security", title: "Security", groups: Group::SECURITY };

impl Tab {
    fn address(self, href: &str) -> String {
        if self.name.is_empty() { href.to_owned() } else { format!("{href}/{}", self.name) }
    }

    fn path(self, id: &ClientId) -> String {
        self.address(&path(id.as_str()))
    }
}

#[derive(Template)]
#[template(path = "console/client_form.html")]
struct FormPage {
    frame: Frame,
    tabs: Vec<Link>,
    head: Head,
    title: &'static str,
    action: String,
    sections: Vec<Part>,
    problems: Vec<Problem>,
    meanwhile: Vec<Meanwhile>,
    /// Whether the problems are those of another form of the page, so that nothing in this one waits to be saved.
    elsewhere: bool,
    /// The settings as they were when the form was made.
    base: String,
    has_secret: bool,
    whole: bool,
    /// Developers whose client it may be: id, name, and whether it is theirs. Empty for those who may not choose.
    owners: Vec<Choice>,
}

impl FormPage {
    /// The form for a client as it is stored, with these values in it.
    fn of(visit: &Visit, view: &ClientView, tab: Tab, values: &Value, problems: Vec<Problem>) -> Self {
        let (frame, tabs) = frame(visit, view, tab.name);
        let head = Head::of(visit, view);
        Self {
            sections: fields::sections(tab.groups, values, &problems),
            action: tab.address(&head.href),
            base: fields::base(tab.groups, &json(&view.settings)),
            has_secret: view.has_secret,
            title: tab.title,
            whole: tab.name.is_empty(),
            owners: Vec::new(),
            meanwhile: Vec::new(),
            elsewhere: false,
            problems,
            frame: frame.script(asset_name("form")),
            tabs,
            head,
        }
    }

    fn answer(&self, visit: &Visit, status: StatusCode) -> Response {
        visit.page_with(status, &self.frame, rendered(self))
    }
}

fn json(settings: &ClientSettings) -> Value {
    serde_json::to_value(settings).unwrap_or_default()
}

async fn settings(visit: Visit, Path(id): Path<String>) -> Response {
    show(&visit, &id, SETTINGS).await
}

async fn security(visit: Visit, Path(id): Path<String>) -> Response {
    show(&visit, &id, SECURITY).await
}

async fn show(visit: &Visit, id: &str, tab: Tab) -> Response {
    let result = async {
        let view = visit.desk().client(&ClientId::from(id)).await?;
        let values = json(&view.settings);
        let mut page = FormPage::of(visit, &view, tab, &values, Vec::new());
        if page.whole && page.head.writable && visit.actor.confined_to().is_none() {
            page.owners = owners(visit, view.owner).await?;
        }
        Ok(page.answer(visit, StatusCode::OK))
    };
    visit.answer(result.await)
}

/// Whose a client may be: the first developers, whoever has it now, or nobody.
async fn owners(visit: &Visit, current: Option<Uuid>) -> Result<Vec<Choice>, Refused> {
    let mut all = developers(visit, current).await?;
    if visit.actor.holds(USERS_READ) {
        all.insert(0, (String::new(), "Nobody: administrators look after it".into(), current.is_none()));
    }
    Ok(all)
}

/// The first developers, and whoever is chosen; nobody for those who see no users.
pub(super) async fn developers(visit: &Visit, chosen: Option<Uuid>) -> Result<Vec<Choice>, Refused> {
    if !visit.actor.holds(USERS_READ) {
        return Ok(Vec::new());
    }
    let query = UserQuery { role: Some(Role::Developer), limit: 100, ..UserQuery::default() };
    let developers = visit.desk().users(&query).await?.items;
    let mut all: Vec<Choice> = developers
        .into_iter()
        .map(|user| (user.id.to_string(), user.username, chosen == Some(user.id)))
        .collect();
    if let Some(id) = chosen.filter(|_| !all.iter().any(|one| one.2)) {
        let name = match visit.desk().user(id).await {
            Ok(user) => user.username,
            Err(Refused::NotFound) => id.to_string(),
            Err(refused) => return Err(refused),
        };
        all.push((id.to_string(), name, true));
    }
    Ok(all)
}

async fn save_settings(Path(id): Path<String>, posted: Posted) -> Response {
    let result = save(&posted, &ClientId::from(id.as_str()), SETTINGS).await;
    posted.visit.answer(result)
}

async fn save_security(Path(id): Path<String>, posted: Posted) -> Response {
    let result = save(&posted, &ClientId::from(id.as_str()), SECURITY).await;
    posted.visit.answer(result)
}

/// The version that the form was made from.
pub(super) fn seen(form: &Params) -> Option<i64> {
    form.get("version").and_then(|version| version.parse().ok())
}

async fn save(posted: &Posted, id: &ClientId, tab: Tab) -> Result<Response, Refused> {
    let Posted { visit, form } = posted;
    let view = visit.desk().client(id).await?;
    let stored = json(&view.settings);
    let seen = seen(form).ok_or(Refused::VersionMissing)?;
    if seen != view.version {
        return Ok(outrun(posted, &view, tab));
    }
    let mut sent = stored.clone();
    let mut wrong = fields::read(tab.groups, form, &mut sent);
    let settings = serde_json::from_value::<ClientSettings>(sent.clone());
    if let (Err(error), true) = (&settings, wrong.is_empty()) {
        wrong.push(Problem { text: error.to_string(), code: "malformed".into(), links: Vec::new() });
    }
    let (Ok(settings), true) = (settings, wrong.is_empty()) else {
        let page = FormPage::of(visit, &view, tab, &sent, wrong);
        return Ok(page.answer(visit, StatusCode::UNPROCESSABLE_ENTITY));
    };
    let change = ClientChange { settings, owner: None, generate_secret: true };
    match visit.desk().replace_client(id, &change, &Write { seen: Some(seen), ..Write::default() }).await {
        Ok(written) => Ok(saved(visit, id, tab, written)),
        Err(Refused::Stale { .. }) => {
            let view = visit.desk().client(id).await?;
            Ok(outrun(posted, &view, tab))
        }
        Err(refused) => {
            let href = visit.href(&path(id.as_str()));
            let elsewhere = |setting: &Setting| problems::page_of(setting, &href, tab.groups);
            let problems = problems::of(&refused, &format!("{href}/keys"), elsewhere).ok_or(refused)?;
            Ok(FormPage::of(visit, &view, tab, &sent, problems)
                .answer(visit, StatusCode::UNPROCESSABLE_ENTITY))
        }
    }
}

fn saved(visit: &Visit, id: &ClientId, tab: Tab, written: ClientWritten) -> Response {
    let path = tab.path(id);
    if written.client_secret.is_some() {
        return secret_page(visit, written, "The settings need a secret, so one was made.");
    }
    if written.differences.is_empty() {
        return visit.done(&path, "Nothing differed, so nothing was changed.");
    }
    visit.done(&path, "Saved.")
}

/// Somebody else saved meanwhile: says what they changed, and keeps what was typed. Saving again is up to the person.
fn outrun(posted: &Posted, view: &ClientView, tab: Tab) -> Response {
    let Posted { visit, form } = posted;
    let outrun = fields::outrun(tab.groups, form, &json(&view.settings));
    let mut page = FormPage::of(visit, view, tab, &outrun.values, outrun.problems);
    page.meanwhile = outrun.meanwhile;
    page.answer(visit, StatusCode::PRECONDITION_FAILED)
}

#[derive(Template)]
#[template(path = "console/client_preview.html")]
struct PreviewPage {
    frame: Frame,
    tabs: Vec<Link>,
    head: Head,
    preview: PreviewView,
}

async fn preview(visit: Visit, Path(id): Path<String>) -> Response {
    let id = ClientId::from(id.as_str());
    let result = async {
        let view = visit.desk().client(&id).await?;
        let (frame, tabs) = frame(&visit, &view, "preview");
        let preview = visit.desk().client_preview(&id).await?;
        let page = PreviewPage { head: Head::of(&visit, &view), frame, tabs, preview };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(result.await)
}

async fn switch(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let disabled = form.get("disabled") == Some("yes");
    let write = Write { seen: seen(form), ..Write::default() };
    let written = visit.desk().switch_client(&id, disabled, &write).await;
    let notice =
        if disabled { "The client is disabled: nobody signs in to it." } else { "The client is enabled." };
    visit.answer(written.map(|_| visit.done(&path(id.as_str()), notice)))
}

/// Makes a client a developer's, or nobody's.
async fn owner(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let result = async {
        let owner = form.get("owner").map(str::parse::<Uuid>).transpose().map_err(|_| Refused::NotFound)?;
        let view = visit.desk().client(&id).await?;
        let change = ClientChange { settings: view.settings, owner: Some(owner), generate_secret: false };
        let write = Write { seen: seen(form), ..Write::default() };
        visit.desk().replace_client(&id, &change, &write).await?;
        Ok(visit.done(&path(id.as_str()), "Saved whose client it is."))
    };
    visit.answer(result.await)
}

async fn secret(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let client_id = ClientId::from(id.as_str());
    let result = async {
        if form.get("sure").is_none() {
            let text = "Tick the box to confirm that the present secret is to end.";
            return unsure(visit, &client_id, Problem::of_field("sure-secret", "Client secret", text)).await;
        }
        let write = Write { seen: seen(form), ..Write::default() };
        let written = visit.desk().new_secret(&client_id, &write).await?;
        Ok(secret_page(
            visit,
            written,
            "The old secret has ended; the application needs the new one at once.",
        ))
    };
    visit.answer(result.await)
}

/// The settings again, after something was asked for without the confirmation that it needs.
async fn unsure(visit: &Visit, id: &ClientId, problem: Problem) -> Result<Response, Refused> {
    let view = visit.desk().client(id).await?;
    let values = json(&view.settings);
    let mut page = FormPage::of(visit, &view, SETTINGS, &values, vec![problem]);
    page.elsewhere = true;
    Ok(page.answer(visit, StatusCode::UNPROCESSABLE_ENTITY))
}

fn secret_page(visit: &Visit, written: ClientWritten, text: &str) -> Response {
    let home = path(&written.client.client_id);
    let page = OncePage {
        frame: visit.frame(Section::Clients).crumb(&written.client.settings.client_name, &home),
        heading: "New client secret".into(),
        text: text.to_owned(),
        client_id: written.client.client_id,
        secret: written.client_secret,
        keys: Vec::new(),
        remarks: written.client.advice.into_iter().map(|one| one.text).collect(),
        onward: ("Back to the client".into(), visit.href(&home)),
    };
    page.answer(visit)
}

async fn delete(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let client_id = ClientId::from(id.as_str());
    let result = async {
        if form.get("confirm").map(str::trim) != Some(id.as_str()) {
            let text =
                "Type the client_id exactly as it stands, to confirm that the client is to be deleted.";
            return unsure(visit, &client_id, Problem::of_field("confirm", "Confirmation", text)).await;
        }
        let write = Write { seen: seen(form), ..Write::default() };
        let gone = visit.desk().delete_client(&client_id, &write).await?;
        let notice = format!(
            "\"{}\" is deleted, with its keys, consents and tokens.",
            gone.client.settings.client_name
        );
        Ok(visit.done(Section::Clients.path(), &notice))
    };
    visit.answer(result.await)
}
