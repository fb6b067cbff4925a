//! Keys at a `jwks_uri`: how long they are used, when they are fetched, and what a changed set means.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{NOW, key};
use serde_json::{Value, json};
use signet_core::client_policy::KeySet;
use signet_core::fault::Fault;
use signet_core::records::KeyOrigin;
use signet_core::remote_keys::{
    ChangedKeys, DEFAULT_AGE, Demand, KeySource, LOOK_PAUSE, Learned, MAX_AGE, MAX_PAUSE, MIN_AGE, Need,
    PAUSE, STALE_IF_ERROR, may_be_stale,
};
use signet_jose::{JoseFault, KeySpec, KeyUse};

fn jwk(name: &'static str, spec: KeySpec, members: &Value) -> Value {
    let mut jwk = key(name, spec).public_key().to_jwk();
    for (member, value) in members.as_object().unwrap() {
        if value.is_null() {
            jwk.remove(member)
        } else {
            jwk.insert(member.clone(), value.clone())
        };
    }
    Value::Object(jwk)
}

fn set(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

fn fetched(source: &mut KeySource, keys: &[Value], now: i64) -> Learned {
    source.fetched(Demand::Verify, &set(keys), None, ChangedKeys::Refuse, now).unwrap()
}

/// Usage, kid and thumbprint of what may be used.
fn usable(source: &KeySource, now: i64) -> Vec<(KeyUse, String, String)> {
    let records = source.keys(now).iter().map(|key| key.record(&"t".into(), &"rp".into()));
    records.map(|key| (key.usage, key.kid, key.thumbprint)).collect()
}

fn thumbprint(name: &'static str, spec: KeySpec) -> String {
    key(name, spec).public_key().thumbprint().to_owned()
}

const EC: KeySpec = KeySpec::P256;

fn sig(name: &'static str) -> Value {
    jwk(name, EC, &json!({ "use": "sig" }))
}

#[test]
fn what_is_needed_follows_from_age_demand_and_pause() {
    let mut fresh = KeySource::default();
    fetched(&mut fresh, &[sig("a")], NOW);
    let stale = NOW + DEFAULT_AGE;
    let gone = stale + STALE_IF_ERROR;
    for (now, demand, expected) in [
        (NOW, Demand::Verify, Need::Use),
        (NOW, Demand::Encrypt, Need::Use),
        (NOW + PAUSE - 1, Demand::UnknownKid, Need::Use),
        (NOW + PAUSE, Demand::UnknownKid, Need::Wait),
        (stale - 1, Demand::Verify, Need::Use),
        (stale, Demand::Verify, Need::Refresh),
        (stale - 1, Demand::Encrypt, Need::Use),
        (stale, Demand::Encrypt, Need::WaitBriefly),
        (gone - 1, Demand::Verify, Need::Refresh),
        (gone, Demand::Verify, Need::Wait),
        (gone, Demand::Encrypt, Need::Wait),
        // The clock was set back by a day.
        (NOW - 86_400, Demand::UnknownKid, Need::Wait),
    ] {
        assert_eq!(fresh.need(demand, now), expected, "{demand:?} at {}", now - NOW);
    }
    assert_eq!(fresh.keys(gone - 1).len(), 1);
    assert!(fresh.keys(gone).is_empty());
    let never = KeySource::default();
    for demand in [Demand::Verify, Demand::Encrypt, Demand::UnknownKid] {
        assert_eq!(never.need(demand, NOW), Need::Wait);
    }
    assert!(never.keys(NOW).is_empty());
}

#[test]
fn cache_control_is_followed_within_bounds() {
    for (stated, expected) in [
        (None, DEFAULT_AGE),
        (Some(0), MIN_AGE),
        (Some(59), MIN_AGE),
        (Some(61), 61),
        (Some(3600), 3600),
        (Some(1_000_000), MAX_AGE),
        (Some(u64::MAX), MAX_AGE),
    ] {
        let mut source = KeySource::default();
        source.fetched(Demand::Verify, &set(&[sig("a")]), stated, ChangedKeys::Refuse, NOW).unwrap();
        assert_eq!(source.need(Demand::Verify, NOW + expected - 1), Need::Use, "{stated:?}");
        assert_eq!(source.need(Demand::Verify, NOW + expected), Need::Refresh, "{stated:?}");
    }
}

#[test]
fn failures_keep_what_is_there_and_lengthen_the_pause() {
    let mut source = KeySource::default();
    fetched(&mut source, &[sig("a")], NOW);
    let mut now = NOW + DEFAULT_AGE;
    for pause in [10, 20, 40, 80, 160, MAX_PAUSE, MAX_PAUSE] {
        source.failed(Demand::Verify, "fetch_status", "the answer has the status 500".into(), now);
        for demand in [Demand::Verify, Demand::Encrypt, Demand::UnknownKid] {
            assert_eq!(source.need(demand, now + pause - 1), Need::Use, "{pause}");
        }
        assert_eq!(source.need(Demand::UnknownKid, now + pause), Need::Wait, "{pause}");
        assert_eq!(source.need(Demand::Encrypt, now + pause), Need::Refresh, "{pause}");
        assert_eq!(source.keys(now).len(), 1);
        now += pause;
    }
    for broken in [&b""[..], b"{}", b"[]", b"{\"keys\":{}}", b"<html>", b"{\"keys\":[],\"keys\":[]}"] {
        assert!(source.fetched(Demand::Verify, broken, None, ChangedKeys::Refuse, now).is_err());
        assert_eq!(source.keys(now).len(), 1);
        assert_eq!(source.need(Demand::UnknownKid, now + MAX_PAUSE - 1), Need::Use);
    }
    // A success ends it.
    fetched(&mut source, &[sig("a")], now);
    assert_eq!(source.need(Demand::UnknownKid, now + PAUSE), Need::Wait);
    // A set that holds nothing is no failure: its owner has withdrawn everything.
    fetched(&mut source, &[], now);
    assert!(source.keys(now).is_empty());
}

#[test]
fn members_are_read_each_for_itself_rfc7517_5() {
    let keys = [
        sig("a"),
        jwk("b", EC, &json!({ "use": "enc" })),
        // Without `use`: for both (RFC 7517 section 4.2). Without `kid`: the thumbprint names it.
        jwk("c", EC, &json!({ "use": null, "kid": null })),
        jwk("d", EC, &json!({ "key_ops": ["verify"] })),
        jwk("e", EC, &json!({ "alg": "ES256", "kid": "bound" })),
        jwk("f", EC, &json!({ "use": "sig", "nbf": NOW + 5, "exp": NOW + 50 })),
        // Not usable.
        json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "oct" }),
        json!({ "kty": "XYZ", "kid": "xyz" }),
        jwk("g", EC, &json!({ "d": "AAAA" })),
        jwk("h", EC, &json!({ "use": "tls" })),
        jwk("i", EC, &json!({ "nbf": 50, "exp": 5 })),
        json!("not a key"),
        // The same again is one.
        sig("a"),
    ];
    let mut source = KeySource::default();
    let learned = fetched(&mut source, &keys, NOW);
    let skipped: Vec<_> = learned.skipped.iter().map(|(place, fault)| (*place, fault.code())).collect();
    assert_eq!(
        skipped.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
        [6, 7, 8, 9, 10, 11],
        "{skipped:?}"
    );
    assert!(skipped[2].1.contains("private"), "{skipped:?}");
    let (sig, enc) = (KeyUse::Sig, KeyUse::Enc);
    let c = thumbprint("c", EC);
    let found: Vec<_> = usable(&source, NOW).into_iter().map(|(usage, kid, _)| (usage, kid)).collect();
    let expected = [(sig, "a"), (enc, "b"), (sig, &*c), (enc, &*c), (sig, "d"), (sig, "bound"), (sig, "f")];
    assert_eq!(found, expected.map(|(usage, kid)| (usage, kid.to_owned())));
    let records: Vec<_> = source.keys(NOW).iter().map(|key| key.record(&"t".into(), &"rp".into())).collect();
    assert!(records.iter().all(|key| key.origin == KeyOrigin::JwksUri && key.created_at == NOW));
    let f = records.iter().find(|key| key.kid == "f").unwrap();
    assert_eq!((f.not_before, f.not_after), (Some(NOW + 5), Some(NOW + 50)));
    assert!(!f.usable_at(NOW) && f.usable_at(NOW + 5) && !f.usable_at(NOW + 50));
    let mut ids: Vec<_> = records.iter().map(|key| key.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), records.len());
    // A signing key without kid stays so, and verifies whatever kid a token has; one to encrypt to gets a name (A-95).
    let unnamed = |usage| records.iter().find(|key| key.kid == c && key.usage == usage).unwrap();
    assert!(!unnamed(sig).jwk.contains_key("kid"));
    assert_eq!(unnamed(enc).jwk["kid"], c);
}

