//! What is done for people, whoever asks for it: links by mail, passwords, the end of all sessions.

use std::sync::Arc;

use signet_core::audit::{self, By};
use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::logout::Ended;
use signet_core::people;
use signet_core::records::{LinkPurpose, Session, Tenant, User, UserLink};
use signet_store::StoreError;
use zeroize::Zeroizing;

use crate::app::{App, store_fault};
use crate::logout_delivery;
use crate::mail::{Letter, Occasion};
use crate::tenancy::TenantView;

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
    app.store.apply(&view.tenant.id, &changes).await.map_err(store_fault)?;
    let url = link_address(&view.tenant, &secret);
    let mailed = email(user).is_some_and(|to| {
        let occasion = Occasion::Link { purpose, url: &url };
        let letter = Letter { tenant: &view.tenant, to, account: &user.username, occasion, at: cause.now };
        app.mailer.send(letter.write())
    });
    Ok(Made { url, link, mailed })
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
    let ended = ending(app, view, session, why, cause).await?;
    if !logout_delivery::apply(app, view, &ended.changes).await? {
        return Ok(false);
    }
    logout_delivery::send(app, view, ended.deliveries).await;
    Ok(true)
}

/// What ends with a session, with who ends it.
async fn ending(
    app: &App,
    view: &TenantView,
    session: &Session,
    why: &str,
    cause: Cause<'_>,
) -> Result<Ended, Fault> {
    let mut ended =
        logout_delivery::prepare(app, view, session, cause.correlation_id, why, cause.now).await?;
    audit::attribute(&mut ended.changes, cause.by.unwrap_or(&By::User(session.user_id)));
    Ok(ended)
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
    let all = app.store.user_sessions(&view.tenant.id, user.id, cause.now).await.map_err(store_fault)?;
    let (mut count, mut deliveries) = (0, Vec::new());
    for session in all.iter().filter(|session| Some(&session.hash) != keep) {
        let ended = ending(app, view, session, why, cause).await?;
        if logout_delivery::apply(app, view, &ended.changes).await? {
            count += 1;
            deliveries.extend(ended.deliveries);
        }
    }
    logout_delivery::send(app, view, deliveries).await;
    Ok(count)
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
    let context = app.context(cause.now);
    let mut changes = people::password_by_link(&link, &user, hash, cause.correlation_id, &context);
    audit::attribute(&mut changes, &By::User(user.id));
    match app.store.apply(&view.tenant.id, &changes).await {
        Ok(()) => {}
        Err(StoreError::Conflict(Conflict::Link | Conflict::Version)) => return Err(Fault::LinkUnusable),
        Err(error) => return Err(store_fault(error)),
    }
    end_sessions(app, view, &user, None, "password_reset", cause).await?;
    Ok((user, link.purpose))
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
