//! What one of Signet's own clients ([`crate::builtin`]) makes of the ID token that it receives: the checks of OpenID
//! Connect Core section 3.1.3.7, as any other client makes them.

use signet_jose::{
    Claims, Compact, Expect, JoseFault, KeyUse, Limits, SigAlg, Trace, Typ, Verifier, parse, verify,
};
use subtle::ConstantTimeEq as _;

use crate::context::UnixTime;
use crate::discovery::is_listed;
use crate::fault::Fault;
use crate::hint::tenant_verifier;
use crate::records::TenantKey;

/// What the token must say.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The tenant's issuer URL.
    pub issuer: &'a str,
    /// The client.
    pub client_id: &'a str,
    /// As it stood in the authorization request.
    pub nonce: &'a str,
    /// The algorithm that the client is registered for.
    pub alg: SigAlg,
    /// The tenant's keys; those that are listed in its JWKS count.
    pub keys: &'a [TenantKey],
    /// The request's instant.
    pub now: UnixTime,
}

/// The claims of the ID token, if it is the answer to this client's request.
pub fn judge(id_token: &str, expected: &Expected<'_>) -> Result<Claims, Fault> {
    let claims = verified(id_token, expected)
        .map_err(|_| Fault::Internal { detail: "an ID token of our own does not verify" })?;
    // Section 3.1.3.7, point 11: "a nonce Claim MUST be present and its value checked to verify that it is the same value
    // as the one that was sent in the Authentication Request".
    let nonce = claims.str("nonce").unwrap_or_default();
    if bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        Ok(claims)
    } else {
        Err(Fault::InteractionForeign)
    }
}

fn verified(id_token: &str, expected: &Expected<'_>) -> Result<Claims, JoseFault> {
    let mut trace = Trace::new();
    let Compact::Jws(jws) = parse(id_token, &Limits::default())? else { return Err(JoseFault::ContentIsJwe) };
    let listed = |key: &&TenantKey| key.usage == KeyUse::Sig && is_listed(key, expected.now);
    let keys: Vec<Verifier> = expected
        .keys
        .iter()
        .filter(listed)
        .filter(|key| key.algs.iter().any(|alg| alg == expected.alg.name()))
        .filter_map(|key| tenant_verifier(key, expected.alg))
        .collect();
    let keys: Vec<&Verifier> = keys.iter().collect();
    let expect = Expect {
        issuer: expected.issuer,
        audiences: &[expected.client_id],
        algorithms: &[expected.alg],
        now: expected.now,
        skew: 0,
        require: &["sub", "iat", "nonce"],
        max_lifetime: None,
        max_age: None,
        typ: Typ::Optional(&["JWT"]),
    };
    verify(&jws, &keys, &expect, &mut trace).map(signet_jose::Verified::into_claims)
}
