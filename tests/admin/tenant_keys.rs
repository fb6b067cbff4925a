//! The tenant's keys over the interface, by clients that an operator gave the scope.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use signet_core::records::GrantType;
use signet_tests::provider::{Provider, Reply};
use signet_tests::rp::Rp;

/// A client that acts for itself and holds these scopes.
async fn operator(provider: &Provider, id: &str, scopes: &[&str]) -> Rp {
    let rp = Rp::new(id);
    let mut declaration = rp.declaration();
    declaration.settings.grant_types.insert(GrantType::ClientCredentials);
    declaration.settings.scope.extend(scopes.iter().map(|scope| (*scope).to_owned()));
    provider.register(&declaration).await;
    rp
}

async fn token(provider: &Provider, rp: &Rp, scope: &str) -> String {
    let pairs = [("grant_type", "client_credentials"), ("scope", scope)];
    let reply = provider.call("/token", &[("authorization", &rp.basic())], &pairs).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

async fn call(provider: &Provider, method: &str, path: &str, token: Option<&str>, body: &str) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if !body.is_empty() || method == "POST" {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    provider.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn ids(keys: &Value, usage: &str) -> Vec<String> {
    let of_usage = |key: &&Value| key["usage"] == usage;
    keys["keys"].as_array().unwrap().iter().filter(of_usage).map(|key| key["id"].to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_over_http_and_the_next_jwks_has_them() {
    let provider = Provider::start().await;
    let rp = operator(&provider, "ops", &["signet:keys.read", "signet:keys.write"]).await;
    let (read, write) =
        (token(&provider, &rp, "signet:keys.read").await, token(&provider, &rp, "signet:keys.write").await);
    let before = call(&provider, "GET", "/admin/v1/keys", Some(&read), "").await;
    assert_eq!(
        (before.status.as_u16(), before.header("cache-control")),
        (200, "no-store"),
        "{}",
        before.body
    );
    assert!(!before.body.contains("\"d\""), "{}", before.body);
    let published = provider.jwks().await["keys"].as_array().unwrap().len();

    let rotated = call(&provider, "POST", "/admin/v1/keys/rotate", Some(&write), r#"{"usage":"sig"}"#).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let (old, new) = (before.json(), rotated.json());
    assert!(ids(&new, "sig").len() > ids(&old, "sig").len());
    assert!(ids(&old, "sig").iter().all(|id| ids(&new, "sig").contains(id)), "the old keys stay published");
    assert_eq!(ids(&new, "enc"), ids(&old, "enc"));
    // A-111: published before they are used, beside the old ones.
    assert!(provider.jwks().await["keys"].as_array().unwrap().len() > published);
    let event = provider.event(&rotated).await;
    assert_eq!((event.kind.as_str(), &event.detail["usage"]), ("tenant_key.rotated", &json!("sig")));

    // Asking twice does no more than asking once.
    let again = call(&provider, "POST", "/admin/v1/keys/rotate", Some(&write), r#"{"usage":"sig"}"#).await;
    assert_eq!(ids(&again.json(), "sig"), ids(&new, "sig"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_sees_or_rotates_keys() {
    let provider = Provider::start().await;
    let rp = operator(&provider, "ops", &["signet:keys.read"]).await;
    let read = token(&provider, &rp, "signet:keys.read").await;
    let rotate = |token: Option<String>, body: &'static str| {
        let provider = &provider;
        async move { call(provider, "POST", "/admin/v1/keys/rotate", token.as_deref(), body).await }
    };
    let body = r#"{"usage":"sig"}"#;
    assert_eq!(rotate(None, body).await.status, 401);
    assert_eq!(rotate(Some("sgn_at_x".into()), body).await.status, 401);
    let lacking = rotate(Some(read.clone()), body).await;
    assert!(lacking.status == 403 && lacking.header("www-authenticate").contains("insufficient_scope"));
    assert_eq!(provider.reason(&lacking).await, "admin_scope_missing");

    // The operator takes the scope back: the token that is still alive opens nothing any more.
    operator(&provider, "ops", &[]).await;
    assert_eq!(call(&provider, "GET", "/admin/v1/keys", Some(&read), "").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_body_is_told_and_changes_nothing() {
    let provider = Provider::start().await;
    let rp = operator(&provider, "ops", &["signet:keys.write"]).await;
    let write = token(&provider, &rp, "signet:keys.write").await;
    let before = provider.jwks().await;
    for body in ["", "{}", "[]", r#"{"usage":"both"}"#, r#"{"usage":"sig","x":1}"#, "\u{0}"] {
        let reply = call(&provider, "POST", "/admin/v1/keys/rotate", Some(&write), body).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["code"]),
            (400, &json!("admin_body_malformed")),
            "{body}"
        );
    }
    assert_eq!(provider.jwks().await, before);
}
