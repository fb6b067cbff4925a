//! What the claims must say (A-30 to A-37, A-40, A-42, A-43, A-59, A-62, A.13-d).

use serde_json::{Map, Value, json};
use signet_tests::craft;

use crate::bench::{ACME, OPEN, signing_key};
use crate::row::{Case, Row, To};

type Change = fn(&mut Map<String, Value>, i64);

/// The same claims signed alone, and encrypted too.
fn claims(
    rows: &mut Vec<Row>,
    rule: &str,
    reason: &'static str,
    change: impl Fn(&mut Map<String, Value>, i64) + Clone + 'static,
) {
    rows.extend(Row::both(rule, reason, move |case| {
        let mut claims = case.claims();
        change(&mut claims, case.now);
        case.bench.sign(case.id, &claims)
    }));
}

fn set(rows: &mut Vec<Row>, rule: &str, reason: &'static str, name: &'static str, value: Value) {
    claims(rows, rule, reason, move |claims, _| drop(claims.insert(name.into(), value.clone())));
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    parties(&mut rows);
    audience(&mut rows);
    times(&mut rows);
    confusion(&mut rows);
    octets(&mut rows);
    jti(&mut rows);
    rows
}

fn parties(rows: &mut Vec<Row>) {
    claims(rows, "A-30 iss missing", "iss_missing", |claims, _| drop(claims.remove("iss")));
    for (name, value) in
        [("null", json!(null)), ("a number", json!(1)), ("a list", json!(["rp"])), ("an object", json!({}))]
    {
        set(rows, &format!("A-30 iss {name}"), "claim_type", "iss", value.clone());
        set(rows, &format!("A-36 client_id {name}"), "claim_type", "client_id", value);
    }
    set(rows, "A-30 iss of another client", "object_client_id_mismatch", "iss", json!("other"));
    set(rows, "A-30 iss empty", "object_client_id_mismatch", "iss", json!(""));
    set(rows, "A-30 iss with a space", "object_client_id_mismatch", "iss", json!("rp "));
    set(rows, "A-37 client_id of another client", "object_client_id_mismatch", "client_id", json!("other"));
    set(rows, "A-37 client_id in another case", "object_client_id_mismatch", "client_id", json!("RP"));
    claims(rows, "A-30 neither iss nor client_id", "object_client_id_missing", |claims, _| {
        claims.remove("iss");
        claims.remove("client_id");
    });
    claims(rows, "A-37 another client inside than outside", "object_client_id_mismatch", |claims, _| {
        claims.insert("iss".into(), json!("other"));
        claims.insert("client_id".into(), json!("other"));
    });
    rows.extend(Row::both("A-37 a good object of another client", "object_client_id_mismatch", |case| {
        case.bench.sign("other", &case.bench.claims("other", OPEN, Some(&case.jti)))
    }));
}

fn audience(rows: &mut Vec<Row>) {
    claims(rows, "A-31 aud missing", "aud_missing", |claims, _| drop(claims.remove("aud")));
    set(rows, "A-31 aud an empty list", "aud_missing", "aud", json!([]));
    for (name, value) in [
        ("null", json!(null)),
        ("a number", json!(1)),
        ("true", json!(true)),
        ("an object", json!({ "iss": OPEN.issuer })),
        ("a list with a number", json!([OPEN.issuer, 1])),
        ("a list of lists", json!([[OPEN.issuer]])),
    ] {
        set(rows, &format!("A-31 aud {name}"), "claim_type", "aud", value);
    }
    for (name, value) in [
        ("empty", json!("")),
        ("of another tenant, A-7", json!(ACME.issuer)),
        ("of another tenant in a list, A-7", json!([ACME.issuer])),
        ("with a slash at the end", json!(format!("{}/", OPEN.issuer))),
        ("in upper case", json!(OPEN.issuer.to_uppercase())),
        ("cut", json!("https://id.example/auth")),
        ("the token endpoint", json!(format!("{}/token", OPEN.issuer))),
        ("the authorization endpoint", json!(format!("{}/authorize", OPEN.issuer))),
        ("the client itself", json!("rp")),
        ("a list of others", json!(["https://a.example", "https://b.example"])),
        ("a list in a string", json!(format!("{} https://b.example", OPEN.issuer))),
    ] {
        set(rows, &format!("A-31 aud {name}"), "aud_mismatch", "aud", value);
    }
    let elsewhere = Row::both("A-7 the good object of one tenant at the other", "aud_mismatch", |case| {
        case.bench.sign("rp", &case.bench.claims("rp", OPEN, Some(&case.jti)))
    });
    let [signed, _] = elsewhere;
    rows.push(signed.at(ACME));
}

