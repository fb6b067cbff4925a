//! What a client's settings mean for whoever writes the application.

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::CLIENTS_READ;
use signet_core::client_policy::{self, Keys};
use signet_core::ids::ClientId;

use super::{Desk, Result};

/// What a client must send and what it will receive, in plain words.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PreviewView {
    /// What it must send, in the order of a login.
    pub sends: Vec<String>,
    /// What it will receive.
    pub receives: Vec<String>,
}

impl Desk<'_> {
    /// What a client must send and what it will receive. Keys that it publishes at its `jwks_uri` count.
    pub async fn client_preview(&self, id: &ClientId) -> Result<PreviewView> {
        self.actor.need(CLIENTS_READ)?;
        let client = self.visible(id).await?;
        let registered = self.app.store.client_keys(&self.tenant().id, id).await?;
        let set = self.known_set(&client).await;
        let keys = Keys { registered: &registered, set: set.as_ref() };
        let preview = client_policy::preview(id.as_str(), &client.settings, keys, self.tenant(), self.now);
        Ok(PreviewView { sends: preview.sends, receives: preview.receives })
    }
}
