//! Reading public keys in the forms in which they are handed over.

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::pkey::PKey;
use openssl::x509::X509;
use serde_json::{Map, Value};

use crate::fault::Offered;
use crate::material::Material;
use crate::strict::{self, type_name};
use crate::{KeyFault, PublicKey, b64};

/// Most bytes of a key document.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
const MAX_KEYS: usize = 20;
/// Most bytes and keys of a set that its owner publishes, with those that are gone or still to come.
const MAX_SET_BYTES: usize = 256 * 1024;
const MAX_SET_KEYS: usize = 50;

/// The outcome of an import.
#[derive(Clone, Debug)]
pub struct Import {
    /// The usable keys; never empty after [`import`].
    pub keys: Vec<ImportedKey>,
    /// Members of a JWK Set that were skipped: their index in the set, and why.
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
///
/// One bad member of a JWK Set is skipped (RFC 7517 section 5); none that is usable is a fault. Of a PEM
/// certificate chain the first certificate counts.
pub fn import(bytes: &[u8]) -> Result<Import, KeyFault> {
    if bytes.len() > MAX_BYTES {
        return Err(KeyFault::DocumentTooLarge { size: bytes.len(), limit: MAX_BYTES });
    }
    let trimmed = bytes.trim_ascii();
    let one = |key| Import { keys: vec![key], skipped: Vec::new() };
    if trimmed.starts_with(b"{") {
        json(trimmed)
    } else if let Some(label) = pem_label(trimmed) {
        pem(trimmed, &label).map(one)
    } else if bytes.starts_with(&[0x30]) {
        der(bytes).map(one)
    } else {
        Err(KeyFault::Unrecognised)
    }
}

/// Reads a JWK Set that its owner publishes and changes as it likes. Unlike [`import`] it takes larger sets, and such
/// as hold no usable key: that is what its owner has to say at the time.
///
/// RFC 7517 section 5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are
/// not understood by them, that are missing required members, or for which values are out of the supported ranges."
pub fn import_set(bytes: &[u8]) -> Result<Import, KeyFault> {
    if bytes.len() > MAX_SET_BYTES {
        return Err(KeyFault::DocumentTooLarge { size: bytes.len(), limit: MAX_SET_BYTES });
    }
    let map = strict::key_document(bytes.trim_ascii(), 8, 4096)?;
    let members = match map.get("keys") {
        Some(Value::Array(members)) => members,
        None => return Err(KeyFault::NotSet),
        Some(other) => {
            return Err(KeyFault::MemberType { member: "keys", found: type_name(other), wanted: "an array" });
        }
    };
    if members.len() > MAX_SET_KEYS {
        return Err(KeyFault::TooManyKeys { count: members.len(), limit: MAX_SET_KEYS });
    }
    Ok(each(members))
}

fn json(bytes: &[u8]) -> Result<Import, KeyFault> {
    let mut map = strict::key_document(bytes, 8, 4096)?;
    match map.remove("keys") {
        None => Ok(Import { keys: vec![jwk(&Value::Object(map), Origin::Jwk)?], skipped: Vec::new() }),
        Some(Value::Array(members)) => set(&members),
        Some(other) => {
            Err(KeyFault::MemberType { member: "keys", found: type_name(&other), wanted: "an array" })
        }
    }
}

fn set(members: &[Value]) -> Result<Import, KeyFault> {
    if members.is_empty() {
        return Err(KeyFault::EmptySet);
    }
    if members.len() > MAX_KEYS {
        return Err(KeyFault::TooManyKeys { count: members.len(), limit: MAX_KEYS });
    }
    let import = each(members);
    match import.skipped.first() {
        Some((_, first)) if import.keys.is_empty() => {
            Err(KeyFault::NoUsableKey { count: members.len(), first: first.to_string() })
        }
        _ => Ok(import),
    }
}

fn each(members: &[Value]) -> Import {
    let mut import = Import { keys: Vec::new(), skipped: Vec::new() };
    for (index, member) in members.iter().enumerate() {
        match jwk(member, Origin::Jwks) {
            Ok(key) => import.keys.push(key),
            Err(fault) => import.skipped.push((index, fault)),
        }
    }
    import
}

fn jwk(value: &Value, origin: Origin) -> Result<ImportedKey, KeyFault> {
    let key = PublicKey::from_jwk(value)?;
    let empty = Map::new();
    let map = value.as_object().unwrap_or(&empty);
    with_period(key, seconds(map, "nbf")?, seconds(map, "exp")?, origin)
}

fn seconds(jwk: &Map<String, Value>, member: &'static str) -> Result<Option<i64>, KeyFault> {
    let Some(value) = jwk.get(member) else { return Ok(None) };
    value.as_i64().filter(|seconds| (0..=1 << 53).contains(seconds)).map(Some).ok_or(KeyFault::MemberType {
        member,
        found: if value.is_number() { "another number" } else { type_name(value) },
        wanted: "a whole number of seconds between 0 and 2^53",
    })
}

fn with_period(
    key: PublicKey,
    not_before: Option<i64>,
    not_after: Option<i64>,
    origin: Origin,
) -> Result<ImportedKey, KeyFault> {
    if not_before.zip(not_after).is_some_and(|(start, end)| end < start) {
        return Err(KeyFault::Period);
    }
    Ok(ImportedKey { key, not_before, not_after, origin })
}

/// The label of the first PEM block (RFC 7468 section 2); a private one wins over it.
fn pem_label(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let labels: Vec<&str> = text
        .split("-----BEGIN ")
        .skip(1)
        .filter_map(|rest| rest.split_once("-----").map(|(label, _)| label))
        .collect();
    labels
        .iter()
        .find(|label| label.contains("PRIVATE KEY"))
        .or(labels.first())
        .map(|label| (*label).to_owned())
}

fn pem(bytes: &[u8], label: &str) -> Result<ImportedKey, KeyFault> {
    match label {
        "PUBLIC KEY" => {
            let der = pem_block(bytes, "PUBLIC KEY")?;
            let pkey = PKey::public_key_from_der(&der)
                .map_err(|_| KeyFault::PemMalformed { label: "PUBLIC KEY" })?;
            let key = PublicKey::from_material(Material::from_pkey(&pkey)?);
            with_period(key, None, None, Origin::Pem)
        }
        "CERTIFICATE" => {
            let der = pem_block(bytes, "CERTIFICATE")?;
            x509(&certificate(&der).ok_or(KeyFault::CertificateMalformed)?)
        }
        label if label.contains("PRIVATE KEY") => {
            Err(KeyFault::PrivateGiven { found: "a PEM block \"PRIVATE KEY\"" })
        }
        other => Err(KeyFault::PemLabel { found: Offered::new(other) }),
    }
}

/// The octets of the first PEM block with this label (RFC 7468 section 3). It is decoded here, because the
/// library's reader would ask at the terminal for the passphrase of a block that says it is encrypted.
fn pem_block(bytes: &[u8], label: &'static str) -> Result<Vec<u8>, KeyFault> {
    let malformed = KeyFault::PemMalformed { label };
    let text = String::from_utf8_lossy(bytes);
    let body = text
        .split_once(&format!("-----BEGIN {label}-----"))
        .and_then(|(_, rest)| rest.split_once(&format!("-----END {label}-----")))
        .map(|(body, _)| body.split_ascii_whitespace().collect::<String>());
    body.and_then(|body| b64::decode_standard(&body)).ok_or(malformed)
}

/// One certificate and nothing behind it.
pub(crate) fn certificate(der: &[u8]) -> Option<X509> {
    X509::from_der(der).ok().filter(|certificate| certificate.to_der().is_ok_and(|whole| whole == der))
}

fn der(bytes: &[u8]) -> Result<ImportedKey, KeyFault> {
    if let Some(certificate) = certificate(bytes) {
        return x509(&certificate);
    }
    if PKey::private_key_from_der(bytes).is_ok() {
        return Err(KeyFault::PrivateGiven { found: "a DER private key" });
    }
    Err(KeyFault::CertificateMalformed)
}

/// RFC 5280 sections 4.1.2.5 and 4.1.2.7: the certificate's period and key. Nothing else of it is believed.
fn x509(certificate: &X509) -> Result<ImportedKey, KeyFault> {
    let pkey = certificate.public_key().map_err(|_| KeyFault::CertificateMalformed)?;
    let key = PublicKey::from_material(Material::from_pkey(&pkey)?);
    let not_before = unix(certificate.not_before())?;
    let not_after = unix(certificate.not_after())?;
    with_period(key, Some(not_before), Some(not_after), Origin::X509)
}

fn unix(time: &Asn1TimeRef) -> Result<i64, KeyFault> {
    let diff = Asn1Time::from_unix(0)
        .and_then(|epoch| epoch.diff(time))
        .map_err(|_| KeyFault::CertificateMalformed)?;
    Ok(i64::from(diff.days) * 86_400 + i64::from(diff.secs))
}
