//! Explaining requests with what this node holds.

use std::sync::Arc;

use signet_core::context::{Context, Entropy, UnixTime};
use signet_core::explain::{Bench, Opening, Pasted, Record, Report};
use signet_core::records::{AuditEvent, Client, ClientKey, Outcome, Tenant, TenantKey};
use signet_core::request_object::DecryptionKey;

use crate::hints;
use crate::keyring::Keyring;

/// What a request is explained with. A clone goes to the crypto pool.
#[derive(Clone)]
pub struct Tools {
    /// Whose endpoint.
    pub tenant: Tenant,
    /// Its keys that are not removed.
    pub keys: Vec<TenantKey>,
    /// Its decryption keys.
    pub decryption: Vec<DecryptionKey>,
    /// The built keys.
    pub keyring: Arc<Keyring>,
    /// For what is thrown away.
    pub entropy: Arc<dyn Entropy>,
    /// The instant.
    pub now: UnixTime,
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tools").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl Tools {
    /// Parses and decrypts. CPU-heavy.
    pub fn open(&self, pasted: Pasted) -> Opening {
        self.at(|bench| bench.open(pasted))
    }

    /// Judges what was opened, and explains; see [`Bench::explain`]. CPU-heavy.
    pub fn explain(
        &self,
        opening: Opening,
        client: Option<&Client>,
        keys: &[ClientKey],
        confined: bool,
    ) -> Report {
        self.at(|bench| bench.explain(opening, client, keys, confined))
    }

    fn at<T>(&self, work: impl FnOnce(&Bench<'_>) -> T) -> T {
        work(&Bench {
            tenant: &self.tenant,
            tenant_keys: &self.keys,
            decryption: &self.decryption,
            verifier: &|key, alg| self.keyring.verifier(key, alg),
            hint: &|token, client| {
                hints::judge(token, client, &self.tenant, &self.keys, &self.decryption, self.now)
            },
            context: Context { now: self.now, millis: 0, entropy: self.entropy.as_ref() },
        })
    }
}

/// The event that tells how a transaction failed, with its explanation; of several the last that was explained, else the
/// last. `events` are those of one correlation id, newest first.
pub fn failure(events: &[AuditEvent]) -> Option<(&AuditEvent, Report)> {
    let refused = || events.iter().filter(|event| event.outcome == Outcome::Refused);
    let explained = refused().find(|event| Record::read(&event.detail).is_some());
    explained.or_else(|| refused().next()).map(|event| (event, Report::of_event(event)))
}
