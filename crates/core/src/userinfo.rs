//! The UserInfo endpoint (OpenID Connect Core section 5.3).

use serde_json::{Map, Value};

use crate::bearer;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::records::{AccessToken, Client, ClientKey, Tenant, User};
use crate::response::{self, Protection};

/// The facts of one request.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// What the store holds under the token's hash.
    pub token: Option<&'a AccessToken>,
    /// The token's client.
    pub client: Option<&'a Client>,
    /// That client's keys.
    pub client_keys: &'a [ClientKey],
    /// The token's user.
    pub user: Option<&'a User>,
}

/// What to answer with.
#[derive(Debug)]
pub struct Answer {
    /// How it is to be protected.
    pub protection: Protection,
    /// What is in it.
    pub claims: Map<String, Value>,
}

/// Judges a request. Nothing is written.
pub fn answer(input: &Input<'_>, now: UnixTime) -> Result<Answer, Fault> {
    let (token, client) = bearer::accepted(input.tenant, input.token, input.client, now)?;
    if token.user_id.is_none() {
        return Err(Fault::TokenOfClient);
    }
    if !token.scope.contains("openid") {
        return Err(Fault::ScopeInsufficient);
    }
    let user =
        input.user.filter(|user| !user.disabled && Some(user.id) == token.user_id).ok_or(Fault::UserGone)?;
    let protection = response::userinfo_protection(client, input.client_keys, &input.tenant.settings, now)
        .map_err(|_| Fault::ResponseKeyMissing)?;
    Ok(Answer { protection, claims: response::userinfo_claims(input.tenant, client, user, token) })
}
