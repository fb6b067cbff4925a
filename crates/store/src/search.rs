//! What listings search by: pieces of text in lower case, prefixes as ranges, spans of time as spans of ids. Ranges are served
//! by an index; patterns are not, on either database.
//!
//! A substring of a text is the beginning of one of its ends, so each end of a searched text is kept as a *piece* in a table
//! beside the record, and a search is one range of one index. The table is the same in both databases, has the tenant in its
//! key, and is folded by the same code. The alternatives are not: PostgreSQL's `pg_trgm` is an extension that a managed
//! database or a role may not have, SQLite's FTS5 has one index for all tenants, and the two fold differently.

use std::collections::BTreeSet;

use signet_core::context::UnixTime;
use signet_core::records::{Client, User};
use uuid::Uuid;

use crate::AuditFilter;

/// Characters of a text that are searched.
const SEARCHED: usize = 200;
/// Characters of a piece, and of what is searched for.
const PIECE: usize = 64;
/// Pieces of one record. A hundred redirect URIs of one application share most of theirs.
const PIECES: usize = 1000;
/// From this many characters on, a search finds them anywhere; fewer are looked for at the beginning only.
const ANYWHERE: usize = 3;
/// Stands before the piece that is the beginning of a text. No piece holds it otherwise.
const BEGINNING: char = '\u{1}';
/// Longest `email` that is found again (RFC 5321 section 4.5.3.1: 64 octets, `@`, 255 octets).
const EMAIL: usize = 320;
/// Up to this many pieces that match, a listing begins with them; when there are more, it goes through the records in their
/// order and finds a page soon.
pub const FEW: i64 = 5000;

/// The claims that name a person (OpenID Connect Core section 5.1).
const NAMES: [&str; 5] = ["name", "given_name", "family_name", "nickname", "preferred_username"];

/// A text as it is searched: in lower case, without control characters, and no longer than an index takes.
fn folded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).flat_map(char::to_lowercase).take(SEARCHED).collect()
}

/// The pieces of texts: every end of each, and once more its beginning as such.
fn pieces<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut pieces = BTreeSet::new();
    for text in texts.into_iter().map(folded).filter(|text| !text.is_empty()) {
        let marked: Vec<char> = std::iter::once(BEGINNING).chain(text.chars()).collect();
        for from in 0..marked.len() {
            if pieces.len() < PIECES {
                pieces.insert(marked.iter().skip(from).take(PIECE).collect::<String>());
            }
        }
    }
    pieces.into_iter().collect()
}

/// What a client is found by: its `client_id`, its name, and the hosts of its redirect URIs.
pub fn client_pieces(client: &Client) -> Vec<String> {
    let own = [client.client_id.as_str(), &client.settings.client_name];
    pieces(own.into_iter().chain(client.settings.redirect_uris.iter().map(|uri| host(uri))))
}

/// Host and port of an address as it was registered; of one without a host (RFC 8252 section 7.1), the scheme.
fn host(uri: &str) -> &str {
    match uri.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => uri.split(':').next().unwrap_or_default(),
    }
}

/// What a user is found by: username, `email`, and the claims that name a person.
pub fn user_pieces(user: &User) -> Vec<String> {
    let claim = |name: &str| user.claims.get(name).and_then(|claim| claim.as_str()).unwrap_or_default();
    let whole = format!("{} {}", claim("given_name"), claim("family_name"));
    let names = NAMES.iter().map(|name| claim(name));
    pieces([user.username.as_str(), claim("email")].into_iter().chain(names).chain([whole.trim()]))
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

/// What somebody typed, as a range of pieces: `None` for nothing, an error for what no piece holds.
pub fn search(typed: Option<&str>) -> Result<Option<Prefix>, Nothing> {
    let Some(typed) = typed.filter(|typed| !typed.is_empty()) else { return Ok(None) };
    if typed.contains(char::is_control) {
        return Err(Nothing);
    }
    let folded: String = folded(typed).chars().take(PIECE).collect();
    let anywhere = folded.chars().count() >= ANYWHERE;
    Ok(Some(Prefix::of(&if anywhere { folded } else { format!("{BEGINNING}{folded}") })))
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

    /// Whether a record with these texts is found.
    fn finds(texts: &[&str], typed: &str) -> bool {
        let Ok(Some(range)) = search(Some(typed)) else { return false };
        pieces(texts.iter().copied()).iter().any(|piece| *piece >= range.from && *piece < range.until)
    }

    #[test]
    fn three_characters_are_found_anywhere_and_fewer_at_the_beginning() {
        let texts = &["Sealed Demo", "Ærø \u{1f980}\u{10ffff}", "100%_\\'", ""];
        for typed in ["s", "SE", "sealed demo", "emo", "D D", "æ", "ÆR", "rø \u{1f980}", "0%_", "_\\'", "1"]
        {
            assert!(finds(texts, typed), "{typed:?}");
        }
        for typed in ["e", "de", "sealed  demo", "demos", "%", "___", "ø", "\u{1}s", "eal\0", "\n", "' OR 1"]
        {
            assert!(!finds(texts, typed), "{typed:?}");
        }
    }

    #[test]
    fn what_is_kept_of_a_text_is_bounded() {
        let long = "ab".repeat(5000);
        assert!(finds(&[&long], &long));
        assert!(finds(&["a\0\u{1}b"], "ab"), "control characters are passed over");
        let many: Vec<String> = (0..100).map(|n| format!("{}{n}", "xyz".repeat(n))).collect();
        let kept = pieces(many.iter().map(String::as_str));
        assert_eq!(kept.len(), PIECES);
        assert!(kept.iter().all(|piece| piece.chars().count() <= PIECE));
        assert!(pieces(["", "\0"]).is_empty());
        let expanding = "İ".repeat(300);
        assert_eq!(folded(&expanding).chars().count(), SEARCHED);
    }

    #[test]
    fn an_address_is_found_by_its_host() {
        for (uri, expected) in [
            ("https://App.example:8443/cb?x", "App.example:8443"),
            ("http://127.0.0.1/cb", "127.0.0.1"),
            ("https://rp.example", "rp.example"),
            ("https://[::1]?x", "[::1]"),
            ("com.example.app:/cb", "com.example.app"),
            ("", ""),
        ] {
            assert_eq!(host(uri), expected);
        }
    }

    #[test]
    fn addresses_are_searched_in_lower_case_up_to_what_a_text_column_takes() {
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
