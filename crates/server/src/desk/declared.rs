//! A declaration: what shall be in a tenant, all of it or nothing. Each part is judged as if it were written alone, by who may
//! write it.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use signet_core::admin::{CLIENTS_WRITE, TENANT_WRITE, USERS_WRITE};
use signet_core::builtin::Builtin;
use signet_core::change::Change;
use signet_core::client_policy::KeySet;
use signet_core::fault::Fault;
use signet_core::people;
use signet_core::provision::{
    self, ClientDeclaration, Declaration, Provisioned, Refusal, Secret, TenantDeclaration, UserDeclaration,
};
use signet_core::records::{Client, LogoutDelivery, Role, Tenant, User};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::clients::Remark;
use super::key_set::Looks;
use super::tenant::fixed;
use super::users::{is_owner, of_many};
use super::{Desk, Refused, Result, Write};
use crate::fetch::MAX_LOOKS_EACH;
use crate::provisioning::Along;
use crate::tenant_keys::Workshop;

/// Most clients and users of one declaration.
const MAX_PARTS: usize = 500;
/// Most passwords of one declaration: each costs a hash.
const MAX_PASSWORDS: usize = 20;

/// Most addresses that are fetched for one declaration. Whoever may save one client could else have any number fetched.
const MAX_LOOKS: usize = 20;
/// How many of them at once: the actor's other saves have a place left.
const LOOKS_AT_ONCE: usize = MAX_LOOKS_EACH - 1;
/// Longest time for all of them, shorter than a request may take.
const LOOKS_DEADLINE: Duration = Duration::from_secs(15);

/// What a declaration came to.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Applied {
    /// What differs, one line each; none if everything is as declared.
    pub differences: Vec<String>,
    /// What should be looked at.
    pub advice: Vec<Remark>,
    /// Secrets that were made. They are shown this once.
    pub secrets: Vec<MadeSecret>,
    /// Nothing was written.
    pub dry_run: bool,
}

impl std::fmt::Debug for Applied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Applied").field("differences", &self.differences).finish_non_exhaustive()
    }
}

/// A secret that was made.
#[derive(Clone, Serialize, JsonSchema)]
pub struct MadeSecret {
    /// Whose.
    pub client_id: String,
    /// The secret.
    #[schemars(with = "String")]
    pub client_secret: Zeroizing<String>,
}

impl std::fmt::Debug for MadeSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeSecret").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A client of a declaration, before it is judged.
struct Seen {
    /// The client that is there.
    current: Option<Client>,
    /// What is at its `jwks_uri`, if that had to be fetched.
    key_set: Option<KeySet>,
}

/// What the parts so far come to.
#[derive(Default)]
struct Total {
    changes: Vec<Change>,
    differences: Vec<String>,
    advice: Vec<Remark>,
    secrets: Vec<MadeSecret>,
    /// For clients whose users' sessions end.
    deliveries: Vec<LogoutDelivery>,
}

impl Total {
    fn add(&mut self, name: &str, done: Provisioned) {
        self.changes.extend(done.changes);
        self.differences.extend(done.differences);
        self.advice.extend(
            done.advice
                .iter()
                .map(Remark::from)
                .map(|remark| Remark { text: format!("{name}: {}", remark.text), ..remark }),
        );
        let secret =
            done.secret.map(|client_secret| MadeSecret { client_id: name.to_owned(), client_secret });
        self.secrets.extend(secret);
    }
}

