//! The life of a tenant's keys.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{NOW, map, tenant};
use proptest::prelude::*;
use serde_json::json;
use signet_core::change::Change;
use signet_core::discovery::{jwks, metadata, signing_key};
use signet_core::records::{KeyState, Tenant, TenantKey, TenantSettings};
use signet_core::tenant_keys::{KeyNeed, plan, revoke, rotate_now};
use signet_jose::{KeyAlg, KeySpec, KeyUse, SigAlg};

const DAY: i64 = 86_400;

fn make(tenant: &Tenant, needs: Vec<KeyNeed>) -> Vec<TenantKey> {
    needs
        .into_iter()
        .map(|need| need.into_key(tenant, map(json!({"kty": "x", "kid": "y"})), vec![1]))
        .collect()
}

fn apply(keys: &mut [TenantKey], changes: &[Change], now: i64) {
    for change in changes {
        let (id, at) = match change {
            Change::EndTenantKey { id, .. } | Change::RevokeTenantKey { id, .. } => (id, now),
            other => panic!("{other:?}"),
        };
        let key = keys.iter_mut().find(|key| key.id == *id).unwrap();
        match change {
            Change::EndTenantKey { use_until, remove_at, .. } => {
                (key.use_until, key.remove_at) = (*use_until, *remove_at);
            }
            _ => key.revoked_at = Some(at),
        }
    }
}

#[test]
fn a_new_tenant_gets_one_key_of_each_kind_at_once() {
    let tenant = tenant();
    let needs = plan(&tenant, &[], NOW);
    let found: Vec<_> = needs.iter().map(|need| (need.usage, need.spec, need.algs.join(" "))).collect();
    let agreement = "ECDH-ES ECDH-ES+A128KW ECDH-ES+A256KW".to_owned();
    assert_eq!(
        found,
        [
            (KeyUse::Sig, KeySpec::Rsa2048, "RS256".into()),
            (KeyUse::Sig, KeySpec::P256, "ES256".into()),
            (KeyUse::Sig, KeySpec::Ed25519, "EdDSA".into()),
            (KeyUse::Enc, KeySpec::Rsa2048, "RSA-OAEP RSA-OAEP-256".into()),
            (KeyUse::Enc, KeySpec::P256, agreement.clone()),
            (KeyUse::Enc, KeySpec::X25519, agreement),
        ]
    );
    let keys = make(&tenant, needs);
    assert!(keys.iter().all(|key| key.state(NOW) == KeyState::Active && !key.public_jwk.contains_key("kid")));
    assert_eq!(plan(&tenant, &keys, NOW), []);
    let lasting = keys[0].use_until - keys[0].use_from;
    assert_eq!((lasting, keys[0].remove_at - keys[0].use_until), (90 * DAY, 7 * DAY));
}

#[test]
fn one_rsa_key_serves_every_rsa_signature_a113() {
    let mut tenant = tenant();
    tenant.settings.signing_algs = vec![SigAlg::RS256, SigAlg::PS256, SigAlg::RS256, SigAlg::HS256];
    tenant.settings.encryption_algs = Vec::new();
    let needs = plan(&tenant, &[], NOW);
    assert_eq!(needs.len(), 1);
    assert_eq!(needs[0].algs, ["RS256", "PS256"]);
    let set = jwks(&make(&tenant, needs), NOW);
    let kids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids.len(), 2);
    assert_ne!(kids[0], kids[1]);
}

#[test]
fn an_algorithm_added_later_gets_its_own_key_and_leaves_the_others_alone() {
    let mut tenant = tenant();
    let mut keys = make(&tenant, plan(&tenant, &[], NOW));
    tenant.settings.signing_algs.push(SigAlg::PS256);
    let needs = plan(&tenant, &keys, NOW + DAY);
    assert_eq!(needs.len(), 1);
    assert_eq!(needs[0].algs, ["PS256"]);
    let before = signing_key(&keys, "RS256", NOW + DAY).unwrap().id.clone();
    keys.extend(make(&tenant, needs));
    assert_eq!(signing_key(&keys, "RS256", NOW + DAY).unwrap().id, before);
    assert!(signing_key(&keys, "PS256", NOW + DAY).is_some());
}

