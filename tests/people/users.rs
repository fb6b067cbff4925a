//! Users at the desk, by the administrative interface.

use serde_json::{Value, json};
use signet_core::provision::{Secret, UserDeclaration};
use signet_core::records::Role;
use signet_tests::admin::Office;
use signet_tests::provider::{Browser, ISSUER, Provider, Reply, USER, form};
use uuid::Uuid;

use super::{silently, visit};

/// Makes a person with everybody's password.
pub(super) async fn person(provider: &Provider, username: &str) {
    let user = UserDeclaration {
        username: username.into(),
        disabled: false,
        password: Some(Secret::new(USER.1)),
        password_hash: None,
        claims: serde_json::Map::new(),
        role: None,
    };
    provider.provisioner().user(&"default".into(), &user).await.unwrap();
}

fn code(reply: &Reply) -> String {
    if reply.status.is_success() { "yes".into() } else { reply.json()["code"].as_str().unwrap().to_owned() }
}

async fn change(office: &Office, token: &str, id: &str, body: Value) -> Reply {
    let shown = office.call("GET", &format!("/users/{id}"), token, None).await;
    let tag = shown.header("etag").to_owned();
    office.call_with("PUT", &format!("/users/{id}"), token, &[("if-match", &tag)], Some(&body)).await
}

