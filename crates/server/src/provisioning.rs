//! Brings records into a declared state: load, decide (in the core), apply.

use std::sync::Arc;

use serde_json::Value;
use signet_core::audit::{self, By};
use signet_core::change::{Change, Conflict};
use signet_core::client_policy::{Contradiction, KeptSecret, KeySet, Mode};
use signet_core::context::{Context, Entropy, UnixTime};
use signet_core::ids::{ClientId, TenantId};
use signet_core::provision::{
    self, ClientDeclaration, ClientFacts, KeyDeclaration, PasswordHash, Provisioned, Refusal,
    TenantDeclaration, TenantFacts, UserDeclaration, UserFacts,
};
use signet_core::records::{Client, KeyOrigin, Tenant};
use signet_jose::{KeyFault, KeySpec, KeyUse, PrivateKey};
use signet_store::{Page, Store, StoreError};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::passwords::Hasher;
use crate::vault::{ClientSecrets, Vault, plain_len};

/// Most rows read at once.
const PAGE: u32 = 500;

/// Why a declared state was not brought about. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ProvisioningError {
    /// The declaration cannot work.
    #[error("refused: {}", texts(.0))]
    Refused(Vec<Refusal>),
    /// The records could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password could not be hashed.
    #[error("the password could not be hashed")]
    Hashing,
    /// Somebody else changed the record since it was read.
    #[error("the record was changed meanwhile; its version is {current} now")]
    Stale {
        /// The version that is stored now.
        current: i64,
    },
}

/// What goes along with a change.
#[derive(Clone, Debug, Default)]
pub struct Along<'a> {
    /// Names the request in the audit trail; a name of its own if left out.
    pub correlation_id: Option<&'a str>,
    /// The version that was seen; any other one is [`ProvisioningError::Stale`].
    pub seen: Option<i64>,
    /// What was found at the client's `jwks_uri`; `None` if nobody has looked.
    pub key_set: Option<KeySet>,
    /// To be written in the same transaction.
    pub further: Vec<Change>,
}

impl Along<'_> {
    /// Refuses another version than the one that was seen.
    pub fn check(&self, current: i64) -> Result<()> {
        match self.seen {
            Some(seen) if seen != current => Err(ProvisioningError::Stale { current }),
            _ => Ok(()),
        }
    }
}

