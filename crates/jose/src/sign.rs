//! Signing and verifying with one key and one algorithm.

use std::fmt;
use std::sync::Arc;

use josekit::jws::{JwsSigner, JwsVerifier};
use openssl::pkey::{PKey, Private};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::seal::guarded;
use crate::{JoseFault, KeyFault, SigAlg, b64};

/// Signs with one key and one algorithm. Cheap to clone.
#[derive(Clone)]
pub struct Signer(Arc<SignerInner>);

struct SignerInner {
    alg: SigAlg,
    kid: Option<String>,
    raw: RawSigner,
}

enum RawSigner {
    Key(Box<dyn JwsSigner>),
    Secret(PKey<Private>),
}

/// Verifies with one key and one algorithm; see [`crate::verify()`]. Cheap to clone.
#[derive(Clone)]
pub struct Verifier(Arc<VerifierInner>);

struct VerifierInner {
    alg: SigAlg,
    kid: Option<String>,
    thumbprint: Option<String>,
    raw: RawVerifier,
}

enum RawVerifier {
    Key(Box<dyn JwsVerifier>),
    Secret(PKey<Private>),
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("alg", &self.0.alg).field("kid", &self.0.kid).finish_non_exhaustive()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("alg", &self.0.alg).field("kid", &self.0.kid).finish_non_exhaustive()
    }
}

/// RFC 7518 section 3.2: "A key of the same size as the hash output [...] or larger MUST be used with this algorithm."
/// OpenID Connect Core 1.0 section 10.1 repeats it for a `client_secret`, of which the UTF-8 octets are the key.
fn secret_key(secret: &[u8], alg: SigAlg) -> Result<PKey<Private>, KeyFault> {
    if !alg.is_symmetric() {
        return Err(KeyFault::AlgMismatch { alg: alg.to_string(), key: "shared secret".into() });
    }
    let wanted = alg.hash().len();
    if secret.len() < wanted {
        return Err(KeyFault::SecretTooShort { alg, found: secret.len(), wanted });
    }
    PKey::hmac(secret).map_err(|_| KeyFault::Refused)
}

fn mac(key: &PKey<Private>, alg: SigAlg, message: &[u8]) -> Option<Vec<u8>> {
    let mut signer = openssl::sign::Signer::new(alg.hash().digest(), key).ok()?;
    signer.sign_oneshot_to_vec(message).ok()
}

impl Signer {
    pub(crate) fn new(alg: SigAlg, kid: Option<&str>, raw: Box<dyn JwsSigner>) -> Self {
        Self(Arc::new(SignerInner { alg, kid: kid.map(str::to_owned), raw: RawSigner::Key(raw) }))
    }

    /// A signer with a shared secret.
    pub fn hmac(secret: &[u8], alg: SigAlg) -> Result<Self, KeyFault> {
        let raw = RawSigner::Secret(secret_key(secret, alg)?);
        Ok(Self(Arc::new(SignerInner { alg, kid: None, raw })))
    }

    /// The algorithm.
    pub fn alg(&self) -> SigAlg {
        self.0.alg
    }

    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// Signs; the header has `alg`, the key's `kid` if it has one, and `typ` if given.
    ///
    /// RFC 7515 section 5.1.
    pub fn sign(&self, typ: Option<&str>, payload: &[u8]) -> Result<String, JoseFault> {
        let mut header = Map::new();
        header.insert("alg".into(), self.0.alg.name().into());
        for (name, value) in [("kid", self.kid()), ("typ", typ)] {
            if let Some(value) = value {
                header.insert(name.into(), Value::from(value));
            }
        }
        let header = serde_json::to_vec(&header).map_err(|_| JoseFault::SignFailed)?;
        let mut token = format!("{}.{}", b64::encode(&header), b64::encode(payload));
        let signature = match &self.0.raw {
            RawSigner::Key(raw) => guarded(|| raw.sign(token.as_bytes())),
            RawSigner::Secret(key) => mac(key, self.0.alg, token.as_bytes()),
        };
        token.push('.');
        token.push_str(&b64::encode(&signature.ok_or(JoseFault::SignFailed)?));
        Ok(token)
    }
}

impl Verifier {
    pub(crate) fn new(alg: SigAlg, kid: Option<&str>, thumbprint: &str, raw: Box<dyn JwsVerifier>) -> Self {
        Self(Arc::new(VerifierInner {
            alg,
            kid: kid.map(str::to_owned),
            thumbprint: Some(thumbprint.to_owned()),
            raw: RawVerifier::Key(raw),
        }))
    }

    /// A verifier with a shared secret.
    pub fn hmac(secret: &[u8], alg: SigAlg) -> Result<Self, KeyFault> {
        let raw = RawVerifier::Secret(secret_key(secret, alg)?);
        Ok(Self(Arc::new(VerifierInner { alg, kid: None, thumbprint: None, raw })))
    }

    /// The algorithm.
    pub fn alg(&self) -> SigAlg {
        self.0.alg
    }

    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The key's RFC 7638 thumbprint; none for a shared secret.
    pub fn thumbprint(&self) -> Option<&str> {
        self.0.thumbprint.as_deref()
    }

    /// RFC 7515 section 5.2 step 8. A shared secret's MAC is compared in constant time.
    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0.raw {
            RawVerifier::Key(raw) => guarded(|| raw.verify(message, signature)).is_some(),
            RawVerifier::Secret(key) => mac(key, self.0.alg, message)
                .is_some_and(|wanted| bool::from(wanted.as_slice().ct_eq(signature))),
        }
    }
}
