//! Operations on the audit trail.

use signet_core::admin::AUDIT_READ;
use signet_core::audit::Kind;
use signet_core::ids::ClientId;
use signet_core::records::Outcome;

use super::operation::{AFTER, Answer, Call, Form, LIMIT, Operation, Parameter};
use crate::desk::{AuditChain, AuditLine, AuditQuery, AuditStory, Paged};

/// Before the year 10000.
const LATEST: i64 = 253_402_300_799;

const QUERY: &[Parameter] = &[
    Parameter {
        name: "client_id",
        detail: "Only this client's. Developers name one of their own.",
        form: Form::Text,
    },
    Parameter { name: "user_id", detail: "Only this user's.", form: Form::Id },
    Parameter {
        name: "actor",
        detail: "Only what this one did: `user:` with an id, `client:` with a client_id, or `command line`.",
        form: Form::Text,
    },
    Parameter { name: "reason", detail: "Only with this reason code.", form: Form::Text },
    Parameter { name: "kind", detail: "Only of this kind.", form: Form::Word(|| Kind::NAMES.to_vec()) },
    Parameter {
        name: "outcome",
        detail: "Only with this outcome.",
        form: Form::Word(|| Outcome::ALL.iter().map(|outcome| outcome.name()).collect()),
    },
    Parameter {
        name: "since",
        detail: "Only at this instant or later, in Unix seconds.",
        form: Form::Number(0, LATEST),
    },
    Parameter {
        name: "until",
        detail: "Only before this instant, in Unix seconds.",
        form: Form::Number(0, LATEST),
    },
    Parameter { name: "correlation_id", detail: "Only of this login or request.", form: Form::Text },
    Parameter { name: AFTER.name, detail: AFTER.detail, form: Form::Id },
    LIMIT,
];

/// All but the length of a page.
const EXPORTED: &[Parameter] = QUERY.split_at(QUERY.len() - 1).0;
/// Links of the chain judged at once.
const LINKS: &[Parameter] = &[
    Parameter {
        name: AFTER.name,
        detail: "Begin after the link of this number; at the first one if left out.",
        form: Form::Number(0, i64::MAX),
    },
    LIMIT,
];

fn query(call: &Call) -> AuditQuery {
    AuditQuery {
        client_id: call.text("client_id").map(ClientId::new),
        user_id: call.id("user_id"),
        actor: call.text("actor"),
        reason: call.text("reason"),
        kind: call.text("kind"),
        outcome: call.text("outcome").and_then(|word| Outcome::from_name(&word)),
        since: call.number("since"),
        until: call.number("until"),
        correlation_id: call.text("correlation_id"),
        after: call.id("after"),
        limit: call.limit(),
    }
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::read("/audit", "listAuditEvents", AUDIT_READ, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.audit(&query(call)).await?) })
        })
        .says("List what happened", "Newest first.")
        .query(QUERY)
        .gives::<Paged<AuditLine>>(),
        Operation::read("/audit/export", "exportAuditEvents", AUDIT_READ, |desk, call| {
            Box::pin(async move { Ok(Answer::lines(desk.export_audit(&query(call)).await?)) })
        })
        .says(
            "Export what happened",
            "Everything that the same filters list, newest first, one `AuditLine` in JSON a line. An export that breaks off \
             goes on with the id of its last line as `after`.",
        )
        .query(EXPORTED)
        .gives_lines(),
        Operation::read("/audit/chain", "verifyAuditChain", AUDIT_READ, |desk, call| {
            Box::pin(async move {
                let after = call.number(AFTER.name).unwrap_or(0);
                Answer::ok(&desk.audit_chain(after, call.limit()).await?)
            })
        })
        .says(
            "Verify the chain of the audit trail",
            "Whether the events are as they were written, judged link by link. Keep number and MAC of the last link: a later \
             walk that begins after it shows it as `from`, so an end that was cut off, and made anew, is seen. Developers have no part in it.",
        )
        .query(LINKS)
        .gives::<AuditChain>(),
        Operation::read("/audit/stories/{correlation_id}", "getAuditStory", AUDIT_READ, |desk, call| {
            Box::pin(async move { Answer::ok(&desk.audit_story(call.path("correlation_id")).await?) })
        })
        .says(
            "Tell the whole story of one login or request",
            "By the reference that error pages and answers show. Developers see the part of their own clients.",
        )
        .gives::<AuditStory>(),
    ]
}
