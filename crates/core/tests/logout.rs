//! Logout by table: RP-Initiated Logout 1.0, Back-Channel Logout 1.0, Front-Channel Logout 1.0, Session Management 1.0.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::*;
use serde_json::{Value, json};
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::hint::{Hint, HintPolicy, judge, open, tenant_verifier};
use signet_core::logout::{
    ATTEMPTS, Ending, Frame, Input, LogoutRequest, Outcome, Step, attempt, browser_state, claim, claims,
    confirmed, decide, end, protection, session_state, settle,
};
use signet_core::records::{
    Client, Encryption, LogoutDelivery, Session, SubjectType, Tenant, TenantKey, TenantSettings,
};
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, SigAlg, Trace};
use uuid::Uuid;

const AFTER: &str = "https://rp.example/after?x=1";

fn rp() -> Client {
    let mut client = client("c");
    client.settings.post_logout_redirect_uris = vec!["https://rp.example/out".into(), AFTER.into()];
    client
}

fn session() -> Session {
    Session {
        tenant: "t".into(),
        hash: signet_core::ids::TokenHash::of("cookie"),
        sid: "s-1".into(),
        user_id: user().id,
        auth_time: NOW - 100,
        amr: vec!["pwd".into()],
        acr: "a".into(),
        last_seen: NOW - 100,
        expires_at: NOW + 1000,
    }
}

/// An ID token of ours as [`judge`] hands it out.
fn hint(aud: &str, sub: &str, sid: Option<&str>) -> Hint {
    let material = key("op-rsa", KeySpec::Rsa2048);
    let mut public_jwk = material.public_key().to_jwk();
    public_jwk.retain(|name, _| !["kid", "use", "alg"].contains(&name.as_str()));
    let tenant_key = TenantKey {
        tenant: "t".into(),
        id: "op-rsa".into(),
        usage: KeyUse::Sig,
        spec: KeySpec::Rsa2048,
        algs: vec!["RS256".into()],
        public_jwk,
        sealed_private: Vec::new(),
        created_at: NOW - 1000,
        use_from: NOW - 900,
        use_until: NOW + 1000,
        remove_at: NOW + 2000,
        revoked_at: None,
    };
    let body =
        json!({ "iss": ISSUER, "sub": sub, "aud": aud, "iat": NOW - 900, "exp": NOW - 300, "sid": sid });
    let signer = material.clone().with_kid("op-rsa-RS256");
    let token = sign_with(&signer, SigAlg::RS256, Some("JWT"), &with(&body, &json!({})));
    let policy = HintPolicy {
        issuer: ISSUER,
        keys: &[tenant_key],
        verifier: &tenant_verifier,
        secret: None,
        client_id: None,
        now: NOW,
        skew: 60,
    };
    let mut trace = Trace::new();
    judge(open(&token, &[], &mut trace).unwrap(), &policy, &mut trace).unwrap()
}

fn own() -> Hint {
    hint("c", &user().id.to_string(), Some("s-1"))
}

fn request(pairs: &[(&str, &str)]) -> LogoutRequest {
    LogoutRequest::read(&params(pairs))
}

fn told(step: Result<Step, Fault>) -> String {
    let to = |to: Option<signet_core::logout::PostLogout>| {
        to.map_or_else(|| "nowhere".to_owned(), |to| to.location())
    };
    match step {
        Ok(Step::Ask(there)) => format!("ask, {}", to(there)),
        Ok(Step::End(there)) => format!("end, {}", to(there)),
        Ok(Step::Over(there)) => format!("over, {}", to(there)),
        Ok(Step::Offer(there)) => format!("offer, {}", to(there)),
        Err(fault) => fault.code().to_owned(),
    }
}

struct Case<'a> {
    hint: Option<&'a Hint>,
    client: Option<&'a Client>,
    session: Option<&'a Session>,
    asked: &'a [(&'a str, &'a str)],
}

fn run(case: &Case<'_>, now: i64) -> String {
    let mut request = request(case.asked);
    request.id_token_hint = case.hint.map(|_| "token".into());
    let tenant = tenant();
    let input = Input {
        tenant: &tenant,
        request: &request,
        hint: case.hint,
        client: case.client,
        session: case.session,
    };
    told(decide(&input, now))
}

