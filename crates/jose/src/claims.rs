//! Claims.
use serde_json::{Map, Value};

use crate::{JoseFault, Limits};

/// The claims of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Parses a JSON object; duplicate members, excessive depth, size and count are refused.
    pub fn parse(_bytes: &[u8], _limits: &Limits) -> Result<Self, JoseFault> {
        Err(JoseFault::ClaimsNotJson)
    }
    /// A string claim; `None` if absent, a fault if of another type.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
    /// `iss`.
    pub fn iss(&self) -> Option<&str> {
        self.str("iss")
    }
    /// `sub`.
    pub fn sub(&self) -> Option<&str> {
        self.str("sub")
    }
    /// `jti`.
    pub fn jti(&self) -> Option<&str> {
        self.str("jti")
    }
    /// `aud`: one string or several.
    pub fn aud(&self) -> Vec<&str> {
        Vec::new()
    }
    /// `exp` in seconds, fraction dropped.
    pub fn exp(&self) -> Result<Option<i64>, JoseFault> {
        Err(JoseFault::ExpMissing)
    }
    /// `iat` in seconds, fraction dropped.
    pub fn iat(&self) -> Result<Option<i64>, JoseFault> {
        Err(JoseFault::ExpMissing)
    }
    /// `nbf` in seconds, fraction dropped.
    pub fn nbf(&self) -> Result<Option<i64>, JoseFault> {
        Err(JoseFault::ExpMissing)
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
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}
