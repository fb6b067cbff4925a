//! Users: names, claims, passwords.

use serde_json::Value;

use super::declaration::UserDeclaration;
use super::fault::Refusal;
use super::username::{new_username, username};
use super::{Provisioned, difference};
use crate::audit::{self, Kind};
use crate::authorize::has_nul;
use crate::change::Change;
use crate::claims::is_standard;
use crate::context::Context;
use crate::ids::TenantId;
use crate::records::{CustomScope, Role, User};

/// Longest value of a claim, in bytes of JSON.
const MAX_CLAIM: usize = 4096;

/// What is there already.
#[derive(Clone, Copy, Debug)]
pub struct UserFacts<'a> {
    /// Whose user.
    pub tenant: &'a TenantId,
    /// The tenant's own scopes; users may have the claims they stand for.
    pub scopes: &'a [CustomScope],
    /// The user of that name, if there is one.
    pub current: Option<&'a User>,
}

/// What became of a declared password outside this crate, where hashing happens.
#[derive(Clone)]
pub enum PasswordHash {
    /// No password was declared, or the stored hash already fits it.
    Keep,
    /// The fresh PHC string of the declared password.
    Set(String),
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Set(_) => "Set(…)",
        })
    }
}

/// Makes a user as `declared`. All that is wrong is said at once.
pub fn user(
    declared: &UserDeclaration,
    password: &PasswordHash,
    facts: &UserFacts<'_>,
    correlation_id: &str,
    context: &Context<'_>,
) -> Result<Provisioned, Vec<Refusal>> {
    let mut refusals: Vec<Refusal> =
        declared.claims.iter().filter_map(|(name, value)| claim(name, value, facts.scopes).err()).collect();
    let name =
        if facts.current.is_some() { username(&declared.username) } else { new_username(&declared.username) };
    let name = name.map_err(|refusal| refusals.push(refusal));
    let hash = hash(declared, password, facts.current).map_err(|refusal| refusals.push(refusal));
    let (Ok(name), Ok(hash), true) = (name, hash, refusals.is_empty()) else { return Err(refusals) };
    Ok(assemble(declared, name, hash, facts, correlation_id, context))
}

fn hash(
    declared: &UserDeclaration,
    password: &PasswordHash,
    current: Option<&User>,
) -> Result<Option<String>, Refusal> {
    let kept = current.and_then(|user| user.password_hash.clone());
    match (&declared.password, &declared.password_hash, password) {
        (Some(_), Some(_), _) => Err(Refusal::PasswordTwice),
        (_, None, PasswordHash::Set(hash)) => phc(hash),
        (None, Some(hash), _) => phc(hash.expose()),
        (Some(_), None, PasswordHash::Keep) if kept.is_none() => Err(Refusal::PasswordUnhashed),
        (_, None, PasswordHash::Keep) => Ok(kept),
    }
}

fn phc(hash: &str) -> Result<Option<String>, Refusal> {
    let fits =
        hash.starts_with("$argon2id$") && hash.len() <= 512 && hash.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(Some(hash.to_owned())) } else { Err(Refusal::PasswordHash) }
}

/// OpenID Connect Core section 5.1: names and types. `sub` and `updated_at` follow from the record itself.
fn claim(name: &str, value: &Value, scopes: &[CustomScope]) -> Result<(), Refusal> {
    // A claim of the tenant's own may be any JSON but null, which would mean that it is absent (section 5.3.2).
    if scopes.iter().flat_map(|scope| &scope.claims).any(|own| own == name) && !is_standard(name) {
        return sized(name, value, !value.is_null(), "not null");
    }
    if !is_standard(name) || ["sub", "updated_at"].contains(&name) {
        return Err(Refusal::ClaimUnknown { name: name.chars().take(100).collect() });
    }
    let (fits, wanted) = match name {
        "email_verified" | "phone_number_verified" => (value.is_boolean(), "true or false"),
        "address" => (value.is_object(), "an object"),
        "email" => (value.as_str().is_some_and(|text| text.contains('@')), "an e-mail address"),
        _ => (value.as_str().is_some_and(|text| !text.is_empty()), "text"),
    };
    sized(name, value, fits, wanted)
}

fn sized(name: &str, value: &Value, fits: bool, wanted: &'static str) -> Result<(), Refusal> {
    if has_nul(value) {
        return Err(Refusal::ClaimForm { name: name.to_owned(), wanted: "without NUL characters" });
    }
    if fits && value.to_string().len() <= MAX_CLAIM {
        Ok(())
    } else {
        let wanted = if fits { "shorter" } else { wanted };
        Err(Refusal::ClaimForm { name: name.to_owned(), wanted })
    }
}

fn assemble(
    declared: &UserDeclaration,
    username: String,
    hash: Option<String>,
    facts: &UserFacts<'_>,
    correlation_id: &str,
    context: &Context<'_>,
) -> Provisioned {
    let what = format!("user \"{username}\"");
    let mut next = facts.current.cloned().unwrap_or_else(|| User {
        tenant: facts.tenant.clone(),
        id: context.uuid(),
        username,
        password_hash: None,
        claims: declared.claims.clone(),
        role: None,
        disabled: declared.disabled,
        version: 0,
        created_at: context.now,
        updated_at: context.now,
    });
    let mut differences = if facts.current.is_some() { Vec::new() } else { vec![format!("{what}: new")] };
    // The names of the claims are enough: their values are about a person.
    let changed = difference::between(&what, &next.claims, &declared.claims);
    differences.extend(changed.iter().filter_map(|line| {
        let name = line.strip_prefix(&format!("{what}: "))?.split([':', '.']).next()?;
        Some(format!("{what}: claim {name}: changed"))
    }));
    differences.dedup();
    if next.disabled != declared.disabled {
        differences.push(format!("{what}: disabled: {} -> {}", next.disabled, declared.disabled));
    }
    let role = declared.role.unwrap_or(next.role);
    if next.role != role {
        let name = |role: Option<Role>| role.map_or("none", |role| role.name());
        differences.push(format!("{what}: role: {} -> {}", name(next.role), name(role)));
    }
    if next.password_hash != hash {
        differences.push(format!("{what}: password: set"));
    }
    if differences.is_empty() {
        return Provisioned::default();
    }
    next.version += 1;
    next.claims.clone_from(&declared.claims);
    next.disabled = declared.disabled;
    next.role = role;
    next.password_hash = hash;
    next.updated_at = context.now;
    let id = next.id;
    let (kind, change) = match facts.current {
        Some(_) => (Kind::UserUpdated, Change::UpdateUser(next)),
        None => (Kind::UserCreated, Change::InsertUser(next)),
    };
    let event = audit::success(facts.tenant, kind, correlation_id, context)
        .user(id)
        .fact("differences", differences.clone())
        .change();
    Provisioned { changes: vec![change, event], differences, ..Provisioned::default() }
}
