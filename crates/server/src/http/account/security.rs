//! Passkeys, the authenticator application, recovery codes.

use axum::http::header;
use axum::response::Response;
use signet_core::audit::Kind;
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::interaction::{self, Factors, MAX_PASSKEYS, Second};
use signet_core::params::Params;
use signet_core::people;
use signet_core::records::{Credential, CredentialKind};
use uuid::Uuid;

use super::visit::{Posted, Visit, answer, shown};
use crate::factors::passkeys::{self, Enrolling, Passkeys};
use crate::factors::totp::{self, Shared};
use crate::factors::{self, PATIENCE};
use crate::http::{cookies, render, screens};
use crate::pages::account::{CodesPage, CredentialLine, NewPasskeyPage, NewTotpPage, Section, SecurityPage};
use crate::pages::console::instant;

const HOME: &str = "/account/security";

pub(super) async fn show(visit: Visit) -> Response {
    shown(overview(&visit, None).render(), None)
}

fn overview(visit: &Visit, fault: Option<&Fault>) -> SecurityPage {
    let line = |one: &Credential| CredentialLine {
        id: one.id.to_string(),
        name: one.name.clone(),
        since: instant(one.created_at),
        last_used: one.last_used_at.map(instant),
    };
    let of = |kind| visit.credentials.iter().filter(move |one| one.kind == kind);
    SecurityPage {
        shell: render::shell(&visit.view),
        frame: visit.frame(Section::Security, fault),
        has_password: visit.user.password_hash.is_some(),
        can_have_passkeys: Passkeys::of(&visit.view).is_some(),
        passkeys: of(CredentialKind::Passkey).map(line).collect(),
        totp: of(CredentialKind::Totp).map(line).collect(),
        recovery_codes: of(CredentialKind::RecoveryCode).count(),
        has_second: Factors::of(&visit.credentials).has_second(),
    }
}

/// Shows the overview again, with what went wrong.
async fn refused(visit: &Visit, fault: Fault) -> Response {
    if fault.status() >= 500 {
        return answer(Err(fault));
    }
    visit.record(Kind::CredentialRefused, &fault).await;
    shown(overview(visit, Some(&fault)).render(), Some(&fault))
}

pub(super) async fn new_passkey(visit: Visit) -> Response {
    if let Err(first) = visit.proved("/account/passkeys/new").await {
        return first;
    }
    answer(passkey_page(&visit, None))
}

