//! The Wycheproof sets for key management: each vector becomes a token.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::craft::{assemble, concat_kdf};
use common::{as_jwe, b64};
use openssl::pkey::PKey;
use serde_json::{Value, json};
use signet_jose::*;
use wycheproof::TestResult;

fn private(jwk: &Value) -> PrivateKey {
    PrivateKey::from_jwk(&jwk.to_string()).unwrap()
}

#[test]
fn rsa_oaep() {
    use wycheproof::rsa_oaep::{TestName, TestSet};
    let (mut opened, mut refused) = (0, 0);
    for (name, alg) in [
        (TestName::Rsa2048Sha1Mgf1Sha1, KeyAlg::RsaOaep),
        (TestName::Rsa2048Sha256Mgf1Sha256, KeyAlg::RsaOaep256),
        (TestName::Rsa3072Sha256Mgf1Sha256, KeyAlg::RsaOaep256),
        (TestName::Rsa4096Sha256Mgf1Sha256, KeyAlg::RsaOaep256),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let rsa = PKey::private_key_from_der(&group.pkcs8).unwrap().rsa().unwrap();
            let decrypter = private(&json!({
                "kty": "RSA",
                "n": b64(rsa.n().to_vec()), "e": b64(rsa.e().to_vec()), "d": b64(rsa.d().to_vec()),
                "p": b64(rsa.p().unwrap().to_vec()), "q": b64(rsa.q().unwrap().to_vec()),
                "dp": b64(rsa.dmp1().unwrap().to_vec()), "dq": b64(rsa.dmq1().unwrap().to_vec()),
                "qi": b64(rsa.iqmp().unwrap().to_vec())
            }))
            .decrypter()
            .unwrap();
            for test in group.tests {
                // The message is the content key; its length chooses the content encryption. Another length can
                // be no content key, so such a token has to be refused whatever it is encrypted with.
                let fitting = ContentAlg::ALL.iter().find(|enc| enc.key_len() == test.pt.len());
                let enc = *fitting.unwrap_or(&ContentAlg::A256Gcm);
                let key = if fitting.is_some() { test.pt.to_vec() } else { vec![0; enc.key_len()] };
                let header = json!({ "alg": alg, "enc": enc });
                let token = assemble(&header, &test.ct, &key, &vec![5; enc.iv_len()], b"text");
                let result = as_jwe(&token).and_then(|jwe| decrypter.open(&jwe));
                // RFC 7518 section 4.3: no label.
                let wanted = test.result == TestResult::Valid && fitting.is_some() && test.label.is_empty();
                assert_eq!(result.is_ok(), wanted, "{name:?} {} {}", test.tc_id, test.comment);
                if wanted {
                    opened += 1;
                } else {
                    refused += 1;
                }
                if let Err(fault) = result {
                    assert!(matches!(fault, JoseFault::Undecryptable | JoseFault::EncryptedKeyLength));
                }
            }
        }
    }
    assert_eq!((opened, refused), (4, 143));
}

#[test]
fn ecdh() {
    use openssl::bn::{BigNum, BigNumContext};
    use openssl::ec::{EcGroup, EcPoint};
    use openssl::nid::Nid;
    use wycheproof::ecdh::{TestName, TestSet};
    let (mut opened, mut refused, mut unusable) = (0, 0, 0);
    for (name, nid, crv, length) in [
        (TestName::EcdhSecp256r1Ecpoint, Nid::X9_62_PRIME256V1, "P-256", 32_usize),
        (TestName::EcdhSecp384r1Ecpoint, Nid::SECP384R1, "P-384", 48),
        (TestName::EcdhSecp521r1Ecpoint, Nid::SECP521R1, "P-521", 66),
    ] {
        let group = EcGroup::from_curve_name(nid).unwrap();
        let mut context = BigNumContext::new().unwrap();
        for tests in TestSet::load(name).unwrap().test_groups {
            for test in tests.tests {
                // A JWK has uncompressed coordinates of full length, no other form of a point.
                if test.public_key.len() != 1 + 2 * length || test.public_key[0] != 4 {
                    unusable += 1;
                    continue;
                }
                let d = BigNum::from_slice(&test.private_key).unwrap();
                let mut own = EcPoint::new(&group).unwrap();
                own.mul_generator2(&group, &d, &mut context).unwrap();
                let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
                own.affine_coordinates(&group, &mut x, &mut y, &mut context).unwrap();
                let pad =
                    |number: &BigNum| b64(number.to_vec_padded(i32::try_from(length).unwrap()).unwrap());
                let jwk = json!({ "kty": "EC", "crv": crv, "x": pad(&x), "y": pad(&y), "d": pad(&d) });
                let (px, py) = test.public_key[1..].split_at(length);
                let epk = json!({ "kty": "EC", "crv": crv, "x": b64(px), "y": b64(py) });
                let ok = agrees(&private(&jwk), &epk, &test.shared_secret);
                assert_eq!(ok, test.result == TestResult::Valid, "{name:?} {} {}", test.tc_id, test.comment);
                if ok {
                    opened += 1;
                } else {
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((opened, refused, unusable), (1733, 48, 25));
}

/// Whether a token for this ephemeral key, made with the shared secret of the vector, opens.
fn agrees(key: &PrivateKey, epk: &Value, shared: &[u8]) -> bool {
    let enc = ContentAlg::A128Gcm;
    let header = json!({ "alg": "ECDH-ES", "enc": enc, "epk": epk });
    let token = assemble(&header, &[], &concat_kdf(enc, shared, b"", b""), &[5; 12], b"text");
    as_jwe(&token).and_then(|jwe| key.decrypter().unwrap().open(&jwe)).is_ok()
}

#[test]
fn xdh() {
    use wycheproof::xdh::{TestFlag, TestName, TestSet};
    let (mut opened, mut refused) = (0, 0);
    for group in TestSet::load(TestName::X25519).unwrap().test_groups {
        for test in group.tests {
            let pkey =
                PKey::private_key_from_raw_bytes(&test.private_key, openssl::pkey::Id::X25519).unwrap();
            let own = b64(pkey.raw_public_key().unwrap());
            let d = b64(&test.private_key);
            let jwk = json!({ "kty": "OKP", "crv": "X25519", "x": own, "d": d });
            let epk = json!({ "kty": "OKP", "crv": "X25519", "x": b64(&test.public_key) });
            let ok = agrees(&private(&jwk), &epk, &test.shared_secret);
            // RFC 7748 section 6.1, RFC 8037 section 3.2.1: an all-zero secret is refused.
            let zero = test.flags.contains(&TestFlag::ZeroSharedSecret);
            assert_eq!(ok, test.result != TestResult::Invalid && !zero, "{} {}", test.tc_id, test.comment);
            if ok {
                opened += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert_eq!((opened, refused), (487, 31));
}
