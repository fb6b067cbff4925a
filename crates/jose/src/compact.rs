//! Compact.
use crate::{ContentAlg, JoseFault, KeyAlg, SigAlg};

/// How much of a token is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole token.
    pub token: usize,
    /// Bytes of a decoded header.
    pub header: usize,
    /// Bytes of decoded claims.
    pub claims: usize,
    /// Nesting depth of JSON.
    pub depth: usize,
    /// JSON values in one document.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { token: 64 * 1024, header: 4 * 1024, claims: 48 * 1024, depth: 16, values: 2048 }
    }
}

/// A parsed token, by kind.
#[derive(Clone, Debug)]
pub enum Compact {
    /// Signed.
    Jws(UnverifiedJws),
    /// Encrypted.
    Jwe(SealedJwe),
}

/// The used members of a JWS header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsHeader {
    /// `alg`.
    pub alg: SigAlg,
    /// `kid`.
    pub kid: Option<String>,
    /// `typ`.
    pub typ: Option<String>,
    /// `cty`.
    pub cty: Option<String>,
}

/// The used members of a JWE header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JweHeader {
    /// `alg`.
    pub alg: KeyAlg,
    /// `enc`.
    pub enc: ContentAlg,
    /// `kid`.
    pub kid: Option<String>,
    /// `typ`.
    pub typ: Option<String>,
    /// `cty`.
    pub cty: Option<String>,
}

/// A JWS whose signature nobody has checked.
#[derive(Clone, Debug)]
pub struct UnverifiedJws {
    header: JwsHeader,
}

/// A JWE that is still encrypted.
#[derive(Clone, Debug)]
pub struct SealedJwe {
    header: JweHeader,
}

/// The two unverified claims that may be read to find the party whose keys verify the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peek {
    /// `iss`.
    pub iss: Option<String>,
    /// `client_id`.
    pub client_id: Option<String>,
}

impl UnverifiedJws {
    /// The header.
    pub fn header(&self) -> &JwsHeader {
        &self.header
    }
    /// Reads `iss` and `client_id`, and nothing else, before verification.
    pub fn peek(&self) -> Result<Peek, JoseFault> {
        Ok(Peek::default())
    }
}

impl SealedJwe {
    /// The header.
    pub fn header(&self) -> &JweHeader {
        &self.header
    }
}

/// Parses a compact token; no key is involved.
pub fn parse(_token: &str, _limits: &Limits) -> Result<Compact, JoseFault> {
    Err(JoseFault::HeaderNotJson)
}

/// Parses what came out of a JWE: exactly one JWS. JSON, and a JWE inside a JWE, are refused.
pub fn parse_nested(_plaintext: &[u8], _limits: &Limits) -> Result<UnverifiedJws, JoseFault> {
    Err(JoseFault::ContentNotJws)
}
