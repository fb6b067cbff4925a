//! The audit trail.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, BoxStream, StreamExt as _};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use signet_core::admin::{AUDIT_READ, USERS_READ};
use signet_core::audit::By;
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::records::{AuditEvent, Outcome};
use signet_store::AuditFilter;
use uuid::Uuid;

use super::{Desk, Paged, Refused, Result, paged};

/// Most events of one story.
const MAX_STORY: u32 = 500;
/// Events that an export reads at once.
const EXPORTED: u32 = 100;

/// JSON lines, some at a time. An error breaks it off, so that nobody takes a part for the whole.
pub type Lines = BoxStream<'static, std::io::Result<String>>;

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only this client's. Developers name one of their own.
    pub client_id: Option<ClientId>,
    /// Only this user's.
    pub user_id: Option<Uuid>,
    /// Only what this one did: the label of a [`By`].
    pub actor: Option<String>,
    /// Only with this reason code.
    pub reason: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only at this instant or later.
    pub since: Option<UnixTime>,
    /// Only before this instant.
    pub until: Option<UnixTime>,
    /// Only of this login or request.
    pub correlation_id: Option<String>,
    /// Where the page before ended.
    pub after: Option<Uuid>,
    /// At most this many (1 to 100).
    pub limit: u32,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AuditLine {
    /// Ordered by time.
    pub id: Uuid,
    /// When, in Unix seconds.
    pub at: UnixTime,
    /// What, in dotted words.
    pub kind: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable reason code of a refusal.
    pub reason: Option<String>,
    /// Ties the events of one login or request together.
    pub correlation_id: String,
    /// The client, as far as it is known.
    pub client_id: Option<String>,
    /// The user, as far as known.
    pub user_id: Option<Uuid>,
    /// Who did it: `user:` with an id, `client:` with a `client_id`, or `command line`; nobody where it happened in a protocol,
    /// or Signet did it by itself.
    pub actor: Option<String>,
    /// Facts.
    pub detail: Map<String, Value>,
}

impl From<AuditEvent> for AuditLine {
    fn from(event: AuditEvent) -> Self {
        Self {
            id: event.id,
            at: event.at,
            kind: event.kind,
            outcome: event.outcome,
            reason: event.reason,
            correlation_id: event.correlation_id,
            client_id: event.client_id.map(|id| id.to_string()),
            user_id: event.user_id,
            actor: event.actor,
            detail: event.detail,
        }
    }
}

/// Everything that is known of one login or request.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AuditStory {
    /// What ties the events together.
    pub correlation_id: String,
    /// The events, oldest first; at most 500.
    pub events: Vec<AuditLine>,
}