#[test]
fn the_question_is_left_out_for_an_id_token_of_this_very_session_only_rp_initiated_2() {
    let (rp, session, own) = (rp(), session(), own());
    let user_id = user().id.to_string();
    let other_sid = hint("c", &user_id, Some("s-2"));
    let no_sid = hint("c", &user_id, None);
    let other_sub = hint("c", "somebody", Some("s-1"));
    let to = [("post_logout_redirect_uri", AFTER), ("state", "a b&c")];
    let back = "https://rp.example/after?x=1&state=a+b%26c";
    for (name, hint, client, asked, expected) in [
        ("own session", Some(&own), Some(&rp), &to[..], format!("end, {back}")),
        ("own session, no address", Some(&own), Some(&rp), &to[1..], "end, nowhere".into()),
        ("own session, no state", Some(&own), Some(&rp), &to[..1], format!("end, {AFTER}")),
        ("another session", Some(&other_sid), Some(&rp), &to, format!("ask, {back}")),
        ("no session named", Some(&no_sid), Some(&rp), &to, format!("ask, {back}")),
        ("another user", Some(&other_sub), Some(&rp), &to, format!("ask, {back}")),
        ("nothing at all", None, None, &[], "ask, nowhere".into()),
        ("an address without a client", None, None, &to, "ask, nowhere".into()),
    ] {
        assert_eq!(run(&Case { hint, client, session: Some(&session), asked }, NOW), expected, "{name}");
    }
    let named = [("client_id", "c"), to[0], to[1]];
    let case = Case { hint: None, client: Some(&rp), session: Some(&session), asked: &named };
    assert_eq!(run(&case, NOW), format!("ask, {back}"), "a name proves nothing until the person agrees");
}

#[test]
fn without_a_session_only_an_id_token_redirects_rp_initiated_3() {
    let (rp, own) = (rp(), own());
    let asked = [("client_id", "c"), ("post_logout_redirect_uri", AFTER)];
    let ended = Session { last_seen: NOW - 90_000, ..session() };
    for session in [None, Some(&ended)] {
        let case = |hint| Case { hint, client: Some(&rp), session, asked: &asked };
        assert_eq!(run(&case(None), NOW), format!("offer, {AFTER}"));
        let expected = if session.is_some() { "end" } else { "over" };
        assert_eq!(run(&case(Some(&own)), NOW), format!("{expected}, {AFTER}"));
    }
    let expired = Session { expires_at: NOW, ..session() };
    let case = Case { hint: None, client: None, session: Some(&expired), asked: &[] };
    assert_eq!(run(&case, NOW), "offer, nowhere", "who is not signed in is not asked");
}

#[test]
fn addresses_are_compared_character_by_character_rp_initiated_3() {
    let (rp, session, own) = (rp(), session(), own());
    for uri in [
        "https://rp.example/out?",
        "https://rp.example/out?foo=bar",
        "https://rp.example/out/",
        "https://RP.example/out",
        "https://rp.example:443/out",
        "https://rp.example/x/../out",
        "https://rp.example/after",
        "https://rp.example/out#x",
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        CALLBACK,
    ] {
        let asked = [("post_logout_redirect_uri", uri)];
        let case = Case { hint: Some(&own), client: Some(&rp), session: Some(&session), asked: &asked };
        assert_eq!(run(&case, NOW), "post_logout_redirect_uri_unregistered", "{uri}");
    }
}

#[test]
fn addresses_that_are_scripts_are_refused_even_if_registered() {
    let (session, own) = (session(), own());
    for (uri, fine) in [
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("x", false),
        ("com.example.app:/out", true),
        ("http://localhost:3000/out", true),
    ] {
        let mut rp = rp();
        rp.settings.post_logout_redirect_uris = vec![uri.into()];
        let asked = [("post_logout_redirect_uri", uri)];
        let case = Case { hint: Some(&own), client: Some(&rp), session: Some(&session), asked: &asked };
        assert_eq!(run(&case, NOW) == format!("end, {uri}"), fine, "{uri}");
    }
}

#[test]
fn unknown_and_disabled_clients_are_told_apart_from_none() {
    let (session, own) = (session(), own());
    let disabled = Client { disabled: true, ..rp() };
    for (hint, client, asked, expected) in [
        (Some(&own), None, &[][..], "client_unknown"),
        (Some(&own), Some(&disabled), &[], "client_unknown"),
        (None, None, &[("client_id", "c")], "client_unknown"),
        (None, None, &[("state", "x"), ("logout_hint", "ada"), ("ui_locales", "se")], "ask, nowhere"),
    ] {
        assert_eq!(run(&Case { hint, client, session: Some(&session), asked }, NOW), expected);
    }
}

