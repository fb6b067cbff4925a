//! The account pages.

use futures_util::future::join_all;
use signet_core::audit::By;
use signet_core::change::{Change, Conflict};
use signet_core::ids::TokenHash;
use signet_core::records::{AuditEvent, CredentialKind, LinkPurpose, Role, User};
use signet_server::edge::SystemEntropy;
use signet_server::people::{Leaving, sessions_ending};
use signet_store::{AuditFilter, StoreError};
use signet_tests::provider::{Browser, Provider, USER, between, form};
use signet_tests::rp::Rp;
use signet_tests::second::{shown_codes, shown_secret};

use super::{action, csrf, page_of, silently, start, submit, visit};

const PAGES: &[&str] = &["/account", "/account/security", "/account/sessions", "/account/applications"];

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_signs_in_and_comes_back() {
    let provider = start().await;
    for page in PAGES {
        let mut browser = Browser::default();
        let shown = visit(&provider, &mut browser, page).await;
        assert_eq!(shown.status, 200, "{page}: {}", shown.body);
        assert!(page_of(&shown).starts_with("account"), "{page}: {}", page_of(&shown));
        assert!(shown.body.contains("Alice Virtanen (alice)"));
        assert!(shown.header("content-security-policy").starts_with("default-src 'none'; style-src"));
    }
    let home = provider.get("/", Some(&mut signed_in(&provider).await)).await;
    assert!(home.body.contains("href=\"/auth/open/account\""), "{}", home.body);
}

