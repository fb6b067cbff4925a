//! The authorization endpoint's decision: parameters, objects, and where errors go (A-18 to A-23, A-37 to A-51,
//! A-88, A-120 to A-124).
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::*;
use serde_json::json;
use signet_core::authorize::{Arrival, AuthorizationRequest, Facts, Outcome, Prompt, RequestSource, decide};
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::params::Params;
use signet_core::records::{
    Client, ClientAuthMethod, ClientKey, CustomScope, Encryption, GrantType, RequestObjectParameters,
    ResponseMode, ResponseType, Stage, Tenant,
};
use signet_core::redirect::{Delivery, Ready};
use signet_core::request_object::open;
use signet_jose::{ContentAlg, KeyAlg, KeyUse, Trace};

struct World {
    tenant: Tenant,
    client: Client,
    keys: Vec<ClientKey>,
}

impl World {
    fn new() -> Self {
        Self { tenant: tenant(), client: client("c"), keys: vec![record(rp_sig(), KeyUse::Sig)] }
    }

    fn run(&self, params: &Params) -> Outcome {
        let mut trace = Trace::new();
        let arrival = match params.get("request") {
            Some(token) => {
                Arrival::Object(open(token, &decryption_keys(), &self.tenant.settings, &mut trace))
            }
            None => Arrival::Plain,
        };
        self.decide(params, arrival, trace)
    }

    fn decide(&self, params: &Params, arrival: Arrival, trace: Trace) -> Outcome {
        let named = match (&arrival, params.get("client_id")) {
            (_, Some(id)) => id.to_owned(),
            (Arrival::Object(Ok(opened)), None) => opened.client_id().unwrap().to_string(),
            _ => String::new(),
        };
        let found = named == self.client.client_id.as_str();
        let facts = Facts {
            tenant: &self.tenant,
            params,
            client: found.then_some(&self.client),
            client_keys: &self.keys,
            verifier: &verifier,
            hint: &|_, _| Err(Fault::HintNoIdToken),
            correlation_id: "corr",
        };
        decide(facts, TokenHash::of("browser"), arrival, trace, &at(NOW))
    }

    /// The reason code and the address that the error goes to.
    fn refused(&self, pairs: &[(&str, &str)]) -> (&'static str, Option<String>) {
        let outcome = self.run(&params(pairs));
        let refused = outcome.reply.expect_err("refused");
        assert!(outcome.changes.is_empty(), "nothing is written, no jti is burnt (A-50)");
        (refused.fault.code(), refused.return_to.map(|to| address(to.refuse(&refused.fault, NOW))))
    }

    fn accepted(&self, pairs: &[(&str, &str)]) -> AuthorizationRequest {
        let outcome = self.run(&params(pairs));
        let reply = outcome.reply.map_err(|refused| refused.fault).unwrap();
        let interaction = outcome
            .changes
            .iter()
            .find_map(|change| match change {
                Change::InsertInteraction(interaction) => Some(interaction.clone()),
                _ => None,
            })
            .unwrap();
        assert_eq!((&interaction.id, &interaction.stage), (&reply.interaction_id, &Stage::Fresh));
        assert_eq!(interaction.expires_at, NOW + 1800);
        interaction.request
    }
}

fn address(delivery: Delivery) -> String {
    match delivery {
        Delivery::Ready(Ready::Redirect(location)) => location.to_string(),
        other => panic!("{other:?}"),
    }
}

const PLAIN: [(&str, &str); 5] = [
    ("client_id", "c"),
    ("response_type", "code"),
    ("redirect_uri", CALLBACK),
    ("scope", "openid"),
    ("state", "outside"),
];

fn plain<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = PLAIN.into_iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty()).collect()
}

