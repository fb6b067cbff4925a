//! Clients are made, changed, switched off and on, and removed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signet_core::admin::CLIENTS_WRITE;
use signet_core::change::Change;
use signet_core::client_policy::{KeySet, Keys};
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::provision::{self, ClientDeclaration, KeyDeclaration, Provisioned, Refusal, Secret};
use signet_core::records::{Client, ClientSettings};
use signet_core::templates::Template;
use signet_jose::{KeySpec, KeyUse};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::client_keys::{PrivateKeyView, changed_keys};
use super::clients::{ClientView, Remark};
use super::key_set::Looks;
use super::receipt::{Before, Pass};
use super::{Desk, Refused, Result, Write, reading};
use crate::provisioning::{Along, Pair, declaration_of};

/// A client to make.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewClient {
    /// Its `client_id`; made if left out.
    pub client_id: Option<String>,
    /// The kind of application that the settings begin with; `web` if left out.
    pub template: Option<Template>,
    /// The developer whose client it is. Developers own what they make.
    pub owner: Option<Uuid>,
    /// Registered, and treated as unknown until it is enabled: for whoever serves a `jwks_uri` later.
    pub disabled: bool,
    /// Settings in place of the template's, member by member.
    #[schemars(with = "ClientSettings")]
    pub settings: Map<String, Value>,
    /// Its public keys. Where the template needs keys and none is given, a pair is made.
    pub keys: Vec<KeyDeclaration>,
}

/// A client as it shall be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientChange {
    /// All its settings; what is left out gets its default.
    pub settings: ClientSettings,
    /// The developer whose client it is; only administrators send it. Left out, it stays whose it is; `null` makes it
    /// nobody's.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Uuid>")]
    pub owner: Option<Option<Uuid>>,
    /// Also make a secret if the settings need one that is not there.
    #[serde(default)]
    pub generate_secret: bool,
}

/// What shall be different of a client: a JSON merge patch (RFC 7396).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientPatch {
    /// The settings to change, member by member; `null` gives a setting its default.
    pub settings: Map<String, Value>,
    /// The developer whose client it is; only administrators send it. Left out, it stays whose it is; `null` makes it
    /// nobody's.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Uuid>")]
    pub owner: Option<Option<Uuid>>,
    /// Also make a secret if the settings need one that is not there.
    pub generate_secret: bool,
}

/// Tells `null` from what is left out.
#[expect(clippy::option_option, reason = "left out, null, and a value mean three things")]
fn given<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<Uuid>>, D::Error> {
    Option::<Uuid>::deserialize(deserializer).map(Some)
}

/// What a write on a client came to.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ClientWritten {
    /// The client as it is now, or would be.
    pub client: ClientView,
    /// What differs, one line each.
    pub differences: Vec<String>,
    /// A secret that was made. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub client_secret: Option<Zeroizing<String>>,
    /// Private parts of key pairs that were made. They are shown this once and kept nowhere.
    pub private_keys: Vec<PrivateKeyView>,
    /// Nothing was written.
    pub dry_run: bool,
    /// The same idempotency key had made it before: nothing was written now, and secrets are not shown again.
    pub replayed: bool,
}

impl std::fmt::Debug for ClientWritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientWritten").field("client", &self.client.client_id).finish_non_exhaustive()
    }
}

impl NewClient {
    /// The settings: the template's, with those that were sent in their place.
    fn settings(&self, id: &str) -> Result<ClientSettings> {
        let template = self.template.unwrap_or(Template::Web);
        let base = ClientSettings { client_name: id.to_owned(), ..template.settings() };
        let mut value = serde_json::to_value(base).unwrap_or_default();
        if let Some(members) = value.as_object_mut() {
            members.extend(self.settings.clone());
        }
        reading::value(value, "/settings")
    }
}

