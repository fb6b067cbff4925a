//! The tenant: its issuer, policies and looks, its keys, and the tokens to register clients with.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use signet_core::admin::{KEYS_READ, KEYS_WRITE, TENANT_WRITE};
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::params::Params;
use signet_core::records::{Branding, KeyState};
use signet_core::setting::{Group, Setting, TENANT_SETTINGS};
use signet_jose::KeyUse;
use zeroize::Zeroizing;

use super::editor::{self, Edited, Filled, Tab};
use super::fields::{self, Control, Meanwhile, Section as Part};
use super::problems::{self, Target};
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

/// The fields of a registration token: pointer, title, id.
const TOKEN_FIELDS: &[(&str, &str, &str)] =
    &[("/name", "Name", "name"), ("/uses", "Uses", "uses"), ("/expires_at", "Expires", "expires_at")];
/// A form that was sent twice: the second time shows nothing.
const MADE_ALREADY: &str =
    "The token was made already, and is not shown again. Make another one if it is lost.";

const POLICIES: Tab = Tab { name: "", title: "Policies", groups: Group::POLICIES };
const BRANDING: Tab = Tab { name: "branding", title: "Branding", groups: &[Group::Branding] };

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
    fn of(visit: &Visit, record: &TenantRecord, tab: Tab, filled: Filled) -> Self {
        let (mut frame, tabs) = frame(visit, tab.name, tab.title);
        let branding = tab.name == BRANDING.name;
        if branding && let Ok(looks) = serde_json::from_value::<Branding>(filled.values["branding"].clone()) {
            // The page itself is the preview.
            frame.shell.brand = (&looks).into();
        }
        let frame = frame.script(asset_name(if branding { "looks" } else { "form" }));
        Self {
            action: visit.href(&tab.address(Section::Tenant.path())),
            title: tab.title,
            issuer: record.issuer.clone(),
            id: record.id.clone(),
            version: record.version,
            writable: visit.actor.holds(TENANT_WRITE),
            sections: fields::sections(tab.groups, &filled.values, &filled.problems),
            base: fields::base(tab.groups, &TenantForm::record(record)),
            meanwhile: filled.meanwhile,
            problems: filled.problems,
            branding,
            frame,
            tabs,
        }
    }
}

/// The settings of the tenant, on one of its pages.
struct TenantForm(Tab);

impl Edited for TenantForm {
    type View = TenantRecord;

    async fn load(&self, visit: &Visit) -> Result<TenantRecord, Refused> {
        visit.desk().tenant_record().await
    }

    fn version(view: &TenantRecord) -> i64 {
        view.version
    }

    fn record(view: &TenantRecord) -> Value {
        serde_json::to_value(&view.settings).unwrap_or_default()
    }

    fn groups(&self) -> &'static [Group] {
        self.0.groups
    }

    fn is_tried(&self, form: &Params) -> bool {
        form.get("decision") == Some("show")
    }

    async fn replace(&self, visit: &Visit, record: Value, write: &Write) -> Result<Response, Refused> {
        let settings = serde_json::from_value(record)
            .map_err(|error| Refused::Malformed { pointer: "/settings".into(), detail: error.to_string() })?;
        let written = visit.desk().replace_tenant(&TenantChange { settings }, write).await?;
        let same = written.differences.is_empty();
        let notice = if same { "Nothing differed, so nothing was changed." } else { "Saved." };
        Ok(visit.done(&self.0.address(Section::Tenant.path()), notice))
    }

    fn target(&self, visit: &Visit, pointer: &str) -> Option<Target> {
        let setting = Setting::at(TENANT_SETTINGS, pointer)?;
        let there = if setting.group == Group::Branding { BRANDING } else { POLICIES };
        let elsewhere = || visit.href(&there.address(Section::Tenant.path()));
        let page = if there.name == self.0.name { String::new() } else { elsewhere() };
        Some((setting.title.to_owned(), format!("{page}#{}", fields::id(setting))))
    }

    async fn page(&self, visit: &Visit, view: TenantRecord, filled: Filled) -> Result<Response, Refused> {
        let fault = filled.fault.clone();
        let page = FormPage::of(visit, &view, self.0, filled);
        Ok(visit.form(fault, &page.frame, rendered(&page)))
    }
}

