//! With which keys objects are encrypted and signed (A-26, A-27, A-44 to A-46, A-81 to A-83).

use serde_json::json;
use signet_jose::{KeySpec, KeyUse, PrivateKey, SigAlg};
use signet_tests::rp::{Rp, SECRET};
use signet_tests::{craft, key};

use crate::bench::{foreign_key, signing_key};
use crate::row::{Case, Row};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = encryption();
    rows.extend(signature());
    rows.extend(periods());
    rows.extend(algorithms());
    rows
}

/// A good object in a JWE to this JWK.
fn to(case: &Case<'_>, jwk: &serde_json::Value, kid: Option<&str>) -> String {
    let mut header = json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "cty": "JWT" });
    if let Some(kid) = kid {
        header["kid"] = json!(kid);
    }
    craft::jwe(header.to_string().as_bytes(), case.signed().as_bytes(), jwk)
}

fn kid_of(case: &Case<'_>, usage: &str, alg: &str) -> String {
    craft::entry(&case.bench.jwks, usage, alg)["kid"].as_str().unwrap().to_owned()
}

fn encryption() -> Vec<Row> {
    let foreign = || json!(foreign_key().public_key().to_jwk());
    vec![
        Row::object("A-27 JWE kid unknown", "undecryptable_key_unknown", |case| {
            to(case, craft::entry(&case.bench.jwks, "enc", "RSA-OAEP"), Some("somebody-else"))
        }),
        Row::object("A-27 JWE kid of the entry for another algorithm", "undecryptable_key_unknown", |case| {
            let kid = kid_of(case, "enc", "RSA-OAEP-256");
            to(case, craft::entry(&case.bench.jwks, "enc", "RSA-OAEP"), Some(&kid))
        }),
        Row::object("A-27 JWE kid of the key without the algorithm", "undecryptable_key_unknown", |case| {
            let kid = kid_of(case, "enc", "RSA-OAEP");
            let bare = kid.strip_suffix("-RSA-OAEP").unwrap();
            to(case, craft::entry(&case.bench.jwks, "enc", "RSA-OAEP"), Some(bare))
        }),
        Row::object("A-44 JWE to another key under the right kid", "undecryptable", move |case| {
            to(case, &foreign(), Some(&kid_of(case, "enc", "RSA-OAEP")))
        }),
        Row::object("A-27 JWE to another key without kid", "undecryptable", move |case| {
            to(case, &foreign(), None)
        }),
        Row::object("A-83 JWE to the signing key under its kid", "undecryptable_key_unknown", |case| {
            to(case, craft::entry(&case.bench.jwks, "sig", "RS256"), Some(&kid_of(case, "sig", "RS256")))
        }),
        Row::object("A-83 JWE to the signing key under the encryption kid", "undecryptable", |case| {
            to(case, craft::entry(&case.bench.jwks, "sig", "RS256"), Some(&kid_of(case, "enc", "RSA-OAEP")))
        }),
        Row::object("A-83 JWE to the signing key without kid", "undecryptable", |case| {
            to(case, craft::entry(&case.bench.jwks, "sig", "RS256"), None)
        }),
        Row::object(
            "A-7 JWE to the key of another tenant, which has the same kid",
            "undecryptable",
            |case| case.sealed(case.signed().as_bytes()),
        )
        .at(crate::bench::ACME),
    ]
}

/// Good claims, signed with `key` under `kid`.
fn by(case: &Case<'_>, key: &PrivateKey, kid: Option<&str>) -> String {
    let header = match kid {
        Some(kid) => json!({ "alg": "RS256", "kid": kid }),
        None => json!({ "alg": "RS256" }),
    };
    craft::jws(header.to_string().as_bytes(), &case.payload(), key)
}

