//! The audit trail: searched, told as the story of one login, and exported.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use signet_core::explain::Record;
use signet_core::ids::ClientId;
use signet_core::records::Outcome;
use uuid::Uuid;

use super::Visit;
use super::clients::path;
use crate::app::App;
use crate::desk::{AuditLine, AuditQuery, ClientQuery, Refused};
use crate::pages::console::{Frame, Section, instant, instant_field, read_instant};
use crate::pages::rendered;

/// Events on one page.
const PAGE: u32 = 50;
/// Longest value of a filter, in bytes.
const MAX_FILTER: usize = 256;
/// The filters, in the order in which they stand in addresses.
const FILTERS: [&str; 8] =
    ["client_id", "user", "reason", "kind", "outcome", "since", "until", "correlation_id"];

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
    facts: Vec<(String, String)>,
    explained: bool,
    refused: bool,
    story: String,
    client: Option<String>,
    /// Name and page of the user, for those who see users.
    user: Option<(String, String)>,
}

impl Row {
    fn of(line: AuditLine, frame: &Frame, names: &BTreeMap<Uuid, String>) -> Self {
        let told = |(name, value): (&String, &Value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text.chars().take(200).collect())
        };
        let facts = line.detail.iter().filter(|(name, _)| *name != Record::MEMBER).map(told).collect();
        let person = |id: Uuid| Some((names.get(&id)?.clone(), frame.href(&super::user::path(id))));
        Self {
            at: seconds(line.at),
            facts,
            explained: line.detail.contains_key(Record::MEMBER),
            refused: line.outcome == Outcome::Refused,
            story: frame.href(&story_path(&line.correlation_id)),
            client: line.client_id.as_deref().map(|id| frame.href(&path(id))),
            user: line.user_id.and_then(person),
            line,
        }
    }

    /// Events as rows, users by their names.
    async fn all(visit: &Visit, lines: Vec<AuditLine>, frame: &Frame) -> Result<Vec<Self>, Refused> {
        let users = lines.iter().filter_map(|line| line.user_id).collect();
        let names = visit.desk().usernames(&users).await?;
        Ok(lines.into_iter().map(|line| Self::of(line, frame, &names)).collect())
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
        Ok(AuditQuery {
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
    page.rows = Row::all(visit, found.items, &page.frame).await?;
    Ok(visit.page(&page.frame, rendered(&page)))
}

async fn own_clients(visit: &Visit) -> Result<Vec<String>, Refused> {
    let query = ClientQuery { limit: 100, ..ClientQuery::default() };
    Ok(visit.desk().clients(&query).await?.items.into_iter().map(|line| line.client_id).collect())
}

async fn story(visit: Visit, Path(correlation_id): Path<String>) -> Response {
    let told = async {
        let story = visit.desk().audit_story(&correlation_id).await?;
        let frame = visit.frame(Section::Audit).crumb(&correlation_id, &story_path(&correlation_id));
        let rows = Row::all(&visit, story.events, &frame).await?;
        let refused = rows.iter().any(|row| row.refused);
        let explain = refused.then(|| frame.href(&explain_path(&correlation_id)));
        let page = StoryPage { correlation_id: correlation_id.clone(), rows, explain, frame };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(told.await)
}

/// Where the story of a login is told.
pub(super) fn story_path(correlation_id: &str) -> String {
    format!("/console/audit/story/{}", super::explain::path_segment(correlation_id))
}

fn explain_path(correlation_id: &str) -> String {
    format!("/console/explain?reference={}", super::explain::path_segment(correlation_id))
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

/// An instant with its seconds.
fn seconds(at: i64) -> String {
    let minutes = instant(at);
    minutes.replace(" UTC", &format!(":{:02} UTC", at.rem_euclid(60)))
}
