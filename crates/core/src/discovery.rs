//! Discovery (OpenID Connect Discovery section 3, RFC 8414) and the JWKS, made from what is there and never from a list
//! kept by hand.

use serde_json::{Map, Value, json};
use signet_jose::{ContentAlg, KeyUse, SigAlg};

use crate::authorize::DISPLAYS;
use crate::claims::{Catalogue, Scope};
use crate::context::UnixTime;
use crate::interaction::ACR_VALUES;
use crate::records::{
    ClientAuthMethod, GrantType, KeyState, RegistrationPolicy, ResponseMode, ResponseType, SubjectType,
    Tenant, TenantKey,
};
use crate::token::GRANTS;

/// The addresses under an issuer. The router and discovery are both made from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Where browsers bring authorization requests.
    Authorize,
    /// Where codes are redeemed.
    Token,
    /// Where claims are served.
    UserInfo,
    /// Where public keys are published.
    Jwks,
    /// Where tokens are looked into (RFC 7662).
    Introspection,
    /// Where tokens are ended (RFC 7009).
    Revocation,
    /// Where clients register themselves (RFC 7591).
    Register,
    /// Where browsers bring logout requests (RP-Initiated Logout section 2.1).
    EndSession,
    /// The frame that answers whether a login is still the same (Session Management section 3.3).
    CheckSession,
    /// Where clients push authorization requests (RFC 9126).
    PushedAuthorization,
    /// Where devices ask for a code (RFC 8628).
    DeviceAuthorization,
    /// Where people type that code.
    Device,
}

impl Endpoint {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Authorize,
        Self::Token,
        Self::UserInfo,
        Self::Jwks,
        Self::Introspection,
        Self::Revocation,
        Self::Register,
        Self::EndSession,
        Self::CheckSession,
        Self::PushedAuthorization,
        Self::DeviceAuthorization,
        Self::Device,
    ];

    /// Path below the issuer.
    pub fn path(self) -> &'static str {
        match self {
            Self::Authorize => "/authorize",
            Self::Token => "/token",
            Self::UserInfo => "/userinfo",
            Self::Jwks => "/jwks",
            Self::Introspection => "/introspect",
            Self::Revocation => "/revoke",
            Self::Register => "/register",
            Self::EndSession => "/logout",
            Self::CheckSession => "/check-session",
            Self::PushedAuthorization => "/par",
            Self::DeviceAuthorization => "/device_authorization",
            Self::Device => "/device",
        }
    }

    /// Full address for an issuer.
    pub fn url(self, issuer: &str) -> String {
        format!("{}{}", issuer.trim_end_matches('/'), self.path())
    }
}

/// Whether the first part of a path below an issuer is one of the provider's own: no other issuer may begin there.
pub fn is_own_segment(segment: &str) -> bool {
    const BESIDE: &[&str] = &[
        ".well-known",
        "account",
        "admin",
        "assets",
        "console",
        "demo",
        "dev",
        "favicon.ico",
        "healthz",
        "interaction",
        "readyz",
    ];
    BESIDE.contains(&segment) || Endpoint::ALL.iter().any(|endpoint| endpoint.path()[1..] == *segment)
}

/// The grant types that clients may register: those of the token endpoint, and `implicit`, which never gets there
/// (Registration section 2).
pub fn grant_types() -> impl Iterator<Item = GrantType> {
    let in_browser = ResponseType::ALL.iter().any(|kind| kind.has_id_token() || kind.has_token());
    GRANTS.iter().copied().chain(in_browser.then_some(GrantType::Implicit))
}

