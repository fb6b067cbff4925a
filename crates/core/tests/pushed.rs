//! Pushed authorization requests (RFC 9126): one judgement for both endpoints, one use, for one client.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;

use common::*;
use serde_json::json;
use signet_core::authorize::{
    Arrival, Facts, Outcome, PUSHED_PREFIX, PushOutcome, Taking, decide, push, pushed_request, take,
};
use signet_core::change::Change;
use signet_core::client_auth::{AuthenticatedClient, authenticate, presented};
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::records::{Client, ClientKey, PushedRequest, Stage, Tenant};
use signet_core::request_object::open;
use signet_jose::{KeyUse, Trace};

struct World {
    tenant: Tenant,
    client: Client,
    keys: Vec<ClientKey>,
}

const PLAIN: [(&str, &str); 5] = [
    ("client_id", "c"),
    ("response_type", "code"),
    ("redirect_uri", CALLBACK),
    ("scope", "openid"),
    ("state", "s"),
];

impl World {
    fn new() -> Self {
        Self { tenant: tenant(), client: client("c"), keys: vec![record(rp_sig(), KeyUse::Sig)] }
    }

    fn caller(&self) -> AuthenticatedClient {
        let form = params(&[("client_id", self.client.client_id.as_str()), ("client_secret", SECRET)]);
        authenticate(&presented(None, &form).unwrap(), Some(&self.client)).unwrap()
    }

    fn push(&self, pairs: &[(&str, &str)]) -> PushOutcome {
        let params = params(pairs);
        let mut trace = Trace::new();
        let arrival = match params.get("request") {
            Some(token) => {
                Arrival::Object(open(token, &decryption_keys(), &self.tenant.settings, &mut trace))
            }
            None => Arrival::Plain,
        };
        push(self.facts(&params), &self.caller(), arrival, trace, &at(NOW))
    }

    fn facts<'a>(&'a self, params: &'a signet_core::params::Params) -> Facts<'a> {
        Facts {
            tenant: &self.tenant,
            params,
            client: Some(&self.client),
            client_keys: &self.keys,
            verifier: &verifier,
            hint: &|_, _| Err(Fault::HintNoIdToken),
            correlation_id: "pushing",
        }
    }

    fn refused(&self, pairs: &[(&str, &str)]) -> (&'static str, &'static str) {
        let outcome = self.push(pairs);
        assert!(outcome.changes.is_empty(), "nothing is written, no jti is burnt (A-50)");
        let fault = outcome.reply.expect_err("refused");
        (fault.code(), fault.wire())
    }

    fn pushed(&self) -> PushedRequest {
        let outcome = self.push(&PLAIN);
        outcome.reply.unwrap();
        stored(&outcome.changes).clone()
    }

    fn take(&self, pushed: Option<&PushedRequest>, now: i64) -> Outcome {
        let taking = Taking {
            tenant: &self.tenant,
            client: Some(&self.client),
            client_keys: &self.keys,
            pushed,
            browser: TokenHash::of("browser"),
        };
        take(taking, &at(now))
    }
}

fn stored(changes: &[Change]) -> &PushedRequest {
    let found = changes.iter().find_map(|change| match change {
        Change::InsertPushedRequest(pushed) => Some(pushed),
        _ => None,
    });
    found.expect("stored")
}

#[test]
fn a_pushed_request_is_kept_by_its_hash_rfc9126_2_2() {
    let world = World::new();
    let outcome = world.push(&PLAIN);
    let reply = outcome.reply.unwrap();
    let random = reply.request_uri.strip_prefix(PUSHED_PREFIX).expect("the form of section 2.2");
    assert_eq!(random.len(), 43, "256 bits");
    assert_eq!(reply.expires_in, 60);
    let pushed = stored(&outcome.changes);
    assert_eq!(pushed.hash, TokenHash::of(&reply.request_uri));
    assert_eq!(pushed.expires_at, NOW + 60);
    assert_eq!(pushed.request.client_id.as_str(), "c");
    assert_eq!(pushed_request(&params(&[("request_uri", &reply.request_uri)])), Some(pushed.hash));
}

#[test]
fn the_push_uses_up_the_jti_and_the_use_does_not_a60() {
    let world = World::new();
    let claims =
        |changes: &[Change]| changes.iter().filter(|change| matches!(change, Change::ClaimReplay(_))).count();
    // RFC 9126 section 3: everything is inside; the client is the one that pushes.
    let outcome = world.push(&[("request", &nested(&object()))]);
    assert_eq!(claims(&outcome.changes), 1);
    assert!(matches!(outcome.changes[0], Change::ClaimReplay(_)), "before anything is stored");
    let taken = world.take(Some(stored(&outcome.changes)), NOW + 1);
    assert!(taken.reply.is_ok());
    assert_eq!(claims(&taken.changes), 0);
}

