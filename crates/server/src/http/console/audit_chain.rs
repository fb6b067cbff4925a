//! The chain of the audit trail, judged when somebody asks.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::Visit;
use crate::app::App;
use crate::desk::{AuditChain, AuditLink, Remark};
use crate::edge::Stopwatch;
use crate::pages::console::{Frame, Section, instant_seconds};
use crate::pages::rendered;

/// Links judged at once.
const PART: u32 = 100;
/// How long one page judges. A chain over a million events takes some twenty seconds: several pages.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most problems that a page tells.
const MAX_WRONG: usize = 100;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/audit/chain", get(verify))
}

#[derive(Template)]
#[template(path = "console/audit_chain.html")]
struct ChainPage {
    frame: Frame,
    judged_at: String,
    /// The link after which this page began; 0 for the beginning.
    after: i64,
    links: u64,
    purged: u64,
    events: u64,
    wrong: Vec<Remark>,
    last: Option<AuditLink>,
    /// Where it goes on.
    next: Option<i64>,
}

async fn verify(visit: Visit) -> Response {
    let after =
        visit.params.get("after").and_then(|text| text.parse().ok()).filter(|after| *after >= 0).unwrap_or(0);
    let judged = async {
        let mut page = ChainPage {
            frame: visit.frame(Section::Audit).crumb("Was it changed?", "/console/audit/chain"),
            judged_at: instant_seconds(visit.moment.now),
            after,
            links: 0,
            purged: 0,
            events: 0,
            wrong: Vec::new(),
            last: None,
            next: Some(after),
        };
        let watch = Stopwatch::start();
        while let Some(next) = page.next {
            page.add(visit.desk().audit_chain(next, PART).await?);
            if page.wrong.len() >= MAX_WRONG || watch.elapsed() >= PATIENCE {
                break;
            }
        }
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(judged.await)
}

impl ChainPage {
    fn add(&mut self, part: AuditChain) {
        self.links += part.links;
        self.purged += part.purged;
        self.events += part.events;
        self.wrong.extend(part.wrong);
        self.last = part.last.or_else(|| self.last.take());
        self.next = part.next;
    }
}
