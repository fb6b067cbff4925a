//! Ends sessions, and brings logout tokens to clients (OpenID Connect Back-Channel Logout 1.0): at once by the node that
//! ended the session, later by whichever node comes first. Each attempt is taken by a write, so that one node makes it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use signet_core::change::{Change, Conflict};
use signet_core::context::UnixTime;
use signet_core::fault::Fault;
use signet_core::ids::TenantId;
use signet_core::logout::{self, Ended, Ending, Outcome};
use signet_core::records::{Client, LogoutDelivery, Session};
use signet_store::StoreError;

use crate::app::{App, store_fault};
use crate::fetch::FetchFault;
use crate::protect::protect_as;
use crate::tenancy::TenantView;

/// How long a person waits for clients that are slow. Most are told before the browser moves on; the others meanwhile.
const WAIT: Duration = Duration::from_millis(2_500);
/// Deliveries looked at in one go.
const BATCH: u32 = 100;

/// What ends with `session`: its changes are the caller's to apply, with [`apply`] or in a transaction of its own.
pub async fn prepare(
    app: &App,
    view: &TenantView,
    session: &Session,
    correlation_id: &str,
    cause: &str,
    now: UnixTime,
) -> Result<Ended, Fault> {
    let clients = clients(app, view, &session.sid).await?;
    let ending = Ending { tenant: &view.tenant, session, clients: &clients, correlation_id, cause };
    Ok(logout::end(&ending, &app.context(now)))
}

/// The clients that a session has logged in to.
pub async fn clients(app: &App, view: &TenantView, sid: &str) -> Result<Vec<Client>, Fault> {
    let tenant = &view.tenant.id;
    let noted = app.store.session_clients(tenant, sid).await.map_err(store_fault)?;
    let mut clients = Vec::with_capacity(noted.len());
    for one in noted {
        clients.extend(app.client(tenant, &one.client_id).await?.map(|found| found.client.clone()));
    }
    Ok(clients)
}

/// Applies what [`prepare`] planned. `false` means that another request has just ended this session.
pub async fn apply(app: &App, view: &TenantView, changes: &[Change]) -> Result<bool, Fault> {
    match app.store.apply(&view.tenant.id, changes).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict(Conflict::Exists)) => Ok(false),
        Err(error) => Err(store_fault(error)),
    }
}

/// Makes the first attempt of deliveries that have just been stored. All are under way at the same time, and whoever
/// waits does so within bounds: what is not answered by then goes on by itself.
pub async fn send(app: &App, view: &Arc<TenantView>, deliveries: Vec<LogoutDelivery>) {
    if deliveries.is_empty() {
        return;
    }
    let running = deliveries.into_iter().map(|delivery| {
        let (app, view) = (app.clone(), view.clone());
        tokio::spawn(async move { attempt(&app, &view, &delivery).await })
    });
    drop(tokio::time::timeout(WAIT, join_all(running)).await);
}

/// Makes the attempts that are due, of every tenant. A client that is dead costs the others nothing: all attempts of a
/// batch are under way at the same time, each within the fetcher's bounds.
pub async fn deliver_due(app: &App) {
    loop {
        let due = match app.store.due_logout_deliveries(app.clock.now(), BATCH).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "due logout deliveries could not be read; trying again later");
                return;
            }
        };
        let taken = join_all(due.iter().map(|delivery| take(app, delivery))).await;
        // A batch of which nothing could be moved is left for later; it would come again at once.
        if due.len() < BATCH as usize || !taken.contains(&true) {
            return;
        }
    }
}

/// Takes the next attempt of `due` and makes it, unless another node has it. Whether it has moved on, by whomever.
async fn take(app: &App, due: &LogoutDelivery) -> bool {
    let now = app.clock.now();
    let Some(view) = view(app, &due.tenant, now).await else { return false };
    let Some(taken) = logout::claim(due, now) else {
        let word = due.last_error.clone().unwrap_or_else(|| "abandoned".into());
        settle(app, due, &Outcome::Failed(word)).await;
        return true;
    };
    match app.store.apply(&due.tenant, &[taken.change]).await {
        Ok(()) => {
            attempt(app, &view, &taken.delivery).await;
            true
        }
        Err(StoreError::Conflict(_)) => true,
        Err(error) => {
            tracing::warn!(%error, "a logout delivery could not be taken; trying again later");
            false
        }
    }
}

async fn view(app: &App, tenant: &TenantId, now: UnixTime) -> Option<Arc<TenantView>> {
    let found = app.tenancy.by_id(tenant, &app.sources(now)).await;
    if found.as_ref().is_ok_and(Option::is_none) {
        tracing::warn!(%tenant, "a logout delivery is of a tenant that is not served here");
    }
    found.ok().flatten()
}

/// Makes an attempt that is this node's, and stores its outcome.
async fn attempt(app: &App, view: &TenantView, delivery: &LogoutDelivery) {
    let outcome = post(app, view, delivery).await;
    if outcome != Outcome::Delivered {
        tracing::warn!(
            tenant = %delivery.tenant,
            client_id = %delivery.client_id,
            attempts = delivery.attempts,
            ?outcome,
            correlation_id = delivery.correlation_id,
            "a client could not be told of a logout"
        );
    }
    settle(app, delivery, &outcome).await;
}

/// Back-Channel Logout section 2.5: "The OP uses an HTTP POST to the registered back-channel logout URI to trigger the logout
/// actions by the RP." What cannot be protected as the client is registered is not sent at all.
async fn post(app: &App, view: &TenantView, delivery: &LogoutDelivery) -> Outcome {
    let failed = |word: &str| Outcome::Failed(word.to_owned());
    let now = app.clock.now();
    let found = match app.client(&view.tenant.id, &delivery.client_id).await {
        Ok(found) => found.filter(|found| !found.client.disabled),
        Err(fault) => return failed(fault.code()),
    };
    let Some(found) = found else { return failed("client_unknown") };
    let client = &found.client;
    let Some(uri) = &client.settings.backchannel_logout_uri else {
        return failed("no_backchannel_logout_uri");
    };
    let protection = match logout::protection(client, &found.keys, &view.tenant.settings, now) {
        Ok(protection) => protection,
        Err(fault) => return failed(fault.code()),
    };
    let claims = logout::claims(&view.tenant, client, delivery, now);
    let typ = logout::LOGOUT_TOKEN_TYPE;
    let token = match protect_as(typ, app, view, now, client, protection, claims).await {
        Ok(token) => token,
        Err(fault) => return failed(fault.code()),
    };
    match app.fetcher.post_form(uri, &[("logout_token", token.as_str())]).await {
        Ok(status) => logout::attempt(status),
        Err(fault @ (FetchFault::Busy | FetchFault::HostBusy)) => Outcome::Postponed(fault.code().into()),
        Err(fault) => failed(fault.code()),
    }
}

async fn settle(app: &App, delivery: &LogoutDelivery, outcome: &Outcome) {
    let changes = logout::settle(delivery, outcome, &app.context(app.clock.now()));
    match app.store.apply(&delivery.tenant, &changes).await {
        // Whoever settled it before has said how.
        Ok(()) | Err(StoreError::Conflict(_)) => {}
        Err(error) => tracing::error!(%error, "the outcome of a logout delivery could not be stored"),
    }
}
