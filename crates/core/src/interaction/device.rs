//! The end of a login that a device waits for (RFC 8628 section 3.3): nothing is redirected, the device's code is decided.

use super::respond::{Issuing, finish};
use super::{Input, Step, granted_scope, next, usable_login};
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::context::Context;
use crate::device;
use crate::fault::Fault;
use crate::records::{DeviceCode, DeviceStage};

/// The person allows it. On [`crate::change::Conflict::Device`] load and decide again: the device may just have polled; and
/// on [`crate::change::Conflict::Session`], where the session has just ended.
pub fn approve(
    input: &Input<'_>,
    device: Option<&DeviceCode>,
    context: &Context<'_>,
) -> Result<Vec<Change>, Fault> {
    match next(input, context.now) {
        Step::Refuse(fault) => return Err(fault),
        Step::Login | Step::Register | Step::Second { .. } | Step::Enrol => return Err(Fault::LoginRequired),
        Step::Consent(_) | Step::Respond => {}
    }
    let (session, user) = usable_login(input, context.now).ok_or(Fault::LoginRequired)?;
    let mut device = open(input, device, context)?;
    let scope = granted_scope(input, user)?;
    let issuing = Issuing { input, session, user, scope, grant_id: context.uuid(), context };
    device.stage = DeviceStage::Approved {
        grant_id: issuing.grant_id,
        scope: issuing.scope.clone(),
        authentication: issuing.authentication(),
    };
    let event = audit::success(&input.tenant.id, Kind::DeviceApproved, &device.correlation_id, context)
        .client(&device.request.client_id)
        .user(user.id);
    // What was allowed to a device is not remembered: the next one is asked for again in any case.
    let mut changes = vec![finish(input.interaction, context)];
    changes.extend(issuing.in_session());
    changes.extend([
        issuing.grant(),
        issuing.session_client(),
        Change::UpdateDeviceCode { device, at: context.now },
        event.change(),
    ]);
    Ok(changes)
}

/// The person refuses, or cannot be let through. On [`crate::change::Conflict::Device`] load and decide again.
pub fn deny(
    input: &Input<'_>,
    device: Option<&DeviceCode>,
    fault: &Fault,
    context: &Context<'_>,
) -> Result<Vec<Change>, Fault> {
    let mut device = open(input, device, context)?;
    device.stage = DeviceStage::Denied;
    let mut event =
        audit::refused(&input.tenant.id, Kind::DeviceDenied, fault, &device.correlation_id, context)
            .client(&device.request.client_id);
    if let Some(user) = input.user {
        event = event.user(user.id);
    }
    Ok(vec![
        finish(input.interaction, context),
        Change::UpdateDeviceCode { device, at: context.now },
        event.change(),
    ])
}

/// The next state of a device authorization that is still to be decided, and that this very interaction is about.
fn open(input: &Input<'_>, found: Option<&DeviceCode>, context: &Context<'_>) -> Result<DeviceCode, Fault> {
    let request = &input.interaction.request;
    let mine = |device: &&DeviceCode| {
        request.device == Some(device.hash) && device.request.client_id == request.client_id
    };
    let device = found.filter(mine).filter(|device| device::is_open(device, context.now));
    let mut device = device.ok_or(Fault::UserCodeUnknown)?.clone();
    device.version += 1;
    Ok(device)
}
