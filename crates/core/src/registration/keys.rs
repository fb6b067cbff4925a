//! A client's `jwks` by value, to keys of its own and back.

use serde_json::{Map, Value, json};
use signet_jose::{KeyAlg, KeyFault, KeyUse, PublicKey};

use super::reader::Reader;
use crate::fault::Fault;
use crate::provision::KeyDeclaration;
use crate::records::{ClientKey, KeyOrigin};

/// Most keys of one set.
const MAX: usize = 20;

/// The keys that `jwks` names. Registration section 2: "The `jwks_uri` and `jwks` parameters MUST NOT be used together."
pub(super) fn declared(reader: &Reader<'_>) -> Result<Vec<KeyDeclaration>, Fault> {
    let Some(jwks) = reader.member("jwks") else { return Ok(Vec::new()) };
    if reader.member("jwks_uri").is_some() {
        return Err(Fault::MetadataKeysTwice);
    }
    let form = Fault::MetadataType { name: "jwks", wanted: "a JWK set" };
    let members = jwks.get("keys").and_then(Value::as_array).ok_or(form)?;
    if members.len() > MAX {
        return Err(Fault::MetadataKey {
            problem: format!("there are {} keys; at most {MAX} are kept", members.len()),
        });
    }
    let mut keys = Vec::new();
    for jwk in members {
        match PublicKey::from_jwk(jwk) {
            Ok(key) => keys.push(declaration(jwk, &key)),
            // RFC 7517 section 5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values
            // that are not understood by them". A private or symmetric key is not one of those: whoever sends it has to
            // learn of it, since it is everybody's now.
            Err(
                KeyFault::TypeUnsupported { .. }
                | KeyFault::CurveUnsupported { .. }
                | KeyFault::AlgUnsupported { .. }
                | KeyFault::UseUnsupported { .. },
            ) => {}
            Err(fault) => return Err(Fault::MetadataKey { problem: fault.to_string() }),
        }
    }
    if keys.is_empty() && !members.is_empty() {
        return Err(Fault::MetadataKey {
            problem: "none of the keys is of a kind that is known here".into(),
        });
    }
    Ok(keys)
}

fn declaration(jwk: &Value, key: &PublicKey) -> KeyDeclaration {
    let kid = key.kid().filter(|kid| !kid.trim().is_empty()).unwrap_or(key.thumbprint());
    KeyDeclaration {
        name: kid.chars().take(100).collect(),
        usage: usage(key),
        source: jwk.clone(),
        // The JWK's own `nbf` and `exp` are the key's period.
        not_before: None,
        not_after: None,
        origin: Some(KeyOrigin::Jwks),
    }
}

/// Registration section 2, `jwks_uri`: "When both signing and encryption keys are made available, a use (public key use)
/// parameter value is REQUIRED for all keys in the referenced JWK Set". A key that says nothing, by `use`, `key_ops` or
/// `alg`, signs if it can.
fn usage(key: &PublicKey) -> KeyUse {
    let by_alg = || key.alg().and_then(KeyAlg::from_name).map(|_| KeyUse::Enc);
    let by_kind = if key.kind().sig_algs().is_empty() { KeyUse::Enc } else { KeyUse::Sig };
    key.key_use().or_else(by_alg).unwrap_or(by_kind)
}

/// The set as the client reads it back.
pub(super) fn shown(keys: &[ClientKey]) -> Option<Value> {
    let keys: Vec<Value> = keys
        .iter()
        .filter(|key| key.revoked_at.is_none())
        .map(|key| {
            let mut jwk: Map<String, Value> = key.jwk.clone();
            for (name, at) in [("nbf", key.not_before), ("exp", key.not_after)] {
                if let Some(at) = at {
                    jwk.insert(name.into(), at.into());
                }
            }
            Value::Object(jwk)
        })
        .collect();
    (!keys.is_empty()).then(|| json!({ "keys": keys }))
}
