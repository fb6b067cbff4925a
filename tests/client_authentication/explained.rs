//! What the trail keeps of a refused assertion, and what is told of it later.

use serde_json::json;
use signet_core::explain::{LayerName, Line, Report};
use signet_jose::{SigAlg, Verdict};
use signet_server::explaining;
use signet_tests::provider::{ISSUER, Provider, Reply};
use signet_tests::rp::Rp;

use super::{ask, mac, signed, start};

async fn explained(provider: &Provider, reply: &Reply) -> Report {
    let events = provider.audit(reply.correlation_id()).await;
    explaining::failure(&events).unwrap().1
}

/// The failed check with the layer in which it stands.
fn failed(report: &Report) -> (LayerName, &Line) {
    let layer = report.layers.iter().find(|layer| layer.verdict == Verdict::Fail).unwrap();
    (layer.name, layer.checks.iter().find(|check| check.verdict == Verdict::Fail).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_of_an_assertion_is_told_with_what_was_wanted_and_what_was_found() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    for (claim, value, layer, rule, wanted) in [
        ("aud", json!("https://other.example"), LayerName::Claims, "aud", ISSUER),
        ("iss", json!("key2"), LayerName::Arrival, "client", "one client"),
        ("exp", json!(now + 200_000), LayerName::Claims, "lifetime", "86400 seconds"),
        ("exp", json!(now - 1_000), LayerName::Claims, "exp", "later than"),
        ("jti", json!(""), LayerName::Claims, "jti", "1 to 256 bytes"),
    ] {
        let mut claims = rp.assertion_claims(ISSUER, now, "secret-jti");
        claims.insert(claim.into(), value);
        let assertion = signed(&rp, &claims);
        let reply = ask(&provider, &assertion, &[]).await;
        assert_eq!(reply.status, 401);
        let report = explained(&provider, &reply).await;
        let (found, check) = failed(&report);
        assert_eq!((found, check.rule.as_str()), (layer, rule), "{report:#?}");
        assert!(check.expected.contains(wanted) && !check.actual.is_empty(), "{check:?}");
        // The text is the one that the client was told, which knows the rest.
        let told = reply.json()["error_description"].as_str().unwrap().to_owned();
        assert_eq!(report.reason.as_ref().unwrap().text.replace('"', "'"), told);
        assert!(!report.findings.is_empty());
        let kept = serde_json::to_string(&provider.audit(reply.correlation_id()).await).unwrap();
        assert!(!kept.contains("secret-jti"), "{kept}");
        assert!(assertion.split('.').all(|part| !kept.contains(&part[..30])), "no part of the token");
    }
    let report = {
        let mut claims = rp.assertion_claims(ISSUER, now, "one");
        claims.insert("aud".into(), json!("https://other.example"));
        let reply = ask(&provider, &signed(&rp, &claims), &[]).await;
        explained(&provider, &reply).await
    };
    let passed = |rule: &str| {
        let mut checks = report.layers.iter().flat_map(|layer| &layer.checks);
        checks.any(|check| check.rule == rule && check.verdict == Verdict::Pass)
    };
    for rule in ["form", "client", "jws_algorithm", "signature", "iss"] {
        assert!(passed(rule), "{rule}: {report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_with_another_key_and_a_second_use_are_told_in_their_layers() {
    let provider = start().await;
    let (rp, now) = (Rp::new("key"), provider.now());
    let claims = rp.assertion_claims(ISSUER, now, "one");
    let reply = ask(&provider, &mac(&claims, SigAlg::HS256), &[]).await;
    let report = explained(&provider, &reply).await;
    assert_eq!(failed(&report).0, LayerName::InnerHeader, "{report:#?}");
    assert!(report.reason.unwrap().text.contains("RS256"));

    let assertion = signed(&rp, &claims);
    assert_eq!(ask(&provider, &assertion, &[]).await.status, 200);
    let form = [
        ("client_assertion_type", signet_core::client_assertion::ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
        ("token", "x"),
    ];
    for reply in [
        ask(&provider, &assertion, &[]).await,
        provider.call("/introspect", &[], &form).await,
        provider.call("/revoke", &[], &form).await,
    ] {
        assert_eq!(provider.reason(&reply).await, "assertion_replayed");
        let report = explained(&provider, &reply).await;
        let (layer, check) = failed(&report);
        assert_eq!((layer, check.actual.as_str()), (LayerName::Replay, "used before"), "{report:#?}");
    }
}
