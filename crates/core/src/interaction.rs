//! What happens between an accepted request and its response: login, consent, and the response itself
//! (OpenID Connect Core sections 3.1.2.3 to 3.1.2.6).

use std::collections::BTreeSet;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::audit;
use crate::authorize::{AuthorizationRequest, Prompt};
use crate::change::Change;
use crate::claims;
use crate::context::{Context, UnixTime};
use crate::fault::Fault;
use crate::records::{
    Authentication, Client, Code, Consent, Grant, Interaction, Session, SessionClient, Stage, Tenant,
    User,
};
use crate::redirect::{self, ReturnTo};
use crate::token::CODE_PREFIX;

/// The `acr` of a login with a password.
pub const ACR_PASSWORD: &str = "urn:signet:acr:password";
/// Every `acr` value that this provider can meet; discovery is made from this.
pub const ACR_VALUES: &[&str] = &[ACR_PASSWORD];
/// Prefix of session cookies.
pub const SESSION_PREFIX: &str = "sgn_se_";

/// The facts of one step.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose page.
    pub tenant: &'a Tenant,
    /// Where the login stands.
    pub interaction: &'a Interaction,
    /// For whom.
    pub client: &'a Client,
    /// The browser's session, if it has one.
    pub session: Option<&'a Session>,
    /// The session's user.
    pub user: Option<&'a User>,
    /// What that user allows this client already.
    pub consent: Option<&'a Consent>,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Show the login page.
    Login,
    /// Show the consent page for these scopes.
    Consent(BTreeSet<String>),
    /// Nothing more to ask: respond with a code.
    Respond,
    /// Respond with an error.
    Refuse(Fault),
}

/// The interaction, if it may go on at `now` in the browser that holds `secret`.
///
/// The end is told before the browser is asked for: its cookie ends with the interaction, so whoever comes back to one
/// that is over has none, and is not to be told of another browser.
pub fn resume(interaction: Option<&Interaction>, secret: Option<&str>, now: UnixTime) -> Result<(), Fault> {
    let interaction = interaction.ok_or(Fault::InteractionUnknown)?;
    if interaction.stage == Stage::Finished {
        return Err(Fault::InteractionFinished);
    }
    if now >= interaction.expires_at {
        return Err(Fault::InteractionExpired);
    }
    if !secret.is_some_and(|secret| interaction.browser.matches(secret)) {
        return Err(Fault::InteractionForeign);
    }
    Ok(())
}

/// The place a response of this interaction goes to. Client and redirect URI are checked once more: the one may have been
/// disabled, the other unregistered, since the request was accepted.
pub fn return_to(interaction: &Interaction, client: &Client, tenant: &Tenant) -> Result<ReturnTo, Fault> {
    let request = &interaction.request;
    if client.disabled || client.client_id != request.client_id {
        return Err(Fault::ClientUnknown);
    }
    redirect::check(client, &request.redirect_uri, request.state.as_deref(), &tenant.issuer)
}

/// Decides the next step.
pub fn next(input: &Input<'_>, now: UnixTime) -> Step {
    let request = &input.interaction.request;
    let silent = request.prompt.contains(&Prompt::None);
    // OpenID Connect Core section 5.5.1.1: an essential acr that cannot be met "MUST [be treated] as a failed
    // authentication attempt"; unmet voluntary ones are ignored. Said before anybody types a password for nothing.
    if !silent && !acr_met(request, ACR_VALUES) {
        return Step::Refuse(Fault::AcrUnmet);
    }
    let Some((session, user)) = usable_login(input, now) else {
        return if silent { Step::Refuse(Fault::LoginRequired) } else { Step::Login };
    };
    if !acr_met(request, &[session.acr.as_str()]) {
        return Step::Refuse(Fault::AcrUnmet);
    }
    // Section 5.5.1: a `sub` asked for by value must be the one that is logged in.
    if let Some(sub) = request.claims.id_token.get("sub") {
        let wanted = |value: &Value| value.as_str() == Some(user.id.to_string().as_str());
        if !sub.values.is_empty() && !sub.values.iter().any(wanted) {
            return if silent { Step::Refuse(Fault::LoginRequired) } else { Step::Login };
        }
    }
    if consent_needed(input) {
        return if silent {
            Step::Refuse(Fault::ConsentRequired)
        } else {
            Step::Consent(asked_scope(request))
        };
    }
    Step::Respond
}

