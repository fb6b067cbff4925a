//! Clients' keys over the interface.

use base64::Engine as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use signet_core::admin::{CLIENTS_READ, CLIENTS_WRITE};
use signet_core::records::Role;
use signet_jose::{KeySpec, KeyUse};
use signet_store_sqlite::{Durability, SqliteStore};
use signet_tests::admin::Office;
use signet_tests::key;
use signet_tests::process::{Dev, signet};
use signet_tests::provider::Provider;

use super::clients::{code, new};

const DAY: i64 = 86_400;

async fn keys(office: &Office, token: &str) -> Vec<Value> {
    office.call("GET", "/clients/c/keys", token, None).await.json().as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_added_changed_and_withdrawn() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    office.call("POST", "/clients", &owner, Some(&new("c"))).await;
    let public = key(KeySpec::P384).public_key().to_jwk();
    let jwk = json!({ "name": "mine", "usage": "sig", "source": public });
    let added = office.call("POST", "/clients/c/keys", &owner, Some(&jwk)).await;
    assert_eq!((added.status.as_u16(), added.header("etag")), (201, "\"2\""), "{}", added.body);
    let id = added.json()["keys"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/clients/c/keys/{id}");
    let change = json!({ "name": "renamed", "not_after": office.provider.now() + DAY });
    let changed = office.call_with("PUT", &path, &owner, &[("if-match", "\"2\"")], Some(&change)).await;
    assert_eq!(changed.json()["keys"][0]["name"], "renamed", "{}", changed.body);
    assert_eq!(changed.json()["advice"][0]["code"], "key_ends", "{}", changed.body);
    let revoked = office.call_with("DELETE", &path, &owner, &[("if-match", "\"3\"")], None).await;
    assert_eq!(revoked.json()["keys"][0]["state"], "revoked", "{}", revoked.body);
    let again = office.call_with("DELETE", &path, &owner, &[("if-match", "\"4\"")], None).await;
    assert_eq!(code(&again), (404, "admin_record_missing".into()));
    // What was found and what was wanted.
    for (source, wanted) in [
        (json!("-----BEGIN NONSENSE-----"), "key_source"),
        (json!({ "kty": "oct", "k": "AAAA" }), "key_source"),
        (json!(7), "key_source_form"),
        (json!(key(KeySpec::Ed25519).public_key().to_jwk()), "key_usage"),
    ] {
        let body = json!({ "name": "bad", "usage": "enc", "source": source });
        let reply = office.call("POST", "/clients/c/keys", &owner, Some(&body)).await;
        assert_eq!(reply.json()["errors"][0]["code"], wanted, "{}", reply.body);
    }
    let private = key(KeySpec::P384).to_jwk().unwrap();
    let body = json!({ "name": "bad", "usage": "sig", "source": private.as_str() });
    let reply = office.call("POST", "/clients/c/keys", &owner, Some(&body)).await;
    let secret = serde_json::from_str::<Value>(&private).unwrap()["d"].as_str().unwrap().to_owned();
    assert!(code(&reply).0 == 422 && !reply.body.contains(&secret), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_additions_at_once_are_all_made_and_the_same_one_once() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    office.call("POST", "/clients", &owner, Some(&new("c"))).await;
    let add = |key: String| {
        let (office, owner) = (&office, &owner);
        async move {
            let pair = json!({ "name": "k", "usage": "sig", "kind": "ed25519" });
            let keyed = [("idempotency-key", key.as_str())];
            office.call_with("POST", "/clients/c/key-pairs", owner, &keyed, Some(&pair)).await
        }
    };
    for round in 0..4 {
        let replies = join_all((0..12).map(|index| add(format!("k-{round}-{}", index % 3)))).await;
        let made = replies.iter().filter(|reply| reply.status == 201).count();
        let again = replies.iter().filter(|reply| reply.header("idempotency-replayed") == "true").count();
        assert_eq!((made, made + again), (3, 12), "{:?}", replies.iter().map(code).collect::<Vec<_>>());
        assert_eq!(keys(&office, &owner).await.len(), 3 * (round + 1));
        assert!(replies.iter().all(|reply| reply.json()["keys"].as_array().unwrap().len() == 1));
    }
    // What was made is shown again, though the version that the first sender saw has passed.
    let pair = json!({ "name": "k", "usage": "sig", "kind": "ed25519" });
    for (key, status) in [("k-0-0", 200), ("k-new", 412)] {
        let headers = [("idempotency-key", key), ("if-match", "\"1\"")];
        let reply = office.call_with("POST", "/clients/c/key-pairs", &owner, &headers, Some(&pair)).await;
        assert_eq!(reply.status, status, "{}", reply.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_takes_over_from_another_in_one_step() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let encrypted = json!({ "client_id": "c", "settings": { "redirect_uris": ["https://rp.example/cb"],
            "id_token": { "encrypted": { "alg": "RSA-OAEP-256", "enc": "A256GCM" } } },
        "keys": [{ "name": "enc", "usage": "enc",
            "source": key(KeySpec::Rsa2048).public_key().clone().with_use(KeyUse::Enc).to_jwk() }] });
    let made = office.call("POST", "/clients", &owner, Some(&encrypted)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    office.provider.advance(1);
    let old = keys(&office, &owner).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/clients/c/keys/{old}/rotate");
    let rotated = office.call_with("POST", &path, &owner, &[("if-match", "\"1\"")], Some(&json!({}))).await;
    let body = rotated.json();
    assert!(body["private_key"]["pem"].is_string() && body["version"] == 2, "{body}");
    let now = office.provider.now();
    let states =
        |all: &[Value]| all.iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let all = keys(&office, &owner).await;
    assert_eq!(states(&all), ["in_use", "next"]);
    assert_eq!((&all[0]["not_after"], &all[1]["used_from"]), (&json!(now + 2 * DAY), &json!(now + DAY)));
    office.provider.advance(DAY);
    assert_eq!(states(&keys(&office, &owner).await), ["valid", "in_use"]);
    office.provider.advance(DAY);
    assert_eq!(states(&keys(&office, &owner).await), ["ended", "in_use"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_that_was_made_here_is_nowhere_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signet.db");
    let store = SqliteStore::open(&file, Durability::Full).await.unwrap();
    let office = Office::of(Provider::on(std::sync::Arc::new(store)).await).await;
    let owner = office.token_of(Role::Owner).await;
    office.call("POST", "/clients", &owner, Some(&new("c"))).await;
    let pair = json!({ "name": "made", "usage": "sig", "kind": "p-256" });
    let keyed = [("idempotency-key", "once")];
    let made = office.call_with("POST", "/clients/c/key-pairs", &owner, &keyed, Some(&pair)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let private = &made.json()["private_key"];
    let jwk: Value = serde_json::from_str(private["jwk"].as_str().unwrap()).unwrap();
    let secret = jwk["d"].as_str().unwrap().to_owned();
    let pem: String = private["pem"].as_str().unwrap().lines().nth(2).unwrap().to_owned();
    let again = office.call_with("POST", "/clients/c/key-pairs", &owner, &keyed, Some(&pair)).await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed")),
        (200, "true"),
        "{}",
        again.body
    );
    assert!(
        !again.body.contains(&secret) && again.json()["keys"].as_array().unwrap().len() == 1,
        "{}",
        again.body
    );

    let trail = signet_store::AuditFilter { limit: 1000, ..signet_store::AuditFilter::default() };
    let events = office.provider.app.store.audit(&"default".into(), &trail).await.unwrap();
    let events = serde_json::to_string(&events).unwrap();
    let kid = jwk["kid"].as_str().unwrap();
    assert!(events.contains(kid) && !events.contains(&secret));
    // The file, its journal and all: the raw bytes.
    let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&secret).unwrap();
    let mut found = false;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        found |= has(kid.as_bytes());
        assert!(!has(secret.as_bytes()) && !has(&raw) && !has(pem.as_bytes()));
    }
    assert!(found, "the public part is there, so the search can find something");
}

/// The same with a process of its own, whose log tells everything it has to tell.
#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_holds_a_private_key_a_secret_or_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let dev = Dev::start(
        &["--data", data],
        &[("SIGNET__LOG__FILTER", "info,signet=trace,signet_server=trace,axum=trace")],
    )
    .await;
    let scopes = [CLIENTS_READ, CLIENTS_WRITE].join(" ");
    let create = ["client", "create", "ops", "--template", "machine", "--scope", &scopes, "--data", data];
    let made = signet(&create).await;
    let http = reqwest::Client::new();
    let issuer = dev.ready["issuer"].as_str().unwrap();
    let form = [("grant_type", "client_credentials"), ("scope", scopes.as_str())];
    let request = http.post(format!("{issuer}/token")).basic_auth("ops", made["client_secret"].as_str());
    let tokens: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let post = |path: &str, body: Value| {
        let request = http.post(format!("{issuer}/admin/v1{path}")).bearer_auth(token).json(&body);
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let body = json!({ "client_id": "c", "settings": { "redirect_uris": ["https://rp.example/cb"] } });
    let client = post("/clients", body).await;
    let pair = post("/clients/c/key-pairs", json!({ "name": "made", "usage": "sig", "kind": "p-256" })).await;
    let jwk: Value = serde_json::from_str(pair["private_key"]["jwk"].as_str().unwrap()).unwrap();
    let pem = pair["private_key"]["pem"].as_str().unwrap().lines().nth(2).unwrap();
    let secret = client["client_secret"].as_str().unwrap();
    let log = dev.log_with("/admin/v1/clients/c/key-pairs").await;
    for hidden in [jwk["d"].as_str().unwrap(), pem, secret, token] {
        assert!(!log.contains(hidden), "{log}");
    }
    dev.terminate().await;
}
