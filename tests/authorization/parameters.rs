//! The rules of each parameter. Errors go to the client, with `state` and `iss` (RFC 6749 section 4.1.2.1, RFC 9207).

use signet_core::authorize::Prompt;
use signet_tests::flow::encode;
use signet_tests::provider::{Browser, ISSUER};
use signet_tests::rp::{Rp, challenge};

use super::{both, start, stored};

/// client, parameter changes, reason code, `error`.
type Row = (&'static str, Vec<(&'static str, String)>, &'static str, &'static str);

fn one(
    client: &'static str,
    name: &'static str,
    value: &str,
    reason: &'static str,
    error: &'static str,
) -> Row {
    (client, vec![(name, value.to_owned())], reason, error)
}

fn refused() -> Vec<Row> {
    let mut rows = vec![
        one("rp", "response_type", "", "response_type_missing", "invalid_request"),
        one("rp", "scope", "", "scope_missing", "invalid_scope"),
        one("rp", "scope", "profile", "scope_without_openid", "invalid_scope"),
        one("rp", "scope", "OPENID", "scope_without_openid", "invalid_scope"),
        one("rp", "scope", "openid,profile", "scope_without_openid", "invalid_scope"),
        one("rp", "scope", "openid \"x\"", "scope_malformed", "invalid_scope"),
        one("rp", "scope", "openid a\\b", "scope_malformed", "invalid_scope"),
        one("rp", "scope", "openid \u{e4}", "scope_malformed", "invalid_scope"),
        one("rp", "scope", "openid\tprofile", "scope_malformed", "invalid_scope"),
        one("rp", "scope", "openid phone", "scope_not_allowed", "invalid_scope"),
        one("rp", "registration", "{}", "registration_unsupported", "registration_not_supported"),
        one("rp", "request_uri", "https://rp.example/o", "request_uri_unregistered", "invalid_request_uri"),
        one("relaxed", "code_challenge", "", "pkce_method_alone", "invalid_request"),
        one("rp", "code_challenge_method", "", "pkce_method_unsupported", "invalid_request"),
        one("relaxed", "code_challenge_method", "", "pkce_method_unsupported", "invalid_request"),
        one("rp", "code_challenge_method", "plain", "pkce_method_unsupported", "invalid_request"),
        one("rp", "code_challenge_method", "s256", "pkce_method_unsupported", "invalid_request"),
        one("rp", "code_challenge", "short", "pkce_challenge_malformed", "invalid_request"),
        one(
            "rp",
            "code_challenge",
            &format!("{}A", challenge()),
            "pkce_challenge_malformed",
            "invalid_request",
        ),
        one(
            "rp",
            "code_challenge",
            &format!("{}=", challenge()),
            "pkce_challenge_malformed",
            "invalid_request",
        ),
        one("rp", "code_challenge", &"+".repeat(43), "pkce_challenge_malformed", "invalid_request"),
        one("rp", "prompt", "maybe", "prompt_unknown", "invalid_request"),
        one("rp", "prompt", "Login", "prompt_unknown", "invalid_request"),
        one("rp", "prompt", "login,consent", "prompt_unknown", "invalid_request"),
        one("rp", "prompt", "create", "prompt_unknown", "invalid_request"),
    ];
    for client in ["rp", "native"] {
        let without = [("code_challenge", String::new()), ("code_challenge_method", String::new())];
        rows.push((client, without.into(), "pkce_required", "invalid_request"));
    }
    for value in ["none", "Code", "code ", "code code", "banana"] {
        rows.push(one(
            "rp",
            "response_type",
            value,
            "response_type_unsupported",
            "unsupported_response_type",
        ));
    }
    rows.extend([
        one("rp", "id_token_hint", "x", "hint_malformed", "invalid_request"),
        one("rp", "resource", "relative", "resource_malformed", "invalid_target"),
        one("rp", "resource", "https://rs.example/#x", "resource_malformed", "invalid_target"),
        one("rp", "resource", "https://rs.example/", "resource_unknown", "invalid_target"),
    ]);
    for value in ["web_message", "formpost", "Query"] {
        rows.push(one("rp", "response_mode", value, "response_mode_unsupported", "invalid_request"));
    }
    for value in ["none login", "none consent", "none select_account", "login none"] {
        rows.push(one("rp", "prompt", value, "prompt_none_combined", "invalid_request"));
    }
    for value in ["-1", "1.5", "abc", "1e3", "+5", " 5", "0x10", "99999999999999999999", "\u{663}"] {
        rows.push(one("rp", "max_age", value, "max_age_malformed", "invalid_request"));
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(16), "]".repeat(16));
    for value in [
        "x",
        "[]",
        "null",
        "{}{}",
        r#"{"userinfo":1}"#,
        r#"{"id_token":[]}"#,
        r#"{"userinfo":{"email":true}}"#,
        r#"{"userinfo":{"email":{"essential":"yes"}}}"#,
        r#"{"id_token":{"acr":{"value":"a","values":["b"]}}}"#,
        r#"{"id_token":{"acr":{"values":"a"}}}"#,
        r#"{"userinfo":{"email":null,"email":null}}"#,
        &deep,
    ] {
        rows.push(one("rp", "claims", value, "claims_malformed", "invalid_request"));
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_parameter_is_told_to_the_client_a120_a123() {
    let provider = start().await;
    for (client, changes, reason, error) in refused() {
        let mut rp = Rp::new(client);
        if client == "native" {
            rp.redirect_uri = "http://127.0.0.1:4711/cb".into();
        }
        let borrowed: Vec<(&str, &str)> =
            changes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = both(&provider, &encode(&rp.request(&borrowed))).await;
        assert_eq!(provider.reasons(reply.correlation_id()).await, [reason], "{changes:?}");
        assert_eq!(reply.status, 303, "{changes:?}");
        assert!(reply.location().starts_with(&format!("{}?", rp.redirect_uri)), "{}", reply.location());
        assert_eq!(reply.location_param("error").as_deref(), Some(error), "{changes:?}");
        assert_eq!(reply.location_param("state").as_deref(), Some("state-1"));
        assert_eq!(reply.location_param("iss").as_deref(), Some(ISSUER));
        assert_eq!(reply.location_param("code"), None);
        // RFC 6749 section 4.1.2.1: the characters of error_description.
        let text = reply.location_param("error_description").unwrap();
        assert!(text.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{text}");
        assert!(reply.header("set-cookie").is_empty(), "a refusal sets no cookie");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_kept_as_it_was_asked() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let asked = rp.request(&[
        ("scope", "openid  email profile unheard_of offline_access"),
        ("prompt", "login  consent"),
        ("max_age", "0"),
        ("login_hint", "Alice \u{c4}"),
        ("acr_values", "a b"),
        ("ui_locales", "fi sv-FI"),
        ("display", "popup"),
        ("claims_locales", "se"),
        ("claims", r#"{"userinfo":{"email":{"essential":true},"phone_number":null},"x":1}"#),
        ("response_mode", "query"),
        ("unknown", "ignored"),
    ]);
    let reply = both(&provider, &encode(&asked)).await;
    let request = stored(&provider, &reply).await;
    // OpenID Connect Core section 3.1.2.1: scope values that are not understood are ignored.
    assert_eq!(request.scope.iter().map(String::as_str).collect::<Vec<_>>(), ["email", "openid", "profile"]);
    assert_eq!(request.prompt, [Prompt::Login, Prompt::Consent].into());
    assert_eq!((request.max_age, request.login_hint), (Some(0), vec!["Alice \u{c4}".to_owned()]));
    assert_eq!(request.acr_values, ["a", "b"]);
    assert_eq!(request.ui_locales, ["fi", "sv-FI"]);
    assert_eq!((request.display.as_deref(), request.claims_locales), (Some("popup"), vec!["se".to_owned()]));
    assert_eq!(request.nonce.as_deref(), Some("nonce-1"));
    assert_eq!(request.code_challenge.as_deref(), Some(challenge().as_str()));
    assert!(request.claims.userinfo["email"].essential);
    assert!(!request.claims.userinfo.contains_key("phone_number"), "not within the client's scopes");
}

#[tokio::test(flavor = "multi_thread")]
async fn optional_parameters_may_be_left_out_a126() {
    let provider = start().await;
    let minimal = [
        ("state", ""),
        ("nonce", ""),
        ("scope", "openid"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    let reply = both(&provider, &encode(&Rp::new("relaxed").request(&minimal))).await;
    let request = stored(&provider, &reply).await;
    assert_eq!((request.state, request.nonce, request.code_challenge), (None, None, None));
    for prompt in ["login", "consent", "select_account", "login select_account", "none", " login "] {
        let reply = both(&provider, &encode(&Rp::new("rp").request(&[("prompt", prompt)]))).await;
        assert!(reply.location().contains("/interaction/"), "{prompt}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn state_comes_back_as_it_was_sent_rfc6749_4_1_2() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let long = "s".repeat(8192);
    for state in ["a", "a b+c%20&d=e#f", "\u{e4}\u{1f511}", "\"<script>\\", "{\"x\":[1]}", &long] {
        let reply = both(&provider, &encode(&rp.request(&[("state", state), ("scope", "x")]))).await;
        assert_eq!(reply.location_param("state").as_deref(), Some(state));
        assert!(reply.location().is_ascii());
    }
    let reply = both(&provider, &encode(&rp.request(&[("state", ""), ("scope", "x")]))).await;
    assert_eq!(reply.location_param("state"), None);
    let odd = "a b+c%20&d=e\u{e4}";
    let accepted = provider.authorize(&rp, &[("state", odd)], None).await;
    let back = provider.sign_in(&accepted, &mut Browser::default()).await;
    assert_eq!(back.location_param("state").as_deref(), Some(odd));
    assert_eq!(back.location_param("iss").as_deref(), Some(ISSUER));
    assert!(back.location_param("error").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_may_be_named_more_than_once_and_nothing_else_may_rfc8707_2() {
    let provider = start().await;
    let mut declaration = Rp::new("rp").declaration();
    declaration.settings.resources = ["https://a.example/", "https://b.example/"].map(String::from).into();
    provider.register(&declaration).await;
    let asked = encode(&Rp::new("rp").request(&[("resource", "https://a.example/")]));
    let reply = both(&provider, &format!("{asked}&resource=https%3A%2F%2Fb.example%2F")).await;
    let request = stored(&provider, &reply).await;
    assert_eq!(request.resources, ["https://a.example/", "https://b.example/"].map(String::from).into());
    let reply = both(&provider, &format!("{asked}&resource=https%3A%2F%2Fc.example%2F")).await;
    assert_eq!(reply.location_param("error").as_deref(), Some("invalid_target"));
}
