//! The audit trail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::words;
use crate::context::UnixTime;
use crate::ids::{ClientId, TenantId};

/// One thing that happened. Never holds a secret, a token or a whole request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Whose trail.
    pub tenant: TenantId,
    /// Ordered by time (UUID version 7).
    pub id: Uuid,
    /// When.
    pub at: UnixTime,
    /// What, in dotted words (`authorize.accepted`).
    pub kind: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable reason code of a refusal.
    pub reason: Option<String>,
    /// Ties the events of one login together, and is shown on error pages.
    pub correlation_id: String,
    /// The client, as far as it is known.
    pub client_id: Option<ClientId>,
    /// The user, as far as known.
    pub user_id: Option<Uuid>,
    /// Who did it, as far as somebody did: the label of a [`crate::audit::By`]. `None` for what Signet does by itself, and for
    /// what clients and people do in a protocol.
    pub actor: Option<String>,
    /// Facts for the operator.
    pub detail: Map<String, Value>,
}

words! {
    /// How an audited step ended.
    Outcome {
        /// Done.
        Success = "success",
        /// Refused, with a reason.
        Refused = "refused",
    }
}

/// One link of the chain that makes the trail tamper-evident. A link covers the events that were written since the link before
/// it; what it says of them cannot be made again without the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSeal {
    /// Whose trail.
    pub tenant: TenantId,
    /// Counts up from 1 without gaps.
    pub number: i64,
    /// How many events it covers.
    pub count: i64,
    /// The newest instant among them.
    pub newest_at: UnixTime,
    /// The MAC over the link before and the events, in the order of their ids; see [`crate::audit::chain`].
    pub mac: [u8; 32],
    /// When it was made.
    pub sealed_at: UnixTime,
    /// When its events were removed because their time was over.
    pub purged_at: Option<UnixTime>,
    /// The MAC that says who removed them; see [`crate::audit::chain`].
    pub purge_mac: Option<[u8; 32]>,
}

/// How many events of one kind there were on one day; kept when the events themselves are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditTally {
    /// The day, counted from 1970-01-01 (UTC).
    pub day: i64,
    /// What happened.
    pub kind: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The reason code of refusals, else empty.
    pub reason: String,
    /// How often.
    pub count: i64,
}
