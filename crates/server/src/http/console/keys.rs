//! The public keys of a client: what is there and in which state, and every way to another one.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use signet_core::client_policy::ClientKeyState;
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::params::Params;
use signet_core::provision::KeyDeclaration;
use signet_core::records::KeyOrigin;
use signet_jose::{KeySpec, KeyUse};
use uuid::Uuid;

use super::client::{self, ClientForm, Head};
use super::clients::path;
use super::editor::{self, Edited as _, Filled};
use super::fields::{self, Control, Meanwhile, Section as Part};
use super::once::{OncePage, Private};
use super::problems;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{
    ClientKeyView, ClientView, KeyChange, KeySetView, KeysWritten, NewKeyPair, Refused, RotateKey,
};
use crate::pages::console::{Frame, Link, Problem, Section, instant, instant_field, read_instant, relative};
use crate::pages::{asset_name, rendered};

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
    /// The form for what the client publishes.
    sections: Vec<Part>,
    meanwhile: Vec<Meanwhile>,
    base: String,
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
            encryption: form.get("usage") == Some(KeyUse::Enc.name()),
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
    editor::show(&ClientForm { id: ClientId::from(id.as_str()), tab: client::KEYS }, &visit).await
}

/// The page, with what stands in the form for what the client publishes.
pub(super) async fn edited(visit: &Visit, view: ClientView, filled: Filled) -> Result<Response, Refused> {
    let fault = filled.fault.clone();
    let page = page(visit, &view, None, filled).await?;
    Ok(visit.form(fault, &page.frame, rendered(&page)))
}

async fn page(
    visit: &Visit,
    view: &ClientView,
    form: Option<&Params>,
    filled: Filled,
) -> Result<KeysPage, Refused> {
    let keys = visit.desk().client_keys(&ClientId::from(view.client_id.as_str())).await?;
    let (frame, tabs) = client::frame(visit, view, client::KEYS.name);
    let now = visit.moment.now;
    let mut rows: Vec<Row> = keys.into_iter().map(|key| Row::of(key, now)).collect();
    // The newest first, and what has ended last.
    rows.reverse();
    rows.sort_by_key(|row| matches!(row.key.state, ClientKeyState::Ended | ClientKeyState::Revoked));
    let groups = client::KEYS.groups;
    Ok(KeysPage {
        frame: frame.script(asset_name("keys")),
        tabs,
        head: Head::of(visit, view),
        sections: fields::sections(groups, &filled.values, &filled.problems),
        base: fields::base(groups, &ClientForm::record(view)),
        meanwhile: filled.meanwhile,
        problems: filled.problems,
        rows,
        followed: view.settings.jwks_uri.clone().zip(view.key_set.clone()),
        kinds: KeySpec::ALL.iter().map(|spec| (spec.name(), spec.kind().to_string())).collect(),
        kept: form.map(Kept::of).unwrap_or_default(),
    })
}

/// The page again, with what stood in a form for a key and why nothing was done.
async fn told(visit: &Visit, id: &ClientId, form: &Params, fault: Fault, problems: Vec<Problem>) -> Response {
    let shown = async {
        let view = visit.desk().client(id).await?;
        let filled = Filled { problems, ..Filled::with(ClientForm::record(&view)) };
        let page = page(visit, &view, Some(form), filled).await?;
        Ok(visit.unfit(fault, &page.frame, rendered(&page)))
    };
    visit.answer(shown.await)
}

/// The page again, with why something was refused.
async fn again(visit: &Visit, id: &ClientId, form: &Params, refused: Refused) -> Response {
    let href = visit.href(&path(id.as_str()));
    let target = |pointer: &str| problems::of_client(pointer, &href, client::KEYS.groups);
    match problems::of(&refused, "", target) {
        Some(problems) => told(visit, id, form, refused.fault(), problems).await,
        None => visit.refused(&refused),
    }
}

/// A field that holds an instant; empty means none.
fn moment(form: &Params, name: &str, title: &str) -> Result<Option<UnixTime>, Problem> {
    let Some(text) = form.get(name) else { return Ok(None) };
    let wrong = || Problem::of_field(name, title, format!("{title} must be a date and a time."));
    read_instant(text).map(Some).ok_or_else(wrong)
}

/// Name and period as a form has them.
fn described(form: &Params) -> Result<KeyChange, Problem> {
    Ok(KeyChange {
        name: form.get("name").unwrap_or_default().trim().to_owned(),
        not_before: moment(form, "not_before", "Not valid before")?,
        not_after: moment(form, "not_after", "Not valid after")?,
    })
}

/// The page again, with what is wrong with a field.
async fn wrong(visit: &Visit, id: &ClientId, form: &Params, problem: Problem) -> Response {
    told(visit, id, form, Fault::AdminRecordInvalid, vec![problem]).await
}

/// The key pair that a form asks for.
fn new_pair(posted: &Posted) -> Result<NewKeyPair, Problem> {
    let KeyChange { name, not_before, not_after } = described(&posted.form)?;
    Ok(NewKeyPair {
        name,
        usage: posted.needed("usage", "Usage", KeyUse::from_name)?,
        kind: Some(posted.needed("kind", "Algorithm", KeySpec::from_name)?),
        not_before,
        not_after,
    })
}

/// The public key that a form brings.
fn new_key(posted: &Posted) -> Result<KeyDeclaration, Problem> {
    let KeyChange { name, not_before, not_after } = described(&posted.form)?;
    Ok(KeyDeclaration {
        name,
        usage: posted.needed("usage", "Usage", KeyUse::from_name)?,
        source: Value::String(posted.form.get("source").unwrap_or_default().trim().to_owned()),
        not_before,
        not_after,
        origin: None,
    })
}

async fn generate(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let new = match new_pair(&posted) {
        Ok(new) => new,
        Err(problem) => return wrong(visit, &id, form, problem).await,
    };
    match visit.desk().generate_key(&id, &new, &posted.write()).await {
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
    let new = match new_key(&posted) {
        Ok(new) => new,
        Err(problem) => return wrong(visit, &id, form, problem).await,
    };
    match visit.desk().add_key(&id, &new, &posted.write()).await {
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
    editor::save(&ClientForm { id: ClientId::from(id.as_str()), tab: client::KEYS }, &posted).await
}

async fn change(Path((id, key)): Path<(String, Uuid)>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let described = match described(form) {
        Ok(described) => described,
        Err(problem) => return wrong(visit, &id, &Params::default(), problem).await,
    };
    match visit.desk().change_key(&id, key, &described, &posted.write()).await {
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
    match visit.desk().rotate_key(&id, key, &rotate, &posted.write()).await {
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
    let written = visit.desk().revoke_key(&id, key, &posted.write()).await;
    visit.answer(written.map(|written| {
        let broken =
            if written.contradictions.is_empty() { "" } else { " The client fails without it; see below." };
        visit.done(&keys, &format!("The key is revoked.{broken}"))
    }))
}
