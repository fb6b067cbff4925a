//! The decision: accept the request and store it, or refuse it at the right place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use signet_jose::{Offered, Trace};

use super::claims_parameter;
use super::raw::Raw;
use super::request::{AuthorizationRequest, ClaimsRequest, Prompt, RequestSource};
use crate::audit;
use crate::change::Change;
use crate::claims::{scope_info, scope_of};
use crate::client_policy;
use crate::context::Context;
use crate::fault::Fault;
use crate::ids::{ClientId, TokenHash};
use crate::params::Params;
use crate::pkce;
use crate::records::{
    Client, ClientAuthMethod, ClientKey, Interaction, Replay, RequestObjectParameters, ResponseMode,
    ResponseType, Stage, Tenant,
};
use crate::redirect::{self, ReturnTo};
use crate::request_object::{self, ObjectRequest, Opened, Policy, VerifierSource};

/// How the request arrived: with or without an object, which may have failed to open.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "made once per request and moved once")]
pub enum Arrival {
    /// Parameters only.
    Plain,
    /// With a `request`.
    Object(Result<Opened, Fault>),
}

/// The facts of one authorization request.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// The parameters beside the object.
    pub params: &'a Params,
    /// The client named outside, or by the object where that is allowed.
    pub client: Option<&'a Client>,
    /// That client's keys, of every usage and age.
    pub client_keys: &'a [ClientKey],
    /// Builds verifiers for that client's keys.
    pub verifier: &'a VerifierSource<'a>,
    /// Ties the audit events of this login together.
    pub correlation_id: &'a str,
    /// Hash of the cookie that will bind the interaction to the browser.
    pub browser: TokenHash,
}

impl std::fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// An accepted request.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Under which id the browser goes on.
    pub interaction_id: String,
}

/// A refused request.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Why.
    pub fault: Fault,
    /// Where the error may go; `None` means a page.
    pub return_to: Option<ReturnTo>,
}

/// What to write, what to answer, and every check that was made.
#[derive(Debug)]
pub struct Outcome {
    /// To be applied in one transaction. On [`crate::change::Conflict::Replay`] call [`Outcome::replayed`].
    pub changes: Vec<Change>,
    /// The answer.
    pub reply: Result<Accepted, Refused>,
    /// The checks.
    pub trace: Trace,
    return_to: Option<ReturnTo>,
}

impl Outcome {
    /// The answer when the write found the `jti` used: nothing of this request was stored.
    pub fn replayed(&self) -> Refused {
        Refused { fault: Fault::ObjectReplayed, return_to: self.return_to.clone() }
    }
}

/// The `client_id` beside the object.
pub fn outer_client_id(params: &Params) -> Option<ClientId> {
    params.get("client_id").map(ClientId::from)
}

/// Judges an authorization request.
pub fn decide(facts: Facts<'_>, arrival: Arrival, mut trace: Trace, context: &Context<'_>) -> Outcome {
    let mut return_to = None;
    match judge(facts, arrival, &mut return_to, &mut trace, context) {
        Ok((interaction, replay, event)) => {
            let accepted = Accepted { interaction_id: interaction.id.clone() };
            // the jti is consumed with the write that stores the accepted request, after every check.
            let mut changes: Vec<Change> = replay.map(Change::ClaimReplay).into_iter().collect();
            changes.push(Change::InsertInteraction(interaction));
            changes.push(event);
            Outcome { changes, reply: Ok(accepted), trace, return_to }
        }
        Err(fault) => {
            let refused = Refused { fault, return_to: return_to.clone() };
            Outcome { changes: Vec::new(), reply: Err(refused), trace, return_to }
        }
    }
}

type Judged = (Interaction, Option<Replay>, Change);

