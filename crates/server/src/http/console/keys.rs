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
            ClientKeyState::Revoked => ("bad", "Withdrawn".to_owned()),
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
            KeyOrigin::Trial => "Made to test a login",
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
    /// The form that was refused.
    kept: Option<Kept>,
}

/// The form of this page that was refused, and what stood in it.
struct Kept {
    /// Which one: `import`, `generate`, or what is done to a key and its id, as in `rotate-…`.
    form: String,
    sent: Params,
    /// The settings as they were typed, if it was the form for what the client publishes.
    typed: Option<Value>,
}

impl Kept {
    /// The one form of the page that adds a key this way.
    fn adding(form: &str, sent: &Params) -> Self {
        Self { form: form.to_owned(), sent: sent.clone(), typed: None }
    }

    /// The form that does something to one key.
    fn of(what: &str, key: &Uuid, sent: &Params) -> Self {
        Self { form: format!("{what}-{key}"), sent: sent.clone(), typed: None }
    }

    /// The `id` of one of its fields.
    fn id(&self, name: &str) -> String {
        match (self.form.as_str(), self.form.split_once('-'), name) {
            ("import", ..) => name.to_owned(),
            ("generate", _, "kind") => "kind".to_owned(),
            ("generate", _, "not_before") => "generate-from".to_owned(),
            ("generate", _, "not_after") => "generate-until".to_owned(),
            ("generate", ..) => format!("generate-{name}"),
            (_, Some((_, key)), "not_before") => format!("from-{key}"),
            (_, Some((_, key)), "not_after") => format!("until-{key}"),
            (_, Some((_, key)), _) => format!("{name}-{key}"),
            (_, None, _) => name.to_owned(),
        }
    }

    /// Something that is wrong with one of its fields.
    fn problem(&self, name: &str, title: &str, text: impl Into<String>) -> Problem {
        Problem::of_field(&self.id(name), title, text)
    }

    /// Links a refusal to the field that it is about.
    fn linked(&self, problem: Problem) -> Problem {
        let (name, title) = match problem.code.as_str() {
            "key_name" => ("name", "Name"),
            "key_source" | "key_source_form" | "key_reused" | "kid_taken" | "key_withdrawn" => {
                ("source", "Public key")
            }
            "key_usage" if self.form == "import" => ("usage", "Usage"),
            "key_usage" => ("source", "Public key"),
            "key_period" => ("not_after", "Not valid after"),
            "duration" => ("overlap", "Overlap"),
            _ => return problem,
        };
        Problem { links: vec![(title.to_owned(), format!("#{}", self.id(name)))], ..problem }
    }
}

impl KeysPage {
    /// Whether it was this form that was refused.
    fn failed(&self, form: &str) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.form == form)
    }

    fn failed_of(&self, what: &str, key: &Uuid) -> bool {
        self.failed(&format!("{what}-{key}"))
    }

    /// What stood in a field of this form, if it was the one that was refused.
    fn text(&self, form: &str, name: &str) -> &str {
        let kept = self.kept.as_ref().filter(|kept| kept.form == form);
        kept.and_then(|kept| kept.sent.get(name)).unwrap_or_default()
    }

    fn text_of(&self, what: &str, key: &Uuid, name: &str) -> &str {
        self.text(&format!("{what}-{key}"), name)
    }

    /// What is wrong with a field; empty if nothing is.
    fn wrong(&self, id: &str) -> &str {
        let about = |problem: &&Problem| problem.links.iter().any(|(_, to)| to.strip_prefix('#') == Some(id));
        self.problems.iter().find(about).map_or("", |problem| problem.text.as_str())
    }

    fn wrong_of(&self, name: &str, key: &Uuid) -> &str {
        self.wrong(&format!("{name}-{key}"))
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let page = page(&visit, &ClientId::from(id.as_str()), None, Vec::new()).await;
    visit.answer(page.map(|page| visit.page(&page.frame, rendered(&page))))
}

/// `kept` is a form that was refused.
async fn page(
    visit: &Visit,
    id: &ClientId,
    kept: Option<Kept>,
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
    let typed = kept.as_ref().and_then(|kept| kept.typed.clone());
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
        kept,
    })
}

/// The page again, with what was found wrong here, and why the desk refused it.
async fn again(
    visit: &Visit,
    id: &ClientId,
    kept: Option<Kept>,
    mut found: Vec<Problem>,
    refused: Refused,
) -> Response {
    let href = visit.href(&path(id.as_str()));
    let told = problems::of(&refused, "", |setting: &Setting| problems::page_of(setting, &href, GROUPS));
    let Some(told) = told else { return visit.refused(&refused) };
    let linked = |problem| match &kept {
        Some(kept) => kept.linked(problem),
        None => problem,
    };
    for problem in told.into_iter().map(linked) {
        // One sentence for a field is enough.
        if problem.links.is_empty() || !found.iter().any(|one| one.links == problem.links) {
            found.push(problem);
        }
    }
    wrong(visit, id, kept, found).await
}

/// A field that holds an instant; empty means none.
fn moment(kept: &Kept, name: &str, title: &str, problems: &mut Vec<Problem>) -> Option<UnixTime> {
    let read = read_instant(kept.sent.get(name)?);
    if read.is_none() {
        problems.push(kept.problem(name, title, format!("{title} must be a date and a time.")));
    }
    read
}

fn usage(form: &Params) -> KeyUse {
    if form.get("usage") == Some("enc") { KeyUse::Enc } else { KeyUse::Sig }
}

