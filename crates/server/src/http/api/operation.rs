//! One row of the table of operations, and what its handler gets and gives.

use std::pin::Pin;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodFilter;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use signet_core::fault::Fault;
use signet_core::params::Params;
use uuid::Uuid;

use crate::desk::{Desk, Lines, Refused, Write, reading};

/// What a handler is doing.
pub(super) type Handling<'a> = Pin<Box<dyn Future<Output = Result<Answer, Refused>> + Send + 'a>>;
/// A handler: from the desk and what was asked to an answer.
pub(super) type Handler = for<'a> fn(Desk<'a>, &'a Call) -> Handling<'a>;
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

const JSON: &str = "application/json";
/// RFC 7396 section 4.
pub(super) const MERGE_PATCH: &str = "application/merge-patch+json";
/// A JSON text a line (RFC 8259 each).
const JSON_LINES: &str = "application/jsonl";

/// The method of an operation (RFC 9110 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    /// RFC 5789.
    Patch,
    Delete,
}

impl Verb {
    /// As it stands in a request.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// What a route is found by.
    pub(super) fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// What kind of operation it is; which headers it takes follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Changes nothing.
    Read,
    /// Makes something: takes an idempotency key, answers 201.
    Create,
    /// Changes a record that has a version: needs `If-Match`.
    Change,
    /// Does something to records without a version.
    Act,
}

/// One operation.
pub(super) struct Operation {
    pub(super) method: Verb,
    pub(super) path: &'static str,
    /// `operationId`.
    pub(super) id: &'static str,
    /// The scope that it needs.
    pub(super) scope: &'static str,
    /// Another scope that it needs; the desk asks for it.
    pub(super) also: Option<&'static str>,
    pub(super) summary: &'static str,
    pub(super) detail: &'static str,
    pub(super) kind: Kind,
    pub(super) query: &'static [Parameter],
    pub(super) request: Option<SchemaOf>,
    /// The content type of a request.
    pub(super) consumes: &'static str,
    pub(super) response: SchemaOf,
    /// The content type of a good answer.
    pub(super) media: &'static str,
    pub(super) example: Option<fn() -> Value>,
    pub(super) links: &'static [Link],
    pub(super) handler: Handler,
}

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) detail: &'static str,
    pub(super) form: Form,
}

/// The form of a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Text of at most 256 characters.
    Text,
    /// A UUID.
    Id,
    /// A whole number between these.
    Number(i64, i64),
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
}

/// What can be asked next about what was made (OpenAPI section 4.20).
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) operation: &'static str,
    /// Parameters of that operation, each with an expression.
    pub(super) parameters: &'static [(&'static str, &'static str)],
}

/// Where a page begins.
pub(super) const AFTER: Parameter =
    Parameter { name: "after", detail: "The `next` of the page before.", form: Form::Text };
/// How long a page is.
pub(super) const LIMIT: Parameter =
    Parameter { name: "limit", detail: "At most this many; 50 if left out.", form: Form::Number(1, 100) };
/// Whether to list what is disabled, or what is not.
pub(super) const STATE: Parameter = Parameter {
    name: "state",
    detail: "Only those in this state.",
    form: Form::Word(|| vec!["enabled", "disabled"]),
};

fn nothing(_: &mut SchemaGenerator) -> Schema {
    Schema::default()
}

impl Operation {
    pub(super) fn new(
        kind: Kind,
        method: Verb,
        path: &'static str,
        id: &'static str,
        scope: &'static str,
        handler: Handler,
    ) -> Self {
        Self {
            method,
            path,
            id,
            scope,
            also: None,
            summary: "",
            detail: "",
            kind,
            query: &[],
            request: None,
            consumes: JSON,
            response: nothing,
            media: JSON,
            example: None,
            links: &[],
            handler,
        }
    }

    pub(super) fn read(path: &'static str, id: &'static str, scope: &'static str, handler: Handler) -> Self {
        Self::new(Kind::Read, Verb::Get, path, id, scope, handler)
    }

    pub(super) fn create(
        path: &'static str,
        id: &'static str,
        scope: &'static str,
        handler: Handler,
    ) -> Self {
        Self::new(Kind::Create, Verb::Post, path, id, scope, handler)
    }

    pub(super) fn replace(
        path: &'static str,
        id: &'static str,
        scope: &'static str,
        handler: Handler,
    ) -> Self {
        Self::new(Kind::Change, Verb::Put, path, id, scope, handler)
    }

    /// Takes a JSON merge patch (RFC 7396).
    pub(super) fn patch(path: &'static str, id: &'static str, scope: &'static str, handler: Handler) -> Self {
        Self { consumes: MERGE_PATCH, ..Self::new(Kind::Change, Verb::Patch, path, id, scope, handler) }
    }

    pub(super) fn change(
        path: &'static str,
        id: &'static str,
        scope: &'static str,
        handler: Handler,
    ) -> Self {
        Self::new(Kind::Change, Verb::Post, path, id, scope, handler)
    }

