//! `signet apply`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use signet_core::change::Change;
use signet_core::provision::{Declaration, Provisioned};
use signet_core::records::Tenant;

use super::Common;
use super::admin::Admin;
use super::output::{self, Problem};
use super::user::sessions_ending;
use crate::provisioning::ProvisioningError;

/// Largest file, in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The declaration: YAML or JSON.
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Say what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(common: &Common, options: Options) -> Result<ExitCode, Problem> {
    let declaration = read(&options.file)?;
    let admin = Admin::open(common).await?;
    let tenant = admin.tenant().await?;
    let mut total = Total::new(common.json, options.dry_run);
    let changes = decide(&admin, &tenant, &declaration, &mut total).await?;
    // The whole file in one transaction: all of it, or nothing.
    if !options.dry_run && !changes.is_empty() {
        admin.store.apply(&tenant.id, &changes).await?;
    }
    if !options.dry_run && declaration.tenant.is_some() {
        admin.workshop()?.ensure(&admin.tenant().await?, admin.now).await?;
    }
    total.close();
    admin.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// What the file comes to, judged part by part against what the parts before it will have made.
async fn decide(
    admin: &Admin,
    tenant: &Tenant,
    declaration: &Declaration,
    total: &mut Total,
) -> Result<Vec<Change>, Problem> {
    let provisioner = admin.provisioner(tenant, true);
    let mut tenant = tenant.clone();
    let mut changes = Vec::new();
    let about = |name: &str| {
        let name = name.to_owned();
        move |error: ProvisioningError| Problem::from(error).about(&name)
    };
    if let Some(declared) = &declaration.tenant {
        let done = provisioner.tenant(&tenant.id, declared).await?;
        for change in &done.changes {
            if let Change::UpdateTenant(next) = change {
                tenant = next.clone();
            }
        }
        changes.extend(total.add(tenant.id.as_str(), done));
    }
    for client in &declaration.clients {
        let name = client.client_id.as_str();
        changes.extend(total.add(name, provisioner.client(&tenant, client).await.map_err(about(name))?));
    }
    for user in &declaration.users {
        let name = &user.username;
        let done = provisioner.user(&tenant.id, user).await.map_err(about(name))?;
        let ending = ending(admin, &tenant, &done.changes).await?;
        changes.extend(total.add(name, done));
        changes.extend(ending);
    }
    Ok(changes)
}

/// What ends with all sessions of somebody who gets another password, or is disabled. It stands behind the change of their
/// version, so it also finds what is begun meanwhile.
async fn ending(admin: &Admin, tenant: &Tenant, changes: &[Change]) -> Result<Vec<Change>, Problem> {
    let next = changes.iter().find_map(|change| match change {
        Change::UpdateUser(next) => Some(next),
        _ => None,
    });
    let Some(next) = next else { return Ok(Vec::new()) };
    let Some(user) = admin.store.user(&tenant.id, next.id).await? else { return Ok(Vec::new()) };
    let why = if next.password_hash != user.password_hash {
        "password_set"
    } else if next.disabled && !user.disabled {
        "user_disabled"
    } else {
        return Ok(Vec::new());
    };
    sessions_ending(admin, tenant, &user, why).await
}

fn read(file: &PathBuf) -> Result<Declaration, Problem> {
    let size = std::fs::metadata(file).map_err(|error| Problem::file(file, &error))?.len();
    if size > MAX_BYTES {
        return Err(Problem::new(
            "file_too_large",
            format!("{} has {size} bytes; at most {MAX_BYTES} are read", file.display()),
        ));
    }
    let text = std::fs::read_to_string(file).map_err(|error| Problem::file(file, &error))?;
    let declaration: Declaration = serde_saphyr::from_str(&text)
        .map_err(|error| Problem::new("declaration", format!("{}: {error}", file.display())))?;
    declaration.check().map_err(|refusal| Problem::new(refusal.code(), refusal.to_string()))?;
    Ok(declaration)
}

/// What the whole file came to.
struct Total {
    json: bool,
    dry_run: bool,
    differences: Vec<String>,
    secrets: Vec<serde_json::Value>,
}

impl Total {
    fn new(json: bool, dry_run: bool) -> Self {
        Self { json, dry_run, differences: Vec::new(), secrets: Vec::new() }
    }

    /// Tells what a part comes to, and gives its changes.
    fn add(&mut self, name: &str, provisioned: Provisioned) -> Vec<Change> {
        for advice in &provisioned.advice {
            output::note(format!("note: {name}: {advice}"));
        }
        if !self.json {
            provisioned.differences.iter().for_each(output::line);
        }
        self.differences.extend(provisioned.differences);
        if let Some(secret) = provisioned.secret.filter(|_| !self.dry_run) {
            if !self.json {
                output::line(format!("client \"{name}\": secret, shown this once: {}", *secret));
            }
            self.secrets.push(json!({ "client_id": name, "client_secret": secret.as_str() }));
        }
        provisioned.changes
    }

    fn close(self) {
        if self.json {
            let changed = !self.differences.is_empty();
            let facts = json!({ "changed": changed, "dry_run": self.dry_run, "differences": self.differences, "secrets": self.secrets });
            output::value(&facts);
        } else if self.differences.is_empty() {
            output::line("Nothing to change: everything is as declared.");
        } else if self.dry_run {
            output::line("This is what would change. Nothing was changed.");
        }
    }
}
