//! What a login is tried with, in the browser of whoever looks after a client.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use signet_core::admin::CLIENTS_READ;
use signet_core::client_policy::encryption_key;
use signet_core::context::UnixTime;
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::provision::{ClientDeclaration, KeyDeclaration, Refusal};
use signet_core::records::{
    Client, ClientAuthMethod, ClientKey, ClientSettings, IdTokenSettings, KeyOrigin, ResponseType,
    UserInfoSettings,
};
use signet_jose::{KeyAlg, KeyUse, SigAlg};

use super::{ClientChange, ClientWritten, Desk, KeysWritten, Refused, Result, Write};
use crate::provisioning::declaration_of;

/// Where the answer of a trial arrives, below the issuer.
pub const TRIAL_CALLBACK: &str = "/console/trial/callback";
/// How long a key is good that was made to try a login with, in seconds. Its private part is in one tab of a browser.
const TRIAL_PERIOD: i64 = 86_400;

/// What a client must send and will receive, for the script that does both.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrialView {
    /// The tenant's issuer.
    pub issuer: String,
    /// The addresses that are called, on this origin.
    pub endpoints: TrialEndpoints,
    /// The server's instant, in Unix seconds.
    pub now: UnixTime,
    /// The `client_id`.
    pub client_id: String,
    /// Name shown to people.
    pub client_name: String,
    /// Where the answer arrives.
    pub redirect_uri: String,
    /// Whether that is one of the client's redirect URIs.
    pub redirect_registered: bool,
    /// How the client proves itself.
    pub auth_method: ClientAuthMethod,
    /// The algorithm of its assertions, if it is fixed.
    pub auth_alg: Option<SigAlg>,
    /// The least protection of requests: `plain`, `signed` or `nested`.
    pub request: &'static str,
    /// Whether requests must be pushed.
    pub push: bool,
    /// The algorithms that its requests may be signed with; empty for any.
    pub signing_algs: Vec<SigAlg>,
    /// The algorithms that this server has decryption keys for.
    pub encryption_algs: Vec<KeyAlg>,
    /// The response types that it may ask for.
    pub response_types: Vec<ResponseType>,
    /// The scopes that it may ask for.
    pub scope: Vec<String>,
    /// How its ID tokens are protected.
    pub id_token: IdTokenSettings,
    /// How its UserInfo responses are protected.
    pub userinfo: UserInfoSettings,
    /// Its public keys that are valid now.
    pub keys: Vec<TrialKey>,
    /// The `kid`s of the keys that what comes back is encrypted to now.
    pub sealed_to: Vec<String>,
    /// What a key may be made for: the client has none, so that it takes no other key's place.
    pub missing: Vec<KeyUse>,
    /// Whether keys are there that were made to try a login with.
    pub has_trial_keys: bool,
}

/// Addresses on this origin.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrialEndpoints {
    /// Where the browser goes.
    pub authorize: String,
    /// Where the code is redeemed.
    pub token: String,
    /// Where claims are served.
    pub userinfo: String,
    /// Where this server's keys are.
    pub jwks: String,
    /// Where requests are pushed.
    pub push: String,
}

/// A registered key, to recognise the private part by.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrialKey {
    /// The `kid`.
    pub kid: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub usage: KeyUse,
    /// The RFC 7638 thumbprint.
    pub thumbprint: String,
}

/// A public key that was made in the browser, to try a login with.
#[derive(Clone, Debug)]
pub struct NewTrialKey {
    /// What it is for.
    pub usage: KeyUse,
    /// The public JWK, as text.
    pub source: String,
}

/// Whether a key was made to try a login with, and ends by itself. One that was given a longer period since has become a
/// key like any other.
fn is_trial(key: &ClientKey) -> bool {
    let soon = |end: UnixTime| end <= key.created_at.saturating_add(TRIAL_PERIOD);
    key.origin == KeyOrigin::Trial && key.revoked_at.is_none() && key.not_after.is_some_and(soon)
}