    pub(super) fn delete(
        path: &'static str,
        id: &'static str,
        scope: &'static str,
        handler: Handler,
    ) -> Self {
        Self::new(Kind::Change, Verb::Delete, path, id, scope, handler)
    }

    pub(super) fn act(
        method: Verb,
        path: &'static str,
        id: &'static str,
        scope: &'static str,
        handler: Handler,
    ) -> Self {
        Self::new(Kind::Act, method, path, id, scope, handler)
    }

    pub(super) fn says(mut self, summary: &'static str, detail: &'static str) -> Self {
        (self.summary, self.detail) = (summary, detail);
        self
    }

    pub(super) fn also(mut self, scope: &'static str) -> Self {
        self.also = Some(scope);
        self
    }

    /// The scopes that it needs.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &'static str> {
        [self.scope].into_iter().chain(self.also)
    }

    pub(super) fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    pub(super) fn takes<T: JsonSchema + DeserializeOwned>(mut self) -> Self {
        self.request = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    pub(super) fn gives<T: JsonSchema + Serialize>(mut self) -> Self {
        self.response = SchemaGenerator::subschema_for::<T>;
        self
    }

    /// Answers with JSON lines. OpenAPI 3.1 has no schema for the single lines, so the description names it.
    pub(super) fn gives_lines(mut self) -> Self {
        self.response = SchemaGenerator::subschema_for::<String>;
        self.media = JSON_LINES;
        self
    }

    pub(super) fn example(mut self, example: fn() -> Value) -> Self {
        self.example = Some(example);
        self
    }

    pub(super) fn links(mut self, links: &'static [Link]) -> Self {
        self.links = links;
        self
    }

    /// The members that its body may have.
    pub(super) fn members(&self) -> Vec<String> {
        let Some(request) = self.request else { return Vec::new() };
        let mut generator = SchemaGenerator::default();
        let schema = request(&mut generator);
        let named = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
        let schema = named.and_then(|name| generator.definitions().get(name)).unwrap_or(schema.as_value());
        schema["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned()).collect()
    }

    /// Whether it takes `dry_run`.
    pub(super) fn writes(&self) -> bool {
        self.kind != Kind::Read
    }

    /// The names of its path parameters.
    pub(super) fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// What was asked, read and within its bounds.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) path: Vec<(String, String)>,
    pub(super) query: Params,
    pub(super) body: Vec<u8>,
    pub(super) write: Write,
}

impl Call {
    /// A path parameter.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A path parameter that is a UUID. What cannot be one names nothing.
    pub(super) fn uuid(&self, name: &str) -> Result<Uuid, Refused> {
        self.path(name).parse().map_err(|_| Refused::NotFound)
    }

    /// A query parameter.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.query.owned(name)
    }

    /// A query parameter that is a number; its bounds were checked.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.query.get(name)?.parse().ok()
    }

    /// A query parameter that is a UUID; its form was checked.
    pub(super) fn id(&self, name: &str) -> Option<Uuid> {
        self.query.get(name)?.parse().ok()
    }

    /// What [`STATE`] leaves.
    pub(super) fn disabled(&self) -> Option<bool> {
        self.query.get(STATE.name).map(|state| state == "disabled")
    }

    /// The length of a page.
    pub(super) fn limit(&self) -> u32 {
        self.number(LIMIT.name).and_then(|limit| u32::try_from(limit).ok()).unwrap_or(50)
    }

    /// The body. Members that are not known are refused.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        reading::text(&self.body)
    }
}

/// An answer of an operation.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    media: &'static str,
    body: Body,
    version: Option<i64>,
    replayed: bool,
}

impl Answer {
    /// 200 with a record.
    pub(super) fn ok(record: &impl Serialize) -> Result<Self, Refused> {
        let body = serde_json::to_string(record)
            .map_err(|_| Fault::Internal { detail: "an answer could not be written down" })?;
        Ok(Self::with(JSON, body.into()))
    }

    /// 200 with JSON lines, sent as they are read.
    pub(super) fn lines(lines: Lines) -> Self {
        Self::with(JSON_LINES, Body::from_stream(lines))
    }

    fn with(media: &'static str, body: Body) -> Self {
        Self { status: StatusCode::OK, media, body, version: None, replayed: false }
    }

    /// The record's version, as its entity tag (RFC 9110 section 8.8.3).
    pub(super) fn version(self, version: i64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// 201, if something was made; 200 for a dry run, and for what the same idempotency key made before.
    pub(super) fn created(self, dry_run: bool, replayed: bool) -> Self {
        let status = if dry_run || replayed { StatusCode::OK } else { StatusCode::CREATED };
        Self { status, replayed, ..self }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(tag) =
            self.version.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok())
        {
            headers.insert(header::ETAG, tag);
        }
        if self.replayed {
            headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}
