//! A client's keys: from declared sources to records.

use crate::audit::Kind;
use std::collections::BTreeSet;

use serde_json::{Map, Value};
use signet_jose::{ImportedKey, KeyUse, Origin, PublicKey};

use super::declaration::KeyDeclaration;
use super::fault::Refusal;
use crate::change::Change;
use crate::context::{Context, UnixTime};
use crate::ids::{ClientId, TenantId};
use crate::records::{ClientKey, KeyOrigin};

/// Most keys of one client that are not withdrawn.
const MAX_KEYS: usize = 50;
/// Longest name of a key.
const MAX_NAME: usize = 100;

/// Whose keys, and what is there already.
pub(super) struct Owner<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) client_id: &'a ClientId,
    pub(super) current: &'a [ClientKey],
}

/// What the declared keys come to.
#[derive(Debug, Default)]
pub(super) struct KeyPlan {
    /// Withdrawals first, so that a `kid` is free again before it is given anew.
    pub(super) changes: Vec<Change>,
    pub(super) differences: Vec<String>,
    /// Kind and key of each audit event.
    pub(super) events: Vec<(Kind, ClientKey)>,
    /// The keys as they will be.
    pub(super) after: Vec<ClientKey>,
}

/// One public key of a declaration.
struct Wanted {
    name: String,
    usage: KeyUse,
    key: PublicKey,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
    origin: KeyOrigin,
}

impl Wanted {
    /// as the client named it, else the RFC 7638 thumbprint.
    fn kid(&self) -> &str {
        self.key.kid().unwrap_or(self.key.thumbprint())
    }

    /// Whether the source says more than the bare material.
    fn is_named(&self) -> bool {
        self.key.kid().is_some() || self.key.alg().is_some()
    }

    /// The JWK as it is stored. Responses always carry a kid. A signing key whose owner gave it no kid stays
    /// without one in the JWK, so that it verifies objects whatever kid their header has.
    fn jwk(&self) -> Map<String, Value> {
        let key = self.key.clone().with_use(self.usage);
        let named = key.kid().is_some() || self.usage == KeyUse::Enc;
        if named { key.with_kid(self.kid()).to_jwk() } else { key.to_jwk() }
    }
}