async fn policies(visit: Visit) -> Response {
    editor::show(&TenantForm(POLICIES), &visit).await
}

async fn branding(visit: Visit) -> Response {
    editor::show(&TenantForm(BRANDING), &visit).await
}

async fn save_policies(posted: Posted) -> Response {
    editor::save(&TenantForm(POLICIES), &posted).await
}

async fn save_branding(posted: Posted) -> Response {
    editor::save(&TenantForm(BRANDING), &posted).await
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
    keys_page(&visit, None).await
}

async fn keys_page(visit: &Visit, problem: Option<Problem>) -> Response {
    let result = async {
        visit.actor.need(KEYS_READ)?;
        let (frame, tabs) = frame(visit, "keys", "Keys");
        let keys = visit.desk().tenant_keys().await?.keys;
        let fault = problem.as_ref().map(|_| Fault::AdminRecordInvalid);
        let page = KeysPage {
            rows: keys.into_iter().map(|key| Row::of(key, visit.moment.now)).collect(),
            writable: visit.actor.holds(KEYS_WRITE),
            jwks: visit.href("/jwks"),
            frame,
            tabs,
            problems: problem.into_iter().collect(),
        };
        Ok(visit.form(fault, &page.frame, rendered(&page)))
    };
    visit.answer(result.await)
}

async fn rotate(posted: Posted) -> Response {
    let visit = &posted.visit;
    let usage = match posted.needed("usage", "Usage", KeyUse::from_name) {
        Ok(usage) => usage,
        Err(problem) => return keys_page(visit, Some(problem)).await,
    };
    let done = visit.desk().rotate_tenant_keys(&RotateTenantKeys { usage }, &posted.write()).await;
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
        return keys_page(visit, Some(Problem::of_field(&format!("confirm-{id}"), "Confirmation", text)))
            .await;
    }
    let done = visit.desk().revoke_tenant_key(&id, &posted.write()).await;
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

/// What is shown above the list of tokens.
enum Above {
    Nothing,
    /// A token that was made just now.
    Made(Zeroizing<String>),
    /// Why nothing was done.
    Refused(Fault, Vec<Problem>),
}

async fn tokens(visit: Visit) -> Response {
    tokens_page(&visit, &Params::default(), Above::Nothing).await
}

async fn tokens_page(visit: &Visit, form: &Params, above: Above) -> Response {
    let (made, fault, problems) = match above {
        Above::Nothing => (None, None, Vec::new()),
        Above::Made(token) => (Some(token), None, Vec::new()),
        Above::Refused(fault, problems) => (None, Some(fault), problems),
    };
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
        Ok(visit.form(fault, &page.frame, rendered(&page)))
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
    let new = match described(form) {
        Ok(new) => new,
        Err(problem) => {
            return tokens_page(visit, form, Above::Refused(Fault::AdminRecordInvalid, vec![problem])).await;
        }
    };
    let refused = match visit.desk().create_registration_token(&new, &posted.write()).await {
        Ok(written) => {
            return match written.initial_access_token {
                Some(token) => tokens_page(visit, &Params::default(), Above::Made(token)).await,
                None => visit.done("/console/tenant/registration", MADE_ALREADY),
            };
        }
        Err(refused) => refused,
    };
    match problems::of(&refused, "/name", |pointer| problems::field(TOKEN_FIELDS, pointer)) {
        Some(problems) => tokens_page(visit, form, Above::Refused(refused.fault(), problems)).await,
        None => visit.refused(&refused),
    }
}

async fn remove_token(posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let name = form.get("name").unwrap_or_default();
    let done = visit.desk().delete_registration_token(name, &posted.write()).await;
    visit.answer(done.map(|_| visit.done("/console/tenant/registration", "The token is removed.")))
}
