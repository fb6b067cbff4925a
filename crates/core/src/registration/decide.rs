//! Who may register, read, change and remove a client, and what is written then.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::reader::Reader;
use super::{keys, metadata};
use crate::audit::{self, By, Kind};
use crate::change::Change;
use crate::client_policy::{Contradiction, Mode};
use crate::context::{Context, UnixTime};
use crate::discovery::Endpoint;
use crate::fault::Fault;
use crate::ids::ClientId;
use crate::provision::{self, ClientDeclaration, ClientFacts, Refusal, Secret, SecretKeeper};
use crate::records::{Client, ClientKey, ClientSettings, InitialAccessToken, RegistrationPolicy, Tenant};

/// Prefix of registration access tokens.
pub const REGISTRATION_TOKEN_PREFIX: &str = "sgn_rat_";
/// Prefix of initial access tokens.
pub const INITIAL_TOKEN_PREFIX: &str = "sgn_iat_";
/// Longest explanation, in characters.
const MAX_TEXT: usize = 1000;

/// RFC 6750 section 2.1. RFC 7591 section 3 and RFC 7592 section 2: tokens come in the header.
pub fn presented(authorization: Option<&str>) -> Result<Option<&str>, Fault> {
    let Some(header) = authorization else { return Ok(None) };
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("Bearer") || token.is_empty() || !token.bytes().all(fits) {
        return Err(Fault::RegistrationTokenMalformed);
    }
    Ok(Some(token))
}

/// Whether a client may be registered with what was presented; `found` is the initial access token of that hash.
pub fn admit<'a>(
    tenant: &Tenant,
    presented: Option<&str>,
    found: Option<&'a InitialAccessToken>,
    now: UnixTime,
) -> Result<Option<&'a InitialAccessToken>, Fault> {
    match tenant.settings.registration {
        RegistrationPolicy::Off => Err(Fault::NotFound),
        RegistrationPolicy::Open => Ok(None),
        RegistrationPolicy::InitialAccessToken if presented.is_none() => Err(Fault::RegistrationTokenMissing),
        RegistrationPolicy::InitialAccessToken => {
            let usable = |token: &&InitialAccessToken| {
                token.uses_left.is_none_or(|left| left > 0) && token.expires_at.is_none_or(|end| now < end)
            };
            found.filter(usable).map(Some).ok_or(Fault::InitialTokenUnusable)
        }
    }
}

/// RFC 7592 section 2: the client's own registration access token and no other opens it. Section 2.1: of a client that is
/// not there nothing else is said.
pub fn manage<'a>(
    tenant: &Tenant,
    presented: Option<&str>,
    client: Option<&'a Client>,
) -> Result<&'a Client, Fault> {
    if tenant.settings.registration == RegistrationPolicy::Off {
        return Err(Fault::NotFound);
    }
    let presented = presented.ok_or(Fault::RegistrationTokenMissing)?;
    client
        .filter(|client| !client.disabled)
        .filter(|client| client.registration_token.is_some_and(|hash| hash.matches(presented)))
        .ok_or(Fault::RegistrationTokenWrong)
}

/// What both registering and changing need.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whose client.
    pub tenant: &'a Tenant,
    /// Keeps secrets that MACs are made with.
    pub secrets: &'a dyn SecretKeeper,
    /// How strict the installation is.
    pub mode: Mode,
    /// Ties the audit events to the request.
    pub correlation_id: &'a str,
}

/// A client as it is registered once the changes are applied.
#[derive(Debug)]
pub struct Registered {
    /// To be applied in one transaction; empty when nothing differs.
    pub changes: Vec<Change>,
    /// The client.
    pub client: Client,
    /// Its keys that are not withdrawn.
    pub keys: Vec<ClientKey>,
    /// Its secret, if it was made just now. Only a hash is kept, so it is never shown again.
    pub secret: Option<Zeroizing<String>>,
    /// Its registration access token.
    pub token: Zeroizing<String>,
}

impl Registered {
    /// A client as it stands.
    pub fn unchanged(client: &Client, keys: &[ClientKey], token: &str) -> Self {
        Self {
            changes: Vec::new(),
            client: client.clone(),
            keys: after(keys, &[]),
            secret: None,
            token: Zeroizing::new(token.to_owned()),
        }
    }

