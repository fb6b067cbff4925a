//! Client metadata (RFC 7591 section 2, Registration section 2, and the specifications named at each member) to settings
//! and back. What is read here is what is shown there; a test goes both ways.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use signet_jose::SigAlg;

use super::reader::Reader;
use crate::claims::Catalogue;
use crate::client_policy::{more_unasked, needed_grants};
use crate::discovery;
use crate::fault::Fault;
use crate::ids::ClientId;
use crate::records::{
    ApplicationType, ClientAuthMethod, ClientSettings, Encryption, GrantType, IdTokenSettings, Protected,
    ResponseType, SubjectType, TenantSettings, UserInfoResponseType, UserInfoSettings,
};

/// What a client has that registers itself, as far as no metadata exists for it.
pub fn defaults() -> ClientSettings {
    // OpenID Connect Core knows no PKCE; whoever registers by it may go without. Public clients may not.
    ClientSettings { require_pkce: false, ..ClientSettings::default() }
}

/// The settings that `metadata` asks for. What no metadata exists for stays as in `base`. Members that are not known are
/// ignored (RFC 7591 section 2: "The authorization server MUST ignore any client metadata sent by the client that it does
/// not understand").
pub fn settings(
    metadata: &Map<String, Value>,
    base: &ClientSettings,
    client_id: &ClientId,
    tenant: &TenantSettings,
) -> Result<ClientSettings, Fault> {
    let reader = Reader(metadata);
    let mut settings = base.clone();
    description(&reader, &mut settings, client_id)?;
    addresses(&reader, &mut settings)?;
    grants(&reader, &mut settings)?;
    authentication(&reader, &mut settings)?;
    settings.scope = scope(&reader, &settings, tenant)?;
    responses(&reader, &mut settings)?;
    request_objects(&reader, &mut settings, tenant)?;
    // Consent is an administrator's to switch off, for the client as they saw it. A client that asks for more by itself, or
    // has its answers sent elsewhere, is another one: people are asked again.
    settings.require_consent |= more_unasked(Some(base), &settings).is_some();
    Ok(settings)
}

fn description(
    reader: &Reader<'_>,
    settings: &mut ClientSettings,
    client_id: &ClientId,
) -> Result<(), Fault> {
    // RFC 7591 section 2: "If omitted, the authorization server MAY display the raw client_id value".
    settings.client_name = reader.text("client_name")?.unwrap_or_else(|| client_id.to_string());
    settings.client_uri = reader.text("client_uri")?;
    settings.logo_uri = reader.text("logo_uri")?;
    settings.policy_uri = reader.text("policy_uri")?;
    settings.tos_uri = reader.text("tos_uri")?;
    settings.contacts = reader.texts("contacts")?;
    settings.software_id = reader.text("software_id")?;
    settings.software_version = reader.text("software_version")?;
    settings.default_max_age = reader.seconds("default_max_age")?;
    settings.require_auth_time = reader.flag("require_auth_time")?;
    settings.default_acr_values = reader.texts("default_acr_values")?;
    Ok(())
}

fn application_type(name: &str) -> Option<ApplicationType> {
    [ApplicationType::Web, ApplicationType::Native].into_iter().find(|kind| application_name(*kind) == name)
}

fn application_name(kind: ApplicationType) -> &'static str {
    match kind {
        ApplicationType::Web => "web",
        ApplicationType::Native => "native",
    }
}

