//! Random settings: each client either saves and completes a login with a conforming relying party, or is refused with a
//! reason. None saves and then fails.

use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};
use signet_core::records::Role;
use signet_core::setting::SETTINGS;
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, SigAlg};
use signet_tests::admin::Office;
use tokio::runtime::Runtime;

use super::conforming::{KEYS, Party, private};
use super::key_sets;

/// How many random clients there are.
const CASES: u32 = 400;

struct Setting {
    runtime: Runtime,
    office: Office,
    owner: String,
    /// Where key sets are served.
    sets: String,
}

fn setting() -> &'static Setting {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    SETTING.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let (office, owner, sets) = runtime.block_on(async {
            let office = Office::open().await;
            let owner = office.token_of(Role::Owner).await;
            (office, owner, key_sets::serve(Arc::default()).await)
        });
        Setting { runtime, office, owner, sets }
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
    let pair = (select(KeyAlg::ALL), select(ContentAlg::ALL));
    let pair = pair.prop_map(|(alg, enc)| json!({ "alg": alg, "enc": enc }));
    prop_oneof![2 => Just(Value::Null), 1 => pair].boxed()
}

fn signature() -> BoxedStrategy<Value> {
    mostly(json!("RS256"), SigAlg::ALL.iter().map(|alg| json!(alg)).collect())
}

/// Nearly always the first: what is wrong in itself shall not hide what is wrong together.
fn rarely(first: Value, others: Vec<Value>) -> BoxedStrategy<Value> {
    prop_oneof![24 => Just(first), 1 => select(others)].boxed()
}

/// Mostly good addresses, and some that are none.
fn address(good: &str) -> BoxedStrategy<Value> {
    let bad = ["http://rp.example/x", "https://rp.example/#x", "not an address", "javascript:alert(1)", ""];
    rarely(json!(good), words(&bad))
}

/// Mostly left at what it is, else any number of seconds that might be meant, or cannot be.
fn seconds(usual: i64) -> BoxedStrategy<Value> {
    let bad = select(vec![i64::MIN, -1, 0, i64::MAX]);
    prop_oneof![12 => Just(usual), 12 => usual / 2..=usual, 1 => bad].prop_map(Value::from).boxed()
}

/// A text of any letters; too long now and then.
fn text() -> BoxedStrategy<Value> {
    prop_oneof![20 => "[\\p{L}\\p{N}<&\"' ]{0,18}x", 1 => "\\PC{0,9}", 1 => "x{250,300}"]
        .prop_map(Value::from)
        .boxed()
}

const METHODS: &[&str] = &["client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];

/// Settings that are not varied here, and why.
const FIXED: &[(&str, &str)] = &[
    ("request_uris", "objects at an address are fetched from a server; the tests of fetching have one"),
    ("sector_identifier_uri", "the document is fetched before anything is saved"),
];

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

/// Every path that is varied, by subject.
fn members() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    let mut all = application();
    all.extend(requests());
    all.extend(answers());
    all
}

fn application() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    let rp = "https://rp.example";
    let redirects = vec![
        json!([]),
        json!(["http://127.0.0.1/cb"]),
        json!(["com.example.app:/cb"]),
        json!(["https://rp.example/cb", "https://other.example/cb"]),
        json!(["http://rp.example/cb"]),
    ];
    let after = lists(&[&["nowhere"], &["https://rp.example/#x"]]);
    let resources = lists(&[&["relative"], &["https://a/#b"]]);
    let contacts = lists(&[&[""], &["a\nb"]]);
    vec![
        ("client_name", text()),
        ("client_uri", address(rp)),
        ("logo_uri", address("https://rp.example/logo.png")),
        ("policy_uri", address("https://rp.example/policy")),
        ("tos_uri", address("https://rp.example/tos")),
        ("application_type", mostly(json!("web"), vec![json!("native")])),
        ("contacts", rarely(json!(["ops@rp.example", "https://rp.example/help"]), contacts)),
        ("software_id", text()),
        ("software_version", text()),
        ("redirect_uris", mostly(json!(["https://rp.example/cb"]), redirects)),
        ("post_logout_redirect_uris", rarely(json!(["https://rp.example/a", "https://rp.example/b"]), after)),
        ("initiate_login_uri", address("https://rp.example/login")),
        ("response_types", mostly(json!(["code"]), response_types())),
        ("grant_types", mostly(json!(["authorization_code"]), grant_types())),
        ("scope", scope()),
        ("resources", rarely(json!(["https://api.example/a", "urn:example:b"]), resources)),
        ("backchannel_logout_uri", address("https://rp.example/back")),
        ("backchannel_logout_session_required", flag()),
        ("frontchannel_logout_uri", address("https://rp.example/front")),
        ("frontchannel_logout_session_required", flag()),
        ("logout_token_signed", signature()),
    ]
}

