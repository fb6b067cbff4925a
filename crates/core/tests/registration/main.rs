//! Client metadata to settings and back, who may register, and what is written (RFC 7591, RFC 7592, OpenID Connect Dynamic
//! Client Registration 1.0).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod round_trip;

use common::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};
use signet_core::change::Change;
use signet_core::client_policy::Mode;
use signet_core::fault::Fault;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::provision::SecretKeeper;
use signet_core::records::{
    Client, ClientAuthMethod, ClientKey, InitialAccessToken, RegistrationPolicy, ResponseType, Tenant,
    TenantSettings, UserInfoResponseType,
};
use signet_core::registration::{
    self, Facts, Registered, admit, body, create, defaults, manage, metadata, presented, sector, settings,
};
use signet_jose::{KeySpec, KeyUse};

#[derive(Debug)]
struct Seal;

impl SecretKeeper for Seal {
    fn seal(&self, _: &TenantId, _: &ClientId, secret: &str) -> Option<Vec<u8>> {
        Some(secret.as_bytes().to_vec())
    }

    fn length(&self, sealed: &[u8]) -> usize {
        sealed.len()
    }
}

fn open() -> Tenant {
    let settings = TenantSettings { registration: RegistrationPolicy::Open, ..TenantSettings::default() };
    Tenant { settings, ..tenant() }
}

fn facts(tenant: &Tenant) -> Facts<'_> {
    Facts { tenant, secrets: &Seal, mode: Mode::Production, correlation_id: "corr" }
}

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { unreachable!("{value}") };
    map
}

/// Good metadata with `more` on top; null removes.
fn asked(more: Value) -> Map<String, Value> {
    let mut all = map(json!({ "client_name": "Shop", "redirect_uris": [CALLBACK] }));
    all.extend(map(more));
    all.retain(|_, value| !value.is_null());
    all
}

fn register(more: Value) -> Result<Registered, Fault> {
    create(&asked(more), &facts(&open()), None, &at(NOW))
}

fn refused(more: Value) -> (&'static str, &'static str) {
    let text = more.to_string();
    let fault = register(more).map(|_| ()).expect_err(&text);
    (fault.code(), fault.wire())
}

