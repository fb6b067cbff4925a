//! Device authorization over HTTP (RFC 8628): the endpoint, the page, the polls.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use signet_core::records::{ClientSettings, GrantType};
use signet_tests::provider::{Browser, ISSUER, Provider, Reply, USER, between, form};
use signet_tests::rp::Rp;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn may_use_devices(settings: &mut ClientSettings) {
    settings.grant_types.extend([GrantType::DeviceCode, GrantType::RefreshToken]);
}

async fn world() -> (Provider, Rp) {
    let (provider, rp) = (Provider::start().await, Rp::new("tv"));
    let mut declared = rp.declaration();
    may_use_devices(&mut declared.settings);
    provider.register(&declared).await;
    (provider, rp)
}

async fn start(provider: &Provider, rp: &Rp) -> Value {
    let pairs = [("scope", "openid profile")];
    let reply = provider.call("/device_authorization", &[("authorization", &rp.basic())], &pairs).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"), "{}", reply.body);
    reply.json()
}

fn text<'a>(started: &'a Value, name: &str) -> &'a str {
    started[name].as_str().unwrap()
}

async fn poll(provider: &Provider, rp: &Rp, code: &str) -> Reply {
    let pairs = [("grant_type", GRANT), ("device_code", code)];
    provider.call("/token", &[("authorization", &rp.basic())], &pairs).await
}

fn error(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 400, "{}", reply.body);
    reply.json()["error"].as_str().unwrap().to_owned()
}

/// Types a code on the page.
async fn enter(provider: &Provider, code: &str, browser: &mut Browser) -> Reply {
    let page = provider.get("/device", Some(browser)).await;
    let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"").to_owned();
    provider.post("/device", form(&[("csrf", &csrf), ("user_code", code)]), Some(browser)).await
}

/// From the code to the consent page: its path and its token.
async fn consent_page(provider: &Provider, code: &str, browser: &mut Browser) -> (String, Reply) {
    let entered = enter(provider, code, browser).await;
    let path = entered.location().strip_prefix("/auth/open").unwrap().to_owned();
    let mut page = provider.get(&path, Some(browser)).await;
    if page.body.contains("id=\"password\"") {
        let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
        let login = form(&[("csrf", csrf), ("username", USER.0), ("password", USER.1)]);
        provider.post(&format!("{path}/login"), login, Some(browser)).await;
        page = provider.get(&path, Some(browser)).await;
    }
    assert!(page.body.contains("id=\"accept\""), "{}", page.body);
    (path, page)
}

async fn answer(provider: &Provider, code: &str, decision: &str, browser: &mut Browser) -> Reply {
    let (path, page) = consent_page(provider, code, browser).await;
    let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
    let body = form(&[("csrf", csrf), ("decision", decision)]);
    provider.post(&format!("{path}/consent"), body, Some(browser)).await
}

#[tokio::test]
async fn a_device_gets_its_tokens_when_the_person_allows_it_rfc8628_3() {
    let (provider, rp) = world().await;
    let started = start(&provider, &rp).await;
    let (code, user_code) = (text(&started, "device_code"), text(&started, "user_code"));
    assert_eq!(text(&started, "verification_uri"), format!("{ISSUER}/device"));
    assert_eq!(text(&started, "verification_uri_complete"), format!("{ISSUER}/device?user_code={user_code}"));
    assert_eq!((&started["expires_in"], &started["interval"]), (&600.into(), &5.into()));
    let plain = user_code.replace('-', "");
    assert!(user_code.len() == 9 && plain.bytes().all(|letter| b"BCDFGHJKLMNPQRSTVWXZ".contains(&letter)));
    assert_eq!(error(&poll(&provider, &rp, code).await), "authorization_pending");

    // Section 6.1: case and punctuation do not matter.
    let done = answer(&provider, &plain.to_lowercase(), "accept", &mut Browser::default()).await;
    assert!(done.status.is_success() && done.body.contains("You may return to your device"), "{}", done.body);
    provider.advance(5);
    let tokens = poll(&provider, &rp, code).await;
    assert!(tokens.status.is_success(), "{}", tokens.body);
    let tokens = tokens.json();
    assert_eq!(tokens["scope"], "openid profile");
    let subject = provider.userinfo(text(&tokens, "access_token")).await;
    assert_eq!(subject.json()["name"], "Alice Virtanen");
    assert_eq!(text(&tokens, "id_token").split('.').count(), 3);
    let refreshed = provider.refresh(&rp, text(&tokens, "refresh_token"), &[]).await;
    assert!(refreshed.status.is_success(), "{}", refreshed.body);
}

