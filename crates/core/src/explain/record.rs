//! What is kept of a judged request, so that it can be explained then and later.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signet_jose::{Trace, Verdict};

use super::layers::LayerName;
use super::mistakes::{self, Kind};
use super::sighting::{Scene, Sighting};
use super::{Fact, Finding, Layer, Line, Reason, Report, sentence, shown};
use crate::audit;
use crate::fault::Fault;
use crate::ids::ClientId;
use crate::records::AuditEvent;

/// Most checks that are kept.
pub const MAX_CHECKS: usize = 40;
/// Most facts that are kept.
const MAX_FACTS: usize = 24;
/// Most findings of one kind.
const MAX_FINDINGS: usize = 4;

/// Everything that an explanation is made from: bounded, without tokens, secrets and personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The `error` that the client was told.
    error: String,
    /// The sentence that the person was shown.
    text: String,
    /// Names of recognised mistakes, with what gave each away.
    findings: Vec<(String, String)>,
    facts: Vec<Fact>,
    checks: Vec<Line>,
    #[serde(default)]
    left_off: usize,
    /// Whether a request object was sent.
    #[serde(default)]
    object: bool,
}

impl Record {
    /// Under which name a record stands in the detail of an audit event.
    pub const MEMBER: &'static str = "explain";

    /// Looks at a judged request. `token` is the request object as it was sent, if there was one; `fault` is why it was
    /// refused.
    pub fn gather(token: Option<&str>, fault: Option<&Fault>, trace: &Trace, scene: &Scene<'_>) -> Self {
        let sighting = Sighting::new(fault.map_or("", Fault::code), token.unwrap_or_default(), trace, scene);
        Self::seen(&sighting, fault, trace, mistakes::found(&sighting))
    }

    /// Looks at a client assertion that was refused, in the same way. What is said of request objects in general is not
    /// said of it.
    pub fn gather_assertion(token: &str, fault: &Fault, trace: &Trace, scene: &Scene<'_>) -> Self {
        let sighting = Sighting::new(fault.code(), token, trace, scene);
        Self::seen(&sighting, Some(fault), trace, mistakes::found_for_code(&sighting))
    }

    fn seen(
        sighting: &Sighting<'_>,
        fault: Option<&Fault>,
        trace: &Trace,
        findings: Vec<(String, String)>,
    ) -> Self {
        let mut checks: Vec<Line> = trace.checks.iter().map(Line::from).collect();
        checks.extend(untraced(fault, trace));
        let left_off = checks.len().saturating_sub(MAX_CHECKS);
        // What failed last is what it is all about.
        checks.drain(..left_off);
        Self {
            error: fault.map(Fault::wire).unwrap_or_default().to_owned(),
            text: fault.map(|fault| sentence(&fault.public())).unwrap_or_default(),
            findings,
            facts: facts(sighting),
            checks,
            left_off,
            object: !sighting.token.is_empty(),
        }
    }

    /// The record as a fact of an audit event: its name and value.
    pub fn fact(&self) -> (&'static str, Value) {
        (Self::MEMBER, serde_json::to_value(self).unwrap_or(Value::Null))
    }

    /// The record in an audit event's detail, if there is one.
    pub fn read(detail: &Map<String, Value>) -> Option<Self> {
        serde_json::from_value(detail.get(Self::MEMBER)?.clone()).ok()
    }

    /// The explanation. `code` is the reason code of a refusal.
    pub fn report(&self, code: Option<&str>, client_id: Option<&str>) -> Report {
        let reason = code.map(|code| Reason {
            code: code.to_owned(),
            error: self.error.clone(),
            text: self.text.clone(),
        });
        Report {
            accepted: code.is_none(),
            client_id: client_id.map(str::to_owned),
            reason,
            findings: self.findings(),
            layers: self.layers(),
            left_off: self.left_off,
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let known = |(id, sign): &(String, String)| Some(mistakes::find(id)?.finding(sign, self.object));
        let mut findings: Vec<Finding> = self.findings.iter().filter_map(known).collect();
        // A general word helps only where nothing in particular was recognised.
        if findings.iter().any(|finding| finding.kind == Kind::Cause) {
            findings.retain(|finding| finding.kind != Kind::General);
        }
        for kind in [Kind::Cause, Kind::General, Kind::Advice] {
            let mut left = MAX_FINDINGS;
            findings.retain(|finding| {
                let keep = finding.kind != kind || left > 0;
                left -= usize::from(finding.kind == kind && keep);
                keep
            });
        }
        findings.sort_by_key(|finding| finding.kind);
        findings
    }

    fn layers(&self) -> Vec<Layer> {
        let layer = |(name, title): &(LayerName, &str)| {
            let checks: Vec<Line> =
                self.checks.iter().filter(|check| LayerName::of(&check.rule) == *name).cloned().collect();
            let facts: Vec<Fact> = self.facts.iter().filter(|fact| fact.layer == *name).cloned().collect();
            let of = |verdict| checks.iter().any(|check| check.verdict == verdict);
            let verdict = match () {
                () if of(Verdict::Fail) => Verdict::Fail,
                () if of(Verdict::Pass) => Verdict::Pass,
                () => Verdict::Skipped,
            };
            let empty = checks.is_empty() && facts.is_empty();
            (!empty).then(|| Layer { name: *name, title: (*title).to_owned(), verdict, facts, checks })
        };
        LayerName::ALL.iter().filter_map(layer).collect()
    }
}

impl Report {
    /// The explanation of a refusal of which nothing was kept but its reason code and, where that does not tell it, the
    /// `text` that was shown.
    pub fn of_code(code: &str, text: Option<&str>, client_id: Option<&str>) -> Self {
        let row = Fault::TABLE.iter().find(|row| row.0 == code);
        let found = mistakes::of_code(code).map(|mistake| (mistake.id.to_owned(), String::new()));
        let text = text.map(sentence).or_else(|| Fault::general(code));
        let record = Record {
            error: row.map_or("", |row| row.1).to_owned(),
            text: text.unwrap_or_default(),
            findings: found.collect(),
            facts: Vec::new(),
            checks: Vec::new(),
            left_off: 0,
            object: false,
        };
        record.report(Some(code), client_id)
    }

