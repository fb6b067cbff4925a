//! A client's public keys: made here or brought, changed, taken over from, withdrawn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signet_core::admin::CLIENTS_READ;
use signet_core::change::Change;
use signet_core::client_policy::{self, ClientKeyState};
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::provision::{ClientDeclaration, KeyDeclaration, Refusal};
use signet_core::records::{Client, ClientKey, ClientSettings, KeyOrigin};
use signet_jose::{KeyFault, KeyKind, KeySpec, KeyUse, PrivateKey, PublicKey};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::clients::{Remark, unchanged};
use super::receipt::{Before, Pass};
use super::{Desk, Refused, Result, Write};
use crate::provisioning::{Pair, declaration_of};

/// How often an addition that names no version is tried anew when somebody else changes the client at the same moment.
const ATTEMPTS: usize = 8;
/// Longest time in which two keys are both good, in seconds.
const MAX_OVERLAP: i64 = 365 * 86_400;

/// One public key of a client.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClientKeyView {
    /// Names the record; the nil UUID for keys that are read from the client's `jwks_uri`.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub usage: KeyUse,
    /// The `kid`.
    pub kid: String,
    /// Where it stands.
    pub state: ClientKeyState,
    /// When responses begin to be encrypted to it, in Unix seconds; with the state `next`.
    pub used_from: Option<UnixTime>,
    /// `crv`, or for RSA with the bits of its modulus: `RSA 2048`.
    pub kind: String,
    /// Not used before, in Unix seconds.
    pub not_before: Option<UnixTime>,
    /// Not used at or after, in Unix seconds.
    pub not_after: Option<UnixTime>,
    /// How it came here.
    pub origin: KeyOrigin,
    /// When it came here, in Unix seconds.
    pub created_at: UnixTime,
    /// When it was withdrawn, in Unix seconds.
    pub revoked_at: Option<UnixTime>,
    /// The RFC 7638 thumbprint.
    pub thumbprint: String,
    /// The public JWK.
    pub jwk: Map<String, Value>,
}

/// The private part of a key pair that was made here. It is shown once and kept nowhere.
#[derive(Clone, Serialize, JsonSchema)]
pub struct PrivateKeyView {
    /// What it is for.
    pub usage: KeyUse,
    /// The `kid`.
    pub kid: String,
    /// As a JWK, in JSON text.
    #[schemars(with = "String")]
    pub jwk: Zeroizing<String>,
    /// As PKCS#8 PEM.
    #[schemars(with = "String")]
    pub pem: Zeroizing<String>,
}

impl std::fmt::Debug for PrivateKeyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKeyView").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl PrivateKeyView {
    /// The texts of a private key.
    pub(super) fn of(private: &PrivateKey) -> Result<Self> {
        let failed = |_: KeyFault| Fault::Internal { detail: "a private key could not be written down" };
        let public = private.public_key();
        Ok(Self {
            usage: public.key_use().unwrap_or(KeyUse::Sig),
            kid: public.kid().unwrap_or(public.thumbprint()).to_owned(),
            jwk: private.to_jwk().map_err(failed)?,
            pem: private.to_pem().map_err(failed)?,
        })
    }
}

/// A key pair to make.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyPair {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub usage: KeyUse,
    /// What kind of key; `rsa-2048` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KeySpec>,
    /// Start of its period, in Unix seconds.
    #[serde(default)]
    pub not_before: Option<UnixTime>,
    /// End of its period, in Unix seconds.
    #[serde(default)]
    pub not_after: Option<UnixTime>,
}

/// Name and period of a key as they shall be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// What people call it.
    pub name: String,
    /// Start of its period, in Unix seconds.
    #[serde(default)]
    pub not_before: Option<UnixTime>,
    /// End of its period, in Unix seconds.
    #[serde(default)]
    pub not_after: Option<UnixTime>,
}

