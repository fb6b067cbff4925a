//! What is known of the keys that a client publishes at its `jwks_uri`.

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::Who;
use signet_core::audit;
use signet_core::client_policy::KeySet;
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::records::{Client, ClientSettings};
use signet_core::remote_keys::Demand;

use super::{Desk, Result};

/// Longest host that is written down (RFC 1035 section 2.3.4).
const MAX_HOST: usize = 255;

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

/// Which addresses of a client's settings are fetched before they are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    sector: bool,
    keys: bool,
}

impl Looks {
    /// What changes no setting is not refused for what became of the keys meanwhile, and nothing is fetched for it.
    pub(super) fn of(before: Option<&ClientSettings>, after: &ClientSettings) -> Self {
        let sector = |of: &ClientSettings| (of.sector_identifier_uri.clone(), of.redirect_uris.clone());
        Self {
            sector: after.sector_identifier_uri.is_some() && before.map(sector) != Some(sector(after)),
            keys: after.jwks_uri.is_some() && before != Some(after),
        }
    }

    /// How many fetches they are.
    pub(super) fn count(self) -> usize {
        usize::from(self.sector) + usize::from(self.keys)
    }
}

impl Desk<'_> {
    /// What is known of a client's published keys: what this node saw last, or sees now if it has nothing to go by.
    pub(super) async fn known_set(&self, client: &Client) -> Option<KeySet> {
        self.app.key_set(client, Demand::Verify).await
    }

    /// Looks at what settings that are to be saved depend on: what is saved has to work with the keys that are there. Never
    /// within a transaction, and for as long as one fetch may take.
    pub(super) async fn looked_at(&self, id: &ClientId, settings: &ClientSettings) -> Result<Option<KeySet>> {
        let Some(uri) = settings.jwks_uri.as_deref() else { return Ok(None) };
        let owner = (&self.tenant().id, id);
        // None of the looks that this actor may have at once is free.
        let set = self.app.remote_keys.look(uri, owner, &self.looker()).await.map_err(|_| Fault::Busy)?;
        if let Some(failing) = &set.failing {
            self.unread(id, ("jwks_uri", uri), failing.code).await;
        }
        Ok(Some(set))
    }

    /// OpenID Connect Registration section 5: the document at `sector_identifier_uri` lists every redirect URI.
    async fn sector_checked(&self, id: &ClientId, settings: &ClientSettings) -> Result<()> {
        let Some(uri) = settings.sector_identifier_uri.as_deref() else { return Ok(()) };
        let place = self.app.fetcher.look_place(&self.looker()).map_err(|_| Fault::Busy)?;
        let checked = self.app.check_sector(settings, Some(place)).await;
        if let Err(fault) = &checked {
            self.unread(id, ("sector_identifier_uri", uri), fault.code()).await;
        }
        Ok(checked?)
    }

    /// What has to be seen of what settings name, before they are judged.
    pub(super) async fn fetched_for(
        &self,
        id: &ClientId,
        settings: &ClientSettings,
        looks: Looks,
    ) -> Result<Option<KeySet>> {
        if looks.sector {
            self.sector_checked(id, settings).await?;
        }
        if looks.keys { self.looked_at(id, settings).await } else { Ok(None) }
    }

    /// Whose looks are counted together.
    fn looker(&self) -> String {
        match self.actor.who() {
            Who::Person { id, .. } => format!("{} {id}", self.tenant().id),
            Who::Client(id) => format!("{} {id}", self.tenant().id),
        }
    }

    /// Whoever tries addresses leaves a trace, also where nothing is written.
    async fn unread(&self, id: &ClientId, (setting, uri): (&str, &str), reason: &str) {
        let context = self.app.context(self.now);
        let kind = audit::Kind::ClientAddressUnread;
        let event = audit::success(&self.tenant().id, kind, self.correlation_id, &context)
            .client(id)
            .by(&self.actor.by())
            .fact("setting", setting)
            .fact("host", host_of(uri))
            .fact("reason", reason);
        self.app.record(&self.tenant().id, &[event.change()]).await;
    }
}

/// Host and port of what may be any text yet: its other parts may be secret, and none of it may be long.
fn host_of(uri: &str) -> Option<String> {
    let uri = url::Url::parse(uri).ok()?;
    let port = uri.port_or_known_default().unwrap_or_default();
    Some(uri.host_str()?.chars().take(MAX_HOST).collect::<String>() + &format!(":{port}"))
}