fn addresses(reader: &Reader<'_>, settings: &mut ClientSettings) -> Result<(), Fault> {
    settings.application_type =
        reader.word("application_type", application_type)?.unwrap_or(ApplicationType::Web);
    settings.redirect_uris = reader.texts("redirect_uris")?;
    settings.request_uris = reader.texts("request_uris")?;
    settings.jwks_uri = reader.text("jwks_uri")?;
    settings.subject_type =
        reader.word("subject_type", SubjectType::from_name)?.unwrap_or(SubjectType::Public);
    settings.sector_identifier_uri = reader.text("sector_identifier_uri")?;
    settings.initiate_login_uri = reader.text("initiate_login_uri")?;
    // RP-Initiated Logout section 3.1, Back-Channel Logout section 2.2, Front-Channel Logout section 2.
    settings.post_logout_redirect_uris = reader.texts("post_logout_redirect_uris")?;
    settings.backchannel_logout_uri = reader.text("backchannel_logout_uri")?;
    settings.backchannel_logout_session_required = reader.flag("backchannel_logout_session_required")?;
    settings.frontchannel_logout_uri = reader.text("frontchannel_logout_uri")?;
    settings.frontchannel_logout_session_required = reader.flag("frontchannel_logout_session_required")?;
    Ok(())
}

/// Registration section 2: `code` and `authorization_code` are the defaults. Where only one of the two lists is given, the
/// other is what goes with it (RFC 7591 section 2.1 wants them consistent).
fn grants(reader: &Reader<'_>, settings: &mut ClientSettings) -> Result<(), Fault> {
    let response_types = reader.words("response_types", ResponseType::parse)?;
    let grant_types = reader.words("grant_types", grant_type)?;
    let code = || BTreeSet::from([ResponseType::Code]);
    (settings.response_types, settings.grant_types) = match (response_types, grant_types) {
        (Some(responses), Some(grants)) => (responses, grants),
        (Some(responses), None) => {
            let grants = responses.iter().copied().flat_map(needed_grants).collect();
            (responses, grants)
        }
        (None, Some(grants)) if grants.contains(&GrantType::AuthorizationCode) => (code(), grants),
        (None, Some(grants)) if grants.contains(&GrantType::Implicit) => (code(), grants),
        (None, Some(grants)) => (BTreeSet::new(), grants),
        (None, None) => (code(), [GrantType::AuthorizationCode].into()),
    };
    Ok(())
}

/// Only what discovery offers.
fn grant_type(name: &str) -> Option<GrantType> {
    discovery::grant_types().find(|grant| grant.name() == name)
}

fn auth_method(name: &str) -> Option<ClientAuthMethod> {
    ClientAuthMethod::ALL.iter().copied().find(|method| method.name() == name)
}

fn authentication(reader: &Reader<'_>, settings: &mut ClientSettings) -> Result<(), Fault> {
    settings.token_endpoint_auth_method = reader
        .word("token_endpoint_auth_method", auth_method)?
        .unwrap_or(ClientAuthMethod::ClientSecretBasic);
    // "The value none MUST NOT be used": it is no algorithm here.
    settings.token_endpoint_auth_signing_alg =
        reader.word("token_endpoint_auth_signing_alg", SigAlg::from_name)?;
    // RFC 9126 section 6.
    settings.require_pushed_authorization_requests = reader.flag("require_pushed_authorization_requests")?;
    if settings.token_endpoint_auth_method == ClientAuthMethod::None {
        settings.require_pkce = true;
        settings.refresh_token_rotation = true;
    }
    Ok(())
}

/// RFC 7591 section 2: "If omitted, an authorization server MAY register a client with a default set of scopes", here all
/// of the tenant's. Those it does not know are left out; the answer says which were registered (section 3.2.1: "The
/// authorization server MAY reject or replace any of the client's requested metadata values").
fn scope(
    reader: &Reader<'_>,
    settings: &ClientSettings,
    tenant: &TenantSettings,
) -> Result<BTreeSet<String>, Fault> {
    let Some(wanted) = reader.text("scope")? else {
        return Ok(Catalogue::of(tenant).scopes().map(|scope| scope.name().to_owned()).collect());
    };
    let known = wanted.split(' ').filter(|scope| Catalogue::of(tenant).find(scope).is_some());
    let browser = [GrantType::AuthorizationCode, GrantType::Implicit]
        .iter()
        .any(|grant| settings.grant_types.contains(grant));
    // Without it no request of such a client would be accepted.
    Ok(known.chain(browser.then_some("openid")).map(str::to_owned).collect())
}

/// A signature, or deliberately none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signature {
    Unsigned,
    Signed(SigAlg),
}

