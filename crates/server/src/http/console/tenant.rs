//! The tenant: its issuer, policies and looks, its keys, and the tokens to register clients with.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use signet_core::admin::{KEYS_READ, KEYS_WRITE, TENANT_WRITE};
use signet_core::context::UnixTime;
use signet_core::params::Params;
use signet_core::records::{Branding, KeyState, TenantSettings};
use signet_core::setting::{Group, Setting};
use signet_jose::KeyUse;
use zeroize::Zeroizing;

use super::client::seen;
use super::fields::{self, Control, Meanwhile, Section as Part};
use super::problems;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{
    NewRegistrationToken, Refused, RegistrationTokenView, RotateTenantKeys, TenantChange, TenantKeyView,
    TenantRecord, Write,
};
use crate::pages::console::{Frame, Link, Problem, Section, instant, read_instant, relative, tabs};
use crate::pages::{asset_name, rendered};

const TABS: &[(&str, &str)] =
    &[("Policies", ""), ("Branding", "branding"), ("Keys", "keys"), ("Registration tokens", "registration")];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/tenant", get(policies).post(save_policies))
        .route("/console/tenant/branding", get(branding).post(save_branding))
        .route("/console/tenant/keys", get(keys))
        .route("/console/tenant/keys/rotate", post(rotate))
        .route("/console/tenant/keys/{id}/revoke", post(revoke))
        .route("/console/tenant/registration", get(tokens).post(make_token))
        .route("/console/tenant/registration/remove", post(remove_token))
}

/// Policies or looks: the same page over other groups of the table.
#[derive(Clone, Copy)]
struct Tab {
    name: &'static str,
    title: &'static str,
    groups: &'static [Group],
}

const POLICIES: Tab = Tab { name: "", title: "Policies", groups: Group::POLICIES };
const BRANDING: Tab = Tab { name: "branding", title: "Branding", groups: &[Group::Branding] };

impl Tab {
    fn path(self) -> String {
        if self.name.is_empty() { "/console/tenant".into() } else { format!("/console/tenant/{}", self.name) }
    }
}

/// The frame of a page of the tenant, and its tabs.
fn frame(visit: &Visit, tab: &str, title: &str) -> (Frame, Vec<Link>) {
    let frame = visit.frame(Section::Tenant);
    let tabs = tabs(&frame, "/console/tenant", TABS, tab);
    let frame = if tab.is_empty() { frame } else { frame.crumb(title, &format!("/console/tenant/{tab}")) };
    (frame, tabs)
}

#[derive(Template)]
#[template(path = "console/tenant_form.html")]
struct FormPage {
    frame: Frame,
    tabs: Vec<Link>,
    title: &'static str,
    action: String,
    issuer: String,
    id: String,
    version: i64,
    writable: bool,
    sections: Vec<Part>,
    problems: Vec<Problem>,
    meanwhile: Vec<Meanwhile>,
    base: String,
    /// Whether the form is about the tenant's looks; then the page wears them.
    branding: bool,
}

impl FormPage {
    fn of(visit: &Visit, record: &TenantRecord, tab: Tab, values: &Value, problems: Vec<Problem>) -> Self {
        let (mut frame, tabs) = frame(visit, tab.name, tab.title);
        let branding = tab.name == BRANDING.name;
        if branding && let Ok(looks) = serde_json::from_value::<Branding>(values["branding"].clone()) {
            // The page itself is the preview.
            frame.shell.brand = (&looks).into();
        }
        let frame = frame.script(asset_name(if branding { "looks" } else { "form" }));
        Self {
            action: visit.href(&tab.path()),
            title: tab.title,
            issuer: record.issuer.clone(),
            id: record.id.clone(),
            version: record.version,
            writable: visit.actor.holds(TENANT_WRITE),
            sections: fields::sections(tab.groups, values, &problems),
            base: fields::base(tab.groups, &json(&record.settings)),
            meanwhile: Vec::new(),
            problems,
            branding,
            frame,
            tabs,
        }
    }

    fn answer(&self, visit: &Visit, status: StatusCode) -> Response {
        visit.page_with(status, &self.frame, rendered(self))
    }
}

fn json(settings: &TenantSettings) -> Value {
    serde_json::to_value(settings).unwrap_or_default()
}

async fn policies(visit: Visit) -> Response {
    show(&visit, POLICIES).await
}

async fn branding(visit: Visit) -> Response {
    show(&visit, BRANDING).await
}

async fn show(visit: &Visit, tab: Tab) -> Response {
    let record = visit.desk().tenant_record().await;
    visit.answer(record.map(|record| {
        FormPage::of(visit, &record, tab, &json(&record.settings), Vec::new()).answer(visit, StatusCode::OK)
    }))
}

async fn save_policies(posted: Posted) -> Response {
    let result = save(&posted, POLICIES).await;
    posted.visit.answer(result)
}