    /// RFC 7591 section 3.2.1 and RFC 7592 section 3.
    pub fn information(&self, tenant: &Tenant) -> Map<String, Value> {
        let mut map = metadata::metadata(&self.client.settings);
        let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
        put("client_id", self.client.client_id.as_str().into());
        put("client_id_issued_at", self.client.created_at.into());
        if let Some(secret) = &self.secret {
            put("client_secret", secret.as_str().into());
            // "REQUIRED if client_secret is issued"; 0 "if it will not expire".
            put("client_secret_expires_at", 0.into());
        }
        let address = format!("{}/{}", Endpoint::Register.url(&tenant.issuer), self.client.client_id);
        put("registration_client_uri", address.into());
        put("registration_access_token", self.token.as_str().into());
        if let Some(jwks) = keys::shown(&self.keys) {
            put("jwks", jwks);
        }
        map
    }
}

/// Registers a client (RFC 7591 section 3.1).
pub fn create(
    metadata: &Map<String, Value>,
    facts: &Facts<'_>,
    initial: Option<&InitialAccessToken>,
    context: &Context<'_>,
) -> Result<Registered, Fault> {
    let client_id = ClientId::new(context.client_id());
    let mut declared = declaration(metadata, client_id, &super::defaults(), facts)?;
    declared.generate_secret = declared.settings.token_endpoint_auth_method.uses_secret();
    let token = context.mint(REGISTRATION_TOKEN_PREFIX);
    let mut registered = provisioned(&declared, None, &[], facts, context)?;
    registered.client.registration_token = Some(token.hash);
    for change in &mut registered.changes {
        if let Change::InsertClient(client) = change {
            client.registration_token = Some(token.hash);
        }
    }
    let mut event = audit::success(&facts.tenant.id, Kind::ClientRegistered, facts.correlation_id, context)
        .client(&declared.client_id);
    if let Some(initial) = initial {
        registered.changes.insert(0, Change::UseInitialAccessToken { hash: initial.hash, at: context.now });
        event = event.fact("initial_access_token", initial.name.as_str());
    }
    registered.changes.push(event.change());
    audit::attribute(&mut registered.changes, &By::Client(declared.client_id));
    registered.token = token.secret;
    Ok(registered)
}

/// Replaces a client's metadata (RFC 7592 section 2.2).
pub fn update(
    metadata: &Map<String, Value>,
    client: &Client,
    keys: &[ClientKey],
    token: &str,
    facts: &Facts<'_>,
    context: &Context<'_>,
) -> Result<Registered, Fault> {
    // "The client MUST NOT include [these] in the request."
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        if metadata.contains_key(name) {
            return Err(Fault::MetadataServersOwn { name });
        }
    }
    // "The client MUST include its client_id field in the request, and it MUST be the same as its currently issued client
    // identifier."
    if metadata.get("client_id").and_then(Value::as_str) != Some(client.client_id.as_str()) {
        return Err(Fault::MetadataClientId);
    }
    let mut declared = declaration(metadata, client.client_id.clone(), &client.settings, facts)?;
    declared.secret =
        own_secret(metadata, client)?.filter(|_| declared.settings.token_endpoint_auth_method.uses_secret());
    declared.generate_secret =
        declared.secret.is_none() && declared.settings.token_endpoint_auth_method.uses_secret();
    let mut registered = provisioned(&declared, Some(client), keys, facts, context)?;
    audit::attribute(&mut registered.changes, &By::Client(client.client_id.clone()));
    registered.token = Zeroizing::new(token.to_owned());
    Ok(registered)
}

/// RFC 7592 section 2.2: "If the client includes the `client_secret` field in the request, the value of this field MUST match
/// the currently issued client secret for that client. The client MUST NOT be allowed to overwrite its existing client
/// secret with its own chosen value."
fn own_secret(metadata: &Map<String, Value>, client: &Client) -> Result<Option<Secret>, Fault> {
    match Reader(metadata).text("client_secret")? {
        None => Ok(None),
        Some(secret) if client.secret_hash.is_some_and(|hash| hash.matches(&secret)) => {
            Ok(Some(Secret::new(secret)))
        }
        Some(_) => Err(Fault::MetadataSecret),
    }
}