fn signature() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add =
        |rule: &str, reason, make: fn(&Case<'_>) -> String| rows.extend(Row::both(rule, reason, make));
    add("A-46 JWS kid unknown", "jws_key_unknown", |case| by(case, &signing_key("rp").0, Some("somebody")));
    add("A-46 JWS kid in another case", "jws_key_unknown", |case| {
        by(case, &signing_key("rp").0, Some("SIG"))
    });
    add("A-46 JWS by another key under the right kid", "jws_signature_invalid", |case| {
        by(case, foreign_key(), Some("sig"))
    });
    add(
        "A-46 JWS by another client's key under its kid, which is the same",
        "jws_signature_invalid",
        |case| by(case, &signing_key("other").0, Some("sig")),
    );
    add("A-46 JWS by another client's key without kid", "jws_signature_invalid", |case| {
        by(case, &signing_key("other").0, None)
    });
    add("A-83 JWS by the encryption key under its kid", "jws_key_unknown", |case| {
        by(case, &Rp::new("rp").encryption, Some("enc"))
    });
    add("A-83 JWS by the encryption key under the signing kid", "jws_signature_invalid", |case| {
        by(case, &Rp::new("rp").encryption, Some("sig"))
    });
    add("A-83 JWS by the encryption key without kid", "jws_signature_invalid", |case| {
        by(case, &Rp::new("rp").encryption, None)
    });
    add("A-46 JWS by a key that is nobody's", "jws_signature_invalid", |case| by(case, foreign_key(), None));
    rows
}

fn periods() -> Vec<Row> {
    let mut rows = Vec::new();
    for (kid, spec, alg) in [
        ("old", KeySpec::Rsa3072, SigAlg::RS256),
        ("coming", KeySpec::Rsa4096, SigAlg::RS256),
        ("revoked", KeySpec::P384, SigAlg::ES384),
    ] {
        let make = move |case: &Case<'_>| {
            let key = key(spec).clone().with_kid(kid);
            key.signer(alg).unwrap().sign(None, &case.payload()).unwrap()
        };
        let pair = Row::both(&format!("A-81 JWS by the key {kid}"), "jws_key_unknown", make);
        rows.extend(pair.into_iter().map(|row| row.of("periods")));
    }
    let unnamed = Row::both("A-81 JWS by the ended key without kid", "jws_signature_invalid", |case| {
        by(case, foreign_key(), None)
    });
    rows.extend(unnamed.into_iter().map(|row| row.of("periods")));
    let ended = Row::both("A-81 every signing key has ended", "object_key_missing", |case| {
        by(case, foreign_key(), Some("old"))
    });
    rows.extend(ended.into_iter().map(|row| row.of("ended").without_good_object()));
    let keyless = Row::both("A-18 no signing key is registered", "object_key_missing", |case| {
        by(case, &signing_key("rp").0, Some("sig"))
    });
    rows.extend(keyless.into_iter().map(|row| row.of("keyless").without_good_object()));
    rows
}

/// RFC 8725 section 3.1, with the classic exchange of a public key for a shared secret.
fn algorithms() -> Vec<Row> {
    let mut rows = Vec::new();
    let hs256 = br#"{"alg":"HS256","kid":"sig"}"#;
    rows.extend(Row::both("A-75 HS256 with the client secret", "jws_algorithm_not_allowed", |case| {
        craft::mac(hs256, &case.payload(), SECRET.as_bytes())
    }));
    rows.extend(Row::both(
        "A-75 HS256 with the public key as the secret",
        "jws_algorithm_not_allowed",
        |case| {
            let jwk = serde_json::to_vec(&signing_key("rp").0.public_key().to_jwk()).unwrap();
            craft::mac(hs256, &case.payload(), &jwk)
        },
    ));
    rows.extend(Row::both(
        "A-75 HS256 with the client_id as the secret",
        "jws_algorithm_not_allowed",
        |case| craft::mac(hs256, &case.payload(), b"rp"),
    ));
    rows.extend(Row::both("A-46 PS256 named over an RS256 signature", "jws_signature_invalid", |case| {
        case.under(&json!({ "alg": "PS256", "kid": "sig" }))
    }));
    rows.extend(Row::both("A-46 RS512 named over an RS256 signature", "jws_signature_invalid", |case| {
        case.under(&json!({ "alg": "RS512", "kid": "sig" }))
    }));
    rows.extend(Row::both("A-46 ES256 named with the kid of an RSA key", "jws_key_unknown", |case| {
        let key = key(KeySpec::P256).clone().with_kid("sig").with_use(KeyUse::Sig);
        key.signer(SigAlg::ES256).unwrap().sign(None, &case.payload()).unwrap()
    }));
    let not_allowed =
        Row::both("client setting request_object_signing_algs", "jws_algorithm_not_allowed", |case| {
            by(case, key(KeySpec::Rsa2048), Some("rsa"))
        });
    rows.extend(not_allowed.into_iter().map(|row| row.of("es256")));
    rows
}
