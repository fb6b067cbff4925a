//! Public keys.
use serde_json::{Map, Value};

use crate::{Encrypter, KeyAlg, KeyFault, KeyKind, KeyUse, SigAlg, Verifier};

/// A public key that passed the import rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    kind: KeyKind,
    kid: Option<String>,
    key_use: Option<KeyUse>,
    alg: Option<String>,
    thumbprint: String,
}

impl PublicKey {
    /// Reads a JWK.
    pub fn from_jwk(_jwk: &Value) -> Result<Self, KeyFault> {
        Err(KeyFault::Refused)
    }
    /// The JWK, public members only.
    pub fn to_jwk(&self) -> Map<String, Value> {
        Map::new()
    }
    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }
    /// Sets the key id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }
    /// Sets the use.
    #[must_use]
    pub fn with_use(mut self, key_use: KeyUse) -> Self {
        self.key_use = Some(key_use);
        self
    }
    /// Sets or removes the algorithm that the key is bound to.
    #[must_use]
    pub fn with_alg(mut self, alg: Option<&str>) -> Self {
        self.alg = alg.map(str::to_owned);
        self
    }
    /// Removes the algorithm.
    #[must_use]
    pub fn without_alg(self) -> Self {
        self.with_alg(None)
    }
    /// RFC 7638 thumbprint, SHA-256, base64url.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
    /// The use.
    pub fn key_use(&self) -> Option<KeyUse> {
        self.key_use
    }
    /// The algorithm that the key is bound to.
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }
    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }
    /// Whether the key may verify this algorithm: kind, use and bound algorithm agree.
    pub fn fits_sig(&self, _alg: SigAlg) -> bool {
        false
    }
    /// Whether the key may be encrypted to with this algorithm.
    pub fn fits_enc(&self, _alg: KeyAlg) -> bool {
        false
    }
    /// Builds a verifier; build once, use often.
    pub fn verifier(&self, _alg: SigAlg) -> Result<Verifier, KeyFault> {
        Err(KeyFault::Refused)
    }
    /// Builds an encrypter; build once, use often.
    pub fn encrypter(&self, _alg: KeyAlg) -> Result<Encrypter, KeyFault> {
        Err(KeyFault::Refused)
    }
}
