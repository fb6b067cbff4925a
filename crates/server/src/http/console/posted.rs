//! A form of ours that somebody with a role sent.

use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts as _, Request};
use axum::response::Response;
use signet_core::fault::Fault;
use signet_core::params::{MAX_TABLE, Params};

use super::super::forms;
use super::Visit;
use super::visit::PURPOSE;
use crate::app::App;
use crate::desk::{Refused, Write};
use crate::pages::console::Problem;

/// Somebody with a role who sent a form of ours.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) visit: Visit,
    pub(crate) form: Params,
}

impl FromRequest<App> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        Self::read(request, app, Params::decode_form).await
    }
}

/// A form with a table of users: [`TABLE`] may be longer than other fields. Its route has [`table_body_limit`].
pub(super) struct PostedTable(pub(super) Posted);

/// The field of a form that holds a table of users.
pub(super) const TABLE: &str = "csv";

/// Room for the longest table, in which every character may be written as three (RFC 3986 section 2.1), and the other fields.
pub(super) fn table_body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(3 * MAX_TABLE + 64 * 1024)
}

impl FromRequest<App> for PostedTable {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        Posted::read(request, app, |body| Params::decode_table(body, TABLE)).await.map(Self)
    }
}

impl Posted {
    async fn read(
        request: Request,
        app: &App,
        decode: impl FnOnce(&[u8]) -> Result<Params, Fault>,
    ) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, app).await?;
        let request = Request::from_parts(parts, body);
        match forms::posted(app, &visit.view, request, PURPOSE, visit.secret(), decode).await {
            Ok(form) => Ok(Self { visit, form }),
            Err(fault) => {
                visit.record_refusal(&fault).await;
                Err(visit.refused(&Refused::Fault(fault)))
            }
        }
    }

    /// The version that the form was made from; none if it does not say.
    pub(super) fn seen(&self) -> Option<i64> {
        self.form.get("version").and_then(|version| version.parse().ok())
    }

    /// The write that the form asks for: on the version that it was made from, and only once.
    pub(super) fn write(&self) -> Write {
        Write { dry_run: false, seen: self.seen(), idempotency_key: self.form.owned("once") }
    }

    /// A field that holds one of several words; none if it is left out.
    pub(super) fn word<T>(
        &self,
        name: &str,
        title: &str,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        word(&self.form, name, title, from_name)
    }

    /// A field that must hold one of several words.
    pub(super) fn needed<T>(
        &self,
        name: &str,
        title: &str,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        needed(&self.form, name, title, from_name)
    }
}

/// A field that holds one of several words; none if it is left out. A word that is not among them stands for none of them: no
/// default takes its place.
pub(super) fn word<T>(
    form: &Params,
    name: &str,
    title: &str,
    from_name: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let unknown = || Problem::unknown(name, title);
    form.get(name).map(|word| from_name(word).ok_or_else(unknown)).transpose()
}

/// A field that must hold one of several words.
pub(super) fn needed<T>(
    form: &Params,
    name: &str,
    title: &str,
    from_name: impl Fn(&str) -> Option<T>,
) -> Result<T, Problem> {
    let missing = || Problem::of_field(name, title, format!("{title} is missing. Choose one."));
    word(form, name, title, from_name)?.ok_or_else(missing)
}