fn requests() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    let signing: Vec<&'static str> = SigAlg::ALL.iter().map(|alg| alg.name()).collect();
    let keyed: Vec<&'static str> = signing.iter().copied().filter(|name| !name.starts_with("HS")).collect();
    let keyed = (1..=keyed.len()).prop_flat_map(move |count| subsequence(keyed.clone(), count));
    let keyed = keyed.prop_map(|words| json!(words));
    let proofs = SigAlg::ALL.iter().map(|alg| json!(alg)).collect();
    let signing = (0..=signing.len()).prop_flat_map(move |count| subsequence(signing.clone(), count));
    let signing = signing.prop_map(|words| json!(words));
    vec![
        ("token_endpoint_auth_method", mostly(json!("client_secret_basic"), words(METHODS))),
        ("token_endpoint_auth_signing_alg", mostly(Value::Null, proofs)),
        ("require_pushed_authorization_requests", mostly(json!(false), vec![json!(true)])),
        ("require_pkce", flag()),
        ("require_request_object", flag()),
        ("require_encrypted_request_object", mostly(json!(false), vec![json!(true)])),
        ("require_jti", flag()),
        ("require_request_object_times", flag()),
        ("allow_unsigned_request_object", rarely(json!(false), vec![json!(true)])),
        ("request_object_signing_algs", prop_oneof![4 => Just(json!([])), 4 => keyed, 1 => signing].boxed()),
        ("request_object_encryption", encryption()),
        ("request_object_parameters", mostly(json!("object_only"), vec![json!("object_overrides")])),
        ("default_max_age", mostly(Value::Null, vec![json!(0), json!(3600), json!(-1)])),
        ("default_acr_values", mostly(json!([]), vec![json!(["urn:signet:acr:password"]), json!(["urn:x"])])),
        ("require_consent", flag()),
        ("require_second_factor", flag()),
        ("subject_type", mostly(json!("public"), vec![json!("pairwise")])),
        ("require_auth_time", flag()),
    ]
}

fn answers() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    let forms = words(&["signed", "encrypted", "signed_and_encrypted"]);
    vec![
        ("id_token.signed", signature()),
        ("id_token.encrypted", encryption()),
        ("id_token.include_scope_claims", flag()),
        ("id_token.unsigned", rarely(json!(false), vec![json!(true)])),
        ("userinfo.response_type", mostly(json!("json"), forms)),
        ("userinfo.signed", signature()),
        ("userinfo.encrypted", encryption()),
        ("claim_placement", mostly(json!({}), placements())),
        ("authorization_response.signed", signature()),
        ("authorization_response.encrypted", encryption()),
        ("introspection.signed", signature()),
        ("introspection.encrypted", encryption()),
        ("access_token_format", mostly(json!("opaque"), vec![json!("jwt")])),
        ("access_token_signed", signature()),
        ("refresh_token_rotation", mostly(json!(true), vec![json!(false)])),
        ("lifetimes.code", seconds(60)),
        ("lifetimes.access_token", seconds(300)),
        ("lifetimes.id_token", seconds(300)),
        ("lifetimes.pushed_request", seconds(60)),
        ("lifetimes.device_code", seconds(600)),
        ("lifetimes.refresh_token_idle", seconds(86_400)),
        ("lifetimes.refresh_token", seconds(1_000_000)),
        ("lifetimes.refresh_token_grace", seconds(10)),
        // The name of a set, which becomes an address.
        ("jwks_uri", mostly(json!("all"), words(&["sig", "enc", "empty", "dead", "page"]))),
        ("encryption_kid", mostly(Value::Null, words(&["enc-rsa", "enc-p256", "nowhere"]))),
    ]
}

