//! Where an answer may go: registered redirect URIs of known clients, else a page.

use signet_tests::flow::encode;
use signet_tests::rp::Rp;

use super::{both, start, stored};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trustworthy_redirect_uri_there_is_a_page_a121_a122() {
    let provider = start().await;
    let registered = "https://rp.example/callback";
    let mut rows: Vec<(String, &str)> = Vec::new();
    let mut row =
        |changes: &[(&str, &str)], reason| rows.push((encode(&Rp::new("rp").request(changes)), reason));
    row(&[("client_id", "")], "client_id_missing");
    row(&[("client_id", "nobody")], "client_unknown");
    row(&[("client_id", "RP")], "client_unknown");
    row(&[("client_id", "rp ")], "client_unknown");
    row(
        &[("client_id", "disabled"), ("redirect_uri", "https://disabled.example/callback")],
        "client_unknown",
    );
    row(&[("redirect_uri", "")], "redirect_uri_missing");
    for uri in [
        "https://evil.example/callback",
        "https://rp.example",
        "https://rp.example/callback/",
        "https://rp.example/callback?x=1",
        "https://rp.example/callback#x",
        "https://rp.example/callback ",
        "https://RP.example/callback",
        "https://rp.example:443/callback",
        "https://rp.example/./callback",
        "https://rp.example/%63allback",
        "https://rp.example.evil.example/callback",
        "https://u:p@rp.example/callback",
        "https://rp.example\\@evil.example/callback",
        "http://rp.example/callback",
        "//rp.example/callback",
        "/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://relaxed.example/callback",
    ] {
        row(&[("redirect_uri", uri)], "redirect_uri_unregistered");
        // However many rules are broken besides.
        row(&[("redirect_uri", uri), ("response_type", "x"), ("scope", "")], "redirect_uri_unregistered");
    }
    let good = encode(&Rp::new("rp").request(&[]));
    for (more, reason) in [
        ("&state=again", "parameter_repeated"),
        ("&client_id=rp", "parameter_repeated"),
        ("&redirect_uri=https%3A%2F%2Frp.example%2Fcallback", "parameter_repeated"),
        ("&s%74ate=again", "parameter_repeated"),
        ("&state", "parameter_repeated"),
        ("&x=%ff", "parameter_encoding"),
        ("&x=%00", "parameter_encoding"),
        ("&%c3%28=1", "parameter_encoding"),
    ] {
        rows.push((format!("{good}{more}"), reason));
    }
    rows.push((format!("{good}&x={}", "a".repeat(8193)), "parameter_too_long"));
    rows.push((format!("{good}&{}=1", "a".repeat(129)), "parameter_too_long"));
    let many = (0..64).map(|n| format!("&x{n}=1")).collect::<Vec<_>>().concat();
    rows.push((format!("{good}{many}"), "too_many_parameters"));
    rows.push((String::new(), "client_id_missing"));
    for (encoded, reason) in rows {
        let reply = both(&provider, &encoded).await;
        assert_eq!(reply.status, 400, "{encoded}");
        assert_eq!(reply.location(), "", "{encoded}");
        assert_eq!(provider.reasons(reply.correlation_id()).await, [reason], "{encoded}");
        assert!(reply.body.contains(&format!("<dd>{reason}</dd>")), "{encoded}");
        assert!(reply.body.contains(reply.correlation_id()), "the page names the reference");
        assert!(!reply.body.contains("evil.example"), "a page repeats nothing that was sent");
        assert!(!reply.body.contains(registered));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn native_applications_on_loopback_may_use_any_port_rfc8252_7_3() {
    let provider = start().await;
    for (uri, known) in [
        ("http://127.0.0.1/cb", true),
        ("http://127.0.0.1:1/cb", true),
        ("http://127.0.0.1:65535/cb", true),
        ("http://[::1]:4711/cb", true),
        ("http://localhost:3000/cb", true),
        ("com.example.app:/cb", true),
        ("http://127.0.0.1:4711/other", false),
        ("http://127.0.0.1:4711/cb?x=1", false),
        ("http://127.0.0.1:4711/cb#x", false),
        ("http://127.0.0.2:4711/cb", false),
        ("https://127.0.0.1:4711/cb", false),
        ("http://u@127.0.0.1:4711/cb", false),
        ("http://127.1:4711/cb", false),
        ("http://2130706433/cb", false),
        ("http://127.0.0.1:99999/cb", false),
        ("http://127.0.0.1.evil.example/cb", false),
        ("http://127.0.0.1:4711\\@evil.example/cb", false),
        ("com.example.app:/other", false),
        ("com.example.app2:/cb", false),
    ] {
        let reply = both(&provider, &encode(&Rp::new("native").request(&[("redirect_uri", uri)]))).await;
        if known {
            assert_eq!(stored(&provider, &reply).await.redirect_uri, uri);
        } else {
            let reasons = provider.reasons(reply.correlation_id()).await;
            assert_eq!(reasons, ["redirect_uri_unregistered"], "{uri}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_keeps_the_query_of_the_redirect_uri_rfc6749_3_1_2() {
    let provider = start().await;
    let mut declaration = Rp::new("query").declaration();
    declaration.settings.redirect_uris = vec!["https://query.example/cb?tenant=1".into()];
    provider.register(&declaration).await;
    let mut rp = Rp::new("query");
    rp.redirect_uri = "https://query.example/cb?tenant=1".into();
    let reply = both(&provider, &encode(&rp.request(&[("scope", "x")]))).await;
    insta::assert_snapshot!(reply.location(), @"https://query.example/cb?tenant=1&error=invalid_scope&error_description=The+scope+must+contain+%27openid%27.&state=state-1&iss=https%3A%2F%2Fid.example%2Fauth%2Fopen");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_response_without_a_key_is_refused_before_anybody_logs_in_a88_a118() {
    use signet_core::records::{Encryption, UserInfoResponseType};
    use signet_jose::{ContentAlg, KeyAlg};
    let provider = start().await;
    let encryption = Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 };
    for (id, in_id_token) in [("ends", true), ("ends-too", false)] {
        let mut declaration = Rp::new(id).declaration();
        declaration.keys[1].not_after = Some(provider.now() + 100);
        if in_id_token {
            declaration.settings.id_token.encrypted = Some(encryption);
        } else {
            declaration.settings.userinfo.response_type = UserInfoResponseType::Encrypted;
            declaration.settings.userinfo.encrypted = Some(encryption);
        }
        provider.register(&declaration).await;
        let reply = both(&provider, &encode(&Rp::new(id).request(&[]))).await;
        assert!(reply.location().contains("/interaction/"), "{}", reply.location());
    }
    provider.advance(100);
    for id in ["ends", "ends-too"] {
        let reply = both(&provider, &encode(&Rp::new(id).request(&[]))).await;
        assert_eq!(provider.reasons(reply.correlation_id()).await, ["encryption_key_missing"]);
        assert_eq!(reply.location_param("error").as_deref(), Some("unauthorized_client"));
        let text = reply.location_param("error_description").unwrap();
        assert!(text.contains("none of its encryption keys is valid now"), "{text}");
    }
}
