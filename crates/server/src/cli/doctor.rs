//! `signet doctor`: what is wrong or soon will be, and what to do about it.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use signet_core::audit::chain::Found;
use signet_core::client_policy::{self, Keys};
use signet_core::discovery;
use signet_core::ids::ClientId;
use signet_core::records::{ClientKey, KeyState, Tenant};
use signet_jose::KeyUse;

use super::Common;
use super::admin::{Admin, open_store};
use super::output::{self, Problem};
use crate::audit_chain;
use crate::edge::{Clock, Stopwatch};
use crate::provisioning::{every_client, kept_secret};
use crate::vault::tenant_key_context;

/// Tolerated difference of clocks, in seconds, as in the default settings.
const TOLERANCE: i64 = 5;
/// Problems of an audit trail that are named one by one.
const SHOWN: usize = 10;
/// Most key sets of clients that are read.
const MAX_SETS: usize = 1000;
/// Events older than this, in seconds, should have their link.
const UNSEALED: i64 = 3600;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Fail on warnings too.
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Warning,
    Wrong,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

#[derive(Debug, Default)]
struct Report(Vec<(Verdict, String, String)>);

impl Report {
    fn add(&mut self, verdict: Verdict, subject: impl Into<String>, text: impl Into<String>) {
        self.0.push((verdict, subject.into(), text.into()));
    }

    fn judge(&mut self, good: bool, subject: &str, right: String, wrong: String) {
        if good { self.add(Verdict::Ok, subject, right) } else { self.add(Verdict::Wrong, subject, wrong) }
    }

    fn print(&self, as_json: bool) {
        if as_json {
            let items: Vec<_> = self
                .0
                .iter()
                .map(|(verdict, subject, text)| json!({ "verdict": verdict.name(), "subject": subject, "text": text }))
                .collect();
            return output::value(&json!(items));
        }
        for (verdict, subject, text) in &self.0 {
            output::line(format!("{:<8} {subject}: {text}", verdict.name()));
        }
    }
}

pub(super) async fn run(common: &Common, options: Options) -> Result<ExitCode, Problem> {
    let mut report = Report::default();
    let store = open_store(common).await?;
    let skew = (store.clock().await? - Clock::system().now()).abs();
    report.judge(
        skew <= TOLERANCE,
        "clock",
        format!("{skew} s from the database's"),
        format!("{skew} s from the database's; synchronise both with NTP, or replays cannot be told"),
    );
    let current = store.is_current().await.unwrap_or(false);
    report.judge(
        current,
        "schema",
        "current".into(),
        "not the one this program needs; run `signet migrate`".into(),
    );
    store.close().await;
    if current {
        let admin = Admin::open(common).await?;
        let tenants = admin.store.tenants().await?;
        if tenants.is_empty() {
            report.add(Verdict::Wrong, "tenants", "there is none; make one with `signet tenant create`");
        }
        for tenant in &tenants {
            keys(&admin, tenant, &mut report).await?;
            clients(&admin, tenant, &mut report).await?;
            trail(&admin, tenant, &mut report).await?;
        }
        admin.store.close().await;
    }
    report.print(common.json);
    let worst = report.0.iter().map(|(verdict, _, _)| *verdict).max().unwrap_or(Verdict::Ok);
    let fail = worst == Verdict::Wrong || (options.strict && worst == Verdict::Warning);
    Ok(if fail { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn keys(admin: &Admin, tenant: &Tenant, report: &mut Report) -> Result<(), Problem> {
    let subject = format!("tenant {}", tenant.id);
    if tenant.settings.development {
        report.add(Verdict::Warning, &subject, "made by `signet dev`; `signet serve` will refuse it");
    }
    let keys = admin.store.tenant_keys(&tenant.id, admin.now).await?;
    match admin.vault() {
        Err(_) => report.add(
            Verdict::Wrong,
            &subject,
            "no master key is given; set SIGNET_MASTER_KEY or SIGNET_MASTER_KEY_FILE",
        ),
        Ok(vault) => {
            let closed =
                keys.iter().filter(|key| vault.open(&tenant_key_context(key), &key.sealed_private).is_err());
            let closed: Vec<&str> = closed.map(|key| key.id.as_str()).collect();
            report.judge(
                closed.is_empty(),
                &subject,
                format!("the master key opens all {} key pairs", keys.len()),
                format!("the master key does not open: {}", closed.join(", ")),
            );
        }
    }
    for alg in &tenant.settings.signing_algs {
        let found = discovery::signing_key(&keys, alg.name(), admin.now).is_some();
        let missing = format!("no key signs {alg} now; start `signet serve`, which makes one");
        report.judge(found, &subject, format!("{alg} is signed"), missing);
    }
    let usable = |key: &&signet_core::records::TenantKey| {
        key.usage == KeyUse::Enc && key.state(admin.now) == KeyState::Active
    };
    let decrypting = keys.iter().filter(usable).count();
    let none = "no encryption key is published, so request objects cannot be encrypted".to_owned();
    let wanted = !tenant.settings.encryption_algs.is_empty();
    report.judge(
        decrypting > 0 || !wanted,
        &subject,
        format!("{decrypting} encryption keys are published"),
        none,
    );
    Ok(())
}

async fn clients(admin: &Admin, tenant: &Tenant, report: &mut Report) -> Result<(), Problem> {
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
async fn trail(admin: &Admin, tenant: &Tenant, report: &mut Report) -> Result<(), Problem> {
    let subject = format!("audit trail of tenant {}", tenant.id);
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
    let young = admin.store.unsealed_audit(&tenant.id, 1000).await?;
    if young.iter().any(|event| event.at < admin.now - UNSEALED) {
        let waiting = if young.len() == 1000 { "1000 or more".to_owned() } else { young.len().to_string() };
        let text = format!("{waiting} events have no link yet; a running `signet serve` makes them");
        report.add(Verdict::Warning, &subject, text);
    }
    Ok(())
}
