//! Protocol JWTs on their way out: what is in them and how they are protected (design section 7).

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use signet_jose::{ContentAlg, Encrypter, JoseFault, SealHeader, SigAlg, Signer};

use crate::authorize::AuthorizationRequest;
use crate::claims::Catalogue;
use crate::client_policy;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::records::{
    AccessToken, Authentication, ClaimPlacement, Client, ClientKey, Encryption, Protected, ResponseType,
    Tenant, TenantSettings, User,
};
use crate::subject;

/// How one message is protected: signed, encrypted, or signed and then encrypted. Decided before anything is written,
/// so that a missing key costs nobody a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Signature, with one of the tenant's keys.
    pub signed: Option<SigAlg>,
    /// Encryption, to one of the client's keys.
    pub encrypted: Option<(Encryption, ClientKey)>,
}

/// always signed; encrypted when the client has an algorithm set.
pub fn id_token_protection(
    client: &Client,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    now: UnixTime,
) -> Result<Protection, Fault> {
    let settings = client.settings.id_token;
    let encrypted = encryption(client, keys, settings.encrypted, tenant, now)?;
    Ok(Protection { signed: Some(settings.signed), encrypted })
}

/// As [`id_token_protection`], for the token endpoint, where a client may want no signature.
///
/// OpenID Connect Core section 2: ID Tokens "MUST NOT use none as the alg value unless the Response Type used returns no ID
/// Token from the Authorization Endpoint (such as when using the Authorization Code Flow) and the Client explicitly
/// requested the use of none at Registration time". Here the tenant must allow it too, and what is to be encrypted is
/// signed whatever else is set.
pub fn token_endpoint_protection(
    client: &Client,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    response_type: ResponseType,
    now: UnixTime,
) -> Result<Protection, Fault> {
    let settings = client.settings.id_token;
    let unsigned = settings.unsigned
        && tenant.unsigned_id_tokens
        && settings.encrypted.is_none()
        && !response_type.has_id_token();
    if unsigned {
        return Ok(Protection { signed: None, encrypted: None });
    }
    id_token_protection(client, keys, tenant, now)
}

/// What is always signed, and encrypted when the client has an algorithm set.
pub fn protection(
    wanted: Protected,
    client: &Client,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    now: UnixTime,
) -> Result<Protection, Fault> {
    let encrypted = encryption(client, keys, wanted.encrypted, tenant, now)?;
    Ok(Protection { signed: Some(wanted.signed), encrypted })
}

/// by the client's setting alone; `Accept` has no say.
pub fn userinfo_protection(
    client: &Client,
    keys: &[ClientKey],
    tenant: &TenantSettings,
    now: UnixTime,
) -> Result<Protection, Fault> {
    let settings = client.settings.userinfo;
    let signed = settings.response_type.is_signed().then_some(settings.signed);
    if !settings.response_type.is_encrypted() {
        return Ok(Protection { signed, encrypted: None });
    }
    // An encrypted form without an algorithm cannot be saved; should it be read anyway, nothing goes out.
    if settings.encrypted.is_none() {
        return Err(Fault::EncryptionKeyMissing);
    }
    Ok(Protection { signed, encrypted: encryption(client, keys, settings.encrypted, tenant, now)? })
}

/// without a usable key the answer is a fault, never an unencrypted message.
fn encryption(
    client: &Client,
    keys: &[ClientKey],
    wanted: Option<Encryption>,
    tenant: &TenantSettings,
    now: UnixTime,
) -> Result<Option<(Encryption, ClientKey)>, Fault> {
    let Some(wanted) = wanted else { return Ok(None) };
    client_policy::encryption_key(keys, &client.settings, wanted.alg, tenant.key_propagation, now)
        .map(|key| Some((wanted, key.clone())))
        .map_err(|_| Fault::EncryptionKeyMissing)
}

/// What an ID token tells of.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// What was asked and accepted.
    pub request: &'a AuthorizationRequest,
    /// The granted scope.
    pub scope: &'a BTreeSet<String>,
    /// Who logged in, and how.
    pub authentication: &'a Authentication,
    /// Section 3.1.2.1: "passed through unmodified from the Authentication Request to the ID Token".
    pub nonce: Option<&'a str>,
}

