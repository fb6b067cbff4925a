//! The chain over the audit trail: which events a link covers, who makes it, and what is left when they are removed.

use serde_json::json;
use signet_core::change::{Change, Conflict};
use signet_core::ids::TenantId;
use signet_core::records::{AuditEvent, AuditSeal, AuditTally, Outcome};
use uuid::Uuid;

use super::build::{NOW, event, id, object, tenant};
use super::races::one_wins;
use super::{Handle, apply, assert_conflict};
use crate::AuditFilter;

fn seal(tenant: &TenantId, number: i64, count: i64) -> AuditSeal {
    AuditSeal {
        tenant: tenant.clone(),
        number,
        count,
        newest_at: NOW + number,
        mac: [u8::try_from(number).unwrap(); 32],
        sealed_at: NOW + 2 * number,
        purged_at: None,
        purge_mac: None,
    }
}

fn tally(day: i64, kind: &str, count: i64) -> AuditTally {
    AuditTally { day, kind: kind.into(), outcome: Outcome::Success, reason: String::new(), count }
}

fn sealed(tenant: &TenantId, number: i64, events: &[u128], tallies: Vec<AuditTally>) -> Change {
    let seal = seal(tenant, number, i64::try_from(events.len()).unwrap());
    Change::SealAudit { seal, events: events.iter().map(|number| id(*number)).collect(), tallies }
}

fn purge(number: i64) -> Change {
    Change::PurgeAudit { number, at: NOW + 9, mac: [9; 32] }
}

fn ids(events: &[AuditEvent]) -> Vec<u128> {
    events.iter().map(|event| event.id.as_u128()).collect()
}

/// A tenant with events of these numbers.
async fn trail(store: &Handle, name: &str, events: &[u128]) -> TenantId {
    let tenant = tenant(name);
    let id = tenant.id.clone();
    let mut changes = vec![Change::InsertTenant(tenant)];
    changes.extend(events.iter().map(|number| Change::Audit(Box::new(event(&id, *number)))));
    apply(store, &id, &changes).await;
    id
}

pub async fn a_link_covers_its_events(store: &Handle) {
    let one = trail(store, "one", &[3, 1, 5]).await;
    assert_eq!(ids(&store.unsealed_audit(&one, 2).await.unwrap()), [1, 3]);
    assert_eq!(store.last_audit_seal(&one).await.unwrap(), None);
    let mut full = event(&one, 4);
    full.outcome = Outcome::Refused;
    full.reason = Some("jti_used".into());
    full.client_id = Some("gone".into());
    full.user_id = Some(id(42));
    full.actor = Some("user:ä".into());
    full.detail = object(json!({ "b": [1, null, { "c": "ä\"'\\\u{0}" }], "a": true }));
    apply(store, &one, &[Change::Audit(Box::new(full.clone()))]).await;
    apply(store, &one, &[sealed(&one, 1, &[5, 3, 4], Vec::new())]).await;
    assert_eq!(ids(&store.unsealed_audit(&one, 9).await.unwrap()), [1]);
    let covered = store.sealed_audit(&one, 1, 99).await.unwrap();
    assert_eq!(covered, [event(&one, 3), full, event(&one, 5)]);
    assert_eq!(ids(&store.sealed_audit(&one, 1, 2).await.unwrap()), [3, 4]);
    // An event that is written later belongs to a later link, wherever its id stands.
    apply(store, &one, &[Change::Audit(Box::new(event(&one, 2)))]).await;
    apply(store, &one, &[sealed(&one, 2, &[1, 2], Vec::new())]).await;
    assert_eq!(ids(&store.sealed_audit(&one, 2, 99).await.unwrap()), [1, 2]);
    assert_eq!(store.last_audit_seal(&one).await.unwrap(), Some(seal(&one, 2, 2)));
    let chained = async |after, limit| {
        let found = store.chained_audit(&one, after, limit).await.unwrap();
        found.into_iter().map(|(number, event)| (number, event.id.as_u128())).collect::<Vec<_>>()
    };
    let all = [(1, 3), (1, 4), (1, 5), (2, 1), (2, 2)];
    assert_eq!(chained((i64::MIN, Uuid::nil()), 9).await, all);
    assert_eq!(chained((1, id(4)), 2).await, all[2..4]);
    assert_eq!(chained((2, id(2)), 9).await, []);
    let links = [seal(&one, 1, 3), seal(&one, 2, 2)];
    assert_eq!(store.audit_seals(&one, 0, 9).await.unwrap(), links);
    assert_eq!(store.audit_seals(&one, 0, 1).await.unwrap(), links[..1]);
    assert_eq!(store.audit_seals(&one, 1, 9).await.unwrap(), links[1..]);
    assert_eq!(store.audit_seals(&one, 2, 9).await.unwrap(), []);
    assert_eq!(
        store.audit(&one, &AuditFilter { limit: 9, ..AuditFilter::default() }).await.unwrap().len(),
        5
    );
}