/// Whether one of the `available` context classes satisfies an essential `acr`, if there is one.
fn acr_met(request: &AuthorizationRequest, available: &[&str]) -> bool {
    let Some(acr) = request.claims.id_token.get("acr").filter(|acr| acr.essential) else { return true };
    acr.values.is_empty() || acr.values.iter().any(|v| v.as_str().is_some_and(|v| available.contains(&v)))
}

/// What a person is asked to allow: the scope, and the scopes that stand for claims asked for one by one. A client does
/// not get around the question by naming claims (OpenID Connect Core section 5.5).
fn asked_scope(request: &AuthorizationRequest) -> BTreeSet<String> {
    let named = request.claims.userinfo.keys().chain(request.claims.id_token.keys());
    let by_claim = named.filter_map(|name| claims::scope_of(name)).map(str::to_owned);
    request.scope.iter().cloned().chain(by_claim).collect()
}

fn usable_login<'a>(input: &Input<'a>, now: UnixTime) -> Option<(&'a Session, &'a User)> {
    let (session, user) = (input.session?, input.user?);
    let settings = &input.tenant.settings;
    let alive = now < session.expires_at && now - session.last_seen < settings.session_idle;
    if !alive || user.disabled || user.id != session.user_id {
        return None;
    }
    let request = &input.interaction.request;
    let within = matches!(&input.interaction.stage, Stage::Authenticated { sid } if *sid == session.sid);
    if within {
        return Some((session, user));
    }
    // Section 3.1.2.1: `login` SHOULD reauthenticate; `select_account` SHOULD prompt to select an account.
    if request.prompt.contains(&Prompt::Login) || request.prompt.contains(&Prompt::SelectAccount) {
        return None;
    }
    // Section 3.1.2.1, max_age: "If the elapsed time is greater than this value, the OP MUST attempt to actively
    // re-authenticate the End-User."
    if request.max_age.is_some_and(|limit| now - session.auth_time > limit) {
        return None;
    }
    Some((session, user))
}

fn consent_needed(input: &Input<'_>) -> bool {
    let request = &input.interaction.request;
    if request.prompt.contains(&Prompt::Consent) {
        return true;
    }
    input.client.settings.require_consent
        && !input.consent.is_some_and(|consent| asked_scope(request).is_subset(&consent.scope))
}

/// A login that succeeded.
#[derive(Debug)]
pub struct LoggedIn {
    /// Goes into the session cookie.
    pub cookie: Zeroizing<String>,
    /// The new session.
    pub session: Session,
    /// To be applied in one transaction.
    pub changes: Vec<Change>,
}

/// The person has proved to be `user` by password. A fresh session replaces the browser's old one, so a cookie planted
/// before the login is worth nothing after it.
pub fn log_in(
    tenant: &Tenant,
    interaction: &Interaction,
    user: &User,
    old: Option<&Session>,
    context: &Context<'_>,
) -> LoggedIn {
    let minted = context.mint(SESSION_PREFIX);
    let session = Session {
        tenant: tenant.id.clone(),
        hash: minted.hash,
        sid: context.handle(),
        user_id: user.id,
        auth_time: context.now,
        amr: vec!["pwd".into()],
        acr: ACR_PASSWORD.into(),
        last_seen: context.now,
        expires_at: context.now + tenant.settings.session_lifetime,
    };
    let mut next = interaction.clone();
    next.version += 1;
    next.stage = Stage::Authenticated { sid: session.sid.clone() };
    let event = audit::success(&tenant.id, "login.succeeded", &interaction.correlation_id, context)
        .client(&interaction.request.client_id)
        .user(user.id)
        .fact("amr", session.amr.clone())
        .change();
    let mut changes = vec![
        Change::UpdateInteraction { interaction: next, now: context.now },
        Change::InsertSession(session.clone()),
        event,
    ];
    changes.extend(old.map(|old| Change::DeleteSession(old.hash)));
    LoggedIn { cookie: minted.secret, session, changes }
}

/// The person wants another account: back to the login page, within the same interaction.
pub fn switch_account(
    tenant: &Tenant,
    interaction: &Interaction,
    session: &Session,
    context: &Context<'_>,
) -> Vec<Change> {
    let mut next = interaction.clone();
    next.version += 1;
    next.stage = Stage::Fresh;
    next.request.prompt.insert(Prompt::Login);
    vec![
        Change::UpdateInteraction { interaction: next, now: context.now },
        Change::DeleteSession(session.hash),
        audit::success(&tenant.id, "session.ended", &interaction.correlation_id, context)
            .user(session.user_id)
            .change(),
    ]
}

