//! What a running node consists of.

use std::sync::Arc;

use signet_core::audit;
use signet_core::change::Change;
use signet_core::client_policy::{KeySet, Mode};
use signet_core::context::{Context, Entropy, UnixTime};
use signet_core::fault::Fault;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientSettings};
use signet_core::registration;
use signet_core::remote_keys::{Alarm, Demand};
use signet_store::{Store, StoreError};

use crate::checkups::Checkups;
use crate::clients::{Clients, Registered};
use crate::edge::Clock;
use crate::fetch::{Fetcher, Kind, Place};
use crate::keyring::Keyring;
use crate::limits::Limits;
use crate::mail::Mailer;
use crate::passwords::Hasher;
use crate::pool::Pool;
use crate::proxies::Proxies;
use crate::remote_keys::RemoteKeys;
use crate::tenancy::{Sources, Tenancy};
use crate::vault::Vault;

/// A node. Cheap to clone; every clone is the same node.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of a node.
#[expect(missing_debug_implementations, reason = "App has one that shows no secrets")]
pub struct Parts {
    /// Persistence.
    pub store: Arc<dyn Store>,
    /// The master key.
    pub vault: Arc<Vault>,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Production or development.
    pub mode: Mode,
    /// Which tenants there are.
    pub tenancy: Tenancy,
    /// Clients met lately.
    pub clients: Clients,
    /// Built keys.
    pub keyring: Arc<Keyring>,
    /// Signatures and encryption.
    pub crypto: Pool,
    /// Where key pairs are made for clients: slow, and never in the way of signatures.
    pub key_making: Pool,
    /// Password hashing: where it runs.
    pub hashing: Pool,
    /// Password hashing: what runs there.
    pub hasher: Arc<Hasher>,
    /// Rate limits.
    pub limits: Limits,
    /// What HTTP may cost.
    pub http: HttpLimits,
    /// Whether answers tell browsers to come back over https only.
    pub hsts: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Proxies,
    /// Fetches from addresses that clients name.
    pub fetcher: Fetcher,
    /// Which clients fail.
    pub checkups: Checkups,
    /// Keys that clients publish.
    pub remote_keys: RemoteKeys,
    /// Mail to people.
    pub mailer: Mailer,
    /// People to show on the login page, in development only.
    pub demo_users: Option<DemoUsers>,
    /// Tolerated difference between this node's clock and the database's, in seconds; `None` in development.
    pub clock_tolerance: Option<i64>,
}

/// People who are made for development.
#[derive(Clone, Debug)]
pub struct DemoUsers {
    /// The tenant that has them.
    pub tenant: TenantId,
    /// Username and password.
    pub people: Vec<(String, String)>,
}

impl DemoUsers {
    /// Those of this tenant.
    pub fn of(&self, tenant: &TenantId) -> &[(String, String)] {
        if self.tenant == *tenant { &self.people } else { &[] }
    }
}

