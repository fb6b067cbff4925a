//! The response itself (OpenID Connect Core sections 3.1.2.5, 3.2.2.5 and 3.3.2.5).

use std::collections::BTreeSet;

use signet_jose::JoseFault;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::level::reported;
use super::{Input, Step, asked_scope, granted_scope, next, return_to, usable_login};
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::claims::OFFLINE_ACCESS;
use crate::context::{Context, UnixTime};
use crate::fault::Fault;
use crate::records::{
    Authentication, Code, Consent, Grant, Interaction, Session, SessionClient, Stage, User,
};
use crate::redirect::{Delivery, Parameters, ReturnTo};
use crate::response::{self, Login};
use crate::token::{AccessDraft, AccessFacts, CODE_PREFIX, IdTokenDraft, Tools, scope_text};

/// A response that may go as soon as its changes are applied.
#[derive(Debug)]
pub struct Responded {
    /// What goes to the client.
    pub answer: Answer,
    /// To be applied in one transaction with that of [`Made`], after the tokens are made: a busy server or a missing key
    /// costs nothing.
    pub changes: Vec<Change>,
}

/// What goes to the client, with tokens that are still to be made.
#[derive(Debug)]
pub struct Answer {
    return_to: ReturnTo,
    /// The parameters of the response but for tokens, `state` and `iss`. Extensions add theirs here.
    pub parameters: Parameters,
    /// The access token that comes by the browser, if the response type has one.
    pub access: Option<AccessDraft>,
    /// The ID token that comes by the browser, if the response type has one.
    pub id_token: Option<IdTokenDraft>,
}

/// A response with its tokens.
#[derive(Debug)]
pub struct Made {
    return_to: ReturnTo,
    parameters: Parameters,
    /// To be applied behind those of [`Responded`].
    pub change: Option<Change>,
}

impl Answer {
    /// Makes the tokens. CPU-heavy if there are any.
    pub fn make(self, tools: &Tools) -> Result<Made, JoseFault> {
        let Self { return_to, mut parameters, access, id_token } = self;
        let mut made = None;
        if let Some(draft) = access {
            let (expires_in, scope) = (draft.expires_in(), scope_text(draft.scope()));
            let (token, record) = draft.make(tools.access.as_ref())?;
            // RFC 6749 section 4.2.2.
            parameters.push("access_token", token.as_str());
            parameters.push("token_type", "Bearer");
            parameters.push("expires_in", expires_in.to_string());
            parameters.push("scope", scope);
            made = Some((token, record));
        }
        if let Some(draft) = id_token {
            let token = made.as_ref().map(|(token, _)| token.as_str());
            parameters.push("id_token", draft.make(token, tools)?);
        }
        let change = made.map(|(_, record)| Change::InsertAccessToken(record));
        Ok(Made { return_to, parameters, change })
    }
}

impl Made {
    /// The delivery.
    pub fn deliver(self, now: UnixTime) -> Delivery {
        self.return_to.respond(self.parameters, now)
    }
}

/// Issues what the response type asks for, if [`next`] has nothing more to ask. `consented` is there if the person has
/// just accepted what the consent page asked. On [`crate::change::Conflict::Session`] load and decide again: the session has
/// just ended, and nothing is issued in it.
pub fn respond(
    input: &Input<'_>,
    consented: Option<BTreeSet<String>>,
    context: &Context<'_>,
) -> Result<Responded, Fault> {
    match next(input, context.now) {
        Step::Refuse(fault) => return Err(fault),
        Step::Login | Step::Register | Step::Second { .. } | Step::Enrol => return Err(Fault::LoginRequired),
        Step::Consent(_) if consented.is_none() => return Err(Fault::ConsentRequired),
        Step::Consent(_) | Step::Respond => {}
    }
    let (session, user) = usable_login(input, context.now).ok_or(Fault::LoginRequired)?;
    let return_to = return_to(input, context.now)?;
    let scope = granted_scope(input, user)?;
    let issuing = Issuing { input, session, user, scope, grant_id: context.uuid(), context };
    let mut parameters = Parameters::default();
    let mut changes = vec![finish(input.interaction, context)];
    changes.extend(issuing.in_session());
    changes.push(issuing.grant());
    let response_type = input.interaction.request.response_type;
    let code = response_type.has_code().then(|| issuing.code(&mut changes));
    if let Some(code) = &code {
        parameters.push("code", code.as_str());
    }
    let access = response_type.has_token().then(|| issuing.access_token());
    let id_token = if response_type.has_id_token() {
        Some(issuing.id_token(code.as_deref().map(String::as_str))?)
    } else {
        None
    };
    changes.extend([issuing.session_client(), issuing.event()]);
    changes.extend(consented.map(|asked| Change::PutConsent(remembered(input, user, asked, context.now))));
    Ok(Responded { answer: Answer { return_to, parameters, access, id_token }, changes })
}

/// One person's grant to one client, while it is made.
pub(super) struct Issuing<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) session: &'a Session,
    pub(super) user: &'a User,
    pub(super) scope: BTreeSet<String>,
    pub(super) grant_id: Uuid,
    pub(super) context: &'a Context<'a>,
}

