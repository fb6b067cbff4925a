//! The audit trail.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

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
    /// Facts for the operator.
    pub detail: Map<String, Value>,
}

/// How an audited step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Success,
    /// Refused, with a reason.
    Refused,
}
