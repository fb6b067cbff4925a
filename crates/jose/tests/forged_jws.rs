//! Forged signed tokens, each named after what it forges.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{
    NOW, SECRET, as_jws, b64, bytes, check, claims, expect, fault_of, judge, key, other_rsa, signer, unb64,
    verifier, with_header, with_segment,
};
use serde_json::{Value, json};
use signet_jose::*;

fn token(alg: SigAlg) -> String {
    signer(alg).sign(None, &bytes(&claims())).unwrap()
}

fn code(token: &str, alg: SigAlg) -> &'static str {
    check(token, &verifier(alg), &expect(SigAlg::ALL)).map_or_else(|fault| fault.code(), |_| "ok")
}

#[test]
fn a4_hmac_signatures_are_whole_and_exact() {
    for alg in [SigAlg::HS256, SigAlg::HS384, SigAlg::HS512] {
        let token = token(alg);
        assert_eq!(code(&token, alg), "ok");
        let mac = unb64(token.split('.').nth(2).unwrap());
        for bit in 0..mac.len() * 8 {
            let mut forged = mac.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(code(&with_segment(&token, 2, &b64(forged)), alg), "jws_signature_invalid");
        }
        for length in (1..mac.len()).chain([mac.len() + 1]) {
            let mut forged = mac.clone();
            forged.resize(length, 0);
            assert_eq!(code(&with_segment(&token, 2, &b64(forged)), alg), "signature_length");
        }
    }
}

#[test]
fn a5_crit_is_refused_whatever_it_lists() {
    for crit in [json!([]), json!(["exp"]), json!(["b64"]), json!(["x"]), json!(null), json!("alg")] {
        let forged = with_header(&token(SigAlg::ES256), |header| drop(header.insert("crit".into(), crit)));
        assert_eq!(fault_of(&forged), "crit_present");
    }
}

#[test]
fn a7_a_key_taken_from_the_list_verifies_nothing_by_its_kid() {
    let token = token(SigAlg::RS256);
    let jws = as_jws(&token).unwrap();
    let revoked = verifier(SigAlg::RS256);
    let kept = other_rsa().public_key().verifier(SigAlg::RS256).unwrap();
    let expect = expect(SigAlg::ALL);
    assert!(verify(&jws, &[&revoked, &kept], &expect, &mut Trace::new()).is_ok());
    let fault = verify(&jws, &[&kept], &expect, &mut Trace::new()).unwrap_err();
    assert_eq!(fault.code(), "jws_key_unknown");
    assert_eq!(fault.offered(), Some("rsa-2048"));
    assert_eq!(verify(&jws, &[], &expect, &mut Trace::new()).unwrap_err().code(), "jws_key_unknown");
}

