//! The tenant, its registration tokens and the audit trail over the interface; scopes at the authorization endpoint.

use serde_json::json;
use signet_core::admin::{CLIENTS_READ, KEYS_WRITE};
use signet_core::change::Change;
use signet_core::records::{Role, User};
use signet_tests::admin::{OPS, Office};
use signet_tests::provider::{Browser, USER};
use signet_tests::rp::Rp;

use super::clients::{code, new};

#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_is_changed_by_who_saw_it_and_its_flags_stay() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let shown = office.call("GET", "/tenant", &owner, None).await;
    assert_eq!(shown.header("etag"), "\"1\"", "{}", shown.body);
    assert!(!shown.body.contains("salt"));
    let mut settings = shown.json()["settings"].clone();
    settings["branding"]["name"] = json!("Example");
    settings["signing_algs"] = json!(["RS256", "ES256", "EdDSA", "ES384"]);
    let seen = [("if-match", "\"1\"")];
    let body = json!({ "settings": settings });
    let changed = office.call_with("PUT", "/tenant", &owner, &seen, Some(&body)).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.body);
    // New algorithms have keys at once.
    let algs = office.provider.jwks().await.to_string();
    assert!(algs.contains("ES384"));
    let stale = office.call_with("PUT", "/tenant", &owner, &seen, Some(&body)).await;
    assert_eq!((code(&stale).0, &stale.json()["current_version"]), (412, &json!(2)));
    for flag in ["operator", "development"] {
        let mut settings = settings.clone();
        settings[flag] = json!(true);
        let body = json!({ "settings": settings });
        let reply = office.call_with("PUT", "/tenant", &owner, &[("if-match", "\"2\"")], Some(&body)).await;
        assert_eq!(reply.json()["errors"][0]["code"], "setting_fixed", "{}", reply.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registration_tokens_are_made_once_and_removed() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let body = json!({ "name": "partners", "uses": 2 });
    let keyed = [("idempotency-key", "t")];
    let made = office.call_with("POST", "/registration-tokens", &owner, &keyed, Some(&body)).await;
    assert!(made.json()["initial_access_token"].as_str().unwrap().starts_with("sgn_"), "{}", made.body);
    let again = office.call_with("POST", "/registration-tokens", &owner, &keyed, Some(&body)).await;
    assert!(again.json()["replayed"] == true && again.json().get("initial_access_token").is_none());
    assert_eq!(code(&office.call("POST", "/registration-tokens", &owner, Some(&body)).await).0, 409);
    for (bad, wanted) in [
        (json!({ "name": "" }), "token_name"),
        (json!({ "name": "x", "uses": 0 }), "token_uses"),
        (json!({ "name": "x", "expires_at": 5 }), "token_expires"),
    ] {
        let reply = office.call("POST", "/registration-tokens", &owner, Some(&bad)).await;
        assert_eq!(reply.json()["errors"][0]["code"], wanted, "{}", reply.body);
    }
    let gone = office.call("DELETE", "/registration-tokens/partners", &owner, None).await;
    assert_eq!(gone.status, 200, "{}", gone.body);
    assert_eq!(office.call("DELETE", "/registration-tokens/partners", &owner, None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_requests_story_is_found_by_its_reference() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let made = office.call("POST", "/clients", &owner, Some(&new("c"))).await;
    let story =
        office.call("GET", &format!("/audit/stories/{}", made.correlation_id()), &owner, None).await.json();
    assert_eq!(story["events"][0]["kind"], "client.created");
    let (mut ids, mut path) = (Vec::new(), "/audit?client_id=c&limit=1".to_owned());
    office.provider.advance(1);
    office.call_with("POST", "/clients/c/disable", &owner, &[("if-match", "\"1\"")], None).await;
    loop {
        let page = office.call("GET", &path, &owner, None).await.json();
        ids.extend(
            page["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/audit?client_id=c&limit=1&after={next}");
    }
    assert_eq!(ids, ["client.updated", "client.created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_administrative_scopes_as_far_as_their_role_goes() {
    let office = Office::open().await;
    let provider = &office.provider;
    let rp = Rp::new(OPS);
    let scope = format!("openid {CLIENTS_READ} {KEYS_WRITE}");
    let pairs = [("scope", scope.as_str())];
    let refused = provider.authorize(&rp, &pairs, None).await;
    let back = provider.sign_in(&refused, &mut Browser::default()).await;
    assert_eq!(back.location_param("error").as_deref(), Some("access_denied"), "{}", back.location());
    assert_eq!(provider.reason(&refused).await, "admin_role_needed");

    let tenant = "default".into();
    let alice = provider.app.store.user_by_name(&tenant, USER.0).await.unwrap().unwrap();
    let auditor = User { role: Some(Role::Auditor), version: alice.version + 1, ..alice };
    provider.app.store.apply(&tenant, &[Change::UpdateUser(auditor)]).await.unwrap();
    let tokens = provider.tokens(&rp, &pairs, &mut Browser::default()).await;
    assert_eq!(tokens["scope"], format!("openid {CLIENTS_READ}"));
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(office.call("GET", "/clients", token, None).await.status, 200);
    assert_eq!(office.call("GET", "/keys", token, None).await.status, 403);
    // For a client that was not given them they do not exist.
    let plain = Rp::new("plain");
    provider.register(&plain.declaration()).await;
    let tokens = provider.tokens(&plain, &pairs, &mut Browser::default()).await;
    assert_eq!(tokens["scope"], "openid");
}
