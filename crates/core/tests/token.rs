//! Code redemption, UserInfo, and how responses are protected.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::*;
use serde_json::{Value, json};
use signet_core::authorize::{AuthorizationRequest, ClaimRequest, ClaimsRequest, RequestSource};
use signet_core::change::Change;
use signet_core::client_auth::{authenticate, presented};
use signet_core::fault::Fault;
use signet_core::ids::TokenHash;
use signet_core::records::{
    AccessToken, Authentication, Client, ClientKey, Code, Encryption, GrantType, ResponseMode, ResponseType,
    Tenant, User, UserInfoResponseType,
};
use signet_core::response::protect;
use signet_core::token::{CodeFacts, Facts, Issue, Made, Outcome, Tools, code_parameter, grant_type, redeem};
use signet_core::userinfo;
use signet_jose::{Compact, ContentAlg, KeyAlg, KeyUse, Limits, SigAlg, parse, parse_nested};
use uuid::Uuid;

struct World {
    tenant: Tenant,
    client: Client,
    keys: Vec<ClientKey>,
    code: Code,
    user: User,
    form: Vec<(&'static str, String)>,
}

fn code() -> Code {
    Code {
        tenant: "t".into(),
        hash: TokenHash::of("code"),
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
            scope: ["openid", "email"].map(String::from).into(),
            state: None,
            nonce: Some("n-1".into()),
            code_challenge: Some(CHALLENGE.into()),
            prompt: [].into(),
            max_age: None,
            acr_values: Vec::new(),
            login_hint: Vec::new(),
            ui_locales: Vec::new(),
            claims: ClaimsRequest::default(),
            source: RequestSource::Parameters,
        },
        scope: ["openid", "email"].map(String::from).into(),
        authentication: Authentication {
            user_id: user().id,
            sid: "sid".into(),
            auth_time: NOW - 30,
            amr: vec!["pwd".into()],
            acr: "acr".into(),
        },
        correlation_id: "corr".into(),
        issued_at: NOW - 10,
        expires_at: NOW + 50,
        redeemed_at: None,
    }
}

impl World {
    fn new() -> Self {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", "code"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_secret", SECRET),
        ];
        Self {
            tenant: tenant(),
            client: client("c"),
            keys: Vec::new(),
            code: code(),
            user: user(),
            form: form.map(|(name, value)| (name, value.to_owned())).to_vec(),
        }
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.form.retain(|(other, _)| *other != name);
        self.form.push((name, value.to_owned()));
    }

    fn run(&self, known: bool) -> Outcome {
        let id = self.client.client_id.to_string();
        let mut pairs: Vec<_> = self.form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.push(("client_id", &id));
        let params = params(&pairs);
        let client = authenticate(&presented(None, &params).unwrap(), Some(&self.client)).unwrap();
        let facts = Facts {
            tenant: &self.tenant,
            client: &client,
            client_keys: &self.keys,
            params: &params,
            correlation_id: "request-1",
        };
        redeem(CodeFacts { facts, code: known.then_some(&self.code), user: Some(&self.user) }, &at(NOW))
    }
}

/// The tokens, made with keys that stand for the tenant's.
fn made(issue: Issue) -> (Made, AccessToken) {
    let tools = Tools { id_token: Some(rp_sig().signer(SigAlg::RS256).unwrap()), ..Tools::default() };
    let made = issue.make(&tools).unwrap();
    let Change::InsertAccessToken(token) = &made.change else { panic!("{:?}", made.change) };
    let token = token.clone();
    (made, token)
}

