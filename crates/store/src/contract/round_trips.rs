//! What is written reads back the same, whatever text it holds.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value};
use signet_core::authorize::{ClaimRequest, Prompt};
use signet_core::change::Change;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{KeyOrigin, Stage};
use signet_jose::{KeySpec, KeyUse};

use super::build::{
    NOW, access_token, client, client_key, code, consent, delivery, device_code, event, grant, id,
    initial_access_token, interaction, pushed_request, refresh_token, session, session_client, tenant,
    tenant_key, user,
};
use super::{Handle, apply};
use crate::{AuditFilter, Page, StoreError};

const CASES: u128 = 48;

/// Text as it comes from outside: quotes, wildcards, comments, any script, controls. U+0000 cannot be a name.
fn text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        "'",
        "\"",
        "''; DROP TABLE users; --",
        "%_\\",
        "?1 $1 :x @x",
        "\u{1}\t\r\n",
        "\u{feff}",
        "é",
        "e\u{301}",
        "日本語",
        "🦭",
        "\u{10ffff}",
        "{\"a\":null}",
        " ",
    ]);
    let piece = prop_oneof![awkward.prop_map(str::to_owned), "[^\\x00]{0,12}"];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text().prop_map(Value::from),
        Just(Value::from("nul \u{0} inside")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn draw<T>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).expect("a value").current()
}

/// Names of tenants, clients, users, keys and interactions.
pub async fn any_text_comes_back(store: &Handle) {
    let mut runner = TestRunner::deterministic();
    for number in 0..CASES {
        let mut name = || draw(&mut runner, &text());
        let mut tenant = tenant(&format!("{number} {}", name()));
        tenant.issuer = format!("https://{number}/{}", name());
        tenant.settings.branding.name = name();
        let (client, mut user) = (client(&tenant.id, &name()), user(&tenant.id, number, &name()));
        user.password_hash = Some(name());
        let mut key = tenant_key(&tenant.id, &name());
        key.algs = vec![name(), name()];
        let mut client_key = client_key(&client, number, &name());
        (client_key.name, client_key.thumbprint) = (name(), name());
        let mut interaction = interaction(&client, &name());
        interaction.request.state = Some(format!("{}\u{0}", name()));
        interaction.correlation_id = name();
        interaction.stage = Stage::Authenticated { sid: name() };
        let changes = [
            Change::InsertTenant(tenant.clone()),
            Change::InsertTenantKey(key.clone()),
            Change::InsertClient(client.clone()),
            Change::InsertClientKey(client_key.clone()),
            Change::InsertUser(user.clone()),
            Change::InsertInteraction(interaction.clone()),
        ];
        apply(store, &tenant.id, &changes).await;
        let id = &tenant.id;
        assert!(store.tenants().await.unwrap().contains(&tenant));
        assert_eq!(store.tenant_keys(id, NOW).await.unwrap(), [key]);
        assert_eq!(store.client(id, &client.client_id).await.unwrap().as_ref(), Some(&client));
        assert_eq!(store.client_keys(id, &client.client_id).await.unwrap(), [client_key]);
        assert_eq!(store.user_by_name(id, &user.username).await.unwrap(), Some(user));
        assert_eq!(store.interaction(id, &interaction.id).await.unwrap(), Some(interaction));
    }
}