async fn save_branding(posted: Posted) -> Response {
    let result = save(&posted, BRANDING).await;
    posted.visit.answer(result)
}

async fn save(posted: &Posted, tab: Tab) -> Result<Response, Refused> {
    let Posted { visit, form } = posted;
    let record = visit.desk().tenant_record().await?;
    let stored = json(&record.settings);
    let seen = seen(form).ok_or(Refused::VersionMissing)?;
    if seen != record.version {
        return Ok(outrun(posted, &record, tab));
    }
    let mut sent = stored.clone();
    let mut wrong = fields::read(tab.groups, form, &mut sent);
    let settings = serde_json::from_value::<TenantSettings>(sent.clone());
    if let (Err(error), true) = (&settings, wrong.is_empty()) {
        wrong.push(Problem { text: error.to_string(), code: "malformed".into(), links: Vec::new() });
    }
    let (Ok(settings), true) = (settings, wrong.is_empty()) else {
        let page = FormPage::of(visit, &record, tab, &sent, wrong);
        return Ok(page.answer(visit, StatusCode::UNPROCESSABLE_ENTITY));
    };
    if form.get("decision") == Some("show") {
        return Ok(FormPage::of(visit, &record, tab, &sent, wrong).answer(visit, StatusCode::OK));
    }
    let write = Write { seen: Some(seen), ..Write::default() };
    match visit.desk().replace_tenant(&TenantChange { settings }, &write).await {
        Ok(written) if written.differences.is_empty() => {
            Ok(visit.done(&tab.path(), "Nothing differed, so nothing was changed."))
        }
        Ok(_) => Ok(visit.done(&tab.path(), "Saved.")),
        Err(Refused::Stale { .. }) => {
            let record = visit.desk().tenant_record().await?;
            Ok(outrun(posted, &record, tab))
        }
        Err(refused) => {
            let elsewhere = |setting: &Setting| {
                let other = if tab.groups.contains(&setting.group) { None } else { Some(setting.group) };
                other.map(|group| {
                    let there = if group == Group::Branding { BRANDING } else { POLICIES };
                    visit.href(&there.path())
                })
            };
            let problems = problems::of_tenant(&refused, elsewhere).ok_or(refused)?;
            let page = FormPage::of(visit, &record, tab, &sent, problems);
            Ok(page.answer(visit, StatusCode::UNPROCESSABLE_ENTITY))
        }
    }
}

fn outrun(posted: &Posted, record: &TenantRecord, tab: Tab) -> Response {
    let Posted { visit, form } = posted;
    let outrun = fields::outrun(tab.groups, form, &json(&record.settings));
    let mut page = FormPage::of(visit, record, tab, &outrun.values, outrun.problems);
    page.meanwhile = outrun.meanwhile;
    page.answer(visit, StatusCode::PRECONDITION_FAILED)
}

/// One of the tenant's keys as the list shows it.
struct Row {
    key: TenantKeyView,
    usage: &'static str,
    badge: &'static str,
    state: &'static str,
    algs: String,
    from: String,
    until: String,
    gone: String,
}

impl Row {
    fn of(key: TenantKeyView, now: UnixTime) -> Self {
        let (badge, state) = match key.state {
            KeyState::Published => ("plain", "Next"),
            KeyState::Active => ("good", "In use now"),
            KeyState::Retained => ("warn", "Retained: accepted, not used"),
            KeyState::Removed => ("bad", "Gone"),
        };
        let both = |at| format!("{} ({})", instant(at), relative(at, now));
        Self {
            usage: if key.usage == KeyUse::Sig { "Signing" } else { "Encryption" },
            badge,
            state,
            algs: key.algs.join(", "),
            from: both(key.use_from),
            until: both(key.use_until),
            gone: both(key.remove_at),
            key,
        }
    }
}

#[derive(Template)]
#[template(path = "console/tenant_keys.html")]
struct KeysPage {
    frame: Frame,
    tabs: Vec<Link>,
    rows: Vec<Row>,
    writable: bool,
    problems: Vec<Problem>,
    jwks: String,
}

async fn keys(visit: Visit) -> Response {
    keys_page(&visit, StatusCode::OK, Vec::new()).await
}

async fn keys_page(visit: &Visit, status: StatusCode, problems: Vec<Problem>) -> Response {
    let result = async {
        visit.actor.need(KEYS_READ)?;
        let (frame, tabs) = frame(visit, "keys", "Keys");
        let keys = visit.desk().tenant_keys().await?.keys;
        let page = KeysPage {
            rows: keys.into_iter().map(|key| Row::of(key, visit.moment.now)).collect(),
            writable: visit.actor.holds(KEYS_WRITE),
            jwks: visit.href("/jwks"),
            frame,
            tabs,
            problems,
        };
        Ok(visit.page_with(status, &page.frame, rendered(&page)))
    };
    visit.answer(result.await)
}

