//! What a login is tried with, in the browser of whoever looks after a client.

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::CLIENTS_READ;
use signet_core::context::UnixTime;
use signet_core::discovery::Endpoint;
use signet_core::ids::ClientId;
use signet_core::provision::Refusal;
use signet_core::records::{
    Client, ClientAuthMethod, ClientSettings, IdTokenSettings, ResponseType, UserInfoSettings,
};
use signet_jose::{KeyAlg, KeyUse, SigAlg};

use super::{ClientChange, ClientWritten, Desk, Refused, Result, Write};

/// Where the answer of a trial arrives, below the issuer.
pub const TRIAL_CALLBACK: &str = "/console/trial/callback";

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
    /// What it is for.
    pub usage: KeyUse,
    /// The RFC 7638 thumbprint.
    pub thumbprint: String,
}

impl Desk<'_> {
    /// What a login of this client is tried with. There is no secret in it.
    pub async fn trial(&self, id: &ClientId) -> Result<TrialView> {
        self.actor.need(CLIENTS_READ)?;
        let client = self.visible(id).await?;
        signs_people_in(&client.settings)?;
        let keys = self.app.store.client_keys(&self.tenant().id, id).await?;
        let valid = keys.into_iter().filter(|key| key.usable_at(self.now));
        let keys = valid
            .map(|key| TrialKey { kid: key.kid, usage: key.usage, thumbprint: key.thumbprint })
            .collect();
        Ok(self.trial_of(client, keys))
    }

    fn trial_of(&self, client: Client, keys: Vec<TrialKey>) -> TrialView {
        let tenant = self.tenant();
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
