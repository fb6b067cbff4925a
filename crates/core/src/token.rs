//! The token endpoint: redemption of an authorization code (OpenID Connect Core section 3.1.3).

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::audit;
use crate::change::Change;
use crate::client_auth::AuthenticatedClient;
use crate::context::Context;
use crate::fault::Fault;
use crate::params::Params;
use crate::pkce;
use crate::records::{AccessToken, ClientKey, Code, Tenant, User};
use crate::response::{self, Login, Protection};

/// Prefix of authorization codes.
pub const CODE_PREFIX: &str = "sgn_ac_";
/// Prefix of access tokens.
pub const ACCESS_TOKEN_PREFIX: &str = "sgn_at_";

/// The facts of one redemption.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// Who redeems.
    pub client: AuthenticatedClient<'a>,
    /// That client's keys.
    pub client_keys: &'a [ClientKey],
    /// The form.
    pub params: &'a Params,
    /// What the store holds under the code's hash.
    pub code: Option<&'a Code>,
    /// The code's user.
    pub user: Option<&'a User>,
    /// Names this request in the audit trail, where the code does not name the login.
    pub correlation_id: &'a str,
}

/// What a redeemed code gives.
#[derive(Debug)]
pub struct Redeemed {
    /// The access token, to be sent once.
    pub access_token: Zeroizing<String>,
    /// Its lifetime in seconds.
    pub expires_in: i64,
    /// The granted scope.
    pub scope: BTreeSet<String>,
    /// How the ID token is to be protected.
    pub protection: Protection,
    /// What is in it.
    pub id_token: serde_json::Map<String, serde_json::Value>,
}

/// Effects and answer are independent: a replayed code revokes its grant and is refused.
#[derive(Debug)]
pub struct Outcome {
    /// To be applied in one transaction. On [`crate::change::Conflict::Code`] load and decide again.
    pub changes: Vec<Change>,
    /// The answer.
    pub reply: Result<Redeemed, Fault>,
}

/// RFC 6749 section 4.1.3; judged before any code is looked up.
pub fn code_parameter(params: &Params) -> Result<&str, Fault> {
    match params.get("grant_type") {
        None => Err(Fault::GrantTypeMissing),
        Some("authorization_code") => params.get("code").ok_or(Fault::CodeMissing),
        Some(_) => Err(Fault::GrantTypeUnsupported),
    }
}

/// Judges a redemption: every binding first, effects last.
pub fn redeem(input: &Input<'_>, context: &Context<'_>) -> Outcome {
    let client = input.client.client();
    let refuse = |fault: Fault, code: Option<&Code>| {
        let correlation_id = code.map_or(input.correlation_id, |code| code.correlation_id.as_str());
        let event = audit::refused(&input.tenant.id, "token.refused", &fault, correlation_id, context)
            .client(&client.client_id)
            .fact("request", input.correlation_id)
            .change();
        Outcome { changes: vec![event], reply: Err(fault) }
    };
    let Some(code) = input.code else { return refuse(Fault::CodeUnknown, None) };
    match judge(input, code, context) {
        Ok(outcome) => outcome,
        Err(Fault::CodeReplayed) => {
            let mut outcome = refuse(Fault::CodeReplayed, Some(code));
            // RFC 6749 section 4.1.2: "the authorization server MUST deny the request and SHOULD revoke (when
            // possible) all tokens previously issued based on that authorization code."
            outcome.changes.insert(0, Change::RevokeGrant { id: code.grant_id, at: context.now });
            outcome
        }
        Err(fault) => refuse(fault, Some(code)),
    }
}

fn judge(input: &Input<'_>, code: &Code, context: &Context<'_>) -> Result<Outcome, Fault> {
    let client = input.client.client();
    // RFC 6749 section 4.1.3: "ensure that the authorization code was issued to the authenticated confidential client".
    // Another client's attempt neither redeems nor burns the code.
    if code.client_id != client.client_id {
        return Err(Fault::CodeForeign);
    }
    // "ensure that the "redirect_uri" parameter is present if [it] was included in the initial authorization request
    // [...] and if included ensure that their values are identical."
    let redirect_uri = input.params.get("redirect_uri").ok_or(Fault::CodeRedirectMissing)?;
    if redirect_uri != code.request.redirect_uri {
        return Err(Fault::CodeRedirectMismatch);
    }
    // Before the code's own state: whoever cannot show the verifier is not the one the code was made for, and must not
    // be able to end that one's tokens with a code that leaked (RFC 7636 section 1, RFC 9700 section 4.5).
    pkce::verify(code.request.code_challenge.as_deref(), input.params.get("code_verifier"))?;
    if code.redeemed_at.is_some() {
        return Err(Fault::CodeReplayed);
    }
    if context.now >= code.expires_at {
        return Err(Fault::CodeExpired);
    }
    let user = input
        .user
        .filter(|user| !user.disabled && user.id == code.authentication.user_id)
        .ok_or(Fault::CodeUnknown)?;
    let settings = &input.tenant.settings;
    let protection = response::id_token_protection(client, input.client_keys, settings, context.now)?;
    Ok(issue(input, code, user, protection, context))
}

fn issue(
    input: &Input<'_>,
    code: &Code,
    user: &User,
    protection: Protection,
    context: &Context<'_>,
) -> Outcome {
    let client = input.client.client();
    let expires_in = client.settings.lifetimes.access_token;
    let minted = context.mint(ACCESS_TOKEN_PREFIX);
    let access_token = AccessToken {
        tenant: code.tenant.clone(),
        hash: minted.hash,
        grant_id: code.grant_id,
        client_id: code.client_id.clone(),
        user_id: Some(code.authentication.user_id),
        scope: code.scope.clone(),
        claims: code.request.claims.userinfo.keys().cloned().collect(),
        audience: BTreeSet::new(),
        actor: None,
        issued_at: context.now,
        expires_at: context.now + expires_in,
    };
    let login = Login {
        request: &code.request,
        scope: &code.scope,
        authentication: &code.authentication,
        nonce: code.request.nonce.as_deref(),
    };
    let mut id_token = response::id_token_claims(input.tenant, client, user, &login, context.now);
    // OpenID Connect Core section 3.1.3.6: the left half of the hash that fits the signature algorithm.
    let at_hash = client.settings.id_token.signed.half_hash(minted.secret.as_bytes());
    id_token.insert("at_hash".into(), at_hash.into());
    let mut event = audit::success(&code.tenant, "token.issued", &code.correlation_id, context)
        .client(&code.client_id)
        .user(user.id)
        .fact("id_token_alg", protection.signed.map(signet_jose::SigAlg::name));
    if let Some((encryption, key)) = &protection.encrypted {
        event =
            event.fact("id_token_encrypted_to", key.kid.as_str()).fact("id_token_enc", encryption.enc.name());
    }
    let changes = vec![
        Change::RedeemCode { hash: code.hash, client_id: client.client_id.clone(), at: context.now },
        Change::InsertAccessToken(access_token),
        event.change(),
    ];
    let redeemed =
        Redeemed { access_token: minted.secret, expires_in, scope: code.scope.clone(), protection, id_token };
    Outcome { changes, reply: Ok(redeemed) }
}
