//! The second step: one-time passwords, recovery codes, enrolment on the way, step-up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use signet_core::interaction::MAX_WRONG_CODES;
use signet_core::records::{SecondFactor, TenantSettings};
use signet_store::AuditFilter;
use signet_tests::provider::{Browser, ISSUER, Provider, Reply, USER, between, form};
use signet_tests::rp::Rp;
use signet_tests::second::{shown_codes, shown_secret};

use super::{Visit, csrf, is_consent, is_login, outcome, person, signed_in, silently, start};

const MFA: &str = "urn:signet:acr:mfa";
const PASSKEY: &str = "urn:signet:acr:passkey";

fn is_second(page: &Reply) -> bool {
    page.status == 200 && page.body.contains("data-page=\"second\"")
}

fn is_enrolment(page: &Reply) -> bool {
    page.status == 200 && page.body.contains("data-page=\"enrol\"")
}

/// A `claims` parameter that makes a level essential.
fn essential(acr: &str) -> String {
    serde_json::json!({ "id_token": { "acr": { "essential": true, "values": [acr] } } }).to_string()
}

/// The ID token's claims for a code; who signed it is tested elsewhere.
async fn id_token(provider: &Provider, back: &Reply) -> Value {
    let rp = Rp::new("rp");
    let code = back.location_param("code").unwrap();
    let reply = provider.token(Some(&rp.basic()), &rp.redemption(&code)).await.json();
    let payload = reply["id_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn require_everybody(provider: &Provider) {
    let settings = TenantSettings { second_factor: SecondFactor::Required, ..TenantSettings::default() };
    provider.tenant("default", ISSUER, settings).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_authenticator_application_gets_no_session_for_the_password_alone() {
    let provider = start().await;
    let (shared, _) = provider.enrol(USER.0).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let reply = visit.log_in(USER.0).await;
    assert_eq!(reply.status, 303);
    assert!(!reply.header("set-cookie").contains("signet-session"), "{}", reply.header("set-cookie"));
    let page = visit.page().await;
    assert!(is_second(&page) && page.body.contains("Alice Virtanen (alice)"), "{}", page.body);
    for wrong in ["000000", "", "ABCD-EFGH-JKLM-NPQR", "<script>", "9999999999999999999999999999999"] {
        let page = visit.submit("second", &[("code", wrong)]).await;
        assert_eq!(page.status, 401, "{wrong}");
        assert!(page.body.contains("This code is wrong"), "{wrong}");
        assert!(page.header("set-cookie").is_empty());
    }
    let code = provider.code_of(&shared);
    let reply = visit.submit("second", &[("code", &code)]).await;
    assert!(reply.status == 303 && reply.header("set-cookie").contains("signet-session"));
    assert!(is_consent(&visit.page().await));
    let back = visit.accept().await;
    let claims = id_token(&provider, &back).await;
    assert_eq!(claims["acr"], MFA);
    assert_eq!(claims["amr"], serde_json::json!(["pwd", "otp", "mfa"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_tells_of_each_step_and_of_no_code() {
    let provider = start().await;
    let (shared, codes) = provider.enrol(USER.0).await;
    let mut browser = Browser::default();
    let accepted = provider.authorize(&Rp::new("rp"), &[], Some(&mut browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let mut visit = Visit { provider: &provider, browser: &mut browser, path };
    visit.log_in(USER.0).await;
    visit.submit("second", &[("code", "AAAA-BBBB-CCCC-DDDD")]).await;
    let code = provider.code_of(&shared);
    visit.submit("second", &[("code", &code)]).await;
    let events = provider.audit(accepted.correlation_id()).await;
    let kinds: Vec<_> = events.iter().rev().map(|event| event.kind.as_str()).collect();
    for kind in ["login.identified", "second_factor.refused", "login.succeeded", "credential.used"] {
        assert!(kinds.contains(&kind), "{kind} not in {kinds:?}");
    }
    let alice = provider.person(USER.0).await.id;
    let refused = events.iter().find(|event| event.kind == "second_factor.refused").unwrap();
    assert_eq!((refused.user_id, refused.reason.as_deref()), (Some(alice), Some("second_factor_wrong")));
    let all = serde_json::to_string(&events.iter().map(|event| &event.detail).collect::<Vec<_>>()).unwrap();
    assert!(!all.contains(&code) && !all.contains(&codes[0]) && !all.contains("AAAA"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_password_is_good_once_rfc6238_5_2() {
    let provider = start().await;
    let (shared, _) = provider.enrol(USER.0).await;
    let code = provider.code_of(&shared);
    let attempt = async |code: &str| {
        let mut browser = Browser::default();
        let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
        visit.log_in(USER.0).await;
        visit.submit("second", &[("code", code)]).await.status.as_u16()
    };
    assert_eq!(attempt(&code).await, 303);
    assert_eq!(attempt(&code).await, 401);
    // Neither is an older one that was never used.
    assert_eq!(attempt(&shared.code(provider.now() - 30).unwrap()).await, 401);
    provider.advance(30);
    assert_eq!(attempt(&provider.code_of(&shared)).await, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_is_good_once_however_many_use_it_at_a_time() {
    let provider = start().await;
    let (_, codes) = provider.enrol(USER.0).await;
    let mut visits = Vec::new();
    for _ in 0..6 {
        let mut browser = Browser::default();
        let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
        visit.log_in(USER.0).await;
        let (page, path) = (visit.page().await, visit.path.clone());
        let body = form(&[("csrf", csrf(&page)), ("code", &codes[4].to_lowercase())]);
        visits.push((browser, path, body));
    }
    let attempts = visits.iter_mut().map(|(browser, path, body)| {
        let (provider, path, body) = (&provider, format!("{path}/second"), body.clone());
        async move { provider.post(&path, body, Some(browser)).await.status.as_u16() }
    });
    let mut statuses = futures_util::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 401, 401, 401, 401, 401]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_step_is_bound_to_browser_and_form_and_ends_with_its_time() {
    let provider = start().await;
    let (shared, _) = provider.enrol(USER.0).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in(USER.0).await;
    let code = provider.code_of(&shared);
    assert_eq!(visit.post("second", &form(&[("code", &code)])).await.status, 403, "without the page's token");
    let path = visit.path.clone();
    let page = visit.page().await;
    let body = form(&[("csrf", csrf(&page)), ("code", &code)]);
    let mut other = Browser::default();
    assert_eq!(provider.post(&format!("{path}/second"), body, Some(&mut other)).await.status, 403);
    provider.advance(601);
    assert!(is_login(&Visit { provider: &provider, browser: &mut browser, path }.page().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_everybody_needs_one_an_application_is_enrolled_on_the_way() {
    let provider = start().await;
    require_everybody(&provider).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    let reply = visit.log_in(USER.0).await;
    assert!(!reply.header("set-cookie").contains("signet-session"));
    let page = visit.page().await;
    assert!(is_enrolment(&page) && page.body.contains("<svg"), "{}", page.body);
    let (shared, sealed) = (shown_secret(&page), between(&page.body, "name=\"enrolment\" value=\"", "\""));
    let post = |code: &str, enrolment: &str| {
        form(&[("csrf", csrf(&page)), ("code", code), ("enrolment", enrolment)])
    };
    let again = visit.post("enrol", &post("000000", sealed)).await;
    assert_eq!(again.status, 401);
    assert_eq!(shown_secret(&again).text(), shared.text(), "a telephone has it already");
    let code = provider.code_of(&shared);
    assert_eq!(visit.post("enrol", &post(&code, "forged")).await.status, 401);
    let done = visit.post("enrol", &post(&code, sealed)).await;
    assert!(done.status == 200 && done.header("set-cookie").contains("signet-session"), "{}", done.body);
    let codes = shown_codes(&done);
    assert_eq!(codes.len(), 10);
    assert_eq!(outcome(&visit.accept().await), "code");
    // The next login asks for it, and takes a recovery code as well.
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in(USER.0).await;
    assert!(is_second(&visit.page().await));
    assert_eq!(visit.submit("second", &[("code", &codes[0])]).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_before_is_raised_and_keeps_its_sid() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let sid = |browser: &Browser| {
        let cookie = between(&browser.cookie(), "signet-session-default=", ";").to_owned();
        let hash = signet_core::ids::TokenHash::of(&cookie);
        let store = provider.app.store.clone();
        async move { store.session(&"default".into(), &hash).await.unwrap().unwrap() }
    };
    let before = sid(&browser).await;
    let (shared, _) = provider.enrol(USER.0).await;
    assert_eq!(silently(&provider, &mut browser, &[]).await, "login_required");
    provider.advance(60);
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    assert!(is_second(&visit.page().await), "the password is not asked for again");
    let code = provider.code_of(&shared);
    assert_eq!(visit.submit("second", &[("code", &code)]).await.status, 303);
    let after = sid(&browser).await;
    assert_eq!((&after.sid, after.auth_time, after.acr.as_str()), (&before.sid, before.auth_time, MFA));
    assert_ne!(after.hash, before.hash);
    assert_eq!(silently(&provider, &mut browser, &[("acr_values", MFA)]).await, "code");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_wishes_or_demands_core_3_1_2_1() {
    let provider = start().await;
    let shared = provider.enrol(USER.0).await.0;
    let page_of = async |username: &str, changes: &[(&str, &str)]| {
        let mut browser = Browser::default();
        let mut visit = Visit::to(&provider, &mut browser, "rp", changes).await;
        visit.log_in(username).await;
        visit.page().await
    };
    let mfa = essential(MFA);
    assert!(is_consent(&page_of("bob", &[("acr_values", MFA)]).await), "nothing enrolled, nothing asked");
    assert!(is_enrolment(&page_of("bob", &[("claims", &mfa)]).await));
    assert_eq!(
        page_of("bob", &[("claims", &essential(PASSKEY))]).await.status,
        400,
        "the interaction is over"
    );
    let mut strict = Rp::new("strict").declaration();
    strict.settings.require_second_factor = true;
    provider.register(&strict).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "strict", &[]).await;
    visit.log_in("bob").await;
    assert!(is_enrolment(&visit.page().await));
    // A better level meets a lower one, and is called by the name that was asked for.
    let password = essential("urn:signet:acr:password");
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("claims", &password)]).await;
    visit.log_in(USER.0).await;
    let code = provider.code_of(&shared);
    visit.submit("second", &[("code", &code)]).await;
    let claims = id_token(&provider, &visit.accept().await).await;
    assert_eq!(claims["acr"], "urn:signet:acr:password");
    assert_eq!(claims["amr"], serde_json::json!(["pwd", "otp", "mfa"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_the_second_step_tells_the_client() {
    let provider = start().await;
    provider.enrol(USER.0).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in(USER.0).await;
    assert_eq!(outcome(&visit.submit("second", &[("decision", "deny")]).await), "access_denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_does_not_get_past_the_second_step() {
    let provider = start().await;
    let (shared, _) = provider.enrol("bob").await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in("bob").await;
    let page = visit.page().await;
    person(&provider, "bob", true).await;
    let code = provider.code_of(&shared);
    let reply = visit.post("second", &form(&[("csrf", csrf(&page)), ("code", &code)])).await;
    assert!(is_login(&reply), "{} {}", reply.status, reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_waited_too_long_raises_nobody_elses_session() {
    let provider = start().await;
    let mut browser = Browser::default();
    signed_in(&provider, &mut browser, USER.0).await;
    let (shared, codes) = provider.enrol("bob").await;
    // The session is too old to enrol anything, so the password is asked for; another person gives theirs.
    provider.advance(601);
    let mfa = essential(MFA);
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[("claims", &mfa)]).await;
    visit.log_in("bob").await;
    let page = visit.page().await;
    assert!(is_second(&page));
    provider.advance(601);
    for code in [provider.code_of(&shared), codes[0].clone()] {
        let reply = visit.post("second", &form(&[("csrf", csrf(&page)), ("code", &code)])).await;
        assert!(is_login(&reply), "{} {}", reply.status, reply.body);
        assert!(!reply.header("set-cookie").contains("signet-session"));
    }
    assert_eq!(silently(&provider, &mut browser, &[]).await, "code", "the older session is as it was");
    let essential = silently(&provider, &mut browser, &[("claims", &mfa)]).await;
    assert_eq!(essential, "login_required", "and no higher");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_account_between_password_and_second_step_asks_for_the_password_again() {
    let provider = start().await;
    let (shared, _) = provider.enrol(USER.0).await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in(USER.0).await;
    let page = visit.page().await;
    assert!(is_second(&page));
    let alice = provider.person(USER.0).await;
    let changes = signet_core::people::password(
        &alice,
        "other".into(),
        "own",
        "c",
        &provider.app.context(provider.now()),
    );
    provider.app.store.apply(&"default".into(), &changes).await.unwrap();
    let code = provider.code_of(&shared);
    let reply = visit.post("second", &form(&[("csrf", csrf(&page)), ("code", &code)])).await;
    assert!(is_login(&reply), "{} {}", reply.status, reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_page_asks_anew_each_time_and_takes_no_answer_of_anybody_else() {
    let provider = start().await;
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    assert!(visit.page().await.body.contains("id=\"use-passkey\""));
    let path = format!("{}/passkey", visit.path);
    let first = visit.provider.get(&path, Some(visit.browser)).await;
    let second = visit.provider.get(&path, Some(visit.browser)).await;
    let challenge = |page: &Reply| between(&page.body, "challenge&#34;:&#34;", "&#34;").to_owned();
    assert_ne!(challenge(&first), challenge(&second));
    assert!(first.header("content-security-policy").contains("script-src 'self';"));
    assert!(
        first.header("set-cookie").contains("HttpOnly")
            && first.body.contains("userVerification&#34;:&#34;required")
    );
    let alice = provider.person(USER.0).await.id;
    let handle = URL_SAFE_NO_PAD.encode(alice.as_bytes());
    let forged = serde_json::json!({
        "id": "AAAA", "rawId": "AAAA", "type": "public-key", "extensions": {},
        "response": { "authenticatorData": "AAAA", "clientDataJSON": "e30", "signature": "AAAA", "userHandle": handle },
    });
    let long = "x".repeat(8_000);
    for answer in ["", "{}", "null", "[", &long, &forged.to_string()] {
        let body = form(&[("csrf", csrf(&second)), ("answer", answer)]);
        let reply = visit.post("passkey", &body).await;
        assert_eq!(reply.status, 401, "{answer}");
        assert!(!reply.header("set-cookie").contains("signet-session"));
    }
    // The passkey was to be the first factor, so the sign-in failed, and no second factor.
    let filter = AuditFilter { limit: 100, ..AuditFilter::default() };
    let told = provider.app.store.audit(&"default".into(), &filter).await.unwrap();
    let count = |kind: &str| told.iter().filter(|event| event.kind == kind).count();
    assert_eq!((count("login.refused"), count("second_factor.refused")), (6, 0));
}

/// NIST SP 800-63B section 5.2.2: "the verifier SHALL limit consecutive failed authentication attempts on a single account to
/// no more than 100."
#[tokio::test(flavor = "multi_thread")]
async fn six_digits_are_refused_once_too_many_in_a_row_were_wrong() {
    let provider = start().await;
    let (shared, codes) = provider.enrol(USER.0).await;
    let alice = provider.person(USER.0).await;
    let counted = async || {
        let all = provider.app.store.credentials(&alice.tenant, alice.id).await.unwrap();
        all.iter().map(|one| one.failures).max().unwrap()
    };
    let mut browser = Browser::default();
    let mut visit = Visit::to(&provider, &mut browser, "rp", &[]).await;
    visit.log_in(USER.0).await;
    let right = provider.code_of(&shared);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let page = visit.page().await;
    let attempt = async |visit: &mut Visit<'_>, code: &str| {
        visit.post("second", &form(&[("csrf", csrf(&page)), ("code", code)])).await
    };
    for _ in 1..MAX_WRONG_CODES {
        assert!(attempt(&mut visit, wrong).await.body.contains("This code is wrong"));
    }
    // What is no code of an application is not counted as one, and a right one ends the count.
    attempt(&mut visit, "AAAA-BBBB-CCCC-DDDD").await;
    assert_eq!(counted().await, MAX_WRONG_CODES - 1);
    assert_eq!(attempt(&mut visit, &right).await.status, 303);
    assert_eq!(counted().await, 0);

    provider.advance(30);
    let mut browser = Browser::default();
    let accepted = provider.authorize(&Rp::new("rp"), &[], Some(&mut browser)).await;
    let path = accepted.location().strip_prefix("/auth/open").unwrap().to_owned();
    let mut visit = Visit { provider: &provider, browser: &mut browser, path };
    visit.log_in(USER.0).await;
    let right = provider.code_of(&shared);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let page = visit.page().await;
    let attempt = async |visit: &mut Visit<'_>, code: &str| {
        visit.post("second", &form(&[("csrf", csrf(&page)), ("code", code)])).await
    };
    for _ in 0..MAX_WRONG_CODES {
        assert!(attempt(&mut visit, wrong).await.body.contains("This code is wrong"));
    }
    for code in [&right, wrong] {
        let locked = attempt(&mut visit, code).await;
        assert_eq!(locked.status, 401);
        assert!(locked.body.contains("Use a recovery code or a passkey"), "{}", locked.body);
        assert!(locked.header("set-cookie").is_empty());
    }
    let events = provider.audit(accepted.correlation_id()).await;
    let locked = events.iter().find(|event| event.reason.as_deref() == Some("second_factor_locked")).unwrap();
    assert_eq!((locked.kind.as_str(), locked.user_id), ("second_factor.refused", Some(alice.id)));
    assert_eq!(attempt(&mut visit, &codes[0]).await.status, 303, "a recovery code is the way in");
    assert!(is_consent(&visit.page().await));
}
