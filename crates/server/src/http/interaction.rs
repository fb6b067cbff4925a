//! The pages between an accepted request and its response: login and consent.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use signet_core::audit;
use signet_core::change::{Change, Conflict};
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::interaction::{self, Input, Step};
use signet_core::params::Params;
use signet_core::records::{Client, Consent, Interaction, Session, User};
use signet_store::StoreError;
use zeroize::Zeroizing;

use super::extract::{FormParams, InteractionId, Moment, Tenant};
use super::render::{self, Failure, Note};
use super::{cookies, forms, screens};
use crate::app::{App, store_fault};
use crate::passwords;
use crate::tenancy::TenantView;

/// The facts of one step, as loaded.
pub(super) struct Loaded {
    pub(super) interaction: Interaction,
    /// The cookie that binds the interaction to this browser.
    pub(super) secret: String,
    pub(super) client: Client,
    pub(super) session: Option<Session>,
    pub(super) user: Option<User>,
    consent: Option<Consent>,
}

impl Loaded {
    fn input<'a>(&'a self, view: &'a TenantView) -> Input<'a> {
        Input {
            tenant: &view.tenant,
            interaction: &self.interaction,
            client: &self.client,
            session: self.session.as_ref(),
            user: self.user.as_ref(),
            consent: self.consent.as_ref(),
        }
    }
}

/// One step of one interaction.
struct Stepper<'a> {
    app: &'a App,
    view: &'a Arc<TenantView>,
    moment: &'a Moment,
    headers: &'a HeaderMap,
    id: &'a str,
}

pub(super) async fn show(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    InteractionId(id): InteractionId,
) -> Response {
    let stepper = Stepper { app: &app, view: &view, moment: &moment, headers: &headers, id: &id };
    answer(stepper.show().await)
}

pub(super) async fn login(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    InteractionId(id): InteractionId,
    form: FormParams,
) -> Response {
    let stepper = Stepper { app: &app, view: &view, moment: &moment, headers: &headers, id: &id };
    answer(stepper.login(form.0).await)
}

pub(super) async fn consent(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    InteractionId(id): InteractionId,
    form: FormParams,
) -> Response {
    let stepper = Stepper { app: &app, view: &view, moment: &moment, headers: &headers, id: &id };
    answer(stepper.consent(form.0).await)
}

pub(super) async fn switch(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    InteractionId(id): InteractionId,
    form: FormParams,
) -> Response {
    let stepper = Stepper { app: &app, view: &view, moment: &moment, headers: &headers, id: &id };
    answer(stepper.switch(form.0).await)
}

fn answer(result: Result<Response, Fault>) -> Response {
    result.unwrap_or_else(|fault| Failure::page(fault).into_response())
}

