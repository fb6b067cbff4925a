//! Operations on the tenant, its keys and its registration tokens.

use serde_json::json;
use signet_core::admin::{KEYS_READ, KEYS_WRITE, TENANT_READ, TENANT_WRITE};

use super::operation::{Answer, Kind, Link, Operation, Verb};
use crate::desk::{
    NewRegistrationToken, RegistrationTokenView, RegistrationTokenWritten, RotateTenantKeys, TenantChange,
    TenantKeys, TenantKeysWritten, TenantPatch, TenantRecord, TenantWritten,
};

/// What can be done next with a token that was made.
const TOKEN_NEXT: &[Link] =
    &[Link { operation: "deleteRegistrationToken", parameters: &[("name", "$response.body#/token/name")] }];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = itself();
    all.extend(keys());
    all.extend(registration_tokens());
    all
}

fn itself() -> Vec<Operation> {
    vec![
        Operation::read("/tenant", "getTenant", TENANT_READ, |desk, _| {
            Box::pin(async move {
                let tenant = desk.tenant_record().await?;
                Ok(Answer::ok(&tenant)?.version(tenant.version))
            })
        })
        .says("Show the tenant", "Its issuer, policies and looks.")
        .gives::<TenantRecord>(),
        Operation::replace("/tenant", "replaceTenant", TENANT_WRITE, |desk, call| {
            Box::pin(async move {
                let written = desk.replace_tenant(&call.body::<TenantChange>()?, &call.write).await?;
                Ok(Answer::ok(&written)?.version(written.tenant.version))
            })
        })
        .says(
            "Replace the tenant's settings",
            "All of them; what is left out gets its default. The issuer stays. Algorithms that are new get keys at once.",
        )
        .takes::<TenantChange>()
        .gives::<TenantWritten>()
        .example(|| json!({ "settings": { "branding": { "name": "Example", "accent": "#0a5c8c" } } })),
        Operation::patch("/tenant", "patchTenant", TENANT_WRITE, |desk, call| {
            Box::pin(async move {
                let written = desk.patch_tenant(&call.body::<TenantPatch>()?, &call.write).await?;
                Ok(Answer::ok(&written)?.version(written.tenant.version))
            })
        })
        .says("Change some of the tenant's settings", "The others stay. A list is replaced as a whole.")
        .takes::<TenantPatch>()
        .gives::<TenantWritten>()
        .example(|| json!({ "settings": { "branding": { "accent": "#0a5c8c" } } })),
    ]
}

fn keys() -> Vec<Operation> {
    vec![
        Operation::read("/keys", "listTenantKeys", KEYS_READ, |desk, _| {
            Box::pin(async move { Answer::ok(&desk.tenant_keys().await?) })
        })
        .says("List the tenant's keys", "All that are not gone, each with where it stands in its life.")
        .gives::<TenantKeys>(),
        Operation::act(Verb::Post, "/keys/rotate", "rotateTenantKeys", KEYS_WRITE, |desk, call| {
            Box::pin(async move {
                Answer::ok(&desk.rotate_tenant_keys(&call.body::<RotateTenantKeys>()?, &call.write).await?)
            })
        })
        .says(
            "Rotate the tenant's keys",
            "Those of one usage: the next ones are published now and used once they have spread. Twice is as good as once.",
        )
        .takes::<RotateTenantKeys>()
        .gives::<TenantKeysWritten>()
        .example(|| json!({ "usage": "sig" })),
        Operation::act(Verb::Delete, "/keys/{key_id}", "revokeTenantKey", KEYS_WRITE, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.revoke_tenant_key(call.path("key_id"), &call.write).await?) })
        })
        .says(
            "Withdraw one of the tenant's keys at once",
            "For a private key that has leaked: what it signed is refused from now on. Another one is made in its place.",
        )
        .gives::<TenantKeysWritten>(),
    ]
}

fn registration_tokens() -> Vec<Operation> {
    vec![
        Operation::read("/registration-tokens", "listRegistrationTokens", TENANT_READ, |desk, _| {
            Box::pin(async move { Answer::ok(&desk.registration_tokens().await?) })
        })
        .says("List registration tokens", "By name. The tokens themselves are not kept.")
        .gives::<Vec<RegistrationTokenView>>(),
        Operation::create("/registration-tokens", "createRegistrationToken", TENANT_WRITE, |desk, call| {
            Box::pin(async move {
                let new = call.body::<NewRegistrationToken>()?;
                let made = desk.create_registration_token(&new, &call.write).await?;
                Ok(Answer::ok(&made)?.created(made.dry_run, made.replayed))
            })
        })
        .says(
            "Make a registration token",
            "An initial access token (RFC 7591 section 1.2). It is in this answer and never again.",
        )
        .takes::<NewRegistrationToken>()
        .gives::<RegistrationTokenWritten>()
        .example(|| json!({ "name": "partners", "uses": 10 }))
        .links(TOKEN_NEXT),
        Operation::new(
            Kind::Act,
            Verb::Delete,
            "/registration-tokens/{name}",
            "deleteRegistrationToken",
            TENANT_WRITE,
            |desk, call| {
                Box::pin(async move {
                    Answer::ok(&desk.delete_registration_token(call.path("name"), &call.write).await?)
                })
            },
        )
        .says("Remove a registration token", "Clients that were registered with it stay.")
        .gives::<RegistrationTokenWritten>(),
    ]
}
