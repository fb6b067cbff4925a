//! The pages between an accepted request and its response: login and consent.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use signet_core::change::{Change, Conflict};
use signet_core::context::Context;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::interaction::{self, Answer, Factors, Input, Responded, Step};
use signet_core::logout::{self, Ending};
use signet_core::params::Params;
use signet_core::records::{Client, Consent, Credential, Interaction, Session, Stage, User};
use signet_core::redirect::{Delivery, Ready};
use signet_store::StoreError;

use super::extract::{FormParams, InteractionId, Moment, Tenant};
use super::render::{self, Failure, Note};
use super::{cookies, deliver, forms, issue, screens};
use crate::app::{App, store_fault};
use crate::clients::Registered;
use crate::logout_delivery;
use crate::tenancy::TenantView;

/// How often the answer to a device is decided again because the device was asking.
const DEVICE_ATTEMPTS: usize = 4;

/// The facts of one step, as loaded.
pub(super) struct Loaded {
    pub(super) interaction: Interaction,
    /// The cookie that binds the interaction to this browser.
    pub(super) secret: String,
    registered: Arc<Registered>,
    pub(super) session: Option<Session>,
    pub(super) user: Option<User>,
    consent: Option<Consent>,
    /// Who has given the password within this interaction.
    pub(super) identified: Option<User>,
    /// What the person at hand has enrolled.
    pub(super) credentials: Vec<Credential>,
}

impl Loaded {
    pub(super) fn client(&self) -> &Client {
        &self.registered.client
    }

    pub(super) fn input<'a>(&'a self, view: &'a TenantView) -> Input<'a> {
        Input {
            tenant: &view.tenant,
            interaction: &self.interaction,
            client: &self.registered.client,
            client_keys: &self.registered.keys,
            session: self.session.as_ref(),
            user: self.user.as_ref(),
            consent: self.consent.as_ref(),
            identified: self.identified.as_ref(),
            factors: Factors::of(&self.credentials),
        }
    }
}

/// A request to one interaction.
pub(super) struct InteractionRequest {
    app: App,
    view: Arc<TenantView>,
    moment: Moment,
    headers: HeaderMap,
    id: String,
}

impl FromRequestParts<App> for InteractionRequest {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Tenant(view) = Tenant::from_request_parts(parts, app).await?;
        let moment = Moment::from_request_parts(parts, app).await?;
        let InteractionId(id) = InteractionId::from_request_parts(parts, app).await?;
        Ok(Self { app: app.clone(), view, moment, headers: parts.headers.clone(), id })
    }
}

impl InteractionRequest {
    pub(super) fn stepper(&self) -> Stepper<'_> {
        let Self { app, view, moment, headers, id } = self;
        Stepper { app, view, moment, headers, id }
    }
}

/// One step of one interaction.
pub(super) struct Stepper<'a> {
    pub(super) app: &'a App,
    pub(super) view: &'a Arc<TenantView>,
    pub(super) moment: &'a Moment,
    pub(super) headers: &'a HeaderMap,
    pub(super) id: &'a str,
}

pub(super) async fn show(request: InteractionRequest) -> Response {
    answer(request.stepper().show().await)
}

pub(super) async fn consent(request: InteractionRequest, form: FormParams) -> Response {
    answer(request.stepper().consent(form.0).await)
}

pub(super) async fn switch(request: InteractionRequest, form: FormParams) -> Response {
    answer(request.stepper().switch(form.0).await)
}

pub(super) fn answer(result: Result<Response, Fault>) -> Response {
    result.unwrap_or_else(|fault| Failure::page(fault).into_response())
}

