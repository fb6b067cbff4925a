//! The request-object validator of the core, from the text of the token to the last claim.

use std::sync::LazyLock;

use serde_json::json;
use signet_core::fault::Fault;
use signet_core::ids::ClientId;
use signet_core::records::{Client, ClientKey, ClientSettings, TenantSettings};
use signet_core::request_object::{DecryptionKey, Policy, judge, open};
use signet_jose::{KeyAlg, Trace};

use crate::{CLIENT, ISSUER, KEYS, NOW, Outcome, seal};

/// The first octet says what the rest is: the token itself, the claims of a signed one, or the claims of a nested
/// one. So the rules behind the signature are reached as well.
pub fn request_object(input: &[u8]) -> Outcome {
    let Some((kind, rest)) = input.split_first() else { return Outcome::Rejected("empty") };
    let token = match kind % 3 {
        0 => String::from_utf8(rest.to_vec()).ok(),
        1 => KEYS.signer.sign(None, rest).ok(),
        _ => KEYS.signer.sign(None, rest).ok().and_then(|token| seal(token.as_bytes())),
    };
    match token.map(|token| validate(&token)) {
        None => Outcome::Rejected("not_utf8"),
        Some(Ok(())) => Outcome::Accepted,
        Some(Err(fault)) => Outcome::Rejected(fault.code()),
    }
}

fn validate(token: &str) -> Result<(), Fault> {
    let keys = [DecryptionKey { kid: "enc".into(), alg: KeyAlg::EcdhEs, decrypter: KEYS.decrypter.clone() }];
    let mut trace = Trace::new();
    let settings = TenantSettings::default();
    let opened = open(token, &keys, &settings, &mut trace)?;
    let client = client(opened.client_id().map(ClientId::as_str).unwrap_or_default());
    let object = judge(
        opened,
        &Policy {
            client: &client,
            keys: std::slice::from_ref(&*CLIENT_KEY),
            verifier: &|_, alg| (KEYS.verifier.alg() == alg).then(|| KEYS.verifier.clone()),
            issuer: ISSUER,
            tenant: &settings,
            now: NOW,
        },
        &mut trace,
    )?;
    // nothing gets here without these.
    assert_eq!(object.claims.iss(), Some(client.client_id.as_str()));
    assert!(object.claims.aud().contains(&ISSUER));
    assert!(trace.first_failure().is_none(), "{trace:?}");
    Ok(())
}

fn client(id: &str) -> Client {
    Client {
        tenant: "t1".into(),
        client_id: id.into(),
        version: 1,
        disabled: false,
        secret_hash: None,
        sealed_secret: None,
        registration_token: None,
        settings: ClientSettings { client_name: CLIENT.into(), ..ClientSettings::default() },
        created_at: 0,
        updated_at: 0,
    }
}

/// A record of the store; its key is the one in `KEYS`.
static CLIENT_KEY: LazyLock<ClientKey> = LazyLock::new(|| {
    serde_json::from_value(json!({
        "tenant": "t1", "client_id": CLIENT, "id": "00000000-0000-0000-0000-000000000000", "name": "signing",
        "usage": "sig", "kid": "sig", "thumbprint": "", "jwk": {}, "not_before": null, "not_after": null,
        "origin": "jwk", "created_at": 0, "revoked_at": null
    }))
    .expect("a client key")
});
