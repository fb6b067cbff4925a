//! Ending tokens (RFC 7009).

use crate::audit::Kind;
use crate::audit::{self, Draft};
use crate::change::Change;
use crate::client_auth::AuthenticatedClient;
use crate::context::Context;
use crate::fault::Fault;
use crate::params::Params;
use crate::records::{AccessToken, RefreshToken, Tenant};

/// The facts of one revocation. The token's hash is looked for under both kinds, so a wrong `token_type_hint` does no
/// harm. RFC 7009 section 2.1: "the server MAY ignore this parameter".
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// Who asks.
    pub client: &'a AuthenticatedClient,
    /// What the store holds as an access token.
    pub access: Option<&'a AccessToken>,
    /// What the store holds as a refresh token.
    pub refresh: Option<&'a RefreshToken>,
    /// Names this request in the audit trail.
    pub correlation_id: &'a str,
}

/// What to write, and whether it was refused. Everything else is answered alike.
#[derive(Debug)]
pub struct Outcome {
    /// To be applied in one transaction.
    pub changes: Vec<Change>,
    /// RFC 7009 section 2.2: "The authorization server responds with HTTP status code 200 if the token has been revoked
    /// successfully or if the client submitted an invalid token."
    pub reply: Result<(), Fault>,
}

/// RFC 7009 section 2.1: "token REQUIRED."
pub fn token_parameter(params: &Params) -> Result<&str, Fault> {
    params.get("token").ok_or(Fault::TokenParameterMissing)
}

/// Judges a revocation. RFC 7009 section 2.1: the server "verifies whether the token was issued to the client making the
/// revocation request. If this validation fails, the request is refused and the client is informed of the error".
pub fn revoke(input: Input<'_>, context: &Context<'_>) -> Outcome {
    let client_id = &input.client.client().client_id;
    let owner = input.refresh.map(|token| &token.client_id).or(input.access.map(|token| &token.client_id));
    let id = &input.tenant.id;
    if owner.is_some_and(|owner| owner != client_id) {
        let fault = Fault::RevocationForeign;
        let event = audit::refused(id, Kind::RevocationRefused, &fault, input.correlation_id, context);
        return Outcome { changes: vec![event.client(client_id).change()], reply: Err(fault) };
    }
    let mut changes: Vec<Change> = input.client.claim().into_iter().collect();
    let event = |kind: &str, correlation_id: &str| {
        audit::success(id, Kind::TokenRevoked, correlation_id, context)
            .client(client_id)
            .fact("token", kind)
            .fact("request", input.correlation_id)
    };
    if let Some(token) = input.refresh {
        // Section 2.1: "If the particular token is a refresh token and the authorization server supports the revocation of
        // access tokens, then the authorization server SHOULD also invalidate all access tokens based on the same
        // authorization grant". Any link of the chain stands for the grant.
        changes.push(Change::RevokeGrant { id: token.grant_id, at: context.now });
        let event = event("refresh_token", &token.correlation_id).user(token.authentication.user_id);
        changes.push(event.change());
    } else if let Some(token) = input.access {
        changes.push(Change::DeleteAccessToken(token.hash));
        let event = event("access_token", input.correlation_id);
        let event = token.user_id.into_iter().fold(event, Draft::user);
        changes.push(event.change());
    }
    Outcome { changes, reply: Ok(()) }
}