async fn signed_in(provider: &Provider) -> Browser {
    let mut browser = Browser::default();
    visit(provider, &mut browser, "/account").await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_by_a_form_that_is_not_ours() {
    let provider = start().await;
    let mut browser = signed_in(&provider).await;
    for path in [
        "/account",
        "/account/password",
        "/account/sessions/end",
        "/account/sessions/end-others",
        "/account/applications/revoke",
        "/account/passkeys/new",
        "/account/credentials/rename",
        "/account/credentials/remove",
        "/account/authenticator",
        "/account/recovery-codes",
    ] {
        for body in ["name=Eve".to_owned(), form(&[("csrf", "0000"), ("name", "Eve")])] {
            let reply = provider.post(path, body, Some(&mut browser)).await;
            assert_eq!(reply.status, 403, "{path}");
        }
        let stranger = provider.post(path, String::new(), Some(&mut Browser::default())).await;
        assert!(stranger.location().starts_with("/auth/open/authorize?"), "{path} {}", stranger.location());
    }
    let alice = provider.person(USER.0).await;
    assert_eq!(alice.version, 1);
    // Each of the forged forms is told of, with whom it was to work for.
    let filter = AuditFilter { kind: Some("account.refused".into()), limit: 100, ..AuditFilter::default() };
    let told = provider.app.store.audit(&alice.tenant, &filter).await.unwrap();
    assert_eq!(told.len(), 20);
    let forged = |event: &AuditEvent| {
        event.reason.as_deref() == Some("form_forged") && event.user_id == Some(alice.id)
    };
    assert!(told.iter().all(forged), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_is_written_by_its_person_and_not_over_somebody_elses_change() {
    let provider = start().await;
    let mut browser = signed_in(&provider).await;
    let page = visit(&provider, &mut browser, "/account").await;
    let good = [("version", "1"), ("name", "<b>Alice</b>"), ("email", "alice@example.org")];
    let saved = submit(&provider, &mut browser, &page, "/account", &good).await;
    assert_eq!((saved.status.as_u16(), saved.location()), (303, "/auth/open/account?done=profile"));
    let page = visit(&provider, &mut browser, "/account?done=profile").await;
    assert!(page.body.contains("Your profile is saved.") && page.body.contains("&#60;b&#62;Alice"));
    assert!(!page.body.contains("<b>Alice"));
    let user = provider.person(USER.0).await;
    assert_eq!((user.version, &user.claims["email_verified"]), (2, &true.into()));
    let late = submit(&provider, &mut browser, &page, "/account", &good).await;
    assert_eq!(late.status, 409);
    let bad = [("version", "2"), ("name", "A"), ("email", "nobody")];
    let page_again = submit(&provider, &mut browser, &page, "/account", &bad).await;
    assert_eq!(page_again.status, 400);
    assert!(page_again.body.contains("value=\"nobody\""), "what was typed is kept");
    let moved = [("version", "2"), ("name", "A"), ("email", "new@example.org")];
    submit(&provider, &mut browser, &page, "/account", &moved).await;
    assert_eq!(provider.person(USER.0).await.claims["email_verified"], false);
    // Links for a forgotten password go there, so a proof that is old is not enough for another one.
    provider.advance(601);
    let page = visit(&provider, &mut browser, "/account").await;
    let again = [("version", "3"), ("name", "A"), ("email", "eve@example.org")];
    let first = submit(&provider, &mut browser, &page, "/account", &again).await;
    assert!(first.location().contains("max_age=600"), "{}", first.location());
    let again = [("version", "3"), ("name", "B"), ("email", "new@example.org")];
    assert!(submit(&provider, &mut browser, &page, "/account", &again).await.location().ends_with("profile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_needs_the_present_one_and_ends_the_other_sessions() {
    let provider = start().await;
    let (mut here, mut there) = (signed_in(&provider).await, signed_in(&provider).await);
    let page = visit(&provider, &mut here, "/account/password").await;
    let change = |old: &'static str, new: &'static str, again: &'static str| {
        [("password", old), ("new_password", new), ("new_password_again", again)]
    };
    for (wrong, status) in [
        (change("wrong", "another password", "another password"), 401),
        (change("", "another password", "another password"), 401),
        (change(USER.1, "short", "short"), 400),
        (change(USER.1, "another password", "different password"), 400),
    ] {
        let reply = submit(&provider, &mut here, &page, "/account/password", &wrong).await;
        assert_eq!(reply.status, status, "{wrong:?}");
    }
    assert_eq!(silently(&provider, &mut there).await, "consent_required");
    let good = change(USER.1, "another password", "another password");
    let reply = submit(&provider, &mut here, &page, "/account/password", &good).await;
    assert!(reply.location().ends_with("done=password"), "{} {}", reply.status, reply.body);
    assert_eq!(silently(&provider, &mut there).await, "login_required");
    assert_eq!(silently(&provider, &mut here).await, "consent_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_shown_and_ended_and_nobody_elses() {
    let provider = start().await;
    let (mut here, mut there) = (signed_in(&provider).await, signed_in(&provider).await);
    let page = visit(&provider, &mut here, "/account/sessions").await;
    assert_eq!(page.body.matches("Another browser").count(), 1);
    assert_eq!(page.body.matches("This browser").count(), 1);
    let sid = between(&page.body, "name=\"sid\" value=\"", "\"").to_owned();
    // Of somebody else's account it is as unknown as none.
    super::users::person(&provider, "bob").await;
    let alice = provider.person(USER.0).await;
    let sessions = |at| provider.app.store.user_sessions(&alice.tenant, alice.id, at);
    assert_eq!(sessions(provider.now()).await.unwrap().len(), 2);
    let ended = submit(&provider, &mut here, &page, "/account/sessions/end", &[("sid", &sid)]).await;
    assert!(ended.location().ends_with("done=session"));
    assert_eq!(silently(&provider, &mut there).await, "login_required");
    let mut third = signed_in(&provider).await;
    submit(&provider, &mut here, &page, "/account/sessions/end-others", &[]).await;
    assert_eq!(silently(&provider, &mut third).await, "login_required");
    assert_eq!(sessions(provider.now()).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_is_shown_and_taken_back_with_its_tokens() {
    let provider = start().await;
    let mut browser = Browser::default();
    let tokens = provider.tokens(&Rp::new("rp"), &[], &mut browser).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(provider.userinfo(access).await.status, 200);
    let page = visit(&provider, &mut browser, "/account/applications").await;
    assert!(page.body.contains("name=\"client_id\" value=\"rp\""), "{}", page.body);
    let none = [("client_id", "unknown")];
    submit(&provider, &mut browser, &page, "/account/applications/revoke", &none).await;
    assert_eq!(provider.userinfo(access).await.status, 200);
    let rp = [("client_id", "rp")];
    let gone = submit(&provider, &mut browser, &page, "/account/applications/revoke", &rp).await;
    assert!(gone.location().ends_with("done=application"));
    assert_eq!(provider.userinfo(access).await.status, 401);
    let page = visit(&provider, &mut browser, "/account/applications").await;
    assert!(page.body.contains("id=\"no-applications\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticator_application_is_set_up_and_the_session_goes_on() {
    let provider = start().await;
    let mut browser = signed_in(&provider).await;
    let page = visit(&provider, &mut browser, "/account/authenticator").await;
    let (shared, sealed) =
        (shown_secret(&page), between(&page.body, "name=\"enrolment\" value=\"", "\"").to_owned());
    let code = provider.code_of(&shared);
    let wrong = [("code", "000000"), ("enrolment", sealed.as_str())];
    let again = submit(&provider, &mut browser, &page, "/account/authenticator", &wrong).await;
    assert_eq!(again.status, 401);
    assert_eq!(shown_secret(&again).text(), shared.text(), "a telephone has it already");
    // What another session was shown does not fit this one.
    let mut other = signed_in(&provider).await;
    let theirs = visit(&provider, &mut other, "/account/authenticator").await;
    let swapped = [("code", code.as_str()), ("enrolment", sealed.as_str())];
    assert_eq!(submit(&provider, &mut other, &theirs, "/account/authenticator", &swapped).await.status, 401);
    let done = submit(&provider, &mut browser, &page, "/account/authenticator", &swapped).await;
    assert_eq!((done.status.as_u16(), page_of(&done), shown_codes(&done).len()), (200, "account_codes", 10));
    let security = visit(&provider, &mut browser, "/account/security").await;
    assert!(
        security.body.contains("id=\"authenticator\"")
            && security.body.contains("<span id=\"codes-left\">10")
    );
    // A session without the second factor opens the pages no more.
    let turned = provider.get("/account/security", Some(&mut other)).await;
    assert!(turned.status.is_redirection());
    let asked = provider.get(turned.location().strip_prefix("/auth/open").unwrap(), Some(&mut other)).await;
    let asked = provider.get(asked.location().strip_prefix("/auth/open").unwrap(), Some(&mut other)).await;
    assert_eq!(page_of(&asked), "second");
    // New codes end the old ones; removing the application ends them all.
    let fresh = submit(&provider, &mut browser, &security, "/account/recovery-codes", &[]).await;
    assert!(shown_codes(&fresh).len() == 10 && shown_codes(&fresh) != shown_codes(&done));
    let id = between(&security.body, "name=\"id\" value=\"", "\"").to_owned();
    let gone =
        submit(&provider, &mut browser, &security, "/account/credentials/remove", &[("id", &id)]).await;
    assert!(gone.location().ends_with("done=authenticator-removed"), "{}", gone.body);
    let alice = provider.person(USER.0).await;
    assert!(provider.app.store.credentials(&alice.tenant, alice.id).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lets_somebody_in_needs_a_proof_of_this_moment() {
    let provider = start().await;
    let mut browser = signed_in(&provider).await;
    let security = visit(&provider, &mut browser, "/account").await;
    provider.advance(601);
    for path in ["/account/password", "/account/passkeys/new", "/account/authenticator"] {
        let reply = provider.get(path, Some(&mut browser)).await;
        assert!(reply.location().contains("max_age=600"), "{path}: {} {}", reply.status, reply.location());
        let reply = submit(&provider, &mut browser, &security, path, &[("answer", "{}")]).await;
        assert!(reply.location().contains("max_age=600"), "{path}: {} {}", reply.status, reply.location());
    }
    for path in ["/account/credentials/remove", "/account/recovery-codes"] {
        let reply = submit(&provider, &mut browser, &security, path, &[("id", "x")]).await;
        assert!(reply.location().contains("max_age=600"), "{path}: {} {}", reply.status, reply.location());
    }
    // The password is asked for again, and the way leads back.
    let page = visit(&provider, &mut browser, "/account/password").await;
    assert_eq!(page_of(&page), "account_password");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_a_new_passkey_asks_for_one_that_verifies_its_person() {
    let provider = start().await;
    let mut browser = signed_in(&provider).await;
    let page = visit(&provider, &mut browser, "/account/passkeys/new").await;
    assert!(page.header("content-security-policy").contains("script-src 'self';"), "{}", page.body);
    let options = between(&page.body, "data-options=\"", "\"").replace("&#34;", "\"");
    let options: serde_json::Value = serde_json::from_str(&options).unwrap();
    assert_eq!(options["rp"]["id"], "id.example");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "preferred");
    for answer in ["", "{}", "null"] {
        let fields = [("answer", answer), ("name", "Mine")];
        let reply = submit(&provider, &mut browser, &page, "/account/passkeys/new", &fields).await;
        assert_eq!(reply.status, 401, "{answer}");
    }
    let alice = provider.person(USER.0).await;
    let all = provider.app.store.credentials(&alice.tenant, alice.id).await.unwrap();
    assert!(all.iter().all(|one| one.kind != CredentialKind::Passkey));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_this_browser_did_not_ask_for_opens_nothing() {
    let provider = start().await;
    let begun = provider.get("/account", Some(&mut Browser::default())).await;
    let state = begun.location_param("state").unwrap();
    for path in [
        format!("/account/callback?code=x&state={state}&iss={}", signet_tests::provider::ISSUER),
        "/account/callback".to_owned(),
        "/account/callback?code=x&state=..%2F..".to_owned(),
    ] {
        let reply = provider.get(&path, Some(&mut Browser::default())).await;
        assert!(reply.status.is_client_error(), "{path}: {}", reply.status);
    }
    assert!(csrf(&visit(&provider, &mut Browser::default(), "/account").await).len() == 64);
    let page = visit(&provider, &mut Browser::default(), "/account").await;
    assert_eq!(action(&page), "/account");
}

/// Of enrolments and renewals at the same time one is written, and the others are told to look again.
#[tokio::test(flavor = "multi_thread")]
async fn of_several_enrolments_at_a_time_one_is_kept() {
    let provider = start().await;
    let alice = provider.person(USER.0).await;
    let stored = async |kind| {
        let all = provider.app.store.credentials(&alice.tenant, alice.id).await.unwrap();
        all.iter().filter(|one| one.kind == kind).count()
    };
    let browser = signed_in(&provider).await;
    let mut forms = Vec::new();
    for _ in 0..6 {
        let page = visit(&provider, &mut browser.clone(), "/account/authenticator").await;
        let code = provider.code_of(&shown_secret(&page));
        let sealed = between(&page.body, "name=\"enrolment\" value=\"", "\"");
        forms.push(form(&[("csrf", super::csrf(&page)), ("code", &code), ("enrolment", sealed)]));
    }
    let post = async |path: &'static str, body: String| {
        provider.post(path, body, Some(&mut browser.clone())).await.status.as_u16()
    };
    let posted = forms.into_iter().map(|body| post("/account/authenticator", body));
    let mut statuses = join_all(posted).await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1] >= 400), (200, true), "{statuses:?}");
    assert_eq!((stored(CredentialKind::Totp).await, stored(CredentialKind::RecoveryCode).await), (1, 10));

    let page = visit(&provider, &mut browser.clone(), "/account/security").await;
    let body = form(&[("csrf", super::csrf(&page))]);
    let renewed = join_all((0..6).map(|_| post("/account/recovery-codes", body.clone()))).await;
    assert!(
        renewed.contains(&200) && renewed.iter().all(|status| [200, 409].contains(status)),
        "{renewed:?}"
    );
    assert_eq!(stored(CredentialKind::RecoveryCode).await, 10);
}

/// What was judged in a session that somebody ends meanwhile is not written.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_begun_meanwhile_end_with_all_others_and_in_one_transaction() {
    let provider = start().await;
    let (store, alice) = (&provider.app.store, provider.person(USER.0).await);
    let (mut early, mut late) = (signed_in(&provider).await, Browser::default());
    let context = provider.context(&SystemEntropy);
    let tenants = store.tenants().await.unwrap();
    let leaving = Leaving {
        tenant: &tenants[0],
        user: alice.id,
        keep: None,
        why: "test",
        by: &By::CommandLine,
        correlation_id: "c",
    };
    let ending = sessions_ending(store.as_ref(), &leaving, &context).await.unwrap();
    assert_eq!(ending.count, 1);
    // Begun after that was loaded.
    visit(&provider, &mut late, "/account").await;
    let password = signet_core::people::password(&alice, "$of-another".into(), "test", "c", &context);
    let all = [password, ending.changes].concat();
    // Whatever goes wrong, either both are written or neither is.
    let failing = [all.clone(), vec![Change::DeleteUser(uuid::Uuid::from_u128(9))]].concat();
    store.apply(&alice.tenant, &failing).await.unwrap_err();
    assert_eq!(provider.person(USER.0).await.password_hash, alice.password_hash);
    assert_eq!(silently(&provider, &mut early).await, "consent_required");
    store.apply(&alice.tenant, &all).await.unwrap();
    for browser in [&mut early, &mut late] {
        assert_eq!(silently(&provider, browser).await, "login_required");
    }
    // A password is not changed from a session that has ended.
    let kept = TokenHash::of("ended");
    let leaving = Leaving { keep: Some(&kept), ..leaving };
    let ending = sessions_ending(store.as_ref(), &leaving, &context).await.unwrap();
    let refused = store.apply(&alice.tenant, &ending.changes).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict(Conflict::Session)), "{refused:?}");
}

/// Who may make a link for whom was judged by the account that was read.
#[tokio::test(flavor = "multi_thread")]
async fn no_link_is_made_for_an_account_that_has_changed_since_it_was_judged() {
    let provider = start().await;
    let (store, seen) = (&provider.app.store, provider.person(USER.0).await);
    let owner = User { role: Some(Role::Owner), version: seen.version + 1, ..seen.clone() };
    store.apply(&seen.tenant, &[Change::UpdateUser(owner.clone())]).await.unwrap();
    let context = provider.context(&SystemEntropy);
    let link = |user: &User| signet_core::people::link(user, LinkPurpose::PasswordReset, None, "c", &context);
    let (_, late, changes) = link(&seen);
    let refused = store.apply(&seen.tenant, &changes).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict(Conflict::Version)), "{refused:?}");
    assert_eq!(store.user_link(&seen.tenant, &late.hash).await.unwrap(), None);
    store.apply(&seen.tenant, &link(&owner).2).await.unwrap();
}
