//! The pages of one client: settings, security, what they mean, and what is done to the client as a whole.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use signet_core::admin::{CLIENTS_WRITE, USERS_READ};
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::records::{ClientSettings, Role};
use signet_core::setting::Group;
use uuid::Uuid;

use super::clients::path;
use super::editor::{self, Edited, Filled, Tab};
use super::fields::{self, Control, Meanwhile, Section as Part};
use super::listing::Choice;
use super::once::OncePage;
use super::problems::{self, Target};
use super::{Posted, Visit, keys};
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

const SETTINGS: Tab = Tab { name: "", title: "Settings", groups: Group::SETTINGS };
const SECURITY: Tab = Tab { name: "security", title: "Security", groups: Group::SECURITY };
/// What a client publishes of its keys; the rest of the page is [`super::keys`].
pub(super) const KEYS: Tab = Tab { name: "keys", title: "Keys", groups: &[Group::Keys] };

/// The settings of a client, on one of its pages.
pub(super) struct ClientForm {
    pub(super) id: ClientId,
    pub(super) tab: Tab,
}

impl Edited for ClientForm {
    type View = ClientView;

    async fn load(&self, visit: &Visit) -> Result<ClientView, Refused> {
        visit.desk().client(&self.id).await
    }

    fn version(view: &ClientView) -> i64 {
        view.version
    }

    fn record(view: &ClientView) -> Value {
        serde_json::to_value(&view.settings).unwrap_or_default()
    }

    fn groups(&self) -> &'static [Group] {
        self.tab.groups
    }

    async fn replace(&self, visit: &Visit, record: Value, write: &Write) -> Result<Response, Refused> {
        let settings = serde_json::from_value::<ClientSettings>(record)
            .map_err(|error| Refused::Malformed { pointer: "/settings".into(), detail: error.to_string() })?;
        // A client that needs no secret must not get one.
        let generate_secret = settings.token_endpoint_auth_method.uses_secret();
        let change = ClientChange { settings, owner: None, generate_secret };
        let written = visit.desk().replace_client(&self.id, &change, write).await?;
        Ok(saved(visit, &self.tab.address(&path(self.id.as_str())), written))
    }

    fn target(&self, visit: &Visit, pointer: &str) -> Option<Target> {
        problems::of_client(pointer, &visit.href(&path(self.id.as_str())), self.tab.groups)
    }

    async fn page(&self, visit: &Visit, view: ClientView, filled: Filled) -> Result<Response, Refused> {
        if self.tab.groups == KEYS.groups {
            return keys::edited(visit, view, filled).await;
        }
        let fault = filled.fault.clone();
        let mut page = FormPage::of(visit, &view, self.tab, filled);
        if page.whole && page.head.writable && visit.actor.confined_to().is_none() {
            page.owners = owners(visit, view.owner).await?;
        }
        Ok(visit.form(fault, &page.frame, rendered(&page)))
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
    /// The form for a client as it is stored, with what stands in it.
    fn of(visit: &Visit, view: &ClientView, tab: Tab, filled: Filled) -> Self {
        let (frame, tabs) = frame(visit, view, tab.name);
        let head = Head::of(visit, view);
        Self {
            sections: fields::sections(tab.groups, &filled.values, &filled.problems),
            action: tab.address(&head.href),
            base: fields::base(tab.groups, &ClientForm::record(view)),
            has_secret: view.has_secret,
            title: tab.title,
            whole: tab.name.is_empty(),
            owners: Vec::new(),
            meanwhile: filled.meanwhile,
            elsewhere: filled.elsewhere,
            problems: filled.problems,
            frame: frame.script(asset_name("form")),
            tabs,
            head,
        }
    }
}

async fn settings(visit: Visit, Path(id): Path<String>) -> Response {
    editor::show(&ClientForm { id: ClientId::from(id.as_str()), tab: SETTINGS }, &visit).await
}

