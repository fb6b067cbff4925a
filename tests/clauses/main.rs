//! Clauses that certification does not look at and the standards require: those that no other test has. docs/CLAUSES.md
//! lists all of them; the numbers at the end of a name are its.
#![expect(clippy::unwrap_used, reason = "tests")]

mod keys;
mod objects;
mod responses;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Map, Value, json};
use signet_core::records::{RegistrationPolicy, TenantSettings};
use signet_jose::{KeySpec, KeyUse, PrivateKey};
use signet_tests::provider::{ISSUER, Provider, Reply};
use signet_tests::rp::Rp;
use signet_tests::{craft, key};

/// A provider where anybody may register, with other settings changed.
async fn provider(change: impl FnOnce(&mut TenantSettings)) -> Provider {
    let provider = Provider::start().await;
    let mut settings = TenantSettings { registration: RegistrationPolicy::Open, ..TenantSettings::default() };
    change(&mut settings);
    provider.tenant("default", ISSUER, settings).await;
    provider
}

/// A key as its owner publishes it.
fn published(key: &PrivateKey) -> Value {
    Value::Object(key.public_key().to_jwk())
}

fn ec(kid: &str) -> PrivateKey {
    key(KeySpec::P256).clone().with_kid(kid).with_use(KeyUse::Sig)
}

/// Asks to be registered, with an RSA and an EC key for signatures; `more` replaces.
async fn register(provider: &Provider, more: Value) -> Reply {
    let rsa = Rp::new("rp").signing;
    let mut body = json!({
        "client_name": "Shop",
        "redirect_uris": ["https://rp.example/callback"],
        "jwks": { "keys": [published(&rsa), published(&ec("ec"))] },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = Request::post("/register").header(header::CONTENT_TYPE, "application/json");
    provider.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// A client that registered itself, and what it was told.
async fn registered(provider: &Provider, more: Value) -> (Rp, Value) {
    let reply = register(provider, more).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
    let info = reply.json();
    (Rp { id: info["client_id"].as_str().unwrap().to_owned(), ..Rp::new("rp") }, info)
}

/// The error of a registration that is refused.
async fn unregistered(provider: &Provider, more: Value) -> String {
    let reply = register(provider, more).await;
    assert_eq!(reply.status.as_u16(), 400, "{}", reply.body);
    reply.json()["error"].as_str().unwrap().to_owned()
}

fn claims(provider: &Provider, rp: &Rp) -> Map<String, Value> {
    rp.claims(ISSUER, provider.now(), None)
}

/// Good claims without a signature (RFC 7518 section 3.6).
fn unsigned(claims: &Map<String, Value>) -> String {
    format!("{}.{}.", craft::b64(br#"{"alg":"none"}"#), craft::b64(craft::json(claims)))
}

/// What becomes of a request with this object: nothing if it is accepted, else the reason.
async fn verdict(provider: &Provider, rp: &Rp, object: &str) -> Option<String> {
    let reply = provider.authorize(rp, &[("request", object)], None).await;
    if reply.location().contains("/interaction/") {
        return None;
    }
    assert_eq!(reply.location_param("error").as_deref(), Some("invalid_request_object"), "{}", reply.body);
    Some(provider.reason(&reply).await)
}

const ALG: Option<&str> = Some("jws_algorithm_not_allowed");