fn times(rows: &mut Vec<Row>) {
    let missing: [(&str, &str, Change); 2] = [
        ("A-32 iat missing", "iat_missing", |claims, _| drop(claims.remove("iat"))),
        ("A-33 exp missing", "exp_missing", |claims, _| drop(claims.remove("exp"))),
    ];
    for (rule, reason, change) in missing {
        claims(rows, rule, reason, change);
    }
    for name in ["iat", "exp", "nbf"] {
        for (what, value) in [
            ("null", json!(null)),
            ("a string of digits", json!("1795500100")),
            ("a string", json!("tomorrow")),
            ("true", json!(true)),
            ("a list", json!([1_795_500_100])),
            ("an object", json!({})),
            ("negative", json!(-1)),
            ("negative with a fraction", json!(-0.5)),
            ("huge", json!(1e300)),
            ("above 2^53", json!(9_007_199_254_740_993_i64)),
            ("the largest integer", json!(u64::MAX)),
        ] {
            set(rows, &format!("A-32 {name} {what}"), "time_invalid", name, value);
        }
    }
    let around: [(&str, &str, Change); 13] = [
        ("A-35 exp just past the tolerance", "token_expired", |c, now| put(c, "exp", now - 60)),
        ("A-35 exp long past", "token_expired", |c, now| put(c, "exp", now - 86_000)),
        ("A-35 exp zero", "token_expired", |c, _| put(c, "exp", 0)),
        ("A-35 exp past with a fraction", "token_expired", |c, now| {
            c.insert("exp".into(), json!(format!("{}.9", now - 61).parse::<f64>().unwrap()));
        }),
        ("A-35 iat just ahead of the tolerance", "iat_in_future", |c, now| put(c, "iat", now + 61)),
        ("A-35 nbf just ahead of the tolerance", "nbf_in_future", |c, now| put(c, "nbf", now + 61)),
        ("A-35 nbf a day ahead", "nbf_in_future", |c, now| put(c, "nbf", now + 86_400)),
        ("A-33 exp in milliseconds", "lifetime_too_long", |c, now| put(c, "exp", (now + 600) * 1000)),
        ("A-32 iat in milliseconds", "iat_in_future", |c, now| put(c, "iat", now * 1000)),
        ("A-32 all times in milliseconds", "iat_in_future", |c, now| {
            put(c, "iat", now * 1000);
            put(c, "exp", (now + 600) * 1000);
        }),
        ("A.13-d lifetime just above the cap", "lifetime_too_long", |c, now| put(c, "exp", now + 86_401)),
        ("A.13-d lifetime of years", "lifetime_too_long", |c, now| put(c, "exp", now + 100_000_000)),
        ("A.13-d lifetime above the cap, issued long ago", "lifetime_too_long", |c, now| {
            put(c, "iat", now - 90_000);
        }),
    ];
    for (rule, reason, change) in around {
        claims(rows, rule, reason, change);
    }
    rows.push(
        Row::object("A.13-d too old", "token_too_old", |case| {
            let mut claims = case.claims();
            put(&mut claims, "iat", case.now - 3661);
            case.bench.sign(case.id, &claims)
        })
        .at(ACME),
    );
}

fn put(claims: &mut Map<String, Value>, name: &str, seconds: i64) {
    claims.insert(name.into(), seconds.into());
}

fn confusion(rows: &mut Vec<Row>) {
    set(rows, "A-43 sub is the client_id", "object_sub_is_client", "sub", json!("rp"));
    for (name, value) in [("a number", json!(1)), ("null", json!(null)), ("a list", json!(["rp"]))] {
        set(rows, &format!("A-43 sub {name}"), "claim_type", "sub", value);
    }
    claims(rows, "A-43 a client assertion", "object_sub_is_client", |claims, now| {
        let keep = ["iss", "aud", "jti", "iat", "exp"];
        claims.retain(|name, _| keep.contains(&name.as_str()));
        claims.insert("sub".into(), json!("rp"));
        put(claims, "exp", now + 60);
    });
    for (name, value) in [("text", json!("e30.e30.e30")), ("empty", json!("")), ("null", json!(null))] {
        set(
            rows,
            &format!("A-40 request inside, {name}"),
            "object_contains_request",
            "request",
            value.clone(),
        );
        set(
            rows,
            &format!("A-40 request_uri inside, {name}"),
            "object_contains_request",
            "request_uri",
            value,
        );
    }
}

