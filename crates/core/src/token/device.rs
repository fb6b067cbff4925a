//! A device asks for its tokens (RFC 8628 section 3.4).

use serde_json::Map;

use super::access::{AccessDraft, AccessFacts};
use super::{Chain, Facts, IdTokenDraft, Issue, Outcome, resource};
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::context::Context;
use crate::fault::Fault;
use crate::params::Params;
use crate::records::{Authentication, DeviceCode, DeviceStage, User};
use crate::response::{self, Login};

/// RFC 8628 section 3.5, `slow_down`: "the interval MUST be increased by 5 seconds for this and all subsequent requests".
const SLOWER: i64 = 5;

/// The facts of one poll.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFacts<'a> {
    /// What every grant has to go by.
    pub facts: Facts<'a>,
    /// What the store holds under the device code's hash.
    pub device: Option<&'a DeviceCode>,
    /// The user who allowed it.
    pub user: Option<&'a User>,
}

/// Judged before any code is looked up.
pub fn device_parameter(params: &Params) -> Result<&str, Fault> {
    params.get("device_code").ok_or(Fault::DeviceCodeMissing)
}

/// Judges a poll: every binding first, effects last. On [`crate::change::Conflict::Device`] load and decide again.
pub fn poll(input: DeviceFacts<'_>, context: &Context<'_>) -> Outcome {
    let facts = input.facts;
    let refuse =
        |fault| facts.refuse(fault, input.device.map(|device| device.correlation_id.as_str()), context);
    let Some(device) = input.device else { return refuse(Fault::DeviceCodeUnknown) };
    // RFC 8628 section 3.4 and RFC 6749 section 5.2: "was issued to another client". Its polls change nothing.
    if device.request.client_id != facts.client.client().client_id {
        return refuse(Fault::DeviceCodeForeign);
    }
    match &device.stage {
        // As with codes (RFC 6749 section 4.1.2): two parties have it, so what it gave ends.
        DeviceStage::Redeemed { grant_id } => {
            facts.refuse_and_revoke(Fault::DeviceCodeReplayed, *grant_id, &device.correlation_id, context)
        }
        DeviceStage::Denied => refuse(Fault::DeviceDenied),
        _ if context.now >= device.expires_at => refuse(Fault::DeviceCodeExpired),
        DeviceStage::Pending => pending(facts, device, context),
        DeviceStage::Approved { grant_id, scope: _, authentication } => {
            issue(input, device, *grant_id, authentication, context).unwrap_or_else(refuse)
        }
    }
}

/// Nobody has decided. What is written is only when the device asked, and the audit trail is spared its patience.
fn pending(facts: Facts<'_>, device: &DeviceCode, context: &Context<'_>) -> Outcome {
    let mut next = device.clone();
    next.version += 1;
    let hasty = device.polled_at.is_some_and(|at| context.now.saturating_sub(at) < device.interval);
    next.polled_at = Some(context.now);
    let fault = if hasty {
        next.interval = device.interval.saturating_add(SLOWER);
        Fault::SlowDown
    } else {
        Fault::AuthorizationPending
    };
    let polled = Change::UpdateDeviceCode { device: next, at: context.now };
    Outcome { changes: facts.client.claim().into_iter().chain([polled]).collect(), reply: Err(fault) }
}

fn issue(
    input: DeviceFacts<'_>,
    device: &DeviceCode,
    grant_id: uuid::Uuid,
    authentication: &Authentication,
    context: &Context<'_>,
) -> Result<Outcome, Fault> {
    let (facts, request) = (input.facts, &device.request);
    let (tenant, client) = (facts.tenant, facts.client.client());
    let known = input.user.filter(|user| !user.disabled && user.id == authentication.user_id);
    let user = known.ok_or(Fault::DeviceCodeUnknown)?;
    let audience = resource::audience(facts.params, &request.resources, client)?;
    let id_token = id_token(facts, device, authentication, user, context)?;
    let access = AccessDraft::new(
        AccessFacts {
            tenant,
            client,
            grant_id,
            user_id: Some(user.id),
            authentication: Some(authentication),
            scope: request.scope.clone(),
            claims: std::collections::BTreeSet::new(),
            audience,
            actor: None,
        },
        context,
    );
    let chain = Chain {
        tenant,
        client,
        grant_id,
        request,
        scope: &request.scope,
        authentication,
        correlation_id: &device.correlation_id,
    };
    let (refresh_token, link) = chain.start(context).unzip();
    let event = audit::success(&tenant.id, Kind::TokenIssued, &device.correlation_id, context)
        .client(&client.client_id)
        .user(user.id)
        .fact("grant_type", "device_code");
    let redeemed = DeviceCode {
        version: device.version + 1,
        stage: DeviceStage::Redeemed { grant_id },
        ..device.clone()
    };
    let mut changes: Vec<Change> = facts.client.claim().into_iter().collect();
    changes.push(Change::UpdateDeviceCode { device: redeemed, at: context.now });
    changes.extend(link);
    changes.push(event.change());
    let issue = Issue { access, refresh_token, id_token, extra: Map::new() };
    Ok(Outcome { changes, reply: Ok(issue) })
}

/// protected as everywhere, nested for sealed clients.
fn id_token(
    facts: Facts<'_>,
    device: &DeviceCode,
    authentication: &Authentication,
    user: &User,
    context: &Context<'_>,
) -> Result<Option<IdTokenDraft>, Fault> {
    let request = &device.request;
    if !request.scope.contains("openid") {
        return Ok(None);
    }
    let client = facts.client.client();
    let (keys, settings) = (facts.client_keys, &facts.tenant.settings);
    let protection =
        response::token_endpoint_protection(client, keys, settings, request.response_type, context.now)?;
    let login = Login { request, scope: &request.scope, authentication, nonce: None };
    let claims = response::id_token_claims(facts.tenant, client, user, &login, context.now);
    Ok(Some(IdTokenDraft { protection, claims }))
}
