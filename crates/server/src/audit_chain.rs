//! The audit chain at work: makes its links, removes the events whose time is over, and judges what the store holds. The
//! rules are in [`signet_core::audit::chain`].

use std::collections::VecDeque;

use signet_core::audit::{
    self, Kind,
    chain::{self, ChainKeys, Found, Walk, Wrong},
};
use signet_core::change::{Change, Conflict};
use signet_core::context::{Context, UnixTime};
use signet_core::ids::TenantId;
use signet_core::records::{AuditEvent, AuditSeal, Tenant};
use signet_store::{Result, Store, StoreError};
use uuid::Uuid;

use crate::app::App;

/// Most events of one link. Each holds SQLite's only writer; 500 rows take some ten milliseconds.
const EVENTS: u32 = 500;
/// Most links made for one tenant in one turn; the others get theirs, too.
const LINKS: u32 = 100;
/// Rows read at once. More than a link covers: whoever can write to the database can put any number of events under one, and
/// what is more than this is not read.
const PAGE: u32 = 1000;
const _: () = assert!(EVENTS < PAGE);
/// Links and events that one transaction removes, about.
const PURGE_LINKS: u32 = 200;
const PURGE_EVENTS: i64 = 2000;

/// Makes links over everything that has none, in every tenant.
pub async fn seal_all(app: &App) {
    let keys = app.vault.chain_keys();
    for tenant in tenants(app).await {
        if let Err(error) = seal(app.store.as_ref(), &keys, &tenant.id, app.clock.now()).await {
            tracing::warn!(tenant = %tenant.id, %error, "the audit chain did not grow; trying again later");
        }
    }
}

/// Removes the events whose time is over, in every tenant that has set one.
pub async fn purge_all(app: &App) {
    let keys = app.vault.chain_keys();
    for tenant in tenants(app).await {
        let context = app.context(app.clock.now());
        if let Err(error) = purge(app.store.as_ref(), &keys, &tenant, &context).await {
            tracing::warn!(tenant = %tenant.id, %error, "old audit events were not removed; trying again later");
        }
    }
}

async fn tenants(app: &App) -> Vec<Tenant> {
    app.store.tenants().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the tenants could not be read; trying again later");
        Vec::new()
    })
}

/// Makes links over a tenant's events that have none; returns how many. Where another node makes the same link, that one
/// goes on.
pub async fn seal(store: &dyn Store, keys: &ChainKeys, tenant: &TenantId, now: UnixTime) -> Result<u32> {
    for made in 0..LINKS {
        let events = store.unsealed_audit(tenant, EVENTS).await?;
        if events.is_empty() {
            return Ok(made);
        }
        let last = store.last_audit_seal(tenant).await?;
        let Some(link) = chain::next(keys, tenant, last.as_ref(), events, now) else { return Ok(made) };
        match store.apply(tenant, &[link]).await {
            Ok(()) => {}
            Err(StoreError::Conflict(Conflict::Exists)) => return Ok(made),
            Err(error) => return Err(error),
        }
    }
    Ok(LINKS)
}

/// Removes a tenant's events whose time is over, and audits it; returns how many links and events that were. Each link is
/// judged before, with its events; where one is not as Signet made it, nothing more is removed, and `signet doctor` tells of
/// it.
pub async fn purge(
    store: &dyn Store,
    keys: &ChainKeys,
    tenant: &Tenant,
    context: &Context<'_>,
) -> Result<(i64, i64)> {
    let (mut links, mut events) = (0, 0);
    let Some(retention) = tenant.settings.audit_retention else { return Ok((links, events)) };
    loop {
        let mut seals = store.unpurged_audit_seals(&tenant.id, PURGE_LINKS).await?;
        seals.truncate(chain::expired(&seals, retention, context.now));
        let Some(changes) = purge_changes(store, keys, &seals, retention, context).await? else {
            return Ok((links, events));
        };
        match store.apply(&tenant.id, &changes.list).await {
            Ok(()) => (links, events) = (links + changes.links, events + changes.events),
            // Another node removes them.
            Err(StoreError::Conflict(Conflict::Missing)) => return Ok((links, events)),
            Err(error) => return Err(error),
        }
    }
}

