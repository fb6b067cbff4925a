//! Encryption.
use std::sync::Arc;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{ContentAlg, JoseFault, KeyAlg, SealedJwe};

/// What the header of a new JWE says, besides `alg` and `epk`.
#[derive(Clone, Copy, Debug)]
pub struct SealHeader<'a> {
    /// `enc`.
    pub enc: ContentAlg,
    /// `kid`; the key's own if not given.
    pub kid: Option<&'a str>,
    /// `typ`.
    pub typ: Option<&'a str>,
    /// `cty`.
    pub cty: Option<&'a str>,
    /// Further members; those above, and those that a reader would have to act on, are refused.
    pub extra: Option<&'a Map<String, Value>>,
}

impl SealHeader<'_> {
    /// A header with only `enc`.
    #[must_use]
    pub fn new(enc: ContentAlg) -> Self {
        Self { enc, kid: None, typ: None, cty: None, extra: None }
    }
}

/// Encrypts to one key with one key management algorithm.
#[derive(Clone, Debug)]
pub struct Encrypter(Arc<KeyAlg>);

/// Decrypts with one key and every algorithm that the key fits.
#[derive(Clone, Debug)]
pub struct Decrypter(Arc<Vec<KeyAlg>>);

impl Encrypter {
    /// The key management algorithm.
    pub fn alg(&self) -> KeyAlg {
        *self.0
    }
    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        None
    }
    /// Encrypts.
    pub fn seal(&self, _header: &SealHeader<'_>, _plaintext: &[u8]) -> Result<String, JoseFault> {
        Err(JoseFault::SealFailed)
    }
}

impl Decrypter {
    /// The algorithms that the key fits.
    pub fn algs(&self) -> &[KeyAlg] {
        &self.0
    }
    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        None
    }
    /// Decrypts.
    pub fn open(&self, _jwe: &SealedJwe) -> Result<Zeroizing<Vec<u8>>, JoseFault> {
        Err(JoseFault::Undecryptable)
    }
}
