//! Tokens that nobody signed (`alg: none`): made and read by functions of their own, and nowhere else.

use serde_json::{Map, Value};

use crate::compact::{decode, header_map};
use crate::fault::Offered;
use crate::header;
use crate::{Claims, JoseFault, Limits, SigAlg};

/// The claims of a token that nobody signed: anybody may have written them.
///
/// This is no [`crate::Verified`] and cannot become one; [`crate::parse`] and [`crate::verify()`] refuse `none` in
/// every spelling. Only [`parse_unsigned`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedClaims {
    claims: Claims,
    typ: Option<String>,
}

impl UnsignedClaims {
    /// What the token says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// What the token says.
    #[must_use]
    pub fn into_claims(self) -> Claims {
        self.claims
    }

    /// The header's `typ` (RFC 7515 section 4.1.9).
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }
}

/// Reads a token whose `alg` is `none`, by the rules of [`crate::parse`] for size, encoding, header and claims.
/// A signed or encrypted token is refused. Nothing is verified, since there is nothing to verify.
///
/// RFC 7519 section 6: an unsecured JWT has "the "alg" Header Parameter value "none" and [...] the empty string for
/// its JWS Signature value". RFC 7515 section 4.1.1: the name is case-sensitive.
pub fn parse_unsigned(token: &str, limits: &Limits) -> Result<UnsignedClaims, JoseFault> {
    if token.len() > limits.token {
        return Err(JoseFault::TokenTooLarge);
    }
    if token.trim_start().starts_with('{') {
        return Err(JoseFault::JsonSerialization);
    }
    let segments: Vec<&str> = token.split('.').collect();
    let [first, payload, signature] = segments[..] else {
        return Err(match segments.len() {
            5 => JoseFault::SealedNotExpected,
            found => JoseFault::Segments { found },
        });
    };
    let map = header_map(first, limits)?;
    let alg = header::text(&map, "alg")?.ok_or(JoseFault::AlgMissing)?;
    if alg != "none" {
        return Err(match SigAlg::from_name(&alg) {
            Some(_) => JoseFault::SignatureNotExpected,
            None => JoseFault::UnsupportedAlgorithm { offered: Offered::new(&alg) },
        });
    }
    // Not used, but as strict as anywhere else.
    header::kid(&map)?;
    header::text(&map, "cty")?;
    let typ = header::text(&map, "typ")?;
    // RFC 7518 section 3.6: "recipients MUST verify that the JWS Signature value is the empty octet sequence".
    if !signature.is_empty() {
        return Err(JoseFault::SignatureNotExpected);
    }
    if payload.is_empty() {
        return Err(JoseFault::PayloadMissing);
    }
    let claims = Claims::parse(&decode("payload", payload)?, limits)?;
    claims.check_types()?;
    Ok(UnsignedClaims { claims, typ })
}

/// Makes a token without a signature.
///
/// OpenID Connect Core 1.0 section 2: ID tokens "MUST NOT use none as the alg value unless the Response Type used
/// returns no ID Token from the Authorization Endpoint [...] and the Client explicitly requested the use of none at
/// Registration time". The caller sees to that.
#[must_use]
pub fn unsigned(typ: Option<&str>, payload: &[u8]) -> String {
    let mut header = Map::new();
    header.insert("alg".into(), "none".into());
    if let Some(typ) = typ {
        header.insert("typ".into(), typ.into());
    }
    let header = Value::Object(header).to_string();
    format!("{}.{}.", crate::b64::encode(header.as_bytes()), crate::b64::encode(payload))
}