fn judge(
    facts: Facts<'_>,
    arrival: Arrival,
    return_to: &mut Option<ReturnTo>,
    trace: &mut Trace,
    context: &Context<'_>,
) -> Result<Judged, Fault> {
    let tenant = facts.tenant;
    let client = known_client(&facts, &arrival)?;
    // until the object's signature is verified, errors go to the redirect URI beside it, if that one is
    // registered for the client_id beside it.
    let beside = |name: &str| facts.params.get(name);
    let target = |uri: &str, state: Option<&str>| redirect::check(client, uri, state, &tenant.issuer);
    if let (Some(_), Some(uri)) = (beside("client_id"), beside("redirect_uri")) {
        *return_to = target(uri, beside("state")).ok();
    }
    if beside("request_uri").is_some() {
        let both = beside("request").is_some();
        return Err(if both { Fault::RequestAndRequestUri } else { Fault::RequestUriUnsupported });
    }
    let (raw, object) = match arrival {
        // A request parameter that was not opened must not pass as a request without one.
        Arrival::Plain if beside("request").is_some() => {
            return Err(Fault::Internal { detail: "a request object was left aside" });
        }
        // Without a redirect URI to go to, the page still tells the reason.
        Arrival::Plain if client.settings.require_request_object => return Err(Fault::RequestObjectRequired),
        Arrival::Plain => (Raw::from_params(facts.params)?, None),
        Arrival::Object(opened) => {
            let object = verified(opened?, &facts, client, context, trace)?;
            let overrides =
                client.settings.request_object_parameters == RequestObjectParameters::ObjectOverrides;
            // From here on only the parameters that count decide where errors go, also those of the others.
            let counts = |name: &str| {
                let inside = object.claims.str(name).filter(|text| !text.is_empty());
                inside.or_else(|| beside(name).filter(|_| overrides && object.claims.get(name).is_none()))
            };
            *return_to = counts("redirect_uri").and_then(|uri| target(uri, counts("state")).ok());
            let inside = Raw::from_claims(&object.claims)?;
            let raw = if overrides { inside.over(Raw::from_params(facts.params)?) } else { inside };
            (raw, Some(object))
        }
    };
    *return_to = None;
    let uri = raw.redirect_uri.as_deref().ok_or(Fault::RedirectUriMissing)?;
    *return_to = Some(target(uri, raw.state.as_deref())?);
    let source = object.as_ref().map_or(RequestSource::Parameters, |object| object.source);
    let request = parameters(raw, client, source)?;
    responses_can_be_made(client, facts.client_keys, tenant, context)?;
    let replay = object.and_then(|o| o.claim(client, tenant.settings.clock_skew, context.now));
    let interaction = Interaction {
        tenant: tenant.id.clone(),
        id: context.handle(),
        browser: facts.browser,
        version: 1,
        stage: Stage::Fresh,
        request,
        correlation_id: facts.correlation_id.to_owned(),
        created_at: context.now,
        expires_at: context.now + tenant.settings.interaction_lifetime,
    };
    let mut detail = Map::new();
    detail.insert("source".into(), serde_json::to_value(source).unwrap_or(Value::Null));
    detail.insert(
        "scope".into(),
        interaction.request.scope.iter().cloned().collect::<Vec<_>>().join(" ").into(),
    );
    let event =
        audit::success(&interaction.tenant, "authorize.accepted", &interaction.correlation_id, context)
            .client(&client.client_id)
            .detail(detail)
            .change();
    Ok((interaction, replay, event))
}

/// The client that the request names, as far as it may name one where it does.
fn known_client<'a>(facts: &Facts<'a>, arrival: &Arrival) -> Result<&'a Client, Fault> {
    let named = match (outer_client_id(facts.params), arrival) {
        (Some(id), _) => id,
        // RFC 9101 section 5 wants client_id beside the object; A-48 and A.13-b: a tenant may do without. If the object
        // did not open, that is the reason to tell.
        (None, Arrival::Object(opened)) if facts.tenant.settings.client_id_in_object_only => {
            opened.as_ref().map_err(Clone::clone)?.client_id().clone()
        }
        (None, _) => return Err(Fault::ClientIdMissing),
    };
    let known = facts.client.filter(|client| client.client_id == named && !client.disabled);
    known.ok_or(Fault::ClientUnknown)
}

/// Verifies the object for the client and compares what stands inside and beside it.
fn verified(
    opened: Opened,
    facts: &Facts<'_>,
    client: &Client,
    context: &Context<'_>,
    trace: &mut Trace,
) -> Result<ObjectRequest, Fault> {
    // RFC 9101 section 5: client_id in the request and in the object MUST be identical.
    if *opened.client_id() != client.client_id {
        trace.fail(
            "client_id_outside",
            "RFC 9101 section 5",
            client.client_id.as_str(),
            Offered::new(opened.client_id().as_str()).as_str(),
        );
        return Err(Fault::ObjectClientIdMismatch);
    }
    trace.pass(
        "client_id_outside",
        "RFC 9101 section 5",
        "client_id inside equals the one beside the object",
        if outer_client_id(facts.params).is_some() { "equal" } else { "none beside it" },
    );
    let policy = Policy {
        client,
        keys: facts.client_keys,
        verifier: facts.verifier,
        issuer: &facts.tenant.issuer,
        tenant: &facts.tenant.settings,
        now: context.now,
    };
    request_object::judge(opened, &policy, trace)
}

