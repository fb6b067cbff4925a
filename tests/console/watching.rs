//! The overview and the audit trail.

use serde_json::Value;
use signet_core::audit::chain::{self, ChainKeys};
use signet_core::audit::{self, Kind};
use signet_core::context::Context;
use signet_core::records::{Encryption, Role};
use signet_jose::{ContentAlg, KeyAlg};
use signet_server::audit_chain::seal;
use signet_tests::console::{Person, add_user, below, user};
use signet_tests::provider::{Browser, Provider};
use signet_tests::rp::Rp;

const DAY: i64 = 86_400;

/// A client whose encryption key ends in some days, and with it every login.
async fn ending(provider: &Provider, id: &str, days: i64, owner: Option<&str>) -> Rp {
    let rp = Rp::new(id);
    let mut declared = rp.declaration();
    if let Some(owner) = owner {
        declared.owner = Some(Some(user(provider, owner).await.id));
    }
    declared.keys[1].not_after = Some(provider.now() + days * DAY);
    declared.settings.id_token.encrypted =
        Some(Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A256Gcm });
    provider.register(&declared).await;
    rp
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_tells_what_ends_what_fails_and_why_logins_failed() {
    let provider = Provider::start().await;
    let rp = ending(&provider, "soon", 10, None).await;
    ending(&provider, "later", 90, None).await;
    let mut person = Person::with_role(&provider, Role::Auditor).await;
    let mut browser = Browser::default();
    provider.code(&rp, &[], &mut browser).await;
    provider.authorize(&rp, &[("scope", "profile")], None).await;
    let page = person.get("/console").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Every enabled client can complete a login"), "{}", page.body);
    assert!(page.body.contains("in 10 days") && !page.body.contains("later"), "{}", page.body);
    assert!(page.body.contains("no_key") || page.body.contains("ended"), "what fails then: {}", page.body);
    assert!(page.body.contains("scope_without_openid"), "{}", page.body);
    assert!(
        page.body.contains("kind=authorize.refused&amp;reason=scope_without_openid")
            || page.body.contains("kind=authorize.refused&#38;reason=scope_without_openid"),
        "{}",
        page.body
    );

    provider.advance(11 * DAY);
    let mut person = Person::sign_in(&provider, "alice").await;
    provider.app.checkups.forget();
    let page = person.get("/console").await;
    assert!(page.body.contains("soon") && !page.body.contains("Every enabled client"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_see_the_health_of_their_own_clients() {
    let provider = Provider::start().await;
    add_user(&provider, "dev", Some(Role::Developer)).await;
    let own = ending(&provider, "mine", 5, Some("dev")).await;
    let other = ending(&provider, "theirs", 5, None).await;
    provider.authorize(&own, &[("scope", "profile")], None).await;
    provider.authorize(&other, &[("prompt", "nonsense")], None).await;
    let mut person = Person::sign_in(&provider, "dev").await;
    let page = person.get("/console").await;
    assert!(page.body.contains("mine") && page.body.contains("scope_without_openid"), "{}", page.body);
    assert!(!page.body.contains("theirs") && !page.body.contains("prompt_unknown"), "{}", page.body);
    assert!(!page.body.contains("Keys of this tenant"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_filtered_paged_and_told_as_a_story() {
    let provider = Provider::start().await;
    let rp = Rp::new("app");
    provider.register(&rp.declaration()).await;
    for _ in 0..60 {
        provider.authorize(&rp, &[("scope", "profile")], None).await;
    }
    provider.authorize(&rp, &[("prompt", "nonsense")], None).await;
    let mut person = Person::with_role(&provider, Role::Auditor).await;
    let count = |body: &str| body.matches("<th scope=\"row\">").count();
    let first = person.get("/console/audit?client_id=app&reason=scope_without_openid").await;
    assert_eq!(count(&first.body), 50);
    let next = signet_tests::provider::between(&first.body, "id=\"next-page\" href=\"", "\"");
    let next = next.replace("&#38;", "&").replace("&amp;", "&");
    let second = person.get(next.strip_prefix("/auth/open").unwrap()).await;
    assert_eq!(count(&second.body), 10, "{}", second.body);
    for (filter, found) in [
        ("reason=prompt_unknown", true),
        ("reason=prompt_unknown&client_id=other", false),
        ("reason=prompt_unknown&outcome=success", false),
        ("reason=prompt_unknown&kind=authorize.refused", true),
        ("reason=prompt_unknown&since=2030-01-01T00:00", false),
        ("reason=prompt_unknown&until=2030-01-01T00:00", true),
        ("reason=prompt_unknown&user=alice", false),
    ] {
        let page = person.get(&format!("/console/audit?{filter}")).await;
        assert_eq!(page.body.contains("prompt_unknown</span>"), found, "{filter}: {}", page.body);
    }
    for filter in ["user=nobody", "since=yesterday"] {
        let page = person.get(&format!("/console/audit?{filter}")).await;
        assert!(page.status.is_success() && page.body.contains("id=\"problems\""), "{}", page.body);
    }
    let mut browser = Browser::default();
    let accepted = provider.authorize(&rp, &[], Some(&mut browser)).await;
    let reference = accepted.correlation_id().to_owned();
    provider.sign_in(&accepted, &mut browser).await;
    let story = person.get(&format!("/console/audit/story/{reference}")).await;
    for kind in ["authorize.accepted", "login.succeeded", "authorize.responded"] {
        assert!(story.body.contains(kind), "{kind}: {}", story.body);
    }
    // Users are told by name, with the way to their page.
    let alice = user(&provider, "alice").await.id;
    let link = format!("/console/users/{alice}\"><bdi>alice</bdi></a>");
    let page = person.get("/console/audit?user=alice").await;
    assert!(story.body.contains(&link) && page.body.contains(&link), "{}", page.body);
    assert_eq!(person.get("/console/audit/story/nothing").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_names_who_did_it_and_is_filtered_by_them() {
    let provider = Provider::start().await;
    let mut boss = Person::with_role(&provider, Role::Administrator).await;
    let made = boss.post("/console/new-user", &[("username", "grace"), ("role", "none")]).await;
    assert!(made.status.is_redirection() || made.status.is_success(), "{} {}", made.status, made.body);
    let (grace, alice) = (user(&provider, "grace").await.id, user(&provider, "alice").await.id);
    let by = format!(
        "<td data-label=\"Done by\"><a href=\"/auth/open/console/users/{alice}\"><bdi>alice</bdi></a>"
    );
    for filter in ["actor=alice".to_owned(), format!("actor=user%3A{alice}"), "user=grace".to_owned()] {
        let page = boss.get(&format!("/console/audit?kind=user.created&{filter}")).await;
        assert!(page.body.contains(&by), "{filter}: {}", page.body);
    }
    for filter in ["actor=grace", "actor=command+line&user=grace"] {
        let page = boss.get(&format!("/console/audit?kind=user.created&{filter}")).await;
        assert!(page.body.contains("Nothing that fits has happened"), "{filter}: {}", page.body);
    }
    // The way there from the user's page.
    let page = boss.get(&format!("/console/users/{grace}")).await;
    for (id, filter) in
        [("events-by", format!("actor=user%3A{grace}")), ("events-of", format!("user={grace}"))]
    {
        let link = format!("id=\"{id}\" href=\"/auth/open/console/audit?{filter}\"");
        assert!(page.body.contains(&link), "{link}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_names_nothing_says_so_and_long_facts_are_whole_in_the_story() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Auditor).await;
    for (filter, said) in [
        ("kind=no.kind", "There is no kind of event &#34;no.kind&#34;"),
        ("reason=no_code", "There is no reason code &#34;no_code&#34;"),
        ("client_id=nobody", "There is no client &#34;nobody&#34;"),
        ("user=00000000-0000-7000-8000-000000000001", "There is no user &#34;00000000"),
        ("actor=nobody", "There is no user &#34;nobody&#34;"),
        ("reason=form_forged", "Nothing that fits has happened"),
    ] {
        let page = person.get(&format!("/console/audit?{filter}")).await;
        assert!(page.status == 200 && page.body.contains(said), "{filter}: {}", page.body);
    }
    let (long, tenant) = ("x".repeat(300), user(&provider, "alice").await.tenant);
    let entropy = signet_server::edge::entropy();
    let context = Context { now: provider.now(), millis: 0, entropy: entropy.as_ref() };
    let event = audit::success(&tenant, Kind::DeviceEntered, "long", &context).fact("long", long.as_str());
    provider.app.store.apply(&tenant, &[event.change()]).await.unwrap();
    let page = person.get("/console/audit?kind=device.entered").await;
    assert!(page.body.contains(&format!("{}…", &long[..200])) && !page.body.contains(&long), "{}", page.body);
    assert!(person.get("/console/audit/story/long").await.body.contains(&long));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_is_verified_in_the_console_by_whoever_sees_all_of_the_trail() {
    let provider = Provider::start().await;
    add_user(&provider, "dev", Some(Role::Developer)).await;
    let mut person = Person::with_role(&provider, Role::Auditor).await;
    assert!(person.get("/console/audit").await.body.contains("id=\"verify\""));
    let (app, tenant) = (&provider.app, user(&provider, "alice").await.tenant);
    assert!(person.get("/console/audit/chain").await.body.contains("There is no link yet"));
    let keys = app.vault.chain_keys();
    assert_eq!(seal(app.store.as_ref(), &keys, &tenant, provider.now()).await.unwrap(), 1);
    let page = person.get("/console/audit/chain").await;
    assert!(
        page.body.contains("It is as it was written") && page.body.contains("1 link over"),
        "{}",
        page.body
    );
    let last = app.store.last_audit_seal(&tenant).await.unwrap();
    let entropy = signet_server::edge::entropy();
    let context = Context { now: provider.now(), millis: 0, entropy: entropy.as_ref() };
    let event = audit::success(&tenant, Kind::DeviceEntered, "forged", &context).change();
    app.store.apply(&tenant, &[event]).await.unwrap();
    let unsealed = app.store.unsealed_audit(&tenant, 100).await.unwrap();
    let foreign = ChainKeys::new(vec![[7; 32].into()]);
    let link = chain::next(&foreign, &tenant, last.as_ref(), unsealed, 1).unwrap();
    app.store.apply(&tenant, &[link]).await.unwrap();
    let page = person.get("/console/audit/chain").await;
    assert!(page.body.contains("It was changed") && page.body.contains("mac_wrong"), "{}", page.body);
    assert_eq!(person.get("/console/audit/chain?after=77").await.status, 404);
    let mut dev = Person::sign_in(&provider, "dev").await;
    assert!(!dev.get("/console/audit").await.body.contains("id=\"verify\""));
    assert_eq!(dev.get("/console/audit/chain").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_says_when_it_judged_and_that_there_is_no_client_yet() {
    let provider = Provider::start().await;
    add_user(&provider, "dev", Some(Role::Developer)).await;
    let mut dev = Person::sign_in(&provider, "dev").await;
    let page = dev.get("/console").await;
    assert!(page.body.contains("There is no enabled client yet"), "{}", page.body);
    assert!(!page.body.contains("Every enabled client can complete a login"), "{}", page.body);
    assert!(page.body.contains("id=\"judged\">As of "), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_is_the_whole_of_what_was_asked_for_as_json_lines() {
    let provider = Provider::start().await;
    let rp = Rp::new("app");
    provider.register(&rp.declaration()).await;
    for _ in 0..230 {
        provider.authorize(&rp, &[("scope", "profile")], None).await;
    }
    let mut person = Person::with_role(&provider, Role::Auditor).await;
    let file = person.get("/console/audit/export?reason=scope_without_openid").await;
    assert_eq!(file.header("content-type"), "application/jsonl");
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"audit-"));
    let events: Vec<Value> = file.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 230);
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), 230, "each once");
    assert!(events.iter().all(|event| event["reason"] == "scope_without_openid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_see_the_trail_of_their_own_clients_alone() {
    let provider = Provider::start().await;
    add_user(&provider, "dev", Some(Role::Developer)).await;
    let own = ending(&provider, "mine", 5, Some("dev")).await;
    let other = ending(&provider, "theirs", 5, None).await;
    provider.authorize(&own, &[("scope", "profile")], None).await;
    let foreign = provider.authorize(&other, &[("prompt", "nonsense")], None).await;
    let mut person = Person::sign_in(&provider, "dev").await;
    let page = person.get("/console/audit").await;
    assert!(page.body.contains("Choose one of your clients") && page.body.contains("mine"));
    assert!(!page.body.contains("theirs"));
    assert!(person.get("/console/audit?client_id=mine").await.body.contains("scope_without_openid"));
    assert_eq!(person.get("/console/audit?client_id=theirs").await.status, 404);
    assert_eq!(person.get("/console/audit/export?client_id=theirs").await.status, 404);
    assert!(person.get("/console/audit/export").await.status.is_client_error());
    let story = format!("/console/audit/story/{}", foreign.correlation_id());
    assert_eq!(person.get(&story).await.status, 404);
    let stranger = provider.get("/console/audit/export", None).await;
    assert!(below(&stranger).starts_with("/authorize?"));
}