#[test]
fn what_the_person_agreed_to_is_judged_once_more() {
    let (tenant, rp, session) = (tenant(), rp(), session());
    let judge = |pairs: &[(&str, &str)], client: Option<&Client>, session: Option<&Session>| {
        let request = request(pairs);
        told(confirmed(&Input { tenant: &tenant, request: &request, hint: None, client, session }))
    };
    let asked = [("client_id", "c"), ("post_logout_redirect_uri", AFTER)];
    assert_eq!(judge(&asked, Some(&rp), Some(&session)), format!("end, {AFTER}"));
    assert_eq!(judge(&asked, Some(&rp), None), format!("over, {AFTER}"));
    assert_eq!(judge(&[], None, Some(&session)), "end, nowhere");
    assert_eq!(judge(&asked, None, Some(&session)), "client_unknown");
    let bad = [("client_id", "c"), ("post_logout_redirect_uri", "https://evil.example/")];
    assert_eq!(judge(&bad, Some(&rp), Some(&session)), "post_logout_redirect_uri_unregistered");
}

#[test]
fn a_pairwise_subject_is_recognised_in_the_hint() {
    let (tenant, session) = (tenant(), session());
    let mut rp = rp();
    rp.settings.subject_type = SubjectType::Pairwise;
    let sub = signet_core::subject::of(&tenant, &rp, session.user_id);
    for (hint, expected) in [(hint("c", &sub, Some("s-1")), "end, nowhere"), (own(), "ask, nowhere")] {
        let case = Case { hint: Some(&hint), client: Some(&rp), session: Some(&session), asked: &[] };
        assert_eq!(run(&case, NOW), expected);
    }
}

fn clients() -> Vec<Client> {
    let make = |id: &str, back: bool, front: bool, disabled: bool| {
        let mut client = client(id);
        client.disabled = disabled;
        client.settings.backchannel_logout_uri = back.then(|| format!("https://{id}.example/back"));
        client.settings.frontchannel_logout_uri = front.then(|| format!("https://{id}.example/front"));
        client
    };
    vec![
        make("back", true, false, false),
        make("both", true, true, false),
        make("front", false, true, false),
        make("none", false, false, false),
        make("gone", true, true, true),
    ]
}

