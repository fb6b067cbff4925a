//! How the access token comes in, and what is told when it does not do (RFC 6750 sections 2 and 3).

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{Request, header};
use signet_core::provision::UserDeclaration;
use signet_core::records::TenantSettings;
use signet_tests::provider::{Browser, Reply, form};
use signet_tests::rp::Rp;

use super::start;

const FORM: &str = "application/x-www-form-urlencoded";

fn request(method: &str, authorization: Option<&str>, body: Option<&str>, query: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(format!("/userinfo{query}"));
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    match body {
        Some(body) => request.header(header::CONTENT_TYPE, FORM).body(Body::from(body.to_owned())).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

fn told(rule: &str, reply: &Reply) -> String {
    assert_eq!(reply.header("cache-control"), "no-store", "{rule}");
    let mut line = format!("{rule}: {}", reply.status.as_u16());
    for part in [reply.header("www-authenticate"), &reply.body] {
        if !part.is_empty() {
            write!(line, "\n    {part}").unwrap();
        }
    }
    line + "\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_comes_in_one_of_two_ways_rfc6750_2() {
    let provider = start().await;
    let tokens = provider.tokens(&Rp::new("rp"), &[], &mut Browser::default()).await;
    let token = tokens["access_token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let in_form = form(&[("access_token", token)]);
    for (method, authorization, body) in [
        ("GET", Some(bearer.as_str()), None),
        ("POST", Some(&bearer), None),
        ("POST", Some(&bearer), Some("")),
        ("POST", None, Some(in_form.as_str())),
        ("GET", Some(&format!("bearer {token}")), None),
        ("GET", Some(&format!("BEARER  {token}")), None),
    ] {
        let reply = provider.send(request(method, authorization, body, "")).await;
        assert_eq!(reply.status, 200, "{method} {authorization:?}: {}", reply.body);
        assert_eq!(
            (reply.header("content-type"), reply.header("cache-control")),
            ("application/json", "no-store")
        );
    }
    let mut table = String::new();
    let query = format!("?{in_form}");
    for (rule, method, authorization, body, query) in [
        ("none", "GET", None, None, ""),
        ("none by POST", "POST", None, Some(""), ""),
        ("in the query", "GET", None, None, query.as_str()),
        ("in the query by POST", "POST", None, Some(""), &query),
        ("in the header and in the form", "POST", Some(bearer.as_str()), Some(in_form.as_str()), ""),
        ("in the form twice", "POST", None, Some(&format!("{in_form}&{in_form}")), ""),
        ("another scheme", "GET", Some("Basic cnA6eA=="), None, ""),
        ("the scheme alone", "GET", Some("Bearer"), None, ""),
        ("the scheme and a space", "GET", Some("Bearer "), None, ""),
        ("two tokens", "GET", Some(&format!("{bearer} x")), None, ""),
        ("other characters", "GET", Some("Bearer a,b"), None, ""),
        ("unknown", "GET", Some("Bearer sgn_at_unknown"), None, ""),
        ("cut", "GET", Some(&bearer[..bearer.len() - 1]), None, ""),
        ("a code", "GET", Some("Bearer sgn_ac_unknown"), None, ""),
        ("unknown in the form", "POST", None, Some("access_token=x"), ""),
    ] {
        table += &told(rule, &provider.send(request(method, authorization, body, query)).await);
    }
    insta::assert_snapshot!(table, @r#"
    none: 401
        Bearer realm="userinfo"
    none by POST: 401
        Bearer realm="userinfo"
    in the query: 401
        Bearer realm="userinfo"
    in the query by POST: 401
        Bearer realm="userinfo"
    in the header and in the form: 400
        Bearer realm="userinfo", error="invalid_request", error_description="Send the access token once: in the header or in the form."
        {"error":"invalid_request","error_description":"Send the access token once: in the header or in the form."}
    in the form twice: 400
        Bearer realm="userinfo", error="invalid_request", error_description="The parameter 'access_token' occurs more than once."
        {"error":"invalid_request","error_description":"The parameter 'access_token' occurs more than once."}
    another scheme: 401
        Bearer realm="userinfo"
    the scheme alone: 400
        Bearer realm="userinfo", error="invalid_request", error_description="The Authorization header is not a Bearer token."
        {"error":"invalid_request","error_description":"The Authorization header is not a Bearer token."}
    the scheme and a space: 400
        Bearer realm="userinfo", error="invalid_request", error_description="The Authorization header is not a Bearer token."
        {"error":"invalid_request","error_description":"The Authorization header is not a Bearer token."}
    two tokens: 400
        Bearer realm="userinfo", error="invalid_request", error_description="The Authorization header is not a Bearer token."
        {"error":"invalid_request","error_description":"The Authorization header is not a Bearer token."}
    other characters: 400
        Bearer realm="userinfo", error="invalid_request", error_description="The Authorization header is not a Bearer token."
        {"error":"invalid_request","error_description":"The Authorization header is not a Bearer token."}
    unknown: 401
        Bearer realm="userinfo", error="invalid_token", error_description="The access token is not valid."
        {"error":"invalid_token","error_description":"The access token is not valid."}
    cut: 401
        Bearer realm="userinfo", error="invalid_token", error_description="The access token is not valid."
        {"error":"invalid_token","error_description":"The access token is not valid."}
    a code: 401
        Bearer realm="userinfo", error="invalid_token", error_description="The access token is not valid."
        {"error":"invalid_token","error_description":"The access token is not valid."}
    unknown in the form: 401
        Bearer realm="userinfo", error="invalid_token", error_description="The access token is not valid."
        {"error":"invalid_token","error_description":"The access token is not valid."}
    "#);
    // Two headers.
    let two = Request::get("/userinfo")
        .header(header::AUTHORIZATION, &bearer)
        .header(header::AUTHORIZATION, &bearer);
    assert_eq!(provider.send(two.body(Body::empty()).unwrap()).await.status, 400);
    let json =
        Request::post("/userinfo").header(header::CONTENT_TYPE, "application/json").body(Body::from("{}"));
    assert_eq!(provider.send(json.unwrap()).await.status, 415);
    // A token in the query beside one in the header: the query is not read.
    let reply = provider.send(request("GET", Some(&bearer), None, "?access_token=x")).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end_with_their_time_their_person_and_their_client_rfc6750_3_1() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let mut browser = Browser::default();
    let mut table = String::new();
    let get = |tokens: &serde_json::Value| tokens["access_token"].as_str().unwrap().to_owned();

    let token = get(&provider.tokens(&rp, &[], &mut browser).await);
    provider.advance(599);
    assert_eq!(provider.userinfo(&token).await.status, 200);
    provider.advance(1);
    table += &told("expired", &provider.userinfo(&token).await);

    let token = get(&provider.tokens(&rp, &[], &mut browser).await);
    let mut disabled = rp.declaration();
    disabled.disabled = true;
    provider.register(&disabled).await;
    let reply = provider.userinfo(&token).await;
    assert_eq!(provider.reason(&reply).await, "token_unknown");
    table += &told("client disabled", &reply);
    provider.register(&rp.declaration()).await;
    assert_eq!(provider.userinfo(&token).await.status, 200);

    // Another tenant of the same client and the same person.
    let acme = provider.tenant("acme", "https://id.example/acme", TenantSettings::default()).await;
    provider.provisioner().client(&acme, &rp.declaration()).await.unwrap();
    let elsewhere = Request::get("/acme/userinfo")
        .header(header::HOST, "id.example")
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    table += &told("of another tenant", &provider.raw(elsewhere.body(Body::empty()).unwrap()).await);

    let mut user = UserDeclaration {
        username: "alice".into(),
        disabled: true,
        password: None,
        password_hash: None,
        role: None,
        claims: serde_json::Map::new(),
    };
    provider.provisioner().user(&"default".into(), &user).await.unwrap();
    let reply = provider.userinfo(&token).await;
    assert_eq!(provider.reason(&reply).await, "user_gone");
    table += &told("person disabled", &reply);
    user.disabled = false;
    provider.provisioner().user(&"default".into(), &user).await.unwrap();
    assert_eq!(provider.userinfo(&token).await.status, 200);
    insta::assert_snapshot!(table, @r#"
    expired: 401
        Bearer realm="userinfo", error="invalid_token", error_description="The access token has expired."
        {"error":"invalid_token","error_description":"The access token has expired."}
    client disabled: 401
        Bearer realm="userinfo", error="invalid_token", error_description="The access token is not valid."
        {"error":"invalid_token","error_description":"The access token is not valid."}
    of another tenant: 401
        Bearer realm="userinfo", error="invalid_token", error_description="The access token is not valid."
        {"error":"invalid_token","error_description":"The access token is not valid."}
    person disabled: 401
        Bearer realm="userinfo", error="invalid_token", error_description="The access token is not valid."
        {"error":"invalid_token","error_description":"The access token is not valid."}
    "#);
}
