//! Clients that publish their keys: what they are saved with has to work with the set that is there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};
use signet_core::records::{AuditEvent, Role};
use signet_jose::KeyUse;
use signet_server::config::Config;
use signet_store::AuditFilter;
use signet_store_sqlite::SqliteStore;
use signet_tests::admin::Office;
use signet_tests::provider::{Provider, Reply};

use super::conforming::{KEYS, Party, private};

/// The keys of a set, by its name: `all`, `sig`, `enc`, or none.
pub(super) fn keys_of(set: &str) -> Vec<(&'static str, KeyUse, signet_jose::KeySpec)> {
    let has = |usage: KeyUse| set == "all" || set == usage.name();
    KEYS.iter().copied().filter(|(_, usage, _)| has(*usage)).collect()
}

fn answer(set: &str) -> Response {
    if set == "dead" {
        return (StatusCode::SERVICE_UNAVAILABLE, "").into_response();
    }
    let keys: Vec<Value> = keys_of(set)
        .into_iter()
        .map(|(name, usage, spec)| Value::Object(private(name, usage, spec).public_key().to_jwk()))
        .collect();
    let kind = if set == "page" { "text/html" } else { "application/jwk-set+json" };
    ([(header::CONTENT_TYPE, kind)], json!({ "keys": keys }).to_string()).into_response()
}

/// Serves sets by the last part of their address; what stands before it makes addresses differ. `mended` names the set that
/// `changing` is.
pub(super) async fn serve(mended: Arc<Mutex<&'static str>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |Path((_, set)): Path<(String, String)>| async move {
        let now = *mended.lock().unwrap();
        answer(if set == "changing" { now } else { &set })
    };
    let router = Router::new().route("/{client}/{set}", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

fn new(id: &str, uri: &str, more: &Value) -> Value {
    let mut settings =
        json!({ "client_name": id, "redirect_uris": ["https://rp.example/cb"], "jwks_uri": uri });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "client_id": id, "settings": settings })
}

fn codes(reply: &Reply) -> Vec<String> {
    let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
}

