//! Client authentication: one way in for the token, introspection and revocation endpoints and all others that clients
//! call themselves.

use std::sync::Arc;

use axum::http::HeaderMap;
use signet_core::audit::{self, Kind};
use signet_core::client_assertion;
use signet_core::client_auth::{
    AssertionFacts, AuthenticatedClient, Credentials, authenticate, authenticate_by_assertion, presented,
};
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::opening::OpenedJwt;
use signet_core::params::Params;
use signet_core::records::{Client, ClientKey};
use signet_core::remote_keys::may_be_stale;
use signet_jose::{SigAlg, Trace, Verifier};

use super::extract::{FormParams, Moment, authorization};
use crate::app::App;
use crate::clients::{Registered, parts};
use crate::tenancy::TenantView;
use crate::vault;

/// A request of a client that has proved who it is.
pub(super) struct Caller {
    /// The form.
    pub(super) params: Params,
    /// The client.
    pub(super) client: AuthenticatedClient,
    pub(super) registered: Arc<Registered>,
}

impl Caller {
    /// The client's keys, of every usage and age.
    pub(super) fn keys(&self) -> &[ClientKey] {
        &self.registered.keys
    }
}

/// A client that did not prove who it is.
pub(super) struct Unproved {
    /// Why.
    pub(super) fault: Fault,
    /// Who it says it is.
    pub(super) client_id: Option<ClientId>,
    /// The failed check of an assertion.
    check: Option<&'static str>,
    /// What the audit trail calls it.
    kind: Kind,
}

/// What the audit trail calls a refusal at `endpoint`.
fn kind(endpoint: Endpoint) -> Kind {
    match endpoint {
        Endpoint::Token => Kind::TokenRefused,
        Endpoint::Introspection => Kind::IntrospectionRefused,
        Endpoint::Revocation => Kind::RevocationRefused,
        _ => Kind::ClientRefused,
    }
}

impl From<Fault> for Unproved {
    fn from(fault: Fault) -> Self {
        Self { fault, client_id: None, check: None, kind: Kind::ClientRefused }
    }
}

impl Unproved {
    /// Writes the refusal to the audit trail, and hands the fault back.
    pub(super) async fn recorded(self, app: &App, view: &TenantView, moment: &Moment) -> Fault {
        let (tenant, context) = (&view.tenant.id, app.context(moment.now));
        let Self { fault, client_id, check, kind } = self;
        let mut event = audit::refused(tenant, kind, &fault, &moment.correlation_id, &context);
        if let Some(client) = &client_id {
            event = event.client(client);
        }
        if let Some(check) = check {
            event = event.fact("check", check);
        }
        app.record(tenant, &[event.change()]).await;
        fault
    }
}

/// Finds and judges the one way of authentication in a request to `endpoint`.
pub(super) async fn admit(
    app: &App,
    view: &Arc<TenantView>,
    moment: &Moment,
    headers: &HeaderMap,
    form: FormParams,
    endpoint: Endpoint,
) -> Result<Caller, Unproved> {
    let case = Case { app: app.clone(), view: view.clone(), endpoint, now: moment.now };
    case.admit(headers, form).await.map_err(|unproved| Unproved { kind: kind(endpoint), ..unproved })
}

type Proved = (AuthenticatedClient, Arc<Registered>);

#[derive(Clone)]
struct Case {
    app: App,
    view: Arc<TenantView>,
    endpoint: Endpoint,
    now: i64,
}

impl Case {
    async fn admit(&self, headers: &HeaderMap, form: FormParams) -> Result<Caller, Unproved> {
        let params = form.0?;
        let credentials = presented(authorization(headers)?, &params)?;
        let (client, registered) = match credentials.assertion() {
            Some(token) => self.by_assertion(token.to_owned(), &credentials).await?,
            None => self.by_secret(&credentials).await?,
        };
        Ok(Caller { params, client, registered })
    }

