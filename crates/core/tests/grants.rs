//! Refresh tokens, clients that act for themselves, JWT access tokens, revocation and introspection as pure rules.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::*;
use serde_json::{Value, json};
use signet_core::authorize::{AuthorizationRequest, ClaimsRequest, RequestSource};
use signet_core::change::Change;
use signet_core::client_auth::{AuthenticatedClient, authenticate, presented};
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::introspection;
use signet_core::records::{
    AccessToken, AccessTokenFormat, Authentication, Client, ClientAuthMethod, GrantType, RefreshToken,
    ResponseMode, ResponseType, Tenant, User,
};
use signet_core::revocation;
use signet_core::token::{Chain, Facts, Issue, Outcome, RefreshFacts, Tools, client_credentials, refresh};
use signet_jose::SigAlg;
use uuid::Uuid;

const DAY: i64 = 86_400;

fn link() -> RefreshToken {
    let scope: BTreeSet<String> = ["openid", "email", "offline_access"].map(String::from).into();
    RefreshToken {
        tenant: "t".into(),
        hash: TokenHash::of("refresh"),
        grant_id: Uuid::from_u128(1),
        client_id: "c".into(),
        request: AuthorizationRequest {
            client_id: "c".into(),
            redirect_uri: CALLBACK.into(),
            response_type: ResponseType::Code,
            response_mode: ResponseMode::Query,
            device: None,
            claims_locales: vec![],
            display: None,
            hinted_subject: None,
            resources: BTreeSet::new(),
            scope: scope.clone(),
            state: None,
            nonce: Some("n-1".into()),
            code_challenge: None,
            prompt: [].into(),
            max_age: None,
            acr_values: Vec::new(),
            login_hint: Vec::new(),
            ui_locales: Vec::new(),
            claims: ClaimsRequest::default(),
            source: RequestSource::Parameters,
        },
        scope,
        authentication: Authentication {
            user_id: user().id,
            sid: "sid".into(),
            auth_time: NOW - 500,
            amr: vec!["pwd".into()],
            acr: "acr".into(),
        },
        correlation_id: "corr".into(),
        parent: None,
        rotations: 0,
        rotated_at: None,
        superseded_at: None,
        successor_used: false,
        issued_at: NOW - 400,
        expires_at: NOW + 400,
        chain_expires_at: NOW + 1000 * DAY,
    }
}

struct World {
    tenant: Tenant,
    client: Client,
    token: RefreshToken,
    user: User,
    form: Vec<(&'static str, String)>,
}

fn authenticated(client: &Client) -> AuthenticatedClient {
    let id = client.client_id.as_str();
    let form = match client.settings.token_endpoint_auth_method {
        ClientAuthMethod::None => params(&[("client_id", id)]),
        _ => params(&[("client_id", id), ("client_secret", SECRET)]),
    };
    authenticate(&presented(None, &form).unwrap(), Some(client)).unwrap()
}

impl World {
    fn new() -> Self {
        let mut client = client("c");
        client.settings.scope.insert("offline_access".into());
        client.settings.grant_types =
            [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials].into();
        Self { tenant: tenant(), client, token: link(), user: user(), form: vec![] }
    }

    fn with(edit: impl FnOnce(&mut Self)) -> Self {
        let mut world = Self::new();
        edit(&mut world);
        world
    }

