//! The accepted side: kinds, algorithms, keys, claims at the edge of what is allowed.

use serde_json::{Map, Value, json};
use signet_core::authorize::RequestSource;
use signet_jose::{ContentAlg, KeyAlg, KeySpec, PrivateKey, PublicKey, SealHeader, SigAlg};
use signet_tests::craft;
use signet_tests::key;
use signet_tests::rp::{Rp, seal};

use crate::bench::{ACME, Bench, Method, OPEN, Sent, inside_uri, signing_key};

fn names(metadata: &Value, member: &str) -> Vec<String> {
    metadata[member].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn key_for(alg: SigAlg) -> PrivateKey {
    let spec = match alg {
        SigAlg::ES256 => KeySpec::P256,
        SigAlg::ES384 => KeySpec::P384,
        SigAlg::ES512 => KeySpec::P521,
        SigAlg::EdDSA => KeySpec::Ed25519,
        _ => KeySpec::Rsa2048,
    };
    key(spec).clone().with_kid(spec.name())
}

/// A client with a key of every kind.
async fn register_all(bench: &Bench) {
    let mut all = Rp::new("all").declaration();
    all.keys.clear();
    for spec in [KeySpec::Rsa2048, KeySpec::P256, KeySpec::P384, KeySpec::P521, KeySpec::Ed25519] {
        let public = key(spec).public_key().clone().with_kid(spec.name());
        all.keys.push(signet_tests::rp::Rp::new("all").declaration().keys.remove(0));
        let declared = all.keys.last_mut().unwrap();
        declared.name = spec.name().into();
        declared.source = Value::Object(public.with_use(signet_jose::KeyUse::Sig).to_jwk());
    }
    all.settings.redirect_uris.push(inside_uri("all"));
    bench.provider.register(&all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_advertised_combination_of_algorithms_is_accepted_a24_a112() {
    let bench = Bench::start().await;
    register_all(&bench).await;
    let metadata = bench.provider.get("/.well-known/openid-configuration", None).await.json();
    let signing = names(&metadata, "request_object_signing_alg_values_supported");
    let encryption = names(&metadata, "request_object_encryption_alg_values_supported");
    let contents = names(&metadata, "request_object_encryption_enc_values_supported");
    assert_eq!((signing.len(), encryption.len(), contents.len()), (10, 5, 6));
    for (number, name) in signing.iter().enumerate() {
        let alg = SigAlg::from_name(name).unwrap();
        let claims = bench.claims("all", OPEN, Some(&format!("signed-{number}")));
        let signed = key_for(alg).signer(alg).unwrap().sign(None, &craft::json(&claims)).unwrap();
        let reply = bench.ask(OPEN, Method::Get, &bench.around("all", &signed)).await;
        assert_eq!(bench.interaction(OPEN, &reply).await.request.source, RequestSource::Signed, "{name}");
        for key_alg in &encryption {
            for enc in &contents {
                let claims = bench.claims("all", OPEN, Some(&format!("{name}-{key_alg}-{enc}")));
                let signed = key_for(alg).signer(alg).unwrap().sign(None, &craft::json(&claims)).unwrap();
                let (key_alg, enc) =
                    (KeyAlg::from_name(key_alg).unwrap(), ContentAlg::from_name(enc).unwrap());
                let token = seal(&bench.jwks, key_alg, enc, signed.as_bytes());
                let reply = bench.ask(OPEN, Method::Post, &bench.around("all", &token)).await;
                let request = bench.interaction(OPEN, &reply).await.request;
                assert_eq!(request.source, RequestSource::Nested, "{name} {key_alg} {enc}");
                assert_eq!(request.state.as_deref(), Some("inside"));
            }
        }
    }
}

type Change = fn(&mut Map<String, Value>, i64);

/// Accepted by both methods, or the reasons why not.
async fn check(bench: &Bench, id: &str, what: &str, make: impl Fn(&mut Map<String, Value>, i64)) {
    for method in [Method::Get, Method::Post] {
        for nested in [false, true] {
            let mut claims = bench.claims(id, OPEN, Some(&format!("{what}-{method:?}-{nested}")));
            make(&mut claims, bench.provider.now());
            let signed = bench.sign(id, &claims);
            let token = if nested { bench.seal(signed.as_bytes()) } else { signed };
            let reply = bench.ask(OPEN, method, &bench.around(id, &token)).await;
            let reasons = bench.reasons(OPEN, &reply).await;
            assert!(reply.location().contains("/interaction/"), "{what}: {reasons:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_at_the_edge_of_what_is_allowed_are_accepted_a30_to_a43() {
    let bench = Bench::start().await;
    let rows: Vec<(&str, &str, Value)> = vec![
        ("A-31 aud a list with the issuer", "aud", json!(["https://x.example", OPEN.issuer])),
        ("A-31 aud a list of the issuer", "aud", json!([OPEN.issuer])),
        ("A-41 max_age a number", "max_age", json!(300)),
        ("A-41 max_age digits", "max_age", json!("300")),
        ("A-41 max_age zero", "max_age", json!(0)),
        (
            "A-41 claims an object",
            "claims",
            json!({ "userinfo": { "email": null }, "id_token": { "acr": { "essential": false } } }),
        ),
        ("A-41 login_hint text", "login_hint", json!("alice")),
        ("A-41 login_hint a list", "login_hint", json!(["alice", "bob"])),
        ("A-41 login_hint an empty list", "login_hint", json!([])),
        ("A-43 sub of a person", "sub", json!("somebody")),
        ("A-126 empty nonce", "nonce", json!("")),
        ("A-36 a claim that nobody knows", "urn:x", json!({ "y": [1, 2, 3] })),
    ];
    for (what, name, value) in rows {
        check(&bench, "rp", what, |claims, _| drop(claims.insert(name.into(), value.clone()))).await;
    }
    let times: [(&str, Change); 9] = [
        ("A-35 exp within the tolerance", |c, now| drop(c.insert("exp".into(), (now - 59).into()))),
        ("A-35 iat within the tolerance", |c, now| drop(c.insert("iat".into(), (now + 60).into()))),
        ("A-35 nbf within the tolerance", |c, now| drop(c.insert("nbf".into(), (now + 60).into()))),
        ("A-35 nbf past", |c, now| drop(c.insert("nbf".into(), (now - 60).into()))),
        ("A-34 lifetime of 6000 seconds", |c, now| drop(c.insert("exp".into(), (now + 6000).into()))),
        ("A.13-d lifetime at the cap", |c, now| drop(c.insert("exp".into(), (now + 86_400).into()))),
        ("A-32 iat with a fraction", |c, now| {
            c.insert("iat".into(), json!(format!("{now}.25").parse::<f64>().unwrap()));
        }),
        ("A-36 client_id left out", |c, _| drop(c.remove("client_id"))),
        ("A-126 nonce and state left out", |c, _| {
            c.remove("nonce");
            c.remove("state");
        }),
    ];
    check(&bench, "rp", "A-59 jti of 256 octets", |claims, _| {
        let own = claims["jti"].as_str().unwrap().to_owned();
        claims.insert("jti".into(), json!(format!("{own:j>256}")));
    })
    .await;
    for (what, change) in times {
        check(&bench, "rp", what, change).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_may_be_bare_a26_a27_a29_a43() {
    let bench = Bench::start().await;
    let (key, _) = signing_key("rp");
    let entry = craft::entry(&bench.jwks, "enc", "RSA-OAEP");
    let public = PublicKey::from_jwk(entry).unwrap();
    let bare = |jti: &str, header: Value| {
        let claims = bench.claims("rp", OPEN, Some(jti));
        craft::jws(header.to_string().as_bytes(), &craft::json(&claims), &key)
    };
    for (number, header) in [
        json!({ "alg": "RS256" }),
        json!({ "alg": "RS256", "kid": key.public_key().thumbprint() }),
        json!({ "alg": "RS256", "kid": "sig", "typ": "JWT" }),
        json!({ "alg": "RS256", "kid": "sig", "typ": "jwt" }),
        json!({ "alg": "RS256", "kid": "sig", "typ": "oauth-authz-req+jwt" }),
        json!({ "alg": "RS256", "kid": "sig", "typ": "application/oauth-authz-req+jwt" }),
        json!({ "alg": "RS256", "kid": "sig", "urn:unknown": { "x": 1 } }),
    ]
    .into_iter()
    .enumerate()
    {
        let signed = bare(&format!("jws-{number}"), header.clone());
        let reply = bench.ask(OPEN, Method::Get, &bench.around("rp", &signed)).await;
        assert!(
            reply.location().contains("/interaction/"),
            "{header}: {:?}",
            bench.reasons(OPEN, &reply).await
        );
    }
    for (number, header) in [
        json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256" }),
        json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": entry["kid"] }),
        json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "cty": "jwt" }),
        json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "typ": "JWT", "cty": "JWT" }),
        json!({ "alg": "RSA-OAEP", "enc": "A128CBC-HS256", "iss": "rp", "aud": OPEN.issuer }),
    ]
    .into_iter()
    .enumerate()
    {
        let signed = bare(&format!("jwe-{number}"), json!({ "alg": "RS256" }));
        let token = craft::jwe(header.to_string().as_bytes(), signed.as_bytes(), entry);
        let reply = bench.ask(OPEN, Method::Post, &bench.around("rp", &token)).await;
        assert!(
            reply.location().contains("/interaction/"),
            "{header}: {:?}",
            bench.reasons(OPEN, &reply).await
        );
    }
    // The other algorithm of the same key, without kid.
    let signed = bare("oaep-256", json!({ "alg": "RS256" }));
    let public = public.without_alg();
    let sealer = public.encrypter(KeyAlg::RsaOaep256).unwrap();
    let kid = craft::entry(&bench.jwks, "enc", "RSA-OAEP-256")["kid"].as_str().unwrap();
    let header = SealHeader { kid: Some(kid), ..SealHeader::new(ContentAlg::A256Gcm) };
    let token = sealer.seal(&header, signed.as_bytes()).unwrap();
    let reply = bench.ask(OPEN, Method::Get, &bench.around("rp", &token)).await;
    assert!(reply.location().contains("/interaction/"), "{:?}", bench.reasons(OPEN, &reply).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switches_refuse_nothing_else_a19_to_a22() {
    let bench = Bench::start().await;
    // without the switch, plain requests and requests with an object both work.
    let plain = |id: &str| Sent { params: Rp::new(id).request(&[]), query: Vec::new() };
    for (id, sent) in [
        ("rp", plain("rp")),
        ("rp", bench.around("rp", &bench.sign("rp", &bench.claims("rp", OPEN, None)))),
        ("rp", bench.around("rp", &bench.good("rp", OPEN, None))),
        ("object", bench.around("object", &bench.sign("object", &bench.claims("object", OPEN, None)))),
        ("object", bench.around("object", &bench.good("object", OPEN, None))),
        ("sealed", bench.around("sealed", &bench.good("sealed", OPEN, None))),
        ("es256", bench.around("es256", &bench.good("es256", OPEN, None))),
        ("jti", bench.around("jti", &bench.good("jti", OPEN, Some("given")))),
        ("keyless", plain("keyless")),
    ] {
        let reply = bench.ask(OPEN, Method::Post, &sent).await;
        assert!(reply.location().contains("/interaction/"), "{id}: {:?}", bench.reasons(OPEN, &reply).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_may_come_alone_where_the_tenant_allows_it_a48() {
    let bench = Bench::start().await;
    let signed = bench.sign("rp", &bench.claims("rp", ACME, Some("alone")));
    let alone = |token: &str| Sent { params: vec![("request".into(), token.to_owned())], query: Vec::new() };
    let reply = bench.ask(ACME, Method::Get, &alone(&signed)).await;
    assert_eq!(bench.interaction(ACME, &reply).await.request.client_id.as_str(), "rp");
    let jwks = {
        let request = axum::http::Request::get("/jwks").body(axum::body::Body::empty()).unwrap();
        bench.raw(ACME, request).await.json()
    };
    let signed = bench.sign("rp", &bench.claims("rp", ACME, Some("alone-and-sealed")));
    let token = seal(&jwks, KeyAlg::RsaOaep256, ContentAlg::A256Gcm, signed.as_bytes());
    let reply = bench.ask(ACME, Method::Post, &alone(&token)).await;
    let request = bench.interaction(ACME, &reply).await.request;
    assert_eq!((request.redirect_uri, request.source), (inside_uri("rp"), RequestSource::Nested));
    // Elsewhere RFC 9101 section 5 holds: client_id stands beside the object too.
    let reply = bench.ask(OPEN, Method::Get, &alone(&bench.good("rp", OPEN, None))).await;
    assert_eq!(bench.reasons(OPEN, &reply).await, ["client_id_missing"]);
}
