//! The rules for the parameters themselves, wherever they came from (OpenID Connect Core section 3.1.2.1).

use std::collections::BTreeSet;

use serde_json::Value;
use signet_jose::{Offered, Trace};
use url::Url;

use super::channel;
use super::claims_parameter;
use super::decide::HintSource;
use super::noted::{listed, noted, sent};
use super::raw::Raw;
use super::request::{AuthorizationRequest, ClaimsRequest, Prompt, RequestSource};
use crate::admin;
use crate::claims::{Catalogue, OFFLINE_ACCESS};
use crate::fault::Fault;
use crate::pkce;
use crate::records::{Client, ClientAuthMethod, ClientSettings, GrantType, ResponseType, TenantSettings};

/// What parameters are held against.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) tenant: &'a TenantSettings,
    pub(super) client: &'a Client,
    pub(super) hint: &'a HintSource<'a>,
}

/// Judges the parameters that count. Each rule leaves its check in the trace.
pub(super) fn judge(
    raw: Raw,
    rules: &Rules<'_>,
    source: RequestSource,
    trace: &mut Trace,
) -> Result<AuthorizationRequest, Fault> {
    const REQUEST: &str = "OpenID Connect Core section 3.1.2.1";
    let settings = &rules.client.settings;
    if raw.registration {
        let rule = ("registration", "OpenID Connect Core section 7.2.1", "absent");
        return noted(trace, rule, "present", Err(Fault::RegistrationUnsupported));
    }
    let registered = listed(settings.response_types.iter().map(|one| one.name()));
    let wanted = format!("one that the client is registered for: {registered}");
    let asked = raw.response_type.as_deref();
    let response_type =
        noted(trace, ("response_type", REQUEST, &wanted), sent(asked), response_type(asked, settings))?;
    let encrypted = settings.authorization_response.encrypted.is_some();
    let chosen = channel::choose(asked, raw.response_mode.as_deref(), encrypted);
    let rule =
        ("response_mode", "OAuth 2.0 Multiple Response Types section 2.1", "one that fits response_type");
    noted(trace, rule, sent(raw.response_mode.as_deref()), chosen.refused.map_or(Ok(()), Err))?;
    // Core sections 3.2.2.1 and 3.3.2.11: `nonce` is required as soon as an ID token comes by the browser.
    if response_type.has_id_token() && raw.nonce.is_none() {
        let rule =
            ("nonce", "OpenID Connect Core section 3.2.2.1", "present: an ID token comes by the browser");
        return noted(trace, rule, "absent", Err(Fault::NonceMissing));
    }
    let catalogue = Catalogue::of(rules.tenant);
    let hinted_subject = match &raw.id_token_hint {
        Some(token) => {
            let hint = (rules.hint)(token, rules.client);
            let rule = ("id_token_hint", REQUEST, "an ID token that this server issued to this client");
            Some(noted(trace, rule, "an ID token", hint)?.sub().to_owned())
        }
        None => None,
    };
    let mut acr_values = words(raw.acr_values.as_deref());
    if acr_values.is_empty() {
        // OpenID Connect Dynamic Client Registration section 2, default_acr_values: "Values specified in the acr_values
        // request parameter or an individual acr Claim request override these default values."
        acr_values.clone_from(&settings.default_acr_values);
    }
    let asked = raw.scope.as_deref();
    let wanted =
        format!("openid, and of {} what is needed", listed(settings.scope.iter().map(String::as_str)));
    let rule = ("scope", "RFC 6749 section 3.3", wanted.as_str());
    let scope = noted(trace, rule, sent(asked), scope(asked, response_type, settings, catalogue))?;
    let wanted = if pkce_required(settings) { "present, with S256" } else { "S256, if present" };
    let challenge = code_challenge(&raw, response_type, settings);
    let code_challenge = noted(trace, ("pkce", "RFC 7636 section 4.3", wanted), pkce_sent(&raw), challenge)?;
    let asked = raw.prompt.as_deref();
    let rule =
        ("prompt", REQUEST, "none, login, consent, select_account, or create where it is on; none alone");
    let prompt = noted(trace, rule, sent(asked), prompt(asked, rules.tenant))?;
    let found = raw.max_age.as_ref().map(ToString::to_string);
    let rule = ("max_age", REQUEST, "a whole number of seconds, if present");
    let max_age = noted(trace, rule, sent(found.as_deref()), max_age(raw.max_age.as_ref()))?;
    let found = listed(raw.resources.iter().map(String::as_str));
    let rule =
        ("resource", "RFC 8707 section 2", "absolute URIs that the client may ask tokens for, if present");
    let resources = noted(trace, rule, sent(Some(&found)), resources(raw.resources, settings))?;
    let rule = ("claims_parameter", "OpenID Connect Core section 5.5", "an object of that form, if present");
    let found = if raw.claims.is_some() { "present" } else { "absent" };
    let claims = noted(trace, rule, found, claims_parameter::read(raw.claims.as_ref()))?;
    Ok(AuthorizationRequest {
        client_id: rules.client.client_id.clone(),
        response_type,
        response_mode: chosen.mode,
        device: None,
        scope,
        code_challenge,
        redirect_uri: raw.redirect_uri.ok_or(Fault::RedirectUriMissing)?,
        state: raw.state,
        nonce: raw.nonce,
        prompt,
        max_age: max_age.or(settings.default_max_age),
        acr_values,
        login_hint: raw.login_hint.unwrap_or_default(),
        ui_locales: words(raw.ui_locales.as_deref()),
        claims_locales: words(raw.claims_locales.as_deref()),
        // Section 3.1.2.1; what is not defined there is as good as left out.
        display: raw.display.filter(|display| DISPLAYS.contains(&display.as_str())),
        hinted_subject,
        resources,
        claims: permitted(claims, &settings.scope, catalogue),
        source,
    })
}

