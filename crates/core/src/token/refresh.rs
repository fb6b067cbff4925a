//! Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14, OpenID Connect Core section 12): a chain of links of which
//! the last is good.
//!
//! **Who gets one.** A client that is registered for the grant type `refresh_token` (OpenID Connect Core section 11: "The
//! use of Refresh Tokens is not exclusive to the `offline_access` use case. The Authorization Server MAY grant Refresh
//! Tokens in other contexts"). With `offline_access` it lives for as long as the client's lifetimes say; without it the
//! person must still be logged in, so it ends with the session: at logout with the grant, else when the session does.
//!
//! **Rotation.** Each use gives a successor and retires the token. A retired token that comes back means that two parties
//! have it, so the whole family ends (RFC 9700 section 4.14.2).
//!
//! **Grace.** The one honest reason to come back is a response that was lost. So for a short while
//! ([`crate::records::Lifetimes::refresh_token_grace`]) a retired token is taken again, but only while its successor was
//! never used: once it was, the response did arrive. The retry gets a successor of its own and the unused one is worth
//! nothing any more, so that of one token there is never more than one living successor. Thirty seconds cover a client's
//! usual timeouts and one retry, and are what FAPI 2.0 deployments ask for; a thief who is that quick is still found out,
//! because the owner's next use then comes from a link that was superseded. Zero switches the grace off.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::access::{AccessDraft, AccessFacts};
use super::{Facts, IdTokenDraft, Issue, Outcome, narrowed, resource};
use crate::audit::{self, Kind};
use crate::authorize::AuthorizationRequest;
use crate::change::Change;
use crate::claims::OFFLINE_ACCESS;
use crate::context::{Context, UnixTime};
use crate::fault::Fault;
use crate::ids::TenantId;
use crate::params::Params;
use crate::records::{Authentication, Client, ClientAuthMethod, GrantType, RefreshToken, Tenant, User};
use crate::response::{self, Login};

/// Prefix of refresh tokens.
pub const REFRESH_TOKEN_PREFIX: &str = "sgn_rt_";

/// What the first link of a chain is made from.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// Whose tenant.
    pub tenant: &'a Tenant,
    /// For whom.
    pub client: &'a Client,
    /// The grant it stands for.
    pub grant_id: uuid::Uuid,
    /// What was asked and accepted.
    pub request: &'a AuthorizationRequest,
    /// The granted scope.
    pub scope: &'a BTreeSet<String>,
    /// Who logged in, and how.
    pub authentication: &'a Authentication,
    /// Ties the audit events of this login together.
    pub correlation_id: &'a str,
}

impl Chain<'_> {
    /// The first link, if this client gets one: the token to be sent, and the change that stores it.
    pub fn start(&self, context: &Context<'_>) -> Option<(Zeroizing<String>, Change)> {
        let settings = &self.client.settings;
        if !settings.grant_types.contains(&GrantType::RefreshToken) {
            return None;
        }
        let mut chain_expires_at = context.now.saturating_add(settings.lifetimes.refresh_token);
        if !self.scope.contains(OFFLINE_ACCESS) {
            // OpenID Connect Core section 11: only `offline_access` reaches beyond the time that the person is logged in.
            let session_ends =
                self.authentication.auth_time.saturating_add(self.tenant.settings.session_lifetime);
            chain_expires_at = chain_expires_at.min(session_ends);
        }
        let minted = context.mint(REFRESH_TOKEN_PREFIX);
        let link = RefreshToken {
            tenant: self.tenant.id.clone(),
            hash: minted.hash,
            grant_id: self.grant_id,
            client_id: self.client.client_id.clone(),
            request: self.request.clone(),
            scope: self.scope.clone(),
            authentication: self.authentication.clone(),
            correlation_id: self.correlation_id.to_owned(),
            parent: None,
            rotations: 0,
            rotated_at: None,
            superseded_at: None,
            successor_used: false,
            issued_at: context.now,
            expires_at: idle_end(self.client, chain_expires_at, context.now),
            chain_expires_at,
        };
        Some((minted.secret, Change::InsertRefreshToken(link)))
    }
}

/// The sliding end: so much silence, and never past the end of the chain.
fn idle_end(client: &Client, chain_expires_at: UnixTime, now: UnixTime) -> UnixTime {
    now.saturating_add(client.settings.lifetimes.refresh_token_idle).min(chain_expires_at)
}

/// The facts of one use.
#[derive(Clone, Copy, Debug)]
pub struct RefreshFacts<'a> {
    /// What every grant has to go by.
    pub facts: Facts<'a>,
    /// What the store holds under the token's hash.
    pub token: Option<&'a RefreshToken>,
    /// The token's user.
    pub user: Option<&'a User>,
}

/// RFC 6749 section 6; judged before any token is looked up.
pub fn refresh_parameter(params: &Params) -> Result<&str, Fault> {
    params.get("refresh_token").ok_or(Fault::RefreshMissing)
}

/// Judges one use of a refresh token. On [`crate::change::Conflict::RefreshToken`] load and decide again.
pub fn refresh(input: RefreshFacts<'_>, context: &Context<'_>) -> Outcome {
    let facts = input.facts;
    let Some(token) = input.token else { return facts.refuse(Fault::RefreshUnknown, None, context) };
    match judge(input, token, context) {
        Ok(outcome) => outcome,
        // RFC 9700 section 4.14.2: "the authorization server cannot determine which party submitted the invalid refresh
        // token, but it will revoke the active refresh token", and with it all that the grant gave.
        Err(Fault::RefreshReused) => {
            facts.refuse_and_revoke(Fault::RefreshReused, token.grant_id, &token.correlation_id, context)
        }
        Err(fault) => facts.refuse(fault, Some(&token.correlation_id), context),
    }
}

