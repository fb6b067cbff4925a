//! What all forms of the console have in common: words that nobody knows, forms that are sent twice or late, refusals.

use signet_core::records::Role;
use signet_tests::console::{Person, add_user, below, user};
use signet_tests::provider::{Provider, between};

use super::clients::{filled, make, send, set, stored};

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_unknown_or_missing_is_refused_and_never_stands_for_another() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    add_user(&provider, "bob", Some(Role::Auditor)).await;
    let (bob, app) = (user(&provider, "bob").await, stored(&provider, "app").await);
    let of_bob = format!("/console/users/{}", bob.id);
    let (seen_bob, seen) = (bob.version.to_string(), app.version.to_string());
    let keys =
        || async { provider.app.store.client_keys(&"default".into(), &"app".into()).await.unwrap().len() };
    let tenant_keys =
        || async { provider.app.store.tenant_keys(&"default".into(), provider.now()).await.unwrap().len() };
    let before = (keys().await, tenant_keys().await);
    let source =
        serde_json::to_string(&signet_tests::key(signet_jose::KeySpec::P256).public_key().to_jwk()).unwrap();
    for (path, fields, field, words) in [
        (&*of_bob, vec![("version", &*seen_bob)], "role", ["audtor", ""]),
        ("/console/new-user", vec![("username", "eve")], "role", ["audtor", ""]),
        (
            "/console/new-client",
            vec![("client_id", "new"), ("redirect_uris", "https://rp.example/cb")],
            "template",
            ["sealedd", ""],
        ),
        (
            "/console/clients/app/keys/generate",
            vec![("version", &*seen), ("name", "k"), ("usage", "sig")],
            "kind",
            ["ec-p256", ""],
        ),
        (
            "/console/clients/app/keys/generate",
            vec![("version", &*seen), ("name", "k"), ("kind", "p-256")],
            "usage",
            ["encc", ""],
        ),
        (
            "/console/clients/app/keys/import",
            vec![("version", &*seen), ("name", "k"), ("source", &*source)],
            "usage",
            ["ENC", ""],
        ),
        ("/console/tenant/keys/rotate", vec![], "usage", ["encryption", ""]),
        ("/console/clients/app/switch", vec![("version", &*seen)], "disabled", ["maybe", ""]),
        ("/console/clients/app/owner", vec![("version", &*seen)], "owner", ["bob", "nobody"]),
        ("/console/import-users", vec![("csv", "username\neve")], "decision", ["go", ""]),
    ] {
        for word in words {
            let mut fields = fields.clone();
            fields.push((field, word));
            let reply = person.post(path, &fields).await;
            assert_eq!(reply.status, 422, "{path} {field}={word}: {}", reply.body);
            let problems = between(&reply.body, "id=\"problems\"", "</div>");
            assert!(problems.contains(&format!("{field}\"")), "{path} {field}={word}: {problems}");
        }
    }
    assert_eq!(user(&provider, "bob").await, bob);
    assert_eq!(stored(&provider, "app").await, app);
    assert_eq!((keys().await, tenant_keys().await), before);
    for name in ["eve", "new"] {
        assert!(provider.app.store.user_by_name(&"default".into(), name).await.unwrap().is_none());
        assert!(provider.app.store.client(&"default".into(), &name.into()).await.unwrap().is_none());
    }
    for filter in ["users?role=audtor", "users?state=off", "clients?state=off", "clients?owner=bob"] {
        assert_eq!(person.get(&format!("/console/{filter}")).await.status, 400, "{filter} lists nobody");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encryption_without_its_enc_is_refused() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "sealed").await;
    let (path, before) = ("/console/clients/app/security", stored(&provider, "app").await);
    let fields = filled(&person.get(path).await, path, &["id_token-encrypted--enc"]);
    let refused = send(&provider, &mut person, path, &fields).await;
    assert_eq!(refused.status, 422);
    assert!(between(&refused.body, "id=\"problems\"", "</div>").contains("href=\"#id_token-encrypted\""));
    assert_eq!(stored(&provider, "app").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_form_that_does_not_say_what_it_was_made_from_carries_nothing_over() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    for path in ["/console/clients/app", "/console/clients/app/keys"] {
        let action = if path.ends_with("keys") { "/console/clients/app/keys/follow" } else { path };
        let name = if path.ends_with("keys") { "encryption_kid" } else { "policy_uri" };
        for base in ["", "{", "[]", "null"] {
            let old = filled(&person.get(path).await, action, &[]);
            let mut new = filled(&person.get("/console/clients/app").await, "/console/clients/app", &[]);
            set(&mut new, "client_name", &format!("Renamed {base} {name}"));
            send(&provider, &mut person, "/console/clients/app", &new).await;
            let mut late = old.clone();
            set(&mut late, "base", base);
            set(&mut late, name, "https://late.example/");
            let told = send(&provider, &mut person, action, &late).await;
            assert_eq!(told.status, 412, "{base}");
            assert!(told.body.contains("does not say what it was made from"), "{base}: {}", told.body);
            let shown = filled(&told, action, &[]);
            assert!(!shown.iter().any(|(_, value)| value == "https://late.example/"), "{base}");
            assert!(name != "policy_uri" || shown.iter().any(|(_, value)| value.starts_with("Renamed")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_publishes_is_brought_together_like_every_other_form() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    let (path, action) = ("/console/clients/app/keys", "/console/clients/app/keys/follow");
    let mut late = filled(&person.get(path).await, action, &[]);
    let mut first = late.clone();
    set(&mut first, "jwks_uri", "https://first.example/jwks");
    assert_eq!(below(&send(&provider, &mut person, action, &first).await), path);
    set(&mut late, "jwks_uri", "https://late.example/jwks");
    let told = send(&provider, &mut person, action, &late).await;
    assert_eq!(told.status, 412);
    let list = between(&told.body, "id=\"meanwhile\"", "</div>");
    assert!(
        list.contains("https://first.example/jwks") && list.contains("https://late.example/jwks"),
        "{list}"
    );
    let merged = filled(&told, action, &[]);
    assert_eq!(below(&send(&provider, &mut person, action, &merged).await), path);
    assert_eq!(
        stored(&provider, "app").await.settings.jwks_uri.as_deref(),
        Some("https://late.example/jwks")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn back_edit_and_send_again_says_so_and_makes_another_one_when_sent_once_more() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let first = |name| {
        [
            ("once", "the-form"),
            ("template", "spa"),
            ("client_id", name),
            ("name", "An app"),
            ("redirect_uris", "https://rp.example/cb"),
        ]
    };
    person.post("/console/new-client", &first("one")).await;
    let told = person.post("/console/new-client", &first("two")).await;
    assert_eq!(told.status, 422);
    let problems = between(&told.body, "id=\"problems\"", "</div>");
    assert!(
        problems.contains("admin_idempotency_key_reused") && problems.contains("the same form"),
        "{problems}"
    );
    let once = between(&told.body, "name=\"once\" value=\"", "\"").to_owned();
    assert!(once != "the-form" && told.body.contains("value=\"two\""), "{}", told.body);
    let mut again = first("two");
    again[0].1 = &once;
    assert_eq!(
        below(&person.post("/console/new-client", &again).await),
        "/console/clients/two/configuration"
    );
    // Whoever sends the same once more is told that it was made already.
    assert_eq!(
        below(&person.post("/console/new-client", &again).await),
        "/console/clients/two/configuration"
    );
    assert!(person.get("/console/clients/two/configuration").await.body.contains("was registered already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_codes_and_statuses_of_the_interface() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    let taken = [
        ("template", "spa"),
        ("client_id", "app"),
        ("name", "x"),
        ("redirect_uris", "https://rp.example/cb"),
    ];
    for (path, fields, status, code) in [
        (
            "/console/clients/app/switch",
            &[("version", "99"), ("disabled", "yes")][..],
            412,
            "admin_version_stale",
        ),
        ("/console/clients/app/switch", &[("disabled", "yes")], 428, "admin_version_missing"),
        ("/console/clients/app", &[], 428, "admin_version_missing"),
        (
            "/console/clients/none/switch",
            &[("version", "1"), ("disabled", "yes")],
            404,
            "admin_record_missing",
        ),
        ("/console/users/nobody/invite", &[], 404, "admin_record_missing"),
        ("/console/new-client", &taken, 409, "admin_record_exists"),
    ] {
        let reply = person.post(path, fields).await;
        assert_eq!(reply.status.as_u16(), status, "{path} {fields:?}");
        assert!(reply.body.contains(code), "{path} {fields:?}: {}", reply.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_looks_like_a_setting_leads_to_no_other_field() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    let path = "/console/clients/app";
    let mut fields = filled(&person.get(path).await, path, &[]);
    set(&mut fields, "redirect_uris", "http://keyshop.example/scope");
    let refused = send(&provider, &mut person, path, &fields).await;
    let problems = between(&refused.body, "id=\"problems\"", "</div>");
    assert!(problems.contains("href=\"#redirect_uris\"") && problems.contains("keyshop"), "{problems}");
    assert_eq!(problems.matches("<a href").count(), 1, "{problems}");
}
