//! The authorization table: every operation, as the interface itself lists them, times everybody who might ask.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use signet_core::admin::{self, SCOPES};
use signet_core::change::Change;
use signet_core::ids::{TenantId, TokenHash};
use signet_core::records::{Consent, Credential, CredentialKind, Role, Session, TenantSettings};
use signet_jose::{KeySpec, KeyUse};
use signet_tests::admin::{OPS, Office};
use signet_tests::key;
use signet_tests::provider::Reply;
use uuid::Uuid;

/// Who has each scope, written down a second time: owner, administrator, developer, auditor.
const EXPECTED: &[(&str, [bool; 4])] = &[
    (admin::CLIENTS_READ, [true, true, true, true]),
    (admin::CLIENTS_WRITE, [true, true, true, false]),
    (admin::USERS_READ, [true, true, false, true]),
    (admin::USERS_WRITE, [true, true, false, false]),
    (admin::TENANT_READ, [true, true, true, true]),
    (admin::TENANT_WRITE, [true, true, false, false]),
    (admin::KEYS_READ, [true, true, true, true]),
    (admin::KEYS_WRITE, [true, true, false, false]),
    (admin::AUDIT_READ, [true, true, true, true]),
    // Only in the tenant that looks after the installation.
    (admin::TENANTS_READ, [true, false, false, false]),
    (admin::TENANTS_WRITE, [true, false, false, false]),
];

/// Operations that make or list something, and name no client: a developer's own come out of them.
const WITHOUT_CLIENT: &[&str] = &["listClientTemplates", "listClients", "createClient"];

/// Operations on the events of all clients: nothing for developers.
const WHOLE: &[&str] = &["verifyAuditChain"];

/// What stands in the places of a path.
struct World {
    office: Office,
    developer: Uuid,
    places: BTreeMap<&'static str, String>,
}

/// One operation of the document.
struct Operation {
    method: String,
    path: String,
    id: String,
    scope: String,
    scopes: Vec<String>,
    body: Option<Value>,
    needs_version: bool,
    dry: bool,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, one) in methods.as_object().unwrap() {
            let parameters = one["parameters"].as_array().unwrap();
            let has = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
            let contents = one["requestBody"]["content"].as_object();
            let content = contents.and_then(|all| all.values().next()).unwrap_or(&Value::Null);
            let wants_body = one.get("requestBody").is_some();
            assert!(!wants_body || content["example"].is_object(), "{path} needs an example");
            all.push(Operation {
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                id: one["operationId"].as_str().unwrap().to_owned(),
                scope: one["security"][0]["signet"][0].as_str().unwrap().to_owned(),
                scopes: serde_json::from_value(one["security"][0]["signet"].clone()).unwrap(),
                body: wants_body.then(|| content["example"].clone()),
                needs_version: has("If-Match"),
                dry: has("dry_run"),
            });
        }
    }
    all
}