/// What a check shows of PKCE: never the challenge itself.
fn pkce_sent(raw: &Raw) -> String {
    match (&raw.code_challenge, raw.code_challenge_method.as_deref()) {
        (None, None) => "absent".to_owned(),
        (None, Some(method)) => format!("only a method: {}", Offered::new(method)),
        (Some(challenge), None) => format!("{} characters, no method (so plain)", challenge.len()),
        (Some(challenge), Some(method)) => {
            format!("{} characters, {}", challenge.len(), Offered::new(method))
        }
    }
}

/// The values of `display` (section 3.1.2.1). The pages are the same for all: they fit any window.
pub const DISPLAYS: [&str; 4] = ["page", "popup", "touch", "wap"];

/// RFC 6749 section 4.1.2.1: `unsupported_response_type` for what this server does not know, `unauthorized_client` for
/// what this client may not use.
fn response_type(asked: Option<&str>, settings: &ClientSettings) -> Result<ResponseType, Fault> {
    let known = ResponseType::parse(asked.ok_or(Fault::ResponseTypeMissing)?);
    let known = known.ok_or(Fault::ResponseTypeUnsupported)?;
    if settings.response_types.contains(&known) { Ok(known) } else { Err(Fault::ResponseTypeNotAllowed) }
}

/// RFC 9700 section 2.1.1: "Public clients MUST use PKCE", whatever their record says. Without a code there is nothing to
/// bind, and a challenge beside it means nothing.
fn code_challenge(
    raw: &Raw,
    response_type: ResponseType,
    settings: &ClientSettings,
) -> Result<Option<String>, Fault> {
    if !response_type.has_code() {
        return Ok(None);
    }
    let required = pkce_required(settings);
    pkce::challenge(raw.code_challenge.as_deref(), raw.code_challenge_method.as_deref(), required)
}

fn pkce_required(settings: &ClientSettings) -> bool {
    settings.require_pkce || settings.token_endpoint_auth_method == ClientAuthMethod::None
}

fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A client gets no claim one by one that it may not ask for by scope. Section 5.5: leaving out a claim is no error,
/// however it is asked for.
fn permitted(
    mut asked: ClaimsRequest,
    allowed: &BTreeSet<String>,
    catalogue: Catalogue<'_>,
) -> ClaimsRequest {
    let may = |name: &String| {
        let scopes = catalogue.with_claim(name);
        scopes.is_empty() || scopes.iter().any(|scope| allowed.contains(*scope))
    };
    asked.userinfo.retain(|name, _| may(name));
    asked.id_token.retain(|name, _| may(name));
    asked
}

