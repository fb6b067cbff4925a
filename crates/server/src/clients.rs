//! Clients with their keys, kept for a second. A login asks for its client seven times; a change, a withdrawn key
//! included, is seen by every node within that second. What time does (a key that ends) is judged at the request's
//! instant and needs no forgetting.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{Client, ClientKey};
use signet_store::{Store, StoreError};

/// How old a client may be.
const FRESHNESS: Duration = Duration::from_secs(1);
/// Most clients kept.
const CAPACITY: u64 = 10_000;

/// A client and its keys, of every usage and age.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its keys.
    pub keys: Vec<ClientKey>,
}

/// The two halves of what was found, or was not.
pub fn parts(found: Option<&Registered>) -> (Option<&Client>, &[ClientKey]) {
    match found {
        Some(found) => (Some(&found.client), &found.keys),
        None => (None, &[]),
    }
}

/// The clients that this node has met lately.
#[derive(Debug)]
pub struct Clients(Cache<(TenantId, ClientId), Arc<Registered>>);

impl Default for Clients {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).time_to_live(FRESHNESS).build())
    }
}

/// Why there is no client to keep. That there is none is not kept: a new client is known at once.
enum Absent {
    Unknown,
    Failed(StoreError),
}

impl Clients {
    /// A client, from the store if it has not been asked for within the last second. However many ask at once, one
    /// load answers them.
    pub async fn find(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: &ClientId,
    ) -> Result<Option<Arc<Registered>>, StoreError> {
        let load = async {
            let (client, keys) = tokio::join!(store.client(tenant, id), store.client_keys(tenant, id));
            let client = client.map_err(Absent::Failed)?.ok_or(Absent::Unknown)?;
            let keys = keys.map_err(Absent::Failed)?;
            Ok(Arc::new(Registered { client, keys }))
        };
        match self.0.try_get_with((tenant.clone(), id.clone()), load).await {
            Ok(found) => Ok(Some(found)),
            Err(absent) => match Arc::try_unwrap(absent) {
                Ok(Absent::Unknown) => Ok(None),
                Ok(Absent::Failed(error)) => Err(error),
                // Shared with others who asked at the same time.
                Err(shared) => match shared.as_ref() {
                    Absent::Unknown => Ok(None),
                    Absent::Failed(error) => Err(StoreError::Unavailable(error.to_string().into())),
                },
            },
        }
    }

    /// Forgets every client, so that a change made by this process is seen at once.
    pub fn forget(&self) {
        self.0.invalidate_all();
    }
}
