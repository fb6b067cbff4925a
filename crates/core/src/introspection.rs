//! Looking into tokens (RFC 7662), with answers as JSON or as JWTs (RFC 9701).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::bearer;
use crate::client_auth::AuthenticatedClient;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::ids::ClientId;
use crate::records::{AccessToken, Authentication, Client, ClientKey, RefreshToken, Tenant, User};
use crate::response::{self, Protection};
use crate::token::{audience_claim, scope_text, subject_of};

/// RFC 9701 section 5: the `typ` of a signed answer, and its media type behind `application/`.
pub const JWT_TYPE: &str = "token-introspection+jwt";

/// What the store holds under the token's hash.
#[derive(Clone, Copy, Debug)]
pub enum Token<'a> {
    /// Nothing, or nothing that its grant still carries.
    Unknown,
    /// An access token.
    Access(&'a AccessToken),
    /// A refresh token.
    Refresh(&'a RefreshToken),
}

impl Token<'_> {
    /// Whose it is.
    pub fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Unknown => None,
            Self::Access(token) => Some(&token.client_id),
            Self::Refresh(token) => Some(&token.client_id),
        }
    }

    /// Of whom it is.
    pub fn user_id(&self) -> Option<uuid::Uuid> {
        match self {
            Self::Unknown => None,
            Self::Access(token) => token.user_id,
            Self::Refresh(token) => Some(token.authentication.user_id),
        }
    }
}

/// The facts of one request.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// Who asks.
    pub caller: &'a AuthenticatedClient,
    /// That client's keys.
    pub caller_keys: &'a [ClientKey],
    /// The token.
    pub token: Token<'a>,
    /// The token's client.
    pub client: Option<&'a Client>,
    /// The token's user.
    pub user: Option<&'a User>,
}

/// Who may ask. RFC 7662 section 2.1: "To prevent token scanning attacks, the endpoint MUST also require some form of
/// authorization to access this endpoint"; a public client has shown nothing.
pub fn admit(caller: &AuthenticatedClient) -> Result<(), Fault> {
    if caller.is_confidential() { Ok(()) } else { Err(Fault::IntrospectionPublic) }
}

/// The members of the answer. RFC 7662 section 2.2: whatever is wrong with the token, or with the caller's right to see
/// it, the answer is `active: false` and nothing else.
pub fn answer(input: &Input<'_>, now: UnixTime) -> Map<String, Value> {
    active(input, now).unwrap_or_else(|| Map::from_iter([("active".to_owned(), Value::Bool(false))]))
}

fn active(input: &Input<'_>, now: UnixTime) -> Option<Map<String, Value>> {
    let client = input
        .client
        .filter(|client| !client.disabled && Some(&client.client_id) == input.token.client_id())?;
    // A token about a person is worth nothing once that person may not log in.
    let user = match input.token.user_id() {
        None => None,
        Some(id) => Some(input.user.filter(|user| !user.disabled && user.id == id)?),
    };
    match input.token {
        Token::Unknown => None,
        Token::Access(token) => {
            let current = now < token.expires_at && bearer::concerns(input.caller.client(), token);
            current.then(|| access(input.tenant, client, user, token))
        }
        Token::Refresh(token) => {
            // Its own client's alone: RFC 6749 section 1.5, "refresh tokens are intended for use only with authorization
            // servers and are never sent to resource servers".
            let own = input.caller.client().client_id == token.client_id;
            let retired = token.rotations > 0 || token.superseded_at.is_some();
            let expired = now >= token.expires_at || now >= token.chain_expires_at;
            (own && !retired && !expired).then(|| refresh(input.tenant, client, user, token))
        }
    }
}

