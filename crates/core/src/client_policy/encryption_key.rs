//! Which of a client's keys its responses are encrypted to.

use signet_jose::{KeyAlg, KeyUse};

use super::fit::fits_enc;
use crate::coded::coded;
use crate::context::UnixTime;
use crate::records::{ClientKey, ClientSettings};

coded! {
    /// Why there is no key to encrypt to. Nothing is sent unencrypted instead.
    NoKey {
        NoneRegistered = "no_key_registered", "The client has no encryption key. Register one with the usage \"enc\".";
        NonePublished = "no_key_published", "None of them is for encryption. Publish one with \"use\": \"enc\".";
        NoneFits { alg: KeyAlg } = "no_key_fits", "None of the client's encryption keys can be used with {alg}. Register one that can, or choose another algorithm.";
        NotYet { starts: UnixTime } = "no_key_yet", "None of the client's encryption keys is valid yet; the first one will be from {starts} (Unix time) on.";
        Expired { last: UnixTime } = "no_key_any_more", "Every encryption key of the client has ended, the last one at {last} (Unix time). Register a new one.";
        PinnedUnknown { kid: String } = "pinned_key_unknown", "encryption_kid names \"{kid}\", but the client has no encryption key of that kid. Register it, or remove encryption_kid.";
        PinnedUnfit { kid: String, alg: KeyAlg } = "pinned_key_unfit", "encryption_kid names \"{kid}\", but that key cannot be used with {alg}. Name another key, or choose another algorithm.";
        PinnedUnusable { kid: String } = "pinned_key_unusable", "encryption_kid names \"{kid}\", but that key is not valid now. Name another key, or remove encryption_kid.";
    }
}

/// The key that responses of this client are encrypted to with `alg` at `now`.
///
/// the pinned key if `encryption_kid` names one. A pinned key that cannot be used is an answer, not a reason to
/// take another: whoever pinned it said that only this one will do. Otherwise, of the keys that fit and are within
/// their period, the one with the latest start that lies at least `propagation` seconds back, so that a new key is used
/// only once it can have reached every node of the client; and as long as none is that old, the one with the oldest
/// start. Equal starts are decided by `kid`, the greater one first. The start is `not_before`, else the time of
/// registration.
pub fn encryption_key<'a>(
    keys: &'a [ClientKey],
    settings: &ClientSettings,
    alg: KeyAlg,
    propagation: i64,
    now: UnixTime,
) -> Result<&'a ClientKey, NoKey> {
    let mut registered = keys.iter().filter(|key| is_registered(key, now));
    if let Some(kid) = &settings.encryption_kid {
        return pinned(registered.find(|key| key.kid == *kid), kid, alg, now);
    }
    let registered: Vec<_> = registered.collect();
    if registered.is_empty() {
        return Err(NoKey::NoneRegistered);
    }
    let fitting: Vec<_> = registered.into_iter().filter(|key| fits_enc(key, alg)).collect();
    if fitting.is_empty() {
        return Err(NoKey::NoneFits { alg });
    }
    let usable: Vec<_> = fitting.iter().copied().filter(|key| key.usable_at(now)).collect();
    let old_enough = |key: &&&ClientKey| start(key) <= now.saturating_sub(propagation);
    usable
        .iter()
        .filter(old_enough)
        .max_by_key(|key| (start(key), &key.kid))
        .or_else(|| usable.iter().min_by(|a, b| start(a).cmp(&start(b)).then_with(|| b.kid.cmp(&a.kid))))
        .copied()
        .ok_or_else(|| outside(&fitting, now))
}

/// A key in the sense of the choice: for encryption, and not withdrawn.
fn is_registered(key: &ClientKey, now: UnixTime) -> bool {
    key.usage == KeyUse::Enc && key.revoked_at.is_none_or(|at| now < at)
}

fn start(key: &ClientKey) -> UnixTime {
    key.not_before.unwrap_or(key.created_at)
}

fn pinned<'a>(
    key: Option<&'a ClientKey>,
    kid: &str,
    alg: KeyAlg,
    now: UnixTime,
) -> Result<&'a ClientKey, NoKey> {
    let kid = kid.to_owned();
    match key {
        None => Err(NoKey::PinnedUnknown { kid }),
        Some(key) if !fits_enc(key, alg) => Err(NoKey::PinnedUnfit { kid, alg }),
        Some(key) if !key.usable_at(now) => Err(NoKey::PinnedUnusable { kid }),
        Some(key) => Ok(key),
    }
}

/// Why none of the fitting keys is usable: the next one is still to come, or all have ended.
fn outside(fitting: &[&ClientKey], now: UnixTime) -> NoKey {
    let coming = fitting.iter().filter_map(|key| key.not_before).filter(|from| now < *from).min();
    match coming {
        Some(starts) => NoKey::NotYet { starts },
        None => NoKey::Expired { last: fitting.iter().filter_map(|key| key.not_after).max().unwrap_or(now) },
    }
}

/// The next change of the choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takeover<'a> {
    /// When.
    pub at: UnixTime,
    /// What will be used from then on; `Err` if responses will fail then.
    pub key: Result<&'a ClientKey, NoKey>,
}

/// When the answer of [`encryption_key`] will change if nobody touches the keys, and to what; `None` if it never does.
pub fn next_encryption_key<'a>(
    keys: &'a [ClientKey],
    settings: &ClientSettings,
    alg: KeyAlg,
    propagation: i64,
    now: UnixTime,
) -> Option<Takeover<'a>> {
    let choose = |at| encryption_key(keys, settings, alg, propagation, at);
    let current = choose(now).ok().map(|key| key.id);
    // The choice can change only where a key starts, has spread, ends, or is withdrawn.
    let mut instants: Vec<UnixTime> = keys
        .iter()
        .filter(|key| key.usage == KeyUse::Enc)
        .flat_map(|key| {
            let spread = start(key).saturating_add(propagation);
            [key.not_before, Some(spread), key.not_after, key.revoked_at]
        })
        .flatten()
        .filter(|at| now < *at)
        .collect();
    instants.sort_unstable();
    instants.into_iter().find_map(|at| {
        let key = choose(at);
        (key.as_ref().ok().map(|key| key.id) != current).then_some(Takeover { at, key })
    })
}
