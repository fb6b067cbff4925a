//! Verification.
use crate::{Claims, JoseFault, SigAlg, Trace, UnverifiedJws, Verifier};

/// What the header's `typ` must be.
#[derive(Clone, Copy, Debug)]
pub enum Typ<'a> {
    /// Not looked at.
    Any,
    /// May be absent; if present, one of these.
    Optional(&'a [&'a str]),
    /// Must be one of these.
    Required(&'a [&'a str]),
}

/// What a token must say to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// `iss` must equal this.
    pub issuer: &'a str,
    /// `aud` must contain one of these.
    pub audiences: &'a [&'a str],
    /// `alg` must be one of these.
    pub algorithms: &'a [SigAlg],
    /// The current time, Unix seconds.
    pub now: i64,
    /// Tolerated clock difference, seconds.
    pub skew: i64,
    /// Further claims that must be present; `exp` always is.
    pub require: &'a [&'a str],
    /// Longest accepted `exp - iat` (or `exp - now` without `iat`), seconds.
    pub max_lifetime: Option<i64>,
    /// Longest accepted `now - iat`, seconds.
    pub max_age: Option<i64>,
    /// What `typ` must be.
    pub typ: Typ<'a>,
}

/// A token whose signature and claims were checked. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    claims: Claims,
    alg: SigAlg,
    kid: Option<String>,
    thumbprint: Option<String>,
}

impl Verified {
    /// The claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
    /// The claims.
    pub fn into_claims(self) -> Claims {
        self.claims
    }
    /// The algorithm.
    pub fn alg(&self) -> SigAlg {
        self.alg
    }
    /// The kid of the key that verified the signature.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }
    /// The thumbprint of the key that verified the signature; none for a shared secret.
    pub fn thumbprint(&self) -> Option<&str> {
        self.thumbprint.as_deref()
    }
}

/// Verifies signature, then claims.
pub fn verify(
    _jws: &UnverifiedJws,
    _keys: &[&Verifier],
    _expect: &Expect<'_>,
    _trace: &mut Trace,
) -> Result<Verified, JoseFault> {
    Err(JoseFault::SignatureInvalid)
}