fn sealed() -> Value {
    json!({ "id_token": { "signed": "RS256", "encrypted": { "alg": "RSA-OAEP-256", "enc": "A256GCM" } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_key_of_jwks_uri_is_saved_only_if_the_key_is_there() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let base = serve(Arc::default()).await;
    let closed = "https://localhost:1/jwks";
    for (set, settings, expected) in [
        ("all", sealed(), None),
        ("enc", sealed(), None),
        ("sig", sealed(), Some("key_set_without_key")),
        ("empty", sealed(), Some("key_set_without_key")),
        ("dead", sealed(), Some("key_set_unreadable")),
        ("page", sealed(), Some("key_set_unreadable")),
        (closed, sealed(), Some("key_set_unreadable")),
        (closed, json!({ "require_request_object": true }), Some("key_set_unreadable")),
        ("enc", json!({ "require_request_object": true }), Some("key_set_without_signing_key")),
        ("sig", json!({ "token_endpoint_auth_method": "private_key_jwt" }), None),
        // Nothing depends on it.
        ("dead", json!({}), None),
    ] {
        let id = format!("c-{}", office.provider.app.context(0).handle());
        let uri = if set == closed { closed.to_owned() } else { format!("{base}/{id}/{set}") };
        let made = office.call("POST", "/clients", &owner, Some(&new(&id, &uri, &settings))).await;
        match expected {
            None => {
                assert_eq!(made.status, 201, "{set}: {}", made.body);
                Party::new(&id, &made.json(), keys_of(set)).log_in(&office.provider).await;
            }
            Some(code) => {
                assert_eq!(
                    (made.status.as_u16(), codes(&made)),
                    (422, vec![code.to_owned()]),
                    "{}",
                    made.body
                );
                assert!(made.body.contains("jwks_uri"), "{}", made.body);
            }
        }
    }
    // A template that needs keys, and a key set that is not there.
    let mut body = new("template", closed, &json!({}));
    body["template"] = json!("sealed");
    let made = office.call("POST", "/clients", &owner, Some(&body)).await;
    assert_eq!(
        (made.status.as_u16(), codes(&made)),
        (422, vec!["key_set_unreadable".into()]),
        "{}",
        made.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_serves_the_keys_later_saves_the_client_disabled_and_enables_it_then() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let served = Arc::new(Mutex::new("dead"));
    let uri = format!("{}/later/changing", serve(served.clone()).await);
    let mut body = new("later", &uri, &sealed());
    body["disabled"] = json!(true);
    let made = office.call("POST", "/clients", &owner, Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let client = &made.json()["client"];
    assert_eq!(
        (&client["disabled"], &client["contradictions"][0]["code"]),
        (&json!(true), &json!("key_set_unreadable"))
    );
    assert_eq!(
        (&client["key_set"]["keys"], &client["key_set"]["failing"]["code"]),
        (&json!(0), &json!("fetch_status"))
    );
    let enable = |version: &'static str| {
        let (office, owner) = (&office, &owner);
        async move {
            office.call_with("POST", "/clients/later/enable", owner, &[("if-match", version)], None).await
        }
    };
    let refused = enable("\"1\"").await;
    assert_eq!(
        (refused.status.as_u16(), codes(&refused)),
        (422, vec!["key_set_unreadable".into()]),
        "{}",
        refused.body
    );
    *served.lock().unwrap() = "all";
    office.provider.advance(5);
    let enabled = enable("\"1\"").await;
    assert_eq!(enabled.status, 200, "{}", enabled.body);
    let client = &enabled.json()["client"];
    assert_eq!((&client["contradictions"], &client["key_set"]["keys"]), (&json!([]), &json!(KEYS.len())));
    Party::new("later", &made.json(), keys_of("all")).log_in(&office.provider).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_dies_later_is_told_wherever_the_client_is_looked_at() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let served = Arc::new(Mutex::new("all"));
    let uri = format!("{}/dies/changing", serve(served.clone()).await);
    let made = office.call("POST", "/clients", &owner, Some(&new("dies", &uri, &sealed()))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    *served.lock().unwrap() = "dead";
    // Stale, and asked for again behind the scenes: what was read is used, and that it fails is advice.
    office.provider.advance(3600);
    let mut seen = Value::Null;
    for _ in 0..200 {
        seen = office.call("GET", "/clients/dies", &owner, None).await.json();
        if !seen["key_set"]["failing"].is_null() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(
        (&seen["contradictions"], &seen["advice"][0]["code"]),
        (&json!([]), &json!("key_set_failing")),
        "{seen}"
    );
    // A day later nothing of it is used.
    office.provider.advance(90_000);
    let seen = office.call("GET", "/clients/dies", &owner, None).await.json();
    assert_eq!(seen["contradictions"][0]["code"], "key_set_unreadable", "{seen}");
    let preview = office.call("GET", "/clients/dies/preview", &owner, None).await;
    assert!(preview.body.contains("cannot be read (the answer has the status 503)"), "{}", preview.body);
    let health = office.call("GET", "/overview", &owner, None).await.json();
    let failing = &health["clients"]["failing"];
    assert_eq!(
        (&failing[0]["client_id"], &failing[0]["problems"][0]["code"]),
        (&json!("dies"), &json!("key_set_unreadable")),
        "{health}"
    );
    // What changes no setting works all the same: a secret that leaked is replaced.
    let secret =
        office.call_with("POST", "/clients/dies/secret", &owner, &[("if-match", "\"1\"")], None).await;
    assert_eq!(secret.status, 200, "{}", secret.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_on_save_goes_nowhere_where_a_fetch_must_not_and_two_of_one_moment_are_one() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let mut told = Vec::new();
    for uri in [
        "https://169.254.169.254/latest",
        "https://10.0.0.1/jwks",
        "https://[fd00::1]/jwks",
        // RFC 6761 section 6.4: no such name has an address.
        "https://nobody.invalid/jwks",
    ] {
        let made = office.call("POST", "/clients", &owner, Some(&new("scan", uri, &sealed()))).await;
        assert_eq!(
            (made.status.as_u16(), codes(&made)),
            (422, vec!["key_set_unreadable".into()]),
            "{}",
            made.body
        );
        told.push(made.json()["errors"][0]["detail"].as_str().unwrap().replace(uri, ""));
    }
    // Whether an internal name is there is not told, nor of which kind its address is.
    assert!(told[0].contains("no address that may be connected to"), "{told:?}");
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    let served = Arc::new(Mutex::new("dead"));
    let uri = format!("{}/twice/changing", serve(served.clone()).await);
    let body = new("twice", &uri, &sealed());
    assert_eq!(office.call("POST", "/clients?dry_run=true", &owner, Some(&body)).await.status, 422);
    *served.lock().unwrap() = "all";
    assert_eq!(office.call("POST", "/clients?dry_run=true", &owner, Some(&body)).await.status, 422);
    office.provider.advance(signet_core::remote_keys::LOOK_PAUSE);
    let made = office.call("POST", "/clients?dry_run=true", &owner, Some(&body)).await;
    assert!(made.status.is_success(), "{}", made.body);
}

/// Counts connections, and answers none.
async fn silent() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            open.push(stream);
        }
    });
    (base, asked)
}

fn declaration(clients: impl Iterator<Item = (String, String)>) -> Value {
    let clients: Vec<Value> = clients
        .map(|(id, uri)| {
            json!({ "client_id": id, "client_name": id, "redirect_uris": ["https://rp.example/cb"],
            "jwks_uri": uri, "token_endpoint_auth_method": "private_key_jwt" })
        })
        .collect();
    json!({ "version": 1, "clients": clients })
}

async fn unread(office: &Office) -> Vec<AuditEvent> {
    let filter = AuditFilter { limit: 1000, ..AuditFilter::default() };
    let events = office.provider.app.store.audit(&"default".into(), &filter).await.unwrap();
    events.into_iter().filter(|event| event.kind == "client.address_unread").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_has_few_addresses_read_and_none_for_what_it_does_not_change() {
    let office = Office::open().await;
    let developer = office.token_of(Role::Developer).await;
    let (base, asked) = silent().await;
    let many = declaration((0..21).map(|n| (format!("c{n}"), format!("{base}/{n}/all"))));
    let refused = office.call("POST", "/apply?dry_run=true", &developer, Some(&many)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(refused.body.contains("more than 20 addresses"), "{}", refused.body);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    // As many as there may be are read together, and what is unchanged is not read again.
    let served = Arc::new(Mutex::new("all"));
    let base = serve(served.clone()).await;
    let few = declaration((0..20).map(|n| (format!("c{n}"), format!("{base}/{n}/changing"))));
    let applied = office.call("POST", "/apply", &developer, Some(&few)).await;
    assert_eq!(applied.status, 200, "{}", applied.body);
    assert!(unread(&office).await.is_empty());
    *served.lock().unwrap() = "dead";
    office.provider.advance(signet_core::remote_keys::LOOK_PAUSE);
    let more = declaration((0..21).map(|n| (format!("c{n}"), format!("{base}/{n}/changing"))));
    let refused = office.call("POST", "/apply?dry_run=true", &developer, Some(&more)).await;
    assert_eq!(
        (refused.status.as_u16(), codes(&refused)),
        (422, vec!["key_set_unreadable".into()]),
        "{}",
        refused.body
    );
    // The trial wrote nothing but the trace of the one address that it had read.
    let [event] = &unread(&office).await[..] else { panic!("another number of events") };
    assert_eq!(event.client_id.as_ref().unwrap().as_str(), "c20");
    assert_eq!(
        (&event.detail["setting"], &event.detail["reason"]),
        (&json!("jwks_uri"), &json!("fetch_status"))
    );
    assert!(base.ends_with(event.detail["host"].as_str().unwrap()), "{:?}", event.detail);
    assert!(event.actor.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_no_setting_has_no_address_read() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let served = Arc::new(Mutex::new("all"));
    let uri = format!("{}/same/changing", serve(served.clone()).await);
    let made = office.call("POST", "/clients", &owner, Some(&new("same", &uri, &sealed()))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    *served.lock().unwrap() = "dead";
    office.provider.advance(signet_core::remote_keys::LOOK_PAUSE);
    let patch = |settings: Value| {
        let (office, owner) = (&office, &owner);
        async move {
            let body = json!({ "settings": settings });
            let seen = [("if-match", "\"1\"")];
            office.call_with("PATCH", "/clients/same?dry_run=true", owner, &seen, Some(&body)).await
        }
    };
    let same = patch(json!({ "client_name": "same" })).await;
    assert_eq!(same.status, 200, "{}", same.body);
    assert_eq!(same.json()["client"]["key_set"]["failing"], Value::Null);
    assert!(unread(&office).await.is_empty());
    let other = patch(json!({ "client_name": "other" })).await;
    assert_eq!(other.status, 200, "{}", other.body);
    assert_eq!(other.json()["client"]["key_set"]["failing"]["code"], "fetch_status");
    assert_eq!(unread(&office).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_has_few_places_of_their_own_and_takes_none_of_others() {
    let mut config = Config::load(None).unwrap();
    // Longer than any test run.
    config.fetch.timeout_seconds = 3600.try_into().unwrap();
    let store = Arc::new(SqliteStore::ephemeral().await.unwrap());
    let office = Arc::new(Office::of(Provider::with(store, &config).await).await);
    let (greedy, owner) = (office.token_of(Role::Developer).await, office.token_of(Role::Owner).await);
    let (base, asked) = silent().await;
    let dry = |token: &str, id: String, uri: String| {
        let (office, token) = (office.clone(), token.to_owned());
        tokio::spawn(async move {
            office.call("POST", "/clients?dry_run=true", &token, Some(&new(&id, &uri, &sealed()))).await
        })
    };
    let hanging: Vec<_> =
        (0..4).map(|n| dry(&greedy, format!("silent-{n}"), format!("{base}/{n}/all"))).collect();
    while asked.load(Ordering::SeqCst) < 4 {
        assert!(!hanging.iter().any(tokio::task::JoinHandle::is_finished), "given up before it was seen");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // One request more has to wait; it is told so.
    let served = serve(Arc::default()).await;
    let refused = dry(&greedy, "fifth".into(), format!("{served}/fifth/all")).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.json()["code"].clone()), (503, json!("busy")));
    assert_eq!(refused.header("retry-after"), "1");
    // Others look all the same, and a login has the keys of that very host fetched.
    let other = dry(&owner, "other".into(), format!("{served}/other/all")).await.unwrap();
    assert!(other.status.is_success(), "{}", other.body);
    let body = new("login", &format!("{served}/login/all"), &sealed());
    let made = office.call("POST", "/clients", &owner, Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    office.provider.advance(signet_core::remote_keys::DEFAULT_AGE + signet_core::remote_keys::STALE_IF_ERROR);
    Party::new("login", &made.json(), keys_of("all")).log_in(&office.provider).await;
    assert!(!hanging.iter().any(tokio::task::JoinHandle::is_finished), "the places were free again");
    for look in hanging {
        look.abort();
    }
}
