//! Random settings: each client either saves and completes a login with a conforming relying party, or is refused with a
//! reason. None saves and then fails.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};
use signet_core::records::Role;
use signet_jose::{KeySpec, KeyUse};
use signet_tests::admin::Office;
use tokio::runtime::Runtime;

use super::conforming::{KEYS, Party, private};

/// How many random clients there are.
const CASES: u32 = 400;

struct Setting {
    runtime: Runtime,
    office: Office,
    owner: String,
}

fn setting() -> &'static Setting {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    SETTING.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let (office, owner) = runtime.block_on(async {
            let office = Office::open().await;
            let owner = office.token_of(Role::Owner).await;
            (office, owner)
        });
        Setting { runtime, office, owner }
    })
}

/// Mostly the first, sometimes one of the others.
fn mostly(first: Value, others: Vec<Value>) -> BoxedStrategy<Value> {
    prop_oneof![3 => Just(first), 2 => select(others)].boxed()
}

fn some(words: &'static [&'static str], least: usize) -> BoxedStrategy<Value> {
    subsequence(words, least..=words.len()).prop_map(|words| json!(words)).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn encryption() -> BoxedStrategy<Value> {
    let alg = select(vec!["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"]);
    let enc = select(vec!["A128CBC-HS256", "A256GCM", "A128GCM"]);
    let pair = (alg, enc).prop_map(|(alg, enc)| json!({ "alg": alg, "enc": enc }));
    prop_oneof![2 => Just(Value::Null), 1 => pair].boxed()
}

fn signature() -> BoxedStrategy<Value> {
    mostly(json!("RS256"), ["ES256", "EdDSA", "PS256", "HS256"].map(Value::from).into())
}

fn protected() -> BoxedStrategy<Value> {
    (signature(), encryption())
        .prop_map(|(signed, encrypted)| json!({ "signed": signed, "encrypted": encrypted }))
        .boxed()
}

const METHODS: &[&str] = &["client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];
const ASSERTIONS: &[&str] = &["RS256", "ES256", "EdDSA", "HS256", "HS512"];

fn words(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| json!(word)).collect()
}

fn lists(lists: &[&[&str]]) -> Vec<Value> {
    lists.iter().map(|list| json!(list)).collect()
}

fn response_types() -> Vec<Value> {
    lists(&[
        &[],
        &["code", "id_token"],
        &["code id_token"],
        &["id_token token"],
        &["code id_token token", "code token"],
    ])
}

fn grant_types() -> Vec<Value> {
    lists(&[
        &[],
        &["implicit"],
        &["authorization_code", "implicit"],
        &["authorization_code", "refresh_token"],
        &["refresh_token"],
        &["client_credentials"],
        &["authorization_code", "client_credentials"],
    ])
}

fn placements() -> Vec<Value> {
    [("email", "id_token"), ("name", "both"), ("sub", "both")]
        .map(|(name, place)| json!({ name: place }))
        .into()
}

fn scope() -> BoxedStrategy<Value> {
    let known = some(&["openid", "profile", "email", "address", "phone"], 1);
    prop_oneof![9 => known, 1 => Just(json!(["openid", "nonsense"]))].boxed()
}

fn members() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    let signing: &[&str] = &["RS256", "PS256", "ES256", "EdDSA", "HS256"];
    let userinfo = (select(vec!["json", "signed", "encrypted", "signed_and_encrypted"]), protected())
        .prop_map(|(form, mut protected)| {
            protected["response_type"] = json!(form);
            protected
        });
    let id_token = (protected(), any::<bool>()).prop_map(|(mut protected, scope)| {
        protected["include_scope_claims"] = json!(scope);
        protected
    });
    let lifetimes = (5_i64..700, 30_i64..4000)
        .prop_map(|(code, access)| json!({ "code": code, "access_token": access, "id_token": access }));
    vec![
        ("application_type", mostly(json!("web"), vec![json!("native")])),
        (
            "redirect_uris",
            mostly(
                json!(["https://rp.example/cb"]),
                vec![
                    json!([]),
                    json!(["http://127.0.0.1/cb"]),
                    json!(["com.example.app:/cb"]),
                    json!(["https://rp.example/cb", "https://other.example/cb"]),
                    json!(["http://rp.example/cb"]),
                ],
            ),
        ),
        ("response_types", mostly(json!(["code"]), response_types())),
        ("grant_types", mostly(json!(["authorization_code"]), grant_types())),
        ("token_endpoint_auth_method", mostly(json!("client_secret_basic"), words(METHODS))),
        ("token_endpoint_auth_signing_alg", mostly(Value::Null, words(ASSERTIONS))),
        ("require_pushed_authorization_requests", mostly(json!(false), vec![json!(true)])),
        ("require_pkce", flag()),
        ("require_request_object", flag()),
        ("require_encrypted_request_object", mostly(json!(false), vec![json!(true)])),
        ("require_jti", flag()),
        ("require_request_object_times", flag()),
        ("allow_unsigned_request_object", mostly(json!(false), vec![json!(true)])),
        ("request_object_signing_algs", prop_oneof![Just(json!([])), some(signing, 0)].boxed()),
        ("request_object_parameters", mostly(json!("object_only"), vec![json!("object_overrides")])),
        ("id_token", id_token.boxed()),
        ("userinfo", userinfo.boxed()),
        ("authorization_response", prop_oneof![3 => Just(json!({})), 1 => protected()].boxed()),
        ("access_token_format", mostly(json!("opaque"), vec![json!("jwt")])),
        ("access_token_signed", signature()),
        ("subject_type", mostly(json!("public"), vec![json!("pairwise")])),
        ("scope", scope()),
        ("require_consent", flag()),
        ("require_auth_time", flag()),
        ("default_max_age", mostly(Value::Null, vec![json!(0), json!(3600), json!(-1)])),
        ("default_acr_values", mostly(json!([]), vec![json!(["urn:signet:acr:password"]), json!(["urn:x"])])),
        ("encryption_kid", mostly(Value::Null, words(&["enc-rsa", "enc-p256", "nowhere"]))),
        ("refresh_token_rotation", mostly(json!(true), vec![json!(false)])),
        ("claim_placement", mostly(json!({}), placements())),
        ("lifetimes", prop_oneof![4 => Just(json!({})), 1 => lifetimes].boxed()),
    ]
}

