//! What is done for people, whoever asks for it: links by mail, passwords, the end of all sessions.

use std::sync::Arc;

use signet_core::audit::{self, By};
use signet_core::change::{Change, Conflict};
use signet_core::context::{Context, UnixTime};
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::logout::{self, Ending};
use signet_core::people;
use signet_core::records::{LinkPurpose, LogoutDelivery, Session, Tenant, User, UserLink};
use signet_store::{Store, StoreError};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::app::{App, store_fault};
use crate::logout_delivery;
use crate::mail::{Letter, Occasion};
use crate::tenancy::TenantView;

/// How often the end of sessions is decided anew because others were ending them.
const ENDING_ATTEMPTS: u32 = 4;

/// A link that was made.
#[derive(Debug)]
pub struct Made {
    /// The link, with its secret.
    pub url: Zeroizing<String>,
    /// Its record.
    pub link: UserLink,
    /// Whether it is on its way by mail.
    pub mailed: bool,
}

/// One request of somebody, as far as it concerns people.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// Ties what is written to the request.
    pub correlation_id: &'a str,
    /// Who is at work, if not the person.
    pub by: Option<&'a By>,
    /// The request's instant.
    pub now: UnixTime,
}

/// Where a person is reached.
pub fn email(user: &User) -> Option<&str> {
    user.claims.get("email").and_then(serde_json::Value::as_str)
}

/// Makes a link for a person, and sends it where mail works and they have an address.
pub async fn send_link(
    app: &App,
    view: &TenantView,
    user: &User,
    purpose: LinkPurpose,
    cause: Cause<'_>,
) -> Result<Made, Fault> {
    let context = app.context(cause.now);
    let (secret, link, changes) = people::link(user, purpose, cause.by, cause.correlation_id, &context);
    match app.store.apply(&view.tenant.id, &changes).await {
        // Who may make links for whom was judged by an account that has changed since.
        Err(StoreError::Conflict(Conflict::Version)) => return Err(Fault::Busy),
        done => done.map_err(store_fault)?,
    }
    let url = link_address(&view.tenant, &secret);
    let mailed = mail_link(app, &view.tenant, user, purpose, &url, cause.now);
    Ok(Made { url, link, mailed })
}

/// Sends a link to a person. `false` if mail does not work or they have no address.
pub fn mail_link(
    app: &App,
    tenant: &Tenant,
    user: &User,
    purpose: LinkPurpose,
    url: &str,
    at: UnixTime,
) -> bool {
    email(user).is_some_and(|to| {
        let letter =
            Letter { tenant, to, account: &user.username, occasion: Occasion::Link { purpose, url }, at };
        app.mailer.send(letter.write())
    })
}

/// Mails a link to somebody of whom it is said that they have forgotten their password, unless they had one of this kind just
/// now. An address that is known to be theirs gets the mails of this account alone; others could be anybody's, so all
/// accounts together that have one send few.
pub async fn send_forgotten(
    app: &App,
    view: &TenantView,
    user: &User,
    cause: Cause<'_>,
) -> Result<(), Fault> {
    let (context, purpose) = (app.context(cause.now), LinkPurpose::Forgotten);
    let (secret, _, changes) = people::link(user, purpose, cause.by, cause.correlation_id, &context);
    let to = email(user).filter(|_| user.claims.get("email_verified") != Some(&true.into()));
    // Asked before anything is written: where no mail goes out, the link that was mailed before stays good.
    if let Some(to) = to {
        app.limits.mail(&view.tenant.id, to)?;
    }
    if let Err(error) = app.store.apply(&view.tenant.id, &changes).await {
        if let Some(to) = to {
            app.limits.mail_unsent(&view.tenant.id, to);
        }
        return match error {
            StoreError::Conflict(Conflict::Link) => Ok(()),
            error => Err(store_fault(error)),
        };
    }
    mail_link(app, &view.tenant, user, purpose, &link_address(&view.tenant, &secret), cause.now);
    Ok(())
}

