//! A provider with two tenants and the clients that the rows need.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Map, Value, json};
use signet_core::ids::TenantId;
use signet_core::provision::{ClientDeclaration, KeyDeclaration};
use signet_core::records::{Interaction, RequestObjectParameters, TenantSettings};
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, PrivateKey, SigAlg};
use signet_store::AuditFilter;
use signet_tests::flow::encode;
use signet_tests::provider::{ISSUER, Provider, Reply};
use signet_tests::rp::{Rp, seal};
use signet_tests::{craft, key};

/// One of the two tenants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) id: &'static str,
    pub(crate) issuer: &'static str,
}

/// The first tenant: default settings.
pub(crate) const OPEN: Place = Place { id: "default", issuer: ISSUER };
/// The second: `client_id` may stand in the object alone, and objects older than an hour are refused.
pub(crate) const ACME: Place = Place { id: "acme", issuer: "https://id.example/acme" };

/// By which method a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

/// A request: the parameters, and those that always stand in the query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
}

pub(crate) struct Bench {
    pub(crate) provider: Provider,
    pub(crate) jwks: Value,
}

/// Where good objects of a client send the answer, and where rows that stand beside the object send it.
pub(crate) fn inside_uri(id: &str) -> String {
    format!("https://{id}.example/inside")
}

/// The key of a client that has another than the usual one.
pub(crate) fn signing_key(id: &str) -> (PrivateKey, SigAlg) {
    match id {
        "es256" => (key(KeySpec::P256).clone().with_kid("sig"), SigAlg::ES256),
        "other" => (key(KeySpec::Rsa3072).clone().with_kid("sig"), SigAlg::RS256),
        _ => (key(KeySpec::Rsa2048).clone().with_kid("sig"), SigAlg::RS256),
    }
}

/// A key that belongs to nobody's `sig`.
pub(crate) fn foreign_key() -> &'static PrivateKey {
    key(KeySpec::Rsa3072)
}

fn declared(name: &str, key: &PrivateKey) -> KeyDeclaration {
    KeyDeclaration {
        name: name.into(),
        usage: KeyUse::Sig,
        source: Value::Object(key.public_key().clone().with_kid(name).with_use(KeyUse::Sig).to_jwk()),
        not_before: None,
        not_after: None,
        origin: None,
    }
}

