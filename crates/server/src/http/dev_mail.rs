//! The mails of `signet dev`: they are not sent, they are shown. In production these pages are not there.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use signet_core::client_policy::Mode;
use signet_core::fault::Fault;

use super::extract::Tenant;
use super::render::{self, Failure};
use crate::app::App;
use crate::mail::Mail;
use crate::pages::account::{MailLine, MailPage, MailsPage};
use crate::pages::console::instant;
use crate::tenancy::TenantView;

/// Where the mails are shown: in development, where they are kept.
pub(super) fn address(app: &App) -> Option<String> {
    (app.mode == Mode::Development && app.mailer.kept().is_some()).then(|| "/dev/mail".to_owned())
}

/// `/dev/mail`, if there is such a page. Below an issuer, so that no foreign host name leads here.
pub(super) fn routes(app: &App) -> Router<App> {
    if address(app).is_none() {
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

fn home(view: &TenantView) -> String {
    format!("{}/dev/mail", view.prefix)
}

/// Numbered from the oldest, so that an address stays that of its mail while others arrive.
async fn list(State(app): State<App>, Tenant(view): Tenant) -> Response {
    let kept = app.mailer.kept().unwrap_or_default();
    let count = kept.len();
    let lines = kept.iter().enumerate().map(|(index, mail)| line(count - index, mail)).collect();
    let page = MailsPage { shell: render::shell(&view), home: home(&view), lines };
    render::page(StatusCode::OK, page.render(), None)
}

async fn show(State(app): State<App>, Tenant(view): Tenant, Path(number): Path<usize>) -> Response {
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
