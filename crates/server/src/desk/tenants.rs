//! The tenants of the installation, for owners of the one that looks after it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signet_core::admin::{TENANTS_READ, TENANTS_WRITE};
use signet_core::audit::{self, Kind};
use signet_core::change::Change;
use signet_core::context::UnixTime;
use signet_core::ids::TenantId;
use signet_core::provision::{self, PasswordHash, TenantDeclaration, UserDeclaration, UserFacts};
use signet_core::records::{LinkPurpose, Role, Tenant, TenantSettings, User};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::receipt::{Before, Pass};
use super::tenant::TenantRecord;
use super::{Desk, Paged, Refused, Result, Write, paged};
use crate::people;
use crate::tenant_keys::Workshop;

/// Which tenants to list.
#[derive(Clone, Debug, Default)]
pub struct TenantQuery {
    /// Where the page before ended.
    pub after: Option<String>,
    /// At most this many (1 to 100).
    pub limit: u32,
}

/// A tenant in a listing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TenantLine {
    /// Its short name.
    pub id: String,
    /// Name shown on its pages.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// Its owners look after the installation.
    pub operator: bool,
    /// When it was made, in Unix seconds.
    pub created_at: UnixTime,
}

impl From<Tenant> for TenantLine {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.settings.branding.name,
            issuer: tenant.issuer,
            operator: tenant.settings.operator,
            created_at: tenant.created_at,
        }
    }
}

/// A tenant to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// Its short name: lower-case letters, digits, hyphens.
    pub id: String,
    /// Its issuer URL, exactly as it shall stand in tokens.
    pub issuer: String,
    /// Name shown on its pages.
    #[serde(default)]
    pub name: Option<String>,
    /// The first owner; nobody else can administer it.
    pub owner: FirstOwner,
}

/// The first owner of a new tenant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstOwner {
    /// What the person will type.
    pub username: String,
    /// Standard claims (OpenID Connect Core section 5.1).
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// What making a tenant came to.
#[derive(Serialize, JsonSchema)]
pub struct TenantCreated {
    /// The tenant as it is, or would be.
    pub tenant: TenantRecord,
    /// The first owner; `null` if the same idempotency key had made the tenant before.
    pub owner: Option<Uuid>,
    /// The link by which the first owner chooses a password. It is shown this once, to be handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub invitation: Option<Zeroizing<String>>,
    /// Whether the link is on its way by mail as well.
    pub mailed: bool,
    /// Until when the link is good, in Unix seconds.
    pub invitation_expires_at: Option<UnixTime>,
    /// Nothing was written.
    pub dry_run: bool,
    /// The same idempotency key had made it before: nothing was written now.
    pub replayed: bool,
}

impl std::fmt::Debug for TenantCreated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantCreated").field("tenant", &self.tenant.id).finish_non_exhaustive()
    }
}