#[test]
fn algorithms_added_one_by_one_in_the_same_second_each_get_a_key() {
    let mut tenant = tenant();
    tenant.settings.signing_algs = vec![SigAlg::RS256];
    // On the grain and off it.
    for now in [NOW, NOW + 1] {
        let mut keys = make(&tenant, plan(&tenant, &[], now));
        for alg in [SigAlg::PS256, SigAlg::RS384, SigAlg::PS384] {
            tenant.settings.signing_algs.push(alg);
            let needs = plan(&tenant, &keys, now);
            assert!(needs.iter().all(|need| keys.iter().all(|key| key.id != need.id)), "{}", alg.name());
            keys.extend(make(&tenant, needs));
            assert!(signing_key(&keys, alg.name(), now).is_some(), "{}", alg.name());
        }
        tenant.settings.signing_algs.truncate(1);
    }
}

#[test]
fn the_successor_is_published_before_it_is_used_a111() {
    let tenant = tenant();
    let keys = make(&tenant, plan(&tenant, &[], NOW));
    let end = keys[0].use_until;
    assert_eq!(plan(&tenant, &keys, end - 3 * DAY), []);
    let early = plan(&tenant, &keys, end - 2 * DAY);
    assert_eq!(early.len(), keys.len());
    for need in &early {
        assert_eq!(need.use_from, end - 3600);
        assert!(need.use_from - need.created_at >= tenant.settings.key_propagation);
        assert!(need.use_from < end, "both are in use for a while");
    }
    // Another node, a little later, names the same keys.
    let ids = |needs: &[KeyNeed]| needs.iter().map(|need| need.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&early), ids(&plan(&tenant, &keys, end - 2 * DAY + 1000)));
}

#[test]
fn after_a_long_silence_there_are_keys_at_once() {
    let tenant = tenant();
    let keys = make(&tenant, plan(&tenant, &[], NOW));
    let later = NOW + 200 * DAY;
    let needs = plan(&tenant, &keys, later);
    assert_eq!(needs.len(), keys.len());
    assert!(needs.iter().all(|need| need.use_from <= later && later < need.use_until));
}

#[test]
fn an_early_rotation_takes_over_after_the_propagation_time() {
    let tenant = tenant();
    let mut keys = make(&tenant, plan(&tenant, &[], NOW));
    let now = NOW + 10 * DAY + 7;
    let rotation = rotate_now(&tenant, &keys, KeyUse::Sig, now);
    assert_eq!((rotation.needs.len(), rotation.ends.len()), (3, 3));
    let old = signing_key(&keys, "RS256", now).unwrap().id.clone();
    keys.extend(make(&tenant, rotation.needs));
    apply(&mut keys, &rotation.ends, now);
    assert_eq!(signing_key(&keys, "RS256", now + DAY - 1).unwrap().id, old);
    assert_ne!(signing_key(&keys, "RS256", now + DAY + 60).unwrap().id, old);
    let retired = keys.iter().find(|key| key.id == old).unwrap();
    assert_eq!(retired.state(now + 2 * DAY), KeyState::Retained);
    assert_eq!(plan(&tenant, &keys, now), []);
    // Asking again before that does nothing more.
    let again = rotate_now(&tenant, &keys, KeyUse::Sig, now + 100);
    assert!(again.needs.is_empty() && again.ends.is_empty(), "{again:?}");
}

#[test]
fn a_withdrawn_key_is_replaced_at_once_under_another_name() {
    let tenant = tenant();
    let mut keys = make(&tenant, plan(&tenant, &[], NOW));
    let leaked = signing_key(&keys, "RS256", NOW).unwrap().id.clone();
    let (needs, changes) = revoke(&tenant, &keys, &leaked, NOW + 1);
    assert_eq!(needs.len(), 1);
    assert_ne!(needs[0].id, leaked);
    keys.extend(make(&tenant, needs));
    apply(&mut keys, &changes, NOW + 1);
    assert_ne!(signing_key(&keys, "RS256", NOW + 1).unwrap().id, leaked);
    assert!(!jwks(&keys, NOW + 1).to_string().contains(&leaked));
}

