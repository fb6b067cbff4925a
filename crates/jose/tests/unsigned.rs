//! Tokens that nobody signed: read only where they are asked for, and by the same strict rules.

mod common;

use common::mutate::{Noise, mutate};
use common::{b64, bytes, claims, fault_of, signer, with_segment};
use serde_json::json;
use signet_jose::*;

fn read(token: &str) -> Result<UnsignedClaims, JoseFault> {
    parse_unsigned(token, &Limits::default())
}

fn code(token: &str) -> &'static str {
    read(token).map_or_else(|fault| fault.code(), |_| "ok")
}

/// A token with this header, claims in order, and no signature.
fn with_header(header: &str) -> String {
    format!("{}.{}.", b64(header), b64(bytes(&claims())))
}

#[test]
fn rfc_7515_appendix_a_5_is_read_here_and_nowhere_else() {
    let token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                 cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    let unsigned = read(token).unwrap();
    assert_eq!((unsigned.claims().iss(), unsigned.claims().exp()), (Some("joe"), Ok(Some(1_300_819_380))));
    assert_eq!(unsigned.typ(), None);
    assert_eq!(fault_of(token), "alg_none");
    assert_eq!(parse_nested(token.as_bytes(), &Limits::default()).unwrap_err(), JoseFault::AlgNone);
}

#[test]
fn what_is_made_is_read_and_never_passes_as_signed() {
    for typ in [None, Some("JWT"), Some("oauth-authz-req+jwt")] {
        let token = unsigned(typ, &bytes(&claims()));
        let read = read(&token).unwrap();
        assert_eq!(read.typ(), typ);
        assert_eq!(serde_json::Value::Object(read.into_claims().into_map()), claims());
        assert_eq!(fault_of(&token), "alg_none");
    }
    // RFC 7515 appendix A.5: this very header.
    assert!(unsigned(None, b"{}").starts_with("eyJhbGciOiJub25lIn0."));
}

#[test]
fn only_the_exact_name_and_an_empty_signature_rfc7518_3_6() {
    for (header, wanted) in [
        (r#"{"alg":"none"}"#, "ok"),
        (r#"{"typ":"JWT","alg":"none","kid":"k","x":[1]}"#, "ok"),
        (r#"{"alg":"None"}"#, "alg_unsupported"),
        (r#"{"alg":"NONE"}"#, "alg_unsupported"),
        (r#"{"alg":"nOnE"}"#, "alg_unsupported"),
        (r#"{"alg":"none "}"#, "alg_unsupported"),
        (r#"{"alg":""}"#, "alg_unsupported"),
        (r#"{"alg":"HS256"}"#, "signature_not_expected"),
        (r#"{"alg":"RS256"}"#, "signature_not_expected"),
        (r#"{"alg":null}"#, "header_member_type"),
        (r#"{"alg":["none"]}"#, "header_member_type"),
        (r#"{"typ":"JWT"}"#, "alg_missing"),
    ] {
        assert_eq!(code(&with_header(header)), wanted, "{header}");
    }
    let token = with_header(r#"{"alg":"none"}"#);
    assert_eq!(code(&with_segment(&token, 2, "AA")), "signature_not_expected");
    assert_eq!(code(&with_segment(&token, 2, "=")), "signature_not_expected");
    assert_eq!(code(&signer(SigAlg::RS256).sign(None, &bytes(&claims())).unwrap()), "signature_not_expected");
    assert_eq!(code(token.trim_end_matches('.')), "segments");
    assert_eq!(code(&format!("{token}.")), "segments");
    assert_eq!(code(&format!("{token}..")), "encryption_not_expected");
    assert_eq!(code(&json!({ "payload": "e30" }).to_string()), "json_serialization");
}

#[test]
fn header_claims_and_encoding_are_as_strict_as_in_signed_tokens() {
    for (header, wanted) in [
        (r#"{"alg":"none","alg":"none"}"#, "duplicate_member"),
        (r#"{"alg":"RS256","\u0061lg":"none"}"#, "duplicate_member"),
        (r#"{"alg":"none","crit":[]}"#, "crit_present"),
        (r#"{"alg":"none","b64":false}"#, "b64_present"),
        (r#"{"alg":"none","zip":"DEF"}"#, "zip_present"),
        (r#"{"alg":"none","jwk":{}}"#, "jwk_present"),
        (r#"{"alg":"none","jku":"https://a.example"}"#, "jku_present"),
        (r#"{"alg":"none","x5u":"https://a.example"}"#, "x5u_present"),
        (r#"{"alg":"none","x5c":[]}"#, "x5c_present"),
        (r#"{"alg":"none","kid":""}"#, "kid_invalid"),
        (r#"{"alg":"none","typ":1}"#, "header_member_type"),
        (r#"{"alg":"none","cty":1}"#, "header_member_type"),
        (r#"{"alg":"none"}x"#, "header_not_json"),
        (r#"["none"]"#, "header_not_json"),
    ] {
        assert_eq!(code(&with_header(header)), wanted, "{header}");
    }
    for (payload, wanted) in [
        (r#"{"iss":"a","iss":"b"}"#, "duplicate_member"),
        (r#"{"x":[{"y":1,"y":1}]}"#, "duplicate_member"),
        (r#"{"aud":[1]}"#, "claim_type"),
        (r#"{"iss":1}"#, "claim_type"),
        ("[]", "claims_not_json"),
        ("", "payload_missing"),
    ] {
        assert_eq!(code(&unsigned(None, payload.as_bytes())), wanted, "{payload}");
    }
    let token = with_header(r#"{"alg":"none"}"#);
    let payload = token.split('.').nth(1).unwrap();
    assert_eq!(code(&with_segment(&token, 1, &format!("{payload}="))), "not_base64url");
    assert_eq!(code(&format!(" {token}")), "not_base64url");
}

#[test]
fn sizes_are_bounded() {
    let limits = Limits::default();
    assert_eq!(code(&"x".repeat(limits.token + 1)), "token_too_large");
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(limits.claims));
    let roomy = Limits { token: 1 << 20, ..limits };
    let fault = parse_unsigned(&unsigned(None, large.as_bytes()), &roomy).unwrap_err();
    assert_eq!(fault, JoseFault::ClaimsTooLarge);
    let header = format!(r#"{{"alg":"none","x":"{}"}}"#, "x".repeat(limits.header));
    assert_eq!(code(&with_header(&header)), "header_too_large");
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(limits.depth), "]".repeat(limits.depth));
    assert_eq!(code(&unsigned(None, deep.as_bytes())), "claims_too_deep");
}

#[test]
fn altered_tokens_are_read_or_refused_and_never_both_signed_and_unsigned() {
    let mut noise = Noise(0x5167_6e65_7405);
    let tokens = [unsigned(Some("JWT"), &bytes(&claims())), signer(SigAlg::ES256).sign(None, b"{}").unwrap()];
    let (mut unsigned_ones, mut signed_ones) = (0, 0);
    for round in 0..4000 {
        let altered = mutate(&tokens[round % 2], &mut noise);
        let as_unsigned = read(&altered).is_ok();
        let as_signed = parse(&altered, &Limits::default()).is_ok();
        assert!(!(as_unsigned && as_signed), "{altered}");
        unsigned_ones += usize::from(as_unsigned);
        signed_ones += usize::from(as_signed);
    }
    assert!(unsigned_ones > 50 && signed_ones > 50, "{unsigned_ones} and {signed_ones}");
}
