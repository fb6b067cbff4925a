//! Client keys that are published at a `jwks_uri` (OpenID Connect Dynamic Client Registration section 2): how long what
//! was fetched may be used, when to fetch again, and what to make of a set that has changed.
//!
//! - A set is *fresh* for as long as its `Cache-Control` says, within bounds. Then it is *stale*: used still, while it is
//!   fetched anew behind the scenes, so that nobody waits for a server that is down. After a day without a fetch that
//!   succeeded it is *gone*.
//! - An unknown `kid` is a reason to fetch at once (OpenID Connect Core section 10.1.1: "The verifier knows to go back to
//!   the `jwks_uri` location to re-retrieve the keys when it sees an unfamiliar `kid` value"), and so is having to encrypt
//!   with a stale set (section 10.2.1). Everybody can make up a `kid`, so both respect a pause between fetches.
//! - A `kid` that returns with other material is an alarm: whoever caches keys by `kid`, as the standard has it, would
//!   never notice, so either it is a mistake or somebody writes to the set who should not. The newcomer is refused, and
//!   what the `kid` meant is kept, for as long as the `kid` is listed and at most a day. See [`ChangedKeys`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use signet_jose::{ImportedKey, KeyFault, KeyUse, PublicKey, import_set};
use uuid::Uuid;

use crate::client_policy::{KeySet, Unreadable};
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::ids::{ClientId, TenantId};
use crate::records::{ClientKey, KeyOrigin};

/// Freshness where the answer does not say, in seconds.
pub const DEFAULT_AGE: i64 = 600;
/// Shortest freshness, whatever the answer says: a set that may not be kept at all would be fetched for every login.
pub const MIN_AGE: i64 = 60;
/// Longest freshness, whatever the answer says: a withdrawn key has to be noticed.
pub const MAX_AGE: i64 = 86_400;
/// How long a stale set is used when it cannot be fetched (RFC 5861 section 4), in seconds.
pub const STALE_IF_ERROR: i64 = 86_400;
/// Shortest pause between two fetches of one URI, in seconds. Six times shorter than the minute that a client may expect
/// its new key to need, and long enough that made-up `kid`s cannot be used to have somebody flooded.
pub const PAUSE: i64 = 10;
/// Longest pause after failures in a row; each failure doubles it.
pub const MAX_PAUSE: i64 = 300;
/// Shortest pause before somebody who looks is shown the result of another fetch, in seconds.
pub const LOOK_PAUSE: i64 = 2;
/// Most members of a set that are told to be of no use.
const MAX_SKIPPED: usize = 3;
/// How long it is remembered what a `kid` meant, in seconds.
const MEMORY: i64 = 86_400;
/// Most names remembered for one URI.
const MAX_REMEMBERED: usize = 200;

/// What to do with a key whose `kid` meant another key before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangedKeys {
    /// Keep what the `kid` meant. For production.
    Refuse,
    /// Take the new one, with the same alarm. For development, where a client makes its keys anew at every start.
    Take,
}

/// What the keys are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// To verify, with whatever is there.
    Verify,
    /// To encrypt to one of them. OpenID Connect Core section 10.2.1: before encrypting, keys that are cached longer than
    /// they may be are to be fetched again.
    Encrypt,
    /// A token was met that none of them verifies.
    UnknownKid,
    /// Somebody who administers the client saves what depends on them, and wants to know what is there now. Few may ask so,
    /// and whoever has just mended their server is not made to wait for the pause that follows failures.
    Look,
}

/// What is to be done before the keys are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: use what is there, if anything is.
    Use,
    /// Use what is there, and fetch behind the scenes.
    Refresh,
    /// Wait a moment for a fetch, then use what is there.
    WaitBriefly,
    /// Wait for a fetch.
    Wait,
}

/// One published key, for one usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteKey {
    usage: KeyUse,
    kid: String,
    thumbprint: String,
    jwk: Map<String, Value>,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
    first_seen: UnixTime,
}

/// Something that the operator must hear of: a `kid` has other material than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The `kid`.
    pub kid: String,
    /// RFC 7638 thumbprint of what it meant.
    pub known: String,
    /// RFC 7638 thumbprint of what is offered.
    pub offered: String,
    /// Whether the new key was taken.
    pub taken: bool,
}

/// What a fetched set came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Names with other material than before; each is told once.
    pub alarms: Vec<Alarm>,
    /// Members that cannot be used: their place in the set, and why.
    pub skipped: Vec<(usize, KeyFault)>,
}

