//! `signet user`.

use std::io::Read as _;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Map, Value, json};
use signet_core::audit::{self, By, Kind};
use signet_core::change::Change;
use signet_core::provision::{Secret, UserDeclaration};
use signet_core::records::{Role, Tenant, User};
use signet_store::Page;
use zeroize::Zeroizing;

use super::Common;
use super::admin::Admin;
use super::output::{self, Problem};
use crate::passwords;
use crate::people::{self, Leaving};
use crate::provisioning::Along;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List users by name.
    List {
        /// Only names after this one.
        #[arg(long)]
        after: Option<String>,
        /// At most this many (1 to 1000).
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one user with their claims.
    Show {
        /// The name.
        username: String,
    },
    /// Make a user. The password is read from standard input, or made and shown once.
    Create {
        /// The name.
        username: String,
        /// A claim, as in `email=a@example.org` or `email_verified=true`; may be repeated.
        #[arg(long, value_name = "NAME=VALUE")]
        claim: Vec<String>,
        /// What they may do in the administration of the tenant.
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Change what a user may do in the administration of the tenant.
    Set {
        /// The name.
        username: String,
        /// owner, administrator, developer, auditor, or none.
        #[arg(long, value_name = "ROLE")]
        role: String,
    },
    /// Set a password, read from standard input, or made and shown once. The user's sessions end.
    Password {
        /// The name.
        username: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a user from logging in. The user's sessions end.
    Disable {
        /// The name.
        username: String,
    },
    /// Let a user log in again.
    Enable {
        /// The name.
        username: String,
    },
    /// Remove a user with sessions, consents and tokens.
    Delete {
        /// The name.
        username: String,
    },
}

pub(super) async fn run(common: &Common, command: Command) -> Result<ExitCode, Problem> {
    let admin = Admin::open(common).await?;
    let tenant = admin.tenant().await?;
    match command {
        Command::List { after, limit } => list(&admin, &tenant, common.json, Page { after, limit }).await?,
        Command::Show { username } => {
            let user = find(&admin, &tenant, &username).await?;
            output::line(serde_json::to_string_pretty(&shown(&user)).unwrap_or_default());
        }
        Command::Create { username, claim, role, password_stdin } => {
            let name = username.trim().to_lowercase();
            if admin.store.user_by_name(&tenant.id, &name).await?.is_some() {
                return Err(Problem::new("exists", format!("there is a user \"{name}\" already")));
            }
            let claims = claim.iter().map(|text| claim_of(text)).collect::<Result<Map<_, _>, _>>()?;
            let role = role.map(|role| role_of(&role)).transpose()?;
            let declared = UserDeclaration { claims, role, ..declared(&username) };
            save(&admin, &tenant, common.json, declared, Some(password_stdin), None).await?;
        }
        Command::Set { username, role } => {
            let role = Some(role_of(&role)?);
            let user = find(&admin, &tenant, &username).await?;
            save(&admin, &tenant, common.json, UserDeclaration { role, ..as_is(&user) }, None, None).await?;
        }
        Command::Password { username, password_stdin } => {
            let user = find(&admin, &tenant, &username).await?;
            let ends = Some((&user, "password_set"));
            save(&admin, &tenant, common.json, as_is(&user), Some(password_stdin), ends).await?;
        }
        Command::Disable { username } => {
            let user = find(&admin, &tenant, &username).await?;
            let declared = UserDeclaration { disabled: true, ..as_is(&user) };
            let ends = Some((&user, "user_disabled"));
            save(&admin, &tenant, common.json, declared, None, ends).await?;
        }
        Command::Enable { username } => {
            let user = find(&admin, &tenant, &username).await?;
            let declared = UserDeclaration { disabled: false, ..as_is(&user) };
            save(&admin, &tenant, common.json, declared, None, None).await?;
        }
        Command::Delete { username } => delete(&admin, &tenant, &username).await?,
    }
    admin.store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list(admin: &Admin, tenant: &Tenant, json: bool, page: Page) -> Result<(), Problem> {
    let rows: Vec<_> = admin
        .store
        .users(&tenant.id, &page)
        .await?
        .into_iter()
        .map(|user| {
            let state = if user.disabled { "disabled" } else { "active" };
            vec![json!(user.username), json!(user.id), json!(state), json!(user.claims.get("name"))]
        })
        .collect();
    output::table(json, &["username", "sub", "state", "name"], &rows);
    Ok(())
}

async fn find(admin: &Admin, tenant: &Tenant, username: &str) -> Result<User, Problem> {
    let name = username.trim().to_lowercase();
    let found = admin.store.user_by_name(&tenant.id, &name).await?;
    found.ok_or_else(|| {
        Problem::new("user_unknown", format!("there is no user \"{name}\"")).hint("See `signet user list`.")
    })
}

fn shown(user: &User) -> Value {
    json!({
        "username": user.username,
        "sub": user.id,
        "disabled": user.disabled,
        "has_password": user.password_hash.is_some(),
        "claims": user.claims,
        "role": user.role,
        "created": output::time(user.created_at),
        "updated": output::time(user.updated_at),
    })
}

fn claim_of(text: &str) -> Result<(String, Value), Problem> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Problem::new("claim", format!("\"{text}\" is not of the form NAME=VALUE")))?;
    let value = match value {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text if text.starts_with('{') => {
            serde_json::from_str(text).map_err(|error| Problem::new("claim", format!("{name}: {error}")))?
        }
        text => text.into(),
    };
    Ok((name.to_owned(), value))
}

/// A user with nothing but a name.
fn declared(username: &str) -> UserDeclaration {
    UserDeclaration {
        username: username.to_owned(),
        disabled: false,
        password: None,
        password_hash: None,
        claims: Map::new(),
        role: None,
    }
}

/// What a user is now, as a declaration that changes nothing.
fn as_is(user: &User) -> UserDeclaration {
    UserDeclaration { disabled: user.disabled, claims: user.claims.clone(), ..declared(&user.username) }
}

/// A role by its name, or `none`.
fn role_of(name: &str) -> Result<Option<Role>, Problem> {
    if name == "none" {
        return Ok(None);
    }
    let names = Role::ALL.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
    let unknown =
        || Problem::new("role", format!("\"{name}\" is no role")).hint(format!("One of {names}, none."));
    Role::from_name(name).map(Some).ok_or_else(unknown)
}

/// Saves a user; `password` says whether to set one, and whether it comes from standard input, `ends` whose sessions end with
/// it, and why.
async fn save(
    admin: &Admin,
    tenant: &Tenant,
    as_json: bool,
    declared: UserDeclaration,
    password: Option<bool>,
    ends: Option<(&User, &str)>,
) -> Result<(), Problem> {
    let username = declared.username.clone();
    let (secret, made) = match password {
        None => (None, false),
        Some(true) => (Some(read_password()?), false),
        Some(false) => (Some(Zeroizing::new(admin.context().handle())), true),
    };
    let password = secret.as_ref().map(|secret| Secret::new(secret.as_str()));
    let declared = UserDeclaration { password, ..declared };
    let further = match ends {
        Some((user, why)) => sessions_ending(admin, tenant, user, why).await?,
        None => Vec::new(),
    };
    let along = Along { further, ..Along::default() };
    let provisioned = admin.provisioner(tenant, false).user_with(&tenant.id, &declared, &along).await?;
    if provisioned.is_unchanged() {
        admin.store.apply(&tenant.id, &along.further).await?;
    }
    let shown = secret.filter(|_| made).map(|secret| secret.to_string());
    if as_json {
        output::value(
            &json!({ "username": username, "changed": !provisioned.is_unchanged(), "password": shown }),
        );
        return Ok(());
    }
    provisioned.differences.iter().for_each(output::line);
    if provisioned.is_unchanged() {
        output::line("Nothing to change.");
    }
    if let Some(password) = shown {
        output::line(format!("password, shown this once: {password}"));
    }
    Ok(())
}

/// What ends with all sessions of a user. Their clients are told by the nodes, whose timers find what is stored here.
pub(super) async fn sessions_ending(
    admin: &Admin,
    tenant: &Tenant,
    user: &User,
    why: &str,
) -> Result<Vec<Change>, Problem> {
    let context = admin.context();
    let correlation_id = context.handle();
    let leaving = Leaving {
        tenant,
        user: user.id,
        keep: None,
        why,
        by: &By::CommandLine,
        correlation_id: &correlation_id,
    };
    Ok(people::sessions_ending(admin.store.as_ref(), &leaving, &context).await?.changes)
}

fn read_password() -> Result<Zeroizing<String>, Problem> {
    let mut text = Zeroizing::new(String::new());
    let limit = passwords::MAX_LEN as u64 + 2;
    let read = std::io::stdin().take(limit).read_to_string(&mut text);
    read.map_err(|error| Problem::new("stdin", format!("standard input: {error}")))?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if password.chars().count() < passwords::MIN_CHARS || password.len() > passwords::MAX_LEN {
        return Err(Problem::new(
            "password",
            format!(
                "a password has {} characters at least, and {} bytes at most",
                passwords::MIN_CHARS,
                passwords::MAX_LEN
            ),
        ));
    }
    Ok(password)
}

async fn delete(admin: &Admin, tenant: &Tenant, username: &str) -> Result<(), Problem> {
    let user = find(admin, tenant, username).await?;
    let context = admin.context();
    let event = audit::success(&tenant.id, Kind::UserDeleted, &context.handle(), &context)
        .user(user.id)
        .by(&By::CommandLine);
    let mut changes = sessions_ending(admin, tenant, &user, "user_deleted").await?;
    changes.extend([Change::DeleteUser(user.id), event.change()]);
    admin.store.apply(&tenant.id, &changes).await?;
    output::line(format!("User \"{}\" is gone, with sessions, consents and tokens.", user.username));
    Ok(())
}
