//! Forged encrypted tokens, each named after what it forges. The letters are those of the list of known defects
//! of JOSE libraries that this crate must not have.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::craft::{assemble, rsa_encrypt};
use common::mutate::Noise;
use common::{as_jwe, b64, bytes, claims, fault_of, key, signer, unb64, with_header, with_segment};
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use serde_json::json;
use signet_jose::*;

fn sealed(spec: KeySpec, alg: KeyAlg, enc: ContentAlg) -> String {
    let encrypter = key(spec).public_key().encrypter(alg).unwrap();
    encrypter.seal(&SealHeader::new(enc), &bytes(&claims())).unwrap()
}

fn open(spec: KeySpec, token: &str) -> Result<Vec<u8>, JoseFault> {
    key(spec).decrypter().unwrap().open(&as_jwe(token)?).map(|text| text.to_vec())
}

const CBC: [ContentAlg; 3] = [ContentAlg::A128CbcHs256, ContentAlg::A192CbcHs384, ContentAlg::A256CbcHs512];

#[test]
fn a1_cbc_padding_oracle_all_256_guesses_of_the_last_byte_give_one_fault() {
    let fitting = key(KeySpec::X25519).decrypter().unwrap();
    for enc in CBC {
        let token = sealed(KeySpec::X25519, KeyAlg::EcdhEs, enc);
        let ciphertext = unb64(token.split('.').nth(3).unwrap());
        let mut faults = Vec::new();
        for guess in 0..=255_u8 {
            let mut forged = ciphertext.clone();
            let place = forged.len() - 17;
            forged[place] ^= guess;
            let jwe = as_jwe(&with_segment(&token, 3, &b64(forged))).unwrap();
            match fitting.open(&jwe) {
                Ok(_) => assert_eq!(guess, 0, "{enc}: only the untouched token opens"),
                Err(fault) => faults.push((fault.code(), fault.to_string(), format!("{fault:?}"))),
            }
        }
        assert_eq!(faults.len(), 255);
        faults.dedup();
        assert_eq!(
            faults,
            [("undecryptable", "the token cannot be decrypted".into(), "Undecryptable".into())]
        );
    }
}

#[test]
fn a1_cbc_with_a_right_tag_and_wrong_padding_is_the_same_fault() {
    // Only the holder of the content key can make this; still nothing may tell the padding apart.
    let public = key(KeySpec::Rsa2048).public_key();
    let cek = [7_u8; 32];
    let encrypted_key = rsa_encrypt(public, Padding::PKCS1_OAEP, MessageDigest::sha1(), &cek);
    let header = json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256" });
    let good = assemble(&header, &encrypted_key, &cek, &[1; 16], b"text");
    assert_eq!(open(KeySpec::Rsa2048, &good).unwrap(), b"text");
    let aad = good.split('.').next().unwrap();
    let ciphertext = [9_u8; 32];
    let mut tag = common::craft::mac(
        &cek[..16],
        MessageDigest::sha256(),
        &[aad.as_bytes(), &[1; 16], &ciphertext, &(aad.len() as u64 * 8).to_be_bytes()],
    );
    tag.truncate(16);
    let bad = with_segment(&with_segment(&good, 3, &b64(ciphertext)), 4, &b64(tag));
    assert_eq!(open(KeySpec::Rsa2048, &bad), Err(JoseFault::Undecryptable));
}

#[test]
fn a2_shortened_and_lengthened_tags_are_refused_before_decryption() {
    for enc in ContentAlg::ALL {
        let token = sealed(KeySpec::P256, KeyAlg::EcdhEs, *enc);
        let tag = unb64(token.split('.').nth(4).unwrap());
        for length in (0..tag.len()).chain([tag.len() + 1, 2 * tag.len()]) {
            let mut forged = tag.clone();
            forged.resize(length, 0);
            assert_eq!(fault_of(&with_segment(&token, 4, &b64(forged))), "tag_length", "{enc} {length}");
        }
    }
}

#[test]
fn a2_none_of_256_one_byte_tags_passes_changed_text() {
    let token = sealed(KeySpec::P256, KeyAlg::EcdhEs, ContentAlg::A128Gcm);
    let mut ciphertext = unb64(token.split('.').nth(3).unwrap());
    ciphertext[3] ^= 0x08;
    let changed = with_segment(&token, 3, &b64(ciphertext));
    for tag in 0..=255_u8 {
        assert_eq!(open(KeySpec::P256, &with_segment(&changed, 4, &b64([tag]))), Err(JoseFault::TagLength));
        let long = [vec![tag], vec![0; 15]].concat();
        assert_eq!(
            open(KeySpec::P256, &with_segment(&changed, 4, &b64(long))),
            Err(JoseFault::Undecryptable)
        );
    }
}

