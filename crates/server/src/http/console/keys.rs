//! The public keys of a client: what is there and in which state, and every way to another one.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use signet_core::client_policy::ClientKeyState;
use signet_core::context::UnixTime;
use signet_core::ids::ClientId;
use signet_core::params::Params;
use signet_core::provision::KeyDeclaration;
use signet_core::records::{ClientSettings, KeyOrigin};
use signet_core::setting::{Group, Setting};
use signet_jose::{KeySpec, KeyUse};
use uuid::Uuid;

use super::client::{self, Head, seen};
use super::clients::path;
use super::fields::{self, Control, Section as Part};
use super::once::{OncePage, Private};
use super::problems;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{
    ClientChange, ClientKeyView, ClientView, KeyChange, KeySetView, KeysWritten, NewKeyPair, Refused,
    RotateKey, Write,
};
use crate::pages::console::{Frame, Link, Problem, Section, instant, instant_field, read_instant, relative};
use crate::pages::{asset_name, rendered};

const GROUPS: &[Group] = &[Group::Keys];

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/clients/{id}/keys", get(show))
        .route("/console/clients/{id}/keys/generate", post(generate))
        .route("/console/clients/{id}/keys/import", post(import))
        .route("/console/clients/{id}/keys/follow", post(follow))
        .route("/console/clients/{id}/keys/{key}/change", post(change))
        .route("/console/clients/{id}/keys/{key}/rotate", post(rotate))
        .route("/console/clients/{id}/keys/{key}/revoke", post(revoke))
}

/// A key as the list shows it.
struct Row {
    key: ClientKeyView,
    usage: &'static str,
    badge: &'static str,
    state: String,
    period: String,
    not_before: String,
    not_after: String,
    origin: &'static str,
    /// Whether something can be done to it.
    live: bool,
}

impl Row {
    fn of(key: ClientKeyView, now: UnixTime) -> Self {
        let (badge, state) = match key.state {
            ClientKeyState::InUse => ("good", "In use now".to_owned()),
            ClientKeyState::Next => {
                let from = key.used_from.map(|at| format!(", from {}", instant(at))).unwrap_or_default();
                ("plain", format!("Next{from}"))
            }
            ClientKeyState::Waiting => {
                let from = key.not_before.map(|at| format!(", begins {}", relative(at, now)));
                ("plain", format!("Waiting{}", from.unwrap_or_default()))
            }
            ClientKeyState::Valid => ("plain", "Valid, not in use".to_owned()),
            ClientKeyState::Ended => ("warn", "Ended".to_owned()),
            ClientKeyState::Revoked => ("bad", "Revoked".to_owned()),
        };
        let period = match (key.not_before, key.not_after) {
            (None, None) => "Without end".to_owned(),
            (Some(from), None) => format!("From {}", instant(from)),
            (None, Some(until)) => format!("Until {} ({})", instant(until), relative(until, now)),
            (Some(from), Some(until)) => {
                format!("{} to {} ({})", instant(from), instant(until), relative(until, now))
            }
        };
        let origin = match key.origin {
            KeyOrigin::Generated => "Made here",
            KeyOrigin::Jwk => "JWK",
            KeyOrigin::Jwks => "JWK set",
            KeyOrigin::Pem => "PEM",
            KeyOrigin::X509 => "X.509 certificate",
            KeyOrigin::JwksUri => "Published at jwks_uri",
        };
        Self {
            usage: if key.usage == KeyUse::Sig { "Signing" } else { "Encryption" },
            badge,
            state,
            period,
            not_before: key.not_before.map(instant_field).unwrap_or_default(),
            not_after: key.not_after.map(instant_field).unwrap_or_default(),
            origin,
            live: key.state != ClientKeyState::Revoked && key.origin != KeyOrigin::JwksUri,
            key,
        }
    }
}

#[derive(Template)]
#[template(path = "console/client_keys.html")]
struct KeysPage {
    frame: Frame,
    tabs: Vec<Link>,
    head: Head,
    problems: Vec<Problem>,
    rows: Vec<Row>,
    /// Where the keys are published, and what the last look there brought.
    followed: Option<(String, KeySetView)>,
    kinds: Vec<(&'static str, String)>,
    sections: Vec<Part>,
    /// What stood in the form for another key.
    kept: Kept,
}

/// What is kept of a form that was refused.
#[derive(Default)]
struct Kept {
    name: String,
    source: String,
    encryption: bool,
    not_before: String,
    not_after: String,
    /// The key that was to be rotated, if that was the form.
    rotated: String,
    overlap: String,
}

impl Kept {
    fn of(form: &Params) -> Self {
        let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            source: text("source"),
            encryption: form.get("usage") == Some("enc"),
            not_before: text("not_before"),
            not_after: text("not_after"),
            rotated: text("rotated"),
            overlap: text("overlap"),
        }
    }

