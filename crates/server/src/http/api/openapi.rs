//! The OpenAPI document, made from the table of operations.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use signet_core::admin::SCOPES;
use signet_core::discovery::Endpoint;

use super::operation::{Form, Kind, Operation, Parameter};
use super::problem::Problem;
use super::{BASE, TABLE};
use crate::http::extract::Tenant;

/// The document without what depends on the tenant.
static DOCUMENT: LazyLock<Value> = LazyLock::new(document_of_table);

/// `GET /admin/v1/openapi.json`
pub(super) async fn document(Tenant(view): Tenant) -> Response {
    let mut document = DOCUMENT.clone();
    let issuer = &view.tenant.issuer;
    document["servers"] = json!([{ "url": format!("{}{BASE}", issuer.trim_end_matches('/')) }]);
    let scopes: Map<String, Value> =
        SCOPES.iter().map(|scope| (scope.name.to_owned(), scope.detail.into())).collect();
    document["components"]["securitySchemes"] = json!({
        "signet": {
            "type": "oauth2",
            "description": "Access tokens of this tenant, sent as `Authorization: Bearer …` (RFC 6750).",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": Endpoint::Authorize.url(issuer),
                    "tokenUrl": Endpoint::Token.url(issuer),
                    "scopes": &scopes,
                },
                "clientCredentials": { "tokenUrl": Endpoint::Token.url(issuer), "scopes": &scopes },
            },
        },
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, document.to_string()).into_response()
}

fn document_of_table() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>();
    let mut paths = Map::new();
    for operation in TABLE.iter() {
        let described = described(operation, &mut generator);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.name().to_ascii_lowercase()] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Signet, administration",
            "version": "1",
            "description": "Administration of one tenant: clients and their keys, users, the tenant and its keys, the audit \
                trail, why requests fail; and, in the tenant that looks after the installation, the other tenants. \
                Whatever is refused is told in a problem document (RFC 9457). Single records carry their version as an entity \
                tag; a change names it in If-Match. Every write can be tried with `dry_run=true`.",
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": {
                "Problem": {
                    "description": "Refused; nothing was written.",
                    "content": { "application/problem+json": { "schema": problem } },
                },
            },
        },
    })
}

fn described(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.detail,
        "tags": [operation.path.split('/').nth(1).unwrap_or_default()],
        "security": [{ "signet": operation.scopes().collect::<Vec<_>>() }],
        "parameters": parameters(operation),
        "responses": responses(operation, generator),
    });
    if let Some(schema) = operation.request {
        let mut content = json!({ "schema": schema(generator) });
        if let Some(example) = operation.example {
            content["example"] = example();
        }
        described["requestBody"] = json!({ "required": true, "content": { operation.consumes: content } });
    }
    described
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let text = |name: &str, place: &str, required: bool, detail: &str, schema: Value| {
        let mut one = json!({ "name": name, "in": place, "required": required, "schema": schema });
        one["description"] = detail.into();
        one
    };
    let of_path = operation.path_parameters().map(|name| {
        let schema = match (name, operation.path.starts_with("/clients")) {
            ("key_id", true) => json!({ "type": "string", "format": "uuid" }),
            _ => json!({ "type": "string", "minLength": 1, "maxLength": 256 }),
        };
        text(name, "path", true, "", schema)
    });
    let of_query = operation.query.iter().map(|one| text(one.name, "query", false, one.detail, form(one)));
    let mut all: Vec<Value> = of_path.chain(of_query).collect();
    if operation.writes() {
        let detail = "Decide, say what would be done, and do nothing.";
        all.push(text("dry_run", "query", false, detail, json!({ "type": "boolean" })));
    }
    let tag = json!({ "type": "string", "pattern": "^\"[0-9]{1,18}\"$" });
    match operation.kind {
        Kind::Change => {
            all.push(text("If-Match", "header", true, "The ETag of the version that was seen.", tag));
        }
        Kind::Create => {
            let key = json!({ "type": "string", "pattern": "^[!-~]{1,255}$" });
            let detail = "Another one for each thing to make: sent twice, it makes one.";
            all.push(text("Idempotency-Key", "header", false, detail, key));
        }
        Kind::Read | Kind::Act => {}
    }
    all
}

fn form(parameter: &Parameter) -> Value {
    match parameter.form {
        Form::Text => json!({ "type": "string", "maxLength": 256 }),
        Form::Id => json!({ "type": "string", "format": "uuid" }),
        Form::Number(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Form::Word(words) => json!({ "type": "string", "enum": words() }),
    }
}

fn responses(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let schema: Schema = (operation.response)(generator);
    let mut good = json!({
        "description": "Done.",
        "content": { operation.media: { "schema": schema } },
    });
    let is_versioned = operation.path.starts_with("/clients/{client_id}") || operation.path == "/tenant";
    if operation.kind == Kind::Change
        || (operation.kind == Kind::Create && operation.path.starts_with("/clients"))
    {
        good["headers"] = etag();
    } else if is_versioned && operation.kind == Kind::Read {
        good["headers"] = json!({ "ETag": { "description": "The record's version, of single records.",
                                            "schema": { "type": "string" } } });
    }
    let links: Map<String, Value> = operation
        .links
        .iter()
        .map(|link| {
            let parameters: Map<String, Value> =
                link.parameters.iter().map(|(name, from)| ((*name).to_owned(), (*from).into())).collect();
            (link.operation.to_owned(), json!({ "operationId": link.operation, "parameters": parameters }))
        })
        .collect();
    let mut all = Map::new();
    if operation.kind == Kind::Create {
        all.insert("200".into(), good.clone());
        if !links.is_empty() {
            good["links"] = Value::Object(links);
        }
        good["description"] = "Made.".into();
        all.insert("201".into(), good);
    } else {
        all.insert("200".into(), good);
    }
    for status in refusals(operation) {
        all.insert(status.to_string(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    Value::Object(all)
}

fn etag() -> Value {
    json!({ "ETag": { "description": "The record's version.", "required": true, "schema": { "type": "string" } } })
}

/// The statuses of refusals.
fn refusals(operation: &Operation) -> Vec<u16> {
    let mut all = vec![400, 401, 403, 429, 503];
    if operation.path.contains('{') || operation.path.starts_with("/audit") {
        all.push(404);
    }
    if operation.request.is_some() {
        all.extend([413, 415, 422]);
    }
    match operation.kind {
        Kind::Create => all.push(409),
        Kind::Change => all.extend([412, 422, 428]),
        Kind::Read | Kind::Act => {}
    }
    // The last owner stays, and what is declared may be somebody else's.
    if operation.writes() && (operation.path.starts_with("/users") || operation.path == "/apply") {
        all.push(409);
    }
    all.sort_unstable();
    all.dedup();
    all
}