fn client(id: &str) -> ClientDeclaration {
    let mut declaration = Rp::new(id).declaration();
    declaration.settings.redirect_uris.push(inside_uri(id));
    declaration.keys[0] = declared("sig", &signing_key(id).0);
    declaration
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let provider = Provider::start().await;
        let settings = TenantSettings {
            request_object_max_age: 3600,
            client_id_in_object_only: true,
            ..TenantSettings::default()
        };
        provider.tenant(ACME.id, ACME.issuer, settings).await;
        let bench = Self { jwks: Value::Null, provider };
        bench.clients().await;
        let jwks = bench.raw(OPEN, Request::get("/jwks").body(Body::empty()).unwrap()).await.json();
        Self { jwks, ..bench }
    }

    async fn clients(&self) {
        for id in ["rp", "other"] {
            self.register(OPEN, &client(id)).await;
            self.register(ACME, &client(id)).await;
        }
        let mut jti = client("jti");
        jti.settings.require_jti = true;
        let mut object = client("object");
        object.settings.require_request_object = true;
        let mut sealed = client("sealed");
        sealed.settings.require_encrypted_request_object = true;
        sealed.settings.require_request_object = true;
        let mut es256 = client("es256");
        es256.settings.request_object_signing_algs = [SigAlg::ES256].into();
        es256.keys.push(declared("rsa", key(KeySpec::Rsa2048)));
        let mut overrides = client("overrides");
        overrides.settings.request_object_parameters = RequestObjectParameters::ObjectOverrides;
        let mut keyless = client("keyless");
        keyless.keys.remove(0);
        let mut disabled = client("disabled");
        disabled.disabled = true;
        for declaration in [&jti, &object, &sealed, &es256, &overrides, &keyless, &disabled] {
            self.register(OPEN, declaration).await;
        }
        self.periods().await;
    }

    /// Two clients with keys that ended: one has a good key too.
    async fn periods(&self) {
        let now = self.provider.now();
        let mut old = declared("old", foreign_key());
        old.not_after = Some(now + 10);
        let mut coming = declared("coming", key(KeySpec::Rsa4096));
        coming.not_before = Some(now + 86_400);
        let revoked = declared("revoked", key(KeySpec::P384));
        let mut ended = client("ended");
        ended.keys = vec![old.clone()];
        self.register(OPEN, &ended).await;
        let mut periods = client("periods");
        periods.keys = vec![periods.keys[0].clone(), old, coming, revoked];
        self.register(OPEN, &periods).await;
        periods.keys.pop();
        periods.prune_keys = true;
        self.register(OPEN, &periods).await;
        self.provider.advance(20);
    }

    async fn register(&self, place: Place, declaration: &ClientDeclaration) {
        let id = TenantId::from(place.id);
        let tenants = self.provider.app.store.tenants().await.unwrap();
        let tenant = tenants.into_iter().find(|tenant| tenant.id == id).unwrap();
        self.provider.provisioner().client(&tenant, declaration).await.unwrap();
    }

    /// Sends a request to a tenant's endpoint.
    pub(crate) async fn raw(&self, place: Place, mut request: Request<Body>) -> Reply {
        let prefix = place.issuer.strip_prefix("https://id.example").unwrap();
        *request.uri_mut() = format!("{prefix}{}", request.uri()).parse().unwrap();
        request.headers_mut().insert(header::HOST, "id.example".parse().unwrap());
        self.provider.raw(request).await
    }

    /// Sends an authorization request.
    pub(crate) async fn ask(&self, place: Place, method: Method, sent: &Sent) -> Reply {
        let request = match method {
            Method::Get => {
                let all = [sent.query.clone(), sent.params.clone()].concat();
                Request::get(format!("/authorize?{}", encode(&all))).body(Body::empty())
            }
            Method::Post => {
                let query = encode(&sent.query);
                let address =
                    if query.is_empty() { "/authorize".into() } else { format!("/authorize?{query}") };
                Request::post(address)
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Body::from(encode(&sent.params)))
            }
        };
        self.raw(place, request.unwrap()).await
    }

    /// What the audit trail says of a reply.
    pub(crate) async fn reasons(&self, place: Place, reply: &Reply) -> Vec<String> {
        let filter = AuditFilter {
            correlation_id: Some(reply.correlation_id().to_owned()),
            limit: 10,
            ..AuditFilter::default()
        };
        let events = self.provider.app.store.audit(&place.id.into(), &filter).await.unwrap();
        events.into_iter().filter_map(|event| event.reason).collect()
    }

    /// The stored request behind an accepting reply.
    pub(crate) async fn interaction(&self, place: Place, reply: &Reply) -> Interaction {
        let id = reply.location().rsplit_once("/interaction/").unwrap_or_else(|| panic!("{reply:?}")).1;
        self.provider.app.store.interaction(&place.id.into(), id).await.unwrap().unwrap()
    }

    /// Claims that differ from what stands beside the object in redirect URI and state.
    pub(crate) fn claims(&self, id: &str, place: Place, jti: Option<&str>) -> Map<String, Value> {
        let mut claims = Rp::new(id).claims(place.issuer, self.provider.now(), jti);
        claims.insert("redirect_uri".into(), json!(inside_uri(id)));
        claims.insert("state".into(), json!("inside"));
        claims
    }

    /// Signs with the client's own key.
    #[expect(clippy::unused_self, reason = "what a bench does")]
    pub(crate) fn sign(&self, id: &str, claims: &Map<String, Value>) -> String {
        let (key, alg) = signing_key(id);
        key.signer(alg).unwrap().sign(None, &craft::json(claims)).unwrap()
    }

    /// Encrypts to the first tenant.
    pub(crate) fn seal(&self, content: &[u8]) -> String {
        seal(&self.jwks, KeyAlg::RsaOaep, ContentAlg::A128CbcHs256, content)
    }

    /// An object that the client may send in any case.
    pub(crate) fn good(&self, id: &str, place: Place, jti: Option<&str>) -> String {
        let signed = self.sign(id, &self.claims(id, place, jti));
        if place.id == OPEN.id { self.seal(signed.as_bytes()) } else { signed }
    }

    /// The usual request around an object: `client_id`, and a registered redirect URI and state of its own.
    #[expect(clippy::unused_self, reason = "what a bench does")]
    pub(crate) fn around(&self, id: &str, token: &str) -> Sent {
        let params = [
            ("client_id", id),
            ("redirect_uri", &Rp::new(id).redirect_uri),
            ("state", "beside"),
            ("request", token),
        ];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Sent { params, query: Vec::new() }
    }
}
