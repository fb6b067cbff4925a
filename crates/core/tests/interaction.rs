//! Between request and response: prompt, `max_age`, session, consent (OpenID Connect Core sections 3.1.2.1 to 3.1.2.6).
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::*;
use serde_json::{Value, json};
use signet_core::admin::USERS_WRITE;
use signet_core::authorize::{AuthorizationRequest, ClaimRequest, ClaimsRequest, Prompt, RequestSource};
use signet_core::builtin::CONSOLE;
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::interaction::{
    Accepted, Account, Answer, Factors, Input, Level, LoggedIn, Step, Wish, next, password_accepted, refuse,
    register, respond, resume, return_to, switch_account,
};
use signet_core::records::{
    ClaimPlacement, Client, Consent, Encryption, Interaction, ResponseMode, ResponseType, Role, Session,
    Stage, SubjectType, Tenant, User,
};
use signet_core::redirect::{Delivery, Ready};
use signet_core::subject;
use signet_core::token::Tools;
use signet_jose::{ContentAlg, KeyAlg, KeySpec, SigAlg};
use uuid::Uuid;

struct World {
    tenant: Tenant,
    client: Client,
    interaction: Interaction,
    session: Option<Session>,
    user: Option<User>,
    consent: Option<Consent>,
}

impl World {
    /// Logged in ten minutes ago, nothing consented.
    fn new() -> Self {
        Self {
            tenant: tenant(),
            client: client("c"),
            interaction: Interaction {
                tenant: "t".into(),
                id: "i".into(),
                browser: TokenHash::of("browser"),
                version: 3,
                stage: Stage::Fresh,
                request: request(),
                correlation_id: "corr".into(),
                created_at: NOW,
                expires_at: NOW + 1800,
            },
            session: Some(session()),
            user: Some(user()),
            consent: None,
        }
    }

    fn consented(scope: &[&str]) -> Self {
        let mut world = Self::new();
        world.consent = Some(Consent {
            tenant: "t".into(),
            user_id: user().id,
            client_id: "c".into(),
            scope: scope.iter().map(|s| (*s).to_owned()).collect(),
            granted_at: 0,
        });
        world
    }

    fn input(&self) -> Input<'_> {
        Input {
            tenant: &self.tenant,
            interaction: &self.interaction,
            client: &self.client,
            client_keys: &[],
            session: self.session.as_ref(),
            user: self.user.as_ref(),
            consent: self.consent.as_ref(),
            identified: None,
            factors: Factors::default(),
        }
    }

    /// Logs the user in by password, in a browser that had this session.
    fn log_in(&self, old: &Session) -> LoggedIn {
        let input = Input { session: Some(old), ..self.input() };
        match password_accepted(&input, &user(), &at(NOW)) {
            Accepted::Session(login) => *login,
            other => panic!("{other:?}"),
        }
    }

    fn next(&self) -> String {
        match next(&self.input(), NOW) {
            Step::Login => "login".into(),
            Step::Register => "register".into(),
            Step::Second { .. } => "second".into(),
            Step::Enrol => "enrol".into(),
            Step::Consent(scope) => format!("consent {}", scope.into_iter().collect::<Vec<_>>().join(" ")),
            Step::Respond => "respond".into(),
            Step::Refuse(fault) => fault.code().into(),
        }
    }
}

/// Where a response goes, with the tokens made, and what is to be written besides.
fn sent(answer: Answer) -> (String, Option<Change>) {
    let signer = |alg| key("op-sig", KeySpec::P384).signer(alg).ok();
    let tools = Tools { access: None, id_token: signer(SigAlg::ES384), encrypter: None };
    let mut made = answer.make(&tools).unwrap();
    let change = made.change.take();
    match made.deliver(NOW) {
        Delivery::Ready(Ready::Redirect(location)) => (location.to_string(), change),
        other => panic!("{other:?}"),
    }
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: "c".into(),
        redirect_uri: CALLBACK.into(),
        response_type: ResponseType::Code,
        response_mode: ResponseMode::Query,
        device: None,
        claims_locales: vec![],
        display: None,
        hinted_subject: None,
        resources: std::collections::BTreeSet::new(),
        scope: ["openid", "email"].map(String::from).into(),
        state: Some("s".into()),
        nonce: None,
        code_challenge: None,
        prompt: [].into(),
        max_age: None,
        acr_values: Vec::new(),
        login_hint: Vec::new(),
        ui_locales: Vec::new(),
        claims: ClaimsRequest::default(),
        source: RequestSource::Parameters,
    }
}

