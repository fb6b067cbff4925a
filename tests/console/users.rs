//! Users in the console.

use signet_core::records::Role;
use signet_tests::console::{Person, add_user, below, user};
use signet_tests::provider::{Provider, Reply, USER, between};

use super::clients::{filled, send, set};

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
    let fields = [("once", once.as_str()), ("username", "Grace"), ("name", NASTY), ("role", "none")];
    let made = person.post("/console/new-user", &fields).await;
    assert_eq!((made.status.as_u16(), page_of(&made)), (200, "user_link"), "{}", made.body);
    assert!(made.header("cache-control").contains("no-store"));
    let link = between(&made.body, "account/link?token=", "<").trim().to_owned();
    let chosen = provider.get(&format!("/account/link?token={link}"), None).await;
    assert_eq!(chosen.status, 200);
    let again = person.post("/console/new-user", &fields).await;
    let grace = user(&provider, "grace").await;
    // The same form makes nobody new and shows nothing again; and nothing was mailed.
    assert_eq!(below(&again), format!("/console/users/{}", grace.id));
    let notice = person.get(&below(&again)).await;
    assert!(notice.body.contains("was made already") && !notice.body.contains("by mail."), "{}", notice.body);
    assert!(!notice.body.contains(&link));
    let shown = person.get(&format!("/console/users/{}", grace.id)).await;
    assert!(
        shown.body.contains("&#60;script&#62;") && !shown.body.contains("<script>alert"),
        "{}",
        shown.body
    );
    let list = person.get("/console/users?search=gra").await;
    assert!(list.body.contains("grace") && !list.body.contains("<script>alert"));
    let taken = [("once", "another"), ("username", "grace"), ("name", ""), ("role", "none")];
    let taken = person.post("/console/new-user", &taken).await;
    assert_eq!((taken.status.as_u16(), page_of(&taken)), (409, "user_new"));
    assert!(
        taken.body.contains("There is one of this name already") && taken.body.contains("href=\"#username\"")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_who_edit_a_user_reverts_nothing_that_they_did_not_touch() {
    let provider = Provider::start().await;
    add_user(&provider, "bob", None).await;
    let path = format!("/console/users/{}", user(&provider, "bob").await.id);
    let mut first = Person::with_role(&provider, Role::Administrator).await;
    let mut second = Person::sign_in(&provider, USER.0).await;
    let mut ours = filled(&first.get(&path).await, &path, &[]);
    let mut theirs = filled(&second.get(&path).await, &path, &[]);

    set(&mut theirs, "nickname", "Theirs");
    set(&mut theirs, "name", "Theirs");
    set(&mut theirs, "role", "auditor");
    set(&mut theirs, "further", "{\"address\":{\"country\":\"UK\"}}");
    assert_eq!(below(&send(&provider, &mut second, &path, &theirs).await), path);

    set(&mut ours, "website", "https://ours.example/");
    set(&mut ours, "name", "Ours");
    set(&mut ours, "further", "{\"email_verified\":true}");
    let told = send(&provider, &mut first, &path, &ours).await;
    assert_eq!((told.status.as_u16(), page_of(&told)), (412, "user"));
    let list = between(&told.body, "id=\"meanwhile\"", "</div>");
    for theirs in ["Nickname", "Role", "address"] {
        assert!(list.contains(&format!("<b>{theirs}</b>")), "{theirs}: {list}");
    }
    assert!(list.contains("You typed “<bdi>Ours</bdi>”"), "{list}");
    assert!(!list.contains("Website") && !list.contains("email_verified"), "our own edits: {list}");

    let merged = filled(&told, &path, &[]);
    assert_eq!(below(&send(&provider, &mut first, &path, &merged).await), path);
    let bob = user(&provider, "bob").await;
    assert_eq!(bob.role, Some(Role::Auditor), "the role that we never touched stays as they gave it");
    for (claim, value) in [("nickname", "Theirs"), ("name", "Ours"), ("website", "https://ours.example/")] {
        assert_eq!(bob.claims[claim], value);
    }
    assert_eq!(
        (&bob.claims["address"]["country"], &bob.claims["email_verified"]),
        (&"UK".into(), &true.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_of_a_user_is_told_and_kept() {
    let provider = Provider::start().await;
    add_user(&provider, "bob", None).await;
    let path = format!("/console/users/{}", user(&provider, "bob").await.id);
    let mut person = Person::with_role(&provider, Role::Administrator).await;
    let fields = filled(&person.get(&path).await, &path, &[]);
    for (field, value, status, link) in [
        ("further", "{not json", 422, "#further"),
        ("further", "{\"shoe_size\":1}", 422, "#further"),
        ("email", "nobody", 422, "#email"),
        ("role", "audtor", 422, "#role"),
        ("role", "owner", 403, "#save"),
    ] {
        let mut fields = fields.clone();
        set(&mut fields, field, value);
        let wrong = send(&provider, &mut person, &path, &fields).await;
        assert_eq!((wrong.status.as_u16(), page_of(&wrong)), (status, "user"), "{value}");
        let problems = between(&wrong.body, "id=\"problems\"", "</div>");
        assert!(link == "#save" || problems.contains(&format!("href=\"{link}\"")), "{value}: {problems}");
        if field != "role" {
            let kept = filled(&wrong, &path, &[]).into_iter().find(|(name, _)| name == field).unwrap().1;
            assert_eq!(kept.replace(char::is_whitespace, ""), value.replace(' ', ""), "{field}");
        }
    }
    let version = user(&provider, "bob").await.version.to_string();
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
    assert_eq!((broken.status.as_u16(), page_of(&broken)), (400, "user_import"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_as_many_rows_as_are_promised_is_taken_and_a_longer_one_is_kept() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let path = "/console/import-users";
    let row =
        |at: usize| format!("user{at},\"Jürgen Öztürk, {}\",user{at}@mail.example.org\n", "x".repeat(60));
    let csv: String = ["username,name,email\n".to_owned()].into_iter().chain((0..1000).map(row)).collect();
    assert!(csv.len() > 100_000);
    let tried = person.post(path, &[("csv", &csv), ("decision", "try")]).await;
    assert!(
        tried.body.contains("1000 would be made") && tried.body.contains(" 0 refused"),
        "{} {:.300}",
        tried.status,
        tried.body
    );
    let most = format!("username\n{}", "ö".repeat(512 * 1024 - 5));
    let most = person.post(path, &[("csv", &most), ("decision", "try")]).await;
    assert_eq!(most.status, 200, "every character is written as three, and 1 MiB is taken");
    let long = format!("username\nada\n{}", "x\n".repeat(600 * 1024));
    let refused = person.post(path, &[("csv", &long), ("decision", "try")]).await;
    assert_eq!((refused.status.as_u16(), page_of(&refused)), (400, "user_import"));
    assert!(refused.body.contains("longer than 1 MiB") && refused.body.contains("username\nada\nx\nx\n"));
    // Other forms are as short as ever.
    let other = person.post("/console/new-user", &[("username", &csv), ("role", "none")]).await;
    assert!([400, 413].contains(&other.status.as_u16()), "{}", other.status);
}