impl Desk<'_> {
    /// Events as asked for, newest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Paged<AuditLine>> {
        self.actor.need(AUDIT_READ)?;
        let mut since = query.since;
        if self.actor.confined_to().is_some() {
            let id = query.client_id.as_ref().ok_or(Fault::AdminClientNeeded)?;
            // What happened under this name before it was theirs is somebody else's.
            since = since.max(Some(self.visible(id).await?.created_at));
        }
        let limit = query.limit.clamp(1, 100);
        let filter = AuditFilter {
            kind: query.kind.clone(),
            outcome: query.outcome,
            since,
            until: query.until,
            client_id: query.client_id.clone(),
            user_id: query.user_id,
            actor: query.actor.clone(),
            reason: query.reason.clone(),
            correlation_id: query.correlation_id.clone(),
            before: query.after,
            limit: limit + 1,
        };
        let rows = self.app.store.audit(&self.tenant().id, &filter).await?;
        Ok(paged(rows, limit, |event| event.id.to_string(), AuditLine::from))
    }

    /// Events as asked for, newest first and to the last one, as JSON lines; read page by page, so as many as there are take
    /// no more memory than one page. What may not be asked is refused before anything is sent.
    pub async fn export_audit(&self, query: &AuditQuery) -> Result<Lines> {
        let query = AuditQuery { limit: EXPORTED, ..query.clone() };
        let first = self.audit(&query).await?;
        let (app, view, actor) = (self.app.clone(), self.shared_view().await?, self.actor.clone());
        let (now, correlation_id) = (self.now, self.correlation_id.to_owned());
        let read = move |query: AuditQuery| {
            let (app, view, actor) = (app.clone(), view.clone(), actor.clone());
            let correlation_id = correlation_id.clone();
            async move {
                let correlation_id = correlation_id.as_str();
                Desk { app: &app, view: &view, actor: &actor, now, correlation_id }.audit(&query).await
            }
        };
        let rest = stream::unfold(Some((read, query, Some(first))), |state| async {
            let (read, mut query, page) = state?;
            let page = match page {
                Some(page) => page,
                None => match read(query.clone()).await {
                    Ok(page) => page,
                    Err(_) => return Some((Err(std::io::Error::other("the trail cannot be read")), None)),
                },
            };
            query.after = page.next.as_ref().and_then(|next| next.parse().ok());
            let more = query.after.is_some().then_some((read, query, None));
            Some((json_lines(&page.items), more))
        });
        Ok(rest.boxed())
    }

    /// The whole story of one login or request. Developers see the part that tells of their own clients.
    pub async fn audit_story(&self, correlation_id: &str) -> Result<AuditStory> {
        self.actor.need(AUDIT_READ)?;
        let mut events = self.story(correlation_id).await?;
        if events.is_empty() {
            return Err(Refused::NotFound);
        }
        events.reverse();
        let events = events.into_iter().map(AuditLine::from).collect();
        Ok(AuditStory { correlation_id: correlation_id.to_owned(), events })
    }

    /// The events of one login or request that are the actor's to see, newest first.
    pub(super) async fn story(&self, correlation_id: &str) -> Result<Vec<AuditEvent>> {
        let filter = AuditFilter {
            correlation_id: Some(correlation_id.to_owned()),
            limit: MAX_STORY,
            ..AuditFilter::default()
        };
        let events = self.app.store.audit(&self.tenant().id, &filter).await?;
        if self.actor.confined_to().is_some() { self.of_own_clients(events).await } else { Ok(events) }
    }

    /// The user that somebody filters by: an id, or a user name for those who may see users.
    pub async fn audit_user(&self, text: &str) -> Result<Option<Uuid>> {
        self.actor.need(AUDIT_READ)?;
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        self.actor.need(USERS_READ)?;
        let found = self.app.store.user_by_name(&self.tenant().id, &text.trim().to_lowercase()).await?;
        Ok(found.map(|user| user.id))
    }

    /// The label of somebody of whose doings one asks: a label, or the name of a user.
    pub async fn audit_actor(&self, text: &str) -> Result<Option<String>> {
        match text.parse::<By>() {
            Ok(by) => Ok(Some(by.to_string())),
            Err(_) => Ok(self.audit_user(text).await?.map(|id| By::User(id).to_string())),
        }
    }

    async fn of_own_clients(&self, events: Vec<AuditEvent>) -> Result<Vec<AuditEvent>> {
        let named: BTreeSet<ClientId> = events.iter().filter_map(|event| event.client_id.clone()).collect();
        let mut own = BTreeMap::new();
        for id in named {
            match self.visible(&id).await {
                Ok(client) => {
                    own.insert(client.client_id, client.created_at);
                }
                Err(Refused::NotFound) => {}
                Err(other) => return Err(other),
            }
        }
        let since = |id: &ClientId| own.get(id).copied();
        let is_own = |event: &AuditEvent| {
            event.client_id.as_ref().and_then(since).is_some_and(|made| made <= event.at)
        };
        Ok(events.into_iter().filter(is_own).collect())
    }
}

fn json_lines(events: &[AuditLine]) -> std::io::Result<String> {
    let mut lines = String::new();
    for event in events {
        lines += &serde_json::to_string(event)?;
        lines.push('\n');
    }
    Ok(lines)
}