/// How one key takes over from another.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RotateKey {
    /// The new key: a JWK, a PEM public key or an X.509 certificate. A pair is made if it is left out.
    pub source: Option<Value>,
    /// What kind of key to make; the old one's if left out.
    pub kind: Option<KeySpec>,
    /// What people call the new key; the old one's name if left out.
    pub name: Option<String>,
    /// Start of the new key's period, in Unix seconds; at once if left out.
    pub not_before: Option<UnixTime>,
    /// End of the new key's period, in Unix seconds.
    pub not_after: Option<UnixTime>,
    /// For how many seconds both are good; if left out, twice as long as a new key takes to be used.
    pub overlap: Option<i64>,
}

/// What a write on a client's keys came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KeysWritten {
    /// The client's version now; the next write names it.
    pub version: i64,
    /// The keys that were added, changed or withdrawn, as they are now or would be.
    pub keys: Vec<ClientKeyView>,
    /// What differs, one line each.
    pub differences: Vec<String>,
    /// What works but should be looked at.
    pub advice: Vec<Remark>,
    /// Why the client will fail from now on, after a key was withdrawn; empty if it works.
    pub contradictions: Vec<Remark>,
    /// The private part of a pair that was made. It is shown this once and kept nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKeyView>,
    /// Nothing was written.
    pub dry_run: bool,
    /// The same idempotency key had made it before: nothing was written now, and the private part is not shown again.
    pub replayed: bool,
}

/// The keys of a client as they are after `changes`.
pub(super) fn changed_keys(keys: &[ClientKey], changes: &[Change]) -> Vec<ClientKey> {
    let mut after = keys.to_vec();
    for change in changes {
        match change {
            Change::InsertClientKey(key) => after.push(key.clone()),
            Change::UpdateClientKey { id, name, not_before, not_after, .. } => {
                for key in after.iter_mut().filter(|key| key.id == *id) {
                    key.name.clone_from(name);
                    (key.not_before, key.not_after) = (*not_before, *not_after);
                }
            }
            Change::RevokeClientKey { id, at, .. } => {
                for key in after.iter_mut().filter(|key| key.id == *id) {
                    key.revoked_at = Some(*at);
                }
            }
            _ => {}
        }
    }
    after
}

/// Which keys `changes` touch.
fn touched(changes: &[Change]) -> Vec<Uuid> {
    let id = |change: &Change| match change {
        Change::InsertClientKey(key) => Some(key.id),
        Change::UpdateClientKey { id, .. } | Change::RevokeClientKey { id, .. } => Some(*id),
        _ => None,
    };
    changes.iter().filter_map(id).collect()
}

/// The declaration of a key that is there, with another name and period.
fn again(
    key: &ClientKey,
    name: &str,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
) -> KeyDeclaration {
    KeyDeclaration {
        name: name.to_owned(),
        usage: key.usage,
        source: Value::Object(key.jwk.clone()),
        not_before,
        not_after,
        origin: Some(key.origin),
    }
}

/// What kind of key it is. What is registered was read as a key before.
fn kind_of(key: &ClientKey) -> Result<KeyKind> {
    let unread = |_: KeyFault| Fault::Internal { detail: "a registered key cannot be read" }.into();
    PublicKey::from_jwk(&Value::Object(key.jwk.clone())).map(|key| key.kind()).map_err(unread)
}

