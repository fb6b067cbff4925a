//! Secrets that MACs are made with, scopes of a tenant's own, and policies that clients rely on.

use super::*;

#[test]
fn a_secret_that_macs_are_made_with_is_kept_sealed_core_10_1() {
    let declared = |method: &str, more: Value| {
        let mut all = json!({
            "client_id": "shop", "client_name": "Shop", "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": method,
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let secret = "a-secret-of-thirty-two-bytes-001";
    let mut stored = Stored::default();
    stored.apply(&declared("client_secret_basic", json!({ "secret": secret })), NOW);
    assert_eq!(stored.client.as_ref().unwrap().sealed_secret, None);
    // Only the hash is there: the refusal says what to do.
    assert_eq!(stored.refused(&declared("client_secret_jwt", json!({}))), ["secret_not_kept"]);
    // The same secret once more can be sealed.
    stored.apply(&declared("client_secret_jwt", json!({ "secret": secret })), NOW);
    let sealed = stored.client.as_ref().unwrap().sealed_secret.clone();
    assert_eq!(sealed.as_deref(), Some(format!("sealed:{secret}").as_bytes()));
    stored.apply(&declared("client_secret_jwt", json!({})), NOW);
    assert_eq!(stored.client.as_ref().unwrap().sealed_secret, sealed);
    // RFC 7518 section 3.2: HS512 needs 64 octets.
    let long = json!({ "token_endpoint_auth_signing_alg": "HS512" });
    assert_eq!(stored.refused(&declared("client_secret_jwt", long.clone())), ["secret_too_short"]);
    let short = json!({ "secret": "a-secret-of-just-24-byte" });
    assert_eq!(stored.refused(&declared("client_secret_jwt", short)), ["secret_too_short"]);
    // Back to Basic, nothing that can be read back stays.
    stored.apply(&declared("client_secret_basic", json!({})), NOW);
    let client = stored.client.as_ref().unwrap();
    assert!(client.sealed_secret.is_none() && client.secret_hash.is_some());
    // A secret that is made here is long enough for every hash.
    let made = json!({ "generate_secret": true, "token_endpoint_auth_signing_alg": "HS512" });
    let provisioned = stored.apply(&declared("client_secret_jwt", made), NOW);
    assert!(provisioned.secret.unwrap().len() >= 64);
    let mut without = declared("client_secret_jwt", json!({ "secret": secret }));
    without["client_id"] = "no-master-key".into();
    assert_eq!(Stored::default().refused(&without), ["secret_unsealed"]);
}

#[test]
fn scopes_of_a_tenants_own_are_judged_rfc6749_3_3() {
    let scope = |name: &str, claims: &[&str]| CustomScope {
        name: name.into(),
        claims: claims.iter().map(|claim| (*claim).to_owned()).collect(),
        ..custom_scopes().remove(0)
    };
    for (scopes, expected) in [
        (custom_scopes(), &[][..]),
        (vec![scope("a b", &[])], &["custom_scope_form"]),
        (vec![scope("", &[])], &["custom_scope_form"]),
        (vec![scope("a\"", &[])], &["custom_scope_form"]),
        (vec![scope("openid", &[])], &["custom_scope_taken"]),
        (vec![scope("offline_access", &[])], &["custom_scope_taken"]),
        (vec![scope("a", &[]), scope("a", &[])], &["custom_scope_taken"]),
        (vec![CustomScope { title: String::new(), ..scope("a", &[]) }], &["custom_scope_text"]),
        (vec![CustomScope { detail: "a\n".into(), ..scope("a", &[]) }], &["custom_scope_text"]),
        (vec![scope("a", &["sub", "iss", "nonce", "at_hash", "exp", "", "x"])], &["custom_scope_claim"; 6]),
        (vec![scope("a", &["x"; 101])], &["custom_scopes_too_many"]),
    ] {
        let declared = TenantDeclaration {
            issuer: Some(ISSUER.into()),
            settings: TenantSettings { scopes, ..TenantSettings::default() },
            ..TenantDeclaration::default()
        };
        let facts = TenantFacts {
            id: &TenantId::from("t"),
            current: None,
            all: &[],
            clients: &[],
            mode: Mode::Production,
        };
        let found = provision_tenant(&declared, &facts, "corr", &at(NOW));
        let codes: Vec<_> = found.err().unwrap_or_default().iter().map(Refusal::code).collect();
        assert_eq!(codes, expected);
    }
}

#[test]
fn a_policy_that_a_client_relies_on_does_not_end_under_it() {
    let mut client = client("shop");
    client.settings.id_token.unsigned = true;
    client.settings.allow_unsigned_request_object = true;
    client.settings.scope.insert("payments".into());
    client.settings.logout_token_signed = Some(signet_jose::SigAlg::ES512);
    let declared = TenantDeclaration { issuer: Some(ISSUER.into()), ..TenantDeclaration::default() };
    let clients = [client];
    let facts = TenantFacts {
        id: &TenantId::from("t"),
        current: None,
        all: &[],
        clients: &clients,
        mode: Mode::Production,
    };
    let found = provision_tenant(&declared, &facts, "corr", &at(NOW)).unwrap_err();
    let codes: Vec<_> = found.iter().map(Refusal::code).collect();
    assert_eq!(
        codes,
        ["client_loses_alg", "client_loses_setting", "client_loses_setting", "client_loses_setting"]
    );
}
