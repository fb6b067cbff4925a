//! Builders of records. Everything has a plain value; tests change what they are about.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use signet_core::authorize::{AuthorizationRequest, RequestSource};
use signet_core::change::Change;
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::records::{
    AccessToken, AuditEvent, Authentication, Client, ClientKey, ClientSettings, Code, Consent, DeviceCode,
    DeviceStage, Grant, InitialAccessToken, Interaction, KeyOrigin, LogoutDelivery, Outcome, PushedRequest,
    RefreshToken, Replay, ResponseMode, ResponseType, Session, SessionClient, Stage, Tenant, TenantKey,
    TenantSettings, User,
};
use signet_jose::{KeySpec, KeyUse};
use uuid::Uuid;

use super::{Handle, apply};

/// The instant of most tests.
pub const NOW: i64 = 1_800_000_000;

/// A small number as a UUID.
pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

pub fn tenant(name: &str) -> Tenant {
    Tenant {
        id: TenantId::new(name),
        issuer: format!("https://{name}.example"),
        version: 1,
        settings: TenantSettings::default(),
        pairwise_salt: [7; 32],
        created_at: NOW,
    }
}

pub fn tenant_key(tenant: &TenantId, name: &str) -> TenantKey {
    TenantKey {
        tenant: tenant.clone(),
        id: name.to_owned(),
        usage: KeyUse::Sig,
        spec: KeySpec::P256,
        algs: vec!["ES256".into()],
        public_jwk: object(json!({ "kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ" })),
        sealed_private: vec![0, 1, 254, 255],
        created_at: NOW,
        use_from: NOW + 10,
        use_until: NOW + 100,
        remove_at: NOW + 200,
        revoked_at: None,
    }
}

pub fn client(tenant: &TenantId, name: &str) -> Client {
    Client {
        tenant: tenant.clone(),
        client_id: ClientId::new(name),
        version: 1,
        disabled: false,
        secret_hash: Some(TokenHash::of(name)),
        sealed_secret: Some(vec![0, 1, 255]),
        registration_token: Some(TokenHash::of("registration")),
        owner: None,
        settings: ClientSettings { client_name: name.to_owned(), ..ClientSettings::default() },
        created_at: NOW,
        updated_at: NOW,
    }
}

pub fn client_key(client: &Client, number: u128, kid: &str) -> ClientKey {
    ClientKey {
        tenant: client.tenant.clone(),
        client_id: client.client_id.clone(),
        id: id(number),
        name: format!("key {number}"),
        usage: KeyUse::Enc,
        kid: kid.to_owned(),
        thumbprint: format!("thumbprint {number}"),
        jwk: object(json!({ "kty": "OKP", "crv": "X25519", "x": "eA" })),
        not_before: Some(NOW - 5),
        not_after: None,
        origin: KeyOrigin::Jwk,
        created_at: NOW,
        revoked_at: None,
    }
}

pub fn user(tenant: &TenantId, number: u128, username: &str) -> User {
    User {
        tenant: tenant.clone(),
        id: id(number),
        username: username.to_owned(),
        password_hash: Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into()),
        claims: object(json!({ "name": username, "email_verified": true })),
        role: None,
        disabled: false,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    }
}

pub fn session(user: &User, cookie: &str) -> Session {
    Session {
        tenant: user.tenant.clone(),
        hash: TokenHash::of(cookie),
        sid: format!("sid of {cookie}"),
        user_id: user.id,
        auth_time: NOW,
        amr: vec!["pwd".into(), "otp".into()],
        acr: "urn:example:acr".into(),
        last_seen: NOW,
        expires_at: NOW + 3600,
    }
}

pub fn request(client: &ClientId) -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: client.clone(),
        redirect_uri: "https://rp.example/cb?x=1".into(),
        response_type: ResponseType::Code,
        response_mode: ResponseMode::Query,
        device: None,
        claims_locales: vec![],
        display: None,
        hinted_subject: None,
        resources: BTreeSet::new(),
        scope: words(&["openid", "profile"]),
        state: Some("state".into()),
        nonce: Some("nonce".into()),
        code_challenge: Some("challenge".into()),
        prompt: BTreeSet::new(),
        max_age: Some(600),
        acr_values: vec!["b".into(), "a".into()],
        login_hint: vec![],
        ui_locales: vec!["fi".into()],
        claims: signet_core::authorize::ClaimsRequest::default(),
        source: RequestSource::Nested,
    }
}

pub fn interaction(client: &Client, name: &str) -> Interaction {
    Interaction {
        tenant: client.tenant.clone(),
        id: name.to_owned(),
        browser: TokenHash::of("browser"),
        version: 1,
        stage: Stage::Fresh,
        request: request(&client.client_id),
        correlation_id: "correlation".into(),
        created_at: NOW,
        expires_at: NOW + 1800,
    }
}