pub async fn an_event_has_one_link_and_a_number_is_given_once(store: &Handle) {
    let one = trail(store, "one", &[1, 2, 3]).await;
    apply(store, &one, &[sealed(&one, 1, &[1, 2], vec![tally(1, "a", 2)])]).await;
    for wrong in [
        sealed(&one, 1, &[3], vec![tally(1, "a", 1)]),
        sealed(&one, 2, &[2, 3], vec![tally(1, "a", 1)]),
        sealed(&one, 2, &[3, 9], vec![tally(1, "a", 1)]),
        sealed(&one, 2, &[3, 3], vec![tally(1, "a", 1)]),
    ] {
        assert_conflict(store.apply(&one, &[wrong]).await, Conflict::Exists);
    }
    // Nothing is left of what failed.
    assert_eq!(store.audit_seals(&one, 0, 9).await.unwrap(), [seal(&one, 1, 2)]);
    assert_eq!(ids(&store.unsealed_audit(&one, 9).await.unwrap()), [3]);
    assert_eq!(store.audit_tallies(&one, 0).await.unwrap(), [tally(1, "a", 2)]);
}

pub async fn tallies_add_up(store: &Handle) {
    let one = trail(store, "one", &[1, 2, 3]).await;
    let refused =
        AuditTally { outcome: Outcome::Refused, reason: "jti_used".into(), ..tally(20_000, "a", 5) };
    let first = vec![tally(20_001, "b", 1), tally(20_000, "b", 2), refused.clone()];
    let second = vec![tally(20_000, "b", 40), tally(20_000, "a", 1)];
    apply(store, &one, &[sealed(&one, 1, &[1], first), sealed(&one, 2, &[2], second)]).await;
    let all = [refused, tally(20_000, "a", 1), tally(20_000, "b", 42), tally(20_001, "b", 1)];
    assert_eq!(store.audit_tallies(&one, 0).await.unwrap(), all);
    assert_eq!(store.audit_tallies(&one, 20_001).await.unwrap(), all[3..]);
    assert!(store.audit_tallies(&one, 20_002).await.unwrap().is_empty());
}

pub async fn purged_events_leave_their_link_and_tallies(store: &Handle) {
    let one = trail(store, "one", &[1, 2, 3]).await;
    let tallies = vec![tally(1, "a", 2)];
    apply(store, &one, &[sealed(&one, 1, &[1, 2], tallies.clone()), sealed(&one, 2, &[3], Vec::new())]).await;
    assert_eq!(store.unpurged_audit_seals(&one, 1).await.unwrap(), [seal(&one, 1, 2)]);
    apply(store, &one, &[purge(1)]).await;
    assert_eq!(store.unpurged_audit_seals(&one, 9).await.unwrap(), [seal(&one, 2, 1)]);
    assert!(store.sealed_audit(&one, 1, 99).await.unwrap().is_empty());
    let left = store.audit(&one, &AuditFilter { limit: 9, ..AuditFilter::default() }).await.unwrap();
    assert_eq!(ids(&left), [3]);
    let purged = AuditSeal { purged_at: Some(NOW + 9), purge_mac: Some([9; 32]), ..seal(&one, 1, 2) };
    assert_eq!(store.audit_seals(&one, 0, 9).await.unwrap(), [purged, seal(&one, 2, 1)]);
    assert_eq!(store.audit_tallies(&one, 0).await.unwrap(), tallies);
    assert_conflict(store.apply(&one, &[purge(1)]).await, Conflict::Missing);
    assert_conflict(store.apply(&one, &[purge(3)]).await, Conflict::Missing);
}

pub async fn a_late_conflict_undoes_links_and_removals(store: &Handle) {
    let one = trail(store, "one", &[1, 2, 3]).await;
    apply(store, &one, &[sealed(&one, 1, &[1, 2], Vec::new())]).await;
    let changes = [purge(1), sealed(&one, 2, &[3], vec![tally(1, "a", 1)]), Change::DeleteUser(id(99))];
    assert_conflict(store.apply(&one, &changes).await, Conflict::Missing);
    assert_eq!(store.audit_seals(&one, 0, 9).await.unwrap(), [seal(&one, 1, 2)]);
    assert_eq!(ids(&store.sealed_audit(&one, 1, 99).await.unwrap()), [1, 2]);
    assert_eq!(ids(&store.unsealed_audit(&one, 9).await.unwrap()), [3]);
    assert!(store.audit_tallies(&one, 0).await.unwrap().is_empty());
    // A link says how many events it covers.
    let Change::SealAudit { mut seal, events, tallies } = sealed(&one, 2, &[3], Vec::new()) else { panic!() };
    seal.count = 2;
    let wrong = store.apply(&one, &[Change::SealAudit { seal, events, tallies }]).await;
    assert!(matches!(wrong, Err(crate::StoreError::Corrupt(_))));
}

