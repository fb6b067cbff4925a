//! The members of a protected header: which are read, and which are refused.

use serde_json::{Map, Value};

use crate::fault::Offered;
use crate::strict::{self, Broken};
use crate::{ContentAlg, JoseFault, KeyAlg, KeyFamily, Limits, SigAlg, b64};

/// Longest accepted `kid`, in characters.
pub(crate) const KID_LIMIT: usize = 256;

/// The sender's part of a key agreement (RFC 7518 section 4.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ephemeral {
    family: KeyFamily,
    x: String,
    y: Option<String>,
    apu: Option<String>,
    apv: Option<String>,
}

impl Ephemeral {
    /// The header that the key agreement reads: these members and no other of the token's.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        let mut epk = Map::new();
        epk.insert("kty".into(), self.family.kty().into());
        epk.insert("crv".into(), self.family.curve().unwrap_or_default().into());
        epk.insert("x".into(), self.x.clone().into());
        if let Some(y) = &self.y {
            epk.insert("y".into(), y.clone().into());
        }
        let mut map = Map::new();
        map.insert("epk".into(), Value::Object(epk));
        for (name, value) in [("apu", &self.apu), ("apv", &self.apv)] {
            if let Some(value) = value {
                map.insert(name.into(), value.clone().into());
            }
        }
        map
    }
}

/// Parses a header and refuses the members that would choose a key, unpack data or change the processing.
pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Map<String, Value>, JoseFault> {
    if bytes.len() > limits.header {
        return Err(JoseFault::HeaderTooLarge);
    }
    let map = strict::object(bytes, limits.depth, limits.values).map_err(|broken| match broken {
        Broken::Syntax | Broken::NotObject => JoseFault::HeaderNotJson,
        Broken::Duplicate(name) => JoseFault::DuplicateMember { name },
        Broken::Depth => JoseFault::HeaderTooDeep,
        Broken::Count => JoseFault::HeaderTooMany,
    })?;
    let refused = [
        // RFC 7515 section 4.1.11, RFC 7516 section 4.1.13: no extension is understood here, so any `crit` is
        // a refusal, an empty one too.
        ("crit", JoseFault::CritPresent),
        // RFC 8725 section 3.6: compression before encryption leaks, and unpacking has no bound.
        ("zip", JoseFault::ZipPresent),
        // RFC 7797 section 7: not for tokens that are JWTs.
        ("b64", JoseFault::B64Present),
        // RFC 7518 section 4.8.1: password-based keys are not offered.
        ("p2c", JoseFault::P2cPresent),
        ("p2s", JoseFault::P2sPresent),
        // RFC 8725 section 3.10: keys and their addresses are never taken from the token.
        ("jwk", JoseFault::JwkPresent),
        ("jku", JoseFault::JkuPresent),
        ("x5u", JoseFault::X5uPresent),
        ("x5c", JoseFault::X5cPresent),
    ];
    for (member, fault) in refused {
        if map.contains_key(member) {
            return Err(fault);
        }
    }
    Ok(map)
}

/// A member that is a string if present.
pub(crate) fn text(map: &Map<String, Value>, member: &'static str) -> Result<Option<String>, JoseFault> {
    match map.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseFault::HeaderMemberType { member }),
    }
}

/// RFC 7515 section 4.1.4: a string. Its length and characters are bounded here.
pub(crate) fn kid(map: &Map<String, Value>) -> Result<Option<String>, JoseFault> {
    match text(map, "kid")? {
        Some(kid) if !kid_fits(&kid) => Err(JoseFault::KidInvalid),
        kid => Ok(kid),
    }
}

pub(crate) fn kid_fits(kid: &str) -> bool {
    (1..=KID_LIMIT).contains(&kid.chars().count()) && !kid.chars().any(char::is_control)
}

/// RFC 7515 section 4.1.1; RFC 8725 section 3.2: `none` is refused in any spelling.
pub(crate) fn sig_alg(map: &Map<String, Value>) -> Result<SigAlg, JoseFault> {
    let name = text(map, "alg")?.ok_or(JoseFault::AlgMissing)?;
    if name.eq_ignore_ascii_case("none") {
        return Err(JoseFault::AlgNone);
    }
    SigAlg::from_name(&name).ok_or_else(|| JoseFault::UnsupportedAlgorithm { offered: Offered::new(&name) })
}

/// RFC 7516 section 4.1.1.
pub(crate) fn key_alg(map: &Map<String, Value>) -> Result<KeyAlg, JoseFault> {
    let name = text(map, "alg")?.ok_or(JoseFault::AlgMissing)?;
    if name.eq_ignore_ascii_case("none") {
        return Err(JoseFault::AlgNone);
    }
    KeyAlg::from_name(&name)
        .ok_or_else(|| JoseFault::UnsupportedKeyAlgorithm { offered: Offered::new(&name) })
}

/// RFC 7516 section 4.1.2.
pub(crate) fn content_alg(map: &Map<String, Value>) -> Result<ContentAlg, JoseFault> {
    let name = text(map, "enc")?.ok_or(JoseFault::EncMissing)?;
    ContentAlg::from_name(&name)
        .ok_or_else(|| JoseFault::UnsupportedContentEncryption { offered: Offered::new(&name) })
}

/// RFC 7518 section 4.6.1: `epk` is a public key of a curve of the table with coordinates of full length;
/// `apu` and `apv` are base64url.
pub(crate) fn ephemeral(map: &Map<String, Value>) -> Result<Ephemeral, JoseFault> {
    let Some(Value::Object(epk)) = map.get("epk") else { return Err(JoseFault::EpkInvalid) };
    let member = |name: &str| epk.get(name).and_then(Value::as_str);
    let family = member("kty")
        .zip(member("crv"))
        .and_then(|(kty, crv)| KeyFamily::from_curve(kty, crv))
        .filter(|family| *family != KeyFamily::Ed25519)
        .ok_or(JoseFault::EpkInvalid)?;
    let coordinate = |name: &str| {
        member(name)
            .filter(|text| b64::decode(text).is_some_and(|bytes| bytes.len() == family.coordinate_len()))
            .map(str::to_owned)
            .ok_or(JoseFault::EpkInvalid)
    };
    let x = coordinate("x")?;
    let y = if family == KeyFamily::X25519 { None } else { Some(coordinate("y")?) };
    if epk.contains_key("d") {
        return Err(JoseFault::EpkInvalid);
    }
    let party = |name: &'static str| match map.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if b64::decode(text).is_some() => Ok(Some(text.clone())),
        Some(_) => Err(JoseFault::PartyInfoInvalid),
    };
    Ok(Ephemeral { family, x, y, apu: party("apu")?, apv: party("apv")? })
}
