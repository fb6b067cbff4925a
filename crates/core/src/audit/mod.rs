//! Builds audit events, and the chain over them.

pub mod chain;
mod kinds;

use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

pub use self::kinds::Kind;
use crate::change::Change;
use crate::context::Context;
use crate::explain;
use crate::fault::Fault;
use crate::ids::{ClientId, TenantId};
use crate::records::{AuditEvent, Outcome};

/// Who did something, as the audit trail names them. Its text is a label: the kind, a colon, the id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// A person, by themselves or with a role.
    User(Uuid),
    /// A client that acts for itself.
    Client(ClientId),
    /// Whoever may run commands where Signet runs.
    CommandLine,
}

/// The label of [`By::CommandLine`].
const COMMAND_LINE: &str = "command line";

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::CommandLine => f.write_str(COMMAND_LINE),
        }
    }
}

/// Reads a label.
impl FromStr for By {
    type Err = NobodysLabel;

    fn from_str(label: &str) -> Result<Self, NobodysLabel> {
        match label.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| NobodysLabel),
            Some(("client", id)) if !id.is_empty() => Ok(Self::Client(ClientId::new(id))),
            None if label == COMMAND_LINE => Ok(Self::CommandLine),
            _ => Err(NobodysLabel),
        }
    }
}

/// A text that is no label of a [`By`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of `user:` with an id, `client:` with a client_id, `command line`")]
pub struct NobodysLabel;

/// Names who did what these changes tell of, in each event that names nobody.
pub fn attribute(changes: &mut [Change], by: &By) {
    for change in changes {
        if let Change::Audit(event) = change {
            event.actor.get_or_insert_with(|| by.to_string());
        }
    }
}

/// An event under construction.
#[derive(Debug)]
pub struct Draft(AuditEvent);

/// Something was done.
pub fn success(tenant: &TenantId, kind: Kind, correlation_id: &str, context: &Context<'_>) -> Draft {
    Draft(AuditEvent {
        tenant: tenant.clone(),
        id: context.uuid(),
        at: context.now,
        kind: kind.name().to_owned(),
        outcome: Outcome::Success,
        reason: None,
        correlation_id: correlation_id.to_owned(),
        client_id: None,
        user_id: None,
        actor: None,
        detail: Map::new(),
    })
}

/// The fact that holds the text that was shown for a refusal, where its reason code alone does not tell it.
pub const TEXT: &str = "text";

/// Something was refused.
pub fn refused(
    tenant: &TenantId,
    kind: Kind,
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

    /// Names who did it.
    #[must_use]
    pub fn by(mut self, by: &By) -> Self {
        self.0.actor = Some(by.to_string());
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
