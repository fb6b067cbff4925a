//! The mails of `signet dev`: they are not sent, they are shown. In production these pages are not there.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use signet_core::client_policy::Mode;
use signet_core::fault::Fault;
use url::{Host, Url};

use super::extract::Tenant;
use super::render::{self, Failure};
use crate::app::App;
use crate::mail::Mail;
use crate::pages::account::{MailLine, MailPage, MailsPage};
use crate::pages::console::instant;
use crate::tenancy::TenantView;

/// Where the mails are shown: in development, where they are kept.
pub(super) fn address(app: &App, view: &TenantView) -> Option<String> {
    is_shown(app).then(|| home(view))
}

fn is_shown(app: &App) -> bool {
    app.mode == Mode::Development && app.mailer.kept().is_some()
}

/// `/dev/mail`, if there is such a page.
pub(super) fn routes(app: &App) -> Router<App> {
    if !is_shown(app) {
        return Router::new();
    }
    Router::new().route("/dev/mail", get(list)).route("/dev/mail/{number}", get(show))
}

fn line(number: usize, mail: &Mail) -> MailLine {
    MailLine {
        number,
        to: mail.to.clone(),
        subject: mail.subject.clone(),
        at: instant(mail.at),
        text: mail.text.clone(),
    }
}

/// The tenant, asked for by a name that is its own or this machine's: an installation with one tenant answers to any, and so to
/// the name of a page of somebody else that has this machine's address (DNS rebinding).
struct Here(Arc<TenantView>);

impl<S: Send + Sync> FromRequestParts<S> for Here {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Tenant(view) = Tenant::from_request_parts(parts, state).await?;
        let named = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let named = named.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
        let own = Url::parse(&view.origin).ok();
        let is_here = match named.as_ref().and_then(Url::host) {
            None => false,
            Some(Host::Domain("localhost")) => true,
            Some(Host::Ipv4(address)) if address.is_loopback() => true,
            Some(Host::Ipv6(address)) if address.is_loopback() => true,
            host => host == own.as_ref().and_then(Url::host),
        };
        if is_here { Ok(Self(view)) } else { Err(Failure::page(Fault::NotFound)) }
    }
}

fn home(view: &TenantView) -> String {
    format!("{}/dev/mail", view.prefix)
}

/// Numbered from the oldest, so that an address stays that of its mail while others arrive.
async fn list(State(app): State<App>, Here(view): Here) -> Response {
    let kept = app.mailer.kept().unwrap_or_default();
    let count = kept.len();
    let lines = kept.iter().enumerate().map(|(index, mail)| line(count - index, mail)).collect();
    let page = MailsPage { shell: render::shell(&view), home: home(&view), lines };
    render::page(StatusCode::OK, page.render(), None)
}

async fn show(State(app): State<App>, Here(view): Here, Path(number): Path<usize>) -> Response {
    let kept = app.mailer.kept().unwrap_or_default();
    let found = kept.len().checked_sub(number).and_then(|index| kept.get(index));
    match found {
        Some(mail) => {
            let (before, link, after) = with_link(&mail.text, &mail.link);
            let page = MailPage {
                shell: render::shell(&view),
                home: home(&view),
                line: line(number, mail),
                before: before.to_owned(),
                link: link.to_owned(),
                after: after.to_owned(),
            };
            render::page(StatusCode::OK, page.render(), None)
        }
        None => Failure::page(Fault::NotFound).into_response(),
    }
}

/// The text around its link, which is ours.
fn with_link<'a>(text: &'a str, link: &'a str) -> (&'a str, &'a str, &'a str) {
    match text.split_once(link) {
        Some((before, after)) if !link.is_empty() => (before, link, after),
        _ => (text, "", ""),
    }
}
