//! Signet as a client of itself: how the console signs people in. Authorization code flow with PKCE, `state` and `nonce` at
//! this tenant's own endpoints, with everything checked as any other client checks it (OpenID Connect Core sections 3.1.2
//! and 3.1.3). What has to survive from the request to the response is sealed in a cookie that is named after the `state`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use signet_core::builtin::Builtin;
use signet_core::change::Conflict;
use signet_core::context::UnixTime;
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::own_login::{self, Expected};
use signet_core::params::Params;
use signet_store::StoreError;
use zeroize::Zeroizing;

use super::extract::{FormParams, Moment, Tenant};
use super::{cookies, token};
use crate::app::{App, store_fault};
use crate::tenancy::TenantView;

/// Longest address that people come back to, in bytes.
const MAX_RETURN: usize = 2_048;

/// One of Signet's own clients, at work for one request.
#[derive(Clone, Copy)]
pub(super) struct OwnClient<'a> {
    pub(super) app: &'a App,
    pub(super) view: &'a Arc<TenantView>,
    pub(super) moment: &'a Moment,
    pub(super) client: Builtin,
    /// The path that all of its pages begin with, behind the tenant's prefix; people come back to nothing else.
    pub(super) home: &'static str,
}

/// A login that has begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    /// Where to go on, behind the tenant's prefix.
    to: String,
    expires_at: UnixTime,
}

/// A login that has come back.
pub(super) struct SignedIn {
    pub(super) access_token: Zeroizing<String>,
    /// Seconds that the token is good for.
    pub(super) expires_in: i64,
    /// Where to go on, behind the tenant's prefix.
    pub(super) to: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Zeroizing<String>,
    id_token: String,
    expires_in: i64,
}

