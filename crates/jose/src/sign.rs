//! Signatures.
use std::sync::Arc;

use crate::{JoseFault, KeyFault, SigAlg};

/// Signs with one key and one algorithm.
#[derive(Clone, Debug)]
pub struct Signer(Arc<SigAlg>);

/// Verifies with one key and one algorithm; see [`crate::verify()`].
#[derive(Clone, Debug)]
pub struct Verifier(Arc<SigAlg>);

impl Signer {
    /// A signer with a shared secret.
    pub fn hmac(_secret: &[u8], _alg: SigAlg) -> Result<Self, KeyFault> {
        Err(KeyFault::Refused)
    }
    /// The algorithm.
    pub fn alg(&self) -> SigAlg {
        *self.0
    }
    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        None
    }
    /// Signs; the header has `alg`, the key's `kid` if it has one, and `typ` if given.
    pub fn sign(&self, _typ: Option<&str>, _payload: &[u8]) -> Result<String, JoseFault> {
        Err(JoseFault::SignFailed)
    }
}

impl Verifier {
    /// A verifier with a shared secret.
    pub fn hmac(_secret: &[u8], _alg: SigAlg) -> Result<Self, KeyFault> {
        Err(KeyFault::Refused)
    }
    /// The algorithm.
    pub fn alg(&self) -> SigAlg {
        *self.0
    }
    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        None
    }
    /// The key's RFC 7638 thumbprint; none for a shared secret.
    pub fn thumbprint(&self) -> Option<&str> {
        None
    }
}