/// The next step of an interaction.
pub fn step(interaction: &Interaction, stage: Stage) -> Change {
    step_at(interaction, stage, NOW)
}

pub fn step_at(interaction: &Interaction, stage: Stage, now: i64) -> Change {
    let mut interaction = interaction.clone();
    interaction.version += 1;
    interaction.stage = stage;
    Change::UpdateInteraction { interaction, now }
}

pub fn consent(user: &User, client: &Client) -> Consent {
    Consent {
        tenant: user.tenant.clone(),
        user_id: user.id,
        client_id: client.client_id.clone(),
        scope: words(&["openid", "email"]),
        granted_at: NOW,
    }
}

pub fn grant(user: &User, client: &Client, number: u128) -> Grant {
    Grant {
        tenant: user.tenant.clone(),
        id: id(number),
        client_id: client.client_id.clone(),
        user_id: Some(user.id),
        sid: Some("sid".into()),
        parent: None,
        created_at: NOW,
        revoked_at: None,
    }
}

pub fn authentication(grant: &Grant) -> Authentication {
    Authentication {
        user_id: grant.user_id.unwrap(),
        sid: "sid".into(),
        auth_time: NOW - 30,
        amr: vec!["pwd".into()],
        acr: "acr".into(),
    }
}

pub fn code(grant: &Grant, secret: &str) -> Code {
    Code {
        tenant: grant.tenant.clone(),
        hash: TokenHash::of(secret),
        grant_id: grant.id,
        client_id: grant.client_id.clone(),
        request: request(&grant.client_id),
        scope: words(&["openid"]),
        authentication: authentication(grant),
        correlation_id: "correlation".into(),
        issued_at: NOW,
        expires_at: NOW + 60,
        redeemed_at: None,
    }
}

pub fn redeem(code: &Code) -> Change {
    Change::RedeemCode { hash: code.hash, client_id: code.client_id.clone(), at: NOW }
}

pub fn access_token(grant: &Grant, secret: &str) -> AccessToken {
    AccessToken {
        tenant: grant.tenant.clone(),
        hash: TokenHash::of(secret),
        grant_id: grant.id,
        client_id: grant.client_id.clone(),
        user_id: grant.user_id,
        scope: words(&["openid", "profile"]),
        claims: words(&["picture"]),
        audience: words(&["https://api.example"]),
        actor: None,
        issued_at: NOW,
        expires_at: NOW + 600,
    }
}

pub fn refresh_token(grant: &Grant, secret: &str) -> RefreshToken {
    RefreshToken {
        tenant: grant.tenant.clone(),
        hash: TokenHash::of(secret),
        grant_id: grant.id,
        client_id: grant.client_id.clone(),
        request: request(&grant.client_id),
        scope: words(&["openid", "offline_access"]),
        authentication: authentication(grant),
        correlation_id: "correlation".into(),
        parent: None,
        rotations: 0,
        rotated_at: None,
        superseded_at: None,
        successor_used: false,
        issued_at: NOW,
        expires_at: NOW + 7200,
        chain_expires_at: NOW + 86_400,
    }
}

/// What a refresh token is exchanged for.
pub fn successor(token: &RefreshToken, secret: &str) -> RefreshToken {
    RefreshToken { hash: TokenHash::of(secret), parent: Some(token.hash), ..token.clone() }
}

pub fn rotate(token: &RefreshToken, rotations: i64) -> Change {
    Change::RotateRefreshToken {
        hash: token.hash,
        client_id: token.client_id.clone(),
        rotations,
        at: NOW + 1,
    }
}

pub fn pushed_request(client: &Client, name: &str) -> PushedRequest {
    PushedRequest {
        tenant: client.tenant.clone(),
        hash: TokenHash::of(name),
        request: request(&client.client_id),
        correlation_id: "correlation".into(),
        created_at: NOW,
        expires_at: NOW + 60,
    }
}

pub fn take(pushed: &PushedRequest) -> Change {
    Change::TakePushedRequest { hash: pushed.hash, client_id: pushed.request.client_id.clone(), at: NOW }
}

pub fn device_code(client: &Client, secret: &str, user_code: &str) -> DeviceCode {
    DeviceCode {
        tenant: client.tenant.clone(),
        hash: TokenHash::of(secret),
        user_code: user_code.to_owned(),
        version: 1,
        request: request(&client.client_id),
        stage: DeviceStage::Pending,
        interval: 5,
        polled_at: None,
        correlation_id: "correlation".into(),
        issued_at: NOW,
        expires_at: NOW + 1800,
    }
}

