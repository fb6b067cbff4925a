//! Each mistake, made as a foreign program makes it.

use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use serde_json::{Value, json};
use signet_core::records::ClientAuthMethod;
use signet_jose::{ContentAlg, KeyAlg, KeySpec, KeyUse, SealHeader, SigAlg, Signer};

use crate::common::*;
use crate::{World, b64, craft, names, query, signed, unb64, with_header};

/// A JWS with a header that the library would not make.
fn with_alg(alg: &str) -> String {
    with_header(&signed(&json!({})), &json!({ "alg": alg }))
}

fn sealed_with_header(change: &Value) -> String {
    with_header(&nested(&object()), change)
}

fn sealed(content: &str) -> String {
    seal_with("op-enc-RSA-OAEP-256", Some("JWT"), content.as_bytes())
}

/// An ES256 token whose signature is in DER, as OpenSSL makes it.
fn der_signed() -> String {
    let token = sign_with(key("rp-ec", KeySpec::P256), SigAlg::ES256, None, &object());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let raw = unb64(signature);
    let number = |bytes: &[u8]| openssl::bn::BigNum::from_slice(bytes).unwrap();
    let pair =
        openssl::ecdsa::EcdsaSig::from_private_components(number(&raw[..32]), number(&raw[32..])).unwrap();
    format!("{input}.{}", b64(pair.to_der().unwrap()))
}

/// Encrypted with OAEP over SHA-1, while the header says RSA-OAEP-256.
fn sealed_with_the_other_hash() -> String {
    let (cek, iv) = ([7; 32], [9; 12]);
    let encrypted =
        craft::rsa_encrypt(op_enc().public_key(), Padding::PKCS1_OAEP, MessageDigest::sha1(), &cek);
    let header =
        json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "op-enc-RSA-OAEP-256", "cty": "JWT" });
    craft::assemble(&header, &encrypted, &cek, &iv, sign(&object()).as_bytes())
}

fn sealed_to(kid: &str) -> String {
    seal_with(kid, Some("JWT"), sign(&object()).as_bytes())
}

