//! The audit trail: searched, told as the story of one login, and exported.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use signet_core::admin::USERS_READ;
use signet_core::audit::{By, Kind};
use signet_core::explain::Record;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::records::Outcome;
use uuid::Uuid;

use super::Visit;
use super::clients::path;
use crate::app::App;
use crate::desk::{AuditLine, AuditQuery, ClientQuery, Refused};
use crate::pages::console::{Frame, Section, instant_field, instant_seconds, read_instant};
use crate::pages::rendered;

/// Events on one page.
const PAGE: u32 = 50;
/// Longest part of a fact that a list shows, in characters; the story has all of it.
const MAX_FACT: usize = 200;
/// Longest value of a filter, in bytes.
const MAX_FILTER: usize = 256;
/// The filters, in the order in which they stand in addresses.
const FILTERS: [&str; 9] =
    ["client_id", "user", "actor", "reason", "kind", "outcome", "since", "until", "correlation_id"];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/audit", get(list))
        .route("/console/audit/export", get(export))
        .route("/console/audit/story/{correlation_id}", get(story))
}

/// An event as a row.
struct Row {
    line: AuditLine,
    at: String,
    /// What the kind means.
    meaning: Option<&'static str>,
    facts: Vec<(String, String)>,
    explained: bool,
    refused: bool,
    story: String,
    client: Option<String>,
    /// Name and page of the user, for those who see users.
    user: Option<(String, String)>,
    /// Who did it.
    by: Option<Doer>,
}

/// Somebody who did something, as a page names them.
struct Doer {
    name: String,
    href: Option<String>,
}

impl Row {
    /// A `story` holds whole facts, a list their beginnings.
    fn of(line: AuditLine, frame: &Frame, names: &BTreeMap<Uuid, String>, story: bool) -> Self {
        let told = |(name, value): (&String, &Value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), if story { text } else { beginning(&text) })
        };
        let facts = line.detail.iter().filter(|(name, _)| *name != Record::MEMBER).map(told).collect();
        let person = |id: Uuid| Some((names.get(&id)?.clone(), frame.href(&super::user::path(id))));
        Self {
            at: instant_seconds(line.at),
            meaning: Kind::find(&line.kind).map(Kind::meaning),
            facts,
            explained: line.detail.contains_key(Record::MEMBER),
            refused: line.outcome == Outcome::Refused,
            story: frame.href(&story_path(&line.correlation_id)),
            client: line.client_id.as_deref().map(|id| frame.href(&path(id))),
            user: line.user_id.and_then(person),
            by: line.actor.as_deref().map(|label| match label.parse() {
                Ok(By::User(id)) => match person(id) {
                    Some((name, href)) => Doer { name, href: Some(href) },
                    None => Doer { name: label.to_owned(), href: None },
                },
                Ok(By::Client(id)) => {
                    Doer { name: id.to_string(), href: Some(frame.href(&path(id.as_str()))) }
                }
                Ok(By::CommandLine) | Err(_) => Doer { name: label.to_owned(), href: None },
            }),
            line,
        }
    }

    /// Events as rows, users by their names.
    async fn all(
        visit: &Visit,
        lines: Vec<AuditLine>,
        frame: &Frame,
        story: bool,
    ) -> Result<Vec<Self>, Refused> {
        let users = lines.iter().flat_map(|line| [line.user_id, line.actor.as_deref().and_then(person_of)]);
        let names = visit.desk().usernames(&users.flatten().collect()).await?;
        Ok(lines.into_iter().map(|line| Self::of(line, frame, &names, story)).collect())
    }
}

#[derive(Template)]
#[template(path = "console/audit.html")]
struct AuditPage {
    frame: Frame,
    filter: Filter,
    problem: Option<String>,
    rows: Vec<Row>,
    /// A developer's clients, of which one must be chosen.
    own: Vec<String>,
    confined: bool,
    kinds: &'static [Kind],
    reasons: Vec<&'static str>,
    /// What of the filter does not exist, where nothing fits.
    unknown: Option<String>,
    first: Option<String>,
    next: Option<String>,
    export: Option<String>,
}

