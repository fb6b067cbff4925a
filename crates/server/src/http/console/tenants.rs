//! All tenants of the installation, for owners of the one that looks after it: listed, made, switched to.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, json};
use signet_core::admin::TENANTS_WRITE;
use signet_core::params::Params;
use zeroize::Zeroizing;

use super::problems;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{FirstOwner, NewTenant, Refused, TenantLine, TenantQuery, Write};
use crate::pages::console::{Frame, Problem, Section, instant};
use crate::pages::{asset_name, rendered};

/// Rows of a page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/tenants", get(list)).route("/console/new-tenant", get(new).post(create))
}

struct Row {
    line: TenantLine,
    /// Its console, at its own issuer: people sign in there anew.
    console: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "console/tenants.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
    new: Option<String>,
}

async fn list(visit: Visit) -> Response {
    let query = TenantQuery { after: visit.params.owned("after"), limit: ROWS };
    let paged = match visit.desk().tenants(&query).await {
        Ok(paged) => paged,
        Err(refused) => return visit.refused(&refused),
    };
    let own = visit.view.tenant.id.as_str();
    let row = |line: TenantLine| Row {
        console: format!("{}/console", line.issuer.trim_end_matches('/')),
        current: line.id == own,
        line,
    };
    let address = |after: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("after", after).finish();
        visit.href(&format!("/console/tenants?{query}"))
    };
    let page = ListPage {
        frame: visit.frame(Section::Tenants),
        next: paged.next.as_deref().map(address),
        rows: paged.items.into_iter().map(row).collect(),
        new: visit.actor.holds(TENANTS_WRITE).then(|| visit.href("/console/new-tenant")),
    };
    visit.page(&page.frame, rendered(&page))
}

#[derive(Template)]
#[template(path = "console/tenant_new.html")]
struct NewPage {
    frame: Frame,
    action: String,
    problems: Vec<Problem>,
    kept: Kept,
    /// Makes the same form sent twice one tenant.
    once: String,
}

/// What is kept of a form that was refused.
struct Kept {
    id: String,
    issuer: String,
    name: String,
    username: String,
    email: String,
}

impl NewPage {
    fn of(visit: &Visit, form: &Params, problems: Vec<Problem>) -> Result<Self, Refused> {
        visit.actor.need(TENANTS_WRITE)?;
        let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
        Ok(Self {
            frame: visit.frame(Section::Tenants).crumb("New tenant", "/console/new-tenant"),
            action: visit.href("/console/new-tenant"),
            problems,
            kept: Kept {
                id: text("id"),
                issuer: text("issuer"),
                name: text("name"),
                username: text("username"),
                email: text("email"),
            },
            once: form.owned("once").unwrap_or_else(|| visit.app.context(visit.moment.now).handle()),
        })
    }
}

async fn new(visit: Visit) -> Response {
    let page = NewPage::of(&visit, &Params::default(), Vec::new());
    visit.answer(page.map(|page| visit.page(&page.frame, rendered(&page))))
}

#[derive(Template)]
#[template(path = "console/tenant_made.html")]
struct MadePage {
    frame: Frame,
    name: String,
    issuer: String,
    invitation: Zeroizing<String>,
    /// Whether it goes by mail as well.
    mailed: bool,
    expires: String,
}

async fn create(posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let text = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
    let mut claims = Map::new();
    if let Some(email) = form.get("email") {
        claims.insert("email".into(), json!(email.trim()));
    }
    let new = NewTenant {
        id: text("id"),
        issuer: text("issuer"),
        name: form.get("name").map(|name| name.trim().to_owned()),
        owner: FirstOwner { username: text("username"), claims },
    };
    let write = Write { idempotency_key: form.owned("once"), ..Write::default() };
    let made = match visit.desk().create_tenant(&new, &write).await {
        Ok(made) => made,
        Err(refused) => return again(visit, form, &refused),
    };
    let Some(invitation) = made.invitation else {
        return visit.done(Section::Tenants.path(), "The tenant is made.");
    };
    let frame = visit.frame(Section::Tenants).crumb(&made.tenant.settings.branding.name, "/console/tenants");
    let page = MadePage {
        frame: frame.script(asset_name("copy")),
        name: made.tenant.settings.branding.name.clone(),
        issuer: made.tenant.issuer.clone(),
        expires: made.invitation_expires_at.map(instant).unwrap_or_default(),
        mailed: made.mailed,
        invitation,
    };
    visit.page(&page.frame, rendered(&page))
}

/// The form again, with what was typed and why it was refused.
fn again(visit: &Visit, form: &Params, refused: &Refused) -> Response {
    let problems = match refused {
        Refused::Exists => Some(vec![Problem::of_field(
            "id",
            "Id and issuer",
            "There is a tenant of this id or issuer already. Choose others.",
        )]),
        other => problems::of_tenant(other, |_| Some(String::new())),
    };
    let Some(problems) = problems else { return visit.refused(refused) };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let page = NewPage::of(visit, form, problems);
    visit.answer(page.map(|page| visit.page_with(status, &page.frame, rendered(&page))))
}
