//! Who may administer a tenant: access tokens of Signet's own, with scopes of Signet's own, of people with a role or of
//! clients that act for themselves.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::audit::By;
use crate::bearer;
use crate::context::UnixTime;
use crate::fault::Fault;
use crate::ids::ClientId;
use crate::records::{AccessToken, Client, Role, Tenant, User};

/// One administrative scope.
#[derive(Clone, Copy, Debug)]
pub struct AdminScope {
    /// The scope value.
    pub name: &'static str,
    /// Heading on the consent page.
    pub title: &'static str,
    /// Sentence on the consent page and in the documentation of the interface.
    pub detail: &'static str,
    /// The roles that have it.
    pub roles: &'static [Role],
    /// Only in a tenant that looks after the installation.
    pub operator_only: bool,
}

/// See clients and their keys.
pub const CLIENTS_READ: &str = "signet:clients.read";
/// Register, change and remove clients and their keys.
pub const CLIENTS_WRITE: &str = "signet:clients.write";
/// See users, their sessions and consents.
pub const USERS_READ: &str = "signet:users.read";
/// Make, change and remove users, their sessions and consents.
pub const USERS_WRITE: &str = "signet:users.write";
/// See the tenant's settings.
pub const TENANT_READ: &str = "signet:tenant.read";
/// Change the tenant's settings, and make tokens to register with.
pub const TENANT_WRITE: &str = "signet:tenant.write";
/// See the tenant's keys.
pub const KEYS_READ: &str = "signet:keys.read";
/// Rotate and withdraw the tenant's keys.
pub const KEYS_WRITE: &str = "signet:keys.write";
/// See the audit trail.
pub const AUDIT_READ: &str = "signet:audit.read";
/// See which tenants there are.
pub const TENANTS_READ: &str = "signet:tenants.read";
/// Make tenants.
pub const TENANTS_WRITE: &str = "signet:tenants.write";

const OWNER: &[Role] = &[Role::Owner];
const MANAGERS: &[Role] = &[Role::Owner, Role::Administrator];
const WATCHERS: &[Role] = &[Role::Owner, Role::Administrator, Role::Auditor];
const MAKERS: &[Role] = &[Role::Owner, Role::Administrator, Role::Developer];
const ALL: &[Role] = Role::ALL;

macro_rules! scopes {
    ($($name:ident, $roles:ident, $operator:literal, $title:literal, $detail:literal;)+) => {
        /// Every scope of this kind, with the roles that have it. Only who holds one gives it to a client.
        pub const SCOPES: &[AdminScope] = &[
            $(AdminScope { name: $name, title: $title, detail: $detail, roles: $roles, operator_only: $operator },)+
        ];
    };
}

scopes! {
    CLIENTS_READ, ALL, false, "See client applications", "Settings and public keys of registered clients.";
    CLIENTS_WRITE, MAKERS, false, "Manage client applications", "Register, change and remove clients and their keys.";
    USERS_READ, WATCHERS, false, "See users", "Accounts with their sessions and consents.";
    USERS_WRITE, MANAGERS, false, "Manage users", "Make, change and remove accounts, end sessions, take back consents.";
    TENANT_READ, ALL, false, "See the tenant's settings", "Policies, branding and registration tokens.";
    TENANT_WRITE, MANAGERS, false, "Manage the tenant", "Change policies and branding, make registration tokens.";
    KEYS_READ, ALL, false, "See the tenant's keys", "Which keys there are and what state they are in.";
    KEYS_WRITE, MANAGERS, false, "Manage the tenant's keys", "Rotate and withdraw keys.";
    AUDIT_READ, ALL, false, "See the audit trail", "What happened, when, and why something was refused.";
    TENANTS_READ, OWNER, true, "See all tenants", "Which tenants this installation has.";
    TENANTS_WRITE, OWNER, true, "Make tenants", "Add tenants to this installation.";
}

/// The scope of this name.
pub fn find(name: &str) -> Option<&'static AdminScope> {
    SCOPES.iter().find(|scope| scope.name == name)
}

/// Whether `name` is one of these scopes.
pub fn is_scope(name: &str) -> bool {
    find(name).is_some()
}

/// The scopes of a role in this tenant.
pub fn scopes_of(role: Role, tenant: &Tenant) -> BTreeSet<&'static str> {
    let allowed = |scope: &&AdminScope| {
        scope.roles.contains(&role) && (!scope.operator_only || tenant.settings.operator)
    };
    SCOPES.iter().filter(allowed).map(|scope| scope.name).collect()
}

/// What of an asked scope a person of this role gets. RFC 6749 section 3.3: "The authorization server MAY fully or
/// partially ignore the scope requested by the client, based on the authorization server policy". Whoever has no role has
/// nothing to do where somebody asks for such a scope, so they are refused instead of let through with nothing.
pub fn granted(
    asked: &BTreeSet<String>,
    role: Option<Role>,
    tenant: &Tenant,
) -> Result<BTreeSet<String>, Fault> {
    if !asked.iter().any(|name| is_scope(name)) {
        return Ok(asked.clone());
    }
    let own = scopes_of(role.ok_or(Fault::AdminRoleNeeded)?, tenant);
    Ok(asked.iter().filter(|name| !is_scope(name) || own.contains(name.as_str())).cloned().collect())
}

