//! People make accounts (Initiating User Registration via OpenID Connect).

use signet_core::records::TenantSettings;
use signet_tests::front::peek;
use signet_tests::provider::{Browser, ISSUER, Provider, USER};
use signet_tests::rp::Rp;

use super::{Visit, is_consent, is_login, outcome, shown, signed_in, start};

const GRACE: [(&str, &str); 5] = [
    ("username", "Grace"),
    ("password", "a long password"),
    ("password_again", "a long password"),
    ("name", "Grace <Hopper>"),
    ("email", "grace@example.org"),
];

/// A tenant that lets people in.
async fn open() -> Provider {
    let provider = start().await;
    let settings = TenantSettings { self_registration: true, ..TenantSettings::default() };
    provider.tenant("default", ISSUER, settings).await;
    provider
}

fn changed<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    GRACE.iter().map(|field| if field.0 == name { (name, value) } else { *field }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn prompt_create_shows_the_form_and_logs_the_new_person_in() {
    let provider = open().await;
    let metadata = provider.get("/.well-known/openid-configuration", None).await.json();
    assert!(metadata["prompt_values_supported"].as_array().unwrap().contains(&"create".into()));
    let mut browser = Browser::default();
    // Whoever is signed in already wants another account.
    signed_in(&provider, &mut browser, USER.0).await;
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("prompt", "create")]).await;
    let page = visit.page().await;
    assert!(page.body.contains("data-page=\"register\"") && page.header("cache-control") == "no-store");
    let made = visit.submit("register", &GRACE).await;
    assert_eq!(made.status, 303, "{}", made.body);
    assert!(is_consent(&visit.page().await));
    let back = visit.accept().await;
    assert_eq!(outcome(&back), "code");
    let rp = Rp::new("rp");
    let code = back.location_param("code").unwrap();
    let tokens = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await.json();
    let user = provider.app.store.user_by_name(&"default".into(), "grace").await.unwrap().unwrap();
    assert_eq!(peek(tokens["id_token"].as_str().unwrap())["sub"], user.id.to_string());
    let claims: [(&str, serde_json::Value); 3] = [
        ("name", "Grace <Hopper>".into()),
        ("email", "grace@example.org".into()),
        ("email_verified", false.into()),
    ];
    for (name, value) in claims {
        assert_eq!(user.claims[name], value);
    }
    assert!(user.password_hash.unwrap().starts_with("$argon2id$"));
    // From now on by name and password.
    let mut other = Browser::default();
    let mut visit = Visit::to(&provider, &mut other, "rp", &[]).await;
    visit.submit("login", &[("username", "grace"), ("password", "a long password")]).await;
    assert_eq!(outcome(&visit.page().await), "code", "what Grace allowed is remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_page_leads_to_the_form_and_back() {
    let provider = open().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let page = visit.page().await;
    assert!(page.body.contains(&format!("href=\"/auth/open{}/register\"", visit.path)));
    let form = provider.get(&format!("{}/register", visit.path), Some(visit.browser)).await;
    assert!(form.body.contains("data-page=\"register\""));
    assert!(form.body.contains(&format!("href=\"/auth/open{}/login\"", visit.path)));
    let login = provider.get(&format!("{}/login", visit.path), Some(visit.browser)).await;
    assert!(is_login(&login));
    visit.log_in(USER.0).await;
    for page in ["login", "register"] {
        let later = provider.get(&format!("{}/{page}", visit.path), Some(visit.browser)).await;
        assert_eq!(later.location(), format!("/auth/open{}", visit.path), "over");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_said_and_the_rest_is_kept() {
    let provider = open().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("prompt", "create")]).await;
    for (name, value, text) in [
        ("username", "a b", "letters and digits"),
        ("username", "https://evil.example/claim-your-prize", "letters and digits"),
        ("username", "ali\u{200b}ce", "letters and digits"),
        ("username", "\u{430}lice", "of one alphabet"),
        ("username", "ALICE", "Somebody has this user name"),
        ("password", "short", "at least 8"),
        ("password_again", "another password", "not the same"),
        ("name", "", "1 to 200"),
        ("email", "grace", "not an e-mail address"),
    ] {
        let page = visit.submit("register", &changed(name, value)).await;
        assert!(page.status == 400 && page.body.contains(text), "{name}: {}", page.body);
        assert!(page.body.contains("aria-invalid=\"true\"") && page.body.contains("role=\"alert\""));
        assert!(!page.body.contains("a long password") && !page.body.contains("<Hopper>"));
    }
    let taken = provider.app.store.user_by_name(&"default".into(), USER.0).await.unwrap().unwrap();
    assert_eq!(taken.claims["name"], "Alice Virtanen", "nobody is overwritten");
    assert_eq!(visit.submit("register", &GRACE).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_from_elsewhere_make_no_account() {
    let provider = open().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("prompt", "create")]).await;
    let body = signet_tests::provider::form(&[&GRACE[..], &[("csrf", "forged")]].concat());
    assert_eq!(shown(&visit.post("register", &body).await), (403, "form_forged"));
    let stranger = provider.post(&format!("{}/register", visit.path), body, None).await;
    assert_eq!(shown(&stranger), (403, "interaction_foreign"));
    assert!(provider.app.store.user_by_name(&"default".into(), "grace").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_people_may_not_there_is_no_way_in() {
    let provider = start().await;
    let reply = provider.authorize(&Rp::new("rp"), &[("prompt", "create")], None).await;
    assert_eq!(reply.location_param("error").as_deref(), Some("invalid_request"));
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    assert!(!visit.page().await.body.contains("/register"));
    let page = provider.get(&format!("{}/register", visit.path), Some(visit.browser)).await;
    assert_eq!(shown(&page), (400, "self_registration_off"));
    let csrf = super::csrf(&visit.page().await).to_owned();
    let body = signet_tests::provider::form(&[&GRACE[..], &[("csrf", csrf.as_str())]].concat());
    assert_eq!(shown(&visit.post("register", &body).await), (403, "form_forged"));
}