fn texts(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

impl From<Vec<Refusal>> for ProvisioningError {
    fn from(refusals: Vec<Refusal>) -> Self {
        Self::Refused(refusals)
    }
}

/// Result of bringing a state about.
pub type Result<T> = std::result::Result<T, ProvisioningError>;

/// Brings declared states about.
#[derive(Clone)]
pub struct Provisioner {
    /// The records.
    pub store: Arc<dyn Store>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The master key, if it is at hand; secrets that MACs are made with need it.
    pub vault: Option<Arc<Vault>>,
    /// Who is at work, for the audit trail.
    pub by: By,
    /// The instant of everything this provisioner does.
    pub now: UnixTime,
    /// Milliseconds since then; what was done in one second stays in its order.
    pub millis: u16,
    /// How strict the installation is.
    pub mode: Mode,
    /// Decide, and write nothing.
    pub dry_run: bool,
}

impl std::fmt::Debug for Provisioner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provisioner")
            .field("mode", &self.mode)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

impl Provisioner {
    fn context(&self) -> Context<'_> {
        Context { now: self.now, millis: self.millis, entropy: self.entropy.as_ref() }
    }

    /// A tenant as declared. Its keys are for [`crate::tenant_keys::Workshop::ensure`].
    pub async fn tenant(&self, id: &TenantId, declared: &TenantDeclaration) -> Result<Provisioned> {
        self.tenant_with(id, declared, &Along::default()).await
    }

    /// A tenant as declared, with what goes along.
    pub async fn tenant_with(
        &self,
        id: &TenantId,
        declared: &TenantDeclaration,
        along: &Along<'_>,
    ) -> Result<Provisioned> {
        let tenants = self.store.tenants().await?;
        let current = tenants.iter().find(|tenant| tenant.id == *id);
        along.check(current.map_or(0, |tenant| tenant.version))?;
        let clients = match current {
            Some(_) => self.clients(id).await?,
            None => Vec::new(),
        };
        let facts = TenantFacts { id, current, all: &tenants, clients: &clients, mode: self.mode };
        let context = self.context();
        let provisioned = provision::tenant(declared, &facts, &self.correlation(along), &context)?;
        match self.write(id, provisioned, along).await {
            Err(ProvisioningError::Store(StoreError::Conflict(Conflict::Version))) => {
                let tenants = self.store.tenants().await?;
                let current = tenants.iter().find(|tenant| tenant.id == *id).map_or(0, |now| now.version);
                Err(ProvisioningError::Stale { current })
            }
            done => done,
        }
    }

    /// A client as declared.
    pub async fn client(&self, tenant: &Tenant, declared: &ClientDeclaration) -> Result<Provisioned> {
        self.client_with(tenant, declared, &Along::default()).await
    }

    /// A client as declared, with what goes along.
    pub async fn client_with(
        &self,
        tenant: &Tenant,
        declared: &ClientDeclaration,
        along: &Along<'_>,
    ) -> Result<Provisioned> {
        let id = &declared.client_id;
        let current = self.store.client(&tenant.id, id).await?;
        along.check(current.as_ref().map_or(0, |client| client.version))?;
        let keys = self.store.client_keys(&tenant.id, id).await?;
        let secrets = ClientSecrets { vault: self.vault.clone(), entropy: self.entropy.clone() };
        let facts = ClientFacts {
            tenant,
            current: current.as_ref(),
            keys: &keys,
            key_set: along.key_set.as_ref(),
            secrets: &secrets,
            mode: self.mode,
        };
        let context = self.context();
        let provisioned = provision::client(declared, &facts, &self.correlation(along), &context)?;
        self.write_client(&tenant.id, id, provisioned, along).await
    }

    /// Withdraws one of a client's keys; says what contradicts what from then on. `None` if there is no such key that is
    /// not withdrawn.
    pub async fn withdraw_key(
        &self,
        tenant: &Tenant,
        client: &Client,
        key: Uuid,
        along: &Along<'_>,
    ) -> Result<Option<(Provisioned, Vec<Contradiction>)>> {
        along.check(client.version)?;
        let keys = self.store.client_keys(&tenant.id, &client.client_id).await?;
        let secrets = ClientSecrets { vault: self.vault.clone(), entropy: self.entropy.clone() };
        let facts = ClientFacts {
            tenant,
            current: Some(client),
            keys: &keys,
            key_set: along.key_set.as_ref(),
            secrets: &secrets,
            mode: self.mode,
        };
        let (context, kept) = (self.context(), kept_secret(client));
        let found = provision::withdraw_key(client, key, kept, &facts, &self.correlation(along), &context);
        let Some((provisioned, broken)) = found else { return Ok(None) };
        let done = self.write_client(&tenant.id, &client.client_id, provisioned, along).await?;
        Ok(Some((done, broken)))
    }

    /// Removes a client with its keys, consents and tokens.
    pub async fn remove_client(
        &self,
        tenant: &Tenant,
        client: &Client,
        along: &Along<'_>,
    ) -> Result<Provisioned> {
        along.check(client.version)?;
        let context = self.context();
        let provisioned = provision::remove_client(client, tenant, &self.correlation(along), &context);
        self.write_client(&tenant.id, &client.client_id, provisioned, along).await
    }

    async fn write_client(
        &self,
        tenant: &TenantId,
        id: &ClientId,
        provisioned: Provisioned,
        along: &Along<'_>,
    ) -> Result<Provisioned> {
        match self.write(tenant, provisioned, along).await {
            Err(ProvisioningError::Store(StoreError::Conflict(Conflict::Version))) => {
                let current = self.store.client(tenant, id).await?.map_or(0, |client| client.version);
                Err(ProvisioningError::Stale { current })
            }
            done => done,
        }
    }

    fn correlation(&self, along: &Along<'_>) -> String {
        along.correlation_id.map_or_else(|| self.context().handle(), str::to_owned)
    }

    /// A user as declared. A declared password is hashed only if it is not the stored one.
    pub async fn user(&self, tenant: &TenantId, declared: &UserDeclaration) -> Result<Provisioned> {
        self.user_with(tenant, declared, &Along::default()).await
    }

    /// A user as declared, with what goes along.
    pub async fn user_with(
        &self,
        tenant: &TenantId,
        declared: &UserDeclaration,
        along: &Along<'_>,
    ) -> Result<Provisioned> {
        let name = provision::username(&declared.username).map_err(|refusal| vec![refusal])?;
        let current = self.store.user_by_name(tenant, &name).await?;
        along.check(current.as_ref().map_or(0, |user| user.version))?;
        let stored = current.as_ref().and_then(|user| user.password_hash.clone());
        let password = match &declared.password {
            Some(secret) => self.hashed(Zeroizing::new(secret.expose().to_owned()), stored).await?,
            None => PasswordHash::Keep,
        };
        let tenants = self.store.tenants().await?;
        let scopes = tenants.iter().find(|known| known.id == *tenant).map(|known| &known.settings.scopes);
        let scopes = scopes.map_or(&[][..], Vec::as_slice);
        let facts = UserFacts { tenant, scopes, current: current.as_ref() };
        let context = self.context();
        let provisioned = provision::user(declared, &password, &facts, &self.correlation(along), &context)?;
        match self.write(tenant, provisioned, along).await {
            Err(ProvisioningError::Store(StoreError::Conflict(Conflict::Version))) => {
                let current = self.store.user_by_name(tenant, &name).await?.map_or(0, |user| user.version);
                Err(ProvisioningError::Stale { current })
            }
            done => done,
        }
    }

    async fn hashed(&self, password: Zeroizing<String>, stored: Option<String>) -> Result<PasswordHash> {
        let entropy = self.entropy.clone();
        let work = move || {
            let hasher = Hasher::default();
            if stored.is_some() && hasher.verify(&password, stored.as_deref()) {
                return Some(PasswordHash::Keep);
            }
            hasher.hash(&password, entropy.as_ref()).map(PasswordHash::Set)
        };
        tokio::task::spawn_blocking(work).await.ok().flatten().ok_or(ProvisioningError::Hashing)
    }

    /// Writes what was decided, unless nothing is to be written.
    pub async fn write(
        &self,
        tenant: &TenantId,
        mut provisioned: Provisioned,
        along: &Along<'_>,
    ) -> Result<Provisioned> {
        audit::attribute(&mut provisioned.changes, &self.by);
        if !self.dry_run && !provisioned.is_unchanged() {
            let mut changes: Vec<Change> =
                provisioned.changes.iter().chain(&along.further).cloned().collect();
            audit::attribute(&mut changes, &self.by);
            self.store.apply(tenant, &changes).await?;
        }
        Ok(provisioned)
    }

    /// Every client of a tenant.
    pub async fn clients(&self, tenant: &TenantId) -> Result<Vec<Client>> {
        Ok(every_client(self.store.as_ref(), tenant).await?)
    }
}

