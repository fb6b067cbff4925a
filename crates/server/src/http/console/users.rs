//! Users: the list, new ones, many from a table.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::Map;
use signet_core::admin::USERS_WRITE;
use signet_core::fault::Fault;
use signet_core::params::{MAX_TABLE, Params};
use signet_core::people::PROFILE;
use signet_core::records::Role;
use signet_jose::Offered;

use super::listing::{self, Choice};
use super::posted::{PostedTable, TABLE, table_body_limit};
use super::user::{self, LinkPage};
use super::{Posted, Visit, problems};
use crate::app::App;
use crate::desk::{ImportReport, ImportUsers, NewUser, Refused, UserLine, UserQuery, UserWritten, Write};
use crate::pages::console::{Frame, Problem, Section};
use crate::pages::{asset_name, rendered};

/// Rows of a page.
const ROWS: u32 = 25;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/users", get(list))
        .route("/console/new-user", get(new).post(create))
        .route("/console/import-users", get(table).post(import).layer(table_body_limit()))
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
    let listed = async {
        let search = visit.params.get("search").map(str::trim).unwrap_or_default().to_owned();
        let query = UserQuery {
            search: Some(search.clone()).filter(|search| !search.is_empty()),
            role: listing::word(&visit.params, "role", Role::from_name)?,
            disabled: listing::disabled(&visit.params)?,
            after: visit.params.owned("after"),
            limit: ROWS,
        };
        let paged = visit.desk().users(&query).await?;
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
            all: query.search.is_none() && query.role.is_none() && query.disabled.is_none(),
            role: query.role,
            search,
        };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(listed.await)
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

    fn of(
        visit: &Visit,
        form: &Params,
        fault: Option<&Fault>,
        problems: Vec<Problem>,
    ) -> Result<Self, Refused> {
        visit.actor.need(USERS_WRITE)?;
        let kept = |name: &str| form.get(name).unwrap_or_default().to_owned();
        Ok(Self {
            frame: visit.frame(Section::Users).crumb("New user", "/console/new-user"),
            problems,
            username: kept("username"),
            name: kept("name"),
            email: kept("email"),
            role: user::role(form).ok().flatten(),
            roles: user::roles(visit),
            once: visit.once(form, fault),
        })
    }
}

async fn new(visit: Visit) -> Response {
    let page = NewPage::of(&visit, &Params::default(), None, Vec::new());
    visit.answer(page.map(|page| visit.page(&page.frame, rendered(&page))))
}

/// An account as the form describes it; the person chooses the password by the invitation.
fn described(form: &Params) -> Result<NewUser, Problem> {
    let mut claims = Map::new();
    for name in ["name", "email"] {
        if let Some(value) = form.get(name) {
            claims.insert(name.into(), value.trim().into());
        }
    }
    Ok(NewUser {
        username: form.get("username").unwrap_or_default().to_owned(),
        claims,
        role: user::role(form)?,
        disabled: false,
        password: None,
        invite: true,
    })
}

async fn create(posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let new = match described(form) {
        Ok(new) => new,
        Err(problem) => return again(visit, form, Fault::AdminRecordInvalid, vec![problem]),
    };
    match visit.desk().create_user(&new, &posted.write()).await {
        Ok(made) => answer(visit, &made),
        Err(refused) => match problems::of(&refused, "/username", user::target) {
            Some(problems) => again(visit, form, refused.fault(), problems),
            None => visit.refused(&refused),
        },
    }
}

/// What became of the form for a new user. A link is shown only by the form that made it.
fn answer(visit: &Visit, made: &UserWritten) -> Response {
    let path = user::path(made.user.id);
    match &made.invitation {
        _ if made.replayed => {
            visit.done(&path, "The user was made already. Make a new link if theirs is lost.")
        }
        Some(handed) if handed.mailed => {
            visit.done(&path, "The user is made, and the invitation is on its way by mail.")
        }
        Some(handed) => LinkPage::of(visit, &made.user, handed, true).answer(visit),
        None => visit.done(&path, "The user is made. Make a link, by which they choose a password."),
    }
}

fn again(visit: &Visit, form: &Params, fault: Fault, problems: Vec<Problem>) -> Response {
    let page = NewPage::of(visit, form, Some(&fault), problems);
    visit.answer(page.map(|page| visit.unfit(fault, &page.frame, rendered(&page))))
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

async fn import(PostedTable(posted): PostedTable) -> Response {
    let Posted { visit, form } = &posted;
    let table = ImportUsers {
        csv: form.get(TABLE).unwrap_or_default().to_owned(),
        invite: form.get("invite").is_some(),
    };
    let told = |fault: Fault, problems| {
        let page = ImportPage::of(visit, &table, problems, None);
        visit.unfit(fault, &page.frame, rendered(&page))
    };
    if table.csv.len() > MAX_TABLE {
        let text = "The table is longer than 1 MiB. Send it in parts.";
        let fault = Fault::ParameterTooLong { name: Offered::new(TABLE) };
        return told(fault, vec![Problem::of_field(TABLE, "Table", text)]);
    }
    let decision = |word: &str| ["try", "import"].iter().position(|known| *known == word);
    let dry_run = match posted.needed("decision", "What to do", decision) {
        Ok(at) => at == 0,
        Err(problem) => return told(Fault::AdminRecordInvalid, vec![problem]),
    };
    let write = Write { dry_run, ..posted.write() };
    match visit.desk().import_users(&table, &write).await {
        Ok(report) => {
            let page = ImportPage::of(visit, &table, Vec::new(), Some(report));
            visit.page(&page.frame, rendered(&page))
        }
        Err(refused) => match problems::of(&refused, "", user::target) {
            Some(problems) => told(refused.fault(), problems),
            None => visit.refused(&refused),
        },
    }
}
