//! Clients that publish their keys: what they are saved with has to work with the set that is there.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};
use signet_core::records::Role;
use signet_jose::KeyUse;
use signet_tests::admin::Office;
use signet_tests::provider::Reply;

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
    for uri in ["https://169.254.169.254/latest", "https://10.0.0.1/jwks", "https://[fd00::1]/jwks"] {
        let made = office.call("POST", "/clients", &owner, Some(&new("scan", uri, &sealed()))).await;
        assert_eq!(
            (made.status.as_u16(), codes(&made)),
            (422, vec!["key_set_unreadable".into()]),
            "{}",
            made.body
        );
        assert!(made.body.contains("must not be connected to"), "{}", made.body);
    }
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
