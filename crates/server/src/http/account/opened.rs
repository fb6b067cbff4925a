//! Where people are signed in, and what they allow to whom.

use axum::response::Response;
use signet_core::audit::{self, Kind};
use signet_core::change::Change;
use signet_core::claims::Catalogue;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;

use super::visit::{Posted, Visit, answer, shown};
use crate::app::store_fault;
use crate::http::{render, screens};
use crate::pages::account::{ApplicationLine, ApplicationsPage, Section, SessionLine, SessionsPage};
use crate::pages::console::instant;
use crate::people;

pub(super) async fn sessions(visit: Visit) -> Response {
    answer(sessions_page(&visit).await)
}

async fn sessions_page(visit: &Visit) -> Result<Response, Fault> {
    let Visit { app, view, user, session, moment, .. } = visit;
    let tenant = &view.tenant.id;
    let mut lines = Vec::new();
    for one in app.store.user_sessions(tenant, user.id, moment.now).await.map_err(store_fault)? {
        let mut applications = Vec::new();
        for noted in app.store.session_clients(tenant, &one.sid).await.map_err(store_fault)? {
            let found = app.client(tenant, &noted.client_id).await?;
            applications.extend(found.map(|found| screens::client_name(&found.client)));
        }
        lines.push(SessionLine {
            is_this: one.hash == session.hash,
            since: instant(one.auth_time),
            last_seen: instant(one.last_seen),
            how: how(&one.amr),
            applications,
            sid: one.sid,
        });
    }
    let page = SessionsPage {
        shell: render::shell(view),
        frame: visit.frame(Section::Sessions, None),
        sign_out: format!("{}/logout", view.prefix),
        lines,
    };
    Ok(shown(page.render(), None))
}

/// The methods of RFC 8176 in a few words.
fn how(amr: &[String]) -> String {
    let has = |name: &str| amr.iter().any(|method| method == name);
    let passkey = has("hwk") || has("swk");
    // A recovery code has no name there.
    let code = has("otp") || (has("mfa") && !passkey);
    let ways = [(has("pwd"), "password"), (code, "code"), (passkey, "passkey")];
    let ways: Vec<&str> = ways.into_iter().filter(|(used, _)| *used).map(|(_, way)| way).collect();
    ways.join(" and ")
}

pub(super) async fn end_session(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let sid = form.get("sid").unwrap_or_default();
    let found = visit.app.store.session_by_sid(&visit.view.tenant.id, sid).await.map_err(store_fault);
    let session = match found {
        // Somebody else's is as unknown as none. One's own is ended by signing out, which takes the cookies along.
        Ok(found) => found.filter(|one| one.user_id == visit.user.id && one.hash != visit.session.hash),
        Err(fault) => return answer(Err(fault)),
    };
    if let Some(session) = session {
        let ended = people::end_session(&visit.app, &visit.view, &session, "person", visit.cause()).await;
        if let Err(fault) = ended {
            return answer(Err(fault));
        }
    }
    visit.done("/account/sessions", "session")
}

pub(super) async fn end_others(posted: Posted) -> Response {
    let Visit { app, view, user, session, .. } = &posted.visit;
    let ended =
        people::end_sessions(app, view, user, Some(&session.hash), "person", posted.visit.cause()).await;
    match ended {
        Ok(_) => posted.visit.done("/account/sessions", "sessions"),
        Err(fault) => answer(Err(fault)),
    }
}

pub(super) async fn applications(visit: Visit) -> Response {
    answer(applications_page(&visit).await)
}

async fn applications_page(visit: &Visit) -> Result<Response, Fault> {
    let Visit { app, view, user, .. } = visit;
    let tenant = &view.tenant;
    let catalogue = Catalogue::of(&tenant.settings);
    let mut lines = Vec::new();
    for consent in app.store.consents(&tenant.id, user.id).await.map_err(store_fault)? {
        let found = app.client(&tenant.id, &consent.client_id).await?;
        let title = |name: &String| {
            catalogue.find(name).map_or_else(|| name.clone(), |scope| scope.title().to_owned())
        };
        lines.push(ApplicationLine {
            client_id: consent.client_id.to_string(),
            name: found
                .map_or_else(|| consent.client_id.to_string(), |one| screens::client_name(&one.client)),
            allowed: consent.scope.iter().map(title).collect(),
            since: instant(consent.granted_at),
        });
    }
    let page = ApplicationsPage {
        shell: render::shell(view),
        frame: visit.frame(Section::Applications, None),
        lines,
    };
    Ok(shown(page.render(), None))
}

pub(super) async fn revoke(posted: Posted) -> Response {
    let Posted { visit, form } = posted;
    let client = ClientId::from(form.get("client_id").unwrap_or_default());
    let (tenant, context) = (&visit.view.tenant.id, visit.context());
    // Only what is there is told of.
    match visit.app.store.consent(tenant, visit.user.id, &client).await.map_err(store_fault) {
        Err(fault) => return answer(Err(fault)),
        Ok(None) => return visit.done("/account/applications", "application"),
        Ok(Some(_)) => {}
    }
    let event = audit::success(tenant, Kind::ConsentRevoked, &visit.moment.correlation_id, &context)
        .user(visit.user.id)
        .client(&client);
    let revoke = Change::DeleteConsent { user_id: visit.user.id, client_id: client, at: visit.moment.now };
    match visit.apply(&[revoke, event.change()]).await {
        Ok(()) => visit.done("/account/applications", "application"),
        Err(fault) => answer(Err(fault)),
    }
}