fn claims_of(jws: &Value) -> Value {
    let payload = jws.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

type Edit = fn(&mut World);

#[test]
fn every_binding_of_a_code_is_checked_rfc6749_4_1_3() {
    let table: &[(&str, &str, Edit)] = &[
        ("code_foreign", "invalid_grant", |w| w.client.client_id = "d".into()),
        ("code_redirect_uri_missing", "invalid_request", |w| w.set("redirect_uri", "")),
        ("code_redirect_uri_mismatch", "invalid_grant", |w| {
            w.set("redirect_uri", "https://rp.example/other");
        }),
        ("code_verifier_missing", "invalid_grant", |w| w.set("code_verifier", "")),
        ("code_verifier_wrong", "invalid_grant", |w| w.set("code_verifier", &"x".repeat(43))),
        ("code_verifier_malformed", "invalid_grant", |w| w.set("code_verifier", "short")),
        ("code_verifier_unexpected", "invalid_grant", |w| w.code.request.code_challenge = None),
        ("code_expired", "invalid_grant", |w| w.code.expires_at = NOW),
        ("code_unknown", "invalid_grant", |w| w.user.disabled = true),
        ("code_unknown", "invalid_grant", |w| w.user.id = Uuid::from_u128(8)),
        ("encryption_key_missing", "unauthorized_client", |w| {
            w.client.settings.id_token.encrypted =
                Some(Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 });
        }),
        // Bindings come before the code's own state: who cannot show them ends nobody's tokens.
        ("code_foreign", "invalid_grant", |w| {
            w.client.client_id = "d".into();
            w.code.redeemed_at = Some(NOW - 1);
        }),
        ("code_verifier_wrong", "invalid_grant", |w| {
            w.set("code_verifier", &"x".repeat(43));
            w.code.redeemed_at = Some(NOW - 1);
        }),
    ];
    for (index, (code, wire, edit)) in table.iter().enumerate() {
        let mut world = World::new();
        edit(&mut world);
        let outcome = world.run(true);
        let fault = outcome.reply.expect_err("refused");
        assert_eq!((fault.code(), fault.wire()), (*code, *wire), "row {index}");
        let [Change::Audit(event)] = outcome.changes.as_slice() else {
            panic!("row {index}: {:?}", outcome.changes)
        };
        assert_eq!((event.reason.as_deref(), event.correlation_id.as_str()), (Some(*code), "corr"));
    }
    let outcome = World::new().run(false);
    assert_eq!(outcome.reply.expect_err("refused"), Fault::CodeUnknown);
}

#[test]
fn a_replayed_code_revokes_its_grant_rfc6749_4_1_2() {
    let mut world = World::new();
    world.code.redeemed_at = Some(NOW - 5);
    for expires_at in [NOW + 50, NOW - 1] {
        world.code.expires_at = expires_at;
        let outcome = world.run(true);
        assert_eq!(outcome.reply.expect_err("refused"), Fault::CodeReplayed);
        let [Change::RevokeGrant { id, at: NOW }, Change::Audit(_)] = outcome.changes.as_slice() else {
            panic!()
        };
        assert_eq!(*id, world.code.grant_id);
    }
}

#[test]
fn a_code_gives_an_access_token_and_an_id_token_core_3_1_3_3() {
    let mut world = World::new();
    let email = [("email".to_owned(), ClaimRequest::default())];
    world.code.request.claims = ClaimsRequest { userinfo: [].into(), id_token: email.into() };
    let outcome = world.run(true);
    let [Change::RedeemCode { hash, client_id, at: NOW }, Change::Audit(_)] = outcome.changes.as_slice()
    else {
        panic!("{:?}", outcome.changes)
    };
    assert_eq!((*hash, client_id.as_str()), (world.code.hash, "c"));
    let issue = outcome.reply.unwrap();
    let protection = &issue.id_token.as_ref().unwrap().protection;
    assert_eq!(protection.signed, Some(SigAlg::RS256));
    assert!(protection.encrypted.is_none());
    let (made, token) = made(issue);
    let access_token = made.body["access_token"].as_str().unwrap();
    assert!(token.hash.matches(access_token));
    assert_eq!(
        (token.grant_id, token.expires_at, &made.body["expires_in"]),
        (world.code.grant_id, NOW + 600, &json!(600))
    );
    let at_hash = SigAlg::RS256.half_hash(access_token.as_bytes());
    let expected = json!({
        "iss": ISSUER, "sub": user().id.to_string(), "aud": "c", "iat": NOW, "exp": NOW + 600,
        "auth_time": NOW - 30, "acr": "acr", "amr": ["pwd"], "sid": "sid", "nonce": "n-1", "at_hash": at_hash,
        "email": "ada@example.com",
    });
    assert_eq!(claims_of(&made.body["id_token"]), expected);
    assert!(!made.body.contains_key("refresh_token"), "only for clients registered for the grant");
}

#[test]
fn id_token_settings_are_kept_a67_a91() {
    let mut world = World::new();
    let encryption = Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 };
    world.client.settings.id_token.encrypted = Some(encryption);
    world.client.settings.id_token.include_scope_claims = true;
    world.client.settings.id_token.signed = SigAlg::ES256;
    world.keys = vec![record(rp_enc(), KeyUse::Enc)];
    let draft = world.run(true).reply.unwrap().id_token.unwrap();
    let (found, key) = draft.protection.encrypted.unwrap();
    assert_eq!((found, key.kid.as_str()), (encryption, "rp-enc"));
    assert_eq!(draft.protection.signed, Some(SigAlg::ES256));
    assert_eq!(draft.claims["email_verified"], true);
    assert!(!draft.claims.contains_key("name"), "profile was not granted");
}

