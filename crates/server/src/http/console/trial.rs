//! "Test a login": the browser plays the client, with keys that never leave it.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use signet_core::ids::ClientId;
use signet_core::params::Params;
use signet_jose::KeyUse;

use super::client::{self, Head, seen};
use super::clients::path;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{NewTrialKey, Refused, TRIAL_CALLBACK, TrialKey, Write};
use crate::pages::console::{Frame, Link, Section};
use crate::pages::{asset_name, rendered};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/console/clients/{id}/trial", get(show).post(change))
        .route(TRIAL_CALLBACK, get(callback))
}

#[derive(Template)]
#[template(path = "console/trial.html")]
struct TrialPage {
    frame: Frame,
    tabs: Vec<Link>,
    head: Head,
    /// For the script: JSON.
    settings: String,
    redirect_uri: String,
    registered: bool,
    has_secret: bool,
    /// What the button says that makes the keys that are missing; empty if none is.
    making: &'static str,
    /// The client's valid keys: what for, what people call it, and its `kid`.
    present: Vec<(&'static str, String, String)>,
    /// Whether there is something to be undone.
    undo: bool,
}

/// What the button says that makes keys for what is missing.
fn making(missing: &[KeyUse]) -> &'static str {
    match missing {
        [] => "",
        [KeyUse::Sig] => "Make a signing key here and register its public part",
        [KeyUse::Enc] => "Make an encryption key here and register its public part",
        _ => "Make both here and register the public parts",
    }
}

#[derive(Template)]
#[template(path = "console/trial_callback.html")]
struct CallbackPage {
    frame: Frame,
}

fn present(key: TrialKey) -> (&'static str, String, String) {
    let usage = if key.usage == KeyUse::Sig { "Signing" } else { "Encryption" };
    (usage, key.name, key.kid)
}

async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let id = ClientId::from(id.as_str());
    let shown = async {
        let view = visit.desk().client(&id).await?;
        let trial = visit.desk().trial(&id).await?;
        let (frame, tabs) = client::frame(&visit, &view, "trial");
        let page = TrialPage {
            head: Head::of(&visit, &view),
            frame: frame.script(asset_name("trial")),
            tabs,
            settings: serde_json::to_string(&trial).unwrap_or_default(),
            making: making(&trial.missing),
            undo: trial.redirect_registered || trial.has_trial_keys,
            present: trial.keys.into_iter().map(present).collect(),
            redirect_uri: trial.redirect_uri,
            registered: trial.redirect_registered,
            has_secret: view.has_secret,
        };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(shown.await)
}

/// Where the answer arrives. Everything that is to be done with it is the script's.
async fn callback(visit: Visit) -> Response {
    let frame = visit.frame(Section::Clients).crumb("Test a login", TRIAL_CALLBACK);
    let page = CallbackPage { frame: frame.script(asset_name("trial")) };
    visit.page(&page.frame, rendered(&page))
}

/// The address that answers arrive at, added; the public parts of keys that were made in the browser; or both undone.
async fn change(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let write = Write { seen: seen(form), ..Write::default() };
    let done = |notice: &str| visit.done(&format!("{}/trial", path(id.as_str())), notice);
    let changed = async {
        match form.get("action") {
            Some("add_address") => {
                visit.desk().set_trial_address(&id, true, &write).await?;
                Ok(done("The address of this page is one of the client's redirect URIs now."))
            }
            Some("remove") => {
                visit.desk().remove_trial(&id, &write).await?;
                Ok(done("What was registered to test a login is gone: the address, and the keys made here."))
            }
            Some("keys") => {
                let new = made(form);
                visit.desk().add_trial_keys(&id, &new, &write).await?;
                let what = if new.len() == 1 { "The key is registered" } else { "The keys are registered" };
                Ok(done(&format!("{what}, for a day at most.")))
            }
            _ => Err(Refused::NotFound),
        }
    };
    visit.answer(changed.await)
}

/// The public parts that were sent.
fn made(form: &Params) -> Vec<NewTrialKey> {
    let sent = [(KeyUse::Sig, form.get("signing")), (KeyUse::Enc, form.get("encryption"))];
    let keys = sent
        .into_iter()
        .filter_map(|(usage, source)| source.map(|source| NewTrialKey { usage, source: source.to_owned() }));
    keys.collect()
}
