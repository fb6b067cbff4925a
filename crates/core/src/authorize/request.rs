//! An authorization request that passed every check.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClientId, TokenHash};
use crate::records::{ResponseMode, ResponseType};

/// What a client asked for and may have. Made only by [`super::decide`], read back from the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the response goes: registered for this client, as sent. Empty for a device.
    pub redirect_uri: String,
    /// What is returned.
    #[serde(default = "code")]
    pub response_type: ResponseType,
    /// How it is returned; never [`ResponseMode::Jwt`].
    #[serde(default = "query")]
    pub response_mode: ResponseMode,
    /// The device code that this login is for (RFC 8628); then nothing is redirected.
    #[serde(default)]
    pub device: Option<TokenHash>,
    /// What is asked for; always holds `openid`.
    pub scope: BTreeSet<String>,
    /// Given back as it came.
    pub state: Option<String>,
    /// Goes into the ID token.
    pub nonce: Option<String>,
    /// PKCE challenge, method S256 (RFC 7636 section 4.3).
    pub code_challenge: Option<String>,
    /// Which pages the client insists on, or forbids.
    pub prompt: BTreeSet<Prompt>,
    /// Oldest acceptable login, in seconds.
    pub max_age: Option<i64>,
    /// Wished authentication context classes, best first.
    pub acr_values: Vec<String>,
    /// Who the person probably is.
    pub login_hint: Vec<String>,
    /// Wished page languages, best first.
    pub ui_locales: Vec<String>,
    /// Wished languages of claims, best first.
    #[serde(default)]
    pub claims_locales: Vec<String>,
    /// How pages are to be shown.
    #[serde(default)]
    pub display: Option<String>,
    /// The `sub` that an `id_token_hint` named, as this client knows it.
    #[serde(default)]
    pub hinted_subject: Option<String>,
    /// Resource servers that access tokens are for (RFC 8707 section 2).
    #[serde(default)]
    pub resources: BTreeSet<String>,
    /// Claims asked for one by one.
    pub claims: ClaimsRequest,
    /// How the request came.
    pub source: RequestSource,
}

fn code() -> ResponseType {
    ResponseType::Code
}

fn query() -> ResponseMode {
    ResponseMode::Query
}

/// How the parameters came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestSource {
    /// As plain parameters.
    Parameters,
    /// In a request object with `alg: none`.
    Unsigned,
    /// In a signed request object.
    Signed,
    /// In a signed, then encrypted request object.
    Nested,
}

/// One value of `prompt` (OpenID Connect Core section 3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// No page may be shown.
    None,
    /// The person must authenticate again.
    Login,
    /// The person must be asked for consent again.
    Consent,
    /// The person must be asked which account to use.
    SelectAccount,
    /// The person wishes to make an account (Initiating User Registration via OpenID Connect section 3).
    Create,
}

/// The `claims` parameter (OpenID Connect Core section 5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// Asked for at UserInfo.
    pub userinfo: BTreeMap<String, ClaimRequest>,
    /// Asked for in the ID token.
    pub id_token: BTreeMap<String, ClaimRequest>,
}

/// How one claim is asked for (OpenID Connect Core section 5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRequest {
    /// The client calls it essential.
    pub essential: bool,
    /// Acceptable values (`value` and `values`); empty means any.
    pub values: Vec<Value>,
}
