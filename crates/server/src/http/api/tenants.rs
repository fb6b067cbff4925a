//! Operations on the tenants of the installation.

use serde_json::json;
use signet_core::admin::{TENANTS_READ, TENANTS_WRITE};

use super::operation::{AFTER, Answer, LIMIT, Operation};
use crate::desk::{NewTenant, Paged, TenantCreated, TenantLine, TenantQuery};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::read("/tenants", "listTenants", TENANTS_READ, |desk, call| {
            Box::pin(async move {
                let query = TenantQuery { after: call.text("after"), limit: call.limit() };
                Answer::ok(&desk.tenants(&query).await?)
            })
        })
        .says("List the tenants of the installation", "Only in the tenant that looks after it.")
        .query(&[AFTER, LIMIT])
        .gives::<Paged<TenantLine>>(),
        Operation::create("/tenants", "createTenant", TENANTS_WRITE, |desk, call| {
            Box::pin(async move {
                let made = desk.create_tenant(&call.body::<NewTenant>()?, &call.write).await?;
                Ok(Answer::ok(&made)?.created(made.dry_run, made.replayed))
            })
        })
        .says(
            "Make a tenant",
            "With its keys and its first owner. The link by which the owner chooses a password is in this answer and never \
             again.",
        )
        .takes::<NewTenant>()
        .gives::<TenantCreated>()
        .example(|| {
            json!({ "id": "acme", "issuer": "https://id.example.com/acme", "name": "Acme",
                    "owner": { "username": "olivia", "claims": { "name": "Olivia Owner" } } })
        }),
    ]
}