    fn facts<T>(&self, run: impl FnOnce(Facts<'_>) -> T) -> T {
        let pairs: Vec<_> = self.form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let params = params(&pairs);
        let client = authenticated(&self.client);
        run(Facts {
            tenant: &self.tenant,
            client: &client,
            client_keys: &[],
            params: &params,
            correlation_id: "request-1",
        })
    }

    fn refresh(&self, now: i64) -> Outcome {
        self.facts(|facts| {
            let input = RefreshFacts { facts, token: Some(&self.token), user: Some(&self.user) };
            refresh(input, &at(now))
        })
    }

    fn for_itself(&self) -> Outcome {
        self.facts(|facts| client_credentials(facts, &at(NOW)))
    }
}

fn made(issue: Issue) -> (Value, AccessToken) {
    let signer = || Some(rp_sig().signer(SigAlg::RS256).unwrap());
    let made = issue.make(&Tools { id_token: signer(), access: signer(), encrypter: None }).unwrap();
    let Change::InsertAccessToken(token) = made.change else { panic!("{:?}", made.change) };
    (Value::Object(made.body), token)
}

fn part(jws: &Value, at: usize) -> Value {
    let part = jws.as_str().unwrap().split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn a_refresh_token_is_bound_and_its_state_decides_rfc6749_6_rfc9700_4_14_2() {
    type Edit = fn(&mut World);
    // Reason, whether the family ends, and what is different.
    let table: &[(&str, bool, Edit)] = &[
        ("refresh_token_foreign", false, |w| w.token.client_id = "d".into()),
        // Another client's attempt with a retired token ends nothing.
        ("refresh_token_foreign", false, |w| {
            w.token.client_id = "d".into();
            w.token.superseded_at = Some(NOW - 1);
        }),
        ("refresh_token_expired", false, |w| w.token.expires_at = NOW),
        ("refresh_token_expired", false, |w| w.token.chain_expires_at = NOW),
        ("refresh_token_unknown", false, |w| w.user.disabled = true),
        ("refresh_token_unknown", false, |w| w.user.id = Uuid::from_u128(9)),
        ("refresh_token_reused", true, |w| w.token.superseded_at = Some(NOW - 1)),
        ("refresh_token_reused", true, |w| (w.token.rotations, w.token.rotated_at) = (1, Some(NOW - 30))),
        ("refresh_token_reused", true, |w| {
            (w.token.rotations, w.token.rotated_at) = (1, Some(NOW - 1));
            w.token.successor_used = true;
        }),
        ("refresh_token_reused", true, |w| {
            (w.token.rotations, w.token.rotated_at) = (1, Some(NOW));
            w.client.settings.lifetimes.refresh_token_grace = 0;
        }),
        // Retired and expired as well: still a sign that two parties have it.
        ("refresh_token_reused", true, |w| {
            (w.token.rotations, w.token.rotated_at) = (1, Some(NOW - 300));
            w.token.expires_at = NOW - 1;
        }),
        ("grant_scope_exceeded", false, |w| w.form.push(("scope", "openid profile".into()))),
        ("resource_not_allowed", false, |w| w.form.push(("resource", "https://api.example".into()))),
        ("encryption_key_missing", false, |w| {
            w.client.settings.id_token.encrypted = Some(signet_core::records::Encryption {
                alg: signet_jose::KeyAlg::RsaOaep,
                enc: signet_jose::ContentAlg::A128CbcHs256,
            });
        }),
    ];
    for (row, (reason, revoked, edit)) in table.iter().enumerate() {
        let outcome = World::with(edit).refresh(NOW);
        assert_eq!(outcome.reply.unwrap_err().code(), *reason, "row {row}");
        match (revoked, outcome.changes.as_slice()) {
            (true, [Change::RevokeGrant { id, at: NOW }, Change::Audit(event)]) => {
                assert_eq!((*id, event.correlation_id.as_str()), (link().grant_id, "corr"), "row {row}");
            }
            (false, [Change::Audit(event)]) => assert_eq!(event.reason.as_deref(), Some(*reason)),
            other => panic!("row {row}: {other:?}"),
        }
    }
}

#[test]
fn a_use_gives_a_successor_and_the_same_login_core_12_2() {
    let outcome = World::new().refresh(NOW);
    let [
        Change::RotateRefreshToken { hash, rotations: 0, at: NOW, .. },
        Change::InsertRefreshToken(next),
        Change::Audit(_),
    ] = outcome.changes.as_slice()
    else {
        panic!("{:?}", outcome.changes)
    };
    assert_eq!((*hash, next.parent), (link().hash, Some(link().hash)));
    assert_eq!((next.rotations, next.expires_at), (0, NOW + 14 * DAY));
    assert_eq!((next.chain_expires_at, &next.scope), (link().chain_expires_at, &link().scope));
    let next = next.hash;
    let (body, token) = made(outcome.reply.unwrap());
    assert!(next.matches(body["refresh_token"].as_str().unwrap()));
    assert_eq!((token.grant_id, token.user_id), (link().grant_id, Some(user().id)));
    let claims = part(&body["id_token"], 1);
    let expected = json!({
        "iss": ISSUER, "sub": user().id.to_string(), "aud": "c", "iat": NOW, "exp": NOW + 600,
        "auth_time": NOW - 500, "acr": "acr", "amr": ["pwd"], "sid": "sid",
        "at_hash": SigAlg::RS256.half_hash(body["access_token"].as_str().unwrap().as_bytes()),
    });
    assert_eq!(claims, expected, "no nonce: section 12.2");
    assert_eq!(body["scope"], "email offline_access openid");
}

#[test]
fn a_lost_response_may_be_asked_for_again_within_the_grace() {
    let retry = |since: i64| {
        World::with(|w| (w.token.rotations, w.token.rotated_at) = (2, Some(NOW - since))).refresh(NOW)
    };
    let outcome = retry(29);
    assert!(outcome.reply.is_ok());
    // The write supersedes the unused successor: it names the count that was seen.
    assert!(matches!(outcome.changes[0], Change::RotateRefreshToken { rotations: 2, .. }));
    assert_eq!(retry(30).reply.unwrap_err(), Fault::RefreshReused);
}

#[test]
fn the_sliding_end_never_passes_the_absolute_one() {
    let world = World::with(|w| w.token.chain_expires_at = NOW + DAY);
    let outcome = world.refresh(NOW);
    let Change::InsertRefreshToken(next) = &outcome.changes[1] else { panic!() };
    assert_eq!((next.expires_at, next.chain_expires_at), (NOW + DAY, NOW + DAY));
}

#[test]
fn without_rotation_the_token_is_prolonged_but_never_a_public_clients_rfc9700_2_2_2() {
    let mut world = World::with(|w| w.client.settings.refresh_token_rotation = false);
    let outcome = world.refresh(NOW);
    let [Change::ProlongRefreshToken { expires_at, .. }, Change::Audit(_)] = outcome.changes.as_slice()
    else {
        panic!("{:?}", outcome.changes)
    };
    assert_eq!(*expires_at, NOW + 14 * DAY);
    assert!(outcome.reply.unwrap().refresh_token.is_none(), "the one it has stays good");
    world.client.settings.token_endpoint_auth_method = ClientAuthMethod::None;
    world.client.secret_hash = None;
    assert!(matches!(world.refresh(NOW).changes[0], Change::RotateRefreshToken { .. }));
}

#[test]
fn scope_may_be_narrowed_for_one_use_and_what_was_taken_away_is_gone_rfc6749_6() {
    let narrow = World::with(|w| w.form.push(("scope", "email".into())));
    let outcome = narrow.refresh(NOW);
    let Change::InsertRefreshToken(next) = &outcome.changes[1] else { panic!() };
    assert_eq!(next.scope, link().scope, "the chain keeps its scope");
    let (body, token) = made(outcome.reply.unwrap());
    assert_eq!((&body["scope"], token.scope), (&json!("email"), ["email".to_owned()].into()));
    assert!(body.get("id_token").is_none(), "openid was not asked for");
    let outcome = World::with(|w| {
        w.client.settings.scope.remove("email");
    });
    assert_eq!(made(outcome.refresh(NOW).reply.unwrap()).0["scope"], "offline_access openid");
}

#[test]
fn a_chain_starts_for_registered_clients_and_ends_with_the_session_unless_offline_core_11() {
    let world = World::new();
    let start = |world: &World, scope: &[&str]| {
        let scope = scope.iter().map(|name| (*name).to_owned()).collect();
        let link = link();
        let chain = Chain {
            tenant: &world.tenant,
            client: &world.client,
            grant_id: link.grant_id,
            request: &link.request,
            scope: &scope,
            authentication: &link.authentication,
            correlation_id: "corr",
        };
        chain.start(&at(NOW)).map(|(secret, change)| {
            let Change::InsertRefreshToken(link) = change else { panic!("{change:?}") };
            assert!(link.hash.matches(&secret) && secret.starts_with("sgn_rt_"));
            (link.expires_at - NOW, link.chain_expires_at - NOW)
        })
    };
    assert_eq!(start(&world, &["openid", "offline_access"]), Some((14 * DAY, 90 * DAY)));
    let session = world.tenant.settings.session_lifetime - 500;
    assert_eq!(start(&world, &["openid"]), Some((session, session)));
    let without = World::with(|w| w.client.settings.grant_types = [GrantType::AuthorizationCode].into());
    assert_eq!(start(&without, &["openid", "offline_access"]), None);
}

#[test]
fn a_client_acts_for_itself_within_its_scope_rfc6749_4_4() {
    let asked = |scope: &str| {
        let world = World::with(|w| {
            w.client.settings.scope =
                ["openid", "profile", "offline_access", "orders:read"].map(String::from).into();
            w.form.push(("scope", scope.into()));
        });
        world.for_itself()
    };
    let outcome = asked("");
    let [Change::InsertGrant(grant), Change::Audit(_)] = outcome.changes.as_slice() else {
        panic!("{:?}", outcome.changes)
    };
    assert_eq!((grant.user_id, grant.sid.as_deref()), (None, None));
    let grant = grant.id;
    let (body, token) = made(outcome.reply.unwrap());
    assert_eq!((token.user_id, token.grant_id), (None, grant));
    assert_eq!(body["scope"], "orders:read", "by default nothing that is about a person");
    assert!(body.get("id_token").is_none() && body.get("refresh_token").is_none());
    assert_eq!(made(asked("profile orders:read").reply.unwrap()).0["scope"], "orders:read profile");
    for (scope, reason) in [
        ("openid", "scope_needs_user"),
        ("orders:read offline_access", "scope_needs_user"),
        ("orders:write", "scope_not_allowed"),
    ] {
        assert_eq!(asked(scope).reply.unwrap_err().code(), reason, "{scope}");
    }
    let public = World::with(|w| {
        w.client.settings.token_endpoint_auth_method = ClientAuthMethod::None;
        w.client.secret_hash = None;
    });
    assert_eq!(public.for_itself().reply.unwrap_err().wire(), "unauthorized_client");
}

#[test]
fn jwt_access_tokens_have_what_rfc9068_2_asks_for() {
    let mut world = World::with(|w| {
        w.client.settings.access_token_format = AccessTokenFormat::Jwt;
        w.client.settings.resources = ["https://a.example".to_owned(), "https://b.example".to_owned()].into();
        w.form.push(("resource", "https://a.example".into()));
    });
    let (body, token) = made(world.refresh(NOW).reply.unwrap());
    let jwt = &body["access_token"];
    assert_eq!(part(jwt, 0), json!({ "alg": "RS256", "kid": "rp-sig", "typ": "at+jwt" }));
    let claims = part(jwt, 1);
    let jti = claims["jti"].as_str().unwrap();
    assert_eq!(jti.len(), 22);
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": user().id.to_string(), "aud": "https://a.example", "client_id": "c",
            "iat": NOW, "exp": NOW + 600, "jti": jti, "scope": "email offline_access openid",
            "auth_time": NOW - 500, "acr": "acr", "amr": ["pwd"],
        })
    );
    assert!(token.hash.matches(jwt.as_str().unwrap()), "stored under the hash of the whole token");
    assert_eq!(token.audience, ["https://a.example".to_owned()].into());
    world.form.push(("resource", "https://b.example".into()));
    let (body, _) = made(world.refresh(NOW).reply.unwrap());
    assert_eq!(part(&body["access_token"], 1)["aud"], json!(["https://a.example", "https://b.example"]));
    world.form.clear();
    let (body, _) = made(world.for_itself().reply.unwrap());
    let claims = part(&body["access_token"], 1);
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("c"), &json!(ISSUER)));
    assert!(claims.get("auth_time").is_none() && claims.get("scope").is_none());
    // Never unsigned, and never with another algorithm than planned.
    let other = || Some(key("other", signet_jose::KeySpec::P256).signer(SigAlg::ES256).unwrap());
    for access in [None, other()] {
        let tools = Tools { access, ..Tools::default() };
        assert!(world.for_itself().reply.unwrap().make(&tools).is_err());
    }
}