/// Keys of one kind under one `kid` mean one key. RFC 7517 section 4.5 lets keys share a `kid` if they "have different
/// "kty" [...] values but are considered to be equivalent alternatives by the application using them".
type Name = (&'static str, String, String);

#[derive(Clone, Debug)]
struct Meaning {
    thumbprint: String,
    first_seen: UnixTime,
    last_seen: UnixTime,
    /// What was offered instead and has been told already.
    told: Option<String>,
}

/// What is known of one `jwks_uri`.
#[derive(Clone, Debug, Default)]
pub struct KeySource {
    keys: Vec<RemoteKey>,
    fetched_at: Option<UnixTime>,
    fresh_until: UnixTime,
    attempted_at: Option<UnixTime>,
    next_attempt: UnixTime,
    failures: u32,
    failing: Option<Unreadable>,
    skipped: Vec<String>,
    meanings: BTreeMap<Name, Meaning>,
}

impl KeySource {
    /// The keys that may be used at `now`; none if the set is gone or was never fetched.
    pub fn keys(&self, now: UnixTime) -> &[RemoteKey] {
        if self.is_usable(now) { &self.keys } else { &[] }
    }

    /// What is known at `now`, for a client of whose keys this is the set.
    pub fn known(&self, tenant: &TenantId, client_id: &ClientId, now: UnixTime) -> KeySet {
        let usable = self.is_usable(now);
        KeySet {
            keys: self.keys(now).iter().map(|key| key.record(tenant, client_id)).collect(),
            read_at: self.fetched_at.filter(|_| usable),
            failing: self.failing.clone(),
            skipped: self.skipped.clone(),
        }
    }

    /// Whether there are keys that may be used at `now`, and whether the last attempt failed.
    pub fn standing(&self, now: UnixTime) -> (bool, bool) {
        (self.is_usable(now), self.failing.is_some())
    }

    fn is_usable(&self, now: UnixTime) -> bool {
        self.fetched_at.is_some() && now < self.fresh_until.saturating_add(STALE_IF_ERROR)
    }

    /// What is to be done for `demand` at `now`, when no fetch is under way.
    pub fn need(&self, demand: Demand, now: UnixTime) -> Need {
        // The second half is for clocks that were set back.
        let may = now >= self.next_attempt || self.next_attempt.saturating_sub(now) > MAX_PAUSE;
        let stale = now >= self.fresh_until;
        let looked = |at: UnixTime| (at..at.saturating_add(LOOK_PAUSE)).contains(&now);
        match demand {
            Demand::Look if self.attempted_at.is_some_and(looked) => Need::Use,
            Demand::Look => Need::Wait,
            _ if !may => Need::Use,
            _ if !self.is_usable(now) => Need::Wait,
            Demand::UnknownKid => Need::Wait,
            // Where the last fetch failed, nobody is made to wait for the next one.
            Demand::Encrypt if stale && self.failures == 0 => Need::WaitBriefly,
            Demand::Encrypt | Demand::Verify if stale => Need::Refresh,
            Demand::Encrypt | Demand::Verify => Need::Use,
        }
    }

    /// A fetch for `demand` failed, for a reason with a code and a text that is safe to show. What is there stays, and the
    /// next attempt has to wait; but a look costs the logins nothing: what is known of a URI is shared by all tenants, and
    /// whoever may save a client would else keep others from fresh keys.
    pub fn failed(&mut self, demand: Demand, code: &'static str, reason: String, now: UnixTime) {
        let since = self.failing.as_ref().map_or(now, |failing| failing.since);
        self.failing = Some(Unreadable { since, code, reason });
        self.attempted_at = Some(now);
        if demand == Demand::Look {
            return;
        }
        let doubled = PAUSE.saturating_mul(1 << self.failures.min(8));
        self.failures = self.failures.saturating_add(1);
        self.next_attempt = now.saturating_add(doubled.min(MAX_PAUSE));
    }

    /// A fetch for `demand` brought `body`, which may be kept for `max_age` seconds. What is no JWK Set counts as a failure.
    pub fn fetched(
        &mut self,
        demand: Demand,
        body: &[u8],
        max_age: Option<u64>,
        changed: ChangedKeys,
        now: UnixTime,
    ) -> Result<Learned, KeyFault> {
        let import = import_set(body).inspect_err(|fault| {
            self.failed(demand, fault.code(), format!("what is there is no JWK Set: {fault}"), now);
        })?;
        let mut next = Vec::new();
        let mut learned = Learned { alarms: Vec::new(), skipped: import.skipped };
        for one in &import.keys {
            for usage in [KeyUse::Sig, KeyUse::Enc].into_iter().filter(|usage| one.key.can(*usage)) {
                let key = remote_key(one, usage, now);
                learned.alarms.extend(self.place(key, changed, now, &mut next));
            }
        }
        self.forget(now);
        self.keys = next;
        self.failures = 0;
        self.failing = None;
        let useless =
            |(place, fault): &(usize, KeyFault)| format!("member {} cannot be used: {fault}", place + 1);
        self.skipped = learned.skipped.iter().take(MAX_SKIPPED).map(useless).collect();
        self.attempted_at = Some(now);
        self.fetched_at = Some(now);
        let age = max_age.map_or(DEFAULT_AGE, |age| i64::try_from(age).unwrap_or(MAX_AGE));
        self.fresh_until = now.saturating_add(age.clamp(MIN_AGE, MAX_AGE));
        self.next_attempt = now.saturating_add(PAUSE);
        Ok(learned)
    }

    /// Puts a key, or what its name meant, among the `next` ones.
    fn place(
        &mut self,
        mut key: RemoteKey,
        changed: ChangedKeys,
        now: UnixTime,
        next: &mut Vec<RemoteKey>,
    ) -> Option<Alarm> {
        let name = key.name();
        let known = self.meanings.get_mut(&name).filter(|known| now < known.last_seen.saturating_add(MEMORY));
        let Some(known) = known else {
            let meaning =
                Meaning { thumbprint: key.thumbprint.clone(), first_seen: now, last_seen: now, told: None };
            self.meanings.insert(name, meaning);
            add(next, key);
            return None;
        };
        if known.thumbprint == key.thumbprint {
            known.last_seen = now;
            key.first_seen = known.first_seen;
            add(next, key);
            return None;
        }
        let alarm = (known.told.as_ref() != Some(&key.thumbprint)).then(|| Alarm {
            kid: key.kid.clone(),
            known: known.thumbprint.clone(),
            offered: key.thumbprint.clone(),
            taken: changed == ChangedKeys::Take,
        });
        known.told = Some(key.thumbprint.clone());
        match changed {
            ChangedKeys::Refuse => {
                let kept = self.keys.iter().filter(|old| old.name() == name).cloned();
                kept.for_each(|old| add(next, old));
            }
            ChangedKeys::Take => {
                *known = Meaning {
                    thumbprint: key.thumbprint.clone(),
                    first_seen: now,
                    last_seen: now,
                    told: None,
                };
                next.retain(|other| other.name() != name);
                add(next, key);
            }
        }
        alarm
    }

    fn forget(&mut self, now: UnixTime) {
        self.meanings.retain(|_, known| now < known.last_seen.saturating_add(MEMORY));
        while self.meanings.len() > MAX_REMEMBERED {
            let oldest =
                self.meanings.iter().min_by_key(|(_, known)| known.last_seen).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { return };
            self.meanings.remove(&oldest);
        }
    }
}

fn add(keys: &mut Vec<RemoteKey>, key: RemoteKey) {
    if !keys.iter().any(|other| other.usage == key.usage && other.jwk == key.jwk) {
        keys.push(key);
    }
}

fn remote_key(one: &ImportedKey, usage: KeyUse, now: UnixTime) -> RemoteKey {
    let key: PublicKey = one.key.clone().with_use(usage);
    let kid = key.kid().unwrap_or(key.thumbprint()).to_owned();
    // As for keys that are registered by value: responses always carry a kid, and a signing key without one
    // verifies whatever kid a token has.
    let named = key.kid().is_some() || usage == KeyUse::Enc;
    let jwk = if named { key.clone().with_kid(&kid).to_jwk() } else { key.to_jwk() };
    RemoteKey {
        usage,
        kid,
        thumbprint: key.thumbprint().to_owned(),
        jwk,
        not_before: one.not_before,
        not_after: one.not_after,
        first_seen: now,
    }
}

impl RemoteKey {
    /// The `kid`, or the thumbprint of a key that has none.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn name(&self) -> Name {
        let kty = self.jwk.get("kty").and_then(Value::as_str).unwrap_or_default();
        (self.usage.name(), self.kid.clone(), kty.to_owned())
    }

    /// The key as one of this client's. The same key of the same client has the same id on every node.
    pub fn record(&self, tenant: &TenantId, client_id: &ClientId) -> ClientKey {
        ClientKey {
            tenant: tenant.clone(),
            client_id: client_id.clone(),
            id: self.id(client_id),
            name: format!("jwks_uri ({})", self.kid),
            usage: self.usage,
            kid: self.kid.clone(),
            thumbprint: self.thumbprint.clone(),
            jwk: self.jwk.clone(),
            not_before: self.not_before,
            not_after: self.not_after,
            origin: KeyOrigin::JwksUri,
            created_at: self.first_seen,
            revoked_at: None,
        }
    }

    fn id(&self, client_id: &ClientId) -> Uuid {
        let mut hash = Sha256::new();
        let alg = self.jwk.get("alg").and_then(Value::as_str).unwrap_or_default();
        for part in [client_id.as_str(), self.usage.name(), &self.kid, &self.thumbprint, alg] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// Whether a refusal may be for want of a key that the client has published meanwhile: its keys should then be fetched
/// again, and the message judged again with those.
pub fn may_be_stale(fault: &Fault) -> bool {
    use signet_jose::JoseFault;
    crate::client_assertion::keys_may_be_stale(fault)
        || matches!(fault, Fault::ObjectKeyMissing | Fault::Object(JoseFault::KeyUnknown { .. }))
}