    /// The explanation of a refusal by what its audit event keeps.
    pub fn of_event(event: &AuditEvent) -> Self {
        let code = event.reason.as_deref().unwrap_or_default();
        let client = event.client_id.as_ref().map(ClientId::as_str);
        match Record::read(&event.detail) {
            Some(record) => record.report(Some(code), client),
            None => Self::of_code(code, event.detail.get(audit::TEXT).and_then(Value::as_str), client),
        }
    }
}

impl From<&signet_jose::Check> for Line {
    fn from(check: &signet_jose::Check) -> Self {
        Self {
            rule: check.rule.to_owned(),
            clause: check.clause.to_owned(),
            expected: shown(&check.expected),
            actual: shown(&check.actual),
            verdict: check.verdict,
        }
    }
}

/// What the trace does not tell: a refusal by a rule that leaves no check, and the single use, which only the write of an
/// accepted request decides.
fn untraced(fault: Option<&Fault>, trace: &Trace) -> Option<Line> {
    const SINGLE: (&str, &str, &str) =
        ("single_use", "RFC 7519 section 4.1.7", "a jti that this client has not used before");
    let line = |rule: &str, clause: &str, expected: &str, actual: String, verdict| Line {
        rule: rule.to_owned(),
        clause: clause.to_owned(),
        expected: expected.to_owned(),
        actual,
        verdict,
    };
    let passed = |rule| trace.checks.iter().any(|one| one.rule == rule && one.verdict == Verdict::Pass);
    match fault {
        Some(Fault::ObjectReplayed | Fault::AssertionReplayed) => {
            Some(line(SINGLE.0, SINGLE.1, SINGLE.2, "used before".into(), Verdict::Fail))
        }
        Some(fault) if trace.first_failure().is_none() => {
            let expected = "a request as the standards describe it";
            Some(line("request", fault.code(), expected, shown(&fault.public()), Verdict::Fail))
        }
        None if passed("jti") => {
            let found = "not looked at: only a login uses it up";
            Some(line(SINGLE.0, SINGLE.1, SINGLE.2, found.into(), Verdict::Skipped))
        }
        _ => None,
    }
}

/// What stands in the headers, and which claims there are. Values of claims are in the checks that need them.
fn facts(sighting: &Sighting<'_>) -> Vec<Fact> {
    const MEMBERS: [&str; 5] = ["alg", "enc", "kid", "typ", "cty"];
    let mut facts = Vec::new();
    let headers = [(LayerName::OuterHeader, &sighting.outer), (LayerName::InnerHeader, &sighting.inner)];
    for (layer, header) in headers {
        let mut add = |name: &str, value: String| {
            facts.push(Fact { layer, name: name.to_owned(), value });
        };
        for name in MEMBERS {
            match header.get(name) {
                Some(Value::String(text)) => add(name, shown(text)),
                Some(_) => add(name, "not text".to_owned()),
                None => {}
            }
        }
        let further = names(header, |name| !MEMBERS.contains(&name));
        if !further.is_empty() {
            add("further members", further);
        }
    }
    let claims = names(&sighting.claims, |_| true);
    if !claims.is_empty() {
        facts.push(Fact { layer: LayerName::Claims, name: "claims".into(), value: claims });
    }
    facts.truncate(MAX_FACTS);
    facts
}

fn names(map: &Map<String, Value>, wanted: impl Fn(&str) -> bool) -> String {
    let names: Vec<&str> = map.keys().map(String::as_str).filter(|name| wanted(name)).collect();
    shown(&names.join(", "))
}
