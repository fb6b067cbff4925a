//! Choice of the encryption key, contradictions and advice.
#[path = "../common/mod.rs"]
mod common;
mod contradictions;
mod key_sets;

use common::{CALLBACK, NOW, plain_key};
use proptest::prelude::*;
use serde_json::json;
use signet_core::admin::USERS_WRITE;
use signet_core::client_policy::{
    Advice, Contradiction, KeptSecret, Mode, NoKey, advice, check, client_id, encryption_key, key_state,
    next_encryption_key,
};
use signet_core::records::ResponseType::{
    Code, CodeIdToken, CodeIdTokenToken, CodeToken, IdToken, IdTokenToken,
};
use signet_core::records::{
    AccessTokenFormat, ApplicationType, ClaimPlacement, ClientAuthMethod, ClientKey, ClientSettings,
    CustomScope, Encryption, GrantType, RequestObjectParameters, ResponseType, SubjectType, TenantSettings,
    UserInfoResponseType,
};
use signet_jose::{ContentAlg, KeyAlg, KeyUse, SigAlg};

const DAY: i64 = 86_400;

fn rsa(kid: &str, not_before: Option<i64>, not_after: Option<i64>) -> ClientKey {
    ClientKey { not_before, not_after, ..plain_key(kid, KeyUse::Enc, &json!({"kty": "RSA"})) }
}

fn sig(kid: &str) -> ClientKey {
    plain_key(kid, KeyUse::Sig, &json!({"kty": "RSA"}))
}

fn choose<'a>(keys: &'a [ClientKey], settings: &ClientSettings, now: i64) -> Result<&'a str, &'static str> {
    encryption_key(keys, settings, KeyAlg::RsaOaep256, DAY, now)
        .map(|key| key.kid.as_str())
        .map_err(|no_key| no_key.code())
}

#[test]
fn a_new_key_takes_over_once_it_has_spread_a87() {
    let settings = ClientSettings::default();
    let keys = [rsa("old", Some(0), Some(20 * DAY)), rsa("new", Some(10 * DAY), None)];
    assert_eq!(choose(&keys, &settings, 5 * DAY), Ok("old"));
    assert_eq!(choose(&keys, &settings, 11 * DAY - 1), Ok("old"));
    assert_eq!(choose(&keys, &settings, 11 * DAY), Ok("new"));
    let next = next_encryption_key(&keys, &settings, KeyAlg::RsaOaep256, DAY, 5 * DAY).unwrap();
    assert_eq!((next.at, next.key.unwrap().kid.as_str()), (11 * DAY, "new"));
    assert_eq!(next_encryption_key(&keys, &settings, KeyAlg::RsaOaep256, DAY, 11 * DAY), None);
}

#[test]
fn the_first_key_is_used_at_once_and_ties_are_decided_by_kid_a87() {
    let settings = ClientSettings::default();
    let young = [rsa("b", Some(100), None), rsa("a", Some(50), None)];
    assert_eq!(choose(&young, &settings, 200), Ok("a"));
    let mut same = [rsa("a", Some(0), None), rsa("c", Some(0), None), rsa("b", Some(0), None)];
    for now in [1, 10 * DAY] {
        assert_eq!(choose(&same, &settings, now), Ok("c"));
        same.reverse();
    }
}

#[test]
fn why_there_is_no_key_a88() {
    let settings = ClientSettings::default();
    let revoked = ClientKey { revoked_at: Some(5), ..rsa("r", None, None) };
    let bound = plain_key("b", KeyUse::Enc, &json!({"kty": "RSA", "alg": "RSA-OAEP"}));
    let curve = plain_key("e", KeyUse::Enc, &json!({"kty": "EC", "crv": "P-256"}));
    for (keys, code) in [
        (vec![], "no_key_registered"),
        (vec![sig("s")], "no_key_registered"),
        (vec![revoked], "no_key_registered"),
        (vec![bound, curve], "no_key_fits"),
        (vec![rsa("x", None, Some(9)), rsa("y", None, Some(10))], "no_key_any_more"),
        (vec![rsa("x", None, Some(9)), rsa("y", Some(11), None)], "no_key_yet"),
    ] {
        assert_eq!(choose(&keys, &settings, 10), Err(code));
    }
    let ended = [rsa("x", None, Some(9)), rsa("y", None, Some(7))];
    let no_key = encryption_key(&ended, &settings, KeyAlg::RsaOaep, DAY, 10);
    assert_eq!(no_key.unwrap_err(), NoKey::Expired { last: 9 });
    let last = [rsa("x", None, Some(9))];
    let next = next_encryption_key(&last, &settings, KeyAlg::RsaOaep, DAY, 1).unwrap();
    assert_eq!((next.at, next.key), (9, Err(NoKey::Expired { last: 9 })));
}

#[test]
fn a_pinned_key_is_used_or_nothing_is_a87() {
    let pin = |kid: &str| ClientSettings { encryption_kid: Some(kid.into()), ..ClientSettings::default() };
    let curve = plain_key("e", KeyUse::Enc, &json!({"kty": "EC", "crv": "P-256"}));
    let keys = [rsa("good", None, None), rsa("gone", None, Some(5)), curve, sig("s")];
    assert_eq!(choose(&keys, &pin("good"), 10), Ok("good"));
    assert_eq!(choose(&keys, &pin("gone"), 10), Err("pinned_key_unusable"));
    assert_eq!(choose(&keys, &pin("e"), 10), Err("pinned_key_unfit"));
    assert_eq!(choose(&keys, &pin("s"), 10), Err("pinned_key_unknown"));
    assert_eq!(choose(&keys, &pin("other"), 10), Err("pinned_key_unknown"));
}

