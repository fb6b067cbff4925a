//! `signet tenant`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};
use signet_core::client_policy::Mode;
use signet_core::ids::TenantId;
use signet_core::provision::TenantDeclaration;
use signet_core::records::{Tenant, TenantSettings};

use super::Common;
use super::admin::Admin;
use super::assign;
use super::output::{self, Problem};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the tenants.
    List,
    /// Show one tenant with all its settings.
    Show,
    /// Change settings, by the names that `show` gives them.
    Set {
        /// As in `registration=open`; an empty value removes.
        #[arg(value_name = "NAME=VALUE", required = true)]
        settings: Vec<String>,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Make a tenant with its keys.
    Create {
        /// Short name: lower-case letters, digits, hyphens.
        name: String,
        /// The issuer URL, exactly as it shall stand in tokens.
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// Name shown on the pages.
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
    },
}

pub(super) async fn run(common: &Common, command: Command) -> Result<ExitCode, Problem> {
    let admin = Admin::open(common).await?;
    match command {
        Command::List => list(&admin, common.json).await?,
        Command::Show => {
            let tenant = admin.tenant().await?;
            output::line(serde_json::to_string_pretty(&shown(&tenant)).unwrap_or_default());
        }
        Command::Set { settings, dry_run } => set(&admin, &settings, dry_run).await?,
        Command::Create { name, issuer, display_name } => {
            create(&admin, common.json, &name, issuer, display_name).await?;
        }
    }
    admin.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// All but the salt.
fn shown(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "issuer": tenant.issuer,
        "version": tenant.version,
        "settings": tenant.settings,
        "created_at": tenant.created_at,
    })
}

async fn set(admin: &Admin, settings: &[String], dry_run: bool) -> Result<(), Problem> {
    let tenant = admin.tenant().await?;
    let declared = TenantDeclaration {
        id: Some(tenant.id.clone()),
        issuer: None,
        settings: assign::assigned(&tenant.settings, settings)?,
    };
    let provisioned = admin.provisioner(&tenant, dry_run).tenant(&tenant.id, &declared).await?;
    if provisioned.is_unchanged() {
        output::line("Nothing to change.");
    }
    provisioned.differences.iter().for_each(output::line);
    // New algorithms need keys at once; without the master key `signet serve` makes them.
    if let (Ok(workshop), false) = (admin.workshop(), dry_run) {
        workshop.ensure(&admin.tenant().await?, admin.now).await?;
    }
    Ok(())
}

async fn list(admin: &Admin, json: bool) -> Result<(), Problem> {
    let rows: Vec<_> = admin
        .store
        .tenants()
        .await?
        .into_iter()
        .map(|tenant| vec![json!(tenant.id), json!(tenant.issuer), json!(output::time(tenant.created_at))])
        .collect();
    output::table(json, &["tenant", "issuer", "created"], &rows);
    Ok(())
}

async fn create(
    admin: &Admin,
    as_json: bool,
    name: &str,
    issuer: String,
    display_name: Option<String>,
) -> Result<(), Problem> {
    let id = TenantId::from(name);
    let others = admin.store.tenants().await?;
    if others.iter().any(|tenant| tenant.id == id) {
        return Err(Problem::new("exists", format!("there is a tenant \"{name}\" already")));
    }
    // Fails before anything is written if the keys could not be sealed.
    let workshop = admin.workshop()?;
    // The first one looks after the installation: its owners make the others.
    let mut settings = TenantSettings { operator: others.is_empty(), ..TenantSettings::default() };
    if let Some(display_name) = display_name {
        settings.branding.name = display_name;
    }
    let declared = TenantDeclaration { id: Some(id.clone()), issuer: Some(issuer), settings };
    admin.provisioner_in(Mode::Production).tenant(&id, &declared).await?;
    let tenants = admin.store.tenants().await?;
    let tenant = tenants
        .iter()
        .find(|tenant| tenant.id == id)
        .ok_or_else(|| Problem::new("missing", "the tenant is gone"))?;
    let keys = workshop.ensure(tenant, admin.now).await?;
    if as_json {
        output::value(&json!({ "tenant": tenant.id, "issuer": tenant.issuer, "keys": keys }));
    } else {
        output::line(format!("Tenant \"{name}\" serves {} with {keys} key pairs.", tenant.issuer));
    }
    Ok(())
}
