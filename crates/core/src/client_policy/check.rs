//! Settings that cannot work together are refused when they are saved, naming both sides.

use signet_jose::SigAlg;

use super::contradiction::Contradiction;
use super::key_set::Keys;
use super::reading::{shown, uses_browser};
use super::{Mode, check_addresses, check_protection, uris};
use crate::admin;
use crate::builtin::Builtin;
use crate::claims::Catalogue;
use crate::context::UnixTime;
use crate::ids::ClientId;
use crate::records::{
    ClientAuthMethod, ClientSettings, GrantType, Lifetimes, Protected, ResponseType, TenantSettings,
};

/// Longest `client_id` and `client_name`.
const MAX_NAME: usize = 100;
/// Longest descriptive text.
const MAX_TEXT: usize = 200;
/// Most values of a descriptive list.
const MAX_TEXTS: usize = 20;

/// What is kept of a client's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptSecret {
    /// There is none.
    Nothing,
    /// Its hash: whoever sends it can be recognised.
    Hashed,
    /// The secret itself as well, under the master key: a MAC made with it can be verified.
    Sealed {
        /// Its length.
        bytes: usize,
    },
}

/// Judges a `client_id` that is to be registered: RFC 6749 appendix A.1 (visible ASCII; here without space), bounded.
pub fn client_id(id: &str) -> Result<(), Contradiction> {
    let fits = (1..=MAX_NAME).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Contradiction::ClientId) }
}

/// Everything in `settings` that cannot work; empty if they may be saved. `secret` and `keys` are what the client will
/// have once they are. Keys at a `jwks_uri` are judged as they were read; where nobody has looked, what needs them passes.
/// `client_id` tells the provider's own clients from all others.
///
/// `require_encrypted_request_object` without `require_request_object` is not among them: it says that an object must
/// be encrypted if there is one, which national profiles want of clients that send personal data only now and then.
pub fn check<'a>(
    client_id: &ClientId,
    settings: &ClientSettings,
    secret: KeptSecret,
    keys: impl Into<Keys<'a>>,
    tenant: &TenantSettings,
    mode: Mode,
    now: UnixTime,
) -> Vec<Contradiction> {
    let mut found = Vec::new();
    descriptive(settings, &mut found);
    grants(settings, &mut found);
    check_addresses::check(settings, mode, &mut found);
    authentication(settings, secret, &mut found);
    public_client(settings, &mut found);
    scope(settings, tenant, &mut found);
    administration(client_id, settings, &mut found);
    lifetimes(settings, &mut found);
    check_protection::check(settings, keys.into(), tenant, now, &mut found);
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
    let one = |setting, text: &Option<String>| (setting, text.iter().cloned().collect::<Vec<_>>());
    for (setting, texts) in [
        ("contacts", settings.contacts.clone()),
        ("default_acr_values", settings.default_acr_values.clone()),
        one("software_id", &settings.software_id),
        one("software_version", &settings.software_version),
    ] {
        if texts.len() > MAX_TEXTS {
            found.push(Contradiction::TooMany { setting, max: MAX_TEXTS });
        }
        let fits = |text: &String| {
            (1..=MAX_TEXT).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
        };
        if !texts.iter().all(fits) {
            found.push(Contradiction::TextForm { setting, max: MAX_TEXT });
        }
    }
}

/// OpenID Connect Dynamic Client Registration section 2 on `grant_types` lists what each response type needs: `code`
/// needs `authorization_code`, `id_token` and `id_token token` need `implicit`, the others need both. RFC 7591 section
/// 2.1: "A server implementing these fields SHOULD take steps to ensure that a client cannot register itself into an
/// inconsistent state".
pub fn needed_grants(response_type: ResponseType) -> impl Iterator<Item = GrantType> {
    let code = response_type.has_code().then_some(GrantType::AuthorizationCode);
    let tokens = (response_type.has_id_token() || response_type.has_token()).then_some(GrantType::Implicit);
    [code, tokens].into_iter().flatten()
}

fn grants(settings: &ClientSettings, found: &mut Vec<Contradiction>) {
    let ClientSettings { grant_types, response_types, .. } = settings;
    if grant_types.is_empty() {
        found.push(Contradiction::GrantTypesMissing);
    }
    for response_type in response_types {
        found.extend(needed_grants(*response_type).filter(|grant| !grant_types.contains(grant)).map(
            |grant| Contradiction::ResponseTypeWithoutGrant {
                response_type: response_type.name(),
                grant: grant.name(),
            },
        ));
    }
    // `implicit` beside `code` alone does no harm, and is what some client libraries register.
    let code = GrantType::AuthorizationCode;
    if grant_types.contains(&code) && !response_types.iter().any(|kind| kind.has_code()) {
        found.push(Contradiction::ResponseTypesMissing { grant: code.name() });
    } else if grant_types.contains(&GrantType::Implicit) && response_types.is_empty() {
        found.push(Contradiction::ResponseTypesMissing { grant: GrantType::Implicit.name() });
    }
    let gives_first = |grant: &GrantType| [code, GrantType::DeviceCode].contains(grant);
    if grant_types.contains(&GrantType::RefreshToken) && !grant_types.iter().any(gives_first) {
        found.push(Contradiction::RefreshAlone);
    }
}

/// OpenID Connect Core section 10.1 and RFC 7518 section 3.2: "A key of the same size as the hash output [...] or larger
/// MUST be used".
pub fn secret_bytes(alg: SigAlg) -> usize {
    match alg {
        SigAlg::HS512 => 64,
        SigAlg::HS384 => 48,
        _ => 32,
    }
}

