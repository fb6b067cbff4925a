//! Every refusal as a table. No row uses the code up: at the end its client redeems it.

use std::fmt::Write as _;

use signet_tests::flow::{basic, changed};
use signet_tests::provider::{Browser, Reply};
use signet_tests::rp::{Rp, SECRET};

use super::start;

/// What is sent: `Authorization`, and the changes to the good form.
struct Row {
    rule: &'static str,
    authorization: Option<String>,
    changes: Vec<(&'static str, String)>,
}

fn row(rule: &'static str, authorization: Option<String>, changes: &[(&'static str, &str)]) -> Row {
    let changes = changes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Row { rule, authorization, changes }
}

fn told(rule: &str, reply: &Reply, reason: &str) -> String {
    let body = reply.json();
    let mut line =
        format!("{rule}: {} {} {}", reply.status.as_u16(), body["error"].as_str().unwrap(), reason);
    if !reply.header("www-authenticate").is_empty() {
        write!(line, " [{}]", reply.header("www-authenticate")).unwrap();
    }
    assert_eq!(reply.header("content-type"), "application/json", "{rule}");
    assert_eq!(reply.header("cache-control"), "no-store", "{rule}");
    assert!(body["error_description"].is_string() && body.as_object().unwrap().len() == 2, "{rule}: {body}");
    line + "\n"
}

fn authentication() -> Vec<Row> {
    let good = || Some(Rp::new("rp").basic());
    let raw = |text: &str| Some(text.to_owned());
    vec![
        row("nothing", None, &[]),
        row("client_id alone", None, &[("client_id", "rp")]),
        row("client_id of nobody", None, &[("client_id", "nobody")]),
        row("Basic with a wrong secret", Some(basic("rp", "wrong")), &[]),
        row("Basic with the secret cut", Some(basic("rp", &SECRET[1..])), &[]),
        row("Basic with another case", Some(basic("RP", SECRET)), &[]),
        row("Basic of nobody", Some(basic("nobody", SECRET)), &[]),
        row("Basic of a disabled client", Some(basic("disabled", SECRET)), &[]),
        row("Basic without a secret", Some(basic("rp", "")), &[]),
        row("Basic without a name", Some(basic("", SECRET)), &[]),
        row("Basic with a NUL in the name", Some(basic("r%00p", SECRET)), &[]),
        row("Basic without a colon", raw("Basic cnA="), &[]),
        row("Basic that is not base64", raw("Basic !!!"), &[]),
        row("Basic alone", raw("Basic"), &[]),
        row("Bearer", raw("Bearer x"), &[]),
        row("Basic of a client registered for the form", Some(basic("post", SECRET)), &[]),
        row("Basic of a public client", Some(basic("public", SECRET)), &[]),
        row("form of a client registered for Basic", None, &[("client_id", "rp"), ("client_secret", SECRET)]),
        row("form with a wrong secret", None, &[("client_id", "post"), ("client_secret", "wrong")]),
        row(
            "form of a public client with a secret",
            None,
            &[("client_id", "public"), ("client_secret", SECRET)],
        ),
        row("form with a secret alone", None, &[("client_secret", SECRET)]),
        row("form of a client that needs a secret", None, &[("client_id", "post")]),
        row("Basic and form", good(), &[("client_id", "rp"), ("client_secret", SECRET)]),
        row("Basic and a secret in the form", good(), &[("client_secret", SECRET)]),
        row("Basic and another client_id", good(), &[("client_id", "post")]),
        row("Basic and an assertion", good(), &[("client_assertion", "a.b.c")]),
        row("assertion alone", None, &[("client_id", "rp"), ("client_assertion", "a.b.c")]),
    ]
}

