//! Settings that cannot work, and settings that should be looked at.

use super::*;

fn good() -> ClientSettings {
    ClientSettings {
        client_name: "Shop".into(),
        redirect_uris: vec![CALLBACK.into()],
        ..ClientSettings::default()
    }
}

fn encryption(alg: KeyAlg) -> Encryption {
    Encryption { alg, enc: ContentAlg::A256Gcm }
}

fn codes(settings: &ClientSettings, has_secret: bool, keys: &[ClientKey]) -> Vec<&'static str> {
    let tenant = TenantSettings::default();
    let secret = if has_secret { KeptSecret::Hashed } else { KeptSecret::Nothing };
    check(&"c".into(), settings, secret, keys, &tenant, Mode::Production, NOW)
        .iter()
        .map(Contradiction::code)
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn settings_that_cannot_work_are_refused_a75() {
    type Change = fn(&mut ClientSettings);
    let table: &[(&[&str], Change)] = &[
        (&[], |_| {}),
        (&["client_name_form"], |s| s.client_name = " ".into()),
        (&["client_name_form"], |s| s.client_name = "x".repeat(101)),
        (&["client_name_form"], |s| s.client_name = "a\u{202}\n".into()),
        (&["page_uri"], |s| s.logo_uri = Some("http://rp.example/logo.png".into())),
        (&["page_uri"], |s| s.tos_uri = Some("javascript:alert(1)".into())),
        (&["redirect_uris_missing"], |s| s.redirect_uris.clear()),
        (&["redirect_uri", "redirect_uri"], |s| {
            s.redirect_uris =
                vec!["http://rp.example".into(), "https://rp.example/#x".into(), CALLBACK.into()];
        }),
        (&["redirect_uri"], |s| s.redirect_uris = vec!["http://localhost/cb".into()]),
        (&[], |s| {
            s.application_type = ApplicationType::Native;
            s.redirect_uris = vec!["http://127.0.0.1/cb".into(), "com.example.app:/cb".into()];
        }),
        (&["secret_of_public_client"], |s| s.token_endpoint_auth_method = ClientAuthMethod::None),
        (&["secret_of_public_client", "public_without_pkce"], |s| {
            s.token_endpoint_auth_method = ClientAuthMethod::None;
            s.require_pkce = false;
        }),
        (&["openid_not_in_scope"], |s| s.scope = ["email".to_owned()].into()),
        (&["administers_unasked"], |s| {
            s.require_consent = false;
            s.scope.extend([USERS_WRITE.to_owned()]);
        }),
        (&["administers_unasked"], |s| {
            s.require_consent = false;
            s.grant_types = [GrantType::ClientCredentials, GrantType::DeviceCode].into();
            s.response_types.clear();
            s.redirect_uris.clear();
            s.scope.extend([USERS_WRITE.to_owned()]);
        }),
        (&[], |s| s.scope.extend([USERS_WRITE.to_owned()])),
        (&[], |s| s.require_consent = false),
        (&[], |s| {
            s.require_consent = false;
            s.grant_types = [GrantType::ClientCredentials].into();
            s.response_types.clear();
            s.redirect_uris.clear();
            s.scope = [USERS_WRITE.to_owned()].into();
        }),
        (&["scope_unknown"], |s| s.scope.extend(["payments".to_owned()])),
        (&["lifetime"], |s| s.lifetimes.code = 601),
        (&["lifetime"], |s| s.lifetimes.code = 9),
        (&["lifetime", "lifetime"], |s| (s.lifetimes.access_token, s.lifetimes.id_token) = (59, 86_401)),
        (&["default_max_age_negative"], |s| s.default_max_age = Some(-1)),
        (&["response_alg_symmetric"], |s| s.id_token.signed = SigAlg::HS256),
        (&["response_alg_without_key"], |s| s.id_token.signed = SigAlg::PS256),
        (&[], |s| s.userinfo.signed = SigAlg::HS512),
        (&["response_alg_symmetric"], |s| {
            s.userinfo.response_type = UserInfoResponseType::Signed;
            s.userinfo.signed = SigAlg::HS512;
        }),
        (&["userinfo_encryption_missing"], |s| s.userinfo.response_type = UserInfoResponseType::Encrypted),
        (&["userinfo_encryption_unused"], |s| s.userinfo.encrypted = Some(encryption(KeyAlg::RsaOaep))),
        (&["encryption_without_key"], |s| s.id_token.encrypted = Some(encryption(KeyAlg::RsaOaep))),
        (&["encryption_without_key", "encryption_without_key"], |s| {
            s.id_token.encrypted = Some(encryption(KeyAlg::EcdhEs));
            s.userinfo.encrypted = Some(encryption(KeyAlg::RsaOaep));
            s.userinfo.response_type = UserInfoResponseType::SignedAndEncrypted;
        }),
        (&["encryption_kid_unknown"], |s| {
            s.id_token.encrypted = Some(encryption(KeyAlg::RsaOaep));
            s.encryption_kid = Some("none".into());
        }),
        (&["objects_without_key"], |s| s.require_request_object = true),
        (&["object_alg_symmetric"], |s| {
            s.request_object_signing_algs = [SigAlg::HS256, SigAlg::RS256].into();
        }),
        (&[], |s| s.require_encrypted_request_object = true),
        // Registration section 2: what each response type needs.
        (&["response_type_without_grant"], |s| s.response_types = [Code, IdToken].into()),
        (&["response_type_without_grant", "response_types_missing"], |s| s.response_types = [IdToken].into()),
        (&["response_type_without_grant"], |s| s.response_types = [CodeIdTokenToken].into()),
        (&["response_type_without_grant"], |s| s.response_types = [CodeToken].into()),
        (&["response_type_without_grant"; 2], |s| {
            s.response_types = [CodeIdToken].into();
            s.grant_types = [GrantType::ClientCredentials].into();
        }),
        (&[], |s| {
            s.response_types = ResponseType::ALL.iter().copied().collect();
            s.grant_types = [GrantType::AuthorizationCode, GrantType::Implicit].into();
        }),
        (&[], |s| {
            s.response_types = [IdToken, IdTokenToken].into();
            s.grant_types = [GrantType::Implicit].into();
        }),
        (&["grant_types_missing"], |s| {
            s.grant_types.clear();
            s.response_types.clear();
        }),
        (&["response_types_missing"], |s| s.response_types.clear()),
        (&["refresh_alone"], |s| {
            s.grant_types = [GrantType::ClientCredentials, GrantType::RefreshToken].into();
            s.response_types.clear();
        }),
        // No browser, no redirect URIs, no openid.
        (&[], |s| {
            s.grant_types =
                [GrantType::ClientCredentials, GrantType::DeviceCode, GrantType::TokenExchange].into();
            s.response_types.clear();
            s.redirect_uris.clear();
            s.scope.clear();
        }),
        (&["implicit_localhost"], |s| {
            s.grant_types.insert(GrantType::Implicit);
            s.redirect_uris.push("https://localhost/cb".into());
        }),
        (&[], |s| {
            s.application_type = ApplicationType::Native;
            s.grant_types.insert(GrantType::Implicit);
            s.redirect_uris.push("http://localhost/cb".into());
        }),
        (&["pairwise_without_sector"], |s| {
            s.subject_type = SubjectType::Pairwise;
            s.redirect_uris.push("https://other.example/cb".into());
        }),
        (&[], |s| {
            s.subject_type = SubjectType::Pairwise;
            s.redirect_uris.push("https://other.example/cb".into());
            s.sector_identifier_uri = Some("https://sector.example/uris.json".into());
        }),
        (&["client_uri_setting"], |s| {
            s.sector_identifier_uri = Some("http://sector.example/uris.json".into());
        }),
        (&["client_uri_setting"], |s| s.jwks_uri = Some("https://rp.example/jwks#x".into())),
        (&["client_uri_setting"], |s| s.jwks_uri = Some("http://127.0.0.1/jwks".into())),
        (&["client_uri_setting"], |s| s.initiate_login_uri = Some("http://rp.example/login".into())),
        (&["client_uri_setting"], |s| s.backchannel_logout_uri = Some("https://rp.example/bc#x".into())),
        (&["client_uri_setting"], |s| s.post_logout_redirect_uris = vec!["http://rp.example/".into()]),
        (&["frontchannel_origin"], |s| {
            s.frontchannel_logout_uri = Some("https://rp.example:444/fc".into());
        }),
        (&[], |s| s.frontchannel_logout_uri = Some("https://rp.example/fc".into())),
        (&[], |s| {
            s.request_uris = vec!["https://rp.example/ro#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM".into()];
        }),
        (&["client_uri_setting"; 3], |s| {
            let long = format!("https://rp.example/{}", "x".repeat(512));
            s.request_uris = vec!["http://rp.example/ro".into(), "https://rp.example/#a#b".into(), long];
        }),
        (&["too_many_values"], |s| s.request_uris = vec!["https://rp.example/ro".into(); 101]),
        (&["client_uri_setting"; 2], |s| {
            s.resources = ["https://api.example/#x".to_owned(), "api".to_owned()].into();
        }),
        (&[], |s| s.resources = ["https://api.example/".to_owned(), "urn:example:api".to_owned()].into()),
        (&["text_form"], |s| s.contacts = vec!["a\nb".into()]),
        (&["too_many_values"], |s| s.contacts = vec!["a@example".into(); 21]),
        (&["text_form"], |s| s.software_id = Some("x".repeat(201))),
        (&["text_form"], |s| s.default_acr_values = vec![String::new()]),
        (&["claim_placement_unknown"; 2], |s| {
            s.claim_placement =
                ["email", "sub", "iban"].map(|name| (name.to_owned(), ClaimPlacement::Both)).into();
        }),
        (&["lifetime"; 5], |s| {
            s.lifetimes.pushed_request = 4;
            s.lifetimes.device_code = 59;
            s.lifetimes.refresh_token = 0;
            s.lifetimes.refresh_token_grace = 301;
        }),
        (&["lifetime"], |s| s.lifetimes.refresh_token_idle = s.lifetimes.refresh_token + 1),
        (&["secret_not_kept"], |s| s.token_endpoint_auth_method = ClientAuthMethod::ClientSecretJwt),
        (&["assertions_without_key"], |s| s.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt),
        (&["assertion_alg_method"], |s| {
            s.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
            s.jwks_uri = Some("https://rp.example/jwks".into());
            s.token_endpoint_auth_signing_alg = Some(SigAlg::HS256);
        }),
        (&[], |s| {
            s.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
            s.jwks_uri = Some("https://rp.example/jwks".into());
            s.require_request_object = true;
            s.id_token.encrypted = Some(encryption(KeyAlg::RsaOaep));
        }),
        (&["unsigned_id_token_not_allowed", "unsigned_id_token_encrypted", "encryption_without_key"], |s| {
            s.id_token.unsigned = true;
            s.id_token.encrypted = Some(encryption(KeyAlg::RsaOaep));
        }),
        (
            &[
                "unsigned_objects_not_allowed",
                "unsigned_objects_contradiction",
                "unsigned_objects_contradiction",
                "objects_without_key",
            ],
            |s| {
                s.allow_unsigned_request_object = true;
                s.require_request_object = true;
                s.require_encrypted_request_object = true;
            },
        ),
        (&["encryption_without_key"; 2], |s| {
            s.authorization_response.encrypted = Some(encryption(KeyAlg::RsaOaep));
            s.introspection.encrypted = Some(encryption(KeyAlg::RsaOaep));
        }),
        (&["response_alg_without_key"; 3], |s| {
            s.authorization_response.signed = SigAlg::PS256;
            s.logout_token_signed = Some(SigAlg::PS256);
            s.access_token_format = AccessTokenFormat::Jwt;
            s.access_token_signed = SigAlg::PS256;
        }),
        (&["response_alg_symmetric"], |s| s.introspection.signed = SigAlg::HS256),
        (&[], |s| s.access_token_signed = SigAlg::PS256),
    ];
    for (index, (expected, change)) in table.iter().enumerate() {
        let mut settings = good();
        change(&mut settings);
        assert_eq!(codes(&settings, true, &[]), *expected, "row {index}");
    }
    assert_eq!(codes(&good(), false, &[]), ["secret_missing"]);
}

