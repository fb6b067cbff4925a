//! Operations on users.

use serde_json::json;
use signet_core::admin::{USERS_READ, USERS_WRITE};
use signet_core::ids::ClientId;
use signet_core::records::Role;

use super::operation::{AFTER, Answer, Form, LIMIT, Link, Operation, Parameter, STATE, Verb};
use crate::desk::{
    ConsentView, CredentialView, Done, Handed, ImportReport, ImportUsers, NewPassword, NewUser, Paged,
    Refused, SessionView, UserChange, UserLine, UserQuery, UserView, UserWritten,
};

const SEARCH: Parameter = Parameter {
    name: "search",
    detail: "Only those whose user name, e-mail address or name has this in it, in whatever case; less than three characters \
             are looked for at the beginning.",
    form: Form::Text,
};
const ROLE: Parameter = Parameter {
    name: "role",
    detail: "Only those with this role.",
    form: Form::Word(|| Role::ALL.iter().map(|role| role.name()).collect()),
};

/// What can be done next with a user who was made.
const NEXT: &[Link] = &[
    Link { operation: "getUser", parameters: ID },
    Link { operation: "replaceUser", parameters: WITH_VERSION },
    Link { operation: "inviteUser", parameters: ID },
    Link { operation: "resetUserPassword", parameters: ID },
    Link { operation: "setUserPassword", parameters: WITH_VERSION },
    Link { operation: "listUserSessions", parameters: ID },
    Link { operation: "listUserConsents", parameters: ID },
    Link { operation: "listUserCredentials", parameters: ID },
    Link { operation: "deleteUser", parameters: WITH_VERSION },
];
const ID: &[(&str, &str)] = &[("user_id", "$response.body#/user/id")];
const WITH_VERSION: &[(&str, &str)] =
    &[("user_id", "$response.body#/user/id"), ("If-Match", "$response.header.ETag")];

fn written(written: &UserWritten) -> Result<Answer, Refused> {
    Ok(Answer::ok(written)?.version(written.user.version))
}

pub(super) fn operations() -> Vec<Operation> {
    let mut all = accounts();
    all.extend(links());
    all.extend(opened());
    all
}

fn accounts() -> Vec<Operation> {
    vec![
        Operation::read("/users", "listUsers", USERS_READ, |desk, call| {
            Box::pin(async move {
                let query = UserQuery {
                    search: call.text("search"),
                    role: call.text("role").and_then(|name| Role::from_name(&name)),
                    disabled: call.disabled(),
                    after: call.text("after"),
                    limit: call.limit(),
                };
                Answer::ok(&desk.users(&query).await?)
            })
        })
        .says("List users", "By user name.")
        .query(&[SEARCH, ROLE, STATE, AFTER, LIMIT])
        .gives::<Paged<UserLine>>(),
        Operation::read("/users/{user_id}", "getUser", USERS_READ, |desk, call| {
            Box::pin(async move {
                let user = desk.user(call.uuid("user_id")?).await?;
                Ok(Answer::ok(&user)?.version(user.version))
            })
        })
        .says("Show a user", "With claims, role, and how many second factors there are.")
        .gives::<UserView>(),
        Operation::create("/users", "createUser", USERS_WRITE, |desk, call| {
            Box::pin(async move {
                let made = desk.create_user(&call.body::<NewUser>()?, &call.write).await?;
                Ok(written(&made)?.created(made.dry_run, made.replayed))
            })
        })
        .says(
            "Make a user",
            "With a password, or with an invitation: a link by which the person chooses one. It goes by mail where mail \
             works and there is an address; else it is in this answer and never again. Only owners make owners.",
        )
        .takes::<NewUser>()
        .gives::<UserWritten>()
        .example(|| json!({ "username": "ada", "claims": { "name": "Ada Lovelace" }, "invite": true }))
        .links(NEXT),
        Operation::replace("/users/{user_id}", "replaceUser", USERS_WRITE, |desk, call| {
            Box::pin(async move {
                let change = call.body::<UserChange>()?;
                written(&desk.replace_user(call.uuid("user_id")?, &change, &call.write).await?)
            })
        })
        .says(
            "Replace a user's claims, role and state",
            "All of them. Whoever is disabled is signed out everywhere. The last owner who can sign in stays one.",
        )
        .takes::<UserChange>()
        .gives::<UserWritten>()
        .example(|| json!({ "claims": { "name": "Ada Lovelace", "locale": "en-GB" } })),
        Operation::delete("/users/{user_id}", "deleteUser", USERS_WRITE, |desk, call| {
            Box::pin(async move { written(&desk.delete_user(call.uuid("user_id")?, &call.write).await?) })
        })
        .says("Remove a user", "With sessions, consents and tokens. The answer tells who it was.")
        .gives::<UserWritten>(),
        Operation::act(Verb::Post, "/users/import", "importUsers", USERS_WRITE, |desk, call| {
            Box::pin(async move {
                Answer::ok(&desk.import_users(&call.body::<ImportUsers>()?, &call.write).await?)
            })
        })
        .says(
            "Make the users of a table",
            "CSV with a header row: `username` and names of claims. At most 1000 rows. Rows that cannot be are reported, \
             the others are made. Nobody who is there already is changed.",
        )
        .takes::<ImportUsers>()
        .gives::<ImportReport>()
        .example(|| json!({ "csv": "username,name\ngrace,Grace Hopper\n" })),
    ]
}

