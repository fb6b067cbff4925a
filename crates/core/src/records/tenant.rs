//! A tenant is an issuer with its own keys, clients, users, policies and branding.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signet_jose::{KeyAlg, SigAlg};

use crate::context::UnixTime;
use crate::ids::{TenantId, TokenHash};
use crate::records::{AssertionAudience, RegistrationPolicy, SecondFactor};

/// One issuer.
#[derive(Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Short name, part of every key.
    pub id: TenantId,
    /// The issuer URL, exactly as it stands in tokens (OpenID Connect Core section 2, `iss`).
    pub issuer: String,
    /// Counts up with every change; a write names the version it saw.
    pub version: i64,
    /// Everything else.
    pub settings: TenantSettings,
    /// What pairwise subjects are derived with (OpenID Connect Core section 8.1): random, never changed, never shown.
    pub pairwise_salt: [u8; 32],
    /// When it was created.
    pub created_at: UnixTime,
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .field("version", &self.version)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A token that lets its holder register clients (RFC 7591 section 1.2, initial access token).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialAccessToken {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Hash of the token.
    pub hash: TokenHash,
    /// What people call it; unique in the tenant.
    pub name: String,
    /// How many clients may still be registered with it; `None` means any number.
    pub uses_left: Option<i64>,
    /// When it was made.
    pub created_at: UnixTime,
    /// Useless from here on.
    pub expires_at: Option<UnixTime>,
}

/// A tenant's policies and looks. Durations are seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSettings {
    /// How the pages look.
    pub branding: Branding,
    /// JWS algorithms the tenant keeps a signing key for.
    pub signing_algs: Vec<SigAlg>,
    /// JWE key management algorithms the tenant keeps a decryption key for.
    pub encryption_algs: Vec<KeyAlg>,
    /// How long a key signs before the next one takes over.
    pub key_lifetime: i64,
    /// How long a key is published before it is used, and how long clients may cache the JWKS.
    pub key_propagation: i64,
    /// How long a key stays published after its last use.
    pub key_retention: i64,
    /// Tolerance for other parties' clocks.
    pub clock_skew: i64,
    /// Longest accepted `exp - iat` of a request object (A.13-d).
    pub request_object_max_lifetime: i64,
    /// Oldest accepted `now - iat` of a request object (A.13-d).
    pub request_object_max_age: i64,
    /// Whether `client_id` may stand only inside the request object (A-48, A.13-b).
    pub client_id_in_object_only: bool,
    /// A session ends after this much silence.
    pub session_idle: i64,
    /// A session ends after this in any case.
    pub session_lifetime: i64,
    /// How long a person may take between authorization request and consent.
    pub interaction_lifetime: i64,
    /// Who may register clients.
    pub registration: RegistrationPolicy,
    /// People may make an account for themselves (`prompt=create`).
    pub self_registration: bool,
    /// Clients may register for request objects with `alg: none` (OpenID Connect Core section 6.1). Anybody can write such
    /// an object; for conformance tests.
    pub unsigned_request_objects: bool,
    /// Clients may register for ID tokens with `alg: none` from the token endpoint (OpenID Connect Core section 2).
    pub unsigned_id_tokens: bool,
    /// Every authorization request must be pushed (RFC 9126 section 5).
    pub require_pushed_authorization_requests: bool,
    /// Accepted audiences of client assertions.
    pub assertion_audience: AssertionAudience,
    /// Scopes beside the standard ones.
    pub scopes: Vec<CustomScope>,
    /// Whether people need a second factor.
    pub second_factor: SecondFactor,
    /// How many seconds audit events are kept; for ever if left out.
    pub audit_retention: Option<i64>,
    /// Its owners look after the installation: they see and make tenants. Only the command line sets it.
    pub operator: bool,
    /// Made by `signet dev`, with users and clients whose secrets everybody knows. Production refuses to serve it.
    pub development: bool,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            branding: Branding::default(),
            signing_algs: vec![SigAlg::RS256, SigAlg::ES256, SigAlg::EdDSA],
            encryption_algs: vec![
                KeyAlg::RsaOaep,
                KeyAlg::RsaOaep256,
                KeyAlg::EcdhEs,
                KeyAlg::EcdhEsA128Kw,
                KeyAlg::EcdhEsA256Kw,
            ],
            key_lifetime: 90 * 86_400,
            key_propagation: 86_400,
            key_retention: 7 * 86_400,
            clock_skew: 60,
            request_object_max_lifetime: 86_400,
            request_object_max_age: 86_400,
            client_id_in_object_only: false,
            session_idle: 3_600,
            session_lifetime: 12 * 3_600,
            interaction_lifetime: 1_800,
            registration: RegistrationPolicy::Off,
            self_registration: false,
            unsigned_request_objects: false,
            unsigned_id_tokens: false,
            require_pushed_authorization_requests: false,
            assertion_audience: AssertionAudience::IssuerOrEndpoint,
            scopes: Vec::new(),
            second_factor: SecondFactor::Optional,
            audit_retention: None,
            operator: false,
            development: false,
        }
    }
}

/// A scope of the tenant's own: what people are told, and which claims of a user it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CustomScope {
    /// The scope value.
    pub name: String,
    /// Heading on the consent page.
    pub title: String,
    /// Sentence on the consent page.
    pub detail: String,
    /// Claims it stands for; members of the user's claims by these names.
    pub claims: Vec<String>,
}

/// What a tenant's pages show of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// Name in headings and titles.
    pub name: String,
    /// Image shown above the form; https, or data.
    pub logo_url: Option<String>,
    /// `#rrggbb`; text colours are derived from it.
    pub accent: String,
}

impl Default for Branding {
    fn default() -> Self {
        Self { name: "Signet".into(), logo_url: None, accent: "#8c1c2e".into() }
    }
}
