//! Clients.

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::CLIENTS_READ;
use signet_core::context::UnixTime;
use signet_core::records::Client;
use signet_store::{ClientFilter, Page};
use uuid::Uuid;

use super::{Desk, Paged, Result, paged};

/// Which clients to list.
#[derive(Clone, Debug, Default)]
pub struct ClientQuery {
    /// Only those whose `client_id` or name begins with this.
    pub search: Option<String>,
    /// Where the page before ended.
    pub after: Option<String>,
    /// At most this many (1 to 100).
    pub limit: u32,
}

/// A client in a listing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClientLine {
    /// The `client_id`.
    pub client_id: String,
    /// Name shown to people.
    pub client_name: String,
    /// Treated as unknown.
    pub disabled: bool,
    /// The developer whose client it is.
    pub owner: Option<Uuid>,
    /// When it was last changed, in Unix seconds.
    pub updated_at: UnixTime,
}

impl From<Client> for ClientLine {
    fn from(client: Client) -> Self {
        Self {
            client_id: client.client_id.as_str().to_owned(),
            client_name: client.settings.client_name,
            disabled: client.disabled,
            owner: client.owner,
            updated_at: client.updated_at,
        }
    }
}

impl Desk<'_> {
    /// Clients by `client_id`; developers see their own.
    pub async fn clients(&self, query: &ClientQuery) -> Result<Paged<ClientLine>> {
        self.actor.need(CLIENTS_READ)?;
        let limit = query.limit.clamp(1, 100);
        let filter = ClientFilter {
            search: query.search.clone(),
            owner: self.actor.confined_to(),
            page: Page { after: query.after.clone(), limit: limit + 1 },
        };
        let rows = self.app.store.find_clients(&self.tenant().id, &filter).await?;
        Ok(paged(rows, limit, |client| client.client_id.to_string(), ClientLine::from))
    }
}
