//! How the tenant is.

use signet_core::admin::{CLIENTS_READ, KEYS_READ, TENANT_READ};

use super::operation::{Answer, Operation};
use crate::desk::Overview;
use crate::diagnosis::Finding;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::read("/overview", "getOverview", TENANT_READ, |desk, _| {
            Box::pin(async move { Answer::ok(&desk.overview().await?) })
        })
        .says(
            "Tell how the tenant is",
            "Clients that fail and why, keys and certificates that end within 30 days, logins and refusals of 14 days. Of \
             clients as they were at most a minute ago; developers see what concerns their own.",
        )
        .also(CLIENTS_READ)
        .gives::<Overview>(),
        Operation::read("/doctor", "diagnose", TENANT_READ, |desk, _| {
            Box::pin(async move { Answer::ok(&desk.doctor().await?) })
        })
        .says(
            "Check what the tenant runs on",
            "As `signet doctor` does: clocks, the schema of the database, whether the master key opens the tenant's keys, and \
             whether each algorithm has one. What will fail of clients is in `/overview` and with each client; the audit chain \
             is judged by `/audit/chain`.",
        )
        .also(KEYS_READ)
        .gives::<Vec<Finding>>(),
    ]
}
