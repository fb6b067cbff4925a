//! Which objects are read at all: kinds, serializations, headers, encoding (A-11 to A-17, A-28, A-29, A-42).

use serde_json::{Value, json};
use signet_jose::ContentAlg;
use signet_tests::craft::{self, b64, flip, segments};

use crate::bench::signing_key;
use crate::row::{Case, Row, To};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = kinds();
    rows.extend(serializations());
    rows.extend(signature_headers());
    rows.extend(encryption_headers());
    rows.extend(encodings());
    rows.extend(tampered());
    rows
}

fn unsigned(case: &Case<'_>, alg: &str, signature: &str) -> String {
    let header = json!({ "alg": alg }).to_string();
    format!("{}.{}.{signature}", b64(header), b64(case.payload()))
}

fn kinds() -> Vec<Row> {
    let mut rows = Vec::new();
    // RFC 8725 section 3.2: in any spelling.
    for alg in ["none", "None", "NONE", "nOnE"] {
        rows.extend(Row::both(&format!("A-13 alg {alg}"), "alg_none", move |case| unsigned(case, alg, "")));
    }
    rows.extend(Row::both("A-13 alg none with a signature", "alg_none", |case| {
        unsigned(case, "none", "AAAA")
    }));
    rows.extend(Row::both("A-13 alg none in the header of a signed object", "alg_none", |case| {
        case.under(&json!({ "alg": "none", "kid": "sig" }))
    }));
    rows.extend([
        Row::object("A-14 JWE of claims", "jwe_content_not_jws", |case| case.sealed(&case.payload())),
        Row::object("A-14 JWE of claims without cty", "jwe_content_not_jws", |case| {
            case.sealed_with(&json!({ "cty": null }), &case.payload())
        }),
        Row::object("A-14 JWE of claims with spaces before", "jwe_content_not_jws", |case| {
            case.sealed(&[b"  ", case.payload().as_slice()].concat())
        }),
        Row::object("A-14 JWE of text", "jwe_content_not_jws", |case| case.sealed(b"hello")),
        Row::object("A-14 JWE of two segments", "jwe_content_not_jws", |case| case.sealed(b"e30.e30")),
        Row::object("A-14 JWE of octets that are not text", "jwe_content_not_jws", |case| {
            case.sealed(&[0xff; 9])
        }),
        Row::object("A-15 JWE in JWE", "jwe_in_jwe", |case| {
            case.sealed(case.sealed(case.signed().as_bytes()).as_bytes())
        }),
        Row::object("A-15 JWE of five segments", "jwe_in_jwe", |case| case.sealed(b"a.b.c.d.e")),
        Row::object("A-15 JWE of claims in JWE", "jwe_in_jwe", |case| {
            case.sealed(case.sealed(&case.payload()).as_bytes())
        }),
    ]);
    rows
}

fn parts(token: &str) -> Vec<String> {
    token.split('.').map(str::to_owned).collect()
}

fn json_jws(case: &Case<'_>, general: bool) -> String {
    let [header, payload, signature] = parts(&case.signed()).try_into().unwrap();
    if general {
        let signatures = json!([{ "protected": header, "signature": signature }]);
        json!({ "payload": payload, "signatures": signatures }).to_string()
    } else {
        json!({ "payload": payload, "protected": header, "signature": signature }).to_string()
    }
}

fn json_jwe(case: &Case<'_>, general: bool) -> String {
    let [header, key, iv, ciphertext, tag] =
        parts(&case.sealed(case.signed().as_bytes())).try_into().unwrap();
    let mut object = json!({ "protected": header, "iv": iv, "ciphertext": ciphertext, "tag": tag });
    if general {
        object["recipients"] = json!([{ "encrypted_key": key }]);
    } else {
        object["encrypted_key"] = json!(key);
    }
    object.to_string()
}

fn serializations() -> Vec<Row> {
    let detached = |case: &Case<'_>| segments(&case.signed(), |parts| parts[1].clear());
    let mut rows = Vec::from(Row::both("A-16 detached payload", "payload_missing", detached));
    for (general, name) in [(false, "flattened"), (true, "general")] {
        rows.extend([
            Row::object(&format!("A-16 {name} JWS"), "json_serialization", move |case| {
                json_jws(case, general)
            }),
            Row::object(&format!("A-16 {name} JWE"), "json_serialization", move |case| {
                json_jwe(case, general)
            }),
            Row::object(&format!("A-16 {name} JWS in JWE"), "jwe_content_not_jws", move |case| {
                case.sealed(json_jws(case, general).as_bytes())
            }),
            Row::object(&format!("A-16 {name} JWE in JWE"), "jwe_content_not_jws", move |case| {
                case.sealed(json_jwe(case, general).as_bytes())
            }),
        ]);
    }
    rows.extend([
        Row::object("A-16 bare claims", "json_serialization", |case| {
            String::from_utf8(case.payload()).unwrap()
        }),
        Row::object("A-16 bare claims after a space", "json_serialization", |case| {
            format!(" {}", String::from_utf8(case.payload()).unwrap())
        }),
    ]);
    rows
}

