//! The facts of a logout request.

use std::sync::Arc;

use signet_core::fault::Fault;
use signet_core::hint::{self, Hint, HintPolicy};
use signet_core::ids::{ClientId, TokenHash};
use signet_core::logout::{Input, LogoutRequest};
use signet_core::records::{Client, Session, User};
use signet_jose::Trace;

use super::Visit;
use crate::app::{App, store_fault};
use crate::clients::Registered;
use crate::http::cookies;
use crate::tenancy::TenantView;

/// The facts, as loaded.
pub(super) struct Loaded {
    request: LogoutRequest,
    hint: Option<Hint>,
    registered: Option<Arc<Registered>>,
    pub(super) session: Option<Session>,
    pub(super) user: Option<User>,
}

impl Loaded {
    pub(super) async fn of(visit: &Visit<'_>, request: LogoutRequest) -> Result<Self, Fault> {
        let (app, store, tenant) = (visit.app, &visit.app.store, &visit.view.tenant.id);
        let named = request.client_id.as_deref().map(ClientId::new);
        let hint = match &request.id_token_hint {
            Some(token) => Some(verified(visit, token.clone(), named.clone()).await?),
            None => None,
        };
        let client_id = hint.as_ref().map(|hint| hint.client_id().clone()).or(named);
        let registered = match &client_id {
            Some(id) => app.client(tenant, id).await?,
            None => None,
        };
        let cookie = cookies::read(visit.headers, &cookies::session_name(visit.view));
        let session = match cookie {
            Some(cookie) => store.session(tenant, &TokenHash::of(&cookie)).await.map_err(store_fault)?,
            None => None,
        };
        let user = match &session {
            Some(session) => store.user(tenant, session.user_id).await.map_err(store_fault)?,
            None => None,
        };
        Ok(Self { request, hint, registered, session, user })
    }

    pub(super) fn client(&self) -> Option<&Client> {
        self.registered.as_ref().map(|found| &found.client).filter(|client| !client.disabled)
    }

    pub(super) fn input<'a>(&'a self, view: &'a TenantView) -> Input<'a> {
        Input {
            tenant: &view.tenant,
            request: &self.request,
            hint: self.hint.as_ref(),
            client: self.client(),
            session: self.session.as_ref(),
        }
    }
}

/// RP-Initiated Logout section 2: "When an `id_token_hint` parameter is present, the OP MUST validate that it was the issuer of
/// the ID Token." On the crypto pool.
async fn verified(visit: &Visit<'_>, token: String, client_id: Option<ClientId>) -> Result<Hint, Fault> {
    let (app, view, now): (&App, _, _) = (visit.app, visit.view.clone(), visit.moment.now);
    let judge = move || {
        let mut trace = Trace::new();
        let opened = hint::open(&token, &view.decryption, &mut trace)?;
        let policy = HintPolicy {
            issuer: &view.tenant.issuer,
            keys: &view.keys,
            verifier: &hint::tenant_verifier,
            secret: None,
            client_id: client_id.as_ref(),
            now,
            skew: view.tenant.settings.clock_skew,
        };
        hint::judge(opened, &policy, &mut trace)
    };
    app.crypto.run(judge).await?
}
