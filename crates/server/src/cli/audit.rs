//! `signet audit`: the trail, newest first.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use signet_core::audit::{By, Kind};
use signet_core::explain::Record;
use signet_core::ids::{ClientId, TenantId};
use signet_core::records::{AuditEvent, Outcome};
use signet_store::AuditFilter;
use uuid::Uuid;

use super::Common;
use super::admin::Admin;
use super::output::{self, Problem, parse_time};

/// Events read at once.
const PAGE: u32 = 1000;
/// Events shown where nobody says how many.
const SHOWN: u32 = 50;

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
    /// Only what this one did: a user's name, `user:` with an id, `client:` with a `client_id`, or "command line".
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Only of this kind, as in `login.succeeded`.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Kind::NAMES), hide_possible_values = true)]
    kind: Option<String>,
    /// Only with this outcome.
    #[arg(long)]
    outcome: Option<Ended>,
    /// Only from this time on: a date, or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<i64>,
    /// Only before this time.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<i64>,
    /// At most this many; 50 if left out, all with --jsonl.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// One JSON object a line, for every event that fits.
    #[arg(long)]
    jsonl: bool,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Ended {
    /// Done.
    Success,
    /// Refused, with a reason.
    Refused,
}

const COLUMNS: [&str; 10] =
    ["at", "kind", "outcome", "reason", "client_id", "user_id", "actor", "correlation_id", "detail", "id"];

pub(super) async fn run(common: &Common, options: Options) -> Result<ExitCode, Problem> {
    let admin = Admin::open(common).await?;
    let tenant = admin.tenant().await?;
    let user_id = match &options.user {
        Some(name) => Some(user(&admin, &tenant.id, name).await?),
        None => None,
    };
    let actor = match &options.actor {
        Some(who) => Some(match who.parse() {
            Ok(by) => by,
            Err(_) => By::User(user(&admin, &tenant.id, who).await?),
        }),
        None => None,
    };
    let filter = AuditFilter {
        kind: options.kind,
        outcome: options.outcome.map(|ended| match ended {
            Ended::Success => Outcome::Success,
            Ended::Refused => Outcome::Refused,
        }),
        since: options.since,
        until: options.until,
        client_id: options.client.map(ClientId::new),
        user_id,
        actor: actor.map(|by| by.to_string()),
        reason: options.reason,
        correlation_id: options.correlation_id,
        before: None,
        limit: 0,
    };
    let wanted = options.limit.unwrap_or(if options.jsonl { u32::MAX } else { SHOWN });
    let mut rows = Vec::new();
    each(&admin, &tenant.id, filter, wanted, |event| {
        let cells = row(event, common.json || options.jsonl);
        if options.jsonl {
            output::value(&COLUMNS.iter().map(|name| (*name).to_owned()).zip(cells).collect());
        } else {
            rows.push(cells);
        }
    })
    .await?;
    if !options.jsonl {
        output::table(common.json, &COLUMNS[..9], &rows);
    }
    admin.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The id of the user of this name.
async fn user(admin: &Admin, tenant: &TenantId, name: &str) -> Result<Uuid, Problem> {
    let found = admin.store.user_by_name(tenant, &name.trim().to_lowercase()).await?;
    let unknown = || Problem::new("user_unknown", format!("there is no user \"{name}\""));
    Ok(found.ok_or_else(unknown)?.id)
}

/// Hands over the events that pass the filter, page by page, so that any number of them fits into memory.
async fn each(
    admin: &Admin,
    tenant: &TenantId,
    mut filter: AuditFilter,
    mut wanted: u32,
    mut take: impl FnMut(&AuditEvent),
) -> Result<(), Problem> {
    while wanted > 0 {
        filter.limit = wanted.min(PAGE);
        let page = admin.store.audit(tenant, &filter).await?;
        page.iter().for_each(&mut take);
        let read = u32::try_from(page.len()).unwrap_or(PAGE);
        if read < filter.limit {
            break;
        }
        wanted -= read;
        filter.before = page.last().map(|event| event.id);
    }
    Ok(())
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
        json!(event.actor),
        json!(event.correlation_id),
        json!(detail),
        json!(event.id),
    ]
}
