//! Well-formed inputs from which mutation starts.

use serde_json::{Value, json};
use signet_jose::{KeySpec, PrivateKey};

use crate::{CLIENT, ISSUER, KEYS, NOW, seal};

fn claims() -> Vec<Vec<u8>> {
    let plain = json!({ "iss": CLIENT, "aud": ISSUER, "iat": NOW, "exp": NOW + 600, "jti": "j-1" });
    let mut request = plain.clone();
    for (name, value) in [
        ("client_id", json!(CLIENT)),
        ("response_type", json!("code")),
        ("redirect_uri", json!("https://rp.example/cb")),
        ("scope", json!("openid profile")),
        ("state", json!("s-1")),
        ("nonce", json!("n-1")),
        ("max_age", json!(300)),
        ("nbf", json!(NOW)),
        ("claims", json!({ "id_token": { "acr": { "essential": true, "values": ["1", "2"] } } })),
    ] {
        request[name] = value;
    }
    let mut many = plain.clone();
    many["aud"] = json!([ISSUER, "https://other.example"]);
    [plain, request, many].iter().map(|claims| claims.to_string().into_bytes()).collect()
}

fn signed() -> Vec<Vec<u8>> {
    let sign = |claims: Vec<u8>| KEYS.signer.sign(Some("JWT"), &claims).expect("a key that signs");
    claims().into_iter().map(|claims| sign(claims).into_bytes()).collect()
}

fn sealed() -> Vec<Vec<u8>> {
    signed().iter().filter_map(|token| seal(token)).map(String::into_bytes).collect()
}

fn tagged(kind: u8, inputs: Vec<Vec<u8>>) -> impl Iterator<Item = Vec<u8>> {
    inputs.into_iter().map(move |input| [vec![kind], input].concat())
}

fn keys() -> Vec<Vec<u8>> {
    let specs =
        [KeySpec::Rsa2048, KeySpec::P256, KeySpec::P384, KeySpec::P521, KeySpec::Ed25519, KeySpec::X25519];
    let jwks: Vec<Value> = specs
        .iter()
        .map(|spec| {
            let key = PrivateKey::generate(*spec).expect("a generated key").with_kid(spec.name());
            Value::Object(key.public_key().to_jwk())
        })
        .collect();
    let mut inputs: Vec<Vec<u8>> = jwks.iter().map(|jwk| jwk.to_string().into_bytes()).collect();
    inputs.push(json!({ "keys": jwks }).to_string().into_bytes());
    inputs.push(b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n".to_vec());
    inputs
}

/// The starting inputs of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "compact_parser" => [signed(), sealed()].concat(),
        "nested_decoder" => [signed(), sealed(), claims()].concat(),
        "request_object" => tagged(0, signed())
            .chain(tagged(0, sealed()))
            .chain(tagged(1, claims()))
            .chain(tagged(2, claims()))
            .collect(),
        "key_import" => keys(),
        _ => Vec::new(),
    }
}
