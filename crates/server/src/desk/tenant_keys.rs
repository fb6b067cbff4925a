//! The tenant's own keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signet_core::admin::{KEYS_READ, KEYS_WRITE};
use signet_core::audit::{self, Kind};
use signet_core::change::Change;
use signet_core::context::UnixTime;
use signet_core::discovery;
use signet_core::records::{KeyState, TenantKey};
use signet_core::tenant_keys::{self, KeyNeed};
use signet_jose::KeyUse;

use super::{Desk, Refused, Result, Write};
use crate::tenant_keys::Workshop;

/// One of the tenant's key pairs, as far as it may be shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TenantKeyView {
    /// Names the material; each published `kid` is made from it and the algorithm.
    pub id: String,
    /// What it is for.
    pub usage: KeyUse,
    /// The algorithms it serves.
    pub algs: Vec<String>,
    /// Where it stands in its life.
    pub state: KeyState,
    /// Whether the published key set has it.
    pub listed: bool,
    /// In use from here on, in Unix seconds.
    pub use_from: UnixTime,
    /// No longer used for anything new from here on, in Unix seconds.
    pub use_until: UnixTime,
    /// Gone from here on, in Unix seconds.
    pub remove_at: UnixTime,
}

impl TenantKeyView {
    fn new(key: &TenantKey, now: UnixTime) -> Self {
        Self {
            id: key.id.clone(),
            usage: key.usage,
            algs: key.algs.clone(),
            state: key.state(now),
            listed: discovery::is_listed(key, now),
            use_from: key.use_from,
            use_until: key.use_until,
            remove_at: key.remove_at,
        }
    }
}

/// The tenant's keys.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TenantKeys {
    /// All that are not gone, oldest first.
    pub keys: Vec<TenantKeyView>,
}

/// Which keys to rotate.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateTenantKeys {
    /// Those of this usage.
    pub usage: KeyUse,
}

/// What a write on the tenant's keys came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TenantKeysWritten {
    /// All keys that are not gone, as they are now.
    pub keys: Vec<TenantKeyView>,
    /// How many were made, or would be.
    pub made: usize,
    /// How many end earlier than planned, or would.
    pub ended: usize,
    /// Nothing was written.
    pub dry_run: bool,
}

impl Desk<'_> {
    /// The tenant's key pairs that are not gone.
    pub async fn tenant_keys(&self) -> Result<TenantKeys> {
        self.actor.need(KEYS_READ)?;
        let keys = self.key_records().await?;
        Ok(TenantKeys { keys: keys.iter().map(|key| TenantKeyView::new(key, self.now)).collect() })
    }

    /// Brings the next keys of a usage into use before their time: published now, used once they have spread.
    pub async fn rotate_tenant_keys(
        &self,
        rotate: &RotateTenantKeys,
        write: &Write,
    ) -> Result<TenantKeysWritten> {
        self.actor.need(KEYS_WRITE)?;
        let keys = self.key_records().await?;
        let rotation = tenant_keys::rotate_now(self.tenant(), &keys, rotate.usage, self.now);
        let made = rotation.needs.len();
        let event = self
            .key_event(Kind::TenantKeyRotated)
            .fact("usage", rotate.usage.name())
            .fact("made", made)
            .change();
        let ended = rotation.ends.len();
        self.make(rotation.needs, rotation.ends, event, (made, ended), write).await
    }

    /// Withdraws a key at once: what it signed or was encrypted to it is refused from now on. Another one is made in its
    /// place.
    pub async fn revoke_tenant_key(&self, id: &str, write: &Write) -> Result<TenantKeysWritten> {
        self.actor.need(KEYS_WRITE)?;
        let keys = self.key_records().await?;
        if !keys.iter().any(|key| key.id == id) {
            return Err(Refused::NotFound);
        }
        let (needs, changes) = tenant_keys::revoke(self.tenant(), &keys, id, self.now);
        let event = self.key_event(Kind::TenantKeyRevoked).fact("id", id).change();
        let made = needs.len();
        self.make(needs, changes, event, (made, 1), write).await
    }

    async fn key_records(&self) -> Result<Vec<TenantKey>> {
        Ok(self.app.store.tenant_keys(&self.tenant().id, self.now).await?)
    }

    fn key_event(&self, kind: Kind) -> audit::Draft {
        let context = self.app.context(self.now);
        audit::success(&self.tenant().id, kind, self.correlation_id, &context).by(&self.actor.by())
    }

    async fn make(
        &self,
        needs: Vec<KeyNeed>,
        changes: Vec<Change>,
        event: Change,
        (made, ended): (usize, usize),
        write: &Write,
    ) -> Result<TenantKeysWritten> {
        if !write.dry_run {
            let further = changes.into_iter().chain([event]).collect();
            Workshop::of(self.app).make(self.tenant(), needs, further, self.now).await?;
            self.app.tenancy.forget();
        }
        let keys = self.key_records().await?;
        let keys = keys.iter().map(|key| TenantKeyView::new(key, self.now)).collect();
        Ok(TenantKeysWritten { keys, made, ended, dry_run: write.dry_run })
    }
}
