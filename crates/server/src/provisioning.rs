//! Brings records into a declared state: load, decide (in the core), apply.

use std::sync::Arc;

use signet_core::client_policy::{KeptSecret, Mode};
use signet_core::context::{Context, Entropy, UnixTime};
use signet_core::ids::{ClientId, TenantId};
use signet_core::provision::{
    self, ClientDeclaration, ClientFacts, PasswordHash, Provisioned, Refusal, TenantDeclaration, TenantFacts,
    UserDeclaration, UserFacts,
};
use signet_core::records::{Client, Tenant};
use signet_store::{Page, Store, StoreError};
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
    /// The instant of everything this provisioner does.
    pub now: UnixTime,
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
        Context { now: self.now, millis: 0, entropy: self.entropy.as_ref() }
    }

    /// A tenant as declared. Its keys are for [`crate::tenant_keys::Workshop::ensure`].
    pub async fn tenant(&self, id: &TenantId, declared: &TenantDeclaration) -> Result<Provisioned> {
        let tenants = self.store.tenants().await?;
        let current = tenants.iter().find(|tenant| tenant.id == *id);
        let clients = match current {
            Some(_) => self.clients(id).await?,
            None => Vec::new(),
        };
        let facts = TenantFacts { id, current, clients: &clients, mode: self.mode };
        let context = self.context();
        let provisioned = provision::tenant(declared, &facts, &context.handle(), &context)?;
        self.write(id, provisioned).await
    }

    /// A client as declared.
    pub async fn client(&self, tenant: &Tenant, declared: &ClientDeclaration) -> Result<Provisioned> {
        let id = &declared.client_id;
        let current = self.store.client(&tenant.id, id).await?;
        let keys = self.store.client_keys(&tenant.id, id).await?;
        let secrets = ClientSecrets { vault: self.vault.clone(), entropy: self.entropy.clone() };
        let facts = ClientFacts {
            tenant,
            current: current.as_ref(),
            keys: &keys,
            secrets: &secrets,
            mode: self.mode,
        };
        let context = self.context();
        let provisioned = provision::client(declared, &facts, &context.handle(), &context)?;
        self.write(&tenant.id, provisioned).await
    }

    /// A user as declared. A declared password is hashed only if it is not the stored one.
    pub async fn user(&self, tenant: &TenantId, declared: &UserDeclaration) -> Result<Provisioned> {
        let name = provision::username(&declared.username).map_err(|refusal| vec![refusal])?;
        let current = self.store.user_by_name(tenant, &name).await?;
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
        let provisioned = provision::user(declared, &password, &facts, &context.handle(), &context)?;
        self.write(tenant, provisioned).await
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

    async fn write(&self, tenant: &TenantId, provisioned: Provisioned) -> Result<Provisioned> {
        if !self.dry_run && !provisioned.is_unchanged() {
            self.store.apply(tenant, &provisioned.changes).await?;
        }
        Ok(provisioned)
    }

    /// Every client of a tenant.
    pub async fn clients(&self, tenant: &TenantId) -> Result<Vec<Client>> {
        Ok(every_client(self.store.as_ref(), tenant).await?)
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
