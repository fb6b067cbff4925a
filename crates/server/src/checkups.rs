//! Which clients fail, or soon will. Looking at every client takes a while where there are many, so it is done beside the
//! requests, once a minute at most, and the result is shared.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use signet_core::builtin::Builtin;
use signet_core::client_policy::{self, KeySet, Keys};
use signet_core::context::UnixTime;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientKey, KeyOrigin, Tenant};
use signet_jose::KeyUse;
use signet_store::{ClientFilter, Page, StoreError};
use uuid::Uuid;

use crate::app::App;
use crate::provisioning::kept_secret;

/// How old a checkup may be.
const FRESHNESS: Duration = Duration::from_mins(1);
/// How long a page waits for one that is not there yet.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Most checkups kept: one for each tenant, and one for each developer who looks.
const CAPACITY: u64 = 1_000;
/// Clients that are read at once.
const PAGE: u32 = 500;
/// Most clients that are looked at.
const MAX_CLIENTS: usize = 20_000;
/// Most clients and keys that are told of.
const MAX_TOLD: usize = 100;
/// Most key sets that are fetched for one checkup.
const MAX_FETCHES: usize = 64;
/// How far ahead ends of keys are told, in seconds.
pub const AHEAD: i64 = 30 * 86_400;

/// A code with its text.
pub type Problem = (&'static str, String);

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkup {
    /// When the clients were looked at.
    pub at: UnixTime,
    /// How many clients were looked at.
    pub checked: usize,
    /// Whether there are more, beyond the bound.
    pub more: bool,
    /// How many of them fail.
    pub failing_count: usize,
    /// The first of them.
    pub failing: Vec<Failing>,
    /// How many need keys of a `jwks_uri` that this node has not read yet, so that nothing is said of them.
    pub unread: usize,
    /// Keys whose period ends soon, the first to end first.
    pub ending: Vec<Ending>,
}

/// A client that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The `client_id`.
    pub client_id: ClientId,
    /// Name shown to people.
    pub client_name: String,
    /// Why.
    pub problems: Vec<Problem>,
}

/// A key whose period ends soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Whose.
    pub client_id: ClientId,
    /// Name shown to people.
    pub client_name: String,
    /// What people call the key.
    pub name: String,
    /// Its `kid`.
    pub kid: String,
    /// What it is for.
    pub usage: KeyUse,
    /// Whether the period is that of a certificate.
    pub certificate: bool,
    /// When it ends.
    pub not_after: UnixTime,
    /// What will fail then; empty if another key takes over.
    pub problems: Vec<Problem>,
}

/// The last checkups.
#[derive(Clone, Debug)]
pub struct Checkups(Cache<(TenantId, Option<Uuid>), Arc<Checkup>>);

impl Default for Checkups {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).time_to_live(FRESHNESS).build())
    }
}

impl Checkups {
    /// Forgets what was found, so that the next page looks anew.
    pub fn forget(&self) {
        self.0.invalidate_all();
    }

    /// The checkup that a look gives, at most a minute old; `None` while it is being made.
    pub async fn of(&self, look: Look) -> Result<Option<Arc<Checkup>>, StoreError> {
        let cache = self.0.clone();
        let key = (look.tenant.id.clone(), look.owner);
        // Goes on when the one who asked does not wait any longer.
        let made = tokio::spawn(async move { cache.try_get_with(key, look.at_all()).await });
        match tokio::time::timeout(PATIENCE, made).await {
            Err(_) => Ok(None),
            Ok(Ok(Ok(checkup))) => Ok(Some(checkup)),
            Ok(Ok(Err(error))) => Err(StoreError::Unavailable(error.to_string().into())),
            Ok(Err(error)) => Err(StoreError::Unavailable(error.into())),
        }
    }
}

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Look {
    /// The node: where the clients are, and what it knows of the keys that they publish.
    pub app: App,
    /// Whose clients.
    pub tenant: Tenant,
    /// Only this developer's.
    pub owner: Option<Uuid>,
    /// The instant of the look.
    pub now: UnixTime,
}

impl Look {
    async fn at_all(self) -> Result<Arc<Checkup>, StoreError> {
        let mut checkup = Checkup { at: self.now, ..Checkup::default() };
        let (mut after, mut fetches) = (None, MAX_FETCHES);
        loop {
            let page = Page { after, limit: PAGE };
            let filter = ClientFilter { search: None, owner: self.owner, disabled: None, page };
            let clients = self.app.store.find_clients(&self.tenant.id, &filter).await?;
            let Some(last) = clients.last() else { break };
            after = Some(last.client_id.to_string());
            let full = clients.len() >= PAGE as usize;
            self.at_some(&clients, &mut fetches, &mut checkup).await?;
            if !full {
                break;
            }
            if checkup.checked >= MAX_CLIENTS {
                checkup.more = true;
                break;
            }
            tokio::task::yield_now().await;
        }
        if checkup.more && self.owner.is_none() {
            self.beyond(&mut checkup).await?;
        }
        checkup.ending.sort_by_key(|ending| ending.not_after);
        checkup.ending.truncate(MAX_TOLD);
        Ok(Arc::new(checkup))
    }

