//! The mails of `signet dev`: they are not sent, they are shown. In production these pages are not there.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use signet_core::client_policy::Mode;
use signet_core::fault::Fault;

use super::render::{self, Failure};
use crate::app::App;
use crate::mail::Mail;
use crate::pages::account::{MailLine, MailPage, MailsPage};
use crate::pages::console::instant;

/// Where the mails are shown: in development, where they are kept.
pub(super) fn address(app: &App) -> Option<String> {
    (app.mode == Mode::Development && app.mailer.kept().is_some()).then(|| "/dev/mail".to_owned())
}

/// `/dev/mail`, if there is such a page.
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

/// Numbered from the oldest, so that an address stays that of its mail while others arrive.
async fn list(State(app): State<App>) -> Response {
    let kept = app.mailer.kept().unwrap_or_default();
    let count = kept.len();
    let lines = kept.iter().enumerate().map(|(index, mail)| line(count - index, mail)).collect();
    render::page(StatusCode::OK, MailsPage { shell: crate::pages::Shell::default(), lines }.render(), None)
}

async fn show(State(app): State<App>, Path(number): Path<usize>) -> Response {
    let kept = app.mailer.kept().unwrap_or_default();
    let found = kept.len().checked_sub(number).and_then(|index| kept.get(index));
    match found {
        Some(mail) => {
            let (before, link, after) = with_link(&mail.text);
            let page = MailPage {
                shell: crate::pages::Shell::default(),
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

/// The text around its link.
fn with_link(text: &str) -> (&str, &str, &str) {
    let start = text.find("http").unwrap_or(text.len());
    let (before, rest) = text.split_at(start);
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (link, after) = rest.split_at(end);
    (before, link, after)
}
