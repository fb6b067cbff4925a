//! The life of a tenant's own keys: which must be made, when each comes into use, and when it goes.
//!
//! A key's state follows from its times (see [`TenantKey::state`]), so the only things that ever happen are that a key
//! is made and that its end is moved. Both are decided here; making and sealing the material is the caller's part.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use signet_jose::{KeyAlg, KeyFamily, KeySpec, KeyUse, SigAlg};

use crate::change::Change;
use crate::context::UnixTime;
use crate::records::{KeyState, Tenant, TenantKey, TenantSettings};

/// How long a key and its successor are both in use, in seconds: room for clocks that differ.
const OVERLAP: i64 = 3600;
/// Instants that depend on when somebody looked are rounded to this many seconds, so that two nodes that look at once
/// name the same key.
const GRAIN: i64 = 60;

/// A key that must be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNeed {
    /// Follows from usage, kind and start: of two nodes that make the same key at once, the second one's insert is
    /// [`crate::change::Conflict::Exists`], and it has nothing left to do.
    pub id: String,
    /// What it is for.
    pub usage: KeyUse,
    /// What kind of key.
    pub spec: KeySpec,
    /// The algorithms it serves.
    pub algs: Vec<String>,
    /// Published from here on: the instant of planning.
    pub created_at: UnixTime,
    /// In use from here on.
    pub use_from: UnixTime,
    /// No longer in use from here on.
    pub use_until: UnixTime,
    /// Gone from here on.
    pub remove_at: UnixTime,
}

impl KeyNeed {
    /// The record, once the material is there. `kid`, `use` and `alg` are taken out of the public JWK: they differ from
    /// one published entry to the next.
    #[must_use]
    pub fn into_key(
        self,
        tenant: &Tenant,
        mut public_jwk: Map<String, Value>,
        sealed_private: Vec<u8>,
    ) -> TenantKey {
        public_jwk.retain(|name, _| !["kid", "use", "alg"].contains(&name.as_str()));
        TenantKey {
            tenant: tenant.id.clone(),
            id: self.id,
            usage: self.usage,
            spec: self.spec,
            algs: self.algs,
            public_jwk,
            sealed_private,
            created_at: self.created_at,
            use_from: self.use_from,
            use_until: self.use_until,
            remove_at: self.remove_at,
            revoked_at: None,
        }
    }
}

/// One material that the settings ask for, and the algorithms that it is to serve.
struct Slot {
    usage: KeyUse,
    spec: KeySpec,
    algs: Vec<String>,
}

fn spec_of(family: KeyFamily) -> Option<KeySpec> {
    KeySpec::ALL.iter().copied().find(|spec| spec.kind().family() == family)
}

/// Agreement algorithms get a P-256 and an X25519 key, since few clients can do both.
fn encryption_specs(alg: KeyAlg) -> &'static [KeySpec] {
    if alg.is_agreement() { &[KeySpec::P256, KeySpec::X25519] } else { &[KeySpec::Rsa2048] }
}

fn slots(settings: &TenantSettings) -> Vec<Slot> {
    let signing = settings
        .signing_algs
        .iter()
        .filter_map(|alg| Some((KeyUse::Sig, spec_of(SigAlg::key_kind(*alg))?, alg.name())));
    let encryption = settings
        .encryption_algs
        .iter()
        .flat_map(|alg| encryption_specs(*alg).iter().map(|spec| (KeyUse::Enc, *spec, alg.name())));
    let mut slots: Vec<Slot> = Vec::new();
    for (usage, spec, alg) in signing.chain(encryption) {
        match slots.iter_mut().find(|slot| slot.usage == usage && slot.spec == spec) {
            Some(slot) if slot.algs.iter().any(|own| own == alg) => {}
            Some(slot) => slot.algs.push(alg.to_owned()),
            None => slots.push(Slot { usage, spec, algs: vec![alg.to_owned()] }),
        }
    }
    slots
}

/// Whether `key` does for the slot what a key made for it would do. The modulus may differ.
fn serves(key: &TenantKey, slot: &Slot, alg: &str, now: UnixTime) -> bool {
    key.usage == slot.usage
        && key.spec.kind().family() == slot.spec.kind().family()
        && key.algs.iter().any(|own| own == alg)
        && key.state(now) != KeyState::Removed
}

/// Until when `alg` is served without a gap from `now` on; `now` itself if it is not.
fn covered_until(keys: &[TenantKey], slot: &Slot, alg: &str, now: UnixTime) -> UnixTime {
    let mut end = now;
    let serving: Vec<_> = keys.iter().filter(|key| serves(key, slot, alg, now)).collect();
    while let Some(further) =
        serving.iter().filter(|key| key.use_from <= end && end < key.use_until).map(|key| key.use_until).max()
    {
        end = further;
    }
    end
}

fn overlap(settings: &TenantSettings) -> i64 {
    OVERLAP.min(settings.key_lifetime / 10)
}

/// Clients may hold a cached key set for `key_propagation`, so a key cannot go earlier than that after its last use.
fn retention(settings: &TenantSettings) -> i64 {
    settings.key_retention.max(settings.key_propagation)
}

fn id(slot: &Slot, use_from: UnixTime) -> String {
    format!("{}-{}-{use_from}", slot.usage.name(), slot.spec.name())
}

