//! The page that describes the interface, made from the table of operations.

use axum::http::StatusCode;
use axum::response::Response;
use signet_core::admin::SCOPES;

use super::operation::{Form, Kind, MERGE_PATCH, Operation};
use super::problem::codes;
use super::{BASE, TABLE};
use crate::http::extract::Tenant;
use crate::http::render;
use crate::pages::{ApiOperation, ApiPage};

/// `GET /admin/v1/docs`
pub(super) async fn page(Tenant(view): Tenant) -> Response {
    let page = ApiPage {
        shell: render::shell(&view),
        base: format!("{}{BASE}", view.tenant.issuer.trim_end_matches('/')),
        document: format!("{}{BASE}/openapi.json", view.prefix),
        operations: TABLE.iter().map(described).collect(),
        scopes: SCOPES
            .iter()
            .map(|scope| {
                let roles: Vec<&str> = scope.roles.iter().map(|role| role.name()).collect();
                (scope.name, scope.detail, roles.join(", "))
            })
            .collect(),
        problems: codes().collect(),
    };
    render::page(StatusCode::OK, page.render(), None)
}

fn described(operation: &Operation) -> ApiOperation {
    let mut headers = Vec::new();
    if operation.consumes == MERGE_PATCH {
        headers.push(("Content-Type", "application/merge-patch+json (RFC 7396)."));
    }
    match operation.kind {
        Kind::Change => headers.push(("If-Match", "The entity tag of the version that was seen; needed.")),
        Kind::Create => headers.push(("Idempotency-Key", "Another one for each thing to make.")),
        Kind::Read | Kind::Act => {}
    }
    let mut query: Vec<(&'static str, String)> =
        operation.query.iter().map(|one| (one.name, format!("{}{}", one.detail, form(one.form)))).collect();
    if operation.writes() {
        query.push(("dry_run", "Decide, say what would be done, and do nothing.".to_owned()));
    }
    let example =
        operation.example.map(|example| serde_json::to_string_pretty(&example()).unwrap_or_default());
    ApiOperation {
        id: operation.id,
        method: operation.method.name(),
        path: operation.path,
        scopes: operation.scopes().collect(),
        summary: operation.summary,
        detail: operation.detail,
        headers,
        query,
        example,
    }
}

fn form(form: Form) -> String {
    match form {
        Form::Text => String::new(),
        Form::Id => " A UUID.".to_owned(),
        Form::Number(min, max) => format!(" From {min} to {max}."),
        Form::Word(words) => format!(" One of: {}.", words().join(", ")),
    }
}
