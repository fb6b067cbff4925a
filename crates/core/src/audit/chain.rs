//! The chain that makes the audit trail tamper-evident.
//!
//! A link covers the events that were written since the link before it. Its MAC is HMAC-SHA-256 (RFC 2104) under a key that
//! follows from the master key, over the MAC of the link before and every field of every event. So whoever can write to the
//! database but has not got the master key can neither change nor remove what a link covers, nor make a link anew. When the
//! time of a link's events is over they are removed; a second MAC says that Signet removed them.

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::change::Change;
use crate::context::UnixTime;
use crate::ids::{ClientId, TenantId};
use crate::records::{AuditEvent, AuditSeal, AuditTally, Outcome};

/// Events are kept at least this many seconds, whatever a tenant's settings say.
pub const MIN_RETENTION: i64 = 86_400;
/// Longest retention that a tenant can set, in seconds.
pub const MAX_RETENTION: i64 = 100 * 365 * 86_400;

const DAY: i64 = 86_400;

/// What links are made with: the first key makes them, all of them are tried when one is judged. So a master key can be
/// replaced; the one before must stay beside it as long as links that it made are to be judged.
pub struct ChainKeys(Vec<Zeroizing<[u8; 32]>>);

impl fmt::Debug for ChainKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainKeys").field("keys", &self.0.len()).finish()
    }
}

impl ChainKeys {
    /// Keys that serve nothing else.
    pub fn new(keys: Vec<Zeroizing<[u8; 32]>>) -> Self {
        Self(keys)
    }

    fn make(&self, input: &Input) -> Option<[u8; 32]> {
        self.0.first().map(|key| input.mac(key))
    }

    fn made(&self, input: &Input, mac: &[u8; 32]) -> bool {
        self.0.iter().any(|key| input.mac(key).ct_eq(mac).into())
    }
}

/// The next link of a tenant's chain, after `last`, over `events`, which no link covers yet. `None` if there are none.
pub fn next(
    keys: &ChainKeys,
    tenant: &TenantId,
    last: Option<&AuditSeal>,
    mut events: Vec<AuditEvent>,
    now: UnixTime,
) -> Option<Change> {
    events.sort_by_key(|event| event.id);
    let newest_at = events.iter().map(|event| event.at).max()?;
    let mut seal = AuditSeal {
        tenant: tenant.clone(),
        number: last.map_or(0, |last| last.number) + 1,
        count: i64::try_from(events.len()).ok()?,
        newest_at,
        mac: [0; 32],
        sealed_at: now,
        purged_at: None,
        purge_mac: None,
    };
    seal.mac = keys.make(&Input::link(last.map(|last| &last.mac), &seal, &events))?;
    let tallies = tallies(&events);
    Some(Change::SealAudit { seal, events: events.iter().map(|event| event.id).collect(), tallies })
}

fn tallies(events: &[AuditEvent]) -> Vec<AuditTally> {
    let mut counts: BTreeMap<(i64, &str, bool, &str), i64> = BTreeMap::new();
    for event in events {
        let refused = event.outcome == Outcome::Refused;
        let reason = event.reason.as_deref().unwrap_or_default();
        *counts.entry((event.at.div_euclid(DAY), &event.kind, refused, reason)).or_default() += 1;
    }
    let tally = |((day, kind, refused, reason), count): ((i64, &str, bool, &str), i64)| AuditTally {
        day,
        kind: kind.to_owned(),
        outcome: if refused { Outcome::Refused } else { Outcome::Success },
        reason: reason.to_owned(),
        count,
    };
    counts.into_iter().map(tally).collect()
}

/// How many of `seals`, which follow each other, say that they are over at `now`: all their events are older than `retention`
/// seconds. What a link says is not judged here; [`purge`] does that.
pub fn expired(seals: &[AuditSeal], retention: i64, now: UnixTime) -> usize {
    let horizon = now.saturating_sub(retention.max(MIN_RETENTION));
    seals.iter().take_while(|seal| seal.newest_at <= horizon).count()
}

/// Removes the `events` of a link at `at`, where all of them are older than `retention` seconds; `before` is the link before
/// it, `events` are all that the store has of it. `None` if it is too early, or if they are removed already.
///
/// The link is judged first: what its row says of its age, and its events themselves, may be forged, and a purge made over
/// that would pass for Signet's own.
pub fn purge(
    keys: &ChainKeys,
    before: Option<&AuditSeal>,
    seal: &AuditSeal,
    events: &[AuditEvent],
    retention: i64,
    at: UnixTime,
) -> Result<Option<Change>, Wrong> {
    let before = before.map(|before| &before.mac);
    check(keys, before, seal, events)?;
    let horizon = at.saturating_sub(retention.max(MIN_RETENTION));
    let newest = events.iter().map(|event| event.at).max();
    if seal.purged_at.is_some() || newest.is_none_or(|newest| newest > horizon) {
        return Ok(None);
    }
    let mac = keys.make(&Input::purge(before, seal, at));
    Ok(mac.map(|mac| Change::PurgeAudit { number: seal.number, at, mac }))
}