#[test]
fn the_grant_type_is_judged_before_anything_is_looked_up_rfc6749_5_2() {
    let judge = |pairs: &[(&str, &str)]| {
        let form = params(&[&[("client_id", "c"), ("client_secret", SECRET)], pairs].concat());
        let client = authenticate(&presented(None, &form).unwrap(), Some(&client("c"))).unwrap();
        grant_type(&form, &client).map(GrantType::name)
    };
    assert_eq!(judge(&[]), Err(Fault::GrantTypeMissing));
    for unknown in ["password", "implicit", "Authorization_Code"] {
        assert_eq!(judge(&[("grant_type", unknown)]), Err(Fault::GrantTypeUnsupported), "{unknown}");
    }
    for other in ["refresh_token", "client_credentials"] {
        assert_eq!(judge(&[("grant_type", other)]), Err(Fault::GrantTypeNotAllowed), "{other}");
    }
    assert_eq!(judge(&[("grant_type", "authorization_code")]), Ok("authorization_code"));
    assert_eq!(code_parameter(&params(&[])), Err(Fault::CodeMissing));
    assert_eq!(code_parameter(&params(&[("code", "x")])), Ok("x"));
}

#[test]
fn an_unsigned_id_token_needs_client_and_tenant_and_the_code_flow_core_2() {
    let mut world = World::new();
    world.client.settings.id_token.unsigned = true;
    world.tenant.settings.unsigned_id_tokens = true;
    let (made, _) = made(world.run(true).reply.unwrap());
    let token = made.body["id_token"].as_str().unwrap();
    assert!(token.starts_with("eyJhbGciOiJub25lIi") && token.ends_with('.'), "{token}");
    assert_eq!(claims_of(&made.body["id_token"]).get("at_hash"), None);
    let signed: [Edit; 4] = [
        |w| w.client.settings.id_token.unsigned = false,
        |w| w.tenant.settings.unsigned_id_tokens = false,
        |w| w.code.request.response_type = ResponseType::CodeIdToken,
        |w| {
            w.keys = vec![record(rp_enc(), KeyUse::Enc)];
            w.client.settings.id_token.encrypted =
                Some(Encryption { alg: KeyAlg::RsaOaep, enc: ContentAlg::A128CbcHs256 });
        },
    ];
    for (row, edit) in signed.iter().enumerate() {
        let mut world = World::new();
        world.client.settings.id_token.unsigned = true;
        world.tenant.settings.unsigned_id_tokens = true;
        edit(&mut world);
        let draft = world.run(true).reply.unwrap().id_token.unwrap();
        assert_eq!(draft.protection.signed, Some(SigAlg::RS256), "row {row}");
    }
}

fn token() -> AccessToken {
    AccessToken {
        tenant: "t".into(),
        hash: TokenHash::of("token"),
        grant_id: Uuid::from_u128(1),
        client_id: "c".into(),
        user_id: Some(user().id),
        scope: ["openid", "email"].map(String::from).into(),
        claims: ["phone_number".to_owned(), "password_hash".to_owned()].into(),
        audience: BTreeSet::new(),
        actor: None,
        issued_at: NOW - 10,
        expires_at: NOW + 10,
    }
}

type Answered = Result<userinfo::Answer, &'static str>;

fn answer(token: Option<&AccessToken>, client: &Client, keys: &[ClientKey], user: &User) -> Answered {
    let tenant = tenant();
    let input =
        userinfo::Input { tenant: &tenant, token, client: Some(client), client_keys: keys, user: Some(user) };
    userinfo::answer(&input, NOW).map_err(|fault| fault.code())
}

#[test]
fn userinfo_gives_what_was_granted_and_nothing_else_core_5_3_2() {
    let client = client("c");
    let answer = answer(Some(&token()), &client, &[], &user()).unwrap();
    let expected = json!({
        "sub": user().id.to_string(), "email": "ada@example.com", "email_verified": true, "phone_number": "+1",
    });
    assert_eq!(Value::Object(answer.claims), expected);
    assert!(answer.protection.signed.is_none() && answer.protection.encrypted.is_none());
}