/// Removes a client (RFC 7592 section 2.3).
pub fn delete(client: &Client, facts: &Facts<'_>, context: &Context<'_>) -> Vec<Change> {
    let event = audit::success(&facts.tenant.id, Kind::ClientDeleted, facts.correlation_id, context)
        .client(&client.client_id)
        .by(&By::Client(client.client_id.clone()));
    vec![Change::DeleteClient(client.client_id.clone()), event.change()]
}

fn declaration(
    metadata: &Map<String, Value>,
    client_id: ClientId,
    base: &ClientSettings,
    facts: &Facts<'_>,
) -> Result<ClientDeclaration, Fault> {
    let reader = Reader(metadata);
    // RFC 7591 section 2.3: whoever is to vouch for software has to be trusted first, and nobody is.
    if reader.member("software_statement").is_some() {
        return Err(Fault::SoftwareStatement);
    }
    Ok(ClientDeclaration {
        settings: super::settings(metadata, base, &client_id, &facts.tenant.settings)?,
        keys: keys::declared(&reader)?,
        client_id,
        disabled: false,
        secret: None,
        generate_secret: false,
        prune_keys: true,
        owner: None,
    })
}

fn provisioned(
    declared: &ClientDeclaration,
    current: Option<&Client>,
    keys: &[ClientKey],
    facts: &Facts<'_>,
    context: &Context<'_>,
) -> Result<Registered, Fault> {
    let Facts { tenant, secrets, mode, correlation_id } = *facts;
    // Whoever registers itself may serve its keys later: RFC 7591 section 2 says nothing of when.
    let known = ClientFacts { tenant, current, keys, key_set: None, secrets, mode };
    let done = provision::client(declared, &known, correlation_id, context).map_err(|all| fault(&all))?;
    let written = done.changes.iter().find_map(|change| match change {
        Change::InsertClient(client) | Change::UpdateClient(client) => Some(client),
        _ => None,
    });
    let client = written.or(current).cloned().ok_or(Fault::Internal { detail: "nothing was registered" })?;
    Ok(Registered {
        keys: after(keys, &done.changes),
        changes: done.changes,
        client,
        secret: done.secret,
        token: Zeroizing::default(),
    })
}

/// The keys that are not withdrawn once `changes` are applied.
fn after(keys: &[ClientKey], changes: &[Change]) -> Vec<ClientKey> {
    let mut keys: Vec<_> = keys.iter().filter(|key| key.revoked_at.is_none()).cloned().collect();
    for change in changes {
        match change {
            Change::InsertClientKey(key) => keys.push(key.clone()),
            Change::RevokeClientKey { id, .. } => keys.retain(|key| key.id != *id),
            Change::UpdateClientKey { id, name, not_before, not_after, .. } => {
                for key in keys.iter_mut().filter(|key| key.id == *id) {
                    key.name.clone_from(name);
                    (key.not_before, key.not_after) = (*not_before, *not_after);
                }
            }
            _ => {}
        }
    }
    keys
}

/// RFC 7591 section 3.2.2: `invalid_redirect_uri` for "the value of one or more redirection URIs", `invalid_client_metadata`
/// for everything else.
fn fault(refusals: &[Refusal]) -> Fault {
    let text = |all: &[&Refusal]| {
        let all: Vec<_> = all.iter().map(ToString::to_string).collect();
        all.join(" ").chars().take(MAX_TEXT).collect()
    };
    let redirects: Vec<_> = refusals.iter().filter(|refusal| is_redirect(refusal)).collect();
    if redirects.is_empty() {
        Fault::MetadataContradiction { problem: text(&refusals.iter().collect::<Vec<_>>()) }
    } else {
        Fault::MetadataRedirectUri { problem: text(&redirects) }
    }
}

fn is_redirect(refusal: &Refusal) -> bool {
    let Refusal::Setting { problem } = refusal else { return false };
    matches!(
        problem,
        Contradiction::RedirectUri { .. }
            | Contradiction::RedirectUrisMissing
            | Contradiction::RedirectUrisTooMany
            | Contradiction::ImplicitLocalhost { .. }
    )
}