fn session() -> Session {
    Session {
        tenant: "t".into(),
        hash: TokenHash::of("cookie"),
        sid: "sid".into(),
        user_id: user().id,
        auth_time: NOW - 600,
        amr: vec!["pwd".into()],
        acr: Level::Password.acr().into(),
        last_seen: NOW - 100,
        expires_at: NOW + 3600,
    }
}

#[test]
fn who_must_log_in_core_3_1_2_3() {
    type Change = fn(&mut World);
    let table: &[(&str, Change)] = &[
        ("respond", |_| {}),
        ("login", |w| w.session = None),
        ("login", |w| w.user = None),
        ("login", |w| w.user.as_mut().unwrap().disabled = true),
        ("login", |w| w.user.as_mut().unwrap().id = Uuid::from_u128(8)),
        ("login", |w| w.session.as_mut().unwrap().expires_at = NOW),
        ("login", |w| w.session.as_mut().unwrap().last_seen = NOW - 3600),
        ("respond", |w| w.session.as_mut().unwrap().last_seen = NOW - 3599),
        ("login", |w| w.interaction.request.prompt = [Prompt::Login].into()),
        ("login", |w| w.interaction.request.prompt = [Prompt::SelectAccount].into()),
        ("login", |w| w.interaction.request.max_age = Some(599)),
        ("respond", |w| w.interaction.request.max_age = Some(600)),
        ("login", |w| w.interaction.request.max_age = Some(0)),
        // The login of this very interaction satisfies prompt and max_age.
        ("respond", |w| {
            w.interaction.request.prompt = [Prompt::Login].into();
            w.interaction.request.max_age = Some(0);
            w.interaction.stage = Stage::Authenticated { sid: "sid".into() };
        }),
        ("login", |w| {
            w.interaction.request.prompt = [Prompt::Login].into();
            w.interaction.stage = Stage::Authenticated { sid: "another".into() };
        }),
        ("login_required", |w| {
            w.interaction.request.prompt = [Prompt::None].into();
            w.session = None;
        }),
        ("login_required", |w| {
            w.interaction.request.prompt = [Prompt::None].into();
            w.interaction.request.max_age = Some(1);
        }),
        ("respond", |w| w.interaction.request.prompt = [Prompt::None].into()),
    ];
    for (index, (expected, change)) in table.iter().enumerate() {
        let mut world = World::consented(&["openid", "email"]);
        change(&mut world);
        assert_eq!(world.next(), *expected, "row {index}");
    }
}

#[test]
fn who_must_consent_core_3_1_2_4() {
    assert_eq!(World::new().next(), "consent email openid");
    assert_eq!(World::consented(&["openid"]).next(), "consent email openid");
    assert_eq!(World::consented(&["openid", "email", "phone"]).next(), "respond");
    let mut world = World::consented(&["openid", "email"]);
    world.interaction.request.prompt = [Prompt::Consent].into();
    assert_eq!(world.next(), "consent email openid");
    let mut world = World::new();
    world.interaction.request.prompt = [Prompt::None].into();
    assert_eq!(world.next(), "consent_required");
    let mut world = World::new();
    world.client.settings.require_consent = false;
    assert_eq!(world.next(), "respond");
}