#[test]
fn a_plain_request_is_accepted_as_it_is_a21() {
    let request = World::new().accepted(&plain(&[
        ("nonce", "n"),
        ("prompt", "login consent"),
        ("max_age", "60"),
        ("acr_values", "a b"),
        ("login_hint", "ada"),
        ("ui_locales", "fi en"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("unknown_parameter", "ignored"),
    ]));
    assert_eq!(request.source, RequestSource::Parameters);
    assert_eq!(request.state.as_deref(), Some("outside"));
    assert_eq!(request.nonce.as_deref(), Some("n"));
    assert_eq!(request.prompt, [Prompt::Login, Prompt::Consent].into());
    assert_eq!(request.max_age, Some(60));
    assert_eq!(request.acr_values, ["a", "b"]);
    assert_eq!(request.login_hint, ["ada"]);
    assert_eq!(request.ui_locales, ["fi", "en"]);
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
}

#[test]
fn an_error_is_redirected_only_to_a_registered_address_of_a_known_client_a121_a124() {
    let mut world = World::new();
    for (changes, code) in [
        (&[("client_id", "")][..], "client_id_missing"),
        (&[("client_id", "unknown")], "client_unknown"),
        (&[("redirect_uri", "https://evil.example/cb")], "redirect_uri_unregistered"),
        (&[("redirect_uri", "")], "redirect_uri_missing"),
    ] {
        assert_eq!(world.refused(&plain(changes)), (code, None), "{changes:?}");
    }
    world.client.disabled = true;
    assert_eq!(world.refused(&plain(&[])), ("client_unknown", None));
}

#[test]
fn each_wrong_parameter_is_refused_by_name_with_state_and_iss() {
    let world = World::new();
    let long = "9".repeat(30);
    for (changes, code, wire) in [
        (&[("response_type", "")][..], "response_type_missing", "invalid_request"),
        (&[("response_type", "banana")], "response_type_unsupported", "unsupported_response_type"),
        (&[("response_mode", "web_message")], "response_mode_unsupported", "invalid_request"),
        (&[("resource", "/relative")], "resource_malformed", "invalid_target"),
        (&[("resource", "https://rs.example/#f")], "resource_malformed", "invalid_target"),
        (&[("resource", "https://rs.example/")], "resource_unknown", "invalid_target"),
        (&[("id_token_hint", "x")], "hint_no_id_token", "invalid_request"),
        (&[("prompt", "create")], "prompt_unknown", "invalid_request"),
        (&[("scope", "")], "scope_missing", "invalid_scope"),
        (&[("scope", "email")], "scope_without_openid", "invalid_scope"),
        (&[("scope", "openid phone")], "scope_not_allowed", "invalid_scope"),
        (&[("scope", "openid \"x\"")], "scope_malformed", "invalid_scope"),
        (&[("prompt", "none login")], "prompt_none_combined", "invalid_request"),
        (&[("prompt", "dance")], "prompt_unknown", "invalid_request"),
        (&[("max_age", "-1")], "max_age_malformed", "invalid_request"),
        (&[("max_age", "1.5")], "max_age_malformed", "invalid_request"),
        (&[("max_age", long.as_str())], "max_age_malformed", "invalid_request"),
        (&[("claims", "[]")], "claims_malformed", "invalid_request"),
        (&[("claims", "{\"a\":1,\"a\":2}")], "claims_malformed", "invalid_request"),
        (&[("code_challenge", CHALLENGE)], "pkce_method_unsupported", "invalid_request"),
        (&[("code_challenge_method", "S256")], "pkce_method_alone", "invalid_request"),
        (&[("registration", "{}")], "registration_unsupported", "registration_not_supported"),
        (&[("request_uri", "https://x.example")], "request_uri_unregistered", "invalid_request_uri"),
    ] {
        let (found, to) = world.refused(&plain(changes));
        assert_eq!(found, code);
        let to = to.unwrap();
        assert!(to.starts_with(&format!("{CALLBACK}?error={wire}&error_description=")), "{to}");
        assert!(to.ends_with("&state=outside&iss=https%3A%2F%2Fop.example%2Ft"), "{to}");
    }
}

#[test]
fn scope_values_that_nobody_knows_are_ignored_core_3_1_2_1() {
    let request = World::new().accepted(&plain(&[("scope", "openid offline_access email x:y")]));
    assert_eq!(request.scope, ["openid", "email"].map(String::from).into());
}

#[test]
fn claims_one_by_one_need_the_clients_scope_core_5_5() {
    let claims = json!({
        "userinfo": {"email": null, "phone_number": {"essential": true}, "nothing": null},
        "id_token": {"phone_number": null, "acr": {"essential": true}}
    })
    .to_string();
    let request = World::new().accepted(&plain(&[("claims", &claims)]));
    assert_eq!(request.claims.userinfo.keys().collect::<Vec<_>>(), ["email", "nothing"]);
    assert_eq!(request.claims.id_token.keys().collect::<Vec<_>>(), ["acr"]);
}

#[test]
fn client_switches_demand_objects_and_pkce_a19_a63() {
    let mut world = World::new();
    world.client.settings.require_pkce = true;
    assert_eq!(world.refused(&plain(&[])).0, "pkce_required");
    let mut public = World::new();
    public.client.settings.token_endpoint_auth_method = ClientAuthMethod::None;
    assert_eq!(public.refused(&plain(&[])).0, "pkce_required");
    world.client.settings.require_request_object = true;
    let (code, to) = world.refused(&plain(&[]));
    assert_eq!(code, "request_object_required");
    assert!(to.is_some());
    world.client.settings.require_pkce = false;
    assert_eq!(
        world.accepted(&[("client_id", "c"), ("request", &sign(&object()))]).source,
        RequestSource::Signed
    );
    world.client.settings.require_encrypted_request_object = true;
    let outer = plain(&[]);
    let token = sign(&object());
    let with_object: Vec<_> = outer.iter().copied().chain([("request", token.as_str())]).collect();
    let (code, to) = world.refused(&with_object);
    assert_eq!(code, "request_object_not_encrypted");
    assert!(to.unwrap().contains("error=invalid_request_object"));
    assert_eq!(
        world.accepted(&[("client_id", "c"), ("request", &nested(&object()))]).source,
        RequestSource::Nested
    );
}

#[test]
fn only_what_is_inside_counts_by_default_a39_a13a() {
    let token = sign(&with(&object(), &json!({"state": null, "max_age": 5, "login_hint": ["a", "b"]})));
    let request = World::new().accepted(&plain(&[
        ("request", &token),
        ("redirect_uri", "https://rp.example/other"),
        ("scope", "openid email"),
        ("nonce", "outside"),
    ]));
    assert_eq!(request.redirect_uri, CALLBACK);
    assert_eq!((request.state, request.nonce), (None, None));
    assert_eq!(request.scope, ["openid".to_owned()].into());
    assert_eq!(request.max_age, Some(5));
    assert_eq!(request.login_hint, ["a", "b"]);
}

#[test]
fn what_is_inside_overrides_what_is_outside_where_set_a38() {
    let mut world = World::new();
    world.client.settings.request_object_parameters = RequestObjectParameters::ObjectOverrides;
    let token = sign(&with(&object(), &json!({"redirect_uri": null, "code_challenge": CHALLENGE})));
    let outer = [("request", token.as_str()), ("nonce", "outside"), ("code_challenge_method", "S256")];
    // The method outside does not reinterpret the challenge inside.
    assert_eq!(world.refused(&plain(&outer)).0, "pkce_method_unsupported");
    let token = sign(&with(&object(), &json!({"redirect_uri": null})));
    let request = world.accepted(&plain(&[("request", &token), ("nonce", "outside")]));
    assert_eq!(request.state.as_deref(), Some("inside"));
    assert_eq!(request.nonce.as_deref(), Some("outside"));
    assert_eq!(request.redirect_uri, CALLBACK);
}

#[test]
fn after_verification_errors_go_where_the_object_says_a39_a123() {
    let world = World::new();
    let other = "https://rp.example/other";
    for (changes, code, wire) in [
        (json!({"scope": "email"}), "scope_without_openid", "invalid_scope"),
        (json!({"prompt": 5}), "object_parameter_type", "invalid_request_object"),
        (json!({"login_hint": [1]}), "object_parameter_type", "invalid_request_object"),
        (json!({"max_age": []}), "object_parameter_type", "invalid_request_object"),
        (json!({"claims": "{}"}), "object_parameter_type", "invalid_request_object"),
        (json!({"nonce": "a\u{0}"}), "object_parameter_type", "invalid_request_object"),
    ] {
        let token = sign(&with(&object(), &changes));
        let (found, to) = world.refused(&plain(&[("request", &token), ("redirect_uri", other)]));
        assert_eq!(found, code);
        let to = to.unwrap();
        assert!(to.starts_with(&format!("{CALLBACK}?error={wire}&")), "{to}");
        assert!(to.contains("&state=inside&"), "{to}");
    }
    // An address inside that is not registered is not replaced by the one outside.
    for (changes, code) in [
        (json!({"redirect_uri": "https://evil.example"}), "redirect_uri_unregistered"),
        (json!({"redirect_uri": null}), "redirect_uri_missing"),
    ] {
        let token = sign(&with(&object(), &changes));
        assert_eq!(world.refused(&plain(&[("request", &token)])), (code, None));
    }
}

#[test]
fn before_verification_errors_go_to_the_registered_address_outside_a124() {
    let world = World::new();
    let mut token = sign(&with(&object(), &json!({"redirect_uri": "https://rp.example/other"})));
    token.truncate(token.len() - 8);
    token.push_str("AAAAAAAA");
    let (code, to) = world.refused(&plain(&[("request", &token)]));
    assert_eq!(code, "jws_signature_invalid");
    let to = to.unwrap();
    assert!(to.starts_with(CALLBACK) && to.contains("&state=outside&"), "{to}");
    assert_eq!(
        world.refused(&plain(&[("request", &token), ("redirect_uri", "")])),
        ("jws_signature_invalid", None)
    );
    let evil = world.refused(&plain(&[("request", &token), ("redirect_uri", "https://evil.example")]));
    assert_eq!(evil, ("jws_signature_invalid", None));
    assert!(world.refused(&plain(&[("request", "a.b")])).1.unwrap().contains("invalid_request_object"));
}

#[test]
fn client_id_inside_and_outside_must_be_equal_a37_a128() {
    let world = World::new();
    let token = sign(&with(&object(), &json!({"iss": "d", "client_id": "d"})));
    let (code, to) = world.refused(&plain(&[("request", &token)]));
    assert_eq!(code, "object_client_id_mismatch");
    assert!(to.unwrap().starts_with(CALLBACK));
}

#[test]
fn the_object_alone_names_the_client_only_where_the_tenant_says_so_a48() {
    let mut world = World::new();
    let token = nested(&object());
    assert_eq!(world.refused(&[("request", &token)]), ("client_id_missing", None));
    world.tenant.settings.client_id_in_object_only = true;
    assert_eq!(world.accepted(&[("request", &token)]).source, RequestSource::Nested);
    let unknown = sign(&with(&object(), &json!({"iss": "d", "client_id": "d"})));
    assert_eq!(world.refused(&[("request", &unknown)]), ("client_unknown", None));
    assert_eq!(world.refused(&[("request", "a.b"), ("redirect_uri", CALLBACK)]), ("segments", None));
    assert_eq!(world.refused(&[("scope", "openid")]), ("client_id_missing", None));
}

#[test]
fn an_object_that_was_not_opened_is_not_a_plain_request() {
    let world = World::new();
    let token = sign(&object());
    let outcome = world.decide(&params(&plain(&[("request", &token)])), Arrival::Plain, Trace::new());
    assert_eq!(outcome.reply.unwrap_err().fault.code(), "internal");
}

#[test]
fn the_jti_is_claimed_with_the_write_that_accepts_a50_a54() {
    let world = World::new();
    let outcome = world.run(&params(&[("client_id", "c"), ("request", &sign(&object()))]));
    assert!(matches!(
        outcome.changes.as_slice(),
        [Change::ClaimReplay(_), Change::InsertInteraction(_), Change::Audit(_)]
    ));
    let replayed = outcome.replayed();
    assert_eq!(replayed.fault.code(), "object_replayed");
    assert!(address(replayed.return_to.unwrap().refuse(&replayed.fault, NOW)).starts_with(CALLBACK));
    let without = sign(&with(&object(), &json!({"jti": null})));
    let outcome = world.run(&params(&[("client_id", "c"), ("request", &without)]));
    assert!(matches!(outcome.changes.as_slice(), [Change::InsertInteraction(_), Change::Audit(_)]));
}

#[test]
fn missing_encryption_keys_are_noticed_before_login_a88_a118() {
    let mut world = World::new();
    world.client.settings.id_token.encrypted =
        Some(Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm });
    let (code, to) = world.refused(&plain(&[]));
    assert_eq!(code, "encryption_key_missing");
    assert!(to.unwrap().contains("error=unauthorized_client"));
    world.keys.push(record(rp_enc(), KeyUse::Enc));
    world.accepted(&plain(&[]));
    world.keys[1].not_after = Some(NOW);
    assert_eq!(world.refused(&plain(&[])).0, "encryption_key_missing");
}

