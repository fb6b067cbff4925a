//! The audit chain: whatever is changed in what a link covers is found.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use signet_core::audit::chain::{self, ChainKeys, Found, MIN_RETENTION, Walk, Wrong};
use signet_core::change::Change;
use signet_core::records::{AuditEvent, AuditSeal, AuditTally, Outcome};
use uuid::Uuid;
use zeroize::Zeroizing;

const NOW: i64 = 1_800_000_000;

fn keys(bytes: &[u8]) -> ChainKeys {
    ChainKeys::new(bytes.iter().map(|byte| Zeroizing::new([*byte; 32])).collect())
}

fn event(number: u128) -> AuditEvent {
    AuditEvent {
        tenant: "one".into(),
        id: Uuid::from_u128(number),
        at: NOW + i64::try_from(number).unwrap(),
        kind: "login.succeeded".into(),
        outcome: Outcome::Success,
        reason: None,
        correlation_id: format!("login {number}"),
        client_id: Some("app".into()),
        user_id: Some(Uuid::from_u128(42)),
        actor: None,
        detail: object(json!({ "scope": "openid", "amr": ["pwd", "otp"], "n": 1.5 })),
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("{value}") };
    members
}

/// What a database holds of a chain.
#[derive(Clone, Debug, Default)]
struct Trail {
    seals: Vec<AuditSeal>,
    events: Vec<(i64, AuditEvent)>,
    tallies: Vec<AuditTally>,
}

impl Trail {
    /// A chain over these events, of which each list is a link's.
    fn of(keys: &ChainKeys, links: Vec<Vec<AuditEvent>>) -> Self {
        let mut trail = Self::default();
        for (events, at) in links.into_iter().zip(NOW..) {
            trail.seal(keys, events, at);
        }
        trail
    }

    fn seal(&mut self, keys: &ChainKeys, events: Vec<AuditEvent>, at: i64) {
        let tenant = "one".into();
        let change = chain::next(keys, &tenant, self.seals.last(), events.clone(), at);
        let Some(Change::SealAudit { seal, events: ids, tallies }) = change else { panic!("{change:?}") };
        let mut sorted: Vec<Uuid> = events.iter().map(|event| event.id).collect();
        sorted.sort_unstable();
        assert_eq!(ids, sorted);
        self.events.extend(events.into_iter().map(|event| (seal.number, event)));
        self.seals.push(seal);
        self.tallies.extend(tallies);
    }

    /// What Signet makes of the wish to empty a link.
    fn purged(
        &self,
        keys: &ChainKeys,
        index: usize,
        retention: i64,
        at: i64,
    ) -> Result<Option<Removal>, Wrong> {
        let before = index.checked_sub(1).and_then(|before| self.seals.get(before));
        let seal = &self.seals[index];
        let own = self.events.iter().filter(|(number, _)| *number == seal.number);
        let events: Vec<AuditEvent> = own.map(|(_, event)| event.clone()).collect();
        removal(chain::purge(keys, before, seal, &events, retention, at))
    }

    fn purge(&mut self, keys: &ChainKeys, index: usize, at: i64) {
        let (number, at, mac) = self.purged(keys, index, MIN_RETENTION, at).unwrap().unwrap();
        (self.seals[index].purged_at, self.seals[index].purge_mac) = (Some(at), Some(mac));
        self.events.retain(|(link, _)| *link != number);
    }

    fn walk(&self, keys: &ChainKeys) -> Found {
        let mut groups: BTreeMap<i64, Vec<AuditEvent>> = BTreeMap::new();
        for (number, event) in &self.events {
            groups.entry(*number).or_default().push(event.clone());
        }
        let mut walk = Walk::new(keys);
        for seal in &self.seals {
            let events = groups.remove(&seal.number).unwrap_or_default();
            let wrong = walk.judge(seal, &events);
            walk.pass(seal, &events, wrong);
        }
        for (number, events) in groups {
            for _ in events {
                walk.stray(number);
            }
        }
        walk.finish()
    }
}

