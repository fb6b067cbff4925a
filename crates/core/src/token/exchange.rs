//! Token exchange (RFC 8693): a client gives a token and gets one for somewhere else, which never allows more, nor longer.
//!
//! **Which tokens.** Access tokens of this tenant, its own or those that were sent to it: whose audience it is. What it gets
//! hangs on the grant of what it gave, so that whatever ends that one (logout, a consent taken back, a code used twice) ends
//! this one.
//!
//! **Delegation, not impersonation** (section 1.1). Who gets a token for somebody else's is named in it as the actor, in
//! front of those that acted before: the one that the `actor_token` is of, or the client itself. Only a client that narrows
//! a token of its own acts for nobody new. Services can tell on whose behalf and by whose hand they are called; a client that
//! would rather not be seen has no way to.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::access::{AccessDraft, AccessFacts, scope_text, subject_of};
use super::{Facts, Issue, Outcome, narrowed};
use crate::audit::{self, Kind};
use crate::bearer;
use crate::change::Change;
use crate::claims::OFFLINE_ACCESS;
use crate::context::Context;
use crate::fault::Fault;
use crate::params::Params;
use crate::records::{AccessToken, AccessTokenFormat, Client, Grant, User};

/// Section 3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Section 3: a token that is a JWT.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// Longest line of actors.
const MAX_ACTORS: usize = 8;

/// The tokens that a request names.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a> {
    /// Whom the new token is about.
    pub subject: &'a str,
    /// Who acts.
    pub actor: Option<&'a str>,
}

/// Section 2.1; judged before anything is looked up.
pub fn exchange_parameters(params: &Params) -> Result<Offered<'_>, Fault> {
    let kind = |name| match params.get(name) {
        Some(ACCESS_TOKEN | JWT) => Ok(()),
        _ => Err(Fault::ExchangeTypeUnsupported),
    };
    let subject = params.get("subject_token").ok_or(Fault::ExchangeSubjectMissing)?;
    kind("subject_token_type")?;
    let actor = params.get("actor_token");
    match actor {
        Some(_) => kind("actor_token_type")?,
        // "This is REQUIRED when the actor_token parameter is present in the request but MUST NOT be included otherwise."
        None if params.get("actor_token_type").is_some() => return Err(Fault::ExchangeTypeUnsupported),
        None => {}
    }
    Ok(Offered { subject, actor })
}

/// A token that was offered, with its user.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    /// What the store holds under the token's hash.
    pub token: &'a AccessToken,
    /// The token's user.
    pub user: Option<&'a User>,
}

/// The facts of one exchange.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeFacts<'a> {
    /// What every grant has to go by.
    pub facts: Facts<'a>,
    /// The subject token.
    pub subject: Option<Holding<'a>>,
    /// The actor token, if one was sent: `Some(None)` if nothing is known of it.
    pub actor: Option<Option<Holding<'a>>>,
}

/// Judges an exchange.
pub fn exchange(input: ExchangeFacts<'_>, context: &Context<'_>) -> Outcome {
    judge(input, context).unwrap_or_else(|fault| input.facts.refuse(fault, None, context))
}

fn judge(input: ExchangeFacts<'_>, context: &Context<'_>) -> Result<Outcome, Fault> {
    let facts = input.facts;
    let client = facts.client.client();
    // Section 2.1: "omitting client authentication allows for a compromised token to be leveraged via an STS into other
    // tokens by anyone possessing the compromised token."
    if !facts.client.is_confidential() {
        return Err(Fault::GrantTypeNotAllowed);
    }
    let kind = requested(facts.params, client)?;
    let usable = |held: Option<Holding<'_>>| held.is_some_and(|held| is_usable(held, client, context));
    let subject =
        input.subject.filter(|held| usable(Some(*held))).ok_or(Fault::ExchangeSubjectInvalid)?.token;
    if input.actor.is_some_and(|actor| !usable(actor)) {
        return Err(Fault::ExchangeActorInvalid);
    }
    let own = subject.client_id == client.client_id;
    // What a client has for itself is about that client; nobody else can be given it.
    if !own && subject.user_id.is_none() {
        return Err(Fault::ExchangeSubjectInvalid);
    }
    let audience = target(facts.params, subject, client)?;
    let scope = scope(facts.params, subject, client)?;
    let actor = actor(input, subject, own)?;
    let (grant_id, grant) = if own { (subject.grant_id, None) } else { derived(facts, subject, context) };
    let access = AccessFacts {
        tenant: facts.tenant,
        client,
        grant_id,
        user_id: subject.user_id,
        authentication: None,
        scope,
        claims: if own { subject.claims.clone() } else { BTreeSet::new() },
        audience,
        actor,
    };
    // Never longer than what was given.
    let access = AccessDraft::new(access, context).until(subject.expires_at);
    let mut event = audit::success(&facts.tenant.id, Kind::TokenIssued, facts.correlation_id, context)
        .client(&client.client_id)
        .fact("grant_type", "token_exchange")
        .fact("subject_client", subject.client_id.as_str())
        .fact("scope", scope_text(access.scope()));
    event = subject.user_id.into_iter().fold(event, audit::Draft::user);
    let changes = facts.client.claim().into_iter().chain(grant).chain([event.change()]).collect();
    // Section 2.2.1: `issued_token_type` is required. A refresh token "will typically not be issued".
    let extra = Map::from_iter([("issued_token_type".to_owned(), Value::from(kind))]);
    Ok(Outcome { changes, reply: Ok(Issue { access, refresh_token: None, id_token: None, extra }) })
}