async fn security(visit: Visit, Path(id): Path<String>) -> Response {
    editor::show(&ClientForm { id: ClientId::from(id.as_str()), tab: SECURITY }, &visit).await
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
    editor::save(&ClientForm { id: ClientId::from(id.as_str()), tab: SETTINGS }, &posted).await
}

async fn save_security(Path(id): Path<String>, posted: Posted) -> Response {
    editor::save(&ClientForm { id: ClientId::from(id.as_str()), tab: SECURITY }, &posted).await
}

fn saved(visit: &Visit, path: &str, written: ClientWritten) -> Response {
    if written.client_secret.is_some() {
        return secret_page(visit, written, "The settings need a secret, so one was made.");
    }
    if written.differences.is_empty() {
        return visit.done(path, "Nothing differed, so nothing was changed.");
    }
    visit.done(path, "Saved.")
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
    let visit = &posted.visit;
    let id = ClientId::from(id.as_str());
    let off = |word: &str| ["no", "yes"].iter().position(|known| *known == word).map(|at| at == 1);
    let disabled = match posted.needed("disabled", "Disabled", off) {
        Ok(disabled) => disabled,
        Err(problem) => return again(visit, &id, problem).await,
    };
    let written = visit.desk().switch_client(&id, disabled, &posted.write()).await;
    let notice =
        if disabled { "The client is disabled: nobody signs in to it." } else { "The client is enabled." };
    visit.answer(written.map(|_| visit.done(&path(id.as_str()), notice)))
}

/// The first page again, with what is wrong with a form beside the settings.
async fn again(visit: &Visit, id: &ClientId, problem: Problem) -> Response {
    let form = ClientForm { id: id.clone(), tab: SETTINGS };
    let shown = async {
        let view = form.load(visit).await?;
        let fault = Some(Fault::AdminRecordInvalid);
        let filled = Filled {
            problems: vec![problem],
            elsewhere: true,
            fault,
            ..Filled::with(ClientForm::record(&view))
        };
        form.page(visit, view, filled).await
    };
    visit.answer(shown.await)
}

/// Makes a client a developer's, or nobody's.
async fn owner(Path(id): Path<String>, posted: Posted) -> Response {
    let visit = &posted.visit;
    let id = ClientId::from(id.as_str());
    let owner = match posted.word("owner", "Developer", |id| id.parse::<Uuid>().ok()) {
        Ok(owner) => owner,
        Err(problem) => return again(visit, &id, problem).await,
    };
    let result = async {
        let view = visit.desk().client(&id).await?;
        let change = ClientChange { settings: view.settings, owner: Some(owner), generate_secret: false };
        visit.desk().replace_client(&id, &change, &posted.write()).await?;
        Ok(visit.done(&path(id.as_str()), "Saved whose client it is."))
    };
    visit.answer(result.await)
}

async fn secret(Path(id): Path<String>, posted: Posted) -> Response {
    let visit = &posted.visit;
    let id = ClientId::from(id.as_str());
    if posted.form.get("sure").is_none() {
        let text = "Tick the box to confirm that the present secret is to end.";
        return again(visit, &id, Problem::of_field("sure-secret", "Client secret", text)).await;
    }
    let written = visit.desk().new_secret(&id, &posted.write()).await;
    visit.answer(written.map(|written| {
        secret_page(visit, written, "The old secret has ended; the application needs the new one at once.")
    }))
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
    if form.get("confirm").map(str::trim) != Some(id.as_str()) {
        let text = "Type the client_id exactly as it stands, to confirm that the client is to be deleted.";
        return again(visit, &client_id, Problem::of_field("confirm", "Confirmation", text)).await;
    }
    let result = async {
        let gone = visit.desk().delete_client(&client_id, &posted.write()).await?;
        let notice = format!(
            "\"{}\" is deleted, with its keys, consents and tokens.",
            gone.client.settings.client_name
        );
        Ok(visit.done(Section::Clients.path(), &notice))
    };
    visit.answer(result.await)
}
