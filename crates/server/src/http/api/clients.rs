//! Operations on clients.

use serde_json::json;
use signet_core::admin::{CLIENTS_READ, CLIENTS_WRITE};
use signet_core::ids::ClientId;

use super::operation::{AFTER, Answer, Call, Form, LIMIT, Link, Operation, Parameter, STATE, Verb};
use crate::desk::{
    ClientChange, ClientLine, ClientPatch, ClientQuery, ClientView, ClientWritten, Configuration,
    DeliveryView, NewClient, Paged, PreviewView, Refused, TemplateView,
};

const SEARCH: Parameter = Parameter {
    name: "search",
    detail: "Only those whose `client_id`, name or host of a redirect URI has this in it, in whatever case; less than three \
             characters are looked for at the beginning.",
    form: Form::Text,
};
const OWNER: Parameter =
    Parameter { name: "owner", detail: "Only those of the developer with this `sub`.", form: Form::Id };

/// What can be done next with a client that was made.
const NEXT: &[Link] = &[
    Link { operation: "getClient", parameters: ID },
    Link { operation: "replaceClient", parameters: WITH_VERSION },
    Link { operation: "patchClient", parameters: WITH_VERSION },
    Link { operation: "disableClient", parameters: WITH_VERSION },
    Link { operation: "createClientSecret", parameters: WITH_VERSION },
    Link { operation: "listClientKeys", parameters: ID },
    Link { operation: "createClientKeyPair", parameters: ID },
    Link { operation: "addClientKeys", parameters: ID },
    Link { operation: "listLogoutDeliveries", parameters: ID },
    Link { operation: "deleteClient", parameters: WITH_VERSION },
];
const ID: &[(&str, &str)] = &[("client_id", "$response.body#/client/client_id")];
const WITH_VERSION: &[(&str, &str)] =
    &[("client_id", "$response.body#/client/client_id"), ("If-Match", "$response.header.ETag")];

pub(super) fn id(call: &Call) -> ClientId {
    ClientId::from(call.path("client_id"))
}

fn written(written: &ClientWritten) -> Result<Answer, Refused> {
    Ok(Answer::ok(written)?.version(written.client.version))
}

pub(super) fn operations() -> Vec<Operation> {
    let mut all = reading();
    all.extend(writing());
    all
}

fn reading() -> Vec<Operation> {
    vec![
        Operation::read("/client-templates", "listClientTemplates", CLIENTS_READ, |desk, _| {
            Box::pin(async move { Answer::ok(&desk.templates()?) })
        })
        .says(
            "List kinds of applications",
            "Each with a sentence and the settings that such a client begins with.",
        )
        .gives::<Vec<TemplateView>>(),
        Operation::read("/clients", "listClients", CLIENTS_READ, |desk, call| {
            Box::pin(async move {
                let query = ClientQuery {
                    search: call.text("search"),
                    owner: call.id("owner"),
                    disabled: call.disabled(),
                    after: call.text("after"),
                    limit: call.limit(),
                };
                Answer::ok(&desk.clients(&query).await?)
            })
        })
        .says("List clients", "By `client_id`. Developers see their own.")
        .query(&[SEARCH, STATE, OWNER, AFTER, LIMIT])
        .gives::<Paged<ClientLine>>(),
        Operation::read("/clients/{client_id}", "getClient", CLIENTS_READ, |desk, call| {
            Box::pin(async move {
                let client = desk.client(&id(call)).await?;
                Ok(Answer::ok(&client)?.version(client.version))
            })
        })
        .says("Show a client", "Its settings, why it will fail if it will, and what should be looked at.")
        .gives::<ClientView>(),
        Operation::read("/clients/{client_id}/preview", "previewClient", CLIENTS_READ, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.client_preview(&id(call)).await?) })
        })
        .says("Tell what a client must send and what it will receive", "In plain words.")
        .gives::<PreviewView>(),
        Operation::read(
            "/clients/{client_id}/configuration",
            "configureClient",
            CLIENTS_READ,
            |desk, call| {
                Box::pin(async move { Answer::ok(&desk.client_configuration(&id(call)).await?) })
            },
        )
        .says(
            "Make configuration for common relying parties",
            "Text to copy and run, filled with the client's values. Secrets and private keys are never in it: it says where \
             they are read from.",
        )
        .gives::<Configuration>(),
        Operation::read(
            "/clients/{client_id}/logout-deliveries",
            "listLogoutDeliveries",
            CLIENTS_READ,
            |desk, call| {
                Box::pin(async move { Answer::ok(&desk.logout_deliveries(&id(call), call.limit()).await?) })
            },
        )
        .says("List what a client was told of logouts", "Newest first (Back-Channel Logout).")
        .query(&[LIMIT])
        .gives::<Vec<DeliveryView>>(),
    ]
}

