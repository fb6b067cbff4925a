//! Mail, and the links in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use signet_core::audit::By;
use signet_core::change::Change;
use signet_core::client_policy::Mode;
use signet_core::fault::Fault;
use signet_core::people::QUIET;
use signet_core::provision::UserDeclaration;
use signet_core::records::LinkPurpose;
use signet_server::config::Config;
use signet_server::edge::Clock;
use signet_server::fetch::Fetcher;
use signet_server::mail::{Mail, Mailer};
use signet_server::node::{self, Setup};
use signet_server::people::{self, Cause};
use signet_tests::provider::{Browser, ISSUER, Provider, Reply, USER, between, form};

use super::{csrf, page_of, silently, start, submit, visit};

/// Asks for a link, and waits for as many mails as are to be written: the answer does not wait for them. Where there is to be
/// none, one gets a while to be written all the same.
async fn forgotten(provider: &Provider, typed: &str, count: usize) -> Reply {
    let all = mails(provider).len() + count;
    let mut browser = Browser::default();
    let page = provider.get("/account/forgot", Some(&mut browser)).await;
    let reply = submit(provider, &mut browser, &page, "/account/forgot", &[("account", typed)]).await;
    let pause = std::time::Duration::from_millis(10);
    for _ in 0..if count == 0 { 20 } else { 3_000 } {
        if count > 0 && mails(provider).len() >= all {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    assert_eq!(mails(provider).len(), all, "mails for {typed}");
    reply
}

fn mails(provider: &Provider) -> Vec<Mail> {
    provider.app.mailer.kept().unwrap()
}

/// The link's address behind the issuer, and its secret.
fn link(mail: &Mail) -> (String, String) {
    let url = mail.text.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    let path = url.strip_prefix(ISSUER).unwrap().to_owned();
    let token = path.split("token=").nth(1).unwrap().to_owned();
    (path, token)
}

fn choice(token: &str, password: &str) -> String {
    form(&[("token", token), ("password", password), ("password_again", password)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_chosen_anew_by_mail_and_ends_all_sessions() {
    let provider = start().await;
    let mut browser = Browser::default();
    visit(&provider, &mut browser, "/account").await;
    forgotten(&provider, " ALICE ", 1).await;
    let [mail] = mails(&provider).try_into().unwrap();
    assert_eq!(mail.to, "alice@example.org");
    let (path, token) = link(&mail);
    for _ in 0..2 {
        let page = provider.get(&path, None).await;
        assert_eq!((page.status.as_u16(), page_of(&page)), (200, "choose"), "looking uses nothing up");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
    }
    let short = provider.post("/account/link", choice(&token, "short"), None).await;
    assert_eq!((short.status.as_u16(), page_of(&short)), (400, "choose"));
    let done = provider.post("/account/link", choice(&token, "a new password"), None).await;
    assert_eq!((done.status.as_u16(), page_of(&done)), (200, "chosen"), "{}", done.body);
    assert!(done.header("set-cookie").is_empty(), "nobody is signed in by a link");
    assert_eq!(silently(&provider, &mut browser).await, "login_required");
    for reply in [
        provider.post("/account/link", choice(&token, "a newer password"), None).await,
        provider.get(&path, None).await,
    ] {
        assert_eq!(reply.status, 400);
        assert!(reply.body.contains("link_unusable"), "{}", reply.body);
    }
    let trail = serde_json::to_string(
        &provider
            .app
            .store
            .audit(&"default".into(), &signet_store::AuditFilter { limit: 1000, ..Default::default() })
            .await
            .unwrap()
            .iter()
            .map(|event| (event.kind.clone(), event.detail.clone()))
            .collect::<Vec<_>>(),
    )
    .unwrap();
    assert!(trail.contains("user.link_made") && trail.contains("user.password_set"));
    assert!(!trail.contains(&token) && !trail.contains("a new password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_whether_there_is_an_account() {
    let provider = start().await;
    let mut bodies = BTreeSet::new();
    for typed in
        ["alice", "alice@example.org", "nobody", "nobody@example.org", "", "' or 1=1", &"x".repeat(300)]
    {
        let reply = forgotten(&provider, typed, usize::from(typed == "alice")).await;
        assert_eq!(reply.status, 200, "{typed}");
        bodies.insert(reply.body.replacen(csrf(&reply), "", 1));
    }
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert_eq!(mails(&provider).len(), 1, "alice was asked for twice");
    let forged = provider.post("/account/forgot", form(&[("account", "alice")]), None).await;
    assert_eq!(forged.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_who_use_a_link_at_a_time_one_wins_and_a_newer_link_ends_an_older() {
    let provider = start().await;
    forgotten(&provider, "alice", 1).await;
    let (_, older) = link(&mails(&provider)[0]);
    provider.advance(QUIET);
    forgotten(&provider, "alice", 1).await;
    let (_, token) = link(&mails(&provider)[0]);
    assert_ne!(older, token);
    assert_eq!(provider.post("/account/link", choice(&older, "a new password"), None).await.status, 400);
    let attempts = (0..6).map(|n| {
        let (provider, body) = (&provider, choice(&token, &format!("password number {n}")));
        async move { provider.post("/account/link", body, None).await.status.as_u16() }
    });
    let mut statuses = futures_util::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400, 400, 400, 400]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_its_time_and_with_its_account() {
    let provider = start().await;
    forgotten(&provider, "alice", 1).await;
    let (path, token) = link(&mails(&provider)[0]);
    provider.advance(1_799);
    assert_eq!(provider.get(&path, None).await.status, 200);
    provider.advance(1);
    assert_eq!(provider.get(&path, None).await.status, 400);
    assert_eq!(provider.post("/account/link", choice(&token, "a new password"), None).await.status, 400);
    forgotten(&provider, "alice", 1).await;
    let (path, _) = link(&mails(&provider)[0]);
    let mut alice = provider.person(USER.0).await;
    (alice.disabled, alice.version) = (true, alice.version + 1);
    provider.app.store.apply(&alice.tenant.clone(), &[Change::UpdateUser(alice)]).await.unwrap();
    assert_eq!(provider.get(&path, None).await.status, 400);
    let before = mails(&provider).len();
    forgotten(&provider, "alice", 0).await;
    assert_eq!(mails(&provider).len(), before, "no mail for a disabled account");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_does_not_get_around_a_second_factor() {
    let provider = start().await;
    provider.enrol(USER.0).await;
    forgotten(&provider, "alice", 1).await;
    let (_, token) = link(&mails(&provider)[0]);
    provider.post("/account/link", choice(&token, USER.1), None).await;
    let mut browser = Browser::default();
    assert_eq!(page_of(&visit(&provider, &mut browser, "/account").await), "second");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_with_an_address_gets_a_mail_of_their_own() {
    let provider = start().await;
    for name in ["bob", "carol"] {
        let claims = serde_json::json!({ "email": "Alice@Example.org" }).as_object().cloned().unwrap();
        let user = UserDeclaration {
            username: name.into(),
            disabled: false,
            password: None,
            password_hash: None,
            claims,
            role: None,
        };
        provider.provisioner().user(&"default".into(), &user).await.unwrap();
    }
    forgotten(&provider, "alice@example.org", 3).await;
    let all = mails(&provider);
    assert_eq!(all.len(), 3);
    assert_eq!(all.iter().map(|mail| link(mail).1).collect::<BTreeSet<_>>().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_that_is_somebodys_address_keeps_no_mail_from_them() {
    let provider = start().await;
    for email in ["mallory@example.org", "alice@example.org"] {
        let claims = serde_json::json!({ "email": email }).as_object().cloned().unwrap();
        let user = UserDeclaration {
            username: "alice@example.org".into(),
            disabled: false,
            password: None,
            password_hash: None,
            claims,
            role: None,
        };
        provider.provisioner().user(&"default".into(), &user).await.unwrap();
        provider.advance(QUIET);
        let before = mails(&provider).len();
        forgotten(&provider, "alice@example.org", 2).await;
        let all = mails(&provider);
        let mut to: Vec<&str> = all[..all.len() - before].iter().map(|mail| mail.to.as_str()).collect();
        to.sort_unstable();
        assert_eq!(to, ["alice@example.org", email], "each account once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_shown_in_development() {
    let provider = start().await;
    forgotten(&provider, "alice", 1).await;
    let at = |host: &str, path: &str| {
        let request = axum::http::Request::get(path).header("host", host);
        provider.raw(request.body(axum::body::Body::empty()).unwrap())
    };
    let get = |path: &str| at("id.example", &format!("/auth/open{path}"));
    let list = get("/dev/mail").await;
    assert!(list.status == 200 && list.body.contains("href=\"/auth/open/dev/mail/1\""), "{}", list.body);
    // A page of somebody else that has this address in its name reads nothing (DNS rebinding).
    for path in ["/dev/mail", "/dev/mail/1", "/auth/open/dev/mail", "/auth/open/dev/mail/1"] {
        assert_eq!(at("evil.example", path).await.status, 404, "{path}");
    }
    let mail = get("/dev/mail/1").await;
    assert!(
        mail.body.contains(&format!("id=\"mail-link\" href=\"{ISSUER}/account/link?token=")),
        "{}",
        mail.body
    );
    assert_eq!(get("/dev/mail/2").await.status, 404);
    assert_eq!(get("/dev/mail/0").await.status, 404);
    assert!(between(&mail.body, "<h1>", "</h1>").contains("A new password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_on_ends_no_link_and_sends_no_mail() {
    let provider = start().await;
    let alice = provider.person(USER.0).await;
    let sources = provider.app.sources(provider.now());
    let view = provider.app.tenancy.find(Some("id.example"), "/auth/open", &sources).await;
    let (view, _) = view.unwrap().unwrap();
    let cause = Cause { correlation_id: "c", by: Some(&By::CommandLine), now: provider.now() };
    let sent =
        people::send_link(&provider.app, &view, &alice, LinkPurpose::PasswordReset, cause).await.unwrap();
    let (reset, _) = link(&mails(&provider)[0]);
    assert!(sent.mailed && sent.url.ends_with(&reset));
    forgotten(&provider, "alice", 1).await;
    let (first, token) = link(&mails(&provider)[0]);
    provider.advance(QUIET - 1);
    for typed in ["alice", "alice@example.org", "ALICE"] {
        forgotten(&provider, typed, 0).await;
    }
    assert_eq!(mails(&provider).len(), 2, "what was sent just now is left alone");
    for path in [&reset, &first] {
        assert_eq!(provider.get(path, None).await.status, 200, "{path}");
    }
    provider.advance(1);
    forgotten(&provider, "alice", 1).await;
    let (second, _) = link(&mails(&provider)[0]);
    assert_eq!(mails(&provider).len(), 3);
    assert_eq!(provider.get(&first, None).await.status, 400, "the newer one took its place");
    for path in [&reset, &second] {
        assert_eq!(provider.get(path, None).await.status, 200, "{path}");
    }
    // One that is good no more, because the account was written since, is in nobody's way.
    provider.advance(1);
    let mut alice = provider.person(USER.0).await;
    (alice.version, alice.updated_at) = (alice.version + 1, provider.now());
    provider.app.store.apply(&alice.tenant.clone(), &[Change::UpdateUser(alice)]).await.unwrap();
    provider.advance(1);
    assert_eq!(provider.get(&second, None).await.status, 400);
    forgotten(&provider, "alice", 1).await;
    let (_, newest) = link(&mails(&provider)[0]);
    assert_ne!(newest, token);
    assert_eq!(provider.post("/account/link", choice(&newest, "a new password"), None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_holds_no_address_that_somebody_chose_as_their_user_name() {
    let provider = start().await;
    let name = "https://evil.example/claim-your-prize";
    let claims = serde_json::json!({ "email": "stranger@example.org" }).as_object().cloned().unwrap();
    let declared = UserDeclaration {
        username: name.into(),
        disabled: false,
        password: None,
        password_hash: None,
        claims,
        role: None,
    };
    provider.provisioner().user(&"default".into(), &declared).await.unwrap();
    forgotten(&provider, name, 1).await;
    let [mail] = mails(&provider).try_into().unwrap();
    assert_eq!(mail.to, "stranger@example.org");
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"), "{}", mail.text);
    let page = provider.get("/dev/mail/1", None).await;
    assert!(
        page.body.contains(&format!("id=\"mail-link\" href=\"{ISSUER}/account/link?token=")),
        "{}",
        page.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_refused_ends_no_link_and_asking_on_uses_no_mails_up() {
    let provider = start().await;
    let claims = serde_json::json!({ "email": "bob@example.org" }).as_object().cloned().unwrap();
    let declared = UserDeclaration {
        username: "bob".into(),
        disabled: false,
        password: None,
        password_hash: None,
        claims,
        role: None,
    };
    provider.provisioner().user(&"default".into(), &declared).await.unwrap();
    let bob = provider.person("bob").await;
    // Rate limits hold in production only.
    let config = Config::load(None).unwrap();
    let setup = Setup {
        store: provider.app.store.clone(),
        vault: provider.app.vault.clone(),
        clock: Clock::manual(Arc::new(AtomicI64::new(provider.now()))),
        mode: Mode::Production,
        demo_users: None,
        fetcher: Fetcher::new(&config.fetch, Mode::Production).unwrap(),
        mailer: Mailer::outbox(),
    };
    let app = node::assemble(setup, &config);
    let view = app.tenancy.find(Some("id.example"), "/auth/open", &app.sources(provider.now())).await;
    let (view, _) = view.unwrap().unwrap();
    let ask = async |now| {
        people::send_forgotten(&app, &view, &bob, Cause { correlation_id: "c", by: None, now }).await
    };
    let newest = || (app.mailer.kept().unwrap().len(), link(&app.mailer.kept().unwrap()[0]).1);
    let now = provider.now();
    for seconds in 0..20 {
        assert_eq!(ask(now + seconds).await, Ok(()));
    }
    let (sent, first) = newest();
    assert_eq!(sent, 1, "what was sent just now is left alone");
    assert_eq!(ask(now + QUIET).await, Ok(()));
    let (sent, second) = newest();
    assert!(sent == 2 && second != first, "those that were not sent were not counted");
    while app.limits.mail(&view.tenant.id, "bob@example.org").is_ok() {}
    let later = now + 2 * QUIET;
    assert_eq!(ask(later).await, Err(Fault::AttemptsExhausted));
    assert_eq!(newest(), (2, second.clone()));
    people::open_link(&app, &view, &second, later).await.unwrap();
}
