//! Discovery says what is there, and everything that is there: each list comes from the table that the code goes by.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::*;
use serde_json::{Value, json};
use signet_core::authorize::DISPLAYS;
use signet_core::claims::SCOPES;
use signet_core::discovery::metadata;
use signet_core::interaction::ACR_VALUES;
use signet_core::records::{
    ClientAuthMethod, CustomScope, RegistrationPolicy, ResponseMode, ResponseType, SubjectType, Tenant,
    TenantKey, TenantSettings,
};
use signet_core::token::GRANTS;
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, SigAlg};

fn tenant_key(usage: KeyUse, algs: &[&str]) -> TenantKey {
    TenantKey {
        tenant: "t".into(),
        id: format!("k-{usage}"),
        usage,
        spec: KeySpec::Rsa2048,
        algs: algs.iter().map(|alg| (*alg).to_owned()).collect(),
        public_jwk: serde_json::Map::new(),
        sealed_private: Vec::new(),
        created_at: NOW - 100,
        use_from: NOW - 50,
        use_until: NOW + 50,
        remove_at: NOW + 100,
        revoked_at: None,
    }
}

fn document(settings: TenantSettings, keys: &[TenantKey]) -> Value {
    metadata(&Tenant { settings, ..tenant() }, keys, NOW)
}

fn set(value: &Value) -> BTreeSet<String> {
    let all = value.as_array().unwrap();
    let set: BTreeSet<String> = all.iter().map(|one| one.as_str().unwrap().to_owned()).collect();
    assert_eq!(set.len(), all.len(), "a value stands twice: {value}");
    set
}

fn names<'a>(all: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    all.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_list_comes_from_its_table_discovery_3() {
    let keys = [tenant_key(KeyUse::Sig, &["RS256", "PS256"]), tenant_key(KeyUse::Enc, &["RSA-OAEP"])];
    let document = document(TenantSettings::default(), &keys);
    let methods = || names(ClientAuthMethod::ALL.iter().map(|method| method.name()));
    let confidential = || methods().into_iter().filter(|name| name != "none").collect::<BTreeSet<_>>();
    let signing = || names(["RS256", "PS256"]);
    let asymmetric = || names(SigAlg::ALL.iter().filter(|alg| !alg.is_symmetric()).map(|alg| alg.name()));
    let every_sig = || names(SigAlg::ALL.iter().map(|alg| alg.name()));
    let key_algs = || names(KeyAlg::ALL.iter().map(|alg| alg.name()));
    let encs = || names(ContentAlg::ALL.iter().map(|enc| enc.name()));
    for (name, value) in document.as_object().unwrap() {
        let expected = match name.as_str() {
            "response_types_supported" => names(ResponseType::ALL.iter().map(|kind| kind.name())),
            "response_modes_supported" => names(ResponseMode::ALL.iter().map(|mode| mode.name())),
            "grant_types_supported" => names(GRANTS.iter().map(|grant| grant.name()).chain(["implicit"])),
            "subject_types_supported" => names(SubjectType::ALL.iter().map(|kind| kind.name())),
            "scopes_supported" => names(SCOPES.iter().map(|scope| scope.name)),
            "acr_values_supported" => names(ACR_VALUES.iter().copied()),
            "display_values_supported" => names(DISPLAYS.iter().copied()),
            "token_endpoint_auth_methods_supported" | "revocation_endpoint_auth_methods_supported" => {
                methods()
            }
            "introspection_endpoint_auth_methods_supported" => confidential(),
            "request_object_signing_alg_values_supported" => asymmetric(),
            "request_object_encryption_alg_values_supported" => names(["RSA-OAEP"]),
            // Tables of their own that have one place each.
            "claims_supported"
            | "claim_types_supported"
            | "prompt_values_supported"
            | "ui_locales_supported"
            | "code_challenge_methods_supported" => {
                assert!(!set(value).is_empty());
                continue;
            }
            name if name.ends_with("_endpoint_auth_signing_alg_values_supported") => every_sig(),
            name if name.ends_with("_signing_alg_values_supported") => signing(),
            name if name.ends_with("_encryption_alg_values_supported") => key_algs(),
            name if name.ends_with("_encryption_enc_values_supported") => encs(),
            name if name.ends_with("_supported") && value.is_boolean() => continue,
            name if name.ends_with("_supported") => panic!("{name} has no table in this test"),
            _ => continue,
        };
        assert_eq!(set(value), expected, "{name}");
    }
    for claim in SCOPES.iter().flat_map(|scope| scope.claims) {
        assert!(set(&document["claims_supported"]).contains(*claim), "{claim}");
    }
}

#[test]
fn what_a_tenant_does_not_allow_is_not_offered() {
    let keys = [tenant_key(KeyUse::Sig, &["RS256"])];
    let plain = document(TenantSettings::default(), &keys);
    assert_eq!(plain.get("registration_endpoint"), None);
    assert_eq!(plain["id_token_signing_alg_values_supported"], json!(["RS256"]));
    assert!(!set(&plain["prompt_values_supported"]).contains("create"));
    // Nothing to encrypt to.
    assert_eq!(plain["request_object_encryption_alg_values_supported"], json!([]));
    assert_eq!(plain["request_object_encryption_enc_values_supported"], json!([]));
    let settings = TenantSettings {
        registration: RegistrationPolicy::InitialAccessToken,
        self_registration: true,
        unsigned_id_tokens: true,
        scopes: vec![CustomScope {
            name: "payments".into(),
            claims: vec!["iban".into(), "email".into()],
            ..CustomScope::default()
        }],
        ..TenantSettings::default()
    };
    let more = document(settings, &keys);
    assert_eq!(more["registration_endpoint"], json!(format!("{ISSUER}/register")));
    assert_eq!(more["id_token_signing_alg_values_supported"], json!(["RS256", "none"]));
    // UserInfo and authorization responses are never unsigned.
    for name in ["userinfo_signing_alg_values_supported", "authorization_signing_alg_values_supported"] {
        assert_eq!(more[name], json!(["RS256"]));
    }
    assert!(set(&more["prompt_values_supported"]).contains("create"));
    assert!(set(&more["scopes_supported"]).contains("payments"));
    assert!(set(&more["claims_supported"]).contains("iban"));
}

#[test]
fn an_algorithm_without_a_key_is_not_offered() {
    let gone = TenantKey { revoked_at: Some(NOW), ..tenant_key(KeyUse::Sig, &["ES256"]) };
    let later = TenantKey { use_from: NOW + 1, ..tenant_key(KeyUse::Enc, &["ECDH-ES"]) };
    let document = document(TenantSettings::default(), &[gone, later]);
    assert_eq!(document["id_token_signing_alg_values_supported"], json!([]));
    assert_eq!(document["request_object_encryption_alg_values_supported"], json!([]));
}
