//! A person proves who they are, or wants to be somebody else.

use zeroize::Zeroizing;

use super::SESSION_PREFIX;
use super::level::Proof;
use crate::audit::{self, Kind};
use crate::authorize::Prompt;
use crate::change::Change;
use crate::context::{Context, UnixTime};
use crate::logout::{self, Ended, Ending};
use crate::records::{Interaction, Session, Stage, Tenant, User};

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

/// The person has proved to be `user`. A fresh cookie replaces the browser's old one, so one planted before the
/// login is worth nothing after it. Whoever proves once more who they are goes on in their session, and keeps its `sid`: the
/// clients know it by that name (Front-Channel Logout section 3). The session of somebody else ends; see
/// [`crate::logout::end`].
///
/// What was proved was proved to the account as it was read: whoever writes it meanwhile (another password, disabled, gone)
/// ends the login as well ([`crate::change::Conflict::Version`]), and a session that goes on must not have ended
/// ([`crate::change::Conflict::Session`]).
pub(super) fn log_in(
    tenant: &Tenant,
    interaction: &Interaction,
    user: &User,
    proof: &Proof,
    old: Option<&Session>,
    context: &Context<'_>,
) -> LoggedIn {
    let minted = context.mint(SESSION_PREFIX);
    let own = continued(tenant, user, old, context.now);
    let session = Session {
        tenant: tenant.id.clone(),
        hash: minted.hash,
        sid: own.map_or_else(|| context.handle(), |own| own.sid.clone()),
        user_id: user.id,
        auth_time: proof.at,
        amr: proof.amr.clone(),
        acr: proof.level.acr().to_owned(),
        last_seen: context.now,
        expires_at: context.now + tenant.settings.session_lifetime,
    };
    let mut next = interaction.clone();
    next.version += 1;
    next.stage = Stage::Authenticated { sid: session.sid.clone() };
    let event = audit::success(&tenant.id, Kind::LoginSucceeded, &interaction.correlation_id, context)
        .client(&interaction.request.client_id)
        .user(user.id)
        .fact("amr", session.amr.clone())
        .change();
    let mut changes = vec![Change::NeedUser { id: user.id, version: user.version }];
    // Taken at once, and not needed first and ended later: of two tabs that do so at the same time each would hold what the
    // other waits for.
    changes.extend(own.map(|own| Change::TakeSession(own.hash)));
    changes.extend([
        Change::UpdateInteraction { interaction: next, now: context.now },
        Change::InsertSession(session.clone()),
        event,
    ]);
    changes.extend(old.filter(|_| own.is_none()).map(|old| Change::DeleteSession(old.hash)));
    LoggedIn { cookie: minted.secret, session, changes }
}

/// The browser's session, if it is this person's and goes on.
fn continued<'a>(
    tenant: &Tenant,
    user: &User,
    old: Option<&'a Session>,
    now: UnixTime,
) -> Option<&'a Session> {
    old.filter(|old| old.user_id == user.id && old.is_alive(&tenant.settings, now))
}

/// The person wants another account: the session ends, and it goes back to the login page, within the same interaction.
pub fn switch_account(interaction: &Interaction, ending: &Ending<'_>, context: &Context<'_>) -> Ended {
    let mut next = interaction.clone();
    next.version += 1;
    next.stage = Stage::Fresh;
    next.request.prompt.insert(Prompt::Login);
    let mut ended = logout::end(ending, context);
    ended.changes.insert(0, Change::UpdateInteraction { interaction: next, now: context.now });
    ended
}