async fn rotate(posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let usage = if form.get("usage") == Some("enc") { KeyUse::Enc } else { KeyUse::Sig };
    let done = visit.desk().rotate_tenant_keys(&RotateTenantKeys { usage }, &Write::default()).await;
    visit.answer(done.map(|done| {
        let notice = match done.made {
            0 => "The next keys are published already; they take over by themselves.".to_owned(),
            1 => "The next key is published, and takes over once it has spread.".to_owned(),
            many => format!("The next {many} keys are published, and take over once they have spread."),
        };
        visit.done("/console/tenant/keys", &notice)
    }))
}

async fn revoke(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    if form.get("confirm").map(str::trim) != Some(id.as_str()) {
        let text = "Type the key's id exactly as it stands, to confirm that it is to be withdrawn.";
        let problem = Problem::of_field(&format!("confirm-{id}"), "Confirmation", text);
        return keys_page(visit, StatusCode::UNPROCESSABLE_ENTITY, vec![problem]).await;
    }
    let done = visit.desk().revoke_tenant_key(&id, &Write::default()).await;
    visit.answer(
        done.map(|_| visit.done("/console/tenant/keys", "The key is withdrawn, and another one made.")),
    )
}

#[derive(Template)]
#[template(path = "console/tenant_tokens.html")]
struct TokensPage {
    frame: Frame,
    tabs: Vec<Link>,
    rows: Vec<TokenRow>,
    writable: bool,
    problems: Vec<Problem>,
    made: Option<Zeroizing<String>>,
    kept: [String; 3],
    once: String,
}

struct TokenRow {
    name: String,
    uses: String,
    until: String,
}

impl From<RegistrationTokenView> for TokenRow {
    fn from(token: RegistrationTokenView) -> Self {
        Self {
            uses: token.uses_left.map_or_else(|| "Any number".into(), |left| left.to_string()),
            until: token.expires_at.map_or_else(|| "Without end".into(), instant),
            name: token.name,
        }
    }
}

async fn tokens(visit: Visit) -> Response {
    tokens_page(&visit, StatusCode::OK, &Params::default(), Vec::new(), None).await
}

async fn tokens_page(
    visit: &Visit,
    status: StatusCode,
    form: &Params,
    problems: Vec<Problem>,
    made: Option<Zeroizing<String>>,
) -> Response {
    let result = async {
        let (frame, tabs) = frame(visit, "registration", "Registration tokens");
        let kept = ["name", "uses", "expires_at"].map(|name| form.get(name).unwrap_or_default().to_owned());
        let page = TokensPage {
            rows: visit.desk().registration_tokens().await?.into_iter().map(TokenRow::from).collect(),
            writable: visit.actor.holds(TENANT_WRITE),
            once: visit.app.context(visit.moment.now).handle(),
            frame: frame.script(asset_name("copy")),
            tabs,
            problems,
            made,
            kept,
        };
        Ok(visit.page_with(status, &page.frame, rendered(&page)))
    };
    visit.answer(result.await)
}

/// A token as the form describes it.
fn described(form: &Params) -> Result<NewRegistrationToken, Problem> {
    let uses = form.get("uses").map(|text| text.trim().parse::<i64>()).transpose();
    let expires_at = match form.get("expires_at") {
        None => None,
        Some(text) => Some(read_instant(text).ok_or_else(|| {
            Problem::of_field("expires_at", "Expires", "Expires must be a date and a time.")
        })?),
    };
    Ok(NewRegistrationToken {
        name: form.get("name").unwrap_or_default().trim().to_owned(),
        uses: uses.map_err(|_| Problem::of_field("uses", "Uses", "Uses must be a whole number."))?,
        expires_at,
    })
}

async fn make_token(posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let new = match described(form) {
        Ok(new) => new,
        Err(problem) => return tokens_page(visit, status, form, vec![problem], None).await,
    };
    let write = Write { idempotency_key: form.owned("once"), ..Write::default() };
    match visit.desk().create_registration_token(&new, &write).await {
        Ok(written) => match written.initial_access_token {
            Some(token) => {
                tokens_page(visit, StatusCode::OK, &Params::default(), Vec::new(), Some(token)).await
            }
            None => visit.done("/console/tenant/registration", "The token is made."),
        },
        Err(Refused::Exists) => {
            let problem = Problem::of_field("name", "Name", "There is a token of this name already.");
            tokens_page(visit, status, form, vec![problem], None).await
        }
        Err(refused) => match problems::of_tenant(&refused, |_| None) {
            Some(problems) => tokens_page(visit, status, form, problems, None).await,
            None => visit.refused(&refused),
        },
    }
}

async fn remove_token(posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let name = form.get("name").unwrap_or_default();
    let done = visit.desk().delete_registration_token(name, &Write::default()).await;
    visit.answer(done.map(|_| visit.done("/console/tenant/registration", "The token is removed.")))
}