struct Purge {
    list: Vec<Change>,
    links: i64,
    events: i64,
}

/// One transaction: the first of `seals`, and the event that says so.
async fn purge_changes(
    store: &dyn Store,
    keys: &ChainKeys,
    seals: &[AuditSeal],
    retention: i64,
    context: &Context<'_>,
) -> Result<Option<Purge>> {
    let Some(first) = seals.first() else { return Ok(None) };
    let tenant = &first.tenant;
    let mut before = store.audit_seals(tenant, first.number - 2, 1).await?.pop();
    before = before.filter(|before| before.number == first.number - 1);
    let mut purge = Purge { list: Vec::new(), links: 0, events: 0 };
    for seal in seals {
        let events = store.sealed_audit(tenant, seal.number, PAGE).await?;
        match chain::purge(keys, before.as_ref(), seal, &events, retention, context.now) {
            Ok(Some(change)) => purge.list.push(change),
            Ok(None) => break,
            Err(wrong) => {
                tell(store, seal, wrong).await?;
                break;
            }
        }
        (purge.links, purge.events) = (purge.links + 1, purge.events + seal.count);
        before = Some(seal.clone());
        if purge.events >= PURGE_EVENTS {
            break;
        }
    }
    let Some(last) = before.filter(|_| purge.links > 0) else { return Ok(None) };
    let event = audit::success(tenant, Kind::AuditPurged, &context.handle(), context)
        .fact("first_link", first.number)
        .fact("last_link", last.number)
        .fact("links", purge.links)
        .fact("events", purge.events)
        .fact("retention", retention);
    purge.list.push(event.change());
    Ok(Some(purge))
}

/// Logs that a link is not purged because of what is wrong with it, unless another node has just purged it.
async fn tell(store: &dyn Store, seal: &AuditSeal, wrong: Wrong) -> Result<()> {
    let now = store.audit_seals(&seal.tenant, seal.number - 1, 1).await?.pop();
    if now.is_none_or(|now| now.number != seal.number || now.purged_at.is_none()) {
        let code = wrong.code();
        tracing::error!(tenant = %seal.tenant, code, %wrong, "the audit trail was changed; no old events are removed");
    }
    Ok(())
}

/// Most things that a part of a chain tells to be wrong.
const MAX_WRONG: usize = 100;

/// What was found in a part of a chain.
#[derive(Debug)]
pub struct Part {
    /// Number and MAC of the link that it began after.
    pub from: Option<(i64, [u8; 32])>,
    /// What was found after that.
    pub found: Found,
    /// The number of the link after which the next part begins.
    pub next: Option<i64>,
}

/// Judges a tenant's whole chain. Nodes may go on meanwhile.
pub async fn verify(store: &dyn Store, keys: &ChainKeys, tenant: &TenantId) -> Result<Found> {
    let (found, _) = judged(store, tenant, Walk::new(keys), i64::MIN, |_| false).await?;
    Ok(found)
}

/// Judges at most `limit` links of a chain, those after the number `after`; 0 begins with the first. `None` if there is no
/// link of that number. It ends early where too much is wrong.
pub async fn verify_part(
    store: &dyn Store,
    keys: &ChainKeys,
    tenant: &TenantId,
    after: i64,
    limit: u32,
) -> Result<Option<Part>> {
    let (walk, start, from) = if after == 0 {
        (Walk::new(keys), i64::MIN, None)
    } else {
        let seal = store.audit_seals(tenant, after - 1, 1).await?.pop();
        let Some(seal) = seal.filter(|seal| seal.number == after) else { return Ok(None) };
        (Walk::after(keys, &seal), after, Some((seal.number, seal.mac)))
    };
    let enough = |found: &Found| found.links >= u64::from(limit) || found.wrong.len() >= MAX_WRONG;
    let (found, more) = judged(store, tenant, walk, start, enough).await?;
    let next = found.last.map(|(number, _)| number).filter(|_| more && found.wrong.len() < MAX_WRONG);
    Ok(Some(Part { from, found, next }))
}

