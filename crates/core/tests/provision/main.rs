//! Provisioning: declarations are judged whole, applied once, and change nothing the second time.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod owners;
mod secrets;

use common::*;
use serde_json::{Value, json};
use signet_core::change::Change;
use signet_core::client_policy::Mode;
use signet_core::ids::{ClientId, TenantId};
use signet_core::provision::{
    ClientDeclaration, ClientFacts, Declaration, PasswordHash, Provisioned, Refusal, Secret, SecretKeeper,
    TenantDeclaration, TenantFacts, UserDeclaration, UserFacts, client as provision_client,
    tenant as provision_tenant, user as provision_user, username,
};
use signet_core::records::{Client, ClientKey, CustomScope, KeyOrigin, Role, Tenant, TenantSettings, User};
use signet_jose::{KeySpec, KeyUse};

/// Seals by putting a mark in front.
#[derive(Debug)]
struct Seal;

impl SecretKeeper for Seal {
    fn seal(&self, tenant: &TenantId, client: &ClientId, secret: &str) -> Option<Vec<u8>> {
        assert_eq!(tenant.as_str(), "t");
        (client.as_str() != "no-master-key").then(|| format!("sealed:{secret}").into_bytes())
    }

    fn length(&self, sealed: &[u8]) -> usize {
        sealed.len() - "sealed:".len()
    }
}

fn custom_scopes() -> Vec<CustomScope> {
    vec![CustomScope {
        name: "payments".into(),
        title: "See your payments".into(),
        detail: "What you paid.".into(),
        claims: vec!["iban".into(), "email".into()],
    }]
}

/// What the store would hold.
#[derive(Default)]
struct Stored {
    client: Option<Client>,
    keys: Vec<ClientKey>,
}

impl Stored {
    fn try_apply(&self, declared: &Value, now: i64) -> Result<Provisioned, Vec<&'static str>> {
        let declared: ClientDeclaration = serde_json::from_value(declared.clone()).unwrap();
        let tenant = tenant();
        let facts = ClientFacts {
            tenant: &tenant,
            current: self.client.as_ref(),
            keys: &self.keys,
            key_set: None,
            secrets: &Seal,
            mode: Mode::Production,
        };
        provision_client(&declared, &facts, "corr", &at(now))
            .map_err(|refusals| refusals.iter().map(inner_code).collect())
    }

    fn refused(&self, declared: &Value) -> Vec<&'static str> {
        self.try_apply(declared, NOW).expect_err("refused")
    }

    fn apply(&mut self, declared: &Value, now: i64) -> Provisioned {
        let provisioned = self.try_apply(declared, now).unwrap();
        for change in &provisioned.changes {
            match change {
                Change::InsertClient(client) => {
                    assert!(self.client.is_none() && client.version == 1);
                    self.client = Some(client.clone());
                }
                Change::UpdateClient(client) => {
                    assert_eq!(client.version, self.client.as_ref().unwrap().version + 1);
                    self.client = Some(client.clone());
                }
                Change::InsertClientKey(key) => {
                    let taken = |other: &ClientKey| other.kid == key.kid && other.revoked_at.is_none();
                    assert!(!self.keys.iter().any(taken), "the store would refuse the kid");
                    self.keys.push(key.clone());
                }
                Change::UpdateClientKey { id, name, not_before, not_after, .. } => {
                    let key = self.keys.iter_mut().find(|key| key.id == *id).unwrap();
                    (key.name, key.not_before, key.not_after) = (name.clone(), *not_before, *not_after);
                }
                Change::RevokeClientKey { id, at, .. } => {
                    self.keys.iter_mut().find(|key| key.id == *id).unwrap().revoked_at = Some(*at);
                }
                Change::Audit(event) => assert_eq!((event.correlation_id.as_str(), event.at), ("corr", now)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(provisioned.is_unchanged(), provisioned.differences.is_empty());
        let again = self.try_apply(declared, now + 1).unwrap();
        assert!(again.is_unchanged(), "{:?}", again.differences);
        assert!(again.secret.is_none());
        provisioned
    }

    fn live(&self) -> Vec<&ClientKey> {
        self.keys.iter().filter(|key| key.revoked_at.is_none()).collect()
    }
}

fn inner_code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Setting { problem } => problem.code(),
        other => other.code(),
    }
}

