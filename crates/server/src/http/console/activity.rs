//! What lately happened to a client and through it, and what became of telling it of logouts.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use signet_core::admin::AUDIT_READ;
use signet_core::ids::ClientId;
use signet_core::records::Outcome;

use super::Visit;
use super::audit::story_path;
use super::client::{self, Head};
use crate::app::App;
use crate::desk::{AuditLine, AuditQuery, DeliveryState, DeliveryView};
use crate::pages::console::{Frame, Link, instant};
use crate::pages::rendered;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/clients/{id}/activity", get(activity))
}

/// Something that happened to a client or through it.
struct Happening {
    when: String,
    kind: String,
    refused: bool,
    reason: String,
    correlation_id: String,
    story: String,
}

/// What became of telling a client of a logout.
struct Delivery {
    when: String,
    badge: &'static str,
    state: String,
    error: String,
    story: String,
    correlation_id: String,
}

#[derive(Template)]
#[template(path = "console/client_activity.html")]
struct ActivityPage {
    frame: Frame,
    tabs: Vec<Link>,
    head: Head,
    rows: Vec<Happening>,
    deliveries: Vec<Delivery>,
    all: String,
}

/// What lately happened to this client.
async fn activity(visit: Visit, Path(id): Path<String>) -> Response {
    let id = ClientId::from(id.as_str());
    let result = async {
        visit.actor.need(AUDIT_READ)?;
        let view = visit.desk().client(&id).await?;
        let query = AuditQuery { client_id: Some(id.clone()), limit: 50, ..AuditQuery::default() };
        let events = visit.desk().audit(&query).await?.items;
        let (frame, tabs) = client::frame(&visit, &view, "activity");
        let happening = |event: AuditLine| Happening {
            when: instant(event.at),
            refused: event.outcome == Outcome::Refused,
            reason: event.reason.unwrap_or_default(),
            story: visit.href(&story_path(&event.correlation_id)),
            kind: event.kind,
            correlation_id: event.correlation_id,
        };
        let delivery = |one: DeliveryView| Delivery {
            when: instant(one.created_at),
            badge: match one.state {
                DeliveryState::Delivered => "good",
                DeliveryState::Waiting => "plain",
                DeliveryState::GivenUp => "bad",
            },
            state: match (one.state, one.next_attempt_at) {
                (DeliveryState::Delivered, _) => "Delivered".to_owned(),
                (DeliveryState::Waiting, Some(at)) => format!("Tried again {}", instant(at)),
                (DeliveryState::Waiting, None) => "Waiting".to_owned(),
                (DeliveryState::GivenUp, _) => format!("Given up after {} attempts", one.attempts),
            },
            error: one.last_error.unwrap_or_default(),
            story: visit.href(&story_path(&one.correlation_id)),
            correlation_id: one.correlation_id,
        };
        let deliveries = visit.desk().logout_deliveries(&id, 20).await?;
        let filter = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", id.as_str())
            .finish();
        let page = ActivityPage {
            head: Head::of(&visit, &view),
            rows: events.into_iter().map(happening).collect(),
            deliveries: deliveries.into_iter().map(delivery).collect(),
            all: visit.href(&format!("/console/audit?{filter}")),
            frame,
            tabs,
        };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(result.await)
}