#[test]
fn the_right_to_administer_is_asked_for_each_time_whatever_is_set_or_remembered_rfc6749_10_2() {
    let asked = ["openid", USERS_WRITE];
    for require_consent in [true, false] {
        let mut world = World::consented(&asked);
        world.client.settings.require_consent = require_consent;
        world.client.settings.scope = asked.map(String::from).into();
        world.interaction.request.scope = asked.map(String::from).into();
        assert_eq!(world.next(), "admin_role_needed", "nobody administers without a role");
        world.user.as_mut().unwrap().role = Some(Role::Owner);
        assert_eq!(world.next(), "consent openid signet:users.write");
        let unasked = respond(&world.input(), None, &at(NOW)).map(|_| ());
        assert_eq!(unasked, Err(Fault::ConsentRequired));
        world.interaction.request.prompt = [Prompt::None].into();
        assert_eq!(world.next(), "consent_required");
        world.interaction.request.prompt.clear();
        // What the role does not allow is not given, so there is nothing to ask.
        world.user.as_mut().unwrap().role = Some(Role::Developer);
        assert_eq!(world.next(), "respond");
        // The console is this program itself.
        world.user.as_mut().unwrap().role = Some(Role::Owner);
        world.client = client(CONSOLE);
        world.client.settings.require_consent = false;
        world.client.settings.scope = asked.map(String::from).into();
        assert_eq!(world.next(), "respond");
    }
}

#[test]
fn without_consent_a_client_gets_what_its_scope_stands_for_and_asks_for_claims_beyond_it() {
    let mut world = World::new();
    world.client.settings.require_consent = false;
    world.interaction.request.claims.userinfo.insert("email".into(), ClaimRequest::default());
    assert_eq!(world.next(), "respond");
    world.interaction.request.claims.id_token.insert("phone_number".into(), ClaimRequest::default());
    assert_eq!(world.next(), "consent email openid phone");
    world.consent = World::consented(&["openid", "email", "phone"]).consent;
    assert_eq!(world.next(), "respond");
}

#[test]
fn claims_one_by_one_are_asked_about_core_5_5() {
    let mut world = World::consented(&["openid", "email"]);
    world.interaction.request.claims.userinfo.insert("phone_number".into(), ClaimRequest::default());
    assert_eq!(world.next(), "consent email openid phone");
    let responded = respond(&world.input(), Some(["openid".to_owned()].into()), &at(NOW)).unwrap();
    let remembered = responded.changes.iter().find_map(|change| match change {
        Change::PutConsent(consent) => Some(consent.scope.clone()),
        _ => None,
    });
    assert_eq!(remembered, Some(["openid", "email", "phone"].map(String::from).into()));
}

#[test]
fn essential_acr_and_sub_are_met_or_refused_core_5_5_1() {
    let claim = |essential, values: &[&str]| ClaimRequest {
        essential,
        values: values.iter().map(|value| json!(value)).collect(),
    };
    let with = |name: &str, claim: ClaimRequest| {
        let mut world = World::consented(&["openid", "email"]);
        world.interaction.request.claims.id_token.insert(name.into(), claim);
        world
    };
    assert_eq!(with("acr", claim(true, &["gold"])).next(), "acr_unmet");
    assert_eq!(with("acr", claim(false, &["gold"])).next(), "respond");
    assert_eq!(with("acr", claim(true, &["gold", Level::Password.acr()])).next(), "respond");
    assert_eq!(with("acr", claim(true, &[])).next(), "respond");
    let mut world = with("acr", claim(true, &["gold"]));
    world.session = None;
    assert_eq!(world.next(), "acr_unmet", "before a password is typed for nothing");
    world.interaction.request.prompt = [Prompt::None].into();
    assert_eq!(world.next(), "login_required");
    let own = user().id.to_string();
    assert_eq!(with("sub", claim(false, &[&own])).next(), "respond");
    let mut world = with("sub", claim(false, &["somebody-else"]));
    assert_eq!(world.next(), "login");
    world.interaction.request.prompt = [Prompt::None].into();
    assert_eq!(world.next(), "login_required");
    let mut world = World::consented(&["openid", "email"]);
    world.interaction.request.acr_values = vec!["gold".into()];
    assert_eq!(world.next(), "respond", "acr_values are voluntary");
}

