//! The pages that explain requests.

use askama::Template;
use signet_core::explain::{Finding, Kind, Layer, Line, Report};
use signet_jose::Verdict;

use super::console::{Frame, instant};
use crate::desk::Failure;

/// Where people ask why a request fails, with the answer to what they asked.
#[derive(Clone, Debug, Template)]
#[template(path = "console/explain.html")]
pub struct ExplainPage {
    /// What stands around it.
    pub frame: Frame,
    /// What was pasted.
    pub pasted: String,
    /// Whose object it is, if that was said.
    pub client_id: String,
    /// The reference that was asked for.
    pub reference: String,
    /// Why there is no answer.
    pub problem: Option<String>,
    /// The answer.
    pub answer: Option<Answer>,
}

impl ExplainPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::rendered(self)
    }
}

/// An explained request, ready to be shown.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The explanation.
    pub report: Report,
    /// When it was refused and what it was, if it was not pasted.
    pub event: Option<Failure>,
    /// Where the whole story is told.
    pub story: Option<String>,
    /// Where the client is.
    pub client: Option<String>,
}

impl Answer {
    fn heading(&self) -> &'static str {
        match (self.report.accepted, &self.event) {
            (true, _) => "This request would be accepted",
            (false, None) => "This request would be refused",
            (false, Some(_)) => "This request was refused",
        }
    }
}

/// The word and the badge of a judgement.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
fn verdict(verdict: &Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Pass => ("good", "ok"),
        Verdict::Fail => ("bad", "failed"),
        Verdict::Skipped => ("plain", "not needed"),
    }
}

/// The words above a finding.
fn certainty(finding: &Finding) -> &'static str {
    match finding.kind {
        Kind::Cause => "Recognised",
        Kind::General => "What helps",
        Kind::Advice => "Beside that",
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

/// Whether a layer is folded open: those in which something failed.
fn open(layer: &Layer) -> bool {
    layer.verdict == Verdict::Fail
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