    async fn by_secret(&self, credentials: &Credentials) -> Result<Proved, Unproved> {
        let named = credentials.client_id().ok_or(Fault::ClientAuthMissing)?;
        let unproved = |fault| Unproved { client_id: Some(named.clone()), ..Unproved::from(fault) };
        let found = self.app.client(&self.view.tenant.id, named).await.map_err(unproved)?;
        let client = authenticate(credentials, parts(found.as_deref()).0).map_err(unproved)?;
        Ok((client, found.ok_or_else(|| unproved(Fault::ClientAuthUnknown))?))
    }

    /// Opens on the crypto pool, finds the client, and judges there. A key that is not known may have been published
    /// meanwhile, so the client's `jwks_uri` is fetched anew and its assertion judged once more.
    async fn by_assertion(&self, token: String, credentials: &Credentials) -> Result<Proved, Unproved> {
        let outer = credentials.client_id().cloned();
        let unproved = |fault, client_id: &Option<ClientId>| Unproved {
            client_id: client_id.clone(),
            ..Unproved::from(fault)
        };
        let case = self.clone();
        let open = move || {
            let mut trace = Trace::new();
            let opened = client_assertion::open(&token, &case.view.decryption, &mut trace)?;
            let inside = client_assertion::named_client(&opened.jws, &mut trace)?;
            Ok::<_, Fault>((opened, inside))
        };
        let opened = self.app.crypto.run(open).await.and_then(|opened| opened);
        let (opened, inside) = opened.map_err(|fault| unproved(fault, &outer))?;
        // RFC 7521 section 4.2: `client_id` "is unnecessary"; if it is there, it "MUST identify the same client", which
        // the assertion's `iss` and `sub` are held against.
        let named = outer.unwrap_or(inside);
        let tenant = &self.view.tenant.id;
        let found =
            self.app.client(tenant, &named).await.map_err(|fault| unproved(fault, &Some(named.clone())))?;
        let Some(mut known) = found else {
            return Err(unproved(Fault::ClientAuthUnknown, &Some(named)));
        };
        let opened = Arc::new(opened);
        let mut judged = self.judge(&opened, &known).await;
        if judged.as_ref().is_err_and(|unproved| may_be_stale(&unproved.fault))
            && let Some(fresh) = self.app.client_afresh(tenant, &named).await?
        {
            judged = self.judge(&opened, &fresh).await;
            known = fresh;
        }
        judged
            .map(|client| (client, known))
            .map_err(|unproved| Unproved { client_id: Some(named), ..unproved })
    }

    async fn judge(
        &self,
        opened: &Arc<OpenedJwt>,
        known: &Arc<Registered>,
    ) -> Result<AuthenticatedClient, Unproved> {
        let (case, opened, known) = (self.clone(), opened.clone(), known.clone());
        let job = move || {
            let mut trace = Trace::new();
            let facts = AssertionFacts {
                tenant: &case.view.tenant,
                keys: &known.keys,
                verifier: &|key, alg| case.app.keyring.verifier(key, alg),
                secret: &|client, alg| case.secret_verifier(client, alg),
                endpoint: case.endpoint,
                now: case.now,
            };
            authenticate_by_assertion(&opened.jws, Some(&known.client), &facts, &mut trace).map_err(|fault| {
                Unproved { check: trace.first_failure().map(|check| check.rule), ..Unproved::from(fault) }
            })
        };
        self.app.crypto.run(job).await?
    }

    fn secret_verifier(&self, client: &Client, alg: SigAlg) -> Option<Verifier> {
        let sealed = client.sealed_secret.as_deref()?;
        let context = vault::client_secret_context(&client.tenant, &client.client_id);
        let secret = self.app.vault.open(&context, sealed).ok();
        if secret.is_none() {
            tracing::error!(client_id = %client.client_id, "a client secret cannot be opened");
        }
        Verifier::hmac(&secret?, alg).ok()
    }
}
