//! Keys made once per test program, and short ways to make and break tokens.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test support")]
#![expect(dead_code, reason = "each test program uses a part")]

pub(crate) mod craft;
pub(crate) mod mutate;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use signet_jose::*;

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const ISSUER: &str = "client-1";
pub(crate) const AUDIENCE: &str = "https://op.example/t1";

/// One key of each kind, made once.
pub(crate) fn key(spec: KeySpec) -> &'static PrivateKey {
    static KEYS: OnceLock<BTreeMap<KeySpec, PrivateKey>> = OnceLock::new();
    &KEYS.get_or_init(|| {
        KeySpec::ALL
            .iter()
            .copied()
            .filter(|spec| !matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096))
            .map(|spec| (spec, PrivateKey::generate(spec).unwrap().with_kid(spec.name())))
            .collect()
    })[&spec]
}

/// A second RSA key, of another owner.
pub(crate) fn other_rsa() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate(KeySpec::Rsa2048).unwrap().with_kid("other"))
}

pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) fn spec_for(alg: SigAlg) -> Option<KeySpec> {
    KeySpec::ALL.iter().copied().find(|spec| spec.sig_algs().contains(&alg))
}

pub(crate) fn signer(alg: SigAlg) -> Signer {
    match spec_for(alg) {
        None => Signer::hmac(SECRET, alg).unwrap(),
        Some(spec) => key(spec).signer(alg).unwrap(),
    }
}

pub(crate) fn verifier(alg: SigAlg) -> Verifier {
    match spec_for(alg) {
        None => Verifier::hmac(SECRET, alg).unwrap(),
        Some(spec) => key(spec).public_key().verifier(alg).unwrap(),
    }
}

pub(crate) fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 600, "jti": "j-1" })
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

pub(crate) fn expect(algorithms: &'static [SigAlg]) -> Expect<'static> {
    Expect {
        issuer: ISSUER,
        audiences: &[AUDIENCE],
        algorithms,
        now: NOW,
        skew: 60,
        require: &["iat"],
        max_lifetime: Some(6000),
        max_age: None,
        typ: Typ::Any,
    }
}

pub(crate) fn as_jws(token: &str) -> Result<UnverifiedJws, JoseFault> {
    match parse(token, &Limits::default())? {
        Compact::Jws(jws) => Ok(jws),
        Compact::Jwe(_) => panic!("a JWE"),
    }
}

pub(crate) fn as_jwe(token: &str) -> Result<SealedJwe, JoseFault> {
    match parse(token, &Limits::default())? {
        Compact::Jwe(jwe) => Ok(jwe),
        Compact::Jws(_) => panic!("a JWS"),
    }
}

pub(crate) fn fault_of(token: &str) -> &'static str {
    parse(token, &Limits::default()).expect_err("refused").code()
}

pub(crate) fn check(token: &str, verifier: &Verifier, expect: &Expect<'_>) -> Result<Verified, JoseFault> {
    verify(&as_jws(token)?, &[verifier], expect, &mut Trace::new())
}

/// Signs `claims` with RS256 and gives the code of the fault, or `ok`.
pub(crate) fn judge(claims: &Value, expect: &Expect<'_>) -> &'static str {
    let token = signer(SigAlg::RS256).sign(None, &bytes(claims)).unwrap();
    check(&token, &verifier(SigAlg::RS256), expect).map_or_else(|fault| fault.code(), |_| "ok")
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn unb64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The token with one segment replaced.
pub(crate) fn with_segment(token: &str, index: usize, segment: &str) -> String {
    let mut segments: Vec<&str> = token.split('.').collect();
    segments[index] = segment;
    segments.join(".")
}

/// The token with its header changed (so that any signature or tag is void).
pub(crate) fn with_header(token: &str, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
    let header = token.split('.').next().unwrap();
    let mut map: serde_json::Map<String, Value> = serde_json::from_slice(&unb64(header)).unwrap();
    change(&mut map);
    with_segment(token, 0, &b64(serde_json::to_vec(&map).unwrap()))
}
