//! Login with a password.

use signet_tests::provider::{Browser, USER};

use super::{Visit, csrf, is_consent, is_login, outcome, person, shown, start};

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_login_shows_one_and_the_same_page() {
    let provider = start().await;
    person(&provider, "carol", true).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let mut bodies = std::collections::BTreeSet::new();
    let long = "x".repeat(1025);
    for (username, password) in [
        (USER.0, "wrong"),
        (USER.0, " a good password"),
        (USER.0, "A good password"),
        (USER.0, ""),
        (USER.0, &long),
        ("nobody", USER.1),
        ("carol", USER.1),
        ("", USER.1),
        ("' or '1'='1", "' or '1'='1"),
        ("\u{43b}\u{43e}\u{433}\u{438}\u{43d}", "\u{1f511}"),
    ] {
        let page = visit.submit("login", &[("username", username), ("password", password)]).await;
        assert_eq!(page.status, 401, "{username}");
        assert!(page.body.contains("The user name or password is wrong."), "{username}");
        assert!(page.header("set-cookie").is_empty(), "{username}");
        let typed = signet_tests::provider::between(&page.body, "type=\"text\" value=\"", "\"").to_owned();
        let general = page.body.replacen(&format!("value=\"{typed}\""), "value=\"\"", 1);
        let general = general.replace(page.correlation_id(), "");
        bodies.insert(general.replace(" autofocus", ""));
        assert!(!page.body.contains(USER.1), "a password is not shown again");
    }
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert!(is_login(&visit.page().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_logins_are_in_the_audit_trail_of_their_request() {
    let provider = start().await;
    let mut browser = Browser::default();
    let accepted = provider.authorize(&signet_tests::rp::Rp::new("rp"), &[], Some(&mut browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let mut visit = Visit { provider: &provider, browser: &mut browser, path };
    visit.submit("login", &[("username", USER.0), ("password", "wrong")]).await;
    let events = provider.audit(accepted.correlation_id()).await;
    let refused = events.iter().find(|event| event.kind == "login.refused").unwrap();
    assert_eq!(refused.reason.as_deref(), Some("credentials_wrong"));
    assert!(!serde_json::to_string(&refused.detail).unwrap().contains("wrong"), "no password in the trail");
    visit.log_in(USER.0).await;
    visit.accept().await;
    let kinds: std::collections::BTreeSet<_> =
        provider.audit(accepted.correlation_id()).await.into_iter().map(|event| event.kind).collect();
    for kind in ["authorize.accepted", "login.refused", "login.succeeded", "authorize.responded"] {
        assert!(kinds.contains(kind), "{kind} not in {kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_may_be_typed_in_upper_case_and_with_spaces_around_it() {
    let provider = start().await;
    for username in ["alice", "ALICE", "  Alice "] {
        let mut browser = Browser::default();
        let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
        let reply = visit.log_in(username).await;
        assert_eq!(reply.status, 303, "{username}");
        assert_eq!(reply.location(), format!("/auth/open{}", visit.path), "a reload sends no password again");
        assert!(is_consent(&visit.page().await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_tells_the_client_and_ends_the_interaction() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let reply = visit.submit("login", &[("decision", "deny")]).await;
    assert_eq!(outcome(&reply), "access_denied");
    assert!(reply.header("set-cookie").contains("Max-Age=0"), "{}", reply.header("set-cookie"));
    assert_eq!(shown(&visit.page().await), (400, "interaction_finished"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hint_is_filled_in_and_cannot_break_the_page() {
    let provider = start().await;
    let mut browser = Browser::default();
    let page = Visit::to(&provider, &mut browser, "rp", &[("login_hint", "bob")]).await.page().await;
    assert!(page.body.contains("value=\"bob\""));
    let nasty = "\"><script>alert(1)</script>";
    let page = Visit::to(&provider, &mut browser, "rp", &[("login_hint", nasty)]).await.page().await;
    assert!(!page.body.contains("<script"), "{}", page.body);
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let page = visit.submit("login", &[("username", nasty), ("password", "x")]).await;
    assert!(page.status == 401 && !page.body.contains("<script"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_and_back_never_show_a_replay_error_a61() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let first = visit.page().await;
    assert_eq!(csrf(&first), csrf(&visit.page().await), "an older copy of the page still works");
    visit.log_in(USER.0).await;
    assert!(is_consent(&visit.page().await) && is_consent(&visit.page().await));
    // Back to the login page, and its form sent again.
    let again = visit
        .post(
            "login",
            &signet_tests::provider::form(&[
                ("csrf", csrf(&first)),
                ("username", USER.0),
                ("password", USER.1),
            ]),
        )
        .await;
    assert_eq!(again.status, 303);
    assert_eq!(outcome(&visit.accept().await), "code");
    for _ in 0..2 {
        let page = visit.page().await;
        assert_eq!(shown(&page), (400, "interaction_finished"));
        assert!(page.body.contains("completed already"), "{}", page.body);
    }
    let twice = visit.post("consent", "decision=accept").await;
    assert_eq!(shown(&twice), (400, "interaction_finished"));
}