/// What is wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A number is not there.
    #[error("link {expected} is missing; the next one there is {found}")]
    Gap {
        /// The number that should follow.
        expected: i64,
        /// The one that does.
        found: i64,
    },
    /// Fewer events than the link says.
    #[error("link {number} covers {wanted} events, and only {found} are there")]
    Missing {
        /// Which link.
        number: i64,
        /// How many it says.
        wanted: i64,
        /// How many there are.
        found: i64,
    },
    /// More events than the link says.
    #[error("link {number} covers {wanted} events, and {found} are there")]
    Extra {
        /// Which link.
        number: i64,
        /// How many it says.
        wanted: i64,
        /// How many there are.
        found: i64,
    },
    /// The MAC is not that of the link before, the link and its events.
    #[error("link {number} or one of its events was changed, or its master key is not given")]
    Mac {
        /// Which link.
        number: i64,
    },
    /// The events were removed before anybody may.
    #[error("the events of link {number} were removed before their time")]
    PurgedEarly {
        /// Which link.
        number: i64,
    },
    /// The events were removed, and not by Signet.
    #[error("the events of link {number} were removed, and not by Signet, or the link was changed")]
    PurgeMac {
        /// Which link.
        number: i64,
    },
    /// Events say that they belong to a link that does not exist.
    #[error("{count} events belong to link {number}, which is not there")]
    Stray {
        /// The number they name.
        number: i64,
        /// How many there are.
        count: i64,
    },
}

impl Wrong {
    /// The stable reason code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Gap { .. } => "link_missing",
            Self::Missing { .. } => "events_missing",
            Self::Extra { .. } => "events_added",
            Self::Mac { .. } => "mac_wrong",
            Self::PurgedEarly { .. } => "purged_early",
            Self::PurgeMac { .. } => "purge_mac_wrong",
            Self::Stray { .. } => "events_stray",
        }
    }
}

/// Judges one link: `before` is the MAC of the link before it, `events` are those that the store has of it.
pub fn check(
    keys: &ChainKeys,
    before: Option<&[u8; 32]>,
    seal: &AuditSeal,
    events: &[AuditEvent],
) -> Result<(), Wrong> {
    let number = seal.number;
    let found = i64::try_from(events.len()).unwrap_or(i64::MAX);
    if let Some(at) = seal.purged_at {
        return check_purged(keys, before, seal, at, found);
    }
    if found < seal.count {
        return Err(Wrong::Missing { number, wanted: seal.count, found });
    }
    if found > seal.count {
        return Err(Wrong::Extra { number, wanted: seal.count, found });
    }
    let mut sorted: Vec<&AuditEvent> = events.iter().collect();
    sorted.sort_by_key(|event| event.id);
    let good = seal.purge_mac.is_none() && keys.made(&Input::link(before, seal, sorted), &seal.mac);
    if good { Ok(()) } else { Err(Wrong::Mac { number }) }
}

fn check_purged(
    keys: &ChainKeys,
    before: Option<&[u8; 32]>,
    seal: &AuditSeal,
    at: UnixTime,
    found: i64,
) -> Result<(), Wrong> {
    let number = seal.number;
    if found > 0 {
        return Err(Wrong::Extra { number, wanted: 0, found });
    }
    if at.saturating_sub(seal.newest_at) < MIN_RETENTION {
        return Err(Wrong::PurgedEarly { number });
    }
    let good = seal.purge_mac.is_some_and(|mac| keys.made(&Input::purge(before, seal, at), &mac));
    if good { Ok(()) } else { Err(Wrong::PurgeMac { number }) }
}

/// What a walk along a chain has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Links.
    pub links: u64,
    /// Links whose events were removed because their time was over.
    pub purged: u64,
    /// Events that the other links cover.
    pub events: u64,
    /// Everything that is wrong, in the order of the links.
    pub wrong: Vec<Wrong>,
    /// Number and MAC of the last link. To compare with what they were before: a chain that was cut off at its end, events
    /// and all, has nothing wrong with what is left.
    pub last: Option<(i64, [u8; 32])>,
}

/// A walk along a chain, from its first link on or from one that was judged before.
#[derive(Debug)]
pub struct Walk<'a> {
    keys: &'a ChainKeys,
    found: Found,
}

impl<'a> Walk<'a> {
    /// Before the first link.
    pub fn new(keys: &'a ChainKeys) -> Self {
        Self { keys, found: Found::default() }
    }

