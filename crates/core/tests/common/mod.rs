//! Records and keys for whole rules. Keys are made once per test program.
#![expect(clippy::unwrap_used, reason = "test support")]
#![expect(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};

use serde_json::{Map, Value, json};
use signet_core::context::{Context, Entropy};
use signet_core::ids::{ClientId, TenantId, TokenHash};
use signet_core::params::Params;
use signet_core::records::{
    Client, ClientAuthMethod, ClientKey, ClientSettings, KeyOrigin, Tenant, TenantSettings, User,
};
use signet_core::request_object::DecryptionKey;
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, PrivateKey, PublicKey, SealHeader, SigAlg, Verifier};
use uuid::Uuid;

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://op.example/t";
pub(crate) const CALLBACK: &str = "https://rp.example/cb";
pub(crate) const SECRET: &str = "a-secret-of-enough-length-0001";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Predictable entropy that never repeats.
#[derive(Debug, Default)]
pub(crate) struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let block = (self.0.fetch_add(1, Ordering::Relaxed) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&block.to_be_bytes()[..chunk.len()]);
        }
    }
}

static ENTROPY: LazyLock<Seeded> = LazyLock::new(Seeded::default);

pub(crate) fn at(now: i64) -> Context<'static> {
    Context { now, millis: 0, entropy: &*ENTROPY }
}

/// The key pair of this name and kind.
pub(crate) fn key(name: &'static str, spec: KeySpec) -> &'static PrivateKey {
    static KEYS: OnceLock<std::sync::Mutex<BTreeMap<&'static str, &'static PrivateKey>>> = OnceLock::new();
    let mut keys = KEYS.get_or_init(Default::default).lock().unwrap();
    keys.entry(name)
        .or_insert_with(|| Box::leak(Box::new(PrivateKey::generate(spec).unwrap().with_kid(name))))
}

/// The client's signing key.
pub(crate) fn rp_sig() -> &'static PrivateKey {
    key("rp-sig", KeySpec::Rsa2048)
}

/// The client's encryption key.
pub(crate) fn rp_enc() -> &'static PrivateKey {
    key("rp-enc", KeySpec::Rsa2048)
}

/// The provider's encryption key.
pub(crate) fn op_enc() -> &'static PrivateKey {
    key("op-enc", KeySpec::Rsa2048)
}

pub(crate) fn tenant() -> Tenant {
    Tenant {
        id: TenantId::from("t"),
        issuer: ISSUER.into(),
        version: 1,
        settings: TenantSettings::default(),
        pairwise_salt: [7; 32],
        created_at: 0,
    }
}

pub(crate) fn client(id: &str) -> Client {
    Client {
        tenant: "t".into(),
        client_id: ClientId::from(id),
        version: 1,
        disabled: false,
        secret_hash: Some(TokenHash::of(SECRET)),
        sealed_secret: None,
        registration_token: None,
        owner: None,
        settings: ClientSettings {
            client_name: id.into(),
            redirect_uris: vec![CALLBACK.into(), "https://rp.example/other".into()],
            token_endpoint_auth_method: ClientAuthMethod::ClientSecretPost,
            require_pkce: false,
            ..ClientSettings::default()
        },
        created_at: 0,
        updated_at: 0,
    }
}

pub(crate) fn user() -> User {
    let claims =
        json!({ "name": "Ada", "email": "ada@example.com", "email_verified": true, "phone_number": "+1" });
    User {
        tenant: "t".into(),
        id: Uuid::from_u128(7),
        username: "ada".into(),
        password_hash: None,
        claims: claims.as_object().unwrap().clone(),
        role: None,
        disabled: false,
        version: 1,
        created_at: 0,
        updated_at: 5,
    }
}

/// A record with the public part of `key`.
pub(crate) fn record(key: &PrivateKey, usage: KeyUse) -> ClientKey {
    let public = key.public_key().clone().with_use(usage);
    ClientKey {
        tenant: "t".into(),
        client_id: "c".into(),
        id: Uuid::from_u128(u128::from_str_radix(&hex(public.thumbprint()), 16).unwrap()),
        name: "key".into(),
        usage,
        kid: public.kid().unwrap().to_owned(),
        thumbprint: public.thumbprint().to_owned(),
        jwk: public.to_jwk(),
        not_before: None,
        not_after: None,
        origin: KeyOrigin::Jwk,
        created_at: 0,
        revoked_at: None,
    }
}

fn hex(text: &str) -> String {
    hex::encode(&text.as_bytes()[..text.len().min(15)])
}

/// A record that only the choice of keys looks at.
pub(crate) fn plain_key(kid: &str, usage: KeyUse, jwk: &Value) -> ClientKey {
    ClientKey {
        tenant: "t".into(),
        client_id: "c".into(),
        id: Uuid::from_u128(u128::from_str_radix(&hex(kid), 16).unwrap_or(1)),
        name: kid.into(),
        usage,
        kid: kid.into(),
        thumbprint: format!("tp-{kid}"),
        jwk: jwk.as_object().unwrap().clone(),
        not_before: None,
        not_after: None,
        origin: KeyOrigin::Jwk,
        created_at: 0,
        revoked_at: None,
    }
}

pub(crate) fn verifier(key: &ClientKey, alg: SigAlg) -> Option<Verifier> {
    PublicKey::from_jwk(&Value::Object(key.jwk.clone())).ok()?.verifier(alg).ok()
}

/// The provider's published decryption keys: one entry per algorithm.
pub(crate) fn decryption_keys() -> Vec<DecryptionKey> {
    [KeyAlg::RsaOaep, KeyAlg::RsaOaep256]
        .into_iter()
        .map(|alg| DecryptionKey {
            kid: format!("op-enc-{alg}"),
            alg,
            decrypter: op_enc().decrypter().unwrap(),
        })
        .collect()
}

pub(crate) fn sign(claims: &Value) -> String {
    sign_with(rp_sig(), SigAlg::RS256, None, claims)
}

pub(crate) fn sign_with(key: &PrivateKey, alg: SigAlg, typ: Option<&str>, claims: &Value) -> String {
    key.signer(alg).unwrap().sign(typ, &serde_json::to_vec(claims).unwrap()).unwrap()
}

/// Encrypted to the provider, with `kid` and `cty` as given.
pub(crate) fn seal_with(kid: &str, cty: Option<&str>, plaintext: &[u8]) -> String {
    let encrypter = op_enc().public_key().encrypter(KeyAlg::RsaOaep256).unwrap();
    let header = SealHeader { kid: Some(kid), cty, ..SealHeader::new(ContentAlg::A128CbcHs256) };
    encrypter.seal(&header, plaintext).unwrap()
}

pub(crate) fn nested(claims: &Value) -> String {
    seal_with("op-enc-RSA-OAEP-256", Some("JWT"), sign(claims).as_bytes())
}

/// The claims of a request object of client `c` that is in order.
pub(crate) fn object() -> Value {
    json!({
        "iss": "c", "aud": ISSUER, "iat": NOW, "exp": NOW + 600, "jti": "j-1",
        "client_id": "c", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid",
        "state": "inside",
    })
}

/// `value` with the members of `changes` set; `null` removes one.
pub(crate) fn with(value: &Value, changes: &Value) -> Value {
    let mut map = value.as_object().unwrap().clone();
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            map.remove(name);
        } else {
            map.insert(name.clone(), change.clone());
        }
    }
    Value::Object(map)
}

pub(crate) fn params(pairs: &[(&str, &str)]) -> Params {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Params::decode(&[form.as_bytes()]).unwrap()
}

pub(crate) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
