//! The public members of a key, and the rules that they keep.

use openssl::bn::{BigNum, BigNumContext};
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Public};
use openssl::rsa::Rsa;
use serde_json::{Map, Value};

use crate::fault::Offered;
use crate::strict::type_name;
use crate::{KeyFamily, KeyFault, KeyKind, b64};

const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// Public members only; there is no room for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Curve { family: KeyFamily, x: Vec<u8>, y: Option<Vec<u8>> },
}

pub(crate) fn group(family: KeyFamily) -> Result<EcGroup, KeyFault> {
    let nid = match family {
        KeyFamily::P256 => Nid::X9_62_PRIME256V1,
        KeyFamily::P384 => Nid::SECP384R1,
        KeyFamily::P521 => Nid::SECP521R1,
        _ => return Err(KeyFault::Refused),
    };
    EcGroup::from_curve_name(nid).map_err(|_| KeyFault::Refused)
}

pub(crate) fn id(family: KeyFamily) -> Result<Id, KeyFault> {
    match family {
        KeyFamily::Ed25519 => Ok(Id::ED25519),
        KeyFamily::X25519 => Ok(Id::X25519),
        _ => Err(KeyFault::Refused),
    }
}

/// A base64url member of a JWK.
pub(crate) fn octets(jwk: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, KeyFault> {
    match jwk.get(member) {
        None => Err(KeyFault::MemberMissing { member }),
        Some(Value::String(text)) => b64::decode(text).ok_or(KeyFault::MemberEncoding { member }),
        Some(other) => Err(KeyFault::MemberType { member, found: type_name(other), wanted: "a string" }),
    }
}

/// RFC 7518 section 2, `Base64urlUInt`: the minimum number of octets.
pub(crate) fn integer(jwk: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, KeyFault> {
    let bytes = octets(jwk, member)?;
    match bytes.first() {
        None => Err(KeyFault::MemberEncoding { member }),
        Some(0) => Err(KeyFault::LeadingZero { member }),
        Some(_) => Ok(bytes),
    }
}

fn text<'a>(jwk: &'a Map<String, Value>, member: &'static str) -> Result<&'a str, KeyFault> {
    match jwk.get(member) {
        None => Err(KeyFault::MemberMissing { member }),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(KeyFault::MemberType { member, found: type_name(other), wanted: "a string" }),
    }
}

impl Material {
    /// RFC 7518 sections 6.2.1 and 6.3.1, RFC 8037 section 2.
    pub(crate) fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, KeyFault> {
        let kty = text(jwk, "kty")?;
        let material = match kty {
            "RSA" => Self::Rsa { n: integer(jwk, "n")?, e: integer(jwk, "e")? },
            "EC" | "OKP" => {
                let crv = text(jwk, "crv")?;
                let family = KeyFamily::from_curve(kty, crv)
                    .ok_or_else(|| KeyFault::CurveUnsupported { found: Offered::new(crv) })?;
                let x = octets(jwk, "x")?;
                let y = if kty == "EC" { Some(octets(jwk, "y")?) } else { None };
                Self::Curve { family, x, y }
            }
            "oct" => return Err(KeyFault::SymmetricGiven),
            other => return Err(KeyFault::TypeUnsupported { found: Offered::new(other) }),
        };
        material.check()?;
        Ok(material)
    }

    /// The members of a key that OpenSSL has read from PEM or a certificate.
    pub(crate) fn from_pkey<T: HasPublic>(pkey: &PKeyRef<T>) -> Result<Self, KeyFault> {
        let refused = |_| KeyFault::Refused;
        let material = match pkey.id() {
            Id::RSA => {
                let rsa = pkey.rsa().map_err(refused)?;
                Self::Rsa { n: rsa.n().to_vec(), e: rsa.e().to_vec() }
            }
            Id::EC => {
                let key = pkey.ec_key().map_err(refused)?;
                let family = match key.group().curve_name() {
                    Some(Nid::X9_62_PRIME256V1) => KeyFamily::P256,
                    Some(Nid::SECP384R1) => KeyFamily::P384,
                    Some(Nid::SECP521R1) => KeyFamily::P521,
                    other => {
                        let name = other.and_then(|nid| nid.short_name().ok()).unwrap_or("unnamed");
                        return Err(KeyFault::CurveUnsupported { found: Offered::new(name) });
                    }
                };
                let (mut x, mut y) = (BigNum::new().map_err(refused)?, BigNum::new().map_err(refused)?);
                let mut context = BigNumContext::new().map_err(refused)?;
                key.public_key()
                    .affine_coordinates(key.group(), &mut x, &mut y, &mut context)
                    .map_err(|_| not_on(family))?;
                let length = i32::try_from(family.coordinate_len()).map_err(|_| KeyFault::Refused)?;
                Self::Curve {
                    family,
                    x: x.to_vec_padded(length).map_err(refused)?,
                    y: Some(y.to_vec_padded(length).map_err(refused)?),
                }
            }
            Id::ED25519 | Id::X25519 => Self::Curve {
                family: if pkey.id() == Id::X25519 { KeyFamily::X25519 } else { KeyFamily::Ed25519 },
                x: pkey.raw_public_key().map_err(refused)?,
                y: None,
            },
            other => {
                let name = Nid::from_raw(other.as_raw()).short_name().unwrap_or("unknown").to_owned();
                return Err(KeyFault::TypeUnsupported { found: Offered::new(&name) });
            }
        };
        material.check()?;
        Ok(material)
    }

    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa { n, .. } => KeyKind::Rsa { bits: bits(n) },
            Self::Curve { family: KeyFamily::P256, .. } => KeyKind::P256,
            Self::Curve { family: KeyFamily::P384, .. } => KeyKind::P384,
            Self::Curve { family: KeyFamily::P521, .. } => KeyKind::P521,
            Self::Curve { family: KeyFamily::X25519, .. } => KeyKind::X25519,
            Self::Curve { .. } => KeyKind::Ed25519,
        }
    }

    fn check(&self) -> Result<(), KeyFault> {
        match self {
            Self::Rsa { n, e } => check_rsa(n, e),
            Self::Curve { family, x, y } => {
                let wanted = family.coordinate_len();
                // RFC 7518 section 6.2.1.2: the length must be the full size of a coordinate.
                for (member, value) in [("x", Some(x)), ("y", y.as_ref())] {
                    if let Some(found) = value.map(Vec::len).filter(|found| *found != wanted) {
                        return Err(KeyFault::CoordinateLength { member, found, wanted });
                    }
                }
                let key = self.to_pkey()?;
                match family {
                    KeyFamily::X25519 => contributory(&key),
                    KeyFamily::Ed25519 if !edwards_point(x).unwrap_or(false) => Err(not_on(*family)),
                    _ => Ok(()),
                }
            }
        }
    }

    /// The key as OpenSSL holds it. A point that is not on its curve is refused here.
    pub(crate) fn to_pkey(&self) -> Result<PKey<Public>, KeyFault> {
        let refused = |_| KeyFault::Refused;
        match self {
            Self::Rsa { n, e } => {
                let n = BigNum::from_slice(n).map_err(refused)?;
                let e = BigNum::from_slice(e).map_err(refused)?;
                Rsa::from_public_components(n, e).and_then(PKey::from_rsa).map_err(refused)
            }
            Self::Curve { family, x, y: Some(y) } => {
                let group = group(*family)?;
                let x = BigNum::from_slice(x).map_err(refused)?;
                let y = BigNum::from_slice(y).map_err(refused)?;
                // SEC 1 section 3.2.2.1, as RFC 7518 section 6.2.2 has it: the point must satisfy the equation.
                EcKey::from_public_key_affine_coordinates(&group, &x, &y)
                    .and_then(PKey::from_ec_key)
                    .map_err(|_| not_on(*family))
            }
            Self::Curve { family, x, y: None } => {
                PKey::public_key_from_raw_bytes(x, id(*family)?).map_err(|_| not_on(*family))
            }
        }
    }

    /// The JWK members of the key itself, in lexical order as RFC 7638 section 3.3 wants them.
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rsa { n, e } => {
                vec![("e", b64::encode(e)), ("kty", "RSA".into()), ("n", b64::encode(n))]
            }
            Self::Curve { family, x, y } => {
                let mut members = vec![
                    ("crv", family.curve().unwrap_or_default().to_owned()),
                    ("kty", family.kty().to_owned()),
                    ("x", b64::encode(x)),
                ];
                members.extend(y.as_ref().map(|y| ("y", b64::encode(y))));
                members
            }
        }
    }

    /// RFC 7638 section 3: SHA-256 over the required members in lexical order without white space.
    pub(crate) fn thumbprint(&self) -> String {
        // Every value is base64url or a registered name, so nothing needs escaping.
        let members: Vec<String> =
            self.members().iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        b64::encode(&openssl::sha::sha256(format!("{{{}}}", members.join(",")).as_bytes()))
    }
}