#[test]
fn agreement_takes_every_curve_it_can() {
    let settings = ClientSettings::default();
    for (jwk, fits) in [
        (json!({"kty": "EC", "crv": "P-256"}), true),
        (json!({"kty": "EC", "crv": "P-521"}), true),
        (json!({"kty": "OKP", "crv": "X25519"}), true),
        (json!({"kty": "OKP", "crv": "Ed25519"}), false),
        (json!({"kty": "EC", "crv": "secp256k1"}), false),
        (json!({"kty": "EC", "crv": "P-256", "use": "sig"}), false),
        (json!({"kty": "EC", "crv": "P-256", "alg": "ECDH-ES+A128KW"}), false),
        (json!({"kty": "RSA"}), false),
    ] {
        let keys = [plain_key("k", KeyUse::Enc, &jwk)];
        assert_eq!(encryption_key(&keys, &settings, KeyAlg::EcdhEs, DAY, 1).is_ok(), fits, "{jwk}");
    }
}

fn any_keys() -> impl Strategy<Value = Vec<ClientKey>> {
    let period = (0_i64..1000, proptest::option::of(1_i64..600));
    proptest::collection::vec(period, 0..6).prop_map(|periods| {
        let key = |(index, (from, life)): (usize, (i64, Option<i64>))| {
            rsa(&format!("k{index}"), Some(from), life.map(|life| from + life))
        };
        periods.into_iter().enumerate().map(key).collect()
    })
}

proptest! {
    /// A-81, A-87: never outside its period, never nothing while something is usable, whatever the order of the keys.
    #[test]
    fn the_choice_is_total_usable_and_deterministic(keys in any_keys(), now in 0_i64..1700, propagation in 0_i64..200) {
        let settings = ClientSettings::default();
        let chosen = encryption_key(&keys, &settings, KeyAlg::RsaOaep, propagation, now).map(|key| key.kid.clone());
        prop_assert_eq!(chosen.is_ok(), keys.iter().any(|key| key.usable_at(now)));
        if let Ok(kid) = &chosen {
            prop_assert!(keys.iter().find(|key| key.kid == *kid).unwrap().usable_at(now));
        }
        let mut other = keys.clone();
        other.reverse();
        let again = encryption_key(&other, &settings, KeyAlg::RsaOaep, propagation, now).map(|key| key.kid.clone());
        prop_assert_eq!(chosen, again);
    }

    /// Keys that overlap by more than the propagation time leave no gap, and the choice never goes back.
    #[test]
    fn rotation_with_overlap_has_no_gap_and_never_goes_back(steps in proptest::collection::vec(50_i64..300, 1..6), overlap in 30_i64..50) {
        let settings = ClientSettings::default();
        let mut keys = Vec::new();
        let mut from = 0;
        for (index, step) in steps.iter().enumerate() {
            keys.push(rsa(&format!("k{index}"), Some(from), Some(from + step + overlap)));
            from += step;
        }
        let mut latest = 0;
        for now in 0..from {
            let key = encryption_key(&keys, &settings, KeyAlg::RsaOaep, 20, now).unwrap();
            let start = key.not_before.unwrap();
            prop_assert!(start >= latest, "went back at {now}");
            latest = start;
        }
    }

    /// What is announced is what happens, and nothing happens before.
    #[test]
    fn the_announced_takeover_is_the_next_change(keys in any_keys(), now in 0_i64..1200) {
        let settings = ClientSettings::default();
        let kid = |at| encryption_key(&keys, &settings, KeyAlg::RsaOaep, 30, at).ok().map(|key| key.kid.clone());
        let change = (now + 1..2000).find(|at| kid(*at) != kid(now));
        let next = next_encryption_key(&keys, &settings, KeyAlg::RsaOaep, 30, now);
        prop_assert_eq!(next.as_ref().map(|next| next.at), change);
        prop_assert_eq!(next.map(|next| next.key.ok().map(|key| key.kid.clone())), change.map(kid));
    }
}

#[test]
fn where_a_key_stands_follows_from_the_choice_a87() {
    let encryption = Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm };
    let mut settings = ClientSettings::default();
    settings.id_token.encrypted = Some(encryption);
    let withdrawn = ClientKey { revoked_at: Some(2 * DAY), ..rsa("withdrawn", Some(0), None) };
    let keys = [
        rsa("ended", Some(0), Some(4 * DAY)),
        rsa("older", Some(0), None),
        rsa("now", Some(DAY), Some(30 * DAY)),
        rsa("next", Some(10 * DAY), None),
        rsa("later", Some(20 * DAY), None),
        withdrawn,
        sig("sig"),
        ClientKey { not_before: Some(9 * DAY), ..sig("sig later") },
    ];
    let states = |settings: &ClientSettings| {
        let state = |key: &ClientKey| {
            let (state, at) = key_state(key, &keys, settings, DAY, 5 * DAY);
            format!(
                "{} {}{}",
                key.kid,
                state.name(),
                at.map(|at| format!(" {}", at / DAY)).unwrap_or_default()
            )
        };
        keys.iter().map(state).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        states(&settings),
        "ended ended, older valid, now in_use, next next 11, later next 21, withdrawn revoked, sig in_use, \
         sig later waiting"
    );
    assert_eq!(
        states(&ClientSettings::default()),
        "ended ended, older valid, now valid, next waiting, later waiting, withdrawn revoked, sig in_use, \
         sig later waiting"
    );
}
