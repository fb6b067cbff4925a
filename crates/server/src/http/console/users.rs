//! Users: the list, new ones, many from a table.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::Map;
use signet_core::admin::USERS_WRITE;
use signet_core::params::Params;
use signet_core::people::PROFILE;
use signet_core::records::Role;

use super::listing::{self, Choice};
use super::user::{self, LinkPage, refusals};
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{ImportReport, ImportUsers, NewUser, Refused, UserLine, UserQuery, Write};
use crate::pages::console::{Frame, Problem, Section};
use crate::pages::{asset_name, rendered};

/// Rows of a page.
const ROWS: u32 = 25;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/users", get(list))
        .route("/console/new-user", get(new).post(create))
        .route("/console/import-users", get(table).post(import))
}

struct Row {
    line: UserLine,
    href: String,
}

#[derive(Template)]
#[template(path = "console/users.html")]
struct ListPage {
    frame: Frame,
    search: String,
    role: Option<Role>,
    roles: &'static [Role],
    states: Vec<Choice>,
    /// Whether all users are listed.
    all: bool,
    rows: Vec<Row>,
    next: Option<String>,
    first: Option<String>,
    writable: bool,
}

impl ListPage {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn is_role(&self, role: &Role) -> bool {
        self.role == Some(*role)
    }
}

async fn list(visit: Visit) -> Response {
    let search = visit.params.get("search").map(str::trim).unwrap_or_default().to_owned();
    let role = visit.params.get("role").and_then(Role::from_name);
    let query = UserQuery {
        search: Some(search.clone()).filter(|search| !search.is_empty()),
        role,
        disabled: listing::disabled(&visit.params),
        after: visit.params.owned("after"),
        limit: ROWS,
    };
    let paged = match visit.desk().users(&query).await {
        Ok(paged) => paged,
        Err(refused) => return visit.refused(&refused),
    };
    let address = |after| listing::address(&visit, "/console/users", &["search", "role", "state"], after);
    let page = ListPage {
        frame: visit.frame(Section::Users),
        next: paged.next.as_deref().map(|after| address(Some(after))),
        first: query.after.as_ref().map(|_| address(None)),
        rows: paged
            .items
            .into_iter()
            .map(|line| Row { href: visit.href(&user::path(line.id)), line })
            .collect(),
        writable: visit.actor.holds(USERS_WRITE),
        roles: Role::ALL,
        states: listing::states(query.disabled),
        all: query.search.is_none() && role.is_none() && query.disabled.is_none(),
        role,
        search,
    };
    visit.page(&page.frame, rendered(&page))
}

#[derive(Template)]
#[template(path = "console/user_new.html")]
struct NewPage {
    frame: Frame,
    problems: Vec<Problem>,
    username: String,
    name: String,
    email: String,
    role: Option<Role>,
    roles: Vec<Role>,
    /// Makes the same form sent twice one user.
    once: String,
}

impl NewPage {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn is_role(&self, role: &Role) -> bool {
        self.role == Some(*role)
    }

    fn of(visit: &Visit, form: &Params, problems: Vec<Problem>) -> Result<Self, Refused> {
        visit.actor.need(USERS_WRITE)?;
        let kept = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let once = form.owned("once").unwrap_or_else(|| visit.app.context(visit.moment.now).handle());
        Ok(Self {
            frame: visit.frame(Section::Users).crumb("New user", "/console/new-user"),
            problems,
            username: kept("username"),
            name: kept("name"),
            email: kept("email"),
            role: form.get("role").and_then(Role::from_name),
            roles: user::roles(visit),
            once,
        })
    }
}

async fn new(visit: Visit) -> Response {
    let page = NewPage::of(&visit, &Params::default(), Vec::new());
    visit.answer(page.map(|page| visit.page(&page.frame, rendered(&page))))
}

/// An account as the form describes it; the person chooses the password by the invitation.
fn described(form: &Params) -> NewUser {
    let mut claims = Map::new();
    for name in ["name", "email"] {
        if let Some(value) = form.get(name) {
            claims.insert(name.into(), value.trim().into());
        }
    }
    NewUser {
        username: form.get("username").unwrap_or_default().to_owned(),
        claims,
        role: form.get("role").and_then(Role::from_name),
        disabled: false,
        password: None,
        invite: true,
    }
}

async fn create(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let write = Write { idempotency_key: form.owned("once"), ..Write::default() };
    match visit.desk().create_user(&described(&form), &write).await {
        Ok(made) => {
            let path = user::path(made.user.id);
            match made.invitation {
                Some(handed) if !handed.mailed => {
                    LinkPage::of(&visit, &made.user, &handed, true).answer(&visit)
                }
                _ => visit.done(&path, "The user is made, and the invitation is on its way by mail."),
            }
        }
        Err(refused) => match refusals(&refused) {
            Some(problems) => {
                let page = NewPage::of(&visit, &form, problems);
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                visit.answer(page.map(|page| visit.page_with(status, &page.frame, rendered(&page))))
            }
            None => visit.refused(&refused),
        },
    }
}

#[derive(Template)]
#[template(path = "console/user_import.html")]
struct ImportPage {
    frame: Frame,
    problems: Vec<Problem>,
    csv: String,
    report: Option<ImportReport>,
    claims: String,
    /// Whether each is to be sent an invitation.
    invite: bool,
    /// Whether this server sends mail.
    mails: bool,
}

impl ImportPage {
    fn of(visit: &Visit, table: &ImportUsers, problems: Vec<Problem>, report: Option<ImportReport>) -> Self {
        let names: Vec<&str> = PROFILE.iter().map(|(name, _)| *name).collect();
        Self {
            frame: visit
                .frame(Section::Users)
                .crumb("Import", "/console/import-users")
                .script(asset_name("keys")),
            problems,
            csv: table.csv.clone(),
            report,
            claims: names.join(", "),
            invite: table.invite,
            mails: visit.app.mailer.works(),
        }
    }
}

async fn table(visit: Visit) -> Response {
    if let Err(fault) = visit.actor.need(USERS_WRITE) {
        return visit.refused(&fault.into());
    }
    let empty = ImportUsers { csv: String::new(), invite: false };
    let page = ImportPage::of(&visit, &empty, Vec::new(), None);
    visit.page(&page.frame, rendered(&page))
}

async fn import(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let csv = form.get("csv").unwrap_or_default().to_owned();
    let table = ImportUsers { csv, invite: form.get("invite").is_some() };
    let write = Write { dry_run: form.get("decision") != Some("import"), ..Write::default() };
    let result = visit.desk().import_users(&table, &write).await;
    let (page, status) = match result {
        Ok(report) => (ImportPage::of(&visit, &table, Vec::new(), Some(report)), StatusCode::OK),
        Err(refused) => match refusals(&refused) {
            Some(problems) => {
                (ImportPage::of(&visit, &table, problems, None), StatusCode::UNPROCESSABLE_ENTITY)
            }
            None => return visit.refused(&refused),
        },
    };
    visit.page_with(status, &page.frame, rendered(&page))
}
