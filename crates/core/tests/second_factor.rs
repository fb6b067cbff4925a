//! Which level a login must reach, and what a second step makes of it (OpenID Connect Core sections 3.1.2.1 and 5.5.1.1,
//! RFC 6238 section 5.2, RFC 8176).
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::*;
use serde_json::json;
use signet_core::authorize::{AuthorizationRequest, ClaimRequest, ClaimsRequest, Prompt, RequestSource};
use signet_core::change::Change;
use signet_core::ids::TokenHash;
use signet_core::interaction::{
    Accepted, Factors, Input, Level, MAX_WRONG_CODES, Proof, RECOVERY_CODES, Second, Step, at_hand,
    can_be_tried, enrolment, next, password_accepted, pending, raised, recovery_codes, second_accepted,
    use_one_time, use_passkey, use_recovery_code,
};
use signet_core::records::{
    Client, Credential, CredentialKind, Interaction, ResponseMode, ResponseType, SecondFactor, Session,
    Stage, Tenant, User,
};
use uuid::Uuid;

const NONE: Factors = Factors { passkey: false, totp: false, recovery: false };
const TOTP: Factors = Factors { passkey: false, totp: true, recovery: true };
const PASSKEY: Factors = Factors { passkey: true, totp: false, recovery: true };
const BOTH: Factors = Factors { passkey: true, totp: true, recovery: true };

struct World {
    tenant: Tenant,
    client: Client,
    interaction: Interaction,
    session: Option<Session>,
    identified: Option<User>,
    factors: Factors,
}

impl World {
    fn new(factors: Factors) -> Self {
        let mut client = client("c");
        client.settings.require_consent = false;
        let interaction = Interaction {
            tenant: "t".into(),
            id: "i".into(),
            browser: TokenHash::of("browser"),
            version: 3,
            stage: Stage::Fresh,
            request: request(),
            correlation_id: "corr".into(),
            created_at: NOW,
            expires_at: NOW + 1800,
        };
        Self { tenant: tenant(), client, interaction, session: None, identified: None, factors }
    }

    fn with_session(mut self, level: Level) -> Self {
        self.session = Some(session(level));
        self
    }

    fn acr(mut self, essential: bool, values: &[&str]) -> Self {
        let values = values.iter().map(|value| json!(value)).collect();
        let claim = ClaimRequest { essential, values };
        self.interaction.request.claims.id_token.insert("acr".into(), claim);
        self
    }

    fn acr_values(mut self, values: &[&str]) -> Self {
        self.interaction.request.acr_values = values.iter().copied().map(String::from).collect();
        self
    }

    fn identified(mut self, since: i64) -> Self {
        self.identified = Some(user());
        self.interaction.stage = Stage::Identified { user_id: user().id, since, version: user().version };
        self
    }

    fn input<'a>(&'a self, user: &'a User) -> Input<'a> {
        Input {
            tenant: &self.tenant,
            interaction: &self.interaction,
            client: &self.client,
            client_keys: &[],
            session: self.session.as_ref(),
            user: self.session.is_some().then_some(user),
            consent: None,
            identified: self.identified.as_ref(),
            factors: self.factors,
        }
    }

    fn next(&self) -> String {
        match next(&self.input(&user()), NOW) {
            Step::Second { passkey_only: true } => "passkey".into(),
            Step::Second { passkey_only: false } => "second".into(),
            Step::Refuse(fault) => fault.code().into(),
            step => format!("{step:?}").to_lowercase(),
        }
    }

    /// What a right password leads to.
    fn password(&self) -> String {
        match password_accepted(&self.input(&user()), &user(), &at(NOW)) {
            Accepted::Session(login) => login.session.acr.rsplit(':').next().unwrap().to_owned(),
            Accepted::Second(changes) => {
                let [Change::UpdateInteraction { interaction, .. }, _] = changes.as_slice() else { panic!() };
                let version = user().version;
                assert_eq!(interaction.stage, Stage::Identified { user_id: user().id, since: NOW, version });
                assert!(!changes.iter().any(|change| matches!(change, Change::InsertSession(_))));
                "second".into()
            }
            Accepted::Refused(fault) => fault.code().into(),
        }
    }
}

