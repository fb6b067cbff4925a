//! What is known of the keys that a client publishes at its `jwks_uri`. They are fetched elsewhere and handed in: what is
//! there can be judged only as it was at the last look.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::context::UnixTime;
use crate::records::{ClientKey, ClientSettings};

/// Why a key set could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// When the first of the attempts was made that have failed since.
    pub since: UnixTime,
    /// The stable code of the last one's reason.
    pub code: &'static str,
    /// The last one's reason, as half a sentence that is safe to show.
    pub reason: String,
}

/// What the last look at a client's `jwks_uri` brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    /// The keys that are used, one record for each usage.
    pub keys: Vec<ClientKey>,
    /// When the set was read that they are of; `None` if there is none that may be used.
    pub read_at: Option<UnixTime>,
    /// Why the last attempt failed, if it did.
    pub failing: Option<Unreadable>,
    /// Members of the set that cannot be used, and why; the first few.
    pub skipped: Vec<String>,
}

/// The public keys of a client.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    /// Those that are kept here.
    pub registered: &'a [ClientKey],
    /// What is known of those that it publishes; `None` if nobody has looked.
    pub set: Option<&'a KeySet>,
}

impl<'a, T: AsRef<[ClientKey]> + ?Sized> From<&'a T> for Keys<'a> {
    fn from(keys: &'a T) -> Self {
        Self { registered: keys.as_ref(), set: None }
    }
}

/// What the rules may conclude about keys that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published<'a> {
    /// The client publishes none: what is registered is all.
    Nothing,
    /// Nobody has looked yet. Registration section 2 and RFC 7591 let a client register before it serves anything.
    Unread,
    /// This is what it has.
    Read(&'a KeySet),
    /// Nothing there can be used.
    Unreadable(&'a Unreadable),
}

impl<'a> Keys<'a> {
    /// What is registered, with what was read.
    pub fn with(registered: &'a [ClientKey], set: &'a KeySet) -> Self {
        Self { registered, set: Some(set) }
    }

    /// Every key, published ones behind the registered ones.
    pub fn all(&self) -> Cow<'a, [ClientKey]> {
        match self.set {
            Some(set) if !set.keys.is_empty() => [self.registered, &set.keys].concat().into(),
            _ => self.registered.into(),
        }
    }

    pub(super) fn published(&self, settings: &ClientSettings) -> Published<'a> {
        match (&settings.jwks_uri, self.set) {
            (None, _) => Published::Nothing,
            (Some(_), Some(set)) if set.read_at.is_some() => Published::Read(set),
            (Some(_), Some(KeySet { failing: Some(failing), .. })) => Published::Unreadable(failing),
            (Some(_), _) => Published::Unread,
        }
    }
}

impl KeySet {
    /// How many keys there are; one that serves both usages is one.
    pub fn count(&self) -> usize {
        self.keys.iter().map(|key| (&key.kid, &key.thumbprint)).collect::<BTreeSet<_>>().len()
    }

    /// What was found, in words.
    pub(super) fn described(&self) -> String {
        let count = match self.count() {
            0 => "no key that can be used".to_owned(),
            1 => "1 key".to_owned(),
            count => format!("{count} keys"),
        };
        match self.skipped.first() {
            Some(first) => format!("{count} ({first})"),
            None => count,
        }
    }
}