fn base() -> Value {
    json!({
        "client_id": "shop", "client_name": "Shop", "redirect_uris": [CALLBACK], "secret": SECRET,
    })
}

fn jwk(name: &'static str, kid: Option<&str>, alg: Option<&str>) -> Value {
    let mut jwk = key(name, KeySpec::P256).public_key().clone().with_alg(alg).to_jwk();
    match kid {
        Some(kid) => jwk.insert("kid".into(), kid.into()),
        None => jwk.remove("kid"),
    };
    Value::Object(jwk)
}

fn keyed(keys: &Value) -> Value {
    with(&base(), &json!({ "keys": keys }))
}

#[test]
fn a_client_is_made_once_and_changed_once() {
    let mut stored = Stored::default();
    let made = stored.apply(&base(), NOW);
    assert_eq!(made.differences, ["client \"shop\": new", "client \"shop\": secret: set"]);
    assert!(!format!("{made:?}").contains(SECRET));
    assert!(
        matches!(made.changes.as_slice(), [Change::InsertClient(_), Change::Audit(event)] if event.kind == "client.created")
    );
    let changed = with(&base(), &json!({"require_pkce": false, "disabled": true, "secret": null}));
    let changed = stored.apply(&changed, NOW + 5);
    assert_eq!(
        changed.differences,
        ["client \"shop\": require_pkce: true -> false", "client \"shop\": disabled: false -> true"]
    );
    let client = stored.client.unwrap();
    assert!(client.secret_hash.unwrap().matches(SECRET), "kept");
    assert_eq!((client.created_at, client.updated_at), (NOW, NOW + 5));
}

#[test]
fn a_secret_is_made_once_and_shown_once_a71() {
    let mut stored = Stored::default();
    let declared = with(&base(), &json!({"secret": null, "generate_secret": true}));
    let secret = stored.apply(&declared, NOW).secret.unwrap();
    assert!(secret.starts_with("sgn_cs_"));
    assert!(stored.client.as_ref().unwrap().secret_hash.unwrap().matches(&secret));
    // A client that becomes public loses it.
    let public = with(&base(), &json!({"secret": null, "token_endpoint_auth_method": "none"}));
    let differences = stored.apply(&public, NOW).differences;
    assert!(differences.contains(&"client \"shop\": secret: removed".to_owned()));
    assert_eq!(stored.client.unwrap().secret_hash, None);
}

#[test]
fn all_that_is_wrong_is_said_at_once_a75() {
    let stored = Stored::default();
    let wrong = json!({
        "client_id": "a b", "client_name": "", "redirect_uris": ["http://rp.example"], "secret": "short",
        "require_request_object": true,
        "keys": [{"name": "k", "usage": "sig", "source": "nonsense"}],
    });
    assert_eq!(
        stored.refused(&wrong),
        [
            "client_id_form",
            "client_name_form",
            "redirect_uri",
            "objects_without_key",
            "key_source",
            "secret_weak"
        ]
    );
    assert_eq!(stored.refused(&with(&base(), &json!({"secret": null}))), ["secret_missing"]);
    assert_eq!(stored.refused(&with(&base(), &json!({"generate_secret": true}))), ["secret_twice"]);
    let unknown = with(&base(), &json!({"requires_pkce": true}));
    let error = serde_json::from_value::<ClientDeclaration>(unknown).unwrap_err().to_string();
    assert!(error.contains("requires_pkce"), "{error}");
}