/// Headers that change the processing or name a key (A-16, A-28), for either layer.
fn forbidden() -> Vec<(&'static str, Value, &'static str)> {
    let jwk = json!(signing_key("other").0.public_key().to_jwk());
    vec![
        ("crit of a registered name", json!({ "crit": ["exp"], "exp": 1 }), "crit_present"),
        ("crit of an unknown name", json!({ "crit": ["urn:x"], "urn:x": true }), "crit_present"),
        ("crit empty", json!({ "crit": [] }), "crit_present"),
        ("crit not a list", json!({ "crit": "exp" }), "crit_present"),
        ("b64 false with crit", json!({ "crit": ["b64"], "b64": false }), "crit_present"),
        ("b64 false", json!({ "b64": false }), "b64_present"),
        ("b64 true", json!({ "b64": true }), "b64_present"),
        ("zip", json!({ "zip": "DEF" }), "zip_present"),
        ("zip of another name", json!({ "zip": "gzip" }), "zip_present"),
        ("zip null", json!({ "zip": Value::Null }), "zip_present"),
        ("p2c", json!({ "p2c": 1 }), "p2c_present"),
        ("p2c huge", json!({ "p2c": 2_147_483_647 }), "p2c_present"),
        ("p2s", json!({ "p2s": "AAAAAAAAAAA" }), "p2s_present"),
        ("jku", json!({ "jku": "https://rp.example/jwks" }), "jku_present"),
        ("x5u", json!({ "x5u": "https://rp.example/cert" }), "x5u_present"),
        ("jwk", json!({ "jwk": jwk }), "jwk_present"),
        ("x5c", json!({ "x5c": ["MIIB"] }), "x5c_present"),
    ]
}

fn with(base: Value, changes: &Value) -> Value {
    let mut header = base;
    for (name, value) in changes.as_object().unwrap() {
        header[name] = value.clone();
    }
    header
}