/// Where a link leads. The secret stands in the query, which no log line holds.
pub fn link_address(tenant: &Tenant, secret: &str) -> Zeroizing<String> {
    let issuer = tenant.issuer.trim_end_matches('/');
    Zeroizing::new(format!("{issuer}/account/link?token={secret}"))
}

/// The PHC string of a password that somebody chose, on the hashing pool.
pub async fn hashed(app: &App, password: &str) -> Result<String, Fault> {
    let (password, hasher) = (Zeroizing::new(password.to_owned()), app.hasher.clone());
    let entropy = app.entropy.clone();
    let hash = app.hashing.run(move || hasher.hash(&password, entropy.as_ref())).await?;
    hash.ok_or(Fault::Internal { detail: "a password could not be hashed" })
}

/// Whether this is the person's password, on the hashing pool.
pub async fn is_password(app: &App, user: &User, password: &str) -> Result<bool, Fault> {
    if password.is_empty() || password.len() > people::MAX_PASSWORD {
        return Ok(false);
    }
    let (password, hasher) = (Zeroizing::new(password.to_owned()), app.hasher.clone());
    let stored = user.password_hash.clone();
    app.hashing.run(move || hasher.verify(&password, stored.as_deref())).await
}

/// Ends one session, and tells its clients. `false` if it had ended already.
pub async fn end_session(
    app: &App,
    view: &Arc<TenantView>,
    session: &Session,
    why: &str,
    cause: Cause<'_>,
) -> Result<bool, Fault> {
    let mut ended =
        logout_delivery::prepare(app, view, session, cause.correlation_id, why, cause.now).await?;
    audit::attribute(&mut ended.changes, cause.by.unwrap_or(&By::User(session.user_id)));
    if !logout_delivery::apply(app, view, &ended.changes).await? {
        return Ok(false);
    }
    logout_delivery::send(app, view, ended.deliveries).await;
    Ok(true)
}

/// What ends with all sessions of a person but the one to keep. The changes go behind what causes it, in its transaction: either
/// both are written or neither, and [`Change::EndUserSessions`] also finds what was begun meanwhile. On
/// [`Conflict::Exists`] another request has just ended one of them: load and decide again.
#[derive(Debug, Default)]
pub struct SessionsEnding {
    /// To be applied with what causes it.
    pub changes: Vec<Change>,
    /// Logout tokens to send afterwards.
    pub deliveries: Vec<LogoutDelivery>,
    /// How many sessions there were.
    pub count: usize,
}

/// Whose sessions end, and why.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    /// Whose tenant.
    pub tenant: &'a Tenant,
    /// Who.
    pub user: Uuid,
    /// The session that stays, if it has not ended by itself.
    pub keep: Option<&'a TokenHash>,
    /// What ends them, for the audit trail.
    pub why: &'a str,
    /// Who ends them, for the audit trail.
    pub by: &'a By,
    /// Ties what is written to the request.
    pub correlation_id: &'a str,
}

/// Loads what is to end and decides what is written and told.
pub async fn sessions_ending(
    store: &dyn Store,
    leaving: &Leaving<'_>,
    context: &Context<'_>,
) -> Result<SessionsEnding, StoreError> {
    let Leaving { tenant, user, keep, why, by, correlation_id } = *leaving;
    let mut ending = SessionsEnding::default();
    ending.changes.extend(keep.map(|keep| Change::NeedSession(*keep)));
    let all = store.user_sessions(&tenant.id, user, context.now).await?;
    for session in all.iter().filter(|session| Some(&session.hash) != keep) {
        let mut clients = Vec::new();
        for noted in store.session_clients(&tenant.id, &session.sid).await? {
            clients.extend(store.client(&tenant.id, &noted.client_id).await?);
        }
        let of_one = Ending { tenant, session, clients: &clients, correlation_id, cause: why };
        let ended = logout::end(&of_one, context);
        ending.changes.extend(ended.changes);
        ending.deliveries.extend(ended.deliveries);
        ending.count += 1;
    }
    audit::attribute(&mut ending.changes, by);
    ending.changes.push(Change::EndUserSessions { user_id: user, keep: keep.copied(), at: context.now });
    Ok(ending)
}

