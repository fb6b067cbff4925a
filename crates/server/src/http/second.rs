//! Within an interaction: the second step, and passkeys in place of a password.

use axum::http::{StatusCode, header};
use axum::response::Response;
use signet_core::audit::Kind;
use signet_core::change::{Change, Conflict};
use signet_core::fault::Fault;
use signet_core::interaction::{self, Factors, Input, Pending, Second, Step};
use signet_core::params::Params;
use signet_core::records::{Credential, CredentialKind, User};
use signet_store::StoreError;

use super::extract::FormParams;
use super::interaction::{InteractionRequest, Loaded, Stepper, answer, note, page};
use super::{cookies, render, screens};
use crate::app::store_fault;
use crate::factors::passkeys::{self, Asked, Passkeys};
use crate::factors::totp::{self, Shared};
use crate::factors::{self, PATIENCE};
use crate::pages::{EnrolPage, PasskeyPage, RecoveryPage, SecondPage};

pub(super) async fn code(request: InteractionRequest, form: FormParams) -> Response {
    answer(request.stepper().code(form.0).await)
}

pub(super) async fn enrol(request: InteractionRequest, form: FormParams) -> Response {
    answer(request.stepper().enrol(form.0).await)
}

pub(super) async fn show_passkey(request: InteractionRequest) -> Response {
    answer(request.stepper().show_passkey().await)
}

pub(super) async fn passkey(request: InteractionRequest, form: FormParams) -> Response {
    answer(request.stepper().passkey(form.0).await)
}

/// What the records of credentials have to hear, with what the audit trail tells.
struct Use {
    second: Second,
    changes: Vec<Change>,
}