#[tokio::test]
async fn a_sealed_client_gets_a_sealed_id_token_a94() {
    let (provider, rp) = (Provider::start().await, Rp::new("sealed-tv"));
    let mut declared = rp.sealed_declaration();
    may_use_devices(&mut declared.settings);
    provider.register(&declared).await;
    let started = start(&provider, &rp).await;
    answer(&provider, text(&started, "user_code"), "accept", &mut Browser::default()).await;
    let tokens = poll(&provider, &rp, text(&started, "device_code")).await.json();
    assert_eq!(text(&tokens, "id_token").split('.').count(), 5);
}

#[tokio::test]
async fn whoever_polls_too_fast_is_slowed_down_rfc8628_3_5() {
    let (provider, rp) = world().await;
    let started = start(&provider, &rp).await;
    let code = text(&started, "device_code");
    let mut told = Vec::new();
    // The interval is 5, then 10, then 15.
    for pause in [0, 4, 9, 15] {
        provider.advance(pause);
        told.push(error(&poll(&provider, &rp, code).await));
    }
    assert_eq!(told, ["authorization_pending", "slow_down", "slow_down", "authorization_pending"]);
}

#[tokio::test]
async fn refusal_and_expiry_are_told_apart_rfc8628_3_5() {
    let (provider, rp) = world().await;
    let started = start(&provider, &rp).await;
    let done = answer(&provider, text(&started, "user_code"), "deny", &mut Browser::default()).await;
    assert!(done.body.contains("Device refused"), "{}", done.body);
    assert_eq!(error(&poll(&provider, &rp, text(&started, "device_code")).await), "access_denied");
    let started = start(&provider, &rp).await;
    provider.advance(600);
    assert_eq!(error(&poll(&provider, &rp, text(&started, "device_code")).await), "expired_token");
    let late = enter(&provider, text(&started, "user_code"), &mut Browser::default()).await;
    assert_eq!((late.status.as_u16(), late.location()), (400, ""));
}

#[tokio::test]
async fn a_device_code_is_its_clients_and_good_once_rfc8628_3_4() {
    let (provider, rp) = world().await;
    let other = Rp::new("other-tv");
    let mut declared = other.declaration();
    may_use_devices(&mut declared.settings);
    provider.register(&declared).await;
    let started = start(&provider, &rp).await;
    let code = text(&started, "device_code");
    answer(&provider, text(&started, "user_code"), "accept", &mut Browser::default()).await;
    assert_eq!(error(&poll(&provider, &other, code).await), "invalid_grant");
    assert_eq!(error(&poll(&provider, &rp, "sgn_dc_unknown").await), "invalid_grant");
    let polls = futures(&provider, &rp, code).await;
    let (won, lost): (Vec<_>, Vec<_>) = polls.into_iter().partition(|reply| reply.status.is_success());
    assert_eq!((won.len(), lost.len()), (1, 2), "of simultaneous polls one wins");
    assert!(lost.iter().all(|reply| error(reply) == "invalid_grant"));
    // Whoever has it twice may not be the device: what it gave has ended.
    let token = won[0].json();
    assert_eq!(provider.userinfo(text(&token, "access_token")).await.status.as_u16(), 401);
    assert_eq!(error(&provider.refresh(&rp, text(&token, "refresh_token"), &[]).await), "invalid_grant");
}

async fn futures(provider: &Provider, rp: &Rp, code: &str) -> Vec<Reply> {
    let (one, two, three) =
        tokio::join!(poll(provider, rp, code), poll(provider, rp, code), poll(provider, rp, code));
    vec![one, two, three]
}

