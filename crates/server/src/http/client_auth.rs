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
use signet_core::explain::{Record, Scene};
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
    /// The assertion by which it proved it, if it was one.
    pub(super) shown: Option<Shown>,
}

/// A client assertion on its way: as it was sent, and what was checked of it so far.
pub(super) struct Shown {
    token: String,
    trace: Trace,
}

impl Caller {
    /// The client's keys, of every usage and age.
    pub(super) fn keys(&self) -> &[ClientKey] {
        &self.registered.keys
    }

    /// Writes down, as a refusal of this kind, that the assertion was used before, and hands the fault back.
    pub(super) async fn replayed(&self, app: &App, view: &TenantView, moment: &Moment, kind: Kind) -> Fault {
        let mut unproved = Unproved { kind, ..Unproved::from(Fault::AssertionReplayed) };
        unproved.client_id = Some(self.registered.client.client_id.clone());
        if let Some(Shown { token, trace }) = &self.shown {
            let (fault, known) = (&unproved.fault, Some(&*self.registered));
            let record = record(view, &self.params, token, trace, fault, known, moment.now);
            unproved.kept = Some((record, None));
        }
        unproved.recorded(app, view, moment).await
    }
}

/// A client that did not prove who it is.
pub(super) struct Unproved {
    /// Why.
    pub(super) fault: Fault,
    /// Who it says it is.
    pub(super) client_id: Option<ClientId>,
    /// What is kept of a refused assertion, for whoever explains it, with the name of the failed check.
    kept: Option<(Box<Record>, Option<&'static str>)>,
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
        Self { fault, client_id: None, kept: None, kind: Kind::ClientRefused }
    }
}

impl Unproved {
    /// Writes the refusal to the audit trail, and hands the fault back.
    pub(super) async fn recorded(self, app: &App, view: &TenantView, moment: &Moment) -> Fault {
        let (tenant, context) = (&view.tenant.id, app.context(moment.now));
        let Self { fault, client_id, kept, kind } = self;
        let mut event = audit::refused(tenant, kind, &fault, &moment.correlation_id, &context);
        if let Some(client) = &client_id {
            event = event.client(client);
        }
        if let Some((record, check)) = kept {
            let (name, value) = record.fact();
            event = event.fact(name, value);
            if let Some(check) = check {
                event = event.fact("check", check);
            }
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

/// What is kept of a refused assertion.
fn record(
    view: &TenantView,
    params: &Params,
    token: &str,
    trace: &Trace,
    fault: &Fault,
    known: Option<&Registered>,
    now: i64,
) -> Box<Record> {
    let (client, client_keys) = parts(known);
    let (tenant, tenant_keys) = (&view.tenant, view.keys.as_slice());
    let scene = Scene { tenant, tenant_keys, probes: &[], client, client_keys, params, now };
    Box::new(Record::gather_assertion(token, fault, trace, &scene))
}

type Proved = (AuthenticatedClient, Arc<Registered>, Option<Shown>);

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
        let (client, registered, shown) = match credentials.assertion() {
            Some(token) => self.by_assertion(token.to_owned(), &credentials, &params).await?,
            None => self.by_secret(&credentials).await?,
        };
        Ok(Caller { params, client, registered, shown })
    }

    async fn by_secret(&self, credentials: &Credentials) -> Result<Proved, Unproved> {
        let named = credentials.client_id().ok_or(Fault::ClientAuthMissing)?;
        let unproved = |fault| Unproved { client_id: Some(named.clone()), ..Unproved::from(fault) };
        let found = self.app.client(&self.view.tenant.id, named).await.map_err(unproved)?;
        let client = authenticate(credentials, parts(found.as_deref()).0).map_err(unproved)?;
        Ok((client, found.ok_or_else(|| unproved(Fault::ClientAuthUnknown))?, None))
    }

    /// Opens on the crypto pool, finds the client, and judges there. A key that is not known may have been published
    /// meanwhile, so the client's `jwks_uri` is fetched anew and its assertion judged once more.
    async fn by_assertion(
        &self,
        token: String,
        credentials: &Credentials,
        params: &Params,
    ) -> Result<Proved, Unproved> {
        let outer = credentials.client_id().cloned();
        let refusal = |fault: Fault, client_id: Option<&ClientId>, trace: &Trace, known| {
            let record = record(&self.view, params, &token, trace, &fault, known, self.now);
            let check = trace.first_failure().map(|check| check.rule);
            Unproved { client_id: client_id.cloned(), kept: Some((record, check)), ..Unproved::from(fault) }
        };
        let unproved = |fault, client_id: Option<&ClientId>| Unproved {
            client_id: client_id.cloned(),
            ..Unproved::from(fault)
        };
        let (case, sent) = (self.clone(), token.clone());
        let open = move || case.open(&sent);
        let (opened, trace) =
            self.app.crypto.run(open).await.map_err(|fault| unproved(fault, outer.as_ref()))?;
        let (opened, inside) = opened.map_err(|fault| refusal(fault, outer.as_ref(), &trace, None))?;
        // RFC 7521 section 4.2: `client_id` "is unnecessary"; if it is there, it "MUST identify the same client", which
        // the assertion's `iss` and `sub` are held against.
        let named = outer.unwrap_or(inside);
        let tenant = &self.view.tenant.id;
        let found = self.app.client(tenant, &named).await.map_err(|fault| unproved(fault, Some(&named)))?;
        let Some(mut known) = found else {
            return Err(refusal(Fault::ClientAuthUnknown, Some(&named), &trace, None));
        };
        let opened = Arc::new(opened);
        let mut judged = self.judge(&opened, &known, &trace).await?;
        if judged.0.as_ref().is_err_and(may_be_stale)
            && let Some(fresh) = self.app.client_afresh(tenant, &named).await?
        {
            judged = self.judge(&opened, &fresh, &trace).await?;
            known = fresh;
        }
        match judged {
            (Ok(client), trace) => Ok((client, known, Some(Shown { token, trace }))),
            (Err(fault), trace) => Err(refusal(fault, Some(&named), &trace, Some(&known))),
        }
    }

    /// Parses and decrypts, and reads whose it says it is. CPU-heavy.
    fn open(&self, token: &str) -> (Result<(OpenedJwt, ClientId), Fault>, Trace) {
        let mut trace = Trace::new();
        let opened = client_assertion::open(token, &self.view.decryption, &mut trace).and_then(|opened| {
            let inside = client_assertion::named_client(&opened.jws, &mut trace)?;
            Ok((opened, inside))
        });
        (opened, trace)
    }

    /// Judges what was opened; the checks go on from those of the opening.
    async fn judge(
        &self,
        opened: &Arc<OpenedJwt>,
        known: &Arc<Registered>,
        so_far: &Trace,
    ) -> Result<(Result<AuthenticatedClient, Fault>, Trace), Fault> {
        let (case, opened, known) = (self.clone(), opened.clone(), known.clone());
        let mut trace = so_far.clone();
        let job = move || {
            let facts = AssertionFacts {
                tenant: &case.view.tenant,
                keys: &known.keys,
                verifier: &|key, alg| case.app.keyring.verifier(key, alg),
                secret: &|client, alg| case.secret_verifier(client, alg),
                endpoint: case.endpoint,
                now: case.now,
            };
            let judged = authenticate_by_assertion(&opened.jws, Some(&known.client), &facts, &mut trace);
            (judged, trace)
        };
        self.app.crypto.run(job).await
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