#[test]
fn an_interaction_belongs_to_one_browser_and_ends_a61() {
    let mut interaction = World::new().interaction;
    let judge = |interaction: &Interaction, secret, now| {
        resume(Some(interaction), secret, now).map_err(|fault| fault.code())
    };
    assert_eq!(judge(&interaction, Some("browser"), NOW), Ok(()));
    assert_eq!(judge(&interaction, Some("other"), NOW), Err("interaction_foreign"));
    assert_eq!(judge(&interaction, None, NOW), Err("interaction_foreign"));
    assert_eq!(judge(&interaction, Some("browser"), NOW + 1800), Err("interaction_expired"));
    interaction.stage = Stage::Finished;
    assert_eq!(judge(&interaction, Some("browser"), NOW), Err("interaction_finished"));
    // The cookie ends with the interaction.
    assert_eq!(judge(&interaction, None, NOW), Err("interaction_finished"));
    assert_eq!(resume(None, Some("browser"), NOW), Err(Fault::InteractionUnknown));
}

#[test]
fn the_place_of_the_response_is_checked_again() {
    let to = |client: Client| {
        let world = World { client, ..World::new() };
        return_to(&world.input(), NOW).map_err(|fault| fault.code())
    };
    assert_eq!(to(client("c")).unwrap().state(), Some("s"));
    let mut changed = client("c");
    changed.settings.redirect_uris = vec!["https://rp.example/new".into()];
    assert_eq!(to(changed), Err("redirect_uri_unregistered"));
    let mut changed = client("c");
    changed.disabled = true;
    assert_eq!(to(changed), Err("client_unknown"));
    assert_eq!(to(client("d")), Err("client_unknown"));
    // A JWT that cannot be encrypted any more goes nowhere, neither as a response nor as an error.
    let mut world = World::new();
    world.client.settings.authorization_response.encrypted =
        Some(Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm });
    assert!(return_to(&world.input(), NOW).is_ok());
    world.interaction.request.response_mode = ResponseMode::QueryJwt;
    assert_eq!(return_to(&world.input(), NOW).unwrap_err().code(), "encryption_key_missing");
}

#[test]
fn a_code_is_issued_only_when_nothing_is_left_to_ask() {
    let code = |world: &World, consented: bool| {
        let asked = consented.then(|| world.interaction.request.scope.clone());
        respond(&world.input(), asked, &at(NOW)).map(|_| ()).map_err(|fault| fault.code())
    };
    assert_eq!(code(&World::new(), false), Err("consent_required"));
    assert_eq!(code(&World::new(), true), Ok(()));
    assert_eq!(code(&World::consented(&["openid", "email"]), false), Ok(()));
    let mut world = World::new();
    world.interaction.request.prompt = [Prompt::Login].into();
    assert_eq!(code(&world, true), Err("login_required"));
    world.session = None;
    assert_eq!(code(&world, true), Err("login_required"));
}

#[test]
fn the_response_ends_the_interaction_and_carries_the_code() {
    let world = World::new();
    let responded = respond(&world.input(), Some(world.interaction.request.scope.clone()), &at(NOW)).unwrap();
    let (location, _) = sent(responded.answer);
    assert!(location.starts_with(&format!("{CALLBACK}?code=sgn_ac_")));
    assert!(location.ends_with("&state=s&iss=https%3A%2F%2Fop.example%2Ft"));
    let [
        Change::UpdateInteraction { interaction, now: NOW },
        Change::TouchSession { last_seen: NOW, .. },
        Change::NeedSession(needed),
        Change::InsertGrant(grant),
        Change::InsertCode(code),
        ..,
    ] = responded.changes.as_slice()
    else {
        panic!("{:?}", responded.changes)
    };
    assert_eq!((&interaction.stage, interaction.version), (&Stage::Finished, 4));
    assert_eq!((code.grant_id, grant.user_id), (grant.id, Some(user().id)));
    assert_eq!((code.issued_at, code.expires_at, code.redeemed_at), (NOW, NOW + 60, None));
    assert_eq!(code.authentication.auth_time, NOW - 600);
    let secret = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    assert!(code.hash.matches(secret));
    assert!(!format!("{:?}", responded.changes).contains(secret), "only the hash is stored");
    assert_eq!(*needed, session().hash, "nothing is issued in a session that has ended");
}

