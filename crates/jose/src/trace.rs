//! The trace of checks: what was expected, what was found, how it was judged.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::fault::Offered;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The rule is kept.
    Pass,
    /// The rule is broken.
    Fail,
    /// The rule did not apply.
    Skipped,
}

/// One check of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The rule's stable name.
    pub rule: &'static str,
    /// Where the rule is written.
    pub clause: &'static str,
    /// What the rule wants.
    pub expected: String,
    /// What was found.
    pub actual: String,
    /// The judgement.
    pub verdict: Verdict,
}

/// The checks of one validation, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The checks so far.
    pub checks: Vec<Check>,
    #[serde(skip)]
    content: Content,
}

/// What came out of a JWE. Never printed and never serialised.
#[derive(Clone, Default, PartialEq, Eq)]
struct Content(Option<Zeroizing<Vec<u8>>>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "kept" } else { "none" })
    }
}

impl Trace {
    /// An empty trace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finished check.
    pub fn push(&mut self, check: Check) {
        self.checks.push(check);
    }

    fn add(
        &mut self,
        verdict: Verdict,
        rule: &'static str,
        clause: &'static str,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        self.push(Check { rule, clause, expected: expected.into(), actual: actual.into(), verdict });
    }

    /// Adds a check that was kept.
    pub fn pass(
        &mut self,
        rule: &'static str,
        clause: &'static str,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        self.add(Verdict::Pass, rule, clause, expected, actual);
    }

    /// Adds a check that was broken.
    pub fn fail(
        &mut self,
        rule: &'static str,
        clause: &'static str,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        self.add(Verdict::Fail, rule, clause, expected, actual);
    }

    /// Adds a check that did not apply.
    pub fn skip(&mut self, rule: &'static str, clause: &'static str, expected: impl Into<String>) {
        self.add(Verdict::Skipped, rule, clause, expected, "");
    }

    /// Keeps what came out of a JWE, for whoever explains what is wrong with it.
    pub fn keep(&mut self, content: Zeroizing<Vec<u8>>) {
        self.content = Content(Some(content));
    }

    /// What came out of the JWE, if one was opened.
    pub fn content(&self) -> Option<&[u8]> {
        self.content.0.as_ref().map(|content| content.as_slice())
    }

    /// The first broken rule, if any.
    pub fn first_failure(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.verdict == Verdict::Fail)
    }
}

/// Offered text made fit for a trace.
pub(crate) fn shown(text: &str) -> String {
    Offered::new(text).as_str().to_owned()
}