#[test]
fn public_clients_prove_nothing_and_get_less_rfc6749_4_4_rfc9700_4_14_2() {
    let mut settings = good();
    settings.token_endpoint_auth_method = ClientAuthMethod::None;
    assert!(codes(&settings, false, &[]).is_empty());
    settings.grant_types.insert(GrantType::ClientCredentials);
    settings.introspection.signed = SigAlg::ES256;
    settings.refresh_token_rotation = false;
    assert_eq!(
        codes(&settings, false, &[]),
        ["public_client_credentials", "public_introspection", "public_without_rotation"]
    );
}

#[test]
fn secrets_are_long_enough_for_their_mac_rfc7518_3_2() {
    let mut settings = good();
    settings.token_endpoint_auth_method = ClientAuthMethod::ClientSecretJwt;
    let tenant = TenantSettings::default();
    for (alg, bytes, fits) in [
        (None, 31, false),
        (None, 32, true),
        (Some(SigAlg::HS384), 47, false),
        (Some(SigAlg::HS384), 48, true),
        (Some(SigAlg::HS512), 63, false),
        (Some(SigAlg::HS512), 64, true),
    ] {
        settings.token_endpoint_auth_signing_alg = alg;
        let secret = KeptSecret::Sealed { bytes };
        let found = check(&"c".into(), &settings, secret, &[], &tenant, Mode::Production, NOW);
        assert_eq!(found.is_empty(), fits, "{alg:?} {bytes}: {found:?}");
    }
    settings.token_endpoint_auth_signing_alg = Some(SigAlg::RS256);
    let found =
        check(&"c".into(), &settings, KeptSecret::Sealed { bytes: 64 }, &[], &tenant, Mode::Production, NOW);
    assert_eq!(found[0].code(), "assertion_alg_method");
}

