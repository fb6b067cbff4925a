//! What is taken from a client at once: a key, or the client itself. Neither waits for settings that would have to be
//! mended first; what will not work any more is said.

use uuid::Uuid;

use super::{Provisioned, client_facts::ClientFacts, keys};
use crate::audit::{self, Kind};
use crate::change::Change;
use crate::client_policy::{self, Contradiction, KeptSecret, Keys};
use crate::context::Context;
use crate::records::{Client, ClientKey, Tenant};

/// Withdraws one of a client's keys. The second half is what contradicts what from then on. `None` if the client has no
/// such key that is not withdrawn.
pub fn withdraw_key(
    client: &Client,
    id: Uuid,
    kept: KeptSecret,
    facts: &ClientFacts<'_>,
    correlation_id: &str,
    context: &Context<'_>,
) -> Option<(Provisioned, Vec<Contradiction>)> {
    let key = facts.keys.iter().find(|key| key.id == id && key.revoked_at.is_none())?;
    let after: Vec<ClientKey> = facts.keys.iter().filter(|other| other.id != id).cloned().collect();
    let (settings, policies) = (&client.settings, &facts.tenant.settings);
    let (own, known) = (&client.client_id, Keys { registered: &after, set: facts.key_set });
    let broken = client_policy::check(own, settings, kept, known, policies, facts.mode, context.now);
    let next = Client { version: client.version + 1, updated_at: context.now, ..client.clone() };
    let event = audit::success(&client.tenant, Kind::ClientKeyRevoked, correlation_id, context)
        .client(&client.client_id)
        .detail(keys::audited(key))
        .change();
    let revoke = Change::RevokeClientKey { client_id: client.client_id.clone(), id, at: context.now };
    let provisioned = Provisioned {
        changes: vec![Change::UpdateClient(next), revoke, event],
        differences: vec![format!("{}: withdrawn", keys::what(key))],
        advice: client_policy::advice(settings, known, context.now),
        secret: None,
    };
    Some((provisioned, broken))
}

/// Removes a client with its keys, consents and tokens.
pub fn remove_client(
    client: &Client,
    tenant: &Tenant,
    correlation_id: &str,
    context: &Context<'_>,
) -> Provisioned {
    let event = audit::success(&tenant.id, Kind::ClientDeleted, correlation_id, context)
        .client(&client.client_id)
        .fact("client_name", client.settings.client_name.as_str());
    // The version that was judged is the one that goes: the first change finds no other.
    let last = Client { version: client.version + 1, updated_at: context.now, ..client.clone() };
    let (ends, gone) = (Change::UpdateClient(last), Change::DeleteClient(client.client_id.clone()));
    Provisioned {
        changes: vec![ends, gone, event.change()],
        differences: vec![format!("client \"{}\": removed", client.client_id)],
        ..Provisioned::default()
    }
}