impl Desk<'_> {
    /// Every key of a client, withdrawn ones included, oldest first; then those that it publishes at its `jwks_uri`.
    pub async fn client_keys(&self, id: &ClientId) -> Result<Vec<ClientKeyView>> {
        self.actor.need(CLIENTS_READ)?;
        let client = self.visible(id).await?;
        let keys = self.every_key(&client).await?;
        Ok(keys.iter().map(|key| self.key_view(key, &keys, &client.settings)).collect())
    }

    /// Every key of a client: those that are stored, then those that it publishes.
    pub(super) async fn every_key(&self, client: &Client) -> Result<Vec<ClientKey>> {
        let mut keys = self.app.store.client_keys(&self.tenant().id, &client.client_id).await?;
        keys.extend(self.known_set(client).await.map(|set| set.keys).unwrap_or_default());
        Ok(keys)
    }

    fn key_view(&self, key: &ClientKey, all: &[ClientKey], settings: &ClientSettings) -> ClientKeyView {
        let propagation = self.tenant().settings.key_propagation;
        let (state, used_from) = client_policy::key_state(key, all, settings, propagation, self.now);
        ClientKeyView {
            id: key.id,
            name: key.name.clone(),
            usage: key.usage,
            kid: key.kid.clone(),
            state,
            used_from,
            kind: kind_of(key).map(|kind| kind.to_string()).unwrap_or_default(),
            not_before: key.not_before,
            not_after: key.not_after,
            origin: key.origin,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
            thumbprint: key.thumbprint.clone(),
            jwk: key.jwk.clone(),
        }
    }

    /// Makes a key pair for a client. The private part is in the answer and nowhere else.
    pub async fn generate_key(&self, id: &ClientId, new: &NewKeyPair, write: &Write) -> Result<KeysWritten> {
        const WHAT: &str = "client key pair";
        self.addable(id).await?;
        let input = (id, new);
        let pass = match self.before(write, WHAT, &input).await? {
            Before::Made(made) => return self.made_keys(id, &made).await,
            Before::New(pass) => pass,
        };
        let kind = new.kind.unwrap_or(KeySpec::Rsa2048);
        let pair = self.pair(kind, &new.name, new.usage, new.not_before, new.not_after).await?;
        match self.add(id, &pair.declared, write, &pass).await {
            Ok(written) if write.dry_run => Ok(written),
            Ok(written) => {
                Ok(KeysWritten { private_key: Some(PrivateKeyView::of(&pair.private)?), ..written })
            }
            Err(refused) => self.made_keys(id, &self.meanwhile(write, WHAT, &input, refused).await?).await,
        }
    }

    /// Takes public keys of a client: a JWK, a JWK set, a PEM public key or an X.509 certificate.
    pub async fn add_key(&self, id: &ClientId, new: &KeyDeclaration, write: &Write) -> Result<KeysWritten> {
        const WHAT: &str = "client key";
        self.addable(id).await?;
        let input = (id, new);
        let pass = match self.before(write, WHAT, &input).await? {
            Before::Made(made) => return self.made_keys(id, &made).await,
            Before::New(pass) => pass,
        };
        match self.add(id, new, write, &pass).await {
            Ok(written) => Ok(written),
            Err(refused) => self.made_keys(id, &self.meanwhile(write, WHAT, &input, refused).await?).await,
        }
    }

    /// Changes name and period of a key.
    pub async fn change_key(
        &self,
        id: &ClientId,
        key: Uuid,
        change: &KeyChange,
        write: &Write,
    ) -> Result<KeysWritten> {
        let client = self.shapeable(id, write).await?;
        let keys = self.app.store.client_keys(&self.tenant().id, id).await?;
        let key = live(&keys, key)?;
        let declared = again(key, &change.name, change.not_before, change.not_after);
        let declaration = ClientDeclaration { keys: vec![declared], ..declaration_of(&client) };
        self.apply_keys(&client, &keys, &declaration, write, Vec::new()).await
    }

    /// Lets a new key take over from one of the same usage: the new one is good from now on or from an instant that is
    /// given, the old one for as long again as the overlap. Logins go on meanwhile.
    pub async fn rotate_key(
        &self,
        id: &ClientId,
        key: Uuid,
        rotate: &RotateKey,
        write: &Write,
    ) -> Result<KeysWritten> {
        let client = self.shapeable(id, write).await?;
        let keys = self.app.store.client_keys(&self.tenant().id, id).await?;
        let old = live(&keys, key)?;
        // A-87 chooses the latest start: a key of this very second would not be older than its successor.
        let started = old.not_before.unwrap_or(old.created_at);
        let from = rotate.not_before.unwrap_or(self.now).max(self.now).max(started.saturating_add(1));
        let overlap = rotate.overlap.unwrap_or(self.tenant().settings.key_propagation.saturating_mul(2));
        if !(0..=MAX_OVERLAP).contains(&overlap) {
            let duration = Refusal::Duration { setting: "overlap", found: overlap, min: 0, max: MAX_OVERLAP };
            return Err(Refused::Invalid(vec![duration]));
        }
        let until = from.saturating_add(overlap.max(1));
        let until = old.not_after.map_or(until, |present| present.min(until));
        let name = rotate.name.clone().unwrap_or_else(|| old.name.clone());
        let not_before = Some(from);
        let (new, private) = if let Some(source) = &rotate.source {
            let (usage, source, not_after) = (old.usage, source.clone(), rotate.not_after);
            (KeyDeclaration { name, usage, source, not_before, not_after, origin: None }, None)
        } else {
            let kind = rotate.kind.map_or_else(|| kind_of(old).map(KeySpec::like), Ok)?;
            let pair = self.pair(kind, &name, old.usage, not_before, rotate.not_after).await?;
            (pair.declared, Some(pair.private))
        };
        let mut declaration = ClientDeclaration {
            keys: vec![again(old, &old.name, old.not_before, Some(until)), new],
            ..declaration_of(&client)
        };
        // Whoever pinned the old key would be left with none when it ends.
        if declaration.settings.encryption_kid.as_ref() == Some(&old.kid) {
            declaration.settings.encryption_kid = None;
        }
        let written = self.apply_keys(&client, &keys, &declaration, write, Vec::new()).await?;
        let shown = private.filter(|_| !write.dry_run);
        let private_key = shown.as_ref().map(PrivateKeyView::of).transpose()?;
        Ok(KeysWritten { private_key, ..written })
    }

    /// Withdraws a key at once, whatever breaks; what breaks is said.
    pub async fn revoke_key(&self, id: &ClientId, key: Uuid, write: &Write) -> Result<KeysWritten> {
        let client = self.changeable(id, write).await?;
        let keys = self.app.store.client_keys(&self.tenant().id, id).await?;
        let along = self.along(write, Vec::new());
        let done = self.provisioner(write).withdraw_key(self.tenant(), &client, key, &along).await?;
        let (done, broken) = done.ok_or(Refused::NotFound)?;
        let mut written = self.keys_written(&client, &keys, &done.changes, write);
        written.differences = done.differences;
        written.advice = done.advice.iter().map(Remark::from).collect();
        written.contradictions = broken.iter().map(Remark::from).collect();
        Ok(written)
    }

    /// Makes a key pair, off the pool that signs.
    pub(super) async fn pair(
        &self,
        kind: KeySpec,
        name: &str,
        usage: KeyUse,
        not_before: Option<UnixTime>,
        not_after: Option<UnixTime>,
    ) -> Result<Pair> {
        let name = name.to_owned();
        let made = self.app.key_making.run(move || Pair::generate(kind, name, usage, not_before, not_after));
        made.await?.map_err(|_| Fault::Internal { detail: "a key could not be generated" }.into())
    }

    /// A client to which this actor may add keys.
    async fn addable(&self, id: &ClientId) -> Result<Client> {
        let client = self.writable(id).await?;
        self.may_shape(&client.settings)?;
        Ok(client)
    }

    /// A client whose proofs this actor may change.
    pub(super) async fn shapeable(&self, id: &ClientId, write: &Write) -> Result<Client> {
        let client = self.changeable(id, write).await?;
        self.may_shape(&client.settings)?;
        Ok(client)
    }

    /// Adds a key. Without a version that was seen, a change at the same moment is no reason to refuse.
    async fn add(
        &self,
        id: &ClientId,
        new: &KeyDeclaration,
        write: &Write,
        pass: &Pass,
    ) -> Result<KeysWritten> {
        let mut attempt = 1;
        loop {
            let client = unchanged(self.addable(id).await?, write)?;
            let keys = self.app.store.client_keys(&self.tenant().id, id).await?;
            let declaration = ClientDeclaration { keys: vec![new.clone()], ..declaration_of(&client) };
            let seen = Write { seen: Some(client.version), ..write.clone() };
            let kept = self.kept(pass, &kids(new));
            match self.apply_keys(&client, &keys, &declaration, &seen, kept).await {
                Err(Refused::Stale { .. }) if write.seen.is_none() && attempt < ATTEMPTS => attempt += 1,
                // The client has them already; they are shown, and nothing was made.
                Ok(written) if written.keys.is_empty() => {
                    let there = self.made_keys(id, &kids(new)).await?;
                    return Ok(KeysWritten { keys: there.keys, ..written });
                }
                done => return done,
            }
        }
    }

    /// Writes the keys of `declaration`, all or none.
    pub(super) async fn apply_keys(
        &self,
        client: &Client,
        keys: &[ClientKey],
        declaration: &ClientDeclaration,
        write: &Write,
        further: Vec<Change>,
    ) -> Result<KeysWritten> {
        let along = self.along(write, further);
        let done = self.provisioner(write).client_with(self.tenant(), declaration, &along).await?;
        let mut written = self.keys_written(client, keys, &done.changes, write);
        written.differences = done.differences;
        written.advice = done.advice.iter().map(Remark::from).collect();
        Ok(written)
    }

    fn keys_written(
        &self,
        client: &Client,
        keys: &[ClientKey],
        changes: &[Change],
        write: &Write,
    ) -> KeysWritten {
        self.app.clients.forget();
        let written = changes.iter().find_map(|change| match change {
            Change::UpdateClient(client) => Some(client),
            _ => None,
        });
        let client = written.unwrap_or(client);
        let (ids, after) = (touched(changes), changed_keys(keys, changes));
        let shown = after.iter().filter(|key| ids.contains(&key.id));
        KeysWritten {
            version: client.version,
            keys: shown.map(|key| self.key_view(key, &after, &client.settings)).collect(),
            differences: Vec::new(),
            advice: Vec::new(),
            contradictions: Vec::new(),
            private_key: None,
            dry_run: write.dry_run,
            replayed: false,
        }
    }

    /// What an idempotency key has made before.
    async fn made_keys(&self, id: &ClientId, made: &str) -> Result<KeysWritten> {
        let client = self.visible(id).await?;
        let keys = self.app.store.client_keys(&self.tenant().id, id).await?;
        let kids: Vec<String> = serde_json::from_str(made).unwrap_or_default();
        let shown = keys.iter().filter(|key| kids.contains(&key.kid));
        let shown = shown.map(|key| self.key_view(key, &keys, &client.settings)).collect();
        let written = self.keys_written(&client, &keys, &[], &Write::default());
        Ok(KeysWritten { keys: shown, replayed: true, ..written })
    }
}

/// A key that is not withdrawn.
fn live(keys: &[ClientKey], id: Uuid) -> Result<&ClientKey> {
    keys.iter().find(|key| key.id == id && key.revoked_at.is_none()).ok_or(Refused::NotFound)
}

/// Names the keys of a declaration: their `kid`s, as a JSON array.
fn kids(new: &KeyDeclaration) -> String {
    let text = match &new.source {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let import = signet_jose::import(text.as_bytes()).map(|import| import.keys).unwrap_or_default();
    let kid = |key: &PublicKey| key.kid().unwrap_or(key.thumbprint()).to_owned();
    let fits: Vec<_> = import.iter().filter(|one| one.key.can(new.usage)).map(|one| kid(&one.key)).collect();
    Value::from(fits).to_string()
}