#[test]
fn what_a_tenant_allows_its_clients_may() {
    let tenant = TenantSettings {
        unsigned_id_tokens: true,
        unsigned_request_objects: true,
        encryption_algs: vec![KeyAlg::RsaOaep],
        scopes: vec![CustomScope {
            name: "payments".into(),
            claims: vec!["iban".into()],
            ..CustomScope::default()
        }],
        ..TenantSettings::default()
    };
    let codes = |settings: &ClientSettings| -> Vec<_> {
        check(&"c".into(), settings, KeptSecret::Hashed, &[], &tenant, Mode::Production, NOW)
            .iter()
            .map(Contradiction::code)
            .collect()
    };
    let mut settings = good();
    settings.id_token.unsigned = true;
    settings.allow_unsigned_request_object = true;
    settings.scope.extend(["payments".to_owned(), "offline_access".to_owned()]);
    settings.claim_placement.insert("iban".into(), ClaimPlacement::IdToken);
    settings.request_object_encryption = Some(encryption(KeyAlg::RsaOaep));
    assert!(codes(&settings).is_empty(), "{:?}", codes(&settings));
    // Registration section 2: no unsigned ID token by the browser.
    settings.response_types.insert(CodeToken);
    settings.grant_types.insert(GrantType::Implicit);
    assert!(codes(&settings).is_empty());
    settings.response_types.insert(CodeIdToken);
    settings.request_object_encryption = Some(encryption(KeyAlg::EcdhEs));
    assert_eq!(codes(&settings), ["unsigned_id_token_in_browser", "object_encryption_without_key"]);
}

