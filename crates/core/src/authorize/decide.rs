//! The decision: accept the request and store it, or refuse it at the right place.

use serde_json::{Map, Value};
use signet_jose::{Offered, Trace};

use super::channel::{self, Channel};
use super::parameters::{self, Rules};
use super::raw::Raw;
use super::request::{AuthorizationRequest, RequestSource};
use crate::audit;
use crate::change::Change;
use crate::client_policy;
use crate::context::Context;
use crate::fault::Fault;
use crate::hint::Hint;
use crate::ids::{ClientId, TokenHash};
use crate::params::Params;
use crate::records::{Client, ClientKey, Interaction, Replay, RequestObjectParameters, Stage, Tenant};
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

/// Opens and judges an `id_token_hint` that `client` sends ([`crate::hint`]).
pub type HintSource<'a> = dyn Fn(&str, &Client) -> Result<Hint, Fault> + 'a;

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
    /// Verifies an `id_token_hint` of that client.
    pub hint: &'a HintSource<'a>,
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
        Ok(judged) => {
            let (interaction, event) = begin(&facts, judged.request, context);
            let accepted = Accepted { interaction_id: interaction.id.clone() };
            // the jti is consumed with the write that stores the accepted request, after every check.
            let mut changes: Vec<Change> = judged.replay.map(Change::ClaimReplay).into_iter().collect();
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

/// A request that passed every check, with the `jti` that its acceptance uses up.
struct Judged {
    request: AuthorizationRequest,
    replay: Option<Replay>,
}

fn judge(
    facts: Facts<'_>,
    arrival: Arrival,
    return_to: &mut Option<ReturnTo>,
    trace: &mut Trace,
    context: &Context<'_>,
) -> Result<Judged, Fault> {
    let tenant = facts.tenant;
    let client = known_client(&facts, &arrival)?;
    let beside = |name: &str| facts.params.get(name);
    let target = |address: Address<'_>| address.check(&facts, client, context);
    // until the object's signature is verified, errors go to the redirect URI beside it, if that one is
    // registered for the client_id beside it.
    if beside("client_id").is_some() {
        *return_to = Address::named(beside).and_then(|address| target(address).ok());
    }
    let (raw, object) = raw(&facts, arrival, client, return_to, trace, context)?;
    *return_to = None;
    let uri = raw.redirect_uri.as_deref().ok_or(Fault::RedirectUriMissing)?;
    *return_to = Some(target(raw.address(uri))?);
    let source = object.as_ref().map_or(RequestSource::Parameters, |object| object.source);
    let rules = Rules { tenant: &tenant.settings, client, hint: facts.hint };
    let request = parameters::judge(raw, &rules, source)?;
    responses_can_be_made(client, facts.client_keys, tenant, context)?;
    let replay = object.and_then(|o| o.claim(client, tenant.settings.clock_skew, context.now));
    Ok(Judged { request, replay })
}

/// From the way the request came to the parameters that count.
fn raw(
    facts: &Facts<'_>,
    arrival: Arrival,
    client: &Client,
    return_to: &mut Option<ReturnTo>,
    trace: &mut Trace,
    context: &Context<'_>,
) -> Result<(Raw, Option<ObjectRequest>), Fault> {
    let beside = |name: &str| facts.params.get(name);
    if beside("request_uri").is_some() {
        let both = beside("request").is_some();
        return Err(if both { Fault::RequestAndRequestUri } else { Fault::RequestUriUnsupported });
    }
    match arrival {
        // A request parameter that was not opened must not pass as a request without one.
        Arrival::Plain if beside("request").is_some() => {
            Err(Fault::Internal { detail: "a request object was left aside" })
        }
        // Without a redirect URI to go to, the page still tells the reason.
        Arrival::Plain if client.settings.require_request_object => Err(Fault::RequestObjectRequired),
        Arrival::Plain => Ok((Raw::from_params(facts.params)?, None)),
        Arrival::Object(opened) => {
            let object = verified(opened?, facts, client, context, trace)?;
            let overrides =
                client.settings.request_object_parameters == RequestObjectParameters::ObjectOverrides;
            // From here on only the parameters that count decide where errors go, also those of the others.
            let counts = |name: &str| {
                let inside = object.claims.str(name).filter(|text| !text.is_empty());
                inside.or_else(|| beside(name).filter(|_| overrides && object.claims.get(name).is_none()))
            };
            *return_to =
                Address::named(counts).and_then(|address| address.check(facts, client, context).ok());
            let inside = Raw::from_claims(&object.claims)?;
            let raw = if overrides { inside.over(Raw::from_params(facts.params)?) } else { inside };
            Ok((raw, Some(object)))
        }
    }
}

/// An accepted request on its way through the pages.
fn begin(facts: &Facts<'_>, request: AuthorizationRequest, context: &Context<'_>) -> (Interaction, Change) {
    let tenant = facts.tenant;
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
    let request = &interaction.request;
    let mut detail = Map::new();
    detail.insert("source".into(), serde_json::to_value(request.source).unwrap_or(Value::Null));
    detail.insert("scope".into(), request.scope.iter().cloned().collect::<Vec<_>>().join(" ").into());
    detail.insert("response_type".into(), request.response_type.name().into());
    let event = audit::success(&tenant.id, "authorize.accepted", &interaction.correlation_id, context)
        .client(&request.client_id)
        .detail(detail)
        .change();
    (interaction, event)
}

/// Where a response is wanted, unjudged.
#[derive(Clone, Copy)]
pub(super) struct Address<'a> {
    pub(super) uri: &'a str,
    pub(super) state: Option<&'a str>,
    pub(super) response_type: Option<&'a str>,
    pub(super) response_mode: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// From parameters by name; `None` without a redirect URI.
    fn named(value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            uri: value("redirect_uri")?,
            state: value("state"),
            response_type: value("response_type"),
            response_mode: value("response_mode"),
        })
    }

    /// The place, if it is registered, and the way to it, if it can be gone.
    fn check(self, facts: &Facts<'_>, client: &Client, context: &Context<'_>) -> Result<ReturnTo, Fault> {
        let encrypted = client.settings.authorization_response.encrypted.is_some();
        let mode = channel::choose(self.response_type, self.response_mode, encrypted).mode;
        let (keys, tenant) = (facts.client_keys, facts.tenant);
        let channel = || Channel::new(mode, client, keys, &tenant.settings, context.now);
        // An address that is not registered is the first thing to tell.
        let checked = redirect::check(client, self.uri, self.state, &tenant.issuer, Channel::query())?;
        Ok(checked.by(channel()?))
    }
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
