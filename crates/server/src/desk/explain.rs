//! Why a request fails.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::{AUDIT_READ, CLIENTS_READ};
use signet_core::context::UnixTime;
use signet_core::explain::{Opening, Pasted, Report};
use signet_core::ids::ClientId;

use super::{Desk, Refused, Result};
use crate::clients::Registered;
use crate::explaining::{self, Tools};

/// A request that was refused, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// The reference that its error page shows.
    pub correlation_id: String,
    /// When, in Unix seconds.
    pub at: UnixTime,
    /// What was refused, in dotted words.
    pub kind: String,
    /// Why.
    pub report: Report,
}

impl Desk<'_> {
    /// Explains a pasted request object, authorization URL, query or form body. `client_id` is whose an object is that was
    /// pasted alone and does not open. Nothing is consumed and nothing is written.
    ///
    /// Of a client that does not exist for the actor, nothing is told but that it is unknown.
    pub async fn explain(&self, text: &str, client_id: Option<&str>) -> Result<Report> {
        self.actor.need(CLIENTS_READ)?;
        let pasted = Pasted::read(text)?.of_client(client_id);
        let tools = self.tools();
        let (opener, confined) = (tools.clone(), self.actor.confined_to().is_some());
        let opening = self.app.crypto.run(move || opener.open(pasted)).await?;
        let found = if self.is_of_another(&opening).await? {
            None
        } else {
            self.seen(opening.client_id().as_ref()).await?
        };
        let explain = move || match found {
            Some(found) => tools.explain(opening, Some(&found.client), &found.keys, confined),
            None => tools.explain(opening, None, &[], confined),
        };
        Ok(self.app.crypto.run(explain).await?)
    }

    /// Explains a refused request by the reference that its error page shows.
    pub async fn explain_failure(&self, correlation_id: &str) -> Result<Failure> {
        self.actor.need(AUDIT_READ)?;
        let events = self.story(correlation_id).await?;
        let (event, report) = explaining::failure(&events).ok_or(Refused::NotFound)?;
        Ok(Failure {
            correlation_id: correlation_id.to_owned(),
            at: event.at,
            kind: event.kind.clone(),
            report,
        })
    }

    fn tools(&self) -> Tools {
        Tools {
            tenant: self.tenant().clone(),
            keys: self.view.keys.clone(),
            decryption: self.view.decryption.clone(),
            keyring: self.app.keyring.clone(),
            entropy: self.app.entropy.clone(),
            now: self.now,
        }
    }

    /// The client, if it exists for the actor.
    async fn seen(&self, id: Option<&ClientId>) -> Result<Option<Arc<Registered>>> {
        let Some(id) = id else { return Ok(None) };
        let found = self.app.client(&self.tenant().id, id).await?;
        Ok(found.filter(|found| self.actor.sees(&found.client)))
    }

    /// Whether the object was made for a client that the actor may not see, whatever stands beside it.
    async fn is_of_another(&self, opening: &Opening) -> Result<bool> {
        let Some(id) = opening.inside() else { return Ok(false) };
        let found = self.app.client(&self.tenant().id, id).await?;
        Ok(found.is_some_and(|found| !self.actor.sees(&found.client)))
    }
}
