//! Whether everything that a tenant runs on is in order.

use signet_core::admin::{AUDIT_READ, KEYS_READ, TENANT_READ};

use super::{Desk, Result};
use crate::diagnosis::{self, Diagnosis, Finding, MAX_UNSEALED, TOLERANCE};

impl Desk<'_> {
    /// The checks of `signet doctor` that are about this node, the database, and the tenant with its keys. Clients are looked
    /// at by [`Desk::overview`], the chain of the audit trail is walked by [`Desk::audit_chain`].
    pub async fn doctor(&self) -> Result<Vec<Finding>> {
        self.actor.need(TENANT_READ)?;
        self.actor.need(KEYS_READ)?;
        let (store, tenant) = (&self.app.store, self.stored_tenant().await?);
        let mut diagnosis = Diagnosis::default();
        let tolerance = self.app.clock_tolerance.unwrap_or(TOLERANCE);
        diagnosis.clock(self.app.clock.now(), store.clock().await?, tolerance);
        diagnosis.schema(store.is_current().await?);
        let keys = store.tenant_keys(&tenant.id, self.now).await?;
        diagnosis.tenant(&tenant, &keys, Some(self.app.vault.as_ref()), self.now);
        if self.actor.holds(AUDIT_READ) {
            let young = store.unsealed_audit(&tenant.id, MAX_UNSEALED).await?;
            diagnosis.unsealed(&diagnosis::trail(&tenant), &young, self.now);
        }
        Ok(diagnosis.0)
    }
}
