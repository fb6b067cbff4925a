//! Why a request fails: pasted, or by the reference of its error page.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use signet_core::explain::Report;
use signet_core::fault::Fault;

use super::audit::story_path;
use super::clients::path;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{Failure, Refused};
use crate::pages::console::Section;
use crate::pages::console_explain::{Answer, ExplainPage};

/// Longest reference that is looked up, in bytes.
const MAX_REFERENCE: usize = 64;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/explain", get(show).post(explain))
}

/// The page; with `reference`, a refused request explained. `client_id` only fills in the field.
async fn show(visit: Visit) -> Response {
    let reference = visit.params.get("reference").unwrap_or_default().trim().to_owned();
    let mut page = empty(&visit);
    page.client_id = visit.params.owned("client_id").unwrap_or_default();
    page.reference.clone_from(&reference);
    if reference.is_empty() {
        return visit.page(&page.frame, page.render());
    }
    let found = if reference.len() > MAX_REFERENCE {
        Err(Refused::NotFound)
    } else {
        visit.desk().explain_failure(&reference).await
    };
    match found {
        Ok(failure) => {
            page.answer = Some(answer(&visit, failure.report.clone(), Some(failure)));
            visit.page(&page.frame, page.render())
        }
        Err(Refused::NotFound) => {
            let text =
                "No refused request has this reference, or it is of a client that is not yours to see.";
            told(&visit, page, StatusCode::NOT_FOUND, text.to_owned())
        }
        Err(refused) => visit.refused(&refused),
    }
}

async fn explain(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let mut page = empty(&visit);
    page.pasted = form.owned("pasted").unwrap_or_default();
    form.get("client_id").unwrap_or_default().trim().clone_into(&mut page.client_id);
    match visit.desk().explain(&page.pasted, Some(&page.client_id)).await {
        Ok(report) => {
            page.answer = Some(answer(&visit, report, None));
            visit.page(&page.frame, page.render())
        }
        Err(Refused::Fault(fault)) if is_about_the_paste(&fault) => {
            let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST);
            told(&visit, page, status, fault.public())
        }
        Err(refused) => visit.refused(&refused),
    }
}

/// What is wrong with the text itself is said above it.
fn is_about_the_paste(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::PasteEmpty
            | Fault::PasteTooLong
            | Fault::PasteNoRequest
            | Fault::PasteByReference
            | Fault::ParameterEncoding
            | Fault::ParameterRepeated { .. }
            | Fault::ParameterTooLong { .. }
            | Fault::TooManyParameters
    )
}

fn empty(visit: &Visit) -> ExplainPage {
    ExplainPage {
        frame: visit.frame(Section::Explain),
        pasted: String::new(),
        client_id: String::new(),
        reference: String::new(),
        problem: None,
        answer: None,
    }
}

fn told(visit: &Visit, mut page: ExplainPage, status: StatusCode, problem: String) -> Response {
    page.problem = Some(problem);
    visit.page_with(status, &page.frame, page.render())
}

fn answer(visit: &Visit, report: Report, event: Option<Failure>) -> Answer {
    let story = event.as_ref().map(|event| visit.href(&story_path(&event.correlation_id)));
    let known = report.reason.as_ref().is_none_or(|reason| reason.code != "client_unknown");
    let client = report.client_id.as_deref().filter(|_| known);
    let client = client.map(|id| visit.href(&path(id)));
    Answer { report, event, story, client }
}

/// A path segment (RFC 3986 section 3.3).
pub(super) fn path_segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
