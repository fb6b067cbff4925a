//! Operations on clients' keys.

use serde_json::json;
use signet_core::admin::{CLIENTS_READ, CLIENTS_WRITE};
use signet_core::provision::KeyDeclaration;

use super::clients::id;
use super::operation::{Answer, Link, Operation};
use crate::desk::{ClientKeyView, KeyChange, KeysWritten, NewKeyPair, Refused, RotateKey};

const KEY: &str = "/clients/{client_id}/keys/{key_id}";

/// What can be done next with a key that was made.
const NEXT: &[Link] = &[
    Link { operation: "changeClientKey", parameters: WITH_VERSION },
    Link { operation: "rotateClientKey", parameters: WITH_VERSION },
    Link { operation: "revokeClientKey", parameters: WITH_VERSION },
];
const WITH_VERSION: &[(&str, &str)] = &[
    ("client_id", "$request.path.client_id"),
    ("key_id", "$response.body#/keys/0/id"),
    ("If-Match", "$response.header.ETag"),
];

fn written(written: &KeysWritten) -> Result<Answer, Refused> {
    Ok(Answer::ok(written)?.version(written.version))
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::read("/clients/{client_id}/keys", "listClientKeys", CLIENTS_READ, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.client_keys(&id(call)).await?) })
        })
        .says(
            "List a client's public keys",
            "Withdrawn ones included, oldest first, each with where it stands; then those of its `jwks_uri`.",
        )
        .gives::<Vec<ClientKeyView>>(),
        Operation::create("/clients/{client_id}/key-pairs", "createClientKeyPair", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move {
                let made = desk.generate_key(&id(call), &call.body::<NewKeyPair>()?, &call.write).await?;
                Ok(written(&made)?.created(made.dry_run, made.replayed))
            })
        })
        .says(
            "Make a key pair for a client",
            "The private part is in this answer, as JWK and PEM, and never again: it is kept nowhere.",
        )
        .takes::<NewKeyPair>()
        .gives::<KeysWritten>()
        .example(|| json!({ "name": "signing", "usage": "sig", "kind": "p-256" }))
        .links(NEXT),
        Operation::create("/clients/{client_id}/keys", "addClientKeys", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move {
                let made = desk.add_key(&id(call), &call.body::<KeyDeclaration>()?, &call.write).await?;
                // Keys that the client has already are not made.
                let not_made = made.dry_run || made.differences.is_empty();
                Ok(written(&made)?.created(not_made, made.replayed))
            })
        })
        .says("Add public keys to a client", "A JWK or a JWK set, a PEM public key, or an X.509 certificate in PEM.")
        .takes::<KeyDeclaration>()
        .gives::<KeysWritten>()
        .example(|| {
            json!({ "name": "signing", "usage": "sig", "source": { "kty": "OKP", "crv": "Ed25519",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } })
        })
        .links(NEXT),
        Operation::replace(KEY, "changeClientKey", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move {
                let (key, change) = (call.uuid("key_id")?, call.body::<KeyChange>()?);
                written(&desk.change_key(&id(call), key, &change, &call.write).await?)
            })
        })
        .says("Change name and period of a key", "What is left out of the period is open.")
        .takes::<KeyChange>()
        .gives::<KeysWritten>()
        .example(|| json!({ "name": "signing, new name" })),
        Operation::change(
            "/clients/{client_id}/keys/{key_id}/rotate",
            "rotateClientKey",
            CLIENTS_WRITE,
            |desk, call| {
                Box::pin(async move {
                    let (key, rotate) = (call.uuid("key_id")?, call.body::<RotateKey>()?);
                    written(&desk.rotate_key(&id(call), key, &rotate, &call.write).await?)
                })
            },
        )
        .says(
            "Let a new key take over",
            "In one step: the new key is good from now on, the old one ends after the overlap. A pair is made if no key is \
             sent; its private part is in this answer and never again.",
        )
        .takes::<RotateKey>()
        .gives::<KeysWritten>()
        .example(|| json!({ "overlap": 604_800 })),
        Operation::delete(KEY, "revokeClientKey", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move { written(&desk.revoke_key(&id(call), call.uuid("key_id")?, &call.write).await?) })
        })
        .says("Withdraw a key at once", "Whatever breaks; the answer says what does. Its record stays in the list.")
        .gives::<KeysWritten>(),
    ]
}