async fn delete(office: &Office, token: &str, id: &str) -> Reply {
    let shown = office.call("GET", &format!("/users/{id}"), token, None).await;
    let tag = shown.header("etag").to_owned();
    office.call_with("DELETE", &format!("/users/{id}"), token, &[("if-match", &tag)], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_made_invited_found_changed_and_removed() {
    let office = Office::open().await;
    let token = office.token_of(Role::Administrator).await;
    let new = json!({ "username": "Grace", "claims": { "name": "Grace", "email": "grace@example.org" }, "invite": true });
    let made = office.call("POST", "/users", &token, Some(&new)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!((&made["user"]["username"], &made["user"]["has_password"]), (&json!("grace"), &json!(false)));
    assert_eq!((&made["invitation"]["mailed"], made["invitation"].get("url")), (&json!(true), None));
    let id = made["user"]["id"].as_str().unwrap().to_owned();
    let mail = office.provider.app.mailer.kept().unwrap().remove(0);
    let url = mail.text.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    let secret = url.split("token=").nth(1).unwrap();
    let body = form(&[("token", secret), ("password", USER.1), ("password_again", USER.1)]);
    office.provider.advance(6 * 86_400);
    assert_eq!(office.provider.post("/account/link", body, None).await.status, 200);
    let found = office.call("GET", "/users?search=GRACE%40", &token, None).await.json();
    assert_eq!(found["items"][0]["id"], json!(id), "{found}");
    assert_eq!(code(&office.call("POST", "/users", &token, Some(&new)).await), "admin_record_exists");
    let changed = change(&office, &token, &id, json!({ "claims": { "name": "G" }, "disabled": true })).await;
    assert_eq!(code(&changed), "yes", "{}", changed.body);
    assert_eq!(changed.json()["user"]["claims"], json!({ "name": "G" }));
    let stale = office
        .call_with(
            "PUT",
            &format!("/users/{id}"),
            &token,
            &[("if-match", "\"1\"")],
            Some(&json!({ "claims": {} })),
        )
        .await;
    assert_eq!(code(&stale), "admin_version_stale");
    let unknown = json!({ "claims": { "shoe_size": 42 } });
    assert_eq!(code(&change(&office, &token, &id, unknown).await), "admin_record_invalid");
    assert_eq!(code(&delete(&office, &token, &id).await), "yes");
    assert_eq!(
        code(&office.call("GET", &format!("/users/{id}"), &token, None).await),
        "admin_record_missing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_the_link_is_handed_over_once() {
    let office = Office::open().await;
    let token = office.token_of(Role::Owner).await;
    let made = office.call("POST", "/users", &token, Some(&json!({ "username": "grace" }))).await.json();
    let id = made["user"]["id"].as_str().unwrap();
    let dry = office.call("POST", &format!("/users/{id}/invitation?dry_run=true"), &token, None).await.json();
    assert_eq!((&dry["mailed"], dry.get("url")), (&json!(false), None));
    let handed = office.call("POST", &format!("/users/{id}/invitation"), &token, None).await.json();
    let url = handed["url"].as_str().unwrap();
    let path = url.strip_prefix(ISSUER).unwrap();
    assert_eq!(office.provider.get(path, None).await.status, 200);
    let shown = office.call("GET", &format!("/users/{id}"), &token, None).await;
    assert!(!shown.body.contains(path), "it is not shown again");
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_are_changed_by_owners_and_nobody_rises_above_who_raises_them() {
    let office = Office::open().await;
    let owner = office.person("olivia", Some(Role::Owner)).await.to_string();
    let administrator = office.token_of(Role::Administrator).await;
    let base = format!("/users/{owner}");
    let body = json!({ "claims": {}, "role": "auditor" });
    assert_eq!(code(&change(&office, &administrator, &owner, body).await), "user_forbidden");
    assert_eq!(code(&delete(&office, &administrator, &owner).await), "user_forbidden");
    for (method, path) in [
        ("POST", format!("{base}/invitation")),
        ("POST", format!("{base}/password-reset")),
        ("DELETE", format!("{base}/sessions")),
        ("DELETE", format!("{base}/sessions/x")),
        ("DELETE", format!("{base}/consents/rp")),
        ("DELETE", format!("{base}/credentials/{}", Uuid::nil())),
    ] {
        let reply = office.call(method, &path, &administrator, None).await;
        assert_eq!(code(&reply), "user_forbidden", "{method} {path}");
    }
    let raised = json!({ "username": "eve", "role": "owner" });
    assert_eq!(code(&office.call("POST", "/users", &administrator, Some(&raised)).await), "user_forbidden");
    let program = office.token(None).await;
    assert_eq!(code(&office.call("POST", "/users", &program, Some(&raised)).await), "user_forbidden");
    let eve = json!({ "username": "eve", "role": "administrator" });
    let eve = office.call("POST", "/users", &administrator, Some(&eve)).await.json();
    let eve = eve["user"]["id"].as_str().unwrap().to_owned();
    let up = json!({ "claims": {}, "role": "owner" });
    assert_eq!(code(&change(&office, &administrator, &eve, up.clone()).await), "user_forbidden");
    let by_owner = office.token(Some(owner.parse().unwrap())).await;
    assert_eq!(code(&change(&office, &by_owner, &eve, up).await), "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_who_can_sign_in_stays_however_many_try_at_a_time() {
    let office = Office::open().await;
    let first = office.person("first", Some(Role::Owner)).await;
    let token = office.token(Some(first)).await;
    let id = first.to_string();
    for body in [json!({ "claims": {} }), json!({ "claims": {}, "role": "owner", "disabled": true })] {
        assert_eq!(code(&change(&office, &token, &id, body).await), "last_owner");
    }
    assert_eq!(code(&delete(&office, &token, &id).await), "last_owner");
    // Two owners who take it from each other at the same time.
    let second = office.person("second", Some(Role::Owner)).await;
    let other = office.token(Some(second)).await;
    let theirs = second.to_string();
    let (a, b) = tokio::join!(delete(&office, &token, &theirs), delete(&office, &other, &id));
    let done = [&a, &b].into_iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(done, 1, "{} {}", a.body, b.body);
    let filter = signet_store::UserFilter {
        role: Some(Role::Owner),
        page: signet_store::Page { after: None, limit: 10 },
        ..Default::default()
    };
    assert_eq!(office.provider.app.store.find_users(&"default".into(), &filter).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_disabled_or_signed_out_is_so_everywhere() {
    let office = Office::open().await;
    let provider = &office.provider;
    provider.register(&signet_tests::rp::Rp::new("rp").declaration()).await;
    let token = office.token_of(Role::Administrator).await;
    let alice = provider.person(USER.0).await.id.to_string();
    let mut browser = Browser::default();
    visit(provider, &mut browser, "/account").await;
    let sessions = office.call("GET", &format!("/users/{alice}/sessions"), &token, None).await.json();
    assert_eq!(sessions[0]["clients"], json!(["signet-account"]), "{sessions}");
    let sid = sessions[0]["sid"].as_str().unwrap().to_owned();
    let bob = {
        person(provider, "bob").await;
        provider.person("bob").await.id
    };
    let foreign = office.call("DELETE", &format!("/users/{bob}/sessions/{sid}"), &token, None).await;
    assert_eq!(code(&foreign), "admin_record_missing");
    let dry = format!("/users/{alice}/sessions?dry_run=true");
    assert_eq!(
        office.call("DELETE", &dry, &token, None).await.json(),
        json!({ "count": 1, "dry_run": true })
    );
    assert_eq!(silently(provider, &mut browser).await, "consent_required");
    let ended = office.call("DELETE", &format!("/users/{alice}/sessions/{sid}"), &token, None).await;
    assert_eq!(code(&ended), "yes");
    assert_eq!(silently(provider, &mut browser).await, "login_required");
    visit(provider, &mut browser, "/account").await;
    change(&office, &token, &alice, json!({ "claims": {}, "disabled": true })).await;
    let sessions = office.call("GET", &format!("/users/{alice}/sessions"), &token, None).await.json();
    assert_eq!(sessions, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_second_factor_is_removed_with_its_recovery_codes() {
    let office = Office::open().await;
    office.provider.enrol(USER.0).await;
    let token = office.token_of(Role::Administrator).await;
    let alice = office.provider.person(USER.0).await.id;
    let base = format!("/users/{alice}");
    let shown = office.call("GET", &base, &token, None).await.json();
    assert_eq!((&shown["totp"], &shown["recovery_codes"]), (&json!(true), &json!(10)));
    let list = office.call("GET", &format!("{base}/credentials"), &token, None).await;
    assert!(!list.body.contains("secret"), "{}", list.body);
    let list = list.json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["kind"]), (1, &json!("totp")));
    let path = format!("{base}/credentials/{}", list[0]["id"].as_str().unwrap());
    assert_eq!(code(&office.call("DELETE", &path, &token, None).await), "yes");
    assert_eq!(code(&office.call("DELETE", &path, &token, None).await), "admin_record_missing");
    let shown = office.call("GET", &base, &token, None).await.json();
    assert_eq!((&shown["totp"], &shown["recovery_codes"]), (&json!(false), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_imported_row_by_row_and_reported() {
    let office = Office::open().await;
    let token = office.token_of(Role::Administrator).await;
    let csv = "username,name,email,shoe_size\n\
               ada,Ada,ada@example.org,\n\
               alice,Alice,a@example.org,\n\
               ADA,Ada again,,\n\
               grace,Grace,nobody,\n\
               a b,Spaces,,\n\
               bob,Bob,,42\n\
               carol,,,\n";
    let import = async |path: &str| office.call("POST", path, &token, Some(&json!({ "csv": csv }))).await;
    let dry = import("/users/import?dry_run=true").await.json();
    let made = |report: &Value| -> Vec<(u64, bool)> {
        let rows = report["rows"].as_array().unwrap();
        rows.iter().map(|row| (row["row"].as_u64().unwrap(), row["made"].as_bool().unwrap())).collect()
    };
    let expected =
        [(2, true), (3, false), (4, false), (5, false), (6, false), (7, false), (8, true)].to_vec();
    assert_eq!(made(&dry), expected, "{dry}");
    assert_eq!(code(&office.call("GET", "/users?search=ada", &token, None).await), "yes");
    let none = office.call("GET", "/users?search=ada", &token, None).await.json();
    assert_eq!(none["items"], json!([]), "a dry run makes nobody");
    let real = import("/users/import").await.json();
    assert_eq!((made(&real), &real["made"], &real["refused"]), (expected, &json!(2), &json!(3)));
    assert_eq!((&real["skipped"], &real["invited"]), (&json!(2), &json!(0)), "who is there is no fault");
    let again = import("/users/import").await.json();
    assert_eq!((&again["made"], &again["skipped"]), (&json!(0), &json!(4)));
    let broken = office.call("POST", "/users/import", &token, Some(&json!({ "csv": "name\nx\n" }))).await;
    assert_eq!(code(&broken), "admin_body_malformed");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_their_names_and_by_state() {
    let office = Office::open().await;
    let token = office.token_of(Role::Owner).await;
    for (name, claims, disabled) in [
        ("u1", json!({"name": "Aïda Lindqvist", "email": "first@corp.example"}), false),
        ("u2", json!({"given_name": "Väinö", "family_name": "Lindqvist"}), true),
        ("u3", json!({"nickname": "lindwurm", "locale": "lingo"}), false),
    ] {
        let body = json!({"username": name, "claims": claims, "disabled": disabled});
        assert_eq!(office.call("POST", "/users", &token, Some(&body)).await.status, 201);
    }
    for (query, expected) in [
        ("search=LIND", &["u1", "u2", "u3"][..]),
        ("search=a%C3%AFda%20l", &["u1"]),
        ("search=%C3%84IN%C3%96%20lin", &["u2"]),
        ("search=t@corp", &["u1"]),
        ("search=lingo", &[]),
        ("search=ind&state=disabled", &["u2"]),
        ("search=ind&state=enabled", &["u1", "u3"]),
        ("state=disabled", &["u2"]),
        ("search=ind&role=owner", &[]),
    ] {
        let found = office.call("GET", &format!("/users?{query}"), &token, None).await.json();
        let names: Vec<&str> =
            found["items"].as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }
}
