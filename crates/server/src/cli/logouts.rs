//! `signet client logouts`: what became of logout tokens.

use serde_json::{Value, json};
use signet_core::records::{LogoutDelivery, Tenant};

use super::admin::Admin;
use super::output::{self, Problem};

pub(super) async fn list(
    admin: &Admin,
    tenant: &Tenant,
    as_json: bool,
    client_id: &str,
    limit: u32,
) -> Result<(), Problem> {
    let client = admin.client(&tenant.id, client_id).await?;
    let deliveries = admin.store.logout_deliveries(&tenant.id, &client.client_id, limit).await?;
    let columns = ["at", "state", "attempts", "next", "last_error", "sid", "user_id", "correlation_id"];
    output::table(as_json, &columns, &deliveries.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

fn row(delivery: &LogoutDelivery) -> Vec<Value> {
    let state = match (delivery.delivered_at, delivery.next_attempt_at) {
        (Some(_), _) => "delivered",
        (None, Some(_)) => "waiting",
        (None, None) => "given up",
    };
    vec![
        json!(output::time(delivery.created_at)),
        json!(state),
        json!(delivery.attempts),
        json!(delivery.next_attempt_at.map(output::time)),
        json!(delivery.last_error),
        json!(delivery.sid),
        json!(delivery.user_id),
        json!(delivery.correlation_id),
    ]
}