fn common(
    tenant: &Tenant,
    client: &Client,
    user: Option<&User>,
    scope: &BTreeSet<String>,
    issued_at: UnixTime,
    expires_at: UnixTime,
) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("active", true.into());
    set("iss", tenant.issuer.clone().into());
    set("client_id", client.client_id.as_str().into());
    set("sub", subject_of(tenant, client, user.map(|user| user.id)).into());
    set("iat", issued_at.into());
    set("exp", expires_at.into());
    if !scope.is_empty() {
        set("scope", scope_text(scope).into());
    }
    // The name is a claim of the scope `profile` (OpenID Connect Core section 5.4, `preferred_username`); given without it,
    // it would also undo pairwise subjects.
    if let Some(user) = user.filter(|_| scope.contains("profile")) {
        set("username", user.username.clone().into());
    }
    claims
}

fn access(tenant: &Tenant, client: &Client, user: Option<&User>, token: &AccessToken) -> Map<String, Value> {
    let mut claims = common(tenant, client, user, &token.scope, token.issued_at, token.expires_at);
    claims.insert("token_type".into(), "Bearer".into());
    claims.insert("aud".into(), audience_claim(tenant, &token.audience));
    // RFC 8693 section 4.1.
    if let Some(actor) = &token.actor {
        claims.insert("act".into(), Value::Object(actor.clone()));
    }
    claims
}

fn refresh(
    tenant: &Tenant,
    client: &Client,
    user: Option<&User>,
    token: &RefreshToken,
) -> Map<String, Value> {
    let mut claims = common(tenant, client, user, &token.scope, token.issued_at, token.expires_at);
    // It is presented here, whatever resources its access tokens are for.
    claims.insert("aud".into(), tenant.issuer.clone().into());
    let Authentication { auth_time, acr, .. } = &token.authentication;
    claims.insert("auth_time".into(), (*auth_time).into());
    claims.insert("acr".into(), acr.clone().into());
    claims
}

/// In which form the caller gets its answer.
#[derive(Clone, Debug)]
pub struct Form {
    /// How the JWT is to be protected (RFC 9701 section 5); `None` means `application/json`.
    pub protection: Option<Protection>,
    /// What is in it.
    pub claims: Map<String, Value>,
}

/// RFC 9701 section 4: a JWT for whoever accepts one. A caller that is registered for encryption gets nothing else: policy
/// is decided by its record, never by the shape of what arrives.
pub fn form(
    input: &Input<'_>,
    accepts_jwt: bool,
    answer: Map<String, Value>,
    now: UnixTime,
) -> Result<Form, Fault> {
    let caller = input.caller.client();
    let wanted = caller.settings.introspection;
    if !accepts_jwt && wanted.encrypted.is_none() {
        return Ok(Form { protection: None, claims: answer });
    }
    let settings = &input.tenant.settings;
    let protection = response::protection(wanted, caller, input.caller_keys, settings, now)?;
    // RFC 9701 section 5: `iss`, `aud` and `iat`; `sub` and `exp` stay inside, "to prevent JWT introspection responses from
    // being used as access tokens".
    let claims = json!({
        "iss": input.tenant.issuer,
        "aud": caller.client_id.as_str(),
        "iat": now,
        "token_introspection": answer,
    });
    let Value::Object(claims) = claims else { return Err(Fault::Internal { detail: "not an object" }) };
    Ok(Form { protection: Some(protection), claims })
}

/// RFC 9701 section 4: the request has "an HTTP header field "Accept" set to "application/token-introspection+jwt"". A
/// weight of zero means "not acceptable" (RFC 9110 section 12.4.2).
pub fn accepts_jwt(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
        });
        kind.strip_prefix("application/") == Some(JWT_TYPE) && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_asks_for_a_jwt_by_name_rfc9701_4() {
        for yes in [
            "application/token-introspection+jwt",
            "Application/Token-Introspection+JWT",
            "application/json;q=0.5, application/token-introspection+jwt; q=0.9",
        ] {
            assert!(accepts_jwt(yes), "{yes}");
        }
        for no in ["", "*/*", "application/*", "application/jwt", "application/token-introspection+jwt;q=0"] {
            assert!(!accepts_jwt(no), "{no}");
        }
    }
}