/// What a key may be made for: where the client has a valid key, another one would sooner or later be used in its place,
/// and the client could open nothing. Whoever publishes keys has them, even if they cannot be read now.
fn missing(settings: &ClientSettings, keys: &[ClientKey], now: UnixTime) -> Vec<KeyUse> {
    if settings.jwks_uri.is_some() {
        return Vec::new();
    }
    let lacks = |usage: &KeyUse| !keys.iter().any(|key| key.usage == *usage && key.usable_at(now));
    [KeyUse::Sig, KeyUse::Enc].into_iter().filter(lacks).collect()
}

/// When a key ends that is made now to try a login with: soon, and before any other key of its usage begins.
fn trial_end(keys: &[ClientKey], usage: KeyUse, now: UnixTime) -> UnixTime {
    let others = keys.iter().filter(|key| key.usage == usage && key.revoked_at.is_none());
    let begins = others.filter_map(|key| key.not_before).filter(|from| now < *from).min();
    let end = now.saturating_add(TRIAL_PERIOD);
    begins.map_or(end, |from| from.min(end))
}

impl Desk<'_> {
    /// What a login of this client is tried with. There is no secret in it.
    pub async fn trial(&self, id: &ClientId) -> Result<TrialView> {
        self.actor.need(CLIENTS_READ)?;
        let client = self.visible(id).await?;
        signs_people_in(&client.settings)?;
        let keys = self.every_key(&client).await?;
        Ok(self.trial_of(client, &keys))
    }

    /// The `kid`s of the keys that ID tokens and UserInfo responses are encrypted to now.
    fn sealed_to(&self, settings: &ClientSettings, keys: &[ClientKey]) -> Vec<String> {
        let userinfo = settings.userinfo.encrypted.filter(|_| settings.userinfo.response_type.is_encrypted());
        let propagation = self.tenant().settings.key_propagation;
        let wanted = [settings.id_token.encrypted, userinfo].into_iter().flatten();
        let kid = |alg| encryption_key(keys, settings, alg, propagation, self.now).map(|key| key.kid.clone());
        let mut kids: Vec<String> = wanted.filter_map(|one| kid(one.alg).ok()).collect();
        kids.dedup();
        kids
    }

    fn trial_of(&self, client: Client, all: &[ClientKey]) -> TrialView {
        let tenant = self.tenant();
        let shown = |key: &ClientKey| TrialKey {
            kid: key.kid.clone(),
            name: key.name.clone(),
            usage: key.usage,
            thumbprint: key.thumbprint.clone(),
        };
        let keys = all.iter().filter(|key| key.usable_at(self.now)).map(shown).collect();
        let sealed_to = self.sealed_to(&client.settings, all);
        let missing = missing(&client.settings, all, self.now);
        let settings = client.settings;
        let here = |endpoint: Endpoint| format!("{}{}", self.view.prefix, endpoint.path());
        let redirect_uri = self.trial_address();
        TrialView {
            issuer: tenant.issuer.clone(),
            endpoints: TrialEndpoints {
                authorize: here(Endpoint::Authorize),
                token: here(Endpoint::Token),
                userinfo: here(Endpoint::UserInfo),
                jwks: here(Endpoint::Jwks),
                push: here(Endpoint::PushedAuthorization),
            },
            now: self.now,
            client_id: client.client_id.to_string(),
            redirect_registered: settings.redirect_uris.contains(&redirect_uri),
            redirect_uri,
            request: least(&settings),
            push: settings.require_pushed_authorization_requests
                || tenant.settings.require_pushed_authorization_requests,
            client_name: settings.client_name,
            auth_method: settings.token_endpoint_auth_method,
            auth_alg: settings.token_endpoint_auth_signing_alg,
            signing_algs: settings.request_object_signing_algs.into_iter().collect(),
            encryption_algs: tenant.settings.encryption_algs.clone(),
            response_types: settings.response_types.into_iter().collect(),
            scope: settings.scope.into_iter().collect(),
            id_token: settings.id_token,
            userinfo: settings.userinfo,
            keys,
            sealed_to,
            missing,
            has_trial_keys: all.iter().any(is_trial),
        }
    }

    /// Where answers of trials arrive.
    fn trial_address(&self) -> String {
        format!("{}{TRIAL_CALLBACK}", self.tenant().issuer.trim_end_matches('/'))
    }

    /// Adds the address at which answers of trials arrive to the client's redirect URIs, or takes it away.
    pub async fn set_trial_address(
        &self,
        id: &ClientId,
        wanted: bool,
        write: &Write,
    ) -> Result<ClientWritten> {
        let client = self.changeable(id, write).await?;
        let address = self.trial_address();
        let mut settings = client.settings;
        settings.redirect_uris.retain(|uri| *uri != address);
        if wanted {
            signs_people_in(&settings)?;
            settings.redirect_uris.push(address);
        }
        self.replace_client(id, &ClientChange { settings, owner: None, generate_secret: false }, write).await
    }

    /// Registers the public parts of keys that were made in the browser. They end after a day.
    pub async fn add_trial_keys(
        &self,
        id: &ClientId,
        new: &[NewTrialKey],
        write: &Write,
    ) -> Result<KeysWritten> {
        let client = self.shapeable(id, write).await?;
        signs_people_in(&client.settings)?;
        let keys = self.every_key(&client).await?;
        let missing = missing(&client.settings, &keys, self.now);
        if let Some(needless) = new.iter().find(|one| !missing.contains(&one.usage)) {
            return Err(Fault::AdminTrialKeyNeedless { usage: doing(needless.usage) }.into());
        }
        let declared = |one: &NewTrialKey| KeyDeclaration {
            name: format!("Test a login, {}", doing(one.usage)),
            usage: one.usage,
            source: Value::String(one.source.trim().to_owned()),
            not_before: None,
            not_after: Some(trial_end(&keys, one.usage, self.now)),
            origin: Some(KeyOrigin::Trial),
        };
        let declaration =
            ClientDeclaration { keys: new.iter().map(declared).collect(), ..declaration_of(&client) };
        let stored = self.app.store.client_keys(&self.tenant().id, id).await?;
        self.apply_keys(&client, &stored, &declaration, write, Vec::new()).await
    }

    /// Undoes what a trial did: its address is no redirect URI any more, and its keys are withdrawn. The keys go even if
    /// the client cannot do without the address; then the answer says why the address stayed.
    pub async fn remove_trial(&self, id: &ClientId, write: &Write) -> Result<()> {
        let client = self.shapeable(id, write).await?;
        let keys = self.app.store.client_keys(&self.tenant().id, id).await?;
        let mut seen = client.version;
        let mut stayed = None;
        if client.settings.redirect_uris.contains(&self.trial_address()) {
            match self.set_trial_address(id, false, write).await {
                Ok(written) => seen = written.client.version,
                Err(refused @ Refused::Invalid(_)) => stayed = Some(refused),
                Err(refused) => return Err(refused),
            }
        }
        for key in keys.iter().filter(|key| is_trial(key)) {
            let next = Write { seen: Some(seen), ..write.clone() };
            seen = self.revoke_key(id, key.id, &next).await?.version;
        }
        stayed.map_or(Ok(()), Err)
    }
}

/// What a key of this usage is for, in words.
fn doing(usage: KeyUse) -> &'static str {
    match usage {
        KeyUse::Sig => "signing",
        KeyUse::Enc => "encryption",
    }
}

/// Refuses clients that sign nobody in: there is no login to try.
fn signs_people_in(settings: &ClientSettings) -> Result<()> {
    if settings.response_types.is_empty() {
        return Err(Refused::Invalid(vec![Refusal::TrialWithoutLogin]));
    }
    Ok(())
}

/// The least that the client's record demands of its requests.
fn least(settings: &ClientSettings) -> &'static str {
    match (settings.require_request_object, settings.require_encrypted_request_object) {
        (true, true) => "nested",
        (true, false) => "signed",
        (false, _) => "plain",
    }
}