#[test]
fn keys_come_by_value_or_by_reference_registration_2() {
    let mut settings = good();
    settings.jwks_uri = Some("https://rp.example/jwks".into());
    assert_eq!(codes(&settings, true, &[sig("s")]), ["keys_twice"]);
    let withdrawn = ClientKey { revoked_at: Some(NOW), ..sig("s") };
    assert!(codes(&settings, true, &[withdrawn]).is_empty());
    let mut settings = good();
    settings.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
    assert!(codes(&settings, false, &[sig("s")]).is_empty());
    settings.token_endpoint_auth_signing_alg = Some(SigAlg::ES256);
    assert_eq!(codes(&settings, false, &[sig("s")]), ["assertion_alg_without_key"]);
}

#[test]
fn keys_make_settings_work_a75() {
    let mut settings = good();
    settings.id_token.encrypted = Some(encryption(KeyAlg::RsaOaep256));
    assert!(codes(&settings, true, &[rsa("e", None, None)]).is_empty());
    for unusable in [rsa("e", None, Some(NOW)), rsa("e", Some(NOW + 1), None), sig("e")] {
        assert_eq!(codes(&settings, true, &[unusable]), ["encryption_without_key"]);
    }
    let mut settings = good();
    settings.require_request_object = true;
    let later = ClientKey { not_before: Some(NOW + 1), ..sig("s") };
    assert!(codes(&settings, true, &[later]).is_empty());
    let ended = ClientKey { not_after: Some(NOW), ..sig("s") };
    assert_eq!(codes(&settings, true, &[ended]), ["objects_without_key"]);
    settings.request_object_signing_algs = [SigAlg::ES256].into();
    assert_eq!(codes(&settings, true, &[sig("s")]), ["object_algs_without_key"]);
    settings.request_object_signing_algs.insert(SigAlg::PS256);
    assert!(codes(&settings, true, &[sig("s")]).is_empty());
}

