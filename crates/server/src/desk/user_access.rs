//! How users get in, and what they have opened: links to choose a password with, sessions, consents, second factors.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signet_core::admin::USERS_READ;
use signet_core::audit::{self, Kind};
use signet_core::change::{Change, Conflict};
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::provision::Provisioned;
use signet_core::records::{Credential, CredentialKind, LinkPurpose, LogoutDelivery, Session, User};
use signet_store::StoreError;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::users::{UserWritten, contended, seen};
use super::{Desk, Refused, Result, Write};
use crate::logout_delivery;
use crate::people::{self, Leaving, SessionsEnding};
use crate::tenancy::TenantView;

/// A link by which a person chooses a password.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Handed {
    /// Whether it is on its way by mail.
    pub mailed: bool,
    /// The link, where it is not: shown this once, to be handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub url: Option<Zeroizing<String>>,
    /// Until when it is good, in Unix seconds.
    pub expires_at: UnixTime,
}

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handed").field("mailed", &self.mailed).finish_non_exhaustive()
    }
}

/// A password that somebody is given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// At least 8 characters, at most 512 bytes.
    #[schemars(with = "String")]
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPassword").finish_non_exhaustive()
    }
}

/// Something that was ended or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Done {
    /// How many.
    pub count: usize,
    /// Nothing was written.
    pub dry_run: bool,
}

/// A session of a user.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SessionView {
    /// The `sid`.
    pub sid: String,
    /// When the person proved who they are, in Unix seconds.
    pub auth_time: UnixTime,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// How well.
    pub acr: String,
    /// Last use, to within a minute, in Unix seconds.
    pub last_seen: UnixTime,
    /// When it ends in any case, in Unix seconds.
    pub expires_at: UnixTime,
    /// The clients that it has logged in to.
    pub clients: Vec<String>,
}

/// What a user allows a client.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConsentView {
    /// Whom.
    pub client_id: String,
    /// How the client is called.
    pub client_name: String,
    /// What.
    pub scope: Vec<String>,
    /// Since when, in Unix seconds.
    pub granted_at: UnixTime,
}

/// What a user has enrolled. Recovery codes are counted with the user.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CredentialView {
    /// Names it.
    pub id: Uuid,
    /// What it is.
    pub kind: CredentialKind,
    /// What the person calls it.
    pub name: String,
    /// When it was enrolled, in Unix seconds.
    pub created_at: UnixTime,
    /// When it was last used, in Unix seconds.
    pub last_used_at: Option<UnixTime>,
}

impl From<Credential> for CredentialView {
    fn from(one: Credential) -> Self {
        let Credential { id, kind, name, created_at, last_used_at, .. } = one;
        Self { id, kind, name, created_at, last_used_at }
    }
}