/// The provider's metadata. `keys` are the tenant's published ones: an algorithm without a key is not advertised.
pub fn metadata(tenant: &Tenant, keys: &[TenantKey], now: UnixTime) -> Value {
    let issuer = tenant.issuer.as_str();
    let catalogue = Catalogue::of(&tenant.settings);
    let scopes: Vec<_> = catalogue.scopes().map(Scope::name).collect();
    let mut claims: Vec<_> = catalogue.claims().into_iter().collect();
    claims.extend([
        "iss",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
        "at_hash",
        "c_hash",
    ]);
    let response_types: Vec<_> = ResponseType::ALL.iter().map(|known| known.name()).collect();
    let subject_types: Vec<_> = SubjectType::ALL.iter().map(|known| known.name()).collect();
    let response_modes: Vec<_> = ResponseMode::ALL.iter().map(|known| known.name()).collect();
    let mut prompts = vec!["none", "login", "consent", "select_account"];
    // Initiating User Registration via OpenID Connect: declared where it is offered.
    prompts.extend(tenant.settings.self_registration.then_some("create"));
    let signing = signing_algs(keys, now);
    // Discovery section 3: "The value none MAY be supported".
    let mut id_token_signing = signing.clone();
    id_token_signing.extend(tenant.settings.unsigned_id_tokens.then_some("none"));
    let encryption = decryption_algs(keys, now);
    let mut request_signing: Vec<_> =
        SigAlg::ALL.iter().filter(|alg| !alg.is_symmetric()).map(|alg| alg.name()).collect();
    request_signing.extend(tenant.settings.unsigned_request_objects.then_some("none"));
    let enc: Vec<_> = ContentAlg::ALL.iter().map(|enc| enc.name()).collect();
    let client_encryption: Vec<_> = signet_jose::KeyAlg::ALL.iter().map(|alg| alg.name()).collect();
    // Nothing to encrypt to, nothing to encrypt with.
    let request_enc: Vec<_> = enc.iter().copied().filter(|_| !encryption.is_empty()).collect();
    let methods: Vec<_> = ClientAuthMethod::ALL.iter().map(|method| method.name()).collect();
    // RFC 7662 section 2.1: introspection "MUST also require some form of authorization".
    let confidential: Vec<_> = methods.iter().filter(|name| **name != "none").collect();
    // RFC 8414 section 2: required with private_key_jwt and client_secret_jwt; "The value none MUST NOT be used."
    let assertion_signing: Vec<_> = SigAlg::ALL.iter().map(|alg| alg.name()).collect();
    let grants: Vec<_> = grant_types().map(GrantType::name).collect();
    // OpenID Connect Discovery section 3: "The value none MAY be supported but MUST NOT be used unless the Response Type
    // used returns no ID Token from the Authorization Endpoint".
    let unsigned = tenant.settings.unsigned_id_tokens.then_some("none");
    let id_token_signing: Vec<_> = signing.iter().copied().chain(unsigned).collect();
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": Endpoint::Authorize.url(issuer),
        "token_endpoint": Endpoint::Token.url(issuer),
        "userinfo_endpoint": Endpoint::UserInfo.url(issuer),
        "jwks_uri": Endpoint::Jwks.url(issuer),
        "scopes_supported": scopes,
        "claims_supported": claims,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": true,
        "response_types_supported": response_types,
        "response_modes_supported": response_modes,
        "grant_types_supported": grants,
        "subject_types_supported": subject_types,
        "acr_values_supported": ACR_VALUES,
        "prompt_values_supported": prompts,
        "display_values_supported": DISPLAYS,
        "authorization_signing_alg_values_supported": signing,
        "authorization_encryption_alg_values_supported": client_encryption,
        "authorization_encryption_enc_values_supported": enc,
        "ui_locales_supported": ["en"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": assertion_signing,
        "introspection_endpoint": Endpoint::Introspection.url(issuer),
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": assertion_signing,
        "introspection_signing_alg_values_supported": signing,
        "introspection_encryption_alg_values_supported": client_encryption,
        "introspection_encryption_enc_values_supported": enc,
        "revocation_endpoint": Endpoint::Revocation.url(issuer),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": assertion_signing,
        "id_token_signing_alg_values_supported": id_token_signing,
        "id_token_encryption_alg_values_supported": client_encryption,
        "id_token_encryption_enc_values_supported": enc,
        "userinfo_signing_alg_values_supported": signing,
        "userinfo_encryption_alg_values_supported": client_encryption,
        "userinfo_encryption_enc_values_supported": enc,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "pushed_authorization_request_endpoint": Endpoint::PushedAuthorization.url(issuer),
        "device_authorization_endpoint": Endpoint::DeviceAuthorization.url(issuer),
        "require_pushed_authorization_requests": tenant.settings.require_pushed_authorization_requests,
        "require_signed_request_object": false,
        "request_object_signing_alg_values_supported": request_signing,
        "request_object_encryption_alg_values_supported": encryption,
        "request_object_encryption_enc_values_supported": request_enc,
        "authorization_response_iss_parameter_supported": true,
    });
    if let Value::Object(metadata) = &mut metadata {
        optional(tenant, metadata);
        logout(issuer, metadata);
    }
    metadata
}

