//! Judges a pasted request exactly as the authorization endpoint would, and throws the decision away.

use signet_jose::Trace;

use super::layers::LayerName;
use super::{Pasted, Record, Report, Scene};
use crate::authorize::{self, Arrival, Facts, HintSource, outer_client_id};
use crate::context::Context;
use crate::fault::Fault;
use crate::ids::{ClientId, TokenHash};
use crate::params::Params;
use crate::records::{Client, ClientKey, Tenant, TenantKey};
use crate::request_object::{self, DecryptionKey, Opened, VerifierSource};

/// What a request is explained with: the tenant, and the keys that it has at this moment.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    /// Whose endpoint.
    pub tenant: &'a Tenant,
    /// Its keys that are not removed.
    pub tenant_keys: &'a [TenantKey],
    /// Its decryption keys.
    pub decryption: &'a [DecryptionKey],
    /// Builds verifiers for client keys.
    pub verifier: &'a VerifierSource<'a>,
    /// Verifies an `id_token_hint`.
    pub hint: &'a HintSource<'a>,
    /// The instant, and randomness for what is thrown away.
    pub context: Context<'a>,
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// A pasted request whose object was opened, or was not.
#[derive(Debug)]
pub struct Opening {
    pasted: Pasted,
    opened: Option<Result<Opened, Fault>>,
    trace: Trace,
}

impl Opening {
    /// The client that the request names: beside the object, or inside if nothing is known of what stood beside it.
    pub fn client_id(&self) -> Option<ClientId> {
        outer_client_id(&self.pasted.params).or_else(|| self.inside().cloned())
    }

    /// The client that the object itself names.
    pub fn inside(&self) -> Option<&ClientId> {
        match &self.opened {
            Some(Ok(opened)) => opened.client_id(),
            _ => None,
        }
    }
}

impl Bench<'_> {
    /// Parses and decrypts. CPU-heavy.
    pub fn open(&self, pasted: Pasted) -> Opening {
        let mut trace = Trace::new();
        let settings = &self.tenant.settings;
        let opened = pasted
            .token
            .as_deref()
            .map(|token| request_object::open(token, self.decryption, settings, &mut trace));
        Opening { pasted, opened, trace }
    }

    /// Judges what was opened, and explains. CPU-heavy. Nothing is consumed.
    ///
    /// `confined` is said of those who may see some clients only: of an object whose `client` is not given, because it is
    /// unknown or not theirs, they are told nothing that was inside.
    pub fn explain(
        &self,
        opening: Opening,
        client: Option<&Client>,
        client_keys: &[ClientKey],
        confined: bool,
    ) -> Report {
        let named = opening.client_id();
        let Opening { pasted, opened, trace } = opening;
        let token = pasted.token.as_deref();
        if confined && client.is_none() {
            return self.outside(&pasted, opened.and_then(Result::err), trace);
        }
        let params = beside(&pasted, named.as_ref());
        let (fault, trace) = match opened {
            // Without a client there is nothing to judge by; why the object does not open is the reason to tell.
            Some(Err(fault)) if client.is_none() && pasted.alone => (Some(fault), trace),
            opened => self.judge(opened, &params, client, client_keys, trace),
        };
        let scene = self.scene(client, client_keys, &params);
        let record = Record::gather(token, fault.as_ref(), &trace, &scene);
        let client_id = client.map(|client| client.client_id.as_str()).or(params.get("client_id"));
        record.report(fault.as_ref().map(Fault::code), client_id)
    }

    /// What can be told of a request without looking inside: the same for clients that are unknown and for clients of
    /// others.
    fn outside(&self, pasted: &Pasted, fault: Option<Fault>, trace: Trace) -> Report {
        const OUTSIDE: [LayerName; 3] = [LayerName::Arrival, LayerName::OuterHeader, LayerName::Decryption];
        let mut outer = Trace::new();
        trace
            .checks
            .into_iter()
            .filter(|check| OUTSIDE.contains(&LayerName::of(check.rule)))
            .for_each(|check| outer.push(check));
        let fault = fault.unwrap_or(Fault::ClientUnknown);
        if fault == Fault::ClientUnknown {
            outer.fail("client", "RFC 6749 section 2.2", "a client that is known", "none that you can see");
        }
        let sealed = |token: &&str| token.split('.').count() == 5;
        let token = pasted.token.as_deref().filter(sealed);
        let scene = self.scene(None, &[], &pasted.params);
        Record::gather(token, Some(&fault), &outer, &scene)
            .report(Some(fault.code()), pasted.params.get("client_id"))
    }

    fn scene<'s>(
        &'s self,
        client: Option<&'s Client>,
        client_keys: &'s [ClientKey],
        params: &'s Params,
    ) -> Scene<'s> {
        Scene {
            tenant: self.tenant,
            tenant_keys: self.tenant_keys,
            probes: self.decryption,
            client,
            client_keys,
            params,
            now: self.context.now,
        }
    }

    fn judge(
        &self,
        opened: Option<Result<Opened, Fault>>,
        params: &Params,
        client: Option<&Client>,
        client_keys: &[ClientKey],
        trace: Trace,
    ) -> (Option<Fault>, Trace) {
        // Where requests must be pushed, this one was: it is judged as the endpoint that it was pushed to would.
        let mut tenant = self.tenant.clone();
        tenant.settings.require_pushed_authorization_requests = false;
        let mut client = client.cloned();
        if let Some(client) = &mut client {
            client.settings.require_pushed_authorization_requests = false;
        }
        let facts = Facts {
            tenant: &tenant,
            params,
            client: client.as_ref(),
            client_keys,
            verifier: self.verifier,
            hint: self.hint,
            correlation_id: "explain",
        };
        let arrival = opened.map_or(Arrival::Plain, Arrival::Object);
        let outcome = authorize::decide(facts, TokenHash::of(""), arrival, trace, &self.context);
        (outcome.reply.err().map(|refused| refused.fault), outcome.trace)
    }
}

/// The parameters beside the object. Of an object that was pasted alone, it is taken that its client stood beside it.
fn beside(pasted: &Pasted, named: Option<&ClientId>) -> Params {
    let Some(id) = named.filter(|_| pasted.alone && pasted.params.get("client_id").is_none()) else {
        return pasted.params.clone();
    };
    let form =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("client_id", id.as_str()).finish();
    Params::decode(&[form.as_bytes()]).unwrap_or_default()
}