#[test]
fn response_types_are_allowed_client_by_client_and_errors_go_to_their_channel_rfc6749_4_1_2_1() {
    let mut world = World::new();
    for (kind, code, separator) in [
        ("code id_token", "response_type_not_allowed", '#'),
        ("token id_token", "response_type_not_allowed", '#'),
        ("token", "response_type_unsupported", '#'),
        ("none", "response_type_unsupported", '?'),
    ] {
        let (found, to) = world.refused(&plain(&[("response_type", kind), ("nonce", "n")]));
        assert_eq!(found, code, "{kind}");
        assert!(to.unwrap().starts_with(&format!("{CALLBACK}{separator}error=un")), "{kind}");
    }
    world.client.settings.response_types = ResponseType::ALL.iter().copied().collect();
    for kind in ResponseType::ALL {
        let request = world.accepted(&plain(&[("response_type", kind.name()), ("nonce", "n")]));
        assert_eq!((request.response_type, request.response_mode), (*kind, kind.default_mode()));
        let (code, to) =
            world.refused(&plain(&[("response_type", kind.name()), ("scope", "x"), ("nonce", "n")]));
        assert_eq!(code, "scope_without_openid");
        let separator = if *kind == ResponseType::Code { '?' } else { '#' };
        assert!(to.unwrap().starts_with(&format!("{CALLBACK}{separator}error=invalid_scope")));
        // Core sections 3.2.2.1 and 3.3.2.11.
        let without = plain(&[("response_type", kind.name())]);
        if kind.has_id_token() {
            assert_eq!(world.refused(&without).0, "nonce_missing", "{}", kind.name());
        } else {
            world.accepted(&without);
        }
    }
}