impl Desk<'_> {
    /// Every tenant, by id.
    pub async fn tenants(&self, query: &TenantQuery) -> Result<Paged<TenantLine>> {
        self.actor.need(TENANTS_READ)?;
        let limit = query.limit.clamp(1, 100);
        let all = self.app.store.tenants().await?;
        let after = |tenant: &Tenant| query.after.as_deref().is_none_or(|after| tenant.id.as_str() > after);
        let rows = all.into_iter().filter(after).take(limit as usize + 1).collect();
        Ok(paged(rows, limit, |tenant: &Tenant| tenant.id.to_string(), TenantLine::from))
    }

    /// Makes a tenant with its keys and its first owner, who is invited by a link. The receipt of an idempotency key lies in
    /// another tenant than what is made and is written after it: what was lost in between is told as there already.
    pub async fn create_tenant(&self, new: &NewTenant, write: &Write) -> Result<TenantCreated> {
        const WHAT: &str = "tenant";
        self.actor.need(TENANTS_WRITE)?;
        let pass = match self.before(write, WHAT, new).await? {
            Before::Made(id) => return self.made_tenant(&id).await,
            Before::New(pass) => pass,
        };
        match self.make_tenant(new, write, &pass).await {
            Ok(made) => Ok(made),
            Err(refused) => {
                self.made_tenant(&self.meanwhile(write, WHAT, new, refused.of_new()).await?).await
            }
        }
    }

    async fn make_tenant(&self, new: &NewTenant, write: &Write, pass: &Pass) -> Result<TenantCreated> {
        let id = TenantId::from(new.id.as_str());
        if self.app.store.tenants().await?.iter().any(|known| known.id == id || known.issuer == new.issuer) {
            return Err(Refused::Exists);
        }
        let mut settings = TenantSettings::default();
        if let Some(name) = &new.name {
            settings.branding.name.clone_from(name);
        }
        let declared = TenantDeclaration { id: Some(id.clone()), issuer: Some(new.issuer.clone()), settings };
        let (owner, secret, expires_at, further) = self.first_owner(&id, &new.owner)?;
        let along = self.along(&Write { seen: Some(0), ..write.clone() }, further);
        let done = self.provisioner(write).tenant_with(&id, &declared, &along).await?;
        let made = done.changes.iter().find_map(|change| match change {
            Change::InsertTenant(tenant) => Some(tenant),
            _ => None,
        });
        let made = made.ok_or(Refused::Exists)?;
        if !write.dry_run {
            Workshop::of(self.app).ensure(made, self.now).await?;
            self.app.tenancy.forget();
            self.note_tenant(&new.id, pass).await?;
        }
        let url = people::link_address(made, &secret);
        let mailed = !write.dry_run
            && people::mail_link(self.app, made, &owner, LinkPurpose::Invitation, &url, self.now);
        Ok(TenantCreated {
            tenant: TenantRecord::from(made),
            owner: Some(owner.id),
            invitation: (!write.dry_run).then_some(url),
            mailed,
            invitation_expires_at: Some(expires_at),
            dry_run: write.dry_run,
            replayed: false,
        })
    }

    /// The first owner with their link: who, the secret, its end, and what is to be written with the tenant.
    fn first_owner(
        &self,
        tenant: &TenantId,
        owner: &FirstOwner,
    ) -> Result<(User, Zeroizing<String>, UnixTime, Vec<Change>)> {
        let (context, by) = (self.app.context(self.now), self.actor.by());
        let declared = UserDeclaration {
            username: owner.username.clone(),
            disabled: false,
            password: None,
            password_hash: None,
            claims: owner.claims.clone(),
            role: Some(Some(Role::Owner)),
        };
        let facts = UserFacts { tenant, scopes: &[], current: None };
        let done = provision::user(&declared, &PasswordHash::Keep, &facts, self.correlation_id, &context)
            .map_err(Refused::Invalid)?;
        let user = done.changes.iter().find_map(|change| match change {
            Change::InsertUser(user) => Some(user.clone()),
            _ => None,
        });
        let user = user.ok_or(Refused::Exists)?;
        let purpose = LinkPurpose::Invitation;
        let (secret, link, changes) =
            signet_core::people::link(&user, purpose, Some(&by), self.correlation_id, &context);
        let further = done.changes.into_iter().chain(changes).collect();
        Ok((user, secret, link.expires_at, further))
    }

    /// Tells this tenant's own trail of the new one.
    async fn note_tenant(&self, id: &str, pass: &Pass) -> Result<()> {
        let (own, context) = (&self.tenant().id, self.app.context(self.now));
        let event = audit::success(own, Kind::TenantCreated, self.correlation_id, &context)
            .fact("tenant", id)
            .by(&self.actor.by());
        let changes: Vec<Change> = self.kept(pass, id).into_iter().chain([event.change()]).collect();
        Ok(self.app.store.apply(own, &changes).await?)
    }

    async fn made_tenant(&self, id: &str) -> Result<TenantCreated> {
        let tenants = self.app.store.tenants().await?;
        let tenant = tenants.iter().find(|tenant| tenant.id.as_str() == id).ok_or(Refused::NotFound)?;
        Ok(TenantCreated {
            tenant: TenantRecord::from(tenant),
            owner: None,
            invitation: None,
            mailed: false,
            invitation_expires_at: None,
            dry_run: false,
            replayed: true,
        })
    }
}