fn access() -> AccessToken {
    AccessToken {
        tenant: "t".into(),
        hash: TokenHash::of("access"),
        grant_id: Uuid::from_u128(1),
        client_id: "c".into(),
        user_id: Some(user().id),
        scope: ["openid", "profile"].map(String::from).into(),
        claims: BTreeSet::new(),
        audience: BTreeSet::new(),
        actor: None,
        issued_at: NOW - 10,
        expires_at: NOW + 10,
    }
}

#[test]
fn revocation_ends_ones_own_tokens_only_rfc7009_2_1() {
    let tenant = tenant();
    let run = |id: &str, access: Option<&AccessToken>, refresh: Option<&RefreshToken>| {
        let client = authenticated(&client(id));
        let input =
            revocation::Input { tenant: &tenant, client: &client, access, refresh, correlation_id: "r-1" };
        revocation::revoke(input, &at(NOW))
    };
    let outcome = run("c", Some(&access()), None);
    assert!(
        matches!(outcome.changes.as_slice(), [Change::DeleteAccessToken(hash), Change::Audit(_)] if *hash == access().hash)
    );
    // A refresh token ends its grant, whichever link of the chain it is.
    for superseded_at in [None, Some(NOW - 5)] {
        let outcome = run("c", None, Some(&RefreshToken { superseded_at, ..link() }));
        assert!(matches!(
            outcome.changes.as_slice(),
            [Change::RevokeGrant { at: NOW, .. }, Change::Audit(_)]
        ));
        assert_eq!(outcome.reply, Ok(()));
    }
    let outcome = run("c", None, None);
    assert!(outcome.changes.is_empty() && outcome.reply.is_ok(), "section 2.2: unknown tokens are no error");
    for (access, refresh) in [(Some(access()), None), (None, Some(link()))] {
        let outcome = run("d", access.as_ref(), refresh.as_ref());
        assert_eq!(outcome.reply.unwrap_err().wire(), "invalid_grant");
        assert!(matches!(outcome.changes.as_slice(), [Change::Audit(_)]));
    }
}

