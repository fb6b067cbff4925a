//! A client: who it is, what it must send and what it receives.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signet_jose::{ContentAlg, KeyAlg, SigAlg};
use uuid::Uuid;

use crate::context::UnixTime;
use crate::ids::{ClientId, TenantId, TokenHash};
use crate::records::{AccessTokenFormat, ClaimPlacement, GrantType, ResponseType, SubjectType};

/// A registered relying party.
#[derive(Clone, PartialEq, Eq)]
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
    /// The secret itself, encrypted under the master key; kept only where a MAC is made with it (`client_secret_jwt`,
    /// HS256 and its kin; OpenID Connect Core section 10.1).
    pub sealed_secret: Option<Vec<u8>>,
    /// Hash of the registration access token of a client that registered itself (RFC 7592 section 3).
    pub registration_token: Option<TokenHash>,
    /// The developer whose client it is; developers see no other ones.
    pub owner: Option<Uuid>,
    /// Everything an administrator can choose.
    pub settings: ClientSettings,
    /// When it was registered.
    pub created_at: UnixTime,
    /// When it was last changed.
    pub updated_at: UnixTime,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .field("version", &self.version)
            .field("disabled", &self.disabled)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What an administrator chooses for a client. The names follow OpenID Connect Dynamic Client
/// Registration section 2 and RFC 7591 section 2 where those have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettings {
    /// Name shown to people.
    pub client_name: String,
    /// Home page of the application.
    pub client_uri: Option<String>,
    /// Image shown on the consent page; https.
    pub logo_uri: Option<String>,
    /// Addresses of people responsible for the client.
    pub contacts: Vec<String>,
    /// RFC 7591 section 2, `software_id`.
    pub software_id: Option<String>,
    /// RFC 7591 section 2, `software_version`.
    pub software_version: Option<String>,
    /// Privacy policy.
    pub policy_uri: Option<String>,
    /// Terms of service.
    pub tos_uri: Option<String>,
    /// `web` or `native`; decides which redirect URIs are allowed.
    pub application_type: ApplicationType,
    /// Where responses may go; compared exactly (RFC 9700 section 2.1).
    pub redirect_uris: Vec<String>,
    /// What the client may ask to be returned.
    pub response_types: BTreeSet<ResponseType>,
    /// What the client may send to the token endpoint.
    pub grant_types: BTreeSet<GrantType>,
    /// Where request objects may be fetched from; compared exactly, fragment included.
    pub request_uris: Vec<String>,
    /// Authorization requests must be pushed (RFC 9126 section 6).
    pub require_pushed_authorization_requests: bool,
    /// Where the client's keys are published; instead of keys registered by value.
    pub jwks_uri: Option<String>,
    /// Whether `sub` is the same as other clients see.
    pub subject_type: SubjectType,
    /// A document that lists the redirect URIs of one sector (OpenID Connect Core section 8.1).
    pub sector_identifier_uri: Option<String>,
    /// How the client proves itself at the token endpoint.
    pub token_endpoint_auth_method: ClientAuthMethod,
    /// The one accepted signature algorithm of client assertions; any that fits the method if left out.
    pub token_endpoint_auth_signing_alg: Option<SigAlg>,
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
    /// Request objects must have `iat` and `exp`. Off, they are as the standards let them be: without `exp` an
    /// object is good, and can be sent again, for ever.
    pub require_request_object_times: bool,
    /// Accepted signature algorithms of request objects; empty means every asymmetric one, and with
    /// `allow_unsigned_request_object` none at all: the registered `none`.
    pub request_object_signing_algs: BTreeSet<SigAlg>,
    /// Request objects with `alg: none` are accepted; only where the tenant allows it, and never with
    /// `require_request_object`.
    pub allow_unsigned_request_object: bool,
    /// The encryption of request objects that the client announces. It "MAY still use other supported encryption algorithms
    /// or send unencrypted Request Objects" (Registration section 2, `request_object_encryption_alg` and `_enc`).
    pub request_object_encryption: Option<Encryption>,
    /// Whether parameters beside the object count.
    pub request_object_parameters: RequestObjectParameters,
    /// Signature and encryption of ID tokens.
    pub id_token: IdTokenSettings,
    /// Form, signature and encryption of UserInfo responses.
    pub userinfo: UserInfoSettings,
    /// Signature and encryption of authorization responses (JARM section 3).
    pub authorization_response: Protected,
    /// Signature and encryption of introspection responses (RFC 9701 section 6).
    pub introspection: Protected,
    /// Signature algorithm of logout tokens; that of ID tokens if left out. Encrypted like ID tokens (Back-Channel Logout
    /// section 2.4).
    pub logout_token_signed: Option<SigAlg>,
    /// The form of access tokens.
    pub access_token_format: AccessTokenFormat,
    /// Signature of access tokens in JWT form.
    pub access_token_signed: SigAlg,
    /// Resource servers the client may ask tokens for (RFC 8707), by absolute URI.
    pub resources: BTreeSet<String>,
    /// Where single claims are delivered, against the rule of their scope.
    pub claim_placement: BTreeMap<String, ClaimPlacement>,
    /// The `kid` of the key that responses are encrypted to; else the choice of A-87.
    pub encryption_kid: Option<String>,
    /// Ask people for consent; trusted first-party clients may go without.
    pub require_consent: bool,
    /// People prove themselves with two factors for this client, whatever its requests say.
    pub require_second_factor: bool,
    /// `max_age` where the request has none.
    pub default_max_age: Option<i64>,
    /// `auth_time` in every ID token. It is always there; kept because clients register it.
    pub require_auth_time: bool,
    /// `acr_values` where the request has none.
    pub default_acr_values: Vec<String>,
    /// Where a login may be started by somebody else (OpenID Connect Core section 4).
    pub initiate_login_uri: Option<String>,
    /// Where browsers may go after a logout; compared exactly (RP-Initiated Logout section 3.1).
    pub post_logout_redirect_uris: Vec<String>,
    /// Where logout tokens are sent (Back-Channel Logout section 2.2).
    pub backchannel_logout_uri: Option<String>,
    /// The client wants `sid` in logout tokens.
    pub backchannel_logout_session_required: bool,
    /// The page that is loaded in a frame at logout (Front-Channel Logout section 2).
    pub frontchannel_logout_uri: Option<String>,
    /// The client wants `iss` and `sid` in that frame's address.
    pub frontchannel_logout_session_required: bool,
    /// Each use of a refresh token gives a new one and ends the old one (RFC 9700 section 4.14.2). Off only for
    /// confidential clients.
    pub refresh_token_rotation: bool,
    /// How long things live.
    pub lifetimes: Lifetimes,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            client_name: String::new(),
            client_uri: None,
            logo_uri: None,
            contacts: Vec::new(),
            software_id: None,
            software_version: None,
            policy_uri: None,
            tos_uri: None,
            application_type: ApplicationType::Web,
            redirect_uris: Vec::new(),
            response_types: [ResponseType::Code].into(),
            grant_types: [GrantType::AuthorizationCode].into(),
            request_uris: Vec::new(),
            require_pushed_authorization_requests: false,
            jwks_uri: None,
            subject_type: SubjectType::Public,
            sector_identifier_uri: None,
            token_endpoint_auth_signing_alg: None,
            token_endpoint_auth_method: ClientAuthMethod::ClientSecretBasic,
            scope: ["openid", "profile", "email"].map(String::from).into(),
            require_pkce: true,
            require_request_object: false,
            require_encrypted_request_object: false,
            require_jti: false,
            require_request_object_times: true,
            request_object_signing_algs: BTreeSet::new(),
            allow_unsigned_request_object: false,
            request_object_encryption: None,
            request_object_parameters: RequestObjectParameters::ObjectOnly,
            id_token: IdTokenSettings::default(),
            userinfo: UserInfoSettings::default(),
            authorization_response: Protected::default(),
            introspection: Protected::default(),
            logout_token_signed: None,
            access_token_format: AccessTokenFormat::Opaque,
            access_token_signed: SigAlg::RS256,
            resources: BTreeSet::new(),
            claim_placement: BTreeMap::new(),
            encryption_kid: None,
            require_consent: true,
            require_second_factor: false,
            default_max_age: None,
            require_auth_time: false,
            default_acr_values: Vec::new(),
            initiate_login_uri: None,
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            frontchannel_logout_uri: None,
            frontchannel_logout_session_required: false,
            refresh_token_rotation: true,
            lifetimes: Lifetimes::default(),
        }
    }
}

