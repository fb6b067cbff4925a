//! Clients: from a declared record to the changes that make it so.

use super::declaration::{ClientDeclaration, Secret};
use super::fault::Refusal;
use super::keys::{self, KeyPlan, Owner};
use super::{Provisioned, difference};
use crate::audit;
use crate::change::Change;
use crate::client_policy::{self, Mode};
use crate::context::{Context, Minted};
use crate::ids::TokenHash;
use crate::records::{Client, ClientAuthMethod, ClientKey, Tenant};

/// Prefix of client secrets that are made here.
pub const SECRET_PREFIX: &str = "sgn_cs_";
/// Shortest secret that may be set. Secrets are stored as plain hashes, which protects only what cannot be guessed
/// (RFC 6749 section 10.10).
const MIN_SECRET: usize = 24;
/// Longest secret that may be set.
const MAX_SECRET: usize = 255;

/// What is there already.
#[derive(Clone, Copy, Debug)]
pub struct ClientFacts<'a> {
    /// Whose client.
    pub tenant: &'a Tenant,
    /// The client, if there is one of that name.
    pub current: Option<&'a Client>,
    /// Every key of it, withdrawn ones included.
    pub keys: &'a [ClientKey],
    /// How strict the installation is.
    pub mode: Mode,
}

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
    let tenant = &facts.tenant.id;
    let owner = Owner { tenant, client_id: &declared.client_id, current: facts.keys };
    let keys = keys::plan(&declared.keys, declared.prune_keys, &owner, context);
    let minted = secret(declared, facts, context);
    // The settings are judged with the keys as they will be, or as they are if those declared cannot be read.
    let after = keys.as_ref().map_or(facts.keys, |plan| plan.after.as_slice());
    let has_secret = minted.as_ref().map_or(true, |decided| decided.hash.is_some());
    let settings = &declared.settings;
    let policies = &facts.tenant.settings;
    // Switching a client off must work whatever has become of its settings since: its last key may have ended.
    let only_off = declared.disabled && facts.current.is_some_and(|client| client.settings == *settings);
    if !only_off {
        let problems = client_policy::check(settings, has_secret, after, policies, facts.mode, context.now);
        refusals.extend(problems.into_iter().map(refusal));
    }
    let (keys, secret) = match (keys, minted) {
        (Ok(keys), Ok(secret)) if refusals.is_empty() => (keys, secret),
        (keys, secret) => {
            refusals.extend(keys.err().unwrap_or_default());
            refusals.extend(secret.err());
            return Err(refusals);
        }
    };
    let mut provisioned = assemble(declared, facts, &keys, &secret, correlation_id, context);
    provisioned.advice = client_policy::advice(settings, &keys.after, context.now);
    provisioned.secret = secret.minted.map(|minted| minted.secret);
    Ok(provisioned)
}

/// The client's secret as it will be.
struct DecidedSecret {
    hash: Option<TokenHash>,
    minted: Option<Minted>,
}

fn secret(
    declared: &ClientDeclaration,
    facts: &ClientFacts<'_>,
    context: &Context<'_>,
) -> Result<DecidedSecret, Refusal> {
    let current = facts.current.and_then(|client| client.secret_hash);
    let kept = |hash| Ok(DecidedSecret { hash, minted: None });
    match (&declared.secret, declared.generate_secret) {
        (Some(_), true) => Err(Refusal::SecretTwice),
        (Some(secret), false) if current.is_some_and(|hash| hash.matches(secret.expose())) => kept(current),
        (Some(secret), false) => {
            strong(secret, facts.mode)?;
            kept(Some(TokenHash::of(secret.expose())))
        }
        (None, true) if current.is_none() => {
            let minted = context.mint(SECRET_PREFIX);
            Ok(DecidedSecret { hash: Some(minted.hash), minted: Some(minted) })
        }
        // A client that becomes public has no use for the secret it had.
        (None, false) if declared.settings.token_endpoint_auth_method == ClientAuthMethod::None => kept(None),
        (None, _) => kept(current),
    }
}

/// RFC 6749 appendix A.2: visible ASCII. Tests may use short ones.
fn strong(secret: &Secret, mode: Mode) -> Result<(), Refusal> {
    let min = if mode == Mode::Development { 1 } else { MIN_SECRET };
    let text = secret.expose();
    if (min..=MAX_SECRET).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Refusal::SecretWeak { min })
    }
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
    let own = differences.clone();
    differences.extend(keys.differences.iter().cloned());
    if differences.is_empty() {
        return Provisioned::default();
    }
    next.version += 1;
    next.disabled = declared.disabled;
    next.secret_hash = secret.hash;
    next.settings = declared.settings.clone();
    next.updated_at = context.now;
    let kind = if facts.current.is_some() { "client.updated" } else { "client.created" };
    let mut changes = vec![match facts.current {
        Some(_) => Change::UpdateClient(next),
        None => Change::InsertClient(next),
    }];
    changes.extend(keys.changes.iter().cloned());
    let event = |kind: &str| {
        audit::success(&facts.tenant.id, kind, correlation_id, context).client(&declared.client_id)
    };
    if !own.is_empty() {
        changes.push(event(kind).fact("differences", own).change());
    }
    let of_key = |(kind, key): &(&'static str, ClientKey)| event(kind).detail(keys::audited(key)).change();
    changes.extend(keys.events.iter().map(of_key));
    Provisioned { changes, differences, ..Provisioned::default() }
}
