//! Clients that register themselves: RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0.
#![expect(clippy::unwrap_used, reason = "tests")]

mod abuse;
mod documents;
mod life;
mod policy;
mod sector;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use signet_core::records::{RegistrationPolicy, TenantSettings};
use signet_tests::provider::{ISSUER, Provider, Reply};

/// Where responses of the clients made here go.
const CALLBACK: &str = "https://rp.example/callback";

/// A provider where `policy` says who may register.
async fn provider(policy: RegistrationPolicy) -> Provider {
    let provider = Provider::start().await;
    settings(&provider, TenantSettings { registration: policy, ..TenantSettings::default() }).await;
    provider
}

async fn open() -> Provider {
    provider(RegistrationPolicy::Open).await
}

async fn settings(provider: &Provider, settings: TenantSettings) {
    provider.tenant("default", ISSUER, settings).await;
}

/// Good metadata with `more` on top; null removes.
fn metadata(more: &Value) -> Value {
    let mut all = json!({ "client_name": "Shop", "redirect_uris": [CALLBACK] });
    let map = all.as_object_mut().unwrap();
    map.extend(more.as_object().unwrap().clone());
    map.retain(|_, value| !value.is_null());
    all
}

/// A request with a JSON body and a bearer token.
fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    match body {
        Some(body) => {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        }
        None => request.body(Body::empty()),
    }
    .unwrap()
}

async fn register(provider: &Provider, more: Value) -> Reply {
    provider.send(request("POST", "/register", None, Some(&metadata(&more)))).await
}

/// A client that was registered, with its address below the issuer and its token.
struct Known {
    info: Value,
    path: String,
    token: String,
}

impl Known {
    async fn new(provider: &Provider, more: Value) -> Self {
        let reply = register(provider, more).await;
        assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
        let info = reply.json();
        let text = |name: &str| info[name].as_str().unwrap().to_owned();
        let path = text("registration_client_uri").strip_prefix(ISSUER).unwrap().to_owned();
        Self { path, token: text("registration_access_token"), info }
    }

    fn id(&self) -> &str {
        self.info["client_id"].as_str().unwrap()
    }

    async fn get(&self, provider: &Provider) -> Reply {
        provider.send(request("GET", &self.path, Some(&self.token), None)).await
    }

    async fn put(&self, provider: &Provider, more: Value) -> Reply {
        let mut body = metadata(&more);
        body["client_id"] = self.info["client_id"].clone();
        provider.send(request("PUT", &self.path, Some(&self.token), Some(&body))).await
    }

    async fn delete(&self, provider: &Provider) -> Reply {
        provider.send(request("DELETE", &self.path, Some(&self.token), None)).await
    }
}

/// Status and error code of a refusal, which is never kept by caches.
fn refusal(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.header("cache-control"), "no-store");
    let error = serde_json::from_str::<Value>(&reply.body).ok();
    let error = error.and_then(|body| body["error"].as_str().map(str::to_owned));
    (reply.status.as_u16(), error.unwrap_or_default())
}
