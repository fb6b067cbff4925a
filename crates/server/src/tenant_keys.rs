//! Makes the key pairs that a tenant needs, and seals their private parts.

use std::sync::Arc;

use signet_core::audit::{self, Kind};
use signet_core::change::{Change, Conflict};
use signet_core::context::{Context, Entropy, UnixTime};
use signet_core::records::{Tenant, TenantKey};
use signet_core::tenant_keys::{self, KeyNeed};
use signet_jose::PrivateKey;
use signet_store::{Store, StoreError};
use tokio::task::JoinSet;

use crate::app::App;
use crate::vault::{Vault, tenant_key_context};

/// Why keys could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// They could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They could not be generated or sealed.
    #[error("a key could not be generated: {0}")]
    Generation(String),
}

/// Where keys are made and kept.
#[derive(Clone, Debug)]
pub struct Workshop {
    /// The records.
    pub store: Arc<dyn Store>,
    /// The master key.
    pub vault: Arc<Vault>,
    /// Randomness for sealing.
    pub entropy: Source,
}

/// A source of randomness that can be named in logs.
#[derive(Clone)]
pub struct Source(pub Arc<dyn Entropy>);

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// Makes what `tenant` lacks now. Returns how many keys this call made.
pub async fn ensure(app: &App, tenant: &Tenant) -> Result<usize, KeysError> {
    let made = Workshop::of(app).ensure(tenant, app.clock.now()).await?;
    if made > 0 {
        app.tenancy.forget();
    }
    Ok(made)
}

impl Workshop {
    /// That of a node.
    pub fn of(app: &App) -> Self {
        Self { store: app.store.clone(), vault: app.vault.clone(), entropy: Source(app.entropy.clone()) }
    }

    /// Makes what `tenant` lacks at `now`.
    pub async fn ensure(&self, tenant: &Tenant, now: UnixTime) -> Result<usize, KeysError> {
        let keys = self.store.tenant_keys(&tenant.id, now).await?;
        self.make(tenant, tenant_keys::plan(tenant, &keys, now), Vec::new(), now).await
    }

    /// Makes `needs`, all at the same time, and applies `further` with them. A key that another node has made meanwhile
    /// is left alone.
    pub async fn make(
        &self,
        tenant: &Tenant,
        needs: Vec<KeyNeed>,
        further: Vec<Change>,
        now: UnixTime,
    ) -> Result<usize, KeysError> {
        let mut making = JoinSet::new();
        for need in needs {
            let (workshop, tenant) = (self.clone(), tenant.clone());
            making.spawn_blocking(move || workshop.one(need, &tenant));
        }
        let mut made = 0;
        while let Some(key) = making.join_next().await {
            let key = key.map_err(|error| KeysError::Generation(error.to_string()))??;
            made += usize::from(self.keep(key, now).await?);
        }
        if !further.is_empty() {
            self.store.apply(&tenant.id, &further).await?;
        }
        Ok(made)
    }

    async fn keep(&self, key: TenantKey, now: UnixTime) -> Result<bool, KeysError> {
        let context = Context { now, millis: 0, entropy: self.entropy.0.as_ref() };
        let event = audit::success(&key.tenant, Kind::TenantKeyCreated, &context.handle(), &context)
            .fact("id", key.id.clone())
            .fact("use_from", key.use_from)
            .fact("use_until", key.use_until)
            .change();
        let tenant = key.tenant.clone();
        match self.store.apply(&tenant, &[Change::InsertTenantKey(key), event]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(Conflict::Exists)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn one(&self, need: KeyNeed, tenant: &Tenant) -> Result<TenantKey, KeysError> {
        let failed = |error: &dyn std::fmt::Display| KeysError::Generation(error.to_string());
        let private = PrivateKey::generate(need.spec).map_err(|fault| failed(&fault))?;
        let mut key = need.into_key(tenant, private.public_key().to_jwk(), Vec::new());
        let context = tenant_key_context(&key);
        let plain = private.to_jwk().map_err(|fault| failed(&fault))?;
        key.sealed_private = self
            .vault
            .seal(&context, plain.as_bytes(), self.entropy.0.as_ref())
            .map_err(|error| failed(&error))?;
        Ok(key)
    }
}
