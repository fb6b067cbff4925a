//! Users in the console.

use signet_core::records::Role;
use signet_tests::console::{Person, add_user, below, user};
use signet_tests::provider::{Provider, Reply, between};

const NASTY: &str = "<script>alert(\"x\")</script>'&";

fn page_of(reply: &Reply) -> &str {
    between(&reply.body, "data-page=\"", "\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_made_once_and_invited_by_a_link_that_is_shown_once() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Administrator).await;
    let page = person.get("/console/new-user").await;
    let once = between(&page.body, "name=\"once\" value=\"", "\"").to_owned();
    assert!(!page.body.contains("value=\"owner\""), "what they may not give is not offered");
    let fields = [("once", once.as_str()), ("username", "Grace"), ("name", NASTY), ("email", "")];
    let made = person.post("/console/new-user", &fields).await;
    assert_eq!((made.status.as_u16(), page_of(&made)), (200, "user_link"), "{}", made.body);
    assert!(made.header("cache-control").contains("no-store"));
    let link = between(&made.body, "account/link?token=", "<").trim().to_owned();
    let chosen = provider.get(&format!("/account/link?token={link}"), None).await;
    assert_eq!(chosen.status, 200);
    let again = person.post("/console/new-user", &fields).await;
    assert!(!again.body.contains(&link), "the same form makes nobody new and shows nothing again");
    let grace = user(&provider, "grace").await;
    let shown = person.get(&format!("/console/users/{}", grace.id)).await;
    assert!(
        shown.body.contains("&#60;script&#62;") && !shown.body.contains("<script>alert"),
        "{}",
        shown.body
    );
    let list = person.get("/console/users?search=gra").await;
    assert!(list.body.contains("grace") && !list.body.contains("<script>alert"));
    let taken = [("once", "another"), ("username", "grace"), ("name", ""), ("email", "")];
    let taken = person.post("/console/new-user", &taken).await;
    assert_eq!((taken.status.as_u16(), page_of(&taken)), (422, "user_new"));
    assert!(taken.body.contains("Somebody has this user name already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_who_edit_a_user_is_told_and_loses_nothing() {
    let provider = Provider::start().await;
    add_user(&provider, "bob", None).await;
    let bob = user(&provider, "bob").await;
    let path = format!("/console/users/{}", bob.id);
    let mut person = Person::with_role(&provider, Role::Administrator).await;
    let version = bob.version.to_string();
    let first = [("version", version.as_str()), ("name", "First"), ("role", ""), ("further", "")];
    let saved = person.post(&path, &first).await;
    assert_eq!(below(&saved), path, "{}", saved.body);
    let second = [("version", version.as_str()), ("name", "Second"), ("role", ""), ("further", "")];
    let stale = person.post(&path, &second).await;
    assert_eq!(stale.status, 409);
    assert!(stale.body.contains("value=\"Second\"") && stale.body.contains("<dt>Name</dt><dd><bdi>First"));
    let now = between(&stale.body, "name=\"version\" value=\"", "\"").to_owned();
    let again = [
        ("version", now.as_str()),
        ("name", "Second"),
        ("role", "auditor"),
        ("further", "{\"address\":{\"country\":\"UK\"}}"),
    ];
    assert_eq!(below(&person.post(&path, &again).await), path);
    let bob = user(&provider, "bob").await;
    assert_eq!((bob.claims["name"].as_str(), bob.role), (Some("Second"), Some(Role::Auditor)));
    assert_eq!(bob.claims["address"]["country"], "UK");
    let version = bob.version.to_string();
    for (field, value) in [("further", "not json"), ("further", "{\"shoe_size\":1}"), ("email", "nobody")] {
        let wrong = person.post(&path, &[("version", version.as_str()), (field, value)]).await;
        assert_eq!((wrong.status.as_u16(), page_of(&wrong)), (422, "user"), "{value}");
    }
    let unsure = person.post(&format!("{path}/delete"), &[("version", version.as_str())]).await;
    assert_eq!(below(&unsure), path);
    let sure = [("version", version.as_str()), ("sure", "on")];
    assert_eq!(below(&person.post(&format!("{path}/delete"), &sure).await), "/console/users");
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_are_seen_by_administrators_and_left_alone() {
    let provider = Provider::start().await;
    add_user(&provider, "olivia", Some(Role::Owner)).await;
    let olivia = user(&provider, "olivia").await;
    let path = format!("/console/users/{}", olivia.id);
    let mut person = Person::with_role(&provider, Role::Administrator).await;
    let page = person.get(&path).await;
    assert!(page.status == 200 && !page.body.contains("id=\"save\"") && !page.body.contains("id=\"delete\""));
    let version = olivia.version.to_string();
    for (to, fields) in [
        ("", vec![("version", version.as_str())]),
        ("/delete", vec![("version", version.as_str()), ("sure", "on")]),
        ("/invite", vec![]),
        ("/reset", vec![]),
        ("/end-sessions", vec![]),
    ] {
        let reply = person.post(&format!("{path}{to}"), &fields).await;
        assert!([403, 422].contains(&reply.status.as_u16()), "{to} {}", reply.status);
    }
    assert_eq!(user(&provider, "olivia").await, olivia);
    let mut auditor = {
        add_user(&provider, "aude", Some(Role::Auditor)).await;
        Person::sign_in(&provider, "aude").await
    };
    assert_eq!(auditor.get("/console/users").await.status, 200);
    for path in ["/console/new-user", "/console/import-users"] {
        assert_eq!(auditor.get(path).await.status, 403, "{path}");
    }
    let mut developer = {
        add_user(&provider, "dev", Some(Role::Developer)).await;
        Person::sign_in(&provider, "dev").await
    };
    assert_eq!(developer.get("/console/users").await.status, 403);
    assert_eq!(developer.get(&path).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_shown_and_taken_and_tables_are_tried_first() {
    let provider = Provider::start().await;
    add_user(&provider, "bob", None).await;
    provider.enrol("bob").await;
    let bob = user(&provider, "bob").await;
    let path = format!("/console/users/{}", bob.id);
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let page = person.get(&format!("{path}/access")).await;
    assert_eq!(page_of(&page), "user_access");
    let credential = between(&page.body, "name=\"credential\" value=\"", "\"").to_owned();
    let gone = person.post(&format!("{path}/remove-credential"), &[("credential", &credential)]).await;
    assert_eq!(below(&gone), format!("{path}/access"));
    assert!(person.get(&format!("{path}/access")).await.body.contains("None is enrolled."));
    assert_eq!(person.get("/console/users/nobody").await.status, 404);
    let csv = format!("username,name\nada,{NASTY}\nbob,B\n").replace('"', "");
    let tried = person.post("/console/import-users", &[("csv", &csv), ("decision", "try")]).await;
    assert!(
        tried.body.contains("1 would be made, 1 skipped because they are there already, 0 refused")
            && !tried.body.contains("<script>alert"),
        "{}",
        tried.body
    );
    let done = person.post("/console/import-users", &[("csv", &csv), ("decision", "import")]).await;
    assert!(done.body.contains("1 made, 1 skipped"));
    assert!(done.body.contains("They cannot sign in until they are invited."), "{}", done.body);
    // With the box ticked, those with an address are sent a link; the others are named.
    let csv = "username,email\ncleo,cleo@example.org\ndan,\n";
    let sent = [("csv", csv), ("decision", "import"), ("invite", "yes")];
    let invited = person.post("/console/import-users", &sent).await;
    assert!(invited.body.contains("1 of them were sent an invitation"), "{}", invited.body);
    let mails = provider.app.mailer.kept().unwrap_or_default();
    assert_eq!(mails.iter().filter(|mail| mail.to == "cleo@example.org").count(), 1, "{mails:?}");
    let broken = person.post("/console/import-users", &[("csv", "x"), ("decision", "try")]).await;
    assert_eq!(broken.status, 422);
}
