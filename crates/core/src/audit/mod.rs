//! Builds audit events, and the chain over them.

pub mod chain;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::change::Change;
use crate::context::Context;
use crate::explain;
use crate::fault::Fault;
use crate::ids::{ClientId, TenantId};
use crate::records::{AuditEvent, Outcome};

/// An event under construction.
#[derive(Debug)]
pub struct Draft(AuditEvent);

/// Something was done.
pub fn success(tenant: &TenantId, kind: &str, correlation_id: &str, context: &Context<'_>) -> Draft {
    Draft(AuditEvent {
        tenant: tenant.clone(),
        id: context.uuid(),
        at: context.now,
        kind: kind.to_owned(),
        outcome: Outcome::Success,
        reason: None,
        correlation_id: correlation_id.to_owned(),
        client_id: None,
        user_id: None,
        detail: Map::new(),
    })
}

/// The fact that holds the text that was shown for a refusal, where its reason code alone does not tell it.
pub const TEXT: &str = "text";

/// Something was refused.
pub fn refused(
    tenant: &TenantId,
    kind: &str,
    fault: &Fault,
    correlation_id: &str,
    context: &Context<'_>,
) -> Draft {
    let mut draft = success(tenant, kind, correlation_id, context);
    draft.0.outcome = Outcome::Refused;
    draft.0.reason = Some(fault.code().to_owned());
    if let detail @ Value::String(_) = fault.detail() {
        draft.0.detail.insert("offered".into(), detail);
    }
    if let Some(text) = fault.particular() {
        draft.0.detail.insert(TEXT.into(), explain::sentence(&text).into());
    }
    draft
}

impl Draft {
    /// Names the client.
    #[must_use]
    pub fn client(mut self, id: &ClientId) -> Self {
        self.0.client_id = Some(id.clone());
        self
    }

    /// Names the user.
    #[must_use]
    pub fn user(mut self, id: Uuid) -> Self {
        self.0.user_id = Some(id);
        self
    }

    /// Adds facts.
    #[must_use]
    pub fn detail(mut self, detail: Map<String, Value>) -> Self {
        self.0.detail.extend(detail);
        self
    }

    /// Adds one fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.detail.insert(name.to_owned(), value.into());
        self
    }

    /// The finished event.
    pub fn event(self) -> AuditEvent {
        self.0
    }

    /// The finished event, to be applied.
    pub fn change(self) -> Change {
        Change::Audit(Box::new(self.0))
    }
}