#[test]
fn a8_absurd_times_are_a_fault_and_never_a_panic() {
    let absurd = [
        json!(1e19),
        json!(1e20),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(-1),
        json!(-0.5),
        json!((1_i64 << 53) + 2),
        json!("1700000600"),
        json!(null),
        json!(true),
        json!([NOW]),
        json!({}),
    ];
    for claim in ["exp", "iat", "nbf"] {
        for value in &absurd {
            let mut claims = claims();
            claims[claim] = value.clone();
            assert_eq!(judge(&claims, &expect(SigAlg::ALL)), "time_invalid", "{claim} {value}");
            let parsed = Claims::parse(&bytes(&claims), &Limits::default()).unwrap();
            assert_eq!(parsed.time(claim), Err(JoseFault::TimeInvalid { claim }));
        }
    }
    for number in ["1e400", "-1e400", "1e999999999999999999999", "01", "+1", ".5", "NaN", "Infinity", "0x10"]
    {
        let text = format!(r#"{{"exp":{number}}}"#);
        let fault = Claims::parse(text.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(fault, JoseFault::ClaimsNotJson, "{number}");
    }
}

#[test]
fn a9_a_token_without_audience_or_expiry_is_refused() {
    for (remove, code) in
        [("aud", "aud_missing"), ("exp", "exp_missing"), ("iss", "iss_missing"), ("iat", "iat_missing")]
    {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(remove);
        assert_eq!(judge(&claims, &expect(SigAlg::ALL)), code);
    }
    let mut ahead = claims();
    ahead["iat"] = json!(NOW + 2);
    assert_eq!(judge(&ahead, &expect(SigAlg::ALL)), "ok", "two seconds ahead are within the skew");
}

#[test]
fn b3_claims_limits_hold() {
    let limits = Limits::default();
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(limits.claims));
    assert_eq!(Claims::parse(large.as_bytes(), &limits), Err(JoseFault::ClaimsTooLarge));
    let nest = |depth: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(Claims::parse(nest(limits.depth - 1).as_bytes(), &limits).is_ok());
    for depth in [limits.depth, 127, 128, 5000] {
        assert_eq!(Claims::parse(nest(depth).as_bytes(), &limits), Err(JoseFault::ClaimsTooDeep));
    }
    let many = |count: usize| format!(r#"{{"x":[{}]}}"#, vec!["0"; count].join(","));
    assert!(Claims::parse(many(limits.values - 2).as_bytes(), &limits).is_ok());
    assert_eq!(Claims::parse(many(limits.values - 1).as_bytes(), &limits), Err(JoseFault::ClaimsTooMany));
}

#[test]
fn c1_the_algorithm_is_the_verifiers_choice() {
    // The public key used as an HMAC secret, in the forms in which an attacker has it.
    let public = key(KeySpec::Rsa2048).public_key();
    let der = common::craft::rsa(public).public_key_to_der().unwrap();
    let pem = common::craft::rsa(public).public_key_to_pem().unwrap();
    let jwk = serde_json::to_vec(&public.to_jwk()).unwrap();
    for secret in [der, pem, jwk] {
        let forged = Signer::hmac(&secret, SigAlg::HS256).unwrap().sign(None, &bytes(&claims())).unwrap();
        assert_eq!(code(&forged, SigAlg::RS256), "jws_key_unknown");
        assert_eq!(
            check(&forged, &verifier(SigAlg::RS256), &expect(&[SigAlg::RS256])).unwrap_err().code(),
            "jws_algorithm_not_allowed"
        );
    }
    assert!(public.verifier(SigAlg::HS256).is_err());
    // One RSA algorithm for another, by changing the header.
    let rs256 = token(SigAlg::RS256);
    for alg in ["PS256", "RS384", "RS512"] {
        let forged = with_header(&rs256, |header| header["alg"] = json!(alg));
        let alg = SigAlg::from_name(alg).unwrap();
        assert_eq!(code(&forged, alg), "jws_signature_invalid");
        assert_eq!(code(&forged, SigAlg::RS256), "jws_key_unknown");
    }
}

#[test]
fn c1_no_public_key_of_any_kind_serves_as_a_secret_and_no_secret_as_a_key() {
    let symmetric = [SigAlg::HS256, SigAlg::HS384, SigAlg::HS512];
    for alg in SigAlg::ALL.iter().copied().filter(|alg| !alg.is_symmetric()) {
        let public = key(common::spec_for(alg).unwrap()).public_key();
        let verifier = verifier(alg);
        let keys = [&verifier];
        let jwk = bytes(&Value::Object(public.to_jwk()));
        // With the algorithms of key pairs alone, and with all of them.
        let asymmetric = [alg];
        let policies = [(&asymmetric[..], "jws_algorithm_not_allowed"), (SigAlg::ALL, "jws_key_unknown")];
        for (algorithms, wanted) in policies {
            let expect = Expect { algorithms, ..expect(SigAlg::ALL) };
            for hmac in symmetric {
                for secret in [jwk.as_slice(), public.thumbprint().repeat(2).as_bytes()] {
                    let forged = Signer::hmac(secret, hmac).unwrap().sign(None, &bytes(&claims())).unwrap();
                    let jws = as_jws(&forged).unwrap();
                    let fault = verify(&jws, &keys, &expect, &mut Trace::new()).unwrap_err();
                    assert_eq!(fault.code(), wanted, "{alg} {hmac}");
                }
            }
        }
        // The other way round: a signature where a MAC is expected.
        let secret = Verifier::hmac(SECRET, SigAlg::HS256).unwrap();
        let fault = check(&token(alg), &secret, &expect(&[SigAlg::HS256])).unwrap_err();
        assert_eq!(fault.code(), "jws_algorithm_not_allowed", "{alg}");
    }
}

#[test]
fn c1_unsigned_tokens_are_refused_in_any_spelling() {
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header = b64(format!(r#"{{"alg":"{alg}"}}"#));
        for token in [format!("{header}.{}.", b64(bytes(&claims()))), format!("{header}.e30.AA")] {
            assert_eq!(fault_of(&token), "alg_none");
        }
    }
    for alg in ["", "none ", "RS1", "rs256", "ES256K", "EdDSA ", "Ed25519"] {
        let token = format!("{}.e30.AA", b64(format!(r#"{{"alg":"{alg}"}}"#)));
        assert_eq!(fault_of(&token), "alg_unsupported", "{alg}");
    }
    assert_eq!(fault_of(&format!("{}.e30.AA", b64("{}"))), "alg_missing");
    let signed = token(SigAlg::RS256);
    assert_eq!(fault_of(&with_segment(&signed, 2, "")), "signature_missing");
    assert_eq!(fault_of(&with_segment(&signed, 1, "")), "payload_missing");
}

#[test]
fn c2_duplicate_members_are_refused_at_every_depth_and_in_any_spelling() {
    for header in [
        r#"{"alg":"HS256","alg":"RS256"}"#,
        r#"{"alg":"RS256","\u0061lg":"RS256"}"#,
        r#"{"alg":"RS256","x":{"a":1,"a":2}}"#,
        r#"{"alg":"RS256","x":[{"a":1,"a":1}]}"#,
    ] {
        assert_eq!(fault_of(&format!("{}.e30.AA", b64(header))), "duplicate_member", "{header}");
    }
    for claims in [
        format!(r#"{{"iss":"a","iss":"client-1","exp":{NOW}}}"#),
        r#"{"iss":"a","is\u0073":"b"}"#.to_owned(),
        r#"{"x":{"y":[{"z":1,"z":1}]}}"#.to_owned(),
    ] {
        let token = signer(SigAlg::HS256).sign(None, claims.as_bytes()).unwrap();
        assert_eq!(code(&token, SigAlg::HS256), "duplicate_member");
        assert_eq!(as_jws(&token).unwrap().peek().unwrap_err().code(), "duplicate_member");
    }
}

#[test]
fn c3_base64url_has_one_spelling() {
    let token = token(SigAlg::HS256);
    for segment in 0..3 {
        let text = token.split('.').nth(segment).unwrap();
        for forged in [
            format!("{text}="),
            format!("{text}=="),
            format!(" {text}"),
            format!("{text}\n"),
            format!("{text}+/"),
            format!("{text}A%41"),
            format!("{}\0", &text[1..]),
        ] {
            assert_eq!(fault_of(&with_segment(&token, segment, &forged)), "not_base64url");
        }
    }
    // The last character of a 32-octet value has two pad bits: four spellings, one of them canonical.
    let mac = token.split('.').nth(2).unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let parsed = alphabet.chars().filter(|last| {
        let forged = format!("{}{last}", &mac[..mac.len() - 1]);
        parse(&with_segment(&token, 2, &forged), &Limits::default()).is_ok()
    });
    assert_eq!(parsed.count(), 16);
}

#[test]
fn c5_kid_chooses_among_the_keys_and_never_past_them() {
    let expect = expect(SigAlg::ALL);
    let named = verifier(SigAlg::RS256);
    let jwk = key(KeySpec::Rsa2048).public_key();
    let mut bare = jwk.to_jwk();
    bare.remove("kid");
    let unnamed = PublicKey::from_jwk(&bare.into()).unwrap().verifier(SigAlg::RS256).unwrap();
    let other = other_rsa().public_key().verifier(SigAlg::RS256).unwrap();
    let private = key(KeySpec::Rsa2048);
    let sign = |kid: &str| {
        let signer = private.clone().with_kid(kid).signer(SigAlg::RS256).unwrap();
        as_jws(&signer.sign(None, &bytes(&claims())).unwrap()).unwrap()
    };
    let verdict = |jws: &UnverifiedJws, keys: &[&Verifier]| {
        verify(jws, keys, &expect, &mut Trace::new()).map_or_else(|fault| fault.code(), |_| "ok")
    };
    let own = sign("rsa-2048");
    assert_eq!(verdict(&own, &[&other, &named]), "ok");
    assert_eq!(verdict(&sign(jwk.thumbprint()), &[&other, &named]), "ok", "the thumbprint is a name too");
    assert_eq!(verdict(&sign("unknown"), &[&other, &named]), "jws_key_unknown");
    assert_eq!(verdict(&sign("unknown"), &[&other, &unnamed]), "ok", "a key without kid may be meant");
    assert_eq!(verdict(&sign("other"), &[&other, &named]), "jws_signature_invalid");
    let no_kid = as_jws(&with_header(&token(SigAlg::RS256), |header| drop(header.remove("kid")))).unwrap();
    assert_eq!(verdict(&no_kid, &[&other, &named]), "jws_signature_invalid", "the header is signed");
}

#[test]
fn c7_keys_and_addresses_in_the_header_are_refused() {
    let embedded = Value::Object(key(KeySpec::P256).public_key().to_jwk());
    for (name, value, code) in [
        ("jwk", embedded, "jwk_present"),
        ("jku", json!("https://attacker.example/jwks"), "jku_present"),
        ("x5u", json!("https://attacker.example/cert"), "x5u_present"),
        ("x5c", json!(["MIIB"]), "x5c_present"),
        ("b64", json!(false), "b64_present"),
    ] {
        let forged = with_header(&token(SigAlg::ES256), |header| drop(header.insert(name.into(), value)));
        assert_eq!(fault_of(&forged), code);
    }
}

#[test]
fn c8_headers_and_claims_are_exactly_one_json_object() {
    let table: [(&[u8], &str); 9] = [
        (b"{\"alg\":\"RS256\"}x", "header_not_json"),
        (b"{\"alg\":\"RS256\"}{}", "header_not_json"),
        (b"[\"RS256\"]", "header_not_json"),
        (b"\"RS256\"", "header_not_json"),
        (b"null", "header_not_json"),
        (b"", "header_not_json"),
        (b"\xef\xbb\xbf{\"alg\":\"RS256\"}", "header_not_json"),
        (b"{\"alg\":\"\xff\"}", "header_not_json"),
        (b"{\"alg\":\"\\ud800\"}", "header_not_json"),
    ];
    for (header, code) in table {
        assert_eq!(fault_of(&format!("{}.e30.AA", b64(header))), code);
    }
    let deep = format!(r#"{{"alg":"RS256","x":{}{}}}"#, "[".repeat(20), "]".repeat(20));
    assert_eq!(fault_of(&format!("{}.e30.AA", b64(deep))), "header_too_deep");
    let limits = Limits { values: 10, ..Limits::default() };
    let many = format!(r#"{{"alg":"RS256","x":[{}]}}"#, ["1"; 10].join(","));
    let fault = parse(&format!("{}.e30.AA", b64(many)), &limits).unwrap_err();
    assert_eq!(fault.code(), "header_too_many");
}

#[test]
fn c9_fault_texts_name_the_rule_and_nothing_that_was_offered() {
    let marker = "ATTACKER-TEXT";
    let header = |text: &str| format!("{}.e30.AA", b64(text));
    let mut faults: Vec<JoseFault> = [
        header(&format!(r#"{{"alg":"{marker}"}}"#)),
        header(&format!(r#"{{"alg":"RS256","{marker}":1,"{marker}":2}}"#)),
        format!("{}....", b64(format!(r#"{{"alg":"{marker}","enc":"A128GCM"}}"#))),
        format!("{}....", b64(format!(r#"{{"alg":"RSA-OAEP","enc":"{marker}"}}"#))),
    ]
    .iter()
    .map(|token| parse(token, &Limits::default()).unwrap_err())
    .collect();
    for claim in ["iss", "aud"] {
        let mut claims = claims();
        claims[claim] = json!(marker);
        let token = signer(SigAlg::HS256).sign(Some(marker), &bytes(&claims)).unwrap();
        faults.push(check(&token, &verifier(SigAlg::HS256), &expect(SigAlg::ALL)).unwrap_err());
        let typed = Expect { typ: Typ::Required(&["JWT"]), ..expect(SigAlg::ALL) };
        faults.push(check(&token, &verifier(SigAlg::HS256), &typed).unwrap_err());
    }
    for fault in faults {
        assert!(!fault.to_string().contains(marker), "{fault}");
        assert_eq!(fault.offered(), Some(marker));
    }
    // What was offered is cut and made printable even for the operator.
    let long = header(&format!(r#"{{"alg":"\u001b[31m{}"}}"#, "x".repeat(500)));
    let fault = parse(&long, &Limits::default()).unwrap_err();
    assert_eq!(fault.offered().unwrap().len(), 64);
    assert!(fault.offered().unwrap().starts_with("?[31mx"));
}

#[test]
fn signatures_of_another_length_are_refused_without_a_key() {
    for alg in SigAlg::ALL {
        let token = token(*alg);
        for length in [1, 31, 33, 63, 65, 95, 97, 131, 133, 255, 513] {
            let forged = with_segment(&token, 2, &b64(vec![0; length]));
            assert_eq!(fault_of(&forged), "signature_length", "{alg} {length}");
        }
    }
    // RFC 7518 section 3.4: r and s of zero, and the DER form, are no signature.
    for length in [64, 96, 132] {
        let alg = [SigAlg::ES256, SigAlg::ES384, SigAlg::ES512]
            [[64, 96, 132].iter().position(|l| *l == length).unwrap()];
        assert_eq!(code(&with_segment(&token(alg), 2, &b64(vec![0; length])), alg), "jws_signature_invalid");
        assert_eq!(
            code(&with_segment(&token(alg), 2, &b64(vec![0xff; length])), alg),
            "jws_signature_invalid"
        );
    }
}

#[test]
fn secrets_shorter_than_their_hash_are_refused() {
    for (alg, wanted) in [(SigAlg::HS256, 32), (SigAlg::HS384, 48), (SigAlg::HS512, 64)] {
        assert!(Verifier::hmac(&SECRET[..wanted], alg).is_ok());
        let fault = Verifier::hmac(&SECRET[..wanted - 1], alg).unwrap_err();
        assert_eq!(fault, KeyFault::SecretTooShort { alg, found: wanted - 1, wanted });
        // The text says what to do, and to whom the rule belongs.
        assert!(fault.to_string().contains(&format!("{alg} wants at least {wanted} (RFC 7518 section 3.2)")));
        assert_eq!(Signer::hmac(&[], alg).unwrap_err().code(), "key_secret_too_short");
    }
    assert_eq!(Signer::hmac(SECRET, SigAlg::RS256).unwrap_err().code(), "key_alg_mismatch");
}