pub async fn records_come_back_as_written(store: &Handle) {
    let mut runner = TestRunner::deterministic();
    let tenant = tenant("one");
    let tenant_id = tenant.id.clone();
    apply(store, &tenant_id, &[Change::InsertTenant(tenant)]).await;
    let specs = [KeySpec::Rsa2048, KeySpec::P521, KeySpec::Ed25519, KeySpec::X25519];
    let origins = [
        KeyOrigin::Generated,
        KeyOrigin::Jwk,
        KeyOrigin::Jwks,
        KeyOrigin::Pem,
        KeyOrigin::X509,
        KeyOrigin::Trial,
    ];
    for number in 0..CASES {
        let pick = usize::try_from(number).unwrap();
        let name = format!("{number:03}");
        let (mut client, mut user) = (client(&tenant_id, &name), user(&tenant_id, number, &name));
        client.disabled = number % 2 == 0;
        client.secret_hash = (number % 3 == 0).then(|| TokenHash::of("secret"));
        client.sealed_secret =
            draw(&mut runner, &prop::option::of(prop::collection::vec(any::<u8>(), 0..64)));
        client.registration_token = (number % 5 == 0).then(|| TokenHash::of("registration"));
        client.settings.scope = draw(&mut runner, &prop::collection::btree_set(text(), 0..4));
        client.settings.default_max_age = draw(&mut runner, &any::<Option<i64>>());
        (client.created_at, client.updated_at) = draw(&mut runner, &any::<(i64, i64)>());
        user.claims = [("claim".to_owned(), draw(&mut runner, &json()))].into_iter().collect();
        user.disabled = number % 2 == 1;
        user.password_hash = draw(&mut runner, &prop::option::of(text()));
        let mut tenant_key = tenant_key(&tenant_id, &name);
        (tenant_key.spec, tenant_key.usage) = (specs[pick % 4], [KeyUse::Sig, KeyUse::Enc][pick % 2]);
        tenant_key.sealed_private = draw(&mut runner, &prop::collection::vec(any::<u8>(), 0..64));
        tenant_key.remove_at = i64::MAX;
        let mut client_key = client_key(&client, number, "kid");
        (client_key.origin, client_key.usage) = (origins[pick % origins.len()], tenant_key.usage);
        (client_key.not_before, client_key.not_after) =
            draw(&mut runner, &any::<(Option<i64>, Option<i64>)>());
        let mut session = session(&user, &name);
        session.amr = draw(&mut runner, &prop::collection::vec(text(), 0..3));
        session.acr = draw(&mut runner, &text());
        let mut consent = consent(&user, &client);
        consent.scope = draw(&mut runner, &prop::collection::btree_set(text(), 0..4));
        let grant = grant(&user, &client, number);
        let mut code = code(&grant, &name);
        code.request.prompt = [Prompt::Login, Prompt::SelectAccount].into();
        let asked = ClaimRequest { essential: true, values: vec![draw(&mut runner, &json())] };
        code.request.claims.id_token.insert(draw(&mut runner, &text()), asked);
        code.authentication.amr.push(draw(&mut runner, &text()));
        let mut token = access_token(&grant, &name);
        token.claims = draw(&mut runner, &prop::collection::btree_set(text(), 0..4));
        token.audience = draw(&mut runner, &prop::collection::btree_set(text(), 0..4));
        token.actor = draw(&mut runner, &prop::option::of(json()))
            .map(|value| [("sub".to_owned(), value)].into_iter().collect());
        let mut event = event(&tenant_id, number);
        event.detail = [(draw(&mut runner, &text()), draw(&mut runner, &json()))].into_iter().collect();
        event.reason = draw(&mut runner, &prop::option::of(text()));
        let changes = [
            Change::InsertClient(client.clone()),
            Change::InsertUser(user.clone()),
            Change::InsertTenantKey(tenant_key.clone()),
            Change::InsertClientKey(client_key.clone()),
            Change::InsertSession(session.clone()),
            Change::PutConsent(consent.clone()),
            Change::InsertGrant(grant),
            Change::InsertCode(code.clone()),
            Change::InsertAccessToken(token.clone()),
            Change::Audit(Box::new(event.clone())),
        ];
        apply(store, &tenant_id, &changes).await;
        let app = &client.client_id;
        assert_eq!(store.client(&tenant_id, app).await.unwrap().as_ref(), Some(&client));
        assert_eq!(store.user(&tenant_id, user.id).await.unwrap().as_ref(), Some(&user));
        assert!(store.tenant_keys(&tenant_id, NOW).await.unwrap().contains(&tenant_key));
        assert_eq!(store.client_keys(&tenant_id, app).await.unwrap(), [client_key]);
        assert_eq!(store.session(&tenant_id, &session.hash).await.unwrap(), Some(session));
        assert_eq!(store.consent(&tenant_id, user.id, app).await.unwrap(), Some(consent));
        assert_eq!(store.code(&tenant_id, &code.hash).await.unwrap(), Some(code));
        assert_eq!(store.access_token(&tenant_id, &token.hash).await.unwrap(), Some(token));
        let newest = AuditFilter { limit: 1, ..AuditFilter::default() };
        assert_eq!(store.audit(&tenant_id, &newest).await.unwrap(), [event]);
    }
}