#[test]
fn sets_are_bounded() {
    let many: Vec<_> = (0..51).map(|number| jwk("a", EC, &json!({ "kid": number.to_string() }))).collect();
    let mut source = KeySource::default();
    let fault = source.fetched(Demand::Verify, &set(&many), None, ChangedKeys::Refuse, NOW).unwrap_err();
    assert_eq!(fault.code(), "key_too_many");
    fetched(&mut source, &many[1..], NOW);
    assert_eq!(source.keys(NOW).len(), 100, "each for both usages");
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(300_000));
    assert!(source.fetched(Demand::Verify, huge.as_bytes(), None, ChangedKeys::Refuse, NOW).is_err());
}

#[test]
fn a_kid_that_returns_with_other_material_is_refused_and_told_once() {
    let (old, new) = (
        jwk("a", EC, &json!({ "kid": "k", "use": "sig" })),
        jwk("b", EC, &json!({ "kid": "k", "use": "sig" })),
    );
    let (a, b) = (thumbprint("a", EC), thumbprint("b", EC));
    let only = |print: &str| vec![(KeyUse::Sig, "k".to_owned(), print.to_owned())];
    let mut source = KeySource::default();
    fetched(&mut source, std::slice::from_ref(&old), NOW);
    let learned = fetched(&mut source, std::slice::from_ref(&new), NOW + 600);
    let alarm = &learned.alarms[0];
    assert_eq!((&*alarm.kid, &alarm.known, &alarm.offered, alarm.taken), ("k", &a, &b, false));
    assert_eq!(usable(&source, NOW + 600), only(&a), "what the kid meant is kept");
    assert!(fetched(&mut source, std::slice::from_ref(&new), NOW + 1200).alarms.is_empty(), "told once");
    // Beside each other, in any order: still the first one.
    for both in [[new.clone(), old.clone()], [old.clone(), new.clone()]] {
        fetched(&mut source, &both, NOW + 1800);
        assert_eq!(usable(&source, NOW + 1800), only(&a));
    }
    // Gone when its kid is gone, and not free for another at once.
    fetched(&mut source, &[], NOW + 2400);
    assert!(usable(&source, NOW + 2400).is_empty());
    fetched(&mut source, std::slice::from_ref(&new), NOW + 3000);
    assert!(usable(&source, NOW + 3000).is_empty());
    // After a day nobody can still hold the old one.
    fetched(&mut source, &[new], NOW + 1800 + 86_400);
    assert_eq!(usable(&source, NOW + 1800 + 86_400), only(&b));
}