fn authentication(settings: &ClientSettings, secret: KeptSecret, found: &mut Vec<Contradiction>) {
    let method = settings.token_endpoint_auth_method;
    let alg = settings.token_endpoint_auth_signing_alg;
    let name = method.name();
    match (method, secret) {
        (ClientAuthMethod::None, KeptSecret::Hashed | KeptSecret::Sealed { .. }) => {
            found.push(Contradiction::SecretOfPublicClient);
        }
        (
            ClientAuthMethod::ClientSecretBasic
            | ClientAuthMethod::ClientSecretPost
            | ClientAuthMethod::ClientSecretJwt,
            KeptSecret::Nothing,
        ) => found.push(Contradiction::SecretMissing { method: name }),
        (ClientAuthMethod::ClientSecretJwt, KeptSecret::Hashed) => {
            found.push(Contradiction::SecretNotKept { method: name });
        }
        (ClientAuthMethod::ClientSecretJwt, KeptSecret::Sealed { bytes }) => {
            let alg = alg.filter(|alg| alg.is_symmetric()).unwrap_or(SigAlg::HS256);
            let min = secret_bytes(alg);
            if bytes < min {
                found.push(Contradiction::SecretTooShort { alg, found: bytes, min });
            }
        }
        _ => {}
    }
    let Some(alg) = alg else { return };
    let wanted = match method {
        ClientAuthMethod::ClientSecretJwt => true,
        ClientAuthMethod::PrivateKeyJwt => false,
        // Registration section 2 gives it no meaning with other methods.
        _ => return,
    };
    if alg.is_symmetric() != wanted {
        found.push(Contradiction::AssertionAlgMethod { alg, method: name });
    }
}

fn public_client(settings: &ClientSettings, found: &mut Vec<Contradiction>) {
    if settings.token_endpoint_auth_method != ClientAuthMethod::None {
        return;
    }
    // RFC 9700 section 2.1.1: "Public clients MUST use PKCE".
    if !settings.require_pkce {
        found.push(Contradiction::PublicWithoutPkce);
    }
    // RFC 6749 section 4.4: "The client credentials grant type MUST only be used by confidential clients."
    if settings.grant_types.contains(&GrantType::ClientCredentials) {
        found.push(Contradiction::PublicClientCredentials);
    }
    // RFC 7662 section 2.1: the endpoint "MUST also require some form of authorization".
    if settings.introspection != Protected::default() {
        found.push(Contradiction::PublicIntrospection);
    }
    // RFC 9700 section 4.14.2: refresh tokens of public clients are sender-constrained or rotated.
    if !settings.refresh_token_rotation {
        found.push(Contradiction::PublicWithoutRotation);
    }
}

fn scope(settings: &ClientSettings, tenant: &TenantSettings, found: &mut Vec<Contradiction>) {
    if uses_browser(settings) && !settings.scope.contains("openid") {
        found.push(Contradiction::OpenidNotInScope);
    }
    let catalogue = Catalogue::of(tenant);
    let unknown = settings.scope.iter().filter(|scope| !catalogue.may_be_registered(scope));
    found.extend(unknown.map(|scope| Contradiction::ScopeUnknown { scope: shown(scope) }));
    let known = catalogue.claims();
    let unknown =
        settings.claim_placement.keys().filter(|name| !known.contains(name.as_str()) || *name == "sub");
    found.extend(unknown.map(|name| Contradiction::ClaimPlacementUnknown { claim: shown(name) }));
}

/// What people may administer they hand to an application on a page that says so, or not at all; the console is this
/// program's own. A client that acts for itself has nobody to ask.
fn administration(client_id: &ClientId, settings: &ClientSettings, found: &mut Vec<Contradiction>) {
    let has_people = uses_browser(settings) || settings.grant_types.contains(&GrantType::DeviceCode);
    if settings.require_consent || !has_people || Builtin::of(client_id).is_some() {
        return;
    }
    let held = admin::SCOPES.iter().find(|scope| settings.scope.contains(scope.name));
    found.extend(held.map(|scope| Contradiction::AdministersUnasked { scope: scope.name }));
}

fn lifetimes(settings: &ClientSettings, found: &mut Vec<Contradiction>) {
    const DAY: i64 = 86_400;
    let Lifetimes {
        code,
        access_token,
        id_token,
        pushed_request,
        device_code,
        refresh_token_idle,
        refresh_token,
        refresh_token_grace,
    } = settings.lifetimes;
    for (setting, seconds, min, max) in [
        // RFC 6749 section 4.1.2: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED."
        ("code", code, 10, 600),
        ("access_token", access_token, 60, DAY),
        ("id_token", id_token, 60, DAY),
        // RFC 9126 section 2.2: "most likely in the range of 5 to 600 seconds".
        ("pushed_request", pushed_request, 5, 600),
        ("device_code", device_code, 60, 3600),
        ("refresh_token", refresh_token, 60, 730 * DAY),
        ("refresh_token_idle", refresh_token_idle, 60, refresh_token),
        ("refresh_token_grace", refresh_token_grace, 0, 300),
    ] {
        if !(min..=max).contains(&seconds) {
            found.push(Contradiction::Lifetime { setting, found: seconds, min, max });
        }
    }
    if settings.default_max_age.is_some_and(|seconds| seconds < 0) {
        found.push(Contradiction::MaxAge);
    }
}