impl Stepper<'_> {
    async fn show(&self) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        self.step(&loaded).await
    }

    async fn login(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        let form = self.checked(form, "login", &loaded)?;
        if form.get("decision") == Some("deny") {
            return self.refuse(&loaded, Fault::AccessDenied).await;
        }
        let username = form.get("username").unwrap_or_default().trim().to_lowercase();
        match self.authenticate(&username, form.get("password").unwrap_or_default()).await {
            Ok(user) => self.logged_in(&loaded, &user).await,
            Err(fault @ (Fault::CredentialsWrong | Fault::AttemptsExhausted)) => {
                self.failed(&loaded, &fault).await;
                let html = screens::login(self.app, self.view, &loaded, &username, Some(&fault), self.moment);
                let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::UNAUTHORIZED);
                let target = Some(loaded.interaction.request.redirect_uri.as_str());
                Ok(note(&loaded, render::refused(render::page(status, html, target), fault)))
            }
            Err(fault) => Err(fault),
        }
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
    async fn load(&self) -> Result<Loaded, Fault> {
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
        let client = client?.map(|found| found.client.clone()).filter(|client| !client.disabled);
        let client = client.ok_or(Fault::ClientUnknown)?;
        let session = session.map_err(store_fault)?;
        let (user, consent) = match &session {
            Some(session) => {
                let (user, consent) = tokio::join!(
                    store.user(tenant, session.user_id),
                    store.consent(tenant, session.user_id, &client.client_id)
                );
                (user.map_err(store_fault)?, consent.map_err(store_fault)?)
            }
            None => (None, None),
        };
        let secret = secret.unwrap_or_default();
        Ok(Loaded { interaction, secret, client, session, user, consent })
    }

    fn checked(&self, form: Result<Params, Fault>, purpose: &str, loaded: &Loaded) -> Result<Params, Fault> {
        let form = form?;
        forms::check(self.view, self.headers, &form, purpose, &loaded.secret)?;
        Ok(form)
    }

    async fn step(&self, loaded: &Loaded) -> Result<Response, Fault> {
        let target = Some(loaded.interaction.request.redirect_uri.as_str());
        match interaction::next(&loaded.input(self.view), self.moment.now) {
            Step::Login => {
                let hint = loaded.interaction.request.login_hint.first().map_or("", String::as_str);
                let html = screens::login(self.app, self.view, loaded, hint, None, self.moment);
                Ok(note(loaded, render::page(StatusCode::OK, html, target)))
            }
            Step::Consent(scope) => {
                let html = screens::consent(self.view, loaded, &scope, self.moment);
                Ok(note(loaded, render::page(StatusCode::OK, html, target)))
            }
            Step::Respond => self.respond(loaded, false).await,
            Step::Refuse(fault) => self.refuse(loaded, fault).await,
        }
    }

    /// Checks a password, on the hashing pool. Limits come first, so that guessing costs the guesser and not the
    /// server.
    async fn authenticate(&self, username: &str, password: &str) -> Result<User, Fault> {
        if username.is_empty() || password.is_empty() || password.len() > passwords::MAX_LEN {
            return Err(Fault::CredentialsWrong);
        }
        let tenant = &self.view.tenant.id;
        self.app.limits.password(self.moment.address, tenant, username)?;
        let user = self.app.store.user_by_name(tenant, username).await.map_err(store_fault)?;
        let stored = user.as_ref().filter(|user| !user.disabled).and_then(|user| user.password_hash.clone());
        let (password, hasher) = (Zeroizing::new(password.to_owned()), self.app.hasher.clone());
        let fits = self.app.hashing.run(move || hasher.verify(&password, stored.as_deref())).await?;
        user.filter(|_| fits).ok_or(Fault::CredentialsWrong)
    }

    async fn failed(&self, loaded: &Loaded, fault: &Fault) {
        let (tenant, context) = (&self.view.tenant.id, self.app.context(self.moment.now));
        let correlation = &loaded.interaction.correlation_id;
        let event = audit::refused(tenant, "login.refused", fault, correlation, &context)
            .client(&loaded.client.client_id)
            .fact("address", self.moment.address.to_string());
        self.app.record(tenant, &[event.change()]).await;
    }

    /// The page follows by a redirect, so that a reload does not send the password again.
    async fn logged_in(&self, loaded: &Loaded, user: &User) -> Result<Response, Fault> {
        let context = self.app.context(self.moment.now);
        let login = interaction::log_in(
            &self.view.tenant,
            &loaded.interaction,
            user,
            loaded.session.as_ref(),
            &context,
        );
        self.apply(&login.changes).await?;
        let mut response = self.again();
        let name = cookies::session_name(self.view);
        if let Some(cookie) = cookies::set(self.view, &name, &login.cookie, None) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(note(loaded, response))
    }

    /// The answer is judged against what the page had asked: if that is no longer the question, it is asked again.
    async fn consented(&self, loaded: &Loaded) -> Result<Response, Fault> {
        match interaction::next(&loaded.input(self.view), self.moment.now) {
            Step::Consent(_) => self.respond(loaded, true).await,
            _ => self.step(loaded).await,
        }
    }

    async fn respond(&self, loaded: &Loaded, consented: bool) -> Result<Response, Fault> {
        let asked = consented.then(|| loaded.interaction.request.scope.clone());
        let context = self.app.context(self.moment.now);
        let responded = interaction::respond(&loaded.input(self.view), asked, &context)?;
        self.apply(&responded.changes).await?;
        Ok(note(loaded, self.leave(loaded, &responded.location)))
    }

    async fn refuse(&self, loaded: &Loaded, fault: Fault) -> Result<Response, Fault> {
        let to = interaction::return_to(&loaded.interaction, &loaded.client, &self.view.tenant)?;
        let context = self.app.context(self.moment.now);
        self.apply(&interaction::refuse(&loaded.input(self.view), &fault, &context)).await?;
        let response = self.leave(loaded, &to.with_error(&fault));
        Ok(note(loaded, render::refused(response, fault)))
    }

    async fn switch(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        self.checked(form, "consent", &loaded)?;
        if let Some(session) = &loaded.session {
            let context = self.app.context(self.moment.now);
            let changes =
                interaction::switch_account(&self.view.tenant, &loaded.interaction, session, &context);
            self.apply(&changes).await?;
        }
        Ok(self.again())
    }

    async fn apply(&self, changes: &[Change]) -> Result<(), Fault> {
        match self.app.store.apply(&self.view.tenant.id, changes).await {
            Ok(()) => Ok(()),
            // Another tab, or a second click, was faster.
            Err(StoreError::Conflict(Conflict::Interaction)) => Err(Fault::InteractionFinished),
            Err(error) => Err(store_fault(error)),
        }
    }

    fn again(&self) -> Response {
        Redirect::to(&format!("{}/interaction/{}", self.view.prefix, self.id)).into_response()
    }

    /// Back to the client. The interaction is over, and its cookie with it.
    fn leave(&self, loaded: &Loaded, location: &str) -> Response {
        let mut response = Redirect::to(location).into_response();
        if let Some(cookie) = cookies::unbind(self.view, &loaded.interaction) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// Names the client in the log line.
fn note(loaded: &Loaded, response: Response) -> Response {
    Note::client(Some(&loaded.client.client_id)).on(response)
}