fn need(slot: &Slot, algs: Vec<String>, use_from: UnixTime, tenant: &Tenant, now: UnixTime) -> KeyNeed {
    let use_until = use_from.saturating_add(tenant.settings.key_lifetime);
    KeyNeed {
        id: id(slot, use_from),
        usage: slot.usage,
        spec: slot.spec,
        algs,
        created_at: now,
        use_from,
        use_until,
        remove_at: use_until.saturating_add(retention(&tenant.settings)),
    }
}

/// The keys that must be made at `now`; empty when all is well. Run it at start and then every few minutes.
///
/// An algorithm that nothing serves gets a key that is used at once: nobody can have cached anything about it. One
/// whose service ends soon gets a successor: published at least `key_propagation` before it is used, as long as
/// this runs in time; in use before the old one ends. `keys` are those that the store still holds.
pub fn plan(tenant: &Tenant, keys: &[TenantKey], now: UnixTime) -> Vec<KeyNeed> {
    let settings = &tenant.settings;
    let lead = settings.key_propagation.saturating_mul(2).saturating_add(overlap(settings));
    let mut needs = Vec::new();
    for slot in slots(settings) {
        let mut due: BTreeMap<UnixTime, Vec<String>> = BTreeMap::new();
        for alg in &slot.algs {
            let end = covered_until(keys, &slot, alg, now);
            if end.saturating_sub(lead) <= now {
                due.entry(end).or_default().push(alg.clone());
            }
        }
        for (end, algs) in due {
            let use_from = if end == now { at_once(keys, &slot, now) } else { end - overlap(settings) };
            needs.push(need(&slot, algs, use_from, tenant, now));
        }
    }
    needs
}

/// The start of a key that is used at once: `now`, rounded down; if a key of that name exists already, the nearest instant
/// that is free. An earlier start than `now` does no harm, a key under a name that is taken would never be kept.
fn at_once(keys: &[TenantKey], slot: &Slot, now: UnixTime) -> UnixTime {
    let rounded = now - now.rem_euclid(GRAIN);
    let free = |start: &UnixTime| {
        let id = id(slot, *start);
        keys.iter().all(|key| key.id != id)
    };
    let earlier = (1..).map(|steps| rounded - steps * GRAIN);
    [rounded, now].into_iter().chain(earlier).find(free).unwrap_or(now)
}

/// What an early rotation does.
#[derive(Clone, Debug, Default)]
pub struct Rotation {
    /// Keys to make.
    pub needs: Vec<KeyNeed>,
    /// The new ends of the keys that they replace ([`Change::EndTenantKey`]).
    pub ends: Vec<Change>,
}

/// Rotates every key of `usage` before its time: the successor is published now and takes over after
/// `key_propagation`; the old key is retained as long as ever. Where a successor is published already, that one is used
/// and nothing is made, so that asking twice does no more than asking once.
pub fn rotate_now(tenant: &Tenant, keys: &[TenantKey], usage: KeyUse, now: UnixTime) -> Rotation {
    let settings = &tenant.settings;
    let target = now.saturating_add(settings.key_propagation);
    // Rounded up: never less than `key_propagation` in the JWKS before use.
    let target = target.saturating_add((-target).rem_euclid(GRAIN));
    let mut rotation = Rotation::default();
    for slot in slots(settings).into_iter().filter(|slot| slot.usage == usage) {
        let waiting = |alg: &String| {
            let published =
                |key: &&TenantKey| serves(key, &slot, alg, now) && key.state(now) == KeyState::Published;
            keys.iter().filter(published).map(|key| key.use_from).filter(|from| *from <= target).max()
        };
        let fresh: Vec<String> = slot.algs.iter().filter(|alg| waiting(alg).is_none()).cloned().collect();
        // An old key goes when the last of its algorithms has been taken over.
        let takeover = slot.algs.iter().map(|alg| waiting(alg).unwrap_or(target)).max().unwrap_or(target);
        let use_until = takeover.saturating_add(overlap(settings));
        let active = keys.iter().filter(|key| {
            key.state(now) == KeyState::Active && slot.algs.iter().any(|alg| serves(key, &slot, alg, now))
        });
        rotation.ends.extend(active.filter(|key| use_until < key.use_until).map(|key| {
            Change::EndTenantKey {
                id: key.id.clone(),
                use_until,
                remove_at: use_until.saturating_add(retention(settings)),
            }
        }));
        if !fresh.is_empty() {
            rotation.needs.push(need(&slot, fresh, target, tenant, now));
        }
    }
    rotation
}

/// Withdraws one key at once, for a private key that has leaked, and says what must be made in its place. Tokens and
/// request objects made with it are refused from now on.
pub fn revoke(tenant: &Tenant, keys: &[TenantKey], id: &str, now: UnixTime) -> (Vec<KeyNeed>, Vec<Change>) {
    let after: Vec<TenantKey> = keys
        .iter()
        .cloned()
        .map(|mut key| {
            if key.id == id {
                key.revoked_at = Some(now);
            }
            key
        })
        .collect();
    (plan(tenant, &after, now), vec![Change::RevokeTenantKey { id: id.to_owned(), at: now }])
}