#[test]
fn a3_empty_and_short_initialisation_vectors_are_refused() {
    for enc in ContentAlg::ALL {
        let token = sealed(KeySpec::P256, KeyAlg::EcdhEs, *enc);
        for length in (0..=40).filter(|length| *length != enc.iv_len()) {
            assert_eq!(fault_of(&with_segment(&token, 2, &b64(vec![0; length]))), "iv_length", "{enc}");
        }
    }
}

#[test]
fn a3_encrypted_keys_of_another_length_are_refused() {
    let cases = [
        (KeySpec::P256, KeyAlg::EcdhEs, 0..0),
        (KeySpec::P384, KeyAlg::EcdhEsA128Kw, 24..25),
        (KeySpec::X25519, KeyAlg::EcdhEsA256Kw, 24..25),
        (KeySpec::Rsa2048, KeyAlg::RsaOaep, 256..513),
        (KeySpec::Rsa2048, KeyAlg::RsaOaep256, 256..513),
    ];
    for (spec, alg, accepted) in cases {
        let token = sealed(spec, alg, ContentAlg::A128Gcm);
        let lengths = (1..80).chain([255, 257, 512, 513, 1024]).chain((!accepted.is_empty()).then_some(0));
        for length in lengths {
            let forged = with_segment(&token, 1, &b64(vec![0x41; length]));
            let wanted = if accepted.contains(&length) {
                JoseFault::Undecryptable
            } else {
                JoseFault::EncryptedKeyLength
            };
            assert_eq!(open(spec, &forged), Err(wanted), "{alg} {length}");
        }
    }
}

#[test]
fn a3_impossible_ciphertext_lengths_are_refused() {
    for enc in ContentAlg::ALL {
        let token = sealed(KeySpec::P256, KeyAlg::EcdhEs, *enc);
        let lengths: &[usize] = if enc.is_cbc() { &[0, 1, 15, 17, 31, 33] } else { &[0] };
        for length in lengths {
            assert_eq!(fault_of(&with_segment(&token, 3, &b64(vec![0; *length]))), "ciphertext_length");
        }
    }
}

/// A token with these further header members whose tag is right: what the holder of the public key can send.
fn honest(extra: &serde_json::Value) -> String {
    let cek = [7_u8; 16];
    let public = key(KeySpec::Rsa2048).public_key();
    let encrypted_key = rsa_encrypt(public, Padding::PKCS1_OAEP, MessageDigest::sha1(), &cek);
    let mut header = json!({ "alg": "RSA-OAEP", "enc": "A128GCM" });
    header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    assemble(&header, &encrypted_key, &cek, &[1; 12], b"text")
}

#[test]
fn a5_crit_is_refused_whatever_it_lists() {
    for crit in
        [json!([]), json!(["exp"]), json!(["b64"]), json!(["x"]), json!(null), json!("alg"), json!({})]
    {
        assert_eq!(fault_of(&honest(&json!({ "crit": crit, "x": 1 }))), "crit_present");
    }
    assert_eq!(open(KeySpec::Rsa2048, &honest(&json!({ "x": 1 }))).unwrap(), b"text");
}

#[test]
fn a6_zip_is_refused_before_anything_is_decrypted_or_unpacked() {
    for zip in [json!("DEF"), json!("GZ"), json!(""), json!(null), json!(["DEF"])] {
        assert_eq!(fault_of(&honest(&json!({ "zip": zip }))), "zip_present");
    }
}

#[test]
fn a10_rsa1_5_does_not_exist() {
    let token = honest(&json!({ "alg": "RSA1_5" }));
    assert_eq!(fault_of(&token), "key_alg_unsupported");
    assert_eq!(KeyAlg::from_name("RSA1_5"), None);
    let mut jwk = key(KeySpec::Rsa2048).public_key().to_jwk();
    jwk.insert("alg".into(), "RSA1_5".into());
    assert_eq!(PublicKey::from_jwk(&jwk.into()).unwrap_err().code(), "key_alg_unsupported");
}