#[test]
fn userinfo_refuses_by_name_rfc6750_3_1() {
    let good = client("c");
    let fault = |token: Option<&AccessToken>, client: &Client, user: &User| {
        answer(token, client, &[], user).map(|_| ()).unwrap_err()
    };
    assert_eq!(fault(None, &good, &user()), "token_unknown");
    let ended = AccessToken { expires_at: NOW, ..token() };
    assert_eq!(fault(Some(&ended), &good, &user()), "access_token_expired");
    let narrow = AccessToken { scope: [].into(), ..token() };
    assert_eq!(fault(Some(&narrow), &good, &user()), "scope_insufficient");
    // RFC 9068 section 4: a token for another resource server opens nothing here; one that names us too does.
    let elsewhere = |uris: &[&str]| AccessToken {
        audience: uris.iter().map(|uri| (*uri).to_owned()).collect(),
        ..token()
    };
    assert_eq!(fault(Some(&elsewhere(&["https://api.example"])), &good, &user()), "token_for_other_resource");
    assert!(answer(Some(&elsewhere(&["https://api.example", ISSUER])), &good, &[], &user()).is_ok());
    let of_client = AccessToken { user_id: None, ..token() };
    assert_eq!(fault(Some(&of_client), &good, &user()), "token_of_client");
    let disabled = Client { disabled: true, ..client("c") };
    assert_eq!(fault(Some(&token()), &disabled, &user()), "token_unknown");
    assert_eq!(fault(Some(&token()), &client("d"), &user()), "token_unknown");
    assert_eq!(fault(Some(&token()), &good, &User { disabled: true, ..user() }), "user_gone");
    assert_eq!(fault(Some(&token()), &good, &User { id: Uuid::from_u128(8), ..user() }), "user_gone");
}

#[test]
fn userinfo_is_protected_as_set_or_not_given_a88_a98_a101() {
    let encryption = Encryption { alg: KeyAlg::RsaOaep256, enc: ContentAlg::A256Gcm };
    for form in UserInfoResponseType::ALL.iter().copied() {
        let mut client = client("c");
        client.settings.userinfo.response_type = form;
        client.settings.userinfo.encrypted = Some(encryption);
        let keys = [record(rp_enc(), KeyUse::Enc)];
        let found = answer(Some(&token()), &client, &keys, &user()).unwrap();
        assert_eq!(found.protection.signed.is_some(), form.is_signed());
        assert_eq!(found.protection.encrypted.is_some(), form.is_encrypted());
        assert_eq!(found.claims.contains_key("iss") && found.claims["aud"] == "c", form.is_signed());
        if form.is_encrypted() {
            for keys in [vec![], vec![ClientKey { not_after: Some(NOW), ..keys[0].clone() }]] {
                assert_eq!(
                    answer(Some(&token()), &client, &keys, &user()).unwrap_err(),
                    "response_key_missing"
                );
            }
            client.settings.userinfo.encrypted = None;
            assert_eq!(answer(Some(&token()), &client, &keys, &user()).unwrap_err(), "response_key_missing");
        }
    }
}

#[test]
fn protection_signs_then_encrypts_a95() {
    let claims = map(json!({"sub": "x"}));
    let signer = rp_sig().signer(SigAlg::RS256).unwrap();
    let encrypter = rp_enc().public_key().encrypter(KeyAlg::RsaOaep).unwrap();
    let decrypter = rp_enc().decrypter().unwrap();
    let enc = Some(ContentAlg::A128CbcHs256);
    let limits = Limits::default();
    let open = |token: &str| {
        let Compact::Jwe(jwe) = parse(token, &limits).unwrap() else { panic!("a JWS") };
        (jwe.header().clone(), decrypter.open(&jwe).unwrap())
    };

    let jws = protect(&claims, None, Some(&signer), None).unwrap();
    assert!(matches!(parse(&jws, &limits).unwrap(), Compact::Jws(_)));
    let (header, inside) = open(&protect(&claims, enc, Some(&signer), Some(&encrypter)).unwrap());
    assert_eq!(
        (header.kid.as_deref(), header.cty.as_deref(), header.typ.as_deref()),
        (Some("rp-enc"), Some("JWT"), Some("JWT"))
    );
    assert_eq!(parse_nested(&inside, &limits).unwrap().header().kid.as_deref(), Some("rp-sig"));
    let (header, inside) = open(&protect(&claims, enc, None, Some(&encrypter)).unwrap());
    assert_eq!(header.cty, None);
    assert_eq!(serde_json::from_slice::<Value>(&inside).unwrap(), Value::Object(claims.clone()));
    // Neither signed nor encrypted is not a JWT, and an encrypter without enc makes nothing.
    assert!(protect(&claims, enc, None, None).is_err());
    assert!(protect(&claims, enc, Some(&signer), None).is_err(), "never unencrypted instead");
    assert!(protect(&claims, None, None, Some(&encrypter)).is_err());
    assert!(protect(&claims, None, Some(&signer), Some(&encrypter)).is_err());
}
