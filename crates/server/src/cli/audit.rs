//! `signet audit`: the trail, newest first.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use signet_core::explain::Record;
use signet_core::ids::ClientId;
use signet_core::records::AuditEvent;
use signet_store::AuditFilter;

use super::Common;
use super::admin::Admin;
use super::output::{self, Problem};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only of this login: the reference that error pages show.
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    /// Only of this client.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Only with this reason code.
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Only of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// At most this many (1 to 1000).
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) async fn run(common: &Common, options: Options) -> Result<ExitCode, Problem> {
    let admin = Admin::open(common).await?;
    let tenant = admin.tenant().await?;
    let user_id = match &options.user {
        Some(name) => {
            let found = admin.store.user_by_name(&tenant.id, &name.trim().to_lowercase()).await?;
            let unknown = || Problem::new("user_unknown", format!("there is no user \"{name}\""));
            Some(found.ok_or_else(unknown)?.id)
        }
        None => None,
    };
    let filter = AuditFilter {
        client_id: options.client.map(ClientId::new),
        user_id,
        reason: options.reason,
        correlation_id: options.correlation_id,
        limit: options.limit,
        ..AuditFilter::default()
    };
    let events = admin.store.audit(&tenant.id, &filter).await?;
    let columns = ["at", "kind", "outcome", "reason", "client_id", "user_id", "correlation_id", "detail"];
    output::table(
        common.json,
        &columns,
        &events.iter().map(|event| row(event, common.json)).collect::<Vec<_>>(),
    );
    admin.store.close().await;
    Ok(ExitCode::SUCCESS)
}

fn row(event: &AuditEvent, whole: bool) -> Vec<Value> {
    // What explains a refusal fills a screen; `signet request-object explain --reference` shows it.
    let mut detail = event.detail.clone();
    detail.retain(|name, _| whole || name != Record::MEMBER);
    vec![
        json!(output::time(event.at)),
        json!(event.kind),
        json!(event.outcome),
        json!(event.reason),
        json!(event.client_id),
        json!(event.user_id),
        json!(event.correlation_id),
        json!(detail),
    ]
}
