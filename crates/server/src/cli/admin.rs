//! What commands that change or read the records have in common.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use signet_core::audit::By;
use signet_core::client_policy::Mode;
use signet_core::context::{Context, Entropy, UnixTime};
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, Tenant};
use signet_store::Store;
use signet_store_sqlite::Durability;

use super::Common;
use super::output::{self, Problem};
use crate::config::Config;
use crate::edge::{self, Clock};
use crate::fetch::Fetcher;
use crate::node::Location;
use crate::provisioning::Provisioner;
use crate::remote_keys::RemoteKeys;
use crate::tenant_keys::{Source, Workshop};
use crate::vault::Vault;

/// Connections of one command.
const CONNECTIONS: u32 = 4;

/// The file of `signet dev`'s records in its folder.
pub(super) const DEV_DATABASE: &str = "signet.db";
/// The file of `signet dev`'s master key in its folder.
pub(super) const DEV_MASTER_KEY: &str = "master.key";

/// Where the records are: as told, else those of `signet dev` here.
pub(super) fn location(common: &Common) -> Result<Location, Problem> {
    if let Some(url) = &common.database_url {
        return Location::parse(url).ok_or_else(|| {
            Problem::new("database_url", "DATABASE_URL is neither postgres://… nor sqlite:PATH")
        });
    }
    let file = common.data.join(DEV_DATABASE);
    if file.is_file() {
        output::note(format!("using {} (the database of `signet dev`)", file.display()));
        return Ok(Location::Sqlite(file));
    }
    Err(Problem::new("database_url", "no database is named")
        .hint("Set DATABASE_URL, or run `signet dev` here first."))
}

/// Opens the records.
pub(super) async fn open_store(common: &Common) -> Result<Arc<dyn Store>, Problem> {
    Ok(location(common)?.open(CONNECTIONS, Durability::Full).await?)
}

/// The records with the tenant that the command is about.
pub(super) struct Admin {
    pub(super) store: Arc<dyn Store>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) now: UnixTime,
    common: Common,
}

impl Admin {
    /// Opens the records and checks that their schema is this program's.
    pub(super) async fn open(common: &Common) -> Result<Self, Problem> {
        let store = open_store(common).await?;
        if !store.is_current().await? {
            return Err(Problem::new("schema", "the database's schema is not the one this program needs")
                .hint("Run `signet migrate`."));
        }
        let now = Clock::system().now();
        Ok(Self { store, entropy: edge::entropy(), now, common: common.clone() })
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context { now: self.now, millis: Clock::system().millis(), entropy: self.entropy.as_ref() }
    }

    /// The tenant named by `--tenant`, or the only one.
    pub(super) async fn tenant(&self) -> Result<Tenant, Problem> {
        let tenants = self.store.tenants().await?;
        let names: Vec<&str> = tenants.iter().map(|tenant| tenant.id.as_str()).collect();
        let known = || format!("There are: {}.", names.join(", "));
        match (&self.common.tenant, tenants.as_slice()) {
            (_, []) => Err(Problem::new("tenant_missing", "there is no tenant yet")
                .hint("Make one: signet tenant create default --issuer https://id.example.com")),
            (None, [one]) => Ok(one.clone()),
            (None, _) => {
                Err(Problem::new("tenant_ambiguous", "there are several tenants; name one with --tenant")
                    .hint(known()))
            }
            (Some(name), all) => {
                all.iter().find(|tenant| tenant.id.as_str() == name).cloned().ok_or_else(|| {
                    Problem::new("tenant_unknown", format!("there is no tenant \"{name}\"")).hint(known())
                })
            }
        }
    }

    /// How strict the tenant's rules are: those of development only for records that `signet dev` made.
    pub(super) fn mode(tenant: &Tenant) -> Mode {
        if tenant.settings.development { Mode::Development } else { Mode::Production }
    }

    /// A client of `tenant`.
    pub(super) async fn client(&self, tenant: &TenantId, id: &str) -> Result<Client, Problem> {
        self.store.client(tenant, &ClientId::from(id)).await?.ok_or_else(|| {
            Problem::new("client_unknown", format!("there is no client \"{id}\""))
                .hint("See `signet client list`.")
        })
    }

    /// Reads what clients publish, from here and now: with the settings that `signet serve` would have.
    pub(super) fn remote_keys(tenant: &Tenant) -> Result<RemoteKeys, Problem> {
        let wrong = |text: String| Problem::new("config", text);
        let file = std::env::var_os("SIGNET_CONFIG").map(PathBuf::from);
        let config = Config::load(file.as_deref()).map_err(|error| wrong(error.to_string()))?;
        let mode = Self::mode(tenant);
        let fetcher = Fetcher::new(&config.fetch, mode).map_err(wrong)?;
        Ok(RemoteKeys::new(fetcher, Clock::system(), mode))
    }

    /// The master key: as told, else that of `signet dev` here.
    pub(super) fn vault(&self) -> Result<Arc<Vault>, Problem> {
        vault(&self.common)
    }

    /// Brings declared states about in `tenant`.
    pub(super) fn provisioner(&self, tenant: &Tenant, dry_run: bool) -> Provisioner {
        Provisioner { dry_run, ..self.provisioner_in(Self::mode(tenant)) }
    }

    /// Brings declared states about under the rules of `mode`.
    pub(super) fn provisioner_in(&self, mode: Mode) -> Provisioner {
        let (store, entropy) = (self.store.clone(), self.entropy.clone());
        let vault = self.vault().ok();
        Provisioner {
            store,
            entropy,
            vault,
            by: By::CommandLine,
            now: self.now,
            millis: Clock::system().millis(),
            mode,
            dry_run: false,
        }
    }

    /// Where keys are made.
    pub(super) fn workshop(&self) -> Result<Workshop, Problem> {
        Ok(Workshop {
            store: self.store.clone(),
            vault: self.vault()?,
            entropy: Source(self.entropy.clone()),
        })
    }
}

pub(super) fn vault(common: &Common) -> Result<Arc<Vault>, Problem> {
    if let Some(text) = common.master_key()? {
        return Ok(Arc::new(Vault::from_text(&text)?));
    }
    let file = common.data.join(DEV_MASTER_KEY);
    if common.database_url.is_none() && file.is_file() {
        let text = std::fs::read_to_string(&file).map_err(|error| Problem::file(&file, &error))?;
        return Ok(Arc::new(Vault::from_text(&text)?));
    }
    Err(Problem::new("master_key", "no master key is given; private keys are encrypted under it").hint(
        "Make one with `openssl rand -base64 32`, keep it safe, and set SIGNET_MASTER_KEY or SIGNET_MASTER_KEY_FILE.",
    ))
}

/// Words separated by spaces or commas.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