fn bits(n: &[u8]) -> u32 {
    let leading = n.first().map_or(0, |first| first.leading_zeros());
    u32::try_from(n.len()).unwrap_or(u32::MAX / 8).saturating_mul(8).saturating_sub(leading)
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyFault> {
    let bits = bits(n);
    // RFC 7518 sections 3.3 and 4.3: at least 2048 bits. The ceiling bounds the work of one operation.
    if bits < *RSA_BITS.start() {
        return Err(KeyFault::RsaTooSmall { bits });
    }
    if bits > *RSA_BITS.end() {
        return Err(KeyFault::RsaTooLarge { bits });
    }
    if n.last().is_none_or(|last| last % 2 == 0) {
        return Err(KeyFault::RsaModulus);
    }
    // RFC 8017 section 3.1: odd and at least 3; less than 2^32 so that verification stays cheap.
    let small = <[u8; 4]>::try_from([&[0; 4][..4_usize.saturating_sub(e.len())], e].concat().as_slice())
        .map(u32::from_be_bytes)
        .map_err(|_| KeyFault::RsaExponent { found: format!("of {} octets", e.len()) })?;
    if small < 3 || small.is_multiple_of(2) {
        return Err(KeyFault::RsaExponent { found: small.to_string() });
    }
    Ok(())
}

/// RFC 7748 section 6.1, RFC 8037 section 3.2.1: a point that always leads to the all-zero secret is refused.
fn contributory(key: &PKey<Public>) -> Result<(), KeyFault> {
    let own = PKey::generate_x25519().map_err(|_| KeyFault::Refused)?;
    let mut deriver = Deriver::new(&own).map_err(|_| KeyFault::Refused)?;
    deriver.set_peer(key).and_then(|()| deriver.derive_to_vec()).map_err(|_| not_on(KeyFamily::X25519))?;
    Ok(())
}

fn not_on(family: KeyFamily) -> KeyFault {
    KeyFault::NotOnCurve { curve: family.curve().unwrap_or_default() }
}

/// The y coordinates of the points of order 8 on edwards25519, least significant octet first; those of order 1, 2
/// and 4 are 1, -1 and 0.
const ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Whether 32 octets are a point of edwards25519 that is not of small order.
///
/// RFC 8032 section 5.1.3: y is less than p, and (y^2 - 1) / (d y^2 + 1) is a square. A key of small order would
/// accept signatures that nobody made.
#[expect(clippy::many_single_char_names, reason = "the names of RFC 8032 section 5.1.3")]
fn edwards_point(encoded: &[u8]) -> Result<bool, ErrorStack> {
    let mut y: Vec<u8> = encoded.to_vec();
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    if ORDER_EIGHT.iter().any(|small| small.as_slice() == y) {
        return Ok(false);
    }
    y.reverse();
    let y = BigNum::from_slice(&y)?;
    let one = BigNum::from_u32(1)?;
    let mut context = BigNumContext::new()?;
    // p = 2^255 - 19.
    let mut p = BigNum::new()?;
    p.set_bit(255)?;
    p.sub_word(19)?;
    let mut minus_one = BigNum::new()?;
    minus_one.checked_sub(&p, &one)?;
    if y >= p || y == one || y == minus_one || y.num_bits() == 0 {
        return Ok(false);
    }
    // RFC 8032 section 5.1: d = -121665 / 121666. With u = y^2 - 1 and v = d y^2 + 1, u/v is a square when uv is.
    let mut d = BigNum::new()?;
    let divisor = BigNum::from_u32(121_666)?;
    d.mod_inverse(&divisor, &p, &mut context)?;
    d.mul_word(121_665)?;
    let mut square = BigNum::new()?;
    square.mod_sqr(&y, &p, &mut context)?;
    let mut u = BigNum::new()?;
    u.mod_sub(&square, &one, &p, &mut context)?;
    let mut product = BigNum::new()?;
    product.mod_mul(&d, &square, &p, &mut context)?;
    let mut v = BigNum::new()?;
    v.mod_sub(&one, &product, &p, &mut context)?;
    product.mod_mul(&u, &v, &p, &mut context)?;
    // Euler's criterion: the power (p - 1) / 2 is 1 for squares.
    let mut half = BigNum::new()?;
    half.rshift1(&minus_one)?;
    let mut symbol = BigNum::new()?;
    symbol.mod_exp(&product, &half, &p, &mut context)?;
    Ok(symbol == one)
}
