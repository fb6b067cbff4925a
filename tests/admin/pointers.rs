//! Where a refusal points: a table for each resource.

use serde_json::{Value, json};
use signet_core::records::Role;
use signet_tests::admin::Office;

use super::clients::new;

/// The code and pointer of each error of a refusal.
fn errors(problem: &Value) -> Vec<(String, Option<String>)> {
    let text = |error: &Value, name: &str| error[name].as_str().map(str::to_owned);
    let one = |error: &Value| (text(error, "code").unwrap(), text(error, "pointer"));
    problem["errors"].as_array().unwrap().iter().map(one).collect()
}

async fn table(office: &Office, token: &str, rows: &[(&str, &str, Value, &str, Option<&str>)]) {
    for (method, path, body, code, pointer) in rows {
        let seen = [("if-match", "\"1\"")];
        let headers = if *method == "PUT" || path.ends_with("/rotate") { &seen[..] } else { &[] };
        let reply = office.call_with(method, path, token, headers, Some(body)).await;
        assert_eq!(reply.status, 422, "{method} {path} {body}: {}", reply.body);
        let found = errors(&reply.json());
        let wanted = ((*code).to_owned(), pointer.map(str::to_owned));
        assert!(found.contains(&wanted), "{method} {path} {body}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_clients_point_to_settings_keys_and_members() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let with = |name: &str, value: Value| {
        let mut body = new("c");
        body[name] = value;
        body
    };
    let key = |name: &str, source: &str| json!({ "name": name, "usage": "sig", "source": source });
    let nobody = "00000000-0000-4000-8000-000000000000";
    table(
        &office,
        &owner,
        &[
            ("POST", "/clients", new("a b"), "client_id_form", Some("/client_id")),
            ("POST", "/clients", new("signet-console"), "client_builtin", Some("/client_id")),
            ("POST", "/clients", with("owner", json!(nobody)), "owner_unknown", Some("/owner")),
            ("POST", "/clients", with("keys", json!([key("my scope", "x")])), "key_source", Some("/keys")),
            (
                "POST",
                "/clients",
                with("settings", json!({})),
                "redirect_uris_missing",
                Some("/settings/redirect_uris"),
            ),
            (
                "POST",
                "/clients",
                with("settings", json!({ "redirect_uris": ["http://keyshop.example/scope"] })),
                "redirect_uri",
                Some("/settings/redirect_uris"),
            ),
            (
                "POST",
                "/clients",
                with(
                    "settings",
                    json!({ "redirect_uris": ["https://rp.example/cb"],
            "lifetimes": { "code": 0 } }),
                ),
                "lifetime",
                Some("/settings/lifetimes/code"),
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_keys_point_into_the_key() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let made = office.call("POST", "/clients", &owner, Some(&new("c"))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let public = signet_tests::key(signet_jose::KeySpec::P256).public_key().to_jwk();
    let key = |name: &str, source: &Value| json!({ "name": name, "usage": "sig", "source": source });
    let late = json!({ "name": "k", "usage": "sig", "source": public, "not_before": 5, "not_after": 4 });
    table(
        &office,
        &owner,
        &[
            ("POST", "/clients/c/keys", key("my scope", &json!("x")), "key_source", Some("/source")),
            ("POST", "/clients/c/keys", key("", &json!(public)), "key_name", Some("/name")),
            ("POST", "/clients/c/keys", late, "key_period", Some("/not_after")),
        ],
    )
    .await;
    let made = office.call("POST", "/clients/c/keys", &owner, Some(&key("my scope", &json!(public)))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    // What the client's settings say is not in the body of a key.
    let mut encryption = public.clone();
    encryption.insert("use".into(), "enc".into());
    let body = json!({ "name": "again", "usage": "enc", "source": encryption });
    let reply = office.call("POST", "/clients/c/keys", &owner, Some(&body)).await;
    assert_eq!(
        errors(&reply.json()),
        [("key_reused".to_owned(), Some("/source".to_owned()))],
        "{}",
        reply.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_tenant_point_to_its_settings() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let settings = office.call("GET", "/tenant", &owner, None).await.json()["settings"].clone();
    let with = |path: &str, value: Value| {
        let mut settings = settings.clone();
        *settings.pointer_mut(path).unwrap() = value;
        json!({ "settings": settings })
    };
    let scope = json!([{ "name": "a b", "title": "T", "detail": "D", "claims": [] }]);
    table(
        &office,
        &owner,
        &[
            (
                "PUT",
                "/tenant",
                with("/branding/accent", json!("red")),
                "branding",
                Some("/settings/branding/accent"),
            ),
            (
                "PUT",
                "/tenant",
                with("/branding/name", json!("")),
                "branding",
                Some("/settings/branding/name"),
            ),
            (
                "PUT",
                "/tenant",
                with("/signing_algs", json!([])),
                "signing_algs_missing",
                Some("/settings/signing_algs"),
            ),
            ("PUT", "/tenant", with("/clock_skew", json!(-1)), "duration", Some("/settings/clock_skew")),
            ("PUT", "/tenant", with("/scopes", scope), "custom_scope_form", Some("/settings/scopes")),
            ("PUT", "/tenant", with("/operator", json!(true)), "setting_fixed", Some("/settings/operator")),
            ("POST", "/registration-tokens", json!({ "name": "" }), "token_name", Some("/name")),
            ("POST", "/registration-tokens", json!({ "name": "x", "uses": 0 }), "token_uses", Some("/uses")),
            (
                "POST",
                "/registration-tokens",
                json!({ "name": "x", "expires_at": 5 }),
                "token_expires",
                Some("/expires_at"),
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_users_point_to_claims_and_members() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let with = |claims: Value| json!({ "username": "ada", "claims": claims });
    table(
        &office,
        &owner,
        &[
            ("POST", "/users", json!({ "username": "a b" }), "username_form", Some("/username")),
            ("POST", "/users", with(json!({ "scope": 1 })), "claim_unknown", Some("/claims/scope")),
            ("POST", "/users", with(json!({ "email": "x" })), "claim_form", Some("/claims/email")),
            (
                "POST",
                "/users",
                with(json!({ "https://a.example/~x": 1 })),
                "claim_unknown",
                Some("/claims/https:~1~1a.example~1~0x"),
            ),
        ],
    )
    .await;
}
