//! The list of clients, and how a new one is made.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};
use signet_core::admin::CLIENTS_WRITE;
use signet_core::params::Params;
use signet_core::provision::KeyDeclaration;
use signet_core::records::ClientSettings;
use signet_core::templates::Template as Kind;
use signet_jose::KeyUse;
use uuid::Uuid;

use super::listing::{self, Choice};
use super::once::{OncePage, Private};
use super::problems;
use super::{Posted, Visit, client};
use crate::app::App;
use crate::desk::{ClientLine, ClientQuery, NewClient, Refused, TemplateView, Write};
use crate::pages::console::{Frame, Problem, Section};
use crate::pages::{asset_name, rendered};

/// Rows of a page.
const ROWS: u32 = 25;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/clients", get(list)).route("/console/new-client", get(new).post(create))
}

/// Where a client's pages are, behind the tenant's prefix.
pub(super) fn path(client_id: &str) -> String {
    let segment: String = url::form_urlencoded::byte_serialize(client_id.as_bytes()).collect();
    format!("/console/clients/{segment}")
}

struct Row {
    line: ClientLine,
    href: String,
}

#[derive(Template)]
#[template(path = "console/clients.html")]
struct ListPage {
    frame: Frame,
    search: String,
    states: Vec<Choice>,
    /// Empty for whoever sees their own clients only, or no users.
    owners: Vec<Choice>,
    /// Whether all clients are listed.
    all: bool,
    rows: Vec<Row>,
    next: Option<String>,
    first: Option<String>,
    new: Option<String>,
}