impl Issuing<'_> {
    fn code(&self, changes: &mut Vec<Change>) -> Zeroizing<String> {
        let (interaction, context) = (self.input.interaction, self.context);
        let minted = context.mint(CODE_PREFIX);
        changes.push(Change::InsertCode(Code {
            tenant: self.input.tenant.id.clone(),
            hash: minted.hash,
            grant_id: self.grant_id,
            client_id: interaction.request.client_id.clone(),
            request: interaction.request.clone(),
            scope: self.scope.clone(),
            authentication: self.authentication(),
            correlation_id: interaction.correlation_id.clone(),
            issued_at: context.now,
            expires_at: context.now + self.input.client.settings.lifetimes.code,
            redeemed_at: None,
        }));
        minted.secret
    }

    /// In the form that the client is registered for. Offline access comes with the code alone.
    fn access_token(&self) -> AccessDraft {
        let request = &self.input.interaction.request;
        let scope = self.scope.iter().filter(|scope| *scope != OFFLINE_ACCESS).cloned().collect();
        let authentication = self.authentication();
        let facts = AccessFacts {
            tenant: self.input.tenant,
            client: self.input.client,
            grant_id: self.grant_id,
            user_id: Some(self.user.id),
            authentication: Some(&authentication),
            scope,
            claims: request.claims.userinfo.keys().cloned().collect(),
            audience: request.resources.clone(),
            actor: None,
        };
        AccessDraft::new(facts, self.context)
    }

    /// protected as everywhere, nested for sealed clients.
    fn id_token(&self, code: Option<&str>) -> Result<IdTokenDraft, Fault> {
        let Input { tenant, interaction, client, client_keys, .. } = *self.input;
        let now = self.context.now;
        let protection = response::id_token_protection(client, client_keys, &tenant.settings, now)?;
        let request = &interaction.request;
        let authentication = self.authentication();
        let login = Login {
            request,
            scope: &self.scope,
            authentication: &authentication,
            nonce: request.nonce.as_deref(),
        };
        let mut claims = response::id_token_claims(tenant, client, self.user, &login, now);
        // OpenID Connect Core section 3.3.2.11: the left half of the hash that fits the signature algorithm.
        let hash = |code: &str| client.settings.id_token.signed.half_hash(code.as_bytes());
        claims.extend(code.map(|code| ("c_hash".to_owned(), hash(code).into())));
        Ok(IdTokenDraft { protection, claims })
    }

    pub(super) fn authentication(&self) -> Authentication {
        Authentication {
            user_id: self.user.id,
            sid: self.session.sid.clone(),
            auth_time: self.session.auth_time,
            amr: self.session.amr.clone(),
            acr: reported(&self.input.interaction.request, self.session),
        }
    }

    /// OpenID Connect Back-Channel Logout section 2.7: "Refresh tokens issued without the `offline_access` property to a
    /// session being logged out SHOULD be revoked. Refresh tokens issued with the `offline_access` property normally SHOULD
    /// NOT be revoked."
    pub(super) fn grant(&self) -> Change {
        let request = &self.input.interaction.request;
        let outlives = request.scope.contains(OFFLINE_ACCESS);
        Change::InsertGrant(Grant {
            tenant: self.input.tenant.id.clone(),
            id: self.grant_id,
            client_id: request.client_id.clone(),
            user_id: Some(self.user.id),
            sid: (!outlives).then(|| self.session.sid.clone()),
            parent: None,
            created_at: self.context.now,
            revoked_at: None,
        })
    }

    /// The session is there until all is written, and used. The use comes first: of two that only needed the session, neither
    /// could write it.
    pub(super) fn in_session(&self) -> Vec<Change> {
        let (session, now) = (self.session, self.context.now);
        let mut changes = Vec::new();
        if now - session.last_seen >= 60 {
            changes.push(Change::TouchSession { hash: session.hash, last_seen: now });
        }
        changes.push(Change::NeedSession(session.hash));
        changes
    }

    /// Whom to tell when the session ends.
    pub(super) fn session_client(&self) -> Change {
        Change::PutSessionClient(SessionClient {
            tenant: self.input.tenant.id.clone(),
            sid: self.session.sid.clone(),
            client_id: self.input.client.client_id.clone(),
            user_id: self.user.id,
            expires_at: self.session.expires_at,
        })
    }

    fn event(&self) -> Change {
        let interaction = self.input.interaction;
        let request = &interaction.request;
        let (tenant, correlation) = (&self.input.tenant.id, &interaction.correlation_id);
        audit::success(tenant, Kind::AuthorizeResponded, correlation, self.context)
            .client(&request.client_id)
            .user(self.user.id)
            .fact("scope", self.scope.iter().cloned().collect::<Vec<_>>().join(" "))
            .fact("response_type", request.response_type.name())
            .fact("response_mode", request.response_mode.name())
            .change()
    }
}

/// What is remembered only grows; taking it back is the person's own act.
fn remembered(input: &Input<'_>, user: &User, asked: BTreeSet<String>, now: UnixTime) -> Consent {
    let mut scope = asked;
    scope.extend(asked_scope(input));
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
        audit::refused(&input.tenant.id, Kind::AuthorizeRefused, fault, &interaction.correlation_id, context)
            .client(&interaction.request.client_id);
    if let Some(user) = input.user {
        event = event.user(user.id);
    }
    vec![finish(interaction, context), event.change()]
}

pub(super) fn finish(interaction: &Interaction, context: &Context<'_>) -> Change {
    let mut next = interaction.clone();
    next.version += 1;
    next.stage = Stage::Finished;
    Change::UpdateInteraction { interaction: next, now: context.now }
}
