//! How a tenant is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::{AUDIT_READ, CLIENTS_READ, KEYS_READ, TENANT_READ};
use signet_core::audit::Kind;
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::records::{AuditTally, KeyState, Outcome, TenantKey};
use signet_core::tenant_health::{self, Warning};
use signet_jose::KeyUse;
use signet_store::{AuditFilter, ClientFilter, Page};

use super::{Desk, Remark, Result};
use crate::checkups::{Checkup, Look};

const DAY: i64 = 86_400;
/// Days that are counted, today among them.
pub const DAYS: i64 = 14;
/// Most events without a tally that are counted, and most events of one client.
const MAX_EVENTS: u32 = 1_000;
/// Most clients of a developer whose events are counted.
const MAX_OWN: u32 = 20;
/// Most reasons that are told.
const MAX_REASONS: usize = 12;

/// What counts as a login: a response that a person was sent back to a client with.
const LOGIN: Kind = Kind::AuthorizeResponded;

/// The health of a tenant; of their own clients alone for developers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Overview {
    /// What somebody should look at first.
    pub warnings: Vec<Remark>,
    /// The clients, unless they are still being looked at or must not be seen.
    pub clients: Option<ClientHealth>,
    /// The tenant's keys that are in use or will be.
    pub tenant_keys: Vec<TenantKeyHealth>,
    /// Why logins failed within these days, the most frequent reason first.
    pub failures: Vec<ReasonCount>,
    /// Each of the last 14 days, the oldest first.
    pub days: Vec<DayCount>,
}

/// The health of clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientHealth {
    /// When they were looked at, in Unix seconds: within the last minute, and not always just now.
    pub judged_at: UnixTime,
    /// How many were looked at.
    pub checked: usize,
    /// Whether there are more.
    pub more: bool,
    /// How many fail.
    pub failing_count: usize,
    /// The first 100 of them.
    pub failing: Vec<FailingClient>,
    /// How many need keys of a `jwks_uri` that this node has not read yet, so that nothing is known of them.
    pub unread: usize,
    /// Keys and certificates that end within 30 days, the first to end first.
    pub ending: Vec<EndingKey>,
}

/// A client that fails, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailingClient {
    /// The `client_id`.
    pub client_id: String,
    /// Name shown to people.
    pub client_name: String,
    /// Why.
    pub problems: Vec<Remark>,
}

/// A client's key that ends soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EndingKey {
    /// Whose.
    pub client_id: String,
    /// Name shown to people.
    pub client_name: String,
    /// What people call the key.
    pub name: String,
    /// Its `kid`.
    pub kid: String,
    /// What it is for.
    pub usage: KeyUse,
    /// Whether it came with a certificate.
    pub certificate: bool,
    /// When it ends, in Unix seconds.
    pub not_after: UnixTime,
    /// What fails then; empty if another key takes over.
    pub problems: Vec<Remark>,
}

/// One of the tenant's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TenantKeyHealth {
    /// Names it.
    pub id: String,
    /// What it is for.
    pub usage: KeyUse,
    /// The algorithms that it serves.
    pub algs: Vec<String>,
    /// Where it stands.
    pub state: KeyState,
    /// When that changes, in Unix seconds.
    pub until: UnixTime,
}

/// How often something was refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReasonCount {
    /// What was refused, in dotted words.
    pub kind: String,
    /// The same in words.
    pub what: String,
    /// The reason code.
    pub reason: String,
    /// The sentence that is shown for it; what varies in it is named in words.
    pub text: Option<String>,
    /// How often.
    pub count: i64,
}

/// The numbers of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DayCount {
    /// When the day began (UTC), in Unix seconds.
    pub at: UnixTime,
    /// Logins that came to their end.
    pub logins: i64,
    /// Refusals.
    pub failures: i64,
}

impl From<&Warning> for Remark {
    fn from(one: &Warning) -> Self {
        Self { code: one.code().to_owned(), text: one.to_string() }
    }
}