/// A key pair that was made for a client, on its way to it: the private part is shown once and kept nowhere.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The declaration of its public part.
    pub declared: KeyDeclaration,
    /// The private part.
    pub private: PrivateKey,
}

impl Pair {
    /// Makes one. CPU-heavy.
    pub fn generate(
        kind: KeySpec,
        name: String,
        usage: KeyUse,
        not_before: Option<UnixTime>,
        not_after: Option<UnixTime>,
    ) -> std::result::Result<Self, KeyFault> {
        let private = PrivateKey::generate(kind)?.with_use(usage);
        let thumbprint = private.public_key().thumbprint().to_owned();
        let private = private.with_kid(thumbprint);
        let source = Value::Object(private.public_key().to_jwk());
        let origin = Some(KeyOrigin::Generated);
        Ok(Self { declared: KeyDeclaration { name, usage, source, not_before, not_after, origin }, private })
    }
}

/// Every client of a tenant, by `client_id`.
pub async fn every_client(
    store: &dyn Store,
    tenant: &TenantId,
) -> std::result::Result<Vec<Client>, StoreError> {
    let mut all: Vec<Client> = Vec::new();
    loop {
        let after = all.last().map(|client| client.client_id.as_str().to_owned());
        let page = store.clients(tenant, &Page { after, limit: PAGE }).await?;
        let full = page.len() == PAGE as usize;
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

/// What is kept of a client's secret.
pub fn kept_secret(client: &Client) -> KeptSecret {
    match (client.secret_hash, &client.sealed_secret) {
        (None, _) => KeptSecret::Nothing,
        (Some(_), None) => KeptSecret::Hashed,
        (Some(_), Some(sealed)) => KeptSecret::Sealed { bytes: plain_len(sealed) },
    }
}

/// What a client is now, as a declaration that changes nothing.
pub fn declaration_of(client: &Client) -> ClientDeclaration {
    ClientDeclaration {
        client_id: ClientId::from(client.client_id.as_str()),
        disabled: client.disabled,
        secret: None,
        generate_secret: false,
        keys: Vec::new(),
        prune_keys: false,
        owner: None,
        settings: client.settings.clone(),
    }
}
