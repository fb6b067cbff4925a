//! Contradictions among keys and algorithms.

use signet_jose::{KeyUse, SigAlg};

use super::check::shown;
use super::contradiction::Contradiction;
use super::{encryption_key, fits_sig};
use crate::context::UnixTime;
use crate::records::{
    AccessTokenFormat, ClientAuthMethod, ClientKey, ClientSettings, Encryption, Protected, TenantSettings,
};

pub(super) fn check(
    settings: &ClientSettings,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    now: UnixTime,
    found: &mut Vec<Contradiction>,
) {
    // Registration section 2, jwks: "The jwks_uri and jwks parameters MUST NOT be used together."
    if settings.jwks_uri.is_some() && keys.iter().any(|key| key.revoked_at.is_none_or(|at| now < at)) {
        found.push(Contradiction::KeysTwice);
    }
    signatures(settings, tenant, found);
    unsigned(settings, tenant, found);
    encryption(settings, keys, tenant, now, found);
    let signing = SigningKeys::of(settings, keys, now);
    assertions(settings, &signing, found);
    request_objects(settings, &signing, tenant, found);
}

/// The signature settings that take effect, by name.
pub(crate) fn signed(settings: &ClientSettings) -> Vec<(&'static str, SigAlg)> {
    let chosen = |protected: Protected| (protected != Protected::default()).then_some(protected.signed);
    let userinfo = settings.userinfo.response_type.is_signed().then_some(settings.userinfo.signed);
    let access_token =
        (settings.access_token_format == AccessTokenFormat::Jwt).then_some(settings.access_token_signed);
    [
        ("id_token.signed", (!settings.id_token.unsigned).then_some(settings.id_token.signed)),
        ("userinfo.signed", userinfo),
        // Their defaults hold for clients that never use them.
        ("authorization_response.signed", chosen(settings.authorization_response)),
        ("introspection.signed", chosen(settings.introspection)),
        ("logout_token_signed", settings.logout_token_signed),
        ("access_token_signed", access_token),
    ]
    .into_iter()
    .filter_map(|(setting, alg)| Some((setting, alg?)))
    .collect()
}

fn signatures(settings: &ClientSettings, tenant: &TenantSettings, found: &mut Vec<Contradiction>) {
    for (setting, alg) in signed(settings) {
        if alg.is_symmetric() {
            found.push(Contradiction::SymmetricResponse { setting, alg });
        } else if !tenant.signing_algs.contains(&alg) {
            found.push(Contradiction::ResponseAlgWithoutKey { setting, alg });
        }
    }
}

/// Registration section 2, `id_token_signed_response_alg`: "The value none MUST NOT be used as the ID Token alg value
/// unless the Client uses only Response Types that return no ID Token from the Authorization Endpoint".
fn unsigned(settings: &ClientSettings, tenant: &TenantSettings, found: &mut Vec<Contradiction>) {
    if settings.id_token.unsigned {
        if !tenant.unsigned_id_tokens {
            found.push(Contradiction::UnsignedIdTokenNotAllowed);
        }
        if let Some(kind) = settings.response_types.iter().find(|kind| kind.has_id_token()) {
            found.push(Contradiction::UnsignedIdTokenInBrowser { response_type: kind.name() });
        }
        if settings.id_token.encrypted.is_some() {
            found.push(Contradiction::UnsignedIdTokenEncrypted);
        }
    }
    if settings.allow_unsigned_request_object {
        if !tenant.unsigned_request_objects {
            found.push(Contradiction::UnsignedObjectsNotAllowed);
        }
        for (setting, on) in [
            ("require_request_object", settings.require_request_object),
            ("require_encrypted_request_object", settings.require_encrypted_request_object),
        ] {
            if on {
                found.push(Contradiction::UnsignedObjectsContradiction { setting });
            }
        }
    }
}

/// The encryption settings that take effect, by name.
pub(super) fn encrypted(settings: &ClientSettings) -> Vec<(&'static str, Encryption)> {
    let userinfo = settings.userinfo.encrypted.filter(|_| settings.userinfo.response_type.is_encrypted());
    [
        ("id_token.encrypted", settings.id_token.encrypted),
        ("userinfo.encrypted", userinfo),
        ("authorization_response.encrypted", settings.authorization_response.encrypted),
        ("introspection.encrypted", settings.introspection.encrypted),
    ]
    .into_iter()
    .filter_map(|(setting, encryption)| Some((setting, encryption?)))
    .collect()
}

