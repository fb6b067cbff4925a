//! Configuration to copy and run, for common relying parties.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use signet_core::client_policy::Mode;
use signet_core::ids::ClientId;
use signet_core::records::ApplicationType;

use super::Visit;
use super::client::{self, Head};
use crate::app::App;
use crate::desk::{Configuration, Offer};
use crate::pages::console::{Frame, Link};
use crate::pages::{asset_name, rendered};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/console/clients/{id}/configuration", get(show))
}

#[derive(Template)]
#[template(path = "console/client_configuration.html")]
struct ConfigurationPage {
    frame: Frame,
    tabs: Vec<Link>,
    head: Head,
    issuer: String,
    metadata: String,
    /// Where redirect URIs are registered.
    redirect_uris: String,
    /// Whether a loopback address must be a native application's here.
    native_only: bool,
    offers: Vec<Offer>,
    unfit: Vec<Offer>,
}

async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let id = ClientId::from(id.as_str());
    let result = async {
        let view = visit.desk().client(&id).await?;
        let Configuration { issuer, metadata, offers } = visit.desk().client_configuration(&id).await?;
        let (frame, tabs) = client::frame(&visit, &view, "configuration");
        let (offers, unfit) = offers.into_iter().partition(|offer| offer.lacks.is_empty());
        let head = Head::of(&visit, &view);
        let frame = frame.script(asset_name("copy"));
        let redirect_uris = format!("{}#redirect_uris", head.href);
        let native = view.settings.application_type == ApplicationType::Native;
        let native_only = visit.app.mode == Mode::Production && !native;
        let page = ConfigurationPage {
            frame,
            tabs,
            head,
            issuer,
            metadata,
            redirect_uris,
            native_only,
            offers,
            unfit,
        };
        Ok(visit.page(&page.frame, rendered(&page)))
    };
    visit.answer(result.await)
}