fn introspect(caller: &Client, token: introspection::Token<'_>, client: &Client, user: &User) -> Value {
    let (tenant, caller) = (tenant(), authenticated(caller));
    let input = introspection::Input {
        tenant: &tenant,
        caller: &caller,
        caller_keys: &[],
        token,
        client: Some(client),
        user: Some(user),
    };
    Value::Object(introspection::answer(&input, NOW))
}

#[test]
fn introspection_tells_owner_and_resource_server_rfc7662_2_2() {
    use introspection::Token::{Access, Refresh, Unknown};
    let (own, other) = (client("c"), client("d"));
    let token = access();
    let answer = introspect(&own, Access(&token), &own, &user());
    let expected = json!({
        "active": true, "iss": ISSUER, "client_id": "c", "sub": user().id.to_string(), "iat": NOW - 10,
        "exp": NOW + 10, "scope": "openid profile", "username": "ada", "token_type": "Bearer", "aud": ISSUER,
    });
    assert_eq!(answer, expected);
    let inactive = json!({ "active": false });
    assert_eq!(introspect(&other, Access(&token), &own, &user()), inactive, "nobody else's business");
    // A resource server: by its client_id or by a resource that is registered for it.
    let for_other = |audience: &str| AccessToken { audience: [audience.to_owned()].into(), ..access() };
    assert_eq!(introspect(&other, Access(&for_other("d")), &own, &user())["aud"], "d");
    let mut api = client("d");
    api.settings.resources.insert("https://api.example".into());
    let answer = introspect(&api, Access(&for_other("https://api.example")), &own, &user());
    assert_eq!((&answer["active"], &answer["aud"]), (&json!(true), &json!("https://api.example")));
    // Without `profile` there is no name.
    let narrow = AccessToken { scope: ["openid".to_owned()].into(), ..access() };
    assert_eq!(introspect(&own, Access(&narrow), &own, &user()).get("username"), None);
    // Whatever is wrong looks alike.
    let ended = AccessToken { expires_at: NOW, ..access() };
    assert_eq!(introspect(&own, Unknown, &own, &user()), inactive);
    assert_eq!(introspect(&own, Access(&ended), &own, &user()), inactive);
    assert_eq!(introspect(&own, Access(&token), &own, &User { disabled: true, ..user() }), inactive);
    assert_eq!(
        introspect(&own, Access(&token), &Client { disabled: true, ..client("c") }, &user()),
        inactive
    );
    let answer = introspect(&own, Refresh(&link()), &own, &user());
    assert_eq!((&answer["active"], answer.get("token_type")), (&json!(true), None));
    for dead in [
        RefreshToken { rotations: 1, rotated_at: Some(NOW), ..link() },
        RefreshToken { superseded_at: Some(NOW), ..link() },
        RefreshToken { expires_at: NOW, ..link() },
        RefreshToken { chain_expires_at: NOW, ..link() },
    ] {
        assert_eq!(introspect(&own, Refresh(&dead), &own, &user()), inactive);
    }
    let mut named = client("d");
    named.settings.resources.insert(ISSUER.into());
    assert_eq!(introspect(&named, Refresh(&link()), &own, &user()), inactive, "its own client's alone");
}

