//! Responses that come by the browser: read wherever they stand, and held against the published keys.

use std::collections::BTreeMap;

use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use signet_core::provision::ClientDeclaration;
use signet_core::records::{GrantType, ResponseType};
use signet_jose::{Compact, ContentAlg, KeyAlg, Limits, parse};

use crate::craft::{b64, unb64};
use crate::provider::{Browser, ISSUER, Provider, Reply, between, form};
use crate::rp::{Rp, seal};

/// The registration of a client that may use every response type.
#[must_use]
pub fn every_type(mut declaration: ClientDeclaration) -> ClientDeclaration {
    declaration.settings.response_types = ResponseType::ALL.iter().copied().collect();
    declaration.settings.grant_types.insert(GrantType::Implicit);
    declaration
}

/// A response as its client finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// `query`, `fragment` or `form`.
    pub place: &'static str,
    /// Where it went, without the parameters.
    pub to: String,
    /// The parameters.
    pub parameters: BTreeMap<String, String>,
}

impl Back {
    /// A parameter; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// The names of the parameters, in alphabetical order.
    pub fn names(&self) -> Vec<&str> {
        self.parameters.keys().map(String::as_str).collect()
    }
}

fn pairs(encoded: &str) -> BTreeMap<String, String> {
    let all: Vec<(String, String)> = url::form_urlencoded::parse(encoded.as_bytes()).into_owned().collect();
    let count = all.len();
    let map: BTreeMap<String, String> = all.into_iter().collect();
    assert_eq!(map.len(), count, "a parameter occurs twice: {encoded}");
    map
}

/// Attribute values as a browser reads them.
fn unescape(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, rest) = part.split_once(';').expect("every ampersand is escaped");
        plain.push(match entity {
            "amp" | "#38" => '&',
            "quot" | "#34" => '"',
            "#39" | "#x27" => '\'',
            "lt" | "#60" => '<',
            "gt" | "#62" => '>',
            other => panic!("&{other};"),
        });
        plain.push_str(rest);
    }
    plain
}

impl Reply {
    /// Whether this is the page that posts a response.
    pub fn is_form_post(&self) -> bool {
        self.body.contains("data-page=\"form_post\"")
    }

    /// The response to the client in this reply.
    pub fn back(&self) -> Back {
        if self.is_form_post() {
            let html = &self.body[self.body.find("<form").unwrap()..];
            let fields = html.split("<input ").skip(1).map(|rest| {
                let tag = rest.split('>').next().unwrap();
                assert!(tag.contains("type=\"hidden\""), "{tag}");
                (unescape(between(tag, "name=\"", "\"")), unescape(between(tag, "value=\"", "\"")))
            });
            let to = unescape(between(html, "action=\"", "\""));
            return Back { place: "form", to, parameters: fields.collect() };
        }
        assert!(self.status.is_redirection(), "{} {}", self.status, self.body);
        let location = self.location();
        if let Some((to, encoded)) = location.split_once('#') {
            return Back { place: "fragment", to: to.to_owned(), parameters: pairs(encoded) };
        }
        let (to, encoded) = location.split_once('?').unwrap_or((location, ""));
        Back { place: "query", to: to.to_owned(), parameters: pairs(encoded) }
    }
}

/// OpenID Connect Core section 3.1.3.6 with SHA-256.
pub fn half_sha256(text: &str) -> String {
    b64(&Sha256::digest(text)[..16])
}

/// The claims of a JWS, unverified.
pub fn peek(token: &str) -> Value {
    serde_json::from_slice(&unb64(token.split('.').nth(1).unwrap())).unwrap()
}

impl Rp {
    /// What is in a nested JWT to this client: the signed one.
    pub fn unseal(&self, token: &str) -> String {
        let Compact::Jwe(jwe) = parse(token, &Limits::default()).unwrap() else {
            panic!("not encrypted: {token}")
        };
        String::from_utf8(self.encryption.decrypter().unwrap().open(&jwe).unwrap().to_vec()).unwrap()
    }

    /// The request parameters, with `changes`, as a nested request object.
    pub async fn sealed_request(&self, provider: &Provider, changes: &[(&str, &str)], jti: &str) -> String {
        let mut claims: Map<String, Value> = self.claims(ISSUER, provider.now(), Some(jti));
        for (name, value) in changes {
            claims.insert((*name).to_owned(), (*value).into());
        }
        let signed = self.sign(&claims);
        let object =
            seal(&provider.jwks().await, KeyAlg::RsaOaep, ContentAlg::A128CbcHs256, signed.as_bytes());
        form(&[("client_id", &self.id), ("request", &object)])
    }
}

impl Provider {
    /// A request from its start to the response, in a browser that may be signed in already.
    pub async fn front(&self, rp: &Rp, changes: &[(&str, &str)], browser: &mut Browser) -> Back {
        let accepted = self.authorize(rp, changes, Some(browser)).await;
        self.sign_in(&accepted, browser).await.back()
    }

    /// The same with a nested request object.
    pub async fn front_sealed(
        &self,
        rp: &Rp,
        changes: &[(&str, &str)],
        jti: &str,
        browser: &mut Browser,
    ) -> Back {
        let query = rp.sealed_request(self, changes, jti).await;
        let accepted = self.get(&format!("/authorize?{query}"), Some(browser)).await;
        self.sign_in(&accepted, browser).await.back()
    }

    /// The claims of a token that the provider signed with RS256, verified with the key of its `kid` by means of our own.
    pub async fn verified(&self, token: &str) -> Value {
        let (input, signature) = token.rsplit_once('.').unwrap();
        let header: Value = serde_json::from_slice(&unb64(input.split('.').next().unwrap())).unwrap();
        assert_eq!((&header["alg"], &header["typ"]), (&"RS256".into(), &"JWT".into()));
        let jwks = self.jwks().await;
        let fits = |key: &&Value| key["kid"] == header["kid"] && key["use"] == "sig";
        let key = jwks["keys"].as_array().unwrap().iter().find(fits).expect("the key is published");
        let number = |name: &str| BigNum::from_slice(&unb64(key[name].as_str().unwrap())).unwrap();
        let public = Rsa::from_public_components(number("n"), number("e")).and_then(PKey::from_rsa).unwrap();
        let mut verifier = Verifier::new(MessageDigest::sha256(), &public).unwrap();
        assert!(verifier.verify_oneshot(&unb64(signature), input.as_bytes()).unwrap(), "the signature");
        peek(token)
    }
}