#[test]
fn encryption_keys_are_listed_only_while_in_use() {
    let mut tenant = tenant();
    tenant.settings.encryption_algs = vec![KeyAlg::RsaOaep256];
    tenant.settings.signing_algs = vec![SigAlg::RS256];
    let mut keys = make(&tenant, plan(&tenant, &[], NOW));
    let rotation = rotate_now(&tenant, &keys, KeyUse::Enc, NOW);
    keys.extend(make(&tenant, rotation.needs));
    apply(&mut keys, &rotation.ends, NOW);
    let listed = |now: i64| {
        let set = jwks(&keys, now);
        let list = set["keys"].as_array().unwrap();
        let of = |usage: &str| {
            list.iter()
                .filter(|key| key["use"] == usage)
                .map(|key| key["kid"].to_string())
                .collect::<Vec<_>>()
        };
        (of("sig").len(), of("enc"))
    };
    let (sig, first) = listed(NOW);
    assert_eq!((sig, first.len()), (1, 1));
    let (_, second) = listed(NOW + 2 * DAY);
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);
    // Retained: it still decrypts what was encrypted with a cached set.
    assert!(
        keys.iter()
            .filter(|key| key.usage == KeyUse::Enc)
            .all(|key| key.state(NOW + 2 * DAY) != KeyState::Removed)
    );
}

#[test]
fn nothing_is_advertised_without_a_key_a112() {
    let mut tenant = tenant();
    let full = metadata(&tenant, &make(&tenant, plan(&tenant, &[], NOW)), NOW);
    assert_eq!(full["id_token_signing_alg_values_supported"], json!(["RS256", "ES256", "EdDSA"]));
    assert_eq!(full["request_object_encryption_alg_values_supported"].as_array().unwrap().len(), 5);
    assert_eq!(full["issuer"], common::ISSUER);
    let request_signing = full["request_object_signing_alg_values_supported"].to_string();
    assert!(!request_signing.contains("HS256") && !request_signing.contains("none"));
    tenant.settings.encryption_algs = Vec::new();
    tenant.settings.signing_algs = vec![SigAlg::ES256];
    let less = metadata(&tenant, &make(&tenant, plan(&tenant, &[], NOW)), NOW);
    assert_eq!(less["id_token_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(less["userinfo_signing_alg_values_supported"], json!(["ES256"]));
    for name in
        ["request_object_encryption_alg_values_supported", "request_object_encryption_enc_values_supported"]
    {
        assert_eq!(less[name], json!([]), "{name}");
    }
    let none = metadata(&tenant, &[], NOW);
    assert_eq!(none["id_token_signing_alg_values_supported"], json!([]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the settings and the interval of the job are: at every instant each algorithm has a key in use; each key
    /// but the first was published for the propagation time before it signed; the signer never goes back; and a plan
    /// that was carried out leaves nothing to do.
    #[test]
    fn rotation_never_has_a_gap(
        propagation in 0_i64..4 * 3600,
        spare in 1_i64..20,
        interval in 60_i64..600,
        start in 0_i64..10_000,
    ) {
        let lifetime = (propagation * 4).max(3600) + spare * 3600;
        let mut tenant = tenant();
        tenant.settings = TenantSettings {
            key_propagation: propagation,
            key_lifetime: lifetime,
            signing_algs: vec![SigAlg::RS256],
            encryption_algs: vec![KeyAlg::RsaOaep],
            ..TenantSettings::default()
        };
        let mut keys: Vec<TenantKey> = Vec::new();
        let (mut now, mut last) = (start, i64::MIN);
        let interval = interval.min(propagation.max(60));
        while now < start + 4 * lifetime {
            let needs = plan(&tenant, &keys, now);
            keys.extend(make(&tenant, needs));
            prop_assert_eq!(plan(&tenant, &keys, now), vec![]);
            for at in [now, now + interval - 1] {
                let signer = signing_key(&keys, "RS256", at);
                prop_assert!(signer.is_some(), "no key at {}", at - start);
                let signer = signer.unwrap();
                prop_assert!(signer.use_from >= last);
                last = signer.use_from;
                let first = signer.created_at == start;
                prop_assert!(first || at - signer.created_at >= propagation, "used too early at {}", at - start);
                prop_assert!(!jwks(&keys, at).to_string().is_empty());
                prop_assert!(keys.iter().any(|key| key.usage == KeyUse::Enc && key.state(at) == KeyState::Active));
            }
            now += interval;
        }
        let mut ids: Vec<_> = keys.iter().map(|key| key.id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), keys.len());
        prop_assert!(keys.len() <= 2 * 6, "{} keys", keys.len());
    }
}
