//! Clients.

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::{CLIENTS_READ, CLIENTS_WRITE};
use signet_core::builtin::Builtin;
use signet_core::client_policy::{self, Advice, Contradiction, Keys};
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::records::{Client, ClientSettings, LogoutDelivery};
use signet_core::templates::Template;
use signet_jose::KeyUse;
use signet_store::{ClientFilter, Page};
use uuid::Uuid;

use super::{Desk, KeySetView, Paged, Refused, Result, Write, paged};
use crate::provisioning::kept_secret;

/// Which clients to list.
#[derive(Clone, Debug, Default)]
pub struct ClientQuery {
    /// Only those whose `client_id`, name or host of a redirect URI has this in it; less than three characters, begins with it.
    pub search: Option<String>,
    /// Only this developer's.
    pub owner: Option<Uuid>,
    /// Only those that are disabled, or those that are not.
    pub disabled: Option<bool>,
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

/// Something to be said about a record, with its stable code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Remark {
    /// The stable code.
    pub code: String,
    /// What it is, and what to do.
    pub text: String,
    /// Where in the record it can be mended ([`signet_core::pointer`]).
    #[serde(skip)]
    pub pointers: Vec<String>,
}

impl From<&Contradiction> for Remark {
    fn from(one: &Contradiction) -> Self {
        Self { code: one.code().to_owned(), text: one.to_string(), pointers: one.pointers() }
    }
}

impl From<&Advice> for Remark {
    fn from(one: &Advice) -> Self {
        Self { code: one.code().to_owned(), text: one.to_string(), pointers: one.pointers() }
    }
}

/// One client, with all that an administrator may know of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClientView {
    /// The `client_id`.
    pub client_id: String,
    /// Counts up with every change; a write names the version that was seen.
    pub version: i64,
    /// Treated as unknown.
    pub disabled: bool,
    /// Belongs to this program: it can be seen, not changed.
    pub builtin: bool,
    /// The developer whose client it is.
    pub owner: Option<Uuid>,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// Whether the secret itself is kept, encrypted under the master key, because MACs are made with it.
    pub secret_sealed: bool,
    /// Whether it registered itself (RFC 7591).
    pub registered_itself: bool,
    /// What was chosen for it.
    pub settings: ClientSettings,
    /// What is known of the keys at its `jwks_uri`; `null` if it has none.
    pub key_set: Option<KeySetView>,
    /// Why it will fail; empty if it works.
    pub contradictions: Vec<Remark>,
    /// What works but should be looked at.
    pub advice: Vec<Remark>,
    /// When it was registered, in Unix seconds.
    pub created_at: UnixTime,
    /// When it was last changed, in Unix seconds.
    pub updated_at: UnixTime,
}

/// What became of telling a client of a logout (Back-Channel Logout section 2.5).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DeliveryView {
    /// Names it.
    pub id: Uuid,
    /// `delivered`, `waiting` or `given_up`.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// When it is tried again, in Unix seconds.
    pub next_attempt_at: Option<UnixTime>,
    /// What the last attempt met, in a stable word.
    pub last_error: Option<String>,
    /// Which session ended.
    pub sid: String,
    /// Whose.
    pub user_id: Uuid,
    /// Ties the audit events of this logout together.
    pub correlation_id: String,
    /// When the session ended, in Unix seconds.
    pub created_at: UnixTime,
}

/// Where telling a client of a logout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// The client took it.
    Delivered,
    /// It is tried again.
    Waiting,
    /// The client never took it.
    GivenUp,
}

impl From<LogoutDelivery> for DeliveryView {
    fn from(one: LogoutDelivery) -> Self {
        let state = match (one.delivered_at, one.next_attempt_at) {
            (Some(_), _) => DeliveryState::Delivered,
            (None, Some(_)) => DeliveryState::Waiting,
            (None, None) => DeliveryState::GivenUp,
        };
        Self {
            id: one.id,
            state,
            attempts: one.attempts,
            next_attempt_at: one.next_attempt_at,
            last_error: one.last_error,
            sid: one.sid,
            user_id: one.user_id,
            correlation_id: one.correlation_id,
            created_at: one.created_at,
        }
    }
}

/// A kind of application that clients are made from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TemplateView {
    /// Its name.
    pub name: Template,
    /// What people call it.
    pub title: String,
    /// What it is for, in a sentence.
    pub sentence: String,
    /// Whether people sign in, so that it needs a redirect URI.
    pub needs_redirect_uri: bool,
    /// The usages for which it needs a key of its own; keys that are not given are made.
    pub needs_keys: Vec<KeyUse>,
    /// The settings that such a client begins with.
    pub settings: ClientSettings,
}

impl From<Template> for TemplateView {
    fn from(one: Template) -> Self {
        Self {
            name: one,
            title: one.title().to_owned(),
            sentence: one.sentence().to_owned(),
            needs_redirect_uri: one.signs_people_in(),
            needs_keys: one.needs_keys().to_vec(),
            settings: one.settings(),
        }
    }
}