#[test]
fn development_takes_changed_keys_with_the_same_alarm() {
    let (old, new) = (jwk("a", EC, &json!({ "kid": "k" })), jwk("b", EC, &json!({ "kid": "k" })));
    let mut source = KeySource::default();
    fetched(&mut source, &[old], NOW);
    let learned = source.fetched(Demand::Verify, &set(&[new]), None, ChangedKeys::Take, NOW + 600).unwrap();
    assert_eq!(learned.alarms.len(), 2, "one for each usage");
    assert!(learned.alarms.iter().all(|alarm| alarm.taken));
    let b = thumbprint("b", EC);
    assert!(usable(&source, NOW + 600).iter().all(|(_, _, print)| *print == b));
    assert_eq!(source.keys(NOW + 600).len(), 2);
}

#[test]
fn keys_of_other_kinds_and_usages_may_share_a_kid_rfc7517_4_5() {
    let keys = [
        jwk("a", EC, &json!({ "kid": "k", "use": "sig" })),
        jwk("b", EC, &json!({ "kid": "k", "use": "enc" })),
        jwk("r", KeySpec::Rsa2048, &json!({ "kid": "k", "use": "sig" })),
    ];
    let mut source = KeySource::default();
    assert!(fetched(&mut source, &keys, NOW).alarms.is_empty());
    assert_eq!(source.keys(NOW).len(), 3);
    // A rotation with new names is none of this, and the age of the keys that stay is kept.
    let learned = fetched(&mut source, &[keys[0].clone(), sig("next")], NOW + 600);
    assert!(learned.alarms.is_empty());
    let ages: Vec<_> =
        source.keys(NOW + 600).iter().map(|key| key.record(&"t".into(), &"rp".into()).created_at).collect();
    assert_eq!(ages, [NOW, NOW + 600]);
}