/// Judges a chain after the number `start`, as long as it is not `enough`; also whether it was left before its end.
async fn judged(
    store: &dyn Store,
    tenant: &TenantId,
    mut walk: Walk<'_>,
    start: i64,
    enough: impl Fn(&Found) -> bool,
) -> Result<(Found, bool)> {
    // Events of the link `start` have ids below the greatest one.
    let id = if start == i64::MIN { Uuid::nil() } else { Uuid::max() };
    let mut trail = Trail { store, tenant, read: VecDeque::new(), after: (start, id), end: false };
    let (mut links, mut last) = (VecDeque::new(), start.max(0));
    loop {
        // Links are read after the event that may be theirs, so that its link is there if it has one.
        let next = trail.next().await?;
        if links.is_empty() {
            links = store.audit_seals(tenant, last, PAGE).await?.into();
        }
        let link: AuditSeal = match (links.front(), next) {
            (None, None) => return Ok((walk.finish(), false)),
            _ if enough(walk.found()) => return Ok((walk.finish(), true)),
            (Some(link), next) if next.is_none_or(|number| number >= link.number) => link.clone(),
            (_, number) => {
                let number = number.unwrap_or_default();
                trail.of(number).await?.iter().for_each(|_| walk.stray(number));
                continue;
            }
        };
        links.pop_front();
        last = link.number;
        let events = trail.of(link.number).await?;
        let wrong = walk.judge(&link, &events);
        let (link, events, wrong) = match wrong {
            None => (link, events, None),
            Some(wrong) => again(store, &walk, link, wrong).await?,
        };
        walk.pass(&link, &events, wrong);
    }
}

/// Reads a link and then its events until they fit: between two reads they may have been removed.
async fn again(
    store: &dyn Store,
    walk: &Walk<'_>,
    mut link: AuditSeal,
    mut wrong: Wrong,
) -> Result<(AuditSeal, Vec<AuditEvent>, Option<Wrong>)> {
    let mut events = Vec::new();
    for _ in 0..2 {
        let now = store.audit_seals(&link.tenant, link.number - 1, 1).await?.pop();
        link = now.filter(|now| now.number == link.number).unwrap_or(link);
        events = store.sealed_audit(&link.tenant, link.number, PAGE).await?;
        match walk.judge(&link, &events) {
            None => return Ok((link, events, None)),
            Some(still) => wrong = still,
        }
    }
    Ok((link, events, Some(wrong)))
}

/// The events of a chain in the order of their links.
struct Trail<'a> {
    store: &'a dyn Store,
    tenant: &'a TenantId,
    read: VecDeque<(i64, AuditEvent)>,
    after: (i64, Uuid),
    end: bool,
}

impl Trail<'_> {
    /// The link of the next event.
    async fn next(&mut self) -> Result<Option<i64>> {
        if self.read.is_empty() && !self.end {
            let page = self.store.chained_audit(self.tenant, self.after, PAGE).await?;
            match page.last() {
                Some((number, event)) => self.after = (*number, event.id),
                None => self.end = true,
            }
            self.read = page.into();
        }
        Ok(self.read.front().map(|(number, _)| *number))
    }

    /// Takes the events of a link, and of too many so many that they are too many.
    async fn of(&mut self, number: i64) -> Result<Vec<AuditEvent>> {
        let mut events = Vec::new();
        while self.next().await? == Some(number) {
            let event = self.read.pop_front().map(|(_, event)| event);
            events.extend(event.filter(|_| events.len() < PAGE as usize));
        }
        Ok(events)
    }
}