#[test]
fn every_setting_is_varied_or_has_a_reason_not_to_be() {
    let mut known: Vec<&str> = SETTINGS.iter().map(|setting| setting.path).collect();
    let mut here: Vec<&str> = members().iter().map(|(path, _)| *path).collect();
    here.extend(FIXED.iter().map(|(path, _)| *path));
    known.sort_unstable();
    here.sort_unstable();
    assert_eq!(here, known);
    assert!(FIXED.iter().all(|(_, why)| why.len() > 20));
}

/// Settings of which each member is chosen, or left at its default.
fn settings() -> impl Strategy<Value = Map<String, Value>> {
    let members: Vec<_> = members()
        .into_iter()
        .map(|(name, value)| proptest::option::weighted(0.18, value).prop_map(move |value| (name, value)))
        .collect();
    members.prop_map(|members| {
        let chosen = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut all = Value::Object(Map::new());
        let mut put = |path: &str, value: Value| match path.split_once('.') {
            Some((outer, inner)) => all[outer][inner] = value,
            None => all[path] = value,
        };
        chosen.for_each(|(path, value)| put(&path, value));
        let mut all = all.as_object().unwrap().clone();
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

type OwnKeys = Vec<(&'static str, KeyUse, KeySpec)>;

/// Gives a client the set whose name was chosen in place of the keys that it would register; now and then both.
fn published(id: u32, settings: &mut Map<String, Value>, own: OwnKeys) -> (OwnKeys, OwnKeys) {
    let Some(name) = settings.get("jwks_uri").and_then(Value::as_str).map(str::to_owned) else {
        return (own.clone(), own);
    };
    settings.insert("jwks_uri".into(), json!(format!("{}/{id}/{name}", setting().sets)));
    (if id.is_multiple_of(8) { own } else { Vec::new() }, key_sets::keys_of(&name))
}

fn case(id: u32, mut settings: Map<String, Value>, own: OwnKeys) -> bool {
    let at = setting();
    let (registered, own) = published(id, &mut settings, own);
    let keys: Vec<Value> =
        registered.iter().map(|(name, usage, spec)| declared(name, *usage, *spec)).collect();
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
        Party::new(&id, &made.json(), own).log_in(&at.office.provider).await;
        true
    })
}

#[test]
fn each_client_saves_and_logs_in_or_is_refused_with_a_reason() {
    let counter = std::cell::Cell::new(0_u32);
    let saved = std::cell::Cell::new(0_u32);
    let (followed, not_followed) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u32));
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let keys = prop_oneof![Just(KEYS.to_vec()), subsequence(KEYS, 0..=KEYS.len())];
    let outcome = runner.run(&(settings(), keys), |(settings, keys)| {
        counter.set(counter.get() + 1);
        let follows = settings.contains_key("jwks_uri");
        let done = case(counter.get(), settings, keys);
        saved.set(saved.get() + u32::from(done));
        let which = if done { &followed } else { &not_followed };
        which.set(which.get() + u32::from(follows));
        Ok(())
    });
    outcome.unwrap();
    // Both happen, and often.
    let (saved, all) = (saved.get(), CASES);
    assert!(saved * 8 > all && saved < all, "{saved} of {all} were saved");
    let (followed, not_followed) = (followed.get(), not_followed.get());
    assert!(
        followed > 4 && not_followed > 4,
        "{followed} with a jwks_uri were saved, {not_followed} refused"
    );
}