/// The claims of an ID token (OpenID Connect Core section 2), without the hashes of what is issued beside it.
pub fn id_token_claims(
    tenant: &Tenant,
    client: &Client,
    user: &User,
    login: &Login<'_>,
    now: UnixTime,
) -> Map<String, Value> {
    let catalogue = Catalogue::of(&tenant.settings);
    let named = login.request.claims.id_token.keys().map(String::as_str);
    let by_scope = id_token_scope_claims(catalogue, client, login);
    let mut claims = catalogue.user_claims(user, named.chain(by_scope));
    let authentication = login.authentication;
    claims.insert("iss".into(), tenant.issuer.clone().into());
    claims.insert("sub".into(), subject::of(tenant, client, user.id).into());
    claims.insert("aud".into(), client.client_id.as_str().into());
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), (now + client.settings.lifetimes.id_token).into());
    claims.insert("auth_time".into(), authentication.auth_time.into());
    claims.insert("acr".into(), authentication.acr.clone().into());
    claims.insert("amr".into(), authentication.amr.clone().into());
    claims.insert("sid".into(), authentication.sid.clone().into());
    if let Some(nonce) = login.nonce {
        claims.insert("nonce".into(), nonce.into());
    }
    claims
}

/// The claims of the granted scope that go into the ID token: all of them for clients that want them there, and
/// where nothing else could carry them; else those that are placed there.
fn id_token_scope_claims<'a>(catalogue: Catalogue<'a>, client: &Client, login: &Login<'_>) -> Vec<&'a str> {
    let settings = &client.settings;
    // Section 5.4: "when no Access Token is issued (which is the case for the response_type value id_token), the
    // resulting Claims are returned in the ID Token."
    let all = settings.id_token.include_scope_claims || login.request.response_type == ResponseType::IdToken;
    let belongs = |name: &&str| match settings.claim_placement.get(*name) {
        None => all,
        Some(placement) => *placement != ClaimPlacement::UserInfo,
    };
    catalogue.claims_of(login.scope).into_iter().filter(belongs).collect()
}

/// The claims of a UserInfo response (OpenID Connect Core section 5.3.2). A placement goes against the rule of a scope;
/// what was asked for one by one comes where it was asked for.
pub fn userinfo_claims(
    tenant: &Tenant,
    client: &Client,
    user: &User,
    token: &AccessToken,
) -> Map<String, Value> {
    let catalogue = Catalogue::of(&tenant.settings);
    let placement = &client.settings.claim_placement;
    let by_scope = catalogue
        .claims_of(&token.scope)
        .into_iter()
        .filter(|name| placement.get(*name).is_none_or(|place| *place != ClaimPlacement::IdToken));
    let mut claims = catalogue.user_claims(user, by_scope.chain(token.claims.iter().map(String::as_str)));
    claims.insert("sub".into(), subject::of(tenant, client, user.id).into());
    if client.settings.userinfo.response_type.is_signed() {
        // "If signed, the UserInfo Response MUST contain the Claims iss and aud as members".
        claims.insert("iss".into(), tenant.issuer.clone().into());
        claims.insert("aud".into(), client.client_id.as_str().into());
    }
    claims
}

/// Protects `claims`: signs, then encrypts (RFC 7519 section 11.2). CPU-heavy; runs off the async threads.
pub fn protect(
    claims: &Map<String, Value>,
    enc: Option<ContentAlg>,
    signer: Option<&Signer>,
    encrypter: Option<&Encrypter>,
) -> Result<String, JoseFault> {
    protect_as("JWT", claims, enc, signer, encrypter)
}

/// As [`protect`], with the `typ` of the signed token (RFC 8725 section 3.11). What is around a nested one is a JWT
/// whatever is in it.
pub fn protect_as(
    typ: &str,
    claims: &Map<String, Value>,
    enc: Option<ContentAlg>,
    signer: Option<&Signer>,
    encrypter: Option<&Encrypter>,
) -> Result<String, JoseFault> {
    let plain = serde_json::to_vec(claims).map_err(|_| JoseFault::SignFailed)?;
    let inner = signer.map(|signer| signer.sign(Some(typ), &plain)).transpose()?;
    match (inner, encrypter, enc) {
        (Some(jws), None, None) => Ok(jws),
        // kid, and `cty: JWT` around a nested token.
        (Some(jws), Some(encrypter), Some(enc)) => {
            let header = SealHeader { typ: Some("JWT"), cty: Some("JWT"), ..SealHeader::new(enc) };
            encrypter.seal(&header, jws.as_bytes())
        }
        (None, Some(encrypter), Some(enc)) => {
            encrypter.seal(&SealHeader { typ: Some("JWT"), ..SealHeader::new(enc) }, &plain)
        }
        // What is to be encrypted and has no encrypter goes out in no form.
        _ => Err(JoseFault::SealFailed),
    }
}
