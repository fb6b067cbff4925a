//! Redemption of an authorization code (RFC 6749 section 4.1.3, OpenID Connect Core section 3.1.3).

use serde_json::Map;

use super::access::{AccessDraft, AccessFacts};
use super::{Chain, Facts, IdTokenDraft, Issue, Outcome, resource};
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::context::Context;
use crate::fault::Fault;
use crate::params::Params;
use crate::pkce;
use crate::records::{Code, User};
use crate::response::{self, Login};

/// Prefix of authorization codes.
pub const CODE_PREFIX: &str = "sgn_ac_";

/// The facts of one redemption.
#[derive(Clone, Copy, Debug)]
pub struct CodeFacts<'a> {
    /// What every grant has to go by.
    pub facts: Facts<'a>,
    /// What the store holds under the code's hash.
    pub code: Option<&'a Code>,
    /// The code's user.
    pub user: Option<&'a User>,
}

/// RFC 6749 section 4.1.3; judged before any code is looked up.
pub fn code_parameter(params: &Params) -> Result<&str, Fault> {
    params.get("code").ok_or(Fault::CodeMissing)
}

/// Judges a redemption: every binding first, effects last. On [`crate::change::Conflict::Code`] load and decide again.
pub fn redeem(input: CodeFacts<'_>, context: &Context<'_>) -> Outcome {
    let facts = input.facts;
    let Some(code) = input.code else { return facts.refuse(Fault::CodeUnknown, None, context) };
    match judge(input, code, context) {
        Ok(outcome) => outcome,
        // RFC 6749 section 4.1.2: "the authorization server MUST deny the request and SHOULD revoke (when possible) all
        // tokens previously issued based on that authorization code."
        Err(Fault::CodeReplayed) => {
            facts.refuse_and_revoke(Fault::CodeReplayed, code.grant_id, &code.correlation_id, context)
        }
        Err(fault) => facts.refuse(fault, Some(&code.correlation_id), context),
    }
}

fn judge(input: CodeFacts<'_>, code: &Code, context: &Context<'_>) -> Result<Outcome, Fault> {
    let CodeFacts { facts, user, .. } = input;
    let client = facts.client.client();
    // RFC 6749 section 4.1.3: "ensure that the authorization code was issued to the authenticated confidential client".
    // Another client's attempt neither redeems nor burns the code.
    if code.client_id != client.client_id {
        return Err(Fault::CodeForeign);
    }
    // "ensure that the "redirect_uri" parameter is present if [it] was included in the initial authorization request
    // [...] and if included ensure that their values are identical."
    let redirect_uri = facts.params.get("redirect_uri").ok_or(Fault::CodeRedirectMissing)?;
    if redirect_uri != code.request.redirect_uri {
        return Err(Fault::CodeRedirectMismatch);
    }
    // Before the code's own state: whoever cannot show the verifier is not the one the code was made for, and must not
    // be able to end that one's tokens with a code that leaked (RFC 7636 section 1, RFC 9700 section 4.5).
    pkce::verify(code.request.code_challenge.as_deref(), facts.params.get("code_verifier"))?;
    if code.redeemed_at.is_some() {
        return Err(Fault::CodeReplayed);
    }
    if context.now >= code.expires_at {
        return Err(Fault::CodeExpired);
    }
    let user = user
        .filter(|user| !user.disabled && user.id == code.authentication.user_id)
        .ok_or(Fault::CodeUnknown)?;
    let audience = resource::audience(facts.params, &code.request.resources, client)?;
    let id_token = id_token(facts, code, user, context)?;
    let access = AccessDraft::new(
        AccessFacts {
            tenant: facts.tenant,
            client,
            grant_id: code.grant_id,
            user_id: Some(user.id),
            authentication: Some(&code.authentication),
            scope: code.scope.clone(),
            claims: code.request.claims.userinfo.keys().cloned().collect(),
            audience,
            actor: None,
        },
        context,
    );
    Ok(issue(facts, code, user, access, id_token, context))
}

fn id_token(
    facts: Facts<'_>,
    code: &Code,
    user: &User,
    context: &Context<'_>,
) -> Result<Option<IdTokenDraft>, Fault> {
    // OpenID Connect Core section 3.1.2.1: without `openid` it is an OAuth request.
    if !code.scope.contains("openid") {
        return Ok(None);
    }
    let client = facts.client.client();
    let protection = response::token_endpoint_protection(
        client,
        facts.client_keys,
        &facts.tenant.settings,
        code.request.response_type,
        context.now,
    )?;
    let login = Login {
        request: &code.request,
        scope: &code.scope,
        authentication: &code.authentication,
        nonce: code.request.nonce.as_deref(),
    };
    let claims = response::id_token_claims(facts.tenant, client, user, &login, context.now);
    Ok(Some(IdTokenDraft { protection, claims }))
}

fn issue(
    facts: Facts<'_>,
    code: &Code,
    user: &User,
    access: AccessDraft,
    id_token: Option<IdTokenDraft>,
    context: &Context<'_>,
) -> Outcome {
    let client = facts.client.client();
    let mut event = audit::success(&code.tenant, Kind::TokenIssued, &code.correlation_id, context)
        .client(&code.client_id)
        .user(user.id)
        .fact("grant_type", "authorization_code");
    let protection = id_token.as_ref().map(|draft| &draft.protection);
    if let Some(alg) = protection.and_then(|protection| protection.signed) {
        event = event.fact("id_token_alg", alg.name());
    }
    if let Some((encryption, key)) = protection.and_then(|protection| protection.encrypted.as_ref()) {
        event =
            event.fact("id_token_encrypted_to", key.kid.as_str()).fact("id_token_enc", encryption.enc.name());
    }
    let chain = Chain {
        tenant: facts.tenant,
        client,
        grant_id: code.grant_id,
        request: &code.request,
        scope: &code.scope,
        authentication: &code.authentication,
        correlation_id: &code.correlation_id,
    };
    let (refresh_token, link) = chain.start(context).unzip();
    let mut changes: Vec<Change> = facts.client.claim().into_iter().collect();
    changes.push(Change::RedeemCode {
        hash: code.hash,
        client_id: client.client_id.clone(),
        at: context.now,
    });
    changes.extend(link);
    changes.push(event.change());
    let issue = Issue { access, refresh_token, id_token, extra: Map::new() };
    Outcome { changes, reply: Ok(issue) }
}
