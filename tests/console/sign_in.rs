//! Signing in to the console, and what its cookie opens.

use signet_core::builtin::CONSOLE;
use signet_core::fault::Fault;
use signet_core::ids::{ClientId, TokenHash};
use signet_core::provision::TenantDeclaration;
use signet_core::records::{Role, TenantSettings};
use signet_core::redirect;
use signet_tests::console::{Person, add_user, below, give_role};
use signet_tests::provider::{Provider, USER, form};

const COOKIE: &str = "__Host-signet-admin-default";

fn cookie(person: &Person<'_>, name: &str) -> Option<String> {
    let all = person.browser.cookie();
    all.split("; ").find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_with_a_role_come_back_to_where_they_wanted_to_go() {
    let provider = Provider::start().await;
    give_role(&provider, USER.0, Some(Role::Owner)).await;
    let mut person = Person::stranger(&provider);
    let reply = person.enter("/console/clients/a%20b?search=x&after=y", USER.0).await;
    assert_eq!(below(&reply), "/console/clients/a%20b?search=x&after=y");
    let set = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let own: Vec<&str> = set.filter(|value| value.starts_with(COOKIE)).collect();
    assert_eq!(own.len(), 1, "{own:?}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age=28800"] {
        assert!(own[0].contains(part), "{part}: {}", own[0]);
    }
    assert!(!person.browser.cookie().contains("-login-"), "the login's own cookie is gone");
    // Nobody else's addresses.
    for to in ["/console//evil.example", "/console/\\evil.example", "/consolex"] {
        let mut other = Person::stranger(&provider);
        let start = other.get(to).await;
        if start.status.is_redirection() {
            let reply = other.enter(to, USER.0).await;
            assert_eq!(below(&reply), "/console", "{to}");
        }
    }
}

/// Whoever says that everybody pushes (RFC 9126 section 5) can still sign in to take it back.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_reached_where_everybody_else_has_to_push() {
    let provider = Provider::start().await;
    give_role(&provider, USER.0, Some(Role::Owner)).await;
    let tenants = provider.app.store.tenants().await.unwrap();
    let tenant = tenants.into_iter().next().unwrap();
    let settings = TenantSettings { require_pushed_authorization_requests: true, ..tenant.settings };
    let declared = TenantDeclaration { id: None, issuer: None, settings };
    provider.provisioner().tenant(&tenant.id, &declared).await.unwrap();
    provider.app.tenancy.forget();
    let mut person = Person::stranger(&provider);
    let reply = person.enter("/console", USER.0).await;
    assert_eq!(below(&reply), "/console");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_asked_for_ends_nobodys_visit() {
    let provider = Provider::start().await;
    give_role(&provider, USER.0, Some(Role::Owner)).await;
    let mut person = Person::stranger(&provider);
    person.enter("/console", USER.0).await;
    let kept = cookie(&person, COOKIE);
    assert!(kept.is_some());
    let text = redirect::description(&Fault::AdminRoleNeeded);
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("error", "access_denied"), ("error_description", &text)])
        .finish();
    let reply = person.get(&format!("/console/callback?{query}")).await;
    assert!(reply.status.is_client_error());
    assert_eq!(cookie(&person, COOKIE), kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callback_takes_only_what_this_browser_began() {
    let provider = Provider::start().await;
    give_role(&provider, USER.0, Some(Role::Owner)).await;
    let mut person = Person::stranger(&provider);
    for path in
        ["/console/callback", "/console/callback?code=x&state=y", "/console/callback?error=access_denied"]
    {
        let reply = person.get(path).await;
        assert!(reply.status.is_client_error(), "{path}: {}", reply.status);
        assert!(cookie(&person, COOKIE).is_none(), "{path}");
    }
    // Somebody else's answer, with a good code and a good state, in a browser that did not begin it.
    let mut victim = Person::stranger(&provider);
    let start = person.get("/console").await;
    let mut at = below(&person.get(&below(&start)).await);
    let answer = loop {
        let page = person.get(&at).await;
        if page.status.is_redirection() {
            at = below(&page);
            if at.starts_with("/console/callback") {
                break at;
            }
            continue;
        }
        let csrf = signet_tests::provider::between(&page.body, "name=\"csrf\" value=\"", "\"");
        let body = form(&[("csrf", csrf), ("username", USER.0), ("password", USER.1)]);
        let path = format!("{}/login", at.trim_end_matches("/login"));
        let reply = provider.post(&path, body, Some(&mut person.browser)).await;
        at = below(&reply);
        if at.starts_with("/console/callback") {
            break at;
        }
    };
    let reply = victim.get(&answer).await;
    assert_eq!(reply.status, 403);
    assert!(cookie(&victim, COOKIE).is_none());
    // The browser that began it, with another issuer named (RFC 9207).
    let mixed = answer.replace("iss=https%3A%2F%2Fid.example", "iss=https%3A%2F%2Fevil.example");
    assert_ne!(mixed, answer);
    assert_eq!(person.get(&mixed).await.status, 403);
    assert!(cookie(&person, COOKIE).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_role_there_is_a_page_that_says_so() {
    let provider = Provider::start().await;
    let mut person = Person::stranger(&provider);
    let reply = person.enter("/console", USER.0).await;
    let page = if reply.status.is_redirection() { person.get(&below(&reply)).await } else { reply };
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(
        page.body.contains("You have no role here") && page.body.contains("Ask an owner"),
        "{}",
        page.body
    );
    // Who loses the role loses the console at once.
    give_role(&provider, USER.0, Some(Role::Auditor)).await;
    let mut person = Person::sign_in(&provider, USER.0).await;
    assert_eq!(person.get("/console/nothing").await.status, 404);
    give_role(&provider, USER.0, None).await;
    assert_eq!(person.get("/console/nothing").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_ends_with_its_time_with_the_session_and_with_signing_out() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let token = cookie(&person, COOKIE).unwrap();
    // Nothing but a token of the console opens it.
    let rp = signet_tests::rp::Rp::new("app");
    provider.register(&rp.declaration()).await;
    let mut browser = signet_tests::provider::Browser::default();
    let tokens = provider.tokens(&rp, &[], &mut browser).await;
    let other = format!("{COOKIE}={}", tokens["access_token"].as_str().unwrap());
    let request = axum::http::Request::get("/console").header("cookie", other);
    let reply = provider.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert!(below(&reply).starts_with("/authorize?"));

    let reply = person.post("/console/sign-out", &[]).await;
    assert_eq!(below(&reply), "/logout", "{}", reply.body);
    assert!(cookie(&person, COOKIE).is_none());
    let found = provider.app.store.access_token(&"default".into(), &TokenHash::of(&token)).await.unwrap();
    assert!(found.is_none(), "the token itself has ended");

    let mut person = Person::sign_in(&provider, USER.0).await;
    provider.advance(8 * 3_600);
    let reply = person.get("/console/clients?search=x").await;
    assert!(below(&reply).starts_with("/authorize?"), "{}", reply.status);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_without_the_token_or_from_elsewhere_do_nothing() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let mut other = {
        add_user(&provider, "eve", Some(Role::Owner)).await;
        Person::sign_in(&provider, "eve").await
    };
    let foreign = other.csrf().await;
    for body in [String::new(), form(&[("csrf", "")]), form(&[("csrf", &foreign)])] {
        let reply = provider.post("/console/sign-out", body, Some(&mut person.browser)).await;
        assert_eq!(reply.status, 403);
        assert_eq!(provider.reason(&reply).await, "form_forged");
    }
    let csrf = person.csrf().await;
    let request = axum::http::Request::post("/console/sign-out")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", person.browser.cookie())
        .header("sec-fetch-site", "cross-site");
    let reply = provider.send(request.body(form(&[("csrf", &csrf)]).into()).unwrap()).await;
    assert_eq!(reply.status, 403);
    assert_eq!(person.get("/console/nothing").await.status, 404, "still signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_cannot_be_framed_and_run_no_foreign_script() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let page = person.get("/console/nothing").await;
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("script-src"));
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("DENY", "no-store"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_record_follows_the_tenant_and_is_nobody_elses() {
    let provider = Provider::start().await;
    Person::with_role(&provider, Role::Owner).await;
    let id = ClientId::from(CONSOLE);
    let client = provider.app.store.client(&"default".into(), &id).await.unwrap().unwrap();
    assert_eq!(client.settings.redirect_uris, ["https://id.example/auth/open/console/callback"]);
    // Somebody with access to the records opened it up: the next sign-in closes it again.
    let mut bad = client.clone();
    bad.version += 1;
    bad.settings.redirect_uris.push("https://evil.example/cb".into());
    provider
        .app
        .store
        .apply(&"default".into(), &[signet_core::change::Change::UpdateClient(bad)])
        .await
        .unwrap();
    provider.app.clients.forget();
    Person::sign_in(&provider, USER.0).await;
    let again = provider.app.store.client(&"default".into(), &id).await.unwrap().unwrap();
    assert_eq!(again.settings, client.settings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_gives_up_an_algorithm_does_not_lock_its_console() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let page = person.get("/console/tenant").await;
    let version = signet_tests::provider::between(&page.body, "name=\"version\" value=\"", "\"").to_owned();
    let settings = signet_core::records::TenantSettings::default();
    let seconds = |value: i64| value.to_string();
    let fields = [
        ("version", version),
        ("session_idle", seconds(settings.session_idle)),
        ("session_lifetime", seconds(settings.session_lifetime)),
        ("interaction_lifetime", seconds(settings.interaction_lifetime)),
        ("second_factor", "optional".into()),
        ("assertion_audience", settings.assertion_audience.name().into()),
        ("clock_skew", seconds(settings.clock_skew)),
        ("request_object_max_lifetime", seconds(settings.request_object_max_lifetime)),
        ("request_object_max_age", seconds(settings.request_object_max_age)),
        ("registration", "off".into()),
        ("signing_algs--ES256", "on".into()),
        ("encryption_algs--ECDH_ES", "on".into()),
        ("key_lifetime", seconds(settings.key_lifetime)),
        ("key_propagation", seconds(settings.key_propagation)),
        ("key_retention", seconds(settings.key_retention)),
    ];
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let saved = person.post("/console/tenant", &pairs).await;
    assert_eq!(below(&saved), "/console/tenant", "{}", saved.body);
    let mut again = Person::sign_in(&provider, USER.0).await;
    assert_eq!(again.get("/console/tenant").await.status, 200);
}
