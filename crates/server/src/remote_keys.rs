//! Fetches the keys that clients publish at their `jwks_uri`, and keeps them. The rules are in
//! [`signet_core::remote_keys`]; here is one fetch for many askers, and the memory of this node.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use signet_core::client_policy::{KeySet, Mode};
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId};
use signet_core::remote_keys::{Alarm, ChangedKeys, Demand, KeySource, Learned, Need};
use tokio::sync::watch;

use crate::edge::Clock;
use crate::fetch::{FetchFault, Fetched, Fetcher, Kind, Place};

/// Most URIs kept.
const CAPACITY: u64 = 10_000;
/// How long a URI is kept that nobody asks for: longer than anything about it may be used.
const IDLE: Duration = Duration::from_hours(49);
/// How many sets are read at the same time that no login waits for.
const AT_ONCE: usize = 8;
/// Longest wait for fresh keys where stale ones are at hand.
const BRIEFLY: Duration = Duration::from_secs(1);

/// The keys at every `jwks_uri` that this node has met. Shared by tenants and clients: what is published there does not
/// depend on who asks.
#[derive(Debug)]
pub struct RemoteKeys {
    fetcher: Fetcher,
    clock: Clock,
    changed: ChangedKeys,
    sources: Cache<String, Arc<Source>>,
}

/// One URI.
#[derive(Debug, Default)]
struct Source {
    known: Mutex<Known>,
    /// Closed when the fetch ends, however it ends.
    flight: Mutex<Option<watch::Receiver<()>>>,
}

#[derive(Debug, Default)]
struct Known {
    source: KeySource,
    /// What nobody has been told yet.
    alarms: Vec<Alarm>,
    /// How many fetches brought a set.
    generation: u64,
}

