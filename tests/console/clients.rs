//! Clients in the console: made, changed by one person and by two at once, refused with reasons, removed.

use axum::http::StatusCode;
use signet_core::ids::ClientId;
use signet_core::records::{Client, Role};
use signet_tests::console::{Person, add_user, below};
use signet_tests::provider::{Provider, Reply, between, form};

const NASTY: &str = "\"><script>alert(1)</script>'{{7*7}}&";

pub(super) async fn stored(provider: &Provider, id: &str) -> Client {
    provider.app.clients.forget();
    provider.app.store.client(&"default".into(), &ClientId::from(id)).await.unwrap().unwrap()
}

/// What a browser would send for the page's form to `action`, without the fields in `but`.
pub(super) fn filled(page: &Reply, action: &str, but: &[&str]) -> Vec<(String, String)> {
    let start = page.body.find(&format!("action=\"/auth/open{action}\"")).unwrap();
    let html = &page.body[start..start + page.body[start..].find("</form>").unwrap()];
    let unescape = |text: &str| {
        text.replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#38;", "&")
    };
    let mut found = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = tag.split_once('>').unwrap();
        let attribute = |name: &str| {
            tag.0
                .split_once(&format!(" {name}=\""))
                .map(|(_, rest)| unescape(rest.split('"').next().unwrap()))
        };
        let on =
            !tag.0.contains("type=\"checkbox\"") || tag.0.ends_with("checked") || tag.0.contains(" checked");
        if tag.0.starts_with("input") && on && !tag.0.contains("type=\"radio\"") {
            found.push((attribute("name").unwrap(), attribute("value").unwrap_or_default()));
        } else if tag.0.starts_with("textarea") {
            found.push((attribute("name").unwrap(), unescape(tag.1).trim_start_matches('\n').to_owned()));
        } else if tag.0.starts_with("select") {
            let rest = &html[html.find(tag.0).unwrap()..];
            let rest = &rest[..rest.find("</select>").unwrap()];
            let chosen = rest.split("<option").find(|option| option.contains(" selected"));
            let value = chosen.or_else(|| rest.split("<option").nth(1)).unwrap();
            found.push((attribute("name").unwrap(), between(value, "value=\"", "\"").to_owned()));
        }
    }
    found.retain(|(name, _)| !but.contains(&name.as_str()));
    found
}

pub(super) async fn send(
    provider: &Provider,
    person: &mut Person<'_>,
    path: &str,
    fields: &[(String, String)],
) -> Reply {
    let pairs: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    provider.post(path, form(&pairs), Some(&mut person.browser)).await
}

pub(super) fn set(fields: &mut Vec<(String, String)>, name: &str, value: &str) {
    fields.retain(|(known, _)| known != name);
    fields.push((name.to_owned(), value.to_owned()));
}