fn links() -> Vec<Operation> {
    vec![
        Operation::act(
            Verb::Post,
            "/users/{user_id}/invitation",
            "inviteUser",
            USERS_WRITE,
            |desk, call| {
                Box::pin(
                    async move { Answer::ok(&desk.invite_user(call.uuid("user_id")?, &call.write).await?) },
                )
            },
        )
        .says(
            "Invite a user",
            "Makes a link, good once, by which the person chooses a password. The answer says until when.",
        )
        .gives::<Handed>(),
        Operation::act(
            Verb::Post,
            "/users/{user_id}/password-reset",
            "resetUserPassword",
            USERS_WRITE,
            |desk, call| {
                Box::pin(async move {
                    Answer::ok(&desk.reset_password(call.uuid("user_id")?, &call.write).await?)
                })
            },
        )
        .says(
            "Let a user choose another password",
            "Makes a link, good once; the answer says until when. The present password stays good until it is used.",
        )
        .gives::<Handed>(),
        Operation::replace("/users/{user_id}/password", "setUserPassword", USERS_WRITE, |desk, call| {
            Box::pin(async move {
                let new = call.body::<NewPassword>()?;
                written(&desk.set_password(call.uuid("user_id")?, &new, &call.write).await?)
            })
        })
        .says(
            "Set a user's password",
            "In place of the present one, which is not needed. All their sessions end. A link lets the person choose one that \
             nobody else knows.",
        )
        .takes::<NewPassword>()
        .gives::<UserWritten>()
        .example(|| json!({ "password": "correct horse battery staple" })),
    ]
}

fn opened() -> Vec<Operation> {
    vec![
        Operation::read("/users/{user_id}/sessions", "listUserSessions", USERS_READ, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.user_sessions(call.uuid("user_id")?).await?) })
        })
        .says("List a user's sessions", "The last used first.")
        .gives::<Vec<SessionView>>(),
        Operation::act(
            Verb::Delete,
            "/users/{user_id}/sessions",
            "endUserSessions",
            USERS_WRITE,
            |desk, call| {
                Box::pin(async move {
                    Answer::ok(&desk.end_user_sessions(call.uuid("user_id")?, &call.write).await?)
                })
            },
        )
        .says("End all of a user's sessions", "Clients that want logout tokens are told.")
        .gives::<Done>(),
        Operation::act(
            Verb::Delete,
            "/users/{user_id}/sessions/{sid}",
            "endUserSession",
            USERS_WRITE,
            |desk, call| {
                Box::pin(async move {
                    let id = call.uuid("user_id")?;
                    Answer::ok(&desk.end_user_session(id, call.path("sid"), &call.write).await?)
                })
            },
        )
        .says("End one of a user's sessions", "Clients that want logout tokens are told.")
        .gives::<Done>(),
        Operation::read("/users/{user_id}/consents", "listUserConsents", USERS_READ, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.user_consents(call.uuid("user_id")?).await?) })
        })
        .says("List what a user allows clients", "By `client_id`.")
        .gives::<Vec<ConsentView>>(),
        Operation::act(
            Verb::Delete,
            "/users/{user_id}/consents/{client_id}",
            "revokeUserConsent",
            USERS_WRITE,
            |desk, call| {
                Box::pin(async move {
                    let (id, client) = (call.uuid("user_id")?, ClientId::from(call.path("client_id")));
                    Answer::ok(&desk.revoke_consent(id, &client, &call.write).await?)
                })
            },
        )
        .says("Take back what a user allows a client", "With every token that was issued under it.")
        .gives::<Done>(),
        Operation::read("/users/{user_id}/credentials", "listUserCredentials", USERS_READ, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.user_credentials(call.uuid("user_id")?).await?) })
        })
        .says("List a user's passkeys and authenticator applications", "Oldest first.")
        .gives::<Vec<CredentialView>>(),
        Operation::act(
            Verb::Delete,
            "/users/{user_id}/credentials/{credential_id}",
            "removeUserCredential",
            USERS_WRITE,
            |desk, call| {
                Box::pin(async move {
                    let (id, credential) = (call.uuid("user_id")?, call.uuid("credential_id")?);
                    Answer::ok(&desk.remove_credential(id, credential, &call.write).await?)
                })
            },
        )
        .says(
            "Remove a user's passkey or authenticator application",
            "For people who have lost theirs. With the last one go the recovery codes.",
        )
        .gives::<Done>(),
    ]
}
