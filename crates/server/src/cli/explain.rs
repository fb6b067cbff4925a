//! `signet request-object explain`.

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};
use signet_core::explain::{Finding, Line, MAX_PASTE, Pasted, Report};
use signet_core::records::Tenant;
use signet_jose::Verdict;
use signet_store::AuditFilter;

use super::admin::Admin;
use super::output::{self, Problem};
use crate::explaining::{self, Tools};
use crate::keyring::Keyring;
use crate::tenancy;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The request object, or the authorization URL, its query or a form body; read from standard input if left out.
    token: Option<String>,
    /// The `client_id` beside it, if one was sent.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Explain a refused request by the reference number that its error page shows.
    #[arg(long, value_name = "ID", conflicts_with_all = ["token", "client"])]
    reference: Option<String>,
}

pub(super) async fn run(
    as_json: bool,
    admin: &Admin,
    tenant: &Tenant,
    explain: Explain,
) -> Result<ExitCode, Problem> {
    let report = match &explain.reference {
        Some(reference) => told(admin, tenant, reference).await?,
        None => judged(admin, tenant, explain).await?,
    };
    show(as_json, &report);
    Ok(if report.accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn judged(admin: &Admin, tenant: &Tenant, explain: Explain) -> Result<Report, Problem> {
    let text = match explain.token {
        Some(text) => text,
        None => read_text()?,
    };
    let pasted = Pasted::read(&text)
        .map_err(|fault| Problem::new(fault.code(), fault.public()))?
        .of_client(explain.client.as_deref());
    let keyring = Arc::new(Keyring::default());
    let keys = admin.store.tenant_keys(&tenant.id, admin.now).await?;
    let tools = Tools {
        tenant: tenant.clone(),
        decryption: tenancy::decryption_keys(&keys, &keyring, admin.vault()?.as_ref(), admin.now),
        keys,
        keyring,
        entropy: admin.entropy.clone(),
        now: admin.now,
    };
    let opening = tools.open(pasted);
    let (client, keys) = match opening.client_id() {
        Some(id) => {
            (admin.store.client(&tenant.id, &id).await?, admin.store.client_keys(&tenant.id, &id).await?)
        }
        None => (None, Vec::new()),
    };
    Ok(tools.explain(opening, client.as_ref(), &keys, false))
}

async fn told(admin: &Admin, tenant: &Tenant, reference: &str) -> Result<Report, Problem> {
    let filter =
        AuditFilter { correlation_id: Some(reference.to_owned()), limit: 100, ..AuditFilter::default() };
    let events = admin.store.audit(&tenant.id, &filter).await?;
    let failure = explaining::failure(&events).map(|(_, report)| report);
    failure.ok_or_else(|| {
        Problem::new("reference_unknown", format!("nothing was refused under the reference \"{reference}\""))
    })
}

fn read_text() -> Result<String, Problem> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_PASTE as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| Problem::new("stdin", format!("standard input: {error}")))?;
    Ok(text)
}

fn show(as_json: bool, report: &Report) {
    let checks: Vec<&Line> = report.layers.iter().flat_map(|layer| &layer.checks).collect();
    if as_json {
        let reason = report.reason.as_ref();
        let mut facts: Map<String, Value> = Map::new();
        facts.insert("accepted".into(), report.accepted.into());
        facts.insert("client_id".into(), json!(report.client_id));
        facts.insert("reason".into(), json!(reason.map(|reason| &reason.code)));
        facts.insert("error".into(), json!(reason.map(|reason| &reason.error)));
        facts.insert("text".into(), json!(reason.map(|reason| &reason.text)));
        facts.insert("findings".into(), json!(report.findings));
        facts.insert("checks".into(), json!(checks));
        return output::value(&Value::Object(facts));
    }
    for layer in &report.layers {
        output::line(format!("{}:", layer.title));
        layer.facts.iter().for_each(|fact| output::line(format!("      {}: {}", fact.name, fact.value)));
        layer.checks.iter().for_each(show_check);
    }
    match &report.reason {
        None => output::line("\nAccepted. (Only looked at: a jti was not used up.)"),
        Some(reason) => output::line(format!(
            "\nRefused: {} (reason code {}; the client is told: {})",
            reason.text, reason.code, reason.error
        )),
    }
    report.findings.iter().for_each(show_finding);
}

fn show_check(check: &Line) {
    let mark = match check.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::Skipped => "skip",
    };
    output::line(format!("{mark}  {}  ({})", check.rule, check.clause));
    output::line(format!("      wanted: {}", check.expected));
    if !check.actual.is_empty() {
        output::line(format!("      found:  {}", check.actual));
    }
}

fn show_finding(finding: &Finding) {
    let sign = if finding.sign.is_empty() { String::new() } else { format!(" ({})", finding.sign) };
    output::line(format!(
        "\n{}{sign}\n  {}\n  What to do: {}",
        finding.title, finding.happened, finding.remedy
    ));
    for snippet in &finding.code {
        output::line(format!("  {}:\n    {}", snippet.library, snippet.code.replace('\n', "\n    ")));
    }
}