fn passkey_page(visit: &Visit, fault: Option<&Fault>) -> Result<Response, Fault> {
    let passkeys = Passkeys::of(&visit.view).ok_or(Fault::NotFound)?;
    let question = passkeys.enrol(&visit.user, &visit.credentials)?;
    let page = NewPasskeyPage {
        shell: render::shell(&visit.view),
        frame: visit.frame(Section::Security, fault),
        options: question.options,
    };
    let (entropy, now) = (visit.app.entropy.as_ref(), visit.moment.now);
    let purpose = passkeys::question(visit.view.tenant.id.as_str(), &visit.bound());
    let sealed = factors::seal(&visit.app.vault, &purpose, &question.state, now, entropy)?;
    let mut response = render::scripted(shown(page.render(), fault));
    if let Some(cookie) =
        cookies::set(&visit.view, &cookies::passkey_name(&visit.view), &sealed, Some(PATIENCE))
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

pub(super) async fn add_passkey(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    if let Err(first) = visit.proved("/account/passkeys/new").await {
        return first;
    }
    match passkey_added(&visit, &form).await {
        Ok(response) => response,
        Err(fault) if fault.status() < 500 => {
            visit.record(Kind::CredentialRefused, &fault).await;
            answer(passkey_page(&visit, Some(&fault)))
        }
        Err(fault) => answer(Err(fault)),
    }
}

async fn passkey_added(visit: &Visit, form: &Params) -> Result<Response, Fault> {
    let known = visit.credentials.iter().filter(|one| one.kind == CredentialKind::Passkey).count();
    if known >= MAX_PASSKEYS {
        return Err(Fault::TooManyPasskeys);
    }
    let name = people::credential_name(form.get("name").unwrap_or("Passkey"))?;
    let passkeys = Passkeys::of(&visit.view).ok_or(Fault::NotFound)?;
    let sealed = cookies::read(&visit.headers, &cookies::passkey_name(&visit.view)).unwrap_or_default();
    let purpose = passkeys::question(visit.view.tenant.id.as_str(), &visit.bound());
    let asked: Enrolling =
        factors::open(&visit.app.vault, &purpose, &sealed, visit.moment.now).ok_or(Fault::PasskeyWrong)?;
    let answer = form.get("answer").unwrap_or_default();
    let credential = passkeys.enrolled(answer, &asked, &visit.user, name, &visit.context())?;
    // The authenticator has just verified the person. Whether the key may be copied is seen when it is used.
    enrolled(visit, credential, Second::Passkey { hardware: false }, "passkey").await
}

/// Stores a new second factor. The session is raised with it, or its person would be asked for it at once; whoever has no
/// recovery codes gets some.
async fn enrolled(
    visit: &Visit,
    credential: Credential,
    second: Second,
    word: &str,
) -> Result<Response, Fault> {
    let (context, kind) = (visit.context(), credential.kind);
    let correlation = &visit.moment.correlation_id;
    let mut changes = vec![
        interaction::enrolment(&visit.user),
        interaction::raised(&visit.session, second, visit.moment.now),
        Change::InsertCredential(credential),
    ];
    changes.push(interaction::credential_event(
        Kind::CredentialEnrolled,
        kind,
        &visit.user,
        correlation,
        &context,
    ));
    let first = !Factors::of(&visit.credentials).recovery;
    let mut codes = Vec::new();
    if first {
        let (made, further) = interaction::recovery_codes(&visit.user, &context);
        codes = made;
        changes.extend(further);
    }
    visit.apply(&changes).await?;
    if first { Ok(codes_page(visit, codes)) } else { Ok(visit.done(HOME, word)) }
}

fn codes_page(visit: &Visit, codes: Vec<String>) -> Response {
    let page =
        CodesPage { shell: render::shell(&visit.view), frame: visit.frame(Section::Security, None), codes };
    shown(page.render(), None)
}

pub(super) async fn new_totp(visit: Visit) -> Response {
    if let Err(first) = visit.proved("/account/authenticator").await {
        return first;
    }
    answer(totp_page(&visit, None, None))
}

fn totp_page(visit: &Visit, form: Option<&Params>, fault: Option<&Fault>) -> Result<Response, Fault> {
    if Factors::of(&visit.credentials).totp {
        return Ok(shown(overview(visit, fault).render(), fault));
    }
    let entropy = visit.app.entropy.as_ref();
    let purpose = totp::enrolment(visit.user.id, &visit.bound());
    let shared = Shared::offered(&visit.app.vault, &purpose, form, visit.moment.now, entropy);
    let sealed = factors::seal(&visit.app.vault, &purpose, &shared, visit.moment.now, entropy)?;
    let page = NewTotpPage {
        shell: render::shell(&visit.view),
        frame: visit.frame(Section::Security, fault),
        offer: screens::totp_offer(&visit.view, &visit.user, &shared, sealed),
    };
    Ok(shown(page.render(), fault))
}

pub(super) async fn add_totp(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    if let Err(first) = visit.proved("/account/authenticator").await {
        return first;
    }
    match totp_added(&visit, &form).await {
        Ok(response) => response,
        Err(fault) if fault.status() < 500 => {
            visit.record(Kind::CredentialRefused, &fault).await;
            answer(totp_page(&visit, Some(&form), Some(&fault)))
        }
        Err(fault) => answer(Err(fault)),
    }
}

async fn totp_added(visit: &Visit, form: &Params) -> Result<Response, Fault> {
    let Visit { app, view, user, moment, .. } = visit;
    if Factors::of(&visit.credentials).totp {
        return Err(Fault::AccountChanged);
    }
    app.limits.second_factor(moment.address, &view.tenant.id, user.id)?;
    let purpose = totp::enrolment(user.id, &visit.bound());
    let sealed = form.get("enrolment").unwrap_or_default();
    let shared: Shared =
        factors::open(&app.vault, &purpose, sealed, moment.now).ok_or(Fault::SecondFactorWrong)?;
    let code = form.get("code").unwrap_or_default();
    let step = shared.step_of(code, moment.now).ok_or(Fault::SecondFactorWrong)?;
    let credential = totp::enrolled(&app.vault, user, &shared, step, &visit.context())?;
    enrolled(visit, credential, Second::OneTimePassword, "authenticator").await
}

/// One of the person's own, by the id in the form.
fn named<'a>(visit: &'a Visit, form: &Params) -> Result<&'a Credential, Fault> {
    let id: Option<Uuid> = form.get("id").and_then(|id| id.parse().ok());
    let mut own = visit.credentials.iter().filter(|one| one.kind != CredentialKind::RecoveryCode);
    own.find(|one| Some(one.id) == id).ok_or(Fault::AccountChanged)
}

pub(super) async fn rename(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let result = async {
        let name = people::credential_name(form.get("name").unwrap_or_default())?.to_owned();
        let change = Change::RenameCredential { user_id: visit.user.id, id: named(&visit, &form)?.id, name };
        visit.apply(&[change]).await
    };
    match result.await {
        Ok(()) => visit.done(HOME, "renamed"),
        Err(fault) => refused(&visit, fault).await,
    }
}

pub(super) async fn remove(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    if let Err(first) = visit.proved(HOME).await {
        return first;
    }
    let result = async {
        let gone = named(&visit, &form)?;
        let mut changes = people::remove_credential(&visit.user, &visit.credentials, gone);
        let correlation = &visit.moment.correlation_id;
        changes.push(interaction::credential_event(
            Kind::CredentialRemoved,
            gone.kind,
            &visit.user,
            correlation,
            &visit.context(),
        ));
        let word =
            if gone.kind == CredentialKind::Totp { "authenticator-removed" } else { "passkey-removed" };
        visit.apply(&changes).await.map(|()| word)
    };
    match result.await {
        Ok(word) => visit.done(HOME, word),
        Err(fault) => refused(&visit, fault).await,
    }
}

/// Fresh codes; the old ones are worth nothing from here on. They are shown in the answer itself, because nobody can show
/// them again.
pub(super) async fn recovery_codes(posted: Posted) -> Response {
    let visit = &posted.visit;
    if let Err(first) = visit.proved(HOME).await {
        return first;
    }
    if !Factors::of(&visit.credentials).has_second() {
        return refused(visit, Fault::AccountChanged).await;
    }
    let context = visit.context();
    let (codes, further) = interaction::recovery_codes(&visit.user, &context);
    let mut changes = vec![interaction::enrolment(&visit.user)];
    changes.extend(further);
    changes.push(interaction::credential_event(
        Kind::CredentialEnrolled,
        CredentialKind::RecoveryCode,
        &visit.user,
        &visit.moment.correlation_id,
        &context,
    ));
    match visit.apply(&changes).await {
        Ok(()) => codes_page(visit, codes),
        Err(fault) => refused(visit, fault).await,
    }
}