/// Payloads that are not one JSON object without duplicates, within the limits (A-42).
fn octets(rows: &mut Vec<Row>) {
    fn raw(
        rows: &mut Vec<Row>,
        rule: &str,
        reason: &'static str,
        change: impl Fn(&Case<'_>, String) -> Vec<u8> + Clone + 'static,
    ) {
        rows.extend(Row::both(&format!("A-42 claims {rule}"), reason, move |case| {
            let payload = change(case, String::from_utf8(case.payload()).unwrap());
            craft::jws(br#"{"alg":"RS256","kid":"sig"}"#, &payload, &signing_key("rp").0)
        }));
    }
    fn more(text: &str, members: &str) -> Vec<u8> {
        format!("{},{members}}}", text.strip_suffix('}').unwrap()).into_bytes()
    }
    for (rule, payload) in [
        ("text", "hello"),
        ("a string", "\"hello\""),
        ("a list", "[]"),
        ("a number", "1"),
        ("null", "null"),
        ("cut", "{\"iss\":\"rp\""),
        ("with a comment", "{/**/}"),
        ("with NaN", "{\"iss\":NaN}"),
    ] {
        raw(rows, rule, "claims_not_json", move |_, _| payload.into());
    }
    raw(rows, "with text behind", "claims_not_json", |_, text| format!("{text} x").into_bytes());
    raw(rows, "twice", "claims_not_json", |_, text| format!("{text}{text}").into_bytes());
    raw(rows, "with a byte order mark", "claims_not_json", |_, text| format!("\u{feff}{text}").into_bytes());
    raw(rows, "not UTF-8", "claims_not_json", |_, text| {
        [&more(&text, "\"x\":\"")[..], &[0xff], b"\"}"].concat()
    });
    raw(rows, "with a lone surrogate", "claims_not_json", |_, text| more(&text, r#""x":"\ud800""#));
    raw(rows, "with a member twice", "duplicate_member", |_, text| more(&text, r#""state":"again""#));
    raw(rows, "with client_id twice", "duplicate_member", |_, text| more(&text, r#""client_id":"rp""#));
    raw(rows, "with iss twice", "duplicate_member", |_, text| more(&text, r#""iss":"rp""#));
    raw(rows, "with jti twice", "duplicate_member", |_, text| more(&text, r#""jti":"b""#));
    raw(rows, "with a member twice, once escaped", "duplicate_member", |_, text| {
        more(&text, r#""st\u0061te":"b""#)
    });
    raw(rows, "with a member twice deep inside", "duplicate_member", |_, text| {
        more(&text, r#""claims":{"userinfo":{"email":null,"email":null}}"#)
    });
    raw(rows, "too deep", "claims_too_deep", |_, text| {
        more(&text, &format!("\"x\":{}{}", "[".repeat(16), "]".repeat(16)))
    });
    raw(rows, "of a hundred levels", "claims_too_deep", |_, text| {
        more(&text, &format!("\"x\":{}1{}", "{\"y\":".repeat(100), "}".repeat(100)))
    });
    raw(rows, "with too many values", "claims_too_many", |_, text| {
        more(&text, &format!("\"x\":[{}1]", "1,".repeat(2048)))
    });
}

fn jti(rows: &mut Vec<Row>) {
    set(rows, "A-59 jti empty", "object_jti_malformed", "jti", json!(""));
    set(rows, "A-59 jti too long", "object_jti_malformed", "jti", json!("j".repeat(257)));
    set(rows, "A-59 jti too long in octets", "object_jti_malformed", "jti", json!("\u{e4}".repeat(129)));
    for (name, value) in [
        ("a number", json!(7)),
        ("null", json!(null)),
        ("a list", json!(["j"])),
        ("true", json!(true)),
        ("an object", json!({})),
    ] {
        set(rows, &format!("A-59 jti {name}"), "claim_type", "jti", value);
    }
    let missing = Row::both("A-62 jti missing where it is demanded", "object_jti_missing", |case| {
        let mut claims = case.claims();
        claims.remove("jti");
        case.bench.sign(case.id, &claims)
    });
    rows.extend(missing.into_iter().map(|row| row.of("jti").to(To::Beside)));
}