/// What is known of one URI.
#[derive(Clone, Debug)]
pub struct Found {
    /// Of the set that is there, as of one client's.
    pub set: KeySet,
    /// To be written to the audit trail by whoever receives them; nobody else will.
    pub alarms: Vec<Alarm>,
    /// Whether a set arrived while this was asked for.
    pub refetched: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RemoteKeys {
    /// With nothing known yet.
    pub fn new(fetcher: Fetcher, clock: Clock, mode: Mode) -> Self {
        let changed = match mode {
            Mode::Production => ChangedKeys::Refuse,
            Mode::Development => ChangedKeys::Take,
        };
        let sources = Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build();
        Self { fetcher, clock, changed, sources }
    }

    /// The keys at `uri` for a client, after as much fetching and waiting as `demand` is worth.
    pub async fn keys(&self, uri: &str, owner: (&TenantId, &ClientId), demand: Demand) -> Found {
        let source = self.sources.get_with_by_ref(uri, Arc::default);
        let before = lock(&source.known).generation;
        match self.start(uri, &source, demand, None) {
            (Need::Use | Need::Refresh, _) | (_, None) => {}
            (Need::Wait, Some(flight)) => landed(flight).await,
            (Need::WaitBriefly, Some(flight)) => drop(tokio::time::timeout(BRIEFLY, landed(flight)).await),
        }
        let mut known = lock(&source.known);
        // Whoever looks may do so for a client that is not there yet, and of another tenant: the alarm waits for a client
        // that uses these keys.
        let told = demand != Demand::Look;
        Found {
            set: known.source.known(owner.0, owner.1, self.clock.now()),
            alarms: if told { std::mem::take(&mut known.alarms) } else { Vec::new() },
            refetched: known.generation != before,
        }
    }

    /// As [`Self::keys`] for [`Demand::Look`], at one of the places that `who` has for looks; the fault is that none is free.
    pub async fn look(
        &self,
        uri: &str,
        owner: (&TenantId, &ClientId),
        who: &str,
    ) -> Result<KeySet, FetchFault> {
        let source = self.sources.get_with_by_ref(uri, Arc::default);
        let need = lock(&source.known).source.need(Demand::Look, self.clock.now());
        if need != Need::Use {
            let place = self.fetcher.look_place(who)?;
            if let (_, Some(flight)) = self.start(uri, &source, Demand::Look, Some(place)) {
                landed(flight).await;
            }
        }
        let known = lock(&source.known);
        Ok(known.source.known(owner.0, owner.1, self.clock.now()))
    }

    /// Reads sets of which nothing is at hand, a few at a time; those first that nobody has looked at, and at most `limit`.
    /// How many that were.
    pub async fn prepare(&self, uris: impl Iterator<Item = &str>, limit: usize) -> usize {
        let now = self.clock.now();
        let wanted = uris.filter_map(|uri| {
            let source = self.sources.get_with_by_ref(uri, Arc::default);
            let (usable, failing) = lock(&source.known).source.standing(now);
            (!usable).then_some((failing, uri, source))
        });
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by_key(|(failing, ..)| *failing);
        wanted.truncate(limit);
        for some in wanted.chunks(AT_ONCE) {
            let start = |(_, uri, source): &(bool, &str, Arc<Source>)| {
                self.start(uri, source, Demand::Verify, None).1
            };
            let under_way: Vec<_> = some.iter().filter_map(start).collect();
            for flight in under_way {
                landed(flight).await;
            }
        }
        wanted.len()
    }

    /// What the last look at `uri` brought, without asking anybody.
    pub fn last(&self, uri: &str, owner: (&TenantId, &ClientId)) -> KeySet {
        let Some(source) = self.sources.get(uri) else { return KeySet::default() };
        lock(&source.known).source.known(owner.0, owner.1, self.clock.now())
    }

    /// What is needed, and the fetch that is under way for it: one for all who ask meanwhile. It keeps the place of a look
    /// until it ends.
    fn start(
        &self,
        uri: &str,
        source: &Arc<Source>,
        demand: Demand,
        look: Option<Place>,
    ) -> (Need, Option<watch::Receiver<()>>) {
        let mut flight = lock(&source.flight);
        let need = lock(&source.known).source.need(demand, self.clock.now());
        if need == Need::Use {
            return (need, None);
        }
        if let Some(under_way) = flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return (need, Some(under_way.clone()));
        }
        let (landing, under_way) = watch::channel(());
        *flight = Some(under_way.clone());
        let (fetcher, clock, changed) = (self.fetcher.clone(), self.clock.clone(), self.changed);
        let (uri, source) = (uri.to_owned(), Arc::clone(source));
        // A task of its own: it goes on when the request that began it does not.
        tokio::spawn(async move {
            let answer = match look {
                Some(place) => fetcher.look(&uri, Kind::Jwks, place).await,
                None => fetcher.get(&uri, Kind::Jwks).await,
            };
            learn(&uri, &source, demand, answer, changed, clock.now());
            drop(landing);
        });
        (need, Some(under_way))
    }
}

/// The sender says nothing; it goes away.
async fn landed(mut flight: watch::Receiver<()>) {
    while flight.changed().await.is_ok() {}
}

fn learn(
    uri: &str,
    source: &Source,
    demand: Demand,
    answer: Result<Fetched, FetchFault>,
    changed: ChangedKeys,
    now: UnixTime,
) {
    let mut known = lock(&source.known);
    let set = match answer {
        Ok(set) => set,
        Err(fault) => {
            // Why has been logged where it happened.
            let (code, reason) = fault.told();
            known.source.failed(demand, code, reason, now);
            return;
        }
    };
    match known.source.fetched(demand, &set.body, set.max_age, changed, now) {
        Ok(learned) => {
            tell(uri, &learned);
            known.generation += 1;
            known.alarms.extend(learned.alarms);
        }
        Err(fault) => {
            tracing::warn!(uri, reason = fault.code(), %fault, "what is at a jwks_uri is no key set");
        }
    }
}

fn tell(uri: &str, learned: &Learned) {
    for (place, fault) in &learned.skipped {
        tracing::warn!(uri, place, reason = fault.code(), %fault, "a key at a jwks_uri cannot be used");
    }
    for Alarm { kid, known, offered, taken } in &learned.alarms {
        tracing::error!(
            uri,
            kid,
            known,
            offered,
            taken,
            "a kid at a jwks_uri has other material than before; its owner should be asked"
        );
    }
}