impl Signature {
    fn from_name(name: &str) -> Option<Self> {
        if name == "none" { Some(Self::Unsigned) } else { SigAlg::from_name(name).map(Self::Signed) }
    }
}

fn responses(reader: &Reader<'_>, settings: &mut ClientSettings) -> Result<(), Fault> {
    let signed = reader.word("id_token_signed_response_alg", Signature::from_name)?;
    settings.id_token = IdTokenSettings {
        signed: match signed {
            Some(Signature::Signed(alg)) => alg,
            Some(Signature::Unsigned) | None => SigAlg::RS256,
        },
        unsigned: signed == Some(Signature::Unsigned),
        encrypted: reader.encryption("id_token_encrypted_response_alg", "id_token_encrypted_response_enc")?,
        include_scope_claims: settings.id_token.include_scope_claims,
    };
    let signed = reader.word("userinfo_signed_response_alg", SigAlg::from_name)?;
    let encrypted =
        reader.encryption("userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc")?;
    settings.userinfo = UserInfoSettings {
        response_type: match (signed, encrypted) {
            (None, None) => UserInfoResponseType::Json,
            (Some(_), None) => UserInfoResponseType::Signed,
            (None, Some(_)) => UserInfoResponseType::Encrypted,
            (Some(_), Some(_)) => UserInfoResponseType::SignedAndEncrypted,
        },
        signed: signed.unwrap_or(SigAlg::RS256),
        encrypted,
    };
    // JARM section 3.
    settings.authorization_response = Protected {
        signed: reader.word("authorization_signed_response_alg", SigAlg::from_name)?.unwrap_or(SigAlg::RS256),
        encrypted: reader
            .encryption("authorization_encrypted_response_alg", "authorization_encrypted_response_enc")?,
    };
    // RFC 9701 section 6.
    settings.introspection = Protected {
        signed: reader.word("introspection_signed_response_alg", SigAlg::from_name)?.unwrap_or(SigAlg::RS256),
        encrypted: reader
            .encryption("introspection_encrypted_response_alg", "introspection_encrypted_response_enc")?,
    };
    Ok(())
}

/// The algorithms that a client may sign request objects with.
fn object_algs() -> BTreeSet<SigAlg> {
    SigAlg::ALL.iter().copied().filter(|alg| !alg.is_symmetric()).collect()
}

/// Registration section 2, `request_object_signing_alg`: "All Request Objects from this Client MUST be rejected, if not
/// signed with this algorithm. [...] The default, if omitted, is that any algorithm supported by the OP and the RP MAY be
/// used", unsigned ones included where the tenant supports them.
fn request_objects(
    reader: &Reader<'_>,
    settings: &mut ClientSettings,
    tenant: &TenantSettings,
) -> Result<(), Fault> {
    // RFC 9101 section 10.5.
    settings.require_request_object = reader.flag("require_signed_request_object")?;
    let demanding = settings.require_request_object || settings.require_encrypted_request_object;
    (settings.request_object_signing_algs, settings.allow_unsigned_request_object) =
        match reader.word("request_object_signing_alg", Signature::from_name)? {
            Some(Signature::Signed(alg)) => ([alg].into(), false),
            Some(Signature::Unsigned) => (BTreeSet::new(), true),
            None => (object_algs(), tenant.unsigned_request_objects && !demanding),
        };
    // OpenID Connect Core section 6.1 and RFC 9101 section 4 demand neither `iat` nor `exp`, and whoever registers by the
    // standards alone knows of no such demand.
    settings.require_request_object_times = false;
    settings.request_object_encryption =
        reader.encryption("request_object_encryption_alg", "request_object_encryption_enc")?;
    Ok(())
}

