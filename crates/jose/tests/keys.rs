//! Key import: what is accepted, what is refused and in which words; forged keys by the list of known defects.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{b64, bytes, claims, key, signer, unb64, verifier};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Builder};
use serde_json::{Value, json};
use signet_jose::*;

/// The public JWK of a test key with members changed; null removes one.
fn jwk(spec: KeySpec, change: &Value) -> Value {
    let mut jwk = key(spec).public_key().to_jwk();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            jwk.remove(name);
        } else {
            jwk.insert(name.clone(), value.clone());
        }
    }
    jwk.into()
}

fn code(jwk: &Value) -> &'static str {
    PublicKey::from_jwk(jwk).map_or_else(|fault| fault.code(), |_| "ok")
}

fn text_of(jwk: &Value) -> String {
    PublicKey::from_jwk(jwk).unwrap_err().to_string()
}

fn import_code(bytes: &[u8]) -> &'static str {
    import(bytes).map_or_else(|fault| fault.code(), |_| "ok")
}

fn private_pkey(spec: KeySpec) -> PKey<Private> {
    PKey::private_key_from_pem(key(spec).to_pem().unwrap().as_bytes()).unwrap()
}

/// A self-signed certificate valid from 1 to 2 days after the epoch.
fn certificate(pkey: &PKey<Private>) -> X509 {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_pubkey(pkey).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(86_400).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(2 * 86_400).unwrap()).unwrap();
    builder.sign(pkey, MessageDigest::sha256()).unwrap();
    builder.build()
}

#[test]
fn b1_rsa_exponents_that_are_no_exponents_or_cost_too_much() {
    let giant = unb64(jwk(KeySpec::Rsa2048, &json!({}))["n"].as_str().unwrap());
    for (exponent, wanted) in [
        (vec![3], "ok"),
        (vec![1, 0, 1], "ok"),
        (vec![0xff, 0xff, 0xff, 0xff], "ok"),
        (vec![1], "key_rsa_exponent"),
        (vec![2], "key_rsa_exponent"),
        (vec![1, 0, 0], "key_rsa_exponent"),
        (vec![1, 0, 0, 0, 1], "key_rsa_exponent"),
        (giant, "key_rsa_exponent"),
        (vec![0], "key_leading_zero"),
        (vec![0, 1, 0, 1], "key_leading_zero"),
        (vec![], "key_member_encoding"),
    ] {
        let key = jwk(KeySpec::Rsa2048, &json!({ "e": b64(&exponent) }));
        assert_eq!(code(&key), wanted, "{exponent:?}");
    }
    let text = text_of(&jwk(KeySpec::Rsa2048, &json!({ "e": "Ag" })));
    assert!(text.contains("is 2;") && text.contains("65537"), "{text}");
}

#[test]
fn b1_rsa_moduli_too_small_too_large_or_even() {
    let number = |bits: usize| {
        let mut number = vec![0xff; bits / 8];
        number[0] >>= (8 - bits % 8) % 8;
        b64(number)
    };
    for (bits, wanted) in [
        (512, "key_rsa_too_small"),
        (1024, "key_rsa_too_small"),
        (2040, "key_rsa_too_small"),
        (2048, "ok"),
        (4096, "ok"),
        (4104, "key_rsa_too_large"),
        (16_384, "key_rsa_too_large"),
    ] {
        assert_eq!(code(&jwk(KeySpec::Rsa2048, &json!({ "n": number(bits) }))), wanted, "{bits}");
    }
    let text = text_of(&jwk(KeySpec::Rsa2048, &json!({ "n": number(1024) })));
    assert_eq!(text, "the RSA modulus has 1024 bits, at least 2048 are wanted");
    let mut almost = vec![0xff; 256];
    almost[0] = 0x7f;
    assert_eq!(code(&jwk(KeySpec::Rsa2048, &json!({ "n": b64(&almost) }))), "key_rsa_too_small");
    let mut even = vec![0xff; 256];
    even[255] = 0xfe;
    assert_eq!(code(&jwk(KeySpec::Rsa2048, &json!({ "n": b64(even) }))), "key_rsa_modulus");
}