#[test]
fn administrative_scopes_are_cut_to_what_the_role_allows_rfc6749_3_3() {
    let mut world = World::consented(&["openid", "signet:clients.read", "signet:users.write"]);
    let asked = ["openid", "signet:clients.read", "signet:users.write", "signet:tenants.read"];
    world.interaction.request.scope = asked.map(String::from).into();
    world.client.settings.scope.extend(asked.map(String::from));
    assert_eq!(world.next(), "admin_role_needed");
    let of = |world: &World| {
        let responded = respond(&world.input(), Some(BTreeSet::new()), &at(NOW)).unwrap();
        let scope = responded.changes.into_iter().find_map(|change| match change {
            Change::InsertCode(code) => Some(code.scope),
            _ => None,
        });
        scope.unwrap().into_iter().collect::<Vec<_>>().join(" ")
    };
    world.user.as_mut().unwrap().role = Some(Role::Auditor);
    let (next, given) = (world.next(), of(&world));
    assert_eq!((&*next, &*given), ("consent openid signet:clients.read", "openid signet:clients.read"));
    world.user.as_mut().unwrap().role = Some(Role::Owner);
    assert_eq!(of(&world), "openid signet:clients.read signet:users.write");
    world.tenant.settings.operator = true;
    assert_eq!(world.next(), "consent openid signet:clients.read signet:tenants.read signet:users.write");
}

#[test]
fn a_login_replaces_the_session_and_marks_the_interaction() {
    let world = World::new();
    let old = session();
    let login = world.log_in(&old);
    assert_eq!(login.session.sid, old.sid, "who proves once more who they are goes on in their session");
    for other in [
        signet_core::records::Session { user_id: uuid::Uuid::from_u128(9), ..old.clone() },
        signet_core::records::Session { expires_at: NOW, ..old.clone() },
        signet_core::records::Session { last_seen: NOW - 3_600, ..old.clone() },
    ] {
        let login = world.log_in(&other);
        assert_ne!(login.session.sid, other.sid);
        assert!(!login.changes.iter().any(|change| matches!(change, Change::TakeSession(_))));
        let ends = |change: &Change| matches!(change, Change::DeleteSession(hash) if *hash == other.hash);
        assert!(login.changes.iter().any(ends));
    }
    assert!(login.session.hash.matches(&login.cookie));
    assert_eq!((login.session.auth_time, login.session.expires_at), (NOW, NOW + 12 * 3600));
    let held = |change: &&Change| matches!(change, Change::NeedSession(_) | Change::DeleteSession(_));
    assert_eq!(login.changes.iter().filter(held).count(), 0, "it is taken, and nothing else is done with it");
    let [
        Change::NeedUser { id, version },
        Change::TakeSession(needed),
        Change::UpdateInteraction { interaction, .. },
        ..,
    ] = login.changes.as_slice()
    else {
        panic!("{:?}", login.changes)
    };
    assert_eq!((*id, *version, *needed), (user().id, user().version, old.hash));
    assert_eq!(interaction.stage, Stage::Authenticated { sid: login.session.sid.clone() });
    let mut after = World::new();
    after.interaction = interaction.clone();
    after.interaction.request.prompt = [Prompt::Login].into();
    after.session = Some(login.session);
    assert_eq!(after.next(), "consent email openid");

    let ending = signet_core::logout::Ending {
        tenant: &world.tenant,
        session: &old,
        clients: &[],
        correlation_id: "corr",
        cause: "switch",
    };
    let changes = switch_account(&after.interaction, &ending, &at(NOW)).changes;
    let [Change::UpdateInteraction { interaction, .. }, Change::DeleteSession(_), ..] = changes.as_slice()
    else {
        panic!()
    };
    assert_eq!(interaction.stage, Stage::Fresh);
    assert!(interaction.request.prompt.contains(&Prompt::Login));
}

#[test]
fn a_refusal_ends_the_interaction_and_is_audited() {
    let world = World::new();
    let changes = refuse(&world.input(), &Fault::AccessDenied, &at(NOW));
    let [Change::UpdateInteraction { interaction, .. }, Change::Audit(event)] = changes.as_slice() else {
        panic!()
    };
    assert_eq!(interaction.stage, Stage::Finished);
    assert_eq!((event.reason.as_deref(), event.correlation_id.as_str()), (Some("access_denied"), "corr"));
}