/// A response with a code.
#[derive(Debug)]
pub struct Responded {
    /// Where the browser goes, code included.
    pub location: Zeroizing<String>,
    /// To be applied in one transaction.
    pub changes: Vec<Change>,
}

/// Issues a code, if [`next`] has nothing more to ask. `consented` is there if the person has just accepted what the
/// consent page asked.
pub fn respond(
    input: &Input<'_>,
    consented: Option<BTreeSet<String>>,
    context: &Context<'_>,
) -> Result<Responded, Fault> {
    let interaction = input.interaction;
    match next(input, context.now) {
        Step::Refuse(fault) => return Err(fault),
        Step::Login => return Err(Fault::LoginRequired),
        Step::Consent(_) if consented.is_none() => return Err(Fault::ConsentRequired),
        Step::Consent(_) | Step::Respond => {}
    }
    let (session, user) = usable_login(input, context.now).ok_or(Fault::LoginRequired)?;
    let return_to = return_to(interaction, input.client, input.tenant)?;
    let minted = context.mint(CODE_PREFIX);
    let tenant = &input.tenant.id;
    let request = &interaction.request;
    let grant = Grant {
        tenant: tenant.clone(),
        id: context.uuid(),
        client_id: request.client_id.clone(),
        user_id: Some(user.id),
        sid: Some(session.sid.clone()),
        created_at: context.now,
        revoked_at: None,
    };
    let code = Code {
        tenant: tenant.clone(),
        hash: minted.hash,
        grant_id: grant.id,
        client_id: request.client_id.clone(),
        request: request.clone(),
        scope: request.scope.clone(),
        authentication: Authentication {
            user_id: user.id,
            sid: session.sid.clone(),
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            acr: session.acr.clone(),
        },
        correlation_id: interaction.correlation_id.clone(),
        issued_at: context.now,
        expires_at: context.now + input.client.settings.lifetimes.code,
        redeemed_at: None,
    };
    let event = audit::success(tenant, "authorize.responded", &interaction.correlation_id, context)
        .client(&request.client_id)
        .user(user.id)
        .fact("scope", request.scope.iter().cloned().collect::<Vec<_>>().join(" "))
        .change();
    let mut changes =
        vec![finish(interaction, context), Change::InsertGrant(grant), Change::InsertCode(code), event];
    changes.push(Change::PutSessionClient(SessionClient {
        tenant: tenant.clone(),
        sid: session.sid.clone(),
        client_id: request.client_id.clone(),
        user_id: user.id,
        expires_at: session.expires_at,
    }));
    changes.extend(consented.map(|asked| Change::PutConsent(remembered(input, user, asked, context.now))));
    if context.now - session.last_seen >= 60 {
        changes.push(Change::TouchSession { hash: session.hash, last_seen: context.now });
    }
    Ok(Responded { location: Zeroizing::new(return_to.with_code(&minted.secret)), changes })
}

/// What is remembered only grows; taking it back is the person's own act.
fn remembered(input: &Input<'_>, user: &User, asked: BTreeSet<String>, now: UnixTime) -> Consent {
    let mut scope = asked;
    scope.extend(asked_scope(&input.interaction.request));
    scope.extend(input.consent.iter().flat_map(|consent| consent.scope.iter().cloned()));
    Consent {
        tenant: input.tenant.id.clone(),
        user_id: user.id,
        client_id: input.client.client_id.clone(),
        scope,
        granted_at: now,
    }
}

/// Ends the interaction with an error for the client.
pub fn refuse(input: &Input<'_>, fault: &Fault, context: &Context<'_>) -> Vec<Change> {
    let interaction = input.interaction;
    let mut event =
        audit::refused(&input.tenant.id, "authorize.refused", fault, &interaction.correlation_id, context)
            .client(&interaction.request.client_id);
    if let Some(user) = input.user {
        event = event.user(user.id);
    }
    vec![finish(interaction, context), event.change()]
}

fn finish(interaction: &Interaction, context: &Context<'_>) -> Change {
    let mut next = interaction.clone();
    next.version += 1;
    next.stage = Stage::Finished;
    Change::UpdateInteraction { interaction: next, now: context.now }
}