pub fn approved(grant: &Grant) -> DeviceStage {
    DeviceStage::Approved {
        grant_id: grant.id,
        scope: words(&["openid"]),
        authentication: authentication(grant),
    }
}

/// The next step of a device authorization.
pub fn device_step(device: &DeviceCode, stage: DeviceStage) -> Change {
    let device = DeviceCode { version: device.version + 1, stage, ..device.clone() };
    Change::UpdateDeviceCode { device, at: NOW }
}

pub fn session_client(user: &User, client: &Client, sid: &str) -> SessionClient {
    SessionClient {
        tenant: user.tenant.clone(),
        sid: sid.to_owned(),
        client_id: client.client_id.clone(),
        user_id: user.id,
        expires_at: NOW + 3600,
    }
}

pub fn delivery(user: &User, client: &Client, number: u128) -> LogoutDelivery {
    LogoutDelivery {
        tenant: user.tenant.clone(),
        id: id(number),
        client_id: client.client_id.clone(),
        sid: "sid".into(),
        user_id: user.id,
        correlation_id: "correlation".into(),
        created_at: NOW,
        attempts: 0,
        next_attempt_at: Some(NOW),
        delivered_at: None,
        last_error: None,
    }
}

/// The next attempt, which somebody makes who saw `delivery`.
pub fn attempt(delivery: &LogoutDelivery, next_attempt_at: Option<i64>) -> Change {
    let seen_attempts = delivery.attempts;
    let delivery = LogoutDelivery { attempts: seen_attempts + 1, next_attempt_at, ..delivery.clone() };
    Change::UpdateLogoutDelivery { delivery, seen_attempts }
}

pub fn initial_access_token(tenant: &TenantId, name: &str) -> InitialAccessToken {
    InitialAccessToken {
        tenant: tenant.clone(),
        hash: TokenHash::of(name),
        name: name.to_owned(),
        uses_left: Some(2),
        created_at: NOW,
        expires_at: Some(NOW + 3600),
    }
}

pub fn replay(number: u128) -> Replay {
    Replay { key: number.to_be_bytes(), now: NOW, until: NOW + 86_401 }
}

pub fn event(tenant: &TenantId, number: u128) -> AuditEvent {
    AuditEvent {
        tenant: tenant.clone(),
        id: id(number),
        at: NOW,
        kind: "authorize.accepted".into(),
        outcome: Outcome::Success,
        reason: None,
        correlation_id: "correlation".into(),
        client_id: None,
        user_id: None,
        actor: None,
        detail: object(json!({ "scope": "openid" })),
    }
}

/// A tenant with a client and a user.
#[derive(Debug)]
pub struct World {
    pub id: TenantId,
    pub tenant: Tenant,
    pub client: Client,
    pub user: User,
}

/// Puts a tenant with the client `app` and the user `ada` into the store.
pub async fn world(store: &Handle, name: &str) -> World {
    let tenant = tenant(name);
    let id = tenant.id.clone();
    let (client, user) = (client(&id, "app"), user(&id, 1, "ada"));
    let changes = [
        Change::InsertTenant(tenant.clone()),
        Change::InsertClient(client.clone()),
        Change::InsertUser(user.clone()),
    ];
    apply(store, &id, &changes).await;
    World { id, tenant, client, user }
}

impl World {
    /// A grant of the user to the client, with a code, in the store.
    pub async fn code(&self, store: &Handle, number: u128, secret: &str) -> (Grant, Code) {
        let grant = grant(&self.user, &self.client, number);
        let code = code(&grant, secret);
        let changes = [Change::InsertGrant(grant.clone()), Change::InsertCode(code.clone())];
        apply(store, &self.id, &changes).await;
        (grant, code)
    }

    /// A grant of the user to the client, with a refresh token, in the store.
    pub async fn refresh(&self, store: &Handle, number: u128, secret: &str) -> (Grant, RefreshToken) {
        let grant = grant(&self.user, &self.client, number);
        let token = refresh_token(&grant, secret);
        let changes = [Change::InsertGrant(grant.clone()), Change::InsertRefreshToken(token.clone())];
        apply(store, &self.id, &changes).await;
        (grant, token)
    }

    /// A grant of the user to the client, with an access token, in the store.
    pub async fn token(&self, store: &Handle, number: u128, secret: &str) -> (Grant, AccessToken) {
        let grant = grant(&self.user, &self.client, number);
        let token = access_token(&grant, secret);
        let changes = [Change::InsertGrant(grant.clone()), Change::InsertAccessToken(token.clone())];
        apply(store, &self.id, &changes).await;
        (grant, token)
    }
}
