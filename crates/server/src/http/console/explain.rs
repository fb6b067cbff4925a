//! Why a request fails: pasted, or by the reference of its error page.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use signet_core::explain::{Finding, Kind, Layer, Line, Report};
use signet_core::fault::Fault;
use signet_jose::Verdict;

use super::audit::story_path;
use super::clients::path;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{Failure, Refused};
use crate::pages::console::{Frame, Section, instant};
use crate::pages::rendered;

/// Longest reference that is looked up, in bytes.
const MAX_REFERENCE: usize = 64;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/explain", get(show).post(explain))
}

#[derive(Template)]
#[template(path = "console/explain.html")]
struct ExplainPage {
    frame: Frame,
    /// What was pasted.
    pasted: String,
    /// Whose object it is, if that was said.
    client_id: String,
    /// The reference that was asked for.
    reference: String,
    /// Why there is no answer.
    problem: Option<String>,
    answer: Option<Answer>,
}

/// An explained request, ready to be shown.
struct Answer {
    heading: &'static str,
    report: Report,
    /// When it was refused and what it was, if it was not pasted.
    event: Option<Failure>,
    /// Where the whole story is told.
    story: Option<String>,
    /// Where the client is.
    client: Option<String>,
    findings: Vec<FindingRow>,
    steps: Vec<Step>,
}

/// A finding, with the words above it.
struct FindingRow {
    finding: Finding,
    kicker: &'static str,
    advice: bool,
}

/// A layer with its judgement: badge and word.
struct Step {
    layer: Layer,
    verdict: (&'static str, &'static str),
    /// Folded open.
    open: bool,
    checks: Vec<Check>,
}

/// A check with its judgement.
struct Check {
    line: Line,
    wanted: String,
    found: String,
    verdict: (&'static str, &'static str),
}

impl From<Finding> for FindingRow {
    fn from(finding: Finding) -> Self {
        let kicker = match finding.kind {
            Kind::Cause => "Recognised",
            Kind::General => "What helps",
            Kind::Advice => "Beside that",
        };
        Self { kicker, advice: finding.kind == Kind::Advice, finding }
    }
}

impl Step {
    /// What failed is folded open; of what was accepted, everything.
    fn of(layer: &Layer, accepted: bool) -> Self {
        let check = |line: &Line| Check {
            wanted: with_instant(line, &line.expected),
            found: with_instant(line, &line.actual),
            verdict: verdict(line.verdict),
            line: line.clone(),
        };
        Self {
            verdict: verdict(layer.verdict),
            open: accepted || layer.verdict == Verdict::Fail,
            checks: layer.checks.iter().map(check).collect(),
            layer: layer.clone(),
        }
    }
}

/// The badge and the word of a judgement.
fn verdict(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Pass => ("good", "ok"),
        Verdict::Fail => ("bad", "failed"),
        Verdict::Skipped => ("plain", "not needed"),
    }
}

/// A text of a check; instants are written out.
fn with_instant(line: &Line, text: &str) -> String {
    let last = text.rsplit(' ').next().and_then(|word| word.parse::<i64>().ok());
    match last.filter(|_| matches!(line.rule.as_str(), "exp" | "nbf" | "iat")) {
        // What lies beyond any calendar is left as it is.
        Some(at) if instant(at) != at.to_string() => format!("{text} ({})", instant(at)),
        _ => text.to_owned(),
    }
}

/// The page; with `reference`, a refused request explained. `client_id` only fills in the field.
async fn show(visit: Visit) -> Response {
    let reference = visit.params.get("reference").unwrap_or_default().trim().to_owned();
    let mut page = empty(&visit);
    page.client_id = visit.params.owned("client_id").unwrap_or_default();
    page.reference.clone_from(&reference);
    if reference.is_empty() {
        return visit.page(&page.frame, rendered(&page));
    }
    let found = if reference.len() > MAX_REFERENCE {
        Err(Refused::NotFound)
    } else {
        visit.desk().explain_failure(&reference).await
    };
    match found {
        Ok(failure) => {
            page.answer = Some(answer(&visit, failure.report.clone(), Some(failure)));
            visit.page(&page.frame, rendered(&page))
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
            visit.page(&page.frame, rendered(&page))
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
    visit.page_with(status, &page.frame, rendered(&page))
}

fn answer(visit: &Visit, report: Report, event: Option<Failure>) -> Answer {
    let story = event.as_ref().map(|event| visit.href(&story_path(&event.correlation_id)));
    let known = report.reason.as_ref().is_none_or(|reason| reason.code != "client_unknown");
    let client = report.client_id.as_deref().filter(|_| known);
    let client = client.map(|id| visit.href(&path(id)));
    let heading = match (report.accepted, &event) {
        (true, _) => "This request would be accepted",
        (false, None) => "This request would be refused",
        (false, Some(_)) => "This request was refused",
    };
    Answer {
        heading,
        findings: report.findings.iter().cloned().map(FindingRow::from).collect(),
        steps: report.layers.iter().map(|layer| Step::of(layer, report.accepted)).collect(),
        report,
        event,
        story,
        client,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_checks_are_written_out_and_other_numbers_are_not() {
        let line = |rule: &str| Line {
            rule: rule.into(),
            clause: String::new(),
            expected: String::new(),
            actual: String::new(),
            verdict: Verdict::Pass,
        };
        let at = 1_795_500_000;
        assert_eq!(
            with_instant(&line("exp"), &format!("later than {at}")),
            format!("later than {at} (2026-11-24 06:00 UTC)")
        );
        assert_eq!(with_instant(&line("lifetime"), "at most 600"), "at most 600");
        assert_eq!(with_instant(&line("exp"), "absent"), "absent");
        assert_eq!(with_instant(&line("exp"), "1795500000000"), "1795500000000");
    }
}
