//! A client that acts for itself (RFC 6749 section 4.4).

use std::collections::BTreeSet;

use super::access::{AccessDraft, AccessFacts, scope_text};
use super::{Facts, Issue, Outcome, resource, scope_not_allowed};
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::claims::{OFFLINE_ACCESS, SCOPES};
use crate::context::Context;
use crate::fault::Fault;
use crate::records::{Client, Grant};

/// Judges a request. There is no person, so there is neither an ID token nor UserInfo, and no refresh token: RFC 6749
/// section 4.4.3, "A refresh token SHOULD NOT be included."
pub fn client_credentials(facts: Facts<'_>, context: &Context<'_>) -> Outcome {
    judge(facts, context).unwrap_or_else(|fault| facts.refuse(fault, None, context))
}

fn judge(facts: Facts<'_>, context: &Context<'_>) -> Result<Outcome, Fault> {
    let client = facts.client.client();
    // RFC 6749 section 4.4: "The client credentials grant type MUST only be used by confidential clients."
    if !facts.client.is_confidential() {
        return Err(Fault::GrantTypeNotAllowed);
    }
    let scope = scope(facts.params.get("scope"), client)?;
    let audience = resource::audience(facts.params, &BTreeSet::new(), client)?;
    let tenant = facts.tenant;
    let grant = Grant {
        tenant: tenant.id.clone(),
        id: context.uuid(),
        client_id: client.client_id.clone(),
        user_id: None,
        sid: None,
        parent: None,
        created_at: context.now,
        revoked_at: None,
    };
    let event = audit::success(&tenant.id, Kind::TokenIssued, facts.correlation_id, context)
        .client(&client.client_id)
        .fact("grant_type", "client_credentials")
        .fact("scope", scope_text(&scope));
    let access = AccessDraft::new(
        AccessFacts {
            tenant,
            client,
            grant_id: grant.id,
            user_id: None,
            authentication: None,
            scope,
            claims: BTreeSet::new(),
            audience,
            actor: None,
        },
        context,
    );
    let mut changes: Vec<Change> = facts.client.claim().into_iter().collect();
    changes.extend([Change::InsertGrant(grant), event.change()]);
    let issue = Issue { access, refresh_token: None, id_token: None, extra: serde_json::Map::new() };
    Ok(Outcome { changes, reply: Ok(issue) })
}

/// RFC 6749 section 3.3: what the client may ask for. Without the parameter it gets what is registered for it and speaks
/// of no person's claims: those of OpenID Connect Core sections 5.4 and 11 have no one to be about.
fn scope(asked: Option<&str>, client: &Client) -> Result<BTreeSet<String>, Fault> {
    let registered = &client.settings.scope;
    let personal = |name: &str| SCOPES.iter().any(|scope| scope.name == name);
    let asked: BTreeSet<String> =
        asked.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if asked.is_empty() {
        return Ok(registered.iter().filter(|name| !personal(name)).cloned().collect());
    }
    if asked.contains("openid") || asked.contains(OFFLINE_ACCESS) {
        return Err(Fault::ScopeNeedsUser);
    }
    match asked.iter().find(|name| !registered.contains(*name)) {
        Some(name) => Err(scope_not_allowed(name)),
        None => Ok(asked),
    }
}
