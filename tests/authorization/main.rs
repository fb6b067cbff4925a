//! The authorization endpoint with plain parameters, and what every answer of the server has in common
//! (RFC 6749 sections 3.1 and 4.1, OpenID Connect Core section 3.1.2).
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod destinations;
mod headers;
mod jarm;
mod limits;
mod parameters;
mod response_modes;
mod response_types;
mod tenants;

use axum::body::Body;
use axum::http::{Request, header};
use signet_core::records::{ApplicationType, ClientAuthMethod};
use signet_tests::provider::{Provider, Reply};
use signet_tests::rp::Rp;

/// A provider with clients `rp` (usual), `relaxed` (PKCE is its choice) and `native`.
async fn start() -> Provider {
    let provider = Provider::start().await;
    provider.register(&Rp::new("rp").declaration()).await;
    let mut relaxed = Rp::new("relaxed").declaration();
    relaxed.settings.require_pkce = false;
    provider.register(&relaxed).await;
    let mut native = Rp::new("native").declaration();
    native.secret = None;
    native.settings.token_endpoint_auth_method = ClientAuthMethod::None;
    native.settings.application_type = ApplicationType::Native;
    native.settings.redirect_uris =
        ["http://127.0.0.1/cb", "http://[::1]:8080/cb", "http://localhost/cb", "com.example.app:/cb"]
            .map(String::from)
            .into();
    provider.register(&native).await;
    let mut disabled = Rp::new("disabled").declaration();
    disabled.disabled = true;
    provider.register(&disabled).await;
    provider
}

/// The same parameters by GET and by POST; the answers agree.
async fn both(provider: &Provider, encoded: &str) -> Reply {
    let by_get = provider.get(&format!("/authorize?{encoded}"), None).await;
    let by_post = provider.post("/authorize", encoded.to_owned(), None).await;
    assert_eq!(by_get.status, by_post.status, "{encoded}");
    let general = |reply: &Reply| reply.location().split("/interaction/").next().unwrap().to_owned();
    assert_eq!(general(&by_get), general(&by_post), "{encoded}");
    let reasons = provider.reasons(by_get.correlation_id()).await;
    assert_eq!(reasons, provider.reasons(by_post.correlation_id()).await, "{encoded}");
    by_get
}

/// The stored request behind an accepting reply.
async fn stored(provider: &Provider, reply: &Reply) -> signet_core::authorize::AuthorizationRequest {
    let id = reply.location().rsplit_once("/interaction/").unwrap_or_else(|| panic!("{reply:?}")).1;
    provider.app.store.interaction(&"default".into(), id).await.unwrap().unwrap().request
}

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

fn form_request(path: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header(header::CONTENT_TYPE, kind).body(body.into()).unwrap()
}
