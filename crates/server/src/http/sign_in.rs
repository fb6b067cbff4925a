//! Within an interaction: a person signs in, or makes an account.

use axum::http::{StatusCode, header};
use axum::response::Response;
use signet_core::audit::{self, Kind};
use signet_core::change::{Change, Conflict};
use signet_core::fault::Fault;
use signet_core::interaction::{self, Accepted, Account, Factors, Input, LoggedIn, Step, Wish};
use signet_core::params::Params;
use signet_core::records::{LogoutDelivery, SessionClient, SubjectType, User};
use signet_store::StoreError;
use zeroize::Zeroizing;

use super::extract::{FormParams, Moment};
use super::interaction::{InteractionRequest, Loaded, Stepper, answer, note, page};
use super::{cookies, render, screens};
use crate::app::store_fault;
use crate::logout_delivery;
use crate::passwords;

pub(super) async fn show_login(request: InteractionRequest) -> Response {
    answer(request.stepper().show_login().await)
}

pub(super) async fn login(request: InteractionRequest, form: FormParams) -> Response {
    answer(request.stepper().login(form.0).await)
}

pub(super) async fn show_registration(request: InteractionRequest) -> Response {
    answer(request.stepper().show_registration().await)
}

pub(super) async fn register(request: InteractionRequest, form: FormParams) -> Response {
    answer(request.stepper().register(form.0).await)
}