    /// Whether it was the form that rotates this key.
    fn rotates(&self, key: &Uuid) -> bool {
        self.rotated == key.to_string()
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let page = page(&visit, &ClientId::from(id.as_str()), None, None, Vec::new()).await;
    visit.answer(page.map(|page| visit.page(&page.frame, rendered(&page))))
}

/// `form` is a form that was refused, and `typed` a record with what was typed into it.
async fn page(
    visit: &Visit,
    id: &ClientId,
    form: Option<&Params>,
    typed: Option<Value>,
    problems: Vec<Problem>,
) -> Result<KeysPage, Refused> {
    let view = visit.desk().client(id).await?;
    let keys = visit.desk().client_keys(id).await?;
    let (frame, tabs) = client::frame(visit, &view, "keys");
    let now = visit.moment.now;
    let mut rows: Vec<Row> = keys.into_iter().map(|key| Row::of(key, now)).collect();
    // The newest first, and what has ended last.
    rows.reverse();
    rows.sort_by_key(|row| matches!(row.key.state, ClientKeyState::Ended | ClientKeyState::Revoked));
    let record = typed.unwrap_or_else(|| serde_json::to_value(&view.settings).unwrap_or_default());
    Ok(KeysPage {
        frame: frame.script(asset_name("keys")),
        tabs,
        head: Head::of(visit, &view),
        sections: fields::sections(GROUPS, &record, &problems),
        problems,
        rows,
        followed: view.settings.jwks_uri.zip(view.key_set),
        kinds: KeySpec::ALL.iter().map(|spec| (spec.name(), spec.kind().to_string())).collect(),
        kept: form.map(Kept::of).unwrap_or_default(),
    })
}

/// The page again, with why something was refused.
async fn again(visit: &Visit, id: &ClientId, form: &Params, refused: Refused) -> Response {
    again_with(visit, id, form, None, refused).await
}

async fn again_with(
    visit: &Visit,
    id: &ClientId,
    form: &Params,
    typed: Option<Value>,
    refused: Refused,
) -> Response {
    let href = visit.href(&path(id.as_str()));
    let problems = problems::of(&refused, "", |setting: &Setting| problems::page_of(setting, &href, GROUPS));
    let Some(problems) = problems else { return visit.refused(&refused) };
    let page = page(visit, id, Some(form), typed, problems).await;
    visit.answer(
        page.map(|page| visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page.frame, rendered(&page))),
    )
}

/// A field that holds an instant; empty means none.
fn moment(form: &Params, name: &str, title: &str) -> Result<Option<UnixTime>, Problem> {
    let Some(text) = form.get(name) else { return Ok(None) };
    let wrong = || Problem::of_field(name, title, format!("{title} must be a date and a time."));
    read_instant(text).map(Some).ok_or_else(wrong)
}

fn usage(form: &Params) -> KeyUse {
    if form.get("usage") == Some("enc") { KeyUse::Enc } else { KeyUse::Sig }
}

/// Name and period as a form has them.
fn described(form: &Params) -> Result<KeyChange, Problem> {
    Ok(KeyChange {
        name: form.get("name").unwrap_or_default().trim().to_owned(),
        not_before: moment(form, "not_before", "Not valid before")?,
        not_after: moment(form, "not_after", "Not valid after")?,
    })
}

/// Name and period, or the page that says what is wrong with them.
async fn read(visit: &Visit, id: &ClientId, form: &Params) -> Result<KeyChange, Response> {
    match described(form) {
        Ok(described) => Ok(described),
        Err(problem) => Err(wrong(visit, id, form, problem).await),
    }
}

/// The page again, with what is wrong with a field.
async fn wrong(visit: &Visit, id: &ClientId, form: &Params, problem: Problem) -> Response {
    let page = page(visit, id, Some(form), None, vec![problem]).await;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    visit.answer(page.map(|page| visit.page_with(status, &page.frame, rendered(&page))))
}

async fn generate(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let described = match read(visit, &id, form).await {
        Ok(described) => described,
        Err(response) => return response,
    };
    let new = NewKeyPair {
        name: described.name,
        usage: usage(form),
        kind: form.get("kind").and_then(KeySpec::from_name),
        not_before: described.not_before,
        not_after: described.not_after,
    };
    let write = Write { seen: seen(form), ..Write::default() };
    match visit.desk().generate_key(&id, &new, &write).await {
        Ok(written) => made(visit, &id, written, "The key is made").await,
        Err(refused) => again(visit, &id, form, refused).await,
    }
}

/// The page for a private key that was made just now; without one, back to the list.
async fn made(visit: &Visit, id: &ClientId, written: KeysWritten, heading: &str) -> Response {
    let keys = format!("{}/keys", path(id.as_str()));
    let Some(private) = &written.private_key else { return visit.done(&keys, &format!("{heading}.")) };
    let view = match visit.desk().client(id).await {
        Ok(view) => view,
        Err(refused) => return visit.refused(&refused),
    };
    let page = OncePage {
        frame: visit
            .frame(Section::Clients)
            .crumb(&view.settings.client_name, &path(id.as_str()))
            .crumb("Keys", &keys),
        heading: heading.to_owned(),
        text: "The public part is registered. The application needs the private part.".into(),
        client_id: id.to_string(),
        secret: None,
        keys: vec![Private::from(private)],
        remarks: written.advice.into_iter().map(|remark| remark.text).collect(),
        onward: ("Back to the keys".into(), visit.href(&keys)),
    };
    page.answer(visit)
}

