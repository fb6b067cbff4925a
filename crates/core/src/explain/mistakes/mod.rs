//! The mistakes that are known by name: one row each.
//!
//! A row of [`Kind::Cause`] is recognised by something that can be seen; a row of [`Kind::General`] says what helps against
//! a reason code as such, and is shown where no cause was recognised; a row of [`Kind::Advice`] is shown beside others and
//! for requests that are accepted.

mod claims;
mod form;
mod general;
mod parameters;
mod sealing;
mod signing;
mod token;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Finding;
use super::shown;
use super::sighting::Sighting;
use super::snippets::{PLAIN, Snippet};

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was seen, and it is why the request was refused.
    Cause,
    /// It follows from the reason code.
    General,
    /// It is tolerated, or not the reason.
    Advice,
}

/// One mistake.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// Its stable name.
    pub id: &'static str,
    /// How sure it is.
    pub kind: Kind,
    /// The reason codes that it leads to; empty means any refusal, or for advice no refusal at all.
    pub codes: &'static [&'static str],
    /// The mistake in a few words.
    pub title: &'static str,
    /// What happened.
    pub happened: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// How that is written with common libraries.
    pub code: &'static [Snippet],
    /// What gives it away.
    sign: fn(&Sighting<'_>) -> Option<String>,
}

/// Every mistake, in the order in which they are looked for.
pub fn mistakes() -> impl Iterator<Item = &'static Mistake> {
    [form::ROWS, sealing::ROWS, signing::ROWS, claims::ROWS, parameters::ROWS, general::ROWS, token::ROWS]
        .into_iter()
        .flatten()
}

/// The mistake of this name.
pub(super) fn find(id: &str) -> Option<&'static Mistake> {
    mistakes().find(|mistake| mistake.id == id)
}

/// What helps against a reason code as such.
pub(super) fn of_code(code: &str) -> impl Iterator<Item = &'static Mistake> {
    mistakes().filter(move |mistake| mistake.kind == Kind::General && mistake.codes.contains(&code))
}

/// Names of the mistakes that can be seen, with what gives each away.
pub(super) fn found(sighting: &Sighting<'_>) -> Vec<(String, String)> {
    mistakes()
        .filter_map(|mistake| {
            let any = mistake.codes.is_empty() && (mistake.kind == Kind::Advice || !sighting.code.is_empty());
            let leads = any || mistake.codes.contains(&sighting.code);
            let sign = if leads { (mistake.sign)(sighting) } else { None };
            sign.map(|sign| (mistake.id.to_owned(), shown(&sign)))
        })
        .collect()
}

/// As [`found`], of the mistakes that name the reason code.
pub(super) fn found_for_code(sighting: &Sighting<'_>) -> Vec<(String, String)> {
    let names_it = |id: &str| find(id).is_some_and(|mistake| mistake.codes.contains(&sighting.code));
    found(sighting).into_iter().filter(|(id, _)| names_it(id)).collect()
}

/// The mistakes that are made with and without a request object, with the code for those who send none.
const WITHOUT_OBJECT: &[(&str, &[Snippet])] =
    &[("redirect_uri", PLAIN), ("response_type", PLAIN), ("scope", PLAIN)];

impl Mistake {
    /// What is told of it. `object` is whether a request object was sent.
    pub(super) fn finding(&self, sign: &str, object: bool) -> Finding {
        let plain = WITHOUT_OBJECT.iter().find(|(id, _)| *id == self.id && !object);
        let code = plain.map_or(self.code, |(_, code)| *code);
        Finding {
            id: self.id.to_owned(),
            kind: self.kind,
            title: self.title.to_owned(),
            sign: sign.to_owned(),
            happened: self.happened.to_owned(),
            remedy: self.remedy.to_owned(),
            code: code.to_vec(),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a sign like the others")]
fn always(_: &Sighting<'_>) -> Option<String> {
    Some(String::new())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_general_rows_name_their_codes() {
        let names: BTreeSet<_> = mistakes().map(|mistake| mistake.id).collect();
        assert_eq!(names.len(), mistakes().count());
        for mistake in mistakes() {
            assert!(mistake.kind != Kind::General || !mistake.codes.is_empty(), "{}", mistake.id);
            for text in [mistake.title, mistake.happened, mistake.remedy] {
                assert!(!text.is_empty() && text.is_ascii(), "{}: {text}", mistake.id);
            }
            assert!(mistake.happened.ends_with('.') && mistake.remedy.ends_with('.'), "{}", mistake.id);
            assert!(!mistake.title.ends_with('.'), "{}", mistake.id);
        }
        for (id, _) in WITHOUT_OBJECT {
            assert!(find(id).is_some(), "{id}");
        }
    }
}