#[test]
fn keys_come_in_every_form_and_keep_their_kid_a84_a86() {
    let mut stored = Stored::default();
    let pair = key("set-enc", KeySpec::P256).public_key();
    let set = json!({"keys": [jwk("set-sig", Some("s"), Some("ES256")), jwk("set-enc", Some("e"), Some("ECDH-ES"))]});
    let declared = keyed(&json!([
        {"name": "one", "usage": "sig", "source": jwk("one", Some("mine"), None)},
        {"name": "text", "usage": "sig", "source": jwk("text", None, None).to_string()},
        {"name": "of the set", "usage": "sig", "source": set},
        {"name": "of the set", "usage": "enc", "source": set},
    ]));
    stored.apply(&declared, NOW);
    let found: Vec<_> = stored.keys.iter().map(|key| (key.kid.as_str(), key.usage, key.origin)).collect();
    let text = key("text", KeySpec::P256).public_key().thumbprint();
    assert_eq!(
        found,
        [
            ("mine", KeyUse::Sig, KeyOrigin::Jwk),
            (text, KeyUse::Sig, KeyOrigin::Jwk),
            ("s", KeyUse::Sig, KeyOrigin::Jwks),
            ("e", KeyUse::Enc, KeyOrigin::Jwks),
        ]
    );
    assert_eq!(stored.keys[3].thumbprint, pair.thumbprint());
    assert!(
        !stored.keys[1].jwk.contains_key("kid"),
        "a signing key without a name verifies whatever kid is sent"
    );
    assert_eq!(stored.keys[1].jwk["use"], "sig");
    let client = stored.client.unwrap();
    assert_eq!(client.version, 1);
}

#[test]
fn a_key_is_refused_by_name_a79_a83_keycloak_14263() {
    let mut stored = Stored::default();
    let one = json!([{"name": "one", "usage": "sig", "source": jwk("one", Some("mine"), None)}]);
    stored.apply(&keyed(&one), NOW);
    let private = key("one", KeySpec::P256).to_jwk().unwrap().to_string();
    let source =
        |usage: &str, source: Value| keyed(&json!([{"name": "n", "usage": usage, "source": source}]));
    for (declared, code) in [
        (source("sig", jwk("two", Some("mine"), None)), "kid_taken"),
        (source("enc", jwk("one", Some("other"), None)), "key_reused"),
        (source("sig", Value::String(private)), "key_source"),
        (source("enc", jwk("two", None, Some("ES256"))), "key_usage"),
        (source("sig", json!(5)), "key_source_form"),
        (keyed(&json!([{"name": "", "usage": "sig", "source": jwk("two", None, None)}])), "key_name"),
        (
            keyed(
                &json!([{"name": "n", "usage": "sig", "source": jwk("two", None, None), "not_before": 9, "not_after": 9}]),
            ),
            "key_period",
        ),
    ] {
        assert_eq!(stored.refused(&declared), [code]);
        // Also where the old key would be withdrawn in the same breath.
        let pruned = with(&declared, &json!({"prune_keys": true}));
        assert_eq!(stored.refused(&pruned), [code]);
    }
    let twice = json!([
        {"name": "a", "usage": "sig", "source": jwk("two", Some("k"), None)},
        {"name": "b", "usage": "sig", "source": jwk("three", Some("k"), None)},
        {"name": "c", "usage": "enc", "source": jwk("two", Some("z"), None)},
    ]);
    assert_eq!(stored.refused(&keyed(&twice)), ["kid_taken", "key_reused"]);
}

#[test]
fn keys_that_are_not_declared_stay_unless_pruned() {
    let mut stored = Stored::default();
    let declare =
        |name: &'static str| json!([{"name": name, "usage": "sig", "source": jwk(name, Some(name), None)}]);
    stored.apply(&keyed(&declare("one")), NOW);
    stored.apply(&keyed(&declare("two")), NOW + 1);
    assert_eq!(stored.live().len(), 2);
    let version = stored.client.as_ref().unwrap().version;
    assert_eq!(version, 2, "a change of keys counts the version up");
    let pruned = stored.apply(&with(&keyed(&declare("two")), &json!({"prune_keys": true})), NOW + 2);
    assert_eq!(pruned.differences, ["client \"shop\" key \"one\" (kid \"one\"): withdrawn"]);
    assert_eq!(stored.live().len(), 1);
    // What was withdrawn does not come back with an old file.
    assert_eq!(stored.refused(&keyed(&declare("one"))), ["key_withdrawn"]);
}