pub(super) async fn make(person: &mut Person<'_>, id: &str, template: &str) -> Reply {
    let fields = [
        ("template", template),
        ("name", "An app"),
        ("client_id", id),
        ("redirect_uris", "https://rp.example/cb\n\n"),
    ];
    person.post("/console/new-client", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_made_from_each_template_and_its_secrets_are_shown_once() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    for template in ["web", "spa", "native", "machine", "sealed"] {
        let id = format!("new-{template}");
        let uri = if template == "native" { "com.example.app:/cb" } else { "https://rp.example/cb" };
        let once = format!("once-{template}");
        let fields = [
            ("template", template),
            ("name", "An app"),
            ("client_id", &id),
            ("redirect_uris", if template == "machine" { "" } else { uri }),
            ("once", &once),
        ];
        let reply = person.post("/console/new-client", &fields).await;
        let client = stored(&provider, &id).await;
        assert_eq!(client.settings.client_name, "An app");
        let secret = template != "spa" && template != "native";
        if secret {
            assert_eq!(reply.status, 200, "{template}: {}", reply.body);
            assert!(reply.body.contains("id=\"client-secret\"") && reply.body.contains("Shown this once"));
        } else {
            assert_eq!(below(&reply), format!("/console/clients/{id}/configuration"), "{template}");
        }
        assert_eq!(reply.body.matches("data-private-jwk").count(), if template == "sealed" { 2 } else { 0 });
        // The same form once more makes nothing, and shows nothing again.
        let again = person.post("/console/new-client", &fields).await;
        assert_eq!(
            below(&again),
            format!("/console/clients/{id}/configuration"),
            "{template}: {}",
            again.body
        );
        assert_eq!(stored(&provider, &id).await.version, client.version);
        // Every page of it opens.
        for tab in ["", "/security", "/keys", "/preview", "/configuration", "/activity"] {
            let page = person.get(&format!("/console/clients/{id}{tab}")).await;
            assert_eq!(page.status, 200, "{template}{tab}: {}", page.body);
        }
    }
    let list = person.get("/console/clients?search=new-s").await;
    assert!(
        list.body.contains("new-spa") && list.body.contains("new-sealed") && !list.body.contains("new-web")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_refused_with_links_to_both_settings_and_keeps_what_was_typed() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    let before = stored(&provider, "app").await;
    let page = person.get("/console/clients/app/security").await;
    let mut fields = filled(&page, "/console/clients/app/security", &[]);
    // Untouched, it changes nothing.
    let same = send(&provider, &mut person, "/console/clients/app/security", &fields).await;
    assert_eq!(below(&same), "/console/clients/app/security", "{}", same.body);
    assert_eq!(stored(&provider, "app").await, before);
    let notice = person.get("/console/clients/app/security").await;
    assert!(notice.body.contains("nothing was changed"), "{}", notice.body);
    assert!(
        !person.get("/console/clients/app/security").await.body.contains("nothing was changed"),
        "said once"
    );

    set(&mut fields, "userinfo-response_type", "json");
    set(&mut fields, "userinfo-encrypted", "RSA-OAEP-256");
    set(&mut fields, "lifetimes-code", "61");
    let refused = send(&provider, &mut person, "/console/clients/app/security", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for wanted in [
        "<code class=\"code\">userinfo_encryption_unused</code>",
        "href=\"#userinfo-response_type\"",
        "href=\"#userinfo-encrypted\"",
        "name=\"lifetimes-code\" type=\"text\" inputmode=\"numeric\" value=\"61\"",
        "<title>Error: ",
    ] {
        assert!(refused.body.contains(wanted), "{wanted}: {}", refused.body);
    }
    set(&mut fields, "lifetimes-code", "soon");
    let refused = send(&provider, &mut person, "/console/clients/app/security", &fields).await;
    assert!(refused.body.contains("must be a whole number of seconds"), "{}", refused.body);
    assert_eq!(stored(&provider, "app").await, before, "nothing was saved");

    // A problem that lies on the other page leads there.
    let page = person.get("/console/clients/app").await;
    let mut fields = filled(&page, "/console/clients/app", &[]);
    fields.retain(|(name, _)| !name.starts_with("grant_types--"));
    let refused = send(&provider, &mut person, "/console/clients/app", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("href=\"#grant_types\""), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_administrators_the_second_is_told_and_nothing_is_lost() {
    let provider = Provider::start().await;
    let mut first = Person::with_role(&provider, Role::Owner).await;
    add_user(&provider, "eve", Some(Role::Administrator)).await;
    let mut second = Person::sign_in(&provider, "eve").await;
    make(&mut first, "app", "web").await;
    let path = "/console/clients/app";
    let mut ours = filled(&first.get(path).await, path, &[]);
    let mut theirs = filled(&second.get(path).await, path, &[]);

    set(&mut theirs, "client_name", "Renamed by Eve");
    set(&mut theirs, "tos_uri", "https://eve.example/terms");
    let saved = send(&provider, &mut second, path, &theirs).await;
    assert_eq!(below(&saved), path);

    set(&mut ours, "policy_uri", "https://alice.example/policy");
    set(&mut ours, "tos_uri", "https://alice.example/terms");
    let told = send(&provider, &mut first, path, &ours).await;
    assert_eq!(told.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(stored(&provider, "app").await.settings.client_name, "Renamed by Eve", "not overwritten");
    for wanted in
        ["id=\"meanwhile\"", "Renamed by Eve", "https://eve.example/terms", "https://alice.example/terms"]
    {
        assert!(told.body.contains(wanted), "{wanted}: {}", told.body);
    }
    // What stands in the form now: theirs where only they changed, ours where we did.
    let merged = filled(&told, path, &[]);
    let value = |name: &str| merged.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!(value("client_name"), "Renamed by Eve");
    assert_eq!(value("policy_uri"), "https://alice.example/policy");
    assert_eq!(value("tos_uri"), "https://alice.example/terms");
    let saved = send(&provider, &mut first, path, &merged).await;
    assert_eq!(below(&saved), path, "{}", saved.body);
    let settings = stored(&provider, "app").await.settings;
    assert_eq!(settings.client_name, "Renamed by Eve");
    assert_eq!(settings.tos_uri.as_deref(), Some("https://alice.example/terms"));
    assert_eq!(settings.policy_uri.as_deref(), Some("https://alice.example/policy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_switched_off_gets_a_new_secret_and_goes_only_when_its_name_is_typed() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    make(&mut person, "app", "web").await;
    let version = |client: &Client| client.version.to_string();
    let client = stored(&provider, "app").await;
    person.post("/console/clients/app/switch", &[("version", &version(&client)), ("disabled", "yes")]).await;
    let off = stored(&provider, "app").await;
    assert!(off.disabled);
    // A page that is out of date does nothing.
    let stale = person
        .post("/console/clients/app/switch", &[("version", &version(&client)), ("disabled", "no")])
        .await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);

    let secret = "/console/clients/app/secret";
    let reply = person.post(secret, &[("version", &version(&off))]).await;
    assert_eq!(reply.status, 422, "the present secret ends only when the box is ticked");
    assert!(reply.body.contains("href=\"#sure-secret\""), "{}", reply.body);
    assert_eq!(stored(&provider, "app").await.secret_hash, off.secret_hash);
    let reply = person.post(secret, &[("version", &version(&off)), ("sure", "yes")]).await;
    let secret = between(&reply.body, "id=\"client-secret\">", "<");
    let now = stored(&provider, "app").await;
    assert_ne!(now.secret_hash, off.secret_hash);
    assert_eq!(now.secret_hash, Some(signet_core::ids::TokenHash::of(secret)));

    for typed in ["", "App", "app2"] {
        let fields = [("version", version(&now)), ("confirm", typed.to_owned())];
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = person.post("/console/clients/app/delete", &pairs).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
    }
    let gone =
        person.post("/console/clients/app/delete", &[("version", &version(&now)), ("confirm", "app")]).await;
    assert_eq!(below(&gone), "/console/clients", "{}", gone.body);
    assert!(provider.app.store.client(&"default".into(), &"app".into()).await.unwrap().is_none());
    assert!(person.get("/console/clients").await.body.contains("is deleted"));
    assert_eq!(person.get("/console/clients/app").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_see_their_own_clients_and_auditors_change_nothing() {
    let provider = Provider::start().await;
    let mut owner = Person::with_role(&provider, Role::Owner).await;
    make(&mut owner, "of-owner", "web").await;
    add_user(&provider, "dev", Some(Role::Developer)).await;
    let mut developer = Person::sign_in(&provider, "dev").await;
    make(&mut developer, "of-dev", "web").await;
    let list = developer.get("/console/clients").await.body;
    assert!(list.contains("of-dev") && !list.contains("of-owner"), "{list}");
    for path in ["", "/security", "/keys", "/preview", "/configuration", "/activity"] {
        assert_eq!(developer.get(&format!("/console/clients/of-owner{path}")).await.status, 404, "{path}");
    }
    let fields = [("version", "1"), ("disabled", "yes")];
    assert_eq!(developer.post("/console/clients/of-owner/switch", &fields).await.status, 404);
    assert!(!stored(&provider, "of-owner").await.disabled);

    // An administrator hands a client over, and takes one away.
    let dev = provider.app.store.user_by_name(&"default".into(), "dev").await.unwrap().unwrap();
    let (version, id) = (stored(&provider, "of-owner").await.version.to_string(), dev.id.to_string());
    let given = owner.post("/console/clients/of-owner/owner", &[("version", &version), ("owner", &id)]).await;
    assert_eq!(below(&given), "/console/clients/of-owner", "{}", given.body);
    assert_eq!(developer.get("/console/clients/of-owner").await.status, 200);
    let version = stored(&provider, "of-owner").await.version.to_string();
    developer.post("/console/clients/of-owner/owner", &[("version", &version), ("owner", "")]).await;
    assert_eq!(stored(&provider, "of-owner").await.owner, Some(dev.id), "developers hand nothing over");
    let version = stored(&provider, "of-owner").await.version.to_string();
    owner.post("/console/clients/of-owner/owner", &[("version", &version), ("owner", "")]).await;
    assert_eq!(developer.get("/console/clients/of-owner").await.status, 404);

    add_user(&provider, "aud", Some(Role::Auditor)).await;
    let mut auditor = Person::sign_in(&provider, "aud").await;
    let page = auditor.get("/console/clients/of-dev").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("id=\"save\"") && !page.body.contains("id=\"delete\""));
    let version = stored(&provider, "of-dev").await.version.to_string();
    for (path, fields) in [
        ("/console/clients/of-dev/switch", [("version", &*version), ("disabled", "yes")]),
        ("/console/clients/of-dev/delete", [("version", &*version), ("confirm", "of-dev")]),
        ("/console/clients/of-dev/secret", [("version", &*version), ("sure", "yes")]),
        ("/console/new-client", [("template", "web"), ("redirect_uris", "https://rp.example/cb")]),
    ] {
        assert_eq!(auditor.post(path, &fields).await.status, 403, "{path}");
    }
    let key = [("name", "x"), ("usage", "sig"), ("kind", "p-256"), ("version", &*version)];
    assert_eq!(auditor.post("/console/clients/of-dev/keys/generate", &key).await.status, 403);
    assert_eq!(stored(&provider, "of-dev").await.version.to_string(), version);
    // The console's own record is seen and not changed.
    let page = owner.get("/console/clients/signet-console").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("id=\"save\""));
    let version = stored(&provider, "signet-console").await.version.to_string();
    let fields = [("version", &*version), ("disabled", "yes")];
    assert_ne!(owner.post("/console/clients/signet-console/switch", &fields).await.status, 303);
    assert!(!stored(&provider, "signet-console").await.disabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_type_is_shown_and_never_obeyed() {
    let provider = Provider::start().await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    let fields = [
        ("template", "web"),
        ("name", NASTY),
        ("client_id", "n\"'<b>&/x"),
        ("redirect_uris", "https://rp.example/\"><script>"),
    ];
    let refused = person.post("/console/new-client", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    let mut pages = vec![refused];
    let good = [fields[0], fields[1], fields[2], ("redirect_uris", "https://rp.example/cb")];
    let made = person.post("/console/new-client", &good).await;
    assert_eq!(made.status, 200, "{}", made.body);
    pages.push(made);
    let list = person.get("/console/clients").await;
    let path = between(&list.body, "href=\"/auth/open/console/clients/n", "\"").to_owned();
    for tab in ["", "/security", "/keys", "/preview", "/configuration", "/activity"] {
        let page = person.get(&format!("/console/clients/n{path}{tab}")).await;
        assert_eq!(page.status, 200, "{tab}: {}", page.body);
        pages.push(page);
    }
    pages.push(list);
    pages.push(
        person
            .get(&format!("/console/clients?search={}", form(&[("x", NASTY)]).trim_start_matches("x=")))
            .await,
    );
    for page in pages {
        assert!(!page.body.contains("<script>") && !page.body.contains("<b>&"), "{}", page.body);
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_searched_and_filtered_without_a_script_and_keeps_its_filters_from_page_to_page() {
    let provider = Provider::start().await;
    let dev = add_user(&provider, "dev", Some(Role::Developer)).await;
    let mut person = Person::with_role(&provider, Role::Owner).await;
    for index in 10..37 {
        make(&mut person, &format!("app-{index}"), "web").await;
    }
    let page = person.get("/console/clients/app-12").await;
    let action = "/console/clients/app-12/owner";
    let mut fields = filled(&page, action, &["owner"]);
    fields.push(("owner".into(), dev.id.to_string()));
    send(&provider, &mut person, action, &fields).await;

    let list = person.get("/console/clients?search=PP-&state=enabled&owner=").await;
    assert!(list.body.contains("app-10") && !list.body.contains("app-36"), "{}", list.body);
    assert!(list.body.contains("<option value=\"enabled\" selected>"));
    let next = between(&list.body, "id=\"next-page\" href=\"/auth/open", "\"").replace("&#38;", "&");
    assert!(next.starts_with("/console/clients?search=PP-&state=enabled&"), "{next}");
    let rest = person.get(&next).await;
    assert!(rest.body.contains("app-36") && !rest.body.contains("app-10"), "{}", rest.body);
    let off = person.get("/console/clients?search=pp-&state=disabled").await;
    assert!(off.body.contains("No such client has “<bdi>pp-</bdi>”"), "{}", off.body);
    let own = person.get(&format!("/console/clients?owner={}", dev.id)).await;
    assert!(own.body.contains("app-12") && !own.body.contains("app-13"), "{}", own.body);
    assert!(own.body.contains(&format!("<option value=\"{}\" selected>dev</option>", dev.id)));

    let mut developer = Person::sign_in(&provider, "dev").await;
    let list = developer.get("/console/clients?search=app").await;
    assert!(list.body.contains("app-12") && !list.body.contains("app-13"), "{}", list.body);
    assert!(!list.body.contains("name=\"owner\""), "they see their own only");
}
