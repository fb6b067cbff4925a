//! Keys that a client publishes: what follows from a set that was read, from one that cannot be, and from none at all.

use super::*;
use signet_core::client_policy::{KeySet, Keys, Unreadable, preview, rests_on_unread_keys};
use signet_core::records::{ClientSettings, Tenant};

fn read(keys: Vec<ClientKey>) -> KeySet {
    KeySet { keys, read_at: Some(NOW), ..KeySet::default() }
}

fn dead() -> KeySet {
    let reason = "the host does not accept connections".to_owned();
    KeySet {
        failing: Some(Unreadable { since: NOW - 60, code: "fetch_unreachable", reason }),
        ..KeySet::default()
    }
}

fn settings(change: fn(&mut ClientSettings)) -> ClientSettings {
    let mut settings = ClientSettings {
        client_name: "Shop".into(),
        redirect_uris: vec![CALLBACK.into()],
        jwks_uri: Some("https://rp.example/jwks".into()),
        ..ClientSettings::default()
    };
    change(&mut settings);
    settings
}

fn found(settings: &ClientSettings, set: Option<&KeySet>) -> Vec<Contradiction> {
    let proves = settings.token_endpoint_auth_method == ClientAuthMethod::PrivateKeyJwt;
    let secret = if proves { KeptSecret::Nothing } else { KeptSecret::Hashed };
    let keys = Keys { registered: &[], set };
    check(&"rp".into(), settings, secret, keys, &TenantSettings::default(), Mode::Production, NOW)
}

fn encrypts(settings: &mut ClientSettings) {
    settings.id_token.encrypted = Some(Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm });
}

#[test]
fn a_setting_that_needs_a_key_stands_or_falls_with_the_set_at_jwks_uri() {
    type Change = fn(&mut ClientSettings);
    let (enc, sig) = (read(vec![rsa("e", None, None)]), read(vec![sig("s")]));
    let (empty, dead) = (read(Vec::new()), dead());
    let es256: Change = |s| {
        s.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
        s.token_endpoint_auth_signing_alg = Some(SigAlg::ES256);
    };
    let proves: Change = |s| s.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
    let objects: Change = |s| s.require_request_object = true;
    let curve: Change = |s| {
        s.id_token.encrypted = Some(Encryption { alg: KeyAlg::EcdhEs, enc: ContentAlg::A256Gcm });
    };
    let pinned: Change = |s| {
        encrypts(s);
        s.encryption_kid = Some("other".into());
    };
    let table: &[(Change, Option<&KeySet>, &[&str])] = &[
        (encrypts, Some(&enc), &[]),
        (encrypts, Some(&sig), &["key_set_without_key"]),
        (encrypts, Some(&empty), &["key_set_without_key"]),
        (encrypts, Some(&dead), &["key_set_unreadable"]),
        (encrypts, None, &[]),
        (curve, Some(&enc), &["key_set_without_key"]),
        (pinned, Some(&enc), &["encryption_kid_unknown"]),
        (pinned, Some(&dead), &["key_set_unreadable"]),
        (proves, Some(&sig), &[]),
        (proves, Some(&enc), &["key_set_without_signing_key"]),
        (proves, Some(&dead), &["key_set_unreadable"]),
        (proves, None, &[]),
        (es256, Some(&sig), &["assertion_alg_without_key"]),
        (objects, Some(&sig), &[]),
        (objects, Some(&empty), &["key_set_without_signing_key"]),
        (objects, Some(&dead), &["key_set_unreadable"]),
        // Nothing needs a key.
        (|_| {}, Some(&dead), &[]),
        (|_| {}, Some(&empty), &[]),
        // Said once: this is no address, so nothing was read there.
        (
            |s| {
                encrypts(s);
                s.jwks_uri = Some("http://rp.example/jwks".into());
            },
            Some(&dead),
            &["client_uri_setting"],
        ),
    ];
    for (row, (change, set, codes)) in table.iter().enumerate() {
        let all = found(&settings(*change), *set);
        assert_eq!(all.iter().map(Contradiction::code).collect::<Vec<_>>(), *codes, "row {row}");
        for one in all.iter().filter(|one| one.code() != "encryption_kid_unknown") {
            assert!(one.to_string().contains("jwks_uri"), "row {row}: {one}");
        }
    }
}

#[test]
fn the_refusal_names_the_reason_of_the_fetch_and_every_setting_that_needs_the_set() {
    let settings = settings(|s| {
        encrypts(s);
        s.require_request_object = true;
    });
    let text = found(&settings, Some(&dead()))[0].to_string();
    for part in ["does not accept connections", "id_token.encrypted, require_request_object", "disable"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let set = KeySet { skipped: vec!["member 1 cannot be used: it is odd".into()], ..read(Vec::new()) };
    let text = found(&settings, Some(&set))[0].to_string();
    assert!(text.contains("member 1 cannot be used"), "{text}");
}

#[test]
fn keys_read_before_are_used_while_the_address_fails_and_that_is_told() {
    let settings = settings(encrypts);
    let set = KeySet { failing: dead().failing, ..read(vec![rsa("e", None, None)]) };
    assert!(found(&settings, Some(&set)).is_empty());
    let keys = Keys { registered: &[], set: Some(&set) };
    let said = advice(&settings, keys, NOW);
    assert_eq!(said.iter().map(Advice::code).collect::<Vec<_>>(), ["key_set_failing"]);
    assert!(said[0].to_string().contains("does not accept connections"));
    // With nothing at hand it is a contradiction, and is not said twice; where no key is needed it is advice.
    let gone = dead();
    assert!(advice(&settings, Keys { registered: &[], set: Some(&gone) }, NOW).is_empty());
    let idle = self::settings(|_| {});
    let said = advice(&idle, Keys { registered: &[], set: Some(&gone) }, NOW);
    assert_eq!(said.iter().map(Advice::code).collect::<Vec<_>>(), ["key_set_failing"]);
}

#[test]
fn nothing_is_known_of_a_set_that_nobody_has_read() {
    let unread = KeySet::default();
    for (settings, set, rests) in [
        (settings(encrypts), Some(&unread), true),
        (settings(encrypts), None, true),
        (settings(encrypts), Some(&dead()), false),
        (settings(|_| {}), None, false),
        (ClientSettings { jwks_uri: None, ..settings(encrypts) }, None, false),
    ] {
        assert_eq!(rests_on_unread_keys(&settings, Keys { registered: &[], set }), rests);
    }
}

#[test]
fn the_preview_says_where_the_key_is_or_why_this_fails() {
    let tenant = Tenant {
        id: "t".into(),
        issuer: "https://op.example".into(),
        version: 1,
        settings: TenantSettings::default(),
        pairwise_salt: [0; 32],
        created_at: 0,
    };
    let settings = settings(|s| {
        encrypts(s);
        s.require_request_object = true;
    });
    let both = read(vec![rsa("e", None, None), sig("s")]);
    for (set, parts) in [
        (both, ["signed by its key s", "then encrypted to its key e with"]),
        (read(Vec::new()), ["of which it has none now", "its jwks_uri does not have, so this fails"]),
        (
            dead(),
            [
                "which cannot be read (the host does not accept connections), so this fails",
                "to a key that should be at its jwks_uri, which cannot be read",
            ],
        ),
        (KeySet::default(), ["which nobody has read yet", "is at its jwks_uri, which nobody has read yet"]),
    ] {
        let said = preview("c", &settings, Keys { registered: &[], set: Some(&set) }, &tenant, NOW);
        let text = [said.sends, said.receives].concat().join("\n");
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
