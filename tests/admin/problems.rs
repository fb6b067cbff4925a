//! What is refused before the desk is asked, and how it is told.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use signet_core::records::Role;
use signet_tests::admin::Office;

use super::clients::{code, new};

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_document_that_the_page_explains() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    let page = office.call("GET", "/docs", "", None).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    let deep: Value = serde_json::from_str(&format!("{}{}", "[".repeat(40), "]".repeat(40))).unwrap();
    let wide = json!({ "settings": { "client_name": "x".repeat(200_000) } });
    for (method, path, headers, body, wanted) in [
        ("GET", "/nothing", &[][..], None, (404, "not_found")),
        ("GET", "/clients/", &[], None, (404, "not_found")),
        ("PATCH", "/clients", &[], None, (405, "method_not_allowed")),
        ("GET", "/clients?limit=0", &[], None, (400, "admin_parameter_malformed")),
        ("GET", "/clients?limit=x", &[], None, (400, "admin_parameter_malformed")),
        ("GET", "/clients?dry_run=true", &[], None, (400, "admin_parameter_unknown")),
        ("GET", "/clients?limit=1&limit=2", &[], None, (400, "parameter_repeated")),
        ("GET", "/audit?outcome=maybe", &[], None, (400, "admin_parameter_malformed")),
        ("GET", "/audit?after=x", &[], None, (400, "admin_parameter_malformed")),
        ("POST", "/clients?dryrun=true", &[], Some(new("c")), (400, "admin_parameter_unknown")),
        ("POST", "/clients?dry_run=yes", &[], Some(new("c")), (400, "admin_parameter_malformed")),
        (
            "POST",
            "/clients",
            &[("idempotency-key", "a b")],
            Some(new("c")),
            (400, "admin_parameter_malformed"),
        ),
        ("POST", "/clients", &[], Some(json!({ "nonsense": 1 })), (400, "admin_body_malformed")),
        (
            "POST",
            "/clients",
            &[],
            Some(json!({ "settings": { "nonsense": 1 } })),
            (400, "admin_body_malformed"),
        ),
        ("POST", "/clients", &[], Some(json!([])), (400, "admin_body_malformed")),
        ("POST", "/clients", &[], Some(deep), (400, "admin_body_malformed")),
        ("POST", "/clients", &[], Some(wide), (413, "body_too_large")),
        ("POST", "/clients", &[], None, (415, "admin_content_type")),
        ("DELETE", "/clients/ops", &[("if-match", "\"1\"")], Some(json!({})), (400, "admin_body_unexpected")),
        ("DELETE", "/clients/ops", &[("if-match", "*")], None, (400, "admin_parameter_malformed")),
        ("DELETE", "/clients/ops", &[("if-match", "W/\"1\"")], None, (400, "admin_parameter_malformed")),
        ("DELETE", "/clients/ops", &[], None, (428, "admin_version_missing")),
        ("DELETE", "/clients/ops/keys/x", &[("if-match", "\"1\"")], None, (404, "admin_record_missing")),
        ("GET", "/clients/%00", &[], None, (404, "admin_record_missing")),
        ("POST", "/explain", &[], Some(json!({ "text": "" })), (400, "paste_empty")),
        ("POST", "/explain", &[], Some(json!({ "text": "state=1" })), (400, "paste_no_request")),
        (
            "POST",
            "/explain",
            &[],
            Some(json!({ "text": "client_id=c&request_uri=x" })),
            (400, "paste_by_reference"),
        ),
        ("PATCH", "/clients/ops", &[], Some(json!({})), (428, "admin_version_missing")),
        ("PATCH", "/clients/ops", &[("if-match", "\"9\"")], Some(json!({})), (412, "admin_version_stale")),
    ] {
        let reply = office.call_with(method, path, &owner, headers, body.as_ref()).await;
        assert_eq!(
            reply.header("content-type"),
            "application/problem+json",
            "{method} {path}: {}",
            reply.body
        );
        let (status, reason) = code(&reply);
        assert_eq!((status, reason.as_str()), wanted, "{method} {path}: {}", reply.body);
        assert!(page.body.contains(&format!("id=\"{reason}\"")), "{reason} is not explained");
        let problem = reply.json();
        assert_eq!(
            (problem["status"].as_u64(), &problem["correlation_id"]),
            (Some(u64::from(status)), &json!(reply.correlation_id()))
        );
    }
    let malformed =
        Request::get("/admin/v1/clients").header("authorization", "Bearer a b").body(Body::empty());
    let reply = office.provider.send(malformed.unwrap()).await;
    assert_eq!(code(&reply), (400, "token_malformed".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_body_is_told_with_its_place_and_what_is_allowed_rfc6901() {
    let office = Office::open().await;
    let owner = office.token_of(Role::Owner).await;
    for (body, pointer, allowed) in [
        (json!({ "name": "k", "usage": "sig", "kind": "p-999" }), "/kind", "p-256"),
        (json!({ "name": "k", "usage": "sing" }), "/usage", "sig"),
        (json!({ "name": 5, "usage": "sig" }), "/name", "a string"),
    ] {
        let reply = office.call("POST", "/clients/ops/key-pairs", &owner, Some(&body)).await;
        let wrong = &reply.json()["errors"][0];
        assert_eq!((reply.status.as_u16(), &wrong["pointer"]), (400, &json!(pointer)), "{}", reply.body);
        let detail = wrong["detail"].as_str().unwrap();
        assert!(detail.contains(allowed) && !detail.contains("KeySpec"), "{detail}");
    }
    let body = json!({ "settings": { "id_token": { "signed": "RS1" } } });
    let reply = office.call("POST", "/clients", &owner, Some(&body)).await;
    assert_eq!(reply.json()["errors"][0]["pointer"], "/settings/id_token/signed", "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_names_the_tenants_addresses_and_nothing_dangles() {
    let office = Office::open().await;
    let document = office.document().await;
    assert_eq!(document["servers"][0]["url"], "https://id.example/auth/open/admin/v1");
    let text = document.to_string();
    let mut ids = std::collections::BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    // Links lead to operations and name parameters that those have.
    for part in text.split("\"operationId\":\"").skip(1) {
        assert!(ids.contains(part.split('"').next().unwrap()), "{part}");
    }
    let page = office.call("GET", "/docs", "", None).await;
    for id in &ids {
        assert!(page.body.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(
        !page.body.contains("<script")
            && page.header("content-security-policy").contains("default-src 'none'")
    );
}
