//! Where each of a client's keys stands, in one word.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signet_jose::KeyUse;

use super::check_protection::encrypted;
use super::{encryption_key, next_encryption_key};
use crate::context::UnixTime;
use crate::records::{ClientKey, ClientSettings, words};

words! {
    /// Where a client's key stands.
    ClientKeyState {
        /// Messages that it signs are accepted, or responses are encrypted to it.
        InUse = "in_use",
        /// Responses will be encrypted to it from an instant on that is known.
        Next = "next",
        /// Its period has not begun.
        Waiting = "waiting",
        /// Within its period, but nothing is encrypted to it.
        Valid = "valid",
        /// Its period is over.
        Ended = "ended",
        /// Withdrawn.
        Revoked = "revoked",
    }
}

/// The state of `key` among `all` of its client's, and for [`ClientKeyState::Next`] the instant from which on it is used.
/// Every signing key within its period is in use; to which encryption key is encrypted is the choice of
/// [`encryption_key`].
pub fn key_state(
    key: &ClientKey,
    all: &[ClientKey],
    settings: &ClientSettings,
    propagation: i64,
    now: UnixTime,
) -> (ClientKeyState, Option<UnixTime>) {
    if key.revoked_at.is_some_and(|at| at <= now) {
        return (ClientKeyState::Revoked, None);
    }
    if key.not_after.is_some_and(|until| until <= now) {
        return (ClientKeyState::Ended, None);
    }
    let begun = key.not_before.is_none_or(|from| from <= now);
    if key.usage == KeyUse::Sig {
        return (if begun { ClientKeyState::InUse } else { ClientKeyState::Waiting }, None);
    }
    let algs = || encrypted(settings).into_iter().map(|(_, encryption)| encryption.alg);
    let chosen =
        |alg| encryption_key(all, settings, alg, propagation, now).is_ok_and(|chosen| chosen.id == key.id);
    if algs().any(chosen) {
        return (ClientKeyState::InUse, None);
    }
    // Not only the next one has its turn: another key may come before it.
    let turn = |alg| {
        let mut at = now;
        while let Some(takeover) = next_encryption_key(all, settings, alg, propagation, at) {
            if takeover.key.is_ok_and(|next| next.id == key.id) {
                return Some(takeover.at);
            }
            at = takeover.at;
        }
        None
    };
    let takeover = algs().filter_map(turn).min();
    match takeover {
        Some(at) => (ClientKeyState::Next, Some(at)),
        None if begun => (ClientKeyState::Valid, None),
        None => (ClientKeyState::Waiting, None),
    }
}
