//! A relying party that does whatever its registration says.

use serde_json::{Map, Value, json};
use signet_core::client_assertion::ASSERTION_TYPE;
use signet_core::records::{ClientAuthMethod, ClientSettings, GrantType, Protected, ResponseType};
use signet_jose::{Compact, ContentAlg, KeyAlg, KeySpec, KeyUse, Limits, PrivateKey, SigAlg, Signer, parse};
use signet_tests::craft::unb64;
use signet_tests::flow::basic;
use signet_tests::front::{Back, peek};
use signet_tests::key;
use signet_tests::provider::{Browser, ISSUER, Provider, Reply, USER, form};
use signet_tests::rp::{VERIFIER, challenge, seal};

/// The keys that a party may have.
pub(super) const KEYS: &[(&str, KeyUse, KeySpec)] = &[
    ("sig-rsa", KeyUse::Sig, KeySpec::Rsa2048),
    ("sig-p256", KeyUse::Sig, KeySpec::P256),
    ("sig-p521", KeyUse::Sig, KeySpec::P521),
    ("sig-ed25519", KeyUse::Sig, KeySpec::Ed25519),
    ("enc-rsa", KeyUse::Enc, KeySpec::Rsa4096),
    ("enc-p256", KeyUse::Enc, KeySpec::P384),
    ("enc-x25519", KeyUse::Enc, KeySpec::X25519),
];

/// One of them.
pub(super) fn private(name: &str, usage: KeyUse, spec: KeySpec) -> PrivateKey {
    key(spec).clone().with_kid(name).with_use(usage)
}

