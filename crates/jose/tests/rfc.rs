//! The examples of RFC 7515, 7516, 7517, 7518, 7520, 7638 and 8037.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::craft::{assemble, concat_kdf};
use common::{as_jwe, as_jws, b64, expect, fault_of, unb64, with_segment};
use serde_json::{Value, json};
use signet_jose::*;

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

/// The public half, as a client would register it.
fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        jwk.as_object_mut().unwrap().remove(member);
    }
    jwk
}

/// Whether the signature verifies, whatever the claims are.
fn signature_holds(jws: &UnverifiedJws, verifier: &Verifier) -> bool {
    let mut trace = Trace::new();
    // The examples carry no complete claims, so all of them end in a later fault.
    let fault = verify(jws, &[verifier], &expect(SigAlg::ALL), &mut trace).unwrap_err();
    let verdict = trace.checks.iter().find(|check| check.rule == "signature").map(|check| check.verdict);
    assert_eq!(verdict == Some(Verdict::Fail), fault == JoseFault::SignatureInvalid);
    verdict == Some(Verdict::Pass)
}

#[test]
fn rfc_7515_and_7520_signatures_verify_and_their_changes_do_not() {
    let vectors = vectors(include_str!("vectors/jws.json"));
    let mut algorithms = BTreeSet::new();
    for vector in &vectors {
        let source = vector["source"].as_str().unwrap();
        let alg = SigAlg::from_name(vector["alg"].as_str().unwrap()).unwrap();
        let verifier = if alg.is_symmetric() {
            Verifier::hmac(&unb64(vector["key"]["k"].as_str().unwrap()), alg).unwrap()
        } else {
            PublicKey::from_jwk(&public(&vector["key"])).unwrap().verifier(alg).unwrap()
        };
        let token = vector["token"].as_str().unwrap();
        let jws = as_jws(token).unwrap();
        assert_eq!(jws.header().alg, alg, "{source}");
        assert!(signature_holds(&jws, &verifier), "{source}");
        for segment in [1, 2] {
            let mut octets = unb64(token.split('.').nth(segment).unwrap());
            octets[5] ^= 1;
            let changed = as_jws(&with_segment(token, segment, &b64(octets))).unwrap();
            assert!(!signature_holds(&changed, &verifier), "{source} segment {segment}");
        }
        algorithms.insert(alg);
    }
    assert_eq!(vectors.len(), 8);
    assert_eq!(algorithms.len(), 5, "HS256, RS256, PS384, ES256, ES512");
}

#[test]
fn rfc_7515_appendix_a_5_unsigned() {
    let token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                 cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    assert_eq!(fault_of(token), "alg_none");
}

/// OpenID Connect Core 1.0 appendices A.3 and A.4 for SHA-256; the others over the same input, by another program.
#[test]
fn half_hashes_use_the_hash_of_the_algorithm_openid_connect_core_3_1_3_6() {
    const TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    const CODE: &str = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    use SigAlg::*;
    let table: [(&[SigAlg], &str, &str); 3] = [
        (&[RS256, PS256, ES256, HS256], "77QmUPtjPfzWtF2AnpK9RQ", "LDktKdoQak3Pk0cnXxCltA"),
        (
            &[RS384, PS384, ES384, HS384],
            "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs",
            "Mq-knyaEMtWGfnBi2POEZb1kiLx10_DF",
        ),
        // RFC 8032 section 5.1: Ed25519 is built on SHA-512.
        (
            &[RS512, PS512, ES512, HS512, EdDSA],
            "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM",
            "E9z1C-c0Az4eTEzE0Nm3OQ3BS2BhMgxuP7x5JAQj1_4",
        ),
    ];
    assert_eq!(table.iter().map(|row| row.0.len()).sum::<usize>(), SigAlg::ALL.len());
    for (algs, token, code) in table {
        for alg in algs {
            assert_eq!(
                (alg.half_hash(TOKEN.as_bytes()), alg.half_hash(CODE.as_bytes())),
                (token.into(), code.into())
            );
        }
    }
}