impl Stepper<'_> {
    /// The login page, for those whom the interaction's own address shows the other one.
    async fn show_login(&self) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        match self.next(&loaded) {
            Step::Login | Step::Register => self.login_page(&loaded).await,
            _ => Ok(self.again()),
        }
    }

    async fn show_registration(&self) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        if !self.view.tenant.settings.self_registration {
            return Err(Fault::SelfRegistrationOff);
        }
        match self.next(&loaded) {
            Step::Login | Step::Register => Ok(self.registration_page(&loaded)),
            _ => Ok(self.again()),
        }
    }

    pub(super) async fn login_page(&self, loaded: &Loaded) -> Result<Response, Fault> {
        let username = self.expected(loaded).await?;
        let html = screens::login(self.app, self.view, loaded, &username, None);
        Ok(page(loaded, StatusCode::OK, html))
    }

    pub(super) fn registration_page(&self, loaded: &Loaded) -> Response {
        let html = screens::register(self.view, loaded, &Params::default(), None);
        page(loaded, StatusCode::OK, html)
    }

    /// The user name that probably belongs to the person: of the one whom a verified hint names, else what the client says
    /// (OpenID Connect Core section 3.1.2.1, `login_hint`: "used to pre-fill the username").
    async fn expected(&self, loaded: &Loaded) -> Result<String, Fault> {
        let request = &loaded.interaction.request;
        let public = loaded.client().settings.subject_type == SubjectType::Public;
        let hinted = request.hinted_subject.as_ref().filter(|_| public).and_then(|sub| sub.parse().ok());
        if let Some(id) = hinted
            && let Some(user) = self.app.store.user(&self.view.tenant.id, id).await.map_err(store_fault)?
        {
            return Ok(user.username);
        }
        Ok(request.login_hint.first().cloned().unwrap_or_default())
    }

    async fn login(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        let form = self.checked(form, "login", &loaded)?;
        if form.get("decision") == Some("deny") {
            return self.refuse(&loaded, Fault::AccessDenied).await;
        }
        let username = form.get("username").unwrap_or_default().trim().to_lowercase();
        let result = match self.authenticate(&username, form.get("password").unwrap_or_default()).await {
            Ok(user) => self.identified(&loaded, &user).await,
            Err(fault) => Err(fault),
        };
        match result {
            Err(fault @ (Fault::CredentialsWrong | Fault::AttemptsExhausted | Fault::AccountChanged)) => {
                self.failed(&loaded, Kind::LoginRefused, &fault).await;
                let html = screens::login(self.app, self.view, &loaded, &username, Some(&fault));
                let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::UNAUTHORIZED);
                Ok(note(&loaded, render::refused(page(&loaded, status, html), fault)))
            }
            Err(Fault::SessionEnded) => Ok(note(&loaded, self.again())),
            other => other,
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

    pub(super) async fn failed(&self, loaded: &Loaded, kind: Kind, fault: &Fault) {
        let (tenant, context) = (&self.view.tenant.id, self.app.context(self.moment.now));
        let correlation = &loaded.interaction.correlation_id;
        let event = audit::refused(tenant, kind, fault, correlation, &context)
            .client(&loaded.client().client_id)
            .fact("address", self.moment.address.to_string());
        let event = match &loaded.identified {
            Some(user) => event.user(user.id),
            None => event,
        };
        self.app.record(tenant, &[event.change()]).await;
    }

    /// The password is right: a session, or a second step first.
    async fn identified(&self, loaded: &Loaded, user: &User) -> Result<Response, Fault> {
        let context = self.app.context(self.moment.now);
        let credentials = self.credentials(user).await?;
        let input = Input { factors: Factors::of(&credentials), ..loaded.input(self.view) };
        match interaction::password_accepted(&input, user, &context) {
            Accepted::Session(login) => self.enter(loaded, *login).await,
            Accepted::Second(changes) => {
                self.apply(&changes).await?;
                Ok(note(loaded, self.again()))
            }
            Accepted::Refused(fault) => self.refuse(loaded, fault).await,
        }
    }

    /// Stores a login, and lets the browser have it.
    pub(super) async fn enter(&self, loaded: &Loaded, login: LoggedIn) -> Result<Response, Fault> {
        let login = self.stored(loaded, login).await?;
        Ok(self.welcome(loaded, &login, self.again()))
    }

    /// Stores a login. What clients of a session that ended with it are told is on its way.
    pub(super) async fn stored(&self, loaded: &Loaded, mut login: LoggedIn) -> Result<LoggedIn, Fault> {
        let told = self.former(loaded, &mut login).await?;
        self.apply(&login.changes).await?;
        logout_delivery::send(self.app, self.view, told).await;
        Ok(login)
    }

    /// What becomes of the session that this browser had: it goes on, and so does what its clients are to be told; or it
    /// was somebody else's, or over, and ends like any other.
    async fn former(&self, loaded: &Loaded, login: &mut LoggedIn) -> Result<Vec<LogoutDelivery>, Fault> {
        let Some(old) = &loaded.session else { return Ok(Vec::new()) };
        if old.sid == login.session.sid {
            let noted = self.app.store.session_clients(&self.view.tenant.id, &old.sid).await;
            let expires_at = login.session.expires_at;
            let noted = noted.map_err(store_fault)?.into_iter();
            let longer = noted.map(|one| Change::PutSessionClient(SessionClient { expires_at, ..one }));
            login.changes.extend(longer);
            return Ok(Vec::new());
        }
        let Moment { now, .. } = self.moment;
        let correlation = &loaded.interaction.correlation_id;
        let ended = logout_delivery::prepare(self.app, self.view, old, correlation, "login", *now).await?;
        login.changes.extend(ended.changes);
        Ok(ended.deliveries)
    }

    /// An answer that brings the session: most often a redirect, so that a reload does not send the password again.
    pub(super) fn welcome(&self, loaded: &Loaded, login: &LoggedIn, mut response: Response) -> Response {
        let name = cookies::session_name(self.view);
        if let Some(cookie) = cookies::set(self.view, &name, &login.cookie, None) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        if let Some(cookie) = cookies::browser_state(self.view, &login.cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        note(loaded, response)
    }

    async fn register(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        let form = self.checked(form, "register", &loaded)?;
        match self.made(&loaded, &form).await {
            Ok(login) => Ok(self.welcome(&loaded, &login, self.again())),
            Err(
                fault @ (Fault::NewUsernameUnfit
                | Fault::NewUsernameTaken
                | Fault::NewPasswordUnfit
                | Fault::NewPasswordsDiffer
                | Fault::NewNameUnfit
                | Fault::NewEmailUnfit
                | Fault::AttemptsExhausted),
            ) => {
                self.failed(&loaded, Kind::UserRefused, &fault).await;
                let html = screens::register(self.view, &loaded, &form, Some(&fault));
                let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST);
                Ok(note(&loaded, render::refused(page(&loaded, status, html), fault)))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Makes the account. Whether the user name is free is decided by the write.
    async fn made(&self, loaded: &Loaded, form: &Params) -> Result<LoggedIn, Fault> {
        let text = |name: &str| form.get(name).unwrap_or_default();
        let wish = Wish {
            username: text("username"),
            password: text("password"),
            repeated: text("password_again"),
            name: text("name"),
            email: text("email"),
        };
        let account = Account::new(&self.view.tenant, &wish)?;
        self.app.limits.account(self.moment.address)?;
        let (password, hasher) = (account.password.clone(), self.app.hasher.clone());
        let entropy = self.app.entropy.clone();
        let hash = self.app.hashing.run(move || hasher.hash(&password, entropy.as_ref())).await?;
        let hash = hash.ok_or(Fault::Internal { detail: "a password could not be hashed" })?;
        let (tenant, context) = (&self.view.tenant, self.app.context(self.moment.now));
        let old = loaded.session.as_ref();
        let mut login = interaction::register(tenant, &loaded.interaction, account, hash, old, &context);
        let told = self.former(loaded, &mut login).await?;
        match self.app.store.apply(&tenant.id, &login.changes).await {
            Ok(()) => {
                logout_delivery::send(self.app, self.view, told).await;
                Ok(login)
            }
            Err(StoreError::Conflict(Conflict::Exists)) => Err(Fault::NewUsernameTaken),
            Err(StoreError::Conflict(Conflict::Interaction)) => Err(Fault::InteractionFinished),
            Err(error) => Err(store_fault(error)),
        }
    }
}