#[test]
fn pushes_are_judged_as_requests_are_rfc9126_2_1() {
    let world = World::new();
    let but = |name: &str, value: &'static str| {
        let kept = PLAIN.into_iter().filter(|(known, _)| *known != name);
        kept.chain((!value.is_empty()).then_some(("", value))).collect::<Vec<_>>()
    };
    let plus = |name: &'static str, value: &'static str| {
        PLAIN.into_iter().filter(|(known, _)| *known != name).chain([(name, value)]).collect::<Vec<_>>()
    };
    assert_eq!(world.refused(&but("client_id", "")), ("client_id_missing", "invalid_request"));
    assert_eq!(world.refused(&plus("client_id", "d")), ("push_for_another", "invalid_request"));
    assert_eq!(
        world.refused(&plus("redirect_uri", "https://evil.example/")),
        ("redirect_uri_unregistered", "invalid_request")
    );
    assert_eq!(
        world.refused(&plus("response_type", "banana")),
        ("response_type_unsupported", "unsupported_response_type")
    );
    for uri in ["https://rp.example/ro", "urn:ietf:params:oauth:request_uri:x"] {
        assert_eq!(world.refused(&plus("request_uri", uri)), ("push_of_request_uri", "invalid_request"));
    }
    let of = |changes: serde_json::Value| sign(&with(&object(), &changes));
    let refused = |token: &str| world.refused(&[("request", token)]);
    let wire = "invalid_request_object";
    assert_eq!(refused(&of(json!({ "client_id": "d", "iss": "d" }))), ("object_client_id_mismatch", wire));
    assert_eq!(refused(&of(json!({ "request_uri": "urn:x" }))), ("object_contains_request", wire));
    assert_eq!(refused(&of(json!({ "exp": null }))), ("exp_missing", wire));
    assert_eq!(refused(&of(json!({ "aud": format!("{ISSUER}/par") }))), ("aud_mismatch", wire));
    assert_eq!(refused(&sign_with(rp_enc(), signet_jose::SigAlg::RS256, None, &object())).1, wire);
    let mut strict = World::new();
    strict.client.settings.require_request_object = true;
    assert_eq!(strict.refused(&PLAIN), ("request_object_required", "invalid_request"));
}

#[test]
fn a_pushed_request_leads_to_an_interaction_once_rfc9126_4() {
    let world = World::new();
    let pushed = world.pushed();
    let outcome = world.take(Some(&pushed), NOW + 59);
    let accepted = outcome.reply.unwrap();
    let [
        Change::TakePushedRequest { hash, client_id, at },
        Change::InsertInteraction(interaction),
        Change::Audit(_),
    ] = &outcome.changes[..]
    else {
        panic!("{:?}", outcome.changes);
    };
    assert_eq!((*hash, client_id.as_str(), *at), (pushed.hash, "c", NOW + 59));
    assert_eq!((&interaction.id, &interaction.stage), (&accepted.interaction_id, &Stage::Fresh));
    assert_eq!(interaction.request, pushed.request);
    assert_eq!(interaction.correlation_id, "pushing", "one login, one id");
}

#[test]
fn what_cannot_be_used_is_told_on_a_page_rfc9126_4() {
    let world = World::new();
    let pushed = world.pushed();
    let refused = |world: &World, pushed: Option<&PushedRequest>, now| {
        let outcome = world.take(pushed, now);
        assert!(outcome.changes.is_empty());
        let refused = outcome.reply.expect_err("refused");
        (refused.fault.code(), refused.fault.wire(), refused.return_to.is_some())
    };
    let wire = "invalid_request_uri";
    assert_eq!(refused(&world, None, NOW), ("pushed_request_unknown", wire, false));
    assert_eq!(refused(&world, Some(&pushed), NOW + 60), ("pushed_request_expired", wire, false));
    let other = World { client: client("d"), ..World::new() };
    assert_eq!(refused(&other, Some(&pushed), NOW), ("pushed_request_foreign", wire, false));
    let mut moved = World::new();
    moved.client.settings.redirect_uris = vec!["https://rp.example/new".into()];
    assert_eq!(refused(&moved, Some(&pushed), NOW).0, "redirect_uri_unregistered");
    let mut off = World::new();
    off.client.disabled = true;
    assert_eq!(refused(&off, Some(&pushed), NOW), ("client_unknown", "invalid_request", false));
}

#[test]
fn whoever_must_push_may_do_nothing_else_rfc9126_5_6() {
    for (of_tenant, of_client) in [(true, false), (false, true)] {
        let mut world = World::new();
        world.tenant.settings.require_pushed_authorization_requests = of_tenant;
        world.client.settings.require_pushed_authorization_requests = of_client;
        let browser = |arrival, pairs: &[(&str, &str)]| {
            let params = params(pairs);
            let outcome = decide(world.facts(&params), TokenHash::of("b"), arrival, Trace::new(), &at(NOW));
            let refused = outcome.reply.expect_err("refused");
            (refused.fault.code(), refused.return_to.is_some())
        };
        assert_eq!(browser(Arrival::Plain, &PLAIN), ("push_required", true));
        let token = sign(&object());
        let opened = open(&token, &[], &world.tenant.settings, &mut Trace::new());
        let with_object = [("client_id", "c"), ("request", token.as_str())];
        assert_eq!(browser(Arrival::Object(opened), &with_object), ("push_required", false));
        assert!(world.push(&PLAIN).reply.is_ok());
    }
}