async fn list(visit: Visit) -> Response {
    let listed = async {
        let search = visit.params.get("search").map(str::trim).unwrap_or_default().to_owned();
        let query = ClientQuery {
            search: Some(search.clone()).filter(|search| !search.is_empty()),
            owner: visit.params.get("owner").and_then(|id| id.parse().ok()),
            disabled: listing::disabled(&visit.params),
            after: visit.params.owned("after"),
            limit: ROWS,
        };
        let paged = visit.desk().clients(&query).await?;
        let address =
            |after| listing::address(&visit, "/console/clients", &["search", "state", "owner"], after);
        let page = ListPage {
            frame: visit.frame(Section::Clients),
            next: paged.next.as_deref().map(|after| address(Some(after))),
            first: query.after.as_ref().map(|_| address(None)),
            rows: paged
                .items
                .into_iter()
                .map(|line| Row { href: visit.href(&path(&line.client_id)), line })
                .collect(),
            new: visit.actor.holds(CLIENTS_WRITE).then(|| visit.href("/console/new-client")),
            states: listing::states(query.disabled),
            owners: owners(&visit, query.owner).await?,
            all: query.search.is_none() && query.owner.is_none() && query.disabled.is_none(),
            search,
        };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(listed.await)
}

/// Whose clients can be asked for.
async fn owners(visit: &Visit, asked: Option<Uuid>) -> Result<Vec<Choice>, Refused> {
    if visit.actor.confined_to().is_some() {
        return Ok(Vec::new());
    }
    let mut owners = client::developers(visit, asked).await?;
    if !owners.is_empty() {
        owners.insert(0, (String::new(), "Any".into(), asked.is_none()));
    }
    Ok(owners)
}

#[derive(Template)]
#[template(path = "console/client_new.html")]
struct NewPage {
    frame: Frame,
    action: String,
    problems: Vec<Problem>,
    templates: Vec<TemplateView>,
    chosen: String,
    name: String,
    client_id: String,
    redirect_uris: String,
    signing_key: String,
    encryption_key: String,
    /// Makes the same form sent twice one client.
    once: String,
    /// Whether the name was found missing.
    nameless: bool,
}

impl NewPage {
    fn of(visit: &Visit, form: &Params, problems: Vec<Problem>) -> Result<Self, Refused> {
        visit.actor.need(CLIENTS_WRITE)?;
        let nameless = !problems.is_empty() && name_of(form).is_none();
        let kept = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let once = form.owned("once").unwrap_or_else(|| visit.app.context(visit.moment.now).handle());
        Ok(Self {
            frame: visit
                .frame(Section::Clients)
                .crumb("New client", "/console/new-client")
                .script(asset_name("keys")),
            action: visit.href("/console/new-client"),
            problems,
            templates: visit.desk().templates()?,
            chosen: form.owned("template").unwrap_or_else(|| Kind::Web.name().to_owned()),
            name: kept("name"),
            client_id: kept("client_id"),
            redirect_uris: kept("redirect_uris"),
            signing_key: kept("signing_key"),
            encryption_key: kept("encryption_key"),
            once,
            nameless,
        })
    }
}

async fn new(visit: Visit) -> Response {
    let page = NewPage::of(&visit, &visit.params, Vec::new());
    visit.answer(page.map(|page| visit.page(&page.frame, rendered(&page))))
}

fn name_of(form: &Params) -> Option<&str> {
    form.get("name").map(str::trim).filter(|name| !name.is_empty())
}

/// A client as the form describes it. What belongs to another kind is not shown, and not read.
fn described(form: &Params) -> NewClient {
    let mut settings = Map::new();
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let template = form.get("template").and_then(Kind::from_name).unwrap_or(Kind::Web);
    if let Some(name) = name_of(form) {
        settings.insert("client_name".into(), json!(name));
    }
    if let Some(uris) = form.get("redirect_uris").filter(|_| template.signs_people_in()) {
        settings.insert("redirect_uris".into(), json!(lines(uris)));
    }
    let key = |field: &str, name: &str, usage| {
        template.needs_keys().contains(&usage).then_some(())?;
        let source = form.get(field)?.trim();
        (!source.is_empty()).then(|| KeyDeclaration {
            name: name.into(),
            usage,
            source: Value::String(source.to_owned()),
            not_before: None,
            not_after: None,
            origin: None,
        })
    };
    NewClient {
        client_id: form.get("client_id").map(|id| id.trim().to_owned()),
        template: Some(template),
        owner: None,
        disabled: false,
        settings,
        keys: [key("signing_key", "signing", KeyUse::Sig), key("encryption_key", "encryption", KeyUse::Enc)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

async fn create(posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let new = described(form);
    if name_of(form).is_none() {
        let text = "The client has no name. Say what people shall read when they sign in.";
        return wrong(visit, form, vec![Problem::of_field("name", "Name", text)]);
    }
    let write = Write { idempotency_key: form.owned("once"), ..Write::default() };
    let written = match visit.desk().create_client(&new, &write).await {
        Ok(written) => written,
        Err(refused) => return again(visit, form, &refused),
    };
    let client = written.client;
    let home = path(&client.client_id);
    let configuration = format!("{home}/configuration");
    if written.replayed || (written.client_secret.is_none() && written.private_keys.is_empty()) {
        let next = "The client is registered. Next, give the application what stands here, and test a login.";
        return visit.done(&configuration, next);
    }
    let page = OncePage {
        frame: visit.frame(Section::Clients).crumb(&client.settings.client_name, &home),
        heading: "The client is registered".into(),
        text: made(&client.settings),
        client_id: client.client_id.clone(),
        secret: written.client_secret,
        keys: written.private_keys.iter().map(Private::from).collect(),
        remarks: client.advice.into_iter().map(|remark| remark.text).collect(),
        onward: ("Go to its configuration".into(), visit.href(&configuration)),
    };
    page.answer(visit)
}

/// What a client that was made just now can do.
fn made(settings: &ClientSettings) -> String {
    let what = if settings.response_types.is_empty() { "get tokens of its own" } else { "sign people in" };
    format!("\"{}\" can {what} from now on.", settings.client_name)
}

/// The form again, with what was typed and why it was refused.
fn again(visit: &Visit, form: &Params, refused: &Refused) -> Response {
    let problems = match refused {
        Refused::Exists => vec![Problem::of_field(
            "client_id",
            "client_id",
            "There is a client of this client_id already. Choose another one, or leave it empty.",
        )],
        other => match problems::of(other, "", |_| None) {
            Some(problems) => problems,
            None => return visit.refused(refused),
        },
    };
    wrong(visit, form, problems)
}

fn wrong(visit: &Visit, form: &Params, problems: Vec<Problem>) -> Response {
    let page = NewPage::of(visit, form, problems);
    visit.answer(
        page.map(|page| visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page.frame, rendered(&page))),
    )
}