/// The metadata of a client as it is registered, defaults included (RFC 7591 section 3.2.1: "all registered metadata about
/// this client, including any fields provisioned by the authorization server itself").
pub fn metadata(settings: &ClientSettings) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            map.insert(name.to_owned(), value);
        }
    };
    let names = |all: Vec<&'static str>| json!(all);
    for (name, value) in [
        ("client_name", json!(settings.client_name)),
        ("client_uri", json!(settings.client_uri)),
        ("logo_uri", json!(settings.logo_uri)),
        ("policy_uri", json!(settings.policy_uri)),
        ("tos_uri", json!(settings.tos_uri)),
        ("contacts", json!(settings.contacts)),
        ("software_id", json!(settings.software_id)),
        ("software_version", json!(settings.software_version)),
        ("application_type", json!(application_name(settings.application_type))),
        ("redirect_uris", json!(settings.redirect_uris)),
        ("request_uris", json!(settings.request_uris)),
        ("jwks_uri", json!(settings.jwks_uri)),
        ("subject_type", json!(settings.subject_type)),
        ("sector_identifier_uri", json!(settings.sector_identifier_uri)),
        ("initiate_login_uri", json!(settings.initiate_login_uri)),
        ("post_logout_redirect_uris", json!(settings.post_logout_redirect_uris)),
        ("backchannel_logout_uri", json!(settings.backchannel_logout_uri)),
        ("backchannel_logout_session_required", json!(settings.backchannel_logout_session_required)),
        ("frontchannel_logout_uri", json!(settings.frontchannel_logout_uri)),
        ("frontchannel_logout_session_required", json!(settings.frontchannel_logout_session_required)),
        ("token_endpoint_auth_method", json!(settings.token_endpoint_auth_method)),
        ("token_endpoint_auth_signing_alg", json!(settings.token_endpoint_auth_signing_alg)),
        ("require_pushed_authorization_requests", json!(settings.require_pushed_authorization_requests)),
        ("default_max_age", json!(settings.default_max_age)),
        ("require_auth_time", json!(settings.require_auth_time)),
        ("default_acr_values", json!(settings.default_acr_values)),
        ("require_signed_request_object", json!(settings.require_request_object)),
        ("scope", json!(settings.scope.iter().map(String::as_str).collect::<Vec<_>>().join(" "))),
    ] {
        put(name, value);
    }
    // An empty list is not the default, so it is shown.
    map.insert(
        "response_types".into(),
        names(settings.response_types.iter().map(|kind| kind.name()).collect()),
    );
    map.insert("grant_types".into(), names(settings.grant_types.iter().map(|kind| kind.name()).collect()));
    protection(settings, &mut map);
    map
}

fn protection(settings: &ClientSettings, map: &mut Map<String, Value>) {
    let none_or = |unsigned: bool, alg: SigAlg| if unsigned { "none" } else { alg.name() };
    let userinfo = settings.userinfo;
    let object = match (settings.allow_unsigned_request_object, settings.request_object_signing_algs.len()) {
        (true, 0) => Some("none"),
        (false, 1) => settings.request_object_signing_algs.first().map(|alg| alg.name()),
        _ => None,
    };
    for (name, alg) in [
        ("id_token_signed_response_alg", Some(none_or(settings.id_token.unsigned, settings.id_token.signed))),
        (
            "userinfo_signed_response_alg",
            userinfo.response_type.is_signed().then_some(userinfo.signed.name()),
        ),
        ("authorization_signed_response_alg", Some(settings.authorization_response.signed.name())),
        ("introspection_signed_response_alg", Some(settings.introspection.signed.name())),
        ("request_object_signing_alg", object),
    ] {
        if let Some(alg) = alg {
            map.insert(name.to_owned(), alg.into());
        }
    }
    for (prefix, encryption) in [
        ("id_token_encrypted_response", settings.id_token.encrypted),
        ("userinfo_encrypted_response", userinfo.encrypted),
        ("authorization_encrypted_response", settings.authorization_response.encrypted),
        ("introspection_encrypted_response", settings.introspection.encrypted),
        ("request_object_encryption", settings.request_object_encryption),
    ] {
        if let Some(Encryption { alg, enc }) = encryption {
            map.insert(format!("{prefix}_alg"), alg.name().into());
            map.insert(format!("{prefix}_enc"), enc.name().into());
        }
    }
}
