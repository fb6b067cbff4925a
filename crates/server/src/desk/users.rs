//! Users: who there is, and who is made, changed and removed. Owners are changed by owners only, and one who can sign in stays.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signet_core::admin::{USERS_READ, USERS_WRITE};
use signet_core::audit::{self, By, Kind};
use signet_core::change::{Change, Conflict};
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::people;
use signet_core::provision::{self, Provisioned, Secret, UserDeclaration};
use signet_core::records::{Credential, CredentialKind, LinkPurpose, Role, Tenant, User};
use signet_store::{Page, StoreError, UserFilter};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::receipt::{Before, Pass};
use super::user_access::Handed;
use super::{Desk, Paged, Refused, Result, Write, paged};
use crate::people::{Cause, SessionsEnding};
use crate::provisioning::ProvisioningError;

/// Users whose names are read for one page.
const MAX_NAMED: usize = 100;

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// Only those whose username, e-mail address or name has this in it; less than three characters, begins with it.
    pub search: Option<String>,
    /// Only those with this role.
    pub role: Option<Role>,
    /// Only those that are disabled, or those that are not.
    pub disabled: Option<bool>,
    /// Where the page before ended.
    pub after: Option<String>,
    /// At most this many (1 to 100).
    pub limit: u32,
}

/// A user in a listing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserLine {
    /// The `sub`.
    pub id: Uuid,
    /// What the person types.
    pub username: String,
    /// The claim `name`.
    pub name: Option<String>,
    /// The claim `email`.
    pub email: Option<String>,
    /// What they may do in the administration.
    pub role: Option<Role>,
    /// May not log in.
    pub disabled: bool,
    /// When the account was last changed, in Unix seconds.
    pub updated_at: UnixTime,
}

impl From<User> for UserLine {
    fn from(user: User) -> Self {
        let text = |name: &str| user.claims.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            id: user.id,
            name: text("name"),
            email: text("email"),
            role: user.role,
            disabled: user.disabled,
            updated_at: user.updated_at,
            username: user.username,
        }
    }
}

/// One user.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserView {
    /// The `sub`.
    pub id: Uuid,
    /// What the person types.
    pub username: String,
    /// Counts up with every change; a write names the version that was seen.
    pub version: i64,
    /// May not log in.
    pub disabled: bool,
    /// What they may do in the administration.
    pub role: Option<Role>,
    /// Whether there is a password to log in with.
    pub has_password: bool,
    /// Passkeys.
    pub passkeys: usize,
    /// Whether an authenticator application is enrolled.
    pub totp: bool,
    /// Recovery codes that are unused.
    pub recovery_codes: usize,
    /// Whether this actor may change them.
    pub changeable: bool,
    /// Standard claims (OpenID Connect Core section 5.1), and those of the tenant's own scopes.
    pub claims: Map<String, Value>,
    /// When the account was made, in Unix seconds.
    pub created_at: UnixTime,
    /// When it was last changed, in Unix seconds.
    pub updated_at: UnixTime,
}

/// A user to make.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewUser {
    /// What the person types.
    pub username: String,
    /// Standard claims (OpenID Connect Core section 5.1), and those of the tenant's own scopes.
    pub claims: Map<String, Value>,
    /// What they may do in the administration.
    pub role: Option<Role>,
    /// May not log in.
    pub disabled: bool,
    /// A password to begin with. An invitation lets the person choose one instead.
    #[serde(skip_serializing)]
    #[schemars(with = "Option<String>")]
    pub password: Option<Zeroizing<String>>,
    /// Also make an invitation: a link by which the person chooses a password.
    pub invite: bool,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A user as they shall be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// All their claims; what is left out is removed.
    pub claims: Map<String, Value>,
    /// What they may do in the administration; nothing if left out.
    #[serde(default)]
    pub role: Option<Role>,
    /// May not log in. Their sessions end.
    #[serde(default)]
    pub disabled: bool,
}

/// What a write on a user came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserWritten {
    /// The user as they are now, or would be.
    pub user: UserView,
    /// What differs, one line each. Of claims the names alone.
    pub differences: Vec<String>,
    /// The invitation, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Handed>,
    /// Nothing was written.
    pub dry_run: bool,
    /// The same idempotency key had made them before: nothing was written now.
    pub replayed: bool,
}

