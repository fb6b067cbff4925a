//! Between request and response: prompt, `max_age`, session, consent (OpenID Connect Core sections 3.1.2.1 to 3.1.2.6).

mod common;

use common::*;
use serde_json::json;
use signet_core::authorize::{AuthorizationRequest, ClaimRequest, ClaimsRequest, Prompt, RequestSource};
use signet_core::change::Change;
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::interaction::{
    ACR_PASSWORD, Input, Step, log_in, next, refuse, respond, resume, return_to, switch_account,
};
use signet_core::records::{
    Client, Consent, Interaction, ResponseMode, ResponseType, Session, Stage, Tenant, User,
};
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
            session: self.session.as_ref(),
            user: self.user.as_ref(),
            consent: self.consent.as_ref(),
        }
    }

    fn next(&self) -> String {
        match next(&self.input(), NOW) {
            Step::Login => "login".into(),
            Step::Consent(scope) => format!("consent {}", scope.into_iter().collect::<Vec<_>>().join(" ")),
            Step::Respond => "respond".into(),
            Step::Refuse(fault) => fault.code().into(),
        }
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
        acr: ACR_PASSWORD.into(),
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
    assert_eq!(with("acr", claim(true, &["gold", ACR_PASSWORD])).next(), "respond");
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
    let world = World::new();
    let to =
        |client: &Client| return_to(&world.interaction, client, &world.tenant).map_err(|fault| fault.code());
    assert_eq!(to(&world.client).unwrap().state(), Some("s"));
    let mut changed = world.client.clone();
    changed.settings.redirect_uris = vec!["https://rp.example/new".into()];
    assert_eq!(to(&changed), Err("redirect_uri_unregistered"));
    let mut changed = world.client.clone();
    changed.disabled = true;
    assert_eq!(to(&changed), Err("client_unknown"));
    assert_eq!(to(&client("d")), Err("client_unknown"));
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
    assert!(responded.location.starts_with(&format!("{CALLBACK}?code=sgn_ac_")));
    assert!(responded.location.ends_with("&state=s&iss=https%3A%2F%2Fop.example%2Ft"));
    let [
        Change::UpdateInteraction { interaction, now: NOW },
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
    let secret = responded.location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    assert!(code.hash.matches(secret));
    assert!(!format!("{:?}", responded.changes).contains(secret), "only the hash is stored");
    assert!(
        responded.changes.iter().any(|change| matches!(change, Change::TouchSession { last_seen: NOW, .. }))
    );
}

#[test]
fn a_login_replaces_the_session_and_marks_the_interaction() {
    let world = World::new();
    let old = session();
    let login = log_in(&world.tenant, &world.interaction, &user(), Some(&old), &at(NOW));
    assert_ne!(login.session.sid, old.sid);
    assert!(login.session.hash.matches(&login.cookie));
    assert_eq!((login.session.auth_time, login.session.expires_at), (NOW, NOW + 12 * 3600));
    assert!(
        login.changes.iter().any(|change| matches!(change, Change::DeleteSession(hash) if *hash == old.hash))
    );
    let [Change::UpdateInteraction { interaction, .. }, ..] = login.changes.as_slice() else { panic!() };
    assert_eq!(interaction.stage, Stage::Authenticated { sid: login.session.sid.clone() });
    let mut after = World::new();
    after.interaction = interaction.clone();
    after.interaction.request.prompt = [Prompt::Login].into();
    after.session = Some(login.session);
    assert_eq!(after.next(), "consent email openid");

    let changes = switch_account(&world.tenant, &after.interaction, &old, &at(NOW));
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