/// What form of token is asked for, and can be had: the client's record decides.
fn requested(params: &Params, client: &Client) -> Result<&'static str, Fault> {
    let is_jwt = client.settings.access_token_format == AccessTokenFormat::Jwt;
    match params.get("requested_token_type") {
        None | Some(ACCESS_TOKEN) => Ok(ACCESS_TOKEN),
        Some(JWT) if is_jwt => Ok(JWT),
        Some(_) => Err(Fault::ExchangeTypeUnsupported),
    }
}

/// Alive, and in the right hands: issued to this client, or sent to it, as introspection has it.
fn is_usable(held: Holding<'_>, client: &Client, context: &Context<'_>) -> bool {
    let Holding { token, user } = held;
    let alive = context.now < token.expires_at;
    let person = token.user_id.is_none_or(|id| user.is_some_and(|user| user.id == id && !user.disabled));
    alive && person && bearer::concerns(client, token)
}

/// Section 2.1: `resource` and `audience` name where the token is to be used; both may be repeated. Each must be registered
/// for this client. Without them the audience stays what it was, and is never widened to this provider's own endpoints.
fn target(params: &Params, subject: &AccessToken, client: &Client) -> Result<BTreeSet<String>, Fault> {
    let asked: BTreeSet<String> =
        params.all("resource").chain(params.all("audience")).map(str::to_owned).collect();
    if asked.is_empty() {
        return Ok(subject.audience.clone());
    }
    if asked.is_subset(&client.settings.resources) { Ok(asked) } else { Err(Fault::ResourceNotAllowed) }
}

/// Within the subject token's, and within what this client is registered for. There is no refresh token, so there is no
/// offline access either.
fn scope(params: &Params, subject: &AccessToken, client: &Client) -> Result<BTreeSet<String>, Fault> {
    let shared = subject.scope.intersection(&client.settings.scope);
    let held: BTreeSet<String> = shared.filter(|name| *name != OFFLINE_ACCESS).cloned().collect();
    narrowed(params, &held)
}

/// Section 4.1: "A chain of delegation can be expressed by nesting one act claim within another. The outermost act claim
/// represents the current actor while nested act claims represent prior actors."
fn actor(
    input: ExchangeFacts<'_>,
    subject: &AccessToken,
    own: bool,
) -> Result<Option<Map<String, Value>>, Fault> {
    let (tenant, client) = (input.facts.tenant, input.facts.client.client());
    let current = match input.actor.flatten() {
        Some(held) if held.token.user_id.is_none() => held.token.client_id.as_str().to_owned(),
        Some(held) => subject_of(tenant, client, held.token.user_id),
        None if own => return Ok(subject.actor.clone()),
        None => client.client_id.as_str().to_owned(),
    };
    if depth(subject.actor.as_ref()) >= MAX_ACTORS {
        return Err(Fault::ExchangeTooDeep);
    }
    let mut act = Map::new();
    act.insert("iss".into(), tenant.issuer.clone().into());
    act.insert("sub".into(), current.into());
    act.extend(subject.actor.clone().map(|prior| ("act".to_owned(), Value::Object(prior))));
    Ok(Some(act))
}

fn depth(actor: Option<&Map<String, Value>>) -> usize {
    let mut next = actor;
    let mut depth = 0;
    while let Some(act) = next {
        depth += 1;
        next = act.get("act").and_then(Value::as_object);
    }
    depth
}

/// A grant of this client's that ends with the one that was given.
fn derived(facts: Facts<'_>, subject: &AccessToken, context: &Context<'_>) -> (uuid::Uuid, Option<Change>) {
    let id = context.uuid();
    let grant = Grant {
        tenant: facts.tenant.id.clone(),
        id,
        client_id: facts.client.client().client_id.clone(),
        user_id: subject.user_id,
        sid: None,
        parent: Some(subject.grant_id),
        created_at: context.now,
        revoked_at: None,
    };
    (id, Some(Change::InsertGrant(grant)))
}