#[test]
fn the_end_of_a_session_ends_grants_and_tells_every_client_once_back_channel_2_5_and_2_7() {
    let (tenant, session, clients) = (tenant(), session(), clients());
    let ending = Ending {
        tenant: &tenant,
        session: &session,
        clients: &clients,
        correlation_id: "corr",
        cause: "rp_initiated",
    };
    let ended = end(&ending, &at(NOW));
    let ids = |all: Vec<&signet_core::ids::ClientId>| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let told: Vec<_> = ended.deliveries.iter().map(|delivery| &delivery.client_id).collect();
    assert_eq!(ids(told), ["back", "both"]);
    assert_eq!(ids(ended.frames.iter().collect()), ["both", "front"]);
    let mut seen = Vec::new();
    for change in &ended.changes {
        seen.push(match change {
            Change::DeleteSession(hash) if *hash == session.hash => "session",
            Change::RevokeSessionGrants { sid, at: NOW } if sid == "s-1" => "grants",
            Change::DeleteSessionClients { sid } if sid == "s-1" => "clients",
            Change::InsertLogoutDelivery(_) => "delivery",
            Change::Audit(event) => {
                assert_eq!((event.kind.as_str(), event.user_id), ("session.ended", Some(session.user_id)));
                "audit"
            }
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, ["session", "grants", "clients", "delivery", "delivery", "audit"]);
    // The first attempt belongs to whoever stores it; and of two requests that end one session, one can.
    let first = &ended.deliveries[0];
    assert_eq!((first.attempts, first.next_attempt_at), (1, Some(NOW + 30)));
    let again = end(&ending, &at(NOW + 1));
    assert_eq!(again.deliveries[0].id, first.id);
    assert_ne!(again.deliveries[1].id, first.id);
}

fn delivery() -> LogoutDelivery {
    LogoutDelivery {
        tenant: "t".into(),
        id: Uuid::from_u128(5),
        client_id: "c".into(),
        sid: "s-1".into(),
        user_id: user().id,
        correlation_id: "corr".into(),
        created_at: NOW,
        attempts: 1,
        next_attempt_at: Some(NOW + 30),
        delivered_at: None,
        last_error: None,
    }
}

fn after(changes: &[Change]) -> (LogoutDelivery, i64, Option<String>) {
    let Change::UpdateLogoutDelivery { delivery, seen_attempts } = &changes[0] else { panic!("{changes:?}") };
    let kind = changes.get(1).map(|change| match change {
        Change::Audit(event) => event.kind.clone(),
        other => panic!("{other:?}"),
    });
    (delivery.clone(), *seen_attempts, kind)
}

#[test]
fn answers_are_read_as_back_channel_2_8_says() {
    for (status, expected) in [
        (200, Outcome::Delivered),
        (204, Outcome::Delivered),
        (400, Outcome::Rejected),
        (201, Outcome::Failed("status_201".into())),
        (404, Outcome::Failed("status_404".into())),
        (503, Outcome::Failed("status_503".into())),
    ] {
        assert_eq!(attempt(status), expected);
    }
    let settled = |outcome| after(&settle(&delivery(), &outcome, &at(NOW + 3)));
    let (taken, seen, kind) = settled(Outcome::Delivered);
    assert_eq!((taken.delivered_at, taken.next_attempt_at, seen), (Some(NOW + 3), None, 1));
    assert_eq!(kind.as_deref(), Some("logout.delivered"));
    let (refused, _, kind) = settled(Outcome::Rejected);
    assert_eq!((refused.delivered_at, refused.next_attempt_at), (None, None));
    assert_eq!(
        (refused.last_error.as_deref(), kind.as_deref()),
        (Some("rejected"), Some("logout.undelivered"))
    );
    let (failed, _, kind) = settled(Outcome::Failed("status_503".into()));
    assert_eq!((failed.next_attempt_at, failed.last_error.as_deref()), (Some(NOW + 30), Some("status_503")));
    assert_eq!(kind, None);
    let (put_off, seen, kind) = settled(Outcome::Postponed("fetch_busy".into()));
    assert_eq!((put_off.attempts, put_off.next_attempt_at, seen, kind), (0, Some(NOW + 18), 1, None));
}

#[test]
fn a_delivery_is_attempted_five_times_within_an_hour_and_then_given_up() {
    let (mut now, mut state, mut pauses) = (NOW, delivery(), Vec::new());
    loop {
        let (next, _, kind) = after(&settle(&state, &Outcome::Failed("fetch_timeout".into()), &at(now)));
        state = next;
        let Some(due) = state.next_attempt_at else {
            assert_eq!(kind.as_deref(), Some("logout.undelivered"));
            break;
        };
        pauses.push(due - now);
        now = due;
        let taken = claim(&state, now).unwrap();
        let (_, seen, _) = after(std::slice::from_ref(&taken.change));
        assert_eq!(seen, state.attempts);
        state = taken.delivery;
    }
    assert_eq!((state.attempts, pauses), (ATTEMPTS, vec![30, 120, 600, 2_700]));
    assert!(now - NOW < 3_600);
    // A node that died in the last attempt leaves one that nobody may take; it is settled instead.
    let abandoned = LogoutDelivery { attempts: ATTEMPTS, ..delivery() };
    assert!(claim(&abandoned, NOW + 9_000).is_none());
    let (settled, ..) = after(&settle(&abandoned, &Outcome::Failed("abandoned".into()), &at(NOW + 9_000)));
    assert_eq!(settled.next_attempt_at, None);
    assert!(claim(&delivery(), NOW + 86_400).is_none());
}

#[test]
fn a_logout_token_says_what_back_channel_2_4_demands_and_nothing_else() {
    let made = claims(&tenant(), &rp(), &delivery(), NOW + 40);
    let id = Uuid::from_u128(5);
    let expected = json!({
        "iss": ISSUER,
        "aud": "c",
        "iat": NOW + 40,
        "exp": NOW + 160,
        "jti": format!("{id}.1"),
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        "sub": user().id.to_string(),
        "sid": "s-1",
    });
    assert_eq!(Value::Object(made), expected);
    let next = LogoutDelivery { attempts: 2, ..delivery() };
    assert_eq!(claims(&tenant(), &rp(), &next, NOW)["jti"], format!("{id}.2"));
    let mut pairwise = rp();
    pairwise.settings.subject_type = SubjectType::Pairwise;
    assert_eq!(
        claims(&tenant(), &pairwise, &delivery(), NOW)["sub"],
        signet_core::subject::of(&tenant(), &pairwise, user().id)
    );
}

#[test]
fn logout_tokens_are_protected_like_id_tokens_and_never_less_back_channel_2_4_and_2_6() {
    let settings = TenantSettings::default();
    let enc = record(rp_enc(), KeyUse::Enc);
    let mut rp = rp();
    let made = |client: &Client, keys: &[_]| protection(client, keys, &settings, NOW);
    let plain = made(&rp, &[]).unwrap();
    assert_eq!((plain.signed, plain.encrypted.is_none()), (Some(SigAlg::RS256), true));
    rp.settings.id_token.signed = SigAlg::ES256;
    assert_eq!(made(&rp, &[]).unwrap().signed, Some(SigAlg::ES256));
    rp.settings.id_token.unsigned = true;
    assert_eq!(made(&rp, &[]).unwrap().signed, Some(SigAlg::ES256), "alg none is for ID tokens at most");
    rp.settings.id_token.unsigned = false;
    rp.settings.logout_token_signed = Some(SigAlg::EdDSA);
    rp.settings.id_token.encrypted = Some(Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A256Gcm });
    let sealed = made(&rp, std::slice::from_ref(&enc)).unwrap();
    assert_eq!(sealed.signed, Some(SigAlg::EdDSA));
    assert_eq!(sealed.encrypted.unwrap().1.kid, enc.kid);
    assert_eq!(made(&rp, &[]).unwrap_err(), Fault::EncryptionKeyMissing);
}

#[test]
fn frames_name_issuer_and_session_and_come_from_one_origin_front_channel_3() {
    let tenant: Tenant = tenant();
    let frame = |uri: &str| {
        let mut client = client("c");
        client.settings.frontchannel_logout_uri = Some(uri.into());
        Frame::of(&tenant, &client, "s&1").map(|frame| (frame.address, frame.origin))
    };
    let query = "iss=https%3A%2F%2Fop.example%2Ft&sid=s%261";
    assert_eq!(
        frame("https://rp.example:8443/out"),
        Some((format!("https://rp.example:8443/out?{query}"), "https://rp.example:8443".into()))
    );
    assert_eq!(
        frame("https://rp.example/out?a=b"),
        Some((format!("https://rp.example/out?a=b&{query}"), "https://rp.example".into()))
    );
    for bad in ["javascript:alert(1)", "data:text/html,x", "x"] {
        assert_eq!(frame(bad), None);
    }
    assert_eq!(Frame::of(&tenant, &client("c"), "s"), None);
    let gone = Client { disabled: true, ..clients().swap_remove(2) };
    assert_eq!(Frame::of(&tenant, &gone, "s"), None);
}

#[test]
fn session_state_is_of_client_origin_and_browser_session_management_2() {
    let of = |client: &str, uri: &str, browser: &str, salt: &str| {
        session_state(&client.into(), uri, browser, salt).unwrap()
    };
    let state = of("c", "https://rp.example/cb?x=1", "b", "salt");
    // printf '%s' 'c https://rp.example b salt' | sha256sum
    assert_eq!(state, "82a72ccd47131d45e2bb296f15d401f8ff77f4621cb82dae4261004a096a2d72.salt");
    assert_eq!(state, of("c", "https://rp.example:443/other", "b", "salt"), "one origin");
    for other in [
        of("d", "https://rp.example/cb", "b", "salt"),
        of("c", "https://rp.example:8443/cb", "b", "salt"),
        of("c", "http://rp.example/cb", "b", "salt"),
        of("c", "https://rp.example/cb", "", "salt"),
        of("c", "https://rp.example/cb", "b", "salu"),
    ] {
        assert_ne!(other, state);
    }
    assert!(!state.contains(' '));
    assert_eq!(session_state(&"c".into(), "com.example.app:/cb", "b", "salt"), None);
    assert_ne!(browser_state("one"), browser_state("two"));
    assert_ne!(browser_state("one"), hex::encode(sha2_of("one")), "nor is it the hash that the store knows");
}

fn sha2_of(text: &str) -> [u8; 32] {
    *signet_core::ids::TokenHash::of(text).as_bytes()
}