/// RFC 6749 section 3.3, and OpenID Connect Core section 3.1.2.1: "requests MUST contain the openid scope value"; "Scope
/// values used that are not understood by an implementation SHOULD be ignored". A scope that is understood, but that this
/// client is not registered for, is refused (RFC 6749 section 4.1.2.1, `invalid_scope`): a client that is set up wrongly
/// hears of it at once, and not by claims that are missing. What was granted is told with every access token.
fn scope(
    asked: Option<&str>,
    response_type: ResponseType,
    settings: &ClientSettings,
    catalogue: Catalogue<'_>,
) -> Result<BTreeSet<String>, Fault> {
    let asked = asked.ok_or(Fault::ScopeMissing)?;
    // scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    let token = |b: u8| b == b'!' || (b'#'..=b'[').contains(&b) || (b']'..=b'~').contains(&b);
    let mut values: BTreeSet<String> = words(Some(asked)).into_iter().collect();
    if !values.iter().all(|value| value.bytes().all(token)) {
        return Err(Fault::ScopeMalformed);
    }
    if !values.contains("openid") {
        return Err(Fault::ScopeWithoutOpenid);
    }
    let offline = values.remove(OFFLINE_ACCESS) && offline_access(response_type, settings);
    // Administrative scopes are understood for clients that an operator gave them; for all others they do not exist.
    let administrative = |value: &String| admin::is_scope(value) && settings.scope.contains(value);
    let mut known: BTreeSet<String> =
        values.into_iter().filter(|value| catalogue.find(value).is_some() || administrative(value)).collect();
    if let Some(value) = known.iter().find(|value| !settings.scope.contains(*value)) {
        return Err(Fault::ScopeNotAllowed { scope: Offered::new(value) });
    }
    known.extend(offline.then(|| OFFLINE_ACCESS.to_owned()));
    Ok(known)
}

/// OpenID Connect Core section 11: the server "MUST ignore the `offline_access` request unless the Client is using a
/// `response_type` value that would result in an Authorization Code being returned", and "MUST ensure that the prompt
/// parameter contains consent unless other conditions for processing the request permitting offline access to the
/// requested resources are in place". The other condition here: it is a line of its own on the consent page, granted only
/// by who has allowed that very line, now or before ([`crate::interaction::next`]), so that browsers of people who have
/// need not be asked each time; clients that need no consent have their operator's. The registered grant type is the
/// permission to ask for it.
fn offline_access(response_type: ResponseType, settings: &ClientSettings) -> bool {
    response_type.has_code() && settings.grant_types.contains(&GrantType::RefreshToken)
}

/// OpenID Connect Core section 3.1.2.1: "If this parameter contains none with any other value, an error is returned."
/// `create` is known where people may make accounts. Initiating User Registration via OpenID Connect: a value that is not
/// among `prompt_values_supported` is answered with `invalid_request`.
fn prompt(text: Option<&str>, tenant: &TenantSettings) -> Result<BTreeSet<Prompt>, Fault> {
    let one = |word: String| match word.as_str() {
        "none" => Ok(Prompt::None),
        "login" => Ok(Prompt::Login),
        "consent" => Ok(Prompt::Consent),
        "select_account" => Ok(Prompt::SelectAccount),
        "create" if tenant.self_registration => Ok(Prompt::Create),
        _ => Err(Fault::PromptUnknown),
    };
    let prompts: BTreeSet<Prompt> = words(text).into_iter().map(one).collect::<Result<_, _>>()?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        Err(Fault::PromptNoneCombined)
    } else {
        Ok(prompts)
    }
}

/// A JSON number inside an object, digits in a query.
fn max_age(value: Option<&Value>) -> Result<Option<i64>, Fault> {
    let seconds = match value {
        None => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        Some(_) => None,
    };
    match seconds {
        Some(seconds) if seconds >= 0 => Ok(Some(seconds)),
        _ => Err(Fault::MaxAgeMalformed),
    }
}

/// RFC 8707 section 2: "Its value MUST be an absolute URI, as specified by Section 4.3 of \[RFC3986\]", "The URI MUST NOT
/// include a fragment component"; `invalid_target` for what is "invalid, missing, unknown, or malformed".
fn resources(asked: Vec<String>, settings: &ClientSettings) -> Result<BTreeSet<String>, Fault> {
    for resource in &asked {
        if Url::parse(resource).is_err() || resource.contains('#') {
            return Err(Fault::ResourceMalformed);
        }
        if !settings.resources.contains(resource) {
            return Err(Fault::ResourceUnknown);
        }
    }
    Ok(asked.into_iter().collect())
}