/// Who is at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A person with a role.
    Person {
        /// Which user.
        id: Uuid,
        /// What they may do.
        role: Role,
    },
    /// A client that acts for itself (RFC 6749 section 4.4).
    Client(ClientId),
}

/// Somebody who administers a tenant. Comes only out of [`authorize`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    who: Who,
    scopes: BTreeSet<&'static str>,
    /// The roles that allow nothing which this actor may not do.
    below: BTreeSet<Role>,
}

impl Actor {
    fn new(who: Who, scopes: BTreeSet<&'static str>, tenant: &Tenant) -> Self {
        let is_below = |role: &Role| scopes_of(*role, tenant).is_subset(&scopes);
        let below = Role::ALL.iter().copied().filter(is_below).collect();
        Self { who, scopes, below }
    }

    /// Who it is.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// What they may do.
    pub fn scopes(&self) -> &BTreeSet<&'static str> {
        &self.scopes
    }

    /// Whether they may do what `scope` stands for.
    pub fn holds(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }

    /// Refuses those who may not do what `scope` stands for.
    pub fn need(&self, scope: &'static str) -> Result<(), Fault> {
        if self.holds(scope) { Ok(()) } else { Err(Fault::AdminScopeMissing { scope }) }
    }

    /// The only owner whose clients they see; `None` means all.
    pub fn confined_to(&self) -> Option<Uuid> {
        match &self.who {
            Who::Person { id, role: Role::Developer } => Some(*id),
            _ => None,
        }
    }

    /// Whether this client exists for them.
    pub fn sees(&self, client: &Client) -> bool {
        self.confined_to().is_none_or(|own| client.owner == Some(own))
    }

    /// Whether they may change a user who has, or is to have, this role: owners only by owners, and nobody gives, or takes
    /// over, a role that allows more than they may do themselves.
    pub fn may_manage(&self, role: Option<Role>) -> bool {
        let is_owner = matches!(self.who, Who::Person { role: Role::Owner, .. });
        let is_below = |role: Role| self.below.contains(&role) && (role != Role::Owner || is_owner);
        self.holds(USERS_WRITE) && role.is_none_or(is_below)
    }

    /// Whether they may give a client this administrative scope: nobody hands out what they lack, and developers nothing,
    /// because a client that acts for itself is confined to nobody's clients.
    pub fn may_grant(&self, scope: &str) -> bool {
        self.confined_to().is_none() && self.holds(scope)
    }

    /// Names them in the audit trail and, by its label, in receipts.
    pub fn by(&self) -> By {
        match &self.who {
            Who::Person { id, .. } => By::User(*id),
            Who::Client(id) => By::Client(id.clone()),
        }
    }
}

