//! The one way in which a session ends before its time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::delivery;
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::context::Context;
use crate::ids::ClientId;
use crate::records::{Client, LogoutDelivery, Session, Tenant};

/// A session that is to end.
#[derive(Debug)]
pub struct Ending<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// Which.
    pub session: &'a Session,
    /// Every client that it has logged in to.
    pub clients: &'a [Client],
    /// Ties the audit events of this logout together.
    pub correlation_id: &'a str,
    /// What ended it, for the audit trail.
    pub cause: &'a str,
}

/// What ends with it.
#[derive(Debug)]
pub struct Ended {
    /// To be applied in one transaction. [`crate::change::Conflict::Exists`] means that another request has just ended it.
    pub changes: Vec<Change>,
    /// Logout tokens to send; their first attempt is this request's.
    pub deliveries: Vec<LogoutDelivery>,
    /// Clients that are told by a frame.
    pub frames: Vec<ClientId>,
}

/// Ends a session: its cookie, the grants that hang on it, and what clients made of it.
///
/// Back-Channel Logout section 2.7: "Refresh tokens issued without the `offline_access` property to a session being logged
/// out SHOULD be revoked. Refresh tokens issued with the `offline_access` property normally SHOULD NOT be revoked." The
/// latter are of grants without a session.
pub fn end(ending: &Ending<'_>, context: &Context<'_>) -> Ended {
    let Ending { tenant, session, .. } = ending;
    let told = || ending.clients.iter().filter(|client| !client.disabled);
    let deliveries: Vec<LogoutDelivery> = told()
        .filter(|client| client.settings.backchannel_logout_uri.is_some())
        .map(|client| delivery(ending, client, context))
        .collect();
    let frames: Vec<ClientId> = told()
        .filter(|client| client.settings.frontchannel_logout_uri.is_some())
        .map(|client| client.client_id.clone())
        .collect();
    let event = audit::success(&tenant.id, Kind::SessionEnded, ending.correlation_id, context)
        .user(session.user_id)
        .fact("cause", ending.cause)
        .fact("back_channel", names(deliveries.iter().map(|delivery| &delivery.client_id)))
        .fact("front_channel", names(frames.iter()));
    let mut changes = vec![
        Change::DeleteSession(session.hash),
        Change::RevokeSessionGrants { sid: session.sid.clone(), at: context.now },
        Change::DeleteSessionClients { sid: session.sid.clone() },
    ];
    changes.extend(deliveries.iter().cloned().map(Change::InsertLogoutDelivery));
    changes.push(event.change());
    Ended { changes, deliveries, frames }
}

fn names<'a>(clients: impl Iterator<Item = &'a ClientId>) -> Vec<String> {
    clients.map(ToString::to_string).collect()
}

fn delivery(ending: &Ending<'_>, client: &Client, context: &Context<'_>) -> LogoutDelivery {
    delivery::first(&LogoutDelivery {
        tenant: ending.tenant.id.clone(),
        id: delivery_id(&ending.session.sid, &client.client_id),
        client_id: client.client_id.clone(),
        sid: ending.session.sid.clone(),
        user_id: ending.session.user_id,
        correlation_id: ending.correlation_id.to_owned(),
        created_at: context.now,
        attempts: 0,
        next_attempt_at: None,
        delivered_at: None,
        last_error: None,
    })
}

/// One session ends once for one client, so the two name the delivery: of two requests that end the same session at the
/// same time, one write wins.
fn delivery_id(sid: &str, client: &ClientId) -> Uuid {
    let parts = [sid, client.as_str()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let digest = Sha256::digest(format!("logout:{parts}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // RFC 9562 section 5.8: a UUID of one's own making.
    Builder::from_custom_bytes(bytes).into_uuid()
}
