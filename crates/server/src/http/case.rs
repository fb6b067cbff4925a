//! One authorization request with what judging it needs, at whichever endpoint it arrived.

use std::sync::Arc;

use signet_core::authorize::{Arrival, Facts, outer_client_id, reference};
use signet_core::explain::{Record, Scene};
use signet_core::fault::Fault;
use signet_core::params::Params;
use signet_core::records::{Client, ClientKey};
use signet_core::request_object;
use signet_jose::Trace;

use super::extract::Moment;
use crate::app::App;
use crate::clients::Registered;
use crate::fetch::Kind;
use crate::hints;
use crate::tenancy::TenantView;

/// The request object that came with a request, if one did, or why it did not come.
pub(super) type Object = Option<Result<String, Fault>>;

#[derive(Clone)]
pub(super) struct Case {
    pub(super) app: App,
    pub(super) view: Arc<TenantView>,
    pub(super) moment: Moment,
    pub(super) params: Params,
}

impl Case {
    /// The client that is named beside the object.
    pub(super) async fn client(&self) -> Result<Option<Arc<Registered>>, Fault> {
        match outer_client_id(&self.params) {
            Some(id) => self.app.client(&self.view.tenant.id, &id).await,
            None => Ok(None),
        }
    }

    /// The request object, by value or by reference. Only what its client registered is fetched, and only by the guarded
    /// fetcher.
    pub(super) async fn object(&self) -> Result<Object, Fault> {
        let Some(uri) = self.params.get("request_uri") else {
            return Ok(self.params.owned("request").map(Ok));
        };
        if self.params.get("request").is_some() {
            return Ok(Some(Err(Fault::RequestAndRequestUri)));
        }
        let Some(found) = self.client().await? else { return Ok(None) };
        Ok(Some(self.fetched(&found.client, uri).await))
    }

    async fn fetched(&self, client: &Client, uri: &str) -> Result<String, Fault> {
        let reference = reference(client, uri)?;
        let failed = |reason| Fault::RequestUriNotFetched { reason };
        let fetched = self.app.fetcher.get(reference.address(), Kind::RequestObject).await;
        let body = fetched.map_err(|fault| failed(fault.code()))?.body;
        let text = std::str::from_utf8(&body).map_err(|_| failed("fetch_not_text"))?;
        Ok(text.trim().to_owned())
    }

    /// Parses and decrypts. CPU-heavy.
    pub(super) fn open(&self, token: &str) -> (Arrival, Trace) {
        let mut trace = Trace::new();
        let view = &self.view;
        let opened = request_object::open(token, &view.decryption, &view.tenant.settings, &mut trace);
        (Arrival::Object(opened), trace)
    }

    /// Hands the facts to a judge. CPU-heavy if there is a signature to verify.
    pub(super) fn with_facts<T>(
        &self,
        (client, client_keys): (Option<&Client>, &[ClientKey]),
        judge: impl FnOnce(Facts<'_>) -> T,
    ) -> T {
        judge(Facts {
            tenant: &self.view.tenant,
            params: &self.params,
            client,
            client_keys,
            verifier: &|key, alg| self.app.keyring.verifier(key, alg),
            hint: &|token, client| {
                let view = &self.view;
                hints::judge(token, client, &view.tenant, &view.keys, &view.decryption, self.moment.now)
            },
            correlation_id: &self.moment.correlation_id,
        })
    }

    /// What is kept of a refused request, for whoever explains it.
    pub(super) fn record(
        &self,
        fault: &Fault,
        token: Option<&str>,
        trace: &Trace,
        (client, client_keys): (Option<&Client>, &[ClientKey]),
    ) -> Record {
        let scene = Scene {
            tenant: &self.view.tenant,
            tenant_keys: &self.view.keys,
            probes: &[],
            client,
            client_keys,
            params: &self.params,
            now: self.moment.now,
        };
        Record::gather(token, Some(fault), trace, &scene)
    }
}