fn grant() -> Vec<Row> {
    let good = || Some(Rp::new("rp").basic());
    let short = "v".repeat(42);
    let long = "v".repeat(129);
    let other = "w".repeat(43);
    let odd = format!("{}%", "v".repeat(43));
    vec![
        row("grant_type missing", good(), &[("grant_type", "")]),
        row("grant_type password", good(), &[("grant_type", "password")]),
        row("grant_type client_credentials", good(), &[("grant_type", "client_credentials")]),
        row("grant_type refresh_token", good(), &[("grant_type", "refresh_token")]),
        row("grant_type in another case", good(), &[("grant_type", "Authorization_Code")]),
        row("code missing", good(), &[("code", "")]),
        row("code unknown", good(), &[("code", "sgn_ac_unknown")]),
        row("code with more behind", good(), &[("code", "CODE!")]),
        row("redirect_uri missing", good(), &[("redirect_uri", "")]),
        row("redirect_uri of another page", good(), &[("redirect_uri", "https://rp.example/other")]),
        row("redirect_uri with a slash", good(), &[("redirect_uri", "https://rp.example/callback/")]),
        row("code_verifier missing", good(), &[("code_verifier", "")]),
        row("code_verifier too short", good(), &[("code_verifier", &short)]),
        row("code_verifier too long", good(), &[("code_verifier", &long)]),
        row("code_verifier of other characters", good(), &[("code_verifier", &odd)]),
        row("code_verifier wrong", good(), &[("code_verifier", &other)]),
        row("code_verifier is the challenge", good(), &[("code_verifier", &signet_tests::rp::challenge())]),
        row("another client's code", Some(basic("relaxed", SECRET)), &[]),
        row("another client's code in the form", None, &[("client_id", "post"), ("client_secret", SECRET)]),
        row("another client's code by a public client", None, &[("client_id", "public")]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_reason_and_uses_no_code_up_rfc6749_5_2() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    let mut table = String::new();
    for Row { rule, authorization, changes } in authentication().into_iter().chain(grant()) {
        let more = format!("{code}x");
        let changes: Vec<(&str, &str)> = changes
            .iter()
            .map(|(name, value)| (*name, if value == "CODE!" { more.as_str() } else { value.as_str() }))
            .collect();
        let form = changed(rp.redemption(&code), &changes);
        let reply = provider.token(authorization.as_deref(), &form).await;
        // The trail knows the request by the reference that the answer carries.
        let event = provider.event(&reply).await;
        assert_eq!(event.kind, "token.refused", "{rule}");
        table += &told(rule, &reply, event.reason.as_deref().unwrap());
    }
    insta::assert_snapshot!(table, @r#"
    nothing: 401 invalid_client client_auth_missing [Basic realm="token"]
    client_id alone: 401 invalid_client client_auth_missing [Basic realm="token"]
    client_id of nobody: 401 invalid_client client_auth_unknown [Basic realm="token"]
    Basic with a wrong secret: 401 invalid_client client_secret_wrong [Basic realm="token"]
    Basic with the secret cut: 401 invalid_client client_secret_wrong [Basic realm="token"]
    Basic with another case: 401 invalid_client client_auth_unknown [Basic realm="token"]
    Basic of nobody: 401 invalid_client client_auth_unknown [Basic realm="token"]
    Basic of a disabled client: 401 invalid_client client_auth_unknown [Basic realm="token"]
    Basic without a secret: 401 invalid_client client_auth_malformed [Basic realm="token"]
    Basic without a name: 401 invalid_client client_auth_malformed [Basic realm="token"]
    Basic with a NUL in the name: 401 invalid_client client_auth_malformed [Basic realm="token"]
    Basic without a colon: 401 invalid_client client_auth_malformed [Basic realm="token"]
    Basic that is not base64: 401 invalid_client client_auth_malformed [Basic realm="token"]
    Basic alone: 401 invalid_client client_auth_malformed [Basic realm="token"]
    Bearer: 401 invalid_client client_auth_malformed [Basic realm="token"]
    Basic of a client registered for the form: 401 invalid_client client_auth_method_wrong [Basic realm="token"]
    Basic of a public client: 401 invalid_client client_auth_method_wrong [Basic realm="token"]
    form of a client registered for Basic: 401 invalid_client client_auth_method_wrong [Basic realm="token"]
    form with a wrong secret: 401 invalid_client client_secret_wrong [Basic realm="token"]
    form of a public client with a secret: 401 invalid_client client_auth_method_wrong [Basic realm="token"]
    form with a secret alone: 401 invalid_client client_auth_missing [Basic realm="token"]
    form of a client that needs a secret: 401 invalid_client client_auth_missing [Basic realm="token"]
    Basic and form: 400 invalid_request client_auth_multiple
    Basic and a secret in the form: 400 invalid_request client_auth_multiple
    Basic and another client_id: 400 invalid_request client_auth_multiple
    Basic and an assertion: 400 invalid_request client_auth_multiple
    assertion alone: 401 invalid_client client_assertion_type_unsupported [Basic realm="token"]
    grant_type missing: 400 invalid_request grant_type_missing
    grant_type password: 400 unsupported_grant_type grant_type_unsupported
    grant_type client_credentials: 400 unauthorized_client grant_type_not_allowed
    grant_type refresh_token: 400 unauthorized_client grant_type_not_allowed
    grant_type in another case: 400 unsupported_grant_type grant_type_unsupported
    code missing: 400 invalid_request code_missing
    code unknown: 400 invalid_grant code_unknown
    code with more behind: 400 invalid_grant code_unknown
    redirect_uri missing: 400 invalid_request code_redirect_uri_missing
    redirect_uri of another page: 400 invalid_grant code_redirect_uri_mismatch
    redirect_uri with a slash: 400 invalid_grant code_redirect_uri_mismatch
    code_verifier missing: 400 invalid_grant code_verifier_missing
    code_verifier too short: 400 invalid_grant code_verifier_malformed
    code_verifier too long: 400 invalid_grant code_verifier_malformed
    code_verifier of other characters: 400 invalid_grant code_verifier_malformed
    code_verifier wrong: 400 invalid_grant code_verifier_wrong
    code_verifier is the challenge: 400 invalid_grant code_verifier_wrong
    another client's code: 400 invalid_grant code_foreign
    another client's code in the form: 400 invalid_grant code_foreign
    another client's code by a public client: 400 invalid_grant code_foreign
    "#);
    let redeemed = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_texts_tell_nobody_which_part_of_the_credentials_was_wrong() {
    let provider = start().await;
    let form = Rp::new("rp").redemption("sgn_ac_unknown");
    let mut bodies = std::collections::BTreeSet::new();
    for authorization in
        [basic("rp", "wrong"), basic("nobody", SECRET), basic("disabled", SECRET), basic("post", SECRET)]
    {
        bodies.insert(provider.token(Some(&authorization), &form).await.body);
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    insta::assert_snapshot!(bodies.first().unwrap(), @r#"{"error":"invalid_client","error_description":"Client authentication failed."}"#);
    // Nor which binding of a code failed: unknown, another client's, expired and used ones.
    let mut bodies = std::collections::BTreeSet::new();
    let rp = Rp::new("rp");
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    bodies.insert(provider.token(Some(&rp.basic()), &form).await.body);
    bodies.insert(provider.token(Some(&basic("relaxed", SECRET)), &rp.redemption(&code)).await.body);
    provider.advance(60);
    bodies.insert(provider.token(Some(&rp.basic()), &rp.redemption(&code)).await.body);
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    insta::assert_snapshot!(bodies.first().unwrap(), @r#"{"error":"invalid_grant","error_description":"The code is not valid."}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_may_stand_in_the_body_alone_and_once_rfc6749_3_2() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    let good = rp.redemption(&code);
    let mut twice = good.clone();
    twice.push(good[1].clone());
    let reply = provider.token(Some(&rp.basic()), &twice).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &"invalid_request".into()));
    let mut query = axum::http::Request::post(format!("/token?{}", signet_tests::flow::encode(&good)))
        .header("authorization", rp.basic())
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(provider.send(query).await.json()["error"], "invalid_request", "nothing of the query is read");
    query = axum::http::Request::post("/token")
        .header("authorization", rp.basic())
        .header("content-type", "application/json")
        .body(axum::body::Body::from("{}"))
        .unwrap();
    let reply = provider.send(query).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (415, &"invalid_request".into()));
    let two = axum::http::Request::post("/token")
        .header("authorization", rp.basic())
        .header("authorization", rp.basic())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(signet_tests::flow::encode(&good)))
        .unwrap();
    let reply = provider.send(two).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &"invalid_request".into()));
    assert_eq!(provider.token(Some(&rp.basic()), &good).await.status, 200);
}
