//! `signet registration-token`: who may register clients by themselves, where the tenant's `registration` is
//! `initial_access_token`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use signet_core::audit::{self, By, Kind};
use signet_core::change::Change;
use signet_core::provision::registration_token;
use signet_core::records::{RegistrationPolicy, Tenant};

use super::Common;
use super::admin::Admin;
use super::output::{self, Problem, parse_time};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an initial access token (RFC 7591 section 1.2), shown once.
    Create {
        /// What people call it; unique.
        name: String,
        /// How many clients may be registered with it; any number if left out.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
        uses: Option<i64>,
        /// Useless from then on.
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        expires: Option<i64>,
    },
    /// List them by name. The tokens themselves are not kept.
    List,
    /// Remove one. Clients that were registered with it stay.
    Delete {
        /// Its name.
        name: String,
    },
}

pub(super) async fn run(common: &Common, command: Command) -> Result<ExitCode, Problem> {
    let admin = Admin::open(common).await?;
    let tenant = admin.tenant().await?;
    match command {
        Command::Create { name, uses, expires } => {
            create(&admin, &tenant, common.json, &name, uses, expires).await?;
        }
        Command::List => list(&admin, &tenant, common.json).await?,
        Command::Delete { name } => delete(&admin, &tenant, &name).await?,
    }
    admin.store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn create(
    admin: &Admin,
    tenant: &Tenant,
    as_json: bool,
    name: &str,
    uses_left: Option<i64>,
    expires_at: Option<i64>,
) -> Result<(), Problem> {
    let there = admin.store.initial_access_tokens(&tenant.id).await?;
    if there.iter().any(|token| token.name == name) {
        return Err(Problem::new("exists", format!("there is a token \"{name}\" already")));
    }
    let context = admin.context();
    let made = registration_token(&tenant.id, name, uses_left, expires_at, &context.handle(), &context);
    let (token, minted, event) = made.map_err(|refusal| Problem::new(refusal.code(), refusal.to_string()))?;
    admin
        .store
        .apply(&tenant.id, &[Change::InsertInitialAccessToken(token), event.by(&By::CommandLine).change()])
        .await?;
    if tenant.settings.registration != RegistrationPolicy::InitialAccessToken {
        let policy = tenant.settings.registration.name();
        output::note(format!(
            "note: this tenant's registration is {policy}; the token is asked for once it is initial_access_token"
        ));
    }
    if as_json {
        output::value(&json!({ "name": name, "initial_access_token": minted.secret.as_str() }));
    } else {
        output::line(format!("initial access token, shown this once: {}", *minted.secret));
    }
    Ok(())
}

async fn list(admin: &Admin, tenant: &Tenant, as_json: bool) -> Result<(), Problem> {
    let tokens = admin.store.initial_access_tokens(&tenant.id).await?;
    let rows: Vec<_> = tokens
        .iter()
        .map(|token| {
            vec![
                json!(token.name),
                token.uses_left.map_or_else(|| json!("any number"), |left| json!(left)),
                token.expires_at.map_or_else(|| json!("never"), |at| json!(output::time(at))),
                json!(output::time(token.created_at)),
            ]
        })
        .collect();
    output::table(as_json, &["name", "uses_left", "expires", "created"], &rows);
    Ok(())
}

async fn delete(admin: &Admin, tenant: &Tenant, name: &str) -> Result<(), Problem> {
    let context = admin.context();
    let event = audit::success(&tenant.id, Kind::RegistrationTokenDeleted, &context.handle(), &context)
        .fact("name", name)
        .by(&By::CommandLine);
    let changes = [Change::DeleteInitialAccessToken { name: name.to_owned() }, event.change()];
    admin.store.apply(&tenant.id, &changes).await.map_err(|error| match error {
        signet_store::StoreError::Conflict(signet_core::change::Conflict::Missing) => {
            Problem::new("token_unknown", format!("there is no token \"{name}\""))
                .hint("See `signet registration-token list`.")
        }
        other => other.into(),
    })?;
    output::line(format!("Token \"{name}\" is gone."));
    Ok(())
}
