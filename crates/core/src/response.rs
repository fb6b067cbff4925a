//! Protocol JWTs on their way out: what is in them and how they are protected (design section 7).

use serde_json::{Map, Value};
use signet_jose::{Encrypter, JoseFault, SealHeader, SigAlg, Signer};

use crate::claims;
use crate::client_policy;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::records::{AccessToken, Client, ClientKey, Code, Encryption, Tenant, TenantSettings, User};

/// How one message is protected: signed, encrypted, or signed and then encrypted. Decided before anything is written,
/// so that a missing key costs nobody a code.
#[derive(Clone, Debug)]
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

/// The claims of an ID token (OpenID Connect Core section 2) issued for `code`.
pub fn id_token_claims(
    tenant: &Tenant,
    client: &Client,
    user: &User,
    code: &Code,
    access_token: &str,
    now: UnixTime,
) -> Map<String, Value> {
    let settings = client.settings.id_token;
    let mut claims = Map::new();
    let named = code.request.claims.id_token.keys().map(String::as_str);
    claims.extend(claims::user_claims(user, named));
    if settings.include_scope_claims {
        // the claims of the granted scope, for clients that want them in the ID token.
        let none = std::collections::BTreeSet::new();
        claims.extend(claims::user_claims(user, claims::granted_claims(&code.scope, &none)));
    }
    let authentication = &code.authentication;
    claims.insert("iss".into(), tenant.issuer.clone().into());
    claims.insert("sub".into(), user.id.to_string().into());
    claims.insert("aud".into(), client.client_id.as_str().into());
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), (now + client.settings.lifetimes.id_token).into());
    claims.insert("auth_time".into(), authentication.auth_time.into());
    claims.insert("acr".into(), authentication.acr.clone().into());
    claims.insert("amr".into(), authentication.amr.clone().into());
    claims.insert("sid".into(), authentication.sid.clone().into());
    // Section 3.1.3.6: the left half of the hash that fits the signature algorithm.
    claims.insert("at_hash".into(), settings.signed.half_hash(access_token.as_bytes()).into());
    if let Some(nonce) = &code.request.nonce {
        claims.insert("nonce".into(), nonce.clone().into());
    }
    claims
}

/// The claims of a UserInfo response (OpenID Connect Core section 5.3.2).
pub fn userinfo_claims(
    tenant: &Tenant,
    client: &Client,
    user: &User,
    token: &AccessToken,
) -> Map<String, Value> {
    let mut claims = claims::user_claims(user, claims::granted_claims(&token.scope, &token.claims));
    claims.insert("sub".into(), user.id.to_string().into());
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
    enc: Option<signet_jose::ContentAlg>,
    signer: Option<&Signer>,
    encrypter: Option<&Encrypter>,
) -> Result<String, JoseFault> {
    protect_as("JWT", claims, enc, signer, encrypter)
}

/// Like [`protect`], with a `typ` of its own for the signed token (RFC 8725 section 3.11).
pub fn protect_as(
    typ: &str,
    claims: &Map<String, Value>,
    enc: Option<signet_jose::ContentAlg>,
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
