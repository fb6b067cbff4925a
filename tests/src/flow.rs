//! The code flow from end to end, one call for each step.

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use signet_core::records::AuditEvent;
use signet_store::AuditFilter;

use crate::provider::{Browser, Provider, Reply, form};
use crate::rp::{Rp, SECRET, VERIFIER};

/// RFC 7617 section 2.
pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

impl Rp {
    /// Its own HTTP Basic credentials.
    pub fn basic(&self) -> String {
        basic(&self.id, SECRET)
    }

    /// The form that redeems `code`.
    pub fn redemption(&self, code: &str) -> Vec<(String, String)> {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", VERIFIER),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// The parameters of a good request with `client_id`, and with `changes`: a value replaces or adds, an empty one
    /// removes.
    pub fn request(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut all = self.parameters();
        all.push(("client_id".into(), self.id.clone()));
        changed(all, changes)
    }
}

/// Parameters with `changes`: a value replaces or adds, an empty one removes.
pub fn changed(mut all: Vec<(String, String)>, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        if !value.is_empty() {
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    all
}

/// Form encoding of owned pairs.
pub fn encode(pairs: &[(String, String)]) -> String {
    form(&pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
}

impl Provider {
    /// Sends a request with plain parameters by GET.
    pub async fn authorize(&self, rp: &Rp, changes: &[(&str, &str)], browser: Option<&mut Browser>) -> Reply {
        self.get(&format!("/authorize?{}", encode(&rp.request(changes))), browser).await
    }

    /// A code for the user, in a browser that may be signed in already.
    pub async fn code(&self, rp: &Rp, changes: &[(&str, &str)], browser: &mut Browser) -> String {
        let accepted = self.authorize(rp, changes, Some(browser)).await;
        let back = self.sign_in(&accepted, browser).await;
        back.location_param("code").unwrap_or_else(|| panic!("no code in {}", back.location()))
    }

    /// Sends a form to the token endpoint.
    pub async fn token(&self, authorization: Option<&str>, pairs: &[(String, String)]) -> Reply {
        let mut request =
            Request::post("/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(request.body(Body::from(encode(pairs))).unwrap()).await
    }

    /// Sends a form to an endpoint that clients call themselves.
    pub async fn call(&self, path: &str, headers: &[(&str, &str)], pairs: &[(&str, &str)]) -> Reply {
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form(pairs))).unwrap()).await
    }

    /// Sends a refresh token to the token endpoint, with more parameters.
    pub async fn refresh(&self, rp: &Rp, token: &str, more: &[(&str, &str)]) -> Reply {
        let pairs = [&[("grant_type", "refresh_token"), ("refresh_token", token)], more].concat();
        self.call("/token", &[("authorization", &rp.basic())], &pairs).await
    }

    /// A token response for the user, in a browser that may be signed in already.
    pub async fn tokens(&self, rp: &Rp, changes: &[(&str, &str)], browser: &mut Browser) -> Value {
        let code = self.code(rp, changes, browser).await;
        let reply = self.token(Some(&rp.basic()), &rp.redemption(&code)).await;
        assert!(reply.status.is_success(), "{}", reply.body);
        reply.json()
    }

    /// Asks for UserInfo with `Authorization: Bearer`.
    pub async fn userinfo(&self, access_token: &str) -> Reply {
        let request =
            Request::get("/userinfo").header(header::AUTHORIZATION, format!("Bearer {access_token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// The audit event of the first tenant that tells of this reply's request: under its own id, or under that of the
    /// login it belongs to.
    pub async fn event(&self, reply: &Reply) -> AuditEvent {
        let filter = AuditFilter { limit: 1000, ..AuditFilter::default() };
        let events = self.app.store.audit(&"default".into(), &filter).await.unwrap();
        let id = reply.correlation_id();
        let known = |event: &AuditEvent| {
            event.correlation_id == id || event.detail.get("request").is_some_and(|request| request == id)
        };
        events.into_iter().find(known).unwrap_or_else(|| panic!("no event of {id}"))
    }

    /// The reason code of [`Provider::event`].
    pub async fn reason(&self, reply: &Reply) -> String {
        self.event(reply).await.reason.unwrap_or_default()
    }

    /// The reason codes in the audit trail of one correlation id, newest first.
    pub async fn reasons(&self, correlation_id: &str) -> Vec<String> {
        self.audit(correlation_id).await.into_iter().filter_map(|event| event.reason).collect()
    }
}
