//! What can be seen of a request that was refused. Everything is read leniently and nothing of it is believed: this is for
//! recognising mistakes, and no decision follows from it.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use signet_jose::{Compact, KeyAlg, Limits, Trace, parse};

use crate::context::UnixTime;
use crate::params::{MAX_REQUEST_OBJECT, Params};
use crate::records::{Client, ClientKey, Tenant, TenantKey};
use crate::request_object::DecryptionKey;

/// What was known where the request was judged.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// The tenant's keys that are not removed.
    pub tenant_keys: &'a [TenantKey],
    /// The keys to try under another algorithm; none where the sender waits for the answer (RFC 7516 section 11.5).
    pub probes: &'a [DecryptionKey],
    /// The client, if it is known.
    pub client: Option<&'a Client>,
    /// Its keys, of every usage and age.
    pub client_keys: &'a [ClientKey],
    /// The parameters beside the object.
    pub params: &'a Params,
    /// The request's instant.
    pub now: UnixTime,
}

/// A request object as it lies there.
pub(super) struct Sighting<'a> {
    /// The reason code; empty if nothing was refused.
    pub(super) code: &'a str,
    /// As it was sent.
    pub(super) token: &'a str,
    /// Header of the JWE; empty if there is none.
    pub(super) outer: Map<String, Value>,
    /// Header of the JWS.
    pub(super) inner: Map<String, Value>,
    /// The claims, or what stands in their place.
    pub(super) claims: Map<String, Value>,
    /// The payload of the JWS as text, if it is text.
    pub(super) payload: String,
    /// The signature.
    pub(super) signature: Vec<u8>,
    /// What came out of the JWE, if it is text.
    pub(super) content: Option<&'a str>,
    pub(super) scene: &'a Scene<'a>,
}

/// As padding, alphabet and stray bits are often got wrong.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn lenient(segment: &str) -> Vec<u8> {
    let spelled: String = segment
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n' | '\t' | '"'))
        .map(|c| match c {
            '+' | ' ' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    LENIENT.decode(spelled).unwrap_or_default()
}

fn object(bytes: &[u8]) -> Map<String, Value> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

impl<'a> Sighting<'a> {
    pub(super) fn new(code: &'a str, token: &'a str, trace: &'a Trace, scene: &'a Scene<'a>) -> Self {
        let token = if token.len() > MAX_REQUEST_OBJECT { "" } else { token };
        let content = trace.content().and_then(|content| std::str::from_utf8(content).ok());
        let mut sighting = Self {
            code,
            token,
            outer: Map::new(),
            inner: Map::new(),
            claims: Map::new(),
            payload: String::new(),
            signature: Vec::new(),
            content,
            scene,
        };
        let segments: Vec<&str> = token.split('.').collect();
        match segments[..] {
            [header, payload, signature] => sighting.signed(header, payload, signature),
            [header, _, _, _, _] => {
                sighting.outer = object(&lenient(header));
                let inside: Vec<&str> = content.unwrap_or_default().split('.').collect();
                if let [header, payload, signature] = inside[..] {
                    sighting.signed(header, payload, signature);
                }
            }
            _ => {}
        }
        sighting
    }

    fn signed(&mut self, header: &str, payload: &str, signature: &str) {
        let payload = lenient(payload);
        self.inner = object(&lenient(header));
        self.claims = object(&payload);
        self.payload = String::from_utf8(payload).unwrap_or_default();
        self.signature = lenient(signature);
    }

    /// A member of the JWE's header.
    pub(super) fn outer(&self, name: &str) -> Option<&str> {
        self.outer.get(name)?.as_str()
    }

    /// A member of the JWS's header.
    pub(super) fn inner(&self, name: &str) -> Option<&str> {
        self.inner.get(name)?.as_str()
    }

    /// A claim that is text.
    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// A claim that is a number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "saturates; for recognising only")]
        self.claims.get(name).and_then(|value| value.as_i64().or_else(|| value.as_f64().map(|n| n as i64)))
    }

    /// What the claim `aud` names.
    pub(super) fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The client that the request names, whether it is known or not.
    pub(super) fn client_id(&self) -> Option<&str> {
        let known = self.scene.client.map(|client| client.client_id.as_str());
        known.or_else(|| self.scene.params.get("client_id")).or_else(|| self.claim("client_id"))
    }

    /// The tenant's key that `kid` names, with the algorithm of that entry.
    pub(super) fn tenant_key(&self, kid: &str) -> Option<(&'a TenantKey, &'a str)> {
        let scene = self.scene;
        scene.tenant_keys.iter().find_map(|key| {
            let alg = key.algs.iter().find(|alg| key.kid(alg) == kid)?;
            Some((key, alg.as_str()))
        })
    }

    /// The client's key that `kid` names, by its own name or by its thumbprint.
    pub(super) fn client_key(&self, kid: &str) -> Option<&'a ClientKey> {
        let scene = self.scene;
        scene.client_keys.iter().find(|key| key.kid == kid || key.thumbprint == kid)
    }

    /// The algorithm that the JWE was really made with, if it is one that its header does not name.
    pub(super) fn really_sealed_with(&self) -> Option<KeyAlg> {
        if self.scene.probes.is_empty() {
            return None;
        }
        let Ok(Compact::Jwe(jwe)) =
            parse(self.token, &Limits { token: MAX_REQUEST_OBJECT, ..Limits::default() })
        else {
            return None;
        };
        let named = jwe.header().alg;
        let others = [KeyAlg::RsaOaep, KeyAlg::RsaOaep256].into_iter().filter(|alg| *alg != named);
        let mut tries = others.flat_map(|alg| self.scene.probes.iter().take(12).map(move |key| (alg, key)));
        tries.find(|(alg, key)| key.decrypter.opens_as(&jwe, *alg)).map(|(alg, _)| alg)
    }
}