#[test]
fn rfc_7516_and_7520_encryptions_open_or_are_refused() {
    let vectors = vectors(include_str!("vectors/jwe.json"));
    let (mut opened, mut refused) = (0, 0);
    for vector in &vectors {
        let source = vector["source"].as_str().unwrap();
        let token = vector["token"].as_str().unwrap();
        if let Some(code) = vector["refused"].as_str() {
            assert_eq!(fault_of(token), code, "{source}");
            refused += 1;
            continue;
        }
        let decrypter = PrivateKey::from_jwk(&vector["key"].to_string()).unwrap().decrypter().unwrap();
        let text = decrypter.open(&as_jwe(token).unwrap()).unwrap();
        assert_eq!(b64(&*text), vector["plaintext"].as_str().unwrap(), "{source}");
        opened += 1;
        for segment in 1..5 {
            let mut octets = unb64(token.split('.').nth(segment).unwrap());
            let Some(last) = octets.last_mut() else { continue };
            *last ^= 1;
            let changed = as_jwe(&with_segment(token, segment, &b64(octets))).unwrap();
            assert_eq!(decrypter.open(&changed), Err(JoseFault::Undecryptable), "{source} {segment}");
        }
    }
    assert_eq!((opened, refused), (4, 8));
}

fn keys() -> Value {
    serde_json::from_str(include_str!("vectors/keys.json")).unwrap()
}

#[test]
fn rfc_7517_appendix_a_keys() {
    let keys = keys();
    let set = import(keys["public"].to_string().as_bytes()).unwrap();
    assert!(set.skipped.is_empty());
    let kinds: Vec<_> = set.keys.iter().map(|key| key.key.kind()).collect();
    assert_eq!(kinds, [KeyKind::P256, KeyKind::Rsa { bits: 2048 }]);
    assert_eq!(set.keys[0].key.key_use(), Some(KeyUse::Enc));
    assert_eq!((set.keys[1].key.alg(), set.keys[1].key.kid()), (Some("RS256"), Some("2011-04-29")));
    for (private, public) in keys["private"]["keys"].as_array().unwrap().iter().zip(&set.keys) {
        let read = PrivateKey::from_jwk(&private.to_string()).unwrap();
        assert_eq!(read.public_key(), &public.key);
        let written: Value = serde_json::from_str(&read.to_jwk().unwrap()).unwrap();
        assert_eq!(&written, private);
        assert_eq!(import(private.to_string().as_bytes()).unwrap_err().code(), "key_private");
    }
    let fault = import(keys["symmetric"].to_string().as_bytes()).unwrap_err();
    assert_eq!(fault.code(), "key_set_unusable");
}

#[test]
fn rfc_7517_appendix_b_x5c() {
    let key = &keys()["x5c"];
    let read = PublicKey::from_jwk(key).unwrap();
    assert_eq!((read.kid(), read.key_use()), (Some("1b94c"), Some(KeyUse::Sig)));
    let mut other = key.clone();
    other["n"] = keys()["public"]["keys"][1]["n"].clone();
    assert_eq!(PublicKey::from_jwk(&other).unwrap_err().code(), "key_certificate_mismatch");
}

#[test]
fn rfc_7520_section_3_keys() {
    let keys = &keys()["cookbook"];
    for family in ["ec", "rsa"] {
        let public = PublicKey::from_jwk(&keys[format!("{family}_public")]).unwrap();
        let private = PrivateKey::from_jwk(&keys[format!("{family}_private")].to_string()).unwrap();
        assert_eq!(private.public_key(), &public);
        assert_eq!(public.kid(), Some("bilbo.baggins@hobbiton.example"));
    }
}