#[test]
fn the_form_of_an_introspection_is_the_callers_registration_rfc9701_4() {
    let encryption = signet_core::records::Encryption {
        alg: signet_jose::KeyAlg::RsaOaep256,
        enc: signet_jose::ContentAlg::A256Gcm,
    };
    let form = |client: &Client, keys: &[_], accepts: bool| {
        let (tenant, caller) = (tenant(), authenticated(client));
        let input = introspection::Input {
            tenant: &tenant,
            caller: &caller,
            caller_keys: keys,
            token: introspection::Token::Unknown,
            client: None,
            user: None,
        };
        introspection::form(&input, accepts, introspection::answer(&input, NOW), NOW)
    };
    let mut client = client("c");
    assert!(form(&client, &[], false).unwrap().protection.is_none());
    let jwt = form(&client, &[], true).unwrap();
    assert_eq!(jwt.protection.unwrap().signed, Some(SigAlg::RS256));
    let expected =
        json!({ "iss": ISSUER, "aud": "c", "iat": NOW, "token_introspection": { "active": false } });
    assert_eq!(Value::Object(jwt.claims), expected);
    client.settings.introspection.encrypted = Some(encryption);
    let keys = [record(rp_enc(), signet_jose::KeyUse::Enc)];
    for accepts in [true, false] {
        let protection = form(&client, &keys, accepts).unwrap().protection.unwrap();
        assert!(
            protection.signed.is_some() && protection.encrypted.is_some(),
            "never JSON, never in the clear"
        );
        assert_eq!(form(&client, &[], accepts).unwrap_err(), Fault::EncryptionKeyMissing);
    }
    let mut public = common::client("p");
    public.settings.token_endpoint_auth_method = ClientAuthMethod::None;
    public.secret_hash = None;
    assert_eq!(introspection::admit(&authenticated(&public)), Err(Fault::IntrospectionPublic));
}
