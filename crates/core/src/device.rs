//! Device authorization (RFC 8628): the request of a device, and the code that a person types.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::audit::{self, Kind};
use crate::authorize::{AuthorizationRequest, ClaimsRequest, RequestSource, responses_can_be_made};
use crate::change::Change;
use crate::claims::{Catalogue, OFFLINE_ACCESS};
use crate::client_auth::AuthenticatedClient;
use crate::context::{Context, UnixTime};
use crate::fault::Fault;
use crate::ids::TokenHash;
use crate::params::Params;
use crate::records::{
    Client, ClientKey, DeviceCode, DeviceStage, GrantType, Interaction, ResponseMode, ResponseType, Stage,
    Tenant,
};

/// Prefix of device codes.
pub const DEVICE_CODE_PREFIX: &str = "sgn_dc_";
/// RFC 8628 section 6.1: the letters without vowels, so that no words come about.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 20^8 codes, as in the example of section 6.1.
const USER_CODE_LEN: usize = 8;
/// RFC 8628 section 3.2: "If no value is provided, clients MUST use 5 as the default."
const INTERVAL: i64 = 5;

/// The facts of a device's request.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// Who asks.
    pub caller: &'a AuthenticatedClient,
    /// That client's keys.
    pub client_keys: &'a [ClientKey],
    /// The form.
    pub params: &'a Params,
    /// Ties the audit events of this login together.
    pub correlation_id: &'a str,
}

/// What a device is told (RFC 8628 section 3.2).
#[derive(Debug)]
pub struct Started {
    /// For the device to poll with.
    pub device_code: Zeroizing<String>,
    /// For the person, as it is shown.
    pub user_code: String,
    /// For how many seconds.
    pub expires_in: i64,
    /// Seconds between two polls.
    pub interval: i64,
    /// To be applied in one transaction. On [`crate::change::Conflict::Exists`] the user code is taken: decide again.
    pub changes: Vec<Change>,
}

/// RFC 8628 section 3.1. The client has proved who it is, as at the token endpoint.
pub fn start(asking: Asking<'_>, context: &Context<'_>) -> Result<Started, Fault> {
    let Asking { tenant, caller, client_keys, params, correlation_id } = asking;
    let client = caller.client();
    if !client.settings.grant_types.contains(&GrantType::DeviceCode) {
        return Err(Fault::GrantTypeNotAllowed);
    }
    let scope = scope(params.get("scope"), client, Catalogue::of(&tenant.settings))?;
    // whether the answer can be protected is known before anybody is asked to log in.
    responses_can_be_made(client, client_keys, tenant, context)?;
    let minted = context.mint(DEVICE_CODE_PREFIX);
    let user_code = user_code(context);
    let expires_in = client.settings.lifetimes.device_code;
    let event = audit::success(&tenant.id, Kind::DeviceStarted, correlation_id, context)
        .client(&client.client_id)
        .fact("scope", scope.iter().cloned().collect::<Vec<_>>().join(" "));
    let device = DeviceCode {
        tenant: tenant.id.clone(),
        hash: minted.hash,
        user_code: user_code.clone(),
        version: 1,
        request: request(client, minted.hash, scope),
        stage: DeviceStage::Pending,
        interval: INTERVAL,
        polled_at: None,
        correlation_id: correlation_id.to_owned(),
        issued_at: context.now,
        expires_at: context.now + expires_in,
    };
    let changes =
        caller.claim().into_iter().chain([Change::InsertDeviceCode(device), event.change()]).collect();
    Ok(Started {
        device_code: minted.secret,
        user_code: shown(&user_code),
        expires_in,
        interval: INTERVAL,
        changes,
    })
}

fn request(client: &Client, device: TokenHash, scope: BTreeSet<String>) -> AuthorizationRequest {
    let settings = &client.settings;
    AuthorizationRequest {
        client_id: client.client_id.clone(),
        redirect_uri: String::new(),
        response_type: ResponseType::Code,
        response_mode: ResponseMode::Query,
        device: Some(device),
        scope,
        state: None,
        nonce: None,
        code_challenge: None,
        prompt: BTreeSet::new(),
        max_age: settings.default_max_age,
        acr_values: settings.default_acr_values.clone(),
        login_hint: Vec::new(),
        ui_locales: Vec::new(),
        claims_locales: Vec::new(),
        display: None,
        hinted_subject: None,
        resources: BTreeSet::new(),
        claims: ClaimsRequest::default(),
        source: RequestSource::Parameters,
    }
}