    /// Keys that end soon, of clients beyond the bound as well.
    async fn beyond(&self, checkup: &mut Checkup) -> Result<(), StoreError> {
        let tenant = &self.tenant.id;
        let limit = u32::try_from(MAX_TOLD).unwrap_or(u32::MAX);
        let keys = self.app.store.ending_client_keys(tenant, self.now, self.now + AHEAD, limit).await?;
        let known: HashSet<(ClientId, String)> =
            checkup.ending.iter().map(|one| (one.client_id.clone(), one.kid.clone())).collect();
        for key in keys.iter().filter(|key| !known.contains(&(key.client_id.clone(), key.kid.clone()))) {
            let Some(client) = self.app.store.client(tenant, &key.client_id).await? else { continue };
            let all = self.app.store.client_keys(tenant, &key.client_id).await?;
            if !client.disabled {
                let set = self.last(&client);
                let all = Keys { registered: &all, set: set.as_ref() };
                let now = self.problems(&client, all, self.now);
                checkup.ending.push(self.ending(&client, all, key, &now));
            }
        }
        Ok(())
    }

    async fn at_some(
        &self,
        clients: &[Client],
        fetches: &mut usize,
        checkup: &mut Checkup,
    ) -> Result<(), StoreError> {
        let ids: Vec<ClientId> = clients.iter().map(|client| client.client_id.clone()).collect();
        let mut keys: HashMap<ClientId, Vec<ClientKey>> = HashMap::new();
        for key in self.app.store.keys_of_clients(&self.tenant.id, &ids).await? {
            keys.entry(key.client_id.clone()).or_default().push(key);
        }
        let in_use = |one: &&Client| !one.disabled && Builtin::of(&one.client_id).is_none();
        let uris = clients.iter().filter(in_use).filter_map(|client| client.settings.jwks_uri.as_deref());
        *fetches -= self.app.remote_keys.prepare(uris, *fetches).await;
        for client in clients.iter().filter(in_use) {
            let set = self.last(client);
            let registered = keys.get(&client.client_id).map_or(&[][..], Vec::as_slice);
            self.at_one(client, Keys { registered, set: set.as_ref() }, checkup);
        }
        Ok(())
    }

    /// What is known of the keys that a client publishes.
    fn last(&self, client: &Client) -> Option<KeySet> {
        let uri = client.settings.jwks_uri.as_deref()?;
        Some(self.app.remote_keys.last(uri, (&client.tenant, &client.client_id)))
    }

    fn at_one(&self, client: &Client, keys: Keys<'_>, checkup: &mut Checkup) {
        checkup.checked += 1;
        let problems = self.problems(client, keys, self.now);
        let soon = |key: &&ClientKey| {
            key.revoked_at.is_none()
                && key.not_after.is_some_and(|end| (self.now..self.now + AHEAD).contains(&end))
        };
        let ending = keys.registered.iter().filter(soon).map(|key| self.ending(client, keys, key, &problems));
        checkup.ending.extend(ending);
        checkup.unread += usize::from(client_policy::rests_on_unread_keys(&client.settings, keys));
        if !problems.is_empty() {
            checkup.failing_count += 1;
            if checkup.failing.len() < MAX_TOLD {
                checkup.failing.push(Failing {
                    client_id: client.client_id.clone(),
                    client_name: client.settings.client_name.clone(),
                    problems,
                });
            }
        }
    }

    /// A key that ends, and what fails then. What fails already (`now`) is told elsewhere.
    fn ending(&self, client: &Client, keys: Keys<'_>, key: &ClientKey, now: &[Problem]) -> Ending {
        let end = key.not_after.unwrap_or(self.now);
        let then = self.problems(client, keys, end);
        Ending {
            client_id: client.client_id.clone(),
            client_name: client.settings.client_name.clone(),
            name: key.name.clone(),
            kid: key.kid.clone(),
            usage: key.usage,
            certificate: key.origin == KeyOrigin::X509,
            not_after: end,
            problems: then.into_iter().filter(|one| !now.contains(one)).collect(),
        }
    }

    fn problems(&self, client: &Client, keys: Keys<'_>, at: UnixTime) -> Vec<Problem> {
        let (settings, policies) = (&client.settings, &self.tenant.settings);
        let (id, kept) = (&client.client_id, kept_secret(client));
        let found = client_policy::check(id, settings, kept, keys, policies, self.app.mode, at);
        found.iter().map(|one| (one.code(), one.to_string())).collect()
    }
}
