//! Clients over the interface: made once, changed by who saw the present version, and told why not.

use futures_util::future::join_all;
use serde_json::{Value, json};
use signet_core::records::Role;
use signet_store::Page;
use signet_tests::admin::Office;
use signet_tests::provider::Reply;

pub(super) fn new(id: &str) -> Value {
    json!({ "client_id": id, "settings": { "client_name": id, "redirect_uris": ["https://rp.example/cb"] } })
}

pub(super) fn code(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
}

async fn count(office: &Office) -> usize {
    let page = Page { after: None, limit: 1000 };
    office.provider.app.store.clients(&"default".into(), &page).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_made_shown_changed_and_removed() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let made = office.call("POST", "/clients", &owner, Some(&new("shop"))).await;
    let body = made.json();
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{body}");
    let secret = body["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("sgn_cs_") && body["client"]["has_secret"] == true);

    let shown = office.call("GET", "/clients/shop", &owner, None).await;
    assert_eq!(shown.header("etag"), "\"1\"");
    assert!(!shown.body.contains(secret) && shown.json()["contradictions"] == json!([]));
    let event = office.provider.event(&made).await;
    assert!(event.kind == "client.created" && event.actor.as_deref().unwrap().starts_with("user:"));
    assert!(!serde_json::to_string(&event).unwrap().contains(secret));

    let mut settings = shown.json()["settings"].clone();
    settings["client_name"] = json!("The shop");
    let put = json!({ "settings": settings });
    let without = office.call("PUT", "/clients/shop", &owner, Some(&put)).await;
    assert_eq!(code(&without), (428, "admin_version_missing".into()));
    let changed =
        office.call_with("PUT", "/clients/shop", &owner, &[("if-match", "\"1\"")], Some(&put)).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.body);
    assert_eq!(
        changed.json()["differences"],
        json!(["client \"shop\": client_name: \"shop\" -> \"The shop\""])
    );

    let secret =
        office.call_with("POST", "/clients/shop/secret", &owner, &[("if-match", "\"2\"")], None).await;
    assert!(secret.json()["client_secret"].is_string(), "{}", secret.body);
    let off = office.call_with("POST", "/clients/shop/disable", &owner, &[("if-match", "\"3\"")], None).await;
    assert_eq!(off.json()["client"]["disabled"], true, "{}", off.body);
    let stale = office.call_with("DELETE", "/clients/shop", &owner, &[("if-match", "\"3\"")], None).await;
    assert_eq!((code(&stale).0, &stale.json()["current_version"]), (412, &json!(4)), "{}", stale.body);
    let gone = office.call_with("DELETE", "/clients/shop", &owner, &[("if-match", "\"4\"")], None).await;
    assert_eq!(gone.json()["client"]["client_id"], "shop", "{}", gone.body);
    assert_eq!(
        code(&office.call("GET", "/clients/shop", &owner, None).await),
        (404, "admin_record_missing".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_client_gets_keys_that_are_shown_once() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let sealed = json!({ "client_id": "seal", "template": "sealed",
                         "settings": { "redirect_uris": ["https://rp.example/cb"] } });
    let made = office.call("POST", "/clients", &owner, Some(&sealed)).await.json();
    let private = made["private_keys"].as_array().unwrap();
    let usages: Vec<&str> = private.iter().map(|one| one["usage"].as_str().unwrap()).collect();
    assert_eq!(usages, ["sig", "enc"]);
    assert!(
        private.iter().all(|one| one["pem"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"))
    );
    let keys = office.call("GET", "/clients/seal/keys", &owner, None).await;
    assert!(!keys.body.contains("\"d\"") && keys.json().as_array().unwrap().len() == 2);
    assert!(keys.json().as_array().unwrap().iter().all(|key| key["state"] == "in_use"), "{}", keys.body);
    for template in ["web", "spa", "native", "machine"] {
        let mut body = json!({ "template": template });
        if template != "machine" {
            body["settings"] = json!({ "redirect_uris": ["https://rp.example/cb"] });
        }
        let made = office.call("POST", "/clients", &owner, Some(&body)).await;
        assert_eq!(made.status, 201, "{template}: {}", made.body);
        assert_eq!(made.json()["client_secret"].is_string(), ["web", "machine"].contains(&template));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_refused_naming_both_sides() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let body = json!({ "client_id": "x", "settings": { "redirect_uris": ["http://rp.example/cb"],
        "id_token": { "encrypted": { "alg": "RSA-OAEP-256", "enc": "A256GCM" } } } });
    let reply = office.call("POST", "/clients", &owner, Some(&body)).await;
    assert_eq!(code(&reply), (422, "admin_record_invalid".into()));
    let problem = reply.json();
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/settings/redirect_uris", "/settings/id_token/encrypted"], "{problem}");
    assert!(problem["type"].as_str().unwrap().ends_with("/admin/v1/docs#admin_record_invalid"));
    assert_eq!(problem["correlation_id"], reply.correlation_id());
    for id in ["signet-console", "signet-account"] {
        let reply = office.call("POST", "/clients", &owner, Some(&new(id))).await;
        assert_eq!(reply.json()["errors"][0]["code"], "client_builtin", "{}", reply.body);
    }
    assert_eq!(
        code(&office.call("POST", "/clients", &owner, Some(&new("ops"))).await),
        (409, "admin_record_exists".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_administrators_the_second_is_told_and_nothing_is_lost() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    for round in 0..5 {
        let id = format!("c{round}");
        office.call("POST", "/clients", &owner, Some(&new(&id))).await;
        let put = |name: String| {
            let (office, owner, id) = (&office, &owner, &id);
            async move {
                let body = json!({ "settings": { "client_name": name, "redirect_uris": ["https://rp.example/cb"] } });
                let path = format!("/clients/{id}");
                office.call_with("PUT", &path, owner, &[("if-match", "\"1\"")], Some(&body)).await
            }
        };
        let replies = join_all((0..8).map(|index| put(format!("name {index}")))).await;
        let done: Vec<_> = replies.iter().enumerate().filter(|(_, reply)| reply.status == 200).collect();
        assert_eq!(done.len(), 1, "{:?}", replies.iter().map(code).collect::<Vec<_>>());
        assert!(replies.iter().all(|reply| reply.status == 200 || reply.status == 412));
        let shown = office.call("GET", &format!("/clients/{id}"), &owner, None).await.json();
        assert_eq!(shown["settings"]["client_name"], format!("name {}", done[0].0));
        assert_eq!(shown["version"], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_times_the_same_creation_makes_one_client() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let before = count(&office).await;
    let body = json!({ "settings": { "client_name": "once", "redirect_uris": ["https://rp.example/cb"] } });
    let create = |key: &'static str, body: Value| {
        let (office, owner) = (&office, &owner);
        async move { office.call_with("POST", "/clients", owner, &[("idempotency-key", key)], Some(&body)).await }
    };
    let replies = join_all((0..50).map(|_| create("k-1", body.clone()))).await;
    let made: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(
        (made.len(), count(&office).await),
        (1, before + 1),
        "{:?}",
        replies.iter().map(code).collect::<Vec<_>>()
    );
    let id = made[0].json()["client"]["client_id"].clone();
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!(
            (reply.status.as_u16(), reply.header("idempotency-replayed")),
            (200, "true"),
            "{}",
            reply.body
        );
        let body = reply.json();
        assert!(body["client"]["client_id"] == id && body.get("client_secret").is_none());
    }
    let other = create("k-1", new("another")).await;
    assert_eq!(code(&other), (422, "admin_idempotency_key_reused".into()));
    // The key is its sender's own.
    let second = office.token_of(Role::Administrator).await;
    let reply =
        office.call_with("POST", "/clients", &second, &[("idempotency-key", "k-1")], Some(&body)).await;
    assert_eq!(reply.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_and_writes_nothing() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let (before, trail) =
        (count(&office).await, office.provider.app.store.audit(&"default".into(), &all()).await.unwrap());
    let keyed = [("idempotency-key", "k")];
    let dry = office.call_with("POST", "/clients?dry_run=true", &owner, &keyed, Some(&new("dry"))).await;
    let body = dry.json();
    assert_eq!((dry.status.as_u16(), &body["dry_run"]), (200, &json!(true)));
    assert!(body.get("client_secret").is_none() && body["client"]["client_id"] == "dry");
    let token = json!({ "name": "t" });
    office.call("POST", "/registration-tokens?dry_run=true", &owner, Some(&token)).await;
    office.call("POST", "/keys/rotate?dry_run=true", &owner, Some(&json!({ "usage": "sig" }))).await;
    assert_eq!(count(&office).await, before);
    assert_eq!(office.provider.app.store.audit(&"default".into(), &all()).await.unwrap(), trail);
    assert_eq!(office.call("GET", "/registration-tokens", &owner, None).await.json(), json!([]));
    // The key is still free.
    let made = office.call_with("POST", "/clients", &owner, &keyed, Some(&new("wet"))).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

fn all() -> signet_store::AuditFilter {
    signet_store::AuditFilter { limit: 1000, ..signet_store::AuditFilter::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_the_search_is_by_id_and_name() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    for index in 0..7 {
        let made = office.call("POST", "/clients", &owner, Some(&new(&format!("page-{index}")))).await;
        assert_eq!(made.status, 201);
    }
    let (mut seen, mut path) = (Vec::new(), "/clients?search=PAGE&limit=3".to_owned());
    let mut pages = 0;
    loop {
        let page = office.call("GET", &path, &owner, None).await.json();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|one| one["client_id"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/clients?search=PAGE&limit=3&after={next}");
    }
    assert_eq!((pages, seen), (3, (0..7).map(|index| format!("page-{index}")).collect()));
}

/// The ids of a listing, or its stable code.
async fn listed(office: &Office, token: &str, path: &str) -> Vec<String> {
    let reply = office.call("GET", path, token, None).await;
    match reply.json()["items"].as_array() {
        Some(items) => items.iter().map(|one| one["client_id"].as_str().unwrap().to_owned()).collect(),
        None => vec![code(&reply).1],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_found_by_what_their_names_and_hosts_have_in_them_and_by_state_and_owner() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let [ada, ben] = [
        office.person("ada", Some(Role::Developer)).await,
        office.person("ben", Some(Role::Developer)).await,
    ];
    for (id, name, host, of) in [
        ("c1", "Sealed demo", "shop.example", Some(ada)),
        ("c2", "Löwen 100%", "x_y.example:8443", Some(ben)),
        ("c3", "Demonstration", "shop.example", None),
    ] {
        let mut body = new(id);
        body["settings"]["client_name"] = json!(name);
        body["settings"]["redirect_uris"] = json!([format!("https://{host}/cb")]);
        body["owner"] = json!(of);
        assert_eq!(office.call("POST", "/clients", &owner, Some(&body)).await.status, 201);
    }
    let disabled =
        office.call_with("POST", "/clients/c3/disable", &owner, &[("if-match", "\"1\"")], None).await;
    assert_eq!(disabled.status, 200, "{}", disabled.body);
    let (of_ada, of_ben) = (format!("owner={ada}"), format!("owner={ben}&search=wen"));
    let (as_ada, as_ben) = (office.token(Some(ada)).await, office.token(Some(ben)).await);
    for (token, query, expected) in [
        (&owner, "search=EMO", &["c1", "c3"][..]),
        (&owner, "search=L%C3%96WEN", &["c2"]),
        (&owner, "search=op.exam", &["c1", "c3"]),
        (&owner, "search=example:84", &["c2"]),
        (&owner, "search=em", &[]),
        (&owner, "search=00%25", &["c2"]),
        (&owner, "search=_____", &[]),
        (&owner, "search=emo&state=enabled", &["c1"]),
        (&owner, "search=emo&state=disabled", &["c3"]),
        (&owner, "state=disabled", &["c3"]),
        (&owner, &of_ada, &["c1"]),
        (&owner, &of_ben, &["c2"]),
        (&owner, "state=off", &["admin_parameter_malformed"]),
        (&owner, "owner=ada", &["admin_parameter_malformed"]),
        // Developers are among their own, whatever they ask for.
        (&as_ben, "search=example", &["c2"]),
        (&as_ben, &of_ada, &[]),
        (&as_ada, &of_ada, &["c1"]),
        (&as_ada, "state=disabled", &[]),
    ] {
        let found = listed(&office, token, &format!("/clients?{query}")).await;
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_patch_changes_what_it_names_and_nothing_else_rfc7396() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let mut made = new("patched");
    made["settings"]["logo_uri"] = json!("https://rp.example/logo.png");
    made["settings"]["lifetimes"] = json!({ "access_token": 60 });
    assert_eq!(office.call("POST", "/clients", &owner, Some(&made)).await.status, 201);
    let before = office.call("GET", "/clients/patched", &owner, None).await.json();
    let patch = json!({ "settings": { "client_name": "Another name", "logo_uri": null,
                                      "lifetimes": { "id_token": 70 } } });
    let send = async |version: &str, query: &str, patch: &Value| {
        let here = format!("/clients/patched{query}");
        office.call_with("PATCH", &here, &owner, &[("if-match", version)], Some(patch)).await
    };
    let trial = send("\"1\"", "?dry_run=true", &patch).await;
    assert_eq!((trial.status.as_u16(), &trial.json()["dry_run"]), (200, &json!(true)), "{}", trial.body);
    assert_eq!(office.call("GET", "/clients/patched", &owner, None).await.json(), before);
    let done = send("\"1\"", "", &patch).await;
    assert_eq!((done.status.as_u16(), done.header("etag")), (200, "\"2\""), "{}", done.body);
    let after = office.call("GET", "/clients/patched", &owner, None).await.json();
    let mut wanted = before["settings"].clone();
    wanted["client_name"] = json!("Another name");
    wanted["logo_uri"] = Value::Null;
    wanted["lifetimes"]["id_token"] = json!(70);
    assert_eq!(after["settings"], wanted);
    assert_eq!(after["settings"]["lifetimes"]["access_token"], 60);

    assert_eq!(code(&send("\"1\"", "", &patch).await), (412, "admin_version_stale".into()));
    let unknown = send("\"2\"", "", &json!({ "settings": { "nonsense": 1 } })).await;
    assert_eq!(code(&unknown), (400, "admin_body_malformed".into()));
    let contradiction =
        json!({ "settings": { "require_encrypted_request_object": true, "redirect_uris": null } });
    assert_eq!(code(&send("\"2\"", "", &contradiction).await), (422, "admin_record_invalid".into()));
    // What is replaced as a whole goes by its own method and its own content type.
    let headers = [("if-match", "\"2\""), ("content-type", "application/json")];
    let request = axum::http::Request::patch("/admin/v1/clients/patched")
        .header("authorization", format!("Bearer {owner}"))
        .header(headers[0].0, headers[0].1)
        .header(headers[1].0, headers[1].1)
        .body(axum::body::Body::from("{}"));
    let reply = office.provider.send(request.unwrap()).await;
    assert_eq!(code(&reply), (415, "admin_content_type".into()));

    let tenant = office.call("GET", "/tenant", &owner, None).await;
    let version = tenant.header("etag").to_owned();
    let patch = json!({ "settings": { "branding": { "name": "Patched" } } });
    let done = office.call_with("PATCH", "/tenant", &owner, &[("if-match", &version)], Some(&patch)).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let mut wanted = tenant.json()["settings"].clone();
    wanted["branding"]["name"] = json!("Patched");
    assert_eq!(done.json()["tenant"]["settings"], wanted);
    let stale = office.call_with("PATCH", "/tenant", &owner, &[("if-match", &version)], Some(&patch)).await;
    assert_eq!(code(&stale), (412, "admin_version_stale".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_for_relying_parties_has_the_clients_values_and_no_secret() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let made = office.call("POST", "/clients", &owner, Some(&new("shop"))).await.json();
    let reply = office.call("GET", "/clients/shop/configuration", &owner, None).await;
    let offers = reply.json()["offers"].as_array().unwrap().clone();
    assert!(offers.len() >= 3, "{}", reply.body);
    for offer in offers {
        let fits = offer["lacks"].as_array().unwrap().is_empty();
        assert_eq!(fits, offer["text"].as_str().unwrap().contains("shop"), "{offer}");
    }
    assert!(!reply.body.contains(made["client_secret"].as_str().unwrap()));
}