fn encryption(
    settings: &ClientSettings,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    now: UnixTime,
    found: &mut Vec<Contradiction>,
) {
    match (settings.userinfo.response_type.is_encrypted(), settings.userinfo.encrypted) {
        (true, None) => found.push(Contradiction::UserInfoEncryptionMissing),
        (false, Some(_)) => found.push(Contradiction::UserInfoEncryptionUnused),
        _ => {}
    }
    // What is published there is known only when it is read; until then responses fail closed.
    if settings.jwks_uri.is_some() {
        return;
    }
    let exists = |kid: &str| {
        let named = |key: &&ClientKey| key.usage == KeyUse::Enc && key.kid == kid;
        keys.iter().filter(named).any(|key| key.revoked_at.is_none_or(|at| now < at))
    };
    if let Some(kid) = settings.encryption_kid.as_deref().filter(|kid| !exists(kid)) {
        found.push(Contradiction::EncryptionKidUnknown { kid: shown(kid) });
        return;
    }
    for (setting, Encryption { alg, .. }) in encrypted(settings) {
        if let Err(reason) = encryption_key(keys, settings, alg, tenant.key_propagation, now) {
            found.push(Contradiction::EncryptionWithoutKey { setting, alg, reason });
        }
    }
}

/// The keys that verify what the client signs. A key that starts later is being prepared; one that has ended will verify
/// nothing any more.
struct SigningKeys<'a> {
    known: Vec<&'a ClientKey>,
    /// They are published by the client, and known only when they are read.
    elsewhere: bool,
}

impl<'a> SigningKeys<'a> {
    fn of(settings: &ClientSettings, keys: &'a [ClientKey], now: UnixTime) -> Self {
        let known = keys
            .iter()
            .filter(|key| key.usage == KeyUse::Sig && key.revoked_at.is_none_or(|at| now < at))
            .filter(|key| key.not_after.is_none_or(|until| now < until))
            .collect();
        Self { known, elsewhere: settings.jwks_uri.is_some() }
    }

    fn is_none(&self) -> bool {
        self.known.is_empty() && !self.elsewhere
    }

    /// Whether one of them may verify `alg`.
    fn fits(&self, alg: SigAlg) -> bool {
        self.elsewhere || self.known.iter().any(|key| fits_sig(key, alg))
    }
}

fn assertions(settings: &ClientSettings, signing: &SigningKeys<'_>, found: &mut Vec<Contradiction>) {
    if settings.token_endpoint_auth_method != ClientAuthMethod::PrivateKeyJwt {
        return;
    }
    if signing.is_none() {
        found.push(Contradiction::AssertionsWithoutKey);
    } else if let Some(alg) = settings.token_endpoint_auth_signing_alg.filter(|alg| !alg.is_symmetric())
        && !signing.fits(alg)
    {
        found.push(Contradiction::AssertionAlgWithoutKey { alg });
    }
}

fn request_objects(
    settings: &ClientSettings,
    signing: &SigningKeys<'_>,
    tenant: &TenantSettings,
    found: &mut Vec<Contradiction>,
) {
    let algs = &settings.request_object_signing_algs;
    let symmetric = algs.iter().filter(|alg| alg.is_symmetric());
    found.extend(symmetric.map(|alg| Contradiction::ObjectAlgSymmetric { alg: *alg }));
    if settings.require_request_object && signing.is_none() {
        found.push(Contradiction::ObjectsWithoutKey);
    }
    if !signing.is_none() && !algs.is_empty() && !algs.iter().any(|alg| signing.fits(*alg)) {
        found.push(Contradiction::ObjectAlgsWithoutKey);
    }
    if settings.require_encrypted_request_object && tenant.encryption_algs.is_empty() {
        found.push(Contradiction::EncryptedObjectsImpossible);
    }
    if let Some(Encryption { alg, .. }) = settings.request_object_encryption
        && !tenant.encryption_algs.contains(&alg)
    {
        found.push(Contradiction::ObjectEncryptionWithoutKey { alg });
    }
}
