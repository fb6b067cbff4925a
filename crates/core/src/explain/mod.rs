//! Explains an authorization request: layer by layer what was checked, what was expected and what was there, and what to
//! do about it. Nothing is decided here and nothing is consumed: the judgement is [`crate::authorize`]'s, and its trace
//! is read.
//!
//! A [`Record`] holds everything that an explanation is made from, bounded and without secrets. It is made where a request
//! is judged, goes into the audit event of a refusal, and gives the same [`Report`] then and later.

mod bench;
mod layers;
mod mistakes;
mod paste;
mod record;
mod sighting;
mod snippets;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signet_jose::Verdict;

pub use bench::{Bench, Opening};
pub use layers::LayerName;
pub use mistakes::{Kind, Mistake, mistakes};
pub use paste::{MAX_PASTE, Pasted};
pub use record::{MAX_CHECKS, Record};
pub use sighting::Scene;
pub use snippets::Snippet;

/// Longest text of a check, in characters.
pub const MAX_SHOWN: usize = 200;

/// Longest sentence that is kept of a refusal, in characters.
pub const MAX_SENTENCE: usize = 500;

/// Offered text made fit to be shown: printable ASCII, at most [`MAX_SHOWN`] characters.
pub(crate) fn shown(text: &str) -> String {
    cut(text, MAX_SHOWN)
}

/// A sentence made fit to be shown: printable ASCII, at most [`MAX_SENTENCE`] characters.
pub(crate) fn sentence(text: &str) -> String {
    cut(text, MAX_SENTENCE)
}

fn cut(text: &str, limit: usize) -> String {
    let mut clean: String =
        text.chars().take(limit).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect();
    if text.chars().nth(limit).is_some() {
        clean.truncate(limit - 3);
        clean.push_str("...");
    }
    clean
}

/// An explained request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// Whether the request would be (or was) accepted.
    pub accepted: bool,
    /// Whose request it is, as far as that is known.
    pub client_id: Option<String>,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// What probably happened and what to do, the most telling first.
    pub findings: Vec<Finding>,
    /// What was looked at, from the outside in.
    pub layers: Vec<Layer>,
    /// How many checks did not fit in.
    pub left_off: usize,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    /// The stable reason code.
    pub code: String,
    /// The `error` that the client was told.
    pub error: String,
    /// The sentence that the person was shown.
    pub text: String,
}

/// Something that was recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The mistake's stable name.
    pub id: String,
    /// How sure it is.
    pub kind: Kind,
    /// The mistake in a few words.
    pub title: String,
    /// What gave it away; empty if the reason code alone did.
    pub sign: String,
    /// What happened.
    pub happened: String,
    /// What to do.
    pub remedy: String,
    /// How that is written with common libraries.
    pub code: Vec<Snippet>,
}

/// One layer of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Layer {
    /// Which one.
    pub name: LayerName,
    /// Its heading.
    pub title: String,
    /// How it went: the worst of its checks.
    #[schemars(with = "String")]
    pub verdict: Verdict,
    /// What stands there.
    pub facts: Vec<Fact>,
    /// What was checked.
    pub checks: Vec<Line>,
}

/// Something that stands in a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// In which layer.
    pub layer: LayerName,
    /// The header member, or what else it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One check, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The rule's stable name.
    pub rule: String,
    /// Where the rule is written.
    pub clause: String,
    /// What the rule wants.
    pub expected: String,
    /// What was found.
    pub actual: String,
    /// The judgement.
    #[schemars(with = "String")]
    pub verdict: Verdict,
}