#[test]
fn a_response_carries_what_its_type_says_core_3_2_2_5_3_3_2_5() {
    for kind in ResponseType::ALL {
        let mut world = World::consented(&["openid", "email"]);
        world.client.settings.id_token.signed = SigAlg::ES384;
        world.interaction.request.response_type = *kind;
        world.interaction.request.response_mode = kind.default_mode();
        world.interaction.request.nonce = Some("n".into());
        let responded = respond(&world.input(), None, &at(NOW)).unwrap();
        let draft = responded.answer.id_token.as_ref().map(|draft| draft.claims.clone());
        let has_code = responded.changes.iter().any(|change| matches!(change, Change::InsertCode(_)));
        let (location, change) = sent(responded.answer);
        let has_token = matches!(change, Some(Change::InsertAccessToken(_)));
        assert_eq!((has_code, has_token), (kind.has_code(), kind.has_token()), "{}", kind.name());
        let url = url::Url::parse(&location).unwrap();
        let pairs: std::collections::BTreeMap<String, String> =
            url::form_urlencoded::parse(url.fragment().or(url.query()).unwrap().as_bytes())
                .into_owned()
                .collect();
        let names = |has: bool, names: &[&str]| {
            names.iter().filter(|_| has).map(|n| (*n).to_owned()).collect::<Vec<_>>()
        };
        let mut expected = [
            names(true, &["iss", "state"]),
            names(kind.has_code(), &["code"]),
            names(kind.has_token(), &["access_token", "expires_in", "scope", "token_type"]),
            names(kind.has_id_token(), &["id_token"]),
        ]
        .concat();
        expected.sort();
        assert_eq!(pairs.keys().cloned().collect::<Vec<_>>(), expected, "{}", kind.name());
        assert_eq!(url.query().is_some(), *kind == ResponseType::Code);
        let Some(draft) = draft else { continue };
        let payload = pairs["id_token"].split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let hash = |name: &str| pairs.get(name).map(|text| json!(SigAlg::ES384.half_hash(text.as_bytes())));
        assert_eq!(claims.get("c_hash"), hash("code").as_ref(), "{}", kind.name());
        assert_eq!(claims.get("at_hash"), hash("access_token").as_ref(), "{}", kind.name());
        assert_eq!(claims["nonce"], "n");
        // Core section 5.4: scope claims are in the ID token where there is no access token, and only there.
        assert_eq!(draft.contains_key("email"), *kind == ResponseType::IdToken, "{}", kind.name());
    }
}

#[test]
fn claims_are_delivered_where_the_client_wants_them_a67() {
    let mut world = World::consented(&["openid", "email"]);
    world.interaction.request.response_type = ResponseType::CodeIdToken;
    world.interaction.request.response_mode = ResponseMode::Fragment;
    world.client.settings.claim_placement = [("email".to_owned(), ClaimPlacement::Both)].into();
    let claims =
        |world: &World| respond(&world.input(), None, &at(NOW)).unwrap().answer.id_token.unwrap().claims;
    assert_eq!(claims(&world)["email"], "ada@example.com");
    assert!(!claims(&world).contains_key("email_verified"));
    world.client.settings.claim_placement = [("email".to_owned(), ClaimPlacement::UserInfo)].into();
    world.client.settings.id_token.include_scope_claims = true;
    assert!(!claims(&world).contains_key("email"));
    assert_eq!(claims(&world)["email_verified"], true);
    // What is asked for one by one comes where it was asked for (Core section 5.5).
    world.interaction.request.claims.id_token.insert("email".into(), ClaimRequest::default());
    assert_eq!(claims(&world)["email"], "ada@example.com");
}

