//! Whether a registered key can do an algorithm, from its JWK's members alone.

use serde_json::{Map, Value};
use signet_jose::{KeyAlg, KeyFamily, SigAlg};

use crate::records::ClientKey;

fn text<'a>(jwk: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    jwk.get(member).and_then(Value::as_str)
}

/// RFC 7518 section 6.1 and RFC 8037 section 2: `kty`, with `crv` where the family is a curve.
fn is_of(jwk: &Map<String, Value>, family: KeyFamily) -> bool {
    text(jwk, "kty") == Some(family.kty())
        && family.curve().is_none_or(|curve| text(jwk, "crv") == Some(curve))
}

/// RFC 7517 sections 4.2 and 4.4: a key that names a use or an algorithm is for that one alone.
fn allows(jwk: &Map<String, Value>, usage: &str, alg: &str) -> bool {
    text(jwk, "use").is_none_or(|own| own == usage) && text(jwk, "alg").is_none_or(|own| own == alg)
}

/// Whether `key` may be encrypted to with `alg`. Its record's usage and period are not looked at.
pub fn fits_enc(key: &ClientKey, alg: KeyAlg) -> bool {
    alg.key_kinds().iter().any(|family| is_of(&key.jwk, *family)) && allows(&key.jwk, "enc", alg.name())
}

/// Whether `key` may verify `alg`. Its record's usage and period are not looked at.
pub fn fits_sig(key: &ClientKey, alg: SigAlg) -> bool {
    !alg.is_symmetric() && is_of(&key.jwk, alg.key_kind()) && allows(&key.jwk, "sig", alg.name())
}
