//! Clients: from a declared record to the changes that make it so.

use super::client_facts::ClientFacts;
use super::declaration::ClientDeclaration;
use super::fault::Refusal;
use super::keys::{self, KeyPlan, Owner};
use super::secret::{self, DecidedSecret};
use super::{Provisioned, difference};
use crate::audit::{self, Kind};
use crate::builtin::Builtin;
use crate::change::Change;
use crate::client_policy::{self, KeptSecret, Keys};
use crate::context::Context;
use crate::records::{Client, ClientKey};

/// Makes a client as `declared`. All that is wrong is said at once; nothing is written then.
///
/// Whatever changes about a client, its keys included, counts its version up: two administrators who change different
/// things at once meet in [`crate::change::Conflict::Version`].
pub fn client(
    declared: &ClientDeclaration,
    facts: &ClientFacts<'_>,
    correlation_id: &str,
    context: &Context<'_>,
) -> Result<Provisioned, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let refusal = |problem| Refusal::Setting { problem };
    if facts.current.is_none() {
        refusals.extend(client_policy::client_id(declared.client_id.as_str()).err().map(refusal));
    }
    let own = Builtin::of(&declared.client_id).map(|builtin| builtin.settings(facts.tenant));
    if own.is_some_and(|own| own != declared.settings || declared.disabled || !declared.keys.is_empty()) {
        refusals.push(Refusal::Builtin { name: declared.client_id.to_string() });
    }
    let tenant = &facts.tenant.id;
    let owner = Owner { tenant, client_id: &declared.client_id, current: facts.keys };
    let keys = keys::plan(&declared.keys, declared.prune_keys, &owner, context);
    let decided = secret::decide(declared, facts, context);
    // The settings are judged with the keys as they will be, or as they are if those declared cannot be read.
    let after = keys.as_ref().map_or(facts.keys, |plan| plan.after.as_slice());
    // A secret that is refused for its form is judged no further.
    let kept = decided.as_ref().map_or(KeptSecret::Sealed { bytes: usize::MAX }, DecidedSecret::kept);
    let settings = &declared.settings;
    let policies = &facts.tenant.settings;
    // Switching a client off must work whatever has become of its settings since: its last key may have ended.
    let only_off = declared.disabled && facts.current.is_some_and(|client| client.settings == *settings);
    if !only_off {
        // Whoever registers a client before it serves its keys keeps it switched off until then.
        let keys = Keys { registered: after, set: facts.key_set.filter(|_| !declared.disabled) };
        let id = &declared.client_id;
        let problems = client_policy::check(id, settings, kept, keys, policies, facts.mode, context.now);
        refusals.extend(problems.into_iter().map(refusal));
    }
    let (keys, secret) = match (keys, decided) {
        (Ok(keys), Ok(secret)) if refusals.is_empty() => (keys, secret),
        (keys, secret) => {
            refusals.extend(keys.err().unwrap_or_default());
            refusals.extend(secret.err());
            return Err(refusals);
        }
    };
    let mut provisioned = assemble(declared, facts, &keys, &secret, correlation_id, context);
    let known = Keys { registered: &keys.after, set: facts.key_set };
    provisioned.advice = client_policy::advice(settings, known, context.now);
    provisioned.secret = secret.minted.map(|minted| minted.secret);
    Ok(provisioned)
}

fn assemble(
    declared: &ClientDeclaration,
    facts: &ClientFacts<'_>,
    keys: &KeyPlan,
    secret: &DecidedSecret,
    correlation_id: &str,
    context: &Context<'_>,
) -> Provisioned {
    let what = format!("client \"{}\"", declared.client_id);
    let mut next = facts.current.cloned().unwrap_or_else(|| Client {
        tenant: facts.tenant.id.clone(),
        client_id: declared.client_id.clone(),
        version: 0,
        disabled: declared.disabled,
        secret_hash: None,
        sealed_secret: None,
        registration_token: None,
        owner: None,
        settings: declared.settings.clone(),
        created_at: context.now,
        updated_at: context.now,
    });
    let mut differences = if facts.current.is_some() { Vec::new() } else { vec![format!("{what}: new")] };
    differences.extend(difference::between(&what, &next.settings, &declared.settings));
    if next.disabled != declared.disabled {
        differences.push(format!("{what}: disabled: {} -> {}", next.disabled, declared.disabled));
    }
    if next.secret_hash != secret.hash {
        let done = if secret.hash.is_some() { "set" } else { "removed" };
        differences.push(format!("{what}: secret: {done}"));
    }
    if next.sealed_secret.is_some() != secret.sealed.is_some() {
        let kept = if secret.sealed.is_some() { "sealed, to verify MACs with" } else { "as a hash only" };
        differences.push(format!("{what}: secret: kept {kept}"));
    }
    let owner = declared.owner.unwrap_or(next.owner);
    differences.extend(difference::between(&format!("{what}: owner"), &next.owner, &owner));
    let own = differences.clone();
    differences.extend(keys.differences.iter().cloned());
    if differences.is_empty() {
        return Provisioned::default();
    }
    next.version += 1;
    next.disabled = declared.disabled;
    next.owner = owner;
    next.secret_hash = secret.hash;
    next.sealed_secret.clone_from(&secret.sealed);
    next.settings = declared.settings.clone();
    next.updated_at = context.now;
    let kind = if facts.current.is_some() { Kind::ClientUpdated } else { Kind::ClientCreated };
    let mut changes = vec![match facts.current {
        Some(_) => Change::UpdateClient(next),
        None => Change::InsertClient(next),
    }];
    changes.extend(keys.changes.iter().cloned());
    let event = |kind: Kind| {
        audit::success(&facts.tenant.id, kind, correlation_id, context).client(&declared.client_id)
    };
    if !own.is_empty() {
        changes.push(event(kind).fact("differences", own).change());
    }
    let of_key = |(kind, key): &(Kind, ClientKey)| event(*kind).detail(keys::audited(key)).change();
    changes.extend(keys.events.iter().map(of_key));
    Provisioned { changes, differences, ..Provisioned::default() }
}