/// Bounds of one request.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// Longest path and query, in bytes.
    pub max_uri_bytes: usize,
    /// Largest body, in bytes.
    pub max_body_bytes: usize,
    /// Longest time until an answer, in seconds.
    pub request_timeout_seconds: u64,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("store", &self.store).field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl App {
    /// A node from its parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The context of one request.
    pub fn context(&self, now: UnixTime) -> Context<'_> {
        Context { now, millis: self.clock.millis(), entropy: self.entropy.as_ref() }
    }

    /// What tenant views are made from.
    pub fn sources(&self, now: UnixTime) -> Sources<'_> {
        Sources { store: &self.store, vault: &self.vault, keyring: &self.keyring, now }
    }

    /// A client with its keys, at most a second old. Those that it publishes at its `jwks_uri` are among them, as old as
    /// [`signet_core::remote_keys`] allows.
    pub async fn client(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Arc<Registered>>, Fault> {
        let found = self.clients.find(self.store.as_ref(), tenant, id).await.map_err(store_fault)?;
        let Some(found) = found else { return Ok(None) };
        let demand = if found.client.settings.encrypts() { Demand::Encrypt } else { Demand::Verify };
        Ok(Some(match self.published(&found, demand).await {
            Some((published, _)) => published,
            None => found,
        }))
    }

    /// OpenID Connect Registration section 5: the document at `sector_identifier_uri` lists every redirect URI, or nothing is
    /// registered. `look` is the place of somebody at the desk ([`crate::fetch::Fetcher::look_place`]).
    pub async fn check_sector(&self, settings: &ClientSettings, look: Option<Place>) -> Result<(), Fault> {
        let Some(uri) = &settings.sector_identifier_uri else { return Ok(()) };
        let fetched = match look {
            Some(place) => self.fetcher.look(uri, Kind::SectorIdentifier, place).await,
            None => self.fetcher.get(uri, Kind::SectorIdentifier).await,
        };
        let fetched = fetched.map_err(|fault| {
            tracing::warn!(code = fault.code(), %fault, "a sector_identifier_uri could not be read");
            Fault::SectorUnreadable
        })?;
        registration::sector(&fetched.body, &settings.redirect_uris)
    }

    /// The client again, after a message that none of its keys verifies
    /// ([`signet_core::remote_keys::may_be_stale`]): with its `jwks_uri` fetched anew. `None` if there is nothing new to
    /// judge with, because there is no `jwks_uri`, or it was fetched a moment ago, or cannot be.
    pub async fn client_afresh(
        &self,
        tenant: &TenantId,
        id: &ClientId,
    ) -> Result<Option<Arc<Registered>>, Fault> {
        let found = self.clients.find(self.store.as_ref(), tenant, id).await.map_err(store_fault)?;
        let Some(found) = found else { return Ok(None) };
        let published = self.published(&found, Demand::UnknownKid).await;
        Ok(published.filter(|(_, refetched)| *refetched).map(|(published, _)| published))
    }

    /// The client with the keys that it publishes, and whether they were fetched just now; `None` if it publishes none.
    async fn published(&self, found: &Registered, demand: Demand) -> Option<(Arc<Registered>, bool)> {
        let Client { tenant, client_id, settings, disabled, .. } = &found.client;
        let uri = settings.jwks_uri.as_deref().filter(|_| !disabled)?;
        let (set, refetched) = self.look(uri, (tenant, client_id), demand).await;
        let mut keys = found.keys.clone();
        keys.extend(set.keys);
        Some((Arc::new(Registered { client: found.client.clone(), keys }), refetched))
    }

    /// What is known of the keys that a client publishes, after as much fetching as `demand` is worth; for a client that is
    /// switched off, what was seen last. `None` if it publishes none.
    pub async fn key_set(&self, client: &Client, demand: Demand) -> Option<KeySet> {
        let owner = (&client.tenant, &client.client_id);
        let uri = client.settings.jwks_uri.as_deref()?;
        if client.disabled {
            return Some(self.remote_keys.last(uri, owner));
        }
        Some(self.look(uri, owner, demand).await.0)
    }

    /// What is at a `jwks_uri`, and whether it was fetched just now.
    pub async fn look(&self, uri: &str, owner: (&TenantId, &ClientId), demand: Demand) -> (KeySet, bool) {
        let found = self.remote_keys.keys(uri, owner, demand).await;
        let alarms = found.alarms.iter().map(|alarm| self.alarm(owner, uri, alarm));
        self.record(owner.0, &alarms.collect::<Vec<_>>()).await;
        (found.set, found.refetched)
    }

    fn alarm(&self, (tenant, client): (&TenantId, &ClientId), uri: &str, alarm: &Alarm) -> Change {
        let context = self.context(self.clock.now());
        audit::success(tenant, audit::Kind::ClientKeyChanged, &context.handle(), &context)
            .client(client)
            .fact("jwks_uri", uri)
            .fact("kid", alarm.kid.as_str())
            .fact("known", alarm.known.as_str())
            .fact("offered", alarm.offered.as_str())
            .fact("taken", alarm.taken)
            .change()
    }

    /// Writes audit events whose loss must not change an answer.
    pub async fn record(&self, tenant: &TenantId, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        if let Err(error) = self.store.apply(tenant, changes).await {
            tracing::error!(error = %error, "an audit event could not be written");
        }
    }
}

/// A store failure, as what the other side may know. Unreachable means refused, never accepted (design section 5).
pub fn store_fault(error: StoreError) -> Fault {
    match error {
        StoreError::Unavailable(source) => {
            tracing::error!(error = %source, "the database is unavailable");
            Fault::StoreUnavailable
        }
        StoreError::Corrupt(what) => {
            tracing::error!(what, "the database holds something unreadable");
            Fault::Internal { detail: "a stored record cannot be read" }
        }
        StoreError::Conflict(conflict) => {
            tracing::warn!(%conflict, "a write met an unexpected state");
            Fault::Internal { detail: "the state changed meanwhile" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_people_of_development_are_offered_where_they_are_and_nowhere_else() {
        let demo =
            DemoUsers { tenant: "default".into(), people: vec![("alice".to_owned(), "alice".to_owned())] };
        assert_eq!(demo.of(&"default".into()), demo.people);
        assert!(demo.of(&"acme".into()).is_empty());
    }
}
