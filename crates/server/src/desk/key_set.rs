//! What is known of the keys that a client publishes at its `jwks_uri`.

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::client_policy::KeySet;
use signet_core::context::UnixTime;
use signet_core::ids::ClientId;
use signet_core::records::{Client, ClientSettings};
use signet_core::remote_keys::Demand;

use super::Desk;

/// What the last look at a client's `jwks_uri` brought. Each node looks for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeySetView {
    /// When the set was read whose keys are used, in Unix seconds; `null` if none can be used.
    pub read_at: Option<UnixTime>,
    /// How many keys it has that can be used.
    pub keys: usize,
    /// Why it cannot be read now.
    pub failing: Option<KeySetFailing>,
    /// The first members that cannot be used, and why.
    pub skipped: Vec<String>,
}

/// Why a key set cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeySetFailing {
    /// Since when, in Unix seconds.
    pub since: UnixTime,
    /// The stable code of the last attempt's reason.
    pub code: String,
    /// The last attempt's reason.
    pub reason: String,
}

impl From<&KeySet> for KeySetView {
    fn from(set: &KeySet) -> Self {
        let failing = set.failing.as_ref().map(|failing| KeySetFailing {
            since: failing.since,
            code: failing.code.to_owned(),
            reason: failing.reason.clone(),
        });
        Self { read_at: set.read_at, keys: set.count(), failing, skipped: set.skipped.clone() }
    }
}

impl Desk<'_> {
    /// What is known of a client's published keys: what this node saw last, or sees now if it has nothing to go by.
    pub(super) async fn known_set(&self, client: &Client) -> Option<KeySet> {
        self.app.key_set(client, Demand::Verify).await
    }

    /// Looks at what settings that are to be saved depend on: what is saved has to work with the keys that are there. Never
    /// within a transaction, and for as long as one fetch may take.
    pub(super) async fn looked_at(&self, id: &ClientId, settings: &ClientSettings) -> Option<KeySet> {
        let uri = settings.jwks_uri.as_deref()?;
        Some(self.app.look(uri, (&self.tenant().id, id), Demand::Look).await.0)
    }
}
