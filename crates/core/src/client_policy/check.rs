//! Settings that cannot work together are refused when they are saved, naming both sides.

use signet_jose::{KeyAlg, KeyUse, SigAlg};

use super::{Mode, NoKey, UriProblem, encryption_key, fits_sig, uris};
use crate::claims::Catalogue;
use crate::coded::coded;
use crate::context::UnixTime;
use crate::records::{ClientAuthMethod, ClientKey, ClientSettings, Encryption, Lifetimes, TenantSettings};

/// Longest `client_id` and `client_name`.
const MAX_NAME: usize = 100;
/// Most redirect URIs of one client.
const MAX_REDIRECT_URIS: usize = 100;

coded! {
    /// Settings that cannot work. The text says what contradicts what, and what to do.
    Contradiction {
        ClientId = "client_id_form", "A client_id has 1 to 100 visible ASCII characters. Choose another one.";
        ClientName = "client_name_form", "client_name must have 1 to 100 characters and no control characters. Shorten or fill it in.";
        PageUri { setting: &'static str, uri: String, problem: UriProblem } = "page_uri", "{setting}: \"{uri}\" {problem}.";
        RedirectUrisMissing = "redirect_uris_missing", "The client has no redirect_uris, so no response could reach it. Register at least one.";
        RedirectUrisTooMany = "redirect_uris_too_many", "The client has more than 100 redirect_uris. Remove those that are not used.";
        RedirectUri { uri: String, problem: UriProblem } = "redirect_uri", "redirect_uris: \"{uri}\" {problem}.";

        SecretMissing { method: &'static str } = "secret_missing", "token_endpoint_auth_method is {method}, but the client has no secret. Give it one, or set the method to none.";
        SecretOfPublicClient = "secret_of_public_client", "token_endpoint_auth_method is none, but the client has a secret. Remove the secret, or choose a method that uses it.";
        PublicWithoutPkce = "public_without_pkce", "token_endpoint_auth_method is none and require_pkce is off, so nothing would prove who redeems a code. Switch require_pkce on (RFC 7636).";

        OpenidNotInScope = "openid_not_in_scope", "scope lacks \"openid\", without which no request is accepted. Add it.";
        ScopeUnknown { scope: String } = "scope_unknown", "scope has \"{scope}\", which is not known here. Remove it.";
        Lifetime { setting: &'static str, found: i64, min: i64, max: i64 } = "lifetime", "lifetimes.{setting} is {found}; it must lie between {min} and {max} seconds.";
        MaxAge = "default_max_age_negative", "default_max_age is negative. Set it to zero seconds or more, or remove it.";

        SymmetricResponse { setting: &'static str, alg: SigAlg } = "response_alg_symmetric", "{setting} is {alg}, which needs the client secret as a key; but secrets are kept only as hashes. Choose an asymmetric algorithm.";
        ResponseAlgWithoutKey { setting: &'static str, alg: SigAlg } = "response_alg_without_key", "{setting} is {alg}, but this tenant keeps no signing key for it. Choose one of the tenant's signing_algs, or add {alg} to them.";
        UserInfoEncryptionMissing = "userinfo_encryption_missing", "userinfo.response_type is encrypted, but userinfo.encrypted has no alg and enc. Set both, or choose another response_type.";
        UserInfoEncryptionUnused = "userinfo_encryption_unused", "userinfo.encrypted is set, but userinfo.response_type is not encrypted, so responses would go out readable. Choose encrypted or signed_and_encrypted, or remove userinfo.encrypted.";
        EncryptionWithoutKey { setting: &'static str, alg: KeyAlg, reason: NoKey } = "encryption_without_key", "{setting} is set to {alg}, but there is no key for it. {reason}";
        EncryptionKidUnknown { kid: String } = "encryption_kid_unknown", "encryption_kid is \"{kid}\", but the client has no encryption key of that kid. Register it, or remove encryption_kid.";

        ObjectAlgSymmetric { alg: SigAlg } = "object_alg_symmetric", "request_object_signing_algs has {alg}, which needs the client secret as a key; but secrets are kept only as hashes. Remove it.";
        ObjectsWithoutKey = "objects_without_key", "require_request_object is on, but the client has no signing key that is valid now or later, so no request could be accepted. Register one with the usage \"sig\".";
        ObjectAlgsWithoutKey = "object_algs_without_key", "request_object_signing_algs names only algorithms that none of the client's signing keys can do. Add an algorithm that fits, or register a key that does.";
        EncryptedObjectsImpossible = "encrypted_objects_impossible", "require_encrypted_request_object is on, but this tenant has no encryption_algs and so publishes no key to encrypt to. Add one to the tenant, or switch the demand off.";
    }
}

/// Judges a `client_id` that is to be registered: RFC 6749 appendix A.1 (visible ASCII; here without space), bounded.
pub fn client_id(id: &str) -> Result<(), Contradiction> {
    let fits = (1..=MAX_NAME).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Contradiction::ClientId) }
}

/// Everything in `settings` that cannot work; empty if they may be saved. `has_secret` and `keys` are what the client
/// will have once they are.
///
/// `require_encrypted_request_object` without `require_request_object` is not among them: it says that an object must
/// be encrypted if there is one, which national profiles want of clients that send personal data only now and then.
pub fn check(
    settings: &ClientSettings,
    has_secret: bool,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    mode: Mode,
    now: UnixTime,
) -> Vec<Contradiction> {
    let mut found = Vec::new();
    descriptive(settings, &mut found);
    redirect_uris(settings, mode, &mut found);
    authentication(settings, has_secret, &mut found);
    scope(settings, tenant, &mut found);
    lifetimes(settings, &mut found);
    signatures(settings, tenant, &mut found);
    encryption(settings, keys, tenant, now, &mut found);
    request_objects(settings, keys, tenant, now, &mut found);
    found
}

fn descriptive(settings: &ClientSettings, found: &mut Vec<Contradiction>) {
    let name = &settings.client_name;
    if !(1..=MAX_NAME).contains(&name.trim().chars().count()) || name.chars().any(char::is_control) {
        found.push(Contradiction::ClientName);
    }
    for (setting, uri) in [
        ("client_uri", &settings.client_uri),
        ("logo_uri", &settings.logo_uri),
        ("policy_uri", &settings.policy_uri),
        ("tos_uri", &settings.tos_uri),
    ] {
        let Some(uri) = uri else { continue };
        if let Err(problem) = uris::page_uri(uri) {
            found.push(Contradiction::PageUri { setting, uri: shown(uri), problem });
        }
    }
}

/// Enough of a URI to recognise it by.
fn shown(uri: &str) -> String {
    uri.chars().take(200).collect()
}

fn redirect_uris(settings: &ClientSettings, mode: Mode, found: &mut Vec<Contradiction>) {
    let uris = &settings.redirect_uris;
    if uris.is_empty() {
        found.push(Contradiction::RedirectUrisMissing);
    }
    if uris.len() > MAX_REDIRECT_URIS {
        found.push(Contradiction::RedirectUrisTooMany);
    }
    found.extend(uris.iter().take(MAX_REDIRECT_URIS).filter_map(|uri| {
        let problem = uris::redirect_uri(uri, settings.application_type, mode).err()?;
        Some(Contradiction::RedirectUri { uri: shown(uri), problem })
    }));
}

fn authentication(settings: &ClientSettings, has_secret: bool, found: &mut Vec<Contradiction>) {
    let method = settings.token_endpoint_auth_method;
    match (method, has_secret) {
        (ClientAuthMethod::None, true) => found.push(Contradiction::SecretOfPublicClient),
        (ClientAuthMethod::ClientSecretBasic | ClientAuthMethod::ClientSecretPost, false) => {
            found.push(Contradiction::SecretMissing { method: method.name() });
        }
        _ => {}
    }
    // RFC 9700 section 2.1.1: "Public clients MUST use PKCE".
    if method == ClientAuthMethod::None && !settings.require_pkce {
        found.push(Contradiction::PublicWithoutPkce);
    }
}

fn scope(settings: &ClientSettings, tenant: &TenantSettings, found: &mut Vec<Contradiction>) {
    if !settings.scope.contains("openid") {
        found.push(Contradiction::OpenidNotInScope);
    }
    let unknown = settings.scope.iter().filter(|scope| Catalogue::of(tenant).find(scope).is_none());
    found.extend(unknown.map(|scope| Contradiction::ScopeUnknown { scope: shown(scope) }));
}

fn lifetimes(settings: &ClientSettings, found: &mut Vec<Contradiction>) {
    let Lifetimes { code, access_token, id_token, .. } = settings.lifetimes;
    // RFC 6749 section 4.1.2: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED."
    for (setting, seconds, min, max) in [
        ("code", code, 10, 600),
        ("access_token", access_token, 60, 86_400),
        ("id_token", id_token, 60, 86_400),
    ] {
        if !(min..=max).contains(&seconds) {
            found.push(Contradiction::Lifetime { setting, found: seconds, min, max });
        }
    }
    if settings.default_max_age.is_some_and(|seconds| seconds < 0) {
        found.push(Contradiction::MaxAge);
    }
}

fn signatures(settings: &ClientSettings, tenant: &TenantSettings, found: &mut Vec<Contradiction>) {
    let userinfo = settings.userinfo.response_type.is_signed().then_some(settings.userinfo.signed);
    for (setting, alg) in [("id_token.signed", Some(settings.id_token.signed)), ("userinfo.signed", userinfo)]
    {
        let Some(alg) = alg else { continue };
        if alg.is_symmetric() {
            found.push(Contradiction::SymmetricResponse { setting, alg });
        } else if !tenant.signing_algs.contains(&alg) {
            found.push(Contradiction::ResponseAlgWithoutKey { setting, alg });
        }
    }
}

/// The encryption settings that take effect, by name.
pub(super) fn encrypted(settings: &ClientSettings) -> Vec<(&'static str, Encryption)> {
    let userinfo = settings.userinfo.encrypted.filter(|_| settings.userinfo.response_type.is_encrypted());
    [("id_token.encrypted", settings.id_token.encrypted), ("userinfo.encrypted", userinfo)]
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

fn request_objects(
    settings: &ClientSettings,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    now: UnixTime,
    found: &mut Vec<Contradiction>,
) {
    let algs = &settings.request_object_signing_algs;
    let symmetric = algs.iter().filter(|alg| alg.is_symmetric());
    found.extend(symmetric.map(|alg| Contradiction::ObjectAlgSymmetric { alg: *alg }));
    // A key that starts later is being prepared; one that has ended will verify nothing any more.
    let signing: Vec<_> = keys
        .iter()
        .filter(|key| key.usage == KeyUse::Sig && key.revoked_at.is_none_or(|at| now < at))
        .filter(|key| key.not_after.is_none_or(|until| now < until))
        .collect();
    if settings.require_request_object && signing.is_empty() {
        found.push(Contradiction::ObjectsWithoutKey);
    }
    let fits = |alg: &SigAlg| signing.iter().any(|key| fits_sig(key, *alg));
    if !signing.is_empty() && !algs.is_empty() && !algs.iter().any(fits) {
        found.push(Contradiction::ObjectAlgsWithoutKey);
    }
    if settings.require_encrypted_request_object && tenant.encryption_algs.is_empty() {
        found.push(Contradiction::EncryptedObjectsImpossible);
    }
}