impl Stepper<'_> {
    async fn show(&self) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        self.step(&loaded).await
    }

    async fn consent(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        let form = self.checked(form, "consent", &loaded)?;
        match form.get("decision") {
            Some("accept") => self.consented(&loaded).await,
            Some("deny") => self.refuse(&loaded, Fault::AccessDenied).await,
            _ => Err(Fault::FormMalformed),
        }
    }

    /// The interaction with everything that belongs to it, if it may go on in this browser.
    pub(super) async fn load(&self) -> Result<Loaded, Fault> {
        let (store, tenant) = (&self.app.store, &self.view.tenant.id);
        let found = store.interaction(tenant, self.id).await.map_err(store_fault)?;
        let secret = cookies::read(self.headers, &cookies::interaction_name(self.view, self.id));
        interaction::resume(found.as_ref(), secret.as_deref(), self.moment.now)?;
        let interaction = found.ok_or(Fault::InteractionUnknown)?;
        let cookie = cookies::read(self.headers, &cookies::session_name(self.view));
        let session = async {
            match cookie {
                Some(cookie) => store.session(tenant, &TokenHash::of(&cookie)).await,
                None => Ok(None),
            }
        };
        let (client, session) =
            tokio::join!(self.app.client(tenant, &interaction.request.client_id), session);
        let registered = client?.filter(|found| !found.client.disabled).ok_or(Fault::ClientUnknown)?;
        let session = session.map_err(store_fault)?;
        let identified = match interaction.stage {
            Stage::Identified { user_id, .. } => store.user(tenant, user_id).await.map_err(store_fault)?,
            _ => None,
        };
        let (user, consent) = match &session {
            Some(session) => {
                let (user, consent) = tokio::join!(
                    store.user(tenant, session.user_id),
                    store.consent(tenant, session.user_id, &interaction.request.client_id)
                );
                (user.map_err(store_fault)?, consent.map_err(store_fault)?)
            }
            None => (None, None),
        };
        let now = self.moment.now;
        let credentials =
            match interaction::at_hand(&interaction.stage, identified.as_ref(), user.as_ref(), now) {
                Some(user) => self.credentials(user).await?,
                None => Vec::new(),
            };
        let secret = secret.unwrap_or_default();
        Ok(Loaded { interaction, secret, registered, session, user, consent, identified, credentials })
    }

    pub(super) async fn credentials(&self, user: &User) -> Result<Vec<Credential>, Fault> {
        self.app.store.credentials(&self.view.tenant.id, user.id).await.map_err(store_fault)
    }

    pub(super) fn checked(
        &self,
        form: Result<Params, Fault>,
        purpose: &str,
        loaded: &Loaded,
    ) -> Result<Params, Fault> {
        let form = form?;
        forms::check(self.view, self.headers, &form, purpose, &loaded.secret)?;
        Ok(form)
    }

    pub(super) async fn step(&self, loaded: &Loaded) -> Result<Response, Fault> {
        match self.next(loaded) {
            Step::Login => self.login_page(loaded).await,
            Step::Register => Ok(self.registration_page(loaded)),
            Step::Second { passkey_only } => Ok(self.second_page(loaded, passkey_only, None)),
            Step::Enrol => self.enrolment_page(loaded, None, None),
            Step::Consent(scope) => {
                let html = screens::consent(self.view, loaded, &scope);
                Ok(page(loaded, StatusCode::OK, html))
            }
            Step::Respond => self.respond(loaded, false).await,
            Step::Refuse(fault) => self.refuse(loaded, fault).await,
        }
    }

    pub(super) fn next(&self, loaded: &Loaded) -> Step {
        interaction::next(&loaded.input(self.view), self.moment.now)
    }

    /// The answer is judged against what the page had asked: if that is no longer the question, it is asked again.
    async fn consented(&self, loaded: &Loaded) -> Result<Response, Fault> {
        match self.next(loaded) {
            Step::Consent(_) => self.respond(loaded, true).await,
            _ => self.step(loaded).await,
        }
    }

    /// What is issued is made before anything is written: a busy server or a missing key costs nothing.
    async fn respond(&self, loaded: &Loaded, consented: bool) -> Result<Response, Fault> {
        if let Some(device) = &loaded.interaction.request.device {
            return self.device(loaded, device, None).await;
        }
        let asked = consented.then(|| loaded.interaction.request.scope.clone());
        let context = self.app.context(self.moment.now);
        let Responded { mut answer, mut changes } =
            interaction::respond(&loaded.input(self.view), asked, &context)?;
        self.add_session_state(loaded, &mut answer, &context);
        let mut made = issue::respond(self.app, self.view, self.moment, answer).await?;
        changes.extend(made.change.take());
        let ready = self.ready(loaded, made.deliver(self.moment.now)).await?;
        match self.apply(&changes).await {
            // Nothing is issued in a session that has just ended: whoever is there now is asked.
            Err(Fault::SessionEnded) => return Ok(note(loaded, self.again())),
            done => done?,
        }
        Ok(note(loaded, self.remember_browser_state(self.leave(loaded, ready))))
    }

    /// Session Management section 2: `session_state` in every successful response.
    fn add_session_state(&self, loaded: &Loaded, answer: &mut Answer, context: &Context<'_>) {
        let request = &loaded.interaction.request;
        let state = cookies::read(self.headers, &cookies::session_name(self.view)).and_then(|cookie| {
            let browser = logout::browser_state(&cookie);
            logout::session_state(&request.client_id, &request.redirect_uri, &browser, &context.handle())
        });
        if let Some(state) = state {
            answer.parameters.push("session_state", state);
        }
    }

    /// The browser keeps what the state was made from, for our script to compare; again if it has lost it.
    fn remember_browser_state(&self, mut response: Response) -> Response {
        if let Some(cookie) = cookies::read(self.headers, &cookies::session_name(self.view)) {
            let known = cookies::read(self.headers, &cookies::browser_state_name(self.view));
            if known != Some(logout::browser_state(&cookie))
                && let Some(cookie) = cookies::browser_state(self.view, &cookie)
            {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
        }
        response
    }

    async fn ready(&self, loaded: &Loaded, delivery: Delivery) -> Result<Ready, Fault> {
        deliver::ready(self.app, self.view, self.moment, loaded.client(), delivery).await
    }

    pub(super) async fn refuse(&self, loaded: &Loaded, fault: Fault) -> Result<Response, Fault> {
        if let Some(device) = &loaded.interaction.request.device {
            return self.device(loaded, device, Some(fault)).await;
        }
        let input = loaded.input(self.view);
        let to = interaction::return_to(&input, self.moment.now)?;
        let context = self.app.context(self.moment.now);
        let ready = self.ready(loaded, to.refuse(&fault, self.moment.now)).await?;
        self.apply(&interaction::refuse(&input, &fault, &context)).await?;
        Ok(note(loaded, render::refused(self.leave(loaded, ready), fault)))
    }

    /// RFC 8628 section 3.3: the device hears of the answer when it asks next. It may be asking right now, and then the
    /// answer is decided again upon what it left.
    async fn device(
        &self,
        loaded: &Loaded,
        hash: &TokenHash,
        refused: Option<Fault>,
    ) -> Result<Response, Fault> {
        let (tenant, context) = (&self.view.tenant.id, self.app.context(self.moment.now));
        let input = loaded.input(self.view);
        for _ in 0..DEVICE_ATTEMPTS {
            let device = self.app.store.device_code(tenant, hash).await.map_err(store_fault)?;
            let changes = match &refused {
                None => interaction::approve(&input, device.as_ref(), &context)?,
                Some(fault) => interaction::deny(&input, device.as_ref(), fault, &context)?,
            };
            match self.app.store.apply(tenant, &changes).await {
                Ok(()) => return Ok(self.device_done(loaded, refused)),
                Err(StoreError::Conflict(Conflict::Device)) => {}
                Err(StoreError::Conflict(Conflict::Interaction)) => return Err(Fault::InteractionFinished),
                Err(StoreError::Conflict(Conflict::Session)) => return Ok(self.again()),
                Err(error) => return Err(store_fault(error)),
            }
        }
        Err(Fault::Busy)
    }

    fn device_done(&self, loaded: &Loaded, refused: Option<Fault>) -> Response {
        let html = screens::device_done(self.view, loaded, refused.is_none());
        let mut response = page(loaded, StatusCode::OK, html);
        if let Some(cookie) = cookies::unbind(self.view, &loaded.interaction) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        match refused {
            Some(fault) => render::refused(response, fault),
            None => response,
        }
    }

    async fn switch(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        self.checked(form, "consent", &loaded)?;
        if let Some(session) = &loaded.session {
            let clients = logout_delivery::clients(self.app, self.view, &session.sid).await?;
            let ending = Ending {
                tenant: &self.view.tenant,
                session,
                clients: &clients,
                correlation_id: &loaded.interaction.correlation_id,
                cause: "account_switch",
            };
            let context = self.app.context(self.moment.now);
            let ended = interaction::switch_account(&loaded.interaction, &ending, &context);
            self.apply(&ended.changes).await?;
            logout_delivery::send(self.app, self.view, ended.deliveries).await;
        }
        Ok(self.again())
    }

    pub(super) async fn apply(&self, changes: &[Change]) -> Result<(), Fault> {
        match self.app.store.apply(&self.view.tenant.id, changes).await {
            Ok(()) => Ok(()),
            // Another tab, or a second click, was faster.
            Err(StoreError::Conflict(Conflict::Interaction)) => Err(Fault::InteractionFinished),
            // The code, or the passkey's answer, was used at the same time.
            Err(StoreError::Conflict(Conflict::Credential)) => Err(Fault::SecondFactorWrong),
            // The session was ended at the same time, elsewhere in this browser or by somebody else.
            Err(StoreError::Conflict(Conflict::Session | Conflict::Exists)) => Err(Fault::SessionEnded),
            // The account was written, or removed, since it was read: what was proved to it is worth nothing now.
            Err(StoreError::Conflict(Conflict::Version | Conflict::Missing)) => Err(Fault::AccountChanged),
            Err(error) => Err(store_fault(error)),
        }
    }

    pub(super) fn again(&self) -> Response {
        Redirect::to(&format!("{}/interaction/{}", self.view.prefix, self.id)).into_response()
    }

    /// Back to the client. The interaction is over, and its cookie with it.
    fn leave(&self, loaded: &Loaded, ready: Ready) -> Response {
        let mut response = deliver::answer(self.view, ready);
        if let Some(cookie) = cookies::unbind(self.view, &loaded.interaction) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// A page of an interaction. Its forms may lead on to the client.
pub(super) fn page(loaded: &Loaded, status: StatusCode, html: String) -> Response {
    let target = loaded.interaction.request.redirect_uri.as_str();
    note(loaded, render::page(status, html, Some(target)))
}

/// Names the client in the log line.
pub(super) fn note(loaded: &Loaded, response: Response) -> Response {
    Note::client(Some(&loaded.client().client_id)).on(response)
}
