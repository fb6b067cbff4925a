//! The parser of compact tokens. It works on bytes alone and runs before any key is touched.

use std::fmt;

use serde_json::{Map, Value};

use crate::fault::Offered;
use crate::header::{self, Ephemeral};
use crate::{Claims, ContentAlg, JoseFault, KeyAlg, KeyFamily, SigAlg, b64};

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

/// The members of a JWS header that are used. Others are tolerated and never looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsHeader {
    /// `alg` (RFC 7515 section 4.1.1).
    pub alg: SigAlg,
    /// `kid` (RFC 7515 section 4.1.4).
    pub kid: Option<String>,
    /// `typ` (RFC 7515 section 4.1.9).
    pub typ: Option<String>,
    /// `cty` (RFC 7515 section 4.1.10).
    pub cty: Option<String>,
}

/// The members of a JWE header that are used. Others are tolerated and never looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JweHeader {
    /// `alg` (RFC 7516 section 4.1.1).
    pub alg: KeyAlg,
    /// `enc` (RFC 7516 section 4.1.2).
    pub enc: ContentAlg,
    /// `kid` (RFC 7516 section 4.1.6).
    pub kid: Option<String>,
    /// `typ` (RFC 7516 section 4.1.11).
    pub typ: Option<String>,
    /// `cty` (RFC 7516 section 4.1.12).
    pub cty: Option<String>,
}

/// A JWS whose signature nobody has checked. `Debug` shows the header alone.
#[derive(Clone)]
pub struct UnverifiedJws {
    header: JwsHeader,
    pub(crate) signing_input: String,
    payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    limits: Limits,
}

/// A JWE that is still encrypted; every part has the length that its algorithms want. `Debug` shows the header
/// alone.
#[derive(Clone)]
pub struct SealedJwe {
    header: JweHeader,
    pub(crate) ephemeral: Option<Ephemeral>,
    pub(crate) aad: String,
    pub(crate) encrypted_key: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

/// The unverified claims that may be read to find the party whose keys verify the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peek {
    /// `iss`.
    pub iss: Option<String>,
    /// `client_id`.
    pub client_id: Option<String>,
    /// `sub`.
    pub sub: Option<String>,
    /// `aud`; empty if absent.
    pub aud: Vec<String>,
}

impl fmt::Debug for UnverifiedJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJws").field("header", &self.header).finish_non_exhaustive()
    }
}

impl fmt::Debug for SealedJwe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedJwe").field("header", &self.header).finish_non_exhaustive()
    }
}

impl UnverifiedJws {
    /// The header.
    pub fn header(&self) -> &JwsHeader {
        &self.header
    }

    /// Reads the claims that name parties, and nothing else, before verification.
    ///
    /// RFC 9101 section 10.8, RFC 7521 section 4.2 and OpenID Connect Core 1.0 section 6.1: the client must be known
    /// before its key can be.
    pub fn peek(&self) -> Result<Peek, JoseFault> {
        let claims = self.claims()?;
        let aud = claims.aud().into_iter().map(str::to_owned).collect();
        let mut map = claims.into_map();
        let mut take = |claim: &str| match map.remove(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JoseFault::ClaimType { claim: Offered::new(claim) }),
        };
        Ok(Peek { iss: take("iss")?, client_id: take("client_id")?, sub: take("sub")?, aud })
    }

    pub(crate) fn claims(&self) -> Result<Claims, JoseFault> {
        Claims::parse(&self.payload, &self.limits)
    }
}

impl SealedJwe {
    /// The header.
    pub fn header(&self) -> &JweHeader {
        &self.header
    }
}

/// Parses a compact token; no key is involved.
///
/// RFC 7515 section 7.1 and RFC 7516 section 7.1: three segments are a JWS, five a JWE.
pub fn parse(token: &str, limits: &Limits) -> Result<Compact, JoseFault> {
    if token.len() > limits.token {
        return Err(JoseFault::TokenTooLarge);
    }
    // RFC 7515 section 7.2, RFC 7516 section 7.2: the JSON serializations are not for OAuth.
    if token.trim_start().starts_with('{') {
        return Err(JoseFault::JsonSerialization);
    }
    let segments: Vec<&str> = token.split('.').collect();
    match segments[..] {
        [header, payload, signature] => jws([header, payload, signature], limits).map(Compact::Jws),
        [header, key, iv, ciphertext, tag] => {
            jwe([header, key, iv, ciphertext, tag], limits).map(Compact::Jwe)
        }
        _ => Err(JoseFault::Segments { found: segments.len() }),
    }
}