/// Writes `changes`, and ends all sessions of a person but the one to keep with them; then tells their clients. How many
/// sessions there were.
pub async fn apply_ending(
    app: &App,
    view: &Arc<TenantView>,
    changes: &[Change],
    leaving: &Leaving<'_>,
    now: UnixTime,
) -> Result<usize, StoreError> {
    let mut attempt = 1;
    loop {
        let ending = sessions_ending(app.store.as_ref(), leaving, &app.context(now)).await?;
        let mut all: Vec<Change> = changes.iter().cloned().chain(ending.changes).collect();
        audit::attribute(&mut all, leaving.by);
        match app.store.apply(&view.tenant.id, &all).await {
            Err(StoreError::Conflict(Conflict::Exists)) if attempt < ENDING_ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
            Ok(()) => {
                logout_delivery::send(app, view, ending.deliveries).await;
                return Ok(ending.count);
            }
        }
    }
}

/// Ends all sessions of a person but the one to keep, and tells their clients. How many there were.
pub async fn end_sessions(
    app: &App,
    view: &Arc<TenantView>,
    user: &User,
    keep: Option<&TokenHash>,
    why: &str,
    cause: Cause<'_>,
) -> Result<usize, Fault> {
    let themselves = By::User(user.id);
    let by = cause.by.unwrap_or(&themselves);
    let leaving =
        Leaving { tenant: &view.tenant, user: user.id, keep, why, by, correlation_id: cause.correlation_id };
    match apply_ending(app, view, &[], &leaving, cause.now).await {
        Err(StoreError::Conflict(Conflict::Session)) => Err(Fault::SessionEnded),
        Err(StoreError::Conflict(Conflict::Exists)) => Err(Fault::Busy),
        ended => ended.map_err(store_fault),
    }
}

/// Chooses a password by a link, and ends all sessions: whoever had one may not be whom the mail reached.
pub async fn choose_by_link(
    app: &App,
    view: &Arc<TenantView>,
    token: &str,
    password: &str,
    cause: Cause<'_>,
) -> Result<(User, LinkPurpose), Fault> {
    let (link, user) = open_link(app, view, token, cause.now).await?;
    let hash = hashed(app, password).await?;
    let (tenant, correlation_id) = (&view.tenant, cause.correlation_id);
    let changes = people::password_by_link(&link, &user, hash, correlation_id, &app.context(cause.now));
    let by = &By::User(user.id);
    let leaving = Leaving { tenant, user: user.id, keep: None, why: "password_reset", by, correlation_id };
    match apply_ending(app, view, &changes, &leaving, cause.now).await {
        Ok(_) => Ok((user, link.purpose)),
        Err(StoreError::Conflict(Conflict::Link | Conflict::Version)) => Err(Fault::LinkUnusable),
        Err(StoreError::Conflict(Conflict::Exists)) => Err(Fault::Busy),
        Err(error) => Err(store_fault(error)),
    }
}

/// Whom a link is for, if it is good.
pub async fn open_link(
    app: &App,
    view: &TenantView,
    token: &str,
    now: UnixTime,
) -> Result<(UserLink, User), Fault> {
    let tenant = &view.tenant.id;
    let link = app.store.user_link(tenant, &TokenHash::of(token)).await.map_err(store_fault)?;
    let user = match &link {
        Some(link) => app.store.user(tenant, link.user_id).await.map_err(store_fault)?,
        None => None,
    };
    let user = people::open(link.as_ref(), user.as_ref(), now)?.clone();
    Ok((link.ok_or(Fault::LinkUnusable)?, user))
}