impl Desk<'_> {
    /// How the tenant is. Developers see what concerns their own clients.
    pub async fn overview(&self) -> Result<Overview> {
        self.actor.need(TENANT_READ)?;
        let owner = self.actor.confined_to();
        let checkup = if self.actor.holds(CLIENTS_READ) {
            let (app, tenant) = (self.app.clone(), self.tenant().clone());
            self.app.checkups.of(Look { app, tenant, owner, now: self.now }).await?
        } else {
            None
        };
        let tallies = if self.actor.holds(AUDIT_READ) { self.tallies().await? } else { Vec::new() };
        let sees_keys = owner.is_none() && self.actor.holds(KEYS_READ);
        let tenant_keys = if sees_keys { self.keys_in_use() } else { Vec::new() };
        Ok(Overview {
            warnings: self.warnings().await?,
            clients: checkup.as_deref().map(health),
            tenant_keys,
            failures: reasons(&tallies),
            days: days(&tallies, self.now),
        })
    }

    fn since(&self) -> i64 {
        self.now.div_euclid(DAY) - DAYS + 1
    }

    /// The counts of these days. What no link of the audit chain covers yet is in no tally and counted here.
    async fn tallies(&self) -> Result<Vec<AuditTally>> {
        let (store, tenant) = (&self.app.store, &self.tenant().id);
        if self.actor.confined_to().is_some() {
            return self.own_tallies().await;
        }
        let mut tallies = store.audit_tallies(tenant, self.since()).await?;
        let recent = store.unsealed_audit(tenant, MAX_EVENTS).await?;
        tallies.extend(recent.iter().map(tally));
        Ok(tallies)
    }

    async fn own_tallies(&self) -> Result<Vec<AuditTally>> {
        let (store, tenant) = (&self.app.store, &self.tenant().id);
        let page = Page { after: None, limit: MAX_OWN };
        let filter = ClientFilter { owner: self.actor.confined_to(), page, ..ClientFilter::default() };
        let mut tallies = Vec::new();
        for client in store.find_clients(tenant, &filter).await? {
            let filter = AuditFilter {
                client_id: Some(client.client_id),
                since: Some((self.since() * DAY).max(client.created_at)),
                limit: MAX_EVENTS,
                ..AuditFilter::default()
            };
            tallies.extend(store.audit(tenant, &filter).await?.iter().map(tally));
        }
        Ok(tallies)
    }

    fn keys_in_use(&self) -> Vec<TenantKeyHealth> {
        let shown = [KeyState::Active, KeyState::Published];
        let health = |key: &TenantKey| {
            let state = key.state(self.now);
            let until = if state == KeyState::Published { key.use_from } else { key.use_until };
            TenantKeyHealth { id: key.id.clone(), usage: key.usage, algs: key.algs.clone(), state, until }
        };
        self.view.keys.iter().filter(|key| shown.contains(&key.state(self.now))).map(health).collect()
    }

    async fn warnings(&self) -> Result<Vec<Remark>> {
        if self.actor.confined_to().is_some() {
            return Ok(Vec::new());
        }
        let facts = tenant_health::Facts {
            settings: &self.tenant().settings,
            keys: &self.view.keys,
            drift: self.app.store.clock().await?.saturating_sub(self.app.clock.now()),
            tolerated: self.app.clock_tolerance,
            mail: self.app.mailer.works(),
            now: self.now,
        };
        Ok(tenant_health::warnings(&facts).iter().map(Remark::from).collect())
    }
}

fn remarks(problems: &[crate::checkups::Problem]) -> Vec<Remark> {
    problems.iter().map(|(code, text)| Remark { code: (*code).to_owned(), text: text.clone() }).collect()
}

fn health(checkup: &Checkup) -> ClientHealth {
    let failing = checkup.failing.iter().map(|one| FailingClient {
        client_id: one.client_id.to_string(),
        client_name: one.client_name.clone(),
        problems: remarks(&one.problems),
    });
    let ending = checkup.ending.iter().map(|one| EndingKey {
        client_id: one.client_id.to_string(),
        client_name: one.client_name.clone(),
        name: one.name.clone(),
        kid: one.kid.clone(),
        usage: one.usage,
        certificate: one.certificate,
        not_after: one.not_after,
        problems: remarks(&one.problems),
    });
    ClientHealth {
        judged_at: checkup.at,
        checked: checkup.checked,
        more: checkup.more,
        failing_count: checkup.failing_count,
        failing: failing.collect(),
        unread: checkup.unread,
        ending: ending.collect(),
    }
}

