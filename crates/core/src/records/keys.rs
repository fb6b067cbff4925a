//! Keys as records: the tenant's own and those of its clients.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signet_jose::{KeySpec, KeyUse};
use uuid::Uuid;

use crate::context::UnixTime;
use crate::ids::{ClientId, TenantId};

/// A key pair of the tenant. Its state follows from its times, so every node sees the same state
/// at the same instant and no job has to run for a transition.
#[derive(Clone, PartialEq, Eq)]
pub struct TenantKey {
    /// Whose key it is.
    pub tenant: TenantId,
    /// Names the material. The `kid` of each published entry is made from it and the algorithm.
    pub id: String,
    /// Signing or encryption, never both.
    pub usage: KeyUse,
    /// What kind of key it is.
    pub spec: KeySpec,
    /// JOSE names it serves; one JWKS entry each.
    pub algs: Vec<String>,
    /// The public JWK without `kid`, `use` and `alg`.
    pub public_jwk: Map<String, Value>,
    /// The private JWK, encrypted under the master key.
    pub sealed_private: Vec<u8>,
    /// Made at this instant; a signing key is published from here on (see [`crate::discovery::is_listed`]).
    pub created_at: UnixTime,
    /// Used for new signatures, or to be encrypted to, from here on.
    pub use_from: UnixTime,
    /// No longer used for new signatures from here on.
    pub use_until: UnixTime,
    /// No longer published and no longer accepted from here on.
    pub remove_at: UnixTime,
    /// Withdrawn at once.
    pub revoked_at: Option<UnixTime>,
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantKey")
            .field("tenant", &self.tenant)
            .field("id", &self.id)
            .field("usage", &self.usage)
            .field("algs", &self.algs)
            .field("use_from", &self.use_from)
            .field("use_until", &self.use_until)
            .finish_non_exhaustive()
    }
}

/// Where a tenant key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Not used yet: a signing key is in the JWKS so that caches learn it first, an encryption key reaches every
    /// node before it is listed.
    Published,
    /// In use.
    Active,
    /// Still accepted, no longer used for anything new.
    Retained,
    /// Gone.
    Removed,
}

impl TenantKey {
    /// The state at `now`.
    pub fn state(&self, now: UnixTime) -> KeyState {
        if self.revoked_at.is_some_and(|at| at <= now) || now >= self.remove_at {
            KeyState::Removed
        } else if now < self.use_from {
            KeyState::Published
        } else if now < self.use_until {
            KeyState::Active
        } else {
            KeyState::Retained
        }
    }

    /// The `kid` of the entry for `alg`.
    pub fn kid(&self, alg: &str) -> String {
        format!("{}-{alg}", self.id)
    }
}

/// A client's public key: a thing of its own with a name, a period and a usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientKey {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Whose key.
    pub client_id: ClientId,
    /// Names the record.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Signing keys verify, encryption keys encrypt; never the other way.
    pub usage: KeyUse,
    /// As the client named it, else the RFC 7638 thumbprint. Unique per client.
    pub kid: String,
    /// The RFC 7638 thumbprint of the material.
    pub thumbprint: String,
    /// The public JWK.
    pub jwk: Map<String, Value>,
    /// Not used before.
    pub not_before: Option<UnixTime>,
    /// Not used at or after.
    pub not_after: Option<UnixTime>,
    /// How it came here.
    pub origin: KeyOrigin,
    /// When it came here.
    pub created_at: UnixTime,
    /// Withdrawn at once.
    pub revoked_at: Option<UnixTime>,
}

impl ClientKey {
    /// A key outside its period is never used.
    pub fn usable_at(&self, now: UnixTime) -> bool {
        self.revoked_at.is_none_or(|at| now < at)
            && self.not_before.is_none_or(|from| from <= now)
            && self.not_after.is_none_or(|until| now < until)
    }
}

/// How a client's key came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyOrigin {
    /// Made here; the private part was shown once.
    Generated,
    /// Given as a JWK.
    Jwk,
    /// Given in a JWK set.
    Jwks,
    /// Given as an SPKI PEM.
    Pem,
    /// Given as an X.509 certificate; its validity became the key's.
    X509,
    /// Read from the client's `jwks_uri`; never stored.
    JwksUri,
    /// Made in the browser of somebody who tried a login.
    Trial,
}

impl KeyOrigin {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Jwk => "jwk",
            Self::Jwks => "jwks",
            Self::Pem => "pem",
            Self::X509 => "x509",
            Self::JwksUri => "jwks_uri",
            Self::Trial => "trial",
        }
    }

    /// The origin stored as `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Generated, Self::Jwk, Self::Jwks, Self::Pem, Self::X509, Self::JwksUri, Self::Trial]
            .into_iter()
            .find(|o| o.name() == name)
    }
}