impl Desk<'_> {
    /// Makes an invitation: a link by which the person chooses a password.
    pub async fn invite_user(&self, id: Uuid, write: &Write) -> Result<Handed> {
        self.link_for(id, LinkPurpose::Invitation, write).await
    }

    /// Makes a link by which the person chooses another password. The present one stays good until then.
    pub async fn reset_password(&self, id: Uuid, write: &Write) -> Result<Handed> {
        self.link_for(id, LinkPurpose::PasswordReset, write).await
    }

    /// Gives a user a password, and ends their sessions, as one chosen by a link does. Never compared with the present one: a
    /// trial would tell whether a guess is right.
    pub async fn set_password(&self, id: Uuid, new: &NewPassword, write: &Write) -> Result<UserWritten> {
        let user = self.manageable(id).await?;
        seen(&user, write)?;
        signet_core::people::new_password(&new.password, &new.password)?;
        let hash = people::hashed(self.app, &new.password).await?;
        let context = self.app.context(self.now);
        let changes =
            signet_core::people::password(&user, hash, "administrator", self.correlation_id, &context);
        let differences = vec![format!("user \"{}\": password: set", user.username)];
        let done = Provisioned { changes, differences, ..Provisioned::default() };
        let ending = self.sessions_ending(&user, "password_reset").await?;
        let along = self.along(write, ending.changes);
        let done = self.provisioner(write).write(&self.tenant().id, done, &along).await;
        let done = done.map_err(|error| contended(error, &user))?;
        self.tell(ending.deliveries, write).await;
        self.user_written(Some(&user), done, write).await
    }

    async fn link_for(&self, id: Uuid, purpose: LinkPurpose, write: &Write) -> Result<Handed> {
        let user = self.manageable(id).await?;
        if user.disabled {
            return Err(Fault::LinkUnusable.into());
        }
        if write.dry_run {
            let expires_at = self.now + signet_core::people::lifetime(purpose);
            let mailed = self.app.mailer.works() && people::email(&user).is_some();
            return Ok(Handed { mailed, url: None, expires_at });
        }
        self.hand(&user, purpose).await
    }

    pub(super) async fn hand(&self, user: &User, purpose: LinkPurpose) -> Result<Handed> {
        let by = self.actor.by();
        let made = people::send_link(self.app, self.view, user, purpose, self.cause(&by)).await?;
        let url = (!made.mailed).then_some(made.url);
        Ok(Handed { mailed: made.mailed, url, expires_at: made.link.expires_at })
    }

    /// The sessions of a user, the last used first.
    pub async fn user_sessions(&self, id: Uuid) -> Result<Vec<SessionView>> {
        self.actor.need(USERS_READ)?;
        let user = self.known(id).await?;
        let tenant = &self.tenant().id;
        let mut views = Vec::new();
        for session in self.app.store.user_sessions(tenant, user.id, self.now).await? {
            let noted = self.app.store.session_clients(tenant, &session.sid).await?;
            let clients = noted.into_iter().map(|one| one.client_id.to_string()).collect();
            let Session { sid, auth_time, amr, acr, last_seen, expires_at, .. } = session;
            views.push(SessionView { sid, auth_time, amr, acr, last_seen, expires_at, clients });
        }
        Ok(views)
    }

    /// Ends one session of a user, and tells its clients.
    pub async fn end_user_session(&self, id: Uuid, sid: &str, write: &Write) -> Result<Done> {
        let user = self.manageable(id).await?;
        let found = self.app.store.session_by_sid(&self.tenant().id, sid).await?;
        let session = found.filter(|session| session.user_id == user.id).ok_or(Refused::NotFound)?;
        if !write.dry_run {
            let (view, by) = (self.shared_view().await?, self.actor.by());
            people::end_session(self.app, &view, &session, "administrator", self.cause(&by)).await?;
        }
        Ok(Done { count: 1, dry_run: write.dry_run })
    }

    /// Ends all sessions of a user, and tells their clients.
    pub async fn end_user_sessions(&self, id: Uuid, write: &Write) -> Result<Done> {
        let user = self.manageable(id).await?;
        let count = if write.dry_run {
            self.app.store.user_sessions(&self.tenant().id, user.id, self.now).await?.len()
        } else {
            let (view, by) = (self.shared_view().await?, self.actor.by());
            people::end_sessions(self.app, &view, &user, None, "administrator", self.cause(&by)).await?
        };
        Ok(Done { count, dry_run: write.dry_run })
    }

    /// What ends with all sessions of a user, to go along with what causes it.
    pub(super) async fn sessions_ending(&self, user: &User, why: &str) -> Result<SessionsEnding> {
        let (tenant, correlation_id) = (self.tenant(), self.correlation_id);
        let by = &self.actor.by();
        let leaving = Leaving { tenant, user: user.id, keep: None, why, by, correlation_id };
        let context = self.app.context(self.now);
        Ok(people::sessions_ending(self.app.store.as_ref(), &leaving, &context).await?)
    }

    /// Tells clients of sessions that have ended. What cannot be sent now is stored, and sent by the nodes' timers.
    pub(super) async fn tell(&self, deliveries: Vec<LogoutDelivery>, write: &Write) {
        if !write.dry_run
            && let Ok(view) = self.shared_view().await
        {
            logout_delivery::send(self.app, &view, deliveries).await;
        }
    }

    /// What a user allows clients, by `client_id`.
    pub async fn user_consents(&self, id: Uuid) -> Result<Vec<ConsentView>> {
        self.actor.need(USERS_READ)?;
        let user = self.known(id).await?;
        let tenant = &self.tenant().id;
        let mut views = Vec::new();
        for consent in self.app.store.consents(tenant, user.id).await? {
            let client = self.app.store.client(tenant, &consent.client_id).await?;
            views.push(ConsentView {
                client_id: consent.client_id.to_string(),
                client_name: client.map(|client| client.settings.client_name).unwrap_or_default(),
                scope: consent.scope.into_iter().collect(),
                granted_at: consent.granted_at,
            });
        }
        Ok(views)
    }

    /// Takes back what a user allows a client, with every token issued under it.
    pub async fn revoke_consent(&self, id: Uuid, client: &ClientId, write: &Write) -> Result<Done> {
        let user = self.manageable(id).await?;
        let found = self.app.store.consent(&self.tenant().id, user.id, client).await?;
        found.ok_or(Refused::NotFound)?;
        let context = self.app.context(self.now);
        let event = audit::success(&self.tenant().id, Kind::ConsentRevoked, self.correlation_id, &context)
            .user(user.id)
            .client(client)
            .by(&self.actor.by());
        let revoke = Change::DeleteConsent { user_id: user.id, client_id: client.clone(), at: self.now };
        self.done(&[revoke, event.change()], write).await
    }

    /// What a user has enrolled, oldest first.
    pub async fn user_credentials(&self, id: Uuid) -> Result<Vec<CredentialView>> {
        self.actor.need(USERS_READ)?;
        let user = self.known(id).await?;
        let all = self.app.store.credentials(&self.tenant().id, user.id).await?;
        let shown = all.into_iter().filter(|one| one.kind != CredentialKind::RecoveryCode);
        Ok(shown.map(CredentialView::from).collect())
    }

    /// Removes a passkey or an authenticator application, for people who have lost theirs. With the last one go the recovery
    /// codes.
    pub async fn remove_credential(&self, id: Uuid, credential: Uuid, write: &Write) -> Result<Done> {
        let user = self.manageable(id).await?;
        let all = self.app.store.credentials(&self.tenant().id, user.id).await?;
        let found = all.iter().find(|one| one.id == credential && one.kind != CredentialKind::RecoveryCode);
        let found = found.ok_or(Refused::NotFound)?;
        let context = self.app.context(self.now);
        let mut changes = signet_core::people::remove_credential(&user, &all, found);
        let event = audit::success(&self.tenant().id, Kind::CredentialRemoved, self.correlation_id, &context)
            .user(user.id)
            .fact("credential", found.kind.name())
            .by(&self.actor.by());
        changes.push(event.change());
        self.done(&changes, write).await
    }

    async fn done(&self, changes: &[Change], write: &Write) -> Result<Done> {
        if !write.dry_run {
            match self.app.store.apply(&self.tenant().id, changes).await {
                Err(StoreError::Conflict(Conflict::Credential)) => return Err(Refused::NotFound),
                Err(StoreError::Conflict(Conflict::Version)) => return Err(Fault::Busy.into()),
                done => done?,
            }
        }
        Ok(Done { count: 1, dry_run: write.dry_run })
    }

    /// The tenant's view as deliveries share it.
    pub(super) async fn shared_view(&self) -> Result<Arc<TenantView>> {
        let sources = self.app.sources(self.now);
        let found = self.app.tenancy.by_id(&self.tenant().id, &sources).await?;
        found.ok_or(Refused::NotFound)
    }
}