/// One event, counted.
fn tally(event: &signet_core::records::AuditEvent) -> AuditTally {
    AuditTally {
        day: event.at.div_euclid(DAY),
        kind: event.kind.clone(),
        outcome: event.outcome,
        reason: event.reason.clone().unwrap_or_default(),
        count: 1,
    }
}

/// What was refused, if it counts as a failed login.
fn failure(tally: &AuditTally) -> Option<&'static str> {
    let failed = Kind::find(&tally.kind).and_then(Kind::failed_login);
    failed.filter(|_| tally.outcome == Outcome::Refused)
}

fn reasons(tallies: &[AuditTally]) -> Vec<ReasonCount> {
    let mut counts: BTreeMap<(&str, &str), (&str, i64)> = BTreeMap::new();
    for tally in tallies {
        if let Some(what) = failure(tally) {
            counts.entry((&tally.kind, &tally.reason)).or_insert((what, 0)).1 += tally.count;
        }
    }
    let mut reasons: Vec<ReasonCount> = counts
        .into_iter()
        .map(|((kind, reason), (what, count))| ReasonCount {
            kind: kind.to_owned(),
            what: what.to_owned(),
            reason: reason.to_owned(),
            text: Fault::general(reason),
            count,
        })
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    reasons.truncate(MAX_REASONS);
    reasons
}

fn days(tallies: &[AuditTally], now: UnixTime) -> Vec<DayCount> {
    let today = now.div_euclid(DAY);
    let on = |day: i64| {
        let of_day = tallies.iter().filter(|tally| tally.day == day);
        of_day.fold(DayCount { at: day * DAY, ..DayCount::default() }, |mut count, tally| {
            if tally.kind == LOGIN.name() && tally.outcome == Outcome::Success {
                count.logins += tally.count;
            }
            if failure(tally).is_some() {
                count.failures += tally.count;
            }
            count
        })
    };
    (today - DAYS + 1..=today).map(on).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(day: i64, kind: Kind, reason: &str, count: i64) -> AuditTally {
        let outcome = if reason.is_empty() { Outcome::Success } else { Outcome::Refused };
        AuditTally { day, kind: kind.name().into(), outcome, reason: reason.into(), count }
    }

    #[test]
    fn days_and_reasons_are_counted_from_the_tallies() {
        let now = 100 * DAY + 5;
        let tallies = [
            tally(100, LOGIN, "", 7),
            tally(100, LOGIN, "", 1),
            tally(87, LOGIN, "", 3),
            tally(86, LOGIN, "", 9),
            tally(100, Kind::AuthorizeRefused, "token_expired", 2),
            tally(99, Kind::AuthorizeRefused, "token_expired", 2),
            tally(99, Kind::LoginRefused, "credentials_wrong", 5),
            tally(99, Kind::SecondFactorRefused, "second_factor_wrong", 3),
            tally(99, Kind::ClientUpdated, "", 5),
            tally(99, Kind::ConsoleRefused, "csrf", 5),
        ];
        let days = days(&tallies, now);
        assert_eq!(days.len(), 14);
        assert_eq!(days[13], DayCount { at: 100 * DAY, logins: 8, failures: 2 });
        assert_eq!(days[12], DayCount { at: 99 * DAY, logins: 0, failures: 10 });
        assert_eq!(days[0], DayCount { at: 87 * DAY, logins: 3, failures: 0 });
        let reasons: Vec<_> = reasons(&tallies).into_iter().map(|one| (one.reason, one.count)).collect();
        let expected = [("credentials_wrong", 5), ("token_expired", 4), ("second_factor_wrong", 3)];
        assert_eq!(reasons, expected.map(|(reason, count)| (reason.to_owned(), count)));
    }
}