/// Parses what came out of a JWE: exactly one JWS. JSON, and a JWE inside a JWE, are refused.
///
/// RFC 9101 section 6.1: the plaintext of an encrypted request object is the signed one.
pub fn parse_nested(plaintext: &[u8], limits: &Limits) -> Result<UnverifiedJws, JoseFault> {
    let text = std::str::from_utf8(plaintext).map_err(|_| JoseFault::ContentNotJws)?;
    match parse(text, limits) {
        Ok(Compact::Jws(jws)) => Ok(jws),
        Ok(Compact::Jwe(_)) => Err(JoseFault::ContentIsJwe),
        Err(JoseFault::JsonSerialization | JoseFault::Segments { .. }) => Err(JoseFault::ContentNotJws),
        Err(_) if text.split('.').count() == 5 => Err(JoseFault::ContentIsJwe),
        Err(fault) => Err(fault),
    }
}

pub(crate) fn decode(segment: &'static str, text: &str) -> Result<Vec<u8>, JoseFault> {
    b64::decode(text).ok_or(JoseFault::NotBase64Url { segment })
}

pub(crate) fn header_map(text: &str, limits: &Limits) -> Result<Map<String, Value>, JoseFault> {
    if text.len() / 4 * 3 > limits.header {
        return Err(JoseFault::HeaderTooLarge);
    }
    header::parse(&decode("header", text)?, limits)
}

fn jws([header, payload, signature]: [&str; 3], limits: &Limits) -> Result<UnverifiedJws, JoseFault> {
    let map = header_map(header, limits)?;
    let alg = header::sig_alg(&map)?;
    let parsed = JwsHeader {
        alg,
        kid: header::kid(&map)?,
        typ: header::text(&map, "typ")?,
        cty: header::text(&map, "cty")?,
    };
    // RFC 7515 appendix F: detached content is not used.
    if payload.is_empty() {
        return Err(JoseFault::PayloadMissing);
    }
    if signature.is_empty() {
        return Err(JoseFault::SignatureMissing);
    }
    let decoded = decode("payload", payload)?;
    let signature = decode("signature", signature)?;
    if !signature_length_fits(alg, signature.len()) {
        return Err(JoseFault::SignatureLength);
    }
    let signing_input = format!("{header}.{payload}");
    Ok(UnverifiedJws { header: parsed, signing_input, payload: decoded, signature, limits: *limits })
}

/// RFC 7518 sections 3.2 to 3.5, RFC 8037 section 3.1: the lengths are fixed, save that RSA's follows from
/// the modulus, of which only the bounds are known here.
pub(crate) fn signature_length_fits(alg: SigAlg, length: usize) -> bool {
    match alg.key_kind() {
        KeyFamily::Rsa => (256..=512).contains(&length),
        KeyFamily::Secret => length == alg.hash().len(),
        curve => length == 2 * curve.coordinate_len(),
    }
}

fn jwe([header, key, iv, ciphertext, tag]: [&str; 5], limits: &Limits) -> Result<SealedJwe, JoseFault> {
    let map = header_map(header, limits)?;
    let alg = header::key_alg(&map)?;
    let enc = header::content_alg(&map)?;
    let parsed = JweHeader {
        alg,
        enc,
        kid: header::kid(&map)?,
        typ: header::text(&map, "typ")?,
        cty: header::text(&map, "cty")?,
    };
    let ephemeral = alg.is_agreement().then(|| header::ephemeral(&map)).transpose()?;

    let encrypted_key = decode("encrypted key", key)?;
    // RFC 7518 sections 4.3, 4.6 and 4.4 (RFC 3394: the wrap adds eight octets). RSA's length is held
    // against the modulus when the key is used.
    let key_fits = match alg {
        KeyAlg::RsaOaep | KeyAlg::RsaOaep256 => (256..=512).contains(&encrypted_key.len()),
        KeyAlg::EcdhEs => encrypted_key.is_empty(),
        KeyAlg::EcdhEsA128Kw | KeyAlg::EcdhEsA256Kw => encrypted_key.len() == enc.key_len() + 8,
    };
    if !key_fits {
        return Err(JoseFault::EncryptedKeyLength);
    }
    // RFC 7518 sections 5.2.2.1 and 5.3: 128 and 96 bits.
    let iv = decode("initialisation vector", iv)?;
    if iv.len() != enc.iv_len() {
        return Err(JoseFault::IvLength);
    }
    // RFC 7518 section 5.2.2.2: whole blocks, at least one; a token without content is of no use.
    let ciphertext = decode("ciphertext", ciphertext)?;
    if ciphertext.is_empty() || (enc.is_cbc() && ciphertext.len() % 16 != 0) {
        return Err(JoseFault::CiphertextLength);
    }
    // RFC 7518 sections 5.2.3 to 5.2.5 and 5.3: a shortened tag is not a tag.
    let tag = decode("authentication tag", tag)?;
    if tag.len() != enc.tag_len() {
        return Err(JoseFault::TagLength);
    }
    Ok(SealedJwe { header: parsed, ephemeral, aad: header.to_owned(), encrypted_key, iv, ciphertext, tag })
}
