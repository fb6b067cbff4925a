//! The authorization request: plain parameters, or a request object that is signed and then encrypted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use signet_core::context::{Context, UnixTime};
use signet_jose::{ContentAlg, PrivateKey, PublicKey, SealHeader, SigAlg};
use url::Url;
use zeroize::Zeroizing;

use super::DemoClient;
use super::fault::DemoFault;
use super::provider::{Keys, Metadata};

/// Seconds for which a request object is good.
const LIFETIME: i64 = 600;
const SCOPE: &str = "openid profile email";

/// What makes one login different from every other.
#[derive(Clone, Debug)]
pub(super) struct Fresh {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) jti: String,
    pub(super) verifier: Zeroizing<String>,
    pub(super) now: UnixTime,
}

impl Fresh {
    pub(super) fn new(context: &Context<'_>) -> Self {
        Self {
            state: context.handle(),
            nonce: context.handle(),
            jti: context.handle(),
            verifier: context.mint("").secret,
            now: context.now,
        }
    }

    /// RFC 7636 section 4.2.
    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

/// A request object in its two forms.
#[derive(Clone, Debug)]
pub(super) struct RequestObject {
    pub(super) signed: String,
    pub(super) sealed: String,
}

/// A request that was sent, with what its response will be held against.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) client_id: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: Zeroizing<String>,
    /// The parameters, wherever they were sent.
    pub(super) claims: Map<String, Value>,
    pub(super) object: Option<RequestObject>,
    /// Where the browser was sent.
    pub(super) address: String,
    pub(super) now: UnixTime,
}

/// Makes the request. CPU-heavy for a client that signs.
pub(super) fn build(
    client: &DemoClient,
    metadata: &Metadata,
    keys: &Keys,
    redirect_uri: &str,
    fresh: &Fresh,
) -> Result<Sent, DemoFault> {
    let mut claims = parameters(client, redirect_uri, fresh);
    let object = match &client.signing_key {
        Some(key) if client.sealed => {
            about_the_object(&mut claims, client, metadata, fresh);
            Some(seal(&claims, key, keys)?)
        }
        _ => None,
    };
    let address = address(&metadata.authorization_endpoint, client, &claims, object.as_ref())?;
    Ok(Sent {
        client_id: client.client_id.clone(),
        state: fresh.state.clone(),
        nonce: fresh.nonce.clone(),
        verifier: fresh.verifier.clone(),
        claims,
        object,
        address,
        now: fresh.now,
    })
}

/// OpenID Connect Core section 3.1.2.1, RFC 7636 section 4.3.
fn parameters(client: &DemoClient, redirect_uri: &str, fresh: &Fresh) -> Map<String, Value> {
    let mut claims = Map::new();
    for (name, value) in [
        ("client_id", client.client_id.clone()),
        ("response_type", "code".into()),
        ("redirect_uri", redirect_uri.to_owned()),
        ("scope", SCOPE.into()),
        ("state", fresh.state.clone()),
        ("nonce", fresh.nonce.clone()),
        ("code_challenge", fresh.challenge()),
        ("code_challenge_method", "S256".into()),
    ] {
        claims.insert(name.into(), value.into());
    }
    claims
}

/// RFC 9101 section 4: `iss` and `aud` of a signed object; RFC 7519 section 4.1 for the rest.
fn about_the_object(
    claims: &mut Map<String, Value>,
    client: &DemoClient,
    metadata: &Metadata,
    fresh: &Fresh,
) {
    for (name, value) in [
        ("iss", json!(client.client_id)),
        ("aud", json!(metadata.issuer)),
        ("iat", json!(fresh.now)),
        ("nbf", json!(fresh.now)),
        ("exp", json!(fresh.now + LIFETIME)),
        ("jti", json!(fresh.jti)),
    ] {
        claims.insert(name.into(), value);
    }
}

/// The first algorithm that the key may be used with.
fn signing_alg(key: &PublicKey) -> Option<SigAlg> {
    SigAlg::ALL.iter().copied().find(|alg| key.fits_sig(*alg))
}

/// RFC 9101 section 6.1: signed, then encrypted.
fn seal(claims: &Map<String, Value>, key: &PrivateKey, keys: &Keys) -> Result<RequestObject, DemoFault> {
    let what = |fault| DemoFault::Message { what: "Request object", fault };
    let alg = signing_alg(key.public_key()).ok_or(signet_jose::KeyFault::Refused)?;
    let plain = serde_json::to_vec(claims).map_err(|_| what(signet_jose::JoseFault::SignFailed))?;
    // RFC 9101 section 10.8: the type says what the object is.
    let signed = key.signer(alg)?.sign(Some("oauth-authz-req+jwt"), &plain).map_err(what)?;
    let (public, alg) = keys.encryption().ok_or(DemoFault::EncryptionKeyMissing)?;
    let header = SealHeader { cty: Some("JWT"), ..SealHeader::new(ContentAlg::A256Gcm) };
    let sealed = public.encrypter(alg)?.seal(&header, signed.as_bytes()).map_err(what)?;
    Ok(RequestObject { signed, sealed })
}

/// RFC 9101 section 5: with an object, `client_id` and `request` are all that is sent. OpenID Connect Core section 6.1
/// wants `response_type` and `scope` outside as well; the provider does not, and nothing that is inside is shown.
fn address(
    endpoint: &str,
    client: &DemoClient,
    claims: &Map<String, Value>,
    object: Option<&RequestObject>,
) -> Result<String, DemoFault> {
    let unusable = |_| DemoFault::Answer {
        what: "configuration",
        status: 200,
        detail: "The authorization endpoint is not a URL.".into(),
    };
    let mut url = Url::parse(endpoint).map_err(unusable)?;
    match object {
        Some(object) => {
            url.query_pairs_mut()
                .append_pair("client_id", &client.client_id)
                .append_pair("request", &object.sealed);
        }
        None => {
            for (name, value) in claims {
                url.query_pairs_mut().append_pair(name, value.as_str().unwrap_or_default());
            }
        }
    }
    Ok(url.into())
}