#[tokio::test]
async fn the_person_is_asked_each_time_and_warned_rfc8628_5_4() {
    let (provider, rp) = (Provider::start().await, Rp::new("trusted-tv"));
    let mut declared = rp.declaration();
    may_use_devices(&mut declared.settings);
    declared.settings.require_consent = false;
    provider.register(&declared).await;
    let mut browser = Browser::default();
    for _ in 0..2 {
        let started = start(&provider, &rp).await;
        let (_, page) = consent_page(&provider, text(&started, "user_code"), &mut browser).await;
        assert!(page.body.contains("trusted-tv") && page.body.contains("id=\"device\""), "{}", page.body);
        assert_eq!(
            error(&poll(&provider, &rp, text(&started, "device_code")).await),
            "authorization_pending",
            "being signed in allows nothing"
        );
        let done = answer(&provider, text(&started, "user_code"), "accept", &mut browser).await;
        assert!(done.status.is_success(), "{}", done.body);
    }
}

#[tokio::test]
async fn codes_are_typed_on_our_page_and_a_link_alone_does_nothing_rfc8628_3_3_1() {
    let (provider, rp) = world().await;
    let started = start(&provider, &rp).await;
    let user_code = text(&started, "user_code");
    let mut browser = Browser::default();
    let page = provider.get(&format!("/device?user_code={user_code}"), Some(&mut browser)).await;
    assert!(page.status.is_success() && page.body.contains(user_code), "shown, not taken");
    let forged = provider.post("/device", form(&[("user_code", user_code)]), Some(&mut browser)).await;
    assert_eq!(forged.status.as_u16(), 403);
    let elsewhere = provider.post("/device", form(&[("user_code", user_code)]), None).await;
    assert_eq!(elsewhere.status.as_u16(), 403);
    for wrong in ["BCDF-GHJK", "", "short", "<script>"] {
        let reply = enter(&provider, wrong, &mut browser).await;
        assert_eq!(reply.status.as_u16(), 400);
        assert!(reply.body.contains("This code is not known here") && !reply.body.contains("<script>"));
    }
    assert!(enter(&provider, user_code, &mut browser).await.location().contains("/interaction/"));
}

#[tokio::test]
async fn two_answers_to_one_code_are_one_answer_rfc8628_3_3() {
    let (provider, rp) = world().await;
    let started = start(&provider, &rp).await;
    let (mut mine, mut theirs) = (Browser::default(), Browser::default());
    let (path, page) = consent_page(&provider, text(&started, "user_code"), &mut theirs).await;
    answer(&provider, text(&started, "user_code"), "deny", &mut mine).await;
    let csrf = between(&page.body, "name=\"csrf\" value=\"", "\"");
    let late = provider
        .post(&format!("{path}/consent"), form(&[("csrf", csrf), ("decision", "accept")]), Some(&mut theirs))
        .await;
    assert_eq!(late.status.as_u16(), 400);
    assert_eq!(error(&poll(&provider, &rp, text(&started, "device_code")).await), "access_denied");
}

#[tokio::test]
async fn only_registered_clients_start_devices_rfc8628_3_1() {
    let (provider, rp) = world().await;
    let plain = Rp::new("plain");
    provider.register(&plain.declaration()).await;
    let start = async |authorization: &str, pairs: &[(&str, &str)]| {
        let reply = provider.call("/device_authorization", &[("authorization", authorization)], pairs).await;
        (reply.status.as_u16(), reply.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(start(&plain.basic(), &[]).await, (400, "unauthorized_client".into()));
    let wrong = signet_tests::flow::basic("tv", "wrong-secret-of-some-length-0000");
    assert_eq!(start(&wrong, &[]).await, (401, "invalid_client".into()));
    assert_eq!(start(&rp.basic(), &[("scope", "openid phone")]).await, (400, "invalid_scope".into()));
    assert_eq!(start(&rp.basic(), &[]).await, (200, String::new()));
    let known = provider.get("/.well-known/openid-configuration", None).await.json();
    assert_eq!(known["device_authorization_endpoint"], format!("{ISSUER}/device_authorization"));
    assert!(known["grant_types_supported"].as_array().unwrap().contains(&GRANT.into()));
    let missing = provider.call("/token", &[("authorization", &rp.basic())], &[("grant_type", GRANT)]).await;
    assert_eq!(error(&missing), "invalid_request");
}