pub async fn a_chain_is_one_tenants(store: &Handle) {
    let (one, two) = (trail(store, "one", &[1, 2]).await, trail(store, "two", &[1, 2]).await);
    apply(store, &one, &[sealed(&one, 1, &[1], vec![tally(1, "a", 1)])]).await;
    assert_eq!(ids(&store.unsealed_audit(&two, 9).await.unwrap()), [1, 2]);
    assert_eq!(store.last_audit_seal(&two).await.unwrap(), None);
    assert!(store.audit_seals(&two, 0, 9).await.unwrap().is_empty());
    assert!(store.unpurged_audit_seals(&two, 9).await.unwrap().is_empty());
    assert!(store.chained_audit(&two, (0, Uuid::nil()), 9).await.unwrap().is_empty());
    assert!(store.sealed_audit(&two, 1, 99).await.unwrap().is_empty());
    assert!(store.audit_tallies(&two, 0).await.unwrap().is_empty());
    assert_conflict(store.apply(&two, &[purge(1)]).await, Conflict::Missing);
    apply(store, &two, &[sealed(&two, 1, &[1, 2], Vec::new()), purge(1)]).await;
    assert_eq!(ids(&store.sealed_audit(&one, 1, 99).await.unwrap()), [1]);
    assert_eq!(store.audit_seals(&one, 0, 9).await.unwrap(), [seal(&one, 1, 1)]);
    let foreign = store.apply(&two, &[sealed(&one, 2, &[2], Vec::new())]).await;
    assert!(matches!(foreign, Err(crate::StoreError::Corrupt(_))));
}

pub async fn one_of_many_nodes_makes_the_next_link(store: &Handle) {
    let events: Vec<u128> = (1..=40).collect();
    let one = trail(store, "one", &events).await;
    for number in 1..=4_i64 {
        let first = u128::try_from(number - 1).unwrap() * 10;
        let mine: Vec<u128> = (first + 1..=first + 10).collect();
        one_wins(store, &one, Conflict::Exists, |racer| {
            // Some have seen fewer events than others.
            let seen = &mine[..10 - racer % 3];
            vec![sealed(&one, number, seen, vec![tally(1, "a", 1)])]
        })
        .await;
        let covered = store.sealed_audit(&one, number, 99).await.unwrap().len();
        let link = store.last_audit_seal(&one).await.unwrap().unwrap();
        assert_eq!((link.number, link.count), (number, i64::try_from(covered).unwrap()));
    }
    assert_eq!(store.audit_tallies(&one, 0).await.unwrap(), [tally(1, "a", 4)]);
}

/// Numbers that differ do not save an event from having two links.
pub async fn of_two_links_over_one_event_one_is_made(store: &Handle) {
    let one = trail(store, "one", &[1, 2, 3]).await;
    one_wins(store, &one, Conflict::Exists, |racer| {
        let number = i64::try_from(racer).unwrap() + 1;
        vec![sealed(&one, number, &[1, 2, 3], Vec::new())]
    })
    .await;
    assert_eq!(store.audit_seals(&one, 0, 99).await.unwrap().len(), 1);
}

pub async fn an_event_is_found_by_kind_outcome_and_time(store: &Handle) {
    let one = trail(store, "one", &[]).await;
    let all: Vec<AuditEvent> = (0..12)
        .map(|n: u8| {
            let at = NOW + i64::from(n / 3);
            let millis = u64::try_from(at).unwrap() * 1000 + u64::from(n);
            let mut event = event(&one, 0);
            event.id = uuid::Builder::from_unix_timestamp_millis(millis, &[n; 10]).into_uuid();
            event.at = at;
            event.kind = if n.is_multiple_of(2) { "login.succeeded" } else { "authorize.refused" }.into();
            event.outcome = if n % 4 == 1 { Outcome::Refused } else { Outcome::Success };
            event.client_id = n.is_multiple_of(3).then(|| "app".into());
            event
        })
        .collect();
    let changes: Vec<Change> = all.iter().map(|event| Change::Audit(Box::new(event.clone()))).collect();
    apply(store, &one, &changes).await;
    let kinds = [None, Some("login.succeeded"), Some("authorize.refused"), Some("none")];
    let outcomes = [None, Some(Outcome::Success), Some(Outcome::Refused)];
    let times = [None, Some(i64::MIN), Some(NOW), Some(NOW + 2), Some(NOW + 4), Some(i64::MAX)];
    for kind in kinds {
        for outcome in outcomes {
            for (since, until) in
                times.iter().flat_map(|since| times.iter().map(move |until| (*since, *until)))
            {
                for client in [None, Some("app")] {
                    let filter = AuditFilter {
                        kind: kind.map(str::to_owned),
                        outcome,
                        since,
                        until,
                        client_id: client.map(Into::into),
                        limit: 100,
                        ..AuditFilter::default()
                    };
                    let fits = |event: &&AuditEvent| {
                        kind.is_none_or(|kind| event.kind == kind)
                            && outcome.is_none_or(|outcome| event.outcome == outcome)
                            && since.is_none_or(|since| event.at >= since)
                            && until.is_none_or(|until| event.at < until)
                            && client.is_none_or(|_| event.client_id.is_some())
                    };
                    let expected: Vec<Uuid> = all.iter().rev().filter(fits).map(|event| event.id).collect();
                    let found = store.audit(&one, &filter).await.unwrap();
                    assert_eq!(
                        found.iter().map(|event| event.id).collect::<Vec<_>>(),
                        expected,
                        "{filter:?}"
                    );
                }
            }
        }
    }
}
