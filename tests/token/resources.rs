//! Resource indicators at the token endpoint (RFC 8707 section 2.2).

use signet_core::records::GrantType;
use signet_tests::flow::changed;
use signet_tests::provider::{Browser, ISSUER};
use signet_tests::rp::Rp;

use super::start;

const API: &str = "https://api.example/";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_a_resource_is_for_no_other_and_unknown_ones_are_invalid_target_rfc8707_2_2() {
    let provider = start().await;
    let rp = Rp::new("rp");
    let mut declaration = rp.declaration();
    declaration.settings.resources = [API.to_owned(), ISSUER.to_owned()].into();
    declaration.settings.grant_types.insert(GrantType::ClientCredentials);
    provider.register(&declaration).await;
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    for unknown in ["https://other.example/", "https://api.example", "https://api.example/#x", "api"] {
        let form = changed(rp.redemption(&code), &[("resource", unknown)]);
        let reply = provider.token(Some(&rp.basic()), &form).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (400, &"invalid_target".into()),
            "{unknown}"
        );
    }
    // None of these used the code up.
    let mut form = changed(rp.redemption(&code), &[("resource", API)]);
    let reply = provider.token(Some(&rp.basic()), &form).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let refused = provider.userinfo(reply.json()["access_token"].as_str().unwrap()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (401, &"invalid_token".into()));
    // Several at once, with us among them.
    let code = provider.code(&rp, &[], &mut Browser::default()).await;
    form = changed(rp.redemption(&code), &[("resource", API)]);
    form.push(("resource".into(), ISSUER.into()));
    let token = provider.token(Some(&rp.basic()), &form).await.json();
    assert_eq!(provider.userinfo(token["access_token"].as_str().unwrap()).await.status, 200);
}
