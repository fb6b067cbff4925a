//! Private keys: what is refused, and that nothing shows them.

mod common;

use common::{SECRET, as_jws, b64, bytes, key, unb64};
use openssl::bn::BigNum;
use serde_json::{Value, json};
use signet_jose::*;

#[test]
fn b5_debug_never_prints_private_parts() {
    let mut secrets = Vec::new();
    let mut shown = Vec::new();
    for spec in [KeySpec::Rsa2048, KeySpec::P256, KeySpec::P521, KeySpec::Ed25519, KeySpec::X25519] {
        let private = key(spec);
        let jwk: Value = serde_json::from_str(&private.to_jwk()).unwrap();
        for member in ["d", "p", "q", "dp", "dq", "qi"] {
            if let Some(part) = jwk[member].as_str() {
                let octets = unb64(part);
                secrets.extend([part.to_owned(), hex(&octets), format!("{octets:?}")]);
            }
        }
        shown.push(format!("{private:?} {private:#?} {:?}", private.public_key()));
        for alg in spec.sig_algs() {
            shown.push(format!("{:?}", private.signer(alg).unwrap()));
        }
        if !spec.key_algs().is_empty() {
            shown.push(format!("{:?}", private.decrypter().unwrap()));
        }
    }
    secrets.extend([String::from_utf8_lossy(SECRET).into_owned(), hex(SECRET), format!("{SECRET:?}")]);
    let hmac = Signer::hmac(SECRET, SigAlg::HS256).unwrap();
    shown.push(format!("{hmac:?} {:?}", Verifier::hmac(SECRET, SigAlg::HS256).unwrap()));
    // Nor what a token says: claims are personal data.
    let token = hmac.sign(None, &bytes(&json!({ "sub": "person-17", "iss": "client-1" }))).unwrap();
    let jws = as_jws(&token).unwrap();
    shown.push(format!("{jws:?} {:?}", Claims::parse(br#"{"sub":"person-17"}"#, &Limits::default())));
    secrets.extend(["person-17".to_owned(), token.split('.').nth(1).unwrap().to_owned()]);
    let shown = shown.join(" ");
    for secret in secrets {
        assert!(!shown.contains(&secret), "{secret} is shown");
    }
    assert!(shown.contains("PrivateKey") && shown.contains("RS256") && shown.contains("\"sub\""));
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[test]
fn b6_private_rsa_keys_must_be_complete_and_consistent() {
    let good: Value = serde_json::from_str(&key(KeySpec::Rsa2048).to_jwk()).unwrap();
    let other: Value = serde_json::from_str(&common::other_rsa().to_jwk()).unwrap();
    let read =
        |jwk: &Value| PrivateKey::from_jwk(&jwk.to_string()).map_or_else(|fault| fault.code(), |_| "ok");
    assert_eq!(read(&good), "ok");
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        let mut lacking = good.clone();
        lacking.as_object_mut().unwrap().remove(member);
        assert_eq!(read(&lacking), "key_member_missing", "{member}");
        let mut mixed = good.clone();
        mixed[member] = other[member].clone();
        assert_eq!(read(&mixed), "key_rsa_inconsistent", "{member}");
        let mut odd = unb64(good[member].as_str().unwrap());
        let last = odd.len() - 1;
        odd[last] ^= 2;
        let mut flipped = good.clone();
        flipped[member] = json!(b64(odd));
        assert_eq!(read(&flipped), "key_rsa_inconsistent", "{member}");
    }
    for (p, q) in [("AQ", good["n"].as_str().unwrap()), (good["n"].as_str().unwrap(), "AQ")] {
        let mut trivial = good.clone();
        (trivial["p"], trivial["q"]) = (json!(p), json!(q));
        assert_ne!(read(&trivial), "ok");
    }
    let mut swapped = good.clone();
    (swapped["p"], swapped["q"]) = (good["q"].clone(), good["p"].clone());
    assert_eq!(read(&swapped), "key_rsa_inconsistent");
    // The same key with d + n, which works but is no d of RFC 8017.
    let number = |name: &str| BigNum::from_slice(&unb64(good[name].as_str().unwrap())).unwrap();
    let mut large = good.clone();
    large["d"] = json!(b64((&number("d") + &number("n")).to_vec()));
    assert_eq!(read(&large), "key_rsa_inconsistent");
    let mut primes = good.clone();
    primes["oth"] = json!([]);
    assert_eq!(read(&primes), "key_type_unsupported");
    assert_eq!(PrivateKey::from_jwk(&" ".repeat(70_000)).unwrap_err().code(), "key_document_too_large");
}

#[test]
fn b6_private_curve_keys_must_belong_to_their_public_part() {
    for spec in [KeySpec::P256, KeySpec::P384, KeySpec::P521, KeySpec::Ed25519, KeySpec::X25519] {
        let good: Value = serde_json::from_str(&key(spec).to_jwk()).unwrap();
        let other: Value = serde_json::from_str(&PrivateKey::generate(spec).unwrap().to_jwk()).unwrap();
        let read = |d: Value| {
            let mut jwk = good.clone();
            jwk["d"] = d;
            PrivateKey::from_jwk(&jwk.to_string()).map_or_else(|fault| fault.code(), |_| "ok")
        };
        let length = unb64(good["d"].as_str().unwrap()).len();
        assert_eq!(read(good["d"].clone()), "ok");
        assert_eq!(read(other["d"].clone()), "key_pair_mismatch", "{spec}");
        assert_eq!(read(json!(b64(vec![0; length]))), "key_pair_mismatch", "{spec}");
        assert_eq!(read(json!(b64(vec![0xff; length]))), "key_pair_mismatch", "{spec}");
        assert_eq!(read(json!(b64(vec![1; length + 1]))), "key_coordinate_length");
        assert_eq!(read(json!(1)), "key_member_type");
    }
}
