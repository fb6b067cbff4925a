//! The tenant's pages, and all tenants of an installation.

use axum::http::StatusCode;
use signet_core::change::Change;
use signet_core::records::{Role, Tenant, TenantSettings};
use signet_tests::console::{Person, add_user, below};
use signet_tests::provider::{Provider, USER, between};

async fn stored(provider: &Provider, id: &str) -> Tenant {
    let all = provider.app.store.tenants().await.unwrap();
    all.into_iter().find(|tenant| tenant.id.as_str() == id).unwrap()
}

/// The first tenant's owners look after the installation.
async fn operator(provider: &Provider) {
    let tenant = stored(provider, "default").await;
    let settings = TenantSettings { operator: true, ..tenant.settings.clone() };
    let tenant = Tenant { version: tenant.version + 1, settings, ..tenant };
    provider.app.store.apply(&"default".into(), &[Change::UpdateTenant(tenant)]).await.unwrap();
    provider.app.tenancy.forget();
}

fn branding<'a>(version: &'a str, name: &'a str, accent: &'a str) -> [(&'a str, &'a str); 4] {
    [("version", version), ("branding-name", name), ("branding-accent", accent), ("base", "")]
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_are_shown_before_they_are_saved_and_bad_ones_are_refused() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let version = stored(&provider, "default").await.version.to_string();
    let mut show = branding(&version, "Blue Bank", "#1f5f8b").to_vec();
    show.push(("decision", "show"));
    let shown = person.post("/console/tenant/branding", &show).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.body.contains("theme-1f5f8b.css") && shown.body.contains("Blue Bank"), "{}", shown.body);
    assert_eq!(stored(&provider, "default").await.settings.branding.name, "Signet");

    for (name, accent) in [("", "#1f5f8b"), ("Blue Bank", "blue"), ("Blue Bank", "#1f5f8b;}")] {
        let refused = person.post("/console/tenant/branding", &branding(&version, name, accent)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {accent}");
        assert!(refused.body.contains("<code class=\"code\">branding</code>"), "{}", refused.body);
    }
    let saved = person.post("/console/tenant/branding", &branding(&version, "Blue Bank", "#1f5f8b")).await;
    assert_eq!(below(&saved), "/console/tenant/branding", "{}", saved.body);
    let settings = stored(&provider, "default").await.settings;
    assert_eq!(
        (settings.branding.name.as_str(), settings.branding.accent.as_str()),
        ("Blue Bank", "#1f5f8b")
    );
    // Whoever has an old page is told, and overwrites nothing.
    let stale = person.post("/console/tenant/branding", &branding(&version, "Red Bank", "#8c1c2e")).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(stored(&provider, "default").await.settings.branding.name, "Blue Bank");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_withdrawn_only_when_their_name_is_typed() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let keys = || async { provider.app.store.tenant_keys(&"default".into(), provider.now()).await.unwrap() };
    let before = keys().await;
    let done = person.post("/console/tenant/keys/rotate", &[("usage", "sig")]).await;
    assert_eq!(below(&done), "/console/tenant/keys", "{}", done.body);
    assert!(keys().await.len() > before.len());

    let id = before[0].id.clone();
    let path = format!("/console/tenant/keys/{id}/revoke");
    for typed in ["", "x"] {
        let refused = person.post(&path, &[("confirm", typed)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(keys().await.iter().any(|key| key.id == id));
    }
    let done = person.post(&path, &[("confirm", &id)]).await;
    assert_eq!(below(&done), "/console/tenant/keys", "{}", done.body);
    assert!(!keys().await.iter().any(|key| key.id == id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_token_is_shown_once_and_removed() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let path = "/console/tenant/registration";
    for (fields, wanted) in [
        ([("name", "CI"), ("uses", "many")], "must be a whole number"),
        ([("name", "CI"), ("expires_at", "tomorrow")], "must be a date and a time"),
    ] {
        let refused = person.post(path, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains(wanted), "{}", refused.body);
    }
    let made = person.post(path, &[("name", "CI"), ("uses", "3")]).await;
    let token = between(&made.body, "id=\"registration-token\">", "<").to_owned();
    let page = person.get(path).await;
    assert!(page.body.contains("CI") && !page.body.contains(&token));
    assert_eq!(person.post(path, &[("name", "CI")]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "taken");
    let done = person.post(&format!("{path}/remove"), &[("name", "CI")]).await;
    assert_eq!(below(&done), path);
    assert!(provider.app.store.initial_access_tokens(&"default".into()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_change_the_tenant_sees_it_and_no_more() {
    let provider = Provider::start().await;
    add_user(&provider, "dev", Some(Role::Developer)).await;
    let mut developer = Person::sign_in(&provider, "dev").await;
    let before = stored(&provider, "default").await;
    for path in [
        "/console/tenant",
        "/console/tenant/branding",
        "/console/tenant/keys",
        "/console/tenant/registration",
    ] {
        let page = developer.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.body.contains("id=\"save\"") && !page.body.contains("id=\"rotate-sig\""), "{path}");
    }
    let version = before.version.to_string();
    for (path, fields) in [
        ("/console/tenant/branding", branding(&version, "Mine", "#000000").to_vec()),
        ("/console/tenant/keys/rotate", vec![("usage", "sig")]),
        ("/console/tenant/registration", vec![("name", "x")]),
        ("/console/tenant/registration/remove", vec![("name", "x")]),
        ("/console/new-tenant", vec![("id", "x"), ("issuer", "https://x.example"), ("username", "x")]),
    ] {
        assert_eq!(developer.post(path, &fields).await.status, 403, "{path}");
    }
    assert_eq!(stored(&provider, "default").await, before);
    for path in ["/console/tenants", "/console/new-tenant"] {
        assert_eq!(developer.get(path).await.status, 403, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_a_tenant_whose_owner_is_invited() {
    let provider = Provider::start().await;
    let mut owner = Person::with_role(&provider, Role::Owner).await;
    assert_eq!(owner.get("/console/tenants").await.status, 403, "an owner of any tenant is not enough");
    operator(&provider).await;
    // A token holds what its owner could do when it was issued; more comes with the next sign-in.
    let mut owner = Person::sign_in(&provider, USER.0).await;
    let fields = [
        ("id", "acme"),
        ("issuer", "https://id.example/acme"),
        ("name", "Acme"),
        ("username", "boss"),
        ("email", "boss@example.org"),
    ];
    for (at, value, code) in
        [(0, "Not an id", "tenant_id_form"), (1, "ftp://id.example", "issuer"), (3, "", "username_form")]
    {
        let mut bad = fields;
        bad[at].1 = value;
        let refused = owner.post("/console/new-tenant", &bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{code}: {}", refused.body);
        assert!(
            refused.body.contains(&format!("<code class=\"code\">{code}</code>")),
            "{code}: {}",
            refused.body
        );
    }
    let made = owner.post("/console/new-tenant", &fields).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let invitation = between(&made.body, "id=\"invitation\">", "<");
    assert!(invitation.starts_with("https://id.example/acme/"), "{invitation}");
    let [mail] = provider.app.mailer.kept().unwrap().try_into().unwrap();
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("boss@example.org", "Your account at Acme"));
    assert!(mail.text.contains(invitation) && made.body.contains("by mail as well"), "{}", mail.text);
    assert_eq!(
        owner.post("/console/new-tenant", &fields).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "taken"
    );
    let list = owner.get("/console/tenants").await.body;
    assert!(
        list.contains("href=\"https://id.example/acme/console\"") && list.contains("You are here"),
        "{list}"
    );
    // The cookie of one tenant's console opens nothing in another's.
    let request = axum::http::Request::get("/acme/console/clients")
        .header("host", "id.example")
        .header("cookie", owner.browser.cookie().replace("signet-admin-default", "signet-admin-acme"));
    let reply = provider.raw(request.body(axum::body::Body::empty()).unwrap()).await;
    assert!(reply.location().starts_with("/acme/authorize?"), "{}: {}", reply.status, reply.location());
}