/// A relying party with its registration.
pub(super) struct Party {
    id: String,
    secret: String,
    settings: ClientSettings,
    keys: Vec<(&'static str, KeyUse, KeySpec)>,
}

type Pairs = Vec<(String, String)>;

impl Party {
    /// The party of a client that was just made with these keys.
    pub(super) fn new(id: &str, made: &Value, keys: Vec<(&'static str, KeyUse, KeySpec)>) -> Self {
        let settings = serde_json::from_value(made["client"]["settings"].clone()).unwrap();
        let secret = made["client_secret"].as_str().unwrap_or_default().to_owned();
        Self { id: id.to_owned(), secret, settings, keys }
    }

    /// Gets tokens by every way that the registration names, and reads all that comes.
    pub(super) async fn log_in(&self, provider: &Provider) {
        let grants = &self.settings.grant_types;
        if grants.contains(&GrantType::ClientCredentials) {
            let mut form = vec![("grant_type", "client_credentials")];
            form.extend(self.settings.resources.iter().map(|resource| ("resource", resource.as_str())));
            let reply = self.token(provider, &form).await;
            assert_eq!(reply.status, 200, "client_credentials: {}", reply.body);
            self.introspect(provider, reply.json()["access_token"].as_str().unwrap()).await;
        }
        for response_type in &self.settings.response_types {
            self.log_in_by(provider, *response_type).await;
        }
    }

    async fn log_in_by(&self, provider: &Provider, response_type: ResponseType) {
        let mut browser = Browser::default();
        let accepted = self.ask(provider, response_type, &mut browser).await;
        let second =
            if self.settings.require_second_factor { Some(provider.enrol(USER.0).await.0) } else { None };
        let reply = provider.sign_in_with(&accepted, &mut browser, second.as_ref()).await;
        if second.is_some() {
            provider.forget_factors(USER.0).await;
        }
        let back = self.open_response(reply.back());
        assert_eq!((back.get("state"), back.get("error")), ("state-1", ""), "{back:?}");
        if response_type.has_id_token() {
            self.check_id_token(back.get("id_token"));
        }
        if response_type.has_token() {
            self.userinfo(provider, back.get("access_token")).await;
        }
        if !response_type.has_code() {
            return;
        }
        let redirect_uri = self.settings.redirect_uris[0].as_str();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", back.get("code")),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let reply = self.token(provider, &form).await;
        assert_eq!(reply.status, 200, "the code: {}", reply.body);
        let tokens = reply.json();
        self.check_id_token(tokens["id_token"].as_str().unwrap());
        let access_token = tokens["access_token"].as_str().unwrap();
        self.userinfo(provider, access_token).await;
        if self.settings.token_endpoint_auth_method != ClientAuthMethod::None {
            self.introspect(provider, access_token).await;
        }
        if let Some(refresh) = tokens["refresh_token"].as_str() {
            let reply =
                self.token(provider, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
            assert_eq!(reply.status, 200, "refresh: {}", reply.body);
        }
    }

    /// Sends the request in the form that the registration demands.
    async fn ask(&self, provider: &Provider, response_type: ResponseType, browser: &mut Browser) -> Reply {
        let mut pairs = self.parameters(response_type);
        let settings = &self.settings;
        if settings.require_request_object {
            let object = self.object(provider, &pairs, response_type).await;
            pairs = vec![("request".into(), object)];
        }
        pairs.push(("client_id".into(), self.id.clone()));
        let mut query = encoded(&pairs);
        if settings.require_pushed_authorization_requests {
            let reply = self.call(provider, "/par", pairs).await;
            assert_eq!(reply.status, 201, "the push: {}", reply.body);
            let uri = reply.json()["request_uri"].as_str().unwrap().to_owned();
            query = form(&[("client_id", &self.id), ("request_uri", &uri)]);
        }
        let accepted = provider.get(&format!("/authorize?{query}"), Some(browser)).await;
        assert!(accepted.location().contains("/interaction/"), "{} {}", accepted.status, accepted.location());
        accepted
    }

    fn parameters(&self, response_type: ResponseType) -> Pairs {
        let scope = self.settings.scope.iter().cloned().collect::<Vec<_>>().join(" ");
        let mut pairs: Pairs = [
            ("response_type", response_type.name()),
            ("redirect_uri", self.settings.redirect_uris[0].as_str()),
            ("scope", scope.as_str()),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        if response_type.has_code() {
            pairs.push(("code_challenge".into(), challenge()));
            pairs.push(("code_challenge_method".into(), "S256".into()));
        }
        // JARM is asked for by its mode.
        if self.settings.authorization_response != Protected::default() {
            pairs.push(("response_mode".into(), "jwt".into()));
        }
        pairs
    }

    /// A request object; signed with an algorithm that the client is registered for, and encrypted if it must be.
    async fn object(&self, provider: &Provider, pairs: &Pairs, response_type: ResponseType) -> String {
        let (now, jti) = (provider.now(), format!("{}-{}", self.id, response_type.name()));
        let mut claims: Map<String, Value> =
            pairs.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let own = json!({ "iss": self.id, "client_id": self.id, "aud": ISSUER, "iat": now, "exp": now + 300, "jti": jti });
        claims.extend(own.as_object().unwrap().clone());
        let algs = &self.settings.request_object_signing_algs;
        let signed = sign(&self.signer(|alg| algs.is_empty() || algs.contains(&alg)), &claims);
        if !self.settings.require_encrypted_request_object {
            return signed;
        }
        seal(&provider.jwks().await, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, signed.as_bytes())
    }

    /// A signer of a registered key with a fitting algorithm.
    fn signer(&self, fits: impl Fn(SigAlg) -> bool) -> Signer {
        let signing = self.keys.iter().filter(|key| key.1 == KeyUse::Sig);
        let fitting = |spec: KeySpec| {
            SigAlg::ALL.iter().copied().find(|alg| fits(*alg) && spec.sig_algs().contains(alg))
        };
        let mut signers = signing.filter_map(|key| Some((key, fitting(key.2)?)));
        // The registration is good, so there is a key to sign with.
        let ((name, usage, spec), alg) = signers.next().unwrap();
        private(name, *usage, *spec).signer(alg).unwrap()
    }

    /// Calls an endpoint as the registration says that this client proves itself.
    async fn call(&self, provider: &Provider, path: &str, pairs: Pairs) -> Reply {
        self.call_with(provider, path, &[], pairs).await
    }

    async fn call_with(
        &self,
        provider: &Provider,
        path: &str,
        headers: &[(&str, &str)],
        mut pairs: Pairs,
    ) -> Reply {
        let authorization = basic(&self.id, &self.secret);
        let mut headers: Vec<(&str, &str)> = headers.to_vec();
        let mut add = |name: &str, value: &str| pairs.push((name.to_owned(), value.to_owned()));
        match self.settings.token_endpoint_auth_method {
            ClientAuthMethod::ClientSecretBasic => headers.push(("authorization", &authorization)),
            ClientAuthMethod::ClientSecretPost => {
                add("client_id", &self.id);
                add("client_secret", &self.secret);
            }
            ClientAuthMethod::None => add("client_id", &self.id),
            ClientAuthMethod::ClientSecretJwt | ClientAuthMethod::PrivateKeyJwt => {
                add("client_assertion_type", ASSERTION_TYPE);
                add("client_assertion", &self.assertion(provider));
            }
        }
        // A client_id that is there already is not sent twice; RFC 8707 section 2 lets resources be several.
        let mut seen = std::collections::BTreeSet::new();
        pairs.retain(|(name, _)| name == "resource" || seen.insert(name.clone()));
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        provider.call(path, &headers, &pairs).await
    }

    async fn token(&self, provider: &Provider, pairs: &[(&str, &str)]) -> Reply {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.call(provider, "/token", pairs).await
    }

    fn assertion(&self, provider: &Provider) -> String {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (now, jti) = (provider.now(), NEXT.fetch_add(1, Ordering::Relaxed).to_string());
        let claims =
            json!({ "iss": self.id, "sub": self.id, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": jti });
        let registered = self.settings.token_endpoint_auth_signing_alg;
        let signer = if self.settings.token_endpoint_auth_method == ClientAuthMethod::ClientSecretJwt {
            Signer::hmac(self.secret.as_bytes(), registered.unwrap_or(SigAlg::HS256)).unwrap()
        } else {
            self.signer(|alg| registered.is_none_or(|registered| registered == alg))
        };
        sign(&signer, claims.as_object().unwrap())
    }

    /// The response, taken out of its JWT if it came in one.
    fn open_response(&self, back: Back) -> Back {
        let Some(response) = back.parameters.get("response").cloned() else { return back };
        let claims = peek(&self.unseal(&response));
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!(self.id)));
        let texts = claims
            .as_object()
            .unwrap()
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Back { parameters: texts.collect(), ..back }
    }

    /// The signed token inside, where something is encrypted to this client.
    fn unseal(&self, token: &str) -> String {
        let Compact::Jwe(jwe) = parse(token, &Limits::default()).unwrap() else { return token.to_owned() };
        let header: Value = serde_json::from_slice(&unb64(token.split('.').next().unwrap())).unwrap();
        let known = self.keys.iter().find(|key| header["kid"] == key.0).unwrap();
        let key = private(known.0, known.1, known.2).decrypter().unwrap();
        String::from_utf8(key.open(&jwe).unwrap().to_vec()).unwrap()
    }

    fn check_id_token(&self, token: &str) {
        assert_eq!(token.split('.').count() == 5, self.settings.id_token.encrypted.is_some(), "{token}");
        let claims = peek(&self.unseal(token));
        assert_eq!(
            (&claims["iss"], &claims["aud"], &claims["nonce"]),
            (&json!(ISSUER), &json!(self.id), &json!("nonce-1"))
        );
    }

    /// Asks about a token, for an answer as a JWT (RFC 9701 section 4).
    async fn introspect(&self, provider: &Provider, token: &str) {
        let accept = [("accept", "application/token-introspection+jwt")];
        let pairs = vec![("token".to_owned(), token.to_owned())];
        let reply = self.call_with(provider, "/introspect", &accept, pairs).await;
        assert_eq!(reply.status, 200, "introspection: {}", reply.body);
        assert_eq!(
            reply.body.split('.').count() == 5,
            self.settings.introspection.encrypted.is_some(),
            "{}",
            reply.body
        );
        assert_eq!(peek(&self.unseal(&reply.body))["token_introspection"]["active"], true);
    }

    async fn userinfo(&self, provider: &Provider, access_token: &str) {
        let reply = provider.userinfo(access_token).await;
        assert_eq!(reply.status, 200, "userinfo: {}", reply.body);
        let form = self.settings.userinfo.response_type;
        let claims: Value = if form.is_signed() {
            peek(&self.unseal(&reply.body))
        } else if form.is_encrypted() {
            serde_json::from_str(&self.unseal(&reply.body)).unwrap()
        } else {
            reply.json()
        };
        assert!(claims["sub"].is_string(), "{claims}");
    }
}

fn encoded(pairs: &Pairs) -> String {
    form(&pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>())
}

fn sign(signer: &Signer, claims: &Map<String, Value>) -> String {
    signer.sign(None, &serde_json::to_vec(claims).unwrap()).unwrap()
}
