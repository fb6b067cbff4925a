//! What others do to account and session while somebody signs in.

use std::sync::Arc;

use futures_util::future::FutureExt as _;
use signet_core::change::Change;
use signet_core::ids::TokenHash;
use signet_core::people;
use signet_core::records::User;
use signet_server::config::Config;
use signet_server::edge::SystemEntropy;
use signet_store::AuditFilter;
use signet_store_sqlite::SqliteStore;
use signet_tests::provider::{Browser, Provider, Reply, USER};
use signet_tests::rp::Rp;

use super::{Visit, is_consent, is_login, outcome, signed_in, start, trusting};

/// A provider that hashes one password at a time.
async fn slow() -> Provider {
    let mut config = Config::load(None).unwrap();
    (config.crypto.hashing_threads, config.crypto.hashing_queue) = (1, 1);
    trusting(Provider::with(Arc::new(SqliteStore::ephemeral().await.unwrap()), &config).await).await
}

/// A login that has read the account, and waits for the hashing of its password while `changes` are written.
async fn login_beside(provider: &Provider, visit: &mut Visit<'_>, changes: &[Vec<Change>]) -> Reply {
    let hashing = provider.app.hashing.clone();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (begin, has_begun) = tokio::sync::oneshot::channel();
    let held = tokio::spawn(async move { hashing.run(move || begin.send(()).and(Ok(wait.recv()))).await });
    has_begun.await.unwrap();
    let meanwhile = async {
        // The queue has one place. Once it is taken, the login has read what it judges.
        while provider.app.hashing.run(|| ()).now_or_never().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        for changes in changes {
            provider.app.store.apply(&"default".into(), changes).await.unwrap();
        }
        release.send(()).unwrap();
    };
    let (reply, ()) = tokio::join!(visit.log_in(USER.0), meanwhile);
    held.await.unwrap().unwrap().unwrap().unwrap();
    reply
}

fn end(user: &User, now: i64) -> Change {
    Change::EndUserSessions { user_id: user.id, keep: None, at: now }
}

/// As an administrator gives another one, or a link does.
fn another_password(user: &User, provider: &Provider) -> Vec<Change> {
    let context = provider.context(&SystemEntropy);
    let mut changes = people::password(user, "$argon2id$of-another".into(), "test", "c", &context);
    changes.push(end(user, provider.now()));
    changes
}

fn disabled(user: &User, disabled: bool, provider: &Provider) -> Vec<Change> {
    let next = User { disabled, version: user.version + 1, ..user.clone() };
    vec![Change::UpdateUser(next), end(user, provider.now())]
}

// One thread: what is tried on the queue for a moment is in nobody's way.
#[tokio::test]
async fn a_login_with_the_old_password_does_not_outlive_its_change() {
    let provider = slow().await;
    let user = provider.person(USER.0).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let reply = login_beside(&provider, &mut visit, &[another_password(&user, &provider)]).await;
    assert_eq!(reply.status, 409, "{}", reply.body);
    assert!(reply.body.contains("data-page=\"login\"") && reply.header("set-cookie").is_empty());
    let sessions = provider.app.store.user_sessions(&user.tenant, user.id, provider.now()).await.unwrap();
    assert_eq!(sessions, []);
    assert!(is_login(&visit.page().await));
    assert_eq!(visit.log_in(USER.0).await.status, 401, "and the old one is no good any more");
    let reason = Some("account_changed".to_owned());
    let filter = AuditFilter { reason, limit: 9, ..AuditFilter::default() };
    let told = provider.app.store.audit(&user.tenant, &filter).await.unwrap();
    assert_eq!(told.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["login.refused"]);
}

#[tokio::test]
async fn a_login_does_not_outlive_being_disabled_or_removed_meanwhile() {
    let provider = slow().await;
    let user = provider.person(USER.0).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let again = User { version: user.version + 1, ..user.clone() };
    let changes = [disabled(&user, true, &provider), disabled(&again, false, &provider)];
    let reply = login_beside(&provider, &mut visit, &changes).await;
    assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (409, ""), "{}", reply.body);
    // Enabled again, they sign in as ever.
    assert_eq!(visit.log_in(USER.0).await.status, 303);
    assert!(is_consent(&visit.page().await));

    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let reply = login_beside(&provider, &mut visit, &[vec![Change::DeleteUser(user.id)]]).await;
    assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (409, ""), "{}", reply.body);
    assert_eq!(visit.log_in(USER.0).await.status, 401);
}

/// Who goes on in a session proves themselves within it, so it must be there.
#[tokio::test]
async fn a_session_that_ends_during_a_login_is_not_gone_on_with() {
    let provider = slow().await;
    let user = provider.person(USER.0).await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("prompt", "login")]).await;
    let reply = login_beside(&provider, &mut visit, &[vec![end(&user, provider.now())]]).await;
    assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (303, ""), "{}", reply.body);
    assert!(is_login(&visit.page().await));
    assert_eq!(visit.log_in(USER.0).await.status, 303);
    assert_eq!(outcome(&visit.page().await), "code");
}

/// All sessions end while a response is made in one of them: nothing of it is worth anything.
#[tokio::test(flavor = "multi_thread")]
async fn no_code_of_a_session_that_ends_meanwhile_is_redeemed() {
    let provider = start().await;
    let (rp, user) = (Rp::new("trusted"), provider.person(USER.0).await);
    for round in 0..24_u64 {
        let mut browser = Browser::default();
        let mut visit = Visit::to(&provider, &mut browser, "trusted", &[]).await;
        visit.log_in(USER.0).await;
        let store = provider.app.store.clone();
        let (change, tenant) = (end(&user, provider.now()), user.tenant.clone());
        let ends = tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_micros(round * 150)).await;
            store.apply(&tenant, &[change]).await.unwrap();
        });
        let reply = visit.page().await;
        ends.await.unwrap();
        if let Some(code) = reply.location_param("code") {
            let refused = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await;
            assert_eq!(refused.json()["error"], "invalid_grant", "{round}: {}", refused.body);
        } else {
            // Asked anew, at once or upon what came first.
            let page = visit.page().await;
            assert!(is_login(&page), "{round}: {} {}", page.status, page.location());
        }
    }
    // Whoever comes back with a session that has ended is asked, and gets no code.
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "trusted", &[]).await;
    visit.log_in(USER.0).await;
    let hash = TokenHash::of(super::sessions::session(visit.browser).split('=').nth(1).unwrap());
    provider.app.store.apply(&user.tenant, &[Change::DeleteSession(hash)]).await.unwrap();
    assert!(is_login(&visit.page().await));
}
