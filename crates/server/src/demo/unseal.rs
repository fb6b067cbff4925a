//! Opens a message of the provider layer by layer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use signet_jose::{
    Compact, Expect, JoseFault, Limits, PrivateKey, SealedJwe, SigAlg, Trace, UnverifiedJws, Verifier, parse,
    parse_nested, verify, verify_undated,
};

use super::fault::DemoFault;

/// Which wrapping a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// JWE.
    Sealed,
    /// JWS.
    Signed,
}

/// One wrapping of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) wrapping: Wrapping,
    /// The header as readable JSON.
    pub(super) header: String,
    /// `alg`, and `enc` of a JWE.
    pub(super) algorithms: String,
    /// The kid of the key that opens or verifies it.
    pub(super) kid: String,
}

/// A message that was opened and passed.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    /// The signed token, without what was around it.
    pub(super) signed: String,
    pub(super) layers: Vec<Layer>,
    pub(super) claims: Map<String, Value>,
    /// The signature's algorithm.
    pub(super) alg: SigAlg,
    pub(super) trace: Trace,
}

/// How a message must be.
pub(super) struct Wanted<'a> {
    /// Its name in refusals.
    pub(super) what: &'static str,
    /// Opens it; if there is a key, the message must be encrypted.
    pub(super) key: Option<&'a PrivateKey>,
    /// The provider's keys.
    pub(super) verifiers: &'a [Verifier],
    /// What its claims must say.
    pub(super) expect: Expect<'a>,
    /// Whether `exp` may be missing.
    pub(super) undated: bool,
}

/// Opens `token`. CPU-heavy.
pub(super) fn open(token: &str, wanted: &Wanted<'_>) -> Result<Opened, DemoFault> {
    let named = |fault| DemoFault::Message { what: wanted.what, fault };
    let limits = Limits::default();
    let mut layers = Vec::new();
    let mut signed = token.to_owned();
    let jws = match (parse(token, &limits).map_err(named)?, wanted.key) {
        (Compact::Jws(jws), None) => {
            layers.push(signed_layer(token, &jws));
            jws
        }
        (Compact::Jwe(jwe), Some(key)) => {
            layers.push(sealed_layer(token, &jwe));
            let plain = key.decrypter()?.open(&jwe).map_err(named)?;
            let jws = parse_nested(&plain, &limits).map_err(named)?;
            signed = String::from_utf8_lossy(&plain).into_owned();
            layers.push(signed_layer(&signed, &jws));
            jws
        }
        // Never less than what was agreed: a message that should be sealed is not read when it is not.
        (Compact::Jws(_), Some(_)) => return Err(named(JoseFault::SealedExpected)),
        (Compact::Jwe(_), None) => return Err(named(JoseFault::SealedNotExpected)),
    };
    let mut trace = Trace::new();
    let keys: Vec<&Verifier> = wanted.verifiers.iter().collect();
    let judge = if wanted.undated { verify_undated } else { verify };
    let verified = judge(&jws, &keys, &wanted.expect, &mut trace).map_err(named)?;
    Ok(Opened { signed, layers, alg: verified.alg(), claims: verified.into_claims().into_map(), trace })
}

/// The wrapping of a JWE that is not opened here.
pub(super) fn sealed_layer(token: &str, jwe: &SealedJwe) -> Layer {
    let header = jwe.header();
    Layer {
        wrapping: Wrapping::Sealed,
        header: header_text(token),
        algorithms: format!("{} and {}", header.alg, header.enc),
        kid: header.kid.clone().unwrap_or_default(),
    }
}

/// The wrapping of a JWS.
pub(super) fn signed_layer(token: &str, jws: &UnverifiedJws) -> Layer {
    let header = jws.header();
    Layer {
        wrapping: Wrapping::Signed,
        header: header_text(token),
        algorithms: header.alg.to_string(),
        kid: header.kid.clone().unwrap_or_default(),
    }
}

/// The first segment as readable JSON; for eyes only, nothing is decided by it.
fn header_text(token: &str) -> String {
    let segment = token.split('.').next().unwrap_or_default();
    let value: Option<Value> =
        URL_SAFE_NO_PAD.decode(segment).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    value.map(|value| readable(&value)).unwrap_or_default()
}

/// Indented JSON.
pub(super) fn readable(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