impl Desk<'_> {
    /// Brings a tenant into a declared state, in one transaction. What is not declared stays as it is.
    pub async fn apply(&self, declaration: &Declaration, write: &Write) -> Result<Applied> {
        self.actor.need(CLIENTS_WRITE)?;
        if declaration.tenant.is_some() {
            self.actor.need(TENANT_WRITE)?;
        }
        if !declaration.users.is_empty() {
            self.actor.need(USERS_WRITE)?;
        }
        declaration.check().map_err(|refusal| Refused::Invalid(vec![refusal]))?;
        bounded(declaration)?;
        let mut total = Total::default();
        let before = self.stored_tenant().await?;
        let tenant = match &declaration.tenant {
            Some(declared) => {
                let declared = self.declared_tenant(&before, declared, &mut total).await;
                declared.map_err(|refused| of_part(refused, "/tenant"))?
            }
            None => before,
        };
        let seen = self.seen_clients(&tenant, &declaration.clients).await?;
        for (index, (declared, seen)) in declaration.clients.iter().zip(seen).enumerate() {
            let done = self.declared_client(&tenant, declared, seen, &mut total).await;
            done.map_err(|refused| of_part(refused, &format!("/clients/{index}")))?;
        }
        let mut leaving = Vec::new();
        let mut last = 0;
        for (index, declared) in declaration.users.iter().enumerate() {
            let done = self.declared_user(declared, &mut total).await;
            if let Some(owner) = done.map_err(|refused| of_part(refused, &format!("/users/{index}")))? {
                leaving.push(owner);
                last = index;
            }
        }
        let without = self.without(&tenant, &leaving, &total).await;
        total.changes.extend(without.map_err(|refused| of_part(refused, &format!("/users/{last}")))?);
        if !write.dry_run {
            self.bring_about(&tenant, declaration, &total.changes).await?;
        }
        let Total { differences, advice, secrets, deliveries, .. } = total;
        self.tell(deliveries, write).await;
        let secrets = if write.dry_run { Vec::new() } else { secrets };
        Ok(Applied { differences, advice, secrets, dry_run: write.dry_run })
    }

    async fn bring_about(
        &self,
        tenant: &Tenant,
        declaration: &Declaration,
        changes: &[Change],
    ) -> Result<()> {
        if !changes.is_empty() {
            self.app.store.apply(&tenant.id, changes).await.map_err(of_many)?;
        }
        self.app.clients.forget();
        if declaration.tenant.is_some() {
            Workshop::of(self.app).ensure(tenant, self.now).await?;
            self.app.tenancy.forget();
        }
        Ok(())
    }

    /// Decides and writes nothing; the version that was judged is the one that may be changed.
    fn deciding(&self, seen: i64) -> (crate::provisioning::Provisioner, Along<'_>) {
        let write = Write { dry_run: true, seen: Some(seen), idempotency_key: None };
        (self.provisioner(&write), self.along(&write, Vec::new()))
    }

    /// The tenant as it will be.
    async fn declared_tenant(
        &self,
        before: &Tenant,
        declared: &TenantDeclaration,
        total: &mut Total,
    ) -> Result<Tenant> {
        let mut refusals = fixed(&before.settings, &declared.settings);
        if declared.issuer.as_ref().is_some_and(|issuer| *issuer != before.issuer) {
            refusals.push(Refusal::Fixed { setting: "issuer" });
        }
        if !refusals.is_empty() {
            return Err(Refused::Invalid(refusals));
        }
        let (provisioner, along) = self.deciding(before.version);
        let done = provisioner.tenant_with(&before.id, declared, &along).await?;
        let after = done.changes.iter().find_map(|change| match change {
            Change::UpdateTenant(tenant) => Some(tenant.clone()),
            _ => None,
        });
        total.add(before.id.as_str(), done);
        Ok(after.unwrap_or_else(|| before.clone()))
    }

    /// The declared clients as they are, and what is at the addresses that they are to name; fetched together, and only
    /// after everything else was allowed.
    async fn seen_clients(&self, tenant: &Tenant, declared: &[ClientDeclaration]) -> Result<Vec<Seen>> {
        let mut clients = Vec::new();
        for (index, declared) in declared.iter().enumerate() {
            let current = self.declarable(tenant, declared).await;
            let current = current.map_err(|refused| of_part(refused, &format!("/clients/{index}")))?;
            let looks = Looks::of(current.as_ref().map(|client| &client.settings), &declared.settings);
            clients.push((current, looks));
        }
        if clients.iter().map(|(_, looks)| looks.count()).sum::<usize>() > MAX_LOOKS {
            return Err(too_many(
                "addresses that have to be read (jwks_uri, sector_identifier_uri)",
                MAX_LOOKS,
            ));
        }
        let mut work = Vec::new();
        for (index, ((current, looks), declared)) in clients.into_iter().zip(declared).enumerate() {
            work.push(self.client_seen(index, declared, current, looks));
        }
        let all = stream::iter(work).buffered(LOOKS_AT_ONCE).try_collect();
        tokio::time::timeout(LOOKS_DEADLINE, all).await.map_err(|_| Refused::Malformed {
            pointer: "/clients".to_owned(),
            detail: "The addresses that these clients name do not answer in time. Send the clients in parts."
                .to_owned(),
        })?
    }

    async fn client_seen(
        &self,
        index: usize,
        declared: &ClientDeclaration,
        current: Option<Client>,
        looks: Looks,
    ) -> Result<Seen> {
        let seen = self.fetched_for(&declared.client_id, &declared.settings, looks).await;
        let key_set = seen.map_err(|refused| of_part(refused, &format!("/clients/{index}")))?;
        Ok(Seen { current, key_set })
    }

    /// The client of this name, if there is one, and this actor may write what is declared.
    async fn declarable(&self, tenant: &Tenant, declared: &ClientDeclaration) -> Result<Option<Client>> {
        let id = &declared.client_id;
        if Builtin::of(id).is_some() {
            return Err(Fault::ClientBuiltin.into());
        }
        let current = self.app.store.client(&tenant.id, id).await?;
        if let Some(client) = &current {
            // For whoever may not see it, the name is taken, as when they make one.
            if !self.actor.sees(client) {
                return Err(Refused::Exists);
            }
        }
        self.may_give(current.as_ref().map(|client| &client.settings), &declared.settings)?;
        Ok(current)
    }

    async fn declared_client(
        &self,
        tenant: &Tenant,
        declared: &ClientDeclaration,
        Seen { current, key_set }: Seen,
        total: &mut Total,
    ) -> Result<()> {
        let owner = match (&current, declared.owner) {
            (None, asked) => Some(self.owner(asked.flatten()).await?),
            (Some(client), Some(asked)) if asked != client.owner => Some(self.owner(asked).await?),
            (Some(_), _) => None,
        };
        let declared = ClientDeclaration { owner, ..declared.clone() };
        let (provisioner, along) = self.deciding(current.map_or(0, |client| client.version));
        let along = Along { key_set, ..along };
        total.add(declared.client_id.as_str(), provisioner.client_with(tenant, &declared, &along).await?);
        Ok(())
    }

    /// What goes along with all owners who leave by one declaration. They are judged together, and the tenant is written
    /// once: if the declaration writes it, that moves it on.
    async fn without(&self, tenant: &Tenant, leaving: &[Uuid], total: &Total) -> Result<Option<Change>> {
        if leaving.is_empty() {
            return Ok(None);
        }
        let moved = self.owners_leave(tenant, leaving).await?;
        let written = total.changes.iter().any(|change| matches!(change, Change::UpdateTenant(_)));
        Ok(Some(moved).filter(|_| !written))
    }

    /// Who leaves as an owner by it, if somebody does.
    async fn declared_user(&self, declared: &UserDeclaration, total: &mut Total) -> Result<Option<Uuid>> {
        let name =
            provision::username(&declared.username).map_err(|refusal| Refused::Invalid(vec![refusal]))?;
        let current = self.app.store.user_by_name(&self.tenant().id, &name).await?;
        let role = declared.role.unwrap_or(current.as_ref().and_then(|user| user.role));
        if !self.actor.may_manage(role)
            || current.as_ref().is_some_and(|user| !self.actor.may_manage(user.role))
        {
            return Err(Fault::UserForbidden.into());
        }
        let password_hash = self.first_password(current.as_ref(), declared).await?;
        let declared = UserDeclaration { password: None, password_hash, ..declared.clone() };
        let (provisioner, along) = self.deciding(current.as_ref().map_or(0, |user| user.version));
        let done = provisioner.user_with(&self.tenant().id, &declared, &along).await?;
        total.add(&name, done);
        let Some(user) = &current else { return Ok(None) };
        if declared.disabled && !user.disabled {
            let ending = self.sessions_ending(user, "user_disabled").await?;
            total.changes.extend(ending.changes);
            total.deliveries.extend(ending.deliveries);
        }
        let leaves = is_owner(user) && (role != Some(Role::Owner) || declared.disabled);
        Ok(leaves.then_some(user.id))
    }

    /// The hash of the password that a new user begins with. That of somebody who is there is not touched: a trial would tell
    /// whether a guess is right. Hashes are for the command line: what they cost at each login is said by themselves.
    async fn first_password(
        &self,
        current: Option<&User>,
        declared: &UserDeclaration,
    ) -> Result<Option<Secret>> {
        let refused = |member: &str, detail: &str| Refused::Malformed {
            pointer: format!("/{member}"),
            detail: detail.to_owned(),
        };
        if declared.password_hash.is_some() {
            return Err(refused("password_hash", "Hashes are taken by `signet apply` alone."));
        }
        let Some(password) = &declared.password else { return Ok(None) };
        if current.is_some() {
            let detail = "This user is there already. PUT /users/{user_id}/password sets another password.";
            return Err(refused("password", detail));
        }
        people::new_password(password.expose(), password.expose())?;
        Ok(Some(Secret::new(crate::people::hashed(self.app, password.expose()).await?)))
    }
}

/// A part that somebody else wrote while it was judged has no version that the sender saw: they try again.
fn of_part(refused: Refused, pointer: &str) -> Refused {
    let refused = match refused {
        Refused::Stale { .. } => Fault::Busy.into(),
        other => other,
    };
    refused.of_part(pointer)
}

fn too_many(what: &str, most: usize) -> Refused {
    Refused::Malformed {
        pointer: String::new(),
        detail: format!("There are more than {most} {what}. Send them in parts, or use `signet apply`."),
    }
}

fn bounded(declaration: &Declaration) -> Result<()> {
    let passwords = declaration.users.iter().filter(|user| user.password.is_some()).count();
    let parts = declaration.clients.len() + declaration.users.len();
    if parts > MAX_PARTS {
        return Err(too_many("clients and users", MAX_PARTS));
    }
    if passwords > MAX_PASSWORDS { Err(too_many("passwords", MAX_PASSWORDS)) } else { Ok(()) }
}