/// What the protocols keep beside: names of every kind of text, and everything that may be empty.
pub async fn protocol_records_come_back_as_written(store: &Handle) {
    let mut runner = TestRunner::deterministic();
    let world = super::build::world(store, "one").await;
    for number in 0..CASES {
        let mut name = || draw(&mut runner, &text());
        let mut client = client(&world.id, &format!("{number} {}", name()));
        client.version = 1;
        let mut grant = grant(&world.user, &client, number);
        grant.sid = (number % 2 == 0).then(&mut name);
        let mut refresh = refresh_token(&grant, &number.to_string());
        (refresh.correlation_id, refresh.request.state) = (name(), Some(name()));
        let mut pushed = pushed_request(&client, &number.to_string());
        (pushed.correlation_id, pushed.request.nonce) = (name(), Some(format!("{}\u{0}", name())));
        let mut device = device_code(&client, &number.to_string(), &format!("{number} {}", name()));
        (device.correlation_id, device.request.display) = (name(), Some(name()));
        let noted = session_client(&world.user, &client, &format!("{number} {}", name()));
        let mut told = delivery(&world.user, &client, number);
        (told.sid, told.correlation_id, told.last_error) =
            (name(), name(), (number % 3 != 0).then(&mut name));
        let mut initial = initial_access_token(&world.id, &format!("{number:03} {}", name()));
        let times = any::<(i64, Option<i64>, Option<i64>)>();
        (refresh.rotations, refresh.rotated_at, refresh.superseded_at) = draw(&mut runner, &times);
        refresh.rotations = refresh.rotations.max(0);
        refresh.parent = (number % 4 == 0).then(|| TokenHash::of("parent"));
        (device.interval, device.polled_at, _) = draw(&mut runner, &times);
        (told.attempts, told.next_attempt_at, told.delivered_at) = draw(&mut runner, &times);
        (initial.created_at, initial.expires_at, initial.uses_left) = draw(&mut runner, &times);
        initial.uses_left = initial.uses_left.map(|left| left.max(0));
        let changes = [
            Change::InsertClient(client.clone()),
            Change::InsertGrant(grant.clone()),
            Change::InsertRefreshToken(refresh.clone()),
            Change::InsertPushedRequest(pushed.clone()),
            Change::InsertDeviceCode(device.clone()),
            Change::PutSessionClient(noted.clone()),
            Change::InsertLogoutDelivery(told.clone()),
            Change::InsertInitialAccessToken(initial.clone()),
        ];
        apply(store, &world.id, &changes).await;
        let one = &world.id;
        assert_eq!(store.refresh_token(one, &refresh.hash).await.unwrap(), Some(refresh));
        assert_eq!(store.pushed_request(one, &pushed.hash).await.unwrap(), Some(pushed));
        assert_eq!(store.device_by_user_code(one, &device.user_code).await.unwrap(), Some(device));
        assert_eq!(store.session_clients(one, &noted.sid).await.unwrap(), [noted]);
        assert_eq!(store.logout_delivery(one, told.id).await.unwrap().as_ref(), Some(&told));
        assert_eq!(store.logout_deliveries(one, &client.client_id, 9).await.unwrap(), [told]);
        assert_eq!(store.initial_access_token(one, &initial.hash).await.unwrap(), Some(initial));
        // A session ends its grants whatever its name is.
        let Some(sid) = grant.sid else { continue };
        apply(store, one, &[Change::RevokeSessionGrants { sid, at: NOW }]).await;
        let hash = TokenHash::of(&number.to_string());
        assert_eq!(store.refresh_token(one, &hash).await.unwrap(), None);
    }
}

/// A name from outside may hold U+0000, which no database's text column has to take: it names nothing.
pub async fn names_with_nul_find_nothing(store: &Handle) {
    let world = super::build::world(store, "one").await;
    let nul = "app\u{0}";
    let name = ClientId::new(nul);
    assert_eq!(store.client(&world.id, &name).await.unwrap(), None);
    assert!(store.client_keys(&world.id, &name).await.unwrap().is_empty());
    assert_eq!(store.consent(&world.id, id(1), &name).await.unwrap(), None);
    assert_eq!(store.user_by_name(&world.id, "ada\u{0}").await.unwrap(), None);
    assert_eq!(store.interaction(&world.id, nul).await.unwrap(), None);
    assert_eq!(store.client(&TenantId::new("one\u{0}"), &"app".into()).await.unwrap(), None);
    assert_eq!(store.device_by_user_code(&world.id, nul).await.unwrap(), None);
    assert_eq!(store.session_by_sid(&world.id, nul).await.unwrap(), None);
    assert!(store.session_clients(&world.id, nul).await.unwrap().is_empty());
    assert!(store.logout_deliveries(&world.id, &name, 9).await.unwrap().is_empty());
    // "ap" < "ap\0x" < "app" < "app\0"
    let page = |after: &str| Page { after: Some(after.to_owned()), limit: 9 };
    assert_eq!(store.clients(&world.id, &page("ap\u{0}x")).await.unwrap().len(), 1);
    assert_eq!(store.clients(&world.id, &page(nul)).await.unwrap().len(), 0);
    assert_eq!(store.users(&world.id, &page("ad\u{0}x")).await.unwrap().len(), 1);
    for filter in [
        AuditFilter { client_id: Some(name.clone()), limit: 9, ..AuditFilter::default() },
        AuditFilter { reason: Some(nul.to_owned()), limit: 9, ..AuditFilter::default() },
        AuditFilter { correlation_id: Some(nul.to_owned()), limit: 9, ..AuditFilter::default() },
    ] {
        assert!(store.audit(&world.id, &filter).await.unwrap().is_empty());
    }
    // Nor can it become one.
    let mut grant = grant(&world.user, &world.client, 1);
    grant.sid = Some(nul.to_owned());
    for change in [
        Change::InsertClient(client(&world.id, nul)),
        Change::InsertGrant(grant),
        Change::InsertDeviceCode(device_code(&world.client, "device", nul)),
        Change::PutSessionClient(session_client(&world.user, &world.client, nul)),
        Change::RevokeSessionGrants { sid: nul.to_owned(), at: NOW },
        Change::InsertInitialAccessToken(initial_access_token(&world.id, nul)),
        Change::DeleteInitialAccessToken { name: nul.to_owned() },
    ] {
        let outcome = store.apply(&world.id, &[change]).await;
        assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
    }
}
