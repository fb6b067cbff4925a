//! What listings search by: text in lower case, prefixes as ranges, spans of time as spans of ids. Ranges are served by an
//! index; patterns are not, on either database.

use signet_core::context::UnixTime;
use signet_core::records::User;
use uuid::Uuid;

use crate::AuditFilter;

/// Characters of a name that are searched.
const SEARCHED: usize = 200;
/// Longest `email` that is found again (RFC 5321 section 4.5.3.1: 64 octets, `@`, 255 octets).
const EMAIL: usize = 320;

/// A name as it is searched: in lower case, cut where no text column goes on (U+0000) and where an index would become long.
pub fn folded(name: &str) -> String {
    name.chars().take_while(|c| *c != '\0').flat_map(char::to_lowercase).take(SEARCHED).collect()
}

/// The `email` claim of a user as it is searched.
pub fn email_of(user: &User) -> Option<String> {
    user.claims.get("email").and_then(|claim| claim.as_str()).and_then(email)
}

/// An address as it is searched; `None` for what is none.
pub fn email(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.chars().count() <= EMAIL && !text.contains('\0');
    fits.then(|| text.to_lowercase())
}

/// The range of the texts that begin with a prefix, by code point (and so by octet of UTF-8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The first of them: the prefix.
    pub from: String,
    /// The first text after all of them.
    pub until: String,
}

impl Prefix {
    /// The range of `prefix`.
    pub fn of(prefix: &str) -> Self {
        let mut chars: Vec<char> = prefix.chars().collect();
        while let Some(last) = chars.pop() {
            if let Some(next) = successor(last) {
                chars.push(next);
                return Self { from: prefix.to_owned(), until: chars.into_iter().collect() };
            }
        }
        // The last code point is no character (Unicode section 23.7), so no name begins with it.
        let until = "\u{10ffff}".repeat(prefix.chars().count() + 1);
        Self { from: prefix.to_owned(), until }
    }
}

fn successor(c: char) -> Option<char> {
    match c {
        '\u{d7ff}' => Some('\u{e000}'),
        c => char::from_u32(u32::from(c) + 1),
    }
}

/// What is searched for: a name in lower case, as a client's and a user's, and the octets of an identifier with the letters
/// A to Z in lower case.
#[derive(Clone, Debug)]
pub struct Search {
    /// For `client_id`.
    pub id: Prefix,
    /// For names.
    pub name: Prefix,
    /// For usernames and addresses.
    pub text: Prefix,
}

/// What somebody typed: `None` for nothing, an error for what no stored text begins with.
pub fn search(typed: Option<&str>) -> Result<Option<Search>, Nothing> {
    match typed.filter(|typed| !typed.is_empty()) {
        None => Ok(None),
        Some(typed) if typed.contains('\0') => Err(Nothing),
        Some(typed) => Ok(Some(Search {
            id: Prefix::of(&typed.to_ascii_lowercase()),
            name: Prefix::of(&folded(typed)),
            text: Prefix::of(&typed.to_lowercase()),
        })),
    }
}

/// Nothing can be found.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

/// The ids that a filter leaves: from the first on, before the second.
pub fn span(filter: &AuditFilter) -> (Uuid, Uuid) {
    let from = filter.since.map_or(Uuid::nil(), first_id);
    let until = filter.until.map_or(Uuid::max(), first_id);
    (from, filter.before.map_or(until, |before| before.min(until)))
}

/// The smallest identifier of an instant (RFC 9562 section 5.7: the first 48 bits are milliseconds).
fn first_id(at: UnixTime) -> Uuid {
    let millis = u128::try_from(at).unwrap_or(0).saturating_mul(1000);
    if millis < 1 << 48 { Uuid::from_u128(millis << 80) } else { Uuid::max() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_range_of_exactly_the_texts_that_begin_with_it() {
        let texts = [
            "",
            "a",
            "ab",
            "abc",
            "abz",
            "ac",
            "b",
            "ä",
            "ä\u{10ffff}z",
            "\u{d7ff}",
            "\u{d7ff}x",
            "\u{e000}",
        ];
        for prefix in texts {
            let range = Prefix::of(prefix);
            for text in texts {
                let within = *text >= *range.from && *text < *range.until;
                assert_eq!(within, text.starts_with(prefix), "{prefix:?} {text:?}");
            }
        }
    }

    #[test]
    fn names_are_searched_in_lower_case_up_to_what_a_text_column_takes() {
        assert_eq!(folded("Ærø Bank"), "ærø bank");
        assert_eq!(folded("a\0b"), "a");
        assert_eq!(folded(&"İ".repeat(300)).chars().count(), SEARCHED);
        assert_eq!(email("Ada@Example.COM").as_deref(), Some("ada@example.com"));
        for none in ["", "a\0@example.com", &"a".repeat(321)] {
            assert_eq!(email(none), None);
        }
    }

    #[test]
    fn a_span_of_time_is_a_span_of_ids() {
        let at = 1_800_000_000;
        let id = uuid::Builder::from_unix_timestamp_millis(1_800_000_000_500, &[0; 10]).into_uuid();
        let filter = |since, until, before| AuditFilter { since, until, before, ..AuditFilter::default() };
        let within = |filter: AuditFilter| {
            let (from, until) = span(&filter);
            id >= from && id < until
        };
        assert!(within(filter(None, None, None)));
        assert!(within(filter(Some(at), Some(at + 1), None)));
        assert!(!within(filter(Some(at + 1), None, None)));
        assert!(!within(filter(None, Some(at), None)));
        assert!(!within(filter(Some(i64::MAX), None, None)));
        assert!(within(filter(Some(i64::MIN), Some(i64::MAX), None)));
        assert!(!within(filter(None, Some(at + 1), Some(id))));
    }
}