    /// After a link that was judged before.
    pub fn after(keys: &'a ChainKeys, seal: &AuditSeal) -> Self {
        Self { keys, found: Found { last: Some((seal.number, seal.mac)), ..Found::default() } }
    }

    /// What was found so far.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// What is wrong with the next link, if anything. Where a link is missing, the one after it cannot be judged.
    pub fn judge(&self, seal: &AuditSeal, events: &[AuditEvent]) -> Option<Wrong> {
        let (last, before) = self.found.last.as_ref().map_or((0, None), |(last, mac)| (*last, Some(mac)));
        if seal.number != last + 1 {
            return Some(Wrong::Gap { expected: last + 1, found: seal.number });
        }
        check(self.keys, before, seal, events).err()
    }

    /// Goes on to the link, which was judged.
    pub fn pass(&mut self, seal: &AuditSeal, events: &[AuditEvent], wrong: Option<Wrong>) {
        self.found.links += 1;
        self.found.purged += u64::from(seal.purged_at.is_some());
        self.found.events += events.len() as u64;
        self.found.wrong.extend(wrong);
        self.found.last = Some((seal.number, seal.mac));
    }

    /// Notes events of a number that no link has.
    pub fn stray(&mut self, number: i64) {
        if let Some(Wrong::Stray { number: last, count }) = self.found.wrong.last_mut()
            && *last == number
        {
            *count += 1;
        } else {
            self.found.wrong.push(Wrong::Stray { number, count: 1 });
        }
    }

    /// What was found.
    pub fn finish(self) -> Found {
        self.found
    }
}

/// What a MAC is made over: fields one after the other, each with its length before it, so that none runs into the next.
struct Input(Vec<u8>);

impl Input {
    fn link<'e>(
        before: Option<&[u8; 32]>,
        seal: &AuditSeal,
        events: impl IntoIterator<Item = &'e AuditEvent>,
    ) -> Self {
        let mut input = Self::head(b"signet audit link", before, seal);
        for event in events {
            input.event(event);
        }
        input
    }

    /// The events are gone; the link's own MAC stands for them.
    fn purge(before: Option<&[u8; 32]>, seal: &AuditSeal, at: UnixTime) -> Self {
        let mut input = Self::head(b"signet audit purge", before, seal);
        input.field(&seal.mac);
        input.number(at);
        input
    }

    fn head(label: &[u8], before: Option<&[u8; 32]>, seal: &AuditSeal) -> Self {
        let mut input = Self(Vec::with_capacity(4096));
        input.field(label);
        input.field(seal.tenant.as_str().as_bytes());
        input.optional(before.map(<[u8; 32]>::as_slice));
        input.number(seal.number);
        input.number(seal.count);
        input.number(seal.newest_at);
        input.number(seal.sealed_at);
        input
    }

    fn event(&mut self, event: &AuditEvent) {
        self.field(event.tenant.as_str().as_bytes());
        self.field(event.id.as_bytes());
        self.number(event.at);
        self.field(event.kind.as_bytes());
        self.field(match event.outcome {
            Outcome::Success => b"success",
            Outcome::Refused => b"refused",
        });
        self.optional(event.reason.as_deref().map(str::as_bytes));
        self.field(event.correlation_id.as_bytes());
        self.optional(event.client_id.as_ref().map(ClientId::as_str).map(str::as_bytes));
        self.optional(event.user_id.as_ref().map(|id| id.as_bytes().as_slice()));
        self.optional(event.actor.as_deref().map(str::as_bytes));
        self.object(&event.detail);
    }

    fn field(&mut self, bytes: &[u8]) {
        self.number(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.0.push(u8::from(bytes.is_some()));
        self.field(bytes.unwrap_or_default());
    }

    /// One form for each JSON value: a letter for its type, then its parts; members in the order of their names.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(b'z'),
            Value::Bool(value) => self.0.push(if *value { b't' } else { b'f' }),
            Value::Number(number) => {
                self.0.push(b'n');
                self.field(number.to_string().as_bytes());
            }
            Value::String(text) => {
                self.0.push(b's');
                self.field(text.as_bytes());
            }
            Value::Array(items) => {
                self.0.push(b'a');
                self.number(i64::try_from(items.len()).unwrap_or(i64::MAX));
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(members) => self.object(members),
        }
    }

    fn object(&mut self, members: &Map<String, Value>) {
        self.0.push(b'o');
        self.number(i64::try_from(members.len()).unwrap_or(i64::MAX));
        for (name, value) in members.iter().collect::<BTreeMap<_, _>>() {
            self.field(name.as_bytes());
            self.value(value);
        }
    }

    fn mac(&self, key: &[u8; 32]) -> [u8; 32] {
        // HMAC takes keys of one block; a shorter one is padded with zeros (RFC 2104 section 2).
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(key);
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new((&*block).into());
        mac.update(&self.0);
        mac.finalize().into_bytes().into()
    }
}