/// What is there for some tenants only.
fn optional(tenant: &Tenant, metadata: &mut Map<String, Value>) {
    if tenant.settings.registration != RegistrationPolicy::Off {
        metadata.insert("registration_endpoint".into(), Endpoint::Register.url(&tenant.issuer).into());
    }
}

/// RP-Initiated Logout section 2.1, Session Management section 3.3, Back-Channel Logout section 2.1, Front-Channel Logout
/// section 3.
fn logout(issuer: &str, metadata: &mut Map<String, Value>) {
    metadata.insert("end_session_endpoint".into(), Endpoint::EndSession.url(issuer).into());
    metadata.insert("check_session_iframe".into(), Endpoint::CheckSession.url(issuer).into());
    for name in ["backchannel_logout", "frontchannel_logout"] {
        metadata.insert(format!("{name}_supported"), true.into());
        metadata.insert(format!("{name}_session_supported"), true.into());
    }
}

/// Whether the key is in the JWKS.
///
/// A signing key is there from before its use until nothing signed with it can be of interest any more. An
/// encryption key is there only while it is in use: every node can decrypt before anybody is told to encrypt, and goes on
/// decrypting for those who hold a cached set after nobody is told any more.
pub fn is_listed(key: &TenantKey, now: UnixTime) -> bool {
    match key.usage {
        KeyUse::Sig => key.state(now) != KeyState::Removed,
        KeyUse::Enc => key.state(now) == KeyState::Active,
    }
}

/// The published key set (RFC 7517 section 5): one entry for each key and algorithm, signing keys first.
pub fn jwks(keys: &[TenantKey], now: UnixTime) -> Value {
    let mut entries: Vec<(bool, Value)> = Vec::new();
    for key in keys.iter().filter(|key| is_listed(key, now)) {
        for alg in &key.algs {
            let mut entry: Map<String, Value> = key.public_jwk.clone();
            entry.insert("kid".into(), key.kid(alg).into());
            entry.insert("use".into(), key.usage.name().into());
            entry.insert("alg".into(), alg.clone().into());
            entries.push((key.usage == KeyUse::Enc, Value::Object(entry)));
        }
    }
    entries.sort_by_key(|(is_enc, _)| *is_enc);
    json!({ "keys": entries.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>() })
}

/// The key that signs with `alg` now: of several active ones the one that came into use last.
pub fn signing_key<'a>(keys: &'a [TenantKey], alg: &str, now: UnixTime) -> Option<&'a TenantKey> {
    keys.iter()
        .filter(|key| key.usage == KeyUse::Sig && key.state(now) == KeyState::Active)
        .filter(|key| key.algs.iter().any(|own| own == alg))
        .max_by_key(|key| (key.use_from, key.id.clone()))
}

fn signing_algs(keys: &[TenantKey], now: UnixTime) -> Vec<&'static str> {
    SigAlg::ALL.iter().map(|alg| alg.name()).filter(|alg| signing_key(keys, alg, now).is_some()).collect()
}

fn decryption_algs(keys: &[TenantKey], now: UnixTime) -> Vec<&'static str> {
    let offers = |key: &TenantKey, alg: &str| {
        key.usage == KeyUse::Enc && is_listed(key, now) && key.algs.iter().any(|own| own == alg)
    };
    signet_jose::KeyAlg::ALL
        .iter()
        .map(|alg| alg.name())
        .filter(|alg| keys.iter().any(|key| offers(key, alg)))
        .collect()
}
