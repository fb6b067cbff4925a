//! Tenants over the interface: made by owners of the one that looks after the installation, and each for itself.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use signet_core::ids::TokenHash;
use signet_core::records::{LinkPurpose, Role, TenantSettings};
use signet_tests::admin::Office;
use signet_tests::provider::ISSUER;

use super::clients::{code, new};

async fn operated() -> (Office, String) {
    let office = Office::open().await;
    let settings = TenantSettings { operator: true, ..TenantSettings::default() };
    office.provider.tenant("default", ISSUER, settings).await;
    let owner = office.token_of(Role::Owner).await;
    (office, owner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_comes_with_keys_and_an_owner_who_is_invited() {
    let (office, owner) = operated().await;
    let issuer = "https://id.example/auth/acme";
    let body = json!({ "id": "acme", "issuer": issuer, "name": "Acme",
                       "owner": { "username": "Olivia", "claims": { "name": "Olivia Owner" } } });
    let dry = office.call("POST", "/tenants?dry_run=true", &owner, Some(&body)).await;
    assert_eq!((dry.status.as_u16(), dry.json()["invitation"].is_null()), (200, true), "{}", dry.body);
    let keyed = [("idempotency-key", "acme")];
    let made = office.call_with("POST", "/tenants", &owner, &keyed, Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let again = office.call_with("POST", "/tenants", &owner, &keyed, Some(&body)).await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed")),
        (200, "true"),
        "{}",
        again.body
    );
    assert!(again.json().get("invitation").is_none());
    assert_eq!(code(&office.call("POST", "/tenants", &owner, Some(&body)).await).0, 409);

    let link = made.json()["invitation"].as_str().unwrap().to_owned();
    assert!(link.starts_with(&format!("{issuer}/account/link?token=")), "{link}");
    let secret = link.split("token=").nth(1).unwrap();
    let store = &office.provider.app.store;
    let stored = store.user_link(&"acme".into(), &TokenHash::of(secret)).await.unwrap().unwrap();
    let user = store.user(&"acme".into(), stored.user_id).await.unwrap().unwrap();
    assert_eq!(
        (user.username.as_str(), user.role, stored.purpose),
        ("olivia", Some(Role::Owner), LinkPurpose::Invitation)
    );
    let request = Request::get("/auth/acme/jwks").header("host", "id.example").body(Body::empty()).unwrap();
    let jwks = office.provider.raw(request).await;
    assert!(jwks.json()["keys"].as_array().unwrap().len() >= 3, "{}", jwks.body);

    let page = office.call("GET", "/tenants?limit=1", &owner, None).await.json();
    assert_eq!((&page["items"][0]["id"], &page["next"]), (&json!("acme"), &json!("acme")));
    let page = office.call("GET", "/tenants?limit=1&after=acme", &owner, None).await.json();
    assert_eq!((&page["items"][0]["operator"], &page["next"]), (&json!(true), &json!(null)));
    let bad = json!({ "id": "No", "issuer": "ftp://x", "owner": { "username": "a b" } });
    let refused = office.call("POST", "/tenants", &owner, Some(&bad)).await;
    assert_eq!(code(&refused).0, 422, "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_nothing_of_another() {
    let (office, owner) = operated().await;
    let provider = &office.provider;
    let tenant = provider.tenant("second", "https://id.example/auth/second", TenantSettings::default()).await;
    let mut declaration = signet_tests::rp::Rp::new("theirs").declaration();
    declaration.settings.client_name = "Secret project".into();
    provider.provisioner().client(&tenant, &declaration).await.unwrap();
    let list = office.call("GET", "/clients?limit=100", &owner, None).await;
    assert!(!list.body.contains("theirs") && !list.body.contains("Secret project"));
    for (method, path) in
        [("GET", "/clients/theirs"), ("GET", "/clients/theirs/keys"), ("DELETE", "/clients/theirs")]
    {
        let reply = office.call_with(method, path, &owner, &[("if-match", "\"1\"")], None).await;
        assert_eq!(code(&reply), (404, "admin_record_missing".into()), "{method} {path}");
    }
    // The same name means another client here.
    let made = office.call("POST", "/clients", &owner, Some(&new("theirs"))).await;
    assert_eq!(made.status, 201);
    let kept = provider.app.store.client(&"second".into(), &"theirs".into()).await.unwrap().unwrap();
    assert_eq!((kept.settings.client_name.as_str(), kept.version), ("Secret project", 1));
}
