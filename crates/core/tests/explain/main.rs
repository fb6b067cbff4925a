//! Explaining requests: every known mistake is made for real and recognised by its name.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "../common/mod.rs"]
mod common;
#[expect(dead_code, reason = "a part is used")]
#[path = "../../../jose/tests/common/craft.rs"]
mod craft;
mod made;
mod told;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::*;
use serde_json::{Value, json};
use signet_core::explain::{Bench, LayerName, Pasted, Report};
use signet_core::fault::Fault;
use signet_core::records::{Client, ClientKey, Encryption, Tenant, TenantKey};
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, SigAlg, Verdict};

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn unb64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A tenant, a client with its keys, and who asks.
pub(crate) struct World {
    pub(crate) tenant: Tenant,
    pub(crate) tenant_keys: Vec<TenantKey>,
    pub(crate) client: Client,
    pub(crate) keys: Vec<ClientKey>,
    pub(crate) confined: bool,
}

fn tenant_key(id: &str, usage: KeyUse, algs: &[&str]) -> TenantKey {
    TenantKey {
        tenant: "t".into(),
        id: id.into(),
        usage,
        spec: KeySpec::Rsa2048,
        algs: algs.iter().map(|alg| (*alg).to_owned()).collect(),
        public_jwk: op_enc().public_key().to_jwk(),
        sealed_private: Vec::new(),
        created_at: 0,
        use_from: NOW - 86_400,
        use_until: NOW + 86_400,
        remove_at: NOW + 2 * 86_400,
        revoked_at: None,
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let algs = [KeyAlg::RsaOaep.name(), KeyAlg::RsaOaep256.name()];
        Self {
            tenant: tenant(),
            tenant_keys: vec![
                tenant_key("op-enc", KeyUse::Enc, &algs),
                tenant_key("op-sig", KeyUse::Sig, &[SigAlg::RS256.name()]),
            ],
            client: client("c"),
            keys: vec![record(rp_sig(), KeyUse::Sig), record(rp_enc(), KeyUse::Enc)],
            confined: false,
        }
    }

    /// Explains what is pasted; the client is found if it is called as this world's.
    pub(crate) fn explain(&self, pasted: &str) -> Report {
        self.explain_of(pasted, None)
    }

    pub(crate) fn explain_of(&self, pasted: &str, client_id: Option<&str>) -> Report {
        let decryption = decryption_keys();
        let bench = Bench {
            tenant: &self.tenant,
            tenant_keys: &self.tenant_keys,
            decryption: &decryption,
            verifier: &verifier,
            hint: &|_, _| Err(Fault::HintNoIdToken),
            context: at(NOW),
        };
        let opening = bench.open(Pasted::read(pasted).unwrap().of_client(client_id));
        let found = opening.client_id().filter(|id| *id == self.client.client_id);
        match found {
            Some(_) => bench.explain(opening, Some(&self.client), &self.keys, self.confined),
            None => bench.explain(opening, None, &[], self.confined),
        }
    }
}

pub(crate) fn names(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.id.as_str()).collect()
}

/// The object with another header in front.
pub(crate) fn with_header(token: &str, change: &Value) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&unb64(header)).unwrap();
    format!("{}.{rest}", b64(with(&header, change).to_string()))
}

/// A query with the object in it.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) fn signed(changes: &Value) -> String {
    sign(&with(&object(), changes))
}

#[test]
fn a_good_object_is_accepted_layer_by_layer_and_nothing_is_consumed() {
    let world = World::new();
    for _ in 0..2 {
        let report = world.explain(&nested(&object()));
        assert!(report.accepted, "{report:#?}");
        assert_eq!(report.client_id.as_deref(), Some("c"));
        assert!(report.reason.is_none() && names(&report).is_empty());
        let layers: Vec<&str> = report.layers.iter().map(|layer| layer.title.as_str()).collect();
        assert_eq!(layers.len(), 9, "{layers:?}");
        let last = report.layers.last().unwrap().checks.last().unwrap();
        assert_eq!((last.rule.as_str(), last.actual.contains("not looked at")), ("single_use", true));
    }
    let report = world.explain(&format!(
        "{ISSUER}/authorize?{}",
        query(&[("client_id", "c"), ("request", &nested(&object()))])
    ));
    assert!(report.accepted, "{report:#?}");
}

#[test]
fn pushed_requests_are_explained_as_the_endpoint_judges_them() {
    let mut world = World::new();
    world.client.settings.require_pushed_authorization_requests = true;
    assert!(world.explain(&signed(&json!({}))).accepted);
}

#[test]
fn the_failed_check_stands_in_its_layer_with_what_was_wanted_and_what_was_there() {
    let report = World::new().explain(&signed(&json!({ "aud": "https://other.example" })));
    let reason = report.reason.as_ref().unwrap();
    assert_eq!((reason.code.as_str(), reason.error.as_str()), ("aud_mismatch", "invalid_request_object"));
    let failed: Vec<_> = report.layers.iter().filter(|layer| layer.verdict == Verdict::Fail).collect();
    assert_eq!((failed.len(), failed[0].name), (1, LayerName::Claims));
    let check = failed[0].checks.iter().find(|check| check.verdict == Verdict::Fail).unwrap();
    assert_eq!((check.rule.as_str(), check.expected.as_str()), ("aud", ISSUER));
    assert_eq!(check.actual.as_str(), "https://other.example");
}

#[test]
fn parameters_and_policy_leave_their_checks_as_well() {
    let mut world = World::new();
    let failed = |world: &World, pasted: &str| {
        let report = world.explain(pasted);
        let mut checks = report.layers.into_iter().flat_map(|layer| layer.checks);
        checks.find(|check| check.verdict == Verdict::Fail).map(|check| check.rule).unwrap_or_default()
    };
    for (changes, rule) in [
        (json!({ "redirect_uri": "https://evil.example" }), "redirect_uri"),
        (json!({ "redirect_uri": null }), "redirect_uri"),
        (json!({ "response_type": "token" }), "response_type"),
        (json!({ "response_mode": "sms" }), "response_mode"),
        (json!({ "scope": "profile" }), "scope"),
        (json!({ "scope": 5 }), "parameter_types"),
        (json!({ "code_challenge": "x", "code_challenge_method": "S256" }), "pkce"),
        (json!({ "prompt": "none login" }), "prompt"),
        (json!({ "max_age": -1 }), "max_age"),
        (json!({ "resource": "x" }), "resource"),
        (json!({ "claims": { "userinfo": 5 } }), "claims_parameter"),
        (json!({ "registration": {} }), "registration"),
        (json!({ "id_token_hint": "x" }), "id_token_hint"),
    ] {
        assert_eq!(failed(&world, &signed(&changes)), rule, "{changes}");
    }
    assert_eq!(failed(&world, "client_id=nobody"), "client");
    world.client.settings.require_encrypted_request_object = true;
    assert_eq!(failed(&world, &signed(&json!({}))), "encrypted");
    world.client.settings.require_request_object = true;
    assert_eq!(failed(&world, "client_id=c"), "request_object");
    world.client.settings.id_token.encrypted =
        Some(Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A256Gcm });
    world.keys.truncate(1);
    assert_eq!(failed(&world, &nested(&object())), "responses");
}