/// Whether this use is the first, or a retry that the grace covers.
fn usable(token: &RefreshToken, client: &Client, now: UnixTime) -> Result<(), Fault> {
    // A retired token is known as such for as long as it is kept, whether or not it has expired meanwhile.
    let covered = token.rotated_at.is_none_or(|at| {
        let ends = at.saturating_add(client.settings.lifetimes.refresh_token_grace);
        now < ends && !token.successor_used
    });
    if token.superseded_at.is_some() || !covered {
        return Err(Fault::RefreshReused);
    }
    if now >= token.expires_at || now >= token.chain_expires_at {
        return Err(Fault::RefreshExpired);
    }
    Ok(())
}

/// RFC 9700 section 2.2.2: "Refresh tokens for public clients MUST be sender-constrained or use refresh token rotation".
fn rotates(client: &Client) -> bool {
    let settings = &client.settings;
    settings.refresh_token_rotation || settings.token_endpoint_auth_method == ClientAuthMethod::None
}

fn judge(input: RefreshFacts<'_>, token: &RefreshToken, context: &Context<'_>) -> Result<Outcome, Fault> {
    let RefreshFacts { facts, user, .. } = input;
    let (tenant, client) = (facts.tenant, facts.client.client());
    // RFC 6749 section 10.4: the binding comes first, so that another client's attempt burns and ends nothing.
    if token.client_id != client.client_id {
        return Err(Fault::RefreshForeign);
    }
    usable(token, client, context.now)?;
    let user = user
        .filter(|user| !user.disabled && user.id == token.authentication.user_id)
        .ok_or(Fault::RefreshUnknown)?;
    // RFC 6749 section 6: "The requested scope MUST NOT include any scope not originally granted"; what was taken from the
    // client since is not given again.
    let granted = token.scope.intersection(&client.settings.scope).cloned().collect();
    let scope = narrowed(facts.params, &granted)?;
    let audience = resource::audience(facts.params, &token.request.resources, client)?;
    let id_token = id_token(facts, token, user, &scope, context)?;

    let mut changes: Vec<Change> = facts.client.claim().into_iter().collect();
    let refresh_token = if rotates(client) {
        let (secret, rotation) = rotate(token, client, &tenant.id, context);
        changes.extend(rotation);
        Some(secret)
    } else {
        changes.push(Change::ProlongRefreshToken {
            hash: token.hash,
            client_id: client.client_id.clone(),
            at: context.now,
            expires_at: idle_end(client, token.chain_expires_at, context.now),
        });
        None
    };
    let event = audit::success(&tenant.id, Kind::TokenIssued, &token.correlation_id, context)
        .client(&client.client_id)
        .user(user.id)
        .fact("grant_type", "refresh_token")
        .fact("retry", token.rotations > 0);
    changes.push(event.change());
    let access = AccessDraft::new(
        AccessFacts {
            tenant,
            client,
            grant_id: token.grant_id,
            user_id: Some(user.id),
            authentication: Some(&token.authentication),
            scope,
            claims: token.request.claims.userinfo.keys().cloned().collect(),
            audience,
            actor: None,
        },
        context,
    );
    let issue = Issue { access, refresh_token, id_token, extra: serde_json::Map::new() };
    Ok(Outcome { changes, reply: Ok(issue) })
}

/// The successor keeps scope and end of the chain. RFC 6749 section 6: "If a new refresh token is issued, the refresh token
/// scope MUST be identical to that of the refresh token included by the client in the request."
fn rotate(
    token: &RefreshToken,
    client: &Client,
    tenant: &TenantId,
    context: &Context<'_>,
) -> (Zeroizing<String>, [Change; 2]) {
    let minted = context.mint(REFRESH_TOKEN_PREFIX);
    let successor = RefreshToken {
        tenant: tenant.clone(),
        hash: minted.hash,
        parent: Some(token.hash),
        rotations: 0,
        rotated_at: None,
        superseded_at: None,
        successor_used: false,
        issued_at: context.now,
        expires_at: idle_end(client, token.chain_expires_at, context.now),
        ..token.clone()
    };
    let rotation = Change::RotateRefreshToken {
        hash: token.hash,
        client_id: client.client_id.clone(),
        rotations: token.rotations,
        at: context.now,
    };
    (minted.secret, [rotation, Change::InsertRefreshToken(successor)])
}

/// OpenID Connect Core section 12.2: same `iss`, `sub`, `aud`, `auth_time`; a new `iat`; "it SHOULD NOT have a nonce Claim".
/// Protected like the first one.
fn id_token(
    facts: Facts<'_>,
    token: &RefreshToken,
    user: &User,
    scope: &BTreeSet<String>,
    context: &Context<'_>,
) -> Result<Option<IdTokenDraft>, Fault> {
    if !scope.contains("openid") {
        return Ok(None);
    }
    let client = facts.client.client();
    let protection = response::token_endpoint_protection(
        client,
        facts.client_keys,
        &facts.tenant.settings,
        token.request.response_type,
        context.now,
    )?;
    let login = Login { request: &token.request, scope, authentication: &token.authentication, nonce: None };
    let claims = response::id_token_claims(facts.tenant, client, user, &login, context.now);
    Ok(Some(IdTokenDraft { protection, claims }))
}
