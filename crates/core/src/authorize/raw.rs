//! Parameters before they are judged, from the query, from a request object, or from both.

use serde_json::Value;
use signet_jose::{Claims, Offered};

use super::decide::Address;
use crate::fault::Fault;
use crate::params::Params;

/// The parameters that mean something here, typed but not judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    pub(super) response_type: Option<String>,
    pub(super) response_mode: Option<String>,
    pub(super) redirect_uri: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
    pub(super) code_challenge_method: Option<String>,
    pub(super) prompt: Option<String>,
    pub(super) max_age: Option<Value>,
    pub(super) acr_values: Option<String>,
    pub(super) login_hint: Option<Vec<String>>,
    pub(super) ui_locales: Option<String>,
    pub(super) claims_locales: Option<String>,
    pub(super) display: Option<String>,
    pub(super) id_token_hint: Option<String>,
    pub(super) resources: Vec<String>,
    pub(super) claims: Option<Value>,
    pub(super) registration: bool,
}

impl Raw {
    /// Where the response is wanted.
    pub(super) fn address<'a>(&'a self, uri: &'a str) -> Address<'a> {
        Address {
            uri,
            state: self.state.as_deref(),
            response_type: self.response_type.as_deref(),
            response_mode: self.response_mode.as_deref(),
        }
    }

    /// From query or form.
    pub(super) fn from_params(params: &Params) -> Result<Self, Fault> {
        let claims = match params.get("claims") {
            None => None,
            // The same duplicate, depth and count limits as inside an object.
            Some(text) => {
                let parsed = Claims::parse(text.as_bytes(), &signet_jose::Limits::default());
                Some(Value::Object(parsed.map_err(|_| Fault::ClaimsMalformed)?.into_map()))
            }
        };
        Ok(Self {
            response_type: params.owned("response_type"),
            response_mode: params.owned("response_mode"),
            redirect_uri: params.owned("redirect_uri"),
            scope: params.owned("scope"),
            state: params.owned("state"),
            nonce: params.owned("nonce"),
            code_challenge: params.owned("code_challenge"),
            code_challenge_method: params.owned("code_challenge_method"),
            prompt: params.owned("prompt"),
            max_age: params.owned("max_age").map(Value::String),
            acr_values: params.owned("acr_values"),
            login_hint: params.owned("login_hint").map(|hint| vec![hint]),
            ui_locales: params.owned("ui_locales"),
            claims_locales: params.owned("claims_locales"),
            display: params.owned("display"),
            id_token_hint: params.owned("id_token_hint"),
            resources: params.all("resource").map(str::to_owned).collect(),
            claims,
            registration: params.get("registration").is_some(),
        })
    }

    /// From the claims of a request object; values keep their types.
    pub(super) fn from_claims(claims: &Claims) -> Result<Self, Fault> {
        let wrong = |name: &str| Fault::ObjectParameterType { name: Offered::new(name) };
        let text = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(Value::String(value)) if value.is_empty() => Ok(None),
            Some(Value::String(value)) if value.len() <= MAX_TEXT && !value.contains('\0') => {
                Ok(Some(value.clone()))
            }
            Some(_) => Err(wrong(name)),
        };
        let max_age = match claims.get("max_age") {
            None => None,
            Some(value @ (Value::Number(_) | Value::String(_))) => Some(value.clone()),
            Some(_) => return Err(wrong("max_age")),
        };
        let claims_parameter = match claims.get("claims") {
            None => None,
            Some(value @ Value::Object(_)) => Some(value.clone()),
            Some(_) => return Err(wrong("claims")),
        };
        Ok(Self {
            response_type: text("response_type")?,
            response_mode: text("response_mode")?,
            redirect_uri: text("redirect_uri")?,
            scope: text("scope")?,
            state: text("state")?,
            nonce: text("nonce")?,
            code_challenge: text("code_challenge")?,
            code_challenge_method: text("code_challenge_method")?,
            prompt: text("prompt")?,
            max_age,
            acr_values: text("acr_values")?,
            login_hint: list(claims.get("login_hint")).map_err(|()| wrong("login_hint"))?,
            ui_locales: text("ui_locales")?,
            claims_locales: text("claims_locales")?,
            display: text("display")?,
            id_token_hint: text("id_token_hint")?,
            // RFC 8707 section 2: "Multiple resource parameters MAY be used"; members of an object are unique, so a list.
            resources: list(claims.get("resource")).map_err(|()| wrong("resource"))?.unwrap_or_default(),
            claims: claims_parameter,
            registration: claims.get("registration").is_some(),
        })
    }

    /// OpenID Connect Core section 6.1: values inside the object "supersede those passed using the OAuth 2.0 request
    /// syntax" (A-38); used only for clients set to `object_overrides`.
    pub(super) fn over(self, outside: Self) -> Self {
        Self {
            response_type: self.response_type.or(outside.response_type),
            response_mode: self.response_mode.or(outside.response_mode),
            redirect_uri: self.redirect_uri.or(outside.redirect_uri),
            scope: self.scope.or(outside.scope),
            state: self.state.or(outside.state),
            nonce: self.nonce.or(outside.nonce),
            // The two belong together: a method outside never reinterprets a challenge inside.
            code_challenge_method: if self.code_challenge.is_some() {
                self.code_challenge_method
            } else {
                self.code_challenge_method.or(outside.code_challenge_method)
            },
            code_challenge: self.code_challenge.or(outside.code_challenge),
            prompt: self.prompt.or(outside.prompt),
            max_age: self.max_age.or(outside.max_age),
            acr_values: self.acr_values.or(outside.acr_values),
            login_hint: self.login_hint.or(outside.login_hint),
            ui_locales: self.ui_locales.or(outside.ui_locales),
            claims_locales: self.claims_locales.or(outside.claims_locales),
            display: self.display.or(outside.display),
            id_token_hint: self.id_token_hint.or(outside.id_token_hint),
            resources: if self.resources.is_empty() { outside.resources } else { self.resources },
            claims: self.claims.or(outside.claims),
            registration: self.registration || outside.registration,
        }
    }
}

/// Longest textual parameter inside an object, in bytes.
const MAX_TEXT: usize = 8 * 1024;
/// Most entries of a list.
const MAX_ENTRIES: usize = 16;

/// One string, or a list of strings: `resource`, and `login_hint` as an older national profile has it. Empty ones
/// count as left out.
fn list(value: Option<&Value>) -> Result<Option<Vec<String>>, ()> {
    let list = match value {
        None => return Ok(None),
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        Some(Value::Array(list)) if list.len() <= MAX_ENTRIES => list,
        Some(_) => return Err(()),
    };
    let bounded = |text: &&str| text.len() <= MAX_TEXT && !text.contains('\0');
    let entries: Option<Vec<&str>> = list.iter().map(|item| item.as_str().filter(bounded)).collect();
    let entries: Vec<String> =
        entries.ok_or(())?.into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect();
    Ok((!entries.is_empty()).then_some(entries))
}