async fn import(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let described = match read(visit, &id, form).await {
        Ok(described) => described,
        Err(response) => return response,
    };
    let new = KeyDeclaration {
        name: described.name,
        usage: usage(form),
        source: Value::String(form.get("source").unwrap_or_default().trim().to_owned()),
        not_before: described.not_before,
        not_after: described.not_after,
        origin: None,
    };
    let write = Write { seen: seen(form), ..Write::default() };
    match visit.desk().add_key(&id, &new, &write).await {
        Ok(written) => {
            let count = written.keys.len();
            let what = if count == 1 {
                "The key is registered.".into()
            } else {
                format!("{count} keys are registered.")
            };
            visit.done(&format!("{}/keys", path(id.as_str())), &what)
        }
        Err(refused) => again(visit, &id, form, refused).await,
    }
}

/// Sets or removes `jwks_uri` and `encryption_kid`.
async fn follow(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let view: ClientView = match visit.desk().client(&id).await {
        Ok(view) => view,
        Err(refused) => return visit.refused(&refused),
    };
    let mut typed = serde_json::to_value(&view.settings).unwrap_or_default();
    let wrong = fields::read(GROUPS, form, &mut typed);
    let settings = serde_json::from_value::<ClientSettings>(typed.clone());
    let (Ok(settings), true) = (settings, wrong.is_empty()) else {
        let page = page(visit, &id, None, Some(typed), wrong).await;
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return visit.answer(page.map(|page| visit.page_with(status, &page.frame, rendered(&page))));
    };
    let change = ClientChange { settings, owner: None, generate_secret: false };
    let write = Write { seen: seen(form), ..Write::default() };
    match visit.desk().replace_client(&id, &change, &write).await {
        Ok(_) => visit.done(&format!("{}/keys", path(id.as_str())), "Saved."),
        Err(refused) => again_with(visit, &id, &Params::default(), Some(typed), refused).await,
    }
}

async fn change(Path((id, key)): Path<(String, Uuid)>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let described = match read(visit, &id, form).await {
        Ok(described) => described,
        Err(response) => return response,
    };
    let write = Write { seen: seen(form), ..Write::default() };
    match visit.desk().change_key(&id, key, &described, &write).await {
        Ok(_) => visit.done(&format!("{}/keys", path(id.as_str())), "Name and period are saved."),
        Err(refused) => again(visit, &id, &Params::default(), refused).await,
    }
}

/// What a form says of the next key: with nothing filled a pair is made here, and the desk chooses the overlap.
fn successor(form: &Params) -> Result<RotateKey, Problem> {
    let key = form.get("rotated").unwrap_or_default();
    let wrong = |_| {
        let text = "The overlap must be a whole number of seconds.";
        Problem::of_field(&format!("overlap-{key}"), "Overlap", text)
    };
    let text = |name: &str| form.get(name).map(str::trim).filter(|text| !text.is_empty());
    Ok(RotateKey {
        source: text("source").map(Value::from),
        overlap: text("overlap").map(str::parse).transpose().map_err(wrong)?,
        ..RotateKey::default()
    })
}

/// One click: a new pair of the same kind, or a key of the client's own, with an overlap that lasts until every node of the
/// client can know it.
async fn rotate(Path((id, key)): Path<(String, Uuid)>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let rotate = match successor(form) {
        Ok(rotate) => rotate,
        Err(problem) => return wrong(visit, &id, form, problem).await,
    };
    let write = Write { seen: seen(form), ..Write::default() };
    match visit.desk().rotate_key(&id, key, &rotate, &write).await {
        Ok(written) => made(visit, &id, written, "The new key takes over").await,
        Err(refused) => again(visit, &id, form, refused).await,
    }
}

async fn revoke(Path((id, key)): Path<(String, Uuid)>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let keys = format!("{}/keys", path(id.as_str()));
    if form.get("sure").is_none() {
        let text = "Tick the box to confirm: a revoked key is never accepted again.";
        let problem = Problem::of_field(&format!("sure-{key}"), "Confirmation", text);
        return wrong(visit, &id, &Params::default(), problem).await;
    }
    let write = Write { seen: seen(form), ..Write::default() };
    let written = visit.desk().revoke_key(&id, key, &write).await;
    visit.answer(written.map(|written| {
        let broken =
            if written.contradictions.is_empty() { "" } else { " The client fails without it; see below." };
        visit.done(&keys, &format!("The key is revoked.{broken}"))
    }))
}
