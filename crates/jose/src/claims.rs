//! The claims of a token.

use std::fmt;

use serde_json::{Map, Value};

use crate::fault::Offered;
use crate::strict::{self, Broken};
use crate::{JoseFault, Limits};

/// The claims of a token: a JSON object without duplicate members, within the limits.
///
/// `Debug` shows the names and no value: claims are personal data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Claims(Map<String, Value>);

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys().map(|name| Offered::new(name))).finish()
    }
}

/// Times later than this are refused: 2^53, the largest integer that every JSON reader agrees on.
const LATEST: i64 = 1 << 53;

impl Claims {
    /// Parses a JSON object; duplicate members, excessive depth, size and count are refused.
    ///
    /// RFC 7519 section 4: claim names within a claims set must be unique.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, JoseFault> {
        if bytes.len() > limits.claims {
            return Err(JoseFault::ClaimsTooLarge);
        }
        strict::object(bytes, limits.depth, limits.values).map(Self).map_err(|broken| match broken {
            Broken::Syntax | Broken::NotObject => JoseFault::ClaimsNotJson,
            Broken::Duplicate(name) => JoseFault::DuplicateMember { name },
            Broken::Depth => JoseFault::ClaimsTooDeep,
            Broken::Count => JoseFault::ClaimsTooMany,
        })
    }

    /// A string claim; `None` if it is absent or of another type.
    ///
    /// After [`crate::verify()`], `iss`, `sub` and `jti` are known to be strings if present.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The issuer (RFC 7519 section 4.1.1).
    pub fn iss(&self) -> Option<&str> {
        self.str("iss")
    }

    /// The subject (RFC 7519 section 4.1.2).
    pub fn sub(&self) -> Option<&str> {
        self.str("sub")
    }

    /// The token's id (RFC 7519 section 4.1.7).
    pub fn jti(&self) -> Option<&str> {
        self.str("jti")
    }

    /// The audiences: one string or an array of strings (RFC 7519 section 4.1.3); empty if absent.
    pub fn aud(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The expiry in Unix seconds (RFC 7519 section 4.1.4).
    pub fn exp(&self) -> Result<Option<i64>, JoseFault> {
        self.time("exp")
    }

    /// The time of issue in Unix seconds (RFC 7519 section 4.1.6).
    pub fn iat(&self) -> Result<Option<i64>, JoseFault> {
        self.time("iat")
    }

    /// The start of validity in Unix seconds (RFC 7519 section 4.1.5).
    pub fn nbf(&self) -> Result<Option<i64>, JoseFault> {
        self.time("nbf")
    }

    /// A `NumericDate` between 0 and 2^53; a fraction is dropped, anything else is a fault.
    ///
    /// RFC 7519 section 2: a JSON number of seconds, possibly with a fraction.
    pub fn time(&self, claim: &'static str) -> Result<Option<i64>, JoseFault> {
        let number = match self.0.get(claim) {
            None => return Ok(None),
            Some(Value::Number(number)) => number,
            Some(_) => return Err(JoseFault::TimeInvalid { claim }),
        };
        let seconds = number.as_i64().or_else(|| number.as_f64().and_then(whole_seconds));
        match seconds {
            Some(seconds) if (0..=LATEST).contains(&seconds) => Ok(Some(seconds)),
            _ => Err(JoseFault::TimeInvalid { claim }),
        }
    }

    /// Any claim.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All claims.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All claims.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// The types that the registered claims have if they are present.
    ///
    /// RFC 7519 sections 4.1.1, 4.1.2, 4.1.3 and 4.1.7: strings; `aud` may be an array of strings.
    pub(crate) fn check_types(&self) -> Result<(), JoseFault> {
        let wrong = |claim: &str| Err(JoseFault::ClaimType { claim: Offered::new(claim) });
        for claim in ["iss", "sub", "jti"] {
            if self.0.get(claim).is_some_and(|value| !value.is_string()) {
                return wrong(claim);
            }
        }
        match self.0.get("aud") {
            None | Some(Value::String(_)) => Ok(()),
            Some(Value::Array(many)) if many.iter().all(Value::is_string) => Ok(()),
            Some(_) => wrong("aud"),
        }
    }
}

fn whole_seconds(value: f64) -> Option<i64> {
    // Bounded first, so that the conversion is exact: 2^53 is representable.
    #[expect(clippy::cast_precision_loss, reason = "2^53 is exact in an f64")]
    let bounded = value.is_finite() && value >= 0.0 && value <= LATEST as f64;
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    bounded.then(|| value.floor() as i64)
}