/// Name and period as a form has them, and what is wrong with them.
fn described(kept: &Kept) -> (KeyChange, Vec<Problem>) {
    let mut problems = Vec::new();
    let name = kept.sent.get("name").unwrap_or_default().trim().to_owned();
    let not_before = moment(kept, "not_before", "Not valid before", &mut problems);
    let not_after = moment(kept, "not_after", "Not valid after", &mut problems);
    (KeyChange { name, not_before, not_after }, problems)
}

/// A write that is only tried if something is wrong already, so that all that is wrong is said at once.
fn write_of(form: &Params, problems: &[Problem]) -> Write {
    Write { seen: seen(form), dry_run: !problems.is_empty(), ..Write::default() }
}

/// The page again, with what is wrong with its fields.
async fn wrong(visit: &Visit, id: &ClientId, kept: Option<Kept>, problems: Vec<Problem>) -> Response {
    let page = page(visit, id, kept, problems).await;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    visit.answer(page.map(|page| visit.page_with(status, &page.frame, rendered(&page))))
}

async fn generate(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let kept = Kept::adding("generate", form);
    let (described, problems) = described(&kept);
    if !problems.is_empty() {
        return wrong(visit, &id, Some(kept), problems).await;
    }
    let new = NewKeyPair {
        name: described.name,
        usage: usage(form),
        kind: form.get("kind").and_then(KeySpec::from_name),
        not_before: described.not_before,
        not_after: described.not_after,
    };
    match visit.desk().generate_key(&id, &new, &write_of(form, &problems)).await {
        Ok(written) => made(visit, &id, written, "The key is made").await,
        Err(refused) => again(visit, &id, Some(kept), problems, refused).await,
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
    let kept = Kept::adding("import", form);
    let (described, mut problems) = described(&kept);
    let source = form.get("source").unwrap_or_default().trim();
    if source.is_empty() {
        let text = "Nothing was pasted. Paste the public key, or make one in this browser.";
        problems.push(kept.problem("source", "Public key", text));
    }
    let new = KeyDeclaration {
        name: described.name,
        usage: usage(form),
        source: Value::String(source.to_owned()),
        not_before: described.not_before,
        not_after: described.not_after,
        origin: None,
    };
    match visit.desk().add_key(&id, &new, &write_of(form, &problems)).await {
        Ok(_) if !problems.is_empty() => wrong(visit, &id, Some(kept), problems).await,
        Ok(written) => {
            let count = written.keys.len();
            let what = if count == 1 {
                "The key is registered.".into()
            } else {
                format!("{count} keys are registered.")
            };
            visit.done(&format!("{}/keys", path(id.as_str())), &what)
        }
        Err(refused) => again(visit, &id, Some(kept), problems, refused).await,
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
    let problems = fields::read(GROUPS, form, &mut typed);
    let settings = serde_json::from_value::<ClientSettings>(typed.clone());
    let kept = Some(Kept { typed: Some(typed), ..Kept::adding("follow", form) });
    let (Ok(settings), true) = (settings, problems.is_empty()) else {
        return wrong(visit, &id, kept, problems).await;
    };
    let change = ClientChange { settings, owner: None, generate_secret: false };
    let write = Write { seen: seen(form), ..Write::default() };
    match visit.desk().replace_client(&id, &change, &write).await {
        Ok(_) => visit.done(&format!("{}/keys", path(id.as_str())), "Saved."),
        Err(refused) => again(visit, &id, kept, Vec::new(), refused).await,
    }
}

async fn change(Path((id, key)): Path<(String, Uuid)>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let kept = Kept::of("change", &key, form);
    let (described, problems) = described(&kept);
    if !problems.is_empty() {
        return wrong(visit, &id, Some(kept), problems).await;
    }
    match visit.desk().change_key(&id, key, &described, &write_of(form, &problems)).await {
        Ok(_) => visit.done(&format!("{}/keys", path(id.as_str())), "Name and period are saved."),
        Err(refused) => again(visit, &id, Some(kept), problems, refused).await,
    }
}

/// What a form says of the next key: with nothing filled a pair is made here, and the desk chooses the overlap.
fn successor(kept: &Kept) -> Result<RotateKey, Problem> {
    let wrong = |_| kept.problem("overlap", "Overlap", "The overlap must be a whole number of seconds.");
    let text = |name: &str| kept.sent.get(name).map(str::trim).filter(|text| !text.is_empty());
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
    let kept = Kept::of("rotate", &key, form);
    let rotate = match successor(&kept) {
        Ok(rotate) => rotate,
        Err(problem) => return wrong(visit, &id, Some(kept), vec![problem]).await,
    };
    let write = Write { seen: seen(form), ..Write::default() };
    match visit.desk().rotate_key(&id, key, &rotate, &write).await {
        Ok(written) => made(visit, &id, written, "The new key takes over").await,
        Err(refused) => again(visit, &id, Some(kept), Vec::new(), refused).await,
    }
}

async fn revoke(Path((id, key)): Path<(String, Uuid)>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let keys = format!("{}/keys", path(id.as_str()));
    if form.get("sure").is_none() {
        let text = "Tick the box to confirm: a withdrawn key is never accepted again.";
        let kept = Kept::of("revoke", &key, form);
        let problem = kept.problem("sure", "Confirmation", text);
        return wrong(visit, &id, Some(kept), vec![problem]).await;
    }
    let write = Write { seen: seen(form), ..Write::default() };
    let written = visit.desk().revoke_key(&id, key, &write).await;
    visit.answer(written.map(|written| {
        let broken =
            if written.contradictions.is_empty() { "" } else { " The client fails without it; see below." };
        visit.done(&keys, &format!("The key is withdrawn.{broken}"))
    }))
}
