//! Every signature algorithm, and every key management algorithm and curve with every content encryption.

mod common;

use common::{NOW, as_jwe, as_jws, bytes, check, claims, expect, key, signer, verifier};
use serde_json::json;
use signet_jose::*;

#[test]
fn every_signature_algorithm_verifies_with_its_own_key_only() {
    for alg in SigAlg::ALL {
        let token = signer(*alg).sign(Some("JWT"), &bytes(&claims())).unwrap();
        let jws = as_jws(&token).unwrap();
        assert_eq!(jws.header().alg, *alg);
        assert_eq!(jws.header().typ.as_deref(), Some("JWT"));
        for other in SigAlg::ALL {
            let mut trace = Trace::new();
            let verdict = verify(&jws, &[&verifier(*other)], &expect(SigAlg::ALL), &mut trace);
            assert_eq!(verdict.is_ok(), alg == other, "{alg} token, {other} key: {trace:?}");
        }
        let verified = check(&token, &verifier(*alg), &expect(SigAlg::ALL)).unwrap();
        assert_eq!(verified.alg(), *alg);
        assert_eq!(verified.claims().exp(), Ok(Some(NOW + 600)));
        assert_eq!(verified.kid(), signer(*alg).kid());
    }
}

#[test]
fn every_key_algorithm_curve_and_content_encryption() {
    let plaintext = bytes(&claims());
    let mut combinations = 0;
    for spec in KeySpec::ALL {
        if matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096) {
            continue;
        }
        for alg in spec.key_algs() {
            let encrypter = key(*spec).public_key().encrypter(alg).unwrap();
            let decrypter = key(*spec).decrypter().unwrap();
            for enc in ContentAlg::ALL {
                let header = SealHeader { cty: Some("JWT"), ..SealHeader::new(*enc) };
                let token = encrypter.seal(&header, &plaintext).unwrap();
                let jwe = as_jwe(&token).unwrap();
                assert_eq!((jwe.header().alg, jwe.header().enc), (alg, *enc));
                assert_eq!(jwe.header().kid.as_deref(), Some(spec.name()));
                assert_eq!(jwe.header().cty.as_deref(), Some("JWT"));
                assert_eq!(decrypter.open(&jwe).unwrap().as_slice(), plaintext);
                combinations += 1;
            }
        }
    }
    assert_eq!(combinations, (2 + 4 * 3) * 6);
}

#[test]
fn the_larger_rsa_keys_sign_and_encrypt() {
    let large = PrivateKey::generate(KeySpec::Rsa3072).unwrap();
    let token = large.signer(SigAlg::PS384).unwrap().sign(None, &bytes(&claims())).unwrap();
    let verifier = large.public_key().verifier(SigAlg::PS384).unwrap();
    assert!(check(&token, &verifier, &expect(SigAlg::ALL)).is_ok());
    let encrypter = large.public_key().encrypter(KeyAlg::RsaOaep256).unwrap();
    let token = encrypter.seal(&SealHeader::new(ContentAlg::A256Gcm), b"text").unwrap();
    assert_eq!(large.decrypter().unwrap().open(&as_jwe(&token).unwrap()).unwrap().as_slice(), b"text");
    // A token for a key of another size fails like any other.
    let small = key(KeySpec::Rsa2048).decrypter().unwrap();
    assert_eq!(small.open(&as_jwe(&token).unwrap()), Err(JoseFault::Undecryptable));
}

