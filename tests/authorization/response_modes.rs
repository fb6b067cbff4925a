//! How responses travel (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1, OAuth 2.0 Form Post Response Mode).

use signet_core::records::ResponseType;
use signet_tests::front::{Back, every_type};
use signet_tests::provider::{Browser, ISSUER, Provider, Reply};
use signet_tests::rp::Rp;

async fn start() -> (Provider, Rp) {
    let (provider, rp) = (Provider::start().await, Rp::new("all"));
    provider.register(&every_type(rp.declaration())).await;
    (provider, rp)
}

/// The page itself: it posts by itself or by hand, and holds nothing but the response.
fn check_page(reply: &Reply, back: &Back) {
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-store");
    let policy = reply.header("content-security-policy");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("form-action 'self' https:") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(reply.body.matches("<script").count(), 1);
    assert!(reply.body.contains("document.forms[0].submit()") && reply.body.contains("id=\"continue\""));
    assert_eq!(reply.body.matches("<form").count(), 1);
    assert_eq!((back.place, back.to.as_str()), ("form", "https://all.example/callback"));
}

#[tokio::test(flavor = "multi_thread")]
async fn form_post_carries_every_response_type_and_nothing_besides_form_post_2() {
    let (provider, rp) = start().await;
    let mut browser = Browser::default();
    for kind in ResponseType::ALL {
        let changes = [("response_type", kind.name()), ("response_mode", "form_post")];
        let accepted = provider.authorize(&rp, &changes, Some(&mut browser)).await;
        let reply = provider.sign_in(&accepted, &mut browser).await;
        let back = reply.back();
        check_page(&reply, &back);
        assert_eq!((back.get("state"), back.get("iss")), ("state-1", ISSUER));
        for (name, has) in
            [("code", kind.has_code()), ("id_token", kind.has_id_token()), ("access_token", kind.has_token())]
        {
            assert_eq!(!back.get(name).is_empty(), has, "{}: {name}", kind.name());
        }
        // The interaction is over, and its cookie with it.
        assert!(reply.header("set-cookie").contains("Max-Age=0"));
        if kind.has_code() {
            let tokens = provider.token(Some(&rp.basic()), &rp.redemption(back.get("code"))).await;
            assert_eq!(tokens.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_travel_by_form_post_too() {
    let (provider, rp) = start().await;
    for kind in ["code", "id_token token", "code id_token", "banana"] {
        let changes = [("response_type", kind), ("response_mode", "form_post"), ("scope", "profile")];
        let reply = provider.authorize(&rp, &changes, None).await;
        let back = reply.back();
        check_page(&reply, &back);
        assert_eq!(back.names(), ["error", "error_description", "iss", "state"]);
        let error = if kind == "banana" { "unsupported_response_type" } else { "invalid_scope" };
        assert_eq!(back.get("error"), error);
    }
    let silent = [("prompt", "none"), ("response_mode", "form_post")];
    let accepted = provider.authorize(&rp, &silent, None).await;
    let reply = provider.sign_in(&accepted, &mut Browser::default()).await;
    check_page(&reply, &reply.back());
    assert_eq!(reply.back().get("error"), "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_in_state_stays_a_value_of_the_form() {
    let (provider, rp) = start().await;
    for state in ["\"><script>alert(1)</script>", "a'b&amp;c<d>e", "\u{e4}\u{1f511} +%20"] {
        let changes = [("response_mode", "form_post"), ("state", state), ("scope", "x")];
        let reply = provider.authorize(&rp, &changes, None).await;
        check_page(&reply, &reply.back());
        assert_eq!(reply.back().get("state"), state);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_may_travel_in_the_fragment_and_tokens_never_in_the_query() {
    let (provider, rp) = start().await;
    let mut browser = Browser::default();
    let back = provider.front(&rp, &[("response_mode", "fragment")], &mut browser).await;
    assert_eq!((back.place, back.names()), ("fragment", vec!["code", "iss", "session_state", "state"]));
    let back = provider.front(&rp, &[("response_mode", "query")], &mut browser).await;
    assert_eq!((back.place, back.names()), ("query", vec!["code", "iss", "session_state", "state"]));
    for kind in ResponseType::ALL.iter().filter(|kind| **kind != ResponseType::Code) {
        let reply = provider
            .authorize(&rp, &[("response_type", kind.name()), ("response_mode", "query")], None)
            .await;
        assert_eq!((reply.back().place, reply.back().get("error")), ("fragment", "invalid_request"));
        assert_eq!(provider.reason(&reply).await, "response_mode_unfit");
    }
    for mode in ["web_message", "Query", "form-post", "none"] {
        let reply = provider.authorize(&rp, &[("response_mode", mode)], None).await;
        assert_eq!((reply.back().place, reply.back().get("error")), ("query", "invalid_request"));
        assert_eq!(provider.reason(&reply).await, "response_mode_unsupported", "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discovery_says_of_types_and_modes_is_so() {
    let (provider, rp) = start().await;
    let metadata = provider.get("/.well-known/openid-configuration", None).await.json();
    let list = |name: &str| -> Vec<String> {
        metadata[name].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    let mut browser = Browser::default();
    for kind in list("response_types_supported") {
        for mode in list("response_modes_supported") {
            let tokens = kind != "code";
            let changes = [("response_type", kind.as_str()), ("response_mode", mode.as_str())];
            if tokens && mode.starts_with("query") {
                let reply = provider.authorize(&rp, &changes, None).await;
                assert_eq!(provider.reason(&reply).await, "response_mode_unfit", "{kind} {mode}");
                continue;
            }
            let back = provider.front(&rp, &changes, &mut browser).await;
            assert_eq!(back.get("error"), "", "{kind} {mode}");
        }
    }
    assert_eq!(list("prompt_values_supported"), ["none", "login", "consent", "select_account"]);
}