#[test]
fn an_error_that_cannot_be_encrypted_goes_nowhere_jarm_3_a88() {
    let mut world = World::new();
    world.client.settings.authorization_response.encrypted =
        Some(Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm });
    let asked = plain(&[("response_mode", "jwt")]);
    assert_eq!(world.refused(&asked), ("encryption_key_missing", None));
    assert_eq!(
        world.refused(&plain(&[("response_mode", "jwt"), ("scope", "x")])),
        ("encryption_key_missing", None)
    );
    world.keys.push(record(rp_enc(), KeyUse::Enc));
    assert_eq!(world.accepted(&asked).response_mode, ResponseMode::QueryJwt);
    let outcome = world.run(&params(&plain(&[("response_mode", "fragment.jwt"), ("scope", "x")])));
    let refused = outcome.reply.unwrap_err();
    let Delivery::Seal(sealing) = refused.return_to.unwrap().refuse(&refused.fault, NOW) else {
        panic!("in the clear");
    };
    assert!(sealing.protection.signed.is_some() && sealing.protection.encrypted.is_some());
    assert_eq!(
        (&sealing.claims["error"], &sealing.claims["state"]),
        (&json!("invalid_scope"), &json!("outside"))
    );
}

#[test]
fn offline_access_needs_a_code_and_the_grant_core_11() {
    let mut world = World::new();
    world.client.settings.response_types = ResponseType::ALL.iter().copied().collect();
    let scope = |world: &World, kind: &str| {
        let asked = plain(&[("response_type", kind), ("nonce", "n"), ("scope", "openid offline_access")]);
        world.accepted(&asked).scope.contains("offline_access")
    };
    assert!(!scope(&world, "code"));
    world.client.settings.grant_types.insert(GrantType::RefreshToken);
    assert!(scope(&world, "code") && scope(&world, "code id_token"));
    assert!(!scope(&world, "id_token") && !scope(&world, "id_token token"));
}