/// Settings of which each member is chosen, or left at its default.
fn settings() -> impl Strategy<Value = Map<String, Value>> {
    let members: Vec<_> = members()
        .into_iter()
        .map(|(name, value)| proptest::option::weighted(0.35, value).prop_map(move |value| (name, value)))
        .collect();
    members.prop_map(|members| {
        let chosen = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut all: Map<String, Value> = chosen.collect();
        // Mostly the grants that the response types need.
        if let (Some(types), true) = (all.get("response_types").cloned(), !all.len().is_multiple_of(4)) {
            let has = |word: &str| types.to_string().contains(word);
            let code = has("code").then_some("authorization_code");
            let tokens = has("token").then_some("implicit");
            let grants: Vec<&str> = code.into_iter().chain(tokens).chain(["refresh_token"]).collect();
            all.insert("grant_types".into(), json!(grants));
        }
        all.entry("redirect_uris").or_insert_with(|| json!(["https://rp.example/cb"]));
        all
    })
}

fn declared(name: &str, usage: KeyUse, spec: KeySpec) -> Value {
    let public = private(name, usage, spec).public_key().to_jwk();
    json!({ "name": name, "usage": usage, "source": public })
}

fn case(id: u32, settings: &Map<String, Value>, own: &[(&'static str, KeyUse, KeySpec)]) -> bool {
    let at = setting();
    let keys: Vec<Value> = own.iter().map(|(name, usage, spec)| declared(name, *usage, *spec)).collect();
    let id = format!("random-{id}");
    let body = json!({ "client_id": id, "settings": settings, "keys": keys });
    at.runtime.block_on(async {
        let made = at.office.call("POST", "/clients", &at.owner, Some(&body)).await;
        if made.status == 422 {
            let errors = made.json()["errors"].as_array().unwrap().clone();
            let told =
                |error: &Value| error["code"].is_string() && error["detail"].as_str().unwrap().len() > 20;
            assert!(!errors.is_empty() && errors.iter().all(told), "{}", made.body);
            return false;
        }
        assert_eq!(made.status, 201, "{}", made.body);
        Party::new(&id, &made.json(), own.to_vec()).log_in(&at.office.provider).await;
        true
    })
}

#[test]
fn each_client_saves_and_logs_in_or_is_refused_with_a_reason() {
    let counter = std::cell::Cell::new(0_u32);
    let saved = std::cell::Cell::new(0_u32);
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let keys = prop_oneof![Just(KEYS.to_vec()), subsequence(KEYS, 0..=KEYS.len())];
    let outcome = runner.run(&(settings(), keys), |(settings, keys)| {
        counter.set(counter.get() + 1);
        saved.set(saved.get() + u32::from(case(counter.get(), &settings, &keys)));
        Ok(())
    });
    outcome.unwrap();
    // Both happen, and often.
    let (saved, all) = (saved.get(), CASES);
    assert!(saved * 8 > all && saved < all, "{saved} of {all} were saved");
}