#[test]
fn period_name_kid_and_alg_follow_the_declaration_a89() {
    let mut stored = Stored::default();
    let declare = |name: &str, kid: Option<&str>, alg: Option<&str>, until: Value| {
        keyed(&json!([{"name": name, "usage": "sig", "source": jwk("one", kid, alg), "not_after": until}]))
    };
    stored.apply(&declare("a", Some("k"), None, json!(NOW + 100)), NOW);
    assert_eq!(stored.keys[0].not_after, Some(NOW + 100));
    let changed = stored.apply(&declare("b", Some("k"), None, json!(null)), NOW);
    assert_eq!(changed.differences.len(), 2, "{:?}", changed.differences);
    assert_eq!((stored.keys[0].name.as_str(), stored.keys[0].not_after), ("b", None));
    // Without a kid of its own the same material is the same key.
    let same = stored.try_apply(&declare("b", None, None, json!(null)), NOW).unwrap();
    assert!(same.is_unchanged());
    stored.apply(&declare("b", Some("new"), None, json!(null)), NOW);
    stored.apply(&declare("b", Some("new"), Some("ES256"), json!(null)), NOW);
    assert_eq!(stored.keys.len(), 3);
    let live = stored.live();
    assert_eq!((live.len(), live[0].kid.as_str(), &live[0].jwk["alg"]), (1, "new", &json!("ES256")));
}

#[test]
fn a_certificate_brings_its_own_period_a89() {
    const PEM: &str = include_str!("certificate.pem");
    let mut stored = Stored::default();
    let key = json!({"name": "cert", "usage": "sig", "source": PEM});
    stored.apply(&keyed(&json!([key])), NOW);
    let own = (stored.keys[0].not_before, stored.keys[0].not_after);
    assert_eq!(own.0.zip(own.1).map(|(from, until)| until - from), Some(3650 * 86_400));
    assert_eq!(stored.keys[0].origin, KeyOrigin::X509);
    let shorter = with(&key, &json!({"not_after": NOW + 5}));
    stored.apply(&keyed(&json!([shorter])), NOW);
    assert_eq!((stored.keys[0].not_before, stored.keys[0].not_after), (own.0, Some(NOW + 5)));
}

#[test]
fn encryption_can_be_switched_on_together_with_its_key() {
    let mut stored = Stored::default();
    let on = json!({"id_token": {"encrypted": {"alg": "ECDH-ES", "enc": "A256GCM"}}});
    assert_eq!(stored.refused(&with(&base(), &on)), ["encryption_without_key"]);
    let key = json!([{"name": "e", "usage": "enc", "source": jwk("enc", Some("e"), None)}]);
    let made = stored.apply(&with(&keyed(&key), &on), NOW);
    assert!(made.advice.is_empty());
    // Pruning the key that is in use is noticed.
    let pruned = with(&with(&base(), &on), &json!({"prune_keys": true}));
    assert_eq!(stored.refused(&pruned), ["encryption_without_key"]);
}

#[test]
fn a_client_whose_keys_have_ended_can_still_be_switched_off() {
    let mut stored = Stored::default();
    let key = json!([{"name": "e", "usage": "enc", "source": jwk("enc", None, None), "not_after": NOW + 10}]);
    let on = with(&keyed(&key), &json!({"id_token": {"encrypted": {"alg": "ECDH-ES", "enc": "A256GCM"}}}));
    stored.apply(&on, NOW);
    assert_eq!(
        stored.try_apply(&with(&on, &json!({"require_jti": true})), NOW + 10).unwrap_err(),
        ["encryption_without_key"]
    );
    stored.apply(&with(&on, &json!({"disabled": true})), NOW + 10);
    // Switching it on again needs settings that work.
    assert_eq!(stored.try_apply(&on, NOW + 10).unwrap_err(), ["encryption_without_key"]);
}

