//! Contradictions among keys and algorithms.

use signet_jose::{KeyAlg, KeyUse, SigAlg};

use super::contradiction::Contradiction;
use super::key_set::{KeySet, Keys, Published, Unreadable};
use super::reading::shown;
use super::{NoKey, encryption_key, fits_sig};
use crate::context::UnixTime;
use crate::records::{
    AccessTokenFormat, ClientAuthMethod, ClientKey, ClientSettings, Encryption, Protected, TenantSettings,
};

pub(super) fn check(
    settings: &ClientSettings,
    keys: Keys<'_>,
    tenant: &TenantSettings,
    now: UnixTime,
    found: &mut Vec<Contradiction>,
) {
    // Registration section 2, jwks: "The jwks_uri and jwks parameters MUST NOT be used together."
    let registered = |key: &ClientKey| key.revoked_at.is_none_or(|at| now < at);
    if settings.jwks_uri.is_some() && keys.registered.iter().any(registered) {
        found.push(Contradiction::KeysTwice);
    }
    signatures(settings, tenant, found);
    unsigned(settings, tenant, found);
    let (all, published) = (keys.all(), keys.published(settings));
    encryption(settings, &all, published, tenant, now, found);
    let signing = SigningKeys::of(&all, published, now);
    assertions(settings, &signing, found);
    request_objects(settings, &signing, tenant, found);
    // What is no address is said already, and nothing was fetched from it.
    let malformed =
        |one: &Contradiction| matches!(one, Contradiction::Uri { setting, .. } if *setting == "jwks_uri");
    if let Published::Unreadable(why) = published
        && !found.iter().any(malformed)
    {
        found.extend(unreadable(settings, why));
    }
}

/// A set that cannot be read is as good as none for whatever needs a key of it: responses fail closed.
fn unreadable(settings: &ClientSettings, why: &Unreadable) -> Option<Contradiction> {
    let needed = needed(settings);
    let uri = shown(settings.jwks_uri.as_deref()?);
    (!needed.is_empty()).then(|| Contradiction::KeySetUnreadable {
        uri,
        reason: why.reason.clone(),
        needed: needed.join(", "),
    })
}

/// Whether a client needs keys of its `jwks_uri` at which nobody has looked, so that nothing can be said of them.
pub fn rests_on_unread_keys<'a>(settings: &ClientSettings, keys: impl Into<Keys<'a>>) -> bool {
    keys.into().published(settings) == Published::Unread && !needed(settings).is_empty()
}

/// The settings that need a key of the client.
pub(super) fn needed(settings: &ClientSettings) -> Vec<&'static str> {
    let assertions = settings.token_endpoint_auth_method == ClientAuthMethod::PrivateKeyJwt;
    let signing = [
        ("token_endpoint_auth_method", assertions),
        ("require_request_object", settings.require_request_object),
    ];
    let signing = signing.into_iter().filter_map(|(setting, needs)| needs.then_some(setting));
    encrypted(settings).into_iter().map(|(setting, _)| setting).chain(signing).collect()
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
    published: Published<'_>,
    tenant: &TenantSettings,
    now: UnixTime,
    found: &mut Vec<Contradiction>,
) {
    match (settings.userinfo.response_type.is_encrypted(), settings.userinfo.encrypted) {
        (true, None) => found.push(Contradiction::UserInfoEncryptionMissing),
        (false, Some(_)) => found.push(Contradiction::UserInfoEncryptionUnused),
        _ => {}
    }
    let set = match published {
        Published::Nothing => None,
        Published::Read(set) => Some(set),
        // What is there is not known; until it is, responses fail closed.
        Published::Unread | Published::Unreadable(_) => return,
    };
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
            found.push(match set {
                None => Contradiction::EncryptionWithoutKey { setting, alg, reason },
                Some(set) => without_key(setting, alg, set, reason),
            });
        }
    }
}

fn without_key(setting: &'static str, alg: KeyAlg, set: &KeySet, reason: NoKey) -> Contradiction {
    let reason = if reason == NoKey::NoneRegistered { NoKey::NonePublished } else { reason };
    Contradiction::KeySetWithoutKey { setting, alg, set: set.described(), reason }
}

/// The keys that verify what the client signs. A key that starts later is being prepared; one that has ended will verify
/// nothing any more.
struct SigningKeys<'a> {
    known: Vec<&'a ClientKey>,
    published: Published<'a>,
}

impl<'a> SigningKeys<'a> {
    fn of(keys: &'a [ClientKey], published: Published<'a>, now: UnixTime) -> Self {
        let known = keys
            .iter()
            .filter(|key| key.usage == KeyUse::Sig && key.revoked_at.is_none_or(|at| now < at))
            .filter(|key| key.not_after.is_none_or(|until| now < until))
            .collect();
        Self { known, published }
    }

    /// There may be keys that are not known here.
    fn is_open(&self) -> bool {
        matches!(self.published, Published::Unread | Published::Unreadable(_))
    }

    fn is_none(&self) -> bool {
        self.known.is_empty() && !self.is_open()
    }

    /// Whether one of them may verify `alg`.
    fn fits(&self, alg: SigAlg) -> bool {
        self.is_open() || self.known.iter().any(|key| fits_sig(key, alg))
    }

    /// Where they are, for a sentence about them.
    fn place(&self) -> &'static str {
        if matches!(self.published, Published::Read(_)) { " at jwks_uri" } else { "" }
    }

    /// That there is none for a setting that needs one.
    fn missing(&self, setting: &'static str, registered: Contradiction) -> Contradiction {
        match self.published {
            Published::Read(set) => Contradiction::KeySetWithoutSigningKey { setting, set: set.described() },
            _ => registered,
        }
    }
}

fn assertions(settings: &ClientSettings, signing: &SigningKeys<'_>, found: &mut Vec<Contradiction>) {
    if settings.token_endpoint_auth_method != ClientAuthMethod::PrivateKeyJwt {
        return;
    }
    if signing.is_none() {
        found.push(signing.missing("token_endpoint_auth_method", Contradiction::AssertionsWithoutKey));
    } else if let Some(alg) = settings.token_endpoint_auth_signing_alg.filter(|alg| !alg.is_symmetric())
        && !signing.fits(alg)
    {
        found.push(Contradiction::AssertionAlgWithoutKey { alg, place: signing.place() });
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
        found.push(signing.missing("require_request_object", Contradiction::ObjectsWithoutKey));
    }
    if !signing.is_none() && !algs.is_empty() && !algs.iter().any(|alg| signing.fits(*alg)) {
        found.push(Contradiction::ObjectAlgsWithoutKey { place: signing.place() });
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