#[test]
fn b4_one_malformed_member_does_not_spoil_the_set() {
    let good = jwk(KeySpec::P256, &json!({ "use": "sig" }));
    let table = [
        (json!({}), "key_member_missing"),
        (json!(null), "key_not_object"),
        (json!(7), "key_not_object"),
        (json!([]), "key_not_object"),
        (json!({ "kty": 7 }), "key_member_type"),
        (json!({ "kty": null }), "key_member_type"),
        (json!({ "kty": "AKP" }), "key_type_unsupported"),
        (json!({ "kty": "oct", "k": "AAAA" }), "key_symmetric"),
        (json!({ "kty": "RSA", "e": "AQAB" }), "key_member_missing"),
        (jwk(KeySpec::Rsa2048, &json!({ "n": "not base64!" })), "key_member_encoding"),
        (jwk(KeySpec::Rsa2048, &json!({ "d": "AAAA" })), "key_private"),
        (jwk(KeySpec::Rsa2048, &json!({ "oth": [] })), "key_private"),
        (jwk(KeySpec::Ed25519, &json!({ "d": "AAAA" })), "key_private"),
        (jwk(KeySpec::P256, &json!({ "crv": "secp256k1" })), "key_curve_unsupported"),
        (jwk(KeySpec::P256, &json!({ "crv": "Ed25519" })), "key_curve_unsupported"),
        (jwk(KeySpec::P256, &json!({ "kid": 1 })), "key_member_type"),
        (jwk(KeySpec::P256, &json!({ "kid": "" })), "key_kid_length"),
        (jwk(KeySpec::P256, &json!({ "kid": "k".repeat(257) })), "key_kid_length"),
        (jwk(KeySpec::P256, &json!({ "kid": "a\u{7}" })), "key_kid_characters"),
        (jwk(KeySpec::P256, &json!({ "use": "wrap" })), "key_use_unsupported"),
        (jwk(KeySpec::X25519, &json!({ "use": "sig" })), "key_use_kind"),
        (jwk(KeySpec::Ed25519, &json!({ "use": "enc" })), "key_use_kind"),
        (jwk(KeySpec::P256, &json!({ "alg": "ES384" })), "key_alg_kind"),
        (jwk(KeySpec::P256, &json!({ "alg": "ECDH-ES", "use": "sig" })), "key_alg_use"),
        (jwk(KeySpec::P256, &json!({ "alg": "dir" })), "key_alg_unsupported"),
        (jwk(KeySpec::P256, &json!({ "nbf": 20, "exp": 10 })), "key_period"),
        (jwk(KeySpec::P256, &json!({ "exp": "tomorrow" })), "key_member_type"),
        (jwk(KeySpec::P256, &json!({ "exp": 1e300 })), "key_member_type"),
        (jwk(KeySpec::P256, &json!({ "x5c": [] })), "key_member_type"),
        (jwk(KeySpec::P256, &json!({ "x5c": ["AAAA"] })), "key_certificate_malformed"),
    ];
    for (bad, wanted) in &table {
        let set = json!({ "keys": [bad, good] });
        let import = import(&bytes(&set)).unwrap();
        assert_eq!(import.keys.len(), 1, "{bad}");
        assert_eq!((import.skipped[0].0, import.skipped[0].1.code()), (0, *wanted), "{bad}");
        let alone = import_code(&bytes(&json!({ "keys": [bad] })));
        assert_eq!(alone, "key_set_unusable");
    }
    assert_eq!(import_code(br#"{"keys":[]}"#), "key_set_empty");
    assert_eq!(import_code(br#"{"keys":{}}"#), "key_member_type");
    let many = json!({ "keys": vec![&good; 21] });
    assert_eq!(import_code(&bytes(&many)), "key_too_many");
    assert_eq!(import(&bytes(&json!({ "keys": vec![&good; 20] }))).unwrap().keys.len(), 20);
}

#[test]
fn published_sets_may_be_larger_and_may_hold_nothing_usable() {
    let good = jwk(KeySpec::P256, &json!({ "kid": "good" }));
    let read = |set: &Value| import_set(&bytes(set)).map(|import| (import.keys.len(), import.skipped.len()));
    assert_eq!(read(&json!({ "keys": [] })), Ok((0, 0)));
    assert_eq!(read(&json!({ "keys": [{ "kty": "oct", "k": "AAAA" }, 1, good] })), Ok((1, 2)));
    assert_eq!(read(&json!({ "keys": [{ "kty": "?" }] })), Ok((0, 1)));
    assert_eq!(read(&json!({ "keys": vec![&good; 50] })), Ok((50, 0)));
    assert_eq!(read(&json!({ "keys": vec![&good; 51] })).unwrap_err().code(), "key_too_many");
    assert_eq!(read(&good).unwrap_err().code(), "key_not_set");
    assert_eq!(read(&json!({ "keys": {} })).unwrap_err().code(), "key_member_type");
    let spaces = vec![b' '; 256 * 1024 + 1];
    assert_eq!(import_set(&spaces).unwrap_err().code(), "key_document_too_large");
    assert_eq!(import_set(b"{\"keys\":[],\"keys\":[]}").unwrap_err().code(), "key_duplicate_member");
}

#[test]
fn c4_points_off_their_curve_and_coordinates_of_a_wrong_length() {
    for spec in [KeySpec::P256, KeySpec::P384, KeySpec::P521] {
        let length = unb64(jwk(spec, &json!({}))["x"].as_str().unwrap()).len();
        for (x, y) in [(1, 1), (0, 0), (0xff, 0xff)] {
            let off = jwk(spec, &json!({ "x": b64(vec![x; length]), "y": b64(vec![y; length]) }));
            assert_eq!(code(&off), "key_not_on_curve", "{spec}");
        }
        let swapped = jwk(spec, &json!({}));
        let swapped = jwk(spec, &json!({ "x": swapped["y"], "y": swapped["x"] }));
        assert_eq!(code(&swapped), "key_not_on_curve");
        let text = text_of(&jwk(spec, &json!({ "x": b64(vec![1; length - 1]) })));
        assert_eq!(text, format!("the member \"x\" has {} octets, {length} are wanted", length - 1));
        assert_eq!(code(&jwk(spec, &json!({ "y": null }))), "key_member_missing");
    }
    for spec in [KeySpec::Ed25519, KeySpec::X25519] {
        assert_eq!(code(&jwk(spec, &json!({ "x": b64([9; 31]) }))), "key_coordinate_length");
        assert_eq!(code(&jwk(spec, &json!({ "x": b64([9; 33]) }))), "key_coordinate_length");
    }
}

/// The field prime 2^255 - 19, plus or minus a little, least significant octet first.
fn near_p(last: u8) -> [u8; 32] {
    let mut value = [0xff; 32];
    value[0] = last;
    value[31] = 0x7f;
    value
}

#[test]
fn c4_points_of_small_order_are_refused() {
    let small = |first: u8| {
        let mut value = [0; 32];
        value[0] = first;
        value
    };
    // 0, 1, p - 1, p, p + 1 are of small order on both curves, the rest on edwards25519.
    for x in [small(0), small(1), near_p(0xec), near_p(0xed), near_p(0xee)] {
        assert_eq!(code(&jwk(KeySpec::X25519, &json!({ "x": b64(x) }))), "key_not_on_curve", "{x:?}");
        let mut signed = x;
        signed[31] |= 0x80;
        for x in [x, signed] {
            assert_eq!(code(&jwk(KeySpec::Ed25519, &json!({ "x": b64(x) }))), "key_not_on_curve", "{x:?}");
        }
    }
    for y in [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        let octets: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&y[2 * at..2 * at + 2], 16).unwrap()).collect();
        assert_eq!(code(&jwk(KeySpec::Ed25519, &json!({ "x": b64(octets) }))), "key_not_on_curve");
    }
    // Half of all values are no y coordinate at all (RFC 8032 section 5.1.3 step 2).
    let refused =
        (2..=101_u8).filter(|y| code(&jwk(KeySpec::Ed25519, &json!({ "x": b64(small(*y)) }))) != "ok");
    assert!((30..=70).contains(&refused.count()));
    for _ in 0..50 {
        let public = PrivateKey::generate(KeySpec::Ed25519).unwrap();
        assert_eq!(code(&public.public_key().to_jwk().into()), "ok", "real keys pass");
    }
}

#[test]
fn c6_key_operations_say_the_use() {
    let table = [
        (json!(["verify"]), Ok(Some(KeyUse::Sig))),
        (json!(["wrapKey", "unwrapKey"]), Ok(Some(KeyUse::Enc))),
        (json!(["deriveBits"]), Ok(Some(KeyUse::Enc))),
        (json!([]), Ok(None)),
        (json!(["somethingNew"]), Ok(None)),
        (json!(["verify", "encrypt"]), Err("key_ops_mixed")),
        (json!(["verify", "verify"]), Err("key_ops_repeated")),
        (json!(["new", "new"]), Err("key_ops_repeated")),
        (json!("verify"), Err("key_member_type")),
        (json!([1]), Err("key_member_type")),
    ];
    for (operations, wanted) in table {
        let read = PublicKey::from_jwk(&jwk(KeySpec::P256, &json!({ "key_ops": operations })));
        assert_eq!(read.map(|key| key.key_use()).map_err(|fault| fault.code()), wanted, "{operations}");
    }
    let contradiction = jwk(KeySpec::P256, &json!({ "use": "enc", "key_ops": ["verify"] }));
    assert_eq!(text_of(&contradiction), r#""key_ops" means the use "sig", but "use" is "enc""#);
}

#[test]
fn a_signing_key_never_encrypts_and_an_encryption_key_never_verifies() {
    // A-83.
    let sig = PublicKey::from_jwk(&jwk(KeySpec::Rsa2048, &json!({ "use": "sig" }))).unwrap();
    let enc = PublicKey::from_jwk(&jwk(KeySpec::Rsa2048, &json!({ "use": "enc" }))).unwrap();
    let bound = PublicKey::from_jwk(&jwk(KeySpec::Rsa2048, &json!({ "alg": "PS256" }))).unwrap();
    for alg in KeySpec::Rsa2048.sig_algs() {
        assert!(sig.verifier(alg).is_ok());
        assert_eq!(enc.verifier(alg).unwrap_err().code(), "key_alg_mismatch");
        assert_eq!(bound.verifier(alg).is_ok(), alg == SigAlg::PS256);
    }
    for alg in KeyAlg::ALL {
        assert_eq!(sig.encrypter(*alg).unwrap_err().code(), "key_alg_mismatch");
        assert!(bound.encrypter(*alg).is_err());
    }
    assert!(enc.encrypter(KeyAlg::RsaOaep).is_ok());
    let private = key(KeySpec::Rsa2048).clone().with_use(KeyUse::Sig);
    assert_eq!(
        private.decrypter().unwrap_err().to_string(),
        "the key (RSA 2048, use sig) fits no key management algorithm"
    );
    assert!(key(KeySpec::Rsa2048).clone().with_use(KeyUse::Enc).signer(SigAlg::RS256).is_err());
    assert!(key(KeySpec::P256).signer(SigAlg::RS256).is_err());
}

#[test]
fn c7_the_first_certificate_of_x5c_must_be_of_this_key() {
    let der = certificate(&private_pkey(KeySpec::Rsa2048)).to_der().unwrap();
    let other = certificate(&private_pkey(KeySpec::P256)).to_der().unwrap();
    let standard = |der: &[u8]| openssl::base64::encode_block(der);
    let sha1 = b64(openssl::sha::sha1(&der));
    let sha256 = b64(openssl::sha::sha256(&der));
    let table = [
        (json!({ "x5c": [standard(&der)] }), "ok"),
        (json!({ "x5c": [standard(&der), standard(&other)] }), "ok"),
        (json!({ "x5c": [standard(&der)], "x5t": sha1, "x5t#S256": sha256 }), "ok"),
        (json!({ "x5c": [standard(&other)] }), "key_certificate_mismatch"),
        (json!({ "x5c": [standard(&other), standard(&der)] }), "key_certificate_mismatch"),
        (json!({ "x5c": [standard(&der)], "x5t": sha256 }), "key_certificate_thumbprint"),
        (json!({ "x5c": [standard(&der)], "x5t#S256": sha1 }), "key_certificate_thumbprint"),
        (json!({ "x5c": [b64(&der)] }), "key_certificate_malformed"),
        (json!({ "x5c": [standard(&[der.clone(), vec![0]].concat())] }), "key_certificate_malformed"),
        (json!({ "x5c": [standard(&der[..der.len() - 1])] }), "key_certificate_malformed"),
        (json!({ "x5c": standard(&der) }), "key_member_type"),
        (json!({ "x5c": [standard(&der), 7] }), "key_member_type"),
    ];
    for (change, wanted) in table {
        assert_eq!(code(&jwk(KeySpec::Rsa2048, &change)), wanted, "{change}");
    }
}

#[test]
fn keys_come_as_jwk_jwks_pem_and_certificate() {
    // A-86.
    for spec in
        [KeySpec::Rsa2048, KeySpec::P256, KeySpec::P384, KeySpec::P521, KeySpec::Ed25519, KeySpec::X25519]
    {
        let pkey = private_pkey(spec);
        let thumbprint = key(spec).public_key().thumbprint();
        let pem = pkey.public_key_to_pem().unwrap();
        let read = import(&pem).unwrap();
        assert_eq!((read.keys[0].key.thumbprint(), read.keys[0].origin), (thumbprint, Origin::Pem));
        let text = [b"Some words before\n".as_slice(), &pem].concat();
        assert_eq!(import(&text).unwrap().keys[0].key.thumbprint(), thumbprint);
        let one = import(&bytes(&jwk(spec, &json!({ "nbf": 5, "exp": 9 })))).unwrap();
        assert_eq!((one.keys[0].not_before, one.keys[0].not_after), (Some(5), Some(9)));
        assert_eq!((one.keys[0].key.thumbprint(), one.keys[0].origin), (thumbprint, Origin::Jwk));
    }
    for spec in [KeySpec::Rsa2048, KeySpec::P384] {
        let certificate = certificate(&private_pkey(spec));
        let chain = [certificate.to_pem().unwrap(), certificate.to_pem().unwrap()].concat();
        for form in [certificate.to_pem().unwrap(), chain, certificate.to_der().unwrap()] {
            let read = import(&form).unwrap();
            assert_eq!(read.keys[0].key.thumbprint(), key(spec).public_key().thumbprint());
            assert_eq!((read.keys[0].not_before, read.keys[0].not_after), (Some(86_400), Some(172_800)));
            assert_eq!(read.keys[0].origin, Origin::X509);
        }
    }
}

#[test]
fn what_is_not_a_public_key_is_refused_in_exact_words() {
    let rsa = private_pkey(KeySpec::Rsa2048);
    let encrypted =
        rsa.private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_256_cbc(), b"secret").unwrap();
    let pkcs1 = rsa.rsa().unwrap().public_key_to_pem_pkcs1().unwrap();
    let private_der = rsa.private_key_to_pkcs8().unwrap();
    let secp = PKey::from_ec_key(
        openssl::ec::EcKey::generate(
            &openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::SECP256K1).unwrap(),
        )
        .unwrap(),
    )
    .unwrap();
    let small = PKey::from_rsa(openssl::rsa::Rsa::generate(1024).unwrap()).unwrap();
    let table: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "key_format_unrecognised"),
        (b"ssh-rsa AAAA".to_vec(), "key_format_unrecognised"),
        (b"[]".to_vec(), "key_format_unrecognised"),
        (b"{".to_vec(), "key_not_json"),
        (br#"{"kty":"EC","kty":"RSA"}"#.to_vec(), "key_duplicate_member"),
        (format!(r#"{{"x":{}{}}}"#, "[".repeat(9), "]".repeat(9)).into_bytes(), "key_json_too_deep"),
        (format!(r#"{{"x":[{}]}}"#, ["0"; 5000].join(",")).into_bytes(), "key_json_too_many"),
        (vec![b' '; 64 * 1024 + 1], "key_document_too_large"),
        (key(KeySpec::P256).to_pem().unwrap().as_bytes().to_vec(), "key_private"),
        (encrypted, "key_private"),
        ([rsa.public_key_to_pem().unwrap(), rsa.private_key_to_pem_pkcs8().unwrap()].concat(), "key_private"),
        (private_der, "key_private"),
        (key(KeySpec::Ed25519).to_jwk().unwrap().as_bytes().to_vec(), "key_private"),
        (pkcs1, "key_pem_label"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".to_vec(), "key_pem_malformed"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA".to_vec(), "key_pem_malformed"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".to_vec(),
            "key_certificate_malformed",
        ),
        (vec![0x30, 0x03, 0x02, 0x01, 0x00], "key_certificate_malformed"),
        (secp.public_key_to_pem().unwrap(), "key_curve_unsupported"),
        (small.public_key_to_pem().unwrap(), "key_rsa_too_small"),
        (certificate(&small).to_pem().unwrap(), "key_rsa_too_small"),
        (PKey::generate_ed448().unwrap().public_key_to_pem().unwrap(), "key_type_unsupported"),
    ];
    for (document, wanted) in table {
        assert_eq!(import_code(&document), wanted, "{}", String::from_utf8_lossy(&document));
    }
}

#[test]
fn a_pem_block_that_claims_to_be_encrypted_asks_nobody_for_a_passphrase() {
    let pem = private_pkey(KeySpec::P256).public_key_to_pem().unwrap();
    let pem = String::from_utf8(pem).unwrap();
    let headers = "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,\
                   00112233445566778899AABBCCDDEEFF\n\n";
    let asking = pem.replace("-----BEGIN PUBLIC KEY-----\n", headers);
    assert_eq!(import_code(asking.as_bytes()), "key_pem_malformed");
}

#[test]
fn texts_say_what_was_found_and_what_was_wanted() {
    let table = [
        (json!({ "kid": 1 }), "the member \"kid\" must be a string, not a number"),
        (json!({ "use": "wrap" }), "the use \"wrap\" is not supported; \"sig\" and \"enc\" are"),
        (
            json!({ "alg": "RS256" }),
            "the algorithm RS256 cannot be used with a key of kind Ed25519; one of EdDSA is wanted",
        ),
        (
            json!({ "alg": "none" }),
            "the algorithm \"none\" is not supported; for this key one of EdDSA is wanted",
        ),
        (json!({ "use": "enc" }), "a key of kind Ed25519 cannot have the use \"enc\"; \"sig\" is wanted"),
        (json!({ "x": null }), "the member \"x\" is missing"),
        (
            json!({ "crv": "Ed448" }),
            "the curve \"Ed448\" is not supported; P-256, P-384, P-521, Ed25519 and X25519 are",
        ),
        (
            json!({ "exp": true }),
            "the member \"exp\" must be a whole number of seconds between 0 and 2^53, not a boolean",
        ),
    ];
    for (change, wanted) in table {
        let fault = import(&bytes(&jwk(KeySpec::Ed25519, &change))).unwrap_err();
        assert_eq!(fault.to_string(), wanted);
    }
}

#[test]
fn a_token_of_every_imported_form_verifies() {
    let token = signer(SigAlg::RS256).sign(None, &bytes(&claims())).unwrap();
    let pem = private_pkey(KeySpec::Rsa2048).public_key_to_pem().unwrap();
    let imported = import(&pem).unwrap().keys.remove(0).key.verifier(SigAlg::RS256).unwrap();
    let verified = common::check(&token, &imported, &common::expect(SigAlg::ALL)).unwrap();
    assert_eq!(verified.thumbprint(), verifier(SigAlg::RS256).thumbprint());
    assert_eq!(verified.kid(), None, "a key from PEM has no kid, whatever the token says");
}

#[test]
fn a_key_is_replaced_by_one_like_it() {
    for spec in KeySpec::ALL {
        assert_eq!(KeySpec::like(spec.kind()), *spec);
    }
    for (bits, spec) in [(2047, KeySpec::Rsa2048), (2049, KeySpec::Rsa3072), (3500, KeySpec::Rsa4096)] {
        assert_eq!(KeySpec::like(KeyKind::Rsa { bits }), spec, "{bits}");
    }
}