/// Closes the gap between the declared keys and those that are there.
pub(super) fn plan(
    declared: &[KeyDeclaration],
    prune: bool,
    owner: &Owner<'_>,
    context: &Context<'_>,
) -> Result<KeyPlan, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut wanted: Vec<Wanted> = Vec::new();
    for declaration in declared {
        match read(declaration) {
            Ok(keys) => wanted.extend(keys),
            Err(wrong) => refusals.extend(wrong),
        }
    }
    refusals.extend(repeated(&wanted));
    let mut plan = KeyPlan { after: owner.current.to_vec(), ..KeyPlan::default() };
    let mut kept = BTreeSet::new();
    let mut inserts = Vec::new();
    for one in wanted {
        match place(&one, owner) {
            Ok(Place::New) => inserts.push(one),
            Ok(Place::Same(key)) => {
                kept.insert(key.id);
                plan.update(key, one);
            }
            Ok(Place::Replaced(key)) => {
                kept.insert(key.id);
                plan.withdraw(key, context.now);
                inserts.push(one);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    if prune {
        let gone = |key: &&ClientKey| key.revoked_at.is_none() && !kept.contains(&key.id);
        for key in owner.current.iter().filter(gone) {
            plan.withdraw(key, context.now);
        }
    }
    for one in inserts {
        plan.insert(record(one, owner, context));
    }
    let found = plan.after.iter().filter(|key| key.revoked_at.is_none()).count();
    if found > MAX_KEYS {
        refusals.push(Refusal::KeysTooMany { found, max: MAX_KEYS });
    }
    if refusals.is_empty() { Ok(plan) } else { Err(refusals) }
}

/// Within one declaration neither material nor `kid` may repeat.
fn repeated(wanted: &[Wanted]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        let before = &wanted[..index];
        if let Some(other) = before.iter().find(|other| other.key.thumbprint() == one.key.thumbprint()) {
            refusals.push(Refusal::KeyReused { name: one.name.clone(), other: other.name.clone() });
        } else if before.iter().any(|other| other.kid() == one.kid()) {
            refusals.push(Refusal::KidTaken { name: one.name.clone(), kid: one.kid().to_owned() });
        }
    }
    refusals
}

enum Place<'a> {
    /// Not there yet.
    New,
    /// There already, under this record.
    Same(&'a ClientKey),
    /// There already, but with another `kid` or bound to another algorithm.
    Replaced(&'a ClientKey),
}

fn place<'a>(wanted: &Wanted, owner: &Owner<'a>) -> Result<Place<'a>, Refusal> {
    let name = || wanted.name.clone();
    let live = || owner.current.iter().filter(|key| key.revoked_at.is_none());
    let same = live().find(|key| key.thumbprint == wanted.key.thumbprint());
    // The same kid with other material would go unnoticed by everybody who caches keys by kid.
    let taken = |key: &&ClientKey| key.kid == wanted.kid() && key.thumbprint != wanted.key.thumbprint();
    if live().any(|key| taken(&key)) {
        return Err(Refusal::KidTaken { name: name(), kid: wanted.kid().to_owned() });
    }
    match same {
        //
        Some(key) if key.usage != wanted.usage => {
            Err(Refusal::KeyReused { name: name(), other: key.name.clone() })
        }
        // PEM and certificates name neither; then whatever the key has is kept.
        Some(key) if wanted.is_named() && wanted.jwk() != key.jwk => Ok(Place::Replaced(key)),
        Some(key) => Ok(Place::Same(key)),
        // Withdrawn most often means leaked: a file that still has the key must not bring it back.
        None if owner.current.iter().any(|key| key.thumbprint == wanted.key.thumbprint()) => {
            Err(Refusal::KeyWithdrawn { name: name(), kid: wanted.kid().to_owned() })
        }
        None => Ok(Place::New),
    }
}

impl KeyPlan {
    fn update(&mut self, key: &ClientKey, wanted: Wanted) {
        let Wanted { name, not_before, not_after, .. } = wanted;
        let after = ClientKey { name, not_before, not_after, ..key.clone() };
        if after == *key {
            return;
        }
        self.differences.extend(super::difference::between(&what(key), key, &after));
        self.changes.push(Change::UpdateClientKey {
            client_id: key.client_id.clone(),
            id: key.id,
            name: after.name.clone(),
            not_before,
            not_after,
        });
        self.replace(after, Kind::ClientKeyUpdated);
    }

    fn withdraw(&mut self, key: &ClientKey, now: UnixTime) {
        self.differences.push(format!("{}: withdrawn", what(key)));
        self.changes.push(Change::RevokeClientKey { client_id: key.client_id.clone(), id: key.id, at: now });
        self.replace(ClientKey { revoked_at: Some(now), ..key.clone() }, Kind::ClientKeyRevoked);
    }

    fn replace(&mut self, after: ClientKey, kind: Kind) {
        if let Some(place) = self.after.iter_mut().find(|key| key.id == after.id) {
            place.clone_from(&after);
        }
        self.events.push((kind, after));
    }

    fn insert(&mut self, key: ClientKey) {
        self.differences.push(format!("{}: new, \"{}\"", what(&key), key.usage));
        self.changes.push(Change::InsertClientKey(key.clone()));
        self.after.push(key.clone());
        self.events.push((Kind::ClientKeyAdded, key));
    }
}

pub(super) fn what(key: &ClientKey) -> String {
    format!("client \"{}\" key \"{}\" (kid \"{}\")", key.client_id, key.name, key.kid)
}