impl ClientSettings {
    /// Whether anything is encrypted to the client.
    pub fn encrypts(&self) -> bool {
        let protected = [&self.authorization_response, &self.introspection];
        self.id_token.encrypted.is_some()
            || self.userinfo.encrypted.is_some()
            || protected.into_iter().any(|one| one.encrypted.is_some())
    }
}

/// OpenID Connect Dynamic Client Registration section 2, `application_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// https redirect URIs (loopback http where the tenant's mode allows it).
    Web,
    /// Loopback http with any port, private-use schemes, or claimed https (RFC 8252 section 7).
    Native,
}

/// `token_endpoint_auth_method` (OpenID Connect Core section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// HTTP Basic.
    ClientSecretBasic,
    /// Form parameters.
    ClientSecretPost,
    /// An assertion with a MAC made from the secret.
    ClientSecretJwt,
    /// An assertion signed with the client's key.
    PrivateKeyJwt,
    /// A public client; PKCE is its proof.
    None,
}

impl ClientAuthMethod {
    /// Every supported method; discovery is made from this.
    pub const ALL: &'static [Self] = &[
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::None,
    ];

    /// Whether the client proves itself with its secret.
    pub fn uses_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }

    /// The registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }
}

/// Which parameters count when a request object is present (A.13-a).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestObjectParameters {
    /// RFC 9101 section 6.3: only those inside the object.
    ObjectOnly,
    /// OpenID Connect Core section 6.1: those inside overwrite those beside it.
    ObjectOverrides,
}