#[test]
fn nested_tokens_and_what_is_not_one() {
    let limits = Limits::default();
    let inner = signer(SigAlg::RS256).sign(None, &bytes(&claims())).unwrap();
    let encrypter = key(KeySpec::P256).public_key().encrypter(KeyAlg::EcdhEs).unwrap();
    let decrypter = key(KeySpec::P256).decrypter().unwrap();
    let seal = |plaintext: &[u8]| encrypter.seal(&SealHeader::new(ContentAlg::A128Gcm), plaintext).unwrap();
    let open = |token: &str| decrypter.open(&as_jwe(token).unwrap()).unwrap();

    let jws = parse_nested(&open(&seal(inner.as_bytes())), &limits).unwrap();
    assert!(verify(&jws, &[&verifier(SigAlg::RS256)], &expect(SigAlg::ALL), &mut Trace::new()).is_ok());
    // A-14: JSON that is encrypted but not signed.
    let json = open(&seal(&bytes(&claims())));
    assert_eq!(parse_nested(&json, &limits).unwrap_err(), JoseFault::ContentNotJws);
    // A-15: a JWE in a JWE.
    let twice = open(&seal(seal(inner.as_bytes()).as_bytes()));
    assert_eq!(parse_nested(&twice, &limits).unwrap_err(), JoseFault::ContentIsJwe);
    // A-13: an unsigned token inside.
    let none = format!("{}.{}.", common::b64(r#"{"alg":"none"}"#), common::b64(bytes(&claims())));
    assert_eq!(parse_nested(none.as_bytes(), &limits).unwrap_err(), JoseFault::AlgNone);
}

#[test]
fn private_keys_survive_their_jwk_and_pem() {
    for spec in KeySpec::ALL {
        if matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096) {
            continue;
        }
        let original = key(*spec);
        let read = PrivateKey::from_jwk(&original.to_jwk().unwrap()).unwrap();
        assert_eq!(read.public_key(), original.public_key());
        assert_eq!(*read.to_jwk().unwrap(), *original.to_jwk().unwrap());
        assert!(original.to_pem().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
        assert!(
            !format!("{original:?}").contains(original.to_jwk().unwrap().split("\"d\":\"").nth(1).unwrap())
        );
        let public = PublicKey::from_jwk(&original.public_key().to_jwk().into()).unwrap();
        assert_eq!(&public, original.public_key());
    }
}

#[test]
fn names_are_a_bijection() {
    for alg in SigAlg::ALL {
        assert_eq!(SigAlg::from_name(alg.name()), Some(*alg));
        assert_eq!(serde_json::to_value(alg).unwrap(), json!(alg.name()));
        assert_eq!(serde_json::from_value::<SigAlg>(json!(alg.name())).unwrap(), *alg);
    }
    assert!(serde_json::from_value::<KeyAlg>(json!("RSA1_5")).is_err());
    assert_eq!(SigAlg::from_name("none"), None);
    assert_eq!(SigAlg::from_name("rs256"), None);
}

#[test]
fn everything_built_can_be_shared() {
    fn shared<T: Clone + Send + Sync + std::fmt::Debug>() {}
    shared::<Signer>();
    shared::<Verifier>();
    shared::<Encrypter>();
    shared::<Decrypter>();
    shared::<PrivateKey>();
    shared::<PublicKey>();
}

#[test]
fn sealing_refuses_header_members_that_it_does_not_own() {
    let encrypter = key(KeySpec::P256).public_key().encrypter(KeyAlg::EcdhEs).unwrap();
    for name in ["alg", "enc", "epk", "crit", "zip", "jwk", "jku", "x5u", "p2c", "b64"] {
        let extra = json!({ name: "x" });
        let header = SealHeader { extra: extra.as_object(), ..SealHeader::new(ContentAlg::A128Gcm) };
        assert_eq!(encrypter.seal(&header, b"x"), Err(JoseFault::SealHeader), "{name}");
    }
    let extra = json!({ "iss": "https://op.example", "apu": "QWxpY2U", "apv": "Qm9i" });
    let header = SealHeader { extra: extra.as_object(), ..SealHeader::new(ContentAlg::A128Gcm) };
    let token = encrypter.seal(&header, b"x").unwrap();
    let opened = key(KeySpec::P256).decrypter().unwrap().open(&as_jwe(&token).unwrap()).unwrap();
    assert_eq!(opened.as_slice(), b"x");
}

#[test]
fn only_exp_may_be_missing_where_oidc_core_5_3_2_does_not_name_it() {
    let judge = |claims: serde_json::Value| {
        let token = signer(SigAlg::ES256).sign(None, &bytes(&claims)).unwrap();
        let keys = [&verifier(SigAlg::ES256)];
        let expect = Expect { require: &[], max_lifetime: None, ..expect(SigAlg::ALL) };
        let jws = as_jws(&token).unwrap();
        let strict = verify(&jws, &keys, &expect, &mut Trace::new()).map(|_| ());
        let undated = verify_undated(&jws, &keys, &expect, &mut Trace::new()).map(|_| ());
        (strict, undated)
    };
    let (iss, aud) = (common::ISSUER, common::AUDIENCE);
    let without = json!({ "iss": iss, "aud": aud, "sub": "s" });
    assert_eq!(judge(without), (Err(JoseFault::ExpMissing), Ok(())));
    let expired = JoseFault::Expired { exp: NOW - 600, now: NOW };
    let past = json!({ "iss": iss, "aud": aud, "exp": NOW - 600 });
    assert_eq!(judge(past), (Err(expired.clone()), Err(expired)));
    let nobody = json!({ "iss": iss, "sub": "s" });
    assert_eq!(judge(nobody), (Err(JoseFault::AudMissing), Err(JoseFault::AudMissing)));
}