fn session(level: Level) -> Session {
    Session {
        tenant: "t".into(),
        hash: TokenHash::of("cookie"),
        sid: "sid".into(),
        user_id: user().id,
        auth_time: NOW - 100,
        amr: vec!["pwd".into()],
        acr: level.acr().into(),
        last_seen: NOW - 10,
        expires_at: NOW + 3600,
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
        resources: BTreeSet::new(),
        scope: ["openid".to_owned()].into(),
        state: None,
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

const P: &str = Level::Password.acr();
const M: &str = Level::Mfa.acr();
const K: &str = Level::Passkey.acr();

#[test]
fn what_a_password_leads_to_depends_on_person_tenant_client_and_request() {
    let by_tenant = |factors| {
        let mut world = World::new(factors);
        world.tenant.settings.second_factor = SecondFactor::Required;
        world
    };
    let by_client = |factors| {
        let mut world = World::new(factors);
        world.client.settings.require_second_factor = true;
        world
    };
    let table = vec![
        ("password", World::new(NONE)),
        // Recovery codes alone are no second factor.
        ("password", World::new(Factors { recovery: true, ..NONE })),
        ("second", World::new(TOTP)),
        ("second", World::new(PASSKEY)),
        ("second", by_tenant(NONE)),
        ("second", by_client(NONE)),
        ("second", by_client(TOTP)),
        // Voluntary wishes that nobody could fulfil are no obstacle; essential ones lead to an enrolment or an error.
        ("password", World::new(NONE).acr_values(&[K, M, "urn:other"])),
        ("password", World::new(NONE).acr(false, &[M])),
        ("second", World::new(NONE).acr(true, &[M])),
        ("acr_unmet", World::new(NONE).acr(true, &[K])),
        ("acr_unmet", World::new(TOTP).acr(true, &[K])),
        ("second", World::new(PASSKEY).acr(true, &[K])),
        ("password", World::new(NONE).acr(true, &[M, P])),
        ("password", World::new(NONE).acr(true, &[])),
        ("acr_unmet", World::new(NONE).acr(true, &["urn:other"])),
    ];
    for (index, (expected, world)) in table.into_iter().enumerate() {
        assert_eq!(world.password(), expected, "row {index}");
    }
}

#[test]
fn a_session_of_a_lower_level_is_stepped_up_and_a_higher_one_meets_a_lower() {
    use Level::{Mfa, Passkey, Password};
    let table = vec![
        ("respond", World::new(NONE).with_session(Password)),
        ("second", World::new(TOTP).with_session(Password)),
        ("respond", World::new(TOTP).with_session(Mfa)),
        ("respond", World::new(TOTP).with_session(Passkey)),
        ("enrol", World::new(NONE).with_session(Password).acr(true, &[M])),
        ("respond", World::new(NONE).with_session(Mfa).acr(true, &[P])),
        ("second", World::new(BOTH).with_session(Mfa).acr_values(&[K])),
        ("respond", World::new(BOTH).with_session(Mfa).acr_values(&[M, K])),
        ("respond", World::new(TOTP).with_session(Mfa).acr_values(&[K, M])),
        ("respond", World::new(BOTH).with_session(Passkey).acr_values(&[M])),
        ("passkey", World::new(BOTH).with_session(Mfa).acr(true, &[K])),
        ("acr_unmet", World::new(TOTP).with_session(Mfa).acr(true, &[K])),
    ];
    for (index, (expected, world)) in table.into_iter().enumerate() {
        assert_eq!(world.next(), expected, "row {index}");
        let mut silent = world;
        silent.interaction.request.prompt = [Prompt::None].into();
        let quiet =
            if ["second", "enrol", "passkey"].contains(&expected) { "login_required" } else { expected };
        assert_eq!(silent.next(), quiet, "row {index}, silently");
    }
}

#[test]
fn an_old_session_enrols_nothing_without_the_password() {
    let mut world = World::new(NONE).with_session(Level::Password).acr(true, &[M]);
    world.session.as_mut().unwrap().auth_time = NOW - 600;
    assert_eq!(world.next(), "enrol");
    world.session.as_mut().unwrap().auth_time = NOW - 601;
    assert_eq!(world.next(), "login");
    assert_eq!(world.password(), "second");
    let mut enrolled = World::new(TOTP).with_session(Level::Password);
    enrolled.session.as_mut().unwrap().auth_time = NOW - 601;
    assert_eq!(enrolled.next(), "second");
}

#[test]
fn a_voluntary_wish_is_asked_for_once() {
    let mut world = World::new(BOTH).with_session(Level::Mfa).acr_values(&[K]);
    world.interaction.stage = Stage::Authenticated { sid: "sid".into() };
    assert_eq!(world.next(), "respond");
    let mut world = World::new(BOTH).with_session(Level::Mfa).acr(true, &[K]);
    world.interaction.stage = Stage::Authenticated { sid: "sid".into() };
    assert_eq!(world.next(), "passkey", "an essential one stays");
}

#[test]
fn between_password_and_second_step_there_is_no_session_and_not_for_long() {
    assert_eq!(World::new(TOTP).identified(NOW - 600).next(), "second");
    assert_eq!(World::new(TOTP).identified(NOW - 601).next(), "login");
    let mut disabled = World::new(TOTP).identified(NOW);
    disabled.identified.as_mut().unwrap().disabled = true;
    assert_eq!(disabled.next(), "login");
    let mut somebody = World::new(TOTP).identified(NOW);
    somebody.identified.as_mut().unwrap().id = Uuid::from_u128(9);
    assert_eq!(somebody.next(), "login");
    // Whose session the browser has does not matter meanwhile.
    assert_eq!(World::new(TOTP).with_session(Level::Passkey).identified(NOW).next(), "second");
    let mut required = World::new(NONE).identified(NOW);
    required.tenant.settings.second_factor = SecondFactor::Required;
    assert_eq!(required.next(), "enrol");
}

/// Bob has given his password in a browser that is in Alice's session.
fn bob_in_alices_browser(since: i64) -> (World, User) {
    let bob = User { id: Uuid::from_u128(9), username: "bob".into(), ..user() };
    let mut world = World::new(BOTH).with_session(Level::Password).acr(true, &[M]).identified(since);
    world.interaction.stage = Stage::Identified { user_id: bob.id, since, version: bob.version };
    world.identified = Some(bob.clone());
    (world, bob)
}

#[test]
fn a_password_that_holds_no_more_never_falls_back_to_an_older_session() {
    let alice = user();
    let hand = |world: &World| {
        let input = world.input(&alice);
        let hand = at_hand(&world.interaction.stage, input.identified, input.user, NOW).map(|user| user.id);
        assert_eq!(pending(&input, NOW).map(|pending| pending.user.id), hand);
        hand
    };
    let (holds, bob) = bob_in_alices_browser(NOW - 600);
    assert_eq!((holds.next().as_str(), hand(&holds)), ("second", Some(bob.id)));
    let (late, _) = bob_in_alices_browser(NOW - 601);
    let (mut disabled, mut changed, mut gone) =
        (bob_in_alices_browser(NOW).0, bob_in_alices_browser(NOW).0, bob_in_alices_browser(NOW).0);
    disabled.identified.as_mut().unwrap().disabled = true;
    changed.identified.as_mut().unwrap().version += 1;
    gone.identified = None;
    for (name, world) in [("late", late), ("disabled", disabled), ("changed", changed), ("gone", gone)] {
        assert_eq!((world.next().as_str(), hand(&world)), ("login", None), "{name}");
    }
    let mut fresh = World::new(BOTH).with_session(Level::Password).acr(true, &[M]);
    assert_eq!((fresh.next().as_str(), hand(&fresh)), ("second", Some(alice.id)));
    fresh.session = None;
    assert_eq!((fresh.next().as_str(), hand(&fresh)), ("login", None));
}

#[test]
fn nobodys_credential_speaks_for_somebody_else() {
    let (alice, context) = (user(), at(NOW));
    let (world, bob) = bob_in_alices_browser(NOW);
    let input = world.input(&alice);
    let judge = |written: Vec<Change>| {
        let pending = pending(&input, NOW).unwrap();
        second_accepted(&input, &pending, Second::OneTimePassword, written, &context)
            .map(|login| login.session.user_id)
            .map_err(|fault| fault.code())
    };
    let hers = credential(CredentialKind::Totp, 1);
    let his = Credential { user_id: bob.id, ..hers.clone() };
    let delete = |one: &Credential| Change::DeleteCredential { user_id: one.user_id, id: one.id };
    assert_eq!(judge(vec![use_one_time(&his, 2, NOW).unwrap()]), Ok(bob.id));
    assert_eq!(judge(vec![delete(&his)]), Ok(bob.id));
    for change in
        [use_one_time(&hers, 2, NOW).unwrap(), delete(&hers), Change::InsertCredential(hers.clone())]
    {
        assert_eq!(judge(vec![change]), Err("second_factor_wrong"));
    }
}

#[test]
fn a_second_step_needs_the_account_and_the_session_that_were_judged() {
    let user = user();
    let world = World::new(TOTP).with_session(Level::Password);
    let input = world.input(&user);
    let step = |written| {
        let pending = pending(&input, NOW).unwrap();
        second_accepted(&input, &pending, Second::OneTimePassword, written, &at(NOW)).unwrap().changes
    };
    let written = vec![use_one_time(&credential(CredentialKind::Totp, 1), 2, NOW).unwrap()];
    let changes = step(written);
    let [Change::NeedUser { id, version }, Change::TakeSession(old), Change::UpdateInteraction { .. }, ..] =
        changes.as_slice()
    else {
        panic!("{changes:?}")
    };
    assert_eq!((*id, *version, *old), (user.id, user.version, TokenHash::of("cookie")));
    // Of two enrolments each writes the version that it saw, and nothing before it.
    let changes = step(vec![Change::InsertCredential(credential(CredentialKind::Totp, 1)), enrolment(&user)]);
    assert!(matches!(&changes[0], Change::UpdateUser(next) if next.version == user.version + 1
            && next.updated_at == user.updated_at));
    let needs = |change: &Change| matches!(change, Change::NeedUser { .. } | Change::UpdateUser(_));
    assert_eq!(changes.iter().filter(|change| needs(change)).count(), 1);
}

/// NIST SP 800-63B section 5.2.2.
#[test]
fn codes_are_refused_once_too_many_in_a_row_were_wrong() {
    let after = |failures| Credential { failures, ..credential(CredentialKind::Totp, 1) };
    let judge = |failures| {
        can_be_tried(&after(failures)).map_err(|fault| fault.code())?;
        use_one_time(&after(failures), 2, NOW).map_err(|fault| fault.code())
    };
    for failures in [0, MAX_WRONG_CODES - 1] {
        let Ok(Change::UseCredential { credential, seen_failures, .. }) = judge(failures) else { panic!() };
        assert_eq!((credential.failures, seen_failures), (0, failures), "a right one ends the count");
    }
    for failures in [MAX_WRONG_CODES, MAX_WRONG_CODES + 1, i64::MAX] {
        assert_eq!(judge(failures).err(), Some("second_factor_locked"));
        assert_eq!(use_one_time(&after(failures), 2, NOW).unwrap_err().code(), "second_factor_locked");
    }
}

#[test]
fn the_second_step_makes_the_session_rfc8176() {
    let user = user();
    let first = World::new(TOTP).identified(NOW - 60);
    let input = first.input(&user);
    let login =
        second_accepted(&input, &pending(&input, NOW).unwrap(), Second::OneTimePassword, vec![], &at(NOW))
            .unwrap();
    let session_ = &login.session;
    assert_eq!((session_.acr.as_str(), session_.auth_time), (M, NOW));
    assert_eq!(session_.amr, ["pwd", "otp", "mfa"]);
    // Step-up: the session goes on, and its password is as old as it was.
    let world = World::new(BOTH).with_session(Level::Password);
    let input = world.input(&user);
    let login =
        second_accepted(&input, &pending(&input, NOW).unwrap(), Second::RecoveryCode, vec![], &at(NOW))
            .unwrap();
    assert_eq!((login.session.sid.as_str(), login.session.auth_time), ("sid", NOW - 100));
    assert_eq!(login.session.amr, ["pwd", "mfa"], "a recovery code is no `otp`");
    let key = Second::Passkey { hardware: true };
    let login = second_accepted(&input, &pending(&input, NOW).unwrap(), key, vec![], &at(NOW)).unwrap();
    assert_eq!((login.session.acr.as_str(), login.session.auth_time), (K, NOW));
    assert_eq!(login.session.amr, ["pwd", "hwk", "user", "mfa"]);
    assert_eq!(Proof::passkey(false, NOW).amr, ["swk", "user", "mfa"]);
    let change = raised(&session(Level::Passkey), Second::OneTimePassword, NOW);
    let Change::UpdateSession(new) = change else { panic!("one that has ended stays so: {change:?}") };
    assert_eq!((new.hash, new.acr.as_str()), (TokenHash::of("cookie"), K), "an enrolment lowers nothing");
}

fn credential(kind: CredentialKind, counter: i64) -> Credential {
    Credential {
        tenant: "t".into(),
        user_id: user().id,
        id: Uuid::from_u128(5),
        kind,
        name: "one".into(),
        secret: vec![1],
        counter,
        failures: 0,
        created_at: 0,
        last_used_at: None,
    }
}

#[test]
fn counters_only_grow_rfc6238_5_2_webauthn_7_2() {
    let judge = |change: Result<Change, signet_core::fault::Fault>| match change {
        Ok(Change::UseCredential { credential, seen_counter, .. }) => Ok((credential.counter, seen_counter)),
        Ok(other) => panic!("{other:?}"),
        Err(fault) => Err(fault.code()),
    };
    let totp = |seen, step| judge(use_one_time(&credential(CredentialKind::Totp, seen), step, NOW));
    assert_eq!(totp(9, 10), Ok((10, 9)));
    assert_eq!(totp(10, 10), Err("second_factor_wrong"));
    assert_eq!(totp(11, 10), Err("second_factor_wrong"));
    let key = |seen, count| judge(use_passkey(&credential(CredentialKind::Passkey, seen), count, NOW));
    assert_eq!((key(0, 0), key(0, 1), key(4, 5)), (Ok((0, 0)), Ok((1, 0)), Ok((5, 4))));
    for (seen, count) in [(5, 5), (5, 4), (5, 0)] {
        assert_eq!(key(seen, count), Err("passkey_copied"));
    }
    let other = use_one_time(&credential(CredentialKind::Passkey, 0), 1, NOW);
    assert_eq!(judge(other), Err("second_factor_wrong"));
}

#[test]
fn recovery_codes_are_random_and_each_is_good_for_its_person_once() {
    let entropy = counting();
    let context = signet_core::context::Context { now: NOW, millis: 0, entropy: &entropy };
    let (codes, changes) = recovery_codes(&user(), &context);
    assert_eq!((codes.len(), codes.iter().collect::<BTreeSet<_>>().len()), (RECOVERY_CODES, RECOVERY_CODES));
    let kept: Vec<Credential> = changes
        .iter()
        .filter_map(|change| match change {
            Change::InsertCredential(credential) => Some(credential.clone()),
            _ => None,
        })
        .collect();
    assert!(matches!(changes[0], Change::DeleteCredentials { kind: CredentialKind::RecoveryCode, .. }));
    assert!(!format!("{kept:?}").contains(&codes[0]));
    let used = use_recovery_code(&kept, &codes[3].to_lowercase().replace('-', " ")).unwrap();
    assert!(matches!(used, Change::DeleteCredential { id, .. } if id == kept[3].id));
    let rest = [&kept[..3], &kept[4..]].concat();
    assert_eq!(use_recovery_code(&rest, &codes[3]).unwrap_err().code(), "second_factor_wrong");
    let mut others = kept;
    for one in &mut others {
        one.user_id = Uuid::from_u128(9);
    }
    assert_eq!(use_recovery_code(&others, &codes[3]).unwrap_err().code(), "second_factor_wrong");
    assert_eq!(use_recovery_code(&others, "").unwrap_err().code(), "second_factor_wrong");
}

/// Every byte another one.
fn counting() -> impl signet_core::context::Entropy {
    struct Counting(std::sync::atomic::AtomicU64);
    impl signet_core::context::Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            use sha2::Digest;
            let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let digest = sha2::Sha256::digest(count.to_be_bytes());
            for (byte, fresh) in bytes.iter_mut().zip(digest.iter().cycle()) {
                *byte = *fresh;
            }
        }
    }
    Counting(0.into())
}
