//! Creations that may be sent twice: the same idempotency key makes a thing once.

use serde::Serialize;
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::records::Receipt;
use zeroize::Zeroizing;

use super::{Desk, Refused, Result, Write};

/// How long a key is remembered at least, in seconds.
const REMEMBERED: i64 = 86_400;

/// What is known of a creation before it is made.
#[derive(Debug)]
pub(super) enum Before {
    /// It was made already, under this name.
    Made(String),
    /// It is new. The pass makes the change that goes along with it.
    New(Pass),
}

/// Leave to make something under an idempotency key, or without one.
#[derive(Debug)]
pub(super) struct Pass(Option<(TokenHash, TokenHash)>);

impl Desk<'_> {
    /// Judges the idempotency key of a creation. `what` names the kind of thing, `input` is all that was sent, passwords
    /// too: of it a MAC under the master key is kept, with which nobody can try passwords.
    pub(super) async fn before(&self, write: &Write, what: &str, input: &impl Serialize) -> Result<Before> {
        let Some(key) = write.idempotency_key.as_deref().filter(|_| !write.dry_run) else {
            return Ok(Before::New(Pass(None)));
        };
        let key = TokenHash::of(key);
        let requests = self.fingerprints(what, input)?;
        let [request, ..] = requests[..] else {
            return Err(Fault::Internal { detail: "there is no master key" }.into());
        };
        let found = self.app.store.receipt(&self.tenant().id, &self.actor.by().to_string(), &key).await?;
        match found {
            None => Ok(Before::New(Pass(Some((key, request))))),
            Some(receipt) if requests.contains(&receipt.request) => Ok(Before::Made(receipt.resource)),
            Some(_) => Err(Refused::KeyReused),
        }
    }

    fn fingerprints(&self, what: &str, input: &impl Serialize) -> Result<Vec<TokenHash>> {
        let text = serde_json::to_vec(&(what, input))
            .map_err(|_| Fault::Internal { detail: "a request could not be written down" })?;
        let found = self.app.vault.fingerprints(&Zeroizing::new(text));
        Ok(found.into_iter().map(TokenHash::from_bytes).collect())
    }

    /// After a refusal: the name of what the same key has made at the same moment, if that is why.
    pub(super) async fn meanwhile(
        &self,
        write: &Write,
        what: &str,
        input: &impl Serialize,
        refused: Refused,
    ) -> Result<String> {
        let contended = matches!(refused, Refused::Exists | Refused::KeyReused | Refused::Stale { .. });
        if !contended {
            return Err(refused);
        }
        match self.before(write, what, input).await? {
            Before::Made(name) => Ok(name),
            Before::New(_) => Err(refused),
        }
    }

    /// The change that keeps the name of what is made; none without an idempotency key.
    pub(super) fn kept(&self, pass: &Pass, resource: &str) -> Vec<Change> {
        let receipt = pass.0.map(|(key, request)| Receipt {
            tenant: self.tenant().id.clone(),
            actor: self.actor.by().to_string(),
            key,
            request,
            resource: resource.to_owned(),
            created_at: self.now,
            expires_at: self.now + REMEMBERED,
        });
        receipt.map(Change::InsertReceipt).into_iter().collect()
    }
}