fn declare_tenant(
    declared: &Value,
    current: Option<&Tenant>,
    clients: &[Client],
    mode: Mode,
) -> Result<Provisioned, Vec<&'static str>> {
    let declared: TenantDeclaration = serde_json::from_value(declared.clone()).unwrap();
    let facts = TenantFacts { id: &TenantId::from("default"), current, all: &[], clients, mode };
    provision_tenant(&declared, &facts, "corr", &at(NOW))
        .map_err(|refusals| refusals.iter().map(Refusal::code).collect())
}

#[test]
fn no_issuer_lies_where_another_has_its_own_addresses() {
    let made =
        declare_tenant(&json!({"issuer": "https://id.example.com"}), None, &[], Mode::Production).unwrap();
    let [Change::InsertTenant(there), Change::Audit(_)] = made.changes.as_slice() else { panic!() };
    let judge = |issuer: &str, there: &Tenant| {
        let declared: TenantDeclaration = serde_json::from_value(json!({ "issuer": issuer })).unwrap();
        let (id, all) = (TenantId::from("acme"), [there.clone()]);
        let facts = TenantFacts { id: &id, current: None, all: &all, clients: &[], mode: Mode::Production };
        provision_tenant(&declared, &facts, "corr", &at(NOW))
            .map(drop)
            .map_err(|refusals| refusals.iter().map(Refusal::code).collect::<Vec<_>>())
    };
    for taken in ["", "/", "/console", "/admin", "/token/x", "/logout", "/.well-known", "/assets/a"] {
        let issuer = format!("https://id.example.com{taken}");
        assert_eq!(judge(&issuer, there), Err(vec!["issuer_taken"]), "{issuer}");
    }
    for free in [
        "https://id.example.com/acme",
        "https://id.example.com/consoles",
        "https://id.example.com.evil/console",
    ] {
        assert_eq!(judge(free, there), Ok(()), "{free}");
    }
    let below = Tenant { issuer: "https://id.example.com/console".into(), ..there.clone() };
    assert_eq!(judge("https://id.example.com", &below), Err(vec!["issuer_taken"]));
}

#[test]
fn a_declaration_that_does_not_say_it_takes_no_tenant_its_task() {
    let declared = json!({"issuer": "https://id.example.com", "operator": true});
    let made = declare_tenant(&declared, None, &[], Mode::Production).unwrap();
    let [Change::InsertTenant(tenant), Change::Audit(_)] = made.changes.as_slice() else { panic!() };
    assert!(declare_tenant(&json!({}), Some(tenant), &[], Mode::Production).unwrap().is_unchanged());
}

#[test]
fn a_tenant_is_made_once_and_its_issuer_is_kept_as_written() {
    let declared = json!({"issuer": "https://id.example.com/auth/open", "clock_skew": 30});
    let made = declare_tenant(&declared, None, &[], Mode::Production).unwrap();
    let [Change::InsertTenant(tenant), Change::Audit(_)] = made.changes.as_slice() else { panic!() };
    assert_eq!((tenant.issuer.as_str(), tenant.version), ("https://id.example.com/auth/open", 1));
    assert!(declare_tenant(&declared, Some(tenant), &[], Mode::Production).unwrap().is_unchanged());
    let changed = declare_tenant(&json!({"clock_skew": 10}), Some(tenant), &[], Mode::Production).unwrap();
    assert_eq!(changed.differences, ["tenant \"default\": clock_skew: 30 -> 10"]);
    let moved = declare_tenant(
        &json!({"issuer": "https://new.example", "clock_skew": 30}),
        Some(tenant),
        &[],
        Mode::Production,
    );
    let line = "tenant \"default\": issuer: \"https://id.example.com/auth/open\" -> \"https://new.example\"";
    assert_eq!(moved.unwrap().differences, [line]);
}

