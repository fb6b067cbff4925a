//! Operations that explain why a request fails.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use signet_core::admin::{AUDIT_READ, CLIENTS_READ};
use signet_core::explain::Report;

use super::operation::{Answer, Kind, Operation, Verb};
use crate::desk::Failure;

/// A request to explain.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ToExplain {
    /// A request object, an authorization URL, its query, or a form body.
    text: String,
    /// Whose an object is that stands alone and does not open.
    #[serde(default)]
    client_id: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Kind::Read, Verb::Post, "/explain", "explainRequest", CLIENTS_READ, |desk, call| {
            Box::pin(async move {
                let asked = call.body::<ToExplain>()?;
                Answer::ok(&desk.explain(&asked.text, asked.client_id.as_deref()).await?)
            })
        })
        .says(
            "Explain a request",
            "Layer by layer, each check with what was expected and what was found, and what to do. Nothing is consumed.",
        )
        .takes::<ToExplain>()
        .gives::<Report>()
        .example(|| json!({ "text": "https://id.example/authorize?client_id=shop&response_type=code" })),
        Operation::read(
            "/explain/failures/{correlation_id}",
            "explainFailure",
            AUDIT_READ,
            |desk, call| {
                Box::pin(async move { Answer::ok(&desk.explain_failure(call.path("correlation_id")).await?) })
            },
        )
        .says("Explain a refused request", "By the reference that its error page shows.")
        .gives::<Failure>(),
    ]
}
