//! The declarative file model: one tenant's settings, clients and users.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use signet_jose::KeyUse;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::fault::Refusal;
use crate::context::UnixTime;
use crate::ids::{ClientId, TenantId};
use crate::records::{ClientSettings, KeyOrigin, Role, TenantSettings};

/// The version of the model.
const VERSION: u32 = 1;

/// What shall be in one tenant. What is not named here stays as it is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The version of this model: 1.
    pub version: u32,
    /// The tenant itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantDeclaration>,
    /// Clients.
    #[serde(default)]
    pub clients: Vec<ClientDeclaration>,
    /// Users.
    #[serde(default)]
    pub users: Vec<UserDeclaration>,
}

impl Declaration {
    /// Whether the version is known and nothing is declared twice.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.version != VERSION {
            return Err(Refusal::Version { found: self.version });
        }
        let mut seen = BTreeSet::new();
        for client in &self.clients {
            if !seen.insert(client.client_id.as_str()) {
                return Err(Refusal::DeclaredTwice { name: client.client_id.to_string() });
            }
        }
        let mut seen = BTreeSet::new();
        for user in &self.users {
            if !seen.insert(super::username(&user.username)?) {
                return Err(Refusal::DeclaredTwice { name: user.username.clone() });
            }
        }
        Ok(())
    }
}

/// A tenant as it shall be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantDeclaration {
    /// Which tenant; the one that the file is applied to if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TenantId>,
    /// The issuer, kept exactly as written. Needed for a new tenant; otherwise the present one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub settings: TenantSettings,
}

/// A client as it shall be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientDeclaration {
    /// Which client.
    pub client_id: ClientId,
    /// Treated as unknown while set.
    #[serde(default)]
    pub disabled: bool,
    /// A secret to set. Left out, the present one is kept.
    #[serde(default, skip_serializing)]
    #[schemars(with = "Option<String>")]
    pub secret: Option<Secret>,
    /// Make a secret if the client has none. Shown once.
    #[serde(default)]
    pub generate_secret: bool,
    /// Keys that the client shall have.
    #[serde(default)]
    pub keys: Vec<KeyDeclaration>,
    /// Withdraw the keys that are not declared. Off, they stay.
    #[serde(default)]
    pub prune_keys: bool,
    /// The developer whose client it is, by the user's id; `null` for nobody's. Left out, it stays whose it is.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Uuid>")]
    pub owner: Option<Option<Uuid>>,
    /// Everything else, beside the members above.
    #[serde(flatten)]
    pub settings: ClientSettings,
}

/// Tells `null` from what is left out.
#[expect(clippy::option_option, reason = "left out, null, and a value mean three things")]
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A client's key as it shall be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyDeclaration {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub usage: KeyUse,
    /// The public key: a JWK or JWK set (as text or as an object), an SPKI PEM or an X.509 certificate in PEM.
    pub source: Value,
    /// Start of the period in Unix seconds; overrides the source's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixTime>,
    /// End of the period in Unix seconds; overrides the source's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<UnixTime>,
    /// Set by the caller that has just made the key pair itself; otherwise the form of the source.
    #[serde(skip)]
    pub origin: Option<KeyOrigin>,
}

/// A user as they shall be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserDeclaration {
    /// What the person types; stored in lower case.
    pub username: String,
    /// May not log in while set.
    #[serde(default)]
    pub disabled: bool,
    /// A password to set; hashed outside this crate. Left out, the present one is kept.
    #[serde(default, skip_serializing)]
    #[schemars(with = "Option<String>")]
    pub password: Option<Secret>,
    /// A hash to set as it is (PHC string of argon2id).
    #[serde(default, skip_serializing)]
    #[schemars(with = "Option<String>")]
    pub password_hash: Option<Secret>,
    /// Standard claims (OpenID Connect Core section 5.1).
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// What the person may do in the administration of the tenant; `null` for nothing. Left out, it stays as it is.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Role>")]
    pub role: Option<Option<Role>>,
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret, for hashing it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
