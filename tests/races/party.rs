//! A client application of the site under test, with everything it needs to make request objects.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use signet_jose::{ContentAlg, KeyAlg, KeyUse, PrivateKey, SigAlg};
use signet_server::edge::Clock;
use signet_tests::rp::{Rp, SECRET, seal};

/// The system's clock, which the nodes read too.
pub(crate) fn now() -> i64 {
    Clock::system().now()
}

/// A client application.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) rp: Rp,
    pub(crate) secret: String,
    /// Whether its objects are encrypted after they were signed.
    pub(crate) sealed: bool,
    alg: SigAlg,
    issuer: String,
    /// The provider's published keys.
    jwks: Value,
}

/// The claims that matter here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a> {
    pub(crate) jti: &'a str,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
}

impl Party {
    /// A client that the test registers itself.
    pub(crate) fn own(id: &str, sealed: bool, issuer: &str, jwks: &Value) -> Self {
        let (secret, alg) = (SECRET.to_owned(), SigAlg::RS256);
        Self { rp: Rp::new(id), secret, sealed, alg, issuer: issuer.to_owned(), jwks: jwks.clone() }
    }

    /// The sealed client that `signet dev` brings along, from its ready line.
    pub(crate) fn demo(ready: &Value, issuer: &str, jwks: &Value) -> Self {
        let clients = ready["clients"].as_array().unwrap();
        let client = clients.iter().find(|client| client["client_id"] == "demo-sealed").unwrap();
        let key = |name: &str| PrivateKey::from_jwk(&client[name].to_string()).unwrap();
        let rp = Rp {
            id: "demo-sealed".into(),
            redirect_uri: "http://localhost/callback".into(),
            signing: key("signing_key").with_use(KeyUse::Sig),
            encryption: key("encryption_key").with_use(KeyUse::Enc),
        };
        let secret = client["client_secret"].as_str().unwrap().to_owned();
        Self { rp, secret, sealed: true, alg: SigAlg::ES256, issuer: issuer.to_owned(), jwks: jwks.clone() }
    }

    /// Its registration as `signet apply` reads it. People are not asked for consent, and codes live long enough for a
    /// slow machine.
    pub(crate) fn declaration(&self) -> Value {
        let mut declared = if self.sealed { self.rp.sealed_declaration() } else { self.rp.declaration() };
        declared.settings.require_request_object = true;
        declared.settings.require_jti = true;
        declared.settings.require_consent = false;
        declared.settings.lifetimes.code = 600;
        declared.settings.lifetimes.access_token = 3_600;
        let mut value = serde_json::to_value(declared).unwrap();
        value["secret"] = json!(self.secret);
        value
    }

    /// Signs, and seals if this party does.
    pub(crate) fn object(&self, object: Object<'_>) -> String {
        let signed = self.signed(object);
        if self.sealed { self.seal(&signed) } else { signed }
    }

    /// The signed object alone.
    pub(crate) fn signed(&self, object: Object<'_>) -> String {
        let mut claims = self.rp.claims(&self.issuer, object.iat, Some(object.jti));
        claims.insert("exp".into(), json!(object.exp));
        let signer = self.rp.signing.signer(self.alg).unwrap();
        signer.sign(Some("oauth-authz-req+jwt"), &serde_json::to_vec(&claims).unwrap()).unwrap()
    }

    /// Encrypts to the provider.
    pub(crate) fn seal(&self, content: &str) -> String {
        seal(&self.jwks, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, content.as_bytes())
    }

    /// A new object with its usual life, with a `jti` of its own or the given one.
    pub(crate) fn fresh(&self, jti: Option<&str>) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let own = format!("jti-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let iat = now();
        self.object(Object { jti: jti.unwrap_or(&own), iat, exp: iat + 600 })
    }
}
