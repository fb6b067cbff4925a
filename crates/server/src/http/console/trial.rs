//! "Test a login": the browser plays the client, with keys that never leave it.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;
use signet_core::ids::ClientId;
use signet_core::provision::KeyDeclaration;
use signet_jose::KeyUse;

use super::client::{self, Head};
use super::clients::path;
use super::{Posted, Visit};
use crate::app::App;
use crate::desk::{Refused, TRIAL_CALLBACK, Write};
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
}

#[derive(Template)]
#[template(path = "console/trial_callback.html")]
struct CallbackPage {
    frame: Frame,
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

/// The address that answers arrive at, added or taken away; or the public parts of keys that were made in the browser.
async fn change(Path(id): Path<String>, posted: Posted) -> Response {
    let Posted { visit, form } = &posted;
    let id = ClientId::from(id.as_str());
    let write = posted.write();
    let done = |notice: &str| visit.done(&format!("{}/trial", path(id.as_str())), notice);
    let changed = async {
        match form.get("action") {
            Some("add_address") => {
                visit.desk().set_trial_address(&id, true, &write).await?;
                Ok(done("The address of this page is one of the client's redirect URIs now."))
            }
            Some("remove_address") => {
                visit.desk().set_trial_address(&id, false, &write).await?;
                Ok(done("The address of this page is no redirect URI of the client any more."))
            }
            Some("keys") => {
                let keys = [("signing", KeyUse::Sig), ("encryption", KeyUse::Enc)];
                let given = keys.map(|(name, usage)| (form.get(name), usage));
                let count = register(visit, &id, given, write).await?;
                Ok(done(if count == 1 { "The key is registered." } else { "The keys are registered." }))
            }
            _ => Err(Refused::NotFound),
        }
    };
    visit.answer(changed.await)
}

async fn register(
    visit: &Visit,
    id: &ClientId,
    given: [(Option<&str>, KeyUse); 2],
    mut write: Write,
) -> Result<usize, Refused> {
    let mut count = 0;
    for (source, usage) in given {
        let Some(source) = source else { continue };
        let key = KeyDeclaration {
            name: match usage {
                KeyUse::Sig => "Trial, signing".into(),
                KeyUse::Enc => "Trial, encryption".into(),
            },
            usage,
            source: Value::String(source.trim().to_owned()),
            not_before: None,
            not_after: None,
            origin: None,
        };
        // The first write is on the version that was seen, the second on what came of the first: whoever comes between the
        // two is not overrun.
        write.seen = Some(visit.desk().add_key(id, &key, &write).await?.version);
        count += 1;
    }
    Ok(count)
}
