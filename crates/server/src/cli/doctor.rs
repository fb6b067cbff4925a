//! `signet doctor`: what is wrong or soon will be, and what to do about it.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use signet_core::audit::chain::Found;
use signet_core::client_policy::{self, Keys};
use signet_core::ids::ClientId;
use signet_core::records::{ClientKey, Tenant};

use super::Common;
use super::admin::{Admin, open_store};
use super::output::{self, Problem};
use crate::audit_chain;
use crate::diagnosis::{Diagnosis, Finding, MAX_UNSEALED, TOLERANCE, Verdict, trail as trail_of};
use crate::edge::{Clock, Stopwatch};
use crate::provisioning::{every_client, kept_secret};

/// Problems of an audit trail that are named one by one.
const SHOWN: usize = 10;
/// Most key sets of clients that are read.
const MAX_SETS: usize = 1000;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Fail on warnings too.
    #[arg(long)]
    strict: bool,
}

fn print(report: &Diagnosis, as_json: bool) {
    if as_json {
        return output::value(&json!(report.0));
    }
    for Finding { verdict, subject, text } in &report.0 {
        output::line(format!("{:<8} {subject}: {text}", verdict.name()));
    }
}

pub(super) async fn run(common: &Common, options: Options) -> Result<ExitCode, Problem> {
    let mut report = Diagnosis::default();
    let store = open_store(common).await?;
    report.clock(Clock::system().now(), store.clock().await?, TOLERANCE);
    let current = store.is_current().await.unwrap_or(false);
    report.schema(current);
    store.close().await;
    if current {
        let admin = Admin::open(common).await?;
        let tenants = admin.store.tenants().await?;
        if tenants.is_empty() {
            report.add(Verdict::Wrong, "tenants", "there is none; make one with `signet tenant create`");
        }
        for tenant in &tenants {
            let keys = admin.store.tenant_keys(&tenant.id, admin.now).await?;
            report.tenant(tenant, &keys, admin.vault().ok().as_deref(), admin.now);
            clients(&admin, tenant, &mut report).await?;
            trail(&admin, tenant, &mut report).await?;
        }
        admin.store.close().await;
    }
    print(&report, common.json);
    let worst = report.worst();
    let fail = worst == Verdict::Wrong || (options.strict && worst == Verdict::Warning);
    Ok(if fail { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn clients(admin: &Admin, tenant: &Tenant, report: &mut Diagnosis) -> Result<(), Problem> {
    let clients = every_client(admin.store.as_ref(), &tenant.id).await?;
    let mut quiet = 0;
    let mut registered: HashMap<ClientId, Vec<ClientKey>> = HashMap::new();
    for page in clients.chunks(1000) {
        let ids: Vec<ClientId> = page.iter().map(|client| client.client_id.clone()).collect();
        for key in admin.store.keys_of_clients(&tenant.id, &ids).await? {
            registered.entry(key.client_id.clone()).or_default().push(key);
        }
    }
    let in_use = || clients.iter().filter(|client| !client.disabled);
    let published = Admin::remote_keys(tenant)?;
    published.prepare(in_use().filter_map(|client| client.settings.jwks_uri.as_deref()), MAX_SETS).await;
    for client in in_use() {
        let keys = registered.remove(&client.client_id).unwrap_or_default();
        let settings = &client.settings;
        let subject = format!("client {}", client.client_id);
        let uri = settings.jwks_uri.as_deref();
        let set = uri.map(|uri| published.last(uri, (&tenant.id, &client.client_id)));
        let keys = Keys { registered: &keys, set: set.as_ref() };
        let wrong = client_policy::check(
            &client.client_id,
            settings,
            kept_secret(client),
            keys,
            &tenant.settings,
            Admin::mode(tenant),
            admin.now,
        );
        let advice = client_policy::advice(settings, keys, admin.now);
        if client_policy::rests_on_unread_keys(settings, keys) {
            let text = format!("its jwks_uri was not read: no more than {MAX_SETS} are");
            report.add(Verdict::Warning, &subject, text);
        }
        quiet += usize::from(wrong.is_empty() && advice.is_empty());
        for problem in &wrong {
            report.add(Verdict::Wrong, &subject, problem.to_string());
        }
        for advice in &advice {
            report.add(Verdict::Warning, &subject, advice.to_string());
        }
    }
    report.add(
        Verdict::Ok,
        format!("tenant {}", tenant.id),
        format!("{quiet} of {} clients need no attention", clients.len()),
    );
    Ok(())
}

/// Judges the audit chain. Its last number and MAC are printed: whoever keeps them sees later whether an end was cut off.
async fn trail(admin: &Admin, tenant: &Tenant, report: &mut Diagnosis) -> Result<(), Problem> {
    let subject = trail_of(tenant);
    // That there is no master key is said already.
    let Ok(vault) = admin.vault() else { return Ok(()) };
    let watch = Stopwatch::start();
    let found = audit_chain::verify(admin.store.as_ref(), &vault.chain_keys(), &tenant.id).await?;
    let seconds = watch.elapsed().as_secs_f64();
    let Found { links, purged, events, wrong, last } = &found;
    for wrong in wrong.iter().take(SHOWN) {
        report.add(Verdict::Wrong, &subject, wrong.to_string());
    }
    if wrong.len() > SHOWN {
        report.add(Verdict::Wrong, &subject, format!("{} more like these", wrong.len() - SHOWN));
    }
    let last = match last {
        Some((number, mac)) => format!("; the last is {number} with the MAC {}", hex::encode(mac)),
        None => String::new(),
    };
    let what = format!("{links} links over {events} events, {purged} more emptied in their time");
    let good = if wrong.is_empty() { "as written" } else { "judged" };
    report.add(Verdict::Ok, &subject, format!("{what}: {good}, in {seconds:.1} s{last}"));
    let young = admin.store.unsealed_audit(&tenant.id, MAX_UNSEALED).await?;
    report.unsealed(&subject, &young, admin.now);
    Ok(())
}
