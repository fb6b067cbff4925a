//! The tenant itself: policies and looks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signet_core::admin::{TENANT_READ, TENANT_WRITE};
use signet_core::change::Change;
use signet_core::context::UnixTime;
use signet_core::provision::{Refusal, TenantDeclaration};
use signet_core::records::{Tenant, TenantSettings};

use super::{Desk, Refused, Result, Write, reading};
use crate::tenant_keys::Workshop;

/// A tenant, all but the salt of its pairwise subjects.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TenantRecord {
    /// Its short name.
    pub id: String,
    /// Its issuer, exactly as it stands in tokens.
    pub issuer: String,
    /// Counts up with every change; a write names the version that was seen.
    pub version: i64,
    /// Policies and looks.
    pub settings: TenantSettings,
    /// When it was made, in Unix seconds.
    pub created_at: UnixTime,
}

impl From<&Tenant> for TenantRecord {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            issuer: tenant.issuer.clone(),
            version: tenant.version,
            settings: tenant.settings.clone(),
            created_at: tenant.created_at,
        }
    }
}

/// A tenant as it shall be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantChange {
    /// All its settings; what is left out gets its default. `operator` and `development` must be sent as they are.
    pub settings: TenantSettings,
}

/// What shall be different of a tenant: a JSON merge patch (RFC 7396).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TenantPatch {
    /// The settings to change, member by member; `null` gives a setting its default.
    pub settings: Map<String, Value>,
}

/// What a write on a tenant came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TenantWritten {
    /// The tenant as it is now, or would be.
    pub tenant: TenantRecord,
    /// What differs, one line each.
    pub differences: Vec<String>,
    /// Nothing was written.
    pub dry_run: bool,
}

/// What is not changed here and would be.
pub(super) fn fixed(now: &TenantSettings, then: &TenantSettings) -> Vec<Refusal> {
    let fixed =
        [("operator", now.operator, then.operator), ("development", now.development, then.development)];
    fixed.iter().filter(|one| one.1 != one.2).map(|one| Refusal::Fixed { setting: one.0 }).collect()
}

impl Desk<'_> {
    /// The tenant as it is stored now.
    pub async fn tenant_record(&self) -> Result<TenantRecord> {
        self.actor.need(TENANT_READ)?;
        Ok(TenantRecord::from(&self.stored_tenant().await?))
    }

    /// Replaces the tenant's settings. Algorithms that are new get keys at once.
    pub async fn replace_tenant(&self, change: &TenantChange, write: &Write) -> Result<TenantWritten> {
        self.actor.need(TENANT_WRITE)?;
        let current = self.stored_tenant().await?;
        if write.seen.is_none() {
            return Err(Refused::VersionMissing);
        }
        let then = &change.settings;
        let fixed = fixed(&current.settings, then);
        if !fixed.is_empty() {
            return Err(Refused::Invalid(fixed));
        }
        let id = Some(current.id.clone());
        let declared = TenantDeclaration { id, issuer: None, settings: then.clone() };
        let along = self.along(write, Vec::new());
        let done = self.provisioner(write).tenant_with(&current.id, &declared, &along).await?;
        let written = done.changes.iter().find_map(|change| match change {
            Change::UpdateTenant(tenant) => Some(tenant),
            _ => None,
        });
        let after = written.unwrap_or(&current);
        if !write.dry_run {
            Workshop::of(self.app).ensure(after, self.now).await?;
            self.app.tenancy.forget();
        }
        let (tenant, dry_run) = (TenantRecord::from(after), write.dry_run);
        Ok(TenantWritten { tenant, differences: done.differences, dry_run })
    }

    /// Changes some of the tenant's settings. All others stay as they were in the version that was seen.
    pub async fn patch_tenant(&self, patch: &TenantPatch, write: &Write) -> Result<TenantWritten> {
        self.actor.need(TENANT_WRITE)?;
        let current = self.stored_tenant().await?;
        match write.seen {
            None => Err(Refused::VersionMissing),
            Some(seen) if seen != current.version => Err(Refused::Stale { current: current.version }),
            Some(_) => {
                let settings = reading::patched(&current.settings, &patch.settings)?;
                self.replace_tenant(&TenantChange { settings }, write).await
            }
        }
    }

    /// The tenant from the store: the view may be a second old.
    pub(super) async fn stored_tenant(&self) -> Result<Tenant> {
        let tenants = self.app.store.tenants().await?;
        tenants.into_iter().find(|tenant| tenant.id == self.tenant().id).ok_or(Refused::NotFound)
    }
}