impl Desk<'_> {
    /// The kinds of applications that clients are made from.
    pub fn templates(&self) -> Result<Vec<TemplateView>> {
        self.actor.need(CLIENTS_READ)?;
        Ok(Template::ALL.iter().copied().map(TemplateView::from).collect())
    }

    /// One client.
    pub async fn client(&self, id: &ClientId) -> Result<ClientView> {
        self.actor.need(CLIENTS_READ)?;
        let client = self.visible(id).await?;
        self.view_of(&client).await
    }

    /// What became of the last logouts that a client was to be told of, newest first.
    pub async fn logout_deliveries(&self, id: &ClientId, limit: u32) -> Result<Vec<DeliveryView>> {
        self.actor.need(CLIENTS_READ)?;
        let client = self.visible(id).await?;
        let tenant = &self.tenant().id;
        let all = self.app.store.logout_deliveries(tenant, &client.client_id, limit.clamp(1, 100)).await?;
        Ok(all.into_iter().map(DeliveryView::from).collect())
    }

    /// A client that exists for this actor.
    pub(super) async fn visible(&self, id: &ClientId) -> Result<Client> {
        let found = self.app.store.client(&self.tenant().id, id).await?;
        found.filter(|client| self.actor.sees(client)).ok_or(Refused::NotFound)
    }

    /// A client that this actor may change: it exists for them, is not built in, and they saw its present version.
    pub(super) async fn changeable(&self, id: &ClientId, write: &Write) -> Result<Client> {
        let client = self.writable(id).await?;
        match write.seen {
            None => Err(Refused::VersionMissing),
            Some(_) => unchanged(client, write),
        }
    }

    /// A client that this actor may change, whatever version they saw.
    pub(super) async fn writable(&self, id: &ClientId) -> Result<Client> {
        self.actor.need(CLIENTS_WRITE)?;
        let client = self.visible(id).await?;
        match Builtin::of(id) {
            Some(_) => Err(Fault::ClientBuiltin.into()),
            None => Ok(client),
        }
    }

    /// Refuses whoever could not give a client all administrative scopes that it will hold: who shapes a client, or learns
    /// its secret, can act as it.
    pub(super) fn may_shape(&self, settings: &ClientSettings) -> Result<()> {
        let held = signet_core::admin::SCOPES.iter().filter(|scope| settings.scope.contains(scope.name));
        match held.map(|scope| scope.name).find(|name| !self.actor.may_grant(name)) {
            Some(scope) => Err(Fault::AdminGrantForbidden { scope }.into()),
            None => Ok(()),
        }
    }

    /// Refuses those who are confined to their own clients to let one tell of people who were not asked; see
    /// [`client_policy::more_unasked`].
    pub(super) fn may_leave_unasked(
        &self,
        before: Option<&ClientSettings>,
        after: &ClientSettings,
    ) -> Result<()> {
        let confined = self.actor.confined_to().is_some();
        match client_policy::more_unasked(before, after).filter(|_| confined) {
            Some(setting) => Err(Fault::AdminConsentForbidden { setting }.into()),
            None => Ok(()),
        }
    }

    /// The client as it is shown.
    pub(super) async fn view_of(&self, client: &Client) -> Result<ClientView> {
        let keys = self.app.store.client_keys(&self.tenant().id, &client.client_id).await?;
        let set = self.known_set(client).await;
        Ok(self.view_with(client, Keys { registered: &keys, set: set.as_ref() }))
    }

    /// The client as it is shown, with keys that are at hand.
    pub(super) fn view_with(&self, client: &Client, keys: Keys<'_>) -> ClientView {
        let (settings, policies) = (&client.settings, &self.tenant().settings);
        let (id, kept) = (&client.client_id, kept_secret(client));
        let broken = client_policy::check(id, settings, kept, keys, policies, self.mode(), self.now);
        let advice = client_policy::advice(settings, keys, self.now);
        ClientView {
            client_id: client.client_id.to_string(),
            version: client.version,
            disabled: client.disabled,
            builtin: Builtin::of(&client.client_id).is_some(),
            owner: client.owner,
            has_secret: client.secret_hash.is_some(),
            secret_sealed: client.sealed_secret.is_some(),
            registered_itself: client.registration_token.is_some(),
            settings: settings.clone(),
            key_set: keys.set.map(KeySetView::from),
            contradictions: broken.iter().map(Remark::from).collect(),
            advice: advice.iter().map(Remark::from).collect(),
            created_at: client.created_at,
            updated_at: client.updated_at,
        }
    }

    /// Clients by `client_id`; developers see their own.
    pub async fn clients(&self, query: &ClientQuery) -> Result<Paged<ClientLine>> {
        self.actor.need(CLIENTS_READ)?;
        let limit = query.limit.clamp(1, 100);
        let own = self.actor.confined_to();
        if own.is_some() && query.owner.is_some() && own != query.owner {
            return Ok(Paged { items: Vec::new(), next: None });
        }
        let filter = ClientFilter {
            search: query.search.clone(),
            owner: own.or(query.owner),
            disabled: query.disabled,
            page: Page { after: query.after.clone(), limit: limit + 1 },
        };
        let rows = self.app.store.find_clients(&self.tenant().id, &filter).await?;
        Ok(paged(rows, limit, |client| client.client_id.to_string(), ClientLine::from))
    }
}

/// The client, unless the write names another version of it.
pub(super) fn unchanged(client: Client, write: &Write) -> Result<Client> {
    match write.seen {
        Some(seen) if seen != client.version => Err(Refused::Stale { current: client.version }),
        _ => Ok(client),
    }
}