/// Number, instant and MAC of a removal.
type Removal = (i64, i64, [u8; 32]);

fn removal(judged: Result<Option<Change>, Wrong>) -> Result<Option<Removal>, Wrong> {
    let parts = |change| {
        let Change::PurgeAudit { number, at, mac } = change else { panic!("{change:?}") };
        (number, at, mac)
    };
    judged.map(|change| change.map(parts))
}

/// Something that somebody with a database does.
type Tampering = fn(&mut Trail);

/// Three links over six events.
fn trail(keys: &ChainKeys) -> Trail {
    let links = [&[2, 1][..], &[3, 4, 5], &[6]].map(|link| link.iter().map(|n| event(*n)).collect());
    Trail::of(keys, links.to_vec())
}

#[test]
fn an_untouched_chain_is_good() {
    let keys = keys(&[1]);
    let trail = trail(&keys);
    let found = trail.walk(&keys);
    assert_eq!((found.links, found.purged, found.events, &*found.wrong), (3, 0, 6, &[][..]));
    assert_eq!(found.last, Some((3, trail.seals[2].mac)));
    assert_eq!(Trail::default().walk(&keys), Found::default());
    assert!(chain::next(&keys, &"one".into(), None, Vec::new(), NOW).is_none());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_change_is_told_by_its_link() {
    let mac = |number| vec![Wrong::Mac { number }];
    let cases: [(&str, Tampering, Vec<Wrong>); 28] = [
        ("id", |t| t.events[2].1.id = Uuid::from_u128(7), mac(2)),
        ("at", |t| t.events[2].1.at += 1, mac(2)),
        ("kind", |t| t.events[2].1.kind.push('x'), mac(2)),
        ("outcome", |t| t.events[2].1.outcome = Outcome::Refused, mac(2)),
        ("reason", |t| t.events[2].1.reason = Some(String::new()), mac(2)),
        ("correlation id", |t| t.events[2].1.correlation_id.clear(), mac(2)),
        ("client", |t| t.events[2].1.client_id = None, mac(2)),
        ("user", |t| t.events[2].1.user_id = Some(Uuid::nil()), mac(2)),
        ("actor", |t| t.events[2].1.actor = Some("user:another".into()), mac(2)),
        ("a member", |t| drop(t.events[2].1.detail.remove("n")), mac(2)),
        ("a value", |t| drop(t.events[2].1.detail.insert("n".into(), json!("1.5"))), mac(2)),
        ("an order", |t| drop(t.events[2].1.detail.insert("amr".into(), json!(["otp", "pwd"]))), mac(2)),
        (
            "a boundary",
            |t| {
                (t.events[2].1.kind, t.events[2].1.correlation_id) =
                    ("login.succeededl".into(), "ogin 3".into());
            },
            mac(2),
        ),
        ("removed", |t| drop(t.events.remove(2)), vec![Wrong::Missing { number: 2, wanted: 3, found: 2 }]),
        (
            "all removed",
            |t| t.events.retain(|(n, _)| *n != 3),
            vec![Wrong::Missing { number: 3, wanted: 1, found: 0 }],
        ),
        ("added", |t| t.events.push((1, event(9))), vec![Wrong::Extra { number: 1, wanted: 2, found: 3 }]),
        (
            "moved",
            |t| t.events[5].0 = 2,
            vec![
                Wrong::Extra { number: 2, wanted: 3, found: 4 },
                Wrong::Missing { number: 3, wanted: 1, found: 0 },
            ],
        ),
        (
            "of no link",
            |t| t.events.extend([(7, event(8)), (7, event(9))]),
            vec![Wrong::Stray { number: 7, count: 2 }],
        ),
        ("of no link before", |t| t.events.push((-1, event(8))), vec![Wrong::Stray { number: -1, count: 1 }]),
        (
            "first link gone",
            |t| {
                t.seals.remove(0);
                t.events.drain(..2);
            },
            vec![Wrong::Gap { expected: 1, found: 2 }],
        ),
        (
            "link gone",
            |t| {
                t.seals.remove(1);
                t.events.drain(2..5);
            },
            vec![Wrong::Gap { expected: 2, found: 3 }],
        ),
        (
            "renumbered",
            |t| {
                t.seals.remove(1);
                t.events.drain(2..5);
                t.seals[1].number = 2;
                t.events[2].0 = 2;
            },
            mac(2),
        ),
        (
            "count",
            |t| {
                t.seals[1].count = 2;
                t.events.remove(2);
            },
            mac(2),
        ),
        ("newest", |t| t.seals[1].newest_at -= 1, mac(2)),
        ("sealed at", |t| t.seals[1].sealed_at -= 1, mac(2)),
        // The link after it is made over the MAC of before.
        ("mac", |t| t.seals[1].mac[31] ^= 1, vec![Wrong::Mac { number: 2 }, Wrong::Mac { number: 3 }]),
        (
            "removed early",
            |t| {
                (t.seals[0].purged_at, t.seals[0].purge_mac) = (Some(NOW + 60), Some([0; 32]));
                t.events.drain(..2);
            },
            vec![Wrong::PurgedEarly { number: 1 }],
        ),
        (
            "removed by another",
            |t| {
                (t.seals[0].purged_at, t.seals[0].purge_mac) = (Some(NOW + 2 * MIN_RETENTION), Some([0; 32]));
                t.events.drain(..2);
            },
            vec![Wrong::PurgeMac { number: 1 }],
        ),
    ];
    let keys = keys(&[1]);
    let good = trail(&keys);
    for (name, change, wrong) in cases {
        let mut changed = good.clone();
        change(&mut changed);
        assert_eq!(changed.walk(&keys).wrong, wrong, "{name}");
    }
}

#[test]
fn a_chain_is_of_one_key_and_one_tenant() {
    let (old, new) = (keys(&[1]), keys(&[2]));
    let mut trail = trail(&old);
    assert_eq!(trail.walk(&new).wrong.len(), 3);
    // A master key is replaced: the new one makes links, both are tried.
    let both = keys(&[2, 1]);
    trail.seal(&both, vec![event(7)], NOW + 9);
    assert!(trail.walk(&both).wrong.is_empty());
    assert_eq!(trail.walk(&old).wrong, [Wrong::Mac { number: 4 }]);
    assert_eq!(trail.walk(&new).wrong.len(), 3);
    // Another tenant's links, copied.
    for seal in &mut trail.seals {
        seal.tenant = "two".into();
    }
    for (_, event) in &mut trail.events {
        event.tenant = "two".into();
    }
    assert_eq!(trail.walk(&both).wrong.len(), 4);
    assert!(chain::next(&keys(&[]), &"one".into(), None, vec![event(1)], NOW).is_none());
}

#[test]
fn the_order_of_members_does_not_matter() {
    let keys = keys(&[1]);
    let mut trail = trail(&keys);
    trail.events[2].1.detail =
        serde_json::from_str(r#"{"n":1.5,"scope":"openid","amr":["pwd","otp"]}"#).unwrap();
    assert!(trail.walk(&keys).wrong.is_empty());
}

#[test]
fn what_is_over_is_purged_by_signet_alone() {
    let keys = keys(&[1]);
    let mut trail = trail(&keys);
    let late = NOW + 3 * MIN_RETENTION;
    assert_eq!(chain::expired(&trail.seals, 2 * MIN_RETENTION, NOW + 2 + 2 * MIN_RETENTION), 1);
    assert_eq!(chain::expired(&trail.seals, 2 * MIN_RETENTION, NOW + 1 + 2 * MIN_RETENTION), 0);
    assert_eq!(chain::expired(&trail.seals, 2 * MIN_RETENTION, late), 3);
    // No setting takes away what is younger than a day.
    assert_eq!(chain::expired(&trail.seals, 0, NOW + MIN_RETENTION), 0);
    assert_eq!(trail.purged(&keys, 0, 0, NOW + 1 + MIN_RETENTION), Ok(None));
    assert_eq!(trail.purged(&keys, 0, 2 * MIN_RETENTION, NOW + 1 + 2 * MIN_RETENTION), Ok(None));
    trail.purge(&keys, 0, late);
    trail.purge(&keys, 1, late);
    let found = trail.walk(&keys);
    assert_eq!((found.links, found.purged, found.events, &*found.wrong), (3, 2, 1, &[][..]));

    let cases: [(&str, Tampering, Vec<Wrong>); 8] = [
        (
            "when",
            |t| t.seals[1].purged_at = Some(NOW + 4 * MIN_RETENTION),
            vec![Wrong::PurgeMac { number: 2 }],
        ),
        ("early", |t| t.seals[1].purged_at = Some(NOW), vec![Wrong::PurgedEarly { number: 2 }]),
        ("by whom", |t| t.seals[1].purge_mac = None, vec![Wrong::PurgeMac { number: 2 }]),
        ("count", |t| t.seals[1].count = 1, vec![Wrong::PurgeMac { number: 2 }]),
        ("newest", |t| t.seals[1].newest_at = NOW, vec![Wrong::PurgeMac { number: 2 }]),
        (
            "mac",
            |t| t.seals[0].mac = [0; 32],
            vec![Wrong::PurgeMac { number: 1 }, Wrong::PurgeMac { number: 2 }],
        ),
        (
            "an event again",
            |t| t.events.push((2, event(3))),
            vec![Wrong::Extra { number: 2, wanted: 0, found: 1 }],
        ),
        (
            "not purged",
            |t| t.seals[1].purged_at = None,
            vec![Wrong::Missing { number: 2, wanted: 3, found: 0 }],
        ),
    ];
    for (name, change, wrong) in cases {
        let mut changed = trail.clone();
        change(&mut changed);
        assert_eq!(changed.walk(&keys).wrong, wrong, "{name}");
    }
}

/// Whoever can write to the database makes a link look old, or changes it, and waits for Signet to remove it.
#[test]
fn a_link_that_was_changed_is_not_purged() {
    let mac = Wrong::Mac { number: 2 };
    let cases: [(&str, Tampering, Wrong); 20] = [
        ("newest", |t| t.seals[1].newest_at -= 31 * MIN_RETENTION, mac),
        ("sealed at", |t| t.seals[1].sealed_at -= 31 * MIN_RETENTION, mac),
        (
            "all times",
            |t| {
                t.seals[1].newest_at -= 31 * MIN_RETENTION;
                t.events.iter_mut().for_each(|(_, event)| event.at -= 31 * MIN_RETENTION);
            },
            mac,
        ),
        ("count", |t| t.seals[1].count = 2, Wrong::Extra { number: 2, wanted: 2, found: 3 }),
        ("number", |t| t.seals[1].number = 1, Wrong::Missing { number: 1, wanted: 3, found: 2 }),
        ("tenant", |t| t.seals[1].tenant = "two".into(), mac),
        ("mac", |t| t.seals[1].mac = [0; 32], mac),
        ("mac before", |t| t.seals[0].mac = [0; 32], mac),
        ("purge mac", |t| t.seals[1].purge_mac = Some([0; 32]), mac),
        (
            "purged already",
            |t| t.seals[1].purged_at = Some(NOW),
            Wrong::Extra { number: 2, wanted: 0, found: 3 },
        ),
        ("event's id", |t| t.events[2].1.id = Uuid::from_u128(7), mac),
        ("event's time", |t| t.events[2].1.at -= MIN_RETENTION, mac),
        ("event's kind", |t| t.events[2].1.kind.clear(), mac),
        ("event's outcome", |t| t.events[2].1.outcome = Outcome::Refused, mac),
        ("event's reason", |t| t.events[2].1.reason = Some(String::new()), mac),
        ("event's correlation id", |t| t.events[2].1.correlation_id.clear(), mac),
        ("event's actor", |t| t.events[2].1.actor = Some("command line".into()), mac),
        ("event's facts", |t| t.events[2].1.detail.clear(), mac),
        (
            "an event that is gone",
            |t| drop(t.events.remove(2)),
            Wrong::Missing { number: 2, wanted: 3, found: 2 },
        ),
        (
            "a young event that is moved here",
            |t| t.events[5].0 = 2,
            Wrong::Extra { number: 2, wanted: 3, found: 4 },
        ),
    ];
    let keys = keys(&[1]);
    let good = trail(&keys);
    let (young, old) = (NOW + 2 * MIN_RETENTION, NOW + 40 * MIN_RETENTION);
    assert!(matches!(good.purged(&keys, 1, 30 * MIN_RETENTION, old), Ok(Some(_))));
    assert_eq!(good.purged(&keys, 1, 30 * MIN_RETENTION, young), Ok(None));
    for (name, change, wrong) in cases {
        let mut changed = good.clone();
        change(&mut changed);
        for at in [young, old] {
            assert_eq!(changed.purged(&keys, 1, 30 * MIN_RETENTION, at), Err(wrong), "{name}");
        }
    }
    // Without the link before it, or with another key, a link cannot be judged, so it is not purged.
    let (seal, before) = (&good.seals[1], &good.seals[0]);
    let events: Vec<AuditEvent> = good.events[2..5].iter().map(|(_, event)| event.clone()).collect();
    let other = self::keys(&[2]);
    assert_eq!(removal(chain::purge(&keys, None, seal, &events, 0, old)), Err(mac));
    assert_eq!(removal(chain::purge(&other, Some(before), seal, &events, 0, old)), Err(mac));
    // One that is purged is not purged again.
    let mut purged = good.clone();
    purged.purge(&keys, 1, old);
    assert_eq!(purged.purged(&keys, 1, 0, old + 1), Ok(None));
}

#[test]
fn a_cut_off_tail_is_seen_by_number_and_mac_alone() {
    let keys = keys(&[1]);
    let whole = trail(&keys);
    let mut cut = whole.clone();
    cut.seals.pop();
    cut.events.pop();
    let found = cut.walk(&keys);
    assert!(found.wrong.is_empty());
    assert_ne!(found.last, whole.walk(&keys).last);
}

#[test]
fn tallies_count_by_day_kind_outcome_and_reason() {
    let mut events: Vec<AuditEvent> = (1..=4).map(event).collect();
    (events[1].outcome, events[1].reason) = (Outcome::Refused, Some("jti_used".into()));
    events[2].at = -1;
    let trail = Trail::of(&keys(&[1]), vec![events]);
    let day = NOW / 86_400;
    let found: Vec<_> =
        trail.tallies.iter().map(|t| (t.day, t.outcome, t.reason.as_str(), t.count)).collect();
    let expected = [
        (-1, Outcome::Success, "", 1),
        (day, Outcome::Success, "", 2),
        (day, Outcome::Refused, "jti_used", 1),
    ];
    assert_eq!(found, expected);
}

fn any_event(number: u128) -> impl Strategy<Value = AuditEvent> {
    let detail = prop::collection::btree_map(
        "[a-c]{0,2}",
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            prop::num::f64::NORMAL.prop_map(Value::from),
            ".{0,4}".prop_map(Value::from),
            prop::collection::vec(any::<u8>().prop_map(Value::from), 0..3).prop_map(Value::from),
        ],
        0..4,
    );
    let texts = ("[a-z.]{0,5}", prop::option::of("[a-z_]{0,3}"), ".{0,4}", prop::option::of("[a-z]{0,3}"));
    (texts, 0..5_i64, any::<bool>(), prop::option::of(0..3_u128), detail).prop_map(
        move |((kind, reason, correlation_id, client), at, refused, user, detail)| AuditEvent {
            at: NOW + at,
            kind,
            outcome: if refused { Outcome::Refused } else { Outcome::Success },
            reason,
            correlation_id,
            client_id: client.as_deref().map(Into::into),
            user_id: user.map(Uuid::from_u128),
            actor: user.map(|number| format!("user:{}", number + 1)),
            detail: detail.into_iter().collect(),
            ..event(number)
        },
    )
}

/// Chains of one to five links of one to four events.
fn any_trail() -> impl Strategy<Value = Trail> {
    prop::collection::vec(1..5_u128, 1..6).prop_flat_map(|sizes| {
        let mut number = 0;
        let links: Vec<Vec<_>> = sizes
            .into_iter()
            .map(|size| {
                (0..size)
                    .map(|_| {
                        number += 1;
                        any_event(number)
                    })
                    .collect()
            })
            .collect();
        links.prop_map(|links| Trail::of(&keys(&[1]), links))
    })
}

/// Does one of the things that somebody with a database could do. `other` is an event to take parts from.
fn tamper(trail: &mut Trail, how: u8, at: Index, with: Index, other: &AuditEvent) {
    let which = at.index(trail.events.len());
    let link = at.index(trail.seals.len());
    let victim = &mut trail.events[which].1;
    match how {
        0 => victim.id = other.id,
        1 => victim.at = other.at,
        2 => victim.kind.clone_from(&other.kind),
        3 => victim.outcome = other.outcome,
        4 => victim.reason.clone_from(&other.reason),
        5 => victim.correlation_id.clone_from(&other.correlation_id),
        6 => victim.client_id.clone_from(&other.client_id),
        7 => victim.user_id = other.user_id,
        20 => victim.actor.clone_from(&other.actor),
        8 => victim.detail.clone_from(&other.detail),
        9 => drop(trail.events.remove(which)),
        10 => trail.events.push((i64::try_from(link).unwrap() + 1, other.clone())),
        11 => trail.events[which].0 = i64::try_from(with.index(trail.seals.len() + 2)).unwrap(),
        12 => {
            // Two events change places, their ids stay.
            let to = with.index(trail.events.len());
            let (a, b) = (trail.events[which].1.clone(), trail.events[to].1.clone());
            trail.events[which].1 = AuditEvent { id: a.id, ..b.clone() };
            trail.events[to].1 = AuditEvent { id: b.id, ..a };
        }
        13 => {
            let to = with.index(trail.seals.len());
            let (a, b) = (trail.seals[link].mac, trail.seals[to].mac);
            (trail.seals[link].mac, trail.seals[to].mac) = (b, a);
        }
        14 => trail.seals[link].mac[with.index(32)] ^= 1,
        15 => trail.seals[link].count += 1,
        16 => trail.seals[link].newest_at += 1,
        17 => trail.seals[link].sealed_at += 1,
        18 => {
            trail.seals[link].purged_at = Some(NOW + 9 * MIN_RETENTION);
            let number = trail.seals[link].number;
            trail.events.retain(|(of, _)| *of != number);
        }
        _ => {
            // The last link goes unnoticed, so another one does.
            if link + 1 < trail.seals.len() {
                let gone = trail.seals.remove(link).number;
                trail.events.retain(|(of, _)| *of != gone);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_changed_is_found(
        trail in any_trail(), how in 0..21_u8, at: Index, with: Index, other in any_event(99),
    ) {
        let keys = keys(&[1]);
        prop_assert!(trail.walk(&keys).wrong.is_empty());
        let mut changed = trail.clone();
        tamper(&mut changed, how, at, with, &other);
        let same = changed.events == trail.events && changed.seals == trail.seals;
        prop_assert_eq!(changed.walk(&keys).wrong.is_empty(), same, "{}: {:?}", how, changed);
    }
}