#[test]
fn a10_every_bad_encrypted_key_takes_the_path_of_a_bad_tag() {
    // RFC 7516 section 11.5: wrong padding, garbage, and content keys of a wrong length.
    let public = key(KeySpec::Rsa2048).public_key();
    let cek = [7_u8; 16];
    let oaep = |secret: &[u8]| rsa_encrypt(public, Padding::PKCS1_OAEP, MessageDigest::sha1(), secret);
    let forged = [
        rsa_encrypt(public, Padding::PKCS1, MessageDigest::sha1(), &cek),
        rsa_encrypt(public, Padding::PKCS1_OAEP, MessageDigest::sha256(), &cek),
        oaep(&[]),
        oaep(&[7; 15]),
        oaep(&[7; 17]),
        oaep(&[8; 16]),
        vec![0; 256],
        vec![0xff; 256],
        Noise(1).bytes(256),
    ];
    let header = json!({ "alg": "RSA-OAEP", "enc": "A128GCM" });
    for encrypted_key in &forged {
        let token = assemble(&header, encrypted_key, &cek, &[1; 12], b"text");
        assert_eq!(open(KeySpec::Rsa2048, &token), Err(JoseFault::Undecryptable));
    }
    let token = assemble(&header, &oaep(&cek), &cek, &[1; 12], b"text");
    assert_eq!(open(KeySpec::Rsa2048, &token).unwrap(), b"text");
}

#[test]
fn b2_password_based_keys_are_refused_before_any_iteration() {
    let table = [
        (json!({ "p2c": 1_000_000, "p2s": "AAAAAAAAAAA" }), "p2c_present"),
        (json!({ "p2c": 1 }), "p2c_present"),
        (json!({ "p2s": "AAAAAAAAAAA" }), "p2s_present"),
        (json!({ "alg": "PBES2-HS256+A128KW" }), "key_alg_unsupported"),
    ];
    for (extra, code) in table {
        assert_eq!(fault_of(&honest(&extra)), code, "{extra}");
    }
    for alg in ["dir", "A128KW", "A256KW", "A128GCMKW", "RSA-OAEP-512", "ECDH-ES+A192KW", "rsa-oaep", ""] {
        assert_eq!(fault_of(&honest(&json!({ "alg": alg }))), "key_alg_unsupported", "{alg}");
    }
    assert_eq!(fault_of(&honest(&json!({ "alg": "none" }))), "alg_none");
}