impl OwnClient<'_> {
    /// Sends the browser to the authorization endpoint, to come back to `to`. `further` are parameters beside the usual
    /// ones.
    pub(super) async fn begin(&self, to: &str, further: &[(&str, &str)]) -> Result<Response, Fault> {
        self.ensure().await?;
        let Self { app, view, moment, client, .. } = *self;
        let settings = client.settings(&view.tenant);
        let context = app.context(moment.now);
        let begun = Begun {
            state: context.handle(),
            nonce: context.handle(),
            verifier: URL_SAFE_NO_PAD.encode(context.random()),
            to: self.return_path(to).to_owned(),
            expires_at: moment.now + view.tenant.settings.interaction_lifetime,
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&begun.verifier));
        let scope: Vec<&str> = settings.scope.iter().map(String::as_str).collect();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", client.client_id())
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", &self.client.redirect_uri(&self.view.tenant))
            .append_pair("scope", &scope.join(" "))
            .append_pair("state", &begun.state)
            .append_pair("nonce", &begun.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(further)
            .finish();
        let location = format!("{}{}?{query}", view.prefix, Endpoint::Authorize.path());
        let mut response = Redirect::to(&location).into_response();
        let age = view.tenant.settings.interaction_lifetime;
        if let Some(cookie) = cookies::set(view, &self.cookie(&begun.state), &self.seal(&begun)?, Some(age)) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Judges the authorization response and redeems its code.
    pub(super) async fn finish(&self, headers: &HeaderMap, params: &Params) -> Result<SignedIn, Fault> {
        let begun = self.begun(headers, params)?;
        // RFC 9207 section 2.4: "Clients that support this specification MUST extract the value of the iss parameter [...]
        // and compare it".
        if params.get("iss") != Some(self.view.tenant.issuer.as_str()) {
            return Err(Fault::InteractionForeign);
        }
        let code = params.get("code").ok_or(Fault::InteractionUnknown)?;
        let tokens = self.redeem(code, &begun.verifier).await?;
        self.check(tokens.id_token, begun.nonce).await?;
        Ok(SignedIn { access_token: tokens.access_token, expires_in: tokens.expires_in, to: begun.to })
    }

    /// Whether this is the answer to a login that this browser began.
    pub(super) fn answers(&self, headers: &HeaderMap, params: &Params) -> Result<(), Fault> {
        self.begun(headers, params).map(drop)
    }

    /// Removes the cookie of the login that `params` belong to.
    pub(super) fn forget(&self, params: &Params, response: &mut Response) {
        if let Some(state) = params.get("state").filter(|state| is_handle(state))
            && let Some(cookie) = cookies::remove(self.view, &self.cookie(state))
        {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }

    /// The login that this browser began with this `state` (RFC 6749 section 10.12).
    fn begun(&self, headers: &HeaderMap, params: &Params) -> Result<Begun, Fault> {
        let state = params.get("state").filter(|state| is_handle(state)).ok_or(Fault::InteractionUnknown)?;
        let sealed = cookies::read(headers, &self.cookie(state)).ok_or(Fault::InteractionForeign)?;
        let begun = self.open(&sealed).ok_or(Fault::InteractionForeign)?;
        if begun.state != state {
            return Err(Fault::InteractionForeign);
        }
        if self.moment.now >= begun.expires_at { Err(Fault::InteractionExpired) } else { Ok(begun) }
    }

    /// At the token endpoint's own handler, without the network.
    async fn redeem(&self, code: &str, verifier: &str) -> Result<Tokens, Fault> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", self.client.client_id())
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.client.redirect_uri(&self.view.tenant))
            .append_pair("code_verifier", verifier)
            .finish();
        let form = FormParams(Params::decode(&[body.as_bytes()]));
        let (app, tenant) = (State(self.app.clone()), Tenant(self.view.clone()));
        let response = token::token(app, tenant, self.moment.clone(), HeaderMap::new(), form).await;
        if !response.status().is_success() {
            return Err(Fault::CodeUnknown);
        }
        let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
        let tokens = body.ok().and_then(|body| serde_json::from_slice(&body).ok());
        tokens.ok_or(Fault::Internal { detail: "the token endpoint gave no tokens" })
    }

    async fn check(&self, id_token: String, nonce: String) -> Result<(), Fault> {
        let (view, now, client) = (self.view.clone(), self.moment.now, self.client);
        let judge = move || {
            let expected = Expected {
                issuer: &view.tenant.issuer,
                client_id: client.client_id(),
                nonce: &nonce,
                alg: client.settings(&view.tenant).id_token.signed,
                keys: &view.keys,
                now,
            };
            own_login::judge(&id_token, &expected).map(drop)
        };
        self.app.crypto.run(judge).await?
    }

    /// Makes the client's record, or brings it up to date. Of two nodes that do so at once one wins, and both are right.
    async fn ensure(&self) -> Result<(), Fault> {
        let tenant = &self.view.tenant;
        let id = ClientId::from(self.client.client_id());
        let found = self.app.client(&tenant.id, &id).await?;
        let current = found.as_deref().map(|found| &found.client);
        let context = self.app.context(self.moment.now);
        let changes = self.client.bring_up_to_date(tenant, current, &self.moment.correlation_id, &context);
        if changes.is_empty() {
            return Ok(());
        }
        match self.app.store.apply(&tenant.id, &changes).await {
            Ok(()) | Err(StoreError::Conflict(Conflict::Exists | Conflict::Version)) => {
                self.app.clients.forget();
                Ok(())
            }
            Err(error) => Err(store_fault(error)),
        }
    }

    /// `to`, if it is a page of this client; else where the client begins. RFC 9700 section 4.11: no open redirector.
    fn return_path<'t>(&self, to: &'t str) -> &'t str
    where
        Self: 't,
    {
        let home = self.home;
        let below = to
            .strip_prefix(home)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('?'));
        let plain = to.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') && !to.contains("//");
        if below && plain && to.len() <= MAX_RETURN { to } else { home }
    }

    fn cookie(&self, state: &str) -> String {
        cookies::login_name(self.view, self.client.client_id(), state)
    }

    fn seal_context(&self) -> String {
        format!("own_login/{}/{}", self.client.client_id(), self.view.tenant.id)
    }

    fn seal(&self, begun: &Begun) -> Result<String, Fault> {
        let fault = Fault::Internal { detail: "a login could not be begun" };
        let plain = serde_json::to_vec(begun).map_err(|_| fault.clone())?;
        let sealed = self.app.vault.seal(&self.seal_context(), &plain, self.app.entropy.as_ref());
        sealed.map(|sealed| URL_SAFE_NO_PAD.encode(sealed)).map_err(|_| fault)
    }

    fn open(&self, sealed: &str) -> Option<Begun> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let plain = self.app.vault.open(&self.seal_context(), &bytes).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

/// What [`signet_core::context::Context::handle`] makes.
fn is_handle(text: &str) -> bool {
    text.len() == 22 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}
