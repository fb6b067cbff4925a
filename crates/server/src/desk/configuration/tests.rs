//! What configurations say, by table.

use super::*;
use signet_core::templates::Template as Kind;

#[test]
fn values_are_literals_whatever_they_hold() {
    let nasty = "a\"b'c\\d</script>\n`$(x)";
    let settings =
        ClientSettings { redirect_uris: vec!["https://rp.example/\"cb".into()], ..Kind::Web.settings() };
    let values = Values::of("https://op.example", &TenantSettings::default(), nasty, &settings, &[]);
    for rp in [
        RelyingParty::OpenidClient,
        RelyingParty::Authlib,
        RelyingParty::SpringSecurity,
        RelyingParty::ModAuthOpenidc,
    ] {
        let text = values.at(rp.receives(&settings, &values.issuer)).text(rp, &settings);
        assert!(text.contains(&literal(nasty)), "{text}");
        assert!(!text.contains("</script>") && !text.contains("example/\"cb"), "{text}");
    }
    assert_eq!(word("it's"), "'it'\\''s'");
    assert!(values.sample().contains("export CLIENT_ID='a\"b'\\''c\\d</script>\n`$(x)'"));
    assert_eq!(plain("k#\"\\1"), "k1");
}

fn key(kid: &str, usage: KeyUse, state: ClientKeyState, from: Option<i64>) -> ClientKeyView {
    ClientKeyView {
        id: uuid::Uuid::nil(),
        name: kid.to_owned(),
        usage,
        kid: kid.to_owned(),
        state,
        used_from: from,
        encrypts: Vec::new(),
        kind: "RSA 2048".to_owned(),
        not_before: from,
        not_after: None,
        origin: signet_core::records::KeyOrigin::Jwk,
        created_at: 0,
        revoked_at: None,
        thumbprint: kid.to_owned(),
        jwk: serde_json::Map::new(),
    }
}

#[test]
fn the_key_that_is_named_is_in_use_or_comes_next_and_has_never_ended() {
    use ClientKeyState::{Ended, InUse, Next, Revoked, Valid, Waiting};
    for (states, expected) in [
        (&[(InUse, None), (Next, Some(9))][..], Some("0")),
        (&[(InUse, None), (InUse, None), (Waiting, Some(9))], Some("1")),
        (&[(Next, Some(9)), (Next, Some(8)), (Valid, None)], Some("1")),
        (&[(Valid, None), (Ended, None), (Waiting, Some(9))], Some("0")),
        (&[(Waiting, Some(9)), (Waiting, Some(8)), (Revoked, None)], Some("1")),
        (&[(Ended, None), (Revoked, None)], None),
        (&[], None),
    ] {
        let keys = states.iter().enumerate();
        let mut keys: Vec<_> =
            keys.map(|(at, (state, from))| key(&at.to_string(), KeyUse::Sig, *state, *from)).collect();
        keys.push(key("enc", KeyUse::Enc, InUse, None));
        let found = named_key(&keys, KeyUse::Sig).map(|key| key.kid.as_str());
        assert_eq!(found, expected, "{states:?}");
    }
}

#[test]
fn the_sample_is_offered_with_the_address_that_it_sends_or_says_which_to_register() {
    let with = |uris: &[&str]| ClientSettings {
        redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
        ..Kind::Sealed.settings()
    };
    let offer = |settings: &ClientSettings| {
        let values = Values::of("https://op.example", &TenantSettings::default(), "s", settings, &[]);
        values.offer(RelyingParty::Sample, settings)
    };
    let without = offer(&with(&["https://s.example/cb"]));
    assert_eq!(without.register.as_deref(), Some("http://127.0.0.1:3000/callback"));
    assert!(without.text.is_empty() && without.lacks.is_empty());
    let fitting = offer(&with(&["https://op.example/demo/callback", "http://127.0.0.1:4000/callback"]));
    assert!(fitting.register.is_none() && fitting.text.contains("export PORT=4000"), "{}", fitting.text);
}

#[test]
fn a_native_client_gets_its_own_libraries_and_their_literals() {
    let settings =
        ClientSettings { redirect_uris: vec!["com.example.app:/cb".into()], ..Kind::Native.settings() };
    let nasty = "a$b\"<\\(c)";
    let values = Values::of("https://op.example", &TenantSettings::default(), nasty, &settings, &[]);
    let offer = |rp| values.offer(rp, &settings);
    let android = offer(RelyingParty::AppAuthAndroid).text;
    assert!(android.contains(r#""a\$b\"\u003c\\(c)""#), "{android}");
    assert!(android.contains(r#"["appAuthRedirectScheme"] = "com.example.app""#), "{android}");
    let ios = offer(RelyingParty::AppAuthIos).text;
    assert!(ios.contains(r#""a$b\"\u{3c}\\(c)""#) && ios.contains("com.example.app:/cb"), "{ios}");
    for rp in [RelyingParty::Authlib, RelyingParty::SpringSecurity, RelyingParty::OpenidClient] {
        let refused = offer(rp);
        assert!(refused.text.is_empty() && refused.lacks.len() == 1, "{rp:?}: {:?}", refused.lacks);
    }
    let loopback = ClientSettings { redirect_uris: vec!["http://127.0.0.1/cb".into()], ..settings };
    let values = Values::of("https://op.example", &TenantSettings::default(), "n", &loopback, &[]);
    let text = values.offer(RelyingParty::OpenidClient, &loopback).text;
    assert!(text.contains("http://127.0.0.1:3000/cb") && text.contains("listen(3000)"), "{text}");
}

#[test]
fn a_machine_gets_a_command_and_a_login_client_gets_pkce() {
    let machine = Kind::Machine.settings();
    let values = Values::of("https://op.example/a/", &TenantSettings::default(), "m", &machine, &[]);
    let text = values.text(RelyingParty::Curl, &machine);
    assert!(text.contains("'https://op.example/a/token'") && text.contains("client_credentials"), "{text}");
    assert!(text.contains("--user 'm':\"$CLIENT_SECRET\"") && !text.contains("client_secret"), "{text}");
    // The form, and the form alone, for those who registered it.
    let post = ClientSettings { token_endpoint_auth_method: ClientAuthMethod::ClientSecretPost, ..machine };
    let values = Values::of("https://op.example", &TenantSettings::default(), "it's", &post, &[]);
    let text = values.text(RelyingParty::Curl, &post);
    assert!(text.contains("--data-urlencode 'client_id=it'\\''s'"), "{text}");
    assert!(text.contains("--data-urlencode \"client_secret=$CLIENT_SECRET\""), "{text}");
    assert!(!text.contains("--user"), "{text}");
    let web = Kind::Web.settings();
    let values = Values::of("https://op.example", &TenantSettings::default(), "w", &web, &[]);
    let text = values.text(RelyingParty::OpenidClient, &web);
    assert!(text.contains("ClientSecretBasic") && text.contains("S256"), "{text}");
    assert!(!text.contains("clientCredentialsGrant"), "{text}");
    let spa = Kind::Spa.settings();
    let values = Values::of("http://localhost", &TenantSettings::default(), "s", &spa, &[]);
    let text = values.text(RelyingParty::OpenidClient, &spa);
    assert!(text.contains("oidc.None()") && text.contains("allowInsecureRequests"), "{text}");
    assert!(!text.contains("CLIENT_SECRET") && !text.contains("process."), "{text}");
}
