//! Pushed authorization requests (RFC 9126): judged when they are pushed, used once by a browser.

use crate::audit::Kind;
use signet_jose::Trace;
use zeroize::Zeroizing;

use super::channel::Channel;
use super::decide::{
    Accepted, Arrival, Beginning, Entry, Facts, Outcome, Refused, event, judge, responses_can_be_made,
};
use crate::change::Change;
use crate::client_auth::AuthenticatedClient;
use crate::context::Context;
use crate::fault::Fault;
use crate::ids::TokenHash;
use crate::params::Params;
use crate::records::{Client, ClientKey, PushedRequest, Tenant};
use crate::redirect;

/// What every `request_uri` from here starts with (RFC 9126 section 2.2, RFC 6755).
pub const PUSHED_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// What a client is told of its pushed request (RFC 9126 section 2.2).
#[derive(Debug)]
pub struct Pushed {
    /// For the browser.
    pub request_uri: Zeroizing<String>,
    /// For how many seconds.
    pub expires_in: i64,
}

/// What to write, what to answer, and every check that was made.
#[derive(Debug)]
pub struct PushOutcome {
    /// To be applied in one transaction. On [`crate::change::Conflict::Replay`] the answer is
    /// [`Fault::AssertionReplayed`] if the caller's [`AuthenticatedClient::claim`] conflicts by itself too, else
    /// [`Fault::ObjectReplayed`].
    pub changes: Vec<Change>,
    /// The answer. Errors are for the client that pushed; nothing is redirected.
    pub reply: Result<Pushed, Fault>,
    /// The checks.
    pub trace: Trace,
}

/// Judges a pushed request by the rules of the authorization endpoint.
///
/// RFC 9126 section 2.1: authenticate the client, "reject the request if the `request_uri` authorization request parameter
/// is provided", "validate the pushed request as it would an authorization request sent to the authorization endpoint."
pub fn push(
    facts: Facts<'_>,
    caller: &AuthenticatedClient,
    arrival: Arrival,
    mut trace: Trace,
    context: &Context<'_>,
) -> PushOutcome {
    let client = caller.client();
    let judged = match judge(facts, Entry::Push(client), arrival, &mut None, &mut trace, context) {
        Ok(judged) => judged,
        Err(fault) => return PushOutcome { changes: Vec::new(), reply: Err(fault), trace },
    };
    let minted = context.mint(PUSHED_PREFIX);
    let expires_in = client.settings.lifetimes.pushed_request;
    let event = event(Kind::AuthorizePushed, facts.tenant, facts.correlation_id, &judged.request, context);
    let pushed = PushedRequest {
        tenant: facts.tenant.id.clone(),
        hash: minted.hash,
        request: judged.request,
        correlation_id: facts.correlation_id.to_owned(),
        created_at: context.now,
        expires_at: context.now + expires_in,
    };
    // the push uses up the jti of its object, and nothing later does so again.
    let object = judged.replay.map(Change::ClaimReplay);
    let mut changes: Vec<Change> = caller.claim().into_iter().chain(object).collect();
    changes.extend([Change::InsertPushedRequest(pushed), event.change()]);
    PushOutcome { changes, reply: Ok(Pushed { request_uri: minted.secret, expires_in }), trace }
}

/// The hash of the pushed request that a browser brings, if it brings one. RFC 9101 section 5 forbids `request` beside it;
/// such a request is left to [`super::decide`], which says so.
pub fn pushed_request(params: &Params) -> Option<TokenHash> {
    let uri = params.get("request_uri").filter(|uri| uri.starts_with(PUSHED_PREFIX))?;
    params.get("request").is_none().then(|| TokenHash::of(uri))
}

/// The facts of the use of a pushed request.
#[derive(Clone, Copy, Debug)]
pub struct Taking<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// The client that `client_id` names. Every other parameter is ignored: RFC 9126 section 4 sends these two alone.
    pub client: Option<&'a Client>,
    /// That client's keys.
    pub client_keys: &'a [ClientKey],
    /// What was pushed under the `request_uri`.
    pub pushed: Option<&'a PushedRequest>,
    /// Hash of the cookie that will bind the interaction to the browser.
    pub browser: TokenHash,
}

/// Lets a browser go on with what was pushed, once.
pub fn take(taking: Taking<'_>, context: &Context<'_>) -> Outcome {
    let mut return_to = None;
    match usable(&taking, &mut return_to, context) {
        Ok(pushed) => {
            let used = Change::TakePushedRequest {
                hash: pushed.hash,
                client_id: pushed.request.client_id.clone(),
                at: context.now,
            };
            let beginning = Beginning {
                tenant: taking.tenant,
                browser: taking.browser,
                correlation_id: &pushed.correlation_id,
                sent: "pushed",
            };
            let (interaction, event) = beginning.begin(pushed.request.clone(), context);
            let accepted = Accepted { interaction_id: interaction.id.clone() };
            let changes = vec![used, Change::InsertInteraction(interaction), event];
            Outcome { changes, reply: Ok(accepted), trace: Trace::new(), return_to }
        }
        Err(fault) => {
            let refused = Refused { fault, return_to: return_to.clone() };
            Outcome { changes: Vec::new(), reply: Err(refused), trace: Trace::new(), return_to }
        }
    }
}

/// RFC 9126 section 4: "the authorization server MUST validate authorization requests arising from a pushed request as it
/// would any other"; what may have changed since is judged once more. Nothing that came with the browser says where an
/// error may go, so until the stored redirect URI is known to be good it is a page.
fn usable<'a>(
    taking: &Taking<'a>,
    return_to: &mut Option<redirect::ReturnTo>,
    context: &Context<'_>,
) -> Result<&'a PushedRequest, Fault> {
    let Taking { tenant, client, client_keys, .. } = *taking;
    let client = client.filter(|client| !client.disabled).ok_or(Fault::ClientUnknown)?;
    let pushed = taking.pushed.ok_or(Fault::PushedRequestUnknown)?;
    let request = &pushed.request;
    // Section 2.2: "The request_uri value MUST be bound to the client that posted the authorization request."
    if request.client_id != client.client_id {
        return Err(Fault::PushedRequestForeign);
    }
    // Section 4: "An expired request_uri MUST be rejected as invalid."
    if context.now >= pushed.expires_at {
        return Err(Fault::PushedRequestExpired);
    }
    let channel = Channel::new(request.response_mode, client, client_keys, &tenant.settings, context.now)?;
    let state = request.state.as_deref();
    *return_to = Some(redirect::check(client, &request.redirect_uri, state, &tenant.issuer, channel)?);
    responses_can_be_made(client, client_keys, tenant, context)?;
    Ok(pushed)
}

impl Refused {
    /// The answer when the write found a pushed request used or expired: a page, as for one that was never there.
    pub fn taken() -> Self {
        Self { fault: Fault::PushedRequestUnknown, return_to: None }
    }
}