#[test]
fn resources_and_scopes_of_the_tenants_own_and_registered_defaults() {
    let mut world = World::new();
    world.client.settings.resources = ["https://a.example/", "https://b.example/"].map(String::from).into();
    world.client.settings.default_acr_values = vec!["gold".into()];
    world.client.settings.default_max_age = Some(60);
    world.client.settings.scope.insert("payroll".into());
    world.tenant.settings.scopes =
        vec![CustomScope { name: "payroll".into(), claims: vec!["salary".into()], ..CustomScope::default() }];
    let asked = plain(&[
        ("scope", "openid payroll nobody:knows"),
        ("display", "popup"),
        ("claims_locales", "se"),
        ("claims", r#"{"userinfo":{"salary":null}}"#),
    ]);
    let two = [asked.clone(), vec![("resource", "https://a.example/"), ("resource", "https://b.example/")]]
        .concat();
    let request = world.accepted(&two);
    assert_eq!(request.resources.len(), 2);
    assert_eq!(request.scope, ["openid", "payroll"].map(String::from).into());
    assert!(request.claims.userinfo.contains_key("salary"));
    assert_eq!((request.acr_values, request.max_age), (vec!["gold".to_owned()], Some(60)));
    assert_eq!((request.display.as_deref(), request.claims_locales), (Some("popup"), vec!["se".to_owned()]));
    let odd = world.accepted(&plain(&[("display", "hologram"), ("acr_values", "silver"), ("max_age", "9")]));
    assert_eq!((odd.display, odd.acr_values, odd.max_age), (None, vec!["silver".to_owned()], Some(9)));
    world.client.settings.scope.remove("payroll");
    assert_eq!(world.refused(&plain(&[("scope", "openid payroll")])).0, "scope_not_allowed");
}

#[test]
fn prompt_create_is_for_tenants_that_let_people_in() {
    let mut world = World::new();
    world.tenant.settings.self_registration = true;
    assert_eq!(world.accepted(&plain(&[("prompt", "create")])).prompt, [Prompt::Create].into());
    assert_eq!(world.refused(&plain(&[("prompt", "none create")])).0, "prompt_none_combined");
}
