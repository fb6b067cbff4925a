//! A forgotten password, and the pages that links lead to. Nobody is signed in here, and nobody gets signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use signet_core::audit::{self, Kind};
use signet_core::duration;
use signet_core::fault::Fault;
use signet_core::params::Params;
use signet_core::provision;
use signet_core::records::{LinkPurpose, User};
use zeroize::Zeroizing;

use super::super::extract::{FormParams, Moment, QueryParams, Tenant};
use super::super::render::{self, Failure};
use super::super::{cookies, dev_mail, forms};
use super::visit::{answer, shown};
use crate::app::{App, store_fault};
use crate::pages::account::{ChoosePage, ChosenPage, ForgotPage};
use crate::people::{self, Cause};
use crate::tenancy::TenantView;

const PURPOSE: &str = "forgot";

/// One request of somebody who is not signed in.
struct Guest {
    app: App,
    view: Arc<TenantView>,
    moment: Moment,
    headers: HeaderMap,
}

impl Guest {
    fn cause(&self) -> Cause<'_> {
        Cause { correlation_id: &self.moment.correlation_id, by: None, now: self.moment.now }
    }

    /// The page, and the cookie that its form is bound to.
    fn forgot_page(&self, sent: bool, fault: Option<&Fault>) -> Response {
        let name = cookies::forgot_name(&self.view);
        let known = cookies::read(&self.headers, &name);
        let secret = known.clone().unwrap_or_else(|| self.app.context(self.moment.now).handle());
        let page = ForgotPage {
            shell: render::shell(&self.view),
            action: format!("{}/account/forgot", self.view.prefix),
            csrf: forms::csrf(PURPOSE, &secret),
            sent,
            lifetime: duration::exactly(signet_core::people::lifetime(LinkPurpose::Forgotten)),
            quiet: duration::exactly(signet_core::people::QUIET),
            mails: dev_mail::address(&self.app, &self.view),
            account: format!("{}/account", self.view.prefix),
            error: fault.map(Fault::public),
        };
        let mut response = shown(page.render(), fault);
        if known.is_none()
            && let Some(cookie) = cookies::set(&self.view, &name, &secret, None)
        {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn requested(&self, form: Result<Params, Fault>) -> Result<(), Fault> {
        let form = form?;
        let secret = cookies::read(&self.headers, &cookies::forgot_name(&self.view)).unwrap_or_default();
        forms::check(&self.view, &self.headers, &form, PURPOSE, &secret)?;
        let typed = form.get("account").unwrap_or_default().trim().to_lowercase();
        self.app.limits.forgotten(self.moment.address, &self.view.tenant.id, &typed)?;
        // The answer does not wait for what is found, so it takes as long whether there is an account or not.
        let (app, view, moment) = (self.app.clone(), self.view.clone(), self.moment.clone());
        tokio::spawn(async move {
            let guest = Self { app, view, moment, headers: HeaderMap::new() };
            if let Err(fault) = guest.write_to(&typed).await {
                tracing::warn!(%fault, "a link for a forgotten password could not be made");
            }
        });
        Ok(())
    }

    /// Writes to everybody who may be meant: the account of that user name, and a few that share an address. Nobody keeps
    /// others from their mail by a user name that is their address.
    async fn write_to(&self, typed: &str) -> Result<(), Fault> {
        for user in self.meant(typed).await? {
            if let Err(fault) = people::send_forgotten(&self.app, &self.view, &user, self.cause()).await {
                tracing::warn!(%fault, user = %user.id, "no link was sent for a forgotten password");
            }
        }
        Ok(())
    }

    async fn meant(&self, typed: &str) -> Result<Vec<User>, Fault> {
        let (store, tenant) = (&self.app.store, &self.view.tenant.id);
        let mut found = Vec::new();
        if let Ok(name) = provision::username(typed) {
            found.extend(store.user_by_name(tenant, &name).await.map_err(store_fault)?);
        }
        if signet_core::people::is_email(typed) {
            let named = found.first().map(|user: &User| user.id);
            let others = store.users_by_email(tenant, typed).await.map_err(store_fault)?;
            found.extend(others.into_iter().filter(|user| Some(user.id) != named));
        }
        found.retain(|user| !user.disabled && people::email(user).is_some());
        Ok(found)
    }

    fn choose_page(&self, token: &str, user: &User, purpose: LinkPurpose, fault: Option<&Fault>) -> Response {
        let page = ChoosePage {
            shell: render::shell(&self.view),
            action: format!("{}/account/link", self.view.prefix),
            token: Zeroizing::new(token.to_owned()),
            username: user.username.clone(),
            invited: purpose == LinkPurpose::Invitation,
            error: fault.map(Fault::public),
        };
        shown(page.render(), fault)
    }

    /// The token in the form is the proof that it is ours: nobody else's page knows it.
    async fn chosen(&self, form: Result<Params, Fault>) -> Result<Response, Fault> {
        let form = form?;
        let text = |name: &str| form.get(name).unwrap_or_default();
        let token = text("token");
        let (link, user) = people::open_link(&self.app, &self.view, token, self.moment.now).await?;
        let judged = signet_core::people::new_password(text("password"), text("password_again"));
        let judged = judged.and_then(|()| self.app.limits.account(self.moment.address));
        if let Err(fault) = judged {
            return Ok(self.choose_page(token, &user, link.purpose, Some(&fault)));
        }
        let password = text("password");
        people::choose_by_link(&self.app, &self.view, token, password, self.cause()).await?;
        let page = ChosenPage {
            shell: render::shell(&self.view),
            username: user.username,
            console: user.role.map(|_| format!("{}/console", self.view.prefix)),
            account: format!("{}/account", self.view.prefix),
        };
        Ok(shown(page.render(), None))
    }

    async fn recorded(&self, fault: Fault) -> Response {
        let (tenant, context) = (&self.view.tenant.id, self.app.context(self.moment.now));
        let event =
            audit::refused(tenant, Kind::UserLinkRefused, &fault, &self.moment.correlation_id, &context)
                .fact("address", self.moment.address.to_string());
        self.app.record(tenant, &[event.change()]).await;
        Failure::page(fault).into_response()
    }
}

pub(super) async fn ask(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
) -> Response {
    if !app.mailer.works() {
        return Failure::page(Fault::NotFound).into_response();
    }
    Guest { app, view, moment, headers }.forgot_page(false, None)
}

/// One answer, whether there is such an account or not.
pub(super) async fn asked(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    if !app.mailer.works() {
        return Failure::page(Fault::NotFound).into_response();
    }
    let guest = Guest { app, view, moment, headers };
    match guest.requested(form.0) {
        Ok(()) => guest.forgot_page(true, None),
        Err(fault @ Fault::AttemptsExhausted) => guest.forgot_page(false, Some(&fault)),
        Err(fault) => answer(Err(fault)),
    }
}

/// The page that a link leads to. Opening it uses nothing up: mail programs look at links before people do.
pub(super) async fn open(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    query: QueryParams,
) -> Response {
    let guest = Guest { app, view, moment, headers };
    let params = query.0.unwrap_or_default();
    let token = params.get("token").unwrap_or_default();
    match people::open_link(&guest.app, &guest.view, token, guest.moment.now).await {
        Ok((link, user)) => guest.choose_page(token, &user, link.purpose, None),
        Err(fault @ Fault::LinkUnusable) => guest.recorded(fault).await,
        Err(fault) => answer(Err(fault)),
    }
}

pub(super) async fn choose(
    State(app): State<App>,
    Tenant(view): Tenant,
    moment: Moment,
    headers: HeaderMap,
    form: FormParams,
) -> Response {
    let guest = Guest { app, view, moment, headers };
    match guest.chosen(form.0).await {
        Ok(response) => response,
        Err(fault @ Fault::LinkUnusable) => guest.recorded(fault).await,
        Err(fault) => answer(Err(fault)),
    }
}