impl World {
    async fn new() -> Self {
        let office = Office::open().await;
        let provider = &office.provider;
        let tenant = TenantSettings { operator: true, ..TenantSettings::default() };
        provider.tenant("default", signet_tests::provider::ISSUER, tenant).await;
        let developer = office.person("dev", Some(Role::Developer)).await;
        let owner = office.token_of(Role::Owner).await;
        let mut places = BTreeMap::new();
        for (name, whose) in [("own", Some(developer)), ("other", None)] {
            let new = json!({ "client_id": name, "owner": whose, "keys": [{ "name": "k", "usage": "sig",
                "source": key(KeySpec::P256).public_key().clone().with_use(KeyUse::Sig).to_jwk() }],
                "settings": { "redirect_uris": ["https://rp.example/cb"] } });
            let made = office.call("POST", "/clients", &owner, Some(&new)).await;
            assert_eq!(made.status, 201, "{}", made.body);
            places.insert(
                if whose.is_some() { "own story" } else { "other story" },
                made.correlation_id().to_owned(),
            );
            let keys = office.call("GET", &format!("/clients/{name}/keys"), &owner, None).await.json();
            let id = keys[0]["id"].as_str().unwrap().to_owned();
            places.insert(if whose.is_some() { "own key" } else { "other key" }, id);
        }
        for (name, story) in [("own", "own failure"), ("other", "other failure")] {
            let path =
                format!("/authorize?client_id={name}&redirect_uri=https://rp.example/cb&response_type=none");
            let refused = provider.get(&path, None).await;
            places.insert(story, refused.correlation_id().to_owned());
        }
        let keys = office.call("GET", "/keys", &owner, None).await.json();
        places.insert("tenant key", keys["keys"][0]["id"].as_str().unwrap().to_owned());
        let token = json!({ "name": "partners 1" });
        let made = office.call("POST", "/registration-tokens", &owner, Some(&token)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        places.insert("user", person_with_everything(&office).await);
        Self { office, developer, places }
    }

    /// The operation's address, for a client of the developer's own or for another one.
    fn address(&self, operation: &Operation, own: bool) -> String {
        let of = |what: &str| {
            let key = format!("{} {what}", if own { "own" } else { "other" });
            self.places[key.as_str()].clone()
        };
        let key = if operation.path.starts_with("/clients") {
            of("key")
        } else {
            self.places["tenant key"].clone()
        };
        let mut path = operation
            .path
            .replace("{client_id}", if own { "own" } else { "other" })
            .replace("{key_id}", &key)
            .replace(
                "{correlation_id}",
                &of(if operation.id == "explainFailure" { "failure" } else { "story" }),
            )
            .replace("{user_id}", &self.places["user"])
            .replace("{sid}", "sid-1")
            .replace("{credential_id}", &Uuid::from_u128(5).to_string())
            .replace("{name}", "partners%201");
        assert!(!path.contains('{'), "{path}: fill in the place");
        let mut query = Vec::new();
        if operation.dry {
            query.push("dry_run=true".to_owned());
        }
        if ["listAuditEvents", "exportAuditEvents"].contains(&operation.id.as_str()) {
            query.push(format!("client_id={}", if own { "own" } else { "other" }));
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        path
    }

    async fn ask(&self, operation: &Operation, own: bool, token: &str) -> Reply {
        let of_tenant = operation.path.starts_with("/tenant");
        // The tenant was changed once, the clients never.
        let version = [("if-match", if of_tenant { "\"2\"" } else { "\"1\"" })];
        let headers = if operation.needs_version { &version[..] } else { &[] };
        let (method, path) = (operation.method.as_str(), self.address(operation, own));
        let mut body = operation.body.clone();
        if operation.id == "replaceTenant" {
            // What cannot be changed is sent as it is.
            body.as_mut().unwrap()["settings"]["operator"] = json!(true);
        }
        self.office.call_with(method, &path, token, headers, body.as_ref()).await
    }
}

/// A user with a session, a second factor, and consents to both clients.
async fn person_with_everything(office: &Office) -> String {
    let id = office.person("everything", None).await;
    let (tenant, now) = (TenantId::from("default"), office.provider.now());
    let consent = |client: &str| {
        Change::PutConsent(Consent {
            tenant: tenant.clone(),
            user_id: id,
            client_id: client.into(),
            scope: ["openid".to_owned()].into(),
            granted_at: now,
        })
    };
    let session = Session {
        tenant: tenant.clone(),
        hash: TokenHash::of("cookie"),
        sid: "sid-1".into(),
        user_id: id,
        auth_time: now,
        amr: vec!["pwd".into()],
        acr: "urn:signet:acr:password".into(),
        last_seen: now,
        expires_at: now + 10_000,
    };
    let credential = Credential {
        tenant: tenant.clone(),
        user_id: id,
        id: Uuid::from_u128(5),
        kind: CredentialKind::Totp,
        name: "one".into(),
        secret: vec![1],
        counter: 0,
        failures: 0,
        created_at: now,
        last_used_at: None,
    };
    let changes = [
        consent("own"),
        consent("other"),
        Change::InsertSession(session),
        Change::InsertCredential(credential),
    ];
    office.provider.app.store.apply(&tenant, &changes).await.unwrap();
    id.to_string()
}

/// What an answer amounts to.
fn verdict(reply: &Reply) -> String {
    if reply.status.is_success() {
        return "yes".to_owned();
    }
    assert_eq!(reply.header("content-type"), "application/problem+json", "{}", reply.body);
    reply.json()["code"].as_str().unwrap().to_owned()
}

#[test]
fn every_scope_is_written_down_twice() {
    let names: Vec<&str> = EXPECTED.iter().map(|row| row.0).collect();
    assert_eq!(names, SCOPES.iter().map(|scope| scope.name).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_times_everybody() {
    let world = World::new().await;
    let office = &world.office;
    let all: Vec<&str> = SCOPES.iter().map(|scope| scope.name).collect();
    office.provider.tenant("second", "https://id.example/auth/second", TenantSettings::default()).await;
    let second = signet_tests::rp::Rp::new(OPS).declaration();
    let tenants = office.provider.app.store.tenants().await.unwrap();
    let tenant = tenants.iter().find(|tenant| tenant.id.as_str() == "second").unwrap();
    office.provider.provisioner().client(tenant, &second).await.unwrap();

    let roles = [Role::Owner, Role::Administrator, Role::Developer, Role::Auditor];
    let mut people = Vec::new();
    for (index, role) in roles.into_iter().enumerate() {
        let id = match role {
            Role::Developer => world.developer,
            role => office.person(&format!("the {}", role.name()).replace(' ', "-"), Some(role)).await,
        };
        people.push((index, role, office.token(Some(id)).await));
    }
    let nobody = office.person("nobody", None).await;
    let others = [
        ("", "token_missing"),
        ("sgn_at_invented", "token_unknown"),
        (&office.token(Some(nobody)).await, "admin_role_missing"),
        (&office.token_for("default", OPS, None, &[]).await, "admin_scope_missing"),
        (&office.token_for("second", OPS, None, &all).await, "token_unknown"),
    ];
    let program = office.token(None).await;

    let operations = operations(&office.document().await);
    assert!(operations.len() >= 20, "{}", operations.len());
    for operation in &operations {
        let row = |scope: &String| EXPECTED.iter().find(|row| row.0 == scope).unwrap().1;
        let expected = row(&operation.scope);
        assert!(
            operation.scopes.iter().all(|scope| row(scope) == expected),
            "the table knows one row for each"
        );
        let (id, method) = (&operation.id, &operation.method);
        for (index, role, token) in &people {
            for own in [true, false] {
                let reply = world.ask(operation, own, token).await;
                let confined = *role == Role::Developer
                    && (WHOLE.contains(&id.as_str())
                        || !own
                            && (operation.path.contains("{client_id}")
                                || operation.scope == admin::AUDIT_READ)
                            && !WITHOUT_CLIENT.contains(&id.as_str()));
                let wanted = match (expected[*index], confined) {
                    (false, _) => "admin_scope_missing",
                    (true, true) => "admin_record_missing",
                    (true, false) => "yes",
                };
                assert_eq!(verdict(&reply), wanted, "{method} {id}, {role:?}, own {own}: {}", reply.body);
            }
        }
        let reply = world.ask(operation, false, &program).await;
        assert_eq!(verdict(&reply), "yes", "{id} by a program: {}", reply.body);
        for (token, wanted) in others {
            let reply = world.ask(operation, true, token).await;
            assert_eq!(verdict(&reply), wanted, "{method} {id}");
            let status = if wanted.starts_with("token") { 401 } else { 403 };
            assert_eq!(reply.status, status, "{id}");
            assert!(reply.header("www-authenticate").starts_with("Bearer realm=\"admin\""), "{id}");
        }
        // A program that holds the scope alone may do this, and one that holds all others may not.
        let needed: Vec<&str> = operation.scopes.iter().map(String::as_str).collect();
        let only = office.token_for("default", OPS, None, &needed).await;
        let reply = world.ask(operation, false, &only).await;
        assert_eq!(verdict(&reply), "yes", "{id}: {}", reply.body);
        let rest: Vec<&str> = all.iter().copied().filter(|scope| *scope != operation.scope).collect();
        let lacking = office.token_for("default", OPS, None, &rest).await;
        let reply = world.ask(operation, false, &lacking).await;
        assert_eq!(verdict(&reply), "admin_scope_missing", "{id}");
        assert!(reply.header("www-authenticate").contains(&format!("scope=\"{}\"", operation.scope)));
    }
    // Everything was tried, nothing was done.
    let owner = &people[0].2;
    for client in ["own", "other"] {
        let shown = office.call("GET", &format!("/clients/{client}"), owner, None).await;
        assert_eq!((shown.status.as_u16(), &shown.json()["version"]), (200, &json!(1)), "{}", shown.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_live_among_their_own_clients() {
    let world = World::new().await;
    let office = &world.office;
    let token = office.token(Some(world.developer)).await;
    let list = office.call("GET", "/clients", &token, None).await.json();
    let ids: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|one| one["client_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["own"]);
    let unnamed = office.call("GET", "/audit", &token, None).await;
    assert_eq!((unnamed.status.as_u16(), verdict(&unnamed).as_str()), (403, "admin_client_needed"));

    // What they make is theirs, whatever they say.
    let new = json!({ "client_id": "mine", "settings": { "redirect_uris": ["https://rp.example/cb"] } });
    let made = office.call("POST", "/clients", &token, Some(&new)).await;
    assert_eq!(made.json()["client"]["owner"], json!(world.developer), "{}", made.body);
    let somebody = office.person("somebody", Some(Role::Developer)).await;
    let mut handed = new;
    (handed["client_id"], handed["owner"]) = (json!("gift"), json!(somebody));
    assert_eq!(
        verdict(&office.call("POST", "/clients", &token, Some(&handed)).await),
        "admin_owner_forbidden"
    );
    let settings = json!({ "client_name": "own", "redirect_uris": ["https://rp.example/cb"] });
    let away = json!({ "settings": settings, "owner": somebody });
    let seen = [("if-match", "\"1\"")];
    let reply = office.call_with("PUT", "/clients/own", &token, &seen, Some(&away)).await;
    assert_eq!(verdict(&reply), "admin_owner_forbidden");

    // Nobody hands out what they lack, and developers nothing.
    let scoped = |scope: &str| {
        let mut settings = settings.clone();
        settings["scope"] = json!(["openid", scope]);
        json!({ "settings": settings })
    };
    let reply =
        office.call_with("PUT", "/clients/own", &token, &seen, Some(&scoped(admin::CLIENTS_READ))).await;
    assert_eq!(verdict(&reply), "admin_grant_forbidden");
    let administrator = office.token_of(Role::Administrator).await;
    let put = |token: String, body: Value| async move {
        office
            .call_with("PUT", "/clients/own?dry_run=true", &token, &[("if-match", "\"1\"")], Some(&body))
            .await
    };
    assert_eq!(verdict(&put(administrator.clone(), scoped(admin::USERS_WRITE)).await), "yes");
    assert_eq!(
        verdict(&put(administrator.clone(), scoped(admin::TENANTS_WRITE)).await),
        "admin_grant_forbidden"
    );

    // Whoever could not give a client its scopes cannot learn its secret or bring it keys either.
    let reply = office
        .call_with("PUT", "/clients/own", &administrator, &seen, Some(&scoped(admin::USERS_READ)))
        .await;
    assert_eq!(verdict(&reply), "yes", "{}", reply.body);
    let seen = [("if-match", "\"2\"")];
    for (method, path, body) in [
        ("POST", "/clients/own/secret", None),
        ("POST", "/clients/own/key-pairs", Some(json!({ "name": "k2", "usage": "sig", "kind": "p-256" }))),
        ("PUT", "/clients/own", Some(json!({ "settings": scoped(admin::USERS_READ)["settings"] }))),
    ] {
        let reply = office.call_with(method, path, &token, &seen, body.as_ref()).await;
        assert_eq!(verdict(&reply), "admin_grant_forbidden", "{path}");
    }
    // Switching it off is no gain.
    let reply = office.call_with("POST", "/clients/own/disable", &token, &seen, None).await;
    assert_eq!(verdict(&reply), "yes", "{}", reply.body);
}