#[derive(Template)]
#[template(path = "console/story.html")]
struct StoryPage {
    frame: Frame,
    correlation_id: String,
    rows: Vec<Row>,
    explain: Option<String>,
}

/// What was asked for, as it was typed.
#[derive(Default)]
struct Filter {
    values: Vec<(&'static str, String)>,
}

impl Filter {
    fn of(visit: &Visit) -> Self {
        let value = |name: &'static str| {
            let text = visit.params.get(name).unwrap_or_default().trim().to_owned();
            (!text.is_empty() && text.len() <= MAX_FILTER).then_some((name, text))
        };
        Self { values: FILTERS.into_iter().filter_map(value).collect() }
    }

    fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(self.get(name).to_owned()).filter(|text| !text.is_empty())
    }

    fn address(&self, frame: &Frame, path: &str, after: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.values);
        if let Some(after) = after {
            query.append_pair("after", after);
        }
        let query = query.finish();
        frame.href(&if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
    }

    /// The question for the desk, or what is wrong with it.
    async fn query(&self, visit: &Visit) -> Result<AuditQuery, Unclear> {
        let time = |name: &str| match self.text(name) {
            None => Ok(None),
            Some(text) => read_instant(&text)
                .map(Some)
                .ok_or_else(|| Unclear::Said(format!("\"{text}\" is not a date with a time."))),
        };
        let user_id = match self.text("user") {
            None => None,
            Some(text) => match visit.desk().audit_user(&text).await.map_err(Unclear::Refused)? {
                Some(id) => Some(id),
                None => return Err(Unclear::Said(format!("There is no user \"{text}\"."))),
            },
        };
        let actor = match self.text("actor") {
            None => None,
            Some(text) => match visit.desk().audit_actor(&text).await.map_err(Unclear::Refused)? {
                Some(label) => Some(label),
                None => return Err(Unclear::Said(format!("There is no user \"{text}\"."))),
            },
        };
        Ok(AuditQuery {
            actor,
            client_id: self.text("client_id").map(ClientId::new),
            user_id,
            reason: self.text("reason"),
            kind: self.text("kind"),
            outcome: match self.get("outcome") {
                "success" => Some(Outcome::Success),
                "refused" => Some(Outcome::Refused),
                _ => None,
            },
            since: time("since")?,
            until: time("until")?,
            correlation_id: self.text("correlation_id"),
            after: visit.params.get("after").and_then(|after| after.parse().ok()),
            limit: PAGE,
        })
    }
}

enum Unclear {
    Said(String),
    Refused(Refused),
}

async fn list(visit: Visit) -> Response {
    visit.answer(listed(&visit).await)
}

async fn listed(visit: &Visit) -> Result<Response, Refused> {
    let frame = visit.frame(Section::Audit);
    let filter = Filter::of(visit);
    let confined = visit.actor.confined_to().is_some();
    let own = if confined { own_clients(visit).await? } else { Vec::new() };
    let first = visit.params.get("after").map(|_| filter.address(&frame, "/console/audit", None));
    let mut page = AuditPage {
        problem: None,
        rows: Vec::new(),
        own,
        confined,
        kinds: Kind::ALL,
        reasons: Fault::codes(),
        unknown: None,
        first,
        next: None,
        export: None,
        filter,
        frame,
    };
    if confined && page.filter.get("client_id").is_empty() {
        return Ok(visit.page(&page.frame, rendered(&page)));
    }
    let query = match page.filter.query(visit).await {
        Ok(query) => query,
        Err(Unclear::Refused(refused)) => return Err(refused),
        Err(Unclear::Said(text)) => {
            page.problem = Some(text);
            return Ok(visit.page(&page.frame, rendered(&page)));
        }
    };
    let found = visit.desk().audit(&query).await?;
    page.export = Some(page.filter.address(&page.frame, "/console/audit/export", None));
    page.next = found.next.map(|next| page.filter.address(&page.frame, "/console/audit", Some(&next)));
    page.rows = Row::all(visit, found.items, &page.frame, false).await?;
    if page.rows.is_empty() {
        page.unknown = unknown(visit, &query).await?;
    }
    Ok(visit.page(&page.frame, rendered(&page)))
}

