//! Import.
use crate::{KeyFault, PublicKey};

/// The outcome of an import.
#[derive(Clone, Debug)]
pub struct Import {
    /// The usable keys; never empty.
    pub keys: Vec<ImportedKey>,
    /// Members of a JWK Set that were skipped: their index and why.
    pub skipped: Vec<(usize, KeyFault)>,
}

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A single JWK.
    Jwk,
    /// A member of a JWK Set.
    Jwks,
    /// A PEM public key.
    Pem,
    /// An X.509 certificate, PEM or DER.
    X509,
}

/// One imported key.
#[derive(Clone, Debug)]
pub struct ImportedKey {
    /// The key.
    pub key: PublicKey,
    /// Start of validity, Unix seconds.
    pub not_before: Option<i64>,
    /// End of validity, Unix seconds.
    pub not_after: Option<i64>,
    /// Where it came from.
    pub origin: Origin,
}

/// Reads public keys from a JWK, a JWK Set, a PEM public key, or an X.509 certificate (PEM or DER).
pub fn import(_bytes: &[u8]) -> Result<Import, KeyFault> {
    Err(KeyFault::Unrecognised)
}
