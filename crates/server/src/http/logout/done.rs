//! The page at the end: it says that it is the end, tells clients by frames, and leads on.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use signet_core::logout::{Frame, PostLogout, post_logout};

use super::Visit;
use super::carry::{self, Farewell};
use crate::app::App;
use crate::http::extract::{Moment, QueryParams, Tenant};
use crate::http::{render, screens};
use crate::pages::{Onward, SignedOutPage, frames_script_path};

/// What is on the page.
#[derive(Default)]
pub(super) struct Page {
    /// The client that asked, by name, and the way back to it.
    pub(super) to: Option<(String, PostLogout)>,
    /// What is loaded in frames.
    pub(super) frames: Vec<Frame>,
    /// Go on without being asked.
    pub(super) at_once: bool,
}

/// Anybody may open this page; it says that they are signed out, and with a farewell of ours how it goes on.
pub(in crate::http) async fn done(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    query: QueryParams,
) -> Response {
    let visit = Visit { app: &app, view: &view, moment: &moment, headers: &headers };
    let sealed = query.0.ok().and_then(|params| params.owned(carry::FAREWELL));
    let farewell = sealed.and_then(|sealed| carry::open::<Farewell>(&visit, &sealed));
    let contents = match farewell {
        Some(farewell) => contents(&visit, &farewell).await,
        None => Page::default(),
    };
    page(&visit, contents)
}

/// Looks everything up once more: what is registered now counts. What cannot be looked up is left out.
async fn contents(visit: &Visit<'_>, farewell: &Farewell) -> Page {
    let tenant = &visit.view.tenant;
    let mut frames = Vec::new();
    for id in &farewell.frames {
        let found = visit.app.client(&tenant.id, id).await.ok().flatten();
        frames.extend(found.and_then(|found| Frame::of(tenant, &found.client, &farewell.sid)));
    }
    let to = match (&farewell.client_id, &farewell.uri) {
        (Some(id), Some(uri)) => visit.app.client(&tenant.id, id).await.ok().flatten().and_then(|found| {
            let to = post_logout(&found.client, uri, farewell.state.as_deref()).ok()?;
            Some((screens::client_name(&found.client), to))
        }),
        _ => None,
    };
    Page { to, frames, at_once: true }
}

pub(super) fn page(visit: &Visit<'_>, contents: Page) -> Response {
    let Page { to, frames, at_once } = contents;
    let html = SignedOutPage {
        shell: render::shell(visit.view),
        onward: to.map(|(name, to)| Onward { name, address: to.location(), at_once }),
        frames: frames.iter().map(|frame| frame.address.clone()).collect(),
        script: frames_script_path(&visit.view.prefix),
    };
    let mut response = render::page(StatusCode::OK, html.render(), None);
    if !frames.is_empty()
        && let Ok(policy) = HeaderValue::from_str(&policy(&frames))
    {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// As on every page, and beside it: these frames, from just where they are registered, and the one script that waits for
/// them.
fn policy(frames: &[Frame]) -> String {
    let mut sources: Vec<&str> = frames.iter().map(|frame| frame.origin.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' https: data:; script-src 'self'; \
         frame-src {}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
        sources.join(" ")
    )
}