#[test]
fn offline_access_is_asked_about_and_outlives_the_session_core_11() {
    let mut world = World::consented(&["openid", "email"]);
    world.interaction.request.scope.insert("offline_access".into());
    assert_eq!(world.next(), "consent email offline_access openid");
    world.interaction.request.response_type = ResponseType::CodeToken;
    world.interaction.request.response_mode = ResponseMode::Fragment;
    let asked = world.interaction.request.scope.clone();
    let mut responded = respond(&world.input(), Some(asked), &at(NOW)).unwrap();
    responded.changes.extend(sent(responded.answer).1);
    for change in &responded.changes {
        match change {
            Change::InsertGrant(grant) => assert_eq!(grant.sid, None),
            Change::InsertCode(code) => assert!(code.scope.contains("offline_access")),
            Change::InsertAccessToken(token) => assert!(!token.scope.contains("offline_access")),
            Change::PutSessionClient(known) => {
                assert_eq!((known.sid.as_str(), known.expires_at), ("sid", NOW + 3600));
            }
            _ => {}
        }
    }
    let without = respond(&World::consented(&["openid", "email"]).input(), None, &at(NOW)).unwrap();
    let sid = without.changes.iter().find_map(|change| match change {
        Change::InsertGrant(grant) => Some(grant.sid.clone()),
        _ => None,
    });
    assert_eq!(sid, Some(Some("sid".to_owned())));
}

#[test]
fn the_hinted_person_must_be_the_one_who_is_logged_in_core_3_1_2_1() {
    let mut world = World::consented(&["openid", "email"]);
    world.client.settings.subject_type = SubjectType::Pairwise;
    let sub = subject::of(&world.tenant, &world.client, user().id);
    world.interaction.request.hinted_subject = Some(sub.clone());
    assert_eq!(world.next(), "respond");
    let by_value = ClaimRequest { values: vec![json!(sub)], essential: false };
    world.interaction.request.claims.id_token.insert("sub".into(), by_value);
    assert_eq!(world.next(), "respond");
    world.interaction.request.hinted_subject = Some(user().id.to_string());
    assert_eq!(world.next(), "login", "pairwise clients know nobody by the public identifier");
    world.interaction.request.prompt = [Prompt::None].into();
    assert_eq!(world.next(), "login_required");
}

#[test]
fn people_make_accounts_where_they_may() {
    let mut world = World::consented(&["openid", "email"]);
    world.interaction.request.prompt = [Prompt::Create].into();
    assert_eq!(world.next(), "login", "switched off meanwhile");
    world.tenant.settings.self_registration = true;
    assert_eq!(world.next(), "register");
    let good = Wish {
        username: " Grace ",
        password: "long enough",
        repeated: "long enough",
        name: "Grace",
        email: "grace@example.org",
    };
    for (wish, code) in [
        (Wish { username: "", ..good }, "new_username_unfit"),
        (Wish { username: "a b", ..good }, "new_username_unfit"),
        (Wish { password: "short", repeated: "short", ..good }, "new_password_unfit"),
        (Wish { repeated: "long enougH", ..good }, "new_passwords_differ"),
        (Wish { name: " ", ..good }, "new_name_unfit"),
        (Wish { name: "a\nb", ..good }, "new_name_unfit"),
        (Wish { email: "grace", ..good }, "new_email_unfit"),
        (Wish { email: "@example.org", ..good }, "new_email_unfit"),
        (Wish { email: "a b@example.org", ..good }, "new_email_unfit"),
    ] {
        assert_eq!(Account::new(&world.tenant, &wish).unwrap_err().code(), code);
    }
    let account = Account::new(&world.tenant, &good).unwrap();
    let made = register(&world.tenant, &world.interaction, account, "$argon2id$".into(), None, &at(NOW));
    let [Change::InsertUser(user), Change::Audit(_), Change::UpdateInteraction { interaction, .. }, ..] =
        made.changes.as_slice()
    else {
        panic!("{:?}", made.changes)
    };
    assert_eq!((user.username.as_str(), &user.claims["email_verified"]), ("grace", &json!(false)));
    assert_eq!(interaction.stage, Stage::Authenticated { sid: made.session.sid.clone() });
    world.interaction = interaction.clone();
    (world.session, world.user) = (Some(made.session.clone()), Some(user.clone()));
    assert_eq!(world.next(), "respond");
    world.tenant.settings.self_registration = false;
    assert_eq!(Account::new(&world.tenant, &good).unwrap_err().code(), "self_registration_off");
}
