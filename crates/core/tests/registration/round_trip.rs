//! Metadata goes both ways.

use super::*;

fn maybe<T: std::fmt::Debug + Clone>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(value)
}

/// Metadata of every kind, good, contradictory and wrong.
fn any_metadata() -> impl Strategy<Value = Map<String, Value>> {
    // Mostly good, so that there is something left to accept.
    let mostly = |good: &[&'static str], bad: &[&'static str]| {
        maybe(prop_oneof![40 => select(good.to_vec()), 1 => select(bad.to_vec())])
    };
    let sig = || mostly(&["RS256", "ES256", "EdDSA"], &["PS256", "HS256", "none"]);
    let alg = || mostly(&["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES"], &["RSA1_5"]);
    let enc = || maybe(select(vec!["A128CBC-HS256", "A256GCM", "A128GCM"]));
    let uri = || {
        let bad = ["https://rp.example/y#f", "http://rp.example/x", "https://b.example/"];
        mostly(&["https://rp.example/x"], &bad)
    };
    let names = ResponseType::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>();
    let grants = vec!["authorization_code", "implicit", "refresh_token", "client_credentials"];
    let words = (
        prop_oneof![3 => Just(None), 1 => subsequence(names, 0..4).prop_map(Some)],
        prop_oneof![3 => Just(None), 1 => subsequence(grants, 0..4).prop_map(Some)],
        maybe(select(vec!["none", "client_secret_basic", "client_secret_post"])),
        maybe(select(vec!["web", "native"])),
        maybe(select(vec!["public", "pairwise"])),
        maybe(select(vec!["openid", "openid email", "profile nonsense", ""])),
        prop_oneof![
            8 => subsequence(vec![CALLBACK, "https://b.example/"], 1..=2).prop_map(Some),
            1 => maybe(subsequence(vec![CALLBACK, "http://127.0.0.1/cb", "com.example.app:/cb"], 0..3)),
        ],
    );
    let signed = (sig(), sig(), sig(), sig(), sig());
    let encrypted = proptest::collection::vec((alg(), enc()), 5);
    let uris = proptest::collection::vec(uri(), 9);
    let flags = proptest::collection::vec(maybe(any::<bool>()), 5);
    (words, signed, encrypted, uris, flags, maybe(-5_i64..100_000), any::<bool>()).prop_map(
        |(words, signed, encrypted, uris, flags, max_age, key)| {
            let mut all = Map::new();
            let mut put = |name: &str, value: Value| {
                if !value.is_null() {
                    all.insert(name.to_owned(), value);
                }
            };
            put("response_types", json!(words.0));
            put("grant_types", json!(words.1));
            put("token_endpoint_auth_method", json!(words.2));
            put("application_type", json!(words.3));
            put("subject_type", json!(words.4));
            put("scope", json!(words.5));
            put("redirect_uris", json!(words.6));
            put("id_token_signed_response_alg", json!(signed.0));
            put("userinfo_signed_response_alg", json!(signed.1));
            put("authorization_signed_response_alg", json!(signed.2));
            put("introspection_signed_response_alg", json!(signed.3));
            put("request_object_signing_alg", json!(signed.4));
            let prefixes = [
                "id_token_encrypted_response",
                "userinfo_encrypted_response",
                "authorization_encrypted_response",
                "introspection_encrypted_response",
                "request_object_encryption",
            ];
            for (prefix, (alg, enc)) in prefixes.iter().zip(encrypted) {
                if key {
                    put(&format!("{prefix}_alg"), json!(alg));
                    put(&format!("{prefix}_enc"), json!(alg.and(enc)));
                }
            }
            for (name, uri) in [
                "client_uri",
                "logo_uri",
                "policy_uri",
                "tos_uri",
                "sector_identifier_uri",
                "initiate_login_uri",
                "backchannel_logout_uri",
                "frontchannel_logout_uri",
            ]
            .iter()
            .zip(&uris)
            {
                put(name, json!(uri));
            }
            put("request_uris", json!(uris[8].map(|uri| vec![uri])));
            for (name, flag) in [
                "require_auth_time",
                "require_pushed_authorization_requests",
                "backchannel_logout_session_required",
                "frontchannel_logout_session_required",
            ]
            .iter()
            .zip(flags)
            {
                put(name, json!(flag));
            }
            put("default_max_age", json!(max_age.filter(|age| *age > 0)));
            if key {
                let jwk = key_of_every_use();
                put("jwks", jwk);
            }
            all
        },
    )
}

fn key_of_every_use() -> Value {
    let jwk =
        |name, spec, usage| Value::Object(key(name, spec).public_key().clone().with_use(usage).to_jwk());
    json!({ "keys": [
        jwk("dcr", KeySpec::P256, KeyUse::Sig),
        jwk("dcr-rsa", KeySpec::Rsa2048, KeyUse::Enc),
        jwk("dcr-ec", KeySpec::P256, KeyUse::Enc),
    ] })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// RFC 7591 section 3.2.1: what is answered is what is registered. It reads back as the same settings, whatever was
    /// asked for; and what cannot work is refused with one of the two codes.
    #[test]
    fn metadata_is_refused_or_reads_back_equal(asked in any_metadata(), unsigned in any::<bool>()) {
        let mut tenant = open();
        (tenant.settings.unsigned_id_tokens, tenant.settings.unsigned_request_objects) = (unsigned, unsigned);
        match create(&asked, &facts(&tenant), None, &at(NOW)) {
            Err(fault) => prop_assert!(
                ["invalid_client_metadata", "invalid_redirect_uri"].contains(&fault.wire()),
                "{fault}"
            ),
            Ok(done) => {
                let info = done.information(&tenant);
                let again = settings(&info, &defaults_of(&done.client), &done.client.client_id, &tenant.settings);
                prop_assert_eq!(&again.unwrap(), &done.client.settings);
                // And each value that was asked for is there, save scopes that are not known here.
                for (name, value) in &asked {
                    if !["jwks", "scope", "response_types", "grant_types"].contains(&name.as_str()) && *value != json!([]) {
                        prop_assert_eq!(info.get(name), Some(value), "{}", name);
                    }
                }
            }
        }
    }
}

/// What no metadata says.
fn defaults_of(client: &Client) -> signet_core::records::ClientSettings {
    signet_core::records::ClientSettings { require_pkce: client.settings.require_pkce, ..defaults() }
}