impl Desk<'_> {
    /// Registers a client. What its template needs and was not given is made: a secret, keys.
    pub async fn create_client(&self, new: &NewClient, write: &Write) -> Result<ClientWritten> {
        const WHAT: &str = "client";
        self.actor.need(CLIENTS_WRITE)?;
        let pass = match self.before(write, WHAT, new).await? {
            Before::Made(id) => return self.made_client(&id).await,
            Before::New(pass) => pass,
        };
        match self.make_client(new, write, &pass).await {
            Ok(made) => Ok(made),
            Err(refused) => {
                self.made_client(&self.meanwhile(write, WHAT, new, refused.of_new()).await?).await
            }
        }
    }

    async fn make_client(&self, new: &NewClient, write: &Write, pass: &Pass) -> Result<ClientWritten> {
        let id = new.client_id.clone().unwrap_or_else(|| self.app.context(self.now).client_id());
        let client_id = ClientId::from(id.as_str());
        let settings = new.settings(&id)?;
        if self.app.store.client(&self.tenant().id, &client_id).await?.is_some() {
            return Err(Refused::Exists);
        }
        let key_set = self.judged(&client_id, None, &settings).await?;
        let owner = self.owner(new.owner).await?;
        let pairs = self.missing_pairs(new).await?;
        let keys = new.keys.iter().cloned().chain(pairs.iter().map(|pair| pair.declared.clone())).collect();
        let declared = ClientDeclaration {
            client_id: client_id.clone(),
            disabled: new.disabled,
            secret: None,
            generate_secret: settings.token_endpoint_auth_method.uses_secret(),
            keys,
            prune_keys: false,
            owner: Some(owner),
            settings,
        };
        let along = self.along(&Write { seen: Some(0), ..write.clone() }, self.kept(pass, &id));
        let along = Along { key_set, ..along };
        let done = self.provisioner(write).client_with(self.tenant(), &declared, &along).await?;
        let private = if write.dry_run { Vec::new() } else { pairs };
        let mut written =
            self.written(None, Keys { registered: &[], set: along.key_set.as_ref() }, done, write)?;
        written.private_keys =
            private.iter().map(|pair| PrivateKeyView::of(&pair.private)).collect::<Result<_>>()?;
        Ok(written)
    }

    async fn made_client(&self, id: &str) -> Result<ClientWritten> {
        let client = self.visible(&ClientId::from(id)).await?;
        let view = self.view_of(&client).await?;
        Ok(ClientWritten {
            client: view,
            differences: Vec::new(),
            client_secret: None,
            private_keys: Vec::new(),
            dry_run: false,
            replayed: true,
        })
    }

    async fn missing_pairs(&self, new: &NewClient) -> Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        // Whoever publishes keys has them.
        if new.settings.get("jwks_uri").is_some_and(Value::is_string) {
            return Ok(pairs);
        }
        for usage in new.template.unwrap_or(Template::Web).needs_keys() {
            if !new.keys.iter().any(|key| key.usage == *usage) {
                let name = if *usage == KeyUse::Sig { "signing" } else { "encryption" };
                pairs.push(self.pair(KeySpec::Rsa2048, name, *usage, None, None).await?);
            }
        }
        Ok(pairs)
    }

    /// Whether this actor may give a client these settings, in place of those from `before` if it is there already; and what
    /// is at the places that they name. The key set is for judging them with.
    async fn judged(
        &self,
        id: &ClientId,
        before: Option<&ClientSettings>,
        after: &ClientSettings,
    ) -> Result<Option<KeySet>> {
        self.may_give(before, after)?;
        self.fetched_for(id, after, Looks::of(before, after)).await
    }

    /// Whether this actor may give a client these settings.
    pub(super) fn may_give(&self, before: Option<&ClientSettings>, after: &ClientSettings) -> Result<()> {
        before.map_or(Ok(()), |before| self.may_shape(before))?;
        self.may_shape(after)?;
        self.may_leave_unasked(before, after)
    }

    /// Whose a client will be: developers own what they make and hand nothing over, others say so.
    pub(super) async fn owner(&self, asked: Option<Uuid>) -> Result<Option<Uuid>> {
        match (self.actor.confined_to(), asked) {
            (Some(own), None) => Ok(Some(own)),
            (Some(own), Some(id)) if id == own => Ok(Some(own)),
            (Some(_), Some(_)) => Err(Fault::AdminOwnerForbidden.into()),
            (None, None) => Ok(None),
            (None, Some(id)) => match self.app.store.user(&self.tenant().id, id).await? {
                Some(_) => Ok(Some(id)),
                None => Err(Refused::Invalid(vec![Refusal::OwnerUnknown { id }])),
            },
        }
    }

    /// Replaces the settings of a client.
    pub async fn replace_client(
        &self,
        id: &ClientId,
        change: &ClientChange,
        write: &Write,
    ) -> Result<ClientWritten> {
        let client = self.changeable(id, write).await?;
        let key_set = self.judged(id, Some(&client.settings), &change.settings).await?;
        let owner = match change.owner {
            Some(asked) if asked != client.owner => Some(self.owner(asked).await?),
            _ => None,
        };
        let declared = ClientDeclaration {
            settings: change.settings.clone(),
            generate_secret: change.generate_secret,
            owner,
            ..declaration_of(&client)
        };
        self.apply_client(&client, &declared, key_set, write).await
    }

    /// Changes some settings of a client. All others stay as they were in the version that was seen.
    pub async fn patch_client(
        &self,
        id: &ClientId,
        patch: &ClientPatch,
        write: &Write,
    ) -> Result<ClientWritten> {
        let client = self.changeable(id, write).await?;
        let settings = reading::patched(&client.settings, &patch.settings)?;
        let ClientPatch { owner, generate_secret, .. } = *patch;
        self.replace_client(id, &ClientChange { settings, owner, generate_secret }, write).await
    }

    /// Treats a client as unknown, or accepts it again.
    pub async fn switch_client(&self, id: &ClientId, disabled: bool, write: &Write) -> Result<ClientWritten> {
        let client = self.changeable(id, write).await?;
        if !disabled {
            self.may_shape(&client.settings)?;
        }
        let key_set = if disabled { None } else { self.looked_at(id, &client.settings).await? };
        let declared = ClientDeclaration { disabled, ..declaration_of(&client) };
        self.apply_client(&client, &declared, key_set, write).await
    }

    /// Gives a client a new secret. The old one ends at once.
    pub async fn new_secret(&self, id: &ClientId, write: &Write) -> Result<ClientWritten> {
        let client = self.changeable(id, write).await?;
        self.may_shape(&client.settings)?;
        let minted = provision::mint_secret(&self.app.context(self.now));
        let declared = ClientDeclaration {
            secret: Some(Secret::new(minted.secret.as_str())),
            ..declaration_of(&client)
        };
        let mut written = self.apply_client(&client, &declared, None, write).await?;
        written.client_secret = (!write.dry_run).then_some(minted.secret);
        Ok(written)
    }

    /// Removes a client with its keys, consents and tokens. The answer tells what it was.
    pub async fn delete_client(&self, id: &ClientId, write: &Write) -> Result<ClientWritten> {
        let client = self.changeable(id, write).await?;
        let view = self.view_of(&client).await?;
        let along = self.along(write, Vec::new());
        let done = self.provisioner(write).remove_client(self.tenant(), &client, &along).await?;
        self.app.clients.forget();
        let written = self.written(Some(&client), Keys::from(&[]), done, write)?;
        Ok(ClientWritten { client: view, ..written })
    }

    /// Brings a change of a client about, and shows what came of it.
    async fn apply_client(
        &self,
        client: &Client,
        declared: &ClientDeclaration,
        key_set: Option<KeySet>,
        write: &Write,
    ) -> Result<ClientWritten> {
        let keys = self.app.store.client_keys(&self.tenant().id, &client.client_id).await?;
        let along = Along { key_set, ..self.along(write, Vec::new()) };
        let done = self.provisioner(write).client_with(self.tenant(), declared, &along).await?;
        let known = match &along.key_set {
            None => self.known_set(client).await.filter(|_| client.settings == declared.settings),
            looked => looked.clone(),
        };
        self.written(Some(client), Keys { registered: &keys, set: known.as_ref() }, done, write)
    }

    /// What a write came to, from the changes that made it.
    pub(super) fn written(
        &self,
        before: Option<&Client>,
        keys: Keys<'_>,
        done: Provisioned,
        write: &Write,
    ) -> Result<ClientWritten> {
        self.app.clients.forget();
        let stored = done.changes.iter().find_map(|change| match change {
            Change::InsertClient(client) | Change::UpdateClient(client) => Some(client),
            _ => None,
        });
        let registered = changed_keys(keys.registered, &done.changes);
        let client = stored.or(before).ok_or(Fault::Internal { detail: "a write has no record" })?;
        let mut client = self.view_with(client, Keys { registered: &registered, set: keys.set });
        if !done.advice.is_empty() {
            client.advice = done.advice.iter().map(Remark::from).collect();
        }
        Ok(ClientWritten {
            client,
            differences: done.differences,
            client_secret: done.secret.filter(|_| !write.dry_run),
            private_keys: Vec::new(),
            dry_run: write.dry_run,
            replayed: false,
        })
    }
}