fn writing() -> Vec<Operation> {
    vec![
        Operation::create("/clients", "createClient", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move {
                let made = desk.create_client(&call.body::<NewClient>()?, &call.write).await?;
                Ok(written(&made)?.created(made.dry_run, made.replayed))
            })
        })
        .says(
            "Register a client",
            "From a template. What the template needs and was not sent is made: a secret, key pairs. Both are in this \
             answer and never again. Settings that cannot work together are refused, naming both.",
        )
        .takes::<NewClient>()
        .gives::<ClientWritten>()
        .example(|| {
            json!({ "template": "web", "settings": { "client_name": "Shop",
                    "redirect_uris": ["https://shop.example/callback"] } })
        })
        .links(NEXT),
        Operation::replace("/clients/{client_id}", "replaceClient", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move {
                let change = call.body::<ClientChange>()?;
                written(&desk.replace_client(&id(call), &change, &call.write).await?)
            })
        })
        .says("Replace a client's settings", "All of them; what is left out gets its default.")
        .takes::<ClientChange>()
        .gives::<ClientWritten>()
        .example(|| {
            json!({ "settings": { "client_name": "Shop", "redirect_uris": ["https://shop.example/callback"] } })
        }),
        Operation::patch("/clients/{client_id}", "patchClient", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move {
                let patch = call.body::<ClientPatch>()?;
                written(&desk.patch_client(&id(call), &patch, &call.write).await?)
            })
        })
        .says("Change some of a client's settings", "The others stay. A list is replaced as a whole.")
        .takes::<ClientPatch>()
        .gives::<ClientWritten>()
        .example(|| json!({ "settings": { "client_name": "Shop", "logo_uri": null } })),
        Operation::delete("/clients/{client_id}", "deleteClient", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move { written(&desk.delete_client(&id(call), &call.write).await?) })
        })
        .says("Remove a client", "With its keys, consents and tokens. The answer tells what it was.")
        .gives::<ClientWritten>(),
        Operation::change("/clients/{client_id}/disable", "disableClient", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move { written(&desk.switch_client(&id(call), true, &call.write).await?) })
        })
        .says("Switch a client off", "It is treated as unknown until it is switched on again.")
        .gives::<ClientWritten>(),
        Operation::change("/clients/{client_id}/enable", "enableClient", CLIENTS_WRITE, |desk, call| {
            Box::pin(async move { written(&desk.switch_client(&id(call), false, &call.write).await?) })
        })
        .says("Switch a client on", "Its settings are judged as they are when they are saved.")
        .gives::<ClientWritten>(),
        Operation::new(
            super::operation::Kind::Change,
            Verb::Post,
            "/clients/{client_id}/secret",
            "createClientSecret",
            CLIENTS_WRITE,
            |desk, call| {
                Box::pin(async move { written(&desk.new_secret(&id(call), &call.write).await?) })
            },
        )
        .says("Give a client a new secret", "It is in this answer and never again. The old one ends at once.")
        .gives::<ClientWritten>(),
    ]
}