fn record(wanted: Wanted, owner: &Owner<'_>, context: &Context<'_>) -> ClientKey {
    let kid = wanted.kid().to_owned();
    let thumbprint = wanted.key.thumbprint().to_owned();
    let jwk = wanted.jwk();
    ClientKey {
        tenant: owner.tenant.clone(),
        client_id: owner.client_id.clone(),
        id: context.uuid(),
        name: wanted.name,
        usage: wanted.usage,
        kid,
        thumbprint,
        jwk,
        not_before: wanted.not_before,
        not_after: wanted.not_after,
        origin: wanted.origin,
        created_at: context.now,
        revoked_at: None,
    }
}

/// The keys of a declaration, or all that is wrong with it.
fn read(declaration: &KeyDeclaration) -> Result<Vec<Wanted>, Vec<Refusal>> {
    match (named(declaration), sourced(declaration)) {
        (Ok(()), Ok(keys)) => Ok(keys),
        (name, source) => Err(name.err().into_iter().chain(source.err()).collect()),
    }
}

fn named(declaration: &KeyDeclaration) -> Result<(), Refusal> {
    let fits = (1..=MAX_NAME).contains(&declaration.name.trim().chars().count())
        && !declaration.name.chars().any(char::is_control);
    if !fits {
        return Err(Refusal::KeyName { name: declaration.name.chars().take(MAX_NAME).collect() });
    }
    Ok(())
}

fn sourced(declaration: &KeyDeclaration) -> Result<Vec<Wanted>, Refusal> {
    let name = || declaration.name.chars().take(MAX_NAME).collect();
    let text = match &declaration.source {
        Value::String(text) => text.clone(),
        object @ Value::Object(_) => object.to_string(),
        _ => return Err(Refusal::KeySourceForm { name: name() }),
    };
    let import =
        signet_jose::import(text.as_bytes()).map_err(|fault| Refusal::KeySource { name: name(), fault })?;
    // Of a set that holds keys for both, those for the declared usage are meant.
    let keys: Vec<_> = import.keys.into_iter().filter(|one| one.key.can(declaration.usage)).collect();
    if keys.is_empty() {
        return Err(Refusal::KeyUsage { name: name(), usage: declaration.usage });
    }
    let several = keys.len() > 1;
    keys.into_iter().map(|one| wanted(declaration, one, several)).collect()
}

fn wanted(declaration: &KeyDeclaration, one: ImportedKey, several: bool) -> Result<Wanted, Refusal> {
    // the source's own period, unless another one is given explicitly.
    let not_before = declaration.not_before.or(one.not_before);
    let not_after = declaration.not_after.or(one.not_after);
    if not_before.zip(not_after).is_some_and(|(from, until)| until <= from) {
        return Err(Refusal::KeyPeriod { name: declaration.name.clone() });
    }
    let origin = declaration.origin.unwrap_or(match one.origin {
        Origin::Jwk => KeyOrigin::Jwk,
        Origin::Jwks => KeyOrigin::Jwks,
        Origin::Pem => KeyOrigin::Pem,
        Origin::X509 => KeyOrigin::X509,
    });
    let name = if several {
        let kid = one.key.kid().unwrap_or(one.key.thumbprint());
        format!("{} ({kid})", declaration.name)
    } else {
        declaration.name.clone()
    };
    Ok(Wanted { name, usage: declaration.usage, key: one.key, not_before, not_after, origin })
}

/// What the audit trail keeps of a key.
pub(super) fn audited(key: &ClientKey) -> Map<String, Value> {
    let mut detail = Map::new();
    for (name, value) in [
        ("key_name", key.name.as_str().into()),
        ("kid", key.kid.as_str().into()),
        ("thumbprint", key.thumbprint.as_str().into()),
        ("usage", key.usage.name().into()),
        ("origin", key.origin.name().into()),
        ("not_before", key.not_before.into()),
        ("not_after", key.not_after.into()),
    ] {
        detail.insert(name.to_owned(), value);
    }
    detail
}
