//! Request objects that nobody signed: off unless tenant and client both allow them (A-13, OpenID Connect Core 6.1).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use common::*;
use serde_json::{Value, json};
use signet_core::authorize::{Arrival, AuthorizationRequest, Facts, Outcome, RequestSource, decide};
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::records::{Client, Tenant};
use signet_core::request_object::open;
use signet_jose::{Trace, unsigned};

struct World {
    tenant: Tenant,
    client: Client,
}

impl World {
    fn allowed() -> Self {
        let mut world = Self { tenant: tenant(), client: client("c") };
        world.tenant.settings.unsigned_request_objects = true;
        world.client.settings.allow_unsigned_request_object = true;
        world
    }

    fn run(&self, token: &str, beside: &[(&str, &str)]) -> Outcome {
        let mut trace = Trace::new();
        let opened = open(token, &decryption_keys(), &self.tenant.settings, &mut trace);
        let mut pairs = vec![("request", token), ("client_id", "c")];
        pairs.extend_from_slice(beside);
        let facts = Facts {
            tenant: &self.tenant,
            params: &params(&pairs),
            client: Some(&self.client),
            client_keys: &[],
            verifier: &verifier,
            hint: &|_, _| Err(Fault::HintNoIdToken),
            correlation_id: "corr",
        };
        decide(facts, TokenHash::of("browser"), Arrival::Object(opened), trace, &at(NOW))
    }

    fn accepted(&self, claims: &Value, beside: &[(&str, &str)]) -> AuthorizationRequest {
        let outcome = self.run(&none(claims), beside);
        outcome.reply.map_err(|refused| refused.fault).unwrap();
        let interaction = outcome.changes.into_iter().find_map(|change| match change {
            Change::InsertInteraction(interaction) => Some(interaction),
            _ => None,
        });
        interaction.unwrap().request
    }

    fn refused(&self, claims: &Value, beside: &[(&str, &str)]) -> &'static str {
        let refused = self.run(&none(claims), beside).reply.expect_err("refused");
        assert_eq!(refused.fault.wire(), "invalid_request_object");
        refused.fault.code()
    }
}

fn none(claims: &Value) -> String {
    unsigned(None, claims.to_string().as_bytes())
}

/// What the standard's own clients send: nothing of the token itself.
fn inside() -> Value {
    json!({
        "client_id": "c", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid",
        "state": "inside", "nonce": "n",
    })
}

const BESIDE: [(&str, &str); 2] = [("response_type", "code"), ("scope", "openid")];

#[test]
fn what_is_inside_counts_and_what_is_only_beside_too_core_6_1() {
    let world = World::allowed();
    let beside = [BESIDE[0], BESIDE[1], ("redirect_uri", "https://evil.example/"), ("state", "outside")];
    let request = world.accepted(&inside(), &beside);
    assert_eq!(request.source, RequestSource::Unsigned);
    assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("inside"), Some("n")));
    assert_eq!(request.redirect_uri, CALLBACK);
    let little = json!({ "state": "inside" });
    let request =
        world.accepted(&little, &[BESIDE[0], BESIDE[1], ("redirect_uri", CALLBACK), ("nonce", "m")]);
    assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("inside"), Some("m")));
}

#[test]
fn tenant_and_client_must_both_allow_it_a13() {
    let judge = |change: &dyn Fn(&mut World)| {
        let mut world = World::allowed();
        change(&mut world);
        world.refused(&inside(), &BESIDE)
    };
    assert_eq!(judge(&|world| world.tenant.settings.unsigned_request_objects = false), "alg_none");
    assert_eq!(
        judge(&|world| world.client.settings.allow_unsigned_request_object = false),
        "object_unsigned"
    );
    assert_eq!(judge(&|world| world.client.settings.require_request_object = true), "object_unsigned");
    assert_eq!(
        judge(&|world| world.client.settings.require_encrypted_request_object = true),
        "request_object_not_encrypted"
    );
    assert_eq!(judge(&|world| world.client.settings.require_jti = true), "object_jti_missing");
}

#[test]
fn what_it_says_of_itself_holds_core_6_1() {
    let world = World::allowed();
    let judge = |changes: Value| world.refused(&with(&inside(), &changes), &BESIDE);
    assert_eq!(judge(json!({ "client_id": "other" })), "object_client_id_mismatch");
    assert_eq!(judge(json!({ "iss": "other" })), "object_client_id_mismatch");
    assert_eq!(judge(json!({ "response_type": "code id_token" })), "object_response_type_mismatch");
    assert_eq!(judge(json!({ "aud": "https://other.example" })), "aud_mismatch");
    assert_eq!(judge(json!({ "exp": NOW - 61 })), "token_expired");
    assert_eq!(judge(json!({ "nbf": NOW + 61 })), "nbf_in_future");
    assert_eq!(judge(json!({ "iat": NOW + 61 })), "iat_in_future");
    assert_eq!(judge(json!({ "sub": "c" })), "object_sub_is_client");
    assert_eq!(judge(json!({ "request_uri": "https://rp.example/x" })), "object_contains_request");
    let good = json!({ "iss": "c", "aud": ISSUER, "exp": NOW + 60, "nbf": NOW, "iat": NOW, "jti": "j" });
    let outcome = world.run(&none(&with(&inside(), &good)), &BESIDE);
    assert!(outcome.reply.is_ok());
    assert!(matches!(outcome.changes[0], Change::ClaimReplay(_)), "a jti is single-use here too");
}

#[test]
fn never_inside_a_jwe_and_never_for_an_invalid_signature_a13_a14() {
    let world = World::allowed();
    let judge = |token: &str| world.run(token, &BESIDE).reply.expect_err("refused").fault.code();
    let sealed = seal_with("op-enc-RSA-OAEP-256", Some("JWT"), none(&inside()).as_bytes());
    assert_eq!(judge(&sealed), "alg_none");
    // A signed object stays one: without the client's key it is nothing.
    assert_eq!(judge(&sign(&object())), "object_key_missing");
    assert_eq!(judge(&format!("{}AAAA", none(&inside()))), "alg_none");
}
