//! A client: who it is, what it must send and what it receives.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use signet_jose::{ContentAlg, KeyAlg, SigAlg};

use crate::context::UnixTime;
use crate::ids::{ClientId, TenantId, TokenHash};

/// A registered relying party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Whose client it is.
    pub tenant: TenantId,
    /// Its name on the wire.
    pub client_id: ClientId,
    /// Counts up with every change; a write names the version it saw.
    pub version: i64,
    /// A disabled client is treated as unknown.
    pub disabled: bool,
    /// Hash of the client secret, if it has one.
    pub secret_hash: Option<TokenHash>,
    /// Everything an administrator can choose.
    pub settings: ClientSettings,
    /// When it was registered.
    pub created_at: UnixTime,
    /// When it was last changed.
    pub updated_at: UnixTime,
}

/// What an administrator chooses for a client. The names follow OpenID Connect Dynamic Client
/// Registration section 2 and RFC 7591 section 2 where those have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettings {
    /// Name shown to people.
    pub client_name: String,
    /// Home page of the application.
    pub client_uri: Option<String>,
    /// Image shown on the consent page; https.
    pub logo_uri: Option<String>,
    /// Privacy policy.
    pub policy_uri: Option<String>,
    /// Terms of service.
    pub tos_uri: Option<String>,
    /// `web` or `native`; decides which redirect URIs are allowed.
    pub application_type: ApplicationType,
    /// Where responses may go; compared exactly (RFC 9700 section 2.1).
    pub redirect_uris: Vec<String>,
    /// How the client proves itself at the token endpoint.
    pub token_endpoint_auth_method: ClientAuthMethod,
    /// Scope values the client may ask for; `openid` is always among them.
    pub scope: BTreeSet<String>,
    /// PKCE with S256 is demanded (RFC 7636); always so for public clients.
    pub require_pkce: bool,
    /// Authorization requests without a request object are refused.
    pub require_request_object: bool,
    /// Request objects that are not encrypted are refused.
    pub require_encrypted_request_object: bool,
    /// Request objects without `jti` are refused.
    pub require_jti: bool,
    /// Accepted signature algorithms of request objects; empty means every asymmetric one.
    pub request_object_signing_algs: BTreeSet<SigAlg>,
    /// Whether parameters beside the object count.
    pub request_object_parameters: RequestObjectParameters,
    /// Signature and encryption of ID tokens.
    pub id_token: IdTokenSettings,
    /// Form, signature and encryption of UserInfo responses.
    pub userinfo: UserInfoSettings,
    /// The `kid` of the key that responses are encrypted to; else the choice of A-87.
    pub encryption_kid: Option<String>,
    /// Ask people for consent; trusted first-party clients may go without.
    pub require_consent: bool,
    /// `max_age` where the request has none.
    pub default_max_age: Option<i64>,
    /// How long things live.
    pub lifetimes: Lifetimes,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            client_name: String::new(),
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            application_type: ApplicationType::Web,
            redirect_uris: Vec::new(),
            token_endpoint_auth_method: ClientAuthMethod::ClientSecretBasic,
            scope: ["openid", "profile", "email"].map(String::from).into(),
            require_pkce: true,
            require_request_object: false,
            require_encrypted_request_object: false,
            require_jti: false,
            request_object_signing_algs: BTreeSet::new(),
            request_object_parameters: RequestObjectParameters::ObjectOnly,
            id_token: IdTokenSettings::default(),
            userinfo: UserInfoSettings::default(),
            encryption_kid: None,
            require_consent: true,
            default_max_age: None,
            lifetimes: Lifetimes::default(),
        }
    }
}

/// OpenID Connect Dynamic Client Registration section 2, `application_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// https redirect URIs (loopback http where the tenant's mode allows it).
    Web,
    /// Loopback http with any port, private-use schemes, or claimed https (RFC 8252 section 7).
    Native,
}

/// `token_endpoint_auth_method` (OpenID Connect Core section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// HTTP Basic.
    ClientSecretBasic,
    /// Form parameters.
    ClientSecretPost,
    /// A public client; PKCE is its proof.
    None,
}

impl ClientAuthMethod {
    /// Every supported method; discovery is made from this.
    pub const ALL: &'static [Self] = &[Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// The registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// Which parameters count when a request object is present (A.13-a).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestObjectParameters {
    /// RFC 9101 section 6.3: only those inside the object.
    ObjectOnly,
    /// OpenID Connect Core section 6.1: those inside overwrite those beside it.
    ObjectOverrides,
}

/// An `alg` and `enc` pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// Key management.
    pub alg: KeyAlg,
    /// Content encryption.
    pub enc: ContentAlg,
}

/// Protection of ID tokens: always signed, then encrypted if set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdTokenSettings {
    /// `id_token_signed_response_alg`.
    pub signed: SigAlg,
    /// `id_token_encrypted_response_alg` and `_enc`.
    pub encrypted: Option<Encryption>,
    /// Also put the claims of the granted scopes into the ID token.
    pub include_scope_claims: bool,
}

impl Default for IdTokenSettings {
    fn default() -> Self {
        Self { signed: SigAlg::RS256, encrypted: None, include_scope_claims: false }
    }
}

/// Protection of UserInfo responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserInfoSettings {
    /// The form of the response.
    pub response_type: UserInfoResponseType,
    /// `userinfo_signed_response_alg`, used when the form is signed.
    pub signed: SigAlg,
    /// `userinfo_encrypted_response_alg` and `_enc`; needed when the form is encrypted.
    pub encrypted: Option<Encryption>,
}

impl Default for UserInfoSettings {
    fn default() -> Self {
        Self { response_type: UserInfoResponseType::Json, signed: SigAlg::RS256, encrypted: None }
    }
}

/// The four forms of a UserInfo response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserInfoResponseType {
    /// `application/json`.
    Json,
    /// A JWS.
    Signed,
    /// A JWE of the JSON claims; nothing proves its origin (A.13-g).
    Encrypted,
    /// A nested JWT.
    SignedAndEncrypted,
}

impl UserInfoResponseType {
    /// Every form, for tables and tests.
    pub const ALL: &'static [Self] = &[Self::Json, Self::Signed, Self::Encrypted, Self::SignedAndEncrypted];

    /// Whether a JWS is made.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::Signed | Self::SignedAndEncrypted)
    }

    /// Whether a JWE is made.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Encrypted | Self::SignedAndEncrypted)
    }
}

/// Lifetimes in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifetimes {
    /// Authorization code; RFC 6749 section 4.1.2 recommends at most 600.
    pub code: i64,
    /// Access token.
    pub access_token: i64,
    /// ID token.
    pub id_token: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { code: 60, access_token: 600, id_token: 600 }
    }
}
