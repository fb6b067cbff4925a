//! The operation that takes a declaration.

use serde_json::json;
use signet_core::admin::CLIENTS_WRITE;
use signet_core::provision::Declaration;

use super::operation::{Answer, Operation, Verb};
use crate::desk::Applied;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::act(Verb::Post, "/apply", "applyDeclaration", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.apply(&call.body::<Declaration>()?, &call.write).await?) })
        })
        .says(
            "Bring the tenant into a declared state",
            "The file of `signet apply`, as JSON: settings of the tenant, clients, users; all of it in one transaction, or \
             nothing. What is not declared stays as it is. Each part is judged as if it were written alone: the tenant's \
             settings need `signet:tenant.write` too, users need `signet:users.write`. The issuer stays, passwords are for new \
             users, and hashes of passwords are for the command line. At most 500 clients and users, 20 of them with a \
             password.",
        )
        .takes::<Declaration>()
        .gives::<Applied>()
        .example(|| {
            json!({ "version": 1, "clients": [{ "client_id": "declared", "client_name": "Declared",
                    "redirect_uris": ["https://shop.example/callback"], "generate_secret": true }] })
        }),
    ]
}