#[test]
fn a_tenant_that_cannot_work_is_refused() {
    let base = json!({"issuer": "https://id.example.com"});
    let refused = |changes: Value| {
        declare_tenant(&with(&base, &changes), None, &[], Mode::Production).map(|_| ()).unwrap_err()
    };
    for (changes, code) in [
        (json!({"issuer": null}), "issuer_missing"),
        (json!({"issuer": "http://localhost:8080"}), "issuer"),
        (json!({"issuer": "https://id.example.com/?x"}), "issuer"),
        (json!({"id": "other"}), "tenant_id_mismatch"),
        (json!({"signing_algs": []}), "signing_algs_missing"),
        (json!({"signing_algs": ["RS256", "HS256"]}), "signing_alg_symmetric"),
        (json!({"key_lifetime": 3 * 86_400}), "duration"),
        (json!({"clock_skew": 301}), "duration"),
        (json!({"session_idle": 86_400}), "duration"),
        (json!({"audit_retention": 86_399}), "duration"),
        (json!({"audit_retention": -1}), "duration"),
        (json!({"audit_retention": i64::MAX}), "duration"),
        (json!({"branding": {"accent": "red"}}), "branding"),
        (json!({"branding": {"name": ""}}), "branding"),
        (json!({"branding": {"logo_url": "http://x.example/l.png"}}), "branding"),
    ] {
        assert_eq!(refused(changes.clone()), [code], "{changes}");
    }
    let local = with(&base, &json!({"issuer": "http://localhost:8080"}));
    assert!(declare_tenant(&local, None, &[], Mode::Development).is_ok());
    let clients = [client("c")];
    let narrowed = with(&base, &json!({"signing_algs": ["ES256"]}));
    assert_eq!(
        declare_tenant(&narrowed, None, &clients, Mode::Production).unwrap_err(),
        ["client_loses_alg"]
    );
}

fn declare_user(
    declared: &Value,
    password: &PasswordHash,
    current: Option<&User>,
) -> Result<Provisioned, Vec<&'static str>> {
    let declared: UserDeclaration = serde_json::from_value(declared.clone()).unwrap();
    let facts = UserFacts { tenant: &TenantId::from("t"), scopes: &custom_scopes(), current };
    provision_user(&declared, password, &facts, "corr", &at(NOW))
        .map_err(|refusals| refusals.iter().map(Refusal::code).collect())
}

#[test]
fn a_user_is_made_once_and_nothing_personal_is_logged() {
    let hash = "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA";
    let declared =
        json!({"username": " Ada ", "password": "correct horse", "claims": {"email": "ada@example.com"}});
    let made = declare_user(&declared, &PasswordHash::Set(hash.into()), None).unwrap();
    let [Change::InsertUser(user), Change::Audit(event)] = made.changes.as_slice() else { panic!() };
    assert_eq!((user.username.as_str(), user.password_hash.as_deref()), ("ada", Some(hash)));
    assert!(
        !format!("{event:?}").contains("ada@example.com") && !format!("{made:?}").contains("correct horse")
    );
    assert!(declare_user(&declared, &PasswordHash::Keep, Some(user)).unwrap().is_unchanged());
    let changed =
        json!({"username": "ada", "claims": {"name": "Ada", "address": {"country": "FI"}}, "disabled": true});
    let changed = declare_user(&changed, &PasswordHash::Keep, Some(user)).unwrap();
    let what = |text: &str| format!("user \"ada\": {text}");
    let expected =
        ["claim address: changed", "claim email: changed", "claim name: changed", "disabled: false -> true"];
    assert_eq!(changed.differences, expected.map(what));
    let [Change::UpdateUser(after), ..] = changed.changes.as_slice() else { panic!() };
    assert_eq!((after.id, after.version, after.password_hash.as_deref()), (user.id, 2, Some(hash)));
}