/// The rules for the parameters themselves, wherever they came from.
fn parameters(raw: Raw, client: &Client, source: RequestSource) -> Result<AuthorizationRequest, Fault> {
    let settings = &client.settings;
    if raw.registration {
        return Err(Fault::RegistrationUnsupported);
    }
    match raw.response_type.as_deref() {
        None => return Err(Fault::ResponseTypeMissing),
        Some("code") => {}
        Some(_) => return Err(Fault::ResponseTypeUnsupported),
    }
    if raw.response_mode.as_deref().is_some_and(|mode| mode != "query") {
        return Err(Fault::ResponseModeUnsupported);
    }
    // RFC 9700 section 2.1.1: "Public clients MUST use PKCE", whatever their record says.
    let required = settings.require_pkce || settings.token_endpoint_auth_method == ClientAuthMethod::None;
    let code_challenge =
        pkce::challenge(raw.code_challenge.as_deref(), raw.code_challenge_method.as_deref(), required)?;
    Ok(AuthorizationRequest {
        client_id: client.client_id.clone(),
        redirect_uri: raw.redirect_uri.ok_or(Fault::RedirectUriMissing)?,
        response_type: ResponseType::Code,
        response_mode: ResponseMode::Query,
        device: None,
        scope: scope(raw.scope.as_deref(), &settings.scope)?,
        state: raw.state,
        nonce: raw.nonce,
        code_challenge,
        prompt: prompt(raw.prompt.as_deref())?,
        max_age: max_age(raw.max_age.as_ref())?.or(settings.default_max_age),
        acr_values: words(raw.acr_values.as_deref()),
        login_hint: raw.login_hint.unwrap_or_default(),
        ui_locales: words(raw.ui_locales.as_deref()),
        claims_locales: Vec::new(),
        display: None,
        hinted_subject: None,
        resources: BTreeSet::new(),
        claims: permitted(claims_parameter::read(raw.claims.as_ref())?, &settings.scope),
        source,
    })
}

fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A client gets no claim one by one that it may not ask for by scope. OpenID Connect Core section 5.5: leaving out a
/// claim is no error, however it is asked for.
fn permitted(mut asked: ClaimsRequest, allowed: &BTreeSet<String>) -> ClaimsRequest {
    let may = |name: &String| scope_of(name).is_none_or(|scope| allowed.contains(scope));
    asked.userinfo.retain(|name, _| may(name));
    asked.id_token.retain(|name, _| may(name));
    asked
}

/// RFC 6749 section 3.3, and OpenID Connect Core section 3.1.2.1: "requests MUST contain the openid scope value"; "Scope
/// values used that are not understood by an implementation SHOULD be ignored", `offline_access` among them
/// (section 11). One that is known, but not for this client, is refused.
fn scope(asked: Option<&str>, allowed: &BTreeSet<String>) -> Result<BTreeSet<String>, Fault> {
    let asked = asked.ok_or(Fault::ScopeMissing)?;
    // scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    let token = |b: u8| b == b'!' || (b'#'..=b'[').contains(&b) || (b']'..=b'~').contains(&b);
    let values: BTreeSet<String> = words(Some(asked)).into_iter().collect();
    if !values.iter().all(|value| value.bytes().all(token)) {
        return Err(Fault::ScopeMalformed);
    }
    if !values.contains("openid") {
        return Err(Fault::ScopeWithoutOpenid);
    }
    let known: BTreeSet<String> = values.into_iter().filter(|value| scope_info(value).is_some()).collect();
    match known.iter().find(|value| !allowed.contains(*value)) {
        Some(value) => Err(Fault::ScopeNotAllowed { scope: Offered::new(value) }),
        None => Ok(known),
    }
}

/// OpenID Connect Core section 3.1.2.1: "If this parameter contains none with any other value, an error is returned."
fn prompt(text: Option<&str>) -> Result<BTreeSet<Prompt>, Fault> {
    let one = |word: String| match word.as_str() {
        "none" => Ok(Prompt::None),
        "login" => Ok(Prompt::Login),
        "consent" => Ok(Prompt::Consent),
        "select_account" => Ok(Prompt::SelectAccount),
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

/// whether every response of this client can be protected as its settings demand is known before anybody
/// is asked to log in. Nothing is ever sent unencrypted instead.
fn responses_can_be_made(
    client: &Client,
    keys: &[ClientKey],
    tenant: &Tenant,
    context: &Context<'_>,
) -> Result<(), Fault> {
    let settings = &client.settings;
    let userinfo = settings.userinfo.encrypted.filter(|_| settings.userinfo.response_type.is_encrypted());
    for encryption in [settings.id_token.encrypted, userinfo].into_iter().flatten() {
        let propagation = tenant.settings.key_propagation;
        client_policy::encryption_key(keys, settings, encryption.alg, propagation, context.now)
            .map_err(|_| Fault::EncryptionKeyMissing)?;
    }
    Ok(())
}