/// The user behind the label of an actor.
fn person_of(label: &str) -> Option<Uuid> {
    match label.parse() {
        Ok(By::User(id)) => Some(id),
        _ => None,
    }
}

/// What a question names that does not exist.
async fn unknown(visit: &Visit, query: &AuditQuery) -> Result<Option<String>, Refused> {
    if let Some(kind) = query.kind.as_deref().filter(|kind| Kind::find(kind).is_none()) {
        return Ok(Some(format!("There is no kind of event \"{kind}\".")));
    }
    if let Some(reason) = query.reason.as_deref().filter(|reason| !Fault::codes().contains(reason)) {
        return Ok(Some(format!("There is no reason code \"{reason}\".")));
    }
    if let Some(id) = &query.client_id {
        match visit.desk().client(id).await {
            Err(Refused::NotFound) => return Ok(Some(format!("There is no client \"{id}\"."))),
            Err(other) => return Err(other),
            Ok(_) => {}
        }
    }
    let named = [query.user_id, query.actor.as_deref().and_then(person_of)];
    let users: BTreeSet<Uuid> = named.into_iter().flatten().collect();
    if visit.actor.holds(USERS_READ) {
        let known = visit.desk().usernames(&users).await?;
        if let Some(id) = users.iter().find(|id| !known.contains_key(id)) {
            return Ok(Some(format!("There is no user \"{id}\".")));
        }
    }
    Ok(None)
}

/// Where the events are that have this value in this filter.
pub(super) fn filtered(name: &str, value: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    format!("/console/audit?{query}")
}

async fn own_clients(visit: &Visit) -> Result<Vec<String>, Refused> {
    let query = ClientQuery { limit: 100, ..ClientQuery::default() };
    Ok(visit.desk().clients(&query).await?.items.into_iter().map(|line| line.client_id).collect())
}

async fn story(visit: Visit, Path(correlation_id): Path<String>) -> Response {
    let told = async {
        let story = visit.desk().audit_story(&correlation_id).await?;
        let frame = visit.frame(Section::Audit).crumb(&correlation_id, &story_path(&correlation_id));
        let rows = Row::all(&visit, story.events, &frame, true).await?;
        let refused = rows.iter().any(|row| row.refused);
        let explain = refused.then(|| frame.href(&explain_path(&correlation_id)));
        let page = StoryPage { correlation_id: correlation_id.clone(), rows, explain, frame };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(told.await)
}

/// Where the story of a login is told.
pub(super) fn story_path(correlation_id: &str) -> String {
    format!("/console/audit/story/{}", super::listing::path_segment(correlation_id))
}

fn explain_path(correlation_id: &str) -> String {
    format!("/console/explain?reference={}", super::listing::path_segment(correlation_id))
}

/// The events as JSON lines, newest first.
async fn export(visit: Visit) -> Response {
    let query = match Filter::of(&visit).query(&visit).await {
        Ok(query) => query,
        Err(Unclear::Refused(refused)) => return visit.refused(&refused),
        Err(Unclear::Said(_)) => return visit.refused(&Refused::NotFound),
    };
    let lines = match visit.desk().export_audit(&AuditQuery { after: None, ..query }).await {
        Ok(lines) => lines,
        Err(refused) => return visit.refused(&refused),
    };
    let name = format!("audit-{}.jsonl", instant_field(visit.moment.now).replace(':', ""));
    let mut response = Body::from_stream(lines).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// The beginning of a fact; what is left out is said.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(MAX_FACT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
