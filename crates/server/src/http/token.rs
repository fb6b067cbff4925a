//! The token endpoint.

use signet_core::audit::Kind;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use signet_core::change::Conflict;
use signet_core::discovery::Endpoint;
use signet_core::fault::Fault;
use signet_core::ids::{ClientId, TokenHash};
use signet_core::records::{AccessToken, Authentication, DeviceStage, GrantType, User};
use signet_core::token::{
    self, CodeFacts, DeviceFacts, ExchangeFacts, Facts, Holding, Outcome, RefreshFacts,
};
use signet_store::StoreError;

use super::client_auth::{self, Caller};
use super::extract::{FormParams, Moment, Tenant};
use super::issue;
use super::render::{Failure, Note};
use crate::app::{App, store_fault};
use crate::tenancy::TenantView;

/// How often a request is decided again after another one came first.
const ATTEMPTS: usize = 4;

/// RFC 6749 section 3.2.
pub(super) async fn token(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let mut client_id = None;
    let caller = client_auth::admit(&app, &view, &moment, &headers, form, Endpoint::Token).await;
    let answer = match caller {
        Ok(caller) => {
            client_id = Some(caller.client.client().client_id.clone());
            Exchange { app: &app, view: &view, moment: &moment, caller: &caller }.answer().await
        }
        Err(unproved) => {
            client_id.clone_from(&unproved.client_id);
            Err(unproved.recorded(&app, &view, &moment).await)
        }
    };
    respond(answer, client_id.as_ref())
}

/// RFC 6749 section 5.1: "Cache-Control" with "no-store" and "Pragma" with "no-cache".
fn respond(answer: Result<Map<String, Value>, Fault>, client_id: Option<&ClientId>) -> Response {
    let response = match answer {
        Ok(body) => ([("cache-control", "no-store"), ("pragma", "no-cache")], Json(Value::Object(body)))
            .into_response(),
        Err(fault) => Failure::token(fault).into_response(),
    };
    Note::client(client_id).on(response)
}

/// One request of an authenticated client.
struct Exchange<'a> {
    app: &'a App,
    view: &'a Arc<TenantView>,
    moment: &'a Moment,
    caller: &'a Caller,
}