#[test]
fn b3_algorithms_are_judged_before_the_other_segments_are_decoded() {
    let header = b64(r#"{"alg":"RSA1_5","enc":"A128GCM"}"#);
    assert_eq!(fault_of(&format!("{header}.*.*.*.*")), "key_alg_unsupported");
    let header = b64(r#"{"alg":"RSA-OAEP","enc":"A128GCM-X"}"#);
    assert_eq!(fault_of(&format!("{header}.*.*.*.*")), "enc_unsupported");
    let header = b64(r#"{"alg":"RSA-OAEP"}"#);
    assert_eq!(fault_of(&format!("{header}.*.*.*.*")), "enc_missing");
}

#[test]
fn b3_size_limits_hold_at_their_edge() {
    let limits = Limits::default();
    assert_eq!(fault_of(&"a".repeat(limits.token + 1)), "token_too_large");
    assert_eq!(fault_of(&".".repeat(limits.token)), "segments");
    let padded = |length: usize| {
        let bare = r#"{"alg":"RSA-OAEP","enc":"A128GCM","x":""}"#.len();
        b64(format!(r#"{{"alg":"RSA-OAEP","enc":"A128GCM","x":"{}"}}"#, "x".repeat(length - bare)))
    };
    assert_eq!(fault_of(&format!("{}....", padded(limits.header + 1))), "header_too_large");
    assert_eq!(fault_of(&format!("{}....", padded(limits.header))), "encrypted_key_length");
}

#[test]
fn c4_ephemeral_keys_off_the_curve_of_small_order_or_of_another_curve() {
    let p256 = sealed(KeySpec::P256, KeyAlg::EcdhEs, ContentAlg::A128Gcm);
    let epk = |change: serde_json::Value| {
        with_header(&p256, |header| {
            let epk = header["epk"].as_object_mut().unwrap();
            for (name, value) in change.as_object().unwrap() {
                if value.is_null() {
                    epk.remove(name);
                } else {
                    epk.insert(name.clone(), value.clone());
                }
            }
        })
    };
    for change in [
        json!({ "x": null }),
        json!({ "y": null }),
        json!({ "kty": null }),
        json!({ "crv": null }),
        json!({ "x": b64([1; 31]) }),
        json!({ "x": b64([1; 33]) }),
        json!({ "y": "" }),
        json!({ "x": 7 }),
        json!({ "x": "*" }),
        json!({ "crv": "secp256k1" }),
        json!({ "crv": "P-384" }),
        json!({ "crv": "Ed25519", "kty": "OKP" }),
        json!({ "kty": "oct", "k": "AA" }),
        json!({ "d": b64([1; 32]) }),
    ] {
        assert_eq!(fault_of(&epk(change.clone())), "epk_invalid", "{change}");
    }
    for change in [
        json!({ "x": b64([1; 32]) }),
        json!({ "x": b64([0; 32]), "y": b64([0; 32]) }),
        json!({ "x": b64([0xff; 32]) }),
    ] {
        assert_eq!(open(KeySpec::P256, &epk(change.clone())), Err(JoseFault::Undecryptable), "{change}");
    }
    assert_eq!(fault_of(&with_header(&p256, |header| drop(header.remove("epk")))), "epk_invalid");
    assert_eq!(
        fault_of(&with_header(&p256, |header| drop(header.insert("epk".into(), json!([]))))),
        "epk_invalid"
    );
    for (name, value) in [("apu", json!("*")), ("apv", json!("QQ==")), ("apu", json!(1))] {
        let token = with_header(&p256, |header| drop(header.insert(name.into(), value)));
        assert_eq!(fault_of(&token), "party_info_invalid");
    }
    // RFC 7748 section 6.1: points that always lead to the all-zero secret.
    let x25519 = sealed(KeySpec::X25519, KeyAlg::EcdhEs, ContentAlg::A128Gcm);
    for first in [0_u8, 1] {
        let mut x = [0; 32];
        x[0] = first;
        let token = with_header(&x25519, |header| header["epk"]["x"] = b64(x).into());
        assert_eq!(open(KeySpec::X25519, &token), Err(JoseFault::Undecryptable));
    }
    // A key of another curve than the ephemeral one.
    assert_eq!(open(KeySpec::P384, &p256), Err(JoseFault::Undecryptable));
    assert_eq!(open(KeySpec::X25519, &p256), Err(JoseFault::Undecryptable));
    assert_eq!(open(KeySpec::Rsa2048, &p256), Err(JoseFault::Undecryptable));
}

#[test]
fn c7_keys_and_addresses_in_the_header_are_refused() {
    for (name, code) in [
        ("jwk", "jwk_present"),
        ("jku", "jku_present"),
        ("x5u", "x5u_present"),
        ("x5c", "x5c_present"),
        ("b64", "b64_present"),
    ] {
        assert_eq!(fault_of(&honest(&json!({ name: ["x"] }))), code);
    }
    for name in ["x5t", "x5t#S256", "nonce", "iss", "iat"] {
        assert!(open(KeySpec::Rsa2048, &honest(&json!({ name: "*" }))).is_ok(), "{name} is never looked at");
    }
}

#[test]
fn header_members_of_a_wrong_type_are_refused() {
    for (name, value) in
        [("kid", json!(1)), ("typ", json!([])), ("cty", json!(null)), ("alg", json!(["dir"]))]
    {
        assert_eq!(fault_of(&honest(&json!({ name: value }))), "header_member_type", "{name}");
    }
    for kid in ["", "a\nb", &"k".repeat(257)] {
        assert_eq!(fault_of(&honest(&json!({ "kid": kid }))), "kid_invalid");
    }
}

#[test]
fn the_header_is_authenticated() {
    for enc in ContentAlg::ALL {
        let token = sealed(KeySpec::X25519, KeyAlg::EcdhEsA256Kw, *enc);
        let changed = with_header(&token, |header| drop(header.insert("cty".into(), json!("JWT"))));
        assert_eq!(open(KeySpec::X25519, &changed), Err(JoseFault::Undecryptable), "{enc}");
    }
}

#[test]
fn json_serializations_and_other_segment_counts_are_refused() {
    let jws = signer(SigAlg::ES256).sign(None, &bytes(&claims())).unwrap();
    for (token, code) in [
        (r#"{"payload":"","signatures":[]}"#, "json_serialization"),
        (r#"  {"ciphertext":""}"#, "json_serialization"),
        ("", "segments"),
        ("a", "segments"),
        ("a.b", "segments"),
        ("a.b.c.d", "segments"),
        ("a.b.c.d.e.f", "segments"),
    ] {
        assert_eq!(fault_of(token), code, "{token}");
    }
    assert_eq!(fault_of(&format!(" {jws}")), "not_base64url");
    assert_eq!(fault_of(&format!("{jws}\n")), "not_base64url");
}