/// An `alg` and `enc` pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// Key management.
    pub alg: KeyAlg,
    /// Content encryption.
    pub enc: ContentAlg,
}

/// Protection of ID tokens: always signed, then encrypted if set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdTokenSettings {
    /// `id_token_signed_response_alg`.
    pub signed: SigAlg,
    /// `id_token_encrypted_response_alg` and `_enc`.
    pub encrypted: Option<Encryption>,
    /// `alg: none` from the token endpoint (Core section 2); only where the tenant allows it, for the code flow, and never
    /// with encryption.
    pub unsigned: bool,
    /// Also put the claims of the granted scopes into the ID token.
    pub include_scope_claims: bool,
}

impl Default for IdTokenSettings {
    fn default() -> Self {
        Self { signed: SigAlg::RS256, encrypted: None, unsigned: false, include_scope_claims: false }
    }
}

/// Protection of a message that is always signed, then encrypted if set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Protected {
    /// The signature.
    pub signed: SigAlg,
    /// The encryption.
    pub encrypted: Option<Encryption>,
}

impl Default for Protected {
    fn default() -> Self {
        Self { signed: SigAlg::RS256, encrypted: None }
    }
}

/// Protection of UserInfo responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lifetimes {
    /// Authorization code; RFC 6749 section 4.1.2 recommends at most 600.
    pub code: i64,
    /// Access token.
    pub access_token: i64,
    /// ID token.
    pub id_token: i64,
    /// Pushed authorization request (RFC 9126 section 2.2).
    pub pushed_request: i64,
    /// Device code (RFC 8628 section 3.2).
    pub device_code: i64,
    /// A refresh token ends after this much silence.
    pub refresh_token_idle: i64,
    /// Refresh tokens of one grant end after this in any case.
    pub refresh_token: i64,
    /// For this long after its first use a rotated refresh token may be sent again, as long as its successor was not used:
    /// the response may have been lost. Zero: never.
    pub refresh_token_grace: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            code: 60,
            access_token: 600,
            id_token: 600,
            pushed_request: 60,
            device_code: 600,
            refresh_token_idle: 14 * 86_400,
            refresh_token: 90 * 86_400,
            refresh_token_grace: 30,
        }
    }
}