/// Judges the access token of an administrative request. What it opens is what token, client and, of a person, the role
/// allow together at this moment: who loses a role or a scope loses it at once, not when their tokens end.
pub fn authorize(
    tenant: &Tenant,
    token: Option<&AccessToken>,
    client: Option<&Client>,
    user: Option<&User>,
    now: UnixTime,
) -> Result<Actor, Fault> {
    let (token, client) = bearer::accepted(tenant, token, client, now)?;
    let own = &client.settings.scope;
    let of_token = SCOPES.iter().map(|scope| scope.name).filter(|name| token.scope.contains(*name));
    let of_client: BTreeSet<&'static str> = of_token.filter(|name| own.contains(*name)).collect();
    let Some(id) = token.user_id else {
        return Ok(Actor::new(Who::Client(client.client_id.clone()), of_client, tenant));
    };
    let user = user.filter(|user| user.id == id && !user.disabled).ok_or(Fault::UserGone)?;
    let role = user.role.ok_or(Fault::AdminRoleMissing)?;
    let of_role = scopes_of(role, tenant);
    let scopes = of_client.intersection(&of_role).copied().collect();
    Ok(Actor::new(Who::Person { id, role }, scopes, tenant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TokenHash;
    use crate::records::TenantSettings;
    use crate::testing::client;

    fn tenant() -> Tenant {
        Tenant {
            id: "t".into(),
            issuer: "https://op.example".into(),
            version: 1,
            settings: TenantSettings::default(),
            pairwise_salt: [0; 32],
            created_at: 0,
        }
    }

    fn token(scope: &[&str], user_id: Option<Uuid>) -> AccessToken {
        AccessToken {
            tenant: "t".into(),
            hash: TokenHash::of("t"),
            grant_id: Uuid::from_u128(1),
            client_id: "c".into(),
            user_id,
            scope: scope.iter().copied().map(String::from).collect(),
            claims: BTreeSet::new(),
            audience: BTreeSet::new(),
            actor: None,
            issued_at: 0,
            expires_at: 10,
        }
    }

    fn user(role: Option<Role>) -> User {
        User {
            tenant: "t".into(),
            id: Uuid::from_u128(7),
            username: "ada".into(),
            password_hash: None,
            claims: serde_json::Map::new(),
            role,
            disabled: false,
            version: 1,
            created_at: 0,
            updated_at: 0,
        }
    }

    fn holder(scope: &[&str]) -> Client {
        let mut holder = client("c");
        holder.settings.scope = scope.iter().copied().map(String::from).collect();
        holder
    }

    #[test]
    fn only_clients_that_hold_the_scope_now_administer() {
        let tenant = tenant();
        let own = token(&[KEYS_WRITE], None);
        let judge = |token: &AccessToken, client: &Client, wanted, now| {
            let actor =
                authorize(&tenant, Some(token), Some(client), None, now).map_err(|fault| fault.code())?;
            actor.need(wanted).map_err(|fault| fault.code())
        };
        let good = holder(&[KEYS_WRITE]);
        assert_eq!(judge(&own, &good, KEYS_WRITE, 9), Ok(()));
        assert_eq!(judge(&own, &good, KEYS_READ, 9), Err("admin_scope_missing"));
        assert_eq!(judge(&own, &good, KEYS_WRITE, 10), Err("access_token_expired"));
        assert_eq!(judge(&own, &client("c"), KEYS_WRITE, 9), Err("admin_scope_missing"));
        assert_eq!(judge(&own, &client("d"), KEYS_WRITE, 9), Err("token_unknown"));
        let elsewhere = AccessToken { audience: ["https://api.example".to_owned()].into(), ..own };
        assert_eq!(judge(&elsewhere, &good, KEYS_WRITE, 9), Err("token_for_other_resource"));
        let nothing = authorize(&tenant, None, Some(&good), None, 9);
        assert_eq!(nothing.map_err(|fault| fault.code()), Err("token_unknown"));
    }

    #[test]
    fn a_person_has_what_token_client_and_role_allow_together() {
        let tenant = tenant();
        let all: Vec<&str> = SCOPES.iter().map(|scope| scope.name).collect();
        let console = holder(&all);
        let of = |scope: &[&str], user: Option<&User>| {
            let token = token(scope, Some(Uuid::from_u128(7)));
            authorize(&tenant, Some(&token), Some(&console), user, 9).map_err(|fault| fault.code())
        };
        let auditor = of(&all, Some(&user(Some(Role::Auditor)))).unwrap();
        assert!(auditor.holds(USERS_READ) && !auditor.holds(USERS_WRITE) && !auditor.holds(TENANTS_READ));
        let narrow = of(&[CLIENTS_READ], Some(&user(Some(Role::Owner)))).unwrap();
        assert_eq!(narrow.scopes(), &[CLIENTS_READ].into());
        assert_eq!(of(&all, Some(&user(None))), Err("admin_role_missing"));
        assert_eq!(of(&all, None), Err("user_gone"));
        let off = User { disabled: true, ..user(Some(Role::Owner)) };
        assert_eq!(of(&all, Some(&off)), Err("user_gone"));
    }

    #[test]
    fn tenants_are_seen_by_owners_of_the_tenant_that_looks_after_the_installation() {
        let mut tenant = tenant();
        assert!(!scopes_of(Role::Owner, &tenant).contains(TENANTS_WRITE));
        tenant.settings.operator = true;
        assert!(scopes_of(Role::Owner, &tenant).contains(TENANTS_WRITE));
        assert!(!scopes_of(Role::Administrator, &tenant).contains(TENANTS_WRITE));
    }

    #[test]
    fn developers_see_their_own_clients_and_owners_are_managed_by_owners() {
        let actor = |role| {
            let scopes = scopes_of(role, &tenant());
            Actor::new(Who::Person { id: Uuid::from_u128(7), role }, scopes, &tenant())
        };
        let (mut own, other) = (client("own"), client("other"));
        own.owner = Some(Uuid::from_u128(7));
        let developer = actor(Role::Developer);
        assert!(developer.sees(&own) && !developer.sees(&other) && !developer.may_grant(CLIENTS_READ));
        let administrator = actor(Role::Administrator);
        assert!(administrator.sees(&other) && administrator.may_grant(CLIENTS_WRITE));
        assert!(administrator.may_manage(Some(Role::Administrator)) && administrator.may_manage(None));
        assert!(
            !administrator.may_manage(Some(Role::Owner)) && actor(Role::Owner).may_manage(Some(Role::Owner))
        );
        assert!(!actor(Role::Auditor).may_manage(None));
        // A program that only looks after users makes no administrators, and takes none over.
        let program = Actor::new(Who::Client("c".into()), [USERS_READ, USERS_WRITE].into(), &tenant());
        assert!(program.may_manage(None));
        assert!(Role::ALL.iter().all(|role| !program.may_manage(Some(*role))));
    }
}