#[test]
fn rfc_7518_appendix_c_key_agreement() {
    let bob = json!({
        "kty": "EC", "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"
    });
    let header = json!({
        "alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i",
        "epk": {
            "kty": "EC", "crv": "P-256",
            "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
            "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"
        }
    });
    let derived = unb64("VqqN6vgjbSBcIijNcacQGg");
    let decrypter = PrivateKey::from_jwk(&bob.to_string()).unwrap().decrypter().unwrap();
    let token = assemble(&header, &[], &derived, &[3; 12], b"Alice to Bob");
    assert_eq!(decrypter.open(&as_jwe(&token).unwrap()).unwrap().as_slice(), b"Alice to Bob");
    // Another party name leads to another key.
    let mut other = header.clone();
    other["apv"] = json!("Qm9j");
    let token = assemble(&other, &[], &derived, &[3; 12], b"Alice to Bob");
    assert_eq!(decrypter.open(&as_jwe(&token).unwrap()), Err(JoseFault::Undecryptable));
}

#[test]
fn rfc_7638_section_3_1_and_rfc_8037_appendix_a_3_thumbprints() {
    let mut rsa = keys()["public"]["keys"][1].clone();
    let wanted = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    assert_eq!(PublicKey::from_jwk(&rsa).unwrap().thumbprint(), wanted);
    // Only the required members count, in whatever order they come.
    rsa["kid"] = json!("another");
    rsa["note"] = json!({ "b": 1, "a": 2 });
    let reordered: serde_json::Map<String, Value> =
        rsa.as_object().unwrap().iter().rev().map(|(name, value)| (name.clone(), value.clone())).collect();
    assert_eq!(PublicKey::from_jwk(&reordered.into()).unwrap().thumbprint(), wanted);
    assert_eq!(
        PublicKey::from_jwk(&ed25519(false)).unwrap().thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

/// RFC 8037 appendix A.1.
fn ed25519(private: bool) -> Value {
    let mut jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    });
    if private {
        jwk["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    }
    jwk
}

#[test]
fn rfc_8037_appendix_a_4_and_a_5_signature() {
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIb\
                 QR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let verifier = PublicKey::from_jwk(&ed25519(false)).unwrap().verifier(SigAlg::EdDSA).unwrap();
    assert!(signature_holds(&as_jws(token).unwrap(), &verifier));
    // Ed25519 is deterministic, so signing gives the very token.
    let signer = PrivateKey::from_jwk(&ed25519(true).to_string()).unwrap().signer(SigAlg::EdDSA).unwrap();
    assert_eq!(signer.sign(None, b"Example of Ed25519 signing").unwrap(), token);
}

#[test]
fn rfc_8037_appendix_a_6_key_agreement() {
    // RFC 7748 section 6.1 has Bob's private key and the shared secret.
    let bob = json!({
        "kty": "OKP", "crv": "X25519", "kid": "Bob",
        "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08",
        "d": "XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"
    });
    let shared = [
        0x4a, 0x5d, 0x9d, 0x5b, 0xa4, 0xce, 0x2d, 0xe1, 0x72, 0x8e, 0x3b, 0xf4, 0x80, 0x35, 0x0f, 0x25, 0xe0,
        0x7e, 0x21, 0xc9, 0x47, 0xd1, 0x9e, 0x33, 0x76, 0xf0, 0x9b, 0x3c, 0x1e, 0x16, 0x17, 0x42,
    ];
    let header = json!({
        "alg": "ECDH-ES", "enc": "A256GCM",
        "epk": { "kty": "OKP", "crv": "X25519", "x": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo" }
    });
    let key = concat_kdf(ContentAlg::A256Gcm, &shared, b"", b"");
    let token = assemble(&header, &[], &key, &[3; 12], b"text");
    let decrypter = PrivateKey::from_jwk(&bob.to_string()).unwrap().decrypter().unwrap();
    assert_eq!(decrypter.open(&as_jwe(&token).unwrap()).unwrap().as_slice(), b"text");
}