#[test]
fn a_role_is_given_kept_where_it_is_left_out_and_taken_by_null() {
    let role = |declared: &Value, current: Option<&User>| {
        let made = declare_user(declared, &PasswordHash::Keep, current).unwrap();
        match made.changes.first() {
            Some(Change::InsertUser(user) | Change::UpdateUser(user)) => Some(user.clone()),
            _ => None,
        }
    };
    let owner = role(&json!({"username": "ada", "role": "owner"}), None).unwrap();
    assert_eq!(owner.role, Some(Role::Owner));
    assert!(role(&json!({"username": "ada"}), Some(&owner)).is_none(), "nothing differs");
    let named = role(&json!({"username": "ada", "claims": {"name": "Ada"}}), Some(&owner)).unwrap();
    assert_eq!(named.role, Some(Role::Owner));
    let less = declare_user(&json!({"username": "ada", "role": null}), &PasswordHash::Keep, Some(&owner));
    let less = less.unwrap();
    assert_eq!(less.differences, ["user \"ada\": role: owner -> none"]);
    assert!(matches!(less.changes.first(), Some(Change::UpdateUser(user)) if user.role.is_none()));
}

#[test]
fn a_user_that_cannot_be_is_refused() {
    let base = json!({"username": "ada"});
    for (changes, code) in [
        (json!({"username": "a b"}), "username_form"),
        (json!({"username": ""}), "username_form"),
        (json!({"password": "x", "password_hash": "y"}), "password_twice"),
        (json!({"password": "x"}), "password_unhashed"),
        (json!({"password_hash": "$2b$12$x"}), "password_hash_form"),
        (json!({"claims": {"sub": "x"}}), "claim_unknown"),
        (json!({"claims": {"role": "x"}}), "claim_unknown"),
        (json!({"claims": {"email": "x"}}), "claim_form"),
        (json!({"claims": {"email_verified": "true"}}), "claim_form"),
        (json!({"claims": {"address": "x"}}), "claim_form"),
        (json!({"claims": {"name": "x".repeat(5000)}}), "claim_form"),
        (json!({"claims": {"name": "a\u{0}b"}}), "claim_form"),
        (json!({"claims": {"address": {"locality": "a\u{0}"}}}), "claim_form"),
    ] {
        let found = declare_user(&with(&base, &changes), &PasswordHash::Keep, None).unwrap_err();
        assert_eq!(found, [code], "{changes}");
    }
    assert_eq!(username("\u{c5}SA").unwrap(), "\u{e5}sa");
}

#[test]
fn a_declaration_has_a_version_and_names_nothing_twice() {
    let read = |value: Value| serde_json::from_value::<Declaration>(value).map_err(|error| error.to_string());
    let check = |value: Value| read(value).unwrap().check().map_err(|refusal| refusal.code());
    assert_eq!(check(json!({"version": 1})), Ok(()));
    assert_eq!(check(json!({"version": 2})), Err("declaration_version"));
    assert_eq!(check(json!({"version": 1, "clients": [base(), base()]})), Err("declared_twice"));
    let users = json!([{"username": "ada"}, {"username": "Ada"}]);
    assert_eq!(check(json!({"version": 1, "users": users})), Err("declared_twice"));
    assert!(read(json!({})).unwrap_err().contains("version"));
    assert!(read(json!({"version": 1, "client": []})).unwrap_err().contains("client"));
    assert!(read(json!({"version": 1, "tenant": {"isuer": "x"}})).unwrap_err().contains("isuer"));
    assert!(!format!("{:?}", Secret::new("hidden")).contains("hidden"));
}

#[test]
fn records_of_signet_dev_stay_marked_and_production_never_marks_any() {
    let declared = json!({"issuer": "http://localhost:8080", "development": true});
    let refused = declare_tenant(
        &json!({"issuer": "https://a.example", "development": true}),
        None,
        &[],
        Mode::Production,
    );
    assert_eq!(refused.unwrap_err(), ["tenant_development"]);
    let made = declare_tenant(&declared, None, &[], Mode::Development).unwrap();
    let [Change::InsertTenant(tenant), ..] = made.changes.as_slice() else { panic!("{made:?}") };
    let again = declare_tenant(&json!({"clock_skew": 10}), Some(tenant), &[], Mode::Development).unwrap();
    let [Change::UpdateTenant(tenant), ..] = again.changes.as_slice() else { panic!("{again:?}") };
    assert!(tenant.settings.development);
}
