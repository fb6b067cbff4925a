//! The audit trail taken along, and its chain judged.

use serde_json::{Value, json};
use signet_core::change::Change;
use signet_core::context::Context;
use signet_core::ids::TenantId;
use signet_core::records::{AuditEvent, Outcome, Role};
use signet_server::audit_chain::seal;
use signet_tests::admin::Office;
use signet_tests::provider::Reply;

/// Events of a kind that nothing else writes.
async fn events(office: &Office, count: i64) {
    let (app, tenant) = (&office.provider.app, TenantId::from("default"));
    let entropy = signet_server::edge::entropy();
    let changes: Vec<Change> = (0..count)
        .map(|n| {
            let now = office.provider.now();
            let context = Context { now, millis: 0, entropy: entropy.as_ref() };
            Change::Audit(Box::new(AuditEvent {
                tenant: tenant.clone(),
                id: context.uuid(),
                at: now,
                kind: "device.denied".into(),
                outcome: Outcome::Success,
                reason: None,
                correlation_id: format!("c{n}"),
                client_id: None,
                user_id: None,
                actor: None,
                detail: [("n".to_owned(), n.into())].into_iter().collect(),
            }))
        })
        .collect();
    app.store.apply(&tenant, &changes).await.unwrap();
}

fn code(reply: &Reply) -> Value {
    reply.json()["code"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_everything_that_the_pages_of_the_list_hold() {
    let office = Office::open().await;
    let token = office.token_of(Role::Auditor).await;
    events(&office, 250).await;
    let (mut listed, mut address) = (Vec::new(), "/audit?kind=device.denied&limit=100".to_owned());
    loop {
        let page = office.call("GET", &address, &token, None).await.json();
        listed.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        address = format!("/audit?kind=device.denied&limit=100&after={next}");
    }
    assert_eq!(listed.len(), 250);
    let lines = |reply: &Reply| -> Vec<Value> {
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/jsonl"));
        reply.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = office.call("GET", "/audit/export?kind=device.denied", &token, None).await;
    assert!(all.body.ends_with("}\n"));
    assert_eq!(lines(&all), listed);
    // One that broke off goes on.
    let address = format!("/audit/export?kind=device.denied&after={}", listed[119]["id"].as_str().unwrap());
    assert_eq!(lines(&office.call("GET", &address, &token, None).await), listed[120..]);
    let none = office.call("GET", "/audit/export?kind=device.refused", &token, None).await;
    assert_eq!(lines(&none), [] as [Value; 0]);
    let unknown = office.call("GET", "/audit/export?kind=device.nothing", &token, None).await;
    assert_eq!((unknown.status.as_u16(), code(&unknown)), (400, json!("admin_parameter_malformed")));
    // It has no pages, and is refused before anything is sent.
    let limited = office.call("GET", "/audit/export?limit=5", &token, None).await;
    assert_eq!(code(&limited), "admin_parameter_unknown");
    let developer = office.token_of(Role::Developer).await;
    let unnamed = office.call("GET", "/audit/export", &developer, None).await;
    assert_eq!((unnamed.status.as_u16(), code(&unnamed)), (403, json!("admin_client_needed")));
    let document = office.document().await;
    let content = &document["paths"]["/audit/export"]["get"]["responses"]["200"]["content"];
    assert_eq!(content.as_object().unwrap().keys().collect::<Vec<_>>(), ["application/jsonl"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_did_is_listed_and_told_from_what_was_done_to_them() {
    let office = Office::open().await;
    let token = office.token_of(Role::Administrator).await;
    let new = json!({ "client_id": "shop", "template": "machine", "settings": { "client_name": "Shop" } });
    let made = office.call("POST", "/clients", &token, Some(&new)).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    let user = office.call("POST", "/users", &token, Some(&json!({ "username": "grace" }))).await.json();
    let grace = user["user"]["id"].as_str().unwrap().to_owned();
    let listed = async |query: &str| {
        let reply = office.call("GET", &format!("/audit?{query}"), &token, None).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["items"].as_array().unwrap().clone()
    };
    let made = listed(&format!("user_id={grace}&kind=user.created")).await;
    let actor = made[0]["actor"].as_str().unwrap().to_owned();
    assert!(made.len() == 1 && actor.starts_with("user:") && !actor.ends_with(&grace), "{made:?}");
    let done = listed(&format!("actor={}", actor.replace(':', "%3A"))).await;
    let kinds: Vec<&str> = done.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["user.created", "client.created"]);
    assert!(done.iter().all(|event| event["detail"].get("by").is_none()), "one place says who");
    assert_eq!(listed(&format!("actor=user%3A{grace}")).await, [] as [Value; 0]);
    // What happens in a protocol is nobody's doing here.
    assert_eq!(listed("kind=token.issued&actor=command%20line").await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_is_judged_a_part_at_a_time_and_says_what_is_wrong() {
    let office = Office::open().await;
    let (app, tenant) = (office.provider.app.clone(), TenantId::from("default"));
    let token = office.token_of(Role::Auditor).await;
    let keys = app.vault.chain_keys();
    for _ in 0..3 {
        events(&office, 4).await;
        assert_eq!(seal(app.store.as_ref(), &keys, &tenant, office.provider.now()).await.unwrap(), 1);
    }
    let judged = async |query: &str| {
        let reply = office.call("GET", &format!("/audit/chain{query}"), &token, None).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    let whole = judged("").await;
    assert_eq!((&whole["links"], &whole["wrong"], &whole["next"]), (&json!(3), &json!([]), &Value::Null));
    assert!(whole["events"].as_u64().unwrap() >= 12, "{whole}");
    let (mut next, mut events_seen, mut from) = (0, 0, Value::Null);
    for number in 1..=3 {
        let part = judged(&format!("?limit=1&after={next}")).await;
        assert_eq!((&part["from"], &part["wrong"], &part["links"]), (&from, &json!([]), &json!(1)));
        assert_eq!(part["last"]["number"], json!(number));
        events_seen += part["events"].as_u64().unwrap();
        from = part["last"].clone();
        assert_eq!(part["next"], if number < 3 { json!(number) } else { Value::Null });
        next = number;
    }
    assert_eq!((json!(events_seen), &from), (whole["events"].clone(), &whole["last"]));
    let rest = judged("?after=3").await;
    assert_eq!((&rest["from"], &rest["last"], &rest["links"]), (&from, &from, &json!(0)));
    // A link that somebody kept, and that is not there any more, was cut off.
    let gone = office.call("GET", "/audit/chain?after=4", &token, None).await;
    assert_eq!((gone.status.as_u16(), code(&gone)), (404, json!("admin_record_missing")));

    // A link that was not made with the key, over events that are there.
    events(&office, 2).await;
    let unsealed = app.store.unsealed_audit(&tenant, 100).await.unwrap();
    let last = app.store.last_audit_seal(&tenant).await.unwrap();
    let foreign = signet_core::audit::chain::ChainKeys::new(vec![[7; 32].into()]);
    let link = signet_core::audit::chain::next(&foreign, &tenant, last.as_ref(), unsealed, 1).unwrap();
    app.store.apply(&tenant, &[link]).await.unwrap();
    for query in ["", "?after=3"] {
        let part = judged(query).await;
        assert_eq!(part["wrong"][0]["code"], "mac_wrong", "{part}");
        assert_eq!((part["wrong"].as_array().unwrap().len(), &part["last"]["number"]), (1, &json!(4)));
    }
    let developer = office.token_of(Role::Developer).await;
    assert_eq!(code(&office.call("GET", "/audit/chain", &developer, None).await), "admin_record_missing");
    let wrong = office.call("GET", "/audit/chain?after=-1", &token, None).await;
    assert_eq!(code(&wrong), "admin_parameter_malformed");
}