fn signature_headers() -> Vec<Row> {
    let base = || json!({ "alg": "RS256", "kid": "sig" });
    let mut rows = Vec::new();
    for (name, changes, reason) in forbidden() {
        let make = move |case: &Case<'_>| case.under(&with(base(), &changes));
        rows.extend(Row::both(&format!("A-28 JWS header {name}"), reason, make));
    }
    for (name, header, reason) in [
        ("alg missing", json!({ "kid": "sig" }), "alg_missing"),
        ("alg a number", json!({ "alg": 256 }), "header_member_type"),
        ("alg unknown", json!({ "alg": "RS1" }), "alg_unsupported"),
        ("alg in another case", json!({ "alg": "rs256" }), "alg_unsupported"),
        ("alg of encryption", json!({ "alg": "RSA-OAEP" }), "alg_unsupported"),
        ("alg ES256K", json!({ "alg": "ES256K" }), "alg_unsupported"),
        ("kid empty", json!({ "alg": "RS256", "kid": "" }), "kid_invalid"),
        ("kid too long", json!({ "alg": "RS256", "kid": "k".repeat(257) }), "kid_invalid"),
        ("kid with a control character", json!({ "alg": "RS256", "kid": "sig\n" }), "kid_invalid"),
        ("kid a number", json!({ "alg": "RS256", "kid": 1 }), "header_member_type"),
        ("typ a number", json!({ "alg": "RS256", "typ": 1 }), "header_member_type"),
        ("typ of a DPoP proof", json!({ "alg": "RS256", "kid": "sig", "typ": "dpop+jwt" }), "typ_mismatch"),
        ("typ of an access token", json!({ "alg": "RS256", "kid": "sig", "typ": "at+jwt" }), "typ_mismatch"),
        (
            "typ of a logout token",
            json!({ "alg": "RS256", "kid": "sig", "typ": "logout+jwt" }),
            "typ_mismatch",
        ),
        ("cty a number", json!({ "alg": "RS256", "cty": 1 }), "header_member_type"),
        ("too large", json!({ "alg": "RS256", "x": "y".repeat(4096) }), "header_too_large"),
    ] {
        let make = move |case: &Case<'_>| case.under(&header);
        rows.extend(Row::both(&format!("A-43 JWS header {name}"), reason, make));
    }
    for (name, header, reason) in [
        ("an array", "[]", "header_not_json"),
        ("text", "RS256", "header_not_json"),
        ("alg twice", r#"{"alg":"RS256","alg":"RS256"}"#, "duplicate_member"),
        ("alg twice, once escaped", r#"{"alg":"RS256","\u0061lg":"none"}"#, "duplicate_member"),
        ("kid twice", r#"{"alg":"RS256","kid":"sig","kid":"sig"}"#, "duplicate_member"),
        ("two members of one name deep inside", r#"{"alg":"RS256","x":{"y":1,"y":2}}"#, "duplicate_member"),
        ("two documents", r#"{"alg":"RS256"}{}"#, "header_not_json"),
    ] {
        let make =
            move |case: &Case<'_>| craft::jws(header.as_bytes(), &case.payload(), &signing_key("rp").0);
        rows.extend(Row::both(&format!("A-42 JWS header {name}"), reason, make));
    }
    rows.extend(Row::both("A-42 JWS header too deep", "header_too_deep", |case| {
        let header = format!(r#"{{"alg":"RS256","x":{}{}}}"#, "[".repeat(17), "]".repeat(17));
        craft::jws(header.as_bytes(), &case.payload(), &signing_key("rp").0)
    }));
    rows
}

fn encryption_headers() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, changes, reason) in forbidden() {
        // A null removes a member of this header, so it is not a case of its own here.
        if changes.as_object().unwrap().values().all(|value| !value.is_null()) {
            let make = move |case: &Case<'_>| case.sealed_with(&changes, case.signed().as_bytes());
            rows.push(Row::object(&format!("A-28 JWE header {name}"), reason, make));
        }
    }
    for alg in [
        "RSA1_5",
        "dir",
        "A128KW",
        "A256KW",
        "A128GCMKW",
        "PBES2-HS256+A128KW",
        "RSA-OAEP-512",
        "RS256",
        "rsa-oaep",
    ] {
        rows.push(Row::object(&format!("A-28 JWE alg {alg}"), "key_alg_unsupported", move |case| {
            case.sealed_with(&json!({ "alg": alg }), case.signed().as_bytes())
        }));
    }
    for (name, changes, reason) in [
        (
            "PBES2 with its members",
            json!({ "alg": "PBES2-HS256+A128KW", "p2s": "AAAA", "p2c": 1 }),
            "p2c_present",
        ),
        ("alg none", json!({ "alg": "none" }), "alg_none"),
        ("alg missing", json!({ "alg": null }), "alg_missing"),
        ("alg a list", json!({ "alg": ["RSA-OAEP"] }), "header_member_type"),
        ("enc missing", json!({ "enc": null }), "enc_missing"),
        ("enc unknown", json!({ "enc": "A128CBC" }), "enc_unsupported"),
        ("enc none", json!({ "enc": "none" }), "enc_unsupported"),
        ("enc a number", json!({ "enc": 1 }), "header_member_type"),
        ("cty json", json!({ "cty": "json" }), "object_cty"),
        ("cty JWS", json!({ "cty": "JWS" }), "object_cty"),
        ("cty empty", json!({ "cty": "" }), "object_cty"),
        ("cty a number", json!({ "cty": 1 }), "header_member_type"),
        ("kid a list", json!({ "kid": ["x"] }), "header_member_type"),
        ("kid empty", json!({ "kid": "" }), "kid_invalid"),
        ("epk missing", json!({ "alg": "ECDH-ES" }), "epk_invalid"),
        (
            "epk off the curve",
            json!({ "alg": "ECDH-ES", "epk": { "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" } }),
            "epk_invalid",
        ),
        ("too large", json!({ "x": "y".repeat(4096) }), "header_too_large"),
    ] {
        rows.push(Row::object(&format!("A-29 JWE header {name}"), reason, move |case| {
            case.sealed_with(&changes, case.signed().as_bytes())
        }));
    }
    rows.push(Row::object("A-42 JWE header enc twice", "duplicate_member", |case| {
        let entry = craft::entry(&case.bench.jwks, "enc", "RSA-OAEP");
        let header = br#"{"alg":"RSA-OAEP","enc":"A128CBC-HS256","enc":"A128GCM"}"#;
        craft::jwe(header, case.signed().as_bytes(), entry)
    }));
    rows
}

fn encodings() -> Vec<Row> {
    let mut rows = Vec::new();
    for (segment, name) in ["header", "payload", "signature"].into_iter().enumerate() {
        for (with, what) in [
            ("=", "padding"),
            (" ", "a space"),
            ("\n", "a line end"),
            ("+", "the standard alphabet"),
            ("*", "another character"),
        ] {
            let make = move |case: &Case<'_>| segments(&case.signed(), |parts| parts[segment].push_str(with));
            rows.extend(Row::both(&format!("A-12 JWS {name} with {what}"), "not_base64url", make));
        }
    }
    for (segment, name) in ["header", "key", "iv", "ciphertext", "tag"].into_iter().enumerate() {
        rows.push(Row::object(&format!("A-12 JWE {name} with padding"), "not_base64url", move |case| {
            segments(&case.sealed(case.signed().as_bytes()), |parts| parts[segment].push('='))
        }));
    }
    rows.push(Row::object("A-12 space before the object", "not_base64url", |case| {
        format!(" {}", case.signed())
    }));
    // RFC 4648 section 3.5: pad bits that are not zero give a value a second spelling.
    rows.extend(Row::both("A-12 pad bits in the signature", "not_base64url", |case| {
        segments(&case.signed(), |parts| {
            let last = parts[2].pop().unwrap();
            parts[2].push(char::from(u8::try_from(last).unwrap() + 1));
        })
    }));
    for (name, token) in [
        ("one segment", "e30"),
        ("two segments", "e30.e30"),
        ("four segments", "e30.e30.e30.e30"),
        ("six segments", "a.b.c.d.e.f"),
    ] {
        rows.push(Row::object(&format!("A-12 {name}"), "segments", move |_| token.into()));
    }
    rows.extend([
        Row::object("A-12 JWS with a segment more", "segments", |case| format!("{}.AA", case.signed())),
        Row::object("A-12 JWS with a segment less", "segments", |case| {
            segments(&case.signed(), |parts| drop(parts.pop()))
        }),
        Row::object("A-12 JWE with a segment more", "segments", |case| {
            format!("{}.AA", case.sealed(case.signed().as_bytes()))
        }),
        Row::object("A-12 JWE with a segment less", "segments", |case| {
            segments(&case.sealed(case.signed().as_bytes()), |parts| drop(parts.pop()))
        }),
        Row::object("A-12 dots alone", "header_not_json", |_| "..".into()),
        Row::object("A-12 four dots alone", "header_not_json", |_| "....".into()),
        // The limit of the parameter is that of the token.
        Row::object("A-42 larger than the limit", "parameter_too_long", |_| "a".repeat(64 * 1024 + 1))
            .to(To::Page)
            .post_only(),
    ]);
    rows.extend(Row::both("A-16 signature empty", "signature_missing", |case| {
        segments(&case.signed(), |parts| parts[2].clear())
    }));
    rows.extend(Row::both("A-16 signature cut", "signature_length", |case| {
        segments(&case.signed(), |parts| parts[2].truncate(200))
    }));
    rows
}

fn tampered() -> Vec<Row> {
    let mut rows = Vec::new();
    for (segment, reason) in
        ["header_not_json", "claims_not_json", "jws_signature_invalid"].into_iter().enumerate()
    {
        for last in [false, true] {
            let make = move |case: &Case<'_>| flip(&case.signed(), segment, last);
            rows.extend(Row::both(&format!("A-46 JWS segment {segment} changed, last {last}"), reason, make));
        }
    }
    rows.extend(Row::both("A-46 another claim under the same signature", "jws_signature_invalid", |case| {
        segments(&case.signed(), |parts| {
            let mut claims = case.claims();
            claims.insert("scope".into(), "openid email".into());
            parts[1] = b64(craft::json(&claims));
        })
    }));
    for segment in 0..5 {
        for last in [false, true] {
            let reason = if segment == 0 { "header_not_json" } else { "undecryptable" };
            rows.push(Row::object(
                &format!("A-51 JWE segment {segment} changed, last {last}"),
                reason,
                move |case| flip(&case.sealed(case.signed().as_bytes()), segment, last),
            ));
        }
    }
    for (segment, reason) in
        [(1, "encrypted_key_length"), (2, "iv_length"), (3, "ciphertext_length"), (4, "tag_length")]
    {
        for length in [0, 8] {
            rows.push(Row::object(
                &format!("A-51 JWE segment {segment} cut to {length}"),
                reason,
                move |case| {
                    segments(&case.sealed(case.signed().as_bytes()), |parts| parts[segment].truncate(length))
                },
            ));
        }
    }
    // The content key of another algorithm's length.
    rows.push(Row::object("A-51 JWE enc exchanged for one of other lengths", "iv_length", |case| {
        case.sealed_with(&json!({ "enc": ContentAlg::A256Gcm.name() }), case.signed().as_bytes())
    }));
    rows.push(Row::object("A-51 JWE header exchanged", "undecryptable", |case| {
        let token = case.sealed(case.signed().as_bytes());
        let other = case.sealed_with(&json!({ "typ": "JWT" }), case.signed().as_bytes());
        segments(&token, |parts| other.split('.').next().unwrap().clone_into(&mut parts[0]))
    }));
    rows
}
