//! Private keys.
use zeroize::Zeroizing;

use crate::{Decrypter, KeyFault, KeySpec, KeyUse, PublicKey, SigAlg, Signer};

/// A private key that passed the import rules.
#[derive(Clone, Debug)]
pub struct PrivateKey {
    public: PublicKey,
}

impl PrivateKey {
    /// Generates a key.
    pub fn generate(_spec: KeySpec) -> Result<Self, KeyFault> {
        Err(KeyFault::Refused)
    }
    /// Reads a private JWK.
    pub fn from_jwk(_jwk: &str) -> Result<Self, KeyFault> {
        Err(KeyFault::Refused)
    }
    /// The private JWK with kid, use and alg.
    pub fn to_jwk(&self) -> Zeroizing<String> {
        Zeroizing::default()
    }
    /// PKCS#8 PEM.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::default()
    }
    /// The public part, with the same kid, use and alg.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }
    /// Sets the key id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.public = self.public.with_kid(kid);
        self
    }
    /// Sets the use.
    #[must_use]
    pub fn with_use(mut self, key_use: KeyUse) -> Self {
        self.public = self.public.with_use(key_use);
        self
    }
    /// Sets or removes the algorithm that the key is bound to.
    #[must_use]
    pub fn with_alg(mut self, alg: Option<&str>) -> Self {
        self.public = self.public.with_alg(alg);
        self
    }
    /// Builds a signer; build once, use often.
    pub fn signer(&self, _alg: SigAlg) -> Result<Signer, KeyFault> {
        Err(KeyFault::Refused)
    }
    /// Builds a decrypter for every key management algorithm that the key fits; the token's header chooses.
    pub fn decrypter(&self) -> Result<Decrypter, KeyFault> {
        Err(KeyFault::Refused)
    }
}