impl Stepper<'_> {
    async fn code(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        let form = self.checked(form, "second", &loaded)?;
        if form.get("decision") == Some("deny") {
            return self.refuse(&loaded, Fault::AccessDenied).await;
        }
        let Step::Second { passkey_only } = self.next(&loaded) else { return self.step(&loaded).await };
        let code = form.get("code").unwrap_or_default();
        let result = match self.code_used(&loaded, code).await {
            Ok(used) if !passkey_only => self.second_taken(&loaded, used).await,
            Ok(_) => Err(Fault::SecondFactorWrong),
            Err(fault) => Err(fault),
        };
        match result {
            Err(
                fault @ (Fault::SecondFactorWrong | Fault::SecondFactorLocked | Fault::AttemptsExhausted),
            ) => {
                self.failed(&loaded, Kind::SecondFactorRefused, &fault).await;
                let page = self.second_page(&loaded, passkey_only, Some(&fault));
                Ok(render::refused(page, fault))
            }
            other => self.anew(&loaded, other).await,
        }
    }

    /// What was proved to an account that was written meanwhile, or in a session that has ended, is asked for anew.
    async fn anew(&self, loaded: &Loaded, result: Result<Response, Fault>) -> Result<Response, Fault> {
        match result {
            Err(fault @ (Fault::AccountChanged | Fault::SessionEnded)) => {
                self.failed(loaded, Kind::SecondFactorRefused, &fault).await;
                Ok(note(loaded, self.again()))
            }
            other => other,
        }
    }

    /// Six digits are a one-time password, everything else may be a recovery code.
    async fn code_used(&self, loaded: &Loaded, code: &str) -> Result<Use, Fault> {
        let pending = self.pending(loaded)?;
        let (app, now) = (self.app, self.moment.now);
        app.limits.second_factor(self.moment.address, &self.view.tenant.id, pending.user.id)?;
        let (second, kind, change) = if totp::is_code(code) {
            let change = match totp::used(&app.vault, &loaded.credentials, code, now) {
                Err(Fault::SecondFactorWrong) => {
                    self.missed(loaded).await?;
                    return Err(Fault::SecondFactorWrong);
                }
                judged => judged?,
            };
            (Second::OneTimePassword, CredentialKind::Totp, change)
        } else {
            let change = interaction::use_recovery_code(&loaded.credentials, code)?;
            (Second::RecoveryCode, CredentialKind::RecoveryCode, change)
        };
        Ok(Use { second, changes: vec![change, self.told(Kind::CredentialUsed, kind, loaded, pending.user)] })
    }

    /// A wrong code is counted before its sender hears of it.
    async fn missed(&self, loaded: &Loaded) -> Result<(), Fault> {
        let applications = loaded.credentials.iter().filter(|one| one.kind == CredentialKind::Totp);
        let counted = applications.map(|one| Change::MissCredential { user_id: one.user_id, id: one.id });
        let counted: Vec<Change> = counted.collect();
        match self.app.store.apply(&self.view.tenant.id, &counted).await {
            // It was removed meanwhile, and its count with it.
            Ok(()) | Err(StoreError::Conflict(Conflict::Credential)) => Ok(()),
            Err(error) => Err(store_fault(error)),
        }
    }

    fn told(&self, event: Kind, kind: CredentialKind, loaded: &Loaded, user: &User) -> Change {
        let context = self.app.context(self.moment.now);
        interaction::credential_event(event, kind, user, &loaded.interaction.correlation_id, &context)
    }

    fn pending<'a>(&'a self, loaded: &'a Loaded) -> Result<Pending<'a>, Fault> {
        interaction::pending(&loaded.input(self.view), self.moment.now).ok_or(Fault::LoginRequired)
    }

    async fn second_taken(&self, loaded: &Loaded, used: Use) -> Result<Response, Fault> {
        let (input, context) = (loaded.input(self.view), self.app.context(self.moment.now));
        let pending = self.pending(loaded)?;
        let Use { second, changes } = used;
        self.enter(loaded, interaction::second_accepted(&input, &pending, second, changes, &context)?).await
    }

    pub(super) fn second_page(&self, loaded: &Loaded, passkey_only: bool, fault: Option<&Fault>) -> Response {
        let factors = Factors::of(&loaded.credentials);
        let passkey = factors.passkey && Passkeys::of(self.view).is_some();
        let page_ = SecondPage {
            shell: render::shell(self.view),
            frame: screens::frame(self.view, loaded, "second"),
            account: self.pending(loaded).map(|pending| screens::account(pending.user)).unwrap_or_default(),
            totp: factors.totp && !passkey_only,
            recovery: factors.recovery && !passkey_only,
            passkey: passkey.then(|| screens::path(self.view, loaded, "passkey")),
            error: fault.map(Fault::public),
        };
        page(loaded, status(fault), page_.render())
    }

    pub(super) fn enrolment_page(
        &self,
        loaded: &Loaded,
        form: Option<&Params>,
        fault: Option<&Fault>,
    ) -> Result<Response, Fault> {
        let user = self.pending(loaded)?.user;
        let entropy = self.app.entropy.as_ref();
        let purpose = totp::enrolment(user.id, &bound(loaded));
        let shared = Shared::offered(&self.app.vault, &purpose, form, self.moment.now, entropy);
        let sealed = factors::seal(&self.app.vault, &purpose, &shared, self.moment.now, entropy)?;
        let page_ = EnrolPage {
            shell: render::shell(self.view),
            frame: screens::frame(self.view, loaded, "enrol"),
            offer: screens::totp_offer(self.view, user, &shared, sealed),
            error: fault.map(Fault::public),
        };
        Ok(page(loaded, status(fault), page_.render()))
    }

    /// The recovery codes are shown in the answer itself, because nobody can show them again.
    async fn enrol(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        let form = self.checked(form, "enrol", &loaded)?;
        if form.get("decision") == Some("deny") {
            return self.refuse(&loaded, Fault::AccessDenied).await;
        }
        let Step::Enrol = self.next(&loaded) else { return self.step(&loaded).await };
        match self.enrolled(&loaded, &form).await {
            Err(fault @ (Fault::SecondFactorWrong | Fault::AttemptsExhausted)) => {
                self.failed(&loaded, Kind::SecondFactorRefused, &fault).await;
                Ok(render::refused(self.enrolment_page(&loaded, Some(&form), Some(&fault))?, fault))
            }
            other => self.anew(&loaded, other).await,
        }
    }

    async fn enrolled(&self, loaded: &Loaded, form: &Params) -> Result<Response, Fault> {
        let (input, context) = (loaded.input(self.view), self.app.context(self.moment.now));
        let pending = self.pending(loaded)?;
        let user = pending.user;
        self.app.limits.second_factor(self.moment.address, &self.view.tenant.id, user.id)?;
        let sealed = form.get("enrolment").unwrap_or_default();
        let purpose = totp::enrolment(user.id, &bound(loaded));
        let shared: Shared = factors::open(&self.app.vault, &purpose, sealed, self.moment.now)
            .ok_or(Fault::SecondFactorWrong)?;
        let code = form.get("code").unwrap_or_default();
        let step = shared.step_of(code, self.moment.now).ok_or(Fault::SecondFactorWrong)?;
        let credential = totp::enrolled(&self.app.vault, user, &shared, step, &context)?;
        let (codes, further) = interaction::recovery_codes(user, &context);
        let mut changes = vec![interaction::enrolment(user), Change::InsertCredential(credential)];
        changes.extend(further);
        changes.push(self.told(Kind::CredentialEnrolled, CredentialKind::Totp, loaded, user));
        let login =
            interaction::second_accepted(&input, &pending, Second::OneTimePassword, changes, &context)?;
        let shown = RecoveryPage {
            shell: render::shell(self.view),
            frame: screens::frame(self.view, loaded, "recovery"),
            codes,
            onward: screens::own(self.view, loaded),
        };
        let login = self.stored(loaded, login).await?;
        Ok(self.welcome(loaded, &login, page(loaded, StatusCode::OK, shown.render())))
    }

    /// The page with the one script of a login.
    async fn show_passkey(&self) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        match self.next(&loaded) {
            Step::Login | Step::Register | Step::Second { .. } => self.passkey_page(&loaded, None),
            _ => Ok(self.again()),
        }
    }

    fn passkey_page(&self, loaded: &Loaded, fault: Option<&Fault>) -> Result<Response, Fault> {
        let passkeys = Passkeys::of(self.view).ok_or(Fault::NotFound)?;
        let is_second = matches!(self.next(loaded), Step::Second { .. });
        let question = passkeys.ask(if is_second { &loaded.credentials } else { &[] })?;
        let page_ = PasskeyPage {
            shell: render::shell(self.view),
            frame: screens::frame(self.view, loaded, "passkey"),
            options: question.options,
            back: screens::own(self.view, loaded),
            error: fault.map(Fault::public),
        };
        let (entropy, now) = (self.app.entropy.as_ref(), self.moment.now);
        let purpose = passkeys::question(self.view.tenant.id.as_str(), &bound(loaded));
        let sealed = factors::seal(&self.app.vault, &purpose, &question.state, now, entropy)?;
        let mut response = render::scripted(page(loaded, status(fault), page_.render()));
        let name = cookies::passkey_name(self.view);
        if let Some(cookie) = cookies::set(self.view, &name, &sealed, Some(PATIENCE)) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    async fn passkey(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let loaded = self.load().await?;
        let form = self.checked(form, "passkey", &loaded)?;
        let answer = form.get("answer").unwrap_or_default();
        let (kind, result) = match self.next(&loaded) {
            Step::Login | Step::Register => (Kind::LoginRefused, self.passkey_first(&loaded, answer).await),
            Step::Second { .. } => (Kind::SecondFactorRefused, self.passkey_second(&loaded, answer).await),
            _ => return Ok(self.again()),
        };
        match result {
            Err(
                fault @ (Fault::PasskeyWrong
                | Fault::PasskeyCopied
                | Fault::SecondFactorWrong
                | Fault::AttemptsExhausted),
            ) => {
                self.failed(&loaded, kind, &fault).await;
                Ok(render::refused(self.passkey_page(&loaded, Some(&fault))?, fault))
            }
            other => self.anew(&loaded, other).await,
        }
    }

    /// Without user name and password: the answer names the person, and their own passkeys judge it.
    async fn passkey_first(&self, loaded: &Loaded, answer: &str) -> Result<Response, Fault> {
        self.app.limits.account(self.moment.address)?;
        let tenant = &self.view.tenant.id;
        let passkeys = Passkeys::of(self.view).ok_or(Fault::NotFound)?;
        let id = passkeys.named(answer).ok_or(Fault::PasskeyWrong)?;
        let user = self.app.store.user(tenant, id).await.map_err(store_fault)?;
        let user = user.filter(|user| !user.disabled).ok_or(Fault::PasskeyWrong)?;
        let credentials = self.credentials(&user).await?;
        let taken = self.passkey_used(loaded, &user, &credentials, answer)?;
        let Second::Passkey { hardware } = taken.second else { return Err(Fault::PasskeyWrong) };
        let context = self.app.context(self.moment.now);
        let input = Input { factors: Factors::of(&credentials), ..loaded.input(self.view) };
        let login = interaction::passkey_accepted(&input, &user, hardware, taken.changes, &context);
        self.enter(loaded, login).await
    }

    async fn passkey_second(&self, loaded: &Loaded, answer: &str) -> Result<Response, Fault> {
        let pending = self.pending(loaded)?;
        let user = pending.user;
        self.app.limits.second_factor(self.moment.address, &self.view.tenant.id, user.id)?;
        let taken = self.passkey_used(loaded, user, &loaded.credentials, answer)?;
        self.second_taken(loaded, taken).await
    }

    fn passkey_used(
        &self,
        loaded: &Loaded,
        user: &User,
        credentials: &[Credential],
        answer: &str,
    ) -> Result<Use, Fault> {
        let passkeys = Passkeys::of(self.view).ok_or(Fault::NotFound)?;
        let sealed = cookies::read(self.headers, &cookies::passkey_name(self.view)).unwrap_or_default();
        let purpose = passkeys::question(self.view.tenant.id.as_str(), &bound(loaded));
        let asked: Asked =
            factors::open(&self.app.vault, &purpose, &sealed, self.moment.now).ok_or(Fault::PasskeyWrong)?;
        let judged = passkeys.judge(answer, asked, credentials, self.moment.now)?;
        let event = self.told(Kind::CredentialUsed, CredentialKind::Passkey, loaded, user);
        Ok(Use { second: judged.second, changes: vec![judged.change, event] })
    }
}

/// What is carried by a page of this interaction is bound to the step that it stands at: once that is taken, it is worth
/// nothing.
fn bound(loaded: &Loaded) -> String {
    format!("interaction/{}/{}", loaded.interaction.id, loaded.interaction.version)
}

fn status(fault: Option<&Fault>) -> StatusCode {
    fault.map_or(StatusCode::OK, |fault| {
        StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::UNAUTHORIZED)
    })
}