#[test]
fn only_missing_keys_are_a_reason_to_fetch_again() {
    for fault in [
        Fault::AssertionKeyUnknown,
        Fault::AssertionKeyMissing,
        Fault::ObjectKeyMissing,
        Fault::Object(JoseFault::KeyUnknown { offered: None }),
    ] {
        assert!(may_be_stale(&fault), "{fault:?}");
    }
    for fault in [Fault::AssertionSignature, Fault::Object(JoseFault::SignatureInvalid), Fault::ClientUnknown]
    {
        assert!(!may_be_stale(&fault), "{fault:?}");
    }
}

#[test]
fn somebody_who_looks_sees_what_is_there_now_and_what_is_known_is_told() {
    let mut source = KeySource::default();
    let known = |source: &KeySource, now| source.known(&"t".into(), &"rp".into(), now);
    let unreachable = || "the host does not accept connections".to_owned();
    assert_eq!(source.need(Demand::Look, NOW), Need::Wait);
    assert_eq!(known(&source, NOW), KeySet::default());
    source.failed(Demand::Verify, "fetch_unreachable", unreachable(), NOW);
    source.failed(Demand::Verify, "fetch_timeout", "the host did not answer in time".into(), NOW + 100);
    let failing = known(&source, NOW + 100).failing.unwrap();
    assert_eq!((failing.since, failing.code), (NOW, "fetch_timeout"));
    // The pause after failures is for those whom anybody can make ask; two of one moment share a result.
    assert_eq!(source.need(Demand::Verify, NOW + 100 + LOOK_PAUSE), Need::Use);
    assert_eq!(source.need(Demand::Look, NOW + 100 + LOOK_PAUSE - 1), Need::Use);
    assert_eq!(source.need(Demand::Look, NOW + 100 + LOOK_PAUSE), Need::Wait);
    // The clock was set back.
    assert_eq!(source.need(Demand::Look, NOW), Need::Wait);

    let odd = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
    fetched(&mut source, &[sig("a"), odd], NOW + 200);
    let set = known(&source, NOW + 200);
    assert_eq!((set.read_at, set.failing.is_none(), set.keys.len()), (Some(NOW + 200), true, 1));
    assert!(set.skipped[0].starts_with("member 2 cannot be used: "), "{:?}", set.skipped);
    assert_eq!(source.need(Demand::Look, NOW + 200 + LOOK_PAUSE), Need::Wait);
    source.fetched(Demand::Verify, b"<html>", None, ChangedKeys::Refuse, NOW + 300).unwrap_err();
    let set = known(&source, NOW + 300);
    assert!(set.read_at.is_some() && set.failing.unwrap().reason.contains("no JWK Set"));
    let gone = known(&source, NOW + 200 + DEFAULT_AGE + STALE_IF_ERROR);
    assert!(gone.read_at.is_none() && gone.keys.is_empty() && gone.failing.is_some());
}

#[test]
fn a_look_that_fails_does_not_lengthen_the_pause_of_logins() {
    let mut source = KeySource::default();
    fetched(&mut source, &[sig("a")], NOW);
    let stale = NOW + DEFAULT_AGE;
    for (times, now) in (stale..).step_by(3).take(20).enumerate() {
        if times % 2 == 0 {
            source.failed(Demand::Look, "fetch_timeout", "the host did not answer in time".into(), now);
        } else {
            source.fetched(Demand::Look, b"<html>", None, ChangedKeys::Refuse, now).unwrap_err();
        }
        assert_eq!(source.need(Demand::UnknownKid, now), Need::Wait);
        assert_eq!(source.need(Demand::Encrypt, now), Need::WaitBriefly);
        assert_eq!(source.need(Demand::Look, now), Need::Use);
    }
    // A login that fails waits the shortest pause, as if nobody had looked.
    source.failed(Demand::Verify, "fetch_timeout", "the host did not answer in time".into(), stale + 100);
    assert_eq!(source.need(Demand::UnknownKid, stale + 100 + PAUSE - 1), Need::Use);
    // Nor does a look shorten the pause that logins have.
    source.failed(Demand::Look, "fetch_timeout", "the host did not answer in time".into(), stale + 103);
    assert_eq!(source.need(Demand::UnknownKid, stale + 100 + PAUSE - 1), Need::Use);
    assert_eq!(source.need(Demand::UnknownKid, stale + 100 + PAUSE), Need::Wait);
}