/// What is pasted, and the mistake that comes first.
#[expect(clippy::too_many_lines, reason = "a table")]
fn made() -> Vec<(String, &'static str)> {
    let good = signed(&json!({}));
    let alone = |token: String, mistake| (token, mistake);
    let lines: Vec<&str> =
        good.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let padded = good.replace('.', "==.");
    let sent = |pairs: &[(&str, &str)], mistake| (query(pairs), mistake);
    let bare = signed(&json!({ "redirect_uri": null, "scope": null }));
    let scopeless = signed(&json!({ "scope": null }));
    let twice = |token: &str| token.replace('.', "%2E");
    let hour = NOW + 2 * 3_600;
    let encrypted_then_signed = {
        let payload = seal_with("op-enc-RSA-OAEP-256", None, object().to_string().as_bytes());
        rp_sig().signer(SigAlg::RS256).unwrap().sign(None, payload.as_bytes()).unwrap()
    };
    let mac =
        Signer::hmac(&[7; 32], SigAlg::HS256).unwrap().sign(None, object().to_string().as_bytes()).unwrap();
    let to_own = {
        let header = SealHeader { cty: Some("JWT"), ..SealHeader::new(ContentAlg::A256Gcm) };
        rp_enc().public_key().encrypter(KeyAlg::RsaOaep256).unwrap().seal(&header, good.as_bytes()).unwrap()
    };
    let stranger = key("stranger", KeySpec::Rsa2048);
    let impostor = signet_jose::PrivateKey::generate(KeySpec::Rsa2048).unwrap().with_kid("rp-sig");
    let unsigned = format!("{}.{}.", b64(r#"{"alg":"none"}"#), good.split('.').nth(1).unwrap());
    vec![
        sent(&[("client_id", "c"), ("request", &twice(&good))], "url_encoded_twice"),
        alone(format!("\"{good}\""), "quoted_object"),
        alone(lines.join("\n"), "pem_line_breaks"),
        alone(format!("-----BEGIN JWT-----\n{good}\n-----END JWT-----"), "pem_line_breaks"),
        sent(&[("client_id", "c"), ("request", "https://rp.example/object")], "address_as_object"),
        alone(object().to_string(), "plain_json"),
        alone(json!({ "payload": "e30", "signatures": [] }).to_string(), "json_serialized"),
        alone(padded, "base64_standard"),
        alone(encrypted_then_signed, "encrypt_then_sign"),
        alone(rp_sig().signer(SigAlg::RS256).unwrap().sign(None, good.as_bytes()).unwrap(), "signed_twice"),
        alone(sealed(&json!(good).to_string()), "content_quoted"),
        alone(sealed(&object().to_string()), "claims_encrypted_unsigned"),
        alone(sealed(&nested(&object())), "encrypted_twice"),
        alone(
            sealed_with_header(&json!({ "alg": "http://www.w3.org/2001/04/xmlenc#rsa-oaep" })),
            "xml_encryption_uri",
        ),
        alone(
            sealed_with_header(&json!({ "enc": "http://www.w3.org/2001/04/xmlenc#aes256-cbc" })),
            "xml_encryption_uri",
        ),
        alone(sealed_with_header(&json!({ "alg": "RSA1_5" })), "rsa1_5"),
        alone(sealed_with_header(&json!({ "alg": "dir" })), "symmetric_encryption"),
        alone(sealed_with_header(&json!({ "alg": "A256GCMKW" })), "symmetric_encryption"),
        alone(sealed_to("op-enc-RSA-OAEP"), "oaep_hash"),
        alone(sealed_with_the_other_hash(), "oaep_hash_unnamed"),
        alone(sealed_to("op-sig-RS256"), "encrypted_to_signing_key"),
        sent(&[("client_id", "c"), ("request", &to_own)], "encrypted_to_own_key"),
        alone(sealed_to("enc-rsa-2048-1700000000-RSA-OAEP-256"), "retired_server_key"),
        alone(sealed_to("8F43288AD272F3103B6FB1428485EA3014C0BCFE"), "kid_of_certificate"),
        alone(sealed_to("key-1"), "foreign_kid"),
        alone(sealed_with_header(&json!({ "zip": "DEF" })), "zip"),
        alone(with_alg("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"), "xml_signature_uri"),
        alone(with_alg("ES256K"), "es256k"),
        alone(unsigned, "unsigned"),
        alone(mac, "signed_with_secret"),
        alone(der_signed(), "der_signature"),
        alone(sign_with(key("old", KeySpec::Rsa2048), SigAlg::RS256, None, &object()), "retired_client_key"),
        alone(sign_with(rp_enc(), SigAlg::RS256, None, &object()), "signed_with_encryption_key"),
        alone(
            sign_with(key("rp-ps", KeySpec::Rsa2048), SigAlg::RS256, None, &object()),
            "algorithm_of_another_key",
        ),
        alone(sign_with(stranger, SigAlg::RS256, None, &object()), "unregistered_client_key"),
        alone(sign_with(&impostor, SigAlg::RS256, None, &object()), "signature_of_another_key"),
        alone(with_header(&good, &json!({ "jwk": {} })), "key_in_header"),
        alone(
            sign_with(rp_sig(), SigAlg::RS256, Some("client-authentication+jwt"), &object()),
            "another_message",
        ),
        alone(signed(&json!({ "exp": (NOW + 600) * 1000, "iat": NOW * 1000 })), "milliseconds"),
        alone(signed(&json!({ "exp": (NOW + 600) * 1000 })), "milliseconds"),
        alone(signed(&json!({ "nbf": NOW * 1000 })), "milliseconds"),
        alone(signed(&json!({ "exp": (NOW + 600).to_string() })), "time_as_text"),
        alone(signed(&json!({ "iat": hour, "exp": hour + 600 })), "time_zone"),
        alone(signed(&json!({ "iat": NOW - 7_200, "exp": NOW - 6_900 })), "time_zone"),
        alone(signed(&json!({ "iat": NOW + 300, "exp": NOW + 900 })), "clock_skew"),
        alone(signed(&json!({ "iat": NOW - 5_000, "exp": NOW - 4_000 })), "reused_object"),
        alone(signed(&json!({ "iat": NOW - 100, "exp": NOW - 100 })), "no_lifetime"),
        alone(signed(&json!({ "aud": format!("{ISSUER}/token") })), "aud_is_endpoint"),
        alone(signed(&json!({ "aud": format!("{ISSUER}/") })), "aud_slash"),
        alone(signed(&json!({ "aud": ISSUER.replace("https", "http") })), "aud_spelling"),
        alone(signed(&json!({ "aud": "c" })), "aud_is_client"),
        alone(signed(&json!({ "aud": "https://other.example" })), "aud_of_another_server"),
        sent(&[("client_id", "c"), ("request", &signed(&json!({ "iss": ISSUER })))], "iss_is_server"),
        sent(
            &[
                ("client_id", "c"),
                ("request", &signed(&json!({ "iss": "https://rp.example", "client_id": null }))),
            ],
            "iss_is_not_client",
        ),
        sent(
            &[("client_id", "c"), ("request", &signed(&json!({ "iss": "d", "client_id": "d" })))],
            "iss_is_not_client",
        ),
        alone(signed(&json!({ "sub": "c" })), "client_assertion"),
        sent(
            &[("client_id", "c"), ("request", &bare), ("redirect_uri", CALLBACK), ("scope", "openid")],
            "beside_not_inside",
        ),
        sent(&[("client_id", "c"), ("request", &scopeless), ("scope", "openid")], "beside_not_inside"),
        alone(signed(&json!({ "scope": ["openid", "profile"] })), "list_instead_of_text"),
        alone(signed(&json!({ "claims": "{}" })), "claims_as_text"),
        alone(signed(&json!({ "redirect_uri": format!("{CALLBACK}/") })), "redirect_uri_near"),
        alone(signed(&json!({ "redirect_uri": "https://test.rp.example/cb" })), "redirect_uri_host"),
        alone(signed(&json!({ "code_challenge": VERIFIER })), "pkce_plain"),
        alone(
            signed(&json!({ "code_challenge": "a".repeat(64), "code_challenge_method": "S256" })),
            "pkce_hexadecimal",
        ),
        alone(signed(&json!({ "scope": "openid address" })), "scope_unregistered"),
    ]
}

fn world() -> World {
    let mut world = World::new();
    let ended = signet_core::records::ClientKey {
        not_after: Some(NOW - 3 * 86_400),
        ..record(key("old", KeySpec::Rsa2048), KeyUse::Sig)
    };
    let mut pss = record(key("rp-ps", KeySpec::Rsa2048), KeyUse::Sig);
    pss.jwk.insert("alg".into(), "PS256".into());
    world.keys.extend([ended, pss, record(key("rp-ec", KeySpec::P256), KeyUse::Sig)]);
    world.client.settings.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
    world
}

#[test]
fn every_known_mistake_is_recognised_by_name() {
    let world = world();
    for (pasted, mistake) in made() {
        let report = world.explain(&pasted);
        assert!(!report.accepted, "{mistake} is refused: {pasted}");
        assert_eq!(names(&report).first(), Some(&mistake), "{:?} {:#?}", report.reason, report.findings);
        let first = &report.findings[0];
        assert!(!first.sign.is_empty() && !first.remedy.is_empty(), "{mistake} says what gave it away");
    }
}

#[test]
fn every_row_of_the_table_has_its_mistake() {
    use signet_core::explain::{Kind, mistakes};
    let made: Vec<&str> = made().into_iter().map(|(_, mistake)| mistake).collect();
    let elsewhere = ["client_id_differs", "alg_of_another_entry"];
    for mistake in mistakes().filter(|mistake| mistake.kind == Kind::Cause) {
        assert!(made.contains(&mistake.id) || elsewhere.contains(&mistake.id), "{} is made", mistake.id);
    }
}

#[test]
fn two_mistakes_are_both_named() {
    let other = signed(&json!({ "iss": "d", "client_id": "d" }));
    let report = world().explain(&query(&[("client_id", "c"), ("request", &other)]));
    assert_eq!(names(&report), ["iss_is_not_client", "client_id_differs"]);
    let mut world = world();
    world.tenant_keys[0].algs.push("ECDH-ES".into());
    let report = world.explain(&sealed_to("op-enc-ECDH-ES"));
    assert_eq!(names(&report).first(), Some(&"alg_of_another_entry"));
}

#[test]
fn what_is_tolerated_is_advised() {
    let without = seal_with("op-enc-RSA-OAEP-256", None, sign(&object()).as_bytes());
    let report = world().explain(&without);
    assert!(report.accepted);
    assert_eq!(names(&report), ["cty_missing"]);
    let nameless = signet_jose::PrivateKey::from_jwk(&without_kid()).unwrap();
    let report = world().explain(&sign_with(&nameless, SigAlg::RS256, None, &object()));
    assert_eq!((report.accepted, names(&report)), (true, vec!["kid_missing"]));
}

fn without_kid() -> String {
    let mut jwk: Value = serde_json::from_str(&rp_sig().to_jwk().unwrap()).unwrap();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk.to_string()
}
