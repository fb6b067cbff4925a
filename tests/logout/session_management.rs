//! The frame that clients ask. What it answers is shown in a browser (tests/foreign).

use signet_tests::provider::{ISSUER, Provider, between};

#[tokio::test(flavor = "multi_thread")]
async fn the_frame_may_be_framed_by_anybody_and_loads_one_script_session_management_3_3() {
    let provider = Provider::start().await;
    let metadata = provider.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(metadata["check_session_iframe"], format!("{ISSUER}/check-session"));
    let reply = provider.get("/check-session", None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-frame-options"), "");
    assert_eq!(
        reply.header("content-security-policy"),
        "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'"
    );
    assert!(reply.body.contains("data-cookie=\"__Host-signet-browser-default\""), "{}", reply.body);
    let script = between(&reply.body, "<script src=\"/auth/open", "\"");
    let script = provider.get(script, None).await;
    assert!(script.body.contains("postMessage"), "{}", script.body);
    assert_eq!(script.header("x-content-type-options"), "nosniff");
}
