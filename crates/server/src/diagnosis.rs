//! What is wrong or soon will be, and what to do about it: `signet doctor` and the interface say the same.

use schemars::JsonSchema;
use serde::Serialize;
use signet_core::context::UnixTime;
use signet_core::discovery;
use signet_core::records::{AuditEvent, KeyState, Tenant, TenantKey};
use signet_jose::KeyUse;

use crate::vault::{Vault, tenant_key_context};

/// Tolerated difference of clocks, in seconds, as in the default settings.
pub const TOLERANCE: i64 = 5;
/// Most events without a link of the audit chain that are looked at.
pub const MAX_UNSEALED: u32 = 1000;
/// Events older than this, in seconds, should have their link.
const UNSEALED: i64 = 3600;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works; somebody should look.
    Warning,
    /// It does not work.
    Wrong,
}

impl Verdict {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// How it is.
    pub verdict: Verdict,
    /// What was looked at.
    pub subject: String,
    /// What was found, and what to do.
    pub text: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis(pub Vec<Finding>);

impl Diagnosis {
    /// Adds something that was found.
    pub fn add(&mut self, verdict: Verdict, subject: impl Into<String>, text: impl Into<String>) {
        self.0.push(Finding { verdict, subject: subject.into(), text: text.into() });
    }

    fn judge(&mut self, good: bool, subject: &str, right: String, wrong: String) {
        if good { self.add(Verdict::Ok, subject, right) } else { self.add(Verdict::Wrong, subject, wrong) }
    }

    /// The worst of what was found.
    pub fn worst(&self) -> Verdict {
        self.0.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok)
    }

    /// The clocks of this machine and of the database.
    pub fn clock(&mut self, own: UnixTime, database: UnixTime, tolerance: i64) {
        let skew = (database - own).abs();
        self.judge(
            skew <= tolerance,
            "clock",
            format!("{skew} s from the database's"),
            format!("{skew} s from the database's; synchronise both with NTP, or replays cannot be told"),
        );
    }

    /// Whether the database has the schema that this program needs.
    pub fn schema(&mut self, current: bool) {
        let missing = "not the one this program needs; run `signet migrate`";
        self.judge(current, "schema", "current".into(), missing.into());
    }

    /// A tenant and its keys; `None` for a master key that is not given.
    pub fn tenant(&mut self, tenant: &Tenant, keys: &[TenantKey], vault: Option<&Vault>, now: UnixTime) {
        let subject = format!("tenant {}", tenant.id);
        if tenant.settings.development {
            self.add(Verdict::Warning, &subject, "made by `signet dev`; `signet serve` will refuse it");
        }
        match vault {
            None => self.add(
                Verdict::Wrong,
                &subject,
                "no master key is given; set SIGNET_MASTER_KEY or SIGNET_MASTER_KEY_FILE",
            ),
            Some(vault) => {
                let is_closed =
                    |key: &&TenantKey| vault.open(&tenant_key_context(key), &key.sealed_private).is_err();
                let closed: Vec<&str> = keys.iter().filter(is_closed).map(|key| key.id.as_str()).collect();
                self.judge(
                    closed.is_empty(),
                    &subject,
                    format!("the master key opens all {} key pairs", keys.len()),
                    format!("the master key does not open: {}", closed.join(", ")),
                );
            }
        }
        for alg in &tenant.settings.signing_algs {
            let found = discovery::signing_key(keys, alg.name(), now).is_some();
            let missing = format!("no key signs {alg} now; start `signet serve`, which makes one");
            self.judge(found, &subject, format!("{alg} is signed"), missing);
        }
        let is_usable = |key: &&TenantKey| key.usage == KeyUse::Enc && key.state(now) == KeyState::Active;
        let decrypting = keys.iter().filter(is_usable).count();
        let none = "no encryption key is published, so request objects cannot be encrypted".to_owned();
        let wanted = !tenant.settings.encryption_algs.is_empty();
        let published = format!("{decrypting} encryption keys are published");
        self.judge(decrypting > 0 || !wanted, &subject, published, none);
    }

    /// Events that no link of the chain covers yet: the first [`MAX_UNSEALED`] of them.
    pub fn unsealed(&mut self, subject: &str, young: &[AuditEvent], now: UnixTime) {
        if young.iter().any(|event| event.at < now - UNSEALED) {
            let many = young.len() >= MAX_UNSEALED as usize;
            let waiting = if many { format!("{MAX_UNSEALED} or more") } else { young.len().to_string() };
            let text = format!("{waiting} events have no link yet; a running `signet serve` makes them");
            self.add(Verdict::Warning, subject, text);
        }
    }
}

/// What an audit trail is called here.
pub fn trail(tenant: &Tenant) -> String {
    format!("audit trail of tenant {}", tenant.id)
}
