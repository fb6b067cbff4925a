//! The decision: accept the request and store it, or refuse it at the right place.

use serde_json::Value;
use signet_jose::{Offered, Trace};

use super::channel::{self, Channel};
use super::noted::{listed, noted, sent};
use super::parameters::{self, Rules};
use super::raw::Raw;
use super::reference::reference;
use super::request::{AuthorizationRequest, RequestSource};
use crate::audit::{self, Kind};
use crate::builtin::Builtin;
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
    /// With a `request`, or a `request_uri` that was fetched.
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
}

/// To which endpoint the request came.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    /// To the authorization endpoint, by a browser.
    Browser,
    /// To the pushed authorization request endpoint, by this client, which has proved who it is.
    Push(&'a Client),
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
    /// To be applied in one transaction. On [`crate::change::Conflict::Replay`] call [`Outcome::replayed`], on
    /// [`crate::change::Conflict::PushedRequest`] the answer is [`Refused::taken`].
    pub changes: Vec<Change>,
    /// The answer.
    pub reply: Result<Accepted, Refused>,
    /// The checks.
    pub trace: Trace,
    pub(super) return_to: Option<ReturnTo>,
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

/// Judges an authorization request. `browser` is the hash of the cookie that will bind the interaction to the browser.
pub fn decide(
    facts: Facts<'_>,
    browser: TokenHash,
    arrival: Arrival,
    mut trace: Trace,
    context: &Context<'_>,
) -> Outcome {
    let mut return_to = None;
    let sent = if facts.params.get("request_uri").is_some() { "reference" } else { "value" };
    match judge(facts, Entry::Browser, arrival, &mut return_to, &mut trace, context) {
        Ok(judged) => {
            let beginning =
                Beginning { tenant: facts.tenant, browser, correlation_id: facts.correlation_id, sent };
            let (interaction, event) = beginning.begin(judged.request, context);
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
pub(super) struct Judged {
    pub(super) request: AuthorizationRequest,
    pub(super) replay: Option<Replay>,
}

pub(super) fn judge(
    facts: Facts<'_>,
    entry: Entry<'_>,
    arrival: Arrival,
    return_to: &mut Option<ReturnTo>,
    trace: &mut Trace,
    context: &Context<'_>,
) -> Result<Judged, Fault> {
    let tenant = facts.tenant;
    let client = known_client(&facts, entry, &arrival);
    let named = sent(outer_client_id(facts.params).as_ref().map(ClientId::as_str));
    let rule = ("client", "RFC 6749 section 2.2", "the client_id of a client that is known and not disabled");
    let client = noted(trace, rule, named, client)?;
    let beside = |name: &str| facts.params.get(name);
    let target = |address: Address<'_>| address.check(&facts, client, context);
    // until the object's signature is verified, errors go to the redirect URI beside it, if that one is
    // registered for the client_id beside it.
    if beside("client_id").is_some() {
        *return_to = Address::named(beside).and_then(|address| target(address).ok());
    }
    // RFC 9126 section 5: "accepts authorization request data only via PAR"; section 6, of a client: "whether the only means
    // of initiating an authorization request the client is allowed to use is PAR".
    // The provider's own pages do not push: whoever set this could not sign in any more to take it back.
    let pushed_only = Builtin::of(&client.client_id).is_none()
        && (tenant.settings.require_pushed_authorization_requests
            || client.settings.require_pushed_authorization_requests);
    if pushed_only {
        let pushed = if matches!(entry, Entry::Browser) { Err(Fault::PushRequired) } else { Ok(()) };
        let found = if pushed.is_ok() { "pushed" } else { "brought by the browser" };
        noted(trace, ("pushed", "RFC 9126 section 5", "pushed first"), found, pushed)?;
    }
    let (raw, object) = raw(&facts, entry, arrival, client, return_to, trace, context)?;
    *return_to = None;
    let uri = raw.redirect_uri.as_deref();
    let place = uri.ok_or(Fault::RedirectUriMissing).and_then(|uri| target(raw.address(uri)));
    let wanted = listed(client.settings.redirect_uris.iter().map(String::as_str));
    let wanted = format!("equal to one of: {wanted}");
    let rule = ("redirect_uri", "OpenID Connect Core section 3.1.2.1", wanted.as_str());
    *return_to = Some(noted(trace, rule, sent(uri), place)?);
    let source = object.as_ref().map_or(RequestSource::Parameters, |object| object.source);
    let rules = Rules { tenant: &tenant.settings, client, hint: facts.hint };
    let request = parameters::judge(raw, &rules, source, trace)?;
    let possible = responses_can_be_made(client, facts.client_keys, tenant, context);
    let found = if possible.is_ok() { "can be made" } else { "no encryption key of the client is valid now" };
    let rule =
        ("responses", "client settings", "responses that are protected as the client's settings demand");
    noted(trace, rule, found, possible)?;
    let replay = object.and_then(|o| o.claim(client, tenant.settings.clock_skew, context.now));
    Ok(Judged { request, replay })
}

/// From the way the request came to the parameters that count.
fn raw(
    facts: &Facts<'_>,
    entry: Entry<'_>,
    arrival: Arrival,
    client: &Client,
    return_to: &mut Option<ReturnTo>,
    trace: &mut Trace,
    context: &Context<'_>,
) -> Result<(Raw, Option<ObjectRequest>), Fault> {
    let beside = |name: &str| facts.params.get(name);
    match (entry, beside("request_uri")) {
        // RFC 9126 section 2.1: "the request_uri authorization request parameter is one exception, and it MUST NOT be
        // provided".
        (Entry::Push(_), Some(_)) => return Err(Fault::PushOfRequestUri),
        // RFC 9101 section 5: "A client MAY use the request or request_uri parameter but MUST NOT use both".
        (Entry::Browser, Some(_)) if beside("request").is_some() => return Err(Fault::RequestAndRequestUri),
        // Judged before it was fetched, and here again, so that nothing depends on that.
        (Entry::Browser, Some(uri)) => drop(reference(client, uri)?),
        (_, None) => {}
    }
    match arrival {
        // An object that was not opened must not pass as a request without one.
        Arrival::Plain if beside("request").or(beside("request_uri")).is_some() => {
            Err(Fault::Internal { detail: "a request object was left aside" })
        }
        // Without a redirect URI to go to, the page still tells the reason.
        Arrival::Plain if client.settings.require_request_object => {
            let rule = ("request_object", "client setting require_request_object", "a request object");
            noted(trace, rule, "none", Err(Fault::RequestObjectRequired))
        }
        Arrival::Plain => Ok((Raw::from_params(facts.params)?, None)),
        Arrival::Object(opened) => {
            let object = verified(opened?, facts, client, context, trace)?;
            let overrides = client.settings.request_object_parameters
                == RequestObjectParameters::ObjectOverrides
                // Only OpenID Connect Core section 6.1 knows objects without signature, and there the two are merged.
                || object.source == RequestSource::Unsigned;
            // From here on only the parameters that count decide where errors go, also those of the others.
            let counts = |name: &str| {
                let inside = object.claims.str(name).filter(|text| !text.is_empty());
                inside.or_else(|| beside(name).filter(|_| overrides && object.claims.get(name).is_none()))
            };
            *return_to =
                Address::named(counts).and_then(|address| address.check(facts, client, context).ok());
            let rule = ("parameter_types", "RFC 9101 section 4", "text, except max_age, claims and lists");
            let inside = Raw::from_claims(&object.claims);
            let found = inside.as_ref().err().map_or_else(|| "fit".to_owned(), wrong_type);
            let inside = noted(trace, rule, found, inside)?;
            // OpenID Connect Core section 6.1: "The values for these parameters [response_type and client_id] MUST match
            // those in the Request Object, if present." RFC 9101 section 6.3 reads nothing outside, so nothing can differ.
            let differs = |inner: &str| beside("response_type").is_some_and(|outer| outer != inner);
            if overrides && inside.response_type.as_deref().is_some_and(differs) {
                let rule =
                    ("response_type_outside", "OpenID Connect Core section 6.1", "as inside the object");
                return noted(trace, rule, "another one", Err(Fault::ObjectResponseTypeMismatch));
            }
            let raw = if overrides { inside.over(Raw::from_params(facts.params)?) } else { inside };
            Ok((raw, Some(object)))
        }
    }
}

fn wrong_type(fault: &Fault) -> String {
    match fault {
        Fault::ObjectParameterType { name } => format!("\"{name}\" has another type"),
        other => other.code().to_owned(),
    }
}

/// What an accepted request needs on its way through the pages.
pub(super) struct Beginning<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) browser: TokenHash,
    pub(super) correlation_id: &'a str,
    /// By value, by reference, or pushed.
    pub(super) sent: &'static str,
}

impl Beginning<'_> {
    /// The interaction, and the event that tells of it.
    pub(super) fn begin(self, request: AuthorizationRequest, context: &Context<'_>) -> (Interaction, Change) {
        let event = event(Kind::AuthorizeAccepted, self.tenant, self.correlation_id, &request, context)
            .fact("sent", self.sent)
            .change();
        let interaction = Interaction {
            tenant: self.tenant.id.clone(),
            id: context.handle(),
            browser: self.browser,
            version: 1,
            stage: Stage::Fresh,
            request,
            correlation_id: self.correlation_id.to_owned(),
            created_at: context.now,
            expires_at: context.now + self.tenant.settings.interaction_lifetime,
        };
        (interaction, event)
    }
}

/// What is told of every accepted request.
pub(super) fn event(
    kind: Kind,
    tenant: &Tenant,
    correlation_id: &str,
    request: &AuthorizationRequest,
    context: &Context<'_>,
) -> audit::Draft {
    audit::success(&tenant.id, kind, correlation_id, context)
        .client(&request.client_id)
        .fact("source", serde_json::to_value(request.source).unwrap_or(Value::Null))
        .fact("scope", request.scope.iter().cloned().collect::<Vec<_>>().join(" "))
        .fact("response_type", request.response_type.name())
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
fn known_client<'a>(facts: &Facts<'a>, entry: Entry<'a>, arrival: &Arrival) -> Result<&'a Client, Fault> {
    if let Entry::Push(client) = entry {
        return match (outer_client_id(facts.params), arrival) {
            // RFC 9126 section 2.1: client_id "is similarly required in a pushed authorization request"; section 3 has it
            // inside the object.
            (None, Arrival::Plain) => Err(Fault::ClientIdMissing),
            (Some(id), _) if id != client.client_id => Err(Fault::PushForAnother),
            _ => Ok(client),
        };
    }
    let named = match (outer_client_id(facts.params), arrival) {
        (Some(id), _) => id,
        // RFC 9101 section 5 wants client_id beside the object; A-48 and A.13-b: a tenant may do without. If the object
        // did not open, that is the reason to tell.
        (None, Arrival::Object(opened)) if facts.tenant.settings.client_id_in_object_only => {
            let named = opened.as_ref().map_err(Clone::clone)?.client_id().cloned();
            named.ok_or(Fault::ObjectClientIdMissing)?
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
    if let Some(inside) = opened.client_id().filter(|inside| **inside != client.client_id) {
        trace.fail(
            "client_id_outside",
            "RFC 9101 section 5",
            client.client_id.as_str(),
            Offered::new(inside.as_str()).as_str(),
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
pub(crate) fn responses_can_be_made(
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