impl Exchange<'_> {
    async fn answer(&self) -> Result<Map<String, Value>, Fault> {
        let grant = match token::grant_type(&self.caller.params, &self.caller.client) {
            Ok(grant) => grant,
            Err(fault) => return self.refused(fault).await,
        };
        for _ in 0..ATTEMPTS {
            let outcome = match self.decide(grant).await {
                Ok(outcome) => outcome,
                Err(fault) => return self.refused(fault).await,
            };
            if let Some(body) = self.settle(outcome).await? {
                return Ok(body);
            }
        }
        Err(match grant {
            // Whoever loses that often shares the token with many others, who are all being served.
            GrantType::RefreshToken => Fault::RefreshContended,
            GrantType::DeviceCode => Fault::DeviceCodeUnknown,
            // Its grant was revoked meanwhile.
            GrantType::TokenExchange => Fault::ExchangeSubjectInvalid,
            // Still in conflict with what was read: the grant was revoked before the code was ever redeemed.
            _ => Fault::CodeUnknown,
        })
    }

    /// Loads the facts of one grant and lets its rules judge them.
    async fn decide(&self, grant: GrantType) -> Result<Outcome, Fault> {
        let context = self.app.context(self.moment.now);
        match grant {
            GrantType::AuthorizationCode => self.code().await,
            GrantType::RefreshToken => self.refresh().await,
            GrantType::ClientCredentials => Ok(token::client_credentials(self.facts(), &context)),
            GrantType::DeviceCode => self.device().await,
            GrantType::TokenExchange => self.exchange().await,
            GrantType::Implicit => Err(Fault::GrantTypeUnsupported),
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            tenant: &self.view.tenant,
            client: &self.caller.client,
            client_keys: self.caller.keys(),
            params: &self.caller.params,
            correlation_id: &self.moment.correlation_id,
        }
    }

    async fn code(&self) -> Result<Outcome, Fault> {
        let hash = TokenHash::of(token::code_parameter(&self.caller.params)?);
        let code = self.app.store.code(&self.view.tenant.id, &hash).await.map_err(store_fault)?;
        let user = self.user(code.as_ref().map(|code| &code.authentication)).await?;
        let input = CodeFacts { facts: self.facts(), code: code.as_ref(), user: user.as_ref() };
        Ok(token::redeem(input, &self.app.context(self.moment.now)))
    }

    async fn refresh(&self) -> Result<Outcome, Fault> {
        let hash = TokenHash::of(token::refresh_parameter(&self.caller.params)?);
        let link = self.app.store.refresh_token(&self.view.tenant.id, &hash).await.map_err(store_fault)?;
        let user = self.user(link.as_ref().map(|link| &link.authentication)).await?;
        let input = RefreshFacts { facts: self.facts(), token: link.as_ref(), user: user.as_ref() };
        Ok(token::refresh(input, &self.app.context(self.moment.now)))
    }

    async fn device(&self) -> Result<Outcome, Fault> {
        let hash = TokenHash::of(token::device_parameter(&self.caller.params)?);
        let device = self.app.store.device_code(&self.view.tenant.id, &hash).await.map_err(store_fault)?;
        let approved = device.as_ref().and_then(|device| match &device.stage {
            DeviceStage::Approved { authentication, .. } => Some(authentication),
            _ => None,
        });
        let user = self.user(approved).await?;
        let input = DeviceFacts { facts: self.facts(), device: device.as_ref(), user: user.as_ref() };
        Ok(token::poll(input, &self.app.context(self.moment.now)))
    }

    async fn exchange(&self) -> Result<Outcome, Fault> {
        let offered = token::exchange_parameters(&self.caller.params)?;
        let subject = self.held(offered.subject).await?;
        let actor = match offered.actor {
            Some(actor) => Some(self.held(actor).await?),
            None => None,
        };
        let input = ExchangeFacts {
            facts: self.facts(),
            subject: holding(subject.as_ref()),
            actor: actor.as_ref().map(|actor| holding(actor.as_ref())),
        };
        Ok(token::exchange(input, &self.app.context(self.moment.now)))
    }

    /// An access token with its user.
    async fn held(&self, token: &str) -> Result<Option<(AccessToken, Option<User>)>, Fault> {
        let (store, tenant) = (&self.app.store, &self.view.tenant.id);
        let found = store.access_token(tenant, &TokenHash::of(token)).await.map_err(store_fault)?;
        let Some(token) = found else { return Ok(None) };
        let user = match token.user_id {
            Some(id) => store.user(tenant, id).await.map_err(store_fault)?,
            None => None,
        };
        Ok(Some((token, user)))
    }

    async fn user(&self, login: Option<&Authentication>) -> Result<Option<User>, Fault> {
        match login {
            Some(login) => {
                self.app.store.user(&self.view.tenant.id, login.user_id).await.map_err(store_fault)
            }
            None => Ok(None),
        }
    }

    /// Makes the tokens, then applies; `None` when somebody else was first and it has to be decided again. The tokens are
    /// made before anything is used up: a busy server or a missing key costs nobody a code.
    async fn settle(&self, outcome: Outcome) -> Result<Option<Map<String, Value>>, Fault> {
        let mut changes = outcome.changes;
        let body = match outcome.reply {
            Ok(issue) => {
                let made = issue::make(self.app, self.view, self.moment, issue).await?;
                changes.push(made.change);
                Ok(made.body)
            }
            Err(fault) => Err(fault),
        };
        match self.app.store.apply(&self.view.tenant.id, &changes).await {
            Ok(()) => body.map(Some),
            Err(StoreError::Conflict(Conflict::Replay)) => {
                Err(self.caller.replayed(self.app, self.view, self.moment, Kind::TokenRefused).await)
            }
            Err(StoreError::Conflict(
                Conflict::Code | Conflict::RefreshToken | Conflict::Device | Conflict::Grant,
            )) => Ok(None),
            Err(error) => Err(store_fault(error)),
        }
    }

    /// Writes a refusal that has nothing to do with what a grant holds.
    async fn refused<T>(&self, fault: Fault) -> Result<T, Fault> {
        if fault.status() >= 500 {
            return Err(fault);
        }
        let outcome = self.facts().refuse(fault.clone(), None, &self.app.context(self.moment.now));
        self.app.record(&self.view.tenant.id, &outcome.changes).await;
        Err(fault)
    }
}

fn holding(held: Option<&(AccessToken, Option<User>)>) -> Option<Holding<'_>> {
    held.map(|(token, user)| Holding { token, user: user.as_ref() })
}
