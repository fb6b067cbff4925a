//! Takes a response to the client by the browser.

use axum::response::{IntoResponse, Redirect, Response};
use signet_core::fault::Fault;
use signet_core::records::Client;
use signet_core::redirect::{Delivery, Ready};

use super::extract::Moment;
use super::render::{self, shell};
use crate::app::App;
use crate::pages::FormPostPage;
use crate::protect::protect;
use crate::tenancy::TenantView;

/// A response that the browser can carry out. JARM responses are made on the crypto pool first; one that cannot be made as
/// its client is set goes out in no form.
pub(super) async fn ready(
    app: &App,
    view: &TenantView,
    moment: &Moment,
    client: &Client,
    delivery: Delivery,
) -> Result<Ready, Fault> {
    match delivery {
        Delivery::Ready(ready) => Ok(ready),
        Delivery::Seal(mut sealing) => {
            let claims = std::mem::take(&mut sealing.claims);
            let jwt = protect(app, view, moment.now, client, sealing.protection.clone(), claims).await?;
            Ok(sealing.deliver(jwt))
        }
    }
}

/// The answer to the browser.
pub(super) fn answer(view: &TenantView, ready: Ready) -> Response {
    match ready {
        Ready::Redirect(location) => Redirect::to(&location).into_response(),
        Ready::Form { action, fields } => {
            let page = FormPostPage {
                shell: shell(view),
                fields: fields.iter().map(|(name, value)| (name, value.to_owned())).collect(),
                action,
            };
            render::posting(&page)
        }
    }
}