#[test]
fn mode_and_tenant_count_a75_a127() {
    let mut settings = good();
    settings.redirect_uris = vec!["http://localhost:3000/cb".into()];
    settings.require_encrypted_request_object = true;
    let tenant = TenantSettings {
        encryption_algs: Vec::new(),
        signing_algs: vec![SigAlg::ES256],
        ..TenantSettings::default()
    };
    let found = check(&"c".into(), &settings, KeptSecret::Hashed, &[], &tenant, Mode::Development, NOW);
    let codes: Vec<_> = found.iter().map(Contradiction::code).collect();
    assert_eq!(codes, ["response_alg_without_key", "encrypted_objects_impossible"]);
    assert!(found[0].to_string().contains("id_token.signed is RS256"));
}

#[test]
fn client_ids_are_visible_and_bounded_a68() {
    for (id, fits) in [("shop", true), ("a:b/c~1", true), ("", false), ("a b", false), ("\u{e4}", false)] {
        assert_eq!(client_id(id).is_ok(), fits, "{id}");
    }
    assert!(client_id(&"x".repeat(100)).is_ok());
    assert!(client_id(&"x".repeat(101)).is_err());
}

#[test]
fn advice_is_given_and_refuses_nothing_a88() {
    let list = |settings: &ClientSettings, keys: &[ClientKey]| -> Vec<&'static str> {
        advice(settings, keys, NOW).iter().map(Advice::code).collect()
    };
    assert!(list(&good(), &[]).is_empty());
    let mut settings = good();
    settings.id_token.encrypted = Some(encryption(KeyAlg::RsaOaep));
    settings.userinfo.response_type = UserInfoResponseType::Encrypted;
    settings.userinfo.encrypted = Some(encryption(KeyAlg::RsaOaep256));
    assert_eq!(list(&settings, &[rsa("e", None, None)]), ["rsa_oaep_sha1", "userinfo_unsigned"]);
    let bound = plain_key("b", KeyUse::Enc, &json!({"kty": "RSA", "alg": "RSA-OAEP"}));
    assert_eq!(list(&settings, &[bound]), ["userinfo_unsigned"]);

    let mut settings = good();
    settings.require_request_object = true;
    settings.request_object_parameters = RequestObjectParameters::ObjectOverrides;
    settings.require_pkce = false;
    assert_eq!(list(&settings, &[]), ["jti_optional", "parameters_outside", "pkce_off"]);
    let mut settings = good();
    settings.require_encrypted_request_object = true;
    settings.redirect_uris.push("http://localhost/cb".into());
    assert_eq!(list(&settings, &[]), ["encryption_avoidable", "redirect_uri_localhost"]);

    for (left, days) in [(DAY, Some(1)), (DAY + 1, Some(7)), (8 * DAY, Some(30)), (31 * DAY, None), (0, None)]
    {
        let found = advice(&good(), &[rsa("e", None, Some(NOW + left))], NOW);
        let said = found.iter().find_map(|advice| match advice {
            Advice::KeyEnds { days, .. } => Some(*days),
            _ => None,
        });
        assert_eq!(said, days, "{left}");
    }
}