#[test]
fn defaults_are_those_of_registration_2() {
    let done = register(json!({ "client_name": null, "made_up": { "deeply": [1] } })).unwrap();
    let info = done.information(&open());
    for (name, expected) in [
        ("client_name", json!(done.client.client_id)),
        ("redirect_uris", json!([CALLBACK])),
        ("response_types", json!(["code"])),
        ("grant_types", json!(["authorization_code"])),
        ("application_type", json!("web")),
        ("subject_type", json!("public")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("id_token_signed_response_alg", json!("RS256")),
        ("require_auth_time", json!(false)),
        ("require_signed_request_object", json!(false)),
        ("client_id_issued_at", json!(NOW)),
        ("client_secret_expires_at", json!(0)),
        ("registration_client_uri", json!(format!("{ISSUER}/register/{}", done.client.client_id))),
        ("registration_access_token", json!(done.token.as_str())),
        ("scope", json!("address email offline_access openid phone profile")),
    ] {
        assert_eq!(info[name], expected, "{name}");
    }
    for absent in
        ["made_up", "userinfo_signed_response_alg", "id_token_encrypted_response_alg", "jwks", "logo_uri"]
    {
        assert!(!info.contains_key(absent), "{absent}");
    }
    let secret = info["client_secret"].as_str().unwrap();
    assert!(done.client.secret_hash.unwrap().matches(secret) && done.client.sealed_secret.is_none());
    assert!(done.client.registration_token.unwrap().matches(&done.token));
    assert!(!done.client.settings.require_pkce, "OpenID Connect Core knows no PKCE");
    // What is written is what is shown.
    let written = done.changes.iter().find_map(|change| match change {
        Change::InsertClient(client) => Some(client),
        _ => None,
    });
    assert_eq!(written, Some(&done.client));
}

#[test]
fn public_clients_get_no_secret_and_must_use_pkce_rfc9700_2_1_1() {
    let done = register(json!({ "token_endpoint_auth_method": "none" })).unwrap();
    assert!(done.secret.is_none() && done.client.settings.require_pkce);
    assert!(!done.information(&open()).contains_key("client_secret_expires_at"));
}

#[test]
fn what_cannot_be_registered_is_refused_by_its_code_rfc7591_3_2_2() {
    let metadata = "invalid_client_metadata";
    for (more, code, wire) in [
        (
            json!({ "redirect_uris": ["https://rp.example/cb#x"] }),
            "client_metadata_redirect_uri",
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": ["http://rp.example/cb"] }),
            "client_metadata_redirect_uri",
            "invalid_redirect_uri",
        ),
        (json!({ "redirect_uris": [] }), "client_metadata_redirect_uri", "invalid_redirect_uri"),
        (json!({ "redirect_uris": null }), "client_metadata_redirect_uri", "invalid_redirect_uri"),
        (json!({ "redirect_uris": CALLBACK }), "client_metadata_type", metadata),
        (json!({ "redirect_uris": [1] }), "client_metadata_type", metadata),
        (json!({ "client_name": 1 }), "client_metadata_type", metadata),
        (json!({ "client_name": "" }), "client_metadata_contradiction", metadata),
        (json!({ "require_auth_time": "true" }), "client_metadata_type", metadata),
        (json!({ "default_max_age": "60" }), "client_metadata_type", metadata),
        (json!({ "default_max_age": -1 }), "client_metadata_contradiction", metadata),
        (json!({ "scope": ["openid"] }), "client_metadata_type", metadata),
        (json!({ "contacts": "a@rp.example" }), "client_metadata_type", metadata),
        (json!({ "response_types": ["token"] }), "client_metadata_value", metadata),
        (json!({ "grant_types": ["password"] }), "client_metadata_value", metadata),
        (json!({ "application_type": "service" }), "client_metadata_value", metadata),
        (json!({ "subject_type": "private" }), "client_metadata_value", metadata),
        (json!({ "token_endpoint_auth_method": "tls_client_auth" }), "client_metadata_value", metadata),
        (json!({ "token_endpoint_auth_signing_alg": "none" }), "client_metadata_value", metadata),
        (json!({ "id_token_signed_response_alg": "RS999" }), "client_metadata_value", metadata),
        (json!({ "id_token_signed_response_alg": "HS256" }), "client_metadata_contradiction", metadata),
        (json!({ "id_token_signed_response_alg": "none" }), "client_metadata_contradiction", metadata),
        (json!({ "id_token_encrypted_response_alg": "RSA1_5" }), "client_metadata_value", metadata),
        (json!({ "id_token_encrypted_response_alg": "RSA-OAEP" }), "client_metadata_contradiction", metadata),
        (json!({ "id_token_encrypted_response_enc": "A256GCM" }), "client_metadata_enc_alone", metadata),
        (json!({ "userinfo_encrypted_response_enc": "A256GCM" }), "client_metadata_enc_alone", metadata),
        (json!({ "authorization_encrypted_response_enc": "A256GCM" }), "client_metadata_enc_alone", metadata),
        (json!({ "introspection_encrypted_response_enc": "A256GCM" }), "client_metadata_enc_alone", metadata),
        (json!({ "request_object_encryption_enc": "A256GCM" }), "client_metadata_enc_alone", metadata),
        (json!({ "request_object_signing_alg": "none" }), "client_metadata_contradiction", metadata),
        (
            json!({ "response_types": ["id_token"], "grant_types": ["authorization_code"] }),
            "client_metadata_contradiction",
            metadata,
        ),
        (
            json!({ "initiate_login_uri": "http://rp.example/login" }),
            "client_metadata_contradiction",
            metadata,
        ),
        (json!({ "logo_uri": "http://rp.example/logo.png" }), "client_metadata_contradiction", metadata),
        (
            json!({ "frontchannel_logout_uri": "https://other.example/" }),
            "client_metadata_contradiction",
            metadata,
        ),
        (
            json!({ "subject_type": "pairwise", "redirect_uris": [CALLBACK, "https://b.example/"] }),
            "client_metadata_contradiction",
            metadata,
        ),
        (
            json!({ "jwks_uri": "https://rp.example/k", "jwks": { "keys": [] } }),
            "client_metadata_keys_twice",
            metadata,
        ),
        (
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            "client_metadata_contradiction",
            metadata,
        ),
        (json!({ "software_statement": "e30." }), "software_statement", "unapproved_software_statement"),
    ] {
        let method_ready = ClientAuthMethod::ALL.contains(&ClientAuthMethod::PrivateKeyJwt);
        if !method_ready && more.to_string().contains("private_key_jwt") {
            continue;
        }
        assert_eq!(refused(more.clone()), (code, wire), "{more}");
    }
}

#[test]
fn keys_by_value_are_public_and_few_registration_2() {
    let public = |name: &'static str| Value::Object(key(name, KeySpec::P256).public_key().to_jwk());
    let with = |name: &str, value: Value| {
        let mut jwk = public("dcr");
        jwk[name] = value;
        json!({ "keys": [jwk] })
    };
    let private = serde_json::from_str::<Value>(&key("dcr", KeySpec::P256).to_jwk().unwrap()).unwrap();
    for jwks in [
        json!({ "keys": [private] }),
        json!({ "keys": [public("dcr"), private] }),
        json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }),
        with("x", json!("AAAA")),
        with("use", json!(1)),
        json!({ "keys": [{ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" }] }),
        json!({ "keys": vec![public("dcr"); 21] }),
    ] {
        assert_eq!(refused(json!({ "jwks": jwks })).0, "client_metadata_key", "{jwks}");
    }
    for jwks in [json!([]), json!({}), json!({ "keys": {} }), json!("x")] {
        assert_eq!(refused(json!({ "jwks": jwks })).0, "client_metadata_type");
    }
    let twice = json!({ "keys": [with("kid", json!("a"))["keys"][0], with("kid", json!("b"))["keys"][0]] });
    assert_eq!(refused(json!({ "jwks": twice })).0, "client_metadata_contradiction");
    // Without kid and use (what most conformance clients send) it is a signing key; kinds that are not known are skipped.
    let mut bare = public("dcr");
    bare.as_object_mut().unwrap().remove("kid");
    let jwks = json!({ "keys": [bare, { "kty": "new" }] });
    let done = register(json!({ "jwks": jwks })).unwrap();
    assert_eq!((done.keys.len(), done.keys[0].usage), (1, KeyUse::Sig));
    assert_eq!(done.keys[0].jwk.get("kid"), None);
    let shown = &done.information(&open())["jwks"]["keys"][0];
    assert_eq!(shown["x"], bare["x"]);
    assert!(shown.get("d").is_none());
}

#[test]
fn a_keys_own_period_counts_a89() {
    let mut jwk = Value::Object(key("dcr", KeySpec::P256).public_key().to_jwk());
    (jwk["nbf"], jwk["exp"], jwk["use"]) = (json!(NOW), json!(NOW + 60), json!("enc"));
    let wanted = json!({
        "jwks": { "keys": [jwk] },
        "id_token_encrypted_response_alg": "ECDH-ES",
    });
    let done = register(wanted.clone()).unwrap();
    assert_eq!((done.keys[0].not_before, done.keys[0].not_after), (Some(NOW), Some(NOW + 60)));
    let info = done.information(&open());
    assert_eq!(info["jwks"]["keys"][0]["exp"], json!(NOW + 60));
    // Registration section 2: the default of `enc`.
    assert_eq!(info["id_token_encrypted_response_enc"], "A128CBC-HS256");
    let late = create(&asked(wanted), &facts(&open()), None, &at(NOW + 60));
    assert_eq!(late.unwrap_err().code(), "client_metadata_contradiction");
}

#[test]
fn userinfo_takes_the_form_that_is_asked_for_core_5_3_2() {
    let jwk =
        Value::Object(key("dcr-rsa", KeySpec::Rsa2048).public_key().clone().with_use(KeyUse::Enc).to_jwk());
    let jwks = json!({ "keys": [jwk] });
    for (more, expected) in [
        (json!({}), UserInfoResponseType::Json),
        (json!({ "userinfo_signed_response_alg": "RS256" }), UserInfoResponseType::Signed),
        (json!({ "userinfo_encrypted_response_alg": "RSA-OAEP" }), UserInfoResponseType::Encrypted),
        (
            json!({ "userinfo_signed_response_alg": "ES256", "userinfo_encrypted_response_alg": "RSA-OAEP" }),
            UserInfoResponseType::SignedAndEncrypted,
        ),
    ] {
        let mut more = map(more);
        more.insert("jwks".into(), jwks.clone());
        let done = register(Value::Object(more.clone())).unwrap();
        assert_eq!(done.client.settings.userinfo.response_type, expected);
        let info = done.information(&open());
        for (name, value) in &more {
            if name != "jwks" {
                assert_eq!(info[name], *value);
            }
        }
    }
}

#[test]
fn lists_of_grants_and_responses_complete_each_other_registration_2() {
    for (more, responses, grants) in [
        (json!({ "response_types": ["id_token"] }), json!(["id_token"]), json!(["implicit"])),
        (
            json!({ "response_types": ["id_token code"] }),
            json!(["code id_token"]),
            json!(["authorization_code", "implicit"]),
        ),
        (
            json!({ "grant_types": ["client_credentials"], "redirect_uris": null }),
            json!([]),
            json!(["client_credentials"]),
        ),
        (
            json!({ "grant_types": ["authorization_code", "refresh_token"] }),
            json!(["code"]),
            json!(["authorization_code", "refresh_token"]),
        ),
    ] {
        let info = register(more).unwrap().information(&open());
        assert_eq!((&info["response_types"], &info["grant_types"]), (&responses, &grants));
    }
}

#[test]
fn unsigned_objects_are_for_tenants_that_allow_them_core_6_1() {
    let mut tenant = open();
    tenant.settings.unsigned_request_objects = true;
    tenant.settings.unsigned_id_tokens = true;
    let done = |more: Value| create(&asked(more), &facts(&tenant), None, &at(NOW)).unwrap().client.settings;
    assert!(done(json!({})).allow_unsigned_request_object);
    assert!(done(json!({ "request_object_signing_alg": "none" })).allow_unsigned_request_object);
    assert!(!done(json!({ "request_object_signing_alg": "RS256" })).allow_unsigned_request_object);
    let unsigned = done(json!({ "id_token_signed_response_alg": "none" }));
    assert!(unsigned.id_token.unsigned);
    assert_eq!(metadata(&unsigned)["id_token_signed_response_alg"], "none");
    let browser =
        asked(json!({ "id_token_signed_response_alg": "none", "response_types": ["code id_token"] }));
    let fault = create(&browser, &facts(&tenant), None, &at(NOW)).unwrap_err();
    assert_eq!(fault.code(), "client_metadata_contradiction");
    assert!(!register(json!({})).unwrap().client.settings.allow_unsigned_request_object);
}

#[test]
fn scopes_are_those_of_the_tenant_rfc7591_2() {
    let scope =
        |asked: &str| register(json!({ "scope": asked })).unwrap().information(&open())["scope"].clone();
    assert_eq!(scope("openid email"), "email openid");
    assert_eq!(scope("email unheard_of"), "email openid");
    let machine = json!({ "scope": "email", "grant_types": ["client_credentials"], "redirect_uris": null });
    assert_eq!(register(machine).unwrap().information(&open())["scope"], "email");
}

#[test]
fn only_whom_the_policy_admits_may_register_rfc7591_3() {
    use RegistrationPolicy::{InitialAccessToken as ByToken, Off, Open};
    let token = |uses_left, expires_at| InitialAccessToken {
        tenant: "t".into(),
        hash: TokenHash::of("x"),
        name: "partner".into(),
        uses_left,
        created_at: 0,
        expires_at,
    };
    let judge = |policy, presented, found: Option<&InitialAccessToken>| {
        let mut tenant = tenant();
        tenant.settings.registration = policy;
        admit(&tenant, presented, found, NOW).map(|token| token.is_some()).map_err(|fault| fault.code())
    };
    let good = token(Some(1), Some(NOW + 1));
    assert_eq!(judge(Off, Some("x"), Some(&good)), Err("not_found"));
    assert_eq!(judge(Open, None, None), Ok(false));
    assert_eq!(judge(Open, Some("x"), None), Ok(false));
    assert_eq!(judge(ByToken, None, None), Err("registration_token_missing"));
    assert_eq!(judge(ByToken, Some("y"), None), Err("initial_access_token_unusable"));
    assert_eq!(judge(ByToken, Some("x"), Some(&good)), Ok(true));
    assert_eq!(judge(ByToken, Some("x"), Some(&token(None, None))), Ok(true));
    for unusable in [token(Some(0), None), token(None, Some(NOW))] {
        assert_eq!(judge(ByToken, Some("x"), Some(&unusable)), Err("initial_access_token_unusable"));
    }
    // The use is counted by the transaction that registers.
    let done = create(&asked(json!({})), &facts(&open()), Some(&good), &at(NOW)).unwrap();
    assert!(matches!(done.changes[0], Change::UseInitialAccessToken { hash, .. } if hash == good.hash));
    for (header, expected) in [
        (None, Ok(None)),
        (Some("Bearer abc"), Ok(Some("abc"))),
        (Some("bearer abc"), Ok(Some("abc"))),
        (Some("Bearer"), Err(())),
        (Some("Bearer a b"), Err(())),
        (Some("Basic abc"), Err(())),
    ] {
        assert_eq!(presented(header).map_err(|_| ()), expected, "{header:?}");
    }
}

fn registered(more: Value) -> (Client, Vec<ClientKey>, String) {
    let done = register(more).unwrap();
    (done.client.clone(), done.keys.clone(), done.token.to_string())
}

#[test]
fn a_registration_opens_to_its_own_token_alone_rfc7592_2() {
    let (mut client, _, token) = registered(json!({}));
    let judge = |client: Option<&Client>, token: Option<&str>| {
        manage(&open(), token, client).map(|_| ()).map_err(|fault| (fault.code(), fault.status()))
    };
    assert_eq!(judge(Some(&client), Some(&token)), Ok(()));
    assert_eq!(judge(Some(&client), None), Err(("registration_token_missing", 401)));
    let wrong = Err(("registration_access_token_wrong", 401));
    assert_eq!(judge(Some(&client), Some("sgn_rat_x")), wrong);
    assert_eq!(judge(None, Some(&token)), wrong);
    assert_eq!(manage(&tenant(), Some(&token), Some(&client)).unwrap_err().code(), "not_found");
    client.disabled = true;
    assert_eq!(judge(Some(&client), Some(&token)), wrong);
    client.disabled = false;
    client.registration_token = None;
    assert_eq!(judge(Some(&client), Some(&token)), wrong);
}

#[test]
fn a_change_replaces_everything_rfc7592_2_2() {
    let jwk = Value::Object(key("dcr", KeySpec::P256).public_key().to_jwk());
    let (client, keys, token) =
        registered(json!({ "tos_uri": "https://rp.example/tos", "jwks": { "keys": [jwk] } }));
    let id = client.client_id.as_str();
    let secret = register(json!({})).unwrap();
    let change = |more: Value| {
        registration::update(&asked(more), &client, &keys, &token, &facts(&open()), &at(NOW + 1))
            .map_err(|fault| fault.code())
    };
    for (more, code) in [
        (json!({}), "client_metadata_client_id"),
        (json!({ "client_id": "other" }), "client_metadata_client_id"),
        (json!({ "client_id": id, "client_secret": "chosen" }), "client_metadata_secret"),
        (json!({ "client_id": id, "registration_access_token": token }), "client_metadata_servers_own"),
        (json!({ "client_id": id, "registration_client_uri": "x" }), "client_metadata_servers_own"),
        (json!({ "client_id": id, "client_secret_expires_at": 0 }), "client_metadata_servers_own"),
        (json!({ "client_id": id, "client_id_issued_at": NOW }), "client_metadata_servers_own"),
        (json!({ "client_id": id, "redirect_uris": [] }), "client_metadata_redirect_uri"),
    ] {
        assert_eq!(change(more.clone()).map(|_| ()), Err(code), "{more}");
    }
    let done = change(json!({ "client_id": id, "policy_uri": "https://rp.example/policy" })).unwrap();
    let info = done.information(&open());
    assert_eq!(info["policy_uri"], "https://rp.example/policy");
    assert!(
        !info.contains_key("tos_uri") && !info.contains_key("jwks") && !info.contains_key("client_secret")
    );
    assert_eq!(info["registration_access_token"], json!(token));
    assert_eq!(done.client.secret_hash, client.secret_hash);
    assert_eq!(done.client.registration_token, client.registration_token);
    assert!(done.changes.iter().any(|change| matches!(change, Change::RevokeClientKey { .. })));
    // What no metadata exists for is the administrator's and stays.
    let mut strict = client.clone();
    (strict.settings.require_jti, strict.settings.lifetimes.code) = (true, 33);
    let asked = asked(json!({ "client_id": id }));
    let kept = registration::update(&asked, &strict, &[], &token, &facts(&open()), &at(NOW)).unwrap();
    assert!(kept.client.settings.require_jti && kept.client.settings.lifetimes.code == 33);
    // A client that becomes public loses its secret; one that becomes confidential gets one.
    let public = change(json!({ "client_id": id, "token_endpoint_auth_method": "none" })).unwrap();
    assert!(public.client.secret_hash.is_none() && public.client.settings.require_pkce);
    let back = registration::update(&asked, &public.client, &[], &token, &facts(&open()), &at(NOW)).unwrap();
    assert!(back.client.secret_hash.unwrap().matches(&back.secret.unwrap()));
    assert!(secret.secret.is_some());
}

#[test]
fn a_removed_client_is_removed_whole_rfc7592_2_3() {
    let (client, _, _) = registered(json!({}));
    let changes = registration::delete(&client, &facts(&open()), &at(NOW));
    assert!(matches!(&changes[0], Change::DeleteClient(id) if *id == client.client_id));
    assert!(matches!(&changes[1], Change::Audit(event) if event.kind == "client.deleted"));
}

#[test]
fn a_sector_lists_its_members_core_8_1() {
    let uris = ["https://a.example/cb".to_owned(), "https://b.example/cb".to_owned()];
    let judge = |document: &str| sector(document.as_bytes(), &uris).map_err(|fault| fault.code());
    assert_eq!(judge(r#"["https://b.example/cb", "https://a.example/cb", "https://c.example/"]"#), Ok(()));
    assert_eq!(judge(r#"["https://a.example/cb"]"#), Err("sector_identifier_mismatch"));
    assert_eq!(
        judge(r#"["https://a.example/cb", "https://b.example/cb/"]"#),
        Err("sector_identifier_mismatch")
    );
    for unreadable in ["", "{}", "[1]", r#"{"redirect_uris":[]}"#, "<html>"] {
        assert_eq!(judge(unreadable), Err("sector_identifier_unreadable"), "{unreadable}");
    }
}

#[test]
fn bodies_are_objects_of_bounded_size() {
    assert!(body(br#"{"redirect_uris":["https://rp.example/"]}"#).is_ok());
    let deep = format!("{{\"a\":{}", "[".repeat(10_000));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(65_536));
    for bad in ["", "[]", "null", "redirect_uris=x", "{", deep.as_str(), large.as_str()] {
        assert_eq!(body(bad.as_bytes()).unwrap_err().code(), "registration_body");
    }
}
