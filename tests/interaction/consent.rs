//! Consent (OpenID Connect Core section 3.1.2.4).

use signet_tests::provider::{Browser, USER, form};

use super::{Visit, csrf, is_consent, is_login, outcome, shown, start};

#[tokio::test(flavor = "multi_thread")]
async fn denying_tells_the_client_and_remembers_nothing() {
    let provider = start().await;
    let mut browser = Browser::default();
    for _ in 0..2 {
        let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
        if is_login(&visit.page().await) {
            visit.log_in(USER.0).await;
        }
        assert!(is_consent(&visit.page().await));
        assert_eq!(outcome(&visit.submit("consent", &[("decision", "deny")]).await), "access_denied");
        assert_eq!(shown(&visit.page().await), (400, "interaction_finished"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_is_remembered_and_more_is_asked_for() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("scope", "openid profile")]).await;
    visit.log_in(USER.0).await;
    assert_eq!(outcome(&visit.accept().await), "code");
    for (changes, asks) in [
        (vec![("scope", "openid profile")], false),
        (vec![("scope", "openid")], false),
        (vec![("scope", "openid profile"), ("prompt", "consent")], true),
        (vec![("scope", "openid email")], true),
        // Claims asked for one by one stand for their scope.
        (vec![("scope", "openid"), ("claims", r#"{"userinfo":{"email":null}}"#)], true),
        (vec![("scope", "openid"), ("claims", r#"{"id_token":{"name":null}}"#)], false),
    ] {
        let page = Visit::to(&provider, &mut browser, "rp", &changes).await.page().await;
        assert_eq!(is_consent(&page), asks, "{changes:?}: {}", page.status);
        if !asks {
            assert_eq!(outcome(&page), "code", "{changes:?}");
        }
    }
    // What is remembered grows.
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("scope", "openid email")]).await;
    assert_eq!(outcome(&visit.accept().await), "code");
    let page =
        Visit::to(&provider, &mut browser, "rp", &[("scope", "openid email profile")]).await.page().await;
    assert_eq!(outcome(&page), "code");
    // It is this person's and this client's alone.
    let mut other = Browser::default();
    let mut visit = Visit::to(&provider, &mut other, "rp", &[]).await;
    visit.log_in("bob").await;
    assert!(is_consent(&visit.page().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_names_who_asks_for_what_and_for_whom() {
    let provider = start().await;
    let mut declaration = signet_tests::rp::Rp::new("named").declaration();
    declaration.settings.client_name = "Boats & <Oars>".into();
    declaration.settings.policy_uri = Some("https://named.example/privacy".into());
    provider.register(&declaration).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "named", &[("scope", "openid profile email")]).await;
    visit.log_in(USER.0).await;
    let page = visit.page().await;
    for text in ["Boats &#38; &#60;Oars&#62;", "Alice Virtanen (alice)", "https://named.example/privacy"] {
        assert!(page.body.contains(text), "{text} not in {}", page.body);
    }
    assert_eq!(page.body.matches("<li>").count(), 3, "{}", page.body);
    assert!(!page.body.contains("<Oars>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_client_asks_only_where_its_request_says_so() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "trusted", &[]).await;
    visit.log_in(USER.0).await;
    assert_eq!(outcome(&visit.page().await), "code");
    let mut visit = Visit::to(&provider, &mut browser, "trusted", &[("prompt", "consent")]).await;
    assert!(is_consent(&visit.page().await));
    assert_eq!(outcome(&visit.accept().await), "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_not_asked_for_gives_nothing() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let page = visit.submit("consent", &[("decision", "accept")]).await;
    assert_eq!(shown(&page), (403, "form_forged"), "the token of the login page is for the login alone");
    visit.log_in(USER.0).await;
    for fields in [vec![], vec![("decision", "")], vec![("decision", "maybe")], vec![("decision", "Accept")]]
    {
        assert_eq!(shown(&visit.submit("consent", &fields).await), (400, "form_malformed"), "{fields:?}");
    }
    // The session ended in another tab: the person is asked to log in, whatever the form says.
    let page = visit.page().await;
    let body = form(&[("csrf", csrf(&page)), ("decision", "accept")]);
    let logout = provider.get("/logout", Some(visit.browser)).await;
    provider.post("/logout/confirm", form(&[("csrf", csrf(&logout))]), Some(visit.browser)).await;
    assert!(is_login(&visit.post("consent", &body).await));
    visit.log_in(USER.0).await;
    assert_eq!(outcome(&visit.post("consent", &body).await), "code");
}