impl Desk<'_> {
    /// Users by username.
    pub async fn users(&self, query: &UserQuery) -> Result<Paged<UserLine>> {
        self.actor.need(USERS_READ)?;
        let limit = query.limit.clamp(1, 100);
        let filter = UserFilter {
            search: query.search.clone(),
            role: query.role,
            disabled: query.disabled,
            page: Page { after: query.after.clone(), limit: limit + 1 },
        };
        let rows = self.app.store.find_users(&self.tenant().id, &filter).await?;
        Ok(paged(rows, limit, |user| user.username.clone(), UserLine::from))
    }

    /// One user.
    pub async fn user(&self, id: Uuid) -> Result<UserView> {
        self.actor.need(USERS_READ)?;
        let user = self.known(id).await?;
        self.user_view(&user).await
    }

    /// Makes a user.
    pub async fn create_user(&self, new: &NewUser, write: &Write) -> Result<UserWritten> {
        const WHAT: &str = "user";
        self.actor.need(USERS_WRITE)?;
        let input = (new, new.password.as_deref());
        let pass = match self.before(write, WHAT, &input).await? {
            Before::Made(id) => return self.made_user(&id).await,
            Before::New(pass) => pass,
        };
        match self.make_user(new, write, &pass).await {
            Ok(made) => Ok(made),
            Err(refused) => {
                self.made_user(&self.meanwhile(write, WHAT, &input, refused.of_new()).await?).await
            }
        }
    }

    async fn make_user(&self, new: &NewUser, write: &Write, pass: &Pass) -> Result<UserWritten> {
        if !self.actor.may_manage(new.role) {
            return Err(Fault::UserForbidden.into());
        }
        if let Some(password) = &new.password {
            people::new_password(password, password)?;
        }
        let name = provision::username(&new.username).map_err(|refusal| Refused::Invalid(vec![refusal]))?;
        if self.app.store.user_by_name(&self.tenant().id, &name).await?.is_some() {
            return Err(Refused::Exists);
        }
        let hash = match &new.password {
            Some(password) => Some(crate::people::hashed(self.app, password).await?),
            None => None,
        };
        let declared = UserDeclaration {
            username: name.clone(),
            disabled: new.disabled,
            password: None,
            password_hash: hash.map(Secret::new),
            claims: new.claims.clone(),
            role: Some(new.role),
        };
        let along = self.along(&Write { seen: Some(0), ..write.clone() }, self.kept(pass, &name));
        let done = self.provisioner(write).user_with(&self.tenant().id, &declared, &along).await?;
        let mut written = self.user_written(None, done, write).await?;
        if new.invite && !write.dry_run {
            let user = self.known(written.user.id).await?;
            written.invitation = Some(self.hand(&user, LinkPurpose::Invitation).await?);
        }
        Ok(written)
    }

    async fn made_user(&self, name: &str) -> Result<UserWritten> {
        let found = self.app.store.user_by_name(&self.tenant().id, name).await?;
        let user = self.user_view(&found.ok_or(Refused::NotFound)?).await?;
        Ok(UserWritten { user, differences: Vec::new(), invitation: None, dry_run: false, replayed: true })
    }

    /// Replaces claims, role and state of a user.
    pub async fn replace_user(&self, id: Uuid, change: &UserChange, write: &Write) -> Result<UserWritten> {
        let user = self.manageable(id).await?;
        seen(&user, write)?;
        if !self.actor.may_manage(change.role) {
            return Err(Fault::UserForbidden.into());
        }
        let loses = change.role != Some(Role::Owner) || change.disabled;
        let mut further = if loses { self.owner_leaves(&user).await? } else { Vec::new() };
        let mut ending = SessionsEnding::default();
        if change.disabled && !user.disabled {
            ending = self.sessions_ending(&user, "user_disabled").await?;
            further.append(&mut ending.changes);
        }
        let declared = UserDeclaration {
            username: user.username.clone(),
            disabled: change.disabled,
            password: None,
            password_hash: None,
            claims: change.claims.clone(),
            role: Some(change.role),
        };
        let along = self.along(write, further);
        let done = self.provisioner(write).user_with(&self.tenant().id, &declared, &along).await;
        let done = done.map_err(|error| contended(error, &user))?;
        self.tell(ending.deliveries, write).await;
        self.user_written(Some(&user), done, write).await
    }

    /// Removes a user with sessions, consents and tokens. Clients that they are logged in to are told.
    pub async fn delete_user(&self, id: Uuid, write: &Write) -> Result<UserWritten> {
        let user = self.manageable(id).await?;
        seen(&user, write)?;
        let further = self.owner_leaves(&user).await?;
        let view = self.user_view(&user).await?;
        let context = self.app.context(self.now);
        let event = audit::success(&self.tenant().id, Kind::UserDeleted, self.correlation_id, &context)
            .user(user.id)
            .by(&self.actor.by());
        let last = User { version: user.version + 1, updated_at: self.now, ..user.clone() };
        let ending = self.sessions_ending(&user, "user_deleted").await?;
        // The version that was judged is the one that goes: the first change finds no other.
        let mut changes = vec![Change::UpdateUser(last)];
        changes.extend(ending.changes);
        changes.extend([Change::DeleteUser(user.id), event.change()]);
        let done = Provisioned {
            changes,
            differences: vec![format!("user \"{}\": removed", user.username)],
            ..Provisioned::default()
        };
        let along = self.along(write, further);
        let done = self.provisioner(write).write(&self.tenant().id, done, &along).await;
        let done = done.map_err(|error| contended(error, &user))?;
        self.tell(ending.deliveries, write).await;
        Ok(UserWritten {
            user: view,
            differences: done.differences,
            invitation: None,
            dry_run: write.dry_run,
            replayed: false,
        })
    }

    /// The usernames of these users, as far as they are still there: of the first hundred of them, and of none for somebody
    /// who may not see users.
    pub async fn usernames(&self, ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, String>> {
        let mut names = BTreeMap::new();
        if !self.actor.holds(USERS_READ) {
            return Ok(names);
        }
        for id in ids.iter().take(MAX_NAMED) {
            if let Some(user) = self.app.store.user(&self.tenant().id, *id).await? {
                names.insert(*id, user.username);
            }
        }
        Ok(names)
    }

    pub(super) async fn known(&self, id: Uuid) -> Result<User> {
        self.app.store.user(&self.tenant().id, id).await?.ok_or(Refused::NotFound)
    }

    /// A user whom this actor may change.
    pub(super) async fn manageable(&self, id: Uuid) -> Result<User> {
        self.actor.need(USERS_WRITE)?;
        let user = self.known(id).await?;
        if self.actor.may_manage(user.role) { Ok(user) } else { Err(Fault::UserForbidden.into()) }
    }

    /// What goes along when this user is an owner no more; nothing if they are none, or cannot sign in as one.
    async fn owner_leaves(&self, user: &User) -> Result<Vec<Change>> {
        if !is_owner(user) {
            return Ok(Vec::new());
        }
        let tenant = self.stored_tenant().await?;
        Ok(vec![self.owners_leave(&tenant, &[user.id]).await?])
    }

    /// What goes along when these are owners no more, with the tenant as it was read before.
    pub(super) async fn owners_leave(&self, tenant: &Tenant, leaving: &[Uuid]) -> Result<Change> {
        let page = Page { after: None, limit: 1_000 };
        let filter = UserFilter { role: Some(Role::Owner), page, ..UserFilter::default() };
        let owners = self.app.store.find_users(&tenant.id, &filter).await?;
        Ok(people::without_owners(tenant, &owners, leaving)?)
    }

    pub(super) fn cause<'a>(&'a self, by: &'a By) -> Cause<'a> {
        Cause { correlation_id: self.correlation_id, by: Some(by), now: self.now }
    }

    async fn user_view(&self, user: &User) -> Result<UserView> {
        let credentials = self.app.store.credentials(&self.tenant().id, user.id).await?;
        Ok(self.user_view_with(user, &credentials))
    }

    fn user_view_with(&self, user: &User, credentials: &[Credential]) -> UserView {
        let count = |kind| credentials.iter().filter(|one| one.kind == kind).count();
        UserView {
            id: user.id,
            username: user.username.clone(),
            version: user.version,
            disabled: user.disabled,
            role: user.role,
            has_password: user.password_hash.is_some(),
            passkeys: count(CredentialKind::Passkey),
            totp: count(CredentialKind::Totp) > 0,
            recovery_codes: count(CredentialKind::RecoveryCode),
            changeable: self.actor.may_manage(user.role),
            claims: user.claims.clone(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }

    pub(super) async fn user_written(
        &self,
        before: Option<&User>,
        done: Provisioned,
        write: &Write,
    ) -> Result<UserWritten> {
        let written = done.changes.iter().find_map(|change| match change {
            Change::InsertUser(user) | Change::UpdateUser(user) => Some(user),
            _ => None,
        });
        let user = written.or(before).ok_or(Refused::NotFound)?;
        let credentials = match before {
            Some(before) => self.app.store.credentials(&self.tenant().id, before.id).await?,
            None => Vec::new(),
        };
        Ok(UserWritten {
            user: self.user_view_with(user, &credentials),
            differences: done.differences,
            invitation: None,
            dry_run: write.dry_run,
            replayed: false,
        })
    }
}

/// An owner who can sign in as one.
pub(super) fn is_owner(user: &User) -> bool {
    user.role == Some(Role::Owner) && !user.disabled
}

pub(super) fn seen(user: &User, write: &Write) -> Result<()> {
    match write.seen {
        None => Err(Refused::VersionMissing),
        Some(version) if version != user.version => Err(Refused::Stale { current: user.version }),
        Some(_) => Ok(()),
    }
}

/// Two owners who take the role from each other at the same moment, or a session that ends by itself while all of them end:
/// the second asks again, and is told.
pub(super) fn contended(error: ProvisioningError, seen: &User) -> Refused {
    match error {
        ProvisioningError::Stale { current } if current == seen.version => Fault::Busy.into(),
        ProvisioningError::Store(error) => of_many(error),
        other => other.into(),
    }
}

/// Why several records were not written at once, of which others wrote one meanwhile: a version moved on, or there is already
/// what a session that ends leaves behind.
pub(super) fn of_many(error: StoreError) -> Refused {
    match error {
        StoreError::Conflict(Conflict::Version | Conflict::Exists) => Fault::Busy.into(),
        other => other.into(),
    }
}
