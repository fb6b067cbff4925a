//! `signet doctor`: what is wrong or soon will be, and what to do about it.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use signet_core::client_policy;
use signet_core::discovery;
use signet_core::records::{KeyState, Tenant};
use signet_jose::KeyUse;

use super::Common;
use super::admin::{Admin, open_store};
use super::output::{self, Problem};
use crate::edge::Clock;
use crate::provisioning::{every_client, kept_secret};
use crate::vault::tenant_key_context;

/// Tolerated difference of clocks, in seconds, as in the default settings.
const TOLERANCE: i64 = 5;

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
    for client in clients.iter().filter(|client| !client.disabled) {
        let keys = admin.store.client_keys(&tenant.id, &client.client_id).await?;
        let settings = &client.settings;
        let subject = format!("client {}", client.client_id);
        let wrong = client_policy::check(
            settings,
            kept_secret(client),
            &keys,
            &tenant.settings,
            Admin::mode(tenant),
            admin.now,
        );
        let advice = client_policy::advice(settings, &keys, admin.now);
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
