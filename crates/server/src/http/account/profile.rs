//! What people write of themselves, and their password.

use axum::response::Response;
use signet_core::audit::{self, By, Kind};
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::params::Params;
use signet_core::people::{self, PROFILE};

use super::visit::{Posted, Visit, answer, refused_write, shown};
use crate::http::render;
use crate::pages::account::{PasswordPage, ProfileField, ProfilePage, Section};
use crate::people::{self as done, Leaving};

pub(super) async fn show(visit: Visit) -> Response {
    let html = profile(&visit, None, None).render();
    shown(html, None)
}

fn profile(visit: &Visit, form: Option<&Params>, fault: Option<&Fault>) -> ProfilePage {
    let stored = |name: &str| visit.user.claims.get(name).and_then(serde_json::Value::as_str);
    let value = |name: &str| form.map_or_else(|| stored(name), |form| form.get(name)).unwrap_or_default();
    ProfilePage {
        shell: render::shell(&visit.view),
        frame: visit.frame(Section::Profile, fault),
        username: visit.user.username.clone(),
        version: visit.user.version,
        fields: PROFILE
            .iter()
            .map(|(name, label)| ProfileField { name, label, value: value(name).to_owned() })
            .collect(),
    }
}

pub(super) async fn save(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    // Links for a forgotten password go to the e-mail address.
    if form.get("email") != done::email(&visit.user)
        && let Err(first) = visit.proved("/account").await
    {
        return first;
    }
    match saved(&visit, &form).await {
        Ok(()) => visit.done("/account", "profile"),
        Err(fault) if fault.status() < 500 => {
            shown(profile(&visit, Some(&form), Some(&fault)).render(), Some(&fault))
        }
        Err(fault) => answer(Err(fault)),
    }
}

async fn saved(visit: &Visit, form: &Params) -> Result<(), Fault> {
    if form.get("version") != Some(visit.user.version.to_string().as_str()) {
        return Err(Fault::AccountChanged);
    }
    let Some(next) = people::profile(&visit.user, |name| form.get(name), visit.moment.now)? else {
        return Ok(());
    };
    let (tenant, context) = (&visit.view.tenant.id, visit.context());
    let event =
        audit::success(tenant, Kind::UserUpdated, &visit.moment.correlation_id, &context).user(visit.user.id);
    visit.apply(&[Change::UpdateUser(next), event.change()]).await
}

pub(super) async fn show_password(visit: Visit) -> Response {
    if let Err(first) = visit.proved("/account/password").await {
        return first;
    }
    shown(password_page(&visit, None).render(), None)
}

fn password_page(visit: &Visit, fault: Option<&Fault>) -> PasswordPage {
    PasswordPage {
        shell: render::shell(&visit.view),
        frame: visit.frame(Section::Security, fault),
        username: visit.user.username.clone(),
        has_password: visit.user.password_hash.is_some(),
    }
}

pub(super) async fn set_password(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    if let Err(first) = visit.proved("/account/password").await {
        return first;
    }
    match changed(&visit, &form).await {
        Ok(()) => visit.done("/account/security", "password"),
        Err(fault) if fault.status() < 500 => {
            visit.record(Kind::UserPasswordRefused, &fault).await;
            shown(password_page(&visit, Some(&fault)).render(), Some(&fault))
        }
        Err(fault) => answer(Err(fault)),
    }
}

async fn changed(visit: &Visit, form: &Params) -> Result<(), Fault> {
    let text = |name: &str| form.get(name).unwrap_or_default();
    let Visit { app, view, user, session, moment, .. } = visit;
    people::new_password(text("new_password"), text("new_password_again"))?;
    app.limits.password(moment.address, &view.tenant.id, &user.username)?;
    if user.password_hash.is_some() && !done::is_password(app, user, text("password")).await? {
        return Err(Fault::PasswordWrong);
    }
    let hash = done::hashed(app, text("new_password")).await?;
    let correlation_id = &moment.correlation_id;
    let changes = people::password(user, hash, "person", correlation_id, &visit.context());
    let (tenant, keep, why) = (&view.tenant, Some(&session.hash), "password_changed");
    let by = &By::User(user.id);
    let leaving = Leaving { tenant, user: user.id, keep, why, by, correlation_id };
    let done = done::apply_ending(app, view, &changes, &leaving, moment.now).await;
    done.map(drop).map_err(refused_write)
}