/// RFC 8628 section 3.1: `scope` is optional. RFC 6749 section 3.3: without it, a default: what the client is registered for,
/// but for offline access, which is asked for or not had.
fn scope(asked: Option<&str>, client: &Client, catalogue: Catalogue<'_>) -> Result<BTreeSet<String>, Fault> {
    let settings = &client.settings;
    let Some(asked) = asked else {
        return Ok(settings.scope.iter().filter(|name| *name != OFFLINE_ACCESS).cloned().collect());
    };
    let mut words: BTreeSet<&str> = asked.split(' ').filter(|word| !word.is_empty()).collect();
    let offline = words.remove(OFFLINE_ACCESS) && settings.grant_types.contains(&GrantType::RefreshToken);
    // As at the authorization endpoint: what nobody knows is ignored, what this client may not have is refused.
    let mut known: BTreeSet<String> =
        words.into_iter().filter(|name| catalogue.find(name).is_some()).map(str::to_owned).collect();
    if let Some(name) = known.iter().find(|name| !settings.scope.contains(*name)) {
        return Err(crate::token::scope_not_allowed(name));
    }
    known.extend(offline.then(|| OFFLINE_ACCESS.to_owned()));
    Ok(known)
}

/// Eight letters, each as likely as every other.
fn user_code(context: &Context<'_>) -> String {
    let mut code = String::with_capacity(USER_CODE_LEN);
    while code.len() < USER_CODE_LEN {
        // 240 is the largest multiple of 20 in a byte; the rest would favour some letters.
        let fair = context.random().into_iter().filter(|byte| *byte < 240);
        let letters = fair.map(|byte| char::from(ALPHABET[usize::from(byte % 20)]));
        code.extend(letters.take(USER_CODE_LEN - code.len()));
    }
    code
}

/// A user code as it is shown: two groups.
fn shown(plain: &str) -> String {
    let (left, right) = plain.split_at(USER_CODE_LEN / 2);
    format!("{left}-{right}")
}

/// A user code as it is kept, from what a person typed. RFC 8628 section 6.1: "the server should strip dashes and
/// other punctuation that it added for readability", and lower case counts as upper case. `None` cannot be one.
pub fn typed(text: &str) -> Option<String> {
    let plain: String = text
        .chars()
        .take(64)
        .map(|c| c.to_ascii_uppercase())
        .filter(|c| u8::try_from(*c).is_ok_and(|byte| ALPHABET.contains(&byte)))
        .collect();
    (plain.len() == USER_CODE_LEN).then_some(plain)
}

/// The facts of a code that a person typed.
#[derive(Clone, Copy, Debug)]
pub struct Entered<'a> {
    /// Whose page.
    pub tenant: &'a Tenant,
    /// What the store holds under the code.
    pub device: Option<&'a DeviceCode>,
    /// The client that started it.
    pub client: Option<&'a Client>,
    /// Hash of the cookie that will bind the interaction to the browser.
    pub browser: TokenHash,
}

/// The interaction in which the person logs in and answers. Whatever is wrong with the code, the text is the same.
pub fn enter(entered: Entered<'_>, context: &Context<'_>) -> Result<(Interaction, Vec<Change>), Fault> {
    let device =
        entered.device.filter(|device| is_open(device, context.now)).ok_or(Fault::UserCodeUnknown)?;
    let client =
        entered.client.filter(|client| !client.disabled && client.client_id == device.request.client_id);
    let client = client.ok_or(Fault::UserCodeUnknown)?;
    let tenant = entered.tenant;
    let interaction = Interaction {
        tenant: tenant.id.clone(),
        id: context.handle(),
        browser: entered.browser,
        version: 1,
        stage: Stage::Fresh,
        request: device.request.clone(),
        correlation_id: device.correlation_id.clone(),
        created_at: context.now,
        expires_at: device.expires_at.min(context.now + tenant.settings.interaction_lifetime),
    };
    let event = audit::success(&tenant.id, Kind::DeviceEntered, &device.correlation_id, context)
        .client(&client.client_id);
    let changes = vec![Change::InsertInteraction(interaction.clone()), event.change()];
    Ok((interaction, changes))
}

/// Whether a person can still decide.
pub(crate) fn is_open(device: &DeviceCode, now: UnixTime) -> bool {
    device.stage == DeviceStage::Pending && now < device.expires_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_forgiven_rfc8628_6_1() {
        for text in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "bc.df_gh/jk", "B-C-D-F-G-H-J-K"] {
            assert_eq!(typed(text).as_deref(), Some("BCDFGHJK"), "{text}");
        }
        for text in ["", "BCDFGHJ", "BCDFGHJKL", "AEIOUAEI"] {
            assert_eq!(typed(text), None, "{text}");
        }
        assert_eq!(shown("BCDFGHJK"), "BCDF-GHJK");
    }
}
